//! Golden figures, one line per fact, and single cases.

use super::*;

fn one_unit(people: u64) -> Totals {
    solve(&city(vec![district("1", people, 0)], vec![lab("L", &["1"], 1)]), 24).total
}

#[test]
fn city_level_ceilings_are_those_of_the_guide() {
    // place, persons, sites, desks, samplers, tubes
    for (place, people, sites, desks, samplers, tubes) in [
        ("Chifeng", 4_035_967, (1346, 2018), (5045, 6727), 11_212, 403_597),
        ("Kunming", 8_460_088, (2821, 4231), (10_576, 14_101), 23_501, 846_009),
        ("Jiyuan", 727_265, (243, 364), (910, 1213), 2021, 72_727),
        ("Qilin", 996_279, (333, 499), (1246, 1661), 2768, 99_628),
    ] {
        let c = one_unit(people).ceilings;
        assert_eq!((c.sites.low, c.sites.high), sites, "{place}");
        assert_eq!((c.desks.low, c.desks.high), desks, "{place}");
        assert_eq!((c.samplers, c.tubes), (samplers, tubes), "{place}");
    }
}

#[test]
fn the_published_site_and_sampler_counts_are_met() {
    // place, persons, published sites, how far the published round figures may lie off (per cent)
    for (place, people, low, high) in [
        ("Beijing", 21_890_000, 7_000, 11_000),
        ("Shenzhen", 17_560_000, 6_000, 9_000),
        ("50 cities", 529_000_000, 180_000, 270_000),
    ] {
        let c = one_unit(people).ceilings;
        assert!(c.sites.low.abs_diff(low) * 100 <= low * 5, "{place} {}", c.sites.low);
        assert!(c.sites.high.abs_diff(high) * 100 <= high * 5, "{place} {}", c.sites.high);
    }
    let c = one_unit(21_890_000).ceilings;
    assert_eq!((c.sites.low, c.sites.high), (7_297, 10_945));
    let c = one_unit(17_560_000).ceilings;
    assert_eq!((c.sites.low, c.sites.high), (5_854, 8_780));
    assert_eq!(one_unit(529_000_000).ceilings.samplers.div_ceil(10_000), 147);
}

#[test]
fn the_worked_example_of_chifeng_comes_out() {
    let t = one_unit(4_035_967);
    assert_eq!(t.tubes / 18, 22_422);
    assert_eq!(t.reserve, 4_035_970);
    assert_eq!(t.reserve_physical, 2_421_582);
    let mut twenty = district("1", 4_035_967, 0);
    twenty.pool = Some(20);
    let plan = solve(&city(vec![twenty], vec![lab("L", &["1"], 1)]), 24);
    assert_eq!(plan.total.tubes, 201_799);
}

#[test]
fn capacity_counts_whole_runs_of_plates_with_controls() {
    // units, cycle in minutes, hours, tubes
    for (units, minutes, hours, tubes) in [
        (5, 90, 18, 5640),
        (5, 100, 18, 4700),
        (5, 108, 18, 4700),
        (5, 110, 18, 4230),
        (5, 120, 18, 4230),
        (1, 20, 18, 5076),
        (1, 25, 18, 4042),
        (1, 28, 18, 3572),
        (1, 30, 18, 3384),
        (1, 35, 18, 2820),
        // WHO ESFT: 2, 4 and 6 runs in 8, 16 and 24 h.
        (1, 240, 8, 188),
        (1, 240, 16, 376),
        (1, 240, 24, 564),
    ] {
        let runs = whole_runs(hours * 3600, minutes * 60);
        assert_eq!(units * runs * 94, tubes, "{units} × {minutes} min in {hours} h");
    }
}

fn guandu() -> Claim {
    Claim {
        place: Words::new("官渡区疾控中心", "Guandu CDC"),
        cyclers: 5,
        extractors: 1,
        tubes: 3600,
        origin: origin(),
    }
}

#[test]
fn the_guandu_letter_is_extractor_bound() {
    let e = explain(&guandu(), &norm());
    assert_eq!((e.extraction.runs, e.extraction.tubes), (38, 3572));
    assert_eq!((e.pcr.runs, e.pcr.tubes), (10, 4700));
    assert_eq!((e.binding, e.tubes), (StageKind::Extract, 3572));
    assert_eq!((e.consistent_from, e.consistent_to, e.consistent), (3550, 3649, true));
    // 27′42″ to 28′25″ with controls taken off; up to 29′11″ with all 96 wells.
    assert_eq!(e.extractor_cycle, Some(1662..=1705));
    assert_eq!(e.extractor_cycle_all_wells, Some(1662..=1751));
    // Up to 135 min the five cyclers do at least what the extractor does.
    assert_eq!(e.cycler_cycle_max, Some(8100));
    // Split runs: 37.5 × 96 = 3,600 at 28.8 min; whole runs of the same: 37 × 96.
    assert_eq!(e.fractional_cycle_tenths, Some(288));
    assert_eq!(e.fractional_cycle_whole_runs, Some(3552));
}

#[test]
fn the_edges_of_the_guandu_ranges_are_exact() {
    let at = |extract_s: u64, pcr_s: u64| {
        let mut norm = norm();
        norm.stages[StageKind::Extract.index()].run_s = n(extract_s);
        norm.stages[StageKind::Extract.index()].load_s = n(0);
        norm.stages[StageKind::Pcr.index()].run_s = n(pcr_s);
        explain(&guandu(), &norm)
    };
    assert!(!at(1661, 6480).consistent && at(1662, 6480).consistent);
    assert!(at(1705, 6480).consistent && !at(1706, 6480).consistent);
    assert_eq!(at(1680, 8100).binding, StageKind::Extract);
    assert_eq!(at(1680, 8101).binding, StageKind::Pcr);
}

#[test]
fn a_claim_without_machines_explains_nothing_and_does_not_fail() {
    let e = explain(&Claim { cyclers: 0, extractors: 0, tubes: 0, ..guandu() }, &norm());
    assert_eq!((e.tubes, e.extractor_cycle, e.cycler_cycle_max), (0, None, None));
}

#[test]
fn the_lab_names_the_stage_with_the_least_tubes() {
    let mut l = lab("L", &["1"], 10);
    l.stages[StageKind::Pcr.index()].units = 50;
    l.stages[StageKind::Decap.index()].units = 30;
    l.stages[StageKind::Decap.index()].staff = 180;
    let town = city(vec![], vec![l]);
    let c = lab_capacity(&town, &town.labs[0], 24 * 3600);
    // 24 h less 3 h to the first box less the other stages: inactivation 1,053 min, 30 runs.
    assert_eq!(c.stages[StageKind::Inactivate.index()].tubes, 10 * 30 * 94);
    assert_eq!(c.stages[StageKind::Pcr.index()].window_s, 18 * 3600);
    assert_eq!((c.binding, c.tubes), (StageKind::Inactivate, 28_200));
}

#[test]
fn cabinets_without_people_do_nothing() {
    let mut l = lab("L", &["1"], 10);
    l.stages[StageKind::Decap.index()].staff = 59;
    let town = city(vec![], vec![l]);
    let c = lab_capacity(&town, &town.labs[0], 24 * 3600);
    // A pair in three shifts is six persons: 59 persons run nine cabinets.
    assert_eq!(c.stages[StageKind::Decap.index()].units_working, 9);
}

#[test]
fn an_agreement_counts_only_with_its_deposit() {
    let mut d = district("1", 1000, 10);
    d.stock.tubes = Ledger { physical: 600, agreement: 400, deposit_paid: false };
    let short = |d: &District| {
        let plan = solve(&city(vec![d.clone()], vec![lab("L", &["1"], 9)]), 24);
        plan.shortages.iter().find(|s| s.item == Item::Tube).map(|s| (s.basis, s.need, s.short))
    };
    assert_eq!(short(&d), Some((Basis::AllRounds, 1000, 400)));
    d.stock.tubes.deposit_paid = true;
    assert_eq!(short(&d), None);
    // Enough in all, but not on the shelf.
    d.stock.tubes = Ledger { physical: 500, agreement: 500, deposit_paid: true };
    assert_eq!(short(&d), Some((Basis::PhysicalRounds, 600, 100)));
}

#[test]
fn without_tubes_for_one_round_the_round_cannot_be_held() {
    let mut d = district("1", 1000, 1000);
    d.stock.tubes = Ledger { physical: 99, agreement: 9999, deposit_paid: true };
    let plan = solve(&city(vec![d], vec![lab("L", &["1"], 9)]), 24);
    assert_eq!((plan.verdict.yes, plan.verdict.minutes), (false, None));
    assert_eq!(plan.verdict.binding.stage, ChainStage::TubeStock);
}

#[test]
fn a_district_without_a_lab_gets_a_mobile_one() {
    let c = city(vec![district("1", 50_000, 9)], vec![]);
    let plan = solve(&c, 24);
    assert!(!plan.verdict.yes);
    let filled = fill(&c, &plan);
    assert_eq!(filled.labs[0].code, "mobile-1");
    assert!(solve(&filled, 24).verdict.yes);
}

#[test]
fn a_target_shorter_than_the_way_is_never_met() {
    let c = city(vec![district("1", 1000, 1000)], vec![lab("L", &["1"], 9)]);
    let plan = solve(&c, 6);
    let filled = solve(&fill(&c, &plan), 6);
    assert!(!filled.verdict.yes);
    assert_eq!(filled.verdict.binding.stage, ChainStage::Way);
}

#[test]
fn a_small_city_has_the_same_shape() {
    let c = city(
        vec![district("1", 700_000, 900), district("2", 300_000, 400), district("3", 5, 0)],
        vec![lab("L", &["1", "2"], 20), lab("M", &["3"], 1)],
    );
    let small = c.scaled(10_000);
    let people: Vec<u64> = small.districts.iter().map(|d| d.population.value).collect();
    assert_eq!(people, vec![7_000, 3_000]);
    assert_eq!(small.population.value, 10_000);
    assert_eq!(small.labs.len(), 1);
    assert_eq!(small.labs[0].stage(StageKind::Decap).staff, 6);
    assert_eq!(c.scaled(0).population.value, 1);
}

#[test]
fn numbers_at_their_limits_do_not_overflow() {
    let huge = u64::MAX / 4;
    let mut d = district("1", 2_000_000_000, 1);
    d.have.desks = huge;
    d.have.samplers = huge;
    let mut l = lab("L", &["1"], 1);
    for stage in &mut l.stages {
        (stage.units, stage.staff, stage.run_s, stage.load_s) = (huge, huge, 0, 0);
    }
    let plan = solve(&city(vec![d], vec![l]), u32::MAX);
    assert_eq!(plan.total.tubes, 200_000_000);
}

#[test]
fn sampling_ends_early_enough_for_the_last_result() {
    // hours, minutes for sampling: 16 h of each day, or what the way of 421.4 min leaves of a short target
    for (target_h, seconds) in [(24, 16 * 3600), (48, 32 * 3600), (12, 17_916), (8, 3516), (7, 0)] {
        let c = city(vec![district("1", 1000, 9)], vec![lab("L", &["1"], 9)]);
        assert_eq!(solve(&c, target_h).districts[0].sampling_s, seconds, "{target_h} h");
    }
}

#[test]
fn days_of_cover_are_rounds_that_the_stock_lasts_at_one_a_day() {
    let ledger = |physical, agreement, deposit_paid| Ledger { physical, agreement, deposit_paid };
    for (ledger, tubes, tenths) in [
        (ledger(600, 400, false), 100, [60, 60]),
        (ledger(600, 400, true), 100, [60, 100]),
        (ledger(655, 0, false), 100, [65, 65]),
        (ledger(0, 100, false), 100, [0, 0]),
        (ledger(5, 0, false), 0, [u64::MAX, u64::MAX]),
        (ledger(u64::MAX, 0, false), 1, [u64::MAX, u64::MAX]),
    ] {
        assert_eq!(ledger.cover_tenths(tubes), tenths, "{ledger:?} for {tubes}");
    }
}
