//! Steps beyond what the flows need, lab by lab: chance makes labs, desks and roads slower than their mean, and the slowest
//! of many decides. And the end of these steps: the most that is tried.

use super::grow::{desk_work, most_units, with_desks, with_units, with_vehicles};
use crate::planner::model::{HOUR, Lab, Model, Stage, Street};
use crate::planner::{StageKind, fluid};

/// No desks are given so that the queue would be gone sooner than this, at mean speed.
const QUEUE_MIN: f64 = HOUR as f64;

/// A model before anything was added, and by it the most that is tried.
pub(super) struct Most<'m> {
    now: &'m Model,
    /// By lab: its first tests.
    tubes: Vec<u64>,
}

impl<'m> Most<'m> {
    pub fn of(now: &'m Model) -> Most<'m> {
        Most { now, tubes: now.tubes_by_lab() }
    }

    /// Most units of a stage: so many that two runs in each unit hold all tubes, or what is tried at all.
    fn units(&self, lab: usize, kind: StageKind) -> u32 {
        let stage = &self.now.labs[lab].stages[kind.index()];
        let plenty = self.tubes[lab].div_ceil(u64::from(stage.batch.max(1))).saturating_mul(2);
        let plenty = u32::try_from(plenty).unwrap_or(u32::MAX);
        most_units(stage).min(plenty).max(stage.units)
    }

    /// The model with a lab that is faster by a factor: every stage keeps up with what its slowest one does then. `None`
    /// when no stage may have more.
    pub fn faster(&self, model: &Model, lab: usize, factor: f64) -> Option<Model> {
        let now = &model.labs[lab];
        let may = |kind: &StageKind| now.stages[kind.index()].units < self.units(lab, *kind);
        let paces = StageKind::ALL.into_iter().filter(may).map(|kind| pace(now, kind));
        let floor = paces.min_by(f64::total_cmp)? * factor;
        let mut changed = model.clone();
        for kind in StageKind::ALL.into_iter().filter(may) {
            let stage = &now.stages[kind.index()];
            let each = pace(now, kind) / f64::from(stage.units.max(1));
            let units = (floor / each.max(1e-12)).ceil().min(f64::from(u32::MAX)) as u32;
            let units = units.min(self.units(lab, kind));
            if units > stage.units {
                changed.labs[lab].stages[kind.index()] = with_units(stage, units)?;
            }
        }
        (changed.labs[lab] != *now).then_some(changed)
    }

    /// The model with desks by which the slowest street of a lab is sampled sooner by a factor, and no other one later
    /// than that. `None` when no street may have more.
    pub fn sooner(&self, model: &Model, lab: usize, factor: f64) -> Option<Model> {
        let sends = |street: &Street| street.lab == lab && street.persons > 0;
        let works = model.streets.iter().filter(|s| sends(s)).map(|s| desk_work(s, s.desks));
        let slowest = works.max_by(f64::total_cmp)?;
        let work = (slowest / factor).max(QUEUE_MIN);
        if work >= slowest {
            return None;
        }
        let mut changed = model.clone();
        for street in changed.streets.iter_mut().filter(|s| sends(s)) {
            *street = with_desks(street, work);
        }
        (changed.streets != model.streets).then_some(changed)
    }

    /// The model with more vehicles by a factor in the streets of a lab whose tubes wait for them. `None` when none do.
    pub fn carried(&self, model: &Model, lab: usize, factor: f64) -> Option<Model> {
        let mut changed = model.clone();
        let streets = changed.streets.iter_mut().zip(&self.now.streets);
        for (street, now) in streets.filter(|(s, _)| s.lab == lab && s.persons > 0) {
            let enough = most_vehicles(now, street);
            let more = (f64::from(street.vehicles) * factor).ceil().min(f64::from(u32::MAX)) as u32;
            street.vehicles = more.min(enough).max(street.vehicles);
        }
        (changed.streets != model.streets).then_some(changed)
    }

    /// The model with the most of everything.
    pub fn all(&self, model: &Model) -> Model {
        let mut changed = model.clone();
        for lab in (0..model.labs.len()).filter(|lab| self.tubes[*lab] > 0) {
            for kind in StageKind::ALL {
                let most = self.units(lab, kind);
                let stage = &mut changed.labs[lab].stages[kind.index()];
                if let Some(more) = with_units(stage, most.max(stage.units)) {
                    *stage = more;
                }
            }
        }
        let streets = changed.streets.iter_mut().zip(&self.now.streets);
        for (street, now) in streets.filter(|(street, _)| street.persons > 0) {
            *street = with_desks(street, QUEUE_MIN);
            street.vehicles = most_vehicles(now, street);
        }
        changed
    }
}

/// Most vehicles of a street: so many that no tube waits for one in the flows; where some waited at first, twice as many, for in the
/// simulation vehicles are not back when the mean one is. Reckoned from those it had at first: the limit stays where it is while
/// vehicles are given.
fn most_vehicles(now: &Street, street: &Street) -> u32 {
    let enough = with_vehicles(&Street { vehicles: now.vehicles, ..*street }).vehicles;
    let most = if fluid::short_of_vehicles(now) { enough.saturating_mul(2) } else { enough };
    most.max(street.vehicles)
}

/// Tubes an hour of a stage, over the day.
fn pace(lab: &Lab, kind: StageKind) -> f64 {
    let stage: &Stage = &lab.stages[kind.index()];
    stage.tubes_per_hour() * stage.working_share() * stage.sound_share()
}
