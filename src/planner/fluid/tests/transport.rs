//! Vehicles that take less than there is: the flows hold every tube until they can bring it, say so, and say how many would do.

use proptest::prelude::*;

use super::super::*;
use super::nobody_infected;
use crate::planner::example;
use crate::planner::model::{HOUR, Model, Street};
use crate::planner::simulate::{Scratch, Simulation, Start};

/// A city by chance in which vehicles are few, or slow, or small.
fn scarce(seed: u64, vehicles: u32, load: u32, trip_h: Ms) -> Model {
    let mut model = nobody_infected(&example::by_chance(seed));
    for street in &mut model.streets {
        street.vehicles = vehicles;
        street.vehicle_tubes = load;
        street.round_trip_min = trip_h * HOUR;
    }
    model
}

/// The soonest that the vehicles of a street can bring its last tube, on roads that take their median: all of them full.
fn soonest(street: &Street) -> f64 {
    let trips = street.tubes().div_ceil(u64::from(street.vehicle_tubes));
    let rounds = trips.div_ceil(u64::from(street.vehicles)) - 1;
    rounds as f64 * f64::from(street.round_trip_min) + f64::from(street.handling + street.travel)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_tube_is_there_before_its_vehicle_can_bring_it(
        seed in any::<u64>(), vehicles in 1..6u32, load in 200..3000u32, trip_h in 1..8u32,
    ) {
        let model = scarce(seed, vehicles, load, trip_h);
        let flow = city(&model);
        for (i, street) in model.streets.iter().enumerate() {
            // The last one is there when all that was filled has been taken, and brought.
            let way = f64::from(street.handling + street.travel);
            prop_assert!(f64::from(flow.doors[i]) >= soonest(street).min(f64::from(HORIZON_MS)));
            prop_assert!(f64::from(flow.doors[i]) >= (f64::from(flow.streets[i]) + way).min(f64::from(HORIZON_MS)));
            prop_assert!(flow.labs[street.lab].delivered >= flow.doors[i]);
        }
    }

    #[test]
    fn the_city_is_its_labs_and_a_lab_ends_a_chain_of_runs_after_its_last_tube(
        seed in any::<u64>(), vehicles in 1..6u32, trip_h in 0..8u32, recalls in any::<bool>(),
    ) {
        let mut model = scarce(seed, vehicles, 2000, trip_h);
        if recalls {
            model.recall.prevalence = 1e-3;
        }
        let flow = city(&model);
        let latest = |of: fn(&LabFlow) -> Ms| flow.labs.iter().map(of).max();
        prop_assert_eq!(latest(|lab| lab.delivered), Some(flow.delivered));
        prop_assert_eq!(latest(|lab| lab.finish), Some(flow.finish));
        prop_assert_eq!(latest(|lab| lab.closed), Some(flow.closed));
        prop_assert_eq!(flow.last_lab().map(|lab| flow.labs[lab].finish), Some(flow.finish));
        for lab in flow.labs.iter().filter(|lab| lab.tubes > 0) {
            prop_assert!(later(lab.delivered, lab.chain) <= lab.finish);
        }
    }

    #[test]
    fn with_more_vehicles_nothing_is_later(
        seed in any::<u64>(), vehicles in 1..6u32, more in 1..40u32, trip_h in 0..8u32,
    ) {
        let model = scarce(seed, vehicles, 2000, trip_h);
        let mut with = model.clone();
        with.streets.iter_mut().for_each(|street| street.vehicles += more);
        let (before, after) = (city(&model), city(&with));
        prop_assert!(after.delivered <= before.delivered && after.finish <= before.finish);
        for (before, after) in before.doors.iter().zip(&after.doors) {
            prop_assert!(after <= before);
        }
    }

    #[test]
    fn as_many_vehicles_as_are_told_are_enough_and_one_fewer_is_not(
        seed in any::<u64>(), vehicles in 1..4u32, load in 100..1500u32, trip_h in 2..8u32, target_h in 16..100u32,
    ) {
        let mut model = scarce(seed, vehicles, load, trip_h);
        model.target = target_h * HOUR;
        let flow = city(&model);
        for transport in flow.labs.iter().filter_map(|lab| lab.transport) {
            let at = transport.street;
            let number = model.streets[at].lab;
            let fits = |vehicles: u32| {
                let mut with = model.clone();
                with.streets[at].vehicles = vehicles;
                let flow = city(&with);
                let in_time = later(flow.doors[at], flow.labs[number].chain) <= model.target;
                (in_time, short_of_vehicles(&with.streets[at]))
            };
            let (in_time, waits) = fits(transport.needed);
            prop_assert_eq!(in_time, transport.in_time);
            prop_assert!(in_time || !waits);
            prop_assert!(transport.needed > transport.vehicles);
            let fewer = fits(transport.needed - 1);
            let late_now = !fits(transport.vehicles).0;
            let not_enough = if late_now { fewer == (false, true) } else { fewer.1 };
            prop_assert!(not_enough);
        }
    }
}

/// A lab with plenty of all, and its one street with few vehicles.
fn waiting(vehicles: u32, trip_h: Ms) -> Model {
    let mut model = nobody_infected(&example::city(1));
    let street = Street {
        vehicles,
        round_trip_min: trip_h * HOUR,
        desk_spread: 0.0,
        ..example::street(400_000, 500, 0)
    };
    model.streets = vec![street];
    model.labs = vec![example::lab([500; StageKind::COUNT])];
    model.target = 48 * HOUR;
    model
}

#[test]
fn where_vehicles_are_the_reason_they_are_what_is_told() {
    // 40,000 tubes; 2,000 a trip, and a trip every so many hours.
    for (what, vehicles, trip_h, held, no_units, needed) in [
        ("one load every four hours", 2, 8, Held::Transport, Some(NoUnits::Transport), Some(4)),
        ("the same, with as many as are told", 4, 8, Held::Transport, None, Some(9)),
        ("one load an hour", 1, 1, Held::Transport, None, Some(2)),
        ("two loads an hour", 2, 1, Held::Way, None, None),
    ] {
        let model = waiting(vehicles, trip_h);
        let flow = one_lab(&model, 0, &model.labs[0]);
        let told = (flow.held, flow.no_units(model.target), flow.transport.map(|of| of.needed));
        assert_eq!(told, (held, no_units, needed), "{what}: {flow:?}");
    }
}

/// Streets of a lab whose tubes wait are counted, and since when the last of them does is told: never, where its vehicles only are
/// away at the end.
#[test]
fn since_when_and_at_how_many_streets_tubes_wait_is_told() {
    let short = |vehicles, trip_h| waiting(vehicles, trip_h).streets[0];
    let enough = Street { persons: 1000, ..short(40, 0) };
    // Less than a load, so it goes when it is there.
    let away = Street { vehicles: 1, round_trip_min: 8 * HOUR, ..enough };
    for (what, streets, waiting_streets, since) in [
        ("one that is short", vec![short(2, 8)], 1, true),
        ("beside one that is not", vec![enough, short(2, 8)], 1, true),
        ("two of three", vec![short(4, 8), enough, short(2, 8)], 2, true),
        ("only away", vec![away], 1, false),
    ] {
        let model = Model { streets, ..waiting(2, 8) };
        let told = one_lab(&model, 0, &model.labs[0]).transport.expect(what);
        assert_eq!(
            (told.streets, told.since.is_some()),
            (waiting_streets, since),
            "{what}: {told:?}"
        );
        assert!(told.since.is_none_or(|since| since < city(&model).delivered), "{what}: {told:?}");
    }
}

#[test]
fn the_flows_of_a_street_that_waits_for_vehicles_are_near_the_simulation() {
    for (vehicles, trip_h) in [(2, 8), (5, 8), (3, 4), (2, 2), (1, 1)] {
        let model = waiting(vehicles, trip_h);
        let start = Start::whole(&model);
        let mut scratch = Scratch::default();
        let simulation = Simulation::new(&model, &start);
        let mean =
            (0..20).map(|n| f64::from(simulation.run(3, n, &mut scratch).delivered)).sum::<f64>()
                / 20.0;
        let flows = f64::from(city(&model).delivered);
        // Loads go at times, flows all the time: that is half a trip at most.
        let within = f64::from(trip_h * HOUR) / 2.0 + 0.03 * mean;
        let [flows_h, mean_h] = [flows, mean].map(|at| at / f64::from(HOUR));
        assert!((flows - mean).abs() < within, "{vehicles} every {trip_h} h: {flows_h} {mean_h}");
    }
}
