//! Going through whole runs in order.

use super::super::entry::{self, Entry};
use super::super::error::Error;
use super::super::keys;
use super::bucket::{decode_bucket, entries_of};
use super::{Head, Run, handle, slot_of};
use rocksdb::{DB, IteratorMode, ReadOptions};
use std::sync::Arc;

/// Where the buckets of a run are read.
enum Buckets<'a> {
    File(rocksdb::DBIterator<'a>),
    /// In memory, from this bucket on, as long as the run lies there: who goes through a run slowly must not keep in
    /// memory what was to be let go of.
    Memory(u64),
}

/// The entries of a run, bucket by bucket.
pub struct RunEntries<'a> {
    db: &'a DB,
    family: &'a str,
    run: &'a Run,
    buckets: Buckets<'a>,
    entries: std::vec::IntoIter<Entry>,
}

impl<'a> RunEntries<'a> {
    /// As they stand in the run's file.
    pub fn in_file(db: &'a DB, family: &'a str, run: &'a Run) -> RunEntries<'a> {
        let buckets = Buckets::File(buckets_of(db, family, run, 0));
        RunEntries { db, family, run, buckets, entries: Vec::new().into_iter() }
    }

    /// From memory where the run lies there: nothing is read then.
    pub fn nearest(db: &'a DB, family: &'a str, run: &'a Run) -> RunEntries<'a> {
        RunEntries { db, family, run, buckets: Buckets::Memory(0), entries: Vec::new().into_iter() }
    }

    /// The entries of the next bucket that has any.
    fn next_bucket(&mut self) -> Result<Option<Vec<Entry>>, Error> {
        let head = &self.run.head;
        if let Buckets::Memory(next) = &mut self.buckets {
            match self.run.held() {
                None => {
                    let from = buckets_of(self.db, self.family, self.run, *next);
                    self.buckets = Buckets::File(from);
                }
                Some(held) => {
                    while *next < 1 << head.bits {
                        let (bucket, value) = (*next, held.bucket(*next, head));
                        *next += 1;
                        if !value.is_empty() {
                            let what = || format!("bucket {bucket} of an index, in memory");
                            let damaged = || Error::Damaged { what: what() };
                            return entries_of(bucket, value, head).ok_or_else(damaged).map(Some);
                        }
                    }
                    return Ok(None);
                }
            }
        }
        let Buckets::File(buckets) = &mut self.buckets else { return Ok(None) };
        match buckets.next().transpose()? {
            Some((key, value)) => decode_bucket(&key, &value, head).map(Some),
            None => Ok(None),
        }
    }

    /// Hands out all of them that are left.
    pub fn for_each(mut self, each: &mut dyn FnMut(Entry)) -> Result<(), Error> {
        self.entries.by_ref().for_each(&mut *each);
        while let Some(entries) = self.next_bucket()? {
            entries.into_iter().for_each(&mut *each);
        }
        Ok(())
    }

    /// Moves every entry whose prefix is below `end` to `out`.
    pub fn take_below(&mut self, bits: u32, end: u64, out: &mut Vec<Entry>) -> Result<(), Error> {
        loop {
            let left = self.entries.as_slice();
            let below = left.partition_point(|entry| entry.prefix(bits) < end);
            out.extend(self.entries.by_ref().take(below));
            if !self.entries.as_slice().is_empty() {
                return Ok(());
            }
            let Some(entries) = self.next_bucket()? else { return Ok(()) };
            self.entries = entries.into_iter();
        }
    }
}

/// The buckets of a run in its file, from one of them on.
fn buckets_of<'a>(db: &'a DB, family: &str, run: &Run, from: u64) -> rocksdb::DBIterator<'a> {
    let mut options = ReadOptions::default();
    // Behind the last bucket there are none.
    let first = if from < 1 << run.head.bits { slot_of(from) } else { keys::RUN_FILTER };
    options.set_iterate_range(keys::run(run.id, first)..keys::run(run.id, keys::RUN_FILTER));
    options.fill_cache(false);
    options.set_readahead_size(1 << 20);
    db.iterator_cf_opt(handle(db, family), options, IteratorMode::Start)
}

/// Every entry of these runs and of `waiting`, ascending, each once. Goes through the keys slice by
/// slice: what all runs hold of a slice is few and quickly sorted.
pub fn for_each(
    db: &DB,
    family: &str,
    runs: &[Arc<Run>],
    waiting: &[Entry],
    each: &mut dyn FnMut(Entry) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut readers: Vec<_> = runs.iter().map(|run| RunEntries::nearest(db, family, run)).collect();
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
        entry::sort_slice(&mut slice, bits);
        slice.dedup();
        slice.iter().try_for_each(|entry| each(*entry))?;
    }
    Ok(())
}
