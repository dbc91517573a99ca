//! What the model says of streets, vehicles, shifts, ways and stock.

use super::*;

fn zone(key: &str, pool: u64) -> ZoneNorm {
    ZoneNorm { key: key.to_owned(), title: Words::new(key, key), pool: n(pool) }
}

#[test]
fn the_nearest_word_on_pool_size_counts() {
    // pool and zone of the district, pool and zone of the street, persons per tube in both
    for (pool, zone_key, street_pool, street_zone, district_is, street_is) in [
        (None, None, None, None, 10, 10),
        (None, Some("low"), None, None, 20, 20),
        (Some(5), Some("low"), None, None, 5, 5),
        (Some(5), None, None, Some("high"), 5, 1),
        (None, Some("low"), Some(3), Some("high"), 20, 3),
        (None, Some("gone"), None, Some("gone"), 10, 10),
        (Some(0), None, Some(0), None, 1, 1),
    ] {
        let mut town = city(vec![district("1", 1000, 4)], vec![]);
        town.norm.zones = vec![zone("high", 1), zone("low", 20)];
        let mut east = town.districts[0].clone();
        (east.pool, east.zone) = (pool, zone_key.map(str::to_owned));
        let mut lane = street("1-1", 1000, None);
        (lane.pool, lane.zone) = (street_pool, street_zone.map(str::to_owned));
        assert_eq!((town.pool_of(&east), town.street_pool(&east, &lane)), (district_is, street_is));
    }
}

#[test]
fn streets_share_what_the_district_has() {
    // desks of the district, then of two streets: persons, as stated, as dealt
    for (desks, people, stated, dealt) in [
        (10, [600, 400], [None, None], [6, 4]),
        (11, [600, 400], [None, None], [7, 4]),
        (10, [600, 400], [Some(3), Some(7)], [3, 7]),
        // The district was filled to twice what its streets state.
        (20, [600, 400], [Some(3), Some(7)], [6, 14]),
        (5, [600, 400], [Some(0), Some(0)], [3, 2]),
        (0, [600, 400], [Some(3), Some(7)], [0, 0]),
    ] {
        let mut east = district("1", 1000, desks);
        east.streets =
            vec![street("1-1", people[0], stated[0]), street("1-2", people[1], stated[1])];
        let town = city(vec![east], vec![]);
        let streets = town.streets_of(&town.districts[0]);
        let got: Vec<u64> =
            streets.iter().filter_map(|s| s.have.as_ref()).map(|h| h.desks).collect();
        assert_eq!(got, dealt, "{desks} {stated:?}");
    }
    let town = city(vec![district("1", 1000, 8)], vec![]);
    let whole = town.streets_of(&town.districts[0]);
    assert_eq!((whole.len(), whole[0].code.as_str(), whole[0].population.value), (1, "1", 1000));
    assert_eq!(whole[0].have, Some(town.districts[0].have.clone()));
}

#[test]
fn shifts_and_the_instrument_day_may_pass_midnight() {
    let hour = 3600;
    // from, to, hours, an hour inside, an hour outside
    for (from, to, hours, inside, outside) in [
        (8, 20, 12, 8, 20),
        (20, 2, 6, 1, 2),
        (20, 2, 6, 20, 19),
        (0, 24, 24, 23, 24 + 24),
        (22, 24, 2, 23, 0),
    ] {
        let shift = Shift { from_s: from * hour, to_s: to * hour, percent: 100 };
        assert_eq!(shift.length_s(), hours * hour, "{from}–{to}");
        assert!(shift.covers(inside * hour), "{from}–{to} {inside}");
        assert_eq!(shift.covers(outside * hour), hours == 24, "{from}–{to} {outside}");
        let day = InstrumentDay::Window { from_s: from * hour, to_s: to * hour };
        assert_eq!(day.length_s(), hours * hour);
    }
    let mut lab = lab("L", &[], 1);
    assert_eq!(Shift::percent_at(&lab.shifts, 5 * hour), 100);
    lab.shifts = vec![
        Shift { from_s: 8 * hour, to_s: 20 * hour, percent: 100 },
        Shift { from_s: 20 * hour, to_s: 2 * hour, percent: 40 },
    ];
    for (at, percent) in [(8, 100), (19, 100), (20, 40), (1, 40), (2, 0), (7, 0), (25, 40)] {
        assert_eq!(Shift::percent_at(&lab.shifts, at * hour), percent, "{at}");
    }
    let norm = norm();
    assert_eq!(lab.instrument_day(&norm).length_s(), 18 * hour);
    lab.instrument_day = Some(InstrumentDay::Staggered { hours: 20 });
    assert_eq!(lab.instrument_day(&norm).length_s(), 20 * hour);
}

#[test]
fn the_way_follows_the_distance_and_the_median_where_there_is_none() {
    let transport = norm().transport;
    let place = |lon, lat| Place { lon_e6: lon, lat_e6: lat };
    // One degree of latitude is 111.195 km: at 40 km/h 2 h 46 min 48 s.
    let (here, north) = (place(118_000_000, 42_000_000), place(118_000_000, 43_000_000));
    assert_eq!(here.metres_to(&north), 111_195);
    assert_eq!(transport.way_s(Some(&here), Some(&north)), 10_008);
    // One degree of longitude at 42 degrees north: 111.195 km · cos 42°.
    let east = here.metres_to(&place(119_000_000, 42_000_000));
    assert!((82_600..82_680).contains(&east), "{east}");
    assert_eq!((here.metres_to(&here), transport.way_s(Some(&here), Some(&here))), (0, 0));
    assert_eq!(transport.way_s(None, Some(&here)), 1800);
    assert_eq!(transport.way_s(Some(&here), None), 1800);
}

#[test]
fn a_fleet_is_the_districts_or_the_norms() {
    for (people, vehicles) in [(1, 1), (10_000, 1), (10_001, 2), (1_000_000, 100)] {
        let town = city(vec![district("1", people, 4)], vec![]);
        let fleet = town.fleet_of(&town.districts[0]);
        assert_eq!((fleet.vehicles, fleet.capacity_tubes), (vehicles, 2000), "{people}");
    }
    let mut town = city(vec![district("1", 1_000_000, 4)], vec![]);
    let own = Fleet { vehicles: 7, capacity_tubes: 300, trips_per_day: None, origin: origin() };
    town.districts[0].fleet = Some(own.clone());
    assert_eq!(town.fleet_of(&town.districts[0]), own);
    assert_eq!(town.scaled(500_000).districts[0].fleet.as_ref().map(|f| f.vehicles), Some(4));
    assert_eq!(town.scaled(1).districts[0].fleet.as_ref().map(|f| f.vehicles), Some(1));
}

#[test]
fn a_sum_of_ledgers_counts_what_its_parts_count() {
    let of = |physical, agreement, deposit_paid| Ledger { physical, agreement, deposit_paid };
    for (parts, sum) in [
        (vec![], of(0, 0, false)),
        (vec![of(1, 2, true), of(3, 4, true)], of(4, 6, true)),
        (vec![of(1, 2, false), of(3, 4, false)], of(4, 6, false)),
        (vec![of(1, 2, true), of(3, 4, false)], of(4, 2, true)),
    ] {
        let got = Ledger::sum(&parts);
        assert_eq!(got, sum, "{parts:?}");
        assert_eq!(got.counted(), parts.iter().map(Ledger::counted).sum::<u64>());
    }
}

#[test]
fn a_scaled_city_is_planned_by_districts() {
    let mut town = city(vec![district("1", 1000, 8)], vec![lab("L", &["1"], 4)]);
    town.districts[0].streets = vec![street("1-1", 1000, None)];
    town.districts[0].stock.held = vec![Holding {
        owner: Owner::Street,
        article: Article::Tube,
        ledger: town.districts[0].stock.tubes,
    }];
    let small = town.scaled(100);
    assert!(small.districts[0].streets.is_empty() && small.districts[0].stock.held.is_empty());
    assert_eq!(small.districts[0].population.value, 100);
}

#[test]
fn every_constant_has_a_key_of_its_own_and_a_name_in_both_languages() {
    let mut norm = norm();
    norm.zones = vec![zone("high", 1), zone("low", 20)];
    norm.large_city = Some(LargeCity { above_persons: n(5_000_000), target_h: n(72) });
    let constants = norm.constants();
    let mut keys: Vec<&str> = constants.iter().map(|c| c.key.as_str()).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), constants.len());
    assert!(constants.iter().all(|c| !c.title.zh.is_empty() && !c.title.en.is_empty()));
    for (key, value) in [
        ("persons_per_desk_hour", "118.7"),
        ("receive.run_minutes", "9.4"),
        ("extract.breakdowns_percent_day", "2"),
        ("field.ramp_minutes", "60"),
        ("field.desk_spread_percent", "12"),
        ("transport.speed_kmh", "40"),
        ("prevalence.beta", "9999"),
        ("prevalence.cluster_tubes", "1.5"),
        ("zone[low].persons_per_tube", "20"),
        ("large_city.target_hours", "72"),
    ] {
        let found = constants.iter().find(|c| c.key == key).map(|c| c.value.as_str());
        assert_eq!(found, Some(value), "{key}");
    }
}
