//! What the rules make of streets with a pool size of their own, of shifts, of the derate, and of labs of other cities.

use super::*;

const HOUR: u64 = 3600;

fn shift(from: u64, to: u64, percent: u64) -> Shift {
    Shift { from_s: from * HOUR, to_s: to * HOUR, percent }
}

#[test]
fn tubes_and_counts_are_rounded_up_street_by_street() {
    // persons and pool size of three streets of a district with ten in a tube; tubes, sites, desks and samplers by hand
    for (streets, tubes, sites, desks, samplers) in [
        // One street: as the district alone.
        (vec![(3001, None)], 301, (2, 2), (4, 6), 9),
        (vec![(3001, Some(20))], 151, (2, 2), (4, 6), 9),
        // 100.1, 100.1, 100.1: three tubes more than the district in one would have.
        (vec![(1001, None), (1001, None), (1001, None)], 303, (3, 3), (6, 6), 9),
        // 1001 + 51 + 101 tubes.
        (vec![(1001, Some(1)), (1001, Some(20)), (1001, None)], 1153, (3, 3), (6, 6), 9),
    ] {
        let mut east = district("1", streets.iter().map(|s| s.0).sum(), 50);
        east.streets = streets
            .iter()
            .enumerate()
            .map(|(i, &(people, pool))| Street { pool, ..street(&i.to_string(), people, None) })
            .collect();
        let plan = solve(&city(vec![east], vec![lab("L", &["1"], 9)]), 24);
        let d = &plan.districts[0];
        assert_eq!((d.tubes, d.samplers), (tubes, samplers), "{streets:?}");
        assert_eq!((d.sites.low, d.sites.high), sites, "{streets:?}");
        assert_eq!((d.desks.low, d.desks.high), desks, "{streets:?}");
        let pools = streets.iter().map(|s| s.1.unwrap_or(10));
        assert_eq!((Some(d.pool), Some(d.pool_most)), (pools.clone().min(), pools.max()));
        assert_eq!((plan.total.tubes, d.reserve), (tubes, 10 * tubes));
        assert_eq!(d.labs.iter().map(|l| l.1).sum::<u64>(), tubes);
    }
}

#[test]
fn the_city_is_divided_once_for_each_pool_size() {
    // Persons and pool size of districts; tubes of the city as one, and the smallest and largest size.
    for (districts, tubes, pool) in [
        (vec![(1001, None), (1001, None)], 201, (10, 10)),
        // Not the norm's size, which nobody has here: 100.1.
        (vec![(1001, Some(20)), (1001, Some(20))], 101, (20, 20)),
        // 50 and 51 single, 1,001 and 1,001 by twenty: 101 + 100.1. Ten to a tube would be 211.
        (vec![(50, Some(1)), (1001, Some(20)), (51, Some(1)), (1001, Some(20))], 202, (1, 20)),
        // Where nobody lives no size counts.
        (vec![(1001, None), (0, Some(1))], 101, (10, 10)),
    ] {
        let there = districts
            .iter()
            .enumerate()
            .map(|(i, &(people, pool))| District { pool, ..district(&i.to_string(), people, 50) });
        let c = solve(&city(there.collect(), vec![lab("L", &["0"], 9)]), 24).total.ceilings;
        assert_eq!((c.tubes, c.pool.low, c.pool.high), (tubes, pool.0, pool.1), "{districts:?}");
    }
    // Streets count by their own size, and the district's does not.
    let mut east = district("1", 2002, 50);
    east.streets = vec![street("a", 1001, None), street("b", 1001, None)];
    east.streets[1].pool = Some(1);
    let c = solve(&city(vec![east], vec![lab("L", &["1"], 9)]), 24).total.ceilings;
    assert_eq!((c.tubes, c.pool.low, c.pool.high), (101 + 1001, 1, 10));
}

#[test]
fn a_street_in_a_sealed_zone_takes_its_zones_pool_size() {
    let mut east = district("1", 2000, 50);
    east.streets = vec![street("a", 1000, None), street("b", 1000, None)];
    east.streets[1].zone = Some("sealed".to_owned());
    let mut town = city(vec![east], vec![lab("L", &["1"], 9)]);
    let title = Words::new("封控区", "sealed");
    town.norm.zones = vec![ZoneNorm { key: "sealed".to_owned(), title, pool: n(1) }];
    assert_eq!(solve(&town, 24).total.tubes, 100 + 1000);
}

#[test]
fn the_roll_is_counted_shift_by_shift() {
    // shifts, persons on the roll of cabinets that take two each, cabinets of 10 that work
    for (shifts, staff, working) in [
        (vec![], 60, 10),
        (vec![], 59, 9),
        // Two shifts of twelve hours take two thirds of the people of three.
        (vec![shift(8, 20, 100), shift(20, 8, 100)], 40, 10),
        (vec![shift(8, 20, 100), shift(20, 8, 100)], 39, 9),
        // Half of them at night: 2 · (10 + 5).
        (vec![shift(8, 20, 100), shift(20, 8, 50)], 30, 10),
        // 9 units take 9 + 5 teams, 8 take 8 + 4.
        (vec![shift(8, 20, 100), shift(20, 8, 50)], 29, 9),
        (vec![shift(8, 20, 100), shift(20, 8, 50)], 27, 8),
        (vec![shift(8, 20, 100)], 3, 1),
        (vec![shift(8, 20, 100)], 1, 0),
    ] {
        let mut there = lab("L", &["1"], 10);
        there.shifts = shifts.clone();
        there.stages[StageKind::Decap.index()].staff = staff;
        let town = city(vec![], vec![there]);
        let c = lab_capacity(&town, &town.labs[0], 24 * HOUR);
        let decap = c.stages[StageKind::Decap.index()];
        assert_eq!((decap.units, decap.units_working), (10, working), "{shifts:?} {staff}");
    }
}

#[test]
fn units_that_a_shift_does_not_man_stand_still() {
    // The round starts at six. Shifts, hours of the target, minutes of the first unit, whole runs of 45 min of ten units.
    for (shifts, hours, minutes, runs) in [
        (vec![], 48, 48 * 60 - 377, 10 * 55),
        // From eight to eight, twice: 24 h.
        (vec![shift(8, 20, 100)], 48, 24 * 60, 10 * 32),
        // Five of ten also at night: these have the whole time less the way of 376.4 min.
        (vec![shift(8, 20, 100), shift(20, 8, 50)], 48, 48 * 60 - 377, 5 * 55 + 5 * 32),
        // The shift begins two hours after the round: ten hours of the first twelve, of which the way leaves less.
        (vec![shift(8, 20, 100)], 12, 12 * 60 - 377, 10 * 7),
        (vec![shift(16, 20, 100)], 12, 120, 10 * 2),
        (vec![shift(20, 24, 100)], 12, 0, 0),
    ] {
        let mut there = lab("L", &["1"], 10);
        there.shifts = shifts.clone();
        let town = city(vec![], vec![there]);
        let c = lab_capacity(&town, &town.labs[0], hours * HOUR);
        let decap = c.stages[StageKind::Decap.index()];
        assert_eq!((decap.window_s / 60, decap.runs), (minutes, runs), "{shifts:?} {hours}");
    }
}

#[test]
fn instruments_keep_the_labs_own_day() {
    let mut there = lab("L", &["1"], 10);
    for (day, minutes) in [
        (None, 18 * 60),
        (Some(InstrumentDay::Staggered { hours: 12 }), 12 * 60),
        (Some(InstrumentDay::Window { from_s: 8 * HOUR, to_s: 18 * HOUR }), 10 * 60),
        // Before the round starts and after midnight: 22–24 and 0–6 of the first day.
        (Some(InstrumentDay::Window { from_s: 22 * HOUR, to_s: 7 * HOUR }), 9 * 60),
    ] {
        there.instrument_day = day;
        let town = city(vec![], vec![there.clone()]);
        let c = lab_capacity(&town, &town.labs[0], 24 * HOUR);
        assert_eq!(c.stages[StageKind::Pcr.index()].window_s / 60, minutes, "{day:?}");
    }
}

#[test]
fn staffed_stages_do_the_derate_of_their_lab_and_instruments_their_hours() {
    let mut there = lab("L", &["1"], 10);
    let town = |there: &Lab| city(vec![], vec![there.clone()]);
    let at = |there: &Lab, kind: StageKind| {
        let town = town(there);
        lab_capacity(&town, &town.labs[0], 24 * HOUR).stages[kind.index()].tubes
    };
    // 1,440 min less 376.4 of the way elsewhere are 23 runs of 45 min; 85 % is the norm's.
    assert_eq!(at(&there, StageKind::Decap), 10 * 23 * 94 * 85 / 100);
    assert_eq!(at(&there, StageKind::Pcr), 10 * 10 * 94);
    there.derate = Some(n(500));
    assert_eq!(at(&there, StageKind::Decap), 10 * 23 * 94 / 2);
    assert_eq!(at(&there, StageKind::Pcr), 10 * 10 * 94);
}

#[test]
fn labs_of_other_cities_take_only_what_the_own_ones_cannot() {
    let mut far = lab("F", &["1"], 40);
    far.outside = true;
    let plan = |people: u64, own: u64| {
        solve(
            &city(vec![district("1", people, 9999)], vec![lab("L", &["1"], own), far.clone()]),
            24,
        )
    };
    let small = plan(100_000, 20);
    assert_eq!((small.labs[0].load, small.labs[1].load), (10_000, 0));
    assert_eq!((small.labs[0].outside, small.labs[1].outside), (false, true));
    let large = plan(400_000, 20);
    let room = large.total.lab_tubes;
    assert_eq!(large.labs[0].capacity.tubes, room, "the total counts the city's own");
    assert_eq!(large.labs[0].load, room, "the own lab is full before any tube leaves");
    assert_eq!(
        (large.labs[1].load, large.total.tubes_sent_outside),
        (40_000 - room, 40_000 - room)
    );
    assert_eq!(large.total.outside_tubes, large.labs[1].capacity.tubes);
    assert!(large.verdict.yes);
    // What nobody can take is asked of the city's own lab, however small it is.
    let huge = plan(3_000_000, 1);
    assert!(huge.labs[0].beyond > 0 && huge.labs[1].beyond == 0);
    assert!(huge.shortages.iter().all(|line| line.place != "F"));
}

#[test]
fn a_street_that_sends_elsewhere_is_counted_where_it_sends() {
    let mut east = district("1", 40_000, 500);
    east.streets = vec![street("a", 30_000, None), street("b", 10_000, None)];
    let west = district("2", 10_000, 500);
    // Both labs could do their own district's; the second one has little to spare.
    let own = city(vec![east, west], vec![lab("L", &["1"], 9), lab("M", &["2"], 3)]);
    let sent = |street: &str, lab| Sent { street: street.to_owned(), lab };
    let before = solve(&own, 24);
    assert!(before.verdict.yes, "{:?}", before.verdict.binding);
    assert_eq!(
        before,
        solve_sent(&own, 24, &[sent("1/c", 1), sent("3", 0)]),
        "nobody of that name"
    );

    // The smaller street fits, the larger does not: the verdict is that of the lab that gets the tubes.
    let small = solve_sent(&own, 24, &[sent("1/b", 1)]);
    assert!(small.verdict.yes);
    assert_eq!([small.labs[0].load, small.labs[1].load], [3000, 2000]);
    let large = solve_sent(&own, 24, &[sent("1/b", 0), sent("1/a", 1)]);
    let can = large.labs[1].capacity.tubes;
    assert!(can < 4000 && !large.verdict.yes && large.verdict.minutes > before.verdict.minutes);
    assert_eq!([large.labs[0].load, large.labs[1].load], [1000, can]);
    // What it cannot take has no other lab, though the first one stands idle.
    assert_eq!(large.labs[1].beyond, 4000 - can);
    let unmet = large.districts.iter().map(|d| d.tubes_unmet).sum::<u64>();
    assert_eq!(unmet, 4000 - can);
    // Everything is still counted once.
    assert_eq!(large.total.tubes, before.total.tubes);
    for plan in [&small, &large] {
        for d in &plan.districts {
            let dealt = d.labs.iter().map(|lab| lab.1).sum::<u64>();
            assert_eq!(dealt + d.tubes_unmet, d.tubes, "{}", d.code);
        }
    }
    // The last word holds, and a street may send to a lab that serves it anyway.
    assert_eq!(solve_sent(&own, 24, &[sent("1/a", 1), sent("1/a", 0)]).verdict, before.verdict);
    // A district without streets by its own code.
    let all = solve_sent(&own, 24, &[sent("2", 0)]);
    assert_eq!([all.labs[0].load, all.labs[1].load], [5000, 0]);
}
