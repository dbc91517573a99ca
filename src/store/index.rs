//! Indexes that the log can rebuild: person to events, fact id to event. Entries wait in memory
//! (`Pending`), visible to every query at once, and go to disk as sorted files, beside the commit
//! path and never on it.

use super::error::Error;
use crate::domain::PersonKey;
use crate::domain::fact::FactId;
use rocksdb::{DB, IngestExternalFileOptions, IteratorMode, SstFileWriter};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// An entry: what is looked for, and the event where it stands.
pub type Entry = ([u8; 16], u64);

/// Names of the indexes: column family, and key of the mark that says how far it is complete.
pub const PEOPLE: &str = "people";
/// Fact id to event.
pub const FACTS: &str = "facts";

/// Chunks larger than this are not merged in memory any more, so that no commit waits for a merge.
const CHUNK_MAX: usize = 65_536;

/// The key of a fact id: hash of source and epoch, then the number, so that the facts of one
/// source lie side by side. Two sources may share the hash; whoever finds an event compares its id.
pub fn fact_key(id: &FactId) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&id.epoch.to_be_bytes());
    hasher.update(id.source.as_bytes());
    let mut key = [0; 16];
    key[..8].copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    key[8..].copy_from_slice(&id.number.to_be_bytes());
    key
}

#[derive(Default)]
struct Chunks {
    /// Each sorted.
    waiting: Vec<Arc<Vec<Entry>>>,
    waiting_to: u64,
    /// Being written to a file; still looked at.
    moving: Vec<Arc<Vec<Entry>>>,
    complete_to: u64,
}

impl Chunks {
    fn count(&self) -> usize {
        self.waiting.iter().chain(&self.moving).map(|chunk| chunk.len()).sum()
    }
}

/// Entries that are not yet in a file.
pub struct Pending {
    chunks: Mutex<Chunks>,
    moved: Condvar,
}

impl Pending {
    /// Nothing waits; the files are complete to `complete_to`.
    pub fn new(complete_to: u64) -> Pending {
        let chunks = Chunks { complete_to, waiting_to: complete_to, ..Chunks::default() };
        Pending { chunks: Mutex::new(chunks), moved: Condvar::new() }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Chunks> {
        // A panic while holding the lock leaves whole chunks: nothing is half written.
        self.chunks.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Adds a batch's entries; everything up to `to` is then visible.
    pub fn add(&self, mut entries: Vec<Entry>, to: u64) {
        entries.sort_unstable();
        let mut chunks = self.lock();
        chunks.waiting_to = to;
        if entries.is_empty() {
            return;
        }
        chunks.waiting.push(Arc::new(entries));
        while let [.., before, last] = chunks.waiting.as_slice() {
            if last.len() * 2 < before.len() || before.len() + last.len() > CHUNK_MAX {
                break;
            }
            let merged = merge(&[before.clone(), last.clone()]);
            let keep = chunks.waiting.len() - 2;
            chunks.waiting.truncate(keep);
            chunks.waiting.push(Arc::new(merged));
        }
    }

    /// How far the files are complete.
    pub fn complete_to(&self) -> u64 {
        self.lock().complete_to
    }

    /// Number of entries that are not in a file.
    pub fn count(&self) -> usize {
        self.lock().count()
    }

    /// Waits at most a second until fewer than `limit` entries wait; true when it is so. Intake
    /// slows here rather than memory growing.
    pub fn wait_below(&self, limit: usize) -> bool {
        let over = |chunks: &mut Chunks| chunks.count() >= limit;
        let waited = self.moved.wait_timeout_while(self.lock(), Duration::from_secs(1), over);
        !waited.unwrap_or_else(std::sync::PoisonError::into_inner).1.timed_out()
    }

    /// Every chunk, for a consistent look.
    pub fn snapshot(&self) -> Vec<Arc<Vec<Entry>>> {
        let chunks = self.lock();
        chunks.waiting.iter().chain(&chunks.moving).cloned().collect()
    }

    fn find(&self, key: &[u8; 16], found: &mut Vec<u64>) {
        for chunk in self.snapshot() {
            let from = chunk.partition_point(|(k, _)| k < key);
            found.extend(chunk[from..].iter().take_while(|(k, _)| k == key).map(|(_, seq)| *seq));
        }
    }

    fn take(&self) -> Option<(Vec<Arc<Vec<Entry>>>, u64)> {
        let mut chunks = self.lock();
        if chunks.waiting_to == chunks.complete_to {
            return None;
        }
        // Added to what moves already: after a failed attempt that is still in no file.
        let waiting = std::mem::take(&mut chunks.waiting);
        chunks.moving.extend(waiting);
        Some((chunks.moving.clone(), chunks.waiting_to))
    }

    fn done(&self, complete_to: u64) {
        let mut chunks = self.lock();
        chunks.moving.clear();
        chunks.complete_to = complete_to;
        self.moved.notify_all();
    }
}

/// Merges sorted chunks into one sorted list without doubles.
pub fn merge(chunks: &[Arc<Vec<Entry>>]) -> Vec<Entry> {
    let mut all: Vec<Entry> = chunks.iter().flat_map(|chunk| chunk.iter().copied()).collect();
    all.sort();
    all.dedup();
    all
}

fn disk_key(entry: &Entry) -> [u8; 24] {
    let mut key = [0; 24];
    key[..16].copy_from_slice(&entry.0);
    key[16..].copy_from_slice(&entry.1.to_be_bytes());
    key
}

/// The entry of a key on disk.
pub fn parse_key(key: &[u8]) -> Option<Entry> {
    let (name, seq) = key.split_at_checked(16)?;
    Some((name.try_into().ok()?, u64::from_be_bytes(seq.try_into().ok()?)))
}

/// Moves what waits into a file and ingests it. Returns how far the index is then complete, or
/// `None` when nothing waited. Ingesting the same entries twice is harmless.
pub fn flush(db: &DB, family: &str, pending: &Pending, dir: &Path) -> Result<Option<u64>, Error> {
    let Some((chunks, to)) = pending.take() else { return Ok(None) };
    let entries = merge(&chunks);
    if !entries.is_empty() {
        let options = super::open::index_options();
        let path = dir.join(format!("{family}-{to}.sst"));
        let mut writer = SstFileWriter::create(&options);
        writer.open(&path)?;
        for entry in &entries {
            writer.put(disk_key(entry), [])?;
        }
        writer.finish()?;
        let mut ingest = IngestExternalFileOptions::default();
        ingest.set_move_files(true);
        let family = db.cf_handle(family).expect("the index is opened with its families");
        db.ingest_external_file_cf_opts(family, &ingest, vec![&path])?;
    }
    pending.done(to);
    Ok(Some(to))
}

/// Removes files that a crash left between their writing and their ingestion. By unlinking, never
/// by writing over: the database may hold the same file under its own name.
pub fn remove_leftovers(dir: &Path) -> Result<(), Error> {
    for entry in std::fs::read_dir(dir).map_err(Error::file(dir))? {
        let path = entry.map_err(Error::file(dir))?.path();
        if path.extension().is_some_and(|extension| extension == "sst") {
            std::fs::remove_file(&path).map_err(Error::file(path))?;
        }
    }
    Ok(())
}

/// The events under a key, ascending, in files and in memory.
pub fn find(db: &DB, family: &str, pending: &Pending, key: &[u8; 16]) -> Result<Vec<u64>, Error> {
    let mut found = Vec::new();
    // Memory first: an entry that moves meanwhile is then seen twice rather than never.
    pending.find(key, &mut found);
    let handle = db.cf_handle(family).expect("the index is opened with its families");
    let mut options = rocksdb::ReadOptions::default();
    options.set_iterate_range(rocksdb::PrefixRange(key.as_slice()));
    for item in db.iterator_cf_opt(handle, options, IteratorMode::Start) {
        let (key, _) = item?;
        found.extend(parse_key(&key).map(|(_, seq)| seq));
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// The entries of an event in the index of people.
pub fn people_entries(event: &crate::domain::fact::Event) -> impl Iterator<Item = Entry> + '_ {
    event.fact.body.people().map(|PersonKey(key)| (key, event.seq))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_failed_attempt_took_is_taken_again_and_seen_meanwhile() {
        let pending = Pending::new(0);
        pending.add(vec![([1; 16], 1)], 1);
        assert!(pending.take().is_some(), "the attempt fails: nothing says that it is done");
        pending.add(vec![([2; 16], 2)], 2);
        let (chunks, to) = pending.take().unwrap();
        assert_eq!((merge(&chunks), to), (vec![([1; 16], 1), ([2; 16], 2)], 2));
        let mut found = Vec::new();
        pending.find(&[1; 16], &mut found);
        assert_eq!(found, [1]);
        pending.done(2);
        assert_eq!(pending.count(), 0);
        assert!(pending.take().is_none());
    }
}
