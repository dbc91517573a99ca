//! Times of the model in words, as reports tell them.

use super::city::{City, Words, time_of_day};
use super::model::{DAY, HORIZON_DAYS, HORIZON_MS, MINUTE, Ms};

/// Hours and minutes.
pub fn hours(minutes: u64) -> Words {
    let (h, m) = (minutes / 60, minutes % 60);
    match m {
        0 => Words::new(format!("{h} 小时"), format!("{h} h")),
        _ => Words::new(format!("{h} 小时 {m} 分"), format!("{h} h {m:02} min")),
    }
}

/// Whether a time is one that was not reached within what is reckoned.
pub fn never(at: Ms) -> bool {
    at >= HORIZON_MS
}

/// Why nobody knows by how much two times differ, where one of them, or both, were not reached within what is reckoned.
pub fn not_compared(before: Ms, after: Ms) -> Option<Words> {
    let days = HORIZON_DAYS;
    Some(match (never(before), never(after)) {
        (false, false) => return None,
        (true, false) => Words::new(
            format!("提前（现为 {days} 天以上，提前多少无法得知）"),
            format!("earlier (by how much is not known: as it is it takes over {days} days)"),
        ),
        (false, true) => Words::new(
            format!("推迟（改后为 {days} 天以上，推迟多少无法得知）"),
            format!("later (by how much is not known: with the change it takes over {days} days)"),
        ),
        (true, true) => Words::new(
            format!("改前改后都在 {days} 天以上，相差多少无法得知"),
            format!(
                "over {days} days with and without it, and by how much they differ is not known"
            ),
        ),
    })
}

fn never_words() -> Words {
    Words::new(format!("{HORIZON_DAYS} 天以上"), format!("over {HORIZON_DAYS} days"))
}

/// The nearest minute.
fn nearest_minute(at: Ms) -> u64 {
    u64::from(at.saturating_add(MINUTE / 2) / MINUTE)
}

/// A time of the model as hours and minutes, to the nearest minute.
pub fn span(at: Ms) -> Words {
    if never(at) { never_words() } else { hours(nearest_minute(at)) }
}

/// A time of the round as a time of day: `14:00`, and the day where it is not the first.
pub fn clock_time(city: &City, at: Ms) -> Words {
    if never(at) {
        return never_words();
    }
    let minutes = (city.start_s % 86_400) / 60 + nearest_minute(at);
    let day = minutes / u64::from(DAY / MINUTE);
    let time = time_of_day(minutes);
    match day {
        0 => Words::new(time.clone(), time),
        1 => Words::new(format!("次日 {time}"), format!("{time} next day")),
        day => {
            let day = day + 1;
            Words::new(format!("第 {day} 天 {time}"), format!("{time} on day {day}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_beyond_the_horizon_is_said_to_be_one() {
        for at in [HORIZON_MS, Ms::MAX] {
            assert_eq!(span(at).en, "over 40 days");
        }
        assert_eq!(span(HORIZON_MS - MINUTE).en, "959 h 59 min");
    }

    #[test]
    fn what_is_beyond_the_horizon_is_not_compared() {
        let (near, far) = (HORIZON_MS - MINUTE, HORIZON_MS);
        for (before, after, said) in [
            (near, near, None),
            (far, near, Some("earlier (by how much is not known")),
            (near, far, Some("later (by how much is not known")),
            (far, far, Some("over 40 days with and without it")),
        ] {
            let words = not_compared(before, after);
            assert_eq!(words.is_some(), said.is_some());
            assert!(words.is_none_or(|words| words.en.starts_with(said.unwrap_or_default())));
        }
    }
}
