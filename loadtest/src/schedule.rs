//! When messages are due, fixed before the run. A device sends one message in each step of time, at
//! a moment of the step that looks like chance and is the same in every run: devices drift against
//! each other as in the field, and the total rate is kept.

use std::time::Duration;

/// The times of one device, ascending, counted from the start of the run.
#[derive(Clone, Debug)]
pub struct Schedule {
    device: u64,
    slot: u32,
    step: Duration,
    until: Duration,
}

impl Schedule {
    /// `rate` tubes a second over `devices` devices, `batch` in a message, while `until` lasts.
    pub fn new(device: u32, devices: u32, rate: f64, batch: u32, until: Duration) -> Schedule {
        let step = f64::from(devices) * f64::from(batch) / rate;
        // A step longer than the run is as good as one of a day: at most one message is due.
        let step = Duration::from_secs_f64(step.clamp(1e-9, 86_400.0 * 1_000.0));
        Schedule { device: u64::from(device), slot: 0, step, until }
    }
}

impl Iterator for Schedule {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let within = chance(self.device << 32 | u64::from(self.slot));
        let due = self.step.checked_mul(self.slot)?.checked_add(self.step.mul_f64(within))?;
        self.slot = self.slot.checked_add(1)?;
        (due < self.until).then_some(due)
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
        let of = |device| Schedule::new(device, devices, rate, batch, TEN_S);
        (0..devices).flat_map(of).collect()
    }

    #[test]
    fn the_rate_is_kept_whatever_the_number_of_devices() {
        for (devices, rate, batch) in
            [(1, 500.0, 1), (37, 500.0, 1), (400, 2_000.0, 4), (5_000, 300.0, 1)]
        {
            let tubes = all(devices, rate, batch).len() as f64 * f64::from(batch);
            let wanted = rate * 10.0;
            assert!((tubes - wanted).abs() / wanted < 0.05, "{tubes} of {wanted}");
        }
    }

    #[test]
    fn a_device_is_never_due_before_its_last_time() {
        let times: Vec<_> = Schedule::new(3, 10, 1_000.0, 1, TEN_S).collect();
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
}
