//! The one writer: takes what is waiting, decides, commits, replies, publishes.

use super::admission::{Gate, Handle, Job};
use super::feed::Feed;
use super::process::Process;
use super::{Error, Options, Outcome, Receipt, Times};
use crate::domain::Time;
use crate::domain::fact::Body;
use crate::domain::reference::Reference;
use crate::store::{self, FolderKind, Read, Store};
use crate::telemetry;
use crossbeam::channel::{Receiver, RecvTimeoutError, bounded};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// The writer's thread and the way to stop it.
pub struct Engine {
    handle: Handle,
    writer: JoinHandle<Result<(), store::Error>>,
}

impl Engine {
    /// Starts the writer on a folder.
    ///
    /// # Errors
    /// When the figures or the reference data cannot be read.
    pub fn start(store: Store, options: &Options) -> Result<Engine, store::Error> {
        let read = store.read();
        let reference = load_reference(&read)?;
        let cells = read.cells()?.into_iter().collect();
        let feed = Arc::new(Feed::new(read.last_seq(), cells, reference));
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
        // Admission counts facts and bytes and refuses first; this is the last stop.
        let without_limit = crate::breaks::on("queue_without_limit");
        let (jobs, queue) =
            bounded(if without_limit { 1_000_000 } else { options.queue_facts_max });
        let cached = options.tubes_cached_max;
        let process = Process::new(store, Arc::clone(&feed), cached, Time(tick));
        let kind = read.folder().kind;
        let writer =
            Writer { process, queue, gate: Arc::clone(&gate), options: options.clone(), kind };
        let thread = std::thread::Builder::new().name("writer".into());
        let writer =
            thread.spawn(move || writer.run()).expect("the operating system gives one thread");
        let classes = [options.queries_max, options.dashboards_max, options.planning_max]
            .map(|most| Arc::new(Semaphore::new(most)));
        let handle = Handle { jobs, gate, read, feed, options: options.clone(), classes };
        Ok(Engine { handle, writer })
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
        match self.writer.join() {
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

/// Says on the gate that the writer is gone, if it ends in a panic: else every caller would be
/// told for ever that the service is stopping, and nobody would know why.
struct Watch(Arc<Gate>);

impl Drop for Watch {
    fn drop(&mut self) {
        if std::thread::panicking() {
            metrics::gauge!(telemetry::STORAGE_FAULT).set(1.0);
            let cause = "the writer ended in a panic; restart the service".to_owned();
            *self.0.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(cause);
        }
    }
}

struct Writer {
    process: Process,
    queue: Receiver<Job>,
    gate: Arc<Gate>,
    options: Options,
    kind: FolderKind,
}

impl Writer {
    fn run(mut self) -> Result<(), store::Error> {
        let _watch = Watch(Arc::clone(&self.gate));
        loop {
            match self.queue.recv_timeout(Duration::from_millis(50)) {
                Ok(job) => self.round(job),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    if self.gate.stopping.load(Ordering::Acquire) {
                        break;
                    }
                }
            }
        }
        if self.gate.fault().is_some() {
            // A store that failed is not written again, not even to close it.
            return Ok(());
        }
        let Writer { process, .. } = self;
        process.close()
    }

    /// Takes one job, and with it what is waiting already, within the limits of a batch.
    fn round(&mut self, first: Job) {
        let (mut facts, mut bytes) = (first.submissions.len(), first.bytes);
        let mut tubes = first.tubes;
        let mut jobs = vec![first];
        while facts < self.options.batch_facts_max
            && bytes < self.options.batch_bytes_max
            && tubes < self.options.batch_tubes_max
        {
            let Ok(job) = self.queue.try_recv() else { break };
            facts += job.submissions.len();
            bytes += job.bytes;
            tubes += job.tubes;
            jobs.push(job);
        }
        self.commit(jobs, facts, bytes);
    }

    /// The machine's clock; `None` in a drill, whose time is that of its ticks.
    fn wall_clock(&self) -> Option<Time> {
        (self.kind == FolderKind::Live).then(|| self.gate.now(self.kind))
    }

    fn commit(&mut self, jobs: Vec<Job>, facts: usize, bytes: usize) {
        let begun = Instant::now();
        let mut all = Vec::with_capacity(facts);
        let mut replies = Vec::with_capacity(jobs.len());
        for job in jobs {
            replies.push((job.submissions.len(), job.entered, job.reply));
            all.extend(job.submissions);
        }
        let result = match self.gate.fault() {
            Some(cause) => Err(cause),
            None => self.process.batch(all, self.wall_clock()).map_err(|error| error.chain()),
        };
        self.gate.tick.store(self.process.tick.0, Ordering::Release);
        self.gate.facts_waiting.fetch_sub(facts, Ordering::AcqRel);
        self.gate.bytes_waiting.fetch_sub(bytes, Ordering::AcqRel);
        match result {
            Ok(done) => {
                telemetry::note_batch(facts, done.deciding, done.disk);
                let mut outcomes = done.outcomes.into_iter();
                for (count, entered, reply) in replies {
                    let waiting = begun.saturating_duration_since(entered);
                    let times = Times {
                        waiting_us: micros(waiting),
                        deciding_us: micros(done.deciding),
                        disk_us: micros(done.disk),
                    };
                    let outcomes = outcomes.by_ref().take(count).collect();
                    // Whoever asked may have gone; the facts are recorded all the same.
                    let _ = reply.send(Ok(Receipt { outcomes, times }));
                }
            }
            Err(_) if crate::breaks::on("acknowledged_after_a_fault") => {
                for (count, _, reply) in replies {
                    let outcomes =
                        vec![Outcome::Recorded { seq: 0, found: Default::default() }; count];
                    let _ = reply.send(Ok(Receipt { outcomes, times: Times::default() }));
                }
            }
            Err(cause) => {
                tracing::error!(%cause, "storage fault, intake is stopped until a restart");
                metrics::gauge!(telemetry::STORAGE_FAULT).set(1.0);
                *self.gate.fault.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some(cause.clone());
                for (_, _, reply) in replies {
                    let _ = reply.send(Err(Error::StorageFault { cause: cause.clone() }));
                }
            }
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
