//! Logs and metrics: how they are set up, and the name and labels of every metric.

use serde::{Deserialize, Serialize};
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// Facts committed.
pub const FACTS_TOTAL: &str = "swabline_engine_facts_total";
/// Batches committed.
pub const BATCHES_TOTAL: &str = "swabline_engine_batches_total";
/// Seconds of reading and folding per batch.
pub const DECIDING_SECONDS: &str = "swabline_engine_deciding_seconds";
/// Seconds of writing and syncing per batch.
pub const DISK_SECONDS: &str = "swabline_engine_disk_seconds";
/// Requests turned away. Label `class`: intake, query, dashboard, planning.
pub const SHED_TOTAL: &str = "swabline_engine_shed_total";
/// 1 when a storage fault has stopped intake.
pub const STORAGE_FAULT: &str = "swabline_engine_storage_fault";
/// Streams open now.
pub const STREAMS: &str = "swabline_api_streams";
/// Streams opened while the same source and epoch had one open already.
pub const SOURCES_TWICE_TOTAL: &str = "swabline_api_sources_twice_total";
/// Requests answered. Labels `method`, `code`.
pub const REQUESTS_TOTAL: &str = "swabline_api_requests_total";
/// Figures of the database. Label `name`.
pub const STORE_GAUGE: &str = "swabline_store_gauge";
/// The last sequence of the log.
pub const SEQ: &str = "swabline_store_seq";

/// Notes a committed batch.
pub fn note_batch(facts: usize, deciding: Duration, disk: Duration) {
    metrics::counter!(FACTS_TOTAL).increment(facts as u64);
    metrics::counter!(BATCHES_TOTAL).increment(1);
    metrics::histogram!(DECIDING_SECONDS).record(deciding.as_secs_f64());
    metrics::histogram!(DISK_SECONDS).record(disk.as_secs_f64());
}

/// Options of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Which messages: a `tracing` filter such as `info` or `swabline=debug`.
    pub filter: String,
    /// One JSON object a line instead of text.
    pub json: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options { filter: "info".into(), json: false }
    }
}

/// Starts the log on standard error. A second call changes nothing.
///
/// # Errors
/// When the filter cannot be understood.
pub fn start(options: &Options) -> Result<(), String> {
    let filter = EnvFilter::try_new(&options.filter)
        .map_err(|error| format!("log.filter {:?}: {error}", options.filter))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A test may have started it already; the first one stays.
    let _ = if options.json { builder.json().try_init() } else { builder.try_init() };
    Ok(())
}
