//! The people that measures count on: a unit or a desk works only with them, and the flows and the simulation take it that it
//! works.

use super::layers::Layers;
use super::remedy::{Desks, More, Units};
use crate::planner::{self, City, DesksTake};

/// What it takes that units more work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct UnitsTake {
    /// Of them, those that stand there idle for want of people.
    pub idle: u64,
    /// The others: they are bought, hired or moved there.
    pub bought: u64,
    /// People on the roll, over all shifts.
    pub people: u64,
}

/// What units more at a stage of a lab take.
pub(super) fn of_units(city: &City, units: &Units) -> UnitsTake {
    let Some(lab) = city.labs.get(units.lab) else { return UnitsTake::default() };
    let more = u64::from(units.more);
    let (bought, people) = planner::more_takes(city, lab, units.stage, more);
    UnitsTake { idle: more.saturating_sub(bought), bought, people }
}

/// What the desks of each row take, in their order. Of a street that is divided among labs there are several rows: each has
/// what the street needs beyond those before it.
pub(super) fn of_desks(city: &City, layers: &Layers, desks: &[Desks]) -> Vec<DesksTake> {
    let mut before: Vec<(usize, u64)> = Vec::new();
    let source = |street: usize| layers.round.source.get(street).copied();
    let of_row = |desks: &Desks| {
        let (take, street) = (u64::from(desks.more), source(desks.street)?);
        let known = before.iter().position(|(other, _)| *other == street);
        let at = known.unwrap_or_else(|| {
            before.push((street, 0));
            before.len() - 1
        });
        let had = before[at].1;
        before[at].1 += take;
        let [had, then] = [had, had + take].map(|more| takes(city, layers, desks.street, more));
        Some(then.beyond(&had))
    };
    desks.iter().map(of_row).map(Option::unwrap_or_default).collect()
}

/// What so many desks more in a street of the round's model take.
fn takes(city: &City, layers: &Layers, street: usize, more: u64) -> DesksTake {
    let of = planner::sending::district(city, &layers.round, street).and_then(|district| {
        let code = &layers.round.streets.get(street)?.code;
        let own = city.streets_of(district).into_iter().find(|own| own.code == *code)?;
        let have = own.have.as_ref().unwrap_or(&district.have);
        let hours = city.sampling_of(district).0 / 3600;
        let have = [have.desks, have.samplers, have.registrars];
        Some(planner::more_desks_take(&city.norm, hours, have, more))
    });
    of.unwrap_or_default()
}

/// All people of a list of desks and units: samplers, registrars, people of labs.
pub(super) fn of_all(city: &City, layers: &Layers, more: &More) -> [u64; 3] {
    let desks = of_desks(city, layers, &more.desks);
    [
        desks.iter().map(|take| take.samplers).sum(),
        desks.iter().map(|take| take.registrars).sum(),
        more.units.iter().map(|units| of_units(city, units).people).sum(),
    ]
}

/// The city with all that is added and what it takes. Desks of a street go to its own people where the city file names them;
/// vehicles are their district's.
pub(super) fn carried_out(city: &City, layers: &Layers, more: &More) -> City {
    let mut with = city.clone();
    for units in &more.units {
        let take = of_units(city, units);
        if let Some(lab) = with.labs.get_mut(units.lab) {
            let stage = &mut lab.stages[units.stage.index()];
            stage.units = stage.units.saturating_add(take.bought);
            stage.staff = stage.staff.saturating_add(take.people);
        }
    }
    for (desks, take) in more.desks.iter().zip(of_desks(city, layers, &more.desks)) {
        let Some(of) = layers.round.streets.get(desks.street) else { continue };
        let Some(district) = with.districts.iter_mut().find(|d| d.code == of.district) else {
            continue;
        };
        let street = district.streets.iter_mut().find(|street| street.code == of.code);
        let own = street.and_then(|street| street.have.as_mut());
        let have = own.unwrap_or(&mut district.have);
        have.desks = have.desks.saturating_add(take.desks);
        have.samplers = have.samplers.saturating_add(take.samplers);
        have.registrars = have.registrars.saturating_add(take.registrars);
    }
    for vehicles in &more.vehicles {
        let Some(of) = layers.round.streets.get(vehicles.street) else { continue };
        let Some(at) = with.districts.iter().position(|d| d.code == of.district) else { continue };
        let mut fleet = with.fleet_of(&with.districts[at]);
        fleet.vehicles = fleet.vehicles.saturating_add(vehicles.more.into());
        with.districts[at].fleet = Some(fleet);
    }
    with
}
