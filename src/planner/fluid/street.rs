//! When the tubes of a street come to the door of its lab, as a rate over time.

use crate::planner::model::{DAY, HORIZON_MS, HOUR, Ms, Street};

/// Nodes and weights of the three-point Gauss–Hermite rule for a standard normal: the spread of the time on the road.
const ROAD: [(f64, f64); 3] = [(-1.732_051, 1.0 / 6.0), (0.0, 2.0 / 3.0), (1.732_051, 1.0 / 6.0)];
/// Pieces into which the tail of the late comers is cut.
const LATE_PIECES: u32 = 6;

/// A rate over time, kept as the changes of its slope: tubes by step of time.
#[derive(Debug, Default)]
pub(super) struct Inflow {
    /// Length of a step, ms.
    pub step: f64,
    /// Changes of the rate at the beginning of each step, tubes by step.
    changes: Vec<f64>,
    /// Tubes that come at once.
    lumps: Vec<f64>,
}

impl Inflow {
    pub fn clear(&mut self, step: f64, steps: usize) {
        self.step = step;
        self.changes.clear();
        self.changes.resize(steps + 2, 0.0);
        self.lumps.clear();
        self.lumps.resize(steps + 2, 0.0);
    }

    /// `tubes` evenly between two times, ms.
    pub fn add(&mut self, tubes: f64, from: f64, to: f64) {
        if tubes <= 0.0 {
            return;
        }
        let last = self.changes.len() - 2;
        let (a, b) = (from / self.step, to / self.step);
        if b - a < 1.0 {
            self.lumps[(b.ceil().max(0.0) as usize).min(last)] += tubes;
            return;
        }
        let rate = tubes / (b - a);
        // A change within a step takes its share of the step: what flows in sums to `tubes` exactly.
        for (at, change) in [(a, rate), (b, -rate)] {
            let at = at.clamp(0.0, last as f64);
            let (i, part) = (at as usize, at.fract());
            self.changes[i] += change * (1.0 - part);
            self.changes[i + 1] += change * part;
        }
    }

    /// Tubes that flow in by step, written to `tubes`; the number of the last step with any, plus one.
    pub fn write(&self, tubes: &mut [f64]) -> usize {
        let (mut rate, mut end) = (0.0f64, 0);
        for (i, out) in tubes.iter_mut().enumerate() {
            rate += self.changes.get(i).copied().unwrap_or(0.0);
            // What is left of rounding is not a tube.
            *out = if rate > 1e-9 { rate } else { 0.0 };
            *out += self.lumps.get(i).copied().unwrap_or(0.0);
            if *out > 0.0 {
                end = i + 1;
            }
        }
        end
    }
}

/// Mean times of a street's boxes on their way, ms.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    /// From the swab to the closing of its box, on average.
    pub box_wait: f64,
    /// From there to the departure, on average.
    pub trip_wait: f64,
    /// The same for the last box of a day.
    pub trip_wait_last: f64,
    /// Handling.
    pub handling: f64,
}

impl Way {
    pub fn of(street: &Street) -> Way {
        let interval = round_trip(street) / f64::from(street.vehicles.max(1));
        let hold = f64::from(street.trip_hold);
        Way {
            box_wait: f64::from(street.box_time) / 2.0,
            trip_wait: hold.max(interval) / 2.0,
            trip_wait_last: hold.max(interval * 0.6),
            handling: f64::from(street.handling),
        }
    }
}

/// Mean time on the road: of a lognormal, `median · exp(σ²/2)`, not above the limit.
pub(super) fn mean_travel(street: &Street) -> f64 {
    let mean = f64::from(street.travel) * (street.travel_spread.powi(2) / 2.0).exp();
    mean.min(f64::from(street.travel_max))
}

/// Mean time from one departure of a vehicle to its next one, ms.
fn round_trip(street: &Street) -> f64 {
    let way = f64::from(street.handling) + 2.0 * mean_travel(street);
    way.max(f64::from(street.round_trip_min))
}

/// Adds a street's tubes to the inflow of its lab. Returns the time of the last swab, ms.
pub(super) fn add(street: &Street, inflow: &mut Inflow) -> f64 {
    let tubes = street.tubes() as f64;
    if tubes <= 0.0 {
        return 0.0;
    }
    let street = &street.with_overtime(tubes * (1.0 - street.late_share), 0, true);
    let desks = f64::from(street.desks.max(1));
    let way = Way::of(street);
    let late = tubes * street.late_share;
    let main = tubes - late;
    let rate_max =
        f64::from(street.vehicles) * f64::from(street.vehicle_tubes) / round_trip(street).max(1.0);
    let speed = street.mean_speed();
    let end = street.desk_time(main / desks, speed);
    // The ramp and the time after it.
    let ramp = f64::from(street.ramp).min(end);
    let in_ramp = ramp * street.ramp_speed;
    let share = in_ramp / (in_ramp + (end - ramp)).max(1e-9);
    days(street, &way, main * share, 0.0, ramp, rate_max, inflow);
    days(street, &way, main * (1.0 - share), ramp, end, rate_max, inflow);
    let last = end.max(late_ones(street, &way, late, end, rate_max, inflow));
    street.wall(last as u64) as f64
}

/// The tail of the late comers; the working time of its end.
fn late_ones(
    street: &Street,
    way: &Way,
    tubes: f64,
    from: f64,
    rate: f64,
    inflow: &mut Inflow,
) -> f64 {
    if tubes <= 0.0 {
        return from;
    }
    let day = f64::from(street.hours.max(1));
    let per_ms =
        street.desk_rate * f64::from(street.desks) / f64::from(street.pool) / f64::from(HOUR);
    let room = (day - from % day).max((tubes / per_ms).min(day));
    let mean = f64::from(street.late_mean.max(1));
    let cut = 1.0 - (-room / mean).exp();
    let mut before = 0.0;
    for piece in 1..=LATE_PIECES {
        let (a, b) = (piece - 1, piece);
        let [a, b] = [a, b].map(|k| room * f64::from(k) / f64::from(LATE_PIECES));
        let share = (1.0 - (-b / mean).exp()) / cut;
        days(street, way, tubes * (share - before), from + a, from + b, rate, inflow);
        before = share;
    }
    from + room
}

/// Tubes filled evenly between two working times, put on the clock day by day, and brought to the door.
fn days(
    street: &Street,
    way: &Way,
    tubes: f64,
    from: f64,
    to: f64,
    rate_max: f64,
    inflow: &mut Inflow,
) {
    let hours = f64::from(street.hours.clamp(1, DAY));
    let span = to - from;
    if tubes <= 0.0 || span <= 0.0 {
        return;
    }
    let mut at = from;
    while at < to {
        let day = (at / hours).floor();
        let upto = ((day + 1.0) * hours).min(to);
        // Rounding must not make a day without length.
        let upto = if upto <= at { to } else { upto };
        let part = tubes * (upto - at) / span;
        let gap = f64::from(street.open) + day * f64::from(DAY - street.hours.min(DAY));
        // Vehicles that cannot take it as fast as it comes take it as fast as they can.
        let length = (upto - at).max(part / rate_max);
        for (node, weight) in ROAD {
            let road = f64::from(street.travel) * (street.travel_spread * node).exp();
            let road = road.min(f64::from(street.travel_max));
            let delay = way.box_wait + way.trip_wait + way.handling + road + gap;
            inflow.add(part * weight, at + delay, at + length + delay);
        }
        at = upto;
    }
}

/// The time at which the last tube of a street is expected at the door, `road` standard deviations late on the road.
pub(super) fn last_at_door(street: &Street, last_swab: f64, road: f64) -> Ms {
    let way = Way::of(street);
    let travel = f64::from(street.travel) * (street.travel_spread * road).exp();
    let travel = travel.min(f64::from(street.travel_max));
    (last_swab + way.trip_wait_last + way.handling + travel).min(f64::from(HORIZON_MS)) as Ms
}

/// Expected lateness of the latest of `n` trips, in standard deviations: the normal quantile at (n − 0.375)/(n + 0.25)
/// (Blom 1958).
pub(super) fn latest_of(n: usize) -> f64 {
    let n = n.max(1) as f64;
    normal_quantile((n - 0.375) / (n + 0.25)).max(0.0)
}

/// Normal quantile, Abramowitz and Stegun 26.2.23; absolute error below 4.5e-4.
fn normal_quantile(p: f64) -> f64 {
    let tail = if p > 0.5 { 1.0 - p } else { p }.max(1e-12);
    let t = (-2.0 * tail.ln()).sqrt();
    let x = t
        - (2.515_517 + t * (0.802_853 + t * 0.010_328))
            / (1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308)));
    if p > 0.5 { x } else { -x }
}
