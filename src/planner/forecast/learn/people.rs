//! Who comes: how many of those whom the plan thought of, how many of them late, and how late.
//!
//! A street whose queue is gone and which fills hardly any tubes more is nearly done, wherever its count stands; one that
//! goes on filling them is not. So the number of people is learned from the shape of the curve of each street: the same
//! late comers for the whole city (a grid over their share, their mean time, and the turnout of the city, held against the
//! city's sum), and below them the turnout of each street (a grid, held against its own counts). A street that has shown
//! nothing yet leans on the city; the city on its prior.

use super::desks::queue_tubes;
use super::{normalise, shifted};
use crate::planner::forecast::situation::{Reading, Situation};
use crate::planner::model::{Model, Street};
use crate::planner::round::Doubt;
use crate::planner::simulate::Stream;
use rayon::prelude::*;

/// Points of the grids, in standard deviations.
const LATE_GRID: [f64; 11] = [-2.5, -2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5];
const TAIL_GRID: [f64; 5] = [-1.8, -0.9, 0.0, 0.9, 1.8];
const CITY_GRID: [f64; 7] = [-2.4, -1.6, -0.8, 0.0, 0.8, 1.6, 2.4];
const STREET_GRID: [f64; 25] = [
    -3.0, -2.75, -2.5, -2.25, -2.0, -1.75, -1.5, -1.25, -1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5,
    0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5, 2.75, 3.0,
];
/// Distance of its points.
const STREET_STEP: f64 = 0.25;
/// Readings that are looked at: neighbours say the same.
const READINGS: usize = 8;
/// What the curve of a city is off by though all numbers are right, as a share of its tubes; and that of a street.
const CITY_OFF: f64 = 0.008;
const STREET_OFF: f64 = 0.01;

/// What is believed of those who come.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct People {
    /// The city's grid.
    city: Vec<Point>,
    /// By street: logarithm of the likelihood of its counts, by point of late share and tail, then by turnout.
    streets: Vec<Vec<[f32; STREET_GRID.len()]>>,
    /// Standard deviation of the turnout of a street around the city's, and of both together.
    own: f64,
    both: f64,
}

/// A point of the city's grid.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Point {
    /// Logit offset of the late share.
    late: f64,
    /// Logarithm of the factor of the tail's mean.
    tail: f64,
    /// Which of the pairs of the two it is.
    pair: usize,
    /// Logarithm of the turnout.
    turnout: f64,
    weight: f64,
}

/// One draw of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Coming {
    /// Logit offset of the late share.
    pub late: f64,
    /// Logarithm of the factor of the tail's mean.
    pub tail: f64,
    /// By street: people who come, over those whom the plan thought of.
    pub turnout: Vec<f64>,
}

/// A guess of who comes to a street.
#[derive(Clone, Copy)]
struct Guess {
    /// Share that comes late.
    late: f64,
    /// Factor of the tail's mean.
    tail: f64,
    turnout: f64,
}

impl People {
    /// Learns; `desks` is what is believed of their speed.
    pub fn learn(
        model: &Model,
        doubt: &Doubt,
        situation: &Situation,
        desks: &[(f64, f64)],
    ) -> People {
        let every = situation.readings.len().div_ceil(READINGS).max(1);
        let readings: Vec<&Reading> = situation.readings.iter().rev().step_by(every).collect();
        let own = doubt.turnout.max(1e-4);
        let both = own.hypot(doubt.turnout_city);
        let street = |i: usize| street(model, doubt, &readings, desks, i, both);
        People {
            city: city(model, doubt, &readings, desks),
            streets: (0..model.streets.len()).into_par_iter().map(street).collect(),
            own,
            both,
        }
    }

    /// A draw.
    pub fn draw(&self, dice: Stream) -> Coming {
        let mut left = dice.unit(1);
        let picked = self.city.iter().find(|point| {
            left -= point.weight;
            left <= 0.0
        });
        let Some(point) = picked.or(self.city.last()) else {
            return Coming { late: 0.0, tail: 0.0, turnout: vec![1.0; self.streets.len()] };
        };
        let own = dice.below(2);
        let turnout = |(i, shown): (usize, &Vec<[f32; STREET_GRID.len()]>)| {
            let shown = shown.get(point.pair).unwrap_or(&[0.0; STREET_GRID.len()]);
            self.street_turnout(shown, point.turnout, own.below(i as u64)).exp()
        };
        let turnout = self.streets.iter().enumerate().map(turnout).collect();
        Coming { late: point.late, tail: point.tail, turnout }
    }

    /// Logarithm of the turnout of a street, given the city's.
    fn street_turnout(&self, shown: &[f32; STREET_GRID.len()], city: f64, dice: Stream) -> f64 {
        let at = |z: f64| z * self.both;
        let ln = |(z, shown): (&f64, &f32)| {
            f64::from(*shown) - ((at(*z) - city) / self.own).powi(2) / 2.0
        };
        let mut weights = [0.0; STREET_GRID.len()];
        for (weight, pair) in weights.iter_mut().zip(STREET_GRID.iter().zip(shown)) {
            *weight = ln(pair);
        }
        let most = weights.iter().copied().fold(f64::MIN, f64::max);
        weights.iter_mut().for_each(|weight| *weight = (*weight - most).exp());
        let mut left = dice.unit(0) * weights.iter().sum::<f64>();
        let picked = weights.iter().position(|weight| {
            left -= weight;
            left <= 0.0
        });
        // Anywhere between the points of the grid.
        let z = STREET_GRID[picked.unwrap_or(STREET_GRID.len() / 2)];
        at(z + STREET_STEP * (dice.unit(1) - 0.5))
    }
}

/// Tubes of a street that are filled by a working time.
fn filled_by(street: &Street, speed: f64, guess: Guess, worked: f64) -> f64 {
    let tubes = street.tubes() as f64 * guess.turnout;
    let main = tubes * (1.0 - guess.late);
    let each = main / (f64::from(street.desks.max(1)) * street.mean_speed());
    let end = street.desk_time(each, speed);
    if worked <= end {
        return (queue_tubes(street, worked) * speed).min(main);
    }
    let mean = f64::from(street.late_mean.max(1)) * guess.tail;
    let hours = f64::from(street.hours.max(1));
    let room = hours - end % hours;
    let cut = 1.0 - (-room / mean).exp();
    let share = (1.0 - (-(worked - end).min(room) / mean).exp()) / cut.max(1e-9);
    main + tubes * guess.late * share
}

/// What a street should have filled by a reading, and the variance of that from the doubt in its desks' speed: while
/// people queue it says nothing of those who come late.
fn thought(street: &Street, desks: (f64, f64), guess: Guess, reading: &Reading) -> (f64, f64) {
    let worked = street.worked(u64::from(reading.at)) as f64;
    let filled = filled_by(street, desks.0.exp(), guess, worked);
    let queue = street.tubes() as f64 * guess.turnout * (1.0 - guess.late);
    (filled, if filled < queue { (filled * desks.1.max(0.02)).powi(2) } else { 0.0 })
}

/// The city's grid: the sum of all streets at each reading.
fn city(model: &Model, doubt: &Doubt, readings: &[&Reading], desks: &[(f64, f64)]) -> Vec<Point> {
    let all = model.tubes() as f64;
    // Streets differ, and the city's sum has their mean.
    let of_streets = doubt.turnout / (model.streets.len().max(1) as f64).sqrt();
    let spread = doubt.turnout_city.hypot(of_streets);
    let pairs = LATE_GRID.iter().flat_map(|late| TAIL_GRID.map(|tail| (*late, tail)));
    let pairs: Vec<(usize, (f64, f64))> = pairs.enumerate().collect();
    let at_pair = |(pair, (late, tail)): &(usize, (f64, f64))| {
        CITY_GRID.map(|turnout| {
            let mut ln = -(late * late + tail * tail + turnout * turnout) / 2.0;
            let (late, tail) = (late * doubt.late_share, tail * doubt.late_mean);
            let turnout = turnout * spread;
            for reading in readings {
                let (mut expected, mut seen, mut doubtful) = (0.0, 0.0, 0.0);
                for (i, street) in model.streets.iter().enumerate() {
                    let Some(count) = reading.streets.get(i) else { continue };
                    let late = shifted(street.late_share, late);
                    let guess = Guess { late, tail: tail.exp(), turnout: turnout.exp() };
                    let (filled, variance) = thought(street, desks[i], guess, reading);
                    expected += filled;
                    seen += count.collected as f64;
                    doubtful += variance;
                }
                let sd2 = (CITY_OFF * all).powi(2) + doubtful;
                ln -= 2.0 * (1.0 + (seen - expected).powi(2) / (3.0 * sd2)).ln();
            }
            Point { late, tail, pair: *pair, turnout, weight: ln }
        })
    };
    let mut grid: Vec<Point> = pairs.par_iter().flat_map_iter(at_pair).collect();
    normalise(&mut grid, |point| &mut point.weight);
    grid
}

/// What the counts of a street say of its turnout, by point of late share and tail.
fn street(
    model: &Model,
    doubt: &Doubt,
    readings: &[&Reading],
    desks: &[(f64, f64)],
    number: usize,
    both: f64,
) -> Vec<[f32; STREET_GRID.len()]> {
    let street = &model.streets[number];
    let tubes = street.tubes() as f64;
    let at_pair = |late: f64, tail: f64| {
        STREET_GRID.map(|z| {
            let late = shifted(street.late_share, late * doubt.late_share);
            let tail = (tail * doubt.late_mean).exp();
            let guess = Guess { late, tail, turnout: (z * both).exp() };
            let mut ln = 0.0;
            for reading in readings {
                let Some(count) = reading.streets.get(number) else { continue };
                let (expected, variance) = thought(street, desks[number], guess, reading);
                // Half a tube by desk is open, beside what the curve is off by.
                let open = f64::from(street.desks) * 0.25;
                let sd2 = (STREET_OFF * tubes).powi(2) + open + variance;
                let off = count.collected as f64 - expected;
                ln -= STREET_WEIGHT * 2.0 * (1.0 + off.powi(2) / (3.0 * sd2.max(1e-9))).ln();
            }
            ln as f32
        })
    };
    LATE_GRID.iter().flat_map(|late| TAIL_GRID.map(|tail| at_pair(*late, tail))).collect()
}

/// What a reading of a street says anew: what a curve is off by at one reading, it is off by at the next.
const STREET_WEIGHT: f64 = 0.5;
