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
mod exit;
mod figures;
mod files;
mod kinds;
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
#[derive(Parser)]
#[command(name = "loadtest", version, after_help = exit::table())]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run one load and report rate and latency
    #[command(after_help = exit::table())]
    Run(run::RunArgs),
    /// Measure the figures that are published, each with its floor and its goal
    #[command(subcommand)]
    Figures(figures::Figures),
}

fn main() -> ExitCode {
    let command = match Cli::try_parse() {
        Ok(cli) => cli.command,
        Err(error) => {
            // Nobody reads it when that fails.
            let _ = error.print();
            return ExitCode::from(exit::number_of_words(&error));
        }
    };
    let files = files::raise();
    let started = match command {
        Command::Run(args) => start(args.threads, run::run(args, files)),
        Command::Figures(figures) => start(None, figures::run(figures, files)),
    };
    started.unwrap_or_else(|error| {
        eprintln!("loadtest: {error:#}");
        ExitCode::from(exit::number_of(&error))
    })
}

fn start(threads: Option<u16>, work: impl Future<Output = Result<ExitCode>>) -> Result<ExitCode> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    if let Some(threads) = threads {
        runtime.worker_threads(usize::from(threads));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_words_end_with_64_and_help_with_0() {
        for (words, wanted) in [
            ("run --nonsense", Some(64)),
            ("", Some(64)),
            ("run --threads 0", Some(64)),
            ("run --threads 1000000", Some(64)),
            ("run --rate x", Some(64)),
            ("run --verify 1000001", Some(64)),
            ("--help", Some(0)),
            ("run --help", Some(0)),
            ("--version", Some(0)),
            ("run --threads 2 --verify", None),
            ("run --verify 0", None),
        ] {
            let read =
                Cli::try_parse_from(["loadtest"].into_iter().chain(words.split_whitespace()));
            assert_eq!(read.err().map(|error| exit::number_of_words(&error)), wanted, "{words}");
        }
    }

    #[test]
    fn the_help_has_the_exit_codes() {
        for words in ["--help", "run --help"] {
            let read =
                Cli::try_parse_from(["loadtest"].into_iter().chain(words.split_whitespace()));
            let help = read.err().map(|error| error.to_string()).unwrap_or_default();
            assert!(help.contains(&exit::table()), "{words}: {help}");
        }
    }
}
