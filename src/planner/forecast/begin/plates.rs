//! Where the plates of a lab are now: each by when it was loaded, one after the other through the instruments, and never behind
//! what was done by then.
//!
//! Flows have tubes and no plates. Put where they have the tubes, a plate had all of its run before it wherever in it it was: half a run
//! too late on average, which is an hour and more where a lab has one unit, and saws up and down with each plate.

use crate::planner::city::StageKind;
use crate::planner::forecast::learn::Still;
use crate::planner::forecast::situation::{LabCount, Reading, Situation};
use crate::planner::model::{Lab, Ms, Stage};
use crate::planner::simulate::Stream;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// First stage of the plates.
const FIRST: usize = StageKind::Extract as usize;

/// Plates that are told apart at most: no lab has so many at work, and counts that cannot be shall not cost all memory.
const PLATES_MAX: u64 = 10_000;

/// What was read of a lab: when its plates were loaded and done, and when it stood still.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plates<'s> {
    /// The readings.
    pub situation: &'s Situation,
    /// Number of the lab.
    pub lab: usize,
    /// Time of day at which the model's time begins.
    pub midnight_offset: Ms,
    /// When it stood still.
    pub stops: &'s [Still],
}

/// Where a plate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stands {
    /// The stage.
    pub stage: usize,
    /// Since when it runs there and until when; `None`: it waits.
    pub runs: Option<(Ms, Ms)>,
}

/// A plate, as counts tell it.
#[derive(Clone, Copy, Debug)]
struct Plate {
    /// When it was loaded.
    loaded: Ms,
    /// When its results were there; `None` as long as they are not.
    done: Option<Ms>,
}

/// On the way of a plate through the stages.
#[derive(Clone, Copy, Debug)]
struct OnWay {
    /// When it is through with the stage before.
    ready: Ms,
    /// When its results were there.
    done: Option<Ms>,
    /// Where it was found.
    stands: Option<Stands>,
}

impl Plates<'_> {
    /// A count of the lab at a reading.
    fn count(&self, reading: &Reading, of: fn(&LabCount) -> u64) -> f64 {
        reading.labs.get(self.lab).map_or(0, of) as f64
    }

    /// When a count of the lab came to `nth` with a plate of so many: between the first reading that has it and the one before, where
    /// the others of that time leave it. `None` when it has not.
    fn when(&self, of: fn(&LabCount) -> u64, nth: f64, plate: f64, unit: f64) -> Option<Ms> {
        let readings = &self.situation.readings;
        let first = readings.partition_point(|reading| self.count(reading, of) < nth - 0.5);
        let (after, before) = (readings.get(first)?, first.checked_sub(1).map(|k| &readings[k]));
        let (from, had) =
            before.map_or((after.at, 0.0), |before| (before.at, self.count(before, of)));
        let share = (nth - had - unit * plate) / (self.count(after, of) - had).max(1.0);
        let span = f64::from(after.at.saturating_sub(from));
        Some(from.saturating_add((span * share.clamp(0.0, 1.0)) as Ms))
    }

    /// Where so many plates with so many tubes are that are not done, oldest first, as the lab works: tubes have their results in the
    /// order in which they were loaded. Where in a reading's time something happened, and what is left of a plate that should be done,
    /// is drawn.
    pub fn stand(&self, lab: &Lab, (open, tubes): (u64, u64), dice: Stream) -> Vec<Stands> {
        let open = open.min(PLATES_MAX);
        let waiting = Stands { stage: FIRST, runs: None };
        let Some(now) = self.situation.readings.last().map(|newest| newest.at) else {
            return vec![waiting; open as usize];
        };
        let plates = self.plates(lab, (open, tubes), dice);
        let on_way = |plate: Plate| OnWay { ready: plate.loaded, done: plate.done, stands: None };
        let mut on_way: Vec<OnWay> = plates.into_iter().map(on_way).collect();
        for stage in FIRST..StageKind::COUNT {
            self.pass(lab, stage, &mut on_way, now);
        }
        let left = on_way.into_iter().filter(|plate| plate.done.is_none()).enumerate();
        let stands = |(k, plate): (usize, OnWay)| {
            plate
                .stands
                .unwrap_or_else(|| late(lab, now, plate.ready, dice.below(3).unit(k as u64)))
        };
        left.map(stands).collect()
    }

    /// The plates that are not done, and before them those that may have held the units for which they queue; oldest first.
    fn plates(&self, lab: &Lab, (open, tubes): (u64, u64), dice: Stream) -> Vec<Plate> {
        let Some(newest) = self.situation.readings.last() else { return Vec::new() };
        let over = self.count(newest, |count| count.resulted);
        let full = f64::from(lab.stages[FIRST].batch.max(1));
        let units = lab.stages[FIRST..].iter().map(|stage| stage.units).max().unwrap_or(1);
        let before = u64::from(units).min((over / full) as u64).min(PLATES_MAX);
        let loaded = |nth: f64, plate: f64, unit: f64| {
            self.when(|count| count.plated, nth, plate, unit).unwrap_or(newest.at)
        };
        let (load, result) = (dice.below(1), dice.below(2));
        let done = (0..before).map(|k| {
            let nth = over - (before - 1 - k) as f64 * full;
            let done = self.when(|count| count.resulted, nth, full, result.unit(k));
            Plate { loaded: loaded(nth, full, load.unit(k)), done: Some(done.unwrap_or(newest.at)) }
        });
        let each = tubes as f64 / open.max(1) as f64;
        let open = (0..open).map(|k| {
            let nth = over + (k + 1) as f64 * each;
            Plate { loaded: loaded(nth, each, load.unit(before + k)), done: None }
        });
        done.chain(open).collect()
    }

    /// Takes plates through a stage, one after the other, each on the unit that can take it first. One that is not through by now
    /// stands there.
    fn pass(&self, lab: &Lab, number: usize, plates: &mut [OnWay], now: Ms) {
        let stage = &lab.stages[number];
        let behind = lab.stages[number + 1..].iter().map(|stage| stage.run);
        let behind = behind.fold(0, Ms::saturating_add);
        let queues = number == slowest(lab, FIRST..StageKind::COUNT);
        let units = stage.units.clamp(1, PLATES_MAX as u32);
        let mut free: Free = (0..units).map(|unit| Reverse((0, unit))).collect();
        for plate in plates {
            let (unit, since) = self.first_up(stage, &mut free, plate.ready);
            let mut end = since.saturating_add(stage.run);
            if let Some(done) = plate.done {
                // What was counted is so, and where plates queue they held that unit.
                let left = done.saturating_sub(behind);
                end = if queues { left } else { end.min(left) };
            } else if plate.stands.is_none() && end > now {
                let runs = (since <= now).then_some((since, end));
                plate.stands = Some(Stands { stage: number, runs });
            }
            free.push(Reverse((end, unit)));
            plate.ready = end;
        }
    }

    /// Takes the unit that can start first from a time on, and says when.
    fn first_up(&self, stage: &Stage, free: &mut Free, from: Ms) -> (u32, Ms) {
        // Each unit rests at most once before it is looked at again.
        for _ in 0..2 * free.len() {
            let Some(Reverse((since, unit))) = free.pop() else { break };
            let at = self.works_again(from.max(since));
            let up = stage.rested(unit, at, self.midnight_offset);
            if up == at {
                return (unit, at);
            }
            free.push(Reverse((up, unit)));
        }
        free.pop().map_or((0, from), |Reverse((since, unit))| (unit, from.max(since)))
    }

    /// The first time from one on at which the lab did not stand still.
    fn works_again(&self, at: Ms) -> Ms {
        let during = |still: &&Still| still.from <= at && still.to.is_none_or(|to| at < to);
        self.stops.iter().find(during).map_or(at, |still| still.to.unwrap_or(Ms::MAX))
    }

    /// Until when those that load plates have one in hand, of so many who have: each took the next one with the loading of the one before,
    /// as they do while tubes wait. `None` where that is so long ago that they do something else.
    pub fn in_hand(&self, stage: &Stage, busy: u64, dice: Stream) -> Vec<Option<(Ms, Ms)>> {
        let Some(newest) = self.situation.readings.last() else {
            return vec![None; busy as usize];
        };
        let all = self.count(newest, |count| count.plated);
        let full = f64::from(stage.batch.max(1));
        let of = |k: u64| {
            let nth = all - (busy - 1 - k) as f64 * full;
            let since =
                self.when(|count| count.plated, nth, full, dice.unit(k)).filter(|_| nth > 0.5)?;
            let end = since.saturating_add(stage.run);
            let late = newest.at.saturating_sub(end);
            let left = overdue(late, stage.run, dice.below(1).unit(k));
            let end = end.max(newest.at.saturating_add(left));
            (late < stage.run / 2).then_some((since.min(newest.at), end))
        };
        (0..busy).map(of).collect()
    }
}

/// Units by the time from which on each is free, the first of them first.
type Free = BinaryHeap<Reverse<(Ms, u32)>>;

/// A plate that should have been done at a time: nobody knows where it is, and most likely where plates take longest.
fn late(lab: &Lab, now: Ms, due: Ms, unit: f64) -> Stands {
    let longest = lab.stages[FIRST..].iter().map(|stage| stage.run).max().unwrap_or(1);
    let left = overdue(now.saturating_sub(due), longest, unit);
    let stage = slowest(lab, FIRST..StageKind::COUNT);
    Stands { stage, runs: Some((now, now.saturating_add(left))) }
}

/// What is left of something that should have been over for so long: as long again, more or less (a Lomax: nobody knows why), and not longer than
/// all of it anew.
fn overdue(late: Ms, longest: Ms, unit: f64) -> Ms {
    let factor = unit.max(1e-6).powf(-0.5) - 1.0;
    ((f64::from(late) * factor) as Ms).clamp(1, longest.max(1))
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
