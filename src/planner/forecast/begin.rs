//! Where a simulation begins in the middle of a round: the tubes that are really there, put where they must be.

use super::learn::{Drawn, queue_tubes, remaining};
use super::situation::{LabCount, Situation, StreetCount};
use crate::planner::city::StageKind;
use crate::planner::fluid::Replay;
use crate::planner::model::{DAY, Lab, Ms, Recall, Street};
use crate::planner::simulate::{LabStart, Start, Stream, StreetStart};

/// Share of the people of whom it is believed, once the desks have closed, that they do not come any more.
const STAYED_AWAY: f64 = 0.25;

/// A stop that is drawn lasts no longer from now on: the tail has no end, and nobody would leave the tubes there.
const STOP_MAX: Ms = 5 * DAY;

/// Boxes into which waiting tubes are dealt at most, by street: enough for their times to be spread.
const PARTS_MAX: u64 = 40;

/// The start of the rest of the round, as one draw sees it.
pub(super) fn start(drawn: &Drawn<'_>, situation: &Situation, dice: Stream) -> Start {
    let Some(now) = situation.readings.last() else { return Start::whole(&drawn.model) };
    let streets = drawn
        .model
        .streets
        .iter()
        .enumerate()
        .map(|(i, street)| {
            let count = now.streets.get(i).copied().unwrap_or_default();
            street_start(street, drawn.late[i], &count, now.at, situation, i, dice.below(i as u64))
        })
        .collect();
    let recall = &drawn.model.recall;
    let labs = drawn.model.labs.iter().zip(&drawn.inside).enumerate();
    let labs = labs
        .map(|(i, (lab, inside))| {
            let count = now.labs.get(i).copied().unwrap_or_default();
            let dice = dice.below(1_000_000 + i as u64);
            let start = lab_start(lab, &count, inside, now.at, recall, dice);
            // It starts again after a time that nobody knows.
            let stop = drawn.still[i].map(|since| {
                let left = remaining(now.at.saturating_sub(since), dice.unit(1));
                (now.at, now.at.saturating_add(left.clamp(1, STOP_MAX)))
            });
            LabStart { stops: stop.into_iter().collect(), ..start }
        })
        .collect();
    Start { streets, labs }
}

fn street_start(
    street: &Street,
    late: f64,
    count: &StreetCount,
    now: Ms,
    situation: &Situation,
    number: usize,
    dice: Stream,
) -> StreetStart {
    let tubes = street.tubes() as f64;
    let mut left = (tubes - count.collected as f64).max(0.0);
    let hours = u64::from(street.open) + u64::from(street.hours);
    let worked = street.worked(u64::from(now));
    // In a round of days the desks close each evening, with people still to come.
    let queue_gone = queue_tubes(street, worked as f64) >= tubes * (1.0 - late);
    if u64::from(now) > hours && queue_gone && left < tubes * STAYED_AWAY {
        // The desks have closed and the queue was gone: who is left has not come, and is not waited for.
        left = 0.0;
    }
    // Those who come late have not come as long as the others queue.
    let late = (tubes * late).min(left);
    let waiting = count.collected.saturating_sub(count.sent);
    let box_time = f64::from(street.box_time);
    let closed = parts(waiting).into_iter().enumerate().map(|(k, n)| {
        // What waits is in open boxes or in closed ones whose vehicle has not come.
        let from = f64::from(now) - f64::from(street.trip_hold);
        let at = from + (f64::from(street.trip_hold) + box_time / 2.0) * dice.unit(k as u64);
        (at.max(0.0) as Ms, n)
    });
    let on_road = count.sent.saturating_sub(count.delivered);
    let on_road = parts(on_road).into_iter().enumerate().map(|(k, n)| {
        let left = left_at(situation, number, count.sent, on_road, k);
        let road =
            f64::from(street.travel) * (street.travel_spread * dice.normal(100 + k as u64)).exp();
        let road = road.min(f64::from(street.travel_max));
        let at = f64::from(left) + f64::from(street.handling) + road;
        // It has not come yet: in the next minutes, if it should have come already.
        let soon = f64::from(now) + f64::from(street.travel) * 0.3 * dice.unit(500 + k as u64);
        (at.max(soon) as Ms, n)
    });
    StreetStart {
        from: now,
        main: left - late,
        late,
        late_from: None,
        ramp: worked < u64::from(street.ramp),
        closed: closed.collect(),
        on_road: on_road.collect(),
    }
}

/// Deals tubes into parts of a box or so.
fn parts(tubes: u64) -> Vec<u32> {
    let n = tubes.div_ceil(20).clamp(1, PARTS_MAX);
    (0..n).map(|k| (tubes * (k + 1) / n - tubes * k / n) as u32).filter(|part| *part > 0).collect()
}

/// When the k-th part of what is on the road left, by the curve of what was sent.
fn left_at(situation: &Situation, street: usize, sent: u64, on_road: u64, k: usize) -> Ms {
    let n = parts(on_road).len().max(1) as u64;
    let nth = sent - on_road + on_road * (k as u64) / n;
    let reached =
        |r: &&super::situation::Reading| r.streets.get(street).is_some_and(|s| s.sent > nth);
    situation.readings.iter().find(reached).map_or(0, |r| r.at)
}

/// A lab as the fluid has it at the pace that was drawn, brought into line with what was counted.
fn lab_start(
    lab: &Lab,
    count: &LabCount,
    inside: &Replay,
    now: Ms,
    recall: &Recall,
    dice: Stream,
) -> LabStart {
    let mut start = LabStart { from: now, ..LabStart::default() };
    let plates = StageKind::Extract.index();
    // Before the plate, lots of a plate's size; after it, the plates that there are, with the tubes that are on them.
    let batch = u64::from(lab.stages[plates].batch.max(1));
    let before = count.received.saturating_sub(count.plated);
    let (open, on_plates) = count.open_plates(batch);
    let halves =
        [(0..plates, before.div_ceil(batch), before), (plates..StageKind::COUNT, open, on_plates)];
    for (stages, lots, tubes) in halves {
        let mut deal = Deal { lots, tubes };
        // The fluid has tubes, these are on plates that need not be full.
        let each = tubes as f64 / lots.max(1) as f64;
        let slowest = stages
            .clone()
            .min_by(|a, b| pace(lab, *a).total_cmp(&pace(lab, *b)))
            .unwrap_or(stages.start);
        for i in stages.clone() {
            let run = lab.stages[i].run;
            // Each time a whole plate has come together, it leaves.
            let (mut come, mut given) = (0.0, 0.0);
            for &(end, tubes) in &inside.running[i] {
                come += tubes / each.max(1.0);
                while come - given >= 0.999 {
                    given += 1.0;
                    let end = end.max(now.saturating_add(1));
                    let since = now.min(end.saturating_sub(run));
                    start.running[i].extend(deal.lot().map(|lot| (since, end, lot)));
                }
            }
            if come - given > 0.4 {
                let end = inside.running[i].last().map_or(0, |r| r.0).max(now.saturating_add(1));
                let since = now.min(end.saturating_sub(run));
                start.running[i].extend(deal.lot().map(|lot| (since, end, lot)));
            }
        }
        // What waits: where the fluid has it waiting, and the difference where it is slowest.
        for i in stages.filter(|i| *i != slowest) {
            let here = (inside.waiting[i] / each.max(1.0)).round() as u64;
            start.waiting[i].extend((0..here).filter_map(|_| deal.lot()).map(|lot| (now, lot)));
        }
        start.waiting[slowest].extend(std::iter::from_fn(|| deal.lot()).map(|lot| (now, lot)));
    }
    if count.recalls_open > 0 {
        let people = count.recalls_open.min(u64::from(u32::MAX));
        for (k, n) in parts(people).into_iter().enumerate() {
            let wait = f64::from(recall.delay + recall.travel) * dice.unit(900 + k as u64);
            start.recalls.push((now.saturating_add(wait as Ms), n));
        }
    }
    start
}

/// Tubes that are dealt out in so many lots.
struct Deal {
    lots: u64,
    tubes: u64,
}

impl Deal {
    /// The next lot; `None` when all is dealt.
    fn lot(&mut self) -> Option<u32> {
        if self.lots == 0 || self.tubes == 0 {
            return None;
        }
        let tubes = self.tubes.div_ceil(self.lots);
        self.tubes -= tubes;
        self.lots -= 1;
        u32::try_from(tubes).ok()
    }
}

fn pace(lab: &Lab, stage: usize) -> f64 {
    let stage = &lab.stages[stage];
    stage.tubes_per_hour() * stage.working_share() * stage.sound_share()
}
