//! For tests: a story told line by line, folded by the real fold.
//!
//! A line is `minute verb words`. People are single letters, tubes and other codes are words, lists
//! are split by commas. A run says one sign for each tube of its plate, in the order of the
//! loading: `+` positive, `1` single target, `?` grey, `!` invalid, `-` negative. `open` names the
//! round that the following lines belong to; the desk of a collection may follow as `D/S/K`.

use super::person::Traces;
use crate::domain::boxes::BoxRecord;
use crate::domain::calling::{CallingRule, TargetRule};
use crate::domain::fact::{
    Body, Event, Fact, FactId, Member, Place, Reading, Stamps, Well, WellContent,
};
use crate::domain::plate::PlateRecord;
use crate::domain::reference::Reference;
use crate::domain::tube::TubeRecord;
use crate::domain::words::{Call, Code, Condition, PersonKey, RejectReason, Time, VoidReason};
use crate::domain::world::World;
use crate::store::RosterPart;
use crate::store::{Commit, FolderKind, Layer, Options, Store};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// Key of the person with this letter.
pub fn key(letter: char) -> PersonKey {
    PersonKey([letter as u8; 16])
}

/// The time at a minute of the story.
pub fn minutes(minute: i64) -> Time {
    Time(minute * 60_000)
}

/// A told story.
#[derive(Default)]
pub struct Story {
    pub events: Vec<Event>,
    world: World,
    codes: BTreeSet<Code>,
    round: Code,
}

impl Story {
    pub fn told(lines: &str) -> Story {
        let mut story = Story { round: "A".into(), ..Story::default() };
        lines.lines().map(str::trim).filter(|line| !line.is_empty()).for_each(|line| {
            story.tell(line);
        });
        story
    }

    /// Tells one more line.
    pub fn tell(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let minute: i64 = words[0].parse().expect("a line begins with its minute");
        if words[1] == "open" {
            self.round = words[2].into();
        }
        let (body, place) = self.body(&words[1..]);
        let seq = self.events.len() as u64 + 1;
        let rule = matches!(body, Body::PlateLoaded { .. }).then(|| Arc::new(rule()));
        let fact = Fact {
            id: FactId { source: "story".into(), epoch: 1, number: seq },
            captured_at: minutes(minute),
            round: self.round.clone(),
            body,
        };
        let stamps = Stamps {
            recorded_at: minutes(minute),
            round: self.round.clone(),
            place,
            rule,
            ..Stamps::default()
        };
        let mut event = Event { seq, fact, stamps, found: Default::default() };
        self.load(&event.fact.body);
        self.world.apply(&mut event);
        self.events.push(event);
    }

    fn load(&mut self, body: &Body) {
        if let Some(code) = body.container() {
            self.world.load_box(code.clone(), None);
        }
        if let Some(code) = body.plate() {
            self.world.load_plate(code.clone(), None);
        }
        let tubes: Vec<Code> = body.tubes().chain(self.world.wants_listed(body)).cloned().collect();
        for tube in tubes {
            self.world.load_tube(tube.clone(), None);
            self.codes.insert(tube);
        }
    }

    /// Commits everything told so far to a new store, as one batch.
    pub fn stored(mut self, dir: &Path) -> Store {
        let mut changes = self.world.settle();
        let people: Vec<PersonKey> = changes.wants_people().copied().collect();
        people.into_iter().for_each(|person| self.world.load_person(person, None));
        self.world.settle_people(&mut changes);
        let mut store =
            Store::open(dir, Some(FolderKind::Drill), &Options::default()).expect("a new folder");
        let cells = changes.deltas.0.into_iter();
        let layer = Layer::new(&self.events, &self.world, cells, std::iter::empty(), &changes.odd);
        let commit = Commit { events: self.events, layer };
        store.commit(&commit).expect("a disk that works");
        store
    }

    /// Every tube, in code order.
    pub fn tubes(&self) -> impl Iterator<Item = (&Code, &TubeRecord)> {
        self.codes.iter().filter_map(|code| Some((code, self.world.tube(code)?)))
    }

    pub fn tube(&self, code: &str) -> &TubeRecord {
        self.world.tube(&code.into()).expect("the story names the tube")
    }

    pub fn container(&self, code: &str) -> Option<&BoxRecord> {
        self.world.container(&code.into())
    }

    pub fn plate(&self, code: &str) -> Option<&PlateRecord> {
        self.world.plate(&code.into())
    }

    /// The person index: ascending, each pair once.
    pub fn entries(&self) -> BTreeSet<(PersonKey, u64)> {
        let of = |event: &Event| {
            let seq = event.seq;
            event.fact.body.people().map(move |person| (person, seq)).collect::<Vec<_>>()
        };
        self.events.iter().flat_map(of).collect()
    }

    pub fn rosters(&self) -> Vec<Event> {
        let is = |event: &&Event| matches!(event.fact.body, Body::RosterImported { .. });
        self.events.iter().filter(is).cloned().collect()
    }

    pub fn traces(&self, letter: char) -> Traces {
        let person = key(letter);
        let named: Vec<&Event> = self
            .events
            .iter()
            .filter(|event| event.fact.body.people().any(|other| other == person))
            .collect();
        let codes: BTreeSet<&Code> = named.iter().filter_map(|e| e.fact.body.tube()).collect();
        Traces {
            key: person,
            rosters: named.iter().filter_map(|e| RosterPart::of(e).map(Arc::new)).collect(),
            tubes: codes
                .into_iter()
                .map(|code| (code.clone(), Arc::new(self.tube(code).clone())))
                .collect(),
        }
    }

    pub fn reference(&self) -> Reference {
        let mut reference = Reference::default();
        self.events.iter().for_each(|event| reference.apply(event));
        reference
    }

    fn body(&mut self, words: &[&str]) -> (Body, Option<Place>) {
        let code = |at: usize| words.get(at).map_or(Code::default(), |word| Code::from(*word));
        let codes = |at: usize| -> Vec<Code> {
            words.get(at).map_or(Vec::new(), |list| list.split(',').map(Code::from).collect())
        };
        let person = |at: usize| key(words[at].chars().next().expect("a letter"));
        let member = |person| Member { person, id_check_failed: false };
        let people = |at: usize| -> Vec<PersonKey> {
            words[at].split(',').map(|p| key(p.chars().next().expect("a letter"))).collect()
        };
        let number = |at: usize| words[at].parse::<u16>().expect("a number");
        let place = || {
            let mut parts = words.get(4).unwrap_or(&"D1/S1/K1").split('/').map(Code::from);
            let mut part = || parts.next().unwrap_or_default();
            Some(Place { district: part(), site: part(), desk: part() })
        };
        let (tube, empty) = (code(1), Code::default());
        let body = match words[0] {
            "swab" => {
                let (pool, member) = (number(2), member(person(3)));
                let (desk, device, lot) = (empty.clone(), empty.clone(), empty);
                return (Body::PersonSwabbed { tube, pool, desk, device, lot, member }, place());
            }
            "collect" => {
                let (pool, members) = (number(2), people(3).into_iter().map(member).collect());
                let (desk, device, lot) = (empty.clone(), empty.clone(), empty);
                return (Body::TubeCollected { tube, pool, desk, device, lot, members }, place());
            }
            "withdraw" => Body::MemberWithdrawn { tube, person: person(2) },
            "correct" => Body::MemberCorrected { tube, old: person(2), new: member(person(3)) },
            "seal" => Body::TubeSealed { tube, swabs: number(2) },
            "pack" => Body::TubesPacked { container: tube, tubes: codes(2) },
            "hand" => Body::BoxHandedOver { container: tube, carrier: empty, lab: code(2) },
            "take" => Body::BoxReceived { container: tube, lab: code(2), tubes: codes(3) },
            "receive" => Body::TubeReceived { tube, lab: code(2), condition: Condition::Good },
            "reject" => Body::TubeRejected { tube, lab: code(2), reason: RejectReason::Leaking },
            "lose" => Body::TubeLost { tube },
            "void" => {
                let reason = match words[2] {
                    "misread" => VoidReason::Misread,
                    _ => VoidReason::Contaminated,
                };
                Body::TubeVoided { tube, reason, replaced_by: empty }
            }
            "plate" => {
                let wells = codes(3).into_iter().map(WellContent::Tube).zip(0..);
                let wells = wells.map(|(content, position)| Well { position, content }).collect();
                let (plate, kit, kit_lot) = (code(1), Code::from("kit"), empty);
                Body::PlateLoaded { plate, lab: code(2), kit, kit_lot, wells }
            }
            "run" => {
                let signs = words[3].chars().zip(0..);
                let targets = vec!["ORF1ab".into(), "N".into(), "IC".into()];
                let readings =
                    signs.map(|(sign, position)| Reading { position, cts: cts(sign) }).collect();
                let (plate, run, instrument) = (code(1), code(2), empty.clone());
                Body::RunReported { plate, run, lab: empty, instrument, targets, readings }
            }
            "review" => {
                let call = Some(call(words[2]));
                Body::CallReviewed { tube, runs: Vec::new(), call, reviewer: empty }
            }
            "amend" => Body::ResultAmended { tube, call: call(words[2]), reason: empty },
            "release" => Body::ResultReleased { lab: "L".into(), tubes: codes(1) },
            "roster" => {
                Body::RosterImported { roster: code(1), district: code(2), persons: people(3) }
            }
            "open" => Body::RoundOpened { name: code(1), key_id: code(1), pool: 10 },
            other => panic!("no such verb: {other}"),
        };
        (body, None)
    }
}

fn call(sign: &str) -> Call {
    match sign {
        "+" => Call::Positive,
        "1" => Call::SingleTarget,
        "?" => Call::Grey,
        "!" => Call::Invalid,
        _ => Call::Negative,
    }
}

fn cts(sign: char) -> Vec<u16> {
    match sign {
        '+' => vec![3_000, 3_000, 2_500],
        '1' => vec![3_000, 0, 2_500],
        '?' => vec![3_900, 0, 2_500],
        '!' => vec![0, 0, 0],
        _ => vec![0, 0, 2_500],
    }
}

fn rule() -> CallingRule {
    let target = |name: &str, is_internal_control| TargetRule {
        name: name.into(),
        is_internal_control,
        cut_off: 3_800,
        grey_to: 4_000,
    };
    CallingRule {
        kit: "kit".into(),
        version: 1,
        targets: vec![target("ORF1ab", false), target("N", false), target("IC", true)],
        positive_controls_min: 0,
        negative_controls_min: 0,
    }
}
