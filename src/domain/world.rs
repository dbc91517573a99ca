//! The fold: how an event changes records, and what that changes in counters and follow-ups.
//!
//! A world holds every record that the events at hand touch; whoever drives it loads them first
//! (`wants`, then `wants_listed`, then `wants_people`). It reads nothing by itself. A record that
//! was not loaded is a mistake of the driver and stops the program rather than losing a fact.

use super::boxes::{BoxMark, BoxPart, BoxRecord, BoxWhat};
use super::counters::{BoxCount, Deltas, PlateCount};
use super::discrepancy::{Discrepancies, Discrepancy};
use super::fact::{Body, Event};
use super::person::{FollowUp, PersonRecord, follow_up};
use super::plate::{PlateMark, PlatePart, PlateRecord, PlateWhat};
use super::tube::{Mark, Origin, TubeRecord, TubeView, What};
use super::words::{Code, PersonKey};
use std::collections::HashMap;
use std::hash::Hash;

/// A record with what it was before the batch.
#[derive(Clone, Debug)]
struct Slot<R, B> {
    record: R,
    /// What was last counted; `None` when the record did not exist.
    counted: Option<B>,
    /// What is to be counted once the batch is durable; known between settling and accepting.
    settled: Option<B>,
    touched: bool,
}

impl<R: Default, B> Slot<R, B> {
    fn new(record: Option<R>, count: impl FnOnce(&R) -> B) -> Self {
        let counted = record.as_ref().map(count);
        Slot { record: record.unwrap_or_default(), counted, settled: None, touched: false }
    }
}

impl<R, B> Slot<R, B> {
    fn exists(&self) -> bool {
        self.touched || self.counted.is_some()
    }
}

/// The records of one kind. Those that a batch touched are listed apart, because they are few
/// among many.
#[derive(Debug)]
struct Shelf<K, R, B> {
    slots: HashMap<K, Slot<R, B>>,
    touched: Vec<K>,
}

impl<K, R, B> Default for Shelf<K, R, B> {
    fn default() -> Self {
        Shelf { slots: HashMap::new(), touched: Vec::new() }
    }
}

impl<K: Hash + Eq + Clone, R, B> Shelf<K, R, B> {
    fn touch(&mut self, key: &K) -> &mut R {
        // Going on with an empty record would overwrite what the store holds.
        let slot = self.slots.get_mut(key);
        let slot = slot.expect("every record an event touches is loaded before it is applied");
        if !slot.touched {
            slot.touched = true;
            self.touched.push(key.clone());
        }
        &mut slot.record
    }

    fn touched(&self) -> impl Iterator<Item = (&K, &Slot<R, B>)> {
        self.touched.iter().filter_map(|key| self.slots.get_key_value(key))
    }

    /// Hands out of every touched record its key, what was counted, and what counts now.
    fn settle(&mut self, count: impl Fn(&R) -> B, mut each: impl FnMut(&K, Option<&B>, &B)) {
        for key in &self.touched {
            if let Some(slot) = self.slots.get_mut(key) {
                let after = count(&slot.record);
                each(key, slot.counted.as_ref(), &after);
                slot.settled = Some(after);
            }
        }
    }

    fn accept(&mut self) {
        for key in self.touched.drain(..) {
            if let Some(slot) = self.slots.get_mut(&key) {
                slot.counted = slot.settled.take();
                slot.touched = false;
            }
        }
    }
}

/// The kinds of records that have discrepancies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKind {
    /// A tube.
    Tube,
    /// A box.
    Container,
    /// A plate.
    Plate,
}

/// What a batch of events changed besides the records.
#[derive(Debug, Default)]
pub struct Changes {
    /// Changes of counters.
    pub deltas: Deltas,
    /// Records whose discrepancies changed: before, after.
    pub odd: Vec<(RecordKind, Code, Discrepancies, Discrepancies)>,
    /// What tubes newly say of people, to be folded into the people's records.
    follow_ups: Vec<(PersonKey, Code, Option<FollowUp>)>,
}

impl Changes {
    /// The people whose records must be loaded before [`World::settle_people`].
    pub fn wants_people(&self) -> impl Iterator<Item = &PersonKey> {
        self.follow_ups.iter().map(|(person, ..)| person)
    }
}

/// Records in memory.
#[derive(Debug, Default)]
pub struct World {
    tubes: Shelf<Code, TubeRecord, TubeView>,
    boxes: Shelf<Code, BoxRecord, BoxCount>,
    plates: Shelf<Code, PlateRecord, PlateCount>,
    people: Shelf<PersonKey, PersonRecord, PersonRecord>,
}

/// Declares loading, asking and listing for one kind of record.
macro_rules! kind {
    ($map:ident, $key:ty, $record:ty, $has:ident, $load:ident, $get:ident, $changed:ident, $all:ident, $count:expr) => {
        /// True when the record has been loaded.
        pub fn $has(&self, key: &$key) -> bool {
            self.$map.slots.contains_key(key)
        }

        /// Takes a record from the store; `None` = the store has none.
        pub fn $load(&mut self, key: $key, record: Option<$record>) {
            self.$map.slots.entry(key).or_insert_with(|| Slot::new(record, $count));
        }

        /// The record as it is now.
        pub fn $get(&self, key: &$key) -> Option<&$record> {
            self.$map.slots.get(key).filter(|slot| slot.exists()).map(|slot| &slot.record)
        }

        /// The records that changed since the last [`World::accept`].
        pub fn $changed(&self) -> impl Iterator<Item = (&$key, &$record)> {
            self.$map.touched().map(|(key, slot)| (key, &slot.record))
        }

        /// Every record that exists.
        pub fn $all(&self) -> impl Iterator<Item = (&$key, &$record)> {
            let exists = self.$map.slots.iter().filter(|(_, slot)| slot.exists());
            exists.map(|(key, slot)| (key, &slot.record))
        }
    };
}

impl World {
    kind!(
        tubes,
        Code,
        TubeRecord,
        has_tube,
        load_tube,
        tube,
        changed_tubes,
        all_tubes,
        TubeRecord::view
    );
    kind!(
        boxes,
        Code,
        BoxRecord,
        has_box,
        load_box,
        container,
        changed_boxes,
        all_boxes,
        BoxCount::of
    );
    kind!(
        plates,
        Code,
        PlateRecord,
        has_plate,
        load_plate,
        plate,
        changed_plates,
        all_plates,
        PlateCount::of
    );
    kind!(
        people,
        PersonKey,
        PersonRecord,
        has_person,
        load_person,
        person,
        changed_people,
        all_people,
        Clone::clone
    );

    /// The tubes that a fact touches through a box or plate already loaded, besides those it names.
    pub fn wants_listed<'a>(&'a self, body: &Body) -> Vec<&'a Code> {
        let of_box = body.container().and_then(|code| self.boxes.slots.get(code));
        let of_plate = body.plate().and_then(|code| self.plates.slots.get(code));
        let boxed = of_box.into_iter().flat_map(|slot| slot.record.tubes());
        boxed.chain(of_plate.into_iter().flat_map(|slot| slot.record.tubes())).collect()
    }

    /// Folds an event in and notes on it what is odd about its own record now.
    pub fn apply(&mut self, event: &mut Event) {
        let origin = Origin {
            seq: event.seq,
            id: event.fact.id.clone(),
            at: event.captured(),
            flags: event.stamps.flags,
        };
        event.found = event.stamps.flags;
        match &event.fact.body {
            Body::TubesPacked { container, tubes } => {
                let what = BoxWhat::Packed(tubes.clone());
                event.found = event.found.with(self.mark_box(container, BoxMark { origin, what }));
            }
            Body::BoxHandedOver { container, lab, .. } => {
                let what = BoxWhat::HandedOver { lab: lab.clone() };
                event.found = event.found.with(self.mark_box(container, BoxMark { origin, what }));
            }
            Body::BoxReceived { container, lab, tubes } => {
                let what = BoxWhat::Received { lab: lab.clone(), tubes: tubes.clone() };
                event.found = event.found.with(self.mark_box(container, BoxMark { origin, what }));
            }
            Body::PlateLoaded { plate, lab, kit, wells, .. } => {
                let rule = event.stamps.rule.clone();
                let (lab, kit, wells) = (lab.clone(), kit.clone(), wells.clone());
                let what = PlateWhat::Loaded { lab, kit, rule, wells };
                event.found = event.found.with(self.mark_plate(plate, PlateMark { origin, what }));
            }
            Body::RunReported { plate, run, targets, readings, .. } => {
                let (run, targets, readings) = (run.clone(), targets.clone(), readings.clone());
                let what = PlateWhat::Run { run, targets, readings };
                event.found = event.found.with(self.mark_plate(plate, PlateMark { origin, what }));
            }
            Body::PlateReassessed { plate } => {
                let what = PlateWhat::Reassessed { rule: event.stamps.rule.clone() };
                event.found = event.found.with(self.mark_plate(plate, PlateMark { origin, what }));
            }
            Body::ResultReleased { lab, tubes } => {
                for tube in tubes {
                    let what = What::Released { lab: lab.clone() };
                    let odd = self.mark_tube(tube, Mark { origin: origin.clone(), what });
                    event.found = event.found.with(odd);
                }
            }
            body => {
                if let Some((tube, what)) = tube_mark(body, event) {
                    let odd = self.mark_tube(&tube, Mark { origin, what });
                    event.found = event.found.with(odd);
                }
            }
        }
    }

    fn mark_tube(&mut self, tube: &Code, mark: Mark) -> Discrepancies {
        let record = self.tubes.touch(tube);
        record.insert(mark);
        record.view().discrepancies
    }

    fn mark_box(&mut self, container: &Code, mark: BoxMark) -> Discrepancies {
        let record = self.boxes.touch(container);
        record.insert(mark);
        let parts: Vec<(Code, BoxPart)> = record.parts(container);
        let mut odd = record.discrepancies();
        for (tube, part) in parts {
            odd.add_if(part.missing, Discrepancy::BoxTubeMissing);
            odd.add_if(part.extra, Discrepancy::BoxTubeExtra);
            self.tubes.touch(&tube).set_box(part);
        }
        odd
    }

    fn mark_plate(&mut self, plate: &Code, mark: PlateMark) -> Discrepancies {
        let record = self.plates.touch(plate);
        record.insert(mark);
        let parts: Vec<(Code, PlatePart)> = record.parts(plate);
        let odd = record.discrepancies();
        for (tube, part) in parts {
            self.tubes.touch(&tube).set_plate(part);
        }
        odd
    }

    /// What the touched tubes, boxes and plates change in counters, and what they say of people.
    pub fn settle(&mut self) -> Changes {
        let mut changes = Changes::default();
        self.tubes.settle(TubeRecord::view, |code, before, after| {
            let odd_before = before.map_or(Discrepancies::NONE, |view| view.discrepancies);
            changes.note_odd(RecordKind::Tube, code, odd_before, after.discrepancies);
            before.into_iter().for_each(|before| changes.deltas.tube(before, -1));
            changes.deltas.tube(after, 1);
            changes.note_follow_ups(code, before, after);
        });
        self.boxes.settle(BoxCount::of, |code, before, after| {
            let odd_before = before.map_or(Discrepancies::NONE, |count| count.odd);
            changes.note_odd(RecordKind::Container, code, odd_before, after.odd);
            before.into_iter().for_each(|before| changes.deltas.container(before, -1));
            changes.deltas.container(after, 1);
        });
        self.plates.settle(PlateCount::of, |code, before, after| {
            let odd_before = before.map_or(Discrepancies::NONE, |count| count.odd);
            changes.note_odd(RecordKind::Plate, code, odd_before, after.odd);
            before.into_iter().for_each(|before| changes.deltas.plate(before, -1));
            changes.deltas.plate(after, 1);
        });
        changes
    }

    /// Folds into people's records what the tubes say of them.
    pub fn settle_people(&mut self, changes: &mut Changes) {
        for (person, tube, part) in changes.follow_ups.drain(..) {
            self.people.touch(&person).set(&tube, part);
        }
        self.people.settle(Clone::clone, |_, before, after| {
            before.into_iter().for_each(|before| changes.deltas.person(before, -1));
            changes.deltas.person(after, 1);
        });
    }

    /// The batch is durable and has been settled: what is now in memory is what has been counted. Forgets everything
    /// when more than `tubes_max` tubes, or what weighs as much, are held.
    pub fn accept(&mut self, tubes_max: usize) {
        // A plate with its runs weighs as much as many tubes.
        let held = self.tubes.slots.len()
            + self.people.slots.len()
            + self.boxes.slots.len() * 8
            + self.plates.slots.len() * 16;
        if held > tubes_max {
            *self = World::default();
            return;
        }
        self.tubes.accept();
        self.boxes.accept();
        self.plates.accept();
        self.people.accept();
    }
}

impl Changes {
    fn note_odd(
        &mut self,
        kind: RecordKind,
        code: &Code,
        before: Discrepancies,
        after: Discrepancies,
    ) {
        if before != after {
            self.odd.push((kind, code.clone(), before, after));
        }
    }

    fn note_follow_ups(&mut self, tube: &Code, before: Option<&TubeView>, after: &TubeView) {
        let (was, is) = (before.and_then(follow_up), follow_up(after));
        let members_before = before.map_or(&[][..], |view| view.members.as_slice());
        if was == is && members_before == after.members {
            return;
        }
        if was.is_some() {
            let left = members_before.iter().filter(|p| after.members.binary_search(p).is_err());
            self.follow_ups.extend(left.map(|person| (*person, tube.clone(), None)));
        }
        if was.is_some() || is.is_some() {
            let all = after.members.iter();
            self.follow_ups.extend(all.map(|person| (*person, tube.clone(), is.clone())));
        }
    }
}

/// What a fact about one tube says of it.
fn tube_mark(body: &Body, event: &Event) -> Option<(Code, What)> {
    let place = || event.stamps.place.clone().unwrap_or_default();
    let round = || event.stamps.round.clone();
    let what = match body {
        Body::PersonSwabbed { pool, member, .. } => What::Collected {
            whole: false,
            pool: *pool,
            round: round(),
            place: place(),
            members: vec![member.person],
        },
        Body::TubeCollected { pool, members, .. } => What::Collected {
            whole: true,
            pool: *pool,
            round: round(),
            place: place(),
            members: members.iter().map(|member| member.person).collect(),
        },
        Body::MemberWithdrawn { person, .. } => What::Withdrawn(*person),
        Body::MemberCorrected { old, new, .. } => What::Corrected(*old, new.person),
        Body::TubeSealed { swabs, .. } => What::Sealed(*swabs),
        Body::TubeReceived { lab, condition, .. } => {
            What::Received { lab: lab.clone(), condition: *condition }
        }
        Body::TubeRejected { lab, reason, .. } => {
            What::Rejected { lab: lab.clone(), reason: *reason }
        }
        Body::TubeLost { .. } => What::Lost,
        Body::TubeVoided { reason, replaced_by, .. } => {
            What::Voided { reason: *reason, replaced_by: replaced_by.clone() }
        }
        Body::CallReviewed { runs, call, .. } => What::Reviewed { runs: runs.clone(), call: *call },
        Body::ResultAmended { call, .. } => What::Amended(*call),
        _ => return None,
    };
    Some((body.tube()?.clone(), what))
}
