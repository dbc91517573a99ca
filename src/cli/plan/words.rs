//! Words and figures of the report: names in two languages, hours, thousands, columns that line up.

use super::Lang;
use super::layers_text::percent;
pub(super) use crate::planner::grouped;
use crate::planner::model::{HORIZON_MS, HOUR, MINUTE, Ms};
use crate::planner::study::Study;
pub(super) use crate::planner::times::{clock_time, hours, never, span};
use crate::planner::{Basis, Item, Norm, StageKind, Words, chance};

/// The section of the report, and the sheet of the workbook, that has the measures.
pub(super) const MEASURES: (&str, &str) = ("按时完成的措施", "Measures to be in time");

/// The words in the language asked for, or both.
pub(super) fn say(lang: Option<Lang>, words: &Words) -> String {
    pick(lang, &words.zh, &words.en)
}

/// One of two texts, or both.
pub(super) fn pick(lang: Option<Lang>, zh: &str, en: &str) -> String {
    match lang {
        Some(Lang::Zh) => zh.to_owned(),
        Some(Lang::En) => en.to_owned(),
        None if zh == en => zh.to_owned(),
        None => format!("{zh} / {en}"),
    }
}

/// Name of a place in a table: Chinese alone where both languages are shown, or the rows get too long.
pub(super) fn place_name(lang: Option<Lang>, name: &Words) -> String {
    match lang {
        Some(Lang::En) => name.en.clone(),
        _ => name.zh.clone(),
    }
}

/// Why a number is needed.
pub(super) fn basis(basis: Basis, norm: &Norm) -> Words {
    basis.name(norm)
}

/// What the guide's arithmetic says of what it does not see the end of.
pub fn not_within() -> Words {
    let days = crate::planner::DAYS_MAX;
    Words::new(format!("{days} 天内无法完成"), format!("not done within {days} days"))
}

/// A time of the model as hours with two decimals.
pub(super) fn in_hours(at: Ms) -> f64 {
    (f64::from(at) / f64::from(HOUR) * 100.0).round() / 100.0
}

/// A difference of times as minutes with one decimal.
pub(super) fn in_minutes(ms: i64) -> f64 {
    (ms as f64 / f64::from(MINUTE) * 10.0).round() / 10.0 + 0.0
}

/// Minutes, 0 or more, as they are read: 12.3 minutes, 94 hours 21 minutes.
pub(super) fn lasting(minutes: f64) -> Words {
    match minutes < 60.0 {
        true => Words::new(format!("{minutes:.1} 分钟"), format!("{minutes:.1} min")),
        false => hours(minutes.round() as u64),
    }
}

/// The same in a table, for either language, of a difference that may be negative.
pub(super) fn lasting_short(ms: i64) -> String {
    let minutes = in_minutes(ms);
    let sign = if minutes < 0.0 { "−" } else { "" };
    format!("{sign}{}", lasting(minutes.abs()).en)
}

/// Hours with one decimal, of a difference that may be negative.
pub(super) fn tenth_hours(ms: i64) -> String {
    let tenths = (ms as f64 / f64::from(HOUR) * 10.0).round() + 0.0;
    format!("{:.1}", tenths / 10.0).replace('-', "−")
}

/// A time of the model in a table, in hours with one decimal; beyond what is reckoned, that it is.
pub(super) fn table_hours(at: Ms) -> String {
    match never(at) {
        true => beyond_hours(),
        false => tenth_hours(i64::from(at)),
    }
}

/// The hours of what is not done within what is reckoned.
pub(super) fn beyond_hours() -> String {
    format!(">{}", HORIZON_MS / HOUR)
}

/// The range of a study and how probable it is to be in time; of one replication that it has neither.
pub(super) fn range(study: &Study) -> Words {
    let Some(share) = study.probability().map(percent) else { return chance::once() };
    let [low, high] = [study.finish.p10, study.finish.p90].map(span);
    Words::new(
        format!("P10–P90：{}–{}，按时概率 {share}", low.zh, high.zh),
        format!("P10–P90: {} – {}, in time with {share}", low.en, high.en),
    )
}

/// What is told of a simulated time: the middle one, or the only one.
pub(super) fn simulated_by(study: &Study) -> (&'static str, &'static str) {
    match study.spreads() {
        true => ("模拟中位数", "simulated, median"),
        false => ("只模拟一次", "simulated once"),
    }
}

/// So many more units of a stage: 2 台核酸提取仪, 2 more extractors.
pub(super) fn more_units(stage: StageKind, n: u64) -> Words {
    let (unit, many) = (Item::LabUnit(stage), grouped(n));
    let zh = unit.name().zh;
    let space = if zh.starts_with(|c: char| c.is_ascii()) { " " } else { "" };
    Words::new(format!("{many} 台{space}{zh}"), format!("{many} more {}", unit.english(n)))
}

/// Seconds as minutes, with one decimal where there is one.
pub(super) fn minutes(seconds: u64) -> String {
    tenths(seconds / 6)
}

/// Tenths as a number with one decimal where there is one.
pub(super) fn tenths(tenths: u64) -> String {
    match tenths % 10 {
        0 => grouped(tenths / 10),
        part => format!("{}.{part}", grouped(tenths / 10)),
    }
}

/// Columns that a reader of a fixed-width terminal takes up; Chinese characters take two.
fn width(text: &str) -> usize {
    text.chars().map(|c| if c >= '\u{2e80}' { 2 } else { 1 }).sum()
}

/// Rows set in columns: the first to the left, figures to the right, words to the left.
pub(super) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let mut widths = vec![0; columns];
    for row in rows {
        for (i, cell) in row.iter().enumerate() {
            widths[i] = widths[i].max(width(cell));
        }
    }
    let mut out = String::new();
    for (r, row) in rows.iter().enumerate() {
        let mut line = String::from(" ");
        for (i, cell) in row.iter().enumerate() {
            let pad = " ".repeat(widths[i] - width(cell));
            let figure = cell.starts_with(|c: char| c.is_ascii_digit() || c == '>');
            // A heading stands like the first figure below it.
            let right = figure
                || r == 0
                    && rows
                        .get(1)
                        .and_then(|row| row.get(i))
                        .is_some_and(|b| b.starts_with(|c: char| c.is_ascii_digit() || c == '>'));
            line.push(' ');
            if right && i > 0 {
                line.push_str(&pad);
                line.push_str(cell);
            } else {
                line.push_str(cell);
                line.push_str(&pad);
            }
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
