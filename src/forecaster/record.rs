//! What stands in a line of the file `forecasts`: a reading, a forecast, or that a round was closed. JSON, so that an
//! office can read it with its own tools; names are for ever, like everything on the disk.

use super::tally::Tally;
use crate::planner::forecast::{Forecast, Regime, judge};
use crate::planner::model::Ms;
use crate::planner::round::Round;
use crate::planner::study::Quantiles;
use serde::{Deserialize, Serialize};

/// How the text of a reading begins.
const READING: &str = r#"{"line":"reading","#;

/// A line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "lowercase")]
pub enum Record {
    /// The counters of a round.
    Reading {
        /// Code of the round.
        round: String,
        /// When it was opened, ms since 1970.
        opened_at: i64,
        /// Position of the log.
        seq: u64,
        /// The counters.
        tally: Tally,
    },
    /// What was forecast.
    Forecast {
        /// Code of the round.
        round: String,
        /// When it was opened, ms since 1970.
        opened_at: i64,
        /// The forecast.
        told: Box<Told>,
    },
    /// The round was closed.
    Closed {
        /// Code of the round.
        round: String,
        /// When it was opened, ms since 1970.
        opened_at: i64,
        /// When it was closed, ms after that.
        at: Ms,
    },
}

/// A forecast as it was told. Times are milliseconds since the opening; quantiles are those of 5, 10, 25, 50, 75, 90 and
/// 95 %.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// The reading that it was made from.
    pub at: Ms,
    /// The target.
    pub target: Ms,
    /// The last swab.
    pub sampled: [Ms; 7],
    /// The last first result.
    pub finish: [Ms; 7],
    /// 2.5 and 97.5 % of it; nothing = an older program's line, which did not tell them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outer: Option<[Ms; 2]>,
    /// Probability of that within the target.
    pub in_time: f64,
    /// What set the pace.
    pub regime: String,
    /// What bound.
    pub bottleneck: Option<Bound>,
    /// The best measures.
    pub measures: Vec<Advice>,
    /// Particles.
    pub particles: usize,
}

/// What bound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// Code of the laboratory; empty = collection.
    pub lab: String,
    /// Key of its stage; empty with a laboratory = the laboratory stands still.
    pub stage: String,
    /// Code of the street that is last, when collection binds.
    pub street: String,
    /// From when on.
    pub from: Ms,
    /// In words.
    pub zh: String,
    /// In words.
    pub en: String,
}

/// A measure and what it would bring.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Advice {
    /// What to do.
    pub zh: String,
    /// What to do.
    pub en: String,
    /// What the median finish would gain.
    pub saves: Ms,
    /// Probability of meeting the target with it.
    pub in_time: f64,
}

/// The name of a regime.
pub fn regime_name(regime: Regime) -> &'static str {
    match regime {
        Regime::Collecting => "collecting",
        Regime::Backlog => "backlog",
        Regime::Stragglers => "stragglers",
        Regime::Done => "done",
    }
}

fn seven(of: &Quantiles) -> [Ms; 7] {
    [of.p05, of.p10, of.p25, of.p50, of.p75, of.p90, of.p95]
}

/// The ends of the 95 % interval of the finish.
fn outer(forecast: &Forecast) -> Option<[Ms; 2]> {
    let mut draws = forecast.finishes.clone();
    draws.sort_unstable();
    let told = [0.025, 0.975].map(|share| judge::quantile(&draws, share) as Ms);
    (!draws.is_empty()).then_some(told)
}

impl Told {
    /// Of a forecast of a round.
    pub fn of(round: &Round, forecast: &Forecast) -> Told {
        let bound = forecast.bottleneck.as_ref().map(|bound| {
            let lab = bound.lab.and_then(|lab| round.labs.get(lab));
            let street = bound.street.and_then(|street| round.streets.get(street));
            Bound {
                lab: lab.map(|lab| lab.0.clone()).unwrap_or_default(),
                stage: bound.stage.map(|stage| stage.key().to_owned()).unwrap_or_default(),
                street: street.map(|street| street.code.clone()).unwrap_or_default(),
                from: bound.from,
                zh: bound.words.zh.clone(),
                en: bound.words.en.clone(),
            }
        });
        let measures = forecast.measures.iter().map(|measure| Advice {
            zh: measure.words.zh.clone(),
            en: measure.words.en.clone(),
            saves: measure.saves,
            in_time: measure.in_time,
        });
        Told {
            at: forecast.at,
            target: forecast.target,
            sampled: seven(&forecast.sampled),
            finish: seven(&forecast.finish),
            outer: outer(forecast),
            in_time: forecast.in_time,
            regime: regime_name(forecast.regime).to_owned(),
            bottleneck: bound,
            measures: measures.collect(),
            particles: forecast.particles,
        }
    }
}

impl Record {
    /// As a line's text.
    pub fn text(&self) -> String {
        // Plain data with text keys: this does not fail, and if it did the line would be skipped when read.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// From a line's text; `None` = a later program's, nothing of ours, or counts that cannot be.
    pub fn read(text: &str) -> Option<Record> {
        serde_json::from_str(text).ok().filter(|record| match record {
            Record::Reading { tally, .. } => tally.can_be(),
            Record::Forecast { .. } | Record::Closed { .. } => true,
        })
    }

    /// Whether the text of a line is a reading's: neighbours say nearly the same, so of these some may be let go.
    pub fn is_reading(text: &str) -> bool {
        text.starts_with(READING)
    }

    /// The round: its code and when it was opened. A code used again is another round.
    pub fn round(&self) -> (&str, i64) {
        match self {
            Record::Reading { round, opened_at, .. }
            | Record::Forecast { round, opened_at, .. }
            | Record::Closed { round, opened_at, .. } => (round, *opened_at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tally::{Sent, Tested};
    use super::*;

    #[test]
    fn counts_that_cannot_be_make_a_damaged_line() {
        let line = |collected: u64, received: u64, recalls_closed: u64| {
            let mut tally = Tally { at: 5, ..Tally::default() };
            let place = Sent { collected, ..Sent::default() };
            let lab = Tested { received, recalls_closed, ..Tested::default() };
            tally.places.insert("01".into(), place);
            tally.labs.insert("L".into(), lab);
            Record::Reading { round: "R".into(), opened_at: 5, seq: 1, tally }.text()
        };
        let most = 1_000_000_000;
        assert!(Record::read(&line(most, most, most)).is_some());
        for (collected, received, recalls) in
            [(most + 1, 0, 0), (u64::MAX, 1, 1), (1, 1_000_000_000_000, 1), (1, 1, u64::MAX)]
        {
            assert_eq!(Record::read(&line(collected, received, recalls)), None);
        }
    }

    #[test]
    fn a_reading_is_told_from_other_lines_by_its_first_words() {
        let round = || "R".to_owned();
        let tally = Tally::default();
        let reading = Record::Reading { round: round(), opened_at: 5, seq: 1, tally };
        let closed = Record::Closed { round: round(), opened_at: 5, at: 7 };
        assert!(Record::is_reading(&reading.text()) && !Record::is_reading(&closed.text()));
    }
}
