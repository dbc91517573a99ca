//! What would bring a late round within its target: no more than it takes, together where nothing is enough alone, and
//! said where nothing is.

use super::layers::{TINY, asked};
use super::moving::Moving;
use super::remedy::{More, Outcome, Tried};
use super::search::{Search, TUBES_MAX, confirming};
use super::*;
use crate::planner::StageKind;
use crate::planner::model::Model;

fn found(text: &str, dice: Dice) -> Layers {
    let (_folder, args) = asked(text);
    let city = city_file::open(args.city.as_deref().expect("a city"), None).expect("a city file");
    Layers::of(&city, dice, &Progress::silent()).expect("a round")
}

/// What a changed round would do.
fn simulated(layers: &Layers, model: &Model, dice: Dice) -> Outcome {
    Tried::of(layers, model, dice, &Search::new(u64::MAX, &Progress::silent())).outcome
}

/// The round with what was found, less one of the `n`-th thing.
fn with_all_but(layers: &Layers, more: &More, n: usize) -> Model {
    let mut model = layers.round.model.clone();
    for (i, units) in more.units.iter().enumerate() {
        let stage = &mut model.labs[units.lab].stages[units.stage.index()];
        let count = units.now + units.more - u32::from(i == n);
        *stage = grow::with_units(stage, count).expect("a stage");
    }
    for (i, desks) in more.desks.iter().enumerate() {
        let less = u32::from(i + more.units.len() == n);
        model.streets[desks.street].desks = desks.now + desks.more - less;
    }
    for (i, vehicles) in more.vehicles.iter().enumerate() {
        let less = u32::from(i + more.units.len() + more.desks.len() == n);
        model.streets[vehicles.street].vehicles = vehicles.now + vehicles.more - less;
    }
    model
}

#[test]
fn nothing_of_a_remedy_can_be_left_out() {
    // Two extractors are missing, and cabinets and cyclers as well; by the flows alone, and by simulation.
    let scarce = TINY
        .replacen("decap = { units = 6, staff = 36 }", "decap = { units = 2, staff = 12 }", 1)
        .replacen("pcr = { units = 14,", "pcr = { units = 4,", 1);
    let crowded = scarce.replacen("sites = 30\ndesks = 75", "sites = 10\ndesks = 20", 1);
    for text in [TINY, &scarce, &crowded] {
        for replications in [0, 40] {
            let dice = Dice { replications, seed: 1 };
            let layers = found(text, dice);
            let target = layers.round.model.target;
            let remedy = layers.remedy.as_ref().expect("it is late");
            let more = remedy.more.as_ref().expect("units help");
            assert!(more.outcome.finish() <= target && more.least, "{more:?}");
            let things = more.units.len() + more.desks.len() + more.vehicles.len();
            assert!(things > 0);
            for n in 0..things {
                let fewer = with_all_but(&layers, more, n);
                let finish = simulated(&layers, &fewer, dice).finish();
                assert!(finish > target, "{replications}: without one of thing {n}: {more:?}");
            }
            let all = with_all_but(&layers, more, things);
            assert_eq!(simulated(&layers, &all, dice), more.outcome);
        }
    }
}

/// A large east whose lab has one extractor: no number that is tried is enough, and the west has room for a part.
pub(super) fn lopsided() -> String {
    TINY.replacen("value = 80000", "value = 540000", 1)
        .replacen("value = 60000", "value = 520000", 1)
        .replacen("desks = 75", "desks = 900", 1)
        .replacen("samplers = 160", "samplers = 2000", 1)
        .replacen("sites = 30", "sites = 300", 1)
        .replacen("extract = { units = 2,", "extract = { units = 1,", 1)
        .replacen("extract = { units = 4,", "extract = { units = 40,", 1)
        .replace("receive = { units = 2, staff = 6 }", "receive = { units = 40, staff = 120 }")
        .replace("inactivate = { units = 6 }", "inactivate = { units = 60 }")
        .replace("decap = { units = 6, staff = 36 }", "decap = { units = 60, staff = 360 }")
        .replace("setup = { units = 2, staff = 6 }", "setup = { units = 40, staff = 120 }")
        .replacen("pcr = { units = 14,", "pcr = { units = 100,", 1)
        .replacen("pcr = { units = 14,", "pcr = { units = 40,", 1)
        .replace("review = { units = 1, staff = 3 }", "review = { units = 20, staff = 60 }")
}

#[test]
fn where_neither_units_nor_moves_are_enough_both_are() {
    let text = lopsided().replacen("one_to_one = true", "one_to_one = false", 1);
    let (_folder, args) = asked(&text);
    let (said, code) =
        answer(&PlanArgs { lang: Some(Lang::En), ..args.clone() }).expect("an answer");
    assert_eq!(code, EXIT_NO);
    for words in [
        "Moving tubes alone is not enough: ",
        "Even with eight times the units at every stage, desks for all who come in time within an hour, and so many vehicles that no tube waits for one, it would still take ",
        " still has more waiting than it can take: that takes another lab, or more time.",
        "Both partly: ",
        " tubes to L2 West lab, which must take tubes of other districts, and ",
        "  both partly\n",
        "; without that it is late.",
    ] {
        assert!(said.contains(words), "{words}\n{}", said.split("2. Needs").next().expect("text"));
    }
    assert!(!said.contains("Nothing that was tried"));
    let (text, _) = answer(&PlanArgs { json: true, ..args }).expect("an answer");
    let json: serde_json::Value = serde_json::from_str(&text).expect("one JSON document");
    let at = |pointer: &str| json.pointer(pointer).expect(pointer).clone();
    assert!(at("/layers/remedy/more").is_null());
    assert!(
        at("/layers/remedy/moving/excess_tubes").as_u64()
            > at("/layers/remedy/moving/room_tubes").as_u64()
    );
    assert_eq!(at("/layers/remedy/both/moves/0/to"), "L2");
    assert_eq!(at("/layers/remedy/both/more/units/0/stage"), "extract");
    assert_eq!(at("/layers/remedy/both/more/outcome/enough"), true);
    assert_eq!(at("/layers/remedy/both/more/least"), true);
    assert_eq!(at("/layers/remedy/both/least"), true);
    assert_eq!(at("/layers/remedy/enough"), true);
}

#[test]
fn a_stage_beyond_what_is_tried_does_not_keep_the_others_from_being_helped() {
    // West: one tube an hour on each of 15,000 extractors, for 400,000 tubes. East: one extractor.
    let (east, west) = TINY.split_once("code = \"L2\"").expect("two labs");
    let east = east
        .replacen("value = 80000", "value = 460000", 1)
        .replacen("value = 20000", "value = 400000", 1)
        .replacen("zone = \"prevention\"", "zone = \"sealed\"", 1)
        .replacen("sites = 10\ndesks = 25", "sites = 200\ndesks = 1000", 1)
        .replacen("samplers = 56", "samplers = 2000", 1)
        .replacen("extract = { units = 2,", "extract = { units = 1,", 1);
    // What else the west has is plenty.
    let west = west
        .replacen("receive = { units = 2, staff = 6 }", "receive = { units = 200, staff = 600 }", 1)
        .replacen("inactivate = { units = 6 }", "inactivate = { units = 600 }", 1)
        .replacen("decap = { units = 6, staff = 36 }", "decap = { units = 600, staff = 3600 }", 1)
        .replacen("setup = { units = 2, staff = 6 }", "setup = { units = 200, staff = 600 }", 1)
        .replacen("pcr = { units = 14,", "pcr = { units = 2500,", 1)
        .replacen("review = { units = 1, staff = 3 }", "review = { units = 80, staff = 240 }", 1);
    let extract =
        "extract = { units = 4, run_minutes = 30, load_minutes = 4, wells = 96, usable = 94 }";
    for (units, left) in [(15_000, 20_000), (21_000, 21_000)] {
        let slow = format!(
            "extract = {{ units = {units}, run_minutes = 56, load_minutes = 4, wells = 1, usable = 1 }}"
        );
        let text = format!("{east}code = \"L2\"{}", west.replacen(extract, &slow, 1));
        let dice = Dice { replications: 0, seed: 1 };
        let layers = found(&text, dice);
        let more = layers.remedy.as_ref().and_then(|remedy| remedy.more.as_ref());
        let more = more.expect("what can be helped is helped");
        let [held] = more.held[..] else { panic!("{:?}", more.held) };
        assert_eq!((held.lab, held.stage), (1, StageKind::Extract));
        // All but those of the last ones without which it ends as early.
        assert!(held.units <= left && held.units > left - left / 100, "{held:?}");
        let helped = |lab: usize| more.units.iter().any(|units| units.lab == lab);
        assert!(helped(0) && helped(1) == (units < left), "{more:?}");
        assert!(more.outcome.finish() < layers.finish(), "{more:?}");
        let (_folder, args) = asked(&text);
        let (said, _) = answer(&args).expect("an answer");
        let grouped = words::grouped(held.units.into());
        for words in [
            format!(
                "L2 West lab would need more extractors than the 20,000 that are tried at one stage; it is left at {grouped}."
            ),
            format!(
                "L2 西区实验室所需核酸提取仪超过每环节至多试算的 20,000 台，按 {grouped} 台计。"
            ),
        ] {
            assert!(said.contains(&words), "{words}\n{}", said.split("2. Needs").next().unwrap());
        }
    }
}

/// A small city with six streets of 10,000 people in the east.
pub(super) fn with_streets(text: &str) -> String {
    let street = |n: u32| {
        format!(
            "[[district.street]]\ncode = \"99990100{n}\"\nname = \"{n} 街\"\nname_en = \"Street {n}\"\n\
             population = {{ value = 10000, status = \"assumed\", source = \"made_up\" }}\n"
        )
    };
    let streets: Vec<String> = (1..=6).map(street).collect();
    let next = "\n[[district]]\ncode = \"999902\"";
    text.replacen(next, &format!("\n{}{next}", streets.join("\n")), 1)
}

#[test]
fn under_one_street_one_lab_whole_streets_move() {
    // Two extractors do less than four of the six streets in time; the west's lab has room for all of them.
    let dice = Dice { replications: 0, seed: 1 };
    let text = with_streets(TINY);
    let layers = found(&text, dice);
    let Moving::Moves { moves, outcome, least } = &layers.remedy.as_ref().expect("late").moving
    else {
        panic!("{:?}", layers.remedy)
    };
    let target = layers.round.model.target;
    assert!(outcome.finish() <= target && *least, "{outcome:?}");
    let [one] = &moves[..] else { panic!("{moves:?}") };
    let round = &layers.round.model;
    let whole: u64 = one.streets.iter().map(|&street| round.streets[street].tubes()).sum();
    assert_eq!((one.from, one.to, one.tubes), (0, 1, whole));
    assert!(!one.streets.is_empty() && one.streets.len() < 6, "{one:?}");
    // Carried out by hand it brings what is told, and with a street less it is late.
    let with = |streets: &[usize]| {
        let mut model = round.clone();
        streets.iter().for_each(|&street| model.streets[street].lab = 1);
        simulated(&layers, &model, dice)
    };
    assert_eq!(with(&one.streets), *outcome);
    assert!(with(&one.streets[1..]).finish() > target);
    let (_folder, args) = asked(&text);
    let (said, _) = answer(&args).expect("an answer");
    let n = one.streets.len();
    let told = format!("{n} whole streets with {} tubes to L2 West lab", words::grouped(whole));
    assert!(said.contains(&told), "{told}\n{said}");
    assert!(said.contains("整条街道 / whole streets") && said.contains("Street 1"), "{said}");
    let (text, _) = answer(&PlanArgs { json: true, ..args }).expect("an answer");
    let json: serde_json::Value = serde_json::from_str(&text).expect("one JSON document");
    let codes = &json["layers"]["remedy"]["moving"]["moves"][0]["streets"];
    assert_eq!(codes.as_array().map(Vec::len), Some(n));
    assert_eq!(codes[0], layers.round.streets[one.streets[0]].code.as_str());
}

#[test]
fn where_no_whole_street_fits_that_is_said_and_none_is_divided() {
    // All of the east is one street, and the west's lab has room for a part of it only.
    let layers = found(&lopsided(), Dice { replications: 0, seed: 1 });
    let remedy = layers.remedy.as_ref().expect("late");
    assert!(matches!(remedy.moving, Moving::NoRoom { .. }), "{:?}", remedy.moving);
    assert!(remedy.both.is_none());
    let little = TINY.replacen("extract = { units = 4,", "extract = { units = 3,", 1);
    let remedy = found(&little, Dice { replications: 0, seed: 1 }).remedy.expect("late");
    assert!(matches!(remedy.moving, Moving::NoRoom { whole: true, .. }), "{:?}", remedy.moving);
}

#[test]
fn what_cannot_be_reached_is_said_with_what_comes_nearest() {
    // Eight hours: the first box takes three of them, the way through the lab four, and desks the rest.
    let (_folder, args) = asked(TINY);
    let hurry = PlanArgs { target: Some(8), ..args };
    let (said, code) = answer(&hurry).expect("an answer");
    assert_eq!(code, EXIT_NO);
    let (text, _) = answer(&PlanArgs { json: true, ..hurry }).expect("an answer");
    let json: serde_json::Value = serde_json::from_str(&text).expect("one JSON document");
    assert_eq!(json["layers"]["remedy"]["enough"], false);
    match json["layers"]["remedy"]["nearest_hours"].as_f64() {
        Some(nearest) => {
            assert!(nearest > 8.0);
            assert!(said.contains("Nothing that was tried reaches the target; the nearest is "));
            assert!(said.contains("所试各法均不能按时完成；最接近的为 "));
        }
        None => assert!(said.contains("Nothing that was tried helps: allow more time")),
    }
}

#[test]
fn the_filled_city_is_answered_by_every_layer() {
    let (_folder, args) = asked(TINY);
    let asked = PlanArgs { filled: true, target: Some(22), replications: 40, ..args };
    let (said, _) = answer(&PlanArgs { lang: Some(Lang::En), ..asked.clone() }).expect("an answer");
    let title = "  with every shortage filled, the layers side by side:\n";
    let (_, filled) = said.split_once(title).expect(title);
    let filled = filled.split_once("2. Needs").expect("the next section").0;
    let (text, code) = answer(&PlanArgs { json: true, ..asked }).expect("an answer");
    assert_eq!(code, EXIT_NO, "the exit code is of the city as it is");
    let json: serde_json::Value = serde_json::from_str(&text).expect("one JSON document");
    let of = &json["filled"];
    assert_eq!((&of["verdict"]["yes"], &of["shortages"]), (&true.into(), &0.into()));
    // The list asks for three extractors; within 22 hours the layers after it ask for more.
    assert_eq!((&of["yes"], &of["layers"]["in_time"]), (&false.into(), &false.into()));
    let hours = |of: &serde_json::Value, key: &str| of[key].as_f64().expect("hours");
    let as_it_is = hours(&json["layers"], "finish_hours");
    let then = hours(&of["layers"], "finish_hours");
    assert!(22.0 < then && then < as_it_is, "{then} {as_it_is}");
    assert_eq!(of["layers"]["binding"], "extract");
    for words in ["flows ", "simulation (median) ", "  No: ", "which knows no waiting"] {
        assert!(filled.contains(words), "{words}\n{filled}");
    }
}

/// A limit that is met after the first try of each kind: that is said, and what is told is still what the simulation says.
#[test]
fn a_search_that_meets_its_limit_says_so_and_tells_the_best_of_what_it_tried() {
    let text = lopsided().replacen("one_to_one = true", "one_to_one = false", 1);
    let dice = Dice { replications: 40, seed: 1 };
    let mut layers = found(&text, dice);
    let whole = layers.remedy.take().expect("it is late");
    assert_eq!((whole.searched.left_out, whole.searched.words()), (0, None));
    assert_eq!((whole.searched.tubes_max, whole.searched.confirmed_with), (TUBES_MAX, 40));
    let (_folder, args) = asked(&text);
    let city = city_file::open(args.city.as_deref().expect("a city"), None).expect("a city file");
    let silent = Progress::silent();
    let mut before = u64::MAX;
    for limit in [TUBES_MAX, 4_000_000, 0] {
        let remedy = remedy::find(&city, &layers, dice, &Search::new(limit, &silent));
        let searched = remedy.searched;
        assert_eq!(searched.words().is_some(), limit < TUBES_MAX, "{searched:?}");
        assert!(searched.tries < before && remedy.outcomes().next().is_some(), "{searched:?}");
        before = searched.tries;
        if let Some(more) = &remedy.more {
            let things = more.units.len() + more.desks.len();
            let all = with_all_but(&layers, more, things);
            assert_eq!(simulated(&layers, &all, dice), more.outcome);
        }
    }
}

#[test]
fn what_is_found_is_confirmed_with_fewer_replications_only_in_a_very_large_city() {
    let (_folder, args) = asked(TINY);
    let city = city_file::open(args.city.as_deref().expect("a city"), None).expect("a city file");
    let mut model = planner::round::Round::of(&city).expect("a round").model;
    let dice = Dice { replications: 1000, seed: 1 };
    let with = |model: &Model| confirming(model, dice, 30, 200).replications;
    assert_eq!(with(&model), 200);
    for (persons, replications) in [(20_000_000, 200), (80_000_000, 50), (400_000_000, 30)] {
        model.streets.truncate(1);
        (model.streets[0].persons, model.streets[0].pool) = (persons, 10);
        assert_eq!(with(&model), replications, "{persons}");
    }
    // The city with its shortages filled is there for a sentence: about a minute, whatever the city.
    let filled = |model: &Model, replications| {
        search::filling(model, Dice { replications, seed: 1 }).replications
    };
    for (persons, asked, replications) in [
        (30_000_000, 200, 200),
        (300_000_000, 200, 20),
        (300_000_000, 5, 5),
        (2_000_000_000, 200, 3),
        (2_000_000_000, 0, 0),
    ] {
        model.streets[0].persons = persons;
        assert_eq!(filled(&model, asked), replications, "{persons}");
    }
}

/// What the shelf lacks is named by the answer and by what mends it, first of all, whatever else is short; and nothing of it where
/// there is enough for a round.
#[test]
fn an_empty_shelf_is_named_in_the_answer_and_in_the_remedy() {
    let none = "tubes = { physical = 0, agreement = 24000, deposit_paid = false }";
    let empty = TINY.replacen(
        "tubes = { physical = 36000, agreement = 24000, deposit_paid = false }",
        none,
        1,
    );
    let late = [
        "现货不够一轮，缺采样管 6,000 支（东区）。",
        "The shelf has too little for one round: it lacks 6,000 collection tubes (East).",
    ];
    let mend = [
        "开轮前须采购或请上级调拨采样管 6,000 支：没有这些，其他措施均无效。",
        "Before the round buy, or ask the level above for, 6,000 collection tubes: without them nothing else helps.",
    ];
    for (text, target, told) in [(TINY, 24, false), (&*empty, 24, true), (&*empty, 120, true)] {
        let (_folder, args) = asked(text);
        let args = PlanArgs { target: Some(target), ..args };
        let (said, code) = answer(&args).expect("an answer");
        for words in late.iter().chain(&mend) {
            assert_eq!(said.contains(words), told, "{target}: {words}\n{said}");
        }
        assert_eq!(said.contains("先补齐现货 / first for the shelf"), told);
        if told {
            assert_eq!(code, EXIT_NO);
        }
        let (text, _) = answer(&PlanArgs { json: true, ..args }).expect("an answer");
        let json: serde_json::Value = serde_json::from_str(&text).expect("one JSON document");
        let shelf = &json["layers"]["shelf"];
        match told {
            true => {
                let one = (&shelf[0]["item"], &shelf[0]["short"], &shelf[0]["places"][0]);
                assert_eq!(one, (&"tube".into(), &6000.into(), &"999901".into()), "{shelf}");
            }
            false => assert_eq!(shelf.as_array().map(Vec::len), Some(0)),
        }
    }
}
