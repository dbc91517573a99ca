//! Which number to file, and what the flows say beside it, as a message.

use super::shortages::basis;
use super::words::some;
use crate::api::limits::COMPARED_TOLD_MAX;
use crate::api::pb;
use crate::planner::filing::{self, Compared, Dealt, Flows, Measures};
use crate::planner::fluid::CityFlow;
use crate::planner::{City, Plan};

/// What is told of a list; without flows the sentence alone. Measures are searched by the command and by nothing here: of them only
/// what the first round lacks on the shelf is known.
pub fn told(city: &City, plan: &Plan, flow: Option<&CityFlow>) -> pb::PlanFiling {
    let all = flow.map(|flow| filing::compared(city, plan, flow, &Measures::new()));
    let all = all.unwrap_or_default();
    let dealt = flow.map(|flow| filing::dealt(plan, flow)).unwrap_or_default();
    pb::PlanFiling {
        sentence: filing::which_to_file(plan, flow.is_some(), None).as_ref().and_then(some),
        compared: all.iter().take(COMPARED_TOLD_MAX).map(|one| compared(city, one)).collect(),
        compared_total: u32::try_from(all.len()).unwrap_or(u32::MAX),
        tubes: dealt.into_iter().map(tubes).collect(),
    }
}

/// A count, or that there is none.
fn count(n: Option<u64>) -> i64 {
    n.map_or(-1, |n| i64::try_from(n).unwrap_or(i64::MAX))
}

fn compared(city: &City, one: &Compared) -> pb::PlanCompared {
    let flows = match one.flows {
        Flows::Units(n) => Some(n),
        Flows::Not | Flows::Never => None,
    };
    pb::PlanCompared {
        place: one.place.clone(),
        place_name: some(&one.place_name),
        item: some(&one.item.name()),
        basis: basis(one.basis).into(),
        basis_name: some(&one.basis.name(&city.norm)),
        unit: some(&one.item.unit()),
        have: one.have,
        listed: one.listed,
        flows: count(flows),
        no_number_helps: one.flows == Flows::Never,
        measures: count(one.measures),
    }
}

fn tubes(dealt: Dealt) -> pb::LabDealt {
    let Dealt { lab, name, listed, sent } = dealt;
    pb::LabDealt { lab, name: some(&name), listed, sent }
}
