//! Reading back: every acknowledged number must have arrived at its source, and tubes taken at
//! random must be there with all their people.

use crate::api::{GetSourceRequest, GetTubeRequest, SourceEpoch};
use crate::connect::SignIn;
use crate::exit::Verdict;
use crate::load::Load;
use crate::schedule::mix;
use crate::tally::Ranges;
use anyhow::{Context, Result};
use tonic::Code;
use tonic::transport::Channel;

/// Texts about missing things that are kept.
const TEXTS_MAX: usize = 5;

/// What reading back found.
#[derive(Clone, Debug, Default)]
pub struct ReadBack {
    /// Sources asked for.
    pub sources: u64,
    /// Tubes asked for.
    pub tubes: u64,
    /// Acknowledged numbers that have not arrived.
    pub numbers_missing: u64,
    /// Tubes that are not there, or not with all their people.
    pub tubes_wrong: u64,
    /// Acknowledged numbers of which the server's list of gaps was too short to tell.
    pub untold: u64,
    /// Some of it in words.
    pub texts: Vec<String>,
}

impl ReadBack {
    /// True when everything acknowledged is there.
    pub fn is_clean(&self) -> bool {
        self.numbers_missing == 0 && self.tubes_wrong == 0
    }

    fn say(&mut self, text: String) {
        if self.texts.len() < TEXTS_MAX {
            self.texts.push(text);
        }
    }
}

/// What follows from it for how the program ends.
pub fn verdict(found: Option<&ReadBack>) -> Verdict {
    let is_missing = found.is_some_and(|found| !found.is_clean());
    Verdict { is_missing, ..Verdict::default() }
}

/// Reads back every source and `tubes` tubes.
pub async fn read_back(
    sign_in: &SignIn,
    channel: &Channel,
    load: &Load,
    acknowledged: &Ranges,
    tubes: usize,
) -> Result<ReadBack> {
    let mut found = ReadBack::default();
    let mut recording = sign_in.recording(channel);
    for (device, ranges) in acknowledged {
        let source = load.numbers.source(*device);
        let reply = recording.get_source(GetSourceRequest { source: source.clone() }).await;
        let reply = reply.with_context(|| format!("asking for source {source}"))?.into_inner();
        let epoch = reply.epochs.iter().find(|epoch| epoch.epoch == load.numbers.epoch());
        let (missing, untold) = not_arrived(ranges, epoch);
        if missing > 0 {
            found.say(format!("{source}: {missing} acknowledged facts have not arrived"));
        }
        found.sources += 1;
        found.numbers_missing += missing;
        found.untold += untold;
    }

    let mut queries = sign_in.queries(channel);
    for (device, number) in some_of(acknowledged, tubes) {
        let tube = load.numbers.barcode(device, number);
        let request = GetTubeRequest { tube: tube.clone(), with_proofs: false };
        let there = match queries.get_tube(request).await {
            Ok(reply) => reply.into_inner().tube,
            Err(status) if status.code() == Code::NotFound => None,
            Err(status) => return Err(status).with_context(|| format!("asking for tube {tube}")),
        };
        found.tubes += 1;
        let people = load.people_in(device, number);
        match there {
            Some(there) if there.code == tube && there.swabs == people => {}
            Some(there) => {
                found.tubes_wrong += 1;
                found.say(format!("{tube}: {} swabs, not {people}", there.swabs));
            }
            None => {
                found.tubes_wrong += 1;
                found.say(format!("{tube}: acknowledged and not there"));
            }
        }
    }
    Ok(found)
}

/// How many of the numbers a source has not, and of how many it does not say.
fn not_arrived(ranges: &[(u64, u64)], epoch: Option<&SourceEpoch>) -> (u64, u64) {
    let Some(epoch) = epoch else {
        return (ranges.iter().map(|(first, last)| last - first + 1).sum(), 0);
    };
    // Beyond the last gap that is given, a shortened list says nothing.
    let told_to = match (epoch.gaps_truncated, epoch.gaps.last()) {
        (true, Some(gap)) => gap.last,
        (true, None) => epoch.watermark,
        (false, _) => u64::MAX,
    };
    let (mut missing, mut untold) = (0, 0);
    for number in ranges.iter().flat_map(|(first, last)| *first..=*last) {
        if number > epoch.highest {
            missing += 1;
        } else if number > told_to {
            untold += 1;
        } else if number > epoch.watermark {
            let next = epoch.gaps.partition_point(|gap| gap.last < number);
            missing += u64::from(epoch.gaps.get(next).is_some_and(|gap| gap.first <= number));
        }
    }
    (missing, untold)
}

/// Acknowledged tubes taken at random, the same ones each time.
fn some_of(acknowledged: &Ranges, count: usize) -> Vec<(u32, u64)> {
    let ranges: Vec<_> = acknowledged
        .iter()
        .flat_map(|(device, ranges)| ranges.iter().map(|(first, last)| (*device, *first, *last)))
        .collect();
    let total: u64 = ranges.iter().map(|(_, first, last)| last - first + 1).sum();
    let nth = |mut place: u64| {
        for (device, first, last) in &ranges {
            let length = last - first + 1;
            if place < length {
                return Some((*device, first + place));
            }
            place -= length;
        }
        None
    };
    let places = (0..count as u64).map(|seed| mix(seed).checked_rem(total));
    places.map_while(|place| nth(place?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::NumberRange;

    fn epoch(
        watermark: u64,
        highest: u64,
        gaps: &[(u64, u64)],
        gaps_truncated: bool,
    ) -> SourceEpoch {
        let gaps = gaps.iter().map(|(first, last)| NumberRange { first: *first, last: *last });
        SourceEpoch { epoch: 1, watermark, highest, gaps: gaps.collect(), gaps_truncated }
    }

    #[test]
    fn an_acknowledged_number_in_a_gap_is_missing() {
        let arrived = epoch(10, 30, &[(11, 12), (20, 20)], false);
        assert_eq!(not_arrived(&[(1, 10), (13, 19), (21, 30)], Some(&arrived)), (0, 0));
        assert_eq!(not_arrived(&[(10, 13)], Some(&arrived)), (2, 0));
        assert_eq!(not_arrived(&[(20, 21)], Some(&arrived)), (1, 0));
        assert_eq!(not_arrived(&[(30, 32)], Some(&arrived)), (2, 0));
    }

    #[test]
    fn a_source_that_is_not_there_misses_everything() {
        assert_eq!(not_arrived(&[(1, 3), (5, 5)], None), (4, 0));
    }

    #[test]
    fn what_a_short_list_does_not_tell_is_not_called_missing() {
        let arrived = epoch(10, 30, &[(11, 12)], true);
        assert_eq!(not_arrived(&[(1, 30)], Some(&arrived)), (2, 18));
    }

    #[test]
    fn tubes_are_taken_from_what_was_acknowledged() {
        let acknowledged = Ranges::from([(1, vec![(1, 3)]), (7, vec![(5, 5), (9, 10)])]);
        let all = [(1, 1), (1, 2), (1, 3), (7, 5), (7, 9), (7, 10)];
        let some = some_of(&acknowledged, 100);
        assert_eq!(some.len(), 100);
        assert!(some.iter().all(|one| all.contains(one)));
        assert!(some_of(&Ranges::new(), 5).is_empty());
    }
}
