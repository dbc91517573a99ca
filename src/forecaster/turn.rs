//! Whose turn it is to reckon. Plans are the lowest class: they run on threads of their own, a few at a time, and when
//! intake needs the machine they are turned away first. The forecast never waits for them: it has a place and threads of its own
//! beside theirs, so that of everything that is reckoned one more runs than `plans_running_max`.

use super::{Forecaster, Options};
use crate::engine::let_others_go_first;
use crate::engine::{self, Class, Handle, Permit};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub(super) struct Turns {
    plans: Room,
    waiting: AtomicUsize,
    waiting_max: usize,
    forecast: Room,
}

/// Places to reckon at, and the threads that are theirs.
struct Room {
    places: Arc<Semaphore>,
    threads: Arc<rayon::ThreadPool>,
}

impl Room {
    fn new(name: &'static str, places: usize, threads: usize) -> Result<Room, String> {
        let built = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(move |number| format!("{name}-{number}"))
            .start_handler(|_| let_others_go_first())
            .build();
        let threads = Arc::new(built.map_err(|error| error.to_string())?);
        Ok(Room { places: Arc::new(Semaphore::new(places)), threads })
    }

    /// A place that is free now.
    fn free_place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// The next place that is given back, first come first served.
    async fn next_place(&self) -> Result<OwnedSemaphorePermit, TurnError> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        place.map_err(|_| TurnError::Broken)
    }

    /// A turn at a place, when the engine admits its class.
    fn turn(
        &self,
        place: OwnedSemaphorePermit,
        handle: &Handle,
        class: Class,
    ) -> Result<Turn, TurnError> {
        let permit = handle.admit(class)?;
        Ok(Turn { _place: place, _permit: permit, threads: Arc::clone(&self.threads) })
    }
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
        let running = options.plans_running_max.clamp(1, Semaphore::MAX_PERMITS);
        Ok(Turns {
            plans: Room::new("planner", running, options.threads())?,
            waiting: AtomicUsize::new(0),
            waiting_max: options.plans_waiting_max,
            forecast: Room::new("forecast", 1, options.threads())?,
        })
    }

    async fn place_of_plan(&self) -> Result<OwnedSemaphorePermit, TurnError> {
        if let Some(place) = self.plans.free_place() {
            return Ok(place);
        }
        let before = self.waiting.fetch_add(1, Ordering::AcqRel);
        let _waiting = Waiting(&self.waiting);
        if before >= self.waiting_max {
            let cause = "plans_waiting_max";
            let retry_after_ms = RETRY_MS;
            return Err(engine::Error::Crowded { cause, retry_after_ms }.into());
        }
        self.plans.next_place().await
    }

    async fn place_of_forecast(&self) -> Result<OwnedSemaphorePermit, TurnError> {
        self.forecast.next_place().await
    }
}

impl Forecaster {
    /// The threads that plans run on.
    pub fn threads(&self) -> &rayon::ThreadPool {
        &self.inner.turns.plans.threads
    }

    /// Waits for a turn of a plan, first come first served.
    ///
    /// # Errors
    /// `Crowded` when `plans_waiting_max` wait already, or when intake needs the machine.
    pub async fn turn(&self, handle: &Handle) -> Result<Turn, TurnError> {
        let turns = &self.inner.turns;
        turns.plans.turn(turns.place_of_plan().await?, handle, Class::Planning)
    }

    /// Waits for the turn of the forecast: for the forecast before, should it not have stopped yet, and for no plan.
    ///
    /// # Errors
    /// `Crowded` when intake needs the machine.
    pub(super) async fn turn_of_forecast(&self, handle: &Handle) -> Result<Turn, TurnError> {
        let turns = &self.inner.turns;
        turns.forecast.turn(turns.place_of_forecast().await?, handle, Class::Forecast)
    }
}

impl Turn {
    /// Reckons on the threads of its place. The turn ends when it is done, not when nobody waits any more.
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::{Pin, pin};
    use std::task::{Context, Poll, Waker};

    type Place = Result<OwnedSemaphorePermit, TurnError>;

    /// What is had without waiting.
    fn at_once(place: Pin<&mut impl Future<Output = Place>>) -> Option<Place> {
        match place.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(place) => Some(place),
            Poll::Pending => None,
        }
    }

    #[test]
    fn a_forecast_waits_for_no_plan_and_two_never_run_at_once() {
        let options = Options { plans_running_max: 1, plans_waiting_max: 1, ..Options::default() };
        let turns = Turns::new(&options).unwrap();
        // One plan runs, one waits, and a third is sent away.
        let running = at_once(pin!(turns.place_of_plan())).unwrap().unwrap();
        let mut waiting = pin!(turns.place_of_plan());
        assert!(at_once(waiting.as_mut()).is_none());
        let refused = at_once(pin!(turns.place_of_plan())).expect("nobody waits beside it");
        assert!(matches!(refused, Err(TurnError::Engine(engine::Error::Crowded { .. }))));
        // The forecast runs all the same, and the next one waits for it alone.
        let first = at_once(pin!(turns.place_of_forecast())).expect("it waits for no plan");
        let first = first.expect("it is not sent away");
        let mut second = pin!(turns.place_of_forecast());
        assert!(at_once(second.as_mut()).is_none(), "two forecasts at once");
        drop(first);
        assert!(at_once(second.as_mut()).is_some_and(|place| place.is_ok()));
        assert!(at_once(waiting.as_mut()).is_none(), "the plan waits for the one that runs");
        drop(running);
        assert!(at_once(waiting.as_mut()).is_some_and(|place| place.is_ok()));
    }
}
