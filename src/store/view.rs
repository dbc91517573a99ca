//! A look at records and people as they were at one sequence.

use super::error::Error;
use super::index::{self, Entry, PEOPLE};
use super::keys::Kind;
use super::open::{LOG, RECORDS};
use super::read::{Shared, code_of, describe, seq_of};
use super::records::{decode_as, decode_event};
use crate::domain::fact::Event;
use crate::domain::tube::TubeRecord;
use crate::domain::{Code, PersonKey};
use rocksdb::{DB, IteratorMode, ReadOptions, SnapshotWithThreadMode};
use std::sync::Arc;

/// Records and person index at one sequence.
pub struct View<'a> {
    shared: &'a Shared,
    state: SnapshotWithThreadMode<'a, DB>,
    pending: Vec<Arc<Vec<Entry>>>,
    seq: u64,
}

impl<'a> View<'a> {
    pub(super) fn new(shared: &'a Shared) -> View<'a> {
        // In this order: what is committed between the two is cut off by its sequence, and what
        // moves from memory to a file is seen in one of them at least.
        let seq = shared.last().0;
        let state = shared.state.snapshot();
        let pending = shared.people.snapshot();
        View { shared, state, pending, seq }
    }

    /// The sequence. The records may already show what was committed while the view was taken.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Every tube, in the order of the codes.
    pub fn for_each_tube(&self, each: &mut dyn FnMut(Code, TubeRecord)) -> Result<(), Error> {
        let records = self.shared.state.cf_handle(RECORDS).expect("opened with its families");
        let mut options = ReadOptions::default();
        options.set_iterate_range(Kind::Tube.start()..Kind::Tube.end());
        options.fill_cache(false);
        for item in self.state.iterator_cf_opt(records, options, IteratorMode::Start) {
            let (key, value) = item?;
            each(code_of(&key)?, decode_as(&value, || describe(&key))?);
        }
        Ok(())
    }

    /// Every (person, sequence) once, ascending, up to the view's sequence.
    pub fn for_each_person_entry(&self, each: &mut dyn FnMut(PersonKey, u64)) -> Result<(), Error> {
        let family = self.shared.index.cf_handle(PEOPLE).expect("opened with its families");
        let mut options = ReadOptions::default();
        options.set_total_order_seek(true);
        options.fill_cache(false);
        let waiting = index::merge(&self.pending);
        let mut waiting = waiting.into_iter().peekable();
        let mut last: Option<Entry> = None;
        let mut see = |entry: Entry| {
            if entry.1 <= self.seq && last != Some(entry) {
                last = Some(entry);
                each(PersonKey(entry.0), entry.1);
            }
        };
        for item in self.shared.index.iterator_cf_opt(family, options, IteratorMode::Start) {
            let (key, _) = item?;
            let entry = index::parse_key(&key)
                .ok_or_else(|| Error::Damaged { what: format!("person index key {key:02x?}") })?;
            while let Some(earlier) = waiting.next_if(|waiting| *waiting < entry) {
                see(earlier);
            }
            see(entry);
        }
        waiting.for_each(see);
        Ok(())
    }

    /// The sequences of the parts of rosters, ascending.
    pub fn roster_events(&self) -> Result<Vec<u64>, Error> {
        let records = self.shared.state.cf_handle(RECORDS).expect("opened with its families");
        let mut options = ReadOptions::default();
        options.set_iterate_range(Kind::RosterEvent.start()..Kind::RosterEvent.end());
        let items = self.state.iterator_cf_opt(records, options, IteratorMode::Start);
        items
            .map(|item| seq_of(&item?.0))
            .filter(|seq| !matches!(seq, Ok(seq) if *seq > self.seq))
            .collect()
    }

    /// An event by its sequence.
    pub fn event(&self, seq: u64) -> Result<Option<Event>, Error> {
        let log = self.shared.state.cf_handle(LOG).expect("opened with its families");
        let bytes = self.state.get_pinned_cf(log, super::keys::seq(Kind::Event, seq))?;
        bytes.map(|bytes| decode_event(seq, &bytes)).transpose()
    }
}
