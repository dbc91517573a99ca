//! Where a street of a round could send to: the way to any lab, and a street that sends to another one.

use super::city::{City, District};
use super::model::{MINUTE, Ms};
use super::round::Round;

/// The district of a street of the round's model.
pub fn district<'c>(city: &'c City, round: &Round, street: usize) -> Option<&'c District> {
    let code = &round.streets.get(street)?.district;
    city.districts.iter().find(|d| d.code == *code)
}

/// Time on the road from a street of the round's model to a lab of the city, ms: by its own place or its district's, the
/// norm's median where no place is known, and never below it, as in the round itself.
pub fn way(city: &City, round: &Round, street: usize, lab: usize) -> Ms {
    let transport = &city.norm.transport;
    let place = district(city, round, street).and_then(|district| {
        let own = round.streets.get(street)?;
        let street = district.streets.iter().find(|s| s.code == own.code);
        street.and_then(|s| s.place).or(district.place)
    });
    let there = city.labs.get(lab).and_then(|lab| lab.place.as_ref());
    let seconds = transport.way_s(place.as_ref(), there);
    let ms = Ms::try_from(seconds.max(transport.travel_s.value).saturating_mul(1000));
    let max = round.model.streets.get(street).map_or(MINUTE, |s| s.travel_max);
    ms.unwrap_or(max).clamp(MINUTE, max)
}

/// Lets a street, by its number in the round's problem, send all its tubes to one lab.
pub fn send(city: &City, round: &mut Round, street: usize, lab: usize) {
    for i in 0..round.model.streets.len() {
        if round.source.get(i) == Some(&street) {
            let travel = way(city, round, i, lab);
            let part = &mut round.model.streets[i];
            (part.lab, part.travel) = (lab, travel);
        }
    }
}
