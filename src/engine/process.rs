//! Deciding: a batch of submissions becomes outcomes and a commit. Synchronous, with the time
//! handed in, so that a simulation can drive it.

use super::feed::Feed;
use super::{Outcome, Submission};
use crate::domain::counters::Deltas;
use crate::domain::fact::{Body, Event, Fact, FactId};
use crate::domain::judge::{self, judge};
use crate::domain::reference::Reference;
use crate::domain::source::SourceState;
use crate::domain::world::World;
use crate::domain::{Code, Time};
use crate::store::{self, Commit, Read, Store};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Sources whose state is kept in memory; above it all are forgotten and read again.
const SOURCES_CACHED_MAX: usize = 200_000;

/// The state that the one writer owns.
pub(super) struct Process {
    pub store: Store,
    read: Read,
    world: World,
    sources: HashMap<(Code, u64), SourceState>,
    reference: Arc<Reference>,
    feed: Arc<Feed>,
    tubes_cached_max: usize,
    /// The last tick that was recorded: a drill's time is what its log says.
    pub tick: Time,
}

/// What a batch came to.
pub(super) struct Processed {
    /// One per submission, in order.
    pub outcomes: Vec<Outcome>,
    /// Reading and folding.
    pub deciding: Duration,
    /// Writing and syncing.
    pub disk: Duration,
}

impl Process {
    pub fn new(store: Store, feed: Arc<Feed>, tubes_cached_max: usize, tick: Time) -> Process {
        Process {
            read: store.read(),
            store,
            world: World::default(),
            sources: HashMap::new(),
            reference: feed.reference(),
            feed,
            tubes_cached_max,
            tick,
        }
    }

    /// Decides and commits a batch at `now`; `None` = at the time of the last recorded tick. When
    /// this returns `Ok` everything recorded is durable.
    ///
    /// # Errors
    /// After an error nothing is known of the batch, and no other may follow.
    pub fn batch(
        &mut self,
        batch: Vec<Submission>,
        now: Option<Time>,
    ) -> Result<Processed, store::Error> {
        let begun = Instant::now();
        self.prefetch(&batch)?;
        let mut next_seq = self.read.last_seq() + 1;
        let mut events: Vec<Event> = Vec::with_capacity(batch.len());
        let mut in_batch: HashMap<FactId, usize> = HashMap::new();
        let mut outcomes = Vec::with_capacity(batch.len());
        for Submission { fact, clock_offset_ms } in batch {
            if let Some(outcome) = self.known(&fact, &in_batch, &events)? {
                outcomes.push(outcome);
                continue;
            }
            if let Body::ClockTicked { now } = fact.body {
                self.tick = self.tick.max(now);
            }
            let now = now.unwrap_or(self.tick);
            let event = self.decide(fact, clock_offset_ms, next_seq, now)?;
            outcomes.push(Outcome::Recorded { seq: event.seq, found: event.found });
            in_batch.insert(event.fact.id.clone(), events.len());
            events.push(event);
            next_seq += 1;
        }
        if events.is_empty() {
            return Ok(Processed { outcomes, deciding: begun.elapsed(), disk: Duration::ZERO });
        }
        let mut changes = self.world.settle();
        let people: HashSet<_> = changes.wants_people().copied().collect();
        for person in people {
            if !self.world.has_person(&person) {
                self.world.load_person(person, self.read.person(person)?);
            }
        }
        self.world.settle_people(&mut changes);
        let deciding = begun.elapsed();
        let disk = self.commit(&events, &changes.deltas, &changes.odd)?;
        Ok(Processed { outcomes, deciding, disk })
    }

    /// Closes the store in order.
    pub fn close(self) -> Result<(), store::Error> {
        let Process { store, read, .. } = self;
        drop(read);
        store.close()
    }

    /// Loads every record that the batch may touch.
    fn prefetch(&mut self, batch: &[Submission]) -> Result<(), store::Error> {
        for body in batch.iter().map(|submission| &submission.fact.body) {
            load_containers(&mut self.world, &self.read, body)?;
        }
        let bodies = || batch.iter().map(|submission| &submission.fact.body);
        let listed = bodies().flat_map(|body| self.world.wants_listed(body));
        let wanted: HashSet<&Code> = bodies()
            .flat_map(Body::tubes)
            .chain(listed)
            .filter(|tube| !self.world.has_tube(tube))
            .collect();
        let wanted: Vec<Code> = wanted.into_iter().cloned().collect();
        let found = self.read.tubes(wanted.iter())?;
        for (code, record) in wanted.into_iter().zip(found) {
            self.world.load_tube(code, record);
        }
        for id in batch.iter().map(|submission| &submission.fact.id) {
            let key = (id.source.clone(), id.epoch);
            if let std::collections::hash_map::Entry::Vacant(vacant) = self.sources.entry(key) {
                vacant.insert(self.read.source_in(&id.source, id.epoch)?.unwrap_or_default());
            }
        }
        Ok(())
    }

    /// The outcome of a fact that has been recorded before.
    fn known(
        &self,
        fact: &Fact,
        in_batch: &HashMap<FactId, usize>,
        events: &[Event],
    ) -> Result<Option<Outcome>, store::Error> {
        if let Some(first) = in_batch.get(&fact.id).and_then(|at| events.get(*at)) {
            return Ok(Some(again(fact, first)));
        }
        let source = self.sources.get(&(fact.id.source.clone(), fact.id.epoch));
        if !source.is_some_and(|state| state.may_have(fact.id.number)) {
            return Ok(None);
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
        seq: u64,
        now: Time,
    ) -> Result<Event, store::Error> {
        let mut stamps = judge(&fact, &self.reference, now, clock_offset_ms);
        if let Body::PlateReassessed { plate } = &fact.body {
            let kit = self.world.plate(plate).and_then(|record| record.kit());
            stamps.rule = kit.and_then(|kit| judge::rule_now(kit, &self.reference, now));
        }
        if crate::breaks::on("unknown_desk_refused")
            && stamps.flags.has(crate::domain::discrepancy::Discrepancy::UnknownDesk)
        {
            return Err(store::Error::Damaged { what: "refused on purpose".into() });
        }
        let mut event = Event { seq, fact, stamps, found: Default::default() };
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

    fn commit(
        &mut self,
        events: &[Event],
        deltas: &Deltas,
        odd: &[(
            crate::domain::world::RecordKind,
            Code,
            crate::domain::discrepancy::Discrepancies,
            crate::domain::discrepancy::Discrepancies,
        )],
    ) -> Result<Duration, store::Error> {
        let feed = Arc::clone(&self.feed);
        let changed: Vec<_> = {
            let figures = feed.figures_now();
            deltas
                .0
                .iter()
                .filter(|(_, delta)| !delta.is_zero())
                .map(|(cell, delta)| {
                    let mut now = figures.cells.get(cell).cloned().unwrap_or_default();
                    if !crate::breaks::on("figures_drift") || figures.seq == 0 {
                        now.add(delta);
                    }
                    (cell, now)
                })
                .collect()
        };
        let touched: HashSet<(&Code, u64)> =
            events.iter().map(|event| (&event.fact.id.source, event.fact.id.epoch)).collect();
        let sources = touched.into_iter().filter_map(|(source, epoch)| {
            let state = self.sources.get(&(source.clone(), epoch))?;
            Some((source, epoch, state))
        });
        let begun = Instant::now();
        self.store.commit(&Commit {
            events,
            world: &self.world,
            cells: changed.iter().map(|(cell, figures)| (*cell, figures)).collect(),
            sources: sources.collect(),
            odd,
        })?;
        let disk = begun.elapsed();
        self.world.accept(self.tubes_cached_max);
        if self.sources.len() > SOURCES_CACHED_MAX {
            self.sources.clear();
        }
        let seq = self.read.last_seq();
        {
            let mut figures = feed.figures_mut();
            figures.seq = seq;
            for (cell, now) in changed {
                if now.is_zero() {
                    figures.cells.remove(cell);
                } else {
                    figures.cells.insert(cell.clone(), now);
                }
            }
        }
        if events.iter().any(|event| event.fact.body.is_reference()) {
            feed.set_reference(Arc::clone(&self.reference));
        }
        feed.publish(seq);
        Ok(disk)
    }
}

/// Loads the box and the plate of a fact.
pub(super) fn load_containers(
    world: &mut World,
    read: &Read,
    body: &Body,
) -> Result<(), store::Error> {
    if let Some(code) = body.container().filter(|code| !world.has_box(code)) {
        world.load_box(code.clone(), read.container(code)?);
    }
    if let Some(code) = body.plate().filter(|code| !world.has_plate(code)) {
        world.load_plate(code.clone(), read.plate(code)?);
    }
    Ok(())
}

/// The answer to a fact whose id was recorded before.
fn again(fact: &Fact, first: &Event) -> Outcome {
    if first.fact == *fact {
        Outcome::Duplicate { seq: first.seq, found: first.found }
    } else {
        Outcome::IdReused { seq: first.seq }
    }
}
