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
}
