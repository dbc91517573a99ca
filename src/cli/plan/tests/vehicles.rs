//! Where vehicles are what is short: every form of the answer says so, and the measures give vehicles, no other lab's room.

use super::layers::{TINY, asked};
use super::steps::Most;
use super::*;
use crate::planner::model::Street;
use crate::planner::{StageKind, fluid};

/// Plenty of all, but for the vehicles of the east.
pub(super) fn waiting(vehicles: u32, trips: u32) -> String {
    let fleet = format!(
        "[district.fleet]\nstatus = \"assumed\"\nsource = \"made_up\"\nvehicles = {vehicles}\ncapacity_tubes = 500\ntrips_per_day = {trips}\n\n"
    );
    let east = TINY.find("[[district]]").expect("the east");
    let west = TINY[east + 1..].find("[[district]]").expect("the west") + east + 1;
    let text = format!("{}{fleet}{}", &TINY[..west], &TINY[west..]);
    text.replace("extract = { units = 2,", "extract = { units = 9,")
        .replace("one_to_one = true", "one_to_one = false")
}

fn told(text: &str, lang: Lang, replications: usize) -> String {
    let (_folder, args) = asked(text);
    answer(&PlanArgs { lang: Some(lang), replications, ..args }).expect("an answer").0
}

#[test]
fn vehicles_are_named_as_the_reason_and_as_the_measure() {
    let text = waiting(2, 2);
    for replications in [0, 20] {
        let en = told(&text, Lang::En, replications);
        let zh = told(&text, Lang::Zh, replications);
        for (said, words) in [
            (&en, "Transport holds up L1 East lab: "),
            (&en, " take less than is filled from "),
            (&en, " more vehicle"),
            (&en, "\n  vehicles "),
            (&zh, "L1 东区实验室受限于转运车辆："),
            (&zh, "辆转运车"),
        ] {
            assert!(said.contains(words), "{replications}: {words}\n{said}");
        }
        for (said, words) in [
            (&en, "What binds are fixed times"),
            (&en, "the other labs have room"),
            (&en, "Moving"),
            (&en, "nothing queues there"),
            (&zh, "受限于固定时间"),
            (&zh, "单靠调整分派不够"),
        ] {
            assert!(!said.contains(words), "{replications}: {words}\n{said}");
        }
    }
}

#[test]
fn what_is_told_of_vehicles_is_enough_and_not_one_can_be_left_out() {
    let text = waiting(2, 2);
    for replications in [0, 40] {
        let (_folder, args) = asked(&text);
        let city = city_file::open(args.city.as_deref().expect("a city"), None).expect("a city");
        let dice = Dice { replications, seed: 1 };
        let layers = Layers::of(&city, dice, &Progress::silent()).expect("a round");
        let remedy = layers.remedy.as_ref().expect("it is late");
        let more = remedy.more.as_ref().expect("vehicles help");
        assert!(more.outcome.finish() <= layers.round.model.target && more.least, "{more:?}");
        let sum: u32 = more.vehicles.iter().map(|vehicles| vehicles.more).sum();
        assert!(sum > 0, "{more:?}");
        // The city that has them is in time, and with one fewer it is not.
        let told = people::carried_out(&city, &layers, more);
        assert!(
            Layers::without_remedy(&told, dice, &Progress::silent()).expect("a round").in_time()
        );
        let mut fewer = told;
        fewer.districts[0].fleet.as_mut().expect("vehicles").vehicles -= 1;
        let fewer = Layers::without_remedy(&fewer, dice, &Progress::silent()).expect("a round");
        assert!(!fewer.in_time(), "{replications}: {more:?}");
    }
}

#[test]
fn json_says_what_the_text_says_of_vehicles() {
    let (_folder, args) = asked(&waiting(2, 2));
    let (text, code) = answer(&PlanArgs { json: true, ..args }).expect("an answer");
    assert_eq!(code, EXIT_NO);
    let json: serde_json::Value = serde_json::from_str(&text).expect("one JSON document");
    let layers = &json["layers"];
    let lab = &layers["flow"]["labs"][0];
    assert_eq!(lab["held_by"], "transport");
    let number = |of: &serde_json::Value| of.as_f64().unwrap_or_else(|| panic!("no number: {of}"));
    let delivered = number(&lab["delivered"]["ms"]);
    assert!(delivered + number(&lab["chain"]["ms"]) <= number(&lab["finish"]["ms"]), "{lab}");
    assert_eq!(number(&layers["flow"]["delivered"]["ms"]), delivered);
    let transport = &lab["transport"];
    assert_eq!(transport["enough_for_the_target"], true);
    assert!(number(&transport["vehicles_needed"]) > number(&transport["vehicles"]), "{transport}");
    let more = &layers["remedy"]["more"];
    assert!(more["vehicles"].as_array().is_some_and(|rows| !rows.is_empty()), "{more}");
    assert!(number(&more["vehicles"][0]["more"]) > 0.0);
    assert!(layers["remedy"]["moving"].is_null());
    assert_eq!(lab["stages"].as_array().map(Vec::len), Some(StageKind::COUNT));
}

/// In the simulation vehicles are not back when the mean one is: the most that is tried of them, where some were short, is twice
/// as many as the flows need.
#[test]
fn the_most_vehicles_that_are_tried_are_twice_as_many_as_the_flows_need() {
    for (vehicles, times) in [(2, 2), (40, 1)] {
        let (_folder, args) = asked(&waiting(vehicles, 2));
        let report = filing::report_of(&args);
        let model = &report.layers.as_ref().expect("a round").round.model;
        let now = model.streets[0];
        let enough =
            |street: Street| fluid::vehicles_enough(&Street { vehicles: now.vehicles, ..street });
        let most = Most::of(model);
        let all = most.all(model).streets[0];
        assert_eq!((now.vehicles, all.vehicles), (vehicles, times * enough(all)));
        // However often they are doubled: the limit does not go up with them.
        let mut grown = model.clone();
        for _ in 0..8 {
            grown = most.carried(&grown, now.lab, 2.0).unwrap_or(grown);
        }
        assert_eq!(grown.streets[0].vehicles, times * enough(now));
    }
}
