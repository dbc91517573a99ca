//! `solve`: the guide's arithmetic, the capacity of every stage, the verdict.
//!
//! Conventions, each of which the report states:
//! - Counts of sites, desks, samplers and tubes are rounded up per street, tubes at the street's own pool size; a district
//!   is the sum of its streets and the city the sum of its districts. The city-level ceilings are given beside it.
//! - The norm's counts of sites, desks and samplers do not shrink when the target is longer than a day.
//! - Sampling is `desks × persons per desk-hour` in the sampling hours, and never more than `samplers × persons per
//!   sampler-day`. The norm's 360 persons per sampler is a staffing rule, not that speed. Sampling must end early
//!   enough for the last box to be packed, driven and tested.
//! - Stock for one round must lie on the shelf, or the round cannot be held. The reserve for ten rounds is a matter of
//!   the norm: it is listed as a shortage but does not turn the verdict.
//! - "Alone, a stage needs x" is the time of the campaign if every other stage had means without limit. The binding
//!   stage is the one that needs most.
//! - A street sends to the labs within its reach: those that serve its district, not farther than `max_travel_minutes`.
//!   A street that reaches none has no way to a result, and the way itself then never ends.
//! - Labs of other cities take only what the city's own cannot, and are shown apart; the verdict counts them.
//! - Staffed stages are taken at the derate of their lab and by its shifts, instruments by their instrument day.
//!
//! In reading order:
//! - `labs`: whole runs, the window of each stage, the stage that binds a lab;
//! - `sent`, `flow`: which lab may take whose tubes, and which does (maximal flow);
//! - `chain`: every stage from the swab to the result, and which one binds;
//! - `plan`: the answer;
//! - `lines`, `shortage`: need, have, short, how to mend, support asked; `crews`: shifts, teams, vehicles, trips; `vehicles`: which street
//!   has how many;
//!   `crew_constants`: what these rest on;
//! - `fill`: the city with its shortages filled; `change`: with other units; `nearer`: reckoned nearer to the flows;
//! - `claim`: a declared capacity explained from run times (the Guandu letter).

mod chain;
mod change;
mod claim;
mod crew_constants;
mod crews;
mod fill;
mod flow;
mod labs;
mod lines;
mod nearer;
mod plan;
mod sent;
mod shortage;
mod vehicles;

pub use chain::{DAYS_MAX, TARGET_HOURS_MAX};
pub use change::{
    DesksTake, UNITS_CHANGE_MAX, may_change, more_desks_take, more_takes, one_more_takes,
    units_in_range, with_units,
};
pub use claim::{Claim, Explanation, Side, explain};
pub use crew_constants::crew_constants;
pub use crews::{CrewItem, CrewLine};
pub use fill::{fill, fill_sent};
pub use labs::{LabCapacity, StageCapacity, lab_capacity, whole_runs};
pub(in crate::planner) use labs::{head_s, units_working};
pub(in crate::planner) use nearer::Nearer;
pub use plan::{
    ChainStage, CityCeilings, DistrictPlan, LabPlan, Plan, Range, StageTime, Totals, Verdict,
};
pub use sent::Sent;
pub use shortage::{Basis, Item, ItemTotal, Shortage, no_deadline};
pub use vehicles::vehicles_of_streets;

use std::collections::BTreeMap;

use crate::planner::city::{City, District, mul_div_ceil};
use chain::View;
use shortage::totals;

/// The plan and the verdict for `target_h` hours.
pub fn solve(city: &City, target_h: u32) -> Plan {
    solve_sent(city, target_h, &[])
}

/// The same with streets that were told where to send: their tubes go to that lab, whether it can take them or not, and the
/// others make the best of what is left.
pub fn solve_sent(city: &City, target_h: u32, sent: &[Sent]) -> Plan {
    let target_s = u64::from(target_h) * 3600;
    let view = View::of(city, sent);
    let capacities: Vec<LabCapacity> =
        city.labs.iter().map(|lab| lab_capacity(city, lab, target_s)).collect();
    let tubes_max: Vec<u64> = capacities.iter().map(|c| c.tubes).collect();
    let by_source = view.allot_evenly(&tubes_max);
    let beyond = view.beyond(&by_source, &tubes_max);
    let dealt = view.by_district(&by_source);

    let mut districts: Vec<DistrictPlan> = Vec::with_capacity(city.districts.len());
    for (i, district) in city.districts.iter().enumerate() {
        let mut plan = district_norms(city, district);
        plan.sampling_s = view.sampling_s(i, target_s);
        plan.persons_by_desks = view.persons_by_desks(i, target_s);
        plan.persons_by_samplers = view.persons_by_samplers(i, target_s);
        plan.labs =
            dealt.sent[i].iter().map(|&(lab, n)| (city.labs[lab].code.clone(), n)).collect();
        plan.tubes_unmet = dealt.unmet[i];
        districts.push(plan);
    }
    let labs: Vec<LabPlan> = city
        .labs
        .iter()
        .zip(capacities)
        .zip(dealt.load.iter().zip(beyond))
        .map(|((lab, capacity), (&load, beyond))| LabPlan {
            code: lab.code.clone(),
            name: lab.name.clone(),
            outside: lab.outside,
            capacity,
            load,
            beyond,
        })
        .collect();
    let all_lines = lines::lines(city, &districts, &labs, view.cut_off(), target_s);
    let item_totals = totals(&all_lines);
    let shortages: Vec<Shortage> = all_lines.into_iter().filter(|line| line.short > 0).collect();
    let crews = crews::crews(city, &districts, target_s);
    let verdict = view.verdict(target_h, shortages.is_empty());
    let total = sum(city, &districts, &labs);
    let cut_off = view.into_cut_off();
    Plan { target_h, verdict, districts, total, labs, cut_off, shortages, item_totals, crews }
}

/// What the norm asks of one district; what it can do is filled in by `solve`.
fn district_norms(city: &City, district: &District) -> DistrictPlan {
    let norm = &city.norm;
    let streets = city.streets_of(district);
    let tubes = city.tubes_of(district);
    let pools = || streets.iter().map(|street| city.street_pool(district, street));
    let need = streets
        .iter()
        .fold(Counts::default(), |sum, street| sum.and(counts(city, street.population.value)));
    DistrictPlan {
        code: district.code.clone(),
        name: district.name.clone(),
        population: district.population.value,
        pool: pools().min().unwrap_or(1),
        pool_most: pools().max().unwrap_or(1),
        tubes,
        sites: need.sites,
        desks: need.desks,
        samplers: need.samplers,
        registrars: need.desks.low.saturating_mul(norm.registrars_per_desk.value),
        reserve: tubes.saturating_mul(norm.rounds.value),
        reserve_physical: tubes.saturating_mul(norm.rounds_physical.value),
        sampling_s: 0,
        persons_by_desks: 0,
        persons_by_samplers: 0,
        labs: Vec::new(),
        tubes_unmet: 0,
    }
}

/// Sites, desks and samplers by the norm.
#[derive(Clone, Copy, Default)]
struct Counts {
    sites: Range,
    desks: Range,
    samplers: u64,
}

impl Counts {
    fn and(self, more: Counts) -> Counts {
        let add = |a: Range, b: Range| Range {
            low: a.low.saturating_add(b.low),
            high: a.high.saturating_add(b.high),
        };
        Counts {
            sites: add(self.sites, more.sites),
            desks: add(self.desks, more.desks),
            samplers: self.samplers.saturating_add(more.samplers),
        }
    }
}

/// Sites, desks and samplers for so many persons of one place, by the norm.
fn counts(city: &City, persons: u64) -> Counts {
    let norm = &city.norm;
    let range = |most: u64, fewest: u64| Range {
        low: mul_div_ceil(persons, 1, most),
        high: mul_div_ceil(persons, 1, fewest),
    };
    Counts {
        sites: range(norm.persons_per_site_max.value, norm.persons_per_site_min.value),
        desks: range(norm.persons_per_desk_max.value, norm.persons_per_desk_min.value),
        samplers: mul_div_ceil(persons, 1, norm.persons_per_sampler.value),
    }
}

/// Tubes of the whole city, rounded up once for each pool size that its streets have, and the smallest and largest of these.
fn tubes_by_pool(city: &City) -> (u64, Range) {
    let mut persons: BTreeMap<u64, u64> = BTreeMap::new();
    let mut add = |pool: u64, more: u64| {
        let sum = persons.entry(pool).or_default();
        *sum = sum.saturating_add(more);
    };
    for district in &city.districts {
        if district.streets.is_empty() {
            add(city.pool_of(district), district.population.value);
        }
        for street in &district.streets {
            add(city.street_pool(district, street), street.population.value);
        }
    }
    persons.retain(|_, n| *n > 0);
    let tubes = persons.iter().map(|(pool, n)| n.div_ceil(*pool)).fold(0, u64::saturating_add);
    let size = |of: Option<(&u64, &u64)>| of.map_or(city.norm.pool.value, |(pool, _)| *pool);
    let (low, high) = (size(persons.first_key_value()), size(persons.last_key_value()));
    (tubes, Range { low, high })
}

fn sum(city: &City, districts: &[DistrictPlan], labs: &[LabPlan]) -> Totals {
    let add = |field: fn(&DistrictPlan) -> u64| {
        districts.iter().fold(0u64, |n, d| n.saturating_add(field(d)))
    };
    let population = add(|d| d.population);
    let Counts { sites, desks, samplers } = counts(city, population);
    let lab_tubes = |outside: bool, of: fn(&LabPlan) -> u64| {
        labs.iter().filter(|lab| lab.outside == outside).map(of).fold(0, u64::saturating_add)
    };
    let (tubes, pool) = tubes_by_pool(city);
    Totals {
        population,
        tubes: add(|d| d.tubes),
        sites: Range { low: add(|d| d.sites.low), high: add(|d| d.sites.high) },
        desks: Range { low: add(|d| d.desks.low), high: add(|d| d.desks.high) },
        samplers: add(|d| d.samplers),
        registrars: add(|d| d.registrars),
        reserve: add(|d| d.reserve),
        reserve_physical: add(|d| d.reserve_physical),
        persons_by_desks: add(|d| d.persons_by_desks),
        persons_by_samplers: add(|d| d.persons_by_samplers),
        lab_tubes: lab_tubes(false, |lab| lab.capacity.tubes),
        outside_tubes: lab_tubes(true, |lab| lab.capacity.tubes),
        tubes_sent_outside: lab_tubes(true, |lab| lab.load),
        tubes_unmet: add(|d| d.tubes_unmet),
        ceilings: CityCeilings { sites, desks, samplers, tubes, pool },
    }
}
