//! More of a resource never finishes later: exactly where runs are whole plates and nobody rests, and on average where
//! chance, calendars and half-full plates are in it. On average, for a unit that stood idle and took a plate that was not
//! full is not there for the tubes that come after it: now and then a plate more is run, and it is the last one.

use proptest::prelude::*;

use super::*;
use crate::planner::city::StageKind;
use crate::planner::fluid;
use crate::planner::model::{HOUR, Lab, MINUTE};
use crate::planner::study::{what_if, what_if_city};

/// A lab alone, with full plates that come at these times.
fn lab_alone(lab: &Lab, plates: &[Ms]) -> LabRun {
    let model = Model { streets: Vec::new(), labs: vec![lab.clone()], ..example::city(1) };
    let mut start = Start::whole(&model);
    start.labs[0].waiting[0] = plates.iter().map(|at| (*at, 94)).collect();
    Simulation::new(&model, &start).run(3, 0, &mut Scratch::default()).labs.remove(0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// The k-th result, for every k: of whole plates, the k-th run of a stage has the same run time with one more unit.
    #[test]
    fn with_whole_plates_one_more_unit_makes_no_result_later(
        stages in prop::collection::vec((1u32..6, 1u32..100, 0.0..0.3), 7),
        plates in prop::collection::vec(0u32..24 * HOUR, 1..200),
        grows in 0usize..7,
    ) {
        let mut stages = stages.into_iter();
        let lab = Lab {
            stages: [(); StageKind::COUNT].map(|()| {
                let (units, minutes, run_spread) = stages.next().expect("seven");
                Stage { run_spread, ..stage(units, 94, minutes * MINUTE, Takes::Fill) }
            }),
        };
        let mut more = lab.clone();
        more.stages[grows].add_unit();
        let (before, after) = (lab_alone(&lab, &plates), lab_alone(&more, &plates));
        prop_assert_eq!(before.results.len(), after.results.len());
        for ((a, _), (b, _)) in before.results.iter().zip(&after.results) {
            prop_assert!(b <= a, "{b} after {a}");
        }
    }
}

/// What one plate more takes at the slowest stage of a lab, ms: a plate that was closed less full is one more for the units of
/// every stage behind, and each unit has that many fewer to itself. In 3,000 cities none of 21,000 more units was later by more
/// than 0.86 of it on the mean of 20 pairs, and none by more than 10.1 minutes, whatever it was; so many minutes are allowed.
fn one_plate_more(lab: &Lab) -> f64 {
    let turn = |stage: &Stage| f64::from(stage.run) / f64::from(stage.units);
    lab.stages.iter().map(turn).fold(0.0, f64::max).min(f64::from(12 * MINUTE))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn in_any_city_one_more_unit_is_later_by_one_plate_at_most(seed in any::<u64>()) {
        let model = example::by_chance(seed);
        prop_assume!(model.check().is_ok());
        let lab = (seed % model.labs.len() as u64) as usize;
        let allowed = one_plate_more(&model.labs[lab]);
        for kind in StageKind::ALL {
            let mut more = model.labs[lab].clone();
            more.stages[kind.index()].add_unit();
            let pairs = what_if(&model, lab, &more, seed, 20, &|| true);
            prop_assert!(-pairs.saved <= allowed, "{kind:?} {pairs:?}, {allowed} allowed");
        }
    }
}

/// In 3,000 cities 8.6 % of the units were later on the mean of 20 pairs, and 0.09 % by more than its interval.
#[test]
fn hardly_any_more_unit_is_later_beyond_chance() {
    let (mut asked, mut later, mut beyond) = (0, 0, Vec::new());
    for seed in 0..48 {
        let model = example::by_chance(seed);
        let lab = seed as usize % model.labs.len();
        for kind in StageKind::ALL {
            let mut more = model.labs[lab].clone();
            more.stages[kind.index()].add_unit();
            let pairs = what_if(&model, lab, &more, seed, 20, &|| true);
            asked += 1;
            later += u32::from(pairs.saved < 0.0);
            if pairs.saved + pairs.half_width.expect("pairs") < 0.0 {
                beyond.push((seed, kind, pairs));
            }
        }
    }
    assert!(later * 7 <= asked, "{later} of {asked}");
    assert!(beyond.len() <= 2, "{beyond:?}");
}

/// What the flows tell as saved is no more than the simulation sees, and no less, but for what the layers differ by: 2 % of the
/// end, an hour at least, and the interval of 20 pairs.
#[test]
fn what_one_more_unit_saves_in_the_flows_is_what_pairs_of_simulations_see() {
    for seed in 0..12 {
        let model = example::by_chance(seed);
        let flow = fluid::city(&model);
        let saves = fluid::one_more(&model, &flow);
        let lab = seed as usize % model.labs.len();
        for kind in StageKind::ALL {
            let mut more = model.labs[lab].clone();
            more.stages[kind.index()].add_unit();
            let pairs = what_if(&model, lab, &more, seed, 20, &|| true);
            let told = saves[lab][kind.index()].lab as f64;
            let near = (0.02 * f64::from(flow.labs[lab].finish)).max(f64::from(HOUR));
            let off = (told - pairs.saved).abs();
            assert!(
                off <= near + pairs.half_width.expect("pairs"),
                "{seed}: {kind:?}: {told} and {pairs:?}"
            );
        }
    }
}

/// The tolerance: one plate more at the lab. In 400 cities the mean of 20 pairs was later by half of that at most, and beyond its
/// interval by 1.4 minutes; in a third of them it was later at all, by chance: other boxes are other people.
#[test]
fn on_average_one_more_desk_or_vehicle_is_later_by_one_plate_at_most() {
    for seed in 0..24 {
        let model = example::by_chance(seed);
        let street = seed as usize % model.streets.len();
        let lab = model.streets[street].lab;
        let allowed = one_plate_more(&model.labs[lab]);
        for (what, desks, vehicles) in [("desk", 1, 0), ("vehicle", 0, 1)] {
            let mut more = model.clone();
            more.streets[street].desks += desks;
            more.streets[street].vehicles += vehicles;
            let pairs = what_if_city(&model, &more, &[lab], seed, 20, &|| true);
            assert!(
                -pairs.saved <= allowed,
                "{seed}: one more {what}: {pairs:?}, {allowed} allowed"
            );
            let beyond = -pairs.saved - pairs.half_width.expect("pairs");
            assert!(beyond <= f64::from(2 * MINUTE), "{seed}: one more {what}: {pairs:?}");
        }
    }
}
