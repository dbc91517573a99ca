//! Norm packs: the constants of a notice or guide, each with source and status. A pack may name another as its `base`
//! and state only what differs.

use toml::de::DeTable;

use super::error::{Error, Problem};
use super::parts;
use super::sheet::{Block, Sheet};
use crate::planner::{Clock, Norm, Sourced, StageKind, StageNorm, TARGET_HOURS_MAX, Words};

/// The packs that are compiled in: name and text.
pub const BUILTIN: [(&str, &str); 7] = [
    ("chifeng-2022", include_str!("../../deploy/norms/chifeng-2022.toml")),
    ("guide-1st-2021", include_str!("../../deploy/norms/guide-1st-2021.toml")),
    ("guide-2nd-2021", include_str!("../../deploy/norms/guide-2nd-2021.toml")),
    ("guide-3rd-2022", include_str!("../../deploy/norms/guide-3rd-2022.toml")),
    ("jiyuan-2021", include_str!("../../deploy/norms/jiyuan-2021.toml")),
    ("practice-2020", include_str!("../../deploy/norms/practice-2020.toml")),
    ("qilin-2020", include_str!("../../deploy/norms/qilin-2020.toml")),
];

/// The pack whose numbers stand in for those that a pack without base leaves out.
const ROOT: &str = "chifeng-2022";

/// How many packs may stand on each other.
const BASES_MAX: u32 = 4;

/// The built-in pack of that name.
pub fn builtin(name: &str) -> Result<Norm, Error> {
    builtin_at(name, BASES_MAX)
}

fn builtin_at(name: &str, bases_left: u32) -> Result<Norm, Error> {
    let Some((_, text)) = BUILTIN.iter().find(|(known, _)| *known == name) else {
        let known = BUILTIN.map(|(known, _)| known).join(", ");
        return Err(Error::Unknown { name: name.to_owned(), known });
    };
    let file = format!("builtin:{name}.toml");
    // The root stands on nothing, not even on itself.
    let rest = (name != ROOT).then(|| builtin_at(ROOT, bases_left)).transpose()?;
    parse_at(&file, text, bases_left, rest)
}

/// A norm pack from its text; `file` is the name that messages use.
pub fn parse(file: &str, text: &str) -> Result<Norm, Error> {
    parse_at(file, text, BASES_MAX, Some(builtin(ROOT)?))
}

/// `rest` is the root pack, unless the text is its own.
fn parse_at(file: &str, text: &str, bases_left: u32, rest: Option<Norm>) -> Result<Norm, Error> {
    let table = table_of(file, text)?;
    let sheet = Sheet::new(text);
    let norm = read(&sheet, &table, bases_left, rest.as_ref());
    finish(file, sheet.into_problems(), norm)
}

/// The parsed text, or the syntax error with its line.
pub(super) fn table_of<'t>(file: &str, text: &'t str) -> Result<DeTable<'t>, Error> {
    DeTable::parse(text).map(toml::Spanned::into_inner).map_err(|error| Error::Bad {
        file: file.to_owned(),
        problems: vec![Problem::not_toml(text, &error)],
    })
}

/// The value, unless something was noted on the way.
pub(super) fn finish<T>(file: &str, problems: Vec<Problem>, value: Option<T>) -> Result<T, Error> {
    let file = file.to_owned();
    match value {
        Some(value) if problems.is_empty() => Ok(value),
        _ if !problems.is_empty() => Err(Error::Bad { file, problems }),
        // A reader that gives up must have noted why; should one forget, say so rather than stop the program.
        _ => Err(Error::Bad {
            file,
            problems: vec![Problem::new(
                1,
                ["文件不完整", "the file is incomplete"],
                ["与 deploy 目录中的示例相同的结构", "the same shape as the examples under deploy"],
            )],
        }),
    }
}

fn read<'s>(
    sheet: &'s Sheet<'s>,
    table: &'s DeTable<'s>,
    bases_left: u32,
    rest: Option<&Norm>,
) -> Option<Norm> {
    let root = Block::new(sheet, table, 0..0);
    let name = root.text("name");
    let title_zh = root.text("title");
    let title_en = root.text("title_en");
    let base = match root.text_maybe("base") {
        None => None,
        Some(base) => match bases_left.checked_sub(1).map(|left| builtin_at(&base, left)) {
            Some(Ok(norm)) => Some(norm),
            Some(Err(_)) | None => {
                let known = BUILTIN.map(|(known, _)| known).join(", ");
                let what = [format!("“base”为 \"{base}\""), format!("`base` is \"{base}\"")];
                let expected = [format!("以下之一：{known}"), format!("one of: {known}")];
                let at = root.spot("base");
                sheet.problem(&at, [&what[0], &what[1]], [&expected[0], &expected[1]]);
                None
            }
        },
    };
    let base = base.as_ref();
    let kept = base.or(rest);
    let sources = root.sources();
    let of =
        |key: &'static str, scale: u64, from: u64, to: u64, kept: fn(&Norm) -> &Sourced<u64>| {
            match base {
                Some(base) if !root.has(key) => Some(kept(base).clone()),
                _ => root.sourced(key, scale, from..=to, &sources),
            }
        };
    let people = 1_000_000;
    let target_h = of("target_hours", 1, 1, TARGET_HOURS_MAX.into(), |n| &n.target_h);
    let site_min = of("persons_per_site_min", 1, 1, people, |n| &n.persons_per_site_min);
    let site_max = of("persons_per_site_max", 1, 1, people, |n| &n.persons_per_site_max);
    let desk_min = of("persons_per_desk_min", 1, 1, people, |n| &n.persons_per_desk_min);
    let desk_max = of("persons_per_desk_max", 1, 1, people, |n| &n.persons_per_desk_max);
    let sampler = of("persons_per_sampler", 1, 1, people, |n| &n.persons_per_sampler);
    let sampler_day = of("persons_per_sampler_day", 1, 1, people, |n| &n.persons_per_sampler_day);
    let registrars = of("registrars_per_desk", 1, 0, 20, |n| &n.registrars_per_desk);
    let pool = of("persons_per_tube", 1, 1, 50, |n| &n.pool);
    let rounds = of("rounds", 1, 1, 100, |n| &n.rounds);
    let physical = of("rounds_physical", 1, 0, 100, |n| &n.rounds_physical);
    let instrument = of("instrument_hours_per_day", 1, 1, 24, |n| &n.instrument_hours);
    let staff = of("staff_hours_per_day", 1, 1, 24, |n| &n.staff_hours);
    let shifts = of("shifts", 1, 1, 6, |n| &n.shifts);
    let sampling = of("sampling_hours_per_day", 1, 1, 24, |n| &n.sampling_hours);
    let rate = of("persons_per_desk_hour", 10, 1, 1000, |n| &n.desk_rate_tenths);
    let wells = of("wells", 1, 1, 2000, |n| &n.wells);
    let usable = of("wells_usable", 1, 1, 2000, |n| &n.wells_usable);
    let box_s = of("box_minutes", 60, 0, 1440, |n| &n.box_s);
    let transport_s = of("transport_minutes", 60, 0, 1440, |n| &n.transport_s);
    let stages = StageKind::ALL.map(|kind| read_stage(&root, kind, base, rest, &sources));
    let kit =
        root.sourced_or("kit_reactions", 1, 1..=100_000, &sources, kept.map(|n| &n.kit_reactions));
    let large_city = parts::large_city(&root, base, &sources);
    let field = parts::field(&root, kept.map(|n| &n.field), &sources);
    let transport = parts::transport(&root, kept.map(|n| &n.transport), &sources);
    let recall = parts::recall(&root, kept.map(|n| &n.recall), &sources);
    let prevalence = parts::prevalence(&root, kept.map(|n| &n.prevalence), &sources);
    let derate = parts::derate(&root, kept.map(|n| &n.derate), &sources);
    let zones = parts::zones(&root, kept, &sources);

    // Contradictions inside the pack.
    for (small, large, keys) in [
        (&site_min, &site_max, ["persons_per_site_min", "persons_per_site_max"]),
        (&desk_min, &desk_max, ["persons_per_desk_min", "persons_per_desk_max"]),
        (&physical, &rounds, ["rounds_physical", "rounds"]),
        (&usable, &wells, ["wells_usable", "wells"]),
    ] {
        if let (Some(small), Some(large)) = (small, large)
            && small.value > large.value
        {
            contradiction(&root, keys, small.value, large.value);
        }
    }
    let [receive, inactivate, decap, extract, setup, pcr, review] = stages;
    if let (Some(field), Some(transport)) = (&field, &transport) {
        parts::box_fits(&root, field, transport);
    }
    root.close();
    Some(Norm {
        name: name?,
        title_zh: title_zh?,
        title_en: title_en?,
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
        large_city: large_city?,
        field: field?,
        transport: transport?,
        recall: recall?,
        prevalence: prevalence?,
        derate: derate?,
        zones: zones?,
    })
}

/// Notes that the first of two numbers is larger than the second, which it may not be.
pub(super) fn contradiction(block: &Block<'_>, keys: [&str; 2], first: u64, second: u64) {
    let [small, large] = keys;
    let what = [
        format!("数字矛盾：“{small}” {first} 大于“{large}” {second}"),
        format!("numbers contradict: `{small}` {first} is more than `{large}` {second}"),
    ];
    let expected = [format!("“{small}”不大于“{large}”"), format!("`{small}` at most `{large}`")];
    let at = block.spot(small);
    block.sheet.problem(&at, [&what[0], &what[1]], [&expected[0], &expected[1]]);
}

fn read_stage(
    root: &Block<'_>,
    kind: StageKind,
    base: Option<&Norm>,
    rest: Option<&Norm>,
    sources: &[(String, Words)],
) -> Option<StageNorm> {
    if let Some(base) = base
        && !root.has(kind.key())
    {
        return Some(base.stage(kind).clone());
    }
    let block = root.block(kind.key())?;
    let run_s = block.sourced("run_minutes", 60, 0..=1440, sources);
    let load_s = block.sourced("load_minutes", 60, 0..=1440, sources);
    let crew = block.sourced("crew", 1, 0..=100, sources);
    let kept = base.or(rest).map(|norm| norm.stage(kind));
    let spread = kept.map(|n| &n.spread_permille);
    let spread = block.sourced_or("spread_percent", 10, 0..=500, sources, spread);
    let breakdowns = kept.map(|n| &n.breakdowns_permille_day);
    let breakdowns = block.sourced_or("breakdowns_percent_day", 10, 0..=100, sources, breakdowns);
    let repair = kept.map(|n| &n.repair_s);
    let repair = block.sourced_or("repair_minutes", 60, 0..=10_080, sources, repair);
    let hold = kept.map(|n| &n.hold_s);
    let hold = block.sourced_or("hold_minutes", 60, 0..=1440, sources, hold);
    let clock = match block.text("clock").as_deref() {
        Some("instrument") => Some(Clock::Instrument),
        Some("staffed") => Some(Clock::Staffed),
        Some(_) => {
            let what = ["“clock”不认识", "`clock` is not known"];
            let expected = ["\"instrument\" 或 \"staffed\"", "\"instrument\" or \"staffed\""];
            block.sheet.problem(&block.spot("clock"), what, expected);
            None
        }
        None => None,
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
