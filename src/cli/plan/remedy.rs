//! What would bring a round that is late within its target: more units, or tubes moved to other labs.
//!
//! Both are looked for in the flows, which answer in milliseconds, and then held against the simulation. Where that says
//! it is still late, more is asked for by as much. What is printed is what the simulation says of the changed round, also
//! when it is not enough.

use super::grow::{DESKS_LEAST, Spare, grown};
use super::layers::{Dice, Layers, simulated};
use super::moving::{self, Moving};
use crate::planner::model::{HORIZON_MS, HOUR, MINUTE, Model, Ms};
use crate::planner::study::{self, Paired, Quantiles};
use crate::planner::{City, StageKind, fluid};

/// More units at a stage of a lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Units {
    /// Number of the lab.
    pub lab: usize,
    /// The stage.
    pub stage: StageKind,
    /// Units that work now.
    pub now: u32,
    /// So many more.
    pub more: u32,
}

/// More desks with samplers in a street.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Desks {
    /// Number of the street in the model.
    pub street: usize,
    /// Desks that work now.
    pub now: u32,
    /// So many more.
    pub more: u32,
}

/// What a changed round would do.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Outcome {
    /// When it is done by the flows, ms.
    pub fluid: Ms,
    /// Simulated, where the round was.
    pub simulated: Option<Quantiles>,
    /// Median of the last swab, simulated.
    pub sampled: Option<Ms>,
    /// Share of the replications within the target.
    pub in_time: Option<f64>,
}

impl Outcome {
    /// Median of the simulation, else the flows' time.
    pub fn finish(&self) -> Ms {
        self.simulated.map_or(self.fluid, |quantiles| quantiles.p50)
    }

    pub(super) fn of(layers: &Layers, model: &Model, dice: Dice) -> Outcome {
        let study = simulated(&layers.round, model, dice);
        Outcome {
            fluid: fluid::city(model).finish,
            simulated: study.as_ref().map(|study| study.finish),
            sampled: study.as_ref().map(|study| study.sampled.p50),
            in_time: study.map(|study| study.in_time),
        }
    }
}

/// More units and desks.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct More {
    /// Desks, where people are sampled too late for any lab.
    pub desks: Vec<Desks>,
    /// Units, lab by lab.
    pub units: Vec<Units>,
    /// What they bring.
    pub outcome: Outcome,
    /// The lab that is last now, with and without its units, in pairs with the same chance.
    pub paired: Option<(usize, Paired)>,
}

/// What can be done about a late round.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Remedy {
    /// More of what is short; none when no number helps.
    pub more: Option<More>,
    /// Tubes to other labs.
    pub moving: Moving,
}

/// Tries with more and more to spare.
const TRIES: usize = 7;
/// Replications of a try: enough for a median.
pub(super) const TRY: usize = 30;
/// Most replications of what is found in the end.
const CONFIRM_MAX: usize = 200;
/// Looks for the remedies of a round that is late.
pub(super) fn find(city: &City, layers: &Layers, dice: Dice) -> Remedy {
    let dice = dice.at_most(CONFIRM_MAX);
    Remedy { more: more(layers, dice), moving: moving::find(city, layers, dice) }
}

/// What a try must reach: the target, or a little less where a few replications stand for many.
pub(super) fn goal(layers: &Layers, dice: Dice) -> Ms {
    let target = layers.round.model.target;
    if dice.replications > TRY { target.saturating_sub(10 * MINUTE) } else { target }
}

fn more(layers: &Layers, dice: Dice) -> Option<More> {
    let model = &layers.round.model;
    let mut spare = Spare { labs: 1.0, desks: DESKS_LEAST };
    let mut reached = spare;
    let mut best: Option<(Model, More)> = None;
    for _ in 0..TRIES {
        let Some(changed) = grown(model, spare) else {
            // Out of reach: half way back to what was reached, if anything was.
            if best.is_none() {
                break;
            }
            spare.labs = (spare.labs + reached.labs) / 2.0;
            spare.desks = (spare.desks + reached.desks) / 2.0;
            continue;
        };
        reached = spare;
        let outcome = Outcome::of(layers, &changed, dice.at_most(TRY));
        let over = outcome.finish().saturating_sub(goal(layers, dice));
        if best.as_ref().is_none_or(|(_, best)| outcome.finish() < best.outcome.finish()) {
            let (desks, units) = differences(model, &changed);
            best = Some((
                changed.clone(),
                More { desks, units, outcome: outcome.clone(), paired: None },
            ));
        }
        if over == 0 {
            break;
        }
        match outcome.sampled.is_some_and(|at| at > fluid::city(&changed).sampled + HOUR) {
            // It is slow desks that chance makes late.
            true => spare.desks += 0.12,
            false => {
                let share = f64::from(over) / f64::from(model.target.max(1));
                spare.labs *= 1.0 + share.clamp(0.02, 0.12);
            }
        }
    }
    let (changed, mut more) = best?;
    if dice.replications > TRY {
        more.outcome = Outcome::of(layers, &changed, dice);
    }
    let last = layers.flow.last_lab().filter(|last| more.units.iter().any(|u| u.lab == *last));
    if let (Some(lab), true) = (last, dice.replications > 0) {
        let pairs =
            study::what_if(model, lab, &changed.labs[lab], dice.seed, dice.replications, &|| true);
        more.paired = Some((lab, pairs));
    }
    Some(more)
}

/// What was added.
fn differences(old: &Model, new: &Model) -> (Vec<Desks>, Vec<Units>) {
    let streets = old.streets.iter().zip(&new.streets).enumerate();
    let desks = streets.filter(|(_, (a, b))| b.desks > a.desks).map(|(street, (a, b))| Desks {
        street,
        now: a.desks,
        more: b.desks - a.desks,
    });
    let units = old.labs.iter().zip(&new.labs).enumerate().flat_map(|(lab, (a, b))| {
        StageKind::ALL.into_iter().filter_map(move |stage| {
            let (now, then) = (a.stages[stage.index()].units, b.stages[stage.index()].units);
            (then > now).then_some(Units { lab, stage, now, more: then - now })
        })
    });
    (desks.collect(), units.collect())
}

/// Whether a time is one that was not reached at all.
pub(super) fn never(at: Ms) -> bool {
    at >= HORIZON_MS
}
