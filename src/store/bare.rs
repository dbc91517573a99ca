//! Parts of the store by themselves, for measuring. A bare log: the same database with the same
//! settings and nothing but events in it; what it takes is the most that a log on this machine can
//! take, and the engine is measured against it. A bare index: runs and nothing else.

use super::entry::{self, Entry};
use super::error::Error;
use super::index::PEOPLE;
use super::keys::{self, Kind};
use super::open::{self, LOG, Options};
use super::runs::Runs;
use crate::domain::PersonKey;
use rocksdb::{DB, WriteBatch, WriteOptions};
use std::path::{Path, PathBuf};

/// A log without chain, records or indexes.
pub struct BareLog(DB);

impl BareLog {
    /// Opens the log of a folder of its own; makes it when there is none.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn open(dir: &Path) -> Result<BareLog, Error> {
        std::fs::create_dir_all(dir).map_err(Error::file(dir))?;
        let options = Options::default();
        Ok(BareLog(open::open_state(dir, &options, &open::block_cache(&options), true)?))
    }

    /// Appends events as one synced group, one key each, from a number on.
    ///
    /// # Errors
    /// When the disk does not take them.
    pub fn append(&mut self, first: u64, events: &[Vec<u8>]) -> Result<(), Error> {
        let log = self.0.cf_handle(LOG).expect("opened with its families");
        let bytes = events.iter().map(|event| event.len() + 32).sum();
        let mut batch = WriteBatch::with_capacity_bytes(bytes);
        for (seq, bytes) in (first..).zip(events) {
            batch.put_cf(log, keys::seq_key(Kind::Event, seq), bytes);
        }
        let mut options = WriteOptions::default();
        options.set_sync(true);
        Ok(self.0.write_opt(batch, &options)?)
    }
}

/// The index of people alone, in a folder of its own: for measuring.
pub struct BareIndex {
    fold: DB,
    runs: Runs,
    dir: PathBuf,
    to: u64,
}

impl BareIndex {
    /// Opens an index; makes it when there is none.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn open(dir: &Path) -> Result<BareIndex, Error> {
        std::fs::create_dir_all(dir).map_err(Error::file(dir))?;
        let options = Options::default();
        let fold = open::open_fold(dir, &options, &open::block_cache(&options), true)?;
        let runs = Runs::open(&fold, PEOPLE, 0)?;
        let to = runs.complete_to();
        Ok(BareIndex { fold, runs, dir: dir.into(), to })
    }

    /// Sorts these people and writes them as one run, each with an event of its own.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn add(&mut self, people: &[PersonKey]) -> Result<(), Error> {
        let after = self.to;
        let entry = |(seq, person): (u64, &PersonKey)| Entry::new(&person.0, seq);
        let entries: Vec<Entry> = (after + 1..).zip(people).map(entry).collect();
        self.to += entries.len() as u64;
        let sorted = entry::sorted(&[&entries]);
        self.runs.add_sorted(&self.fold, &self.dir, (after, self.to), &sorted)
    }

    /// The events of a person.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn find(&self, person: PersonKey) -> Result<Vec<u64>, Error> {
        let mut found = Vec::new();
        self.runs.find(&self.fold, &person.0, &mut found)?;
        Ok(found)
    }
}
