//! What would bring a round that is late within its target: more units, or tubes moved to other labs.
//!
//! Both are looked for in the flows, which answer in milliseconds, and then held against the simulation. Where that says
//! it is still late, more is asked for by as much. What is printed is what the simulation says of the changed round, also
//! when it is not enough.

use super::layers::{Dice, Layers, simulated};
use super::moving::{self, Moving};
use crate::planner::model::{DAY, HORIZON_MS, HOUR, Lab, MINUTE, Model, Ms, Stage, Street};
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
/// No stage grows beyond so many times what it has: what takes more than that is another lab.
const GROWTH_MAX: u32 = 8;

/// Looks for the remedies of a round that is late.
pub(super) fn find(city: &City, layers: &Layers, dice: Dice) -> Remedy {
    let dice = dice.at_most(CONFIRM_MAX);
    Remedy { more: more(layers, dice), moving: moving::find(city, layers, dice) }
}

/// What is asked of labs and desks beyond what the flows need, because the slowest of many decides.
#[derive(Clone, Copy)]
struct Spare {
    /// Labs are taken to need so many times as long for a run.
    labs: f64,
    /// Desks could do so many times their people in the time.
    desks: f64,
}

/// Desks' spare that only makes up for rounding: no desks are given for it alone.
const DESKS_LEAST: f64 = 1.02;

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
        let pairs = study::what_if(model, lab, &changed.labs[lab], dice.seed, dice.replications);
        more.paired = Some((lab, pairs));
    }
    Some(more)
}

/// The model with what it takes to be done in time in the flows with something to spare; none when no number of desks and
/// units does it.
fn grown(model: &Model, spare: Spare) -> Option<Model> {
    let mut slow = model.clone();
    for stage in slow.labs.iter_mut().flat_map(|lab| &mut lab.stages) {
        stage.run = (f64::from(stage.run) * spare.labs).min(f64::from(HORIZON_MS)) as Ms;
    }
    for number in 0..slow.labs.len() {
        let flow = fluid::one_lab(&slow, number, &slow.labs[number]);
        let late = flow.finish > slow.target && flow.units_needed.iter().all(Option::is_none);
        if flow.tubes > 0 && (late || spare.desks > DESKS_LEAST) {
            more_desks(&mut slow, number, spare.desks)?;
        }
        slow.labs[number] = grown_lab(&slow, number)?;
    }
    // The numbers of the slow labs, with the pace of the real ones.
    let mut changed = Model { streets: slow.streets, ..model.clone() };
    for (lab, slow) in changed.labs.iter_mut().zip(&slow.labs) {
        for (stage, slow) in lab.stages.iter_mut().zip(&slow.stages) {
            *stage = with_units(stage, slow.units)?;
        }
    }
    Some(changed)
}

/// Gives the streets of a lab the desks to be sampled in so many days that its tubes can come in time at all.
fn more_desks(model: &mut Model, number: usize, spare: f64) -> Option<()> {
    let before = model.streets.clone();
    let days = model.target.div_ceil(DAY).max(1);
    for day in (1..=days).rev() {
        for (street, old) in model.streets.iter_mut().zip(&before) {
            if street.lab == number && street.persons > 0 {
                *street = with_desks(old, day, spare);
            }
        }
        let flow = fluid::one_lab(model, number, &model.labs[number]);
        if flow.units_needed.iter().any(Option::is_some) {
            return Some(());
        }
    }
    None
}

/// A street with enough desks to sample everybody within so many working days.
fn with_desks(street: &Street, days: u32, spare: f64) -> Street {
    let mut more = *street;
    let work = f64::from(street.hours.min(DAY)) * f64::from(days) / spare;
    let tubes = street.tubes() as f64 / street.mean_speed();
    let enough = |desks: u32| street.desk_time(tubes / f64::from(desks.max(1)), 1.0) <= work;
    if enough(street.desks) {
        return more;
    }
    let (mut below, mut above) = (street.desks, street.persons.max(street.desks));
    while above - below > 1 {
        let middle = below + (above - below) / 2;
        if enough(middle) { above = middle } else { below = middle }
    }
    more.desks = above;
    more
}

/// The lab with what it takes to be done by the model's target, and not more.
fn grown_lab(model: &Model, number: usize) -> Option<Lab> {
    let now = &model.labs[number];
    let mut lab = now.clone();
    let ends = |lab: &Lab| fluid::one_lab(model, number, lab);
    let with = |kind: StageKind, units: u32| {
        let stage = &now.stages[kind.index()];
        let most = stage.units.saturating_add(1).saturating_mul(GROWTH_MAX);
        if units > most { None } else { with_units(stage, units) }
    };
    // Each round of this grows some stage; 64 of them grow one by five percent each time to twentyfold.
    for _ in 0..64 {
        let flow = ends(&lab);
        if flow.finish <= model.target {
            return Some(trimmed(now, lab, |lab| ends(lab).finish <= model.target));
        }
        let mut grew = false;
        for kind in StageKind::ALL {
            let needed = flow.units_needed[kind.index()]?;
            if needed > lab.stages[kind.index()].units {
                lab.stages[kind.index()] = with(kind, needed)?;
                grew = true;
            }
        }
        if !grew {
            let units = lab.stages[flow.binding.index()].units;
            lab.stages[flow.binding.index()] = with(flow.binding, units + (units / 20).max(1))?;
        }
    }
    None
}

/// Takes away again what is not needed, stage by stage.
fn trimmed(now: &Lab, mut lab: Lab, in_time: impl Fn(&Lab) -> bool) -> Lab {
    for kind in StageKind::ALL {
        let k = kind.index();
        let (mut below, mut above) = (now.stages[k].units, lab.stages[k].units);
        let with = |lab: &Lab, units: u32| {
            let mut tried = lab.clone();
            tried.stages[k] = with_units(&now.stages[k], units)?;
            in_time(&tried).then_some(tried)
        };
        if below < above
            && let Some(tried) = with(&lab, below)
        {
            lab = tried;
            continue;
        }
        while above > below + 1 {
            let middle = below + (above - below) / 2;
            match with(&lab, middle) {
                Some(tried) => (lab, above) = (tried, middle),
                None => below = middle,
            }
        }
    }
    lab
}

/// Most units that are thought of; above that something else is wrong.
const UNITS_MAX: u32 = 20_000;

/// A stage with so many units, the new ones like the others; none above `UNITS_MAX`.
pub(super) fn with_units(stage: &Stage, units: u32) -> Option<Stage> {
    if units > UNITS_MAX {
        return None;
    }
    let mut more = stage.clone();
    more.units = more.units.min(units);
    more.rests.truncate(units as usize);
    while more.units < units {
        fluid::add_unit(&mut more);
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
