//! Figures of the engine without the network: `swabline benchmark` makes them, in a process of its
//! own for each block, never two at a time.

use super::Sheet;
use super::blocks::{disturbed, median};
use super::half::half_load;
use super::place::{disk_bytes, number};
use super::postgres::Postgres;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// People in a tube.
const PEOPLE: f64 = 10.0;

/// Removes a folder, if it is there.
pub fn remove(dir: &Path) -> Result<()> {
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

    /// A block on a fresh folder: of the engine, or of the raw log.
    async fn fresh_block(&self, what: &str, seconds: u64) -> Result<Value> {
        let dir = self.place.part("block");
        remove(&dir)?;
        synced()?;
        let line = self.place.benchmark(&[what, "--seconds", &seconds.to_string()], &dir).await?;
        remove(&dir)?;
        Ok(line)
    }
}

/// What the block before has left to be written would be written on the next one's time.
pub fn synced() -> Result<()> {
    let synced = std::process::Command::new("sync").status().context("running sync")?;
    ensure!(synced.success(), "sync failed");
    Ok(())
}

/// The engine over the log alone, written and synced as the engine does: raw, engine, raw, engine,
/// raw, so that a disk that changes its mind changes both.
pub async fn over_raw_log(sheet: &mut Sheet) -> Result<()> {
    let seconds = sheet.scale("seconds of a block of the engine", 60, 6);
    let raw_seconds = sheet.scale("seconds of a block of the log", 60, 3);
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
    let details = json!({
        "engine_tubes_per_s": median(&engine),
        "raw_log_tubes_per_s": median(&raw),
        "engine_blocks": engine,
        "raw_log_blocks": raw,
        "disturbed": disturbed(&[("engine_blocks", &engine), ("raw_log_blocks", &raw)]),
        "settle_s": settle,
        "debt": debt,
        "seconds": seconds,
    });
    sheet.put("engine_over_raw_log", median(&engine) / median(&raw), details);
    Ok(())
}

/// The engine over PostgreSQL at its best: PostgreSQL, engine, PostgreSQL, engine, PostgreSQL, each on a folder of its own
/// and alone on the machine.
pub async fn over_postgres(sheet: &mut Sheet) -> Result<()> {
    let seconds = sheet.scale("seconds of a block", 30, 3);
    let (mut filled, mut engine) = (vec![], vec![]);
    for block in 0..5 {
        // PostgreSQL first: without it there is no use in measuring the engine.
        if block % 2 == 0 {
            let postgres = Postgres::start(&sheet.place).await?;
            synced()?;
            filled.push(postgres.fill(seconds).await?);
            postgres.stop().await?;
        } else {
            let line = sheet.fresh_block("engine", seconds).await?;
            engine.push(number(&line, "tubes_per_s")?);
        }
    }
    let postgres: Vec<_> = filled.iter().map(|block| block.tubes_per_s).collect();
    let details = json!({
        "engine_tubes_per_s": median(&engine),
        "postgres_tubes_per_s": median(&postgres),
        "engine_blocks": engine,
        "postgres_blocks": postgres,
        "disturbed": disturbed(&[("engine_blocks", &engine), ("postgres_blocks", &postgres)]),
        "postgres_tubes": filled.iter().map(|block| block.tubes).collect::<Vec<_>>(),
        "postgres_sessions": filled[0].sessions,
        "postgres_version": filled[0].version,
        "seconds": seconds,
    });
    sheet.put("engine_over_postgres", median(&engine) / median(&postgres), details);
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

/// Person records of the large folder and of the small one, in tubes of ten, in full.
const LARGE_TUBES: u64 = 25_000_000;
const SMALL_TUBES: u64 = 100_000;
/// Tubes of a city of 25 M people; the large folder where nothing needs a larger one.
const CITY_TUBES: u64 = 2_500_000;

/// What a folder takes, how it slows down when it is large, and how it answers then.
pub async fn growth(sheet: &mut Sheet) -> Result<()> {
    // Only the one figure needs so many.
    let tubes = match sheet.wants("growth") {
        true => sheet.scale("tubes in the folder", LARGE_TUBES, CITY_TUBES),
        false => CITY_TUBES,
    };
    let mut large = Filled::new(sheet, "large", tubes).await?;
    if sheet.wants("bytes_collected") {
        let bytes = disk_bytes(&large.dir)? as f64;
        let people = tubes as f64 * PEOPLE;
        sheet.put("bytes_collected", bytes / people, json!({ "bytes": bytes, "people": people }));
    }
    if sheet.wants("growth") {
        in_turns(sheet, &mut large).await?;
    }
    if sheet.wants("person_queries") {
        sheet.begin();
        if !sheet.place.quick {
            // The people of one city: who asks, asks about the round at hand.
            remove(&large.dir)?;
            large = Filled::new(sheet, "city", CITY_TUBES).await?;
        }
        let seconds = sheet.scale("seconds", 30, 8).to_string();
        let args = ["person-queries", "--seconds", &seconds];
        let line = sheet.place.benchmark(&args, &large.dir).await?;
        let mut details = json!({
            "people": large.tubes as f64 * PEOPLE,
            "threads": line["threads"],
            "cpu_us_per_query": line["cpu_us_per_query"],
        });
        let full = number(&line, "full_tubes_per_s")?;
        half_load(&mut details, full, number(&line, "ingest_tubes_per_s")?);
        sheet.put("person_queries", number(&line, "queries_per_s")?, details);
    }
    remove(&large.dir)
}

/// The large folder over a small one: small, large, small, large.
async fn in_turns(sheet: &mut Sheet, large: &mut Filled) -> Result<()> {
    let seconds = sheet.scale("seconds of a block", 20, 4);
    let before = large.tubes as f64 * PEOPLE;
    let (mut of_small, mut of_large) = (vec![], vec![]);
    let (mut small_people, mut large_people) = (vec![], vec![]);
    for _ in 0..2 {
        // Made anew: after some seconds of intake it is small no more.
        let mut small = Filled::new(sheet, "small", SMALL_TUBES).await?;
        of_small.push(small.go_on(sheet, seconds).await?);
        small_people.push(small.tubes as f64 * PEOPLE);
        remove(&small.dir)?;
        of_large.push(large.go_on(sheet, seconds).await?);
        large_people.push(large.tubes as f64 * PEOPLE);
    }
    let details = json!({
        "large_tubes_per_s": of_large,
        "small_tubes_per_s": of_small,
        "disturbed": disturbed(&[
            ("large_tubes_per_s", &of_large),
            ("small_tubes_per_s", &of_small),
        ]),
        "large_people": before,
        "small_people": SMALL_TUBES as f64 * PEOPLE,
        "large_people_at_block_ends": large_people,
        "small_people_at_block_ends": small_people,
        "seconds": seconds,
    });
    sheet.put("growth", median(&of_large) / median(&of_small), details);
    Ok(())
}

/// Who of a roster is missing.
pub async fn missing(sheet: &mut Sheet) -> Result<()> {
    let people = sheet.scale("people", 25_000_000, 1_000_000).to_string();
    let dir = sheet.place.part("missing");
    let line = sheet.place.benchmark(&["missing", "--people", &people], &dir).await?;
    remove(&dir)?;
    let details = json!({ "people": line["people"], "missing": line["missing"] });
    sheet.put("missing_seconds", number(&line, "seconds")?, details);
    Ok(())
}
