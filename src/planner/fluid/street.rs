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

/// What became of a street's tubes, in ms since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Carried {
    /// The last swab.
    pub swab: f64,
    /// When vehicles have taken all of it: after the last swab where tubes come faster than they can be taken.
    pub taken: f64,
    /// Since when, up to then, more waits for vehicles than they take; none where they keep up to the end.
    pub since: Option<f64>,
}

impl Carried {
    /// When the last tubes are ready to go, ms.
    fn ready(&self) -> f64 {
        self.swab.max(self.taken)
    }
}

/// The vehicles of a street as a queue: they take what comes as fast as it comes, and in the long run not faster than they can;
/// what waits goes first. All of them are there at first and leave together, and so they come back: half of that, on average, is
/// how much sooner they take what waits than one after the other would.
struct Carrier {
    /// Tubes that all vehicles take in a ms.
    rate: f64,
    /// Time by which what waits is taken sooner than at that rate.
    lead: f64,
    /// Tubes of a load, vehicles, and the time from one departure of a vehicle to its next.
    load: [f64; 2],
    round_trip: f64,
    /// When all that has come would be taken at that rate.
    free: f64,
    /// When all that has come is taken.
    taken: f64,
    since: Option<f64>,
    /// When the first tube may go, and the tubes that have come.
    open: f64,
    come: f64,
}

impl Carrier {
    fn of(street: &Street) -> Carrier {
        let load = [street.vehicle_tubes, street.vehicles].map(|n| f64::from(n.max(1)));
        let round_trip = round_trip(street).max(1.0);
        Carrier {
            rate: load[0] * load[1] / round_trip,
            lead: (round_trip - round_trip / load[1]) / 2.0,
            load,
            round_trip,
            free: 0.0,
            taken: 0.0,
            since: None,
            open: f64::from(street.open),
            come: 0.0,
        }
    }

    /// Takes tubes that come evenly between two times, no earlier than those before, and tells how they go.
    fn take(&mut self, tubes: f64, from: f64, to: f64, go: &mut dyn FnMut(f64, f64, f64)) {
        self.free = self.free.max(from);
        self.come += tubes;
        let pace = tubes / (to - from);
        // When the queue is gone, after `from`.
        let caught = match pace < self.rate {
            true => (self.free - from) * self.rate / (self.rate - pace),
            false => f64::INFINITY,
        };
        let begin = self.free - self.lead;
        if caught < to - from {
            let (queued, at) = (pace * caught, from + caught);
            after(queued, [from, at], [begin, at - self.lead], go);
            go(tubes - queued, at, to);
            self.free = to;
        } else {
            self.free += tubes / self.rate;
            after(tubes, [from, to], [begin, self.free - self.lead], go);
        }
        // Loads are whole, and each vehicle comes back before it leaves again.
        let trips = (self.come / self.load[0] - 1e-6).ceil().max(1.0);
        let rounds = ((trips - 1.0) / self.load[1]).floor();
        let back = self.open + rounds * self.round_trip;
        self.taken = to.max(self.free - self.lead).max(back);
        match self.taken > to {
            true => self.since = self.since.or(Some(from)),
            false => self.since = None,
        }
    }
}

/// Tubes that come evenly between two times and may go evenly between two others, none before it came: how they go.
fn after(tubes: f64, come: [f64; 2], may: [f64; 2], go: &mut dyn FnMut(f64, f64, f64)) {
    let [first, last] = [may[0] - come[0], may[1] - come[1]];
    let later = [come[0].max(may[0]), come[1].max(may[1])];
    if first * last >= 0.0 {
        return go(tubes, later[0], later[1]);
    }
    // Where both are the same time.
    let share = first / (first - last);
    let at = come[0] + share * (come[1] - come[0]);
    go(tubes * share, later[0], at);
    go(tubes * (1.0 - share), at, later[1]);
}

/// Adds a street's tubes to the inflow of its lab.
pub(super) fn add(street: &Street, inflow: &mut Inflow) -> Carried {
    let way = Way::of(street);
    carried(street, &mut |tubes, from, to| {
        for (node, weight) in ROAD {
            let road = f64::from(street.travel) * (street.travel_spread * node).exp();
            let road = road.min(f64::from(street.travel_max));
            let delay = way.box_wait + way.trip_wait + way.handling + road;
            inflow.add(tubes * weight, from + delay, to + delay);
        }
    })
}

/// How a street is swabbed and its tubes taken: `go` is told of the tubes that are taken evenly between two times, were there
/// no wait for boxes and for the next trip.
pub(super) fn carried(street: &Street, go: &mut dyn FnMut(f64, f64, f64)) -> Carried {
    let tubes = street.tubes() as f64;
    if tubes <= 0.0 {
        return Carried::default();
    }
    let street = &street.with_overtime(tubes * (1.0 - street.late_share), 0, street.ramp);
    let desks = f64::from(street.desks.max(1));
    let late = tubes * street.late_share;
    let main = tubes - late;
    let mut carrier = Carrier::of(street);
    let mut taken = |tubes: f64, from: f64, to: f64| {
        days(street, tubes, from, to, &mut |tubes, from, to| {
            carrier.take(tubes, from, to, go);
        });
    };
    let speed = street.mean_speed();
    let end = street.desk_time(main / desks, speed);
    // The ramp and the time after it.
    let ramp = f64::from(street.ramp).min(end);
    let in_ramp = ramp * street.ramp_speed;
    let share = in_ramp / (in_ramp + (end - ramp)).max(1e-9);
    taken(main * share, 0.0, ramp);
    taken(main * (1.0 - share), ramp, end);
    let last = end.max(late_ones(street, late, end, &mut taken));
    let swab = street.wall(last as u64) as f64;
    Carried { swab, taken: carrier.taken, since: carrier.since }
}

/// The tail of the late comers; the working time of its end.
fn late_ones(street: &Street, tubes: f64, from: f64, taken: &mut dyn FnMut(f64, f64, f64)) -> f64 {
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
        taken(tubes * (share - before), from + a, from + b);
        before = share;
    }
    from + room
}

/// Tubes filled evenly between two working times, put on the clock day by day.
fn days(street: &Street, tubes: f64, from: f64, to: f64, fill: &mut dyn FnMut(f64, f64, f64)) {
    let hours = f64::from(street.hours.clamp(1, DAY));
    let span = to - from;
    if tubes <= 0.0 || span <= 0.0 {
        return;
    }
    let mut at = from;
    while at < to {
        let day = (at / hours).floor();
        let upto = ((day + 1.0) * hours).min(to);
        // Rounding must make neither a day without length nor one of a moment.
        let upto = if upto <= at || to - upto < 1.0 { to } else { upto };
        let gap = f64::from(street.open) + day * f64::from(DAY - street.hours.min(DAY));
        fill(tubes * (upto - at) / span, at + gap, upto + gap);
        at = upto;
    }
}

/// The time at which the last tube of a street is expected at the door, `road` standard deviations late on the road.
pub(super) fn last_at_door(street: &Street, carried: &Carried, road: f64) -> Ms {
    let way = Way::of(street);
    let travel = f64::from(street.travel) * (street.travel_spread * road).exp();
    let travel = travel.min(f64::from(street.travel_max));
    let at = carried.ready() + way.trip_wait_last + way.handling + travel;
    at.min(f64::from(HORIZON_MS)) as Ms
}

/// How much longer than it must the last tube of a street waits for a vehicle, ms: they are all away, or take less than there
/// is.
pub(super) fn wait_for_vehicle(street: &Street, carried: &Carried) -> f64 {
    let left = carried.ready() + Way::of(street).trip_wait_last;
    left - carried.swab - f64::from(street.trip_hold)
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
