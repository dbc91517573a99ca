//! Reading: a cheap handle that everybody may hold. Nothing here can change the folder.

use super::codec::Wire;
use super::codes::Codes;
use super::entry;
use super::error::Error;
use super::folder::Folder;
use super::index::Index;
use super::keys::{self, Kind};
use super::layer::Layers;
use super::log::{Hash, Head, LogProof};
use super::merged::merged;
use super::open::{HEADS, LOG, RECORDS};
use super::recent::Recent;
use super::records::{decode_as, decode_event};
use super::view::View;
use crate::domain::boxes::BoxRecord;
use crate::domain::counters::{CellKey, Figures};
use crate::domain::discrepancy::Discrepancy;
use crate::domain::fact::{Event, FactId};
use crate::domain::person::PersonRecord;
use crate::domain::plate::PlateRecord;
use crate::domain::source::SourceState;
use crate::domain::tube::TubeRecord;
use crate::domain::world::RecordKind;
use crate::domain::{Code, PersonKey};
use rocksdb::{ColumnFamily, DB, Direction, IteratorMode, ReadOptions};
use std::path::PathBuf;
use std::sync::atomic::{self, AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// What writer and readers share.
pub struct Shared {
    pub(super) dir: PathBuf,
    pub(super) folder: Folder,
    pub(super) state: DB,
    pub(super) fold: DB,
    pub(super) people: Index,
    pub(super) facts: Index,
    pub(super) tubes: Index,
    pub(super) layers: Layers,
    pub(super) recent: Recent,
    /// The tubes that may stand in files, or in the index of tubes.
    pub(super) codes: Codes,
    pub(super) last: Mutex<(u64, Hash)>,
    /// The first fault of the disk. After it nothing is written to the folder again.
    pub(super) failed: OnceLock<String>,
    /// The last sequence whose records and index entries have been put where readers look.
    pub(super) folded_to: AtomicU64,
    /// Somebody waits for everything to be merged.
    pub(super) settling: AtomicBool,
    pub(super) _lock: Option<std::fs::File>,
}

impl Shared {
    pub(super) fn log(&self) -> &ColumnFamily {
        self.state.cf_handle(LOG).expect("opened with its families")
    }

    pub(super) fn heads(&self) -> &ColumnFamily {
        self.state.cf_handle(HEADS).expect("opened with its families")
    }

    pub(super) fn records(&self) -> &ColumnFamily {
        self.fold.cf_handle(RECORDS).expect("opened with its families")
    }

    /// All indexes.
    pub(super) fn indexes(&self) -> [&Index; 3] {
        [&self.people, &self.facts, &self.tubes]
    }

    pub(super) fn last(&self) -> (u64, Hash) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_last(&self, seq: u64, hash: Hash) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = (seq, hash);
    }

    /// Every event from `from` to `to`, both included, in order.
    pub(super) fn for_each_event(
        &self,
        from: u64,
        to: u64,
        each: &mut dyn FnMut(Event) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut options = ReadOptions::default();
        options.set_iterate_range(
            keys::seq(Kind::Event, from)..keys::seq(Kind::Event, to.saturating_add(1)),
        );
        for item in self.state.iterator_cf_opt(self.log(), options, IteratorMode::Start) {
            let (key, value) = item?;
            each(decode_event(seq_of(&key)?, &value)?)?;
        }
        Ok(())
    }
}

/// The sequence in a key.
pub(super) fn seq_of(key: &[u8]) -> Result<u64, Error> {
    let bytes = key.get(1..).and_then(|rest| rest.try_into().ok());
    bytes.map(u64::from_be_bytes).ok_or_else(|| Error::Damaged { what: format!("key {key:02x?}") })
}

/// What is done with each key and value of a scan.
pub(super) type EachRecord<'a> = dyn FnMut(&[u8], &[u8]) -> Result<(), Error> + 'a;

/// A handle for reading. Every method may wait for the disk.
#[derive(Clone)]
pub struct Read {
    shared: Arc<Shared>,
}

impl Read {
    pub(super) fn new(shared: Arc<Shared>) -> Read {
        Read { shared }
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    fn record<T: Wire>(&self, key: &[u8]) -> Result<Option<T>, Error> {
        let bytes = self.shared.fold.get_pinned_cf(self.shared.records(), key)?;
        bytes.map(|bytes| decode_as(&bytes, || describe(key))).transpose()
    }

    /// A tube by its code.
    pub fn tube(&self, code: &str) -> Result<Option<Arc<TubeRecord>>, Error> {
        match self.recorded(code)? {
            None => Ok(self.shared.collected(code)?.map(Arc::new)),
            recorded => Ok(recorded),
        }
    }

    /// A tube by its code, if it has a record.
    pub(super) fn recorded(&self, code: &str) -> Result<Option<Arc<TubeRecord>>, Error> {
        match self.shared.layers.tube(code) {
            Some(tube) if !crate::breaks::on("seen_in_files_only") => Ok(Some(tube)),
            _ => {
                let mut stored: Option<TubeRecord> = self.record(&keys::code(Kind::Tube, code))?;
                self.shared.fill(stored.iter_mut())?;
                Ok(stored.map(Arc::new))
            }
        }
    }

    /// Several tubes at once, in the order asked.
    pub fn tubes(&self, codes: &[Code]) -> Result<Vec<Option<Arc<TubeRecord>>>, Error> {
        let mut found = self.shared.layers.tubes(codes);
        let mut missing: Vec<usize> = (0..codes.len()).filter(|at| found[*at].is_none()).collect();
        // After the layers: what has left them was noted before.
        self.shared.codes.keep_known(&mut missing, |at| &codes[at]);
        if missing.is_empty() {
            return Ok(found);
        }
        let mut records: Vec<(usize, TubeRecord)> = self.stored(&missing, codes)?;
        self.shared.fill(records.iter_mut().map(|(_, tube)| tube))?;
        records.into_iter().for_each(|(at, tube)| found[at] = Some(Arc::new(tube)));
        missing.retain(|at| found[*at].is_none());
        for (at, tube) in self.shared.collected_at(&missing, |at| &codes[at])? {
            found[at] = Some(Arc::new(tube));
        }
        Ok(found)
    }

    /// The tubes at some places of a list that have a record in a file, with stand-ins for people.
    fn stored(&self, places: &[usize], codes: &[Code]) -> Result<Vec<(usize, TubeRecord)>, Error> {
        let keys: Vec<_> = places.iter().map(|at| keys::code(Kind::Tube, &codes[*at])).collect();
        let stored = self.shared.fold.batched_multi_get_cf(self.shared.records(), &keys, false);
        let mut records = Vec::new();
        for ((at, bytes), key) in places.iter().zip(stored).zip(&keys) {
            if let Some(bytes) = bytes? {
                records.push((*at, decode_as(&bytes, || describe(key))?));
            }
        }
        Ok(records)
    }

    /// Of each tube whether it has a record: more is known of it than that it was collected.
    pub(super) fn records_of(&self, codes: &[Code]) -> Result<Vec<bool>, Error> {
        let above = self.shared.layers.tubes(codes);
        let mut found: Vec<bool> = above.iter().map(Option::is_some).collect();
        let missing: Vec<usize> = (0..codes.len()).filter(|at| !found[*at]).collect();
        self.stored(&missing, codes)?.into_iter().for_each(|(at, _)| found[at] = true);
        Ok(found)
    }

    /// A box by its code.
    pub fn container(&self, code: &str) -> Result<Option<Arc<BoxRecord>>, Error> {
        match self.shared.layers.container(code) {
            Some(container) => Ok(Some(container)),
            None => self.record(&keys::code(Kind::Container, code)),
        }
    }

    /// A plate by its code.
    pub fn plate(&self, code: &str) -> Result<Option<Arc<PlateRecord>>, Error> {
        match self.shared.layers.plate(code) {
            Some(plate) => Ok(Some(plate)),
            None => self.record(&keys::code(Kind::Plate, code)),
        }
    }

    /// The recalls and recollections of a person.
    pub fn person(&self, key: PersonKey) -> Result<Option<Arc<PersonRecord>>, Error> {
        match self.shared.layers.person(&key) {
            Some(person) => Ok((!person.parts.is_empty()).then_some(person)),
            None => self.record(&keys::person(key)),
        }
    }

    /// An event by its sequence. What has been appended and is not durable yet is nobody's to see.
    pub fn event(&self, seq: u64) -> Result<Option<Event>, Error> {
        if seq > self.last_seq() {
            return Ok(None);
        }
        let (log, key) = (self.shared.log(), keys::seq(Kind::Event, seq));
        let bytes = self.shared.state.get_pinned_cf(log, key)?;
        bytes.map(|bytes| decode_event(seq, &bytes)).transpose()
    }

    /// The events from a sequence on, at most so many.
    pub fn events(&self, from: u64, count: usize) -> Result<Vec<Event>, Error> {
        let mut events = Vec::with_capacity(count);
        let to = from.saturating_add(count as u64 - 1);
        self.shared.for_each_event(from, to, &mut |event| {
            events.push(event);
            Ok(())
        })?;
        Ok(events)
    }

    /// The last sequence that every reader sees in records and indexes. At least that of the log's
    /// last batch but for a moment.
    pub fn folded_to(&self) -> u64 {
        self.shared.folded_to.load(atomic::Ordering::Acquire)
    }

    /// The last sequence whose records stand in files; the rest is in memory.
    pub fn records_to(&self) -> Result<u64, Error> {
        self.shared.records_to()
    }

    /// The proof that an event stands in the log.
    pub fn proof(&self, seq: u64) -> Result<Option<LogProof>, Error> {
        let Some((first, head)) = self.batch_of(seq)? else { return Ok(None) };
        let (at, form) = (usize::try_from(seq - first).unwrap_or(usize::MAX), head.form(first));
        let (mut leaves, mut event_bytes) = (Vec::new(), Vec::new());
        let mut options = ReadOptions::default();
        let end = first + u64::from(head.count);
        options.set_iterate_range(keys::seq(Kind::Event, first)..keys::seq(Kind::Event, end));
        let log = self.shared.log();
        for item in self.shared.state.iterator_cf_opt(log, options, IteratorMode::Start) {
            let (_, value) = item?;
            if leaves.len() == at {
                event_bytes = value.to_vec();
            }
            leaves.push(form.leaf(&value));
        }
        let Some(leaf) = leaves.get(at).copied() else { return Ok(None) };
        Ok(Some(LogProof {
            seq,
            event_bytes,
            leaf,
            path: form.path(&leaves, at),
            batch_first_seq: first,
            batch_count: head.count,
            root: head.root,
            previous: head.previous,
            hash: head.hash,
        }))
    }

    fn batch_of(&self, seq: u64) -> Result<Option<(u64, Head)>, Error> {
        let key = keys::seq(Kind::Batch, seq);
        let mut options = ReadOptions::default();
        options.set_iterate_lower_bound(Kind::Batch.start());
        let from = IteratorMode::From(&key, Direction::Reverse);
        let mut heads = self.shared.state.iterator_cf_opt(self.shared.heads(), options, from);
        let Some(item) = heads.next() else { return Ok(None) };
        let (key, value) = item?;
        let first = seq_of(&key)?;
        let head = Head::decode(first, &value)?;
        Ok((seq < first + u64::from(head.count)).then_some((first, head)))
    }

    /// The events that name a person: collections, corrections, rosters; ascending.
    pub fn person_seqs(&self, key: PersonKey) -> Result<Vec<u64>, Error> {
        self.shared.people.find(&self.shared.fold, &key.0)
    }

    /// The event that a fact id was recorded as.
    pub fn event_of_fact(&self, id: &FactId) -> Result<Option<Event>, Error> {
        // If it was ever recorded twice, the first is the one.
        for seq in self.shared.facts.find(&self.shared.fold, &entry::fact_key(id))? {
            if let Some(event) = self.event(seq)?.filter(|event| event.fact.id == *id) {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    /// What has arrived from a source, by epoch.
    pub fn source(&self, source: &str) -> Result<Vec<(u64, SourceState)>, Error> {
        let start = keys::source_start(source);
        let mut found = Vec::new();
        self.scan(&start, &start, usize::MAX, &mut |key, value| {
            if let Some((_, epoch)) = keys::parse_source(key) {
                found.push((epoch, decode_as(value, || describe(key))?));
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// What has arrived from a source in one epoch.
    pub fn source_in(&self, source: &Code, epoch: u64) -> Result<Option<SourceState>, Error> {
        match self.shared.layers.source(&(source.clone(), epoch)) {
            Some(state) => Ok(Some(state)),
            None => self.record(&keys::source(source, epoch)),
        }
    }

    /// Every cell.
    pub fn cells(&self) -> Result<Vec<(CellKey, Figures)>, Error> {
        let mut cells = Vec::new();
        self.scan(&Kind::Cell.start(), &Kind::Cell.start(), usize::MAX, &mut |key, value| {
            let damaged = || Error::Damaged { what: describe(key) };
            let cell = keys::parse_cell(key).ok_or_else(damaged)?;
            cells.push((cell, decode_as(value, || describe(key))?));
            Ok(())
        })?;
        Ok(cells)
    }

    /// The sequences of the events that others are judged by, ascending.
    pub fn reference_events(&self) -> Result<Vec<u64>, Error> {
        self.seqs(Kind::ReferenceEvent)
    }

    /// The sequences of the parts of rosters, ascending.
    pub fn roster_events(&self) -> Result<Vec<u64>, Error> {
        self.seqs(Kind::RosterEvent)
    }

    fn seqs(&self, kind: Kind) -> Result<Vec<u64>, Error> {
        let mut seqs = Vec::new();
        self.scan(&kind.start(), &kind.start(), usize::MAX, &mut |key, _| {
            seqs.push(seq_of(key)?);
            Ok(())
        })?;
        Ok(seqs)
    }

    /// Tubes that have a record, in the order of their codes, strictly after `after`. The others are told by
    /// [`Read::collected_after`].
    pub fn tubes_from(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(Code, TubeRecord)>, Error> {
        let from =
            after.map_or_else(|| Kind::Tube.start(), |code| next(keys::code(Kind::Tube, code)));
        let mut tubes = Vec::new();
        self.scan(&Kind::Tube.start(), &from, limit, &mut |key, value| {
            tubes.push((code_of(key)?, decode_as(value, || describe(key))?));
            Ok(())
        })?;
        self.shared.fill(tubes.iter_mut().map(|(_, tube)| tube))?;
        Ok(tubes)
    }

    /// Records with a discrepancy, strictly after `after`.
    pub fn odd_from(
        &self,
        what: Discrepancy,
        after: Option<(RecordKind, &str)>,
        limit: usize,
    ) -> Result<Vec<(RecordKind, Code)>, Error> {
        let start = keys::odd_start(what);
        let from =
            after.map_or_else(|| start.clone(), |(kind, code)| next(keys::odd(what, kind, code)));
        let mut found = Vec::new();
        self.scan(&start, &from, limit, &mut |key, _| {
            found.push(keys::parse_odd(key).ok_or_else(|| Error::Damaged { what: describe(key) })?);
            Ok(())
        })?;
        Ok(found)
    }

    /// People who have or had to come back, in key order, strictly after `after`.
    pub fn people_from(
        &self,
        after: Option<PersonKey>,
        limit: usize,
    ) -> Result<Vec<(PersonKey, PersonRecord)>, Error> {
        let from = after.map_or_else(|| Kind::Person.start(), |person| next(keys::person(person)));
        let mut people = Vec::new();
        self.scan(&Kind::Person.start(), &from, limit, &mut |key, value| {
            let person = key[1..].try_into().map_err(|_| Error::Damaged { what: describe(key) })?;
            people.push((PersonKey(person), decode_as(value, || describe(key))?));
            Ok(())
        })?;
        Ok(people)
    }

    /// Records from `from` on whose key begins with `prefix`, in files and in layers.
    fn scan(
        &self,
        prefix: &[u8],
        from: &[u8],
        limit: usize,
        each: &mut EachRecord<'_>,
    ) -> Result<(), Error> {
        // Layers first: what moves to a file meanwhile is then seen in both rather than never.
        let layers = self.shared.layers.freeze();
        let mut options = ReadOptions::default();
        options.set_iterate_range(rocksdb::PrefixRange(prefix));
        let mode = IteratorMode::From(from, Direction::Forward);
        let stored = self.shared.fold.iterator_cf_opt(self.shared.records(), options, mode);
        merged(&layers, prefix, from, limit, stored, each)
    }

    /// A look at everything as it was at one sequence.
    pub fn view(&self) -> View<'_> {
        View::new(&self.shared)
    }

    /// The last sequence of the log that is durable.
    pub fn last_seq(&self) -> u64 {
        self.shared.last().0
    }

    /// The hash of the last batch.
    pub fn last_hash(&self) -> Hash {
        self.shared.last().1
    }

    /// What the folder is.
    pub fn folder(&self) -> &Folder {
        &self.shared.folder
    }

    /// Figures of the database for metrics: (name, value).
    pub fn gauges(&self) -> Vec<(&'static str, u64)> {
        let of =
            |name: &str| self.shared.state.property_int_value(name).ok().flatten().unwrap_or(0);
        let held = self.shared.indexes().iter().map(|index| index.runs.bytes_held()).sum::<usize>();
        vec![
            ("background_errors", of("rocksdb.background-errors")),
            ("write_stopped", of("rocksdb.is-write-stopped")),
            ("delayed_write_rate", of("rocksdb.actual-delayed-write-rate")),
            ("index_pending_people", self.shared.people.pending.count() as u64),
            ("index_pending_facts", self.shared.facts.pending.count() as u64),
            ("index_pending_tubes", self.shared.tubes.pending.count() as u64),
            ("index_runs_people", self.shared.people.runs.count() as u64),
            ("index_runs_facts", self.shared.facts.runs.count() as u64),
            ("index_runs_tubes", self.shared.tubes.runs.count() as u64),
            ("records_pending", self.shared.layers.count() as u64),
            ("recent_tubes_bytes", self.shared.recent.bytes() as u64),
            ("known_tubes_bytes", self.shared.codes.bytes() as u64),
            ("index_memory_bytes", held as u64),
        ]
    }
}

/// The first key after `key`.
fn next(mut key: Vec<u8>) -> Vec<u8> {
    key.push(0);
    key
}

pub(super) fn code_of(key: &[u8]) -> Result<Code, Error> {
    Code::from_utf8(&key[1..]).map_err(|_| Error::Damaged { what: describe(key) })
}

/// A key in words.
pub(super) fn describe(key: &[u8]) -> String {
    match Kind::of(key) {
        None => format!("unknown kind of key {key:02x?}"),
        Some(kind @ (Kind::Tube | Kind::Container | Kind::Plate | Kind::IndexMark)) => {
            format!("{} {}", kind.name(), String::from_utf8_lossy(&key[1..]))
        }
        Some(kind @ (Kind::Event | Kind::Batch | Kind::ReferenceEvent | Kind::RosterEvent)) => {
            let seq = seq_of(key).map_or_else(|_| "?".to_owned(), |seq| seq.to_string());
            format!("{} {seq}", kind.name())
        }
        Some(kind) => {
            let readable: String = key[1..]
                .iter()
                .map(|b| if b.is_ascii_graphic() { char::from(*b) } else { '.' })
                .collect();
            format!("{} {readable}", kind.name())
        }
    }
}
