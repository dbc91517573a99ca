//! What is over already, off the readings: a simulation of the rest of a round says nothing of what came before it.

use super::situation::{LabCount, Reading, Situation, told_between};
use crate::planner::city::StageKind;
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
    /// They have none: of what is in that lab besides the single tubes that wait, they are among the first so many tubes.
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
        let ended = newest.streets.iter().any(|street| street.resulted > 0);
        let of_street = |street: usize| {
            let of = |r: &Reading| r.streets.get(street).copied().unwrap_or_default();
            let (all, lab) = (of(newest), model.streets[street].lab);
            if all.delivered == 0 {
                return Door::Nothing;
            }
            let count = |r: &Reading| r.labs.get(lab).copied().unwrap_or_default();
            // First tests are resulted in the order in which they came to the door. Single tubes of recalls pass them: counted
            // with them, a street would be over while its tubes lie on plates.
            // Where they are not told apart before they have results, there were at most as many first tests as there are now.
            let place = count(first(&|r| of(r).delivered >= all.delivered)).first_received();
            let place = place.min(count(newest).first_received());
            let ahead = place.saturating_sub(count(newest).first_results());
            let over = if ended { all.resulted >= all.collected } else { ahead == 0 };
            match over {
                true if ended => Door::Resulted(when(&|r| of(r).resulted >= all.resulted)),
                true => Door::Resulted(when(&|r| count(r).first_results() >= place)),
                false => Door::Inside { lab, tubes: ahead_of(situation, model, lab, ahead) },
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

/// The same as a run of the rest of the round counts them: it takes the tubes of plates for first tests, but for plates that are
/// known to hold single tubes alone. Where another street's tubes passed these (a plate that failed), they may be any that are there.
fn ahead_of(situation: &Situation, model: &Model, lab: usize, firsts: u64) -> u64 {
    let count =
        situation.readings.last().and_then(|r| r.labs.get(lab)).copied().unwrap_or_default();
    let batch = u64::from(model.labs[lab].stages[StageKind::Extract.index()].batch.max(1));
    let apart = situation.singles_only(lab).saturating_mul(batch);
    let mixed = count.singles_plated.saturating_sub(apart);
    let firsts = match firsts {
        0 => count.first_received().saturating_sub(count.first_results()).max(1),
        firsts => firsts,
    };
    firsts.saturating_add(mixed)
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
    fn a_street_is_over_when_its_own_tubes_have_results_whatever_passed_them() {
        let mut model = example::city(1);
        model.streets.truncate(1);
        let street =
            StreetCount { collected: 100, sent: 100, delivered: 100, ..Default::default() };
        // Received, resulted; single tubes that wait, on plates, with a result; tubes of the street that ended, 0 = not told; tubes
        // that have to have their results before the street is done.
        for (received, resulted, [waiting, plated, closed], ended, expected) in [
            (100, 0, [0, 0, 0], 0, Some(100)),
            (160, 0, [60, 0, 0], 0, Some(100)),
            (160, 70, [30, 0, 30], 0, Some(60)),
            (160, 100, [60, 0, 0], 0, None),
            (160, 160, [0, 0, 60], 0, None),
            // They passed the street's tubes, of which 18 wait: as many results as tubes came with the street.
            (194, 176, [0, 0, 94], 82, Some(18)),
            (194, 176, [0, 0, 94], 0, Some(18)),
            (194, 194, [0, 0, 94], 100, None),
            // On a plate before them, which nothing tells from a plate of first tests.
            (194, 40, [0, 94, 0], 40, Some(60 + 94)),
            // A plate failed, and others passed its tubes; one of the street's is lost.
            (200, 150, [0, 0, 0], 90, Some(50)),
            (200, 200, [0, 0, 0], 99, Some(1)),
        ] {
            let lab = LabCount {
                received,
                plated: received - waiting,
                resulted,
                singles_waiting: waiting,
                singles_plated: plated,
                recalls_closed: closed,
                ..Default::default()
            };
            // The street's tubes came first.
            let came = LabCount { received: 100, ..LabCount::default() };
            let street = |resulted| StreetCount { resulted, ..street };
            let reading = |at, street, lab| Reading {
                at,
                streets: vec![street],
                labs: vec![lab; model.labs.len()],
            };
            let readings = vec![reading(1, street(0), came), reading(HOUR, street(ended), lab)];
            let found = Past::of(&model, &Situation { readings }).streets[0];
            let lab = model.streets[0].lab;
            let over = Door::Resulted(told_between(1, HOUR));
            let expected = expected.map_or(over, |tubes| Door::Inside { lab, tubes });
            let told = (received, resulted, [waiting, plated, closed], ended);
            assert_eq!(found, expected, "{told:?}");
        }
    }
}
