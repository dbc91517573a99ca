//! Lists of what must never change. Each line of a frozen list must still be declared, word for
//! word; a new declaration is welcome, and is kept too once the lists are written again with
//! `SWABLINE_FREEZE=1 cargo test --release --test tidy`. A line is never taken out of a list: what
//! is no longer written gets `retired: ` before it by hand, and its number is not given again.

use crate::source::{blank, read, root, walk};
use std::collections::BTreeSet;
use std::fs;

/// Complaints about frozen lines that are no longer declared. Writes the list when asked to.
pub fn changed(list: &str, declared: &[String]) -> Vec<String> {
    assert!(
        !declared.is_empty(),
        "{list}: nothing is declared; the reader no longer understands the sources"
    );
    let frozen = fs::read_to_string(root().join(list)).unwrap_or_default();
    let now: BTreeSet<&str> = declared.iter().map(String::as_str).collect();
    let lost = lost(list, &frozen, &now);
    let fresh: Vec<&&str> =
        now.iter().filter(|line| !frozen.lines().any(|old| old == **line)).collect();
    if std::env::var_os("SWABLINE_FREEZE").is_some() && lost.is_empty() {
        let path = root().join(list);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let retired = frozen.lines().filter(|line| line.starts_with(RETIRED)).map(str::to_owned);
        let lines: Vec<String> = declared.iter().cloned().chain(retired).collect();
        fs::write(path, lines.join("\n") + "\n").unwrap();
    } else if frozen.is_empty() {
        return vec![format!(
            "{list}:1: the list is not there. Instead: write it with SWABLINE_FREEZE=1"
        )];
    } else if !fresh.is_empty() {
        println!("{list}: {} new, not frozen yet: {fresh:?}", fresh.len());
    }
    lost
}

/// What stands before a line whose number was given and is no longer used.
const RETIRED: &str = "retired: ";

/// A complaint for each frozen line that is no longer declared, or that was retired and is declared
/// again.
fn lost(list: &str, frozen: &str, now: &BTreeSet<&str>) -> Vec<String> {
    // `value What 1 = ...` names a number by what stands before the equals sign.
    let number = |line: &str| line.split(" = ").next().unwrap_or_default().to_owned();
    let given_again = |retired: &str| now.iter().any(|line| number(line) == number(retired));
    let lines = frozen.lines().enumerate();
    let gone = lines.filter(|(_, line)| match line.strip_prefix(RETIRED) {
        Some(retired) => given_again(retired),
        None => !line.is_empty() && !now.contains(line),
    });
    let complaint = |(number, line)| {
        format!(
            "{list}:{}: `{line}` is no longer declared so. Instead: put it back and give the new thing \
             a number that was never used. If only the name changed and the meaning is the same, \
             change the name in this list too",
            number + 1
        )
    };
    gone.map(complaint).collect()
}

/// Every number that stands on disk: key kinds, values, counters, and the lists of the trade.
pub fn numbers() -> Vec<String> {
    let mut lines = key_kinds(&read("src/store/keys.rs"));
    let mut files = Vec::new();
    walk("src/store", &mut files);
    files.sort();
    files.iter().for_each(|file| values(&read(file), &mut lines));
    lines.extend(counters(&read("src/domain/counters.rs")));
    for (list, name, number) in coded("src") {
        lines.push(format!("word {list}.{name} = {number}"));
    }
    lines
}

/// `Event = 0x01,` of the registry of key kinds, and numbers inside keys: `RecordKind::Tube => 1,`.
fn key_kinds(text: &str) -> Vec<String> {
    let code = blank(text);
    let line = |line: &str| {
        let line = line.trim().strip_suffix(',')?;
        let (name, number) = line.split_once(" = ").or_else(|| line.split_once(" => "))?;
        let numeric = number.starts_with(|c: char| c.is_ascii_digit());
        let named = name.chars().all(|c| c.is_alphanumeric() || c == ':');
        (numeric && named).then(|| format!("key {name} = {number}"))
    };
    code.lines().filter_map(line).collect()
}

/// `wire_struct!(Name { fields });` and the arms of `wire_enum!(Name { 1 => Variant { fields }; });`.
/// The order of fields is the order of bytes, so it is kept with them.
fn values(text: &str, lines: &mut Vec<String>) {
    let code = blank(text).split_whitespace().collect::<Vec<_>>().join(" ");
    for (at, _) in code.match_indices("wire_struct!(") {
        let body = &code[at + "wire_struct!(".len()..];
        if let Some((body, _)) = body.split_once("});") {
            lines.push(format!("value {}}}", body.replace(", }", " }")));
        }
    }
    for (at, _) in code.match_indices("wire_enum!(") {
        let body = &code[at + "wire_enum!(".len()..];
        let Some((name, arms)) = body.split_once(" { ") else { continue };
        let Some((arms, _)) = arms.split_once("});") else { continue };
        for arm in arms.split("; ").map(str::trim).filter(|arm| arm.contains(" => ")) {
            let (number, what) = arm.trim_end_matches(';').split_once(" => ").unwrap();
            lines.push(format!("value {name} {number} = {what}"));
        }
    }
}

/// `pub const BOXES: Counter = Counter(48);` and what the functions beside them compute.
fn counters(text: &str) -> Vec<String> {
    let code = blank(text);
    let mut function = String::new();
    let mut lines = Vec::new();
    for line in code.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("pub const fn ") {
            function = rest.split('(').next().unwrap_or_default().to_owned();
        } else if let Some(rest) = line.strip_prefix("pub const ") {
            if let Some((name, number)) = rest.split_once(": Counter = Counter(") {
                lines.push(format!("counter {name} = {}", number.trim_end_matches(");")));
            }
        } else if let Some(sum) = line.strip_prefix("Counter(") {
            lines.push(format!("counter {function}() = {}", sum.strip_suffix(')').unwrap_or(sum)));
        }
    }
    lines
}

/// Every member of the closed lists under a folder: list, member, number.
pub fn coded(folder: &str) -> Vec<(String, String, u64)> {
    let mut files = Vec::new();
    walk(folder, &mut files);
    files.retain(|file| file.ends_with(".rs"));
    files.sort();
    files.iter().flat_map(|file| coded_in(&read(file))).collect()
}

/// `Status {` and below it `Open = 2, "open", "采样中";`.
fn coded_in(text: &str) -> Vec<(String, String, u64)> {
    let mut list = None;
    let mut found = Vec::new();
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        inside |= line == "coded! {";
        if !inside {
            continue;
        }
        if let Some(name) =
            line.strip_suffix(" {").filter(|name| name.chars().all(char::is_alphanumeric))
        {
            list = Some(name.to_owned());
        } else if line == "}" {
            // The list ends, then the macro.
            inside = list.take().is_some();
        } else if let (Some(list), Some((name, rest))) = (&list, line.split_once(" = ")) {
            let number = rest.split(',').next().and_then(|number| number.parse().ok());
            found.extend(number.map(|number| (list.clone(), name.to_owned(), number)));
        }
    }
    found
}

#[test]
fn a_number_that_changed_is_found_and_a_new_one_is_welcome() {
    let now = BTreeSet::from(["field M.a = 1: string", "field M.b = 3: N", "field M.c = 4: N"]);
    let lost = lost("list", "field M.a = 1: string\nfield M.b = 2: N\n", &now);
    assert_eq!(lost.len(), 1);
    assert!(lost[0].starts_with("list:2: `field M.b = 2: N`"), "{}", lost[0]);
}

#[test]
fn numbers_are_read_as_they_are_written() {
    assert_eq!(
        key_kinds("enum K {\n  /// x = 1,\n  A = 0x01,\n}\nx => 3,\nR::T => 1,"),
        ["key A = 0x01", "key x = 3", "key R::T = 1"]
    );
    let mut lines = Vec::new();
    values(
        "wire_struct!(A { b, c });\nwire_enum!(D {\n 1 => E { f };\n 2 => G(h);\n});",
        &mut lines,
    );
    assert_eq!(lines, ["value A { b, c }", "value D 1 = E { f }", "value D 2 = G(h)"]);
    let text = "coded! {\n/// S.\nS {\nA = 1, \"a = b\", \"c\";\n}\n}\nB = 2,";
    assert_eq!(coded_in(text), [("S".to_owned(), "A".to_owned(), 1)]);
}
