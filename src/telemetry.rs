//! Logs and metrics: how they are set up, and the name and labels of every metric.

use serde::{Deserialize, Serialize};
use std::io::IsTerminal;
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
/// Requests turned away. Label `class`: intake, query, dashboard, forecast, planning.
pub const SHED_TOTAL: &str = "swabline_engine_shed_total";
/// 1 when a storage fault has stopped intake.
pub const STORAGE_FAULT: &str = "swabline_engine_storage_fault";
/// Connections open now.
pub const CONNECTIONS: &str = "swabline_api_connections";
/// Connections that waited for another to end, because as many were open as may be.
pub const CONNECTIONS_WAITED_TOTAL: &str = "swabline_api_connections_waited_total";
/// Connections that the server gave up before any call came over them: silent ones, and handshakes that failed.
pub const CONNECTIONS_UNCALLED_TOTAL: &str = "swabline_api_connections_uncalled_total";
/// Streams open now.
pub const STREAMS: &str = "swabline_api_streams";
/// Bytes of memory for large messages that are on their way, of all calls.
pub const INCOMING_BYTES: &str = "swabline_api_incoming_bytes";
/// Requests that were not read to their end, or not at all. Label `cause`: streams, bytes, time.
pub const INCOMING_HALTED_TOTAL: &str = "swabline_api_incoming_halted_total";
/// Bytes of memory for large answers that wait to be read, of all calls.
pub const OUTGOING_BYTES: &str = "swabline_api_outgoing_bytes";
/// Large answers that were let go of because those that wait to be read hold as much as they may.
pub const OUTGOING_REFUSED_TOTAL: &str = "swabline_api_outgoing_refused_total";
/// Streams opened while the same source and epoch had one open already.
pub const SOURCES_TWICE_TOTAL: &str = "swabline_api_sources_twice_total";
/// Requests answered. Labels `method`, `code`.
pub const REQUESTS_TOTAL: &str = "swabline_api_requests_total";
/// Figures of the database. Label `name`.
pub const STORE_GAUGE: &str = "swabline_store_gauge";
/// The last sequence of the log.
pub const SEQ: &str = "swabline_store_seq";

/// Seconds since the reading that the newest forecast was made from, by the folder's clock; NaN = there is none.
pub const FORECAST_AGE: &str = "swabline_forecast_age_seconds";
/// The median finish of the newest forecast, in hours since the round was opened; NaN = there is none.
pub const FORECAST_FINISH_P50: &str = "swabline_forecast_finish_p50_hours";
/// The newest forecast's probability of the target, 0 to 1; NaN = there is none.
pub const FORECAST_IN_TIME: &str = "swabline_forecast_in_time_probability";
/// Forecasts. Label `outcome`: made, shed (intake needed the machine), failed.
pub const FORECASTS_TOTAL: &str = "swabline_forecast_forecasts_total";
/// Readings of the open round.
pub const READINGS_TOTAL: &str = "swabline_forecast_readings_total";

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
        // What h2 has to say of a client that misbehaves is one line for each connection it makes.
        Options { filter: "info,h2=error".into(), json: false }
    }
}

/// Starts the log on standard error. A second call changes nothing.
///
/// # Errors
/// When the filter cannot be understood.
pub fn start(options: &Options) -> Result<(), String> {
    let filter = EnvFilter::try_new(&options.filter)
        .map_err(|error| format!("log.filter {:?}: {error}", options.filter))?;
    // Colours are for people at a terminal; a file or a journal gets plain text.
    let colours = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // Where a line cannot be written, a line that says so is a panic, and a service does not end with its log.
        .log_internal_errors(false)
        .with_ansi(colours);
    // A test may have started it already; the first one stays.
    let _ = if options.json { builder.json().try_init() } else { builder.try_init() };
    Ok(())
}
