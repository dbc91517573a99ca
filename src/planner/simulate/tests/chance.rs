//! Chance is common: what one resource changes, it changes alone; the same seed is the same round, on any number of
//! threads.

use super::super::calendar::Calendar;
use super::*;
use crate::planner::city::StageKind;
use crate::planner::example::DOUBT;
use crate::planner::model::{DAY, HOUR, Lab};
use crate::planner::study::{lab_finishes, study, what_if};

/// Three labs, with failures and recalls.
fn city() -> Model {
    let mut model = example::city(3);
    model.recall.prevalence = 1e-3;
    model
}

/// What can be changed about a lab, one after the other.
fn changes(lab: &Lab) -> Vec<Lab> {
    let changed = |kind: StageKind, change: &dyn Fn(&mut Stage)| {
        let mut lab = lab.clone();
        change(&mut lab.stages[kind.index()]);
        lab
    };
    let mut all: Vec<Lab> = StageKind::ALL.map(|kind| changed(kind, &Stage::add_unit)).into();
    all.push(changed(StageKind::Pcr, &|stage| stage.run *= 2));
    all.push(changed(StageKind::Inactivate, &|stage| stage.hold = 0));
    all.push(changed(StageKind::Extract, &|stage| stage.failures_per_day = 2.0));
    all.push(changed(StageKind::Review, &|stage| {
        stage.rests = vec![vec![(0, 8 * HOUR)]; 5].into()
    }));
    all
}

#[test]
fn a_change_to_one_lab_leaves_the_other_labs_and_every_street_as_they_were() {
    let model = city();
    let before = replication(&model, 5, 2);
    let mut different = 0;
    for changed in changes(&model.labs[1]) {
        let mut other = model.clone();
        other.labs[1] = changed;
        let after = replication(&other, 5, 2);
        different += usize::from(after.labs[1] != before.labs[1]);
        assert_eq!((&after.labs[0], &after.labs[2]), (&before.labs[0], &before.labs[2]));
        assert_eq!(after.streets, before.streets);
        assert_eq!((after.sampled, after.delivered), (before.sampled, before.delivered));
    }
    assert!(different > 5, "one more where nobody waits changes nothing; the others do");
}

#[test]
fn a_change_to_one_street_leaves_the_other_streets_and_labs_as_they_were() {
    let model = city();
    let before = replication(&model, 5, 2);
    let mut other = model.clone();
    (other.streets[0].desks, other.streets[0].vehicles) = (30, 5);
    let after = replication(&other, 5, 2);
    assert_ne!(after.streets[0], before.streets[0]);
    assert_eq!(after.streets[1..], before.streets[1..]);
    assert_eq!(after.labs[1..], before.labs[1..]);
}

#[test]
fn what_comes_to_the_door_does_not_depend_on_what_is_behind_it() {
    let model = city();
    let door = |model: &Model| {
        let start = Start::whole(model);
        let simulation = Simulation::new(model, &start);
        let (mut scratch, mut streets) = (Scratch::default(), vec![StreetRun::default(); 48]);
        simulation.lab(1, 5, 2, &mut scratch, &mut streets, &mut |_, _| {});
        simulation.boxes(&scratch).collect::<Vec<_>>()
    };
    let before = door(&model);
    assert!(before.len() > 1000);
    for changed in changes(&model.labs[1]) {
        let mut other = model.clone();
        other.labs[1] = changed;
        assert_eq!(door(&other), before);
    }
}

#[test]
fn the_same_seed_is_the_same_round_and_another_is_not() {
    let model = city();
    let start = Start::whole(&model);
    let simulation = Simulation::new(&model, &start);
    // Memory that was used for another round changes nothing.
    let mut used = Scratch::default();
    let first = simulation.run(5, 2, &mut used);
    for (seed, number) in [(5, 3), (6, 2)] {
        assert_ne!(simulation.run(seed, number, &mut used), first);
    }
    assert_eq!(simulation.run(5, 2, &mut used), first);
    assert_eq!(replication(&model, 5, 2), first);
}

#[test]
fn a_pair_is_two_rounds_of_which_one_has_the_changed_lab() {
    let model = city();
    let start = Start::whole(&model);
    let simulation = Simulation::new(&model, &start);
    for changed in changes(&model.labs[1]) {
        let [before, after] = simulation.pair(1, &changed, 5, 2, &mut Scratch::default());
        let mut other = model.clone();
        other.labs[1] = changed;
        assert_eq!(before, replication(&model, 5, 2).labs[1]);
        assert_eq!(after, replication(&other, 5, 2).labs[1]);
    }
}

#[test]
fn one_more_unit_fails_by_its_own_chance_alone() {
    let with = |units: u32| Stage {
        failures_per_day: 5.0,
        repair: HOUR,
        ..stage(units, 94, HOUR, Takes::Fill)
    };
    let (few, many) = (with(3), with(4));
    let calendar = |stage: &Stage| {
        let mut calendar = Calendar::default();
        calendar.draw(stage, 0, Stream::of(1, 0, Cause::Failure, 0), &[]);
        calendar
    };
    let (a, b) = (calendar(&few), calendar(&many));
    // Five a day, also after the first days.
    let down = |day: Ms| (day * DAY..(day + 1) * DAY).step_by(60_000);
    assert!((0..9).all(|day| down(day).any(|at| b.next_up(&many, 3, at) > at)));
    let times = || (0..5 * DAY).step_by(60_000);
    for unit in 0..3 {
        assert!(times().any(|at| a.next_up(&few, unit, at) > at), "a unit that fails");
        assert!(times().all(|at| a.next_up(&few, unit, at) == b.next_up(&many, unit, at)));
    }
}

#[test]
fn a_study_is_the_same_on_one_thread_and_on_two() {
    let model = example::by_chance(4);
    let mut more = model.labs[0].clone();
    more.stages[StageKind::Extract.index()].add_unit();
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| {
            let of = |doubt| study(&model, doubt, 9, 12, &|_| true);
            (of(None), of(Some(&DOUBT)), what_if(&model, 0, &more, 9, 12, &|| true))
        })
    };
    let (sure, doubtful, pairs) = on(1);
    assert_eq!((sure.replications, doubtful.replications, pairs.pairs), (12, 12, 12));
    assert_ne!(sure.finishes, doubtful.finishes);
    assert_eq!(on(2), (sure, doubtful, pairs));
}

/// A lab that is run alone, with what is in doubt drawn for it alone, sees the chance that it sees in the whole city.
#[test]
fn a_lab_that_is_looked_at_alone_is_done_as_in_the_study_of_the_city() {
    for seed in 0..6 {
        let model = example::by_chance(seed);
        for doubt in [None, Some(&DOUBT)] {
            let whole = study(&model, doubt, seed, 8, &|_| true).lab_finishes;
            for (lab, finishes) in whole.into_iter().enumerate() {
                assert_eq!(lab_finishes(&model, doubt, seed, 8, lab), finishes, "{seed}: {lab}");
            }
        }
    }
}
