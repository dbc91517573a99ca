//! What sets the pace, and what would mend it.

use super::situation::Situation;
use super::{Forecast, Regime};
use crate::planner::model::{HOUR, Model};
use crate::planner::round::Round;
use crate::planner::study::Quantiles;

/// What sets the pace now.
pub(super) fn regime(
    model: &Model,
    situation: &Situation,
    finish: &Quantiles,
    delivered: &Quantiles,
    all_resulted: bool,
) -> Regime {
    let Some(newest) = situation.readings.last() else { return Regime::Collecting };
    if all_resulted {
        return Regime::Done;
    }
    let pipeline = model.labs.iter().map(crate::planner::fluid::pipeline).max().unwrap_or(0);
    if finish.p50 > delivered.p50.saturating_add(pipeline).saturating_add(HOUR / 2) {
        return Regime::Backlog;
    }
    let queue: f64 = model.streets.iter().map(|s| s.tubes() as f64 * (1.0 - s.late_share)).sum();
    let collected: u64 = newest.streets.iter().map(|s| s.collected).sum();
    if (collected as f64) < queue * 0.98 { Regime::Collecting } else { Regime::Stragglers }
}

/// Adds the bottleneck and the measures.
pub(super) fn advise(_round: &Round, _situation: &Situation, _seed: u64, _forecast: &mut Forecast) {
}
