//! The ledger: drives the fold as the writer does, batch by batch, over a store that is a few maps.

use crate::domain::boxes::BoxRecord;
use crate::domain::counters::{BoxCount, CellKey, Counter, Deltas, Figures, PlateCount};
use crate::domain::discrepancy::Discrepancies;
use crate::domain::fact::{Event, FactId};
use crate::domain::person::{PersonRecord, follow_up};
use crate::domain::plate::PlateRecord;
use crate::domain::tube::{TubeRecord, TubeView};
use crate::domain::words::Status;
use crate::domain::world::{RecordKind, World};
use crate::domain::{Code, PersonKey};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// Everything that was committed, and the world that it is folded in.
#[derive(Default)]
pub struct Ledger {
    world: World,
    seen: HashSet<FactId>,
    seq: u64,
    /// More tubes than these are not kept in memory from batch to batch.
    tubes_max: usize,
    pub tubes: BTreeMap<Code, TubeRecord>,
    pub boxes: BTreeMap<Code, BoxRecord>,
    pub plates: BTreeMap<Code, PlateRecord>,
    pub people: BTreeMap<PersonKey, PersonRecord>,
    pub cells: BTreeMap<CellKey, Figures>,
    pub odd: BTreeMap<(RecordKind, Code), Discrepancies>,
    /// What the latest fact was answered.
    pub found: Discrepancies,
}

impl Ledger {
    /// An empty ledger that keeps at most so many tubes in memory between batches.
    pub fn keeping(tubes_max: usize) -> Ledger {
        Ledger { tubes_max, ..Ledger::default() }
    }

    /// Commits each event as a batch of its own.
    pub fn of(events: &[Event]) -> Ledger {
        let mut ledger = Ledger::keeping(usize::MAX);
        events.iter().for_each(|event| ledger.commit(std::slice::from_ref(event)));
        ledger
    }

    /// One batch: load, apply, settle, keep, accept. A fact that was seen before changes nothing.
    pub fn commit(&mut self, batch: &[Event]) {
        for event in batch {
            self.load(event);
        }
        for event in batch {
            if !self.seen.insert(event.fact.id.clone()) {
                continue;
            }
            self.seq += 1;
            let mut event = Event { seq: self.seq, ..event.clone() };
            self.world.apply(&mut event);
            self.found = event.found;
        }
        let mut changes = self.world.settle();
        let people: Vec<PersonKey> = changes.wants_people().copied().collect();
        for person in people {
            self.world.load_person(person, self.people.get(&person).cloned().map(Arc::new));
        }
        self.world.settle_people(&mut changes);
        for (kind, code, before, after) in &changes.odd {
            let key = (*kind, code.clone());
            let had = match after.is_empty() {
                true => self.odd.remove(&key),
                false => self.odd.insert(key, *after),
            };
            assert_eq!(had.unwrap_or_default(), *before, "what was odd about {code}");
        }
        add(&mut self.cells, &changes.deltas);
        keep(&mut self.tubes, self.world.changed_tubes());
        keep(&mut self.boxes, self.world.changed_boxes());
        keep(&mut self.plates, self.world.changed_plates());
        keep(&mut self.people, self.world.changed_people());
        // A person of whom no tube says anything is not kept.
        self.people.retain(|_, record| !record.parts.is_empty());
        self.world.accept(self.tubes_max);
    }

    fn load(&mut self, event: &Event) {
        let body = &event.fact.body;
        if let Some(code) = body.container() {
            self.world.load_box(code.clone(), self.boxes.get(code).cloned().map(Arc::new));
        }
        if let Some(code) = body.plate() {
            self.world.load_plate(code.clone(), self.plates.get(code).cloned().map(Arc::new));
        }
        let tubes: Vec<Code> = body.tubes().chain(self.world.wants_listed(body)).cloned().collect();
        for tube in tubes {
            let record = self.tubes.get(&tube).cloned().map(Arc::new);
            self.world.load_tube(tube, record);
        }
    }

    /// Every tube as it is seen.
    pub fn views(&self) -> BTreeMap<&Code, TubeView> {
        self.tubes.iter().map(|(code, record)| (code, record.view())).collect()
    }

    /// The sum over the cells that are wanted.
    pub fn sum(&self, wanted: impl Fn(&CellKey) -> bool) -> Figures {
        let mut sum = Figures::default();
        let cells = self.cells.iter().filter(|(cell, _)| wanted(cell));
        cells.for_each(|(_, figures)| sum.add(figures));
        sum
    }

    /// Figures, people and lists are what a count of all records from scratch finds, and the parts
    /// add up to the totals.
    pub fn must_add_up(&self) {
        let views = self.views();
        let mut people: BTreeMap<PersonKey, PersonRecord> = BTreeMap::new();
        let mut deltas = Deltas::default();
        let mut odd = BTreeMap::new();
        for (code, view) in &views {
            deltas.tube(view, 1);
            odd.insert((RecordKind::Tube, (*code).clone()), view.discrepancies);
            for person in view.members.iter().filter(|_| follow_up(view).is_some()) {
                people.entry(*person).or_default().set(code, follow_up(view));
            }
        }
        for (code, record) in &self.boxes {
            deltas.container(&BoxCount::of(record), 1);
            odd.insert((RecordKind::Container, code.clone()), record.discrepancies());
        }
        for (code, record) in &self.plates {
            deltas.plate(&PlateCount::of(record), 1);
            odd.insert((RecordKind::Plate, code.clone()), record.discrepancies());
        }
        people.values().for_each(|record| deltas.person(record, 1));
        odd.retain(|_, set| !set.is_empty());
        let mut cells = BTreeMap::new();
        add(&mut cells, &deltas);
        assert_eq!(self.people, people);
        assert_eq!(self.cells, cells);
        assert_eq!(self.odd, odd);

        let all = self.sum(|_| true);
        let swabs: usize = views.values().map(|view| view.members.len()).sum();
        assert_eq!(all.tubes_total(), views.len() as i64, "tubes by status add up to all tubes");
        assert_eq!(all.swabs_total(), swabs as i64, "swabs by status add up to all swabs");
        for status in Status::ALL {
            let of = views.values().filter(|view| view.status == *status);
            assert_eq!(all.get(Counter::tubes(*status)), of.count() as i64, "{status:?}");
            let single = |view: &&&TubeView| view.status == *status && view.pool == 1;
            let singles = views.values().filter(|view| single(&view)).count();
            assert_eq!(all.get(Counter::singles(*status)), singles as i64, "{status:?}");
        }
        let stages = [Counter::BOXES_PACKED, Counter::BOXES_IN_TRANSIT, Counter::BOXES_RECEIVED];
        assert_eq!(stages.map(|stage| all.get(stage)).iter().sum::<i64>(), self.boxes.len() as i64);
        assert_eq!(all.get(Counter::BOXES), self.boxes.len() as i64);
        assert_eq!(all.get(Counter::PLATES), self.plates.len() as i64);
        assert!(self.cells.values().flat_map(Figures::iter).all(|(_, figure)| figure >= 0));
    }
}

fn keep<'a, K: Ord + Clone + 'a, R: Clone + 'a>(
    store: &mut BTreeMap<K, R>,
    changed: impl Iterator<Item = (&'a K, &'a Arc<R>)>,
) {
    store.extend(changed.map(|(key, record)| (key.clone(), record.as_ref().clone())));
}

fn add(cells: &mut BTreeMap<CellKey, Figures>, deltas: &Deltas) {
    for (cell, delta) in &deltas.0 {
        cells.entry(cell.clone()).or_default().add(delta);
    }
    cells.retain(|_, figures| !figures.is_zero());
}
