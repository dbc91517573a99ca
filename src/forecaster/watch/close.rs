//! Rounds that were closed: their last reading and their last line.

use super::{Watch, since};
use crate::domain::reference::Reference;
use crate::domain::words::{Code, Time};
use crate::forecaster::kept::RoundOf;
use crate::forecaster::record::Record;
use crate::forecaster::tally::Tally;
use std::time::Duration;
use tokio::time::Instant;

/// After this time a last line that could not be written is tried again: a full disk is seldom empty in a second.
const CLOSE_AGAIN: Duration = Duration::from_secs(60);

impl Watch {
    /// Rounds of the file that were closed get a last reading and their last line: the one that was watched, one that was left
    /// for a newer one, one that was closed while the service was down. From then on their forecasts can be judged. A line
    /// that cannot be written is tried again.
    pub(super) async fn close(&mut self, reference: &Reference) {
        if self.close_after.is_some_and(|after| Instant::now() < after) {
            return;
        }
        let ended = self.known.ended(reference);
        if ended.is_empty() {
            return;
        }
        for (round, at) in ended {
            self.read_last(&round, reference).await;
            let done = Some(Box::new(self.kept.done(&round).await));
            let (code, opened_at) = round.clone();
            let line = Record::Closed { round: code, opened_at, at, done };
            match self.kept.append(line).await {
                true => _ = self.known.unclosed.remove(&round),
                false => self.close_after = Some(Instant::now() + CLOSE_AGAIN),
            }
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
