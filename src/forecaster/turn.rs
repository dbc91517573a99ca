//! Whose turn it is to reckon. Plans are the lowest class: they run on threads of their own, a few at a time, and when
//! intake needs the machine they are turned away first.

use super::{Forecaster, Options};
use crate::engine::let_others_go_first;
use crate::engine::{self, Class, Handle, Permit};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub(super) struct Turns {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    waiting_max: usize,
    threads: Arc<rayon::ThreadPool>,
}

/// Come back after this when too many wait: about the time of a plan.
const RETRY_MS: u64 = 5_000;

/// Why it is nobody's turn.
#[derive(Debug, thiserror::Error)]
pub enum TurnError {
    /// Too many wait, or intake needs the machine.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// What was reckoned broke.
    #[error("a task broke")]
    Broken,
}

/// Leave to reckon; given back when what is reckoned is done.
pub struct Turn {
    _place: OwnedSemaphorePermit,
    _permit: Permit,
    threads: Arc<rayon::ThreadPool>,
}

/// Says stop when it is dropped: whoever asked is gone.
pub struct StopOnDrop(Arc<AtomicBool>);

impl StopOnDrop {
    /// Not stopped yet.
    pub fn new() -> StopOnDrop {
        StopOnDrop(Arc::new(AtomicBool::new(false)))
    }

    /// To be asked by what runs: true once it is to stop.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}

impl Default for StopOnDrop {
    fn default() -> Self {
        StopOnDrop::new()
    }
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// One who waits; counted as long as it lives.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Turns {
    pub fn new(options: &Options) -> Result<Turns, String> {
        let built = rayon::ThreadPoolBuilder::new()
            .num_threads(options.threads())
            .thread_name(|number| format!("planner-{number}"))
            .start_handler(|_| let_others_go_first())
            .build();
        let threads = Arc::new(built.map_err(|error| error.to_string())?);
        let running = options.plans_running_max.clamp(1, Semaphore::MAX_PERMITS);
        Ok(Turns {
            places: Arc::new(Semaphore::new(running)),
            waiting: AtomicUsize::new(0),
            waiting_max: options.plans_waiting_max,
            threads,
        })
    }
}

impl Forecaster {
    /// The threads that plans run on.
    pub fn threads(&self) -> &rayon::ThreadPool {
        &self.inner.turns.threads
    }

    /// Waits for a turn, first come first served.
    ///
    /// # Errors
    /// `Crowded` when `plans_waiting_max` wait already, or when intake needs the machine.
    pub async fn turn(&self, handle: &Handle) -> Result<Turn, TurnError> {
        let turns = &self.inner.turns;
        let place = match Arc::clone(&turns.places).try_acquire_owned() {
            Ok(place) => place,
            Err(_) => {
                let before = turns.waiting.fetch_add(1, Ordering::AcqRel);
                let _waiting = Waiting(&turns.waiting);
                if before >= turns.waiting_max {
                    let cause = "plans_waiting_max";
                    let retry_after_ms = RETRY_MS;
                    return Err(engine::Error::Crowded { cause, retry_after_ms }.into());
                }
                let place = Arc::clone(&turns.places).acquire_owned().await;
                place.map_err(|_| TurnError::Broken)?
            }
        };
        let permit = handle.admit(Class::Planning)?;
        Ok(Turn { _place: place, _permit: permit, threads: Arc::clone(&turns.threads) })
    }
}

impl Turn {
    /// Reckons on the planner's threads. The turn ends when it is done, not when nobody waits any more.
    ///
    /// # Errors
    /// `Broken` when it panicked.
    pub async fn reckon<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, TurnError> {
        let done = tokio::task::spawn_blocking(move || {
            let answer = self.threads.install(work);
            drop(self);
            answer
        });
        done.await.map_err(|_| TurnError::Broken)
    }
}
