//! Appending: a batch is written to the log, and is not durable yet.

use super::error::Error;
use super::keys::{self, Kind};
use super::layer::Commit;
use super::log::{Form, Hash, Head};
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
        let head = Head::new(Form::NOW, hash, first.seq, &leaves);
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
            encode_event_into(event, &mut bytes);
            leaves.push(Form::NOW.leaf(&bytes));
            batch.put_cf(log, keys::seq_key(Kind::Event, event.seq), &bytes);
        }
        leaves
    }
}

#[cfg(test)]
mod tests {
    use super::super::folder::{Acknowledged, FORMAT};
    use super::super::open::{self, HEADS, LOG};
    use super::super::{FolderKind, Layer, LogProof, Options, Store, verify};
    use super::*;
    use crate::domain::Time;
    use crate::domain::fact::{Body, Fact, FactId, Stamps};
    use crate::domain::source::SourceState;
    use crate::domain::world::World;
    use std::iter::{empty, once};
    use std::path::Path;

    fn tick(seq: u64) -> Commit {
        let id = FactId { source: "office".into(), epoch: 1, number: seq };
        let body = Body::ClockTicked { now: Time(1) };
        let fact = Fact { id, captured_at: Time(1), round: Default::default(), body };
        let stamps = Stamps::default();
        let events = vec![Event { seq, fact, stamps, found: Default::default() }];
        let mut arrived = SourceState::default();
        let news = (1..=seq).all(|number| arrived.note(number));
        assert!(news, "each number is new");
        let sources = once((("office".into(), 1), arrived));
        let layer = Layer::new(&events, &World::default(), empty(), sources, &[]);
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

    /// Makes the heads of a stopped folder what they were in format 4.
    fn hash_as_in_format_4(dir: &Path) {
        let cache = open::block_cache(&Options::default());
        let state = open::open_state(dir, &Options::default(), &cache, true).unwrap();
        let [log, heads] = [LOG, HEADS].map(|name| state.cf_handle(name).unwrap());
        let (mut previous, mut seq) = ([0; 32], 1_u64);
        while let Some(event) = state.get_cf(log, keys::seq(Kind::Event, seq)).unwrap() {
            // A batch for each event, as they were made.
            let head = Head::new(Form::Blake3, previous, seq, &[Form::Blake3.leaf(&event)]);
            state.put_cf(heads, keys::seq(Kind::Batch, seq), head.encode()).unwrap();
            Acknowledged::open(dir).unwrap().0.note(seq, &head.hash).unwrap();
            (previous, seq) = (head.hash, seq + 1);
        }
        let description = dir.join("folder.toml");
        let text = std::fs::read_to_string(&description).unwrap();
        std::fs::write(description, text.replace("format = 5", "format = 4")).unwrap();
    }

    #[test]
    fn a_log_that_began_in_format_4_goes_on_and_all_of_it_can_be_proven() {
        let dir = tempfile::tempdir().unwrap();
        let kind = Some(FolderKind::Drill);
        let mut store = Store::open(dir.path(), kind, &Options::default()).unwrap();
        store.commit(&tick(1)).unwrap();
        store.commit(&tick(2)).unwrap();
        store.close().unwrap();
        hash_as_in_format_4(dir.path());
        let mut store = Store::open(dir.path(), kind, &Options::default()).unwrap();
        store.commit(&tick(3)).unwrap();
        let read = store.read();
        assert_eq!(read.folder().format, FORMAT);
        let proofs = [1, 2, 3].map(|seq| read.proof(seq).unwrap().unwrap());
        assert!(proofs.iter().all(LogProof::holds));
        assert_eq!(proofs[2].previous, proofs[1].hash);
        assert_eq!(proofs[1].leaf, Form::Blake3.leaf(&proofs[1].event_bytes));
        assert_eq!(proofs[2].leaf, Form::Sha256.leaf(&proofs[2].event_bytes));
        drop(read);
        drop(store);
        let report = verify(dir.path()).unwrap();
        assert_eq!((report.batches, report.findings), (3, vec![]));
    }
}
