//! What the user sees: exit codes, both languages, figures in the table and in JSON.

mod beyond;
mod crews;
mod cut_off;
mod filing;
mod filled;
mod given;
mod keys;
mod lacking;
mod layers;
mod options;
mod outputs;
mod places;
mod questions;
mod reached;
mod remedies;
mod searched;
mod support;
mod vehicles;
mod wording;
mod written;

use super::*;

fn args(city: &str) -> PlanArgs {
    PlanArgs {
        what: None,
        city: (!city.is_empty()).then(|| PathBuf::from(city)),
        target: None,
        json: false,
        norm: None,
        lang: None,
        filled: false,
        guandu: city.is_empty(),
        replications: 0,
        seed: 1,
        xlsx: None,
        svg_backlog: None,
        svg_finish: None,
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
        "24 h: 不能完成（流体：不能，52 小时 8 分） / no (flows: no, 52 h 08 min); ",
        "1,352–2,025",
        "5,050–6,732",
        "11,215",
        "403,602",
        "1,346–2,018",
        "缺口清单 / 5. Shortages",
        // How totals, ranges and columns are to be read stands under each table.
        "what one has too much of fills no gap of another",
        "The gap of 10 rounds contains that of the 6 on the shelf",
        "one site for 3,000 to 2,000 persons, one desk for 800 to 600, one sampler for 360, 1 registrar at each desk",
        "No lab for: tubes that the labs cannot do within 24 h",
        "tubes 403,597 (10 persons to a tube); what is filed is the total",
        "asked: tubes that the arithmetic gives the lab",
        "核酸提取仪 / extractor",
    ] {
        assert!(text.contains(words), "{words}");
    }
}

#[test]
fn there_is_one_bottleneck_and_why_another_stage_does_less_within_the_target() {
    let text = |name| answer(&PlanArgs { lang: Some(Lang::En), ..args(name) }).expect(name).0;
    let jiyuan = text("jiyuan");
    for said in [
        "48 h: no (flows: no, 68 h 56 min); needs 60 h 22 min; binding stage: lab: extraction (Jiyuan testing lab (assumed))",
        " review least within the target\n",
        " decapping (13×55×94×85%)\n",
        "There is one bottleneck: extraction at L01, which needs longest for all tubes",
        "In this table decapping does fewer within 48 h (57,128 tubes, extraction 57,904) and is all the same done",
    ] {
        assert!(jiyuan.contains(said), "{said}\n{jiyuan}");
    }
    let chinese = answer(&PlanArgs { lang: Some(Lang::Zh), ..args("jiyuan") }).expect("jiyuan").0;
    assert!(chinese.contains("瓶颈只有一个：L01 的核酸提取（见“结论”"), "{chinese}");
    // Where both are the same, or no lab binds, there is nothing to explain.
    assert!(!text("kunming").contains("There is one bottleneck"));
    let city = city_file::builtin("jiyuan").expect("jiyuan");
    let mut seen = [false; 2];
    for target in (24..=96).step_by(4) {
        let plan = planner::solve(&city, target);
        let other = plan.labs[0].capacity.binding != planner::StageKind::Extract;
        assert_eq!(
            plan.verdict.binding.stage,
            planner::ChainStage::Lab(planner::StageKind::Extract)
        );
        let told = text::labs(&plan, Some(Lang::En)).contains("There is one bottleneck");
        assert_eq!(told, other, "{target}");
        seen[usize::from(other)] = true;
    }
    assert_eq!(seen, [true, true]);
}

/// The arithmetic says yes to two days where the planner's answer is no: beside each target stands what the other layers say of it,
/// the same in every form.
#[test]
fn each_target_has_the_answer_of_every_layer_beside_it() {
    let asked = PlanArgs { lang: Some(Lang::En), replications: 20, ..args("chifeng") };
    let (text, _) = answer(&asked).expect("chifeng");
    let (document, _) = answer(&PlanArgs { json: true, ..asked.clone() }).expect("chifeng");
    let json: serde_json::Value = serde_json::from_str(&document).expect("one JSON document");
    let sheets = sheet::sheets(&filing::report_of(&asked));
    let arithmetic = sheets.iter().find(|sheet| sheet.name.en == "Arithmetic").expect("a sheet");
    let own = &json["layers"]["simulation"]["finish_hours"]["p50"];
    let verdicts =
        std::iter::once(&json["verdict"]).chain(json["other_targets"].as_array().expect("others"));
    let mut answers = Vec::new();
    for (verdict, told) in verdicts.zip(&arithmetic.lines) {
        let (h, of) = (&verdict["target_hours"], &verdict["other_layers"]);
        let yes = |of: &serde_json::Value| of["yes"].as_bool().expect("an answer");
        let all = [yes(verdict), yes(&of["flows"]), yes(&of["simulation"])];
        assert_eq!(&of["simulation"]["finish_hours"], own);
        let share = of["simulation"]["in_time_probability"].as_f64().expect("of many replications");
        assert_eq!(share >= 0.5, all[2], "the share is that of this target: {of}");
        let word = |yes: bool| if yes { "yes" } else { "no" };
        let [rules, flows, simulation] = all.map(word);
        let start =
            format!("{h} h: {rules} (flows: {flows}, 52 h 08 min; simulation: {simulation}, ");
        assert!(told.en.starts_with(&start), "{told:?}");
        assert!(text.contains(&format!("  {}; needs ", told.en)), "{}\n{text}", told.en);
        answers.push((h.as_u64().expect("hours"), all));
    }
    let (no, late, yes) = ([false; 3], [true, false, false], [true; 3]);
    assert_eq!(answers, [(24, no), (48, late), (120, yes)]);
    // As the planner itself answers, asked for that target.
    let two_days = PlanArgs { target: Some(48), json: true, ..asked };
    let (own, code) = answer(&two_days).expect("chifeng");
    let own: serde_json::Value = serde_json::from_str(&own).expect("one JSON document");
    assert_eq!((code, &own["yes"]), (EXIT_NO, &false.into()));
    let share = &own["layers"]["simulation"]["in_time_probability"];
    assert_eq!(
        &json["other_targets"][0]["other_layers"]["simulation"]["in_time_probability"],
        share
    );
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
        ("/total/city_ceilings/tubes", serde_json::json!(403_597)),
        ("/total/city_ceilings/samplers", serde_json::json!(11_212)),
        ("/districts/0/name/zh", serde_json::json!("红山区")),
        ("/districts/0/population_origin/status", serde_json::json!("sourced")),
        ("/labs/0/origin/status", serde_json::json!("assumed")),
        ("/other_targets/0/target_hours", serde_json::json!(48)),
    ] {
        assert_eq!(json.pointer(pointer), Some(&value), "{pointer}");
    }
    // The round is reckoned with divided streets: what one more unit saves is told of each lab that has tubes of them.
    assert_eq!(json["layers"]["assignment"]["one_to_one"], false);
    for lab in json["layers"]["assignment"]["labs"].as_array().expect("labs") {
        let told = lab["one_more_saves_lab_minutes"].is_number();
        assert_eq!(told, lab["tubes"].as_u64() > Some(0), "{lab}");
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
    // Without a city there is nothing that a file could hold.
    let file = std::env::temp_dir().join("swabline-letter-alone");
    for flag in ["--xlsx", "--svg-backlog", "--svg-finish"] {
        let mut asked = args("");
        let asked_for = match flag {
            "--xlsx" => &mut asked.xlsx,
            "--svg-backlog" => &mut asked.svg_backlog,
            _ => &mut asked.svg_finish,
        };
        *asked_for = Some(file.clone());
        let error = answer(&asked).expect_err(flag);
        assert!(error.en().starts_with(&format!("{flag} needs a city")), "{error}");
        assert!(!file.exists());
    }
}

#[test]
fn another_norm_changes_the_target_and_the_verdict_line() {
    let asked = PlanArgs { norm: Some(PathBuf::from("qilin-2020")), ..args("chifeng") };
    let (text, code) = answer(&asked).expect("chifeng");
    assert_eq!(code, 0);
    assert!(text.contains("120 h: 能完成（流体：能，"), "{text}");
}

#[test]
fn a_bad_file_is_an_error_with_its_name() {
    let error = answer(&args("/nowhere/city.toml")).expect_err("no such file");
    assert!(error.zh().contains("/nowhere/city.toml") && error.en().contains("cannot be read"));
    // Whoever meant a built-in one is told what there is, of cities and of norm packs.
    assert!(error.zh().contains("chifeng, jiyuan, kunming, qujing"), "{error}");
    let asked = PlanArgs { norm: Some(PathBuf::from("guide-4th")), ..args("jiyuan") };
    let error = answer(&asked).expect_err("no such pack");
    assert!(error.en().contains("built in: ") && error.en().contains("guide-3rd-2022"), "{error}");
}

/// The command line as the user types it.
#[derive(clap::Parser)]
struct Typed {
    #[command(flatten)]
    plan: PlanArgs,
}

fn typed(words: &[&str]) -> Result<PlanArgs, clap::Error> {
    use clap::Parser;
    Typed::try_parse_from([&["plan"], words].concat()).map(|typed| typed.plan)
}

#[test]
fn diff_stands_beside_the_report_and_does_not_disturb_it() {
    assert!(typed(&["chifeng"]).is_ok_and(|a| a.what.is_none() && a.city.is_some()));
    assert!(typed(&["chifeng", "--json", "--target", "48h"]).is_ok_and(|a| a.json));
    assert!(typed(&["--guandu"]).is_ok_and(|a| a.guandu && a.what.is_none()));
    assert!(typed(&["./diff"]).is_ok_and(|a| a.what.is_none()));
    for words in [&["diff", "chifeng", "jiyuan"][..], &["diff", "chifeng", "jiyuan", "--json"]] {
        assert!(typed(words).is_ok_and(|a| a.what.is_some()), "{words:?}");
    }
    for words in [&[][..], &["diff"], &["diff", "chifeng"], &["chifeng", "diff", "a", "b"]] {
        assert!(typed(words).is_err(), "{words:?}");
    }
}

/// The answer of `plan diff` on two texts of city files.
fn diff_of(old: &str, new: &str, json: bool) -> (String, u8) {
    let folder = tempfile::tempdir().expect("folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        path
    };
    let (old, new) = (write("old.toml", old), write("new.toml", new));
    let diff = diff::DiffArgs { old, new, json, lang: None };
    let asked = PlanArgs { what: Some(PlanWhat::Diff(diff)), ..args("jiyuan") };
    answer_on("2022-04-30", &asked, &mut std::io::sink()).expect("read")
}

/// A city file that says of itself so.
fn headed(head: &str) -> String {
    let (_, jiyuan) = city_file::BUILTIN.iter().find(|b| b.0 == "jiyuan").expect("jiyuan");
    jiyuan.replace("\n[sources]\n", &format!("\n[plan]\n{head}\n[sources]\n"))
}

#[test]
fn diff_notes_content_that_changed_under_a_version_and_versions_and_approvals_that_cannot_be() {
    const CODE: &str = "code = \"419001\"";
    let changed = |text: &str| text.replace("desks = 909", "desks = 950");
    let plain = headed("").replace("[plan]\n", "");
    let [one, two, three] = [1, 2, 3].map(|n| headed(&format!("version = {n}")));
    let approved = |on: &str| {
        headed(&format!(
            "version = 2\nauthor = \"甲\"\napproved_by = \"乙\"\napproved_on = \"{on}\""
        ))
    };
    let same = [
        "（第 2 版）：请将新文件的 version 加 1",
        "1 change of content under the same version 2: ",
    ];
    let none = ["两个文件内容不同而均未写版本号：", "the two differ and neither has a version: "];
    let back = ["旧文件为第 3 版，新文件为第 2 版：", "the version goes back from 3 to 2: "];
    let new_late = [
        "新文件：批准日期 2022-05-01 晚于今天（2022-04-30）：",
        "new file: approved on 2022-05-01, which is after today (2022-04-30): ",
    ];
    let next = |on: &str| changed(&approved(on).replace("version = 2", "version = 3"));
    let stays = [
        "内容有 1 处变更而批准未变（乙 2022-04-01）：那是第 2 版的批准",
        "1 change of content and the same approval (乙 2022-04-01): it is that of version 2; ",
    ];
    let before = ["那是变更前内容的批准", "it is that of the content before; "];
    let old_late = ["旧文件：批准日期 2023-01-01 晚于", "old file: approved on 2023-01-01, which"];
    for (old, new, noted) in [
        (&one, &changed(&two), vec![]),
        (&two, &two, vec![]),
        (&two, &approved("2022-04-30"), vec![]),
        (&two, &changed(&two), vec![same]),
        (&two, &changed(&approved("2022-04-30")), vec![same]),
        (&plain, &changed(&plain), vec![none]),
        (&three, &two, vec![back]),
        (&three, &changed(&two), vec![back]),
        (&two, &approved("2022-05-01"), vec![new_late]),
        (
            &approved("2023-01-01"),
            &changed(&approved("2022-05-01")),
            vec![same, old_late, new_late],
        ),
        // An approval that stays while the content changes is of the content before; a new one, or none, is of its own.
        (&approved("2022-04-01"), &next("2022-04-01"), vec![stays]),
        (&next("2022-04-01"), &approved("2022-04-01"), vec![back, stays]),
        (&approved("2022-04-01"), &next("2022-04-02"), vec![]),
        (&approved("2022-04-01"), &changed(&three), vec![]),
        (&approved("2022-04-01"), &changed(&approved("2022-04-01")), vec![same, before]),
        (
            &approved("2022-04-01"),
            &next("2022-04-01").replace("desks = 950", "desks = 909"),
            vec![],
        ),
        (&approved("2022-04-01"), &next("2022-04-01").replace("\"乙\"", "\"丙\""), vec![]),
        // Another city is no other version of it.
        (
            &approved("2022-04-01"),
            &next("2022-04-01").replacen(CODE, "code = \"419002\"", 1),
            vec![],
        ),
        (&three, &two.replacen(CODE, "code = \"419002\"", 1), vec![]),
    ] {
        let (text, code) = diff_of(old, new, false);
        assert_eq!(code, u8::from(old != new), "{text}");
        let lines: Vec<&str> =
            text.lines().filter(|line| line.starts_with("! 注意 / note: ")).collect();
        let (json, _) = diff_of(old, new, true);
        let json: serde_json::Value = serde_json::from_str(&json).expect("one JSON document");
        let doubts = json["doubts"].as_array().expect("doubts");
        assert_eq!([lines.len(), doubts.len()], [noted.len(); 2], "{text}");
        for ((line, doubt), [zh, en]) in lines.iter().zip(doubts).zip(noted) {
            assert!(line.contains(zh) && line.contains(en), "{zh}: {line}");
            let told = |lang: &str| doubt[lang].as_str().is_some_and(|told| line.contains(told));
            assert!(told("zh") && told("en"), "{doubt}");
        }
    }
}

#[test]
fn an_approval_of_a_day_that_has_not_come_is_noted_beside_every_form_of_the_report() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("city.toml");
    let head = "version = 2\nauthor = \"甲\"\napproved_by = \"乙\"\napproved_on = \"2022-04-30\"";
    std::fs::write(&path, headed(head)).expect("written");
    for json in [false, true] {
        let asked = PlanArgs { city: Some(path.clone()), json, replications: 0, ..args("jiyuan") };
        let on = |today: &str| {
            let mut aside = Vec::new();
            let (output, code) = answer_on(today, &asked, &mut aside).expect("read");
            (output, code, String::from_utf8(aside).expect("text"))
        };
        let (early, late) = (on("2022-04-29"), on("2022-04-30"));
        assert_eq!((&early.0, early.1, late.2.as_str()), (&late.0, late.1, ""));
        for words in
            ["city.toml：批准日期 2022-04-30 晚于", "city.toml: approved on 2022-04-30, which"]
        {
            assert!(early.2.contains(words), "{}", early.2);
        }
    }
}

#[test]
fn diff_says_in_both_languages_what_changed_and_by_its_exit_code_whether() {
    let (_, jiyuan) = city_file::BUILTIN.iter().find(|b| b.0 == "jiyuan").expect("jiyuan");
    let (text, code) = diff_of(jiyuan, jiyuan, false);
    assert_eq!(code, 0);
    assert!(text.contains("没有变更 / nothing changed"), "{text}");
    let new = jiyuan.replace("desks = 909", "desks = 950").replace(
        "\n[sources]\n",
        "\n[plan]\nversion = 2\nauthor = \"甲\"\napproved_by = \"乙\"\napproved_on = \"2022-04-30\"\n[sources]\n",
    );
    let (text, code) = diff_of(jiyuan, &new, false);
    assert_eq!(code, diff::EXIT_CHANGED);
    for words in [
        "~ district[419001].have.desks  济源市 采样台 / Jiyuan desks: 909 → 950",
        "~ plan.version  方案 版本 / plan version: 0 → 2",
        "+ plan.approved_on  方案 批准日期 / plan approved on: 2022-04-30",
        "第 2 版 / version 2; 编制 / by 甲; 批准 / approved by 乙 2022-04-30",
        "共 5 处变更 / 5 changes",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    let (text, code) = diff_of(jiyuan, &new, true);
    let json: serde_json::Value = serde_json::from_str(&text).expect("one JSON document");
    assert_eq!(code, diff::EXIT_CHANGED);
    assert_eq!(json["changes"].as_array().map(Vec::len), Some(5));
    assert_eq!(json["changes"][4]["path"], "district[419001].have.desks");
    assert_eq!(json["new"]["approved_by"], "乙");
}

#[test]
fn every_assumption_is_printed_with_its_status_and_source() {
    let city = city_file::builtin("chifeng").expect("chifeng");
    let (text, _) = answer(&args("chifeng")).expect("chifeng");
    for constant in city.norm.constants() {
        let shown = text.lines().any(|line| {
            line.trim_start().starts_with(&constant.key)
                && line.contains(constant.origin.status.word())
                && line.contains(&constant.origin.source.zh)
                && line.contains(&constant.origin.source.en)
        });
        assert!(shown, "{}", constant.key);
    }
    for key in ["field.straggler_percent", "derate.mean_percent", "zone[sealed].persons_per_tube"] {
        assert!(text.contains(key), "{key}");
    }
}

/// A target, a longest way and pool sizes carry where they come from; what is assumed of none is not told.
#[test]
fn numbers_that_a_city_file_gives_by_themselves_say_where_they_come_from() {
    use layers::{TINY, asked};
    let sourced = "{ value = 36, status = \"norm\", source = \"made_up\" }";
    let with = |line: &str| TINY.replacen("one_to_one", &format!("{line}\none_to_one"), 1);
    let pool =
        TINY.replacen("zone = \"controlled\"", "zone = \"controlled\"\npersons_per_tube = 5", 1);
    for (text, target, key, from, status) in [
        (TINY.to_owned(), None, "target_hours", "norm", Some("norm")),
        (TINY.to_owned(), Some(30), "target_hours", "asked", None),
        (with("target_hours = 36"), None, "target_hours", "city_file", None),
        (
            with(&format!("target_hours = {sourced}")),
            None,
            "target_hours",
            "city_file",
            Some("norm"),
        ),
        (TINY.to_owned(), None, "max_travel_minutes", "product", None),
        (
            with(&format!("max_travel_minutes = {sourced}")),
            None,
            "max_travel_minutes",
            "city_file",
            Some("norm"),
        ),
        (pool, None, "district[999901].persons_per_tube", "city_file", None),
    ] {
        let (_folder, args) = asked(&text);
        let args = PlanArgs { target, replications: 0, ..args };
        let (said, _) = answer(&args).expect("an answer");
        assert!(said.contains(&format!("city.{key}")), "{said}");
        assert!(!said.contains(" 0 个") && !said.contains("of 0 "), "{said}");
        let (text, _) = answer(&PlanArgs { json: true, ..args }).expect("an answer");
        let json: serde_json::Value = serde_json::from_str(&text).expect("one JSON document");
        let given = json["given"].as_array().expect("a list");
        let one = given.iter().find(|one| one["key"] == key).expect(key);
        assert_eq!(one["from"], from, "{one}");
        assert_eq!(one["origin"]["status"].as_str(), status, "{one}");
    }
}
