//! Districts and streets of CITY.toml, and what they have.

use std::ops::Range;

use super::checks::streets_add_up;
use super::city::{COUNT_MAX, PERSONS_MAX, Sources, words};
use super::constants::contradiction;
use super::sheet::Block;
use super::stock::stock;
use crate::planner::{District, Fleet, Have, Norm, Origin, Sampling, Street};

/// Most persons per tube.
const POOL_MAX: u64 = 50;

/// A district as far as it could be read: its codes are checked even when a number is wrong.
pub(super) struct DistrictRead {
    pub(super) code: String,
    pub(super) streets: Vec<(Range<usize>, String)>,
    pub(super) district: Option<District>,
}

pub(super) fn district(block: Block<'_>, norm: &Norm, sources: &Sources) -> DistrictRead {
    let code = block.text("code");
    let name = words(&block);
    let population = block.sourced("population", 1, 1..=PERSONS_MAX, sources);
    let pool = pool(&block, sources);
    let zone = zone(&block, norm);
    let place = block.place();
    let have = block.block("have").and_then(|b| have(b, sources));
    let stock = block.block("stock").and_then(|b| stock(b, sources));
    let fleet = block.block_maybe("fleet").map(|b| fleet(b, sources));
    let sampling = block.block_maybe("sampling").map(|b| sampling(b, sources));
    let mut codes = Vec::new();
    let mut streets = Some(Vec::new());
    for inner in block.blocks("street") {
        let at = inner.at.clone();
        let (code, read) = street(inner, norm, sources);
        codes.push((at, code));
        match (&mut streets, read) {
            (Some(streets), Some(street)) => streets.push(street),
            _ => streets = None,
        }
    }
    if let (Some(population), Some(streets)) = (&population, &streets) {
        streets_add_up(&block, population.value, have.as_ref(), streets);
    }
    block.close();
    let known = code.clone().unwrap_or_default();
    let read = || {
        let (pool, pool_origin) = pool?;
        Some(District {
            code: code?,
            name: name?,
            population: population?,
            pool,
            pool_origin,
            zone: zone?,
            place: place?,
            have: have?,
            stock: stock?,
            fleet: match fleet {
                None => None,
                Some(read) => Some(read?),
            },
            sampling: match sampling {
                None => None,
                Some(read) => Some(read?),
            },
            streets: streets?,
        })
    };
    DistrictRead { code: known, streets: codes, district: read() }
}

fn street(block: Block<'_>, norm: &Norm, sources: &Sources) -> (String, Option<Street>) {
    let code = block.text("code");
    let name = words(&block);
    let population = block.sourced("population", 1, 1..=PERSONS_MAX, sources);
    let pool = pool(&block, sources);
    let zone = zone(&block, norm);
    let place = block.place();
    let own = block.block_maybe("have").map(|b| have(b, sources));
    block.close();
    let known = code.clone().unwrap_or_default();
    let read = || {
        let (pool, pool_origin) = pool?;
        Some(Street {
            code: code?,
            name: name?,
            population: population?,
            have: match own {
                None => None,
                Some(read) => Some(read?),
            },
            pool,
            pool_origin,
            zone: zone?,
            place: place?,
        })
    };
    (known, read())
}

/// `persons_per_tube` that may be left out, and where it comes from where that is stated.
fn pool(block: &Block<'_>, sources: &Sources) -> Option<(Option<u64>, Option<Origin>)> {
    if !block.has("persons_per_tube") {
        return Some((None, None));
    }
    let (pool, origin) = block.plain_or_sourced("persons_per_tube", 1, 1..=POOL_MAX, sources)?;
    Some((Some(pool), origin))
}

/// `zone` that may be left out: a key of the norm pack.
fn zone(block: &Block<'_>, norm: &Norm) -> Option<Option<String>> {
    let Some(key) = block.text_maybe("zone") else {
        // A zone that is no text is noted already.
        return Some(None);
    };
    if norm.zone_pool(&key).is_none() {
        let known: Vec<&str> = norm.zones.iter().map(|zone| zone.key.as_str()).collect();
        let known = known.join(", ");
        let what = [format!("“zone”为 \"{key}\""), format!("`zone` is \"{key}\"")];
        let expected = [
            format!("规范包“{}”的分区之一：{known}", norm.name),
            format!("a zone of the norm pack \"{}\": {known}", norm.name),
        ];
        let at = block.spot("zone");
        block.sheet.problem(&at, [&what[0], &what[1]], [&expected[0], &expected[1]]);
        return None;
    }
    Some(Some(key))
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
        contradiction(&block, ["sites", "desks"], sites, desks);
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

fn fleet(block: Block<'_>, sources: &Sources) -> Option<Fleet> {
    let origin = block.origin(sources);
    let vehicles = block.number("vehicles", 1..=COUNT_MAX);
    let capacity_tubes = block.number("capacity_tubes", 1..=COUNT_MAX);
    let trips = block.has("trips_per_day").then(|| block.number("trips_per_day", 1..=96));
    block.close();
    Some(Fleet {
        vehicles: vehicles?,
        capacity_tubes: capacity_tubes?,
        trips_per_day: match trips {
            None => None,
            Some(read) => Some(read?),
        },
        origin: origin?,
    })
}

fn sampling(block: Block<'_>, sources: &Sources) -> Option<Sampling> {
    let origin = block.origin(sources);
    let shifts = block.number("shifts", 1..=6);
    let hours = block.number("hours_per_shift", 1..=24);
    if let (Some(shifts), Some(hours)) = (shifts, hours)
        && shifts * hours > 24
    {
        let what = [
            format!("数字矛盾：{shifts} 班，每班 {hours} 小时，超过一日"),
            format!("numbers contradict: {shifts} shifts of {hours} h are more than a day"),
        ];
        let expected = ["各班合计不超过 24 小时", "24 h at most in all shifts together"];
        block.sheet.problem(&block.spot("hours_per_shift"), [&what[0], &what[1]], expected);
    }
    block.close();
    Some(Sampling { shifts: shifts?, hours: hours?, origin: origin? })
}
