//! The rows: every figure that is published, with its unit, its floor and its goal.

use serde_json::{Map, Value, json};

/// A figure. Below the floor something is wrong; at the goal it is as good as it was meant to be.
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// Unit of the value.
    pub unit: &'static str,
    /// The worst value that will do; `None` = the figure is only told.
    pub floor: Option<f64>,
    /// The value that was aimed at.
    pub goal: Option<f64>,
    /// The lower the better.
    pub lower_is_better: bool,
}

const fn more(name: &'static str, unit: &'static str, floor: f64, goal: f64) -> Row {
    Row { name, unit, floor: Some(floor), goal: Some(goal), lower_is_better: false }
}

const fn less(name: &'static str, unit: &'static str, floor: f64, goal: f64) -> Row {
    Row { name, unit, floor: Some(floor), goal: Some(goal), lower_is_better: true }
}

const fn told(name: &'static str, unit: &'static str) -> Row {
    Row { name, unit, floor: None, goal: None, lower_is_better: false }
}

const fn told_less(name: &'static str, unit: &'static str) -> Row {
    Row { lower_is_better: true, ..told(name, unit) }
}

/// The rows of intake, in the order in which they are measured.
pub const INGEST: [Row; 19] = [
    more("engine_over_raw_log", "ratio", 0.3, 0.5),
    told("one_core_to_two", "ratio"),
    more("engine_over_postgres", "ratio", 5.0, 10.0),
    more("grpc_batched", "tubes/s", 50_000.0, 100_000.0),
    more("grpc_single", "tubes/s", 15_000.0, 30_000.0),
    told("grpc_batched_tls", "tubes/s"),
    told("grpc_single_tls", "tubes/s"),
    less("ack_over_fsync", "ratio", 6.0, 3.0),
    less("storm_seconds", "s", 120.0, 60.0),
    less("storm_live_p99_ms", "ms", 1_000.0, 200.0),
    less("restart_seconds", "s", 10.0, 3.0),
    less("day_rss_gib", "GiB", 6.0, 3.0),
    less("bytes_whole_life", "bytes/person", 128.0, 88.0),
    less("bytes_collected", "bytes/person", 80.0, 56.0),
    more("growth", "ratio", 0.6, 0.8),
    more("person_queries", "queries/s", 100_000.0, 300_000.0),
    more("person_queries_grpc", "queries/s", 10_000.0, 25_000.0),
    told("people_queries_grpc", "people/s"),
    less("missing_seconds", "s", 60.0, 10.0),
];

/// The rows of the planner, in the order in which they are measured.
pub const PLANNER: [Row; 13] = [
    less("city_replication_ms", "ms", 100.0, 40.0),
    less("replications_200_seconds", "s", 10.0, 4.0),
    less("what_if_ms", "ms", 100.0, 50.0),
    more("over_simpy", "ratio", 200.0, 500.0),
    less("assignment_ms", "ms", 200.0, 50.0),
    less("one_to_one_gap_percent", "percent", 2.0, 0.5),
    less("fluid_vs_simulation_percent", "percent", 5.0, 3.0),
    // The same with shifts and early closing.
    told_less("fluid_vs_simulation_shifts_percent", "percent"),
    told_less("forecast_seconds", "s"),
    less("coverage_modelled_percent", "percentage points", 10.0, 3.0),
    // What no model knows: to stay between 70 and 90 is all that is asked.
    less("coverage_unmodelled_percent", "percentage points", 10.0, 10.0),
    // Cities of some twenty labs: as far from 80 as the small rounds, by wish.
    told_less("coverage_cities_percent", "percentage points"),
    less("half_way_error_percent", "percent", 10.0, 5.0),
];

/// All rows.
fn rows() -> impl Iterator<Item = &'static Row> {
    INGEST.iter().chain(&PLANNER)
}

impl Row {
    /// The row of this name.
    pub fn named(name: &str) -> Option<&'static Row> {
        rows().find(|row| row.name == name)
    }

    /// `goal`, `floor` or `below`, by how far the value comes; `None` for a figure that is only told.
    fn reaches(&self, value: f64) -> Option<&'static str> {
        let at = |limit: f64| if self.lower_is_better { value <= limit } else { value >= limit };
        Some(match (self.floor?, self.goal?) {
            (_, goal) if at(goal) => "goal",
            (floor, _) if at(floor) => "floor",
            _ => "below",
        })
    }

    fn line(&self, quick: bool, machine: &str) -> Map<String, Value> {
        let mut line = Map::new();
        line.insert("name".into(), json!(self.name));
        line.insert("unit".into(), json!(self.unit));
        line.insert("floor".into(), json!(self.floor));
        line.insert("goal".into(), json!(self.goal));
        line.insert("lower_is_better".into(), json!(self.lower_is_better));
        line.insert("quick".into(), json!(quick));
        line.insert("machine".into(), json!(machine));
        line
    }

    /// The line of a value. `details` is an object; its fields stand beside the others.
    pub fn measured(&self, value: f64, details: Value, quick: bool, machine: &str) -> Value {
        let mut line = self.line(quick, machine);
        line.insert("value".into(), json!(value));
        line.insert("reaches".into(), json!(self.reaches(value)));
        if let Value::Object(details) = details {
            for (name, detail) in details {
                line.entry(name).or_insert(detail);
            }
        }
        Value::Object(line)
    }

    /// The line of a figure that could not be measured.
    pub fn failed(&self, error: &str, quick: bool, machine: &str) -> Value {
        let mut line = self.line(quick, machine);
        line.insert("error".into(), json!(error));
        Value::Object(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_row_has_a_name_of_its_own_and_a_floor_not_beyond_its_goal() {
        let names: HashSet<_> = rows().map(|row| row.name).collect();
        assert_eq!(names.len(), rows().count());
        for row in rows() {
            assert!(!row.unit.is_empty() && row.floor.is_some() == row.goal.is_some());
            if let (Some(floor), Some(goal)) = (row.floor, row.goal) {
                assert!(
                    if row.lower_is_better { goal <= floor } else { goal >= floor },
                    "{}",
                    row.name
                );
            }
        }
    }

    #[test]
    fn a_line_says_how_far_the_value_comes() {
        let reaches = |name: &str, value| Row::named(name).unwrap().reaches(value);
        assert_eq!(reaches("grpc_single", 31_000.0), Some("goal"));
        assert_eq!(reaches("grpc_single", 15_000.0), Some("floor"));
        assert_eq!(reaches("grpc_single", 14_999.0), Some("below"));
        assert_eq!(reaches("storm_seconds", 30.0), Some("goal"));
        assert_eq!(reaches("storm_seconds", 119.0), Some("floor"));
        assert_eq!(reaches("storm_seconds", 121.0), Some("below"));
        assert_eq!(reaches("grpc_single_tls", 1.0), None);
        assert_eq!(reaches("coverage_unmodelled_percent", 10.0), Some("goal"));
        assert_eq!(reaches("coverage_unmodelled_percent", 10.1), Some("below"));
    }

    #[test]
    fn a_line_has_all_its_fields_on_one_line() {
        let row = Row::named("growth").unwrap();
        let line =
            row.measured(0.7, json!({ "scaled": "small", "value": "never" }), true, "2 cores");
        assert!(!line.to_string().contains('\n'));
        assert_eq!((&line["name"], &line["value"]), (&json!("growth"), &json!(0.7)));
        assert_eq!((&line["floor"], &line["goal"]), (&json!(0.6), &json!(0.8)));
        assert_eq!(line["machine"], "2 cores");
        assert_eq!((&line["quick"], &line["scaled"]), (&json!(true), &json!("small")));
        let failed = row.failed("no disk", false, "2 cores");
        assert_eq!((&failed["error"], failed.get("value")), (&json!("no disk"), None));
    }

    #[test]
    fn the_readme_names_every_row_with_its_floor_and_goal() {
        let readme = include_str!("../../README.md");
        let thousands = |value: f64| {
            let plain = value.to_string();
            match plain.len() {
                4.. if value >= 1_000.0 => {
                    format!("{},{}", &plain[..plain.len() - 3], &plain[plain.len() - 3..])
                }
                _ => plain,
            }
        };
        for row in rows() {
            let named = format!("`{}`", row.name);
            let line = readme.lines().find(|line| line.starts_with('|') && line.contains(&named));
            let line = line.unwrap_or_else(|| panic!("{named} is not in the README"));
            for limit in [row.floor, row.goal].into_iter().flatten() {
                let limit = thousands(limit);
                assert!(line.contains(&limit), "{named}: {limit} is not in {line}");
            }
        }
    }
}
