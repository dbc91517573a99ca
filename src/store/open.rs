//! Opening a folder: settings of RocksDB with their reasons, recovery, and the turning away of what
//! must not be opened.

use super::beside::let_others_go_first;
use super::codes::Codes;
use super::commit::Store;
use super::entry::Entry;
use super::error::Error;
use super::folder::{self, Acknowledged, Folder, FolderKind};
use super::index::{self, FACTS, Index, PEOPLE, TUBES};
use super::keys::{self, Kind};
use super::layer::Layers;
use super::log::{Hash, Head};
use super::read::{Read, Shared};
use super::recent::Recent;
use super::upgrade::upgrade;
use super::{codec, memory, seal};
use rayon::prelude::*;
use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamilyDescriptor, DB, DBCompactionStyle, DBCompressionType,
    DBRecoveryMode, IteratorMode, UniversalCompactOptions,
};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, OnceLock};

/// The column family of the log, in the database `state`.
pub const LOG: &str = "log";
/// The column family of the heads of its batches, in the same database and the same writes. Apart, because a file of
/// the log then holds nothing but a stretch of sequences, and moves down the levels without being written again.
pub const HEADS: &str = "heads";
/// The column family of the records folded from it, in the database `fold`.
pub const RECORDS: &str = "records";
/// Beside the people's index, that of tubes may lie in memory too: it has about one entry for ten people.
const TUBES_SHARE: usize = 8;
/// Tables of one database that stay open when nobody says.
const OPEN_FILES_MAX: usize = 512;

/// To bring an index up to the log's end so many events are read at a time that there is one for this many entries of a run:
/// ten people are in most, a thousand in a part of a roster. Bounds the memory of it.
const CATCH_UP_SHARE: usize = 100;
/// So many of them are read by one thread at a stretch.
const CATCH_UP_PART: usize = 500;

/// Options of the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Bytes of decompressed blocks kept in memory for reading, of both databases together.
    /// Beyond it answers come from the disk.
    pub block_cache_bytes: usize,
    /// Bytes of the newest runs of the people's index that lie in memory too: about twenty for each
    /// person. Beyond it a question about a person reads the disk, at three times the cost. An eighth of it, besides, for the
    /// index of tubes. Where nobody says: a sixth of the memory that the process may use.
    pub index_memory_bytes: usize,
    /// Bytes of the newest tubes that lie in memory too, by the event that collected them: about ninety for
    /// each. Beyond it a question about a person reads the event from the disk. Where nobody says: a twelfth of that memory.
    pub tubes_memory_bytes: usize,
    /// Tables of one of the two databases that stay open. Beyond it a table is opened again when it is asked for. The
    /// service lowers it where the machine lets it open few files.
    pub open_files_max: usize,
    /// Bytes of one write buffer of the log; up to four are held.
    pub write_buffer_bytes: usize,
    /// So many waiting index entries are put into one sorted file.
    pub index_run_entries: usize,
    /// At so many waiting index entries intake slows until some are in a file. Bounds memory
    /// (24 bytes each) and the time to restart.
    pub index_pending_max: usize,
    /// So many waiting records are put into one sorted file.
    pub records_run: usize,
    /// At so many waiting records intake slows until some are in a file. Bounds memory (about 600
    /// bytes each) and the time to restart: what is in no file is folded again. Tubes that were only collected count too,
    /// though they take no such memory.
    pub records_pending_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            block_cache_bytes: 512 << 20,
            index_memory_bytes: (memory::bytes() / 6).min(1 << 40),
            tubes_memory_bytes: (memory::bytes() / 12).min(1 << 40),
            open_files_max: OPEN_FILES_MAX,
            write_buffer_bytes: 64 << 20,
            index_run_entries: 1_000_000,
            index_pending_max: 6_000_000,
            records_run: 200_000,
            records_pending_max: 500_000,
        }
    }
}

/// Options of both databases. What must not be missed, with the reason:
/// - recovery refuses to open on a damaged log; RocksDB's default drops synced writes silently;
/// - no log is recycled and none is synced piecemeal: either would make holes look like an end.
pub fn database_options() -> rocksdb::Options {
    let mut options = rocksdb::Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
    options.set_recycle_log_file_num(0);
    options.set_wal_bytes_per_sync(0);
    options.set_manual_wal_flush(false);
    options.set_unordered_write(false);
    options.set_paranoid_checks(true);
    options.set_max_background_jobs(2);
    options.set_bytes_per_sync(1 << 20);
    options.set_keep_log_file_num(4);
    set_open_files(&mut options, OPEN_FILES_MAX);
    // Not in the crate's setters: guard bytes in memory, and read the manifest back on close.
    let guards = "verify_manifest_content_on_close=true;memtable_protection_bytes_per_key=8";
    options.get_options_from_string(guards).unwrap_or(options)
}

fn set_open_files(database: &mut rocksdb::Options, files: usize) {
    // What is larger than RocksDB's number is no limit to it.
    database.set_max_open_files(i32::try_from(files).unwrap_or(i32::MAX));
}

fn table_options(cache: &Cache) -> BlockBasedOptions {
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(cache);
    // Questions read one record each, all over the folder: small blocks are read and unpacked sooner.
    table.set_block_size(4 << 10);
    // Version 6 checksums know their block's place: a misplaced block is found.
    table.set_format_version(6);
    table
}

fn log_options(options: &Options, cache: &Cache) -> rocksdb::Options {
    let mut family = database_options();
    // Without a filter: which file holds a sequence is known from its range, and it is there.
    family.set_block_based_table_factory(&table_options(cache));
    // Two thirds of a collection are keys, which nothing makes shorter; plates and runs become half as large.
    family.set_compression_type(DBCompressionType::Lz4);
    family.set_write_buffer_size(options.write_buffer_bytes);
    family.set_max_write_buffer_number(4);
    family.set_level_compaction_dynamic_level_bytes(true);
    family
}

/// The cache of decompressed blocks that all families share.
pub fn block_cache(options: &Options) -> Cache {
    // Without a lock: questions come from many threads. Most blocks are of about this size.
    Cache::new_hyper_clock_cache(options.block_cache_bytes, 4 << 10)
}

/// For writers of files, which read nothing.
fn no_cache() -> Cache {
    Cache::new_lru_cache(1 << 20)
}

/// Options of the records. Files of about equal
/// size are merged a dozen at a time: a record is rewritten seldom, and a look-up asks the filter
/// of each file, which is in memory.
fn records_options(cache: &Cache) -> rocksdb::Options {
    let mut family = database_options();
    let mut table = table_options(cache);
    table.set_bloom_filter(10.0, false);
    family.set_block_based_table_factory(&table);
    // Compressed when merged to the last level, not while facts come in.
    family.set_compression_type(DBCompressionType::None);
    family.set_bottommost_compression_type(DBCompressionType::Lz4);
    family.set_compaction_style(DBCompactionStyle::Universal);
    let mut universal = UniversalCompactOptions::default();
    // Few and wide merges: a record that comes in is not read until it changes, and then by its filter. A look-up asks up
    // to 23 filters (with a merge width of 8 RocksDB's picker waits that long), and records that are being changed take up
    // to five times what they take when everything has been merged.
    universal.set_min_merge_width(8);
    universal.set_max_size_amplification_percent(400);
    family.set_universal_compaction_options(&universal);
    family.set_level_zero_file_num_compaction_trigger(16);
    family
}

/// Options of a file of records on its way into the database.
pub fn records_file_options() -> rocksdb::Options {
    let mut options = records_options(&no_cache());
    options.set_bottommost_compression_type(DBCompressionType::None);
    options
}

/// Options of a file of a run on its way into the database.
pub fn run_file_options() -> rocksdb::Options {
    run_options(&no_cache())
}

/// Options of the runs. The runs are merged by
/// ourselves; the database only keeps them.
fn run_options(cache: &Cache) -> rocksdb::Options {
    let mut options = database_options();
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(cache);
    // A bucket is a block of its own.
    table.set_block_size(2 << 10);
    table.set_format_version(6);
    options.set_block_based_table_factory(&table);
    // Keys are hashes: there is nothing to compress.
    options.set_compression_type(DBCompressionType::None);
    options.set_disable_auto_compactions(true);
    options
}

/// Opens the database of the log.
pub fn open_state(
    dir: &Path,
    options: &Options,
    cache: &Cache,
    writable: bool,
) -> Result<DB, rocksdb::Error> {
    let families = ["default", LOG, HEADS]
        .map(|name| ColumnFamilyDescriptor::new(name, log_options(options, cache)));
    let path = dir.join("state");
    let mut together = database_options();
    // Heads are small: by themselves they would keep old write-ahead files from being deleted.
    together.set_atomic_flush(true);
    set_open_files(&mut together, options.open_files_max);
    if writable {
        DB::open_cf_descriptors(&together, path, families)
    } else {
        DB::open_cf_descriptors_read_only(&together, path, families, false)
    }
}

/// Opens the database of everything that is folded from the log.
pub fn open_fold(
    dir: &Path,
    options: &Options,
    cache: &Cache,
    writable: bool,
) -> Result<DB, rocksdb::Error> {
    let families = [
        ColumnFamilyDescriptor::new("default", run_options(cache)),
        ColumnFamilyDescriptor::new(RECORDS, records_options(cache)),
    ];
    let indexes = index::ALL.map(|name| ColumnFamilyDescriptor::new(name, run_options(cache)));
    let families = families.into_iter().chain(indexes);
    let path = dir.join("fold");
    let mut together = database_options();
    set_open_files(&mut together, options.open_files_max);
    if writable {
        DB::open_cf_descriptors(&together, path, families)
    } else {
        DB::open_cf_descriptors_read_only(&together, path, families, false)
    }
}

/// Removes files that a crash left between their writing and their taking in. By unlinking, never
/// by writing over: the database may hold the same file under its own name.
fn remove_leftovers(dir: &Path) -> Result<(), Error> {
    for entry in std::fs::read_dir(dir).map_err(Error::file(dir))? {
        let path = entry.map_err(Error::file(dir))?.path();
        if path.extension().is_some_and(|extension| extension == "sst") {
            std::fs::remove_file(&path).map_err(Error::file(path))?;
        }
    }
    Ok(())
}

impl Store {
    /// Opens a folder for writing and reading; creates it as `kind` when there is none. With
    /// `kind` = `None` an existing folder is opened as whatever it is.
    ///
    /// # Errors
    /// When the folder is in use, of a newer format, of another kind, damaged, or when something
    /// acknowledged is missing from its log.
    pub fn open(dir: &Path, kind: Option<FolderKind>, options: &Options) -> Result<Store, Error> {
        std::fs::create_dir_all(dir).map_err(Error::file(dir))?;
        let lock = folder::lock(dir)?;
        let folder_before = Folder::read(dir)?;
        if folder_before.is_none() && dir.join("state").exists() {
            let problem = "it holds a database but no folder.toml".to_owned();
            return Err(Error::NotOurs { path: dir.into(), problem });
        }
        let folder = match folder_before {
            Some(folder) => folder,
            None => Folder::create(dir, kind.unwrap_or(FolderKind::Live))?,
        };
        if let Some(wanted) = kind.filter(|wanted| *wanted != folder.kind) {
            let (found, wanted) = (folder.kind.name(), wanted.name());
            return Err(Error::OtherKind { path: dir.into(), found, wanted });
        }
        // From here on the files change: the seal of the last stop no longer holds.
        seal::remove(dir)?;
        remove_leftovers(dir)?;
        // By a thread of its own, whose place RocksDB's threads inherit.
        let assembled = std::thread::scope(|scope| {
            let opener = scope.spawn(|| {
                let_others_go_first();
                let folder = upgrade(dir, folder)?;
                Shared::assemble(dir, folder, Some(lock), options, true)
            });
            opener.join()
        });
        let shared = assembled.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        let (acknowledged, noted) = Acknowledged::open(dir)?;
        let (log_ends, _) = shared.last();
        if let Some((seq, _)) = noted.filter(|(seq, _)| *seq > log_ends) {
            return Err(Error::AcknowledgedMissing { log_ends, acknowledged: seq });
        }
        shared.catch_up(options.index_run_entries.max(1))?;
        Store::start(dir, shared, acknowledged, options)
    }

    /// Opens a stopped folder for reading only; changes nothing in it.
    ///
    /// # Errors
    /// As [`Store::open`]; when there is no folder; when it is of an older format, which only opening it for writing
    /// brings to this one.
    pub fn open_read_only(dir: &Path) -> Result<Read, Error> {
        let problem =
            || Error::NotOurs { path: dir.into(), problem: "no folder.toml in it".into() };
        let folder = Folder::read(dir)?.ok_or_else(problem)?;
        if folder.format < folder::FORMAT {
            let (found, known) = (folder.format, folder::FORMAT);
            return Err(Error::OlderFormat { path: dir.into(), found, known });
        }
        let lock = folder::lock(dir)?;
        let shared = Shared::assemble(dir, folder, Some(lock), &Options::default(), false)?;
        Ok(Read::new(Arc::new(shared)))
    }
}

impl Shared {
    fn assemble(
        dir: &Path,
        folder: Folder,
        lock: Option<std::fs::File>,
        options: &Options,
        writable: bool,
    ) -> Result<Shared, Error> {
        let cache = block_cache(options);
        let state = open_state(dir, options, &cache, writable)?;
        let fold = open_fold(dir, options, &cache, writable)?;
        let last = last_of(&state)?;
        Ok(Shared {
            dir: PathBuf::from(dir),
            folder,
            people: Index::open(&fold, PEOPLE, options.index_memory_bytes)?,
            facts: Index::open(&fold, FACTS, 0)?,
            tubes: Index::open(&fold, TUBES, options.index_memory_bytes / TUBES_SHARE)?,
            folded_to: AtomicU64::new(records_to(&fold)?),
            state,
            fold,
            layers: Layers::default(),
            recent: Recent::new(options.tubes_memory_bytes),
            codes: Codes::default(),
            last: Mutex::new(last),
            failed: OnceLock::new(),
            settling: AtomicBool::new(false),
            _lock: lock,
        })
    }

    /// The last sequence whose records stand in files.
    pub(super) fn records_to(&self) -> Result<u64, Error> {
        records_to(&self.fold)
    }

    /// Puts into memory what the runs do not hold yet; what is more than a run is written as one. After a crash
    /// that is little; of a folder whose indexes are gone it is everything.
    pub(super) fn catch_up(&self, run_entries: usize) -> Result<(), Error> {
        let (last, _) = self.last();
        let complete = self.indexes().map(|index| index.pending.complete_to());
        if let Some(ahead) = complete.into_iter().chain([self.records_to()?]).max()
            && ahead > last
        {
            // Folded from a log that is not this one, or from one that lost its end.
            return Err(Error::Damaged {
                what: format!("fold, which goes to {ahead}: the log ends at {last}"),
            });
        }
        let mut from = complete.into_iter().min().unwrap_or(0) + 1;
        let mut waiting = complete.map(|_| Vec::new());
        let together = (run_entries / CATCH_UP_SHARE).max(1) as u64;
        while from <= last {
            let to = last.min(from.saturating_add(together - 1));
            for part in self.entries_between(from, to, complete)? {
                for (waiting, mut entries) in waiting.iter_mut().zip(part) {
                    waiting.append(&mut entries);
                }
            }
            for (index, entries) in self.indexes().iter().zip(&mut waiting) {
                if entries.len() >= run_entries {
                    index.pending.add(entries, to);
                    entries.clear();
                    index.write_run(&self.fold, &self.dir)?;
                }
            }
            from = to + 1;
        }
        for (index, entries) in self.indexes().iter().zip(&waiting) {
            index.pending.add(entries, last);
            index.pending.tidy();
        }
        Ok(())
    }

    /// What each index has of the events from `from` to `to`, but for those that it is complete to, in parts that follow each
    /// other. By all cores: the service waits for it.
    fn entries_between(
        &self,
        from: u64,
        to: u64,
        complete: [u64; 3],
    ) -> Result<Vec<[Vec<Entry>; 3]>, Error> {
        let firsts: Vec<u64> = (from..=to).step_by(CATCH_UP_PART).collect();
        let part = |first: &u64| {
            let mut found = [const { Vec::new() }; 3];
            let end = to.min(first + CATCH_UP_PART as u64 - 1);
            self.for_each_event(*first, end, &mut |event| {
                for ((index, to), entries) in self.indexes().iter().zip(complete).zip(&mut found) {
                    if event.seq > to {
                        index.entries_of(&event, entries);
                    }
                }
                Ok(())
            })?;
            Ok(found)
        };
        firsts.par_iter().map(part).collect()
    }
}

fn records_to(fold: &DB) -> Result<u64, Error> {
    let records = fold.cf_handle(RECORDS).expect("opened with its families");
    match fold.get_pinned_cf(records, keys::code(Kind::IndexMark, RECORDS))? {
        Some(bytes) => {
            codec::decode(&bytes).map_err(|_| Error::Damaged { what: "index mark records".into() })
        }
        None => Ok(0),
    }
}

/// The last sequence and hash of the log.
pub fn last_of(state: &DB) -> Result<(u64, Hash), Error> {
    let heads = state.cf_handle(HEADS).expect("opened with its families");
    let mut options = rocksdb::ReadOptions::default();
    options.set_iterate_range(Kind::Batch.start()..Kind::Batch.end());
    match state.iterator_cf_opt(heads, options, IteratorMode::End).next() {
        None => Ok((0, [0; 32])),
        Some(item) => {
            let (key, value) = item?;
            let first = super::read::seq_of(&key)?;
            let head = Head::decode(first, &value)?;
            let last = first.checked_add(u64::from(head.count)).and_then(|end| end.checked_sub(1));
            let damaged = || Error::Damaged { what: format!("batch {first}") };
            Ok((last.ok_or_else(damaged)?, head.hash))
        }
    }
}
