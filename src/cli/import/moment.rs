//! Moments as people write them, read by the TOML library and turned into milliseconds.

use std::time::{SystemTime, UNIX_EPOCH};

use toml::value::{Date, Datetime, Offset, Time};

/// What a moment looks like: Chinese, English.
pub(super) const MOMENT: [&str; 2] = [
    "带时区的时间，如 2026-11-22T08:00:00+08:00",
    "a time with its offset, such as 2026-11-22T08:00:00+08:00",
];

/// Beijing is 8 hours ahead. A date without a time means the day there: the country has one time.
const BEIJING_MINUTES: i64 = 8 * 60;

const DAY_MS: i64 = 24 * 3_600_000;

/// Milliseconds since 1970 of a text such as `2026-11-22T08:00:00+08:00`. Without its offset a time
/// is refused: servers and offices may stand in different zones.
///
/// # Errors
/// What is expected, in both languages.
pub fn parse(text: &str) -> Result<i64, String> {
    let read = text.parse().ok().and_then(|at: Datetime| exact(&at));
    read.ok_or_else(|| format!("应为{} / expected {}", MOMENT[0], MOMENT[1]))
}

/// A moment of milliseconds since 1970 as a clock in China shows it: `2022-04-18 05:00`.
pub fn in_beijing(ms: i64) -> String {
    let minutes = ms.div_euclid(60_000) + BEIJING_MINUTES;
    let (days, of_day) = (minutes.div_euclid(24 * 60), minutes.rem_euclid(24 * 60));
    // Days since 1 March of the year 0, in eras of 400 years: the inverse of `midnight_ms`.
    let since = days + 719_468;
    let (era, day) = (since.div_euclid(146_097), since.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = (year + era * 400 + i64::from(month >= 10), (month + 2) % 12 + 1);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}", of_day / 60, of_day % 60)
}

/// Today in China, as the machine's clock has it: `2022-04-18`.
pub fn today_in_beijing() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut today = in_beijing(i64::try_from(now.as_millis()).unwrap_or(i64::MAX));
    today.truncate(10);
    today
}

/// A moment that says date, time and offset.
pub(super) fn exact(at: &Datetime) -> Option<i64> {
    let minutes = match at.offset? {
        Offset::Z => 0,
        Offset::Custom { minutes } => i64::from(minutes),
    };
    Some(midnight_ms(at.date?)? + of_day_ms(at.time?) - minutes * 60_000)
}

/// The last moment that is meant: of a date alone, the end of that day in Beijing.
pub(super) fn last(at: &Datetime) -> Option<i64> {
    match at {
        Datetime { date: Some(date), time: None, offset: None } => {
            Some(midnight_ms(*date)? + DAY_MS - 1 - BEIJING_MINUTES * 60_000)
        }
        at => exact(at),
    }
}

fn of_day_ms(time: Time) -> i64 {
    let seconds = i64::from(time.hour) * 3600
        + i64::from(time.minute) * 60
        + i64::from(time.second.unwrap_or(0));
    seconds * 1000 + i64::from(time.nanosecond.unwrap_or(0) / 1_000_000)
}

/// Milliseconds from 1970 to the beginning of a day in UTC; `None` when the calendar has no such
/// day. The year is taken to begin in March, so that the leap day is its last.
fn midnight_ms(date: Date) -> Option<i64> {
    let (year, month, day) = (i64::from(date.year), i64::from(date.month), i64::from(date.day));
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let days_of_month = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => return None,
    };
    if !(1..=days_of_month).contains(&day) {
        return None;
    }
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 719,468 days from 0000-03-01 to 1970-01-01.
    Some((days + (153 * month + 2) / 5 + day - 1 - 719_468) * DAY_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_needs_date_time_and_offset() {
        let cases = [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1970-01-01T08:00:00+08:00", Some(0)),
            ("2026-11-22T08:00:00+08:00", Some(1_795_305_600_000)),
            ("2026-11-22T08:00:00.25+08:00", Some(1_795_305_600_250)),
            ("2024-02-29T23:59:59-01:00", Some(1_709_254_799_000)),
            ("1900-03-01T00:00:00Z", Some(-2_203_891_200_000)),
            ("2026-11-22T08:00:00", None),
            ("2026-11-22", None),
            ("08:00:00", None),
            ("2025-02-29T00:00:00Z", None),
            ("tomorrow", None),
            ("", None),
        ];
        for (text, wanted) in cases {
            assert_eq!(parse(text).ok(), wanted, "{text}");
        }
        let refused = parse("2026-11-22").unwrap_err();
        assert!(refused.contains("应为") && refused.contains("expected"), "{refused}");
    }

    #[test]
    fn a_moment_is_shown_as_a_clock_in_china_shows_it() {
        for (ms, shown) in [
            (0, "1970-01-01 08:00"),
            (1_650_229_200_000, "2022-04-18 05:00"),
            (1_709_222_400_000, "2024-03-01 00:00"),
            (1_709_222_399_999, "2024-02-29 23:59"),
            (-2_203_891_200_000, "1900-03-01 08:00"),
            (4_102_415_999_000, "2099-12-31 23:59"),
        ] {
            assert_eq!(in_beijing(ms), shown, "{ms}");
        }
    }

    #[test]
    fn a_date_alone_lasts_to_the_end_of_that_day_in_beijing() {
        let date: Datetime = "2026-11-22".parse().unwrap();
        assert_eq!(last(&date), parse("2026-11-22T23:59:59.999+08:00").ok());
        let local: Datetime = "2026-11-22T10:00:00".parse().unwrap();
        assert_eq!(last(&local), None, "a time without its offset");
    }
}
