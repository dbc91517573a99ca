//! Rounds of which the end is known.

use super::*;
use crate::forecaster::history::History;
use crate::forecaster::places::place_key;
use crate::forecaster::plan::CityPlan;
use crate::forecaster::tally::{Sent, Tested};
use crate::planner::forecast::{Regime, of_model};

fn reading(at: Ms, collected: u64, resulted: u64) -> String {
    let place = Sent { collected, sent: collected, delivered: collected, ..Sent::default() };
    let lab = Tested { received: collected, plated: resulted, resulted, ..Tested::default() };
    let tally = Tally {
        at,
        places: BTreeMap::from([("01".to_owned(), place)]),
        labs: BTreeMap::from([("L".to_owned(), lab)]),
        ..Tally::default()
    };
    Record::Reading { round: "R".into(), opened_at: 5, seq: 1, tally }.text()
}

fn told(at: Ms, p10: Ms, p50: Ms, p90: Ms) -> String {
    let told = Told {
        at,
        target: 100,
        sampled: [0; 7],
        finish: [p10, p10, p10, p50, p90, p90, p90],
        outer: Some([p10, p90]),
        in_time: 0.5,
        regime: "backlog".into(),
        bottleneck: None,
        measures: vec![],
        particles: 1,
    };
    Record::Forecast { round: "R".into(), opened_at: 5, told: Box::new(told) }.text()
}

#[test]
fn forecasts_are_held_against_the_finish_that_really_was() {
    let parts =
        Parts { at: 10, labs: BTreeMap::from([("L".to_owned(), [0, 0, 1])]), ..Parts::default() };
    let mut lines = vec![
        reading(10, 4, 0),
        Record::Parts { round: "R".into(), opened_at: 5, parts }.text(),
        told(10, 40, 50, 60),
        reading(20, 9, 4),
        told(20, 20, 25, 30),
        reading(70, 9, 9),
        told(50, 45, 45, 45),
        "something that a later program wrote".to_owned(),
        reading(80, 9, 9),
    ];
    let open = held(&lines);
    assert_eq!((open[0].finish, open[0].coverage), (None, Coverage::default()));
    assert!(!open[0].over && open[0].labs[0].finish.is_none());
    let closed = Record::Closed { round: "R".into(), opened_at: 5, at: 90, done: None };
    lines.push(closed.text());
    let [round] = &held(&lines)[..] else { panic!("one round") };
    assert_eq!((round.finish, round.readings), (Some(45), 4));
    assert_eq!((round.labs[0].finish, round.labs[0].held), (Some(45), 1));
    let found: Vec<_> = round.forecasts.iter().map(|one| (one.error, one.held)).collect();
    assert_eq!(found, [(Some(5), Some(true)), (Some(-20), Some(false)), (Some(0), Some(true))]);
    // What was said after the finish is no forecast.
    let Coverage { forecasts, held: within, held_50, held_95, told_95, pit, .. } = round.coverage;
    assert_eq!((forecasts, within, held_50, held_95, told_95), (2, 1, 1, 1, 2));
    // 45 of 40 to 60: a little before the middle. 45 of 20 to 30: behind everything.
    assert!(pit[..5].iter().sum::<usize>() == 1 && pit[BINS - 1] == 1, "{pit:?}");
    assert!(round.forecasts[0].crps < round.forecasts[1].crps, "{:?}", round.forecasts);
    let twice = round.coverage.and(&round.coverage);
    assert_eq!((twice.held, twice.crps_mean()), (2, round.coverage.crps_mean()));
    let so_far = SoFar::of(&held(&lines));
    assert_eq!(so_far, SoFar { rounds: 1, judged: 2, held: 1 });
    assert_eq!(
        (so_far.share(), SoFar::of(&open), SoFar::default().share()),
        (0.5, SoFar::default(), 0.0)
    );
    // Nor when the file begins with a reading that has all results.
    let without = |line: &String| !line.contains("\"at\":10,") && !line.contains("\"at\":20,");
    let newest: Vec<String> = lines.iter().filter(|line| without(line)).cloned().collect();
    let [round] = &held(&newest)[..] else { panic!("one round") };
    assert_eq!((round.finish, round.over, round.readings), (None, true, 2));
    // With a tube in work nothing can be said.
    lines.push(reading(95, 10, 9));
    assert_eq!(held(&lines)[0].finish, None);
}

#[test]
fn a_tube_that_never_ends_leaves_its_round_to_be_judged() {
    // Tubes collected, results at the last reading; the finish.
    for (collected, resulted, expected) in [
        (2_000, 2_000, Some(32)),
        (2_000, 1_999, Some(32)),
        (2_000, 1_998, Some(32)),
        (2_000, 1_997, None),
        (999, 998, None),
    ] {
        let lines = [
            reading(20, collected, 5),
            reading(45, collected, resulted),
            reading(60, collected, resulted),
            Record::Closed { round: "R".into(), opened_at: 5, at: 70, done: None }.text(),
        ];
        assert_eq!(held(&lines)[0].finish, expected, "{resulted} of {collected}");
        assert_eq!(held(&lines[..3])[0].finish, None, "it is open");
    }
}

#[test]
fn readings_that_are_far_apart_do_not_say_when_a_round_was_done() {
    // The clock of a drill ran fast in the last two.
    for (times, known) in [
        ([10, 20, HOUR + 20], true),
        ([10, 20, HOUR + 21], false),
        ([10, HOUR + 10, 5 * HOUR + 10], true),
        ([10, HOUR + 10, 5 * HOUR + 11], false),
    ] {
        let closed = Record::Closed { round: "R".into(), opened_at: 5, at: 70, done: None };
        let [first, second, last] = times;
        let lines =
            [reading(first, 9, 5), reading(second, 9, 5), reading(last, 9, 9), closed.text()];
        assert_eq!(held(&lines)[0].finish, known.then(|| told_between(second, last)), "{times:?}");
    }
}

#[test]
fn what_the_last_line_says_needs_no_readings() {
    let parts =
        Parts { at: 10, labs: BTreeMap::from([("L".to_owned(), [0, 0, 1])]), ..Parts::default() };
    let round = || ("R".to_owned(), 5);
    let (code, opened_at) = round();
    let lines = vec![
        reading(10, 4, 0),
        Record::Parts { round: code, opened_at, parts }.text(),
        told(10, 40, 50, 60),
        reading(20, 9, 4),
        reading(70, 9, 9),
    ];
    let done = done(&lines, "R", 5);
    assert_eq!((done.finish, done.labs.get("L"), done.streets.len()), (Some(45), Some(&45), 0));
    assert_eq!(super::done(&lines, "R", 6), Done::default(), "another round of this code");
    let (code, opened_at) = round();
    let closed = Record::Closed { round: code, opened_at, at: 70, done: Some(Box::new(done)) };
    assert_eq!(Record::read(&closed.text()).as_ref(), Some(&closed));
    // All readings are gone.
    let left: Vec<String> = lines
        .into_iter()
        .filter(|line| Record::thin(line) != Some(0))
        .chain([closed.text()])
        .collect();
    let [of] = &held(&left)[..] else { panic!("one round") };
    assert_eq!((of.readings, of.finish, of.coverage.held), (0, Some(45), 1));
    assert_eq!((of.labs[0].finish, of.labs[0].held), (Some(45), 1));
}

#[test]
fn what_is_forecast_of_a_round_that_is_over_is_what_it_is_judged_by() {
    let plan = CityPlan::builtin("jiyuan");
    let round = plan.round.as_ref().unwrap();
    let (street, lab) = (&round.streets[0], round.labs[round.model.streets[0].lab].0.clone());
    // Tubes, and of these with a result, by time; nobody comes for two hours at last.
    let tallies = [(1, 40, 0), (3, 90, 50), (4, 90, 80), (6, 90, 90), (9, 90, 90)];
    let tallies = tallies.map(|(hour, collected, resulted)| {
        let sent = Sent { collected, sent: collected, delivered: collected, ..Sent::default() };
        let tested =
            Tested { received: collected, plated: resulted, resulted, ..Tested::default() };
        Tally {
            at: hour * HOUR,
            places: BTreeMap::from([(place_key(&street.district, &street.code), sent)]),
            labs: BTreeMap::from([(lab.clone(), tested)]),
            ..Tally::default()
        }
    });
    let mut history = History::new(100);
    let mut lines = Vec::new();
    for tally in tallies {
        history.take(plan.whose.reading(&tally).0);
        lines.push(Record::Reading { round: "R".into(), opened_at: 5, seq: 1, tally }.text());
    }
    let forecast = of_model(&round.model, &round.doubt, history.situation(), 1, 4).unwrap();
    lines.push(Record::Closed { round: "R".into(), opened_at: 5, at: 70, done: None }.text());
    let judged = held(&lines)[0].finish;
    // Between the readings of four and six o'clock.
    assert_eq!((forecast.regime, judged), (Regime::Done, Some(5 * HOUR)));
    assert_eq!([forecast.finish.p10, forecast.finish.p90].map(Some), [judged; 2]);
}
