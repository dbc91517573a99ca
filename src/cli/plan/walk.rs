//! From what the flows need on, step by step, until the simulation is in time: each time the lab that is late most often
//! gets more, of vehicles, units or desks, whichever helps it more.
//!
//! A lab is simulated alone, with the same chance as all the time, so a step costs what that lab costs. Steps get longer, so
//! a lab comes to the most that is tried within a few of them.

use super::least::Judge;
use super::steps::Most;
use crate::planner::model::{Model, Ms};

/// Desks are given only where they help so many times as much as units: there are more people at a tenth of the desks of a
/// city than at a tenth of the units of its labs.
const DESKS_AHEAD: f64 = 2.0;
/// The first steps: a tenth more.
const STEP: f64 = 0.1;
/// The longest: twice as much.
const STEP_MAX: f64 = 1.0;
/// The number of the first step that is as long as that.
const LONGEST: i32 = 8;
/// So often every lab must be within the search's limit, or all steps are the longest: of a very large city there are few.
const ROUNDS: u64 = 16;

/// What one try gains in sum, ms; its model, and when its lab is done, by replication.
type Try = (f64, Model, Vec<Ms>);

/// The model with more of what helps, until the median of the judge's replications is in time, no lab that is late may have
/// more, or the search is at its limit. Of that model the judge then knows when each lab is done.
pub(super) fn walked(most: &Most<'_>, mut model: Model, judge: &mut Judge<'_>, by: Ms) -> Model {
    let first = if judge.rounds_left(&model) < ROUNDS { LONGEST } else { 0 };
    let mut steps = vec![Some(first); model.labs.len()];
    while judge.finish() > by {
        let late = (0..steps.len()).filter_map(|lab| {
            let step = steps[lab]?;
            let late = judge.of(lab).iter().filter(|at| **at > by).count();
            (late > 0).then_some((late, lateness(judge.of(lab), by), lab, step))
        });
        let worst = late.max_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let Some((_, _, lab, step)) = worst else { break };
        let factor = 1.0 + (STEP * f64::from(1 << (step / 2).min(8))).min(STEP_MAX);
        match stepped(most, &model, judge, lab, factor, by) {
            Stepped::To(next, finishes) => {
                judge.accept(lab, finishes);
                model = next;
                steps[lab] = Some(step + 1);
            }
            Stepped::AtMost => steps[lab] = None,
            Stepped::Limit => break,
        }
    }
    model
}

/// What became of a step.
enum Stepped {
    /// The model, and when its lab is done.
    To(Model, Vec<Ms>),
    /// The lab has the most that is tried.
    AtMost,
    /// The search is at its limit.
    Limit,
}

/// By how much some replications are late in sum, ms.
fn lateness(finishes: &[Ms], by: Ms) -> f64 {
    finishes.iter().map(|at| f64::from(at.saturating_sub(by))).sum()
}

/// One step of a lab: vehicles, units or desks, or where none alone helps, all of them.
fn stepped(
    most: &Most<'_>,
    model: &Model,
    judge: &Judge<'_>,
    lab: usize,
    factor: f64,
    by: Ms,
) -> Stepped {
    let before = lateness(judge.of(lab), by);
    let tried = |model: Model| {
        let finishes = judge.tried(&model, lab)?;
        Some((before - lateness(&finishes, by), model, finishes))
    };
    let taken = |tried: Option<Try>| match tried {
        Some((_, model, finishes)) => Stepped::To(model, finishes),
        None => Stepped::Limit,
    };
    // By how much of each is asked for: a vehicle is the least.
    let ways = [
        (most.carried(model, lab, factor), 1.0),
        (most.faster(model, lab, factor), 1.0),
        (most.sooner(model, lab, factor), 1.0 / DESKS_AHEAD),
    ];
    let mut ways: Vec<_> =
        ways.into_iter().filter_map(|(model, part)| Some((model?, part))).collect();
    match ways.len() {
        0 => return Stepped::AtMost,
        1 => return ways.pop().map_or(Stepped::AtMost, |(model, _)| taken(tried(model))),
        _ => {}
    }
    let mut best: Option<(f64, Try)> = None;
    for (with, part) in ways {
        let Some(tried) = tried(with) else { return Stepped::Limit };
        // Of equals the one before: more helps only where it helps more.
        if best.as_ref().is_none_or(|(gain, _)| tried.0 * part > *gain) {
            best = Some((tried.0 * part, tried));
        }
    }
    match best {
        Some((gain, tried)) if gain > 0.0 => taken(Some(tried)),
        _ => {
            let with = |model: Option<Model>, on: &Model| model.unwrap_or_else(|| on.clone());
            let all = with(most.faster(model, lab, factor), model);
            let all = with(most.sooner(&all, lab, factor), &all);
            taken(tried(with(most.carried(&all, lab, factor), &all)))
        }
    }
}
