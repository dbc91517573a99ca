//! The forecast, held against rounds whose end is known, and against readings that cannot be.

use super::*;
use crate::planner::example;

fn part_way(trial: &trial::Trial, percent: u64) -> Situation {
    trial.situation((u64::from(trial.finish) * percent / 100) as Ms)
}

#[test]
fn eighty_percent_intervals_hold_about_eighty_percent_of_the_ends() {
    // Two hundred rounds each, at three times: a standard error of about two percent and a half.
    let known = trial::score(0..150, false, 100);
    assert!((72.0..90.0).contains(&known.coverage), "{known:?}");
    assert!(known.half_way_error < 5.0, "{known:?}");
    let surprised = trial::score(0..150, true, 100);
    assert!((66.0..92.0).contains(&surprised.coverage), "{surprised:?}");
    assert!(surprised.half_way_error < 12.0, "{surprised:?}");
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
fn a_round_that_is_done_is_said_to_be_done() {
    let trial = trial::Trial::new(5, false);
    let end = trial.situation(trial.finish + 10 * 3_600_000);
    let told = of_model(&trial.model, &trial.doubt, &end, 1, 20).expect("a forecast");
    assert_eq!(told.regime, Regime::Done);
    assert!(told.finish.p90 <= told.at + 1);
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
    let told = |s: &Situation| of_model(&trial.model, &trial.doubt, s, 1, 2).map(|_| ());
    for (situation, expected) in [
        (&Situation::default(), Error::NothingYet),
        (&nothing, Error::NothingYet),
        (&swapped, Error::OutOfOrder { at: 1 }),
        (&other, Error::OtherRound { streets, labs }),
    ] {
        assert_eq!(told(situation), Err(expected.clone()));
        assert!(!expected.words().zh.is_empty());
    }
    assert_eq!(told(&good), Ok(()));
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
