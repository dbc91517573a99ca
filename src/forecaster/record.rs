//! What stands in a line of the file `forecasts`: a reading, a forecast of the city, one of its streets and laboratories, or
//! that a round was closed. JSON, so that an office can read it with its own tools; names are for ever, like everything on
//! the disk.

use super::places::place_key;
use super::tally::Tally;
use crate::planner::forecast::{Forecast, Regime, judge};
use crate::planner::model::Ms;
use crate::planner::round::Round;
use crate::planner::study::Quantiles;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How the texts of those lines begin that say nearly what their neighbours say.
const MANY: [&str; 2] = [r#"{"line":"reading","#, r#"{"line":"parts","#];

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
    /// What was forecast of its streets and laboratories.
    Parts {
        /// Code of the round.
        round: String,
        /// When it was opened, ms since 1970.
        opened_at: i64,
        /// The forecasts.
        parts: Parts,
    },
    /// The round was closed.
    Closed {
        /// Code of the round.
        round: String,
        /// When it was opened, ms since 1970.
        opened_at: i64,
        /// When it was closed, ms after that.
        at: Ms,
        /// When it was done; nothing = an older program's line.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        done: Option<Box<Done>>,
    },
}

/// When a round that was closed was done, ms since the opening, as its readings said it. Readings are thinned later; this is
/// not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// Its last first result; nothing = not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish: Option<Ms>,
    /// Those of its streets that are known, by key as in a reading.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub streets: BTreeMap<String, Ms>,
    /// Those of its laboratories that are known, by code.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labs: BTreeMap<String, Ms>,
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

/// The last first result of each street and laboratory, as it was forecast: 10, 50 and 90 %, in seconds since the opening,
/// because there are hundreds of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    /// The reading that they were made from, ms since the opening.
    pub at: Ms,
    /// By place, as in a reading. Where the model has a street as several, each quantile is the latest of theirs; that of
    /// the whole street may be a little later.
    pub streets: BTreeMap<String, [u32; 3]>,
    /// By code of the laboratory.
    pub labs: BTreeMap<String, [u32; 3]>,
}

impl Parts {
    /// Of a forecast of a round.
    pub fn of(round: &Round, forecast: &Forecast) -> Parts {
        let three = |of: &Quantiles| [of.p10, of.p50, of.p90].map(|at| at / 1_000);
        let mut parts = Parts { at: forecast.at, ..Parts::default() };
        for (street, finish) in round.streets.iter().zip(&forecast.streets) {
            let key = place_key(&street.district, &street.code);
            let told = parts.streets.entry(key).or_default();
            told.iter_mut().zip(three(finish)).for_each(|(told, at)| *told = at.max(*told));
        }
        let labs = round.labs.iter().zip(&forecast.labs);
        parts.labs = labs.map(|((code, _), finish)| (code.clone(), three(finish))).collect();
        parts
    }
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
            Record::Forecast { .. } | Record::Parts { .. } | Record::Closed { .. } => true,
        })
    }

    /// The kind of a line of which neighbours say nearly the same, so that some may be let go: a reading's, or a forecast's
    /// of streets and laboratories. The city's forecasts and what a round's last line says stay, until the file is full of
    /// them and the oldest lines of all go.
    pub fn thin(text: &str) -> Option<u8> {
        (0_u8..).zip(MANY).find(|(_, begins)| text.starts_with(begins)).map(|(kind, _)| kind)
    }

    /// The round: its code and when it was opened. A code used again is another round.
    pub fn round(&self) -> (&str, i64) {
        match self {
            Record::Reading { round, opened_at, .. }
            | Record::Forecast { round, opened_at, .. }
            | Record::Parts { round, opened_at, .. }
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
    fn lines_of_which_there_are_many_are_told_by_their_first_words() {
        let round = || "R".to_owned();
        let tally = Tally::default();
        let reading = Record::Reading { round: round(), opened_at: 5, seq: 1, tally };
        let parts = Record::Parts { round: round(), opened_at: 5, parts: Parts::default() };
        let closed = Record::Closed { round: round(), opened_at: 5, at: 7, done: None };
        let old = r#"{"line":"closed","round":"R","opened_at":5,"at":7}"#;
        assert_eq!((Record::read(old).as_ref(), closed.text().as_str()), (Some(&closed), old));
        let kinds = [&reading, &parts, &closed].map(|record| Record::thin(&record.text()));
        assert_eq!(kinds, [Some(0), Some(1), None]);
        assert_eq!(Record::read(&parts.text()), Some(parts));
    }

    #[test]
    fn a_street_that_the_model_has_twice_is_told_once_by_its_latest_part() {
        let round = crate::forecaster::CityPlan::builtin("jiyuan").round.unwrap();
        let hour = |hours: Ms| Quantiles::of(&mut [hours * 3_600_000]);
        let twice = Round {
            streets: vec![round.streets[0].clone(), round.streets[0].clone()],
            ..round.clone()
        };
        let situation = crate::planner::forecast::Situation {
            readings: vec![crate::planner::forecast::Reading {
                at: 60_000,
                streets: vec![
                    crate::planner::forecast::StreetCount {
                        collected: 1,
                        ..Default::default()
                    };
                    round.model.streets.len()
                ],
                labs: vec![Default::default(); round.model.labs.len()],
            }],
        };
        let model = (&round.model, &round.doubt);
        let mut forecast =
            crate::planner::forecast::of_model(model.0, model.1, &situation, 1, 2).unwrap();
        forecast.streets = vec![hour(9), hour(7)];
        let parts = Parts::of(&twice, &forecast);
        assert_eq!(parts.streets.values().copied().collect::<Vec<_>>(), [[9 * 3_600; 3]]);
        assert_eq!((parts.at, parts.labs.len()), (60_000, round.labs.len()));
    }
}
