//! The report: text for people, and one line of JSON for programs.

use crate::order::{Mode, Order, Ran};
use crate::schedule::Shape;
use crate::tally::Latency;
use crate::verify::ReadBack;
use serde_json::{Value, json};
use std::fmt::Write;

/// The shares that are reported, with their names in JSON.
const QUANTILES: [(&str, f64); 5] =
    [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)];

/// Everything about a run.
pub struct Report<'a> {
    /// Name of the profile.
    pub profile: Option<String>,
    /// What was said was encrypted.
    pub tls: bool,
    /// What was asked for.
    pub order: &'a Order,
    /// What came of it.
    pub ran: &'a Ran,
}

impl Report<'_> {
    fn is_open(&self) -> bool {
        self.order.shape.is_some()
    }

    fn tubes_per_s(&self) -> f64 {
        self.ran.tubes_per_s(if self.is_open() { self.order.seconds } else { 0.0 })
    }

    /// People in a tube, on the average.
    fn people_per_tube(&self) -> f64 {
        let large = f64::from(self.order.large_per_1000) / 1_000.0;
        large * 20.0 + (1.0 - large) * f64::from(self.order.people)
    }

    fn loop_text(&self) -> String {
        match self.is_open() {
            true => format!(
                "open loop, {} tubes due, {:.1} a second, {:.1} at the peak",
                self.order.tubes_due(),
                self.order.rate(),
                self.order.shape.as_ref().map_or(0.0, Shape::peak)
            ),
            false => format!("closed loop, {} messages a device under way", self.order.window),
        }
    }

    /// The report for people.
    pub fn text(&self) -> String {
        let (order, tally) = (self.order, &self.ran.tally);
        let mut out = String::new();
        let mut line = |name: &str, text: String| {
            writeln!(out, "{name:<14}{text}").expect("a string takes every text");
        };
        if let Some(profile) = &self.profile {
            line("profile", profile.clone());
        }
        line("load", format!("{}, {} s", self.loop_text(), order.seconds));
        line(
            "",
            format!(
                "{}{}: {} devices at {} desks on {} connections, tubes a message: {}, people a tube: {}",
                mode(order),
                if self.tls { " over TLS" } else { "" },
                order.devices,
                order.desks,
                order.connections,
                order.batch,
                self.people_per_tube()
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
                rate * self.people_per_tube()
            ),
        );
        let from = match self.is_open() {
            true => "ms from the time a tube was due",
            false => "ms from sending; CLOSED LOOP: a waiting client flatters, do not compare",
        };
        line("latency", format!("{} ({from})", quantiles(&tally.latency)));
        if tally.unanswered + tally.unsent > 0 {
            let end = self.ran.ended.as_secs_f64();
            line(
                "",
                format!("what was never answered counts until the run ended, after {end:.2} s"),
            );
        }
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
        tally.failures.lines().into_iter().for_each(|text| line("failures", text));
        if let Some(found) = &self.ran.read_back {
            found.lines().into_iter().for_each(|text| line("read back", text));
        }
        out
    }

    /// The report for programs, on one line. Times in milliseconds.
    pub fn json(&self) -> Value {
        let (order, tally) = (self.order, &self.ran.tally);
        let rate = self.tubes_per_s();
        json!({
            "loadtest": 1,
            "profile": self.profile,
            "tls": self.tls,
            "loop": if self.is_open() { "open" } else { "closed" },
            "mode": mode(order),
            "devices": order.devices,
            "connections": order.connections,
            "desks": order.desks,
            "batch": order.batch,
            "people_per_tube": self.people_per_tube(),
            "seconds": order.seconds,
            "tubes_due": order.tubes_due(),
            "tubes_per_s_due": order.rate(),
            "elapsed_s": self.ran.elapsed.as_secs_f64(),
            "ended_s": self.ran.ended.as_secs_f64(),
            "machine": machine(),
            "messages": tally.messages,
            "sent": tally.sent,
            "acknowledged": tally.acknowledged_tubes(),
            "duplicates": tally.duplicates,
            "odd": tally.odd,
            "refused": tally.refused,
            "unanswered": tally.unanswered,
            "unsent": tally.unsent,
            "failures": tally.failures.total(),
            "failures_by_text": tally.failures.json(),
            "tubes_per_s": rate,
            "people_per_s": rate * self.people_per_tube(),
            "latency_ms": object(&tally.latency),
            "from_sending_ms": object(&tally.from_sending),
            "sent_late_ms": object(&tally.lateness),
            "refusal_ms": object(&tally.refusal),
            "retry_after_ms": object(&tally.retry),
            "server_ms": {
                "waiting": object(&tally.waiting),
                "deciding": object(&tally.deciding),
                "disk": object(&tally.disk),
            },
            "read_back": self.ran.read_back.as_ref().map(read_back_json),
        })
    }
}

fn mode(order: &Order) -> &'static str {
    if order.mode == Mode::Stream { "stream" } else { "batch" }
}

/// What reading back found, for programs.
pub fn read_back_json(found: &ReadBack) -> Value {
    json!({
        "sources": found.sources,
        "tubes": found.tubes,
        "numbers_missing": found.numbers_missing,
        "tubes_wrong": found.tubes_wrong,
        "untold": found.untold,
        "could_not_be_read_back": found.unread,
        "texts": found.texts,
    })
}

/// The shares of a latency, for people; "none" when there is none.
pub fn quantiles(latency: &Latency) -> String {
    let one = |(name, quantile)| Some(format!("{name} {:.2}", latency.known_ms(quantile)?));
    let all: Option<Vec<_>> = QUANTILES.into_iter().map(one).collect();
    all.map_or("none".to_owned(), |all| all.join("  "))
}

/// The shares of a latency in milliseconds, for programs; null when there is none.
pub fn object(latency: &Latency) -> Value {
    QUANTILES
        .into_iter()
        .map(|(name, quantile)| (name.to_owned(), json!(latency.known_ms(quantile))))
        .collect()
}

/// The machine that the client ran on; figures mean little without it.
pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown processor", |(_, model)| model.trim());
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib =
        memory.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB"));
    let gib =
        kib.and_then(|kib| kib.parse::<f64>().ok()).map_or(0.0, |kib| kib / f64::from(1 << 20));
    format!("{cores} cores, {model}, {gib:.1} GiB of memory")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{FactOutcome, Outcome, Times};
    use crate::load::{Load, Numbers};
    use crate::tally::{Sent, Tally};
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::time::Instant;

    fn ran() -> Ran {
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
        let load = Load {
            numbers: Numbers::of_this_moment(),
            round: "R".into(),
            devices: 4,
            desks: 4,
            people: 10,
            large_per_1000: 0,
            batch: 1,
            watermark_only: false,
        };
        let elapsed = Duration::from_secs(4);
        Ran {
            tally,
            elapsed,
            ended: elapsed,
            read_back: Some(ReadBack::default()),
            load: Arc::new(load),
        }
    }

    fn report<'a>(order: &'a Order, ran: &'a Ran) -> Report<'a> {
        Report { profile: Some("tianjin".into()), tls: true, order, ran }
    }

    #[test]
    fn the_line_of_json_is_one_line_and_says_what_the_text_says() {
        let order = Order { shape: Some(Shape::steady(100.0, 10.0)), ..Order::default() };
        let ran = ran();
        let report = report(&order, &ran);
        let json = report.json();
        assert!(!json.to_string().contains('\n'));
        assert_eq!(json["acknowledged"], 1_000);
        assert_eq!(json["tubes_per_s"], 100.0);
        assert_eq!((&json["tubes_due"], &json["tubes_per_s_due"]), (&json!(1_000), &json!(100.0)));
        assert_eq!(json["people_per_s"], 1_000.0);
        assert_eq!((&json["tls"], &json["profile"]), (&json!(true), &json!("tianjin")));
        assert_eq!(json["read_back"]["numbers_missing"], 0);
        assert!(json["latency_ms"]["p50"].as_f64().unwrap() < 150.0);
        assert!(json["latency_ms"]["p99.9"].as_f64().unwrap() >= 200.0);
        assert_eq!(json["server_ms"]["disk"]["max"], 1.0);
        assert!(report.text().contains("100.0 tubes/s, 1000 people/s"), "{}", report.text());
        assert!(report.text().contains("over TLS"));
    }

    #[test]
    fn a_latency_that_nobody_has_is_none_and_not_nought() {
        let order = Order { shape: Some(Shape::steady(100.0, 10.0)), ..Order::default() };
        let ran = Ran { tally: Tally::default(), ..ran() };
        let report = report(&order, &ran);
        let json = report.json();
        assert!(json["latency_ms"]["p50"].is_null() && json["server_ms"]["disk"]["max"].is_null());
        assert!(!report.text().contains("0.00"), "{}", report.text());
        assert_eq!(quantiles(&ran.tally.latency), "none");
    }

    #[test]
    fn a_closed_loop_says_that_its_latencies_flatter() {
        let (order, ran) = (Order::default(), ran());
        let report = report(&order, &ran);
        assert!(report.text().contains("CLOSED LOOP"));
        // 1,000 in the 4 s until the last answer.
        assert_eq!(report.json()["tubes_per_s"], 250.0);
    }
}
