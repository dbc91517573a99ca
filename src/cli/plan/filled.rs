//! The city with every line of its list of shortages filled (`planner::ListFilled`), as reports tell it.

use serde_json::{Value, json};

use super::Report;
use super::json::words;
use super::json_layers::{held_by, slack, time};
use super::layers::{Dice, Layers};
use super::progress::Progress;
use super::words::{MEASURES, in_hours};
use crate::planner::{self, City, Found, ListFilled, Plan, Words};

/// A city with its shortages filled, and what every layer says of it.
pub(super) struct Filled {
    pub city: City,
    pub plan: Plan,
    pub layers: Result<Layers, Words>,
}

impl Filled {
    /// As its city is told of, whose `layers` these are: with the simulation, as far as `dice` says, else by the flows. Both
    /// stand in one report, and must not answer by different layers.
    pub fn of(
        city: &City,
        plan: &Plan,
        layers: Option<&Layers>,
        dice: Dice,
        progress: &Progress,
    ) -> Filled {
        let city = planner::fill(city, plan);
        let plan = planner::solve(&city, plan.target_h);
        let layers = Layers::filled(&city, layers, dice, progress).map_err(|error| error.words());
        Filled { city, plan, layers }
    }

    /// The answer of all layers.
    pub fn yes(&self) -> bool {
        self.found().meets_target()
    }

    /// With how many replications it was simulated; `None` where it was not.
    fn replications(&self) -> Option<usize> {
        Some(self.layers.as_ref().ok()?.study.as_ref()?.replications)
    }

    fn found(&self) -> ListFilled<'_> {
        let found = self.layers.as_ref().map(|layers| {
            let Layers { round, flow, study, .. } = layers;
            let replications = study.as_ref().map_or(0, |study| study.replications);
            Found { round, flow, finish: layers.finish(), replications }
        });
        ListFilled { city: &self.city, rules: &self.plan, found }
    }
}

/// Whether the target is met once everything on the list is filled, when it is done then, and what binds by how much. None
/// where nothing is short.
pub(super) fn sentence(report: &Report) -> Option<Words> {
    let filled = report.filled.as_ref().filter(|_| !report.plan.shortages.is_empty())?;
    let measures = report.layers.as_ref().is_ok_and(|layers| layers.remedy.is_some());
    let see = measures.then(|| {
        let (zh, en) = MEASURES;
        Words::new(format!("按时完成另需的见“{zh}”"), format!("for what it takes see \"{en}\""))
    });
    let mut words = filled.found().words(see.as_ref());
    if let Some(n) = filled.replications().filter(|n| *n < report.dice.replications) {
        words.zh += &format!("城市很大，补齐后的情形以 {n} 次模拟推算。");
        words.en += &format!(
            " In so large a city what it says with everything filled is of {}.",
            Words::many(n as u64, "replication")
        );
    }
    Some(words)
}

/// The same for programs; null where nothing is short.
pub(super) fn document(report: &Report) -> Value {
    let Some(sentence) = sentence(report) else { return Value::Null };
    let replications = report.filled.as_ref().and_then(Filled::replications);
    let filled = report.filled.as_ref().map(Filled::found);
    let found = filled.and_then(|filled| filled.found.ok());
    let simulated = found.is_some_and(|found| found.replications > 0);
    let found = found.filter(Found::ends);
    let binding = found.and_then(|found| found.binding().map(|binding| (found.round, binding)));
    json!({
        "meets_target": filled.is_some_and(|filled| filled.meets_target()),
        "finish_hours": found.map(|found| in_hours(found.finish)),
        "slack_hours": found.map(|found| slack(found.round.model.target, found.finish)),
        "simulated": simulated,
        "replications": replications,
        "binding": binding.map(|(round, binding)| json!({
            "lab": round.labs[binding.lab].0,
            "stage": binding.stage.key(),
            "held_by": held_by(binding.held),
            "binds_from": binding.from.map(time),
            "units_working": binding.units,
            "units_needed": binding.needed,
        })),
        "sentence": words(&sentence),
    })
}
