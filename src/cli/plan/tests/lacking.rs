//! A city with none of something: the answer is no, with street or lab, stage, file and line, and what to do; tables are
//! printed, and the change that would cure it is reckoned.

use super::layers::{TINY, asked};
use super::*;

/// What is taken away, the line of the small city where that stands, and what is said of it: Chinese, English.
const NONE: [([&str; 2], usize, [&str; 2]); 5] = [
    (
        ["desks = 75", "desks = 0"],
        31,
        [
            "东区有居民而没有采样台（0 个）：请增设采样台",
            "East has people and no desk (0): add desks",
        ],
    ),
    (
        ["samplers = 56", "samplers = 0"],
        54,
        ["西区有采样台而没有采样人员（0 人）", "West has desks and no sampler (0): add samplers"],
    ),
    (
        ["extract = { units = 2,", "extract = { units = 0,"],
        74,
        [
            "L1 东区实验室的核酸提取环节没有设备（0 台）：请增加核酸提取仪",
            "L1 East lab has no unit for extraction (0): add at least one extractor",
        ],
    ),
    (
        ["decap = { units = 6, staff = 36 }", "decap = { units = 6, staff = 0 }"],
        73,
        [
            "L1 东区实验室的开盖加样环节有设备而人员不足一台之用",
            "L1 East lab has units for decapping and not the staff of one: add staff",
        ],
    ),
    (
        ["review = { units = 1, staff = 3 }", "review = { units = 0, staff = 3 }"],
        77,
        ["L1 东区实验室的判读审核环节没有设备（0 台）", "L1 East lab has no unit for review (0)"],
    ),
];

#[test]
fn what_there_is_none_of_is_told_with_its_place_file_and_line_and_the_answer_is_no() {
    for ([from, to], line, [zh, en]) in NONE {
        let text = TINY.replacen(from, to, 1);
        // Contradictions are another matter: sites may not outnumber desks.
        let text =
            if to == "desks = 0" { text.replacen("sites = 30", "sites = 0", 1) } else { text };
        let (folder, mut args) = asked(&text);
        let file = args.city.clone().expect("a city").display().to_string();
        args.svg_backlog = Some(folder.path().join("backlog.svg"));
        args.xlsx = Some(folder.path().join("plan.xlsx"));
        let (text, code) = answer(&args).expect("an answer");
        assert_eq!(code, EXIT_NO, "{to}");
        for words in [&format!("{file}:{line}：{zh}"), &format!("{file}:{line}: {en}")] {
            assert!(text.contains(words.as_str()), "{words}\n{text}");
        }
        assert!(text.contains("缺口清单 / 5. Shortages"), "{to}");
        for words in ["(item ", "(index ", "desk_rate"] {
            assert!(!text.contains(words), "{to}: {words}");
        }
        assert!(args.xlsx.is_some_and(|path| path.exists()), "{to}");
        assert!(args.svg_backlog.is_some_and(|path| !path.exists()), "{to}");
    }
}

#[test]
fn all_that_is_missing_is_told_at_once() {
    let mut text = TINY.replacen("sites = 30", "sites = 0", 1);
    NONE.iter().for_each(|([from, to], ..)| text = text.replacen(from, to, 1));
    let (_folder, args) = asked(&text);
    let (text, _) = answer(&PlanArgs { lang: Some(Lang::En), ..args }).expect("an answer");
    for (_, line, [_, en]) in NONE {
        assert!(text.contains(&format!(":{line}: {en}")), "{en}\n{text}");
    }
}

#[test]
fn a_lab_that_cannot_work_is_no_reason_where_another_one_can() {
    let idle = TINY.replacen("extract = { units = 2,", "extract = { units = 0,", 1);
    let shared = idle.replacen("serves = [\"999902\"]", "serves = [\"999901\", \"999902\"]", 1);
    let (_folder, args) = asked(&shared);
    let (text, _) = answer(&args).expect("an answer");
    assert!(text.contains("三层并列") && !text.contains("没有设备"), "{text}");
}

/// What is said of other units for extraction in the east.
fn what_if(text: &str, units: &str, more: &[&str]) -> Result<String, Error> {
    let (_folder, args) = asked(text);
    let city = args.city.expect("a city");
    let city = city.to_str().expect("a path of plain letters");
    let words = ["whatif", city, "--lab", "L1", "--stage", "extract", "--units", units];
    let words = [&words[..], &["--lang", "en", "--replications", "10"], more].concat();
    answer(&typed(&words).expect("arguments")).map(|(text, _)| text)
}

#[test]
fn the_change_that_cures_it_is_reckoned() {
    let idle = TINY.replacen("extract = { units = 2,", "extract = { units = 0,", 1);
    let text = what_if(&idle, "+3", &[]).expect("an answer");
    for words in [
        "L1 East lab: 3 more extractors (0 → 3)",
        "as it is, it is never done:\n    ",
        ":74: L1 East lab has no unit for extraction (0)",
        "the whole city, last first result (by the flows, streets assigned anew): 22 h 20 min\n",
        "the whole city, last first result (simulated, median): 2",
        "L1 East lab, binding stage (by the flows): extraction\n",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    let text = what_if(&idle, "+3", &["--json"]).expect("an answer");
    let json: serde_json::Value = serde_json::from_str(&text).expect("one JSON document");
    assert!(json["flow"]["city_before"].is_null() && json["why_no_before"]["zh"].is_string());
    assert!(json["flow"]["city_after"]["ms"].is_u64() && json["why_no_after"].is_null());
    // Another gap is left.
    let both =
        idle.replacen("review = { units = 1, staff = 3 }", "review = { units = 0, staff = 3 }", 1);
    let text = what_if(&both, "+3", &[]).expect("an answer");
    assert!(text.contains("with the change it is still never done:\n    "), "{text}");
    assert!(text.contains(":77: L1 East lab has no unit for review"), "{text}");
    assert!(what_if(&idle, "-1", &[]).is_err());
}

#[test]
fn units_for_a_lab_that_has_no_tubes_because_it_could_not_work_bring_it_some() {
    let idle = TINY.replacen("extract = { units = 2,", "extract = { units = 0,", 1);
    let shared = idle.replacen("serves = [\"999902\"]", "serves = [\"999901\", \"999902\"]", 1);
    let shared = shared.replacen("extract = { units = 4,", "extract = { units = 2,", 1);
    let shared = shared.replacen("one_to_one = true", "one_to_one = false", 1);
    let text = what_if(&shared, "+3", &[]).expect("an answer");
    let anew = "the whole city, last first result (by the flows, streets assigned anew):";
    let city = text.lines().find(|line| line.contains(anew)).expect("the city");
    assert!(city.contains("→") && city.contains("min earlier"), "{text}");
}

/// Two labs that both may serve the east.
fn shared() -> String {
    let shared = TINY.replacen("serves = [\"999902\"]", "serves = [\"999901\", \"999902\"]", 1);
    let shared = shared.replacen("extract = { units = 4,", "extract = { units = 2,", 1);
    shared.replacen("one_to_one = true", "one_to_one = false", 1)
}

#[test]
fn a_lab_that_loses_its_last_unit_gives_its_streets_away() {
    let text = what_if(&shared(), "-2", &[]).expect("an answer");
    for words in [
        "L1 East lab: 2 fewer: extractor (2 → 0)",
        "the whole city, last first result (by the flows, streets assigned anew):",
        "later",
        "with the change no street sends to this lab",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    for words in ["never done", "L1 East lab, ", "(by the flows):"] {
        assert!(!text.contains(words), "{words}\n{text}");
    }
    let json: serde_json::Value =
        serde_json::from_str(&what_if(&shared(), "-2", &["--json"]).expect("an answer"))
            .expect("JSON");
    let flow = &json["flow"];
    assert!(flow["lab_finish_after"].is_null() && flow["binding_after"].is_null(), "{flow}");
    assert!(flow["city_before"]["ms"].as_i64() < flow["city_after"]["ms"].as_i64(), "{flow}");
    assert_eq!(flow["city_after"], flow["city_after_assigned_anew"]);
    // Whose streets reach no other is never done.
    let text = what_if(TINY, "-2", &[]).expect("an answer");
    assert!(text.contains("with the change it is never done:"), "{text}");
}

#[test]
fn a_lab_that_loses_its_people_gives_its_streets_away_too() {
    let ask = |text: &str| {
        let words = ["whatif", "CITY", "--lab", "L1", "--stage", "setup", "--staff", "-6"];
        let more = ["--lang", "en", "--replications", "10"];
        questions::said(text, &[&words[..], &more].concat()).expect("an answer").0
    };
    let text = ask(&shared());
    for words in [
        "with every street at its lab it is never done, so streets are assigned anew:",
        "the whole city, last first result (by the flows, streets assigned anew):",
        "the whole city, last first result (simulated, median):",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    let text = ask(TINY);
    assert!(text.contains("with the change it is never done:"), "{text}");
}
