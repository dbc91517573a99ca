//! Committing: the one place that knows what "durable" means.

use super::append::{Appended, Appender};
use super::beside::let_others_go_first;
use super::codec::encode_into;
use super::entry::{self, Entry};
use super::error::Error;
use super::folder::Acknowledged;
use super::keeper;
use super::layer::Commit;
use super::open::Options;
use super::read::{Read, Shared};
use super::seal;
use crate::domain::Code;
use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded};
use rocksdb::FlushOptions;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

/// A folder open for writing. There is one, and the engine's writer owns it.
pub struct Store {
    shared: Arc<Shared>,
    acknowledged: Acknowledged,
    pending_max: usize,
    records_pending_max: usize,
    sizes: keeper::Sizes,
    /// Wakes the keeper and the tidier; they and the other threads end when these are dropped.
    until: Option<[Sender<()>; 5]>,
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
        let (wake_tidier, tidying) = bounded(1);
        let (stop_merging, merging) = bounded::<()>(0);
        let (stop_syncing, syncing) = bounded::<()>(0);
        let (stop_warming, warming) = bounded::<()>(0);
        let note = acknowledged.handle().map_err(Error::file(dir.join("acknowledged")))?;
        let sizes = keeper::Sizes::new(options);
        let spawn = |name: &'static str, work: Box<dyn FnOnce() + Send>| {
            let watched = Arc::clone(&shared);
            std::thread::Builder::new()
                .name(name.into())
                .spawn(move || {
                    let _fallen = Fallen { shared: &watched, name };
                    let_others_go_first();
                    work();
                })
                .map_err(Error::file(PathBuf::from("a new thread")))
        };
        let [kept, tidied, merged, synced, warmed] = [(); 5].map(|()| Arc::clone(&shared));
        let threads = vec![
            spawn("keeper", Box::new(move || keeper::keep(&kept, &woken, sizes)))?,
            spawn("tidier", Box::new(move || keeper::tidy(&tidied, &tidying)))?,
            spawn("merger", Box::new(move || keeper::merge(&merged, &merging)))?,
            spawn("warmer", Box::new(move || keeper::warm(&warmed, &warming)))?,
            spawn("ack-sync", Box::new(move || keep_synced(&synced, &note, &syncing)))?,
        ];
        Ok(Store {
            shared,
            acknowledged,
            pending_max: options.index_pending_max,
            records_pending_max: options.records_pending_max,
            sizes,
            until: Some([wake, wake_tidier, stop_merging, stop_syncing, stop_warming]),
            threads,
        })
    }

    /// A handle for reading.
    pub fn read(&self) -> Read {
        Read::new(Arc::clone(&self.shared))
    }

    /// The log's end, for the one who appends. There may be one at a time: it alone knows where the log ends.
    pub fn appender(&self) -> Appender {
        Appender::new(Arc::clone(&self.shared))
    }

    /// Makes a batch durable that was appended: one fsync. When this returns `Ok`, and only then, its
    /// events may be acknowledged; every reader sees them and what follows from them.
    ///
    /// # Errors
    /// After an error nothing is known of the batch, and the store must not be written again.
    pub fn make_durable(&mut self, commit: &Commit, appended: &Appended) -> Result<(), Error> {
        self.shared.is_sound()?;
        let done = self.sync(commit, appended);
        if let Err(error) = &done {
            self.shared.fail(error);
        }
        done
    }

    /// Appends a batch and makes it durable, where nothing is to be decided meanwhile.
    ///
    /// # Errors
    /// As [`Store::make_durable`].
    pub fn commit(&mut self, commit: &Commit) -> Result<(), Error> {
        let appended = self.appender().append(commit)?;
        appended.map_or(Ok(()), |appended| self.make_durable(commit, &appended))
    }

    fn sync(&mut self, commit: &Commit, appended: &Appended) -> Result<(), Error> {
        let &Appended { seq, hash } = appended;
        if !crate::breaks::on("ack_before_fsync") {
            self.shared.state.flush_wal(true)?;
        }
        let untidy = self.fold(commit, seq);
        // Last: whoever looks at this sequence must find its people.
        self.shared.set_last(seq, hash);
        self.shared.folded_to.store(seq, Ordering::Release);
        self.acknowledged
            .note(seq, &hash)
            .map_err(Error::file(self.shared.dir.join("acknowledged")))?;
        self.keep_below_limits(untidy);
        Ok(())
    }

    /// Makes what follows from a durable batch, up to `to`, visible to every reader, beside the log. True when
    /// what waits for a run lies in many chunks.
    fn fold(&self, commit: &Commit, to: u64) -> bool {
        let shared = &self.shared;
        let count = commit.events.len();
        let (mut people, mut facts) = (Vec::with_capacity(count * 10), Vec::with_capacity(count));
        let mut tubes = Vec::with_capacity(count);
        // The facts of a message come from one source.
        let mut source: Option<(&Code, u64, u64)> = None;
        for event in &commit.events {
            people.extend(entry::people_entries(event));
            tubes.extend(entry::tube_entry(event));
            let id = &event.fact.id;
            let known = source.filter(|(code, epoch, _)| **code == id.source && *epoch == id.epoch);
            let (.., word) = *source.insert(known.unwrap_or_else(|| {
                (&id.source, id.epoch, entry::source_word(&id.source, id.epoch))
            }));
            facts.push(entry::fact_entry(word, id.number, event.seq));
        }
        // Before the index: who finds a tube there must not find it unknown here.
        shared.codes.add(tubes.iter().map(Entry::words).map(|(word, _)| word));
        let mut stored = Vec::with_capacity(256);
        for (code, tube) in commit.layer.only_collected() {
            encode_into(tube, &mut stored);
            shared.recent.put(code, tube, &stored);
        }
        let mut untidy = false;
        for (index, entries) in shared.indexes().into_iter().zip([people, facts, tubes]) {
            untidy |= index.pending.add(&entries, to);
        }
        shared.layers.put(&commit.layer);
        untidy
    }

    /// Takes over what follows from events that have stood in the log since before this start.
    pub fn refold(&mut self, commit: &Commit) {
        self.shared.layers.put(&commit.layer);
        self.shared.folded_to.store(commit.layer.to, Ordering::Release);
        self.keep_below_limits(false);
    }

    /// Intake slows here rather than memory growing.
    fn keep_below_limits(&self, untidy: bool) {
        // Not for every commit: whoever is woken takes the processor from those who wait for an acknowledgement. A full
        // channel means that they are about to look anyway.
        if let Some([keeper, tidier, ..]) = &self.until {
            if self.sizes.are_reached(&self.shared) {
                let _ = keeper.try_send(());
            }
            if untidy {
                let _ = tidier.try_send(());
            }
        }
        // What has been committed stays so; the next commit tells the fault, if there is one.
        let goes_on = || self.shared.failed.get().is_none();
        for index in self.shared.indexes() {
            while !index.pending.wait_below(self.pending_max) && goes_on() {}
        }
        while self.shared.layers.count() >= self.records_pending_max && goes_on() {
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Merges everything that can be merged, and comes back when it is done. For measuring: a
    /// folder that is left alone merges by itself.
    pub fn settle(&self) {
        self.shared.settling.store(true, Ordering::Release);
        while self.shared.settling.load(Ordering::Acquire) && self.shared.failed.get().is_none() {
            std::thread::sleep(Duration::from_millis(20));
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
        self.shared
            .state
            .flush_cfs_opt(&[self.shared.log(), self.shared.heads()], &FlushOptions::default())?;
        self.shared.state.cancel_all_background_work(true);
        self.shared.fold.cancel_all_background_work(true);
        // While a reader lives the databases are open and may still change a file; and what is not
        // complete is no order to put a seal on.
        let (last, _) = self.shared.last();
        let complete = self.shared.indexes().map(|index| index.pending.complete_to() == last);
        let records = self.shared.records_to()? == last;
        let in_order = Arc::strong_count(&self.shared) == 1 && complete == [true; 3] && records;
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

/// Stops intake with the cause when a thread falls: without it intake would slow down at a limit for ever.
struct Fallen<'a> {
    shared: &'a Shared,
    name: &'static str,
}

impl Drop for Fallen<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.shared.fail(&Error::Failed(format!("the thread {} has fallen", self.name)));
        }
    }
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
    /// Nothing may be written after a fault.
    pub(super) fn is_sound(&self) -> Result<(), Error> {
        self.failed.get().map_or(Ok(()), |cause| Err(Error::Failed(cause.clone())))
    }

    /// Notes the first fault; nothing is written after it.
    pub(super) fn fail(&self, error: &Error) {
        let _ = self.failed.set(error.chain());
    }
}
