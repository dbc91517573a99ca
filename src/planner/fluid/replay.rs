//! A lab replayed: what it would have done by now with what really came to its door.

use super::STEP;
use super::lab::{STEPS_MAX, StageFlow, Tank};
use crate::planner::city::StageKind;
use crate::planner::model::{Lab, Model, Ms, Stage, Takes};
use crate::planner::simulate::RACK;

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

impl Replay {
    /// The same without so many tubes of those that came last, as far as they are before stage `upto`: behind others that wait
    /// or run there.
    #[must_use]
    pub fn without_last(mut self, tubes: u64, upto: usize) -> Replay {
        let mut left = tubes as f64;
        let mut take = |of: &mut f64| {
            let part = of.min(left);
            *of -= part;
            left -= part;
        };
        for (waiting, running) in self.waiting.iter_mut().zip(&mut self.running).take(upto) {
            take(waiting);
            running.iter_mut().rev().for_each(|(_, tubes)| take(tubes));
        }
        self
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_last_is_taken_from_the_door_on_and_what_leaves_a_stage_last_goes_first() {
        let mut whole = Replay::default();
        whole.waiting[..3].copy_from_slice(&[5.0, 4.0, 3.0]);
        whole.running[0] = vec![(1, 2.0), (9, 3.0)];
        whole.running[1] = vec![(7, 6.0)];
        // Tubes to take, from the stages before this one; what waits and what runs is then.
        type Left<'a> = ([f64; 3], [&'a [f64]; 2]);
        let cases: [((u64, usize), Left<'_>); 6] = [
            ((0, 7), ([5.0, 4.0, 3.0], [&[2.0, 3.0], &[6.0]])),
            ((3, 7), ([2.0, 4.0, 3.0], [&[2.0, 3.0], &[6.0]])),
            ((7, 7), ([0.0, 4.0, 3.0], [&[2.0, 1.0], &[6.0]])),
            ((15, 7), ([0.0, 0.0, 3.0], [&[0.0, 0.0], &[5.0]])),
            // No more than are there before that stage.
            ((100, 1), ([0.0, 4.0, 3.0], [&[0.0, 0.0], &[6.0]])),
            ((100, 0), ([5.0, 4.0, 3.0], [&[2.0, 3.0], &[6.0]])),
        ];
        for ((tubes, upto), (waiting, running)) in cases {
            let left = whole.clone().without_last(tubes, upto);
            assert_eq!(left.waiting[..3], waiting, "{tubes} before {upto}");
            let of = |stage: usize| left.running[stage].iter().map(|run| run.1).collect::<Vec<_>>();
            assert_eq!([of(0), of(1)], running.map(<[f64]>::to_vec), "{tubes} before {upto}");
        }
    }
}
