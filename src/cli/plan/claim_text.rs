//! A declared capacity explained, in words: the Guandu letter.

use super::Lang;
use super::words::{grouped, minutes, pick, say, tenths};
use crate::planner::{Explanation, Item, Side, StageKind};

/// The explanation as lines.
pub(super) fn explanation(e: &Explanation, lang: Option<Lang>) -> String {
    let mut lines = Vec::new();
    let claim = &e.claim;
    let (c, x, t) = (claim.cyclers, claim.extractors, grouped(claim.tubes));
    lines.push(format!(
        "{}: {}",
        say(lang, &claim.place),
        pick(
            lang,
            &format!("{c} 台 PCR 扩增仪 + {x} 台核酸提取仪 = +{t} 管/日"),
            &format!(
                "{} {} + {} {} = +{t} tubes a day",
                grouped(c),
                Item::LabUnit(StageKind::Pcr).english(c),
                grouped(x),
                Item::LabUnit(StageKind::Extract).english(x)
            ),
        )
    ));
    let status = claim.origin.status;
    let status = pick(lang, status.word_zh(), status.word());
    lines.push(format!("[{status}] {}", say(lang, &claim.origin.source)));
    let day = minutes(e.day_s);
    lines.push(pick(
        lang,
        &format!("口径：整批运行，{} 孔板中 {} 孔为样本，仪器日 {day} 分钟", e.wells, e.usable),
        &format!(
            "counted in whole runs, {} of {} wells hold specimens, instrument day {day} min",
            e.usable, e.wells
        ),
    ));
    for side in [&e.extraction, &e.pcr] {
        lines.push(one_side(side, e, lang));
    }
    let name = e.binding.name();
    let verdict = if e.consistent { ("相符", "agrees") } else { ("不符", "does not agree") };
    lines.push(pick(
        lang,
        &format!(
            "瓶颈：{}，{} 管；与公布的 {t} 管{}（四舍五入到百：{}–{}）",
            name.zh,
            grouped(e.tubes),
            verdict.0,
            grouped(e.consistent_from),
            grouped(e.consistent_to)
        ),
        &format!(
            "binding: {}, {} tubes; {} with the published {t} (to the nearest hundred: {}–{})",
            name.en,
            grouped(e.tubes),
            verdict.1,
            grouped(e.consistent_from),
            grouped(e.consistent_to)
        ),
    ));
    for (range, wells, zh, en) in [
        (&e.extractor_cycle, e.usable, "扣除质控孔", "controls taken off"),
        (&e.extractor_cycle_all_wells, e.wells, "所有孔均计为样本", "every well a specimen"),
    ] {
        lines.push(match range {
            Some(range) => {
                let (from, to) = (minutes_seconds(*range.start()), minutes_seconds(*range.end()));
                pick(
                    lang,
                    &format!("提取周期 {from} 至 {to}（整批，每批 {wells}，{zh}）可解释公布数"),
                    &format!("extractor cycles {from} to {to} (whole runs of {wells}, {en}) explain the figure"),
                )
            }
            None => pick(
                lang,
                &format!("整批、每批 {wells}（{zh}）时没有提取周期能解释公布数"),
                &format!("no extractor cycle explains the figure in whole runs of {wells} ({en})"),
            ),
        });
    }
    if let Some(max) = e.cycler_cycle_max {
        lines.push(pick(
            lang,
            &format!("扩增周期不超过 {} 时，瓶颈仍在提取", minutes_seconds(max)),
            &format!(
                "extraction stays binding while a cycler needs at most {}",
                minutes_seconds(max)
            ),
        ));
    }
    if let (Some(cycle), Some(whole)) = (e.fractional_cycle_tenths, e.fractional_cycle_whole_runs) {
        let cycle = tenths(cycle);
        lines.push(pick(
            lang,
            &format!("若按可拆分运行且每批 {}：{cycle} 分钟恰为 {t} 管；同一周期按整批为 {} 管", e.wells, grouped(whole)),
            &format!("with split runs of {} wells, {cycle} min give exactly {t}; the same in whole runs gives {}", e.wells, grouped(whole)),
        ));
    }
    lines.iter().map(|line| format!("  {line}\n")).collect()
}

fn one_side(side: &Side, e: &Explanation, lang: Option<Lang>) -> String {
    let name = side.kind.name();
    let cycle = match (side.kind, side.load_s) {
        (_, 0) => minutes(side.run_s),
        (_, load) => format!("{} + {}", minutes(side.run_s), minutes(load)),
    };
    let role = match side.kind {
        StageKind::Extract => ("提取", "extraction"),
        _ => (name.zh.as_str(), name.en.as_str()),
    };
    let (units, runs, tubes) = (side.units, side.runs, grouped(side.tubes));
    pick(
        lang,
        &format!(
            "{}：{units} 台，每批 {cycle} 分钟，{runs} 批 × {} = {tubes} 管",
            role.0, e.usable
        ),
        &format!(
            "{}: {units} × {cycle} min a run, {runs} runs × {} = {tubes} tubes",
            role.1, e.usable
        ),
    )
}

/// Seconds as minutes and seconds.
fn minutes_seconds(seconds: u64) -> String {
    format!("{}′{:02}″", seconds / 60, seconds % 60)
}
