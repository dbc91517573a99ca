//! The one writer, in two threads: one takes what is waiting, decides it and appends it to the log; the other makes
//! what was appended durable, replies and publishes. The order of deciding is the order of the log.

use super::admission::{Gate, Handle, Job};
use super::feed::Feed;
use super::process::{Batch, Process};
use super::{Error, Options, Outcome, Receipt, Times};
use crate::domain::Time;
use crate::domain::fact::Body;
use crate::domain::reference::Reference;
use crate::store::{self, Appended, Appender, FolderKind, Read, Store};
use crate::telemetry;
use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded, select};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, oneshot};

/// Batches that wait for the disk, besides the one that it is busy with. At the limit deciding waits.
const BATCHES_WAITING_MAX: usize = 2;

/// More than can ever be under way: one is being closed, some wait, one is on the disk, and one may
/// be through without the writer having looked.
const BATCHES_UNDER_WAY_MAX: usize = BATCHES_WAITING_MAX + 7;

/// Events that are folded together when a folder is opened.
const REFOLD_BATCH: usize = 400;

/// The writer's thread and the way to stop it.
pub struct Engine {
    handle: Handle,
    /// Ends after the writer, and gives the store back closed.
    committer: JoinHandle<Result<(), store::Error>>,
}

impl Engine {
    /// Starts the writer on a folder.
    ///
    /// # Errors
    /// When the figures or the reference data cannot be read.
    pub fn start(mut store: Store, options: &Options) -> Result<Engine, store::Error> {
        let read = store.read();
        let reference = load_reference(&read)?;
        let cells = read.cells()?.into_iter().collect();
        let feed = Arc::new(Feed::new(read.records_to()?, cells, reference));
        let last = read.event(read.last_seq())?;
        let tick = last.map_or(0, |event| match event.fact.body {
            Body::ClockTicked { now } => now.0.max(event.stamps.recorded_at.0),
            _ => event.stamps.recorded_at.0,
        });
        let gate = Arc::new(Gate {
            facts_waiting: AtomicUsize::new(0),
            bytes_waiting: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
            fault: Mutex::new(None),
            tick: AtomicI64::new(tick),
        });
        let process = refolded(&mut store, &feed, Time(tick))?;
        // Admission counts facts and bytes and refuses first; this is the last stop.
        let without_limit = crate::breaks::on("queue_without_limit");
        let (jobs, queue) =
            bounded(if without_limit { 1_000_000 } else { options.queue_facts_max });
        let (commits, decided) = bounded(BATCHES_WAITING_MAX);
        let (ready, disk) = bounded(BATCHES_UNDER_WAY_MAX);
        let kind = read.folder().kind;
        let appender = store.appender();
        let committer = Committer { store, gate: Arc::clone(&gate), feed: Arc::clone(&feed) };
        let writer = Writer {
            process,
            appender,
            queue,
            commits,
            disk,
            under_way: 0,
            gate: Arc::clone(&gate),
            options: options.clone(),
            kind,
            open: Open::default(),
        };
        let spawn = |name: &str| std::thread::Builder::new().name(name.into());
        let one = "the operating system gives two threads";
        spawn("writer").spawn(move || writer.run()).expect(one);
        let committer =
            spawn("committer").spawn(move || committer.run(&decided, &ready)).expect(one);
        let classes = [options.queries_max, options.dashboards_max, options.planning_max]
            .map(|most| Arc::new(Semaphore::new(most)));
        let handle = Handle { jobs, gate, read, feed, options: options.clone(), classes };
        Ok(Engine { handle, committer })
    }

    /// A handle for everybody.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Stops: what was taken is committed and answered, then the store is closed.
    ///
    /// # Errors
    /// When the store could not be closed in order. Nothing acknowledged is lost by that.
    pub fn stop(self) -> Result<(), store::Error> {
        self.handle.gate.stopping.store(true, Ordering::Release);
        drop(self.handle);
        match self.committer.join() {
            Ok(closed) => closed,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

/// Reference data are a fold of their events, which have a list of their own.
fn load_reference(read: &Read) -> Result<Reference, store::Error> {
    let mut reference = Reference::default();
    for seq in read.reference_events()? {
        let missing = || store::Error::Damaged { what: format!("reference event {seq}") };
        reference.apply(&read.event(seq)?.ok_or_else(missing)?);
    }
    Ok(reference)
}

/// A process that knows everything the log says: what stands in it and not yet in the records is
/// folded first.
fn refolded(store: &mut Store, feed: &Arc<Feed>, tick: Time) -> Result<Process, store::Error> {
    let read = store.read();
    let (mut from, last) = (read.records_to()? + 1, read.last_seq());
    let mut process = Process::new(store.read(), feed, from, tick);
    if from <= last {
        tracing::info!(from, last, "folding the end of the log");
    }
    while from <= last {
        process.refold(read.events(from, REFOLD_BATCH)?)?;
        let Some(batch) = process.close_batch()? else {
            return Err(store::Error::Damaged { what: format!("event {from}") });
        };
        store.refold(&batch.commit);
        feed.take(&batch);
        from = batch.commit.layer.to + 1;
    }
    Ok(process)
}

/// Says on the gate that a thread of the engine is gone, if it ends in a panic: else every caller
/// would be told for ever that the service is stopping, and nobody would know why.
struct Watch(Arc<Gate>);

impl Drop for Watch {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let cause = "the writer ended in a panic; restart the service".to_owned();
            self.0.fail(cause);
        }
    }
}

/// A submission that was decided and waits for the disk.
struct Waiting {
    outcomes: Vec<Outcome>,
    bytes: usize,
    entered: Instant,
    taken: Instant,
    reply: oneshot::Sender<Result<Receipt, Error>>,
}

/// The batch at hand, as far as those who asked are concerned.
#[derive(Default)]
struct Open {
    waiting: Vec<Waiting>,
    facts: usize,
    bytes: usize,
    tubes: usize,
}

/// A batch that stands in the log, on its way to the disk. Without events it only waits for those before it.
struct Closed {
    batch: Option<(Arc<Batch>, Appended)>,
    waiting: Vec<Waiting>,
    closed: Instant,
    tick: i64,
}

/// Decides and appends. While the disk is busy with one batch it goes on with the next, so the longer the disk
/// takes, the more facts share one sync.
struct Writer {
    process: Process,
    appender: Appender,
    queue: Receiver<Job>,
    commits: Sender<Closed>,
    /// Says that a batch is through.
    disk: Receiver<()>,
    /// Batches that are not.
    under_way: usize,
    gate: Arc<Gate>,
    options: Options,
    kind: FolderKind,
    open: Open,
}

impl Writer {
    fn run(mut self) {
        let _watch = Watch(Arc::clone(&self.gate));
        loop {
            while self.disk.try_recv().is_ok() {
                self.under_way -= 1;
            }
            if self.open.waiting.is_empty() {
                match self.queue.recv_timeout(Duration::from_millis(50)) {
                    Ok(job) => self.take(job),
                    Err(RecvTimeoutError::Disconnected) => return,
                    Err(RecvTimeoutError::Timeout) => {
                        if self.gate.stopping.load(Ordering::Acquire) {
                            return;
                        }
                    }
                }
            } else if self.is_full() {
                // It waits its turn; deciding goes on with the next one.
                self.close();
            } else if let Ok(job) = self.queue.try_recv() {
                self.take(job);
            } else if self.under_way == 0 {
                self.close();
            } else {
                // The disk is busy: whoever comes until it is free shares the next write.
                select! {
                    recv(self.queue) -> job => match job {
                        Ok(job) => self.take(job),
                        Err(_) => self.close(),
                    },
                    recv(self.disk) -> _ => self.under_way -= 1,
                }
            }
        }
    }

    fn is_full(&self) -> bool {
        let (open, options) = (&self.open, &self.options);
        open.facts >= options.batch_facts_max
            || open.bytes >= options.batch_bytes_max
            || open.tubes >= options.batch_tubes_max
    }

    /// The machine's clock; `None` in a drill, whose time is that of its ticks.
    fn wall_clock(&self) -> Option<Time> {
        (self.kind == FolderKind::Live).then(|| self.gate.now(self.kind))
    }

    /// Decides a submission into the batch at hand.
    fn take(&mut self, job: Job) {
        let Job { submissions, bytes, tubes, entered, reply } = job;
        let (facts, taken) = (submissions.len(), Instant::now());
        let outcomes = match self.gate.fault() {
            Some(cause) => Err(cause),
            None => self.process.take(submissions, self.wall_clock()).map_err(|e| e.chain()),
        };
        match outcomes {
            Ok(outcomes) => {
                self.open.waiting.push(Waiting { outcomes, bytes, entered, taken, reply });
                self.open.facts += facts;
                self.open.bytes += bytes;
                self.open.tubes += tubes;
            }
            Err(cause) => {
                self.gate.fail(cause.clone());
                self.gate.leave(facts, bytes);
                refuse(reply, facts, &cause);
            }
        }
    }

    /// Appends the batch at hand and sends it to be synced; waits when two wait for that already.
    fn close(&mut self) {
        let waiting = std::mem::take(&mut self.open).waiting;
        let batch = match self.gate.fault() {
            Some(cause) => Err(cause),
            None => self.process.close_batch().map_err(|error| error.chain()),
        };
        let closed = Instant::now();
        let appended = batch.and_then(|batch| self.append(batch).map_err(|error| error.chain()));
        let batch = appended.unwrap_or_else(|cause| {
            self.gate.fail(cause);
            None
        });
        let tick = self.process.tick.0;
        // It is taken: the committer ends after the writer. If it ended in a panic, that is told.
        let closed = Closed { batch, waiting, closed, tick };
        self.under_way += usize::from(self.commits.send(closed).is_ok());
    }

    fn append(
        &mut self,
        batch: Option<Arc<Batch>>,
    ) -> Result<Option<(Arc<Batch>, Appended)>, store::Error> {
        let Some(batch) = batch else { return Ok(None) };
        let appended = self.appender.append(&batch.commit)?;
        Ok(appended.map(|appended| (batch, appended)))
    }
}

/// Makes batches durable in their order, answers, and publishes.
struct Committer {
    store: Store,
    gate: Arc<Gate>,
    feed: Arc<Feed>,
}

impl Committer {
    fn run(mut self, decided: &Receiver<Closed>, ready: &Sender<()>) -> Result<(), store::Error> {
        let _watch = Watch(Arc::clone(&self.gate));
        for closed in decided {
            self.commit(closed);
            // The writer may have ended: then this was the last.
            let _ = ready.send(());
        }
        if self.gate.fault().is_some() {
            // A store that failed is not written again, not even to close it.
            return Ok(());
        }
        self.store.close()
    }

    fn commit(&mut self, Closed { batch, waiting, closed, tick }: Closed) {
        let result = match (self.gate.fault(), &batch) {
            (Some(cause), _) => Err(cause),
            (None, Some((batch, appended))) => {
                self.store.make_durable(&batch.commit, appended).map_err(|error| error.chain())
            }
            (None, None) => Ok(()),
        };
        let facts = waiting.iter().map(|one| one.outcomes.len()).sum();
        self.gate.leave(facts, waiting.iter().map(|one| one.bytes).sum());
        match result {
            Ok(()) => {
                let disk = closed.elapsed();
                let before = self.gate.tick.load(Ordering::Acquire);
                if tick > before {
                    self.feed.clock_moves(Time(before));
                }
                self.gate.tick.store(tick, Ordering::Release);
                batch.iter().for_each(|(batch, _)| self.feed.take(batch));
                let taken = waiting.first().map_or(closed, |one| one.taken);
                telemetry::note_batch(facts, closed.saturating_duration_since(taken), disk);
                for Waiting { outcomes, entered, taken, reply, .. } in waiting {
                    let times = Times {
                        waiting_us: micros(taken.saturating_duration_since(entered)),
                        deciding_us: micros(closed.saturating_duration_since(taken)),
                        disk_us: micros(disk),
                    };
                    // Whoever asked may have gone; the facts are recorded all the same.
                    let _ = reply.send(Ok(Receipt { outcomes, times }));
                }
            }
            Err(cause) => {
                tracing::error!(%cause, "storage fault, intake is stopped until a restart");
                self.gate.fail(cause.clone());
                for Waiting { outcomes, reply, .. } in waiting {
                    refuse(reply, outcomes.len(), &cause);
                }
            }
        }
    }
}

/// Tells somebody that the disk has failed.
fn refuse(reply: oneshot::Sender<Result<Receipt, Error>>, facts: usize, cause: &str) {
    let told = if crate::breaks::on("acknowledged_after_a_fault") {
        let outcomes = vec![Outcome::Recorded { seq: 0, found: Default::default() }; facts];
        Ok(Receipt { outcomes, times: Times::default() })
    } else {
        Err(Error::StorageFault { cause: cause.to_owned() })
    };
    let _ = reply.send(told);
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
