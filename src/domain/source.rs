//! Sources: which numbers of a source have arrived, up to where without a hole, and the holes.

/// Most ranges kept for one source and epoch. At the limit the two lowest above the first are
/// joined: the numbers between them are then looked up in the fact index instead of being told
/// apart here, so nothing is lost or doubled; only the list of gaps loses an entry. The first range
/// stays exact, because a device may forget what the watermark covers.
pub const GAPS_MAX: usize = 4_096;

/// What has arrived from one source in one epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceState {
    /// Ranges that have arrived, both ends included, ascending, with holes between them; below
    /// `joined_to` two may touch.
    pub ranges: Vec<(u64, u64)>,
    /// Numbers up to this one may hide holes, because ranges were joined at the limit.
    pub joined_to: u64,
}

impl SourceState {
    /// Takes a number. False when it had arrived before.
    pub fn note(&mut self, number: u64) -> bool {
        let at = self.ranges.partition_point(|(_, end)| *end < number);
        if self.ranges.get(at).is_some_and(|(start, _)| *start <= number) {
            return false;
        }
        let joins_left = at > 0 && self.ranges[at - 1].1 == number.wrapping_sub(1);
        // What was joined at the limit hides holes, so nothing below may grow into it: the
        // watermark would pass over them.
        let joins_right = self.ranges.get(at).is_some_and(|(start, _)| {
            Some(*start) == number.checked_add(1) && *start > self.joined_to
        });
        match (joins_left, joins_right) {
            (true, true) => self.ranges[at - 1].1 = self.ranges.remove(at).1,
            (true, false) => self.ranges[at - 1].1 = number,
            (false, true) => self.ranges[at].0 = number,
            (false, false) => self.ranges.insert(at, (number, number)),
        }
        if self.ranges.len() > GAPS_MAX {
            let (start, _) = self.ranges.remove(1);
            self.ranges[1].0 = start;
            self.joined_to = self.joined_to.max(self.ranges[1].1);
        }
        true
    }

    /// True when the number may have arrived: the fact index then knows for certain.
    pub fn may_have(&self, number: u64) -> bool {
        let at = self.ranges.partition_point(|(_, end)| *end < number);
        number <= self.joined_to || self.ranges.get(at).is_some_and(|(start, _)| *start <= number)
    }

    /// True when the number has arrived for certain.
    pub fn has(&self, number: u64) -> bool {
        let exact = number > self.joined_to || number <= self.watermark();
        exact && self.may_have(number)
    }

    /// The highest number up to which everything has arrived, counted from 1; 0 when 1 is missing.
    pub fn watermark(&self) -> u64 {
        match self.ranges.first() {
            Some((start, end)) if *start <= 1 => *end,
            _ => 0,
        }
    }

    /// The highest number that has arrived.
    pub fn highest(&self) -> u64 {
        self.ranges.last().map_or(0, |(_, end)| *end)
    }

    /// The holes, both ends included, lowest first.
    pub fn gaps(&self) -> Vec<(u64, u64)> {
        let first =
            self.ranges.first().filter(|(start, _)| *start > 1).map(|(start, _)| (1, start - 1));
        let between = self.ranges.windows(2).map(|two| (two[0].1 + 1, two[1].0 - 1));
        first.into_iter().chain(between).filter(|(start, end)| start <= end).collect()
    }
}
