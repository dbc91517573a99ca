//! A line of the list of shortages, as a message.

use super::crews::status;
use super::words::some;
use crate::api::pb;
use crate::planner::round::Round;
use crate::planner::sending::mend_there;
use crate::planner::{Basis, City, Plan, Shortage};

/// A line of a city's list; `round` = where its streets send, if that could be reckoned.
pub fn line(city: &City, plan: &Plan, round: Option<&Round>, line: &Shortage) -> pb::PlanShortage {
    let origin = line.have_origin(city);
    pb::PlanShortage {
        place: line.place.clone(),
        place_name: some(&line.place_name),
        item: some(&line.item.name()),
        need: line.need,
        have: line.have,
        short: line.short,
        unit: some(&line.unit),
        mend: some(&mend_there(round, plan, line)),
        blocks: line.blocks,
        basis: basis(line.basis).into(),
        basis_name: some(&line.basis.name(&city.norm)),
        support: line.support,
        owner: some(&line.owner()),
        held_by: line.owners.iter().map(|owner| owner.key().to_owned()).collect(),
        deadline: line.deadline.clone().unwrap_or_default(),
        have_status: origin.map_or(pb::PlanStatus::Unspecified, |of| status(of.status)).into(),
        have_source: origin.map(|of| of.source.in_one()).unwrap_or_default(),
    }
}

/// Why a number is needed.
pub fn basis(basis: Basis) -> pb::PlanBasis {
    match basis {
        Basis::Norm => pb::PlanBasis::Norm,
        Basis::Target => pb::PlanBasis::Target,
        Basis::PhysicalRounds => pb::PlanBasis::PhysicalRounds,
        Basis::AllRounds => pb::PlanBasis::AllRounds,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecaster::CityPlan;
    use crate::planner::{Article, Holding, Item, Owner, Status, solve};

    #[test]
    fn every_line_says_why_whose_and_by_when_and_where_what_is_at_hand_comes_from() {
        let mut city = CityPlan::builtin("chifeng").city;
        let district = &mut city.districts[0];
        let stock = &mut district.stock;
        let held = |owner, article| Holding { owner, article, ledger: Default::default() };
        stock.held = vec![held(Owner::Medical, Article::Tube), held(Owner::Street, Article::Tube)];
        (district.have.origin.status, district.have.origin.source) =
            (Status::Measured, "甲".into());
        (stock.origin.status, stock.origin.source) = (Status::Sourced, "乙".into());
        city.deadline = Some("2022-04-30".into());
        for lab in &mut city.labs {
            (lab.origin.status, lab.origin.source) = (Status::Norm, "丙".into());
        }
        city.districts[0].have.samplers = 0;
        city.districts[0].stock.tubes = Default::default();
        let code = city.districts[0].code.clone();
        let plan = solve(&city, 24);
        let of = |found: &dyn Fn(&Shortage) -> bool| {
            let found = plan.shortages.iter().find(|one| found(one));
            line(&city, &plan, None, found.expect("a shortage"))
        };
        let texts = |text: &Option<pb::Text>| {
            let text = text.as_ref().unwrap();
            (text.zh.clone(), text.en.clone())
        };
        let sampler = of(&|one| one.place == code && one.item == Item::Sampler);
        assert!(sampler.support > 0 && sampler.support == sampler.short);
        assert_eq!(sampler.have_status(), pb::PlanStatus::Measured);
        assert_eq!(
            (&*sampler.have_source, &*sampler.deadline, sampler.held_by.len()),
            ("甲", "", 0)
        );
        assert_eq!(sampler.owner, sampler.place_name);
        let shelf = Basis::PhysicalRounds;
        let tubes = of(&|one| one.place == code && one.item == Item::Tube && one.basis == shelf);
        assert_eq!((&*tubes.have_source, tubes.have_status()), ("乙", pb::PlanStatus::Sourced));
        assert_eq!(
            (&*tubes.deadline, &tubes.held_by[..]),
            ("2022-04-30", &["street".to_owned(), "medical".to_owned()][..])
        );
        assert!(tubes.owner.as_ref().unwrap().en.ends_with("(street, medical institutions)"));
        assert!(tubes.owner.as_ref().unwrap().zh.ends_with("（街道、医疗机构）"));
        let expected = ("实物 6 轮".to_owned(), "6 rounds on the shelf".to_owned());
        assert_eq!(
            (tubes.basis(), texts(&tubes.basis_name)),
            (pb::PlanBasis::PhysicalRounds, expected)
        );
        let unit = of(&|one| matches!(one.item, Item::LabUnit(_)));
        assert_eq!((&*unit.have_source, unit.have_status()), ("丙", pb::PlanStatus::Norm));
        // A lab that nobody has comes from nowhere.
        let nobody =
            plan.shortages.iter().map(|s| Shortage { item: Item::Lab, ..s.clone() }).next();
        let nobody = line(&city, &plan, None, &nobody.unwrap());
        assert_eq!((&*nobody.have_source, nobody.have_status()), ("", pb::PlanStatus::Unspecified));
    }
}
