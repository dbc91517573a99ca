//! Forecasts against what really happened: for each round in the file, by how much the median was wrong and whether the
//! 80 % interval held the finish.

use super::record::{Record, Told};
use super::tally::Tally;
use crate::planner::model::Ms;
use std::collections::BTreeMap;

/// A forecast and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// When it was made, ms since the opening.
    pub at: Ms,
    /// 10, 50 and 90 % of the finish, ms since the opening.
    pub finish: [Ms; 3],
    /// Median less real finish, ms: positive = it said too late. `None` while the finish is not known.
    pub error: Option<i64>,
    /// Whether the real finish lay between 10 and 90 %.
    pub held: Option<bool>,
}

/// How often the interval held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Forecasts that were made before the finish.
    pub forecasts: usize,
    /// Of these, those whose 80 % interval held it.
    pub held: usize,
}

/// A round.
#[derive(Clone, Debug, PartialEq)]
pub struct RoundHeld {
    /// Its code.
    pub round: String,
    /// When it was opened, ms since 1970.
    pub opened_at: i64,
    /// When its last first test had its result, to the minute of the readings; `None` = not known: tubes were still in
    /// work at the last reading, or the round is still open.
    pub finish: Option<Ms>,
    /// Readings.
    pub readings: usize,
    /// Its forecasts, by time.
    pub forecasts: Vec<Held>,
    /// Of those before the finish.
    pub coverage: Coverage,
}

#[derive(Default)]
struct Lines {
    tallies: Vec<Tally>,
    told: Vec<Told>,
    closed: bool,
}

/// Every round of the file, by the time of its opening.
pub fn held(texts: &[String]) -> Vec<RoundHeld> {
    let mut rounds: BTreeMap<(i64, String), Lines> = BTreeMap::new();
    for record in texts.iter().filter_map(|text| Record::read(text)) {
        let (code, opened_at) = record.round();
        let lines = rounds.entry((opened_at, code.to_owned())).or_default();
        match record {
            Record::Reading { tally, .. } => lines.tallies.push(tally),
            Record::Forecast { told, .. } => lines.told.push(told),
            Record::Closed { .. } => lines.closed = true,
        }
    }
    rounds.into_iter().map(|((opened_at, code), lines)| of_round(code, opened_at, lines)).collect()
}

fn of_round(round: String, opened_at: i64, mut lines: Lines) -> RoundHeld {
    lines.tallies.sort_by_key(|tally| tally.at);
    lines.told.sort_by_key(|told| told.at);
    let finish = finish(&lines);
    let told = |told: &Told| {
        let [_, p10, _, p50, _, p90, _] = told.finish;
        Held {
            at: told.at,
            finish: [p10, p50, p90],
            error: finish.map(|finish| i64::from(p50) - i64::from(finish)),
            held: finish.map(|finish| (p10..=p90).contains(&finish)),
        }
    };
    let forecasts: Vec<Held> = lines.told.iter().map(told).collect();
    let mut coverage = Coverage::default();
    for forecast in forecasts.iter().filter(|one| finish.is_some_and(|finish| one.at < finish)) {
        coverage.forecasts += 1;
        coverage.held += usize::from(forecast.held == Some(true));
    }
    let readings = lines.tallies.len();
    RoundHeld { round, opened_at, finish, readings, forecasts, coverage }
}

/// The first reading with as many first results as the last one has, when nothing was in work at the last one and the
/// round was over: closed, or forecast as done.
fn finish(lines: &Lines) -> Option<Ms> {
    let over = lines.closed || lines.told.last().is_some_and(|told| told.regime == "done");
    let last = lines.tallies.last().filter(|last| over && last.in_work() == 0)?;
    let all = last.first_results();
    let reached = lines.tallies.iter().find(|tally| tally.first_results() >= all)?;
    (all > 0).then_some(reached.at)
}

#[cfg(test)]
mod tests {
    use super::super::tally::{Sent, Tested};
    use super::*;

    fn reading(at: Ms, collected: u64, resulted: u64) -> String {
        let place = Sent { collected, sent: collected, delivered: collected };
        let lab = Tested { received: collected, plated: resulted, resulted, ..Tested::default() };
        let tally = Tally {
            at,
            places: BTreeMap::from([("01".to_owned(), place)]),
            labs: BTreeMap::from([("L".to_owned(), lab)]),
        };
        Record::Reading { round: "R".into(), opened_at: 5, seq: 1, tally }.text()
    }

    fn told(at: Ms, p10: Ms, p50: Ms, p90: Ms) -> String {
        let told = Told {
            at,
            target: 100,
            sampled: [0; 7],
            finish: [p10, p10, p10, p50, p90, p90, p90],
            in_time: 0.5,
            regime: "backlog".into(),
            bottleneck: None,
            measures: vec![],
            particles: 1,
        };
        Record::Forecast { round: "R".into(), opened_at: 5, told }.text()
    }

    #[test]
    fn forecasts_are_held_against_the_finish_that_really_was() {
        let mut lines = vec![
            reading(10, 4, 0),
            told(10, 40, 50, 60),
            reading(20, 9, 4),
            told(20, 20, 25, 30),
            reading(45, 9, 9),
            told(50, 45, 45, 45),
            "something that a later program wrote".to_owned(),
            reading(60, 9, 9),
        ];
        let open = held(&lines);
        assert_eq!((open[0].finish, open[0].coverage), (None, Coverage::default()));
        let closed = Record::Closed { round: "R".into(), opened_at: 5, at: 70 };
        lines.push(closed.text());
        let [round] = &held(&lines)[..] else { panic!("one round") };
        assert_eq!((round.finish, round.readings), (Some(45), 4));
        let found: Vec<_> = round.forecasts.iter().map(|one| (one.error, one.held)).collect();
        assert_eq!(found, [(Some(5), Some(true)), (Some(-20), Some(false)), (Some(0), Some(true))]);
        // What was said after the finish is no forecast.
        assert_eq!(round.coverage, Coverage { forecasts: 2, held: 1 });
        // With a tube in work nothing can be said.
        lines.push(reading(80, 10, 9));
        assert_eq!(held(&lines)[0].finish, None);
    }
}
