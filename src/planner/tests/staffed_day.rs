//! A lab without shifts keeps the norm's staffed day in every layer: from the start of the round on, as if it were written down.

use super::*;
use crate::planner::fluid;
use crate::planner::model::{HOUR, Model};
use crate::planner::round::Round;
use crate::planner::what_if::{Alter, Altered};

fn town(hours: u64, start: u64, shifts: u64) -> City {
    let mut city = city(vec![district("D", 30_000, 60)], vec![lab("L", &["D"], 12)]);
    (city.norm.staff_hours, city.norm.shifts) = (n(hours), n(shifts));
    city.start_s = start * 3600;
    city
}

fn model(city: &City) -> Model {
    Round::of(city).expect("a round").model
}

#[test]
fn the_staffed_day_is_the_shift_that_says_the_same() {
    for (hours, start) in [(8, 8), (8, 20), (16, 6), (1, 0), (23, 12), (12, 12)] {
        let city = town(hours, start, 1);
        let mut written = city.clone();
        let end = (start + hours) % 24 * 3600;
        let to_s = if end == 0 { 86_400 } else { end };
        written.labs[0].shifts = vec![Shift { from_s: start * 3600, to_s, percent: 100 }];
        let said =
            |city: &City| (6..90).step_by(7).map(|h| solve(city, h).labs).collect::<Vec<_>>();
        assert_eq!(said(&city), said(&written), "{hours} h from {start}: the arithmetic");
        assert_eq!(solve(&city, 24).verdict, solve(&written, 24).verdict);
        if hours > 1 {
            assert_eq!(model(&city), model(&written), "{hours} h from {start}: flows, simulation");
        }
    }
}

#[test]
fn the_staffed_day_is_in_the_flows() {
    let done = |hours| fluid::city(&model(&town(hours, 6, 1))).finish / HOUR;
    assert!(done(8) >= done(16) && done(16) > done(24), "{} {} {}", done(8), done(16), done(24));
    // Round the clock nobody rests.
    let decap = |hours| model(&town(hours, 6, 1)).labs[0].stages[2].clone();
    assert!(decap(24).rests.is_empty());
    assert_eq!(decap(8).rests[11], [(14 * HOUR, 16 * HOUR)]);
    assert_eq!(decap(8).rested(0, 7 * HOUR, 6 * HOUR), 7 * HOUR, "at 13:00 it works");
    assert_eq!(decap(8).rested(0, 9 * HOUR, 6 * HOUR), 24 * HOUR);
}

/// What is asked for counts from the same hour: the hours that there are change nothing.
#[test]
fn shift_hours_count_from_the_start_of_the_staffed_day() {
    let city = town(8, 9, 1);
    let round = Round::of(&city).expect("a round");
    let asked = |hours| {
        let changed =
            Altered::of(&city, &[Alter::ShiftHours { lab: None, hours }]).expect("possible");
        changed.kept(&round).expect("a round").model
    };
    assert_eq!(asked(8), round.model);
    assert_ne!(asked(7), round.model);
}
