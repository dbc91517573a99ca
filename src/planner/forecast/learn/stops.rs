//! When a lab stood still, or stands still now: no plate loaded and no result for so long that several would have been,
//! though tubes waited.
//!
//! A stop is not a slow pace: an hour in which a lab stood still says nothing of how fast it works. So the pace is learned
//! on the lab's own clock, which does not go on while it stands. A stop that is going on will last nobody knows how long;
//! that is drawn (`remaining`), longer the longer it has lasted.

use super::pace::{Door, expected};
use crate::planner::city::StageKind;
use crate::planner::forecast::situation::{LabCount, Situation};
use crate::planner::model::{HOUR, Lab, MINUTE, Model, Ms};

/// Stops of one lab that are told apart.
const STOPS_MAX: usize = 4;
/// Plates, loaded and done together, that must be missing.
const MISSING: f64 = 5.0;
/// A shorter silence is none.
const SILENCE: Ms = 20 * MINUTE;
/// The time a stop lasts is taken as a Lomax: P(longer than x) = (1 + x/4 h)⁻³, two hours on average. Assumed: power, water
/// and contamination are seldom mended in minutes, and nobody publishes how long they took.
const SCALE: f64 = 4.0 * HOUR as f64;
const SHAPE: f64 = 3.0;

/// A time in which a lab stood still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::planner::forecast) struct Still {
    /// Since when.
    pub from: Ms,
    /// Until when; `None` = it still does.
    pub to: Option<Ms>,
}

/// What is left of a stop that has lasted for `lasted`, at a share of all cases.
pub(in crate::planner::forecast) fn remaining(lasted: Ms, share: f64) -> Ms {
    let factor = (1.0 - share.clamp(0.0, 0.99)).powf(-1.0 / SHAPE) - 1.0;
    ((SCALE + f64::from(lasted)) * factor) as Ms
}

/// The clock of a lab: it does not go on while the lab stands still.
#[derive(Clone, Copy, Debug)]
pub(super) struct OwnClock<'s>(pub &'s [Still]);

impl OwnClock<'_> {
    /// The lab's time at a time of the round.
    pub fn at(self, time: Ms) -> Ms {
        let stood =
            |still: &Still| still.to.unwrap_or(Ms::MAX).min(time).saturating_sub(still.from);
        time.saturating_sub(self.0.iter().map(stood).sum::<Ms>())
    }

    /// What stops that are over took away from it.
    pub fn behind(self) -> Ms {
        self.0.iter().filter_map(|still| Some(still.to? - still.from)).sum()
    }

    /// Whether the lab stood still at some time between two, or so shortly before that its desks were still emptying.
    pub fn stood_between(self, from: Ms, to: Ms, after: Ms) -> bool {
        let touches = |still: &Still| {
            still.from < to && still.to.is_none_or(|end| from < end.saturating_add(after))
        };
        self.0.iter().any(touches)
    }
}

/// The stops of a lab so far, by time.
pub(super) fn find(model: &Model, lab: &Lab, number: usize, situation: &Situation) -> Vec<Still> {
    let counts: Vec<(Ms, LabCount)> = situation
        .readings
        .iter()
        .filter_map(|reading| Some((reading.at, *reading.labs.get(number)?)))
        .collect();
    let mut found: Vec<Still> = Vec::new();
    while found.len() < STOPS_MAX && found.last().is_none_or(|last| last.to.is_some()) {
        let done = expected(model, lab, &Door::of(&counts, OwnClock(&found)));
        let after = found.last().and_then(|last| last.to).unwrap_or(0);
        let Some(next) = next(lab, &counts, &done, after) else { break };
        found.push(next);
    }
    found
}

/// The first stop after a time.
fn next(lab: &Lab, counts: &[(Ms, LabCount)], done: &[[f64; 2]], after: Ms) -> Option<Still> {
    let same = |a: &LabCount, b: &LabCount| {
        [a.plated, a.resulted, a.plates, a.plates_done]
            == [b.plated, b.resulted, b.plates, b.plates_done]
    };
    let first = counts.partition_point(|count| count.0 < after);
    let mut i = first;
    while i < counts.len() {
        let mut j = i;
        while counts.get(j + 1).is_some_and(|count| same(&count.1, &counts[i].1)) {
            j += 1;
        }
        let silent = counts[j].0.saturating_sub(counts[i].0) >= SILENCE;
        if silent && missing(lab, &counts[i].1, &counts[j].1, [done[i], done[j]]) >= MISSING {
            let from = began(lab, counts, i).max(after);
            let to = (j + 1 < counts.len()).then(|| counts[j].0.max(from + 1));
            return Some(Still { from, to });
        }
        i = j + 1;
    }
    None
}

/// Plates that should have been loaded and done in a silence: no more than there were tubes for.
fn missing(lab: &Lab, from: &LabCount, to: &LabCount, done: [[f64; 2]; 2]) -> f64 {
    let batch = f64::from(lab.stages[StageKind::Pcr.index()].batch.max(1));
    let waited =
        [to.received.saturating_sub(from.plated), from.plated.saturating_sub(from.resulted)];
    let mut plates = 0.0;
    for (k, waited) in waited.into_iter().enumerate() {
        plates += (done[1][k] - done[0][k]).max(0.0).min(waited as f64) / batch;
    }
    plates
}

/// When a stop began that is first seen between two readings. Plates whose tubes were being transferred are still loaded
/// after it; a result is not given any more.
fn began(lab: &Lab, counts: &[(Ms, LabCount)], silent: usize) -> Ms {
    let seen = counts[silent].0;
    let results = |count: &LabCount| (count.resulted, count.plates_done);
    let last = (0..silent).rev().find(|&k| results(&counts[k].1) != results(&counts[silent].1));
    let resulted = last.map_or(0, |k| counts[k + 1].0);
    resulted.max(seen.saturating_sub(lab.stages[StageKind::Decap.index()].run)).min(seen)
}
