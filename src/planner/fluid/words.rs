//! Why units stand still while tubes wait, in Chinese and English.

use crate::planner::city::{City, Clock, InstrumentDay, StageKind, Words, time_of_day};

/// The rest of the units of a stage of a lab, which holds its tubes up: "the extractors work 18 hours of each day, one after
/// the other, and rest for the others". Without its full stop.
pub fn rest(city: &City, lab: usize, kind: StageKind) -> Words {
    let stage = kind.name();
    let Some(lab) = city.labs.get(lab) else { return stage };
    let (zh, en) = match (lab.stage(kind).clock, lab.instrument_day(&city.norm)) {
        (Clock::Staffed, _) => (
            format!("{}环节有时无人当班，最后的样本要等到下一班", stage.zh),
            format!(
                "no shift is on for {} at times, and the last tubes wait for the next one",
                stage.en
            ),
        ),
        (Clock::Instrument, InstrumentDay::Staggered { hours }) => (
            format!("{}仪器每天只工作 {hours} 小时，最后的样本要等仪器休息完", stage.zh),
            format!(
                "the instruments for {} work {hours} h of a day, and the last tubes wait while they rest",
                stage.en
            ),
        ),
        (Clock::Instrument, InstrumentDay::Window { from_s, to_s }) => {
            let (from, to) = (time_of_day(from_s / 60), time_of_day(to_s / 60));
            (
                format!("{}仪器只在 {from} 至 {to} 工作，最后的样本要等仪器休息完", stage.zh),
                format!(
                    "the instruments for {} work from {from} to {to} only, and the last tubes wait while they rest",
                    stage.en
                ),
            )
        }
    };
    Words::new(zh, en)
}
