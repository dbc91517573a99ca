//! Any change that a question names: what it does to the round, what one more of each saves, and what is refused.

use super::*;
use crate::planner::field_more::{Crew, best_field, with_desks};
use crate::planner::fluid::{self, Saved};
use crate::planner::model::{HOUR, Model};
use crate::planner::round::Round;
use crate::planner::study::{self, Paired};
use crate::planner::what_if::{
    Alter, Altered, At, done_anew, labs_concerned, labs_done, labs_words, place_named, places,
};

/// Two districts, one of two streets, and two labs that both may serve the first.
fn town(one_to_one: bool) -> City {
    let mut east = district("D1", 60_000, 60);
    east.streets = vec![street("S1", 40_000, None), street("S2", 20_000, None)];
    east.fleet =
        Some(Fleet { vehicles: 9, capacity_tubes: 500, trips_per_day: None, origin: origin() });
    let west = district("D2", 30_000, 30);
    let labs = vec![lab("L1", &["D1"], 4), lab("L2", &["D1", "D2"], 6)];
    City { one_to_one, ..city(vec![east, west], labs) }
}

fn kept(city: &City, changes: &[Alter]) -> (Model, Model) {
    let round = Round::of(city).expect("a round");
    let altered = Altered::of(city, changes).expect("possible");
    let with = altered.kept(&round).expect("a round");
    (round.model, with.model)
}

#[test]
fn a_city_that_has_not_changed_keeps_its_round() {
    for one_to_one in [false, true] {
        let (before, after) = kept(&town(one_to_one), &[]);
        assert_eq!(before, after);
        assert!(labs_concerned(&before, &after).is_empty());
    }
    assert!(kept(&town(false), &[]).0.streets.len() > 3, "no street is divided: a poor example");
}

/// What each change makes of the round with every street at its lab, and that a city of its own has the same numbers.
#[test]
fn each_change_is_in_the_round() {
    let city = town(true);
    let sum = |of: fn(&crate::planner::model::Street) -> u32| {
        move |model: &Model| model.streets.iter().map(of).sum::<u32>() as f64
    };
    let (desks, vehicles, pool) = (sum(|s| s.desks), sum(|s| s.vehicles), sum(|s| s.pool));
    let field = |at, item, more| Alter::Field { at, item, more };
    let (d1, s2) = (At::District(0), At::Street(0, 1));
    let slower = |model: &Model| model.streets[0].desk_rate;
    let units = |model: &Model| f64::from(model.labs[0].stages[2].units);
    let works = |model: &Model| model.labs[1].stages[2].working_share();
    let machines = |model: &Model| model.labs[0].stages[5].working_share();
    type Look<'l> = &'l dyn Fn(&Model) -> f64;
    let rows: [(Alter, Look<'_>, f64, f64); 13] = [
        (field(d1, FieldItem::Desk, 6), &desks, 90.0, 96.0),
        (field(d1, FieldItem::Desk, -6), &desks, 90.0, 84.0),
        (field(s2, FieldItem::Desk, 5), &desks, 90.0, 95.0),
        (field(s2, FieldItem::Vehicle, 2), &vehicles, 12.0, 14.0),
        (field(d1, FieldItem::Vehicle, 3), &vehicles, 12.0, 15.0),
        // 120 samplers can do more than 60 desks; 10 of them are fewer than the desks.
        (field(d1, FieldItem::Sampler, -110), &desks, 90.0, 40.0),
        (field(d1, FieldItem::Sampler, -40), &slower, 118.7, 118.7),
        (Alter::Pool { at: At::City, persons: 20 }, &pool, 30.0, 60.0),
        (Alter::Pool { at: s2, persons: 5 }, &pool, 30.0, 25.0),
        (Alter::Prevalence { share: 0.02 }, &|m: &Model| m.recall.prevalence, 0.0, 0.02),
        (
            Alter::Turnout { permille: 500 },
            &|m: &Model| f64::from(m.streets[0].persons),
            40_000.0,
            20_000.0,
        ),
        (
            Alter::SamplingHours { hours: 8 },
            &|m: &Model| f64::from(m.streets[0].hours / HOUR),
            16.0,
            8.0,
        ),
        (Alter::Staff { lab: 0, stage: StageKind::Decap, more: -6 }, &units, 4.0, 3.0),
    ];
    for (change, look, was, is) in rows {
        let (before, after) = kept(&city, &[change]);
        if was > 0.0 {
            assert!((look(&before) - was).abs() < 1e-6, "{change:?}: {}", look(&before));
        }
        assert!((look(&after) - is).abs() < 1e-6, "{change:?}: {}", look(&after));
        // As a city of its own: the same but for who sends where.
        let anew = Altered::of(&city, &[change]).unwrap().anew().expect("a round").model;
        assert!((look(&anew) - is).abs() < 1e-6, "{change:?}: {}", look(&anew));
    }
    // What is going on when a shift ends goes on to its end.
    let (before, after) = kept(&city, &[Alter::ShiftHours { lab: Some(1), hours: 12 }]);
    assert!(works(&before) > 0.999 && (0.5..0.6).contains(&works(&after)), "{}", works(&after));
    let (before, after) = kept(&city, &[Alter::InstrumentHours { lab: None, hours: 24 }]);
    assert!(machines(&before) < 0.8 && machines(&after) > 0.999);
    assert_eq!(labs_concerned(&before, &after), [0, 1]);
    // A change at one lab concerns that lab, one of a street the lab that it sends to.
    for (change, labs) in [
        (Alter::ShiftHours { lab: Some(1), hours: 12 }, vec![1]),
        (field(At::District(1), FieldItem::Desk, 1), vec![1]),
        (Alter::Prevalence { share: 0.02 }, vec![0, 1]),
    ] {
        let (before, after) = kept(&city, &[change]);
        assert_eq!(labs_concerned(&before, &after), labs, "{change:?}");
    }
}

/// What stands in the city file beside the number that is asked about.
#[test]
fn a_change_is_made_where_it_is_asked_for_and_nowhere_else() {
    let with = |city: &City, change: Alter| Altered::of(city, &[change]).expect("possible").city;
    let mut city = town(true);
    // Districts with hours of their own keep the hours that are asked for the whole city, too.
    city.districts[0].sampling = Some(Sampling { shifts: 2, hours: 5, origin: origin() });
    let hours = kept(&city, &[Alter::SamplingHours { hours: 8 }]).1;
    assert!(hours.streets.iter().all(|street| street.hours == 8 * HOUR));
    // Shifts begin when those of the lab do, and are of eight hours at most.
    city.labs[0].shifts = vec![Shift { from_s: 7200, to_s: 36_000, percent: 100 }];
    let shifts = &with(&city, Alter::ShiftHours { lab: Some(0), hours: 12 }).labs[0].shifts;
    let told: Vec<_> = shifts.iter().map(|shift| (shift.from_s, shift.to_s)).collect();
    assert_eq!(told, [(7200, 28_800), (28_800, 50_400)]);
    // A district without streets is its own street: in its pool, and among the numbers of the streets behind it.
    let pools = |model: &Model| model.streets.iter().map(|s| s.pool).collect::<Vec<_>>();
    let five = kept(&city, &[Alter::Pool { at: At::Street(1, 0), persons: 5 }]).1;
    assert_eq!(pools(&five), [10, 10, 5]);
    city.districts.reverse();
    let vehicle = Alter::Field { at: At::Street(1, 1), item: FieldItem::Vehicle, more: 2 };
    let (before, after) = kept(&city, &[vehicle]);
    let more: Vec<u32> =
        after.streets.iter().zip(&before.streets).map(|(a, b)| a.vehicles - b.vehicles).collect();
    assert_eq!(more, [0, 0, 2]);
}

/// A lab without tubes is no concern, and of several the last one counts.
#[test]
fn labs_with_tubes_are_concerned_and_the_last_of_them_counts() {
    let city = town(true);
    let mut model = Round::of(&city).expect("a round").model;
    model.streets.iter_mut().for_each(|street| street.lab = 0);
    let mut more = model.clone();
    more.labs[1].stages[0].add_unit();
    assert!(labs_concerned(&model, &more).is_empty());
    more.labs[0].stages[0].add_unit();
    assert_eq!(labs_concerned(&model, &more), [0]);
    let flow = fluid::city(&Round::of(&city).expect("a round").model);
    let [first, second] = [0, 1].map(|lab| flow.labs[lab].finish);
    assert_ne!(first, second);
    assert_eq!(labs_done(&flow, &[0, 1]), first.max(second));
    assert_eq!(labs_words(&city, &[0]), city.labs[0].name);
    assert_eq!(labs_words(&city, &[0, 1]).en, "the 2 labs that it concerns (of 2)");
}

/// Of what saves as much the first is told, with what it saves the lab and the city, each by itself.
#[test]
fn the_best_of_a_street_is_told_with_what_it_saves_lab_and_city() {
    let hour = i64::from(HOUR);
    let all = FieldItem::ALL.map(|item| FieldMore {
        street: 1,
        item,
        takes: [0, 1, 0],
        saves: Saved { lab: hour, city: 0 },
    });
    assert_eq!(best_field(&all).expect("one").item, FieldItem::Desk);
    let round = Round::of(&town(true)).expect("a round");
    let words = field_words(&round, &all).expect("it is told");
    assert_eq!(
        words.en,
        "The street that it waits for longest is S2. There, 1 sampler more (one desk stands idle for want of people) brings this \
         lab: 1 h earlier; the whole city: no change."
    );
    assert!(
        words
            .zh
            .contains("增加 1 名采样人员（现有采样台因缺人闲置），该实验室提前 1 小时，全市不变"),
        "{}",
        words.zh
    );
    let desk = FieldMore { takes: [1, 0, 0], ..all[0] };
    assert_eq!(desk.words().en, "one more desk (there are people for it)");
}

/// Desks, samplers and registrars with so many desks more at work: 118.7 persons an hour for 16 hours are 1.19 of what a sampler
/// does in a day.
#[test]
fn a_desk_takes_the_people_with_whom_it_is_as_fast_as_the_others() {
    for (have, more, then) in [
        ([10, 20, 10], 1, [11, 20, 11]),
        ([10, 12, 10], 1, [11, 14, 11]),
        ([10, 10, 10], 1, [11, 11, 11]),
        ([10, 11, 20], 2, [12, 14, 20]),
        // Desks that stand idle lack people alone.
        ([10, 8, 8], 1, [10, 9, 9]),
        ([10, 8, 8], 5, [13, 13, 13]),
        ([10, 20, 10], -2, [8, 18, 8]),
        ([10, 10, 10], -10, [0, 0, 0]),
    ] as [(Crew, i64, Crew); 8]
    {
        assert_eq!(with_desks(&norm(), 16, have, more), then, "{have:?} {more}");
    }
    // In a short day one sampler could keep two desks as fast; each desk still has its own.
    assert_eq!(with_desks(&norm(), 8, [10, 20, 10], -2), [8, 18, 8]);
}

/// What one more of each saves is what the question about it is told, to the millisecond.
#[test]
fn one_more_of_a_street_saves_what_the_round_with_it_saves() {
    let mut seen = [false; 2];
    let mut by_vehicle = 0;
    for (one_to_one, carries) in [(false, None), (true, None), (true, Some(5))] {
        let mut city = town(one_to_one);
        // One vehicle with so little room keeps its lab waiting whatever is at the desks.
        city.districts[1].fleet = carries.map(|capacity_tubes| Fleet {
            vehicles: 1,
            capacity_tubes,
            trips_per_day: None,
            origin: origin(),
        });
        // Few desks in the west: it is last.
        (city.districts[1].have.desks, city.districts[1].have.samplers) = (6, 7);
        let round = Round::of(&city).expect("a round");
        let flow = fluid::city(&round.model);
        let all = field_more(&city, &round, &flow);
        for one in all.iter().flatten().flatten() {
            let at = [At::Street(0, 0), At::Street(0, 1), At::Street(1, 0)][one.street];
            let change = Alter::Field { at, item: one.item, more: 1 };
            let altered = Altered::of(&city, &[change]).expect("possible");
            let with = altered.kept(&round).expect("a round").model;
            let after = fluid::city(&with);
            let mut labs: Vec<usize> =
                round.whole[one.street].parts.iter().map(|p| p.lab).collect();
            labs.sort_unstable();
            let saved =
                |of: &dyn Fn(&fluid::CityFlow) -> u32| i64::from(of(&flow)) - i64::from(of(&after));
            assert_eq!(one.saves.city, saved(&|flow| flow.finish), "{one:?}");
            assert_eq!(one.saves.lab, saved(&|flow| labs_done(flow, &labs)), "{one:?}");
            seen[usize::from(one.saves.city > 0)] = true;
            by_vehicle =
                by_vehicle.max(if one.item == FieldItem::Vehicle { one.saves.lab } else { 0 });
        }
        // 7 samplers cannot keep 7 desks as fast as 6: two more are needed.
        let desk = all.iter().flatten().flatten().find(|one| one.street == 2);
        assert_eq!(desk.expect("the west is last at its lab").takes, [1, 2, 0]);
    }
    assert_eq!(seen, [true, true]);
    assert!(by_vehicle > i64::from(HOUR), "{by_vehicle}");
}

/// Of one lab, it is the comparison of that lab; of equal models there is nothing to tell.
#[test]
fn pairs_of_a_city_are_those_of_its_labs() {
    let model = Round::of(&town(false)).expect("a round").model;
    let mut more = model.clone();
    let binding = fluid::city(&model).labs[0].binding;
    more.labs[0].stages[binding.index()].add_unit();
    let labs = labs_concerned(&model, &more);
    assert_eq!(labs, [0]);
    let city = study::what_if_city(&model, &more, &labs, 3, 25, &|| true);
    assert_eq!(city, study::what_if(&model, 0, &more.labs[0], 3, 25, &|| true));
    assert!(city.saved > 0.0);
    let same = study::what_if_city(&model, &model, &[0, 1], 3, 10, &|| true);
    assert_eq!((same.pairs, same.saved, same.half_width), (10, 0.0, Some(0.0)));
    assert_eq!(study::what_if_city(&model, &model, &[0], 3, 10, &|| false).pairs, 0);
}

#[test]
fn what_cannot_be_asked_is_refused_with_what_can() {
    let city = town(true);
    let refused = |change| Altered::of(&city, &[change]).expect_err("a refusal");
    let field = |at, item, more| Alter::Field { at, item, more };
    for (change, zh, en) in [
        (
            field(At::City, FieldItem::Desk, 1),
            "可用：D1、D1/S1、D1/S2、D2",
            "there are: D1, D1/S1, D1/S2 and D2",
        ),
        (field(At::District(1), FieldItem::Desk, 0), "0 不可用", "0 is not possible"),
        (
            field(At::District(1), FieldItem::Desk, -31),
            "D2 的采样台（含人员）至多可减少 30，不能减少 31",
            "take away 30 at most",
        ),
        (
            field(At::Street(0, 0), FieldItem::Vehicle, -6),
            "每处至少保留 1 辆",
            "take away 5 at most",
        ),
        (
            Alter::Staff { lab: 0, stage: StageKind::Pcr, more: 1 },
            "无需人员看管",
            "runs without people",
        ),
        (
            Alter::Staff { lab: 0, stage: StageKind::Decap, more: -99 },
            "L1 的人员",
            "L1 cannot have 99",
        ),
        (Alter::Pool { at: At::City, persons: 51 }, "请填写 1 至 50", "give 1 to 50"),
        (Alter::Prevalence { share: 1.5 }, "请填写 0 至 1", "give 0 to 1"),
        (Alter::Turnout { permille: 0 }, "1 至 100", "give 1 to 100"),
        (Alter::SamplingHours { hours: 25 }, "请填写 1 至 24", "give 1 to 24"),
    ] {
        let words = refused(change);
        assert!(words.zh.contains(zh) && words.en.contains(en), "{words:?}");
    }
    // One after the other: what the first takes away the second cannot.
    let fewer = field(At::District(1), FieldItem::Desk, -20);
    assert!(Altered::of(&city, &[fewer]).is_ok());
    let words = Altered::of(&city, &[fewer, fewer]).expect_err("only ten are left");
    assert!(words.en.contains("take away 10 at most"), "{}", words.en);
    // Desks without a sampler are no desks at work; of 10 vehicles a third of the people has 3, of which one stays.
    let mut idle = town(true);
    idle.districts[1].have.samplers = 10;
    idle.districts[0].fleet.as_mut().expect("a fleet").vehicles = 10;
    for (change, en) in [
        (field(At::District(1), FieldItem::Desk, -11), "take away 10 at most"),
        (field(At::Street(0, 1), FieldItem::Vehicle, -3), "take away 2 at most"),
    ] {
        let words = Altered::of(&idle, &[change]).expect_err("a refusal");
        assert!(words.en.contains(en), "{}", words.en);
    }
    assert_eq!(places(&city), ["D1", "D1/S1", "D1/S2", "D2"]);
    for (code, at) in [
        ("", Some(At::City)),
        ("D2", Some(At::District(1))),
        ("S2", Some(At::Street(0, 1))),
        ("D1/S2", Some(At::Street(0, 1))),
        ("D2/S2", None),
        ("S9", None),
    ] {
        assert_eq!(place_named(&city, code), at, "{code}");
    }
}

/// Streets are assigned by the mean pace of labs; where that is no earlier by the flows, they stay.
#[test]
fn streets_assigned_anew_are_never_later_than_those_that_stay() {
    let mut later = 0;
    for (units, persons) in [(4, 20_000), (5, 30_000), (6, 40_000), (7, 50_000), (9, 70_000)] {
        let labs = vec![lab("L1", &["D1", "D2"], units), lab("L2", &["D1", "D2"], 6)];
        let city = city(vec![district("D1", 60_000, 60), district("D2", persons, 30)], labs);
        let round = Round::of(&city).expect("a round");
        for stage in StageKind::ALL {
            let altered = Altered::of(&city, &[]).expect("possible");
            let more = with_units(&city, 0, stage, 1);
            let kept = fluid::ends_of(&round.kept(&more).expect("a round").model).1;
            let anew = fluid::ends_of(&Round::of(&more).expect("a round").model).1;
            later += u32::from(anew > kept);
            assert_eq!(assigned_anew(&city, 0, stage, 1, kept), Some(anew.min(kept)));
            assert_eq!(done_anew(&altered, 1), Some(1));
        }
    }
    assert!(later > 0, "poor examples: none is later");
}

/// One pair is a number and no certainty; two that are alike are as certain as they say.
#[test]
fn one_pair_has_no_interval() {
    for (both, saved, half) in [
        (&[][..], 0.0, None),
        (&[(90.0, 60.0)], 30.0, None),
        (&[(90.0, 60.0), (80.0, 50.0)], 30.0, Some(0.0)),
        (&[(90.0, 60.0), (80.0, 60.0)], 25.0, Some(9.8)),
    ] {
        let found = Paired::of(both);
        assert_eq!((found.pairs, found.saved), (both.len(), saved));
        assert_eq!(found.half_width.map(|half| (half * 10.0).round() / 10.0), half, "{both:?}");
    }
}
