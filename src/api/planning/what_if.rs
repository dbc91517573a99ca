//! WhatIf: a laboratory with more or fewer units, by simulation in pairs and by the fluid.

use super::changes::units_changed;
use super::simulate::replications;
use super::words::{hours, sentences, some, stage, target_hours};
use super::{city, reckon};
use crate::api::errors::Error;
use crate::api::pb;
use crate::api::shared::Shared;
use crate::forecaster::{Change, CityPlan, changed, compare, round_of};
use crate::planner::Words;
use crate::planner::fluid;
use crate::planner::study::Paired;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The answer.
pub async fn answer(
    shared: &Arc<Shared>,
    request: pb::WhatIfRequest,
) -> Result<pb::WhatIfReply, Error> {
    let plan = city(shared)?;
    let target_h = target_hours(plan, request.target_hours)?;
    let asked =
        pb::UnitChange { lab: request.lab.clone(), stage: request.stage, units: request.units };
    let change = units_changed(plan, &asked)?;
    let (seed, pairs) = (request.seed, replications(shared, request.replications) as usize);
    let work = move |plan: &CityPlan, stop: &AtomicBool| {
        reckoned(plan, target_h, change, seed, pairs, stop)
    };
    let mut reply = reckon(shared, work).await?;
    reply.as_of = Some(shared.as_of());
    Ok(reply)
}

fn reckoned(
    plan: &CityPlan,
    target_h: u32,
    change: Change,
    seed: u64,
    pairs: usize,
    stop: &AtomicBool,
) -> Result<pb::WhatIfReply, Error> {
    let round = match target_h == plan.city.target_h {
        true => plan.round.clone()?,
        false => round_of(&plan.city, target_h)?,
    };
    let number = change.lab;
    let lab = changed(&round.model, &change).ok_or(Error::NotFound { field: "lab" })?;
    let units = |lab: &crate::planner::model::Lab| lab.stages[change.stage.index()].units;
    let mut with = round.model.clone();
    with.labs[number] = lab;
    with.check().map_err(|why| round.say(&why))?;
    let (before, after) = (fluid::city(&round.model), fluid::city(&with));
    let paired = compare(&round.model, number, &with.labs[number], seed, pairs, stop);
    let (lab_before, lab_after) = (&before.labs[number], &after.labs[number]);
    let name = &round.labs[number].1;
    let in_city = i64::from(before.finish) - i64::from(after.finish);
    let summary = summary(name, &change, &paired, in_city);
    Ok(pb::WhatIfReply {
        as_of: None,
        units_before: units(&round.model.labs[number]),
        units_after: units(&with.labs[number]),
        before_ms: paired.before,
        after_ms: paired.after,
        saved_ms: paired.saved,
        saved_half_width_ms: paired.half_width,
        pairs: u32::try_from(paired.pairs).unwrap_or(u32::MAX),
        fluid_lab_before_ms: lab_before.finish.into(),
        fluid_lab_after_ms: lab_after.finish.into(),
        fluid_city_before_ms: before.finish.into(),
        fluid_city_after_ms: after.finish.into(),
        binding_after: stage(lab_after.binding).into(),
        summary: some(&summary),
    })
}

fn summary(lab: &Words, change: &Change, paired: &Paired, in_city: i64) -> Words {
    let stage = change.stage.name();
    let units = change.units.unsigned_abs();
    let (zh, en) = if change.units > 0 { ("增加", "more") } else { ("减少", "fewer") };
    let saved = hours(paired.saved as i64);
    let width = hours(paired.half_width as i64);
    let (sooner_zh, sooner_en) =
        if paired.saved >= 0.0 { ("提前", "sooner") } else { ("推迟", "later") };
    let first = Words::new(
        format!(
            "{}的{}{zh} {units} 台（组）：该实验室{sooner_zh} {}（±{}）完成。",
            lab.zh, stage.zh, saved.zh, width.zh
        ),
        format!(
            "{units} {en} for {} at {}: this laboratory is done {} {sooner_en} (± {}).",
            stage.en, lab.en, saved.en, width.en
        ),
    );
    let city = hours(in_city);
    let second = match in_city {
        0 => Words::new("全市完成时间不变。", "The city's finish stays as it is."),
        1.. => Words::new(
            format!("全市可提前 {} 完成。", city.zh),
            format!("The whole city is done {} sooner.", city.en),
        ),
        _ => Words::new(
            format!("全市将推迟 {} 完成。", city.zh),
            format!("The whole city is done {} later.", city.en),
        ),
    };
    sentences(&[first, second])
}
