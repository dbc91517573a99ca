//! The streets of a city as the model has them, before it is known where each sends.

use super::StreetOf;
use super::units::{count, ms, permille};
use crate::planner::assign;
use crate::planner::city::{City, Norm};
use crate::planner::lacking::Asked;
use crate::planner::model::{HOUR, MINUTE, Street};
use crate::planner::{reach, rules};

/// A street before it is known where it sends.
pub(super) struct Source {
    pub of: StreetOf,
    pub model: Street,
    pub ways: Vec<assign::Way>,
    /// Number of its district.
    pub district: usize,
    /// Its desks, samplers and registrars.
    pub have: [u64; 3],
}

impl Source {
    pub fn asked(&self) -> Asked<'_> {
        Asked {
            district: self.district,
            code: &self.of.code,
            name: &self.of.name,
            have: [self.have[0], self.have[1]],
            labs: self.ways.iter().map(|way| way.lab).collect(),
        }
    }
}

/// Desks that work with so many samplers, so many hours a day, and the persons an hour of each: no more than its samplers can for a
/// whole day. Of a
/// street without samplers nothing is reckoned (`lacking`), unless nobody lives there.
pub(in crate::planner) fn staffed(
    norm: &Norm,
    hours: u64,
    desks: u64,
    samplers: u64,
) -> (u32, f64) {
    let working = desks.min(samplers);
    let desk = norm.desk_rate_tenths.value as f64 / 10.0;
    // What the samplers can do in a day, spread over the hours of the day.
    let able = samplers as f64 * norm.persons_per_sampler_day.value as f64
        / (working.max(1) as f64 * hours as f64);
    (count(working), if able > 0.0 { desk.min(able) } else { desk })
}

pub(super) fn sources(city: &City) -> Vec<Source> {
    let norm = &city.norm;
    let mut all = Vec::new();
    let vehicles = rules::vehicles_of_streets(city);
    for (at, district) in city.districts.iter().enumerate() {
        let fleet = city.fleet_of(district);
        let (day_s, _) = city.sampling_of(district);
        let round_trip_s = fleet.trips_per_day.map_or(0, |trips| day_s / trips.max(1));
        let streets = city.streets_of(district);
        let serving = reach::serving(city, district);
        for (street, &vehicles) in streets.iter().zip(&vehicles[at]) {
            let have = street.have.as_ref().unwrap_or(&district.have);
            let hours = day_s / 3600;
            let (desks, desk_rate) = staffed(norm, hours, have.desks, have.samplers);
            let persons =
                street.population.value.saturating_mul(norm.field.coverage_permille.value) / 1000;
            let model = Street {
                persons: count(persons),
                pool: count(city.street_pool(district, street)),
                desks,
                desk_rate,
                desk_spread: permille(norm.field.desk_spread_permille.value),
                open: 0,
                hours: count(hours) * HOUR,
                ramp: ms(norm.field.ramp_s.value),
                ramp_speed: norm.field.ramp_percent.value as f64 / 100.0,
                late_share: permille(norm.field.straggler_permille.value),
                late_mean: ms(norm.field.straggler_tail_s.value),
                // A vehicle that takes less than a full box gets smaller boxes.
                box_tubes: count(norm.field.box_tubes.value.min(fleet.capacity_tubes).max(1)),
                box_time: ms(norm.box_s.value).max(MINUTE),
                vehicles: count(vehicles.max(1)),
                vehicle_tubes: count(fleet.capacity_tubes.max(1)),
                trip_hold: ms(norm.transport.hold_s.value),
                handling: ms(norm.transport.handling_s.value),
                travel: ms(norm.transport.travel_s.value),
                travel_spread: permille(norm.transport.travel_spread_permille.value),
                travel_max: ms(norm.transport_s.value).max(MINUTE),
                round_trip_min: ms(round_trip_s),
                lab: 0,
                part_of: u32::try_from(all.len()).ok(),
            };
            let of = StreetOf {
                district: district.code.clone(),
                code: street.code.clone(),
                name: street.name.clone(),
            };
            let ways = reach::labs(city, &serving, street)
                .map(|lab| {
                    let seconds = reach::way_s(city, street.place.as_ref(), &city.labs[lab]);
                    let km = match (&street.place, &city.labs[lab].place) {
                        (Some(a), Some(b)) => a.metres_to(b) as f64 / 1000.0,
                        _ => 0.0,
                    };
                    assign::Way { lab, minutes: seconds as f64 / 60.0, km }
                })
                .collect();
            let have = [have.desks, have.samplers, have.registrars];
            all.push(Source { of, model, ways, district: at, have });
        }
    }
    all
}
