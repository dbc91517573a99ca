//! The grid of time on which a lab is reckoned.

use super::lab::STEPS_MAX;
use super::recalls::recall_delay;
use super::way::pipeline;
use crate::planner::model::{DAY, HOUR, Lab, MINUTE, Model, Ms};

/// Shortest step of time.
pub(super) const STEP: Ms = 4 * MINUTE;

/// Step and number of steps: `STEP`, or longer when the round takes longer than `STEPS_MAX` of them.
pub(super) fn grid(
    model: &Model,
    lab: &Lab,
    list: &[usize],
    tubes: u64,
    share: f64,
) -> (f64, usize) {
    let mut until = 0u64;
    for &i in list {
        let s = &model.streets[i];
        let desk = s.desk_time(s.tubes() as f64 / f64::from(s.desks.max(1)), 0.6);
        let swabs = s.wall(desk as u64).max(u64::from(s.open) + u64::from(s.hours));
        let carried =
            s.tubes() / (u64::from(s.vehicles.max(1)) * u64::from(s.vehicle_tubes.max(1)));
        let round_trip = 2 * u64::from(s.travel_max) + u64::from(s.handling);
        let carried = carried * round_trip.max(u64::from(s.round_trip_min));
        until = until.max(
            swabs
                + carried
                + u64::from(s.box_time)
                + u64::from(s.trip_hold) * 2
                + u64::from(s.travel_max) * 3,
        );
    }
    let slowest = lab
        .stages
        .iter()
        .map(|s| {
            tubes as f64 * (1.0 + share)
                / (s.tubes_per_hour() * s.working_share() * s.sound_share()).max(1e-9)
        })
        .fold(0.0, f64::max);
    // The slowest stage may have to begin after the last tube, and rest for a day.
    until += (slowest * f64::from(HOUR)) as u64 + u64::from(DAY / 2) + 2 * u64::from(pipeline(lab));
    until += (recall_delay(model) * 2.0) as u64;
    let mut step = f64::from(STEP);
    while until as f64 / step > STEPS_MAX as f64 {
        step *= 2.0;
    }
    (step, (until as f64 / step).ceil() as usize + 2)
}
