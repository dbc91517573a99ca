//! What goes wrong in the drill: which tubes meet which fate, chosen by hashing and disjoint, and
//! what the service must say of it in the end.

use super::truth::{MINUTE_MS, OPENS_AT_MS, Person, Truth, below};
use crate::domain::words::Call;
use std::collections::{HashMap, HashSet};

/// Desks that lost their network deliver at this time what they have collected until then.
pub const NETWORK_BACK_AT_MS: i64 = OPENS_AT_MS + 7 * 60 * MINUTE_MS;

/// How long after a tube's closing its facts are sent again, out of order, or mended.
pub const AGAIN_AFTER_MS: i64 = 30 * MINUTE_MS;
/// See [`AGAIN_AFTER_MS`].
pub const HELD_BACK_MS: i64 = 90 * MINUTE_MS;
/// See [`AGAIN_AFTER_MS`].
pub const MENDED_AFTER_MS: i64 = 180 * MINUTE_MS;

/// What becomes of a pool tube. Each slot has one fate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Fate {
    /// Nothing odd, and negative.
    Plain,
    /// Its facts are sent again, as after a broken connection.
    Duplicate,
    /// Its desk has no network; the facts come hours later, after the tube itself.
    Offline,
    /// Its facts come after later ones of the same desk, in reverse.
    Reordered,
    /// The scanner read its barcode wrong.
    Misread,
    /// One swab too many.
    Overfilled,
    /// Closed, and then used again at another desk.
    UsedFirst,
    /// The place of that second use: these people went into the tube of a `UsedFirst`.
    UsedSecond,
    /// Lost at the site.
    Lost,
    /// Refused by the laboratory.
    Rejected,
    /// Not in its box at reception; turns up later.
    Straggler,
    /// Not in its box at reception; never seen again.
    Vanished,
    /// Somebody in it is infected.
    Positive,
    /// Only one target is detected; nobody is infected.
    SingleTarget,
    /// In the grey zone; nobody is infected.
    Grey,
    /// The internal control failed.
    Invalid,
}

impl Fate {
    /// True when the tube never gets as far as a plate.
    pub fn ends_before_plate(self) -> bool {
        use Fate::*;
        matches!(self, UsedFirst | UsedSecond | Lost | Rejected | Vanished)
    }

    /// What the laboratory finds in the tube.
    pub fn call(self) -> Call {
        match self {
            Fate::Positive => Call::Positive,
            Fate::SingleTarget => Call::SingleTarget,
            Fate::Grey => Call::Grey,
            Fate::Invalid => Call::Invalid,
            _ => Call::Negative,
        }
    }
}

/// How many tubes of a fate: one in so many, and at least so many.
const PLANNED: [(Fate, u32, u32); 11] = [
    (Fate::Duplicate, 400, 4),
    (Fate::Reordered, 1_000, 4),
    (Fate::Misread, 2_000, 3),
    (Fate::Overfilled, 2_000, 3),
    (Fate::Lost, 4_000, 3),
    (Fate::Rejected, 2_000, 3),
    (Fate::SingleTarget, 8_000, 2),
    (Fate::Grey, 8_000, 2),
    (Fate::Invalid, 4_000, 2),
    // Last, because the tube after each of them has to be a plain one.
    (Fate::Straggler, 4_000, 3),
    (Fate::Vanished, 8_000, 2),
];

/// Tubes used twice: as [`PLANNED`].
const USED_TWICE: (u32, u32) = (8_000, 2);

/// Desks without network: one in so many, and at least one.
const OFFLINE_DESKS_ONE_IN: u32 = 200;

/// Infected people: so many in ten thousand (the guide's range for screening is up to ten).
pub const INFECTED_IN_TEN_THOUSAND: u32 = 3;

/// One plate in so many has failed controls, besides the first of each laboratory.
pub const BAD_PLATE_ONE_IN: u64 = 100;

/// The fates of all slots.
pub struct Faults {
    fates: Vec<Fate>,
    offline_desks: HashSet<u32>,
    /// The slot of the first use, by that of the second.
    used: HashMap<u32, u32>,
    /// Places in the tube of those who are infected, one bit each.
    infected: HashMap<u32, u32>,
}

impl Faults {
    /// Chooses the tubes.
    pub fn choose(truth: &Truth) -> Faults {
        let mut faults = Faults {
            fates: vec![Fate::Plain; truth.slots as usize],
            offline_desks: HashSet::new(),
            used: HashMap::new(),
            infected: HashMap::new(),
        };
        faults.choose_offline(truth);
        faults.choose_used_twice(truth);
        faults.choose_clusters(truth);
        let mut reordered = HashSet::new();
        // Some where a tube takes several facts: there the order within the tube is turned as well.
        faults.pick(truth, 60, (truth.slots / 4_000).max(2), |faults, slot| {
            let number = truth.desk_of(slot);
            let desk = &truth.desks[number as usize];
            let is_last = slot + 1 == desk.first_slot + desk.slots;
            let fits = desk.swab_by_swab && !is_last && reordered.insert(number);
            if fits {
                faults.fates[slot as usize] = Fate::Reordered;
            }
            fits
        });
        for (fate, one_in, least) in PLANNED {
            let wanted = (truth.slots / one_in).max(least);
            faults.pick(truth, fate as u64, wanted, |faults, slot| {
                let number = truth.desk_of(slot);
                let desk = &truth.desks[number as usize];
                let is_last = slot + 1 == desk.first_slot + desk.slots;
                let fits = match fate {
                    Fate::Misread | Fate::Overfilled => !desk.swab_by_swab,
                    // A later tube of the same desk must come before it, or nothing is out of order.
                    Fate::Reordered => !is_last && reordered.insert(number),
                    // A box from which every tube is missing would be no box.
                    Fate::Straggler | Fate::Vanished => {
                        !is_last && faults.fate(slot + 1) == Fate::Plain
                    }
                    _ => true,
                };
                if fits {
                    faults.fates[slot as usize] = fate;
                }
                fits
            });
        }
        faults
    }

    /// Offers plain slots until so many have been taken, or too many in vain.
    fn pick(
        &mut self,
        truth: &Truth,
        cause: u64,
        wanted: u32,
        mut take: impl FnMut(&mut Faults, u32) -> bool,
    ) {
        let (mut taken, mut tries) = (0, 0_u64);
        while taken < wanted && tries < u64::from(wanted) * 200 {
            let slot = below(truth.slots.into(), truth.seed, 100 + cause, tries) as u32;
            tries += 1;
            if self.fate(slot) == Fate::Plain && take(self, slot) {
                taken += 1;
            }
        }
    }

    fn choose_offline(&mut self, truth: &Truth) {
        let desks = truth.desks.len() as u64;
        let wanted = (desks as usize / OFFLINE_DESKS_ONE_IN as usize).max(1);
        for index in 0..desks * 20 {
            if self.offline_desks.len() >= wanted {
                return;
            }
            let number = below(desks, truth.seed, 3, index) as u32;
            let desk = &truth.desks[number as usize];
            if desk.slots < 2 || desk.swab_by_swab || !self.offline_desks.insert(number) {
                continue;
            }
            for nth in 0..desk.slots {
                if truth.closed_at(desk, nth) < NETWORK_BACK_AT_MS {
                    self.fates[(desk.first_slot + nth) as usize] = Fate::Offline;
                }
            }
        }
    }

    fn choose_used_twice(&mut self, truth: &Truth) {
        let wanted = (truth.slots / USED_TWICE.0).max(USED_TWICE.1);
        self.pick(truth, 50, wanted, |faults, first| {
            let number = truth.desk_of(first);
            let desk = &truth.desks[number as usize];
            let Some(next) = truth.desks.get(number as usize + 1) else { return false };
            if next.district != desk.district || desk.swab_by_swab || next.swab_by_swab {
                return false;
            }
            let closed = truth.closed_at(desk, first - desk.first_slot);
            let later = (0..next.slots)
                .find(|nth| truth.closed_at(next, *nth) > closed + 20 * MINUTE_MS)
                .map(|nth| next.first_slot + nth)
                .filter(|slot| faults.fate(*slot) == Fate::Plain);
            let Some(second) = later else { return false };
            faults.fates[first as usize] = Fate::UsedFirst;
            faults.fates[second as usize] = Fate::UsedSecond;
            faults.used.insert(second, first);
            true
        });
    }

    /// Clusters: up to three neighbouring tubes of a desk, because households and neighbours queue
    /// together, with one to three infected people each.
    fn choose_clusters(&mut self, truth: &Truth) {
        let attending: u32 = truth.districts.iter().map(|district| district.attending).sum();
        let wanted = (attending / 10_000 * INFECTED_IN_TEN_THOUSAND).max(4);
        let mut infected = 0;
        for index in 0..u64::from(wanted) * 200 {
            if infected >= wanted {
                return;
            }
            let centre = below(truth.slots.into(), truth.seed, 4, index) as u32;
            let number = truth.desk_of(centre);
            let desk = &truth.desks[number as usize];
            let tubes = 1 + below(3, truth.seed, 5, index) as u32;
            for slot in centre..(centre + tubes).min(desk.first_slot + desk.slots) {
                let (from, to) = truth.queue(desk, slot - desk.first_slot);
                if self.fate(slot) != Fate::Plain || to - from > 32 || infected >= wanted {
                    continue;
                }
                // Never all that are left, so that there are two positive tubes at least.
                let most = u64::from((wanted - infected).div_ceil(2)).min(3);
                let people = 1 + below(most, truth.seed, 6, slot.into());
                let mask = (0..people).fold(0_u32, |mask, nth| {
                    let salt = u64::from(slot) * 4 + nth;
                    mask | 1 << below(u64::from(to - from), truth.seed, 7, salt)
                });
                self.fates[slot as usize] = Fate::Positive;
                self.infected.insert(slot, mask);
                infected += mask.count_ones();
            }
        }
    }

    /// The fate of a slot.
    pub fn fate(&self, slot: u32) -> Fate {
        self.fates[slot as usize]
    }

    /// The slots of a fate.
    pub fn slots(&self, fate: Fate) -> impl Iterator<Item = u32> {
        let all = self.fates.iter().enumerate();
        all.filter(move |(_, other)| **other == fate).map(|(slot, _)| slot as u32)
    }

    /// Number of tubes of a fate.
    pub fn count(&self, fate: Fate) -> u64 {
        self.slots(fate).count() as u64
    }

    /// The desks without network, in order.
    pub fn offline_desks(&self) -> Vec<u32> {
        let mut desks: Vec<u32> = self.offline_desks.iter().copied().collect();
        desks.sort_unstable();
        desks
    }

    /// The barcode that the desk reads on the tube of a slot.
    pub fn code_as_read(&self, truth: &Truth, slot: u32) -> String {
        match self.fate(slot) {
            Fate::UsedSecond => truth.code(self.used[&slot]),
            Fate::Misread => misread(truth.code(slot)),
            _ => truth.code(slot),
        }
    }

    /// People of the slot's tube, in the order in which they were swabbed.
    pub fn members(&self, truth: &Truth, slot: u32) -> Vec<Person> {
        let desk = &truth.desks[truth.desk_of(slot) as usize];
        let (from, to) = truth.queue(desk, slot - desk.first_slot);
        let mut members: Vec<Person> = (from..to).map(|place| truth.person(desk, place)).collect();
        if self.fate(slot) == Fate::Overfilled {
            // Filled up first, so that the one more is one too many also in a desk's last tube.
            let pool = truth.districts[usize::from(desk.district)].pool;
            let more = pool + 1 - (to - from);
            members.extend((0..more).map(|nth| Person::Traveller { number: slot * 32 + nth }));
        }
        members
    }

    /// True when the person at this place of the slot's tube is infected.
    pub fn is_infected(&self, slot: u32, place: u32) -> bool {
        self.infected.get(&slot).is_some_and(|mask| place < 32 && mask & 1 << place != 0)
    }

    /// Number of infected people.
    pub fn infected(&self) -> u64 {
        self.infected.values().map(|mask| u64::from(mask.count_ones())).sum()
    }
}

/// A barcode whose last digit was read wrong: its check digit cannot hold.
pub fn misread(mut code: String) -> String {
    if let Some(last) = code.pop().and_then(|last| last.to_digit(10)) {
        code.push(char::from_digit((last + 1) % 10, 10).unwrap_or('0'));
    }
    code
}
