//! A declared capacity explained, as JSON: the Guandu letter.

use serde_json::{Value, json};

use super::json::{origin, words};
use crate::planner::{Explanation, Side};

/// A declared capacity explained.
pub(super) fn explanation(e: &Explanation) -> Value {
    let side = |s: &Side| {
        json!({
            "units": s.units,
            "run_seconds": s.run_s,
            "load_seconds": s.load_s,
            "runs_per_unit": s.runs,
            "tubes": s.tubes,
        })
    };
    let cycles = |range: &Option<std::ops::RangeInclusive<u64>>| {
        range.as_ref().map(|r| json!({ "from": r.start(), "to": r.end() }))
    };
    json!({
        "place": words(&e.claim.place),
        "cyclers": e.claim.cyclers,
        "extractors": e.claim.extractors,
        "claimed_tubes": e.claim.tubes,
        "origin": origin(&e.claim.origin),
        "convention": "whole runs; controls taken off unless the key says otherwise",
        "instrument_day_minutes": e.day_s / 60,
        "wells": e.wells,
        "wells_usable": e.usable,
        "extraction": side(&e.extraction),
        "pcr": side(&e.pcr),
        "binding": e.binding.key(),
        "tubes": e.tubes,
        "consistent": e.consistent,
        "consistent_from": e.consistent_from,
        "consistent_to": e.consistent_to,
        "extractor_cycle_seconds": cycles(&e.extractor_cycle),
        "extractor_cycle_seconds_all_wells": cycles(&e.extractor_cycle_all_wells),
        "cycler_cycle_seconds_max": e.cycler_cycle_max,
        "split_runs_all_wells_cycle_minutes": e.fractional_cycle_tenths.map(|n| n as f64 / 10.0),
        "whole_runs_all_wells_at_that_cycle": e.fractional_cycle_whole_runs,
    })
}
