//! The lines of need and have from which the shortages are taken, with how to mend each.

use super::labs::{roll, units_for};
use super::plan::{DistrictPlan, LabPlan};
use super::shortage::{Basis, Item, Shortage};
use crate::planner::city::{
    Article, City, District, Ledger, Norm, Owner, StageKind, Words, grouped, mul_div_ceil,
};
use crate::planner::reach::{CutOff, NoReach};

/// Every line, also those where nothing is short: districts in order, then labs in order.
pub(super) fn lines(
    city: &City,
    districts: &[DistrictPlan],
    labs: &[LabPlan],
    cut_off: &[CutOff],
    target_s: u64,
) -> Vec<Shortage> {
    let mut lines = Vec::new();
    for (district, plan) in city.districts.iter().zip(districts) {
        people_and_places(city, district, plan, target_s, &mut lines);
        goods(city, district, plan, &mut lines);
        if !city.labs.iter().any(|lab| lab.serves.contains(&district.code)) {
            lines.push(no_lab(&plan.code, &plan.name));
        }
        let too_far = |one: &&CutOff| matches!(one.why, NoReach::TooFar { .. }) && one.lab_helps();
        for one in cut_off.iter().filter(|one| one.district == district.code).filter(too_far) {
            let (reason, mend) = (one.reason(), one.mend());
            let mut line = no_lab(&one.street, &one.name);
            line.mend = Words::new(
                format!("{}；{}", reason.zh, mend.zh),
                format!("{}: {}", reason.en, mend.en),
            );
            lines.push(line);
        }
    }
    for (at, plan) in labs.iter().enumerate() {
        lab_stages(city, at, plan, target_s, &mut lines);
    }
    lines
}

/// A lab where none is within reach.
fn no_lab(place: &str, name: &Words) -> Shortage {
    let mut line = line(place, name, Item::Lab, Basis::Target, 1, 0);
    line.support = 1;
    line.blocks = true;
    line
}

fn line(place: &str, name: &Words, item: Item, basis: Basis, need: u64, have: u64) -> Shortage {
    Shortage {
        place: place.to_owned(),
        place_name: name.clone(),
        item,
        basis,
        need,
        have,
        short: need.saturating_sub(have),
        unit: item.unit(),
        mend: item.mend(),
        support: 0,
        owners: Vec::new(),
        deadline: None,
        blocks: false,
    }
}

/// Desks and samplers that a district needs, by the norm and for the target.
pub(super) struct Needed {
    by_norm: [u64; 2],
    desks_for_target: u64,
    samplers_for_target: u64,
}

impl Needed {
    /// Desks, by whichever asks for more.
    pub(super) fn desks(&self) -> u64 {
        self.by_norm[0].max(self.desks_for_target)
    }

    /// Samplers, by whichever asks for more.
    pub(super) fn samplers(&self) -> u64 {
        self.by_norm[1].max(self.samplers_for_target)
    }

    /// Key of the constant by which the desks are counted.
    pub(super) fn desks_rest_on(&self) -> &'static str {
        let by_norm = self.by_norm[0] >= self.desks_for_target;
        if by_norm { "persons_per_desk_max" } else { "persons_per_desk_hour" }
    }

    /// Key of the constant by which the samplers are counted.
    pub(super) fn samplers_rest_on(&self) -> &'static str {
        let by_norm = self.by_norm[1] >= self.samplers_for_target;
        if by_norm { "persons_per_sampler" } else { "persons_per_sampler_day" }
    }

    /// Registrars at these desks.
    pub(super) fn registrars(&self, norm: &Norm) -> u64 {
        self.desks().saturating_mul(norm.registrars_per_desk.value)
    }
}

/// What the target needs may exceed the norm (a target below a day), or the target may be out of reach for any number of
/// desks (no sampling time left): then only the norm's count is asked for.
pub(super) fn needed(city: &City, plan: &DistrictPlan, target_s: u64) -> Needed {
    let norm = &city.norm;
    let by = |units: u64, for_one: u64| match units {
        0 => 0,
        units => mul_div_ceil(plan.population, for_one, units),
    };
    Needed {
        by_norm: [plan.desks.low, plan.samplers],
        desks_for_target: by(plan.sampling_s.saturating_mul(norm.desk_rate_tenths.value), 36_000),
        samplers_for_target: by(
            target_s.saturating_mul(norm.persons_per_sampler_day.value),
            86_400,
        ),
    }
}

fn people_and_places(
    city: &City,
    district: &District,
    plan: &DistrictPlan,
    target_s: u64,
    lines: &mut Vec<Shortage>,
) {
    let have = &district.have;
    let need = needed(city, plan, target_s);
    for (item, by_norm, for_target, at_hand) in [
        (Item::Site, plan.sites.low, 0, have.sites),
        (Item::Desk, plan.desks.low, need.desks_for_target, have.desks),
        (Item::Sampler, plan.samplers, need.samplers_for_target, have.samplers),
        (Item::Registrar, need.registrars(&city.norm), 0, have.registrars),
    ] {
        let basis = if for_target > by_norm { Basis::Target } else { Basis::Norm };
        let need = by_norm.max(for_target);
        let mut line = line(&plan.code, &plan.name, item, basis, need, at_hand);
        line.blocks = at_hand < for_target;
        // Places and registrars are found in the district itself; samplers are asked for.
        line.support = if item == Item::Sampler { line.short } else { 0 };
        lines.push(line);
    }
}

fn goods(city: &City, district: &District, plan: &DistrictPlan, lines: &mut Vec<Shortage>) {
    let stock = &district.stock;
    for (item, article) in [
        (Item::Tube, Article::Tube),
        (Item::ExtractionReagent, Article::Extraction),
        (Item::PcrReagent, Article::Pcr),
    ] {
        let ledger = stock.ledger(article);
        let mut owners: Vec<Owner> = stock.holders(article).map(|holding| holding.owner).collect();
        owners.sort_unstable();
        owners.dedup();
        let need = plan.reserve_physical;
        let mut shelf =
            line(&plan.code, &plan.name, item, Basis::PhysicalRounds, need, ledger.physical);
        // Only what the first round lacks is asked of the level above; the rest is bought.
        shelf.support = plan.tubes.saturating_sub(ledger.physical);
        shelf.blocks = shelf.support > 0;
        if shelf.blocks {
            let first = grouped(shelf.support);
            shelf.mend.zh += &format!("；其中首轮所缺 {first} 请求支援");
            shelf.mend.en += &format!("; the {first} that the first round lacks are asked for");
        }
        shelf.deadline = city.deadline.clone();
        shelf.owners.clone_from(&owners);
        let mut all = all_rounds(city, plan, item, ledger, shelf.short);
        all.owners = owners;
        lines.push(shelf);
        lines.push(all);
    }
}

/// The line for all rounds. Its gap contains the gap of the shelf: the words say how much is left after that is mended.
fn all_rounds(
    city: &City,
    plan: &DistrictPlan,
    item: Item,
    ledger: &Ledger,
    shelf_short: u64,
) -> Shortage {
    let mut all =
        line(&plan.code, &plan.name, item, Basis::AllRounds, plan.reserve, ledger.counted());
    all.deadline = city.deadline.clone();
    let left = all.short.saturating_sub(shelf_short);
    let deposit = if ledger.deposit_paid { 0 } else { ledger.agreement.min(left) };
    let buy = left - deposit;
    let mut zh = Vec::new();
    let mut en = Vec::new();
    if shelf_short > 0 {
        let shelf = grouped(shelf_short.min(all.short));
        zh.push(format!("其中 {shelf} 为实物缺口，见上行"));
        en.push(format!("{shelf} of it is the gap on the shelf, see above"));
    }
    if deposit > 0 {
        let deposit = grouped(deposit);
        zh.push(format!("缴纳定金确认协议储备 {deposit}"));
        en.push(format!("pay the deposit: {deposit} by agreement then count"));
    }
    if buy > 0 {
        let buy = grouped(buy);
        zh.push(format!("另行采购或签约 {buy}"));
        en.push(format!("buy or contract {buy} more"));
    }
    all.mend = Words::new(zh.join("；"), en.join("; "));
    all
}

fn lab_stages(city: &City, at: usize, plan: &LabPlan, target_s: u64, lines: &mut Vec<Shortage>) {
    let asked = plan.asked();
    let lab = &city.labs[at];
    for kind in StageKind::ALL {
        let stage = lab.stage(kind);
        // No whole run fits the target: no number of units helps, and the verdict names the way itself.
        let units = match asked {
            0 => 0,
            asked => units_for(city, lab, stage, asked, target_s),
        };
        let staff = roll(lab, stage, &city.norm, units);
        for (item, need, have) in
            [(Item::LabUnit(kind), units, stage.units), (Item::LabStaff(kind), staff, stage.staff)]
        {
            if matches!(item, Item::LabStaff(_)) && stage.crew == 0 {
                continue;
            }
            let mut line = line(&plan.code, &plan.name, item, Basis::Target, need, have);
            line.support = line.short;
            line.blocks = line.short > 0;
            line.deadline = match item {
                Item::LabUnit(_) => city.deadline.clone(),
                _ => None,
            };
            lines.push(line);
        }
    }
}
