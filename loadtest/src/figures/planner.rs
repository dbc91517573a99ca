//! Figures of the planner: `swabline benchmark planner` makes them, in a process of its own for each,
//! never two at a time; SimPy runs the same lab in turns with it.

use super::Sheet;
use super::blocks::{disturbed, median};
use super::place::number;
use anyhow::{Result, ensure};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// One lab, plate by plate, in SimPy.
const SIMPY_LAB: &str = include_str!("../../../tests/oracle/simpy_lab.py");
/// How far the makespans of the two may be apart, percent.
const APART: f64 = 1.0;
/// Floor and goal of the error at half-way when something happens that no model knows, percent.
const UNMODELLED: [f64; 2] = [20.0, 12.0];

impl Sheet {
    /// One row of `swabline benchmark planner`.
    async fn reckoned(&self, row: &str) -> Result<Value> {
        let mut command = Command::new(&self.place.program);
        command.args(["benchmark", "planner", row]);
        command.args(self.place.quick.then_some("--quick"));
        self.place.line(&format!("swabline benchmark planner {row}"), command, None).await
    }
}

/// A figure that the benchmark gives as it stands.
pub async fn alone(sheet: &mut Sheet, figure: &str) -> Result<()> {
    let line = sheet.reckoned(figure).await?;
    put(sheet, figure, line)
}

/// What the benchmark said, as a figure.
fn put(sheet: &mut Sheet, figure: &str, mut line: Value) -> Result<()> {
    // It is the name, said twice.
    line.as_object_mut().and_then(|line| line.remove("row"));
    sheet.put(figure, number(&line, "value")?, line);
    Ok(())
}

/// The Python that has SimPy: what was said, or that of `deploy/bootstrap.sh --figures`.
fn python(said: Option<&Path>) -> Result<PathBuf> {
    let python = match said {
        Some(python) => python.to_owned(),
        None => {
            let cache = std::env::var_os("XDG_CACHE_HOME").filter(|cache| !cache.is_empty());
            let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
            let cache = cache.map(PathBuf::from).or_else(home);
            cache.unwrap_or_default().join("swabline/venv-figures/bin/python")
        }
    };
    ensure!(
        python.is_file(),
        "{} is not there; make it with: deploy/bootstrap.sh --figures, or name a Python that has \
         SimPy with --python",
        python.display()
    );
    Ok(python)
}

/// One lab of 30,000 tubes plate by plate: time of SimPy over ours, blocks in turns. Both must be done
/// at the same time.
pub async fn over_simpy(sheet: &mut Sheet) -> Result<()> {
    let python = python(sheet.python.as_deref())?;
    let blocks = sheet.scale("blocks", 5, 2);
    let replications = sheet.scale("replications of SimPy", 20, 5);
    let script = sheet.place.part("simpy_lab.py");
    let question = sheet.place.part("simpy_lab.json");
    fs::write(&script, SIMPY_LAB)?;
    let (mut own, mut simpy) = (vec![], vec![]);
    let (mut last, mut events) = (Value::Null, Value::Null);
    for _ in 0..blocks {
        let line = sheet.reckoned("simpy_lab").await?;
        let mut asked = line["lab"].clone();
        ensure!(asked.is_object(), "swabline did not say which lab it ran: {line}");
        asked["replications"] = json!(replications);
        asked["seed"] = json!(1);
        fs::write(&question, asked.to_string())?;
        let mut command = Command::new(&python);
        command.arg(&script);
        let said = sheet.place.line("simpy_lab.py", command, Some(&question)).await?;
        same(number(&line, "makespan_hours")?, number(&said, "makespan_hours")?)?;
        own.push(number(&line, "value")?);
        simpy.push(number(&said, "wall_seconds")? * 1e3 / f64::from(replications));
        (last, events) = (line, said["events"].clone());
    }
    let details = json!({
        "swabline_ms": median(&own),
        "simpy_ms": median(&simpy),
        "swabline_blocks_ms": own,
        "simpy_blocks_ms": simpy,
        "disturbed": disturbed(&[("swabline_blocks_ms", &own), ("simpy_blocks_ms", &simpy)]),
        "makespan_hours": last["makespan_hours"],
        "plates": last["plates"],
        "simpy_events": events.as_f64().map(|events| events / f64::from(replications)),
        "simpy_replications": replications,
        "scaled": last["scaled"],
    });
    sheet.put("over_simpy", median(&simpy) / median(&own), details);
    Ok(())
}

/// That both are done at the same time.
fn same(own: f64, simpy: f64) -> Result<()> {
    let apart = 100.0 * (own / simpy - 1.0).abs();
    ensure!(
        apart <= APART,
        "not the same lab: ours is done after {own:.3} h, SimPy's after {simpy:.3} h, {apart:.2} % \
         apart; at most {APART} % will do"
    );
    Ok(())
}

/// How often the forecast's intervals hold the end, and how far its middle is off.
pub async fn forecasts(sheet: &mut Sheet) -> Result<()> {
    let mut scaled = Value::Null;
    let half_way = sheet.wants("half_way_error_percent");
    let mut errors = [None, None];
    for (at, figure) in
        ["coverage_modelled_percent", "coverage_unmodelled_percent"].into_iter().enumerate()
    {
        if !half_way && !sheet.wants(figure) {
            continue;
        }
        let line = sheet.reckoned(figure).await?;
        errors[at] = Some(number(&line, "half_way_error")?);
        scaled = line["scaled"].clone();
        put(sheet, figure, line)?;
    }
    if half_way {
        let [Some(modelled), Some(unmodelled)] = errors else { return Ok(()) };
        let [floor, goal] = UNMODELLED;
        let details = json!({
            "modelled": modelled,
            "unmodelled": unmodelled,
            "unmodelled_floor": floor,
            "unmodelled_goal": goal,
            "unmodelled_reaches": reaches(unmodelled),
            "scaled": scaled,
        });
        sheet.put("half_way_error_percent", modelled, details);
    }
    Ok(())
}

/// How far the error of the second half comes.
fn reaches(error: f64) -> &'static str {
    let [floor, goal] = UNMODELLED;
    if error <= goal {
        "goal"
    } else if error <= floor {
        "floor"
    } else {
        "below"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labs_that_are_not_done_together_are_not_compared() {
        same(23.84, 23.84).unwrap();
        same(23.9, 23.84).unwrap();
        let why = same(24.2, 23.84).unwrap_err().to_string();
        assert!(why.contains("not the same lab") && why.contains("1.51 %"), "{why}");
        assert!(same(f64::NAN, 23.84).is_err());
    }

    #[test]
    fn a_python_that_is_not_there_is_told_with_what_makes_it() {
        let why = python(Some(Path::new("/nowhere/python"))).unwrap_err().to_string();
        assert!(why.contains("/nowhere/python") && why.contains("--figures"), "{why}");
    }

    #[test]
    fn the_second_half_is_held_against_limits_of_its_own() {
        assert_eq!([12.0, 20.0, 20.1].map(reaches), ["goal", "floor", "below"]);
    }
}
