//! A street that reaches no lab: every form of the report says no, names it, and says what would help.

use super::layers::{TINY, asked};
use super::sheet::{Cell, sheets};
use super::*;

/// The small city with two streets in the east, the second of them 44 km and 67 minutes from the east lab, and a limit of
/// so many minutes.
pub(super) fn remote(limit: u32) -> String {
    let streets = "
lon = 113.0
lat = 35.0

[[district.street]]
code = \"999901001\"
name = \"一街\"
name_en = \"First\"
population = { value = 55000, status = \"assumed\", source = \"made_up\" }

[[district.street]]
code = \"999901002\"
name = \"远街\"
name_en = \"Remote\"
population = { value = 5000, status = \"assumed\", source = \"made_up\" }
lon = 113.0
lat = 35.4
";
    let (head, tail) = TINY.split_once("\n[[district]]\ncode = \"999902\"").expect("the west");
    let (top, east) = head.split_once("zone = \"controlled\"\n").expect("the east");
    let (place, streets) = streets.split_once("\n\n").expect("a place, then streets");
    let top = top.replacen("one_to_one", &format!("max_travel_minutes = {limit}\none_to_one"), 1);
    let more = format!("{top}zone = \"controlled\"{place}\n{east}\n{streets}");
    let west = tail.replacen("code = \"L1\"", "code = \"L1\"\nlon = 113.0\nlat = 35.0", 1);
    let west = west.replacen("extract = { units = 2,", "extract = { units = 3,", 1);
    format!("{more}\n[[district]]\ncode = \"999902\"{west}")
}

/// The line at which the table with these words begins: it is the one above them.
fn line_of(text: &str, words: &str) -> usize {
    text.lines().position(|line| line.contains(words)).expect("a line")
}

#[test]
fn every_form_of_the_report_says_no_and_names_the_street() {
    let city = remote(45);
    let (folder, args) = asked(&city);
    let at = format!("city.toml:{}", line_of(&city, "\"999901002\""));
    for (lang, said) in [
        (
            Lang::En,
            vec![
                "24 h: no; not done within 90 days; binding stage: the way itself (Remote)",
                "no flows and no simulation, so the answer is no:\n    Remote (",
                &at,
                ") reaches no lab: the nearest, L1 East lab, is 66.8 min away, over the 45 min of \
                 max_travel_minutes: name a lab within 45 min, ask for a mobile lab, or raise max_travel_minutes to 66.8 or more",
                "* Remote",
            ],
        ),
        (
            Lang::Zh,
            vec![
                "24 h：不能完成；90 天内无法完成；瓶颈：最短流程（封箱、转运、各环节各一次） (远街)",
                "流体层和模拟层无法推算，因此不能完成:\n    远街（",
                &at,
                "）送不到任何实验室：最近的 L1 东区实验室 在途 66.8 分钟，超过 max_travel_minutes 的 45 分钟",
                "* 远街",
            ],
        ),
    ] {
        let (text, code) =
            answer(&PlanArgs { lang: Some(lang), ..args.clone() }).expect("an answer");
        assert_eq!(code, EXIT_NO);
        for words in said {
            assert!(text.contains(words), "{words}\n{text}");
        }
    }
    let (text, code) = answer(&PlanArgs { json: true, ..args.clone() }).expect("an answer");
    let json: serde_json::Value = serde_json::from_str(&text).expect("one JSON document");
    assert_eq!(code, EXIT_NO);
    for (pointer, value) in [
        ("/yes", serde_json::json!(false)),
        ("/verdict/yes", serde_json::json!(false)),
        ("/verdict/norms_met", serde_json::json!(false)),
        ("/verdict/binding/stage", serde_json::json!("way")),
        ("/verdict/binding/tightest/code", serde_json::json!("999901002")),
        ("/other_targets/1/yes", serde_json::json!(false)),
        ("/cut_off/0/street", serde_json::json!("999901002")),
        ("/cut_off/0/why", serde_json::json!("too_far")),
        ("/cut_off/0/tubes", serde_json::json!(500)),
        ("/cut_off/0/nearest/lab", serde_json::json!("L1")),
        ("/cut_off/0/max_travel_minutes", serde_json::json!(45.0)),
        ("/districts/0/tubes_unmet", serde_json::json!(500)),
    ] {
        assert_eq!(json.pointer(pointer), Some(&value), "{pointer}");
    }
    assert!(json["cut_off"][0]["written"].as_str().is_some_and(|written| written.ends_with(&at)));
    let path = folder.path().join("city.toml");
    let read = city_file::open(&path, None).expect("a city");
    let report = Report::of(
        &path,
        read,
        None,
        false,
        Dice { replications: 0, seed: 1 },
        &Progress::silent(),
    );
    for name in ["缺口清单", "测算"] {
        let sheets = sheets(&report);
        let sheet = sheets.iter().find(|sheet| sheet.name.zh == name).expect("a sheet");
        let said = sheet.lines.iter().any(|line| line.zh.contains("远街") && line.en.contains(&at));
        assert!(said, "{name}: {:?}", sheet.lines);
    }
    let listed = |row: &Vec<Cell>| row[0] == Cell::Text("远街\nRemote".to_owned());
    assert!(sheets(&report)[0].table.rows.iter().any(listed));
}

#[test]
fn filled_is_a_yes_only_where_a_lab_in_the_street_is_within_the_limit() {
    // Within 45 minutes a mobile lab in the street helps; below the norm's own 30 minutes nothing does.
    for (limit, cured) in [(45, true), (20, false)] {
        let (_folder, args) = asked(&remote(limit));
        let asked = PlanArgs { filled: true, target: Some(48), ..args };
        let (text, code) = answer(&PlanArgs { json: true, ..asked.clone() }).expect("an answer");
        let json: serde_json::Value = serde_json::from_str(&text).expect("one JSON document");
        assert_eq!(code, EXIT_NO);
        let filled = &json["filled"];
        assert_eq!((&filled["yes"], &filled["verdict"]["yes"]), (&cured.into(), &cured.into()));
        assert_eq!(filled["why_no_layers"].is_null(), cured);
        let (text, _) = answer(&PlanArgs { lang: Some(Lang::En), ..asked }).expect("an answer");
        let below = "so no lab helps: raise max_travel_minutes to 30 or more";
        assert_eq!(text.contains(below), !cured, "{text}");
        let first = text.find("no flows and no simulation").expect("it says no");
        assert_eq!(text[first + 1..].contains("no flows and no simulation"), !cured);
    }
    // Without a limit nothing is cut off.
    let free = remote(45).replacen("max_travel_minutes = 45\n", "", 1);
    let (_folder, args) = asked(&free);
    let (text, code) = answer(&PlanArgs { target: Some(48), ..args }).expect("an answer");
    assert_eq!(code, 0, "{text}");
}

#[test]
fn a_limit_that_no_way_keeps_is_told_as_that_and_not_as_a_minute_of_every_lab() {
    let (folder, args) =
        asked(&TINY.replacen("population =", "max_travel_minutes = 1\npopulation =", 1));
    let ask = |lang| answer(&PlanArgs { lang: Some(lang), ..args.clone() }).expect("an answer");
    let ((zh, no), (en, _)) = (ask(Lang::Zh), ask(Lang::En));
    assert_eq!(no, EXIT_NO);
    let rows = |text: &str, words: &str| text.lines().filter(|l| l.contains(words)).count();
    assert_eq!((rows(&en, "no tube can get there"), rows(&zh, "没有样本能送到")), (7, 7), "{en}");
    assert_eq!(
        (rows(&en, "streets that reach no lab"), rows(&zh, "有街道送不到任何实验室")),
        (1, 1)
    );
    assert!(!en.contains(" 0 h 01 min") && !zh.contains(" 0 小时 1 分"), "{en}");
    assert!(en.contains("so no lab helps: raise max_travel_minutes to 30 or more"), "{en}");
    drop(folder);
}
