//! The single tubes of recalls: how many there are, that they go first, and that they interrupt nobody.

use super::*;
use crate::planner::city::StageKind;
use crate::planner::fluid;
use crate::planner::model::{HOUR, MINUTE, Recall, Street};

/// Chifeng in pools of `pool`, with a lab for all of it.
fn chifeng(pool: u32, recall: Recall) -> Model {
    let street = example::street(4_035_967, 5_045, 0);
    let lab = example::lab([100; StageKind::COUNT]);
    Model { streets: vec![Street { pool, ..street }], labs: vec![lab], recall, ..example::city(1) }
}

#[test]
fn as_many_are_called_back_as_the_share_of_unclean_pools_says() {
    // prevalence, pool, correlation; planner.md G17 and G18 where there is none: 403,597 tubes and 4,034 single tubes.
    for (prevalence, pool, correlation, single_tubes) in [
        (1e-4, 10, 0.0, Some(4_034)),
        (1e-4, 20, 0.0, Some(8_064)),
        (2e-3, 10, 0.0, Some(79_997)),
        (2e-3, 20, 0.0, Some(158_408)),
        (1e-4, 10, 0.1, None),
        (2e-3, 20, 0.1, None),
        (0.2, 10, 0.0, None),
    ] {
        let recall = Recall { prevalence, correlation, ..example::recall() };
        let model = chifeng(pool, recall.clone());
        let tubes = model.tubes() as f64;
        let expected = tubes * recall.unclean(pool) * f64::from(pool);
        if let Some(published) = single_tubes {
            let persons = 4_035_967.0 * recall.unclean(pool);
            assert!((persons - f64::from(published)).abs() < 1.0, "{persons} and {published}");
        }
        let flow = fluid::city(&model);
        assert!((flow.labs[0].recalled / expected - 1.0).abs() < 1e-9);

        let start = Start::whole(&model);
        let simulation = Simulation::new(&model, &start);
        let mut scratch = Scratch::default();
        let drawn: Vec<f64> = (0..60)
            .map(|number| {
                simulation.collect(0, 1, number, &mut scratch, &mut [StreetRun::default()]);
                scratch.boxes.iter().map(|lot| f64::from(lot.members)).sum()
            })
            .collect();
        let n = drawn.len() as f64;
        let mean = drawn.iter().sum::<f64>() / n;
        let variance = drawn.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
        let error = (variance / n).sqrt();
        assert!(
            (mean - expected).abs() <= 3.0 * error,
            "{prevalence}, {pool}: {mean} ± {error} instead of {expected}"
        );
    }
}

#[test]
fn whoever_is_called_back_comes_to_the_lab() {
    let model = chifeng(20, Recall { prevalence: 1e-3, ..example::recall() });
    let run = replication(&model, 1, 0);
    let [lab] = &run.labs[..] else { panic!("one lab") };
    assert!(lab.recalled > 10_000 && lab.closed > lab.finish);
    let expected = fluid::city(&model).labs[0].recalled;
    assert!((lab.recalled as f64 / expected - 1.0).abs() < 0.1, "{} {expected}", lab.recalled);
}

#[test]
fn nobody_is_called_back_where_nobody_is_infected_or_tubes_are_single() {
    for (prevalence, pool) in [(0.0, 10), (0.0, 1), (0.01, 1)] {
        let model = chifeng(pool, Recall { prevalence, ..example::recall() });
        let run = replication(&model, 1, 0);
        assert_eq!((run.labs[0].recalled, run.labs[0].called_back.len()), (0, 0));
        assert_eq!(run.finish, run.closed);
        let flow = fluid::city(&model);
        assert_eq!((flow.labs[0].recalled, flow.finish), (0.0, flow.closed));
    }
}

#[test]
fn single_tubes_go_first_and_interrupt_nobody() {
    // Four lots of 94 wait from the start on, two of single tubes come while the first is in a run.
    let lots = [lot(0, 94), lot(0, 94), lot(0, 94), lot(0, 94), single(9, 5), single(10, 6)];
    for (takes, expected) in [
        // (end in hours, lane, tubes): the run that is going on ends when it would have ended.
        (
            Takes::Box,
            vec![
                (1.0, 1, 94),
                (1.0 + 5.0 / 94.0, 0, 5),
                (1.0 + 11.0 / 94.0, 0, 6),
                (2.0 + 11.0 / 94.0, 1, 94),
                (3.0 + 11.0 / 94.0, 1, 94),
                (4.0 + 11.0 / 94.0, 1, 94),
            ],
        ),
        // Single tubes and then others on one plate; the rest of a lot goes on the next.
        (Takes::Fill, vec![(1.0, 1, 94), (2.0, 0, 94), (3.0, 1, 94), (4.0, 1, 94), (5.0, 1, 11)]),
    ] {
        let (out, _) = through(&stage(1, 94, HOUR, takes), 0, &lots);
        let got: Vec<_> = out
            .iter()
            .map(|(lane, lot)| (f64::from(lot.ready) / f64::from(HOUR), *lane, lot.tubes))
            .collect();
        assert_eq!(got.len(), expected.len(), "{takes:?}: {got:?}");
        for (a, b) in got.iter().zip(&expected) {
            assert!((a.0 - b.0).abs() < 1e-6 && (a.1, a.2) == (b.1, b.2), "{takes:?}: {got:?}");
        }
        let singles: u32 = out.iter().map(|(_, lot)| lot.singles).sum();
        assert_eq!(singles, 11);
    }
}

#[test]
fn a_plate_with_single_tubes_waits_only_as_long_as_they_may() {
    let patient = Stage { hold: 30 * MINUTE, ..stage(1, 94, HOUR, Takes::Fill) };
    // (patience of recalls in minutes, lots, start of the first run in minutes, its tubes)
    for (priority, lots, start, tubes) in [
        (15, vec![lot(0, 10)], 30, 10),
        (15, vec![single(0, 10)], 15, 10),
        (15, vec![lot(0, 10), single(5 * MINUTE, 3)], 20, 13),
        (15, vec![lot(0, 10), single(20 * MINUTE, 3)], 30, 13),
        (60, vec![single(0, 10)], 30, 10),
        (15, vec![single(0, 10), lot(MINUTE, 84)], 1, 94),
        (0, vec![lot(0, 10), single(5 * MINUTE, 3)], 5, 13),
    ] {
        let (out, _) = through(&patient, priority * MINUTE, &lots);
        let first = out[0].1;
        assert_eq!(((first.ready - HOUR) / MINUTE, first.tubes), (start, tubes), "{lots:?}");
    }
}

#[test]
fn recalls_are_done_before_the_queue_that_was_there_before_them() {
    // A lab that is late by hours: single tubes that come back pass by everybody who waits.
    let mut model = example::city(1);
    model.recall.prevalence = 3e-4;
    model.labs[0].stages[StageKind::Extract.index()].units = 5;
    let start = Start::whole(&model);
    let simulation = Simulation::new(&model, &start);
    let mut through: Vec<(Ms, u32)> = Vec::new();
    let (mut scratch, mut streets) = (Scratch::default(), vec![StreetRun::default(); 16]);
    let run = simulation.lab(0, 1, 0, &mut scratch, &mut streets, &mut |kind, lot| {
        if kind == StageKind::Review && lot.singles > 0 {
            through.push((lot.ready, lot.singles));
        }
    });
    assert!(run.recalled > 300 && run.finish > 30 * HOUR, "{} {}", run.recalled, run.finish);
    // Mean time in the lab of single tubes, sums of times out less sums of times in.
    let sum =
        |list: &[(Ms, u32)]| list.iter().map(|(at, n)| f64::from(*at) * f64::from(*n)).sum::<f64>();
    let mean = (sum(&through) - sum(&run.called_back)) / run.recalled as f64;
    let alone: Ms = model.labs[0].stages.iter().map(|stage| stage.run).sum();
    assert!(mean > f64::from(alone) * 0.8 && mean < f64::from(alone) * 1.6, "{mean} {alone}");
}
