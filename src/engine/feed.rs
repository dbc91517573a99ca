//! The feed: what the writer lets everybody know. A level, never an edge: who wakes late sees the
//! newest state and misses nothing that still matters.

use super::process::Batch;
use crate::domain::counters::{CellKey, Figures};
use crate::domain::reference::Reference;
use crate::domain::words::{Map, Time};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tokio::sync::watch;

/// All figures at one sequence.
#[derive(Clone, Debug, Default)]
pub struct FiguresAt {
    /// The sequence.
    pub seq: u64,
    /// The cells.
    pub cells: Map<CellKey, Figures>,
}

/// All figures as they stood when a drill's clock moved on, and the time that it moved on from. Its player moves the clock and
/// then says what had happened until then: that it moves on says that all of it has been said.
#[derive(Clone, Debug)]
pub struct Stood {
    /// The time.
    pub at: Time,
    /// The figures, without anything that was committed together with the new time: a player who ticks before its facts were
    /// answered may have them a step later.
    pub figures: Arc<FiguresAt>,
}

/// What the writer lets everybody know.
pub struct Feed {
    seq: watch::Sender<u64>,
    figures: RwLock<FiguresAt>,
    /// The last copy that was handed out; good for as long as the sequence stands.
    copy: Mutex<Arc<FiguresAt>>,
    reference: RwLock<Arc<Reference>>,
    stood: Mutex<Option<Stood>>,
}

impl Feed {
    pub(super) fn new(seq: u64, cells: Map<CellKey, Figures>, reference: Reference) -> Feed {
        let figures = FiguresAt { seq, cells };
        Feed {
            seq: watch::Sender::new(seq),
            copy: Mutex::new(Arc::new(figures.clone())),
            figures: RwLock::new(figures),
            reference: RwLock::new(Arc::new(reference)),
            stood: Mutex::new(None),
        }
    }

    /// The last committed sequence, to be waited on.
    pub fn seq(&self) -> watch::Receiver<u64> {
        self.seq.subscribe()
    }

    /// All figures at one sequence. A full copy, made at most once per sequence.
    pub fn figures(&self) -> Arc<FiguresAt> {
        let mut copy = self.copy.lock().unwrap_or_else(PoisonError::into_inner);
        let figures = self.figures.read().unwrap_or_else(PoisonError::into_inner);
        if copy.seq != figures.seq {
            *copy = Arc::new(figures.clone());
        }
        Arc::clone(&copy)
    }

    /// What facts are judged by now.
    pub fn reference(&self) -> Arc<Reference> {
        Arc::clone(&self.reference.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What stood when a drill's clock last moved on; `None` before it has, since the service was started.
    pub fn stood(&self) -> Option<Stood> {
        self.stood.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A drill's clock moves on from `at`, with the batch that is taken next. Copies all figures, at every tick of a drill and
    /// never in a live folder.
    pub(super) fn clock_moves(&self, at: Time) {
        let stood = Stood { at, figures: self.figures() };
        *self.stood.lock().unwrap_or_else(PoisonError::into_inner) = Some(stood);
    }

    /// Takes what a durable batch changed, and wakes whoever waits.
    pub(super) fn take(&self, batch: &Batch) {
        let layer = &batch.commit.layer;
        {
            let mut figures = self.figures.write().unwrap_or_else(PoisonError::into_inner);
            figures.seq = layer.to;
            for (cell, now) in layer.cells() {
                if now.is_zero() {
                    figures.cells.remove(cell);
                } else {
                    figures.cells.insert(cell.clone(), now.clone());
                }
            }
        }
        if let Some(reference) = &batch.reference {
            let mut known = self.reference.write().unwrap_or_else(PoisonError::into_inner);
            *known = Arc::clone(reference);
        }
        self.seq.send_replace(layer.to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stood_when_the_clock_moved_on_stays_while_figures_go_on() {
        let feed = Feed::new(7, Map::default(), Reference::default());
        assert!(feed.stood().is_none());
        let stood = || feed.stood().map(|stood| (stood.at, stood.figures.seq));
        feed.clock_moves(Time(60_000));
        feed.figures.write().unwrap().seq = 9;
        assert_eq!((stood(), feed.figures().seq), (Some((Time(60_000), 7)), 9));
        feed.clock_moves(Time(120_000));
        assert_eq!(stood(), Some((Time(120_000), 9)));
    }
}
