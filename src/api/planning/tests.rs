//! What CheckPlan and Assign say, a line for each fact, in both languages.

use super::changes::Changes;
use super::words::by_flows;
use super::{assign, check, too_long, what_if, what_if_city};
use crate::api::errors::Error;
use crate::api::pb;
use crate::domain::words::Time;
use crate::forecaster::{Change, CityPlan};
use crate::planner::fluid::{self, Held, LabFlow};
use crate::planner::model::{HOUR, MINUTE, Ms};
use crate::planner::{self, StageKind, Words};
use std::sync::atomic::AtomicBool;

/// A town of two districts, the first with two streets, and two laboratories that serve both.
const TOWN: &str = include_str!("../../../tests/suite/town.toml");

/// The town with each text replaced wherever it stands.
fn town(changes: &[[&str; 2]]) -> CityPlan {
    let changed = |text: String, [from, to]: &[&str; 2]| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    };
    let text = changes.iter().fold(TOWN.to_owned(), changed);
    CityPlan::written(&text)
}

const NO_EXTRACTOR: [&[[&str; 2]]; 2] = [
    &[["extract = { units = 2,", "extract = { units = 0,"]],
    &[["extract = { units = 1,", "extract = { units = 0,"]],
];

#[test]
fn what_a_round_lacks_is_the_answer_of_a_check_and_of_an_assignment() {
    let both = NO_EXTRACTOR.concat();
    let cases: [(&[[&str; 2]], &str, &str); 6] = [
        (
            &[["sites = 14\ndesks = 60", "sites = 0\ndesks = 0"]],
            "一街有居民而没有采样台（0 个）：请增设采样台并配备采样人员",
            "First Street has people and no desk (0): add desks, with samplers",
        ),
        (
            &[["samplers = 60\n", "samplers = 0\n"]],
            "西区有采样台而没有采样人员（0 人）：请配备采样人员",
            "West has desks and no sampler (0): add samplers",
        ),
        (
            &both,
            "LE 东区检测所的核酸提取环节没有设备（0 台）：请增加核酸提取仪",
            "LE East Lab has no unit for extraction (0): add at least one extractor",
        ),
        (
            &both,
            "LW 西区检测所的核酸提取环节没有设备（0 台）：请增加核酸提取仪",
            "LW West Lab has no unit for extraction (0): add at least one extractor",
        ),
        (
            &[["staff = 24 }", "staff = 0 }"], ["staff = 12 }", "staff = 0 }"]],
            "LE 东区检测所的开盖加样环节有设备而人员不足一台之用：请增加在册人员",
            "LE East Lab has units for decapping and not the staff of one: add staff",
        ),
        (
            &[["target_hours = 24\n", "target_hours = 24\nmax_travel_minutes = 20\n"]],
            "在途 30 分钟，超过 max_travel_minutes 的 20 分钟",
            "is 30 min away, over the 20 min of max_travel_minutes",
        ),
    ];
    for (changes, zh, en) in cases {
        let plan = town(changes);
        let reply = check::reckoned(&plan, &Changes::default(), 24, &|| true).unwrap();
        assert!(reply.fluid.is_none() && !reply.rules.unwrap().yes, "{en}");
        let (said, why) = (reply.summary.unwrap(), reply.unworkable.unwrap());
        assert!(said.en.starts_with("No: ") && said.zh.starts_with("不能按时："), "{said:?}");
        assert!(said.en.ends_with('.') && said.zh.ends_with('。'), "{said:?}");
        assert!(said.zh.contains(zh) && said.en.contains(en), "{en}: {said:?}");
        let Err(Error::Unworkable { words }) = assign::whole_round(&plan, 24, &|| true) else {
            panic!("an assignment: {en}")
        };
        assert_eq!(words, (why.zh, why.en));
    }
}

#[test]
fn an_assignment_says_that_its_hours_are_a_bound_at_mean_pace() {
    let reply = assign::whole_round(&town(&[]), 24, &|| true).unwrap();
    let said = reply.summary.unwrap();
    assert!(
        said.zh.contains(
            "分派中的小时数按各实验室的平均速率计算，如同首箱送达后样本随时都有：是分配街道的依据，也是下限；\
             样本陆续送达和仪器休息的影响见流体层和模拟，完成时间以其为准。"
        ),
        "{}",
        said.zh
    );
    let en = "The hours of the assignment take every lab at its mean pace, as if its tubes were there from its first box \
              on: they deal the streets, and are a bound. That tubes come by and by and instruments rest is in the flows \
              and the simulation: theirs is the time at which the round is done.";
    assert!(said.en.contains(en), "{}", said.en);
}

/// The town's first laboratory, done last in 27 h 40 min: extraction has a backlog from 8 h on and needs five units.
fn late(flow: &mut LabFlow) {
    let k = StageKind::Extract.index();
    (flow.finish, flow.delivered) = (27 * HOUR + 40 * MINUTE, 10 * HOUR);
    (flow.chain, flow.soonest) = (5 * HOUR, 3 * HOUR);
    (flow.binding, flow.held) = (StageKind::Extract, Held::Backlog);
    flow.units_needed[k] = Some(5);
    flow.stages[k].backlog_from = Some(8 * HOUR);
}

/// Takes from units that they help.
fn no_units(flow: &mut LabFlow) {
    flow.units_needed[StageKind::Extract.index()] = None;
}

#[test]
fn what_holds_the_last_laboratory_up_and_what_would_mend_it_are_sentences() {
    type Case<'a> = (fn(&mut LabFlow), [&'a str; 2], [&'a str; 2]);
    let five = [
        "核酸提取需 5 台（组），现有 2。增加 1 台核酸提取仪：该实验室提前 0 小时 30 分；全市不变。",
        "Extraction needs 5 units in place of 2. With one more extractor, this laboratory: 0 h 30 min earlier; the \
         whole city: no change.",
    ];
    let cases: [Case<'_>; 10] = [
        (
            |_| {},
            [
                "LE 东区检测所的核酸提取自 14:00 起成为瓶颈。",
                "Extraction at LE East Lab binds from 14:00.",
            ],
            five,
        ),
        (
            |flow| flow.held = Held::Rest,
            [
                "LE 东区检测所最后完成：核酸提取仪器每天只工作 18 小时，最后的样本要等仪器休息完。",
                "LE East Lab is last: the instruments for extraction work 18 h of a day, and the last tubes wait while they rest.",
            ],
            five,
        ),
        (
            |flow| flow.held = Held::Run,
            [
                "LE 东区检测所最后完成：最后的样本要等核酸提取做完前一批。",
                "LE East Lab is last: its last tubes wait for the run before theirs in extraction.",
            ],
            five,
        ),
        (
            |flow| flow.stages[StageKind::Extract.index()].backlog_from = None,
            [
                "LE 东区检测所最后完成：最后的样本要等核酸提取做完前一批。",
                "LE East Lab is last: its last tubes wait for the run before theirs in extraction.",
            ],
            five,
        ),
        (
            |flow| flow.held = Held::Stages,
            [
                "LE 东区检测所最后完成：最后的样本在几个环节各等一段。",
                "LE East Lab is last: its last tubes wait at one stage after the other.",
            ],
            five,
        ),
        (
            |flow| flow.held = Held::Way,
            [
                "LE 东区检测所最后完成，无积压：最后一管 16:00 送达，其后各环节各一次需 5 小时。",
                "LE East Lab is last and nothing queues there: its last tube comes at 16:00, and one run of each stage takes 5 h.",
            ],
            five,
        ),
        (
            |flow| flow.units_needed[StageKind::Extract.index()] = Some(2),
            [
                "LE 东区检测所的核酸提取自 14:00 起成为瓶颈。",
                "Extraction at LE East Lab binds from 14:00.",
            ],
            [
                "增加 1 台核酸提取仪：该实验室提前 0 小时 30 分；全市不变。",
                "With one more extractor, this laboratory: 0 h 30 min earlier; the whole city: no change.",
            ],
        ),
        (
            |flow| {
                no_units(flow);
                flow.soonest = 25 * HOUR;
            },
            [
                "流程本身：LE 东区检测所的首个结果（封箱、转运、各环节各一次）也要 25 小时。",
                "The way itself: even the first result of LE East Lab (box, transport, one run of each stage) takes 25 h.",
            ],
            [
                "增加设备或采样台均无效：须放宽时限或缩短流程。",
                "No number of units or desks meets the target: allow more time or shorten the way.",
            ],
        ),
        (
            |flow| {
                no_units(flow);
                flow.delivered = 20 * HOUR;
            },
            [
                "采样和送达：LE 东区检测所最后一管次日 02:00 才到，其后各环节各一次还需 5 小时。",
                "Collection: the last tube of LE East Lab comes at 02:00 next day, and one run of each stage takes 5 h more.",
            ],
            [
                "增加设备无效：须更早采完、更快送达（采样台、车辆）或放宽时限。",
                "No number of units meets the target: sample and deliver earlier (desks, vehicles) or allow more time.",
            ],
        ),
        (
            no_units,
            [
                "LE 东区检测所的核酸提取自 14:00 起成为瓶颈。",
                "Extraction at LE East Lab binds from 14:00.",
            ],
            [
                "核酸提取全部设备同时停歇，增加台数无效：须错开停歇或延长工作时间。",
                "All units for extraction stand still at the same time, so no number of them meets the target: stagger \
                 their rests or let them work longer.",
            ],
        ),
    ];
    let plan = town(&[]);
    let round = plan.round.as_ref().unwrap();
    for (change, held, mend) in cases {
        let mut flow = fluid::city(&round.model);
        late(&mut flow.labs[0]);
        change(&mut flow.labs[0]);
        flow.labs[1].finish = HOUR;
        flow.finish = flow.labs[0].finish;
        let mut more = planner::one_more(&plan.city, round, &flow);
        more[0][StageKind::Extract.index()].saves =
            fluid::Saved { lab: (30 * MINUTE).into(), city: 0 };
        let Words { zh, en } = check::summary(&plan.city, round, &flow, &more);
        let no = by_flows(24 * HOUR, flow.finish).zh;
        assert_eq!(zh, format!("{no}{}{}", held[0], mend[0]));
        let no = by_flows(24 * HOUR, flow.finish).en;
        assert_eq!(en, format!("{no} {} {}", held[1], mend[1]));
    }
}

#[test]
fn a_round_is_too_old_for_a_forecast_once_a_time_of_the_model_does_not_hold_it() {
    let opened = Time(1_700_000_000_000);
    let most = i64::from(Ms::MAX);
    for (ms, days) in
        [(-5, None), (0, None), (most, None), (most + 1, Some(49)), (60 * 86_400_000, Some(60))]
    {
        assert_eq!(too_long(opened, opened.plus_ms(ms)), days, "{ms}");
    }
}

/// What CheckPlan and Assign tell that one more unit saves is what WhatIf tells of it, to the millisecond.
#[test]
fn what_one_more_unit_saves_is_the_same_whoever_is_asked() {
    let go_on = || true;
    for plan in [town(&[]), CityPlan::builtin("kunming"), CityPlan::builtin("chifeng")] {
        let checked = check::reckoned(&plan, &Changes::default(), 24, &go_on).unwrap();
        let assigned = assign::whole_round(&plan, 24, &go_on).unwrap();
        let labs = checked.fluid.unwrap().labs;
        for (lab, (told, work)) in labs.iter().zip(&assigned.labs).enumerate().take(9) {
            assert_eq!(work.one_more.is_some(), told.tubes > 0);
            let Some(best) = &work.one_more else { continue };
            let (mut most, mut same) = (i64::MIN, false);
            for (stage, kind) in told.stages.iter().zip(StageKind::ALL) {
                let change = Change { lab, stage: kind, units: 1 };
                let stop = AtomicBool::new(true);
                let asked = what_if::reckoned(&plan, 24, change, (1, 1), &stop).unwrap();
                let saved = (
                    asked.fluid_lab_before_ms - asked.fluid_lab_after_ms,
                    asked.fluid_city_before_ms - asked.fluid_city_after_ms,
                );
                assert_eq!(
                    (stage.one_more_saves_ms, stage.one_more_saves_city_ms),
                    saved,
                    "{kind:?}"
                );
                most = most.max(saved.1);
                same |=
                    best.stage == stage.stage && (best.saves_lab_ms, best.saves_city_ms) == saved;
            }
            assert!(same && best.saves_city_ms == most, "{best:?}");
        }
    }
}

/// What CheckPlan tells that one more desk, sampler or vehicle saves is what WhatIf tells of it, to the millisecond.
#[test]
fn what_one_more_of_a_street_saves_is_the_same_whoever_is_asked() {
    let (go_on, mut some_save, mut of_one_lab) = (|| true, false, 0);
    for plan in [town(&[]), CityPlan::builtin("kunming")] {
        let checked = check::reckoned(&plan, &Changes::default(), 24, &go_on).unwrap();
        let labs = checked.fluid.unwrap().labs;
        let of_lab = |lab: &pb::LabFluid| {
            lab.streets.iter().map(|one| (lab.lab.clone(), one.clone())).collect::<Vec<_>>()
        };
        let streets: Vec<_> = labs.iter().flat_map(of_lab).collect();
        assert!(streets.len() >= 3);
        some_save |= streets.iter().any(|one| one.1.saves_city_ms > 0);
        for (lab, one) in streets.into_iter().take(12) {
            let asked = pb::PlanChange {
                item: one.item,
                place: one.street.clone(),
                more: 1,
                ..Default::default()
            };
            let reply = what_if_of(&plan, vec![asked]).unwrap();
            let city = reply.fluid_city_before_ms - reply.fluid_city_after_ms;
            assert_eq!(one.saves_city_ms, city, "{one:?}");
            // A sampler of whom there are enough changes no laboratory; of several WhatIf tells the last; of a street that sends to
            // several, the desk may be another's.
            let parts = plan.round.as_ref().unwrap();
            let of_street = |i: &usize| parts.problem.streets[*i].code == one.street;
            let sends_to_one = parts.source.iter().filter(|i| of_street(i)).count() == 1;
            if reply.labs == [lab] && sends_to_one {
                of_one_lab += 1;
                let labs = reply.fluid_lab_before_ms - reply.fluid_lab_after_ms;
                assert_eq!(one.saves_ms, labs, "{one:?}");
            }
            let (text, summary) = (one.text.clone().unwrap(), reply.summary.unwrap());
            assert!(!text.zh.is_empty() && text.en.starts_with("one more"), "{text:?}");
            assert!(summary.zh.ends_with('。') && summary.en.ends_with('.'), "{summary:?}");
        }
    }
    assert!(some_save && of_one_lab > 3, "{of_one_lab}");
}

fn what_if_of(plan: &CityPlan, changes: Vec<pb::PlanChange>) -> Result<pb::WhatIfReply, Error> {
    let request = pb::WhatIfRequest { changes, ..Default::default() };
    what_if_city::now(plan, 24, &request, (1, 5))
}

#[test]
fn changes_that_cannot_be_made_are_refused_with_what_there_is() {
    use pb::PlanChangeItem as Item;
    let plan = town(&[]);
    let change = |item: Item| pb::PlanChange { item: item.into(), ..Default::default() };
    for (asked, en) in [
        (change(Item::Unspecified), "1 PLAN_CHANGE_ITEM_DESKS, 2 PLAN_CHANGE_ITEM_SAMPLERS"),
        (
            pb::PlanChange { place: "X".into(), more: 1, ..change(Item::Desks) },
            "no `place` \"X\": check it; there are: 990001, 990001/990001001",
        ),
        (pb::PlanChange { more: 1, ..change(Item::Vehicles) }, "say in which district or street"),
        (pb::PlanChange { more: 1, ..change(Item::Staff) }, "there are: LE, LW"),
        (pb::PlanChange { to: 2.5, ..change(Item::Pool) }, "2.5 is not possible"),
        (pb::PlanChange { to: 99.0, ..change(Item::SamplingHours) }, "give 1 to 24"),
        (pb::PlanChange { to: f64::NAN, ..change(Item::Prevalence) }, "give 0 to 1"),
        // The number that was sent, not what it is in tenths.
        (pb::PlanChange { to: 90.55, ..change(Item::Turnout) }, "90.55 is not possible"),
        (
            pb::PlanChange { place: "990001".into(), more: 1, to: 3.0, ..change(Item::Desks) },
            "PLAN_CHANGE_ITEM_DESKS has none, leave it empty: give place, more only",
        ),
        (pb::PlanChange { to: 0.1, lab: "LE".into(), ..change(Item::Prevalence) }, "give to only"),
    ] {
        let texts = what_if_of(&plan, vec![asked]).unwrap_err().texts();
        assert!(texts.1.contains(en), "{texts:?}");
    }
    // Who is done today is not said to be never done still.
    let infected = pb::PlanChange { to: 0.5, ..change(Item::Prevalence) };
    let texts = what_if_of(&CityPlan::builtin("chifeng"), vec![infected]).unwrap_err().texts();
    assert!(texts.1.contains("with this change the round is never done"), "{texts:?}");
    assert!(texts.0.contains("按此变动后永远不能完成"), "{texts:?}");
    let many = vec![pb::PlanChange { to: 5.0, ..change(Item::Pool) }; 101];
    assert!(what_if_of(&plan, many).is_err());
    let both = pb::WhatIfRequest {
        units: 1,
        changes: vec![pb::PlanChange { to: 5.0, ..change(Item::Pool) }],
        ..Default::default()
    };
    assert!(what_if_city::now(&plan, 24, &both, (1, 5)).is_err());
}

/// Of one pair no interval is told, and of each that what is in doubt is not in it.
#[test]
fn pairs_say_how_sure_they_are_and_what_they_leave_out() {
    let plan = town(&[]);
    let change = Change { lab: 0, stage: StageKind::Extract, units: 1 };
    let hours = pb::WhatIfRequest {
        changes: vec![pb::PlanChange {
            item: pb::PlanChangeItem::SamplingHours.into(),
            to: 6.0,
            ..Default::default()
        }],
        ..Default::default()
    };
    let never = AtomicBool::new(false);
    for pairs in [1, 20] {
        let unit = what_if::reckoned(&plan, 24, change, (1, pairs), &never).unwrap();
        let hours = what_if_city::now(&plan, 24, &hours, (1, pairs)).unwrap();
        for reply in [unit, hours] {
            let said = reply.summary.unwrap();
            let told = |zh: &str, en: &str| said.zh.contains(zh) && said.en.contains(en);
            let one = told("（只有一对，没有置信区间）", "(one pair alone, which has no interval)");
            let sure = told("（±0 小时 ", "(± 0 h ");
            let left_out = match pairs {
                1 => told(
                    "不含各数本身的不确定。",
                    " The pair holds everything else at its planned value",
                ),
                _ => told(
                    "不含各数本身的不确定。",
                    " The pairs hold everything else at its planned value",
                ),
            };
            assert!(one == (pairs == 1) && sure == (pairs > 1) && left_out, "{pairs}: {said:?}");
            assert_eq!(reply.saved_half_width_ms < 0.0, pairs == 1);
            assert!(reply.saved_half_width_ms >= 0.0 || reply.saved_half_width_ms == -1.0);
        }
    }
}

/// What the simulation and what the flows say is told apart, and which of them counts.
#[test]
fn each_number_of_a_what_if_says_which_layer_it_is_of() {
    let plan = town(&[]);
    let ask = |item: pb::PlanChangeItem, to| {
        let change = pb::PlanChange { item: item.into(), to, ..Default::default() };
        let reply = what_if_of(&plan, vec![change]).unwrap();
        (reply.clone(), reply.summary.unwrap())
    };
    // Both labs are simulated: their end is the city's, and the flows, which know no chance, have it earlier.
    let (reply, said) = ask(pb::PlanChangeItem::SamplingHours, 6.0);
    assert!(reply.saved_ms < 0.0 && reply.fluid_city_after_ms < reply.fluid_city_before_ms);
    for part in [
        "The 2 labs that it concerns (of 2), last first result (simulated, mean): 4 h",
        "The whole city, last first result (by the flows): 6 h",
        "The whole city, last first result (by the flows, streets assigned anew): 6 h",
        "By the flows it is otherwise: they go by means and know no chance",
        "the answer is the simulation's.",
    ] {
        assert!(said.en.contains(part), "{part}: {}", said.en);
    }
    for part in [
        "所涉 2 家实验室（共 2 家）首检全部出结果（模拟均值）推迟 4 小时",
        "全市首检全部出结果（流体）提前 6 小时",
        "全市首检全部出结果（流体，重新分派街道）提前 6 小时",
        "流体与此不一致：它按均值计，没有偶然",
        "结论以模拟为准。",
    ] {
        assert!(said.zh.contains(part), "{part}: {}", said.zh);
    }
    // What changes nothing is no time that is sooner.
    let (reply, said) = ask(pb::PlanChangeItem::ShiftHours, 24.0);
    assert!(reply.saved_ms.abs() < 30_000.0);
    assert!(
        said.en.contains("(simulated, mean): no change (± under half a minute)."),
        "{}",
        said.en
    );
    assert!(said.zh.contains("（模拟均值）不变（±不足半分钟）。"), "{}", said.zh);
    assert!(said.en.contains("Where the flows say otherwise, the answer is the simulation's."));
    // One lab of two: nothing is wrong if the city is as it was.
    let change = Change { lab: 0, stage: StageKind::Extract, units: 1 };
    let reply = what_if::reckoned(&plan, 24, change, (1, 20), &AtomicBool::new(false)).unwrap();
    let said = reply.summary.unwrap();
    assert!(
        said.en.contains(": this laboratory, last first result (simulated, mean): "),
        "{}",
        said.en
    );
    assert!(said.en.ends_with("Where the flows say otherwise, the answer is the simulation's."));
}

/// More hours for the same samplers: what is later has its reason.
#[test]
fn what_is_later_with_more_of_it_is_told_why() {
    let plan = town(&[["samplers = 60\n", "samplers = 8\n"]]);
    let ask = |to: f64| {
        let change = pb::PlanChange {
            item: pb::PlanChangeItem::SamplingHours.into(),
            to,
            ..Default::default()
        };
        what_if_of(&plan, vec![change]).unwrap()
    };
    let longer = ask(24.0);
    let said = longer.summary.unwrap();
    assert!(longer.saved_ms < 0.0, "{said:?}");
    assert!(
        said.en.contains("It is later because the same samplers are spread over"),
        "{}",
        said.en
    );
    assert!(said.zh.contains("采样时间延长而采样人员未增"), "{}", said.zh);
    assert!(!ask(6.0).summary.unwrap().en.contains("It is later because"));
}
