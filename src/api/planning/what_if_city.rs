//! WhatIf with changes of the plan: desks, samplers, vehicles, people at a stage, pool size, prevalence, turnout, hours.
//!
//! Every street keeps its laboratory, and the laboratories in which anything differs are simulated in pairs. A round that is never
//! done as it is is assigned anew with the changes.

use super::changes::lab_number;
use super::words::{by_flows, sentences, some, stage, stage_named, target_hours};
use super::{city, reckon, what_if};
use crate::api::errors::Error;
use crate::api::pb;
use crate::api::shared::Shared;
use crate::forecaster::{CityPlan, round_of};
use crate::planner::chance::planned_values;
use crate::planner::fluid;
use crate::planner::round::Round;
use crate::planner::study::{Paired, what_if_city};
use crate::planner::what_if::{
    ALTERATIONS_MAX, Alter, Altered, At, beside_the_flows, done_anew, labs_concerned, labs_done,
    labs_words, place_named, places, why_later,
};
use crate::planner::{City, FieldItem, Words};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The answer.
pub async fn answer(
    shared: &Arc<Shared>,
    request: pb::WhatIfRequest,
) -> Result<pb::WhatIfReply, Error> {
    let plan = city(shared)?;
    let target_h = target_hours(plan, request.target_hours)?;
    let changes = changes(plan, &request)?;
    let altered = altered(plan, target_h, &changes)?;
    let dice = what_if::dice(shared, &request);
    let work = move |plan: &CityPlan, stop: &AtomicBool| {
        reckoned(plan, target_h, &changes, &altered, dice, stop)
    };
    let mut reply = reckon(shared, work).await?;
    reply.as_of = Some(shared.as_of());
    Ok(reply)
}

fn changes(plan: &CityPlan, request: &pb::WhatIfRequest) -> Result<Vec<Alter>, Error> {
    if !request.lab.is_empty() || request.stage != 0 || request.units != 0 {
        return Err(Error::invalid(
            "changes",
            "不能与 lab、stage、units 同时填写：请分次询问",
            "cannot be asked together with lab, stage and units: ask in two requests",
        ));
    }
    if request.changes.len() > ALTERATIONS_MAX {
        let many = request.changes.len();
        return Err(Error::invalid(
            "changes",
            format!("共 {many} 项，超过 {ALTERATIONS_MAX} 项"),
            format!("there are {many}, more than {ALTERATIONS_MAX}"),
        ));
    }
    request.changes.iter().map(|change| read(plan, change)).collect()
}

/// A change as the planner has it.
fn read(plan: &CityPlan, change: &pb::PlanChange) -> Result<Alter, Error> {
    use pb::PlanChangeItem as Item;
    let item = Item::try_from(change.item).unwrap_or(Item::Unspecified);
    let more = i64::from(change.more);
    let at = || place(plan, &change.place);
    let lab = || match change.lab.is_empty() {
        true => Ok(None),
        false => lab_number(plan, &change.lab).map(Some),
    };
    let to = || whole(change.to);
    nothing_else(change, item)?;
    Ok(match item {
        Item::Unspecified => return Err(no_item(change.item)),
        Item::Desks => Alter::Field { at: at()?, item: FieldItem::Desk, more },
        Item::Samplers => Alter::Field { at: at()?, item: FieldItem::Sampler, more },
        Item::Vehicles => Alter::Field { at: at()?, item: FieldItem::Vehicle, more },
        Item::Staff => Alter::Staff {
            lab: lab_number(plan, &change.lab)?,
            stage: stage_named(change.stage)?,
            more,
        },
        Item::Pool => Alter::Pool { at: at()?, persons: to()? },
        Item::Prevalence => Alter::Prevalence { share: change.to },
        Item::Turnout => Alter::Turnout { permille: tenths(change.to)? },
        Item::SamplingHours => Alter::SamplingHours { hours: to()? },
        Item::ShiftHours => Alter::ShiftHours { lab: lab()?, hours: to()? },
        Item::InstrumentHours => Alter::InstrumentHours { lab: lab()?, hours: to()? },
    })
}

/// That only fields of the item are filled: one that is left unread may be what whoever asks thinks most of.
fn nothing_else(change: &pb::PlanChange, item: pb::PlanChangeItem) -> Result<(), Error> {
    use pb::PlanChangeItem as Item;
    let own: &[&str] = match item {
        Item::Unspecified => return Ok(()),
        Item::Desks | Item::Samplers | Item::Vehicles => &["place", "more"],
        Item::Staff => &["lab", "stage", "more"],
        Item::Pool => &["place", "to"],
        Item::Prevalence | Item::Turnout | Item::SamplingHours => &["to"],
        Item::ShiftHours | Item::InstrumentHours => &["lab", "to"],
    };
    let filled = [
        ("place", !change.place.is_empty()),
        ("lab", !change.lab.is_empty()),
        ("stage", change.stage != 0),
        ("more", change.more != 0),
        // Also what is no number.
        ("to", change.to != 0.0),
    ];
    match filled.into_iter().find(|(field, is)| *is && !own.contains(field)) {
        None => Ok(()),
        Some((field, _)) => {
            let (name, own) = (item.as_str_name(), own.join(", "));
            Err(Error::invalid(
                field,
                format!("{name} 不用此项，请留空：只填写 {own}"),
                format!("{name} has none, leave it empty: give {own} only"),
            ))
        }
    }
}

fn no_item(number: i32) -> Error {
    let names: Vec<String> = (1..)
        .map_while(|n| pb::PlanChangeItem::try_from(n).ok())
        .map(|item| format!("{} {}", item as i32, item.as_str_name()))
        .collect();
    let names = names.join(", ");
    Error::invalid(
        "item",
        format!("{number} 不是变动内容：请填写 PlanChangeItem 的编号：{names}"),
        format!("{number} is no item: give a number of PlanChangeItem: {names}"),
    )
}

fn place(plan: &CityPlan, code: &str) -> Result<At, Error> {
    place_named(&plan.city, code).ok_or_else(|| {
        let codes = places(&plan.city);
        let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
        Error::not_in_city("place", code, &codes)
    })
}

/// A whole number as it was sent; what it may be is the planner's to say.
fn whole(to: f64) -> Result<u64, Error> {
    in_parts(to, 1.0)
}

/// A number of one decimal as it was sent, in tenths.
fn tenths(to: f64) -> Result<u64, Error> {
    in_parts(to, 10.0)
}

fn in_parts(to: f64, parts: f64) -> Result<u64, Error> {
    let told = to * parts;
    match told.is_finite() && told >= 0.0 && (told - told.round()).abs() < 1e-6 {
        true => Ok(told.round() as u64),
        false => Err(Error::invalid(
            "to",
            format!("{to} 不是可用的数：请填写整数（到场率可有一位小数）"),
            format!("{to} is not possible: give a whole number (a turnout may have one decimal)"),
        )),
    }
}

fn altered(plan: &CityPlan, target_h: u32, changes: &[Alter]) -> Result<Altered, Error> {
    let city = City { target_h, ..plan.city.clone() };
    Altered::of(&city, changes).map_err(|Words { zh, en }| Error::invalid("changes", zh, en))
}

fn reckoned(
    plan: &CityPlan,
    target_h: u32,
    changes: &[Alter],
    altered: &Altered,
    dice: (u64, usize),
    stop: &AtomicBool,
) -> Result<pb::WhatIfReply, Error> {
    let planned = match target_h == plan.city.target_h {
        true => plan.round.clone(),
        false => round_of(&plan.city, target_h),
    };
    let what: Vec<Words> = changes.iter().map(|change| change.words(&plan.city)).collect();
    match planned {
        Ok(round) => kept(&round, altered, what, dice, stop),
        Err(why) => anew(altered, what, Err(&why)),
    }
}

/// With every street at its laboratory.
fn kept(
    round: &Round,
    altered: &Altered,
    mut told: Vec<Words>,
    (seed, pairs): (u64, usize),
    stop: &AtomicBool,
) -> Result<pb::WhatIfReply, Error> {
    let with = match altered.kept(round) {
        Ok(with) => with,
        Err(why) => return anew(altered, told, Ok((round, why.words()))),
    };
    let labs = labs_concerned(&round.model, &with.model);
    let [before, after] = [&round.model, &with.model].map(fluid::city);
    let go_on = || !stop.load(Ordering::Acquire);
    let none =
        Paired { before: what_if::NEVER as f64, after: what_if::NEVER as f64, ..Paired::default() };
    let paired = match labs.is_empty() {
        true => none,
        false => what_if_city(&round.model, &with.model, &labs, seed, pairs, &go_on),
    };
    let of_labs = |flow| match labs.is_empty() {
        true => what_if::NEVER,
        false => i64::from(labs_done(flow, &labs)),
    };
    if !labs.is_empty() {
        let Words { zh, en } = labs_words(&altered.city, &labs);
        let name = Words::new(zh, Words::capital(&en));
        told.push(what_if::in_pairs(&name, &paired));
        told.extend(why_later(&round.model, &with.model, &labs, &paired));
        told.push(planned_values(&paired));
    }
    let in_city = i64::from(before.finish) - i64::from(after.finish);
    told.push(what_if::of_city(before.finish, after.finish));
    let anew = done_anew(altered, after.finish);
    told.extend(anew.map(|anew| what_if::with_streets_anew(before.finish, anew)));
    if !labs.is_empty() {
        let tubes = with.model.tubes_by_lab();
        let all = (0..tubes.len()).all(|lab| tubes[lab] == 0 || labs.contains(&lab));
        told.push(beside_the_flows(&paired, all.then_some(in_city)));
    }
    let binding = after.last_lab().map(|lab| after.labs[lab].binding);
    Ok(pb::WhatIfReply {
        before_ms: paired.before,
        after_ms: paired.after,
        saved_ms: paired.saved,
        saved_half_width_ms: what_if::half_width(&paired),
        pairs: u32::try_from(paired.pairs).unwrap_or(u32::MAX),
        fluid_lab_before_ms: of_labs(&before),
        fluid_lab_after_ms: of_labs(&after),
        fluid_city_before_ms: before.finish.into(),
        fluid_city_after_ms: after.finish.into(),
        binding_after: binding.map_or(0, |kind| stage(kind).into()),
        summary: some(&sentences(&told)),
        fluid_city_anew_after_ms: anew.map_or(what_if::NEVER, i64::from),
        labs: labs.iter().map(|&lab| round.labs[lab].0.clone()).collect(),
        ..pb::WhatIfReply::default()
    })
}

/// As a city of its own, by the flows: streets send where it is then best. `before` is the round as it is and why no street can
/// stay at its laboratory, or why there is none.
fn anew(
    altered: &Altered,
    mut told: Vec<Words>,
    before: Result<(&Round, Words), &Words>,
) -> Result<pb::WhatIfReply, Error> {
    let round =
        altered.anew().map_err(|error| what_if::never_with(before.is_ok(), &error.words()))?;
    let after = fluid::city(&round.model);
    let before_ms = match &before {
        Ok((round, why)) => {
            told.push(never_kept(why));
            fluid::ends_of(&round.model).1.into()
        }
        Err(why) => {
            told.insert(0, what_if::never_as_it_is(why));
            what_if::NEVER
        }
    };
    told.push(by_flows(round.model.target, after.finish));
    let binding = after.last_lab().map(|lab| after.labs[lab].binding);
    Ok(pb::WhatIfReply {
        before_ms: what_if::NEVER as f64,
        after_ms: what_if::NEVER as f64,
        saved_half_width_ms: what_if::NEVER as f64,
        fluid_lab_before_ms: what_if::NEVER,
        fluid_lab_after_ms: what_if::NEVER,
        fluid_city_before_ms: before_ms,
        fluid_city_after_ms: after.finish.into(),
        binding_after: binding.map_or(0, |kind| stage(kind).into()),
        summary: some(&sentences(&told)),
        unworkable_before: before.err().and_then(some),
        assigned_anew: true,
        fluid_city_anew_after_ms: after.finish.into(),
        ..pb::WhatIfReply::default()
    })
}

/// That it is never done with every street at its laboratory.
fn never_kept(why: &Words) -> Words {
    Words::new(
        format!("各街道送样不变则永远不能完成，故重新分派街道：{}。", why.zh.replace('\n', "；")),
        format!(
            "With every street at its laboratory it is never done, so streets are assigned anew: {}.",
            why.en.replace('\n', "; ")
        ),
    )
}

/// The answer to a request, without a service around it.
#[cfg(test)]
pub(super) fn now(
    plan: &CityPlan,
    target_h: u32,
    request: &pb::WhatIfRequest,
    dice: (u64, usize),
) -> Result<pb::WhatIfReply, Error> {
    let changes = changes(plan, request)?;
    let altered = altered(plan, target_h, &changes)?;
    reckoned(plan, target_h, &changes, &altered, dice, &AtomicBool::new(false))
}
