//! `verify`: folds the log again from nothing and compares everything that stands in the folder
//! with it. Whatever differs is named by kind and key.

use super::entry::{self, Entry};
use super::error::Error;
use super::index::Index;
use super::keys::{self, Kind};
use super::layer;
use super::log::{Form, Hash, Head};
use super::open::RECORDS;
use super::read::{Read, Shared, describe, seq_of};
use super::records::{decode_event, encode_record};
use super::{codec, folder::Acknowledged, seal};
use crate::domain::Code;
use crate::domain::counters::{CellKey, Figures};
use crate::domain::fact::{Body, Event};
use crate::domain::source::SourceState;
use crate::domain::world::World;
use rocksdb::{IteratorMode, ReadOptions};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

/// Most findings that are named; the rest is counted.
const FINDINGS_MAX: usize = 100;

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What: a file, or kind and key of a value.
    pub what: String,
    /// What is wrong with it.
    pub problem: String,
}

/// The result of a verification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Events in the log.
    pub events: u64,
    /// Batches in the log.
    pub batches: u64,
    /// Values compared with the refolded log, index entries included.
    pub values: u64,
    /// Whether there was a seal to compare the files with.
    pub sealed: bool,
    /// How far the acknowledged mark trails the log, in events.
    pub acknowledged_trails: u64,
    /// The first differences.
    pub findings: Vec<Finding>,
    /// All differences.
    pub findings_total: u64,
}

impl Report {
    fn find(&mut self, what: impl Into<String>, problem: &str) {
        self.findings_total += 1;
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(Finding { what: what.into(), problem: problem.to_owned() });
        }
    }
}

/// Verifies a stopped folder. Changes nothing in it.
///
/// # Errors
/// When the folder cannot be looked at: it is in use, not ours, or of a newer format. Damage is
/// no error but a finding.
pub fn verify(dir: &Path) -> Result<Report, Error> {
    let mut report = Report::default();
    if let Some(changed) = seal::check(dir)? {
        report.sealed = true;
        for file in changed {
            report.find(format!("file {file}"), "differs from the seal of the last stop");
        }
    }
    for line in super::ForecastLines::read(dir)?.damaged {
        report.find(
            format!("forecasts line {line}"),
            "its check is wrong; forecasts go on without it",
        );
    }
    // What RocksDB itself notices is a finding of ours, not a reason to give up.
    match super::Store::open_read_only(dir) {
        Ok(read) => {
            if let Err(error) = compare(&read, dir, &mut report) {
                report.find("folder", &error.chain());
            }
        }
        Err(error @ (Error::Database(_) | Error::Damaged { .. })) => {
            report.find("folder", &error.chain());
        }
        Err(error) => return Err(error),
    }
    Ok(report)
}

#[derive(Default)]
struct Refold {
    world: World,
    cells: HashMap<CellKey, Figures>,
    sources: HashMap<(Code, u64), SourceState>,
    odd: HashSet<Vec<u8>>,
    seqs: HashSet<Vec<u8>>,
    people: Vec<Entry>,
    facts: Vec<Entry>,
    tubes: Vec<Entry>,
}

impl Refold {
    fn batch(&mut self, mut events: Vec<Event>, report: &mut Report) {
        for event in &mut events {
            let seq = event.seq;
            let id = &event.fact.id;
            self.facts.push(Entry::new(&entry::fact_key(id), seq));
            self.people.extend(entry::people_entries(event));
            self.tubes.extend(entry::tube_entry(event));
            let source = self.sources.entry((id.source.clone(), id.epoch)).or_default();
            if !source.note(id.number) && id.number > source.joined_to {
                report.find(format!("event {seq}"), "its fact id stands in the log twice");
            }
            self.seqs.extend(layer::listed(event));
            load_new(&mut self.world, &event.fact.body);
            let committed = event.found;
            self.world.apply(event);
            if event.found != committed {
                report
                    .find(format!("event {seq}"), "its discrepancies are not what the fold finds");
            }
        }
        let mut changes = self.world.settle();
        let people: Vec<_> = changes.wants_people().copied().collect();
        people.into_iter().for_each(|person| self.world.load_person(person, None));
        self.world.settle_people(&mut changes);
        for (cell, delta) in &changes.deltas.0 {
            self.cells.entry(cell.clone()).or_default().add(delta);
        }
        for (kind, code, before, after) in &changes.odd {
            for gone in before.without(*after).iter() {
                self.odd.remove(&keys::odd(gone, *kind, code));
            }
            for new in after.without(*before).iter() {
                self.odd.insert(keys::odd(new, *kind, code));
            }
        }
        self.world.accept(usize::MAX);
    }
}

/// The refold starts from nothing: a record that is not there yet does not exist.
fn load_new(world: &mut World, body: &Body) {
    for tube in body.tubes() {
        world.load_tube(tube.clone(), None);
    }
    if let Some(container) = body.container() {
        world.load_box(container.clone(), None);
    }
    if let Some(plate) = body.plate() {
        world.load_plate(plate.clone(), None);
    }
}

fn compare(read: &Read, dir: &Path, report: &mut Report) -> Result<(), Error> {
    let shared = read.shared();
    let mut refold = refold_log(shared, report)?;
    compare_acknowledged(shared, dir, report);
    compare_index(shared, &shared.people, &mut refold.people, report)?;
    compare_index(shared, &shared.facts, &mut refold.facts, report)?;
    compare_index(shared, &shared.tubes, &mut refold.tubes, report)
}

fn refold_log(shared: &Shared, report: &mut Report) -> Result<Refold, Error> {
    let mut refold = Refold::default();
    let (mut previous, mut next_seq) = ([0; 32], 1_u64);
    // The records in files are those of one moment: the end of a batch, the last one after a stop
    // in order.
    let records_to = shared.records_to()?;
    let mut compared = records_to == 0;
    if compared {
        compare_records(shared, &refold, report)?;
    }
    let mut options = ReadOptions::default();
    options.set_iterate_range(Kind::Batch.start()..Kind::Batch.end());
    for item in shared.state.iterator_cf_opt(shared.heads(), options, IteratorMode::Start) {
        let (key, value) = item?;
        let first = seq_of(&key)?;
        let Ok(head) = Head::decode(first, &value) else {
            report.find(format!("batch {first}"), "does not decode");
            continue;
        };
        if first != next_seq {
            report.find(format!("batch {first}"), "does not follow the batch before");
        }
        if head.previous != previous {
            report.find(format!("batch {first}"), "does not name the hash of the batch before");
        }
        let form = head.form(first);
        let (events, leaves) = events_of(shared, first, head.count, form, report)?;
        if Head::new(form, head.previous, first, &leaves) != head {
            let what = format!(
                "batch {first}, event {first} to {}",
                first.saturating_add(u64::from(head.count)).saturating_sub(1)
            );
            report.find(what, "its hash is not that of its events");
        }
        report.batches += 1;
        report.events += events.len() as u64;
        report.values += 1 + events.len() as u64;
        refold.batch(events, report);
        (previous, next_seq) = (head.hash, first.saturating_add(u64::from(head.count)));
        if next_seq == records_to.saturating_add(1) {
            compare_records(shared, &refold, report)?;
            compared = true;
        }
    }
    if !compared || (report.sealed && records_to.saturating_add(1) != next_seq) {
        let problem = "names no end of a batch of the log, or not the last one";
        report.find(describe(&keys::code(Kind::IndexMark, RECORDS)), problem);
    }
    let mut options = ReadOptions::default();
    options.set_iterate_range(keys::seq(Kind::Event, next_seq)..Kind::Event.end());
    for item in shared.state.iterator_cf_opt(shared.log(), options, IteratorMode::Start) {
        report.find(describe(&item?.0), "belongs to no batch");
    }
    for (family, first, end) in [
        (shared.log(), keys::seq(Kind::Event, 1), Kind::Event.end()),
        (shared.heads(), Kind::Batch.start(), Kind::Batch.end()),
    ] {
        let (mut below, mut above) = (ReadOptions::default(), ReadOptions::default());
        below.set_iterate_range(..first.as_slice());
        above.set_iterate_range(end.as_slice()..);
        for options in [below, above] {
            for item in shared.state.iterator_cf_opt(family, options, IteratorMode::Start) {
                report.find(describe(&item?.0), "does not belong there");
            }
        }
    }
    for item in shared.state.iterator(IteratorMode::Start) {
        report.find(describe(&item?.0), "does not belong there");
    }
    Ok(refold)
}

fn events_of(
    shared: &Shared,
    first: u64,
    count: u32,
    form: Form,
    report: &mut Report,
) -> Result<(Vec<Event>, Vec<Hash>), Error> {
    let (mut events, mut leaves) = (Vec::new(), Vec::new());
    let mut options = ReadOptions::default();
    let end = first.saturating_add(u64::from(count));
    options.set_iterate_range(keys::seq(Kind::Event, first)..keys::seq(Kind::Event, end));
    for item in shared.state.iterator_cf_opt(shared.log(), options, IteratorMode::Start) {
        let (key, value) = item?;
        leaves.push(form.leaf(&value));
        match decode_event(seq_of(&key)?, &value) {
            Ok(event) => events.push(event),
            Err(_) => report.find(describe(&key), "does not decode"),
        }
    }
    if leaves.len() != count as usize {
        report.find(format!("batch {first}"), "some of its events are missing");
    }
    Ok((events, leaves))
}

fn compare_acknowledged(shared: &Shared, dir: &Path, report: &mut Report) {
    let (last, hash) = shared.last();
    match Acknowledged::peek(dir) {
        Some((seq, _)) if seq > last => {
            report.find("acknowledged mark", "is ahead of the log: acknowledged facts are missing");
        }
        Some((seq, noted)) if seq == last && noted != hash => {
            report.find("acknowledged mark", "names another hash for the last batch");
        }
        Some((seq, _)) => report.acknowledged_trails = last - seq,
        None if last > 0 => report.acknowledged_trails = last,
        None => {}
    }
}

fn compare_records(shared: &Shared, refold: &Refold, report: &mut Report) -> Result<(), Error> {
    let mut expected: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    let world = &refold.world;
    let no_value = |key: &Vec<u8>| (key.clone(), Vec::new());
    let tubes = world.all_tubes().filter(|(_, tube)| !tube.is_only_collected());
    expected.extend(tubes.map(|(c, r)| (keys::code(Kind::Tube, c), encode_record(r))));
    expected
        .extend(world.all_boxes().map(|(c, r)| (keys::code(Kind::Container, c), encode_record(r))));
    expected
        .extend(world.all_plates().map(|(c, r)| (keys::code(Kind::Plate, c), encode_record(r))));
    let people = world.all_people().filter(|(_, record)| !record.parts.is_empty());
    expected.extend(people.map(|(person, record)| (keys::person(*person), encode_record(record))));
    let cells = refold.cells.iter().filter(|(_, figures)| !figures.is_zero());
    expected.extend(cells.map(|(cell, figures)| (keys::cell(cell), encode_record(figures))));
    let sources = refold.sources.iter();
    expected
        .extend(sources.map(|((s, epoch), state)| (keys::source(s, *epoch), encode_record(state))));
    expected.extend(refold.odd.iter().map(no_value));
    expected.extend(refold.seqs.iter().map(no_value));

    for item in shared.fold.iterator_cf(shared.records(), IteratorMode::Start) {
        let (key, value) = item?;
        report.values += 1;
        if Kind::of(&key) == Some(Kind::IndexMark) {
            // What it says has been seen to; here, that there is no other.
            let known = *key == *keys::code(Kind::IndexMark, RECORDS);
            if !known || codec::decode::<u64>(&value).is_err() {
                report.find(describe(&key), "does not decode, or is not known");
            }
            continue;
        }
        match expected.remove(key.as_ref()) {
            None => {
                report.find(describe(&key), "stands in the folder but does not follow from the log")
            }
            Some(wanted) if wanted != value.as_ref() => {
                report.find(describe(&key), "differs from what follows from the log");
            }
            Some(_) => {}
        }
    }
    for key in expected.keys() {
        report.find(describe(key), "follows from the log but is missing");
    }
    Ok(())
}

fn compare_index(
    shared: &Shared,
    index: &Index,
    expected: &mut Vec<Entry>,
    report: &mut Report,
) -> Result<(), Error> {
    expected.sort_unstable();
    expected.dedup();
    let (last, _) = shared.last();
    let Index { name, runs, .. } = index;
    if runs.complete_to() > last || (report.sealed && runs.complete_to() != last) {
        report.find(format!("run of index {name}"), "does not end where the log ends");
    }
    let values = runs.check(&shared.fold, expected, &mut |what, problem| {
        report.find(format!("{what} of index {name}"), problem);
    })?;
    report.values += values;
    Ok(())
}
