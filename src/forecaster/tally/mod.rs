//! The counters of a round at one time, by code: what a reading is made of, and what is stored of it. It knows no model,
//! so that readings of yesterday still count when the city file has changed.

use super::places::{Place, Places};
use crate::domain::counters::{CellKey, Counter, Figures};
use crate::domain::reference::Reference;
use crate::domain::words::{Code, Map, Status};
use crate::planner::model::Ms;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// Tubes of a place so far. Single tubes of recalls are left out where the place pools; where it does not, those that are
/// done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Filled or being filled, and not void.
    pub collected: u64,
    /// Of these, handed over to a vehicle, or further.
    pub sent: u64,
    /// Of these, received by a laboratory, or further.
    pub delivered: u64,
    /// Of these, with a result, or ended without one; 0 in lines of older programs.
    #[serde(default, skip_serializing_if = "is_0")]
    pub resulted: u64,
    /// Besides them, single tubes of recalls: taken, and not yet handed over to a vehicle.
    #[serde(default, skip_serializing_if = "is_0")]
    pub singles_waiting: u64,
    /// Besides them, single tubes of recalls on a vehicle.
    #[serde(default, skip_serializing_if = "is_0")]
    pub singles_sent: u64,
}

/// Tubes of a laboratory so far, single tubes of recalls included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tested {
    /// Received, registered or not.
    pub received: u64,
    /// Of these, on a plate, or further.
    pub plated: u64,
    /// Of these, with a result, or ended without one.
    pub resulted: u64,
    /// Plates loaded; 0 = not told: plates have no round, so they are counted only while the folder has one round.
    #[serde(default)]
    pub plates: u64,
    /// Of these, those that were run. A plate that was run twice may stand for another one.
    #[serde(default)]
    pub plates_done: u64,
    /// People called back whose single tube has no result yet.
    pub recalls_open: u64,
    /// Single tubes of people called back that have one; where the place does not pool, people called back and done.
    pub recalls_closed: u64,
    /// Single tubes of recalls that were received and are on no plate.
    #[serde(default, skip_serializing_if = "is_0")]
    pub singles_waiting: u64,
    /// Single tubes of recalls on a plate, without a result.
    #[serde(default, skip_serializing_if = "is_0")]
    pub singles_plated: u64,
    /// Boxes on their way to it; 0 = none, or not told: boxes have no round either.
    #[serde(default, skip_serializing_if = "is_0")]
    pub boxes_sent: u64,
    /// Boxes that it took; as above.
    #[serde(default, skip_serializing_if = "is_0")]
    pub boxes_received: u64,
}

/// For what a line leaves out.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_0(count: &u64) -> bool {
    *count == 0
}

/// Largest count of a place or a laboratory that is believed: no city has so many people.
const COUNT_MAX: u64 = 1_000_000_000;

/// Boxes by how far they have come; nought also when it is not told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Boxes {
    /// Packed, and not handed over.
    pub packed: u64,
    /// On their way to a laboratory.
    pub sent: u64,
    /// Taken by a laboratory.
    pub received: u64,
}

/// The counters of a round at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Milliseconds since the round was opened.
    pub at: Ms,
    /// By place: the city file's street (`district/street`), else the district. Empty = the desk is not known.
    pub places: BTreeMap<String, Sent>,
    /// By laboratory.
    pub labs: BTreeMap<String, Tested>,
    /// Boxes that are packed and not handed over to a vehicle; 0 = none, or not told, as with a laboratory's.
    #[serde(default, skip_serializing_if = "is_0")]
    pub boxes_packed: u64,
}

/// How far a tube of a status has come, on its way and in the laboratory. A tube that is void was none. One that is
/// rejected, lost or used twice is nobody's work any more: it counts as done everywhere it can have been.
fn reached(status: Status) -> (Sent, Tested) {
    let (sent, tested) = match status {
        Status::Void => ([0; 3], [0; 3]),
        // Here, and not known to come from anywhere yet.
        Status::Awaiting => ([0; 3], [1, 0, 0]),
        Status::Open | Status::Sealed | Status::Packed => ([1, 0, 0], [0; 3]),
        Status::InTransit => ([1, 1, 0], [0; 3]),
        Status::Received => ([1; 3], [1, 0, 0]),
        Status::Plated => ([1; 3], [1, 1, 0]),
        Status::Resulted | Status::Released | Status::Rejected | Status::Lost | Status::Reused => {
            ([1; 3], [1; 3])
        }
    };
    let [collected, sent, delivered] = sent;
    let [received, plated, resulted] = tested;
    // Whoever awaits registration has no place that could have a result of it.
    let sent = Sent { collected, sent, delivered, resulted, ..Sent::default() };
    (sent, Tested { received, plated, resulted, ..Tested::default() })
}

impl Sent {
    /// Adds `tubes` that have come as far as `reached`.
    fn add(&mut self, reached: &Sent, tubes: u64) {
        self.collected += tubes * reached.collected;
        self.sent += tubes * reached.sent;
        self.delivered += tubes * reached.delivered;
        self.resulted += tubes * reached.resulted;
    }

    /// Adds what another cell of the place counts.
    fn and(&mut self, other: &Sent) {
        self.add(other, 1);
        self.singles_waiting += other.singles_waiting;
        self.singles_sent += other.singles_sent;
    }

    /// Takes single tubes off that are done, and so have come all the way.
    fn less(&mut self, singles: u64) {
        for count in [&mut self.collected, &mut self.sent, &mut self.delivered, &mut self.resulted]
        {
            *count = count.saturating_sub(singles);
        }
    }
}

impl Tested {
    /// Adds what another cell of the laboratory counts.
    fn and(&mut self, other: &Tested) {
        self.received += other.received;
        self.plated += other.plated;
        self.resulted += other.resulted;
        self.plates += other.plates;
        self.plates_done += other.plates_done;
        self.recalls_open += other.recalls_open;
        self.recalls_closed += other.recalls_closed;
        self.singles_waiting += other.singles_waiting;
        self.singles_plated += other.singles_plated;
        self.boxes_sent += other.boxes_sent;
        self.boxes_received += other.boxes_received;
    }

    /// First tests that were received.
    pub fn first_received(&self) -> u64 {
        self.received.saturating_sub(self.singles() + self.recalls_closed)
    }

    /// First tests with a result.
    pub fn first_results(&self) -> u64 {
        self.resulted.saturating_sub(self.recalls_closed)
    }

    /// Single tubes of recalls that are in the laboratory and have no result.
    fn singles(&self) -> u64 {
        self.singles_waiting + self.singles_plated
    }
}

/// What a cell says of single tubes of recalls, where its place pools: those that are done.
fn singles(figures: &Figures, way: &mut Sent, lab: &mut Tested) -> u64 {
    let mut done = 0;
    for status in Status::ALL {
        let tubes = figures.count_of(Counter::singles(*status));
        if tubes == 0 {
            continue;
        }
        let (reached, tested) = reached(*status);
        way.collected -= (tubes * reached.collected).min(way.collected);
        way.sent -= (tubes * reached.sent).min(way.sent);
        way.delivered -= (tubes * reached.delivered).min(way.delivered);
        way.resulted -= (tubes * reached.resulted).min(way.resulted);
        match () {
            () if tested.resulted > 0 => done += tubes,
            () if tested.plated > 0 => lab.singles_plated += tubes,
            () if tested.received > 0 => lab.singles_waiting += tubes,
            () if reached.sent > 0 => way.singles_sent += tubes,
            () if reached.collected > 0 => way.singles_waiting += tubes,
            // Void.
            () => {}
        }
    }
    done
}

impl Tally {
    /// Counts the cells of a round. With `places` by the city file's streets, else by district. Tubes that await their
    /// registration have no round yet and are counted at their laboratory.
    pub fn of(
        at: Ms,
        cells: &Map<CellKey, Figures>,
        reference: &Reference,
        round: &Code,
        places: Option<&Places>,
    ) -> Tally {
        let mut tally = Tally { at, ..Tally::default() };
        // Boxes and plates have no round.
        let one_round = reference.rounds.len() == 1;
        let pool = reference.rounds.get(round).map_or(0, |round| u64::from(round.pool));
        let mut known: HashMap<(&Code, &Code), Place> = HashMap::new();
        let mut done: BTreeMap<String, u64> = BTreeMap::new();
        for (cell, figures) in cells {
            let of_round = cell.round == *round;
            if !of_round && !cell.round.is_empty() {
                continue;
            }
            let count = |counter: Counter| figures.count_of(counter);
            let mut way = Sent::default();
            let mut lab = Tested::default();
            let whole = if of_round { Status::ALL } else { &[Status::Awaiting] };
            for status in whole {
                let tubes = count(Counter::tubes(*status));
                let (on_way, in_lab) = reached(*status);
                way.add(&on_way, tubes);
                lab.received += tubes * in_lab.received;
                lab.plated += tubes * in_lab.plated;
                lab.resulted += tubes * in_lab.resulted;
            }
            if !of_round && one_round {
                lab.plates = count(Counter::PLATES);
                lab.plates_done = count(Counter::RUNS).min(lab.plates);
                lab.boxes_sent = count(Counter::BOXES_IN_TRANSIT);
                lab.boxes_received = count(Counter::BOXES_RECEIVED);
                tally.boxes_packed += count(Counter::BOXES_PACKED);
            }
            if of_round {
                let place =
                    known.entry((&cell.district, &cell.site)).or_insert_with(|| match places {
                        Some(places) => places.place(reference, cell, pool),
                        None => Place::of_district(&cell.district, pool),
                    });
                let called_back = count(Counter::RECALLS_CLOSED);
                lab.recalls_open = count(Counter::RECALLS).saturating_sub(called_back);
                lab.recalls_closed = match place.pools {
                    true => singles(figures, &mut way, &mut lab),
                    false => called_back,
                };
                let not_told = if place.pools { 0 } else { called_back };
                if way != Sent::default() || not_told > 0 {
                    tally.places.entry(place.key.clone()).or_default().and(&way);
                    *done.entry(place.key.clone()).or_default() += not_told;
                }
            }
            if !cell.lab.is_empty() && lab != Tested::default() {
                tally.labs.entry(cell.lab.to_string()).or_default().and(&lab);
            }
        }
        // Where tubes are for one person, single tubes of recalls cannot be told from others. Those that are done are as
        // many as the people called back who are; those on their way are few and stay in.
        for (key, singles) in done {
            tally.places.entry(key).or_default().less(singles);
        }
        tally
    }

    /// Whether its counts can be those of a city. Each is added up over places and laboratories, and some are dealt out one
    /// by one: a line of the file says what anybody wrote there.
    pub fn can_be(&self) -> bool {
        let place = |of: &Sent| {
            let Sent { collected, sent, delivered, resulted, singles_waiting, singles_sent } = *of;
            collected.max(sent).max(delivered).max(resulted).max(singles_waiting).max(singles_sent)
        };
        let lab = |of: &Tested| {
            let Tested { received, plated, resulted, plates, plates_done, .. } = *of;
            let recalls = of.recalls_open.max(of.recalls_closed);
            let singles = of.singles_waiting.max(of.singles_plated);
            let boxes = of.boxes_sent.max(of.boxes_received);
            let all = [received, plated, resulted, plates, plates_done, recalls, singles, boxes];
            all.into_iter().max().unwrap_or(0)
        };
        let largest = self.places.values().map(place).chain(self.labs.values().map(lab)).max();
        largest.unwrap_or(0).max(self.boxes_packed) <= COUNT_MAX
    }

    /// First tests that are collected and have no result yet, as far as places and laboratories say.
    pub fn in_work(&self) -> u64 {
        let way = |sent: &Sent| sent.collected.saturating_sub(sent.delivered);
        let lab =
            |of: &Tested| of.received.saturating_sub(of.resulted).saturating_sub(of.singles());
        self.places.values().map(way).sum::<u64>() + self.labs.values().map(lab).sum::<u64>()
    }

    /// First tests with a result: all results less those of people called back.
    pub fn first_results(&self) -> u64 {
        self.labs.values().map(Tested::first_results).sum()
    }

    /// Boxes of the city.
    pub fn boxes(&self) -> Boxes {
        let labs = || self.labs.values();
        Boxes {
            packed: self.boxes_packed,
            sent: labs().map(|lab| lab.boxes_sent).sum(),
            received: labs().map(|lab| lab.boxes_received).sum(),
        }
    }

    /// Tubes collected.
    pub fn collected(&self) -> u64 {
        self.places.values().map(|place| place.collected).sum()
    }
}

#[cfg(test)]
mod tests;
