//! The report as one JSON document. Keys are for programs and stay; names come in both languages.

use serde_json::{Value, json};

use super::layers::Layers;
use super::words::basis;
use super::{Report, claim_json, compare, filled, json_layers, targets};
use crate::planner::reach::{CutOff, Near, NoReach};
use crate::planner::{
    Basis, Constant, CrewLine, District, DistrictPlan, Given, Item, ItemTotal, Lab, LabPlan,
    Ledger, Origin, PlanHead, Range, Shortage, StageTime, Verdict, Words, crew_constants, explain,
};

/// Version of the document; raised when a key changes its meaning. 2: `yes`, `layers` and `why_no_layers` are new, and
/// `yes` is the answer of the exit code; `verdict` is that of the guide's arithmetic alone, as before.
const SCHEMA: u32 = 2;

/// A value as text with a final line break.
pub(super) fn document(value: &Value) -> String {
    format!("{value:#}\n")
}

/// The whole report.
pub(super) fn report(report: &Report) -> Value {
    let Report { city, plan, .. } = report;
    let norm = &city.norm;
    let claims: Vec<Value> =
        city.claims.iter().map(|c| claim_json::explanation(&explain(c, norm))).collect();
    let layers = report.layers.as_ref().ok();
    let norm_constants: Vec<Value> = norm.constants().iter().map(constant).collect();
    json!({
        "schema": SCHEMA,
        "city": {
            "code": city.code,
            "name": words(&city.name),
            "population": city.population.value,
            "origin": origin(&city.population.origin),
        },
        "plan": head(&city.plan),
        "norm": {
            "name": norm.name,
            "title": { "zh": norm.title_zh, "en": norm.title_en },
            "constants": norm_constants,
        },
        "given": city.given().iter().map(given).collect::<Vec<_>>(),
        "target_hours": plan.target_h,
        "yes": report.yes(),
        "verdict": verdict(&plan.verdict, layers),
        "other_targets": report.others.iter().map(|p| verdict(&p.verdict, layers)).collect::<Vec<_>>(),
        "filled": report.filled_told().map(|filled| json!({
            "yes": filled.yes(),
            "verdict": verdict(&filled.plan.verdict, filled.layers.as_ref().ok()),
            "shortages": filled.plan.shortages.len(),
            "layers": filled.layers.as_ref().ok().map(json_layers::brief),
            "why_no_layers": filled.layers.as_ref().err().map(words),
        })),
        "total": total(report),
        "districts": districts(report),
        "labs": labs(report),
        "cut_off": plan.cut_off.iter().map(cut_off).collect::<Vec<_>>(),
        "shortages": plan.shortages.iter().map(|s| shortage(s, report)).collect::<Vec<_>>(),
        "shortages_filled": filled::document(report),
        "filing": compare::document(report),
        "item_totals": plan.item_totals.iter().map(|t| item_total(t, report)).collect::<Vec<_>>(),
        "crews": crews(report),
        "claims": claims,
        "layers": layers.map(|layers| json_layers::layers(report, layers)),
        "why_no_layers": report.layers.as_ref().err().map(words),
    })
}

/// A street that can send to no lab that works.
fn cut_off(one: &CutOff) -> Value {
    let near = |near: &Near| {
        json!({
            "lab": near.code,
            "name": words(&near.name),
            "minutes": near.way_s as f64 / 60.0,
        })
    };
    let minutes = |limit_s: u64| json!(limit_s as f64 / 60.0);
    let null = Value::Null;
    let (why, nearest, limit) = match &one.why {
        NoReach::Unserved => ("unserved", null.clone(), null),
        NoReach::TooFar { nearest, limit_s, .. } => ("too_far", near(nearest), minutes(*limit_s)),
        NoReach::Idle { labs, beyond } => (
            "idle",
            labs.first().map_or(null.clone(), |(one, _, _)| near(one)),
            beyond.as_ref().map_or(null, |(_, limit_s)| minutes(*limit_s)),
        ),
    };
    json!({
        "district": one.district,
        "street": one.street,
        "name": words(&one.name),
        "written": one.written,
        "tubes": one.tubes,
        "why": why,
        "nearest": nearest,
        "max_travel_minutes": limit,
        "reason": words(&one.reason()),
        "mend": words(&one.mend()),
    })
}

/// Version and approval of a plan.
pub(super) fn head(plan: &PlanHead) -> Value {
    json!({
        "version": plan.version,
        "author": plan.author,
        "approved_by": plan.approved_by,
        "approved_on": plan.approved_on,
        "note": plan.note,
    })
}

fn constant(c: &Constant<'_>) -> Value {
    json!({
        "key": c.key,
        "title": words(&c.title),
        "value": c.value,
        "unit": words(&c.unit),
        "origin": origin(c.origin),
    })
}

/// Words by language.
pub(super) fn words(words: &Words) -> Value {
    json!({ "zh": words.zh, "en": words.en })
}

pub(super) fn origin(origin: &Origin) -> Value {
    let Origin { source, status } = origin;
    json!({ "status": status.word(), "source": source.zh, "source_en": source.en })
}

fn range(range: Range) -> Value {
    json!({ "low": range.low, "high": range.high })
}

fn verdict(verdict: &Verdict, layers: Option<&Layers>) -> Value {
    json!({
        "other_layers": targets::document(verdict.target_h, layers),
        "target_hours": verdict.target_h,
        "yes": verdict.yes,
        "minutes": verdict.minutes,
        "hours": verdict.minutes.map(|minutes| minutes as f64 / 60.0),
        "binding": stage_time(&verdict.binding),
        "stages": verdict.stages.iter().map(stage_time).collect::<Vec<_>>(),
        "norms_met": verdict.norms_met,
    })
}

fn stage_time(time: &StageTime) -> Value {
    json!({
        "stage": time.stage.key(),
        "name": words(&time.stage.name()),
        "minutes": time.minutes,
        "tightest": time.tightest.as_ref().map(|(code, name)| json!({ "code": code, "name": words(name) })),
    })
}

fn total(report: &Report) -> Value {
    let t = &report.plan.total;
    json!({
        "population": t.population,
        "tubes": t.tubes,
        "sites": range(t.sites),
        "desks": range(t.desks),
        "samplers": t.samplers,
        "registrars": t.registrars,
        "reserve": t.reserve,
        "reserve_physical": t.reserve_physical,
        "persons_by_desks": t.persons_by_desks,
        "persons_by_samplers": t.persons_by_samplers,
        "lab_tubes": t.lab_tubes,
        "outside_lab_tubes": t.outside_tubes,
        "tubes_sent_outside": t.tubes_sent_outside,
        "tubes_unmet": t.tubes_unmet,
        "city_ceilings": {
            "sites": range(t.ceilings.sites),
            "desks": range(t.ceilings.desks),
            "samplers": t.ceilings.samplers,
            "tubes": t.ceilings.tubes,
            "persons_per_tube": range(t.ceilings.pool),
        },
    })
}

fn districts(report: &Report) -> Vec<Value> {
    let Report { city, plan, .. } = report;
    let one = |(district, d): (&District, &DistrictPlan)| {
        let ledger = |l: &Ledger| {
            let days = l.cover_tenths(d.tubes).map(|n| (n != u64::MAX).then_some(n as f64 / 10.0));
            json!({
                "physical": l.physical,
                "agreement": l.agreement,
                "deposit_paid": l.deposit_paid,
                "counted": l.counted(),
                "days_of_cover": { "shelf": days[0], "all": days[1] },
            })
        };
        let (have, stock) = (&district.have, &district.stock);
        json!({
            "code": d.code,
            "name": words(&d.name),
            "population": d.population,
            "population_origin": origin(&district.population.origin),
            "persons_per_tube": d.pool,
            "persons_per_tube_most": d.pool_most,
            "tubes": d.tubes,
            "sites": range(d.sites),
            "desks": range(d.desks),
            "samplers": d.samplers,
            "registrars": d.registrars,
            "have": {
                "sites": have.sites,
                "desks": have.desks,
                "samplers": have.samplers,
                "registrars": have.registrars,
                "origin": origin(&have.origin),
            },
            "reserve": d.reserve,
            "reserve_physical": d.reserve_physical,
            "stock": {
                "tubes": ledger(&stock.tubes),
                "extraction": ledger(&stock.extraction),
                "pcr": ledger(&stock.pcr),
                "origin": origin(&stock.origin),
            },
            "sampling_minutes": d.sampling_s / 60,
            "persons_by_desks": d.persons_by_desks,
            "persons_by_samplers": d.persons_by_samplers,
            "labs": d.labs.iter().map(|(lab, n)| json!({ "lab": lab, "tubes": n })).collect::<Vec<_>>(),
            "tubes_unmet": d.tubes_unmet,
        })
    };
    city.districts.iter().zip(&plan.districts).map(one).collect()
}

fn labs(report: &Report) -> Vec<Value> {
    let Report { city, plan, .. } = report;
    let one = |(lab, p): (&Lab, &LabPlan)| {
        let stages = p.capacity.stages.iter().zip(&lab.stages).map(|(c, stage)| {
            json!({
                "stage": c.kind.key(),
                "name": words(&c.kind.name()),
                "units": c.units,
                "units_working": c.units_working,
                "staff": stage.staff,
                "cycle_seconds": stage.cycle_s(),
                "window_minutes": c.window_s / 60,
                "runs_per_unit": c.runs_per_unit,
                "runs": c.runs,
                "derate_percent": c.derate_permille as f64 / 10.0,
                "tubes_per_run": c.tubes_per_run,
                "tubes": c.tubes,
            })
        });
        json!({
            "code": p.code,
            "name": words(&p.name),
            "origin": origin(&lab.origin),
            "outside": p.outside,
            "serves": lab.serves,
            "tubes": p.capacity.tubes,
            "binding": p.capacity.binding.key(),
            "load": p.load,
            "beyond": p.beyond,
            "stages": stages.collect::<Vec<_>>(),
        })
    };
    city.labs.iter().zip(&plan.labs).map(one).collect()
}

pub(super) fn item_key(item: Item) -> String {
    match item {
        Item::Site => "site".to_owned(),
        Item::Desk => "desk".to_owned(),
        Item::Sampler => "sampler".to_owned(),
        Item::Registrar => "registrar".to_owned(),
        Item::Tube => "tube".to_owned(),
        Item::ExtractionReagent => "extraction_reagent".to_owned(),
        Item::PcrReagent => "pcr_reagent".to_owned(),
        Item::Lab => "lab".to_owned(),
        Item::LabUnit(kind) => format!("lab_unit.{}", kind.key()),
        Item::LabStaff(kind) => format!("lab_staff.{}", kind.key()),
    }
}

/// A number of the city file, or what stands in its place, with where it comes from.
fn given(one: &Given) -> Value {
    json!({
        "key": one.key,
        "value": words(&one.value),
        "unit": words(&one.unit),
        "from": one.from,
        "origin": one.origin.as_ref().map(origin),
    })
}

pub(super) fn basis_key(basis: Basis) -> &'static str {
    match basis {
        Basis::Norm => "norm",
        Basis::Target => "target",
        Basis::PhysicalRounds => "physical_rounds",
        Basis::AllRounds => "all_rounds",
    }
}

fn shortage(s: &Shortage, report: &Report) -> Value {
    json!({
        "place": s.place,
        "place_name": words(&s.place_name),
        "item": item_key(s.item),
        "item_name": words(&s.item.name()),
        "basis": basis_key(s.basis),
        "basis_name": words(&basis(s.basis, &report.city.norm)),
        "need": s.need,
        "have": s.have,
        "short": s.short,
        "unit": words(&s.unit),
        "mend": words(&s.mend),
        "note": report.none_sent(s).as_ref().map(words),
        "support": s.support,
        "owner": words(&s.owner()),
        "owners": s.owners.iter().map(|owner| owner.key()).collect::<Vec<_>>(),
        "deadline": s.deadline,
        "blocks_target": s.blocks,
    })
}

fn crews(report: &Report) -> Vec<Value> {
    let constants = crew_constants(&report.city, &report.plan);
    report.plan.crews.iter().map(|line| crew(line, &constants)).collect()
}

fn crew(line: &CrewLine, constants: &[Constant<'_>]) -> Value {
    let rests_on = constants.iter().filter(|c| line.rests_on.contains(&c.key));
    json!({
        "district": line.place,
        "district_name": words(&line.place_name),
        "item": line.item.key(),
        "item_name": words(&line.item.name()),
        "need": line.need,
        "need_is_least": line.need_is_least,
        "have": line.have,
        "short": line.short,
        "unit": words(&line.item.unit()),
        "mend": words(&line.item.mend()),
        "support": line.support,
        "owner": words(&line.place_name),
        "deadline": line.deadline,
        "have_origin": origin(&line.have_origin),
        "rests_on": rests_on.map(constant).collect::<Vec<_>>(),
    })
}

fn item_total(t: &ItemTotal, report: &Report) -> Value {
    json!({
        "item": item_key(t.item),
        "item_name": words(&t.item.name()),
        "basis": basis_key(t.basis),
        "basis_name": words(&basis(t.basis, &report.city.norm)),
        "need": t.need,
        "have": t.have,
        "short": t.short,
        "support": t.support,
        "unit": words(&t.unit),
    })
}
