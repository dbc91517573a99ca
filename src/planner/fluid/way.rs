//! How long a tube is on its way through a lab where it has to wait for no unit.

use crate::planner::model::{HORIZON_MS, Lab, Ms, Stage, Takes};

/// Time of a plate through all stages without waiting for units; the last one waits for more tubes in vain.
pub(in crate::planner) fn pipeline(lab: &Lab) -> Ms {
    lab.stages.iter().map(latency).fold(0, later)
}

/// A time and a length together, not beyond the horizon.
pub(super) fn later(at: Ms, by: Ms) -> Ms {
    at.saturating_add(by).min(HORIZON_MS)
}

/// Time of a tube through a stage where nothing has to be waited for, as the flows have it.
pub(in crate::planner) fn passing(stage: &Stage) -> Ms {
    match stage.takes {
        Takes::Box => 0,
        Takes::Fill => stage.run,
    }
}

/// The same of the last tubes, which wait for a plate that is never filled.
pub(super) fn latency(stage: &Stage) -> Ms {
    match stage.takes {
        // The last box: ten tubes or so of a plate.
        Takes::Box => stage.run / 9,
        Takes::Fill => later(stage.run, stage.hold),
    }
}
