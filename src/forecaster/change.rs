//! A laboratory with more or fewer units of a stage, and what that does to it.

use crate::planner::StageKind;
use crate::planner::model::{Lab, Model};
use crate::planner::study::{Paired, what_if};
use std::sync::atomic::{AtomicBool, Ordering};

/// A change to a laboratory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Number of the laboratory.
    pub lab: usize,
    /// The stage.
    pub stage: StageKind,
    /// Units more; negative = fewer. Fewer than are there leaves none.
    pub units: i32,
}

/// The laboratory with the change made; `None` when the model has no such laboratory.
pub fn changed(model: &Model, change: &Change) -> Option<Lab> {
    let mut lab = model.labs.get(change.lab)?.clone();
    let stage = &mut lab.stages[change.stage.index()];
    stage.set_units(stage.units.saturating_add_signed(change.units));
    Some(lab)
}

/// Simulates the laboratory as it is and changed, in pairs with the same chance, until all are done or `stop` says so.
pub fn compare(
    model: &Model,
    number: usize,
    lab: &Lab,
    seed: u64,
    pairs: usize,
    stop: &AtomicBool,
) -> Paired {
    what_if(model, number, lab, seed, pairs, &|| !stop.load(Ordering::Acquire))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::example;

    #[test]
    fn units_come_and_go() {
        let model = example::city(1);
        let with = |units| {
            let change = Change { lab: 0, stage: StageKind::Extract, units };
            let lab = changed(&model, &change).unwrap();
            lab.stages[StageKind::Extract.index()].clone()
        };
        let now = with(0);
        for units in [-100, -3, -1, 0, 1, 5] {
            let stage = with(units);
            let expected = (i64::from(now.units) + i64::from(units)).max(0);
            assert_eq!(i64::from(stage.units), expected);
            assert!(stage.rests.len() <= stage.units as usize);
            if stage.units > 0 {
                let differs = (stage.working_share() - now.working_share()).abs();
                assert!(differs < 0.05, "{units}: a unit works as long as before");
            }
        }
        let beyond = Change { lab: 9, stage: StageKind::Pcr, units: 1 };
        assert!(changed(&model, &beyond).is_none());
    }

    #[test]
    fn nobody_waits_for_what_was_stopped() {
        let model = example::city(1);
        let lab = model.labs[0].clone();
        let stopped = AtomicBool::new(true);
        assert_eq!(compare(&model, 0, &lab, 1, 100, &stopped).pairs, 0);
        let same = compare(&model, 0, &lab, 1, 30, &AtomicBool::new(false));
        assert_eq!((same.pairs, same.saved, same.half_width), (30, 0.0, Some(0.0)));
    }
}
