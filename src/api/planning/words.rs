//! Times, texts and stages of plans on the wire.

use crate::api::errors::Error;
use crate::api::pb;
use crate::forecaster::CityPlan;
use crate::planner::model::{MINUTE, Ms};
use crate::planner::study::Quantiles;
use crate::planner::times::{never, span};
use crate::planner::{StageKind, TARGET_HOURS_MAX, Words};

/// A text.
pub fn text(words: &Words) -> pb::Text {
    pb::Text { zh: words.zh.clone(), en: words.en.clone() }
}

/// A text, as a message has it.
pub fn some(words: &Words) -> Option<pb::Text> {
    Some(text(words))
}

/// Sentences one after the other, each with its full stop.
pub fn sentences(all: &[Words]) -> Words {
    let ended = |text: &str, stop: &str| match text.trim_end() {
        "" => String::new(),
        text if text.ends_with(['.', '。', '！', '？']) => text.to_owned(),
        text => format!("{text}{stop}"),
    };
    let zh: String = all.iter().map(|one| ended(&one.zh, "。")).collect();
    let en: Vec<String> =
        all.iter().map(|one| ended(&one.en, ".")).filter(|text| !text.is_empty()).collect();
    Words::new(zh, en.join(" "))
}

/// A length of time in hours and minutes.
pub fn hours(ms: i64) -> Words {
    let minutes = ms.unsigned_abs() / u64::from(MINUTE);
    let (h, m) = (minutes / 60, minutes % 60);
    Words::new(format!("{h} 小时 {m} 分"), format!("{h} h {m:02} min"))
}

/// A time of the round in hours and minutes, or that it is beyond what is reckoned.
pub fn time(at: Ms) -> Words {
    if never(at) { span(at) } else { hours(at.into()) }
}

/// "3 h 40 min after the target"; of what is not done within what is reckoned nobody knows by how much.
pub fn off_target(target: Ms, finish: Ms) -> Words {
    let differs = hours(slack(target, finish));
    match finish <= target {
        true => Words::new(
            format!("比目标早 {}", differs.zh),
            format!("{} before the target", differs.en),
        ),
        false if never(finish) => Words::new("晚于目标", "after the target"),
        false => Words::new(
            format!("比目标晚 {}", differs.zh),
            format!("{} after the target", differs.en),
        ),
    }
}

/// Quantiles.
pub fn quantiles(of: &Quantiles) -> Option<pb::Quantiles> {
    Some(pb::Quantiles {
        p05_ms: of.p05.into(),
        p10_ms: of.p10.into(),
        p25_ms: of.p25.into(),
        p50_ms: of.p50.into(),
        p75_ms: of.p75.into(),
        p90_ms: of.p90.into(),
        p95_ms: of.p95.into(),
    })
}

/// Target less finish.
pub fn slack(target: Ms, finish: Ms) -> i64 {
    i64::from(target) - i64::from(finish)
}

/// "done in 27 h 40 min, 3 h 40 min after the target".
pub fn against(target: Ms, finish: Ms) -> Words {
    let (takes, off) = (time(finish), off_target(target, finish));
    let (zh, en) = if finish <= target { ("可以按时", "Yes") } else { ("不能按时", "No") };
    Words::new(
        format!("{zh}：预计 {} 完成，{}。", takes.zh, off.zh),
        format!("{en}: done in {}, {}.", takes.en, off.en),
    )
}

/// The same by the flows, which leave chance out: their yes is not the planner's, which is that of the median of the simulation.
pub fn by_flows(target: Ms, finish: Ms) -> Words {
    let (takes, off) = (time(finish), off_target(target, finish));
    let can = match finish <= target {
        true => Words::new("可以按时", "in time"),
        false => Words::new("不能按时", "too late"),
    };
    Words::new(
        format!(
            "按流体层（不计偶然因素）{}：预计 {} 完成，{}；是否按时以模拟（SimulatePlan）的中位数为准。",
            can.zh, takes.zh, off.zh
        ),
        format!(
            "By the flows, chance left out, {}: done in {}, {}; whether it is in time is for the median of the simulation to say \
             (SimulatePlan).",
            can.en, takes.en, off.en
        ),
    )
}

/// "(25 h 50 min to 30 h 10 min in 8 of 10 cases), in time in 12 %".
pub fn spread(finish: &Quantiles, in_time: f64) -> Words {
    let (from, to) = (time(finish.p10), time(finish.p90));
    let percent = 100.0 * in_time;
    if never(finish.p10) {
        return Words::new(
            format!("至少九成可能为 {}，按时完成的概率 {percent:.0}%。", from.zh),
            format!("In 9 of 10 cases or more it takes {}; in time with {percent:.0} %.", from.en),
        );
    }
    Words::new(
        format!("八成可能在 {} 至 {} 之间，按时完成的概率 {percent:.0}%。", from.zh, to.zh),
        format!("Between {} and {} in 8 of 10 cases; in time with {percent:.0} %.", from.en, to.en),
    )
}

/// The stage's number on the wire.
pub fn stage(kind: StageKind) -> pb::PlanStage {
    match kind {
        StageKind::Receive => pb::PlanStage::Receive,
        StageKind::Inactivate => pb::PlanStage::Inactivate,
        StageKind::Decap => pb::PlanStage::Decap,
        StageKind::Extract => pb::PlanStage::Extract,
        StageKind::Setup => pb::PlanStage::Setup,
        StageKind::Pcr => pb::PlanStage::Pcr,
        StageKind::Review => pb::PlanStage::Review,
    }
}

/// The stage that a message names.
pub fn stage_named(number: i32) -> Result<StageKind, Error> {
    let found = pb::PlanStage::try_from(number).ok();
    let kind =
        found.and_then(|named| StageKind::ALL.into_iter().find(|kind| stage(*kind) == named));
    kind.ok_or_else(|| {
        let all = StageKind::ALL.map(|kind| {
            let (number, name) = (stage(kind) as i32, kind.name());
            [format!("{number} {}", name.zh), format!("{number} {}", name.en)]
        });
        let [zh, en] = [all.each_ref().map(|one| &*one[0]), all.each_ref().map(|one| &*one[1])];
        Error::invalid(
            "stage",
            format!("{number} 不是环节：请填写 PlanStage 的编号：{}", zh.join("、")),
            format!("{number} is no stage: give a number of PlanStage: {}", en.join(", ")),
        )
    })
}

/// The target in hours: the city's own when the request does not say.
pub fn target_hours(plan: &CityPlan, asked: u32) -> Result<u32, Error> {
    match asked {
        0 => Ok(plan.city.target_h),
        1..=TARGET_HOURS_MAX => Ok(asked),
        _ => Err(Error::invalid(
            "target_hours",
            format!("{asked} 超出范围：请填写 1 至 {TARGET_HOURS_MAX}，0 表示城市文件中的目标"),
            format!(
                "{asked} is out of range: give 1 to {TARGET_HOURS_MAX}, or 0 for the city file's own"
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::model::{HORIZON_MS, HOUR};

    #[test]
    fn every_stage_has_its_number_and_no_number_is_lost() {
        for kind in StageKind::ALL {
            let number = stage(kind) as i32;
            assert_eq!(number as usize, kind.index() + 1);
            assert_eq!(stage_named(number).ok(), Some(kind));
        }
        for number in [0, 8, -1, i32::MAX] {
            assert!(stage_named(number).is_err());
        }
    }

    #[test]
    fn an_answer_says_yes_or_no_and_by_how_much() {
        let no = against(24 * HOUR, 27 * HOUR + 40 * MINUTE);
        assert_eq!(no.en, "No: done in 27 h 40 min, 3 h 40 min after the target.");
        assert_eq!(no.zh, "不能按时：预计 27 小时 40 分 完成，比目标晚 3 小时 40 分。");
        let no = by_flows(24 * HOUR, 27 * HOUR + 40 * MINUTE);
        assert!(no.en.starts_with(
            "By the flows, chance left out, too late: done in 27 h 40 min, 3 h 40 min after the"
        ));
        assert!(
            no.zh.contains("不能按时：预计 27 小时 40 分 完成，比目标晚 3 小时 40 分；"),
            "{no:?}"
        );
        // No layer without chance says a yes that stands alone.
        let yes = by_flows(HOUR, HOUR);
        assert!(
            yes.en.contains("in time: done in 1 h 00 min") && yes.en.ends_with("(SimulatePlan).")
        );
        assert!(yes.zh.starts_with("按流体层") && yes.zh.contains("可以按时"));
        assert!(against(HOUR, HOUR).en.starts_with("Yes: done in 1 h 00 min, 0 h 00 min before"));
    }

    /// What is not done within what is reckoned has no hour, and no time after the target.
    #[test]
    fn an_end_beyond_the_reckoning_is_no_sharp_time() {
        let never = against(24 * HOUR, HORIZON_MS);
        assert_eq!(never.en, "No: done in over 40 days, after the target.");
        assert_eq!(never.zh, "不能按时：预计 40 天以上 完成，晚于目标。");
        let flows = by_flows(24 * HOUR, HORIZON_MS).en;
        assert!(flows.contains("too late: done in over 40 days, after the target;"), "{flows}");
        let part = Quantiles { p10: 30 * HOUR, p90: HORIZON_MS, ..Quantiles::default() };
        let said = spread(&part, 0.0).en;
        assert!(said.starts_with("Between 30 h 00 min and over 40 days in 8 of 10"), "{said}");
        let all = spread(&Quantiles { p10: HORIZON_MS, ..part }, 0.0);
        assert_eq!(all.en, "In 9 of 10 cases or more it takes over 40 days; in time with 0 %.");
        assert_eq!(all.zh, "至少九成可能为 40 天以上，按时完成的概率 0%。");
    }
}
