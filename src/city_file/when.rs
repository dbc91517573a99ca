//! Times of day, dates and places as a block of a file writes them.

use super::sheet::Block;
use crate::planner::Place;

/// Seconds in a day.
const DAY_S: u64 = 86_400;
/// Degrees east and north that a place may have: China, so that the two cannot be taken for one another.
const LON: [u64; 2] = [73, 136];
const LAT: [u64; 2] = [3, 54];

impl Block<'_> {
    /// `HH:MM` as second of the day, from `00:00` to `23:59`.
    pub(super) fn day_start(&self, key: &'static str) -> Option<u64> {
        let expected = ["时刻，如 \"06:00\"", "a time of day such as \"06:00\""];
        let value = self.need(key, expected)?;
        let read = value.get_ref().as_str().and_then(second_of_day).filter(|&s| s < DAY_S);
        if read.is_none() {
            self.wrong(key, value, expected);
        }
        read
    }

    /// The end of a span, 1 to 86 400: `00:00` and `24:00` are the end of the day.
    fn day_end(&self, key: &'static str) -> Option<u64> {
        let expected =
            ["时刻，如 \"18:00\" 或 \"24:00\"", "a time of day such as \"18:00\" or \"24:00\""];
        let value = self.need(key, expected)?;
        let read = value.get_ref().as_str().and_then(second_of_day);
        if read.is_none() {
            self.wrong(key, value, expected);
        }
        read.map(|s| if s == 0 { DAY_S } else { s })
    }

    /// `from` and `to` of a span of the day, which may pass midnight but is not empty.
    pub(super) fn window(&self) -> Option<(u64, u64)> {
        let (from, to) = (self.day_start("from"), self.day_end("to"));
        let (from, to) = (from?, to?);
        if from == to {
            let what = ["“to”与“from”相同", "`to` is the same as `from`"];
            let expected = [
                "两个不同的时刻；全天为 \"00:00\" 到 \"24:00\"",
                "two different times; the whole day is \"00:00\" to \"24:00\"",
            ];
            self.sheet.problem(&self.spot("to"), what, expected);
            return None;
        }
        Some((from, to))
    }

    /// A day of the calendar, `YYYY-MM-DD`.
    pub(super) fn date(&self, key: &'static str) -> Option<String> {
        let expected = ["日期，如 \"2022-04-30\"", "a date such as \"2022-04-30\""];
        let value = self.need(key, expected)?;
        let read = value.get_ref().as_str().filter(|text| is_date(text));
        if read.is_none() {
            self.wrong(key, value, expected);
        }
        read.map(str::to_owned)
    }

    /// `lon` and `lat`, both or neither.
    pub(super) fn place(&self) -> Option<Option<Place>> {
        if !self.has("lon") && !self.has("lat") {
            return Some(None);
        }
        let lon = self.decimal("lon", 1_000_000, LON[0]..=LON[1]);
        let lat = self.decimal("lat", 1_000_000, LAT[0]..=LAT[1]);
        let (lon_e6, lat_e6) = (i64::try_from(lon?).ok()?, i64::try_from(lat?).ok()?);
        Some(Some(Place { lon_e6, lat_e6 }))
    }
}

/// Two digits as a number.
fn two_digits(text: &str) -> Option<u64> {
    (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// `00:00` to `24:00` in seconds.
fn second_of_day(text: &str) -> Option<u64> {
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
    let second = hours * 3600 + minutes * 60;
    (minutes < 60 && second <= DAY_S).then_some(second)
}

/// Whether a text is a day of the Gregorian calendar.
fn is_date(text: &str) -> bool {
    let mut parts = text.split('-');
    let (Some(year), Some(month), Some(day), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let (Some(century), Some(rest)) = (year.get(..2), year.get(2..)) else { return false };
    let (Some(century), Some(rest)) = (two_digits(century), two_digits(rest)) else { return false };
    let (Some(month), Some(day)) = (two_digits(month), two_digits(day)) else { return false };
    let year = century * 100 + rest;
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 => 28 + u64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}
