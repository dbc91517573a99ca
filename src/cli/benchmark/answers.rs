//! Asking: a person's answer while tubes come in, and the missing people of a roster.

use super::filling::{self, Limit, fill};
use super::tubes;
use crate::domain::words::{Code, Time};
use crate::engine::query::people::{Wanted, for_each_missing};
use crate::engine::query::person::person;
use crate::store::{Folder, Options as StoreOptions, Store};
use anyhow::{Context, ensure};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Threads that ask. Intake at half load leaves about one core and a half of two.
const THREADS: u64 = 2;

/// Tubes in a group while questions are asked.
const GROUP: usize = 1_000;

/// What asking came to.
pub struct Asked {
    pub queries_per_second: f64,
    pub tubes_per_second: f64,
    pub full_tubes_per_second: f64,
    pub threads: u64,
    /// Processor time of the asking threads for each answer.
    pub cpu_us_per_query: f64,
}

/// How often a person can be asked about, people taken at random, while tubes come in at half of
/// the rate that the folder takes without questions.
pub fn person_queries(dir: &Path, time: Duration) -> anyhow::Result<Asked> {
    // To open a folder is to make it.
    ensure!(
        Folder::read(dir)?.is_some(),
        "{0} 不是数据目录，请先用 `engine` 写入。{0} is no data folder: fill it with `engine` first",
        dir.display()
    );
    let engine = filling::open(dir, GROUP)?;
    let handle = engine.handle();
    let before = tubes_in(&handle);
    ensure!(before >= 10_000, "the folder holds {before} tubes: fill it with `engine` first");
    let full = fill(&handle, Limit::Time(time / 4), before, GROUP, None)?;
    let full_rate = full.tubes as f64 / full.seconds;

    let (stop, asked, spent) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let half = std::thread::scope(|scope| -> anyhow::Result<_> {
        for thread in 0..THREADS {
            let (handle, stop, asked, spent) = (&handle, &stop, &asked, &spent);
            scope.spawn(move || {
                ask(handle, before, thread, stop, asked);
                spent.fetch_add(own_cpu_ns(), Ordering::AcqRel);
            });
        }
        let first = before + full.tubes;
        let half = fill(&handle, Limit::Time(time), first, GROUP, Some(full_rate / 2.0));
        stop.store(true, Ordering::Release);
        half
    })?;
    drop(handle);
    engine.stop()?;
    let answers = asked.load(Ordering::Acquire) as f64;
    Ok(Asked {
        queries_per_second: answers / half.seconds,
        tubes_per_second: half.tubes as f64 / half.seconds,
        full_tubes_per_second: full_rate,
        threads: THREADS,
        cpu_us_per_query: spent.into_inner() as f64 / 1e3 / answers,
    })
}

/// Processor time of this thread, ns; 0 where the system does not tell.
fn own_cpu_ns() -> u64 {
    let said = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    said.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0)
}

/// Tubes that `engine` has put into the folder: everything but the set-up.
fn tubes_in(handle: &crate::engine::Handle) -> u64 {
    handle.read().last_seq().saturating_sub(tubes::SET_UP)
}

fn ask(
    handle: &crate::engine::Handle,
    tubes: u64,
    thread: u64,
    stop: &AtomicBool,
    asked: &AtomicU64,
) {
    let (read, reference) = (handle.read(), handle.feed().reference());
    let mut random = thread.wrapping_add(1);
    while !stop.load(Ordering::Acquire) {
        for _ in 0..64 {
            // Knuth's multiplier: any will do that visits people all over.
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let number = (random >> 20) % (tubes * tubes::PEOPLE);
            let answer = person(read, &reference, &[tubes::person(number)], Time(0));
            let known = answer.is_ok_and(|answer| answer.samples.len() == 1);
            assert!(known, "person {number} of a filled folder is in one tube");
        }
        asked.fetch_add(64, Ordering::AcqRel);
    }
}

/// What the search for the missing came to.
pub struct Found {
    pub seconds: f64,
    pub missing: u64,
    pub expected: u64,
}

/// Every fiftieth tube of ten is not collected: its people are missing.
const LEFT_OUT: u64 = 50;

/// People in a part of a roster, as an import sends them.
const PART: u64 = 5_000;

/// Collects a round against a roster and looks for the missing.
pub fn missing(dir: &Path, people: u64) -> anyhow::Result<Found> {
    let engine = filling::open(dir, GROUP)?;
    let handle = engine.handle();
    let put = |batch| -> anyhow::Result<()> {
        handle.enqueue(batch)?.blocking_recv().context("the engine has stopped")??;
        Ok(())
    };
    for (part, first) in (0..people).step_by(PART as usize).enumerate() {
        let part = u64::try_from(part)? + tubes::SET_UP + 1;
        put(vec![tubes::roster(part, first..people.min(first + PART))])?;
    }
    let tubes = people / tubes::PEOPLE;
    let collected = (0..tubes).filter(|tube| tube % LEFT_OUT != 0);
    let mut batch = Vec::with_capacity(GROUP);
    for tube in collected {
        batch.push(tubes::tube(tube));
        if batch.len() == GROUP {
            put(std::mem::replace(&mut batch, Vec::with_capacity(GROUP)))?;
        }
    }
    put(batch)?;
    drop(handle);
    engine.stop()?;
    let store = Store::open(dir, None, &StoreOptions::default())?;
    let read = store.read();
    let (mut missing, begun) = (0, Instant::now());
    let round = Code::from(tubes::ROUND);
    for_each_missing(&read.view(), &round, Wanted::default(), &mut |_| missing += 1)?;
    let seconds = begun.elapsed().as_secs_f64();
    drop(read);
    store.close()?;
    let expected = people - (tubes - tubes.div_ceil(LEFT_OUT)) * tubes::PEOPLE;
    ensure!(missing == expected, "{missing} people are missing, not {expected}");
    Ok(Found { seconds, missing, expected })
}
