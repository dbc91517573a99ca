//! The drill's own arithmetic: fates are disjoint, few, and enough; expected figures follow.

use super::expect::Expected;
use super::faults::{Fate, Faults, misread};
use super::labs::{Lab, WELLS_MAX, plate_ms};
use super::play::shares;
use super::played;
use super::saying::{Script, What};
use super::truth::Truth;
use super::truth::barcodes;
use super::truth::tests::truth;
use crate::cli::city_file;
use crate::planner;
use crate::planner::StageKind;
use crate::planner::model::Stage;
use crate::planner::round::lab_rate;
use std::collections::HashSet;

fn script(city: &str, people: Option<u64>, seed: u64) -> Script {
    let truth = truth(city, people, seed);
    let faults = Faults::choose(&truth);
    Script { truth, faults, labs: Vec::new() }
}

const CASES: [(&str, Option<u64>, u64); 8] = [
    ("chifeng", Some(5_000), 1),
    ("chifeng", Some(20_000), 1),
    ("chifeng", Some(40_000), 2),
    ("chifeng", Some(40_000), 3),
    ("chifeng", None, 1),
    ("jiyuan", None, 2),
    ("jiyuan", Some(20_000), 7),
    ("kunming", Some(60_000), 4),
];

#[test]
fn every_kind_of_fault_is_there_and_they_are_few() {
    use Fate::*;
    let kinds = [
        Duplicate,
        Offline,
        Reordered,
        Misread,
        Overfilled,
        UsedFirst,
        Lost,
        Rejected,
        Straggler,
        Vanished,
        Positive,
        SingleTarget,
        Grey,
        Invalid,
    ];
    for (city, people, seed) in CASES {
        let script = script(city, people, seed);
        for kind in kinds {
            let count = script.faults.count(kind);
            assert!(count >= 2, "{city} {people:?} {seed}: {count} of {kind:?}");
        }
        assert_eq!(script.faults.count(UsedFirst), script.faults.count(UsedSecond));
        let plain = script.faults.count(Plain);
        assert!(plain * 10 > u64::from(script.truth.slots) * 8, "{city} {people:?}: {plain}");
    }
}

#[test]
fn as_many_are_infected_as_the_guide_expects_of_a_screening() {
    for (city, people, seed) in CASES {
        let expected = Expected::of(&script(city, people, seed));
        let in_ten_thousand = expected.infected * 10_000 / expected.attending;
        assert!((1..=10).contains(&in_ten_thousand), "{city} {people:?}: {in_ten_thousand}");
    }
}

#[test]
fn expected_figures_are_those_of_the_slots() {
    for (city, people, seed) in CASES {
        let script = script(city, people, seed);
        let expected = Expected::of(&script);
        let slots = u64::from(script.truth.slots);
        let ended: u64 =
            [Fate::UsedFirst, Fate::UsedSecond, Fate::Lost, Fate::Rejected, Fate::Vanished]
                .map(|fate| script.faults.count(fate))
                .iter()
                .sum();
        assert_eq!(expected.tested + ended, slots, "{city}");
        let positive: u64 = script
            .faults
            .slots(Fate::Positive)
            .map(|slot| script.faults.members(&script.truth, slot).len() as u64)
            .sum();
        assert!(expected.infected <= positive && positive <= expected.recalls);
        assert!(expected.travellers >= script.faults.count(Fate::Overfilled));
    }
}

#[test]
fn nobody_is_in_two_tubes_that_both_count() {
    let script = script("chifeng", Some(40_000), 9);
    let mut seen = HashSet::new();
    for slot in 0..script.truth.slots {
        for person in script.faults.members(&script.truth, slot) {
            assert!(seen.insert(person), "{person:?}");
        }
    }
}

#[test]
fn a_fact_leads_back_to_its_people() {
    let script = script("chifeng", Some(40_000), 4);
    for (number, desk) in (0..).zip(&script.truth.desks) {
        let mut last = 0;
        for slot in desk.first_slot..desk.first_slot + desk.slots {
            for saying in script.of_slot(number, slot) {
                last += 1;
                assert_eq!(saying.number, last, "numbers count up without holes");
                let members = script.faults.members(&script.truth, slot);
                let (places, positions) = match saying.what {
                    What::Collected { .. } => (0..members.len() as u32, 0..members.len() as u32),
                    What::Swabbed { place, .. } => {
                        let nth = place - script.truth.queue(desk, slot - desk.first_slot).0;
                        (nth..nth + 1, 0..1)
                    }
                    _ => (0..0, 0..0),
                };
                for (place, position) in places.zip(positions) {
                    let found = script.person_of(number, saying.number, position);
                    assert_eq!(found, Some((members[place as usize], slot, place)));
                }
            }
        }
        assert_eq!(last, script.facts_of(number));
    }
}

#[test]
fn a_misread_barcode_fails_its_check_digit() {
    for serial in 0..100 {
        let code = misread(barcodes().make(serial).into());
        assert_eq!(barcodes().check(&code), (true, false), "{code}");
    }
}

/// What a forecast of a drill reckons with: the drill's tubes, by district and by laboratory, whatever its seed, and no doubt
/// of who comes. It had each district's people as they stand in the census, off by up to a hundredth of its tubes, and of
/// fourteen laboratories the last is later than any.
#[test]
fn the_forecast_knows_the_tubes_of_the_drill_and_where_they_go() {
    for (name, seed) in [("chifeng", 5), ("qujing", 6)] {
        let city = city_file::builtin(name).unwrap();
        let city = planner::fill(&city, &planner::solve(&city, city.target_h));
        let plan = planner::solve(&city, city.target_h);
        let round = played::plan(&city, &plan).round.unwrap();
        let truth = Truth::new(&city, seed);
        for (index, district) in truth.districts.iter().enumerate() {
            let desks = truth.desks.iter().filter(|desk| usize::from(desk.district) == index);
            let tubes: u64 = desks.map(|desk| u64::from(desk.slots)).sum();
            let streets = round.streets.iter().zip(&round.model.streets);
            let own = streets.filter(|(of, _)| of.district == district.code);
            let planned: u64 = own.map(|(_, street)| street.tubes()).sum();
            assert!(planned.abs_diff(tubes) * 1_000 <= tubes, "{name} {}", district.code);
        }
        let labs = Lab::of(&city, &plan);
        let mut sent = vec![0; labs.len()];
        for share in shares(&round, &truth, &labs).unwrap().iter().flatten() {
            sent[share.lab] += share.planned;
        }
        assert_eq!(sent, round.model.tubes_by_lab(), "{name}");
        assert_eq!((round.doubt.turnout, round.doubt.turnout_city), (0.0, 0.0));
    }
}

#[test]
fn a_tube_that_waits_for_nothing_is_as_long_in_the_forecasts_lab_as_in_the_drills() {
    for (name, people) in [("qujing", Some(20_000)), ("chifeng", Some(20_000)), ("chifeng", None)] {
        let city = city_file::builtin(name).unwrap();
        let city = people.map_or(city.clone(), |people| city.scaled(people));
        let city = planner::fill(&city, &planner::solve(&city, city.target_h));
        let plan = planner::solve(&city, city.target_h);
        let round = played::plan(&city, &plan).round.unwrap();
        let pace = city.labs.iter().zip(&plan.labs).map(|(lab, planned)| plate_ms(lab, planned));
        let labs = Lab::of(&city, &plan);
        for ((lab, pace), as_told) in labs.iter().zip(pace).zip(&round.model.labs) {
            let run = |stages: &[Stage]| stages.iter().map(|stage| i64::from(stage.run)).sum();
            let (before, behind) = as_told.stages.split_at(StageKind::Extract.index());
            let (before, behind): (i64, i64) = (run(before), run(behind));
            // Give or take the derate of a drill, half a percent.
            let played = lab.before_ms + pace;
            let same = |told: i64, played: i64| (told - played).abs() * 100 <= played;
            assert!(same(before, played), "{name} {people:?}: {before} {played}");
            assert!(same(behind, lab.run_ms), "{name} {people:?}: {behind} {}", lab.run_ms);
        }
    }
}

#[test]
fn a_district_sends_its_own_tubes_to_the_labs_of_its_own_streets_and_none_to_nobody() {
    let city = city_file::builtin("chifeng").unwrap();
    let city = planner::fill(&city, &planner::solve(&city, city.target_h));
    let plan = planner::solve(&city, city.target_h);
    let mut round = played::plan(&city, &plan).round.unwrap();
    let (truth, labs) = (Truth::new(&city, 5), Lab::of(&city, &plan));
    let dealt = shares(&round, &truth, &labs).unwrap();
    assert_eq!(dealt.len(), truth.districts.len());
    for (district, dealt) in truth.districts.iter().zip(&dealt) {
        let mut own = std::collections::BTreeMap::<&str, u64>::new();
        for (of, street) in round.streets.iter().zip(&round.model.streets) {
            if of.district == district.code {
                *own.entry(round.labs[street.lab].0.as_str()).or_default() += street.tubes();
            }
        }
        let told: Vec<(&str, u64)> =
            dealt.iter().map(|share| (labs[share.lab].code.as_str(), share.planned)).collect();
        let once: std::collections::BTreeMap<&str, u64> = told.iter().copied().collect();
        assert_eq!((&once, told.len()), (&own, own.len()), "{}", district.code);
        assert!(dealt.iter().all(|share| share.given == 0));
    }
    // A district whose streets send nowhere stops the drill.
    let first = truth.districts[0].code.clone();
    for of in round.streets.iter_mut().filter(|of| of.district == first) {
        of.district.clear();
    }
    let error = shares(&round, &truth, &labs).err().expect("nobody takes them").to_string();
    assert!(error.contains("no laboratory takes the tubes of"), "{error}");
}

#[test]
fn the_forecast_knows_how_the_drill_is_played() {
    for name in ["chifeng", "jiyuan"] {
        let city = city_file::builtin(name).unwrap();
        let city = planner::fill(&city, &planner::solve(&city, city.target_h));
        let plan = planner::solve(&city, city.target_h);
        let played = played::plan(&city, &plan);
        let round = played.round.as_ref().unwrap();
        // As many unclean pools as come on the drill's plates, by chance and for certain.
        let script = script(name, None, 0);
        let unclean = Expected::of(&script).after_plates as f64
            / played.city.norm.pool.value as f64
            / f64::from(script.truth.slots);
        let recall = &round.model.recall;
        let pool = played.city.norm.pool.value as i32;
        let reckoned = 1.0 - (1.0 - recall.prevalence).powi(pool);
        assert!((reckoned - unclean).abs() < unclean / 1_000.0, "{name}: {reckoned} {unclean}");
        let (a, b) = round.doubt.prevalence;
        assert!(unclean > 0.0 && a / (a + b) / (a + b + 1.0) < 1e-10, "{name}: {a} {b}");
        assert_eq!(recall.correlation, 0.0);
        for street in &round.model.streets {
            assert_eq!((street.late_share, street.desk_spread, street.ramp_speed), (0.0, 0.0, 0.5));
            assert_eq!((street.trip_hold, street.handling), (0, 0));
            assert_eq!(street.travel_max, street.travel / 10 * 14);
        }
        // Labs go round the clock at the pace at which plates are loaded, which nothing else holds up.
        for ((lab, planned), model) in city.labs.iter().zip(&plan.labs).zip(&round.model.labs) {
            let (rate, slowest) = lab_rate(model);
            let plates = rate * plate_ms(lab, planned) as f64 / 3_600_000.0 / WELLS_MAX as f64;
            assert_eq!(slowest, StageKind::Decap, "{name} {}", lab.code);
            assert!((0.98..1.02).contains(&plates), "{name} {}: {plates}", lab.code);
            for stage in &model.stages {
                assert!(stage.rests.iter().all(Vec::is_empty), "{name} {}", lab.code);
                assert_eq!((stage.run_spread, stage.failures_per_day), (0.0, 0.0));
            }
        }
    }
}
