//! Where a simulation begins in the middle of a round: the tubes that are really there, put where they must be.

mod lab;
mod plates;

use super::learn::{Drawn, queue_tubes, remaining};
use super::situation::{LabCount, Reading, Situation, StreetCount};
use crate::planner::model::{DAY, Model, Ms, Street};
use crate::planner::simulate::{LabStart, Start, Stream, StreetStart};
use lab::Known;
use plates::Plates;

/// Share of the people of whom it is believed, once the desks have closed, that they do not come any more.
const STAYED_AWAY: f64 = 0.25;

/// A stop that is drawn lasts no longer from now on: the tail has no end, and nobody would leave the tubes there.
const STOP_MAX: Ms = 5 * DAY;

/// Boxes into which waiting tubes are dealt at most, by street: enough for their times to be spread.
const PARTS_MAX: u64 = 40;

/// Tubes of a box of which nothing is told.
const BOX_TUBES: u64 = 20;

/// The start of the rest of the round, as one draw sees it.
pub(super) fn start(drawn: &Drawn<'_>, situation: &Situation, dice: Stream) -> Start {
    let Some(now) = situation.readings.last() else { return Start::whole(&drawn.model) };
    let ways = Way::of(&drawn.model, now);
    let streets = drawn
        .model
        .streets
        .iter()
        .enumerate()
        .map(|(i, street)| {
            let count = now.streets.get(i).copied().unwrap_or_default();
            let box_tubes = ways.get(street.lab).map_or(BOX_TUBES, |way| way.box_tubes);
            let dice = dice.below(i as u64);
            street_start(street, drawn.late[i], &count, box_tubes, situation, i, dice)
        })
        .collect();
    let labs = drawn.model.labs.iter().zip(&drawn.inside).enumerate();
    let labs = labs
        .map(|(i, (lab, inside))| {
            let midnight_offset = drawn.model.midnight_offset;
            let plates = Plates { situation, lab: i, midnight_offset, stops: &drawn.stops[i] };
            let known = Known {
                lab,
                count: &now.labs.get(i).copied().unwrap_or_default(),
                singles_only: situation.singles_only(i),
                plates,
                inside,
                way: &ways[i],
                recall: &drawn.model.recall,
                now: now.at,
            };
            let dice = dice.below(1_000_000 + i as u64);
            let start = known.start(dice);
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

/// What is on its way to a lab.
#[derive(Clone, Debug, Default, PartialEq)]
struct Way {
    /// Tubes of one box, on average.
    box_tubes: u64,
    /// People to a tube of its streets; where they differ, so many that as many are called back.
    pool: u32,
    /// Single tubes of recalls that no vehicle has yet.
    singles_waiting: u64,
    /// Single tubes of recalls on vehicles.
    singles_sent: u64,
    /// People called back who have no single tube yet.
    called_back: u64,
}

impl Way {
    /// By lab.
    fn of(model: &Model, now: &Reading) -> Vec<Way> {
        let mut ways = vec![Way::default(); model.labs.len()];
        let mut tubes = vec![0; model.labs.len()];
        // Tubes that came, and the single tubes that would be of them if all were unclean, a person's share each.
        let mut came = vec![(0.0, 0.0); model.labs.len()];
        for (street, count) in model.streets.iter().zip(&now.streets) {
            let (Some(way), Some(tubes)) = (ways.get_mut(street.lab), tubes.get_mut(street.lab))
            else {
                continue;
            };
            way.singles_waiting += count.singles_waiting;
            way.singles_sent += count.singles_sent;
            *tubes += count.sent.saturating_sub(count.delivered) + count.singles_sent;
            // Who calls nobody back has no part in it.
            let pool = if street.pool > 1 { f64::from(street.pool) } else { 0.0 };
            let (all, squares) = &mut came[street.lab];
            (*all, *squares) =
                (*all + count.delivered as f64, *squares + count.delivered as f64 * pool * pool);
        }
        for (way, (all, squares)) in ways.iter_mut().zip(came) {
            // An unclean tube is the rarer the fewer are in it, and fewer come again: both by the people.
            way.pool = (squares / f64::max(all, 1.0)).sqrt().round() as u32;
        }
        for ((way, tubes), lab) in ways.iter_mut().zip(tubes).zip(&now.labs) {
            let told = (lab.boxes_sent > 0 && tubes > 0).then(|| tubes.div_ceil(lab.boxes_sent));
            way.box_tubes = told.unwrap_or(BOX_TUBES);
        }
        Way::call_back(&mut ways, &now.labs);
        ways
    }

    /// Who is still to come: everybody called back, the city over, less the single tubes under way; by lab as recalls are
    /// open. A recall is counted at the lab of its pool, a single tube where it is, so by lab they are not each other's. A
    /// single tube may also be of somebody asked to come again: of each kind as many as are open.
    fn call_back(ways: &mut [Way], labs: &[LabCount]) {
        let sum = |of: &dyn Fn(&LabCount) -> u64| labs.iter().map(of).fold(0, u64::saturating_add);
        let recalls = sum(&|lab| lab.recalls_open);
        let open = u128::from(recalls) + u128::from(sum(&|lab| lab.recollections_open));
        let under_way = ways.iter().map(|way| way.singles_waiting + way.singles_sent).sum::<u64>();
        let under_way = under_way + sum(&|lab| lab.singles_here() + lab.singles_plated);
        let to_come = open.saturating_sub(under_way.into());
        // By running sums, so that the parts add up.
        let (mut upto, mut given) = (0, 0);
        for (way, lab) in ways.iter_mut().zip(labs) {
            upto += u128::from(lab.recalls_open);
            let to = u64::try_from(upto * to_come / open.max(1)).unwrap_or(u64::MAX);
            way.called_back = to - given;
            given = to;
        }
    }
}

fn street_start(
    street: &Street,
    late: f64,
    count: &StreetCount,
    box_tubes: u64,
    situation: &Situation,
    number: usize,
    dice: Stream,
) -> StreetStart {
    let now = situation.readings.last().map_or(0, |reading| reading.at);
    let tubes = street.tubes() as f64;
    let mut left = (tubes - count.collected as f64).max(0.0);
    let hours = u64::from(street.open) + u64::from(street.hours);
    let worked = street.worked(u64::from(now));
    // In a round of days the desks close each evening, with people still to come.
    let queue_gone = queue_tubes(street, worked as f64) >= tubes * (1.0 - late);
    if u64::from(now) >= hours && queue_gone && left < tubes * STAYED_AWAY {
        // The desks have closed and the queue was gone: who is left has not come, and is not waited for.
        left = 0.0;
    }
    // Those who come late have not come as long as the others queue.
    let late = (tubes * late).min(left);
    let waiting = count.collected.saturating_sub(count.sent);
    let box_time = f64::from(street.box_time);
    let closed = parts(waiting, BOX_TUBES).into_iter().enumerate().map(|(k, n)| {
        // What waits is in open boxes or in closed ones whose vehicle has not come.
        let from = f64::from(now) - f64::from(street.trip_hold);
        let at = from + (f64::from(street.trip_hold) + box_time / 2.0) * dice.unit(k as u64);
        (at.max(0.0) as Ms, n)
    });
    let on_road = count.sent.saturating_sub(count.delivered);
    let boxes = parts(on_road, box_tubes);
    let of = boxes.len() as u64;
    let on_road = boxes.into_iter().enumerate().map(|(k, n)| {
        let left = left_at(situation, number, count.sent, on_road, (k as u64, of));
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
        ramp: u64::from(street.ramp).saturating_sub(worked) as Ms,
        closed: closed.collect(),
        on_road: on_road.collect(),
    }
}

/// Deals tubes into parts of a box of so many or so.
fn parts(tubes: u64, box_tubes: u64) -> Vec<u32> {
    let n = tubes.div_ceil(box_tubes.max(1)).clamp(1, PARTS_MAX);
    (0..n).map(|k| (tubes * (k + 1) / n - tubes * k / n) as u32).filter(|part| *part > 0).collect()
}

/// When the k-th of n parts of what is on the road left, by the curve of what was sent.
fn left_at(situation: &Situation, street: usize, sent: u64, on_road: u64, part: (u64, u64)) -> Ms {
    let (k, n) = part;
    let nth = sent - on_road + on_road * k / n.max(1);
    let reached = |r: &&Reading| r.streets.get(street).is_some_and(|s| s.sent > nth);
    situation.readings.iter().find(reached).map_or(0, |r| r.at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::example;
    use crate::planner::model::{HOUR, MINUTE};
    use crate::planner::simulate::Cause;

    const NOW: Ms = 10 * HOUR;

    fn tubes(lots: &[(Ms, u32)]) -> u64 {
        lots.iter().map(|lot| u64::from(lot.1)).sum()
    }

    #[test]
    fn who_is_still_to_come_is_counted_the_city_over() {
        // By lab: recalls and recollections that are open, single tubes on plates and on the road; who is to come.
        type Case = ([[u64; 4]; 2], [u64; 2]);
        let table: [Case; 5] = [
            ([[40, 0, 0, 0], [20, 0, 0, 0]], [40, 20]),
            // Those of the first lab are all in the second one.
            ([[40, 0, 0, 0], [0, 0, 40, 0]], [0, 0]),
            ([[40, 0, 0, 5], [20, 0, 25, 0]], [20, 10]),
            // As many are of people asked to come again.
            ([[40, 40, 0, 0], [0, 0, 40, 0]], [20, 0]),
            ([[10, 0, 0, 0], [0, 0, 40, 0]], [0, 0]),
        ];
        for (labs, expected) in table {
            let count = |[recalls_open, recollections_open, plated, _]: [u64; 4]| LabCount {
                recalls_open,
                recollections_open,
                singles_plated: plated,
                ..LabCount::default()
            };
            let way = |[.., singles_sent]: [u64; 4]| Way { singles_sent, ..Way::default() };
            let mut ways = labs.map(way);
            Way::call_back(&mut ways, &labs.map(count));
            assert_eq!(ways.map(|way| way.called_back), expected, "{labs:?}");
        }
    }

    #[test]
    fn tubes_of_a_lab_have_as_many_people_as_its_streets_put_into_them() {
        let mut model = example::city(1);
        let street = Street { lab: 0, ..model.streets[0] };
        // People to a tube and tubes that came, by street; people to a tube of the lab.
        for (streets, expected) in [
            ([(10, 100), (10, 300)], 10),
            ([(10, 0), (20, 300)], 20),
            // A tenth of the tubes, of twenty people, calls four times as many back as a tenth of ten.
            ([(10, 100), (20, 100)], 16),
            // A tube of one person calls nobody back.
            ([(1, 100), (1, 100)], 0),
            ([(1, 300), (10, 100)], 5),
            ([(10, 0), (10, 0)], 0),
        ] {
            model.streets = streets.map(|(pool, _)| Street { pool, ..street }).to_vec();
            let count = |(_, delivered)| StreetCount { delivered, ..StreetCount::default() };
            let labs = vec![LabCount::default(); model.labs.len()];
            let now = Reading { at: NOW, streets: streets.map(count).to_vec(), labs };
            assert_eq!(Way::of(&model, &now)[0].pool, expected, "{streets:?}");
        }
    }

    #[test]
    fn what_is_on_the_road_comes_in_as_many_boxes_as_are_told() {
        let mut model = example::city(1);
        model.streets.truncate(1);
        let mut reading = Reading {
            at: NOW,
            streets: vec![StreetCount { collected: 400, sent: 400, ..StreetCount::default() }],
            labs: vec![LabCount::default(); model.labs.len()],
        };
        for (boxes, expected) in [(0, 20), (4, 4), (10, 10), (400, 40), (1, 1)] {
            reading.labs[model.streets[0].lab].boxes_sent = boxes;
            let situation = Situation { readings: vec![reading.clone()] };
            let dice = Stream::of(1, 1, Cause::Parameter, 1);
            let (street, count) = (&model.streets[0], &reading.streets[0]);
            let box_tubes = Way::of(&model, &reading)[street.lab].box_tubes;
            let start = street_start(street, 0.0, count, box_tubes, &situation, 0, dice);
            assert_eq!((start.on_road.len(), tubes(&start.on_road)), (expected, 400), "{boxes}");
        }
    }

    #[test]
    fn desks_that_are_opening_are_slow_for_what_is_left_of_it() {
        let mut model = example::city(1);
        model.streets.truncate(1);
        let street = &model.streets[0];
        for (minutes, left) in [(0, 60), (20, 40), (59, 1), (60, 0), (300, 0)] {
            let reading = Reading {
                at: minutes * MINUTE,
                streets: vec![StreetCount::default()],
                labs: vec![LabCount::default(); model.labs.len()],
            };
            let count = reading.streets[0];
            let situation = Situation { readings: vec![reading] };
            let dice = Stream::of(1, 1, Cause::Parameter, 1);
            let start = street_start(street, 0.0, &count, 20, &situation, 0, dice);
            assert_eq!(start.ramp, left * MINUTE, "after {minutes} minutes");
        }
    }
}
