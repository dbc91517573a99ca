//! Indexes that the log can rebuild: person to events, fact id to event. Entries wait in memory
//! (`Pending`), visible to every query at once, and go to disk as sorted files, beside the commit
//! path and never on it.

use super::error::Error;
use crate::domain::PersonKey;
use crate::domain::fact::FactId;
use rocksdb::{DB, IngestExternalFileOptions, IteratorMode, SstFileWriter};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};

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

    /// Number of entries that are not in a file.
    pub fn count(&self) -> usize {
        self.lock().count()
    }

    /// Waits until fewer than `limit` entries wait. Intake slows here rather than memory growing.
    pub fn wait_below(&self, limit: usize) {
        let chunks = self.lock();
        drop(
            self.moved
                .wait_while(chunks, |chunks| chunks.count() >= limit)
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        );
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
        chunks.moving = std::mem::take(&mut chunks.waiting);
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
