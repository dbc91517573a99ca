//! One lab in SimPy: a second opinion on the simulation, from a program that has nothing of ours in it. Needs what the
//! planner itself may not touch, a process.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::common::witness;
use serde_json::{Value, json};
use swabline::planner::StageKind;
use swabline::planner::example;
use swabline::planner::model::{HOUR, MINUTE, Model, Ms, Takes};
use swabline::planner::simulate::{Scratch, Simulation, Start};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle/simpy_lab.py");
const TUBES: u32 = 30_000;
const ARRIVAL_HOURS: u32 = 16;
const PLATE: u32 = 94;

/// Labs in which reception, extraction and the cyclers bind in turn: units by stage.
const LABS: [[u32; StageKind::COUNT]; 4] = [
    [6, 12, 20, 9, 5, 30, 5],
    [2, 12, 20, 9, 5, 30, 5],
    [6, 12, 20, 30, 5, 11, 5],
    [1, 1, 1, 1, 1, 1, 1],
];

/// When plate `k` of `all` is ready.
fn ready(k: u32, all: u32) -> Ms {
    (f64::from(k + 1) / f64::from(all) * f64::from(ARRIVAL_HOURS * HOUR)) as Ms
}

#[test]
fn one_lab_takes_as_long_in_simpy() {
    let Some(python) = witness(
        "SWABLINE_SIMPY",
        "one lab against SimPy",
        "run deploy/bootstrap.sh --oracles, and set it to ~/.cache/swabline/venv-figures/bin/python",
    ) else {
        return;
    };
    for units in LABS {
        let mut lab = example::lab(units);
        for stage in &mut lab.stages {
            stage.rests.clear();
            (stage.takes, stage.hold) = (Takes::Fill, 0);
            (stage.run_spread, stage.failures_per_day) = (0.0, 0.0);
        }
        let minutes = |ms: Ms| f64::from(ms) / f64::from(MINUTE);
        let stages: Vec<Value> = StageKind::ALL
            .into_iter()
            .zip(&lab.stages)
            .map(|(kind, s)| json!({"name": kind.name().en, "units": s.units, "minutes": minutes(s.run)}))
            .collect();
        let question = json!({
            "replications": 1, "seed": 1, "tubes": TUBES, "arrival_hours": ARRIVAL_HOURS, "plate": PLATE,
            "stages": stages,
        });
        let theirs = ask(&python, &question);

        let model = Model { streets: Vec::new(), labs: vec![lab], ..example::city(1) };
        let plates = TUBES.div_ceil(PLATE);
        let mut start = Start::whole(&model);
        let tubes = |k: u32| PLATE.min(TUBES - k * PLATE);
        start.labs[0].waiting[0] = (0..plates).map(|k| (ready(k, plates), tubes(k))).collect();
        let run = Simulation::new(&model, &start).run(1, 0, &mut Scratch::default());
        let ours = f64::from(run.finish) / f64::from(HOUR);
        println!("{units:?}: SimPy {theirs:.4} h, ours {ours:.4} h");
        assert!((ours / theirs - 1.0).abs() < 0.01, "{units:?}: SimPy {theirs} h, ours {ours} h");
        assert_eq!(run.labs[0].stages[0].tubes_out, u64::from(TUBES));
    }
}

/// The makespan that SimPy gives, hours.
fn ask(python: &str, question: &Value) -> f64 {
    let mut child = Command::new(python)
        .arg(SCRIPT)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("SWABLINE_SIMPY, {python}: {error}"));
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(question.to_string().as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{SCRIPT} failed: {}", output.status);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    answer["makespan_hours"].as_f64().expect("a number of hours")
}
