//! The counters of a round at one time, by code: what a reading is made of, and what is stored of it. It knows no model,
//! so that readings of yesterday still count when the city file has changed.

mod counts;

pub use counts::{Sent, Tested};

use super::places::{Place, Places};
use crate::domain::counters::{CellKey, Counter, Figures};
use crate::domain::reference::Reference;
use crate::domain::words::{Code, Map, Status};
use crate::planner::model::Ms;
use counts::{is_0, reached};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// Largest count of a place or a laboratory that is believed: no city has so many people.
const COUNT_MAX: u64 = 1_000_000_000;

/// Boxes by how far they have come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Boxes {
    /// Whether they are told: boxes have no round, so they are only while no other is open. Else all are nought.
    pub told: bool,
    /// Packed, and not handed over.
    pub packed: u64,
    /// On their way, whether a laboratory was named or not.
    pub sent: u64,
    /// Taken by a laboratory since the round was first read.
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
    /// Boxes that were handed over without saying to which laboratory; as above.
    #[serde(default, skip_serializing_if = "is_0")]
    pub boxes_unbound: u64,
    /// Whether boxes and plates are told; in lines of older programs they may be without it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub boxes_told: bool,
    /// What laboratories had done when the round was first read; nothing = an older program's line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Before>,
}

/// By laboratory: plates loaded, plates run, and boxes taken, of rounds before.
pub type Before = BTreeMap<String, [u64; 3]>;

/// What a laboratory's cell counts of what has no round, all rounds together.
fn ever(figures: &Figures) -> [u64; 3] {
    [Counter::PLATES, Counter::RUNS, Counter::BOXES_RECEIVED].map(|of| figures.count_of(of))
}

/// What laboratories have done before a round that is read for the first time. The only round of a folder has all of it.
fn before(cells: &Map<CellKey, Figures>, reference: &Reference) -> Before {
    if reference.rounds.len() <= 1 {
        return Before::new();
    }
    let labs = cells.iter().filter(|(cell, _)| cell.round.is_empty() && !cell.lab.is_empty());
    let done = labs.map(|(cell, figures)| (cell.lab.to_string(), ever(figures)));
    done.filter(|(_, of)| *of != [0; 3]).fold(Before::new(), |mut all, (lab, of)| {
        all.entry(lab).or_default().iter_mut().zip(of).for_each(|(all, of)| *all += of);
        all
    })
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
    /// registration have no round yet and are counted at their laboratory. `before` as the round's readings before have it;
    /// without, this is its first.
    pub fn of(
        at: Ms,
        cells: &Map<CellKey, Figures>,
        reference: &Reference,
        round: &Code,
        places: Option<&Places>,
        before: Option<&Before>,
    ) -> Tally {
        let before = before.cloned().unwrap_or_else(|| self::before(cells, reference));
        // Boxes and plates have no round: while no other is open, they are this one's.
        let mut rounds = reference.rounds.iter();
        let told = reference.rounds.contains_key(round)
            && rounds.all(|(code, other)| code == round || other.closed_at.is_some());
        let mut tally = Tally { at, boxes_told: told, ..Tally::default() };
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
            if !of_round && told {
                let done = before.get(cell.lab.as_str()).copied().unwrap_or_default();
                let mut since =
                    ever(figures).into_iter().zip(done).map(|(all, of)| all.saturating_sub(of));
                lab.plates = since.next().unwrap_or(0);
                lab.plates_done = since.next().unwrap_or(0).min(lab.plates);
                lab.boxes_received = since.next().unwrap_or(0);
                let on_their_way = count(Counter::BOXES_IN_TRANSIT);
                match cell.lab.is_empty() {
                    true => tally.boxes_unbound += on_their_way,
                    false => lab.boxes_sent = on_their_way,
                }
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
                let again = count(Counter::RECOLLECTIONS);
                lab.recollections_open = again.saturating_sub(count(Counter::RECOLLECTIONS_CLOSED));
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
        tally.before = Some(before);
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
            let recalls = of.recalls_open.max(of.recalls_closed).max(of.recollections_open);
            let singles = of.singles_waiting.max(of.singles_plated);
            let boxes = of.boxes_sent.max(of.boxes_received);
            let all = [received, plated, resulted, plates, plates_done, recalls, singles, boxes];
            all.into_iter().max().unwrap_or(0)
        };
        let largest = self.places.values().map(place).chain(self.labs.values().map(lab)).max();
        largest.unwrap_or(0).max(self.boxes_packed).max(self.boxes_unbound) <= COUNT_MAX
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
            told: self.boxes_told,
            packed: self.boxes_packed,
            sent: self.boxes_unbound + labs().map(|lab| lab.boxes_sent).sum::<u64>(),
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
