//! Checks between items, over all files of a run: nothing twice, levels in order, and what refers
//! to something that is in none of the files.

use super::findings::both;
use super::reference::{Item, Table};
use super::{Content, File};
use crate::domain::words::Level;
use std::collections::HashMap;

/// Where an item stands: file and place in the file.
type Spot = (usize, usize);

/// Notes what is wrong between the items of all files.
pub(super) fn check(files: &mut [File]) {
    let mut known: HashMap<(Table, String), Spot> = HashMap::new();
    let mut problems = Vec::new();
    let mut warnings = Vec::new();
    for (file, at, item) in items(files) {
        match known.get(&(item.table, item.code.clone())) {
            None => drop(known.insert((item.table, item.code.clone()), (file, at))),
            Some(first) => problems.push((file, twice(files, item, *first, file))),
        }
    }
    for (file, _, item) in items(files) {
        let Some(within) = &item.within else { continue };
        let [table_zh, table_en] = within.table.words();
        let (key, code) = (within.key, &within.code);
        let Some(at) = known.get(&(within.table, code.clone())) else {
            let what = both(
                format!("“{key}”指向的{table_zh}“{code}”不在所给文件中"),
                format!("`{key}` names the {table_en} \"{code}\", which is in none of the files"),
            );
            let look = both("请确认以前已导入", "make sure that it was imported before");
            warnings.push((file, (within.line, what, look)));
            continue;
        };
        let above = found(files, *at).level;
        // A site that lies in the city itself would be counted under no district.
        let wrong = match (item.table, item.level, above) {
            (Table::Jurisdiction, Some(level), Some(above)) => above >= level,
            (Table::Site, _, Some(above)) => above == Level::City,
            _ => false,
        };
        if wrong && let Some(above) = above {
            let what = both(
                format!("“{key}”为{}级的“{code}”", above.zh()),
                format!("`{key}` is \"{code}\" of level {}", above.en()),
            );
            let expected = match item.level {
                Some(level) => both(
                    format!("比{}高的一级", level.zh()),
                    format!("a level above {}", level.en()),
                ),
                None => both(
                    "区县、街道或社区：采样点按区县计数",
                    "a district, subdistrict or community: sites are counted by district",
                ),
            };
            problems.push((file, (within.line, what, expected)));
        }
    }
    for (file, (line, what, expected)) in problems {
        files[file].findings.problem(line, what, expected);
    }
    for (file, (line, what, look)) in warnings {
        files[file].findings.warn(line, what, look);
    }
    districts(files, &known);
}

type Finding = (usize, super::findings::Both, super::findings::Both);

fn twice(files: &[File], item: &Item, first: Spot, file: usize) -> Finding {
    let [table_zh, table_en] = item.table.words();
    let line = found(files, first).line;
    let place = if first.0 == file {
        both(format!("第 {line} 行"), format!("line {line}"))
    } else {
        let path = &files[first.0].path;
        both(format!("{path}:{line}"), format!("{path}:{line}"))
    };
    let what = both(
        format!("{table_zh}“{}”已在{}给出", item.code, place[0]),
        format!("the {table_en} \"{}\" was given in {} already", item.code, place[1]),
    );
    (item.line, what, both("每个代码只出现一次", "each code once"))
}

/// Notes the districts of rosters that none of the files has, when any of them has districts. The
/// code is not repeated: whoever mixed up the columns has an identity there.
fn districts(files: &mut [File], known: &HashMap<(Table, String), Spot>) {
    let is_district = |code: &str| {
        let at = known.get(&(Table::Jurisdiction, code.to_owned()));
        at.is_some_and(|at| found(files, *at).level == Some(Level::District))
    };
    let mut unknown = Vec::new();
    if items(files).any(|(_, _, item)| item.level == Some(Level::District)) {
        for (at, file) in files.iter().enumerate() {
            if let Content::Roster(roster) = &file.content {
                let strange = roster.districts.iter().filter(|(code, _)| !is_district(code));
                unknown.extend(strange.map(|(_, line)| (at, *line)));
            }
        }
    }
    for (file, line) in unknown {
        let what = both(
            "区县列的代码不是所给文件中的区县（后同）",
            "the district of this line, and of others, is no district of the files",
        );
        let look = both("请确认以前已导入", "make sure that it was imported before");
        files[file].findings.warn(line, what, look);
    }
}

fn items(files: &[File]) -> impl Iterator<Item = (usize, usize, &Item)> {
    files.iter().enumerate().flat_map(|(file, one)| {
        let items = match &one.content {
            Content::Reference(items) => &items[..],
            Content::Roster(_) => &[],
        };
        items.iter().enumerate().map(move |(at, item)| (file, at, item))
    })
}

/// The item at a spot that [`items`] gave.
fn found(files: &[File], (file, at): Spot) -> &Item {
    match &files[file].content {
        Content::Reference(items) => &items[at],
        Content::Roster(_) => unreachable!("rosters have no items"),
    }
}
