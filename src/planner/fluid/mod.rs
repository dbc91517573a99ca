//! The fluid layer: the round as flows. Milliseconds for a whole city, no chance in it.
//!
//! Each lab is reckoned on a grid of time: tubes come to its door (`street`), and pass its stages as through pipes and
//! tanks (`lab`), with the calendars of its units, ordinary tubes behind the single tubes of recalls. That says when each
//! stage is done, which one binds and from when, and what one more unit would save. Beside it stands each stage alone, as if
//! the others only took their time: its finish, by its own calendar (`alone`), and the units it needs, by the closed form of
//! network calculus (`units_needed`). What keeps a lab from being done sooner follows from that (`held`).
//!
//! Held against the simulation in `planner::tests::layers`.

mod lab;
mod street;
#[cfg(test)]
mod tests;
mod words;

pub use lab::StageFlow;
pub use words::rest;

use lab::{REST, STEPS_MAX, Tank};
use street::Inflow;

use rayon::prelude::*;

use super::city::StageKind;
use super::model::{DAY, HORIZON_MS, HOUR, Lab, MINUTE, Model, Ms, Stage, Street, Takes};
use super::simulate::RACK;

/// What the fluid says of a lab.
#[derive(Clone, Debug, PartialEq)]
pub struct LabFlow {
    /// When every first test is resulted.
    pub finish: Ms,
    /// When recalls are resulted too.
    pub closed: Ms,
    /// The last tube at the door.
    pub delivered: Ms,
    /// Tubes of first tests.
    pub tubes: u64,
    /// Single tubes of recalls that are expected.
    pub recalled: f64,
    /// By stage.
    pub stages: [StageFlow; StageKind::COUNT],
    /// By stage: when the lab would be done if no other stage had to be waited for. Never after `finish`.
    pub alone: [Ms; StageKind::COUNT],
    /// By stage: units by which the target is met, as far as this stage goes and at its mean pace; `None`: no number of
    /// units meets it.
    pub units_needed: [Option<u32>; StageKind::COUNT],
    /// By stage: what one more unit saves this lab.
    pub one_more_saves: [Ms; StageKind::COUNT],
    /// The stage that binds: the one by which alone it would take longest. Where all would be done when the last tubes have
    /// gone through, the one that most was waited for.
    pub binding: StageKind,
    /// What keeps the lab from being done sooner.
    pub held: Held,
    /// Time of a plate through all stages without waiting for units, ms: the chain of runs.
    pub chain: Ms,
    /// The first result: no number of units brings it sooner.
    pub soonest: Ms,
}

/// What keeps a lab from being done sooner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// The binding stage has more waiting than it can take.
    Backlog,
    /// Its last tubes wait because units of the binding stage rest, or nobody is on shift.
    Rest,
    /// Its last tubes wait for runs of the binding stage that are going on; fewer wait than a run takes.
    Run,
    /// They wait at one stage after the other, and no stage alone would make it later.
    Stages,
    /// Nothing waits: its last tubes come, and go through the chain of runs.
    Way,
}

/// Why no number of units brings a lab within a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoUnits {
    /// Already the first result is later: box, transport, and one run of each stage.
    FirstResult,
    /// The last tube comes too late for the chain of runs.
    LastTube,
    /// All units of the binding stage rest, or nobody is on shift, at the same time.
    Rest,
}

/// What the fluid says of a city.
#[derive(Clone, Debug, PartialEq)]
pub struct CityFlow {
    /// The last swab.
    pub sampled: Ms,
    /// The last tube at a door.
    pub delivered: Ms,
    /// When every first test is resulted.
    pub finish: Ms,
    /// When recalls are resulted too.
    pub closed: Ms,
    /// By lab.
    pub labs: Vec<LabFlow>,
    /// By street: its last swab.
    pub streets: Vec<Ms>,
}

impl CityFlow {
    /// The lab that is done last, and so decides.
    pub fn last_lab(&self) -> Option<usize> {
        (0..self.labs.len()).max_by_key(|&i| self.labs[i].finish)
    }
}

impl LabFlow {
    /// Why no number of units meets a target; `None` where one may. Where only some stages are beyond help, the binding one
    /// is asked.
    pub fn no_units(&self, target: Ms) -> Option<NoUnits> {
        if self.tubes == 0 || self.units_needed[self.binding.index()].is_some() {
            return None;
        }
        Some(match (self.soonest > target, later(self.delivered, self.chain) > target) {
            (true, _) => NoUnits::FirstResult,
            (false, true) => NoUnits::LastTube,
            (false, false) => NoUnits::Rest,
        })
    }

    /// The stage that binds and since when, while anything waits longer than it must.
    pub fn backlog(&self) -> Option<(StageKind, Ms)> {
        self.stages[self.binding.index()].backlog_from.map(|from| (self.binding, from))
    }
}

/// Memory of the fluid layer.
#[derive(Debug, Default)]
struct Scratch {
    inflow: Inflow,
    tank: Tank,
    /// By street of the lab: its last swab.
    swabs: Vec<Ms>,
    /// First tests that are resulted, tubes by step.
    results: Vec<f64>,
}

/// The whole city. The model must have passed `Model::check`.
pub fn city(model: &Model) -> CityFlow {
    reckoned(model, Asked::All)
}

/// Of the whole city, the last swab and when every first test is resulted, as `city` has them and with fewer passes: for
/// comparing many models.
pub fn ends_of(model: &Model) -> (Ms, Ms) {
    let flow = reckoned(model, Asked::End);
    (flow.sampled, flow.finish)
}

/// What of a lab is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// When it is done.
    End,
    /// Its stages alone and what one more unit saves, too.
    All,
}

fn reckoned(model: &Model, asked: Asked) -> CityFlow {
    let mut by_lab = vec![Vec::new(); model.labs.len()];
    for (i, street) in model.streets.iter().enumerate() {
        if let Some(list) = by_lab.get_mut(street.lab) {
            list.push(i);
        }
    }
    let extreme = latest_of(model.streets.len());
    // Labs do not touch each other.
    let each: Vec<(LabFlow, Vec<Ms>)> = by_lab
        .par_iter()
        .enumerate()
        .map_init(Scratch::default, |scratch, (number, list)| {
            let flow = scratch.lab(model, &model.labs[number], list, asked);
            (flow, scratch.swabs.clone())
        })
        .collect();
    let mut streets = vec![0; model.streets.len()];
    let mut labs = Vec::with_capacity(model.labs.len());
    let (mut delivered, mut finish) = (0, 0);
    for (number, (flow, swabs)) in each.into_iter().enumerate() {
        delivered = delivered.max(flow.delivered);
        finish = finish.max(flow.finish);
        labs.push(flow);
        // Of many streets some trip is very late: the city waits for the latest, a lab for the latest of its own.
        for (&i, swab) in by_lab[number].iter().zip(swabs) {
            streets[i] = swab;
            let last = street::last_at_door(&model.streets[i], f64::from(swab), extreme);
            delivered = delivered.max(last);
            finish = finish.max(later(last, pipeline(&model.labs[number])));
        }
    }
    let closed = labs.iter().map(|lab| lab.closed).max().unwrap_or(0).max(finish);
    let sampled = streets.iter().copied().max().unwrap_or(0);
    CityFlow { sampled, delivered, finish, closed, labs, streets }
}

/// One lab of a model, as it would be with `lab` in its place: for comparing.
pub fn one_lab(model: &Model, number: usize, lab: &Lab) -> LabFlow {
    Scratch::default().lab(model, lab, &streets_of(model, number), Asked::All)
}

/// When that lab is done, as `one_lab` has it and with fewer passes.
pub fn end_of_lab(model: &Model, number: usize, lab: &Lab) -> Ms {
    Scratch::default().lab(model, lab, &streets_of(model, number), Asked::End).finish
}

fn streets_of(model: &Model, lab: usize) -> Vec<usize> {
    (0..model.streets.len()).filter(|&i| model.streets[i].lab == lab).collect()
}

/// What a lab would have done by now with what really came to its door.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replay {
    /// At each of the times that were asked for: tubes on plates and tubes resulted, cumulative.
    pub done: Vec<[f64; 2]>,
    /// By stage, at the last of these times: tubes that wait.
    pub waiting: [f64; StageKind::COUNT],
    /// By stage, at the last of these times: tubes in runs, by the time at which they will leave.
    pub running: [Vec<(Ms, f64)>; StageKind::COUNT],
}

/// Replays a lab. `door` is the curve of what came, (time, tubes so far), rising, straight between its points; `times`
/// rise, and the last one is now.
///
/// What is held against counts must come when it is counted: not as it flows, but rack by rack and plate by plate
/// (`gathered`).
pub fn replay(model: &Model, lab: &Lab, door: &[(Ms, f64)], times: &[Ms]) -> Replay {
    let Some(&now) = times.last() else { return Replay::default() };
    let step = f64::from(STEP).max(f64::from(now) / STEPS_MAX as f64);
    let stop = (f64::from(now) / step) as usize;
    let longest = lab.stages.iter().map(|stage| stage.run).max().unwrap_or(0);
    let steps = stop + (f64::from(longest) / step) as usize + 4;
    let mut tank = Tank::default();
    tank.prepare(lab, model.midnight_offset, step);
    tank.stop = stop;
    let come = |i: usize| gathered(lab, door, i.min(stop) as f64 * step);
    tank.flows[0].until = [steps, 0];
    tank.flows[0].ordinary = (0..steps).map(|i| come(i + 1) - come(i)).collect();
    tank.run(lab, 0, &mut [StageFlow::default(); StageKind::COUNT]);
    let mut sums = [0.0; 2];
    let mut at = 0;
    let mut replay = Replay { waiting: tank.waiting, ..Replay::default() };
    if let Some(k) = filling(lab) {
        replay.waiting[k] += curve(door, stop as f64 * step) - come(stop);
    }
    for &time in times {
        let upto = ((f64::from(time) / step) as usize).min(stop);
        for i in at..upto {
            sums[0] += tank.flows[StageKind::Extract.index()].ordinary[i];
            sums[1] += tank.flows[StageKind::COUNT].ordinary[i];
        }
        at = at.max(upto);
        replay.done.push(sums);
    }
    for (running, out) in replay.running.iter_mut().zip(&tank.flows[1..]) {
        let later = out.ordinary.iter().enumerate().skip(stop).filter(|(_, tubes)| **tubes > 1e-6);
        running.extend(later.map(|(i, tubes)| ((i as f64 * step + 1.0) as Ms, *tubes)));
    }
    replay
}

/// The stage at which plates are filled.
fn filling(lab: &Lab) -> Option<usize> {
    lab.stages.iter().position(|stage| stage.takes == Takes::Fill && stage.hold > 0)
}

/// Tubes of a door that have gone on to the stages by a time. Half a rack is in hand at the reception, and half a plate is
/// being filled, on average: a tube goes on when so many more have come, or when it has waited as long as a plate may.
fn gathered(lab: &Lab, door: &[(Ms, f64)], t: f64) -> f64 {
    let Some(stage) = filling(lab).map(|k| &lab.stages[k]) else { return curve(door, t) };
    let in_hand = |stage: &Stage| match stage.takes {
        Takes::Box => f64::from(RACK) / f64::from(stage.batch.max(1)) * f64::from(stage.run) / 2.0,
        Takes::Fill => 0.0,
    };
    let t = t - lab.stages.iter().map(in_hand).sum::<f64>();
    let full = curve(door, t) - f64::from(stage.batch) / 2.0;
    full.max(curve(door, t - f64::from(stage.hold))).max(0.0)
}

/// The value of a rising curve at a time; straight between points, flat outside.
pub fn curve(points: &[(Ms, f64)], t: f64) -> f64 {
    let i = points.partition_point(|p| f64::from(p.0) <= t);
    match (i.checked_sub(1).and_then(|i| points.get(i)), points.get(i)) {
        (Some(a), Some(b)) => {
            let span = f64::from(b.0) - f64::from(a.0);
            a.1 + (b.1 - a.1) * (t - f64::from(a.0)) / span.max(1.0)
        }
        (Some(a), None) => a.1,
        (None, Some(b)) => b.1.min(0.0),
        (None, None) => 0.0,
    }
}

/// Expected lateness of the latest of `n` trips, in standard deviations: the normal quantile at (n − 0.375)/(n + 0.25)
/// (Blom 1958).
fn latest_of(n: usize) -> f64 {
    let n = n.max(1) as f64;
    normal_quantile((n - 0.375) / (n + 0.25)).max(0.0)
}

/// Normal quantile, Abramowitz and Stegun 26.2.23; absolute error below 4.5e-4.
fn normal_quantile(p: f64) -> f64 {
    let tail = if p > 0.5 { 1.0 - p } else { p }.max(1e-12);
    let t = (-2.0 * tail.ln()).sqrt();
    let x = t
        - (2.515_517 + t * (0.802_853 + t * 0.010_328))
            / (1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308)));
    if p > 0.5 { x } else { -x }
}

/// A number of units that is as good as any.
const MANY_UNITS: u32 = 10_000;

/// Share of single tubes from which on recalls are reckoned until they agree with the results that they delay.
const MANY: f64 = 0.02;
/// Most times that they are reckoned.
const PASSES_MAX: usize = 24;

/// Time of a plate through all stages without waiting for units; the last one waits for more tubes in vain.
pub(super) fn pipeline(lab: &Lab) -> Ms {
    lab.stages.iter().map(latency).fold(0, later)
}

/// A time and a length together, not beyond the horizon.
fn later(at: Ms, by: Ms) -> Ms {
    at.saturating_add(by).min(HORIZON_MS)
}

/// Time of a tube through a stage where nothing has to be waited for, as the flows have it.
fn passing(stage: &Stage) -> Ms {
    match stage.takes {
        Takes::Box => 0,
        Takes::Fill => stage.run,
    }
}

/// The same of the last tubes, which wait for a plate that is never filled.
fn latency(stage: &Stage) -> Ms {
    match stage.takes {
        // The last box: ten tubes or so of a plate.
        Takes::Box => stage.run / 9,
        Takes::Fill => later(stage.run, stage.hold),
    }
}

impl Scratch {
    fn lab(&mut self, model: &Model, lab: &Lab, list: &[usize], asked: Asked) -> LabFlow {
        let tubes: u64 = list.iter().map(|&i| model.streets[i].tubes()).sum();
        let share = recall_share(model, list, tubes);
        let (step, steps) = grid(model, lab, list, tubes, share);
        self.inflow.clear(step, steps);
        self.swabs.clear();
        for &i in list {
            let swab = street::add(&model.streets[i], &mut self.inflow);
            self.swabs.push(swab.min(f64::from(HORIZON_MS)) as Ms);
        }
        self.tank.prepare(lab, model.midnight_offset, step);
        let door = &mut self.tank.flows[0];
        door.ordinary.clear();
        door.ordinary.resize(steps, 0.0);
        door.priority.clear();
        let arrivals = self.inflow.write(&mut door.ordinary);
        let late = latest_of(list.len());
        door.until = [arrivals, 0];
        let last = |(i, swab): (&usize, &Ms)| {
            street::last_at_door(&model.streets[*i], f64::from(*swab), late)
        };
        let delivered = list.iter().zip(&self.swabs).map(last).max().unwrap_or(0);
        let after_last = later(delivered, pipeline(lab));

        let mut flows = [StageFlow::default(); StageKind::COUNT];
        self.tank.run(lab, 0, &mut flows);
        // What the comparisons below overwrite.
        self.results.clone_from(&self.tank.flows[StageKind::COUNT].ordinary);
        let saves = match asked {
            Asked::End => [0; StageKind::COUNT],
            Asked::All => self.one_more(lab, after_last, &flows),
        };
        let recalled = share * tubes as f64;
        let (mut finish, mut closed) = (end(&flows), end(&flows));
        let calm = flows;
        if recalled >= 1.0 {
            // Once more, with the single tubes of the recalls that these results bring.
            let delay = recall_delay(model) / step;
            self.recalls(lab, share, delay, &mut flows);
            if share > MANY {
                // Results came later than was thought, and so do the recalls: again, until the end stays where it is.
                let mut calm = 0;
                for _ in 0..PASSES_MAX {
                    let before = end(&flows);
                    self.recalls(lab, share, delay, &mut flows);
                    let moved = f64::from(end(&flows).abs_diff(before));
                    calm = if moved < step { calm + 1 } else { 0 };
                    if calm == 2 {
                        break;
                    }
                }
            }
            finish = end(&flows);
            closed = flows[StageKind::COUNT - 1].last_of_all;
        }
        for (flow, calm) in flows.iter_mut().zip(calm) {
            // Single tubes trickle in long after: since when a stage binds is said without them.
            flow.backlog_from = calm.backlog_from;
        }
        let mut answer = LabFlow {
            finish: if tubes == 0 { 0 } else { finish.max(after_last) },
            closed: if tubes == 0 { 0 } else { closed.max(finish).max(after_last) },
            delivered,
            tubes,
            recalled,
            stages: flows,
            alone: [0; StageKind::COUNT],
            units_needed: [Some(0); StageKind::COUNT],
            one_more_saves: saves,
            binding: StageKind::Pcr,
            held: Held::Way,
            chain: pipeline(lab),
            soonest: 0,
        };
        if tubes > 0 && asked == Asked::All {
            self.alone(model, lab, step, arrivals, share, &mut answer);
        }
        answer
    }

    /// The whole lab again, with what the results that are thought of bring back to the door. Afterwards results are thought
    /// of that lie between those and what came out: a lab that single tubes keep busy gives `1 + share` times fewer
    /// results, so results that are too early by some tubes come out too late by `share` times as many.
    fn recalls(
        &mut self,
        lab: &Lab,
        share: f64,
        delay: f64,
        flows: &mut [StageFlow; StageKind::COUNT],
    ) {
        let door = &mut self.tank.flows[0];
        let steps = door.ordinary.len();
        let lane = &mut door.priority;
        lane.clear();
        lane.resize(steps, 0.0);
        let (whole, part) = (delay as usize, delay.fract());
        for (i, tubes) in self.results.iter().enumerate().filter(|(_, tubes)| **tubes > 0.0) {
            let at = (i + whole).min(steps - 2);
            lane[at] += tubes * share * (1.0 - part);
            lane[at + 1] += tubes * share * part;
            door.until[1] = at + 2;
        }
        self.tank.run(lab, 0, flows);
        let came = &self.tank.flows[StageKind::COUNT].ordinary;
        for (thought, came) in self.results.iter_mut().zip(came) {
            *thought += (came - *thought) / (1.0 + share);
        }
    }

    /// Each stage alone, by its calendar, and the units that the target asks for; what follows from both.
    ///
    /// Alone it never ends after the lab but for the grid, on which each stage of the lab rounds anew, and for single tubes
    /// of recalls: alone, some of them come before first tests that they come after in the lab. Both are less than a
    /// quarter of an hour, and are taken off.
    fn alone(
        &mut self,
        model: &Model,
        lab: &Lab,
        step: f64,
        arrivals: usize,
        share: f64,
        answer: &mut LabFlow,
    ) {
        let runs = lab.stages.iter().map(passing).fold(0, later);
        // When the lab is done if nothing waits.
        let after_last =
            later(answer.delivered, answer.chain).max(later(self.tank.last_come(), runs));
        let peak = self.tank.peak();
        let mut alone = [after_last; StageKind::COUNT];
        for (k, stage) in lab.stages.iter().enumerate() {
            if !self.tank.keeps_up(k, stage, peak) {
                alone[k] = self.done_alone(lab, k, stage).max(after_last);
            }
            answer.units_needed[k] = self.needed(model, lab, k, [step, share], arrivals, answer);
        }
        let grid = 2.0 * step;
        let holds_up = |at: Ms| f64::from(at) > f64::from(after_last) + grid;
        let latest = StageKind::ALL.into_iter().max_by_key(|kind| alone[kind.index()]);
        let latest = latest.filter(|kind| holds_up(alone[kind.index()]));
        answer.binding = latest.unwrap_or_else(|| most_waited_for(lab, &answer.stages));
        answer.alone = alone.map(|at| at.min(answer.finish));
        let first = self.tank.flows[0].ordinary.iter().position(|tubes| *tubes > 0.0);
        answer.soonest = later((first.unwrap_or(0) as f64 * step) as Ms, runs);
        let k = answer.binding.index();
        answer.held = if holds_up(alone[k]) {
            let restless = match lab.stages[k].rests.is_empty() {
                true => alone[k],
                false => {
                    let awake = Stage { rests: Vec::new(), ..lab.stages[k].clone() };
                    self.done_alone(lab, k, &awake).max(after_last)
                }
            };
            let restless = f64::from(restless);
            let backlog = answer.stages[k].backlog_from.is_some();
            // Rests that are spread over the day are a slower pace; those that leave nobody at work are the reason where
            // without them the stage would not hold the lab up.
            match restless <= f64::from(after_last) + grid {
                true if self.tank.stands_still(k) => Held::Rest,
                _ if backlog => Held::Backlog,
                _ if restless + grid < f64::from(alone[k]) => Held::Rest,
                _ => Held::Run,
            }
        } else if f64::from(answer.finish) > f64::from(after_last) + grid {
            Held::Stages
        } else {
            Held::Way
        };
        for (k, needed) in answer.units_needed.iter_mut().enumerate() {
            let (units, in_time) = (lab.stages[k].units, alone[k] <= model.target);
            *needed = needed.and_then(|needed| match in_time {
                // By its mean pace a stage may seem to need more than it does by its calendar.
                true => Some(needed.min(units)),
                false if self.never_in_time(lab, k, model.target) => None,
                false => Some(needed.max(units.saturating_add(1))),
            });
        }
    }

    /// When the lab would be done if only this stage, with `stage` in its place, had to be waited for.
    fn done_alone(&mut self, lab: &Lab, k: usize, stage: &Stage) -> Ms {
        let before = lab.stages[..k].iter().map(passing).fold(0, later);
        let after = lab.stages[k + 1..].iter().map(passing).fold(0, later);
        later(self.tank.run_alone(lab, k, stage, before).last, after)
    }

    /// Whether all units of a stage rest at the same time and so leave too little time for any number of them.
    fn never_in_time(&mut self, lab: &Lab, k: usize, target: Ms) -> bool {
        let stage = &lab.stages[k];
        let together = stage.units > 1 && stage.rests.windows(2).all(|pair| pair[0] == pair[1]);
        if stage.rests.is_empty() || !together {
            return false;
        }
        // As if each unit took the tubes of all and of many more.
        let batch = stage.batch.saturating_mul(MANY_UNITS);
        self.done_alone(lab, k, &Stage { batch, ..stage.clone() }) > target
    }

    /// The units by which the target is met at the mean pace of a stage, by the closed form `max over t of
    /// (A(∞) − A(t)) / (μ₁·(T − t))`: `T` is the target less the latencies behind.
    fn needed(
        &self,
        model: &Model,
        lab: &Lab,
        k: usize,
        [step, share]: [f64; 2],
        arrivals: usize,
        answer: &LabFlow,
    ) -> Option<u32> {
        if later(answer.delivered, answer.chain) > model.target {
            return None;
        }
        let stage = &lab.stages[k];
        let own = stage.working_share() * stage.sound_share();
        let each = f64::from(stage.batch) / f64::from(stage.run.max(1)) * own;
        // Tubes reach the stage one latency after another: the door's curve, later.
        let before = lab.stages[..k].iter().map(latency).fold(0, later);
        let limit = f64::from(model.target) - (f64::from(answer.chain) - f64::from(before));
        let mut left = answer.tubes as f64 * (1.0 + share);
        let mut needed = 0.0f64;
        for (i, tubes) in self.tank.flows[0].ordinary.iter().enumerate().take(arrivals + 1) {
            let t = i as f64 * step + f64::from(before);
            if left > REST {
                if limit <= t {
                    return None;
                }
                needed = needed.max(left / (each.max(1e-12) * (limit - t)));
            }
            left -= tubes * (1.0 + share);
        }
        Some((needed - 1e-9).ceil().clamp(0.0, 1e9) as u32)
    }

    /// What one more unit saves, stage by stage, recalls aside; nothing where nothing ever waits. A stage that has caught up
    /// in the end counts too: what it gave late, the stages behind it did late. Uses the flows of the run before: only the
    /// stages from the one that grows on are reckoned again.
    fn one_more(
        &mut self,
        lab: &Lab,
        after_last: Ms,
        flows: &[StageFlow; StageKind::COUNT],
    ) -> [Ms; StageKind::COUNT] {
        let mut saves = [0; StageKind::COUNT];
        let base = end(flows);
        if base <= after_last {
            return saves;
        }
        // From the last stage to the first: what a run overwrites is not needed any more by those before it.
        for k in (0..StageKind::COUNT).rev() {
            if flows[k].waiting_max < 1.0 {
                continue;
            }
            let mut more = lab.stages[k].clone();
            more.add_unit();
            let mut with = *flows;
            self.tank.run_with(lab, k, &more, &mut with);
            saves[k] = base.saturating_sub(end(&with).max(after_last));
        }
        saves
    }
}

/// The stage before which tubes waited longest in sum; where nothing ever waits, the slowest.
fn most_waited_for(lab: &Lab, flows: &[StageFlow; StageKind::COUNT]) -> StageKind {
    let pace = |kind: &StageKind| {
        let stage = &lab.stages[kind.index()];
        stage.tubes_per_hour() * stage.working_share() * stage.sound_share()
    };
    let waited = |kind: &StageKind| flows[kind.index()].waited;
    let order = |a: &StageKind, b: &StageKind| {
        waited(a).total_cmp(&waited(b)).then(pace(b).total_cmp(&pace(a)))
    };
    StageKind::ALL.into_iter().max_by(order).unwrap_or(StageKind::Pcr)
}

fn end(flows: &[StageFlow; StageKind::COUNT]) -> Ms {
    flows[StageKind::COUNT - 1].last
}

/// Single tubes of recalls by tube of the lab's streets.
fn recall_share(model: &Model, list: &[usize], tubes: u64) -> f64 {
    let singles = |s: &Street| model.recall.singles(s.pool) * s.tubes() as f64;
    list.iter().map(|&i| singles(&model.streets[i])).sum::<f64>() / (tubes.max(1) as f64)
}

/// Mean time from the result of a pool to its members' single tubes at the door.
fn recall_delay(model: &Model) -> f64 {
    let r = &model.recall;
    f64::from(r.delay) * (r.delay_spread.powi(2) / 2.0).exp() + f64::from(r.travel) * 1.06
}

/// Shortest step of time.
const STEP: Ms = 4 * MINUTE;

/// Step and number of steps: `STEP`, or longer when the round takes longer than `STEPS_MAX` of them.
fn grid(model: &Model, lab: &Lab, list: &[usize], tubes: u64, share: f64) -> (f64, usize) {
    let mut until = 0u64;
    for &i in list {
        let s = &model.streets[i];
        let desk = s.desk_time(s.tubes() as f64 / f64::from(s.desks.max(1)), 0.6);
        let swabs = s.wall(desk as u64).max(u64::from(s.open) + u64::from(s.hours));
        let carried =
            s.tubes() / (u64::from(s.vehicles.max(1)) * u64::from(s.vehicle_tubes.max(1)));
        let carried = carried * (2 * u64::from(s.travel_max) + u64::from(s.handling));
        until = until.max(
            swabs
                + carried
                + u64::from(s.box_time)
                + u64::from(s.trip_hold) * 2
                + u64::from(s.travel_max) * 3,
        );
    }
    let slowest = lab
        .stages
        .iter()
        .map(|s| {
            tubes as f64 * (1.0 + share)
                / (s.tubes_per_hour() * s.working_share() * s.sound_share()).max(1e-9)
        })
        .fold(0.0, f64::max);
    // The slowest stage may have to begin after the last tube, and rest for a day.
    until += (slowest * f64::from(HOUR)) as u64 + u64::from(DAY / 2) + 2 * u64::from(pipeline(lab));
    until += (recall_delay(model) * 2.0) as u64;
    let mut step = f64::from(STEP);
    while until as f64 / step > STEPS_MAX as f64 {
        step *= 2.0;
    }
    ((step), (until as f64 / step).ceil() as usize + 2)
}
