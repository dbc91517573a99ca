//! What holds a lab up, in a table's cell and in what is said below it: the words of each [`Held`].

use super::layers::Layers;
use super::words::{never, tenth_hours};
use crate::planner::fluid::{self, Held, LabFlow};
use crate::planner::model::{HOUR, Model, Ms};
use crate::planner::{City, Clock, StageKind, Words};

fn words(zh: impl Into<String>, en: impl Into<String>) -> Words {
    Words::new(zh, en)
}

/// What binds a lab, as its sentence has it: a stage, or what is no stage.
pub(super) fn binding(flow: &LabFlow) -> Words {
    match flow.held {
        Held::Backlog | Held::Rest | Held::Run => flow.binding.name(),
        Held::Stages => words("多个环节", "several stages"),
        Held::Transport => words("转运车辆", "transport"),
        Held::Way => words("采样和送达", "collection"),
    }
}

/// Where the last tubes of a lab wait longest.
struct Wait {
    /// The stage that they have gone through, `None`: they have come.
    before: Option<StageKind>,
    /// The stage that they wait for.
    after: StageKind,
    /// When both are done.
    done: [Ms; 2],
}

/// The longest wait between two stages, or before the first; the time of a stage's own runs is none.
fn longest_wait(model: &Model, lab: usize, flow: &LabFlow) -> Wait {
    let last = |kind: StageKind| flow.stages[kind.index()].last;
    let before = std::iter::once(None).chain(StageKind::ALL.into_iter().map(Some));
    let waits = before.zip(StageKind::ALL).map(|(before, after)| {
        let done = [before.map_or(flow.delivered, last), last(after)];
        let stage = model.labs.get(lab).and_then(|lab| lab.stages.get(after.index()));
        let run = stage.map_or(0, |stage| stage.run);
        (done[1].saturating_sub(done[0]).saturating_sub(run), Wait { before, after, done })
    });
    let longest = waits.max_by_key(|(waited, _)| *waited).map(|(_, wait)| wait);
    longest.unwrap_or(Wait { before: None, after: StageKind::Receive, done: [0, 0] })
}

/// Whether units of a stage rest, or are without staff, at some time of the day, and what is then missed.
fn missed(city: &City, layers: &Layers, lab: usize, kind: StageKind) -> Option<Words> {
    let stage = layers.round.model.labs.get(lab)?.stages.get(kind.index())?;
    let clock = city.labs.get(lab)?.stage(kind).clock;
    (!stage.rests.is_empty()).then(|| match clock {
        Clock::Staffed => words(
            "错过收班、要等下一班",
            "where they miss the end of a shift and have to wait for the next",
        ),
        Clock::Instrument => words(
            "错过仪器工作时段、要等下一段",
            "where they miss the hours of the instruments and have to wait for the next",
        ),
    })
}

/// Where the last tubes of a lab wait longest and what they miss there: "longest after extraction (done at 23.2 h), where they miss
/// the end of a shift and have to wait for the next; PCR set-up is done at 38.9 h".
fn where_they_wait(city: &City, layers: &Layers, lab: usize, flow: &LabFlow) -> Words {
    let Wait { before, after, done } = longest_wait(&layers.round.model, lab, flow);
    let [from, to] = done.map(|at| tenth_hours(i64::from(at)));
    let name = after.name();
    let (zh, en) = match missed(city, layers, lab, after) {
        Some(missed) => (format!("，{}", missed.zh), format!(", {}", missed.en)),
        None => (String::new(), String::new()),
    };
    let since = match before.map(StageKind::name) {
        Some(before) => words(
            format!("{} {from} h 完成后", before.zh),
            format!("after {} (done at {from} h)", before.en),
        ),
        None => words(
            format!("{from} h 送达后"),
            format!("after they have come (the last at {from} h)"),
        ),
    };
    words(
        format!("{}等得最久{zh}，{} {to} h 才完成", since.zh, name.zh),
        format!("longest {}{en}; {} is done at {to} h", since.en, name.en),
    )
}

/// Said below the stages of a lab that is late by more than any of them alone: the stages say that all is well, or nearly, and the
/// lab is late. A whole sentence; `None` where a stage alone accounts for it.
pub(super) fn together(city: &City, layers: &Layers, lab: usize) -> Option<Words> {
    let flow = layers.flow.labs.get(lab)?;
    let target = layers.round.model.target;
    let alone = flow.alone.into_iter().max().unwrap_or(0);
    let apart = flow.finish.saturating_sub(alone.max(target));
    if flow.tubes == 0 || never(flow.finish) || apart < HOUR / 2 {
        return None;
    }
    let (code, name) = layers.round.labs.get(lab)?;
    let late = tenth_hours(i64::from(flow.finish - target));
    let most = tenth_hours(i64::from(alone.saturating_sub(target)));
    let (zh, en) = match alone <= target {
        true => ("没有哪个环节单独超时".to_owned(), "no stage alone is late".to_owned()),
        false => (
            format!("单独受限的环节至多超时 {most} h"),
            format!("no stage alone is more than {most} h late"),
        ),
    };
    let wait = where_they_wait(city, layers, lab, flow);
    Some(words(
        format!("{code} {}：{zh}，合在一起超时 {late} h：最后的样本在{}。", name.zh, wait.zh),
        format!(
            "{code} {}: {en}, together they are {late} h late: the last tubes wait {}.",
            name.en, wait.en
        ),
    ))
}

/// What holds a lab up with the most that is tried, and what that takes; `None` where it is times that no number shortens. Whole
/// sentences.
pub(super) fn with_the_most(
    city: &City,
    layers: &Layers,
    lab: usize,
    flow: &LabFlow,
) -> Option<Words> {
    let (code, name) = layers.round.labs.get(lab)?;
    let stage = flow.binding.name();
    let (zh, en) = match flow.held {
        Held::Backlog => (
            format!("{code} {}的{}仍有积压，须另增实验室或放宽时限。", name.zh, stage.zh),
            format!(
                "{} at {code} {} still has more waiting than it can take: that takes another lab, or more time.",
                stage.en, name.en
            ),
        ),
        Held::Rest => {
            let rest = fluid::rest(city, lab, flow.binding);
            (
                format!("{code} {}：{}，须调整班次或仪器工作时间，或放宽时限。", name.zh, rest.zh),
                format!(
                    "at {code} {} {}: that takes other shifts or hours of the instruments, or more time.",
                    name.en, rest.en
                ),
            )
        }
        Held::Run => (
            format!(
                "{code} {}最后的样本要等{}做完前一批，须缩短该环节或放宽时限。",
                name.zh, stage.zh
            ),
            format!(
                "the last tubes of {code} {} wait for the run before theirs in {}: that takes shorter runs, or more time.",
                name.en, stage.en
            ),
        ),
        Held::Stages => {
            let wait = where_they_wait(city, layers, lab, flow);
            let after = longest_wait(&layers.round.model, lab, flow).after;
            let (zh, en) = match missed(city, layers, lab, after) {
                Some(_) => (
                    "须调整班次或仪器工作时间，或放宽时限",
                    "that takes other shifts or hours of the instruments, or more time",
                ),
                None => ("须另增实验室或放宽时限", "that takes another lab, or more time"),
            };
            (
                format!(
                    "{code} {}没有哪个环节单独积压，最后的样本在几个环节各等一段：{}；{zh}。",
                    name.zh, wait.zh
                ),
                format!(
                    "no stage of {code} {} alone is what binds, its last tubes wait at one after the other, {}: {en}.",
                    name.en, wait.en
                ),
            )
        }
        Held::Transport | Held::Way => return None,
    };
    Some(words(format!("届时 {zh}"), format!("Then {en}")))
}
