//! Appending: a batch is written to the log, and is not durable yet.

use super::error::Error;
use super::keys::{self, Kind};
use super::layer::Commit;
use super::log::{self, Hash, Head};
use super::read::Shared;
use super::records::encode_event_into;
use crate::domain::fact::Event;
use rocksdb::WriteBatch;
use std::sync::Arc;

/// Bytes of an event with its key, about: what a tube of ten people takes.
const EVENT_BYTES: usize = 360;

/// The log's end, for writing. Whoever decides has it, and appends what has been decided while the disk syncs what came
/// before: the events are in that processor's caches, and no commit waits for the disk of another.
pub struct Appender {
    shared: Arc<Shared>,
    /// Sequence and hash of the last batch that was appended.
    end: (u64, Hash),
}

/// A batch that stands in the log, perhaps not on the disk. No reader sees it: it ends beyond what they take for the log's end.
pub struct Appended {
    pub(super) seq: u64,
    pub(super) hash: Hash,
}

impl Appender {
    pub(super) fn new(shared: Arc<Shared>) -> Appender {
        let end = shared.last();
        Appender { shared, end }
    }

    /// Appends a batch: one write batch of the log. `None` when there is no event in it.
    ///
    /// # Errors
    /// After an error nothing is known of the batch, and the store must not be written again.
    ///
    /// # Panics
    /// When the first event does not follow the last that was appended: the log has no holes.
    pub fn append(&mut self, commit: &Commit) -> Result<Option<Appended>, Error> {
        self.shared.is_sound()?;
        let Some(first) = commit.events.first() else { return Ok(None) };
        let (seq, hash) = self.end;
        assert_eq!(first.seq, seq + 1, "the log has no holes");
        let mut batch = WriteBatch::with_capacity_bytes(commit.events.len() * EVENT_BYTES);
        let leaves = self.put_events(&mut batch, &commit.events);
        let head = Head::new(hash, first.seq, &leaves);
        batch.put_cf(self.shared.heads(), keys::seq(Kind::Batch, first.seq), head.encode());
        // Without waiting for the disk: `Store::make_durable` does.
        self.shared.state.write(batch).map_err(|source| {
            let error = Error::from(source);
            self.shared.fail(&error);
            error
        })?;
        self.end = (seq + commit.events.len() as u64, head.hash);
        Ok(Some(Appended { seq: self.end.0, hash: head.hash }))
    }

    fn put_events(&self, batch: &mut WriteBatch, events: &[Event]) -> Vec<Hash> {
        let log = self.shared.log();
        let mut leaves = Vec::with_capacity(events.len());
        let mut bytes = Vec::with_capacity(512);
        for event in events {
            bytes.clear();
            bytes.push(log::LEAF);
            encode_event_into(event, &mut bytes);
            leaves.push(log::leaf_of_marked(&bytes));
            batch.put_cf(log, keys::seq_key(Kind::Event, event.seq), &bytes[1..]);
        }
        leaves
    }
}

#[cfg(test)]
mod tests {
    use super::super::{FolderKind, Layer, Options, Store};
    use super::*;
    use crate::domain::Time;
    use crate::domain::fact::{Body, Fact, FactId, Stamps};
    use crate::domain::world::World;
    use std::iter::empty;

    fn tick(seq: u64) -> Commit {
        let id = FactId { source: "office".into(), epoch: 1, number: seq };
        let body = Body::ClockTicked { now: Time(1) };
        let fact = Fact { id, captured_at: Time(1), round: Default::default(), body };
        let stamps = Stamps::default();
        let events = vec![Event { seq, fact, stamps, found: Default::default() }];
        let layer = Layer::new(&events, &World::default(), empty(), empty(), &[]);
        Commit { events, layer }
    }

    #[test]
    fn what_was_appended_is_seen_by_nobody_until_it_is_durable_and_batches_may_follow_meanwhile() {
        let dir = tempfile::tempdir().unwrap();
        let kind = Some(FolderKind::Drill);
        let mut store = Store::open(dir.path(), kind, &Options::default()).unwrap();
        let (read, mut appender) = (store.read(), store.appender());
        let batches = [tick(1), tick(2)];
        let appended = [0, 1].map(|at| appender.append(&batches[at]).unwrap().unwrap());
        let seen = || [1, 2].map(|seq| read.event(seq).unwrap().is_some());
        assert_eq!((read.last_seq(), seen()), (0, [false, false]));
        store.make_durable(&batches[0], &appended[0]).unwrap();
        assert_eq!((read.last_seq(), seen()), (1, [true, false]));
        store.make_durable(&batches[1], &appended[1]).unwrap();
        assert_eq!((read.last_seq(), seen()), (2, [true, true]));
    }
}
