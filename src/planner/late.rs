//! Late comers, and why an end of the simulation may stand exactly at a closing hour.
//!
//! In the flows as in the simulation late comers come once the queue is gone, until the desks close for the day. The flows
//! reckon with mean speeds; of the simulation's draws some are slow, their queues last into another day, and then that day
//! is held open to its end. Between the two lies a night: it is told, so that nobody looks for the fault in a lab.

use super::city::{Words, time_of_day};
use super::model::{DAY, HOUR, MINUTE, Model, Ms, Street};
use super::study::Study;

/// The closing hour of a street's desks on the day in which a time lies.
fn closing(street: &Street, at: Ms) -> Ms {
    let day = at.saturating_sub(street.open).saturating_sub(1) / DAY;
    street.open.saturating_add(day.saturating_mul(DAY)).saturating_add(street.hours.min(DAY))
}

/// Said where one replication in ten or more swabs its last person on a later day than `flows`, the last swab of the flows:
/// at a closing hour, where late comers were waited for until then.
pub fn late_words(model: &Model, flows: Ms, study: &Study) -> Option<Words> {
    let at = study.sampled.p90;
    if !study.spreads() {
        return None;
    }
    let late = |s: &&Street| s.persons > 0 && s.late_share > 0.0;
    if at / DAY <= flows / DAY || !model.streets.iter().any(|s| late(&s)) {
        return None;
    }
    // Desks close by the millisecond, and a quantile lies between two of these.
    let closes = |s: &Street| closing(s, at).abs_diff(at) <= MINUTE;
    let at_closing = model.streets.iter().filter(late).any(closes);
    let clock = |at: Ms| {
        let minutes = u64::from(at.saturating_add(model.midnight_offset) / MINUTE);
        let (time, day) = (time_of_day(minutes), minutes / 1440 + 1);
        let hours = f64::from(at) / f64::from(HOUR);
        Words::new(
            format!("第 {day} 天 {time}（开始后 {hours:.1} 小时）"),
            format!("{time} on day {day} ({hours:.1} h after the start)"),
        )
    };
    let (last, mean) = (clock(at), clock(flows));
    let (zh, en) = match at_closing {
        true => (
            format!(
                "P90 的最后采样停在采样点关闭时刻 {}：采样偏慢时排队拖到另一天，晚到者可一直来到当天关闭",
                last.zh
            ),
            format!(
                "At P90 the last swab stands at a closing hour, {}: where queues last into another day, late comers may \
                 come until the sites close",
                last.en
            ),
        ),
        false => (
            format!(
                "P90 的最后采样在 {}：采样偏慢时，关闭前没有轮到的排队者和晚到者次日才采",
                last.zh
            ),
            format!(
                "At P90 the last swab is at {}: where sampling is slow, those of the queue and of the late comers who are not \
                 swabbed before the sites close are swabbed the next day",
                last.en
            ),
        ),
    };
    Some(Words::new(
        Words::closed(&format!("{zh}；流体层按平均速度 {} 采完。", mean.zh)),
        format!("{en}; at mean speed, as in the flows, it is {}.", mean.en),
    ))
}
