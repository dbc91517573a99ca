//! What would bring a round that is late within its target: more units, desks and vehicles, tubes moved to other labs, or, where neither is
//! enough alone, both.
//!
//! All are looked for in the flows, which answer in milliseconds, and then held against the simulation. Where that says
//! it is still late, more is added step by step where it is late (`enough`); and when it is in time, whatever is not needed is
//! taken away again, until not a single unit, desk, vehicle or move can be left out. What is printed is what the simulation says of
//! the changed round, also when it is not enough.

use std::collections::BTreeMap;

use super::anew;
use super::enough::{Beyond, Found, enough};
use super::layers::{Dice, Layers, simulated};
use super::least::{self, Judge};
use super::moving::{self, Move, Moving};
use super::progress::Progress;
use super::search::{Search, Searched, confirming, tubes};
use crate::planner::model::{MINUTE, Model, Ms};
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

/// More vehicles in a street.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Vehicles {
    /// Number of the street in the model.
    pub street: usize,
    /// Vehicles that it has now.
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
    /// Share of the replications within the target; none of one replication.
    pub in_time: Option<f64>,
}

impl Outcome {
    /// Median of the simulation, else the flows' time.
    pub fn finish(&self) -> Ms {
        self.simulated.map_or(self.fluid, |quantiles| quantiles.p50)
    }

    /// Of a round of which it is known when each lab is done, replication by replication.
    pub fn of(layers: &Layers, model: &Model, dice: Dice, finishes: &[Vec<Ms>]) -> Outcome {
        let mut all = least::city_finishes(finishes);
        let target = layers.round.model.target;
        let share = |all: &[Ms]| {
            all.iter().filter(|at| **at <= target).count() as f64 / all.len().max(1) as f64
        };
        let simulated = dice.replications > 0;
        Outcome {
            fluid: fluid::ends_of(model).1,
            in_time: (dice.replications > 1).then(|| share(&all)),
            simulated: simulated.then(|| Quantiles::of(&mut all)),
        }
    }
}

/// A changed round that was simulated.
#[derive(Clone, Debug)]
pub(super) struct Tried {
    /// What it would do.
    pub outcome: Outcome,
    /// By lab, by replication, when it is done; without replications, the flows' one time.
    pub finishes: Vec<Vec<Ms>>,
}

impl Tried {
    /// Simulates it, whatever it takes.
    pub fn of(layers: &Layers, model: &Model, dice: Dice, search: &Search<'_>) -> Tried {
        search.spend(tubes(model, dice));
        let study = simulated(&layers.round, model, dice, &Progress::silent());
        let finishes = match study {
            Some(study) => study.lab_finishes,
            None => {
                let end = |lab| vec![fluid::end_of_lab(model, lab, &model.labs[lab])];
                (0..model.labs.len()).map(end).collect()
            }
        };
        Tried { outcome: Outcome::of(layers, model, dice, &finishes), finishes }
    }

    /// When the round is done.
    pub fn finish(&self) -> Ms {
        self.outcome.finish()
    }
}

/// A stage that would need more units than are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Held {
    /// Number of the lab.
    pub lab: usize,
    /// The stage.
    pub stage: StageKind,
    /// Units that it is left with.
    pub units: u32,
}

/// More units, desks and vehicles.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct More {
    /// Desks, where people are sampled too late for any lab.
    pub desks: Vec<Desks>,
    /// Vehicles, where tubes wait for them.
    pub vehicles: Vec<Vehicles>,
    /// Units, lab by lab.
    pub units: Vec<Units>,
    /// Stages that were left at the most units that are tried, where all this is not enough.
    pub held: Vec<Held>,
    /// What they bring.
    pub outcome: Outcome,
    /// Whether it was seen of every single unit, desk and vehicle that without it the target is missed.
    pub least: bool,
    /// The lab that is last now, with and without its units, in pairs with the same chance.
    pub paired: Option<(usize, Paired)>,
}

/// Tubes to other labs, and more units for what these cannot take.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Both {
    /// From where to where.
    pub moves: Vec<Move>,
    /// Whether it was seen of every single move that with these units, but without it, the target is missed.
    pub least: bool,
    /// Units and desks besides, and what both bring together. No pairs: streets are divided anew.
    pub more: More,
}

/// What can be done about a late round.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Remedy {
    /// More of what is short; none when no number helps.
    pub more: Option<More>,
    /// Tubes to other labs.
    pub moving: Moving,
    /// Both together, where neither is enough alone and both bring more than each.
    pub both: Option<Both>,
    /// Where the most units and desks that are tried are not enough: what holds the round up then.
    pub beyond: Option<Beyond>,
    /// How far the search got.
    pub searched: Searched,
}

impl More {
    /// Whether nothing is added.
    pub fn is_empty(&self) -> bool {
        self.desks.is_empty() && self.vehicles.is_empty() && self.units.is_empty()
    }
}

impl Remedy {
    /// Everything that was found, by what it brings.
    pub fn outcomes(&self) -> impl Iterator<Item = &Outcome> {
        let moving = match &self.moving {
            Moving::Moves { outcome, .. } => Some(outcome),
            Moving::Pointless | Moving::NoRoom { .. } => None,
        };
        let more = self.more.as_ref().map(|more| &more.outcome);
        let both = self.both.as_ref().map(|both| &both.more.outcome);
        [more, moving, both].into_iter().flatten()
    }

    /// The earliest finish of everything that was found.
    pub fn nearest(&self) -> Option<Ms> {
        self.outcomes().map(Outcome::finish).min()
    }
}

/// Replications of a try: enough for a median.
pub(super) const TRY: usize = 30;
/// Most replications of what is found in the end.
const CONFIRM_MAX: usize = 200;

/// Looks for the remedies of a round that is late.
pub(super) fn find(city: &City, layers: &Layers, dice: Dice, search: &Search<'_>) -> Remedy {
    let asked = dice.at_most(CONFIRM_MAX);
    let dice = confirming(&layers.round.model, dice, TRY, CONFIRM_MAX);
    search.part(50);
    let (more, beyond) = more(city, layers, dice, search);
    search.part(75);
    let moving = moving::find(city, layers, dice, search);
    search.part(100);
    let mut remedy = Remedy { more, moving, both: None, beyond, searched: Searched::default() };
    let nearest = remedy.nearest();
    if nearest.is_none_or(|nearest| nearest > layers.round.model.target) {
        let together = both(city, layers, dice, search);
        let nearer = |both: &Both| nearest.is_none_or(|alone| both.more.outcome.finish() < alone);
        remedy.both = together.filter(nearer);
    }
    let fewer = dice.replications < asked.replications;
    remedy.searched = search.searched(dice.replications, fewer);
    remedy
}

/// What a try must reach: the target, or a little less where a few replications stand for many.
pub(super) fn goal(layers: &Layers, dice: Dice) -> Ms {
    let target = layers.round.model.target;
    if dice.replications > TRY { target.saturating_sub(10 * MINUTE) } else { target }
}

fn more(
    city: &City,
    layers: &Layers,
    dice: Dice,
    search: &Search<'_>,
) -> (Option<More>, Option<Beyond>) {
    let model = &layers.round.model;
    let Found { least, beyond } = enough(layers, model, dice, search);
    let Some((_, more)) = least else { return (None, beyond) };
    let is_enough = more.outcome.finish() <= model.target;
    let besides = is_enough.then(|| anew::anew(city, layers, &more, dice, search)).flatten();
    let mut more = besides.unwrap_or(more);
    let last = layers.flow.last_lab().filter(|last| more.units.iter().any(|u| u.lab == *last));
    if let (Some(lab), true) = (last, dice.replications > 0) {
        let mut then = model.labs[lab].clone();
        for units in more.units.iter().filter(|units| units.lab == lab) {
            then.stages[units.stage.index()].set_units(units.now + units.more);
        }
        let pairs = study::what_if(model, lab, &then, dice.seed, dice.replications, &|| true);
        more.paired = Some((lab, pairs));
    }
    (Some(more), beyond)
}

/// As many tubes to other labs as these can take, and units for the rest; none when no lab has room.
fn both(city: &City, layers: &Layers, dice: Dice, search: &Search<'_>) -> Option<Both> {
    let target = layers.round.model.target;
    let parts = moving::parts(city, layers, target, true).ok()?;
    let moved = moving::carried_out(city, layers, &parts);
    let (least, mut more) = enough(layers, &moved, dice, search).least?;
    let changed = least.model;
    let model = &layers.round.model;
    let desks = more.desks.iter().map(|desks| (desks.street, desks.more));
    let desks = by_street(layers, &parts, desks).into_iter();
    let desks =
        desks.map(|(street, more)| Desks { street, now: model.streets[street].desks, more });
    more.desks = desks.collect();
    let vehicles = more.vehicles.iter().map(|vehicles| (vehicles.street, vehicles.more));
    let vehicles = by_street(layers, &parts, vehicles).into_iter();
    let now = |street: usize| model.streets[street].vehicles;
    more.vehicles =
        vehicles.map(|(street, more)| Vehicles { street, now: now(street), more }).collect();
    let by = target.max(more.outcome.finish());
    let grown = |parts: &[moving::Part]| {
        let mut model = moving::carried_out(city, layers, parts);
        model.labs.clone_from(&changed.labs);
        for ((street, before), with) in
            model.streets.iter_mut().zip(&moved.streets).zip(&changed.streets)
        {
            street.desks = street.desks.saturating_add(with.desks.saturating_sub(before.desks));
            let vehicles = with.vehicles.saturating_sub(before.vehicles);
            street.vehicles = street.vehicles.saturating_add(vehicles);
        }
        model
    };
    let judge = Judge::new(layers, dice, least.finishes, moving::CHECKS_MAX, search);
    let needed = moving::needed(layers, parts, judge, by, &grown);
    if needed.dropped {
        more.outcome = Outcome::of(layers, &grown(&needed.parts), dice, &needed.finishes);
    }
    let least = needed.proven && more.outcome.finish() <= target;
    Some(Both { moves: moving::moves(layers, &needed.parts), least, more })
}

/// Desks or vehicles by street of the round: a street that was divided is one street to whoever provides them.
fn by_street(
    layers: &Layers,
    parts: &[moving::Part],
    more: impl Iterator<Item = (usize, u32)>,
) -> BTreeMap<usize, u32> {
    let mut all: BTreeMap<usize, u32> = BTreeMap::new();
    for (street, more) in more {
        let all = all.entry(moving::street_of(layers, parts, street)).or_default();
        *all = all.saturating_add(more);
    }
    all
}
