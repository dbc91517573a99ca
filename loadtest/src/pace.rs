//! When a message may leave. The runtime's timers go off on whole milliseconds: whatever is due within one
//! would leave at its end in one burst, which no city sends. Here a thread of its own waits for each moment.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Somebody who waits for a moment.
struct Waiting {
    due: std::time::Instant,
    told: oneshot::Sender<()>,
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.due.cmp(&other.due)
    }
}

/// The clock that everybody waits for.
#[derive(Default)]
struct Clock {
    waiting: Mutex<BinaryHeap<Reverse<Waiting>>>,
    sooner: Condvar,
}

impl Clock {
    fn of_all() -> &'static Arc<Clock> {
        static CLOCK: OnceLock<Arc<Clock>> = OnceLock::new();
        CLOCK.get_or_init(|| {
            let clock = Arc::new(Clock::default());
            let runs = Arc::clone(&clock);
            std::thread::spawn(move || runs.run());
            clock
        })
    }

    fn wait(&self, due: Instant) -> oneshot::Receiver<()> {
        let (told, coming) = oneshot::channel();
        let due = due.into_std();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let first = waiting.peek().is_none_or(|Reverse(first)| due < first.due);
        waiting.push(Reverse(Waiting { due, told }));
        drop(waiting);
        if first {
            self.sooner.notify_one();
        }
        coming
    }

    fn run(&self) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let now = std::time::Instant::now();
            while let Some(Reverse(first)) = waiting.peek()
                && first.due <= now
            {
                if let Some(Reverse(first)) = waiting.pop() {
                    // Whoever waited may have gone.
                    let _ = first.told.send(());
                }
            }
            let next = waiting.peek().map(|Reverse(first)| first.due.duration_since(now));
            waiting = match next {
                Some(time) => {
                    let (waiting, _) = self
                        .sooner
                        .wait_timeout(waiting, time)
                        .unwrap_or_else(PoisonError::into_inner);
                    waiting
                }
                None => self.sooner.wait(waiting).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

/// The moment when the next message of a device may leave. May be waited for again and again.
#[derive(Default)]
pub struct Leave {
    due: Option<Instant>,
    coming: Option<oneshot::Receiver<()>>,
}

impl Leave {
    /// Waits until `due`.
    pub async fn at(&mut self, due: Instant) {
        if self.due != Some(due) {
            self.due = Some(due);
            self.coming = (due > Instant::now()).then(|| Clock::of_all().wait(due));
        }
        if let Some(coming) = &mut self.coming {
            // The clock lives as long as the process.
            let _ = coming.await;
            self.coming = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn everybody_is_told_not_before_the_moment_and_in_order() {
        let start = Instant::now();
        let wait = |us: u64| async move {
            let due = start + Duration::from_micros(us);
            let mut leave = Leave::default();
            // Given up half-way and waited for again, as beside other things.
            let _ = tokio::time::timeout(Duration::from_micros(us / 2), leave.at(due)).await;
            leave.at(due).await;
            leave.at(due).await;
            assert!(Instant::now() >= due);
            (due, Instant::now())
        };
        let mut told = Vec::new();
        for at in [20_300, 900, 0, 5_450, 5_400].map(wait) {
            told.push(tokio::spawn(at));
        }
        for told in told {
            let (due, at) = told.await.unwrap();
            assert!(at >= due);
        }
        assert!(start.elapsed() >= Duration::from_micros(20_300));
    }
}
