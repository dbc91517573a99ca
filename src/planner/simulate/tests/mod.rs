//! The simulation, held against what is known: closed forms, a simulator that moves tube by tube, what can be lost, what
//! more of a resource does, what chance may touch, and the way back for recalls.

mod chance;
mod closed;
mod conservation;
mod conserved;
mod leader;
mod more;
mod recalls;
mod reference;

use super::stage::{ORDINARY, PRIORITY, Station};
use super::*;
use crate::planner::example;
use crate::planner::model::{Stage, Takes};

/// Units that take up to `batch` tubes for `run`, without rest, failure, spread or patience.
fn stage(units: u32, batch: u32, run: Ms, takes: Takes) -> Stage {
    Stage {
        units,
        batch,
        run,
        run_spread: 0.0,
        takes,
        hold: 0,
        rests: Default::default(),
        failures_per_day: 0.0,
        repair: 0,
    }
}

/// What leaves a station that is given these lots, each with its lane, in the order in which runs start.
fn through(stage: &Stage, priority_hold: Ms, lots: &[(usize, Lot)]) -> (Vec<(usize, Lot)>, Passed) {
    let mut station = station(stage, priority_hold);
    for &(lane, lot) in lots {
        station.push(lane, lot);
    }
    let mut out = Vec::new();
    station.advance(stage, Ms::MAX, &mut |lane, lot| out.push((lane, lot)));
    assert!(station.is_empty());
    (out, *station.passed())
}

fn station(stage: &Stage, priority_hold: Ms) -> Station {
    let mut station = Station::default();
    let streams = [Cause::Run, Cause::Failure].map(|cause| Stream::of(7, 0, cause, 0));
    station.set_up(stage, priority_hold, 0, streams, &[]);
    station
}

/// Ordinary tubes.
fn lot(ready: Ms, tubes: u32) -> (usize, Lot) {
    (ORDINARY, Lot { ready, tubes, ..Lot::default() })
}

/// Single tubes of a recall.
fn single(ready: Ms, tubes: u32) -> (usize, Lot) {
    (PRIORITY, Lot { ready, tubes, singles: tubes, members: 0 })
}

/// One replication, by itself.
fn replication(model: &Model, seed: u64, number: u64) -> Replication {
    let start = Start::whole(model);
    Simulation::new(model, &start).run(seed, number, &mut Scratch::default())
}
