//! Shifts of sampling teams and trips of vehicles that a district states: what each layer makes of them.

use super::*;
use crate::planner::fluid;
use crate::planner::model::{HOUR, Ms};
use crate::planner::round::Round;
use crate::planner::simulate::{Scratch, Simulation, Start};

/// One district of 80,000 people, with plenty of everything, so that what is stated binds.
fn town() -> City {
    let mut town = city(vec![district("a", 80_000, 200)], vec![lab("L", &["a"], 60)]);
    town.districts[0].fleet =
        Some(Fleet { vehicles: 1, capacity_tubes: 2000, trips_per_day: None, origin: origin() });
    town
}

fn with_shifts(shifts: u64, hours: u64) -> City {
    let mut town = town();
    town.districts[0].sampling = Some(Sampling { shifts, hours, origin: origin() });
    town
}

fn with_trips(trips: u64) -> City {
    let mut town = town();
    town.districts[0].fleet.as_mut().expect("vehicles").trips_per_day = Some(trips);
    town
}

fn line(city: &City, item: CrewItem) -> [u64; 2] {
    let plan = solve(city, 48);
    let line = plan.crews.iter().find(|line| line.item == item).expect("a line");
    [line.need, line.have]
}

#[test]
fn people_are_sampled_in_the_shifts_that_the_district_states() {
    // shifts, their hours, hours of sampling in two days (at most 41: the way takes seven), shifts in which a hundred desks
    // swab everybody: 6.7 hours
    for (shifts, hours, sampled, need) in
        [(1, 8, 16, 1), (2, 6, 24, 2), (3, 5, 30, 2), (2, 12, 41, 1), (4, 6, 41, 2), (1, 3, 6, 2)]
    {
        let town = with_shifts(shifts, hours);
        let round = Round::of(&town).expect("a round");
        assert_eq!(round.model.streets[0].hours, (shifts * hours) as Ms * HOUR);
        let minutes = solve(&town, 48).districts[0].sampling_s / 60;
        assert!(minutes <= sampled * 60 && minutes > (sampled - 2) * 60, "{shifts}: {minutes}");
        assert_eq!(line(&town, CrewItem::Shifts)[0], need, "{shifts} of {hours}");
    }
    // Without them: the norm's day, 16 hours, in shifts of 8.
    assert_eq!(Round::of(&town()).expect("a round").model.streets[0].hours, 16 * HOUR);
    assert_eq!(line(&town(), CrewItem::Shifts)[0], 1);
    // A day that is too short is another day of sampling, in the flows and in the simulation.
    let mut short = with_shifts(1, 2);
    short.districts[0].have.desks = 50;
    let model = Round::of(&short).expect("a round").model;
    let start = Start::whole(&model);
    let run = Simulation::new(&model, &start).run(1, 0, &mut Scratch::default());
    assert!(fluid::city(&model).sampled > 24 * HOUR && run.streets[0].sampled > 24 * HOUR);
}

#[test]
fn a_vehicle_makes_no_more_trips_than_the_district_states() {
    let delivered = |town: &City| {
        let model = Round::of(town).expect("a round").model;
        let start = Start::whole(&model);
        let run = Simulation::new(&model, &start).run(1, 0, &mut Scratch::default());
        [fluid::city(&model).delivered, run.streets[0].delivered]
    };
    let free = delivered(&town());
    // As many as one every ten minutes are no limit: handing over alone takes as long.
    assert_eq!(delivered(&with_trips(96)), free);
    // 8,000 tubes are four full loads or more, and two trips a day are eight hours apart: three waits at least.
    let two = delivered(&with_trips(2));
    assert!(two[1] >= 24 * HOUR && two.iter().zip(free).all(|(two, free)| *two > free), "{two:?}");
    let ratio = f64::from(two[0]) / f64::from(two[1]);
    assert!((0.6..1.4).contains(&ratio), "{two:?}");
    // By the arithmetic a vehicle has as many trips less.
    let [need, have] = line(&with_trips(2), CrewItem::Trips);
    let [need_free, have_free] = line(&town(), CrewItem::Trips);
    assert_eq!((need, have, need_free), (32, 4, 32), "{have_free}");
    assert_eq!(line(&with_trips(2), CrewItem::Vehicles), [8, 1]);
}
