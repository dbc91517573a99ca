//! What the lines of shifts, teams, vehicles and trips rest on: constants of the norm pack, and what a district states in
//! their place.

use std::collections::BTreeSet;

use super::crews::CrewItem;
use super::lines::Needed;
use super::plan::Plan;
use crate::planner::city::{City, Constant, District, Lab, Origin, Words};

/// The constants that any line of the plan rests on: those of the norm pack in its order, then those of the districts, in
/// theirs.
pub fn crew_constants<'c>(city: &'c City, plan: &Plan) -> Vec<Constant<'c>> {
    let used: BTreeSet<&str> =
        plan.crews.iter().flat_map(|line| &line.rests_on).map(String::as_str).collect();
    let all = city.norm.constants().into_iter().chain(city.districts.iter().flat_map(stated));
    all.filter(|constant| used.contains(constant.key.as_str())).collect()
}

/// What a district states in the place of the norm pack's constants.
fn stated(district: &District) -> Vec<Constant<'_>> {
    let one =
        |key: &str, (zh, en): (&str, &str), value: u64, unit: (&str, &str), origin| Constant {
            key: own(district, key),
            title: Words::new(
                format!("{}：{zh}", district.name.zh),
                format!("{}: {en}", district.name.en),
            ),
            value: value.to_string(),
            unit: Words::new(unit.0, unit.1),
            origin,
        };
    let mut all: Vec<Constant<'_>> = Vec::new();
    if let Some(sampling) = &district.sampling {
        let origin: &Origin = &sampling.origin;
        let of_day = ("每日采样班次", "sampling shifts a day");
        all.push(one("sampling.shifts", of_day, sampling.shifts, ("班", "shifts"), origin));
        let each = ("每班小时数", "hours of a sampling shift");
        all.push(one("sampling.hours", each, sampling.hours, ("小时", "h"), origin));
    }
    if let Some(fleet) = &district.fleet {
        let holds = ("每车管数", "tubes of one trip");
        let origin = &fleet.origin;
        all.push(one("fleet.capacity_tubes", holds, fleet.capacity_tubes, ("管", "tubes"), origin));
        let trips = ("每车每日趟次", "trips of a vehicle and day");
        let stated = fleet
            .trips_per_day
            .map(|n| one("fleet.trips_per_day", trips, n, ("趟", "trips"), origin));
        all.extend(stated);
    }
    all
}

/// Key of a number that a district states.
fn own(district: &District, key: &str) -> String {
    format!("district[{}].{key}", district.code)
}

/// Keys of what the need of a line rests on.
pub(super) fn rests_on(
    city: &City,
    district: &District,
    need: &Needed,
    item: CrewItem,
) -> Vec<String> {
    let norm = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
    let own = |keys: &[&str]| keys.iter().map(|key| own(district, key)).collect::<Vec<_>>();
    let (rate, desks) = ("persons_per_desk_hour", need.desks_rest_on());
    let mut keys = match item {
        CrewItem::Shifts | CrewItem::Teams => norm(&[desks, rate]),
        CrewItem::DeskShifts => norm(&[rate]),
        CrewItem::Samplers => norm(&[need.samplers_rest_on(), desks, rate]),
        CrewItem::Registrars => norm(&["registrars_per_desk", desks, rate]),
        CrewItem::Vehicles | CrewItem::Trips => {
            norm(&["box_minutes", "transport.handling_minutes", "transport.travel_minutes"])
        }
    };
    keys.extend(match (&district.sampling, item) {
        (Some(_), _) => own(&["sampling.shifts", "sampling.hours"]),
        (None, CrewItem::Vehicles | CrewItem::Trips) => norm(&["sampling_hours_per_day"]),
        (None, _) => norm(&["shifts", "staff_hours_per_day", "sampling_hours_per_day"]),
    });
    if matches!(item, CrewItem::Vehicles | CrewItem::Trips) {
        keys.extend(match &district.fleet {
            None => norm(&["transport.vehicle_tubes"]),
            Some(fleet) => {
                let trips = fleet.trips_per_day.map(|_| "fleet.trips_per_day");
                own(&["fleet.capacity_tubes"].into_iter().chain(trips).collect::<Vec<_>>())
            }
        });
        if by_place(city, district) {
            keys.push("transport.speed_kmh".to_owned());
        }
    }
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Whether the way from it to a lab that serves it is reckoned from where both are.
fn by_place(city: &City, district: &District) -> bool {
    let known = |lab: &Lab| lab.place.is_some() && lab.serves.contains(&district.code);
    let places = district.streets.iter().map(|street| street.place).chain([district.place]);
    places.flatten().next().is_some() && city.labs.iter().any(known)
}
