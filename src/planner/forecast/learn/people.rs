//! Who comes: how many of those whom the plan thought of, how many of them late, and how late.
//!
//! A street whose queue is gone and which fills hardly any tubes more is nearly done, wherever its count stands; one that
//! goes on filling them is not. So the number of people is learned from the shape of the curve of each street: the same
//! late comers for the whole city (a grid over their share, their mean time, and the turnout of the city, held against the
//! city's sum), and below them the turnout of each street (a grid, held against its own counts). A street that has shown
//! nothing yet leans on the city; the city on its prior.
//!
//! A share of a street's tubes is too coarse for its end, where one tube more is one plate more and may be one morning more.
//! So once its queue is gone a street is also held against the tubes of its last hour, or of the time since its last one
//! (`Lately`): those who still come, come by and by, and the longer nobody has come, the fewer can be missing.

use super::desks::queue_tubes;
use super::{normalise, shifted};
use crate::planner::forecast::situation::{Reading, Situation};
use crate::planner::model::{HOUR, MINUTE, Model, Street};
use crate::planner::round::Doubt;
use crate::planner::simulate::Stream;
use rayon::prelude::*;
use std::sync::OnceLock;

/// The point of the grid at which next to nobody comes late, and the logarithm of what is thought of it beforehand, on the
/// scale of the others: one city in thirty (assumed). However many were late elsewhere, people may come when they are called.
const NOBODY: f64 = -14.0;
const NOBODY_LN: f64 = -1.9;
/// Points of the grids, in standard deviations.
const LATE_GRID: [f64; 12] = [NOBODY, -2.5, -2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5];
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
    /// By street: what came lately.
    lately: Vec<Option<Lately>>,
    /// By street, then by point of late share and tail: what that says of its turnout. Draws share it, and of many points none
    /// is ever drawn, so each is reckoned when it first is.
    ends: Vec<Vec<OnceLock<Option<Fine>>>>,
    /// By street: standard deviation of its turnout around the city's, and of both together.
    own: Vec<f64>,
    both: Vec<f64>,
}

/// What came lately to a street, held against its turnout: of the steps of the grid that a draw may look at, the first, and
/// the logarithm of the likelihood in the parts of each.
#[derive(Clone, Debug, PartialEq)]
struct Fine {
    first: usize,
    steps: Vec<[f64; PARTS]>,
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
        let own = model.streets.iter().map(|street| doubt.turnout_of(street.persons));
        let own: Vec<f64> = own.collect();
        let both: Vec<f64> = own.iter().map(|own| own.hypot(doubt.turnout_city)).collect();
        let street = |i: usize| street(model, doubt, &readings, desks, i, both[i]);
        let lately = |i: usize| Lately::of(model, situation, i, desks[i].0.exp());
        let lately: Vec<Option<Lately>> = (0..model.streets.len()).map(lately).collect();
        let streets: Vec<_> = (0..model.streets.len()).into_par_iter().map(street).collect();
        People {
            city: city(model, doubt, &readings, desks, &own, &lately),
            ends: streets.iter().map(|pairs| vec![OnceLock::new(); pairs.len()]).collect(),
            streets,
            lately,
            own,
            both,
        }
    }

    /// A draw; `model` is the one that it was learned with.
    pub fn draw(&self, model: &Model, dice: Stream) -> Coming {
        let mut left = dice.unit(1);
        let picked = self.city.iter().find(|point| {
            left -= point.weight;
            left <= 0.0
        });
        let Some(point) = picked.or(self.city.last()) else {
            return Coming { late: 0.0, tail: 0.0, turnout: vec![1.0; self.streets.len()] };
        };
        let own = dice.below(2);
        let turnout = |(i, street): (usize, &Street)| {
            let end = self.ends[i][point.pair].get_or_init(|| self.end(street, i, point));
            self.street_turnout(i, point, end.as_ref(), own.below(i as u64)).exp()
        };
        let turnout = model.streets.iter().enumerate().map(turnout).collect();
        Coming { late: point.late, tail: point.tail, turnout }
    }

    /// Logarithm of the turnout of a street at a point of its grid or between two.
    fn at(&self, number: usize, z: f64) -> f64 {
        z * self.both[number]
    }

    /// The same in a part of a step of the grid.
    fn at_part(&self, number: usize, step: usize, part: usize) -> f64 {
        let part = (part as f64 + 0.5) / PARTS as f64 - 0.5;
        self.at(number, STREET_GRID[step] + STREET_STEP * part)
    }

    /// Logarithms of the weights of a street's turnouts at a point of the city's grid, before what came lately.
    fn weights(&self, number: usize, point: &Point) -> [f64; STREET_GRID.len()] {
        let shown = &self.streets[number][point.pair];
        std::array::from_fn(|i| {
            let off = (self.at(number, STREET_GRID[i]) - point.turnout) / self.own[number];
            f64::from(shown[i]) - off.powi(2) / 2.0
        })
    }

    /// What came lately to a street, held against each turnout, at the points of the city's grid that share late share and
    /// tail. None as long as there would be a queue even if the fewest came: then it says nothing that is not known.
    fn end(&self, street: &Street, number: usize, point: &Point) -> Option<Fine> {
        let lately = self.lately[number]?;
        let late = shifted(street.late_share, point.late);
        let guess = |ln: f64| Guess { late, tail: point.tail.exp(), turnout: ln.exp() };
        let curve = |ln: f64| Curve::of(street, lately.speed, guess(ln));
        if curve(self.at(number, STREET_GRID[0])).end >= lately.to {
            return None;
        }
        let points = self.city.iter().filter(|other| other.pair == point.pair);
        let steps = points.flat_map(|point| likely_steps(self.weights(number, point)));
        let (first, last) =
            steps.fold((usize::MAX, 0), |(first, last), i| (first.min(i), last.max(i)));
        let part = |step, part| lately.likely(&curve(self.at_part(number, step, part)));
        let parts = |step| std::array::from_fn(|i| part(step, i));
        Some(Fine { first, steps: (first..=last).map(parts).collect() })
    }

    /// Logarithm of the turnout of a street at a point of the city's grid.
    fn street_turnout(
        &self,
        number: usize,
        point: &Point,
        end: Option<&Fine>,
        dice: Stream,
    ) -> f64 {
        let mut weights = self.weights(number, point);
        if let Some(end) = end {
            let (mut fine, mut first, mut last) = ([f64::MIN; FINE], FINE, 0);
            for step in likely_steps(weights) {
                (first, last) = (first.min(step * PARTS), (step + 1) * PARTS);
                for (part, ln) in end.steps[step - end.first].iter().enumerate() {
                    fine[step * PARTS + part] = weights[step] + ln;
                }
            }
            // Where no step is likely, nothing is known.
            if first >= last {
                return self.at(number, 0.0);
            }
            let likely = &mut fine[first..last];
            let picked = first + pick(likely, dice.unit(0)).unwrap_or(likely.len() / 2);
            return self.at_part(number, picked / PARTS, picked % PARTS);
        }
        // Anywhere between the points of the grid.
        let z = STREET_GRID[pick(&mut weights, dice.unit(0)).unwrap_or(STREET_GRID.len() / 2)];
        self.at(number, z + STREET_STEP * (dice.unit(1) - 0.5))
    }
}

/// The steps of the grid of a street that are not next to impossible, by the logarithms of their weights.
fn likely_steps(weights: [f64; STREET_GRID.len()]) -> impl Iterator<Item = usize> {
    let most = weights.iter().copied().fold(f64::MIN, f64::max);
    (0..weights.len()).filter(move |i| weights[*i] > most - NEVER)
}

/// One of some logarithms of weights, by chance.
fn pick(weights: &mut [f64], unit: f64) -> Option<usize> {
    let most = weights.iter().copied().fold(f64::MIN, f64::max);
    weights.iter_mut().for_each(|weight| *weight = (*weight - most).exp());
    let mut left = unit * weights.iter().sum::<f64>();
    weights.iter().position(|weight| {
        left -= weight;
        left <= 0.0
    })
}

/// Parts into which a step of the grid of a street is divided where a single tube counts.
const PARTS: usize = 8;
/// Points of the finer grid.
const FINE: usize = STREET_GRID.len() * PARTS;
/// Points of that grid whose logarithm of the probability is so much less than that of the best are not looked at.
const NEVER: f64 = 14.0;
/// The last tubes of a street are those of so long.
const LATELY: u64 = HOUR as u64;
/// How evenly people come when the queue is gone, as the shape of a gamma: they come together, stay away from rain and
/// supper, and the mean time by which they are late is not that of every street (assumed).
const EVENLY: f64 = 4.0;
/// Mean time after the queue in which those come who are not late (assumed): in a queue that is gone nobody stands.
const PUNCTUAL: f64 = 10.0 * MINUTE as f64;
/// Tubes that come where nobody should come any more: somebody always may.
const STRAY: f64 = 0.05;

/// What a street filled in its last hour of work, or in the time since its last tube when that is longer.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Lately {
    /// Working time, from and to.
    from: f64,
    to: f64,
    /// Tubes filled in it, and all of them.
    came: f64,
    collected: f64,
    /// Speed of its desks over the model's.
    speed: f64,
}

impl Lately {
    /// `None`: less than a sixth of an hour.
    fn of(model: &Model, situation: &Situation, number: usize, speed: f64) -> Option<Lately> {
        let street = &model.streets[number];
        let of = |reading: &Reading| {
            let count = reading.streets.get(number).map_or(0, |count| count.collected);
            (street.worked(u64::from(reading.at)), count)
        };
        let (to, all) = of(situation.readings.last()?);
        // Since the last tube, when that is longer ago than the hour; a round may be younger than it.
        let mut ago = situation.readings.iter().map(of).filter(|(worked, _)| worked + LATELY <= to);
        let (from, count) = ago
            .clone()
            .find(|(_, count)| *count == all)
            .or_else(|| ago.next_back())
            .or_else(|| situation.readings.first().map(of))?;
        (from + LATELY / 6 <= to).then(|| Lately {
            from: from as f64,
            to: to as f64,
            came: all.saturating_sub(count) as f64,
            collected: all as f64,
            speed,
        })
    }

    /// Logarithm of the likelihood of it, if a street fills its tubes so.
    fn likely(&self, curve: &Curve<'_>) -> f64 {
        let &Lately { from, to, came, collected, .. } = self;
        let Curve { street, guess, end, .. } = *curve;
        if end > to {
            return likely(came, curve.filled(to) - curve.filled(from));
        }
        let (gone, queue) = (end.max(from), curve.filled(end.max(from)) - curve.filled(from));
        // Of those who are left: what came before now is known. Whole tubes, as they will be filled.
        let persons = (f64::from(street.persons) * guess.turnout).round();
        let tubes = (persons / f64::from(street.pool.max(1))).ceil();
        let staying = |worked: f64| curve.staying(worked - end).max(1e-3);
        let left = (tubes - collected).max(0.0);
        let late = left.min((tubes * guess.late * staying(to)).round());
        // Who does not come late would have come with the queue.
        let rest = left - late;
        let late = late * (staying(gone) / staying(to) - 1.0);
        likely(came, queue + late + rest * (to - gone) / PUNCTUAL)
    }
}

/// Logarithm of the likelihood of as many tubes when so many are expected: Poisson, of a mean that is itself off by a gamma.
fn likely(came: f64, expected: f64) -> f64 {
    let expected = expected.max(0.0) + STRAY;
    came * expected.ln() - (came + EVENLY) * (expected + EVENLY).ln()
}

/// How a street fills its tubes as its desks work, if a guess is right.
struct Curve<'a> {
    street: &'a Street,
    /// Speed of its desks over the model's.
    speed: f64,
    guess: Guess,
    /// Tubes of all who come, and of those of them who do not come late.
    tubes: f64,
    main: f64,
    /// The working time at which the queue is gone.
    end: f64,
    /// Of those who come late: the mean time after it, the time until the desks close for the day, and which share of an
    /// exponential that is.
    mean: f64,
    room: f64,
    cut: f64,
}

impl Curve<'_> {
    fn of(street: &Street, speed: f64, guess: Guess) -> Curve<'_> {
        let tubes = street.tubes() as f64 * guess.turnout;
        let main = tubes * (1.0 - guess.late);
        let each = main / (f64::from(street.desks.max(1)) * street.mean_speed());
        let end = street.desk_time(each, speed);
        let mean = f64::from(street.late_mean.max(1)) * guess.tail;
        let hours = f64::from(street.hours.max(1));
        let room = hours - end % hours;
        let cut = 1.0 - (-room / mean).exp();
        Curve { street, speed, guess, tubes, main, end, mean, room, cut }
    }

    /// Share of those who come late that is still to come so long after the end of the queue.
    fn staying(&self, after: f64) -> f64 {
        1.0 - (1.0 - (-after.min(self.room) / self.mean).exp()) / self.cut.max(1e-9)
    }

    /// Tubes that are filled by a working time.
    fn filled(&self, worked: f64) -> f64 {
        if worked <= self.end {
            return (queue_tubes(self.street, worked) * self.speed).min(self.main);
        }
        self.main + self.tubes * self.guess.late * (1.0 - self.staying(worked - self.end))
    }

    /// What should have been filled by a working time, and the variance of that from the doubt in the desks' speed: while
    /// people queue it says nothing of those who come late.
    fn thought(&self, worked: f64, speed_sd: f64) -> (f64, f64) {
        let filled = self.filled(worked);
        (filled, if filled < self.main { (filled * speed_sd.max(0.02)).powi(2) } else { 0.0 })
    }
}

/// By reading: the time that a street has worked, and the tubes it has filled; `None` where the reading does not have it.
fn counted(street: &Street, readings: &[&Reading], number: usize) -> Vec<Option<(f64, f64)>> {
    let of = |reading: &&Reading| {
        let count = reading.streets.get(number)?;
        Some((street.worked(u64::from(reading.at)) as f64, count.collected as f64))
    };
    readings.iter().map(of).collect()
}

/// The city's grid: the sum of all streets at each reading, and of what came lately.
fn city(
    model: &Model,
    doubt: &Doubt,
    readings: &[&Reading],
    desks: &[(f64, f64)],
    own: &[f64],
    lately: &[Option<Lately>],
) -> Vec<Point> {
    let all = model.tubes() as f64;
    // Streets differ, and the city's sum has their mean.
    let of_street = |(own, street): (&f64, &Street)| (own * street.tubes() as f64).powi(2);
    let of_streets =
        own.iter().zip(&model.streets).map(of_street).sum::<f64>().sqrt() / all.max(1.0);
    let spread = doubt.turnout_city.hypot(of_streets);
    let pairs = LATE_GRID.iter().flat_map(|late| TAIL_GRID.map(|tail| (*late, tail)));
    let pairs: Vec<(usize, (f64, f64))> = pairs.enumerate().collect();
    let counts = |(i, street): (usize, &Street)| counted(street, readings, i);
    let counts: Vec<_> = model.streets.iter().enumerate().map(counts).collect();
    let at_pair = |(pair, (late, tail)): &(usize, (f64, f64))| {
        CITY_GRID.map(|turnout| {
            let mut ln = -(tail * tail + turnout * turnout) / 2.0;
            ln += if *late == NOBODY { NOBODY_LN } else { -late * late / 2.0 };
            let (late, tail) = (late * doubt.late_share, tail * doubt.late_mean);
            let turnout = turnout * spread;
            let (tail_factor, turnout_factor) = (tail.exp(), turnout.exp());
            // By reading: thought, seen, variance. Lately: thought, seen.
            let mut sums = vec![[0.0; 3]; readings.len()];
            let mut last = [0.0; 2];
            for (i, street) in model.streets.iter().enumerate() {
                let late = shifted(street.late_share, late);
                let guess = Guess { late, tail: tail_factor, turnout: turnout_factor };
                let curve = Curve::of(street, desks[i].0.exp(), guess);
                for (sum, count) in sums.iter_mut().zip(&counts[i]) {
                    let Some((worked, seen)) = *count else { continue };
                    let (filled, variance) = curve.thought(worked, desks[i].1);
                    *sum = [sum[0] + filled, sum[1] + seen, sum[2] + variance];
                }
                if let Some(lately) = lately[i] {
                    last[0] += curve.filled(lately.to) - curve.filled(lately.from);
                    last[1] += lately.came;
                }
            }
            for [expected, seen, doubtful] in sums {
                let sd2 = (CITY_OFF * all).powi(2) + doubtful;
                ln -= 2.0 * (1.0 + (seen - expected).powi(2) / (3.0 * sd2)).ln();
            }
            ln += likely(last[1], last[0]);
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
    let counts = counted(street, readings, number);
    let (speed, speed_sd) = (desks[number].0.exp(), desks[number].1);
    let at_pair = |late: f64, tail: f64| {
        STREET_GRID.map(|z| {
            let late = shifted(street.late_share, late * doubt.late_share);
            let tail = (tail * doubt.late_mean).exp();
            let curve = Curve::of(street, speed, Guess { late, tail, turnout: (z * both).exp() });
            let mut ln = 0.0;
            for &(worked, seen) in counts.iter().flatten() {
                let (expected, variance) = curve.thought(worked, speed_sd);
                // Half a tube by desk is open, beside what the curve is off by.
                let open = f64::from(street.desks) * 0.25;
                let sd2 = (STREET_OFF * tubes).powi(2) + open + variance;
                let off = seen - expected;
                ln -= STREET_WEIGHT * 2.0 * (1.0 + off.powi(2) / (3.0 * sd2.max(1e-9))).ln();
            }
            ln as f32
        })
    };
    LATE_GRID.iter().flat_map(|late| TAIL_GRID.map(|tail| at_pair(*late, tail))).collect()
}

/// What a reading of a street says anew: what a curve is off by at one reading, it is off by at the next.
const STREET_WEIGHT: f64 = 0.5;
