//! The buckets of a run in memory, as they stand in the file, with where each begins: a look-up is two
//! reads of memory.

use super::super::error::Error;
use super::super::keys;
use super::{Head, Run, handle};
use rocksdb::{DB, IteratorMode, ReadOptions};

/// Neighbouring buckets that lie in one piece of memory: about a megabyte, whatever the run's length. What one run leaves
/// is then of use to the next; memory in one stretch would be asked of the system anew for each.
const TOGETHER: usize = 256;

/// The buckets of a run.
pub struct Held {
    /// By bucket: its first entry; one more at the end.
    starts: Vec<u32>,
    /// The entries, so many buckets to a piece.
    pieces: Vec<Vec<u8>>,
}

/// Buckets that are put down in memory while they go to a file.
pub struct HeldBuilder {
    held: Held,
    /// Entries so far.
    count: u32,
    /// Bytes of a piece, about.
    piece: usize,
}

impl HeldBuilder {
    /// For a run of this head.
    pub fn new(head: &Head) -> HeldBuilder {
        let buckets = 1_usize << head.bits;
        let pieces = Vec::with_capacity(buckets.div_ceil(TOGETHER));
        let held = Held { starts: Vec::with_capacity(buckets + 1), pieces };
        // Keys are evenly spread: hardly a piece is longer by more than a thirtieth.
        let piece = head.bytes() / buckets * TOGETHER.min(buckets);
        HeldBuilder { held, count: 0, piece: piece + piece / 32 }
    }

    /// Adds the next bucket that has entries; `None` when it does not belong there.
    #[must_use]
    pub fn push(&mut self, bucket: usize, value: &[u8], head: &Head) -> Option<()> {
        let Held { starts, pieces } = &mut self.held;
        let whole = !value.is_empty() && value.len().is_multiple_of(head.width());
        if bucket >= 1 << head.bits || bucket < starts.len() || !whole {
            return None;
        }
        // Buckets without an entry are not in the file.
        starts.resize(bucket + 1, self.count);
        while pieces.len() <= bucket / TOGETHER {
            pieces.push(Vec::with_capacity(self.piece));
        }
        pieces[bucket / TOGETHER].extend_from_slice(value);
        self.count = self.count.checked_add(u32::try_from(value.len() / head.width()).ok()?)?;
        Some(())
    }

    /// The buckets; `None` when they are not as many entries as the head says.
    pub fn finish(mut self, head: &Head) -> Option<Held> {
        let buckets = 1_usize << head.bits;
        self.held.starts.resize(buckets + 1, self.count);
        self.held.pieces.resize(buckets.div_ceil(TOGETHER), Vec::new());
        (u64::from(self.count) == head.count).then_some(self.held)
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
        let bucket = bucket as usize;
        let piece = bucket / TOGETHER;
        let first = self.starts[piece * TOGETHER];
        let at = |bucket: usize| (self.starts[bucket] - first) as usize * head.width();
        &self.pieces[piece][at(bucket)..at(bucket + 1)]
    }
}
