//! The notebook: facts written one line each, as a desk or a laboratory would note them, and read
//! into events. No line is judged by reference data: what the writer stamps is said in the line.
//!
//! ```text
//! 09:00 desk D1 collect T1 pool 10 members P1..P10     desk D1 swab T1 P11 pool 10
//! withdraw T1 P3        correct T1 P3 P99              seal T1 10
//! pack B1 T1 T2         hand B1 L1                     box B1 L1 T1      (no tubes: unopened)
//! receive T1 L1         reject T1 leaking              lose T1           void T1 misread T9
//! load PL1 L1 kit K1 A1=T1 A2=T2                       reassess PL1 K1/2
//! run PL1 R1 A1=neg A2=pos                             run PL1 R1 A1=2500/0/2800 controls failed
//! review T1 R1,R2       review T1 R1 negative          amend T1 negative release L1 T1 T2
//! ```
//!
//! A line may begin with its time (a minute after the line before it, if not) and may hold
//! `as S1/7` (fact id), `round R2`, and `!LotExpired` (a discrepancy stamped on the fact).

use crate::domain::calling::{CallingRule, TargetRule};
use crate::domain::discrepancy::{Discrepancies, Discrepancy};
use crate::domain::fact::{
    Body, Event, Fact, FactId, Member, Place, Reading, Stamps, Well, WellContent,
};
use crate::domain::words::{Call, Code, Condition, Control, RejectReason, VoidReason};
use crate::domain::{PersonKey, Time};
use std::sync::Arc;

/// Where the controls stand on every plate of a notebook.
const BLANK_AT: u16 = 93;
const POSITIVE_AT: u16 = 94;
const NEGATIVE_AT: u16 = 95;

/// A time of the notebook's one day.
pub fn clock(text: &str) -> Time {
    let mut parts = text.split(':').map(|part| part.parse::<i64>().expect("a time like 09:05"));
    let mut part = || parts.next().unwrap_or(0);
    Time((part() * 3_600 + part() * 60 + part()) * 1_000)
}

/// `P7` has the key 7.
pub fn person(text: &str) -> PersonKey {
    let number: u64 =
        text.strip_prefix('P').and_then(|n| n.parse().ok()).expect("a person like P7");
    let mut key = [0; 16];
    key[8..].copy_from_slice(&number.to_be_bytes());
    PersonKey(key)
}

/// `P1..P3,P9` is four people; `nobody` is none.
pub fn people(text: &str) -> Vec<PersonKey> {
    let one = |part: &str| match part.split_once("..") {
        Some((from, to)) => {
            let number = |p: &str| p[1..].parse::<u64>().expect("people like P1..P10");
            (number(from)..=number(to)).map(|n| person(&format!("P{n}"))).collect()
        }
        None => vec![person(part)],
    };
    text.split(',').filter(|part| *part != "nobody").flat_map(one).collect()
}

/// A named member of a closed list: `single-target` is `SingleTarget`.
pub fn named<T: Copy>(all: &[T], name: fn(T) -> &'static str, text: &str) -> Option<T> {
    let wanted = text.replace('-', "");
    all.iter().copied().find(|one| name(*one).eq_ignore_ascii_case(&wanted))
}

fn must<T: Copy>(all: &[T], name: fn(T) -> &'static str, text: &str) -> T {
    named(all, name, text).unwrap_or_else(|| panic!("`{text}` is not in the list"))
}

pub fn call(text: &str) -> Option<Call> {
    named(Call::ALL, Call::name, text)
}

pub fn odd(text: &str) -> Discrepancies {
    let names = text.split(',').filter(|name| *name != "none");
    names.map(|name| must(Discrepancy::ALL, Discrepancy::name, name)).collect()
}

/// The kits of the notebook. `K1` has two targets with a grey zone and an internal control; `K2`
/// cuts off later, has no grey zone and no internal control; `K3` is unknown. `K1/2` is the second
/// version of `K1`, which detects what was grey.
pub fn kit(name: &str) -> Option<Arc<CallingRule>> {
    let target = |name: &str, is_internal_control, cut_off, grey_to| TargetRule {
        name: name.into(),
        is_internal_control,
        cut_off,
        grey_to,
    };
    let targets = match name {
        "K1/2" => vec![
            target("ORF1ab", false, 4_000, 0),
            target("N", false, 4_000, 0),
            target("IC", true, 3_500, 0),
        ],
        "K1" => vec![
            target("ORF1ab", false, 3_800, 4_000),
            target("N", false, 3_800, 4_000),
            target("IC", true, 3_500, 0),
        ],
        "K2" => vec![target("E", false, 4_000, 0), target("RdRp", false, 4_000, 0)],
        _ => return None,
    };
    let (code, version) = name.split_once('/').unwrap_or((name, "1"));
    Some(Arc::new(CallingRule {
        kit: code.into(),
        version: version.parse().expect("a version"),
        targets,
        positive_controls_min: 1,
        negative_controls_min: 1,
    }))
}

fn targets_of(kit: &str) -> Vec<Code> {
    if kit == "K2" {
        return vec!["E".into(), "RdRp".into()];
    }
    vec!["ORF1ab".into(), "N".into(), "IC".into()]
}

/// A reading by name, or Ct values in hundredths with strokes between them.
fn cts(text: &str) -> Vec<u16> {
    match text {
        "pos" => vec![2_500, 2_600, 2_800],
        "one" => vec![2_500, 0, 2_800],
        "grey" => vec![0, 3_900, 2_800],
        "neg" => vec![0, 0, 2_800],
        "inv" => vec![0, 0, 0],
        raw => raw.split('/').map(|ct| ct.parse().expect("a Ct")).collect(),
    }
}

fn position(text: &str) -> u16 {
    let column: u16 = text[1..].parse().expect("a well like A1");
    u16::from(text.as_bytes()[0] - b'A') * 12 + column - 1
}

/// The words of a line, taken out one by one.
struct Words<'a>(Vec<&'a str>);

impl<'a> Words<'a> {
    fn next(&mut self) -> &'a str {
        self.0.remove(0)
    }

    fn code(&mut self) -> Code {
        Code::from(self.next())
    }

    fn number(&mut self) -> u16 {
        self.next().parse().expect("a number")
    }

    /// What stands behind a key word, wherever that is.
    fn after(&mut self, key: &str) -> Option<&'a str> {
        let at = self.0.iter().position(|word| *word == key)?;
        self.0.remove(at);
        Some(self.0.remove(at))
    }

    /// The first word that begins so, without its beginning.
    fn beginning(&mut self, with: &str) -> Option<&'a str> {
        let at = self.0.iter().position(|word| word.starts_with(with))?;
        Some(&self.0.remove(at)[with.len()..])
    }

    fn has(&mut self, word: &str) -> bool {
        let at = self.0.iter().position(|other| *other == word);
        at.map(|at| self.0.remove(at)).is_some()
    }

    fn rest(&mut self) -> Vec<&'a str> {
        std::mem::take(&mut self.0)
    }

    fn codes(&mut self) -> Vec<Code> {
        self.rest().into_iter().map(Code::from).collect()
    }
}

/// Reads lines into events.
pub struct Notebook {
    now: Time,
    lines: u64,
}

impl Default for Notebook {
    fn default() -> Self {
        Notebook { now: clock("08:00"), lines: 0 }
    }
}

impl Notebook {
    /// Every line of a text that holds only facts.
    pub fn read(text: &str) -> Vec<Event> {
        let mut notebook = Notebook::default();
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.map(|line| notebook.line(line)).collect()
    }

    /// One fact.
    pub fn line(&mut self, line: &str) -> Event {
        let mut words = Words(line.split_whitespace().collect());
        self.lines += 1;
        self.now = match words.0[0].contains(':') {
            true => clock(words.next()),
            false => self.now.plus_ms(60_000),
        };
        let id = words.after("as").map_or(("notes", self.lines), |id| {
            let (source, number) = id.split_once('/').expect("an id like S1/7");
            (source, number.parse().expect("a number"))
        });
        let round = Code::from(words.after("round").unwrap_or("R1"));
        let place = words.after("desk").map(place);
        let flags = words.beginning("!").map_or(Discrepancies::NONE, odd);
        let (body, rule) = body(&mut words, place.as_ref());
        assert!(words.0.is_empty(), "left over in `{line}`: {:?}", words.0);
        let id = FactId { source: id.0.into(), epoch: 1, number: id.1 };
        let stamps = Stamps {
            recorded_at: self.now,
            round: round.clone(),
            place,
            rule,
            flags,
            ..Stamps::default()
        };
        let fact = Fact { id, captured_at: self.now, round, body };
        Event { seq: 0, fact, stamps, found: Discrepancies::NONE }
    }
}

/// Desk `D12` stands at site `S1` of district `X1`; `D3` at `S3` of `X3`.
fn place(desk: &str) -> Place {
    let digit = &desk[1..2];
    Place {
        district: format!("X{digit}").into(),
        site: format!("S{digit}").into(),
        desk: desk.into(),
    }
}

fn body(words: &mut Words<'_>, place: Option<&Place>) -> (Body, Option<Arc<CallingRule>>) {
    let member = |person| Member { person, id_check_failed: false };
    let (device, lot) = (Code::default(), Code::default());
    let desk = place.map(|place| place.desk.clone()).unwrap_or_default();
    let body = match words.next() {
        "collect" => {
            let pool = words.after("pool").map_or(10, |n| n.parse().expect("a pool size"));
            let members = people(words.after("members").expect("members"));
            let members = members.into_iter().map(member).collect();
            Body::TubeCollected { tube: words.code(), pool, desk, device, lot, members }
        }
        "swab" => {
            let pool = words.after("pool").map_or(10, |n| n.parse().expect("a pool size"));
            let (tube, member) = (words.code(), member(person(words.next())));
            Body::PersonSwabbed { tube, pool, desk, device, lot, member }
        }
        "withdraw" => Body::MemberWithdrawn { tube: words.code(), person: person(words.next()) },
        "correct" => Body::MemberCorrected {
            tube: words.code(),
            old: person(words.next()),
            new: member(person(words.next())),
        },
        "seal" => Body::TubeSealed { tube: words.code(), swabs: words.number() },
        "pack" => Body::TubesPacked { container: words.code(), tubes: words.codes() },
        "hand" => Body::BoxHandedOver {
            container: words.code(),
            carrier: Code::default(),
            // `-`: it was not said where to.
            lab: Code::from(words.next().trim_matches('-')),
        },
        "box" => {
            Body::BoxReceived { container: words.code(), lab: words.code(), tubes: words.codes() }
        }
        "receive" => {
            Body::TubeReceived { tube: words.code(), lab: words.code(), condition: Condition::Good }
        }
        "reject" => {
            let lab = words.after("by").map(Code::from).unwrap_or_default();
            let (tube, reason) = (words.code(), words.next());
            let reason = must(RejectReason::ALL, RejectReason::name, reason);
            Body::TubeRejected { tube, lab, reason }
        }
        "lose" => Body::TubeLost { tube: words.code() },
        "void" => {
            let (tube, reason) = (words.code(), words.next());
            let reason = must(VoidReason::ALL, VoidReason::name, reason);
            let replaced_by =
                words.rest().first().map(|code| Code::from(*code)).unwrap_or_default();
            Body::TubeVoided { tube, reason, replaced_by }
        }
        "load" => return load(words),
        "run" => run(words),
        "reassess" => {
            let plate = words.code();
            return (Body::PlateReassessed { plate }, kit(words.next()));
        }
        "review" => {
            let (tube, runs) = (words.code(), words.next());
            let runs = runs.split(',').filter(|run| *run != "-").map(Code::from).collect();
            let call = words.rest().first().and_then(|word| call(word));
            Body::CallReviewed { tube, runs, call, reviewer: Code::default() }
        }
        "amend" => Body::ResultAmended {
            tube: words.code(),
            call: must(Call::ALL, Call::name, words.next()),
            reason: Code::default(),
        },
        "release" => Body::ResultReleased { lab: words.code(), tubes: words.codes() },
        other => panic!("no such verb: {other}"),
    };
    (body, None)
}

fn load(words: &mut Words<'_>) -> (Body, Option<Arc<CallingRule>>) {
    let name = words.after("kit").unwrap_or("K1");
    let controls = [
        ("blank", BLANK_AT, Control::Blank),
        ("pos", POSITIVE_AT, Control::Positive),
        ("neg", NEGATIVE_AT, Control::Negative),
    ];
    // Every plate of the notebook has the controls that it needs, unless it is said to be bare.
    let bare = words.has("bare");
    let controls =
        controls.into_iter().filter(|(word, ..)| words.has(word) || (!bare && *word != "blank"));
    let mut wells: Vec<Well> = controls
        .map(|(_, position, kind)| Well { position, content: WellContent::Control(kind) })
        .collect();
    let (plate, lab) = (words.code(), words.code());
    wells.extend(words.rest().into_iter().map(|well| {
        let (at, tube) = well.split_once('=').expect("a well like A1=T1");
        Well { position: position(at), content: WellContent::Tube(tube.into()) }
    }));
    let body = Body::PlateLoaded { plate, lab, kit: name.into(), kit_lot: Code::default(), wells };
    (body, kit(name))
}

fn run(words: &mut Words<'_>) -> Body {
    let failed = words.after("controls").is_some_and(|how| how == "failed");
    let targets = match words.after("targets") {
        Some(names) => names.split(',').map(Code::from).collect(),
        None => targets_of(words.after("kit").unwrap_or("K1")),
    };
    let reading = |position, text: &str| {
        let mut cts = cts(text);
        cts.truncate(targets.len());
        Reading { position, cts }
    };
    let (plate, run) = (words.code(), words.code());
    let mut readings = vec![
        reading(BLANK_AT, "neg"),
        reading(POSITIVE_AT, "pos"),
        reading(NEGATIVE_AT, if failed { "pos" } else { "neg" }),
    ];
    readings.extend(words.rest().into_iter().map(|well| {
        let (at, text) = well.split_once('=').expect("a reading like A1=neg");
        reading(position(at), text)
    }));
    let (lab, instrument) = (Code::default(), Code::default());
    Body::RunReported { plate, run, lab, instrument, targets, readings }
}
