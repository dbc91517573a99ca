//! The measures of a remedy one by one, as tables.

use super::added_text::{desk_people, none_more};
use super::known::no_units;
use super::layers::Layers;
use super::moving::{Move, Moving};
use super::people;
use super::remedy::{Desks, More, Vehicles};
use super::words::{grouped, lasting, pick, say, table};
use super::{Lang, Report};
use crate::planner::model::{MINUTE, Street};
use crate::planner::{Item, Shelf, Words, chance};

/// Streets that are named one by one in a row of moves.
const STREETS_NAMED: usize = 4;

/// What the shelf lacks for one round, article by article; nothing where it has enough.
pub(super) fn shelf(shelf: &[Shelf], lang: Option<Lang>) -> String {
    if shelf.is_empty() {
        return String::new();
    }
    let head =
        [("先补齐现货", "first for the shelf"), ("处", "where"), ("现有", "now"), ("增加", "more")];
    let mut rows = vec![head.map(|(zh, en)| pick(lang, zh, en)).to_vec()];
    for lack in shelf {
        let names = lack.places.iter().map(|(_, name)| name.clone());
        rows.push(vec![
            say(lang, &lack.item.name()),
            say(lang, &Words::listed(names, STREETS_NAMED, "处")),
            grouped(lack.have),
            grouped(lack.short),
        ]);
    }
    table(&rows) + "\n"
}

/// The measures one by one.
pub(super) fn measures(report: &Report, layers: &Layers, lang: Option<Lang>) -> String {
    let Some(remedy) = &layers.remedy else { return String::new() };
    let mut out = match &remedy.more {
        Some(more) => added(report, layers, more, lang),
        None => format!("  {}\n", say(lang, &no_units(layers, remedy))),
    };
    if let Moving::Moves { moves, .. } = &remedy.moving {
        out += "\n";
        out += &moved(layers, moves, lang);
    }
    if let Some(both) = &remedy.both {
        out += &format!("\n  {}\n", pick(lang, "两者并用", "both partly"));
        out += &moved(layers, &both.moves, lang);
        out += &added(report, layers, &both.more, lang);
    }
    out
}

fn lab(layers: &Layers, lab: usize, lang: Option<Lang>) -> String {
    super::layers_text::lab_name(layers, lab, lang)
}

/// Name of the street of a row of desks; of one that is divided with the lab, where the row is of the desks that serve it alone.
pub(super) fn street_served(layers: &Layers, desks: &Desks) -> Words {
    served(layers, desks.street, |part| part.desks == desks.now)
}

/// The same of a row of vehicles.
pub(super) fn street_driven(layers: &Layers, vehicles: &Vehicles) -> Words {
    served(layers, vehicles.street, |part| part.vehicles == vehicles.now)
}

fn served(layers: &Layers, street: usize, alone: impl Fn(&Street) -> bool) -> Words {
    let Some(of) = layers.round.streets.get(street) else { return Words::default() };
    let part = &layers.round.model.streets[street];
    let parts = layers.round.streets.iter().filter(|other| *other == of).count();
    if parts == 1 || !alone(part) {
        return of.name.clone();
    }
    let (Words { zh, en }, to) = (&of.name, &layers.round.labs[part.lab].0);
    Words::new(format!("{zh} → {to}"), format!("{en} → {to}"))
}

/// Desks, vehicles and units, and what the pairs of simulations say of them.
fn added(report: &Report, layers: &Layers, more: &More, lang: Option<Lang>) -> String {
    let city = &report.city;
    let head = [
        ("措施", "measure"),
        ("处", "where"),
        ("现有", "now"),
        ("增加", "more"),
        ("增加人员", "more people"),
    ];
    let mut rows = vec![head.map(|(zh, en)| pick(lang, zh, en)).to_vec()];
    let takes = people::of_desks(city, layers, &more.desks);
    for (desks, take) in more.desks.iter().zip(&takes) {
        rows.push(vec![
            pick(lang, "采样台", "desks"),
            say(lang, &street_served(layers, desks)),
            grouped(desks.now.into()),
            grouped(desks.more.into()),
            say(lang, &desk_people(take.samplers, take.registrars)),
        ]);
    }
    for vehicles in &more.vehicles {
        rows.push(vec![
            pick(lang, "转运车辆", "vehicles"),
            say(lang, &street_driven(layers, vehicles)),
            grouped(vehicles.now.into()),
            grouped(vehicles.more.into()),
            String::new(),
        ]);
    }
    let mut idle = 0;
    for units in &more.units {
        let name = Item::LabUnit(units.stage).name();
        let take = people::of_units(city, units);
        idle += take.idle;
        rows.push(vec![
            say(lang, &name),
            lab(layers, units.lab, lang),
            grouped(units.now.into()),
            grouped(units.more.into()),
            grouped(take.people),
        ]);
    }
    if rows.len() == 1 {
        return String::new();
    }
    let mut out = table(&rows);
    if let Some(words) = none_more(report, &takes) {
        out += &format!("  {}\n", say(lang, &words));
    }
    if idle > 0 {
        let zh = format!("其中 {} 台设备现因缺人闲置：只须配齐人员", grouped(idle));
        let en = format!(
            "{} of these units are there and stand idle for want of people: they need people alone",
            grouped(idle)
        );
        out += &format!("  {}\n", pick(lang, &zh, &en));
    }
    if more.least {
        let (zh, en) =
            ("以上各项少一台（个、辆）即不能按时完成", "one fewer of any of these, and it is late");
        out += &format!("  {}\n", pick(lang, zh, en));
    }
    if let Some((number, paired)) = more.paired {
        let minute = f64::from(MINUTE);
        let saved = lasting(paired.saved.abs() / minute);
        let (half_zh, half_en) = match paired.half_width.map(|half| half / minute) {
            Some(half) => (
                format!(" ± {half:.1} 分钟（其余各数取计划值）"),
                format!(" ± {half:.1} min (everything else at its planned value)"),
            ),
            None => {
                let Words { zh, en } = chance::one_pair();
                (format!("（{zh}）"), format!(" ({en})"))
            }
        };
        let sign = if paired.saved < 0.0 { "−" } else { "" };
        let pairs = paired.pairs;
        let name = lab(layers, number, lang);
        let zh =
            format!("{name}：配对模拟 {pairs} 次，上列设备使其提前 {sign}{}{half_zh}", saved.zh);
        let en = format!(
            "{name}: in {pairs} pairs of simulations its units save {sign}{}{half_en}",
            saved.en
        );
        out += &format!("  {}\n", pick(lang, &zh, &en));
    }
    out
}

/// Tubes from lab to lab.
fn moved(layers: &Layers, moves: &[Move], lang: Option<Lang>) -> String {
    let mut head = vec![("由", "from"), ("改送", "to"), ("管数", "tubes"), ("片区", "district")];
    let whole = moves.iter().any(|m| !m.streets.is_empty());
    if whole {
        head.push(("整条街道", "whole streets"));
    }
    let mut rows: Vec<Vec<String>> =
        vec![head.into_iter().map(|(zh, en)| pick(lang, zh, en)).collect()];
    for m in moves {
        rows.push(vec![
            lab(layers, m.from, lang),
            lab(layers, m.to, lang),
            grouped(m.tubes),
            match m.serves {
                true => pick(lang, "现承检片区内", "its own"),
                false => pick(lang, "须跨片区", "another's"),
            },
        ]);
        if whole {
            let names = m.streets.iter().map(|&street| layers.round.streets[street].name.clone());
            let named = Words::listed(names, STREETS_NAMED, "个");
            rows.last_mut().expect("just put").push(say(lang, &named));
        }
    }
    table(&rows)
}
