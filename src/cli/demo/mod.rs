//! `swabline demo`: a whole city's testing round, played through real gRPC connections against the
//! real service on a drill folder, with faults injected, until the last recall is closed.
//!
//! In reading order: `truth` (who is where), `faults` (what goes wrong), `saying` (what sources
//! say), `labs`, `calendar`, `play` with `field` and `bench` (the round), `wire`, `setup`, `ask` (the
//! connections), `expect` and `outcome` (what must come of it and what did), `report`; `played` (the city as the forecast has to
//! know it).
//!
//! The demo is a client like any other: it finds out what came of the round only by asking.

mod ask;
mod bench;
mod calendar;
mod expect;
mod faults;
mod field;
mod labs;
mod outcome;
mod play;
mod played;
mod report;
mod saying;
mod setup;
#[cfg(test)]
mod tests;
mod ticker;
mod truth;
mod wire;

use super::{EXIT_CONFIGURATION, city_file, files, output};
use crate::app::Service;
use crate::config::Config;
use crate::planner::round::Round;
use crate::planner::{self, City};
use crate::store;
use anyhow::{Context, Result};
use play::{Player, Seen};
use report::{Plans, Report, Timing};
use saying::Script;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};

/// Fewest people of a drill: below it there are not enough tubes for every kind of fault.
const PEOPLE_MIN: u64 = 5_000;

/// Most people of a drill: more than any city has.
const PEOPLE_MAX: u64 = 50_000_000;

/// Streams that may open within a tenth of a second: more than a player opens.
const STREAMS_OPENING_MAX: usize = 100_000;

/// Seconds of the drill from one forecast to the next: its day passes in minutes, and forecasts must not take the machine from
/// the service that is shown.
const FORECAST_SECONDS: u64 = 1_800;

/// Exit code of a round that Ctrl-C ended.
const EXIT_INTERRUPTED: u8 = 130;

/// Flags of `demo`.
#[derive(Clone, Debug, clap::Args)]
pub struct DemoArgs {
    /// City file (CITY.toml), or a built-in city: chifeng, jiyuan, kunming, qujing. 城市文件或内置城市
    #[arg(long, value_name = "FILE", default_value = "chifeng")]
    city: String,
    /// Scale the city to so many people, 5,000 to 50,000,000. 按人数缩放，5000 到 5000 万
    #[arg(long, value_parser = people)]
    people: Option<u64>,
    /// Seed of everything that is left to chance. 随机种子
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Keep the folder: data in DIR/data, keys in DIR/keys. 保留数据目录
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Go on serving after the round, until Ctrl-C. 演练结束后继续提供服务
    #[arg(long)]
    serve: bool,
    /// Print one JSON document instead of the report. 输出 JSON
    #[arg(long)]
    json: bool,
}

/// How many people a drill has.
fn people(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(people @ PEOPLE_MIN..=PEOPLE_MAX) => Ok(people),
        _ => Err(format!(
            "应为 {PEOPLE_MIN} 到 {PEOPLE_MAX} / expected {PEOPLE_MIN} to {PEOPLE_MAX}"
        )),
    }
}

/// Runs the demo.
///
/// # Errors
/// What kept the round from being played to its end.
pub fn run(args: DemoArgs) -> Result<ExitCode> {
    let city = match city_file::open(Path::new(&args.city), None) {
        Ok(city) => city,
        Err(error) => {
            output::aside(&error.to_string());
            return Ok(ExitCode::from(EXIT_CONFIGURATION));
        }
    };
    let city = match args.people {
        Some(people) => city.scaled(people),
        None => city,
    };
    // Made first and dropped last: the folder goes when everything that uses it has ended.
    let temporary;
    let dir = match &args.keep {
        Some(dir) => dir.as_path(),
        None => {
            temporary = tempfile::Builder::new().prefix("swabline-demo-").tempdir()?;
            temporary.path()
        }
    };
    if dir.join("data").exists() {
        let dir = dir.display();
        output::aside(&format!(
            "{dir}: 目录已有数据，请换一个目录 / there are data already, give another folder"
        ));
        return Ok(ExitCode::from(EXIT_CONFIGURATION));
    }
    std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let seen = Arc::new(Seen::default());
    let code = runtime.block_on(async {
        tokio::select! {
            done = demo(&args, &city, dir, &seen) => done,
            interrupted = interrupts(&seen) => interrupted.map(|()| ExitCode::from(EXIT_INTERRUPTED)),
        }
    });
    runtime.shutdown_timeout(Duration::from_secs(5));
    code
}

/// The first signal ends the round in order; returns at the second.
async fn interrupts(seen: &Seen) -> Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    for _ in 0..2 {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        seen.stop.store(true, Ordering::Relaxed);
    }
    Ok(())
}

async fn demo(args: &DemoArgs, city: &City, dir: &Path, seen: &Arc<Seen>) -> Result<ExitCode> {
    let before = planner::solve(city, city.target_h);
    let filled_city = planner::fill(city, &before);
    let after = planner::solve(&filled_city, city.target_h);
    let plans = Plans { filled_city, before, after };
    let begun = Instant::now();
    let mut config = Config::drill(dir.join("data"), dir.join("keys"));
    // The player opens a stream for whatever a source has to say, thousands a second, and that is no storm of devices:
    // it would wait for its turns instead of the service.
    config.api.streams_opening_max = STREAMS_OPENING_MAX;
    config.planner.forecast_seconds = FORECAST_SECONDS;
    if let Err(problem) = files::share_out(&mut config) {
        output::aside(&problem.to_string());
        return Ok(ExitCode::from(EXIT_CONFIGURATION));
    }
    let city_plan = played::plan(&plans.filled_city, &plans.after);
    let sent = match &city_plan.round {
        Ok(round) => round.clone(),
        Err(words) => anyhow::bail!("{} / {}", words.zh, words.en),
    };
    let service = Service::start_for(config, Some(city_plan)).await?;
    let played = round(args, &plans, &sent, &service, seen, begun).await;
    let ended = match played {
        Ok(Some(ended)) => ended,
        other => {
            // In order also when the round was not: what was acknowledged stays.
            service.stop().await?;
            other?;
            output::aside("已中断 / interrupted");
            return Ok(ExitCode::from(EXIT_INTERRUPTED));
        }
    };
    let (player, outcome, mut timing) = ended;
    let mut report = Report {
        plans: &plans,
        people: expect::Expected::of(&player.script).attending,
        seed: args.seed,
        player: &player,
        outcome: &outcome,
        timing,
        verify: None,
    };
    if args.serve {
        output::answer(&if args.json { report.json() } else { report.text() })?;
        output::aside(&format!(
            "仍在提供服务 / serving on {}，Ctrl-C 结束 / ends it",
            service.address
        ));
        while !seen.stop.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
    let stopped = Instant::now();
    service.stop().await?;
    let data = dir.join("data");
    let verified = tokio::task::spawn_blocking(move || store::verify(&data)).await??;
    timing.verify = stopped.elapsed();
    report.timing = timing;
    report.verify = Some(&verified);
    if args.keep.is_some() {
        let data = dir.join("data");
        let data = data.display();
        output::aside(&format!(
            "数据目录 / data folder: {data}；预测与实际的对照 / forecasts against what happened: swabline forecasts {data}"
        ));
    }
    match args.serve {
        true => output::aside(&format!(
            "校验：不符 {n} 处 / verify: {n} findings",
            n = verified.findings_total
        )),
        false => output::answer(&if args.json { report.json() } else { report.text() })?,
    }
    Ok(match report.problems().is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Sets the city up, plays the round, and asks what came of it. `None` = interrupted.
async fn round(
    args: &DemoArgs,
    plans: &Plans,
    sent: &Round,
    service: &Service,
    seen: &Arc<Seen>,
    begun: Instant,
) -> Result<Option<(Player, outcome::Outcome, Timing)>> {
    let city = &plans.filled_city;
    let truth = truth::Truth::new(city, args.seed);
    let faults = faults::Faults::choose(&truth);
    let labs = labs::Lab::of(city, &plans.after);
    let codes = labs.iter().map(|lab| lab.code.clone()).collect();
    let script = Arc::new(Script { truth, faults, labs: codes });
    let wire = wire::Wire::connect(&service.address.to_string(), Arc::clone(&script)).await?;
    let mut office = setup::Office::over(wire.channel());
    office.open(&script, city, &labs).await?;
    let ticker = ticker::Ticker::start(&wire, seen);
    office.import_roster(&script, &ticker.roster).await?;
    let mut timing = Timing { setup: begun.elapsed(), ..Timing::default() };
    let playing = Instant::now();
    let seen = Arc::clone(seen);
    let mut player = Player::new(script, wire, office.clone(), city, sent, labs, seen)?;
    let finished = player.play().await?;
    timing.play = playing.elapsed();
    drop(ticker);
    if !finished {
        return Ok(None);
    }
    let asking = Instant::now();
    let outcome = outcome::outcome(&mut player).await?;
    if !args.serve {
        // A round that is looked at afterwards stays open.
        office.close().await?;
    }
    timing.asking = asking.elapsed();
    Ok(Some((player, outcome, timing)))
}
