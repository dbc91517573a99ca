//! WhatIf: a laboratory with more or fewer units, by simulation in pairs and by the fluid.
//!
//! Every street keeps its laboratory, so that nothing differs but the units. Where that says nothing, streets are assigned
//! anew with the change: when the round is never done as it is, or when the stage has no unit and so the laboratory no tubes.

use super::changes::{may_be_asked, units_changed};
use super::simulate::replications;
use super::words::{hours, off_target, sentences, some, stage, target_hours, time};
use super::{city, reckon, what_if_city};
use crate::api::errors::Error;
use crate::api::pb;
use crate::api::shared::Shared;
use crate::forecaster::{Change, CityPlan, changed, compare, round_of};
use crate::planner::chance::{one_pair, planned_values};
use crate::planner::model::{Lab, MINUTE, Ms};
use crate::planner::round::Round;
use crate::planner::study::Paired;
use crate::planner::times::not_compared;
use crate::planner::what_if::{
    BY_FLOWS, BY_FLOWS_ANEW, SIMULATED_MEAN, beside_the_flows, done_by, whole_city, why_later,
};
use crate::planner::{City, Words, assigned_anew, earlier, fluid, solve, with_units};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Of a time that there is none of.
pub(super) const NEVER: i64 = -1;

/// The answer.
pub async fn answer(
    shared: &Arc<Shared>,
    request: pb::WhatIfRequest,
) -> Result<pb::WhatIfReply, Error> {
    if !request.changes.is_empty() {
        return what_if_city::answer(shared, request).await;
    }
    let plan = city(shared)?;
    let target_h = target_hours(plan, request.target_hours)?;
    let asked =
        pb::UnitChange { lab: request.lab.clone(), stage: request.stage, units: request.units };
    let change = units_changed(plan, &asked)?;
    may_be_asked(plan, &change)?;
    let dice = dice(shared, &request);
    let work =
        move |plan: &CityPlan, stop: &AtomicBool| reckoned(plan, target_h, change, dice, stop);
    let mut reply = reckon(shared, work).await?;
    reply.as_of = Some(shared.as_of());
    Ok(reply)
}

/// Seed and pairs of a request.
pub(super) fn dice(shared: &Shared, request: &pb::WhatIfRequest) -> (u64, usize) {
    (request.seed, replications(shared, request.replications) as usize)
}

/// Units of the stage that the change is about.
fn units(lab: &Lab, change: &Change) -> u32 {
    lab.stages[change.stage.index()].units
}

pub(super) fn reckoned(
    plan: &CityPlan,
    target_h: u32,
    change: Change,
    dice: (u64, usize),
    stop: &AtomicBool,
) -> Result<pb::WhatIfReply, Error> {
    let planned = match target_h == plan.city.target_h {
        true => plan.round.clone(),
        false => round_of(&plan.city, target_h),
    };
    let works = |now: u32| now > 0 && now.saturating_add_signed(change.units) > 0;
    match planned {
        // No street can stay at a laboratory without units.
        Ok(round) if works(units(&round.model.labs[change.lab], &change)) => {
            let city = City { target_h, ..plan.city.clone() };
            kept(&city, &round, &change, dice, stop)
        }
        before => anew(&City { target_h, ..plan.city.clone() }, before, &change, dice, stop),
    }
}

/// With every street at its laboratory.
fn kept(
    city: &City,
    round: &Round,
    change: &Change,
    (seed, pairs): (u64, usize),
    stop: &AtomicBool,
) -> Result<pb::WhatIfReply, Error> {
    let number = change.lab;
    let mut with = round.model.clone();
    with.labs[number] = changed(&round.model, change).ok_or(Error::NotFound { field: "lab" })?;
    with.check().map_err(|why| round.say(&why))?;
    let [before, after] = fluid::ends_with(&round.model, number, &with.labs[number]);
    let paired = compare(&round.model, number, &with.labs[number], seed, pairs, stop);
    let lab_before = fluid::end_of_lab(&round.model, number, &round.model.labs[number]);
    let lab_after = fluid::one_lab(&with, number, &with.labs[number]);
    let in_city = i64::from(before) - i64::from(after);
    let anew = assigned_anew(city, number, change.stage, change.units.into(), after);
    let mut told = vec![first(&round.labs[number].1, change, &paired)];
    told.extend(why_later(&round.model, &with, &[number], &paired));
    told.extend([planned_values(&paired), of_city(before, after)]);
    told.extend(anew.map(|anew| with_streets_anew(before, anew)));
    let alone = with.tubes_by_lab().iter().enumerate().all(|(lab, n)| lab == number || *n == 0);
    told.push(beside_the_flows(&paired, alone.then_some(in_city)));
    let summary = sentences(&told);
    Ok(pb::WhatIfReply {
        as_of: None,
        units_before: units(&round.model.labs[number], change),
        units_after: units(&with.labs[number], change),
        before_ms: paired.before,
        after_ms: paired.after,
        saved_ms: paired.saved,
        saved_half_width_ms: half_width(&paired),
        pairs: u32::try_from(paired.pairs).unwrap_or(u32::MAX),
        fluid_lab_before_ms: lab_before.into(),
        fluid_lab_after_ms: lab_after.finish.into(),
        fluid_city_before_ms: before.into(),
        fluid_city_after_ms: after.into(),
        binding_after: stage(lab_after.binding).into(),
        summary: some(&summary),
        unworkable_before: None,
        assigned_anew: false,
        fluid_city_anew_after_ms: anew.map_or(NEVER, i64::from),
        labs: Vec::new(),
    })
}

/// As a city of its own: streets send where it is best with the change.
fn anew(
    city: &City,
    before: Result<Round, Words>,
    change: &Change,
    (seed, pairs): (u64, usize),
    stop: &AtomicBool,
) -> Result<pb::WhatIfReply, Error> {
    let number = change.lab;
    let with = with_units(city, number, change.stage, change.units.into());
    let round = round_of(&with, city.target_h).map_err(|why| never_with(before.is_ok(), &why))?;
    let working =
        solve(city, city.target_h).labs[number].capacity.stages[change.stage.index()].units_working;
    let after = fluid::city(&round.model);
    let before = before.map(|round| fluid::city(&round.model).finish);
    // Against itself: the mean of its finish, with the same chance as any other question. A lab that no street sends to any more
    // has none, and no pairs are told.
    let alone = compare(&round.model, number, &round.model.labs[number], seed, pairs, stop);
    let (lab, name) = (&after.labs[number], &round.labs[number].1);
    let mut told = vec![
        as_it_is(name, change, working > 0, &before),
        cured(name, change, &round, after.finish),
    ];
    if let Ok(before) = before {
        told.push(with_streets_anew(before, after.finish));
    }
    Ok(pb::WhatIfReply {
        as_of: None,
        units_before: u32::try_from(working).unwrap_or(u32::MAX),
        units_after: units(&round.model.labs[number], change),
        before_ms: NEVER as f64,
        after_ms: if lab.tubes > 0 { alone.after } else { NEVER as f64 },
        saved_ms: 0.0,
        saved_half_width_ms: NEVER as f64,
        pairs: if lab.tubes > 0 { u32::try_from(alone.pairs).unwrap_or(u32::MAX) } else { 0 },
        fluid_lab_before_ms: NEVER,
        fluid_lab_after_ms: if lab.tubes > 0 { lab.finish.into() } else { NEVER },
        fluid_city_before_ms: before.as_ref().map_or(NEVER, |finish| i64::from(*finish)),
        fluid_city_after_ms: after.finish.into(),
        binding_after: if lab.tubes > 0 { stage(lab.binding).into() } else { 0 },
        summary: some(&sentences(&told)),
        unworkable_before: before.as_ref().err().and_then(some),
        assigned_anew: true,
        fluid_city_anew_after_ms: after.finish.into(),
        labs: Vec::new(),
    })
}

/// That it is never done with the change; `done`: without it, it is.
pub(super) fn never_with(done: bool, why: &Words) -> Words {
    let (zh, en) = match done {
        true => ("按此变动后永远不能完成：", ""),
        false => ("按此变动后仍永远不能完成：", "still "),
    };
    Words::new(
        format!("{zh}{}", why.zh),
        format!("with this change the round is {en}never done: {}", why.en),
    )
}

/// The change, in words: "2 more for extraction at East Lab".
fn asked(lab: &Words, change: &Change) -> Words {
    let (stage, units) = (change.stage.name(), change.units.unsigned_abs());
    let (zh, en) = if change.units > 0 { ("增加", "more") } else { ("减少", "fewer") };
    Words::new(
        format!("{}的{}{zh} {units} 台（组）", lab.zh, stage.zh),
        format!("{units} {en} for {} at {}", stage.en, lab.en),
    )
}

/// What it does to the laboratory.
fn first(lab: &Words, change: &Change, paired: &Paired) -> Words {
    let (asked, this) = (asked(lab, change), Words::new("该实验室", "this laboratory"));
    let done = in_pairs(&this, paired);
    Words::new(format!("{}：{}", asked.zh, done.zh), format!("{}: {}", asked.en, done.en))
}

/// By how much earlier some laboratories are done, in pairs.
pub(super) fn in_pairs(labs: &Words, paired: &Paired) -> Words {
    if let Some(unknown) = paired.not_compared() {
        let of = done_by(labs, SIMULATED_MEAN);
        return Words::new(
            format!("{}{}。", of.zh, unknown.zh),
            format!("{}: {}.", of.en, unknown.en),
        );
    }
    let (of, by) = (done_by(labs, SIMULATED_MEAN), earlier(paired.saved.round() as i64));
    let width = match paired.half_width {
        Some(width) if width < f64::from(MINUTE / 2) => {
            Words::new("±不足半分钟", "± under half a minute")
        }
        Some(width) => {
            let Words { zh, en } = hours(width.round() as i64 + i64::from(MINUTE / 2));
            Words::new(format!("±{zh}"), format!("± {en}"))
        }
        None => one_pair(),
    };
    Words::new(
        format!("{}{}（{}）。", of.zh, by.zh, width.zh),
        format!("{}: {} ({}).", of.en, by.en, width.en),
    )
}

/// Half the width of the interval of pairs, as it is told on the wire.
pub(super) fn half_width(paired: &Paired) -> f64 {
    paired.half_width.unwrap_or(NEVER as f64)
}

/// What it saves the city, by the flows.
pub(super) fn of_city(before: Ms, after: Ms) -> Words {
    by_flows(BY_FLOWS, [before, after])
}

/// What it saves the city when streets are assigned anew.
pub(super) fn with_streets_anew(before: Ms, after: Ms) -> Words {
    by_flows(BY_FLOWS_ANEW, [before, after])
}

fn by_flows(come_by: (&str, &str), [before, after]: [Ms; 2]) -> Words {
    let saved = i64::from(before) - i64::from(after);
    let by = not_compared(before, after).unwrap_or_else(|| earlier(saved));
    let of = done_by(&whole_city(), come_by);
    Words::new(format!("{}{}。", of.zh, by.zh), format!("{}: {}.", Words::capital(&of.en), by.en))
}

/// That the round is never done as it is, and why; or that the laboratory takes no part in it.
fn as_it_is(lab: &Words, change: &Change, works: bool, before: &Result<u32, Words>) -> Words {
    let stage = change.stage.name();
    match before {
        Err(why) => never_as_it_is(why),
        Ok(_) if works => Words::new(
            format!("变动后{}的{}没有可用设备，各街道重新分派。", lab.zh, stage.zh),
            format!(
                "With the change {} has no unit for {} that works: streets are assigned anew.",
                lab.en, stage.en
            ),
        ),
        Ok(_) => Words::new(
            format!("现在{}的{}没有可用设备，没有街道送往该处。", lab.zh, stage.zh),
            format!(
                "As it is, {} has no unit for {} that works, and no street sends there.",
                lab.en, stage.en
            ),
        ),
    }
}

/// That the round is never done as it is, and why.
pub(super) fn never_as_it_is(why: &Words) -> Words {
    Words::new(
        format!("现在全市永远不能完成：{}", why.zh.replace('\n', "；")),
        format!("As it is, the round is never done: {}", why.en.replace('\n', "; ")),
    )
}

/// When the whole city is done with the change.
fn cured(lab: &Words, change: &Change, round: &Round, finish: u32) -> Words {
    let (asked, takes) = (asked(lab, change), time(finish));
    let off = off_target(round.model.target, finish);
    Words::new(
        format!("{}后，全市预计 {} 完成，{}。", asked.zh, takes.zh, off.zh),
        format!("With {} the whole city is done in {}, {}.", asked.en, takes.en, off.en),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::StageKind;

    const TOWN: &str = include_str!("../../../tests/suite/town.toml");

    /// What so many units for extraction bring to the laboratory of that number in the town.
    fn asked_of(town: &str, lab: usize, units: i32) -> Result<pb::WhatIfReply, Error> {
        let plan = CityPlan::written(town);
        let change = Change { lab, stage: StageKind::Extract, units };
        reckoned(&plan, 24, change, (1, 20), &AtomicBool::new(false))
    }

    /// The town without extractors in the east, and in both laboratories.
    fn without() -> (String, String) {
        let east = TOWN.replacen("extract = { units = 2,", "extract = { units = 0,", 1);
        let both = east.replacen("extract = { units = 1,", "extract = { units = 0,", 1);
        (east, both)
    }

    #[test]
    fn units_that_cure_a_round_that_is_never_done_say_when_it_then_is() {
        let (_, both) = without();
        let reply = asked_of(&both, 0, 1).unwrap();
        let never = (reply.before_ms, reply.fluid_lab_before_ms, reply.fluid_city_before_ms);
        assert_eq!(never, (-1.0, -1, -1));
        assert_eq!((reply.units_before, reply.units_after, reply.pairs), (0, 1, 20));
        assert!(reply.assigned_anew && reply.after_ms > 0.0 && reply.fluid_city_after_ms > 0);
        let why = reply.unworkable_before.unwrap();
        assert!(why.en.contains("LE East Lab has no unit for extraction (0)"), "{}", why.en);
        assert!(why.zh.contains("LE 东区检测所的核酸提取环节没有设备（0 台）"), "{}", why.zh);
        let said = reply.summary.unwrap();
        let (takes, target) = (hours(reply.fluid_city_after_ms), i64::from(24 * 3_600_000));
        let after = hours(target - reply.fluid_city_after_ms);
        assert!(said.en.starts_with("As it is, the round is never done: LE East Lab has no unit"));
        assert!(said.zh.starts_with("现在全市永远不能完成：LE 东区检测所的核酸提取环节没有设备"));
        let end = format!(
            " With 1 more for extraction at East Lab the whole city is done in {}, {} after the target.",
            takes.en, after.en
        );
        assert!(said.en.ends_with(&end), "{}", said.en);
        let end = format!(
            "。东区检测所的核酸提取增加 1 台（组）后，全市预计 {} 完成，比目标晚 {}。",
            takes.zh, after.zh
        );
        assert!(said.zh.ends_with(&end), "{}", said.zh);
    }

    #[test]
    fn units_that_do_not_cure_it_leave_what_is_still_lacking() {
        let (_, both) = without();
        let both = both.replacen("review = { units = 1,", "review = { units = 0,", 2);
        let Err(Error::Unworkable { words: (zh, en) }) = asked_of(&both, 0, 1) else {
            panic!("an answer")
        };
        assert!(
            en.starts_with(
                "with this change the round is still never done: LE East Lab has no unit for review"
            ),
            "{en}"
        );
        assert!(zh.starts_with("按此变动后仍永远不能完成：LE 东区检测所的判读审核环节没有设备"));
    }

    #[test]
    fn a_laboratory_that_could_not_work_is_given_streets() {
        let (east, _) = without();
        let reply = asked_of(&east, 0, 2).unwrap();
        assert!(reply.assigned_anew && reply.unworkable_before.is_none());
        assert!(reply.fluid_city_after_ms < reply.fluid_city_before_ms);
        assert_eq!((reply.units_before, reply.units_after), (0, 2));
        let said = reply.summary.unwrap();
        let begins = "As it is, East Lab has no unit for extraction that works, and no street";
        assert!(said.en.starts_with(begins) && said.en.ends_with(" earlier."), "{}", said.en);
        assert!(said.zh.starts_with("现在东区检测所的核酸提取没有可用设备，"), "{}", said.zh);
        // And back: its streets go where they can.
        let back = TOWN.replacen("extract = { units = 2,", "extract = { units = 1,", 1);
        let reply = asked_of(&back, 0, -1).unwrap();
        assert!(reply.assigned_anew && reply.unworkable_before.is_none());
        assert!(reply.fluid_city_after_ms > reply.fluid_city_before_ms);
        assert_eq!((reply.units_before, reply.units_after), (1, 0));
        let of_lab = (reply.after_ms, reply.fluid_lab_after_ms, reply.binding_after);
        assert_eq!(of_lab, (-1.0, -1, 0));
        let said = reply.summary.unwrap();
        let begins = "With the change East Lab has no unit for extraction that works: streets are";
        assert!(said.en.starts_with(begins) && said.en.ends_with(" later."), "{}", said.en);
        assert!(said.zh.starts_with("变动后东区检测所的核酸提取没有可用设备，"), "{}", said.zh);
        // Where it has units, every street stays.
        let reply = asked_of(TOWN, 0, 1).unwrap();
        assert!(!reply.assigned_anew && reply.unworkable_before.is_none() && reply.before_ms > 0.0);
    }
}
