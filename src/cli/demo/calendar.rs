//! What is still to happen in the drill, and when.

use super::labs::Plate;
use super::saying::Load;
use super::truth::Person;
use crate::domain::words::Call;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Something still to happen.
#[derive(Clone, Debug)]
pub enum Due {
    /// The network of a desk is back: it delivers what it has collected.
    NetworkBack { desk: u32 },
    /// A desk sends the facts of a slot again.
    Again { desk: u32, slot: u32 },
    /// A desk sends facts that it held back, the last one first.
    HeldBack { desk: u32, slot: u32 },
    /// The supervisor mends a misread barcode.
    Mend { desk: u32, slot: u32 },
    /// A box arrives.
    Arrive(Arc<Load>),
    /// A laboratory refuses a tube.
    Reject { tube: u32, lab: usize },
    /// A tube that was missing turns up.
    Found { tube: u32, lab: usize },
    /// A tube that was missing is given up.
    Gone { tube: u32 },
    /// A plate is loaded that was in hand.
    Loaded(Arc<Plate>),
    /// An instrument is through with a plate.
    Ran { plate: Arc<Plate>, attempt: u32 },
    /// The results of a plate are given out.
    Released(Arc<Plate>),
    /// Somebody comes back.
    Return { person: Person, district: usize, call: Call },
}

/// By time; what happens at the same time stays in the order in which it was noted.
#[derive(Default)]
pub struct Calendar {
    by_time: BTreeMap<(i64, u64), Due>,
    noted: u64,
}

impl Calendar {
    /// Notes something.
    pub fn note(&mut self, at: i64, due: Due) {
        self.noted += 1;
        self.by_time.insert((at, self.noted), due);
    }

    /// The next thing that happens not after `until`, with its time.
    pub fn next(&mut self, until: i64) -> Option<(i64, Due)> {
        let first = self.by_time.first_entry().filter(|first| first.key().0 <= until)?;
        let ((at, _), due) = first.remove_entry();
        Some((at, due))
    }

    /// True when nothing is left.
    pub fn is_empty(&self) -> bool {
        self.by_time.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_happen_in_their_time() {
        let mut calendar = Calendar::default();
        for (at, slot) in [(5, 1), (3, 2), (5, 3), (9, 4)] {
            calendar.note(at, Due::Again { desk: 0, slot });
        }
        let mut order = Vec::new();
        while let Some((at, Due::Again { slot, .. })) = calendar.next(5) {
            order.push((at, slot));
        }
        assert_eq!(order, [(3, 2), (5, 1), (5, 3)]);
        assert!(!calendar.is_empty());
    }
}
