//! Keys that a message offers are accepted where it offers them, and texts steer nothing that shows them.

use super::model::RICH;
use super::*;

/// What a city file may hold besides all that stands in the rich one.
const MORE: &str = r#"
[constants]
rounds = { value = 11, status = "measured", source = "own" }
[receive]
[inactivate]
[decap]
[extract]
[setup]
[pcr]
[review]
[[zone]]
key = "other"
persons_per_tube = { value = 10, status = "norm", source = "own" }
[sources_en]
own = "measured here"
[[claim]]
name = "某中心"
name_en = "Somewhere"
cyclers = 5
extractors = 1
tubes = 3600
status = "sourced"
source = "own"
"#;

type Read = fn(&str) -> Result<(), Error>;

fn city(text: &str) -> Result<(), Error> {
    read_text(text).map(|_| ())
}

fn pack(text: &str) -> Result<(), Error> {
    norm::parse("pack.toml", text, None).map(|_| ())
}

/// The text with `line` at each place where a key can stand: at the top, below each heading, in each table on one line.
fn with_line_everywhere(text: &str, line: &str) -> Vec<String> {
    let mut all = vec![format!("{line}\n{text}")];
    for (at, found) in text.match_indices(['\n', '{']) {
        let (before, rest) = text.split_at(at + 1);
        let heading = before.lines().last().is_some_and(|l| l.starts_with('[') && l.ends_with(']'));
        match found {
            "{" => all.push(format!("{before} {line},{rest}")),
            _ if heading => all.push(format!("{before}{line}\n{rest}")),
            _ => {}
        }
    }
    all
}

#[test]
fn a_key_that_a_message_offers_is_accepted() {
    let whole = format!("{RICH}{MORE}");
    assert!(city(&whole).is_ok(), "{:?}", city(&whole));
    let chifeng = norm::BUILTIN.iter().find(|(name, _)| *name == "chifeng-2022").expect("a pack").1;
    let on_base = "name = \"a\"\ntitle = \"甲\"\ntitle_en = \"A\"\nbase = \"guide-2nd-2021\"\n\
                   [large_city]\nabove_persons = { value = 1, status = \"norm\", source = \"a\" }\n\
                   target_hours = { value = 1, status = \"norm\", source = \"a\" }\n[sources]\na = \"甲\"\n";
    let (mut tables, mut offered) = (0, 0);
    for (text, read) in [(whole.as_str(), city as Read), (chifeng, pack), (on_base, pack)] {
        for with in with_line_everywhere(text, "nosuch = 1") {
            let Err(error) = read(&with) else { continue };
            let told = error.en();
            let Some((_, list)) = told.split_once("unknown key `nosuch`; expected: one of: ")
            else {
                continue;
            };
            tables += 1;
            for key in list.lines().next().expect("a list").split(", ") {
                offered += 1;
                let tried = with.replacen("nosuch = 1", &format!("{key} = 1"), 1);
                let Err(error) = read(&tried) else { continue };
                let told = error.en();
                for refused in ["unknown key", "does not stand in", "stands at the top"] {
                    assert!(!told.contains(refused), "{key}: {told}");
                }
            }
        }
    }
    assert!(tables > 60 && offered > 400, "{tables} tables, {offered} keys");
}

/// Characters that steer a terminal, break a line or turn the direction of writing, as a file can hold them.
const STEERING: [&str; 12] = [
    "\\u001b[31m",
    "\\u0007",
    "\\b",
    "\\t",
    "\\n",
    "\\r",
    "\\u007f",
    "\\u0085",
    "\\u2028",
    "\u{202e}",
    "\u{2066}",
    "\u{200f}",
];

#[test]
fn no_text_of_a_file_steers_what_shows_it() {
    let whole = format!("{RICH}{MORE}");
    for steering in STEERING {
        for (old, key) in [
            ("name = \"小城", "name"),
            ("name_en = \"Small", "name_en"),
            ("note = \"第三版", "note"),
            ("author = \"甲", "author"),
            ("s = \"普查", "s"),
            ("own = \"measured", "own"),
            ("name = \"东区", "name"),
            ("code = \"11-1", "code"),
            ("name_en = \"Second", "name_en"),
            ("serves = [\"11", "serves"),
            ("name = \"某中", "name"),
        ] {
            let line = 1 + whole[..whole.find(old).expect(old)].matches('\n').count();
            let text = whole.replacen(old, &format!("{old}{steering}x"), 1);
            let error = read_text(&text).map(|_| ()).expect_err(&format!("{old} {steering}"));
            for (told, begins, wanted) in [
                (
                    error.zh(),
                    format!("small.toml:{line}：“{key}”为 "),
                    "不含控制字符和改变文字方向的字符",
                ),
                (
                    error.en(),
                    format!("small.toml:{line}: `{key}` is "),
                    "without control characters and marks that turn",
                ),
            ] {
                let said = told.lines().find(|l| l.starts_with(&begins));
                assert!(said.is_some_and(|l| l.contains(wanted)), "{old} {steering}: {told}");
                shows_as_it_stands(&told);
            }
        }
        // A key may hold them, too.
        let text = whole.replacen("[plan]\n", &format!("\"odd{steering}\" = 1\n[plan]\n"), 1);
        let error = read_text(&text).map(|_| ()).expect_err(steering);
        assert!(error.en().contains("unknown key `odd\\u{"), "{error}");
        shows_as_it_stands(&error.to_string());
    }
    // Letters of other scripts, and what joins them, are texts like others.
    for name in ["ᠤᠯᠠᠭᠠᠨᠬᠠᠳᠠ", "ئۈرۈمچى", "e\u{301}", "区\u{200d}县", "👩\u{200d}⚕️"]
    {
        let text = whole.replacen("name = \"小城\"", &format!("name = \"{name}\""), 1);
        assert_eq!(read_text(&text).expect(name).name.zh, name);
    }
}

fn shows_as_it_stands(told: &str) {
    let steers = |c: char| c != '\n' && error::steers(c);
    assert!(!told.contains(steers), "{told:?}");
}
