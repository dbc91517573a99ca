//! Whether the list of shortages is enough: the list is that of the guide's arithmetic, and whoever reads it is told what
//! the city would do with everything on it.

use super::layers::{TINY, asked};
use super::sheet::sheets;
use super::*;
use crate::planner::fluid;
use crate::planner::round::Round;
use serde_json::Value;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// The English text, the Chinese text, the document and the lines over the list on its sheet.
fn everywhere(args: &PlanArgs) -> [String; 4] {
    let text = |lang| answer(&PlanArgs { lang: Some(lang), ..args.clone() }).expect("an answer").0;
    let json = answer(&PlanArgs { json: true, ..args.clone() }).expect("an answer").0;
    let path = args.city.as_deref().expect("a city");
    let city = city_file::open(path, None).expect("a city file");
    let dice = Dice { replications: args.replications, seed: args.seed };
    let report = Report::of(path, city, args.target, args.filled, dice, &Progress::silent());
    let sheets = sheets(&report);
    let lines = sheets[0].lines.iter().map(|w| format!("{}\n{}\n", w.zh, w.en)).collect();
    [text(Lang::En), text(Lang::Zh), json, lines]
}

fn filled(json: &str) -> Value {
    serde_json::from_str::<Value>(json).expect("one JSON document")["shortages_filled"].clone()
}

#[test]
fn a_list_that_is_not_enough_says_so_wherever_it_is_read() {
    let [en, zh, json, sheet] = everywhere(&PlanArgs { target: Some(24), ..args("chifeng") });
    let said = "With everything on this list filled, by the flows: 29 h 56 min, 5 h 56 min over the target of 24 h: it is \
                still late. Then inactivation at T02 Third-party lab B (assumed) binds from 08:24";
    let said_zh = "补齐本清单全部缺口后，按流体层需 29 小时 56 分，超过 24 小时时限 5 小时 56 分：补齐后仍不能按时完成。届时 T02 ";
    let list = en.split_once("5. Shortages").expect("the list").1;
    let list = list.split_once("6. Flows").expect("its end").0;
    assert!(
        list.contains(said) && list.contains("knows no waiting; for what it takes see"),
        "{list}"
    );
    assert!(zh.contains(said_zh) && zh.contains("不计等待）；按时完成另需的见"), "{zh}");
    assert!(sheet.contains(said) && sheet.contains(said_zh), "{sheet}");
    let of = filled(&json);
    assert_eq!((&of["meets_target"], &of["simulated"]), (&false.into(), &false.into()));
    assert_eq!(
        (&of["binding"]["lab"], &of["binding"]["stage"]),
        (&"T02".into(), &"inactivate".into())
    );
    assert_eq!((&of["finish_hours"], &of["slack_hours"]), (&29.93.into(), &(-5.93).into()));
    assert!(of["binding"]["units_needed"].as_u64() > of["binding"]["units_working"].as_u64());
    assert!(of["sentence"]["en"].as_str().is_some_and(|sentence| sentence.starts_with(said)));
}

#[test]
fn a_list_that_is_enough_says_so_and_an_empty_one_says_nothing() {
    let (_folder, asked_of) = asked(TINY);
    let [en, zh, json, sheet] = everywhere(&asked_of);
    for text in [&en, &sheet] {
        assert!(
            text.contains(" within the target of 24 h, ") && text.contains(" to spare."),
            "{text}"
        );
    }
    assert!(
        zh.contains("在 24 小时时限内，余 ") && sheet.contains("在 24 小时时限内，余 "),
        "{zh}"
    );
    assert_eq!(filled(&json)["meets_target"], true);
    let stocked = TINY
        .replacen("samplers = 160", "samplers = 167", 1)
        .replacen("extract = { units = 2,", "extract = { units = 3,", 1)
        .replacen("physical = 36000, agreement = 24000", "physical = 60000, agreement = 0", 1);
    let (_folder, asked_of) = asked(&stocked);
    let [en, zh, json, sheet] = everywhere(&asked_of);
    assert!(filled(&json).is_null() && en.contains("  none\n"), "{en}");
    assert!(
        ![en, zh, sheet].iter().any(|text| text.contains("this list") || text.contains("本清单"))
    );
}

#[test]
fn a_list_that_mends_nothing_says_that_too() {
    // Below the norm's own time on the road no lab is within reach: no means cure that.
    let far = TINY.replacen("one_to_one", "max_travel_minutes = 20\none_to_one", 1);
    let (_folder, asked_of) = asked(&far);
    let [en, zh, json, sheet] = everywhere(&asked_of);
    for text in [&en, &sheet] {
        assert!(
            text.contains("With everything on this list filled it is still never done: "),
            "{text}"
        );
    }
    assert!(
        zh.contains("补齐本清单全部缺口后仍不能完成：") && sheet.contains("补齐本清单全部缺口后仍")
    );
    let of = filled(&json);
    assert_eq!((&of["meets_target"], &of["finish_hours"]), (&false.into(), &Value::Null));
}

#[test]
fn what_the_list_says_of_itself_is_what_the_flows_say_of_the_city_that_it_makes() {
    let mut enough = Vec::new();
    for (name, _) in city_file::BUILTIN {
        for target in [24, 48, 120] {
            let json = PlanArgs { json: true, target: Some(target), ..args(name) };
            let of = filled(&answer(&json).expect("an answer").0);
            if of.is_null() {
                continue;
            }
            let mut city = city_file::builtin(name).expect("a city");
            city.target_h = target;
            let plan = planner::solve(&city, target);
            let round = Round::of(&planner::fill(&city, &plan)).expect("a round");
            let finish = fluid::ends_of(&round.model).1;
            assert_eq!(of["finish_hours"], words::in_hours(finish), "{name} {target}");
            assert_eq!(of["meets_target"], finish <= round.model.target, "{name} {target}");
            enough.push(finish <= round.model.target);
        }
    }
    // It is not so by construction, one way or the other.
    assert!(enough.contains(&true) && enough.contains(&false), "{enough:?}");
}

#[test]
fn where_the_filled_city_is_simulated_the_list_goes_by_that() {
    let (_folder, mut asked_of) = asked(TINY);
    (asked_of.filled, asked_of.replications, asked_of.target) = (true, 40, Some(22));
    let [en, zh, json, _] = everywhere(&asked_of);
    assert!(en.contains("on this list filled, by the simulation (median): "), "{en}");
    assert!(zh.contains("全部缺口后，按模拟（中位数）需 "), "{zh}");
    let document: Value = serde_json::from_str(&json).expect("one JSON document");
    let of = &document["shortages_filled"];
    assert_eq!(of["simulated"], true);
    assert_eq!(of["finish_hours"], document["filled"]["layers"]["finish_hours"]);
}

/// What the list says of itself and the answer go by one layer, whatever was asked for; where the flows turn the answer they
/// stand beside both as a comparison.
#[test]
fn the_list_goes_by_the_layer_that_answers() {
    // Jiyuan with what brings it within two days by the simulation; by the flows it is late by minutes.
    let mended = include_str!("../../../../deploy/cities/jiyuan.toml")
        .replacen("receive = { units = 4, staff = 12 }", "receive = { units = 5, staff = 15 }", 1)
        .replacen("inactivate = { units = 11 }", "inactivate = { units = 15 }", 1)
        .replacen("decap = { units = 13, staff = 78 }", "decap = { units = 18, staff = 108 }", 1)
        .replacen("extract = { units = 8,", "extract = { units = 12,", 1)
        .replacen("setup = { units = 4, staff = 12 }", "setup = { units = 5, staff = 15 }", 1)
        .replacen("pcr = { units = 32,", "pcr = { units = 46,", 1)
        .replacen("review = { units = 2, staff = 6 }", "review = { units = 3, staff = 9 }", 1);
    let (_folder, mut asked_of) = asked(&mended);
    (asked_of.target, asked_of.replications) = (Some(48), 200);
    let [en, zh, json, sheet] = everywhere(&asked_of);
    assert!(en.contains("  Yes, in ") && zh.contains("  能完成（"), "{en}");
    for (text, words) in [
        (&en, "on this list filled, by the simulation (median): "),
        (&sheet, "on this list filled, by the simulation (median): "),
        (&zh, "全部缺口后，按模拟（中位数）需 "),
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    assert!(![&en, &sheet].iter().any(|text| text.contains("still late")), "{en}");
    let beside =
        "For comparison, the flows have 48 h 04 min: there the last tubes take a late trip";
    assert_eq!(en.matches(beside).count(), 2, "{en}");
    assert_eq!(zh.matches("对照：流体层为 48 小时 4 分").count(), 2, "{zh}");
    let of = filled(&json);
    assert_eq!((&of["meets_target"], &of["simulated"]), (&true.into(), &true.into()));
}

#[derive(Clone, Default)]
struct Screen(Arc<Mutex<Vec<u8>>>);

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("a screen").extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn it_is_said_that_the_filled_city_is_simulated_and_how_often_where_that_is_less_than_asked() {
    let (_folder, args) =
        asked(&TINY.replacen("extract = { units = 2,", "extract = { units = 0,", 1));
    let path = args.city.as_deref().expect("a city");
    let city = city_file::open(path, None).expect("a city file");
    let (screen, dice) = (Screen::default(), Dice { replications: 8, seed: 1 });
    let progress = Progress::on(Box::new(screen.clone()), false, Instant::now(), None);
    // The city as it is gives no round: only the filled one is simulated.
    let mut report = Report::of(path, city, None, false, dice, &progress);
    let shown = String::from_utf8(screen.0.lock().expect("a screen").clone()).expect("text");
    assert!(shown.starts_with("模拟缺口补齐后的城市："), "{shown}");
    assert!(shown.contains("simulating the city with its shortages filled: "), "{shown}");
    assert!(shown.trim_end().ends_with(" of 8 replications"), "{shown}");
    let told = |report: &Report| {
        let said = super::super::filled::sentence(report).expect("something is short");
        let number = super::super::filled::document(report)["replications"].clone();
        (said, number)
    };
    let (said, number) = told(&report);
    assert!(!said.en.contains("In so large a city") && number == 8, "{said:?}");
    report.dice.replications = 200;
    let (said, number) = told(&report);
    assert!(said.zh.ends_with("城市很大，补齐后的情形以 8 次模拟推算。"), "{said:?}");
    let en = " In so large a city what it says with everything filled is of 8 replications.";
    assert!(said.en.ends_with(en) && number == 8, "{said:?}");
}
