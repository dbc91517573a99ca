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
use super::words::{Code, Condition, PersonKey};
use indexmap::IndexMap;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

/// A kind of record.
trait Record: Clone + Debug + Default {
    /// What of it is counted, and what others are told when it changes.
    type Count: Clone + Debug;

    fn count(&self) -> Self::Count;
}

impl Record for TubeRecord {
    type Count = TubeView;

    fn count(&self) -> TubeView {
        self.view()
    }
}

impl Record for BoxRecord {
    type Count = BoxCount;

    fn count(&self) -> BoxCount {
        BoxCount::of(self)
    }
}

impl Record for PlateRecord {
    type Count = PlateCount;

    fn count(&self) -> PlateCount {
        PlateCount::of(self)
    }
}

impl Record for PersonRecord {
    type Count = PersonRecord;

    fn count(&self) -> PersonRecord {
        self.clone()
    }
}

/// A record with what it was before the batch. The record itself is shared with whoever else reads
/// it; a change makes a copy only when somebody does.
#[derive(Clone, Debug)]
struct Slot<R: Record> {
    record: Arc<R>,
    exists: bool,
    touched: bool,
    /// What counted before the batch. Apart, because most slots are moved about without; `None` when it did not exist or has not been touched.
    before: Option<Box<R::Count>>,
    /// What counts now, if it has been worked out since the last change.
    now: Option<Box<R::Count>>,
}

impl<R: Record> Slot<R> {
    fn new(record: Option<Arc<R>>) -> Self {
        let exists = record.is_some();
        let record = record.unwrap_or_default();
        Slot { record, exists, touched: false, before: None, now: None }
    }
}

/// The records of one kind. Those that a batch touched are listed apart, because they are few
/// among many: by their place, so that no key is looked for again.
#[derive(Debug)]
struct Shelf<K, R: Record> {
    slots: IndexMap<K, Slot<R>, foldhash::fast::RandomState>,
    touched: Vec<usize>,
}

impl<K, R: Record> Default for Shelf<K, R> {
    fn default() -> Self {
        Shelf { slots: IndexMap::default(), touched: Vec::new() }
    }
}

impl<K: Hash + Eq + Clone, R: Record> Shelf<K, R> {
    fn touch(&mut self, key: &K) -> &mut Slot<R> {
        // Going on with an empty record would overwrite what the store holds.
        let slot = self.slots.get_full_mut(key);
        let (at, _, slot) =
            slot.expect("every record an event touches is loaded before it is applied");
        if !slot.touched {
            slot.touched = true;
            slot.before = slot.exists.then(|| Box::new(slot.record.count()));
            slot.exists = true;
            self.touched.push(at);
        }
        slot.now = None;
        slot
    }

    fn change(&mut self, key: &K) -> &mut R {
        Arc::make_mut(&mut self.touch(key).record)
    }

    fn touched(&self) -> impl Iterator<Item = (&K, &Slot<R>)> {
        self.touched.iter().filter_map(|at| self.slots.get_index(*at))
    }

    /// Hands out of every touched record its key, what counted before, and what counts now.
    fn settle(&mut self, mut each: impl FnMut(&K, Option<&R::Count>, &R::Count)) {
        for at in &self.touched {
            if let Some((key, slot)) = self.slots.get_index_mut(*at) {
                let now = slot.now.get_or_insert_with(|| Box::new(slot.record.count()));
                each(key, slot.before.as_deref(), now);
            }
        }
    }

    fn accept(&mut self) {
        for at in self.touched.drain(..) {
            if let Some((_, slot)) = self.slots.get_index_mut(at) {
                (slot.touched, slot.before, slot.now) = (false, None, None);
            }
        }
    }

    fn forget(&mut self) {
        self.slots.clear();
        self.touched.clear();
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
    tubes: Shelf<Code, TubeRecord>,
    boxes: Shelf<Code, BoxRecord>,
    plates: Shelf<Code, PlateRecord>,
    people: Shelf<PersonKey, PersonRecord>,
}

/// Declares loading, asking and listing for one kind of record.
macro_rules! kind {
    ($map:ident, $key:ty, $record:ty, $has:ident, $load:ident, $get:ident, $changed:ident, $all:ident) => {
        /// True when the record has been loaded.
        pub fn $has(&self, key: &$key) -> bool {
            self.$map.slots.contains_key(key)
        }

        /// Takes a record from the store; `None` = the store has none.
        pub fn $load(&mut self, key: $key, record: Option<Arc<$record>>) {
            self.$map.slots.entry(key).or_insert_with(|| Slot::new(record));
        }

        /// The record as it is now.
        pub fn $get(&self, key: &$key) -> Option<&$record> {
            let slot = self.$map.slots.get(key).filter(|slot| slot.exists);
            slot.map(|slot| slot.record.as_ref())
        }

        /// The records that changed since the last [`World::accept`].
        pub fn $changed(&self) -> impl Iterator<Item = (&$key, &Arc<$record>)> {
            self.$map.touched().map(|(key, slot)| (key, &slot.record))
        }

        /// Every record that exists.
        pub fn $all(&self) -> impl Iterator<Item = (&$key, &$record)> {
            let exists = self.$map.slots.iter().filter(|(_, slot)| slot.exists);
            exists.map(|(key, slot)| (key, slot.record.as_ref()))
        }
    };
}

#[rustfmt::skip]
impl World {
    kind!(tubes, Code, TubeRecord, has_tube, load_tube, tube, changed_tubes, all_tubes);
    kind!(boxes, Code, BoxRecord, has_box, load_box, container, changed_boxes, all_boxes);
    kind!(plates, Code, PlateRecord, has_plate, load_plate, plate, changed_plates, all_plates);
    kind!(people, PersonKey, PersonRecord, has_person, load_person, person, changed_people, all_people);
}

impl World {
    /// The tubes that a fact may touch through a box or plate already loaded, besides those it names.
    pub fn wants_listed(&self, body: &Body) -> impl Iterator<Item = &Code> {
        let of_box = body.container().and_then(|code| self.boxes.slots.get(code)).filter(|slot| {
            // As in `mark_box`: what is packed into a box that nobody has opened is nothing to the others in it.
            let touches_all =
                !matches!(body, Body::TubesPacked { .. }) || slot.record.of_all().opened;
            touches_all && !slot.record.is_full()
        });
        let of_plate = body.plate().and_then(|code| self.plates.slots.get(code));
        let of_plate = of_plate.filter(|slot| !slot.record.is_full());
        let boxed = of_box.into_iter().flat_map(|slot| slot.record.tubes());
        boxed.chain(of_plate.into_iter().flat_map(|slot| slot.record.tubes()))
    }

    /// Folds an event in and notes on it what is odd about its own record now.
    pub fn apply(&mut self, event: &mut Event) {
        let origin = origin(event);
        event.found = event.stamps.flags;
        match &event.fact.body {
            Body::TubesPacked { container, tubes } => {
                let what = BoxWhat::Packed(tubes.clone());
                event.found = event.found.with(self.mark_box(container, BoxMark { origin, what }));
            }
            Body::BoxHandedOver { container, lab, .. } => {
                let what = BoxWhat::HandedOver { lab: counted(lab, event) };
                event.found = event.found.with(self.mark_box(container, BoxMark { origin, what }));
            }
            Body::BoxReceived { container, lab, tubes } if self.is_full_box(container) => {
                for tube in tubes {
                    let what =
                        What::Received { lab: counted(lab, event), condition: Condition::Good };
                    let odd = self.mark_tube(tube, Mark { origin: origin.clone(), what });
                    event.found = event.found.with(odd);
                }
                event.found.add(Discrepancy::CodeOverused);
            }
            Body::BoxReceived { container, lab, tubes } => {
                let what = BoxWhat::Received { lab: counted(lab, event), tubes: tubes.clone() };
                event.found = event.found.with(self.mark_box(container, BoxMark { origin, what }));
            }
            Body::PlateLoaded { plate, lab, kit, wells, .. } => {
                let rule = event.stamps.rule.clone();
                let (lab, kit, wells) = (counted(lab, event), kit.clone(), wells.clone());
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
                    let what = What::Released { lab: counted(lab, event) };
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
        let slot = self.tubes.touch(tube);
        let record = Arc::make_mut(&mut slot.record);
        record.insert(mark);
        slot.now.insert(Box::new(record.view())).discrepancies
    }

    fn is_full_box(&self, container: &Code) -> bool {
        self.container(container).is_some_and(BoxRecord::is_full)
    }

    fn mark_box(&mut self, container: &Code, mark: BoxMark) -> Discrepancies {
        if self.is_full_box(container) {
            return Discrepancy::CodeOverused.into();
        }
        let record = self.boxes.change(container);
        let before = record.of_all();
        let at = mark.origin.at;
        let packed = match &mark.what {
            BoxWhat::Packed(tubes) => tubes.clone(),
            _ => Vec::new(),
        };
        record.insert(mark);
        let all = record.of_all();
        let mut odd = record.discrepancies();
        if before == all && !all.opened {
            // A code that stands for a whole day's boxes must not cost all their tubes at every fact.
            for tube in &packed {
                let tube = self.tubes.change(tube);
                let known = tube.boxes.iter().find(|part| part.container == *container);
                let packed = known.and_then(|part| part.packed).max(Some(at));
                tube.set_box(all.unopened(container, packed));
            }
            return odd;
        }
        let parts: Vec<(Code, BoxPart)> = record.parts(container);
        for (tube, part) in parts {
            odd.add_if(part.missing, Discrepancy::BoxTubeMissing);
            odd.add_if(part.extra, Discrepancy::BoxTubeExtra);
            self.tubes.change(&tube).set_box(part);
        }
        odd
    }

    fn mark_plate(&mut self, plate: &Code, mark: PlateMark) -> Discrepancies {
        if self.plate(plate).is_some_and(PlateRecord::is_full) {
            return Discrepancy::CodeOverused.into();
        }
        let record = self.plates.change(plate);
        record.insert(mark);
        let parts: Vec<(Code, PlatePart)> = record.parts(plate);
        let odd = record.discrepancies();
        for (tube, part) in parts {
            self.tubes.change(&tube).set_plate(part);
        }
        odd
    }

    /// What the touched tubes, boxes and plates change in counters, and what they say of people.
    pub fn settle(&mut self) -> Changes {
        let mut changes = Changes::default();
        self.tubes.settle(|code, before, after| {
            let odd_before = before.map_or(Discrepancies::NONE, |view| view.discrepancies);
            changes.note_odd(RecordKind::Tube, code, odd_before, after.discrepancies);
            before.into_iter().for_each(|before| changes.deltas.tube(before, -1));
            changes.deltas.tube(after, 1);
            changes.note_follow_ups(code, before, after);
        });
        self.boxes.settle(|code, before, after| {
            let odd_before = before.map_or(Discrepancies::NONE, |count| count.odd);
            changes.note_odd(RecordKind::Container, code, odd_before, after.odd);
            before.into_iter().for_each(|before| changes.deltas.container(before, -1));
            changes.deltas.container(after, 1);
        });
        self.plates.settle(|code, before, after| {
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
            self.people.change(&person).set(&tube, part);
        }
        self.people.settle(|_, before, after| {
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
            self.tubes.forget();
            self.boxes.forget();
            self.plates.forget();
            self.people.forget();
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

/// The laboratory as its tubes, boxes and plates are counted: one unknown laboratory too many is none.
fn counted(lab: &Code, event: &Event) -> Code {
    match event.stamps.flags.has(Discrepancy::LabsTooMany) {
        true => Code::default(),
        false => lab.clone(),
    }
}

/// Where what an event says comes from.
fn origin(event: &Event) -> Origin {
    let (id, at) = (event.fact.id.clone(), event.captured());
    Origin { seq: event.seq, id, at, flags: event.stamps.flags }
}

/// The tube that an event collected as a whole, as it is when nothing else is known of it; `None` when the event
/// says something else.
pub fn collected(event: &Event) -> Option<(Code, TubeRecord)> {
    let body = Some(&event.fact.body).filter(|body| matches!(body, Body::TubeCollected { .. }))?;
    let (code, what) = tube_mark(body, event)?;
    let marks = vec![Mark { origin: origin(event), what }];
    Some((code, TubeRecord { marks, ..TubeRecord::default() }))
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
            What::Received { lab: counted(lab, event), condition: *condition }
        }
        Body::TubeRejected { lab, reason, .. } => {
            What::Rejected { lab: counted(lab, event), reason: *reason }
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
