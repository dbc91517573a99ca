//! A city as a list of named values, in a fixed order, for `diff`. Everything has a path made of keys and codes, never of
//! positions, so that what moves in the file is the same thing still.

use super::City;
use super::constants::decimal;
use super::district::{District, Fleet, Have, Sampling, Street};
use super::head::PlanHead;
use super::lab::{InstrumentDay, Lab, LabStage, Shift};
use super::norm::{Clock, Norm};
use super::place::Place;
use super::sourced::Origin;
use super::stock::{Holding, Ledger, Stock};
use super::words::{Words, time_of_day};
use crate::planner::rules::Claim;

/// One value of a city.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) path: String,
    pub(super) title: Words,
    /// Empty for a group, which only has an origin.
    pub(super) value: String,
    pub(super) origin: Option<Origin>,
}

/// Where the list grows.
struct Branch<'l> {
    leaves: &'l mut Vec<Leaf>,
    path: String,
    title: Words,
}

impl Branch<'_> {
    fn under(&mut self, key: &str, zh: &str, en: &str) -> Branch<'_> {
        let path = match (self.path.is_empty(), key.starts_with('[')) {
            (true, _) => key.to_owned(),
            (_, true) => format!("{}{key}", self.path),
            _ => format!("{}.{key}", self.path),
        };
        let join = |old: &str, new: &str| match (old, new) {
            ("", new) => new.to_owned(),
            (old, "") => old.to_owned(),
            (old, new) => format!("{old} {new}"),
        };
        let title = Words::new(join(&self.title.zh, zh), join(&self.title.en, en));
        Branch { leaves: self.leaves, path, title }
    }

    /// Gives this branch a value of its own.
    fn is(&mut self, value: impl ToString, origin: Option<&Origin>) {
        self.leaves.push(Leaf {
            path: self.path.clone(),
            title: self.title.clone(),
            value: value.to_string(),
            origin: origin.cloned(),
        });
    }

    fn value(&mut self, key: &str, zh: &str, en: &str, value: impl ToString) {
        self.under(key, zh, en).is(value, None);
    }

    /// The origin of a group of numbers.
    fn group(&mut self, zh: &str, en: &str, origin: &Origin) {
        let mut at = self.under("origin", zh, en);
        at.is("", Some(origin));
    }

    fn maybe(&mut self, key: &str, zh: &str, en: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.value(key, zh, en, value);
        }
    }
}

/// Every value of a city, in the order of the file.
pub(super) fn leaves(city: &City) -> Vec<Leaf> {
    // Taken apart by name here and below, so that nothing can be forgotten.
    let City {
        code,
        name,
        population,
        target_h,
        // Told by its value and origin.
        target_from: _,
        target_origin,
        deadline,
        plan,
        start_s,
        one_to_one,
        max_travel_s,
        max_travel_origin,
        norm,
        districts,
        labs,
        claims,
        // Where it stands is no part of what it says.
        written: _,
    } = city;
    let mut leaves = Vec::new();
    let mut root = Branch { leaves: &mut leaves, path: String::new(), title: Words::default() };
    head(&mut root, plan);
    root.value("code", "代码", "code", code);
    root.value("name", "名称", "name", both(name));
    root.under("population", "全市人口", "persons in the city")
        .is(population.value, Some(&population.origin));
    root.under("target_hours", "完成时限（小时）", "target (h)")
        .is(target_h, target_origin.as_ref());
    root.maybe("deadline", "补齐期限", "deadline", deadline.as_ref());
    root.value("start", "开始时刻", "start", clock(*start_s));
    root.value("one_to_one", "街道与实验室一一对应", "one lab per street", yes(*one_to_one));
    if let Some(s) = max_travel_s {
        root.under("max_travel_minutes", "最长路途（分钟）", "longest way (min)")
            .is(decimal(*s, 60), max_travel_origin.as_ref());
    }
    constants(&mut root.under("norm", "规范", "norm"), norm);
    for one in districts {
        let key = format!("district[{}]", one.code);
        district(&mut root.under(&key, &one.name.zh, &one.name.en), one);
    }
    for one in labs {
        let key = format!("lab[{}]", one.code);
        lab(&mut root.under(&key, &one.name.zh, &one.name.en), one);
    }
    for (i, one) in claims.iter().enumerate() {
        let Claim { place, cyclers, extractors, tubes, origin } = one;
        let mut at = root.under(&format!("claim[{}]", i + 1), "公布能力", "declared capacity");
        at.is(both(place), Some(origin));
        at.value("cyclers", "扩增仪", "cyclers", cyclers);
        at.value("extractors", "提取仪", "extractors", extractors);
        at.value("tubes", "管", "tubes", tubes);
    }
    leaves
}

fn head(root: &mut Branch<'_>, plan: &PlanHead) {
    let PlanHead { version, author, approved_by, approved_on, note } = plan;
    let mut at = root.under("plan", "方案", "plan");
    at.value("version", "版本", "version", version);
    at.maybe("author", "编制", "author", author.as_ref());
    at.maybe("approved_by", "批准", "approved by", approved_by.as_ref());
    at.maybe("approved_on", "批准日期", "approved on", approved_on.as_ref());
    at.maybe("note", "说明", "note", note.as_ref());
}

fn constants(at: &mut Branch<'_>, norm: &Norm) {
    at.value("name", "包", "pack", &norm.name);
    at.value("title", "标题", "title", format!("{} / {}", norm.title_zh, norm.title_en));
    for constant in norm.constants() {
        at.under(&constant.key, &constant.title.zh, &constant.title.en)
            .is(constant.value, Some(constant.origin));
    }
    for stage in &norm.stages {
        let name = stage.kind.name();
        let mut at = at.under(stage.kind.key(), &name.zh, &name.en);
        at.value("clock", "工作日", "working day", clock_key(stage.clock));
    }
    for zone in &norm.zones {
        at.value(&format!("zone[{}]", zone.key), "分区", "zone", both(&zone.title));
    }
}

fn district(at: &mut Branch<'_>, district: &District) {
    let District {
        code: _,
        name,
        population,
        pool,
        pool_origin,
        zone,
        place,
        have,
        stock,
        fleet,
        sampling,
        streets,
    } = district;
    at.is(both(name), None);
    at.under("population", "人口", "persons").is(population.value, Some(&population.origin));
    if let Some(pool) = pool {
        at.under("persons_per_tube", "每管人数", "persons per tube").is(pool, pool_origin.as_ref());
    }
    at.maybe("zone", "分区", "zone", zone.as_ref());
    at.maybe("place", "经纬度", "place", place.as_ref().map(point));
    people(&mut at.under("have", "", ""), have);
    goods(&mut at.under("stock", "", ""), stock);
    if let Some(Fleet { vehicles, capacity_tubes, trips_per_day, origin }) = fleet {
        let mut at = at.under("fleet", "车队", "fleet");
        at.group("", "", origin);
        at.value("vehicles", "车辆", "vehicles", vehicles);
        at.value("capacity_tubes", "每车管数", "tubes per vehicle", capacity_tubes);
        at.maybe("trips_per_day", "每车每日趟次", "trips per vehicle and day", *trips_per_day);
    }
    if let Some(Sampling { shifts, hours, origin }) = sampling {
        let mut at = at.under("sampling", "采样班次", "sampling shifts");
        at.group("", "", origin);
        at.value("shifts", "每日班数", "shifts of a day", shifts);
        at.value("hours_per_shift", "每班小时", "hours of a shift", hours);
    }
    for one in streets {
        let key = format!("street[{}]", one.code);
        street(&mut at.under(&key, &one.name.zh, &one.name.en), one);
    }
}

fn street(at: &mut Branch<'_>, street: &Street) {
    let Street { code: _, name, population, have, pool, pool_origin, zone, place } = street;
    at.is(both(name), None);
    at.under("population", "人口", "persons").is(population.value, Some(&population.origin));
    if let Some(pool) = pool {
        at.under("persons_per_tube", "每管人数", "persons per tube").is(pool, pool_origin.as_ref());
    }
    at.maybe("zone", "分区", "zone", zone.as_ref());
    at.maybe("place", "经纬度", "place", place.as_ref().map(point));
    if let Some(have) = have {
        people(&mut at.under("have", "", ""), have);
    }
}

fn people(at: &mut Branch<'_>, have: &Have) {
    let Have { sites, desks, samplers, registrars, origin } = have;
    at.group("点台人员", "people and places", origin);
    at.value("sites", "采样点", "sites", sites);
    at.value("desks", "采样台", "desks", desks);
    at.value("samplers", "采样人员", "samplers", samplers);
    at.value("registrars", "登记人员", "registrars", registrars);
}

fn goods(at: &mut Branch<'_>, stock: &Stock) {
    let Stock { tubes, extraction, pcr, held, origin } = stock;
    at.group("库存", "stock", origin);
    ledger(&mut at.under("tubes", "采样管", "tubes"), tubes);
    ledger(&mut at.under("extraction", "提取试剂", "extraction reagent"), extraction);
    ledger(&mut at.under("pcr", "扩增试剂", "PCR reagent"), pcr);
    for Holding { owner, article, ledger: amounts } in held {
        let (who, what) = (owner.name(), article.name());
        let key = format!("held[{}.{}]", owner.key(), article.key());
        let (zh, en) = (format!("{}{}", who.zh, what.zh), format!("{} {}", who.en, what.en));
        ledger(&mut at.under(&key, &zh, &en), amounts);
    }
}

fn ledger(at: &mut Branch<'_>, ledger: &Ledger) {
    let Ledger { physical, agreement, deposit_paid } = ledger;
    at.value("physical", "实物", "on the shelf", physical);
    at.value("agreement", "协议", "by agreement", agreement);
    at.value("deposit_paid", "定金已付", "deposit paid", yes(*deposit_paid));
}

fn lab(at: &mut Branch<'_>, lab: &Lab) {
    let Lab {
        code: _,
        name,
        serves,
        stages,
        place,
        outside,
        shifts,
        instrument_day,
        derate,
        origin,
    } = lab;
    at.is(both(name), Some(origin));
    at.value("serves", "承检区县", "serves", serves.join(", "));
    at.maybe("place", "经纬度", "place", place.as_ref().map(point));
    at.value("outside", "外地实验室", "another city's", yes(*outside));
    if !shifts.is_empty() {
        let one = |s: &Shift| format!("{}–{} {} %", clock(s.from_s), clock(s.to_s), s.percent);
        let all: Vec<String> = shifts.iter().map(one).collect();
        at.value("shifts", "班次", "shifts", all.join(", "));
    }
    at.maybe("instrument_day", "仪器日", "instrument day", instrument_day.as_ref().map(day));
    if let Some(derate) = derate {
        at.under("derate_percent", "实际能力占比（%）", "real share of capacity (%)")
            .is(decimal(derate.value, 10), Some(&derate.origin));
    }
    for one in stages {
        let name = one.kind.name();
        lab_stage(&mut at.under(one.kind.key(), &name.zh, &name.en), one);
    }
}

fn lab_stage(at: &mut Branch<'_>, stage: &LabStage) {
    let LabStage {
        kind: _,
        units,
        staff,
        crew,
        run_s,
        load_s,
        usable,
        clock,
        spread_permille,
        breakdowns_permille_day,
        repair_s,
        hold_s,
    } = stage;
    at.value("units", "台数", "units", units);
    at.value("staff", "在册人员", "persons on the roll", staff);
    at.value("crew", "每台每班人数", "persons per unit and shift", crew);
    at.value("run_minutes", "每次运行（分钟）", "one run (min)", decimal(*run_s, 60));
    at.value("load_minutes", "装卸（分钟）", "loading (min)", decimal(*load_s, 60));
    at.value("usable", "样本孔数", "usable wells", usable);
    at.value("clock", "工作日", "working day", clock_key(*clock));
    let spread = decimal(*spread_permille, 10);
    at.value("spread_percent", "最多延长（%）", "longer by up to (%)", spread);
    let breakdowns = decimal(*breakdowns_permille_day, 10);
    at.value("breakdowns_percent_day", "故障率（%/日）", "breakdowns (%/day)", breakdowns);
    at.value("repair_minutes", "修复（分钟）", "repair (min)", decimal(*repair_s, 60));
    at.value(
        "hold_minutes",
        "等待满批（分钟）",
        "wait for a full batch (min)",
        decimal(*hold_s, 60),
    );
}

fn both(words: &Words) -> String {
    format!("{} / {}", words.zh, words.en)
}

fn yes(flag: bool) -> &'static str {
    if flag { "true" } else { "false" }
}

/// Second of the day as `HH:MM`, with seconds where there are any.
fn clock(second: u64) -> String {
    // The end of a day is 24:00, not the 00:00 of the next.
    let time = if second == 86_400 { "24:00".to_owned() } else { time_of_day(second / 60) };
    if second.is_multiple_of(60) { time } else { format!("{time}:{:02}", second % 60) }
}

fn clock_key(clock: Clock) -> &'static str {
    match clock {
        Clock::Instrument => "instrument",
        Clock::Staffed => "staffed",
    }
}

fn day(day: &InstrumentDay) -> String {
    match day {
        InstrumentDay::Staggered { hours } => format!("{hours} h"),
        InstrumentDay::Window { from_s, to_s } => format!("{}–{}", clock(*from_s), clock(*to_s)),
    }
}

fn point(place: &Place) -> String {
    let degrees = |e6: i64| {
        let sign = if e6 < 0 { "-" } else { "" };
        format!("{sign}{}", decimal(e6.unsigned_abs(), 1_000_000))
    };
    format!("{}, {}", degrees(place.lon_e6), degrees(place.lat_e6))
}
