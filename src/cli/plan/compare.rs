//! One number to file for each item at each place: that of the list of shortages. What the flows and the measures come to
//! answers other questions; it stands beside the list, so that nobody adds the three up or files another one.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::json::{item_key, words};
use super::layers::Layers;
use super::remedy::{More, Remedy, Units};
use super::words::{MEASURES, grouped, pick, place_name, say, table};
use super::{Lang, Report};
use crate::planner::{City, Item, StageKind, Words, sending, with_units};

/// What the layers say of an item at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Compared {
    /// Code of the lab or district.
    pub place: String,
    pub place_name: Words,
    pub item: Item,
    pub have: u64,
    /// What the list asks for: the number to file. What is there, where nothing is short.
    pub listed: u64,
    /// What the flows come to.
    pub flows: Flows,
    /// What there is once the measures are taken; none where they leave it as it is.
    pub measures: Option<u64>,
}

/// What the flows need of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flows {
    /// They do not reckon it.
    Not,
    /// So many.
    Units(u64),
    /// No number helps: tubes come too late, or the instruments rest.
    Never,
}

impl Compared {
    /// What the measures take more than is listed.
    pub fn beyond(&self) -> u64 {
        self.measures.map_or(0, |measures| measures.saturating_sub(self.listed))
    }

    /// Whether a layer asks for more than there is.
    fn asks(&self) -> bool {
        let flows = match self.flows {
            Flows::Units(n) => n > self.have,
            Flows::Not | Flows::Never => false,
        };
        self.listed > self.have || flows || self.measures.is_some()
    }
}

/// The units and desks of a remedy: those of the first of its ways that is in time, else of the first.
pub(super) fn taken<'r>(layers: &Layers, remedy: &'r Remedy) -> Option<&'r More> {
    let both = remedy.both.as_ref().map(|both| &both.more);
    let ways = || remedy.more.iter().chain(both);
    let in_time = |more: &&More| more.outcome.finish() <= layers.round.model.target;
    ways().find(in_time).or_else(|| ways().next())
}

/// What it takes that a measure's units work: units to get, fewer where some stand idle for want of people, and people on the
/// roll over all shifts.
pub(super) fn to_get(city: &City, units: &Units) -> (u64, u64) {
    let changed = with_units(city, units.lab, units.stage, i64::from(units.more));
    let (was, is) = (city.labs.get(units.lab), changed.labs.get(units.lab));
    let (Some(was), Some(is)) = (was, is) else { return (0, 0) };
    let (was, is) = (was.stage(units.stage), is.stage(units.stage));
    let then = u64::from(units.now).saturating_add(u64::from(units.more));
    (then.saturating_sub(was.units), is.staff.saturating_sub(was.staff))
}

/// Every item of which a layer asks for more than there is, labs after districts.
pub(super) fn compared(report: &Report) -> Vec<Compared> {
    let Ok(layers) = &report.layers else { return Vec::new() };
    let city = &report.city;
    let more = layers.remedy.as_ref().and_then(|remedy| taken(layers, remedy));
    let listed = |place: &str, item: Item, have: u64| {
        let here = report.plan.shortages.iter().find(|s| s.place == place && s.item == item);
        here.map_or(have, |line| line.need)
    };
    let mut desks: BTreeMap<&str, u64> = BTreeMap::new();
    for desk in more.iter().flat_map(|more| &more.desks) {
        if let Some(district) = sending::district(city, &layers.round, desk.street) {
            *desks.entry(&district.code).or_default() += u64::from(desk.more);
        }
    }
    let of_district = city.districts.iter().map(|district| {
        let (place, have) = (district.code.as_str(), district.have.desks);
        Compared {
            place: place.to_owned(),
            place_name: district.name.clone(),
            item: Item::Desk,
            have,
            listed: listed(place, Item::Desk, have),
            flows: Flows::Not,
            measures: desks.get(place).map(|more| have.saturating_add(*more)),
        }
    });
    let of_labs = city.labs.iter().enumerate().flat_map(|(number, lab)| {
        StageKind::ALL.into_iter().flat_map(move |stage| {
            let units = more.and_then(|more| {
                more.units.iter().find(|units| units.lab == number && units.stage == stage)
            });
            let flow = layers.flow.labs.get(number).filter(|flow| flow.tubes > 0);
            let flows = match flow.map(|flow| flow.units_needed[stage.index()]) {
                None => Flows::Not,
                Some(None) => Flows::Never,
                Some(Some(n)) => Flows::Units(n.into()),
            };
            let there = lab.stage(stage);
            let take = units.map(|units| to_get(city, units));
            let one = |item: Item, have: u64, flows: Flows, measures: Option<u64>| Compared {
                place: lab.code.clone(),
                place_name: lab.name.clone(),
                item,
                have,
                listed: listed(&lab.code, item, have),
                flows,
                measures,
            };
            let then = |have: u64, more: u64| (more > 0).then(|| have.saturating_add(more));
            [
                one(
                    Item::LabUnit(stage),
                    there.units,
                    flows,
                    take.and_then(|(units, _)| then(there.units, units)),
                ),
                one(
                    Item::LabStaff(stage),
                    there.staff,
                    Flows::Not,
                    take.and_then(|(_, people)| then(there.staff, people)),
                ),
            ]
        })
    });
    of_district.chain(of_labs).filter(Compared::asks).collect()
}

/// Which number to file, and what the others answer; none where nothing is asked for.
pub(super) fn which_to_file(report: &Report) -> Option<Words> {
    let remedy = report.layers.as_ref().is_ok_and(|layers| layers.remedy.is_some());
    let (mut zh, mut en) = match (report.plan.shortages.is_empty(), remedy) {
        (true, false) => return None,
        (true, true) => (
            "按指南算术没有缺口，清单无可上报。".to_owned(),
            "By the guide's arithmetic nothing is short, so there is nothing to file.".to_owned(),
        ),
        (false, _) => (
            "上报以“缺口清单”的数为准：每处每项按每一依据只有一个数，按规范（指南算术）测算。".to_owned(),
            "File the numbers of the list of shortages: one for each item, place and basis, as the norm (the guide's \
             arithmetic) has it."
                .to_owned(),
        ),
    };
    if report.layers.is_ok() {
        zh += "流体层的数（样本陆续送达时，各环节按平均速率不拖过时限所需）仅供对照，不上报。";
        en += " Those of the flows (what keeps each stage within the target at mean pace, tubes coming as they do) are for \
               comparison and are not filed.";
    }
    if remedy {
        let (sheet_zh, sheet_en) = MEASURES;
        zh += &format!(
            "“{sheet_zh}”的数（模拟中仍能按时的最少数）也不上报、不与清单相加；多于清单的部分，在报送说明中另行申请。"
        );
        en += &format!(
            " Nor are those of \"{sheet_en}\" (the least found that keeps the target in the simulation), and they are not added \
             to the list: what they take beyond it is asked for in the covering note."
        );
    }
    zh += "按班次计的人员和车辆（班组与车辆）是另一种算法，不与清单相加。";
    en += " People and vehicles by shift are counted otherwise and are not added to it.";
    Some(Words::new(zh, en))
}

/// The heads of the columns after place and item: what is there, and each layer with what it answers.
pub(super) const HEADS: [(&str, &str); 5] = [
    ("现有", "have"),
    ("清单（上报此数）", "list: file this"),
    ("流体层（对照）", "flows: comparison"),
    ("措施后（对照）", "with the measures: comparison"),
    ("措施多于清单", "measures beyond the list"),
];

/// The table; nothing where no layer asks for more.
pub(super) fn text(report: &Report, lang: Option<Lang>) -> String {
    let all = compared(report);
    if all.is_empty() {
        return String::new();
    }
    let mut head = vec![pick(lang, "处", "place"), pick(lang, "项目", "item")];
    head.extend(HEADS.map(|(zh, en)| pick(lang, zh, en)));
    let mut rows = vec![head];
    for one in &all {
        let dash = || "–".to_owned();
        let flows = match one.flows {
            Flows::Not => dash(),
            Flows::Never => "×".to_owned(),
            Flows::Units(n) => grouped(n),
        };
        let beyond = Some(one.beyond()).filter(|n| *n > 0);
        rows.push(vec![
            format!("{} {}", one.place, place_name(lang, &one.place_name)),
            say(lang, &one.item.name()),
            grouped(one.have),
            grouped(one.listed),
            flows,
            one.measures.map_or_else(dash, grouped),
            beyond.map_or_else(dash, grouped),
        ]);
    }
    let title = pick(
        lang,
        "同一项目各层的数对照（只上报清单一列；× 表示增加台数无效，– 表示该层不计或不增加）",
        "the layers' numbers of one item side by side (file the column of the list alone; ×: no number helps, –: the layer does \
         not reckon it, or adds none)",
    );
    format!("\n  {title}\n{}", table(&rows))
}

/// The same for programs.
pub(super) fn document(report: &Report) -> Value {
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
            "have": one.have,
            "listed": one.listed,
            "flows": flows,
            "flows_any_number_helps": helps,
            "measures": one.measures,
            "measures_beyond_list": one.beyond(),
        })
    };
    json!({
        "file": "shortages",
        "sentence": which_to_file(report).as_ref().map(words),
        "compared": compared(report).iter().map(one).collect::<Vec<_>>(),
    })
}
