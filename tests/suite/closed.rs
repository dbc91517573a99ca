//! Who reads what a command prints may be gone before it is printed (`… 2>&1 | head -0`): the command does what it was asked to
//! do, and its exit code is the same.

use crate::common::{Place, binary};
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

/// The end of a pipe that nobody reads.
fn closed() -> Stdio {
    Stdio::from(std::io::pipe().unwrap().1)
}

fn code(command: &mut Command) -> i32 {
    command.status().unwrap().code().expect("an exit code")
}

#[test]
fn a_command_whose_readers_are_gone_ends_with_its_own_exit_code() {
    let place = Place::new();
    let nowhere = place.root.path().join("nowhere");
    let nowhere = nowhere.to_str().expect("a path");
    for (words, expected) in [
        (&["--help"][..], 0),
        (&["help", "plan"], 0),
        (&["help", "plann"], 64),
        (&["plann"], 64),
        (&["plan", nowhere], 64),
        (&["plan", "chifeng", "--replications", "0", "--target", "120h"], 0),
        (&["plan", "diff", "chifeng", "jiyuan"], 1),
        (&["verify", nowhere], 1),
        (&["forecasts", nowhere], 64),
        (&["import", nowhere, "--check"], 64),
        (&["demo", nowhere], 64),
        (&["serve", "--config", nowhere], 64),
        (&["serve", "--print-config"], 0),
    ] {
        let read = code(binary().args(words).stdout(Stdio::null()).stderr(Stdio::null()));
        assert_eq!(read, expected, "{words:?}");
        let gone = code(binary().args(words).stdout(closed()).stderr(closed()));
        assert_eq!(gone, expected, "{words:?}, with nobody there");
    }
}

#[test]
fn a_full_disk_is_no_reader_who_is_gone() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let words = ["plan", "diff", "chifeng", "chifeng"];
    let (zh, en) = ("标准输出无法写入：磁盘空间不足", "standard output cannot be written: ");
    for (more, told, kept) in [
        (&[][..], vec![zh, en], vec![]),
        (&["--lang", "zh"], vec![zh], vec![en]),
        (&["--lang", "en"], vec![en], vec![zh]),
    ] {
        let full = full.try_clone().unwrap();
        let done =
            binary().args(words).args(more).stdout(full).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(done.status.code(), Some(1), "an answer that could not be written");
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(told.iter().all(|words| said.contains(words)), "{more:?}: {said}");
        assert!(!kept.iter().any(|words| said.contains(words)), "{more:?}: {said}");
    }
}

#[test]
fn a_service_does_not_end_with_its_log() {
    let place = Place::new();
    let mut child = binary()
        .args(["serve", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--data"])
        .arg(place.data())
        .arg("--keys")
        .arg(place.keys())
        .stdout(Stdio::piped())
        .stderr(closed())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let pid = child.id().to_string();
    let ended = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    let code = child.wait().unwrap().code();
    assert!(line.starts_with("listening grpc=") && rest.is_empty(), "{line}{rest}");
    assert!(ended.success() && code == Some(0), "{code:?}");
}
