//! Streets that reach no lab: the answer is no in every layer, with the nearest lab, the limit, and what would help.

use super::*;
use crate::planner::reach::{self, NoReach};
use crate::planner::round::{self, Round};
use crate::planner::{ChainStage, Item, Place, Written};

/// Two streets, the second so many hundredths of a degree north (1.1 km each) of the first, where the lab is; ways at 30
/// km an hour. A second lab lies at the second street and does not serve the district.
fn far(hundredths: i64) -> City {
    let at = |north: i64| Some(Place { lon_e6: 113_000_000, lat_e6: 35_000_000 + north * 10_000 });
    let mut d = district("1", 60_000, 200);
    d.streets = vec![street("a", 50_000, None), street("b", 10_000, None)];
    d.streets[0].place = at(0);
    d.streets[1].place = at(hundredths);
    let mut own = lab("L", &["1"], 60);
    own.place = at(0);
    let mut other = lab("M", &["2"], 60);
    other.place = at(hundredths);
    let mut city = city(vec![d, district("2", 1000, 20)], vec![own, other]);
    city.norm.transport.speed_kmh_tenths.value = 300;
    city.max_travel_s = Some(3600);
    city
}

fn unworkable(city: &City) -> Words {
    match Round::of(city) {
        Err(error @ round::Error::Lacking { .. }) => error.words(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("a round"),
    }
}

#[test]
fn a_street_is_cut_off_when_no_lab_within_its_reach_works() {
    type Change<'c> = &'c dyn Fn(&mut City);
    // What is changed in the city with a street 66.7 km from its lab, 133.5 min at 30 km/h; which streets are cut off; what
    // is said of them.
    let table: &[(Change, &[&str], &str)] = &[
        (
            &|_| {},
            &["b"],
            "the nearest, L L, is 133.5 min away, over the 60 min of max_travel_minutes: let M M (30 min away) serve its district",
        ),
        (&|c| c.max_travel_s = None, &[], ""),
        (&|c| c.max_travel_s = Some(8007), &[], ""),
        (&|c| c.labs[1].serves.push("1".into()), &[], ""),
        (
            &|c| c.labs[1].stages[2].units = 0,
            &["b", "2"],
            "name a lab within 60 min, ask for a mobile lab, or raise max_travel_minutes to 133.5 or more",
        ),
        (&|c| c.labs[1].outside = true, &["b"], "name a lab within 60 min, ask"),
        // A limit below the norm's median of 30 min: no lab helps, wherever it is.
        (
            &|c| c.max_travel_s = Some(1200),
            &["a", "b", "2"],
            "the norm's own time on the road is 30 min, so no lab helps: raise max_travel_minutes to 30 or more",
        ),
        (&|c| c.labs[0].serves.clear(), &["a", "b"], "reaches no lab: none serves its district"),
        // Its own lab within reach stands idle, and the one that works is too far.
        (
            &|c| {
                c.labs[1].serves.push("1".into());
                c.labs[1].stages[2].staff = 0;
            },
            &["b", "2"],
            "b reaches only labs that cannot work; the nearest that works, L L, is 133.5 min away, over the 60 min of max_travel_minutes: let another lab serve its district, or raise max_travel_minutes to 133.5 or more",
        ),
        (
            &|c| {
                c.max_travel_s = None;
                c.labs[0].stages[5].units = 0;
            },
            &["a", "b"],
            "reaches only labs that cannot work: L L (30 min away, no unit for PCR): give these labs units and people, or let another lab serve its district",
        ),
    ];
    for (row, (change, cut_off, said)) in table.iter().enumerate() {
        let mut city = far(60);
        change(&mut city);
        let found = reach::cut_off(&city);
        let streets: Vec<&str> = found.iter().map(|one| one.street.as_str()).collect();
        assert_eq!(&streets, cut_off, "row {row}");
        let plan = solve(&city, 240);
        assert_eq!(plan.cut_off, found, "row {row}");
        // No target is long enough, and all layers agree.
        assert_eq!(plan.verdict.yes, found.is_empty(), "row {row}");
        if found.is_empty() {
            assert!(Round::of(&city).is_ok(), "row {row}");
            continue;
        }
        assert_eq!((plan.verdict.minutes, plan.verdict.norms_met), (None, false), "row {row}");
        let words = reach::words(&found).expect("words");
        assert!(words.en.contains(said), "row {row}: {}", words.en);
        let told = unworkable(&city);
        for one in &found {
            assert!(
                words.en.contains(&one.name.en) && words.zh.contains(&one.name.zh),
                "row {row}"
            );
            // Once: by its labs where nothing else would help, else by its own name.
            match &one.why {
                NoReach::Idle { labs, beyond: None } => {
                    for (lab, stage, _) in labs {
                        let named = format!("{} {} has", lab.code, lab.name.en);
                        let line = told.en.lines().find(|line| line.starts_with(&named));
                        let line = line.unwrap_or_else(|| panic!("row {row}: {}", told.en));
                        assert!(line.contains(&stage.name().en), "row {row}: {line}");
                    }
                    let again = format!("{} reaches", one.name.en);
                    assert!(!told.en.contains(&again), "row {row}: {}", told.en);
                }
                _ => {
                    let once = told.en.matches(&format!("{} reaches", one.name.en)).count();
                    assert_eq!(once, 1, "row {row}: {}", told.en);
                }
            }
        }
    }
}

#[test]
fn the_way_itself_binds_where_a_street_is_cut_off_and_not_the_labs() {
    let plan = solve(&far(60), 240);
    let binding = &plan.verdict.binding;
    assert_eq!((binding.stage, binding.minutes), (ChainStage::Way, None));
    assert_eq!(binding.tightest.as_ref().map(|(code, _)| code.as_str()), Some("b"));
    let labs = plan.verdict.stages.iter().filter(|s| matches!(s.stage, ChainStage::Lab(_)));
    assert!(labs.clone().count() == 7 && labs.into_iter().all(|stage| stage.minutes.is_some()));
    assert_eq!((plan.districts[0].tubes_unmet, plan.total.tubes_unmet), (1000, 1000));
    // The street that reaches the lab goes there, and only that.
    assert_eq!(plan.labs[0].load, 5000);
}

#[test]
fn the_rules_send_a_street_only_to_labs_within_its_reach() {
    let mut city = far(60);
    city.labs[1].serves.push("1".into());
    let plan = solve(&city, 240);
    let load = |plan: &Plan| plan.labs.iter().map(|lab| lab.load).collect::<Vec<_>>();
    assert_eq!(load(&plan), [5000, 1100]);
    // Told where to send, a street sends there, however far it is.
    let sent = [Sent { street: "1/b".into(), lab: 0 }];
    assert_eq!(load(&solve_sent(&city, 240, &sent)), [6000, 100]);
    city.labs[1].serves.pop();
    let told = solve_sent(&city, 240, &sent);
    assert_eq!((told.verdict.yes, told.cut_off.len()), (true, 0));
}

#[test]
fn filling_founds_a_lab_in_the_street_and_says_yes_only_where_that_helps() {
    let city = far(60);
    let plan = solve(&city, 24);
    let lines: Vec<_> = plan.shortages.iter().filter(|line| line.item == Item::Lab).collect();
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!((line.place.as_str(), line.short, line.blocks), ("b", 1, true));
    assert!(line.mend.zh.contains("133.5 分钟") && line.mend.en.contains("over the 60 min"));
    let filled = fill(&city, &plan);
    let founded = &filled.labs[2];
    assert_eq!((founded.code.as_str(), founded.serves.as_slice()), ("mobile-b", &["1".into()][..]));
    assert_eq!(founded.place, city.districts[0].streets[1].place);
    let after = solve(&filled, 24);
    assert!(after.verdict.yes && after.cut_off.is_empty(), "{:?}", after.shortages);
    let round = Round::of(&filled).expect("a round");
    let b = round.streets.iter().position(|s| s.code == "b").expect("street b");
    assert_eq!(round.model.streets[b].lab, 2);
    // A limit that no way keeps cannot be filled.
    let short = City { max_travel_s: Some(1200), ..city };
    let plan = solve(&short, 24);
    assert!(plan.shortages.iter().all(|line| line.item != Item::Lab));
    let filled = fill(&short, &plan);
    let after = solve(&filled, 24);
    assert!(!after.verdict.yes && !after.verdict.norms_met && after.shortages.is_empty());
    assert!(unworkable(&filled).zh.contains("请把 max_travel_minutes 放宽到 30 以上"));
}

#[test]
fn what_is_cut_off_is_named_with_its_line_and_many_streets_are_counted() {
    let mut city = far(60);
    let mut written = Written { file: "city.toml".into(), ..Written::default() };
    written.lines.insert("b".into(), 57);
    city.written = Some(written);
    assert!(unworkable(&city).en.starts_with("b (city.toml:57) reaches no lab: "));
    assert!(unworkable(&city).zh.starts_with("b（city.toml:57）送不到任何实验室：最近的 L L 在途"));
    let place = city.districts[0].streets[1].place;
    let streets = &mut city.districts[0].streets;
    for i in 0..6 {
        streets.push(street(&format!("c{i}"), 10, None));
        streets[2 + i].place = place;
    }
    let words = unworkable(&city);
    assert!(words.en.ends_with("; 2 more streets have no lab either"), "{}", words.en);
    assert!(words.zh.ends_with("；另有 2 个街道同样没有可送的实验室"), "{}", words.zh);
    let named = reach::cut_off(&city).into_iter();
    assert_eq!(named.filter(|one| matches!(one.why, NoReach::TooFar { .. })).count(), 7);
}

#[test]
fn each_reason_why_a_street_is_cut_off_is_told_with_what_to_do() {
    let near = |code: &str, name: (&str, &str), minutes: u64| reach::Near {
        code: code.to_owned(),
        name: Words::new(name.0, name.1),
        way_s: minutes * 60,
    };
    let (east, west) = (("东所", "East Lab"), ("西所", "West Lab"));
    let too_far = |limit: u64, least: u64, other: Option<reach::Near>| NoReach::TooFar {
        nearest: near("LE", east, 90),
        limit_s: limit * 60,
        least_s: least * 60,
        other,
    };
    let idle = |units: bool, beyond: Option<(reach::Near, u64)>| NoReach::Idle {
        labs: vec![(near("LE", east, 40), StageKind::Decap, units)],
        beyond,
    };
    for (why, zh, en) in [
        (
            NoReach::Unserved,
            "送不到任何实验室：没有实验室承检该区县，请指定承检机构或调派移动方舱实验室",
            "reaches no lab: none serves its district: name a lab or ask for a mobile one",
        ),
        (
            too_far(60, 30, None),
            "送不到任何实验室：最近的 LE 东所 在途 90 分钟，超过 max_travel_minutes 的 60 分钟，请指定在途 60 分钟以内的实验室，或调派移动方舱实验室，或把 max_travel_minutes 放宽到 90 以上",
            "reaches no lab: the nearest, LE East Lab, is 90 min away, over the 60 min of max_travel_minutes: name a lab within 60 min, ask for a mobile lab, or raise max_travel_minutes to 90 or more",
        ),
        (
            too_far(60, 30, Some(near("LW", west, 50))),
            "送不到任何实验室：最近的 LE 东所 在途 90 分钟，超过 max_travel_minutes 的 60 分钟，请指定 LW 西所（在途 50 分钟）承检该区县，或调派移动方舱实验室，或把 max_travel_minutes 放宽到 90 以上",
            "reaches no lab: the nearest, LE East Lab, is 90 min away, over the 60 min of max_travel_minutes: let LW West Lab (50 min away) serve its district, ask for a mobile lab, or raise max_travel_minutes to 90 or more",
        ),
        (
            too_far(20, 30, None),
            "送不到任何实验室：最近的 LE 东所 在途 90 分钟，超过 max_travel_minutes 的 20 分钟，请把 max_travel_minutes 放宽到 90 以上（规范包的在途时间即为 30 分钟，增加实验室无效）",
            "reaches no lab: the nearest, LE East Lab, is 90 min away, over the 20 min of max_travel_minutes: the norm's own time on the road is 30 min, so no lab helps: raise max_travel_minutes to 90 or more",
        ),
        (
            idle(false, None),
            "能送到的实验室都不能运行：LE 东所（在途 40 分钟，开盖加样无设备），请补足这些实验室的设备和人员，或指定其他实验室承检",
            "reaches only labs that cannot work: LE East Lab (40 min away, no unit for decapping): give these labs units and people, or let another lab serve its district",
        ),
        (
            idle(true, None),
            "能送到的实验室都不能运行：LE 东所（在途 40 分钟，开盖加样无人员），请补足这些实验室的设备和人员，或指定其他实验室承检",
            "reaches only labs that cannot work: LE East Lab (40 min away, nobody for decapping): give these labs units and people, or let another lab serve its district",
        ),
        (
            idle(true, Some((near("LW", west, 75), 3600))),
            "能送到的实验室都不能运行；能运行的最近一家 LW 西所 在途 75 分钟，超过 max_travel_minutes 的 60 分钟，请指定其他实验室承检，或把 max_travel_minutes 放宽到 75 以上",
            "reaches only labs that cannot work; the nearest that works, LW West Lab, is 75 min away, over the 60 min of max_travel_minutes: let another lab serve its district, or raise max_travel_minutes to 75 or more",
        ),
    ] {
        let street = reach::CutOff {
            district: "1".to_owned(),
            street: "a".to_owned(),
            name: Words::new("一街", "First Street"),
            tubes: 10,
            written: Some("town.toml:7".to_owned()),
            why,
        };
        let told = reach::words(&[street]).expect("a reason");
        assert_eq!(told.zh, format!("一街（town.toml:7）{zh}"));
        assert_eq!(told.en, format!("First Street (town.toml:7) {en}"));
    }
}
