//! Changes to the plan that a request asks about: units at stages of laboratories, streets that send elsewhere.

use super::words::stage_named;
use crate::api::errors::Error;
use crate::api::limits::CHANGES_MAX;
use crate::api::pb;
use crate::forecaster::{Change, CityPlan, changed, round_of};
use crate::planner::round::Round;
use crate::planner::{
    City, District, Sent, Street, Words, may_change, sending, units_in_range, with_units,
};

/// The changes of a request, checked against the city.
#[derive(Debug, Default)]
pub struct Changes {
    /// At most one for each stage of a laboratory.
    units: Vec<Change>,
    moves: Vec<Move>,
}

/// A street that sends elsewhere.
#[derive(Debug)]
struct Move {
    /// As in the assignment.
    street: String,
    /// Number of the laboratory.
    lab: usize,
}

/// Number of a laboratory of the city by its code.
pub fn lab_number(plan: &CityPlan, code: &str) -> Result<usize, Error> {
    let lab = plan.city.labs.iter().position(|lab| lab.code == code);
    lab.ok_or_else(|| {
        let codes: Vec<&str> = plan.city.labs.iter().map(|lab| lab.code.as_str()).collect();
        Error::not_in_city("lab", code, &codes)
    })
}

/// Codes of the streets, as in the assignment.
fn street_codes(plan: &CityPlan) -> Vec<String> {
    if let Ok(round) = &plan.round {
        return round.problem.streets.iter().map(|street| street.code.clone()).collect();
    }
    // A city without a round may have one with other units, and streets to move.
    let of = |district: &District| {
        let code = |street: &Street| match street.code == district.code {
            true => street.code.clone(),
            false => format!("{}/{}", district.code, street.code),
        };
        plan.city.streets_of(district).iter().map(code).collect::<Vec<_>>()
    };
    plan.city.districts.iter().flat_map(of).collect()
}

fn refused(Words { zh, en }: Words) -> Error {
    Error::invalid("units", zh, en)
}

/// A change of units, checked.
pub fn units_changed(plan: &CityPlan, change: &pb::UnitChange) -> Result<Change, Error> {
    let stage = stage_named(change.stage)?;
    units_in_range(change.units.into()).map_err(refused)?;
    Ok(Change { lab: lab_number(plan, &change.lab)?, stage, units: change.units })
}

/// A change, unless nobody may ask for it.
///
/// # Errors
/// What can be asked (`planner::may_change`).
pub fn may_be_asked(plan: &CityPlan, change: &Change) -> Result<(), Error> {
    may_change(&plan.city, change.lab, change.stage, change.units.into()).map_err(refused)
}

/// Changes of units, summed by stage of a laboratory: a stage is changed once, however many lines ask for it.
fn units_summed(plan: &CityPlan, changes: &[pb::UnitChange]) -> Result<Vec<Change>, Error> {
    let mut sums: Vec<Change> = Vec::new();
    for change in changes {
        let change = units_changed(plan, change)?;
        match sums.iter_mut().find(|sum| (sum.lab, sum.stage) == (change.lab, change.stage)) {
            // Too many either way are refused below.
            Some(sum) => sum.units = sum.units.saturating_add(change.units),
            None => sums.push(change),
        }
    }
    // What cancels out changes nothing.
    sums.retain(|sum| sum.units != 0);
    sums.iter().try_for_each(|sum| may_be_asked(plan, sum))?;
    Ok(sums)
}

impl Changes {
    /// Reads the changes of a request.
    ///
    /// # Errors
    /// More than `CHANGES_MAX`; a laboratory, stage or street that the city does not have; a number of units out of range,
    /// by itself or with the others of its stage; more units taken away than a stage has.
    pub fn of(
        plan: &CityPlan,
        units: &[pb::UnitChange],
        moves: &[pb::StreetMove],
    ) -> Result<Changes, Error> {
        for (field, many) in [("units", units.len()), ("moves", moves.len())] {
            if many > CHANGES_MAX {
                return Err(Error::invalid(
                    field,
                    format!("共 {many} 项，超过 1000 项：请分次询问"),
                    format!("there are {many}, more than 1000: ask in several requests"),
                ));
            }
        }
        let codes = if moves.is_empty() { Vec::new() } else { street_codes(plan) };
        let moved = |m: &pb::StreetMove| {
            let lab = lab_number(plan, &m.lab)?;
            if !codes.contains(&m.street) {
                let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
                return Err(Error::not_in_city("street", &m.street, &codes));
            }
            Ok(Move { street: m.street.clone(), lab })
        };
        Ok(Changes {
            units: units_summed(plan, units)?,
            moves: moves.iter().map(moved).collect::<Result<_, _>>()?,
        })
    }

    /// The streets that were told where to send, for the rules.
    pub fn sent(&self) -> Vec<Sent> {
        let sent = |m: &Move| Sent { street: m.street.clone(), lab: m.lab };
        self.moves.iter().map(sent).collect()
    }

    /// The city with the units, for the rules.
    pub fn city(&self, plan: &CityPlan) -> City {
        self.units.iter().fold(plan.city.clone(), |city, change| {
            with_units(&city, change.lab, change.stage, change.units.into())
        })
    }

    /// The round with all changes; every other street keeps its laboratory.
    ///
    /// # Errors
    /// Why there is none, in two languages.
    pub fn round(&self, plan: &CityPlan, target_h: u32) -> Result<Round, Words> {
        let planned = match target_h == plan.city.target_h {
            true => plan.round.clone(),
            false => round_of(&plan.city, target_h),
        };
        let round = match planned {
            Ok(mut round) => {
                for change in &self.units {
                    if let Some(lab) = changed(&round.model, change) {
                        round.model.labs[change.lab] = lab;
                    }
                }
                Ok(round)
            }
            // A city that has no round as it is may have one with the units: its streets send where it is then best.
            Err(_) => round_of(&self.city(plan), target_h),
        };
        self.moved(&plan.city, round)
    }

    /// A round of a city of these laboratories, or of more, with the streets that send elsewhere.
    ///
    /// # Errors
    /// Why there is none, in two languages.
    pub fn moved(&self, city: &City, round: Result<Round, Words>) -> Result<Round, Words> {
        let mut round = round?;
        for m in &self.moves {
            let street = round.problem.streets.iter().position(|street| street.code == m.street);
            if let Some(street) = street {
                sending::send(city, &mut round, street, m.lab);
            }
        }
        match round.model.check() {
            Ok(()) => Ok(round),
            Err(why) => Err(round.say(&why)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::{StageKind, fluid, solve};

    fn unit(lab: &str, stage: pb::PlanStage, units: i32) -> pb::UnitChange {
        pb::UnitChange { lab: lab.into(), stage: stage.into(), units }
    }

    #[test]
    fn units_change_the_rules_and_the_round_alike() {
        let plan = CityPlan::builtin("jiyuan");
        let code = plan.city.labs[0].code.clone();
        let asked = [
            unit(&code, pb::PlanStage::Decap, 3),
            unit(&code, pb::PlanStage::Decap, -1),
            unit(&code, pb::PlanStage::Pcr, -1),
        ];
        let changes = Changes::of(&plan, &asked, &[]).unwrap();
        let (city, round) = (changes.city(&plan), changes.round(&plan, 48).unwrap());
        let before = plan.round.as_ref().unwrap();
        for (kind, by) in [(StageKind::Decap, 2), (StageKind::Pcr, -1), (StageKind::Extract, 0)] {
            let k = kind.index();
            let units = |round: &Round| i64::from(round.model.labs[0].stages[k].units);
            assert_eq!(units(&round) - units(before), by, "{kind:?}");
            // With their people: as many more work by the rules as in the round.
            let working = |city: &City| {
                let stage = solve(city, 48).labs[0].capacity.stages[k];
                i64::try_from(stage.units_working).unwrap()
            };
            assert_eq!(working(&city) - working(&plan.city), by, "{kind:?}");
        }
    }

    #[test]
    fn a_street_that_is_moved_is_another_labs_work() {
        let plan = CityPlan::builtin("chifeng");
        let before = plan.round.as_ref().unwrap();
        let street = before.problem.streets[0].code.clone();
        let to = plan.city.labs.len() - 1;
        let moves =
            [pb::StreetMove { street: street.clone(), lab: plan.city.labs[to].code.clone() }];
        let round = Changes::of(&plan, &[], &moves).unwrap().round(&plan, 24).unwrap();
        let of = |round: &Round| {
            let flow = fluid::city(&round.model);
            flow.labs.iter().map(|lab| lab.tubes).collect::<Vec<_>>()
        };
        let (was, is) = (of(before), of(&round));
        assert!(is[to] > was[to]);
        assert_eq!(is.iter().sum::<u64>(), was.iter().sum::<u64>());
        for (i, source) in round.source.iter().enumerate() {
            assert!(*source != 0 || round.model.streets[i].lab == to);
        }
    }

    #[test]
    fn units_that_cure_a_city_without_a_round_give_it_one() {
        let mut city = CityPlan::builtin("jiyuan").city;
        let code = city.labs[0].code.clone();
        (0..city.labs.len())
            .for_each(|lab| city = with_units(&city, lab, StageKind::Extract, -1000));
        let plan = CityPlan::of(city);
        let why = plan.round.as_ref().unwrap_err();
        assert!(why.en.contains("no unit for extraction"), "{}", why.en);
        let round = |units: i32| {
            let units = [unit(&code, pb::PlanStage::Extract, units)];
            Changes::of(&plan, &units, &[]).unwrap().round(&plan, 48)
        };
        assert!(round(4).is_ok());
    }

    #[test]
    fn a_refusal_says_what_was_sent_and_what_there_is() {
        let plan = CityPlan::builtin("jiyuan");
        let code = plan.city.labs[0].code.clone();
        let street = street_codes(&plan)[0].clone();
        let pcr = |units: i32| unit(&code, pb::PlanStage::Pcr, units);
        let have = plan.city.labs[0].stage(StageKind::Pcr).units;
        let to = |street: &str| pb::StreetMove { street: street.into(), lab: code.clone() };
        let codes = format!("there are: {code}");
        for (units, moves, zh, en) in [
            (vec![unit("L?", pb::PlanStage::Pcr, 1)], vec![], "lab“L?”", "`lab` \"L?\""),
            (vec![unit("", pb::PlanStage::Pcr, 1)], vec![], "必填", codes.as_str()),
            (vec![pcr(0)], vec![], "units：0 不可用", "units: 0 is not possible"),
            (vec![pcr(-10_001)], vec![], "-10001 不可用", "-10001 is not possible"),
            (vec![pcr(1000); 11], vec![], "11000 不可用", "11000 is not possible"),
            (
                vec![pcr(-1000)],
                vec![],
                &format!(
                    "{code} 的PCR 扩增只有 {have} 台（组），不能减少 1000：请填写不小于 -{have} 的数"
                ),
                &format!(
                    "PCR at {code} has {have} units and cannot have 1000 fewer: take away {have} at most"
                ),
            ),
            (vec![pcr(1); 1001], vec![], "共 1001 项", "there are 1001, more than 1000"),
            (
                vec![pb::UnitChange { stage: 99, ..pcr(1) }],
                vec![],
                "99 不是环节：请填写 PlanStage 的编号：1 接收、",
                "99 is no stage: give a number of PlanStage: 1 reception, ",
            ),
            (vec![], vec![to("nowhere")], "street“nowhere”", "`street` \"nowhere\""),
            (vec![], vec![to("nowhere")], &street, &street),
        ] {
            let texts = Changes::of(&plan, &units, &moves).unwrap_err().texts();
            assert!(texts.0.contains(zh), "{zh}: {}", texts.0);
            assert!(texts.1.contains(en), "{en}: {}", texts.1);
        }
    }

    #[test]
    fn what_the_city_does_not_have_is_refused() {
        let plan = CityPlan::builtin("jiyuan");
        let code = plan.city.labs[0].code.clone();
        let extract = pb::PlanStage::Extract;
        let refused = |units: &[pb::UnitChange], moves: &[pb::StreetMove]| {
            Changes::of(&plan, units, moves).is_err()
        };
        assert!(!refused(&[unit(&code, extract, 10_000)], &[]));
        assert!(refused(&[unit(&code, extract, 10_001)], &[]));
        assert!(refused(&[unit(&code, extract, 0)], &[]));
        assert!(refused(&[unit("L?", extract, 1)], &[]));
        assert!(refused(&[unit(&code, pb::PlanStage::Unspecified, 1)], &[]));
        assert!(refused(&vec![unit(&code, extract, 1); CHANGES_MAX + 1], &[]));
        // The most of one line is the most of a stage.
        let many = |n: usize| vec![unit(&code, extract, 1000); n];
        assert!(!refused(&many(10), &[]));
        assert!(refused(&many(11), &[]));
        assert!(refused(&many(CHANGES_MAX), &[]));
        let mut back = many(11);
        back.push(unit(&code, extract, -1000));
        assert!(!refused(&back, &[]));
        // More than there are cannot be taken away, by one line or several; what others add comes first.
        let all = i32::try_from(plan.city.labs[0].stage(StageKind::Extract).units).unwrap();
        assert!(!refused(&[unit(&code, extract, -all)], &[]));
        assert!(refused(&[unit(&code, extract, -all - 1)], &[]));
        assert!(refused(&[unit(&code, extract, -all), unit(&code, extract, -1)], &[]));
        assert!(!refused(&[unit(&code, extract, -all - 1), unit(&code, extract, 1)], &[]));
        let to =
            |street: &str, lab: &str| pb::StreetMove { street: street.into(), lab: lab.into() };
        assert!(refused(&[], &[to("nowhere", &code)]));
        let street = plan.round.as_ref().unwrap().problem.streets[0].code.clone();
        assert!(refused(&[], &[to(&street, "L?")]));
        // Of a city without a round, too.
        let mut city = plan.city.clone();
        for lab in 0..city.labs.len() {
            city = with_units(&city, lab, StageKind::Extract, -1000);
        }
        let idle = CityPlan::of(city);
        assert!(idle.round.is_err());
        assert_eq!(street_codes(&idle), street_codes(&plan));
        assert!(Changes::of(&idle, &[], &[to("nowhere", &code)]).is_err());
        assert!(Changes::of(&idle, &[], &[to(&street, &code)]).is_ok());
        // Taking everything away leaves a round that cannot be reckoned, and says so.
        let all = i32::try_from(plan.city.labs[0].stage(StageKind::Extract).units).unwrap();
        let none = Changes::of(&plan, &[unit(&code, extract, -all)], &[]).unwrap();
        assert!(!none.round(&plan, 48).unwrap_err().zh.is_empty());
    }
}
