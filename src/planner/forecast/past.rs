//! What is over already, off the readings: a simulation of the rest of a round says nothing of what came before it.

use super::situation::{LabCount, Reading, Situation, told_between};
use crate::planner::model::{HOUR, Model, Ms};
use crate::planner::simulate::Replication;

/// Time without a new tube after which nobody else is waited for.
const QUIET: Ms = 2 * HOUR;

/// When things were over of which nothing is left: each between the first reading that has as much as the newest one and the
/// one before it (`told_between`).
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Past {
    /// The newest reading.
    pub now: Ms,
    /// Whether every tube that was filled has its result and no more are coming.
    pub done: bool,
    /// Whether a first test that was filled has no result, wherever it is.
    pub open: bool,
    /// The newest tube was filled.
    pub sampled: Ms,
    /// The newest first result of the city was there; `now` while it has none.
    pub finish: Ms,
    /// By lab: its newest first result was there; `now` while it has none.
    pub labs: Vec<Ms>,
    /// By street: its newest tubes at the lab's door.
    pub streets: Vec<Door>,
}

/// The tubes of a street that came to the door last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    /// None has come yet.
    Nothing,
    /// They have their results since then.
    Resulted(Ms),
    /// They have none: of what is in that lab, they are among the first so many tubes.
    Inside {
        /// Number of the lab.
        lab: usize,
        /// Tubes with a result to come.
        tubes: u64,
    },
}

impl Past {
    /// Of readings that fit the model.
    pub fn of(model: &Model, situation: &Situation) -> Past {
        let Some(newest) = situation.readings.last() else { return Past::default() };
        // There is one: the newest itself.
        let first = |reached: &dyn Fn(&Reading) -> bool| {
            situation.readings.iter().find(|r| reached(r)).unwrap_or(newest)
        };
        let when = |reached: &dyn Fn(&Reading) -> bool| {
            let first = situation.readings.iter().position(reached).unwrap_or_default();
            let at = |number: usize| situation.readings.get(number).map(|reading| reading.at);
            let (at, before) = (at(first).unwrap_or(newest.at), first.checked_sub(1).and_then(at));
            told_between(before.unwrap_or(at), at)
        };
        let of_lab = |lab: usize| {
            let all = results(newest, lab);
            if all == 0 { newest.at } else { when(&|r| results(r, lab) >= all) }
        };
        let of_street = |street: usize| {
            let delivered = |r: &Reading| r.streets.get(street).map_or(0, |s| s.delivered);
            let (all, lab) = (delivered(newest), model.streets[street].lab);
            if all == 0 {
                return Door::Nothing;
            }
            let count = |r: &Reading| r.labs.get(lab).copied().unwrap_or_default();
            // Tubes are resulted in the order in which they came to the door.
            let place = count(first(&|r| delivered(r) >= all)).received;
            // Single tubes of recalls that wait here go first and are no first tests: a run of the rest tells them apart.
            let ahead = count(newest).resulted + count(newest).singles_here();
            match place.checked_sub(ahead).filter(|tubes| *tubes > 0) {
                Some(tubes) => Door::Inside { lab, tubes },
                None => Door::Resulted(when(&|r| count(r).resulted >= place)),
            }
        };
        let (all_collected, all_results) = (collected(newest), first_results(newest));
        Past {
            now: newest.at,
            done: all_resulted(model, situation),
            open: !is_resulted(newest),
            sampled: when(&|r| collected(r) >= all_collected),
            finish: if all_results == 0 {
                newest.at
            } else {
                when(&|r| first_results(r) >= all_results)
            },
            labs: (0..model.labs.len()).map(of_lab).collect(),
            streets: (0..model.streets.len()).map(of_street).collect(),
        }
    }

    /// When a street of which no tube is on its way has its last result, by a run of the rest of the round.
    pub fn street(&self, street: usize, run: &Replication) -> Ms {
        match self.streets.get(street) {
            None | Some(Door::Nothing) => 0,
            Some(Door::Resulted(at)) => *at,
            Some(Door::Inside { lab, tubes }) => {
                run.labs.get(*lab).map_or(0, |lab| lab.resulted(*tubes)).max(self.now)
            }
        }
    }
}

/// Tubes that a city has filled.
pub(super) fn collected(reading: &Reading) -> u64 {
    reading.streets.iter().map(|street| street.collected).fold(0, u64::saturating_add)
}

/// First tests of a lab with a result.
fn results(reading: &Reading, lab: usize) -> u64 {
    reading.labs.get(lab).map_or(0, LabCount::first_results)
}

fn first_results(reading: &Reading) -> u64 {
    reading.labs.iter().map(LabCount::first_results).fold(0, u64::saturating_add)
}

/// Whether every tube that was filled has its result, and no more are coming: all that were planned have come, or none has
/// for long. Turnout is seldom what the plan thought.
fn all_resulted(model: &Model, situation: &Situation) -> bool {
    let Some(newest) = situation.readings.last() else { return false };
    let all = collected(newest);
    let before = situation.readings.iter().rev().find(|r| r.at.saturating_add(QUIET) <= newest.at);
    let quiet = before.is_some_and(|r| collected(r) == all);
    is_resulted(newest) && (quiet || all >= model.tubes())
}

/// Whether every tube that was filled has its result.
fn is_resulted(newest: &Reading) -> bool {
    // A tube that was lost on the road ended in its street and came to no lab.
    let ended = newest.streets.iter().map(|street| street.resulted).fold(0, u64::saturating_add);
    first_results(newest).max(ended) >= collected(newest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::example;
    use crate::planner::forecast::StreetCount;

    #[test]
    fn single_tubes_that_wait_are_not_ahead_of_a_street() {
        let mut model = example::city(1);
        model.streets.truncate(1);
        let street =
            StreetCount { collected: 100, sent: 100, delivered: 100, ..Default::default() };
        // Received, resulted, single tubes that wait; first tests that are there before the street is done.
        for (received, resulted, singles_waiting, expected) in [
            (100, 0, 0, Some(100)),
            (160, 0, 60, Some(100)),
            (160, 70, 30, Some(60)),
            (160, 100, 60, None),
            (160, 160, 0, None),
        ] {
            let plated = received - singles_waiting;
            let lab =
                LabCount { received, plated, resulted, singles_waiting, ..Default::default() };
            let labs = vec![lab; model.labs.len()];
            let readings = vec![Reading { at: HOUR, streets: vec![street], labs }];
            let found = Past::of(&model, &Situation { readings }).streets[0];
            let lab = model.streets[0].lab;
            let expected =
                expected.map_or(Door::Resulted(HOUR), |tubes| Door::Inside { lab, tubes });
            assert_eq!(found, expected, "{received} {resulted} {singles_waiting}");
        }
    }
}
