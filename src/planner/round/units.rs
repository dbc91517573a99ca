//! Numbers of a city as the model has them: seconds as milliseconds, counts in 32 bits, thousandths as shares.

use crate::planner::model::{HORIZON_MS, Ms};

pub(super) fn ms(seconds: u64) -> Ms {
    seconds.saturating_mul(1000).min(HORIZON_MS.into()) as Ms
}

pub(super) fn count(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX / 4)
}

pub(super) fn permille(n: u64) -> f64 {
    n as f64 / 1000.0
}
