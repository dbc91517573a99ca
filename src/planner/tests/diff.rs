//! What `diff` names, one line per change; and that it names nothing where nothing changed.

use proptest::prelude::*;

use super::properties::cities;
use super::*;

fn town() -> City {
    let mut town = city(
        vec![district("1", 600_000, 40), district("2", 400_000, 20)],
        vec![lab("L", &["1"], 4), lab("M", &["2"], 3)],
    );
    for one in &mut town.districts {
        one.streets = ["a", "b"]
            .map(|part| Street {
                code: format!("{}-{part}", one.code),
                name: Words::new(part, part),
                population: n(one.population.value / 2),
                have: None,
                pool: None,
                pool_origin: None,
                zone: None,
                place: None,
            })
            .to_vec();
    }
    town.norm.zones =
        vec![ZoneNorm { key: "low".to_owned(), title: Words::new("低", "low"), pool: n(20) }];
    town.claims = vec![Claim {
        place: Words::new("甲", "A"),
        cyclers: 5,
        extractors: 1,
        tubes: 3600,
        origin: origin(),
    }];
    town
}

type Edit = fn(&mut City);

#[test]
fn each_change_is_named_once_with_what_was_and_what_is() {
    use ChangeKind::{Added, Origin as NewOrigin, Removed, Value};
    let edits: Vec<(Edit, &str, ChangeKind, &str, &str)> = vec![
        (|c| c.plan.version = 2, "plan.version", Value, "0", "2"),
        (|c| c.plan.author = Some("甲".into()), "plan.author", Added, "", "甲"),
        (|c| c.code = "9".into(), "code", Value, "0", "9"),
        (|c| c.name.en = "City".into(), "name", Value, "测试市 / Test", "测试市 / City"),
        (|c| c.target_h = 48, "target_hours", Value, "24", "48"),
        (|c| c.deadline = Some("4 月底".into()), "deadline", Added, "", "4 月底"),
        (|c| c.start_s = 27_030, "start", Value, "06:00", "07:30:30"),
        (|c| c.one_to_one = true, "one_to_one", Value, "false", "true"),
        (|c| c.max_travel_s = Some(2700), "max_travel_minutes", Added, "", "45"),
        (|c| c.population.value = 1, "population", Value, "1000000", "1"),
        (|c| c.norm.name = "x".into(), "norm.name", Value, "test", "x"),
        (|c| c.norm.pool.value = 20, "norm.persons_per_tube", Value, "10", "20"),
        (|c| c.norm.box_s.value = 3601, "norm.box_minutes", Value, "60", "60.017"),
        (
            |c| c.norm.derate.mean_permille.value = 885,
            "norm.derate.mean_percent",
            Value,
            "85",
            "88.5",
        ),
        (|c| c.norm.recall.hold_s.value = 0, "norm.recall.hold_minutes", Value, "15", "0"),
        (
            |c| c.norm.prevalence.rho_permille.value = 5,
            "norm.prevalence.rho_percent",
            Value,
            "10",
            "0.5",
        ),
        (
            |c| c.norm.stages[5].clock = Clock::Staffed,
            "norm.pcr.clock",
            Value,
            "instrument",
            "staffed",
        ),
        (
            |c| c.norm.zones[0].title.zh = "丙".into(),
            "norm.zone[low]",
            Value,
            "低 / low",
            "丙 / low",
        ),
        (|c| c.norm.zones[0].pool.value = 5, "norm.zone[low].persons_per_tube", Value, "20", "5"),
        (|c| c.districts[0].have.desks = 41, "district[1].have.desks", Value, "40", "41"),
        (|c| c.districts[1].pool = Some(5), "district[2].persons_per_tube", Added, "", "5"),
        (|c| c.districts[1].zone = Some("low".into()), "district[2].zone", Added, "", "low"),
        (
            |c| c.districts[0].place = Some(Place { lon_e6: 118_980_000, lat_e6: 42_188_300 }),
            "district[1].place",
            Added,
            "",
            "118.98, 42.1883",
        ),
        (
            |c| c.districts[0].stock.pcr.deposit_paid = true,
            "district[1].stock.pcr.deposit_paid",
            Value,
            "false",
            "true",
        ),
        (
            |c| c.districts[0].streets[1].population.value = 7,
            "district[1].street[1-b].population",
            Value,
            "300000",
            "7",
        ),
        (|c| c.labs[1].serves.push("1".into()), "lab[M].serves", Value, "2", "2, 1"),
        (|c| c.labs[0].outside = true, "lab[L].outside", Value, "false", "true"),
        (|c| c.labs[0].derate = Some(n(905)), "lab[L].derate_percent", Added, "", "90.5"),
        (
            |c| c.labs[0].shifts = vec![Shift { from_s: 28_800, to_s: 7200, percent: 50 }],
            "lab[L].shifts",
            Added,
            "",
            "08:00–02:00 50 %",
        ),
        (
            |c| c.labs[0].instrument_day = Some(InstrumentDay::Staggered { hours: 20 }),
            "lab[L].instrument_day",
            Added,
            "",
            "20 h",
        ),
        (|c| c.labs[0].stages[3].units = 9, "lab[L].extract.units", Value, "4", "9"),
        (|c| c.labs[0].stages[3].run_s = 1201, "lab[L].extract.run_minutes", Value, "20", "20.017"),
        (|c| c.claims[0].tubes = 1, "claim[1].tubes", Value, "3600", "1"),
        // Origins: of a number, of a group, of a whole lab.
        (
            |c| c.norm.pool.origin.status = Status::Norm,
            "norm.persons_per_tube",
            NewOrigin,
            "10",
            "10",
        ),
        (
            |c| c.districts[0].have.origin.source = "数".into(),
            "district[1].have.origin",
            NewOrigin,
            "",
            "",
        ),
        (
            |c| c.districts[0].stock.origin.status = Status::Measured,
            "district[1].stock.origin",
            NewOrigin,
            "",
            "",
        ),
        (|c| c.labs[0].origin.status = Status::Measured, "lab[L]", NewOrigin, "L / L", "L / L"),
        (|c| c.claims.clear(), "claim[1]", Removed, "甲 / A", ""),
    ];
    for (edit, path, kind, was, is) in edits {
        let (old, mut new) = (town(), town());
        edit(&mut new);
        let changes = diff(&old, &new);
        let found = changes
            .iter()
            .find(|c| c.path == path)
            .unwrap_or_else(|| panic!("{path}: {changes:?}"));
        assert_eq!((found.kind, found.was.as_str(), found.is.as_str()), (kind, was, is), "{path}");
        assert!(!found.title.zh.is_empty() && !found.title.en.is_empty(), "{path}");
        // A claim that is gone takes its numbers along; all else is one change.
        let expected = if kind == Removed { 4 } else { 1 };
        assert_eq!(changes.len(), expected, "{path}: {changes:?}");
    }
}

#[test]
fn a_new_status_and_a_new_source_are_said() {
    let (old, mut new) = (town(), town());
    new.districts[0].population = Sourced::new(600_000, "census", Status::Sourced);
    let changes = diff(&old, &new);
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].kind, ChangeKind::Origin);
    assert_eq!(changes[0].status(), Some((Status::Assumed, Status::Sourced)));
    assert_eq!(changes[0].source(), Some((&"test".into(), &"census".into())));
    new.districts[0].population.value = 1;
    let changes = diff(&old, &new);
    assert_eq!((changes[0].kind, changes[0].was.as_str()), (ChangeKind::Value, "600000"));
    assert_eq!(changes[0].status(), Some((Status::Assumed, Status::Sourced)));
}

#[test]
fn places_are_told_apart_by_their_codes_and_not_by_their_order() {
    let (old, mut new) = (town(), town());
    new.districts.reverse();
    new.labs.reverse();
    new.districts[0].streets.reverse();
    assert_eq!(diff(&old, &new), []);

    // A district goes: it and its streets, with all their numbers, where they stood.
    new.districts.retain(|d| d.code != "2");
    let gone = diff(&old, &new);
    assert!(
        gone.iter().all(|c| c.kind == ChangeKind::Removed && c.path.starts_with("district[2]"))
    );
    let paths: Vec<&str> = gone.iter().map(|c| c.path.as_str()).collect();
    assert_eq!(paths[..2], ["district[2]", "district[2].population"]);
    assert!(paths.contains(&"district[2].street[2-b].population"));
    assert_eq!(gone[1].was, "400000");
    // And comes: the same the other way round.
    let back = diff(&new, &old);
    assert!(back.iter().all(|c| c.kind == ChangeKind::Added));
    assert_eq!(back.iter().map(|c| c.path.as_str()).collect::<Vec<_>>(), paths);
}

#[test]
fn changes_stand_in_the_order_of_the_file_and_what_is_gone_where_it_was() {
    let (old, mut new) = (town(), town());
    new.labs[1].outside = true;
    new.labs.remove(0);
    new.districts[1].have.desks = 1;
    new.districts[0].streets.remove(0);
    new.norm.pool.value = 5;
    new.plan.version = 1;
    let heads: Vec<String> = diff(&old, &new)
        .iter()
        .map(|c| c.path.split('.').next().unwrap_or_default().to_owned())
        .collect();
    let mut once = heads.clone();
    once.dedup();
    assert_eq!(once, ["plan", "norm", "district[1]", "district[2]", "lab[L]", "lab[M]"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_city_does_not_differ_from_itself(c in cities()) {
        prop_assert_eq!(diff(&c, &c), []);
    }

    #[test]
    fn what_differs_has_a_change_and_the_way_back_is_as_long(a in cities(), b in cities()) {
        let (there, back) = (diff(&a, &b), diff(&b, &a));
        prop_assert_eq!(there.is_empty(), a == b);
        prop_assert_eq!(there.len(), back.len());
        let count = |list: &[Change], kind| list.iter().filter(|c| c.kind == kind).count();
        prop_assert_eq!(count(&there, ChangeKind::Added), count(&back, ChangeKind::Removed));
        for change in &there {
            let twin = back.iter().find(|c| c.path == change.path);
            prop_assert!(twin.is_some_and(|t| t.was == change.is && t.is == change.was));
        }
    }
}
