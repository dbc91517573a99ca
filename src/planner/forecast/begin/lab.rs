//! Where the tubes of a lab are: before the plates where the flows have them, on plates by when they were loaded, and single
//! tubes of recalls as they come.

use super::plates::{Plates, at_work, slowest};
use super::{BOX_TUBES, Way, parts};
use crate::planner::city::StageKind;
use crate::planner::fluid::Replay;
use crate::planner::forecast::situation::LabCount;
use crate::planner::model::{Lab, Ms, Recall};
use crate::planner::simulate::{LabStart, Stream};

/// First stage of the plates.
const PLATES: usize = StageKind::Extract as usize;
/// Where plates are loaded.
const LOADING: usize = StageKind::Decap as usize;

/// What is known of one lab.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'a> {
    /// The lab at the pace that was drawn.
    pub lab: &'a Lab,
    /// Its counts now.
    pub count: &'a LabCount,
    /// Its newest plates that have no first test on them (`Situation::singles_only`).
    pub singles_only: u64,
    /// When plates were loaded.
    pub plates: Plates<'a>,
    /// The lab as the flows have it at that pace.
    pub inside: &'a Replay,
    /// What is on its way to it.
    pub way: &'a Way,
    /// Who is called back.
    pub recall: &'a Recall,
    /// The time of the counts.
    pub now: Ms,
}

impl Known<'_> {
    /// The lab as the flows have it, brought into line with what was counted.
    pub fn start(&self, dice: Stream) -> LabStart {
        let (from, pool) = (self.now, self.way.pool);
        let mut start = LabStart { from, pool, ..LabStart::default() };
        self.before_plates(&mut start);
        self.in_step(&mut start, dice.below(1));
        self.on_plates(&mut start, dice.below(2));
        set_apart(&mut start, self.singles_only);
        self.recalls(&mut start, dice);
        start
    }

    /// Before the plate, lots of a plate's size, where the flows have the tubes.
    fn before_plates(&self, start: &mut LabStart) {
        // Single tubes of recalls do not queue with the others. Of what the flows have before the plates they came last: where
        // they are, no first test is.
        let (singles, tubes) = (self.count.singles_here(), self.count.first_waiting());
        let apart = (singles > 0).then(|| self.inside.clone().without_last(singles, LOADING));
        let inside = apart.as_ref().unwrap_or(self.inside);
        let batch = u64::from(self.lab.stages[PLATES].batch.max(1));
        let mut deal = Deal { lots: tubes.div_ceil(batch), tubes };
        let each = (tubes as f64 / deal.lots.max(1) as f64).max(1.0);
        for stage in 0..PLATES {
            for end in ends(&inside.running[stage], each) {
                let end = end.max(self.now.saturating_add(1));
                let since = self.now.min(end.saturating_sub(self.lab.stages[stage].run));
                start.running[stage].extend(deal.lot().map(|lot| (since, end, lot)));
            }
        }
        // What waits: where the flows have it waiting, and the difference where it is slowest.
        let slowest = slowest(self.lab, 0..PLATES);
        for stage in (0..PLATES).filter(|stage| *stage != slowest) {
            let here = (inside.waiting[stage] / each).round() as u64;
            let lots = (0..here).filter_map(|_| deal.lot());
            start.waiting[stage].extend(lots.map(|lot| (self.now, lot)));
        }
        let rest = std::iter::from_fn(|| deal.lot());
        start.waiting[slowest].extend(rest.map(|lot| (self.now, lot)));
    }

    /// Those that load plates took the next one when they had loaded the one before, if any waits.
    fn in_step(&self, start: &mut LabStart, dice: Stream) {
        let stage = &self.lab.stages[LOADING];
        let (running, waiting) = (&mut start.running[LOADING], &mut start.waiting[LOADING]);
        if waiting.is_empty() {
            return;
        }
        running.sort_unstable_by_key(|run| run.1);
        let busy = at_work(stage).min(running.len() + waiting.len()) as u64;
        for (k, in_hand) in self.plates.in_hand(stage, busy, dice).into_iter().enumerate() {
            let Some((since, end)) = in_hand else { continue };
            match running.get_mut(k) {
                Some(run) => (run.0, run.1) = (since, end),
                None => running.extend(waiting.pop().map(|(_, lot)| (since, end, lot))),
            }
        }
    }

    /// The plates that there are, with the tubes that are on them, each where it must be by when it was loaded.
    fn on_plates(&self, start: &mut LabStart, dice: Stream) {
        let batch = u64::from(self.lab.stages[PLATES].batch.max(1));
        let (open, tubes) = self.count.open_plates(batch);
        // A plate that was run twice may stand for another one: where first tests are on plates, not all are of single tubes alone.
        let firsts = tubes.saturating_sub(self.count.singles_plated);
        let least = if firsts > 0 { self.singles_only.saturating_add(1).min(tubes) } else { 0 };
        let stands = self.plates.stand(self.lab, (open.max(least), tubes), dice);
        let mut deal = Deal { lots: stands.len() as u64, tubes };
        for stands in stands {
            let Some(lot) = deal.lot() else { break };
            match stands.runs {
                Some((since, end)) => start.running[stands.stage].push((since, end, lot)),
                None => start.waiting[stands.stage].push((self.now, lot)),
            }
        }
    }

    /// Single tubes of recalls go first in every lab: those that are here, those on the road, those that wait for a vehicle,
    /// and at last those of people who have not come yet. What is on a plate goes on with its plate.
    fn recalls(&self, start: &mut LabStart, dice: Stream) {
        let (way, travel) = (self.way, f64::from(self.recall.travel));
        for (people, soonest, longer, cause) in [
            (self.count.singles_here(), 0.0, 0.0, 2_000),
            (way.singles_sent, 0.0, travel, 3_000),
            (way.singles_waiting, travel / 2.0, travel, 4_000),
            (way.called_back, 0.0, f64::from(self.recall.delay) + travel, 900),
        ] {
            let people = people.min(u64::from(u32::MAX));
            for (k, n) in parts(people, BOX_TUBES).into_iter().enumerate() {
                let wait = soonest + longer * dice.unit(cause + k as u64);
                start.recalls.push((self.now.saturating_add(wait as Ms), n));
            }
        }
    }
}

/// When lots of so many tubes leave a stage: each when the last of its tubes has come together, and what is left over as one
/// if it is nearly half a lot.
fn ends(running: &[(Ms, f64)], each: f64) -> Vec<Ms> {
    let (mut come, mut ends) = (0.0, Vec::new());
    for &(end, tubes) in running {
        come += tubes / each;
        while come - ends.len() as f64 >= 0.999 {
            ends.push(end);
        }
    }
    let left_over = running.last().filter(|_| come - ends.len() as f64 > 0.4);
    ends.extend(left_over.map(|run| run.0));
    ends
}

/// Takes the newest plates, those with the longest way before them, for plates of single tubes alone: who waits for the last
/// first test does not wait for them.
fn set_apart(start: &mut LabStart, plates: u64) {
    let mut left = usize::try_from(plates).unwrap_or(usize::MAX);
    for stage in PLATES..StageKind::COUNT {
        // What waits before a stage is behind what runs there.
        let waiting = &mut start.waiting[stage];
        let newest = waiting.split_off(waiting.len() - left.min(waiting.len()));
        left -= newest.len();
        start.singles_waiting[stage].extend(newest);
        let running = &mut start.running[stage];
        running.sort_unstable_by_key(|run| run.1);
        let newest = running.split_off(running.len() - left.min(running.len()));
        left -= newest.len();
        start.singles_running[stage].extend(newest);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::example;
    use crate::planner::forecast::situation::{Reading, Situation};
    use crate::planner::model::{HOUR, Model};
    use crate::planner::simulate::{Cause, Scratch, Simulation, Start};

    const NOW: Ms = 10 * HOUR;
    const UNREAD: &Situation = &Situation { readings: Vec::new() };

    /// The first lab of a model, of which nothing was read before.
    fn known<'a>(
        model: &'a Model,
        count: &'a LabCount,
        inside: &'a Replay,
        way: &'a Way,
    ) -> Known<'a> {
        let plates = Plates { situation: UNREAD, lab: 0, midnight_offset: 0, stops: &[] };
        let (lab, recall) = (&model.labs[0], &model.recall);
        Known { lab, count, singles_only: 0, plates, inside, way, recall, now: NOW }
    }

    fn dice() -> Stream {
        Stream::of(1, 1, Cause::Parameter, 1)
    }

    fn of(count: &LabCount, way: &Way) -> LabStart {
        let model = example::city(1);
        let mut ways = [way.clone()];
        Way::call_back(&mut ways, &[*count]);
        known(&model, count, &Replay::default(), &ways[0]).start(dice())
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
    fn tubes_that_are_in_a_lab_call_as_many_people_back_as_those_that_come() {
        let mut model = example::city(1);
        model.recall.prevalence = 0.005;
        let unclean = model.recall.unclean(10);
        // Where they are: waiting, on plates, and those that are done and have called back already.
        for (plated, resulted) in [(0, 0), (1_000, 0), (1_500, 1_000)] {
            let count = LabCount { received: 2_000, plated, resulted, ..LabCount::default() };
            let recalled = |pool| {
                let mut start = Start::whole(&model);
                start.labs[0] = of(&count, &Way { pool, ..Way::default() });
                start.streets.iter_mut().for_each(|street| (street.main, street.late) = (0.0, 0.0));
                let simulation = Simulation::new(&model, &start);
                let run = |n| simulation.run(3, n, &mut Scratch::default()).labs[0].recalled;
                (0..40).map(run).sum::<u64>() as f64 / 40.0
            };
            let expected = unclean * 10.0 * (2_000 - resulted) as f64;
            let (none, some) = (recalled(1), recalled(10));
            assert_eq!(none, 0.0, "nobody is called back for a tube of his own");
            assert!((some / expected - 1.0).abs() < 0.2, "{plated}: {some} {expected}");
        }
    }

    #[test]
    fn first_tests_are_not_put_where_single_tubes_have_just_come() {
        let model = example::city(1);
        // All first tests wait for their plates; 80 single tubes have come since and are being inactivated.
        let mut inside = Replay::default();
        inside.waiting[StageKind::Decap.index()] = 320.0;
        inside.running[StageKind::Inactivate.index()] = vec![(NOW + 1, 30.0), (NOW + HOUR, 50.0)];
        let count = LabCount { received: 400, singles_waiting: 80, ..LabCount::default() };
        let start = known(&model, &count, &inside, &Way::default()).start(dice());
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
        assert_eq!(apart, 4);
        let finish = |singles_only| {
            let (inside, way) = (Replay::default(), Way::default());
            let known = known(&model, &now, &inside, &way);
            let plates = Plates { situation: &situation, ..known.plates };
            let mut start = Start::whole(&model);
            start.streets.iter_mut().for_each(|street| (street.main, street.late) = (0.0, 0.0));
            start.labs[0] = Known { singles_only, plates, ..known }.start(dice());
            let run = Simulation::new(&model, &start).run(3, 1, &mut Scratch::default());
            (run.labs[0].finish, run.labs[0].results.last().map(|last| last.1))
        };
        let plates = &lab.stages[StageKind::Extract.index()..];
        let way = plates.iter().map(|stage| stage.run).sum::<Ms>();
        let ((apart, first), (together, all)) = (finish(apart), finish(0));
        assert!(first < all && all == Some(340), "{first:?} {all:?}");
        // A review or a repair more.
        assert!(apart <= NOW - 2 * HOUR + way + HOUR / 2, "{apart} {way}");
        assert!(together > apart, "{together} {apart}");
    }
}
