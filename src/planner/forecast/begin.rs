//! Where a simulation begins in the middle of a round: the tubes that are really there, put where they must be.

use super::learn::{Drawn, queue_tubes, remaining};
use super::plates::{Plates, at_work, slowest};
use super::situation::{LabCount, Reading, Situation, StreetCount};
use crate::planner::city::StageKind;
use crate::planner::fluid::Replay;
use crate::planner::model::{DAY, Lab, Model, Ms, Recall, Street};
use crate::planner::simulate::{LabStart, Start, Stream, StreetStart};

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
    let recall = &drawn.model.recall;
    let labs = drawn.model.labs.iter().zip(&drawn.inside).enumerate();
    let labs = labs
        .map(|(i, (lab, inside))| {
            let count = now.labs.get(i).copied().unwrap_or_default();
            let dice = dice.below(1_000_000 + i as u64);
            let plates = situation.singles_only(i);
            let loaded = Plates::of(situation, i, drawn.model.midnight_offset);
            let start =
                lab_start(lab, &count, plates, loaded, inside, now.at, recall, &ways[i], dice);
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
        for (street, count) in model.streets.iter().zip(&now.streets) {
            let (Some(way), Some(tubes)) = (ways.get_mut(street.lab), tubes.get_mut(street.lab))
            else {
                continue;
            };
            way.singles_waiting += count.singles_waiting;
            way.singles_sent += count.singles_sent;
            *tubes += count.sent.saturating_sub(count.delivered) + count.singles_sent;
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
        ramp: worked < u64::from(street.ramp),
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

/// A lab as the fluid has it at the pace that was drawn, brought into line with what was counted. Of its plates the newest
/// may have no first test on them (`Situation::singles_only`).
#[expect(clippy::too_many_arguments, reason = "what is known of one lab, called from one place")]
fn lab_start(
    lab: &Lab,
    count: &LabCount,
    singles_only: Option<(u64, Ms)>,
    loaded: Plates<'_>,
    inside: &Replay,
    now: Ms,
    recall: &Recall,
    way: &Way,
    dice: Stream,
) -> LabStart {
    let mut start = LabStart { from: now, ..LabStart::default() };
    let plates = StageKind::Extract.index();
    let batch = u64::from(lab.stages[plates].batch.max(1));
    // They do not queue with the others.
    let (singles, before) = (count.singles_here(), count.first_waiting());
    let (open, on_plates) = count.open_plates(batch);
    // A plate that was run twice may stand for another one: where first tests are on plates, not all are of single tubes alone.
    let apart = singles_only.map_or(0, |(plates, _)| plates);
    let firsts = on_plates.saturating_sub(count.singles_plated);
    let open = if firsts > 0 { open.max(apart + 1).min(on_plates) } else { open };
    // Of what the flows have before the plates, single tubes came last: where they are, no first test is.
    let upto = StageKind::Decap.index();
    let apart = (singles > 0).then(|| inside.clone().without_last(singles, upto));
    let inside = apart.as_ref().unwrap_or(inside);
    // Before the plate, lots of a plate's size, where the flows have the tubes.
    let mut deal = Deal { lots: before.div_ceil(batch), tubes: before };
    let each = before as f64 / deal.lots.max(1) as f64;
    let slowest = slowest(lab, 0..plates);
    for i in 0..plates {
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
    for i in (0..plates).filter(|i| *i != slowest) {
        let here = (inside.waiting[i] / each.max(1.0)).round() as u64;
        start.waiting[i].extend((0..here).filter_map(|_| deal.lot()).map(|lot| (now, lot)));
    }
    start.waiting[slowest].extend(std::iter::from_fn(|| deal.lot()).map(|lot| (now, lot)));
    in_step(&mut start, lab, loaded, dice.below(1));
    // The plates that there are, with the tubes that are on them, each where it must be by when it was loaded.
    let mut deal = Deal { lots: open, tubes: on_plates };
    for stands in loaded.stand(lab, (open, on_plates), dice.below(2)) {
        let Some(lot) = deal.lot() else { break };
        match stands.runs {
            Some((since, end)) => start.running[stands.stage].push((since, end, lot)),
            None => start.waiting[stands.stage].push((now, lot)),
        }
    }
    if let Some(newest) = singles_only {
        set_apart(&mut start, newest);
    }
    // Single tubes of recalls go first in every lab: those that are here, those on the road, those that wait for a vehicle,
    // and at last those of people who have not come yet. What is on a plate goes on with its plate.
    let travel = f64::from(recall.travel);
    for (people, soonest, longer, cause) in [
        (singles, 0.0, 0.0, 2_000),
        (way.singles_sent, 0.0, travel, 3_000),
        (way.singles_waiting, travel / 2.0, travel, 4_000),
        (way.called_back, 0.0, f64::from(recall.delay) + travel, 900),
    ] {
        let people = people.min(u64::from(u32::MAX));
        for (k, n) in parts(people, BOX_TUBES).into_iter().enumerate() {
            let wait = soonest + longer * dice.unit(cause + k as u64);
            start.recalls.push((now.saturating_add(wait as Ms), n));
        }
    }
    start
}

/// Takes the newest plates, those with the longest way before them, for plates of single tubes alone: who waits for the last
/// first test does not wait for them.
fn set_apart(start: &mut LabStart, (mut plates, _): (u64, Ms)) {
    for i in StageKind::Extract.index()..StageKind::COUNT {
        // What waits before a stage is behind what runs there.
        let first = start.waiting[i].len() - plates.min(start.waiting[i].len() as u64) as usize;
        plates -= (start.waiting[i].len() - first) as u64;
        start.singles_waiting[i].extend(start.waiting[i].drain(first..));
        start.running[i].sort_unstable_by_key(|run| run.1);
        let first = start.running[i].len() - plates.min(start.running[i].len() as u64) as usize;
        plates -= (start.running[i].len() - first) as u64;
        start.singles_running[i].extend(start.running[i].drain(first..));
    }
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

/// Those that load plates took the next one when they had loaded the one before, if any waits.
fn in_step(start: &mut LabStart, lab: &Lab, loaded: Plates<'_>, dice: Stream) {
    let i = StageKind::Decap.index();
    let (running, waiting) = (&mut start.running[i], &mut start.waiting[i]);
    if waiting.is_empty() {
        return;
    }
    running.sort_unstable_by_key(|run| run.1);
    let busy = at_work(&lab.stages[i]).min(running.len() + waiting.len()) as u64;
    for (k, in_hand) in loaded.in_hand(&lab.stages[i], busy, dice).into_iter().enumerate() {
        let Some((since, end)) = in_hand else { continue };
        match running.get_mut(k) {
            Some(run) => (run.0, run.1) = (since, end),
            None => running.extend(waiting.pop().map(|(_, lot)| (since, end, lot))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::example;
    use crate::planner::model::HOUR;
    use crate::planner::simulate::{Cause, Scratch, Simulation};

    const NOW: Ms = 10 * HOUR;
    /// A lab of which nothing was read before.
    const NONE: Plates<'static> = Plates::of(UNREAD, 0, 0);
    const UNREAD: &Situation = &Situation { readings: Vec::new() };

    fn of(count: &LabCount, way: &Way) -> LabStart {
        let model = example::city(1);
        let dice = Stream::of(1, 1, Cause::Parameter, 1);
        let mut ways = [way.clone()];
        Way::call_back(&mut ways, &[*count]);
        let lab = &model.labs[0];
        lab_start(lab, count, None, NONE, &Replay::default(), NOW, &model.recall, &ways[0], dice)
    }

    fn tubes(lots: &[(Ms, u32)]) -> u64 {
        lots.iter().map(|lot| u64::from(lot.1)).sum()
    }

    #[test]
    fn single_tubes_are_put_where_they_are_and_nobody_twice() {
        let way =
            |singles_waiting, singles_sent| Way { singles_waiting, singles_sent, ..Way::default() };
        let count = |singles_waiting, singles_plated, recalls_open| LabCount {
            received: 500,
            plated: 300,
            resulted: 100,
            recalls_open,
            singles_waiting,
            singles_plated,
            ..LabCount::default()
        };
        // Single tubes of a reading, people called back; then ordinary tubes that wait, and single ones to come.
        for (of_lab, on_way, open, ordinary, singles) in [
            ((0, 0), (0, 0), 0, 200, 0),
            // Nothing is told of single tubes: everybody called back is still to come.
            ((0, 0), (0, 0), 40, 200, 40),
            ((30, 0), (0, 0), 40, 170, 40),
            ((30, 10), (0, 0), 40, 170, 30),
            ((0, 0), (25, 5), 40, 200, 40),
            ((10, 5), (8, 7), 40, 190, 35),
            // More single tubes than recalls: they answer something else, and are there all the same.
            ((30, 10), (5, 5), 20, 170, 40),
            // Never more than wait.
            ((900, 0), (0, 0), 0, 0, 200),
        ] {
            let count = count(of_lab.0, of_lab.1, open);
            let start = of(&count, &way(on_way.0, on_way.1));
            let to_plates = &start.waiting[..StageKind::Extract.index()];
            let waiting: u64 = to_plates.iter().map(|lots| tubes(lots)).sum();
            let what = (of_lab, on_way, open);
            assert_eq!((waiting, tubes(&start.recalls)), (ordinary, singles), "{what:?}");
            assert!(start.recalls.iter().all(|lot| lot.0 >= NOW), "{what:?}");
        }
        // Who is here is here now; who is on the road is not.
        let here = of(&count(30, 0, 30), &way(0, 0));
        assert!(here.recalls.iter().all(|lot| lot.0 == NOW), "{:?}", here.recalls);
        let waits = of(&count(0, 0, 30), &way(30, 0));
        assert!(waits.recalls.iter().all(|lot| lot.0 > NOW), "{:?}", waits.recalls);
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
    fn single_tubes_that_are_here_are_no_first_results_and_go_first() {
        let model = example::city(1);
        let run = |singles_waiting| {
            let count = LabCount { received: 2_000, singles_waiting, ..LabCount::default() };
            let mut start = Start::whole(&model);
            start.labs[0] = of(&count, &Way::default());
            start.streets.iter_mut().for_each(|street| (street.main, street.late) = (0.0, 0.0));
            Simulation::new(&model, &start).run(3, 1, &mut Scratch::default()).labs[0].clone()
        };
        let (none, some) = (run(0), run(600));
        let first = |run: &crate::planner::simulate::LabRun| run.results.last().map(|last| last.1);
        assert_eq!((first(&none), first(&some)), (Some(2_000), Some(1_400)));
        assert!(some.results[0].0 >= none.results[0].0, "the first plates are theirs");
    }

    #[test]
    fn first_tests_are_not_put_where_single_tubes_have_just_come() {
        let model = example::city(1);
        // All first tests wait for their plates; 80 single tubes have come since and are being inactivated.
        let mut inside = Replay::default();
        inside.waiting[StageKind::Decap.index()] = 320.0;
        inside.running[StageKind::Inactivate.index()] = vec![(NOW + 1, 30.0), (NOW + HOUR, 50.0)];
        let count = LabCount { received: 400, singles_waiting: 80, ..LabCount::default() };
        let dice = Stream::of(1, 1, Cause::Parameter, 1);
        let (lab, way) = (&model.labs[0], Way::default());
        let start = lab_start(lab, &count, None, NONE, &inside, NOW, &model.recall, &way, dice);
        assert_eq!(tubes(&start.waiting[StageKind::Decap.index()]), 320, "{:?}", start.waiting);
        assert!(start.running[StageKind::Inactivate.index()].is_empty());
        assert_eq!(tubes(&start.recalls), 80);
    }

    #[test]
    fn plates_of_single_tubes_alone_are_not_waited_for() {
        let model = example::city(1);
        let lab = &model.labs[0];
        let count = |plates, plated, singles_plated| LabCount {
            received: plated,
            plated,
            plates,
            singles_plated,
            resulted: 400,
            plates_done: 5,
            ..LabCount::default()
        };
        // Two hours ago the last first test was put on a plate; the four plates since then are of people called back.
        let labs = |of| [vec![of], vec![LabCount::default(); model.labs.len() - 1]].concat();
        let reading = |at, of| Reading { at, streets: vec![], labs: labs(of) };
        let (then, now) = (count(9, 700, 0), count(13, 740, 40));
        let readings = vec![reading(NOW - 2 * HOUR, then), reading(NOW, now)];
        let situation = Situation { readings };
        let apart = situation.singles_only(0);
        let loaded = Plates::of(&situation, 0, 0);
        assert_eq!(apart, Some((4, NOW - 2 * HOUR)));
        let dice = Stream::of(1, 1, Cause::Parameter, 1);
        let finish = |apart| {
            let inside = Replay::default();
            let way = Way::default();
            let mut start = Start::whole(&model);
            start.streets.iter_mut().for_each(|street| (street.main, street.late) = (0.0, 0.0));
            start.labs[0] =
                lab_start(lab, &now, apart, loaded, &inside, NOW, &model.recall, &way, dice);
            let run = Simulation::new(&model, &start).run(3, 1, &mut Scratch::default());
            (run.labs[0].finish, run.labs[0].results.last().map(|last| last.1))
        };
        let plates = &lab.stages[StageKind::Extract.index()..];
        let way = plates.iter().map(|stage| stage.run).sum::<Ms>();
        let ((apart, first), (together, all)) = (finish(apart), finish(None));
        assert!(first < all && all == Some(340), "{first:?} {all:?}");
        // A review or a repair more.
        assert!(apart <= NOW - 2 * HOUR + way + HOUR / 2, "{apart} {way}");
        assert!(together > apart, "{together} {apart}");
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
}
