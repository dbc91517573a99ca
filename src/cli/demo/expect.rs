//! What the round must come to, by the truth alone, and what the player saw of it on the way.

use super::faults::Fate;
use super::saying::Script;
use crate::api::client::pb;
use std::collections::BTreeSet;

/// What the player saw on the way.
#[derive(Debug, Default)]
pub struct Found {
    /// Facts acknowledged.
    pub facts: u64,
    /// Facts sent a second time on purpose that were answered as duplicates.
    pub duplicates: u64,
    /// Facts sent again because the service was busy.
    pub resent: u64,
    /// Tubes known by their box only, just before the network was back: expected and found.
    pub awaiting_offline: (u64, u64),
    /// All such tubes at that moment, by the counter.
    pub awaiting_all: (u64, u64),
    /// Such tubes whose barcode was misread, each just before it was mended.
    pub awaiting_misread: (u64, u64),
    /// Numbers that the service missed of the sources that held facts back.
    pub holes: u64,
    /// Plates whose first run had failed controls.
    pub bad_plates: BTreeSet<String>,
    /// When the last pool was released, and when the last recall was closed.
    pub pools_done_at: i64,
    /// See `pools_done_at`.
    pub over_at: i64,
}

/// A figure as it must be and as it is.
#[derive(Clone, Debug)]
pub struct Row {
    /// What it is about.
    pub zh: &'static str,
    /// See `zh`.
    pub en: &'static str,
    /// How many were injected, for faults.
    pub injected: Option<u64>,
    /// What shows it.
    pub observable: String,
    /// By the truth.
    pub expected: u64,
    /// By the service.
    pub found: u64,
}

impl Row {
    /// True when the two agree.
    pub fn holds(&self) -> bool {
        self.expected == self.found
    }
}

/// The figures that the round must come to, by the truth alone.
pub struct Expected {
    /// Pools that got as far as a plate.
    pub tested: u64,
    /// People recalled, and people recollected.
    pub recalls: u64,
    /// See `recalls`.
    pub recollections: u64,
    /// Of both, those whose tube got as far as a plate.
    pub after_plates: u64,
    /// Tubes used twice.
    pub used_twice: u64,
    /// Infected people.
    pub infected: u64,
    /// Travellers.
    pub travellers: u64,
    /// People on the roster, and those who turned up.
    pub roster: u64,
    /// See `roster`.
    pub attending: u64,
}

impl Expected {
    /// By the truth.
    pub fn of(script: &Script) -> Expected {
        let (truth, faults) = (&script.truth, &script.faults);
        let mut expected = Expected {
            tested: 0,
            recalls: 0,
            recollections: 0,
            after_plates: 0,
            used_twice: faults.count(Fate::UsedFirst),
            infected: faults.infected(),
            travellers: 0,
            roster: truth.districts.iter().map(|d| u64::from(d.people)).sum(),
            attending: truth.districts.iter().map(|d| u64::from(d.attending)).sum(),
        };
        for slot in 0..truth.slots {
            let fate = faults.fate(slot);
            expected.tested += u64::from(!fate.ends_before_plate());
            if fate == Fate::Plain {
                continue;
            }
            let desk = &truth.desks[truth.desk_of(slot) as usize];
            let (from, to) = truth.queue(desk, slot - desk.first_slot);
            let members = faults.members(truth, slot).len() as u64;
            expected.travellers += members - u64::from(to - from);
            if matches!(fate, Fate::Positive | Fate::SingleTarget | Fate::Grey | Fate::Invalid) {
                expected.after_plates += members;
            }
            match fate {
                Fate::Positive | Fate::SingleTarget | Fate::Grey => expected.recalls += members,
                Fate::Invalid => expected.recollections += members,
                fate if fate.ends_before_plate() => expected.recollections += members,
                _ => {}
            }
        }
        expected
    }

    /// Facts by which desks report the tubes of a fate.
    pub fn facts(script: &Script, fate: Fate) -> u64 {
        let of_slot = |slot| script.of_slot(script.truth.desk_of(slot), slot).len() as u64;
        script.faults.slots(fate).map(of_slot).sum()
    }

    /// Single tubes: one for everybody who came back.
    pub fn singles(&self) -> u64 {
        self.recalls + self.recollections
    }

    /// Tubes that must end in a status.
    pub fn with_status(&self, script: &Script, status: pb::Status) -> u64 {
        let count = |fate| script.faults.count(fate);
        match status {
            // Whatever is rejected, lost or used twice is in a status of its own.
            pb::Status::Released => self.tested + self.singles(),
            pb::Status::Void => count(Fate::Misread),
            pb::Status::Rejected => count(Fate::Rejected),
            pb::Status::Lost => count(Fate::Lost) + count(Fate::Vanished),
            pb::Status::Reused => self.used_twice,
            _ => 0,
        }
    }
}
