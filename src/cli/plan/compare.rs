//! The one number to file for each item at a place, beside what the other layers say of it (`planner::filing`), in every form
//! of the report.

use serde_json::{Value, json};

use super::json::{basis_key, item_key, words};
use super::layers::Layers;
use super::remedy::{More, Remedy};
use super::words::{MEASURES, basis, grouped, pick, place_name, say, table};
use super::{Lang, Report, people};
use crate::planner::filing::{self, BeyondTotal, Compared, Dealt, Flows, Measures};
use crate::planner::{Item, Words, sending};

/// The units and desks of a remedy: those of the first of its ways that is in time, else of the first.
pub(super) fn taken<'r>(layers: &Layers, remedy: &'r Remedy) -> Option<&'r More> {
    let both = remedy.both.as_ref().map(|both| &both.more);
    let ways = || remedy.more.iter().chain(both);
    let in_time = |more: &&More| more.outcome.finish() <= layers.round.model.target;
    ways().find(in_time).or_else(|| ways().next())
}

/// What the measures add, by place and item, with the people that they take.
fn added(report: &Report, layers: &Layers) -> Measures {
    let mut sums = Measures::new();
    let Some(more) = layers.remedy.as_ref().and_then(|remedy| taken(layers, remedy)) else {
        return sums;
    };
    let city = &report.city;
    let mut add = |place: &str, item: Item, more: u64| {
        *sums.entry((place.to_owned(), item)).or_default() += more;
    };
    let takes = people::of_desks(city, layers, &more.desks);
    for (desks, take) in more.desks.iter().zip(takes) {
        let Some(district) = sending::district(city, &layers.round, desks.street) else { continue };
        add(&district.code, Item::Desk, take.desks);
        add(&district.code, Item::Sampler, take.samplers);
        add(&district.code, Item::Registrar, take.registrars);
    }
    for units in &more.units {
        let Some(lab) = city.labs.get(units.lab) else { continue };
        let take = people::of_units(city, units);
        add(&lab.code, Item::LabUnit(units.stage), take.bought);
        add(&lab.code, Item::LabStaff(units.stage), take.people);
    }
    sums
}

/// Every item of which a layer asks for more than there is, labs after districts.
pub(super) fn compared(report: &Report) -> Vec<Compared> {
    let Ok(layers) = &report.layers else { return Vec::new() };
    filing::compared(&report.city, &report.plan, &layers.flow, &added(report, layers))
}

/// The labs for whose tubes the list and the assignment have different numbers.
pub(super) fn dealt(report: &Report) -> Vec<Dealt> {
    let layers = report.layers.as_ref().ok();
    layers.map(|layers| filing::dealt(&report.plan, &layers.flow)).unwrap_or_default()
}

/// Which number to file, and what the others answer; none where nothing is asked for.
pub(super) fn which_to_file(report: &Report) -> Option<Words> {
    let layers = report.layers.as_ref().ok();
    let measures = layers.and_then(|layers| layers.remedy.as_ref()).map(|_| MEASURES);
    filing::which_to_file(&report.plan, layers.is_some(), measures)
}

/// Why the list and the other layers have different numbers of one lab.
pub(super) fn dealt_words() -> Words {
    Words::new(
        "指南算术把样本按各实验室的能力摊开，做不完的记在该区最大的实验室；其余各层按街道分派送样。同一实验室的管数不同，设备和人员的数就不同",
        "The arithmetic spreads tubes by what the labs can do, and puts what none can do at the largest of the district; the other \
         layers have them where the assignment of streets sends them. Where a lab's tubes differ, so do its units and people",
    )
}

/// What a row of tubes is called, beside the items that are filed.
pub(super) fn tubes_words() -> Words {
    Words::new("测算所用管数（不报）", "tubes reckoned with (not filed)")
}

/// The heads of the columns after place and item: what is there, and each layer with what it answers.
pub(super) const HEADS: [(&str, &str); 5] = [
    ("现有", "have"),
    ("清单（上报此数）", "list: file this"),
    ("流体层（对照）", "flows: comparison"),
    ("措施后（对照）", "with the measures: comparison"),
    ("措施多于清单", "measures beyond the list"),
];

/// The table; nothing where no layer but the list asks for anything.
pub(super) fn text(report: &Report, lang: Option<Lang>) -> String {
    let (all, norm) = (compared(report), &report.city.norm);
    let dash = || "–".to_owned();
    let beside: Vec<&Compared> = all.iter().filter(|one| one.beside_the_list()).collect();
    if beside.is_empty() {
        return String::new();
    }
    let mut head = vec![pick(lang, "处", "place"), pick(lang, "项目", "item")];
    head.extend(HEADS.map(|(zh, en)| pick(lang, zh, en)));
    let mut rows = vec![head];
    for one in beside {
        let flows = match one.flows {
            Flows::Not => dash(),
            Flows::Never => "×".to_owned(),
            Flows::Units(n) => grouped(n),
        };
        let beyond = Some(one.beyond()).filter(|n| *n > 0);
        let mut item = say(lang, &one.item.name());
        if one.basis == crate::planner::Basis::PhysicalRounds {
            item += &format!(" ({})", say(lang, &basis(one.basis, norm)));
        }
        rows.push(vec![
            format!("{} {}", one.place, place_name(lang, &one.place_name)),
            item,
            grouped(one.have),
            grouped(one.listed),
            flows,
            one.measures.map_or_else(dash, grouped),
            beyond.map_or_else(dash, grouped),
        ]);
    }
    let dealt = dealt(report);
    for Dealt { lab, name, listed, sent } in &dealt {
        let place = format!("{lab} {}", place_name(lang, name));
        let tubes = say(lang, &tubes_words());
        rows.push(vec![place, tubes, dash(), grouped(*listed), grouped(*sent), dash(), dash()]);
    }
    let title = pick(
        lang,
        "同一项目各层的数对照（只上报清单一列；× 表示增加台数无效，– 表示该层不计或不增加；只有清单有数的项目见上，不再列出）",
        "the layers' numbers of one item side by side (file the column of the list alone; ×: no number helps, –: the layer does \
         not reckon it, or adds none; what the list alone has a number for stands above and not here again)",
    );
    let mut out = format!("\n  {title}\n{}", table(&rows));
    if !dealt.is_empty() {
        out += &format!("  {}\n", say(lang, &dealt_words()));
    }
    out + &totals(&filing::beyond_totals(&all), lang)
}

/// What the measures take beyond the list, summed up by item.
fn totals(totals: &[BeyondTotal], lang: Option<Lang>) -> String {
    if totals.is_empty() {
        return String::new();
    }
    let mut head = vec![pick(lang, "合计", "total"), pick(lang, "处数", "places")];
    head.extend(HEADS.map(|(zh, en)| pick(lang, zh, en)));
    // The flows have no number of people and desks, and not the same places.
    head.remove(4);
    head.push(pick(lang, "单位", "unit"));
    let mut rows = vec![head];
    for sum in totals {
        let numbers = [sum.places, sum.have, sum.listed, sum.measures, sum.beyond];
        let mut row = vec![say(lang, &sum.item.name())];
        row.extend(numbers.map(grouped));
        row.push(say(lang, &sum.item.unit()));
        rows.push(row);
    }
    let title = say(lang, &totals_words());
    format!("\n  {title}\n{}", table(&rows))
}

/// What the sums are of.
pub(super) fn totals_words() -> Words {
    Words::new(
        "措施多于清单的部分按项合计（报送说明另行申请用；只计措施多于清单的各处）",
        "measures beyond the list, summed up by item for the covering note (of the places where they are more)",
    )
}

/// The same for programs.
pub(super) fn document(report: &Report) -> Value {
    let norm = &report.city.norm;
    let one = |one: &Compared| {
        let (flows, helps) = match one.flows {
            Flows::Not => (None, true),
            Flows::Never => (None, false),
            Flows::Units(n) => (Some(n), true),
        };
        json!({
            "place": one.place,
            "place_name": words(&one.place_name),
            "item": item_key(one.item),
            "item_name": words(&one.item.name()),
            "basis": basis_key(one.basis),
            "basis_name": words(&basis(one.basis, norm)),
            "unit": words(&one.item.unit()),
            "have": one.have,
            "listed": one.listed,
            "flows": flows,
            "flows_any_number_helps": helps,
            "measures": one.measures,
            "measures_beyond_list": one.beyond(),
        })
    };
    let total = |sum: &BeyondTotal| {
        json!({
            "item": item_key(sum.item),
            "item_name": words(&sum.item.name()),
            "unit": words(&sum.item.unit()),
            "places": sum.places,
            "have": sum.have,
            "listed": sum.listed,
            "measures": sum.measures,
            "measures_beyond_list": sum.beyond,
        })
    };
    let of_lab = |dealt: &Dealt| {
        json!({
            "lab": dealt.lab,
            "name": words(&dealt.name),
            "listed": dealt.listed,
            "sent": dealt.sent,
        })
    };
    let all = compared(report);
    json!({
        "file": "shortages",
        "sentence": which_to_file(report).as_ref().map(words),
        "compared": all.iter().map(one).collect::<Vec<_>>(),
        "beyond_totals": filing::beyond_totals(&all).iter().map(total).collect::<Vec<_>>(),
        "tubes": dealt(report).iter().map(of_lab).collect::<Vec<_>>(),
    })
}
