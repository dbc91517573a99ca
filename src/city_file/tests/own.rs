//! A city's own constants, whatever the pack says, and packs that lie in files of their own.

use super::*;
use crate::planner::{ChangeKind, City, diff};
use std::fs;

/// Constants with a value that no pack has, in the unit of the file, and their keys in the list of constants.
const SINGLE: [(&str, &str); 20] = [
    ("persons_per_site_min", "1999"),
    ("persons_per_site_max", "3001"),
    ("persons_per_desk_min", "599"),
    ("persons_per_desk_max", "801"),
    ("persons_per_sampler", "361"),
    ("persons_per_sampler_day", "1601"),
    ("registrars_per_desk", "2"),
    ("persons_per_tube", "7"),
    ("rounds", "11"),
    ("rounds_physical", "5"),
    ("instrument_hours_per_day", "19"),
    ("staff_hours_per_day", "23"),
    ("shifts", "4"),
    ("sampling_hours_per_day", "15"),
    ("persons_per_desk_hour", "99.5"),
    ("wells", "97"),
    ("wells_usable", "93"),
    ("box_minutes", "45.5"),
    ("transport_minutes", "119"),
    ("kit_reactions", "48"),
];

/// Constants of tables, the same.
const IN_TABLES: [(&str, &str, &str); 9] = [
    ("pcr", "run_minutes", "95.5"),
    ("pcr", "load_minutes", "6.5"),
    ("decap", "crew", "1"),
    ("setup", "spread_percent", "12.5"),
    ("setup", "breakdowns_percent_day", "8"),
    ("review", "repair_minutes", "1"),
    ("receive", "hold_minutes", "3"),
    ("field", "box_tubes", "93"),
    ("transport", "persons_per_vehicle", "9000"),
];

fn number(key: &str, value: &str) -> String {
    format!("{key} = {{ value = {value}, status = \"measured\", source = \"own\" }}\n")
}

/// The sound city with these lines before its sources.
fn with(lines: &str) -> String {
    let sources = "[sources]\nown = \"本地实测\"\n";
    SOUND.replacen("[sources]\n", &format!("{lines}{sources}"), 1)
}

fn read_with_own(lines: &str) -> City {
    read_text(&with(lines)).unwrap_or_else(|error| panic!("{lines}\n{error}"))
}

#[test]
fn a_city_can_state_every_constant_of_its_pack_with_its_own_source_and_diff_names_each() {
    let plain = read_text(SOUND).expect("sound");
    let mut told = Vec::new();
    let single =
        SINGLE.map(|(key, value)| (key.to_owned(), "[constants]\n".to_owned(), key, value));
    let tables = IN_TABLES
        .map(|(table, key, value)| (format!("{table}.{key}"), format!("[{table}]\n"), key, value));
    for (path, head, key, value) in single.into_iter().chain(tables) {
        let city = read_with_own(&format!("{head}{}", number(key, value)));
        for constant in city.norm.constants() {
            if constant.key == path {
                assert_eq!(constant.value, value, "{path}");
                let origin = constant.origin;
                assert_eq!(
                    (origin.status, origin.source.zh.as_str()),
                    (Status::Measured, "本地实测")
                );
                told.push(path.clone());
            }
        }
        // Nothing else of the pack changed; the labs take from it what is theirs.
        let changes = diff(&plain, &city);
        let of_norm: Vec<_> = changes.iter().filter(|c| c.path.starts_with("norm.")).collect();
        assert_eq!(of_norm.len(), 1, "{path}: {of_norm:?}");
        assert_eq!(of_norm[0].path, format!("norm.{path}"));
        assert_eq!((of_norm[0].kind, &*of_norm[0].is), (ChangeKind::Value, value), "{path}");
        let origin = of_norm[0].is_origin.as_ref().map(|o| o.source.zh.as_str());
        assert_eq!(origin, Some("本地实测"), "{path}");
    }
    assert_eq!(told.len(), SINGLE.len() + IN_TABLES.len());
    // Every constant that stands in no table is in the list above, but the target, which the city states at its top.
    let all = plain.norm.constants();
    for constant in all.iter().filter(|c| !c.key.contains('.') && c.key != "target_hours") {
        assert!(told.contains(&constant.key), "{}", constant.key);
    }
}

#[test]
fn what_a_city_states_of_its_own_reaches_its_labs_and_the_arithmetic() {
    let city = read_with_own(&format!(
        "[constants]\n{}{}[pcr]\n{}clock = \"staffed\"\n",
        number("wells_usable", "90"),
        number("persons_per_tube", "5"),
        number("run_minutes", "100"),
    ));
    let pcr = city.labs[0].stage(StageKind::Pcr);
    assert_eq!((pcr.run_s, pcr.usable), (6000, 90));
    assert_eq!(pcr.clock, crate::planner::Clock::Staffed);
    // A lab's own number stands over the city's.
    assert_eq!(city.labs[0].stage(StageKind::Extract).usable, 94);
    assert_eq!(solve(&city, 24).total.tubes, 200);
    // It stands over another pack's, too.
    let other = norm::builtin("guide-2nd-2021").expect("pack");
    let text = with(&format!("[constants]\n{}", number("box_minutes", "45")));
    let city = parse("small.toml", &text, None, Some(other)).expect("sound");
    assert_eq!((city.norm.name.as_str(), city.norm.box_s.value), ("guide-2nd-2021", 2700));
}

#[test]
fn a_zone_of_a_city_takes_the_packs_place_or_stands_behind_the_packs() {
    let pack = norm::builtin("chifeng-2022").expect("pack");
    let city = read_with_own(&format!(
        "[[zone]]\nkey = \"other\"\n{}[[zone]]\nkey = \"port\"\ntitle = \"口岸\"\ntitle_en = \"port\"\n{}",
        number("persons_per_tube", "15"),
        number("persons_per_tube", "1"),
    ));
    let pools = |key| city.norm.zone_pool(key);
    assert_eq!([pools("other"), pools("port"), pools("sealed")], [Some(15), Some(1), Some(1)]);
    assert_eq!((city.norm.zones.len(), pack.zones.len()), (6, 5));
    assert_eq!(city.norm.zones[4].title, pack.zones[4].title);
}

#[test]
fn a_constant_that_cannot_be_is_named_with_its_line_and_what_is_expected() {
    // lines before the sources, line, words in Chinese, words in English
    for (lines, at, zh, en) in [
        ("[constants]\nbox_minutes = 45\n", 8, "“box_minutes”为 45", "{ value = a number from 0"),
        ("[constants]\nbox_minute = 45\n", 8, "不认识的键“box_minute”", "one of: box_minutes,"),
        (
            "[constants]\nwells_usable = { value = 97, status = \"measured\", source = \"own\" }\n",
            8,
            "数字矛盾",
            "`wells_usable` 97 is more than `wells` 96",
        ),
        // The other one of the two stands here.
        (
            "[constants]\nwells = { value = 48, status = \"measured\", source = \"own\" }\n",
            8,
            "数字矛盾",
            "`wells_usable` 94 is more than `wells` 48",
        ),
        (
            "[constants]\ntarget_hours = { value = 48, status = \"norm\", source = \"own\" }\n",
            8,
            "写在城市文件开头",
            "at the top of the city file",
        ),
        (
            "box_minutes = { value = 45, status = \"measured\", source = \"own\" }\n",
            7,
            "写在 [constants] 表中",
            "the same key under [constants]",
        ),
        ("constants = 3\n", 7, "一个表", "a table"),
        (
            "[pcr]\nrun_minutes = { value = 1441, status = \"measured\", source = \"own\" }\n",
            8,
            "0 到 1440",
            "from 0 to 1440",
        ),
        ("[pcr]\nclock = \"day\"\n", 8, "“clock”不认识", "\"instrument\" or \"staffed\""),
        ("[pcr]\nunits = 3\n", 8, "不认识的键“units”", "unknown key `units`"),
        (
            "[[zone]]\nkey = \"port\"\ntitle_en = \"port\"\n\
             persons_per_tube = { value = 1, status = \"norm\", source = \"own\" }\n",
            7,
            "缺少“title”",
            "`title` is missing",
        ),
        (
            "[large_city]\nabove_persons = 5\n",
            7,
            "不认识的键“large_city”",
            "unknown key `large_city`",
        ),
    ] {
        let text = with(lines);
        let error = read_text(&text).expect_err(lines);
        for (message, words) in [(error.zh(), zh), (error.en(), en)] {
            let found = message.lines().any(|line| {
                let rest = line.strip_prefix(&format!("small.toml:{at}"));
                rest.is_some_and(|rest| rest.starts_with([':', '：'])) && line.contains(words)
            });
            assert!(found, "{lines}\nwanted line {at}, {words}\n{message}");
            assert_eq!(message.lines().count(), 1, "one slip, one problem:\n{message}");
        }
    }
}

/// A pack of its own on the first one.
const LOCAL: &str = "name = \"local\"\ntitle = \"本地\"\ntitle_en = \"Local\"\nbase = \"chifeng-2022\"\n\
    box_minutes = { value = 40, status = \"measured\", source = \"own\" }\n\
    [setup]\nbreakdowns_percent_day = { value = 8, status = \"measured\", source = \"own\" }\n\
    [sources]\nown = \"本地实测\"\n";

#[test]
fn a_city_can_name_a_pack_that_lies_beside_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let city = folder.path().join("city.toml");
    let named = |name: &str| {
        let text = SOUND.replace("norm = \"chifeng-2022\"", &format!("norm = \"{name}\""));
        fs::write(&city, text).expect("written");
        open(&city, None)
    };
    fs::create_dir(folder.path().join("packs")).expect("a folder");
    fs::write(folder.path().join("packs/local.toml"), LOCAL).expect("written");
    let read = named("packs/local.toml").unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((read.norm.name.as_str(), read.norm.box_s.value), ("local", 2400));
    // A stage on a base states only what differs.
    let (setup, root) = (read.norm.stage(StageKind::Setup), norm::builtin("chifeng-2022"));
    assert_eq!(setup.breakdowns_permille_day.value, 80);
    assert_eq!(setup.run_s, root.expect("pack").stage(StageKind::Setup).run_s);
    // A path from the root as well; the base of a pack is looked for beside the pack.
    let path = folder.path().join("packs/upon.toml");
    fs::write(&path, LOCAL.replace("chifeng-2022", "local.toml").replace("box_m", "transport_m"))
        .expect("written");
    let read = named(path.to_str().expect("text")).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((read.norm.box_s.value, read.norm.transport_s.value), (2400, 2400));
    // What a pack's name cannot be is told at the city's line, what is wrong in the pack at the pack's.
    let error = named("packs/nowhere.toml").expect_err("no such file").to_string();
    let at = format!("{}:5", city.display());
    assert!(error.contains(&format!("{at}: `norm` is \"packs/nowhere.toml\", and ")), "{error}");
    assert!(
        error.contains("没有此文件或文件夹") && error.contains("one of: chifeng-2022"),
        "{error}"
    );
    fs::write(&path, LOCAL.replace("value = 40", "value = -40")).expect("written");
    let error = named("packs/upon.toml").expect_err("a bad pack").to_string();
    assert!(error.contains("packs/upon.toml:5: `value` is -40; expected: a number"), "{error}");
    assert!(!error.contains("city.toml"), "{error}");
    fs::write(&path, LOCAL.replace("chifeng-2022", "upon.toml")).expect("written");
    let error = named("packs/upon.toml").expect_err("a circle").to_string();
    assert!(error.contains("more than 4 deep") && error.contains("层层引用"), "{error}");
}

#[test]
fn a_built_in_city_and_a_text_name_built_in_packs_alone() {
    let text = SOUND.replace("norm = \"chifeng-2022\"", "norm = \"Cargo.toml\"");
    let error = read_text(&text).expect_err("no folder").to_string();
    assert!(error.contains("small.toml:5: `norm` is \"Cargo.toml\"; expected: one of"), "{error}");
}

#[test]
fn a_city_without_labs_or_districts_is_told_where_to_add_them_and_what() {
    let lab = SOUND.find("[[lab]]").expect("lab");
    let lines = SOUND[..lab].lines().count();
    let error = read_text(&SOUND[..lab]).expect_err("no lab");
    let zh = format!("small.toml:{lines}：没有 [[lab]]；应为：此处至少加一个 [[lab]]：code、");
    let en = format!(
        "small.toml:{lines}: there is no [[lab]]; expected: at least one [[lab]] added here: code,"
    );
    assert!(error.zh().starts_with(&zh) && error.en().starts_with(&en), "{error}");
    // A district is wanted before the first lab.
    let district = SOUND.find("[[district]]").expect("district");
    let at = SOUND[..district].lines().count() + 1;
    let text = format!("{}{}", &SOUND[..district], &SOUND[lab..]);
    let error = read_text(&text).expect_err("no district").en();
    let en = format!("small.toml:{at}: there is no [[district]]; expected: at least one");
    assert!(error.lines().any(|line| line.starts_with(&en)), "{error}");
}
