//! What cannot be asked, and what can: places by their codes, and the bounds of each number.

use super::{Alter, Altered, At};
use crate::planner::city::{City, District, Street, Words, grouped};
use crate::planner::field_more::FieldItem;
use crate::planner::rules::{units_in_range, vehicles_of_streets};

/// Most persons per tube that a question may name.
pub const POOL_MAX: u64 = 50;

/// Codes of all districts and streets: a street behind its district and a stroke, as in an assignment; a district without streets is
/// its own street.
pub fn places(city: &City) -> Vec<String> {
    let of = |district: &District| {
        let street = |street: &Street| format!("{}/{}", district.code, street.code);
        std::iter::once(district.code.clone())
            .chain(district.streets.iter().map(street))
            .collect::<Vec<_>>()
    };
    city.districts.iter().flat_map(of).collect()
}

/// The place of a code: of a district, or of a street with or without its district before it; the whole city for none.
pub fn place_named(city: &City, code: &str) -> Option<At> {
    if code.is_empty() {
        return Some(At::City);
    }
    let (of, street) = code.split_once('/').map_or((None, code), |(of, street)| (Some(of), street));
    for (d, district) in city.districts.iter().enumerate() {
        if of.is_none() && district.code == street {
            return Some(At::District(d));
        }
        if of.is_some_and(|of| of != district.code) {
            continue;
        }
        if let Some(s) = district.streets.iter().position(|one| one.code == street) {
            return Some(At::Street(d, s));
        }
    }
    None
}

/// Nothing, where a change can be made.
pub(super) fn refuse(altered: &Altered, change: &Alter) -> Result<(), Words> {
    let city = &altered.city;
    match *change {
        Alter::Field { at, item, more } => {
            units_in_range(more)?;
            field(altered, at, item, more)
        }
        Alter::Staff { lab, stage, more } => {
            units_in_range(more)?;
            let Some(lab) = city.labs.get(lab) else { return Ok(()) };
            let (stage, fewer) = (lab.stage(stage), more.unsigned_abs());
            if stage.crew == 0 {
                let name = stage.kind.name();
                return Err(Words::new(
                    format!("{} 的{}无需人员看管，增减人员没有作用", lab.code, name.zh),
                    format!(
                        "{} at {} runs without people: more of them change nothing",
                        name.en, lab.code
                    ),
                ));
            }
            match more < 0 && fewer > stage.staff {
                true => Err(too_few(&lab.code, &person(), stage.staff, fewer)),
                false => Ok(()),
            }
        }
        Alter::Pool { persons, .. } => within(persons, 1, POOL_MAX, "每管人数", "persons per tube"),
        Alter::Prevalence { share } if !(0.0..=1.0).contains(&share) => Err(Words::new(
            format!("感染率 {share} 不成立：请填写 0 至 1 之间的数，如 0.001"),
            format!("a prevalence of {share} is not possible: give 0 to 1, such as 0.001"),
        )),
        Alter::Prevalence { .. } => Ok(()),
        Alter::Turnout { permille } => match (10..=1000).contains(&permille) {
            true => Ok(()),
            false => Err(Words::new(
                "到场率不成立：请填写 1 至 100（%）",
                "such a turnout is not possible: give 1 to 100 (%)",
            )),
        },
        Alter::SamplingHours { hours } => {
            within(hours, 1, 24, "每日采样小时数", "hours of sampling a day")
        }
        Alter::ShiftHours { hours, .. } => {
            within(hours, 1, 24, "每日班次小时数", "hours of shifts a day")
        }
        Alter::InstrumentHours { hours, .. } => {
            within(hours, 1, 24, "仪器每日运行小时数", "hours of instruments a day")
        }
    }
}

fn field(altered: &Altered, at: At, item: FieldItem, more: i64) -> Result<(), Words> {
    let city = &altered.city;
    let (code, have) = match at {
        At::City => {
            let codes = Words::listed(
                places(city)
                    .into_iter()
                    .map(|code| Words::new(code.clone(), code))
                    .collect::<Vec<_>>()
                    .into_iter(),
                20,
                "处",
            );
            return Err(Words::new(
                format!("请说明在哪个区县或街道；可用：{}", codes.zh),
                format!("say in which district or street; there are: {}", codes.en),
            ));
        }
        At::District(d) => {
            let district = &city.districts[d];
            (district.code.clone(), district.have.clone())
        }
        At::Street(d, s) => {
            let street = city.streets_of(&city.districts[d]).swap_remove(s);
            let have = street.have.unwrap_or_else(|| city.districts[d].have.clone());
            (street.code, have)
        }
    };
    let vehicles = || match at {
        At::Street(d, s) => altered.street_vehicles(d, s),
        At::District(d) => city.fleet_of(&city.districts[d]).vehicles,
        At::City => 0,
    };
    let (there, keeps) = match item {
        FieldItem::Desk => (have.desks.min(have.samplers), 0),
        FieldItem::Sampler => (have.samplers, 0),
        FieldItem::Vehicle => (vehicles(), 1),
    };
    let fewer = more.unsigned_abs();
    match more < 0 && fewer > there.saturating_sub(keeps) {
        true => {
            let mut words = too_few(&code, &item.name(), there.saturating_sub(keeps), fewer);
            if keeps > 0 {
                words = Words::new(
                    format!("{}（每处至少保留 1 辆）", words.zh),
                    format!("{} (each place keeps one)", words.en),
                );
            }
            Err(words)
        }
        false => Ok(()),
    }
}

impl Altered {
    /// Vehicles of a street as the round has them.
    fn street_vehicles(&self, d: usize, s: usize) -> u64 {
        let vehicles = vehicles_of_streets(&self.city);
        vehicles.get(d).and_then(|of| of.get(s)).map_or(1, |n| (*n).max(1))
    }
}

fn person() -> Words {
    Words::new("人员", "people")
}

fn too_few(code: &str, what: &Words, most: u64, fewer: u64) -> Words {
    Words::new(
        format!("{code} 的{}至多可减少 {}，不能减少 {}", what.zh, grouped(most), grouped(fewer)),
        format!(
            "{code} cannot have {} fewer ({}): take away {} at most",
            grouped(fewer),
            what.en,
            grouped(most)
        ),
    )
}

fn within(n: u64, least: u64, most: u64, zh: &str, en: &str) -> Result<(), Words> {
    match (least..=most).contains(&n) {
        true => Ok(()),
        false => Err(Words::new(
            format!("{zh}不能为 {n}：请填写 {least} 至 {most}"),
            format!("{n} {en}: give {least} to {most}"),
        )),
    }
}
