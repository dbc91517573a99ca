//! Runs: index entries that the log can rebuild, sorted once and never changed. A run holds the
//! entries of all events after one sequence up to another, in buckets of about two hundred.
//!
//! Keys are evenly spread, so the bucket of a key is known from its first bits, and a look-up is one
//! read of a run. Each run is one file of the database `fold`, ingested whole: it is there or it is
//! not. Runs are merged into longer ones; a run that lies within another is of no more use and is
//! dropped, also after a crash between the two steps.

use super::codec::{self, Input, Malformed, Wire, wire_struct};
use super::entry::{Entry, SEQ_BYTES, SEQ_MAX};
use super::error::Error;
use super::filter::{Filter, FilterBuilder};
use super::keys::{self, RunId};
use rocksdb::{
    ColumnFamily, DB, IngestExternalFileOptions, IteratorMode, ReadOptions, SstFileWriter,
};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Entries of a bucket, on average: about one block of a file.
const PER_BUCKET: u64 = 192;

/// Most bits that choose a bucket.
const BITS_MAX: u32 = 28;

/// So many runs of one level become one of the next.
const MERGE_AT: usize = 8;

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

    /// Whole bytes of the key that the bucket says already.
    fn known_bytes(&self) -> usize {
        self.bits as usize / 8
    }

    fn width(&self) -> usize {
        16 - self.known_bytes() + SEQ_BYTES
    }
}

/// A run that can be looked into.
pub struct Run {
    id: RunId,
    head: Head,
    filter: Filter,
}

/// The runs of one index.
pub struct Runs {
    family: &'static str,
    live: RwLock<Arc<Vec<Arc<Run>>>>,
    /// Merged into others; deleted once nobody looks into them any more.
    retired: Mutex<Vec<Arc<Run>>>,
}

impl Runs {
    /// Finds the runs of an index. What a crash left over is kept apart for deletion.
    pub fn open(db: &DB, family: &'static str) -> Result<Runs, Error> {
        let handle = handle(db, family);
        let mut found = Vec::new();
        let mut from = keys::run_start();
        loop {
            let mode = IteratorMode::From(&from, rocksdb::Direction::Forward);
            let Some(item) = db.iterator_cf(handle, mode).next() else { break };
            let (key, value) = item?;
            let damaged = || Error::Damaged { what: format!("index {family} key {key:02x?}") };
            let (id, slot) = keys::parse_run(&key).ok_or_else(damaged)?;
            if slot != keys::RUN_HEAD {
                return Err(damaged());
            }
            let head: Head = codec::decode(&value).map_err(|_| damaged())?;
            from = keys::run(id, u32::MAX);
            found.push((id, head));
        }
        found.sort_by_key(|(_, head)| (head.after, std::cmp::Reverse(head.to)));
        let (mut live, mut retired) = (Vec::<Arc<Run>>::new(), Vec::new());
        for (id, head) in found {
            let covered = live.last().is_some_and(|run| head.to <= run.head.to);
            let filter = if covered { Filter::default() } else { load_filter(db, handle, id)? };
            let run = Arc::new(Run { id, head, filter });
            if covered { retired.push(run) } else { live.push(run) }
        }
        let live = RwLock::new(Arc::new(live));
        Ok(Runs { family, live, retired: Mutex::new(retired) })
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

    /// The events under a key.
    pub fn find(&self, db: &DB, key: &[u8; 16], found: &mut Vec<u64>) -> Result<(), Error> {
        let wanted = Entry::new(key, 0);
        let handle = handle(db, self.family);
        for run in self.live().iter().filter(|run| run.filter.may_have(&wanted)) {
            let bucket = wanted.prefix(run.head.bits);
            if let Some(value) = db.get_pinned_cf(handle, keys::run(run.id, slot_of(bucket)))? {
                find_in_bucket(&value, &run.head, key, found);
            }
        }
        Ok(())
    }

    /// Writes a run of sorted entries and takes it in.
    pub fn add(
        &self,
        db: &DB,
        dir: &Path,
        after: u64,
        to: u64,
        entries: &[Entry],
    ) -> Result<(), Error> {
        let head = Head::new(after, to, entries.len() as u64);
        let options = super::open::run_file_options();
        let id = RunId { to, level: 0 };
        let mut writer = RunWriter::new(&options, dir, self.family, id, head)?;
        entries.iter().try_for_each(|entry| writer.push(entry))?;
        let run = writer.ingest(db, handle(db, self.family))?;
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        let mut runs = live.as_ref().clone();
        runs.push(Arc::new(run));
        *live = Arc::new(runs);
        Ok(())
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
        let (options, head) =
            (super::open::run_file_options(), Head::new(first.after, last.to, entries));
        let mut writer = RunWriter::new(&options, dir, self.family, id, head)?;
        for_each(db, self.family, old, &[], &mut |entry| writer.push(&entry))?;
        let run = Arc::new(writer.ingest(db, handle(db, self.family))?);
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        let mut runs = live.as_ref().clone();
        // Runs were only added at the end meanwhile.
        runs.splice(from..from + count, [run]);
        *live = Arc::new(runs);
        drop(live);
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        retired.extend(old.iter().cloned());
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
        for_each(db, self.family, &self.live(), waiting, &mut |entry| {
            each(entry);
            Ok(())
        })
    }
}

impl Runs {
    /// Compares the runs with what follows from the log, `expected`, sorted. Tells each difference
    /// (what, problem) and gives the number of entries looked at.
    pub fn check(
        &self,
        db: &DB,
        expected: &[Entry],
        find: &mut dyn FnMut(String, &str),
    ) -> Result<u64, Error> {
        let (mut looked_at, mut end) = (0, 0);
        for run in self.live().iter() {
            let head = &run.head;
            let name = format!("run {} to {}", head.after, head.to);
            if head.after != end || head.to < head.after {
                find(name.clone(), "does not begin where the run before it ends");
            }
            end = head.to;
            let mut wanted = expected
                .iter()
                .filter(|entry| entry.seq > head.after && entry.seq <= head.to)
                .peekable();
            let mut filter = FilterBuilder::new(head.count);
            let mut entries = Vec::new();
            let mut reader = RunEntries::new(db, self.family, run);
            if let Err(error) = reader.take_below(0, 1, &mut entries) {
                find(name, &error.chain());
                continue;
            }
            looked_at += entries.len() as u64;
            let label = |entry: &Entry| {
                let key: String = entry.key().iter().map(|byte| format!("{byte:02x}")).collect();
                format!("{name}: entry {key} event {}", entry.seq)
            };
            for entry in &entries {
                filter.add(entry);
                while let Some(missing) = wanted.next_if(|wanted| *wanted < entry) {
                    find(label(missing), "follows from the log but is missing");
                }
                if wanted.next_if_eq(&entry).is_none() {
                    find(label(entry), "stands in the index but does not follow from the log");
                }
            }
            for missing in wanted {
                find(label(missing), "follows from the log but is missing");
            }
            if entries.len() as u64 != head.count || filter.finish() != run.filter {
                find(name, "its count or its filter is not that of its entries");
            }
        }
        Ok(looked_at)
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

/// The place of an entry's bytes in a bucket.
fn parts(bytes: &[u8], known: usize) -> (&[u8], u64) {
    let (rest, seq) = bytes.split_at(16 - known);
    let mut whole = [0; 8];
    whole[8 - SEQ_BYTES..].copy_from_slice(seq);
    (rest, u64::from_be_bytes(whole))
}

fn find_in_bucket(value: &[u8], head: &Head, key: &[u8; 16], found: &mut Vec<u64>) {
    let (width, known) = (head.width(), head.known_bytes());
    let wanted = &key[known..];
    let at = |place: usize| parts(&value[place * width..(place + 1) * width], known);
    let count = value.len() / width;
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = (low + high) / 2;
        if at(middle).0 < wanted { low = middle + 1 } else { high = middle }
    }
    found.extend((low..count).map(at).take_while(|(rest, _)| *rest == wanted).map(|(_, seq)| seq));
}

/// Writes one run to a file.
struct RunWriter<'a> {
    file: SstFileWriter<'a>,
    path: PathBuf,
    id: RunId,
    head: Head,
    filter: FilterBuilder,
    bucket: u64,
    value: Vec<u8>,
    written: u64,
}

impl<'a> RunWriter<'a> {
    fn new(
        options: &'a rocksdb::Options,
        dir: &Path,
        family: &str,
        id: RunId,
        head: Head,
    ) -> Result<RunWriter<'a>, Error> {
        let path = dir.join(format!("{family}-{}-{}.sst", id.to, id.level));
        let mut file = SstFileWriter::create(options);
        file.open(&path)?;
        file.put(keys::run(id, keys::RUN_HEAD), codec::encode(&head))?;
        let filter = FilterBuilder::new(head.count);
        Ok(RunWriter { file, path, id, head, filter, bucket: 0, value: Vec::new(), written: 0 })
    }

    fn push(&mut self, entry: &Entry) -> Result<(), Error> {
        assert!(entry.seq <= SEQ_MAX, "an index holds sequences of {SEQ_BYTES} bytes");
        let bucket = entry.prefix(self.head.bits);
        if bucket != self.bucket {
            self.end_bucket()?;
            self.bucket = bucket;
        }
        let (high, low) = entry.words();
        self.value.extend_from_slice(&high.to_be_bytes()[self.head.known_bytes()..]);
        self.value.extend_from_slice(&low.to_be_bytes());
        self.value.extend_from_slice(&entry.seq.to_be_bytes()[8 - SEQ_BYTES..]);
        self.filter.add(entry);
        self.written += 1;
        Ok(())
    }

    fn end_bucket(&mut self) -> Result<(), Error> {
        if !self.value.is_empty() {
            self.file.put(keys::run(self.id, slot_of(self.bucket)), &self.value)?;
            self.value.clear();
        }
        Ok(())
    }

    fn ingest(mut self, db: &DB, handle: &ColumnFamily) -> Result<Run, Error> {
        self.end_bucket()?;
        if self.written != self.head.count {
            let what = format!("run {} of an index: {} entries", self.id.to, self.written);
            return Err(Error::Damaged { what });
        }
        let filter = self.filter.finish();
        for (slot, part) in (keys::RUN_FILTER..).zip(filter.parts()) {
            self.file.put(keys::run(self.id, slot), part)?;
        }
        self.file.finish()?;
        let mut ingest = IngestExternalFileOptions::default();
        ingest.set_move_files(true);
        db.ingest_external_file_cf_opts(handle, &ingest, vec![&self.path])?;
        Ok(Run { id: self.id, head: self.head, filter })
    }
}

/// The entries of a run, bucket by bucket.
struct RunEntries<'a> {
    buckets: rocksdb::DBIterator<'a>,
    head: &'a Head,
    entries: std::vec::IntoIter<Entry>,
}

impl<'a> RunEntries<'a> {
    fn new(db: &'a DB, family: &str, run: &'a Run) -> RunEntries<'a> {
        let mut options = ReadOptions::default();
        options.set_iterate_range(
            keys::run(run.id, keys::RUN_HEAD + 1)..keys::run(run.id, keys::RUN_FILTER),
        );
        options.fill_cache(false);
        options.set_readahead_size(1 << 20);
        let buckets = db.iterator_cf_opt(handle(db, family), options, IteratorMode::Start);
        RunEntries { buckets, head: &run.head, entries: Vec::new().into_iter() }
    }

    /// Moves every entry whose prefix is below `end` to `out`.
    fn take_below(&mut self, bits: u32, end: u64, out: &mut Vec<Entry>) -> Result<(), Error> {
        loop {
            let left = self.entries.as_slice();
            let below = left.partition_point(|entry| entry.prefix(bits) < end);
            out.extend(self.entries.by_ref().take(below));
            if !self.entries.as_slice().is_empty() {
                return Ok(());
            }
            let Some(item) = self.buckets.next() else { return Ok(()) };
            let (key, value) = item?;
            self.entries = decode_bucket(&key, &value, self.head)?.into_iter();
        }
    }
}

/// The entries of a bucket.
pub fn decode_bucket(key: &[u8], value: &[u8], head: &Head) -> Result<Vec<Entry>, Error> {
    let damaged = || Error::Damaged { what: format!("bucket of an index, key {key:02x?}") };
    let (_, slot) = keys::parse_run(key).ok_or_else(damaged)?;
    let (width, known) = (head.width(), head.known_bytes());
    if value.is_empty() || !value.len().is_multiple_of(width) || slot == keys::RUN_HEAD {
        return Err(damaged());
    }
    let bucket = u64::from(slot - keys::RUN_HEAD - 1);
    let mut whole = [0; 16];
    if head.bits > 0 {
        whole[..8].copy_from_slice(&(bucket << (64 - head.bits)).to_be_bytes());
    }
    let entries: Vec<Entry> = value
        .chunks_exact(width)
        .map(|bytes| {
            let (rest, seq) = parts(bytes, known);
            whole[known..].copy_from_slice(rest);
            Entry::new(&whole, seq)
        })
        .collect();
    let stands_here = |entry: &Entry| entry.prefix(head.bits) == bucket;
    if entries.is_sorted() && entries.iter().all(stands_here) {
        Ok(entries)
    } else {
        Err(damaged())
    }
}

/// Every entry of these runs and of `waiting`, ascending, each once. Goes through the keys slice by
/// slice: what all runs hold of a slice is few and quickly sorted.
fn for_each(
    db: &DB,
    family: &str,
    runs: &[Arc<Run>],
    waiting: &[Entry],
    each: &mut dyn FnMut(Entry) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut readers: Vec<_> = runs.iter().map(|run| RunEntries::new(db, family, run)).collect();
    let count = runs.iter().map(|run| run.head.count).sum::<u64>() + waiting.len() as u64;
    let bits = Head::new(0, 0, count / 8).bits;
    let mut waiting = waiting;
    let mut slice = Vec::new();
    for end in 1..=(1_u64 << bits) {
        slice.clear();
        for reader in &mut readers {
            // With no bits at all every prefix is 0, and the one slice holds everything.
            reader.take_below(bits, end, &mut slice)?;
        }
        let below = waiting.partition_point(|entry| entry.prefix(bits) < end);
        slice.extend_from_slice(&waiting[..below]);
        waiting = &waiting[below..];
        // Runs are sorted each: a sort that merges what is in order already is the right one.
        slice.sort();
        slice.dedup();
        slice.iter().try_for_each(|entry| each(*entry))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::entry;
    use super::*;

    fn opened(dir: &Path) -> (DB, Runs) {
        let db = {
            let cache = super::super::open::block_cache(&Default::default());
            super::super::open::open_fold(dir, &cache, true).unwrap()
        };
        let runs = Runs::open(&db, super::super::open::PEOPLE).unwrap();
        (db, runs)
    }

    fn batch(from: u64, count: u64) -> Vec<Entry> {
        let entries: Vec<Entry> =
            (from..from + count).map(|n| entry::fact_entry(n % 97, n % 5_003, n + 1)).collect();
        entry::sorted(&[&entries])
    }

    #[test]
    fn what_was_put_into_runs_is_found_and_listed_before_and_after_merging_and_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let (db, runs) = opened(dir.path());
        let mut all = Vec::new();
        for part in 0..9_u64 {
            let entries = batch(part * 3_000, if part == 4 { 0 } else { 3_000 });
            runs.add(&db, dir.path(), part * 3_000, (part + 1) * 3_000, &entries).unwrap();
            all.extend(entries);
        }
        all.sort();
        let check = |db: &DB, runs: &Runs| {
            assert_eq!(runs.complete_to(), 27_000);
            let mut listed = Vec::new();
            runs.for_each(db, &[], &mut |entry| listed.push(entry)).unwrap();
            assert!(listed == all, "{} of {}", listed.len(), all.len());
            for entry in all.iter().step_by(37) {
                let mut found = Vec::new();
                runs.find(db, &entry.key(), &mut found).unwrap();
                found.sort_unstable();
                let same = all.iter().filter(|other| other.is_of(entry));
                assert_eq!(found, same.map(|entry| entry.seq).collect::<Vec<_>>());
            }
            let mut found = Vec::new();
            runs.find(db, &[3; 16], &mut found).unwrap();
            assert!(found.is_empty());
        };
        check(&db, &runs);
        assert!(runs.merge(&db, dir.path(), Merge::Enough).unwrap());
        check(&db, &runs);
        drop(db);
        let (db, runs) = opened(dir.path());
        assert_eq!(runs.count(), 1, "nine of one level became one, the old ones are covered by it");
        check(&db, &runs);
        runs.delete_retired(&db).unwrap();
        drop(db);
        let (db, runs) = opened(dir.path());
        assert!(runs.retired.lock().unwrap().is_empty(), "deleted runs do not come back");
        check(&db, &runs);
    }

    #[test]
    fn neighbours_of_one_level_are_merged_when_they_are_enough() {
        for (levels, expected) in [
            (&[0, 0, 0, 0, 0, 0, 0][..], None),
            (&[0, 0, 0, 0, 0, 0, 0, 0], Some((0, 8))),
            (&[2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0], Some((3, 9))),
            (&[1, 1, 1, 1, 1, 1, 1, 1, 0], Some((0, 8))),
            (&[], None),
        ] {
            assert_eq!(to_merge(levels), expected, "{levels:?}");
        }
        for (counts, expected) in [
            (&[100, 10, 1][..], None),
            (&[100, 10, 4, 1], Some((1, 3))),
            (&[10, 10, 10], Some((0, 3))),
            (&[7], None),
            (&[], None),
        ] {
            assert_eq!(worth_it(counts), expected, "{counts:?}");
        }
    }
}
