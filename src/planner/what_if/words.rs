//! Changes in words.

use super::{Alter, At};
use crate::planner::city::{City, Words, grouped};
use crate::planner::differ::NO_CHANCE;
use crate::planner::field_more::FieldItem;
use crate::planner::model::MINUTE;
use crate::planner::study::Paired;

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

/// How a time is come by: the mean of replications.
pub const SIMULATED_MEAN: (&str, &str) = ("模拟均值", "simulated, mean");
/// How a time is come by: the flows with every street at its lab.
pub const BY_FLOWS: (&str, &str) = ("流体", "by the flows");
/// How a time is come by: the flows with streets where it is then best.
pub const BY_FLOWS_ANEW: (&str, &str) =
    ("流体，重新分派街道", "by the flows, streets assigned anew");

/// What a time is of: the last first result of what, and how that is come by.
pub fn done_by(of: &Words, (zh, en): (&str, &str)) -> Words {
    Words::new(
        format!("{}首检全部出结果（{zh}）", of.zh),
        format!("{}, last first result ({en})", of.en),
    )
}

/// The city as a label.
pub fn whole_city() -> Words {
    Words::new("全市", "the whole city")
}

/// Which of the two counts where the flows stand beside pairs. `saved`: what the same labs save by the flows, ms, where that is told:
/// where it goes another way, it is said why.
pub fn beside_the_flows(paired: &Paired, saved: Option<i64>) -> Words {
    let way = |ms: f64, least: f64| if ms.abs() < least { 0.0 } else { ms.signum() };
    let half_minute = f64::from(MINUTE / 2);
    let sure = paired.half_width.unwrap_or(0.0).max(half_minute);
    match saved.map(|saved| way(saved as f64, half_minute) != way(paired.saved, sure)) {
        Some(true) => Words::new(
            format!("流体与此不一致：{}，结论以模拟为准。", NO_CHANCE.0),
            format!(
                "By the flows it is otherwise: {}; the answer is the simulation's.",
                NO_CHANCE.1
            ),
        ),
        _ => Words::new(
            "流体与模拟不一致时，以模拟为准。",
            "Where the flows say otherwise, the answer is the simulation's.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flows_that_go_another_way_than_the_pairs_are_told_why() {
        let minute = f64::from(MINUTE);
        for (pairs, width, flows, otherwise) in [
            (-300.0, 10.0, Some(0), true),
            (-300.0, 10.0, Some(400), true),
            (300.0, 10.0, Some(-20), true),
            // Pairs that show nothing, and flows that do.
            (5.0, 10.0, Some(60), true),
            (5.0, 10.0, Some(0), false),
            (-300.0, 10.0, Some(-1), false),
            // The flows of other labs, too.
            (-300.0, 10.0, None, false),
        ] {
            let (saved, half_width) = (pairs * minute, Some(width * minute));
            let paired = Paired { pairs: 20, saved, half_width, ..Paired::default() };
            let said = beside_the_flows(&paired, flows.map(|flows| flows * i64::from(MINUTE)));
            let told = (said.zh.contains("没有偶然"), said.en.contains("know no chance"));
            assert_eq!(told, (otherwise, otherwise), "{pairs} {flows:?}");
            assert!(
                said.zh.contains("以模拟为准")
                    && said.en.contains("the answer is the simulation's")
            );
        }
    }
}
