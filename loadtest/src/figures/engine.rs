//! Figures of the engine without the network: `swabline benchmark` makes them, in a process of its
//! own for each block, never two at a time.

use super::Sheet;
use super::place::{disk_bytes, number};
use super::postgres::Postgres;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// People in a tube.
const PEOPLE: f64 = 10.0;

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

fn remove(dir: &Path) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", dir.display()))
        }
        _ => Ok(()),
    }
}

impl Sheet {
    /// A block of the engine on a folder.
    async fn engine_block(&self, dir: &Path, flag: &str, count: u64, first: u64) -> Result<Value> {
        let (count, first) = (count.to_string(), first.to_string());
        let mut args = vec!["engine", flag, &count, "--first", &first];
        // Between blocks a folder is as busy as it is; what was filled is merged first.
        args.extend((flag == "--seconds").then_some("--leave-unmerged"));
        self.place.benchmark(&args, dir).await
    }

    /// A block of the engine on a fresh folder, and one of the raw log.
    async fn fresh_block(&self, what: &str, seconds: u64) -> Result<Value> {
        let dir = self.place.part("block");
        remove(&dir)?;
        // What the block before has left to be written would be written on this one's time.
        let synced = std::process::Command::new("sync").status().context("running sync")?;
        ensure!(synced.success(), "sync failed");
        let line = self.place.benchmark(&[what, "--seconds", &seconds.to_string()], &dir).await?;
        remove(&dir)?;
        Ok(line)
    }

    /// Tubes a second of the engine alone: as measured before, or by one block.
    async fn engine_rate(&mut self) -> Result<f64> {
        if let Some(rate) = self.engine {
            return Ok(rate);
        }
        let line = self.fresh_block("engine", self.pick(60, 10)).await?;
        let rate = number(&line, "tubes_per_s")?;
        self.engine = Some(rate);
        Ok(rate)
    }
}

/// The engine over the log alone, written and synced as the engine does: raw, engine, raw, engine,
/// raw, so that a disk that changes its mind changes both.
pub async fn over_raw_log(sheet: &mut Sheet) -> Result<()> {
    let (seconds, raw_seconds) = (sheet.pick(60, 10), sheet.pick(60, 4));
    let (mut raw, mut engine, mut settle, mut debt) = (vec![], vec![], vec![], vec![]);
    for block in 0..5 {
        if block % 2 == 0 {
            raw.push(number(&sheet.fresh_block("raw-log", raw_seconds).await?, "tubes_per_s")?);
        } else {
            let line = sheet.fresh_block("engine", seconds).await?;
            engine.push(number(&line, "tubes_per_s")?);
            settle.push(number(&line, "settle_s")?);
            debt.push(line["debt"].clone());
        }
    }
    sheet.engine = Some(mean(&engine));
    let details = json!({
        "engine_tubes_per_s": mean(&engine),
        "raw_log_tubes_per_s": mean(&raw),
        "engine_blocks": engine,
        "raw_log_blocks": raw,
        "settle_s": settle,
        "debt": debt,
        "seconds": seconds,
    });
    sheet.put("engine_over_raw_log", mean(&engine) / mean(&raw), details);
    Ok(())
}

/// The engine over PostgreSQL at its best.
pub async fn over_postgres(sheet: &mut Sheet) -> Result<()> {
    // First: without it there is no use in measuring the engine.
    let postgres = Postgres::start(&sheet.place).await?;
    let seconds = sheet.pick(60, 10);
    let filled = postgres.fill(seconds).await?;
    postgres.stop().await?;
    let engine = sheet.engine_rate().await?;
    let details = json!({
        "engine_tubes_per_s": engine,
        "postgres_tubes_per_s": filled.tubes_per_s,
        "postgres_tubes": filled.tubes,
        "postgres_sessions": filled.sessions,
        "postgres_version": filled.version,
        "seconds": seconds,
    });
    sheet.put("engine_over_postgres", engine / filled.tubes_per_s, details);
    Ok(())
}

/// A folder, and the tubes in it.
struct Filled {
    dir: PathBuf,
    tubes: u64,
}

impl Filled {
    async fn new(sheet: &Sheet, name: &str, tubes: u64) -> Result<Filled> {
        let dir = sheet.place.part(name);
        sheet.engine_block(&dir, "--tubes", tubes, 0).await?;
        Ok(Filled { dir, tubes })
    }

    /// Goes on for some seconds; gives the rate.
    async fn go_on(&mut self, sheet: &Sheet, seconds: u64) -> Result<f64> {
        let line = sheet.engine_block(&self.dir, "--seconds", seconds, self.tubes).await?;
        self.tubes += number(&line, "tubes")? as u64;
        number(&line, "tubes_per_s")
    }
}

/// What a folder takes, how it slows down when it is large, and how it answers then.
pub async fn growth(sheet: &mut Sheet) -> Result<()> {
    // Only the one figure needs so many.
    let many = !sheet.place.quick && sheet.wants("growth");
    let tubes = if many { 25_000_000 } else { 2_500_000 };
    let scaled = match many {
        false => json!("25 M person records instead of 250 M"),
        true => Value::Null,
    };
    let mut large = Filled::new(sheet, "large", tubes).await?;
    if sheet.wants("bytes_collected") {
        let bytes = disk_bytes(&large.dir)? as f64;
        let people = tubes as f64 * PEOPLE;
        let details = json!({ "bytes": bytes, "people": people, "scaled": scaled });
        sheet.put("bytes_collected", bytes / people, details);
    }
    if sheet.wants("growth") {
        let (seconds, blocks) = (sheet.pick(10, 5), 2);
        let (mut of_small, mut of_large) = (vec![], vec![]);
        for _ in 0..blocks {
            // Made anew: after some seconds of intake it is small no more.
            let mut small = Filled::new(sheet, "small", 100_000).await?;
            of_small.push(small.go_on(sheet, seconds).await?);
            remove(&small.dir)?;
            of_large.push(large.go_on(sheet, seconds).await?);
        }
        let details = json!({
            "large_tubes_per_s": of_large,
            "small_tubes_per_s": of_small,
            "large_people": tubes as f64 * PEOPLE,
            "small_people": 100_000.0 * PEOPLE,
            "seconds": seconds,
            "scaled": scaled,
        });
        sheet.put("growth", mean(&of_large) / mean(&of_small), details);
    }
    if sheet.wants("person_queries") {
        if !sheet.place.quick {
            // The people of one city: who asks, asks about the round at hand.
            remove(&large.dir)?;
            large = Filled::new(sheet, "city", 2_500_000).await?;
        }
        let seconds = sheet.pick(30, 10).to_string();
        let args = ["person-queries", "--seconds", &seconds];
        let line = sheet.place.benchmark(&args, &large.dir).await?;
        let details = json!({
            "ingest_tubes_per_s": number(&line, "ingest_tubes_per_s")?,
            "people": large.tubes as f64 * PEOPLE,
        });
        sheet.put("person_queries", number(&line, "queries_per_s")?, details);
    }
    remove(&large.dir)
}

/// Who of a roster is missing.
pub async fn missing(sheet: &mut Sheet) -> Result<()> {
    let people = sheet.pick(25_000_000, 1_000_000).to_string();
    let dir = sheet.place.part("missing");
    let line = sheet.place.benchmark(&["missing", "--people", &people], &dir).await?;
    remove(&dir)?;
    let mut details = json!({ "people": line["people"], "missing": line["missing"] });
    if sheet.place.quick {
        details["scaled"] = json!("1 M people instead of 25 M");
    }
    sheet.put("missing_seconds", number(&line, "seconds")?, details);
    Ok(())
}
