//! The flows as tables: when each stage is done, what binds, what one more unit saves, how many are needed.

use super::held_text;
use super::layers::Layers;
use super::layers_text::{answer, lab_name};
use super::words::{
    clock_time, grouped, in_minutes, never, pick, place_name, say, span, table, table_hours,
    tenth_hours,
};
use super::{Lang, Report};
use crate::planner::model::{MINUTE, Ms};
use crate::planner::{City, FieldItem, StageKind};

/// A time of day, Chinese alone where both languages are shown, or the rows get too long.
fn moment(city: &City, at: Ms, lang: Option<Lang>) -> String {
    match lang {
        Some(Lang::En) => clock_time(city, at).en,
        _ => clock_time(city, at).zh,
    }
}

/// When each stage is done, which one binds, what one more unit saves, and how many are needed.
pub(super) fn flows(report: &Report, layers: &Layers, lang: Option<Lang>) -> String {
    let (city, flow) = (&report.city, &layers.flow);
    let when = |at: Ms| {
        let (span, clock) = (span(at), clock_time(city, at));
        if never(at) {
            return say(lang, &span);
        }
        pick(lang, &format!("{}（{}）", span.zh, clock.zh), &format!("{} ({})", span.en, clock.en))
    };
    let mut out = String::new();
    for (zh, en, at) in [
        ("最后一人采样", "last swab", flow.sampled),
        ("最后一管送达", "last tube at a lab", flow.delivered),
        ("首检全部出结果", "last first result", flow.finish),
        ("召回复采全部出结果", "recalls closed", flow.closed),
    ] {
        out += &format!("  {}: {}\n", pick(lang, zh, en), when(at));
    }
    let head = [
        ("实验室", "lab"),
        ("管数", "tubes"),
        ("完成(h)", "done (h)"),
        ("完成时刻", "at"),
        ("瓶颈环节", "binding"),
        ("自", "from"),
        ("自(h)", "from (h)"),
        ("召回单管", "recalled"),
    ];
    let mut rows = vec![head.map(|(zh, en)| pick(lang, zh, en)).to_vec()];
    for (i, lab) in flow.labs.iter().enumerate().filter(|(_, lab)| lab.tubes > 0) {
        let from = layers.binds_from(i, lab.binding);
        rows.push(vec![
            lab_name(layers, i, lang),
            grouped(lab.tubes),
            table_hours(lab.finish),
            moment(city, lab.finish, lang),
            say(lang, &held_text::binding(lab)),
            from.map_or_else(|| "–".to_owned(), |at| moment(city, at, lang)),
            from.map_or_else(|| "–".to_owned(), table_hours),
            grouped(lab.recalled.round() as u64),
        ]);
    }
    out += &table(&rows);
    out += &stages_done(city, layers, lang);
    out += &units(layers, lang);
    out += &of_streets(layers, lang);
    out
}

/// By lab: what one more desk, sampler or vehicle saves at the street that it waits for longest.
fn of_streets(layers: &Layers, lang: Option<Lang>) -> String {
    let mut head = vec![pick(lang, "实验室", "lab"), pick(lang, "最后送达的街道", "last street")];
    head.extend(FieldItem::ALL.map(|item| say(lang, &item.name())));
    head.push(pick(lang, "采样台另需", "a desk takes"));
    let mut rows = vec![head];
    for (i, all) in layers.field_more.iter().enumerate() {
        let Some(all) = all else { continue };
        let street = layers.round.problem.streets.get(all[0].street);
        let street = street.map(|s| place_name(lang, &s.name)).unwrap_or_default();
        let mut row = vec![lab_name(layers, i, lang), street];
        // What is earlier than never is so by nobody knows how much.
        let minutes = |ms: i64, before: Ms| match never(before) {
            true => "–".to_owned(),
            false => format!("{:.1}", in_minutes(ms)),
        };
        let of = &layers.flow;
        row.extend(all.iter().map(|one| {
            let lab = minutes(one.saves.lab, of.labs[i].finish);
            format!("{lab} / {}", minutes(one.saves.city, of.finish))
        }));
        row.push(say(lang, &all[0].words()));
        rows.push(row);
    }
    let what = pick(
        lang,
        "在该实验室等待最久的街道增加 1 个（名、辆）：本实验室 / 全市按流体层提前的分钟数，各街道送样不变；登记人员只计入测算，随采样台配备",
        "one more at the street that the lab waits for longest: minutes by which the lab / the whole city is done earlier by the flows, every street at its lab; registrars count in the arithmetic alone and come with a desk",
    );
    format!("\n  {what}\n{}", table(&rows))
}

fn by_stage(lang: Option<Lang>) -> Vec<String> {
    let mut head = vec![pick(lang, "实验室", "lab")];
    head.extend(StageKind::ALL.map(|kind| say(lang, &kind.name())));
    head
}

fn stages_done(city: &City, layers: &Layers, lang: Option<Lang>) -> String {
    let target = i64::from(layers.round.model.target);
    let mut rows = vec![by_stage(lang)];
    for (i, lab) in layers.flow.labs.iter().enumerate().filter(|(_, lab)| lab.tubes > 0) {
        let mut row = vec![lab_name(layers, i, lang)];
        row.extend(StageKind::ALL.map(|kind| {
            let k = kind.index();
            let slack = match never(lab.alone[k]) {
                true => "–".to_owned(),
                false => tenth_hours(target - i64::from(lab.alone[k])),
            };
            format!("{} ({slack})", table_hours(lab.stages[k].last))
        }));
        rows.push(row);
    }
    let what = pick(
        lang,
        "各环节完成（h）；括号内为该环节单独受限时距时限的余量（h，负数为超时，– 为 40 天内不能完成）",
        "done (h) by stage; in brackets the slack to the target were it the only limit (h, negative: late; –: not done within 40 days)",
    );
    let together = (0..layers.flow.labs.len()).filter_map(|i| held_text::together(city, layers, i));
    let together: String = together.map(|words| answer(&words, lang)).collect();
    format!("\n  {what}\n{}{together}", table(&rows))
}

/// Minutes as hours and minutes, short: 37′, 4h32′.
fn hours_minutes(minutes: i64) -> String {
    match minutes / 60 {
        0 => format!("{minutes}′"),
        h => format!("{h}h{:02}′", minutes % 60),
    }
}

fn units(layers: &Layers, lang: Option<Lang>) -> String {
    let mut rows = vec![by_stage(lang)];
    for (i, lab) in layers.flow.labs.iter().enumerate().filter(|(_, lab)| lab.tubes > 0) {
        let mut row = vec![lab_name(layers, i, lang)];
        row.extend(StageKind::ALL.map(|kind| {
            let k = kind.index();
            let now = layers.round.model.labs[i].stages[k].units;
            let needed = lab.units_needed[k].map_or("×".to_owned(), |n| n.to_string());
            let more = &layers.one_more[i][k];
            let idle = if more.units == 0 { "*" } else { "" };
            // What is earlier than never is so by nobody knows how much.
            let saves = if never(lab.finish) { 0 } else { more.saves.lab };
            match saves / i64::from(MINUTE) {
                0 => format!("{now}/{needed}"),
                later @ ..0 => format!("{now}/{needed} +{}{idle}", hours_minutes(-later)),
                saves => format!("{now}/{needed} −{}{idle}", hours_minutes(saves)),
            }
        }));
        rows.push(row);
    }
    let what = pick(
        lang,
        "可用/流体层所需台数（仅供对照，不上报；× 表示送达已迟或仪器休息，增加设备无效）；−n′ 为该环节再开动 1 台（连同人员）本实验室提前的时间（h 为小时，′ 为分钟），+n′ 为推迟（召回单管提前占用所致）；* 为设备已有、所缺的是人员",
        "units working/needed by the flows (for comparison, not to be filed; ×: tubes come too late, or the instruments rest, for any number); −n′: what one more unit at work, with its people, saves this lab (h: hours, ′: minutes), +n′: makes it later (single tubes of recalls come sooner and go first); *: the unit is there, people are what it lacks",
    );
    format!("\n  {what}\n{}", table(&rows))
}
