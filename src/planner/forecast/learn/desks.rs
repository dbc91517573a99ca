//! The speed of desks, street by street, from the tubes that were filled while people still queued. Streets that have shown
//! little lean on the others (normal with known variances, in logarithms).

use crate::planner::forecast::situation::Situation;
use crate::planner::model::{HOUR, Model, Street};
use crate::planner::round::Doubt;

/// Share of the people who do not come late up to which a street is surely still in its queue.
const IN_QUEUE: f64 = 0.75;

/// How wrong the plan is about the ramp of desks that have only just opened, as a standard deviation of the logarithm of what they fill (assumed):
/// they open one after the other, and the first swabs are not the pace of the day. What a street shows says so much less of its desks
/// the more of it lies in that time, and all streets are off the same way.
const RAMP_OFF: f64 = 0.5;

/// Tubes that the desks of a street fill in a working time while people queue, at the model's speed.
pub(in crate::planner::forecast) fn queue_tubes(street: &Street, worked: f64) -> f64 {
    let [in_ramp, after] = at_full_speed(street, worked);
    street.tubes_per_hour() * street.mean_speed() * (in_ramp + after) / f64::from(HOUR)
}

/// A working time as time at full speed: in the ramp, and after it.
fn at_full_speed(street: &Street, worked: f64) -> [f64; 2] {
    let ramp = f64::from(street.ramp);
    [worked.min(ramp) * street.ramp_speed, (worked - ramp).max(0.0)]
}

/// By street: mean and standard deviation of the logarithm of its desks' speed over the model's.
pub(super) fn learn(model: &Model, doubt: &Doubt, situation: &Situation) -> Vec<(f64, f64)> {
    let (own, city) = (doubt.desk_rate.powi(2), doubt.desk_rate_city.powi(2));
    let shown: Vec<Option<Shown>> =
        (0..model.streets.len()).map(|i| shown(&model.streets[i], i, situation)).collect();
    // What the streets say of the city's mean; by how much it is off, they share.
    let (mut said, mut weights, mut ramp) = (0.0, 0.0, 0.0);
    for Shown { speed, noise, ramp: off } in shown.iter().flatten() {
        let weight = 1.0 / (own + noise);
        said += weight * speed;
        weights += weight;
        ramp += weight * off;
    }
    let said_precision = if weights > 0.0 {
        said /= weights;
        1.0 / (1.0 / weights + ramp / weights)
    } else {
        0.0
    };
    // With the city's prior.
    let precision = if city > 0.0 { 1.0 / city } else { 1e9 } + said_precision;
    let (mean, variance) = (said * said_precision / precision, 1.0 / precision);
    shown
        .iter()
        .map(|shown| match shown {
            Some(Shown { speed, noise, ramp }) => {
                let prior = 1.0 / (own + variance).max(1e-9);
                let data = 1.0 / (noise + ramp);
                ((mean * prior + speed * data) / (prior + data), (1.0 / (prior + data)).sqrt())
            }
            None => (mean, (own + variance).sqrt()),
        })
        .collect()
}

/// What a street showed in its queue.
struct Shown {
    /// Logarithm of its desks' speed over the model's.
    speed: f64,
    /// Its variance, by people and by tubes that are open.
    noise: f64,
    /// That by the ramp.
    ramp: f64,
}

fn shown(street: &Street, number: usize, situation: &Situation) -> Option<Shown> {
    let limit = street.tubes() as f64 * (1.0 - street.late_share) * IN_QUEUE;
    let mut seen = situation.readings.iter().rev().filter_map(|reading| {
        let filled = reading.streets.get(number)?.collected as f64;
        let worked = street.worked(u64::from(reading.at)) as f64;
        let able = queue_tubes(street, worked);
        (filled <= limit && filled > 0.0 && able > 0.0).then_some((filled, able, worked))
    });
    let (filled, able, worked) = seen.next()?;
    let [in_ramp, after] = at_full_speed(street, worked);
    let ramp = (in_ramp / (in_ramp + after)).powi(2) * RAMP_OFF;
    // Half a tube by desk is open or not counted, and people take different times.
    let open = f64::from(street.desks) * 0.5 / filled;
    let people = 0.25 / (filled * f64::from(street.pool)).max(1.0);
    Some(Shown {
        speed: (filled / able).ln(),
        noise: open.powi(2) + people + 1e-4,
        ramp: ramp.powi(2),
    })
}
