//! What the fluid says: of a lab, of a city, what holds a lab up, and why no number of units would help it.

use super::StageFlow;
use super::transport::Transport;
use super::way::later;
use crate::planner::city::StageKind;
use crate::planner::model::Ms;

/// What the fluid says of a lab.
#[derive(Clone, Debug, PartialEq)]
pub struct LabFlow {
    /// When every first test is resulted.
    pub finish: Ms,
    /// When recalls are resulted too.
    pub closed: Ms,
    /// The last tube at the door.
    pub delivered: Ms,
    /// Tubes of first tests.
    pub tubes: u64,
    /// Single tubes of recalls that are expected.
    pub recalled: f64,
    /// By stage.
    pub stages: [StageFlow; StageKind::COUNT],
    /// By stage: when the lab would be done if no other stage had to be waited for. Never after `finish`.
    pub alone: [Ms; StageKind::COUNT],
    /// By stage: units by which the target is met, as far as this stage goes and at its mean pace; `None`: no number of
    /// units meets it.
    pub units_needed: [Option<u32>; StageKind::COUNT],
    /// The stage that binds: the one by which alone it would take longest. Where all would be done when the last tubes have
    /// gone through, the one that most was waited for.
    pub binding: StageKind,
    /// What keeps the lab from being done sooner.
    pub held: Held,
    /// Time of a plate through all stages without waiting for units, ms: the chain of runs.
    pub chain: Ms,
    /// The first result: no number of units brings it sooner.
    pub soonest: Ms,
    /// The vehicles for which its last tubes wait; none where they wait for none.
    pub transport: Option<Transport>,
}

/// What keeps a lab from being done sooner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// The binding stage has more waiting than it can take.
    Backlog,
    /// Its last tubes wait because units of the binding stage rest, or nobody is on shift.
    Rest,
    /// Its last tubes wait for runs of the binding stage that are going on; fewer wait than a run takes.
    Run,
    /// They wait at one stage after the other, and no stage alone accounts for it.
    Stages,
    /// Nothing waits at the lab: its last tubes wait for vehicles of a street (`LabFlow::transport`), and go through the chain of
    /// runs when they are there.
    Transport,
    /// Nothing waits: its last tubes come, and go through the chain of runs.
    Way,
}

/// Why no number of units brings a lab within a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoUnits {
    /// Already the first result is later: box, transport, and one run of each stage.
    FirstResult,
    /// The last tube comes too late for the chain of runs, and waits for a vehicle.
    Transport,
    /// The last tube comes too late for the chain of runs.
    LastTube,
    /// All units of the binding stage rest, or nobody is on shift, at the same time.
    Rest,
}

/// What the fluid says of a city.
#[derive(Clone, Debug, PartialEq)]
pub struct CityFlow {
    /// The last swab.
    pub sampled: Ms,
    /// The last tube at a door.
    pub delivered: Ms,
    /// When every first test is resulted.
    pub finish: Ms,
    /// When recalls are resulted too.
    pub closed: Ms,
    /// By lab.
    pub labs: Vec<LabFlow>,
    /// By street: its last swab.
    pub streets: Vec<Ms>,
    /// By street: its last tube at the door of its lab.
    pub doors: Vec<Ms>,
}

impl CityFlow {
    /// The lab that is done last, and so decides.
    pub fn last_lab(&self) -> Option<usize> {
        (0..self.labs.len()).max_by_key(|&i| self.labs[i].finish)
    }
}

impl LabFlow {
    /// Why no number of units meets a target; `None` where one may. Where only some stages are beyond help, the binding one
    /// is asked.
    pub fn no_units(&self, target: Ms) -> Option<NoUnits> {
        if self.tubes == 0 || self.units_needed[self.binding.index()].is_some() {
            return None;
        }
        Some(match (self.soonest > target, later(self.delivered, self.chain) > target) {
            (true, _) => NoUnits::FirstResult,
            (false, true) if self.transport.is_some() => NoUnits::Transport,
            (false, true) => NoUnits::LastTube,
            (false, false) => NoUnits::Rest,
        })
    }

    /// The stage that binds and since when, while anything waits longer than it must.
    pub fn backlog(&self) -> Option<(StageKind, Ms)> {
        self.stages[self.binding.index()].backlog_from.map(|from| (self.binding, from))
    }
}
