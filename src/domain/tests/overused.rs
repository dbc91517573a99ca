//! Codes that stand for many things: a scanner stuck on one barcode, a laboratory that calls every box or plate the same. What a
//! fact costs stays bounded, nothing is refused, and the record says of itself that it is full. Which facts it still took in
//! depends on their arrival, so the notebook is read in order only.

use super::ledger::Ledger;
use super::notebook::{Notebook, odd};
use crate::domain::boxes::{MARKS_MAX as BOX_MARKS_MAX, TUBES_TOLD_MAX};
use crate::domain::discrepancy::{Discrepancies, Discrepancy};
use crate::domain::plate::MARKS_MAX as PLATE_MARKS_MAX;
use crate::domain::tube::{MARKS_MAX, PARTS_MAX, SWABS_TOLD_MAX, TubeView};
use crate::domain::words::{Call, Status};

/// Reads lines one by one, each a batch of its own.
#[derive(Default)]
struct Day {
    notebook: Notebook,
    ledger: Ledger,
}

impl Day {
    fn note(&mut self, line: &str) -> Discrepancies {
        let event = self.notebook.line(line);
        self.ledger.commit(&[event]);
        self.ledger.found
    }

    fn each(&mut self, of: std::ops::RangeInclusive<usize>, line: impl Fn(usize) -> String) {
        of.for_each(|n| {
            self.note(&line(n));
        });
    }

    fn tube(&self, code: &str) -> TubeView {
        self.ledger.tubes[code].view()
    }
}

#[test]
fn a_tube_takes_in_so_many_facts() {
    let mut day = Day::default();
    day.each(1..=MARKS_MAX - 1, |n| format!("desk D1 swab T1 P{n} pool 10"));
    assert!(!day.tube("T1").discrepancies.has(Discrepancy::CodeOverused));
    assert!(day.note("desk D1 swab T1 P9001 pool 10").has(Discrepancy::CodeOverused));
    assert_eq!(day.tube("T1").members.len(), MARKS_MAX);
    assert!(day.note("desk D1 swab T1 P9002 pool 10").has(Discrepancy::CodeOverused));
    assert_eq!(day.tube("T1").members.len(), MARKS_MAX, "kept in the log, and not taken in");
    day.note("lose T1");
    assert_eq!(day.tube("T1").status, Status::Open);
    day.ledger.must_add_up();
}

#[test]
fn a_tube_takes_in_so_many_swabs() {
    let mut day = Day::default();
    let tubes = SWABS_TOLD_MAX / 10;
    day.each(1..=tubes + 3, |n| {
        format!("desk D1 collect T1 pool 10 members P{}..P{}", n * 10, n * 10 + 9)
    });
    let view = day.tube("T1");
    assert_eq!((view.status, view.members.len()), (Status::Reused, SWABS_TOLD_MAX));
    assert_eq!(view.discrepancies, odd("TubeReused,PoolOverfilled,CodeOverused"));
    day.ledger.must_add_up();
}

#[test]
fn a_control_that_stands_on_every_plate_under_one_code_is_on_so_many() {
    let mut day = Day::default();
    day.note("desk D1 collect T2 pool 10 members P1");
    day.each(1..=PARTS_MAX, |n| format!("load PL{n} L1 A1=T1"));
    day.note("load PL900 L1 A1=T1 A2=T2");
    day.note("run PL900 R1 A1=pos A2=neg");
    day.note("run PL7 R1 A1=neg");
    assert_eq!(day.ledger.tubes["T1"].plates.len(), PARTS_MAX);
    let control = day.tube("T1");
    assert_eq!(control.call, Some(Call::Negative), "the plates that it is on go on");
    assert!(control.discrepancies.has(Discrepancy::CodeOverused));
    let other = day.tube("T2");
    assert_eq!((other.call, other.discrepancies.is_empty()), (Some(Call::Negative), true));
    day.ledger.must_add_up();
}

#[test]
fn what_is_scanned_from_a_box_that_stands_for_all_boxes_counts_tube_by_tube() {
    for facts in [true, false] {
        let mut day = Day::default();
        if facts {
            day.each(1..=BOX_MARKS_MAX, |_| "hand B1 L1".to_owned());
        } else {
            let tubes = |of: usize| (0..1_000).map(move |n| format!(" T{}", of * 1_000 + n));
            day.each(1..=TUBES_TOLD_MAX / 1_000, |of| {
                format!("pack B1{}", String::from_iter(tubes(of)))
            });
        }
        assert!(day.ledger.boxes["B1"].discrepancies().has(Discrepancy::CodeOverused));
        day.note("desk D1 collect T1 pool 10 members P1");
        assert_eq!(day.note("pack B1 T1"), odd("CodeOverused"));
        assert_eq!(day.note("hand B1 L2"), odd("CodeOverused"));
        assert_eq!(day.tube("T1").status, Status::Sealed);
        assert_eq!(day.note("box B1 L2 T1"), odd("CodeOverused"));
        let view = day.tube("T1");
        assert_eq!((view.status, view.lab.as_str()), (Status::Received, "L2"));
        assert!(view.discrepancies.is_empty(), "the tube is as it should be");
        day.ledger.must_add_up();
    }
}

#[test]
fn a_plate_takes_in_so_many_facts_and_what_comes_later_has_no_result() {
    let mut day = Day::default();
    day.note("desk D1 collect T1 pool 10 members P1");
    day.note("load PL1 L1 A1=T1");
    day.each(2..=PLATE_MARKS_MAX, |n| format!("run PL1 R{n} A1=neg"));
    assert!(day.ledger.plates["PL1"].discrepancies().has(Discrepancy::CodeOverused));
    day.note("desk D1 collect T2 pool 10 members P2");
    assert_eq!(day.note("load PL1 L1 A1=T2"), odd("CodeOverused"));
    assert_eq!(day.note("run PL1 R900 A1=pos"), odd("CodeOverused"));
    assert_eq!(day.tube("T1").call, Some(Call::Negative));
    assert_eq!(day.tube("T2").status, Status::Sealed);
    day.note("load PL2 L1 A1=T2");
    day.note("run PL2 R1 A1=neg");
    assert_eq!(day.tube("T2").call, Some(Call::Negative), "told again under a code of its own");
    day.ledger.must_add_up();
}

#[test]
fn one_unknown_laboratory_too_many_is_counted_under_none() {
    let mut day = Day::default();
    day.each(1..=7, |n| format!("desk D1 collect T{n} pool 10 members P{n}"));
    for line in [
        "hand B1 L9 !LabsTooMany",
        "box B1 L9 T1 !LabsTooMany",
        "receive T2 L9 !LabsTooMany",
        "reject T3 leaking by L9 !LabsTooMany",
        "load PL1 L9 A1=T4 !LabsTooMany",
        "run PL1 R1 A1=neg",
        "release L9 T4 !LabsTooMany",
    ] {
        day.note(line);
    }
    assert!(day.ledger.cells.keys().all(|cell| cell.lab.is_empty()));
    let status = ["T1", "T2", "T4"].map(|tube| day.tube(tube).status);
    assert_eq!(status, [Status::Received, Status::Received, Status::Released]);
    day.ledger.must_add_up();
}
