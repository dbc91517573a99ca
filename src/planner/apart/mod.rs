//! Why the layers lie apart.
//!
//! - `flows`: from the arithmetic to the flows, step by step: what each thing costs that the flows have and the arithmetic does
//!   not; the steps add up.
//! - `simulated`: from the flows to the simulation: what each kind of chance costs, left out of both one at a time, with the same
//!   seeds. Chance works together (a street that is slow is late by a night, too), and need not add up.

mod flows;
mod simulated;

use super::model::HOUR;
pub use flows::{Step, Steps, steps};
pub use simulated::{Apart, Effect, simulation_and_flows};

/// Hours with one decimal and their sign.
fn signed_hours(tenths: i64) -> String {
    let sign = if tenths < 0 { "−" } else { "+" };
    format!("{sign}{}", tenths_of(tenths))
}

/// Hours with one decimal, without sign.
fn tenths_of(tenths: i64) -> String {
    let of = tenths.unsigned_abs();
    format!("{}.{}", of / 10, of % 10)
}

/// The nearest tenths of an hour of a difference, ms.
fn in_tenths(ms: i64) -> i64 {
    (ms as f64 * 10.0 / f64::from(HOUR)).round() as i64
}
