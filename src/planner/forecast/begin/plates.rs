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

    /// When the plate was loaded that has so many behind it: by the count of plates, or where plates are not told by that of tubes,
    /// of which it has so many and is full with the `nth`. `None` where that was not read.
    fn loaded(&self, behind: u64, nth: f64, tubes: f64, unit: f64) -> Option<Ms> {
        let told = self.count(self.situation.readings.last()?, |count| count.plates);
        // Plates are not always full.
        let number = told - behind as f64;
        if number > 0.5 {
            return self.when(|count| count.plates, number, 1.0, unit);
        }
        self.when(|count| count.plated, nth, tubes, unit).filter(|_| nth > 0.5)
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
        let told = self.count(newest, |count| count.plates);
        let over_plates = if told > 0.0 { told - open as f64 } else { over / full };
        let before = u64::from(units).min(over_plates as u64).min(PLATES_MAX);
        let (load, result) = (dice.below(1), dice.below(2));
        let loaded = |k: u64, nth: f64, tubes: f64| {
            let behind = before + open - 1 - k;
            self.loaded(behind, nth, tubes, load.unit(k)).unwrap_or(newest.at)
        };
        let done = (0..before).map(|k| {
            let nth = (over - (before - 1 - k) as f64 * full).max(1.0);
            let done = self.when(|count| count.resulted, nth, full, result.unit(k));
            Plate { loaded: loaded(k, nth, full), done: Some(done.unwrap_or(newest.at)) }
        });
        let each = tubes as f64 / open.max(1) as f64;
        let open = (0..open).map(|k| {
            let nth = over + (k + 1) as f64 * each;
            Plate { loaded: loaded(before + k, nth, each), done: None }
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
            let behind = busy - 1 - k;
            let since = self.loaded(behind, all - behind as f64 * full, full, dice.unit(k))?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::example;
    use crate::planner::model::{HOUR, MINUTE};
    use crate::planner::simulate::Cause;

    const NOW: Ms = 20 * HOUR;
    const SETUP: usize = StageKind::Setup as usize;
    const PCR: usize = StageKind::Pcr as usize;
    /// Tubes of a full plate.
    const FULL: u64 = 94;

    /// A lab of so many PCR units that extracts in half an hour and runs PCR for two hours; nothing else takes any time.
    fn lab(units: u32) -> Lab {
        let mut lab = example::lab([1; StageKind::COUNT]);
        for (stage, run) in lab.stages[FIRST..].iter_mut().zip([HOUR / 2, 0, 2 * HOUR, 0]) {
            (stage.units, stage.batch, stage.run) = (50, FULL as u32, run);
            (stage.rests, stage.failures_per_day) = (Default::default(), 0.0);
        }
        lab.stages[PCR].units = units;
        lab
    }

    /// Readings of a lab: at each time before now it came to so many tubes plated and resulted, and a millisecond before it had not.
    fn read(changes: &[(Ms, u64, u64)]) -> Situation {
        let mut readings = Vec::new();
        let mut had = (0, 0);
        let reading = |at, (plated, resulted)| {
            let count = LabCount { plated, resulted, ..LabCount::default() };
            Reading { at, streets: Vec::new(), labs: vec![count] }
        };
        for &(ago, plated, resulted) in changes {
            readings.push(reading(NOW - ago - 1, had));
            had = (plated, resulted);
            readings.push(reading(NOW - ago, had));
        }
        readings.push(reading(NOW, had));
        Situation { readings }
    }

    fn dice() -> Stream {
        Stream::of(1, 1, Cause::Parameter, 1)
    }

    fn plates<'a>(situation: &'a Situation, stops: &'a [Still]) -> Plates<'a> {
        Plates { situation, lab: 0, midnight_offset: 0, stops }
    }

    /// Where the open plates of a lab of so many PCR units are: the stage and the minutes that are left there, if it runs.
    fn stand(units: u32, changes: &[(Ms, u64, u64)], stops: &[Still]) -> Vec<(usize, Option<Ms>)> {
        let situation = read(changes);
        let (_, plated, resulted) = changes.last().copied().unwrap_or_default();
        let tubes = plated - resulted;
        let open = (tubes.div_ceil(FULL), tubes);
        let stands = plates(&situation, stops).stand(&lab(units), open, dice());
        let left = |(_, end): (Ms, Ms)| (end - NOW + MINUTE / 2) / MINUTE;
        stands.into_iter().map(|stands| (stands.stage, stands.runs.map(left))).collect()
    }

    #[test]
    fn a_plate_is_where_it_must_be_by_when_it_was_loaded() {
        const NONE: &[Still] = &[];
        let still = |from, to| [Still { from, to }];
        let (h, m) = (HOUR, MINUTE);
        type Where = (usize, Option<Ms>);
        type Line<'a> = (u32, &'a [(Ms, u64, u64)], &'a [Still], &'a [Where]);
        // PCR units; when tubes were plated and resulted; when the lab stood still; where the open plates are.
        let table: [Line<'_>; 12] = [
            (1, &[(10 * m, 94, 0)], NONE, &[(FIRST, Some(20))]),
            (1, &[(90 * m, 94, 0)], NONE, &[(PCR, Some(60))]),
            // A plate that is not full takes as long.
            (1, &[(90 * m, 20, 0)], NONE, &[(PCR, Some(60))]),
            // Two that came together: on one unit the second waits for it.
            (1, &[(90 * m, 188, 0)], NONE, &[(PCR, Some(60)), (PCR, None)]),
            (2, &[(90 * m, 188, 0)], NONE, &[(PCR, Some(60)), (PCR, Some(60))]),
            // The unit was held by a plate whose results came an hour ago, wherever it should have been.
            (1, &[(4 * h, 188, 0), (h, 188, 94)], NONE, &[(PCR, Some(60))]),
            (2, &[(2 * h, 188, 0), (h, 188, 94)], NONE, &[(PCR, Some(30))]),
            // Four of one plate an hour, two units: the last two have not begun.
            (
                2,
                &[(2 * h, 94, 0), (h, 188, 0), (h / 2, 376, 0)],
                NONE,
                &[(PCR, Some(30)), (PCR, Some(90)), (PCR, None), (PCR, None)],
            ),
            // It stands still since before the PCR began; it stood still for an hour when it would have begun.
            (1, &[(h, 94, 0)], &still(NOW - 50 * m, None), &[(SETUP, None)]),
            (1, &[(2 * h, 94, 0)], &still(NOW - 110 * m, Some(NOW - h)), &[(PCR, Some(60))]),
            // A stop holds no run that has begun.
            (1, &[(2 * h, 94, 0)], &still(NOW - h, None), &[(PCR, Some(30))]),
            (1, &[], NONE, &[]),
        ];
        for (units, changes, stops, expected) in table {
            assert_eq!(stand(units, changes, stops), expected, "{units} {changes:?} {stops:?}");
        }
    }

    #[test]
    fn plates_that_are_told_were_loaded_when_they_were_counted_full_or_not() {
        let mut situation = read(&[(2 * HOUR, 44, 0), (HOUR, 138, 0)]);
        let stand = |situation: &Situation| {
            let stands = plates(situation, &[]).stand(&lab(1), (2, 138), dice());
            stands.iter().map(|stands| stands.runs.map(|run| (run.1 - NOW) / MINUTE)).collect()
        };
        // By tubes alone both are taken for as full, and the first one for loaded with the second.
        let by_tubes: Vec<Option<Ms>> = stand(&situation);
        assert_eq!(by_tubes, [Some(89), None]);
        for count in situation.readings.iter_mut().flat_map(|reading| &mut reading.labs) {
            count.plates = count.plated.div_ceil(FULL);
        }
        let by_plates: Vec<Option<Ms>> = stand(&situation);
        assert_eq!(by_plates, [Some(29), None]);
    }

    #[test]
    fn what_should_have_been_done_is_somewhere_and_takes_no_longer_than_all_of_its_run() {
        for ago in [3, 5, 12] {
            let stands = stand(1, &[(ago * HOUR, FULL, 0)], &[]);
            let [(stage, Some(left))] = stands[..] else { panic!("{ago} {stands:?}") };
            assert!(stage == PCR && left <= 120, "{ago} {left}");
        }
        // How long nobody knows: it is drawn.
        let situation = read(&[(3 * HOUR, FULL, 0)]);
        let left = |k| {
            let stands = plates(&situation, &[]).stand(&lab(1), (1, FULL), dice().below(k));
            stands[0].runs.map_or(0, |(_, end)| end - NOW)
        };
        let drawn: std::collections::BTreeSet<Ms> = (0..20).map(left).collect();
        assert!(drawn.len() > 10 && drawn.first() > Some(&0), "{drawn:?}");
    }

    #[test]
    fn plates_of_a_lab_of_which_nothing_was_read_wait() {
        let unread = Situation::default();
        let stands = plates(&unread, &[]).stand(&lab(1), (3, 200), dice());
        assert_eq!(stands, vec![Stands { stage: FIRST, runs: None }; 3]);
        let stage = &lab(1).stages[FIRST];
        assert_eq!(plates(&unread, &[]).in_hand(stage, 2, dice()), vec![None, None]);
    }

    #[test]
    fn whoever_loads_plates_has_the_next_one_in_hand_since_the_loading() {
        let stage = &lab(1).stages[FIRST];
        // When the last plate was loaded; for how many minutes the next one is in hand, at least and at most.
        for (ago, expected) in [
            (Some(0), Some((30, 30))),
            (Some(10 * MINUTE), Some((20, 20))),
            // It should have been loaded, and will be.
            (Some(40 * MINUTE), Some((0, 30))),
            // That is too long ago.
            (Some(2 * HOUR), None),
            (None, None),
        ] {
            let changes: Vec<_> = ago.into_iter().map(|ago| (ago, FULL, 0)).collect();
            let situation = read(&changes);
            let in_hand = plates(&situation, &[]).in_hand(stage, 1, dice());
            let left = in_hand[0].map(|(_, end)| (end - NOW + MINUTE / 2) / MINUTE);
            let within = match (left, expected) {
                (Some(left), Some((from, to))) => (from..=to).contains(&left),
                (left, expected) => left.is_none() && expected.is_none(),
            };
            assert!(within, "{ago:?}: {left:?}");
        }
    }

    #[test]
    fn counts_that_cannot_be_break_nothing() {
        let wild = [0, 1, 93, 1 << 40, u64::MAX];
        for (units, batch, run) in [(0, 0, 0), (1, 1, Ms::MAX), (u32::MAX, u32::MAX, 1)] {
            let mut lab = lab(1);
            for stage in &mut lab.stages {
                (stage.units, stage.batch, stage.run) = (units, batch, run);
            }
            lab.stages[PCR].rests = vec![vec![(0, Ms::MAX)]].into();
            for (plated, resulted) in wild.iter().flat_map(|a| wild.map(|b| (*a, b))) {
                let count = LabCount { plated, resulted, plates: resulted, ..LabCount::default() };
                let reading = |at| Reading { at, streets: Vec::new(), labs: vec![count] };
                let situation = Situation { readings: vec![reading(0), reading(Ms::MAX)] };
                for open in [0, 2, u64::MAX] {
                    let plates = Plates { midnight_offset: Ms::MAX, ..plates(&situation, &[]) };
                    let stands = plates.stand(&lab, (open, plated), dice());
                    assert_eq!(stands.len() as u64, open.min(PLATES_MAX));
                    plates.in_hand(&lab.stages[FIRST], 3, dice());
                }
            }
        }
    }
}
