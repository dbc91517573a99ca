//! The parts of a city file that describe streets, vehicles, owners, shifts and versions, and the city's own constants.

use super::*;
use crate::planner::{Article, InstrumentDay, Ledger, Norm, Owner, Place, Shift};

/// A sound city that uses every key; the tests break one line of it at a time.
pub(super) const RICH: &str = r#"schema = 1
code = "1"
name = "小城"
name_en = "Small"
norm = "chifeng-2022"
start = "07:30"
one_to_one = true
max_travel_minutes = 45
population = { value = 1000, status = "sourced", source = "s" }
[plan]
version = 3
author = "甲"
approved_by = "乙"
approved_on = "2024-02-29"
note = "第三版"
[field]
ramp_percent = { value = 65, status = "measured", source = "own" }
[transport]
speed_kmh = { value = 32.5, status = "measured", source = "own" }
[recall]
delay_minutes = { value = 60, status = "measured", source = "own" }
[prevalence]
beta = { value = 999, status = "assumed", source = "own" }
[derate]
mean_percent = { value = 90, status = "measured", source = "own" }
spread_percent = { value = 5, status = "measured", source = "own" }
[sources]
s = "普查"
own = "本地实测"
[[district]]
code = "11"
name = "东区"
name_en = "East"
population = { value = 1000, status = "sourced", source = "s" }
zone = "prevention"
lon = 118.98
lat = 42.1883
[district.have]
status = "assumed"
source = "s"
sites = 2
desks = 5
samplers = 6
registrars = 5
[district.fleet]
status = "measured"
source = "own"
vehicles = 3
capacity_tubes = 1500
trips_per_day = 5
[district.sampling]
status = "measured"
source = "own"
shifts = 2
hours_per_shift = 7
[district.stock]
status = "assumed"
source = "s"
extraction = { physical = 600, agreement = 400, deposit_paid = true }
pcr = { physical = 600, agreement = 0, deposit_paid = false }
[[district.stock.held]]
owner = "street"
article = "tube"
physical = 100
agreement = 50
deposit_paid = true
[[district.stock.held]]
owner = "medical"
article = "tube"
physical = 200
agreement = 70
deposit_paid = false
[[district.stock.held]]
owner = "commerce"
article = "extraction"
physical = 600
agreement = 400
deposit_paid = true
[[district.street]]
code = "11-1"
name = "甲街道"
name_en = "First"
population = { value = 600, status = "assumed", source = "s" }
zone = "sealed"
lon = 118.9
lat = 42.1
have = { status = "assumed", source = "s", sites = 1, desks = 3, samplers = 4, registrars = 3 }
[[district.street]]
code = "11-2"
name = "乙街道"
name_en = "Second"
population = { value = 400, status = "assumed", source = "s" }
persons_per_tube = 5
have = { status = "assumed", source = "s", sites = 1, desks = 2, samplers = 2, registrars = 2 }
[[lab]]
code = "L"
name = "甲"
name_en = "A"
serves = ["11"]
lon = 118.95
lat = 42.2
shifts = [
  { from = "08:00", to = "20:00" },
  { from = "20:00", to = "02:00", percent = 50 },
]
instrument_day = { from = "06:00", to = "24:00" }
derate_percent = { value = 88.5, status = "measured", source = "own" }
status = "assumed"
source = "s"
receive = { units = 1, staff = 3 }
inactivate = { units = 1 }
decap = { units = 1, staff = 6, spread_percent = 20 }
extract = { units = 1, breakdowns_percent_day = 2.5, repair_minutes = 90, hold_minutes = 10 }
setup = { units = 1, staff = 3 }
pcr = { units = 1 }
review = { units = 1, staff = 3 }
[[lab]]
code = "X"
name = "外"
name_en = "X"
serves = ["11"]
outside = true
instrument_day = { staggered_hours = 20 }
status = "assumed"
source = "s"
receive = { units = 1, staff = 3 }
inactivate = { units = 1 }
decap = { units = 1, staff = 6 }
extract = { units = 1 }
setup = { units = 1, staff = 3 }
pcr = { units = 1 }
review = { units = 1, staff = 3 }
"#;

fn rich() -> City {
    read_text(RICH).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_part_is_read_to_the_last_number() {
    let city = rich();
    assert_eq!((city.start_s, city.one_to_one, city.max_travel_s), (27_000, true, Some(2700)));
    let plan = &city.plan;
    assert_eq!((plan.version, plan.author.as_deref()), (3, Some("甲")));
    assert_eq!(plan.approved_by.as_deref(), Some("乙"));
    assert_eq!(plan.approved_on.as_deref(), Some("2024-02-29"));
    assert_eq!(plan.note.as_deref(), Some("第三版"));

    let east = &city.districts[0];
    assert_eq!(east.place, Some(Place { lon_e6: 118_980_000, lat_e6: 42_188_300 }));
    let fleet = city.fleet_of(east);
    assert_eq!((fleet.vehicles, fleet.capacity_tubes, fleet.trips_per_day), (3, 1500, Some(5)));
    assert_eq!(city.sampling_of(east), (14 * 3600, 7 * 3600));
    assert_eq!((city.pool_of(east), east.streets.len()), (20, 2));
    assert_eq!(city.street_pool(east, &east.streets[0]), 1);
    assert_eq!(city.street_pool(east, &east.streets[1]), 5);
    assert_eq!(east.streets[0].have.as_ref().map(|h| h.desks), Some(3));

    // Only the paid agreement is in the sum of both owners.
    let stock = &east.stock;
    assert_eq!(stock.tubes, Ledger { physical: 300, agreement: 50, deposit_paid: true });
    assert_eq!(stock.tubes.counted(), 350);
    assert_eq!(stock.held.len(), 3);
    let owners: Vec<Owner> = stock.holders(Article::Tube).map(|h| h.owner).collect();
    assert_eq!(owners, [Owner::Street, Owner::Medical]);
    assert_eq!(stock.holders(Article::Pcr).count(), 0);

    let [own, other] = &city.labs[..] else { panic!("two labs") };
    assert_eq!(
        own.shifts,
        [
            Shift { from_s: 28_800, to_s: 72_000, percent: 100 },
            Shift { from_s: 72_000, to_s: 7200, percent: 50 },
        ]
    );
    assert_eq!(
        own.instrument_day(&city.norm),
        InstrumentDay::Window { from_s: 21_600, to_s: 86_400 }
    );
    assert_eq!((own.derate_permille(&city.norm), other.derate_permille(&city.norm)), (885, 900));
    assert_eq!((own.outside, other.outside), (false, true));
    assert_eq!(other.instrument_day(&city.norm), InstrumentDay::Staggered { hours: 20 });
    let extract = own.stage(StageKind::Extract);
    assert_eq!(
        (extract.breakdowns_permille_day, extract.repair_s, extract.hold_s),
        (25, 5400, 600)
    );
    assert_eq!(own.stage(StageKind::Decap).spread_permille, 200);
    assert_eq!(other.stage(StageKind::Extract).breakdowns_permille_day, 40);
}

#[test]
fn what_is_left_out_has_its_default() {
    let city = read_text(SOUND).expect("sound");
    assert_eq!((city.start_s, city.one_to_one, city.max_travel_s), (21_600, false, None));
    assert_eq!(city.plan, Default::default());
    let (district, lab) = (&city.districts[0], &city.labs[0]);
    assert_eq!((district.place, &district.zone, &district.fleet), (None, &None, &None));
    assert!(district.streets.is_empty() && district.stock.held.is_empty());
    assert_eq!((lab.place, lab.outside, lab.instrument_day), (None, false, None));
    assert!(lab.shifts.is_empty() && lab.derate.is_none());
    assert_eq!(lab.instrument_day(&city.norm), InstrumentDay::Staggered { hours: 18 });
    assert_eq!((lab.derate_permille(&city.norm), Shift::percent_at(&lab.shifts, 0)), (850, 100));
    let fleet = city.fleet_of(district);
    assert_eq!((fleet.vehicles, fleet.capacity_tubes, fleet.trips_per_day), (1, 2000, None));
    assert_eq!((&district.sampling, city.sampling_of(district)), (&None, (16 * 3600, 8 * 3600)));
    assert_eq!(fleet.origin.status, Status::Assumed);
}

#[test]
fn a_fault_among_the_owners_of_a_stock_is_told_and_no_other_that_follows_from_it() {
    let error = read_text(&RICH.replacen("owner = \"street\"", "owner = \"mine\"", 1));
    let error = error.expect_err("no such owner");
    let english = error.en();
    let said: Vec<&str> = english.lines().collect();
    assert!(said.len() == 1 && said[0].contains("`owner` is \"mine\""), "{said:?}");
}

#[test]
fn every_bad_part_is_named_with_its_line_and_what_is_expected() {
    // broken place, what stands there, line, words in Chinese, words in English
    for (old, new, line, zh, en) in [
        ("start = \"07:30\"", "start = \"7:30\"", 6, "“start”为 \"7:30\"", "a time of day"),
        ("start = \"07:30\"", "start = \"24:00\"", 6, "时刻", "a time of day"),
        ("start = \"07:30\"", "start = \"07:60\"", 6, "时刻", "`start` is \"07:60\""),
        ("one_to_one = true", "one_to_one = 1", 7, "true 或 false", "true or false"),
        ("max_travel_minutes = 45", "max_travel_minutes = 0", 8, "1 到 1440", "from 1 to 1440"),
        ("version = 3", "version = 0", 11, "“version”为 0", "from 1 to 1000000"),
        (
            "author = \"甲\"\n",
            "",
            12,
            "有“approved_by”而无“author”",
            "`approved_by` without `author`",
        ),
        (
            "approved_on = \"2024-02-29\"\n",
            "",
            13,
            "无“approved_on”",
            "`approved_by` without `approved_on`",
        ),
        (
            "approved_by = \"乙\"\n",
            "",
            13,
            "有“approved_on”而无“approved_by”",
            "`approved_on` without `approved_by`",
        ),
        ("\"2024-02-29\"", "\"2023-02-29\"", 14, "日期", "a date such as"),
        ("\"2024-02-29\"", "\"2024-13-01\"", 14, "2024-13-01", "a date such as"),
        ("\"2024-02-29\"", "\"2024-2-9\"", 14, "日期", "\"2024-2-9\""),
        ("\"2024-02-29\"", "\"四月底\"", 14, "日期", "a date such as"),
        ("note = \"第三版\"", "notes = \"x\"", 15, "不认识的键“notes”", "unknown key `notes`"),
        (
            "ramp_percent = { value = 65",
            "ramp_percent = { value = 101",
            17,
            "1 到 100",
            "from 1 to 100",
        ),
        (
            "ramp_percent = { value = 65, status = \"measured\", source = \"own\" }",
            "ramp_percent = 65",
            17,
            "status",
            "{ value =",
        ),
        ("ramp_percent", "ramp_share", 17, "不认识的键“ramp_share”", "unknown key `ramp_share`"),
        (
            "[transport]\n",
            "[transport]\nvehicle_tubes = { value = 50, status = \"assumed\", source = \"own\" }\n",
            16,
            "“box_tubes” 94 大于“vehicle_tubes” 50",
            "`box_tubes` 94 is more than `vehicle_tubes` 50",
        ),
        ("beta = { value = 999", "beta = { value = 0", 23, "“beta”为 0", "above 0"),
        (
            "spread_percent = { value = 5,",
            "spread_percent = { value = 30,",
            26,
            "贝塔",
            "too large for a beta distribution",
        ),
        (
            "zone = \"prevention\"",
            "zone = \"red\"",
            35,
            "“zone”为 \"red\"",
            "isolation, sealed, controlled, prevention, other",
        ),
        ("lon = 118.98", "lon = 42.1883", 36, "73 到 136", "from 73 to 136"),
        ("lat = 42.1883\n", "", 30, "缺少“lat”", "`lat` is missing"),
        ("vehicles = 3", "vehicles = 0", 48, "“vehicles”为 0", "from 1 to 10000000"),
        ("trips_per_day = 5", "trips_per_day = 0", 50, "“trips_per_day”为 0", "from 1 to 96"),
        (
            "hours_per_shift = 7",
            "hours_per_shift = 13",
            55,
            "2 班，每班 13 小时，超过一日",
            "2 shifts of 13 h are more than a day",
        ),
        ("owner = \"street\"", "owner = \"army\"", 62, "army", "one of street, medical, commerce"),
        ("article = \"tube\"", "article = \"swab\"", 63, "swab", "one of tube, extraction, pcr"),
        (
            "owner = \"medical\"",
            "owner = \"street\"",
            67,
            "重复",
            "\"tube\" of \"street\" is stated twice",
        ),
        (
            "physical = 600\nagreement",
            "physical = 601\nagreement",
            59,
            "各持有单位之和 601 + 400",
            "`extraction` is 600 + 400 (true), its owners hold 601 + 400 (true)",
        ),
        (
            "pcr = { physical = 600, agreement = 0, deposit_paid = false }\n",
            "",
            56,
            "缺少“pcr”",
            "`pcr` is missing",
        ),
        (
            "code = \"11-2\"",
            "code = \"11-1\"",
            88,
            "代码“11-1”重复",
            "[[district.street]] code \"11-1\" is used twice",
        ),
        ("code = \"11-2\"", "code = \"11\"", 88, "代码“11”重复", "code \"11\" is used twice"),
        (
            "{ value = 400, status",
            "{ value = 401, status",
            34,
            "各街道之和 1001",
            "1000 persons, its streets 1001",
        ),
        ("desks = 2, samplers", "desks = 3, samplers", 38, "采样台 5", "5 desks, its streets 6"),
        (
            "persons_per_tube = 5\nhave = { status = \"assumed\", source = \"s\", sites = 1, desks = 2, samplers = 2, registrars = 2 }\n",
            "persons_per_tube = 5\n",
            79,
            "有的没有写",
            "others do not",
        ),
        (
            "zone = \"sealed\"",
            "zone = \"sealed\"\ncolour = \"red\"",
            85,
            "不认识的键“colour”",
            "unknown key `colour`",
        ),
        ("persons_per_tube = 5", "persons_per_tube = 51", 93, "1 到 50", "from 1 to 50"),
        ("to = \"02:00\"", "to = \"09:00\"", 104, "班次重叠", "shifts overlap"),
        ("to = \"20:00\"", "to = \"08:00\"", 103, "相同", "the same as `from`"),
        ("percent = 50", "percent = 0", 104, "1 到 100", "from 1 to 100"),
        (
            "{ from = \"06:00\", to = \"24:00\" }",
            "{ from = \"06:00\", to = \"24:30\" }",
            106,
            "\"24:30\"",
            "a time of day",
        ),
        ("staggered_hours = 20", "staggered_hours = 25", 123, "1 到 24", "from 1 to 24"),
        (
            "staggered_hours = 20",
            "staggered_hours = 20, from = \"06:00\"",
            123,
            "“from”与“staggered_hours”写在一起",
            "`from` stands beside `staggered_hours`",
        ),
        ("{ value = 88.5", "{ value = 188.5", 107, "188.5", "from 1 to 100"),
        ("outside = true", "outside = \"yes\"", 122, "true 或 false", "true or false"),
        (
            "code = \"L\"\nname = \"甲\"\nname_en = \"A\"\nserves = [\"11\"]",
            "code = \"L\"\nname = \"甲\"\nname_en = \"A\"\nserves = [\"11\"]\noutside = true",
            30,
            "没有承检实验室",
            "no lab serves district \"11\"",
        ),
        ("spread_percent = 20", "spread_percent = 501", 112, "0 到 500", "from 0 to 500"),
        ("hold_minutes = 10", "hold_minutes = -1", 113, "-1", "from 0 to 1440"),
    ] {
        check_in(RICH, old, new, line, zh, en);
    }
}

/// Tables that a city may state, their keys, the least and the most of each in the unit of the file.
const BOUNDS: [(&str, &str, u64, u64); 25] = [
    ("field", "ramp_minutes", 0, 1440),
    ("field", "ramp_percent", 1, 100),
    ("field", "desk_spread_percent", 0, 200),
    ("field", "site_spread_percent", 0, 200),
    ("field", "box_tubes", 1, 10_000),
    ("field", "straggler_percent", 0, 100),
    ("field", "straggler_tail_minutes", 0, 10_080),
    ("field", "coverage_percent", 1, 100),
    ("transport", "vehicle_tubes", 1, 10_000_000),
    ("transport", "handling_minutes", 0, 1440),
    ("transport", "travel_minutes", 0, 10_080),
    ("transport", "travel_spread_percent", 0, 200),
    ("transport", "hold_minutes", 0, 1440),
    ("transport", "speed_kmh", 1, 300),
    ("transport", "persons_per_vehicle", 1, 100_000_000),
    ("recall", "delay_minutes", 0, 10_080),
    ("recall", "delay_spread_percent", 0, 300),
    ("recall", "travel_minutes", 0, 10_080),
    ("recall", "hold_minutes", 0, 1440),
    ("prevalence", "alpha", 1, 1_000_000_000),
    ("prevalence", "beta", 1, 1_000_000_000),
    ("prevalence", "rho_percent", 0, 99),
    ("prevalence", "cluster_tubes", 1, 1000),
    ("derate", "mean_percent", 1, 100),
    ("derate", "spread_percent", 0, 50),
];

#[test]
fn each_constant_of_a_city_keeps_its_bounds() {
    for (table, key, least, most) in BOUNDS {
        let with = |value: &str| {
            let line =
                format!("{key} = {{ value = {value}, status = \"assumed\", source = \"census\" }}");
            read_text(&SOUND.replacen("[sources]", &format!("[{table}]\n{line}\n[sources]"), 1))
        };
        let below = if least == 0 { "-1".to_owned() } else { (least - 1).to_string() };
        for bad in [below, (most + 1).to_string(), "\"1\"".to_owned()] {
            let error = with(&bad).expect_err(key).en();
            assert!(
                error.contains("small.toml:8:") && error.contains(" is "),
                "{key} {bad}\n{error}"
            );
        }
        for good in [least, most] {
            // The bounds themselves are allowed, unless they contradict another number.
            let contradicts = |error: &Error| error.en().contains("numbers contradict");
            let read = with(&good.to_string());
            assert!(read.as_ref().err().is_none_or(contradicts), "{table}.{key} {good} {read:?}");
        }
    }
}

#[test]
fn a_zone_that_only_another_pack_knows_is_an_error() {
    let mut other = norm::builtin("guide-3rd-2022").expect("pack");
    other.zones.retain(|zone| zone.key != "sealed");
    let error = parse("small.toml", RICH, None, Some(other)).expect_err("no such zone");
    assert!(error.en().contains("a zone of the norm pack \"guide-3rd-2022\""), "{error}");
}

#[test]
fn a_citys_own_constants_take_the_packs_place_and_each_keeps_its_origin() {
    let (city, pack) = (rich(), norm::builtin("chifeng-2022").expect("pack"));
    let own = |number: &crate::planner::Sourced<u64>, value: u64| {
        assert_eq!((number.value, number.origin.source.zh.as_str()), (value, "本地实测"));
    };
    own(&city.norm.field.ramp_percent, 65);
    own(&city.norm.transport.speed_kmh_tenths, 325);
    own(&city.norm.recall.delay_s, 3600);
    own(&city.norm.prevalence.beta_milli, 999_000);
    own(&city.norm.derate.mean_permille, 900);
    own(&city.norm.derate.spread_permille, 50);
    assert_eq!(city.norm.field.ramp_percent.origin.status, Status::Measured);
    assert_eq!(city.norm.prevalence.beta_milli.origin.status, Status::Assumed);
    // All else is the pack's, down to its source.
    let mut back: Norm = city.norm.clone();
    back.field.ramp_percent = pack.field.ramp_percent.clone();
    back.transport.speed_kmh_tenths = pack.transport.speed_kmh_tenths.clone();
    back.recall.delay_s = pack.recall.delay_s.clone();
    back.prevalence.beta_milli = pack.prevalence.beta_milli.clone();
    back.derate = pack.derate.clone();
    assert_eq!(back, pack);
    // They also take the place of another pack's.
    let other = norm::builtin("guide-2nd-2021").expect("pack");
    let city =
        parse("small.toml", RICH, None, Some(other)).unwrap_or_else(|error| panic!("{error}"));
    own(&city.norm.field.ramp_percent, 65);
}

#[test]
fn built_in_cities_lie_where_their_districts_are() {
    let hongshan = &builtin("chifeng").expect("chifeng").districts[0];
    assert_eq!(hongshan.place, Some(Place { lon_e6: 118_980_000, lat_e6: 42_188_300 }));
    for (name, _) in BUILTIN {
        let city = builtin(name).expect(name);
        assert!(city.districts.iter().all(|d| d.place.is_some()), "{name}");
        for lab in &city.labs {
            let place = lab.place.unwrap_or_else(|| panic!("{name} {}", lab.code));
            let near = |code: &String| {
                let district = city.districts.iter().find(|d| d.code == *code);
                district.and_then(|d| d.place).is_some_and(|p| p.metres_to(&place) < 400_000)
            };
            assert!(lab.serves.iter().all(near), "{name} {}", lab.code);
            assert!(!lab.outside && lab.origin.status == Status::Assumed);
        }
    }
}

#[test]
fn a_street_without_coordinates_lies_where_its_district_does() {
    let city = rich();
    let district = &city.districts[0];
    let streets = city.streets_of(district);
    assert_eq!(streets[0].place, Some(Place { lon_e6: 118_900_000, lat_e6: 42_100_000 }));
    assert_eq!(district.streets[1].place, None);
    assert!(streets[1].place.is_some() && streets[1].place == district.place);
}
