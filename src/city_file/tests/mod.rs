//! The built-in files are sound, and every bad file is answered with its line and what is expected.

mod keys;
mod model;
mod own;
mod packs;
mod rounds;

use super::*;
use crate::planner::{Item, StageKind, Status, fill, solve};

/// A sound city of one district and one lab; the tests break one line of it at a time.
const SOUND: &str = r#"schema = 1
code = "1"
name = "小城"
name_en = "Small"
norm = "chifeng-2022"
population = { value = 1000, status = "sourced", source = "census" }
[sources]
census = "普查"
[[district]]
code = "11"
name = "东区"
name_en = "East"
population = { value = 1000, status = "sourced", source = "census" }
[district.have]
status = "assumed"
source = "census"
sites = 1
desks = 2
samplers = 3
registrars = 2
[district.stock]
status = "assumed"
source = "census"
tubes = { physical = 600, agreement = 400, deposit_paid = true }
extraction = { physical = 600, agreement = 400, deposit_paid = true }
pcr = { physical = 600, agreement = 400, deposit_paid = true }
[[lab]]
code = "L"
name = "甲"
name_en = "A"
serves = ["11"]
status = "assumed"
source = "census"
receive = { units = 1, staff = 3 }
inactivate = { units = 1 }
decap = { units = 1, staff = 6 }
extract = { units = 1, run_minutes = 20.5, load_minutes = 8, wells = 96, usable = 94 }
setup = { units = 1, staff = 3 }
pcr = { units = 1 }
review = { units = 1, staff = 3 }
"#;

fn read_text(text: &str) -> Result<City, Error> {
    parse("small.toml", text, None, None)
}

#[test]
fn a_sound_file_is_read_to_the_last_number() {
    let city = read_text(SOUND).expect("sound");
    assert_eq!(city.target_h, 24);
    assert_eq!(city.labs[0].stage(StageKind::Extract).run_s, 1230);
    assert_eq!(city.labs[0].stage(StageKind::Pcr).run_s, 6480);
    assert_eq!(city.districts[0].population.origin.status, Status::Sourced);
    assert_eq!(city.districts[0].population.origin.source, "普查".into());
    assert_eq!(city.districts[0].stock.tubes.counted(), 1000);
}

/// Breaks the sound file at `old` and checks that the answer names the line, and the words in both languages.
fn check(old: &str, new: &str, line: usize, zh: &str, en: &str) {
    check_in(SOUND, old, new, line, zh, en);
}

/// The same with another sound file.
fn check_in(sound: &str, old: &str, new: &str, line: usize, zh: &str, en: &str) {
    assert!(sound.contains(old), "{old}");
    let error = read_text(&sound.replacen(old, new, 1)).expect_err(new);
    for (message, words, mark) in [(error.zh(), zh, "应为"), (error.en(), en, "expected")] {
        let found = message.lines().any(|l| {
            let rest = l.strip_prefix(&format!("small.toml:{line}"));
            // The figure must end there: line 1 is not line 18.
            rest.is_some_and(|rest| rest.starts_with([':', '：']))
                && l.contains(words)
                && l.contains(mark)
        });
        assert!(found, "{old} -> {new}\nwanted line {line}, {words}, {mark}\n{message}");
    }
}

#[test]
fn every_bad_number_is_named_with_its_line_and_what_is_expected() {
    // broken place, what stands there, line, words in Chinese, words in English
    for (old, new, line, zh, en) in [
        ("[[lab]]", "[[lab]]\nlon = 118.9", 27, "缺少“lat”", "`lat` is missing"),
        ("desks = 2", "desks = -2", 18, "-2", "a whole number from 0"),
        ("desks = 2\n", "", 14, "缺少“desks”", "`desks` is missing"),
        ("desks = 2", "desks = 2.5", 18, "2.5", "a whole number from 0"),
        ("desks = 2", "desks = \"2\"", 18, "整数", "\"2\""),
        (
            "desks = 2",
            "desks = 99999999999999999999",
            18,
            "“desks”为 一个 20 位的数",
            "`desks` is a number of 20 digits",
        ),
        ("desks = 2", "desks = 0", 17, "数字矛盾", "`sites` 1 is more than `desks` 0"),
        ("{ value = 1000", "{ value = 0", 6, "“value”为 0", "from 1 to 2000000000"),
        ("{ value = 1000", "{ value = 1001", 6, "各区县之和 1000", "its districts 1000"),
        ("{ value = 1000", "{ value = 3000000000", 6, "2000000000", "from 1 to 2000000000"),
        (
            "population = { value = 1000, status = \"sourced\", source = \"census\" }",
            "population = 1000",
            6,
            "status",
            "{ value =",
        ),
        ("agreement = 400", "agreement = 0", 24, "定金已付", "a deposit is paid"),
        ("deposit_paid = true", "deposit_paid = 1", 24, "true 或 false", "true or false"),
        (
            "usable = 94",
            "usable = 97",
            37,
            "“usable” 97 大于“wells” 96",
            "`usable` at most `wells`",
        ),
        ("usable = 94", "usable = 0", 37, "“usable”为 0", "from 1 to 2000"),
        (
            "run_minutes = 20.5, load_minutes = 8",
            "run_minutes = 0, load_minutes = 0",
            37,
            "0 分钟",
            "above 0",
        ),
        ("run_minutes = 20.5", "run_minutes = nan", 37, "nan", "a number from 0 to 1440"),
        ("units = 1, staff = 3", "units = 1", 34, "缺少“staff”", "`staff` is missing"),
        (
            "serves = [\"11\"]",
            "serves = [\"11\", \"12\"]",
            31,
            "未知区县“12”",
            "unknown district \"12\"",
        ),
        ("serves = [\"11\"]", "serves = [\"11\", \"11\"]", 31, "重复列出", "twice"),
        ("serves = [\"11\"]", "serves = []", 9, "没有承检实验室", "no lab serves district \"11\""),
        (
            "samplers = 3",
            "samplers = 3\nsamplres = 4",
            20,
            "不认识的键“samplres”",
            "unknown key `samplres`",
        ),
        ("status = \"assumed\"", "status = \"guessed\"", 15, "guessed", "one of norm, measured"),
        (
            "source = \"census\"\nsites",
            "source = \"gossip\"\nsites",
            16,
            "“gossip”未列出",
            "[sources]",
        ),
        ("\"普查\"", "\"\"", 8, "“census”为 \"\"", "`census` is \"\""),
        ("\"普查\"", "\" \"", 8, "1 到 2000 字的文字", "a text of 1 to 2000 characters"),
        ("\"普查\"", "\"普查\"\nmade_up = \"\"", 9, "“made_up”为", "`made_up` is"),
        ("\"普查\"", "2020", 8, "“census”为 2020", "a text of 1 to 2000 characters"),
        ("norm = \"chifeng-2022\"", "norm = \"mars\"", 5, "mars", "one of: chifeng-2022"),
        ("schema = 1", "schema = 2", 1, "“schema”为 2", "`schema` is 2; expected: 1"),
        ("code = \"11\"", "code = \"\"", 10, "文字", "a text"),
        (
            "name = \"东区\"",
            "name = \"东区",
            11,
            "TOML 语法错误，位于第 11 列",
            "not TOML at column 11",
        ),
        ("schema = 1", "schema = 1\ntarget_hours = 0", 2, "“target_hours”为 0", "from 1 to 959"),
        ("schema = 1", "schema = 1\nstart = {}", 2, "“start”为 一个表", "`start` is a table"),
    ] {
        check(old, new, line, zh, en);
    }
}

#[test]
fn an_identity_number_that_stands_in_a_file_is_in_no_message() {
    let district = "[[district]]\ncode = \"11\"";
    let twice = |code: &str| {
        let text = SOUND.replace("\"11\"", &format!("\"{code}\""));
        let (head, rest) = text.split_at(text.find("[[district]]").expect("district"));
        format!("{head}{}{rest}", &rest[..rest.find("[[lab]]").expect("lab")])
    };
    for id in ["110105194912310021", "11010519491231002X", "110105 19491231 002X"] {
        let quoted = format!("\"{id}\"");
        let mut texts = vec![twice(id)];
        for (old, new) in [
            ("desks = 2", format!("desks = {quoted}")),
            ("desks = 2", format!("desks = \"{}{id}\"", "a".repeat(27))),
            ("samplers = 3", format!("samplers = 3\n{quoted} = 4")),
            ("serves = [\"11\"]", format!("serves = [\"11\", {quoted}]")),
            ("serves = [\"11\"]", format!("serves = [{quoted}, {quoted}]")),
            (district, format!("{district}\nzone = {quoted}")),
            ("source = \"census\"\nsites", format!("source = {quoted}\nsites")),
            ("status = \"assumed\"\nsource", format!("status = {quoted}\nsource")),
            ("norm = \"chifeng-2022\"", format!("norm = {quoted}")),
            ("census = \"普查\"", format!("census = \"普查\"\n{quoted} = 1")),
            ("code = \"L\"", format!("code = {quoted}\nserves = 1\n[[lab]]\ncode = {quoted}")),
        ] {
            assert!(SOUND.contains(old), "{old}");
            texts.push(SOUND.replacen(old, &new, 1));
        }
        if id.bytes().all(|b| b.is_ascii_digit()) {
            texts.push(SOUND.replacen("desks = 2", &format!("desks = {id}"), 1));
            texts.push(SOUND.replacen("desks = 2", &format!("desks = {id}.5"), 1));
        }
        for text in texts {
            let error = read_text(&text).expect_err(&text).to_string();
            for part in ["1949123", "110105"] {
                assert!(!error.contains(part), "{error}");
            }
        }
    }
}

#[test]
fn codes_used_twice_are_named() {
    let (head, rest) = SOUND.split_at(SOUND.find("[[district]]").expect("district"));
    let district = &rest[..rest.find("[[lab]]").expect("lab")];
    let error = read_text(&format!("{head}{district}{rest}")).expect_err("twice");
    assert!(
        error.en().contains("small.toml:27: [[district]] code \"11\" is used twice"),
        "{error}"
    );
}

#[test]
fn all_problems_are_listed_in_order_of_lines() {
    let text = SOUND.replace("desks = 2", "desks = -2").replace("samplers = 3", "samplers = -3");
    let Err(Error::Bad { problems, .. }) = read_text(&text) else { panic!("should be bad") };
    assert_eq!(problems.iter().map(|p| p.line).collect::<Vec<_>>(), vec![18, 19]);
}

#[test]
fn a_source_that_says_nothing_is_one_problem_however_many_numbers_name_it() {
    let Err(Error::Bad { problems, .. }) = read_text(&SOUND.replace("\"普查\"", "\"\"")) else {
        panic!("should be bad")
    };
    assert_eq!(problems.iter().map(|p| p.line).collect::<Vec<_>>(), vec![8]);
}

#[test]
fn a_file_that_is_not_there_or_not_text_is_an_error() {
    assert!(matches!(read(Path::new("/nowhere/city.toml")), Err(Error::File { .. })));
    assert!(matches!(builtin("atlantis"), Err(Error::Unknown { .. })));
    assert!(matches!(parse("x", "", None, None), Err(Error::Bad { .. })));
}

#[test]
fn the_built_in_cities_have_the_census_figures() {
    // name, districts, persons, sites, desks, samplers, tubes: sums of the ceilings per district
    for (name, districts, people, sites, desks, samplers, tubes) in [
        ("chifeng", 12, 4_035_967, (1352, 2025), (5050, 6732), 11_215, 403_602),
        ("kunming", 14, 8_460_088, (2828, 4237), (10_579, 14_108), 23_507, 846_015),
        ("jiyuan", 1, 727_265, (243, 364), (910, 1213), 2021, 72_727),
    ] {
        let city = builtin(name).expect(name);
        let t = solve(&city, 24).total;
        assert_eq!((city.districts.len(), t.population), (districts, people), "{name}");
        assert_eq!((t.sites.low, t.sites.high), sites, "{name}");
        assert_eq!((t.desks.low, t.desks.high), desks, "{name}");
        assert_eq!((t.samplers, t.tubes), (samplers, tubes), "{name}");
    }
    let qujing = builtin("qujing").expect("qujing");
    assert_eq!((qujing.districts.len(), qujing.population.value), (9, 5_765_775));
    let plan = solve(&qujing, 120);
    let qilin = plan.districts.iter().find(|d| d.code == "530302").expect("Qilin");
    assert_eq!((qilin.sites.low, qilin.sites.high), (333, 499));
    assert_eq!((qilin.desks.low, qilin.desks.high), (1246, 1661));
    assert_eq!((qilin.samplers, qilin.tubes), (2768, 99_628));
}

#[test]
fn chifeng_cannot_be_done_in_a_day_until_its_shortages_are_filled() {
    let city = builtin("chifeng").expect("chifeng");
    let plan = solve(&city, 24);
    assert!(!plan.verdict.yes);
    for item in [Item::Sampler, Item::Tube, Item::LabUnit(StageKind::Extract)] {
        assert!(plan.shortages.iter().any(|s| s.item == item), "{item:?}");
    }
    let filled = solve(&fill(&city, &plan), 24);
    assert!(filled.verdict.yes && filled.shortages.is_empty());
}

#[test]
fn every_built_in_city_can_be_filled_and_scaled() {
    for (name, _) in BUILTIN {
        let city = builtin(name).expect(name);
        for target_h in [24, 48, 120] {
            let plan = solve(&fill(&city, &solve(&city, target_h)), target_h);
            assert!(plan.verdict.yes && plan.shortages.is_empty(), "{name} {target_h}");
        }
        for people in [1, 10_000, 100_000_000] {
            let small = city.scaled(people);
            let plan = solve(&fill(&small, &solve(&small, 24)), 24);
            assert!(plan.verdict.yes, "{name} scaled to {people}");
        }
    }
}

#[test]
fn numbers_that_nobody_published_are_marked_assumed() {
    for (name, _) in BUILTIN {
        let city = builtin(name).expect(name);
        assert!(city.labs.iter().all(|l| l.origin.status == Status::Assumed), "{name}");
        assert!(city.districts.iter().all(|d| d.population.origin.status == Status::Sourced));
    }
}

#[test]
fn the_built_in_norms_differ_by_their_targets() {
    for (name, target_h) in
        [("chifeng-2022", 24), ("guide-3rd-2022", 24), ("jiyuan-2021", 48), ("qilin-2020", 120)]
    {
        let norm = norm::builtin(name).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((norm.name.as_str(), norm.target_h.value), (name, target_h));
        assert_eq!((norm.rounds.value, norm.rounds_physical.value), (10, 6));
        assert_eq!((norm.instrument_hours.value, norm.staff_hours.value), (18, 24));
        assert_eq!((norm.desk_rate_tenths.value, norm.persons_per_sampler.value), (1187, 360));
        assert_eq!((norm.wells.value, norm.wells_usable.value), (96, 94));
    }
}

#[test]
fn a_norm_pack_that_contradicts_itself_is_an_error() {
    let pack = |line: &str| {
        format!(
            "name = \"x\"\ntitle = \"甲\"\ntitle_en = \"x\"\nbase = \"chifeng-2022\"\n{line}\n[sources]\na = \"乙\"\n"
        )
    };
    for (line, zh, en) in [
        (
            "rounds_physical = { value = 11, status = \"norm\", source = \"a\" }",
            "大于",
            "`rounds_physical` 11",
        ),
        (
            "persons_per_site_min = { value = 4000, status = \"norm\", source = \"a\" }",
            "大于",
            "4000",
        ),
        (
            "instrument_hours_per_day = { value = 25, status = \"norm\", source = \"a\" }",
            "24",
            "from 1 to 24",
        ),
        ("hours = 3", "不认识的键", "unknown key"),
    ] {
        let error = norm::parse("pack.toml", &pack(line), None).expect_err(line);
        assert!(error.zh().starts_with("pack.toml:5：") && error.zh().contains(zh), "{error}");
        assert!(error.en().starts_with("pack.toml:5:") && error.en().contains(en), "{error}");
    }
    let nowhere = pack("").replace("chifeng-2022", "mars");
    let error = norm::parse("pack.toml", &nowhere, None).expect_err("base");
    assert!(error.en().contains("pack.toml:4"), "{error}");
}

/// Slips of the pen: the text, its line and column, and what is expected.
const SLIPS: [(&str, usize, usize, [&str; 2]); 8] = [
    ("a = 1\na = 2", 2, 1, ["同一个表中每个键只写一次（", "each key once in a table ("]),
    ("名 = \"东", 1, 1, ["键由字母、数字、", "a key of letters, digits, - and _"]),
    ("a", 1, 2, ["每行一个：键 = 值（", "one on each line: `key = value` ("]),
    ("x = 1\na =", 2, 4, ["等号右边有一个值", "a value behind the equals sign"]),
    ("a = 东", 1, 5, ["等号右边有一个值，文字写在一对", "a value behind the equals sign, a text"]),
    ("a = [1, 2\nb = 3", 2, 1, ["成对的括号，", "brackets in pairs, "]),
    ("a = \"东", 1, 7, ["文字写在一对英文双引号之内（", "a text between two double quotes ("]),
    ("a = 01", 1, 5, ["数字，如 12 或 3.5（", "a number such as 12 or 3.5 ("]),
];

#[test]
fn what_is_no_toml_is_told_with_place_and_what_is_expected_and_the_librarys_words_come_last() {
    for (text, line, column, [zh, en]) in SLIPS {
        let error = read_text(text).expect_err("no TOML");
        let (told_zh, told_en) = (error.zh(), error.en());
        let begins = format!(
            "small.toml:{line}：TOML 语法错误，位于第 {column} 列；应为：合法的 TOML：{zh}"
        );
        assert!(told_zh.starts_with(&begins), "{text}: {told_zh}");
        let begins =
            format!("small.toml:{line}: not TOML at column {column}; expected: valid TOML: {en}");
        assert!(told_en.starts_with(&begins), "{text}: {told_en}");
        // Whole sentences without the brackets.
        let (own, says) = told_zh.split_once("（程序库原文：").expect("what the library says");
        assert!(says.ends_with('）') && !says.trim_end_matches('）').is_empty(), "{told_zh}");
        assert!(
            !own.replace("small.toml", "")
                .replace("TOML", "")
                .contains(|c: char| c.is_ascii_alphabetic()),
            "{own}"
        );
    }
}

#[test]
fn the_systems_reasons_are_said_in_chinese_with_its_own_words_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = read(folder.path()).expect_err("a folder is no file");
    assert!(error.zh().contains("：无法读取：这是文件夹，不是文件（"), "{}", error.zh());
    assert!(error.en().contains(": cannot be read: "), "{}", error.en());
    let error = read(Path::new("/nowhere/city.toml")).expect_err("no such file");
    assert!(error.zh().contains("：无法读取：没有此文件或文件夹（"), "{}", error.zh());
}
