//! The dependency rule: main → cli → app → {api, web, lims} → engine → store → domain ← planner.
//! A room may name what is listed for it and nothing else of the crate; a library stays where it
//! is listed.

use crate::source::{Named, Source, paths};

/// Each room with what it may name. `room::Item` allows that item only. `config`, `telemetry` and
/// `keyring` hold no part of the service: they may be named from the edges upwards.
#[rustfmt::skip]
const ROOMS: &[(&str, &[&str])] = &[
    ("domain", &["breaks"]),
    ("planner", &["domain"]),
    ("store", &["domain", "breaks"]),
    ("engine", &["store", "domain", "telemetry", "breaks"]),
    // City files, read from text: used by whoever is given the name of one.
    ("city_file", &["planner", "domain::identity"]),
    // Beside the engine: readings of a round, what is forecast from them, and whose turn it is to reckon.
    ("forecaster", &[
        "engine", "planner", "domain", "city_file", "telemetry", "store::Forecasts", "store::ForecastLines",
        "store::Error", "store::FolderKind",
    ]),
    ("api", &[
        "forecaster", "engine", "planner", "domain", "config", "telemetry", "breaks", "keyring",
        "store::Read", "store::View", "store::LogProof", "store::Error", "store::Folder", "store::FolderKind",
    ]),
    ("lims", EDGE),
    ("web", EDGE),
    ("app", &[
        "api", "web", "lims", "forecaster", "engine", "store", "planner", "domain", "keyring", "config", "telemetry",
    ]),
    ("cli", &[
        "city_file", "forecaster", "app", "api", "web", "lims", "engine", "store", "planner", "domain", "keyring", "config", "telemetry",
    ]),
    ("main", &["cli", "config", "telemetry"]),
    // What each module can be told, read from file, environment and flags.
    ("config", &[
        "api::Options", "web::Options", "lims::Options", "forecaster::Options", "engine::Options", "store::Options",
        "store::FolderKind", "telemetry::Options",
    ]),
    ("telemetry", &[]),
    ("keyring", &["domain"]),
    // Switches of the tests of promises: constants of the build, off in every release.
    ("breaks", &[]),
];

/// What an edge may name: of the store only what reads. The api may also name the keys, because it
/// makes person keys.
const EDGE: &[&str] = &[
    "forecaster",
    "engine",
    "planner",
    "domain",
    "config",
    "telemetry",
    "breaks",
    "store::Read",
    "store::View",
    "store::LogProof",
    "store::Error",
    "store::Folder",
    "store::FolderKind",
];

/// A path that only some places may name.
struct Ban {
    /// The path's first names.
    path: &'static [&'static str],
    /// Where it is banned: beginnings of file paths.
    banned: &'static [&'static str],
    /// Where it is allowed all the same.
    except: &'static [&'static str],
    instead: &'static str,
}

/// The rooms that compute and nothing else.
const PURE: &[&str] = &["src/domain", "src/planner"];

const fn pure(path: &'static [&'static str], instead: &'static str) -> Ban {
    Ban { path, banned: PURE, except: &[], instead }
}

/// A reader who is gone makes a panic of what the standard library prints.
const fn printed(path: &'static [&'static str]) -> Ban {
    let instead = "say it with cli::output, which a closed pipe does not end";
    Ban { path, banned: &["src/"], except: &[], instead }
}

const BANS: &[Ban] = &[
    printed(&["print"]),
    printed(&["println"]),
    printed(&["eprint"]),
    printed(&["eprintln"]),
    Ban {
        path: &["rocksdb"],
        banned: &["src/"],
        except: &["src/store/"],
        instead: "ask store::Read; only the store knows RocksDB",
    },
    Ban {
        path: &["tonic*"],
        banned: &["src/"],
        except: &["src/api/"],
        instead: "let the api speak gRPC; clients use api::client",
    },
    Ban {
        path: &["prost*"],
        banned: &["src/"],
        except: &["src/api/"],
        instead: "convert in the api; other rooms use the words of domain",
    },
    Ban {
        path: &["tonic", "Code"],
        banned: &["src/"],
        except: &["src/api/errors/status.rs"],
        instead: "return an error that src/api/errors/status.rs maps; status codes are chosen there alone",
    },
    Ban {
        path: &["anyhow"],
        banned: &["src/"],
        except: &["src/main.rs", "src/cli/", "src/app.rs"],
        instead: "give the module an Error of its own with thiserror",
    },
    pure(&["async"], "let the engine wait; hand in what it waited for"),
    pure(&["await"], "let the engine wait; hand in what it waited for"),
    pure(&["tokio*"], "let the engine wait; hand in what it waited for"),
    pure(&["std", "time", "Instant"], "take the time as an argument"),
    pure(&["std", "time", "SystemTime"], "take the time as an argument"),
    // Chance is an argument, too: a seed. What is drawn from it must be the same for ever on every machine, so one file
    // turns seeds into numbers. It may take laws (Beta) and generators that begin at a number from the libraries, and
    // nothing that begins by itself.
    Ban {
        path: &["rand*"],
        banned: PURE,
        except: &["src/planner/simulate/random.rs"],
        instead: "take a seed as an argument, and numbers from planner::simulate's streams",
    },
    pure(&["rand", "rng"], "begin at a number of a stream"),
    pure(&["rand", "random*"], "begin at a number of a stream"),
    pure(&["rand", "make_rng"], "begin at a number of a stream"),
    pure(&["rand", "rngs", "ThreadRng"], "begin at a number of a stream"),
    pure(&["rand", "rngs", "SysRng"], "begin at a number of a stream"),
    pure(&["tracing*"], "return what happened; the caller logs it"),
    pure(&["log"], "return what happened; the caller logs it"),
    pure(&["metrics"], "return what happened; the caller counts it"),
    pure(&["serde*"], "parse in cli or api and hand in plain data"),
    pure(&["toml*"], "parse in cli or api and hand in plain data"),
    pure(&["std", "fs"], "read in cli or store and hand in plain data"),
    pure(&["std", "net"], "let the edges speak to the network"),
    pure(&["std", "env"], "take the setting as an argument"),
    pure(&["std", "thread"], "let the caller choose its threads"),
    pure(&["std", "process"], "return an error"),
];

/// Names of the crate that a file may not name.
pub fn wrong_way(file: &Source) -> Vec<String> {
    let here = module(&file.path);
    let Some(room) = here.first() else { return Vec::new() };
    let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| name == room) else {
        return vec![format!(
            "{}:1: the room `{room}` is not in the dependency rule. Instead: give it its place in \
             tests/tidy/rooms.rs and in src/README.md",
            file.path
        )];
    };
    let all = paths(&file.code);
    let imported: Vec<&str> = all
        .iter()
        .filter_map(|path| match in_crate(path, here.len()) {
            Some([room]) => Some(room.as_str()),
            Some([room, this]) if this == "self" => Some(room.as_str()),
            _ => None,
        })
        .collect();
    let mut complaints = Vec::new();
    for path in &all {
        let names = match in_crate(path, here.len()) {
            Some(names) => names,
            // `use crate::store;` and later `store::Read`.
            None if imported.contains(&path.names[0].as_str()) => &path.names[..],
            None => continue,
        };
        let [other, rest @ ..] = names else { continue };
        if other == room || !ROOMS.iter().any(|(name, _)| name == other) {
            continue;
        }
        let fits = |entry: &str| match entry.split_once("::") {
            None => entry == other,
            // The room by itself is only an import; what is taken from it is looked at where it is.
            Some((of, item)) => {
                of == other && rest.first().is_none_or(|first| first == item || first == "self")
            }
        };
        if !allowed.iter().any(|entry| fits(entry)) {
            let may =
                if allowed.is_empty() { "nothing of the crate".into() } else { allowed.join(", ") };
            complaints.push(format!(
                "{}:{}: {room} names {}. Instead: move it, or hand it in; {room} may name {may}",
                file.path,
                path.line,
                names.join("::"),
            ));
        }
    }
    complaints
}

/// Names of libraries that a file may not name.
pub fn strangers(file: &Source) -> Vec<String> {
    let mut complaints = Vec::new();
    for path in paths(&file.code) {
        for ban in BANS {
            let there = |places: &[&str]| places.iter().any(|place| file.path.starts_with(place));
            if begins(&path.names, ban.path) && there(ban.banned) && !there(ban.except) {
                complaints.push(format!(
                    "{}:{}: names {}. Instead: {}",
                    file.path,
                    path.line,
                    path.names.join("::"),
                    ban.instead
                ));
            }
        }
    }
    complaints
}

/// True when a path begins with these names; `x*` stands for every name that begins with x.
fn begins(names: &[String], with: &[&str]) -> bool {
    names.len() >= with.len()
        && names.iter().zip(with).all(|(name, with)| match with.strip_suffix('*') {
            Some(start) => name == start || name.starts_with(&format!("{start}_")),
            None => name == with,
        })
}

/// The modules that a file is: `src/api/intake.rs` is api, intake. Of `lib.rs` nothing.
fn module(path: &str) -> Vec<&str> {
    let inside = path.strip_prefix("src/").unwrap_or(path).trim_end_matches(".rs");
    inside.split('/').filter(|name| !matches!(*name, "mod" | "lib")).collect()
}

/// What a path names counted from the crate's root, if it is said from there: by `crate`, by the
/// crate's own name, or by as many `super` as the file lies deep.
fn in_crate(path: &Named, depth: usize) -> Option<&[String]> {
    let ups = path.names.iter().take_while(|name| *name == "super").count();
    match path.names[0].as_str() {
        "crate" | "swabline" => Some(&path.names[1..]),
        "super" if ups >= depth => Some(&path.names[ups..]),
        _ => None,
    }
}

#[test]
fn a_room_that_names_upwards_is_found() {
    let found = |path: &str, text: &str| wrong_way(&Source::new(path, text)).len();
    assert_eq!(found("src/domain/tube.rs", "use crate::store::Read;"), 1);
    assert_eq!(found("src/domain/tube.rs", "use super::super::store::Read;"), 1);
    assert_eq!(found("src/domain/tube.rs", "use super::fact::Fact; // crate::store"), 0);
    assert_eq!(found("src/web/page.rs", "use crate::{engine::Handle, api};"), 1);
    assert_eq!(found("src/web/page.rs", "use crate::store::{Read, Store};"), 1);
    assert_eq!(found("src/web/page.rs", "use crate::store;\nfn f(s: store::Store) {}"), 1);
    assert_eq!(found("src/web/page.rs", "use crate::store;\nfn f(s: store::Read) {}"), 0);
    assert_eq!(found("src/main.rs", "fn main() { swabline::cli::run(); swabline::store::x() }"), 1);
    assert_eq!(found("src/attic/mod.rs", ""), 1);
}

#[test]
fn a_library_out_of_its_room_is_found() {
    let found = |path: &str, text: &str| strangers(&Source::new(path, text)).len();
    assert_eq!(found("src/engine/writer.rs", "use rocksdb::DB;"), 1);
    assert_eq!(found("src/store/open.rs", "use rocksdb::DB;"), 0);
    assert_eq!(found("src/api/intake.rs", "use tonic::{Status, Code};"), 1);
    assert_eq!(found("src/api/errors/status.rs", "use tonic::{Status, Code};"), 0);
    assert_eq!(found("src/domain/tube.rs", "use std::{time::{Duration, Instant}, fs};"), 2);
    assert_eq!(found("src/planner/rules.rs", "let x = serde_json::to_string(y);"), 1);
    assert_eq!(found("src/planner/rules.rs", "use rand_distr::Beta;"), 1);
    assert_eq!(found("src/planner/simulate/random.rs", "use rand_distr::Beta;"), 0);
    assert_eq!(found("src/planner/simulate/random.rs", "let x = rand::rng();"), 1);
    assert_eq!(found("src/web/page.rs", "\"rocksdb::DB\""), 0);
}
