//! The city with its shortages filled: what the drill rehearses, and the proof that the list is complete.

use super::plan::Plan;
use super::shortage::{Basis, Item};
use super::{Sent, solve_sent};
use crate::planner::city::{
    City, District, Lab, LabStage, Ledger, Origin, StageKind, Status, Words,
};

/// The city after every line of the plan's list has been mended; nothing is taken away.
///
/// `solve` on the result says yes for the plan's target and lists nothing, unless the target is shorter than the way of
/// a single tube, or the longest way that the city allows is shorter than any: no means can mend these.
pub fn fill(city: &City, plan: &Plan) -> City {
    fill_sent(city, plan, &[])
}

/// The same for a plan of which streets were told where to send.
pub fn fill_sent(city: &City, plan: &Plan, sent: &[Sent]) -> City {
    let mut filled = city.clone();
    apply(&mut filled, plan);
    // A lab that has just been founded has no units yet: they are the shortages of the next plan.
    if plan.shortages.iter().any(|line| line.item == Item::Lab) {
        let next = solve_sent(&filled, plan.target_h, sent);
        apply(&mut filled, &next);
    }
    filled
}

fn apply(city: &mut City, plan: &Plan) {
    for line in &plan.shortages {
        if let Item::LabUnit(kind) | Item::LabStaff(kind) = line.item {
            for lab in city.labs.iter_mut().filter(|lab| lab.code == line.place) {
                let stage = &mut lab.stages[kind.index()];
                match line.item {
                    Item::LabUnit(_) => stage.units = stage.units.saturating_add(line.short),
                    _ => stage.staff = stage.staff.saturating_add(line.short),
                }
                mark(&mut lab.origin);
            }
            continue;
        }
        if line.item == Item::Lab {
            let lab = mobile_lab(city, &line.place, &line.place_name);
            city.labs.push(lab);
            continue;
        }
        for district in city.districts.iter_mut().filter(|d| d.code == line.place) {
            let have = &mut district.have;
            let stock = &mut district.stock;
            match line.item {
                Item::Site => have.sites = have.sites.saturating_add(line.short),
                Item::Desk => have.desks = have.desks.saturating_add(line.short),
                Item::Sampler => have.samplers = have.samplers.saturating_add(line.short),
                Item::Registrar => have.registrars = have.registrars.saturating_add(line.short),
                Item::Tube => restock(&mut stock.tubes, line.basis, line.need),
                Item::ExtractionReagent => restock(&mut stock.extraction, line.basis, line.need),
                Item::PcrReagent => restock(&mut stock.pcr, line.basis, line.need),
                Item::Lab | Item::LabUnit(_) | Item::LabStaff(_) => {}
            }
            match line.basis {
                Basis::PhysicalRounds | Basis::AllRounds => mark(&mut stock.origin),
                Basis::Norm | Basis::Target => mark(&mut have.origin),
            }
        }
    }
}

/// Fills one article up to `need`: first the shelf, then the deposit, then more on the shelf.
fn restock(ledger: &mut Ledger, basis: Basis, need: u64) {
    if basis == Basis::PhysicalRounds {
        ledger.physical = ledger.physical.max(need);
        return;
    }
    if ledger.counted() < need && ledger.agreement > 0 {
        ledger.deposit_paid = true;
    }
    let short = need.saturating_sub(ledger.counted());
    ledger.physical = ledger.physical.saturating_add(short);
}

fn mark(origin: &mut Origin) {
    const NOTE: (&str, &str) = ("（缺口已补齐）", " + shortages filled");
    let Words { zh, en } = &mut origin.source;
    for (source, note) in [(zh, NOTE.0), (en, NOTE.1)] {
        if !source.ends_with(note) {
            source.push_str(note);
        }
    }
    origin.status = Status::Calculated;
}

/// A lab without units, with the norm's times, for a district or street that reaches none: in its place.
pub(super) fn mobile_lab(city: &City, place: &str, name: &Words) -> Lab {
    let home = |d: &&District| d.code == place || d.streets.iter().any(|s| s.code == place);
    let district = city.districts.iter().find(home);
    let street = district.and_then(|d| d.streets.iter().find(|s| s.code == place));
    let mut code = format!("mobile-{place}");
    while city.labs.iter().any(|lab| lab.code == code) {
        code.push('+');
    }
    Lab {
        code,
        name: Words::new(format!("{}移动方舱实验室", name.zh), format!("{} mobile lab", name.en)),
        serves: vec![district.map_or(place, |d| d.code.as_str()).to_owned()],
        stages: StageKind::ALL.map(|kind| LabStage::of_norm(kind, &city.norm)),
        place: street.and_then(|s| s.place).or(district.and_then(|d| d.place)),
        outside: false,
        shifts: Vec::new(),
        instrument_day: None,
        derate: None,
        origin: Origin::new(Words::new("由方案增设", "founded by the plan"), Status::Calculated),
    }
}
