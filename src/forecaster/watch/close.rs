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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::reference::Round;
    use crate::engine::{self, Engine};
    use crate::forecaster::kept::open_file;
    use crate::forecaster::{Forecaster, Options};
    use crate::store::{FolderKind, Store};
    use std::path::Path;

    /// A watch over a new drill folder, and the engine that it looks at.
    async fn watch(dir: &Path) -> (Watch, Engine) {
        let store =
            Store::open(dir, Some(FolderKind::Drill), &crate::store::Options::default()).unwrap();
        let engine = Engine::start(store, &engine::Options::default()).unwrap();
        let kept = open_file(dir, &Options::default()).unwrap();
        let forecaster = Forecaster::new(Options::default()).unwrap();
        let known = kept.known().await;
        let handle = engine.handle();
        let watch =
            Watch { forecaster, handle, kept, known, round: None, making: None, close_after: None };
        (watch, engine)
    }

    /// Rounds that were opened and closed when the drill's clock began.
    fn closed(rounds: &[&str]) -> Reference {
        let mut reference = Reference::default();
        for code in rounds {
            let (name, key_id, pool) = (Code::default(), Code::default(), 10);
            let (opened_at, closed_at) = (Time(0), Some(Time(0)));
            let round = Round { name, key_id, pool, opened_at, closed_at };
            reference.rounds.insert(Code::from(*code), round);
        }
        reference
    }

    /// How many last lines the file has of a round.
    fn lines(dir: &Path, round: &str) -> usize {
        let text = std::fs::read_to_string(dir.join("forecasts")).unwrap_or_default();
        text.matches(&format!("\"line\":\"closed\",\"round\":\"{round}\"")).count()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_last_line_that_cannot_be_written_is_tried_again_after_a_minute_and_holds_no_other_up()
     {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        let (mut watch, engine) = watch(dir).await;
        // A line is refused that is longer than any may be.
        let long = "x".repeat(2 << 20);
        let reference = closed(&[&long, "A", "B"]);
        let note = |watch: &mut Watch, code: &str| {
            watch.known.unclosed.insert((code.to_owned(), 0));
        };
        note(&mut watch, &long);
        note(&mut watch, "A");
        watch.close(&reference).await;
        assert_eq!((lines(dir, "A"), lines(dir, "x")), (1, 0));
        assert_eq!(
            watch.known.unclosed.iter().map(|(code, _)| code.len()).collect::<Vec<_>>(),
            [2 << 20]
        );
        let again = watch.close_after.expect("it is tried again");
        let wait = again.saturating_duration_since(Instant::now());
        assert!(wait > CLOSE_AGAIN / 2 && wait <= CLOSE_AGAIN, "{wait:?}");
        // Until then nothing is tried, however often the loop looks.
        note(&mut watch, "B");
        for _ in 0..3 {
            watch.close(&reference).await;
        }
        assert_eq!((lines(dir, "B"), watch.close_after), (0, Some(again)));
        // Then all of it is, and what was written is not written twice.
        watch.close_after = Some(Instant::now());
        watch.close(&reference).await;
        assert_eq!(["A", "B", "x"].map(|round| lines(dir, round)), [1, 1, 0]);
        assert!(watch.close_after.is_some_and(|next| next > again));
        // Once it can be written, nothing is left.
        watch.known.unclosed.clear();
        note(&mut watch, "C");
        watch.close_after = Some(Instant::now());
        watch.close(&closed(&["C"])).await;
        assert_eq!((lines(dir, "C"), watch.known.unclosed.len()), (1, 0));
        drop(watch);
        engine.stop().unwrap();
    }
}
