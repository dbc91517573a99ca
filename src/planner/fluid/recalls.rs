//! Recalls in the flows: what results bring back to the door, as many single tubes as are expected on average.

use super::lab::StageFlow;
use super::{Scratch, end};
use crate::planner::city::StageKind;
use crate::planner::model::{Lab, Model, Street};

/// Share of single tubes from which on recalls are reckoned until they agree with the results that they delay.
const MANY: f64 = 0.02;
/// Most times that they are reckoned.
const PASSES_MAX: usize = 24;

/// Single tubes of recalls by tube of the lab's streets.
pub(super) fn recall_share(model: &Model, list: &[usize], tubes: u64) -> f64 {
    let singles = |s: &Street| model.recall.singles(s.pool) * s.tubes() as f64;
    list.iter().map(|&i| singles(&model.streets[i])).sum::<f64>() / (tubes.max(1) as f64)
}

/// Mean time from the result of a pool to its members' single tubes at the door.
pub(super) fn recall_delay(model: &Model) -> f64 {
    let r = &model.recall;
    f64::from(r.delay) * (r.delay_spread.powi(2) / 2.0).exp() + f64::from(r.travel) * 1.06
}

impl Scratch {
    /// The whole lab again, with the single tubes of the recalls that its results bring `delay` steps later. Where there are
    /// many, results come later than was thought, and so do the recalls: again, until the end stays where it is.
    pub(super) fn with_recalls(
        &mut self,
        lab: &Lab,
        share: f64,
        delay: f64,
        step: f64,
        flows: &mut [StageFlow; StageKind::COUNT],
    ) {
        self.recalls(lab, share, delay, flows);
        if share <= MANY {
            return;
        }
        let mut calm = 0;
        for _ in 0..PASSES_MAX {
            let before = end(flows);
            self.recalls(lab, share, delay, flows);
            let moved = f64::from(end(flows).abs_diff(before));
            calm = if moved < step { calm + 1 } else { 0 };
            if calm == 2 {
                break;
            }
        }
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
}
