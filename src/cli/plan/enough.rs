//! Units, desks and vehicles by which a round is in time: what the flows need, from there up until the simulation is in time, and down
//! again to the least of it.
//!
//! Whether any number does it is asked first, of the most that is tried: where that is in time something is found, and
//! where it is not, what comes near it, and what holds it up.

use super::grow::{Grown, dealt_evenly, grown};
use super::layers::{Dice, Layers};
use super::least::{
    CHECKS_MAX, Judge, Least, TRIES_MAX, city_finishes, few_things, lowered, one_by_one,
};
use super::remedy::{Desks, Held, More, Outcome, TRY, Tried, Units, Vehicles, goal};
use super::search::Search;
use super::steps::Most;
use super::walk::walked;
use crate::planner::StageKind;
use crate::planner::fluid::{self, LabFlow};
use crate::planner::model::{MINUTE, Model, Ms};
use crate::planner::study::Quantiles;

/// What is not enough whatever is added need not come nearer than this to the earliest that is possible.
const NEAR: Ms = 5 * MINUTE;
/// A try of the most that is tried costs so many times one of the round: each of its many desks fills boxes of its own.
const MOST_COST: u64 = 4;
/// Fewest replications with which it is tried where the limit leaves no room for those of a try: a median of a city so large.
const MOST_TRY_MIN: usize = 9;

/// The most that is tried is not in time.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Beyond {
    /// When the round is done with it.
    pub finish: Ms,
    /// The lab that is last then.
    pub lab: usize,
    /// What the flows say of that lab then.
    pub flow: LabFlow,
    /// The last swab of its streets then, by the flows.
    pub sampled: Ms,
}

/// What was found for a round.
pub(super) struct Found {
    /// The model with the least that does it, or comes near; none where nothing does.
    pub least: Option<(Least, More)>,
    /// That no number that is tried is enough.
    pub beyond: Option<Beyond>,
}

/// How the most that is tried stands to the target.
enum Reach {
    /// It is in time: an aim for a few replications, and the model with it.
    In(Ms, Model),
    /// It is late.
    Beyond(Box<Beyond>, Ms),
    /// The search was at its limit.
    Unknown,
}

/// A model with what brings it within its target, or as near to it as can be found, and the least of it that does.
pub(super) fn enough(layers: &Layers, model: &Model, dice: Dice, search: &Search<'_>) -> Found {
    let (few, target, goal) = (dice.at_most(TRY), layers.round.model.target, goal(layers, dice));
    let none = |beyond| Found { least: None, beyond };
    let Grown { model: start, held, all } = grown(model);
    let first = |lab| fluid::one_lab(model, lab, &model.labs[lab]).soonest;
    if !all && (0..model.labs.len()).any(|lab| first(lab) > target) {
        return none(None);
    }
    let most = Most::of(model);
    let tried = Tried::of(layers, &start, few, search);
    let (mut aim, mut beyond, mut plenty) = (goal, None, None);
    if tried.finish() > goal {
        match reach(layers, &most, &start, dice, search) {
            Reach::In(nearer, with) => (aim, plenty) = (nearer, Some(with)),
            Reach::Beyond(why, _) if !all => return none(Some(*why)),
            Reach::Beyond(why, nearer) => (aim, beyond) = (nearer, Some(*why)),
            Reach::Unknown if !all => return none(None),
            Reach::Unknown => {}
        }
    }
    let mut judge = Judge::new(layers, few, tried.finishes, TRIES_MAX, search);
    let up = walked(&most, start, &mut judge, aim);
    let by = aim.max(judge.finish());
    let down = lowered(model, up, &mut judge, by);
    let finishes = match dice.replications > TRY {
        true => Tried::of(layers, &down, dice, search).finishes,
        false => judge.into_finishes(),
    };
    let least = match beyond {
        Some(_) => Least { model: down, proven: false, finishes },
        None => confirmed(layers, &most, [model, &down], (dice, finishes), search),
    };
    let least = or_plenty(layers, least, plenty, dice, search);
    let least = even(layers, model, least, dice, search);
    let more = told(layers, dice, model, &least, &held);
    let is_enough = more.outcome.finish() <= target;
    Found { least: Some((least, more)), beyond: beyond.filter(|_| !is_enough) }
}

/// What was found with the desks and vehicles of each street dealt to its parts as whoever sets them up does.
fn even(layers: &Layers, now: &Model, least: Least, dice: Dice, search: &Search<'_>) -> Least {
    let model = dealt_evenly(now, &least.model);
    if model.streets == least.model.streets {
        return least;
    }
    let finishes = Tried::of(layers, &model, dice, search).finishes;
    Least { model, proven: false, finishes }
}

/// What was found, or the most that is tried where that alone is in time: of a very large city the search is at its limit
/// before the way up ends.
fn or_plenty(
    layers: &Layers,
    least: Least,
    plenty: Option<Model>,
    dice: Dice,
    search: &Search<'_>,
) -> Least {
    let late = |least: &Least| {
        let median = Quantiles::of(&mut city_finishes(&least.finishes)).p50;
        median > layers.round.model.target
    };
    let Some(model) = plenty.filter(|_| late(&least)) else { return least };
    let finishes = Tried::of(layers, &model, dice, search).finishes;
    let all = Least { model, proven: false, finishes };
    if late(&all) { least } else { all }
}

/// What the found model has more, what it brings, and which stages were left at the most units.
fn told(
    layers: &Layers,
    dice: Dice,
    model: &Model,
    least: &Least,
    held: &[(usize, StageKind)],
) -> More {
    let changed = &least.model;
    let outcome = Outcome::of(layers, changed, dice, &least.finishes);
    let (desks, vehicles, units) = differences(model, changed);
    let is_enough = outcome.finish() <= layers.round.model.target;
    let left = |&(lab, stage): &(usize, StageKind)| {
        let units = changed.labs[lab].stages[stage.index()].units;
        Held { lab, stage, units }
    };
    let held = if is_enough { Vec::new() } else { held.iter().map(left).collect() };
    let least = least.proven && is_enough;
    More { desks, vehicles, units, held, outcome, least, paired: None }
}

/// Whether the most that is tried is in time: with a few replications, and where these say no, with all.
fn reach(
    layers: &Layers,
    most: &Most<'_>,
    start: &Model,
    dice: Dice,
    search: &Search<'_>,
) -> Reach {
    let few = dice.at_most(TRY);
    let (target, goal) = (layers.round.model.target, goal(layers, dice));
    let plenty = most.all(start);
    let tried = |dice: Dice, least: usize| {
        let each = plenty.tubes().saturating_mul(MOST_COST).max(1);
        let room = dice.at_most(usize::try_from(search.room() / each).unwrap_or(usize::MAX));
        if room.replications < least.min(dice.replications) {
            search.leave_out(1);
            return None;
        }
        Some(Tried::of(layers, &plenty, room, search))
    };
    let Some(with_few) = tried(few, MOST_TRY_MIN) else { return Reach::Unknown };
    let near = goal.max(with_few.finish().saturating_add(NEAR));
    if with_few.finish() <= target {
        return Reach::In(near.min(target), plenty);
    }
    // Few replications may be wrong by an hour where one draw in two decides.
    let all = dice.replications;
    let with_all = if all > TRY { tried(dice, all) } else { None };
    let judged = with_all.unwrap_or(with_few);
    if judged.finish() <= target {
        return Reach::In(near, plenty);
    }
    Reach::Beyond(Box::new(beyond(&plenty, &judged)), near)
}

/// What holds up the round with the most that is tried.
fn beyond(plenty: &Model, judged: &Tried) -> Beyond {
    let medians = judged.finishes.iter().map(|lab| Quantiles::of(&mut lab.clone()).p50);
    let last = medians.enumerate().max_by_key(|(_, at)| *at).map_or(0, |(lab, _)| lab);
    let city = fluid::city(plenty);
    let of_lab = |(street, _): &(usize, &Ms)| plenty.streets[*street].lab == last;
    let sampled = city.streets.iter().enumerate().filter(of_lab).map(|(_, at)| *at).max();
    Beyond {
        finish: judged.finish(),
        lab: last,
        flow: city.labs[last].clone(),
        sampled: sampled.unwrap_or(0),
    }
}

/// With all replications: more where few of them said too little, then thing by thing what is not needed, where that can be
/// seen of each.
fn confirmed(
    layers: &Layers,
    most: &Most<'_>,
    [now, down]: [&Model; 2],
    (dice, finishes): (Dice, Vec<Vec<Ms>>),
    search: &Search<'_>,
) -> Least {
    let target = layers.round.model.target;
    let mut judge = Judge::new(layers, dice, finishes, CHECKS_MAX, search);
    let model = walked(most, down.clone(), &mut judge, target);
    // What misses the target anyway has nothing to prove.
    let (model, proven) = match judge.finish() <= target && few_things(now, &model) {
        true => one_by_one(now, model, &mut judge, target),
        false => (model, false),
    };
    Least { model, proven, finishes: judge.into_finishes() }
}

/// What was added.
fn differences(old: &Model, new: &Model) -> (Vec<Desks>, Vec<Vehicles>, Vec<Units>) {
    let streets = || old.streets.iter().zip(&new.streets).enumerate();
    let desks = streets().filter(|(_, (a, b))| b.desks > a.desks).map(|(street, (a, b))| Desks {
        street,
        now: a.desks,
        more: b.desks - a.desks,
    });
    let vehicles = streets().filter(|(_, (a, b))| b.vehicles > a.vehicles);
    let vehicles = vehicles.map(|(street, (a, b))| Vehicles {
        street,
        now: a.vehicles,
        more: b.vehicles - a.vehicles,
    });
    let units = old.labs.iter().zip(&new.labs).enumerate().flat_map(|(lab, (a, b))| {
        StageKind::ALL.into_iter().filter_map(move |stage| {
            let (now, then) = (a.stages[stage.index()].units, b.stages[stage.index()].units);
            (then > now).then_some(Units { lab, stage, now, more: then - now })
        })
    });
    (desks.collect(), vehicles.collect(), units.collect())
}
