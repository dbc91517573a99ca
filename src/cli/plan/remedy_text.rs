//! The answer of all layers in a sentence, with what would mend it.

use super::layers::Layers;
use super::moving::Moving;
use super::remedy::{More, Outcome};
use super::words::{clock_time, grouped, more_units, pick, say, span, table};
use super::{Lang, Report};
use crate::planner::model::MINUTE;
use crate::planner::{City, Item, StageKind, Words};

/// Measures that are named one by one in the sentence; more are summed up by stage.
const NAMED_MAX: usize = 3;

fn words(zh: impl Into<String>, en: impl Into<String>) -> Words {
    Words::new(zh, en)
}

/// The stage that binds the lab that is last, and since when.
pub(super) fn binds(city: &City, layers: &Layers) -> Words {
    let last = layers.flow.last_lab().filter(|lab| layers.flow.labs[*lab].tubes > 0);
    let Some(lab) = last else {
        return words("无样本", "there are no tubes");
    };
    let flow = &layers.flow.labs[lab];
    let (code, name) = &layers.round.labs[lab];
    if flow.units_needed.iter().all(Option::is_none) {
        let at = clock_time(city, flow.delivered);
        return words(
            format!("采样和送达：{code} {} 最后一管 {} 才到", name.zh, at.zh),
            format!("collection: the last tube of {code} {} comes at {}", name.en, at.en),
        );
    }
    let stage = flow.binding.name();
    match layers.binds_from(lab, flow.binding) {
        Some(from) => {
            let from = clock_time(city, from);
            words(
                format!("{code} {}的{}自 {} 起成为瓶颈", name.zh, stage.zh, from.zh),
                format!("{} at {code} {} binds from {}", stage.en, name.en, from.en),
            )
        }
        None => words(
            format!("{code} {} 最后完成，无积压环节，由送达时间决定", name.zh),
            format!("{code} {} is last; nothing queues there, its last tubes decide", name.en),
        ),
    }
}

/// The answer: yes or no, when with its range, what binds, what mends it.
pub(super) fn sentence(report: &Report, layers: &Layers) -> Words {
    let yes = report.yes();
    let finish = span(layers.finish());
    let (mut zh, mut en) = match yes {
        true => ("能完成".to_owned(), "Yes".to_owned()),
        false => ("不能按时完成".to_owned(), "No".to_owned()),
    };
    zh += &format!("：{}", finish.zh);
    en += &format!(": {}", finish.en);
    if let Some(study) = &layers.study {
        let (low, high) = (span(study.finish.p10), span(study.finish.p90));
        zh += &format!("（{}–{}）", low.zh, high.zh);
        en += &format!(" ({} – {})", low.en, high.en);
    }
    let binding = binds(&report.city, layers);
    zh += &format!("。{}。", binding.zh);
    en += &format!(". {}.", capital(&binding.en));
    if !yes && layers.in_time() {
        zh += "模拟能按时完成，但按指南算术不能，见上。";
        en += " The simulation is in time, but the guide's arithmetic is not, see above.";
    }
    if let Some(remedy) = &layers.remedy {
        let cures = [
            remedy.more.as_ref().map(|more| more_words(layers, more)),
            moving(layers, &remedy.moving),
        ];
        for cure in cures.into_iter().flatten() {
            zh += &cure.zh;
            en += &format!(" {}", cure.en);
        }
        if remedy.more.is_none() {
            zh += "增加设备或采样台不能使其按时完成。";
            en += " No number of units or desks brings it within the target.";
        }
    }
    words(zh, en)
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// When it is done with a measure, and whether that is enough.
fn brings(layers: &Layers, outcome: &Outcome) -> Words {
    let done = span(outcome.finish());
    match outcome.finish() <= layers.round.model.target {
        true => words(format!("可提前到 {}", done.zh), format!("would bring it to {}", done.en)),
        false => words(
            format!("只能提前到 {}，仍不够", done.zh),
            format!("would bring it only to {}, which is not enough", done.en),
        ),
    }
}

fn more_words(layers: &Layers, more: &More) -> Words {
    let mut zh = Vec::new();
    let mut en = Vec::new();
    if !more.desks.is_empty() {
        let desks: u64 = more.desks.iter().map(|d| u64::from(d.more)).sum();
        let (desks, streets) = (grouped(desks), more.desks.len());
        let s = if streets == 1 { "" } else { "s" };
        zh.push(format!("在 {streets} 个街道增设 {desks} 个采样台及采样人员"));
        en.push(format!("{desks} more desks with samplers in {streets} street{s}"));
    }
    let last = layers.flow.last_lab();
    if more.units.len() <= NAMED_MAX {
        for units in &more.units {
            let (what, (code, name)) =
                (more_units(units.stage, u64::from(units.more)), &layers.round.labs[units.lab]);
            let there = last == Some(units.lab) && more.units.len() == 1 && more.desks.is_empty();
            zh.push(match there {
                true => format!("在该处增加 {}", what.zh),
                false => format!("在 {code} {} 增加 {}", name.zh, what.zh),
            });
            en.push(match there {
                true => format!("{} there", what.en),
                false => format!("{} at {code} {}", what.en, name.en),
            });
        }
    } else {
        let mut labs: Vec<usize> = more.units.iter().map(|units| units.lab).collect();
        labs.dedup();
        let sums = StageKind::ALL.map(|kind| {
            let of = more.units.iter().filter(|units| units.stage == kind);
            (kind, of.map(|units| u64::from(units.more)).sum::<u64>())
        });
        let sums: Vec<Words> =
            sums.into_iter().filter(|(_, n)| *n > 0).map(|(kind, n)| more_units(kind, n)).collect();
        let (zh_sums, en_sums): (Vec<&str>, Vec<&str>) =
            sums.iter().map(|w| (w.zh.as_str(), w.en.as_str())).unzip();
        zh.push(format!("在 {} 家实验室共增加 {}（见下）", labs.len(), zh_sums.join("、")));
        let many = if labs.len() == 1 { "lab" } else { "labs" };
        en.push(format!("{} at {} {many} (listed below)", en_sums.join(", "), labs.len()));
    }
    let brings = brings(layers, &more.outcome);
    words(
        format!("{}，{}。", zh.join("，"), brings.zh),
        format!("{} {}.", capital(&en.join(" and ")), brings.en),
    )
}

fn moving(layers: &Layers, moving: &Moving) -> Option<Words> {
    match moving {
        Moving::Pointless => None,
        Moving::NoRoom { excess, room } => {
            let (excess, room) = (grouped(*excess), grouped(*room));
            Some(words(
                format!("单靠调整分派不够：超出 {excess} 管，其他实验室只能再承担 {room} 管。"),
                format!(
                    "Moving tubes alone is not enough: {excess} are too many, the other labs have room for {room}."
                ),
            ))
        }
        Moving::Moves { moves, outcome } => {
            let all: u64 = moves.iter().map(|m| m.tubes).sum();
            let (n, brings) = (grouped(all), brings(layers, outcome));
            let outside = moves.iter().any(|m| !m.serves);
            let to = match moves.as_slice() {
                [one] => {
                    let (code, name) = &layers.round.labs[one.to];
                    words(format!("改送 {code} {}", name.zh), format!("to {code} {}", name.en))
                }
                _ => words("改送其他实验室（见下）", "to other labs (listed below)"),
            };
            let (beyond_zh, beyond_en) = match outside {
                true => ("（须跨片区承检）", ", which must take tubes of other districts,"),
                false => ("", ""),
            };
            Some(words(
                format!("或将 {n} 管{}{beyond_zh}，{}。", to.zh, brings.zh),
                format!("Or {n} tubes {}{beyond_en} {}.", to.en, brings.en),
            ))
        }
    }
}

/// The measures one by one.
pub(super) fn measures(layers: &Layers, lang: Option<Lang>) -> String {
    let Some(remedy) = &layers.remedy else { return String::new() };
    let lab = |lab: usize| super::layers_text::lab_name(layers, lab, lang);
    let mut rows = vec![vec![
        pick(lang, "措施", "measure"),
        pick(lang, "处", "where"),
        pick(lang, "现有", "now"),
        pick(lang, "增加", "more"),
    ]];
    if let Some(more) = &remedy.more {
        for desks in &more.desks {
            let street = layers.round.streets.get(desks.street);
            rows.push(vec![
                pick(lang, "采样台及采样人员", "desks with samplers"),
                street.map_or_else(String::new, |s| pick(lang, &s.name.zh, &s.name.en)),
                grouped(desks.now.into()),
                grouped(desks.more.into()),
            ]);
        }
        for units in &more.units {
            let name = Item::LabUnit(units.stage).name();
            rows.push(vec![
                say(lang, &name),
                lab(units.lab),
                grouped(units.now.into()),
                grouped(units.more.into()),
            ]);
        }
    }
    let mut out = String::new();
    match rows.len() {
        1 => {
            out += &format!(
                "  {}\n",
                pick(
                    lang,
                    "增加设备或采样台不能使其按时完成",
                    "no number of units or desks brings it within the target"
                )
            );
        }
        _ => out += &table(&rows),
    }
    if let Some((number, paired)) = remedy.more.as_ref().and_then(|more| more.paired) {
        let (saved, half) =
            (paired.saved / f64::from(MINUTE), paired.half_width / f64::from(MINUTE));
        let pairs = paired.pairs;
        let name = lab(number);
        out += &format!(
            "  {}\n",
            pick(
                lang,
                &format!(
                    "{name}：配对模拟 {pairs} 次，上列设备使其提前 {saved:.0} ± {half:.1} 分钟"
                ),
                &format!(
                    "{name}: in {pairs} pairs of simulations its units save {saved:.0} ± {half:.1} min"
                ),
            )
        );
    }
    if let Moving::Moves { moves, .. } = &remedy.moving {
        let head = [("由", "from"), ("改送", "to"), ("管数", "tubes"), ("片区", "district")];
        let mut rows = vec![head.map(|(zh, en)| pick(lang, zh, en)).to_vec()];
        for m in moves {
            rows.push(vec![
                lab(m.from),
                lab(m.to),
                grouped(m.tubes),
                match m.serves {
                    true => pick(lang, "现承检片区内", "its own"),
                    false => pick(lang, "须跨片区", "another's"),
                },
            ]);
        }
        out += "\n";
        out += &table(&rows);
    }
    out
}
