//! Where a simulation begins in the middle of a round: the tubes that are really there, put where they must be.

use super::learn::Drawn;
use super::situation::{LabCount, Situation, StreetCount};
use crate::planner::city::StageKind;
use crate::planner::model::{HOUR, Lab, Ms, Street, Takes};
use crate::planner::simulate::{LabStart, Start, Stream, StreetStart};

/// Boxes into which waiting tubes are dealt at most, by street: enough for their times to be spread.
const PARTS_MAX: u64 = 40;
/// The hour of which a lab's throughput is taken.
const RECENT: Ms = HOUR;

/// The start of the rest of the round, as one draw sees it.
pub(super) fn start(drawn: &Drawn, situation: &Situation, dice: Stream) -> Start {
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
    let before = situation.readings.iter().rev().find(|r| r.at + RECENT <= now.at);
    let labs = drawn
        .model
        .labs
        .iter()
        .enumerate()
        .map(|(i, lab)| {
            let count = now.labs.get(i).copied().unwrap_or_default();
            let hour_ago = before.and_then(|r| r.labs.get(i).copied());
            let span = before.map_or(0, |r| now.at - r.at);
            lab_start(lab, &count, hour_ago, span, now.at, drawn, dice.below(1_000_000 + i as u64))
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
    let left = (tubes - count.collected as f64).max(0.0);
    // Those who come late have not come as long as the others queue.
    let late = (tubes * late).min(left);
    let worked = street.worked(u64::from(now));
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
        let road = f64::from(street.travel)
            * (street.travel_spread * dice.normal(100 + k as u64)).exp();
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
    (0..n)
        .map(|k| (tubes * (k + 1) / n - tubes * k / n) as u32)
        .filter(|part| *part > 0)
        .collect()
}

/// When the k-th part of what is on the road left, by the curve of what was sent.
fn left_at(situation: &Situation, street: usize, sent: u64, on_road: u64, k: usize) -> Ms {
    let n = parts(on_road).len().max(1) as u64;
    let nth = sent - on_road + on_road * (k as u64) / n;
    let reached = |r: &&super::situation::Reading| {
        r.streets.get(street).is_some_and(|s| s.sent > nth)
    };
    situation.readings.iter().find(reached).map_or(0, |r| r.at)
}

fn lab_start(
    lab: &Lab,
    count: &LabCount,
    before: Option<LabCount>,
    span: Ms,
    now: Ms,
    drawn: &Drawn,
    dice: Stream,
) -> LabStart {
    let mut start = LabStart { from: now, ..LabStart::default() };
    let plates = StageKind::Extract.index();
    let halves = [
        (0..plates, count.received.saturating_sub(count.plated), before.map(|b| count.plated - b.plated.min(count.plated))),
        (
            plates..StageKind::COUNT,
            count.plated.saturating_sub(count.resulted),
            before.map(|b| count.resulted - b.resulted.min(count.resulted)),
        ),
    ];
    for (stages, inside, done) in halves {
        let slowest = stages
            .clone()
            .min_by(|a, b| pace(lab, *a).total_cmp(&pace(lab, *b)))
            .unwrap_or(stages.start);
        // Tubes an hour that go through: what was seen, else what the slowest stage can do.
        let able = pace(lab, slowest);
        let flow = match done {
            Some(done) if span > 0 => (done as f64 * f64::from(HOUR) / f64::from(span)).min(able),
            _ => able,
        };
        let mut left = inside;
        // From the last stage on: what goes through is in runs for their time, and the rest waits where it is slowest.
        for i in stages.clone().rev() {
            let stage = &lab.stages[i];
            let batch = u64::from(stage.batch.max(1));
            let room = u64::from(stage.units) * batch;
            let run = if stage.takes == Takes::Box { f64::from(stage.run) / 9.0 } else { f64::from(stage.run) };
            let busy = (flow * run / f64::from(HOUR)).round() as u64;
            let busy = busy.min(room).min(left);
            let runs = busy.div_ceil(batch);
            for k in 0..runs {
                let tubes = (busy * (k + 1) / runs - busy * k / runs) as u32;
                let gone = run * dice.unit((i as u64) << 20 | k);
                let since = (f64::from(now) - gone).max(0.0) as Ms;
                let end = (f64::from(since) + run).max(f64::from(now) + 1.0) as Ms;
                start.running[i].push((since, end, tubes));
            }
            left -= busy;
        }
        let batch = u64::from(lab.stages[slowest].batch.max(1));
        while left > 0 {
            let tubes = left.min(batch);
            start.waiting[slowest].push((now, tubes as u32));
            left -= tubes;
        }
    }
    if count.recalls_open > 0 {
        let recall = &drawn.model.recall;
        let people = count.recalls_open.min(u64::from(u32::MAX));
        for (k, n) in parts(people).into_iter().enumerate() {
            let wait = f64::from(recall.delay + recall.travel) * dice.unit(900 + k as u64);
            start.recalls.push((now.saturating_add(wait as Ms), n));
        }
    }
    start
}

fn pace(lab: &Lab, stage: usize) -> f64 {
    let stage = &lab.stages[stage];
    stage.tubes_per_hour() * stage.working_share() * stage.sound_share()
}
