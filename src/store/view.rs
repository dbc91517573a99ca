//! A look at records and people as they were at one sequence.

use super::collected::{Sequences, collections};
use super::entry::Entry;
use super::error::Error;
use super::keys::Kind;
use super::layer::Layer;
use super::merged::merged;
use super::read::{EachRecord, Shared, code_of, describe, seq_of};
use super::records::{decode_as, decode_event};
use crate::domain::fact::Event;
use crate::domain::tube::TubeRecord;
use crate::domain::world::collected;
use crate::domain::{Code, PersonKey};
use rocksdb::{DB, IteratorMode, ReadOptions, SnapshotWithThreadMode};
use std::sync::Arc;

/// Records and person index at one sequence.
pub struct View<'a> {
    shared: &'a Shared,
    layers: Vec<Arc<Layer>>,
    fold: SnapshotWithThreadMode<'a, DB>,
    people: Vec<Entry>,
    tubes: Vec<Entry>,
    seq: u64,
}

impl<'a> View<'a> {
    pub(super) fn new(shared: &'a Shared) -> View<'a> {
        // In this order: what is committed between the two is cut off by its sequence, and what
        // moves from memory to a file is seen in one of them at least.
        let seq = shared.last().0;
        let layers = shared.layers.freeze();
        let fold = shared.fold.snapshot();
        let (people, tubes) = (shared.people.pending.snapshot(), shared.tubes.pending.snapshot());
        View { shared, layers, fold, people, tubes, seq }
    }

    /// The sequence. The records may already show what was committed while the view was taken.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Every tube, each once: those of which more is known than that they were collected, in the order of the codes, then
    /// the others in the order of their events. Who the people of a tube are is left open where nothing
    /// else depends on it: they are stand-ins, as many as there are people. The person index says
    /// who they are.
    pub fn for_each_tube(&self, each: &mut dyn FnMut(Code, TubeRecord)) -> Result<(), Error> {
        let mut recorded = Sequences::up_to(self.seq);
        self.scan(Kind::Tube, &mut |key, value| {
            let mut tube = decode_as(value, || describe(key))?;
            collections(&tube).for_each(|seq| recorded.insert(seq));
            self.shared.fill_where_it_matters(&mut tube)?;
            each(code_of(key)?, tube);
            Ok(())
        })?;
        let mut only_collected = Sequences::up_to(self.seq);
        let index = &self.shared.tubes.runs;
        index.for_each(&self.shared.fold, &self.tubes, &mut |entry| {
            if entry.seq <= self.seq && !recorded.has(entry.seq) {
                only_collected.insert(entry.seq);
            }
        })?;
        self.shared.for_each_event_of(&only_collected, &mut |event| {
            if let Some((code, tube)) = collected(&event) {
                each(code, tube);
            }
            Ok(())
        })
    }

    fn scan(&self, kind: Kind, each: &mut EachRecord<'_>) -> Result<(), Error> {
        let mut options = ReadOptions::default();
        options.set_iterate_range(kind.start()..kind.end());
        options.fill_cache(false);
        options.set_readahead_size(1 << 20);
        let stored = self.fold.iterator_cf_opt(self.shared.records(), options, IteratorMode::Start);
        merged(&self.layers, &kind.start(), &kind.start(), usize::MAX, stored, each)
    }

    /// Every (person, sequence) once, ascending, up to the view's sequence.
    pub fn for_each_person_entry(&self, each: &mut dyn FnMut(PersonKey, u64)) -> Result<(), Error> {
        let runs = &self.shared.people.runs;
        runs.for_each(&self.shared.fold, &self.people, &mut |entry| {
            if entry.seq <= self.seq {
                each(PersonKey(entry.key()), entry.seq);
            }
        })
    }

    /// The sequences of the parts of rosters, ascending.
    pub fn roster_events(&self) -> Result<Vec<u64>, Error> {
        let mut seqs = Vec::new();
        self.scan(Kind::RosterEvent, &mut |key, _| {
            seqs.push(seq_of(key)?);
            Ok(())
        })?;
        seqs.retain(|seq| *seq <= self.seq);
        Ok(seqs)
    }

    /// An event by its sequence.
    pub fn event(&self, seq: u64) -> Result<Option<Event>, Error> {
        let key = super::keys::seq_key(Kind::Event, seq);
        let bytes = self.shared.state.get_pinned_cf(self.shared.log(), key)?;
        bytes.map(|bytes| decode_event(seq, &bytes)).transpose()
    }
}
