//! One number to file for each item at each place: that of the list of shortages. What the flows and the measures come to
//! answers other questions; it stands beside the list, so that nobody adds the three up or files another one.
//!
//! Told of what another layer than the arithmetic has a number for: units and people of labs, desks, samplers and registrars, and
//! of stock what must lie on the shelf, of which the first round is the first of the measures. Sites and the stock of all rounds
//! are the norm's alone: the list has the only number that there is.

use std::collections::BTreeMap;

use super::city::{City, StageKind, Words};
use super::fluid::CityFlow;
use super::rules::{Basis, Item, Plan, Shortage};

/// What measures add at a place, beyond what is there, by code of the place and item.
pub type Measures = BTreeMap<(String, Item), u64>;

/// What the layers say of an item at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// Code of the lab or district.
    pub place: String,
    /// Its name.
    pub place_name: Words,
    /// What.
    pub item: Item,
    /// Why the list needs it: of its line; where it has none, what such a line would have.
    pub basis: Basis,
    /// What is there.
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
pub enum Flows {
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

    /// Whether another layer than the list says anything of it.
    pub fn beside_the_list(&self) -> bool {
        self.flows != Flows::Not || self.measures.is_some()
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

/// Every item of which a layer asks for more than there is, labs after districts. What the first round lacks on the shelf is
/// among the measures, whichever these are: without it no other helps.
pub fn compared(city: &City, plan: &Plan, flow: &CityFlow, measures: &Measures) -> Vec<Compared> {
    let lines: BTreeMap<(&str, Item, Basis), &Shortage> =
        plan.shortages.iter().map(|s| ((s.place.as_str(), s.item, s.basis), s)).collect();
    let one = |(place, name): (&str, &Words), item: Item, have: u64, flows: Flows| {
        let bases: &[Basis] = match item {
            Item::Tube | Item::ExtractionReagent | Item::PcrReagent => &[Basis::PhysicalRounds],
            Item::LabUnit(_) | Item::LabStaff(_) => &[Basis::Target],
            _ => &[Basis::Norm, Basis::Target],
        };
        let line = bases.iter().find_map(|&basis| lines.get(&(place, item, basis)).copied());
        let lacks = line.filter(|line| line.basis == Basis::PhysicalRounds && line.blocks);
        let more = lacks.map(|line| line.support);
        let more = more.or_else(|| measures.get(&(place.to_owned(), item)).copied());
        Compared {
            place: place.to_owned(),
            place_name: name.clone(),
            item,
            basis: line.map_or(bases[0], |line| line.basis),
            have,
            listed: line.map_or(have, |line| line.need),
            flows,
            measures: more.filter(|n| *n > 0).map(|more| have.saturating_add(more)),
        }
    };
    let of_districts = city.districts.iter().flat_map(|district| {
        let (have, stock) = (&district.have, &district.stock);
        let all = [
            (Item::Desk, have.desks),
            (Item::Sampler, have.samplers),
            (Item::Registrar, have.registrars),
            (Item::Tube, stock.tubes.physical),
            (Item::ExtractionReagent, stock.extraction.physical),
            (Item::PcrReagent, stock.pcr.physical),
        ];
        all.map(|(item, have)| one((&district.code, &district.name), item, have, Flows::Not))
    });
    let of_labs = city.labs.iter().enumerate().flat_map(|(number, lab)| {
        let flow = flow.labs.get(number).filter(|flow| flow.tubes > 0);
        StageKind::ALL.into_iter().flat_map(move |stage| {
            let flows = match flow.map(|flow| flow.units_needed[stage.index()]) {
                None => Flows::Not,
                Some(None) => Flows::Never,
                Some(Some(n)) => Flows::Units(n.into()),
            };
            let (place, there) = ((lab.code.as_str(), &lab.name), lab.stage(stage));
            [
                one(place, Item::LabUnit(stage), there.units, flows),
                one(place, Item::LabStaff(stage), there.staff, Flows::Not),
            ]
        })
    });
    of_districts.chain(of_labs).filter(Compared::asks).collect()
}

/// What the measures take beyond the list, of one item over all places where they do. In each of these places, and so in the
/// sum, what there is with the measures is what is listed and what is beyond.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BeyondTotal {
    /// What.
    pub item: Item,
    /// Places where the measures take more than is listed.
    pub places: u64,
    /// What they have.
    pub have: u64,
    /// What the list asks for there.
    pub listed: u64,
    /// What is there with the measures.
    pub measures: u64,
    /// The measures less the list.
    pub beyond: u64,
}

/// The sums by item, in the order of the items; for the covering note.
pub fn beyond_totals(all: &[Compared]) -> Vec<BeyondTotal> {
    let mut sums: BTreeMap<Item, BeyondTotal> = BTreeMap::new();
    for one in all.iter().filter(|one| one.beyond() > 0) {
        let none =
            BeyondTotal { item: one.item, places: 0, have: 0, listed: 0, measures: 0, beyond: 0 };
        let sum = sums.entry(one.item).or_insert(none);
        sum.places += 1;
        sum.have = sum.have.saturating_add(one.have);
        sum.listed = sum.listed.saturating_add(one.listed);
        sum.measures = sum.measures.saturating_add(one.measures.unwrap_or(0));
        sum.beyond = sum.beyond.saturating_add(one.beyond());
    }
    sums.into_values().collect()
}

/// Tubes of a round that a lab gets: the list reckons with one number, the layers beside it with another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dealt {
    /// Code of the lab.
    pub lab: String,
    /// Its name.
    pub name: Words,
    /// By the list: what it can take in time and what nobody else can, too.
    pub listed: u64,
    /// By the assignment of streets, with which flows, simulation and measures reckon.
    pub sent: u64,
}

/// The labs of which the list and the assignment say different things, in the city's order.
pub fn dealt(plan: &Plan, flow: &CityFlow) -> Vec<Dealt> {
    let each = plan.labs.iter().zip(&flow.labs).map(|(lab, flow)| Dealt {
        lab: lab.code.clone(),
        name: lab.name.clone(),
        listed: lab.asked(),
        sent: flow.tubes,
    });
    each.filter(|dealt| dealt.listed != dealt.sent).collect()
}

/// Which number to file, and what the others answer; `layers`: flows could be reckoned; `measures`: where measures stand, if any
/// were searched and are needed. None where nothing is asked for.
pub fn which_to_file(plan: &Plan, layers: bool, measures: Option<(&str, &str)>) -> Option<Words> {
    let (mut zh, mut en) = match (plan.shortages.is_empty(), measures) {
        (true, None) => return None,
        (true, Some(_)) => (
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
    if layers {
        zh += "流体层的数（样本陆续送达时，各环节按平均速率不拖过时限所需）仅供对照，不上报。";
        en += " Those of the flows (what keeps each stage within the target at mean pace, tubes coming as they do) are for \
               comparison and are not filed.";
    }
    if let Some((sheet_zh, sheet_en)) = measures {
        zh += &format!(
            "“{sheet_zh}”的数（模拟中仍能按时的最少数）也不上报、不与清单相加；多于清单的部分（按项合计列在各层对照之后），在报送说明中另行申请。"
        );
        en += &format!(
            " Nor are those of \"{sheet_en}\" (the least found that keeps the target in the simulation), and they are not added \
             to the list: what they take beyond it, summed up by item behind the layers' numbers, is asked for in the covering note."
        );
    }
    zh += "按班次计的人员和车辆（班组与车辆）是另一种算法，不与清单相加。";
    en += " People and vehicles by shift are counted otherwise and are not added to it.";
    Some(Words::new(zh, en))
}
