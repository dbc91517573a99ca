//! To which other lab a lab's streets deliver: tubes that its streets handed over and that it did not receive, while another
//! lab received more than its own streets handed over.
//!
//! Readings say it by lab only, so which streets it is is drawn, anew for each draw, until their tubes are the share that
//! went astray. What a lab was told to send to another one looks the same, and is meant to.

use crate::planner::forecast::situation::{Reading, Situation};
use crate::planner::model::{HOUR, Model, Ms};
use crate::planner::simulate::Stream;

/// What was delivered in the last hours says where the next goes.
const LOOKS_BACK: Ms = 4 * HOUR;
/// A smaller share is not told from tubes that are registered late, single tubes of recalls, and clocks.
const SHARE_MIN: f64 = 0.05;
/// The same in tubes: three boxes.
const TUBES_MIN: i64 = 300;
/// Tubes that go the same way together: a box.
const BOX: f64 = 94.0;

/// A lab whose streets deliver elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Astray {
    /// The lab that the plan has them at.
    from: usize,
    /// Other labs, with their shares of it.
    to: Vec<(usize, f64)>,
    /// Boxes that went elsewhere and that did not: the share that will is Beta of one more of each half.
    boxes: (f64, f64),
}

/// By lab: what its streets delivered and what it received between two readings, both without single tubes of recalls, which
/// no street's count has.
fn balance(model: &Model, before: Option<&Reading>, now: &Reading) -> Vec<(i64, i64)> {
    let signed = |tubes: u64| i64::try_from(tubes).unwrap_or(i64::MAX);
    let mut all = vec![(0, 0); model.labs.len()];
    for (reading, sign) in [(Some(now), 1), (before, -1)] {
        let Some(reading) = reading else { continue };
        for (street, count) in model.streets.iter().zip(&reading.streets) {
            if let Some(lab) = all.get_mut(street.lab) {
                lab.0 += sign * signed(count.delivered);
            }
        }
        for (lab, count) in all.iter_mut().zip(&reading.labs) {
            lab.1 += sign * signed(count.first_received());
        }
    }
    all
}

/// Learns.
pub(super) fn learn(model: &Model, situation: &Situation) -> Vec<Astray> {
    let Some(now) = situation.readings.last() else { return Vec::new() };
    let before =
        situation.readings.iter().rev().find(|r| r.at.saturating_add(LOOKS_BACK) <= now.at);
    let lab = balance(model, before, now);
    let over: Vec<(usize, f64)> = lab
        .iter()
        .enumerate()
        .filter(|(_, (delivered, received))| received - delivered >= TUBES_MIN)
        .map(|(i, (delivered, received))| (i, (received - delivered) as f64))
        .collect();
    let all_over: f64 = over.iter().map(|lab| lab.1).sum();
    let short = lab.iter().enumerate().filter(|(_, (delivered, received))| {
        let short = delivered - received;
        short >= TUBES_MIN && short as f64 >= SHARE_MIN * *delivered as f64
    });
    short
        .filter(|_| all_over > 0.0)
        .map(|(from, (delivered, received))| {
            // No more than turned up elsewhere: the others may be counted late.
            let astray = ((delivered - received) as f64).min(all_over);
            Astray {
                from,
                to: over.iter().map(|(lab, tubes)| (*lab, tubes / all_over)).collect(),
                boxes: (astray / BOX, (*delivered as f64 - astray).max(0.0) / BOX),
            }
        })
        .collect()
}

impl Astray {
    /// Sends some of the lab's streets elsewhere for the rest of the round.
    pub fn draw(&self, model: &mut Model, situation: &Situation, dice: Stream) {
        let newest = situation.readings.last();
        let (astray, right) = self.boxes;
        let share = dice.below(0).beta(astray + 0.5, right + 0.5);
        let left = |model: &Model, street: usize| {
            let count = newest.and_then(|reading| reading.streets.get(street));
            let there = count.map_or(0, |count| count.delivered);
            model.streets[street].tubes().saturating_sub(there) as f64
        };
        let mut streets: Vec<usize> =
            (0..model.streets.len()).filter(|&i| model.streets[i].lab == self.from).collect();
        streets.sort_by_key(|&i| dice.bits(1_000 + i as u64));
        let mut rest = share * streets.iter().map(|&i| left(model, i)).sum::<f64>();
        for i in streets {
            let tubes = left(model, i);
            // The last one by chance, so that the share is right on average.
            if tubes > 0.0 && rest / tubes > dice.unit(100_000 + i as u64) {
                let mut upto = dice.unit(200_000 + i as u64);
                let to = self.to.iter().find(|(_, share)| {
                    upto -= share;
                    upto <= 0.0
                });
                if let Some((lab, _)) = to.or(self.to.last()) {
                    model.streets[i].lab = *lab;
                }
                rest -= tubes;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::example;
    use crate::planner::forecast::{LabCount, StreetCount};

    #[test]
    fn single_tubes_of_recalls_are_nobodys_who_went_astray() {
        let mut model = example::city(1);
        model.streets.truncate(1);
        let street = StreetCount { delivered: 1_000, ..StreetCount::default() };
        // Received, single tubes done, waiting and on plates; what is over.
        for (received, [recalls_closed, singles_waiting, singles_plated], over) in
            [(1_000, [0; 3], 0), (1_900, [400, 300, 200], 0), (1_900, [400, 0, 0], 500)]
        {
            let lab = LabCount {
                received,
                recalls_closed,
                singles_waiting,
                singles_plated,
                ..Default::default()
            };
            let labs = vec![lab; model.labs.len()];
            let reading = Reading { at: HOUR, streets: vec![street], labs };
            let (delivered, came) = balance(&model, None, &reading)[model.streets[0].lab];
            assert_eq!(came - delivered, over, "{received}");
        }
    }
}
