//! A lab as pipes and tanks: what flows into a stage waits, is taken at the rate of the units that are there, and leaves
//! one run later.
//!
//! A tube takes the room of one tube, also on a plate that is half full: such plates are closed only while the stages
//! behind have room to spare (`planner::simulate::stage`), and where they have not, plates are full.

use crate::planner::city::StageKind;
use crate::planner::model::{DAY, HORIZON_MS, Lab, Ms, Stage, Takes};

/// Most steps of time that are reckoned; a longer round is reckoned in longer steps.
pub(super) const STEPS_MAX: usize = 4096;

/// What a stage did in the fluid.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StageFlow {
    /// Time that tubes waited before the stage, tube·ms.
    pub waited: f64,
    /// Most tubes that waited at a time.
    pub waiting_max: f64,
    /// Since when, up to its last tube, the stage had more waiting than it could take: the time from which it binds.
    pub backlog_from: Option<Ms>,
    /// When the last tube of the first tests leaves it.
    pub last: Ms,
    /// When the last tube of all leaves it.
    pub last_of_all: Ms,
}

/// A flow over steps of time, by lane: tubes by step.
#[derive(Clone, Debug, Default)]
pub(super) struct Flow {
    /// First tests.
    pub ordinary: Vec<f64>,
    /// Single tubes of recalls; empty when there are none.
    pub priority: Vec<f64>,
    /// Nothing flows from this step on, by lane.
    pub until: [usize; 2],
}

impl Flow {
    fn empty(&mut self, steps: usize, priority: bool) {
        self.ordinary.clear();
        self.ordinary.resize(steps, 0.0);
        self.priority.clear();
        if priority {
            self.priority.resize(steps, 0.0);
        }
    }
}

/// Memory of one reckoning: the flow into each stage, and out of the last.
#[derive(Debug, Default)]
pub(super) struct Tank {
    pub flows: [Flow; StageKind::COUNT + 1],
    /// Units at work by step of the day, by stage; empty: all of them, always.
    up: [Vec<f64>; StageKind::COUNT],
    change: Vec<f64>,
    taken: Vec<f64>,
    step: f64,
    /// Step of the day at which the round starts.
    first: usize,
    /// Nothing is taken from this step on; what is in runs then leaves later.
    pub stop: usize,
    /// By stage: what waited at the end.
    pub waiting: [f64; StageKind::COUNT],
    /// By stage: how much it had to do at most, in all passes since it was made ready.
    load: [Load; StageKind::COUNT],
}

/// Most that a stage had to do.
#[derive(Clone, Copy, Debug, Default)]
struct Load {
    /// Whether anything ever waited.
    waited: bool,
    /// Most units that were at work at a time.
    units: f64,
}

/// Rest of a flow below which it is said to have ended, tubes.
pub(super) const REST: f64 = 0.5;

/// When all but a rest of a lane has flown, which has nothing from step `until` on.
fn ends(lane: &[f64], until: usize, step: f64) -> Ms {
    let mut rest = REST;
    let mut at = until.min(lane.len());
    while at > 0 && rest > lane[at - 1] {
        rest -= lane[at - 1];
        at -= 1;
    }
    (at as f64 * step).min(f64::from(HORIZON_MS)) as Ms
}

/// By how many steps, and what part of one, a flow leaves later than it was taken.
#[derive(Clone, Copy)]
struct Later {
    whole: usize,
    part: f64,
}

impl Later {
    fn by(steps: f64) -> Later {
        Later { whole: steps as usize, part: steps.fract() }
    }

    /// Lets tubes of step `i` leave. What comes beyond what is reckoned is kept at the end, so that nothing is lost.
    fn put(self, lane: &mut [f64], i: usize, tubes: f64) {
        let at = i + self.whole;
        if at + 1 < lane.len() {
            lane[at] += tubes * (1.0 - self.part);
            lane[at + 1] += tubes * self.part;
        } else if let Some(last) = lane.last_mut() {
            *last += tubes;
        }
    }

    /// What of the tubes that were taken by step is through at step `i`: of one run ago, between two steps in its share.
    fn through(self, taken: &[f64], i: usize) -> f64 {
        let of = |ago: usize| i.checked_sub(ago).map_or(0.0, |at| taken[at]);
        match self.whole {
            0 => 0.0,
            whole => of(whole) * (1.0 - self.part) + of(whole + 1) * self.part,
        }
    }
}

impl Tank {
    /// Makes ready for a lab; steps are `step` ms.
    pub fn prepare(&mut self, lab: &Lab, midnight_offset: Ms, step: f64) {
        self.step = step;
        self.stop = usize::MAX;
        self.load = Default::default();
        self.first = (f64::from(midnight_offset) / step) as usize;
        for (k, stage) in lab.stages.iter().enumerate() {
            self.units_up(k, stage);
        }
    }

    /// Lets `flows[from]` through the stages from `from` on; afterwards the last of `flows` is what leaves the lab.
    pub fn run(&mut self, lab: &Lab, from: usize, done: &mut [StageFlow; StageKind::COUNT]) {
        for (k, (done, stage)) in done.iter_mut().zip(&lab.stages).enumerate().skip(from) {
            *done = self.stage(k, stage);
        }
    }

    /// What stage `k`, with `stage` in its place, does with the flow at the door when all stages before it together only
    /// take `before` ms: the stage alone. Flows behind the door are lost.
    pub fn run_alone(&mut self, lab: &Lab, k: usize, stage: &Stage, before: Ms) -> StageFlow {
        if k > 0 {
            self.delay(k, f64::from(before) / self.step);
        }
        let other = !std::ptr::eq(stage, &lab.stages[k]);
        if other {
            self.units_up(k, stage);
        }
        let flow = self.stage(k, stage);
        if other {
            self.units_up(k, &lab.stages[k]);
        }
        flow
    }

    /// Whether there is a time of the day at which no unit of a stage is at work.
    pub fn stands_still(&self, k: usize) -> bool {
        self.up[k].iter().any(|&units| units <= 0.0)
    }

    /// Whether with `stage` in the place of stage `k` the lab would have gone on as it did, because nothing ever waited there and
    /// nothing would: each step has then taken, and would take, all that came. The stage's calendar is then that of `stage`.
    pub fn as_well_with(&mut self, k: usize, stage: &Stage) -> bool {
        self.units_up(k, stage);
        let least = self.up[k].iter().copied().fold(f64::from(stage.units), f64::min);
        let Load { waited, units } = self.load[k];
        !waited && least >= units * (1.0 + 1e-9)
    }

    /// Most tubes that come to the door in a step.
    pub fn peak(&self) -> f64 {
        let door = &self.flows[0];
        let single = |i: usize| door.priority.get(i).copied().unwrap_or(0.0);
        door.ordinary.iter().enumerate().map(|(i, n)| n + single(i)).fold(0.0, f64::max)
    }

    /// When the last first test is at the door.
    pub fn last_come(&self) -> Ms {
        ends(&self.flows[0].ordinary, self.flows[0].until[0], self.step)
    }

    /// Whether a stage of the lab always takes so many tubes in a step: then nothing ever waits there, alone.
    pub fn keeps_up(&self, k: usize, stage: &Stage, peak: f64) -> bool {
        let least = self.up[k].iter().copied().fold(f64::from(stage.units), f64::min);
        least * self.pace(stage) >= peak
    }

    /// Tubes that one unit takes in a step.
    fn pace(&self, stage: &Stage) -> f64 {
        f64::from(stage.batch.max(1)) * self.step / f64::from(stage.run.max(1))
            * stage.sound_share()
    }

    /// Makes the flow into stage `k` that of the door, so many steps later.
    fn delay(&mut self, k: usize, by: f64) {
        let (door, come) = self.flows.split_at_mut(k);
        let (door, come) = (&door[0], &mut come[0]);
        let steps = door.ordinary.len();
        come.empty(steps, !door.priority.is_empty());
        let later = Later::by(by);
        let lanes = [(&door.ordinary, &mut come.ordinary), (&door.priority, &mut come.priority)];
        for (lane, (from, to)) in lanes.into_iter().enumerate() {
            let until = door.until[lane].min(from.len());
            for (i, tubes) in from.iter().enumerate().take(until).filter(|(_, n)| **n > 0.0) {
                later.put(to, i, *tubes);
            }
            come.until[lane] = if until == 0 { 0 } else { (until + later.whole + 1).min(steps) };
        }
    }

    fn stage(&mut self, k: usize, stage: &Stage) -> StageFlow {
        let (step, pace) = (self.step, self.pace(stage));
        let (come, leave) = self.flows.split_at_mut(k + 1);
        let (come, leave) = (&come[k], &mut leave[0]);
        let steps = come.ordinary.len();
        let lanes = !come.priority.is_empty();
        leave.empty(steps, lanes);
        let (units, sound) = (f64::from(stage.units), stage.sound_share());
        let batch = f64::from(stage.batch.max(1));
        // A box is through when its own tubes are; the other ways take the whole run.
        let delay = match stage.takes {
            Takes::Box => 0.0,
            Takes::Fill => f64::from(stage.run) / step,
        };
        let later = Later::by(delay);
        let up = &self.up[k];
        let begins = |lane: &[f64]| lane.iter().position(|tubes| *tubes > 0.0).unwrap_or(steps);
        let begin = begins(&come.ordinary).min(begins(&come.priority));
        let end = come.until[0].max(come.until[1]).min(steps);
        let mut last_taken = [None; 2];
        let mut of_day = if up.is_empty() { 0 } else { (self.first + begin) % up.len() };
        let mut flow = StageFlow::default();
        let (mut singles, mut tubes) = (0.0f64, 0.0f64);
        // Tubes that were taken by step, and those that are in runs.
        let taken = &mut self.taken;
        taken.clear();
        taken.resize(steps, 0.0);
        let mut busy = 0.0f64;
        let mut at_work = 0.0f64;
        let instant = delay < 1.0;
        let mut backlog: Option<usize> = None;
        for i in begin..steps.min(self.stop) {
            let here = if up.is_empty() {
                units
            } else {
                let here = up[of_day];
                of_day = if of_day + 1 == up.len() { 0 } else { of_day + 1 };
                here
            };
            // Units that are busy cannot start another run.
            busy -= later.through(taken, i);
            let mut ready =
                if instant { here * pace } else { (here * batch * sound - busy).max(0.0) };
            let before = ready;
            if lanes {
                singles += come.priority[i];
                let take = singles.min(ready);
                if take > 0.0 {
                    ready -= take;
                    singles -= take;
                    later.put(&mut leave.priority, i, take);
                    last_taken[1] = Some(i);
                }
            }
            tubes += come.ordinary[i];
            let take = tubes.min(ready);
            if take > 0.0 {
                ready -= take;
                tubes -= take;
                later.put(&mut leave.ordinary, i, take);
                last_taken[0] = Some(i);
            }
            taken[i] = before - ready;
            busy += taken[i];
            at_work = at_work.max(if instant { taken[i] } else { busy });
            let left = singles + tubes;
            flow.waited += left;
            flow.waiting_max = flow.waiting_max.max(left);
            if left > batch {
                backlog.get_or_insert(i);
            } else if left < 1.0 && i < end {
                // It has caught up while tubes still come: what binds, if anything, comes later.
                backlog = None;
            }
            if i >= end && left <= 0.0 {
                break;
            }
        }
        self.waiting[k] = singles + tubes;
        let each = if instant { pace } else { batch * sound };
        let load = &mut self.load[k];
        load.waited |= flow.waiting_max > 0.0;
        load.units = load.units.max(at_work / each.max(1e-12));
        flow.waited *= step;
        flow.backlog_from = backlog.map(|i| (i as f64 * step) as Ms);
        let behind = |last: Option<usize>| last.map_or(0, |i| (i + later.whole + 2).min(steps));
        leave.until = last_taken.map(behind);
        flow.last = ends(&leave.ordinary, leave.until[0], step);
        flow.last_of_all = flow.last.max(ends(&leave.priority, leave.until[1], step));
        flow
    }

    /// Works out the units at work by step of the day.
    fn units_up(&mut self, k: usize, stage: &Stage) {
        let up = &mut self.up[k];
        up.clear();
        let units = || stage.rests.iter().take(stage.units as usize);
        if units().flatten().all(|w| w.1 == 0) {
            return;
        }
        let steps = (f64::from(DAY) / self.step).round().max(1.0) as usize;
        let change = &mut self.change;
        change.clear();
        change.resize(steps + 1, 0.0);
        let mut now = f64::from(stage.units);
        for (from, length) in units().flat_map(|windows| stage.idle_windows(windows)) {
            let from = f64::from(from % DAY) / self.step;
            let to = from + f64::from(length.min(DAY)) / self.step;
            // Edges within a step count for their share of it.
            for (at, by) in [(from, -1.0), (to, 1.0)] {
                let over = at >= steps as f64;
                if over && by > 0.0 {
                    // A rest that passes midnight: the day begins with it.
                    now -= 1.0;
                }
                let at = if over { at - steps as f64 } else { at };
                let (i, part) = ((at as usize).min(steps - 1), at.fract());
                change[i] += by * (1.0 - part);
                change[i + 1] += by * part;
            }
        }
        for by in change.iter().take(steps) {
            now += by;
            up.push(now.clamp(0.0, f64::from(stage.units)));
        }
    }
}
