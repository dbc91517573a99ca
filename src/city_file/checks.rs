//! Checks that span several blocks of a city file.

use std::collections::BTreeSet;
use std::ops::Range;

use super::lab::LabRead;
use super::sheet::{Block, Sheet};
use crate::planner::{District, Have, Street};

/// Notes that a list of tables has none: at the key where it stands, else at `at`, where the first would have to be added.
pub(super) fn none_at_all(
    root: &Block<'_>,
    key: &str,
    empty: bool,
    at: &Range<usize>,
    holds: [&str; 2],
) {
    if empty {
        let what = [format!("没有 [[{key}]]"), format!("there is no [[{key}]]")];
        let expected = [
            format!("此处至少加一个 [[{key}]]：{}", holds[0]),
            format!("at least one [[{key}]] added here: {}", holds[1]),
        ];
        let spot = root.spot(key);
        let at = if spot == root.at { at } else { &spot };
        root.sheet.problem(at, [&what[0], &what[1]], [&expected[0], &expected[1]]);
    }
}

pub(super) fn twice(sheet: &Sheet<'_>, kind: &str, codes: &[(Range<usize>, String)]) {
    let mut seen = BTreeSet::new();
    for (at, code) in codes.iter().filter(|(_, code)| !code.is_empty()) {
        if !seen.insert(code) {
            let what = [
                format!("[[{kind}]] 代码“{code}”重复"),
                format!("[[{kind}]] code \"{code}\" is used twice"),
            ];
            let expected = ["每个代码只用一次", "each code once"];
            sheet.problem(at, [&what[0], &what[1]], expected);
        }
    }
}

/// Every lab serves known districts, each once, and every district has a lab.
pub(super) fn served(
    sheet: &Sheet<'_>,
    codes: &[(Range<usize>, String)],
    labs: &[(Range<usize>, LabRead)],
) {
    let known: BTreeSet<&String> = codes.iter().map(|(_, code)| code).collect();
    let mut with_lab = BTreeSet::new();
    for (_, lab) in labs {
        let mut here = BTreeSet::new();
        for (code, at) in &lab.serves {
            // Another city's lab helps out; it is nobody's own.
            if !lab.outside {
                with_lab.insert(code);
            }
            if !known.contains(code) {
                let what = [
                    format!("实验室“{}”承检未知区县“{code}”", lab.code),
                    format!("lab \"{}\" serves an unknown district \"{code}\"", lab.code),
                ];
                let expected = ["某个 [[district]] 的 code", "the code of a [[district]]"];
                sheet.problem(at, [&what[0], &what[1]], expected);
            } else if !here.insert(code) {
                let what = [
                    format!("实验室“{}”重复列出区县“{code}”", lab.code),
                    format!("lab \"{}\" lists district \"{code}\" twice", lab.code),
                ];
                sheet.problem(at, [&what[0], &what[1]], ["每个区县一次", "each district once"]);
            }
        }
    }
    for (at, code) in codes.iter().filter(|(_, code)| !code.is_empty()) {
        if !labs.is_empty() && !with_lab.contains(code) {
            let what = [
                format!("区县“{code}”没有承检实验室"),
                format!("no lab serves district \"{code}\""),
            ];
            let expected = [
                "至少一个本市 [[lab]] 的 serves 列出它",
                "at least one [[lab]] of the city that serves it",
            ];
            sheet.problem(at, [&what[0], &what[1]], expected);
        }
    }
}

pub(super) fn adds_up(root: &Block<'_>, stated: u64, districts: &[District]) {
    let sum = districts.iter().fold(0u64, |n, d| n.saturating_add(d.population.value));
    if sum != stated {
        let what = [
            format!("数字矛盾：全市人口 {stated}，各区县之和 {sum}"),
            format!("numbers contradict: the city has {stated} persons, its districts {sum}"),
        ];
        let expected = ["两数相等", "the two to be equal"];
        root.sheet.problem(&root.spot("population"), [&what[0], &what[1]], expected);
    }
}

/// Street codes are used once in the city, and not for a district, which may stand for a street itself.
pub(super) fn street_codes<'r>(
    sheet: &Sheet<'_>,
    districts: &[(Range<usize>, String)],
    streets: impl Iterator<Item = &'r (Range<usize>, String)>,
) {
    let mut seen: BTreeSet<&String> = districts.iter().map(|(_, code)| code).collect();
    for (at, code) in streets.filter(|(_, code)| !code.is_empty()) {
        if !seen.insert(code) {
            let what = [
                format!("[[district.street]] 代码“{code}”重复"),
                format!("[[district.street]] code \"{code}\" is used twice"),
            ];
            let expected = [
                "全市（含区县）每个代码只用一次",
                "each code once in the city, districts included",
            ];
            sheet.problem(at, [&what[0], &what[1]], expected);
        }
    }
}

/// The streets of a district add up to it: persons, and what they have where they say it.
pub(super) fn streets_add_up(
    block: &Block<'_>,
    people: u64,
    whole: Option<&Have>,
    streets: &[Street],
) {
    if streets.is_empty() {
        return;
    }
    let unequal = |key: &str, zh: &str, en: &str, of_district: u64, of_streets: u64| {
        if of_district != of_streets {
            let what = [
                format!("数字矛盾：区县{zh} {of_district}，各街道之和 {of_streets}"),
                format!(
                    "numbers contradict: the district has {of_district} {en}, its streets {of_streets}"
                ),
            ];
            let at = block.spot(key);
            let expected = ["两数相等", "the two to be equal"];
            block.sheet.problem(&at, [&what[0], &what[1]], expected);
        }
    };
    let sum = streets.iter().fold(0u64, |n, s| n.saturating_add(s.population.value));
    unequal("population", "人口", "persons", people, sum);
    let haves: Vec<&Have> = streets.iter().filter_map(|s| s.have.as_ref()).collect();
    if haves.is_empty() {
        return;
    }
    if haves.len() != streets.len() {
        let what = ["有的街道写了 have，有的没有写", "some streets state `have`, others do not"];
        let expected = ["全部街道都写，或都不写", "all streets of the district, or none"];
        block.sheet.problem(&block.spot("street"), what, expected);
        return;
    }
    let total = |of: fn(&Have) -> u64| haves.iter().fold(0u64, |n, h| n.saturating_add(of(h)));
    let Some(whole) = whole else { return };
    unequal("have", "采样点", "sites", whole.sites, total(|h| h.sites));
    unequal("have", "采样台", "desks", whole.desks, total(|h| h.desks));
    unequal("have", "采样人员", "samplers", whole.samplers, total(|h| h.samplers));
    unequal("have", "登记人员", "registrars", whole.registrars, total(|h| h.registrars));
}
