//! Reference data as a fold: rounds, kits and their switches, places.

use super::notebook::{clock, kit};
use crate::domain::calling::CallingRule;
use crate::domain::fact::{Body, Event, Fact, FactId, Stamps};
use crate::domain::reference::{Reference, ReferenceItem};
use crate::domain::words::Level;
use crate::domain::{Code, Time};

/// An administrative fact, captured and recorded at these times.
pub fn event(round: &str, captured: &str, recorded: &str, body: Body) -> Event {
    let round = Code::from(round);
    let id = FactId { source: "office".into(), epoch: 1, number: 1 };
    let fact = Fact { id, captured_at: clock(captured), round: round.clone(), body };
    let stamps = Stamps { recorded_at: clock(recorded), round, ..Stamps::default() };
    Event { seq: 1, fact, stamps, found: Default::default() }
}

pub fn imported(items: Vec<ReferenceItem>) -> Reference {
    let mut reference = Reference::default();
    import(&mut reference, items);
    reference
}

fn import(reference: &mut Reference, items: Vec<ReferenceItem>) {
    let body = Body::ReferenceImported { file: "a.csv".into(), items };
    reference.apply(&event("", "08:00", "08:00", body));
}

pub fn open(reference: &mut Reference, round: &str, key: &str) {
    let body = Body::RoundOpened { name: round.into(), key_id: key.into(), pool: 10 };
    reference.apply(&event(round, "08:00", "08:00", body));
}

pub fn close(reference: &mut Reference, round: &str, at: &str) {
    reference.apply(&event(round, "08:00", at, Body::RoundClosed {}));
}

fn version(version: u32) -> ReferenceItem {
    let rule = CallingRule { version, ..CallingRule::clone(&kit("K1").expect("a kit")) };
    ReferenceItem::Kit { name: "Kit 1".into(), rule }
}

fn switch(reference: &mut Reference, version: u32, from: &str, recorded: &str) {
    let body = Body::RuleSwitched { kit: "K1".into(), version, from: clock(from) };
    reference.apply(&event("", "08:00", recorded, body));
}

fn at(reference: &Reference, time: &str) -> Option<u32> {
    reference.kits.get("K1")?.rule_at(clock(time)).map(|rule| rule.version)
}

#[test]
fn the_oldest_rule_is_in_force_until_a_switch() {
    assert_eq!(at(&Reference::default(), "09:00"), None);
    let mut reference = imported(vec![version(2), version(1), version(3)]);
    assert_eq!(at(&reference, "09:00"), Some(1));
    switch(&mut reference, 3, "12:00", "11:00");
    switch(&mut reference, 2, "11:30", "11:00");
    assert_eq!(at(&reference, "11:29"), Some(1));
    assert_eq!(at(&reference, "11:30"), Some(2));
    assert_eq!(at(&reference, "11:59"), Some(2));
    assert_eq!(at(&reference, "12:00"), Some(3));
}

#[test]
fn a_switch_is_never_dated_back() {
    let mut reference = imported(vec![version(1), version(2)]);
    switch(&mut reference, 2, "08:00", "11:00");
    assert_eq!(at(&reference, "09:00"), Some(1));
    assert_eq!(at(&reference, "10:59"), Some(1));
    assert_eq!(at(&reference, "11:00"), Some(2));
}

#[test]
fn of_two_switches_at_one_time_the_later_told_stands() {
    let mut reference = imported(vec![version(1), version(2), version(3)]);
    switch(&mut reference, 3, "12:00", "11:00");
    switch(&mut reference, 2, "12:00", "11:10");
    assert_eq!(at(&reference, "12:00"), Some(2));
}

#[test]
fn a_switch_to_a_version_that_nobody_imported_switches_nothing() {
    let mut reference = imported(vec![version(1), version(2)]);
    switch(&mut reference, 2, "11:00", "11:00");
    switch(&mut reference, 22, "12:00", "12:00");
    assert_eq!(at(&reference, "13:00"), Some(2));
    import(&mut reference, vec![version(22)]);
    assert_eq!(at(&reference, "13:00"), Some(22));
}

#[test]
fn a_version_once_given_stays() {
    let mut reference = imported(vec![version(1)]);
    let CallingRule { kit: code, .. } = CallingRule::clone(&kit("K1").expect("a kit"));
    let other = CallingRule {
        version: 1,
        targets: Vec::new(),
        kit: code,
        positive_controls_min: 0,
        negative_controls_min: 0,
    };
    import(&mut reference, vec![ReferenceItem::Kit { name: "renamed".into(), rule: other }]);
    let kit = &reference.kits["K1"];
    assert_eq!(kit.name, "renamed");
    assert_eq!(kit.rule(1).map(|rule| rule.targets.len()), Some(3));
}

#[test]
fn a_round_keeps_its_first_key_and_its_first_closing() {
    let mut reference = Reference::default();
    open(&mut reference, "R1", "key-1");
    open(&mut reference, "R1", "key-2");
    assert_eq!(reference.rounds["R1"].key_id, "key-1");
    close(&mut reference, "R1", "20:00");
    close(&mut reference, "R1", "21:00");
    assert_eq!(reference.rounds["R1"].closed_at, Some(clock("20:00")));
    close(&mut reference, "R9", "21:00");
    assert_eq!(reference.rounds.len(), 1);
}

#[test]
fn the_open_round_is_known_only_when_it_is_one() {
    let mut reference = Reference::default();
    assert_eq!(reference.open_round(), None);
    open(&mut reference, "R1", "key-1");
    assert_eq!(reference.open_round().map(Code::as_str), Some("R1"));
    open(&mut reference, "R2", "key-2");
    assert_eq!(reference.open_round(), None);
    close(&mut reference, "R1", "20:00");
    assert_eq!(reference.open_round().map(Code::as_str), Some("R2"));
}

pub fn jurisdiction(code: &str, parent: &str, level: Level) -> ReferenceItem {
    ReferenceItem::Jurisdiction {
        code: code.into(),
        parent: parent.into(),
        level,
        name: code.into(),
    }
}

pub fn site(code: &str, jurisdiction: &str) -> ReferenceItem {
    ReferenceItem::Site { code: code.into(), jurisdiction: jurisdiction.into(), name: code.into() }
}

pub fn desk(code: &str, site: &str) -> ReferenceItem {
    ReferenceItem::Desk { code: code.into(), site: site.into() }
}

#[test]
fn a_desk_lies_in_the_district_above_its_site() {
    let reference = imported(vec![
        jurisdiction("city", "", Level::City),
        jurisdiction("X1", "city", Level::District),
        jurisdiction("sub", "X1", Level::Subdistrict),
        jurisdiction("com", "sub", Level::Community),
        jurisdiction("round", "about", Level::Community),
        jurisdiction("about", "round", Level::Community),
        site("S1", "com"),
        site("S2", "X1"),
        site("S3", "city"),
        site("S4", "round"),
        site("S5", "nowhere"),
    ]);
    let mut reference = reference;
    import(&mut reference, (1..=6).map(|n| desk(&format!("D{n}"), &format!("S{n}"))).collect());
    let district = |desk: &str| reference.place(&desk.into()).map(|place| place.district);
    assert_eq!(district("D1").as_deref(), Some("X1"));
    assert_eq!(district("D2").as_deref(), Some("X1"));
    // Above every district, in a circle, in a place that nobody imported, at no known site.
    for desk in ["D3", "D4", "D5", "D6"] {
        assert_eq!(district(desk).as_deref(), Some(""), "{desk}");
    }
    assert_eq!(district("D7"), None);
    let place = reference.place(&"D1".into()).expect("a known desk");
    assert_eq!((place.site.as_str(), place.desk.as_str()), ("S1", "D1"));
}

#[test]
fn other_facts_change_no_reference_data() {
    let mut reference = imported(vec![version(1)]);
    reference.apply(&event("R1", "08:00", "08:00", Body::ClockTicked { now: Time(0) }));
    assert!(reference.rounds.is_empty() && reference.kits.len() == 1);
}
