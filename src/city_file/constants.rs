//! The constants of a norm pack, read from a pack or from a city that states some of its own.
//!
//! A pack without base states all of them, but for the tables that came later: these are the first pack's where they are
//! left out. A pack on a base, and a city, state only what differs: the rest is the base's, with the source that stands there.

use std::ops::RangeInclusive;

use super::city::Sources;
use super::parts;
use super::sheet::Block;
use crate::planner::{Clock, Norm, Sourced, StageKind, StageNorm, TARGET_HOURS_MAX};

/// A constant that stands by itself, in no table of its own.
struct Number {
    key: &'static str,
    /// Whole units kept in one unit of the file: 60 for minutes that are kept in seconds.
    scale: u64,
    least: u64,
    most: u64,
    of: fn(&Norm) -> &Sourced<u64>,
}

const fn number(
    key: &'static str,
    scale: u64,
    bounds: [u64; 2],
    of: fn(&Norm) -> &Sourced<u64>,
) -> Number {
    let [least, most] = bounds;
    Number { key, scale, least, most, of }
}

const PEOPLE: [u64; 2] = [1, 1_000_000];
const HOURS: [u64; 2] = [1, 24];
const MINUTES: [u64; 2] = [0, 1440];

/// The key of the target, which a city states at its top.
const TARGET: &str = "target_hours";

/// All of them but the target.
const NUMBERS: [Number; 19] = [
    number("persons_per_site_min", 1, PEOPLE, |n| &n.persons_per_site_min),
    number("persons_per_site_max", 1, PEOPLE, |n| &n.persons_per_site_max),
    number("persons_per_desk_min", 1, PEOPLE, |n| &n.persons_per_desk_min),
    number("persons_per_desk_max", 1, PEOPLE, |n| &n.persons_per_desk_max),
    number("persons_per_sampler", 1, PEOPLE, |n| &n.persons_per_sampler),
    number("persons_per_sampler_day", 1, PEOPLE, |n| &n.persons_per_sampler_day),
    number("registrars_per_desk", 1, [0, 20], |n| &n.registrars_per_desk),
    number("persons_per_tube", 1, [1, 50], |n| &n.pool),
    number("rounds", 1, [1, 100], |n| &n.rounds),
    number("rounds_physical", 1, [0, 100], |n| &n.rounds_physical),
    number("instrument_hours_per_day", 1, HOURS, |n| &n.instrument_hours),
    number("staff_hours_per_day", 1, HOURS, |n| &n.staff_hours),
    number("shifts", 1, [1, 6], |n| &n.shifts),
    number("sampling_hours_per_day", 1, HOURS, |n| &n.sampling_hours),
    number("persons_per_desk_hour", 10, [1, 1000], |n| &n.desk_rate_tenths),
    number("wells", 1, [1, 2000], |n| &n.wells),
    number("wells_usable", 1, [1, 2000], |n| &n.wells_usable),
    number("box_minutes", 60, MINUTES, |n| &n.box_s),
    number("transport_minutes", 60, MINUTES, |n| &n.transport_s),
];

/// The constant that may be left out of a pack without base as well.
const KIT: Number = number("kit_reactions", 1, [1, 100_000], |n| &n.kit_reactions);

/// Where constants stand, and what takes the place of those that do not.
pub(super) struct Stated<'p, 's> {
    /// The block of the constants without a table of their own; none where a city has no `[constants]`.
    pub(super) numbers: Option<&'p Block<'s>>,
    /// The block that the tables stand in.
    pub(super) tables: &'p Block<'s>,
    /// What is stated differs from these.
    pub(super) base: Option<&'p Norm>,
    /// What a pack without base may leave out is taken from these.
    pub(super) rest: Option<&'p Norm>,
    pub(super) sources: &'p Sources,
}

impl Stated<'_, '_> {
    /// One constant in its kept unit; `kept` takes its place where it is left out.
    fn number(&self, one: &Number, kept: Option<&Norm>) -> Option<Sourced<u64>> {
        let bounds: RangeInclusive<u64> = one.least..=one.most;
        match self.numbers {
            Some(block) => {
                block.sourced_or(one.key, one.scale, bounds, self.sources, kept.map(one.of))
            }
            None => kept.map(|norm| (one.of)(norm).clone()),
        }
    }

    /// The constants of a pack, whose names are still to be filled in.
    pub(super) fn pack(&self) -> Option<Norm> {
        let hours = [1, TARGET_HOURS_MAX as u64];
        let target_h = self.number(&number(TARGET, 1, hours, |n| &n.target_h), self.base);
        let zones = parts::zones(self.tables, self.base.or(self.rest), self.sources);
        let large_city = parts::large_city(self.tables, self.base, self.sources);
        let norm = self.others(target_h)?;
        Some(Norm { large_city: large_city?, zones: zones?, ..norm })
    }

    /// The pack of a city, with what the city states of its own in its place. What is wrong is noted, and there the pack's
    /// stands, so that no other fault seems to follow from it.
    pub(super) fn city(&self, pack: &Norm) -> Norm {
        if let Some(block) = self.numbers {
            let what = [
                "“target_hours”不写在 [constants] 中",
                "`target_hours` does not stand in [constants]",
            ];
            let expected = ["写在城市文件开头", "the same key at the top of the city file"];
            block.misplaced(TARGET, what, expected);
        }
        for Number { key, .. } in NUMBERS.iter().chain([&KIT]) {
            let what = [
                format!("“{key}”写在城市文件开头"),
                format!("`{key}` stands at the top of the city file"),
            ];
            let expected = ["写在 [constants] 表中", "the same key under [constants]"];
            self.tables.misplaced(key, [&what[0], &what[1]], expected);
        }
        let own = self.others(Some(pack.target_h.clone()));
        let mut own = own.unwrap_or_else(|| pack.clone());
        if own.wells_usable.value > own.wells.value {
            // Noted above; every lab would seem to be wrong besides.
            (own.wells, own.wells_usable) = (pack.wells.clone(), pack.wells_usable.clone());
        }
        let zones = parts::zones_over(self.tables, &pack.zones, self.sources);
        Norm {
            name: pack.name.clone(),
            title_zh: pack.title_zh.clone(),
            title_en: pack.title_en.clone(),
            large_city: pack.large_city.clone(),
            zones,
            ..own
        }
    }

    /// All but names, zones and the target of a large city.
    fn others(&self, target_h: Option<Sourced<u64>>) -> Option<Norm> {
        let (base, rest, root, sources) = (self.base, self.rest, self.tables, self.sources);
        let kept = base.or(rest);
        let [
            site_min,
            site_max,
            desk_min,
            desk_max,
            sampler,
            sampler_day,
            registrars,
            pool,
            rounds,
            physical,
            instrument,
            staff,
            shifts,
            sampling,
            rate,
            wells,
            usable,
            box_s,
            transport_s,
        ] = NUMBERS.map(|one| self.number(&one, base));
        let stages = StageKind::ALL.map(|kind| stage(root, kind, base, rest, sources));
        let kit = self.number(&KIT, kept);
        let field = parts::field(root, kept.map(|n| &n.field), sources);
        let transport = parts::transport(root, kept.map(|n| &n.transport), sources);
        let recall = parts::recall(root, kept.map(|n| &n.recall), sources);
        let prevalence = parts::prevalence(root, kept.map(|n| &n.prevalence), sources);
        let derate = parts::derate(root, kept.map(|n| &n.derate), sources);
        for (small, large, keys) in [
            (&site_min, &site_max, ["persons_per_site_min", "persons_per_site_max"]),
            (&desk_min, &desk_max, ["persons_per_desk_min", "persons_per_desk_max"]),
            (&physical, &rounds, ["rounds_physical", "rounds"]),
            (&usable, &wells, ["wells_usable", "wells"]),
        ] {
            if let (Some(small), Some(large)) = (small, large)
                && small.value > large.value
            {
                contradiction(self.numbers.unwrap_or(root), keys, small.value, large.value);
            }
        }
        if let (Some(field), Some(transport)) = (&field, &transport) {
            parts::box_fits(root, field, transport);
        }
        let [receive, inactivate, decap, extract, setup, pcr, review] = stages;
        Some(Norm {
            name: String::new(),
            title_zh: String::new(),
            title_en: String::new(),
            target_h: target_h?,
            persons_per_site_min: site_min?,
            persons_per_site_max: site_max?,
            persons_per_desk_min: desk_min?,
            persons_per_desk_max: desk_max?,
            persons_per_sampler: sampler?,
            persons_per_sampler_day: sampler_day?,
            registrars_per_desk: registrars?,
            pool: pool?,
            rounds: rounds?,
            rounds_physical: physical?,
            instrument_hours: instrument?,
            staff_hours: staff?,
            shifts: shifts?,
            sampling_hours: sampling?,
            desk_rate_tenths: rate?,
            wells: wells?,
            wells_usable: usable?,
            box_s: box_s?,
            transport_s: transport_s?,
            stages: [receive?, inactivate?, decap?, extract?, setup?, pcr?, review?],
            kit_reactions: kit?,
            large_city: None,
            field: field?,
            transport: transport?,
            recall: recall?,
            prevalence: prevalence?,
            derate: derate?,
            zones: Vec::new(),
        })
    }
}

/// Notes that the first of two numbers is larger than the second, which it may not be.
pub(super) fn contradiction(block: &Block<'_>, keys: [&'static str; 2], first: u64, second: u64) {
    let [small, large] = keys;
    let what = [
        format!("数字矛盾：“{small}” {first} 大于“{large}” {second}"),
        format!("numbers contradict: `{small}` {first} is more than `{large}` {second}"),
    ];
    let expected = [format!("“{small}”不大于“{large}”"), format!("`{small}` at most `{large}`")];
    // The other one may be the base's.
    let at = block.spot(if block.has(small) { small } else { large });
    block.sheet.problem(&at, [&what[0], &what[1]], [&expected[0], &expected[1]]);
}

/// One unit of a stage; on a base only what differs has to stand there.
fn stage(
    root: &Block<'_>,
    kind: StageKind,
    base: Option<&Norm>,
    rest: Option<&Norm>,
    sources: &Sources,
) -> Option<StageNorm> {
    let below = base.map(|norm| norm.stage(kind));
    if let Some(below) = below
        && !root.has(kind.key())
    {
        return Some(below.clone());
    }
    let Some(block) = root.block(kind.key()) else { return below.cloned() };
    let kept = below.or(rest.map(|norm| norm.stage(kind)));
    let of = |key, scale, most, kept| block.sourced_or(key, scale, 0..=most, sources, kept);
    let run_s = of("run_minutes", 60, 1440, below.map(|n| &n.run_s));
    let load_s = of("load_minutes", 60, 1440, below.map(|n| &n.load_s));
    let crew = of("crew", 1, 100, below.map(|n| &n.crew));
    let spread = of("spread_percent", 10, 500, kept.map(|n| &n.spread_permille));
    let breakdowns = kept.map(|n| &n.breakdowns_permille_day);
    let breakdowns = of("breakdowns_percent_day", 10, 100, breakdowns);
    let repair = of("repair_minutes", 60, 10_080, kept.map(|n| &n.repair_s));
    let hold = of("hold_minutes", 60, 1440, kept.map(|n| &n.hold_s));
    let clock = match below {
        Some(below) if !block.has("clock") => Some(below.clock),
        _ => clock(&block).or(below.map(|n| n.clock)),
    };
    if let (Some(run), Some(load)) = (&run_s, &load_s)
        && run.value + load.value == 0
    {
        let what = ["一次运行为 0 分钟", "a run takes 0 minutes"];
        let expected = ["运行与装载之和大于 0", "run and loading together above 0"];
        block.sheet.problem(&block.at, what, expected);
    }
    block.close();
    Some(StageNorm {
        kind,
        clock: clock?,
        run_s: run_s?,
        load_s: load_s?,
        crew: crew?,
        spread_permille: spread?,
        breakdowns_permille_day: breakdowns?,
        repair_s: repair?,
        hold_s: hold?,
    })
}

/// `clock`: which working day a stage keeps.
fn clock(block: &Block<'_>) -> Option<Clock> {
    match block.text("clock")?.as_str() {
        "instrument" => Some(Clock::Instrument),
        "staffed" => Some(Clock::Staffed),
        _ => {
            let what = ["“clock”不认识", "`clock` is not known"];
            let expected = ["\"instrument\" 或 \"staffed\"", "\"instrument\" or \"staffed\""];
            block.sheet.problem(&block.spot("clock"), what, expected);
            None
        }
    }
}
