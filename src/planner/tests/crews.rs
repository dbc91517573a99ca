//! Shifts, teams, vehicles and trips of a district, each by hand.

use super::*;
use crate::planner::CrewItem::{DeskShifts, Registrars, Samplers, Shifts, Teams, Trips, Vehicles};

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
    // 80,000 people at 118.7 an hour are 674 hours of a desk: of a hundred desks 6.7 hours, one shift of eight, and 84.2
    // desk-shifts. A hundred registrars are as many teams, of which each works one shift.
    for (item, expected) in [
        (Shifts, [1, 1, 0]),
        (DeskShifts, [85, 100, 0]),
        (Samplers, [223, 200, 23]),
        (Registrars, [100, 100, 0]),
        (Teams, [100, 100, 0]),
    ] {
        assert_eq!(line(&town(), 24, item), expected, "{item:?}");
    }
    // In shifts of four hours it takes two, and 168.5 desk-shifts. The norm's 223 samplers are 112 a shift, and a desk has one
    // registrar in each.
    let mut short = town();
    short.norm.shifts = n(6);
    for (item, expected) in [
        (Shifts, [2, 1, 1]),
        (DeskShifts, [169, 100, 69]),
        (Samplers, [112, 100, 12]),
        (Registrars, [100, 50, 50]),
        (Teams, [200, 100, 100]),
    ] {
        assert_eq!(line(&short, 24, item), expected, "{item:?}");
    }
    let mut enough = short;
    (enough.districts[0].have.samplers, enough.districts[0].have.registrars) = (224, 200);
    for (item, expected) in [
        (Shifts, [2, 2, 0]),
        (DeskShifts, [169, 200, 0]),
        (Samplers, [112, 112, 0]),
        (Registrars, [100, 100, 0]),
        (Teams, [200, 200, 0]),
    ] {
        assert_eq!(line(&enough, 24, item), expected, "{item:?}");
    }
    // More people than there are places for at the desks that are needed, in the four shifts of a day.
    (enough.districts[0].have.samplers, enough.districts[0].have.registrars) = (9000, 9000);
    assert_eq!(line(&enough, 24, DeskShifts), [169, 400, 0]);
    assert_eq!(line(&enough, 24, Shifts), [2, 4, 0]);
}

#[test]
fn one_person_too_few_is_one_desk_shift_less_and_no_shift_unless_it_is_needed() {
    let with = |samplers, registrars| {
        let mut town = town();
        (town.districts[0].have.samplers, town.districts[0].have.registrars) =
            (samplers, registrars);
        [Shifts, DeskShifts, Teams].map(|item| line(&town, 24, item))
    };
    assert_eq!(with(223, 100), [[1, 1, 0], [85, 100, 0], [100, 100, 0]]);
    assert_eq!(with(223, 99), [[1, 1, 0], [85, 99, 0], [100, 99, 1]]);
    assert_eq!(with(99, 100), [[1, 1, 0], [85, 99, 0], [100, 99, 1]]);
    assert_eq!(with(223, 85), [[1, 1, 0], [85, 85, 0], [100, 85, 15]]);
    // The first that is too few for the people: not a shift, and how far it goes.
    assert_eq!(with(223, 84), [[1, 0, 1], [85, 84, 1], [100, 84, 16]]);
    assert_eq!(with(0, 100), [[1, 0, 1], [85, 0, 85], [100, 0, 100]]);
}

#[test]
fn people_at_hand_work_a_shift_of_every_day_of_the_round() {
    // 48 h are two days of 16 h. 30 h leave twenty hours of sampling: a day and four hours, half a shift of the next.
    // 8 h: the way takes seven; in what is left it takes far more desks, and a desk-shift is no longer than that. 6 h: nobody.
    for (target_h, shifts, desk_shifts) in [
        (48, [1, 2], Some([85, 200])),
        (30, [1, 1], Some([85, 150])),
        (24, [1, 1], Some([85, 100])),
        (8, [1, 0], None),
        (6, [1, 0], Some([85, 0])),
    ] {
        assert_eq!(line(&town(), target_h, Shifts)[..2], shifts, "{target_h}");
        let there = line(&town(), target_h, DeskShifts);
        assert!(desk_shifts.is_none_or(|both| there[..2] == both), "{target_h}: {there:?}");
        assert_eq!(there[2] > 0, shifts[1] < shifts[0], "both are short, or neither");
    }
    assert_eq!(line(&town(), 8, DeskShifts)[1], 100);
    // One shift a day, of 24 hours by the norm and of 16 as a day has them: 42.1 desk-shifts.
    let mut long = town();
    long.norm.shifts = n(1);
    assert_eq!(line(&long, 24, Shifts), [1, 1, 0]);
    assert_eq!(line(&long, 24, DeskShifts), [43, 100, 0]);
    assert_eq!(line(&long, 24, Samplers), [223, 200, 23]);
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
    // Of 99 to a vehicle the last load is not full.
    assert_eq!(line(&with(6, 99), 24, Trips)[0], 81);
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

/// Keys of what a line of the first district rests on.
fn rests_on(city: &City, target_h: u32, item: CrewItem) -> Vec<String> {
    let plan = solve(city, target_h);
    let known: Vec<String> = crew_constants(city, &plan).into_iter().map(|c| c.key).collect();
    let line = plan.crews.into_iter().find(|line| line.item == item).expect("a line");
    assert!(line.rests_on.iter().all(|key| known.contains(key)), "{:?}", line.rests_on);
    line.rests_on
}

#[test]
fn a_line_names_the_assumptions_that_its_need_is_reckoned_by() {
    const NORM: [&str; 3] = ["sampling_hours_per_day", "shifts", "staff_hours_per_day"];
    let mut own = town();
    own.districts[0].sampling = Some(Sampling { shifts: 2, hours: 6, origin: origin() });
    own.districts[0].fleet =
        Some(Fleet { vehicles: 3, capacity_tubes: 9, trips_per_day: None, origin: origin() });
    for item in [Shifts, DeskShifts, Samplers, Registrars, Teams] {
        let keys = rests_on(&town(), 24, item);
        assert!(NORM.iter().all(|key| keys.iter().any(|known| known == key)), "{item:?} {keys:?}");
        let keys = rests_on(&own, 24, item);
        assert!(!keys.iter().any(|key| NORM.contains(&key.as_str())), "{item:?} {keys:?}");
        for stated in ["district[a].sampling.hours", "district[a].sampling.shifts"] {
            assert!(keys.iter().any(|key| key == stated), "{item:?} {keys:?}");
        }
    }
    let has = |city: &City, target_h, item, key: &str| {
        rests_on(city, target_h, item).iter().any(|known| known == key)
    };
    // Which of the norm's numbers asks for more: people per desk and sampler, or the target.
    for (target_h, by_norm) in [(24, true), (9, false)] {
        assert_eq!(has(&town(), target_h, Registrars, "persons_per_desk_max"), by_norm);
    }
    let mut quick = town();
    quick.norm.persons_per_sampler_day = n(300);
    assert!(has(&town(), 24, Samplers, "persons_per_sampler"));
    assert!(!has(&quick, 24, Samplers, "persons_per_sampler"));
    assert!(has(&quick, 24, Samplers, "persons_per_sampler_day"));
    // The district's vehicles, and its trips where it states them; the speed where it is known from where to where.
    assert!(has(&town(), 24, Vehicles, "transport.vehicle_tubes"));
    assert!(!has(&own, 24, Vehicles, "transport.vehicle_tubes"));
    assert!(has(&own, 24, Trips, "district[a].fleet.capacity_tubes"));
    assert!(!has(&own, 24, Trips, "district[a].fleet.trips_per_day"));
    own.districts[0].fleet.as_mut().expect("vehicles").trips_per_day = Some(4);
    assert!(has(&own, 24, Trips, "district[a].fleet.trips_per_day"));
    assert!(!has(&own, 24, Trips, "transport.speed_kmh"));
    let place = Some(Place { lon_e6: 118_900_000, lat_e6: 42_200_000 });
    (own.districts[0].place, own.labs[0].place) = (place, place);
    assert!(has(&own, 24, Trips, "transport.speed_kmh"));
    // What is told beside the lines is theirs, once, with the district's own number.
    let plan = solve(&own, 24);
    let told = crew_constants(&own, &plan);
    let trips = told.iter().find(|c| c.key == "district[a].fleet.trips_per_day").expect("it");
    assert_eq!((trips.value.as_str(), trips.unit.en.as_str()), ("4", "trips"));
    let mut keys: Vec<&str> = told.iter().map(|c| c.key.as_str()).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), told.len());
}

#[test]
fn what_is_there_comes_from_the_district_or_from_the_pack() {
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
