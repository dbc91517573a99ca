//! Why it is later with more of something.

use crate::planner::city::{StageKind, Words, grouped};
use crate::planner::model::{Lab, MINUTE, Model, Street};
use crate::planner::study::Paired;

/// Why labs are done later though more is there, or is there for longer; none where they are not later by more than their
/// interval, or where the change takes something away. `before` and `after` have the same streets and labs.
pub fn why_later(before: &Model, after: &Model, labs: &[usize], paired: &Paired) -> Option<Words> {
    if paired.saved + paired.half_width.unwrap_or(0.0) >= 0.0 {
        return None;
    }
    let both = || before.streets.iter().zip(&after.streets).filter(|(a, _)| labs.contains(&a.lab));
    let of_labs = || labs.iter().map(|&lab| (&before.labs[lab], &after.labs[lab]));
    if both().any(|(a, b)| b.hours > a.hours && hourly(b) < hourly(a)) {
        return Some(spread_over_hours(both().map(|(a, b)| [hourly(a), hourly(b)])));
    }
    if let Some(kind) = of_labs().find_map(|(a, b)| spread_over_shifts(a, b)) {
        return Some(fewer_at_a_time(kind));
    }
    let more = both().all(|(a, b)| no_less(a, b)) && of_labs().all(|(a, b)| works_no_less(a, b));
    let turn = of_labs().map(|(_, lab)| turn(lab)).fold(0.0, f64::max);
    more.then(|| one_plate_more(turn))
}

/// Persons whom a street's desks swab in an hour.
fn hourly(street: &Street) -> f64 {
    f64::from(street.desks) * street.desk_rate
}

/// Whether a street differs in nothing but in what it has more of.
fn no_less(a: &Street, b: &Street) -> bool {
    let same = Street {
        desks: b.desks,
        vehicles: b.vehicles,
        desk_rate: b.desk_rate,
        hours: b.hours,
        ..*a
    };
    same == *b && b.vehicles >= a.vehicles && b.hours >= a.hours && hourly(b) >= hourly(a)
}

/// Whether no stage of a lab has fewer units at work over the day, and each run is as it was.
fn works_no_less(a: &Lab, b: &Lab) -> bool {
    a.stages.iter().zip(&b.stages).all(|(a, b)| {
        let at_work = |of: &crate::planner::model::Stage| f64::from(of.units) * of.working_share();
        (a.run, a.batch, a.takes) == (b.run, b.batch, b.takes) && at_work(b) >= at_work(a) - 1e-9
    })
}

/// A stage that works for longer with fewer units at a time.
fn spread_over_shifts(a: &Lab, b: &Lab) -> Option<StageKind> {
    let thinner = |kind: &StageKind| {
        let (a, b) = (&a.stages[kind.index()], &b.stages[kind.index()]);
        b.units < a.units && b.working_share() > a.working_share()
    };
    StageKind::ALL.into_iter().find(thinner)
}

/// What one plate more takes at the slowest stage, ms: by so much a lab may be later.
fn turn(lab: &Lab) -> f64 {
    let turn =
        |stage: &crate::planner::model::Stage| f64::from(stage.run) / f64::from(stage.units.max(1));
    lab.stages.iter().map(turn).fold(0.0, f64::max)
}

fn spread_over_hours(hourly: impl Iterator<Item = [f64; 2]>) -> Words {
    let sum = hourly.fold([0.0; 2], |sum, of| [sum[0] + of[0], sum[1] + of[1]]);
    let [from, to] = sum.map(|persons| grouped(persons.round() as u64));
    Words::new(
        format!(
            "采样时间延长而采样人员未增，每小时可采人数由 {from} 人降至 {to} 人，样本到得更慢，所以反而更晚。"
        ),
        format!(
            "It is later because the same samplers are spread over more hours: {to} persons an hour where it was {from}, so tubes \
             come more slowly."
        ),
    )
}

fn fewer_at_a_time(kind: StageKind) -> Words {
    let stage = kind.name();
    Words::new(
        format!("排班延长而人员未增，{}同时开动的台（组）数减少，所以反而更晚。", stage.zh),
        format!(
            "It is later because the same people are spread over more hours: at {} fewer units are at work at a time.",
            stage.en
        ),
    )
}

fn one_plate_more(turn: f64) -> Words {
    let minutes = (turn / f64::from(MINUTE)).ceil().max(1.0);
    Words::new(
        format!(
            "有余力时板未满即先做，有时多出一板，召回单管也来得更早并优先，所以反而略晚；在最慢环节多做一板需 {minutes} 分钟。"
        ),
        format!(
            "It is later because plates start less full where more is free, so now and then one more is run, and single tubes of \
             recalls come sooner and go first; one plate more takes {minutes} min at the slowest stage."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::example;
    use crate::planner::model::HOUR;

    fn paired(saved: f64) -> Paired {
        Paired { pairs: 20, saved, half_width: Some(1.0), ..Paired::default() }
    }

    #[test]
    fn the_reason_is_that_of_what_is_more() {
        type Change<'c> = &'c dyn Fn(&mut Model);
        let longer = |m: &mut Model| {
            m.streets.iter_mut().for_each(|s| {
                s.hours += 4 * HOUR;
                s.desk_rate /= 2.0;
            });
        };
        let night = |m: &mut Model, kind: StageKind, hours| {
            let stage = &mut m.labs[0].stages[kind.index()];
            stage.rests = vec![vec![(0, hours * HOUR)]; stage.units as usize].into();
        };
        let table: &[(&str, Change, Change, Option<&str>)] = &[
            ("more hours", &|_| {}, &longer, Some("the same samplers are spread over more hours")),
            (
                "longer shifts",
                &|m| night(m, StageKind::Review, 12),
                &|m| {
                    m.labs[0].stages[StageKind::Review.index()].set_units(1);
                    night(m, StageKind::Review, 6);
                },
                Some("at review fewer units are at work at a time"),
            ),
            (
                "a unit",
                &|_| {},
                &|m| m.labs[0].stages[3].add_unit(),
                Some("plates start less full"),
            ),
            ("a desk", &|_| {}, &|m| m.streets[0].desks += 1, Some("plates start less full")),
            ("a vehicle", &|_| {}, &|m| m.streets[0].vehicles += 1, Some("plates start less full")),
            ("fewer hours", &|_| {}, &|m| m.streets[0].hours -= HOUR, None),
            ("a unit fewer", &|_| {}, &|m| m.labs[0].stages[3].set_units(1), None),
            ("a vehicle fewer", &|_| {}, &|m| m.streets[0].vehicles -= 1, None),
            ("more people", &|_| {}, &|m| m.streets[0].persons *= 2, None),
        ];
        for (what, first, then, told) in table {
            let mut before = example::city(1);
            first(&mut before);
            let mut after = before.clone();
            then(&mut after);
            let why = why_later(&before, &after, &[0], &paired(-2.0));
            assert_eq!(why.is_some(), told.is_some(), "{what}: {why:?}");
            let (en, zh) = why.map(|w| (w.en, w.zh)).unwrap_or_default();
            assert!(en.contains(told.unwrap_or_default()), "{what}: {en}");
            assert!(told.is_none() || zh.contains("所以反而"), "{what}: {zh}");
            // Within its interval, and where it is sooner, nothing is explained.
            for saved in [-0.5, 2.0] {
                assert_eq!(why_later(&before, &after, &[0], &paired(saved)), None, "{what}");
            }
        }
        // Labs that are not asked about are not looked at.
        let (before, mut after) = (example::city(2), example::city(2));
        after.labs[1].stages[0].set_units(1);
        assert!(why_later(&before, &after, &[0], &paired(-2.0)).is_some());
        assert_eq!(why_later(&before, &after, &[0, 1], &paired(-2.0)), None);
    }

    #[test]
    fn the_numbers_of_the_reason_are_those_of_the_model() {
        let before = example::city(1);
        let mut after = before.clone();
        after
            .streets
            .iter_mut()
            .for_each(|s| (s.hours, s.desk_rate) = (24 * HOUR, s.desk_rate / 4.0));
        let all: f64 = before.streets.iter().map(hourly).sum();
        let why = why_later(&before, &after, &[0], &paired(-2.0)).expect("a reason");
        let [from, to] = [all, all / 4.0].map(|n| grouped(n.round() as u64));
        assert!(
            why.en.contains(&format!("{to} persons an hour where it was {from}")),
            "{}",
            why.en
        );
        assert!(why.zh.contains(&format!("由 {from} 人降至 {to} 人")), "{}", why.zh);
    }
}
