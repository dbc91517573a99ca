//! Stands in for `planner::forecast::forecast` until it is there, behind the same call: the plan's own distribution, never
//! earlier than now. It learns nothing from the readings.

use crate::planner::Words;
use crate::planner::forecast::{Forecast, Regime, Situation};
use crate::planner::model::Ms;
use crate::planner::round::Round;
use crate::planner::study::{Quantiles, study};

/// Why there is no forecast.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// Nothing was read.
    #[error("there is no reading of the round yet")]
    NoReading,
}

impl Error {
    /// The same in two languages.
    pub fn words(&self) -> Words {
        Words::new("尚无本轮读数", self.to_string())
    }
}

/// Replications.
const REPLICATIONS: usize = 48;

/// A forecast of the round from its readings.
///
/// # Errors
/// When nothing was read.
pub fn forecast(round: &Round, situation: &Situation, seed: u64) -> Result<Forecast, Error> {
    let newest = situation.readings.last().ok_or(Error::NoReading)?;
    let study = study(&round.model, Some(&round.doubt), seed, REPLICATIONS, &|_| true);
    let collected: u64 = newest.streets.iter().map(|street| street.collected).sum();
    let resulted: u64 = newest.labs.iter().map(|lab| lab.resulted).sum();
    let (all, at) = (round.model.tubes(), newest.at);
    let done = resulted >= all && collected >= all;
    let later = |times: &Quantiles| {
        let of = |time: Ms| if done { at } else { time.max(at) };
        Quantiles {
            p05: of(times.p05),
            p10: of(times.p10),
            p25: of(times.p25),
            p50: of(times.p50),
            p75: of(times.p75),
            p90: of(times.p90),
            p95: of(times.p95),
        }
    };
    Ok(Forecast {
        at,
        target: round.model.target,
        sampled: later(&study.sampled),
        finish: later(&study.finish),
        in_time: if at > round.model.target && !done { 0.0 } else { study.in_time },
        streets: study.streets.iter().map(later).collect(),
        labs: study.labs.iter().map(later).collect(),
        regime: match () {
            () if done => Regime::Done,
            () if collected < all => Regime::Collecting,
            () => Regime::Backlog,
        },
        bottleneck: None,
        measures: Vec::new(),
        particles: REPLICATIONS,
    })
}
