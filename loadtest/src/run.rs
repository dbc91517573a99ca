//! `loadtest run`: one load, by flags or by the name of a profile.

use crate::connect::{Server, Target};
use crate::exit::{Verdict, Wrong, wrong};
use crate::order::{Mode, Order};
use crate::profile::Profile;
use crate::report::Report;
use crate::schedule::Shape;
use crate::tally::Tally;
use crate::{day, files, overload, storm, verify};
use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// How long a server may be away when what it acknowledged is read back; `--verify` says it.
const AWAY: Duration = Duration::from_secs(60);
/// The share of what was due that may stay unsent or unanswered.
const LEFT_MAX: f64 = 0.05;
/// The highest rate that may be asked for, tubes a second: far above what any machine takes.
const RATE_MAX: f64 = 1_000_000.0;
/// How much faster or slower a profile may go.
const SPEED_MIN: f64 = 0.001;
/// The same.
const SPEED_MAX: f64 = 10_000.0;

fn rate(text: &str) -> Result<f64, String> {
    number_between(text, 0.0, RATE_MAX)
}

fn speed(text: &str) -> Result<f64, String> {
    number_between(text, SPEED_MIN, SPEED_MAX)
}

fn number_between(text: &str, least: f64, most: f64) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("expected a number from {least} to {most}"))
}

/// What was due and neither sent nor answered, when that is much of it. A closed loop has nothing due.
fn left_behind(order: &Order, tally: &Tally) -> Option<String> {
    order.shape.as_ref()?;
    let left = tally.unsent + tally.unanswered;
    let due = tally.sent + tally.unsent;
    let why = match tally.failures.total() {
        0 => "server or client is too slow for it",
        _ => "streams or calls broke",
    };
    (left as f64 > LEFT_MAX * due as f64).then(|| {
        format!(
            "NOT THE LOAD THAT WAS ASKED FOR: of {due} tubes due {} were never sent and {} never answered; {why}",
            tally.unsent, tally.unanswered
        )
    })
}

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
    /// [default: 1]
    #[arg(long, value_parser = speed)]
    speed: Option<f64>,
    /// With city-day: people of the day [default: 25000000]
    #[arg(long, value_parser = clap::value_parser!(u64).range(10..=1_000_000_000))]
    people_total: Option<u64>,
    /// Devices, each a source of its own [default: 200, or the profile's]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=99_999))]
    devices: Option<u32>,
    /// Connections that the devices share [default: one for 50 devices, at least 2]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=99_999))]
    connections: Option<u32>,
    /// Tubes a second that are due over all devices; 0 = as fast as answers come (closed loop)
    /// [default: 1000, or the profile's]
    #[arg(long, value_parser = rate)]
    rate: Option<f64>,
    /// How long messages are due [default: 30, or the profile's]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: Option<u64>,
    /// Tubes in a message [default: 1, or the profile's]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1000))]
    batch: Option<u32>,
    /// How facts are sent [default: stream]
    #[arg(long, value_enum)]
    mode: Option<Mode>,
    /// People in a tube [default: 10, or the profile's]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=200))]
    people: Option<u32>,
    /// Desks that the devices stand at [default: one for each device]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=99_999))]
    desks: Option<u32>,
    /// Messages of a device that may be under way in a closed loop [default: 8]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1024))]
    window: Option<u32>,
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
    /// Read back every source and this many random tubes; fail when anything acknowledged is missing.
    /// A server that is away then is tried again for up to 60 s: one that is killed during the run
    /// and started again must still have all that it acknowledged
    #[arg(
        long,
        value_name = "TUBES",
        num_args = 0..=1,
        default_missing_value = "200",
        value_parser = clap::value_parser!(u32).range(0..=1_000_000)
    )]
    verify: Option<u32>,
    /// Print the JSON line only
    #[arg(long)]
    json: bool,
    /// Allow a server that is not on this machine
    #[arg(long)]
    anywhere: bool,
    /// Threads of the client [default: one for each core]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,
}

/// Runs it.
pub async fn run(args: RunArgs, files: u64) -> Result<ExitCode> {
    let without_effect = args.without_effect();
    ensure!(
        without_effect.is_empty(),
        Wrong(format!(
            "{} {} no effect with {}",
            without_effect.join(", "),
            if without_effect.len() == 1 { "has" } else { "have" },
            args.kind()
        ))
    );
    let ca = args.ca.as_ref().map(|path| {
        std::fs::read(path).with_context(|| format!("reading {} (--ca)", path.display()))
    });
    let ca = ca.transpose().map_err(wrong)?;
    let server = Server::new(&args.server, args.anywhere, ca.as_deref()).await.map_err(wrong)?;
    let desk = server.sign_in(args.token.as_deref()).map_err(wrong)?;
    let admin = args.admin_token.as_deref().or(args.token.as_deref());
    let admin = server.sign_in(admin).map_err(wrong)?;
    let target = Target { server, desk, admin, files, away: AWAY };
    target.answers().await?;
    match args.profile {
        Some(Profile::ReconnectStorm) => {
            let order = args.storm();
            let found = storm::run(&target, &order).await?;
            Ok(args.finish(&target, found.text(&order), found.json(&order), found.verdict()))
        }
        Some(Profile::Overload) => {
            let order = args.overload();
            let found = overload::run(&target, &order).await?;
            Ok(args.finish(&target, found.text(), found.json(), found.verdict()))
        }
        Some(Profile::CityDay) => {
            let order = day::Order {
                people: args.people_total.unwrap_or(25_000_000),
                rate: args.rate.unwrap_or(0.0),
            };
            let found = day::run(&target, &order).await?;
            Ok(args.finish(&target, found.text(), found.json(), found.verdict()))
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
        let left_behind = left_behind(&order, &ran.tally);
        if let Some(text) = &left_behind {
            eprintln!("loadtest: {text}");
        }
        let is_broken = ran.tally.failures.total() > 0
            || ran.tally.acknowledged_tubes() == 0
            || left_behind.is_some();
        Ok(Verdict { is_broken, ..verify::verdict(ran.read_back.as_ref()) }.into())
    }

    /// Flags that were given and change nothing in this load. To take them in silence would be to measure something else than
    /// was asked for.
    fn without_effect(&self) -> Vec<&'static str> {
        let course = self.profile.is_some_and(|profile| profile.course().is_some());
        let own_way = self.profile.is_some() && !course;
        let is = |profile| self.profile == Some(profile);
        let day = is(Profile::CityDay);
        let is_closed = !own_way && self.rate == Some(0.0);
        let batch = self.mode == Some(Mode::Batch);
        [
            ("--speed", self.speed.is_some(), course && self.rate.is_none()),
            ("--people-total", self.people_total.is_some(), day),
            ("--devices", self.devices.is_some(), !day),
            ("--connections", self.connections.is_some(), !day),
            ("--seconds", self.seconds.is_some(), !own_way || is(Profile::Overload)),
            ("--batch", self.batch.is_some(), !own_way || is(Profile::Overload)),
            ("--mode", self.mode.is_some(), !own_way),
            ("--people", self.people.is_some(), !own_way),
            ("--desks", self.desks.is_some(), !own_way),
            ("--window", self.window.is_some(), is_closed),
            ("--watermark-only", self.watermark_only, !own_way && !batch),
            ("--round", self.round.is_some(), !own_way),
            ("--verify", self.verify.is_some(), !own_way),
        ]
        .into_iter()
        .filter_map(|(flag, given, used)| (given && !used).then_some(flag))
        .collect()
    }

    /// The load, in words.
    fn kind(&self) -> String {
        let rate = self.rate.map_or(String::new(), |rate| format!(" at --rate {rate}"));
        match self.profile {
            Some(profile) => format!("--profile {}{rate}", profile.name()),
            None if self.mode == Some(Mode::Batch) => {
                format!("a load by flags in --mode batch{rate}")
            }
            None => format!("a load by flags{rate}"),
        }
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
                let speed = self.speed.unwrap_or(1.0);
                let seconds = seconds.unwrap_or(course.shape.seconds() / speed);
                (Some(course.shape.over(seconds, speed)), seconds)
            }
            (_, rate) => {
                let (rate, seconds) = (rate.unwrap_or(1_000.0), seconds.unwrap_or(30.0));
                ((rate > 0.0).then(|| Shape::steady(rate, seconds)), seconds)
            }
        };
        Order {
            mode: self.mode.unwrap_or(Mode::Stream),
            devices,
            connections,
            desks: self.desks.unwrap_or(devices),
            batch: self.batch.unwrap_or(1),
            people: self.people.or(course.as_ref().map(|course| course.people)).unwrap_or(10),
            large_per_1000: course.as_ref().map_or(0, |course| course.large_per_1000),
            shape,
            seconds,
            window: self.window.unwrap_or(8),
            watermark_only: self.watermark_only,
            round: self.round.clone(),
            verify: self.verify.map(|tubes| tubes as usize),
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
    fn finish(&self, target: &Target, text: String, mut line: Value, verdict: Verdict) -> ExitCode {
        if let Some(profile) = self.profile {
            line["profile"] = json!(profile.name());
        }
        line["tls"] = json!(target.server.is_tls());
        if !self.json {
            print!("{text}");
        }
        println!("{line}");
        verdict.into()
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Words {
        #[command(flatten)]
        args: RunArgs,
    }

    fn read(words: &str) -> Result<RunArgs, clap::Error> {
        let words = ["run"].into_iter().chain(words.split_whitespace());
        Ok(Words::try_parse_from(words)?.args)
    }

    #[test]
    fn flags_that_change_nothing_are_named() {
        for (words, wanted) in [
            ("", &[][..]),
            ("--rate 500 --seconds 3 --devices 9 --verify --round R --desks 4", &[]),
            ("--rate 0 --window 2", &[]),
            ("--rate 5 --window 2", &["--window"]),
            ("--window 2", &["--window"]),
            ("--speed 2 --people-total 100", &["--speed", "--people-total"]),
            ("--mode batch --watermark-only", &["--watermark-only"]),
            ("--profile tianjin --speed 10 --seconds 60 --batch 2 --people 5 --verify", &[]),
            ("--profile tianjin --speed 10 --rate 100", &["--speed"]),
            ("--profile harbin --people-total 10", &["--people-total"]),
            ("--profile reconnect-storm --devices 100 --connections 5 --rate 3", &[]),
            (
                "--profile reconnect-storm --speed 2 --seconds 3 --batch 2 --verify --mode batch --people 5",
                &["--speed", "--seconds", "--batch", "--mode", "--people", "--verify"],
            ),
            ("--profile overload --rate 5 --seconds 3 --devices 2 --connections 1 --batch 4", &[]),
            (
                "--profile overload --desks 2 --round R --window 1",
                &["--desks", "--window", "--round"],
            ),
            ("--profile city-day --people-total 1000 --rate 5", &[]),
            ("--profile city-day --seconds 3 --devices 5", &["--devices", "--seconds"]),
        ] {
            assert_eq!(read(words).unwrap().without_effect(), wanted, "{words}");
        }
    }

    #[test]
    fn rates_and_speeds_that_never_end_are_refused() {
        for (words, goes) in [
            ("--rate 0", true),
            ("--rate 1000000", true),
            ("--rate 1000001", false),
            ("--rate 1e15", false),
            ("--rate 1e300", false),
            ("--rate inf", false),
            ("--rate NaN", false),
            ("--rate=-1", false),
            ("--speed 0.5", true),
            ("--speed 0", false),
            ("--speed 1e-300", false),
            ("--speed 1e9", false),
        ] {
            assert_eq!(read(words).is_ok(), goes, "{words}");
        }
    }

    #[test]
    fn a_load_that_was_left_behind_is_told() {
        let order = Order { shape: Some(Shape::steady(100.0, 10.0)), ..Order::default() };
        let tally =
            |sent, unsent, unanswered| Tally { sent, unsent, unanswered, ..Tally::default() };
        for (sent, unsent, unanswered, told) in
            [(1_000, 0, 0, false), (1_000, 0, 50, false), (960, 40, 20, true), (149, 851, 0, true)]
        {
            let said = left_behind(&order, &tally(sent, unsent, unanswered));
            assert_eq!(said.is_some(), told, "{sent} {unsent} {unanswered}");
        }
        let said = left_behind(&order, &tally(149, 851, 3)).unwrap();
        assert!(said.contains("of 1000 tubes due 851 were never sent and 3 never"), "{said}");
        assert!(said.ends_with("too slow for it"), "{said}");
        let mut broken = tally(149, 851, 3);
        broken.failure("broken pipe".into());
        assert!(left_behind(&order, &broken).unwrap().ends_with("streams or calls broke"));
        assert_eq!(left_behind(&Order::default(), &tally(10, 90, 0)), None);
    }
}
