//! Changes in words.

use super::{Alter, At};
use crate::planner::city::{City, Words, grouped};
use crate::planner::field_more::FieldItem;

impl Alter {
    /// What is changed, in a few words: "Fumin: 5 more desks with their people".
    pub fn words(&self, city: &City) -> Words {
        match *self {
            Alter::Field { at, item, more } => {
                let n = grouped(more.unsigned_abs());
                let name = name(city, at);
                let (unit, one, many) = match item {
                    FieldItem::Desk => {
                        ("个采样台（含人员）", "desk with its people", "desks with their people")
                    }
                    FieldItem::Sampler => ("名采样人员", "sampler", "samplers"),
                    FieldItem::Vehicle => ("辆转运车", "vehicle", "vehicles"),
                };
                let en = if more.unsigned_abs() == 1 { one } else { many };
                let (zh, by) = sign(more);
                Words::new(
                    format!("{}：{zh} {n} {unit}", name.zh),
                    format!("{}: {n} {by} {en}", name.en),
                )
            }
            Alter::Staff { lab, stage, more } => {
                let (lab, stage) = (of_lab(city, Some(lab)), stage.name());
                let (n, (zh, by)) = (more.unsigned_abs(), sign(more));
                let people = if n == 1 { "person" } else { "people" };
                Words::new(
                    format!("{}的{}：{zh} {n} 名人员", lab.zh, stage.zh),
                    format!("{}, {}: {n} {by} {people}", lab.en, stage.en),
                )
            }
            Alter::Pool { at, persons } => {
                let name = name(city, at);
                Words::new(
                    format!("{}：每管 {persons} 人", name.zh),
                    format!("{}: {persons} to a tube", name.en),
                )
            }
            Alter::Prevalence { share } => {
                let percent = share * 100.0;
                Words::new(format!("感染率 {percent}%"), format!("{percent} % infected"))
            }
            Alter::Turnout { permille } => {
                let percent = permille as f64 / 10.0;
                Words::new(
                    format!("居民到场率 {percent}%"),
                    format!("{percent} % of the residents come"),
                )
            }
            Alter::SamplingHours { hours } => Words::new(
                format!("每日采样 {hours} 小时"),
                format!("sampling for {hours} h a day"),
            ),
            Alter::ShiftHours { lab, hours } => {
                let lab = of_lab(city, lab);
                Words::new(
                    format!("{}：每日排班 {hours} 小时，人员不变", lab.zh),
                    format!("{}: shifts of {hours} h a day, with the people of today", lab.en),
                )
            }
            Alter::InstrumentHours { lab, hours } => {
                let lab = of_lab(city, lab);
                Words::new(
                    format!("{}：仪器每日运行 {hours} 小时", lab.zh),
                    format!("{}: instruments run {hours} h a day", lab.en),
                )
            }
        }
    }
}

fn sign(more: i64) -> (&'static str, &'static str) {
    if more < 0 { ("减少", "fewer") } else { ("增加", "more") }
}

fn name(city: &City, at: At) -> Words {
    match at {
        At::City => city.name.clone(),
        At::District(d) => city.districts[d].name.clone(),
        At::Street(d, s) => {
            let district = &city.districts[d];
            district.streets.get(s).map_or(&district.name, |street| &street.name).clone()
        }
    }
}

fn of_lab(city: &City, lab: Option<usize>) -> Words {
    match lab.and_then(|lab| city.labs.get(lab)) {
        Some(lab) => lab.name.clone(),
        None => Words::new("各实验室", "all labs"),
    }
}

/// The labs that a change concerns, in a few words.
pub fn labs_words(city: &City, labs: &[usize]) -> Words {
    let all = city.labs.len();
    match labs {
        [lab] => of_lab(city, Some(*lab)),
        _ => Words::new(
            format!("所涉 {} 家实验室（共 {all} 家）", labs.len()),
            format!("the {} labs that it concerns (of {all})", labs.len()),
        ),
    }
}
