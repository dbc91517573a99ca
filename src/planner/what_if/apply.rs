//! A change made to a city.

use super::{Alter, Altered, At};
use crate::planner::city::{City, Fleet, Have, InstrumentDay, Lab, Shift};
use crate::planner::field_more::{Crew, FieldItem, with_desks};

/// Longest shift that is made for shift hours.
const SHIFT_HOURS_MAX: u64 = 8;
const HOUR_S: u64 = 3600;
const DAY_S: u64 = 24 * HOUR_S;

impl Altered {
    /// Makes a change that can be made.
    pub(super) fn make(&mut self, change: &Alter) {
        let city = &mut self.city;
        match *change {
            Alter::Field { at, item, more } => self.field(at, item, more),
            Alter::Staff { lab, stage, more } => {
                if let Some(lab) = city.labs.get_mut(lab) {
                    let stage = &mut lab.stages[stage.index()];
                    stage.staff = stage.staff.saturating_add_signed(more);
                }
            }
            Alter::Pool { at, persons } => pool(city, at, persons),
            Alter::Prevalence { share } => {
                let prior = &mut city.norm.prevalence;
                // As sure as before: the prior counts as many people.
                let both = (prior.alpha_milli.value + prior.beta_milli.value) as f64;
                // A thousandth of a person does not tell rare from very rare.
                let both = both.max((1.0 / share.clamp(1e-9, 1.0)).ceil() * 1000.0);
                let alpha = ((both * share).round() as u64).max(1);
                prior.alpha_milli.value = alpha;
                prior.beta_milli.value = (both as u64).saturating_sub(alpha).max(1);
            }
            Alter::Turnout { permille } => city.norm.field.coverage_permille.value = permille,
            Alter::SamplingHours { hours } => {
                city.norm.sampling_hours.value = hours;
                // Asked of the whole city: districts with shifts of their own keep these hours, too.
                city.districts.iter_mut().for_each(|district| district.sampling = None);
            }
            Alter::ShiftHours { lab, hours } => {
                let start = city.start_s;
                let shifts = |lab: &mut Lab| {
                    let from = lab.shifts.first().map_or(start, |shift| shift.from_s) % DAY_S;
                    lab.shifts = shifts(from, hours);
                };
                labs(city, lab).for_each(shifts);
            }
            Alter::InstrumentHours { lab, hours } => {
                let day = InstrumentDay::Staggered { hours };
                labs(city, lab).for_each(|lab| lab.instrument_day = Some(day));
            }
        }
    }

    fn field(&mut self, at: At, item: FieldItem, more: i64) {
        let city = &mut self.city;
        let number = match at {
            At::City => return,
            At::District(district) | At::Street(district, _) => district,
        };
        if item == FieldItem::Vehicle
            && let At::Street(_, street) = at
            && !city.districts[number].streets.is_empty()
        {
            let before: usize =
                city.districts[..number].iter().map(|d| d.streets.len().max(1)).sum();
            let more = i32::try_from(more).unwrap_or(i32::MAX);
            self.vehicles.push((before + street, more));
            return;
        }
        if item == FieldItem::Vehicle {
            let fleet = city.fleet_of(&city.districts[number]);
            let vehicles = fleet.vehicles.saturating_add_signed(more);
            city.districts[number].fleet = Some(Fleet { vehicles, ..fleet });
            return;
        }
        let norm = city.norm.clone();
        let hours = city.sampling_of(&city.districts[number]).0 / HOUR_S;
        let crew = |have: &mut Have| {
            let then = match item {
                FieldItem::Desk => with_desks(&norm, hours, of(have), more),
                _ => [have.desks, have.samplers.saturating_add_signed(more), have.registrars],
            };
            [have.desks, have.samplers, have.registrars] = then;
        };
        match at {
            At::Street(_, street) if !city.districts[number].streets.is_empty() => {
                let mut streets = city.streets_of(&city.districts[number]);
                if let Some(have) = streets[street].have.as_mut() {
                    crew(have);
                }
                let district = &mut city.districts[number];
                let sum = |of: fn(&Have) -> u64| {
                    streets.iter().filter_map(|s| s.have.as_ref()).map(of).sum::<u64>()
                };
                district.have.desks = sum(|have| have.desks);
                district.have.samplers = sum(|have| have.samplers);
                district.have.registrars = sum(|have| have.registrars);
                district.streets = streets;
            }
            _ => crew(&mut city.districts[number].have),
        }
    }
}

fn of(have: &Have) -> Crew {
    [have.desks, have.samplers, have.registrars]
}

fn labs(city: &mut City, lab: Option<usize>) -> impl Iterator<Item = &mut Lab> {
    let all = city.labs.iter_mut().enumerate();
    all.filter(move |(i, _)| lab.is_none_or(|lab| lab == *i)).map(|(_, lab)| lab)
}

fn pool(city: &mut City, at: At, persons: u64) {
    for (d, district) in city.districts.iter_mut().enumerate() {
        let whole = match at {
            At::City => true,
            At::District(number) => number == d,
            At::Street(number, _) => number == d && district.streets.is_empty(),
        };
        if whole {
            district.pool = Some(persons);
        }
        for (s, street) in district.streets.iter_mut().enumerate() {
            if whole || at == At::Street(d, s) {
                street.pool = Some(persons);
            }
        }
    }
    if at == At::City {
        city.norm.pool.value = persons;
    }
}

/// Shifts of equal length, eight hours at most, that fill so many hours from a second of the day on and man every unit.
fn shifts(from_s: u64, hours: u64) -> Vec<Shift> {
    let n = hours.div_ceil(SHIFT_HOURS_MAX).max(1);
    let edge = |k: u64| from_s + hours * HOUR_S * k / n;
    (0..n).map(|k| Shift::of_all(edge(k), edge(k + 1) - edge(k))).collect()
}
