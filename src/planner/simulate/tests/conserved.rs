//! What is lost on the way stops the reckoning, in every build, with the place where it was lost.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::super::conserved::{Brought, OnTheWay};
use super::*;
use crate::planner::city::StageKind;
use crate::planner::model::HOUR;

/// What stops it; none when it goes on.
fn stopped(by: impl FnOnce()) -> Option<String> {
    let why = catch_unwind(AssertUnwindSafe(by)).err()?;
    Some(why.downcast_ref::<String>().cloned().unwrap_or_default())
}

/// A street that nothing is lost in.
const WHOLE: OnTheWay = OnTheWay {
    street: 3,
    to_fill: 100,
    at_desks: 100,
    in_boxes: 100,
    closed_before: 20,
    on_road: 7,
    in_trips: 127,
};

#[test]
fn a_tube_lost_before_the_door_is_told_with_its_place() {
    assert_eq!(stopped(|| WHOLE.hold()), None);
    let table = [
        (OnTheWay { at_desks: 99, ..WHOLE }, "street 3, between its people and its desks: of 100"),
        (OnTheWay { in_boxes: 99, ..WHOLE }, "street 3, between its desks and its boxes: of 100"),
        (OnTheWay { in_boxes: 101, ..WHOLE }, "its desks and its boxes: of 100 tubes 101 arrived"),
        (OnTheWay { in_trips: 126, ..WHOLE }, "street 3, between its boxes and its trips: of 127"),
        (OnTheWay { closed_before: 21, ..WHOLE }, "its boxes and its trips: of 128 tubes 127"),
        (OnTheWay { on_road: 8, ..WHOLE }, "its boxes and its trips: of 128 tubes 127 arrived"),
    ];
    for (lost, told) in table {
        let why = stopped(|| lost.hold()).expect(told);
        assert!(why.contains(told), "{why}");
    }
}

/// A lab that begins with something at every place, and what it did; half of the time it is stopped by the horizon.
fn busy(slow: bool) -> (Model, Start) {
    let mut model = example::city(1);
    model.recall.prevalence = 0.02;
    if slow {
        model.labs[0].stages[StageKind::Pcr.index()].run *= 80;
    }
    let mut start = Start::whole(&model);
    let (street, lab) = (&mut start.streets[0], &mut start.labs[0]);
    (street.closed, street.on_road) = (vec![(0, 30)], vec![(HOUR, 40)]);
    for k in 0..StageKind::COUNT {
        lab.waiting[k] = vec![(0, 90 + k as u32)];
        lab.running[k] = vec![(0, HOUR, 80 + k as u32)];
        lab.singles_waiting[k] = vec![(0, 5)];
        lab.singles_running[k] = vec![(0, HOUR, 6)];
    }
    (lab.recalls, lab.pool) = (vec![(HOUR, 11)], 10);
    (model, start)
}

#[test]
fn a_tube_lost_in_a_lab_is_told_with_its_stage() {
    type Loss<'l> = &'l dyn Fn(&mut LabRun, &mut Brought);
    let table: &[(Loss, &str)] = &[
        (&|_, brought| brought.tubes += 1, "lab 0, between the trips and receive: of "),
        (&|run, _| run.called_back[0].1 += 1, "lab 0, between the trips and receive: of "),
        (&|run, _| run.stages[0].tubes_in -= 1, "lab 0, between the trips and receive: of "),
        (&|run, _| run.stages[3].tubes_in -= 1, "lab 0, between decap and extract: of "),
        (&|run, _| run.stages[6].tubes_in += 1, "lab 0, between pcr and review: of "),
        (&|run, _| run.stages[2].tubes_out -= 1, "lab 0: tubes or their time lost at decap: "),
        (&|run, _| run.stages[5].waited += 1, "lab 0: tubes or their time lost at pcr: "),
        (
            &|run, _| {
                run.results.pop();
            },
            "lab 0, between the door and the results: of ",
        ),
        (&|run, _| run.recalled -= 1, " members of unclean pools, "),
        (&|run, _| run.unclean_inside += 1, " members of unclean pools, "),
        (&|_, brought| brought.members += 1, " members of unclean pools, "),
    ];
    for slow in [false, true] {
        let (model, start) = busy(slow);
        let simulation = Simulation::new(&model, &start);
        let mut scratch = Scratch::default();
        let run = simulation.run(1, 0, &mut scratch).labs.remove(0);
        assert_eq!(slow, run.stages.iter().any(|passed| passed.members_left > 0));
        assert!(run.recalled > 0 && run.called_back.len() > 1);
        let hold = |run: &LabRun, brought| stopped(|| run.hold(0, brought, &start.labs[0]));
        assert_eq!(hold(&run, scratch.brought), None);
        for (loss, told) in table {
            let (mut run, mut brought) = (run.clone(), scratch.brought);
            loss(&mut run, &mut brought);
            let why = hold(&run, brought).expect(told);
            assert!(why.contains(told), "{why}, not: {told}");
        }
    }
}

/// The assertions are on where it matters: between the streets and the lab of a replication.
#[test]
fn a_trip_or_a_tube_that_does_not_come_to_the_door_stops_the_replication() {
    let model = example::city(1);
    let start = Start::whole(&model);
    let simulation = Simulation::new(&model, &start);
    let losses: [&dyn Fn(&mut Scratch); 3] = [
        &|scratch| {
            scratch.trips.pop();
        },
        &|scratch| scratch.boxes[7].tubes -= 1,
        &|scratch| scratch.trips.push(scratch.trips[0]),
    ];
    for (row, loss) in losses.into_iter().enumerate() {
        let mut scratch = Scratch::default();
        let mut streets = vec![StreetRun::default(); model.streets.len()];
        simulation.collect(0, 1, 0, &mut scratch, &mut streets);
        loss(&mut scratch);
        let mut test = || {
            simulation.test(&model.labs[0], 0, 1, 0, &mut scratch, &mut |_, _| {});
        };
        let why = stopped(&mut test).expect("a panic");
        assert!(why.contains("lab 0, between the trips and receive: of "), "{row}: {why}");
    }
}
