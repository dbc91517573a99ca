//! When a unit is there: daily rests and repairs.

use super::random::Stream;
use crate::planner::model::{DAY, Ms, Stage};

/// Failures are drawn for so long; a round that takes longer has none after it.
const FAILURES_UNTIL: Ms = 10 * DAY;

/// Most failures of a unit that are drawn in that time.
const FAILURES_MAX: u64 = 64;

/// The calendars of one stage in one replication.
#[derive(Debug, Default)]
pub(super) struct Calendar {
    /// (unit, from, to), by unit and time.
    repairs: Vec<(u32, Ms, Ms)>,
    /// Further stops of the whole stage, (from, to), by time.
    stops: Vec<(Ms, Ms)>,
    midnight_offset: Ms,
    /// Nothing ever holds a unit back.
    calm: bool,
}

impl Calendar {
    /// Draws the repairs. Each unit has a stream of its own: one more unit changes nothing for the others.
    pub fn draw(&mut self, stage: &Stage, midnight_offset: Ms, stream: Stream, stops: &[(Ms, Ms)]) {
        self.repairs.clear();
        self.stops.clear();
        self.stops.extend_from_slice(stops);
        self.midnight_offset = midnight_offset;
        self.draw_repairs(stage, stream);
        self.calm = stage.rests.is_empty() && self.repairs.is_empty() && self.stops.is_empty();
    }

    fn draw_repairs(&mut self, stage: &Stage, stream: Stream) {
        if stage.failures_per_day <= 0.0 {
            return;
        }
        let mean = f64::from(DAY) / stage.failures_per_day;
        for unit in 0..stage.units {
            let own = stream.below(u64::from(unit));
            let mut at = 0.0;
            for k in 0..FAILURES_MAX {
                at += own.exponential(2 * k) * mean;
                if at >= f64::from(FAILURES_UNTIL) {
                    break;
                }
                let repair = own.exponential(2 * k + 1) * f64::from(stage.repair);
                self.repairs.push((unit, at as Ms, (at + repair) as Ms));
                at += repair;
            }
        }
    }

    /// The first time from `at` on at which the unit may start a run. A run that has started goes on to its end.
    #[inline]
    pub fn next_up(&self, stage: &Stage, unit: u32, at: Ms) -> Ms {
        if self.calm { at } else { self.next_up_between(stage, unit, at) }
    }

    /// The same where something may hold it back.
    fn next_up_between(&self, stage: &Stage, unit: u32, at: Ms) -> Ms {
        let mut at = at;
        // Windows may touch: go on until none holds it back. Bounded, so that rests round the clock cannot loop.
        for _ in 0..16 {
            let rested = stage.rested(unit, at, self.midnight_offset);
            let mut moved = rested > at;
            at = rested;
            let first = self.repairs.partition_point(|r| r.0 < unit);
            let own = self.repairs[first..].iter().take_while(|r| r.0 == unit);
            for (from, to) in own.map(|r| (r.1, r.2)).chain(self.stops.iter().copied()) {
                if from <= at && at < to {
                    at = to;
                    moved = true;
                }
            }
            if !moved {
                break;
            }
        }
        at
    }
}
