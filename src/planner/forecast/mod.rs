//! The forecast: from the tubes that are really in the system to the time at which they will be done.

mod situation;

pub use situation::{LabCount, Reading, Situation, StreetCount};

use super::city::{StageKind, Words};
use super::model::Ms;
use super::study::Quantiles;

/// What binds the round now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Regime {
    /// Desks are still the ones that are waited for.
    Collecting,
    /// Labs have more waiting than they can take: they set the pace.
    Backlog,
    /// What is left comes in drops: late comers, last boxes, last plates.
    Stragglers,
    /// Everything is resulted.
    Done,
}

/// A measure and what it would bring.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    /// What to do.
    pub words: Words,
    /// What the median finish of the city would gain, ms.
    pub saves: Ms,
    /// Probability of meeting the target with it.
    pub in_time: f64,
}

/// The bottleneck.
#[derive(Clone, Debug, PartialEq)]
pub struct Bottleneck {
    /// Number of the lab; `None`: collection, at the desks of `street`.
    pub lab: Option<usize>,
    /// The stage of the lab.
    pub stage: Option<StageKind>,
    /// Number of the street that is last, when collection binds.
    pub street: Option<usize>,
    /// Since when, or from when on, it binds.
    pub from: Ms,
    /// In words.
    pub words: Words,
}

/// A forecast.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// The time of the newest reading.
    pub at: Ms,
    /// The target.
    pub target: Ms,
    /// The last swab.
    pub sampled: Quantiles,
    /// The last first result of the city.
    pub finish: Quantiles,
    /// Probability of that within the target.
    pub in_time: f64,
    /// By street of the model: its last first result.
    pub streets: Vec<Quantiles>,
    /// By lab: its last first result.
    pub labs: Vec<Quantiles>,
    /// What sets the pace.
    pub regime: Regime,
    /// What binds.
    pub bottleneck: Option<Bottleneck>,
    /// The best measures, best first; at most three.
    pub measures: Vec<Measure>,
    /// Particles.
    pub particles: usize,
}
