//! Overload: twice what the server takes. What it cannot take it must refuse at once and with a time
//! to come back; what it takes must stay quick, and nothing acknowledged may be lost.

use crate::connect::Target;
use crate::exit::Verdict;
use crate::order::{self, Ran};
use crate::report::{machine, object, quantiles, read_back_json};
use crate::schedule::Shape;
use crate::verify;
use anyhow::{Result, ensure};
use serde_json::{Value, json};
use std::fmt::Write;

/// Length of the closed loop that finds what the server takes.
const FIND_SECONDS: f64 = 5.0;
/// Tubes that are read back.
const TUBES_READ_BACK: usize = 500;

/// An overload.
#[derive(Clone, Debug)]
pub struct Order {
    /// Tubes a second that the server takes; `None` = find out.
    pub rate: Option<f64>,
    /// So many times that is offered.
    pub times: f64,
    /// How long.
    pub seconds: f64,
    /// Devices, connections, and tubes in a message.
    pub devices: u32,
    /// The same.
    pub connections: u32,
    /// The same.
    pub batch: u32,
}

impl Default for Order {
    /// Twice the rate for half a minute, from gateways that send messages of 20 tubes.
    fn default() -> Order {
        Order { rate: None, times: 2.0, seconds: 30.0, devices: 1_000, connections: 64, batch: 20 }
    }
}

/// What became of it.
pub struct Found {
    order: Order,
    /// Tubes a second that the server takes.
    capacity: f64,
    ran: Ran,
}

/// Runs it.
pub async fn run(target: &Target, order: &Order) -> Result<Found> {
    let load = order::Order {
        devices: order.devices,
        connections: order.connections.min(order.devices),
        desks: order.devices,
        batch: order.batch,
        watermark_only: true,
        verify: Some(TUBES_READ_BACK),
        ..order::Order::default()
    };
    let capacity = match order.rate {
        Some(rate) => rate,
        None => {
            eprintln!("loadtest: finding what the server takes, {FIND_SECONDS} s");
            let find =
                order::Order { seconds: FIND_SECONDS, window: 2, verify: None, ..load.clone() };
            find.run(target).await?.tubes_per_s(0.0)
        }
    };
    ensure!(capacity > 0.0, "the server took nothing in {FIND_SECONDS} s");
    eprintln!("loadtest: offering {:.0} tubes/s for {} s", capacity * order.times, order.seconds);
    let shape = Shape::steady(capacity * order.times, order.seconds);
    let over = order::Order { shape: Some(shape), seconds: order.seconds, ..load };
    Ok(Found { order: order.clone(), capacity, ran: over.run(target).await? })
}

impl Found {
    /// What follows from it for how the program ends. That much is left over is what was asked for.
    pub fn verdict(&self) -> Verdict {
        let tally = &self.ran.tally;
        let is_broken = tally.failures.total() > 0 || tally.acknowledged_tubes() == 0;
        Verdict { is_broken, ..verify::verdict(self.ran.read_back.as_ref()) }
    }

    /// Where the capacity comes from.
    fn whence(&self) -> &'static str {
        match self.order.rate {
            Some(_) => "as given",
            None => "that the server took in a closed loop before",
        }
    }

    /// The report for people.
    pub fn text(&self) -> String {
        let (order, tally) = (&self.order, &self.ran.tally);
        let mut out = String::new();
        let mut line = |name: &str, text: String| {
            writeln!(out, "{name:<14}{text}").expect("a string takes every text");
        };
        line("machine", machine());
        line(
            "offered",
            format!(
                "{:.0} tubes/s for {} s, {} times the {:.0} tubes/s {}",
                self.capacity * order.times,
                order.seconds,
                order.times,
                self.capacity,
                self.whence()
            ),
        );
        line(
            "accepted",
            format!(
                "{} tubes, {:.0} tubes/s",
                tally.acknowledged_tubes(),
                self.ran.tubes_per_s(order.seconds)
            ),
        );
        line("", format!("{} (ms from sending)", quantiles(&tally.from_sending)));
        line("", format!("{} (ms from the time due)", quantiles(&tally.latency)));
        line("refused", format!("{} tubes {:?}", tally.refused_tubes(), tally.refused));
        if tally.refused_tubes() > 0 {
            line("", format!("{} (ms to come back after)", quantiles(&tally.retry)));
        }
        line("left over", format!("{} unanswered, {} unsent", tally.unanswered, tally.unsent));
        tally.failures.lines().into_iter().for_each(|text| line("failures", text));
        if let Some(found) = &self.ran.read_back {
            found.lines().into_iter().for_each(|text| line("read back", text));
        }
        out
    }

    /// The report for programs.
    pub fn json(&self) -> Value {
        let (order, tally) = (&self.order, &self.ran.tally);
        json!({
            "loadtest": 1,
            "capacity_tubes_per_s": self.capacity,
            "capacity": self.whence(),
            "tubes_per_s_due": self.capacity * order.times,
            "seconds": order.seconds,
            "devices": order.devices,
            "connections": order.connections,
            "batch": order.batch,
            "accepted": tally.acknowledged_tubes(),
            "accepted_tubes_per_s": self.ran.tubes_per_s(order.seconds),
            "refused": tally.refused,
            "retry_after_ms": object(&tally.retry),
            "refusal_ms": object(&tally.refusal),
            "unanswered": tally.unanswered,
            "unsent": tally.unsent,
            "failures": tally.failures.total(),
            "failures_by_text": tally.failures.json(),
            "latency_ms": object(&tally.latency),
            "from_sending_ms": object(&tally.from_sending),
            "read_back": self.ran.read_back.as_ref().map(read_back_json),
            "machine": machine(),
        })
    }
}
