//! Where the plates of a lab are now: each by when it was loaded, one after the other through the instruments, and never behind
//! what was done by then.
//!
//! Flows have tubes and no plates. Put where they have the tubes, a plate had all of its run before it wherever in it it was: half a run
//! too late on average, which is an hour and more where a lab has one unit, and saws up and down with each plate.

use super::situation::{LabCount, Reading, Situation};
use crate::planner::city::StageKind;
use crate::planner::model::{Lab, Ms, Stage};
use crate::planner::simulate::Stream;

/// First stage of the plates.
const FIRST: usize = StageKind::Extract as usize;

/// When the plates of a lab were loaded and done, by the readings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plates<'s> {
    situation: &'s Situation,
    lab: usize,
    midnight_offset: Ms,
}

/// Where a plate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stands {
    /// The stage.
    pub stage: usize,
    /// Since when it runs there and until when; `None`: it waits.
    pub runs: Option<(Ms, Ms)>,
}

impl<'s> Plates<'s> {
    /// Of a lab of the model, whose day begins so long after midnight.
    pub const fn of(situation: &'s Situation, lab: usize, midnight_offset: Ms) -> Plates<'s> {
        Plates { situation, lab, midnight_offset }
    }

    /// When a count of the lab came to `nth` with a plate of so many: between the first reading that has it and the one before, where
    /// the others of that time leave it. `None` when it has not.
    fn when(&self, of: &dyn Fn(&LabCount) -> u64, nth: f64, plate: f64, unit: f64) -> Option<Ms> {
        let readings = &self.situation.readings;
        let count = |reading: &Reading| reading.labs.get(self.lab).map_or(0, of) as f64;
        let first = readings.partition_point(|reading| count(reading) < nth - 0.5);
        let (after, before) = (readings.get(first)?, first.checked_sub(1).map(|k| &readings[k]));
        let (from, had) = before.map_or((after.at, 0.0), |before| (before.at, count(before)));
        let share = (nth - had - unit * plate) / (count(after) - had).max(1.0);
        Some(from.saturating_add((f64::from(after.at - from) * share.clamp(0.0, 1.0)) as Ms))
    }

    /// Where so many plates with so many tubes are that are not done, oldest first, as the lab works: tubes have their results in the
    /// order in which they were loaded. Where in a reading's time something happened, and what is left of a plate that should be done, is drawn.
    pub fn stand(&self, lab: &Lab, (open, tubes): (u64, u64), dice: Stream) -> Vec<Stands> {
        let Some(newest) = self.situation.readings.last() else {
            return (0..open).map(|_| Stands { stage: FIRST, runs: None }).collect();
        };
        let now = newest.at;
        let plated = |count: &LabCount| count.plated;
        let resulted = |count: &LabCount| count.resulted;
        let over = newest.labs.get(self.lab).map_or(0, resulted) as f64;
        // Those before them may hold the units.
        let (each, full) =
            (tubes as f64 / open.max(1) as f64, f64::from(lab.stages[FIRST].batch.max(1)));
        let units = lab.stages[FIRST..].iter().map(|stage| stage.units).max().unwrap_or(1) as usize;
        let before = units.min((over / full) as usize);
        let done = (0..before).rev().map(|k| (over - k as f64 * full, full));
        let open = (1..=open).map(|k| (over + k as f64 * each, each));
        let dice = |k: usize, of: u64| dice.unit(of << 20 | k as u64);
        let load = |(k, (nth, plate)): (usize, (f64, f64))| {
            self.when(&plated, nth, plate, dice(k, 0)).unwrap_or(now)
        };
        let mut ready: Vec<Ms> = done.clone().chain(open).enumerate().map(load).collect();
        let result = |(k, (nth, plate)): (usize, (f64, f64))| {
            self.when(&resulted, nth, plate, dice(k, 1)).unwrap_or(now)
        };
        let through: Vec<Ms> = done.enumerate().map(result).collect();
        let mut stands = vec![None; ready.len()];
        let slowest = slowest(lab, FIRST..StageKind::COUNT);
        for (i, stage) in lab.stages.iter().enumerate().skip(FIRST) {
            let behind =
                lab.stages[i + 1..].iter().map(|stage| stage.run).fold(0, Ms::saturating_add);
            let mut free = vec![0; stage.units.max(1) as usize];
            for (k, ready) in ready.iter_mut().enumerate() {
                let (unit, since) = first_up(stage, &mut free, *ready, self.midnight_offset);
                let mut end = since.saturating_add(stage.run);
                if let Some(through) = through.get(k) {
                    // What was counted is so, and where plates queue they held that unit.
                    let left = through.saturating_sub(behind);
                    end = if i == slowest { left } else { end.min(left) };
                } else if stands[k].is_none() && end > now {
                    let runs = (since <= now).then_some((since, end));
                    stands[k] = Some(Stands { stage: i, runs });
                }
                free[unit] = end;
                *ready = end;
            }
        }
        let longest = lab.stages[FIRST..].iter().map(|stage| stage.run).max().unwrap_or(1);
        let left = stands.into_iter().zip(ready).enumerate().skip(before);
        left.map(|(k, (stands, due))| {
            stands.unwrap_or_else(|| {
                let left = overdue(now.saturating_sub(due), longest, dice(k, 2));
                Stands { stage: slowest, runs: Some((now, now.saturating_add(left))) }
            })
        })
        .collect()
    }

    /// Until when those that load plates have one in hand, of so many who have: each took the next one with the loading of the one before,
    /// as they do while tubes wait. `None` where that is so long ago that they do something else.
    pub fn in_hand(&self, stage: &Stage, busy: u64, dice: Stream) -> Vec<Option<(Ms, Ms)>> {
        let none = || vec![None; busy as usize];
        let Some(newest) = self.situation.readings.last() else { return none() };
        let plated = |count: &LabCount| count.plated;
        let (all, full) =
            (newest.labs.get(self.lab).map_or(0, plated) as f64, f64::from(stage.batch.max(1)));
        let of = |k: u64| {
            let nth = all - (busy - 1 - k) as f64 * full;
            let since = self.when(&plated, nth, full, dice.unit(k)).filter(|_| nth > 0.5)?;
            let end = since.saturating_add(stage.run);
            let late = newest.at.saturating_sub(end);
            let left = overdue(late, stage.run, dice.unit(1 << 20 | k));
            let end = end.max(newest.at.saturating_add(left));
            (late < stage.run / 2).then_some((since.min(newest.at), end))
        };
        (0..busy).map(of).collect()
    }
}

/// What is left of something that should have been over for so long: as long again, more or less (a Lomax: nobody knows why), and not longer than
/// all of it anew.
fn overdue(late: Ms, longest: Ms, unit: f64) -> Ms {
    let factor = unit.max(1e-6).powf(-0.5) - 1.0;
    ((f64::from(late) * factor) as Ms).clamp(1, longest.max(1))
}

/// The unit that can start first from a time on, and when, of units that are free at some time each.
fn first_up(stage: &Stage, free: &mut [Ms], from: Ms, midnight_offset: Ms) -> (usize, Ms) {
    // Each unit rests at most once before it is looked at again.
    for _ in 0..2 * free.len() {
        let unit = (0..free.len()).min_by_key(|unit| free[*unit]).unwrap_or(0);
        let at = from.max(free[unit]);
        let up = stage.rested(unit as u32, at, midnight_offset);
        if up == at {
            return (unit, at);
        }
        free[unit] = up;
    }
    (0, from.max(free[0]))
}

/// Units of a stage that work at a time.
pub(super) fn at_work(stage: &Stage) -> usize {
    ((f64::from(stage.units) * stage.working_share() * stage.sound_share()).round() as usize).max(1)
}

/// The slowest of some stages.
pub(super) fn slowest(lab: &Lab, stages: std::ops::Range<usize>) -> usize {
    let pace = |i: &usize| {
        let stage = &lab.stages[*i];
        stage.tubes_per_hour() * stage.working_share() * stage.sound_share()
    };
    let first = stages.start;
    stages.min_by(|a, b| pace(a).total_cmp(&pace(b))).unwrap_or(first)
}
