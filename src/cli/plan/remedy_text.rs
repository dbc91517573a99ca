//! The answer of all layers in a sentence, with what would mend it.

use std::collections::BTreeSet;

use super::Report;
use super::filled::Filled;
use super::grow::UNITS_MAX;
use super::layers::Layers;
use super::layers_text::percent;
use super::moving::{Move, Moving};
use super::remedy::{Both, More, Outcome, Remedy};
use super::words::{grouped, more_units, never, span};
use crate::planner::model::HORIZON_DAYS;
use crate::planner::{City, Item, Plan, StageKind, Words, shelf_mend, shelf_words};

/// Measures that are named one by one in the sentence; more are summed up by stage.
const NAMED_MAX: usize = 3;

fn words(zh: impl Into<String>, en: impl Into<String>) -> Words {
    Words::new(zh, en)
}

/// The answer: yes or no, when with its range, what binds, what mends it.
pub(super) fn sentence(report: &Report, layers: &Layers) -> Words {
    let shelf = report.plan.shelf();
    let Words { mut zh, mut en } = verdict(&report.city, layers, &report.plan, report.yes());
    let mut add = |more: Words| {
        zh += &more.zh;
        en += &format!(" {}", more.en);
    };
    // What the shelf lacks comes first: nothing else makes up for it.
    shelf_mend(&shelf).into_iter().for_each(&mut add);
    if let Some(remedy) = &layers.remedy {
        cures(layers, remedy).into_iter().for_each(&mut add);
    }
    words(zh, en)
}

/// The answer once every shortage is filled. That satisfies the arithmetic; what else is needed stands in the remedies.
pub(super) fn filled_sentence(filled: &Filled, layers: &Layers) -> Words {
    let Words { mut zh, mut en } = verdict(&filled.city, layers, &filled.plan, filled.yes());
    if filled.plan.verdict.yes && !layers.in_time() {
        zh += "补齐缺口只满足指南算术（各处平均使用、随到随检），还需见“按时完成的措施”。";
        en += " The shortages are those of the guide's arithmetic, which knows no waiting; for the rest see \"Measures to be in time\".";
    }
    words(zh, en)
}

/// Yes or no, when with its range, what binds.
fn verdict(city: &City, layers: &Layers, plan: &Plan, yes: bool) -> Words {
    let finish = span(layers.finish());
    let (mut zh, mut en) = match yes {
        true => ("能完成".to_owned(), "Yes".to_owned()),
        false => ("不能按时完成".to_owned(), "No".to_owned()),
    };
    // Yes is the median's, so the share goes with the word; of a no it comes after the time.
    let share = layers.study.as_ref().map(|study| (percent(study.in_time), study.replications));
    if let (true, Some((share, n))) = (yes, &share) {
        zh += &format!("（{n} 次模拟中 {share} 按时）");
        en += &format!(", in {share} of {n} replications");
    }
    zh += &format!("：{}", finish.zh);
    en += &format!(": {}", finish.en);
    if let Some(study) = &layers.study {
        let (low, high) = (span(study.finish.p10), span(study.finish.p90));
        zh += &format!("（{}–{}）", low.zh, high.zh);
        en += &format!(" ({} – {})", low.en, high.en);
    }
    if let (false, Some((share, n))) = (yes, &share) {
        zh += &format!("，{n} 次模拟中 {share} 按时");
        en += &format!(", in time in {share} of {n} replications");
    }
    let binding = layers.binds(city);
    zh += &format!("。{}。", binding.zh);
    en += &format!(". {}.", Words::capital(&binding.en));
    if let Some(late) = layers.late_comers() {
        zh += &late.zh;
        en += &format!(" {}", late.en);
    }
    if let Some(lacks) = shelf_words(&plan.shelf()) {
        zh += &lacks.zh;
        en += &format!(" {}", lacks.en);
    }
    if !yes && layers.in_time() {
        zh += "模拟能按时完成，但按指南算术不能。";
        en += " The simulation is in time, but the guide's arithmetic is not.";
    }
    words(zh, en)
}

/// What can be done, in sentences; and where nothing is enough, that it is not and what comes nearest.
fn cures(layers: &Layers, remedy: &Remedy) -> Vec<Words> {
    let mut cures = Vec::new();
    cures.extend(remedy.more.as_ref().map(|more| more_words(layers, more)));
    cures.extend(moving(layers, &remedy.moving));
    if remedy.more.is_none() {
        let Words { zh, en } = no_units(layers);
        cures.push(words(zh + "。", Words::capital(&en) + "."));
    }
    cures.extend(remedy.both.as_ref().map(|both| both_words(layers, both)));
    cures.extend(remedy.searched.words());
    let target = layers.round.model.target;
    match remedy.nearest() {
        Some(nearest) if nearest <= target => {}
        Some(nearest) if never(nearest) => cures.push(words(
            format!("所试各法在 {HORIZON_DAYS} 天内均不能完成。"),
            format!("Nothing that was tried is done within {HORIZON_DAYS} days."),
        )),
        Some(nearest) => {
            let (at, late) = (span(nearest), span(nearest - target));
            cures.push(words(
                format!("所试各法均不能按时完成；最接近的为 {}，仍超时 {}。", at.zh, late.zh),
                format!(
                    "Nothing that was tried reaches the target; the nearest is {}, {} late.",
                    at.en, late.en
                ),
            ));
        }
        None => cures.push(words(
            "所试各法均无效果：请放宽时限、提前开始或增加实验室。",
            "Nothing that was tried helps: allow more time, begin earlier, or add a lab.",
        )),
    }
    cures
}

/// Said where units and desks alone do not do it, with the reason where there is one that no number changes.
pub(super) fn no_units(layers: &Layers) -> Words {
    let target = layers.round.model.target;
    let first = layers.flow.labs.iter().filter(|lab| lab.soonest > target).map(|lab| lab.soonest);
    let Some(first) = first.max() else { return words(NO_UNITS.0, NO_UNITS.1) };
    let (first, target) = (span(first), span(target));
    words(
        format!(
            "增加设备或采样台不能使其按时完成：首个结果（封箱、转运、各环节各一次）就要 {}，超过时限 {}，须放宽时限或缩短流程",
            first.zh, target.zh
        ),
        format!(
            "no number of units or desks brings it within the target: the first result alone (box, transport, one run of \
             each stage) takes {}, over the target of {}; allow more time or shorten the way",
            first.en, target.en
        ),
    )
}

/// The limit is that of `grow`.
const NO_UNITS: (&str, &str) = (
    "增加设备或采样台（试至现有设备的 8 倍）不能使其按时完成",
    "units and desks, tried up to eight times the units there are, do not bring it within the target",
);

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
    let (added, brings) = (added_words(layers, more), brings(layers, &more.outcome));
    let held = held_words(layers, more);
    if more.units.is_empty() && more.desks.is_empty() {
        let none =
            words("增加设备或采样台不能使其提前。", "More units and desks do not make it earlier.");
        return words(none.zh + &held.zh, none.en + &held.en);
    }
    words(
        format!("{}，{}。{}", added.zh, brings.zh, held.zh),
        format!("{} {}.{}", Words::capital(&added.en), brings.en, held.en),
    )
}

/// The stages that would need more units than are tried, a sentence each; nothing where there is none.
fn held_words(layers: &Layers, more: &More) -> Words {
    let (mut zh, mut en) = (String::new(), String::new());
    let most = grouped(UNITS_MAX.into());
    for held in more.held.iter().take(NAMED_MAX) {
        let ((code, name), units) = (&layers.round.labs[held.lab], u64::from(held.units));
        let item = Item::LabUnit(held.stage);
        let (many, unit) = (grouped(units), item.name().zh);
        let space = if unit.starts_with(|c: char| c.is_ascii()) { " " } else { "" };
        zh += &format!(
            "{code} {}所需{space}{unit}超过每环节至多试算的 {most} 台，按 {many} 台计。",
            name.zh
        );
        en += &format!(
            " {code} {} would need more {} than the {most} that are tried at one stage; it is left at {many}.",
            name.en,
            item.english(2)
        );
    }
    if let Some(others) = more.held.len().checked_sub(NAMED_MAX).filter(|others| *others > 0) {
        zh += &format!("另有 {others} 处相同。");
        en += &format!(" So it is at {others} more.");
    }
    words(zh, en)
}

fn both_words(layers: &Layers, both: &Both) -> Words {
    let (moved, needed) =
        (moved_words(layers, &both.moves), needed_words(both.least, both.moves.len()));
    let brings = brings(layers, &both.more.outcome);
    if both.more.units.is_empty() && both.more.desks.is_empty() {
        return words(
            format!("将{}，{}{}。", moved.zh, brings.zh, needed.zh),
            format!("{} {}{}.", Words::capital(&moved.en), brings.en, needed.en),
        );
    }
    let (added, held) = (added_words(layers, &both.more), held_words(layers, &both.more));
    words(
        format!(
            "两者并用：将{}，并{}，{}{}。{}",
            moved.zh, added.zh, brings.zh, needed.zh, held.zh
        ),
        format!(
            "Both partly: {} and {} {}{}.{}",
            moved.en, added.en, brings.en, needed.en, held.en
        ),
    )
}

/// What is added, without a verb: "2 more extractors there and 40 more desks with samplers in 3 streets".
fn added_words(layers: &Layers, more: &More) -> Words {
    let mut zh = Vec::new();
    let mut en = Vec::new();
    if !more.desks.is_empty() {
        let desks: u64 = more.desks.iter().map(|d| u64::from(d.more)).sum();
        // A street that is divided among labs is one street.
        let streets: BTreeSet<_> =
            more.desks.iter().map(|d| layers.round.source.get(d.street)).collect();
        let (desks, streets) = (grouped(desks), streets.len());
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
        zh.push(format!(
            "在 {} 家实验室共增加 {}（见“按时完成的措施”）",
            labs.len(),
            zh_sums.join("、")
        ));
        let many = if labs.len() == 1 { "lab" } else { "labs" };
        en.push(format!(
            "{} at {} {many} (see \"Measures to be in time\")",
            en_sums.join(", "),
            labs.len()
        ));
    }
    words(zh.join("，"), en.join(" and "))
}

/// What is moved: "61,000 tubes to L7 …".
fn moved_words(layers: &Layers, moves: &[Move]) -> Words {
    let sum = moves.iter().map(|m| m.tubes).sum();
    let (n, of) = (grouped(sum), Words::tube_or_tubes(sum));
    let to = match moves {
        [one] => {
            let (code, name) = &layers.round.labs[one.to];
            words(format!("改送 {code} {}", name.zh), format!("to {code} {}", name.en))
        }
        _ => words(
            "改送其他实验室（见“按时完成的措施”）",
            "to other labs (see \"Measures to be in time\")",
        ),
    };
    let streets: usize = moves.iter().map(|m| m.streets.len()).sum();
    let (whole_zh, whole_en) = match streets {
        0 => (String::new(), String::new()),
        1 => (" 1 个街道的全部".to_owned(), "1 whole street with ".to_owned()),
        n => (format!(" {n} 个街道的全部"), format!("{n} whole streets with ")),
    };
    let (beyond_zh, beyond_en) = match moves.iter().any(|m| !m.serves) {
        true => ("（须跨片区承检）", ", which must take tubes of other districts,"),
        false => ("", ""),
    };
    words(
        format!("{whole_zh} {n} 管{}{beyond_zh}", to.zh),
        format!("{whole_en}{n} {of} {}{beyond_en}", to.en),
    )
}

/// That no move can be left out, where that was seen.
fn needed_words(least: bool, moves: usize) -> Words {
    match (least, moves) {
        (false, _) | (true, 0) => Words::default(),
        (true, 1) => words("，不改送即不能按时完成", "; without that it is late"),
        (true, _) => {
            words("，各项改送缺一即不能按时完成", "; without any one of these moves it is late")
        }
    }
}

fn moving(layers: &Layers, moving: &Moving) -> Option<Words> {
    match moving {
        Moving::Pointless => None,
        Moving::NoRoom { excess, room, whole: true } => {
            let (excess, room) = (grouped(*excess), grouped(*room));
            Some(words(
                format!(
                    "单靠调整分派不够：超出 {excess} 管，其他实验室合计可再承担 {room} 管，但一一对应时须整条街道改送，没有合适的街道。"
                ),
                format!(
                    "Moving streets alone is not enough: {excess} tubes are too many and the other labs together have room for \
                     {room}, but one street sends to one lab, and no whole streets fit."
                ),
            ))
        }
        Moving::NoRoom { excess, room, whole: false } => {
            let (excess, room) = (grouped(*excess), grouped(*room));
            Some(words(
                format!("单靠调整分派不够：超出 {excess} 管，其他实验室只能再承担 {room} 管。"),
                format!(
                    "Moving tubes alone is not enough: {excess} are too many, the other labs have room for {room}."
                ),
            ))
        }
        Moving::Moves { moves, outcome, least } => {
            let (moved, brings) = (moved_words(layers, moves), brings(layers, outcome));
            let needed = needed_words(*least, moves.len());
            Some(words(
                format!("或将{}，{}{}。", moved.zh, brings.zh, needed.zh),
                format!("Or {} {}{}.", moved.en, brings.en, needed.en),
            ))
        }
    }
}
