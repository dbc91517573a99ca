//! Advice and review in sentences, Chinese and English.

use super::Error;
use super::advice::{Advice, Flip, Review, Zone};
use super::belief::Seen;
use crate::planner::city::Words;

impl Error {
    /// The same in Chinese and English.
    pub fn words(&self) -> Words {
        let zh = match self {
            Error::OutOfRange { name, value, range } => {
                let name = match *name {
                    "prevalence" => "阳性率",
                    "recall price" => "召回一次的代价",
                    "single price" => "召回一人的代价",
                    "level" => "分位",
                    "alpha" => "阳性率的 alpha ",
                    "beta" => "阳性率的 beta ",
                    "rho" => "管内相关 ρ ",
                    "sensitivity" => "灵敏度",
                    "specificity" => "特异度",
                    "tubes seen" => "已出结果的管数",
                    "array" => "阵列边长",
                    "pool" => "每管人数",
                    other => other,
                };
                let range =
                    range.replace(" tubes", " 管").replace(" swabs", " 人").replace(" to ", " 到 ");
                format!("{name}为 {value}；应为 {range}")
            }
            Error::Uninformative { se, sp } => {
                format!("灵敏度 {se} 与特异度 {sp} 之和不大于 1：该检测不能说明任何问题")
            }
            Error::MoreUncleanThanSeen { tubes, unclean } => {
                format!("{tubes} 管中有 {unclean} 管非阴性：不可能多于总管数")
            }
            Error::NoSizes => "该分区没有可用的每管人数".to_owned(),
        };
        Words::new(zh, self.to_string())
    }
}

/// A whole number with commas.
fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.max(0.0));
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// An expected count: one decimal below ten, so that 0.3 persons do not read as none.
fn count(value: f64) -> String {
    if value > 0.0 && value < 9.95 { format!("{value:.1}") } else { grouped(value) }
}

/// A share in per cent with three digits that count, and no fewer than one decimal.
fn percent(share: f64) -> String {
    let value = share * 100.0;
    let decimals = match value {
        v if v >= 10.0 => 1,
        v if v >= 1.0 || v == 0.0 => 2,
        v if v >= 0.1 => 3,
        v if v >= 0.001 => 5,
        _ => return format!("{value:.1e} %"),
    };
    format!("{value:.decimals$} %")
}

/// How a size is called. In Chinese it follows a character, hence the space before the figure.
fn pool(n: u32) -> Words {
    match n {
        1 => Words::new("单采单检", "single tubes"),
        n => Words::new(format!(" {n} 合 1 混采"), format!("{n} swabs per tube")),
    }
}

/// The advised size and its load; what is missed; when to turn.
pub(super) fn advice(zone: &Zone, advice: &Advice) -> Vec<Words> {
    let choice = advice.choice();
    let (load, size) = (&choice.load, pool(choice.pool));
    let (zh, en) = (&zone.name.zh, &zone.name.en);
    let (persons, p) = (grouped(zone.persons as f64), percent(advice.prevalence));
    let tubes = grouped(load.tubes as f64);
    let mut said = vec![Words::new(
        format!("{zh}（{persons} 人，感染率按 {p} 计）建议{}：采样管 {tubes} 支。", size.zh),
        format!("{en} ({persons} persons, prevalence taken as {p}): {}, {tubes} tubes.", size.en),
    )];
    if choice.pool > 1 {
        let (unclean, recalled) = (count(load.unclean), count(load.recalled));
        let extra = percent(load.extra_percent() / 100.0);
        let (mut zh, mut en) = (String::new(), String::new());
        if !zone.belief.is_fixed() {
            let high = percent(choice.extra_percent_quantile / 100.0);
            let level = (zone.level * 1000.0).round() / 10.0;
            zh = format!("（{level} % 把握不超过 {high}）");
            en = format!(" (with {level} % confidence at most {high})");
        }
        said.push(Words::new(
            format!(
                "预计非阴性管 {unclean} 支，须召回 {recalled} 人单采复核，检测量增加 {extra}{zh}。"
            ),
            format!(
                "Expect {unclean} tubes that are not negative: {recalled} persons are called back and swabbed singly, \
                 {extra} more tubes{en}."
            ),
        ));
    }
    if load.missed > 0.0 {
        let missed = count(load.missed);
        said.push(Words::new(
            format!("按所给灵敏度，预计漏检感染者 {missed} 人。"),
            format!("At the given sensitivity, expect {missed} positive persons to be missed."),
        ));
    }
    match &advice.flip {
        Some(flip) => said.push(turning(advice, flip, &size)),
        None if advice.advised > 0 => said.push(Words::new(
            "无论感染率多高，都无需改用更小的混采规格。",
            "No prevalence makes a smaller size cheaper.",
        )),
        None => {}
    }
    said
}

/// When to turn to a smaller size. What the prevalence is taken as may be at that point, to the digits that are told, or
/// beyond it: where it is not known, what it may be below counts too.
fn turning(advice: &Advice, flip: &Flip, size: &Words) -> Words {
    let (to, at, share) = (pool(flip.to), percent(flip.prevalence), percent(flip.unclean_share));
    if at == percent(advice.prevalence) {
        return Words::new(
            format!(
                "感染率 {at} 正在转折点上，{}与{}费用相当；若查明高于 {at}（非阴性管多于 {share}），应改为{}。",
                size.zh.trim_start(),
                to.zh,
                to.zh
            ),
            format!(
                "A prevalence of {at} is the turning point, where {} and {} cost the same; if it proves to be higher (more \
                 than {share} of the tubes not negative), change to {}.",
                size.en, to.en, to.en
            ),
        );
    }
    if flip.prevalence < advice.prevalence {
        return Words::new(
            format!(
                "感染率尚不确知，按各种可能平均，{}费用最低；若查明确为 {at} 以上（非阴性管占 {share}），应改为{}。",
                size.zh.trim_start(),
                to.zh
            ),
            format!(
                "The prevalence is not known, and on average over what it may be {} cost least; if it proves to be {at} or \
                 more ({share} of the tubes not negative), change to {}.",
                size.en, to.en
            ),
        );
    }
    Words::new(
        format!("若查明感染率达到 {at}（非阴性管占 {share}），应改为{}。", to.zh),
        format!(
            "If the prevalence proves to be {at} or more ({share} of the tubes not negative), change to {}.",
            to.en
        ),
    )
}

/// A warning if the belief is refuted; then what is held now and whether the advice changes.
pub(super) fn review(
    after: &Zone,
    before: &Advice,
    review: &Review,
    seen: Seen,
) -> Result<Vec<Words>, Error> {
    let mut said = Vec::new();
    let (tubes, saw) = (grouped(seen.tubes as f64), percent(review.seen_share));
    let expected = percent(review.expected_share);
    let (zh, en) = (&after.name.zh, &after.name.en);
    if review.refuted {
        let (way_zh, way_en) = match review.tails.upper <= review.tails.lower {
            true => ("高于", "more than"),
            false => ("低于", "less than"),
        };
        said.push(Words::new(
            format!(
                "警告：{zh}已检 {tubes} 管中非阴性占 {saw}，{way_zh}预期的 {expected}：原先设定的感染率不成立。"
            ),
            format!(
                "Warning: {saw} of the {tubes} tubes seen in {en} are not negative, {way_en} the {expected} expected: \
                 the assumed prevalence was wrong."
            ),
        ));
    } else {
        said.push(Words::new(
            format!("{zh}已检 {tubes} 管中非阴性占 {saw}，与预期的 {expected} 相符。"),
            format!(
                "{saw} of the {tubes} tubes seen in {en} are not negative, in keeping with the {expected} expected."
            ),
        ));
    }
    if !review.belief.is_fixed() {
        let mean = percent(review.belief.mean());
        let low = percent(review.belief.quantile(0.05)?);
        let high = percent(review.belief.quantile(0.95)?);
        let (from_zh, from_en) = match review.refuted {
            true => ("仅据已检各管，", "By these tubes alone, the"),
            false => ("修正后，", "The"),
        };
        said.push(Words::new(
            format!("{from_zh}感染率为 {mean}（90 % 区间 {low} 至 {high}）。"),
            format!("{from_en} prevalence is now put at {mean} (90 % interval {low} to {high})."),
        ));
    }
    let (was, now) = (pool(before.choice().pool), pool(review.advice.choice().pool));
    said.push(if was == now {
        Words::new(format!("维持{}。", now.zh), format!("Stay with {}.", now.en))
    } else {
        Words::new(
            format!("由{}改为{}。", was.zh, now.zh),
            format!("Change from {} to {}.", was.en, now.en),
        )
    });
    Ok(said)
}
