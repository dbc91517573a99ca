//! The shape of CITY.toml and the checks that span several numbers.

use std::collections::BTreeSet;

use toml::de::DeTable;

use super::norm;
use super::sheet::{Block, Sheet};
use crate::planner::{
    City, Claim, District, Have, Lab, LabStage, Ledger, Norm, StageKind, Stock, Words,
};

/// Most persons in a city or district; keeps every product of the planner far from overflow.
const PERSONS_MAX: u64 = 2_000_000_000;
/// Most sites, desks, persons on a roll, or units.
const COUNT_MAX: u64 = 10_000_000;
/// Most tubes or reactions in one ledger.
const STOCK_MAX: u64 = 100_000_000_000;

type Sources = [(String, String)];

/// The city, or `None` after noting why not. `other_norm` replaces the pack that the file names.
pub(super) fn read<'s>(
    sheet: &'s Sheet<'s>,
    table: &'s DeTable<'s>,
    other_norm: Option<Norm>,
) -> Option<City> {
    let root = Block::new(sheet, table, 0..0);
    schema(&root);
    let code = root.text("code");
    let name = words(&root);
    let sources = root.block("sources").map(|b| b.names()).unwrap_or_default();
    let population = root.sourced("population", 1, 1..=PERSONS_MAX, &sources);
    let named_norm = norm_of(&root);
    let norm = other_norm.or(named_norm);
    let target_h = match (root.has("target_hours"), &norm) {
        (true, _) => root.number("target_hours", 1..=2160),
        (false, Some(norm)) => Some(norm.target_for(population.as_ref().map_or(0, |p| p.value))),
        (false, None) => None,
    };
    let deadline = root.text_maybe("deadline");
    let blocks = root.blocks("district");
    let lab_blocks = root.blocks("lab");
    let claim_blocks = root.blocks("claim");
    // Without a norm nothing below can be read; the reason is noted already.
    let norm = norm?;

    let mut districts = Vec::new();
    for block in blocks {
        let at = block.at.clone();
        districts.push((at, district(block, &sources)));
    }
    let mut labs = Vec::new();
    for block in lab_blocks {
        let at = block.at.clone();
        labs.push((at, lab(block, &norm, &sources)));
    }
    let claims: Vec<Option<Claim>> = claim_blocks.into_iter().map(|b| claim(b, &sources)).collect();

    none_at_all(&root, "district", districts.is_empty());
    none_at_all(&root, "lab", labs.is_empty());
    let codes: Vec<(_, String)> =
        districts.iter().map(|(at, (c, _))| (at.clone(), c.clone())).collect();
    twice(sheet, "district", &codes);
    let lab_codes: Vec<(_, String)> =
        labs.iter().map(|(at, lab)| (at.clone(), lab.code.clone())).collect();
    twice(sheet, "lab", &lab_codes);
    served(sheet, &codes, &labs);
    let all: Option<Vec<District>> = districts.into_iter().map(|(_, (_, d))| d).collect();
    if let (Some(population), Some(all)) = (&population, &all) {
        adds_up(&root, population.value, all);
    }
    root.close();
    Some(City {
        code: code?,
        name: name?,
        population: population?,
        target_h: u32::try_from(target_h?).ok()?,
        deadline,
        plan: crate::planner::PlanHead::default(),
        start_s: 21_600,
        one_to_one: false,
        max_travel_s: None,
        norm,
        districts: all?,
        labs: labs.into_iter().map(|(_, read)| read.lab).collect::<Option<_>>()?,
        claims: claims.into_iter().collect::<Option<_>>()?,
    })
}

fn schema(root: &Block<'_>) {
    // A later release may read more than one; this one knows 1.
    root.number("schema", 1..=1);
}

fn words(block: &Block<'_>) -> Option<Words> {
    let (zh, en) = (block.text("name"), block.text("name_en"));
    Some(Words { zh: zh?, en: en? })
}

fn norm_of(root: &Block<'_>) -> Option<Norm> {
    let name = root.text("norm")?;
    match norm::builtin(&name) {
        Ok(norm) => Some(norm),
        Err(error) => {
            let at = root.spot("norm");
            let known = norm::BUILTIN.map(|(known, _)| known).join(", ");
            let expected = [format!("以下之一：{known}"), format!("one of: {known}")];
            root.sheet.problem(&at, [&error.zh(), &error.en()], [&expected[0], &expected[1]]);
            None
        }
    }
}

fn district(block: Block<'_>, sources: &Sources) -> (String, Option<District>) {
    let code = block.text("code");
    let name = words(&block);
    let population = block.sourced("population", 1, 1..=PERSONS_MAX, sources);
    let pool = block.has("persons_per_tube").then(|| block.number("persons_per_tube", 1..=50));
    let have = block.block("have").and_then(|b| have(b, sources));
    let stock = block.block("stock").and_then(|b| stock(b, sources));
    block.close();
    let known = code.clone().unwrap_or_default();
    let read = || {
        Some(District {
            code: code?,
            name: name?,
            population: population?,
            pool: match pool {
                None => None,
                Some(read) => Some(read?),
            },
            zone: None,
            place: None,
            have: have?,
            stock: stock?,
            fleet: None,
            streets: Vec::new(),
        })
    };
    (known, read())
}

fn have(block: Block<'_>, sources: &Sources) -> Option<Have> {
    let origin = block.origin(sources);
    let sites = block.number("sites", 0..=COUNT_MAX);
    let desks = block.number("desks", 0..=COUNT_MAX);
    let samplers = block.number("samplers", 0..=COUNT_MAX);
    let registrars = block.number("registrars", 0..=COUNT_MAX);
    if let (Some(sites), Some(desks)) = (sites, desks)
        && sites > desks
    {
        // A site without a desk is no site.
        norm::contradiction(&block, ["sites", "desks"], sites, desks);
    }
    block.close();
    Some(Have {
        sites: sites?,
        desks: desks?,
        samplers: samplers?,
        registrars: registrars?,
        origin: origin?,
    })
}

fn stock(block: Block<'_>, sources: &Sources) -> Option<Stock> {
    let origin = block.origin(sources);
    let tubes = block.block("tubes").and_then(ledger);
    let extraction = block.block("extraction").and_then(ledger);
    let pcr = block.block("pcr").and_then(ledger);
    block.close();
    Some(Stock {
        tubes: tubes?,
        extraction: extraction?,
        pcr: pcr?,
        held: Vec::new(),
        origin: origin?,
    })
}

fn ledger(block: Block<'_>) -> Option<Ledger> {
    let physical = block.number("physical", 0..=STOCK_MAX);
    let agreement = block.number("agreement", 0..=STOCK_MAX);
    let deposit_paid = block.flag("deposit_paid");
    if agreement == Some(0) && deposit_paid == Some(true) {
        let what = [
            "数字矛盾：定金已付，但协议储备为 0",
            "numbers contradict: a deposit is paid for an agreement of 0",
        ];
        let expected = [
            "协议储备大于 0，或 deposit_paid = false",
            "an agreement above 0, or deposit_paid = false",
        ];
        block.sheet.problem(&block.spot("agreement"), what, expected);
    }
    block.close();
    Some(Ledger { physical: physical?, agreement: agreement?, deposit_paid: deposit_paid? })
}

/// A lab as far as it could be read: its code and districts are checked even when a number is wrong.
struct LabRead {
    code: String,
    serves: Vec<(String, std::ops::Range<usize>)>,
    lab: Option<Lab>,
}

fn lab(block: Block<'_>, norm: &Norm, sources: &Sources) -> LabRead {
    let code = block.text("code");
    let name = words(&block);
    let serves = block.texts("serves");
    let origin = block.origin(sources);
    let stages =
        StageKind::ALL.map(|kind| block.block(kind.key()).and_then(|b| lab_stage(b, kind, norm)));
    block.close();
    let known = code.clone().unwrap_or_default();
    let codes: Vec<String> = serves.iter().map(|(code, _)| code.clone()).collect();
    let [receive, inactivate, decap, extract, setup, pcr, review] = stages;
    let read = || {
        Some(Lab {
            code: code?,
            name: name?,
            serves: codes,
            stages: [receive?, inactivate?, decap?, extract?, setup?, pcr?, review?],
            place: None,
            outside: false,
            shifts: Vec::new(),
            instrument_day: None,
            derate: None,
            origin: origin?,
        })
    };
    LabRead { code: known, serves, lab: read() }
}

fn lab_stage(block: Block<'_>, kind: StageKind, norm: &Norm) -> Option<LabStage> {
    let mut stage = LabStage::of_norm(kind, norm);
    let mut whole = true;
    let mut take = |read: Option<u64>, field: &mut u64| match read {
        Some(n) => *field = n,
        None => whole = false,
    };
    take(block.number("units", 0..=COUNT_MAX), &mut stage.units);
    // Times, wells and crew are the norm's unless the lab states its own.
    for (key, scale, most, field) in [
        ("crew", 1, 100, &mut stage.crew),
        ("run_minutes", 60, 1440, &mut stage.run_s),
        ("load_minutes", 60, 1440, &mut stage.load_s),
    ] {
        if block.has(key) {
            take(block.decimal(key, scale, 0..=most), field);
        }
    }
    if block.has("staff") || stage.crew > 0 {
        take(block.number("staff", 0..=COUNT_MAX), &mut stage.staff);
    }
    let mut wells = norm.wells.value;
    if block.has("wells") {
        take(block.number("wells", 1..=2000), &mut wells);
        stage.usable = stage.usable.min(wells);
    }
    if block.has("usable") {
        take(block.number("usable", 1..=2000), &mut stage.usable);
    }
    if stage.usable > wells {
        norm::contradiction(&block, ["usable", "wells"], stage.usable, wells);
    }
    if whole && stage.run_s + stage.load_s == 0 {
        let what = ["一次运行为 0 分钟", "a run takes 0 minutes"];
        let expected = ["运行与装载之和大于 0", "run and loading together above 0"];
        block.sheet.problem(&block.at, what, expected);
    }
    block.close();
    whole.then_some(stage)
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

fn none_at_all(root: &Block<'_>, key: &str, empty: bool) {
    if empty {
        let what = [format!("没有 [[{key}]]"), format!("there is no [[{key}]]")];
        let expected = ["至少一个", "at least one"];
        root.sheet.problem(&root.spot(key), [&what[0], &what[1]], expected);
    }
}

fn twice(sheet: &Sheet<'_>, kind: &str, codes: &[(std::ops::Range<usize>, String)]) {
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
fn served(
    sheet: &Sheet<'_>,
    codes: &[(std::ops::Range<usize>, String)],
    labs: &[(std::ops::Range<usize>, LabRead)],
) {
    let known: BTreeSet<&String> = codes.iter().map(|(_, code)| code).collect();
    let mut with_lab = BTreeSet::new();
    for (_, lab) in labs {
        let mut here = BTreeSet::new();
        for (code, at) in &lab.serves {
            with_lab.insert(code);
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
            let expected =
                ["至少一个 [[lab]] 的 serves 列出它", "at least one [[lab]] that serves it"];
            sheet.problem(at, [&what[0], &what[1]], expected);
        }
    }
}

fn adds_up(root: &Block<'_>, stated: u64, districts: &[District]) {
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
