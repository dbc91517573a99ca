//! Each stage of a lab alone, as if the others only took their time: what binds, what holds the lab up, and the units that
//! the target asks for.

use super::Scratch;
use super::answer::{Held, LabFlow};
use super::lab::{REST, StageFlow};
use super::way::{latency, later, passing};
use crate::planner::city::StageKind;
use crate::planner::model::{HOUR, Lab, Model, Ms, Rests, Stage};

/// A number of units that is as good as any.
const MANY_UNITS: u32 = 10_000;

impl Scratch {
    /// Each stage alone, by its calendar, and the units that the target asks for; what follows from both.
    ///
    /// Alone it never ends after the lab but for the grid, on which each stage of the lab rounds anew, and for single tubes of
    /// recalls: alone, some of them come before first tests that they come after in the lab. Rounding brings some tubes a step
    /// sooner, which is minutes mostly; where that is just before a rest it is more than an hour (7 of 20,000 made-up
    /// cities), as with recalls. Both are taken off: the earlier of both ends counts.
    pub(super) fn alone(
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
                alone[k] = self.done_alone(lab, k, stage, 0).max(after_last);
            }
            answer.units_needed[k] = self.needed(model, lab, k, [step, share], arrivals, answer);
        }
        let grid = 2.0 * step;
        let holds_up = |at: Ms| f64::from(at) > f64::from(after_last) + grid;
        let latest = StageKind::ALL.into_iter().max_by_key(|kind| alone[kind.index()]);
        // What is told, and all that follows from it, is never later than the lab.
        let alone = alone.map(|at| at.min(answer.finish));
        let latest = latest.filter(|kind| holds_up(alone[kind.index()]));
        let last_alone = alone.into_iter().max().unwrap_or(0);
        let [together, by_one] = [[answer.finish, last_alone], [last_alone, after_last]]
            .map(|[late, soon]| late.saturating_sub(soon));
        // More than any stage alone accounts for: what each adds makes the tubes miss a shift or the hours of instruments further on.
        let together = together > by_one.max(HOUR);
        let latest = latest.filter(|_| !together);
        answer.binding = latest.unwrap_or_else(|| most_waited_for(lab, &answer.stages));
        answer.alone = alone;
        let first = self.tank.flows[0].ordinary.iter().position(|tubes| *tubes > 0.0);
        answer.soonest = later((first.unwrap_or(0) as f64 * step) as Ms, runs);
        let k = answer.binding.index();
        answer.held = if together {
            Held::Stages
        } else if holds_up(alone[k]) {
            let restless = match lab.stages[k].rests.is_empty() {
                true => alone[k],
                false => {
                    let awake = Stage { rests: Rests::default(), ..lab.stages[k].clone() };
                    self.done_alone(lab, k, &awake, 0).max(after_last)
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
        } else if answer.transport.is_some() {
            // Also where the last tubes then wait a little here and there: that is less than any stage alone would hold them up.
            Held::Transport
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

    /// When the lab would be done if only this stage, with `stage` in its place, had to be waited for, and its tubes came
    /// `sooner` than through the stages before.
    pub(super) fn done_alone(&mut self, lab: &Lab, k: usize, stage: &Stage, sooner: Ms) -> Ms {
        let before = lab.stages[..k].iter().map(passing).fold(0, later).saturating_sub(sooner);
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
        self.done_alone(lab, k, &Stage { batch, ..stage.clone() }, 0) > target
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
