//! `loadtest figures`: the figures that are published, measured on this machine, one line of JSON
//! for each on standard output.

mod blocks;
mod city;
mod cores;
mod disk;
mod engine;
mod grpc;
mod half;
mod machine;
mod place;
mod planner;
mod postgres;
mod queries;
mod rows;

use crate::exit::{Wrong, wrong};
use anyhow::{Context, Result, bail, ensure};
use clap::{Args, Subcommand};
use place::Place;
use rows::{INGEST, PLANNER, Row};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;

/// What is measured.
#[derive(Subcommand)]
pub enum Figures {
    /// How fast facts get in, what they take, and what a whole day does to the server
    ///
    /// Prints a line of JSON for each figure. Exit code 1 when one could not be measured.
    Ingest(IngestArgs),
    /// How fast the planner reckons a city, and how near it comes to what is known
    ///
    /// Prints a line of JSON for each figure. Exit code 1 when one could not be measured.
    Planner(PlannerArgs),
}

/// Flags of `figures ingest`.
#[derive(Args)]
#[command(after_help = named(&INGEST))]
pub struct IngestArgs {
    /// Short runs, all in under five minutes; what is scaled down says so in `scaled`
    #[arg(long)]
    quick: bool,
    #[command(flatten)]
    which: Which,
}

/// Flags of `figures planner`.
#[derive(Args)]
#[command(after_help = named(&PLANNER))]
pub struct PlannerArgs {
    /// Short runs, all in about a minute, in place of about five; what is scaled down says so in `scaled`
    #[arg(long)]
    quick: bool,
    /// The Python that has SimPy [default: that of deploy/bootstrap.sh --figures]
    #[arg(long, value_name = "FILE")]
    python: Option<PathBuf>,
    #[command(flatten)]
    which: Which,
}

/// What is measured, and where.
#[derive(Args)]
struct Which {
    /// Only this figure; may be given several times
    #[arg(long, value_name = "NAME")]
    row: Vec<String>,
    /// Where to make the folder that is measured in [default: beside this program]
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
    /// The program that is measured [default: beside this program]
    #[arg(long = "swabline", value_name = "FILE")]
    program: Option<PathBuf>,
}

/// Figures that share what is expensive to set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Group {
    RawLog,
    Cores,
    Postgres,
    Batched,
    Single,
    BatchedTls,
    SingleTls,
    Fsync,
    Storm,
    City,
    Growth,
    QueriesGrpc,
    Missing,
    /// The planner, one figure.
    Alone(&'static str),
    OverSimpy,
    Forecasts,
}

/// A group, its figures, and the gigabytes of disk that it needs at a time, in full and quick.
type Grouped = (Group, &'static [&'static str], [u64; 2]);

/// The groups of intake in their order.
const INGEST_GROUPS: [Grouped; 13] = [
    (Group::RawLog, &["engine_over_raw_log"], [20, 5]),
    (Group::Cores, &["one_core_to_two"], [6, 3]),
    (Group::Postgres, &["engine_over_postgres"], [30, 6]),
    (Group::Batched, &["grpc_batched"], [6, 2]),
    (Group::Single, &["grpc_single"], [4, 2]),
    (Group::BatchedTls, &["grpc_batched_tls"], [6, 2]),
    (Group::SingleTls, &["grpc_single_tls"], [4, 2]),
    (Group::Fsync, &["ack_over_fsync"], [2, 1]),
    (Group::Storm, &["storm_seconds", "storm_live_p99_ms"], [3, 1]),
    (Group::City, &["restart_seconds", "day_rss_gib", "bytes_whole_life"], [15, 2]),
    (Group::Growth, &["bytes_collected", "growth", "person_queries"], [50, 8]),
    (Group::QueriesGrpc, &["person_queries_grpc", "people_queries_grpc"], [6, 2]),
    (Group::Missing, &["missing_seconds"], [8, 1]),
];

/// A figure of the planner that `swabline benchmark planner` measures by itself.
const fn alone(figure: &'static [&'static str; 1]) -> Grouped {
    (Group::Alone(figure[0]), figure, [0, 0])
}

/// The groups of the planner in their order.
const PLANNER_GROUPS: [Grouped; 11] = [
    alone(&["city_replication_ms"]),
    alone(&["replications_200_seconds"]),
    alone(&["what_if_ms"]),
    (Group::OverSimpy, &["over_simpy"], [0, 0]),
    alone(&["assignment_ms"]),
    alone(&["one_to_one_gap_percent"]),
    alone(&["fluid_vs_simulation_percent"]),
    alone(&["fluid_vs_simulation_shifts_percent"]),
    alone(&["forecast_seconds"]),
    alone(&["coverage_cities_percent"]),
    (
        Group::Forecasts,
        &["coverage_modelled_percent", "coverage_unmodelled_percent", "half_way_error_percent"],
        [0, 0],
    ),
];

/// What has been measured, for those that come after and need it.
pub struct Sheet {
    place: Place,
    /// The machine and the program, in words.
    machine: String,
    wanted: BTreeSet<&'static str>,
    /// Tubes a second over gRPC in batches.
    batched: Option<f64>,
    /// The Python that has SimPy.
    python: Option<PathBuf>,
    /// What the figures at hand have less of than in full, in words.
    scaled: Vec<String>,
    failed: bool,
}

impl Sheet {
    /// True when the figure is asked for and not on the sheet yet.
    fn wants(&self, name: &str) -> bool {
        self.wanted.contains(name)
    }

    /// Prints a figure, with all that has been scaled down since its beginning.
    fn put(&mut self, name: &str, value: f64, mut details: Value) {
        if self.wanted.remove(name)
            && let Some(row) = Row::named(name)
        {
            details["scaled"] = scaled(self.place.quick, &details["scaled"], &self.scaled);
            println!("{}", row.measured(value, details, self.place.quick, &self.machine));
        }
    }

    /// A time or a number, in full or quick.
    fn pick<T>(&self, full: T, quick: T) -> T {
        if self.place.quick { quick } else { full }
    }

    /// The same of a number that is told: a quick run says in `scaled` what it has less of.
    fn scale<T: Display + PartialEq>(&mut self, of: &str, full: T, quick: T) -> T {
        if self.place.quick && quick != full {
            self.scaled.push(format!("{of}: {quick} instead of {full}"));
        }
        self.pick(full, quick)
    }

    /// A figure begins that has nothing in common with the one before.
    fn begin(&mut self) {
        self.scaled.clear();
    }

    async fn measure(&mut self, group: Group) -> Result<()> {
        self.begin();
        match group {
            Group::RawLog => engine::over_raw_log(self).await,
            Group::Cores => cores::one_core_to_two(self).await,
            Group::Postgres => engine::over_postgres(self).await,
            Group::Batched => grpc::batched(self, false).await,
            Group::Single => grpc::single(self, false).await,
            Group::BatchedTls => grpc::batched(self, true).await,
            Group::SingleTls => grpc::single(self, true).await,
            Group::Fsync => grpc::over_fsync(self).await,
            Group::Storm => city::storm(self).await,
            Group::City => city::day(self).await,
            Group::Growth => engine::growth(self).await,
            Group::QueriesGrpc => queries::over_grpc(self).await,
            Group::Missing => engine::missing(self).await,
            Group::Alone(figure) => planner::alone(self, figure).await,
            Group::OverSimpy => planner::over_simpy(self).await,
            Group::Forecasts => planner::forecasts(self).await,
        }
    }
}

/// What stands in `scaled`: null in full; else what the program itself has scaled down and what this one has.
fn scaled(quick: bool, own: &Value, here: &[String]) -> Value {
    if !quick {
        return Value::Null;
    }
    let all: Vec<_> = own.as_str().into_iter().chain(here.iter().map(String::as_str)).collect();
    if all.is_empty() { json!("nothing") } else { json!(all.join("; ")) }
}

/// Measures.
pub async fn run(figures: Figures, files: u64) -> Result<ExitCode> {
    let order = match figures {
        Figures::Ingest(IngestArgs { quick, which }) => {
            Order { rows: &INGEST, groups: &INGEST_GROUPS, quick, which, python: None }
        }
        Figures::Planner(PlannerArgs { quick, python, which }) => {
            Order { rows: &PLANNER, groups: &PLANNER_GROUPS, quick, which, python }
        }
    };
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    // Giving up the work drops what it holds: programs are killed, the folder is removed.
    tokio::select! {
        done = measure(order, files) => done,
        _ = interrupt.recv() => bail!("interrupted; everything that was started has been ended"),
        _ = terminate.recv() => bail!("terminated; everything that was started has been ended"),
    }
}

/// What is to be measured.
struct Order {
    /// The rows of which some are asked for.
    rows: &'static [Row],
    groups: &'static [Grouped],
    quick: bool,
    which: Which,
    python: Option<PathBuf>,
}

async fn measure(order: Order, files: u64) -> Result<ExitCode> {
    let Order { rows, groups, quick, which, python } = order;
    let wanted = wanted(rows, &which.row).map_err(wrong)?;
    let own = std::env::current_exe().context("finding this program")?;
    let program = which.program.unwrap_or_else(|| own.with_file_name("swabline"));
    ensure!(
        program.is_file(),
        Wrong(format!(
            "{} is not there: build it (cargo build --release) or say where it is with --swabline",
            program.display()
        ))
    );
    let beside = own.parent().and_then(|release| release.parent()).map(PathBuf::from);
    let (has_dir, has_rows) = (which.dir.is_some(), !which.row.is_empty());
    let parent = which.dir.or(beside).unwrap_or_else(std::env::temp_dir);
    place::check_folder(&parent).map_err(wrong)?;
    let groups =
        || groups.iter().filter(|(_, rows, _)| rows.iter().any(|row| wanted.contains(row)));
    let needed = groups().map(|(_, _, disk)| disk[usize::from(quick)]).max().unwrap_or(0);
    let free = place::free_bytes(&parent)? >> 30;
    eprintln!(
        "loadtest: needs {needed} GB of disk at a time in {}, {free} are free",
        parent.display()
    );
    ensure!(free >= needed, "not enough disk: {}", less_disk(has_dir, quick, has_rows));

    let place = Place::new(&parent, program, files, quick)?;
    let start = Instant::now();
    let machine = machine::told(&place).await;
    let mut sheet = Sheet {
        place,
        machine,
        wanted: wanted.clone(),
        batched: None,
        python,
        scaled: vec![],
        failed: false,
    };
    for (group, rows, _) in groups() {
        let begun = Instant::now();
        eprintln!("loadtest: {}", rows.join(", "));
        let outcome = sheet.measure(*group).await;
        let why =
            outcome.err().map_or("it was not measured".to_owned(), |error| format!("{error:#}"));
        let why = [Some(why), sheet.place.end_of_server()].into_iter().flatten();
        let why = why.collect::<Vec<_>>().join("; ");
        for row in *rows {
            if sheet.wanted.remove(row)
                && let Some(row) = Row::named(row)
            {
                sheet.failed = true;
                eprintln!("loadtest: {}: {why}", row.name);
                println!("{}", row.failed(&why, quick, &sheet.machine));
            }
        }
        eprintln!("loadtest: {:.0} s", begun.elapsed().as_secs_f64());
    }
    eprintln!("loadtest: {:.0} s in all", start.elapsed().as_secs_f64());
    Ok(if sheet.failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What helps when the disk is too small, without what was done already.
fn less_disk(has_dir: bool, quick: bool, has_rows: bool) -> String {
    let others = [(quick, "measure with --quick"), (has_rows, "measure single figures with --row")];
    let others = others.into_iter().filter_map(|(done, what)| (!done).then_some(what));
    let dir = if has_dir { "name a --dir on a larger disk" } else { "name a --dir" };
    [dir].into_iter().chain(others).collect::<Vec<_>>().join(", or ")
}

/// The figures that are asked for.
fn names(rows: &[Row]) -> String {
    rows.iter().map(|row| row.name).collect::<Vec<_>>().join(", ")
}

/// What `--row` takes, for the help.
fn named(rows: &[Row]) -> String {
    format!("Figures: {}", names(rows))
}

fn wanted(all: &'static [Row], rows: &[String]) -> Result<BTreeSet<&'static str>> {
    if rows.is_empty() {
        return Ok(all.iter().map(|row| row.name).collect());
    }
    let named = |name: &String| {
        let known = || names(all);
        let row = all.iter().find(|row| row.name == *name).map(|row| row.name);
        row.with_context(|| format!("no figure is called {name}; there are {}", known()))
    };
    rows.iter().map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_measured_by_one_group() {
        for (rows, groups) in [(&INGEST[..], &INGEST_GROUPS[..]), (&PLANNER, &PLANNER_GROUPS)] {
            let measured: Vec<_> = groups.iter().flat_map(|(_, rows, _)| rows.iter()).collect();
            for row in rows {
                let times = measured.iter().filter(|name| ***name == row.name).count();
                assert_eq!(times, 1, "{}", row.name);
            }
            assert_eq!(measured.len(), rows.len());
            assert!(groups.iter().all(|(_, _, [full, quick])| quick <= full));
        }
    }

    #[test]
    fn a_quick_run_always_says_what_it_has_less_of() {
        let here = ["seconds: 6 instead of 60".to_owned(), "people: 1 instead of 25".to_owned()];
        for (quick, own, here, wanted) in [
            (false, Value::Null, &here[..], Value::Null),
            (true, Value::Null, &[], json!("nothing")),
            (true, json!("blocks: 3"), &[], json!("blocks: 3")),
            (true, Value::Null, &here[..1], json!("seconds: 6 instead of 60")),
            (
                true,
                json!("a"),
                &here,
                json!("a; seconds: 6 instead of 60; people: 1 instead of 25"),
            ),
        ] {
            assert_eq!(scaled(quick, &own, here), wanted);
        }
    }

    #[test]
    fn who_lacks_disk_is_not_told_what_was_done_already() {
        for (has_dir, quick, has_rows, wanted) in [
            (
                false,
                false,
                false,
                "name a --dir, or measure with --quick, or measure single figures with --row",
            ),
            (
                true,
                true,
                false,
                "name a --dir on a larger disk, or measure single figures with --row",
            ),
            (true, true, true, "name a --dir on a larger disk"),
        ] {
            assert_eq!(less_disk(has_dir, quick, has_rows), wanted);
        }
    }

    #[test]
    fn figures_can_be_chosen_by_name() {
        assert_eq!(wanted(&INGEST, &[]).unwrap().len(), INGEST.len());
        let some = ["growth".into(), "grpc_single".into(), "growth".into()];
        let some = wanted(&INGEST, &some).unwrap();
        assert_eq!(some.into_iter().collect::<Vec<_>>(), ["growth", "grpc_single"]);
        let unknown = |rows, name: &str| wanted(rows, &[name.into()]).unwrap_err().to_string();
        assert!(unknown(&INGEST, "speed").contains("ack_over_fsync"));
        assert!(unknown(&PLANNER, "growth").contains("what_if_ms"));
        assert_eq!(wanted(&PLANNER, &["over_simpy".into()]).unwrap().len(), 1);
    }
}
