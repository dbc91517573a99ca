//! A stage against a second simulator, which has a list of events and moves tube by tube: slow, plain, and written from
//! what is promised and not from `stage`.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use proptest::prelude::*;

use super::*;
use crate::planner::model::{DAY, HOUR, MINUTE};

/// A tube that waits.
#[derive(Clone, Copy)]
struct Tube {
    ready: Ms,
    lot: usize,
    single: bool,
}

/// What a run was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ran {
    end: Ms,
    lane: usize,
    tubes: u32,
    singles: u32,
}

/// What became of all: the runs in the order of their start; time waited, tube·ms; time run, unit·ms.
type Done = (Vec<Ran>, u64, u64);

/// The end of the rests of a unit that it is in at `at`, midnight at 0; `at` itself when it is in none.
fn up(rests: &[(Ms, Ms)], at: Ms) -> Ms {
    let day = u64::from(DAY);
    // One day on, so that a rest that began the evening before is found.
    let mut at = u64::from(at) + day;
    let over = |&(from, length): &(Ms, Ms), at: u64| {
        [at / day - 1, at / day]
            .map(|k| k * day + u64::from(from))
            .into_iter()
            .find(|began| (*began..began + u64::from(length)).contains(&at))
            .map(|began| began + u64::from(length))
    };
    while let Some(end) = rests.iter().find_map(|rest| over(rest, at)) {
        at = end;
    }
    (at - day) as Ms
}

fn reference(stage: &Stage, priority_hold: Ms, lots: &[(usize, Lot)]) -> Done {
    let hold = [priority_hold.min(stage.hold), stage.hold];
    let mut events: BinaryHeap<Reverse<Ms>> = BinaryHeap::new();
    let mut coming: Vec<(Ms, usize)> = Vec::new();
    for (number, (lane, lot)) in lots.iter().enumerate() {
        coming.push((lot.ready, number));
        events.push(Reverse(lot.ready));
        events.push(Reverse(lot.ready + hold[*lane]));
    }
    coming.sort_unstable();
    let mut coming = VecDeque::from(coming);
    let none: &[(Ms, Ms)] = &[];
    let rests = |unit: usize| stage.rests.get(unit).map_or(none, Vec::as_slice);
    // By unit: since when it has been free to start.
    let mut free: Vec<Ms> = (0..stage.units as usize).map(|unit| up(rests(unit), 0)).collect();
    free.iter().for_each(|at| events.push(Reverse(*at)));
    let mut lanes: [VecDeque<Tube>; 2] = Default::default();
    let (mut runs, mut waited, mut busy) = (Vec::new(), 0, 0);
    while let Some(Reverse(now)) = events.pop() {
        while coming.front().is_some_and(|(ready, _)| *ready <= now) {
            let (ready, number) = coming.pop_front().expect("one is there");
            let (lane, lot) = lots[number];
            let tube = |k| Tube { ready, lot: number, single: k < lot.singles };
            lanes[lane].extend((0..lot.tubes).map(tube));
        }
        loop {
            let waiting: usize = lanes.iter().map(VecDeque::len).sum();
            let impatient = |lane: usize| {
                lanes[lane].front().is_some_and(|tube| tube.ready + hold[lane] <= now)
            };
            let worth = match stage.takes {
                Takes::Fill => waiting >= stage.batch as usize || (0..2).any(impatient),
                Takes::Box => waiting > 0,
            };
            let first = (0..free.len()).min_by_key(|unit| (free[*unit], *unit)).expect("a unit");
            if !worth || free[first] > now {
                break;
            }
            let back = up(rests(first), now);
            if back > now {
                free[first] = back;
                events.push(Reverse(back));
                continue;
            }
            let lane = if lanes[PRIORITY].is_empty() { ORDINARY } else { PRIORITY };
            let mut taken: Vec<Tube> = Vec::new();
            for from in [PRIORITY, ORDINARY] {
                if stage.takes != Takes::Fill && from != lane {
                    continue;
                }
                let front = lanes[from].front().map(|tube| tube.lot);
                while let Some(tube) = lanes[from].front() {
                    let more = match stage.takes {
                        Takes::Box => Some(tube.lot) == front,
                        Takes::Fill => taken.len() < stage.batch as usize,
                    };
                    if !more {
                        break;
                    }
                    taken.extend(lanes[from].pop_front());
                }
            }
            let tubes = taken.len() as u32;
            let run = match stage.takes {
                Takes::Box => {
                    (u64::from(stage.run) * u64::from(tubes) / u64::from(stage.batch)) as Ms
                }
                Takes::Fill => stage.run,
            };
            waited += taken.iter().map(|tube| u64::from(now - tube.ready)).sum::<u64>();
            busy += u64::from(run);
            free[first] = up(rests(first), now + run);
            events.push(Reverse(free[first]));
            let singles = taken.iter().filter(|tube| tube.single).count() as u32;
            runs.push(Ran { end: now + run, lane, tubes, singles });
        }
    }
    (runs, waited, busy)
}

/// A lot by chance: half an hour and minute, tubes in 64ths of a run, and whether it is a recall's.
type Draw = (u32, u32, u32, u32);

/// Stages at random: every way to take, with and without patience and rests. Batches are powers of two, so that parts of a
/// run time are exact.
fn stages() -> impl Strategy<Value = Stage> {
    let rest = (0u32..24, 1u32..9).prop_map(|(from, length)| (from * HOUR, length * HOUR));
    let rests = prop::collection::vec(prop::collection::vec(rest, 0..3), 0..5);
    let takes = prop::sample::select(vec![Takes::Box, Takes::Fill]);
    (1u32..5, 0u32..8, 1u32..60, takes, 0u32..3, rests).prop_map(
        |(units, power, minutes, takes, holds, rests)| Stage {
            hold: holds * 40 * MINUTE,
            rests: rests.into(),
            ..stage(units, 1 << power, minutes * MINUTE, takes)
        },
    )
}

/// Stages with their lots, some of them single tubes of recalls; many at the same time.
fn stages_with_lots() -> impl Strategy<Value = (Stage, Vec<(usize, Lot)>)> {
    let draws = prop::collection::vec((0u32..40, 0u32..30, 0u32..150, 0u32..5), 1..60);
    (stages(), draws).prop_map(|(stage, draws)| {
        let of = |&(half, minute, part, what): &Draw| {
            let (ready, tubes) = (half * HOUR / 2 + minute * MINUTE, 1 + stage.batch * part / 64);
            if what == 0 { single(ready, tubes) } else { lot(ready, tubes) }
        };
        let mut lots: Vec<_> = draws.iter().map(of).collect();
        lots.sort_by_key(|(_, lot)| lot.ready);
        (stage, lots)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_stage_does_what_tubes_do_one_by_one(
        (stage, lots) in stages_with_lots(),
        priority_hold in 0..HOUR,
    ) {
        let (runs, waited, busy) = reference(&stage, priority_hold, &lots);
        let (out, passed) = through(&stage, priority_hold, &lots);
        let ran = |(lane, lot): &(usize, Lot)| {
            Ran { end: lot.ready, lane: *lane, tubes: lot.tubes, singles: lot.singles }
        };
        prop_assert_eq!(out.iter().map(ran).collect::<Vec<_>>(), runs.clone());
        prop_assert_eq!((passed.waited, passed.busy), (waited, busy));
        prop_assert_eq!(passed.runs, runs.len() as u64);
        prop_assert!(passed.adds_up());
    }

    #[test]
    fn it_does_not_matter_in_which_slices_of_time_a_stage_is_driven(
        (stage, lots) in stages_with_lots(),
        slice in 1u32..200,
    ) {
        let (whole, _) = through(&stage, HOUR / 4, &lots);
        let mut station = station(&stage, HOUR / 4);
        let mut sliced = Vec::new();
        let (mut next, mut until) = (0, 0);
        while next < lots.len() || !station.is_empty() {
            until += slice * MINUTE;
            while lots.get(next).is_some_and(|(_, lot)| lot.ready < until) {
                station.push(lots[next].0, lots[next].1);
                next += 1;
            }
            station.advance(&stage, until, &mut |lane, lot| sliced.push((lane, lot)));
        }
        prop_assert_eq!(sliced, whole);
    }
}
