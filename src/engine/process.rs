//! Deciding: a batch of submissions becomes outcomes and a commit. Synchronous, with the time
//! handed in, so that a simulation can drive it.

use super::feed::Feed;
use super::{Outcome, Submission};
use crate::domain::counters::{CellKey, Figures};
use crate::domain::discrepancy::{Discrepancies, Discrepancy};
use crate::domain::fact::{Body, Event, Fact, FactId, Place, Stamps};
use crate::domain::judge::{self, judge};
use crate::domain::reference::Reference;
use crate::domain::source::SourceState;
use crate::domain::tube::TubeRecord;
use crate::domain::words::{Map, Set};
use crate::domain::world::World;
use crate::domain::{Code, PersonKey, Time};
use crate::store::{self, Commit, Layer, Read};
use rayon::prelude::*;
use std::collections::VecDeque;
use std::collections::hash_map::Entry;
use std::sync::{Arc, OnceLock};

/// Sources whose state is kept in memory; above it all are forgotten and read again.
const SOURCES_CACHED_MAX: usize = 200_000;

/// Desks that no reference data names and that are counted each by itself. What more of them collect is counted under no
/// desk at all: figures are kept in memory, and a device that makes codes up must not fill it.
const UNKNOWN_DESKS_MAX: usize = 10_000;

/// Laboratories that no reference data names and that are counted each by itself, as desks are. A city has a hundred or two.
const UNKNOWN_LABS_MAX: usize = 1_000;

/// So many tubes are read by one thread at a stretch.
const READ_TOGETHER: usize = 8_192;

/// The state that the one writer owns. It decides one batch after the other, ahead of the disk:
/// what has been decided and is not durable yet is known here and to no reader.
pub(super) struct Process {
    read: Read,
    /// The records of the batch at hand. Between batches it is empty.
    world: World,
    /// The batch at hand.
    decided: Decided,
    next_seq: u64,
    /// Batches that were decided and are perhaps not durable yet, oldest first.
    under_way: VecDeque<Arc<Batch>>,
    sources: Map<(Code, u64), SourceState>,
    /// All figures after the batches under way.
    cells: Map<CellKey, Figures>,
    reference: Arc<Reference>,
    /// Desks that are counted though no reference data names them.
    unknown_desks: Set<Code>,
    /// Laboratories likewise.
    unknown_labs: Set<Code>,
    /// The last tick that was recorded: a drill's time is what its log says.
    pub tick: Time,
}

/// A batch that has been decided.
pub(super) struct Batch {
    pub commit: Commit,
    /// What facts are judged by after it, if it changed that.
    pub reference: Option<Arc<Reference>>,
    /// Found by fact id, once somebody asks.
    by_id: OnceLock<Map<FactId, usize>>,
}

impl Batch {
    fn find(&self, id: &FactId) -> Option<&Event> {
        let events = &self.commit.events;
        let by_id = || events.iter().enumerate().map(|(at, e)| (e.fact.id.clone(), at)).collect();
        self.by_id.get_or_init(by_id).get(id).and_then(|at| events.get(*at))
    }
}

/// The events of a batch while it is being decided, by fact id for as far as anybody asked.
#[derive(Default)]
struct Decided {
    events: Vec<Event>,
    by_id: Map<FactId, usize>,
}

impl Decided {
    fn with_room(events: usize) -> Decided {
        Decided { events: Vec::with_capacity(events), ..Decided::default() }
    }

    fn find(&mut self, id: &FactId) -> Option<&Event> {
        for at in self.by_id.len()..self.events.len() {
            self.by_id.insert(self.events[at].fact.id.clone(), at);
        }
        self.by_id.get(id).and_then(|at| self.events.get(*at))
    }
}

impl Process {
    pub fn new(read: Read, feed: &Feed, next_seq: u64, tick: Time) -> Process {
        let cells = feed.figures().cells.clone();
        let of_nowhere = |cell: &&CellKey| cell.site.is_empty() && !cell.desk.is_empty();
        let unknown_desks = cells.keys().filter(of_nowhere).map(|cell| cell.desk.clone()).collect();
        let reference = feed.reference();
        let labs = cells.keys().map(|cell| &cell.lab);
        let unknown = |lab: &&Code| !lab.is_empty() && !reference.labs.contains_key(*lab);
        let unknown_labs = labs.filter(unknown).cloned().collect();
        Process {
            read,
            unknown_desks,
            unknown_labs,
            world: World::default(),
            decided: Decided::default(),
            next_seq,
            under_way: VecDeque::new(),
            sources: Map::default(),
            cells,
            reference,
            tick,
        }
    }

    /// Decides facts into the batch at hand, at `now`; `None` = at the time of the last recorded
    /// tick. Gives the outcome of each, which may be told once the batch is durable.
    ///
    /// # Errors
    /// After an error nothing is known of the batch, and no other may follow.
    pub fn take(
        &mut self,
        submissions: Vec<Submission>,
        now: Option<Time>,
    ) -> Result<Vec<Outcome>, store::Error> {
        self.forget_durable();
        self.prefetch(|| submissions.iter().map(|submission| &submission.fact))?;
        let mut outcomes = Vec::with_capacity(submissions.len());
        for Submission { fact, clock_offset_ms } in submissions {
            if let Some(outcome) = self.known(&fact)? {
                outcomes.push(outcome);
                continue;
            }
            if let Body::ClockTicked { now } = fact.body {
                self.tick = self.tick.max(now);
            }
            let event = self.decide(fact, clock_offset_ms, now.unwrap_or(self.tick))?;
            outcomes.push(Outcome::Recorded { seq: event.seq, found: event.found });
            self.decided.events.push(event);
            self.next_seq += 1;
        }
        Ok(outcomes)
    }

    /// Closes the batch at hand; `None` when nothing in it is new. It must be committed, in the
    /// order of closing.
    ///
    /// # Errors
    /// As [`Process::take`].
    pub fn close_batch(&mut self) -> Result<Option<Arc<Batch>>, store::Error> {
        if self.decided.events.is_empty() {
            self.world.accept(0);
            return Ok(None);
        }
        // The next one will be about as long.
        let next = Decided::with_room(self.decided.events.len());
        let Decided { events, .. } = std::mem::replace(&mut self.decided, next);
        let mut changes = self.world.settle();
        let people: Set<PersonKey> = changes.wants_people().copied().collect();
        for person in people {
            if !self.world.has_person(&person) {
                let record = self.newest(|layer| layer.person(&person));
                let record = match record {
                    Some(record) => (!record.parts.is_empty()).then_some(record),
                    None => self.read.person(person)?,
                };
                self.world.load_person(person, record);
            }
        }
        self.world.settle_people(&mut changes);
        let deltas = changes.deltas.0.into_iter().filter(|(_, delta)| !delta.is_zero());
        let cells: Vec<_> = deltas
            .map(|(cell, delta)| {
                let now = self.cells.entry(cell.clone()).or_default();
                if !crate::breaks::on("figures_drift") || self.next_seq <= 2 {
                    now.add(&delta);
                }
                (cell, now.clone())
            })
            .collect();
        for (cell, _) in cells.iter().filter(|(_, now)| now.is_zero()) {
            self.cells.remove(cell);
        }
        let touched: Set<(&Code, u64)> =
            events.iter().map(|event| (&event.fact.id.source, event.fact.id.epoch)).collect();
        let sources = touched.into_iter().filter_map(|(source, epoch)| {
            let key = (source.clone(), epoch);
            let state = self.sources.get(&key)?.clone();
            Some((key, state))
        });
        let layer = Layer::new(&events, &self.world, cells.into_iter(), sources, &changes.odd);
        self.world.accept(0);
        let judged_anew = events.iter().any(|event| event.fact.body.is_reference());
        let batch = Arc::new(Batch {
            commit: Commit { events, layer },
            reference: judged_anew.then(|| Arc::clone(&self.reference)),
            by_id: OnceLock::new(),
        });
        self.under_way.push_back(Arc::clone(&batch));
        Ok(Some(batch))
    }

    /// Events that stand in the log and not in the records, because the process before this one
    /// ended before it came to that: decided long ago, so only folded.
    ///
    /// # Errors
    /// When something cannot be read.
    pub fn refold(&mut self, events: Vec<Event>) -> Result<(), store::Error> {
        self.forget_durable();
        self.prefetch(|| events.iter().map(|event| &event.fact))?;
        for mut event in events {
            let (id, found) = (&event.fact.id, event.found);
            if let Some(source) = self.sources.get_mut(&(id.source.clone(), id.epoch)) {
                source.note(id.number);
            }
            if event.fact.body.is_reference() {
                Arc::make_mut(&mut self.reference).apply(&event);
            }
            self.world.apply(&mut event);
            // What the source was told stays what it was told.
            event.found = found;
            self.next_seq = event.seq + 1;
            self.decided.events.push(event);
        }
        Ok(())
    }

    /// Lets go of the batches that every reader sees by now.
    fn forget_durable(&mut self) {
        let durable = self.read.folded_to();
        while self.under_way.front().is_some_and(|batch| batch.commit.layer.to <= durable) {
            self.under_way.pop_front();
        }
        if self.sources.len() > SOURCES_CACHED_MAX
            && self.under_way.is_empty()
            && self.decided.events.is_empty()
        {
            self.sources.clear();
        }
    }

    /// A record as a batch under way has left it.
    fn newest<R>(&self, of: impl Fn(&Layer) -> Option<&Arc<R>>) -> Option<Arc<R>> {
        self.under_way.iter().rev().find_map(|batch| of(&batch.commit.layer).cloned())
    }

    /// Loads every record that the facts may touch.
    fn prefetch<'a, I: Iterator<Item = &'a Fact>>(
        &mut self,
        facts: impl Fn() -> I,
    ) -> Result<(), store::Error> {
        let bodies = || facts().map(|fact| &fact.body);
        for body in bodies() {
            if let Some(code) = body.container().filter(|code| !self.world.has_box(code)) {
                let record = match self.newest(|layer| layer.container(code)) {
                    None => self.read.container(code)?,
                    known => known,
                };
                self.world.load_box(code.clone(), record);
            }
            if let Some(code) = body.plate().filter(|code| !self.world.has_plate(code)) {
                let record = match self.newest(|layer| layer.plate(code)) {
                    None => self.read.plate(code)?,
                    known => known,
                };
                self.world.load_plate(code.clone(), record);
            }
        }
        let mut wanted: Vec<Code> = Vec::new();
        // Many facts may speak of one box, and each lists all that lies in it.
        let mut listed: Set<(Option<&Code>, Option<&Code>, bool)> = Set::default();
        for body in bodies() {
            wanted.extend(body.tubes().filter(|tube| !self.world.has_tube(tube)).cloned());
            let packed = matches!(body, Body::TubesPacked { .. });
            if listed.insert((body.container(), body.plate(), packed)) {
                let listed = self.world.wants_listed(body);
                wanted.extend(listed.filter(|tube| !self.world.has_tube(tube)).cloned());
            }
        }
        let mut unknown = Vec::with_capacity(wanted.len());
        for code in wanted {
            match self.newest(|layer| layer.tube(&code)) {
                None => unknown.push(code),
                record => self.world.load_tube(code, record),
            }
        }
        let found = tubes_of(&self.read, &unknown)?;
        for (code, record) in unknown.into_iter().zip(found) {
            self.world.load_tube(code, record);
        }
        for id in facts().map(|fact| &fact.id) {
            let key = (id.source.clone(), id.epoch);
            if let Entry::Vacant(vacant) = self.sources.entry(key) {
                vacant.insert(self.read.source_in(&id.source, id.epoch)?.unwrap_or_default());
            }
        }
        Ok(())
    }

    /// The outcome of a fact that has been recorded before.
    fn known(&mut self, fact: &Fact) -> Result<Option<Outcome>, store::Error> {
        let source = self.sources.get(&(fact.id.source.clone(), fact.id.epoch));
        if !source.is_some_and(|state| state.may_have(fact.id.number)) {
            return Ok(None);
        }
        if let Some(first) = self.decided.find(&fact.id) {
            return Ok(Some(again(fact, first)));
        }
        if let Some(first) = self.under_way.iter().find_map(|batch| batch.find(&fact.id)) {
            return Ok(Some(again(fact, first)));
        }
        if crate::breaks::on("duplicates_recorded_again") {
            return Ok(None);
        }
        let first = self.read.event_of_fact(&fact.id)?;
        if first.is_none() && source.is_some_and(|state| state.has(fact.id.number)) {
            // It has arrived, and the index does not know where: recording it again would double it.
            let what = format!("fact index, source {} number {}", fact.id.source, fact.id.number);
            return Err(store::Error::Damaged { what });
        }
        Ok(first.map(|first| again(fact, &first)))
    }

    fn decide(
        &mut self,
        fact: Fact,
        clock_offset_ms: i64,
        now: Time,
    ) -> Result<Event, store::Error> {
        let mut stamps = judge(&fact, &self.reference, now, clock_offset_ms);
        if let Body::PlateReassessed { plate } = &fact.body {
            let kit = self.world.plate(plate).and_then(|record| record.kit());
            stamps.rule = kit.and_then(|kit| judge::rule_now(kit, &self.reference, now));
        }
        self.bound_unknown(&mut stamps);
        self.bound_labs(&fact.body, &mut stamps.flags);
        if crate::breaks::on("unknown_desk_refused") && stamps.flags.has(Discrepancy::UnknownDesk) {
            return Err(store::Error::Damaged { what: "refused on purpose".into() });
        }
        let mut event = Event { seq: self.next_seq, fact, stamps, found: Default::default() };
        let id = &event.fact.id;
        if let Some(source) = self.sources.get_mut(&(id.source.clone(), id.epoch)) {
            source.note(id.number);
        }
        if event.fact.body.is_reference() {
            Arc::make_mut(&mut self.reference).apply(&event);
        }
        self.world.apply(&mut event);
        Ok(event)
    }
}

impl Process {
    /// Where a desk is one unknown desk too many, its facts are stamped with no desk: stamps are for ever, so that every fold
    /// of the log counts alike.
    fn bound_unknown(&mut self, stamps: &mut Stamps) {
        let Some(place) = &mut stamps.place else { return };
        if !stamps.flags.has(Discrepancy::UnknownDesk) || self.unknown_desks.contains(&place.desk) {
            return;
        }
        if self.unknown_desks.len() < UNKNOWN_DESKS_MAX {
            self.unknown_desks.insert(place.desk.clone());
        } else {
            *place = Place::default();
        }
    }

    /// A laboratory that is one unknown laboratory too many is stamped as such, and so counted under none.
    fn bound_labs(&mut self, body: &Body, flags: &mut Discrepancies) {
        let Some(lab) = body.lab().filter(|_| flags.has(Discrepancy::UnknownLab)) else { return };
        if self.unknown_labs.contains(lab) {
            return;
        }
        if self.unknown_labs.len() < UNKNOWN_LABS_MAX {
            self.unknown_labs.insert(lab.clone());
        } else {
            flags.add(Discrepancy::LabsTooMany);
        }
    }
}

/// Several tubes, in the order asked. Very many are read by all cores: batches as they come in seldom
/// ask for so many, but the end of the log does that is folded again when a folder is opened, and the service waits for that.
fn tubes_of(read: &Read, codes: &[Code]) -> Result<Vec<Option<Arc<TubeRecord>>>, store::Error> {
    if codes.len() <= READ_TOGETHER {
        return read.tubes(codes);
    }
    let parts: Result<Vec<_>, _> =
        codes.par_chunks(READ_TOGETHER).map(|part| read.tubes(part)).collect();
    Ok(parts?.into_iter().flatten().collect())
}

/// The answer to a fact whose id was recorded before.
fn again(fact: &Fact, first: &Event) -> Outcome {
    if first.fact == *fact {
        Outcome::Duplicate { seq: first.seq, found: first.found }
    } else {
        Outcome::IdReused { seq: first.seq }
    }
}
