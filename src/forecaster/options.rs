//! What the forecaster can be told from outside: the section `[planner]`.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Options of plans and forecasts. Each limit says what happens at it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The city file. Without it nothing is planned or forecast; the round is read all the same.
    pub city: Option<PathBuf>,
    /// Norm pack to use instead of the one that the city file names: a file or a built-in name. What the city file states of
    /// its own stays in force over it.
    pub norm: Option<PathBuf>,
    /// Seconds from one reading of the open round, and its forecast, to the next; by the clock of the folder.
    pub forecast_seconds: u64,
    /// Replications of one simulation. A request for more gets so many.
    pub replications_max: u32,
    /// Plans that are reckoned at a time; more wait their turn. At most `engine.planning_max`. The forecast of the open round runs
    /// beside them, one at a time, and waits for none.
    pub plans_running_max: usize,
    /// Plans that may wait for their turn; more are refused with a retry delay.
    pub plans_waiting_max: usize,
    /// Threads that plans are reckoned on; the rest of the machine stays with intake. 0 = half of the processors. The forecast has
    /// as many of its own, for its second or so in each `forecast_seconds`.
    pub threads_max: usize,
    /// Readings of a round that are kept in memory for its forecast. At the limit every second one of the older half goes.
    pub readings_max: usize,
    /// Bytes of the file `forecasts` in the data folder. At the limit its older readings, and its older forecasts of streets
    /// and laboratories, get thinner, then its oldest lines go.
    pub forecasts_bytes_max: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            city: None,
            norm: None,
            forecast_seconds: 60,
            replications_max: 1_000,
            plans_running_max: 1,
            plans_waiting_max: 8,
            threads_max: 0,
            readings_max: 1_440,
            forecasts_bytes_max: 64 << 20,
        }
    }
}

impl Options {
    /// Milliseconds after which a forecast is old: three times as long as from one to the next.
    pub fn old_after_ms(&self) -> i64 {
        i64::try_from(self.forecast_seconds.max(1).saturating_mul(3_000)).unwrap_or(i64::MAX)
    }

    /// Threads to reckon on, at least one.
    pub(super) fn threads(&self) -> usize {
        let half = || std::thread::available_parallelism().map_or(1, |all| all.get() / 2);
        if self.threads_max == 0 { half().max(1) } else { self.threads_max }
    }
}
