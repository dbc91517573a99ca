//! The target and the notices' other targets, each by every layer: the guide's arithmetic alone would say yes where the city is late.

use serde_json::{Value, json};

use super::layers::Layers;
use super::layers_text::percent;
use super::words::{in_hours, span};
use crate::planner::model::{HOUR, Ms};
use crate::planner::times::never;
use crate::planner::{Verdict, Words};

/// What the layers after the arithmetic say of a target. The round is that of the city's own target: when it is done is the same
/// for any.
struct Beside {
    flows: Ms,
    /// The median of the simulation and the share in time, which one replication alone has none of; none without it.
    simulated: Option<(Ms, Option<f64>)>,
    target_h: u32,
}

impl Beside {
    fn of(layers: &Layers, target_h: u32) -> Beside {
        let mut beside = Beside { flows: layers.flow.finish, simulated: None, target_h };
        beside.simulated = layers.study.as_ref().map(|study| {
            let on_time = study.finishes.iter().filter(|at| beside.in_time(**at)).count();
            let share = on_time as f64 / study.finishes.len().max(1) as f64;
            (study.finish.p50, study.probability().map(|_| share))
        });
        beside
    }

    fn in_time(&self, at: Ms) -> bool {
        !never(at) && u64::from(at) <= u64::from(self.target_h) * u64::from(HOUR)
    }

    /// "flows: no, 52 h 08 min; simulation: no, 58 h 01 min, in time with 1.0 %".
    fn words(&self) -> Words {
        let answer = |at: Ms| if self.in_time(at) { ("能", "yes") } else { ("不能", "no") };
        let (flows, by_flows) = (span(self.flows), answer(self.flows));
        let mut words = Words::new(
            format!("流体：{}，{}", by_flows.0, flows.zh),
            format!("flows: {}, {}", by_flows.1, flows.en),
        );
        if let Some((median, share)) = self.simulated {
            let (done, by_median) = (span(median), answer(median));
            words.zh += &format!("；模拟：{}，{}", by_median.0, done.zh);
            words.en += &format!("; simulation: {}, {}", by_median.1, done.en);
            if let Some(share) = share.map(percent) {
                words.zh += &format!("，按时概率 {share}");
                words.en += &format!(", in time with {share}");
            }
        }
        words
    }
}

/// The answer of the arithmetic to its target, and beside it those of the other layers where there are any.
pub(super) fn answer(verdict: &Verdict, layers: Option<&Layers>) -> Words {
    let (zh, en) = if verdict.yes { ("能完成", "yes") } else { ("不能完成", "no") };
    let Some(layers) = layers else { return Words::new(zh, en) };
    let beside = Beside::of(layers, verdict.target_h).words();
    Words::new(format!("{zh}（{}）", beside.zh), format!("{en} ({})", beside.en))
}

/// What the other layers say, as a document; null without a round.
pub(super) fn document(target_h: u32, layers: Option<&Layers>) -> Value {
    let Some(layers) = layers else { return Value::Null };
    let beside = Beside::of(layers, target_h);
    json!({
        "flows": { "yes": beside.in_time(beside.flows), "finish_hours": in_hours(beside.flows) },
        "simulation": beside.simulated.map(|(median, share)| json!({
            "yes": beside.in_time(median),
            "finish_hours": in_hours(median),
            "in_time_probability": share,
        })),
    })
}
