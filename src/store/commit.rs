//! Committing: the one place that knows what "durable" means.

use super::error::Error;
use super::folder::Acknowledged;
use super::index::{self, FACTS, PEOPLE};
use super::keys::{self, Kind};
use super::log::{self, Head};
use super::open::Options;
use super::read::{Read, Shared};
use super::records::{encode_event, encode_record};
use super::{codec, seal};
use crate::domain::Code;
use crate::domain::counters::{CellKey, Figures};
use crate::domain::discrepancy::Discrepancies;
use crate::domain::fact::{Body, Event};
use crate::domain::source::SourceState;
use crate::domain::world::{RecordKind, World};
use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded};
use rocksdb::{WriteBatch, WriteOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// After so many failures in a row to write an index file, intake is stopped with the cause.
const INDEX_FAILURES_MAX: u32 = 10;

/// Everything that one batch of events changed.
pub struct Commit<'a> {
    /// The events, with sequences following the log's last without a hole.
    pub events: &'a [Event],
    /// The records; those that changed are written.
    pub world: &'a World,
    /// The cells that changed, as they are now.
    pub cells: Vec<(&'a CellKey, &'a Figures)>,
    /// The sources that changed, as they are now.
    pub sources: Vec<(&'a Code, u64, &'a SourceState)>,
    /// Records whose discrepancies changed: before, after.
    pub odd: &'a [(RecordKind, Code, Discrepancies, Discrepancies)],
}

/// A folder open for writing. There is one, and the engine's writer owns it.
pub struct Store {
    shared: Arc<Shared>,
    acknowledged: Acknowledged,
    pending_max: usize,
    /// Wakes the indexer; both threads end when this is dropped.
    until: Option<(Sender<()>, Sender<()>)>,
    threads: Vec<JoinHandle<()>>,
}

impl Store {
    pub(super) fn start(
        dir: &Path,
        shared: Shared,
        acknowledged: Acknowledged,
        options: &Options,
    ) -> Result<Store, Error> {
        let shared = Arc::new(shared);
        let (wake, woken) = bounded(1);
        let (stop, stopped) = bounded::<()>(0);
        let note = acknowledged.handle().map_err(Error::file(dir.join("acknowledged")))?;
        // Well below the limit at which the writer waits: else both would wait for each other.
        let run_entries = options.index_run_entries.min(options.index_pending_max / 2).max(1);
        let indexed = Arc::clone(&shared);
        let spawn = |name: &str, work: Box<dyn FnOnce() + Send>| {
            std::thread::Builder::new()
                .name(name.into())
                .spawn(work)
                .map_err(Error::file(PathBuf::from("a new thread")))
        };
        let synced = Arc::clone(&shared);
        let threads = vec![
            spawn("indexer", Box::new(move || keep_index(&indexed, &woken, run_entries)))?,
            spawn("ack-sync", Box::new(move || keep_synced(&synced, &note, &stopped)))?,
        ];
        let pending_max = options.index_pending_max;
        let until = Some((wake, stop));
        Ok(Store { shared, acknowledged, pending_max, until, threads })
    }

    /// A handle for reading.
    pub fn read(&self) -> Read {
        Read::new(Arc::clone(&self.shared))
    }

    /// Makes a batch durable: one write batch, one fsync. When this returns `Ok`, and only then,
    /// the events may be acknowledged.
    ///
    /// # Errors
    /// After an error nothing is known of the batch, and the store must not be written again.
    pub fn commit(&mut self, commit: &Commit<'_>) -> Result<(), Error> {
        if let Some(cause) = self.shared.failed.get() {
            return Err(Error::Failed(cause.clone()));
        }
        let written = self.write(commit);
        if let Err(error) = &written {
            self.shared.fail(error);
        }
        written
    }

    fn write(&mut self, commit: &Commit<'_>) -> Result<(), Error> {
        let Some(first) = commit.events.first() else { return Ok(()) };
        let (last_seq, last_hash) = self.shared.last();
        assert_eq!(first.seq, last_seq + 1, "the log has no holes");
        let mut batch = WriteBatch::default();
        let leaves = self.put_log(&mut batch, commit.events);
        let head = Head::new(last_hash, first.seq, &leaves);
        batch.put_cf(self.shared.log(), keys::seq(Kind::Batch, first.seq), head.encode());
        self.put_records(&mut batch, commit);
        let mut options = WriteOptions::default();
        options.set_sync(!crate::breaks::on("ack_before_fsync"));
        self.shared.state.write_opt(batch, &options)?;

        let seq = last_seq + commit.events.len() as u64;
        let people = commit.events.iter().flat_map(index::people_entries).collect();
        let facts = commit.events.iter().map(|e| (index::fact_key(&e.fact.id), e.seq)).collect();
        self.shared.people.add(people, seq);
        self.shared.facts.add(facts, seq);
        // Last: whoever looks at this sequence must find its people.
        self.shared.set_last(seq, head.hash);
        self.acknowledged
            .note(seq, &head.hash)
            .map_err(Error::file(self.shared.dir.join("acknowledged")))?;
        if let Some((wake, _)) = &self.until {
            // A full channel means that the indexer is about to look anyway.
            let _ = wake.try_send(());
        }
        for pending in [&self.shared.people, &self.shared.facts] {
            // What has been committed stays so; the next commit tells the fault, if there is one.
            while !pending.wait_below(self.pending_max) && self.shared.failed.get().is_none() {}
        }
        Ok(())
    }

    fn put_log(&self, batch: &mut WriteBatch, events: &[Event]) -> Vec<log::Hash> {
        let log = self.shared.log();
        let mut leaves = Vec::with_capacity(events.len());
        for event in events {
            let bytes = encode_event(event);
            leaves.push(log::leaf(&bytes));
            batch.put_cf(log, keys::seq(Kind::Event, event.seq), bytes);
            if event.fact.body.is_reference() {
                batch.put_cf(self.shared.records(), keys::seq(Kind::ReferenceEvent, event.seq), []);
            }
            if matches!(event.fact.body, Body::RosterImported { .. }) {
                batch.put_cf(self.shared.records(), keys::seq(Kind::RosterEvent, event.seq), []);
            }
        }
        leaves
    }

    fn put_records(&self, batch: &mut WriteBatch, commit: &Commit<'_>) {
        let records = self.shared.records();
        for (code, tube) in commit.world.changed_tubes() {
            batch.put_cf(records, keys::code(Kind::Tube, code), encode_record(tube));
        }
        for (code, container) in commit.world.changed_boxes() {
            batch.put_cf(records, keys::code(Kind::Container, code), encode_record(container));
        }
        for (code, plate) in commit.world.changed_plates() {
            batch.put_cf(records, keys::code(Kind::Plate, code), encode_record(plate));
        }
        for (person, record) in commit.world.changed_people() {
            if record.parts.is_empty() {
                batch.delete_cf(records, keys::person(*person));
            } else {
                batch.put_cf(records, keys::person(*person), encode_record(record));
            }
        }
        for (cell, figures) in &commit.cells {
            if figures.is_zero() {
                batch.delete_cf(records, keys::cell(cell));
            } else {
                batch.put_cf(records, keys::cell(cell), encode_record(*figures));
            }
        }
        for (source, epoch, state) in &commit.sources {
            batch.put_cf(records, keys::source(source, *epoch), encode_record(*state));
        }
        for (kind, code, before, after) in commit.odd {
            for gone in before.without(*after).iter() {
                batch.delete_cf(records, keys::odd(gone, *kind, code));
            }
            for new in after.without(*before).iter() {
                batch.put_cf(records, keys::odd(new, *kind, code), []);
            }
        }
    }

    fn end_threads(&mut self) {
        drop(self.until.take());
        for thread in self.threads.drain(..) {
            // A thread that panicked has already said why; the log does not depend on it.
            let _ = thread.join();
        }
    }

    /// Closes the folder: index files written, everything synced, and the seal over all files put
    /// beside them, by which `verify` finds any byte that changes while the folder lies still.
    ///
    /// # Errors
    /// When something could not be written. The log is whole all the same.
    pub fn close(mut self) -> Result<(), Error> {
        self.end_threads();
        let note = self.acknowledged.handle().and_then(|file| file.sync_all());
        note.map_err(Error::file(self.shared.dir.join("acknowledged")))?;
        let dir = self.shared.dir.clone();
        for family in [self.shared.log(), self.shared.records()] {
            self.shared.state.flush_cf(family)?;
        }
        self.shared.state.cancel_all_background_work(true);
        self.shared.index.cancel_all_background_work(true);
        // While a reader lives the databases are open and may still change a file; and what is not
        // complete is no order to put a seal on.
        let (last, _) = self.shared.last();
        let complete = [&self.shared.people, &self.shared.facts].map(|p| p.complete_to() == last);
        let in_order = Arc::strong_count(&self.shared) == 1 && complete == [true, true];
        drop(self);
        if in_order { seal::write(&dir) } else { Ok(()) }
    }
}

/// A store that is not closed in order gives the folder free all the same, without a seal.
impl Drop for Store {
    fn drop(&mut self) {
        self.end_threads();
    }
}

/// Writes index files whenever enough entries wait, and the rest when the store closes.
fn keep_index(shared: &Shared, wake: &Receiver<()>, run_entries: usize) {
    let mut failures = [0; 2];
    loop {
        let woken = wake.recv_timeout(Duration::from_secs(1));
        let going_on = woken != Err(RecvTimeoutError::Disconnected);
        let indexes = [(PEOPLE, &shared.people), (FACTS, &shared.facts)];
        for ((family, pending), failures) in indexes.into_iter().zip(&mut failures) {
            if shared.failed.get().is_some() || (going_on && pending.count() < run_entries) {
                continue;
            }
            let Err(error) = keep_one(shared, family, pending) else {
                *failures = 0;
                continue;
            };
            // Nothing is lost: the entries stay in memory and in the log. But if it goes on like
            // this, intake would stand still without a word.
            tracing::error!(error = %error.chain(), family, "cannot write an index file");
            *failures += 1;
            if *failures >= INDEX_FAILURES_MAX {
                shared.fail(&error);
            }
            std::thread::sleep(Duration::from_secs(1));
        }
        if !going_on {
            return;
        }
    }
}

fn keep_one(shared: &Shared, family: &str, pending: &index::Pending) -> Result<(), Error> {
    if let Some(to) = index::flush(&shared.index, family, pending, &shared.dir)? {
        let key = keys::code(Kind::IndexMark, family);
        // Not synced: a mark that is lost only means that the same entries are read again.
        shared.state.put_cf(shared.records(), key, codec::encode(&to))?;
    }
    Ok(())
}

/// Syncs the file of what has been acknowledged every 100 ms.
fn keep_synced(shared: &Shared, file: &std::fs::File, stopped: &Receiver<()>) {
    while stopped.recv_timeout(Duration::from_millis(100)) == Err(RecvTimeoutError::Timeout) {
        if let Err(source) = file.sync_data() {
            tracing::error!(error = %source, "cannot sync the acknowledged mark");
            shared.fail(&Error::File { path: shared.dir.join("acknowledged"), source });
            return;
        }
    }
}

impl Shared {
    /// Notes the first fault; nothing is written after it.
    fn fail(&self, error: &Error) {
        let _ = self.failed.set(error.chain());
    }
}
