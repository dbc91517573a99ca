//! Forecasts against what really happened: for each round in the file, by how much the median was wrong, whether the 50, 80
//! and 95 % intervals held the finish, and what else forecasts are judged by (`planner::forecast::judge`). Stored are
//! quantiles, not draws: PIT and CRPS are those of draws spread evenly between them.

use super::held_parts::{self, PartHeld};
use super::record::{Parts, Record, Told};
use super::tally::Tally;
use crate::planner::forecast::judge::{BINS, bin, crps, of_quantiles, pit};
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
    /// Whether it lay between 25 and 75 %.
    pub held_50: Option<bool>,
    /// Whether it lay between 2.5 and 97.5 %; `None` also when the line does not tell them.
    pub held_95: Option<bool>,
    /// Share of what was forecast that came before the real finish.
    pub pit: Option<f64>,
    /// CRPS, ms.
    pub crps: Option<Ms>,
}

/// How often the interval held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Forecasts that were made before the finish.
    pub forecasts: usize,
    /// Of these, those whose 80 % interval held it.
    pub held: usize,
    /// The same of the 50 % interval.
    pub held_50: usize,
    /// The same of the 95 % interval.
    pub held_95: usize,
    /// Those that tell their 95 % interval.
    pub told_95: usize,
    /// How many by tenths of their PIT.
    pub pit: [usize; BINS],
    /// Sum of their CRPS, ms.
    pub crps: u64,
}

impl Coverage {
    /// Counts a forecast that was made before the finish.
    fn count(&mut self, one: &Held) {
        self.forecasts += 1;
        self.held += usize::from(one.held == Some(true));
        self.held_50 += usize::from(one.held_50 == Some(true));
        self.held_95 += usize::from(one.held_95 == Some(true));
        self.told_95 += usize::from(one.held_95.is_some());
        if let Some(pit) = one.pit {
            self.pit[bin(pit)] += 1;
        }
        self.crps += one.crps.map_or(0, u64::from);
    }

    /// Both together.
    #[must_use]
    pub fn and(mut self, other: &Coverage) -> Coverage {
        self.forecasts += other.forecasts;
        self.held += other.held;
        self.held_50 += other.held_50;
        self.held_95 += other.held_95;
        self.told_95 += other.told_95;
        self.pit.iter_mut().zip(other.pit).for_each(|(bin, more)| *bin += more);
        self.crps += other.crps;
        self
    }

    /// Mean CRPS, ms; 0 of none.
    pub fn crps_mean(&self) -> u64 {
        self.crps / u64::try_from(self.forecasts.max(1)).unwrap_or(1)
    }
}

/// How the 80 % intervals of all forecasts of a folder have held so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SoFar {
    /// Rounds whose finish is known and which were forecast before it.
    pub rounds: usize,
    /// Their forecasts.
    pub judged: usize,
    /// Of these, those whose interval held the finish.
    pub held: usize,
}

impl SoFar {
    /// Of the rounds of a file.
    pub fn of(rounds: &[RoundHeld]) -> SoFar {
        let all = rounds.iter().fold(Coverage::default(), |all, round| all.and(&round.coverage));
        let judged = rounds.iter().filter(|round| round.coverage.forecasts > 0);
        SoFar { rounds: judged.count(), judged: all.forecasts, held: all.held }
    }

    /// The share that held; 0 of none.
    pub fn share(&self) -> f64 {
        self.held as f64 / self.judged.max(1) as f64
    }
}

/// A round.
#[derive(Clone, Debug, PartialEq)]
pub struct RoundHeld {
    /// Its code.
    pub round: String,
    /// When it was opened, ms since 1970.
    pub opened_at: i64,
    /// When its last first test had its result, to the minute of the readings; `None` = not known: tubes were still in
    /// work at the last reading, the round is still open, or the readings before it are gone from the file.
    pub finish: Option<Ms>,
    /// Whether it was closed, or forecast as done.
    pub over: bool,
    /// Readings.
    pub readings: usize,
    /// Its forecasts, by time.
    pub forecasts: Vec<Held>,
    /// Of those before the finish.
    pub coverage: Coverage,
    /// Its streets, as far as they were forecast, by key.
    pub streets: Vec<PartHeld>,
    /// Its laboratories, by code.
    pub labs: Vec<PartHeld>,
}

#[derive(Default)]
struct Lines {
    tallies: Vec<Tally>,
    told: Vec<Told>,
    parts: Vec<Parts>,
    closed: bool,
}

impl Lines {
    /// Whether the round was closed, or forecast as done.
    fn over(&self) -> bool {
        self.closed || self.told.last().is_some_and(|told| told.regime == "done")
    }
}

/// Every round of the file, by the time of its opening.
pub fn held(texts: &[String]) -> Vec<RoundHeld> {
    let mut rounds: BTreeMap<(i64, String), Lines> = BTreeMap::new();
    for record in texts.iter().filter_map(|text| Record::read(text)) {
        let (code, opened_at) = record.round();
        let lines = rounds.entry((opened_at, code.to_owned())).or_default();
        match record {
            Record::Reading { tally, .. } => lines.tallies.push(tally),
            Record::Forecast { told, .. } => lines.told.push(*told),
            Record::Parts { parts, .. } => lines.parts.push(parts),
            Record::Closed { .. } => lines.closed = true,
        }
    }
    rounds.into_iter().map(|((opened_at, code), lines)| of_round(code, opened_at, lines)).collect()
}

fn of_round(round: String, opened_at: i64, mut lines: Lines) -> RoundHeld {
    lines.tallies.sort_by_key(|tally| tally.at);
    lines.told.sort_by_key(|told| told.at);
    lines.parts.sort_by_key(|parts| parts.at);
    let finish = finish(&lines);
    let forecasts: Vec<Held> = lines.told.iter().map(|told| against(told, finish)).collect();
    let mut coverage = Coverage::default();
    forecasts
        .iter()
        .filter(|one| finish.is_some_and(|finish| one.at < finish))
        .for_each(|one| coverage.count(one));
    let (readings, over) = (lines.tallies.len(), lines.over());
    // Of a round that goes on nobody knows whether more tubes come.
    let tallies = if over { lines.tallies.as_slice() } else { &[] };
    let streets = held_parts::streets(tallies, &lines.parts);
    let labs = held_parts::labs(tallies, &lines.parts);
    RoundHeld { round, opened_at, finish, over, readings, forecasts, coverage, streets, labs }
}

/// Shares of the quantiles of a stored forecast.
const SHARES: [f64; 7] = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95];

/// A forecast against the finish that really was.
fn against(told: &Told, finish: Option<Ms>) -> Held {
    let [_, p10, p25, p50, p75, p90, _] = told.finish;
    let mut quantiles: Vec<(f64, Ms)> = SHARES.into_iter().zip(told.finish).collect();
    if let Some([low, high]) = told.outer {
        quantiles.insert(0, (0.025, low));
        quantiles.push((0.975, high));
    }
    let draws = of_quantiles(&quantiles);
    let within = |from: Ms, to: Ms| finish.map(|finish| (from..=to).contains(&finish));
    Held {
        at: told.at,
        finish: [p10, p50, p90],
        error: finish.map(|finish| i64::from(p50) - i64::from(finish)),
        held: within(p10, p90),
        held_50: within(p25, p75),
        held_95: told.outer.and_then(|[low, high]| within(low, high)),
        pit: finish.map(|finish| pit(&draws, finish)),
        crps: finish.map(|finish| crps(&draws, finish).max(0.0) as Ms),
    }
}

/// The first reading with as many first results as the last one has, when nothing was in work at the last one and the
/// round was over: closed, or forecast as done. Unknown when no earlier reading is left.
fn finish(lines: &Lines) -> Option<Ms> {
    let last = lines.tallies.last().filter(|last| lines.over() && last.in_work() == 0)?;
    let all = last.first_results();
    let reached = lines.tallies.iter().position(|tally| tally.first_results() >= all)?;
    // Where the first that is left has them all, those that would say when are gone.
    (all > 0 && reached > 0).then_some(lines.tallies[reached].at)
}

#[cfg(test)]
mod tests {
    use super::super::tally::{Sent, Tested};
    use super::*;

    fn reading(at: Ms, collected: u64, resulted: u64) -> String {
        let place = Sent { collected, sent: collected, delivered: collected, ..Sent::default() };
        let lab = Tested { received: collected, plated: resulted, resulted, ..Tested::default() };
        let tally = Tally {
            at,
            places: BTreeMap::from([("01".to_owned(), place)]),
            labs: BTreeMap::from([("L".to_owned(), lab)]),
            ..Tally::default()
        };
        Record::Reading { round: "R".into(), opened_at: 5, seq: 1, tally }.text()
    }

    fn told(at: Ms, p10: Ms, p50: Ms, p90: Ms) -> String {
        let told = Told {
            at,
            target: 100,
            sampled: [0; 7],
            finish: [p10, p10, p10, p50, p90, p90, p90],
            outer: Some([p10, p90]),
            in_time: 0.5,
            regime: "backlog".into(),
            bottleneck: None,
            measures: vec![],
            particles: 1,
        };
        Record::Forecast { round: "R".into(), opened_at: 5, told: Box::new(told) }.text()
    }

    #[test]
    fn forecasts_are_held_against_the_finish_that_really_was() {
        let parts = Parts {
            at: 10,
            labs: BTreeMap::from([("L".to_owned(), [0, 0, 1])]),
            ..Parts::default()
        };
        let mut lines = vec![
            reading(10, 4, 0),
            Record::Parts { round: "R".into(), opened_at: 5, parts }.text(),
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
        assert!(!open[0].over && open[0].labs[0].finish.is_none());
        let closed = Record::Closed { round: "R".into(), opened_at: 5, at: 70 };
        lines.push(closed.text());
        let [round] = &held(&lines)[..] else { panic!("one round") };
        assert_eq!((round.finish, round.readings), (Some(45), 4));
        assert_eq!((round.labs[0].finish, round.labs[0].held), (Some(45), 1));
        let found: Vec<_> = round.forecasts.iter().map(|one| (one.error, one.held)).collect();
        assert_eq!(found, [(Some(5), Some(true)), (Some(-20), Some(false)), (Some(0), Some(true))]);
        // What was said after the finish is no forecast.
        let Coverage { forecasts, held: within, held_50, held_95, told_95, pit, .. } =
            round.coverage;
        assert_eq!((forecasts, within, held_50, held_95, told_95), (2, 1, 1, 1, 2));
        // 45 of 40 to 60: a little before the middle. 45 of 20 to 30: behind everything.
        assert!(pit[..5].iter().sum::<usize>() == 1 && pit[BINS - 1] == 1, "{pit:?}");
        assert!(round.forecasts[0].crps < round.forecasts[1].crps, "{:?}", round.forecasts);
        let twice = round.coverage.and(&round.coverage);
        assert_eq!((twice.held, twice.crps_mean()), (2, round.coverage.crps_mean()));
        let so_far = SoFar::of(&held(&lines));
        assert_eq!(so_far, SoFar { rounds: 1, judged: 2, held: 1 });
        assert_eq!(
            (so_far.share(), SoFar::of(&open), SoFar::default().share()),
            (0.5, SoFar::default(), 0.0)
        );
        // Nor when the file begins with a reading that has all results.
        let without = |line: &String| !line.contains("\"at\":10,") && !line.contains("\"at\":20,");
        let newest: Vec<String> = lines.iter().filter(|line| without(line)).cloned().collect();
        let [round] = &held(&newest)[..] else { panic!("one round") };
        assert_eq!((round.finish, round.over, round.readings), (None, true, 2));
        // With a tube in work nothing can be said.
        lines.push(reading(80, 10, 9));
        assert_eq!(held(&lines)[0].finish, None);
    }
}
