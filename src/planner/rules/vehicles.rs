//! The vehicles of a district and its streets: how they drive, and which street has how many.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::chain::View;
use crate::planner::city::{City, District, Fleet, Street, largest_remainder, mul_div};
use crate::planner::reach;

/// What a street gives vehicles to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Driving {
    /// Its tubes.
    pub tubes: u64,
    /// Full loads that they are.
    pub loads: u64,
    /// Seconds from one departure of a vehicle to its next: there and back to the nearest lab within reach, or as many trips a day as
    /// the district states.
    pub cycle_s: u64,
}

/// What each street of a district gives its vehicles to do, in the order of `City::streets_of`.
pub(super) fn driving(city: &City, district: &District, fleet: &Fleet) -> Vec<Driving> {
    let transport = &city.norm.transport;
    let (day_s, _) = city.sampling_of(district);
    let at_least_s = fleet.trips_per_day.map_or(0, |trips| day_s / trips.max(1));
    let serving = reach::serving(city, district);
    let of_street = |street: &Street| {
        let labs = reach::labs(city, &serving, street);
        let way = labs.map(|lab| reach::way_s(city, street.place.as_ref(), &city.labs[lab])).min();
        let way_s = way.unwrap_or(transport.travel_s.value);
        let cycle_s = transport.handling_s.value.saturating_add(way_s.saturating_mul(2));
        let tubes = street.population.value.div_ceil(city.street_pool(district, street));
        Driving {
            tubes,
            loads: tubes.div_ceil(fleet.capacity_tubes.max(1)),
            cycle_s: cycle_s.max(at_least_s).max(1),
        }
    };
    city.streets_of(district).iter().map(of_street).collect()
}

impl Driving {
    /// Trips in so many seconds of sampling: full loads, and at least one for each box interval.
    pub fn trips(&self, city: &City, sampling_s: u64) -> u64 {
        self.loads.max(sampling_s.div_ceil(city.norm.box_s.value.max(1)))
    }
}

/// Vehicles of a district that are dealt one by one: of a larger fleet the rest goes by tubes.
const ONE_BY_ONE: u64 = 1 << 18;

/// Vehicles of each street, district by district in the order of `City::streets_of`: they add up to the district's, and a district
/// with fewer vehicles than streets is taken to have one for each.
pub fn vehicles_of_streets(city: &City) -> Vec<Vec<u64>> {
    let view = View::of(city, &[]);
    let target_s = u64::from(city.target_h) * 3600;
    let districts = city.districts.iter().enumerate();
    districts.map(|(i, district)| dealt(city, district, view.sampling_s(i, target_s))).collect()
}

/// Each street with tubes has one vehicle, and the next goes where it takes longest to bring all tubes; where that is within the
/// time of sampling everywhere, where fewest trips go for the box intervals, and then to most tubes. So no street has fewer than it
/// needs while another has more, and one vehicle more takes none from anywhere.
fn dealt(city: &City, district: &District, sampling_s: u64) -> Vec<u64> {
    let fleet = city.fleet_of(district);
    let streets = driving(city, district, &fleet);
    let mut dealt: Vec<u64> = streets.iter().map(|street| street.tubes.min(1)).collect();
    let given: u64 = dealt.iter().sum();
    let longest = |at: usize, vehicles: u64| {
        let of = streets[at];
        let each = (sampling_s / of.cycle_s).max(1);
        // How long so many trips take, where that is more than there is time for.
        let over = |trips: u64| match trips.div_ceil(vehicles) {
            rounds if rounds > each => rounds.saturating_mul(of.cycle_s),
            _ => 0,
        };
        let tubes = mul_div(of.tubes, of.cycle_s.saturating_mul(1000), vehicles);
        (over(of.loads), over(of.trips(city, sampling_s)), tubes, Reverse(at))
    };
    let mut order: BinaryHeap<_> =
        (0..streets.len()).filter(|&at| dealt[at] > 0).map(|at| longest(at, 1)).collect();
    let left = fleet.vehicles.saturating_sub(given);
    for _ in 0..left.min(ONE_BY_ONE) {
        let Some((.., Reverse(at))) = order.pop() else { break };
        dealt[at] += 1;
        order.push(longest(at, dealt[at]));
    }
    let tubes: Vec<u64> = streets.iter().map(|street| street.tubes).collect();
    let rest = largest_remainder(&tubes, left.saturating_sub(ONE_BY_ONE));
    dealt.iter().zip(rest).map(|(one, other)| one.saturating_add(other)).collect()
}
