//! Loads a swabline server as a city does: many devices, each with its own stream or its own
//! batches, and measures what a desk would feel.
//!
//! In an open loop every message has a time at which it is due, fixed before the run; its latency
//! counts from that time even when it could not be sent yet. So a server that stalls is charged for
//! every tube that would have come meanwhile (this corrects for coordinated omission). With
//! `--rate 0` the loop is closed: devices send as fast as answers come, and latencies flatter.
//!
//! Knows the server by the proto files alone, as any other client would.

mod batch;
mod connect;
mod day;
mod encode;
mod figures;
mod files;
mod load;
mod order;
mod overload;
mod pace;
mod people;
mod profile;
mod report;
mod run;
mod schedule;
mod set_up;
mod storm;
mod stream;
mod tally;
mod verify;
mod wire;

/// The client made from the proto files.
mod api {
    #![allow(missing_docs, clippy::all)]
    tonic::include_proto!("swabline.v1");
}

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::process::ExitCode;
use tally::Tally;

/// Loads a swabline server and reports rate and latency.
///
/// Exit code: 0 done, 1 something acknowledged is missing (or a wrong argument, no connection, a
/// figure that could not be measured), 2 streams or calls broke, nothing was acknowledged, or more than
/// a twentieth of what was due was never sent or answered.
#[derive(Parser)]
#[command(name = "loadtest", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run one load and report rate and latency
    Run(run::RunArgs),
    /// Measure the figures that are published, each with its floor and its goal
    #[command(subcommand)]
    Figures(figures::Figures),
}

fn main() -> ExitCode {
    let files = files::raise();
    let started = match Cli::parse().command {
        Command::Run(args) => start(args.threads, run::run(args, files)),
        Command::Figures(figures) => start(None, figures::run(figures, files)),
    };
    started.unwrap_or_else(|error| {
        eprintln!("loadtest: {error:#}");
        ExitCode::FAILURE
    })
}

fn start(threads: Option<usize>, work: impl Future<Output = Result<ExitCode>>) -> Result<ExitCode> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    if let Some(threads) = threads {
        runtime.worker_threads(threads.max(1));
    }
    runtime.enable_all().build()?.block_on(work)
}

/// Merges what the connections counted.
fn merge(tallies: impl IntoIterator<Item = Tally>) -> Tally {
    tallies.into_iter().fold(Tally::default(), |mut all, one| {
        all.add(one);
        all
    })
}
