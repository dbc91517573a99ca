//! The counters of a round at one time, by code: what a reading is made of, and what is stored of it. It knows no model,
//! so that readings of yesterday still count when the city file has changed.

use crate::domain::counters::{CellKey, Counter, Figures};
use crate::domain::reference::Reference;
use crate::domain::words::{Code, Level, Map, Status};
use crate::planner::model::Ms;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Tubes of a place so far, single tubes of recalls that are done left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Filled or being filled, and not void.
    pub collected: u64,
    /// Of these, handed over to a vehicle, or further.
    pub sent: u64,
    /// Of these, received by a laboratory, or further.
    pub delivered: u64,
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
    /// People called back whose single tube has one.
    pub recalls_closed: u64,
}

/// Largest count of a place or a laboratory that is believed: no city has so many people.
const COUNT_MAX: u64 = 1_000_000_000;

/// The counters of a round at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Milliseconds since the round was opened.
    pub at: Ms,
    /// By place: the city file's street (`district/street`), else the district. Empty = the desk is not known.
    pub places: BTreeMap<String, Sent>,
    /// By laboratory.
    pub labs: BTreeMap<String, Tested>,
}

/// The places that a city file knows.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// The district of each street, by the street's code. A district without streets is a street of its own code.
    streets: HashMap<String, String>,
    districts: HashSet<String>,
}

impl Places {
    /// From pairs of district and street.
    pub fn of<'a>(streets: impl Iterator<Item = (&'a str, &'a str)>) -> Places {
        let mut places = Places::default();
        for (district, street) in streets {
            places.districts.insert(district.to_owned());
            places.streets.insert(street.to_owned(), district.to_owned());
        }
        places
    }

    /// The finest of these places that a site lies in: it, or a jurisdiction above it, is a street; else its district.
    fn key(&self, reference: &Reference, cell: &CellKey) -> String {
        let mut code = reference.sites.get(&cell.site).map(|(jurisdiction, _)| jurisdiction);
        // At most as many steps as there are levels: a file with a circle in it cannot hold us.
        for _ in Level::ALL {
            let Some(here) = code else { break };
            if let Some(district) = self.streets.get(here.as_str()) {
                return place_key(district, here);
            }
            code = reference.jurisdictions.get(here).map(|(parent, _, _)| parent);
        }
        cell.district.to_string()
    }
}

/// The key of a street of a district.
pub fn place_key(district: &str, street: &str) -> String {
    if district == street { district.to_owned() } else { format!("{district}/{street}") }
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
    let tested = Tested { received, plated, resulted, ..Tested::default() };
    (Sent { collected, sent, delivered }, tested)
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
        let mut keys: HashMap<(&Code, &Code), String> = HashMap::new();
        let mut singles: BTreeMap<String, u64> = BTreeMap::new();
        for (cell, figures) in cells {
            if cell.round != *round && !cell.round.is_empty() {
                continue;
            }
            let count = |counter: Counter| u64::try_from(figures.get(counter)).unwrap_or(0);
            let of_round = cell.round == *round;
            let mut way = Sent::default();
            let mut lab = Tested::default();
            let whole = if of_round { Status::ALL } else { &[Status::Awaiting] };
            for status in whole {
                let tubes = count(Counter::tubes(*status));
                let (on_way, in_lab) = reached(*status);
                way.collected += tubes * on_way.collected;
                way.sent += tubes * on_way.sent;
                way.delivered += tubes * on_way.delivered;
                lab.received += tubes * in_lab.received;
                lab.plated += tubes * in_lab.plated;
                lab.resulted += tubes * in_lab.resulted;
            }
            if !of_round && reference.rounds.len() == 1 {
                lab.plates = count(Counter::PLATES);
                lab.plates_done = count(Counter::RUNS).min(lab.plates);
            }
            let mut called_back = 0;
            if of_round {
                called_back = count(Counter::RECALLS_CLOSED);
                lab.recalls_open = count(Counter::RECALLS).saturating_sub(called_back);
                lab.recalls_closed = called_back;
            }
            if of_round && (way.collected > 0 || called_back > 0) {
                let key =
                    keys.entry((&cell.district, &cell.site)).or_insert_with(|| match places {
                        Some(places) => places.key(reference, cell),
                        None => cell.district.to_string(),
                    });
                let place = tally.places.entry(key.clone()).or_default();
                place.collected += way.collected;
                place.sent += way.sent;
                place.delivered += way.delivered;
                *singles.entry(key.clone()).or_default() += called_back;
            }
            if !cell.lab.is_empty() && lab != Tested::default() {
                let there = tally.labs.entry(cell.lab.to_string()).or_default();
                there.received += lab.received;
                there.plated += lab.plated;
                there.resulted += lab.resulted;
                there.plates += lab.plates;
                there.plates_done += lab.plates_done;
                there.recalls_open += lab.recalls_open;
                there.recalls_closed += lab.recalls_closed;
            }
        }
        // Single tubes were collected at desks like others, and belong to no first test. Those that are still on their
        // way are few and stay in.
        for (key, single) in singles {
            let place = tally.places.entry(key).or_default();
            place.collected = place.collected.saturating_sub(single);
            place.sent = place.sent.saturating_sub(single);
            place.delivered = place.delivered.saturating_sub(single);
        }
        tally
    }

    /// Whether its counts can be those of a city. Each is added up over places and laboratories, and some are dealt out one
    /// by one: a line of the file says what anybody wrote there.
    pub fn can_be(&self) -> bool {
        let place = |of: &Sent| [of.collected, of.sent, of.delivered].into_iter().max();
        let lab = |of: &Tested| {
            let Tested { received, plated, resulted, plates, plates_done, .. } = *of;
            let recalls = [of.recalls_open, of.recalls_closed];
            [received, plated, resulted, plates, plates_done].into_iter().chain(recalls).max()
        };
        let largest = self.places.values().map(place).chain(self.labs.values().map(lab)).max();
        largest.flatten().unwrap_or(0) <= COUNT_MAX
    }

    /// Tubes that are collected and have no result yet, as far as places and laboratories say.
    pub fn in_work(&self) -> u64 {
        let way = |sent: &Sent| sent.collected.saturating_sub(sent.delivered);
        let lab = |tested: &Tested| tested.received.saturating_sub(tested.resulted);
        self.places.values().map(way).sum::<u64>() + self.labs.values().map(lab).sum::<u64>()
    }

    /// First tests with a result: all results less those of people called back.
    pub fn first_results(&self) -> u64 {
        let of = |lab: &Tested| lab.resulted.saturating_sub(lab.recalls_closed);
        self.labs.values().map(of).sum()
    }

    /// Tubes collected.
    pub fn collected(&self) -> u64 {
        self.places.values().map(|place| place.collected).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::reference::Round;
    use crate::domain::words::Time;

    fn cell(district: &str, site: &str, lab: &str) -> CellKey {
        CellKey {
            round: "R".into(),
            district: district.into(),
            site: site.into(),
            desk: "D".into(),
            lab: lab.into(),
        }
    }

    fn sent(numbers: [u64; 3]) -> Sent {
        let [collected, sent, delivered] = numbers;
        Sent { collected, sent, delivered }
    }

    /// District 01 with street 0101, in which community 010101 lies; site S1 in the community, S2 in the district.
    fn reference() -> Reference {
        let mut reference = Reference::default();
        for (code, parent, level) in [
            ("010101", "0101", Level::Community),
            ("0101", "01", Level::Subdistrict),
            ("01", "", Level::District),
        ] {
            let jurisdiction = (Code::from(parent), level, Code::default());
            reference.jurisdictions.insert(code.into(), jurisdiction);
        }
        reference.sites.insert("S1".into(), ("010101".into(), Code::default()));
        reference.sites.insert("S2".into(), ("01".into(), Code::default()));
        reference
    }

    #[test]
    fn every_status_counts_as_far_as_its_tube_has_come() {
        let table = [
            (Status::Awaiting, [0, 0, 0], [1, 0, 0]),
            (Status::Open, [1, 0, 0], [0, 0, 0]),
            (Status::Sealed, [1, 0, 0], [0, 0, 0]),
            (Status::Packed, [1, 0, 0], [0, 0, 0]),
            (Status::InTransit, [1, 1, 0], [0, 0, 0]),
            (Status::Received, [1, 1, 1], [1, 0, 0]),
            (Status::Plated, [1, 1, 1], [1, 1, 0]),
            (Status::Resulted, [1, 1, 1], [1, 1, 1]),
            (Status::Released, [1, 1, 1], [1, 1, 1]),
            (Status::Void, [0, 0, 0], [0, 0, 0]),
            (Status::Rejected, [1, 1, 1], [1, 1, 1]),
            (Status::Lost, [1, 1, 1], [1, 1, 1]),
            (Status::Reused, [1, 1, 1], [1, 1, 1]),
        ];
        assert_eq!(table.len(), Status::ALL.len());
        for (status, way, lab) in table {
            let (sent, tested) = reached(status);
            assert_eq!([sent.collected, sent.sent, sent.delivered], way, "{status:?}");
            assert_eq!([tested.received, tested.plated, tested.resulted], lab, "{status:?}");
        }
    }

    #[test]
    fn cells_become_places_and_laboratories() {
        let mut cells: Map<CellKey, Figures> = Map::default();
        let mut put = |key: CellKey, counter: Counter, by: i64| {
            cells.entry(key).or_default().count(counter, by);
        };
        put(cell("01", "S1", ""), Counter::tubes(Status::Sealed), 5);
        put(cell("01", "S1", "L"), Counter::tubes(Status::Plated), 7);
        put(cell("01", "S1", "L"), Counter::RECALLS, 4);
        put(cell("01", "S1", "L"), Counter::RECALLS_CLOSED, 3);
        put(cell("01", "S1", "L"), Counter::tubes(Status::Released), 3);
        put(cell("01", "S2", "M"), Counter::tubes(Status::Lost), 2);
        put(cell("", "", ""), Counter::tubes(Status::Open), 1);
        put(CellKey::of_lab("L".into()), Counter::tubes(Status::Awaiting), 6);
        put(CellKey::of_lab("L".into()), Counter::PLATES, 2);
        put(CellKey::of_lab("L".into()), Counter::RUNS, 3);
        put(
            CellKey { round: "other".into(), ..cell("01", "S1", "L") },
            Counter::tubes(Status::Plated),
            9,
        );
        let reference = reference();
        let by_district = Tally::of(1, &cells, &reference, &"R".into(), None);
        assert_eq!(by_district.places["01"], sent([14, 9, 9]));
        let places = Places::of([("01", "0101"), ("02", "02")].into_iter());
        let tally = Tally::of(1, &cells, &reference, &"R".into(), Some(&places));
        // 5 + 7 + 3 less the three single tubes that are done.
        assert_eq!(tally.places["01/0101"], sent([12, 7, 7]));
        assert_eq!(tally.places["01"], sent([2, 2, 2]));
        assert_eq!(tally.places[""], sent([1, 0, 0]));
        let mut expected = Tested {
            received: 16,
            plated: 10,
            resulted: 3,
            recalls_open: 1,
            recalls_closed: 3,
            ..Tested::default()
        };
        assert_eq!(tally.labs["L"], expected);
        // While there is one round, its plates are known.
        let mut one_round = reference.clone();
        let round = Round {
            name: Code::default(),
            key_id: Code::default(),
            pool: 10,
            opened_at: Time(0),
            closed_at: None,
        };
        one_round.rounds.insert("R".into(), round);
        (expected.plates, expected.plates_done) = (2, 2);
        let told = Tally::of(1, &cells, &one_round, &"R".into(), Some(&places));
        assert_eq!(told.labs["L"], expected);
        assert_eq!(tally.labs["M"].resulted, 2);
        assert_eq!((tally.first_results(), tally.collected()), (2, 15));
        assert_eq!(tally.in_work(), 5 + 1 + 13);
    }
}
