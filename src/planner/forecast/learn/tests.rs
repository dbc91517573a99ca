//! What is learned, held against made-up rounds of which everything is known.

use super::pace::Door;
use super::*;
use crate::planner::city::StageKind;
use crate::planner::example;
use crate::planner::forecast::situation::{LabCount, Reading, StreetCount};
use crate::planner::forecast::trial::{Surprise, Trial};
use crate::planner::model::{HOUR, MINUTE, Rests, Street};
use crate::planner::simulate::Cause;

fn part_way(trial: &Trial, percent: u64) -> Situation {
    trial.situation((u64::from(trial.finish) * percent / 100) as Ms)
}

fn dice(k: u64) -> Stream {
    Stream::of(1, k, Cause::Parameter, 1)
}

#[test]
fn a_slow_lab_and_slow_desks_are_seen_while_they_work() {
    for seed in 0..8 {
        let mut trial = Trial::new(seed, false);
        // The plan thought its first lab and all desks a fifth faster than they are.
        scale_pace(&mut trial.model.labs[0], 1.25);
        for street in &mut trial.model.streets {
            street.desk_rate *= 1.25;
        }
        let wide = Doubt { lab_pace: 0.2, ..trial.doubt };
        let belief = Belief::learn(&trial.model, &wide, &part_way(&trial, 60));
        let pace: f64 = belief.pace[0].iter().map(|p| p.ln * p.weight).sum();
        let truth = f64::from(trial.model.labs[0].stages[3].run)
            / f64::from(trial.truth.labs[0].stages[3].run);
        assert!(pace < truth.ln() + 0.15, "{seed}: pace {pace:.3}, truth {:.3}", truth.ln());
        for (i, (mean, _)) in belief.desks.iter().enumerate() {
            let (was, is) = (trial.model.streets[i].desk_rate, trial.truth.streets[i].desk_rate);
            assert!((mean - (is / was).ln()).abs() < 0.2, "{seed}: street {i}: {mean:.3}");
        }
    }
}

#[test]
fn what_desks_do_while_they_open_says_little_of_their_day() {
    let model = example::city(1);
    let doubt = Doubt { desk_rate_city: 0.2, ..Trial::new(1, false).doubt };
    // All streets fill a third of what the plan has, for so long: how slow the city's desks are then thought to be, as logarithms.
    for (minutes, from, to) in
        [(15, -0.45, 0.0), (30, -0.45, 0.0), (60, -0.45, 0.0), (240, -1.2, -0.9)]
    {
        let at = minutes * MINUTE;
        let third = |street: &Street| StreetCount {
            collected: (queue_tubes(street, f64::from(at)) / 3.0) as u64,
            ..StreetCount::default()
        };
        let streets = model.streets.iter().map(third).collect();
        let labs = vec![LabCount::default(); model.labs.len()];
        let situation = Situation { readings: vec![Reading { at, streets, labs }] };
        let speeds = desks::learn(&model, &doubt, &situation);
        let mean = speeds.iter().map(|(mean, _)| mean).sum::<f64>() / speeds.len() as f64;
        assert!((from..to).contains(&mean), "after {minutes} minutes: {mean:.3}");
    }
}

/// By street: mean and standard deviation of the turnout that is believed.
fn turnout(trial: &Trial, situation: &Situation) -> Vec<(f64, f64)> {
    let belief = Belief::learn(&trial.model, &trial.doubt, situation);
    let draws: Vec<Vec<f64>> =
        (0..100).map(|k| belief.people.draw(&trial.model, dice(k)).turnout).collect();
    (0..trial.model.streets.len())
        .map(|i| {
            let mean = draws.iter().map(|d| d[i]).sum::<f64>() / 100.0;
            let square = draws.iter().map(|d| (d[i] - mean).powi(2)).sum::<f64>() / 99.0;
            (mean, square.sqrt())
        })
        .collect()
}

#[test]
fn how_many_come_is_known_once_the_queues_are_gone_and_doubtful_before() {
    let (mut early, mut late, mut blind, mut n) = (0.0, 0.0, 0.0, 0.0);
    let mut within = 0.0;
    for seed in 0..20 {
        let trial = Trial::new(seed, false);
        let [before, after] = [4 * HOUR, 15 * HOUR].map(|at| turnout(&trial, &trial.situation(at)));
        for (i, (plan, truth)) in trial.model.streets.iter().zip(&trial.truth.streets).enumerate() {
            let truth = f64::from(truth.persons) / f64::from(plan.persons);
            early += (before[i].0 - truth).powi(2);
            late += (after[i].0 - truth).powi(2);
            blind += (1.0 - truth).powi(2);
            within += f64::from(u8::from((after[i].0 - truth).abs() < 1.645 * after[i].1));
            n += 1.0;
            assert!(after[i].1 < before[i].1 + 0.01, "{seed}: street {i}: {before:?} {after:?}");
        }
    }
    let [early, late, blind] = [early, late, blind].map(|sum: f64| (sum / n).sqrt());
    assert!(late < 0.2 * blind && early < 1.1 * blind, "{early} {late} {blind}");
    // At least nine in ten within the 90 % interval: it is wider than it need be, for curves that no grid has.
    assert!(within / n > 0.88, "{}", within / n);
}

#[test]
fn a_street_whose_curve_flattened_is_nearly_done_and_one_that_goes_on_is_not() {
    let trial = Trial::new(1, false);
    let (plan, truth) = (trial.model.streets[0].tubes(), trial.truth.streets[0].tubes());
    // Both stand at about 96 % of the plan after 14 hours: one with its queue long gone, as a street of the round that 96 %
    // came to; one at the same rate all day.
    let told = |of: &dyn Fn(Ms, u64) -> u64| {
        let mut situation = trial.situation(14 * HOUR);
        for reading in &mut situation.readings {
            reading.streets[0].collected = of(reading.at, reading.streets[0].collected);
        }
        turnout(&trial, &situation)[0]
    };
    let gone = told(&|_, collected| collected * plan * 96 / truth / 100);
    let minutes = |at: Ms| u64::from(at / MINUTE);
    let going_on = told(&|at, _| plan * 96 * minutes(at) / minutes(14 * HOUR) / 100);
    assert!((gone.0 - 0.96).abs() < 0.015 && gone.1 < 0.02, "{gone:?}");
    assert!(going_on.0 > gone.0 + 0.01, "{going_on:?} {gone:?}");
}

#[test]
fn a_lab_that_stands_still_is_seen_while_it_does_and_after() {
    let (mut seen, mut seen_after, mut late) = (0, 0, Vec::new());
    let mut rounds = 0;
    for seed in 0..60 {
        let trial = Trial::surprised(seed, Surprise::Outage);
        let (lab, from, to) = trial.outage.expect("an outage");
        let find = |at: Ms| {
            let situation = trial.situation(at);
            let stops = stops::find(&trial.model, &trial.model.labs[lab], lab, &situation);
            stops.into_iter().find(|stop| stop.from < to && stop.to.is_none_or(|end| end > from))
        };
        // Only where there is something to do all the while.
        let waiting = |at: Ms| {
            let newest = trial.situation(at).readings.pop().expect("a reading");
            newest.labs[lab].received.saturating_sub(newest.labs[lab].resulted) > 1_500
        };
        if to > trial.finish || !waiting(from) || !waiting(to) {
            continue;
        }
        rounds += 1;
        let (during, after) = (find(to - MINUTE), find(to + 2 * HOUR));
        seen += usize::from(during.is_some_and(|stop| stop.to.is_none()));
        seen_after += usize::from(after.is_some_and(|stop| stop.to.is_some()));
        late.extend(
            during.map(|stop| (f64::from(stop.from) - f64::from(from)) / f64::from(MINUTE)),
        );
    }
    let mean = late.iter().sum::<f64>() / late.len() as f64;
    assert!(rounds >= 20 && seen * 10 >= rounds * 8 && seen_after * 10 >= rounds * 7);
    assert!(mean.abs() < 20.0, "{late:?}");
}

#[test]
fn a_lab_that_works_is_not_said_to_stand_still() {
    let (mut looks, mut wrong) = (0, 0);
    for seed in 0..60 {
        let trial = Trial::new(seed, false);
        for percent in [20, 40, 60, 80, 95] {
            let situation = part_way(&trial, percent);
            for (i, lab) in trial.model.labs.iter().enumerate() {
                looks += 1;
                wrong += usize::from(!stops::find(&trial.model, lab, i, &situation).is_empty());
            }
        }
    }
    assert!(wrong * 50 <= looks, "{wrong} of {looks}");
}

#[test]
fn what_is_left_of_a_stop_is_longer_the_longer_it_has_lasted() {
    let median = |hours: Ms| remaining(hours * HOUR, 0.5);
    assert!(median(1) > HOUR && median(1) < 2 * HOUR && median(8) > 2 * median(1));
    assert!(remaining(HOUR, 0.9) > 3 * remaining(HOUR, 0.5));
    assert_eq!(remaining(HOUR, 0.0), 0);
}

#[test]
fn the_clock_of_a_lab_does_not_go_on_while_it_stands() {
    let stops = [Still { from: 10, to: Some(30) }, Still { from: 50, to: None }];
    let clock = OwnClock(&stops);
    let times = [0, 10, 20, 30, 40, 50, 90].map(|at| clock.at(at));
    assert_eq!(times, [0, 10, 10, 10, 20, 30, 30]);
    assert_eq!(clock.behind(), 20);
    assert!(clock.stood_between(0, 11, 0) && !clock.stood_between(31, 50, 0));
    assert!(clock.stood_between(31, 50, 5) && clock.stood_between(80, 90, 0));
}

#[test]
fn tubes_that_go_to_another_lab_are_noticed_and_go_on_going_there() {
    let mut rounds = 0;
    for seed in 0..30 {
        let trial = Trial::surprised(seed, Surprise::Astray);
        if trial.model.labs.len() < 2 {
            continue;
        }
        rounds += 1;
        let situation = trial.situation(5 * HOUR);
        let belief = Belief::learn(&trial.model, &trial.doubt, &situation);
        assert_eq!(belief.astray.len(), 1, "{seed}");
        let share = |model: &Model| {
            let own = |street: &&Street| street.lab == 0;
            let all: u64 = model.streets.iter().map(|s| s.tubes()).sum();
            model.streets.iter().filter(own).map(|s| s.tubes()).sum::<u64>() as f64 / all as f64
        };
        let draw = |k| share(&belief.draw(&trial.model, &trial.doubt, &situation, dice(k)).model);
        let drawn = (0..50).map(draw).sum::<f64>() / 50.0;
        let (truth, plan) = (share(&trial.truth), share(&trial.model));
        assert!((drawn - truth).abs() < 0.35 * (plan - truth), "{seed}: {drawn} {truth} {plan}");
        // As planned, nothing is said to go astray.
        let calm = Trial::new(seed, false);
        for percent in [20, 50, 90] {
            let learned = astray::learn(&calm.model, &part_way(&calm, percent));
            assert!(learned.is_empty(), "{seed}: {learned:?}");
        }
    }
    assert!(rounds >= 8, "{rounds}");
}

/// Plates are loaded and resulted whole, and the flows know of none: with tubes that flow on as they come the replay was a
/// plate ahead of what was counted, and labs were believed slower than they are.
#[test]
fn a_lab_replayed_at_its_true_pace_has_done_what_was_counted() {
    let (mut ahead, mut labs) = ([0.0f64; 2], 0.0);
    for seed in 1_000_000..1_000_060 {
        let trial = Trial::new(seed, false);
        let situation = trial.situation(trial.finish / 2);
        for (number, lab) in trial.truth.labs.iter().enumerate() {
            let count = |r: &Reading| (r.at, r.labs[number]);
            let counts: Vec<(Ms, LabCount)> = situation.readings.iter().map(count).collect();
            let done = pace::expected(&trial.truth, lab, &Door::of(&counts, OwnClock(&[])));
            let batch = f64::from(lab.stages[StageKind::Pcr.index()].batch);
            for ((_, count), done) in counts.iter().zip(&done).skip(counts.len() / 2) {
                let of = 1.0 / (counts.len() - counts.len() / 2) as f64 / batch;
                ahead[0] += (done[0] - count.plated as f64) * of;
                ahead[1] += (done[1] - count.resulted as f64) * of;
            }
            labs += 1.0;
        }
    }
    let plates = ahead.map(|ahead| ahead / labs);
    assert!(plates.into_iter().all(|plates| plates.abs() < 0.6), "{plates:?}");
}

/// A lab with one unit loads a plate every hour or two: one half hour has all of it, and the next ones have nothing.
#[test]
fn a_lab_as_quick_as_planned_is_not_thought_slower_with_every_plate() {
    let mut model = example::city(1);
    let plate = 108 * MINUTE;
    for (stage, kind) in model.labs[0].stages.iter_mut().zip(StageKind::ALL) {
        stage.rests = Rests::default();
        (stage.units, stage.hold) = if kind == StageKind::Decap { (1, 0) } else { (3, stage.hold) };
        if kind == StageKind::Decap {
            stage.run = plate;
        }
    }
    let lab = model.labs[0].clone();
    let way: Ms = lab.stages[StageKind::Extract.index()..].iter().map(|stage| stage.run).sum();
    let batch = u64::from(lab.stages[StageKind::Pcr.index()].batch);
    let plates = |at: Ms| u64::from(at.saturating_sub(2 * HOUR) / plate);
    for every in [15, 30] {
        let reading = |k: Ms| {
            let at = k * every * MINUTE;
            let (plates, done) = (plates(at), plates(at.saturating_sub(way)));
            let received = if at < HOUR { 0 } else { 40 * batch };
            let (plated, resulted) = (plates * batch, done * batch);
            let count = LabCount { received, plated, resulted, plates, ..LabCount::default() };
            let labs = vec![count; model.labs.len()];
            Reading { at, streets: vec![StreetCount::default(); model.streets.len()], labs }
        };
        let situation = Situation { readings: (0..48 * 60 / every).map(reading).collect() };
        for (lab_pace, lab_derate) in [(0.005, 0.995), (0.01, 0.99)] {
            let doubt = Doubt { lab_pace, lab_derate, ..example::DOUBT };
            let grid = pace::learn(&model, &doubt, &lab, 0, &situation, &[]);
            let mean: f64 = grid.iter().map(|pace| pace.ln * pace.weight).sum();
            assert!(mean.abs() < 0.01, "every {every} min, {lab_pace}: {mean}");
        }
    }
}

/// A tube or two by which a small street stays below its plan are not sure to come: how many of a few people come is counted by
/// chance, however well it is known how many live there.
#[test]
fn who_has_not_come_to_a_small_street_is_waited_for_by_chance_and_not_until_the_desks_close() {
    let known = Doubt {
        turnout: 0.0,
        turnout_city: 0.0,
        desk_rate: 0.01,
        desk_rate_city: 0.01,
        ..example::DOUBT
    };
    // Tubes planned, tubes missing when the queue is gone, minutes since; share of draws in which any is still to come.
    for (planned, missing, minutes, share) in [
        // While people queue they are to come.
        (20, 10, 0, 1.0..=1.0),
        (200, 60, 0, 1.0..=1.0),
        // A queue that is just gone says little of the last tubes, and every hour after it more.
        (20, 2, 15, 0.1..=1.0),
        (20, 2, 75, 0.0..=0.4),
        (20, 2, 300, 0.0..=0.1),
        (60, 1, 15, 0.1..=1.0),
        (60, 1, 75, 0.0..=0.4),
        (60, 1, 300, 0.0..=0.1),
        (60, 3, 75, 0.0..=0.4),
        (60, 3, 300, 0.0..=0.1),
        (200, 2, 15, 0.1..=1.0),
        (200, 2, 75, 0.0..=0.4),
        (200, 2, 300, 0.0..=0.1),
        (200, 8, 300, 0.0..=0.05),
    ] {
        let mut model = example::city(1);
        model.streets = vec![Street { late_share: 0.0, ..example::street(planned * 10, 2, 0) }];
        let street = model.streets[0];
        let upto = f64::from(planned - missing);
        let gone = street.desk_time(upto / 2.0, street.mean_speed()) as Ms;
        let now = gone + minutes * MINUTE;
        let reading = |at: Ms| Reading {
            at,
            streets: vec![StreetCount {
                collected: queue_tubes(&street, f64::from(at)).min(upto) as u64,
                ..StreetCount::default()
            }],
            labs: vec![LabCount::default(); model.labs.len()],
        };
        let times = (1..).map(|k| k * 15 * MINUTE).take_while(|at| *at < now);
        let situation = Situation { readings: times.chain([now]).map(reading).collect() };
        let belief = Belief::learn(&model, &known, &situation);
        let come = |k: &u64| {
            let drawn = belief.draw(&model, &known, &situation, dice(*k)).model.streets[0].tubes();
            drawn > u64::from(planned - missing)
        };
        let found = (0..400).filter(come).count() as f64 / 400.0;
        let what = (planned, missing, minutes);
        assert!(share.contains(&found), "{what:?}: {found}");
    }
}
