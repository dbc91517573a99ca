//! SimulatePlan: many replications, told how far they are, and what they gave.

use super::changes::Changes;
use super::check::by_the_rules;
use super::words::{against, quantiles, sentences, some, spread, stage, target_hours};
use super::{city, reckon};
use crate::api::errors::Error;
use crate::api::limits::{REPLICATIONS, SIMULATION_PROGRESS_MS};
use crate::api::pb;
use crate::api::shared::Shared;
use crate::api::watched::{Teller, Watched, watched};
use crate::forecaster::CityPlan;
use crate::planner::round::Round;
use crate::planner::study::{Study, study};
use crate::planner::{Plan, Words, chance, far_words, fluid, late_words, solve_sent};
use pb::simulate_plan_reply::Body;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

/// Replications of a request: as many as it wants, within the server's limit.
pub fn replications(shared: &Shared, asked: u32) -> u32 {
    let wanted = if asked == 0 { REPLICATIONS } else { asked };
    wanted.min(shared.forecaster.options().replications_max)
}

/// Begins a simulation and gives the stream of its messages.
pub fn begin(
    shared: &Arc<Shared>,
    request: pb::SimulatePlanRequest,
) -> Result<Watched<pb::SimulatePlanReply>, Error> {
    let plan = city(shared)?;
    let target_h = target_hours(plan, request.target_hours)?;
    let changes = Changes::of(plan, &request.units, &request.moves)?;
    let shared = Arc::clone(shared);
    let (mut teller, watched) = watched(&shared, 2)?;
    tokio::spawn(async move {
        let mut stopping = shared.stopping.clone();
        let answer = tokio::select! {
            biased;
            _ = stopping.wait_for(|stopping| *stopping) => Err(Error::ShuttingDown),
            // Nobody is left to be told; what runs is stopped by being dropped here.
            () = teller.closed() => return,
            answer = run(&shared, &request, (target_h, changes), &teller) => answer,
        };
        let answer =
            answer.map(|result| pb::SimulatePlanReply { body: Some(Body::Result(result)) });
        teller.tell(answer).await;
    });
    Ok(watched)
}

async fn run(
    shared: &Shared,
    request: &pb::SimulatePlanRequest,
    (target_h, changes): (u32, Changes),
    teller: &Teller<pb::SimulatePlanReply>,
) -> Result<pb::SimulationResult, Error> {
    let of = replications(shared, request.replications);
    let (seed, without_doubt) = (request.seed, request.without_doubt);
    let done = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&done);
    let work = move |plan: &CityPlan, stop: &AtomicBool| {
        let round = changes.round(plan, target_h)?;
        let rules = solve_sent(&changes.city(plan), target_h, &changes.sent());
        let doubt = (!without_doubt).then_some(&round.doubt);
        let go_on = |so_many: usize| {
            counted.fetch_max(u32::try_from(so_many).unwrap_or(u32::MAX), Ordering::Relaxed);
            !stop.load(Ordering::Acquire)
        };
        let found = study(&round.model, doubt, seed, of as usize, &go_on);
        Ok(result(&rules, &round, &found))
    };
    let reckoned = reckon(shared, work);
    tokio::pin!(reckoned);
    let mut every = tokio::time::interval(Duration::from_millis(SIMULATION_PROGRESS_MS));
    loop {
        tokio::select! {
            biased;
            found = &mut reckoned => {
                return found.map(|found| pb::SimulationResult { as_of: Some(shared.as_of()), ..found });
            }
            _ = every.tick() => {
                let progress = pb::SimulationProgress { done: done.load(Ordering::Relaxed), of };
                // A slow reader misses some of them.
                let body = Some(Body::Progress(progress));
                teller.tell_if_read(pb::SimulatePlanReply { body });
            }
        }
    }
}

fn result(rules: &Plan, round: &Round, study: &Study) -> pb::SimulationResult {
    let labs = study.labs.iter().enumerate().map(|(number, finish)| {
        let (code, name) = round.labs.get(number).cloned().unwrap_or_default();
        let bottleneck =
            study.bottlenecks.get(number).map_or(pb::PlanStage::Unspecified, |it| stage(*it));
        pb::LabSpread {
            lab: code,
            name: some(&name),
            finish: quantiles(finish),
            bottleneck: bottleneck.into(),
        }
    });
    let chance = match study.spreads() {
        true => spread(&study.finish, study.in_time),
        false => alone(),
    };
    let mut told = vec![against(round.model.target, study.finish.p50), chance];
    told.extend(late_words(&round.model, fluid::ends_of(&round.model).0, study));
    told.extend(far_words(round));
    let in_time = study.finish.p50 <= round.model.target;
    let summary = by_the_rules(rules, in_time, sentences(&told));
    pb::SimulationResult {
        as_of: None,
        replications: u32::try_from(study.replications).unwrap_or(u32::MAX),
        target_ms: round.model.target.into(),
        in_time: study.in_time,
        sampled: quantiles(&study.sampled),
        delivered: quantiles(&study.delivered),
        finish: quantiles(&study.finish),
        closed: quantiles(&study.closed),
        labs: labs.collect(),
        streets: streets(round, &study.streets),
        recalled: study.recalled,
        summary: some(&summary),
    }
}

/// That one replication was asked for, and says no more.
fn alone() -> Words {
    let once = chance::once();
    Words::new(format!("{}。", once.zh), format!("This is {}.", once.en))
}

/// The streets of a round with their finishes.
pub fn streets(
    round: &Round,
    finishes: &[crate::planner::study::Quantiles],
) -> Vec<pb::StreetSpread> {
    let of = |((of, street), finish): ((&crate::planner::round::StreetOf, _), _)| {
        let street: &crate::planner::model::Street = street;
        let lab = round.labs.get(street.lab).map(|lab| lab.0.clone());
        pb::StreetSpread {
            district: of.district.clone(),
            street: of.code.clone(),
            name: some(&of.name),
            lab: lab.unwrap_or_default(),
            finish: quantiles(finish),
        }
    };
    round.streets.iter().zip(&round.model.streets).zip(finishes).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_replication_is_told_without_a_range_or_a_probability() {
        let plan = CityPlan::written(include_str!("../../../tests/suite/town.toml"));
        let round = plan.round.clone().unwrap();
        let rules = crate::planner::solve(&plan.city, 24);
        for (replications, once) in [(1, true), (2, false)] {
            let found = study(&round.model, Some(&round.doubt), 1, replications, &|_| true);
            let said = result(&rules, &round, &found).summary.unwrap();
            let en = "This is one replication alone, which has no range and no probability.";
            assert_eq!(said.en.contains(en), once, "{}", said.en);
            assert_eq!(
                said.zh.contains("只模拟了一次，没有离散范围和按时概率。"),
                once,
                "{}",
                said.zh
            );
            assert_eq!(said.en.contains("in 8 of 10 cases; in time with"), !once, "{}", said.en);
            assert!(!once || !said.en.contains("At P90"), "{}", said.en);
        }
    }
}
