//! How forecasts of made-up rounds did: coverage, PIT and CRPS (`judge`), beside the CRPS of the climatology: what the plan
//! alone would have said, simulated with its doubts before anything was counted.

use super::Trial;
use crate::planner::forecast::judge::{BINS, bin, crps, pit, quantile};
use crate::planner::forecast::of_model;
use crate::planner::model::{MINUTE, Ms};
use crate::planner::study::study;
use rayon::prelude::*;
use std::ops::Range;

/// Parts of the way at which forecasts are made, percent.
const AT: [u64; 3] = [25, 50, 75];

/// How forecasts did.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// Forecasts.
    pub forecasts: usize,
    /// Percent of them whose 80 % interval held the end.
    pub coverage: f64,
    /// The same of the 50 % interval.
    pub coverage_50: f64,
    /// The same of the 95 % interval.
    pub coverage_95: f64,
    /// Percent whose end came before the 80 % interval.
    pub early: f64,
    /// Mean error of the median at half-way, percent of the true finish.
    pub half_way_error: f64,
    /// Percent of the forecasts by the share of draws that were earlier than the end: below a tenth, below two, and so on.
    pub pit: [f64; BINS],
    /// Mean CRPS, minutes.
    pub crps: f64,
    /// Mean CRPS of the climatology, minutes.
    pub crps_climatology: f64,
}

/// One forecast held against the end.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Held {
    within: [bool; 3],
    early: bool,
    error: Option<f64>,
    pit: f64,
    crps: f64,
    climatology: f64,
}

impl Held {
    fn of(trial: &Trial, percent: u64, seed: u64, particles: usize, plan: &[Ms]) -> Option<Held> {
        let now = (u64::from(trial.finish) * percent / 100) as Ms;
        let situation = trial.situation(now);
        let told = of_model(&trial.model, &trial.doubt, &situation, seed, particles).ok()?;
        let truth = trial.finish;
        let mut draws = told.finishes;
        draws.sort_unstable();
        let within = |share: f64| {
            let [from, to] = [(1.0 - share) / 2.0, (1.0 + share) / 2.0];
            // To the millisecond, as `Quantiles` has it.
            (quantile(&draws, from) as Ms..=quantile(&draws, to) as Ms).contains(&truth)
        };
        let error = f64::from(told.finish.p50) / f64::from(truth) - 1.0;
        Some(Held {
            within: [0.5, 0.8, 0.95].map(within),
            early: truth < told.finish.p10,
            error: (percent == 50).then_some(error.abs()),
            pit: pit(&draws, truth),
            crps: crps(&draws, truth),
            climatology: crps(plan, truth),
        })
    }
}

/// Forecasts `rounds` made-up rounds at 25, 50 and 75 % of the way, each with `particles` draws.
pub fn score(rounds: Range<u64>, surprising: bool, particles: usize) -> Score {
    score_of(rounds, particles, |seed| Trial::new(seed, surprising))
}

/// The same with rounds of cities of some twenty labs.
pub fn score_cities(rounds: Range<u64>, particles: usize) -> Score {
    score_of(rounds, particles, Trial::city)
}

/// The same with rounds of small towns.
pub fn score_small(rounds: Range<u64>, particles: usize) -> Score {
    score_of(rounds, particles, Trial::small)
}

fn score_of(rounds: Range<u64>, particles: usize, round: impl Fn(u64) -> Trial + Sync) -> Score {
    let of_round = |seed: u64| {
        let trial = round(seed);
        // Other chance than the truth's.
        let mut plan =
            study(&trial.model, Some(&trial.doubt), !seed, particles / 2, &|_| true).finishes;
        plan.sort_unstable();
        let held = move |percent| Held::of(&trial, percent, seed, particles, &plan);
        AT.into_iter().filter_map(held)
    };
    let all: Vec<Held> = rounds.into_par_iter().flat_map_iter(of_round).collect();
    sum_up(&all)
}

fn sum_up(all: &[Held]) -> Score {
    let n = all.len().max(1) as f64;
    let percent = |which: &dyn Fn(&Held) -> bool| {
        100.0 * all.iter().filter(|held| which(held)).count() as f64 / n
    };
    let minutes = |of: fn(&Held) -> f64| all.iter().map(of).sum::<f64>() / n / f64::from(MINUTE);
    let half: Vec<f64> = all.iter().filter_map(|held| held.error).collect();
    Score {
        forecasts: all.len(),
        coverage: percent(&|held| held.within[1]),
        coverage_50: percent(&|held| held.within[0]),
        coverage_95: percent(&|held| held.within[2]),
        early: percent(&|held| held.early),
        half_way_error: 100.0 * half.iter().sum::<f64>() / half.len().max(1) as f64,
        pit: std::array::from_fn(|k| percent(&|held| bin(held.pit) == k)),
        crps: minutes(|held| held.crps),
        crps_climatology: minutes(|held| held.climatology),
    }
}
