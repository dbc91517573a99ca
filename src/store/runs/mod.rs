//! Runs: index entries that the log can rebuild, sorted once and never changed. A run holds the
//! entries of all events after one sequence up to another, in buckets of about two hundred.
//!
//! Keys are evenly spread, so the bucket of a key is known from its first bits, and a look-up is one
//! read of a run. Each run is one file of the database `fold`, ingested whole: it is there or it is
//! not. Runs are merged into longer ones; a run that lies within another is of no more use and is
//! dropped, also after a crash between the two steps.
//!
//! As many of them as the memory set apart allows, the newest first, also lie in memory as they are
//! in the file: a look-up then waits for nothing.

mod bucket;
mod check;
mod held;
#[cfg(test)]
mod tests;
mod walk;
mod write;

use super::codec::{self, Input, Malformed, Wire, wire_struct};
use super::entry::{Entry, SEQ_BYTES};
use super::error::Error;
use super::filter::Filter;
use super::keys::{self, RunId};
use held::Held;
use rocksdb::{ColumnFamily, DB, IteratorMode, ReadOptions};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
pub use write::RunWriter;

/// Entries of a bucket, on average: about one block of a file.
const PER_BUCKET: u64 = 192;

/// Most bits that choose a bucket.
const BITS_MAX: u32 = 28;

/// So many runs of one level become one of the next.
const MERGE_AT: usize = 16;

/// How far merging goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// Where there are enough of one level: while facts come in.
    Enough,
    /// Whatever costs little for what it brings: when nothing comes in.
    Idle,
    /// Everything into one.
    All,
}

/// What is known of a run without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The run holds what came after this sequence,
    pub after: u64,
    /// up to this one.
    pub to: u64,
    /// Entries.
    pub count: u64,
    /// So many first bits of a key choose its bucket.
    pub bits: u32,
}
wire_struct!(Head { after, to, count, bits });

impl Head {
    fn new(after: u64, to: u64, count: u64) -> Head {
        let buckets = count / PER_BUCKET;
        let bits = if buckets < 2 { 0 } else { buckets.ilog2().min(BITS_MAX) };
        Head { after, to, count, bits }
    }

    /// False for a head that no run was written with. An event has far fewer people than is asked here.
    fn can_be(&self) -> bool {
        self.after <= self.to
            && self.count <= (self.to - self.after).saturating_mul(1 << 16)
            && Head::new(self.after, self.to, self.count) == *self
    }

    /// Whole bytes of the key that the bucket says already.
    fn known_bytes(&self) -> usize {
        self.bits as usize / 8
    }

    fn width(&self) -> usize {
        16 - self.known_bytes() + SEQ_BYTES
    }

    /// Bytes that the buckets take in memory, when they are there.
    fn bytes(&self) -> usize {
        usize::try_from(self.count).unwrap_or(usize::MAX).saturating_mul(self.width())
    }
}

/// A run that can be looked into.
pub struct Run {
    id: RunId,
    head: Head,
    filter: Filter,
    /// Its buckets in memory, if they are.
    held: RwLock<Option<Arc<Held>>>,
    /// It is being merged into another: its memory is about to be free.
    leaving: AtomicBool,
}

impl Run {
    fn new(id: RunId, head: Head, filter: Filter) -> Run {
        Run { id, head, filter, held: RwLock::new(None), leaving: AtomicBool::new(false) }
    }

    fn held(&self) -> Option<Arc<Held>> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Acquire)
    }

    fn hold(&self, held: Option<Held>) {
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = held.map(Arc::new);
    }
}

/// The runs of one index.
pub struct Runs {
    family: &'static str,
    /// Bytes of runs that may lie in memory.
    memory_max: usize,
    /// Bytes of runs that are being written and put down in memory.
    coming: AtomicUsize,
    live: RwLock<Arc<Vec<Arc<Run>>>>,
    /// Merged into others; deleted once nobody looks into them any more.
    retired: Mutex<Vec<Arc<Run>>>,
}

impl Runs {
    /// Finds the runs of an index. What a crash left over is kept apart for deletion.
    /// As many as take `memory_max` bytes may lie in memory.
    pub fn open(db: &DB, family: &'static str, memory_max: usize) -> Result<Runs, Error> {
        let handle = handle(db, family);
        let mut found = Vec::new();
        let mut from = keys::run_start();
        loop {
            let mode = IteratorMode::From(&from, rocksdb::Direction::Forward);
            let Some(item) = db.iterator_cf(handle, mode).next() else { break };
            let (key, value) = item?;
            let what = format!("run of the index {family}, key {key:02x?}");
            let damaged = || Error::Damaged { what: what.clone() };
            let (id, slot) = keys::parse_run(&key).ok_or_else(damaged)?;
            if slot != keys::RUN_HEAD {
                return Err(damaged());
            }
            let head: Head = codec::decode(&value).map_err(|_| damaged())?;
            if !head.can_be() {
                return Err(damaged());
            }
            from = keys::run(id, u32::MAX);
            found.push((id, head));
        }
        found.sort_by_key(|(_, head)| (head.after, std::cmp::Reverse(head.to)));
        let (mut live, mut retired) = (Vec::<Arc<Run>>::new(), Vec::new());
        for (id, head) in found {
            let covered = live.last().is_some_and(|run| head.to <= run.head.to);
            let filter = if covered { Filter::default() } else { load_filter(db, handle, id)? };
            let run = Arc::new(Run::new(id, head, filter));
            if covered { retired.push(run) } else { live.push(run) }
        }
        let live = RwLock::new(Arc::new(live));
        let (coming, retired) = (AtomicUsize::new(0), Mutex::new(retired));
        Ok(Runs { family, memory_max, coming, live, retired })
    }

    fn live(&self) -> Arc<Vec<Arc<Run>>> {
        Arc::clone(&self.live.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Everything up to this sequence is in runs: there is no hole between them.
    pub fn complete_to(&self) -> u64 {
        self.live().last().map_or(0, |run| run.head.to)
    }

    /// Number of runs.
    pub fn count(&self) -> usize {
        self.live().len()
    }

    /// Bytes of runs that lie in memory.
    pub fn bytes_held(&self) -> usize {
        self.live().iter().filter(|run| run.held().is_some()).map(|run| run.head.bytes()).sum()
    }

    /// The events under a key.
    pub fn find(&self, db: &DB, key: &[u8; 16], found: &mut Vec<u64>) -> Result<(), Error> {
        let wanted = Entry::new(key, 0);
        let handle = handle(db, self.family);
        for run in self.live().iter().filter(|run| run.filter.may_have(&wanted)) {
            let bucket = wanted.prefix(run.head.bits);
            if let Some(held) = run.held() {
                bucket::find(held.bucket(bucket, &run.head), &run.head, key, found);
            } else if let Some(value) =
                db.get_pinned_cf(handle, keys::run(run.id, slot_of(bucket)))?
            {
                bucket::find(&value, &run.head, key, found);
            }
        }
        Ok(())
    }

    /// The same from memory alone; false when a run that may have the key is not there.
    pub fn find_held(&self, key: &[u8; 16], found: &mut Vec<u64>) -> bool {
        let wanted = Entry::new(key, 0);
        self.live().iter().filter(|run| run.filter.may_have(&wanted)).all(|run| {
            run.held().is_some_and(|held| {
                let bucket = held.bucket(wanted.prefix(run.head.bits), &run.head);
                bucket::find(bucket, &run.head, key, found);
                true
            })
        })
    }

    /// Holds runs in memory, the newest first, as long as all of them take no more than they may; lets
    /// go of the others. Called by the thread that merges.
    pub fn hold(&self, db: &DB) -> Result<(), Error> {
        let mut left = self.memory_max;
        let mut come = Vec::new();
        let live = self.live();
        for run in live.iter().rev() {
            // One that is too large leaves the room to others.
            if run.head.bytes() <= left {
                left -= run.head.bytes();
                come.extend(run.held().is_none().then_some(run));
            } else {
                run.hold(None);
            }
        }
        come.into_iter().try_for_each(|run| {
            run.hold(Some(Held::read(db, self.family, run)?));
            Ok(())
        })
    }

    /// Writes a run of these entries, which are sorted and each there once, and takes it in.
    pub fn add_sorted(
        &self,
        db: &DB,
        dir: &Path,
        range: (u64, u64),
        entries: &[Entry],
    ) -> Result<(), Error> {
        let fill = |run: &mut RunWriter<'_>| entries.iter().try_for_each(|entry| run.push(entry));
        self.add(db, dir, range, entries.len(), fill)
    }

    /// Writes a run of as many entries as `fill` puts into it, in order, and takes it in. It holds what the events after one
    /// sequence and up to another say.
    pub fn add(
        &self,
        db: &DB,
        dir: &Path,
        (after, to): (u64, u64),
        count: usize,
        fill: impl FnOnce(&mut RunWriter<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let head = Head::new(after, to, count as u64);
        let id = RunId { to, level: 0 };
        let run = self.write(db, dir, id, head, fill)?;
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        let mut runs = live.as_ref().clone();
        runs.push(Arc::new(run));
        *live = Arc::new(runs);
        Ok(())
    }

    /// Lets go of older runs in memory for one that is about to be written, with all that are: `coming` bytes. False when
    /// it is not worth it: newer ones need the memory, or those that are being merged take half as much again.
    fn make_room(&self, head: &Head, coming: usize) -> bool {
        let Some(mut left) = self.memory_max.checked_sub(coming) else { return false };
        let (mut without, mut leaving) = (Vec::new(), 0);
        let live = self.live();
        for run in live.iter().rev().filter(|run| run.held().is_some()) {
            let bytes = run.head.bytes();
            if run.is_leaving() {
                leaving += bytes;
            } else if bytes <= left {
                left -= bytes;
            } else if run.head.after >= head.to {
                return false;
            } else {
                without.push(run);
            }
        }
        if leaving > left.saturating_add(self.memory_max / 2) {
            return false;
        }
        without.into_iter().for_each(|run| run.hold(None));
        true
    }

    /// Writes a run to a file and takes it in. Nothing of a try that failed is left.
    fn write(
        &self,
        db: &DB,
        dir: &Path,
        id: RunId,
        head: Head,
        fill: impl FnOnce(&mut RunWriter<'_>) -> Result<(), Error>,
    ) -> Result<Run, Error> {
        let path = dir.join(format!("{}-{}-{}.sst", self.family, id.to, id.level));
        // Under the name of a try that failed nothing is written over: the database might hold it.
        let _ = std::fs::remove_file(&path);
        let options = super::open::run_file_options();
        let bytes = head.bytes();
        let coming = self.coming.fetch_add(bytes, Ordering::AcqRel).saturating_add(bytes);
        let hold = self.make_room(&head, coming);
        let written = RunWriter::new(&options, &path, id, head, hold).and_then(|mut writer| {
            fill(&mut writer)?;
            writer.ingest(db, handle(db, self.family))
        });
        self.coming.fetch_sub(bytes, Ordering::AcqRel);
        if written.is_err() {
            let _ = std::fs::remove_file(&path);
        }
        written
    }

    /// Merges some neighbours, if there are any worth it. True when something was merged. Called by
    /// one thread alone.
    pub fn merge(&self, db: &DB, dir: &Path, how: Merge) -> Result<bool, Error> {
        self.delete_retired(db)?;
        let live = self.live();
        let chosen = match how {
            Merge::Enough => to_merge(&live.iter().map(|run| run.id.level).collect::<Vec<_>>()),
            Merge::Idle => worth_it(&live.iter().map(|run| run.head.count).collect::<Vec<_>>()),
            Merge::All => (live.len() > 1).then_some((0, live.len())),
        };
        let Some((from, count)) = chosen else { return Ok(false) };
        let old = &live[from..from + count];
        let (first, last) = (&old[0].head, &old[count - 1].head);
        let entries = old.iter().map(|run| run.head.count).sum();
        let level = old.iter().map(|run| run.id.level).max().unwrap_or(0).saturating_add(1);
        let id = RunId { to: last.to, level };
        let head = Head::new(first.after, last.to, entries);
        let leave = |yes| old.iter().for_each(|run| run.leaving.store(yes, Ordering::Release));
        leave(true);
        let run = self.write(db, dir, id, head, |writer| {
            walk::for_each(db, self.family, old, &[], &mut |entry| writer.push(&entry))
        });
        let merged = Arc::new(run.inspect_err(|_| leave(false))?);
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        let mut runs = live.as_ref().clone();
        // Runs were only added at the end meanwhile.
        runs.splice(from..from + count, [Arc::clone(&merged)]);
        *live = Arc::new(runs);
        drop(live);
        old.iter().for_each(|run| run.hold(None));
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        retired.extend(old.iter().cloned());
        drop(retired);
        // There may have been no room for it beside those that it was made of.
        if merged.held().is_none() && self.make_room(&merged.head, merged.head.bytes()) {
            merged.hold(Some(Held::read(db, self.family, &merged)?));
        }
        Ok(true)
    }

    /// Deletes merged runs that nobody looks into any more.
    pub fn delete_retired(&self, db: &DB) -> Result<(), Error> {
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        let (free, kept): (Vec<_>, Vec<_>) =
            retired.drain(..).partition(|run| Arc::strong_count(run) == 1);
        *retired = kept;
        for run in free {
            let (from, to) = (keys::run(run.id, 0), keys::run(run.id, u32::MAX));
            db.delete_file_in_range_cf(handle(db, self.family), from, to)?;
        }
        Ok(())
    }

    /// Every entry of every run and of `waiting`, ascending, each once.
    pub fn for_each(
        &self,
        db: &DB,
        waiting: &[Entry],
        each: &mut dyn FnMut(Entry),
    ) -> Result<(), Error> {
        walk::for_each(db, self.family, &self.live(), waiting, &mut |entry| {
            each(entry);
            Ok(())
        })
    }

    /// Every entry of every run, one run after the other.
    pub fn for_each_in_no_order(&self, db: &DB, each: &mut dyn FnMut(Entry)) -> Result<(), Error> {
        self.live()
            .iter()
            .try_for_each(|run| walk::RunEntries::nearest(db, self.family, run).for_each(each))
    }

    /// Entries of all runs.
    pub fn entries(&self) -> u64 {
        self.live().iter().map(|run| run.head.count).sum()
    }
}

/// The newest runs, back to one that is much larger than all after it together.
fn worth_it(counts: &[u64]) -> Option<(usize, usize)> {
    let (mut from, mut sum) = (counts.len(), 0);
    while from > 0 && (from == counts.len() || counts[from - 1] <= 4 * sum) {
        from -= 1;
        sum += counts[from];
    }
    (counts.len() - from > 1).then_some((from, counts.len() - from))
}

/// The neighbours that are to be merged: where they begin and how many.
fn to_merge(levels: &[u8]) -> Option<(usize, usize)> {
    let mut from = 0;
    while from < levels.len() {
        let same = levels[from..].iter().take_while(|level| **level == levels[from]).count();
        if same >= MERGE_AT {
            return Some((from, same));
        }
        from += same;
    }
    None
}

fn handle<'a>(db: &'a DB, family: &str) -> &'a ColumnFamily {
    db.cf_handle(family).expect("the database is opened with its families")
}

fn slot_of(bucket: u64) -> u32 {
    keys::RUN_HEAD + 1 + u32::try_from(bucket).expect("a bucket has at most BITS_MAX bits")
}

fn load_filter(db: &DB, handle: &ColumnFamily, id: RunId) -> Result<Filter, Error> {
    let mut options = ReadOptions::default();
    options.set_iterate_range(keys::run(id, keys::RUN_FILTER)..keys::run(id, u32::MAX));
    options.fill_cache(false);
    let mut filter = Filter::default();
    for item in db.iterator_cf_opt(handle, options, IteratorMode::Start) {
        filter.extend(&item?.1);
    }
    Ok(filter)
}
