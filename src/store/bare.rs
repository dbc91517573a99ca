//! A bare log: the same database with the same settings and nothing but events in it. What it takes
//! is the most that a log on this machine can take; the engine is measured against it.

use super::error::Error;
use super::keys::{self, Kind};
use super::open::{self, LOG, Options};
use rocksdb::{DB, WriteBatch, WriteOptions};
use std::path::Path;

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
