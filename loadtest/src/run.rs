//! `loadtest run`: one load, by flags or by the name of a profile.

use crate::connect::{Server, Target};
use crate::order::{Mode, Order};
use crate::profile::Profile;
use crate::report::Report;
use crate::schedule::Shape;
use crate::{day, files, overload, storm};
use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

/// Exit code when streams or calls broke, or nothing was acknowledged: nothing is known to be lost,
/// but the figures are not those of the load that was asked for.
const EXIT_BROKEN: u8 = 2;

/// Flags of `run`.
#[derive(Args)]
pub struct RunArgs {
    /// Address of the server, http:// or https://
    #[arg(long, default_value = "http://127.0.0.1:7700")]
    server: String,
    /// Certificate (PEM) of whoever signed the server's, for https://
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// A load with a name; other flags change parts of it
    #[arg(long, value_enum)]
    profile: Option<Profile>,
    /// With a profile: so many times its rate, over so much less time unless --seconds says
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// With city-day: people of the day
    #[arg(long, default_value_t = 25_000_000, value_parser = clap::value_parser!(u64).range(10..=1_000_000_000))]
    people_total: u64,
    /// Devices, each a source of its own [default: 200, or the profile's]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=99_999))]
    devices: Option<u32>,
    /// Connections that the devices share [default: one for 50 devices, at least 2]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=99_999))]
    connections: Option<u32>,
    /// Tubes a second that are due over all devices; 0 = as fast as answers come (closed loop)
    /// [default: 1000, or the profile's]
    #[arg(long)]
    rate: Option<f64>,
    /// How long messages are due [default: 30, or the profile's]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: Option<u64>,
    /// Tubes in a message [default: 1, or the profile's]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1000))]
    batch: Option<u32>,
    /// How facts are sent
    #[arg(long, value_enum, default_value = "stream")]
    mode: Mode,
    /// People in a tube [default: 10, or the profile's]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=200))]
    people: Option<u32>,
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
    pub threads: Option<usize>,
}

/// Runs it.
pub async fn run(args: RunArgs, files: u64) -> Result<ExitCode> {
    let rate = args.rate.unwrap_or(0.0);
    ensure!(rate.is_finite() && rate >= 0.0, "--rate must be a number, 0 or more");
    ensure!(args.speed.is_finite() && args.speed > 0.0, "--speed must be a number above 0");
    let ca = args.ca.as_ref().map(|path| {
        std::fs::read(path).with_context(|| format!("reading {} (--ca)", path.display()))
    });
    let server = Server::new(&args.server, args.anywhere, ca.transpose()?.as_deref()).await?;
    let desk = server.sign_in(args.token.as_deref())?;
    let admin = server.sign_in(args.admin_token.as_deref().or(args.token.as_deref()))?;
    let target = Target { server, desk, admin, files };
    match args.profile {
        Some(Profile::ReconnectStorm) => {
            let order = args.storm();
            let found = storm::run(&target, &order).await?;
            Ok(args.finish(&target, found.text(&order), found.json(&order), found.is_clean()))
        }
        Some(Profile::Overload) => {
            let order = args.overload();
            let found = overload::run(&target, &order).await?;
            Ok(args.finish(&target, found.text(), found.json(), found.is_clean()))
        }
        Some(Profile::CityDay) => {
            let order = day::Order { people: args.people_total, rate };
            let found = day::run(&target, &order).await?;
            Ok(args.finish(&target, found.text(), found.json(), true))
        }
        _ => args.load(&target).await,
    }
}

impl RunArgs {
    /// A load of tubes, by flags or by the course of a profile.
    async fn load(&self, target: &Target) -> Result<ExitCode> {
        let order = self.order(target.files);
        let ran = order.run(target).await?;
        let report = Report {
            profile: self.profile.map(Profile::name),
            tls: target.server.is_tls(),
            order: &order,
            ran: &ran,
        };
        if !self.json {
            print!("{}", report.text());
        }
        println!("{}", report.json());
        let lost = ran.read_back.as_ref().is_some_and(|found| !found.is_clean());
        Ok(match () {
            () if lost => ExitCode::FAILURE,
            () if ran.tally.failures > 0 || ran.tally.acknowledged_tubes() == 0 => {
                ExitCode::from(EXIT_BROKEN)
            }
            () => ExitCode::SUCCESS,
        })
    }

    fn order(&self, files: u64) -> Order {
        let course = self.profile.and_then(Profile::course);
        let devices = self.devices.or(course.as_ref().map(|course| course.devices)).unwrap_or(200);
        let own = course.as_ref().is_some_and(|course| course.own_connections);
        let connections = self.connections.unwrap_or_else(|| match own {
            true => shared(devices, files),
            false => devices.div_ceil(50).max(2),
        });
        let seconds = self.seconds.map(|seconds| seconds as f64);
        let (shape, seconds) = match (&course, self.rate) {
            (Some(course), None) => {
                let seconds = seconds.unwrap_or(course.shape.seconds() / self.speed);
                (Some(course.shape.over(seconds, self.speed)), seconds)
            }
            (_, rate) => {
                let (rate, seconds) = (rate.unwrap_or(1_000.0), seconds.unwrap_or(30.0));
                ((rate > 0.0).then(|| Shape::steady(rate, seconds)), seconds)
            }
        };
        Order {
            mode: self.mode,
            devices,
            connections,
            desks: self.desks.unwrap_or(devices),
            batch: self.batch.unwrap_or(1),
            people: self.people.or(course.as_ref().map(|course| course.people)).unwrap_or(10),
            large_per_1000: course.as_ref().map_or(0, |course| course.large_per_1000),
            shape,
            seconds,
            window: self.window,
            watermark_only: self.watermark_only,
            round: self.round.clone(),
            verify: self.verify,
        }
    }

    fn storm(&self) -> storm::Order {
        let default = storm::Order::default();
        storm::Order {
            devices: self.devices.unwrap_or(default.devices),
            connections: self.connections,
            live_rate: self.rate.unwrap_or(default.live_rate),
            ..default
        }
    }

    fn overload(&self) -> overload::Order {
        let default = overload::Order::default();
        overload::Order {
            rate: self.rate.filter(|rate| *rate > 0.0),
            seconds: self.seconds.map_or(default.seconds, |seconds| seconds as f64),
            devices: self.devices.unwrap_or(default.devices),
            connections: self.connections.unwrap_or(default.connections),
            batch: self.batch.unwrap_or(default.batch),
            ..default
        }
    }

    /// Prints the report of a profile that has a way of its own.
    fn finish(&self, target: &Target, text: String, mut line: Value, is_clean: bool) -> ExitCode {
        if let Some(profile) = self.profile {
            line["profile"] = json!(profile.name());
        }
        line["tls"] = json!(target.server.is_tls());
        if !self.json {
            print!("{text}");
        }
        println!("{line}");
        if is_clean { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// A connection for each device, or as many as this process may have; says so.
pub fn shared(devices: u32, files: u64) -> u32 {
    let most = files::connections_max(files);
    if devices > most {
        eprintln!(
            "loadtest: {devices} devices share {most} connections: this process may open {files} files"
        );
    }
    devices.min(most)
}
