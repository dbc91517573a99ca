//! So many more units with their people are the city whose file has so many more.

use proptest::prelude::*;

use super::*;
use crate::planner::fluid;
use crate::planner::model::{HOUR, Model};
use crate::planner::round::Round;
use crate::planner::rules::{units_working, with_units};
use crate::planner::simulate::{Scratch, Simulation, Start};

/// A lab's shifts: of so many hours each, one after the other from a time of day on, with so many percent of the units.
fn shifts(from: u64, parts: &[(u64, u64)]) -> Vec<Shift> {
    let mut at = from * 3600;
    let shift = |&(hours, percent): &(u64, u64)| {
        let from_s = at % 86_400;
        at += hours * 3600;
        Shift {
            from_s,
            to_s: if at.is_multiple_of(86_400) { 86_400 } else { at % 86_400 },
            percent,
        }
    };
    parts.iter().map(shift).collect()
}

/// The city with so many units at a stage of its lab, and the people on the roll whom they take by the words of the file: in each
/// shift a team for each unit that it mans.
fn written(city: &City, kind: StageKind, units: u64) -> City {
    let mut city = city.clone();
    let lab = &mut city.labs[0];
    let teams: u64 = match lab.shifts.as_slice() {
        [] => units * city.norm.shifts.value,
        shifts => shifts.iter().map(|shift| (units * shift.percent).div_ceil(100)).sum(),
    };
    let stage = &mut lab.stages[kind.index()];
    (stage.units, stage.staff) = (units, teams * stage.crew);
    city
}

fn model(city: &City) -> Model {
    Round::of(city).expect("a round").model
}

/// The model with so many units at a stage in place of those that are there.
fn changed(model: &Model, kind: StageKind, units: u64) -> Model {
    let mut model = model.clone();
    model.labs[0].stages[kind.index()].set_units(units as u32);
    model
}

fn simulated(model: &Model) -> u32 {
    let start = Start::whole(model);
    Simulation::new(model, &start).run(7, 0, &mut Scratch::default()).finish
}

fn town(shifts: Vec<Shift>, instruments: Option<InstrumentDay>) -> City {
    let mut l = lab("L", &["D"], 12);
    (l.shifts, l.instrument_day) = (shifts, instruments);
    let mut city = city(vec![district("D", 8000, 60)], vec![l]);
    for kind in StageKind::ALL {
        city = written(&city, kind, 12);
    }
    city
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn more_or_fewer_units_with_their_people_are_the_file_that_has_them(
        from in 0u64..24,
        parts in prop::collection::vec((1u64..=8, 1u64..=100), 0..4),
        instruments in prop::option::of((0u64..24, 6u64..24, any::<bool>())),
        stage in 0usize..StageKind::COUNT,
        units in 1u64..12,
        then in 1u64..24,
        spare in 0u64..9,
    ) {
        let end = |hour: u64| if hour.is_multiple_of(24) { 86_400 } else { hour % 24 * 3600 };
        let day = instruments.map(|(at, hours, window)| match window {
            true => InstrumentDay::Window { from_s: at * 3600, to_s: end(at + hours) },
            false => InstrumentDay::Staggered { hours },
        });
        let kind = StageKind::ALL[stage];
        let now = written(&town(shifts(from, &parts), day), kind, units);
        let file = written(&now, kind, then);
        prop_assert_eq!(&with_units(&now, 0, kind, then as i64 - units as i64), &file);
        let [now_model, file_model] = [&now, &file].map(model);
        let asked = changed(&now_model, kind, then);
        prop_assert_eq!(&asked, &file_model);
        prop_assert_eq!(fluid::city(&asked).finish, fluid::city(&file_model).finish);
        prop_assert_eq!(simulated(&asked), simulated(&file_model));
        // With units that stand idle for want of people, and people too few for one: as many more work as are asked for.
        let mut idle = now.clone();
        let of = &mut idle.labs[0].stages[stage];
        (of.units, of.staff) = (units + 3, of.staff + spare);
        let working = |city: &City| units_working(&city.labs[0], city.labs[0].stage(kind), &city.norm);
        let more = then as i64 - units as i64;
        let after = with_units(&idle, 0, kind, more);
        prop_assert_eq!(working(&after), working(&idle).saturating_add_signed(more));
        if working(&idle).saturating_add_signed(more) > 0 {
            prop_assert_eq!(changed(&model(&idle), kind, working(&after)), model(&after));
        }
    }
}

/// By day all, by night half: of four more cabinets two work at night.
#[test]
fn new_units_work_in_the_shift_that_mans_a_part() {
    let city = written(&town(shifts(6, &[(12, 100), (12, 50)]), None), StageKind::Decap, 4);
    let more = with_units(&city, 0, StageKind::Decap, 4);
    let at_night = |model: &Model| {
        let stage = &model.labs[0].stages[StageKind::Decap.index()];
        (0..stage.units).filter(|&unit| stage.rested(unit, 0, 22 * HOUR) == 0).count()
    };
    let [before, file] = [&city, &more].map(model);
    assert_eq!([at_night(&before), at_night(&file)], [2, 4]);
    assert_eq!(at_night(&changed(&before, StageKind::Decap, 8)), 4);
}
