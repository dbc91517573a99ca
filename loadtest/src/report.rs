//! The report: text for people, and one line of JSON for programs.

use crate::tally::{Latency, Tally};
use crate::verify::ReadBack;
use serde_json::{Value, json};
use std::fmt::Write;
use std::time::Duration;

/// The shares that are reported, with their names in JSON.
const QUANTILES: [(&str, f64); 5] =
    [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)];

/// Everything about a run.
pub struct Report<'a> {
    /// `stream` or `batch`.
    pub mode: &'static str,
    /// Devices.
    pub devices: u32,
    /// Connections.
    pub connections: u32,
    /// Desks.
    pub desks: u32,
    /// Tubes a second that were due; 0 = closed loop.
    pub rate: f64,
    /// Length of the run.
    pub seconds: u64,
    /// Tubes in a message.
    pub batch: u32,
    /// People in a tube.
    pub people: u32,
    /// Messages under way in a closed loop.
    pub window: u32,
    /// What was counted.
    pub tally: &'a Tally,
    /// From the start to the last answer.
    pub elapsed: Duration,
    /// What reading back found, if it was asked for.
    pub read_back: Option<&'a ReadBack>,
}

impl Report<'_> {
    fn is_open(&self) -> bool {
        self.rate > 0.0
    }

    /// Acknowledged tubes a second. A run that is over early still lasts its time, so that the last
    /// answer's luck does not flatter an open loop.
    fn tubes_per_s(&self) -> f64 {
        let planned = if self.is_open() { self.seconds as f64 } else { 0.0 };
        let seconds = self.elapsed.as_secs_f64().max(planned);
        if seconds > 0.0 { self.tally.acknowledged_tubes() as f64 / seconds } else { 0.0 }
    }

    fn loop_text(&self) -> String {
        match self.is_open() {
            true => format!("open loop, {} tubes/s due", self.rate),
            false => format!("closed loop, {} messages a device under way", self.window),
        }
    }

    /// The report for people.
    pub fn text(&self) -> String {
        let tally = self.tally;
        let mut out = String::new();
        let mut line = |name: &str, text: String| {
            writeln!(out, "{name:<14}{text}").expect("a string takes every text");
        };
        line("load", format!("{}, {} s", self.loop_text(), self.seconds));
        line(
            "",
            format!(
                "{}: {} devices at {} desks on {} connections, tubes a message: {}, people a tube: {}",
                self.mode, self.devices, self.desks, self.connections, self.batch, self.people
            ),
        );
        line("machine", machine());
        line("sent", format!("{} tubes in {} messages", tally.sent, tally.messages));
        line(
            "acknowledged",
            format!(
                "{} tubes ({} duplicates, {} with findings), {} refused, {} unanswered, {} unsent",
                tally.acknowledged_tubes(),
                tally.duplicates,
                tally.odd,
                tally.refused_tubes(),
                tally.unanswered,
                tally.unsent
            ),
        );
        let rate = self.tubes_per_s();
        line(
            "rate",
            format!(
                "{rate:.1} tubes/s, {:.0} people/s acknowledged",
                rate * f64::from(self.people)
            ),
        );
        let from = match self.is_open() {
            true => "ms from the time a tube was due",
            false => "ms from sending; CLOSED LOOP: a waiting client flatters, do not compare",
        };
        line("latency", format!("{} ({from})", quantiles(&tally.latency)));
        if self.is_open() {
            line("", format!("{} (ms from sending)", quantiles(&tally.from_sending)));
            line("sent late", format!("{} (ms)", quantiles(&tally.lateness)));
        }
        if tally.refused_tubes() > 0 {
            line("refusals", format!("{} (ms)", quantiles(&tally.refusal)));
            for (reason, count) in &tally.refused {
                line("", format!("{reason}: {count} tubes"));
            }
        }
        line("server", format!("waiting  {} (ms)", quantiles(&tally.waiting)));
        line("", format!("deciding {} (ms)", quantiles(&tally.deciding)));
        line("", format!("disk     {} (ms)", quantiles(&tally.disk)));
        for text in &tally.errors {
            line("failure", text.clone());
        }
        if tally.failures > 0 {
            line("failures", tally.failures.to_string());
        }
        if let Some(found) = self.read_back {
            line(
                "read back",
                format!(
                    "{} sources and {} tubes: {} facts missing, {} tubes wrong, {} not told",
                    found.sources,
                    found.tubes,
                    found.numbers_missing,
                    found.tubes_wrong,
                    found.untold
                ),
            );
            found.texts.iter().for_each(|text| line("", text.clone()));
        }
        out
    }

    /// The report for programs, on one line. Times in milliseconds.
    pub fn json(&self) -> Value {
        let tally = self.tally;
        let rate = self.tubes_per_s();
        json!({
            "loadtest": 1,
            "loop": if self.is_open() { "open" } else { "closed" },
            "mode": self.mode,
            "devices": self.devices,
            "connections": self.connections,
            "desks": self.desks,
            "batch": self.batch,
            "people_per_tube": self.people,
            "seconds": self.seconds,
            "tubes_per_s_due": self.rate,
            "elapsed_s": self.elapsed.as_secs_f64(),
            "machine": machine(),
            "messages": tally.messages,
            "sent": tally.sent,
            "acknowledged": tally.acknowledged_tubes(),
            "duplicates": tally.duplicates,
            "odd": tally.odd,
            "refused": tally.refused,
            "unanswered": tally.unanswered,
            "unsent": tally.unsent,
            "failures": tally.failures,
            "tubes_per_s": rate,
            "people_per_s": rate * f64::from(self.people),
            "latency_ms": object(&tally.latency),
            "from_sending_ms": object(&tally.from_sending),
            "sent_late_ms": object(&tally.lateness),
            "refusal_ms": object(&tally.refusal),
            "server_ms": {
                "waiting": object(&tally.waiting),
                "deciding": object(&tally.deciding),
                "disk": object(&tally.disk),
            },
            "read_back": self.read_back.map(|found| json!({
                "sources": found.sources,
                "tubes": found.tubes,
                "numbers_missing": found.numbers_missing,
                "tubes_wrong": found.tubes_wrong,
                "untold": found.untold,
            })),
        })
    }
}

fn quantiles(latency: &Latency) -> String {
    let all = QUANTILES.map(|(name, quantile)| format!("{name} {:.2}", latency.ms(quantile)));
    all.join("  ")
}

fn object(latency: &Latency) -> Value {
    QUANTILES
        .into_iter()
        .map(|(name, quantile)| (name.to_owned(), json!(latency.ms(quantile))))
        .collect()
}

/// The machine that the client ran on; figures mean little without it.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown processor", |(_, model)| model.trim());
    format!("{cores} cores, {model}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{FactOutcome, Outcome, Times};
    use crate::tally::Sent;
    use tokio::time::Instant;

    fn tally() -> Tally {
        let mut tally = Tally::default();
        for first in 1..=1_000 {
            let at = Instant::now();
            let due = at - Duration::from_millis(if first > 990 { 200 } else { 2 });
            let sent = Sent { device: 0, first, count: 1, due, at };
            tally.sent(&sent);
            let outcome =
                FactOutcome { outcome: Outcome::Recorded.into(), ..FactOutcome::default() };
            let times = Times { waiting_us: 100, deciding_us: 10, disk_us: 1_000 };
            tally.answered(&sent, &[outcome], false, Some(&times));
        }
        tally
    }

    fn report(tally: &Tally, rate: f64) -> Report<'_> {
        Report {
            mode: "stream",
            devices: 4,
            connections: 2,
            desks: 4,
            rate,
            seconds: 10,
            batch: 1,
            people: 10,
            window: 8,
            tally,
            elapsed: Duration::from_secs(4),
            read_back: None,
        }
    }

    #[test]
    fn the_line_of_json_is_one_line_and_says_what_the_text_says() {
        let tally = tally();
        let report = report(&tally, 100.0);
        let json = report.json();
        assert!(!json.to_string().contains('\n'));
        assert_eq!(json["acknowledged"], 1_000);
        assert_eq!(json["tubes_per_s"], 100.0);
        assert_eq!(json["people_per_s"], 1_000.0);
        assert!(json["latency_ms"]["p50"].as_f64().unwrap() < 150.0);
        assert!(json["latency_ms"]["p99.9"].as_f64().unwrap() >= 200.0);
        assert_eq!(json["server_ms"]["disk"]["max"], 1.0);
        assert!(report.text().contains("100.0 tubes/s, 1000 people/s"), "{}", report.text());
    }

    #[test]
    fn a_closed_loop_says_that_its_latencies_flatter() {
        let tally = tally();
        let report = report(&tally, 0.0);
        assert!(report.text().contains("CLOSED LOOP"));
        // 1,000 in the 4 s until the last answer.
        assert_eq!(report.json()["tubes_per_s"], 250.0);
    }
}
