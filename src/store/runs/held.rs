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

/// Buckets that are put down in memory while they go to a file.
pub struct HeldBuilder(Held);

impl HeldBuilder {
    /// For a run of this head.
    pub fn new(head: &Head) -> HeldBuilder {
        let starts = Vec::with_capacity((1 << head.bits) + 1);
        HeldBuilder(Held { starts, entries: Vec::with_capacity(head.bytes()) })
    }

    /// Adds the next bucket that has entries; `None` when it does not belong there.
    #[must_use]
    pub fn push(&mut self, bucket: usize, value: &[u8], head: &Head) -> Option<()> {
        let Held { starts, entries } = &mut self.0;
        let whole = !value.is_empty() && value.len().is_multiple_of(head.width());
        if bucket >= 1 << head.bits || bucket < starts.len() || !whole {
            return None;
        }
        let first = u32::try_from(entries.len() / head.width()).ok()?;
        // Buckets without an entry are not in the file.
        starts.resize(bucket + 1, first);
        entries.extend_from_slice(value);
        Some(())
    }

    /// The buckets; `None` when they are not as many entries as the head says.
    pub fn finish(mut self, head: &Head) -> Option<Held> {
        let count = u32::try_from(self.0.entries.len() / head.width()).ok()?;
        self.0.starts.resize((1 << head.bits) + 1, count);
        (u64::from(count) == head.count).then_some(self.0)
    }
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
        let mut builder = HeldBuilder::new(&run.head);
        for item in db.iterator_cf_opt(handle(db, family), options, IteratorMode::Start) {
            let (key, value) = item?;
            let (_, slot) = keys::parse_run(&key).ok_or_else(damaged)?;
            let bucket = slot.checked_sub(keys::RUN_HEAD + 1).ok_or_else(damaged)?;
            builder.push(bucket as usize, &value, &run.head).ok_or_else(damaged)?;
        }
        builder.finish(&run.head).ok_or_else(damaged)
    }

    /// The entries of a bucket.
    pub fn bucket(&self, bucket: u64, head: &Head) -> &[u8] {
        let at = |bucket: usize| self.starts[bucket] as usize * head.width();
        &self.entries[at(bucket as usize)..at(bucket as usize + 1)]
    }
}
