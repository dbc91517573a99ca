//! The numbers of the command line: read within their bounds, and refused with what is expected, as `Chinese / English`.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::planner::UNITS_CHANGE_MAX;

/// Reads a whole number within bounds, both included.
pub(super) fn whole<T>(
    bounds: RangeInclusive<T>,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync
where
    T: FromStr + PartialOrd + Display + Clone + Send + Sync + 'static,
{
    move |text| {
        let read = text.parse().ok().filter(|n| bounds.contains(n));
        let (from, to) = (bounds.start(), bounds.end());
        read.ok_or_else(|| {
            format!("应为 {from} 到 {to} 的整数 / expected a whole number from {from} to {to}")
        })
    }
}

/// Reads a number within bounds, both included.
pub(super) fn decimal(
    bounds: RangeInclusive<f64>,
    example: &'static str,
) -> impl Fn(&str) -> Result<f64, String> + Clone + Send + Sync {
    move |text| {
        let read = text.parse().ok().filter(|n| bounds.contains(n));
        let (from, to) = (bounds.start(), bounds.end());
        read.ok_or_else(|| {
            format!(
                "应为 {from} 到 {to} 的数，如 {example} / expected a number from {from} to {to}, such as {example}"
            )
        })
    }
}

/// Reads by how many there are more (+2) or fewer (-1).
pub(super) fn change<T: FromStr + Into<i64> + Copy>(text: &str) -> Result<T, String> {
    let most = i64::from(UNITS_CHANGE_MAX);
    let read = text.parse().ok().filter(|n: &T| {
        let n = (*n).into();
        n != 0 && (-most..=most).contains(&n)
    });
    read.ok_or_else(|| {
        format!(
            "应为 -{most} 到 {most} 的整数，不为 0，如 +2 或 -1 / expected a whole number from -{most} to {most} and not 0, such as +2 or -1"
        )
    })
}
