//! When messages are due, fixed before the run. A device sends one message in each step of time, at
//! a moment of the step that looks like chance and is the same in every run: devices drift against
//! each other as in the field, and the total rate is kept.

use std::sync::Arc;
use std::time::Duration;

/// How many tubes are due by when: a line of straight pieces.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Ends of the pieces: seconds from the start, and tubes due by then. Begins with (0, 0).
    points: Vec<(f64, f64)>,
}

impl Shape {
    /// Pieces one after the other: seconds, and tubes a second.
    pub fn pieces(pieces: impl IntoIterator<Item = (f64, f64)>) -> Shape {
        let mut points = vec![(0.0, 0.0)];
        let (mut at, mut due) = (0.0, 0.0);
        for (seconds, rate) in pieces {
            at += seconds;
            due += seconds * rate;
            points.push((at, due));
        }
        Shape { points }
    }

    /// The same rate all the time.
    pub fn steady(rate: f64, seconds: f64) -> Shape {
        Shape::pieces([(seconds, rate)])
    }

    /// Tubes due in all.
    pub fn total(&self) -> f64 {
        self.points.last().map_or(0.0, |(_, due)| *due)
    }

    /// Messages with so many tubes that are due in all: what it comes to, as whole messages.
    pub fn messages(&self, batch: u32) -> u64 {
        (self.total() / f64::from(batch)).round() as u64
    }

    /// Seconds that it lasts.
    pub fn seconds(&self) -> f64 {
        self.points.last().map_or(0.0, |(at, _)| *at)
    }

    /// The highest rate.
    pub fn peak(&self) -> f64 {
        let rates =
            self.points.windows(2).map(|pair| (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0));
        rates.filter(|rate| rate.is_finite()).fold(0.0, f64::max)
    }

    /// The same shape over another time, at so many times the rate.
    pub fn over(&self, seconds: f64, rate: f64) -> Shape {
        let by = seconds / self.seconds();
        let point = |(at, due): &(f64, f64)| (at * by, due * by * rate);
        Shape { points: self.points.iter().map(point).collect() }
    }

    /// When so many tubes are due; `None` when they never are.
    fn when(&self, due: f64) -> Option<Duration> {
        let next = self.points.partition_point(|point| point.1 <= due);
        let (to_at, to_due) = *self.points.get(next)?;
        let (at, before) = *self.points.get(next.checked_sub(1)?)?;
        let seconds = at + (to_at - at) * (due - before) / (to_due - before);
        Duration::try_from_secs_f64(seconds).ok()
    }
}

/// The times of one device, ascending, counted from the start of the run.
#[derive(Clone, Debug)]
pub struct Schedule {
    device: u64,
    devices: u64,
    /// The next step of time, and how many the device has.
    slot: u64,
    slots: u64,
    /// Messages of all devices.
    messages: u64,
    shape: Arc<Shape>,
}

impl Schedule {
    /// The part that one of `devices` has in the load of this shape, `batch` tubes in a message. All of
    /// them together have every message of it: those that are too few for a step of all devices go to
    /// some, spread evenly.
    pub fn new(device: u32, devices: u32, batch: u32, shape: Arc<Shape>) -> Schedule {
        let messages = shape.messages(batch);
        let (device, devices) = (u64::from(device), u64::from(devices));
        let (whole, rest) = (messages / devices, messages % devices);
        let has_more = (device + 1) * rest / devices > device * rest / devices;
        let slots = whole + u64::from(has_more);
        Schedule { device, devices, slot: 0, slots, messages, shape }
    }
}

impl Iterator for Schedule {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        if self.slot == self.slots {
            return None;
        }
        let before = self.slot * self.devices;
        // The last step is as long as the messages that are left for it.
        let step = self.devices.min(self.messages - before) as f64;
        let within = chance(self.device << 32 | self.slot);
        let share = (before as f64 + within * step) / self.messages as f64;
        self.slot += 1;
        self.shape.when(share.min(1.0 - f64::EPSILON) * self.shape.total())
    }
}

/// A number from 0 up to 1 that looks like chance (SplitMix64 of the seed).
fn chance(seed: u64) -> f64 {
    (mix(seed) >> 11) as f64 / (1_u64 << 53) as f64
}

/// SplitMix64: every seed gives another number.
pub fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN_S: Duration = Duration::from_secs(10);

    fn all(devices: u32, rate: f64, batch: u32) -> Vec<Duration> {
        let shape = Arc::new(Shape::steady(rate, TEN_S.as_secs_f64()));
        let of = |device| Schedule::new(device, devices, batch, shape.clone());
        (0..devices).flat_map(of).collect()
    }

    #[test]
    fn what_is_due_is_scheduled_whatever_the_number_of_devices() {
        for (devices, rate, batch, messages) in [
            (1, 500.0, 1, 5_000),
            (37, 500.0, 1, 5_000),
            (400, 2_000.0, 4, 5_000),
            (5_000, 300.0, 1, 3_000),
            (200, 10.0, 1, 100),
            (5_000, 30.8, 1, 308),
            (99_999, 0.1, 1, 1),
            (7, 0.26, 2, 1),
            (7, 0.01, 1, 0),
            (64, 1_000.1, 20, 500),
        ] {
            let due = all(devices, rate, batch);
            assert_eq!(due.len(), messages, "{rate} over {devices} by {batch}");
            assert_eq!(Shape::steady(rate, 10.0).messages(batch), messages as u64);
            assert!(due.iter().all(|due| *due < TEN_S));
        }
    }

    #[test]
    fn a_low_rate_is_spread_over_devices_and_time() {
        let shape = Arc::new(Shape::steady(10.0, 10.0));
        let of = |device| Schedule::new(device, 1_000, 1, shape.clone());
        let due: Vec<Vec<Duration>> = (0..1_000).map(|device| of(device).collect()).collect();
        assert!(due.iter().all(|times| times.len() <= 1));
        for hundred in due.chunks(100) {
            assert_eq!(hundred.iter().flatten().count(), 10);
        }
        let early = due.iter().flatten().filter(|due| due.as_secs() < 5).count();
        assert!((30..=70).contains(&early), "{early}");
    }

    #[test]
    fn a_device_is_never_due_before_its_last_time() {
        let shape = Arc::new(Shape::steady(1_000.0, TEN_S.as_secs_f64()));
        let times: Vec<_> = Schedule::new(3, 10, 1, shape).collect();
        assert!(times.is_sorted());
        assert!(*times.last().unwrap() < TEN_S);
    }

    #[test]
    fn devices_are_spread_over_every_second() {
        let times = all(200, 1_000.0, 1);
        for second in 0..10 {
            let due = times.iter().filter(|time| time.as_secs() == second).count();
            assert!((850..1_150).contains(&due), "{due} in second {second}");
        }
    }

    #[test]
    fn the_same_run_is_due_at_the_same_times() {
        assert_eq!(all(10, 100.0, 1), all(10, 100.0, 1));
    }

    #[test]
    fn a_shape_puts_its_tubes_where_it_says() {
        let shape = Arc::new(Shape::pieces([(2.0, 100.0), (2.0, 0.0), (6.0, 400.0)]));
        assert_eq!((shape.total(), shape.seconds(), shape.peak()), (2_600.0, 10.0, 400.0));
        let of = |device| Schedule::new(device, 20, 1, shape.clone());
        let times: Vec<Duration> = (0..20).flat_map(of).collect();
        let within = |from: u64, to: u64| {
            times.iter().filter(|time| (from..to).contains(&time.as_secs())).count()
        };
        assert_eq!((within(0, 2), within(2, 4), within(4, 10)), (200, 0, 2_400));
    }

    #[test]
    fn a_shape_over_another_time_keeps_its_form() {
        let shape = Shape::pieces([(3_600.0, 10.0), (3_600.0, 30.0)]).over(72.0, 2.0);
        assert_eq!((shape.seconds(), shape.peak()), (72.0, 60.0));
        assert!((shape.total() - 72.0 * 40.0).abs() < 1e-6);
    }
}
