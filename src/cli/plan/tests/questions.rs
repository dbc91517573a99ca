//! `plan whatif` and `plan pooling`: what they say, in words and as documents, and what they refuse.

use super::layers::{TINY, asked};
use super::*;
use crate::planner::what_if::{Alter, Altered};

/// The answer to a question as it is typed, with `CITY` for a file of this text.
pub(super) fn said(text: &str, words: &[&str]) -> Result<(String, u8), Error> {
    let (_folder, args) = asked(text);
    let city = args.city.expect("a city");
    let city = city.to_str().expect("a path of plain letters");
    let words: Vec<&str> = words.iter().map(|w| if *w == "CITY" { city } else { w }).collect();
    answer(&typed(&words).expect("arguments"))
}

#[test]
fn one_more_extractor_is_compared_in_pairs() {
    let words = [
        "whatif",
        "CITY",
        "--lab",
        "L1",
        "--stage",
        "extract",
        "--units",
        "+1",
        "--replications",
        "30",
    ];
    let (text, code) = said(TINY, &[&words[..], &["--lang", "en"]].concat()).expect("an answer");
    assert_eq!(code, 0);
    for words in [
        "L1 East lab: 1 more extractor (2 → 3)",
        "\n  L1 East lab, last first result (simulated, mean): ",
        " min (95 % interval of the mean difference of 30 pairs)\n",
        "\n  L1 East lab, last first result (by the flows): 30 h 16 min → 22 h 20 min; 7 h 56 min earlier\n",
        "\n  the whole city, last first result (by the flows): 30 h 16 min → 22 h 20 min; 7 h 56 min earlier\n",
        "\n  L1 East lab, binding stage (by the flows): extraction → extraction\n",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    let (text, _) = said(TINY, &[&words[..], &["--lang", "zh"]].concat()).expect("an answer");
    assert!(
        text.contains("L1 东区实验室：增加 1 台核酸提取仪（2 → 3）")
            && text.contains("提前 7 小时 56 分")
            && text.contains(" 分钟（30 对之差的均值，95% 置信区间）")
    );
    for words in [
        "\n  L1 东区实验室首检全部出结果（模拟均值）: ",
        " 分钟（30 对之差的均值，95% 置信区间）\n",
        "\n  L1 东区实验室首检全部出结果（流体）: ",
        "\n  全市首检全部出结果（流体）: ",
        "\n  L1 东区实验室的瓶颈环节（流体）: ",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    let (text, _) = said(TINY, &[&words[..], &["--json"]].concat()).expect("an answer");
    let json: serde_json::Value = serde_json::from_str(&text).expect("one JSON document");
    assert_eq!((json["units_now"].as_u64(), json["units_then"].as_u64()), (Some(2), Some(3)));
    assert_eq!(json["paired"]["pairs"], 30);
    // The flows and the pairs agree within a tenth.
    let saved = json["paired"]["saved_minutes"].as_f64().expect("minutes");
    assert!((saved - 476.0).abs() < 50.0, "{saved}");
}

#[test]
fn fewer_units_take_longer_and_others_change_nothing() {
    let ask = |stage, units| {
        let words = ["whatif", "CITY", "--lab", "L1", "--stage", stage, "--units", units];
        said(TINY, &[&words[..], &["--replications", "5", "--lang", "en"]].concat())
            .expect("an answer")
            .0
    };
    let fewer = ask("extract", "-1");
    assert!(fewer.contains("1 fewer: extractor (2 → 1)") && fewer.contains("min later"), "{fewer}");
    let more = ask("review", "+1");
    assert!(
        more.contains(
            "the whole city, last first result (by the flows): 30 h 16 min → 30 h 16 min; no change"
        ),
        "{more}"
    );
}

#[test]
fn what_cannot_be_asked_is_refused_with_what_there_is() {
    let ask = |lab: &str, units: &str| {
        said(TINY, &["whatif", "CITY", "--lab", lab, "--stage", "extract", "--units", units])
    };
    let error = ask("L9", "+1").expect_err("no such lab");
    assert!(error.zh().contains("可用：L1, L2") && error.en().contains("there are: L1, L2"));
    // The rule for units is the planner's, for every form of the question.
    for (units, zh, en) in [
        (
            "-3",
            "L1 的核酸提取只有 2 台（组），不能减少 3",
            "extraction at L1 has 2 units and cannot have 3 fewer",
        ),
        ("-99", "不能减少 99：请填写不小于 -2 的数", "take away 2 at most"),
    ] {
        let error = ask("L1", units).expect_err(units);
        assert!(error.zh().contains(zh) && error.en().contains(en), "{}", error.en());
    }
    let (text, code) = ask("L1", "-2").expect("an answer");
    let never = "变动后不能完成 / with the change it is never done:\n    ";
    assert!(code == 0 && text.contains(never), "{text}");
    assert!(text.contains("L1 东区实验室的核酸提取环节没有设备（0 台）"), "{text}");
    for words in [
        &["whatif", "chifeng", "--lab", "L1", "--stage", "extract", "--units", "many"][..],
        &["whatif", "chifeng", "--lab", "L1", "--stage", "oven", "--units", "+1"],
        &["whatif", "chifeng", "--stage", "extract", "--units", "+1"],
        &["chifeng", "--replications", "-1"],
        &["chifeng", "--replications", "100001"],
        &["chifeng", "--seed", "x"],
        &["pooling"],
        &["pooling", "chifeng", "--prevalence", "much"],
    ] {
        assert!(typed(words).is_err(), "{words:?}");
    }
}

/// Any other change: what is said of it, what it concerns, and what is refused.
#[test]
fn any_other_change_is_compared_in_pairs() {
    let ask = |more: &[&str]| {
        let words = [&["whatif", "CITY", "--replications", "10"][..], more].concat();
        said(TINY, &words)
    };
    for (words, zh, en, labs) in [
        (
            &["--place", "999902", "--desks", "+5", "--vehicles", "+1"][..],
            "西区：增加 5 个采样台（含人员）；西区：增加 1 辆转运车",
            "West: 5 more desks with their people; West: 1 more vehicle",
            &["L2"][..],
        ),
        (
            &["--place", "999902", "--samplers", "-40"],
            "西区：减少 40 名",
            "West: 40 fewer",
            &["L2"],
        ),
        (&["--pool", "5"], "小市：每管 5 人", "Tinytown: 5 to a tube", &["L1", "L2"]),
        (&["--prevalence", "0.05"], "感染率 5%", "5 % infected", &["L1", "L2"]),
        (&["--turnout", "50"], "到场率 50%", "50 % of the residents come", &["L1", "L2"]),
        (&["--sampling-hours", "6"], "每日采样 6 小时", "for 6 h a day", &["L1", "L2"]),
        (
            &["--lab", "L1", "--stage", "decap", "--staff", "-30"],
            "减少 30 名人员",
            "decapping: 30 fewer people",
            &["L1"],
        ),
        (&["--lab", "L1", "--shift-hours", "8"], "每日排班 8 小时", "shifts of 8 h a day", &["L1"]),
        (
            &["--instrument-hours", "24"],
            "各实验室：仪器每日运行 24 小时",
            "all labs: instruments run 24 h a day",
            &["L1", "L2"],
        ),
    ] {
        let (text, code) = ask(words).expect("an answer");
        assert!(code == 0 && text.contains(zh) && text.contains(en), "{words:?}\n{text}");
        for label in [
            "（10 对之差的均值，95% 置信区间）",
            " min (95 % interval of the mean difference of 10 pairs)\n",
            "the whole city, last first result (by the flows): ",
            ", last first result (simulated, mean): ",
            "what binds the whole city then (by the flows): ",
        ] {
            assert!(text.contains(label), "{label}\n{text}");
        }
        let (text, _) = ask(&[words, &["--json"]].concat()).expect("an answer");
        let json: serde_json::Value = serde_json::from_str(&text).expect("one JSON document");
        assert_eq!(json["labs"], serde_json::json!(labs), "{words:?}");
        assert_eq!(json["paired"]["pairs"], 10);
        assert_ne!(json["paired"]["saved_minutes"], 0.0, "{words:?}: {text}");
    }
    // Half of the people are sooner done than all, and a smaller pool takes longer.
    let minutes = |words: &[&str]| {
        let (text, _) = ask(&[words, &["--json"]].concat()).expect("an answer");
        let json: serde_json::Value = serde_json::from_str(&text).expect("one JSON document");
        json["paired"]["saved_minutes"].as_f64().expect("minutes")
    };
    assert!(minutes(&["--turnout", "50"]) > 60.0 && minutes(&["--pool", "5"]) < -60.0);
    for (words, zh, en) in [
        (
            &["--place", "9", "--desks", "+1"][..],
            "可用：999901, 999902",
            "there are: 999901, 999902",
        ),
        (&["--place", "999901", "--vehicles", "-9999"], "至多可减少", "each place keeps one"),
        (&["--lab", "L9", "--shift-hours", "8"], "可用：L1, L2", "there are: L1, L2"),
    ] {
        let error = ask(words).expect_err("a refusal");
        assert!(error.zh().contains(zh) && error.en().contains(en), "{}", error.en());
    }
    for words in [
        &[][..],
        &["--lab", "L1"],
        &["--desks", "+1"],
        &["--staff", "+1"],
        &["--lab", "L1", "--stage", "pcr", "--units", "+1", "--pool", "5"],
    ] {
        assert!(typed(&[&["whatif", "CITY"][..], words].concat()).is_err(), "{words:?}");
    }
    // What can then never be done, and what is never done as it is.
    let (text, _) = ask(&["--lab", "L1", "--stage", "decap", "--staff", "-36"]).expect("an answer");
    assert!(text.contains("with the change it is never done:"), "{text}");
    let idle = TINY.replacen("sites = 10\ndesks = 25", "sites = 0\ndesks = 0", 1);
    let words = ["whatif", "CITY", "--place", "999902", "--desks", "+25", "--replications", "5"];
    let (text, _) = said(&idle, &words).expect("an answer");
    assert!(text.contains("as it is, it is never done") && text.contains("(simulated, median)"));
}

#[test]
fn pool_sizes_are_advised_zone_by_zone() {
    let (text, code) = said(TINY, &["pooling", "CITY"]).expect("an answer");
    assert_eq!(code, 0);
    for words in [
        "管控区 / controlled zone: 60,000 人 / persons; 现用每管人数 / persons per tube now 10",
        "防范区 / prevention zone: 20,000",
        "a recall counts as 1 tube, a person called back",
        "应改为",
        "change to 10 swabs per tube",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    let (text, _) = said(TINY, &["pooling", "CITY", "--json"]).expect("an answer");
    let json: serde_json::Value = serde_json::from_str(&text).expect("one JSON document");
    assert_eq!(json["zones"].as_array().map(Vec::len), Some(2));
    assert_eq!(json["zones"][0]["advised"], 10);
    assert_eq!(json["zones"][1]["advised"], 20);
    let flip = json["zones"][1]["flip"]["prevalence"].as_f64().expect("a prevalence");
    assert!((0.005..0.05).contains(&flip), "{flip}");
    // Where half of the tubes would be unclean, single tubes.
    let (text, _) =
        said(TINY, &["pooling", "CITY", "--json", "--prevalence", "0.4"]).expect("an answer");
    let json: serde_json::Value = serde_json::from_str(&text).expect("one JSON document");
    assert_eq!(json["zones"][1]["advised"], 1);
}

/// The finish that a question about 1 % infected is answered with is that of 1 %: the same as a what-if of both.
#[test]
fn the_finish_with_advised_pools_is_that_of_the_prevalence_that_was_asked_about() {
    let pooling = |more: &[&str]| {
        let words = [&["pooling", "jiyuan", "--json"], more].concat();
        let (text, _) = said(TINY, &words).expect("an answer");
        serde_json::from_str::<serde_json::Value>(&text).expect("one JSON document")
    };
    let (norms, asked) = (pooling(&[]), pooling(&["--prevalence", "0.01"]));
    assert_eq!(asked["zones"][0]["advised"], 20);
    let words = ["whatif", "jiyuan", "--pool", "20", "--prevalence", "0.01", "--json"];
    let (text, _) = said(TINY, &words).expect("an answer");
    let both: serde_json::Value = serde_json::from_str(&text).expect("one JSON document");
    let flows = &asked["by_the_flows"];
    assert_eq!(flows["advised"]["finish"], both["flow"]["city_after_assigned_anew"]);
    let finish = |of: &serde_json::Value| of["finish"]["ms"].as_u64().expect("a time");
    let median = |of: &serde_json::Value| of["finish_hours"]["p50"].as_f64().expect("hours");
    let simulated = |of: &serde_json::Value| median(&of["simulated"]["advised"]);
    assert!(finish(&flows["advised"]) > 2 * finish(&norms["by_the_flows"]["advised"]));
    assert!(simulated(&asked) > 2.0 * simulated(&norms));
    // Both sizes of a pair are of the same prevalence.
    assert!(finish(&flows["now"]) > finish(&norms["by_the_flows"]["now"]) + 3_600_000);
    let note = |of: &serde_json::Value| of["by_the_flows"]["note"]["en"].to_string();
    assert!(note(&norms).contains("the norm pack's prevalence"), "{}", note(&norms));
    assert!(note(&asked).contains("the prevalence asked about, 0.01, taken as known"));
    // Taken as known: no replication draws another one.
    let mut city = city_file::builtin("jiyuan").expect("a city");
    city = Altered::of(&city, &[Alter::Prevalence { share: 0.01 }]).expect("a change").city;
    let mut round = planner::round::Round::of(&city).expect("a round");
    round.doubt.prevalence = (0.0, 0.0);
    let dice = Dice { replications: REPLICATIONS, seed: 1 };
    let known = super::super::layers::simulated(&round, &round.model, dice, &Progress::silent());
    let known = json_layers::quantiles(&known.expect("it is simulated").finish);
    assert_eq!(asked["simulated"]["now"]["finish_hours"], known);
    // Where nobody is infected, no recall is open after the last first result.
    let nobody = &pooling(&["--prevalence", "0"])["by_the_flows"]["advised"];
    assert_eq!(nobody["closed"], nobody["finish"]);
    assert_ne!(norms["by_the_flows"]["advised"]["closed"], nobody["closed"]);
}

#[test]
fn a_city_without_zones_is_one_zone_and_an_odd_level_is_refused() {
    let (text, _) = said(TINY, &["pooling", "jiyuan", "--lang", "en"]).expect("an answer");
    assert!(text.contains("where no zone is named: 727,265 persons"), "{text}");
    // A level of nothing or of everything is none, nor is one beyond; below nought clap does not take it for a flag.
    for level in ["0", "1", "-0.5", "7", "NaN"] {
        let error = typed(&["pooling", "jiyuan", "--level", level]).expect_err(level).to_string();
        assert!(error.contains("expected more than 0 and less than 1"), "{level}: {error}");
    }
}

#[test]
fn a_number_below_nought_is_refused_in_our_own_words() {
    for (words, says) in [
        (&["chifeng", "--target", "-3"][..], "应为 1h 到 2160h"),
        (&["chifeng", "--replications", "-3"], "应为 0 到 100000"),
        (
            &[
                "whatif", "chifeng", "--lab", "L01", "--stage", "pcr", "--units", "+1", "--target",
                "-3",
            ],
            "应为 1h 到 2160h",
        ),
    ] {
        let error = typed(words).expect_err("a refusal").to_string();
        assert!(error.contains(says) && !error.contains("tip"), "{words:?}: {error}");
    }
}

/// With another norm pack, as the other questions about plans.
#[test]
fn a_what_if_is_asked_of_another_norm_pack() {
    let base = [
        "whatif",
        "jiyuan",
        "--lab",
        "L01",
        "--stage",
        "pcr",
        "--units",
        "+1",
        "--replications",
        "0",
    ];
    let text = |more: &[&str]| said(TINY, &[&base[..], more].concat()).expect("an answer").0;
    assert_eq!(text(&[]), text(&["--norm", "jiyuan-2021"]));
    let folder = tempfile::tempdir().expect("a folder");
    let pack = folder.path().join("half.toml");
    let half = "name = \"half\"\ntitle = \"半\"\ntitle_en = \"half\"\nbase = \"jiyuan-2021\"\n\
                [sources]\nus = \"本地\"\n\
                [field]\ncoverage_percent = { value = 50, status = \"assumed\", source = \"us\" }\n";
    std::fs::write(&pack, half).expect("written");
    let pack = pack.to_str().expect("a path of plain letters");
    assert_ne!(text(&[]), text(&["--norm", pack]));
}

/// What the answer tells that one more unit saves is what the what-if tells of it.
#[test]
fn the_answer_and_the_what_if_agree_on_one_more_unit() {
    let json = |words: &[&str]| -> serde_json::Value {
        let (text, _) = said(TINY, words).expect("an answer");
        serde_json::from_str(&text).expect("one JSON document")
    };
    let none = ["--json", "--replications", "0"];
    for city in ["CITY", "chifeng"] {
        let whole = json(&[&[city][..], &none].concat());
        let of_lab = &whole["layers"]["flow"]["labs"][0];
        let lab = of_lab["lab"].as_str().expect("a code");
        for stage in of_lab["stages"].as_array().expect("stages") {
            let key = stage["stage"].as_str().expect("a key");
            let words =
                [&["whatif", city, "--lab", lab, "--stage", key, "--units", "+1"][..], &none]
                    .concat();
            let flow = &json(&words)["flow"];
            let ms = |time: &serde_json::Value| time["ms"].as_i64().expect("a time");
            let saved = ms(&flow["lab_before"]["finish"]) - ms(&flow["lab_finish_after"]);
            assert_eq!(stage["one_more_saves_ms"], saved, "{city} {key}");
            let saved = ms(&flow["city_before"]) - ms(&flow["city_after"]);
            assert_eq!(stage["one_more_saves_city_ms"], saved, "{city} {key}");
        }
    }
}

/// One pair or one replication has no spread, and none is told; of pairs it is told what they leave out.
#[test]
fn one_pair_or_replication_is_not_told_as_certain() {
    let unit = &["whatif", "CITY", "--lab", "L1", "--stage", "extract", "--units", "+1"][..];
    let hours = &["whatif", "CITY", "--sampling-hours", "6"][..];
    for (words, n, en, zh) in [
        (unit, "1", "(one pair alone, which has no interval)", "（只有一对，没有置信区间）"),
        (
            hours,
            "1",
            "\n  The pair holds everything else at its planned value: ",
            "\n  这一对模拟中",
        ),
        (unit, "5", "\n  The pairs hold everything else at its planned value: ", "\n  成对模拟中"),
        (hours, "5", " (95 % interval of the mean difference of 5 pairs)", "（5 对之差的均值，"),
    ] {
        let ask = |more: &[&str]| {
            let words = [words, &["--replications", n], more].concat();
            said(TINY, &words).expect("an answer").0
        };
        for (lang, told) in [("en", en), ("zh", zh)] {
            let text = ask(&["--lang", lang]);
            assert!(text.contains(told), "{told}\n{text}");
            assert_eq!(text.contains('±') && text.contains("95"), n == "5", "{text}");
        }
        let json: serde_json::Value = serde_json::from_str(&ask(&["--json"])).expect("a document");
        assert_eq!(json["paired"]["half_width_minutes"].is_null(), n == "1");
    }
    // A city that is reckoned anew, and the plan itself.
    let idle = TINY.replacen("sites = 10\ndesks = 25", "sites = 0\ndesks = 0", 1);
    let anew = &["whatif", "CITY", "--place", "999902", "--desks", "+25"][..];
    for (text, words) in [(TINY, &["CITY"][..]), (&idle, anew)] {
        let once = said(text, &[words, &["--replications", "1"]].concat());
        let twice = said(text, &[words, &["--replications", "2"]].concat());
        let (Ok((once, _)), Ok((twice, _))) = (once, twice) else { panic!("{words:?}") };
        let none = "one replication alone, which has no range and no probability";
        assert!(once.contains(none) && once.contains("只模拟了一次"), "{once}");
        // The answer of the plan itself says it in the place of its range.
        let told = once.contains(&format!(" ({none}). ")) && once.contains("（只模拟了一次，");
        assert!(told || words.len() > 1, "{once}");
        for range in [
            "P10–P90",
            "in time with",
            "in time in",
            " of 1 replications",
            "P90",
            "(median)",
            "quantiles (h)",
        ] {
            assert!(!once.contains(range), "{range}\n{once}");
        }
        assert!(twice.contains("P10–P90") && !twice.contains(none), "{twice}");
    }
    let (text, _) = said(TINY, &["CITY", "--replications", "1", "--json"]).expect("an answer");
    let json: serde_json::Value = serde_json::from_str(&text).expect("a document");
    let simulation = &json["layers"]["simulation"];
    assert!(simulation["in_time_probability"].is_null() && simulation["replications"] == 1);
}
