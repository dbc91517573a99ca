//! Where the vehicles of a street, not the lab, decide when its last tubes come: since when, and how many would be enough.

use super::street::{Carried, carried, last_at_door, latest_of, wait_for_vehicle};
use crate::planner::model::{HOUR, Lab, Model, Ms, Street};

use super::way::{later, pipeline};

/// Tubes that wait so much longer than they must for a vehicle wait for want of one, ms.
const WAIT_MAX: f64 = 0.5 * HOUR as f64;

/// What keeps the last tubes of a lab from coming sooner, where that is the vehicles of a street.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transport {
    /// Number of the street in the model: the one whose last tube comes last.
    pub street: usize,
    /// Its number among all streets of its city, where it is of one.
    pub source: Option<u32>,
    /// Since when, up to its end, more waits there than its vehicles take; none where they only are away too long.
    pub since: Option<Ms>,
    /// Vehicles that it has.
    pub vehicles: u32,
    /// Vehicles by which the target is met as far as they go, or where it is met, or where no number does that, by which its
    /// tubes wait for none.
    pub needed: u32,
    /// Whether with as many the last tube comes early enough for the target.
    pub in_time: bool,
    /// Streets of the lab, this one among them, whose tubes wait for vehicles.
    pub streets: usize,
}

/// Whether the last tubes of a street wait for want of a vehicle.
pub(super) fn waits(street: &Street, of: &Carried) -> bool {
    wait_for_vehicle(street, of) > WAIT_MAX
}

/// Whether the last tubes of a street wait for want of a vehicle, and not for their swab.
pub fn short_of_vehicles(street: &Street) -> bool {
    street.persons > 0 && waits(street, &carried(street, &mut |_, _, _| {}))
}

/// Vehicles of a street with which no tube waits for want of one; never fewer than it has.
pub fn vehicles_enough(street: &Street) -> u32 {
    least(street, |with| !short_of_vehicles(with))
}

/// The same, or fewer where its last tube is then at the door by a time, `road` standard deviations late on the road.
fn vehicles_by(street: &Street, by: Ms, road: f64) -> u32 {
    least(street, |with| {
        let of = carried(with, &mut |_, _, _| {});
        !waits(with, &of) || last_at_door(with, &of, road) <= by
    })
}

/// The least number of vehicles that is enough.
fn least(street: &Street, enough: impl Fn(&Street) -> bool) -> u32 {
    let with = |vehicles| Street { vehicles, ..*street };
    let now = street.vehicles.max(1);
    if enough(&with(now)) {
        return now;
    }
    // Not enough at `below`; twice as many each time up to the first that is.
    let (mut below, mut above) = (now, now.saturating_mul(2));
    while !enough(&with(above)) {
        if above >= MANY {
            return above;
        }
        (below, above) = (above, above.saturating_mul(2));
    }
    while above - below > 1 {
        let middle = below + (above - below) / 2;
        if enough(&with(middle)) { above = middle } else { below = middle }
    }
    above
}

/// A number of vehicles that is as good as any.
const MANY: u32 = 1 << 20;

/// What the vehicles of a lab's streets do to its last tube. `list` are its streets, `of` how each is carried.
pub(super) fn transport(
    model: &Model,
    lab: &Lab,
    list: &[usize],
    of: &[Carried],
) -> Option<Transport> {
    let road = latest_of(list.len());
    let at = |k: usize| last_at_door(&model.streets[list[k]], &of[k], road);
    let waits = |k: &usize| {
        let street = &model.streets[list[*k]];
        street.persons > 0 && waits(street, &of[*k])
    };
    let last =
        (0..list.len()).filter(|k| model.streets[list[*k]].persons > 0).max_by_key(|k| at(*k))?;
    if !waits(&last) {
        return None;
    }
    let street = &model.streets[list[last]];
    let (chain, target) = (pipeline(lab), model.target);
    let late = later(at(last), chain) > target;
    let needed = match late {
        true => vehicles_by(street, target.saturating_sub(chain), road),
        false => vehicles_enough(street),
    };
    let with = Street { vehicles: needed, ..*street };
    let then = last_at_door(&with, &carried(&with, &mut |_, _, _| {}), road);
    Some(Transport {
        street: list[last],
        source: street.part_of,
        since: of[last].since.map(|since| since as Ms),
        vehicles: street.vehicles,
        needed,
        in_time: later(then, chain) <= target,
        streets: (0..list.len()).filter(waits).count(),
    })
}
