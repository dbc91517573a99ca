//! The vehicles of a district: which street has how many, and that what the table of crews calls enough is enough in the flows.

use proptest::prelude::*;

use super::*;
use crate::planner::fluid::{self, LabFlow};
use crate::planner::model::{HOUR, Ms};
use crate::planner::round::Round;
use crate::planner::rules::vehicles_of_streets;
use crate::planner::simulate::{Scratch, Simulation, Start};

fn fleet(vehicles: u64, capacity_tubes: u64, trips_per_day: Option<u64>) -> Fleet {
    Fleet { vehicles, capacity_tubes, trips_per_day, origin: origin() }
}

/// A street of so many people to a tube.
fn pooled(code: &str, people: u64, pool: u64) -> Street {
    Street { pool: Some(pool), ..street(code, people, None) }
}

/// A district with streets of so many people and persons per tube, and a lab that keeps up with all of them.
fn town(streets: &[(u64, u64)], fleet: Fleet) -> City {
    let people = streets.iter().map(|street| street.0).sum();
    let mut town =
        city(vec![district("a", people, people / 300 + 20)], vec![lab("L", &["a"], 4000)]);
    let streets = streets.iter().enumerate();
    let streets = streets.map(|(i, &(people, pool))| pooled(&format!("a-{i}"), people, pool));
    town.districts[0].streets = streets.collect();
    town.districts[0].fleet = Some(fleet);
    town
}

fn dealt(town: &City) -> Vec<u64> {
    vehicles_of_streets(town).swap_remove(0)
}

#[test]
fn vehicles_go_where_the_tubes_are() {
    // A sealed zone with single tubes: a seventh of the people and three quarters of the tubes.
    let sealed = [(20_000, 1), (40_000, 20), (40_000, 20), (40_000, 20)];
    for (what, streets, vehicles, expected) in [
        ("by tubes", sealed, 20, vec![14, 2, 2, 2]),
        ("one for each where there are no more", sealed, 4, vec![1, 1, 1, 1]),
        ("and where there are fewer", sealed, 2, vec![1, 1, 1, 1]),
        // Eight trips of a vehicle, sixteen box intervals, 500 tubes to a load.
        (
            "first where loads take longest",
            [(1000, 1), (8400, 1), (0, 1), (0, 1)],
            4,
            vec![1, 3, 0, 0],
        ),
        ("then by tubes", [(1000, 1), (4000, 1), (0, 1), (0, 1)], 5, vec![2, 3, 0, 0]),
        ("nobody lives there", [(20_000, 1), (0, 1), (0, 1), (10_000, 1)], 9, vec![6, 0, 0, 3]),
    ] {
        let town = town(&streets, fleet(vehicles, 500, Some(8)));
        assert_eq!(dealt(&town), expected, "{what}");
        let model = Round::of(&town).expect("a round").model;
        let of_model: Vec<u64> = model.streets.iter().map(|s| s.vehicles.into()).collect();
        let at_least_one: Vec<u64> = expected.iter().map(|n| (*n).max(1)).collect();
        assert_eq!(of_model, at_least_one, "{what}");
    }
    let vast = town(&[(20_000, 1), (20_000, 10)], fleet(3_000_000_000, 500, None));
    assert_eq!(dealt(&vast).iter().sum::<u64>(), 3_000_000_000);
}

#[test]
fn no_box_is_larger_than_its_vehicle() {
    for (capacity, largest) in [(1, 1), (30, 30), (94, 94), (2000, 94)] {
        let town = town(&[(20_000, 10)], fleet(40, capacity, None));
        let model = Round::of(&town).expect("a round").model;
        let start = Start::whole(&model);
        let simulation = Simulation::new(&model, &start);
        let mut scratch = Scratch::default();
        simulation.run(1, 0, &mut scratch);
        let boxes: Vec<u32> = simulation.boxes(&scratch).map(|b| b.tubes).collect();
        assert_eq!(boxes.iter().sum::<u32>(), 2000, "{capacity}");
        assert!(boxes.iter().all(|tubes| *tubes <= largest), "{capacity}: {boxes:?}");
    }
}

#[test]
fn a_very_large_fleet_drives_as_a_whole() {
    // A tube to a trip and a trip a day: 20,000 tubes take so many days more than their collection as there are fewer vehicles.
    let delivered = |vehicles| {
        let town = town(&[(20_000, 1)], fleet(vehicles, 1, Some(1)));
        let model = Round::of(&town).expect("a round").model;
        let start = Start::whole(&model);
        Simulation::new(&model, &start).run(1, 0, &mut Scratch::default()).delivered
    };
    let days = |vehicles| f64::from(delivered(vehicles)) / f64::from(16 * HOUR);
    for (vehicles, rounds) in [(2_000, 10.0), (4_000, 5.0), (10_000, 2.0)] {
        let took = days(vehicles);
        assert!((took - rounds).abs() < 1.0, "{vehicles} vehicles: {took} days");
    }
}

/// When the last tube of a lab would be resulted by the chain of runs alone, if nothing waited there.
fn soonest(lab: &LabFlow) -> Ms {
    lab.delivered.saturating_add(lab.chain)
}

fn streets() -> impl Strategy<Value = Vec<(u64, u64)>> {
    let pool = prop_oneof![Just(1u64), Just(5), Just(10), Just(20)];
    proptest::collection::vec((500..60_000u64, pool), 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_parts_are_the_fleet_and_one_more_takes_none_from_anywhere(
        streets in streets(), more in 0..60u64, load in 50..3000u64, trips in proptest::option::of(1..12u64),
    ) {
        let vehicles = streets.len() as u64 + more;
        let before = dealt(&town(&streets, fleet(vehicles, load, trips)));
        prop_assert_eq!(before.iter().sum::<u64>(), vehicles);
        prop_assert!(before.iter().all(|n| *n > 0));
        let after = dealt(&town(&streets, fleet(vehicles + 1, load, trips)));
        prop_assert!(before.iter().zip(&after).all(|(before, after)| after >= before));
    }

    #[test]
    fn as_many_vehicles_as_the_table_needs_make_nothing_late(
        streets in streets(), load in 50..3000u64, trips in proptest::option::of(1..12u64), target_h in 1..6u32,
    ) {
        let target_h = target_h * 24;
        let mut town = town(&streets, fleet(1, load, trips));
        town.target_h = target_h;
        let need = |town: &City| {
            let plan = solve(town, target_h);
            let line = plan.crews.into_iter().find(|line| line.item == CrewItem::Vehicles);
            line.map(|line| (line.need, line.short)).expect("a line")
        };
        town.districts[0].fleet = Some(fleet(need(&town).0, load, trips));
        prop_assert_eq!(need(&town).1, 0);
        let round = Round::of(&town).expect("a round");
        let flow = fluid::city(&round.model);
        for lab in flow.labs.iter().filter(|lab| lab.tubes > 0) {
            let late = soonest(lab) > round.model.target && lab.transport.is_some();
            prop_assert!(!late, "{} of {}: {:?}", soonest(lab), round.model.target, lab.transport);
        }
    }
}
