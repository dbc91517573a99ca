//! The fluid, held against what is known: more of a resource never finishes later; what one more unit saves is what it
//! saves. Against the simulation it is held in `planner::tests::layers`.

use proptest::prelude::*;

use super::*;
use crate::planner::example;

/// One more unit at a stage of a lab.
fn with_unit(model: &Model, lab: usize, kind: StageKind) -> Model {
    let mut more = model.clone();
    more.labs[lab].stages[kind.index()].add_unit();
    more
}

/// Nobody is infected.
fn nobody_infected(model: &Model) -> Model {
    let mut model = model.clone();
    model.recall.prevalence = 0.0;
    model
}

/// Whatever may be more of: a unit at each stage of each lab; a desk, a vehicle and both in a street.
fn more_of_each(model: &Model, street: usize) -> Vec<(String, Model)> {
    let mut all = Vec::new();
    for lab in 0..model.labs.len() {
        let with = |kind| (format!("{kind:?} in lab {lab}"), with_unit(model, lab, kind));
        all.extend(StageKind::ALL.map(with));
    }
    for (desks, vehicles) in [(1, 0), (0, 1), (1, 1)] {
        let mut more = model.clone();
        more.streets[street].desks += desks;
        more.streets[street].vehicles += vehicles;
        all.push((format!("{desks} desks and {vehicles} vehicles"), more));
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Exactly: in 4,000 cities none of 106,238 more units, desks and vehicles.
    #[test]
    fn more_of_anything_never_finishes_later(
        seed in any::<u64>(),
        street in any::<prop::sample::Index>(),
    ) {
        let model = nobody_infected(&example::by_chance(seed));
        let before = city(&model);
        for (what, more) in more_of_each(&model, street.index(model.streets.len())) {
            let after = city(&more);
            prop_assert!(after.finish <= before.finish, "{what} {} {}", after.finish, before.finish);
            prop_assert!(after.closed <= before.closed, "{what} {} {}", after.closed, before.closed);
        }
    }

    /// To a run: results that come earlier bring their recalls earlier, and these go first. Of the same changes 103 were
    /// later, five of them by more than a quarter of an hour and none by an hour.
    #[test]
    fn with_recalls_more_of_anything_is_not_later_by_more_than_a_run(
        seed in any::<u64>(),
        street in any::<prop::sample::Index>(),
    ) {
        let model = example::by_chance(seed);
        let run = model.labs.iter().flat_map(|lab| &lab.stages).map(|stage| stage.run).max();
        let run = run.unwrap_or(0);
        let before = city(&model);
        for (what, more) in more_of_each(&model, street.index(model.streets.len())) {
            let after = city(&more);
            let (finish, closed) = (before.finish + run, before.closed + run);
            prop_assert!(after.finish <= finish, "{what} {} {}", after.finish, before.finish);
            prop_assert!(after.closed <= closed, "{what} {} {}", after.closed, before.closed);
        }
    }

    /// To a step of time.
    #[test]
    fn what_one_more_unit_saves_is_what_it_saves(seed in any::<u64>()) {
        let model = nobody_infected(&example::by_chance(seed));
        for (number, lab) in model.labs.iter().enumerate() {
            let before = one_lab(&model, number, lab);
            for kind in StageKind::ALL {
                let more = with_unit(&model, number, kind);
                let after = one_lab(&more, number, &more.labs[number]);
                let saved = before.finish - after.finish;
                let said = before.one_more_saves[kind.index()];
                prop_assert!(said.abs_diff(saved) <= STEP, "{kind:?}: {said} and not {saved}");
            }
        }
    }
}

#[test]
fn the_inflow_is_every_tube_and_the_outflow_too() {
    for seed in 0..40 {
        let model = nobody_infected(&example::by_chance(seed));
        let list: Vec<usize> =
            (0..model.streets.len()).filter(|&i| model.streets[i].lab == 0).collect();
        let mut scratch = Scratch::default();
        let tubes = scratch.lab(&model, &model.labs[0], &list).tubes as f64;
        let door = |scratch: &Scratch| scratch.tank.flows[0].ordinary.iter().sum::<f64>();
        assert!((door(&scratch) / tubes - 1.0).abs() < 1e-6, "{seed}");
        // What one more unit saves was reckoned last; the lab itself once more.
        let step = scratch.inflow.step;
        scratch.tank.prepare(&model.labs[0], model.midnight_offset, step);
        scratch.tank.run(&model.labs[0], 0, &mut [StageFlow::default(); StageKind::COUNT]);
        let out: f64 = scratch.tank.flows[StageKind::COUNT].ordinary.iter().sum();
        assert!((out / tubes - 1.0).abs() < 1e-6, "{seed}: {out} of {tubes} in steps of {step}");
    }
}

#[test]
fn a_city_ten_times_the_largest_is_checked_and_reckoned() {
    let model = example::city(1000);
    assert_eq!(model.check(), Ok(()));
    assert_eq!(model.tubes(), 24_960_000);
    let flow = city(&model);
    let one = city(&example::city(1));
    assert_eq!(flow.labs.len(), 1000);
    // Its labs are alike, and each is as if it were alone.
    assert!(flow.labs.iter().all(|lab| *lab == one.labs[0]));
    // The city waits for the latest trip of more streets.
    assert!(flow.finish >= one.finish && flow.delivered >= one.delivered);
}
