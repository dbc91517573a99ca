//! What became of facts, and what has arrived from a source.

use super::super::errors::Error;
use super::super::limits::{EPOCHS_TOLD_MAX, GAPS_TOLD_MAX};
use super::super::pb;
use super::words::findings;
use crate::domain::source::SourceState;
use crate::engine::{Outcome, Times};

/// The outcome of a fact that the engine took.
pub fn outcome(index: usize, number: u64, outcome: &Outcome) -> pb::FactOutcome {
    let taken = |kind: pb::Outcome, seq: u64, findings: Vec<pb::Finding>| pb::FactOutcome {
        index: u32::try_from(index).unwrap_or(u32::MAX),
        number,
        outcome: kind.into(),
        seq,
        findings,
        refusal: None,
    };
    match outcome {
        Outcome::Recorded { seq, found } => taken(pb::Outcome::Recorded, *seq, findings(*found)),
        Outcome::Duplicate { seq, found } => taken(pb::Outcome::Duplicate, *seq, findings(*found)),
        Outcome::IdReused { seq } => {
            pb::FactOutcome { seq: *seq, ..refused(index, number, &Error::IdReused { seq: *seq }) }
        }
    }
}

/// The outcome of a fact that was not recorded.
pub fn refused(index: usize, number: u64, error: &Error) -> pb::FactOutcome {
    pb::FactOutcome {
        index: u32::try_from(index).unwrap_or(u32::MAX),
        number,
        outcome: pb::Outcome::Refused.into(),
        seq: 0,
        findings: Vec::new(),
        refusal: Some(error.refusal()),
    }
}

/// Where the time went.
pub fn times(times: &Times) -> pb::Times {
    pb::Times {
        waiting_us: times.waiting_us,
        deciding_us: times.deciding_us,
        disk_us: times.disk_us,
    }
}

/// What has arrived in one epoch.
pub fn epoch(epoch: u64, state: &SourceState) -> pb::SourceEpoch {
    let mut gaps = state.gaps();
    let gaps_truncated = gaps.len() > GAPS_TOLD_MAX;
    gaps.truncate(GAPS_TOLD_MAX);
    pb::SourceEpoch {
        epoch,
        watermark: state.watermark(),
        highest: state.highest(),
        gaps: gaps.into_iter().map(|(first, last)| pb::NumberRange { first, last }).collect(),
        gaps_truncated,
    }
}

/// The newest epochs, oldest first.
pub fn epochs(all: &[(u64, SourceState)]) -> Vec<pb::SourceEpoch> {
    let told = &all[all.len().saturating_sub(EPOCHS_TOLD_MAX)..];
    told.iter().map(|(number, state)| epoch(*number, state)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::discrepancy::Discrepancy;

    #[test]
    fn each_outcome_of_the_engine_has_its_own_on_the_wire() {
        let found = [Discrepancy::PoolOverfilled].into_iter().collect();
        let table = [
            (Outcome::Recorded { seq: 7, found }, pb::Outcome::Recorded, 7, 1, None),
            (Outcome::Duplicate { seq: 3, found }, pb::Outcome::Duplicate, 3, 1, None),
            (
                Outcome::IdReused { seq: 3 },
                pb::Outcome::Refused,
                3,
                0,
                Some(pb::Reason::FactIdReused),
            ),
        ];
        for (given, kind, seq, found, reason) in table {
            let told = outcome(2, 9, &given);
            assert_eq!((told.index, told.number, told.seq), (2, 9, seq));
            assert_eq!((told.outcome(), told.findings.len()), (kind, found));
            assert_eq!(told.refusal.map(|refusal| refusal.reason()), reason);
        }
    }

    #[test]
    fn a_source_tells_its_watermark_and_its_gaps() {
        let mut state = SourceState::default();
        for number in [1, 2, 5, 9] {
            state.note(number);
        }
        let told = epoch(4, &state);
        assert_eq!((told.epoch, told.watermark, told.highest), (4, 2, 9));
        let gaps: Vec<_> = told.gaps.iter().map(|gap| (gap.first, gap.last)).collect();
        assert_eq!(gaps, [(3, 4), (6, 8)]);
        assert!(!told.gaps_truncated);
    }
}
