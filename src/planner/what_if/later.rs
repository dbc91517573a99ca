//! Why it is later with more of something.

use crate::planner::city::{StageKind, Words, grouped};
use crate::planner::model::{Lab, MINUTE, Model, Ms, Stage, Street};
use crate::planner::study::Paired;
use crate::planner::times::span;

/// Why labs are done later though more is there, or is there for longer, or because more recalls come. None where they are not
/// later by more than their interval, where the change takes something away, where two things may each be the reason, and where
/// what is known here does not make so much of it. `before` and `after` have the same streets and labs.
pub fn why_later(before: &Model, after: &Model, labs: &[usize], paired: &Paired) -> Option<Words> {
    let later = -(paired.saved + paired.half_width.unwrap_or(0.0));
    if later <= 0.0 {
        return None;
    }
    let of_labs = || labs.iter().map(|&lab| (&before.labs[lab], &after.labs[lab]));
    let streets: Vec<(&Street, &Street)> =
        before.streets.iter().zip(&after.streets).filter(|(a, _)| labs.contains(&a.lab)).collect();
    let singles = [before, after].map(|model| singles(model, labs));
    let same_recalls = before.recall == after.recall;
    let no_less = streets.iter().all(|(a, b)| no_less(a, b))
        && of_labs().all(|(a, b)| works_no_less(a, b))
        && (same_recalls || singles[1] > singles[0]);
    let longer = streets.iter().any(|(a, b)| b.hours > a.hours);
    let thinner = of_labs().find_map(|(a, b)| spread_over_shifts(a, b));
    match (no_less, longer, thinner, same_recalls) {
        (true, true, None, true) => of_hours(&streets, later),
        (true, false, Some(kind), true) => Some(fewer_at_a_time(kind)),
        (true, false, None, false) => Some(more_recalls(singles)),
        (true, false, None, true) => {
            let turn = of_labs().map(|(_, lab)| turn(lab)).fold(0.0, f64::max);
            (later <= turn).then(|| one_plate_more(turn))
        }
        _ => None,
    }
}

/// Single tubes of recalls that come to some labs, on average.
fn singles(model: &Model, labs: &[usize]) -> f64 {
    let own = model.streets.iter().filter(|street| labs.contains(&street.lab));
    own.map(|street| street.tubes() as f64 * model.recall.singles(street.pool)).sum()
}

/// What sites that are open for longer make of it: their people are spread over more hours, and late comers may come until they
/// close. None where both together make less than `later`, ms.
fn of_hours(streets: &[(&Street, &Street)], later: f64) -> Option<Words> {
    let most =
        |of: fn(&Street, &Street) -> f64| streets.iter().map(|(a, b)| of(a, b)).fold(0.0, f64::max);
    let slower = most(|a, b| last_of_queue(b) - last_of_queue(a));
    let closing = most(|a, b| match b.late_share > 0.0 {
        true => f64::from(b.hours) - f64::from(a.hours),
        false => 0.0,
    });
    let hourly = streets.iter().map(|(a, b)| [hourly(a), hourly(b)]);
    let fewer = streets.iter().any(|(a, b)| self::hourly(b) < self::hourly(a));
    match fewer {
        true if later <= slower => Some(spread_over_hours(hourly, None)),
        true if later <= slower + closing => Some(spread_over_hours(hourly, Some(closing as Ms))),
        false if later <= closing => Some(later_closing(closing as Ms)),
        _ => None,
    }
}

/// When the queue of a street is swabbed at mean speed, ms.
fn last_of_queue(street: &Street) -> f64 {
    let each = street.tubes() as f64 / (f64::from(street.desks.max(1)) * street.mean_speed());
    street.wall(street.desk_time(each, 1.0) as u64) as f64
}

/// Persons whom a street's desks swab in an hour.
fn hourly(street: &Street) -> f64 {
    f64::from(street.desks) * street.desk_rate
}

/// Whether a street differs in nothing but in what it has more of; the same people may be spread over more hours.
fn no_less(a: &Street, b: &Street) -> bool {
    let same = Street {
        desks: b.desks,
        vehicles: b.vehicles,
        desk_rate: b.desk_rate,
        hours: b.hours,
        ..*a
    };
    let people = b.hours > a.hours || (b.hours == a.hours && hourly(b) >= hourly(a));
    same == *b && b.vehicles >= a.vehicles && people
}

/// Whether no stage of a lab has fewer units at work over the day, unless they work for longer, and each run is as it was.
fn works_no_less(a: &Lab, b: &Lab) -> bool {
    a.stages.iter().zip(&b.stages).all(|(a, b)| {
        let at_work = |of: &Stage| f64::from(of.units) * of.working_share();
        (a.run, a.batch, a.takes) == (b.run, b.batch, b.takes)
            && (at_work(b) >= at_work(a) - 1e-9 || thinner(a, b))
    })
}

/// Whether a stage works for longer with fewer units at a time.
fn thinner(a: &Stage, b: &Stage) -> bool {
    b.units < a.units && b.working_share() > a.working_share()
}

/// A stage that works for longer with fewer units at a time.
fn spread_over_shifts(a: &Lab, b: &Lab) -> Option<StageKind> {
    let at = |kind: &StageKind| thinner(&a.stages[kind.index()], &b.stages[kind.index()]);
    StageKind::ALL.into_iter().find(at)
}

/// What one plate more takes at the slowest stage, ms: by so much a lab may be later.
fn turn(lab: &Lab) -> f64 {
    let turn = |stage: &Stage| f64::from(stage.run) / f64::from(stage.units.max(1));
    lab.stages.iter().map(turn).fold(0.0, f64::max)
}

/// `closing`: by how much later the sites close, where that is needed to explain it.
fn spread_over_hours(hourly: impl Iterator<Item = [f64; 2]>, closing: Option<Ms>) -> Words {
    let sum = hourly.fold([0.0; 2], |sum, of| [sum[0] + of[0], sum[1] + of[1]]);
    let [from, to] = sum.map(|persons| grouped(persons.round() as u64));
    let closing = closing.map(span).map_or_else(Words::default, |by| {
        Words::new(
            format!("；采样点又晚关 {}，晚到者可一直来到那时", by.zh),
            format!(", and sites close {} later, until when late comers may come", by.en),
        )
    });
    Words::new(
        format!(
            "采样时间延长而采样人员未增，每小时可采人数由 {from} 人降至 {to} 人，样本到得更慢{}，所以反而更晚。",
            closing.zh
        ),
        format!(
            "It is later because the same samplers are spread over more hours: {to} persons an hour where it was {from}, so tubes \
             come more slowly{}.",
            closing.en
        ),
    )
}

fn later_closing(by: Ms) -> Words {
    let by = span(by);
    Words::new(
        format!("采样点晚关 {}，晚到者可一直来到那时，最后采样因此推迟，所以反而更晚。", by.zh),
        format!(
            "It is later because sites close {} later: late comers may come until then, so the last swab is later.",
            by.en
        ),
    )
}

fn more_recalls(singles: [f64; 2]) -> Words {
    let [from, to] = singles.map(|tubes| grouped(tubes.round() as u64));
    Words::new(
        format!("召回增多，召回单管由 {from} 管增至 {to} 管并优先，首检须让位，所以更晚。"),
        format!(
            "It is later because there are more recalls: {to} single tubes where there were {from}, and these go first."
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
        let open_longer = |m: &mut Model| m.streets.iter_mut().for_each(|s| s.hours += 4 * HOUR);
        let table: &[(&str, Change, Change, Option<&str>)] = &[
            ("more hours", &|_| {}, &longer, Some("the same samplers are spread over more hours")),
            (
                "sites close later",
                &|_| {},
                &open_longer,
                Some("sites close 4 h later: late comers may come until then"),
            ),
            (
                "sites close later and nobody comes late",
                &|m| m.streets.iter_mut().for_each(|s| s.late_share = 0.0),
                &open_longer,
                None,
            ),
            (
                "more infected",
                &|m| m.recall.prevalence = 0.001,
                &|m| m.recall.prevalence = 0.05,
                Some("there are more recalls: "),
            ),
            (
                "fewer infected",
                &|m| m.recall.prevalence = 0.05,
                &|m| m.recall.prevalence = 0.01,
                None,
            ),
            (
                "more infected and fewer vehicles",
                &|_| {},
                &|m| {
                    m.recall.prevalence = 0.05;
                    m.streets[0].vehicles -= 1;
                },
                None,
            ),
            (
                "more infected and sites close later",
                &|_| {},
                &|m| {
                    m.recall.prevalence = 0.05;
                    open_longer(m);
                },
                None,
            ),
            (
                "more hours and fewer vehicles",
                &|_| {},
                &|m| {
                    longer(m);
                    m.streets[0].vehicles -= 1;
                },
                None,
            ),
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
            assert!(told.is_none() || zh.contains("所以"), "{what}: {zh}");
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

    /// A plate is not hours, nor is a day what sites that close an hour later can make of it.
    #[test]
    fn a_reason_explains_the_size_or_is_none() {
        let before = example::city(1);
        let more = |change: &dyn Fn(&mut Model)| {
            let mut after = before.clone();
            change(&mut after);
            after
        };
        let unit = more(&|m| m.labs[0].stages[3].add_unit());
        let turn = turn(&unit.labs[0]);
        let hour = more(&|m| m.streets.iter_mut().for_each(|s| s.hours += HOUR));
        let spread = more(&|m| {
            m.streets
                .iter_mut()
                .for_each(|s| (s.hours, s.desk_rate) = (s.hours + HOUR, s.desk_rate * 0.9));
        });
        let both = spread.streets.iter().zip(&before.streets);
        let slower = both.map(|(b, a)| last_of_queue(b) - last_of_queue(a)).fold(0.0, f64::max);
        assert!(slower > 0.0);
        let day = 24.0 * f64::from(HOUR);
        let hours = f64::from(HOUR);
        for (what, after, later, told) in [
            ("a turn", &unit, turn, Some("plates start less full")),
            ("more than a turn", &unit, turn + 2.0, None),
            ("an hour", &hour, hours, Some("sites close 1 h later")),
            ("a day", &hour, day, None),
            ("by the pace", &spread, slower, Some("so tubes come more slowly.")),
            ("by pace and closing", &spread, slower + hours, Some(", and sites close 1 h later,")),
            ("by neither", &spread, day, None),
        ] {
            let why = why_later(&before, after, &[0], &paired(-later - 1.0));
            let en = why.map(|why| why.en);
            assert_eq!(en.is_some(), told.is_some(), "{what}: {en:?}");
            assert!(en.unwrap_or_default().contains(told.unwrap_or_default()), "{what}");
        }
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
