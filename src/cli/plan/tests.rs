//! What the user sees: exit codes, both languages, figures in the table and in JSON.

use super::*;

fn args(city: &str) -> PlanArgs {
    PlanArgs {
        city: (!city.is_empty()).then(|| PathBuf::from(city)),
        target: None,
        json: false,
        norm: None,
        lang: None,
        filled: false,
        guandu: city.is_empty(),
    }
}

#[test]
fn hours_are_read_with_or_without_their_letter() {
    for (text, read) in [("24h", Some(24)), ("48", Some(48)), ("120H", Some(120)), ("0h", None)] {
        assert_eq!(hours(text).ok(), read, "{text}");
    }
    for text in ["", "h", "-1h", "24hh", "2161h", "１h"] {
        assert!(hours(text).is_err(), "{text}");
    }
}

#[test]
fn chifeng_answers_no_at_its_own_target_and_shows_the_totals() {
    let (text, code) = answer(&args("chifeng")).expect("chifeng");
    assert_eq!(code, EXIT_NO);
    for words in [
        "24 h: 不能完成 / no",
        "1,352–2,025",
        "5,050–6,732",
        "11,215",
        "403,602",
        "1,346–2,018",
        "缺口清单 / 5. Shortages",
        "核酸提取仪 / extractor",
    ] {
        assert!(text.contains(words), "{words}");
    }
}

#[test]
fn one_language_leaves_the_other_out() {
    let text = |lang| answer(&PlanArgs { lang: Some(lang), ..args("jiyuan") }).expect("jiyuan").0;
    assert!(text(Lang::Zh).contains("结论") && !text(Lang::Zh).contains("Verdict"));
    assert!(text(Lang::En).contains("Verdict") && !text(Lang::En).contains("结论"));
}

#[test]
fn json_holds_the_same_figures() {
    let asked = PlanArgs { json: true, filled: true, target: Some(24), ..args("chifeng") };
    let (text, code) = answer(&asked).expect("chifeng");
    let json: serde_json::Value = serde_json::from_str(&text).expect("one JSON document");
    assert_eq!(code, EXIT_NO);
    for (pointer, value) in [
        ("/verdict/yes", serde_json::json!(false)),
        ("/filled/verdict/yes", serde_json::json!(true)),
        ("/filled/shortages", serde_json::json!(0)),
        ("/total/tubes", serde_json::json!(403_602)),
        ("/total/city_ceilings/samplers", serde_json::json!(11_212)),
        ("/districts/0/name/zh", serde_json::json!("红山区")),
        ("/districts/0/population_origin/status", serde_json::json!("sourced")),
        ("/labs/0/origin/status", serde_json::json!("assumed")),
        ("/other_targets/0/target_hours", serde_json::json!(48)),
    ] {
        assert_eq!(json.pointer(pointer), Some(&value), "{pointer}");
    }
    let short = json["shortages"].as_array().expect("list");
    assert!(short.iter().all(|s| s["short"].as_u64() > Some(0) && s["mend"]["zh"] != ""));
}

#[test]
fn the_guandu_letter_is_explained_alone_and_in_kunming() {
    for city in ["", "kunming"] {
        let (text, _) = answer(&args(city)).expect("report");
        for words in [
            "38 批 × 94 = 3,572 管",
            "10 批 × 94 = 4,700 管",
            "27′42″",
            "28′25″",
            "135′00″",
            "28.8",
            "3,552",
        ] {
            assert!(text.contains(words), "{city} {words}");
        }
    }
}

#[test]
fn another_norm_changes_the_target_and_the_verdict_line() {
    let asked = PlanArgs { norm: Some(PathBuf::from("qilin-2020")), ..args("chifeng") };
    let (text, code) = answer(&asked).expect("chifeng");
    assert_eq!(code, 0);
    assert!(text.contains("120 h: 能完成 / yes"));
}

#[test]
fn a_bad_file_is_an_error_with_its_name() {
    let error = answer(&args("/nowhere/city.toml")).expect_err("no such file");
    assert!(error.zh().contains("/nowhere/city.toml") && error.en().contains("cannot be read"));
}
