//! The shape of CITY.toml: what stands at its top, and its districts, labs and claims put together.

use std::path::Path;

use toml::de::DeTable;

use super::checks::{adds_up, none_at_all, served, street_codes, twice};
use super::constants::Stated;
use super::district::district;
use super::lab::lab;
use super::norm;
use super::sheet::{Block, Sheet};
use crate::planner::{
    City, Claim, District, Norm, PlanHead, TARGET_HOURS_MAX, TargetFrom, Words, Written,
};

/// Most persons in a city or district; keeps every product of the planner far from overflow.
pub(super) const PERSONS_MAX: u64 = 2_000_000_000;
/// Most sites, desks, persons on a roll, or units.
pub(super) const COUNT_MAX: u64 = 10_000_000;
/// Most tubes or reactions in one ledger.
pub(super) const STOCK_MAX: u64 = 100_000_000_000;

/// Second of the day at which a round starts unless the city says otherwise.
const START_S: u64 = 6 * 3600;

/// What has to stand in a district and in a lab.
const DISTRICT_HOLDS: [&str; 2] = [
    "code、name、name_en、population、[district.have]、[district.stock]",
    "code, name, name_en, population, [district.have], [district.stock]",
];
const LAB_HOLDS: [&str; 2] = [
    "code、name、name_en、serves、status、source，以及 receive、inactivate、decap、extract、setup、pcr、review 各环节",
    "code, name, name_en, serves, status, source, and the stages receive, inactivate, decap, extract, setup, pcr, review",
];

pub(super) type Sources = [(String, Words)];

/// The city, or `None` after noting why not. `file` is the name that messages use, `folder` where it lies; `other_norm`
/// replaces the pack that the file names.
pub(super) fn read<'s>(
    sheet: &'s Sheet<'s>,
    file: &str,
    folder: Option<&Path>,
    table: &'s DeTable<'s>,
    other_norm: Option<Norm>,
) -> Option<City> {
    let root = Block::new(sheet, table, 0..0);
    schema(&root);
    let code = root.text("code");
    let name = words(&root);
    let sources = root.sources();
    let population = root.sourced("population", 1, 1..=PERSONS_MAX, &sources);
    let named_norm = norm::named(&root, "norm", folder);
    let norm = other_norm.or(named_norm);
    let own_target = root.has("target_hours");
    let target_h = match (own_target, &norm) {
        (true, _) => {
            root.plain_or_sourced("target_hours", 1, 1..=TARGET_HOURS_MAX.into(), &sources)
        }
        (false, Some(norm)) => {
            Some((norm.target_for(population.as_ref().map_or(0, |p| p.value)), None))
        }
        (false, None) => None,
    };
    let deadline = root.text_maybe("deadline");
    let plan = root.block_maybe("plan").map(head);
    let start_s = root.has("start").then(|| root.day_start("start"));
    let one_to_one = root.has("one_to_one").then(|| root.flag("one_to_one"));
    let max_travel = root.has("max_travel_minutes");
    let max_travel =
        max_travel.then(|| root.plain_or_sourced("max_travel_minutes", 60, 1..=1440, &sources));
    let blocks = root.blocks("district");
    let lab_blocks = root.blocks("lab");
    let claim_blocks = root.blocks("claim");
    // Without a norm nothing below can be read; the reason is noted already.
    let pack = norm?;
    let own = root.block_maybe("constants");
    let stated = Stated {
        numbers: own.as_ref(),
        tables: &root,
        base: Some(&pack),
        rest: None,
        sources: &sources,
    };
    let norm = stated.city(&pack);
    if let Some(own) = own {
        own.close();
    }

    let mut districts = Vec::new();
    for block in blocks {
        let at = block.at.clone();
        districts.push((at, district(block, &norm, &sources)));
    }
    let mut labs = Vec::new();
    for block in lab_blocks {
        let at = block.at.clone();
        labs.push((at, lab(block, &norm, &sources)));
    }
    let claims: Vec<Option<Claim>> = claim_blocks.into_iter().map(|b| claim(b, &sources)).collect();

    let end = sheet.end();
    let first_lab = labs.first().map_or(&end, |(at, _)| at);
    none_at_all(&root, "district", districts.is_empty(), first_lab, DISTRICT_HOLDS);
    none_at_all(&root, "lab", labs.is_empty(), &end, LAB_HOLDS);
    let codes: Vec<(_, String)> =
        districts.iter().map(|(at, read)| (at.clone(), read.code.clone())).collect();
    twice(sheet, "district", &codes);
    street_codes(sheet, &codes, districts.iter().flat_map(|(_, read)| &read.streets));
    let lab_codes: Vec<(_, String)> =
        labs.iter().map(|(at, lab)| (at.clone(), lab.code.clone())).collect();
    twice(sheet, "lab", &lab_codes);
    served(sheet, &codes, &labs);
    let streets = districts.iter().flat_map(|(_, read)| &read.streets);
    let lines = codes.iter().chain(streets).map(|(at, code)| (code.clone(), sheet.line(at)));
    let written = Written { file: file.to_owned(), lines: lines.collect() };
    let all: Option<Vec<District>> = districts.into_iter().map(|(_, read)| read.district).collect();
    if let (Some(population), Some(all)) = (&population, &all) {
        adds_up(&root, population.value, all);
    }
    root.close();
    let (target_h, target_origin) = target_h?;
    let (max_travel_s, max_travel_origin) = match max_travel {
        None => (None, None),
        Some(read) => read.map(|(s, origin)| (Some(s), origin))?,
    };
    Some(City {
        code: code?,
        name: name?,
        population: population?,
        target_h: u32::try_from(target_h).ok()?,
        target_from: if own_target { TargetFrom::File } else { TargetFrom::Norm },
        target_origin,
        deadline,
        plan: plan.unwrap_or_else(|| Some(PlanHead::default()))?,
        start_s: start_s.unwrap_or(Some(START_S))?,
        one_to_one: one_to_one.unwrap_or(Some(false))?,
        max_travel_s,
        max_travel_origin,
        norm,
        districts: all?,
        labs: labs.into_iter().map(|(_, read)| read.lab).collect::<Option<_>>()?,
        claims: claims.into_iter().collect::<Option<_>>()?,
        written: Some(written),
    })
}

/// `[plan]`.
fn head(block: Block<'_>) -> Option<PlanHead> {
    let version = block.number("version", 1..=1_000_000);
    let author = block.text_maybe("author");
    let approved_by = block.text_maybe("approved_by");
    let approved_on = block.has("approved_on").then(|| block.date("approved_on"));
    let note = block.text_maybe("note");
    // An approval is by somebody, on a day, of somebody's work.
    for (key, needs) in
        [("approved_by", "author"), ("approved_by", "approved_on"), ("approved_on", "approved_by")]
    {
        if block.has(key) && !block.has(needs) {
            let what = [format!("有“{key}”而无“{needs}”"), format!("`{key}` without `{needs}`")];
            let expected = [format!("同时给出“{needs}”"), format!("`{needs}` as well")];
            let at = block.spot(key);
            block.sheet.problem(&at, [&what[0], &what[1]], [&expected[0], &expected[1]]);
        }
    }
    block.close();
    Some(PlanHead {
        version: version?,
        author,
        approved_by,
        approved_on: match approved_on {
            None => None,
            Some(read) => Some(read?),
        },
        note,
    })
}

fn schema(root: &Block<'_>) {
    // A later release may read more than one; this one knows 1.
    root.number("schema", 1..=1);
}

pub(super) fn words(block: &Block<'_>) -> Option<Words> {
    let (zh, en) = (block.text("name"), block.text("name_en"));
    Some(Words { zh: zh?, en: en? })
}

fn claim(block: Block<'_>, sources: &Sources) -> Option<Claim> {
    let place = words(&block);
    let cyclers = block.number("cyclers", 1..=COUNT_MAX);
    let extractors = block.number("extractors", 1..=COUNT_MAX);
    let tubes = block.number("tubes", 1..=STOCK_MAX);
    let origin = block.origin(sources);
    block.close();
    Some(Claim {
        place: place?,
        cyclers: cyclers?,
        extractors: extractors?,
        tubes: tubes?,
        origin: origin?,
    })
}
