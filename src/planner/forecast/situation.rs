//! What is known of a round that is going on: readings of the service's own counters.

use crate::planner::model::Ms;

/// The counters at one time, cumulative since the start of the round. Streets and labs are in the order of the model;
/// where a street of the model is a part of a street, the counts of the street are dealt by the parts' people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// When.
    pub at: Ms,
    /// By street.
    pub streets: Vec<StreetCount>,
    /// By lab.
    pub labs: Vec<LabCount>,
}

/// Tubes of a street so far, single tubes of recalls left out as far as they are told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreetCount {
    /// Filled, or being filled.
    pub collected: u64,
    /// Handed over to a vehicle, or further.
    pub sent: u64,
    /// Received by a lab, or further.
    pub delivered: u64,
    /// With a result, or ended without one wherever they were; 0 = not told.
    pub resulted: u64,
    /// Besides them, single tubes of recalls: taken, and not yet handed over.
    pub singles_waiting: u64,
    /// Besides them, single tubes of recalls on a vehicle.
    pub singles_sent: u64,
}

/// Tubes of a lab so far, single tubes of recalls included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LabCount {
    /// Received.
    pub received: u64,
    /// On a plate, or further.
    pub plated: u64,
    /// With a result.
    pub resulted: u64,
    /// Plates loaded: tubes alone do not say how many runs wait, for plates are not always full.
    pub plates: u64,
    /// Plates whose tubes have results.
    pub plates_done: u64,
    /// People called back whose single tube has no result yet.
    pub recalls_open: u64,
    /// People called back whose single tube has one: it is among `resulted` and no first test.
    pub recalls_closed: u64,
    /// People asked to come again, because their tube gave no result, whose single tube has none yet.
    pub recollections_open: u64,
    /// Single tubes of recalls among the received that are on no plate.
    pub singles_waiting: u64,
    /// Single tubes of recalls among the plated that have no result.
    pub singles_plated: u64,
    /// Boxes that carry to this lab what its streets have handed over; 0 = not told.
    pub boxes_sent: u64,
}

impl LabCount {
    /// First tests with a result.
    pub fn first_results(&self) -> u64 {
        self.resulted.saturating_sub(self.recalls_closed)
    }

    /// Tubes that came for a first test.
    pub fn first_received(&self) -> u64 {
        self.received
            .saturating_sub(self.recalls_closed + self.singles_waiting + self.singles_plated)
    }

    /// First tests that were put on plates.
    fn first_plated(&self) -> u64 {
        self.plated.saturating_sub(self.recalls_closed + self.singles_plated)
    }

    /// Tubes for a first test that are on no plate.
    pub fn first_waiting(&self) -> u64 {
        self.received.saturating_sub(self.plated).saturating_sub(self.singles_waiting)
    }

    /// Single tubes of recalls that are on no plate: never more than wait.
    pub fn singles_here(&self) -> u64 {
        self.singles_waiting.min(self.received.saturating_sub(self.plated))
    }

    /// Plates that are not done, and the tubes on them. A lab that does not tell its plates has full ones, of `batch`.
    pub fn open_plates(&self, batch: u64) -> (u64, u64) {
        let tubes = self.plated.saturating_sub(self.resulted);
        let told = self.plates.saturating_sub(self.plates_done);
        // Never fewer plates than the tubes fill.
        let plates = told.max(tubes.div_ceil(batch.max(1)));
        (plates.min(tubes), tubes)
    }
}

/// When something happened that a reading is the first to tell, and the one `before` it is not: in the middle between them, for
/// nobody knows better. The one rule of when a round, a street or a laboratory was done: by it the forecast says when what is
/// over was over, and what was forecast is judged. A reading's own time is late by half the time between readings, which is
/// nothing of a minute, and as long as a forecast's whole interval in a drill with half an hour between them.
pub fn told_between(before: Ms, at: Ms) -> Ms {
    before.saturating_add(at.saturating_sub(before) / 2)
}

/// A round that is going on: its readings, the newest last. At least one; times rise, and so do counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Situation {
    /// The readings.
    pub readings: Vec<Reading>,
}

impl Situation {
    /// Plates of a lab that were loaded since the first reading with as many first tests on plates as now: there is no first
    /// test on them, only single tubes of recalls. 0 where there are none, or plates are not told.
    pub(super) fn singles_only(&self, lab: usize) -> u64 {
        let of = |reading: &Reading| reading.labs.get(lab).copied().unwrap_or_default();
        let newest = self.readings.last().map(of).unwrap_or_default();
        let all = newest.first_plated();
        let last = self.readings.iter().map(of).find(|count| count.first_plated() >= all);
        let last = last.unwrap_or_default();
        if last.plates == 0 || newest.singles_plated == 0 {
            return 0;
        }
        newest.plates.saturating_sub(last.plates)
    }
}
