//! Checks between items, over all files of a run: nothing twice, levels in order, and what refers
//! to something that is in none of the files.

use super::findings::{Both, both};
use super::reference::{Item, Table, Within};
use super::{Content, File};
use crate::domain::words::Level;
use std::collections::HashMap;

/// An item that was found, by table and code.
struct Found {
    file: usize,
    line: usize,
    level: Option<Level>,
}

type Known = HashMap<(Table, String), Found>;

/// A line, what is so, and what is expected or to be looked at.
type Finding = (usize, Both, Both);

/// Notes what is wrong between the items of all files.
pub(super) fn check(files: &mut [File]) {
    let mut known = Known::new();
    let mut problems: Vec<(usize, Finding)> = Vec::new();
    let mut warnings: Vec<(usize, Finding)> = Vec::new();
    for (file, item) in items(files) {
        let name = (item.table, item.code.clone());
        if let Some(first) = known.get(&name) {
            let path = (first.file != file).then(|| files[first.file].path.as_str());
            problems.push((file, twice(item, first.line, path)));
        } else {
            known.insert(name, Found { file, line: item.line, level: item.level });
        }
    }
    for (file, item) in items(files) {
        let Some(within) = &item.within else { continue };
        match known.get(&(within.table, within.code.clone())) {
            None => warnings.push((file, elsewhere(within))),
            Some(above) => problems.extend(too_low(item, within, above).map(|found| (file, found))),
        }
    }
    warnings.extend(strange_districts(files, &known));
    for (file, (line, what, expected)) in problems {
        files[file].findings.problem(line, what, expected);
    }
    for (file, (line, what, look)) in warnings {
        files[file].findings.warn(line, what, look);
    }
}

fn items(files: &[File]) -> impl Iterator<Item = (usize, &Item)> {
    files.iter().enumerate().flat_map(|(file, one)| {
        let items = match &one.content {
            Content::Reference(items) => &items[..],
            Content::Roster(_) => &[],
        };
        items.iter().map(move |item| (file, item))
    })
}

/// An item that was given before; in another file when `path` names one.
fn twice(item: &Item, line: usize, path: Option<&str>) -> Finding {
    let [table_zh, table_en] = item.table.words();
    let [place_zh, place_en] = match path {
        None => both(format!("第 {line} 行"), format!("line {line}")),
        Some(path) => both(format!("{path}:{line}"), format!("{path}:{line}")),
    };
    let what = both(
        format!("{table_zh}“{}”已在{place_zh}给出", item.code),
        format!("the {table_en} \"{}\" was given in {place_en} already", item.code),
    );
    (item.line, what, both("每个代码只出现一次", "each code once"))
}

/// A reference to what none of the files has: it may be on the server already.
fn elsewhere(within: &Within) -> Finding {
    let [table_zh, table_en] = within.table.words();
    let (key, code) = (within.key, &within.code);
    let what = both(
        format!("“{key}”指向的{table_zh}“{code}”不在所给文件中"),
        format!("`{key}` names the {table_en} \"{code}\", which is in none of the files"),
    );
    (within.line, what, both(IMPORTED[0], IMPORTED[1]))
}

const IMPORTED: [&str; 2] = ["请确认以前已导入", "make sure that it was imported before"];

/// An item in a jurisdiction that it cannot lie in.
fn too_low(item: &Item, within: &Within, above: &Found) -> Option<Finding> {
    let above = above.level?;
    let expected = match (item.table, item.level) {
        (Table::Jurisdiction, Some(level)) if above >= level => {
            both(format!("比{}高的一级", level.zh()), format!("a level above {}", level.en()))
        }
        // In the city itself it would be counted under no district.
        (Table::Site, _) if above == Level::City => both(
            "区县、街道或社区：采样点按区县计数",
            "a district, subdistrict or community: sites are counted by district",
        ),
        _ => return None,
    };
    let (key, code) = (within.key, &within.code);
    let what = both(
        format!("“{key}”为{}级的“{code}”", above.zh()),
        format!("`{key}` is \"{code}\" of level {}", above.en()),
    );
    Some((within.line, what, expected))
}

/// The districts of rosters that none of the files has, when any of them has districts. The code is
/// not repeated: whoever mixed up the columns has an identity there.
fn strange_districts(files: &[File], known: &Known) -> Vec<(usize, Finding)> {
    let district = |found: &Found| found.level == Some(Level::District);
    if !known.values().any(district) {
        return Vec::new();
    }
    let mut strange = Vec::new();
    for (at, file) in files.iter().enumerate() {
        let Content::Roster(roster) = &file.content else { continue };
        for (code, line) in &roster.districts {
            if !known.get(&(Table::Jurisdiction, code.clone())).is_some_and(district) {
                let what = both(
                    "区县列的代码不是所给文件中的区县",
                    "the code in the district column is no district of the files",
                );
                strange.push((at, (*line, what, both(IMPORTED[0], IMPORTED[1]))));
            }
        }
    }
    strange
}
