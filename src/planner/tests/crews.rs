//! Shifts, teams, vehicles and trips of a district, each by hand.

use super::*;
use crate::planner::CrewItem::{Registrars, Samplers, Shifts, Teams, Trips, Vehicles};

/// 80,000 people, 100 desks as the norm's low count, and 200 samplers and 100 registrars: enough for one shift.
fn town() -> City {
    city(vec![district("a", 80_000, 100)], vec![lab("L", &["a"], 40)])
}

/// Need, have and short of one item of the first district.
fn line(city: &City, target_h: u32, item: CrewItem) -> [u64; 3] {
    let plan = solve(city, target_h);
    let line = plan.crews.iter().find(|line| line.item == item).expect("every district has it");
    assert_eq!((line.place.as_str(), line.short), ("a", line.need.saturating_sub(line.have)));
    [line.need, line.have, line.short]
}

#[test]
fn people_are_asked_for_shift_by_shift() {
    // Sixteen hours of sampling are two shifts of eight; 223 samplers by the norm are 112 a shift, and a desk has one registrar.
    for (item, expected) in [
        (Shifts, [2, 1, 1]),
        (Samplers, [112, 100, 12]),
        (Registrars, [100, 50, 50]),
        (Teams, [200, 100, 100]),
    ] {
        assert_eq!(line(&town(), 24, item), expected, "{item:?}");
    }
    let mut enough = town();
    (enough.districts[0].have.samplers, enough.districts[0].have.registrars) = (224, 200);
    for (item, expected) in [
        (Shifts, [2, 2, 0]),
        (Samplers, [112, 112, 0]),
        (Registrars, [100, 100, 0]),
        (Teams, [200, 200, 0]),
    ] {
        assert_eq!(line(&enough, 24, item), expected, "{item:?}");
    }
    // Fewer samplers than desks man no shift whole, however many registrars there are.
    enough.districts[0].have.samplers = 99;
    assert_eq!(line(&enough, 24, Shifts), [2, 0, 2]);
    assert_eq!(line(&enough, 24, Teams), [200, 99, 101]);
}

#[test]
fn shifts_of_the_round_are_those_in_which_people_are_sampled() {
    // 48 h: two days of 16 h. 30 h: one day and four hours of the next. 8 h: the way takes seven; one is left, in which it
    // takes far more desks and people.
    for (target_h, need, have) in [(48, 4, 2), (30, 3, 2), (24, 2, 1), (8, 1, 0)] {
        assert_eq!(line(&town(), target_h, Shifts)[..2], [need, have], "{target_h}");
    }
    // A longer shift by the norm is a shift less.
    let mut two = town();
    two.norm.shifts = n(1);
    assert_eq!(line(&two, 24, Shifts), [1, 0, 1]);
    assert_eq!(line(&two, 24, Samplers), [223, 200, 23]);
}

#[test]
fn vehicles_are_those_that_make_the_trips_in_time() {
    // 8,000 tubes are four loads, and sixteen box intervals sixteen trips of 70 minutes: 13 for a vehicle in sixteen hours.
    assert_eq!(line(&town(), 24, Trips), [16, 109, 0]);
    assert_eq!(line(&town(), 24, Vehicles), [2, 8, 0]);
    let with = |vehicles, capacity_tubes| {
        let mut town = town();
        town.districts[0].fleet =
            Some(Fleet { vehicles, capacity_tubes, trips_per_day: None, origin: origin() });
        town
    };
    assert_eq!(line(&with(1, 2000), 24, Vehicles), [2, 1, 1]);
    assert_eq!(line(&with(1, 2000), 24, Trips), [16, 13, 3]);
    // A hundred tubes to a vehicle: eighty loads.
    assert_eq!(line(&with(6, 100), 24, Trips), [80, 82, 0]);
    assert_eq!(line(&with(6, 100), 24, Vehicles), [7, 6, 1]);
    // Each street is driven to on its own.
    let mut streets = with(8, 2000);
    let all = (0..5).map(|i| street(&format!("a-{i}"), 16_000, None));
    streets.districts[0].streets = all.collect();
    assert_eq!(line(&streets, 24, Vehicles), [10, 8, 2]);
    assert_eq!(line(&streets, 24, Trips)[0], 80);
    let plan = solve(&streets, 24);
    let vehicles = plan.crews.iter().find(|line| line.item == Vehicles).expect("a line");
    assert_eq!(vehicles.support, 2);
}

#[test]
fn of_a_district_whose_streets_are_not_named_vehicles_and_trips_are_the_least_it_can_need() {
    let least = |city: &City| {
        let plan = solve(city, 24);
        let lines = plan.crews.iter().filter(|line| line.need_is_least);
        lines.map(|line| line.item).collect::<Vec<_>>()
    };
    let unnamed = town();
    assert_eq!(least(&unnamed), [Vehicles, Trips]);
    let [vehicles, trips] = [Vehicles, Trips].map(|item| line(&unnamed, 24, item)[0]);
    // The same people in streets of one size, and with a large one.
    let mut most = 0;
    for sizes in [vec![80_000], vec![40_000; 2], vec![8_000; 10], vec![62_000, 9_000, 9_000]] {
        let mut named = town();
        let streets = sizes.iter().enumerate();
        named.districts[0].streets =
            streets.map(|(i, people)| street(&format!("a-{i}"), *people, None)).collect();
        assert_eq!(least(&named), [], "{sizes:?}");
        let [in_truth, driven] = [Vehicles, Trips].map(|item| line(&named, 24, item)[0]);
        assert!(in_truth >= vehicles && driven >= trips, "{sizes:?}: {in_truth} {driven}");
        most = most.max(in_truth);
    }
    // What seemed plenty is not: the norm's eight vehicles are four times the least.
    let have = line(&unnamed, 24, Vehicles)[1];
    assert!(have >= 4 * vehicles && most > have, "{vehicles} {have} {most}");
}

#[test]
fn what_is_far_takes_longer_to_drive_to() {
    let place = |lon_e6, lat_e6| Some(Place { lon_e6, lat_e6 });
    let mut far = town();
    far.districts[0].place = place(118_900_000, 42_200_000);
    far.labs[0].place = place(118_900_000, 42_600_000);
    // 44.5 km at 40 km/h: 67 minutes, so a trip takes 144 and a vehicle makes six.
    assert_eq!(line(&far, 24, Vehicles)[0], 3);
    // To the nearer of two labs.
    let mut near = lab("N", &["a"], 40);
    near.place = place(118_900_000, 42_210_000);
    far.labs.push(near);
    assert_eq!(line(&far, 24, Vehicles)[0], 2);
}

#[test]
fn none_of_it_turns_a_verdict_or_is_on_the_list() {
    let mut without = town();
    without.districts[0].fleet =
        Some(Fleet { vehicles: 1, capacity_tubes: 1, trips_per_day: None, origin: origin() });
    let (with, without) = (solve(&town(), 24), solve(&without, 24));
    assert_eq!((with.verdict, with.shortages), (without.verdict, without.shortages));
}

#[test]
fn every_constant_that_a_line_rests_on_is_one_of_the_pack() {
    let norm = norm();
    let constants = norm.constants();
    for item in CrewItem::ALL {
        for key in item.rests_on() {
            assert!(constants.iter().any(|c| c.key == *key), "{item:?} {key}");
        }
    }
    // What there is comes from the district's people or vehicles; from the pack where it states none.
    let mut town = town();
    let stated = Origin::new("the district's own count", Status::Sourced);
    town.districts[0].have.origin = stated.clone();
    let of = |city: &City, item| {
        let plan = solve(city, 24);
        plan.crews.iter().find(|line| line.item == item).expect("a line").have_origin.clone()
    };
    assert_eq!((of(&town, Teams), of(&town, Vehicles)), (stated.clone(), origin()));
    let fleet =
        Fleet { vehicles: 3, capacity_tubes: 9, trips_per_day: None, origin: stated.clone() };
    town.districts[0].fleet = Some(fleet);
    assert_eq!(of(&town, Trips), stated);
}
