//! How many desks, vehicles and units it takes to be done in time, by the flows: the closed form first, then the flows themselves.

use std::collections::BTreeMap;

use crate::planner::model::{DAY, Lab, Model, Stage, Street};
use crate::planner::{StageKind, fluid};

/// No stage grows beyond so many times one more than it has: what takes more than that is another lab.
const GROWTH_MAX: u32 = 8;

/// Room that desks are given over what the mean takes: it only makes up for rounding.
const ROUNDING: f64 = 1.02;

/// A model with more desks, vehicles and units.
pub(super) struct Grown {
    /// The model.
    pub model: Model,
    /// Stages, by number of their lab, that would need more than [`UNITS_MAX`] units: they have as many as that, and their
    /// lab is still late.
    pub held: Vec<(usize, StageKind)>,
    /// Whether every lab was helped: for the others no number of desks and units that is tried does it in the flows, and
    /// they are as they were.
    pub all: bool,
}

/// The model with what it takes to be done in time in the flows, and nothing to spare. A stage that would need more than
/// `UNITS_MAX` units is left at that: the other labs are helped all the same.
pub(super) fn grown(model: &Model) -> Grown {
    let mut all = Grown { model: model.clone(), held: Vec::new(), all: true };
    for number in 0..model.labs.len() {
        match helped(&all.model, number) {
            Some((streets, lab, held)) => {
                all.model.streets = streets;
                all.model.labs[number] = lab;
                all.held.extend(held.into_iter().map(|kind| (number, kind)));
            }
            None => all.all = false,
        }
    }
    all
}

/// The streets and one lab with what it takes, and the stages that would need more than `UNITS_MAX` units.
fn helped(model: &Model, number: usize) -> Option<(Vec<Street>, Lab, Vec<StageKind>)> {
    let mut more = model.clone();
    let flow = fluid::one_lab(&more, number, &more.labs[number]);
    if flow.tubes > 0 && flow.finish > more.target {
        let flow = match more_vehicles(&mut more, number) {
            true => fluid::one_lab(&more, number, &more.labs[number]),
            false => flow,
        };
        if flow.units_needed.iter().all(Option::is_none) {
            more_desks(&mut more, number)?;
        }
    }
    let (lab, held) = grown_lab(&more, number)?;
    Some((more.streets, lab, held))
}

/// Gives the streets of a lab whose tubes wait for want of a vehicle as many as it takes that none does; whether any does.
fn more_vehicles(model: &mut Model, number: usize) -> bool {
    let mut given = false;
    for street in model.streets.iter_mut().filter(|street| street.lab == number) {
        let with = with_vehicles(street);
        given |= with != *street;
        *street = with;
    }
    given
}

/// A street with so many vehicles that no tube waits for want of one; it keeps those that it has.
pub(super) fn with_vehicles(street: &Street) -> Street {
    match fluid::short_of_vehicles(street) {
        true => Street { vehicles: fluid::vehicles_enough(street), ..*street },
        false => *street,
    }
}

/// Gives the streets of a lab the desks, and their vehicles, to be sampled in so many days that its tubes can come in time at all.
fn more_desks(model: &mut Model, number: usize) -> Option<()> {
    let before = model.streets.clone();
    let days = model.target.div_ceil(DAY).max(1);
    for day in (1..=days).rev() {
        for (street, old) in model.streets.iter_mut().zip(&before) {
            if street.lab == number && street.persons > 0 {
                let work = f64::from(street.hours.min(DAY)) * f64::from(day) / ROUNDING;
                *street = with_vehicles(&with_desks(old, work));
            }
        }
        let flow = fluid::one_lab(model, number, &model.labs[number]);
        if flow.units_needed.iter().any(Option::is_some) {
            return Some(());
        }
    }
    None
}

/// Working time of a street's desks until everybody is sampled, at mean speed, ms.
pub(super) fn desk_work(street: &Street, desks: u32) -> f64 {
    street.desk_time(street.tubes() as f64 / street.mean_speed() / f64::from(desks.max(1)), 1.0)
}

/// A model with more desks and vehicles than `now` has: those of a street that sends to several labs are dealt to its parts by
/// people, whoever they were asked for, so each part has as many for its people as the one that has most.
pub(super) fn dealt_evenly(now: &Model, more: &Model) -> Model {
    let more_than_now = now.streets.iter().zip(&more.streets).filter(|(a, b)| b.desks > a.desks);
    let mut least: BTreeMap<u32, f64> = BTreeMap::new();
    for (_, street) in more_than_now {
        if let Some(whole) = street.part_of {
            let work = least.entry(whole).or_insert(f64::INFINITY);
            *work = work.min(desk_work(street, street.desks));
        }
    }
    let mut most: BTreeMap<u32, f64> = BTreeMap::new();
    let each = |street: &Street| f64::from(street.vehicles) / f64::from(street.persons.max(1));
    let more_than_now = now.streets.iter().zip(&more.streets);
    for (_, street) in more_than_now.filter(|(a, b)| b.vehicles > a.vehicles) {
        if let Some(whole) = street.part_of {
            let by_person = most.entry(whole).or_default();
            *by_person = by_person.max(each(street));
        }
    }
    let mut even = more.clone();
    for street in even.streets.iter_mut().filter(|street| street.persons > 0) {
        if let Some(work) = street.part_of.and_then(|whole| least.get(&whole)) {
            *street = with_desks(street, *work);
        }
        if let Some(by_person) = street.part_of.and_then(|whole| most.get(&whole)) {
            let vehicles = (by_person * f64::from(street.persons) - 1e-6).ceil() as u32;
            street.vehicles = street.vehicles.max(vehicles);
        }
    }
    even
}

/// A street with enough desks to sample everybody within so much working time, ms; it keeps those that it has.
pub(super) fn with_desks(street: &Street, work: f64) -> Street {
    let enough = |desks: u32| desk_work(street, desks) <= work;
    if enough(street.desks) {
        return *street;
    }
    let (mut below, mut above) = (street.desks, street.persons.max(street.desks));
    while above - below > 1 {
        let middle = below + (above - below) / 2;
        if enough(middle) { above = middle } else { below = middle }
    }
    Street { desks: above, ..*street }
}

/// The lab with what it takes to be done by the model's target, and not more; where `UNITS_MAX` forbids that, with as many
/// units as may be, and the stages that would need more.
fn grown_lab(model: &Model, number: usize) -> Option<(Lab, Vec<StageKind>)> {
    let now = &model.labs[number];
    let mut lab = now.clone();
    let ends = |lab: &Lab| fluid::one_lab(model, number, lab);
    let mut held = Vec::new();
    // Whether the stage grew; none when it would grow too much.
    let mut give = |lab: &mut Lab, kind: StageKind, units: u32| {
        let (stage, has) = (&now.stages[kind.index()], &mut lab.stages[kind.index()]);
        let (most, cap) = (growth_max(stage), units_max(stage));
        if units > most && most < cap {
            return None;
        }
        if units > cap && !held.contains(&kind) {
            held.push(kind);
        }
        let units = units.min(cap);
        let grows = units > has.units;
        if grows {
            *has = with_units(stage, units)?;
        }
        Some(grows)
    };
    // Each round of this grows some stage; 64 of them grow one by five percent each time to twentyfold.
    for _ in 0..64 {
        let flow = ends(&lab);
        if flow.finish <= model.target {
            let in_time = |lab: &Lab| fluid::end_of_lab(model, number, lab) <= model.target;
            return Some((trimmed(now, lab, in_time), Vec::new()));
        }
        let mut grew = false;
        for kind in StageKind::ALL {
            grew |= give(&mut lab, kind, flow.units_needed[kind.index()]?)?;
        }
        if !grew {
            let units = lab.stages[flow.binding.index()].units;
            grew = give(&mut lab, flow.binding, units + (units / 20).max(1))?;
        }
        if !grew {
            return Some((lab, held));
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
pub(super) const UNITS_MAX: u32 = 20_000;

/// Units beyond which a stage does not grow.
fn growth_max(stage: &Stage) -> u32 {
    stage.units.saturating_add(1).saturating_mul(GROWTH_MAX)
}

/// Most units that a stage is given: eight times one more than it has, `UNITS_MAX`, never fewer than it has.
pub(super) fn most_units(stage: &Stage) -> u32 {
    growth_max(stage).min(units_max(stage))
}

/// Most units that a stage is given: never fewer than it has.
fn units_max(stage: &Stage) -> u32 {
    UNITS_MAX.max(stage.units)
}

/// A stage with so many units, the new ones like the others; none above `UNITS_MAX`, but for one that has more.
pub(super) fn with_units(stage: &Stage, units: u32) -> Option<Stage> {
    if units > units_max(stage) {
        return None;
    }
    let mut more = stage.clone();
    more.set_units(units);
    Some(more)
}
