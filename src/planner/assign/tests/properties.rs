//! What holds for every city.

use proptest::prelude::*;

use super::*;
use crate::planner::assign::dinic::Flow;

const CASES: u32 = 192;

/// Up to 12 streets and 5 labs; the last lab works and can be reached by all.
fn cities() -> impl Strategy<Value = Problem> {
    let lab_of = (prop_oneof![1 => Just(0.0), 6 => 0.5..40.0], 0.0..6.0);
    let street_of = (prop_oneof![1 => Just(0), 8 => 1u64..300], 0u32..32, 1u32..50);
    (prop::collection::vec(lab_of, 1..=5), prop::collection::vec(street_of, 0..12)).prop_map(
        |(labs, streets)| {
            let mut labs: Vec<Lab> = labs.into_iter().map(|(rate, s)| lab(rate, s)).collect();
            let last = labs.len() - 1;
            labs[last].rate += 1.0;
            let street_of = |(tubes, mask, km): (u64, u32, u32)| {
                let ways: Vec<(usize, f64)> = (0..=last)
                    .filter(|&lab| mask >> lab & 1 == 1 || lab == last)
                    .map(|lab| (lab, f64::from((km * 7 + lab as u32 * 13) % 50)))
                    .collect();
                street(tubes, &ways)
            };
            problem(labs, streets.into_iter().map(street_of).collect())
        },
    )
}

/// T of the worst set of streets, by trying every set.
fn least_by_hand(p: &Problem) -> f64 {
    let busy: Vec<&Street> = p.streets.iter().filter(|street| street.tubes > 0).collect();
    let mut worst = 0.0_f64;
    for set in 1u32..1 << busy.len() {
        let of = |i: &usize| set >> i & 1 == 1;
        let need: u64 = (0..busy.len()).filter(of).map(|i| busy[i].tubes).sum();
        let reached = |lab: usize| {
            (0..busy.len()).filter(of).any(|i| busy[i].ways.iter().any(|way| way.lab == lab))
        };
        let labs: Vec<&Lab> =
            (0..p.labs.len()).filter(|&lab| reached(lab)).map(|lab| &p.labs[lab]).collect();
        let done =
            |h: f64| labs.iter().map(|l| l.rate * (h - l.head_start_h).max(0.0)).sum::<f64>();
        let (mut low, mut high) = (0.0, 1e5);
        for _ in 0..80 {
            let middle = (low + high) / 2.0;
            if done(middle) < need as f64 { low = middle } else { high = middle }
        }
        worst = worst.max(high);
    }
    worst
}

/// The earliest finish of whole streets, by trying every choice.
fn best_by_hand(p: &Problem, street: usize, load: &mut Vec<u64>) -> f64 {
    let Some(it) = p.streets.get(street) else {
        let done = |(lab, &load): (usize, &u64)| match load {
            0 => 0.0,
            _ => p.labs[lab].head_start_h + load as f64 / p.labs[lab].rate,
        };
        return load.iter().enumerate().map(done).fold(0.0, f64::max);
    };
    if it.tubes == 0 {
        return best_by_hand(p, street + 1, load);
    }
    let mut best = f64::INFINITY;
    for way in it.ways.iter().filter(|way| p.labs[way.lab].rate > 0.0) {
        load[way.lab] += it.tubes;
        best = best.min(best_by_hand(p, street + 1, load));
        load[way.lab] -= it.tubes;
    }
    best
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn the_largest_flow_is_the_smallest_cut(
        p in cities(),
        room in prop::collection::vec(0u64..400, 5),
    ) {
        let net = Net::new(&p, |_, _| true);
        let room = room[..p.labs.len()].to_vec();
        let mut flow = Flow::new(&net, net.tubes.clone(), room.clone());
        flow.fill();
        let placed: u64 = flow.sent.iter().sum();
        // For every set of labs cut off: their room, and the tubes that can go nowhere but there, or all others.
        let cut = |labs: u32| {
            let only = |i: &usize| net.arcs_of(*i).all(|arc| labs >> net.lab_of[arc] & 1 == 1);
            let free: u64 = (0..net.streets()).filter(|i| !only(i)).map(|i| net.tubes[i]).sum();
            let full: u64 = (0..net.labs()).filter(|lab| labs >> lab & 1 == 1).map(|l| room[l]).sum();
            free + full
        };
        prop_assert_eq!(placed, (0u32..1 << net.labs()).map(cut).min().unwrap());
        prop_assert_eq!(placed + flow.unsent(), p.tubes());
        for (lab, room) in room.iter().enumerate() {
            let into: u64 = net.arcs_into(lab).iter().map(|&arc| flow.sent[arc]).sum();
            prop_assert_eq!(into + flow.free[lab], *room);
        }
        for street in 0..net.streets() {
            let out: u64 = net.arcs_of(street).map(|arc| flow.sent[arc]).sum();
            prop_assert_eq!(out + flow.left[street], net.tubes[street]);
        }
    }

    #[test]
    fn the_bound_is_the_worst_set_of_streets(p in cities()) {
        let b = bound(&p).unwrap();
        let by_hand = least_by_hand(&p);
        prop_assert!((b.hours - by_hand).abs() < 1e-6 * (1.0 + by_hand), "{} {by_hand}", b.hours);
    }

    #[test]
    fn the_cut_alone_gives_the_bound(p in cities()) {
        let b = bound(&p).unwrap();
        prop_assert_eq!(b.cuts.is_empty(), p.tubes() == 0);
        for cut in &b.cuts {
            let done = |&lab: &usize| p.labs[lab].rate * (b.hours - p.labs[lab].head_start_h);
            let tubes: u64 = cut.streets.iter().map(|&street| p.streets[street].tubes).sum();
            prop_assert_eq!(tubes, cut.tubes);
            prop_assert!((cut.labs.iter().map(done).sum::<f64>() - tubes as f64).abs() < 1e-4);
            // The streets can reach no other lab that works before T*.
            for way in cut.streets.iter().flat_map(|&street| &p.streets[street].ways) {
                let lab = &p.labs[way.lab];
                let late = lab.rate == 0.0 || lab.head_start_h >= b.hours;
                prop_assert!(late || cut.labs.contains(&way.lab));
            }
        }
    }

    #[test]
    fn more_rate_never_takes_longer(p in cities(), which in 0usize..5, by in 0.1f64..50.0) {
        let before = bound(&p).unwrap().hours;
        let mut faster = p.clone();
        faster.labs[which % p.labs.len()].rate += by;
        prop_assert!(bound(&faster).unwrap().hours <= before * (1.0 + 1e-9));
    }

    #[test]
    fn no_tube_is_lost_or_too_late(
        p in cities(),
        slack in 0.0f64..0.3,
        floor_h in prop_oneof![Just(0.0), 0.0f64..40.0, Just(f64::INFINITY)],
        target_h in prop::option::of(1.0f64..40.0),
        other in 0usize..10,
    ) {
        let mut p = p;
        if let Some(lab) = p.labs.get_mut(other) {
            lab.outside = true;
        }
        let s = shares(&p, &Options { target_h, slack, floor_h }).unwrap();
        for (i, street) in p.streets.iter().enumerate() {
            let all: u64 = s.sent.iter().filter(|share| share.street == i).map(|s| s.tubes).sum();
            prop_assert_eq!(all, street.tubes);
        }
        for (lab, load) in s.labs.iter().enumerate().filter(|(_, load)| load.tubes > 0) {
            prop_assert!(load.finish_h <= s.within_h + 1.0 / p.labs[lab].rate + 1e-9);
        }
        prop_assert_eq!(s.labs.iter().map(|lab| lab.tubes).sum::<u64>(), p.tubes());
    }

    #[test]
    fn no_exchange_of_tubes_shortens_the_ways(p in cities(), slack in 0.0f64..0.3) {
        // A flow is cheapest if and only if no round of moves within the rooms is cheaper (Bellman and Ford).
        let s = shares(&p, &Options { target_h: None, slack, ..Options::default() }).unwrap();
        let net = Net::new(&p, |_, _| true);
        let room = net.rooms(|_| s.within_h);
        let labs = net.labs();
        let mut far = vec![vec![f64::INFINITY; labs + 1]; labs + 1];
        for share in &s.sent {
            for way in p.streets[share.street].ways.iter().filter(|w| p.labs[w.lab].rate > 0.0) {
                let step = way.km - share.km;
                far[share.lab][way.lab] = far[share.lab][way.lab].min(step);
            }
        }
        for lab in 0..labs {
            // Place `labs` stands for room: from a lab with room left, into a lab with tubes.
            if s.labs[lab].tubes < room[lab] {
                far[lab][labs] = 0.0;
            }
            if s.labs[lab].tubes > 0 {
                far[labs][lab] = 0.0;
            }
        }
        for by in 0..=labs {
            for from in 0..=labs {
                for to in 0..=labs {
                    far[from][to] = far[from][to].min(far[from][by] + far[by][to]);
                }
            }
        }
        prop_assert!((0..=labs).all(|lab| far[lab][lab] > -1e-6));
    }

    /// Megiddo 1974: an assignment is lexicographically least if no tube could go to a lab that is due earlier. With what is due
    /// found anew here, from where the tubes went.
    #[test]
    fn no_tube_waits_for_a_lab_while_another_of_its_street_is_done_sooner(
        p in cities(),
        floor_h in prop_oneof![Just(0.0), 0.0f64..40.0],
    ) {
        let options = Options { slack: 0.0, floor_h, ..Options::default() };
        let a = solve(&p, &options, None).unwrap();
        // The last lab is no later for it.
        prop_assert_eq!(a.bound.hours, bound(&p).unwrap().hours);
        // A lab may be over by the last tube of a whole number, once for each level that it could be in.
        let spare_h = |lab: usize| (p.labs.len() as f64 + 1.0) / p.labs[lab].rate + 1e-6;
        for share in &a.shares.sent {
            let end_h = a.shares.labs[share.lab].finish_h - spare_h(share.lab);
            for way in p.streets[share.street].ways.iter().filter(|way| p.labs[way.lab].rate > 0.0) {
                let lab = &p.labs[way.lab];
                let load = a.shares.labs[way.lab].tubes;
                let other_h = lab.head_start_h + load as f64 / lab.rate + spare_h(way.lab);
                prop_assert!(other_h >= end_h || end_h <= floor_h, "{share:?} {end_h} {way:?} {other_h}");
            }
        }
        for pair in a.then.windows(2) {
            prop_assert!(pair[0].hours >= pair[1].hours);
        }
        prop_assert!(a.then.iter().all(|then| then.hours <= a.bound.hours && then.hours > options.floor_h));
    }

    /// Whole streets as divided ones: the last lab is no later for the others' sake, but for what is not divided.
    #[test]
    fn level_by_level_whole_streets_end_no_later(p in cities()) {
        prop_assume!(p.streets.len() <= 7);
        let options = Options { floor_h: 0.0, ..Options::default() };
        let a = solve(&p, &options, None).unwrap();
        let best = best_by_hand(&p, 0, &mut vec![0; p.labs.len()]);
        prop_assert!(a.whole.finish_h >= best * (1.0 - 1e-9));
        prop_assert!(a.whole.finish_h <= best * 1.1, "{} {best}", a.whole.finish_h);
        prop_assert_eq!(a.whole.labs.iter().map(|lab| lab.tubes).sum::<u64>(), p.tubes());
    }

    #[test]
    fn one_to_one_lies_between_the_bound_and_the_best(p in cities()) {
        prop_assume!(p.streets.len() <= 7);
        let a = solve(&p, &Options::default(), None).unwrap();
        prop_assert!(a.whole.gap >= -1e-9);
        prop_assert!(a.whole.least_h >= a.bound.hours);
        let best = best_by_hand(&p, 0, &mut vec![0; p.labs.len()]);
        prop_assert!(best >= a.bound.hours * (1.0 - 1e-9));
        prop_assert!(a.whole.finish_h >= best * (1.0 - 1e-9));
        // The search is no proof, but on a city as small as this it is never far off.
        prop_assert!(a.whole.finish_h <= best * 1.1, "{} {best}", a.whole.finish_h);
        for (street, lab) in p.streets.iter().zip(&a.whole.lab_of) {
            prop_assert!(street.tubes == 0 || street.ways.iter().any(|way| Some(way.lab) == *lab));
        }
    }

    #[test]
    fn no_street_has_a_shorter_way_that_is_free(p in cities()) {
        let a = solve(&p, &Options::default(), None).unwrap();
        for (i, street) in p.streets.iter().enumerate().filter(|(_, street)| street.tubes > 0) {
            let Some(own) = street.ways.iter().find(|way| Some(way.lab) == a.whole.lab_of[i]) else {
                return Err(TestCaseError::fail("a street has no way to its lab"));
            };
            for way in street.ways.iter().filter(|way| way.km < own.km) {
                let lab = &p.labs[way.lab];
                let load = a.whole.labs[way.lab].tubes + street.tubes;
                let full = lab.head_start_h + load as f64 / lab.rate > a.whole.finish_h;
                prop_assert!(lab.rate == 0.0 || full, "street {i} to lab {}", way.lab);
            }
        }
    }

    #[test]
    fn solving_what_is_solved_changes_nothing(
        p in cities(),
        target in prop::option::of(1.0f64..40.0),
        other in 0usize..5,
        floor_h in prop_oneof![Just(0.0), 0.0f64..40.0, Just(f64::INFINITY)],
    ) {
        let mut p = p;
        let which = other % p.labs.len();
        p.labs[which].outside = other < p.labs.len();
        let options = Options { target_h: target, floor_h, ..Options::default() };
        let first = solve(&p, &options, None).unwrap();
        let again = solve(&p, &options, Some(&first.whole.lab_of)).unwrap();
        prop_assert_eq!(first, again);
    }

    #[test]
    fn outside_takes_no_more_than_what_the_city_cannot(
        p in cities(),
        target in 0.5f64..40.0,
        other in 0usize..5,
        floor_h in prop_oneof![Just(0.0), Just(f64::INFINITY)],
    ) {
        let mut p = p;
        let other = other % p.labs.len();
        p.labs[other].outside = true;
        let options = Options { target_h: Some(target), slack: 0.0, floor_h };
        let a = solve(&p, &options, None).unwrap();
        let net = Net::new(&p, |_, lab| lab != other);
        let mut flow = Flow::new(&net, net.tubes.clone(), net.rooms(|_| a.shares.within_h));
        flow.fill();
        if floor_h > 0.0 || a.aim_h <= target {
            prop_assert_eq!(a.overflow.tubes, flow.unsent());
        } else {
            // What is late anyhow is late by less where others help.
            prop_assert!(a.overflow.tubes >= flow.unsent());
        }
        // The aim is not later than the target if any assignment is not.
        let all = a.bound_with_outside.unwrap().hours;
        prop_assert!(a.aim_h <= all.max(target));
        prop_assert!(a.aim_h >= all);
        // Nothing ends before the bound that is told, whoever helps.
        prop_assert!(a.whole.gap >= -1e-9 && a.whole.bound_h >= all, "{}", a.whole.gap);
        prop_assert!(a.whole.bound_h <= a.aim_h && a.whole.least_h >= a.whole.bound_h);
    }

    #[test]
    fn redispatch_keeps_its_promises(
        p in cities(),
        backlog in prop::collection::vec(0u64..200, 5),
        now in prop::collection::vec(prop::option::of(0usize..5), 12),
        penalty_min in 0.0f64..200.0,
        other in 0usize..10,
        target_h in prop::option::of(1.0f64..40.0),
    ) {
        let mut p = p;
        if let Some(lab) = p.labs.get_mut(other) {
            lab.outside = true;
        }
        let options = Options { target_h, ..Options::default() };
        let (backlog, now) = (&backlog[..p.labs.len()], &now[..p.streets.len()]);
        let standing = Standing { left: &p, backlog, current: now, penalty_min };
        let first = redispatch(&standing, &options).unwrap();
        prop_assert!(first.settled);
        prop_assert!(first.gap >= -1e-9 && first.least_h <= first.aim_h, "{}", first.gap);
        prop_assert!(first.finish_before_h.is_none_or(|h| first.finish_h <= h * (1.0 + 1e-9)));
        let again = redispatch(
            &Standing { current: &first.lab_of, ..standing },
            &options,
        ).unwrap();
        prop_assert_eq!(&again.lab_of, &first.lab_of);
        prop_assert!(again.moved.is_empty());
        for moved in &first.moved {
            let Some((gain, from)) = moved.gain_min.zip(moved.from) else { continue };
            // Going back alone would cost more than the penalty, or end later than if nobody had changed.
            let lab = &p.labs[from];
            let busy = backlog[from] as f64 / lab.rate;
            let load = first.labs[from].tubes + moved.tubes;
            let back = lab.head_start_h.max(busy) + load as f64 / lab.rate;
            let too_late = first.finish_before_h.is_none_or(|before| back > before);
            prop_assert!(gain >= penalty_min - 1e-3 || too_late, "{moved:?}");
        }
    }
}
