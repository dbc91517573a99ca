//! The problem: a city, its districts, streets and what they have, its labs stage by stage, its stock.

mod constants;
mod diff;
mod district;
mod given;
mod head;
mod lab;
mod leaves;
mod norm;
mod parts;
mod place;
mod scale;
mod sourced;
mod stock;
mod words;
mod written;

pub use constants::Constant;
pub use diff::{Change, ChangeKind, approval_doubt, by_the_pack, diff, version_doubt};
pub use district::{District, Fleet, Have, Sampling, Street};
pub use given::{Given, TargetFrom};
pub use head::PlanHead;
pub use lab::{InstrumentDay, Lab, LabStage, Shift, manned};
pub use norm::{Clock, Norm, StageKind, StageNorm};
pub(in crate::planner) use norm::{mul_div, mul_div_ceil};
pub use parts::{
    DerateNorm, FieldNorm, LargeCity, PrevalenceNorm, RecallNorm, TransportNorm, ZoneNorm,
};
pub use place::Place;
pub use sourced::{Origin, Sourced, Status};
pub use stock::{Article, Holding, Ledger, Owner, Stock};
pub use words::{Words, grouped, time_of_day};
pub use written::Written;

use std::borrow::Cow;

use super::rules::Claim;
pub(in crate::planner) use scale::largest_remainder;

/// A whole city: what `solve` reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct City {
    /// Administrative code.
    pub code: String,
    /// Name.
    pub name: Words,
    /// Resident persons; equals the sum of the districts.
    pub population: Sourced<u64>,
    /// Hours in which the whole city is to be done.
    pub target_h: u32,
    /// Where they come from.
    pub target_from: TargetFrom,
    /// Their status and source, where the city file states them.
    pub target_origin: Option<Origin>,
    /// Date by which goods must be there, as the notice words it.
    pub deadline: Option<String>,
    /// Version and approval of this plan.
    pub plan: PlanHead,
    /// Second of the day at which the round starts.
    pub start_s: u64,
    /// Whether every street keeps to one lab (一一对应).
    pub one_to_one: bool,
    /// Longest way from a street to its lab, in seconds; `None` sets no limit.
    pub max_travel_s: Option<u64>,
    /// Its status and source, where the city file states them.
    pub max_travel_origin: Option<Origin>,
    /// The constants in force: the norm pack's, with what the city states of its own in their place.
    pub norm: Norm,
    /// Districts, in file order.
    pub districts: Vec<District>,
    /// Labs, in file order.
    pub labs: Vec<Lab>,
    /// Declared capacities that the report explains.
    pub claims: Vec<Claim>,
    /// The file it was read from; `None` for one that was made otherwise.
    pub written: Option<Written>,
}

impl City {
    /// Persons per tube in a district: its own number, else its zone's, else the norm's; never 0.
    pub fn pool_of(&self, district: &District) -> u64 {
        let zone = district.zone.as_deref().and_then(|key| self.norm.zone_pool(key));
        district.pool.or(zone).unwrap_or(self.norm.pool.value).max(1)
    }

    /// Persons per tube in a street: its own number, else its zone's, else the district's; never 0.
    pub fn street_pool(&self, district: &District, street: &Street) -> u64 {
        let zone = street.zone.as_deref().and_then(|key| self.norm.zone_pool(key));
        street.pool.or(zone).map_or_else(|| self.pool_of(district), |pool| pool.max(1))
    }

    /// Tubes of one round in a district: each street at its own pool size, rounded up, and summed.
    pub fn tubes_of(&self, district: &District) -> u64 {
        if district.streets.is_empty() {
            return district.population.value.div_ceil(self.pool_of(district));
        }
        let tubes = |s: &Street| s.population.value.div_ceil(self.street_pool(district, s));
        district.streets.iter().map(tubes).fold(0, u64::saturating_add)
    }

    /// The streets of a district with what each has: never empty, `have` always given, adding up to the district's.
    ///
    /// A district without streets is one street of its own code. Streets that do not say what they have, or say
    /// otherwise than the district (which `fill` may have raised), get their share by largest remainder.
    pub fn streets_of(&self, district: &District) -> Vec<Street> {
        let whole = &district.have;
        if district.streets.is_empty() {
            return vec![Street {
                code: district.code.clone(),
                name: district.name.clone(),
                population: district.population.clone(),
                have: Some(whole.clone()),
                pool: district.pool,
                pool_origin: district.pool_origin.clone(),
                zone: district.zone.clone(),
                place: district.place,
            }];
        }
        let deal = |of: fn(&Have) -> u64| {
            let own = |s: &Street| s.have.as_ref().map_or(0, of);
            let mut weights: Vec<u64> = district.streets.iter().map(own).collect();
            if weights.iter().all(|&w| w == 0) {
                weights = district.streets.iter().map(|s| s.population.value).collect();
            }
            largest_remainder(&weights, of(whole))
        };
        let (sites, desks) = (deal(|h| h.sites), deal(|h| h.desks));
        let (samplers, registrars) = (deal(|h| h.samplers), deal(|h| h.registrars));
        let mut streets = district.streets.clone();
        for (i, street) in streets.iter_mut().enumerate() {
            let origin = street.have.as_ref().map_or(&whole.origin, |h| &h.origin).clone();
            street.have = Some(Have {
                sites: sites[i],
                desks: desks[i],
                samplers: samplers[i],
                registrars: registrars[i],
                origin,
            });
            street.place = street.place.or(district.place);
        }
        streets
    }

    /// Seconds of a day in which people of a district can be sampled, and of one shift of its teams: its own, else the norm's
    /// sampling day and shifts as long as those of labs.
    pub fn sampling_of(&self, district: &District) -> (u64, u64) {
        match &district.sampling {
            Some(own) => (own.day_s(), own.shift_s()),
            None => {
                let shifts = self.norm.shifts.value.max(1);
                let shift_s = self.norm.staff_hours.value.min(24) * 3600 / shifts;
                (self.norm.sampling_hours.value.clamp(1, 24) * 3600, shift_s.max(1))
            }
        }
    }

    /// When people are at the staffed stages of a lab, in every layer; none = round the clock. A lab without shifts of its own has the
    /// norm's staffed day: all units, for so many hours from the time of day on at which the round starts.
    pub fn shifts_of<'l>(&self, lab: &'l Lab) -> Cow<'l, [Shift]> {
        let hours = self.norm.staff_hours.value;
        if !lab.shifts.is_empty() || hours >= 24 {
            return Cow::Borrowed(&lab.shifts);
        }
        Cow::Owned(vec![Shift::of_all(self.start_s, hours.max(1) * 3600)])
    }

    /// The vehicles of a district: its own, else the norm's for so many residents; at least one.
    pub fn fleet_of(&self, district: &District) -> Fleet {
        let norm = &self.norm.transport;
        let people = district.population.value;
        district.fleet.clone().unwrap_or_else(|| Fleet {
            vehicles: people.div_ceil(norm.persons_per_vehicle.value.max(1)).max(1),
            capacity_tubes: norm.vehicle_tubes.value.max(1),
            trips_per_day: None,
            origin: norm.persons_per_vehicle.origin.clone(),
        })
    }
}
