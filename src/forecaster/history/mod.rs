//! The readings of a round in the order of time: what the model's streets and labs have seen so far.

use crate::forecaster::places::place_key;
use crate::forecaster::tally::Tally;
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
                sent.resulted,
                sent.singles_waiting,
                sent.singles_sent,
            ];
            let dealt = counts.map(|tubes| deal(tubes, parts));
            for (place, (street, _)) in parts.iter().enumerate() {
                let Some(count) = reading.streets.get_mut(*street) else { continue };
                count.collected += dealt[0][place];
                count.sent += dealt[1][place];
                count.delivered += dealt[2][place];
                count.resulted += dealt[3][place];
                count.singles_waiting += dealt[4][place];
                count.singles_sent += dealt[5][place];
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
                        recollections_open: tested.recollections_open,
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

    /// Takes a reading over. Counts never fall: where it counts less (a tube was made void, it turned out to be a single one),
    /// the readings before are lowered. A tube that was none would else be waited for as long as the round is open.
    pub fn take(&mut self, mut reading: Reading) -> Taken {
        let readings = &mut self.situation.readings;
        if readings.last().is_some_and(|last| reading.at <= last.at) {
            return Taken::Late;
        }
        // Dealing rounds each count by itself; nothing is further than what comes before it.
        for street in &mut reading.streets {
            street.sent = street.sent.min(street.collected);
            street.delivered = street.delivered.min(street.sent);
            street.resulted = street.resulted.min(street.delivered);
        }
        for lab in &mut reading.labs {
            lab.plated = lab.plated.min(lab.received);
            lab.resulted = lab.resulted.min(lab.plated);
            lab.plates_done = lab.plates_done.min(lab.plates);
        }
        lower(readings, &reading);
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

/// Lowers readings to what the one that follows them counts, each count by itself. They rise, so all is done where one is
/// not above it.
fn lower(readings: &mut [Reading], next: &Reading) {
    let streets: [fn(&mut StreetCount) -> &mut u64; 4] =
        [|of| &mut of.collected, |of| &mut of.sent, |of| &mut of.delivered, |of| &mut of.resulted];
    let labs: [fn(&mut LabCount) -> &mut u64; 4] = [
        |of| &mut of.received,
        |of| &mut of.plated,
        |of| &mut of.resulted,
        |of| &mut of.recalls_closed,
    ];
    // Plates that are not told for a while (another round is open) are nought in between.
    let plates: [fn(&mut LabCount) -> &mut u64; 2] =
        [|of| &mut of.plates, |of| &mut of.plates_done];
    for (i, street) in next.streets.iter().enumerate() {
        for count in streets {
            let now = *count(&mut street.clone());
            lower_one(readings.iter_mut().filter_map(|r| r.streets.get_mut(i)).map(count), now);
        }
    }
    for (i, lab) in next.labs.iter().enumerate() {
        let told = |count: &&mut LabCount| count.plates > 0;
        for count in labs {
            let now = *count(&mut lab.clone());
            lower_one(readings.iter_mut().filter_map(|r| r.labs.get_mut(i)).map(count), now);
        }
        for count in plates.into_iter().filter(|_| lab.plates > 0) {
            let now = *count(&mut lab.clone());
            let of_lab = readings.iter_mut().filter_map(|r| r.labs.get_mut(i)).filter(told);
            lower_one(of_lab.map(count), now);
        }
    }
}

/// Walks back over one count as long as it is above `now`.
fn lower_one<'r>(counts: impl DoubleEndedIterator<Item = &'r mut u64>, now: u64) {
    counts.rev().take_while(|count| **count > now).for_each(|count| *count = now);
}

#[cfg(test)]
mod tests;
