//! Recent tubes in memory, by the event that collected them: who asks about a person comes from the
//! person index with that event's sequence, and finds the tube here without the event and without the
//! disk.
//!
//! It holds what stands in files or is on its way there; newer states are in the layers, which have the
//! last word. And it holds only tubes of which one event speaks as a collection and none takes anybody out
//! or puts anybody right: there a person of that event is a member, whoever the others are. All others
//! are asked of the files, and so are tubes that are too new to have left the layers.

mod pages;

use super::codec::{Input, Wire, decode};
use super::swabs::stand_ins_will_do;
use crate::domain::fact::{Body, Event, FactId};
use crate::domain::tube::{TubeRecord, What};
use crate::domain::{Code, PersonKey, Time};
use dashmap::DashMap;
use pages::Pages;
use std::sync::Arc;

/// Most parts of rosters that are remembered: of a city of 25 million, in parts of a thousand people,
/// four rounds. Beyond that they are read from the log.
const ROSTERS_MAX: usize = 100_000;

/// Bytes that a tube takes when it was only collected, about.
const TUBE_BYTES: u64 = 110;

/// A part of a roster, without its people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterPart {
    /// The round that it is for.
    pub round: Code,
    /// When it was captured, corrected; which fact it is. The later part counts.
    pub order: (Time, FactId),
    /// The roster.
    pub roster: Code,
    /// The district that has to find the people.
    pub district: Code,
}

impl RosterPart {
    /// What an event says as a part of a roster; `None` when it is none.
    pub fn of(event: &Event) -> Option<RosterPart> {
        let Body::RosterImported { roster, district, .. } = &event.fact.body else { return None };
        Some(RosterPart {
            round: event.stamps.round.clone(),
            order: (event.captured(), event.fact.id.clone()),
            roster: roster.clone(),
            district: district.clone(),
        })
    }
}

/// What an event, by which a person is known, speaks of.
#[derive(Clone, Debug)]
pub enum Known {
    /// A tube that names the person. Everything in the record is as it is, but who the *other* people
    /// of the tube are may be left open: they are stand-ins then, as many as there are people.
    Tube(Code, Arc<TubeRecord>),
    /// A part of a roster that names the person.
    Roster(Arc<RosterPart>),
    /// Nothing that tells of the person.
    Nothing,
}

/// Recent tubes, and parts of rosters, by event.
pub struct Recent {
    /// Code and stored record of a tube; no bytes: ask the files.
    tubes: Pages,
    rosters: DashMap<u64, Arc<RosterPart>, foldhash::fast::RandomState>,
    bytes_max: usize,
}

/// The events that collected a tube.
fn collections(tube: &TubeRecord) -> impl Iterator<Item = u64> + '_ {
    tube.marks.iter().filter_map(|mark| match mark.what {
        What::Collected { .. } => Some(mark.origin.seq),
        _ => None,
    })
}

impl Recent {
    /// Nothing yet; at most about so many bytes.
    pub fn new(bytes_max: usize) -> Recent {
        Recent { tubes: Pages::default(), rosters: DashMap::default(), bytes_max }
    }

    /// About so many tubes find room.
    pub fn room(&self) -> u64 {
        self.bytes_max as u64 / TUBE_BYTES
    }

    /// Takes over the newest state of a tube, `stored` as it goes to a file. Must come before the layer
    /// that had it goes.
    pub fn put(&self, code: &Code, tube: &TubeRecord, stored: &[u8]) {
        let told = stand_ins_will_do(tube);
        for seq in collections(tube) {
            if told {
                self.put_told(seq, code, stored, false);
            } else {
                self.tubes.put(seq, [&[], &[]], false);
                self.tubes.make_room(self.bytes_max);
            }
        }
    }

    /// Takes over a tube from a file, unless something is known of it, which is newer.
    pub fn put_if_new(&self, code: &Code, tube: &TubeRecord, stored: &[u8]) {
        if stand_ins_will_do(tube) {
            collections(tube).for_each(|seq| self.put_told(seq, code, stored, true));
        }
    }

    fn put_told(&self, seq: u64, code: &Code, stored: &[u8], only_new: bool) {
        let mut head = Vec::with_capacity(code.len() + 2);
        code.put(&mut head);
        self.tubes.put(seq, [&head, stored], only_new);
        // A page is made for one tube too.
        self.tubes.make_room(self.bytes_max);
    }

    /// Bytes taken.
    pub fn bytes(&self) -> usize {
        self.tubes.weight()
    }

    fn read<T>(&self, seq: u64, of: impl FnOnce(Code, &[u8]) -> Option<T>) -> Option<T> {
        self.tubes.read(seq, |bytes| {
            let mut input = Input(bytes);
            let code = Code::get(&mut input).ok()?;
            of(code, input.0)
        })
    }

    /// The code of the tube that an event collected; `None` = ask the files.
    pub fn code(&self, seq: u64) -> Option<Code> {
        self.read(seq, |code, _| Some(code))
    }

    /// The tube that an event collected, with a person of that event among its people; `None` = ask the
    /// files.
    pub fn tube(&self, seq: u64, person: PersonKey) -> Option<TubeRecord> {
        let mut tube = self.read(seq, |_, stored| decode::<TubeRecord>(stored).ok())?;
        for mark in &mut tube.marks {
            if let What::Collected { members, .. } = &mut mark.what {
                *members.first_mut()? = person;
            }
        }
        Some(tube)
    }

    /// A part of a roster.
    pub fn roster(&self, seq: u64) -> Option<Arc<RosterPart>> {
        self.rosters.get(&seq).map(|part| Arc::clone(&part))
    }

    /// Remembers a part of a roster: it never changes. When there are too many all are forgotten, and those that are
    /// still asked for come back.
    pub fn remember_roster(&self, seq: u64, part: &Arc<RosterPart>) {
        if self.rosters.len() >= ROSTERS_MAX {
            self.rosters.clear();
        }
        self.rosters.insert(seq, Arc::clone(part));
    }
}

#[cfg(test)]
mod tests {
    use super::super::codec::encode;
    use super::*;
    use crate::domain::fact::Place;
    use crate::domain::tube::{Mark, Origin};

    fn collected(seq: u64, people: u64) -> Mark {
        collected_into(10, seq, people)
    }

    fn for_one(seq: u64, people: u64) -> Mark {
        collected_into(1, seq, people)
    }

    fn collected_into(pool: u16, seq: u64, people: u64) -> Mark {
        let members = (0..people).map(|n| PersonKey(u128::from(n).to_be_bytes())).collect();
        let what = What::Collected {
            whole: true,
            pool,
            round: "r".into(),
            place: Place::default(),
            members,
        };
        Mark { origin: Origin { seq, ..Origin::default() }, what }
    }

    fn tube(marks: Vec<Mark>) -> (Code, TubeRecord, Vec<u8>) {
        let record = TubeRecord { marks, ..TubeRecord::default() };
        let stored = encode(&record);
        ("T1".into(), record, stored)
    }

    fn mark(what: What) -> Mark {
        Mark { origin: Origin { seq: 9, ..Origin::default() }, what }
    }

    #[test]
    fn only_tubes_whose_people_follow_from_one_event_are_told() {
        let somebody = PersonKey([7; 16]);
        let cases = [
            (vec![], None),
            (vec![collected(5, 10)], Some(10)),
            (vec![collected(5, 1), mark(What::Sealed(1))], Some(1)),
            (vec![collected(5, 0)], None),
            (vec![for_one(5, 1)], Some(1)),
            // The same person twice, or two? Only their keys tell, and with them whether it is a single tube.
            (vec![for_one(5, 2)], None),
            (vec![collected(5, 3), collected(6, 3)], None),
            (vec![collected(5, 3), mark(What::Withdrawn(somebody))], None),
            (vec![collected(5, 3), mark(What::Corrected(somebody, PersonKey([8; 16])))], None),
        ];
        for (marks, people) in cases {
            let recent = Recent::new(1 << 20);
            let (code, record, stored) = tube(marks);
            recent.put(&code, &record, &stored);
            let told = recent.tube(5, somebody).map(|tube| tube.view().members);
            assert_eq!(told.as_ref().map(Vec::len), people, "{record:?}");
            assert!(told.is_none_or(|members| members.contains(&somebody)));
            assert!(recent.tube(4, somebody).is_none());
        }
    }

    #[test]
    fn what_came_from_a_file_never_covers_what_is_newer() {
        let recent = Recent::new(1 << 20);
        let (code, old, old_stored) = tube(vec![collected(5, 3)]);
        let (_, new, new_stored) = tube(vec![collected(5, 3), collected(6, 1)]);
        recent.put(&code, &new, &new_stored);
        recent.put_if_new(&code, &old, &old_stored);
        assert!(recent.code(5).is_none(), "two collections: the files are asked");
        recent.put(&code, &old, &old_stored);
        assert_eq!(recent.code(5), Some(code));
    }

    #[test]
    fn the_oldest_leave_when_there_is_too_much() {
        let recent = Recent::new(200_000);
        for seq in 1..=10_000 {
            let (code, record, stored) = tube(vec![collected(seq, 10)]);
            recent.put(&code, &record, &stored);
            assert!(recent.bytes() <= 200_000);
            assert!(recent.code(seq).is_some(), "the newest stays");
        }
        assert!(recent.code(1).is_none());
    }
}
