//! Layers: what committed batches made of the records, before it stands in a file. The log is
//! durable already; a layer only saves reading it again. Every reader looks here first.

use super::codec::{Wire, encode_into};
use super::error::Error;
use super::keys::{self, Kind};
use super::records::encode_record;
use crate::domain::boxes::BoxRecord;
use crate::domain::counters::{CellKey, Figures};
use crate::domain::discrepancy::Discrepancies;
use crate::domain::fact::{Body, Event};
use crate::domain::person::PersonRecord;
use crate::domain::plate::PlateRecord;
use crate::domain::source::SourceState;
use crate::domain::tube::TubeRecord;
use crate::domain::words::Map;
use crate::domain::world::{RecordKind, World};
use crate::domain::{Code, PersonKey};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// A batch of events that has been decided, with everything that it changed. Owned, so that it can
/// be made durable while the next one is being decided.
pub struct Commit {
    /// The events, with sequences following the log's last without a hole.
    pub events: Vec<Event>,
    /// The records that changed, as they are after them.
    pub layer: Layer,
}

/// Records as they are after some batches; the newest state of each that they changed.
#[derive(Default)]
pub struct Layer {
    /// The last sequence that is in it; 0 when nothing is.
    pub to: u64,
    /// Tubes of which nothing is known but that they were collected. They are not put down in here, but as long as the
    /// files do not say that they go beyond them, a start folds them again.
    only_collected: usize,
    /// In what a batch changed, also the tubes that it only collected.
    tubes: Map<Code, Arc<TubeRecord>>,
    boxes: Map<Code, Arc<BoxRecord>>,
    plates: Map<Code, Arc<PlateRecord>>,
    /// A record without parts is one that is gone.
    people: Map<PersonKey, Arc<PersonRecord>>,
    /// A cell of noughts is one that is gone.
    cells: Map<CellKey, Figures>,
    sources: Map<(Code, u64), SourceState>,
    /// Keys that have no value: whether they stand.
    lists: BTreeMap<Vec<u8>, bool>,
}

impl Layer {
    /// What a settled batch of events changed in the world, in the cells and in the sources, and
    /// which records' discrepancies it changed (before, after).
    pub fn new(
        events: &[Event],
        world: &World,
        cells: impl Iterator<Item = (CellKey, Figures)>,
        sources: impl Iterator<Item = ((Code, u64), SourceState)>,
        odd: &[(RecordKind, Code, Discrepancies, Discrepancies)],
    ) -> Layer {
        let mut lists = BTreeMap::new();
        for event in events {
            lists.extend(listed(event).map(|key| (key, true)));
        }
        for (kind, code, before, after) in odd {
            let gone = before.without(*after);
            lists.extend(gone.iter().map(|what| (keys::odd(what, *kind, code), false)));
            let new = after.without(*before);
            lists.extend(new.iter().map(|what| (keys::odd(what, *kind, code), true)));
        }
        Layer {
            to: events.last().map_or(0, |event| event.seq),
            only_collected: 0,
            tubes: world.changed_tubes().map(|(code, one)| (code.clone(), one.clone())).collect(),
            boxes: world.changed_boxes().map(|(code, one)| (code.clone(), one.clone())).collect(),
            plates: world.changed_plates().map(|(code, one)| (code.clone(), one.clone())).collect(),
            people: world.changed_people().map(|(key, one)| (*key, one.clone())).collect(),
            cells: cells.collect(),
            sources: sources.collect(),
            lists,
        }
    }

    /// Puts a later layer over this one.
    fn put(&mut self, later: &Layer) {
        fn over<K: Clone + Eq + std::hash::Hash, R: Clone>(mine: &mut Map<K, R>, new: &Map<K, R>) {
            mine.extend(new.iter().map(|(key, record)| (key.clone(), record.clone())));
        }
        self.to = later.to;
        for (code, tube) in &later.tubes {
            if tube.is_only_collected() {
                self.only_collected += 1;
            } else {
                self.tubes.insert(code.clone(), Arc::clone(tube));
            }
        }
        over(&mut self.boxes, &later.boxes);
        over(&mut self.plates, &later.plates);
        over(&mut self.people, &later.people);
        over(&mut self.cells, &later.cells);
        over(&mut self.sources, &later.sources);
        self.lists.extend(later.lists.iter().map(|(key, stands)| (key.clone(), *stands)));
    }

    /// A tube, if it is in here.
    pub fn tube(&self, code: &str) -> Option<&Arc<TubeRecord>> {
        self.tubes.get(code)
    }

    /// Of what a batch changed, the tubes that it only collected.
    pub fn only_collected(&self) -> impl Iterator<Item = (&Code, &TubeRecord)> {
        let tubes = self.tubes.iter().map(|(code, tube)| (code, tube.as_ref()));
        tubes.filter(|(_, tube)| tube.is_only_collected())
    }

    /// The codes of the tubes in it.
    pub fn tube_codes(&self) -> impl Iterator<Item = &str> {
        self.tubes.keys().map(Code::as_str)
    }

    /// A box, if it is in here.
    pub fn container(&self, code: &str) -> Option<&Arc<BoxRecord>> {
        self.boxes.get(code)
    }

    /// A plate, if it is in here.
    pub fn plate(&self, code: &str) -> Option<&Arc<PlateRecord>> {
        self.plates.get(code)
    }

    /// A person, if in here. A record without parts is one that is gone.
    pub fn person(&self, key: &PersonKey) -> Option<&Arc<PersonRecord>> {
        self.people.get(key)
    }

    /// The cells that changed, as they are after it.
    pub fn cells(&self) -> impl Iterator<Item = (&CellKey, &Figures)> {
        self.cells.iter()
    }

    /// Records in it, and tubes that would be folded again.
    pub fn count(&self) -> usize {
        self.only_collected
            + self.tubes.len()
            + self.boxes.len()
            + self.plates.len()
            + self.people.len()
    }

    /// The keys of a kind from `from` on with their values, at least the first `limit` of them;
    /// `None` = it is gone.
    fn of_kind(&self, kind: Kind, from: &[u8], limit: usize) -> BTreeMap<Vec<u8>, Option<Vec<u8>>> {
        fn all<'a, K: 'a, R: Wire + 'a>(
            records: impl Iterator<Item = (&'a K, &'a R)>,
            key: impl Fn(&K) -> Vec<u8>,
            gone: impl Fn(&R) -> bool,
        ) -> BTreeMap<Vec<u8>, Option<Vec<u8>>> {
            records.map(|(k, r)| (key(k), (!gone(r)).then(|| encode_record(r)))).collect()
        }
        let mut found = match kind {
            Kind::Tube => {
                // Tubes are many and never gone: only those that are wanted are written out.
                let mut wanted: Vec<_> =
                    self.tubes.iter().filter(|(c, _)| c.as_bytes() >= after(from)).collect();
                if wanted.len() > limit {
                    wanted.select_nth_unstable_by_key(limit, |(code, _)| *code);
                    wanted.truncate(limit);
                }
                all(wanted.into_iter(), |code| keys::code(kind, code), |_| false)
            }
            Kind::Container => all(self.boxes.iter(), |code| keys::code(kind, code), |_| false),
            Kind::Plate => all(self.plates.iter(), |code| keys::code(kind, code), |_| false),
            Kind::Person => {
                let gone = |record: &Arc<PersonRecord>| record.parts.is_empty();
                all(self.people.iter(), |person| keys::person(*person), gone)
            }
            Kind::Cell => all(self.cells.iter(), keys::cell, Figures::is_zero),
            Kind::Source => {
                all(self.sources.iter(), |(source, epoch)| keys::source(source, *epoch), |_| false)
            }
            Kind::Odd | Kind::ReferenceEvent | Kind::RosterEvent => {
                let of_kind = self.lists.range(kind.start()..kind.end());
                of_kind.map(|(key, stands)| (key.clone(), stands.then(Vec::new))).collect()
            }
            Kind::Event | Kind::Batch | Kind::IndexMark | Kind::Run => BTreeMap::new(),
        };
        found.split_off(from)
    }
}

/// What follows the kind in a key.
fn after(key: &[u8]) -> &[u8] {
    key.get(1..).unwrap_or_default()
}

/// The layers above the files, newest last.
#[derive(Default)]
struct Stack {
    active: Layer,
    frozen: Vec<Arc<Layer>>,
}

impl Stack {
    fn newest_first(&self) -> impl Iterator<Item = &Layer> {
        std::iter::once(&self.active).chain(self.frozen.iter().rev().map(Arc::as_ref))
    }

    fn freeze(&mut self) {
        if self.active.to > 0 {
            self.frozen.push(Arc::new(std::mem::take(&mut self.active)));
        }
    }
}

/// The layers of a folder.
#[derive(Default)]
pub struct Layers(RwLock<Stack>);

/// Looks for one record, newest layer first; `None` = no layer knows it.
macro_rules! look {
    ($name:ident, $map:ident, $key:ty, $record:ty) => {
        pub fn $name(&self, key: &$key) -> Option<Arc<$record>> {
            self.read().newest_first().find_map(|layer| layer.$map.get(key).cloned())
        }
    };
}

impl Layers {
    fn read(&self) -> RwLockReadGuard<'_, Stack> {
        // A panic while holding the lock leaves whole layers: a batch is put down record by record,
        // and the writer that panicked is gone with its batch.
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Stack> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    look!(tube, tubes, str, TubeRecord);
    look!(container, boxes, str, BoxRecord);
    look!(plate, plates, str, PlateRecord);
    look!(person, people, PersonKey, PersonRecord);

    /// Several tubes at once; `None` = no layer knows it.
    pub fn tubes(&self, codes: &[Code]) -> Vec<Option<Arc<TubeRecord>>> {
        let stack = self.read();
        let of = |code| stack.newest_first().find_map(|layer| layer.tubes.get(code).cloned());
        codes.iter().map(of).collect()
    }

    /// What has arrived from a source in an epoch.
    pub fn source(&self, source: &(Code, u64)) -> Option<SourceState> {
        self.read().newest_first().find_map(|layer| layer.sources.get(source).cloned())
    }

    /// Puts what a durable batch changed on top. From now on every reader sees it.
    pub fn put(&self, layer: &Layer) {
        self.write().active.put(layer);
    }

    /// Records in all layers.
    pub fn count(&self) -> usize {
        self.read().newest_first().map(Layer::count).sum()
    }

    /// All layers as they are now, oldest first. None of them changes any more.
    pub fn freeze(&self) -> Vec<Arc<Layer>> {
        let mut stack = self.write();
        stack.freeze();
        stack.frozen.clone()
    }

    /// The `count` oldest layers stand in a file now.
    pub fn done(&self, count: usize) {
        self.write().frozen.drain(..count);
    }
}

/// The keys of a kind from `from` on that one of the layers knows, with their newest values: at
/// least the first `limit` of them; `None` = it is gone.
pub fn of_kind(
    layers: &[Arc<Layer>],
    kind: Kind,
    from: &[u8],
    limit: usize,
) -> BTreeMap<Vec<u8>, Option<Vec<u8>>> {
    let mut all = BTreeMap::new();
    layers.iter().for_each(|layer| all.extend(layer.of_kind(kind, from, limit)));
    all
}

/// The first bytes of a code as a number of the same order: most codes differ in them, and a number is compared
/// without going to where the code lies.
fn head(code: &str) -> u128 {
    let mut head = [0; 16];
    let length = code.len().min(16);
    head[..length].copy_from_slice(&code.as_bytes()[..length]);
    u128::from_be_bytes(head)
}

/// The newest record of each tube that one of the layers knows, in the order of the codes.
fn newest_tubes(layers: &[Arc<Layer>]) -> Vec<(&Code, &Arc<TubeRecord>)> {
    let mut all: Vec<(u128, usize, &Code, &Arc<TubeRecord>)> = Vec::new();
    for (age, layer) in layers.iter().rev().enumerate() {
        all.extend(layer.tubes.iter().map(|(code, record)| (head(code), age, code, record)));
    }
    all.sort_unstable_by(|(head, age, code, _), (other_head, other_age, other, _)| {
        let order = head.cmp(other_head).then_with(|| code.cmp(other));
        order.then(age.cmp(other_age))
    });
    all.dedup_by(|(head, _, code, _), (kept_head, _, kept, _)| head == kept_head && code == kept);
    all.into_iter().map(|(.., code, record)| (code, record)).collect()
}

/// What is done with each key and its value; `None` = it is gone.
type EachValue<'a> = dyn FnMut(&[u8], Option<&[u8]>) -> Result<(), Error> + 'a;

/// Hands out every key of the layers with its newest value, in the order of keys.
/// `tube` sees each tube with its value too.
pub fn for_each(
    layers: &[Arc<Layer>],
    tube: &mut dyn FnMut(&Code, &TubeRecord, &[u8]),
    each: &mut EachValue<'_>,
) -> Result<(), Error> {
    let mut value = Vec::with_capacity(512);
    for kind in Kind::ALL.iter().copied() {
        match kind {
            // By far the most; the others take the plain way.
            Kind::Tube => {
                for (code, record) in newest_tubes(layers) {
                    encode_into(record.as_ref(), &mut value);
                    tube(code, record, &value);
                    each(&keys::code(kind, code), Some(&value))?;
                }
            }
            kind => {
                for (key, value) in of_kind(layers, kind, &kind.start(), usize::MAX) {
                    each(&key, value.as_deref())?;
                }
            }
        }
    }
    Ok(())
}

/// The keys without a value that an event puts down.
pub fn listed(event: &Event) -> impl Iterator<Item = Vec<u8>> {
    let reference = event.fact.body.is_reference();
    let roster = matches!(event.fact.body, Body::RosterImported { .. });
    let reference = reference.then(|| keys::seq(Kind::ReferenceEvent, event.seq));
    let roster = roster.then(|| keys::seq(Kind::RosterEvent, event.seq));
    reference.into_iter().chain(roster)
}
