//! Every question once, asked of a real store: what the pure tests cannot see is whether the
//! store hands out what the answers are made of.

use super::people::{Wanted, figures, missing, sampled_twice};
use super::recalls::Filter;
use super::story::{Story, key, minutes};
use super::unaccounted::{Limits, Place, unaccounted};
use crate::domain::discrepancy::Discrepancy;
use crate::domain::gate::Gate;
use crate::domain::words::{Code, Status};
use crate::domain::world::RecordKind;
use crate::store::Store;

const STORY: &str = "0 open A\n1 roster R D1 a,b,c,d\n\
    10 collect T1 10 a,x D1/S1/K1\n11 collect T2 10 b,c D1/S1/K1\n12 collect T3 10 c D1/S1/K1\n\
    20 pack B1 T1,T2\n30 hand B1 L\n40 take B1 L T2,T3\n50 plate P1 L T2\n60 run P1 R1 +\n\
    70 collect S1 1 b D1/S1/K1\n80 plate P2 L S1\n90 run P2 R2 -\n95 release S1";

/// The store with the story in it, and the folder that it lives in.
fn told() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = Story::told(STORY).stored(dir.path());
    (dir, store)
}

fn text(codes: &[Code]) -> String {
    codes.join(" ")
}

#[test]
fn tube_has_its_history_and_proofs() {
    let (_dir, store) = told();
    let read = store.read();
    let found = super::tube::tube(&read, "T1", true).expect("reads").expect("known");
    let seqs: Vec<u64> = found.history.iter().map(|event| event.seq).collect();
    // Collected, packed, handed over, and the reception that did not find it.
    assert_eq!(seqs, [3, 6, 7, 8]);
    assert!(found.proofs.iter().map(|proof| proof.seq).eq(seqs));
    assert!(found.proofs.iter().all(|proof| proof.holds()));
    assert_eq!(found.view.status, Status::InTransit);
    assert!(
        super::tube::tube(&read, "T1", false).expect("reads").expect("known").proofs.is_empty()
    );
    assert_eq!(super::tube::tube(&read, "T9", true).expect("reads"), None);
}

#[test]
fn person_is_found_by_any_key() {
    let (_dir, store) = told();
    let reference = Story::told(STORY).reference();
    let ask = |keys: &str| {
        let keys: Vec<_> = keys.chars().map(key).collect();
        super::person::person(&store.read(), &reference, &keys, minutes(100)).expect("reads")
    };
    let cases = [
        ("a", true, Gate::InTransit),
        ("zb", true, Gate::Done),
        ("c", true, Gate::RecallOpen),
        ("d", true, Gate::NotSampled),
        ("x", true, Gate::InTransit),
        ("z", false, Gate::NotSampled),
        ("", false, Gate::NotSampled),
    ];
    for (keys, registered, gate) in cases {
        let found = ask(keys);
        assert_eq!((found.registered, found.gate), (registered, gate), "{keys}");
    }
    let found = ask("b");
    assert_eq!(found.certificate.map(|paper| paper.tube).as_deref(), Some("S1"));
    assert_eq!(found.on_roster.map(|on| on.district).as_deref(), Some("D1"));
    assert_eq!(found.needs[0].closed_by.as_deref(), Some("S1"));
}

#[test]
fn people_add_up_at_the_sequence_of_the_view() {
    let (_dir, store) = told();
    let (read, round) = (store.read(), Code::from("A"));
    let view = read.view();
    let found = figures(&view, &round).expect("reads");
    assert_eq!(found.people_complete_to, 14);
    assert!(found.total.adds_up());
    let total = found.total;
    let roster = (total.roster, total.resulted, total.sampled_unresulted, total.missing);
    assert_eq!(roster, (4, 1, 2, 1));
    assert_eq!((total.outside_roster, total.in_two_tubes), (1, 0));
    let gone = missing(&view, &round, Wanted::default(), None, 10).expect("reads");
    assert_eq!(gone.rows.iter().map(|row| row.person).collect::<Vec<_>>(), [key('d')]);
    assert_eq!((gone.next, gone.people_complete_to), (None, 14));
    assert_eq!(sampled_twice(&view, &round, None, 10).expect("reads").rows, []);
}

#[test]
fn lists_come_from_the_store_page_by_page() {
    let (_dir, store) = told();
    let read = store.read();
    let recalls = |filter: &Filter, after| {
        super::recalls::recalls(&read, filter, after, 1, 9, minutes(100)).expect("reads")
    };
    let first = recalls(&Filter::default(), None);
    assert_eq!(first.rows[0].person, key('b'));
    let second = recalls(&Filter::default(), first.next);
    assert_eq!((second.rows[0].person, second.rows[0].closed_by.is_none()), (key('c'), true));
    let open = recalls(&Filter { open_only: true, ..Filter::default() }, None);
    assert_eq!(open.rows[0].person, key('c'));

    let odd = super::odd::odd(&read, Discrepancy::BoxTubeMissing, None, 10).expect("reads");
    let [row] = odd.rows.as_slice() else { panic!("one tube, not {:?}", odd.rows) };
    assert_eq!(
        (row.kind, row.code.as_str(), row.status),
        (RecordKind::Tube, "T1", Some(Status::InTransit))
    );
    assert_eq!((row.place.desk.as_str(), odd.next), ("K1", None));

    let limits =
        Limits { older_than_ms: 0, round: None, district: None, rows_max: 10, scan_max: 10 };
    let (mut codes, mut from) = (Vec::<Code>::new(), Some(Place::Collected(0)));
    while let Some(place) = from {
        let page = unaccounted(&read, &limits, place, minutes(100)).expect("reads");
        codes.extend(page.rows.into_iter().map(|row| row.tube));
        from = page.next;
    }
    assert_eq!(text(&codes), "T1 T2 T3");
}
