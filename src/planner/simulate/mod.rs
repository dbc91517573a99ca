//! The simulation: desks, boxes, trips, plates, one by one, with everything that chance does to them.
//!
//! Each street has one lab in a round, so labs do not touch each other and are run one after the other; in a lab, stages
//! are driven one after the other through time (see `stage`). There is no list of events.
//!
//! A replication is a function of (model, start, seed, number): the same on every machine and for any number of threads.
//! Two models that differ in one resource see the same chance (`random`).

mod calendar;
mod conserved;
mod field;
mod lab;
mod random;
mod stage;
#[cfg(test)]
mod tests;
mod units;

pub use field::{StreetRun, StreetStart};
pub(in crate::planner) use lab::RACK;
pub use lab::{LabRun, LabStart};
pub(in crate::planner) use random::{Cause, Stream};
pub use stage::Lot;
pub use stage::Passed;

use conserved::Brought;
use field::{Chances, Field, Trip};
use lab::{LabChance, Works};

use super::city::StageKind;
use super::model::{Model, Ms};

/// Where a simulation begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    /// By street.
    pub streets: Vec<StreetStart>,
    /// By lab.
    pub labs: Vec<LabStart>,
}

impl Start {
    /// The start of the round: everybody still to come, the labs empty.
    pub fn whole(model: &Model) -> Start {
        Start {
            streets: model.streets.iter().map(StreetStart::whole).collect(),
            labs: vec![LabStart::default(); model.labs.len()],
        }
    }
}

/// What one replication gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replication {
    /// The last swab.
    pub sampled: Ms,
    /// The last tube at the door of its lab.
    pub delivered: Ms,
    /// The last first result: every pool and every first single tube is resulted.
    pub finish: Ms,
    /// The last result of all, recalls included.
    pub closed: Ms,
    /// By street: its last swab, its last tube at the lab's door, its tubes.
    pub streets: Vec<StreetRun>,
    /// By street: its last first result.
    pub street_finish: Vec<Ms>,
    /// By lab.
    pub labs: Vec<LabRun>,
}

/// What became of a box on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoxRun {
    /// Number of its street.
    pub street: usize,
    /// When it was closed.
    pub closed: Ms,
    /// When it left the street.
    pub left: Ms,
    /// When it was at the door.
    pub at: Ms,
    /// Its tubes.
    pub tubes: u32,
}

/// Memory of one thread, used again for the next replication.
#[derive(Debug, Default)]
pub struct Scratch {
    field: Field,
    works: Works,
    trips: Vec<Trip>,
    boxes: Vec<Lot>,
    brought: Brought,
    streets: Vec<StreetRun>,
}

/// A model prepared for simulating: who belongs to which lab.
#[derive(Clone, Debug)]
pub struct Simulation<'m> {
    model: &'m Model,
    start: &'m Start,
    /// Streets by lab.
    streets_of: Vec<Vec<u32>>,
}

impl<'m> Simulation<'m> {
    /// Prepares. The model must have passed `Model::check`; `start` must be of the same model.
    pub fn new(model: &'m Model, start: &'m Start) -> Simulation<'m> {
        let mut streets_of = vec![Vec::new(); model.labs.len()];
        for (i, street) in model.streets.iter().enumerate() {
            if let Some(list) = streets_of.get_mut(street.lab) {
                list.push(i as u32);
            }
        }
        Simulation { model, start, streets_of }
    }

    /// Prepares for one lab alone, whose streets are `list`: others can then not be run.
    pub fn of_lab(
        model: &'m Model,
        start: &'m Start,
        lab: usize,
        list: &[usize],
    ) -> Simulation<'m> {
        let mut streets_of = vec![Vec::new(); model.labs.len()];
        streets_of[lab] = list.iter().map(|&street| street as u32).collect();
        Simulation { model, start, streets_of }
    }

    /// One replication of the whole city.
    pub fn run(&self, seed: u64, replication: u64, scratch: &mut Scratch) -> Replication {
        let streets = self.model.streets.len();
        let mut all = Replication {
            streets: vec![StreetRun::default(); streets],
            street_finish: vec![0; streets],
            labs: Vec::with_capacity(self.model.labs.len()),
            ..Replication::default()
        };
        for lab in 0..self.model.labs.len() {
            let run = self.lab(lab, seed, replication, scratch, &mut all.streets, &mut |_, _| {});
            self.finish_of_streets(lab, &run, scratch, &mut all.street_finish);
            all.finish = all.finish.max(run.finish);
            all.closed = all.closed.max(run.closed);
            all.labs.push(run);
        }
        all.sampled = all.streets.iter().map(|s| s.sampled).max().unwrap_or(0);
        all.delivered = all.streets.iter().map(|s| s.delivered).max().unwrap_or(0);
        all
    }

    /// One replication of one lab and its streets; other streets are not touched in `streets`. `watch` sees every lot
    /// that leaves a stage.
    pub fn lab(
        &self,
        lab: usize,
        seed: u64,
        replication: u64,
        scratch: &mut Scratch,
        streets: &mut [StreetRun],
        watch: &mut impl FnMut(StageKind, Lot),
    ) -> LabRun {
        self.collect(lab, seed, replication, scratch, streets);
        self.test(&self.model.labs[lab], lab, seed, replication, scratch, watch)
    }

    /// When the last of some labs is done in one replication.
    pub fn finish_of(
        &self,
        labs: &[usize],
        seed: u64,
        replication: u64,
        scratch: &mut Scratch,
    ) -> Ms {
        let mut streets = std::mem::take(&mut scratch.streets);
        streets.resize(self.model.streets.len(), StreetRun::default());
        let finish = |lab: &usize| {
            self.lab(*lab, seed, replication, scratch, &mut streets, &mut |_, _| {}).finish
        };
        let last = labs.iter().map(finish).max().unwrap_or(0);
        scratch.streets = streets;
        last
    }

    /// One replication of a lab as it is and with `changed` in its place, on the same trips and with the same chance.
    pub fn pair(
        &self,
        lab: usize,
        changed: &super::model::Lab,
        seed: u64,
        replication: u64,
        scratch: &mut Scratch,
    ) -> [LabRun; 2] {
        let mut streets = std::mem::take(&mut scratch.streets);
        streets.clear();
        streets.resize(self.model.streets.len(), StreetRun::default());
        self.collect(lab, seed, replication, scratch, &mut streets);
        scratch.streets = streets;
        [&self.model.labs[lab], changed]
            .map(|lab_as| self.test(lab_as, lab, seed, replication, scratch, &mut |_, _| {}))
    }

    /// The boxes of the lab that was run last.
    pub fn boxes<'s>(&self, scratch: &'s Scratch) -> impl Iterator<Item = BoxRun> + 's {
        scratch.trips.iter().flat_map(|trip| {
            let (first, end) = (trip.first as usize, (trip.first + trip.boxes) as usize);
            // Between collection and the door, a lot carries the time at which its box was closed.
            scratch.boxes[first..end].iter().map(|lot| BoxRun {
                street: trip.street as usize,
                closed: lot.ready.min(trip.left),
                left: trip.left,
                at: trip.at,
                tubes: lot.tubes,
            })
        })
    }

    /// The streets of a lab: their trips, by time, are left in `scratch`.
    fn collect(
        &self,
        lab: usize,
        seed: u64,
        replication: u64,
        scratch: &mut Scratch,
        streets: &mut [StreetRun],
    ) {
        let Scratch { field, trips, boxes, brought, .. } = scratch;
        trips.clear();
        boxes.clear();
        *brought = Brought::default();
        for &number in &self.streets_of[lab] {
            let i = number as usize;
            let chances = Chances::of(seed, replication, u64::from(number));
            let street = &self.model.streets[i];
            let start = &self.start.streets[i];
            streets[i] =
                field.run(street, number, start, &self.model.recall, chances, trips, boxes);
            brought.tubes += streets[i].tubes;
        }
        brought.members = boxes.iter().map(|lot| u64::from(lot.members)).sum();
        trips.sort_unstable_by_key(|trip| (trip.at, trip.street, trip.first));
    }

    /// The lab alone, on the trips in `scratch`.
    fn test(
        &self,
        lab: &super::model::Lab,
        number: usize,
        seed: u64,
        replication: u64,
        scratch: &mut Scratch,
        watch: &mut impl FnMut(StageKind, Lot),
    ) -> LabRun {
        let Scratch { works, trips, boxes, brought, .. } = scratch;
        let chance = LabChance { seed, replication, lab: number as u64 };
        let (model, start) = (self.model, &self.start.labs[number]);
        let offset = model.midnight_offset;
        let run = works.run(lab, &model.recall, offset, start, trips, boxes, &chance, watch);
        run.hold(number, *brought, start);
        run
    }

    /// By street, when its last tube has its result: tubes are resulted in the order in which they came to the door.
    fn finish_of_streets(&self, lab: usize, run: &LabRun, scratch: &Scratch, finish: &mut [Ms]) {
        let inside = &self.start.labs[lab];
        let tubes = |lots: &[(Ms, u32)]| lots.iter().map(|l| u64::from(l.1)).sum::<u64>();
        let mut before: u64 = inside.waiting.iter().map(|lots| tubes(lots)).sum();
        before +=
            inside.running.iter().flatten().map(|(_, _, tubes)| u64::from(*tubes)).sum::<u64>();
        let mut at = 0;
        for trip in &scratch.trips {
            let (first, end) = (trip.first as usize, (trip.first + trip.boxes) as usize);
            before += scratch.boxes[first..end].iter().map(|lot| u64::from(lot.tubes)).sum::<u64>();
            // Tubes and results rise together: no need to look for each anew, as `LabRun::resulted` does.
            while run.results.get(at + 1).is_some() && run.results[at].1 < before {
                at += 1;
            }
            finish[trip.street as usize] = run.results.get(at).map_or(0, |result| result.0);
        }
    }
}
