//! The buckets of a run in memory, as they stand in the file, with where each begins: a look-up is two
//! reads of memory.

use super::super::error::Error;
use super::super::keys;
use super::{Head, Run, handle};
use rocksdb::{DB, IteratorMode, ReadOptions};

/// The buckets of a run.
pub struct Held {
    /// By bucket: its first entry; one more at the end.
    starts: Vec<u32>,
    entries: Vec<u8>,
}

impl Held {
    /// Reads a run from its file.
    ///
    /// # Errors
    /// When it cannot be read, or is not what its head says.
    pub fn read(db: &DB, family: &str, run: &Run) -> Result<Held, Error> {
        let damaged = || Error::Damaged { what: format!("index {family}, run to {}", run.head.to) };
        let mut options = ReadOptions::default();
        options.set_iterate_range(
            keys::run(run.id, keys::RUN_HEAD + 1)..keys::run(run.id, keys::RUN_FILTER),
        );
        options.fill_cache(false);
        options.set_readahead_size(1 << 20);
        let buckets = 1_usize << run.head.bits;
        let mut starts = Vec::with_capacity(buckets + 1);
        let mut entries = Vec::with_capacity(run.bytes());
        for item in db.iterator_cf_opt(handle(db, family), options, IteratorMode::Start) {
            let (key, value) = item?;
            let (_, slot) = keys::parse_run(&key).ok_or_else(damaged)?;
            let bucket = (slot - keys::RUN_HEAD - 1) as usize;
            let whole = !value.is_empty() && value.len().is_multiple_of(run.head.width());
            if bucket >= buckets || bucket < starts.len() || !whole {
                return Err(damaged());
            }
            let first = u32::try_from(entries.len() / run.head.width()).map_err(|_| damaged())?;
            // Buckets without an entry are not in the file.
            starts.resize(bucket + 1, first);
            entries.extend_from_slice(&value);
        }
        let count = u32::try_from(entries.len() / run.head.width()).map_err(|_| damaged())?;
        starts.resize(buckets + 1, count);
        if u64::from(count) == run.head.count {
            Ok(Held { starts, entries })
        } else {
            Err(damaged())
        }
    }

    /// The entries of a bucket.
    pub fn bucket(&self, bucket: u64, head: &Head) -> &[u8] {
        let at = |bucket: usize| self.starts[bucket] as usize * head.width();
        &self.entries[at(bucket as usize)..at(bucket as usize + 1)]
    }
}
