//! The city with every line of its list of shortages filled, and whether that is enough. The list is that of the guide's
//! arithmetic, which spreads the load evenly and knows no waiting, so it need not be: whoever reads the list is told.

use serde_json::{Value, json};

use super::Report;
use super::json::words;
use super::json_layers::{held_by, slack, time};
use super::layers::{self, Dice, Layers};
use super::remedy_text::binds;
use super::words::{in_hours, never, span};
use crate::planner::fluid::{Held, LabFlow};
use crate::planner::{self, City, Item, Plan, StageKind, Words};

/// A city with its shortages filled, and what every layer says of it.
pub(super) struct Filled {
    pub city: City,
    pub plan: Plan,
    pub layers: Result<Layers, Words>,
}

/// What binds once the list is filled: the lab that is last, and its stage with the units that work then and those that it
/// needs at mean pace (none: no number is enough).
struct Binding {
    lab: usize,
    stage: StageKind,
    units: u32,
    needed: Option<u32>,
}

impl Filled {
    /// With the simulation, as far as `dice` says; without replications it is the flows that tell.
    pub fn of(city: &City, plan: &Plan, dice: Dice) -> Filled {
        let city = planner::fill(city, plan);
        let plan = planner::solve(&city, plan.target_h);
        let layers = Layers::without_remedy(&city, dice).map_err(|error| error.words());
        Filled { city, plan, layers }
    }

    /// The answer of all layers.
    pub fn yes(&self) -> bool {
        layers::yes(&self.plan, &self.layers)
    }
}

fn binding(layers: &Layers) -> Option<(Binding, &LabFlow)> {
    let lab = layers.flow.last_lab().filter(|lab| layers.flow.labs[*lab].tubes > 0)?;
    let flow = &layers.flow.labs[lab];
    let at = flow.binding.index();
    let units = layers.round.model.labs[lab].stages[at].units;
    Some((Binding { lab, stage: flow.binding, units, needed: flow.units_needed[at] }, flow))
}

/// Whether the target is met once everything on the list is filled, when it is done then, and what binds by how much. None
/// where nothing is short.
pub(super) fn sentence(report: &Report) -> Option<Words> {
    let filled = report.filled.as_ref().filter(|_| !report.plan.shortages.is_empty())?;
    let Words { mut zh, mut en } = match &filled.layers {
        Ok(layers) => when(filled, layers),
        Err(why) => Words::new(
            format!("补齐本清单全部缺口后仍不能完成：{}。", why.zh.replace('\n', "；")),
            format!(
                "With everything on this list filled it is still never done: {}.",
                why.en.replace('\n', "; ")
            ),
        ),
    };
    let measures = report.layers.as_ref().is_ok_and(|layers| layers.remedy.is_some());
    if !filled.yes() && filled.plan.verdict.yes {
        zh += "本清单按指南算术开列（平均分配、随到随检，不计等待）";
        en += " The list is that of the guide's arithmetic, which spreads the load evenly and knows no waiting";
        zh += if measures {
            "；按时完成另需的见“按时完成的措施”。"
        } else {
            "。"
        };
        en += match measures {
            true => "; for what it takes see what brings it within the target.",
            false => ".",
        };
    }
    Some(Words::new(zh, en))
}

fn when(filled: &Filled, layers: &Layers) -> Words {
    let (at, target) = (layers.finish(), layers.round.model.target);
    let (done, limit) = (span(at), span(target));
    let (by_zh, by_en) = match &layers.study {
        Some(_) => ("模拟（中位数）", "simulation (median)"),
        None => ("流体层", "flows"),
    };
    let mut zh = format!("补齐本清单全部缺口后，按{by_zh}需 {}，", done.zh);
    let mut en = format!("With everything on this list filled, by the {by_en}: {}, ", done.en);
    if filled.yes() {
        let left = span(target - at);
        zh += &format!("在 {}时限内，余 {}。", limit.zh, left.zh);
        en += &format!("within the target of {}, {} to spare.", limit.en, left.en);
        return Words::new(zh, en);
    }
    match (layers.in_time(), never(at)) {
        (true, _) => {
            zh += "但按指南算术仍不能按时完成。";
            en += "but by the guide's arithmetic it is still late.";
        }
        (false, true) => {
            zh += &format!("不在 {}时限内。", limit.zh);
            en += &format!("not within the target of {}.", limit.en);
        }
        (false, false) => {
            let late = span(at - target);
            zh += &format!("超过 {}时限 {}：补齐后仍不能按时完成。", limit.zh, late.zh);
            en += &format!("{} over the target of {}: it is still late.", late.en, limit.en);
        }
    }
    let binds = binds(&filled.city, layers);
    zh += &format!("届时{}", binds.zh);
    en += &format!(" Then {}", binds.en);
    if let Some((Binding { stage, units, needed: Some(needed), .. }, flow)) = binding(layers)
        && needed > units
        && flow.held == Held::Backlog
    {
        let unit = Item::LabUnit(stage).name();
        zh += &format!("，按平均速率该处需{} {needed} 台，补齐后 {units} 台", unit.zh);
        en += &format!(
            "; at mean pace it takes {needed} ({}) there, and the list gives {units}",
            unit.en
        );
    }
    Words::new(zh + "。", en + ".")
}

/// The same for programs; null where nothing is short.
pub(super) fn document(report: &Report) -> Value {
    let Some(sentence) = sentence(report) else { return Value::Null };
    let layers = report.filled.as_ref().and_then(|filled| filled.layers.as_ref().ok());
    let found = layers.and_then(|layers| binding(layers).map(|found| (layers, found)));
    json!({
        "meets_target": report.filled.as_ref().is_some_and(Filled::yes),
        "finish_hours": layers.map(|layers| in_hours(layers.finish())),
        "slack_hours": layers.map(|layers| slack(layers.round.model.target, layers.finish())),
        "simulated": layers.is_some_and(|layers| layers.study.is_some()),
        "binding": found.map(|(layers, (Binding { lab, stage, units, needed }, flow))| json!({
            "lab": layers.round.labs[lab].0,
            "stage": stage.key(),
            "held_by": held_by(flow.held),
            "binds_from": layers.binds_from(lab, stage).map(time),
            "units_working": units,
            "units_needed": needed,
        })),
        "sentence": words(&sentence),
    })
}
