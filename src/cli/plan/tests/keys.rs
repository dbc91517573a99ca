//! Every key of the report's JSON is in the list of `deploy/plan.md`.

use super::layers::{TINY, asked};
use super::*;
use super::{cut_off, vehicles};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Objects that stand everywhere and are explained once.
const SHAPES: [&[&str]; 5] = [
    &["en", "zh"],
    &["hours", "ms"],
    &["p05", "p10", "p25", "p50", "p75", "p90", "p95"],
    &["high", "low"],
    &["source", "source_en", "status"],
];

/// What is documented: the keys by object, and the objects that are like another one.
struct Documented {
    keys: BTreeMap<String, BTreeSet<String>>,
    like: BTreeMap<String, String>,
}

impl Documented {
    fn read() -> Documented {
        let text = include_str!("../../../../deploy/plan.md");
        let list = text.split("## Every key of").nth(1).expect("the list");
        let list = list.split("\n## ").next().expect("its end");
        let quoted = |text: &str| -> Vec<String> {
            text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
        };
        let mut all = Documented { keys: BTreeMap::new(), like: BTreeMap::new() };
        for row in list.lines().filter(|line| line.starts_with("| `") || line.starts_with("| (")) {
            let mut cells = row.trim_matches('|').splitn(2, " | ");
            let object = quoted(cells.next().expect("an object")).pop().unwrap_or_default();
            let said = cells.next().expect("its keys");
            match said.trim().strip_prefix("as ") {
                Some(other) => _ = all.like.insert(object, quoted(other).remove(0)),
                None => _ = all.keys.insert(object, quoted(said).into_iter().collect()),
            }
        }
        all
    }

    /// The object under whose name the keys of this one are.
    fn name(&self, object: &str) -> String {
        let like = |(short, other): (&String, &String)| {
            let rest = object.strip_prefix(short.as_str())?;
            (rest.is_empty() || rest.starts_with(['.', '['])).then(|| format!("{other}{rest}"))
        };
        match self.like.iter().find_map(like) {
            Some(other) => self.name(&other),
            None => object.to_owned(),
        }
    }

    fn knows(&self, object: &str, key: &str) -> bool {
        self.keys.get(&self.name(object)).is_some_and(|keys| keys.contains(key))
    }
}

/// Every key with the object that it is of.
fn keys(value: &Value, object: &str, all: &mut BTreeSet<(String, String)>) {
    match value {
        Value::Object(map) => {
            let own: Vec<&str> = map.keys().map(String::as_str).collect();
            if SHAPES.contains(&own.as_slice()) {
                return;
            }
            for (key, value) in map {
                all.insert((object.to_owned(), key.clone()));
                let dot = if object.is_empty() { "" } else { "." };
                keys(value, &format!("{object}{dot}{key}"), all);
            }
        }
        Value::Array(list) => list.iter().for_each(|one| keys(one, &format!("{object}[]"), all)),
        _ => {}
    }
}

#[test]
fn every_key_that_is_printed_is_documented() {
    let documented = Documented::read();
    let mut all = BTreeSet::new();
    let mut take = |args: PlanArgs| {
        let (text, _) = answer(&args).expect("an answer");
        keys(&serde_json::from_str(&text).expect("one JSON document"), "", &mut all);
    };
    // With its shortages filled, with moved tubes, with a city that gives no round, and with one that has no tubes.
    for (city, _) in city_file::BUILTIN {
        let target = Some(24);
        take(PlanArgs { target, json: true, filled: true, replications: 2, ..args(city) });
    }
    let idle = TINY.replacen("extract = { units = 2,", "extract = { units = 0,", 1);
    let divided = TINY.replacen("one_to_one = true", "one_to_one = false", 1);
    let bare = TINY.replacen("tubes = { physical = 36000,", "tubes = { physical = 0,", 1);
    let waiting = vehicles::waiting(2, 2);
    let far = cut_off::remote(1000).replacen("lat = 35.4", "lat = 37.0", 1);
    for text in [TINY, &idle, &divided, &bare, &waiting, &far] {
        let (_folder, args) = asked(text);
        // As few as tell why the simulation lies apart.
        take(PlanArgs { json: true, filled: true, replications: 8, ..args });
    }
    assert!(all.len() > 250, "{}", all.len());
    let unknown: Vec<_> =
        all.iter().filter(|(object, key)| !documented.knows(object, key)).collect();
    assert!(unknown.is_empty(), "not in deploy/plan.md: {unknown:#?}");
    // And nothing is promised that is never printed, but for what no such city has.
    let printed: BTreeSet<String> = all.iter().map(|(object, _)| documented.name(object)).collect();
    let silent: Vec<_> =
        documented.keys.keys().filter(|object| !printed.contains(*object)).collect();
    let seldom = ["layers.remedy.both", "layers.remedy.more.held[]", "layers.remedy.most_tried"];
    assert!(silent.iter().all(|object| seldom.contains(&object.as_str())), "{silent:#?}");
}
