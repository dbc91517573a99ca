//! The main job, small: a city's round through real gRPC, with everything that goes wrong in it.

use crate::common::binary;

#[test]
fn a_round_ends_with_everything_as_expected_whatever_the_seed_and_the_city() {
    let cases: [&[&str]; 4] = [
        &["--people", "20000", "--seed", "1"],
        &["--people", "20000", "--seed", "2"],
        &["--people", "20000", "--seed", "3"],
        &["--people", "60000", "--city", "jiyuan"],
    ];
    for arguments in cases {
        let output = binary().arg("demo").args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}:\n{said}");
        for line in ["parts that differ from their total", "findings: 0", "POOL_OVERFILLED"] {
            assert!(said.contains(line), "{arguments:?} does not print {line:?}:\n{said}");
        }
        assert!(!said.contains('✗'), "{arguments:?}:\n{said}");
    }
}

#[test]
fn a_city_file_that_cannot_be_is_refused_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("city.toml");
    let whole = std::fs::read_to_string("deploy/cities/jiyuan.toml").unwrap();
    let line = whole.lines().position(|line| line.starts_with("population")).unwrap() + 1;
    let broken = whole.replacen("population = { value = ", "population = { value = -", 1);
    assert_ne!(broken, whole, "the city file has a population");
    std::fs::write(&file, broken).unwrap();
    for command in ["plan", "demo"] {
        let mut run = binary();
        let run = if command == "plan" {
            run.arg("plan").arg(&file)
        } else {
            run.arg("demo").arg("--city").arg(&file)
        };
        let output = run.output().unwrap();
        assert_eq!(output.status.code(), Some(64), "{command}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            said.contains(&format!("city.toml:{line}")) && !said.is_ascii(),
            "{command}: {said}"
        );
    }
}
