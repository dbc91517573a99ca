//! Admission: who may come in now. Everything is bounded; what does not fit is told so at once,
//! with a time to come back, and the lowest class is turned away first.

use super::query::person::EVENTS_MAX;
use super::{Error, Feed, Options, Receipt, Submission};
use crate::domain::discrepancy::{Discrepancies, Discrepancy};
use crate::domain::fact::{Body, Event, Fact};
use crate::domain::judge::judge;
use crate::domain::world::World;
use crate::domain::{Code, PersonKey, Time};
use crate::store::{FolderKind, Read};
use crossbeam::channel::{Sender, TrySendError};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// Who asks, best served first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Scans, results, custody, recalls.
    Intake,
    /// Questions about a tube or a person.
    Query,
    /// Command-centre pages.
    Dashboard,
    /// The forecast of the open round: as soon turned away for intake as planning, and never for it.
    Forecast,
    /// Planning.
    Planning,
}

impl Class {
    /// Name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Class::Intake => "intake",
            Class::Query => "query",
            Class::Dashboard => "dashboard",
            Class::Forecast => "forecast",
            Class::Planning => "planning",
        }
    }

    /// The share of the queue, in percent, above which the class is turned away.
    const fn queue_percent_max(self) -> usize {
        match self {
            Class::Intake => 100,
            Class::Query => 75,
            Class::Dashboard => 50,
            Class::Forecast | Class::Planning => 25,
        }
    }
}

/// Leave to do one thing of a class; given back when dropped.
pub struct Permit {
    _held: Option<OwnedSemaphorePermit>,
}

/// A submission on its way to the writer.
pub(super) struct Job {
    pub submissions: Vec<Submission>,
    pub bytes: usize,
    /// Tubes that it touches, by estimate.
    pub tubes: usize,
    pub entered: Instant,
    pub reply: oneshot::Sender<Result<Receipt, Error>>,
}

/// What handles and the writer share.
pub(super) struct Gate {
    pub facts_waiting: AtomicUsize,
    pub bytes_waiting: AtomicUsize,
    pub stopping: AtomicBool,
    pub fault: Mutex<Option<String>>,
    /// The drill's clock: the last tick, or what the log's last event was recorded at.
    pub tick: AtomicI64,
}

impl Gate {
    /// Notes a fault: nothing is taken in any more. The first one is told.
    pub fn fail(&self, cause: String) {
        metrics::gauge!(crate::telemetry::STORAGE_FAULT).set(1.0);
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(cause);
    }

    /// Facts that were waiting have been answered.
    pub fn leave(&self, facts: usize, bytes: usize) {
        self.facts_waiting.fetch_sub(facts, Ordering::AcqRel);
        self.bytes_waiting.fetch_sub(bytes, Ordering::AcqRel);
    }

    pub fn fault(&self) -> Option<String> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn now(&self, kind: FolderKind) -> Time {
        match kind {
            FolderKind::Drill => Time(self.tick.load(Ordering::Acquire)),
            FolderKind::Live => {
                let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
                Time(since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
            }
        }
    }
}

/// How everybody speaks to the engine.
#[derive(Clone)]
pub struct Handle {
    pub(super) jobs: Sender<Job>,
    pub(super) gate: Arc<Gate>,
    pub(super) read: Read,
    pub(super) feed: Arc<Feed>,
    pub(super) options: Options,
    pub(super) classes: [Arc<Semaphore>; 3],
}

impl Handle {
    /// Records facts and answers when they are durable: one outcome per fact, in order.
    ///
    /// # Errors
    /// `Overloaded` and `ShuttingDown`: nothing was recorded. `StorageFault`: unknown; whoever
    /// sends the same facts again after the restart learns it.
    pub async fn submit(&self, submissions: Vec<Submission>) -> Result<Receipt, Error> {
        self.enqueue(submissions)?.await.map_err(|_| Error::ShuttingDown)?
    }

    /// Takes facts into the queue at once, and hands back the answer to come. The order of calls
    /// is the order of the queue.
    ///
    /// # Errors
    /// As [`Handle::submit`], for what is known at once.
    pub fn enqueue(
        &self,
        submissions: Vec<Submission>,
    ) -> Result<oneshot::Receiver<Result<Receipt, Error>>, Error> {
        if let Some(cause) = self.gate.fault() {
            return Err(Error::StorageFault { cause });
        }
        let (facts, bytes) = (submissions.len(), submissions.iter().map(|s| weight(&s.fact)).sum());
        let (reply, answer) = oneshot::channel();
        let waiting = self.gate.facts_waiting.fetch_add(facts, Ordering::AcqRel);
        let waiting_bytes = self.gate.bytes_waiting.fetch_add(bytes, Ordering::AcqRel);
        let tubes = submissions.iter().map(|submission| touched(&submission.fact.body)).sum();
        let job = Job { submissions, bytes, tubes, entered: Instant::now(), reply };
        let full = match () {
            // One submission that is larger than the queue is still taken when nothing waits.
            () if waiting == 0 || crate::breaks::on("queue_without_limit") => None,
            () if waiting + facts > self.options.queue_facts_max => Some("queue_facts_max"),
            () if waiting_bytes + bytes > self.options.queue_bytes_max => Some("queue_bytes_max"),
            () => None,
        };
        let refused = match full {
            Some(cause) => Some(Error::Overloaded { cause, retry_after_ms: 200 }),
            None if self.gate.stopping.load(Ordering::Acquire) => Some(Error::ShuttingDown),
            None => match self.jobs.try_send(job) {
                Ok(()) => None,
                Err(TrySendError::Full(_)) => {
                    Some(Error::Overloaded { cause: "queue_facts_max", retry_after_ms: 200 })
                }
                Err(TrySendError::Disconnected(_)) => Some(Error::ShuttingDown),
            },
        };
        match refused {
            None => Ok(answer),
            Some(error) => {
                self.gate.leave(facts, bytes);
                self.note_shed(Class::Intake);
                Err(error)
            }
        }
    }

    /// Which discrepancies a fact would have if it came now, and whether its people stand in
    /// another open tube. Records nothing. Waits for the disk: not for async code.
    ///
    /// # Errors
    /// When a record cannot be read.
    pub fn check(&self, fact: &Fact, clock_offset_ms: i64) -> Result<Discrepancies, Error> {
        let (read, body) = (&self.read, &fact.body);
        let mut world = World::default();
        if let Some(code) = body.container() {
            world.load_box(code.clone(), read.container(code)?);
        }
        if let Some(code) = body.plate() {
            world.load_plate(code.clone(), read.plate(code)?);
        }
        let tubes: Vec<Code> = body.tubes().chain(world.wants_listed(body)).cloned().collect();
        for tube in tubes {
            let record = read.tube(&tube)?;
            world.load_tube(tube, record);
        }
        let stamps = judge(fact, &self.feed.reference(), self.now(), clock_offset_ms);
        let mut event = Event { seq: 0, fact: fact.clone(), stamps, found: Discrepancies::NONE };
        world.apply(&mut event);
        let mut found = event.found;
        let collects = matches!(body, Body::PersonSwabbed { .. } | Body::TubeCollected { .. });
        if collects {
            for person in body.people() {
                let elsewhere = self.is_in_open_tube(person, body.tube())?;
                found.add_if(elsewhere, Discrepancy::PersonInTwoTubes);
            }
        }
        Ok(found)
    }

    /// True when a person stands in a tube, other than this one, whose result is still to come.
    fn is_in_open_tube(&self, person: PersonKey, except: Option<&Code>) -> Result<bool, Error> {
        // The newest first: what is still open came lately.
        for seq in self.read.person_seqs(person)?.into_iter().rev().take(EVENTS_MAX) {
            let Some(event) = self.read.event(seq)? else { continue };
            let Some(tube) = event.fact.body.tube().filter(|tube| Some(*tube) != except) else {
                continue;
            };
            let Some(record) = self.read.tube(tube)? else { continue };
            let view = record.view();
            if view.status.is_moving() && view.members.binary_search(&person).is_ok() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Leave for one query, dashboard answer or planning run.
    ///
    /// # Errors
    /// `Crowded` when as many of the class are under way as may be, or when intake needs the
    /// machine.
    pub fn admit(&self, class: Class) -> Result<Permit, Error> {
        let waiting = self.gate.facts_waiting.load(Ordering::Acquire);
        if waiting > self.options.queue_facts_max / 100 * class.queue_percent_max() {
            self.note_shed(class);
            return Err(Error::Crowded { cause: "intake comes first", retry_after_ms: 1_000 });
        }
        let semaphore = match class {
            // There is one forecaster, and it makes one forecast at a time.
            Class::Intake | Class::Forecast => return Ok(Permit { _held: None }),
            Class::Query => &self.classes[0],
            Class::Dashboard => &self.classes[1],
            Class::Planning => &self.classes[2],
        };
        match Arc::clone(semaphore).try_acquire_owned() {
            Ok(permit) => Ok(Permit { _held: Some(permit) }),
            Err(_) => {
                self.note_shed(class);
                Err(Error::Crowded {
                    cause: "too many of this class under way",
                    retry_after_ms: 200,
                })
            }
        }
    }

    fn note_shed(&self, class: Class) {
        metrics::counter!(crate::telemetry::SHED_TOTAL, "class" => class.name()).increment(1);
    }

    /// The store, for reading.
    pub fn read(&self) -> &Read {
        &self.read
    }

    /// The feed.
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// The time by which facts are recorded now: the machine's, or in a drill the last tick.
    pub fn now(&self) -> Time {
        self.gate.now(self.read.folder().kind)
    }

    /// Why intake is stopped, if a storage fault has stopped it.
    pub fn fault(&self) -> Option<String> {
        self.gate.fault()
    }
}

/// Tubes that a fact touches, by estimate: a box or plate passes on what happens to it to every
/// tube in it, named or not.
fn touched(body: &Body) -> usize {
    let unnamed = match body {
        Body::BoxHandedOver { .. } | Body::RunReported { .. } | Body::PlateReassessed { .. } => 94,
        _ => 1,
    };
    body.tubes().count().max(unnamed)
}

/// Bytes that a fact holds while it waits, by estimate.
fn weight(fact: &Fact) -> usize {
    let lists = match &fact.body {
        Body::TubeCollected { members, .. } => members.len() * 17,
        Body::RosterImported { persons, .. } => persons.len() * 16,
        Body::ReferenceImported { items, .. } => items.len() * 160,
        Body::PlateLoaded { wells, .. } => wells.len() * 40,
        Body::RunReported { readings, .. } => readings.len() * 40,
        Body::TubesPacked { tubes, .. }
        | Body::BoxReceived { tubes, .. }
        | Body::ResultReleased { tubes, .. } => tubes.len() * 24,
        _ => 0,
    };
    256 + lists
}
