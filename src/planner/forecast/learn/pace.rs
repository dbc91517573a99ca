//! The pace of a lab, from the tubes that went on plates and were resulted in each half hour, against what the fluid makes
//! of the tubes that really came to its door (a grid, with heavy tails).

use super::stops::{OwnClock, Still};
use super::{normalise, scale_pace};
use crate::planner::city::StageKind;
use crate::planner::derate::Derate;
use crate::planner::fluid::{self, Replay};
use crate::planner::forecast::situation::{LabCount, Situation};
use crate::planner::model::{HOUR, Lab, Model, Ms};
use crate::planner::round::Doubt;
use crate::planner::simulate::Stream;

/// Points of the grid, in standard deviations of most labs: closer where most are, far down where the overloaded are.
const GRID: [f64; 17] = [
    -9.0, -7.5, -6.0, -5.0, -4.0, -3.25, -2.5, -2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5,
];
/// A pace less probable than this is not looked at.
const NEVER: f64 = 1e-6;
/// A reading of the pace is taken for so long; where a plate takes longer than that, for as long as so many plates take. It falls into one
/// half hour and none into the next four: with the heavy tails of `likely` four slow half hours outweigh a quick one, and the lab
/// would be thought slower with every plate.
const WINDOW: Ms = HOUR / 2;
const WINDOW_PLATES: u32 = 4;

/// How fast a lab may be, and what would be where in it.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::planner::forecast) struct Pace {
    /// Natural logarithm of the factor of its pace.
    pub ln: f64,
    /// Standard deviation of what lies between this point and its neighbours.
    pub between: f64,
    /// Probability.
    pub weight: f64,
    /// The lab now, at that pace.
    pub replay: Replay,
}

/// What came to the door of a lab, on its own clock.
pub(super) struct Door {
    curve: Vec<(Ms, f64)>,
    /// The times that are asked for.
    times: Vec<Ms>,
}

impl Door {
    /// Of counts at times of the round, asked for at each of them.
    pub fn of(counts: &[(Ms, LabCount)], clock: OwnClock<'_>) -> Door {
        let came = counts.iter().map(|(at, count)| (clock.at(*at), count.received as f64));
        let curve: Vec<(Ms, f64)> = std::iter::once((0, 0.0)).chain(came).collect();
        let times = curve.iter().skip(1).map(|(at, _)| *at).collect();
        Door { curve, times }
    }
}

/// Tubes loaded and resulted at each of the times, at the pace that the plan reckons with.
pub(super) fn expected(model: &Model, lab: &Lab, door: &Door) -> Vec<[f64; 2]> {
    fluid::replay(model, lab, &door.curve, &door.times).done
}

/// The paces that are looked at, and what is thought of them before anything is counted.
pub(super) fn prior(doubt: &Doubt) -> Vec<(f64, f64)> {
    let spread = doubt.lab_pace.max(1e-3);
    let paces = GRID.map(|z| z * spread);
    let weights = Derate::new(doubt.lab_derate, spread).weights(&paces);
    paces.into_iter().zip(weights).collect()
}

/// Learns the pace of a lab.
pub(super) fn learn(
    model: &Model,
    doubt: &Doubt,
    lab: &Lab,
    number: usize,
    situation: &Situation,
    stops: &[Still],
) -> Vec<Pace> {
    let batch = f64::from(lab.stages[StageKind::Pcr.index()].batch.max(1));
    let clock = OwnClock(stops);
    let mut curve: Vec<(Ms, f64)> = vec![(0, 0.0)];
    let mut windows: Vec<(Ms, [f64; 2])> = Vec::new();
    let window = window(lab);
    for reading in &situation.readings {
        let Some(count) = reading.labs.get(number) else { continue };
        curve.push((clock.at(reading.at), count.received as f64));
        if windows.last().is_none_or(|(at, _)| reading.at >= at.saturating_add(window)) {
            windows.push((reading.at, [count.plated as f64, count.resulted as f64]));
        }
    }
    let now = situation.readings.last().map_or(0, |newest| newest.at);
    let mut times: Vec<Ms> = windows.iter().map(|w| clock.at(w.0)).collect();
    times.push(clock.at(now));
    let emptying = lab.stages[StageKind::Decap.index()].run;
    let of = |(ln, prior): (f64, f64), between: f64| {
        let mut as_if = lab.clone();
        scale_pace(&mut as_if, ln.exp());
        let replay = fluid::replay(model, &as_if, &curve, &times);
        let mut weight = prior.ln();
        for (pair, expected) in windows.windows(2).zip(replay.done.windows(2)) {
            if !clock.stood_between(pair[0].0, pair[1].0, emptying) {
                weight += likely(batch, [&pair[0].1, &pair[1].1], [&expected[0], &expected[1]]);
            }
        }
        Pace { ln, between, weight, replay: on_the_wall(replay, &as_if, stops, now) }
    };
    let prior = prior(doubt);
    let width = |i: usize| {
        let (before, after) = (i.saturating_sub(1), (i + 1).min(prior.len() - 1));
        (prior[after].0 - prior[before].0) / (after - before).max(1) as f64
    };
    let looked_at = (0..prior.len()).filter(|i| prior[*i].1 > NEVER);
    let mut grid: Vec<Pace> = looked_at.map(|i| of(prior[i], width(i) / 2.0)).collect();
    normalise(&mut grid, |pace| &mut pace.weight);
    grid
}

/// For how long a reading of the pace of a lab is taken.
fn window(lab: &Lab) -> Ms {
    let plate = lab.stages.iter().map(|stage| stage.run / stage.units.max(1)).max().unwrap_or(0);
    if plate > WINDOW { plate.saturating_mul(WINDOW_PLATES) } else { WINDOW }
}

/// What a window is off by though the pace is right, in plates: it begins and ends within a plate, which makes 0.41 when
/// plates follow each other evenly, and they do not quite.
const PLATES_OFF: f64 = 0.5;

/// Logarithm of the likelihood of what a lab did in a window, loaded and resulted.
fn likely(batch: f64, seen: [&[f64; 2]; 2], thought: [&[f64; 2]; 2]) -> f64 {
    let mut ln = 0.0;
    for k in 0..2 {
        let (seen, thought) = (seen[1][k] - seen[0][k], thought[1][k] - thought[0][k]);
        let sd2 = (PLATES_OFF * batch).powi(2) + (0.06 * thought).powi(2);
        // Student's t with three degrees of freedom. Half the weight: what is plated is resulted later.
        ln -= (1.0 + (seen - thought).powi(2) / (3.0 * sd2)).ln();
    }
    ln
}

/// What is where in a lab, by the clock on the wall. In a lab that stands still now, runs go on to their end, and what they
/// had in them waits.
fn on_the_wall(mut replay: Replay, lab: &Lab, stops: &[Still], now: Ms) -> Replay {
    let behind = OwnClock(stops).behind();
    let stands = stops.last().is_some_and(|last| last.to.is_none());
    for (i, stage) in lab.stages.iter().enumerate() {
        for run in &mut replay.running[i] {
            run.0 = run.0.saturating_add(behind);
        }
        if stands {
            let over: f64 = replay.running[i].iter().filter(|r| r.0 <= now).map(|r| r.1).sum();
            replay.running[i].retain(|run| run.0 > now && run.0 <= now.saturating_add(stage.run));
            if let Some(next) = replay.waiting.get_mut(i + 1) {
                *next += over;
            }
        }
    }
    replay
}

/// One of the paces by its weight, and a pace near it.
pub(super) fn draw(grid: &[Pace], dice: Stream) -> Option<(&Pace, f64)> {
    let mut left = dice.unit(0);
    let picked = grid.iter().find(|pace| {
        left -= pace.weight;
        left <= 0.0
    });
    let pace = picked.or(grid.last())?;
    Some((pace, (pace.ln + pace.between * dice.normal(1)).exp()))
}
