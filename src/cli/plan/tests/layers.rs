//! The layers after the rules: the answer in words, what mends it, the exit code, the keys of the document.

use super::filing::report_of;
use super::*;
use serde_json::json;

pub(super) const TINY: &str = include_str!("tiny.toml");

/// A city file in a folder of its own, and what is asked of it.
pub(super) fn asked(text: &str) -> (tempfile::TempDir, PlanArgs) {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("city.toml");
    std::fs::write(&path, text).expect("written");
    let asked = args(path.to_str().expect("a path of plain letters"));
    (folder, asked)
}

fn answered(text: &str, change: impl FnOnce(&mut PlanArgs)) -> (String, u8) {
    let (_folder, mut args) = asked(text);
    change(&mut args);
    answer(&args).expect("an answer")
}

/// The lines between two headings.
fn between<'t>(text: &'t str, from: &str, to: &str) -> &'t str {
    let start = text.find(from).expect("first heading");
    let end = text[start..].find(to).expect("second heading") + start;
    text[start..end].trim_end()
}

#[test]
fn the_three_layers_stand_side_by_side_in_english() {
    let (text, code) = answered(TINY, |args| {
        args.lang = Some(Lang::En);
        args.replications = 40;
    });
    assert_eq!(code, EXIT_NO);
    let shown = between(&text, "  the layers side by side", "\n2. Needs");
    let expected = "  the layers side by side:
  layer                                needs in time binding
  rules (the guide's arithmetic) 24 h 42 min no      lab: extraction East lab
  flows                          30 h 16 min no      extraction at L1 East lab binds from 09:28
  simulation (median)            30 h 36 min no      P10–P90: 28 h 42 min – 37 h 11 min, in time with 0 %
  flows and rules: the flows are 5.6 h later, step by step: ";
    let said = "

  No: 30 h 36 min (28 h 42 min – 37 h 11 min), in time in 0 % of 40 replications. Extraction at L1 East lab binds from 09:28. 1 more extractor there \
  would bring it to 23 h. Moving streets alone is not enough: ";
    assert!(shown.starts_with(expected) && shown.contains(said), "{shown}");
    let why = "; without any chance the simulation is ";
    assert!(
        shown.contains("\n  simulation and flows: the mean (of 40) is ") && shown.contains(why),
        "{shown}"
    );
    let divided = TINY.replacen("one_to_one = true", "one_to_one = false", 1);
    let (text, _) = answered(&divided, |args| args.lang = Some(Lang::En));
    assert!(text.contains(
        "tubes to L2 West lab, which must take tubes of other districts, would bring it"
    ));
}

#[test]
fn the_three_layers_stand_side_by_side_in_chinese() {
    let (text, code) = answered(TINY, |args| {
        args.lang = Some(Lang::Zh);
        args.replications = 40;
    });
    assert_eq!(code, EXIT_NO);
    let shown = between(&text, "  三层并列", "\n二、");
    let expected = "  三层并列:
  层                        需时 按时 瓶颈
  测算（指南算术） 24 小时 42 分 不能 实验室：核酸提取 东区实验室
  流体             30 小时 16 分 不能 L1 东区实验室的核酸提取自 09:28 起成为瓶颈
  模拟（中位数）   30 小时 36 分 不能 P10–P90：28 小时 42 分–37 小时 11 分，按时概率 0 %
  流体与测算：流体晚 5.6 小时，逐项累加为：";
    let said = "

  不能按时完成：30 小时 36 分（28 小时 42 分–37 小时 11 分），40 次模拟中 0 % 按时。L1 东区实验室的核酸提取自 09:28 起成为瓶颈。\
在该处增加 1 台核酸提取仪，可提前到 23 小时。单靠调整分派不够：";
    assert!(shown.starts_with(expected) && shown.contains(said), "{shown}");
    assert!(shown.contains("\n  模拟与流体：平均（40 次）"), "{shown}");
}

#[test]
fn the_remedy_it_names_is_true_when_it_is_carried_out() {
    let (_, before) = answered(TINY, |args| args.replications = 40);
    assert_eq!(before, EXIT_NO);
    let mended = TINY.replacen("extract = { units = 2,", "extract = { units = 3,", 1);
    let (text, after) = answered(&mended, |args| args.replications = 40);
    assert_eq!(after, 0, "{text}");
    // The yes is the median's: how often it is so stands with it, and in the document.
    let said = text
        .split("Yes, in ")
        .nth(1)
        .and_then(|rest| rest.split_once(" of 40 replications: 23 h ("));
    let share = said.expect("the share of the replications").0;
    assert!(text.contains(&format!("能完成（40 次模拟中 {share} 按时）：23 小时（")), "{text}");
    let (text, _) = answered(&mended, |args| (args.replications, args.json) = (40, true));
    let json: serde_json::Value = serde_json::from_str(&text).expect("one JSON document");
    let of = json["layers"]["simulation"]["in_time_probability"].as_f64().expect("a share");
    assert!(of > 0.5 && share == layers_text::percent(of), "{share} {of}");
}

#[test]
fn without_a_simulation_the_flows_decide() {
    let one_more = TINY.replacen("extract = { units = 2,", "extract = { units = 3,", 1);
    for (city, target, code) in [(TINY, 24, EXIT_NO), (TINY, 48, 0), (&one_more, 24, 0)] {
        let (text, said) = answered(city, |args| args.target = Some(target));
        assert_eq!(said, code, "{target} {text}");
        assert!(text.contains("未模拟（--replications 0）"));
    }
    let (text, _) = answered(TINY, |args| args.lang = Some(Lang::En));
    assert!(text.contains(
        "No: 30 h 16 min. Extraction at L1 East lab binds from 09:28. 1 more extractor there"
    ));
}

#[test]
fn the_rules_alone_do_not_make_a_yes() {
    // The guide's arithmetic spreads the load evenly and says yes; the flows know that the last tubes come at night.
    let close = TINY.replacen(
        "run_minutes = 30, load_minutes = 4",
        "run_minutes = 25, load_minutes = 4",
        1,
    );
    let (text, code) = answered(&close, |args| args.json = true);
    let json: serde_json::Value = serde_json::from_str(&text).expect("one JSON document");
    assert_eq!(json["verdict"]["yes"], true);
    assert_eq!((json["yes"].clone(), code), (json!(false), EXIT_NO));
}

#[test]
fn what_holds_the_round_up_is_told_as_it_is() {
    // One extractor, fast enough for all: what comes late in the evening waits until it has rested.
    let rests = TINY.replacen(
        "extract = { units = 2, run_minutes = 30",
        "extract = { units = 1, run_minutes = 4",
        1,
    );
    for (city, target, said) in [
        (
            &rests,
            24,
            [
                "L1 East lab is last: the instruments for extraction work 18 h of a day, and the last tubes wait while they rest",
                "L1 东区实验室最后完成：核酸提取仪器每天只工作 18 小时，最后的样本要等仪器休息完",
            ],
        ),
        (
            &TINY.to_owned(),
            5,
            [
                "The way itself: even the first result of L1 East lab (box, transport, one run of each stage) takes",
                "流程本身：L1 东区实验室的首个结果（封箱、转运、各环节各一次）也要",
            ],
        ),
        (
            &TINY.to_owned(),
            5,
            [
                "No number of units, desks or vehicles brings it within the target: the first result alone",
                "增加设备、采样台或车辆不能使其按时完成：首个结果（封箱、转运、各环节各一次）就要",
            ],
        ),
    ] {
        let (text, code) = answered(city, |args| args.target = Some(target));
        assert_eq!(code, EXIT_NO);
        for words in said {
            assert!(text.contains(words), "{words}\n{text}");
        }
    }
}

#[test]
fn a_city_that_gives_no_round_says_why_and_still_has_its_rules() {
    let broken =
        TINY.replacen("decap = { units = 6, staff = 36 }", "decap = { units = 6, staff = 0 }", 1);
    let (text, code) = answered(&broken, |_| {});
    assert_eq!(code, EXIT_NO);
    for words in [
        "L1 东区实验室的开盖加样环节有设备而人员不足一台之用",
        "no flows and no simulation, so the answer is no:\n",
        "缺口清单 / 5. Shortages",
    ] {
        assert!(text.contains(words), "{words}");
    }
    // What the lab lacks says it all: its street is not told again.
    assert!(!text.contains("reaches only labs that cannot work"), "{text}");
    let (text, _) = answered(&broken, |args| args.json = true);
    let json: serde_json::Value = serde_json::from_str(&text).expect("one JSON document");
    assert!(json["layers"].is_null() && json["why_no_layers"]["en"].is_string());
    assert_eq!(json["cut_off"][0]["why"], "idle");
}

#[test]
fn the_document_has_the_keys_of_every_layer() {
    let (text, _) = answered(TINY, |args| {
        args.json = true;
        args.replications = 20;
        args.seed = 7;
    });
    let json: serde_json::Value = serde_json::from_str(&text).expect("one JSON document");
    for (pointer, value) in [
        ("/schema", json!(2)),
        ("/yes", json!(false)),
        ("/layers/in_time", json!(false)),
        ("/layers/target_ms", json!(86_400_000)),
        ("/layers/flow/last_lab", json!("L1")),
        ("/layers/flow/labs/0/binding", json!("extract")),
        ("/layers/flow/labs/0/stages/3/units_working", json!(2)),
        ("/layers/flow/labs/0/stages/3/units_needed", json!(3)),
        ("/layers/assignment/one_to_one", json!(true)),
        ("/layers/assignment/streets/0/lab", json!("L1")),
        ("/layers/assignment/overflow/tubes", json!(0)),
        ("/layers/simulation/replications", json!(20)),
        ("/layers/simulation/seed", json!(7)),
        ("/layers/simulation/labs/0/busiest", json!("extract")),
        ("/layers/remedy/more/units/0/lab", json!("L1")),
        ("/layers/remedy/more/units/0/stage", json!("extract")),
        ("/layers/remedy/more/outcome/enough", json!(true)),
        ("/layers/remedy/moving/whole_streets", json!(true)),
    ] {
        assert_eq!(json.pointer(pointer), Some(&value), "{pointer}");
    }
    let slack = json.pointer("/layers/flow/labs/0/stages/3/slack_hours").and_then(|s| s.as_f64());
    assert!(slack.is_some_and(|hours| hours < 0.0));
    let q = &json["layers"]["simulation"]["finish_hours"];
    assert!(q["p10"].as_f64() <= q["p50"].as_f64() && q["p50"].as_f64() <= q["p90"].as_f64());
}

#[test]
fn the_same_seed_gives_the_same_report() {
    let report = |seed| {
        answered(TINY, |args| {
            args.replications = 10;
            args.seed = seed;
        })
    };
    assert_eq!(report(3), report(3));
    assert_ne!(report(3), report(4));
}

#[test]
fn every_built_in_city_is_answered_with_what_would_mend_it() {
    for (name, _) in city_file::BUILTIN {
        let (text, code) = answer(&args(name)).expect("an answer");
        assert_eq!(code == 0, text.contains("能完成：") && !text.contains("No: "), "{name}");
        assert!(code == 0 || text.contains("would bring it"), "{name}");
    }
}

#[test]
fn one_more_that_saves_nothing_is_not_named() {
    let rows = |text: &str, lang| {
        let (text, _) = answered(text, |args| args.lang = Some(lang));
        let (_, table) =
            text.split_once(if lang == Lang::En { "+1 is\n" } else { "+1 为\n" }).expect("a table");
        table.lines().take(2).map(str::to_owned).collect::<Vec<_>>()
    };
    // Desks that take days: no lab is what keeps the round from being done.
    let few = TINY.replace("sites = 30\ndesks = 75", "sites = 5\ndesks = 10");
    for (lang, nothing) in
        [(Lang::En, "no unit makes it earlier"), (Lang::Zh, "增加任何一台都不提前")]
    {
        assert!(rows(TINY, lang)[0].ends_with(if lang == Lang::En {
            "extractor"
        } else {
            "核酸提取仪"
        }));
        for row in rows(&few, lang) {
            assert_eq!(row.ends_with(nothing), row.matches("0.0 min").count() == 2, "{row}");
        }
        assert!(
            rows(&few, lang).iter().any(|row| row.ends_with(nothing)),
            "{:?}",
            rows(&few, lang)
        );
    }
}

/// What lies between the arithmetic and the flows is explained but for a tenth of it, or half an hour.
#[test]
fn the_steps_from_the_arithmetic_to_the_flows_leave_little_of_every_built_in_city() {
    for (name, _) in city_file::BUILTIN {
        let report = report_of(&args(name));
        let layers = report.layers.as_ref().expect("a round");
        let steps = layers.steps(&report.city, &report.plan).expect("it ends");
        let sum: i64 = steps.by.iter().map(|(_, ms)| ms).sum();
        assert_eq!(sum + steps.left, steps.gap, "{name}");
        let most = (steps.gap.abs() / 10).max(i64::from(planner::model::MINUTE) * 30);
        assert!(steps.left.abs() <= most, "{name}: {steps:?}");
        let document = json::report(&report);
        let told = &document["layers"]["flow_and_rules"];
        assert_eq!((&told["ms"], &told["left_ms"]), (&json!(steps.gap), &json!(steps.left)));
        assert_eq!(told["steps"][1], json!({ "step": "runs", "ms": steps.by[1].1 }));
    }
}
