//! Keeping: beside the commit path, what committed batches made of records and indexes is put into
//! files, and files are merged. Nothing here can hold up a commit but its limits, and nothing is
//! lost when it stops half-way: the log is durable, and the rest is folded from it again.

use super::codec;
use super::codes::word_of;
use super::collected::{Sequences, collections};
use super::error::Error;
use super::index::Index;
use super::keys::{self, Kind};
use super::layer::{self, Layer};
use super::open::{self, Options, RECORDS};
use super::read::{Shared, code_of, describe};
use super::records::decode_as;
use super::runs::Merge;
use crate::domain::Code;
use crate::domain::tube::TubeRecord;
use crate::domain::world::collected;
use crossbeam::channel::{Receiver, RecvTimeoutError};
use rocksdb::{IngestExternalFileOptions, IteratorMode, ReadOptions, SstFileWriter};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// After so many failures in a row to write a file, intake is stopped with the cause.
const FAILURES_MAX: u32 = 10;

/// Records that wait are put into a file at the latest after this, also when they are few: what is
/// not in a file is folded again after a crash.
const AGE_MAX: Duration = Duration::from_secs(30);

/// After so long without a commit, runs and records are merged as far as they can be.
const IDLE: Duration = Duration::from_secs(20);

/// How much waits before it is put into a file.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    run_entries: usize,
    records: usize,
}

impl Sizes {
    pub fn new(options: &Options) -> Sizes {
        // Well below the limits at which the writer waits: else both would wait for each other.
        Sizes {
            run_entries: options.index_run_entries.min(options.index_pending_max / 2).max(1),
            records: options.records_run.min(options.records_pending_max / 2).max(1),
        }
    }

    /// True when enough waits for a file.
    pub fn are_reached(&self, shared: &Shared) -> bool {
        let long = |index: &Index| index.pending.count() >= self.run_entries;
        shared.indexes().into_iter().any(long) || shared.layers.count() >= self.records
    }
}

/// Writes files whenever enough waits, and the rest when the store closes.
pub fn keep(shared: &Shared, wake: &Receiver<()>, sizes: Sizes) {
    let mut failures = 0;
    let mut written_at = Instant::now();
    loop {
        let woken = wake.recv_timeout(Duration::from_secs(1));
        let going_on = woken != Err(RecvTimeoutError::Disconnected);
        if shared.failed.get().is_some() {
            if going_on { continue } else { return }
        }
        let worked = keep_indexes(shared, going_on.then_some(sizes.run_entries)).and_then(|()| {
            let waiting = shared.layers.count();
            let due = waiting >= sizes.records || written_at.elapsed() >= AGE_MAX;
            if due || !going_on {
                keep_records(shared)?;
                written_at = Instant::now();
            }
            Ok(())
        });
        match worked {
            Ok(()) => failures = 0,
            // Nothing is lost: it all stays in memory and in the log. But if it goes on like this,
            // intake would stop without a word.
            Err(error) => {
                tracing::error!(error = %error.chain(), "cannot write a file of records or indexes");
                failures += 1;
                if failures >= FAILURES_MAX || !going_on {
                    shared.fail(&error);
                }
                std::thread::sleep(Duration::from_secs(1));
            }
        }
        if !going_on {
            return;
        }
    }
}

/// `enough` = write only what has so many entries; `None` = write everything.
fn keep_indexes(shared: &Shared, enough: Option<usize>) -> Result<(), Error> {
    for index in shared.indexes() {
        if enough.is_none_or(|enough| index.pending.count() >= enough) {
            index.write_run(&shared.fold, &shared.dir)?;
        }
    }
    Ok(())
}

/// Puts all records that wait into one sorted file and takes it in: all of them with the sequence
/// they are complete to, or none.
fn keep_records(shared: &Shared) -> Result<(), Error> {
    let layers = shared.layers.freeze();
    let Some(to) = layers.last().map(|layer| layer.to) else { return Ok(()) };
    let path = shared.dir.join(format!("{RECORDS}-{to}.sst"));
    // Under the name of a try that failed nothing is written over: the database might hold it.
    let _ = std::fs::remove_file(&path);
    let taken = take_in(shared, &layers, to, &path);
    if taken.is_err() {
        // On a full disk what is left of a try must not take the place of the next.
        let _ = std::fs::remove_file(&path);
    }
    taken?;
    shared.layers.done(layers.len());
    Ok(())
}

fn take_in(shared: &Shared, layers: &[Arc<Layer>], to: u64, path: &Path) -> Result<(), Error> {
    let options = open::records_file_options();
    let mut file = SstFileWriter::create(&options);
    file.open(path)?;
    let mark = keys::code(Kind::IndexMark, RECORDS);
    layers.iter().for_each(|layer| shared.codes.add(layer.tube_codes().map(word_of)));
    let mut recent =
        |code: &Code, tube: &TubeRecord, stored: &[u8]| shared.recent.put(code, tube, stored);
    layer::for_each(layers, &mut recent, &mut |key, value| {
        match value {
            Some(value) => file.put(key, value)?,
            None => file.delete(key)?,
        }
        Ok(())
    })?;
    // The mark's kind comes after those of all records.
    file.put(mark, codec::encode(&to))?;
    file.finish()?;
    let mut ingest = IngestExternalFileOptions::default();
    ingest.set_move_files(true);
    shared.fold.ingest_external_file_cf_opts(shared.records(), &ingest, vec![&path])?;
    Ok(())
}

/// Keeps what waits in memory in few chunks, so that a query looks into few.
pub fn tidy(shared: &Shared, wake: &Receiver<()>) {
    while wake.recv_timeout(Duration::from_secs(1)) != Err(RecvTimeoutError::Disconnected) {
        shared.indexes().iter().for_each(|index| index.pending.tidy());
    }
}

/// How often is looked whether the end of the log has been folded again.
const LOOK: Duration = Duration::from_millis(20);

/// Waits until the end of the log has been folded again when a folder was opened: the service begins after that, and what
/// comes here has time. False when the store closes.
fn end_is_folded(shared: &Shared, until: &Receiver<()>) -> bool {
    let (end, _) = shared.last();
    while shared.folded_to.load(Ordering::Acquire) < end {
        if until.recv_timeout(LOOK) == Err(RecvTimeoutError::Disconnected) {
            return false;
        }
    }
    true
}

/// Merges runs that have become many, and more of them when nothing has come for a while.
pub fn merge(shared: &Shared, wake: &Receiver<()>) {
    let mut last = (shared.last().0, Instant::now());
    let mut idle_done = u64::MAX;
    let mut just_opened = true;
    if !end_is_folded(shared, wake) {
        return;
    }
    while wake.recv_timeout(Duration::from_millis(200)) != Err(RecvTimeoutError::Disconnected) {
        let seq = shared.last().0;
        if seq != last.0 {
            last = (seq, Instant::now());
        }
        let idle = last.1.elapsed() >= IDLE && idle_done != seq;
        let asked = shared.settling.load(Ordering::Acquire);
        let how = match (asked, idle) {
            (true, _) => Merge::All,
            (false, true) => Merge::Idle,
            (false, false) => Merge::Enough,
        };
        // While facts come in, a run that was let go of for newer ones is not read again: it would soon have to go once more.
        let has_room = just_opened || how != Merge::Enough;
        let hold = || match has_room {
            true => [&shared.people, &shared.tubes]
                .iter()
                .try_for_each(|index| index.runs.hold(&shared.fold)),
            false => Ok(()),
        };
        let worked = merge_once(shared, how).and_then(|()| hold());
        just_opened &= worked.is_err();
        match worked {
            Ok(()) if idle => idle_done = seq,
            Ok(()) => {}
            // Merging is for speed alone: it is tried again.
            Err(error) => {
                tracing::error!(error = %error.chain(), "cannot merge files of an index");
                std::thread::sleep(Duration::from_secs(1));
            }
        }
        if asked {
            shared.settling.store(false, Ordering::Release);
        }
    }
}

/// Tubes that are read at a stretch when a folder has been opened, before it is looked whether others want the processor.
const STRETCH: usize = 1_000;

/// Who reads tubes into memory rests so many times as long as it has worked, while facts come in.
const REST: u32 = 3;

/// Tubes that are being noted when a folder has been opened.
struct Noting<'a> {
    shared: &'a Shared,
    until: &'a Receiver<()>,
    begun: Instant,
    /// Where the log ended when it last looked.
    end: u64,
    words: Vec<u64>,
    /// The store closes.
    stopped: bool,
}

impl Noting<'_> {
    /// Without a rest: until all are noted every new tube is looked for in files, which costs intake more.
    fn note(&mut self, word: u64) {
        self.words.push(word);
        if self.words.len() >= STRETCH {
            self.shared.codes.add(self.words.drain(..));
            self.wait(Duration::ZERO);
        }
    }

    /// Gives way to intake, if there is any.
    fn rest(&mut self) {
        let (end, _) = self.shared.last();
        let busy = std::mem::replace(&mut self.end, end) != end;
        self.wait(if busy { self.begun.elapsed() * REST } else { Duration::ZERO });
    }

    fn wait(&mut self, time: Duration) {
        self.stopped = self.until.recv_timeout(time) == Err(RecvTimeoutError::Disconnected);
        self.begun = Instant::now();
    }
}

/// Notes which tubes there are, and keeps the recent ones in memory: reads every record of a tube and the index of tubes
/// once. What the keeper puts there meanwhile is newer and is not covered.
pub fn warm(shared: &Shared, until: &Receiver<()>) {
    if !end_is_folded(shared, until) {
        return;
    }
    let (begun, words) = (Instant::now(), Vec::with_capacity(STRETCH));
    let (end, _) = shared.last();
    let mut noting = Noting { shared, until, begun, end, words, stopped: false };
    let done = note_all(&mut noting).and_then(|recorded| {
        if !noting.stopped {
            shared.codes.add(noting.words.drain(..));
            shared.codes.is_complete();
        }
        remember_collected(&mut noting, &recorded)
    });
    if let Err(error) = done {
        // Questions ask the files then, and say what is wrong where it is.
        tracing::error!(error = %error.chain(), "cannot read tubes into memory");
    }
}

/// Puts the newest of the tubes that were only collected into memory, as many as there is room for; `recorded` = those of
/// which more is known.
fn remember_collected(noting: &mut Noting<'_>, recorded: &Sequences) -> Result<(), Error> {
    let shared = noting.shared;
    let (last, _) = shared.last();
    let mut from = last.saturating_sub(shared.recent.room()) + 1;
    let mut stored = Vec::with_capacity(256);
    while from <= last && !noting.stopped {
        let to = last.min(from + STRETCH as u64 - 1);
        shared.for_each_event(from, to, &mut |event| {
            if !recorded.has(event.seq)
                && let Some((code, tube)) = collected(&event)
            {
                codec::encode_into(&tube, &mut stored);
                shared.recent.put_if_new(&code, &tube, &stored);
            }
            Ok(())
        })?;
        noting.rest();
        from = to + 1;
    }
    Ok(())
}

/// Gives the events that collected tubes of which more is known.
fn note_all(noting: &mut Noting<'_>) -> Result<Sequences, Error> {
    let shared = noting.shared;
    let mut recorded = Sequences::up_to(shared.last().0);
    // What waits first: it may move to a run while the runs are gone through.
    let waiting = shared.tubes.pending.snapshot();
    let in_runs = usize::try_from(shared.tubes.runs.entries()).unwrap_or(usize::MAX);
    shared.codes.expect(in_runs.saturating_add(waiting.len()));
    waiting.iter().for_each(|entry| noting.words.push(entry.words().0));
    shared.tubes.runs.for_each_in_no_order(&shared.fold, &mut |entry| {
        if !noting.stopped {
            noting.note(entry.words().0);
        }
    })?;
    let mut options = ReadOptions::default();
    options.set_iterate_range(Kind::Tube.start()..Kind::Tube.end());
    options.fill_cache(false);
    options.set_readahead_size(1 << 20);
    for item in shared.fold.iterator_cf_opt(shared.records(), options, IteratorMode::Start) {
        if noting.stopped {
            break;
        }
        let (key, value) = item?;
        let tube: TubeRecord = decode_as(&value, || describe(&key))?;
        collections(&tube).for_each(|seq| recorded.insert(seq));
        let code = code_of(&key)?;
        shared.recent.put_if_new(&code, &tube, &value);
        noting.note(word_of(&code));
    }
    Ok(recorded)
}

fn merge_once(shared: &Shared, how: Merge) -> Result<(), Error> {
    for index in shared.indexes() {
        while index.runs.merge(&shared.fold, &shared.dir, how)? {}
    }
    let files = shared.fold.property_int_value_cf(shared.records(), "rocksdb.num-files-at-level0");
    let many = files?.unwrap_or(0) > 3;
    if how == Merge::All || (how == Merge::Idle && many) {
        let everything: (Option<&[u8]>, Option<&[u8]>) = (None, None);
        shared.fold.compact_range_cf(shared.records(), everything.0, everything.1);
        for index in shared.indexes() {
            index.runs.delete_retired(&shared.fold)?;
        }
    }
    Ok(())
}
