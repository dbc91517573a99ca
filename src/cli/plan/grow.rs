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

/// The model with what it takes to be done in time in the flows with something to spare; none when no number of desks and
/// units does it.
pub(super) fn grown(model: &Model, spare: Spare) -> Option<Model> {
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
            return Some(trimmed(now, lab, |lab| {
                fluid::end_of_lab(model, number, lab) <= model.target
            }));
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
pub(super) const UNITS_MAX: u32 = 20_000;

/// A stage with so many units, the new ones like the others; none above `UNITS_MAX`.
pub(super) fn with_units(stage: &Stage, units: u32) -> Option<Stage> {
    if units > UNITS_MAX {
        return None;
    }
    let mut more = stage.clone();
    more.set_units(units);
    Some(more)
}
