//! A made-up city to measure with: always the same for the same seed.
//!
//! Streets' tubes are lognormal (σ 0.6), about 2.1 million in all. Labs have 4–19 extractors, 12–79 cyclers and 6–39
//! safety cabinets; plates of 94 take 33, 108 and 45 min, machines run 75 % of the time, and the scarcest stage is the
//! rate. Streets lie in 80 × 80 km, labs in the inner 60 × 60; each street may send to its 8 nearest labs, 20 min and
//! 1.5 min per km away; the first tube is worked after 2 h. The figures are assumed; only the shape matters.

use super::model::{Lab, Problem, Street, Way};
use crate::planner::city::Words;

const TUBES: f64 = 2.1e6;
const NEAREST: usize = 8;

/// The measuring instance of so many streets and labs.
pub fn example(streets: usize, labs: usize, seed: u64) -> Problem {
    let mut draw = Draw(seed);
    let weight: Vec<f64> = (0..streets).map(|_| (0.6 * draw.normal()).exp()).collect();
    let sum: f64 = weight.iter().sum();
    let lab_list: Vec<Lab> = (0..labs)
        .map(|lab| {
            let plates = [(4.0, 16.0, 33.0), (12.0, 68.0, 108.0), (6.0, 34.0, 45.0)]
                .map(|(least, wide, minutes)| (least + (draw.unit() * wide).floor()) / minutes);
            Lab {
                code: format!("L{lab}"),
                name: Words::default(),
                rate: 0.75 * 94.0 * 60.0 * plates.into_iter().fold(f64::INFINITY, f64::min),
                head_start_h: 2.0,
                outside: false,
            }
        })
        .collect();
    let homes: Vec<[f64; 2]> =
        (0..streets).map(|_| [80.0 * draw.unit(), 80.0 * draw.unit()]).collect();
    let sites: Vec<[f64; 2]> =
        (0..labs).map(|_| [10.0 + 60.0 * draw.unit(), 10.0 + 60.0 * draw.unit()]).collect();
    let street = |(street, home): (usize, &[f64; 2])| {
        let mut near: Vec<(f64, usize)> = sites
            .iter()
            .enumerate()
            .map(|(lab, site)| ((home[0] - site[0]).hypot(home[1] - site[1]), lab))
            .collect();
        near.sort_by(|a, b| a.0.total_cmp(&b.0));
        let way = |&(km, lab): &(f64, usize)| Way { lab, minutes: 20.0 + 1.5 * km, km };
        Street {
            code: format!("S{street}"),
            name: Words::default(),
            tubes: (TUBES * weight[street] / sum).round() as u64,
            ways: near.iter().take(NEAREST).map(way).collect(),
        }
    };
    Problem { streets: homes.iter().enumerate().map(street).collect(), labs: lab_list }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In [0, 1).
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Standard normal (Box and Muller 1958).
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }
}
