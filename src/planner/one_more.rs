//! What one more unit saves, stage by stage and lab by lab: what it is, and how much earlier lab and city are done by the flows.
//!
//! A unit works only with its people. Where one stands idle for want of them, people are what is short, and one more unit of
//! the machine brings nothing: then people are what is told.

use super::city::{City, Lab, StageKind, Words};
use super::fluid::{self, CityFlow, Saved};
use super::model::{MINUTE, Ms};
use super::round::Round;
use super::rules::{Item, one_more_takes, with_units};
use super::times::span;

/// One more unit that works at a stage of a lab, and what it saves while every street keeps its lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OneMore {
    /// Number of the lab.
    pub lab: usize,
    /// The stage.
    pub stage: StageKind,
    /// Units that it takes: 1, or 0 where one stands idle for want of people.
    pub units: u64,
    /// People that it takes on the roll, over all shifts.
    pub people: u64,
    /// What it saves by the flows.
    pub saves: Saved,
}

/// One more unit at each stage of each lab. `flow` is what the flows say of the round of this city.
pub fn one_more(city: &City, round: &Round, flow: &CityFlow) -> Vec<[OneMore; StageKind::COUNT]> {
    let of_lab = |(lab, (named, saves)): (usize, (&Lab, [Saved; StageKind::COUNT]))| {
        StageKind::ALL.map(|stage| {
            let (units, people) = one_more_takes(city, named, stage);
            OneMore { lab, stage, units, people, saves: saves[stage.index()] }
        })
    };
    let saves = fluid::one_more(&round.model, flow);
    city.labs.iter().zip(saves).enumerate().map(of_lab).collect()
}

/// Of the stages of a lab the one at which one more unit saves most: the city, else the lab, else the stage that binds.
pub fn best(stages: &[OneMore; StageKind::COUNT], binding: StageKind) -> OneMore {
    let rank = |one: &&OneMore| (one.saves.city, one.saves.lab, one.stage == binding);
    stages.iter().max_by_key(rank).copied().unwrap_or(stages[binding.index()])
}

impl OneMore {
    /// What it is, in a sentence: "one more biosafety cabinet with 6 people".
    pub fn words(&self) -> Words {
        let unit = Item::LabUnit(self.stage).name();
        match (self.units, self.people) {
            (0, people) => {
                let (stage, people_en) = (self.stage.name(), people_english(people));
                Words::new(
                    format!("{}环节增加 {people} 名人员（现有{}因缺人闲置）", stage.zh, unit.zh),
                    format!(
                        "{people_en} more for {} (one {} stands idle for want of people)",
                        stage.en, unit.en
                    ),
                )
            }
            (_, 0) => Words::new(format!("增加 1 台{}", unit.zh), format!("one more {}", unit.en)),
            (_, people) => Words::new(
                format!("增加 1 台{}及其 {people} 名人员", unit.zh),
                format!("one more {} with {}", unit.en, people_english(people)),
            ),
        }
    }

    /// The same in a few words, for tables: "biosafety cabinet + 6 people".
    pub fn label(&self) -> Words {
        let unit = Item::LabUnit(self.stage).name();
        let Words { zh, en } = &unit;
        match (self.units, self.people) {
            (0, people) => Words::new(
                format!("{people} 人（{zh}）"),
                format!("{} ({en})", people_english(people)),
            ),
            (_, 0) => unit,
            (_, people) => Words::new(
                format!("{zh}＋{people} 人"),
                format!("{en} + {}", people_english(people)),
            ),
        }
    }
}

fn people_english(n: u64) -> String {
    if n == 1 { "1 person".to_owned() } else { format!("{n} people") }
}

/// By how much earlier something is done; no change below half a minute.
pub fn earlier(saved: i64) -> Words {
    let by = span(Ms::try_from(saved.unsigned_abs()).unwrap_or(Ms::MAX));
    match saved {
        s if s.unsigned_abs() < u64::from(MINUTE / 2) => Words::new("不变", "no change"),
        1.. => Words::new(format!("提前 {}", by.zh), format!("{} earlier", by.en)),
        _ => Words::new(format!("推迟 {}", by.zh), format!("{} later", by.en)),
    }
}

/// When the whole city is done by the flows with so many units more at a stage of a lab, and their people, its streets assigned
/// anew; `None` when it gives no round. With every street at its lab it is done at `kept`: streets are assigned by mean pace, and
/// where that is no earlier by the flows they stay where they are.
pub fn assigned_anew(
    city: &City,
    lab: usize,
    stage: StageKind,
    units: i64,
    kept: Ms,
) -> Option<Ms> {
    let round = Round::of(&with_units(city, lab, stage, units)).ok()?;
    Some(fluid::ends_of(&round.model).1.min(kept))
}

/// One more unit at the lab that is last, and what it brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtTheLast {
    /// The unit that saves most there.
    pub one: OneMore,
    /// What it saves the city when streets are assigned anew with it, ms; `None` when that gives no round.
    pub anew: Option<i64>,
}

/// One more unit at the lab that is last in the flows: the one that saves most. `None` when there are no tubes.
pub fn at_the_last(
    city: &City,
    flow: &CityFlow,
    each: &[[OneMore; StageKind::COUNT]],
) -> Option<AtTheLast> {
    let last = flow.last_lab().filter(|lab| flow.labs[*lab].tubes > 0)?;
    let one = best(each.get(last)?, flow.labs[last].binding);
    let kept = i64::from(flow.finish) - one.saves.city;
    let kept = Ms::try_from(kept).unwrap_or(flow.finish);
    let anew = assigned_anew(city, last, one.stage, 1, kept);
    let saved = |finish: Ms| i64::from(flow.finish) - i64::from(finish);
    Some(AtTheLast { one, anew: anew.map(saved) })
}

impl AtTheLast {
    /// In a sentence: what it saves the whole city, every street at its lab, and with streets assigned anew.
    pub fn words(&self, city: &City) -> Words {
        let Some(lab) = city.labs.get(self.one.lab) else { return Words::default() };
        let (code, what, kept) = (&lab.code, self.one.words(), earlier(self.one.saves.city));
        let mut zh = format!(
            "按流体层，{code} {} 最后完成。在该处{}：各街道送样不变时，全市{}",
            lab.name.zh, what.zh, kept.zh
        );
        let mut en = format!(
            "By the flows {code} {} is last. {} there brings the whole city, with every street at its lab: {}",
            lab.name.en,
            Words::capital(&what.en),
            kept.en
        );
        if let Some(anew) = self.anew.map(earlier) {
            zh += &format!("；重新分派街道时，全市{}", anew.zh);
            en += &format!("; with streets assigned anew: {}", anew.en);
        }
        Words::new(Words::closed(&zh) + "。", en + ".")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(stage: StageKind, units: u64, people: u64) -> OneMore {
        OneMore { lab: 0, stage, units, people, saves: Saved::default() }
    }

    #[test]
    fn people_are_told_where_people_are_short() {
        use StageKind::{Decap, Extract};
        for (one, zh, en, label) in [
            (one(Extract, 1, 0), "增加 1 台核酸提取仪", "one more extractor", "extractor"),
            (
                one(Decap, 1, 6),
                "增加 1 台生物安全柜及其 6 名人员",
                "one more biosafety cabinet with 6 people",
                "biosafety cabinet + 6 people",
            ),
            (
                one(Decap, 0, 1),
                "开盖加样环节增加 1 名人员（现有生物安全柜因缺人闲置）",
                "1 person more for decapping (one biosafety cabinet stands idle for want of people)",
                "1 person (biosafety cabinet)",
            ),
        ] {
            assert_eq!(one.words(), Words::new(zh, en));
            assert_eq!(one.label().en, label);
        }
    }
}
