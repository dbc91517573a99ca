//! One stage of a lab: lots come in, runs take them, lots go out. Two lanes, the priority lane first, nobody interrupted.
//!
//! A stage needs no list of events: when a run starts follows from the lots that have come and from the unit that is free
//! first. So a stage is driven to a point in time, and then the next stage, which knows by then all that comes to it up
//! to that point.
//!
//! A plate is closed when it is full or its first tube has waited long enough, but not while a stage behind could not take
//! it anyway: nothing is gained by that, and the stage would have more plates to do. Whoever leads a lab keeps such a plate
//! open, and tubes that come later go on it. What is behind is not known yet when a stage is driven, so the plate is
//! settled where it would have waited: a run takes what waits before its unit, up to a plate, whichever way it came
//! there. It is what a leader does who sees how long the queues are (`tests::leader` holds it against one).

use super::calendar::Calendar;
use super::random::Stream;
use super::units::Units;
use crate::planner::model::{Ms, Stage, Takes};

/// Tubes that move together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lot {
    /// When they are there.
    pub ready: Ms,
    /// Tubes, single ones included.
    pub tubes: u32,
    /// Single tubes of people called back.
    pub singles: u32,
    /// Members of the unclean pools among them: so many single tubes will come back.
    pub members: u32,
}

impl Lot {
    /// Takes `tubes` off the front; the rest stays. Singles go in proportion, members with the front: a pool is on one plate.
    fn cut(&mut self, tubes: u32) -> Lot {
        let share = |n: u32| {
            (u64::from(n) * u64::from(tubes)).div_ceil(u64::from(self.tubes.max(1))) as u32
        };
        let front = Lot {
            ready: self.ready,
            tubes,
            // Not more singles than tubes on either side.
            singles: share(self.singles).min(tubes),
            members: self.members,
        };
        self.tubes -= front.tubes;
        self.singles -= front.singles;
        self.members -= front.members;
        front
    }
}

/// Lots that wait in a lane, in the order of their time.
#[derive(Debug, Default)]
pub(super) struct Lane {
    lots: Vec<Lot>,
    head: usize,
}

impl Lane {
    fn clear(&mut self) {
        self.lots.clear();
        self.head = 0;
    }

    /// Puts a lot to its place by time; it is nearly always the last one.
    #[inline]
    pub fn push(&mut self, lot: Lot) {
        if self.lots.last().is_some_and(|last| last.ready > lot.ready) {
            self.push_between(lot);
        } else {
            self.lots.push(lot);
        }
    }

    /// The same where it is not the last one.
    fn push_between(&mut self, lot: Lot) {
        let waiting = self.waiting();
        let behind = waiting.iter().rev().take_while(|other| other.ready > lot.ready).count();
        self.lots.insert(self.lots.len() - behind, lot);
    }

    #[inline]
    fn waiting(&self) -> &[Lot] {
        &self.lots[self.head..]
    }

    /// When the first lot is there; `NEVER` when none waits.
    #[inline]
    fn first(&self) -> Ms {
        self.lots.get(self.head).map_or(NEVER, |lot| lot.ready)
    }

    /// Takes the first lot whole.
    #[inline]
    fn take_first(&mut self, run: &mut Run) {
        if let Some(&lot) = self.lots.get(self.head) {
            self.head += 1;
            run.add(lot);
        }
    }

    #[inline]
    fn take(&mut self, run: &mut Run, room: u32, until: Ms) {
        let mut room = room;
        while room > 0
            && let Some(lot) = self.lots.get_mut(self.head)
            && lot.ready <= until
        {
            let part = if lot.tubes <= room {
                self.head += 1;
                *lot
            } else {
                lot.cut(room)
            };
            room -= part.tubes;
            run.add(part);
        }
    }
}

/// No time of a round: nothing is reckoned so far.
const NEVER: Ms = Ms::MAX;

/// What a run has taken.
#[derive(Clone, Copy, Debug, Default)]
struct Run {
    lot: Lot,
    /// Sum over its tubes of the time at which each came, ms.
    came: u64,
}

impl Run {
    fn add(&mut self, part: Lot) {
        self.lot.tubes += part.tubes;
        self.lot.singles += part.singles;
        self.lot.members += part.members;
        self.came += u64::from(part.ready) * u64::from(part.tubes);
    }
}

/// Lanes of a stage.
pub(super) const PRIORITY: usize = 0;
/// Everybody else.
pub(super) const ORDINARY: usize = 1;

/// What went through a stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    /// Tubes that came.
    pub tubes_in: u64,
    /// Tubes that left.
    pub tubes_out: u64,
    /// Tubes that still waited when the reckoning stopped.
    pub tubes_left: u64,
    /// Members of the unclean pools among those.
    pub members_left: u64,
    /// Runs.
    pub runs: u64,
    /// Time that tubes waited, tube·ms.
    pub waited: u64,
    /// Time that tubes were in runs, tube·ms.
    pub worked: u64,
    /// Time that units ran, unit·ms.
    pub busy: u64,
    /// End of the last run.
    pub last: Ms,
    /// Sum of the times at which tubes came, tube·ms.
    came: u64,
    /// Sum of the times at which tubes left, tube·ms.
    left: u64,
}

impl Passed {
    /// Whether nothing was lost, and Little's law holds: the time that tubes spent here is the same counted by tubes
    /// (waiting and working) and counted at the doors (leaving less coming). Tubes that are left wait until the end.
    pub fn adds_up(&self) -> bool {
        self.tubes_in == self.tubes_out + self.tubes_left
            && self.came + self.waited + self.worked == self.left
    }
}

/// A stage at work.
#[derive(Debug, Default)]
pub(super) struct Station {
    lanes: [Lane; 2],
    units: Units,
    calendar: Calendar,
    runs: Option<Stream>,
    hold: [Ms; 2],
    passed: Passed,
}

impl Station {
    /// Made ready for a replication, with all units free and nothing waiting.
    pub fn set_up(
        &mut self,
        stage: &Stage,
        priority_hold: Ms,
        midnight_offset: Ms,
        streams: [Stream; 2],
        stops: &[(Ms, Ms)],
    ) {
        let [runs, failures] = streams;
        self.lanes.iter_mut().for_each(Lane::clear);
        self.calendar.draw(stage, midnight_offset, failures, stops);
        self.units.clear();
        for unit in 0..stage.units {
            self.put_back(stage, unit, 0);
        }
        self.runs = Some(runs);
        self.hold = [priority_hold.min(stage.hold), stage.hold];
        self.passed = Passed::default();
    }

    /// No unit starts before `from`: the past is past.
    pub fn not_before(&mut self, stage: &Stage, from: Ms) {
        self.units.clear();
        for unit in 0..stage.units {
            self.put_back(stage, unit, from);
        }
    }

    /// A unit that is through with what it did is free again, or when its rest or repair is over.
    #[inline]
    fn put_back(&mut self, stage: &Stage, unit: u32, from: Ms) {
        let free = self.calendar.next_up(stage, unit, from);
        self.units.put(free, unit, free > from);
    }

    /// A run that is going on: its tubes leave at `end`, and its unit is free after it.
    pub fn running(
        &mut self,
        stage: &Stage,
        lot: Lot,
        from: Ms,
        lane: usize,
        next: &mut impl FnMut(usize, Lot),
    ) {
        let end = lot.ready;
        if let Some((free, unit)) = self.units.first() {
            self.units.take_first();
            self.put_back(stage, unit, end.max(free));
        }
        let tubes = u64::from(lot.tubes);
        self.passed.tubes_in += tubes;
        self.passed.tubes_out += tubes;
        self.passed.came += tubes * u64::from(from);
        self.passed.left += tubes * u64::from(end);
        self.passed.worked += tubes * u64::from(end - from);
        self.passed.busy += u64::from(end - from);
        self.passed.last = self.passed.last.max(end);
        next(lane, lot);
    }

    /// Lots come in. One without tubes is none: it would be taken again and again.
    #[inline]
    pub fn push(&mut self, lane: usize, lot: Lot) {
        if lot.tubes == 0 {
            return;
        }
        let tubes = u64::from(lot.tubes);
        self.passed.tubes_in += tubes;
        self.passed.came += tubes * u64::from(lot.ready);
        self.lanes[lane].push(lot);
    }

    /// Nothing is reckoned from `at` on: what waits is counted as left, having waited until then. Returns how many of these
    /// tubes are first tests.
    pub fn stop(&mut self, at: Ms) -> u32 {
        let mut first_tests = 0;
        for lot in self.lanes.iter().flat_map(Lane::waiting) {
            let tubes = u64::from(lot.tubes);
            let until = at.max(lot.ready);
            self.passed.tubes_left += tubes;
            self.passed.members_left += u64::from(lot.members);
            self.passed.waited += tubes * u64::from(until - lot.ready);
            self.passed.left += tubes * u64::from(until);
            first_tests += lot.tubes - lot.singles;
        }
        first_tests
    }

    /// What went through so far.
    pub fn passed(&self) -> &Passed {
        &self.passed
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.lanes.iter().all(|lane| lane.waiting().is_empty())
    }

    /// Starts every run that starts before `until`; all lots that come before `until` must be there. Lots go to `next`
    /// with the end of their run.
    pub fn advance(&mut self, stage: &Stage, until: Ms, next: &mut impl FnMut(usize, Lot)) {
        let Some(runs) = self.runs else { return };
        let batch = stage.batch.max(1);
        // Its sums stay in registers while `next` writes to other places.
        let mut passed = self.passed;
        while let Some((free, unit)) = self.units.first() {
            let start = free.max(self.worth_starting(stage, batch));
            if start >= until {
                break;
            }
            // The unit may rest by then, and another may be first.
            let up = self.calendar.next_up(stage, unit, start);
            self.units.take_first();
            if up > start {
                self.units.put(up, unit, true);
                continue;
            }
            let [priority, ordinary] = &mut self.lanes;
            let lane = if priority.first() <= start { PRIORITY } else { ORDINARY };
            let mut run = Run::default();
            let mut time = f64::from(stage.run);
            match stage.takes {
                Takes::Fill => {
                    if lane == PRIORITY {
                        priority.take(&mut run, batch, start);
                    }
                    let room = batch - run.lot.tubes;
                    ordinary.take(&mut run, room, start);
                }
                Takes::Box => {
                    let from = if lane == PRIORITY { priority } else { ordinary };
                    from.take_first(&mut run);
                    time *= f64::from(run.lot.tubes) / f64::from(batch);
                }
            }
            if stage.run_spread > 0.0 {
                let noise = runs.noise(passed.runs);
                time *= (1.0 + stage.run_spread * noise).max(0.2);
            }
            let end = start.saturating_add(time as Ms);
            self.put_back(stage, unit, end);
            let tubes = u64::from(run.lot.tubes);
            passed.runs += 1;
            passed.tubes_out += tubes;
            passed.waited += tubes * u64::from(start) - run.came;
            passed.worked += tubes * u64::from(end - start);
            passed.left += tubes * u64::from(end);
            passed.busy += u64::from(end - start);
            passed.last = passed.last.max(end);
            next(lane, Lot { ready: end, ..run.lot });
        }
        self.passed = passed;
    }

    /// The earliest time at which what waits is worth a run: it is full, or has waited long enough. `NEVER`: nothing waits.
    #[inline]
    fn worth_starting(&self, stage: &Stage, batch: u32) -> Ms {
        if stage.takes == Takes::Fill && stage.hold > 0 {
            return self.worth_filling(batch).unwrap_or(NEVER);
        }
        let [priority, ordinary] = &self.lanes;
        priority.first().min(ordinary.first())
    }

    /// The same where a run waits to be filled.
    fn worth_filling(&self, batch: u32) -> Option<Ms> {
        let [priority, ordinary] = &self.lanes;
        let (p, o) = (priority.waiting(), ordinary.waiting());
        let held = |lots: &[Lot], hold: Ms| lots.first().map(|lot| lot.ready.saturating_add(hold));
        let held = match (held(p, self.hold[PRIORITY]), held(o, self.hold[ORDINARY])) {
            (Some(a), Some(b)) => a.min(b),
            (a, b) => a.or(b)?,
        };
        // When is it full? Go through both lanes in the order of time, no further than that matters.
        let (mut i, mut j, mut tubes) = (0, 0, 0u32);
        loop {
            let lot = match (p.get(i), o.get(j)) {
                (Some(a), Some(b)) if a.ready <= b.ready => {
                    i += 1;
                    a
                }
                (Some(a), None) => {
                    i += 1;
                    a
                }
                (_, Some(b)) => {
                    j += 1;
                    b
                }
                (None, None) => return Some(held),
            };
            if lot.ready >= held {
                return Some(held);
            }
            tubes = tubes.saturating_add(lot.tubes);
            if tubes >= batch {
                return Some(lot.ready);
            }
        }
    }
}
