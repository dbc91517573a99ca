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
mod load;
mod people;
mod report;
mod schedule;
mod set_up;
mod stream;
mod tally;
mod verify;

/// The client made from the proto files.
mod api {
    #![allow(missing_docs, clippy::all)]
    tonic::include_proto!("swabline.v1");
}

use anyhow::{Result, ensure};
use clap::{Args, Parser, Subcommand, ValueEnum};
use load::{Load, Numbers, Timing};
use report::Report;
use std::process::ExitCode;
use std::time::Duration;
use tally::Tally;

/// How long messages may still be sent and answered after the last one was due.
const GRACE: Duration = Duration::from_secs(10);
/// Streams asked of one connection at most; servers commonly allow 100 to 128.
const STREAMS_PER_CONNECTION_MAX: u32 = 100;

/// Exit code when streams or calls broke, or nothing was acknowledged: nothing is known to be lost,
/// but the figures are not those of the load that was asked for.
const EXIT_BROKEN: u8 = 2;

/// Loads a swabline server and reports rate and latency.
///
/// Exit code: 0 done, 1 something acknowledged is missing (or a wrong argument, no connection),
/// 2 streams or calls broke, or nothing was acknowledged.
#[derive(Parser)]
#[command(name = "loadtest", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run one load and report rate and latency
    Run(RunArgs),
}

/// How facts are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// One stream for each device (`Record`)
    Stream,
    /// One call for each message (`RecordBatch`)
    Batch,
}

#[derive(Args)]
struct RunArgs {
    /// Address of the server
    #[arg(long, default_value = "http://127.0.0.1:7700")]
    server: String,
    /// Devices, each a source of its own
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=99_999))]
    devices: u32,
    /// Connections that the devices share [default: one for 50 devices, at least 2]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    connections: Option<u32>,
    /// Tubes a second that are due over all devices; 0 = as fast as answers come (closed loop)
    #[arg(long, default_value_t = 1000.0)]
    rate: f64,
    /// How long messages are due
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: u64,
    /// Tubes in a message
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    batch: u32,
    /// How facts are sent
    #[arg(long, value_enum, default_value = "stream")]
    mode: Mode,
    /// People in a tube
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=200))]
    people: u32,
    /// Desks that the devices stand at [default: one for each device]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=99_999))]
    desks: Option<u32>,
    /// Messages of a device that may be under way in a closed loop
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1024))]
    window: u32,
    /// Ask a stream for outcomes of refused facts only
    #[arg(long)]
    watermark_only: bool,
    /// Use this open round and import nothing; else a round and its desks are made for the run
    #[arg(long)]
    round: Option<String>,
    /// Token of the desk role, when the server asks for one
    #[arg(long)]
    token: Option<String>,
    /// Token of the admin role, for the round and for reading back [default: the desk's]
    #[arg(long)]
    admin_token: Option<String>,
    /// Read back every source and this many random tubes; fail when anything acknowledged is missing
    #[arg(long, value_name = "TUBES", num_args = 0..=1, default_missing_value = "200")]
    verify: Option<usize>,
    /// Print the JSON line only
    #[arg(long)]
    json: bool,
    /// Allow a server that is not on this machine
    #[arg(long)]
    anywhere: bool,
    /// Threads of the client [default: one for each core]
    #[arg(long)]
    threads: Option<usize>,
}

fn main() -> ExitCode {
    let Command::Run(args) = Cli::parse().command;
    start(args).unwrap_or_else(|error| {
        eprintln!("loadtest: {error:#}");
        ExitCode::FAILURE
    })
}

fn start(args: RunArgs) -> Result<ExitCode> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    if let Some(threads) = args.threads {
        runtime.worker_threads(threads.max(1));
    }
    runtime.enable_all().build()?.block_on(run(args))
}

async fn run(args: RunArgs) -> Result<ExitCode> {
    ensure!(args.rate.is_finite() && args.rate >= 0.0, "--rate must be a number, 0 or more");
    let connections = args.connections.unwrap_or_else(|| args.devices.div_ceil(50).max(2));
    ensure!(
        args.mode == Mode::Batch
            || args.devices.div_ceil(connections) <= STREAMS_PER_CONNECTION_MAX,
        "{} streams on {connections} connections: at most {STREAMS_PER_CONNECTION_MAX} go on one, \
         give more --connections",
        args.devices,
    );
    let server = connect::Server::new(&args.server, args.anywhere).await?;
    let desk = server.sign_in(args.token.as_deref())?;
    let admin = server.sign_in(args.admin_token.as_deref().or(args.token.as_deref()))?;

    let numbers = Numbers::of_this_moment();
    let desks = args.desks.unwrap_or(args.devices);
    let round = match &args.round {
        Some(round) => round.clone(),
        None => {
            set_up::round(&admin, &server.channel().await?, &numbers, args.devices, desks).await?
        }
    };
    let load = Load {
        numbers,
        round,
        devices: args.devices,
        desks,
        people: args.people,
        batch: args.batch,
        watermark_only: args.watermark_only,
    };

    let timing = Timing {
        devices: args.devices,
        rate: args.rate,
        batch: args.batch,
        seconds: Duration::from_secs(args.seconds),
        grace: GRACE,
        window: usize::try_from(args.window).unwrap_or(usize::MAX),
    };
    let (tally, elapsed) = match args.mode {
        Mode::Stream => stream::run(&server, &desk, &load, timing, connections).await?,
        Mode::Batch => batch::run(&server, &desk, &load, timing, connections).await?,
    };

    let read_back = match args.verify {
        Some(tubes) => {
            let channel = server.channel().await?;
            Some(verify::read_back(&admin, &channel, &load, &tally.acknowledged, tubes).await?)
        }
        None => None,
    };
    let report = Report {
        mode: if args.mode == Mode::Stream { "stream" } else { "batch" },
        devices: args.devices,
        connections,
        desks,
        rate: args.rate,
        seconds: args.seconds,
        batch: args.batch,
        people: args.people,
        window: args.window,
        tally: &tally,
        elapsed,
        read_back: read_back.as_ref(),
    };
    if !args.json {
        print!("{}", report.text());
    }
    println!("{}", report.json());
    let lost = read_back.as_ref().is_some_and(|found| !found.is_clean());
    Ok(match () {
        () if lost => ExitCode::FAILURE,
        () if tally.failures > 0 || tally.acknowledged_tubes() == 0 => ExitCode::from(EXIT_BROKEN),
        () => ExitCode::SUCCESS,
    })
}

/// Merges what the connections counted.
fn merge(tallies: impl IntoIterator<Item = Tally>) -> Tally {
    tallies.into_iter().fold(Tally::default(), |mut all, one| {
        all.add(one);
        all
    })
}
