//! What a reading tells of a place and of a laboratory, and how far a tube of a status has come.

use crate::domain::words::Status;
use serde::{Deserialize, Serialize};

/// Tubes of a place so far. Single tubes of recalls are left out where the place pools; where it does not, those that are
/// done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Filled or being filled, and not void.
    pub collected: u64,
    /// Of these, handed over to a vehicle, or further.
    pub sent: u64,
    /// Of these, received by a laboratory, or further.
    pub delivered: u64,
    /// Of these, with a result, or ended without one; 0 in lines of older programs.
    #[serde(default, skip_serializing_if = "is_0")]
    pub resulted: u64,
    /// Besides them, single tubes of recalls: taken, and not yet handed over to a vehicle.
    #[serde(default, skip_serializing_if = "is_0")]
    pub singles_waiting: u64,
    /// Besides them, single tubes of recalls on a vehicle.
    #[serde(default, skip_serializing_if = "is_0")]
    pub singles_sent: u64,
}

/// Tubes of a laboratory so far, single tubes of recalls included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tested {
    /// Received, registered or not.
    pub received: u64,
    /// Of these, on a plate, or further.
    pub plated: u64,
    /// Of these, with a result, or ended without one.
    pub resulted: u64,
    /// Plates loaded since the round was first read; 0 = not told: plates have no round, so they are told only while no other
    /// is open.
    #[serde(default)]
    pub plates: u64,
    /// Of these, those that were run. A plate that was run twice may stand for another one.
    #[serde(default)]
    pub plates_done: u64,
    /// People called back whose single tube has no result yet.
    pub recalls_open: u64,
    /// Single tubes of people called back that have one; where the place does not pool, people called back and done.
    pub recalls_closed: u64,
    /// People asked to come again, because their tube gave no result, whose single tube has none yet.
    #[serde(default, skip_serializing_if = "is_0")]
    pub recollections_open: u64,
    /// Single tubes of recalls that were received and are on no plate.
    #[serde(default, skip_serializing_if = "is_0")]
    pub singles_waiting: u64,
    /// Single tubes of recalls on a plate, without a result.
    #[serde(default, skip_serializing_if = "is_0")]
    pub singles_plated: u64,
    /// Boxes on their way to it; 0 = none, or not told: boxes have no round either.
    #[serde(default, skip_serializing_if = "is_0")]
    pub boxes_sent: u64,
    /// Boxes that it took since the round was first read; as above.
    #[serde(default, skip_serializing_if = "is_0")]
    pub boxes_received: u64,
}

/// For what a line leaves out.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
pub(super) fn is_0(count: &u64) -> bool {
    *count == 0
}

/// How far a tube of a status has come, on its way and in the laboratory. A tube that is void was none. One that is
/// rejected, lost or used twice is nobody's work any more: it counts as done everywhere it can have been.
pub(super) fn reached(status: Status) -> (Sent, Tested) {
    let (sent, tested) = match status {
        Status::Void => ([0; 3], [0; 3]),
        // Here, and not known to come from anywhere yet.
        Status::Awaiting => ([0; 3], [1, 0, 0]),
        Status::Open | Status::Sealed | Status::Packed => ([1, 0, 0], [0; 3]),
        Status::InTransit => ([1, 1, 0], [0; 3]),
        Status::Received => ([1; 3], [1, 0, 0]),
        Status::Plated => ([1; 3], [1, 1, 0]),
        Status::Resulted | Status::Released | Status::Rejected | Status::Lost | Status::Reused => {
            ([1; 3], [1; 3])
        }
    };
    let [collected, sent, delivered] = sent;
    let [received, plated, resulted] = tested;
    // Whoever awaits registration has no place that could have a result of it.
    let sent = Sent { collected, sent, delivered, resulted, ..Sent::default() };
    (sent, Tested { received, plated, resulted, ..Tested::default() })
}

impl Sent {
    /// Adds `tubes` that have come as far as `reached`.
    pub(super) fn add(&mut self, reached: &Sent, tubes: u64) {
        self.collected += tubes * reached.collected;
        self.sent += tubes * reached.sent;
        self.delivered += tubes * reached.delivered;
        self.resulted += tubes * reached.resulted;
    }

    /// Adds what another cell of the place counts.
    pub(super) fn and(&mut self, other: &Sent) {
        self.add(other, 1);
        self.singles_waiting += other.singles_waiting;
        self.singles_sent += other.singles_sent;
    }

    /// Takes single tubes off that are done, and so have come all the way.
    pub(super) fn less(&mut self, singles: u64) {
        for count in [&mut self.collected, &mut self.sent, &mut self.delivered, &mut self.resulted]
        {
            *count = count.saturating_sub(singles);
        }
    }
}

impl Tested {
    /// Adds what another cell of the laboratory counts.
    pub(super) fn and(&mut self, other: &Tested) {
        self.received += other.received;
        self.plated += other.plated;
        self.resulted += other.resulted;
        self.plates += other.plates;
        self.plates_done += other.plates_done;
        self.recalls_open += other.recalls_open;
        self.recalls_closed += other.recalls_closed;
        self.recollections_open += other.recollections_open;
        self.singles_waiting += other.singles_waiting;
        self.singles_plated += other.singles_plated;
        self.boxes_sent += other.boxes_sent;
        self.boxes_received += other.boxes_received;
    }

    /// First tests that were received.
    pub fn first_received(&self) -> u64 {
        self.received.saturating_sub(self.singles() + self.recalls_closed)
    }

    /// First tests with a result.
    pub fn first_results(&self) -> u64 {
        self.resulted.saturating_sub(self.recalls_closed)
    }

    /// Single tubes of recalls that are in the laboratory and have no result.
    pub(super) fn singles(&self) -> u64 {
        self.singles_waiting + self.singles_plated
    }
}
