//! The problem: a city, its districts and what they have, its labs stage by stage, its stock.

mod norm;
mod sourced;
mod words;

pub use norm::{Clock, Norm, StageKind, StageNorm};
pub(in crate::planner) use norm::{mul_div, mul_div_ceil};
pub use sourced::{Origin, Sourced, Status};
pub use words::Words;

use super::rules::Claim;

/// A whole city: what `solve` reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct City {
    /// Administrative code.
    pub code: String,
    /// Name.
    pub name: Words,
    /// Resident persons; equals the sum of the districts.
    pub population: Sourced<u64>,
    /// Hours in which the whole city is to be done.
    pub target_h: u32,
    /// Date by which goods must be there, as the notice words it.
    pub deadline: Option<String>,
    /// The constants in force.
    pub norm: Norm,
    /// Districts, in file order.
    pub districts: Vec<District>,
    /// Labs, in file order.
    pub labs: Vec<Lab>,
    /// Declared capacities that the report explains.
    pub claims: Vec<Claim>,
}

/// A district (区, 旗, 县).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct District {
    /// Administrative code, unique in the city.
    pub code: String,
    /// Name.
    pub name: Words,
    /// Resident persons.
    pub population: Sourced<u64>,
    /// Persons per tube here; `None` takes the norm's.
    pub pool: Option<u64>,
    /// People and places at hand.
    pub have: Have,
    /// Goods at hand. A central store is entered under the districts by its allotment.
    pub stock: Stock,
}

/// People and places that a district has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Have {
    /// Collection sites.
    pub sites: u64,
    /// Collection desks, over all sites.
    pub desks: u64,
    /// Samplers (采样人员).
    pub samplers: u64,
    /// Registrars (信息登记人员).
    pub registrars: u64,
    /// Where the four numbers come from.
    pub origin: Origin,
}

/// Stock of one article: what lies on the shelf and what a supplier has agreed to deliver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// On the shelf, in tubes or reactions.
    pub physical: u64,
    /// By agreement, same unit.
    pub agreement: u64,
    /// Whether the deposit is paid; without it the agreement does not count.
    pub deposit_paid: bool,
}

impl Ledger {
    /// What counts towards the reserve.
    pub fn counted(&self) -> u64 {
        self.physical.saturating_add(if self.deposit_paid { self.agreement } else { 0 })
    }
}

/// Goods that a district has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stock {
    /// Collection tubes.
    pub tubes: Ledger,
    /// Extraction reagent, in reactions.
    pub extraction: Ledger,
    /// PCR reagent, in reactions.
    pub pcr: Ledger,
    /// Where the numbers come from.
    pub origin: Origin,
}

/// A testing lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lab {
    /// Code, unique in the city.
    pub code: String,
    /// Name.
    pub name: Words,
    /// Codes of the districts whose tubes it takes.
    pub serves: Vec<String>,
    /// Its stages, in the order of `StageKind::ALL`.
    pub stages: [LabStage; StageKind::COUNT],
    /// Where its numbers come from.
    pub origin: Origin,
}

/// One stage of one lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabStage {
    /// Which stage.
    pub kind: StageKind,
    /// Instruments, cabinets or benches.
    pub units: u64,
    /// Persons on the roll of this stage, over all shifts.
    pub staff: u64,
    /// Persons that one unit needs in each shift; 0 when it runs by itself.
    pub crew: u64,
    /// Seconds of one run.
    pub run_s: u64,
    /// Seconds to load and unload around one run.
    pub load_s: u64,
    /// Positions of one run that hold specimens.
    pub usable: u64,
    /// Which working day it keeps.
    pub clock: Clock,
}

impl LabStage {
    /// A stage with the norm's times and no units.
    pub fn of_norm(kind: StageKind, norm: &Norm) -> LabStage {
        let stage = norm.stage(kind);
        LabStage {
            kind,
            units: 0,
            staff: 0,
            crew: stage.crew.value,
            run_s: stage.run_s.value,
            load_s: stage.load_s.value,
            usable: norm.wells_usable.value,
            clock: stage.clock,
        }
    }

    /// Seconds from the start of one run to the start of the next on the same unit; never 0.
    pub fn cycle_s(&self) -> u64 {
        self.run_s.saturating_add(self.load_s).max(1)
    }
}

impl Lab {
    /// One stage.
    pub fn stage(&self, kind: StageKind) -> &LabStage {
        &self.stages[kind.index()]
    }

    /// Number of PCR cyclers.
    pub fn cyclers(&self) -> u64 {
        self.stage(StageKind::Pcr).units
    }

    /// Number of extractors.
    pub fn extractors(&self) -> u64 {
        self.stage(StageKind::Extract).units
    }

    /// Seconds that one plate needs through all stages, without waiting.
    pub fn pipeline_s(&self) -> u64 {
        self.stages.iter().fold(0, |sum, stage| stage.cycle_s().saturating_add(sum))
    }
}

impl City {
    /// Persons per tube in a district; never 0.
    pub fn pool_of(&self, district: &District) -> u64 {
        district.pool.unwrap_or(self.norm.pool.value).max(1)
    }

    /// A city of `people` persons with the same shape: districts, staff, stock and lab units in proportion.
    ///
    /// Districts get their share by largest remainder, so that they add up exactly; what they have is rounded up. A
    /// district without people is left out, and so is a lab that serves none of the others. 0 counts as 1 person.
    pub fn scaled(&self, people: u64) -> City {
        let people = people.max(1);
        let base = self.districts.iter().fold(0u64, |n, d| n.saturating_add(d.population.value));
        let shares = largest_remainder(
            &self.districts.iter().map(|d| d.population.value).collect::<Vec<_>>(),
            people,
        );
        let part = |n: u64| mul_div_ceil(n, people, base);
        let ledger = |l: &Ledger| Ledger {
            physical: part(l.physical),
            agreement: part(l.agreement),
            deposit_paid: l.deposit_paid,
        };
        let scaled_source = |n: u64| {
            Sourced::new(n, format!("{} scaled to {people}", self.name.en), Status::Calculated)
        };
        let mut districts = Vec::new();
        for (district, &share) in self.districts.iter().zip(&shares) {
            if share == 0 {
                continue;
            }
            let mut small = district.clone();
            small.population = scaled_source(share);
            small.have.sites = part(district.have.sites);
            small.have.desks = part(district.have.desks);
            small.have.samplers = part(district.have.samplers);
            small.have.registrars = part(district.have.registrars);
            small.stock.tubes = ledger(&district.stock.tubes);
            small.stock.extraction = ledger(&district.stock.extraction);
            small.stock.pcr = ledger(&district.stock.pcr);
            districts.push(small);
        }
        let mut labs = Vec::new();
        for lab in &self.labs {
            let mut small = lab.clone();
            small.serves.retain(|code| districts.iter().any(|d| d.code == *code));
            if small.serves.is_empty() {
                continue;
            }
            for stage in &mut small.stages {
                // Rounded to whole crews: fewer persons than one crew would stop a unit that the real city runs.
                let crew = stage.crew.saturating_mul(self.norm.shifts.value).max(1);
                stage.units = part(stage.units);
                stage.staff = part(stage.staff.div_ceil(crew)).saturating_mul(crew);
            }
            labs.push(small);
        }
        City { population: scaled_source(people), districts, labs, ..self.clone() }
    }
}

/// `total` dealt out in proportion to `weights`: parts add up to `total` exactly; ties go to the earlier one.
fn largest_remainder(weights: &[u64], total: u64) -> Vec<u64> {
    let sum = weights.iter().fold(0u64, |n, &w| n.saturating_add(w));
    if sum == 0 {
        return weights.iter().map(|_| 0).collect();
    }
    let mut parts: Vec<u64> = weights.iter().map(|&w| mul_div(w, total, sum)).collect();
    let given: u64 = parts.iter().sum();
    let rest = |w: u64| u128::from(w) * u128::from(total) % u128::from(sum);
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|&i| (std::cmp::Reverse(rest(weights[i])), i));
    for &i in order.iter().take(usize::try_from(total.saturating_sub(given)).unwrap_or(0)) {
        parts[i] += 1;
    }
    parts
}
