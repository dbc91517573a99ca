//! Why the layers lie apart: the effect that was put in is the one that is found, and steps add up.

use super::{city, district, lab, n, street};
use crate::planner::apart::{Apart, Effect, Step, Steps, simulation_and_flows, steps};
use crate::planner::city::{Fleet, InstrumentDay, Shift};
use crate::planner::model::{HOUR, MINUTE, Model, Ms};
use crate::planner::round::{Doubt, Round};
use crate::planner::{City, StageKind, example, fluid, solve, study};

/// Nothing in doubt.
const SURE: Doubt = Doubt {
    desk_rate: 0.0,
    desk_rate_city: 0.0,
    lab_pace: 0.0,
    turnout: 0.0,
    turnout_city: 0.0,
    late_share: 0.0,
    late_mean: 0.0,
    travel: 0.0,
    prevalence: (0.0, 0.0),
    ..example::DOUBT
};

/// A city in which nothing goes by chance that can be left out.
fn calm() -> Model {
    let mut model = example::city(2);
    model.recall.prevalence = 0.0;
    for street in &mut model.streets {
        (street.late_share, street.desk_spread, street.travel_spread) = (0.0, 0.0, 0.0);
    }
    for stage in model.labs.iter_mut().flat_map(|lab| &mut lab.stages) {
        (stage.run_spread, stage.failures_per_day) = (0.0, 0.0);
    }
    model
}

#[test]
fn the_effect_that_makes_the_round_late_is_found() {
    // The labs keep up with whatever comes.
    let plenty = Model { labs: vec![example::lab([200; 7]), example::lab([200; 7])], ..calm() };
    for (model, doubt, effect) in [
        (plenty, Doubt { desk_rate: 0.4, ..SURE }, Effect::DeskSpeed),
        (calm(), Doubt { lab_pace: 0.3, lab_derate: 0.7, ..SURE }, Effect::LabPace),
        (calm(), Doubt { turnout: 0.5, ..SURE }, Effect::Turnout),
    ] {
        let study = study::study(&model, Some(&doubt), 1, 20, &|_| true);
        let flow = fluid::city(&model).finish;
        let apart = simulation_and_flows(&model, &doubt, (&study, 1), flow, &|| true)
            .expect("a small city");
        assert_eq!(apart.replications, 20);
        assert_eq!(apart.by[0].0, effect, "{apart:?}");
        let by = apart.by[0].1;
        assert!(by > i64::from(HOUR) && by > apart.gap / 2, "{apart:?}");
        assert!(apart.left.abs() < by && apart.by[1].1 < by / 2, "{apart:?}");
        let said = format!("what makes the mean later: {}", effect.name().en);
        assert!(apart.words().en.contains(&said), "{:?}", apart.words());
    }
    // Where nothing goes by chance, what is left out changes nothing.
    let model = calm();
    let (study, flow) = (study::study(&model, Some(&SURE), 1, 20, &|_| true), fluid::city(&model));
    let apart = |go_on| simulation_and_flows(&model, &SURE, (&study, 1), flow.finish, &|| go_on);
    let told = apart(true).expect("a small city");
    assert!(told.by.iter().all(|(_, by)| *by == 0), "{told:?}");
    assert!(
        told.words().en.contains("; no kind of chance alone accounts for much of it; "),
        "{told:?}"
    );
    assert_eq!(apart(false), None);
}

/// Of a round in which one thing alone goes by chance, that one accounts for all of it, and the others for nothing.
#[test]
fn each_kind_of_chance_can_be_left_out() {
    type Put = fn(&mut Model, &mut Doubt);
    let rows: [(Effect, Put); 8] = [
        (Effect::DeskSpeed, |m, _| m.streets.iter_mut().for_each(|s| s.desk_spread = 0.3)),
        (Effect::Turnout, |_, doubt| doubt.turnout = 0.3),
        (Effect::LateComers, |m, _| {
            // The labs keep up with whatever comes.
            m.labs.iter_mut().flat_map(|lab| &mut lab.stages).for_each(|s| s.set_units(200));
            m.streets.iter_mut().for_each(|s| s.late_share = 0.2);
        }),
        (Effect::LabPace, |_, doubt| (doubt.lab_pace, doubt.lab_derate) = (0.2, 0.7)),
        (Effect::Road, |m, _| m.streets.iter_mut().for_each(|s| s.travel_spread = 0.5)),
        (Effect::Breakdowns, |m, _| {
            m.labs.iter_mut().flat_map(|lab| &mut lab.stages).for_each(|stage| {
                (stage.failures_per_day, stage.repair) = (1.0, 2 * HOUR);
            });
        }),
        (Effect::Runs, |m, _| {
            m.labs.iter_mut().flat_map(|lab| &mut lab.stages).for_each(|s| s.run_spread = 0.3);
        }),
        (Effect::Recalls, |m, _| m.recall.prevalence = 0.01),
    ];
    for (effect, put) in rows {
        let (mut model, mut doubt) = (calm(), SURE);
        put(&mut model, &mut doubt);
        let study = study::study(&model, Some(&doubt), 1, 10, &|_| true);
        let flow = fluid::city(&model).finish;
        let told = simulation_and_flows(&model, &doubt, (&study, 1), flow, &|| true);
        let told = told.expect("a small city");
        assert_eq!(told.median, i64::from(study.finish.p50) - i64::from(flow), "{effect:?}");
        for &(one, by) in &told.by {
            let expected = if one == effect { told.gap - told.left } else { 0 };
            assert_eq!(by, expected, "{effect:?} {told:?}");
        }
        assert!(told.gap != told.left, "{effect:?}: nothing was put in");
    }
}

/// Both ways that mean and median may lie, and why they are not the same.
#[test]
fn mean_and_median_are_told_with_the_way_they_lie() {
    let h = i64::from(HOUR);
    let rows = [
        (
            (2 * h, -2 * h, -2 * h),
            "the mean (of 40) is 2.0 h later, the median 2.0 h earlier (few slow replications draw out the mean",
            "without any chance the simulation is 2.0 h earlier (in the flows the last tubes all take a late trip",
            "平均（40 次）晚 2.0 小时，中位数早 2.0 小时（少数偏慢的模拟拖后平均，不影响中位数）；",
        ),
        (
            (-3 * h, h, h / 2),
            "is 3.0 h earlier, the median 1.0 h later (few quick replications draw the mean forward",
            "without any chance the simulation is 0.5 h later (boxes, trips and plates go one by one)",
            "平均（40 次）早 3.0 小时，中位数晚 1.0 小时（少数偏快的模拟提前平均，不影响中位数）；",
        ),
        (
            (h, h, 0),
            "is 1.0 h later, the median 1.0 h later; no kind of chance",
            "without any chance the simulation is as the flows have it",
            "平均（40 次）晚 1.0 小时，中位数晚 1.0 小时；",
        ),
        (
            (20 * h, 20 * h, 20 * h),
            "is 20.0 h later, the median 20.0 h later; no kind of chance",
            "is 20.0 h later (boxes, trips and plates go one by one, and the last of them that just miss the end of a shift",
            "最后几箱或几板赶不上班次结束、设备停歇或末班车，就要等到下一次",
        ),
    ];
    for ((gap, median, left), en, without, zh) in rows {
        let said = Apart { gap, median, by: Vec::new(), left, replications: 40 }.words();
        assert!(said.en.contains(en) && said.en.contains(without), "{}", said.en);
        assert!(said.zh.contains(zh), "{}", said.zh);
    }
}

/// One district and a lab with so many units at each stage, in which the flows reckon with nothing that the arithmetic does not.
fn plain(desks: u64, units: u64) -> City {
    let mut plain = city(vec![district("D1", 60_000, desks)], vec![lab("L1", &["D1"], units)]);
    let district = &mut plain.districts[0];
    for ledger in
        [&mut district.stock.tubes, &mut district.stock.extraction, &mut district.stock.pcr]
    {
        ledger.physical = 100_000;
    }
    let norm = &mut plain.norm;
    (norm.instrument_hours, norm.derate.mean_permille) = (n(24), n(1000));
    (norm.field.ramp_percent, norm.field.desk_spread_permille) = (n(100), n(0));
    (norm.field.straggler_permille, norm.prevalence.alpha_milli) = (n(0), n(0));
    for stage in &mut plain.labs[0].stages {
        (stage.spread_permille, stage.breakdowns_permille_day) = (0, 0);
    }
    plain
}

fn steps_of(city: &City) -> Steps {
    let round = Round::of(city).expect("a round");
    let rules = solve(city, 24).verdict.minutes.expect("it ends") as Ms * MINUTE;
    let steps = steps(city, &round, rules, fluid::city(&round.model).finish).expect("it ends");
    let sum: i64 = steps.by.iter().map(|(_, ms)| ms).sum();
    assert_eq!(sum + steps.left, steps.gap, "{steps:?}");
    assert_eq!(steps.by.iter().map(|(step, _)| *step).collect::<Vec<_>>(), Step::ALL);
    steps
}

/// From 20:00 to 04:00, with everybody.
fn night_shift() -> Shift {
    Shift { from_s: 20 * 3600, to_s: 4 * 3600, percent: 100 }
}

/// Of a lab that misses the end of a shift or of its instruments' hours that is told, and not filed under the rest; nor is it of a
/// round that has too few vehicles.
#[test]
fn the_rest_is_small_where_shifts_or_vehicles_decide() {
    let tight = |change: fn(&mut City)| {
        let mut city = plain(600, 12);
        change(&mut city);
        steps_of(&city)
    };
    type Put = fn(&mut City);
    let rows: [(Step, Put); 3] = [
        (Step::Clock, |city| city.labs[0].shifts = vec![night_shift()]),
        (Step::Clock, |city| {
            let (from_s, to_s) = (22 * 3600, 6 * 3600);
            city.labs[0].instrument_day = Some(InstrumentDay::Window { from_s, to_s });
        }),
        (Step::Vehicles, |city| {
            let fleet = city.fleet_of(&city.districts[0]);
            city.districts[0].fleet = Some(Fleet { vehicles: 1, capacity_tubes: 100, ..fleet });
        }),
    ];
    for (step, change) in rows {
        let found = tight(change);
        let largest = found.by.iter().max_by_key(|(_, ms)| ms.abs()).expect("steps");
        assert_eq!(largest.0, step, "{found:?}");
        assert!(found.left.abs() * 2 < largest.1, "{step:?} {found:?}");
    }
}

/// What is not done within the horizon is later by nobody knows how much: no number of it is told.
#[test]
fn no_number_is_told_of_what_never_ends() {
    let mut city = plain(600, 20);
    let fleet = city.fleet_of(&city.districts[0]);
    city.districts[0].fleet = Some(Fleet { vehicles: 1, capacity_tubes: 1, ..fleet });
    let found = steps_of(&city);
    assert_eq!(found.endless, Some(Step::Vehicles), "{found:?}");
    let said = found.words();
    let en = "flows and rules: the flows are not done within 40 days, and how much later is not known, step by step: ";
    assert!(said.en.starts_with(en), "{}", said.en);
    let end = "too few vehicles (the arithmetic counts none): not done within 40 days";
    assert!(said.en.ends_with(end), "{}", said.en);
    assert!(said.zh.ends_with("转运车辆不足（测算不计车辆）：40 天内不能完成"), "{}", said.zh);
    // The cut-off is at 960 hours.
    assert!(!said.en.contains("+9") && !said.zh.contains("+9"), "{}", said.en);
}

/// What is put into a city is found at its step, and at no step of one that is without it.
#[test]
fn the_step_that_was_put_in_is_the_one_that_costs() {
    let labs_bind = || plain(600, 2);
    let desks_bind = || plain(10, 200);
    let cost = |city: &City, step: Step| {
        let found = steps_of(city);
        found.by.iter().find(|(one, _)| *one == step).expect("every step is told").1
    };
    type Put = fn(&mut City);
    let rows: [(Step, City, Put); 11] = [
        (Step::Sent, labs_bind(), |city| {
            city.labs.push(crate::planner::Lab { code: "L2".to_owned(), ..city.labs[0].clone() });
            city.one_to_one = true;
        }),
        (Step::Runs, labs_bind(), |city| city.labs[0].stages[5].spread_permille = 300),
        (Step::Breakdowns, labs_bind(), |city| {
            city.labs[0].stages[StageKind::Pcr.index()].breakdowns_permille_day = 1000;
        }),
        (Step::Uneven, desks_bind(), |city| {
            city.districts[0].streets =
                vec![street("S1", 40_000, Some(5)), street("S2", 20_000, Some(5))];
        }),
        (Step::Rests, labs_bind(), |city| city.norm.instrument_hours = n(18)),
        (Step::Ramp, desks_bind(), |city| {
            (city.norm.field.ramp_s, city.norm.field.ramp_percent) = (n(14_400), n(10));
        }),
        (Step::LateComers, plain(600, 200), |city| city.norm.field.straggler_permille = n(300)),
        (Step::Recalls, labs_bind(), |city| city.norm.prevalence.alpha_milli = n(20_000)),
        (Step::Clock, plain(600, 20), |city| city.labs[0].shifts = vec![night_shift()]),
        (Step::Clock, plain(600, 20), |city| {
            let (from_s, to_s) = (20 * 3600, 4 * 3600);
            city.labs[0].instrument_day = Some(InstrumentDay::Window { from_s, to_s });
        }),
        (Step::Vehicles, plain(600, 20), |city| {
            let fleet =
                Fleet { vehicles: 1, capacity_tubes: 100, ..city.fleet_of(&city.districts[0]) };
            city.districts[0].fleet = Some(fleet);
        }),
    ];
    let least = i64::from(30 * MINUTE);
    for (step, mut city, put) in rows {
        assert!(cost(&city, step).abs() < least, "{step:?} {:?}", steps_of(&city));
        put(&mut city);
        assert!(cost(&city, step) > least, "{step:?} {:?}", steps_of(&city));
    }
}

/// A day begins with the hours in which desks are open: three days and a bit are sooner done than as many hours spread evenly.
#[test]
fn nights_are_counted_where_they_are() {
    let found = steps_of(&plain(10, 200));
    let clock = found.by.iter().find(|(step, _)| *step == Step::Clock).expect("every step is told");
    assert!(clock.1 < -i64::from(30 * MINUTE), "{found:?}");
}

/// The tenths of hours that are told add up to what is told of the whole.
#[test]
fn steps_add_up_as_they_are_told() {
    let minutes = |m: i64| m * i64::from(MINUTE);
    let by = vec![
        (Step::Runs, minutes(100)),
        (Step::Rests, minutes(100)),
        (Step::Coming, minutes(-64)),
        (Step::Clock, minutes(2)),
    ];
    let told = Steps { gap: minutes(148), by, left: minutes(10), endless: None }.words();
    let sum = "(the arithmetic: the shortest) +1.7 h, instruments rest, shifts are off and sites close while there is work, too (the \
               arithmetic: while there is none) +1.7 h, tubes come little by little (the arithmetic: all at once, after the longest trip) \
               −1.1 h, the rest (whole runs here, pieces of time there) +0.2 h";
    assert!(
        told.en.starts_with("flows and rules: the flows are 2.5 h later, step by step: "),
        "{told:?}"
    );
    assert!(told.en.ends_with(sum), "{}", told.en);
    assert!(
        told.zh.starts_with("流体与测算：流体晚 2.5 小时，逐项累加为：各批按平均时间"),
        "{told:?}"
    );
    // A rest that is the largest part is not hidden behind the words of rounding.
    let rows = [(20, 600, true), (20, 12, false), (50, 30, false), (0, 65, true)];
    for (step, left, said) in rows {
        let by = vec![(Step::Runs, minutes(step))];
        let told =
            Steps { gap: minutes(step + left), by, left: minutes(left), endless: None }.words();
        assert_eq!(
            told.en.contains("the largest part, and not taken apart further"),
            said,
            "{told:?}"
        );
        assert_eq!(told.zh.contains("占最大部分，未再细分"), said, "{told:?}");
    }
    let earlier =
        Steps { gap: minutes(-60), by: Vec::new(), left: minutes(-60), endless: None }.words();
    assert!(earlier.en.contains("the flows are 1.0 h earlier") && earlier.en.ends_with("−1.0 h"));
    assert!(earlier.zh.contains("流体早 1.0 小时"), "{earlier:?}");
}
