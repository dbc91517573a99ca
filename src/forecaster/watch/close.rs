//! Rounds that were closed: their last reading and their last line.

use super::{Watch, since};
use crate::domain::reference::Reference;
use crate::domain::words::{Code, Time};
use crate::forecaster::kept::{Kept, Known, RoundOf};
use crate::forecaster::record::Record;
use crate::forecaster::tally::Tally;
use crate::planner::model::Ms;
use std::time::Duration;
use tokio::time::Instant;

/// After this time a last line that could not be written is tried again: a full disk is seldom empty in a second.
const CLOSE_AGAIN: Duration = Duration::from_secs(60);

/// When last lines are written: at once, and after one that could not be, not before a minute has passed.
#[derive(Default)]
pub(super) struct Closing {
    after: Option<Instant>,
}

impl Closing {
    /// Whether nothing is to be tried yet.
    fn waits(&self) -> bool {
        self.after.is_some_and(|after| Instant::now() < after)
    }

    /// Writes the last line of a round. What cannot be written stays unclosed.
    async fn write(&mut self, kept: &Kept, known: &mut Known, round: RoundOf, at: Ms) {
        let done = Some(Box::new(kept.done(&round).await));
        let (code, opened_at) = round.clone();
        match kept.append(Record::Closed { round: code, opened_at, at, done }).await {
            true => _ = known.unclosed.remove(&round),
            false => self.after = Some(Instant::now() + CLOSE_AGAIN),
        }
    }
}

impl Watch {
    /// Rounds of the file that were closed get a last reading and their last line: the one that was watched, one that was left
    /// for a newer one, one that was closed while the service was down. From then on their forecasts can be judged. A line
    /// that cannot be written is tried again.
    pub(super) async fn close(&mut self, reference: &Reference) {
        if self.closing.waits() {
            return;
        }
        let ended = self.known.ended(reference);
        if ended.is_empty() {
            return;
        }
        for (round, at) in ended {
            self.read_last(&round, reference).await;
            self.closing.write(&self.kept, &mut self.known, round, at).await;
        }
        self.known.so_far = self.kept.known().await.so_far;
    }

    /// A last reading of a round that was closed: the results of its last minute, or of all the time since it was left.
    async fn read_last(&self, round: &RoundOf, reference: &Reference) {
        let (code, opened_at) = (Code::from(round.0.as_str()), Time(round.1));
        let last = self.kept.readings(&code, opened_at).await.pop().map(|(_, tally)| tally);
        let Some(at) = since(opened_at, self.handle.now()) else { return };
        if last.as_ref().is_some_and(|last| at <= last.at) {
            return;
        }
        let before = last.and_then(|last| last.before);
        let figures = self.handle.feed().figures();
        let places = self.forecaster.plan().map(|plan| &plan.places);
        let tally = Tally::of(at, &figures.cells, reference, &code, places, before.as_ref());
        let (round, opened_at) = round.clone();
        self.kept.append(Record::Reading { round, opened_at, seq: figures.seq, tally }).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecaster::Options;
    use crate::forecaster::kept::open_file;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_last_line_that_cannot_be_written_is_tried_again_after_a_minute_and_holds_no_other_up()
     {
        let folder = tempfile::tempdir().unwrap();
        let kept = open_file(folder.path(), &Options::default()).unwrap();
        let mut known = kept.known().await;
        let lines = |round: &str| {
            let text = std::fs::read_to_string(folder.path().join("forecasts")).unwrap_or_default();
            text.matches(&format!("\"line\":\"closed\",\"round\":\"{round}\"")).count()
        };
        // A line is refused that is longer than any may be.
        let long = "x".repeat(2 << 20);
        let round = |code: &str| (code.to_owned(), 0);
        known.unclosed.extend([round("A"), round(&long), round("B")]);
        let mut closing = Closing::default();
        closing.write(&kept, &mut known, round("A"), 9).await;
        assert!(!closing.waits() && known.unclosed.len() == 2);
        closing.write(&kept, &mut known, round(&long), 9).await;
        let wait = closing.after.map(|after| after.saturating_duration_since(Instant::now()));
        assert!(wait.is_some_and(|wait| wait > CLOSE_AGAIN / 2 && wait <= CLOSE_AGAIN), "{wait:?}");
        assert!(closing.waits() && known.unclosed.contains(&round(&long)));
        // The next of the same look is written all the same, and the wait stays.
        closing.write(&kept, &mut known, round("B"), 9).await;
        assert!(closing.waits() && known.unclosed.len() == 1);
        assert_eq!((lines("A"), lines("B"), lines("x")), (1, 1, 0));
        // When the minute is over it is tried again.
        closing.after = Some(Instant::now());
        assert!(!closing.waits());
    }
}
