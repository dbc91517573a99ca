//! Forecasts against what really happened: for each round in the file, by how much the median was wrong, whether the 50, 80
//! and 95 % intervals held the finish, and what else forecasts are judged by (`planner::forecast::judge`). Stored are
//! quantiles, not draws: PIT and CRPS are those of draws spread evenly between them.

use super::held_parts::{self, PartHeld};
use super::record::{Done, Parts, Record, Told};
use super::tally::Tally;
use crate::planner::forecast::judge::{BINS, bin, crps, of_quantiles, pit};
use crate::planner::forecast::told_between;
use crate::planner::model::{HOUR, Ms};
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
    /// When its last first test had its result, between two readings; `None` = not known: tubes were still in
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
    /// What the last line says.
    done: Done,
}

impl Lines {
    fn add(&mut self, record: Record) {
        match record {
            Record::Reading { tally, .. } => self.tallies.push(tally),
            Record::Forecast { told, .. } => self.told.push(*told),
            Record::Parts { parts, .. } => self.parts.push(parts),
            Record::Closed { done, .. } => {
                self.closed = true;
                self.done = done.map_or_else(Done::default, |done| *done);
            }
        }
    }

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
        rounds.entry((opened_at, code.to_owned())).or_default().add(record);
    }
    rounds.into_iter().map(|((opened_at, code), lines)| of_round(code, opened_at, lines)).collect()
}

/// When a round of the file that is closed now was done, for its last line.
pub(super) fn done(texts: &[String], round: &str, opened_at: i64) -> Done {
    let mut lines = Lines { closed: true, ..Lines::default() };
    let records = texts.iter().filter_map(|text| Record::read(text));
    records.filter(|record| record.round() == (round, opened_at)).for_each(|one| lines.add(one));
    let held = of_round(round.to_owned(), opened_at, lines);
    let known = |parts: Vec<PartHeld>| {
        parts.into_iter().filter_map(|part| Some((part.code, part.finish?))).collect()
    };
    Done { finish: held.finish, streets: known(held.streets), labs: known(held.labs) }
}

fn of_round(round: String, opened_at: i64, mut lines: Lines) -> RoundHeld {
    lines.tallies.sort_by_key(|tally| tally.at);
    lines.told.sort_by_key(|told| told.at);
    lines.parts.sort_by_key(|parts| parts.at);
    let finish = lines.done.finish.or_else(|| finish(&lines));
    let forecasts: Vec<Held> = lines.told.iter().map(|told| against(told, finish)).collect();
    let mut coverage = Coverage::default();
    forecasts
        .iter()
        .filter(|one| finish.is_some_and(|finish| one.at < finish))
        .for_each(|one| coverage.count(one));
    let (readings, over) = (lines.tallies.len(), lines.over());
    // Of a round that goes on nobody knows whether more tubes come.
    let tallies = if over { lines.tallies.as_slice() } else { &[] };
    let streets = held_parts::streets(tallies, &lines.parts, &lines.done);
    let labs = held_parts::labs(tallies, &lines.parts, &lines.done);
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

/// Of a round that is over at most one tube in so many may be left without a result: forgotten in a corner, or its swabs
/// never registered. It holds up nobody, and must not keep what was forecast from being judged.
const LEFT: u64 = 1_000;

/// Readings that are further apart, and further than those before them, do not say when something happened between them: a
/// round that was left for a newer one is read once more when it is closed, which may be the day after.
const APART_MAX: Ms = HOUR;

/// When what a reading is the first to tell happened (`told_between`), if it says so: some reading before it, and not long
/// before.
pub(super) fn when(tallies: &[Tally], number: usize) -> Option<Ms> {
    let at = |number: usize| Some(tallies.get(number)?.at);
    let (now, before) = (at(number)?, at(number.checked_sub(1)?)?);
    // The clock of a drill may run as fast as its player: its readings are always that far apart.
    let usual =
        number.checked_sub(2).and_then(at).map_or(0, |earlier| before.saturating_sub(earlier));
    let most = APART_MAX.max(usual.saturating_mul(4));
    (now.saturating_sub(before) <= most).then(|| told_between(before, now))
}

/// Whether of so many tubes with and without a result so few are left that it was all.
pub(super) fn all_but_few(results: u64, left: u64) -> bool {
    left.saturating_mul(LEFT) <= results.saturating_add(left)
}

/// Between the first reading with as many first results as the last one has and the one before it, when the round was over
/// (closed, or forecast as done) and next to nothing in work at the last one. Unknown when no earlier reading is left.
fn finish(lines: &Lines) -> Option<Ms> {
    let last = lines.tallies.last().filter(|_| lines.over())?;
    let all = last.first_results();
    if !all_but_few(all, last.in_work()) {
        return None;
    }
    let reached = lines.tallies.iter().position(|tally| tally.first_results() >= all)?;
    // Where the first that is left has them all, those that would say when are gone.
    when(&lines.tallies, reached).filter(|_| all > 0)
}

#[cfg(test)]
mod tests;
