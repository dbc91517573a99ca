//! What is refused and what is recorded, one line each.

use super::*;
use crate::domain::reference::Round;

const ID_NUMBER: &str = "11010519491231002X";

struct Desk {
    _dir: tempfile::TempDir,
    keys: KeyRing,
    reference: Reference,
}

fn desk(open: &[&str]) -> Desk {
    let dir = tempfile::tempdir().unwrap();
    let keys = KeyRing::open(dir.path()).unwrap();
    keys.create("k1").unwrap();
    let mut reference = Reference::default();
    for code in open {
        let round = Round {
            name: (*code).into(),
            key_id: if *code == "keyless" { "k9".into() } else { "k1".into() },
            pool: 10,
            opened_at: Time(0),
            closed_at: None,
        };
        reference.rounds.insert((*code).into(), round);
    }
    Desk { _dir: dir, keys, reference }
}

impl Desk {
    fn read(&self, wire: &pb::Fact) -> Result<Fact, Error> {
        Context::new(&self.keys, &self.reference, None).fact(wire)
    }
}

fn id() -> Option<pb::FactId> {
    Some(pb::FactId { source: "scanner-1".into(), epoch: 1, number: 1 })
}

fn fact(body: Wire) -> pb::Fact {
    pb::Fact { id: id(), captured_at_ms: 5, round: String::new(), body: Some(body) }
}

fn who(number: &str) -> pb::Identity {
    pb::Identity { document_type: pb::DocumentType::ResidentId.into(), number: number.into() }
}

fn swabbed(tube: &str, person: Option<pb::Identity>) -> pb::Fact {
    fact(Wire::PersonSwabbed(pb::PersonSwabbed {
        tube: tube.into(),
        pool: 10,
        desk: "desk-1".into(),
        person,
        ..pb::PersonSwabbed::default()
    }))
}

fn collected(tube: &str, members: Vec<pb::Identity>) -> pb::Fact {
    fact(Wire::TubeCollected(pb::TubeCollected {
        tube: tube.into(),
        pool: 10,
        members,
        ..pb::TubeCollected::default()
    }))
}

fn loaded(wells: Vec<pb::Well>) -> pb::Fact {
    let plate = pb::PlateLoaded { plate: "P1".into(), wells, ..pb::PlateLoaded::default() };
    fact(Wire::PlateLoaded(plate))
}

fn packed(container: &str, tubes: Vec<&str>) -> pb::Fact {
    let tubes = tubes.into_iter().map(Into::into).collect();
    fact(Wire::TubesPacked(pb::TubesPacked { r#box: container.into(), tubes }))
}

fn sealed(tube: &str, swabs: u32) -> pb::Fact {
    fact(Wire::TubeSealed(pb::TubeSealed { tube: tube.into(), swabs }))
}

/// What comes of a fact when one round is open: "recorded", or reason and field.
fn comes_of(wire: &pb::Fact) -> String {
    match desk(&["r1"]).read(wire) {
        Ok(_) => "recorded".into(),
        Err(error) => {
            let refusal = error.refusal();
            let text = refusal.text.clone().unwrap();
            assert!(!text.en.is_empty() && text.zh.chars().any(|c| c > '\u{2fff}'), "{text:?}");
            assert!(!format!("{error} {refusal:?}").contains(ID_NUMBER), "an identity leaks");
            let reason = refusal.reason().as_str_name().trim_start_matches("REASON_").to_owned();
            format!("{reason} {}", refusal.field).trim().to_owned()
        }
    }
}

#[test]
fn bad_input_is_refused_with_its_field_and_odd_input_is_recorded() {
    let no_type = pb::Identity { number: ID_NUMBER.into(), ..pb::Identity::default() };
    let with_id = |source: &str, number: u64| pb::Fact {
        id: Some(pb::FactId { source: source.into(), epoch: 0, number }),
        ..sealed("T1", 1)
    };
    let well = |content| pb::Well { position: 0, content };
    let tube = |code: &str| Some(pb::well::Content::Tube(code.into()));
    let run = |position: u32, ct: u32| {
        let readings = vec![pb::Reading { position, ct_hundredths: vec![ct] }];
        let run =
            pb::RunReported { plate: "P1".into(), run: "1".into(), readings, ..Default::default() };
        fact(Wire::RunReported(run))
    };
    let amended = |call: i32| {
        fact(Wire::ResultAmended(pb::ResultAmended {
            tube: "T1".into(),
            call,
            reason: String::new(),
        }))
    };
    let received = |condition: i32| {
        let lab = "L1".into();
        fact(Wire::TubeReceived(pb::TubeReceived { tube: "T1".into(), lab, condition }))
    };
    let rejected = |reason: i32| {
        let lab = "L1".into();
        fact(Wire::TubeRejected(pb::TubeRejected { tube: "T1".into(), lab, reason }))
    };
    let table = [
        // Without these nothing can be recorded.
        (swabbed("", Some(who(ID_NUMBER))), "NO_BARCODE tube"),
        (swabbed("  ", Some(who(ID_NUMBER))), "NO_BARCODE tube"),
        (swabbed("T1", None), "NO_IDENTITY person.number"),
        (swabbed("T1", Some(who(" "))), "NO_IDENTITY person.number"),
        (swabbed("T1", Some(who("-"))), "NO_IDENTITY person.number"),
        (swabbed("T1", Some(no_type)), "INVALID person.document_type"),
        (swabbed("T1", Some(who(&"9".repeat(65)))), "TOO_LARGE person.number"),
        (collected("T1", vec![who(ID_NUMBER), who("")]), "NO_IDENTITY members[1].number"),
        (collected("T1", vec![who(ID_NUMBER); 201]), "TOO_LARGE members"),
        (packed("", vec!["T1"]), "NO_BARCODE box"),
        (packed("B1", vec!["T1", ""]), "NO_BARCODE tubes[1]"),
        (packed("B1", vec!["T1"; 5_001]), "TOO_LARGE tubes"),
        (loaded(vec![well(None)]), "NO_BARCODE wells[0].tube"),
        (loaded(vec![well(tube(""))]), "NO_BARCODE wells[0].tube"),
        (loaded(vec![well(Some(pb::well::Content::Control(9)))]), "INVALID wells[0].control"),
        (run(70_000, 3_000), "INVALID readings[0].position"),
        (run(0, 70_000), "INVALID readings[0].ct_hundredths"),
        (amended(0), "INVALID call"),
        (received(77), "INVALID condition"),
        (sealed(&"9".repeat(65), 1), "TOO_LARGE tube"),
        (pb::Fact { id: id(), ..pb::Fact::default() }, "KIND_UNKNOWN"),
        (pb::Fact { id: None, ..sealed("T1", 1) }, "INVALID id.source"),
        (with_id("", 1), "INVALID id.source"),
        (with_id("s", 0), "INVALID id.number"),
        (
            pb::Fact { round: "r2".into(), ..swabbed("T1", Some(who(ID_NUMBER))) },
            "ROUND_UNKNOWN round",
        ),
        // A thing that happened is never refused.
        (swabbed("T1", Some(who(ID_NUMBER))), "recorded"),
        (swabbed("not a barcode!", Some(who("110105194912310021"))), "recorded"),
        (collected("T1", vec![who(ID_NUMBER); 11]), "recorded"),
        (collected("T1", vec![]), "recorded"),
        (sealed("T1", 4_000_000_000), "recorded"),
        (pb::Fact { captured_at_ms: i64::MIN, ..sealed("T1", 1) }, "recorded"),
        (pb::Fact { round: "r2".into(), ..sealed("T1", 1) }, "recorded"),
        (packed("B1", vec![]), "recorded"),
        (packed("B1", vec!["T1", "T1"]), "recorded"),
        (loaded(vec![well(tube("T1")), well(tube("T2"))]), "recorded"),
        (run(0, 0), "recorded"),
        (received(0), "recorded"),
        (rejected(0), "recorded"),
        (rejected(77), "recorded"),
    ];
    for (wire, expected) in table {
        assert_eq!(comes_of(&wire), expected, "{wire:?}");
    }
}

#[test]
fn a_person_is_named_by_the_key_of_the_facts_round() {
    let wire = swabbed("T1", Some(who(ID_NUMBER)));
    let key = |round: &str, open: &[&str]| {
        let read = desk(open).read(&pb::Fact { round: round.into(), ..wire.clone() });
        read.map(|fact| fact.round.to_string()).map_err(|error| error.reason())
    };
    assert_eq!(key("", &["r1"]), Ok("r1".into()));
    assert_eq!(key("r2", &["r1", "r2"]), Ok("r2".into()));
    assert_eq!(key("", &["r1", "r2"]), Err(pb::Reason::RoundUnknown));
    assert_eq!(key("", &[]), Err(pb::Reason::RoundUnknown));
    assert_eq!(key("keyless", &["r1", "keyless"]), Err(pb::Reason::KeyMissing));
}

#[test]
fn a_wrong_check_digit_is_noted_and_recorded() {
    let wire = collected("T1", vec![who(ID_NUMBER), who("110105194912310021")]);
    let Body::TubeCollected { members, .. } = desk(&["r1"]).read(&wire).unwrap().body else {
        panic!()
    };
    assert_eq!(members.iter().map(|m| m.id_check_failed).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn a_stream_completes_the_ids_of_its_facts() {
    let desk = desk(&["r1"]);
    let stream = ("s1".into(), 7);
    let context = Context::new(&desk.keys, &desk.reference, Some(&stream));
    let read = |source: &str, epoch| {
        let id = pb::FactId { source: source.into(), epoch, number: 3 };
        let id = context.id(Some(&id)).unwrap();
        (id.source.to_string(), id.epoch, id.number)
    };
    assert_eq!(read("", 0), ("s1".into(), 7, 3));
    assert_eq!(read("other", 2), ("other".into(), 2, 3));
}

#[test]
fn nothing_that_holds_an_identity_prints_it() {
    let wire = collected("T1", vec![who(ID_NUMBER)]);
    let message = pb::RecordRequest {
        body: Some(pb::record_request::Body::Facts(pb::FactBatch {
            message_number: 1,
            facts: vec![wire],
        })),
    };
    assert!(!format!("{message:?}").contains(ID_NUMBER));
    let asked = pb::GetPersonRequest { person: Some(who(ID_NUMBER)), round: String::new() };
    assert!(!format!("{asked:?}").contains(ID_NUMBER));
}
