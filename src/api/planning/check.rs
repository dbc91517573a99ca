//! CheckPlan: the verdict of the rules and of the fluid, crews, and whether the list of shortages is enough.

use super::changes::Changes;
use super::words::{by_flows, sentences, slack, some, stage, target_hours};
use super::{GoOn, at_once, city, crews, filing, filled, go_on, shortages};
use crate::api::errors::Error;
use crate::api::limits::SHORTAGES_TOLD_MAX;
use crate::api::pb;
use crate::api::shared::Shared;
use crate::forecaster::{CityPlan, round_of};
use crate::planner::earlier;
use crate::planner::fluid::{self, CityFlow, LabFlow, NoUnits};
use crate::planner::model::{HOUR, MINUTE};
use crate::planner::round::Round;
use crate::planner::{
    self, City, FieldItem, FieldMore, Found, ListFilled, OneMore, Plan, StageKind, Words,
    fill_sent, shelf_mend, shelf_words, solve_sent,
};
use std::sync::Arc;

/// The answer.
pub async fn answer(
    shared: &Arc<Shared>,
    request: pb::CheckPlanRequest,
) -> Result<pb::CheckPlanReply, Error> {
    let plan = city(shared)?;
    let target_h = target_hours(plan, request.target_hours)?;
    let changes = Changes::of(plan, &request.units, &request.moves)?;
    let work =
        move |plan: &CityPlan, waited_for: GoOn<'_>| reckoned(plan, &changes, target_h, waited_for);
    let mut reply = at_once(shared, work).await?;
    reply.as_of = Some(shared.as_of());
    Ok(reply)
}

pub(super) fn reckoned(
    plan: &CityPlan,
    changes: &Changes,
    target_h: u32,
    waited_for: GoOn<'_>,
) -> Result<pb::CheckPlanReply, Error> {
    let changed = changes.city(plan);
    let rules = solve_sent(&changed, target_h, &changes.sent());
    go_on(waited_for)?;
    let round = changes.round(plan, target_h);
    go_on(waited_for)?;
    let (crews, crews_total) = crews::lines(&rules);
    let mut reply = pb::CheckPlanReply {
        as_of: None,
        city: plan.city.code.clone(),
        city_name: some(&plan.city.name),
        target_ms: i64::from(target_h) * i64::from(HOUR),
        rules: Some(of_rules(&changed, &rules, round.as_ref().ok())),
        fluid: None,
        unworkable: None,
        summary: None,
        crews,
        crews_total,
        crews_rest_on: crews::rest_on(&changed, &rules),
        shortages_filled: None,
        filing: None,
    };
    if !rules.shortages.is_empty() {
        reply.shortages_filled = Some(list_filled(&changed, &rules, changes, waited_for)?);
    }
    match round {
        Ok(round) => {
            let flow = fluid::city(&round.model);
            reply.filing = Some(filing::told(&changed, &rules, Some(&flow)));
            let more = planner::one_more(&changed, &round, &flow);
            let field = planner::field_more(&changed, &round, &flow);
            let in_time = flow.finish <= round.model.target;
            reply.summary =
                some(&by_the_rules(&rules, in_time, summary(&changed, &round, &flow, &more)));
            reply.fluid = Some(of_flow(&round, &flow, &more, &field));
        }
        Err(words) => {
            reply.filing = Some(filing::told(&changed, &rules, None));
            reply.summary = some(&never(&words));
            reply.unworkable = some(&words);
        }
    }
    Ok(reply)
}

/// Whether the list of shortages is enough: what the rules and the flows say of the city with everything on it.
fn list_filled(
    city: &City,
    rules: &Plan,
    changes: &Changes,
    waited_for: GoOn<'_>,
) -> Result<pb::ShortagesFilled, Error> {
    let sent = changes.sent();
    let city = fill_sent(city, rules, &sent);
    let rules = solve_sent(&city, rules.target_h, &sent);
    go_on(waited_for)?;
    let round = changes.moved(&city, round_of(&city, rules.target_h));
    go_on(waited_for)?;
    let round = round.map(|round| (fluid::city(&round.model), round));
    let found = round.as_ref().map(|(flow, round)| Found {
        round,
        flow,
        finish: flow.finish,
        replications: 0,
    });
    Ok(filled::told(&ListFilled { city: &city, rules: &rules, found }))
}

fn of_rules(city: &City, plan: &Plan, round: Option<&Round>) -> pb::RulesVerdict {
    let verdict = &plan.verdict;
    let minutes =
        |minutes: u64| i64::try_from(minutes.saturating_mul(u64::from(MINUTE))).unwrap_or(i64::MAX);
    let (place, place_name) = verdict.binding.tightest.clone().unwrap_or_default();
    let told = plan.shortages.iter().take(SHORTAGES_TOLD_MAX);
    let told = told.map(|line| shortages::line(city, plan, round, line));
    pb::RulesVerdict {
        yes: verdict.yes,
        takes_ms: verdict.minutes.map_or(-1, minutes),
        binding: some(&verdict.binding.stage.name()),
        binding_place: place,
        binding_place_name: some(&place_name),
        norms_met: verdict.norms_met,
        shortages: told.collect(),
        shortages_total: u32::try_from(plan.shortages.len()).unwrap_or(u32::MAX),
    }
}

/// By lab and stage: one more unit.
type More = [[OneMore; StageKind::COUNT]];

/// By lab: one more of what the street has whose tubes it waits for longest.
type Field = [Option<[FieldMore; FieldItem::ALL.len()]>];

fn of_flow(round: &Round, flow: &CityFlow, more: &More, field: &Field) -> pb::FluidVerdict {
    let target = round.model.target;
    let last = flow.last_lab().and_then(|lab| round.labs.get(lab));
    pb::FluidVerdict {
        sampled_ms: flow.sampled.into(),
        delivered_ms: flow.delivered.into(),
        finish_ms: flow.finish.into(),
        closed_ms: flow.closed.into(),
        in_time: flow.finish <= target,
        slack_ms: slack(target, flow.finish),
        last_lab: last.map(|lab| lab.0.clone()).unwrap_or_default(),
        labs: flow
            .labs
            .iter()
            .enumerate()
            .map(|(i, lab)| of_lab(round, i, lab, &more[i], field[i].as_ref()))
            .collect(),
    }
}

fn of_lab(
    round: &Round,
    number: usize,
    flow: &LabFlow,
    more: &[OneMore; StageKind::COUNT],
    field: Option<&[FieldMore; FieldItem::ALL.len()]>,
) -> pb::LabFluid {
    let (code, name) = &round.labs[number];
    let stages = StageKind::ALL.into_iter().map(|kind| {
        let at = kind.index();
        pb::StageFluid {
            stage: stage(kind).into(),
            name: some(&kind.name()),
            units: round.model.labs[number].stages[at].units,
            finish_alone_ms: flow.alone[at].into(),
            units_needed: flow.units_needed[at].map_or(-1, i64::from),
            one_more_saves_ms: more[at].saves.lab,
            waiting_max: flow.stages[at].waiting_max,
            one_more_saves_city_ms: more[at].saves.city,
            one_more_units: more[at].units,
            one_more_people: more[at].people,
        }
    });
    pb::LabFluid {
        lab: code.clone(),
        name: some(name),
        tubes: flow.tubes,
        recalled: flow.recalled,
        finish_ms: flow.finish.into(),
        slack_ms: slack(round.model.target, flow.finish),
        binding: stage(flow.binding).into(),
        binds_from_ms: flow.backlog().map_or(-1, |(_, from)| from.into()),
        stages: stages.collect(),
        streets: field.into_iter().flatten().map(|one| of_street(round, one)).collect(),
    }
}

fn of_street(round: &Round, one: &FieldMore) -> pb::StreetOneMore {
    let [desks, samplers, registrars] = one.takes;
    let street = round.problem.streets.get(one.street);
    let item = match one.item {
        FieldItem::Desk => pb::PlanChangeItem::Desks,
        FieldItem::Sampler => pb::PlanChangeItem::Samplers,
        FieldItem::Vehicle => pb::PlanChangeItem::Vehicles,
    };
    pb::StreetOneMore {
        street: street.map(|street| street.code.clone()).unwrap_or_default(),
        item: item.into(),
        text: some(&one.words()),
        desks,
        samplers,
        registrars,
        saves_ms: one.saves.lab,
        saves_city_ms: one.saves.city,
    }
}

/// The answer of a round that cannot be reckoned: no, and why, a sentence for each reason.
fn never(why: &Words) -> Words {
    let reasons = why.zh.lines().zip(why.en.lines()).map(|(zh, en)| Words::new(zh, en));
    let Words { zh, en } = sentences(&reasons.collect::<Vec<_>>());
    Words::new(format!("不能按时：{zh}"), format!("No: {en}"))
}

/// The answer of another layer, which knows nothing of stock and norms: where it says yes and the rules say no, the answer is no.
pub(super) fn by_the_rules(rules: &Plan, in_time: bool, answer: Words) -> Words {
    let shelf = rules.shelf();
    let stock = [shelf_words(&shelf), shelf_mend(&shelf)].into_iter().flatten();
    let stock = sentences(&stock.collect::<Vec<_>>());
    let Words { zh, en } = answer;
    if rules.verdict.yes || !in_time {
        return match shelf.is_empty() {
            true => Words::new(zh, en),
            false => sentences(&[Words::new(zh, en), stock]),
        };
    }
    if !shelf.is_empty() {
        return Words::new(
            format!("不能按时：{}不计库存与配备的推算：{zh}", stock.zh),
            format!("No: {} Reckoned without stock and norms: {en}", stock.en),
        );
    }
    Words::new(
        format!("不能按时：按指南算术仍有缺口，见缺口清单；不计库存与配备的推算：{zh}"),
        format!(
            "No: by the guide's arithmetic something is short, see the list of shortages. Reckoned without stock and norms: {en}"
        ),
    )
}

/// The answer in a few sentences: yes or no, what holds it up and from when, and what would mend it.
pub(super) fn summary(city: &City, round: &Round, flow: &CityFlow, more: &More) -> Words {
    let mut all = vec![by_flows(round.model.target, flow.finish)];
    if let Some(number) = flow.last_lab()
        && let Some(lab) = flow.labs.get(number).filter(|lab| lab.tubes > 0)
    {
        let Words { zh, en } = fluid::binds(city, flow, round.model.target);
        all.push(Words::new(zh, Words::capital(&en)));
        if flow.finish > round.model.target {
            all.push(mend(round, number, lab, &more[number]));
        }
    }
    sentences(&all)
}

/// What would bring the lab that is last within the target, as far as units do.
fn mend(round: &Round, number: usize, flow: &LabFlow, more: &[OneMore; StageKind::COUNT]) -> Words {
    let at = flow.binding.index();
    let stage = flow.binding.name();
    let have = round.model.labs[number].stages[at].units;
    let one = &more[at];
    let (what, lab, city) = (one.words(), earlier(one.saves.lab), earlier(one.saves.city));
    let (zh, en) = (
        format!("{}：该实验室{}；全市{}。", what.zh, lab.zh, city.zh),
        format!("With {}, this laboratory: {}; the whole city: {}.", what.en, lab.en, city.en),
    );
    match flow.no_units(round.model.target) {
        Some(NoUnits::FirstResult) => {
            return Words::new(
                "增加设备或采样台均无效：须放宽时限或缩短流程。",
                "No number of units or desks meets the target: allow more time or shorten the way.",
            );
        }
        Some(NoUnits::Transport) => {
            return Words::new(
                "增加设备无效：所缺的是转运车辆。",
                "No number of units meets the target: vehicles are what is short.",
            );
        }
        Some(NoUnits::LastTube) => {
            return Words::new(
                "增加设备无效：须更早采完、更快送达（采样台、车辆）或放宽时限。",
                "No number of units meets the target: sample and deliver earlier (desks, vehicles) or allow more time.",
            );
        }
        Some(NoUnits::Rest) => {
            return Words::new(
                format!("{}全部设备同时停歇，增加台数无效：须错开停歇或延长工作时间。", stage.zh),
                format!(
                    "All units for {} stand still at the same time, so no number of them meets the target: stagger their rests or let them work longer.",
                    stage.en
                ),
            );
        }
        None => {}
    }
    match flow.units_needed[at] {
        Some(needed) if needed > have => Words::new(
            format!("{}需 {needed} 台（组），现有 {have}。{zh}", stage.zh),
            format!(
                "{} needs {} in place of {have}. {en}",
                Words::capital(&stage.en),
                Words::many(needed.into(), "unit"),
            ),
        ),
        _ => Words::new(zh, en),
    }
}

#[cfg(test)]
mod tests {
    use super::super::every_step_is_the_last;
    use super::*;
    use crate::planner::{fill, sending};

    #[test]
    fn a_check_ends_between_its_steps_when_nobody_waits_for_it() {
        let plan = CityPlan::builtin("jiyuan");
        let changes = Changes::default();
        let steps = every_step_is_the_last(|go_on| reckoned(&plan, &changes, 24, go_on));
        // Two more for its list of shortages filled.
        assert_eq!(steps, 4);
    }

    #[test]
    fn a_city_with_nothing_on_the_shelf_is_told_no_though_the_flows_are_in_time() {
        let plan = CityPlan::builtin("jiyuan");
        let mut city = fill(&plan.city, &solve_sent(&plan.city, 400, &[]));
        let said = |city: &City| {
            let reply =
                reckoned(&CityPlan::of(city.clone()), &Changes::default(), 400, &|| true).unwrap();
            let words = reply.summary.unwrap();
            (
                reply.fluid.unwrap().in_time,
                words.zh.starts_with("按流体层"),
                words.en.starts_with("By the flows, chance left out, in time"),
            )
        };
        assert_eq!(said(&city), (true, true, true));
        for district in &mut city.districts {
            let stock = &mut district.stock;
            for ledger in [&mut stock.tubes, &mut stock.extraction, &mut stock.pcr] {
                *ledger = Default::default();
            }
        }
        assert_eq!(said(&city), (true, false, false));
    }

    #[test]
    fn where_nothing_is_short_there_is_no_list_to_be_enough() {
        let plan = CityPlan::builtin("jiyuan");
        let check =
            |city| reckoned(&CityPlan::of(city), &Changes::default(), 24, &|| true).unwrap();
        let short = check(plan.city.clone());
        assert!(short.rules.unwrap().shortages_total > 0 && short.shortages_filled.is_some());
        let filled = check(fill(&plan.city, &solve_sent(&plan.city, 24, &[])));
        assert_eq!((filled.rules.unwrap().shortages_total, filled.shortages_filled), (0, None));
    }

    #[test]
    fn a_list_filled_is_told_with_the_streets_that_a_request_moves() {
        let plan = CityPlan::builtin("chifeng");
        let street = plan.round.as_ref().unwrap().problem.streets[0].code.clone();
        let lab = plan.city.labs.last().unwrap().code.clone();
        let moves = [pb::StreetMove { street, lab }];
        let finish = |moves: &[pb::StreetMove]| {
            let changes = Changes::of(&plan, &[], moves).unwrap();
            let reply = reckoned(&plan, &changes, 24, &|| true).unwrap();
            reply.shortages_filled.unwrap().finish_ms
        };
        assert_ne!(finish(&moves), finish(&[]));
    }

    #[test]
    fn what_is_short_at_a_lab_to_which_no_street_sends_says_so() {
        let CityPlan { city, round, .. } = CityPlan::builtin("chifeng");
        let mut round = round.unwrap();
        let rules = planner::solve(&city, 24);
        let noted = |round: &Round| -> Vec<bool> {
            let said = "; the assignment of streets sends no tubes there today";
            let lines = rules.shortages.iter().filter(|line| line.place == "T02");
            lines
                .map(|line| sending::mend_there(Some(round), &rules, line).en.contains(said))
                .collect()
        };
        assert!(noted(&round).len() > 1 && noted(&round).iter().all(|said| !said));
        let lab = |code: &str| city.labs.iter().position(|lab| lab.code == code).unwrap();
        for i in 0..round.model.streets.len() {
            if round.model.streets[i].lab == lab("T02") {
                let street = round.source[i];
                sending::send(&city, &mut round, street, lab("T01"));
            }
        }
        assert!(noted(&round).iter().all(|said| *said));
    }

    #[test]
    fn a_list_that_mends_nothing_is_told_so() {
        // Below the norm's own time on the road: nothing on the list helps.
        let city = City { max_travel_s: Some(1200), ..CityPlan::builtin("jiyuan").city };
        let reply = reckoned(&CityPlan::of(city), &Changes::default(), 24, &|| true).unwrap();
        let filled = reply.shortages_filled.unwrap();
        assert!(!filled.meets_target && filled.binding.is_none());
        assert_eq!((filled.finish_ms, filled.slack_ms), (-1, 0));
        let summary = filled.summary.unwrap();
        assert!(summary.en.starts_with("With everything on this list filled it is still never"));
        assert!(summary.zh.starts_with("补齐本清单全部缺口后仍不能完成："), "{}", summary.zh);
    }

    #[test]
    fn a_street_that_reaches_no_laboratory_is_told_with_where_it_stands() {
        // Below the norm's own time on the road: no lab of the city is within reach.
        let city = City { max_travel_s: Some(1200), ..CityPlan::builtin("jiyuan").city };
        let plan = CityPlan::of(city);
        let reply = reckoned(&plan, &Changes::default(), 120, &|| true).unwrap();
        let rules = reply.rules.unwrap();
        assert!(!rules.yes && !rules.norms_met && reply.fluid.is_none());
        assert_eq!((rules.takes_ms, rules.binding_place.as_str()), (-1, "419001"));
        let summary = reply.summary.unwrap();
        let why = reply.unworkable.unwrap();
        assert!(summary.en.starts_with("No: Jiyuan (builtin:jiyuan.toml:"), "{}", summary.en);
        assert!(summary.zh.starts_with("不能按时：济源"), "{}", summary.zh);
        assert!(summary.en.contains("is 30 min away, over the 20 min of max_travel_minutes"));
        assert!(summary.zh.contains("在途 30 分钟，超过 max_travel_minutes 的 20 分钟"));
        // An assignment has nobody to send to, and says the same.
        let Err(Error::Unworkable { words }) =
            super::super::assign::whole_round(&plan, 24, &|| true)
        else {
            panic!("an assignment")
        };
        assert_eq!(words, (why.zh, why.en));
    }

    #[test]
    fn built_in_cities_are_answered_with_sentences_that_end() {
        for name in ["chifeng", "jiyuan", "kunming", "qujing"] {
            let plan = CityPlan::builtin(name);
            let Ok(round) = &plan.round else { continue };
            let flow = fluid::city(&round.model);
            let more = planner::one_more(&plan.city, round, &flow);
            let field = planner::field_more(&plan.city, round, &flow);
            let told = of_flow(round, &flow, &more, &field);
            assert_eq!(told.labs.len(), plan.city.labs.len());
            assert_eq!(told.slack_ms >= 0, told.in_time);
            let words = summary(&plan.city, round, &flow, &more);
            assert!(words.zh.ends_with('。') && words.en.ends_with('.'), "{name}: {words:?}");
            assert!(!words.en.chars().any(|c| c > '\u{2fff}'), "{name}: {}", words.en);
        }
    }
}
