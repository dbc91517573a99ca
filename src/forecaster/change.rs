//! A laboratory with more or fewer units of a stage, and what that does to it.

use crate::planner::StageKind;
use crate::planner::fluid;
use crate::planner::model::{Lab, Model, Ms};
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
    for _ in 0..change.units.max(0) {
        fluid::add_unit(stage);
    }
    let left = stage.units.saturating_sub(change.units.min(0).unsigned_abs());
    if left < stage.units {
        let lengths = |windows: &[(Ms, Ms)]| windows.iter().map(|w| w.1).collect::<Vec<_>>();
        let first = stage.rests.first().cloned().unwrap_or_default();
        let spread = stage.rests.len() == stage.units as usize
            && stage.rests.iter().all(|windows| lengths(windows) == lengths(&first))
            && stage.rests.iter().any(|windows| *windows != first);
        if spread && left > 0 {
            // Rests are spread over the day anew, as they are when a unit comes.
            (stage.units, stage.rests) = (1, vec![first]);
            (1..left).for_each(|_| fluid::add_unit(stage));
        } else {
            stage.units = left;
            stage.rests.truncate(left as usize);
        }
    }
    Some(lab)
}

/// Pairs that are simulated between two looks at whether anybody still waits.
const PAIRS_AT_ONCE: usize = 20;

/// Simulates the laboratory as it is and changed, in pairs with the same chance, until all are done or `stop` says so.
pub fn compare(
    model: &Model,
    number: usize,
    lab: &Lab,
    seed: u64,
    pairs: usize,
    stop: &AtomicBool,
) -> Paired {
    let mut all = Paired::default();
    let mut turn = 0;
    while all.pairs < pairs && !stop.load(Ordering::Acquire) {
        let next = PAIRS_AT_ONCE.min(pairs - all.pairs);
        let more = what_if(model, number, lab, seed.wrapping_add(turn), next);
        if more.pairs == 0 {
            break;
        }
        all = together(&all, &more);
        turn += 1;
    }
    all
}

/// Two samples as one.
fn together(a: &Paired, b: &Paired) -> Paired {
    let (n, m) = (a.pairs as f64, b.pairs as f64);
    let all = n + m;
    let mean = |a: f64, b: f64| (a * n + b * m) / all;
    // The sum of squares about the mean, of each and between them (Chan, Golub, LeVeque 1979).
    let squares = |of: &Paired| {
        let count = of.pairs as f64;
        (of.half_width / 1.96).powi(2) * count * (count - 1.0).max(0.0)
    };
    let between = (a.saved - b.saved).powi(2) * n * m / all;
    let variance = (squares(a) + squares(b) + between) / (all - 1.0).max(1.0);
    Paired {
        pairs: a.pairs + b.pairs,
        before: mean(a.before, b.before),
        after: mean(a.after, b.after),
        saved: mean(a.saved, b.saved),
        half_width: 1.96 * (variance / all).sqrt(),
    }
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
    fn two_samples_are_one() {
        // Savings 1, 2, 3 and 5, 9: mean 4, variance 10.
        let sample = |values: &[f64]| {
            let n = values.len() as f64;
            let saved = values.iter().sum::<f64>() / n;
            let squares = values.iter().map(|value| (value - saved).powi(2)).sum::<f64>();
            let half_width = 1.96 * (squares / (n - 1.0) / n).sqrt();
            Paired { pairs: values.len(), before: 10.0, after: 10.0 - saved, saved, half_width }
        };
        let (both, whole) = (
            together(&sample(&[1.0, 2.0, 3.0]), &sample(&[5.0, 9.0])),
            sample(&[1.0, 2.0, 3.0, 5.0, 9.0]),
        );
        assert_eq!((both.pairs, both.saved), (whole.pairs, whole.saved));
        assert!((both.half_width - whole.half_width).abs() < 1e-9);
        let first = together(&Paired::default(), &sample(&[1.0, 2.0]));
        assert!((first.half_width - sample(&[1.0, 2.0]).half_width).abs() < 1e-9);
    }

    #[test]
    fn nobody_waits_for_what_was_stopped() {
        let model = example::city(1);
        let lab = model.labs[0].clone();
        let stopped = AtomicBool::new(true);
        assert_eq!(compare(&model, 0, &lab, 1, 100, &stopped).pairs, 0);
        let same = compare(&model, 0, &lab, 1, 30, &AtomicBool::new(false));
        assert_eq!((same.pairs, same.saved, same.half_width), (30, 0.0, 0.0));
    }
}
