//! What a remedy adds and moves, in words without a verb, with the people that it counts on.

use std::collections::BTreeSet;

use super::Report;
use super::layers::Layers;
use super::moving::Move;
use super::people;
use super::remedy::{More, Units};
use super::words::{grouped, more_units};
use crate::planner::{City, DesksTake, Item, StageKind, Words};

/// Measures that are named one by one in the sentence; more are summed up by stage.
pub(super) const NAMED_MAX: usize = 3;

fn words(zh: impl Into<String>, en: impl Into<String>) -> Words {
    Words::new(zh, en)
}

/// What is added with its people, without a verb: "2 more biosafety cabinets with 12 people there and 40 more desks with 80
/// samplers and 40 registrars in 3 streets".
pub(super) fn added_words(city: &City, layers: &Layers, more: &More) -> Words {
    let mut zh = Vec::new();
    let mut en = Vec::new();
    let [samplers, registrars, at_labs] = people::of_all(city, layers, more);
    if !more.desks.is_empty() {
        let desks: u64 = more.desks.iter().map(|d| u64::from(d.more)).sum();
        // A street that is divided among labs is one street.
        let streets: BTreeSet<_> =
            more.desks.iter().map(|d| layers.round.source.get(d.street)).collect();
        let (desks, streets) = (grouped(desks), streets.len());
        let s = if streets == 1 { "" } else { "s" };
        let with = desk_people(samplers, registrars);
        zh.push(format!("在 {streets} 个街道增设 {desks} 个采样台（{}）", with.zh));
        en.push(format!("{desks} more desks with {} in {streets} street{s}", with.en));
    }
    if !more.vehicles.is_empty() {
        let vehicles: u64 = more.vehicles.iter().map(|v| u64::from(v.more)).sum();
        let streets: BTreeSet<_> =
            more.vehicles.iter().map(|v| layers.round.source.get(v.street)).collect();
        let (many, streets) = (grouped(vehicles), streets.len());
        zh.push(format!("在 {streets} 个街道增加 {many} 辆转运车"));
        let s = if streets == 1 { "" } else { "s" };
        let vehicle = if vehicles == 1 { "vehicle" } else { "vehicles" };
        en.push(format!("{many} more {vehicle} in {streets} street{s}"));
    }
    let last = layers.flow.last_lab();
    if more.units.len() <= NAMED_MAX {
        for units in &more.units {
            let (what, (code, name)) = (units_words(city, units), &layers.round.labs[units.lab]);
            let there = last == Some(units.lab) && more.units.len() == 1 && en.is_empty();
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
        let with = unit_people(at_labs);
        zh.push(format!(
            "在 {} 家实验室共增加 {}{}（见“按时完成的措施”）",
            labs.len(),
            zh_sums.join("、"),
            with.zh
        ));
        let many = if labs.len() == 1 { "lab" } else { "labs" };
        en.push(format!(
            "{}{} at {} {many} (see \"Measures to be in time\")",
            en_sums.join(", "),
            with.en,
            labs.len()
        ));
    }
    words(zh.join("，"), en.join(" and "))
}

/// "80 samplers and 40 registrars": the people whom desks take besides those who are there, and of which kind it takes none.
pub(super) fn desk_people(samplers: u64, registrars: u64) -> Words {
    let both = [(Item::Sampler, samplers), (Item::Registrar, registrars)];
    let told = both.map(|(item, n)| match n {
        0 => words(format!("{}不另增", item.name().zh), format!("no more {}", item.english(2))),
        n => words(
            format!("{} {} 名", item.name().zh, grouped(n)),
            format!("{} {}", grouped(n), item.english(n)),
        ),
    });
    let [one, other] = told;
    words(format!("{}、{}", one.zh, other.zh), format!("{} and {}", one.en, other.en))
}

/// What "no more samplers" means beside a list that asks for some: nothing where the measures or the list take none, or both some.
pub(super) fn none_more(report: &Report, takes: &[DesksTake]) -> Option<Words> {
    let listed = |item: Item| report.plan.shortages.iter().any(|line| line.item == item);
    let none = |people: fn(&DesksTake) -> u64| takes.iter().any(|take| people(take) == 0);
    let both = [
        (Item::Sampler, none(|take| take.samplers)),
        (Item::Registrar, none(|take| take.registrars)),
    ];
    let told: Vec<Words> = both
        .into_iter()
        .filter(|(item, none)| *none && listed(*item))
        .map(|(item, _)| Words::new(item.name().zh, item.english(2)))
        .collect();
    let [zh, en] = [
        told.iter().map(|w| w.zh.as_str()).collect::<Vec<_>>().join("、"),
        told.iter().map(|w| w.en.as_str()).collect::<Vec<_>>().join(" and "),
    ];
    (!told.is_empty()).then(|| {
        words(
            format!("“{zh}不另增”：现有人员足以使这些采样台不减速；缺口清单另按规范（配备标准）所缺的人数照报，两者依据不同，不矛盾"),
            format!(
                "No more {en}: those who are there keep these desks at their speed. The list asks for more of them by the norm, and \
                 its number is filed all the same"
            ),
        )
    })
}

/// " with 30 people": those of units; nothing where there are enough.
fn unit_people(people: u64) -> Words {
    match people {
        0 => Words::default(),
        1 => words("及其 1 名人员", " with 1 person"),
        n => words(format!("及其 {} 名人员", grouped(n)), format!(" with {} people", grouped(n))),
    }
}

/// "5 more biosafety cabinets (2 of them stand idle there for want of people) with 30 people".
fn units_words(city: &City, units: &Units) -> Words {
    let what = more_units(units.stage, u64::from(units.more));
    let takes = people::of_units(city, units);
    let with = unit_people(takes.people);
    let idle = match takes.idle {
        0 => Words::default(),
        n if n == u64::from(units.more) => {
            words("（现因缺人闲置）", " (there, and idle for want of people)")
        }
        1 => {
            words("（其中 1 台现因缺人闲置）", " (1 of them is there, and idle for want of people)")
        }
        n => words(
            format!("（其中 {n} 台现因缺人闲置）"),
            format!(" ({n} of them are there, and idle for want of people)"),
        ),
    };
    words(what.zh + &idle.zh + &with.zh, what.en + &idle.en + &with.en)
}

/// What is moved: "61,000 tubes to L7 …".
pub(super) fn moved_words(layers: &Layers, moves: &[Move]) -> Words {
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
