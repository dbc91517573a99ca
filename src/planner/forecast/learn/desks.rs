//! The speed of desks, street by street, from the tubes that were filled while people still queued. Streets that have shown
//! little lean on the others (normal with known variances, in logarithms).

use crate::planner::forecast::situation::Situation;
use crate::planner::model::{HOUR, Model, Street};
use crate::planner::round::Doubt;

/// Share of the people who do not come late up to which a street is surely still in its queue.
const IN_QUEUE: f64 = 0.75;

/// Tubes that the desks of a street fill in a working time while people queue, at the model's speed.
pub(in crate::planner::forecast) fn queue_tubes(street: &Street, worked: f64) -> f64 {
    let ramp = f64::from(street.ramp);
    let full = worked.min(ramp) * street.ramp_speed + (worked - ramp).max(0.0);
    street.tubes_per_hour() * street.mean_speed() * full / f64::from(HOUR)
}

/// By street: mean and standard deviation of the logarithm of its desks' speed over the model's.
pub(super) fn learn(model: &Model, doubt: &Doubt, situation: &Situation) -> Vec<(f64, f64)> {
    let (own, city) = (doubt.desk_rate.powi(2), doubt.desk_rate_city.powi(2));
    let shown: Vec<Option<(f64, f64)>> =
        (0..model.streets.len()).map(|i| shown(&model.streets[i], i, situation)).collect();
    // The city's mean: its prior, and the streets.
    let mut precision = if city > 0.0 { 1.0 / city } else { 1e9 };
    let mut mean = 0.0;
    for (shown, noise) in shown.iter().flatten() {
        let weight = 1.0 / (own + noise);
        mean += weight * shown;
        precision += weight;
    }
    let (mean, variance) = (mean / precision, 1.0 / precision);
    shown
        .iter()
        .map(|shown| match shown {
            Some((shown, noise)) => {
                let prior = 1.0 / (own + variance).max(1e-9);
                let data = 1.0 / noise;
                ((mean * prior + shown * data) / (prior + data), (1.0 / (prior + data)).sqrt())
            }
            None => (mean, (own + variance).sqrt()),
        })
        .collect()
}

/// What a street showed in its queue, and how noisy that is.
fn shown(street: &Street, number: usize, situation: &Situation) -> Option<(f64, f64)> {
    let limit = street.tubes() as f64 * (1.0 - street.late_share) * IN_QUEUE;
    let mut seen = situation.readings.iter().rev().filter_map(|reading| {
        let filled = reading.streets.get(number)?.collected as f64;
        let able = queue_tubes(street, street.worked(u64::from(reading.at)) as f64);
        (filled <= limit && filled > 0.0 && able > 0.0).then_some((filled, able))
    });
    let (filled, able) = seen.next()?;
    // Half a tube by desk is open or not counted, and people take different times.
    let open = f64::from(street.desks) * 0.5 / filled;
    let people = 0.25 / (filled * f64::from(street.pool)).max(1.0);
    Some(((filled / able).ln(), open.powi(2) + people + 1e-4))
}
