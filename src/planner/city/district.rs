//! Districts and streets, and the people, places and vehicles that they have.

use super::place::Place;
use super::sourced::{Origin, Sourced};
use super::stock::Stock;
use super::words::Words;

/// A district (区, 旗, 县).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct District {
    /// Administrative code, unique in the city.
    pub code: String,
    /// Name.
    pub name: Words,
    /// Resident persons.
    pub population: Sourced<u64>,
    /// Persons per tube here; `None` takes the zone's, then the norm's.
    pub pool: Option<u64>,
    /// Its status and source, where the city file states them.
    pub pool_origin: Option<Origin>,
    /// Key of the zone of the norm pack in which it lies.
    pub zone: Option<String>,
    /// Where it is; of the same origin as `population`.
    pub place: Option<Place>,
    /// People and places at hand.
    pub have: Have,
    /// Goods at hand. A central store is entered under the districts by its allotment.
    pub stock: Stock,
    /// Vehicles for tubes; `None` takes the norm's, see `City::fleet_of`.
    pub fleet: Option<Fleet>,
    /// Shifts of its sampling teams; `None` takes the norm's, see `City::sampling_of`.
    pub sampling: Option<Sampling>,
    /// Its streets, in file order; empty = the district is one street. Their persons add up to the district's.
    pub streets: Vec<Street>,
}

/// A street, town or township (街道, 镇, 乡).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Street {
    /// Code, unique in the city.
    pub code: String,
    /// Name.
    pub name: Words,
    /// Resident persons.
    pub population: Sourced<u64>,
    /// People and places at hand; given for all streets of a district or for none.
    pub have: Option<Have>,
    /// Persons per tube here; `None` takes the zone's, then the district's.
    pub pool: Option<u64>,
    /// Its status and source, where the city file states them.
    pub pool_origin: Option<Origin>,
    /// Key of the zone of the norm pack in which it lies.
    pub zone: Option<String>,
    /// Where it is; of the same origin as `population`.
    pub place: Option<Place>,
}

/// Vehicles for tubes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fleet {
    /// Vehicles; at least 1.
    pub vehicles: u64,
    /// Tubes that one vehicle carries at most; at least 1.
    pub capacity_tubes: u64,
    /// Trips that one vehicle makes at most in a day of sampling, evenly over it; `None`: as many as the way allows.
    pub trips_per_day: Option<u64>,
    /// Where the numbers come from.
    pub origin: Origin,
}

/// When sampling teams work: shift after shift, from the beginning of the round and each day from then on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sampling {
    /// Shifts of a day; at least 1.
    pub shifts: u64,
    /// Hours of one shift; all shifts of a day are at most 24.
    pub hours: u64,
    /// Where the two numbers come from.
    pub origin: Origin,
}

impl Sampling {
    /// Seconds of a day in which people can be sampled.
    pub fn day_s(&self) -> u64 {
        self.shifts.saturating_mul(self.hours).clamp(1, 24) * 3600
    }

    /// Seconds of one shift.
    pub fn shift_s(&self) -> u64 {
        self.hours.clamp(1, 24) * 3600
    }
}

/// People and places that a district has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Have {
    /// Collection sites.
    pub sites: u64,
    /// Collection desks, over all sites.
    pub desks: u64,
    /// Samplers (采样人员).
    pub samplers: u64,
    /// Registrars (信息登记人员).
    pub registrars: u64,
    /// Where the four numbers come from.
    pub origin: Origin,
}
