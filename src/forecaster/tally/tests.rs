//! Tallies: from cells to places and laboratories.

use super::*;
use crate::domain::reference::Round;
use crate::domain::words::{Level, Time};

fn cell(district: &str, site: &str, lab: &str) -> CellKey {
    CellKey {
        round: "R".into(),
        district: district.into(),
        site: site.into(),
        desk: "D".into(),
        lab: lab.into(),
    }
}

fn sent(numbers: [u64; 4]) -> Sent {
    let [collected, sent, delivered, resulted] = numbers;
    Sent { collected, sent, delivered, resulted, ..Sent::default() }
}

/// District 01 with street 0101, in which community 010101 lies; site S1 in the community, S2 in the district.
fn reference() -> Reference {
    let mut reference = Reference::default();
    for (code, parent, level) in [
        ("010101", "0101", Level::Community),
        ("0101", "01", Level::Subdistrict),
        ("01", "", Level::District),
    ] {
        let jurisdiction = (Code::from(parent), level, Code::default());
        reference.jurisdictions.insert(code.into(), jurisdiction);
    }
    reference.sites.insert("S1".into(), ("010101".into(), Code::default()));
    reference.sites.insert("S2".into(), ("01".into(), Code::default()));
    reference
}

#[test]
fn every_status_counts_as_far_as_its_tube_has_come() {
    let table = [
        (Status::Awaiting, [0, 0, 0], [1, 0, 0]),
        (Status::Open, [1, 0, 0], [0, 0, 0]),
        (Status::Sealed, [1, 0, 0], [0, 0, 0]),
        (Status::Packed, [1, 0, 0], [0, 0, 0]),
        (Status::InTransit, [1, 1, 0], [0, 0, 0]),
        (Status::Received, [1, 1, 1], [1, 0, 0]),
        (Status::Plated, [1, 1, 1], [1, 1, 0]),
        (Status::Resulted, [1, 1, 1], [1, 1, 1]),
        (Status::Released, [1, 1, 1], [1, 1, 1]),
        (Status::Void, [0, 0, 0], [0, 0, 0]),
        (Status::Rejected, [1, 1, 1], [1, 1, 1]),
        (Status::Lost, [1, 1, 1], [1, 1, 1]),
        (Status::Reused, [1, 1, 1], [1, 1, 1]),
    ];
    assert_eq!(table.len(), Status::ALL.len());
    for (status, way, lab) in table {
        let (sent, tested) = reached(status);
        assert_eq!([sent.collected, sent.sent, sent.delivered], way, "{status:?}");
        assert_eq!([tested.received, tested.plated, tested.resulted], lab, "{status:?}");
    }
}

/// The round, in which tubes are made for so many people.
fn with_round(reference: &Reference, pool: u16) -> Reference {
    let (name, key_id) = (Code::default(), Code::default());
    let round = Round { name, key_id, pool, opened_at: Time(0), closed_at: None };
    let mut with = reference.clone();
    with.rounds.insert("R".into(), round);
    with
}

type Cells = Map<CellKey, Figures>;

fn put(cells: &mut Cells, key: CellKey, counter: Counter, by: i64) {
    cells.entry(key).or_default().count(counter, by);
}

#[test]
fn cells_become_places_and_laboratories() {
    let mut cells = Cells::default();
    let lab = || CellKey::of_lab("L".into());
    for (key, counter, by) in [
        (cell("01", "S1", ""), Counter::tubes(Status::Sealed), 5),
        (cell("01", "S1", "L"), Counter::tubes(Status::Plated), 7),
        (cell("01", "S1", "L"), Counter::RECALLS, 4),
        (cell("01", "S1", "L"), Counter::RECALLS_CLOSED, 3),
        (cell("01", "S1", "L"), Counter::tubes(Status::Released), 3),
        (cell("01", "S1", "L"), Counter::singles(Status::Released), 3),
        (cell("01", "S2", "M"), Counter::tubes(Status::Lost), 2),
        (cell("", "", ""), Counter::tubes(Status::Open), 1),
        (lab(), Counter::tubes(Status::Awaiting), 6),
        (lab(), Counter::PLATES, 2),
        (lab(), Counter::RUNS, 3),
        (lab(), Counter::BOXES_IN_TRANSIT, 4),
        (lab(), Counter::BOXES_RECEIVED, 5),
        (CellKey::of_lab(Code::default()), Counter::BOXES_PACKED, 6),
        (
            CellKey { round: "other".into(), ..cell("01", "S1", "L") },
            Counter::tubes(Status::Plated),
            9,
        ),
    ] {
        put(&mut cells, key, counter, by);
    }
    let reference = reference();
    let by_district = Tally::of(1, &cells, &reference, &"R".into(), None, None);
    // The three that are done are not among them, nor are tubes of a place that nobody knows.
    assert_eq!(by_district.places["01"], sent([14, 9, 9, 2]));
    let places = Places::of([("01", "0101", 10), ("02", "02", 10)].into_iter());
    let tally = Tally::of(1, &cells, &reference, &"R".into(), Some(&places), None);
    assert_eq!(tally.places["01/0101"], sent([12, 7, 7, 0]));
    assert_eq!(tally.places["01"], sent([2, 2, 2, 2]));
    assert_eq!(tally.places[""], sent([1, 0, 0, 0]));
    let mut expected = Tested {
        received: 16,
        plated: 10,
        resulted: 3,
        recalls_open: 1,
        recalls_closed: 3,
        ..Tested::default()
    };
    assert_eq!((tally.labs["L"], tally.boxes_packed), (expected, 0));
    // While no other round is open, its plates and boxes are told.
    let one_round = with_round(&reference, 10);
    (expected.plates, expected.plates_done) = (2, 2);
    (expected.boxes_sent, expected.boxes_received) = (4, 5);
    let told = Tally::of(1, &cells, &one_round, &"R".into(), Some(&places), None);
    assert_eq!((told.labs["L"], told.boxes_packed), (expected, 6));
    assert_eq!(tally.labs["M"].resulted, 2);
    assert_eq!((tally.first_results(), tally.collected()), (2, 15));
    assert_eq!(tally.in_work(), 5 + 1 + 13);
}

/// The reference with a second round, closed or not.
fn with_another(reference: &Reference, closed_at: Option<i64>) -> Reference {
    let mut with = with_round(reference, 10);
    let other = Round { closed_at: closed_at.map(Time), ..with.rounds["R"].clone() };
    with.rounds.insert("Q".into(), other);
    with
}

#[test]
fn boxes_and_plates_are_told_while_no_other_round_is_open_less_what_was_before() {
    let cells = |[plates, runs, sent, received, unbound]: [i64; 5]| {
        let mut cells = Cells::default();
        for (counter, by) in [
            (Counter::PLATES, plates),
            (Counter::RUNS, runs),
            (Counter::BOXES_IN_TRANSIT, sent),
            (Counter::BOXES_RECEIVED, received),
        ] {
            put(&mut cells, CellKey::of_lab("L".into()), counter, by);
        }
        put(&mut cells, CellKey::default(), Counter::BOXES_IN_TRANSIT, unbound);
        cells
    };
    let (first, later) = (cells([20, 18, 1, 40, 0]), cells([25, 21, 3, 46, 2]));
    let alone = with_round(&reference(), 10);
    let after = with_another(&reference(), Some(9));
    let beside = with_another(&reference(), None);
    // Whether they are told; plates, plates done, boxes on their way, boxes received.
    for (what, reference, expected) in [
        ("the only round", &alone, (true, [25, 21, 5, 46])),
        ("the second of two", &after, (true, [5, 3, 5, 6])),
        ("while the other is open", &beside, (false, [0; 4])),
    ] {
        let of = |at, cells, before| Tally::of(at, cells, reference, &"R".into(), None, before);
        let before = of(1, &first, None).before;
        let tally = of(2, &later, before.as_ref());
        let lab = tally.labs.get("L").copied().unwrap_or_default();
        let Boxes { told, sent, received, .. } = tally.boxes();
        let told = (told, [lab.plates, lab.plates_done, sent, received]);
        assert_eq!((told, &tally.before), (expected, &before), "{what}");
        let text = serde_json::to_string(&tally).unwrap();
        assert_eq!(serde_json::from_str::<Tally>(&text).unwrap(), tally, "{what}");
    }
}

/// A place with 10 tubes that are on plates, and one more tube, made for one person, of a status.
fn with_a_single(status: Status) -> Cells {
    let mut cells = Cells::default();
    let lab = if reached(status).1.received > 0 { "L" } else { "" };
    put(&mut cells, cell("01", "S1", "L"), Counter::tubes(Status::Plated), 10);
    put(&mut cells, cell("01", "S1", lab), Counter::tubes(status), 1);
    put(&mut cells, cell("01", "S1", lab), Counter::singles(status), 1);
    cells
}

#[test]
fn a_single_tube_of_a_recall_is_no_first_test_of_its_street_wherever_it_is() {
    let reference = with_round(&reference(), 10);
    let places = Places::of([("01", "0101", 10)].into_iter());
    // What is told of it: waiting at the street, on the way, waiting in the lab, on a plate, done.
    for (status, told) in [
        (Status::Open, [1, 0, 0, 0, 0]),
        (Status::Sealed, [1, 0, 0, 0, 0]),
        (Status::Packed, [1, 0, 0, 0, 0]),
        (Status::InTransit, [0, 1, 0, 0, 0]),
        (Status::Received, [0, 0, 1, 0, 0]),
        (Status::Plated, [0, 0, 0, 1, 0]),
        (Status::Resulted, [0, 0, 0, 0, 1]),
        (Status::Released, [0, 0, 0, 0, 1]),
        (Status::Rejected, [0, 0, 0, 0, 1]),
        (Status::Lost, [0, 0, 0, 0, 1]),
        (Status::Reused, [0, 0, 0, 0, 1]),
        (Status::Void, [0, 0, 0, 0, 0]),
    ] {
        let cells = with_a_single(status);
        let tally = Tally::of(1, &cells, &reference, &"R".into(), Some(&places), None);
        let (place, lab) = (tally.places["01/0101"], tally.labs["L"]);
        let [at_street, on_way, ..] = told;
        let first =
            Sent { singles_waiting: at_street, singles_sent: on_way, ..sent([10, 10, 10, 0]) };
        assert_eq!(place, first, "{status:?}");
        let of_lab = [lab.singles_waiting, lab.singles_plated, lab.recalls_closed];
        assert_eq!([[at_street, on_way].as_slice(), &of_lab].concat(), told, "{status:?}");
        // The laboratory's work has it; what is first tested has not.
        assert_eq!(lab.received, 10 + told[2] + told[3] + told[4], "{status:?}");
        assert_eq!((tally.first_results(), tally.in_work()), (0, 10), "{status:?}");
    }
}

#[test]
fn where_tubes_are_for_one_person_they_are_the_streets_own() {
    let places = Places::of([("01", "0101", 1)].into_iter());
    let mut cells = with_a_single(Status::Received);
    put(&mut cells, cell("01", "S1", "L"), Counter::tubes(Status::Released), 4);
    put(&mut cells, cell("01", "S1", "L"), Counter::singles(Status::Released), 4);
    put(&mut cells, cell("01", "S1", "L"), Counter::RECALLS, 3);
    put(&mut cells, cell("01", "S1", "L"), Counter::RECALLS_CLOSED, 2);
    for (reference, places) in
        [(with_round(&reference(), 10), Some(&places)), (with_round(&reference(), 1), None)]
    {
        let tally = Tally::of(1, &cells, &reference, &"R".into(), places, None);
        // 10 + 1 + 4, less the two of people called back who are done.
        let (_, place) = tally.places.first_key_value().unwrap();
        assert_eq!(*place, sent([13, 13, 13, 2]), "{places:?}");
        let lab = tally.labs["L"];
        assert_eq!((lab.recalls_open, lab.recalls_closed, lab.singles()), (1, 2, 0));
        assert_eq!((tally.first_results(), tally.in_work()), (2, 11));
    }
}

#[test]
fn lines_of_older_programs_are_read_and_what_is_nought_is_not_written() {
    let old = r#"{"at":5,"places":{"01":{"collected":9,"sent":8,"delivered":7}},
        "labs":{"L":{"received":7,"plated":6,"resulted":5,"recalls_open":2,"recalls_closed":1}}}"#;
    let read: Tally = serde_json::from_str(old).unwrap();
    assert_eq!((read.places["01"], read.boxes_packed), (sent([9, 8, 7, 0]), 0));
    assert_eq!((read.first_results(), read.in_work()), (4, 4));
    let text = serde_json::to_string(&read).unwrap();
    assert!(!text.contains("singles") && !text.contains("boxes"), "{text}");
    assert_eq!(serde_json::from_str::<Tally>(&text).unwrap(), read);
}
