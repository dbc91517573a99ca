//! Tubes of labs that are late to labs that have room: how many, where to, and what it brings.
//!
//! Room is what a lab could take and still be done in time if all its streets grew alike. Labs that take a district's
//! tubes already come first, then the nearest. Streets are divided, but under one street, one lab (一一对应): there whole
//! streets go, as few tubes as do it.

use super::grow::with_vehicles;
use super::layers::{Dice, Layers};
use super::least::Judge;
use super::remedy::{Outcome, TRY, Tried, goal};
use super::search::{Search, tubes};
use crate::planner::model::{HOUR, MINUTE, Model, Ms, Street};
use crate::planner::sending::{district, way};
use crate::planner::{City, fluid};

use rayon::prelude::*;

/// What moving tubes can do.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Moving {
    /// It is not the labs that are late, or there is only one; or what they are late for is vehicles.
    Pointless,
    /// The other labs have too little room for it.
    NoRoom {
        /// Tubes that the late labs cannot do in time.
        excess: u64,
        /// Tubes that all others could take.
        room: u64,
        /// There would be room enough, were streets divided: one street, one lab forbids that, and no whole streets fit.
        whole: bool,
    },
    /// It brings this.
    Moves {
        /// From where to where.
        moves: Vec<Move>,
        /// What it brings.
        outcome: Outcome,
        /// Whether it was seen of every single move that without it the target is missed.
        least: bool,
    },
}

/// Tubes from one lab to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Move {
    /// Number of the lab that is late.
    pub from: usize,
    /// Number of the lab that takes them.
    pub to: usize,
    /// Tubes.
    pub tubes: u64,
    /// The streets, by number in the round's model, where whole streets move; empty where they are divided.
    pub streets: Vec<usize>,
    /// Whether the lab takes tubes of their district today.
    pub serves: bool,
}

/// A part of a street's tubes, sent to another lab; under one street, one lab all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Number of the street in the round's model.
    street: usize,
    /// Number of the lab.
    to: usize,
    /// Tubes; 0 where they stay after all.
    tubes: u64,
    /// Whether the lab takes tubes of their district today.
    serves: bool,
}

#[cfg(test)]
impl Part {
    pub(super) fn tubes(&self) -> u64 {
        self.tubes
    }
}

/// Smallest part of a street that is worth a trip.
const PART_MIN: u64 = 200;

/// Tries of a closer and closer aim.
const TRIES: usize = 4;
/// Most labs that are reckoned again to see which moves are needed, two for each try.
pub(super) const CHECKS_MAX: usize = 120;

/// Looks for moves that bring the round within its target; the best that was found, also when it is not enough.
pub(super) fn find(city: &City, layers: &Layers, dice: Dice, search: &Search<'_>) -> Moving {
    let few = dice.at_most(TRY);
    let mut aim = layers.round.model.target;
    let mut best: Option<(Vec<Part>, Tried)> = None;
    let mut without = Moving::Pointless;
    for number in 0..TRIES {
        if best.is_some() && !search.may(tubes(&layers.round.model, few)) {
            search.leave_out((TRIES - number) as u64);
            break;
        }
        let parts = match parts(city, layers, aim, false) {
            Ok(found) => found,
            Err(why) => {
                without = why;
                break;
            }
        };
        let changed = carried_out(city, layers, &parts);
        let tried = Tried::of(layers, &changed, few, search);
        let over = tried.finish().saturating_sub(goal(layers, dice));
        if best.as_ref().is_none_or(|(_, best)| tried.finish() < best.finish()) {
            best = Some((parts, tried));
        }
        if over == 0 {
            break;
        }
        aim = aim.saturating_sub(over / 2 + 10 * MINUTE);
    }
    let Some((parts, tried)) = best else { return without };
    let model = |parts: &[Part]| carried_out(city, layers, parts);
    let all = match dice.replications > TRY {
        true => Tried::of(layers, &model(&parts), dice, search),
        false => tried,
    };
    let by = layers.round.model.target.max(all.finish());
    let judge = Judge::new(layers, dice, all.finishes, CHECKS_MAX, search);
    let needed = needed(layers, parts, judge, by, &model);
    // Every move can stay away and it is no later: moving brings nothing.
    if needed.parts.iter().all(|part| part.tubes == 0) {
        return Moving::Pointless;
    }
    let outcome = match needed.dropped {
        true => Outcome::of(layers, &model(&needed.parts), dice, &needed.finishes),
        false => all.outcome,
    };
    let least = needed.proven && outcome.finish() <= layers.round.model.target;
    Moving::Moves { moves: moves(layers, &needed.parts), outcome, least }
}

/// What is left of some parts.
pub(super) struct Needed {
    /// As many as before, those that stay without tubes: so every street keeps its chance.
    pub parts: Vec<Part>,
    /// Whether some stay.
    pub dropped: bool,
    /// Whether it was seen of every single move that is left that without it the round is not done by then.
    pub proven: bool,
    /// When each lab is done with them.
    pub finishes: Vec<Vec<Ms>>,
}

/// Leaves out the moves from lab to lab, the smallest first, without which the round is still done by a time, until none
/// can be left out. `model` makes the round with some parts, `judge` is of the round with all of them.
pub(super) fn needed(
    layers: &Layers,
    mut parts: Vec<Part>,
    mut judge: Judge<'_>,
    by: Ms,
    model: &dyn Fn(&[Part]) -> Model,
) -> Needed {
    let mut dropped = false;
    loop {
        let mut went = false;
        for together in singly(layers, &parts) {
            let mut without = parts.clone();
            together.iter().for_each(|&part| without[part].tubes = 0);
            let labs = [from(layers, &parts[together[0]]), parts[together[0]].to];
            if judge.accepts(&model(&without), &labs, by) {
                (parts, dropped, went) = (without, true, true);
            }
        }
        if !went || judge.exhausted() {
            let proven = !judge.exhausted();
            return Needed { parts, dropped, proven, finishes: judge.into_finishes() };
        }
    }
}

fn from(layers: &Layers, part: &Part) -> usize {
    layers.round.model.streets[part.street].lab
}

/// What is left out together, the fewest tubes first, by number of the part: a whole street, or all that goes from one lab
/// to another.
fn singly(layers: &Layers, parts: &[Part]) -> Vec<Vec<usize>> {
    let key = |part: &Part| (from(layers, part), part.to, part.serves);
    let mut all: Vec<Vec<usize>> = Vec::new();
    for at in (0..parts.len()).filter(|&at| parts[at].tubes > 0) {
        match all
            .iter_mut()
            .find(|one| !layers.one_to_one && key(&parts[one[0]]) == key(&parts[at]))
        {
            Some(one) => one.push(at),
            None => all.push(vec![at]),
        }
    }
    all.sort_by_key(|one| one.iter().map(|&part| parts[part].tubes).sum::<u64>());
    all
}

/// The parts by lab and lab, most tubes first.
pub(super) fn moves(layers: &Layers, parts: &[Part]) -> Vec<Move> {
    let mut moves: Vec<Move> = Vec::new();
    for part in parts.iter().filter(|part| part.tubes > 0) {
        let key = (from(layers, part), part.to, part.serves);
        let at = moves.iter().position(|m| (m.from, m.to, m.serves) == key);
        let at = at.unwrap_or_else(|| {
            let (from, to, serves) = key;
            moves.push(Move { from, to, tubes: 0, streets: Vec::new(), serves });
            moves.len() - 1
        });
        moves[at].tubes += part.tubes;
        if layers.one_to_one {
            moves[at].streets.push(part.street);
        }
    }
    moves.sort_by_key(|m| std::cmp::Reverse(m.tubes));
    moves
}

/// The street of the round that a street of the changed model is a part of.
pub(super) fn street_of(layers: &Layers, parts: &[Part], street: usize) -> usize {
    let own = layers.round.model.streets.len();
    street.checked_sub(own).and_then(|i| parts.get(i)).map_or(street, |part| part.street)
}

/// The round with the parts at their new labs: a street of the model more for each, but for whole streets.
pub(super) fn carried_out(city: &City, layers: &Layers, parts: &[Part]) -> Model {
    let mut model = layers.round.model.clone();
    for part in parts {
        give(city, layers, &mut model, part);
    }
    model
}

/// The parts for an aim; else why there are none. `partly`: as many tubes as there is room for, where it is not enough.
pub(super) fn parts(
    city: &City,
    layers: &Layers,
    aim: Ms,
    partly: bool,
) -> Result<Vec<Part>, Moving> {
    let mut model = Model { target: aim, ..layers.round.model.clone() };
    // Room is the lab's: where its streets lack vehicles no other lab has its tubes any sooner.
    model.streets.iter_mut().for_each(|street| *street = with_vehicles(street));
    let tubes = model.tubes_by_lab();
    let fits: Vec<u64> = (0..model.labs.len())
        .into_par_iter()
        .map(|lab| match tubes[lab] {
            0 => empty_room(layers, lab, aim),
            tubes => fitting(&model, lab, tubes),
        })
        .collect();
    let beyond = |(a, b): (&u64, &u64)| a.saturating_sub(*b);
    let mut excess: Vec<u64> = tubes.iter().zip(&fits).map(beyond).collect();
    let mut room: Vec<u64> = fits.iter().zip(&tubes).map(beyond).collect();
    let (all, free) = (excess.iter().sum::<u64>(), room.iter().sum::<u64>());
    // A lab that could do nothing in time has its tubes too late, wherever they go.
    let late = |lab: usize| excess[lab] > 0 && fits[lab] == 0;
    if all == 0 || free == 0 && model.labs.len() < 2 || (0..tubes.len()).any(late) {
        return Err(Moving::Pointless);
    }
    if free < all && (!partly || free == 0) {
        return Err(Moving::NoRoom { excess: all, room: free, whole: false });
    }
    if layers.one_to_one {
        let parts = whole_streets(city, layers, &mut excess, &mut room);
        let left: u64 = excess.iter().sum();
        return match parts.is_empty() || left > 0 && !partly {
            true => Err(Moving::NoRoom { excess: all, room: free, whole: true }),
            false => Ok(parts),
        };
    }
    if free < all {
        // Each late lab is helped alike.
        let share = |n: u64| (u128::from(n) * u128::from(free) / u128::from(all)) as u64;
        excess.iter_mut().for_each(|n| *n = share(*n));
    }
    let most = excess.clone();
    let mut parts = Vec::new();
    for (street, s) in model.streets.iter().enumerate() {
        let from = s.lab;
        // From each street the same part: the lab's inflow keeps its shape.
        let mut part = (s.tubes() * most[from]).div_ceil(tubes[from].max(1)).min(excess[from]);
        excess[from] -= part;
        for (to, serves) in nearest(city, layers, street, from) {
            let take = part.min(room[to]);
            if take == 0 || (take < PART_MIN && part > take) {
                continue;
            }
            parts.push(Part { street, to, tubes: take, serves });
            room[to] -= take;
            part -= take;
        }
    }
    Ok(parts)
}

/// Whole streets of late labs to labs with room for all of their tubes: of each lab the smallest street that is enough, else
/// the largest one that fits and what is then left again. Takes what they bring off the excess and the room.
fn whole_streets(city: &City, layers: &Layers, excess: &mut [u64], room: &mut [u64]) -> Vec<Part> {
    let streets = &layers.round.model.streets;
    let mut parts: Vec<Part> = Vec::new();
    for (from, excess) in excess.iter_mut().enumerate() {
        while *excess > 0 {
            let stays = |street: &usize| parts.iter().all(|part| part.street != *street);
            let here =
                (0..streets.len()).filter(|&s| streets[s].lab == from && streets[s].persons > 0);
            let fits = here.filter(stays).filter_map(|street| {
                let tubes = streets[street].tubes();
                let mut labs = nearest(city, layers, street, from).into_iter();
                let (to, serves) = labs.find(|&(to, _)| room[to] >= tubes)?;
                Some(Part { street, to, tubes, serves })
            });
            let best = fits.min_by_key(|part| match part.tubes >= *excess {
                true => (false, part.tubes),
                false => (true, u64::MAX - part.tubes),
            });
            let Some(part) = best else { break };
            *excess = excess.saturating_sub(part.tubes);
            room[part.to] -= part.tubes;
            parts.push(part);
        }
    }
    parts
}

/// Tubes that a lab could do by the target if all its streets had more or fewer people alike.
fn fitting(model: &Model, number: usize, tubes: u64) -> u64 {
    // The lab alone, as number 0 of a city of its own: in the flows it is the same, and the rest need not be copied.
    let own = Model {
        streets: model.streets.iter().filter(|s| s.lab == number).copied().collect(),
        labs: vec![model.labs[number].clone()],
        recall: model.recall.clone(),
        ..*model
    };
    let mut tried = own.clone();
    // At most the whole city's tubes.
    let (mut below, mut above) = (0.0, model.tubes() as f64 / tubes.max(1) as f64);
    for _ in 0..24 {
        let middle = 0.5 * (below + above);
        tried.streets.clear();
        // Vehicles grow with the tubes and are rounded up: what is short is to be the lab, not the last part of a vehicle.
        let vehicles = |s: &Street| (f64::from(s.vehicles) * middle).ceil().max(1.0) as u32;
        let alike = |s: &Street| Street { lab: 0, vehicles: vehicles(s), ..part(s, middle) };
        tried.streets.extend(own.streets.iter().map(alike));
        match fluid::end_of_lab(&tried, 0, &tried.labs[0]) <= model.target {
            true => below = middle,
            false => above = middle,
        }
    }
    // A street of the model has whole tubes: a little less than what just fits.
    (tubes as f64 * below * 0.998) as u64
}

/// Tubes that a lab without any could do by a time: by its rate, with a tenth to spare.
fn empty_room(layers: &Layers, lab: usize, by: Ms) -> u64 {
    layers.round.problem.labs.get(lab).map_or(0, |lab| {
        let hours = f64::from(by) / f64::from(HOUR) - lab.head_start_h;
        (lab.rate * hours.max(0.0) * 0.9) as u64
    })
}

/// So much of a street: people and desks alike.
fn part(street: &Street, share: f64) -> Street {
    let of = |n: u32| (f64::from(n) * share).min(f64::from(u32::MAX / 4)) as u32;
    Street {
        persons: of(street.persons),
        desks: of(street.desks).max(street.desks.min(1)),
        vehicles: of(street.vehicles).max(1),
        ..*street
    }
}

/// Moves tubes of a street to another lab: a street of the model more, with its part of people and desks; under one street,
/// one lab the street itself.
fn give(city: &City, layers: &Layers, model: &mut Model, of: &Part) {
    if layers.one_to_one {
        if of.tubes > 0 {
            let street = &mut model.streets[of.street];
            (street.lab, street.travel) = (of.to, way(city, &layers.round, of.street, of.to));
        }
        return;
    }
    let whole = layers.round.model.streets[of.street];
    let share = (of.tubes as f64 / whole.tubes().max(1) as f64).min(1.0);
    let mut gone = part(&whole, share);
    gone.lab = of.to;
    gone.travel = way(city, &layers.round, of.street, of.to);
    if of.tubes > 0 {
        let left = &mut model.streets[of.street];
        gone.persons = gone.persons.min(left.persons);
        gone.desks = gone.desks.max(1);
        left.persons -= gone.persons;
        left.desks = left.desks.saturating_sub(gone.desks).max(1);
        left.vehicles = left.vehicles.saturating_sub(gone.vehicles).max(1);
    }
    model.streets.push(gone);
}

/// The other labs for a street, best first, with whether they take its district's tubes today.
fn nearest(city: &City, layers: &Layers, street: usize, from: usize) -> Vec<(usize, bool)> {
    let serves = |lab: usize| {
        district(city, &layers.round, street)
            .is_some_and(|d| city.labs[lab].serves.contains(&d.code))
    };
    let far = |lab: usize| {
        city.max_travel_s.is_some_and(|max| {
            u64::from(way(city, &layers.round, street, lab)) > max.saturating_mul(1000)
        })
    };
    let mut labs: Vec<(usize, bool)> = (0..city.labs.len())
        .filter(|&lab| lab != from && !far(lab) && (!city.labs[lab].outside || serves(lab)))
        .map(|lab| (lab, serves(lab)))
        .collect();
    labs.sort_by_key(|&(lab, serves)| (!serves, way(city, &layers.round, street, lab), lab));
    labs
}
