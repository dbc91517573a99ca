//! The answer: the plan with its verdict, per district, per lab and in total.

use super::crews::CrewLine;
use super::labs::LabCapacity;
use super::shortage::{ItemTotal, Shortage};
use crate::planner::city::{StageKind, Words};
use crate::planner::reach::CutOff;

/// Low and high count of a range in the norm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// With the most persons each.
    pub low: u64,
    /// With the fewest persons each.
    pub high: u64,
}

/// A stage of the whole chain, from the swab to the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChainStage {
    /// The way itself: box, transport and one run of every lab stage. No means shorten it.
    Way,
    /// Collection desks.
    Desk,
    /// Samplers.
    Sampler,
    /// Collection tubes on the shelf.
    TubeStock,
    /// Extraction reagent on the shelf.
    ExtractionStock,
    /// PCR reagent on the shelf.
    PcrStock,
    /// A stage of the labs.
    Lab(StageKind),
}

/// How long the campaign would take if only this stage had limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageTime {
    /// Which stage.
    pub stage: ChainStage,
    /// Minutes; `None` when it would never end as things stand.
    pub minutes: Option<u64>,
    /// The district or lab that keeps it from ending sooner: code and name.
    pub tightest: Option<(String, Words)>,
}

/// The answer for one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Hours asked for.
    pub target_h: u32,
    /// Whether every person can be sampled and every tube resulted in that time with what is at hand.
    pub yes: bool,
    /// Minutes that the whole city needs with what is at hand; `None` when it would never end.
    pub minutes: Option<u64>,
    /// The stage that takes longest.
    pub binding: StageTime,
    /// Every stage, in the order of the chain.
    pub stages: Vec<StageTime>,
    /// Whether the list of shortages is empty, so that norms and reserve are met as well, and every street has a lab.
    pub norms_met: bool,
}

/// What one district needs and can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistrictPlan {
    /// Administrative code.
    pub code: String,
    /// Name.
    pub name: Words,
    /// Persons.
    pub population: u64,
    /// Persons per tube: the fewest of its streets.
    pub pool: u64,
    /// Persons per tube: the most of its streets.
    pub pool_most: u64,
    /// Tubes of one round: the sum of its streets, each at its own pool size.
    pub tubes: u64,
    /// Sites by the norm, the sum of its streets, as are desks and samplers.
    pub sites: Range,
    /// Desks by the norm.
    pub desks: Range,
    /// Samplers by the norm.
    pub samplers: u64,
    /// Registrars by the norm, for the low count of desks.
    pub registrars: u64,
    /// Tubes, extraction reactions and PCR reactions, each, for all rounds.
    pub reserve: u64,
    /// Of these, on the shelf.
    pub reserve_physical: u64,
    /// Seconds in which people can be sampled and still be resulted in time.
    pub sampling_s: u64,
    /// Persons whom the desks can take in that time.
    pub persons_by_desks: u64,
    /// Persons whom the samplers can take within the target.
    pub persons_by_samplers: u64,
    /// Tubes by lab code.
    pub labs: Vec<(String, u64)>,
    /// Tubes that no lab can take within the target.
    pub tubes_unmet: u64,
}

/// What one lab can do and is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabPlan {
    /// Code.
    pub code: String,
    /// Name.
    pub name: Words,
    /// Whether it is another city's: it is asked only for what the city's own labs cannot take.
    pub outside: bool,
    /// What it can do within the target.
    pub capacity: LabCapacity,
    /// Tubes it takes.
    pub load: u64,
    /// Tubes beyond its capacity that have no better place.
    pub beyond: u64,
}

/// City-level ceilings: the whole population divided once. Slightly below the sum over the districts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CityCeilings {
    /// Sites.
    pub sites: Range,
    /// Desks.
    pub desks: Range,
    /// Samplers.
    pub samplers: u64,
    /// Tubes: the persons of each pool size, wherever they live, divided once.
    pub tubes: u64,
    /// Persons per tube: the fewest and the most of any street with people.
    pub pool: Range,
}

/// Sums over the districts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Persons.
    pub population: u64,
    /// Tubes of one round.
    pub tubes: u64,
    /// Sites by the norm.
    pub sites: Range,
    /// Desks by the norm.
    pub desks: Range,
    /// Samplers by the norm.
    pub samplers: u64,
    /// Registrars by the norm.
    pub registrars: u64,
    /// Tubes or reactions for all rounds.
    pub reserve: u64,
    /// Of these, on the shelf.
    pub reserve_physical: u64,
    /// Persons whom the desks can take.
    pub persons_by_desks: u64,
    /// Persons whom the samplers can take.
    pub persons_by_samplers: u64,
    /// Tubes that the city's own labs can take, all together.
    pub lab_tubes: u64,
    /// Tubes that labs of other cities can take, all together.
    pub outside_tubes: u64,
    /// Tubes that go to labs of other cities.
    pub tubes_sent_outside: u64,
    /// Tubes that no lab can take within the target.
    pub tubes_unmet: u64,
    /// The same norms on the city as one.
    pub ceilings: CityCeilings,
}

/// The plan for one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Hours asked for.
    pub target_h: u32,
    /// The answer.
    pub verdict: Verdict,
    /// Per district, in the city's order.
    pub districts: Vec<DistrictPlan>,
    /// Sums over the districts.
    pub total: Totals,
    /// Per lab, in the city's order.
    pub labs: Vec<LabPlan>,
    /// Streets that can send to no lab that works: with one of them the answer is no, whatever is filled.
    pub cut_off: Vec<CutOff>,
    /// What is missing, district by district, then lab by lab.
    pub shortages: Vec<Shortage>,
    /// Need, have, short and support per item over all places.
    pub item_totals: Vec<ItemTotal>,
    /// Shifts, teams, vehicles and trips of each district, those with enough too. They do not count for the verdict, and
    /// the list of shortages is without them: they rest on assumptions.
    pub crews: Vec<CrewLine>,
}

impl LabPlan {
    /// Tubes with which its lines of the list of shortages reckon: those that it takes, and those that no lab has room for.
    pub fn asked(&self) -> u64 {
        self.load.saturating_add(self.beyond)
    }
}

impl ChainStage {
    /// Every stage, in the order of the chain.
    pub fn all() -> impl DoubleEndedIterator<Item = ChainStage> {
        [
            ChainStage::Way,
            ChainStage::Desk,
            ChainStage::Sampler,
            ChainStage::TubeStock,
            ChainStage::ExtractionStock,
            ChainStage::PcrStock,
        ]
        .into_iter()
        .chain(StageKind::ALL.into_iter().map(ChainStage::Lab))
    }

    /// Name.
    pub fn name(self) -> Words {
        match self {
            ChainStage::Way => Words::new("最短流程（封箱、转运、各环节各一次）", "the way itself"),
            ChainStage::Desk => Words::new("采样台", "collection desks"),
            ChainStage::Sampler => Words::new("采样人员", "samplers"),
            ChainStage::TubeStock => {
                Words::new("采样管库存（一轮）", "tubes on the shelf (one round)")
            }
            ChainStage::ExtractionStock => {
                Words::new("提取试剂库存（一轮）", "extraction reagent on the shelf (one round)")
            }
            ChainStage::PcrStock => {
                Words::new("扩增试剂库存（一轮）", "PCR reagent on the shelf (one round)")
            }
            ChainStage::Lab(kind) => {
                let name = kind.name();
                Words::new(format!("实验室：{}", name.zh), format!("lab: {}", name.en))
            }
        }
    }

    /// Key in documents.
    pub fn key(self) -> &'static str {
        match self {
            ChainStage::Way => "way",
            ChainStage::Desk => "desk",
            ChainStage::Sampler => "sampler",
            ChainStage::TubeStock => "tube_stock",
            ChainStage::ExtractionStock => "extraction_stock",
            ChainStage::PcrStock => "pcr_stock",
            ChainStage::Lab(kind) => kind.key(),
        }
    }
}
