//! Opening a folder: settings of RocksDB with their reasons, recovery, and the turning away of what
//! must not be opened.

use super::commit::Store;
use super::error::Error;
use super::folder::{self, Acknowledged, Folder, FolderKind};
use super::index::{self, FACTS, PEOPLE, Pending};
use super::keys::{self, Kind};
use super::log::{Hash, Head};
use super::read::{Read, Shared};
use super::{codec, seal};
use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamilyDescriptor, DB, DBCompressionType, DBRecoveryMode,
    IteratorMode, SliceTransform,
};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

/// The column family of the log.
pub const LOG: &str = "log";
/// The column family of everything folded from it that is committed with it.
pub const RECORDS: &str = "records";

/// Options of the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Bytes of decompressed blocks kept in memory for reading.
    pub block_cache_bytes: usize,
    /// Bytes of one write buffer; up to four are held per column family.
    pub write_buffer_bytes: usize,
    /// So many waiting index entries are put into one sorted file.
    pub index_run_entries: usize,
    /// At so many waiting index entries intake slows until some are in a file. Bounds memory
    /// (24 bytes each) and the time to restart.
    pub index_pending_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            block_cache_bytes: 256 << 20,
            write_buffer_bytes: 64 << 20,
            index_run_entries: 1_000_000,
            index_pending_max: 6_000_000,
        }
    }
}

/// Options of both databases. What must not be missed, with the reason:
/// - recovery refuses to open on a damaged log; RocksDB's default drops synced writes silently;
/// - no log is recycled and none is synced piecemeal: either would make holes look like an end.
fn database_options() -> rocksdb::Options {
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
    options.set_max_open_files(512);
    // Not in the crate's setters: guard bytes in memory, and read the manifest back on close.
    let guards = "verify_manifest_content_on_close=true;memtable_protection_bytes_per_key=8";
    options.get_options_from_string(guards).unwrap_or(options)
}

fn table_options(cache: &Cache) -> BlockBasedOptions {
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(cache);
    table.set_block_size(8 << 10);
    table.set_bloom_filter(10.0, false);
    // Version 6 checksums know their block's place: a misplaced block is found.
    table.set_format_version(6);
    table
}

fn family_options(options: &Options, cache: &Cache) -> rocksdb::Options {
    let mut family = database_options();
    family.set_block_based_table_factory(&table_options(cache));
    family.set_compression_type(DBCompressionType::Lz4);
    family.set_write_buffer_size(options.write_buffer_bytes);
    family.set_max_write_buffer_number(4);
    family.set_level_compaction_dynamic_level_bytes(true);
    family
}

/// Options of the index files, for the writer of files and for the database alike.
pub fn index_options() -> rocksdb::Options {
    let mut options = database_options();
    let mut table = table_options(&Cache::new_lru_cache(32 << 20));
    table.set_whole_key_filtering(false);
    options.set_block_based_table_factory(&table);
    options.set_prefix_extractor(SliceTransform::create_fixed_prefix(16));
    options.set_compression_type(DBCompressionType::Lz4);
    options.set_level_zero_file_num_compaction_trigger(8);
    options
}

fn open_state(dir: &Path, options: &Options, writable: bool) -> Result<DB, rocksdb::Error> {
    let cache = Cache::new_lru_cache(options.block_cache_bytes);
    let families = ["default", LOG, RECORDS]
        .map(|name| ColumnFamilyDescriptor::new(name, family_options(options, &cache)));
    let path = dir.join("state");
    if writable {
        DB::open_cf_descriptors(&database_options(), path, families)
    } else {
        DB::open_cf_descriptors_read_only(&database_options(), path, families, false)
    }
}

fn open_index(dir: &Path, writable: bool) -> Result<DB, rocksdb::Error> {
    let families =
        ["default", PEOPLE, FACTS].map(|name| ColumnFamilyDescriptor::new(name, index_options()));
    let path = dir.join("index");
    if writable {
        DB::open_cf_descriptors(&database_options(), path, families)
    } else {
        DB::open_cf_descriptors_read_only(&database_options(), path, families, false)
    }
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
        index::remove_leftovers(dir)?;
        let shared = Shared::assemble(dir, folder, Some(lock), options, true)?;
        let (acknowledged, noted) = Acknowledged::open(dir)?;
        let (log_ends, _) = shared.last();
        if let Some((seq, _)) = noted.filter(|(seq, _)| *seq > log_ends) {
            return Err(Error::AcknowledgedMissing { log_ends, acknowledged: seq });
        }
        shared.catch_up()?;
        Store::start(dir, shared, acknowledged, options)
    }

    /// Opens a stopped folder for reading only; changes nothing in it.
    ///
    /// # Errors
    /// As [`Store::open`], and when there is no folder.
    pub fn open_read_only(dir: &Path) -> Result<Read, Error> {
        let problem =
            || Error::NotOurs { path: dir.into(), problem: "no folder.toml in it".into() };
        let folder = Folder::read(dir)?.ok_or_else(problem)?;
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
        let state = open_state(dir, options, writable)?;
        let index = open_index(dir, writable)?;
        let mark = |name: &str| -> Result<u64, Error> {
            let records = state.cf_handle(RECORDS).expect("opened with its families");
            let key = keys::code(Kind::IndexMark, name);
            Ok(match state.get_pinned_cf(records, key)? {
                Some(bytes) => codec::decode(&bytes)
                    .map_err(|_| Error::Damaged { what: format!("index mark {name}") })?,
                None => 0,
            })
        };
        let (people, facts) = (Pending::new(mark(PEOPLE)?), Pending::new(mark(FACTS)?));
        let last = last_of(&state)?;
        Ok(Shared {
            dir: PathBuf::from(dir),
            folder,
            state,
            index,
            people,
            facts,
            last: Mutex::new(last),
            failed: OnceLock::new(),
            _lock: lock,
        })
    }

    /// Puts into memory what the index files do not hold yet.
    pub(super) fn catch_up(&self) -> Result<(), Error> {
        let (last, _) = self.last();
        let records = self.records();
        let mark = |name: &str| -> Result<u64, Error> {
            let bytes = self.state.get_pinned_cf(records, keys::code(Kind::IndexMark, name))?;
            Ok(bytes.and_then(|bytes| codec::decode(&bytes).ok()).unwrap_or(0))
        };
        let (people_to, facts_to) = (mark(PEOPLE)?, mark(FACTS)?);
        let from = people_to.min(facts_to) + 1;
        let (mut people, mut facts) = (Vec::new(), Vec::new());
        self.for_each_event(from, last, &mut |event| {
            if event.seq > people_to {
                people.extend(index::people_entries(&event));
            }
            if event.seq > facts_to {
                facts.push((index::fact_key(&event.fact.id), event.seq));
            }
            Ok(())
        })?;
        self.people.add(people, last);
        self.facts.add(facts, last);
        Ok(())
    }
}

/// The last sequence and hash of the log.
fn last_of(state: &DB) -> Result<(u64, Hash), Error> {
    let log = state.cf_handle(LOG).expect("opened with its families");
    let mut options = rocksdb::ReadOptions::default();
    options.set_iterate_range(Kind::Batch.start()..Kind::Batch.end());
    match state.iterator_cf_opt(log, options, IteratorMode::End).next() {
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
