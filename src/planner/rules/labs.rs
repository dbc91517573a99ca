//! What a lab can do: whole runs per unit, stage by stage, and the stage that binds.
//!
//! A stage works only while it has tubes, and its last run must leave time for the stages after it. So its window is
//! the shorter of (a) its working day (18 h for instruments, 24 h for staffed stages, per 24 h of target) and (b) the
//! target less the wait for the first box and less one run of every other stage. The six hours in which an instrument
//! does not count may thus be spent on waiting.

use crate::planner::city::{Lab, LabStage, Norm, StageKind};

/// What one stage of a lab can do in a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageCapacity {
    /// Which stage.
    pub kind: StageKind,
    /// Units there are.
    pub units: u64,
    /// Units that the staff on the roll can run.
    pub units_working: u64,
    /// Seconds in which the stage can start and finish runs.
    pub window_s: u64,
    /// Whole runs of one unit in that window.
    pub runs_per_unit: u64,
    /// Tubes per run.
    pub tubes_per_run: u64,
    /// Tubes in the window, over all working units.
    pub tubes: u64,
}

impl StageCapacity {
    /// Tubes that one unit can do in the window.
    pub fn tubes_per_unit(&self) -> u64 {
        self.runs_per_unit.saturating_mul(self.tubes_per_run)
    }
}

/// What a lab can do in a campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabCapacity {
    /// Its stages, in order.
    pub stages: [StageCapacity; StageKind::COUNT],
    /// The stage with the least tubes; the earliest of equals.
    pub binding: StageKind,
    /// Tubes in the window: those of the binding stage.
    pub tubes: u64,
}

/// Whole runs of `cycle_s` seconds in `window_s` seconds; a cycle of 0 counts as 1 s.
pub fn whole_runs(window_s: u64, cycle_s: u64) -> u64 {
    window_s / cycle_s.max(1)
}

/// Seconds until the first box reaches the lab.
pub(super) fn head_s(norm: &Norm) -> u64 {
    norm.box_s.value.saturating_add(norm.transport_s.value)
}

/// Units that the staff on the roll can run through all shifts.
pub(in crate::planner) fn units_working(stage: &LabStage, norm: &Norm) -> u64 {
    match stage.crew.saturating_mul(norm.shifts.value) {
        0 => stage.units,
        persons => stage.units.min(stage.staff / persons),
    }
}

/// What a lab can do when the whole city is to be done within `target_s` seconds.
pub fn lab_capacity(lab: &Lab, norm: &Norm, target_s: u64) -> LabCapacity {
    let pipeline_s = lab.pipeline_s();
    let stages = lab.stages.map(|stage| {
        let elsewhere_s = head_s(norm).saturating_add(pipeline_s - stage.cycle_s());
        let window_s =
            norm.working_s(stage.clock, target_s).min(target_s.saturating_sub(elsewhere_s));
        let runs_per_unit = whole_runs(window_s, stage.cycle_s());
        let units_working = units_working(&stage, norm);
        StageCapacity {
            kind: stage.kind,
            units: stage.units,
            units_working,
            window_s,
            runs_per_unit,
            tubes_per_run: stage.usable,
            tubes: units_working.saturating_mul(runs_per_unit).saturating_mul(stage.usable),
        }
    });
    let binding = stages.iter().min_by_key(|stage| stage.tubes).map_or(StageKind::Pcr, |s| s.kind);
    LabCapacity { tubes: stages[binding.index()].tubes, binding, stages }
}
