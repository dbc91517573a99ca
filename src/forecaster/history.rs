//! The readings of a round in the order of time: what the model's streets and labs have seen so far.

use super::places::place_key;
use super::tally::Tally;
use crate::planner::forecast::{LabCount, Reading, Situation, StreetCount};
use crate::planner::round::Round;
use std::collections::HashMap;

/// Tubes that the model has no place for. They are in no forecast, and every forecast says how many they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unknown {
    /// Collected at places that the city file does not name.
    pub collected: u64,
    /// Received by laboratories that it does not name.
    pub received: u64,
}

/// Who in the model is meant by the codes of a tally.
#[derive(Clone, Debug, Default)]
pub struct Whose {
    /// Streets of the model with their people, by key of the place. A place may be dealt among several.
    streets: HashMap<String, Vec<(usize, u64)>>,
    /// The same by district, for places that are known by it only.
    districts: HashMap<String, Vec<(usize, u64)>>,
    labs: HashMap<String, usize>,
    counts: (usize, usize),
}

impl Whose {
    /// Of a round.
    pub fn of(round: &Round) -> Whose {
        let mut whose = Whose::default();
        for (i, (of, street)) in round.streets.iter().zip(&round.model.streets).enumerate() {
            let part = (i, u64::from(street.persons));
            whose.streets.entry(place_key(&of.district, &of.code)).or_default().push(part);
            whose.districts.entry(of.district.clone()).or_default().push(part);
        }
        whose.labs = round.labs.iter().enumerate().map(|(i, lab)| (lab.0.clone(), i)).collect();
        whose.counts = (round.model.streets.len(), round.model.labs.len());
        whose
    }

    /// The reading of a tally, and what has no place in it.
    pub fn reading(&self, tally: &Tally) -> (Reading, Unknown) {
        let mut reading = Reading {
            at: tally.at,
            streets: vec![StreetCount::default(); self.counts.0],
            labs: vec![LabCount::default(); self.counts.1],
        };
        let mut unknown = Unknown::default();
        for (key, sent) in &tally.places {
            // A street that the city file no longer names is dealt over its district.
            let district = key.split('/').next().unwrap_or_default();
            let parts = self.streets.get(key).or_else(|| self.districts.get(district));
            let Some(parts) = parts else {
                unknown.collected += sent.collected + sent.singles_waiting + sent.singles_sent;
                continue;
            };
            let counts = [
                sent.collected,
                sent.sent,
                sent.delivered,
                sent.singles_waiting,
                sent.singles_sent,
            ];
            let dealt = counts.map(|tubes| deal(tubes, parts));
            for (place, (street, _)) in parts.iter().enumerate() {
                let Some(count) = reading.streets.get_mut(*street) else { continue };
                count.collected += dealt[0][place];
                count.sent += dealt[1][place];
                count.delivered += dealt[2][place];
                count.singles_waiting += dealt[3][place];
                count.singles_sent += dealt[4][place];
            }
        }
        for (code, tested) in &tally.labs {
            match self.labs.get(code).and_then(|lab| reading.labs.get_mut(*lab)) {
                Some(count) => {
                    *count = LabCount {
                        received: tested.received,
                        plated: tested.plated,
                        resulted: tested.resulted,
                        plates: tested.plates,
                        plates_done: tested.plates_done,
                        recalls_open: tested.recalls_open,
                        recalls_closed: tested.recalls_closed,
                        singles_waiting: tested.singles_waiting,
                        singles_plated: tested.singles_plated,
                        boxes_sent: tested.boxes_sent,
                    }
                }
                None => unknown.received += tested.received,
            }
        }
        (reading, unknown)
    }
}

/// Deals tubes by people, so that the parts add up to the whole: by running sums. Without people evenly.
fn deal(tubes: u64, parts: &[(usize, u64)]) -> Vec<u64> {
    let people = |part: &(usize, u64)| u128::from(part.1);
    let total: u128 = parts.iter().map(people).sum();
    let (mut upto, mut given) = (0_u128, 0_u64);
    let share = |(number, part): (usize, &(usize, u64))| {
        upto += people(part);
        let (upto, of) =
            if total > 0 { (upto, total) } else { (number as u128 + 1, parts.len() as u128) };
        // Not above `tubes`, so it fits.
        let to = u64::try_from(u128::from(tubes) * upto / of.max(1)).unwrap_or(tubes);
        let own = to - given;
        given = to;
        own
    };
    parts.iter().enumerate().map(share).collect()
}

/// What became of a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is the newest.
    Newest,
    /// It is not later than the last one and was dropped: a clock went back.
    Late,
}

/// The readings so far.
#[derive(Clone, Debug, Default)]
pub struct History {
    situation: Situation,
    readings_max: usize,
}

impl History {
    /// None yet. At `readings_max` every second one of the older half goes.
    pub fn new(readings_max: usize) -> History {
        History { situation: Situation::default(), readings_max: readings_max.max(4) }
    }

    /// Takes a reading over. Counts never fall: a tube that was made void had been collected all the same.
    pub fn take(&mut self, mut reading: Reading) -> Taken {
        if let Some(last) = self.situation.readings.last() {
            if reading.at <= last.at {
                return Taken::Late;
            }
            for (now, before) in reading.streets.iter_mut().zip(&last.streets) {
                now.collected = now.collected.max(before.collected);
                now.sent = now.sent.max(before.sent);
                now.delivered = now.delivered.max(before.delivered);
            }
            for (now, before) in reading.labs.iter_mut().zip(&last.labs) {
                now.received = now.received.max(before.received);
                now.plated = now.plated.max(before.plated);
                now.resulted = now.resulted.max(before.resulted);
                now.recalls_closed = now.recalls_closed.max(before.recalls_closed);
                // Plates that are not told any more (a second round was opened) are none, not the old number.
                if now.plates > 0 {
                    now.plates = now.plates.max(before.plates);
                    now.plates_done = now.plates_done.max(before.plates_done);
                }
            }
        }
        // Dealing rounds each count by itself; nothing is further than what comes before it.
        for street in &mut reading.streets {
            street.sent = street.sent.min(street.collected);
            street.delivered = street.delivered.min(street.sent);
        }
        for lab in &mut reading.labs {
            lab.plated = lab.plated.min(lab.received);
            lab.resulted = lab.resulted.min(lab.plated);
            lab.plates_done = lab.plates_done.min(lab.plates);
        }
        let readings = &mut self.situation.readings;
        readings.push(reading);
        if readings.len() > self.readings_max {
            let (mut number, half) = (0, readings.len() / 2);
            readings.retain(|_| {
                number += 1;
                number > half || number % 2 == 1
            });
        }
        Taken::Newest
    }

    /// The readings, for the planner.
    pub fn situation(&self) -> &Situation {
        &self.situation
    }

    /// The newest reading.
    pub fn newest(&self) -> Option<&Reading> {
        self.situation.readings.last()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tally::{Sent, Tested};
    use super::*;

    fn reading(at: u32, collected: u64, sent: u64, resulted: u64) -> Reading {
        Reading {
            at,
            streets: vec![StreetCount {
                collected,
                sent,
                delivered: sent,
                ..StreetCount::default()
            }],
            labs: vec![LabCount { received: sent, plated: sent, resulted, ..LabCount::default() }],
        }
    }

    #[test]
    fn parts_add_up_to_the_whole() {
        for tubes in 0..40 {
            for parts in [vec![(0, 3), (4, 5), (7, 2)], vec![(1, 0), (2, 0), (3, 0)], vec![(9, 7)]]
            {
                let dealt = deal(tubes, &parts);
                assert_eq!(dealt.iter().sum::<u64>(), tubes, "{tubes} among {parts:?}");
            }
        }
        assert_eq!(deal(10, &[(0, 3), (4, 5), (7, 2)]), [3, 5, 2]);
        let most = u64::from(u32::MAX);
        assert_eq!(deal(u64::MAX, &[(0, most), (1, most)])[0], u64::MAX / 2);
    }

    #[test]
    fn codes_find_their_streets_and_what_finds_none_is_counted_apart() {
        let part = |people| vec![(people, 10_u64)];
        let whose = Whose {
            streets: HashMap::from([
                ("01/0101".to_owned(), part(0)),
                ("01/0102".to_owned(), vec![(1, 30), (2, 10)]),
            ]),
            districts: HashMap::from([("01".to_owned(), vec![(0, 10), (1, 30), (2, 10)])]),
            labs: HashMap::from([("L".to_owned(), 0)]),
            counts: (3, 1),
        };
        let sent = |tubes| Sent {
            collected: tubes,
            sent: tubes / 2,
            singles_sent: tubes,
            ..Sent::default()
        };
        let lab = |received| Tested {
            received,
            plated: 1,
            recalls_open: 3,
            recalls_closed: 2,
            singles_waiting: 4,
            singles_plated: 5,
            boxes_sent: 6,
            ..Tested::default()
        };
        let tally = Tally {
            at: 7,
            places: [
                ("01/0101", 4),
                ("01/0102", 8),
                ("01", 10),
                ("01/gone", 5),
                ("02", 3),
                ("", 1),
            ]
            .map(|(key, tubes)| (key.to_owned(), sent(tubes)))
            .into(),
            labs: [("L", 9), ("M", 2)].map(|(key, tubes)| (key.to_owned(), lab(tubes))).into(),
            ..Tally::default()
        };
        let (reading, unknown) = whose.reading(&tally);
        // 4 and a fifth of 10 and of 5; 6 of 8 and three fifths; 2 of 8 and a fifth.
        let collected: Vec<u64> = reading.streets.iter().map(|one| one.collected).collect();
        assert_eq!(collected, [4 + 2 + 1, 6 + 6 + 3, 2 + 2 + 1]);
        assert_eq!(reading.streets.iter().map(|one| one.sent).sum::<u64>(), 2 + 4 + 5 + 2);
        let expected = LabCount {
            received: 9,
            plated: 1,
            recalls_open: 3,
            recalls_closed: 2,
            singles_waiting: 4,
            singles_plated: 5,
            boxes_sent: 6,
            ..LabCount::default()
        };
        assert_eq!((reading.at, reading.labs[0]), (7, expected));
        // Single tubes as the others: 4 + 2 + 1 and so on, and 4 more of the unknown places.
        let singles: Vec<u64> = reading.streets.iter().map(|one| one.singles_sent).collect();
        assert_eq!(singles, collected);
        assert_eq!(unknown, Unknown { collected: 8, received: 2 });
    }

    #[test]
    fn a_reading_that_comes_late_is_dropped_and_counts_never_fall() {
        let mut history = History::new(100);
        assert_eq!(history.take(reading(10, 5, 4, 2)), Taken::Newest);
        assert_eq!(history.take(reading(10, 9, 9, 9)), Taken::Late);
        assert_eq!(history.take(reading(9, 9, 9, 9)), Taken::Late);
        // A tube was made void.
        assert_eq!(history.take(reading(20, 4, 4, 3)), Taken::Newest);
        let newest = history.newest().unwrap();
        assert_eq!((newest.streets[0].collected, newest.labs[0].resulted), (5, 3));
        // More sent than collected cannot be.
        assert_eq!(history.take(reading(30, 5, 8, 9)), Taken::Newest);
        let newest = history.newest().unwrap();
        assert_eq!((newest.streets[0].sent, newest.labs[0].resulted), (5, 8));
    }

    #[test]
    fn plates_that_are_not_told_any_more_are_forgotten() {
        let mut history = History::new(100);
        let with = |at: u32, plates: u64, plates_done: u64| {
            let mut reading = reading(at, 900, 900, 90);
            (reading.labs[0].plates, reading.labs[0].plates_done) = (plates, plates_done);
            reading
        };
        for (at, told, expected) in [
            (1, (9, 3), (9, 3)),
            // Counts never fall.
            (2, (8, 2), (9, 3)),
            // Another round was opened; it was closed.
            (3, (0, 0), (0, 0)),
            (4, (12, 5), (12, 5)),
        ] {
            history.take(with(at, told.0, told.1));
            let lab = history.newest().unwrap().labs[0];
            assert_eq!((lab.plates, lab.plates_done), expected, "reading {at}");
        }
    }

    #[test]
    fn at_its_limit_the_older_half_gets_thinner_and_the_newest_stay() {
        let mut history = History::new(10);
        for at in 1..=1_000 {
            assert_eq!(history.take(reading(at, 0, 0, 0)), Taken::Newest);
            assert!(history.situation().readings.len() <= 10);
        }
        let times: Vec<u32> = history.situation().readings.iter().map(|one| one.at).collect();
        assert_eq!(times[times.len() - 3..], [998, 999, 1_000]);
        assert!(times.windows(2).all(|two| two[0] < two[1]));
    }
}
