//! Tables: a notebook with what must be so written between its lines. `check` folds it in several
//! orders of arrival and compares.
//!
//! ```text
//! T1 -> released negative members P1..P10 lab L1
//! T2 -> resulted positive held need PoolPositive odd RunsDisagree
//! P3 -> recall open PoolPositive T2; recollection closed TubeLost T5 by T9 negative
//! B1 -> lab L1          PL1 -> lab L1 runs 2 odd ControlsFailed
//! figures desk D1 -> tubes=2 tubes.released=1 swabs.released=10 recalls=10 odd.TubeReused=0
//! answer -> PoolOverfilled                 (to the fact just above)
//! ```
//!
//! Status, call, held, need and odd are always compared: what a line does not say must not be so.

use super::ledger::Ledger;
use super::notebook::{Notebook, call, clock, named, odd, people, person};
use crate::domain::counters::{CellKey, Counter, Figures};
use crate::domain::discrepancy::{Discrepancies, Discrepancy};
use crate::domain::fact::Event;
use crate::domain::tube::TubeView;
use crate::domain::words::{Call, Code, Status};
use std::fmt::Debug;

/// Folds a table in several ways and compares what it says with what is so.
#[track_caller]
pub fn check(table: &str) {
    let mut notebook = Notebook::default();
    let mut events: Vec<Event> = Vec::new();
    let mut ledger = Ledger::of(&[]);
    let mut last: Vec<&str> = Vec::new();
    let lines = table.lines().map(|line| line.split('#').next().unwrap_or("").trim());
    for line in lines.filter(|line| !line.is_empty()) {
        if let Some((subject, said)) = line.split_once("->") {
            expect("in order", &ledger, subject.trim(), said.trim());
            last.push(line);
        } else {
            last.clear();
            let event = notebook.line(line);
            ledger.commit(std::slice::from_ref(&event));
            events.push(event);
        }
    }
    assert!(!last.is_empty(), "a table ends with what must be so");
    ledger.must_add_up();

    let reversed: Vec<Event> = events.iter().rev().cloned().collect();
    let mut at_once = Ledger::of(&[]);
    at_once.commit(&events);
    let mut twice = Ledger::keeping(0);
    for event in reversed.iter().step_by(2).chain(&events).chain(&reversed) {
        twice.commit(std::slice::from_ref(event));
    }
    let ways = [
        ("backwards", Ledger::of(&reversed)),
        ("in one batch", at_once),
        ("twice, from the store", twice),
    ];
    for (way, ledger) in &ways {
        for line in last.iter().filter(|line| !line.starts_with("answer")) {
            let (subject, said) = line.split_once("->").expect("a line that was read before");
            expect(way, ledger, subject.trim(), said.trim());
        }
        ledger.must_add_up();
    }
}

#[track_caller]
fn same(way: &str, line: &str, is: impl Debug, said: impl Debug) {
    let (is, said) = (format!("{is:?}"), format!("{said:?}"));
    assert_eq!(is, said, "{way}: `{line}`: is (left), must be (right)");
}

#[track_caller]
fn expect(way: &str, ledger: &Ledger, subject: &str, said: &str) {
    let line = format!("{subject} -> {said}");
    let code = || Code::from(subject);
    match (subject.as_bytes()[0], subject.as_bytes().get(1)) {
        _ if subject == "answer" => {
            same(way, &line, names(ledger.found), names(odd(said)));
        }
        _ if subject.starts_with("figures") => figures(way, ledger, subject, said),
        (b'T', _) => {
            let record = ledger.tubes.get(&code()).unwrap_or_else(|| panic!("{way}: no {subject}"));
            tube(way, &line, &record.view(), said);
        }
        (b'B', _) => {
            let record = ledger.boxes.get(&code()).unwrap_or_else(|| panic!("{way}: no {subject}"));
            holder(way, &line, (record.lab(), 0), record.discrepancies(), said);
        }
        (b'P', Some(b'L')) => {
            let record =
                ledger.plates.get(&code()).unwrap_or_else(|| panic!("{way}: no {subject}"));
            holder(way, &line, (record.lab(), record.run_count()), record.discrepancies(), said);
        }
        (b'P', _) => {
            let needs = ledger
                .people
                .get(&person(subject))
                .map_or(Vec::new(), |record| record.needs().map(|need| need_text(&need)).collect());
            let is = if needs.is_empty() { "nothing".to_owned() } else { needs.join("; ") };
            same(way, &line, is, said);
        }
        _ => panic!("nothing is said of {subject}"),
    }
}

fn need_text(need: &crate::domain::person::Need<'_>) -> String {
    let kind = if need.reason.is_recall() { "recall" } else { "recollection" };
    let (reason, tube) = (need.reason.name(), need.tube);
    match need.closed_by {
        None => format!("{kind} open {reason} {tube}"),
        Some((by, call)) => {
            format!("{kind} closed {reason} {tube} by {by} {}", call.name().to_lowercase())
        }
    }
}

fn names(set: Discrepancies) -> Vec<&'static str> {
    set.iter().map(Discrepancy::name).collect()
}

#[track_caller]
fn tube(way: &str, line: &str, view: &TubeView, said: &str) {
    let mut words = said.split_whitespace();
    let status = words.next().and_then(|word| named(Status::ALL, Status::name, word));
    let (mut said_call, mut held, mut need, mut set) = (None, false, "none", Discrepancies::NONE);
    while let Some(word) = words.next() {
        if let Some(call) = call(word) {
            said_call = Some(call);
            continue;
        }
        if word == "held" {
            held = true;
            continue;
        }
        let value = words.next().unwrap_or_else(|| panic!("`{line}`: {word} of what?"));
        match word {
            "need" => need = value,
            "odd" => set = odd(value),
            "members" => same(way, line, &view.members, people(value)),
            "lab" => same(way, line, &view.lab, value),
            "round" => same(way, line, &view.round, value),
            "desk" => same(way, line, &view.place.desk, value),
            "pool" => same(way, line, view.pool.to_string(), value),
            "sampled" => same(way, line, view.sampled_at, Some(clock(value))),
            "released-at" => same(way, line, view.released_at, Some(clock(value))),
            other => panic!("`{line}`: nothing is known of {other}"),
        }
    }
    let is_need = view.need.map_or("none", |reason| reason.name());
    same(
        way,
        line,
        (Some(view.status), view.call, view.held, is_need, names(view.discrepancies)),
        (status, said_call, held, need, names(set)),
    );
    // The release time is told exactly of a released tube.
    same(way, line, view.released_at.is_some(), view.status == Status::Released);
}

#[track_caller]
fn holder(way: &str, line: &str, is: (Code, usize), odd_is: Discrepancies, said: &str) {
    let words: Vec<&str> = said.split_whitespace().collect();
    let mut set = Discrepancies::NONE;
    for pair in words.chunks(2) {
        match pair[0] {
            "lab" => same(way, line, &is.0, pair[1]),
            "runs" => same(way, line, is.1.to_string(), pair[1]),
            "odd" => set = odd(pair[1]),
            other => panic!("`{line}`: nothing is known of {other}"),
        }
    }
    same(way, line, names(odd_is), names(set));
}

#[track_caller]
fn figures(way: &str, ledger: &Ledger, subject: &str, said: &str) {
    let words: Vec<&str> = subject.split_whitespace().skip(1).collect();
    let wanted = |cell: &CellKey| {
        words.chunks(2).all(|pair| {
            let part = match pair[0] {
                "round" => &cell.round,
                "district" => &cell.district,
                "site" => &cell.site,
                "desk" => &cell.desk,
                "lab" => &cell.lab,
                other => panic!("no figures of {other}"),
            };
            // `-` is where the code is not known.
            part == if pair[1] == "-" { "" } else { pair[1] }
        })
    };
    let sum = ledger.sum(wanted);
    for pair in said.split_whitespace() {
        let (name, figure) = pair.split_once('=').expect("a figure like tubes=2");
        same(way, &format!("{subject} -> {pair}"), self::figure(&sum, name).to_string(), figure);
    }
}

fn figure(sum: &Figures, name: &str) -> i64 {
    let status = |text| named(Status::ALL, Status::name, text).expect("a status");
    match name.split_once('.') {
        Some(("tubes", of)) => sum.get(Counter::tubes(status(of))),
        Some(("singles", of)) => sum.get(Counter::singles(status(of))),
        Some(("swabs", of)) => sum.get(Counter::swabs(status(of))),
        Some(("call", of)) => {
            sum.get(Counter::call(named(Call::ALL, Call::name, of).expect("a call")))
        }
        Some(("odd", of)) => {
            let one = named(Discrepancy::ALL, Discrepancy::name, of).expect("a discrepancy");
            sum.get(Counter::discrepancy(one.number()))
        }
        _ => match name {
            "tubes" => sum.tubes_total(),
            "swabs" => sum.swabs_total(),
            "recalls" => sum.get(Counter::RECALLS),
            "recalls-closed" => sum.get(Counter::RECALLS_CLOSED),
            "recollections" => sum.get(Counter::RECOLLECTIONS),
            "recollections-closed" => sum.get(Counter::RECOLLECTIONS_CLOSED),
            "boxes" => sum.get(Counter::BOXES),
            "boxes-packed" => sum.get(Counter::BOXES_PACKED),
            "boxes-on-their-way" => sum.get(Counter::BOXES_IN_TRANSIT),
            "boxes-received" => sum.get(Counter::BOXES_RECEIVED),
            "plates" => sum.get(Counter::PLATES),
            "runs" => sum.get(Counter::RUNS),
            other => panic!("no figure {other}"),
        },
    }
}
