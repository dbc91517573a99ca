//! Whether the list of shortages is enough, as a message.

use super::words::{slack, some, stage};
use crate::api::pb;
use crate::planner::fluid::Held;
use crate::planner::{Binding, Found, ListFilled};

/// What is told of a city with its list filled.
pub fn told(filled: &ListFilled<'_>) -> pb::ShortagesFilled {
    let found = filled.found.ok().filter(Found::ends);
    pb::ShortagesFilled {
        meets_target: filled.meets_target(),
        finish_ms: found.map_or(-1, |found| found.finish.into()),
        slack_ms: found.map_or(0, |found| slack(found.round.model.target, found.finish)),
        binding: found.and_then(|found| found.binding().map(|one| binding(&found, &one))),
        summary: some(&filled.words(None)),
    }
}

fn binding(found: &Found<'_>, one: &Binding) -> pb::FilledBinding {
    pb::FilledBinding {
        lab: found.round.labs.get(one.lab).map(|(code, _)| code.clone()).unwrap_or_default(),
        stage: stage(one.stage).into(),
        held_by: held_by(one.held).into(),
        binds_from_ms: one.from.map_or(-1, i64::from),
        units_working: one.units,
        units_needed: one.needed.map_or(-1, i64::from),
    }
}

fn held_by(held: Held) -> pb::HeldBy {
    match held {
        Held::Backlog => pb::HeldBy::Backlog,
        Held::Rest => pb::HeldBy::Rest,
        Held::Run => pb::HeldBy::Run,
        Held::Stages => pb::HeldBy::Stages,
        Held::Transport => pb::HeldBy::Transport,
        Held::Way => pb::HeldBy::Way,
    }
}
