//! The engine: one writer that decides and commits, admission in front of it, the feed behind it,
//! and the questions that span records.
//!
//! Facts come in through [`Handle::submit`] and are answered after fsync. Nothing else writes.

mod admission;
mod error;
mod feed;
mod process;
pub mod query;
mod writer;

pub use admission::{Class, Handle, Permit};
pub use error::Error;
pub use feed::{Feed, FiguresAt, Stood};
pub use writer::Engine;

pub use crate::store::let_others_go_first;

use crate::domain::discrepancy::Discrepancies;
use crate::domain::fact::Fact;
use serde::{Deserialize, Serialize};

/// Options of the engine. Each limit says what happens at it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Facts that may wait; more are refused with a retry delay.
    pub queue_facts_max: usize,
    /// Bytes that may wait, by estimate; more are refused with a retry delay.
    pub queue_bytes_max: usize,
    /// Facts in one batch; more wait for the next.
    pub batch_facts_max: usize,
    /// Tubes that one batch touches, by estimate; more wait for the next. A few boxes touch as many
    /// tubes as thousands of scans, and no desk is to wait for them.
    pub batch_tubes_max: usize,
    /// Bytes in one batch, by estimate; more wait for the next.
    pub batch_bytes_max: usize,
    /// Queries at one time; more are refused with a retry delay.
    pub queries_max: usize,
    /// Dashboard answers at one time; more are refused with a retry delay.
    pub dashboards_max: usize,
    /// Planning runs at one time; more are refused with a retry delay.
    pub planning_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            queue_facts_max: 100_000,
            queue_bytes_max: 256 << 20,
            batch_facts_max: 4_000,
            batch_tubes_max: 6_000,
            batch_bytes_max: 8 << 20,
            queries_max: 64,
            dashboards_max: 8,
            planning_max: 4,
        }
    }
}

/// A fact with what the edge knows about its clock.
#[derive(Clone, Debug, PartialEq)]
pub struct Submission {
    /// The fact.
    pub fact: Fact,
    /// How far the device's clock is ahead of the server's, in milliseconds.
    pub clock_offset_ms: i64,
}

/// What became of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the log.
    Recorded {
        /// Where.
        seq: u64,
        /// What is odd about its record.
        found: Discrepancies,
    },
    /// It was in the log already.
    Duplicate {
        /// Where.
        seq: u64,
        /// What was odd when it was first committed.
        found: Discrepancies,
    },
    /// Its id belongs to a fact with other content; nothing was recorded.
    IdReused {
        /// Where that one is.
        seq: u64,
    },
}

/// Where the time went, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// In the queue.
    pub waiting_us: u64,
    /// Reading and folding.
    pub deciding_us: u64,
    /// Writing and syncing.
    pub disk_us: u64,
}

/// The answer to a submission: one outcome per fact, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// What became of each.
    pub outcomes: Vec<Outcome>,
    /// Where the time went.
    pub times: Times,
}
