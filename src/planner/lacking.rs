//! What a city has none of, so that its round would never end: a street with people and no desk, a lab that must work and has
//! a stage without units. Told by name and all at once, before anything is reckoned: who fills one gap should not have to ask
//! again to learn of the next.

use super::city::{City, StageKind, Words};
use super::model::Model;
use super::rules::Item;

/// What a street or a lab has none of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    /// Code of the district of a street; empty for a lab.
    pub district: String,
    /// Code of the street (the district's own where it has no streets) or of the lab.
    pub code: String,
    /// Name of the street or lab.
    pub name: Words,
    /// Of what.
    pub what: Missing,
}

/// What there is none of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// A street has people and no desk.
    Desks,
    /// A street has people and desks, and nobody who takes swabs.
    Samplers,
    /// A stage of a lab has no unit.
    Units(StageKind),
    /// A stage of a lab has units and too few people for any of them.
    Staff(StageKind),
    /// A stage of a lab has units and people, and no hour in which they work.
    Hours(StageKind),
}

impl Missing {
    /// The key of a city file that says how much there is.
    pub fn key(self) -> &'static str {
        match self {
            Missing::Desks => "desks",
            Missing::Samplers => "samplers",
            Missing::Units(kind) | Missing::Staff(kind) | Missing::Hours(kind) => kind.key(),
        }
    }
}

/// Streets of a district that are named where they lack the same.
const NAMED_MAX: usize = 3;

impl Lack {
    /// What is lacking and what to do.
    pub fn words(&self) -> Words {
        self.said_of(&self.name, "has")
    }

    /// The same of streets that lack it together, because it is their district that has none.
    pub fn words_of(all: &[&Lack]) -> Words {
        match all {
            [] => Words::default(),
            [one] => one.words(),
            [first, ..] => {
                let names = all.iter().map(|lack| lack.name.clone());
                first.said_of(&Words::listed(names, NAMED_MAX, "个街道"), "have")
            }
        }
    }

    fn said_of(&self, name: &Words, has: &str) -> Words {
        let (zh, en) = (&name.zh, &name.en);
        let lab =
            |zh: &str, en: &str| (format!("{} {zh}", self.code), format!("{} {en}", self.code));
        match self.what {
            Missing::Desks => Words::new(
                format!("{zh}有居民而没有采样台（0 个）：请增设采样台并配备采样人员"),
                format!("{en} {has} people and no desk (0): add desks, with samplers"),
            ),
            Missing::Samplers => Words::new(
                format!("{zh}有采样台而没有采样人员（0 人）：请配备采样人员"),
                format!("{en} {has} desks and no sampler (0): add samplers"),
            ),
            Missing::Units(kind) => {
                let ((zh, en), stage, unit) =
                    (lab(zh, en), kind.name(), Item::LabUnit(kind).name());
                Words::new(
                    format!("{zh}的{}环节没有设备（0 台）：请增加{}", stage.zh, unit.zh),
                    format!("{en} has no unit for {} (0): add at least one {}", stage.en, unit.en),
                )
            }
            Missing::Staff(kind) => {
                let ((zh, en), stage) = (lab(zh, en), kind.name());
                Words::new(
                    format!("{zh}的{}环节有设备而人员不足一台之用：请增加在册人员", stage.zh),
                    format!("{en} has units for {} and not the staff of one: add staff", stage.en),
                )
            }
            Missing::Hours(kind) => {
                let ((zh, en), stage) = (lab(zh, en), kind.name());
                Words::new(
                    format!("{zh}的{}环节没有工作时间：请核对班次和仪器日", stage.zh),
                    format!(
                        "{en} has no working hours for {}: check its shifts and instrument day",
                        stage.en
                    ),
                )
            }
        }
    }
}

/// Words one below the other.
pub(crate) fn lines(all: impl Iterator<Item = Words>) -> Words {
    let (zh, en): (Vec<_>, Vec<_>) = all.map(|words| (words.zh, words.en)).unzip();
    Words::new(zh.join("\n"), en.join("\n"))
}

/// A street as far as it matters here.
pub(super) struct Asked<'c> {
    /// Number of its district.
    pub district: usize,
    /// Its code and name.
    pub code: &'c str,
    /// Its name.
    pub name: &'c Words,
    /// Desks and samplers.
    pub have: [u64; 2],
    /// The labs that it may send to, by number.
    pub labs: Vec<usize>,
}

/// What must be there before the round can be reckoned, streets first, then labs, in the order of the city file. A lab that
/// cannot work is told only when some street has no other: with another one, the city has a round without it. A street that
/// has no lab in its reach is another matter (`reach`).
pub(super) fn lacking<'c>(
    city: &City,
    model: &Model,
    streets: impl Iterator<Item = Asked<'c>>,
) -> Vec<Lack> {
    let works =
        |lab: usize| model.labs.get(lab).is_some_and(|lab| super::round::lab_rate(lab).0 > 1e-9);
    let mut lacks = Vec::new();
    let mut needed = vec![false; city.labs.len()];
    for street in streets {
        let what = match street.have {
            [0, _] => Some(Missing::Desks),
            [_, 0] => Some(Missing::Samplers),
            _ => None,
        };
        if let Some(what) = what {
            lacks.push(Lack {
                district: city
                    .districts
                    .get(street.district)
                    .map_or_else(String::new, |d| d.code.clone()),
                code: street.code.to_owned(),
                name: street.name.clone(),
                what,
            });
        }
        if !street.labs.iter().any(|lab| works(*lab)) {
            street.labs.iter().for_each(|&lab| needed[lab] = true);
        }
    }
    for (number, lab) in city.labs.iter().enumerate().filter(|(number, _)| needed[*number]) {
        for kind in StageKind::ALL {
            let stage = &model.labs[number].stages[kind.index()];
            let what = match (lab.stage(kind).units, stage.units) {
                (0, _) => Missing::Units(kind),
                (_, 0) => Missing::Staff(kind),
                _ if stage.working_share() <= 1e-9 => Missing::Hours(kind),
                _ => continue,
            };
            lacks.push(Lack {
                district: String::new(),
                code: lab.code.clone(),
                name: lab.name.clone(),
                what,
            });
        }
    }
    lacks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_that_there_is_none_of_is_told_with_what_to_do() {
        for (what, zh, en) in [
            (
                Missing::Desks,
                "东所有居民而没有采样台（0 个）：请增设采样台并配备采样人员",
                "East has people and no desk (0): add desks, with samplers",
            ),
            (
                Missing::Samplers,
                "东所有采样台而没有采样人员（0 人）：请配备采样人员",
                "East has desks and no sampler (0): add samplers",
            ),
            (
                Missing::Units(StageKind::Pcr),
                "L1 东所的PCR 扩增环节没有设备（0 台）：请增加PCR 扩增仪",
                "L1 East has no unit for PCR (0): add at least one PCR cycler",
            ),
            (
                Missing::Staff(StageKind::Review),
                "L1 东所的判读审核环节有设备而人员不足一台之用：请增加在册人员",
                "L1 East has units for review and not the staff of one: add staff",
            ),
            (
                Missing::Hours(StageKind::Extract),
                "L1 东所的核酸提取环节没有工作时间：请核对班次和仪器日",
                "L1 East has no working hours for extraction: check its shifts and instrument day",
            ),
        ] {
            let (district, code, name) =
                (String::new(), "L1".to_owned(), Words::new("东所", "East"));
            assert_eq!(Lack { district, code, name, what }.words(), Words::new(zh, en));
        }
    }
}
