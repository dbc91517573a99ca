//! The city with every line of its list of shortages filled, and whether that is enough. The list is that of the guide's
//! arithmetic, which spreads the load evenly and knows no waiting, so it need not be: whoever reads the list is told.

use super::city::{City, StageKind, Words, grouped};
use super::differ::flows_differ;
use super::fluid::{self, CityFlow, Held, LabFlow};
use super::model::Ms;
use super::round::Round;
use super::rules::{Item, Plan};
use super::times::{never, span};

/// A city whose shortages are filled (`fill`), and what every layer says of it.
#[derive(Clone, Copy, Debug)]
pub struct ListFilled<'a> {
    /// That city.
    pub city: &'a City,
    /// What the rules say of it, for the target for which it was filled.
    pub rules: &'a Plan,
    /// Its round, or why there is none, in sentences without their full stops, a line each.
    pub found: Result<Found<'a>, &'a Words>,
}

/// What the layers after the rules say of it.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// The round.
    pub round: &'a Round,
    /// The flows.
    pub flow: &'a CityFlow,
    /// When it is done, by the simulation's median where it was simulated, else by the flows.
    pub finish: Ms,
    /// With how many replications it was simulated; 0 where it was not.
    pub replications: usize,
}

/// What binds once the list is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Number of the lab that is last.
    pub lab: usize,
    /// Its stage that binds.
    pub stage: StageKind,
    /// What keeps the lab from being done sooner.
    pub held: Held,
    /// Since when more waits there than it can take; `None`: it never does.
    pub from: Option<Ms>,
    /// Units that work there, the list filled.
    pub units: u32,
    /// Units that it needs at mean pace; `None`: no number is enough.
    pub needed: Option<u32>,
}

impl Found<'_> {
    /// Whether it is done within the target.
    pub fn in_time(&self) -> bool {
        self.finish <= self.round.model.target
    }

    /// Whether it is ever done, within what is reckoned.
    pub fn ends(&self) -> bool {
        !never(self.finish)
    }

    /// What binds; `None` where there are no tubes.
    pub fn binding(&self) -> Option<Binding> {
        let lab = self.flow.last_lab().filter(|lab| self.flow.labs[*lab].tubes > 0)?;
        let flow: &LabFlow = &self.flow.labs[lab];
        let at = flow.binding.index();
        Some(Binding {
            lab,
            stage: flow.binding,
            held: flow.held,
            from: flow.backlog().map(|(_, from)| from),
            units: self.round.model.labs[lab].stages[at].units,
            needed: flow.units_needed[at],
        })
    }
}

impl ListFilled<'_> {
    /// Whether the target is met: by the rules and by the finish.
    pub fn meets_target(&self) -> bool {
        self.rules.verdict.yes && self.found.is_ok_and(|found| found.in_time())
    }

    /// Whether the target is met, when it is done then, and what binds by how much; in sentences. `see`: where it is told what
    /// is needed beside the list, if it is, without its full stop.
    pub fn words(&self, see: Option<&Words>) -> Words {
        let Words { mut zh, mut en } = match &self.found {
            Ok(found) => self.when(found),
            Err(why) => Words::new(
                format!("补齐本清单全部缺口后仍不能完成：{}。", why.zh.replace('\n', "；")),
                format!(
                    "With everything on this list filled it is still never done: {}.",
                    why.en.replace('\n', "; ")
                ),
            ),
        };
        if self.rules.verdict.yes && !self.meets_target() {
            zh += "本清单按指南算术开列（平均分配、随到随检，不计等待）";
            en += " The list is that of the guide's arithmetic, which spreads the load evenly and knows no waiting";
            if let Some(see) = see {
                zh += &format!("；{}", see.zh);
                en += &format!("; {}", see.en);
            }
            zh += "。";
            en += ".";
        }
        Words::new(zh, en)
    }

    fn when(&self, found: &Found<'_>) -> Words {
        let (at, target) = (found.finish, found.round.model.target);
        let (done, limit) = (span(at), span(target));
        let (by_zh, by_en) = match found.replications {
            0 => ("流体层", "flows"),
            1 => ("模拟（一次）", "simulation (once)"),
            _ => ("模拟（中位数）", "simulation (median)"),
        };
        let mut zh = format!("补齐本清单全部缺口后，按{by_zh}需 {}，", done.zh);
        let mut en = format!("With everything on this list filled, by the {by_en}: {}, ", done.en);
        if self.meets_target() {
            let left = span(target - at);
            zh += &format!("在 {}时限内，余 {}。", limit.zh, left.zh);
            en += &format!("within the target of {}, {} to spare.", limit.en, left.en);
            let flows = ListFilled::compared(found);
            return Words::new(zh + &flows.zh, en + &flows.en);
        }
        match (found.in_time(), never(at)) {
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
        let flows = ListFilled::compared(found);
        zh += &flows.zh;
        en += &flows.en;
        let binds = fluid::binds(self.city, found.flow, target);
        zh += &Words::closed(&format!("届时 {}", binds.zh));
        en += &format!(" Then {}", binds.en);
        if let Some(Binding { stage, held: Held::Backlog, units, needed: Some(needed), .. }) =
            found.binding()
            && needed > units
        {
            let item = Item::LabUnit(stage);
            let [needs, gives] = [needed, units].map(|n| grouped(n.into()));
            zh += &format!("，按平均速率该处需{} {needs} 台，补齐后 {gives} 台", item.name().zh);
            en += &format!(
                "; at mean pace it takes {needs} {} there, and the list gives {gives}",
                item.english(needed.into())
            );
        }
        Words::new(zh + "。", en + ".")
    }

    /// What the flows say, where they say otherwise than the simulation that answers.
    fn compared(found: &Found<'_>) -> Words {
        let target = found.round.model.target;
        let differ = flows_differ(found.flow.finish, found.finish, target);
        let told = differ.filter(|_| found.replications > 0);
        told.map_or_else(Words::default, |told| Words::new(told.zh, format!(" {}", told.en)))
    }
}
