//! How many desks and units it takes to be done in time, by the flows: the closed form first, then the flows themselves.

use crate::planner::model::{DAY, HORIZON_MS, Lab, Model, Ms, Stage, Street};
use crate::planner::{StageKind, fluid};

/// No stage grows beyond so many times what it has: what takes more than that is another lab.
const GROWTH_MAX: u32 = 8;

/// What is asked of labs and desks beyond what the flows need, because the slowest of many decides.
#[derive(Clone, Copy)]
pub(super) struct Spare {
    /// Labs are taken to need so many times as long for a run.
    pub labs: f64,
    /// Desks could do so many times their people in the time.
    pub desks: f64,
}

/// Desks' spare that only makes up for rounding: no desks are given for it alone.
pub(super) const DESKS_LEAST: f64 = 1.02;

/// A model with more desks and units.
pub(super) struct Grown {
    /// The model.
    pub model: Model,
    /// Stages, by number of their lab, that would need more than [`UNITS_MAX`] units: they have as many as that, and their
    /// lab is still late.
    pub held: Vec<(usize, StageKind)>,
}

/// The model with what it takes to be done in time in the flows with something to spare; none when no number of desks and
/// units does it. A stage that would need more than `UNITS_MAX` units is left at that: the other labs are helped all the
/// same.
pub(super) fn grown(model: &Model, spare: Spare) -> Option<Grown> {
    let mut slow = model.clone();
    for stage in slow.labs.iter_mut().flat_map(|lab| &mut lab.stages) {
        stage.run = (f64::from(stage.run) * spare.labs).min(f64::from(HORIZON_MS)) as Ms;
    }
    let mut held = Vec::new();
    for number in 0..slow.labs.len() {
        let flow = fluid::one_lab(&slow, number, &slow.labs[number]);
        let late = flow.finish > slow.target && flow.units_needed.iter().all(Option::is_none);
        if flow.tubes > 0 && (late || spare.desks > DESKS_LEAST) {
            more_desks(&mut slow, number, spare.desks)?;
        }
        let (lab, stages) = grown_lab(&slow, number)?;
        held.extend(stages.into_iter().map(|kind| (number, kind)));
        slow.labs[number] = lab;
    }
    // The numbers of the slow labs, with the pace of the real ones.
    let mut changed = Model { streets: slow.streets, ..model.clone() };
    for (lab, slow) in changed.labs.iter_mut().zip(&slow.labs) {
        for (stage, slow) in lab.stages.iter_mut().zip(&slow.stages) {
            *stage = with_units(stage, slow.units)?;
        }
    }
    Some(Grown { model: changed, held })
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
        let (most, cap) =
            (stage.units.saturating_add(1).saturating_mul(GROWTH_MAX), units_max(stage));
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
