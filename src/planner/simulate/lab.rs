//! A lab: seven stages in a row, and the way back for unclean pools.

use super::field::{Trip, Unclean, recall_time};
use super::random::{Cause, Stream};
use super::stage::{Lot, ORDINARY, PRIORITY, Passed, Station};
use crate::planner::city::StageKind;
use crate::planner::model::{HORIZON_MS, Lab, Ms, RECALL_MIN, Recall};

/// Tubes that one person at the reception takes in hand at a time, when so many came together: half a plate.
pub(in crate::planner) const RACK: u32 = 48;

/// Where a lab begins: what is in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LabStart {
    /// Nothing starts before.
    pub from: Ms,
    /// Tubes that wait before each stage, and since when.
    pub waiting: [Vec<(Ms, u32)>; StageKind::COUNT],
    /// Runs that go on at each stage: (since, end, tubes).
    pub running: [Vec<(Ms, Ms, u32)>; StageKind::COUNT],
    /// The same of single tubes of recalls, which are no first tests.
    pub singles_waiting: [Vec<(Ms, u32)>; StageKind::COUNT],
    /// See `singles_waiting`.
    pub singles_running: [Vec<(Ms, Ms, u32)>; StageKind::COUNT],
    /// People to a tube of the first tests that are in it: as with those that come, some tubes are unclean, and as many are
    /// called back. 0 or 1: nobody.
    pub pool: u32,
    /// Single tubes on their way back: when they will be at the door, and how many.
    pub recalls: Vec<(Ms, u32)>,
    /// Stops of the whole lab, (from, to).
    pub stops: Vec<(Ms, Ms)>,
}

/// What a lab did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabRun {
    /// Last result of a pool or first single tube; `HORIZON_MS` when some have none by then.
    pub finish: Ms,
    /// Last result of all, recalls included; `HORIZON_MS` when some have none by then.
    pub closed: Ms,
    /// By stage.
    pub stages: [Passed; StageKind::COUNT],
    /// Members of the unclean pools among what was in it at the beginning.
    pub unclean_inside: u64,
    /// Single tubes of recalls.
    pub recalled: u64,
    /// Single tubes of recalls: when they come to the door, and how many.
    pub called_back: Vec<(Ms, u32)>,
    /// Tubes resulted, without recalls: (until, so many), rising. Those that have no result by `HORIZON_MS` are told there.
    pub results: Vec<(Ms, u64)>,
}

impl LabRun {
    /// When the first `tubes` tubes, in the order in which they came to the door, have their results.
    pub fn resulted(&self, tubes: u64) -> Ms {
        let at = self.results.partition_point(|(_, n)| *n < tubes);
        self.results.get(at).or(self.results.last()).map_or(0, |(at, _)| *at)
    }

    /// Tubes that have their results at a time.
    pub fn resulted_by(&self, at: Ms) -> u64 {
        let upto = self.results.partition_point(|(until, _)| *until <= at);
        upto.checked_sub(1).map_or(0, |last| self.results[last].1)
    }

    /// The stage before which tubes waited longest in sum: the bottleneck.
    pub fn bottleneck(&self) -> StageKind {
        StageKind::ALL
            .into_iter()
            .max_by_key(|kind| self.stages[kind.index()].waited)
            .unwrap_or(StageKind::Pcr)
    }
}

/// A lab at work; kept between replications for its memory.
#[derive(Debug, Default)]
pub(super) struct Works {
    stations: [Station; StageKind::COUNT],
    results: Vec<(Ms, u32)>,
}

/// Where the numbers of labs begin among those of streets, for the chance of what is in a lab already.
const INSIDE: u64 = 1 << 32;

/// A lot has its results, and the members of its unclean pools come again.
fn done(lot: Lot, results: &mut Vec<(Ms, u32)>, again: &mut Vec<Lot>) {
    results.push((lot.ready, lot.tubes - lot.singles));
    if lot.members > 0 {
        again.push(lot);
    }
}

/// Chance of a lab in one replication.
pub(super) struct LabChance {
    pub seed: u64,
    pub replication: u64,
    pub lab: u64,
}

impl Works {
    /// Runs a lab to its end, or to `HORIZON_MS`. `trips` are those of this lab, by time.
    #[expect(clippy::too_many_arguments, reason = "one lab's numbers, called from one place")]
    pub fn run(
        &mut self,
        lab: &Lab,
        recall: &Recall,
        midnight_offset: Ms,
        start: &LabStart,
        trips: &[Trip],
        boxes: &[Lot],
        chance: &LabChance,
        watch: &mut impl FnMut(StageKind, Lot),
    ) -> LabRun {
        self.set_up(lab, recall.hold, midnight_offset, start, chance);
        let inside = INSIDE + chance.lab;
        let inside = Stream::of(chance.seed, chance.replication, Cause::Unclean, inside);
        let (mut again, mut recalls) = (Vec::new(), 0);
        let mut unclean = Unclean::new(start.pool, recall, inside);
        let unclean_inside = self.begin(lab, start, &mut unclean, &mut again);
        let any_unclean = self.brought(trips, boxes) || !start.recalls.is_empty() || start.pool > 1;
        for &(at, tubes) in &start.recalls {
            self.called_back(at, tubes);
        }
        let mut run =
            LabRun { called_back: start.recalls.clone(), unclean_inside, ..LabRun::default() };
        // Nothing that leaves in one slice of time can come back in the same slice.
        let horizon = HORIZON_MS.max(start.from);
        let slice = if any_unclean { RECALL_MIN } else { horizon };
        let mut until = start.from.saturating_add(slice).min(horizon);
        let back = Stream::of(chance.seed, chance.replication, Cause::Recall, chance.lab);
        loop {
            self.advance(lab, until, &mut again, watch);
            for lot in again.drain(..) {
                let at = lot.ready.saturating_add(recall_time(recall, back, recalls));
                recalls += 1;
                run.recalled += u64::from(lot.members);
                run.called_back.push((at, lot.members));
                self.called_back(at, lot.members);
            }
            if self.stations.iter().all(Station::is_empty) || until == horizon {
                break;
            }
            until = until.saturating_add(slice).min(horizon);
        }
        self.sum_up(horizon, &mut run);
        run
    }

    /// Makes every stage ready, with nothing in it.
    fn set_up(
        &mut self,
        lab: &Lab,
        priority_hold: Ms,
        midnight_offset: Ms,
        start: &LabStart,
        chance: &LabChance,
    ) {
        let LabChance { seed, replication, lab: number } = *chance;
        for (i, (station, stage)) in self.stations.iter_mut().zip(&lab.stages).enumerate() {
            let place = number * 16 + i as u64;
            let streams = [Cause::Run, Cause::Failure]
                .map(|cause| Stream::of(seed, replication, cause, place));
            station.set_up(stage, priority_hold, midnight_offset, streams, &start.stops);
            if start.from > 0 {
                station.not_before(stage, start.from);
            }
        }
        self.results.clear();
    }

    /// The boxes of all trips come to the door. Returns whether any tube of them is unclean.
    fn brought(&mut self, trips: &[Trip], boxes: &[Lot]) -> bool {
        let door = &mut self.stations[0];
        let mut any_unclean = false;
        for trip in trips {
            let (first, end) = (trip.first as usize, (trip.first + trip.boxes) as usize);
            // Boxes that came together are taken in hand together, up to a rack.
            let mut rack = Lot { ready: trip.at, ..Lot::default() };
            for lot in &boxes[first..end] {
                any_unclean |= lot.members > 0;
                if rack.tubes > 0 && rack.tubes + lot.tubes > RACK {
                    door.push(ORDINARY, rack);
                    rack = Lot { ready: trip.at, ..Lot::default() };
                }
                rack.tubes += lot.tubes;
                rack.members += lot.members;
            }
            if rack.tubes > 0 {
                door.push(ORDINARY, rack);
            }
        }
        any_unclean
    }

    /// Single tubes of people called back come to the door.
    fn called_back(&mut self, at: Ms, tubes: u32) {
        self.stations[0].push(PRIORITY, Lot { ready: at, tubes, singles: tubes, members: 0 });
    }

    /// What is in the lab at the beginning; members of the unclean pools among it.
    fn begin(
        &mut self,
        lab: &Lab,
        start: &LabStart,
        unclean: &mut Unclean,
        again: &mut Vec<Lot>,
    ) -> u64 {
        let mut members = 0;
        let lots =
            [(&start.running, &start.waiting), (&start.singles_running, &start.singles_waiting)];
        for (i, (single, (running, waiting))) in
            (0..StageKind::COUNT).flat_map(|i| lots.iter().enumerate().map(move |of| (i, of)))
        {
            let lane = if single == 1 { PRIORITY } else { ORDINARY };
            let mut lot = |ready, tubes| match single {
                1 => Lot { ready, tubes, singles: tubes, members: 0 },
                _ => {
                    let unclean = unclean.members(tubes);
                    members += u64::from(unclean);
                    Lot { ready, tubes, singles: 0, members: unclean }
                }
            };
            for &(since, end, tubes) in &running[i] {
                let (here, after) = self.stations.split_at_mut(i + 1);
                let results = &mut self.results;
                here[i].running(&lab.stages[i], lot(end, tubes), since, lane, &mut |lane, lot| {
                    match after.first_mut() {
                        Some(next) => next.push(lane, lot),
                        None => done(lot, results, again),
                    }
                });
            }
            for &(since, tubes) in &waiting[i] {
                self.stations[i].push(lane, lot(since, tubes));
            }
        }
        members
    }

    fn advance(
        &mut self,
        lab: &Lab,
        until: Ms,
        again: &mut Vec<Lot>,
        watch: &mut impl FnMut(StageKind, Lot),
    ) {
        for (i, stage) in lab.stages.iter().enumerate() {
            let kind = StageKind::ALL[i];
            let (here, after) = self.stations.split_at_mut(i + 1);
            let results = &mut self.results;
            here[i].advance(stage, until, &mut |lane, lot| {
                watch(kind, lot);
                match after.first_mut() {
                    Some(next) => next.push(lane, lot),
                    None => done(lot, results, again),
                }
            });
        }
    }

    fn sum_up(&mut self, horizon: Ms, run: &mut LabRun) {
        let mut left = 0;
        for (passed, station) in run.stages.iter_mut().zip(&mut self.stations) {
            let first_tests = station.stop(horizon);
            *passed = *station.passed();
            left += passed.tubes_left;
            if first_tests > 0 {
                self.results.push((horizon, first_tests));
            }
        }
        let last = run.stages[StageKind::COUNT - 1].last.min(horizon);
        run.closed = if left > 0 { horizon } else { last };
        // A run that began before the horizon may end after it.
        self.results.iter_mut().for_each(|result| result.0 = result.0.min(horizon));
        self.results.sort_unstable();
        let mut sum = 0;
        run.results = Vec::with_capacity(self.results.len());
        for &(at, tubes) in self.results.iter().filter(|(_, tubes)| *tubes > 0) {
            sum += u64::from(tubes);
            run.results.push((at, sum));
        }
        run.finish = run.results.last().map_or(0, |(at, _)| *at);
    }
}
