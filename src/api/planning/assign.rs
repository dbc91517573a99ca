//! Assign: which street sends to which laboratory, before a round and during it.

use super::words::{sentences, some, stage, target_hours};
use super::{GoOn, at_once, city, go_on, newest};
use crate::api::errors::Error;
use crate::api::limits::{PENALTY_MINUTES, PENALTY_MINUTES_MAX};
use crate::api::pb;
use crate::api::shared::Shared;
use crate::forecaster::{CityPlan, LeftOver, left_over, round_of};
use crate::planner::assign::{
    self, Bound, LabLoad, Options, Problem, Redispatch, Standing, by_mean_pace, redispatch,
};
use crate::planner::forecast::Reading;
use crate::planner::model::HOUR;
use crate::planner::round::Round;
use crate::planner::{self, City, OneMore, Words, fluid};
use std::sync::Arc;

/// The answer.
pub async fn answer(
    shared: &Arc<Shared>,
    request: pb::AssignRequest,
) -> Result<pb::AssignReply, Error> {
    let plan = city(shared)?;
    let target_h = target_hours(plan, request.target_hours)?;
    let penalty_min = penalty(request.penalty_minutes)?;
    if !request.during_round && request.penalty_minutes != 0.0 {
        return Err(Error::invalid(
            "penalty_minutes",
            "只用于轮次进行中的重新分派：请留空，或填写 during_round",
            "is for assigning anew during a round: leave it empty, or set during_round",
        ));
    }
    if !request.during_round {
        let work =
            move |plan: &CityPlan, waited_for: GoOn<'_>| whole_round(plan, target_h, waited_for);
        let reply = at_once(shared, work).await?;
        return Ok(pb::AssignReply { as_of: Some(shared.as_of()), ..reply });
    }
    let outlook = newest(shared, shared.forecaster.outlook().borrow().clone())?;
    // Where nothing is forecast of the rest nothing is assigned anew either, and for the same reason.
    if let Err(why) = &outlook.forecast {
        return Err(why.clone().into());
    }
    let seq = outlook.seq;
    let own_target = request.target_hours > 0;
    // A target counts from the planned beginning, which in a round is later than its opening.
    let work = move |plan: &CityPlan, waited_for: GoOn<'_>| {
        let more = f64::from(target_h) - f64::from(plan.city.target_h);
        let more = if own_target { more } else { 0.0 };
        of_rest(&outlook.model, &outlook.reading, more, penalty_min, waited_for)
    };
    let reply = at_once(shared, work).await?;
    Ok(pb::AssignReply { as_of: Some(shared.as_of_seq(seq)), ..reply })
}

pub(super) fn whole_round(
    plan: &CityPlan,
    target_h: u32,
    waited_for: GoOn<'_>,
) -> Result<pb::AssignReply, Error> {
    let round = match target_h == plan.city.target_h {
        true => plan.round.clone()?,
        false => round_of(&plan.city, target_h)?,
    };
    go_on(waited_for)?;
    let city = City { target_h, ..plan.city.clone() };
    let flow = fluid::city(&round.model);
    let more = planner::one_more(&city, &round, &flow);
    let last = planner::at_the_last(&city, &flow, &more);
    go_on(waited_for)?;
    let mut reply = of_whole(&round);
    let said = last.map(|last| last.words(&city));
    let told = [Some(round.assignment.words.clone()), Some(by_mean_pace()), said];
    reply.summary = some(&sentences(&told.into_iter().flatten().collect::<Vec<_>>()));
    for (lab, (flow, stages)) in reply.labs.iter_mut().zip(flow.labs.iter().zip(&more)) {
        lab.one_more = (flow.tubes > 0).then(|| one_more(&planner::best(stages, flow.binding)));
    }
    Ok(reply)
}

fn one_more(one: &OneMore) -> pb::OneMoreUnit {
    pb::OneMoreUnit {
        stage: stage(one.stage).into(),
        units: one.units,
        people: one.people,
        saves_lab_ms: one.saves.lab,
        saves_city_ms: one.saves.city,
    }
}

fn penalty(asked: f64) -> Result<f64, Error> {
    match asked {
        0.0 => Ok(PENALTY_MINUTES),
        asked if asked > 0.0 && asked <= PENALTY_MINUTES_MAX => Ok(asked),
        _ => Err(Error::invalid(
            "penalty_minutes",
            format!("{asked} 超出范围：请填写 0 至 100000 分钟"),
            format!("{asked} is out of range: give 0 to 100000 minutes"),
        )),
    }
}

fn street_code(problem: &Problem, street: usize) -> String {
    problem.streets.get(street).map(|street| street.code.clone()).unwrap_or_default()
}

fn lab_code(problem: &Problem, lab: Option<usize>) -> String {
    lab.and_then(|lab| problem.labs.get(lab)).map(|lab| lab.code.clone()).unwrap_or_default()
}

fn cuts(problem: &Problem, bound: &Bound) -> Vec<pb::AssignCut> {
    let cut = |cut: &assign::Cut| pb::AssignCut {
        streets: cut.streets.iter().map(|street| street_code(problem, *street)).collect(),
        labs: cut.labs.iter().map(|lab| lab_code(problem, Some(*lab))).collect(),
        tubes: cut.tubes,
        tubes_per_hour: cut.rate,
        hours: cut.hours,
    };
    bound.cuts.iter().map(cut).collect()
}

fn labs(round: &Round, problem: &Problem, loads: &[LabLoad], backlog: &[u64]) -> Vec<pb::LabWork> {
    let lab = |(number, load): (usize, &LabLoad)| {
        let (code, name) = round.labs.get(number).cloned().unwrap_or_default();
        let of = problem.labs.get(number);
        pb::LabWork {
            lab: code,
            name: some(&name),
            streets: u32::try_from(load.streets).unwrap_or(u32::MAX),
            tubes: load.tubes,
            finish_hours: load.finish_h,
            tubes_per_hour: of.map_or(0.0, |lab| lab.rate),
            outside: of.is_some_and(|lab| lab.outside),
            backlog: backlog.get(number).copied().unwrap_or(0),
            one_more: None,
        }
    };
    loads.iter().enumerate().map(lab).collect()
}

fn lab_share(problem: &Problem, share: &assign::Share) -> pb::LabShare {
    pb::LabShare {
        lab: lab_code(problem, Some(share.lab)),
        tubes: share.tubes,
        minutes: share.minutes,
        km: share.km,
    }
}

fn overflow(problem: &Problem, share: &assign::Share) -> pb::AssignOverflow {
    pb::AssignOverflow {
        street: street_code(problem, share.street),
        share: Some(lab_share(problem, share)),
    }
}

/// The streets that send to laboratories of other cities, whole, with their way there.
fn sent_outside(left: &Problem, lab_of: &[Option<usize>]) -> Vec<assign::Share> {
    let outside = |(street, lab): (usize, &Option<usize>)| {
        let from = left.streets.get(street)?;
        let lab = lab.filter(|&lab| left.labs.get(lab).is_some_and(|lab| lab.outside))?;
        let way = from.ways.iter().find(|way| way.lab == lab);
        let (minutes, km) = way.map_or((0.0, 0.0), |way| (way.minutes, way.km));
        (from.tubes > 0).then_some(assign::Share { street, lab, tubes: from.tubes, minutes, km })
    };
    lab_of.iter().enumerate().filter_map(outside).collect()
}

fn of_whole(round: &Round) -> pb::AssignReply {
    let (problem, found) = (&round.problem, &round.assignment);
    let street = |(number, street): (usize, &assign::Street)| {
        let shares = found.shares.sent.iter().filter(|share| share.street == number);
        let shares = shares.map(|share| lab_share(problem, share));
        pb::StreetLab {
            street: street.code.clone(),
            tubes: street.tubes,
            lab: lab_code(problem, found.whole.lab_of.get(number).copied().flatten()),
            shares: shares.collect(),
            moved_from: String::new(),
            gain_minutes: 0.0,
        }
    };
    pb::AssignReply {
        as_of: None,
        bound_hours: found.whole.bound_h,
        finish_hours: found.whole.finish_h,
        gap: found.whole.gap,
        cuts: cuts(problem, &found.bound),
        streets: problem.streets.iter().enumerate().map(street).collect(),
        labs: labs(round, problem, &found.whole.labs, &[]),
        overflow_tubes: found.overflow.tubes,
        summary: None,
        finish_unchanged_hours: 0.0,
        stuck_tubes: 0,
        overflow: found.overflow.sent.iter().map(|share| overflow(problem, share)).collect(),
        own_bound_hours: found.bound.hours,
        aim_hours: found.aim_h,
        then: found.then.iter().flat_map(|bound| cuts(problem, bound)).collect(),
    }
}

/// What is left of a round that goes on; its target is `more_hours` later than the plan's.
fn of_rest(
    round: &Round,
    reading: &Reading,
    more_hours: f64,
    penalty_min: f64,
    waited_for: GoOn<'_>,
) -> Result<pb::AssignReply, Error> {
    let hours = |ms: u32| f64::from(ms) / f64::from(HOUR);
    let passed = hours(reading.at);
    let target = hours(round.model.target) + more_hours;
    let options = Options { target_h: Some((target - passed).max(0.0)), ..Options::default() };
    let LeftOver { left, backlog, current } = left_over(round, reading);
    go_on(waited_for)?;
    let standing = Standing { left: &left, backlog: &backlog, current: &current, penalty_min };
    let found = redispatch(&standing, &options).map_err(|error| {
        let Words { zh, en } = error.words();
        Words::new(
            format!("剩余任务无法分配（{zh}）：请核对城市文件"),
            format!("what is left cannot be assigned: {en}; check the city file"),
        )
    })?;
    go_on(waited_for)?;
    Ok(of_found(round, &left, &backlog, &found))
}

fn of_found(round: &Round, left: &Problem, backlog: &[u64], found: &Redispatch) -> pb::AssignReply {
    let over = sent_outside(left, &found.lab_of);
    let street = |(number, street): (usize, &assign::Street)| {
        let moved = found.moved.iter().find(|moved| moved.street == number);
        pb::StreetLab {
            street: street.code.clone(),
            tubes: street.tubes,
            lab: lab_code(left, found.lab_of.get(number).copied().flatten()),
            shares: Vec::new(),
            moved_from: lab_code(left, moved.and_then(|moved| moved.from)),
            gain_minutes: moved.and_then(|moved| moved.gain_min).unwrap_or(0.0),
        }
    };
    pb::AssignReply {
        as_of: None,
        bound_hours: found.least_h,
        finish_hours: found.finish_h,
        gap: found.gap,
        cuts: cuts(left, &found.bound),
        streets: left.streets.iter().enumerate().map(street).collect(),
        labs: labs(round, left, &found.labs, backlog),
        overflow_tubes: over.iter().map(|share| share.tubes).sum(),
        summary: some(&sentences(&[found.words.clone(), by_mean_pace()])),
        finish_unchanged_hours: found.finish_before_h.unwrap_or(-1.0),
        stuck_tubes: found.stuck.iter().map(|stuck| stuck.1).sum(),
        overflow: over.iter().map(|share| overflow(left, share)).collect(),
        own_bound_hours: found.bound.hours,
        aim_hours: found.aim_h,
        then: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::every_step_is_the_last;
    use super::*;

    /// A city with one laboratory and a large one of another city, in reach of all its streets.
    fn with_a_neighbour() -> Round {
        let own = CityPlan::builtin("jiyuan").city;
        let mut far = own.labs[0].clone();
        (far.code, far.outside) = ("FAR".into(), true);
        far.serves = own.districts.iter().map(|district| district.code.clone()).collect();
        far.stages.iter_mut().for_each(|stage| (stage.units, stage.staff) = (400, 4000));
        let mut labs = own.labs.clone();
        labs.push(far);
        Round::of(&City { labs, ..own }).unwrap()
    }

    #[test]
    fn an_assignment_ends_between_its_steps_when_nobody_waits_for_it() {
        let plan = CityPlan::builtin("jiyuan");
        let whole = every_step_is_the_last(|go_on| whole_round(&plan, 30, go_on));
        let (round, reading) = (plan.round.as_ref().unwrap(), Reading::default());
        let rest = every_step_is_the_last(|go_on| of_rest(round, &reading, 0.0, 30.0, go_on));
        assert_eq!((whole, rest), (2, 2));
    }

    #[test]
    fn during_a_round_the_overflow_is_what_streets_send_outside_and_only_in_need() {
        let round = with_a_neighbour();
        let LeftOver { left, backlog, current } = left_over(&round, &Reading::default());
        let ask = |target_h| {
            let options = Options { target_h: Some(target_h), ..Options::default() };
            let current: Vec<Option<usize>> =
                current.iter().map(|lab| lab.filter(|&lab| !left.labs[lab].outside)).collect();
            let standing =
                Standing { left: &left, backlog: &backlog, current: &current, penalty_min: 1.0 };
            of_found(&round, &left, &backlog, &redispatch(&standing, &options).unwrap())
        };
        let own = ask(2000.0);
        assert_eq!((own.overflow_tubes, own.overflow.len()), (0, 0));
        let hurry = ask(own.own_bound_hours / 2.0);
        assert!(hurry.overflow_tubes > 0 && hurry.bound_hours < hurry.own_bound_hours);
        let sum: u64 = hurry.overflow.iter().map(|one| one.share.as_ref().unwrap().tubes).sum();
        let outside: u64 = hurry.labs.iter().filter(|lab| lab.outside).map(|lab| lab.tubes).sum();
        assert_eq!((sum, outside), (hurry.overflow_tubes, hurry.overflow_tubes));
        for one in &hurry.overflow {
            let street = hurry.streets.iter().find(|street| street.street == one.street).unwrap();
            assert_eq!(street.lab, one.share.as_ref().unwrap().lab);
        }
    }
}
