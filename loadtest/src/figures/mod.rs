//! `loadtest figures`: the figures that are published, measured on this machine, one line of JSON
//! for each on standard output.

mod city;
mod disk;
mod engine;
mod grpc;
mod place;
mod postgres;
mod queries;
mod rows;

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, Subcommand};
use place::Place;
use rows::{ROWS, Row};
use serde_json::Value;
use std::collections::BTreeSet;
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
}

/// Flags of `figures ingest`.
#[derive(Args)]
pub struct IngestArgs {
    /// Short runs, all in about five minutes; what is scaled down says so in `scaled`
    #[arg(long)]
    quick: bool,
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
}

/// The groups in their order, with their figures and the gigabytes of disk that each needs at a time,
/// in full and quick.
const GROUPS: [(Group, &[&str], [u64; 2]); 12] = [
    (Group::RawLog, &["engine_over_raw_log"], [20, 5]),
    (Group::Postgres, &["engine_over_postgres"], [30, 6]),
    (Group::Batched, &["grpc_batched"], [6, 2]),
    (Group::Single, &["grpc_single"], [4, 2]),
    (Group::BatchedTls, &["grpc_batched_tls"], [6, 2]),
    (Group::SingleTls, &["grpc_single_tls"], [4, 2]),
    (Group::Fsync, &["ack_over_fsync"], [2, 1]),
    (Group::Storm, &["storm_seconds", "storm_live_p99_ms"], [3, 1]),
    (Group::City, &["restart_seconds", "day_rss_gib", "bytes_whole_life"], [15, 2]),
    (Group::Growth, &["bytes_collected", "growth", "person_queries"], [50, 8]),
    (Group::QueriesGrpc, &["person_queries_grpc"], [6, 2]),
    (Group::Missing, &["missing_seconds"], [8, 1]),
];

/// What has been measured, for those that come after and need it.
pub struct Sheet {
    place: Place,
    wanted: BTreeSet<&'static str>,
    /// Tubes a second of the engine alone, and over gRPC in batches.
    engine: Option<f64>,
    /// The same.
    batched: Option<f64>,
    failed: bool,
}

impl Sheet {
    /// True when the figure is asked for and not on the sheet yet.
    fn wants(&self, name: &str) -> bool {
        self.wanted.contains(name)
    }

    /// Prints a figure.
    fn put(&mut self, name: &str, value: f64, details: Value) {
        if self.wanted.remove(name)
            && let Some(row) = Row::named(name)
        {
            println!("{}", row.measured(value, details, self.place.quick));
        }
    }

    /// A time or a number, in full or quick.
    fn pick<T>(&self, full: T, quick: T) -> T {
        if self.place.quick { quick } else { full }
    }

    async fn measure(&mut self, group: Group) -> Result<()> {
        match group {
            Group::RawLog => engine::over_raw_log(self).await,
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
        }
    }
}

/// Measures.
pub async fn run(figures: Figures, files: u64) -> Result<ExitCode> {
    let Figures::Ingest(args) = figures;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    // Giving up the work drops what it holds: programs are killed, the folder is removed.
    tokio::select! {
        done = ingest(args, files) => done,
        _ = interrupt.recv() => bail!("interrupted; everything that was started has been ended"),
        _ = terminate.recv() => bail!("terminated; everything that was started has been ended"),
    }
}

async fn ingest(args: IngestArgs, files: u64) -> Result<ExitCode> {
    let wanted = wanted(&args.row)?;
    let own = std::env::current_exe().context("finding this program")?;
    let program = args.program.unwrap_or_else(|| own.with_file_name("swabline"));
    ensure!(
        program.is_file(),
        "{} is not there: build it (cargo build --release) or say where it is with --swabline",
        program.display()
    );
    let beside = own.parent().and_then(|release| release.parent()).map(PathBuf::from);
    let parent = args.dir.or(beside).unwrap_or_else(std::env::temp_dir);
    let groups =
        || GROUPS.iter().filter(|(_, rows, _)| rows.iter().any(|row| wanted.contains(row)));
    let needed = groups().map(|(_, _, disk)| disk[usize::from(args.quick)]).max().unwrap_or(0);
    let free = place::free_bytes(&parent)? >> 30;
    eprintln!(
        "loadtest: needs {needed} GB of disk at a time in {}, {free} are free",
        parent.display()
    );
    ensure!(free >= needed, "not enough disk: choose another --dir, --quick, or single rows");

    let place = Place::new(&parent, program, files, args.quick)?;
    let mut sheet =
        Sheet { place, wanted: wanted.clone(), engine: None, batched: None, failed: false };
    for (group, rows, _) in groups() {
        let begun = Instant::now();
        eprintln!("loadtest: {}", rows.join(", "));
        let outcome = sheet.measure(*group).await;
        let why =
            outcome.err().map_or("it was not measured".to_owned(), |error| format!("{error:#}"));
        for row in *rows {
            if sheet.wanted.remove(row)
                && let Some(row) = Row::named(row)
            {
                sheet.failed = true;
                eprintln!("loadtest: {}: {why}", row.name);
                println!("{}", row.failed(&why, args.quick));
            }
        }
        eprintln!("loadtest: {:.0} s", begun.elapsed().as_secs_f64());
    }
    Ok(if sheet.failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The figures that are asked for.
fn wanted(rows: &[String]) -> Result<BTreeSet<&'static str>> {
    if rows.is_empty() {
        return Ok(ROWS.iter().map(|row| row.name).collect());
    }
    let named = |name: &String| {
        let known = || ROWS.iter().map(|row| row.name).collect::<Vec<_>>().join(", ");
        let row = Row::named(name).map(|row| row.name);
        row.with_context(|| format!("no figure is called {name}; there are {}", known()))
    };
    rows.iter().map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_measured_by_one_group() {
        let measured: Vec<_> = GROUPS.iter().flat_map(|(_, rows, _)| rows.iter()).collect();
        for row in &ROWS {
            assert_eq!(
                measured.iter().filter(|name| ***name == row.name).count(),
                1,
                "{}",
                row.name
            );
        }
        assert_eq!(measured.len(), ROWS.len());
        assert!(GROUPS.iter().all(|(_, _, [full, quick])| quick <= full));
    }

    #[test]
    fn figures_can_be_chosen_by_name() {
        assert_eq!(wanted(&[]).unwrap().len(), ROWS.len());
        let some = wanted(&["growth".into(), "grpc_single".into(), "growth".into()]).unwrap();
        assert_eq!(some.into_iter().collect::<Vec<_>>(), ["growth", "grpc_single"]);
        assert!(wanted(&["speed".into()]).unwrap_err().to_string().contains("ack_over_fsync"));
    }
}
