//! A lab that is hours away is hours away, in every layer, and who reads the answer is told that the norm's limit is not kept.

use super::*;
use crate::planner::fluid;
use crate::planner::model::{MINUTE, Model};
use crate::planner::round::Round;
use crate::planner::simulate::{Replication, Scratch, Simulation, Start};
use crate::planner::{far, far_words};

/// A street and its only lab, due east of it by so many minutes of way at 40 km/h.
fn apart_by(minutes: u64) -> City {
    let at = |metres: u64| Place { lon_e6: (metres as f64 * 8.993_216) as i64, lat_e6: 0 };
    let mut d = district("D", 20_000, 60);
    // So many vehicles that no tube waits for one.
    d.fleet =
        Some(Fleet { vehicles: 200, capacity_tubes: 500, trips_per_day: None, origin: origin() });
    d.place = Some(at(0));
    let mut l = lab("L", &["D"], 12);
    l.place = Some(at(minutes * 2000 / 3));
    city(vec![d], vec![l])
}

fn round(minutes: u64) -> Round {
    Round::of(&apart_by(minutes)).expect("a round")
}

fn simulated(model: &Model) -> Replication {
    let start = Start::whole(model);
    Simulation::new(model, &start).run(3, 0, &mut Scratch::default())
}

#[test]
fn the_way_is_the_real_one_and_the_limit_cuts_the_tail_off() {
    // Minutes of way; median and longest time on the road.
    for (way, travel, most) in
        [(10, 30, 120), (60, 60, 120), (105, 105, 120), (119, 119, 136), (350, 350, 400)]
    {
        let street = round(way).model.streets[0];
        let near = |ms: u32, minutes: u32| ms.abs_diff(minutes * MINUTE) <= 5 * 1000;
        assert!(near(street.travel, travel), "{way}: {} ms", street.travel);
        assert!(near(street.travel_max, most), "{way}: at most {} ms", street.travel_max);
    }
}

#[test]
fn a_lab_farther_away_is_reached_later_in_every_layer() {
    let all = |way: u64| {
        let (city, round) = (apart_by(way), round(way));
        let rules = solve(&city, 24).verdict.minutes.expect("it ends");
        let flow = fluid::city(&round.model);
        let minutes =
            [flow.finish, simulated(&round.model).finish].map(|ms| u64::from(ms / MINUTE));
        let head = round.problem.labs[0].head_start_h * 60.0;
        (rules, minutes[0], minutes[1], head as u64)
    };
    // The flows by a step of their grid, one replication by the luck of a plate.
    let ways = [30, 90, 118, 122, 180, 420, 1440];
    for pair in ways.windows(2) {
        let [near, far] = [all(pair[0]), all(pair[1])];
        let later = near.0 <= far.0 && near.1 <= far.1 + 4 && near.2 <= far.2 + 20;
        assert!(later && near.3 <= far.3, "{pair:?}: {near:?} {far:?}");
    }
    // From three hours to a day: by 21 hours, in the simulation less what the tail is cut off by.
    let [near, far] = [all(180), all(1440)];
    for by in [far.1 - near.1, far.2 - near.2, far.3 - near.3] {
        assert!((1080..1560).contains(&by), "{by}: {near:?} {far:?}");
    }
    assert!(far.0 > 1440 + 60, "the arithmetic: {far:?}");
}

#[test]
fn a_limit_that_is_not_kept_is_told_with_the_street() {
    for way in [30, 119] {
        assert_eq!((far(&round(way)), far_words(&round(way))), (vec![], None));
    }
    let words = far_words(&round(408)).expect("it is said");
    assert_eq!(
        words.en,
        "The limit of transport, 120 min (transport_minutes), is not kept: D is 408 min from L L; every layer reckons with the \
         real way."
    );
    assert_eq!(
        words.zh,
        "转运时限 120 分钟（transport_minutes）不能满足：D送 L L在途 408 分钟；各层按实际路程计算。"
    );
    // One near and one far lab for six streets: those that send far are named, five of them.
    let mut city = apart_by(200);
    city.districts[0].streets = (0..6).map(|i| street(&format!("S{i}"), 3000 + i, None)).collect();
    let words = far_words(&Round::of(&city).expect("a round")).expect("it is said");
    assert!(words.en.contains("S4 is 200 min") && words.en.contains("1 more"), "{words:?}");
}
