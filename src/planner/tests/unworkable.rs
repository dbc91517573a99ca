//! Models that cannot be reckoned are refused before anything is reckoned, each with what is wrong and where.

use crate::planner::city::StageKind;
use crate::planner::example;
use crate::planner::model::{DAY, Model, Unworkable};

#[test]
fn what_would_never_end_or_is_no_number_is_refused() {
    use Unworkable::{BadNumber, NoDesk, NoLab, NoUnit, NoVehicle};
    let bad = |field| BadNumber { field, at: 1 };
    let recall = BadNumber { field: "recall", at: 0 };
    let no_unit = |stage| NoUnit { lab: 1, stage };
    let pcr = StageKind::Pcr.index();
    type Change<'c> = &'c dyn Fn(&mut Model);
    let table: &[(Change, Unworkable)] = &[
        (&|m| m.streets[1].desks = 0, NoDesk { street: 1 }),
        (&|m| m.streets[1].vehicles = 0, NoVehicle { street: 1 }),
        (&|m| m.streets[1].vehicle_tubes = 0, NoVehicle { street: 1 }),
        (&|m| m.streets[1].lab = 2, NoLab { street: 1 }),
        (&|m| m.labs.clear(), NoLab { street: 0 }),
        (&|m| m.labs[1].stages[0].units = 0, no_unit(StageKind::Receive)),
        (&|m| m.labs[1].stages[pcr].units = 0, no_unit(StageKind::Pcr)),
        (&|m| m.labs[1].stages[pcr].batch = 0, no_unit(StageKind::Pcr)),
        (
            &|m| m.labs[1].stages[pcr].rests = vec![vec![(0, 2 * DAY)]; 30].into(),
            no_unit(StageKind::Pcr),
        ),
        (&|m| m.labs[1].stages[pcr].run_spread = f64::NAN, bad("run_spread")),
        (&|m| m.labs[1].stages[pcr].failures_per_day = f64::INFINITY, bad("run_spread")),
        (&|m| m.labs[1].stages[pcr].failures_per_day = -1.0, bad("run_spread")),
        (&|m| m.streets[1].desk_rate = f64::NAN, bad("desk_rate")),
        (&|m| m.streets[1].desk_rate = 0.0, bad("desk_rate")),
        (&|m| m.streets[1].desk_rate = -1.0, bad("desk_rate")),
        (&|m| m.streets[1].ramp_speed = 0.0, bad("ramp_speed")),
        (&|m| m.streets[1].ramp_speed = f64::NAN, bad("ramp_speed")),
        (&|m| m.streets[1].desk_spread = f64::NAN, bad("spread")),
        (&|m| m.streets[1].travel_spread = 4.0, bad("spread")),
        (&|m| m.streets[1].late_share = 1.5, bad("late_share")),
        (&|m| m.streets[1].late_share = f64::NAN, bad("late_share")),
        (&|m| m.streets[1].box_tubes = 0, bad("box")),
        (&|m| m.streets[1].box_time = 0, bad("box")),
        (&|m| m.streets[1].pool = 0, bad("box")),
        (&|m| m.recall.prevalence = f64::NAN, recall.clone()),
        (&|m| m.recall.cluster = 0.5, recall.clone()),
        (&|m| m.recall.correlation = -0.1, recall.clone()),
        (&|m| m.recall.delay_spread = f64::INFINITY, recall.clone()),
    ];
    for (row, (change, expected)) in table.iter().enumerate() {
        let mut model = example::city(2);
        // Street 1 sends to lab 0, and lab 1 has streets of its own.
        assert_eq!(model.check(), Ok(()));
        change(&mut model);
        assert_eq!(model.check().as_ref(), Err(expected), "row {row}");
    }
}

#[test]
fn what_takes_longer_than_the_horizon_is_refused_with_its_days() {
    let beyond = |change: &dyn Fn(&mut Model)| {
        let mut model = example::city(1);
        change(&mut model);
        match model.check() {
            Err(Unworkable::BeyondHorizon { days }) => days,
            other => panic!("{other:?}"),
        }
    };
    // 1,520 tubes at one desk of 11.87 an hour, 16 hours a day: 8 days; a tenth of the speed takes 80.
    assert_eq!(beyond(&|m| (m.streets[0].desks, m.streets[0].desk_rate) = (1, 11.87)), 81);
    // 24,960 tubes at one cycler of 94 that does eleven whole runs of 96.7 minutes in its 18 hours: 24.1 days.
    assert_eq!(beyond(&|m| m.labs[0].stages[StageKind::Pcr.index()] = slow(m)), 25);
}

#[test]
fn the_single_tubes_of_recalls_are_work_too() {
    let mut model = example::city(1);
    let pcr = StageKind::Pcr.index();
    model.labs[0].stages[pcr].units = 3;
    model.labs[0].stages[pcr].rests.truncate(3);
    assert_eq!(model.check(), Ok(()));
    // Ten people to a tube, nearly every pool unclean: eleven times the work.
    model.recall.prevalence = 0.3;
    assert!(matches!(model.check(), Err(Unworkable::BeyondHorizon { days: 50.. })));
}

fn slow(model: &Model) -> crate::planner::model::Stage {
    let mut stage = model.labs[0].stages[StageKind::Pcr.index()].clone();
    stage.units = 1;
    stage.rests.truncate(1);
    stage
}

#[test]
fn a_street_or_lab_with_nobody_needs_nothing() {
    let mut model = example::city(2);
    for street in model.streets.iter_mut().filter(|street| street.lab == 1) {
        (street.persons, street.desks, street.vehicles) = (0, 0, 0);
    }
    model.labs[1].stages.iter_mut().for_each(|stage| stage.units = 0);
    assert_eq!(model.check(), Ok(()));
    let flow = crate::planner::fluid::city(&model);
    assert_eq!((flow.labs[1].finish, flow.labs[1].tubes), (0, 0));
    use crate::planner::simulate::{Scratch, Simulation, Start};
    let start = Start::whole(&model);
    let run = Simulation::new(&model, &start).run(1, 0, &mut Scratch::default());
    assert_eq!((run.labs[1].finish, run.streets[31].tubes), (0, 0));
}
