//! The answer of all layers in a sentence, with what would mend it.

use super::Report;
use super::added_text::{NAMED_MAX, added_words, moved_words};
use super::enough::Beyond;
use super::filled::Filled;
use super::grow::UNITS_MAX;
use super::known::{Known, no_units};
use super::layers::Layers;
use super::layers_text::percent;
use super::moving::Moving;
use super::remedy::{Both, More, Outcome, Remedy};
use super::words::{clock_time, grouped, never, span};
use crate::planner::fluid::Held;
use crate::planner::model::HORIZON_DAYS;
use crate::planner::{City, Item, Plan, Words, chance, shelf_mend, shelf_words};

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
        cures(&report.city, layers, remedy).into_iter().for_each(&mut add);
    }
    words(Words::closed(&zh), en)
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
    let share = layers.study.as_ref();
    let share = share.and_then(|study| Some((percent(study.probability()?), study.replications)));
    if let (true, Some((share, n))) = (yes, &share) {
        zh += &format!("（{n} 次模拟中 {share} 按时）");
        en += &format!(", in {share} of {n} replications");
    }
    zh += &format!("：{}", finish.zh);
    en += &format!(": {}", finish.en);
    if let Some(study) = &layers.study {
        let (low, high) = (span(study.finish.p10), span(study.finish.p90));
        let Words { zh: range_zh, en: range_en } = match study.spreads() {
            true => words(format!("{}–{}", low.zh, high.zh), format!("{} – {}", low.en, high.en)),
            false => chance::once(),
        };
        zh += &format!("（{range_zh}）");
        en += &format!(" ({range_en})");
    }
    if let (false, Some((share, n))) = (yes, &share) {
        zh += &format!("，{n} 次模拟中 {share} 按时");
        en += &format!(", in time in {share} of {n} replications");
    }
    let binding = layers.binds(city);
    zh += &format!("。{}。", binding.zh);
    en += &format!(". {}.", Words::capital(&binding.en));
    if let Some(flows) = layers.flows_differ() {
        zh += &flows.zh;
        en += &format!(" {}", flows.en);
    }
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
fn cures(city: &City, layers: &Layers, remedy: &Remedy) -> Vec<Words> {
    let mut cures = Vec::new();
    let known = Known::of(layers, remedy);
    // Of nothing that was found before the limit it is not said that nothing helps.
    let told = |more: &&More| known != Known::Unknown || !more.is_empty();
    cures.extend(remedy.more.as_ref().filter(told).map(|more| more_words(city, layers, more)));
    cures.extend(moving(layers, &remedy.moving));
    // What the most that is tried would bring says it, too.
    if known == Known::Unknown || remedy.more.is_none() && remedy.beyond.is_none() {
        let Words { zh, en } = no_units(layers, remedy);
        cures.push(words(zh + "。", Words::capital(&en) + "."));
    }
    cures.extend(remedy.beyond.as_ref().map(|beyond| beyond_words(city, layers, beyond)));
    cures.extend(remedy.both.as_ref().map(|both| both_words(city, layers, both)));
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
        None if known == Known::Unknown => {
            cures.push(words("已试各法均无效果。", "Nothing that was tried so far helps."));
        }
        None => cures.push(words(
            "所试各法均无效果：请放宽时限、提前开始或增加实验室。",
            "Nothing that was tried helps: allow more time, begin earlier, or add a lab.",
        )),
    }
    cures
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

fn more_words(city: &City, layers: &Layers, more: &More) -> Words {
    let (added, brings) = (added_words(city, layers, more), brings(layers, &more.outcome));
    let held = held_words(layers, more);
    if more.is_empty() {
        let none = words(
            "增加设备、采样台或车辆不能使其提前。",
            "More units, desks and vehicles do not make it earlier.",
        );
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

fn both_words(city: &City, layers: &Layers, both: &Both) -> Words {
    let (moved, needed) =
        (moved_words(layers, &both.moves), needed_words(both.least, both.moves.len()));
    let brings = brings(layers, &both.more.outcome);
    if both.more.is_empty() {
        return words(
            format!("将{}，{}{}。", moved.zh, brings.zh, needed.zh),
            format!("{} {}{}.", Words::capital(&moved.en), brings.en, needed.en),
        );
    }
    let (added, held) = (added_words(city, layers, &both.more), held_words(layers, &both.more));
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

/// That the most that is tried is late, too: which times no number shortens, or that more than that would be needed.
fn beyond_words(city: &City, layers: &Layers, beyond: &Beyond) -> Words {
    let (code, name) = &layers.round.labs[beyond.lab];
    let (most, done) = (most_words(), span(beyond.finish));
    let (mut zh, mut en) = match never(beyond.finish) {
        true => (
            format!("{}，{HORIZON_DAYS} 天内也不能完成。", most.zh),
            format!("{} it would not be done within {HORIZON_DAYS} days.", most.en),
        ),
        false => (
            format!("{}，也要 {}。", most.zh, done.zh),
            format!("{} it would still take {}.", most.en, done.en),
        ),
    };
    if !matches!(beyond.flow.held, Held::Way | Held::Transport) {
        zh += &format!("届时 {code} {} 仍有积压，须另增实验室或放宽时限。", name.zh);
        en += &format!(
            " Then {code} {} still has more waiting than it can take: that takes another lab, or more time.",
            name.en
        );
        return words(zh, en);
    }
    let [swab, door] = [beyond.sampled, beyond.flow.delivered].map(|at| clock_time(city, at));
    let chain = span(beyond.flow.chain);
    zh += &format!(
        "受限于固定时间，与数量无关：{code} {} 的街道到 {} 仍有人来采样（采样点收工前总有晚到者），最后一管 {} 送达，\
         其后各环节各一次需 {}；有实验室偏慢时更长。",
        name.zh, swab.zh, door.zh, chain.zh
    );
    en += &format!(
        " What binds are fixed times, whatever the numbers: people still come to the streets of {code} {} at {} (late comers \
         come until the sites close), the last tube is there at {}, and one run of each stage takes {} more, longer where a \
         lab is slow.",
        name.en, swab.en, door.en, chain.en
    );
    words(zh, en)
}

/// The most that is tried.
fn most_words() -> Words {
    words(
        "即使各环节设备都增至现有的 8 倍、采样台多到 1 小时内采完准时到场者、车辆多到无样本等车",
        "Even with eight times the units at every stage, desks for all who come in time within an hour, and so many vehicles that no \
         tube waits for one,",
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
