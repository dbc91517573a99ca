//! The fluid layer: the round as flows. Milliseconds for a whole city, no chance in it.
//!
//! Each lab is reckoned on a grid of time: tubes come to its door (`street`), and pass its stages as through pipes and
//! tanks (`lab`), with the calendars of its units, ordinary tubes behind the single tubes of recalls. That says when each
//! stage is done, which one binds and from when. Beside it stands each stage alone, as if the others only took their time:
//! its finish, by its own calendar (`alone`), and the units it needs, by the closed form of network calculus
//! (`units_needed`). What keeps a lab from being done sooner follows from that (`held`). What one more unit saves is the lab
//! reckoned again with that unit (`one_more`), and nothing else.
//!
//! Held against the simulation in `planner::tests::layers`.

mod alone;
mod answer;
mod grid;
mod lab;
mod one_more;
mod recalls;
mod replay;
mod street;
#[cfg(test)]
mod tests;
mod transport;
mod way;
mod words;

pub use answer::{CityFlow, Held, LabFlow, NoUnits};
pub use lab::StageFlow;
pub use one_more::{Saved, last_streets, one_more, with_streets};
pub use replay::{Replay, curve, replay};
pub use transport::{Transport, short_of_vehicles, vehicles_enough};
pub(super) use way::{passing, pipeline};
pub use words::{binds, rest};

use grid::{STEP, grid};
use lab::Tank;
use recalls::{recall_delay, recall_share};
use street::{Carried, Inflow, latest_of};
use way::later;

use rayon::prelude::*;

use super::city::StageKind;
use super::model::{HORIZON_MS, Lab, Model, Ms};

/// Memory of the fluid layer.
#[derive(Debug, Default)]
struct Scratch {
    inflow: Inflow,
    tank: Tank,
    /// By street of the lab: its last swab, and how its tubes are taken.
    carried: Vec<Carried>,
    /// By street of the lab: its last tube at the door.
    doors: Vec<Ms>,
    /// First tests that are resulted, tubes by step.
    results: Vec<f64>,
}

/// The whole city. The model must have passed `Model::check`.
pub fn city(model: &Model) -> CityFlow {
    reckoned(model, Asked::All)
}

/// Of the whole city, the last swab and when every first test is resulted, as `city` has them and with fewer passes: for
/// comparing many models.
pub fn ends_of(model: &Model) -> (Ms, Ms) {
    let flow = reckoned(model, Asked::End);
    (flow.sampled, flow.finish)
}

/// When every first test of the whole city is resulted, and when it would be with `lab` in the place of one: as `city` has
/// both, with the other labs reckoned once.
pub fn ends_with(model: &Model, number: usize, lab: &Lab) -> [Ms; 2] {
    let before = reckoned(model, Asked::End);
    let others = before.labs.iter().enumerate().filter(|(i, _)| *i != number);
    let own = end_of_lab(model, number, lab);
    let after = others.map(|(_, other)| other.finish).fold(own, Ms::max);
    [before.finish, after]
}

/// What of a lab is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// When it is done.
    End,
    /// Its stages alone, too.
    All,
}

/// The city is its labs: each of its times is the latest of theirs.
fn reckoned(model: &Model, asked: Asked) -> CityFlow {
    let by_lab = streets_by_lab(model);
    // Labs do not touch each other.
    let each: Vec<(LabFlow, Vec<Carried>, Vec<Ms>)> = by_lab
        .par_iter()
        .enumerate()
        .map_init(Scratch::default, |scratch, (number, list)| {
            let flow = scratch.lab(model, &model.labs[number], list, asked);
            (flow, scratch.carried.clone(), scratch.doors.clone())
        })
        .collect();
    let (mut streets, mut doors) = (vec![0; model.streets.len()], vec![0; model.streets.len()]);
    let mut labs = Vec::with_capacity(model.labs.len());
    for (list, (flow, carried, at_door)) in by_lab.iter().zip(each) {
        labs.push(flow);
        for ((&i, carried), door) in list.iter().zip(carried).zip(at_door) {
            (streets[i], doors[i]) = (within_horizon(carried.swab), door);
        }
    }
    let latest = |of: fn(&LabFlow) -> Ms| labs.iter().map(of).max().unwrap_or(0);
    CityFlow {
        sampled: streets.iter().copied().max().unwrap_or(0),
        delivered: latest(|lab| lab.delivered),
        finish: latest(|lab| lab.finish),
        closed: latest(|lab| lab.closed),
        labs,
        streets,
        doors,
    }
}

fn within_horizon(at: f64) -> Ms {
    at.min(f64::from(HORIZON_MS)) as Ms
}

/// By lab: its streets.
fn streets_by_lab(model: &Model) -> Vec<Vec<usize>> {
    let mut by_lab = vec![Vec::new(); model.labs.len()];
    for (i, street) in model.streets.iter().enumerate() {
        if let Some(list) = by_lab.get_mut(street.lab) {
            list.push(i);
        }
    }
    by_lab
}

/// One lab of a model, as it would be with `lab` in its place: for comparing.
pub fn one_lab(model: &Model, number: usize, lab: &Lab) -> LabFlow {
    Scratch::default().lab(model, lab, &streets_of(model, number), Asked::All)
}

/// When that lab is done, as `one_lab` has it and with fewer passes.
pub fn end_of_lab(model: &Model, number: usize, lab: &Lab) -> Ms {
    Scratch::default().lab(model, lab, &streets_of(model, number), Asked::End).finish
}

fn streets_of(model: &Model, lab: usize) -> Vec<usize> {
    (0..model.streets.len()).filter(|&i| model.streets[i].lab == lab).collect()
}

impl Scratch {
    fn lab(&mut self, model: &Model, lab: &Lab, list: &[usize], asked: Asked) -> LabFlow {
        let tubes: u64 = list.iter().map(|&i| model.streets[i].tubes()).sum();
        let share = recall_share(model, list, tubes);
        let (step, steps) = grid(model, lab, list, tubes, share);
        self.inflow.clear(step, steps);
        self.carried.clear();
        self.doors.clear();
        // Of many streets some trip is very late: a lab waits for the latest of its own.
        let late = latest_of(list.len());
        for street in list.iter().map(|&i| &model.streets[i]) {
            let carried = street::add(street, &mut self.inflow);
            let door = street::last_at_door(street, &carried, late);
            self.doors.push(if street.persons > 0 { door } else { 0 });
            self.carried.push(carried);
        }
        self.tank.prepare(lab, model.midnight_offset, step);
        let door = &mut self.tank.flows[0];
        door.ordinary.clear();
        door.ordinary.resize(steps, 0.0);
        door.priority.clear();
        let arrivals = self.inflow.write(&mut door.ordinary);
        door.until = [arrivals, 0];
        let delivered = self.doors.iter().copied().max().unwrap_or(0);
        let after_last = later(delivered, pipeline(lab));

        let mut flows = [StageFlow::default(); StageKind::COUNT];
        self.tank.run(lab, 0, &mut flows);
        self.results.clone_from(&self.tank.flows[StageKind::COUNT].ordinary);
        let recalled = share * tubes as f64;
        let (mut finish, mut closed) = (end(&flows), end(&flows));
        let calm = flows;
        if recalled >= 1.0 {
            self.with_recalls(lab, share, recall_delay(model) / step, step, &mut flows);
            finish = end(&flows);
            closed = flows[StageKind::COUNT - 1].last_of_all;
        }
        for (flow, calm) in flows.iter_mut().zip(calm) {
            // Single tubes trickle in long after: since when a stage binds is said without them.
            flow.backlog_from = calm.backlog_from;
        }
        let mut answer = LabFlow {
            finish: if tubes == 0 { 0 } else { finish.max(after_last) },
            closed: if tubes == 0 { 0 } else { closed.max(finish).max(after_last) },
            delivered,
            tubes,
            recalled,
            stages: flows,
            alone: [0; StageKind::COUNT],
            units_needed: [Some(0); StageKind::COUNT],
            binding: StageKind::Pcr,
            held: Held::Way,
            chain: pipeline(lab),
            soonest: 0,
            transport: None,
        };
        if tubes > 0 && asked == Asked::All {
            answer.transport = transport::transport(model, lab, list, &self.carried);
            self.alone(model, lab, step, arrivals, share, &mut answer);
        }
        answer
    }
}

fn end(flows: &[StageFlow; StageKind::COUNT]) -> Ms {
    flows[StageKind::COUNT - 1].last
}
