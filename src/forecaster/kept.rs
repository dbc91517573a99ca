//! The file `forecasts` of the folder as the loop uses it: lines are added to it, readings come back from it, rounds that
//! have come to their end get their last line, and it tells how forecasts have held so far.

use super::Options;
use super::held::{SoFar, done, held};
use super::record::{Done, Record};
use super::tally::Tally;
use crate::domain::reference::Reference;
use crate::domain::words::{Code, Time};
use crate::planner::model::Ms;
use crate::store::{self, ForecastLines, Forecasts};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The file of a folder, and where it lies.
#[derive(Clone)]
pub struct Kept {
    dir: PathBuf,
    file: Arc<Mutex<Forecasts>>,
}

/// Opens the file `forecasts` of a folder. The folder must be open for writing: its seal is gone then.
///
/// # Errors
/// When it cannot be read or written.
pub fn open_file(dir: &Path, options: &Options) -> Result<Kept, store::Error> {
    let (file, found) = Forecasts::open(dir, options.forecasts_bytes_max, Record::thin)?;
    if !found.damaged.is_empty() {
        tracing::warn!(lines = found.damaged.len(), "lines of the file forecasts are damaged");
    }
    Ok(Kept { dir: dir.into(), file: Arc::new(Mutex::new(file)) })
}

/// A round of the file: its code, and when it was opened, ms since 1970.
pub(super) type RoundOf = (String, i64);

/// What of the file stays in memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Known {
    /// Rounds that have lines, and none that says that they were closed.
    pub unclosed: BTreeSet<RoundOf>,
    /// How forecasts have held so far.
    pub so_far: SoFar,
}

impl Known {
    /// Of the lines of a file.
    fn of(texts: &[String]) -> Known {
        let (mut all, mut closed) = (BTreeSet::new(), BTreeSet::new());
        for record in texts.iter().filter_map(|text| Record::read(text)) {
            let (code, opened_at) = record.round();
            let round = (code.to_owned(), opened_at);
            let list = if matches!(record, Record::Closed { .. }) { &mut closed } else { &mut all };
            list.insert(round);
        }
        Known {
            unclosed: all.difference(&closed).cloned().collect(),
            so_far: SoFar::of(&held(texts)),
        }
    }

    /// Each round that was closed and has no last line yet, with the time at which it was, ms since its opening. It was left
    /// for a newer one, or nobody looked when it was closed, or the line could not be written: so it stays unclosed until
    /// it is.
    pub fn ended(&self, reference: &Reference) -> Vec<(RoundOf, Ms)> {
        let ended = self.unclosed.iter().filter_map(|(code, opened_at)| {
            let round = reference.rounds.get(code.as_str())?;
            let closed = round.closed_at.filter(|_| round.opened_at.0 == *opened_at)?;
            // Whatever clocks say: a length of time.
            let since = closed.ms_since(Time(*opened_at)).clamp(0, Ms::MAX.into());
            Some(((code.clone(), *opened_at), Ms::try_from(since).unwrap_or(Ms::MAX)))
        });
        ended.collect()
    }
}

impl Kept {
    /// Reads the file. What cannot be read is told in the log, and is nothing.
    async fn read<T: Send + 'static + Default>(
        &self,
        of: impl FnOnce(&[String]) -> T + Send + 'static,
    ) -> T {
        let dir = self.dir.clone();
        let read = tokio::task::spawn_blocking(move || {
            ForecastLines::read(&dir).map(|lines| of(&lines.texts))
        });
        match read.await {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => {
                tracing::warn!(error = error.chain(), "the file forecasts cannot be read back");
                T::default()
            }
            Err(_) => T::default(),
        }
    }

    /// What is known of the file now.
    pub(super) async fn known(&self) -> Known {
        self.read(Known::of).await
    }

    /// The readings of a round that stand in the file, each with its position of the log.
    pub(super) async fn readings(&self, code: &Code, opened_at: Time) -> Vec<(u64, Tally)> {
        let code = code.clone();
        let of_round = move |text: &String| match Record::read(text)? {
            Record::Reading { round, opened_at: opened, seq, tally }
                if round == code.as_str() && opened == opened_at.0 =>
            {
                Some((seq, tally))
            }
            _ => None,
        };
        self.read(move |texts| texts.iter().filter_map(of_round).collect()).await
    }

    /// When a round that is closed now was done, by its lines.
    pub(super) async fn done(&self, round: &RoundOf) -> Done {
        let (code, opened_at) = round.clone();
        self.read(move |texts| done(texts, &code, opened_at)).await
    }

    /// Adds a line, and says whether it was written. A fault costs the line and nothing else.
    pub(super) async fn append(&self, record: Record) -> bool {
        let file = Arc::clone(&self.file);
        let written = tokio::task::spawn_blocking(move || {
            let text = record.text();
            file.lock().unwrap_or_else(PoisonError::into_inner).append(&text)
        });
        match written.await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::warn!(
                    error = error.chain(),
                    "a line of the file forecasts was not written"
                );
                false
            }
            Err(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::reference::Round;

    fn lines(records: &[Record]) -> Vec<String> {
        records.iter().map(Record::text).collect()
    }

    fn reading(round: &str, opened_at: i64) -> Record {
        let tally = Tally { at: 1, ..Tally::default() };
        Record::Reading { round: round.into(), opened_at, seq: 1, tally }
    }

    fn closed(round: &str, opened_at: i64, at: Ms) -> Record {
        Record::Closed { round: round.into(), opened_at, at, done: None }
    }

    fn reference(rounds: &[(&str, i64, Option<i64>)]) -> Reference {
        let mut reference = Reference::default();
        for (code, opened_at, closed_at) in rounds.iter().copied() {
            let round = Round {
                name: Code::default(),
                key_id: Code::default(),
                pool: 10,
                opened_at: Time(opened_at),
                closed_at: closed_at.map(Time),
            };
            reference.rounds.insert(code.into(), round);
        }
        reference
    }

    #[test]
    fn whoever_adds_a_line_is_told_whether_it_stands() {
        let dir = tempfile::tempdir().unwrap();
        let kept = open_file(dir.path(), &Options::default()).unwrap();
        let long = "x".repeat(2 << 20);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let written = [reading("A", 5), closed(&long, 5, 9), closed("A", 5, 9)]
            .map(|record| runtime.block_on(kept.append(record)));
        assert_eq!(written, [true, false, true]);
        let known = runtime.block_on(kept.known());
        assert_eq!(known.unclosed.len(), 0);
    }

    #[test]
    fn every_round_that_was_closed_gets_its_last_line_once() {
        let mut known = Known::of(&lines(&[
            reading("A", 5),
            closed("A", 5, 9),
            reading("B", 10),
            reading("C", 20),
            reading("D", 30),
            // Of another folder, or a code that was used before.
            reading("E", 40),
        ]));
        let unclosed: Vec<&str> = known.unclosed.iter().map(|round| round.0.as_str()).collect();
        assert_eq!(unclosed, ["B", "C", "D", "E"]);
        let mut rounds = vec![
            ("A", 5, Some(14)),
            // While nobody looked; left for a newer one and still open; by a clock that went back.
            ("B", 10, Some(70)),
            ("C", 20, None),
            ("D", 30, Some(29)),
            ("E", 41, Some(99)),
        ];
        let ended = |known: &Known, rounds: &[_]| {
            let ended = known.ended(&reference(rounds)).into_iter();
            ended.map(|((code, opened_at), at)| (code, opened_at, at)).collect::<Vec<_>>()
        };
        let of = |code: &str, opened_at: i64, at: Ms| (code.to_owned(), opened_at, at);
        assert_eq!(ended(&known, &rounds), [of("B", 10, 60), of("D", 30, 0)]);
        // Until their lines are written they are not forgotten.
        assert_eq!(ended(&known, &rounds).len(), 2);
        known.unclosed.retain(|(code, _)| code == "C" || code == "E");
        assert_eq!(ended(&known, &rounds), []);
        // The one that was left is closed at last.
        rounds[2].2 = Some(i64::MAX);
        assert_eq!(ended(&known, &rounds), [of("C", 20, Ms::MAX)]);
    }
}
