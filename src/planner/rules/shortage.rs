//! The list of shortages (缺口清单): need, have, short, how to mend, support asked. A document that is filed upward.

use crate::planner::city::{Owner, StageKind, Words};

/// What may be short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    /// Collection site.
    Site,
    /// Collection desk.
    Desk,
    /// Sampler.
    Sampler,
    /// Registrar.
    Registrar,
    /// Collection tube.
    Tube,
    /// Extraction reagent.
    ExtractionReagent,
    /// PCR reagent.
    PcrReagent,
    /// A lab for a district or street that reaches none.
    Lab,
    /// Instrument, cabinet or bench of a lab stage.
    LabUnit(StageKind),
    /// Persons of a lab stage, over all shifts.
    LabStaff(StageKind),
}

/// Why a number is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Basis {
    /// The norm asks for it.
    Norm,
    /// The target asks for it, beyond the norm.
    Target,
    /// Stock that must lie on the shelf (6 of 10 rounds).
    PhysicalRounds,
    /// Stock of all rounds, agreements with a paid deposit included.
    AllRounds,
}

/// One line of the list. `short` is always `need - have`, and never 0 in a plan's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// Code of the district or lab; of the street where a lab is short.
    pub place: String,
    /// Its name.
    pub place_name: Words,
    /// What is short.
    pub item: Item,
    /// Why it is needed.
    pub basis: Basis,
    /// Needed, in `unit`.
    pub need: u64,
    /// At hand, in `unit`; an agreement without deposit is not at hand.
    pub have: u64,
    /// Missing, in `unit`.
    pub short: u64,
    /// What is counted.
    pub unit: Words,
    /// How to mend it.
    pub mend: Words,
    /// How many of the missing ones are asked of the level above, in `unit`. Of what may be found in the place, but nobody can
    /// reckon how much of it (samplers, units and people of labs), all: `mend` says that the place lowers it.
    pub support: u64,
    /// Who holds such stock here, in order; empty where the stock does not say, and for what is no stock. In words:
    /// [`Shortage::owner`].
    pub owners: Vec<Owner>,
    /// Date by which, as the notice words it.
    pub deadline: Option<String>,
    /// Whether the target cannot be met until this is mended.
    pub blocks: bool,
}

impl Shortage {
    /// Who answers for it: the district or lab; of stock with who holds it there, or that the city file does not say.
    pub fn owner(&self) -> Words {
        let (place, stock) = (
            &self.place_name,
            matches!(self.item, Item::Tube | Item::ExtractionReagent | Item::PcrReagent),
        );
        let held = |part: fn(Words) -> String, with: &str| {
            self.owners.iter().map(|owner| part(owner.name())).collect::<Vec<_>>().join(with)
        };
        let (zh, en) = match (stock, self.owners.is_empty()) {
            (false, _) => return place.clone(),
            (true, true) => (
                "城市文件未注明持有单位".to_owned(),
                "the city file does not say who holds it".to_owned(),
            ),
            (true, false) => (held(|w| w.zh, "、"), held(|w| w.en, ", ")),
        };
        Words::new(format!("{}（{zh}）", place.zh), format!("{} ({en})", place.en))
    }
}

/// Said in place of the day by which a gap is to be filled, where the city file gives none: it gives one for goods alone.
pub fn no_deadline() -> Words {
    Words::new("城市文件未给出", "none given in the city file")
}

/// One item over all places. A surplus in one place does not fill a gap in another: `short` is the sum of the gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemTotal {
    /// What.
    pub item: Item,
    /// `PhysicalRounds` and `AllRounds` for stock, `Target` for labs, `Norm` for people and places.
    pub basis: Basis,
    /// Sum of needs.
    pub need: u64,
    /// Sum of what is at hand.
    pub have: u64,
    /// Sum of the gaps.
    pub short: u64,
    /// Sum of support asked.
    pub support: u64,
    /// What is counted.
    pub unit: Words,
}

impl Item {
    /// Name of the item.
    pub fn name(self) -> Words {
        let (zh, en) = match self {
            Item::Site => ("采样点", "collection site"),
            Item::Desk => ("采样台", "collection desk"),
            Item::Sampler => ("采样人员", "sampler"),
            Item::Registrar => ("信息登记人员", "registrar"),
            Item::Tube => ("采样管", "collection tube"),
            Item::ExtractionReagent => ("核酸提取试剂", "extraction reagent"),
            Item::PcrReagent => ("PCR 扩增试剂", "PCR reagent"),
            Item::Lab => ("承检实验室", "testing lab"),
            Item::LabUnit(kind) => return unit_name(kind),
            Item::LabStaff(kind) => {
                let stage = kind.name();
                let zh = format!("{}环节检测人员", stage.zh);
                return Words::new(zh, format!("lab staff, {}", stage.en));
            }
        };
        Words::new(zh, en)
    }

    /// What so many are called in English: one extractor, two extractors; benches.
    pub fn english(self, n: u64) -> String {
        let name = self.name().en;
        let ending = match (n, name.ends_with("ch")) {
            (1, _) => "",
            (_, true) => "es",
            _ => "s",
        };
        name + ending
    }

    /// What is counted.
    pub fn unit(self) -> Words {
        let (zh, en) = match self {
            Item::Site | Item::Lab => ("个", "places"),
            Item::Desk => ("个", "desks"),
            Item::Sampler | Item::Registrar | Item::LabStaff(_) => ("人", "persons"),
            Item::Tube => ("支", "tubes"),
            Item::ExtractionReagent | Item::PcrReagent => ("人份", "reactions"),
            Item::LabUnit(_) => ("台", "units"),
        };
        Words::new(zh, en)
    }

    /// How a gap of this item is usually mended.
    pub(super) fn mend(self) -> Words {
        let (zh, en) = match self {
            Item::Site => ("启用备用场地，增设采样点", "open sites on reserve premises"),
            Item::Desk => ("在采样点内增设采样台", "add desks inside the sites"),
            Item::Sampler => (
                "培训、抽调本地医务人员，落实多少支援数减多少；落实之前全部请求市级调派采样队",
                "train and second local health workers, and lower the support asked by as many; until then sampling teams are asked for \
                 all of it",
            ),
            Item::Registrar => (
                "从社区、机关和志愿者中抽调并培训",
                "second and train community staff and volunteers",
            ),
            Item::Tube => ("采购采样管", "buy collection tubes"),
            Item::ExtractionReagent => ("采购提取试剂", "buy extraction reagent"),
            Item::PcrReagent => ("采购扩增试剂", "buy PCR reagent"),
            Item::Lab => (
                "指定承检机构；指定之前请求调派移动方舱实验室",
                "name a lab; until then a mobile one is asked for",
            ),
            Item::LabUnit(_) => (
                "采购或租用，落实多少支援数减多少；到位之前全部申请移动方舱、气膜实验室支援",
                "buy or hire, and lower the support asked by as many; until then a mobile or air-dome lab is asked for all of it",
            ),
            Item::LabStaff(_) => (
                "持续培训检测人员，落实多少支援数减多少；落实之前全部申请检测队支援",
                "go on training lab staff, and lower the support asked by as many; until then testing teams are asked for all of it",
            ),
        };
        Words::new(zh, en)
    }
}

fn unit_name(kind: StageKind) -> Words {
    let (zh, en) = match kind {
        StageKind::Receive => ("样本接收台", "reception bench"),
        StageKind::Inactivate => ("灭活设备", "inactivation oven"),
        StageKind::Decap => ("生物安全柜", "biosafety cabinet"),
        StageKind::Extract => ("核酸提取仪", "extractor"),
        StageKind::Setup => ("体系配制台", "set-up bench"),
        StageKind::Pcr => ("PCR 扩增仪", "PCR cycler"),
        StageKind::Review => ("判读审核席", "review seat"),
    };
    Words::new(zh, en)
}

/// The sums over all places, in the order of the items.
pub(super) fn totals(lines: &[Shortage]) -> Vec<ItemTotal> {
    let mut sums: std::collections::BTreeMap<(Item, Basis), ItemTotal> = Default::default();
    for line in lines {
        let basis = match (line.basis, line.item) {
            // A district may need more than the norm while its neighbour does not: one sum for both.
            (Basis::Target, Item::Site | Item::Desk | Item::Sampler | Item::Registrar) => {
                Basis::Norm
            }
            (other, _) => other,
        };
        let sum = sums.entry((line.item, basis)).or_insert_with(|| ItemTotal {
            item: line.item,
            basis,
            need: 0,
            have: 0,
            short: 0,
            support: 0,
            unit: line.unit.clone(),
        });
        sum.need = sum.need.saturating_add(line.need);
        sum.have = sum.have.saturating_add(line.have);
        sum.short = sum.short.saturating_add(line.short);
        sum.support = sum.support.saturating_add(line.support);
    }
    sums.into_values().collect()
}
