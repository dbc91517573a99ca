//! Shifts, teams, vehicles and trips of the districts, and what they rest on, as messages.

use super::words::some;
use crate::api::limits::CREWS_TOLD_MAX;
use crate::api::pb;
use crate::planner::{City, Constant, CrewItem, CrewLine, Plan, Status, crew_constants};

/// The lines, as many as are told, and the number of all.
pub fn lines(plan: &Plan) -> (Vec<pb::PlanCrew>, u32) {
    let told = plan.crews.iter().take(CREWS_TOLD_MAX).map(line);
    (told.collect(), u32::try_from(plan.crews.len()).unwrap_or(u32::MAX))
}

/// The constants that any of the lines rests on: the norm pack's, then those that districts state.
pub fn rest_on(city: &City, plan: &Plan) -> Vec<pb::PlanConstant> {
    let told = |constant: Constant<'_>| pb::PlanConstant {
        title: some(&constant.title),
        unit: some(&constant.unit),
        status: status(constant.origin.status).into(),
        source: constant.origin.source.in_one(),
        key: constant.key,
        value: constant.value,
    };
    crew_constants(city, plan).into_iter().map(told).collect()
}

fn line(line: &CrewLine) -> pb::PlanCrew {
    pb::PlanCrew {
        district: line.place.clone(),
        district_name: some(&line.place_name),
        item: item(line.item).into(),
        item_name: some(&line.item.name()),
        need: line.need,
        need_is_least: line.need_is_least,
        have: line.have,
        short: line.short,
        unit: some(&line.item.unit()),
        mend: some(&line.item.mend()),
        support: line.support,
        have_status: status(line.have_origin.status).into(),
        have_source: line.have_origin.source.in_one(),
        rests_on: line.rests_on.clone(),
    }
}

fn item(item: CrewItem) -> pb::PlanCrewItem {
    match item {
        CrewItem::Shifts => pb::PlanCrewItem::Shifts,
        CrewItem::DeskShifts => pb::PlanCrewItem::DeskShifts,
        CrewItem::Samplers => pb::PlanCrewItem::Samplers,
        CrewItem::Registrars => pb::PlanCrewItem::Registrars,
        CrewItem::Teams => pb::PlanCrewItem::Teams,
        CrewItem::Vehicles => pb::PlanCrewItem::Vehicles,
        CrewItem::Trips => pb::PlanCrewItem::Trips,
    }
}

/// How far a number can be trusted.
pub fn status(status: Status) -> pb::PlanStatus {
    match status {
        Status::Norm => pb::PlanStatus::Norm,
        Status::Measured => pb::PlanStatus::Measured,
        Status::Sourced => pb::PlanStatus::Sourced,
        Status::Secondary => pb::PlanStatus::Secondary,
        Status::Calculated => pb::PlanStatus::Calculated,
        Status::Assumed => pb::PlanStatus::Assumed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecaster::CityPlan;
    use crate::planner::solve;

    #[test]
    fn every_line_is_told_as_the_planner_has_it_and_what_it_rests_on_stands_beside_it() {
        let city = CityPlan::builtin("chifeng").city;
        let plan = solve(&city, 24);
        let ((told, total), constants) = (lines(&plan), rest_on(&city, &plan));
        assert_eq!((told.len(), total as usize), (plan.crews.len(), plan.crews.len()));
        let (mut items, mut keys) = (Vec::new(), Vec::new());
        for (told, line) in told.iter().zip(&plan.crews) {
            assert_eq!((&told.district, told.item()), (&line.place, item(line.item)));
            assert_eq!(told.item_name.as_ref().unwrap().en, line.item.name().en);
            let numbers = [told.need, told.have, told.short, told.support];
            assert_eq!(numbers, [line.need, line.have, line.short, line.support]);
            assert_eq!(told.need_is_least, line.need_is_least);
            let word = told.have_status().as_str_name().trim_start_matches("PLAN_STATUS_");
            assert_eq!(word.to_lowercase(), line.have_origin.status.word());
            assert_eq!(told.have_source, line.have_origin.source.in_one());
            keys.extend(told.rests_on.iter().cloned());
            items.push(told.item());
        }
        items.sort_unstable();
        items.dedup();
        assert_eq!(items.len(), CrewItem::ALL.len(), "each item is told as itself");
        keys.sort_unstable();
        keys.dedup();
        let mut told: Vec<String> = constants.iter().map(|one| one.key.clone()).collect();
        told.sort_unstable();
        assert_eq!(told, keys, "every constant, each once");
        assert!(constants.iter().all(|one| !one.value.is_empty() && one.status != 0));
    }
}
