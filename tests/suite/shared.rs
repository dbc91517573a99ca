//! Published tables beside the checkout (`SWABLINE_SHARED`) against what was copied from them into the repository.

use crate::common::aloud;
use std::collections::BTreeMap;
use std::path::Path;
use swabline::city_file;

/// A table of the folder `cities`; none where no folder is named.
fn table(name: &str, what: &str) -> Option<String> {
    let Some(folder) = std::env::var_os("SWABLINE_SHARED") else {
        // What was copied is in the repository; a machine without the tables lacks nothing.
        aloud(&format!(
            "!!! left out: {what}: SWABLINE_SHARED names no folder with the published tables"
        ));
        return None;
    };
    let path = Path::new(&folder).join("cities").join(name);
    Some(std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display())))
}

#[test]
fn the_built_in_cities_have_the_persons_and_places_of_the_published_tables() {
    for (name, _) in city_file::BUILTIN {
        let Some(table) = table(&format!("{name}.csv"), "the built-in cities against their tables")
        else {
            return;
        };
        let mut rows = csv::Reader::from_reader(table.as_bytes());
        let of = |row: &csv::StringRecord, at: usize| row[at].to_owned();
        let published: BTreeMap<String, [String; 3]> = rows
            .records()
            .map(|row| row.expect("a row"))
            .map(|row| (of(&row, 1), [of(&row, 3), of(&row, 7), of(&row, 8)]))
            .collect();
        let city = city_file::builtin(name).expect(name);
        let degrees = |e6: i64| (e6 as f64 / 1e6).to_string();
        let own: BTreeMap<String, [String; 3]> = city
            .districts
            .iter()
            .map(|district| {
                let place = district.place.expect("a place");
                let numbers = [
                    district.population.value.to_string(),
                    degrees(place.lon_e6),
                    degrees(place.lat_e6),
                ];
                (district.code.clone(), numbers)
            })
            .collect();
        assert_eq!(own, published, "{name}");
    }
}

#[test]
fn xians_rounds_stand_in_the_repository_as_they_were_published() {
    let Some(table) = table("rounds_observed.csv", "Xi'an's rounds against the published table")
    else {
        return;
    };
    let of_december = |line: &&str| line.starts_with("Xi'an,2021-12-2");
    let published: Vec<&str> =
        table.lines().take(1).chain(table.lines().filter(of_december)).collect();
    let own: Vec<&str> = include_str!("../../src/planner/tests/xian_rounds.csv").lines().collect();
    assert_eq!(own, published);
}
