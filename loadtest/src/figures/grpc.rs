//! Figures over gRPC: the real server in a process of its own, with the client on the same cores.

use super::Sheet;
use super::blocks::{disturbed, median};
use super::disk::probe;
use super::place::Served;
use crate::exit::Verdict;
use crate::load::now_ms;
use crate::order::{GRACE, Order, Ran};
use crate::report::{object, read_back_json};
use crate::schedule::Shape;
use crate::tally::{Latency, Tally};
use crate::verify::verdict;
use anyhow::{Result, ensure};
use serde_json::{Value, json};
use std::time::Duration;

/// Gateways: a connection and a stream each, messages of 20 tubes.
pub fn gateways(seconds: f64) -> Order {
    Order {
        devices: 64,
        connections: 64,
        desks: 1_600,
        batch: 20,
        window: 8,
        seconds,
        ..Order::default()
    }
}

/// Desks: very many streams, one tube a message, little said back.
fn desks(seconds: f64) -> Order {
    Order {
        devices: 5_000,
        connections: 64,
        desks: 5_000,
        batch: 1,
        window: 4,
        watermark_only: true,
        seconds,
        ..Order::default()
    }
}

/// What stands beside a rate.
fn details(order: &Order, ran: &Ran) -> Value {
    json!({
        "tls": false,
        "devices": order.devices,
        "connections": order.connections,
        "batch": order.batch,
        "window": order.window,
        "watermark_only": order.watermark_only,
        "seconds": order.seconds,
        "acknowledged": ran.tally.acknowledged_tubes(),
        "refused": ran.tally.refused,
        "latency_ms": object(&ran.tally.latency),
        "read_back": ran.read_back.as_ref().map(read_back_json),
    })
}

/// That a load went as it was meant.
pub fn whole(tally: &Tally) -> Result<()> {
    let broken = &tally.failures;
    ensure!(broken.total() == 0, "{} streams broke: {}", broken.total(), broken.lines().join("; "));
    ensure!(tally.acknowledged_tubes() > 0, "nothing was acknowledged");
    Ok(())
}

/// A closed loop after a short one that warms up; gives the rate.
async fn closed(sheet: &mut Sheet, name: &str, order: Order, tls: bool) -> Result<f64> {
    let server = Served::start(&sheet.place, name, tls).await?;
    server.serving().await?;
    let warm = Order { seconds: 2.0, verify: None, ..order.clone() };
    whole(&warm.run(&server.target).await?.tally)?;
    let before = server.cpu_s()?;
    let ran = order.run(&server.target).await?;
    let after = server.cpu_s()?;
    whole(&ran.tally)?;
    let lost = verdict(ran.read_back.as_ref()) != Verdict::default();
    ensure!(!lost, "something acknowledged is missing or not to be read: {:?}", ran.read_back);
    server.stop().await?;
    sheet.forget(name)?;
    let rate = ran.tubes_per_s(0.0);
    let mut details = details(&order, &ran);
    details["tls"] = json!(tls);
    // Both with what reading back cost.
    details["server_cpu_s"] = json!(after.0 - before.0);
    details["client_cpu_s"] = json!(after.1 - before.1);
    sheet.put(name, rate, details);
    Ok(rate)
}

/// Messages of 20 tubes from 64 connections.
pub async fn batched(sheet: &mut Sheet, tls: bool) -> Result<()> {
    let order = Order { verify: Some(200), ..gateways(sheet.scale("seconds", 60.0, 6.0)) };
    let name = if tls { "grpc_batched_tls" } else { "grpc_batched" };
    let rate = closed(sheet, name, order, tls).await?;
    if !tls {
        sheet.batched = Some(rate);
    }
    Ok(())
}

/// One tube a message from 5,000 streams.
pub async fn single(sheet: &mut Sheet, tls: bool) -> Result<()> {
    let seconds = sheet.scale("seconds", 60.0, 6.0);
    let order = Order { verify: sheet.pick(Some(200), None), ..desks(seconds) };
    sheet.scaled.extend(sheet.place.quick.then(|| "nothing read back".to_owned()));
    let name = if tls { "grpc_single_tls" } else { "grpc_single" };
    closed(sheet, name, order, tls).await.map(drop)
}

impl Sheet {
    /// The rate over gRPC in batches: as measured before, or by a short closed loop now.
    pub(super) async fn batched_rate(&mut self, server: &Served) -> Result<f64> {
        if let Some(rate) = self.batched {
            return Ok(rate);
        }
        let ran = gateways(self.scale("seconds that full load is found in", 20.0, 4.0))
            .run(&server.target)
            .await?;
        whole(&ran.tally)?;
        let rate = ran.tubes_per_s(0.0);
        self.batched = Some(rate);
        Ok(rate)
    }

    /// Removes what a server left.
    pub(super) fn forget(&self, name: &str) -> Result<()> {
        std::fs::remove_dir_all(self.place.part(name))?;
        Ok(())
    }
}

/// The acknowledgement of a tube over a bare write and fdatasync of the same bytes on the same disk, both at the same rate by
/// the clock and counted from when they were due, in turns; the middle part of each side. Beside it the bare side one after
/// the other as fast as it goes: there a disk that stalls holds up one write, where the clock holds up all that are due
/// meanwhile. Where the bare side falls behind its clock there is nothing to compare with.
pub async fn over_fsync(sheet: &mut Sheet) -> Result<()> {
    const RATE: f64 = 1_500.0;
    let rounds = sheet.scale("parts of the load", 3, 1);
    let seconds = sheet.scale("seconds of a part of the load", 30.0, 8.0);
    let probe_time = Duration::from_secs(sheet.scale("seconds of a part beside it", 15, 4));
    let closed_time = Duration::from_secs(2);
    let server = Served::start(&sheet.place, "fsync", false).await?;
    server.serving().await?;
    let order = Order { shape: Some(Shape::steady(RATE, seconds)), ..desks(seconds) };
    let file = sheet.place.part("probe");
    let (mut bare, mut closed, mut all) =
        (Latency::default(), Latency::default(), Tally::default());
    let (mut bare_p99, mut closed_p99, mut ack_p99) = (vec![], vec![], vec![]);
    let mut behind = Vec::new();
    let mut bytes = 0;
    for round in 0..=rounds {
        if bytes == 0 {
            // The bytes of one tube as it is sent; the load makes the same.
            let load = order.prepare(&server.target, order.devices).await?;
            bytes = load.pen(0).message(1, 1, 1, now_ms()).len();
        }
        let probed = probe(&file, bytes, closed_time, None).await?;
        closed_p99.push(probed.latency.ms(0.99));
        closed.add(&probed.latency);
        let probed = probe(&file, bytes, probe_time, Some(RATE)).await?;
        behind.extend(probed.kept_up().err().map(|error| error.to_string()));
        bare_p99.push(probed.latency.ms(0.99));
        bare.add(&probed.latency);
        if round < rounds {
            let ran = order.run(&server.target).await?;
            whole(&ran.tally)?;
            ack_p99.push(ran.tally.latency.ms(0.99));
            all.add(ran.tally);
        }
    }
    server.stop().await?;
    sheet.forget("fsync")?;
    ensure!(bare.ms(0.99) > 0.0, "a write and fdatasync took no time at all");
    let over_closed = median(&ack_p99) / median(&closed_p99);
    ensure!(
        behind.is_empty(),
        "the disk does not take {RATE} bare writes a second, so there is nothing to compare with: {}. Over a bare write \
         that only begins when the one before has ended the acknowledgement takes {over_closed:.1} ({:.2} over {:.2} ms)",
        behind.join("; "),
        median(&ack_p99),
        median(&closed_p99),
    );
    let details = json!({
        "ack_p99_ms": median(&ack_p99),
        "fsync_p99_ms": median(&bare_p99),
        "ack_p99_ms_each": ack_p99,
        "fsync_p99_ms_each": bare_p99,
        "disturbed": disturbed(&[("ack_p99_ms_each", &ack_p99), ("fsync_p99_ms_each", &bare_p99)]),
        "ack_ms": object(&all.latency),
        "fsync_ms": object(&bare),
        "fsync_one_after_the_other_ms": object(&closed),
        "ack_over_one_after_the_other": over_closed,
        "from_sending_ms": object(&all.from_sending),
        "server_waiting_ms": object(&all.waiting),
        "server_deciding_ms": object(&all.deciding),
        "server_disk_ms": object(&all.disk),
        "bytes": bytes,
        "tubes_per_s_due": RATE,
        "streams": order.devices,
        "connections": order.connections,
        "unanswered": all.unanswered + all.unsent,
        "seconds": seconds * f64::from(rounds),
        "grace_s": GRACE.as_secs(),
    });
    sheet.put("ack_over_fsync", median(&ack_p99) / median(&bare_p99), details);
    Ok(())
}
