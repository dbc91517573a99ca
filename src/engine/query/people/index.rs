//! The first pass: what a tube or a roster says of the people that an event names.

use super::merge::Person;
use crate::domain::certificate;
use crate::domain::fact::{Body, Event, FactId};
use crate::domain::tube::{TubeRecord, TubeView, What};
use crate::domain::words::{Code, PersonKey, Status, Time};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Numbers of a page of [`Pages`].
const PAGE_COUNT: usize = 4_096;

/// What an event stands for, by its sequence. Pages exist only where the round has events, so a
/// folder with many rounds costs what the one round costs: 4 bytes for each event of its time.
#[derive(Default)]
struct Pages(Vec<Option<Box<[u32; PAGE_COUNT]>>>);

impl Pages {
    fn set(&mut self, seq: u64, what: u32) {
        let (page, at) = Self::split(seq);
        if self.0.len() <= page {
            self.0.resize_with(page + 1, || None);
        }
        self.0[page].get_or_insert_with(|| Box::new([NOTHING; PAGE_COUNT]))[at] = what;
    }

    fn get(&self, seq: u64) -> u32 {
        let (page, at) = Self::split(seq);
        self.0.get(page).and_then(Option::as_ref).map_or(NOTHING, |page| page[at])
    }

    fn split(seq: u64) -> (usize, usize) {
        let seq = usize::try_from(seq).expect("a sequence fits into memory's own numbers");
        (seq / PAGE_COUNT, seq % PAGE_COUNT)
    }
}

/// The event says nothing of this round's people.
const NOTHING: u32 = u32::MAX;

/// Set on the number of a roster, clear on the number of a tube.
const ROSTER: u32 = 1 << 31;

/// What an event says of the people that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// Nothing that counts in this round.
    Nothing,
    /// They are on the roster of this rank.
    OnRoster(u32),
    /// They are in this tube, which is live.
    InTube(u32),
    /// They are in a tube that is void, in the district of this number.
    InVoid(u32),
}

const LIVE: u8 = 1;
const RESULTED: u8 = 2;
const NEED: u8 = 4;
const SINGLE: u8 = 8;
/// Somebody whom an event names is not in the tube any more.
const LEFT: u8 = 16;

/// What people need to know of a tube: 16 bytes.
struct Brief {
    sampled_at: Time,
    district: u32,
    flags: u8,
}

/// A part of a roster, as imported.
type Import = ((Time, FactId), u64, Code, Code);

/// The roster imports of a round, in whatever order they come.
#[derive(Default)]
pub struct Rosters(Vec<Import>);

impl Rosters {
    /// Takes an event; others than this round's rosters are passed over.
    pub fn add(&mut self, event: &Event, round: &Code) {
        if let Body::RosterImported { roster, district, .. } = &event.fact.body
            && event.stamps.round == *round
        {
            let order = (event.captured(), event.fact.id.clone());
            self.0.push((order, event.seq, roster.clone(), district.clone()));
        }
    }
}

/// Everything that the merge looks up.
pub struct Index {
    round: Code,
    events: Pages,
    tubes: Vec<Brief>,
    /// Barcodes of the tubes, when a list of them is wanted.
    codes: Option<Vec<Code>>,
    /// (person, tube) of those who were taken out.
    left: HashSet<(PersonKey, u32)>,
    /// Roster and district number by rank: the higher rank was imported later.
    rosters: Vec<(Code, u32)>,
    districts: Vec<Code>,
    numbers: HashMap<Code, u32>,
}

impl Index {
    pub fn new(round: Code, with_codes: bool) -> Index {
        Index {
            round,
            events: Pages::default(),
            tubes: Vec::new(),
            codes: with_codes.then(Vec::new),
            left: HashSet::new(),
            rosters: Vec::new(),
            districts: Vec::new(),
            numbers: HashMap::new(),
        }
    }

    /// Takes a tube. Tubes come in code order; those of other rounds and those whose collection is
    /// not known are passed over.
    pub fn add_tube(&mut self, code: &Code, record: &TubeRecord) {
        let view = record.view();
        if view.round != self.round || view.status == Status::Awaiting {
            return;
        }
        let number = u32::try_from(self.tubes.len()).ok().filter(|number| *number < ROSTER - 1);
        let number = number.expect("a round has fewer than two billion tubes");
        let mut flags = 0;
        let mut set = |so: bool, flag: u8| flags |= if so { flag } else { 0 };
        set(view.is_live(), LIVE);
        set(certificate::given(&view).is_some(), RESULTED);
        set(view.need.is_some(), NEED);
        set(view.is_single(), SINGLE);
        set(self.note_left(record, &view, number), LEFT);
        for mark in &record.marks {
            if matches!(mark.what, What::Collected { .. } | What::Corrected(..)) {
                self.events.set(mark.origin.seq, number);
            }
        }
        let district = self.number(&view.place.district);
        let sampled_at = view.sampled_at.unwrap_or_default();
        self.tubes.push(Brief { sampled_at, district, flags });
        if let Some(codes) = &mut self.codes {
            codes.push(code.clone());
        }
    }

    /// Notes whom the tube's events name and who is not in it; true when there is anybody.
    fn note_left(&mut self, record: &TubeRecord, view: &TubeView, number: u32) -> bool {
        let takes_back = |what: &What| matches!(what, What::Withdrawn(_) | What::Corrected(..));
        if !record.marks.iter().any(|mark| takes_back(&mark.what)) {
            return false;
        }
        let mut named = BTreeSet::new();
        for mark in &record.marks {
            match &mark.what {
                What::Collected { members, .. } => named.extend(members.iter().copied()),
                What::Corrected(_, new) => drop(named.insert(*new)),
                _ => {}
            }
        }
        let before = self.left.len();
        let left = named.into_iter().filter(|person| view.members.binary_search(person).is_err());
        self.left.extend(left.map(|person| (person, number)));
        self.left.len() > before
    }

    /// Takes the rosters and ranks them as they were imported, not as they arrived.
    pub fn set_rosters(&mut self, rosters: Rosters) {
        let mut all = rosters.0;
        all.sort_unstable();
        for (_, seq, roster, district) in all {
            let rank = u32::try_from(self.rosters.len()).ok().filter(|rank| *rank < ROSTER - 1);
            let rank = rank.expect("a round has fewer than two billion roster imports");
            self.events.set(seq, ROSTER | rank);
            let district = self.number(&district);
            self.rosters.push((roster, district));
        }
    }

    fn number(&mut self, district: &Code) -> u32 {
        if let Some(number) = self.numbers.get(district) {
            return *number;
        }
        let number = u32::try_from(self.districts.len()).expect("districts are few");
        self.districts.push(district.clone());
        self.numbers.insert(district.clone(), number);
        number
    }

    /// What an event says of a person whom it names.
    pub fn says(&self, person: PersonKey, seq: u64) -> Says {
        let what = self.events.get(seq);
        if what == NOTHING {
            return Says::Nothing;
        }
        if what & ROSTER != 0 {
            return Says::OnRoster(what & !ROSTER);
        }
        let tube = &self.tubes[what as usize];
        if tube.flags & LEFT != 0 && self.left.contains(&(person, what)) {
            return Says::Nothing;
        }
        match tube.flags & LIVE {
            0 => Says::InVoid(tube.district),
            _ => Says::InTube(what),
        }
    }

    /// Roster and district of a rank.
    pub fn roster(&self, rank: u32) -> (&Code, &Code) {
        let (roster, district) = &self.rosters[rank as usize];
        (roster, self.district(*district as usize))
    }

    /// District of a number.
    pub fn district(&self, number: usize) -> &Code {
        &self.districts[number]
    }

    /// Where a person is counted; `None` for somebody who was only ever taken out of tubes.
    pub fn district_of(&self, person: &Person<'_>) -> Option<usize> {
        let by_roster = person.last_roster().map(|rank| self.rosters[rank as usize].1);
        let latest = person.tubes.iter().max_by_key(|t| (self.tubes[**t as usize].sampled_at, **t));
        let by_tube = || latest.map(|tube| self.tubes[*tube as usize].district);
        Some(by_roster.or_else(by_tube).or(person.void_in)? as usize)
    }

    /// True when one of the tubes gives its members a result.
    pub fn is_resulted(&self, tubes: &[u32]) -> bool {
        tubes.iter().any(|tube| self.tubes[*tube as usize].flags & RESULTED != 0)
    }

    /// Those of a person's tubes that count against each other: see `sampled_twice`. Earliest
    /// first.
    pub fn independent(&self, tubes: &[u32]) -> Vec<u32> {
        let of = |tube: u32| &self.tubes[tube as usize];
        let opened = tubes.iter().filter(|tube| of(**tube).flags & NEED != 0);
        let opened = opened.map(|tube| of(*tube).sampled_at).min();
        let follows_up = |tube: &Brief| {
            tube.flags & SINGLE != 0 && opened.is_some_and(|opened| opened < tube.sampled_at)
        };
        let counts = |tube: &Brief| tube.flags & NEED == 0 && !follows_up(tube);
        let mut all: Vec<u32> = tubes.iter().copied().filter(|tube| counts(of(*tube))).collect();
        all.sort_unstable_by_key(|tube| (of(*tube).sampled_at, *tube));
        all
    }

    /// Barcodes of tubes; empty when the index was made without them.
    pub fn codes(&self, tubes: &[u32]) -> Vec<Code> {
        let of = |tube: &u32| self.codes.as_ref().map(|codes| codes[*tube as usize].clone());
        tubes.iter().filter_map(of).collect()
    }
}
