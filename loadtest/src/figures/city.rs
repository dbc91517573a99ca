//! Figures of a whole city: the reconnect storm, and a day with its end.

use super::Sheet;
use super::place::{Served, disk_bytes};
use crate::exit::Verdict;
use crate::{day, storm};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::time::Duration;
use tokio::time::sleep;

/// How long a server that was opened again may go on merging before its folder is measured.
const SETTLE: Duration = Duration::from_secs(60);
/// How often the folder is looked at meanwhile; it has settled when it does not change any more.
const LOOK: Duration = Duration::from_secs(3);

/// All devices come back at once.
pub async fn storm(sheet: &mut Sheet) -> Result<()> {
    let full = storm::Order::default();
    let order = storm::Order {
        devices: sheet.scale("devices", full.devices, 4_000),
        live_devices: sheet.scale("live desks", full.live_devices, 500),
        ..full
    };
    let server = Served::start(&sheet.place, "storm", false).await?;
    server.serving().await?;
    let found = storm::run(&server.target, &order).await?;
    ensure!(
        found.verdict() == Verdict::default(),
        "the storm lost something: {}",
        found.json(&order)
    );
    server.stop().await?;
    sheet.forget("storm")?;
    let mut details = json!({ "storm": found.json(&order) });
    if found.connections < order.devices {
        let connections = found.connections;
        details["shared_connections"] = json!(format!(
            "{} devices on {connections} connections: too few open files",
            order.devices
        ));
    }
    let live_p99 = found.live.latency.known_ms(0.99).context("no live desk sent anything")?;
    sheet.put("storm_seconds", found.seconds, details.clone());
    sheet.put("storm_live_p99_ms", live_p99, details);
    Ok(())
}

/// A day of 25 M people, its memory, its sudden end, the start after it, and what is left on the disk.
pub async fn day(sheet: &mut Sheet) -> Result<()> {
    let people = sheet.scale("people", 25_000_000, 1_000_000);
    let server = Served::start(&sheet.place, "day", false).await?;
    server.serving().await?;
    let found = day::run(&server.target, &day::Order { people, rate: 0.0 }).await?;
    ensure!(found.broken().is_empty(), "{}", found.broken().join("; "));
    let mut details = json!({ "day": found.json() });
    let gib = server.most_memory()? as f64 / f64::from(1 << 30);
    sheet.put("day_rss_gib", gib, details.clone());

    server.kill().await?;
    let server = Served::start(&sheet.place, "day", false).await?;
    let took = server.serving().await?;
    sheet.put("restart_seconds", took.as_secs_f64(), details.clone());

    // Stopped in order, opened once more, and left until nothing is merged any more.
    server.stop().await?;
    let server = Served::start(&sheet.place, "day", false).await?;
    server.serving().await?;
    let folder = sheet.place.part("day");
    let mut before = disk_bytes(&folder)?;
    let mut waited = Duration::ZERO;
    while waited < SETTLE {
        sleep(LOOK).await;
        waited += LOOK;
        let now = disk_bytes(&folder)?;
        if now == before && waited > 2 * LOOK {
            break;
        }
        before = now;
    }
    server.stop().await?;
    let bytes = disk_bytes(&folder)? as f64;
    details["bytes"] = json!(bytes);
    sheet.put("bytes_whole_life", bytes / people as f64, details);
    sheet.forget("day")
}
