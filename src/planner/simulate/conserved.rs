//! Conservation: what comes into a round comes out of it once. Held at run time in every replication, whatever the build: a tube
//! that is lost in the reckoning would be a result too early, and nobody would see it.
//!
//! Each count is made where the tubes are, apart from that before it, so that whatever is lost between two of them is told with
//! the place. The sums are of what was counted anyway, or of a street's boxes.

use super::lab::{LabRun, LabStart};
use crate::planner::city::StageKind;
use crate::planner::model::Ms;

/// Tubes of a street, counted at each place on their way to the door.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OnTheWay {
    /// Number of the street.
    pub street: u32,
    /// That its people still have to fill.
    pub to_fill: u64,
    /// That were shared among its desks.
    pub at_desks: u64,
    /// In the boxes that the desks closed.
    pub in_boxes: u64,
    /// In the boxes that were closed before.
    pub closed_before: u64,
    /// On the road from the start on.
    pub on_road: u64,
    /// In the boxes of its trips, those on the road from the start on included.
    pub in_trips: u64,
}

impl OnTheWay {
    /// Panics where tubes were lost or made between the people and the door.
    pub fn hold(&self) {
        let OnTheWay { street, to_fill, at_desks, in_boxes, closed_before, on_road, in_trips } =
            *self;
        same(to_fill, at_desks, || format!("street {street}, between its people and its desks"));
        same(at_desks, in_boxes, || format!("street {street}, between its desks and its boxes"));
        let sent = in_boxes + closed_before + on_road;
        same(sent, in_trips, || format!("street {street}, between its boxes and its trips"));
    }
}

/// What was brought to a lab in its streets' trips.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Brought {
    /// Tubes.
    pub tubes: u64,
    /// Members of the unclean pools among them, who will be called back.
    pub members: u64,
}

impl LabRun {
    /// Panics where tubes, their time or people to be called back were lost or made: from the trips to the door, from a stage to
    /// the next, at a stage, and to the results. `lab` is its number, `inside` where it began.
    pub(super) fn hold(&self, lab: usize, brought: Brought, inside: &LabStart) {
        let back = tubes(self.called_back.iter().map(|lot| lot.1));
        let (mut came, mut before) = (brought.tubes + back, "the trips");
        let mut first_tests = brought.tubes;
        let mut members_left = 0;
        for (kind, passed) in StageKind::ALL.into_iter().zip(&self.stages) {
            let (k, name) = (kind.index(), kind.key());
            let first = waiting(&inside.waiting[k]) + running(&inside.running[k]);
            let single = waiting(&inside.singles_waiting[k]) + running(&inside.singles_running[k]);
            same(came + first + single, passed.tubes_in, || {
                format!("lab {lab}, between {before} and {name}")
            });
            assert!(passed.adds_up(), "lab {lab}: tubes or their time lost at {name}: {passed:?}");
            (came, before) = (passed.tubes_out, name);
            first_tests += first;
            members_left += passed.members_left;
        }
        let resulted = self.results.last().map_or(0, |result| result.1);
        same(first_tests, resulted, || format!("lab {lab}, between the door and the results"));
        let called = self.recalled + members_left;
        let members = brought.members + self.unclean_inside;
        assert!(
            called == members,
            "lab {lab}: of {members} members of unclean pools, {called} were called back or still wait"
        );
    }
}

fn tubes(of: impl Iterator<Item = u32>) -> u64 {
    of.map(u64::from).sum()
}

fn waiting(lots: &[(Ms, u32)]) -> u64 {
    tubes(lots.iter().map(|lot| lot.1))
}

fn running(lots: &[(Ms, Ms, u32)]) -> u64 {
    tubes(lots.iter().map(|lot| lot.2))
}

/// Panics when not all that left one place came to the next; `between` says which.
fn same(left: u64, came: u64, between: impl Fn() -> String) {
    assert!(left == came, "{}: of {left} tubes {came} arrived", between());
}
