//! Putting tubes in: into a bare log, and through the engine.

use super::tubes;
use crate::domain::fact::Event;
use crate::domain::judge::judge;
use crate::domain::reference::Reference;
use crate::engine::{Engine, Handle, Options, Receipt, Submission};
use crate::store::{BareLog, FolderKind, Options as StoreOptions, Store, encode_event};
use anyhow::{Context, ensure};
use crossbeam::channel::{Receiver, bounded};
use std::collections::VecDeque;
use std::path::Path;
use std::time::{Duration, Instant};

/// Groups that are made ahead, so that making them is not measured.
const AHEAD: usize = 8;

/// Where a measurement ends.
#[derive(Clone, Copy, Debug)]
pub enum Limit {
    /// After so many tubes.
    Tubes(u64),
    /// After so long.
    Time(Duration),
}

impl Limit {
    /// Tubes that may still be sent when so many were.
    fn room(self, sent: u64, since: Instant) -> u64 {
        match self {
            Limit::Tubes(tubes) => tubes.saturating_sub(sent),
            Limit::Time(time) if since.elapsed() < time => u64::MAX,
            Limit::Time(_) => 0,
        }
    }

    /// The next group, as much of it as may be sent; `None` when it is over.
    fn next<T>(
        self,
        groups: &Receiver<Vec<T>>,
        sent: u64,
        since: Instant,
    ) -> anyhow::Result<Option<Vec<T>>> {
        let room = self.room(sent, since);
        if room == 0 {
            return Ok(None);
        }
        let mut group = groups.recv().context("no more groups")?;
        group.truncate(usize::try_from(room).unwrap_or(usize::MAX));
        Ok(Some(group))
    }
}

/// What was put in, how long it took, and its bytes where they are known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rate {
    pub tubes: u64,
    pub seconds: f64,
    pub bytes: u64,
}

/// What the engine did.
pub struct Filled {
    pub rate: Rate,
    /// Processor time over time, of the whole process.
    pub cores_busy: f64,
    /// What was still to be merged at the end.
    pub debt: Vec<(String, serde_json::Value)>,
    /// From the last tube until everything was written and merged.
    pub settle_seconds: f64,
}

/// Groups of tubes, made by a thread of its own.
fn groups<T: Send + 'static>(
    first: u64,
    group: usize,
    make: impl Fn(u64) -> T + Send + 'static,
) -> Receiver<Vec<T>> {
    let (ready, taken) = bounded(AHEAD);
    std::thread::spawn(move || {
        for from in (first..).step_by(group) {
            let made: Vec<T> = (from..from + group as u64).map(&make).collect();
            // Whoever measured has enough.
            if ready.send(made).is_err() {
                return;
            }
        }
    });
    taken
}

/// A log of the bytes of the same events, and nothing else.
pub fn raw_log(dir: &Path, limit: Limit, first: u64, group: usize) -> anyhow::Result<Rate> {
    let mut log = BareLog::open(dir)?;
    let mut reference = Reference::default();
    for (seq, Submission { fact, .. }) in (1..).zip(tubes::set_up()) {
        let stamps = judge(&fact, &reference, fact.captured_at, 0);
        reference.apply(&Event { seq, fact, stamps, found: Default::default() });
    }
    let bytes_of = move |number| {
        let Submission { fact, clock_offset_ms } = tubes::tube(number);
        let stamps = judge(&fact, &reference, fact.captured_at, clock_offset_ms);
        encode_event(&Event { seq: number + 1, fact, stamps, found: Default::default() })
    };
    let groups = groups(first, group, bytes_of);
    let (mut rate, begun) = (Rate::default(), Instant::now());
    while let Some(events) = limit.next(&groups, rate.tubes, begun)? {
        log.append(first + rate.tubes, &events)?;
        rate.tubes += events.len() as u64;
        rate.bytes += events.iter().map(|bytes| bytes.len() as u64).sum::<u64>();
    }
    rate.seconds = begun.elapsed().as_secs_f64();
    Ok(rate)
}

/// Opens a folder with an engine whose commits are groups of at most `group` facts.
pub fn open(dir: &Path, group: usize) -> anyhow::Result<Engine> {
    let store = Store::open(dir, Some(FolderKind::Drill), &StoreOptions::default())?;
    let engine = Engine::start(store, &Options { batch_facts_max: group, ..Options::default() })?;
    let handle = engine.handle();
    let receipt = wait(handle.enqueue(tubes::set_up())?)?;
    ensure!(receipt.outcomes.len() == tubes::SET_UP as usize, "the round was not opened");
    Ok(engine)
}

type Answer = tokio::sync::oneshot::Receiver<Result<Receipt, crate::engine::Error>>;

fn wait(answer: Answer) -> anyhow::Result<Receipt> {
    Ok(answer.blocking_recv().context("the engine has stopped")??)
}

/// Puts tubes in with a few groups under way, as a busy service has them; at most `most` tubes a
/// second when that is given.
pub fn fill(
    handle: &Handle,
    limit: Limit,
    first: u64,
    group: usize,
    most: Option<f64>,
) -> anyhow::Result<Rate> {
    let groups = groups(first, group, tubes::tube);
    let (mut rate, begun) = (Rate::default(), Instant::now());
    let mut under_way: VecDeque<Answer> = VecDeque::new();
    // What was sent, and not only what was answered: groups under way count towards the limit.
    let mut sent = 0;
    while let Some(group) = limit.next(&groups, sent, begun)? {
        if let Some(most) = most {
            let due = Duration::from_secs_f64(rate.tubes as f64 / most);
            std::thread::sleep(due.saturating_sub(begun.elapsed()));
        }
        sent += group.len() as u64;
        under_way.push_back(handle.enqueue(group)?);
        if under_way.len() > AHEAD {
            let answer = under_way.pop_front().context("there is one")?;
            rate.tubes += wait(answer)?.outcomes.len() as u64;
        }
    }
    for answer in under_way {
        rate.tubes += wait(answer)?.outcomes.len() as u64;
    }
    rate.seconds = begun.elapsed().as_secs_f64();
    Ok(rate)
}

/// The engine alone; at the end everything is written, and merged when that is wanted.
pub fn engine(
    dir: &Path,
    limit: Limit,
    first: u64,
    group: usize,
    merge: bool,
) -> anyhow::Result<Filled> {
    let engine = open(dir, group)?;
    let handle = engine.handle();
    let busy = processor_seconds();
    let rate = fill(&handle, limit, first, group, None)?;
    let cores_busy = (processor_seconds() - busy) / rate.seconds;
    let gauges = handle.read().gauges().into_iter();
    let debt = gauges.map(|(name, value)| (name.to_owned(), value.into())).collect();
    let begun = Instant::now();
    drop(handle);
    engine.stop()?;
    if merge {
        let store = Store::open(dir, None, &StoreOptions::default())?;
        store.settle();
        store.close()?;
    }
    let settle_seconds = begun.elapsed().as_secs_f64();
    Ok(Filled { rate, cores_busy, debt, settle_seconds })
}

/// Processor time that this process has used, in seconds.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit(')').next().unwrap_or_default();
    let field = |at: usize| after.split_whitespace().nth(at).and_then(|n| n.parse::<f64>().ok());
    // Fields 14 and 15 of proc(5), in clock ticks of a hundredth of a second.
    (field(11).unwrap_or(0.0) + field(12).unwrap_or(0.0)) / 100.0
}

/// The most memory that this process has held, in MiB.
pub fn peak_rss_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_tubes_are_put_in_as_were_asked_for() {
        for tubes in [1, 1_000, 1_500, 9_001] {
            let (bare, whole) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            let limit = Limit::Tubes(tubes);
            let logged = raw_log(bare.path(), limit, 0, 1_000).unwrap();
            let filled = engine(whole.path(), limit, 0, 1_000, false).unwrap();
            assert_eq!((logged.tubes, filled.rate.tubes), (tubes, tubes));
            let store = Store::open(whole.path(), None, &StoreOptions::default()).unwrap();
            assert_eq!(store.read().last_seq(), tubes + tubes::SET_UP);
            store.close().unwrap();
        }
    }
}
