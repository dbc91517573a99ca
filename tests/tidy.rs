//! The rules of the house, as a test: who may name whom, how long a file may be, what must not be
//! left lying about, and that no number on the wire or on disk ever changes. Reads the sources as
//! text. Each complaint names file and line and says what to do instead.

#[path = "tidy/frozen.rs"]
mod frozen;
#[path = "tidy/proto.rs"]
mod proto;
#[path = "tidy/rooms.rs"]
mod rooms;
#[path = "tidy/source.rs"]
mod source;

use source::{Source, rust_sources};

/// A file longer than this is worth a thought: can it be two?
const LINES_WARN: usize = 500;
/// A file longer than this fails.
const LINES_MAX: usize = 800;
/// `main.rs` holds arguments, configuration, run and exit code, and nothing else.
const MAIN_LINES_MAX: usize = 80;

#[track_caller]
fn nobody_complains(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn rooms_name_only_what_lies_below_them() {
    nobody_complains(rust_sources(&["src"]).iter().flat_map(rooms::wrong_way).collect());
}

#[test]
fn each_library_stays_in_its_room() {
    nobody_complains(rust_sources(&["src"]).iter().flat_map(rooms::strangers).collect());
}

#[test]
fn the_load_generator_stands_alone() {
    let of_the_service = |file: &Source| {
        let all = source::paths(&file.code);
        let own = all.into_iter().filter(|path| path.names[0] == "swabline").map(|path| {
            format!(
                "{}:{}: names swabline. Instead: go by proto/ alone, like any other client",
                file.path, path.line
            )
        });
        own.collect::<Vec<_>>()
    };
    nobody_complains(rust_sources(&["loadtest"]).iter().flat_map(of_the_service).collect());
}

#[test]
fn files_can_be_read_in_one_sitting() {
    let mut complaints = Vec::new();
    for file in rust_sources(&["src", "loadtest", "tests", "benches"]) {
        let lines = file.text.lines().count();
        let max = if file.path == "src/main.rs" { MAIN_LINES_MAX } else { LINES_MAX };
        if lines > max {
            complaints.push(format!(
                "{}:{lines}: {lines} lines, more than {max}. Instead: split it by subject",
                file.path
            ));
        } else if lines > LINES_WARN {
            println!("{}:{lines}: {lines} lines; think about splitting it", file.path);
        }
    }
    nobody_complains(complaints);
}

#[test]
fn every_file_begins_by_saying_what_it_is() {
    let silent = |file: &Source| {
        let speaks = file.text.starts_with("//!")
            // lib.rs may take its words from the architecture page.
            || (file.path == "src/lib.rs" && file.text.starts_with("#![doc = include_str!"));
        (!speaks && !file.path.ends_with("build.rs")).then(|| {
            format!(
                "{}:1: begins without `//!`. Instead: say what it is, and what it may not do",
                file.path
            )
        })
    };
    let all = rust_sources(&["src", "loadtest", "tests", "benches"]);
    nobody_complains(all.iter().filter_map(silent).collect());
}

#[test]
fn nothing_is_left_half_done() {
    let banned = [
        ("todo!", "write it, or leave the room away until it is needed"),
        ("unimplemented!", "write it, or return an error that says so"),
        ("dbg!", "use tracing, or take it out"),
        ("#[ignore", "make the test fast and sure, or take it out"),
        ("#[should_panic", "test the error that is returned"),
    ];
    let mut complaints = Vec::new();
    for file in rust_sources(&["src", "loadtest", "tests", "benches"]) {
        for (number, line) in file.code.lines().enumerate() {
            for (word, instead) in banned {
                if line.contains(word) {
                    let line = number + 1;
                    complaints.push(format!("{}:{line}: {word} Instead: {instead}", file.path));
                }
            }
        }
    }
    nobody_complains(complaints);
}

#[test]
fn the_numbers_of_the_api_are_for_ever() {
    nobody_complains(frozen::changed("tests/frozen/proto.txt", &proto::declarations()));
}

#[test]
fn the_numbers_on_disk_are_for_ever() {
    nobody_complains(frozen::changed("tests/frozen/numbers.txt", &frozen::numbers()));
}
