//! The feed: what the writer lets everybody know. A level, never an edge: who wakes late sees the
//! newest state and misses nothing that still matters.

use super::process::Batch;
use crate::domain::counters::{CellKey, Figures};
use crate::domain::reference::Reference;
use crate::domain::words::Map;
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

/// What the writer lets everybody know.
pub struct Feed {
    seq: watch::Sender<u64>,
    figures: RwLock<FiguresAt>,
    /// The last copy that was handed out; good for as long as the sequence stands.
    copy: Mutex<Arc<FiguresAt>>,
    reference: RwLock<Arc<Reference>>,
}

impl Feed {
    pub(super) fn new(seq: u64, cells: Map<CellKey, Figures>, reference: Reference) -> Feed {
        let figures = FiguresAt { seq, cells };
        Feed {
            seq: watch::Sender::new(seq),
            copy: Mutex::new(Arc::new(figures.clone())),
            figures: RwLock::new(figures),
            reference: RwLock::new(Arc::new(reference)),
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
