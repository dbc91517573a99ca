//! The forecast, held against rounds whose end is known, and against readings that cannot be.

use super::*;
use crate::planner::example;
use crate::planner::model::HOUR;

fn part_way(trial: &trial::Trial, percent: u64) -> Situation {
    trial.situation((u64::from(trial.finish) * percent / 100) as Ms)
}

#[test]
fn eighty_percent_intervals_hold_about_eighty_percent_of_the_ends() {
    // 150 rounds each, at three times: a standard error of about two percent.
    let known = trial::score(0..150, false, 100);
    assert!((72.0..90.0).contains(&known.coverage), "{known:?}");
    assert!(known.half_way_error < 5.0, "{known:?}");
    let surprised = trial::score(0..150, true, 100);
    assert!((66.0..92.0).contains(&surprised.coverage), "{surprised:?}");
    assert!(surprised.half_way_error < 12.0, "{surprised:?}");
}

#[test]
fn the_rounds_of_small_towns_are_forecast_as_well() {
    // A standard error of about two percent.
    let small = trial::score_small(0..120, 60);
    assert!((74.0..92.0).contains(&small.coverage), "{small:?}");
    // Where a missing tube or two were sure to come, one end in six was before the interval.
    assert!(small.early < 12.0 && small.half_way_error < 5.0, "{small:?}");
}

#[test]
fn the_nearer_the_end_the_narrower_the_interval() {
    let width = |percent| {
        let widths = (0..20).map(|seed| {
            let trial = trial::Trial::new(seed, false);
            let told = of_model(&trial.model, &trial.doubt, &part_way(&trial, percent), seed, 60);
            told.map_or(0.0, |f| f64::from(f.finish.p90 - f.finish.p10))
        });
        widths.sum::<f64>()
    };
    let widths = [25, 50, 75, 95].map(width);
    assert!(widths.windows(2).all(|w| w[1] < w[0]), "{widths:?}");
}

#[test]
fn the_same_readings_and_seed_give_the_same_forecast_on_any_number_of_threads() {
    let trial = trial::Trial::new(3, false);
    let situation = part_way(&trial, 40);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let told = || of_model(&trial.model, &trial.doubt, &situation, 7, 30);
        pool.map_or_else(|_| told(), |pool| pool.install(told))
    };
    assert_eq!(on(1), on(2));
}

#[test]
fn a_round_that_is_done_is_said_to_have_been_done_when_it_was() {
    for seed in [5, 6, 7] {
        let mut trial = trial::Trial::new(seed, false);
        trial.model.target = trial.finish + HOUR;
        // Long after its target, and not closed.
        let end = trial.situation(trial.finish + 10 * HOUR);
        let step = end.readings[1].at - end.readings[0].at;
        let told = of_model(&trial.model, &trial.doubt, &end, 1, 20).expect("a forecast");
        // Between two readings, in the middle.
        let about = |at: Ms| (trial.finish - step / 2..=trial.finish + step / 2 + 1).contains(&at);
        assert_eq!((told.regime, told.in_time), (Regime::Done, 1.0), "{seed}");
        assert!(about(told.finish.p05) && about(told.finish.p95), "{seed}: {:?}", told.finish);
        assert!(told.finishes.iter().all(|at| about(*at)), "{seed}");
        assert!(told.sampled.p05 == told.sampled.p95 && told.sampled.p95 < told.finish.p05);
        let last = told.labs.iter().map(|lab| lab.p95).max();
        assert!(last.is_some_and(about), "{seed}: {:?}", told.labs);
        assert!(told.streets.iter().all(|street| street.p50 > HOUR), "{:?}", told.streets);
    }
}

#[test]
fn a_street_whose_tubes_are_all_at_the_lab_ends_when_they_have_their_results() {
    let mut seen = 0;
    for seed in 0..10 {
        let trial = trial::Trial::new(seed, false);
        let situation = part_way(&trial, 90);
        let told = of_model(&trial.model, &trial.doubt, &situation, 1, 40).expect("a forecast");
        let newest = situation.readings.last().expect("a reading");
        for (i, street) in newest.streets.iter().enumerate() {
            assert!(told.streets[i].p05 > HOUR, "{seed}: street {i}: {:?}", told.streets[i]);
            let all = street.delivered >= trial.truth.streets[i].tubes();
            let lab = newest.labs[trial.model.streets[i].lab];
            seen += usize::from(all && lab.resulted < lab.received);
            let last = told.labs[trial.model.streets[i].lab];
            let street = told.streets[i];
            assert!(
                street.p95 <= last.p95 + HOUR,
                "{seed}: street {i}: {street:?} {last:?} {lab:?}"
            );
        }
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn a_street_is_forecast_as_its_city_is_and_is_never_over_while_its_tubes_wait() {
    let (mut held, mut all, mut over) = (0, 0, 0);
    for seed in 0..30 {
        let trial = trial::Trial::new(seed, false);
        let ends = trial.ends();
        for percent in [50, 75, 90] {
            let situation = part_way(&trial, percent);
            let now = situation.readings.last().expect("a reading").at;
            let told =
                of_model(&trial.model, &trial.doubt, &situation, seed, 40).expect("a forecast");
            for (street, end) in told.streets.iter().zip(&ends).filter(|(_, end)| **end > now) {
                all += 1;
                held += u32::from((street.p10..=street.p90).contains(end));
                over += u32::from(street.p95 <= now);
            }
        }
    }
    let held = 100.0 * f64::from(held) / f64::from(all);
    assert!((60.0..95.0).contains(&held) && over == 0, "{held} of {all}, {over} over");
}

#[test]
fn a_round_is_not_done_while_first_tests_wait_though_single_tubes_make_up_their_number() {
    let mut trial = trial::Trial::new(5, false);
    trial.model.target = trial.finish;
    let mut end = trial.situation(trial.finish + 10 * HOUR);
    for reading in &mut end.readings {
        // Of what was resulted, more single tubes; as many first tests wait.
        reading.labs[0].recalls_closed += reading.labs[0].resulted / 20;
    }
    let told = of_model(&trial.model, &trial.doubt, &end, 1, 20).expect("a forecast");
    assert_ne!(told.regime, Regime::Done);
}

#[test]
fn a_tube_that_was_lost_on_the_road_holds_no_round_up() {
    let mut trial = trial::Trial::new(5, false);
    trial.model.target = trial.finish;
    let mut end = trial.situation(trial.finish + 10 * HOUR);
    for reading in &mut end.readings {
        // It came to no lab.
        reading.streets[0].collected += 1;
        reading.streets[0].sent += 1;
        reading.streets[0].delivered += 1;
    }
    let told = |end: &Situation| {
        of_model(&trial.model, &trial.doubt, end, 1, 20).expect("a forecast").regime
    };
    assert_ne!(told(&end), Regime::Done, "it is under way");
    for street in &mut end.readings.last_mut().expect("a reading").streets {
        street.resulted = street.delivered;
    }
    assert_eq!(told(&end), Regime::Done);
}

#[test]
fn readings_that_cannot_be_are_named() {
    let trial = trial::Trial::new(1, false);
    let (streets, labs) = (trial.model.streets.len(), trial.model.labs.len());
    let good = part_way(&trial, 50);
    let mut swapped = good.clone();
    swapped.readings.reverse();
    let mut other = good.clone();
    other.readings[0].labs.pop();
    let nothing = Situation {
        readings: vec![Reading {
            at: 5,
            streets: vec![StreetCount::default(); streets],
            labs: vec![LabCount::default(); labs],
        }],
    };
    let mut weeks = good.clone();
    weeks.readings.push(Reading { at: 21 * DAY, ..good.readings[0].clone() });
    let told = |s: &Situation| of_model(&trial.model, &trial.doubt, s, 1, 2).map(|_| ());
    for (situation, expected) in [
        (&Situation::default(), Error::NothingYet),
        (&nothing, Error::NothingYet),
        (&swapped, Error::OutOfOrder { at: 1 }),
        (&other, Error::OtherRound { streets, labs }),
        (&weeks, Error::TooLate { at: 21 * DAY }),
    ] {
        assert_eq!(told(situation), Err(expected.clone()));
        assert!(!expected.words().zh.is_empty());
    }
    assert_eq!(told(&good), Ok(()));
    // Its time, and not its place in a list that nobody sees.
    let Words { zh, en } = Error::TooLate { at: 25 * DAY + HOUR }.words();
    assert!(en.contains("from day 25 after the opening") && en.contains("close the round"), "{en}");
    assert!(zh.contains("开轮后第 25 天") && zh.contains("关闭该轮次"), "{zh}");
}

/// What the reckoning does not see the end of is no sharp time short of it.
#[test]
fn an_end_beyond_the_horizon_has_no_chance_of_its_own() {
    let trial = trial::Trial::new(1, false);
    let mut model = trial.model.clone();
    let pcr = StageKind::Pcr.index();
    model.labs.iter_mut().for_each(|lab| lab.stages[pcr].run = 30 * DAY);
    let told = of_model(&model, &trial.doubt, &part_way(&trial, 50), 1, 40).expect("a forecast");
    assert!(told.finishes.iter().all(|at| *at == HORIZON_MS), "{:?}", told.finishes);
    assert_eq!(told.in_time, 0.0);
}

#[test]
fn counts_that_contradict_each_other_still_give_a_forecast() {
    // More delivered than sent, more resulted than received, more collected than live there: clocks and lists are what
    // they are.
    let trial = trial::Trial::new(2, false);
    let mut situation = part_way(&trial, 50);
    for reading in &mut situation.readings {
        for (i, street) in reading.streets.iter_mut().enumerate() {
            street.delivered = street.sent * 2;
            street.collected += 10_000 * (i as u64 % 2);
        }
        for lab in &mut reading.labs {
            lab.resulted = lab.received * 3;
            lab.plates_done = lab.plates + 50;
            lab.recalls_open = 1_000;
        }
    }
    assert!(of_model(&trial.model, &trial.doubt, &situation, 1, 10).is_ok());
}

#[test]
fn a_made_up_round_is_the_same_for_the_same_seed_and_its_counts_only_rise() {
    for (seed, surprising) in [(1, false), (2, true), (3, true)] {
        let trial = trial::Trial::new(seed, surprising);
        assert_eq!(trial.finish, trial::Trial::new(seed, surprising).finish);
        let all = trial.situation(trial.finish);
        for pair in all.readings.windows(2) {
            for (a, b) in pair[0].labs.iter().zip(&pair[1].labs) {
                assert!(
                    a.received <= b.received && a.plated <= b.plated && a.resulted <= b.resulted
                );
            }
            for (a, b) in pair[0].streets.iter().zip(&pair[1].streets) {
                assert!(a.collected <= b.collected && a.sent <= b.sent, "{a:?} {b:?}");
                assert!(b.delivered <= b.sent && b.sent <= b.collected);
            }
        }
        let collected: u64 =
            all.readings.last().map_or(0, |r| r.streets.iter().map(|s| s.collected).sum());
        assert_eq!(collected, trial.truth.tubes());
    }
    assert!(example::city(1).check().is_ok());
}

#[test]
fn the_first_evening_of_a_round_of_two_days_sends_nobody_home_for_good() {
    for seed in [1, 2, 3] {
        let mut model = trial::Trial::new(seed, false).model;
        for street in &mut model.streets {
            // Its queue takes a little more than the hours of its first day.
            let main = street.tubes() as f64 * (1.0 - street.late_share);
            let each = main / (f64::from(street.desks) * street.mean_speed());
            street.desk_rate *= street.desk_time(each, 1.0) / (1.12 * f64::from(street.hours));
        }
        let doubt = Doubt { desk_rate: 0.01, desk_rate_city: 0.01, ..trial::doubt() };
        let trial = trial::Trial::of(model, doubt, seed);
        let evening = trial.model.streets[0].open + trial.model.streets[0].hours + HOUR / 2;
        let situation = trial.situation(evening);
        let collected = past::collected(situation.readings.last().expect("a reading"));
        let share = collected as f64 / trial.truth.tubes() as f64;
        assert!((0.76..0.95).contains(&share), "{seed}: {share}");
        let told = of_model(&trial.model, &trial.doubt, &situation, 1, 20).expect("a forecast");
        assert!(told.sampled.p05 > DAY, "{seed}: {:?}", told.sampled);
    }
}

#[test]
fn desks_are_not_waited_for_when_fewer_come_than_were_planned() {
    let mut regimes = Vec::new();
    for seed in 0..6 {
        let mut trial = trial::Trial::new(seed, false);
        for street in &mut trial.model.streets {
            street.persons = (f64::from(street.persons) / 0.86) as u32;
        }
        let doubt = Doubt { turnout: 0.05, turnout_city: 0.05, ..trial.doubt };
        let situation = part_way(&trial, 97);
        let told = of_model(&trial.model, &doubt, &situation, 1, 40).expect("a forecast");
        regimes.push(told.regime);
    }
    assert!(!regimes.contains(&Regime::Collecting), "{regimes:?}");
    assert!(regimes.contains(&Regime::Stragglers), "{regimes:?}");
}

#[test]
fn a_round_that_is_quicker_than_its_plan_and_has_no_late_comers_ends_with_its_tubes() {
    for seed in 0..3 {
        let mut plan = example::city(1);
        plan.streets.truncate(4);
        // Everybody of the lab goes home with the desks: a tube that is late waits for the next morning.
        for stage in &mut plan.labs[0].stages {
            stage.set_units(stage.units.div_ceil(2));
            stage.rests = vec![vec![(22 * HOUR, 8 * HOUR)]; stage.units as usize].into();
        }
        let mut quick = plan.clone();
        for street in &mut quick.streets {
            (street.late_share, street.desk_rate) = (0.0, street.desk_rate * 1.1);
        }
        let certain = Doubt {
            desk_rate: 0.0,
            desk_rate_city: 0.0,
            lab_pace: 0.0,
            turnout: 0.0,
            turnout_city: 0.0,
            late_share: 0.0,
            late_mean: 0.0,
            travel: 0.0,
            ..trial::doubt()
        };
        let mut trial = trial::Trial::of(quick, certain, seed);
        trial.model = plan;
        trial.doubt = trial::doubt();
        trial.model.target = trial.finish + 2 * HOUR;
        let end = trial.situation(trial.finish);
        let all = trial.truth.tubes();
        let last = end.readings.windows(2).find(|pair| past::collected(&pair[1]) >= all);
        let (before, last) = last.map(|pair| (pair[0].at, pair[1].at)).expect("the last tube");
        for after in [HOUR, 2 * HOUR] {
            let situation = trial.situation(last + after);
            let told = of_model(&trial.model, &trial.doubt, &situation, 1, 60).expect("a forecast");
            assert_eq!(told.sampled.p50, told_between(before, last), "{seed}");
            let finish = told.finish;
            let about = finish.p10 - HOUR / 2..finish.p90 + HOUR / 2;
            assert!(about.contains(&trial.finish), "{seed}: {} {finish:?}", trial.finish);
            assert!(told.in_time > 0.8, "{seed}: {} {finish:?}", told.in_time);
            assert_ne!(told.regime, Regime::Collecting, "{seed}");
        }
    }
}

#[test]
fn labs_do_not_set_the_pace_before_anything_waits_there() {
    for seed in 0..4 {
        let trial = trial::Trial::new(seed, false);
        let told = |at| {
            let situation = trial.situation(at);
            of_model(&trial.model, &trial.doubt, &situation, 1, 20).expect("a forecast").regime
        };
        assert_eq!(told(HOUR), Regime::Collecting, "{seed}");
    }
}

#[test]
fn a_round_with_a_tube_that_has_no_result_is_never_sure() {
    let mut model = example::city(1);
    model.streets.truncate(1);
    let doubt = trial::doubt();
    // By the street all tubes are at the lab; what the lab has of them, with how many people called back, and what has ended.
    let last = model.streets[0].tubes();
    let (all, but_one) = ((last, last, last), (last, last, last - 1));
    for ((received, plated, resulted), recalls_closed, ended, sure) in [
        (all, 0, 0, true),
        (but_one, 0, 0, false),
        // A single tube has its result and a first test has none, and nothing says where that is.
        (all, 1, 0, false),
        ((last + 1, last + 1, last + 1), 1, 0, true),
        // It came to no lab.
        ((last - 1, last - 1, last - 1), 0, 0, false),
        ((last - 1, last - 1, last - 1), 0, last, true),
        ((last - 1, last - 1, last - 1), 0, last - 1, false),
    ] {
        let reading = |at| {
            let street = StreetCount {
                collected: last,
                sent: last,
                delivered: last,
                resulted: ended,
                ..StreetCount::default()
            };
            let plates = last.div_ceil(94);
            let lab = LabCount {
                received,
                plated,
                resulted,
                recalls_closed,
                plates,
                plates_done: plates,
                ..LabCount::default()
            };
            Reading { at, streets: vec![street], labs: vec![lab; model.labs.len()] }
        };
        assert_eq!(model.labs.len(), 1);
        let situation = Situation { readings: vec![reading(20 * HOUR), reading(24 * HOUR)] };
        let told = of_model(&model, &doubt, &situation, 3, 40).unwrap();
        let what = ((received, plated, resulted), recalls_closed, ended, told.finish);
        assert_eq!(told.finish.p10 == told.finish.p90, sure, "{what:?}");
        assert_eq!(told.regime == Regime::Done, sure, "{what:?}");
        assert!(sure || told.finishes.iter().all(|at| *at > 24 * HOUR), "{what:?}");
    }
}
