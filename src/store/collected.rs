//! Tubes of which nothing is known but that they were collected. They have no record, neither in memory nor in a
//! file: all of it follows from the event, to which the index of tubes leads. In a round most facts are of this
//! kind, and most tubes come to a laboratory hours later.

use super::entry;
use super::error::Error;
use super::keys::{self, Kind};
use super::read::{Read, Shared};
use super::records::decode_event;
use crate::domain::Code;
use crate::domain::fact::Event;
use crate::domain::tube::{TubeRecord, What};
use crate::domain::world::collected;
use rocksdb::ReadOptions;
use std::sync::atomic::Ordering;

/// So many events are passed one by one rather than looked for again.
const NEAR: u64 = 64;

impl Shared {
    /// The events that may have collected a tube as a whole. While the end of the log is folded again after a crash, the index
    /// already knows events that are not folded yet, and those must not be seen: they would be folded twice.
    fn collections_of(&self, code: &str) -> Result<impl Iterator<Item = u64> + use<>, Error> {
        let folded_to = self.folded_to.load(Ordering::Acquire);
        let seqs = self.tubes.find(&self.fold, &entry::tube_key(code))?;
        Ok(seqs.into_iter().filter(move |seq| *seq <= folded_to))
    }

    /// A tube as one event collected it; `None` = no event did. To be asked when there is no record.
    pub(super) fn collected(&self, code: &str) -> Result<Option<TubeRecord>, Error> {
        for seq in self.collections_of(code)? {
            let bytes = self.state.get_pinned_cf(self.log(), keys::seq_key(Kind::Event, seq))?;
            let event = event_of(seq, bytes.as_deref())?;
            if let Some((_, tube)) = collected(&event).filter(|(of, _)| of == code) {
                return Ok(Some(tube));
            }
        }
        Ok(None)
    }

    /// The same for the tubes at some places of a list, all of them read at once: place and tube, where there is one.
    pub(super) fn collected_at<'a>(
        &self,
        places: &[usize],
        code: impl Fn(usize) -> &'a Code,
    ) -> Result<Vec<(usize, TubeRecord)>, Error> {
        let mut wanted: Vec<(usize, u64)> = Vec::with_capacity(places.len());
        for at in places {
            wanted.extend(self.collections_of(code(*at))?.map(|seq| (*at, seq)));
        }
        let keys: Vec<_> = wanted.iter().map(|(_, seq)| keys::seq_key(Kind::Event, *seq)).collect();
        let stored = self.state.batched_multi_get_cf(self.log(), &keys, false);
        let mut found: Vec<(usize, TubeRecord)> = Vec::with_capacity(places.len());
        for ((at, seq), bytes) in wanted.into_iter().zip(stored) {
            let event = event_of(seq, bytes?.as_deref())?;
            if let Some((_, tube)) = collected(&event).filter(|(of, _)| of == code(at)) {
                // Of two events there is a record, and nobody asks.
                found.push((at, tube));
            }
        }
        found.dedup_by_key(|(at, _)| *at);
        Ok(found)
    }

    /// Hands out the events of these sequences, in order.
    pub(super) fn for_each_event_of(
        &self,
        seqs: &Sequences,
        each: &mut dyn FnMut(Event) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut options = ReadOptions::default();
        options.set_iterate_range(Kind::Event.start()..Kind::Event.end());
        options.fill_cache(false);
        options.set_readahead_size(1 << 20);
        let mut events = self.state.raw_iterator_cf_opt(self.log(), options);
        let mut at = None;
        for seq in seqs.iter() {
            match at.filter(|at| seq - at <= NEAR) {
                Some(at) => (at..seq).for_each(|_| events.next()),
                None => events.seek(keys::seq_key(Kind::Event, seq)),
            }
            at = Some(seq);
            events.status()?;
            let bytes = events.item().filter(|(key, _)| **key == keys::seq_key(Kind::Event, seq));
            each(event_of(seq, bytes.map(|(_, bytes)| bytes))?)?;
        }
        Ok(())
    }
}

fn event_of(seq: u64, bytes: Option<&[u8]>) -> Result<Event, Error> {
    let missing = || Error::Damaged { what: format!("event {seq}") };
    decode_event(seq, bytes.ok_or_else(missing)?)
}

/// The events that collected a tube as a whole.
pub(super) fn collections(tube: &TubeRecord) -> impl Iterator<Item = u64> + '_ {
    let whole = |what: &What| matches!(what, What::Collected { whole: true, .. });
    tube.marks.iter().filter(move |mark| whole(&mark.what)).map(|mark| mark.origin.seq)
}

/// A part of the list of tubes that have no record.
pub struct CollectedPage {
    /// In the order of their events.
    pub tubes: Vec<(u64, Code, TubeRecord)>,
    /// Events looked at.
    pub looked_at: usize,
    /// Ask again after this event; `None` at the end.
    pub next: Option<u64>,
}

impl Read {
    /// Tubes of which nothing is known but that they were collected, by events after `after`. Looks at `count` events at
    /// most and gives what is among them, which may be nothing.
    ///
    /// # Errors
    /// When the disk cannot be read.
    pub fn collected_after(&self, after: u64, count: usize) -> Result<CollectedPage, Error> {
        let (shared, last) = (self.shared(), self.folded_to());
        let to = last.min(after.saturating_add(count as u64));
        if to <= after {
            return Ok(CollectedPage { tubes: Vec::new(), looked_at: 0, next: None });
        }
        let mut tubes = Vec::new();
        shared.for_each_event(after.saturating_add(1), to, &mut |event| {
            tubes.extend(collected(&event).map(|(code, tube)| (event.seq, code, tube)));
            Ok(())
        })?;
        let codes: Vec<Code> = tubes.iter().map(|(_, code, _)| code.clone()).collect();
        let mut has_record = self.records_of(&codes)?.into_iter();
        tubes.retain(|_| !has_record.next().unwrap_or(false));
        let looked_at = usize::try_from(to - after).unwrap_or(count);
        Ok(CollectedPage { tubes, looked_at, next: (to < last).then_some(to) })
    }
}

/// A set of sequences, a bit for each.
pub struct Sequences(Vec<u64>);

impl Sequences {
    /// None; for sequences up to `to`.
    pub fn up_to(to: u64) -> Sequences {
        Sequences(vec![0; usize::try_from(to / 64).unwrap_or(usize::MAX).saturating_add(1)])
    }

    fn place(seq: u64) -> (usize, u64) {
        (usize::try_from(seq / 64).unwrap_or(usize::MAX), 1 << (seq % 64))
    }

    /// Adds one, unless it is beyond the end.
    pub fn insert(&mut self, seq: u64) {
        let (word, bit) = Sequences::place(seq);
        if let Some(word) = self.0.get_mut(word) {
            *word |= bit;
        }
    }

    /// True for one that was added.
    pub fn has(&self, seq: u64) -> bool {
        let (word, bit) = Sequences::place(seq);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    /// All of them, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        (0_u64..).zip(&self.0).flat_map(|(at, word)| {
            let bits = (0..64).filter(move |bit| word >> bit & 1 == 1);
            bits.map(move |bit| at * 64 + bit)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_come_back_in_order_each_once() {
        let mut seqs = Sequences::up_to(200);
        for seq in [200, 3, 64, 63, 3, 128, 9] {
            seqs.insert(seq);
        }
        assert!(seqs.has(9) && !seqs.has(77) && !seqs.has(100_000));
        // Beyond the end is not kept: whoever asks has no use for it.
        seqs.insert(100_000);
        assert_eq!(seqs.iter().collect::<Vec<_>>(), [3, 9, 63, 64, 128, 200]);
    }
}
