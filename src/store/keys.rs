//! Every kind of key, in one place. A byte, once given, is never given again; a kind that is no
//! longer written stays here as retired.

use crate::domain::counters::CellKey;
use crate::domain::discrepancy::Discrepancy;
use crate::domain::world::RecordKind;
use crate::domain::{Code, PersonKey};

/// The kinds of keys. The first byte of every key, in whichever database and family it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// An event: sequence, 8 bytes big-endian. In the log.
    Event = 0x01,
    /// The head of a batch: sequence of its first event, 8 bytes big-endian. Beside the log.
    Batch = 0x02,
    /// An event that must be known before others are judged: sequence. Value empty.
    ReferenceEvent = 0x03,
    /// A part of a roster: sequence. Value empty.
    RosterEvent = 0x04,
    /// A tube: its code.
    Tube = 0x10,
    /// A box: its code.
    Container = 0x11,
    /// A plate: its code.
    Plate = 0x12,
    /// A person who has to come back, or had to: person key, 16 bytes.
    Person = 0x13,
    /// Figures of a cell: five codes, each with its length before it.
    Cell = 0x14,
    /// What has arrived from a source: code with its length before it, epoch 8 bytes big-endian.
    Source = 0x15,
    /// A record with a discrepancy: discrepancy, record kind, code. Value empty.
    Odd = 0x16,
    /// How far something folded from the log is complete: its name.
    IndexMark = 0x20,
    /// A run of an index: last sequence 8 bytes big-endian, level, slot 4 bytes big-endian.
    Run = 0x30,
}

impl Kind {
    /// Every kind.
    pub const ALL: &'static [Kind] = &[
        Kind::Event,
        Kind::Batch,
        Kind::ReferenceEvent,
        Kind::RosterEvent,
        Kind::Tube,
        Kind::Container,
        Kind::Plate,
        Kind::Person,
        Kind::Cell,
        Kind::Source,
        Kind::Odd,
        Kind::IndexMark,
        Kind::Run,
    ];

    /// The kind of a key.
    pub fn of(key: &[u8]) -> Option<Kind> {
        let first = *key.first()?;
        Kind::ALL.iter().copied().find(|kind| *kind as u8 == first)
    }

    /// Name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Event => "event",
            Kind::Batch => "batch",
            Kind::ReferenceEvent => "reference event",
            Kind::RosterEvent => "roster event",
            Kind::Tube => "tube",
            Kind::Container => "box",
            Kind::Plate => "plate",
            Kind::Person => "person",
            Kind::Cell => "cell",
            Kind::Source => "source",
            Kind::Odd => "discrepancy",
            Kind::IndexMark => "index mark",
            Kind::Run => "run",
        }
    }

    /// First key of the kind.
    pub fn start(self) -> Vec<u8> {
        vec![self as u8]
    }

    /// First key after the kind.
    pub fn end(self) -> Vec<u8> {
        vec![self as u8 + 1]
    }
}

fn key(kind: Kind, rest: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + rest.len());
    key.push(kind as u8);
    key.extend_from_slice(rest);
    key
}

/// Key of something that a sequence names.
pub fn seq(kind: Kind, seq: u64) -> Vec<u8> {
    key(kind, &seq.to_be_bytes())
}

/// The same without an allocation.
pub fn seq_key(kind: Kind, seq: u64) -> [u8; 9] {
    let mut key = [kind as u8; 9];
    key[1..].copy_from_slice(&seq.to_be_bytes());
    key
}

/// Key of something that a code names.
pub fn code(kind: Kind, code: &str) -> Vec<u8> {
    key(kind, code.as_bytes())
}

/// Key of a person's record.
pub fn person(person: PersonKey) -> Vec<u8> {
    key(Kind::Person, &person.0)
}

/// Key of a cell.
pub fn cell(cell: &CellKey) -> Vec<u8> {
    let mut rest = Vec::new();
    for part in [&cell.round, &cell.district, &cell.site, &cell.desk, &cell.lab] {
        put_code(&mut rest, part);
    }
    key(Kind::Cell, &rest)
}

/// The cell of a key.
pub fn parse_cell(key: &[u8]) -> Option<CellKey> {
    let mut rest = key.get(1..)?;
    let mut parts = [const { Code::const_new("") }; 5];
    for part in &mut parts {
        *part = take_code(&mut rest)?;
    }
    let [round, district, site, desk, lab] = parts;
    rest.is_empty().then_some(CellKey { round, district, site, desk, lab })
}

/// Key of a source's state in an epoch.
pub fn source(source: &str, epoch: u64) -> Vec<u8> {
    let mut key = source_start(source);
    key.extend_from_slice(&epoch.to_be_bytes());
    key
}

/// First key of a source, whatever the epoch.
pub fn source_start(source: &str) -> Vec<u8> {
    let mut rest = Vec::new();
    put_code(&mut rest, source);
    key(Kind::Source, &rest)
}

/// The source and epoch of a key.
pub fn parse_source(key: &[u8]) -> Option<(Code, u64)> {
    let mut rest = key.get(1..)?;
    let source = take_code(&mut rest)?;
    Some((source, u64::from_be_bytes(rest.try_into().ok()?)))
}

/// Key of a record in the list of a discrepancy.
pub fn odd(what: Discrepancy, kind: RecordKind, code: &str) -> Vec<u8> {
    let mut rest = vec![what.number(), record_kind(kind)];
    rest.extend_from_slice(code.as_bytes());
    key(Kind::Odd, &rest)
}

/// First key of a discrepancy's list.
pub fn odd_start(what: Discrepancy) -> Vec<u8> {
    key(Kind::Odd, &[what.number()])
}

/// The record of a key in a discrepancy's list.
pub fn parse_odd(key: &[u8]) -> Option<(RecordKind, Code)> {
    let kind = match key.get(2)? {
        1 => RecordKind::Tube,
        2 => RecordKind::Container,
        3 => RecordKind::Plate,
        _ => return None,
    };
    Some((kind, Code::from(std::str::from_utf8(&key[3..]).ok()?)))
}

const fn record_kind(kind: RecordKind) -> u8 {
    match kind {
        RecordKind::Tube => 1,
        RecordKind::Container => 2,
        RecordKind::Plate => 3,
    }
}

/// The name of a run within its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RunId {
    /// The last sequence whose entries it holds.
    pub to: u64,
    /// How often its entries have been merged.
    pub level: u8,
}

/// Slot of a run's head. The buckets follow.
pub const RUN_HEAD: u32 = 0;

/// Slot of the first part of a run's filter.
pub const RUN_FILTER: u32 = 0xf000_0000;

/// Key of a slot of a run.
pub fn run(id: RunId, slot: u32) -> [u8; 14] {
    let mut key = [0; 14];
    key[0] = Kind::Run as u8;
    key[1..9].copy_from_slice(&id.to.to_be_bytes());
    key[9] = id.level;
    key[10..].copy_from_slice(&slot.to_be_bytes());
    key
}

/// First key of all runs.
pub fn run_start() -> [u8; 14] {
    run(RunId { to: 0, level: 0 }, RUN_HEAD)
}

/// The run and slot of a key.
pub fn parse_run(key: &[u8]) -> Option<(RunId, u32)> {
    let (kind, rest) = key.split_first()?;
    let (to, rest) = rest.split_first_chunk()?;
    let (level, slot) = rest.split_first()?;
    let id = RunId { to: u64::from_be_bytes(*to), level: *level };
    (*kind == Kind::Run as u8).then_some((id, u32::from_be_bytes(slot.try_into().ok()?)))
}

/// Codes are at most 255 bytes: the edges refuse longer ones.
fn put_code(out: &mut Vec<u8>, code: &str) {
    let bytes = &code.as_bytes()[..code.len().min(255)];
    out.push(u8::try_from(bytes.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(bytes);
}

fn take_code(rest: &mut &[u8]) -> Option<Code> {
    let (length, after) = rest.split_first()?;
    let (code, after) = after.split_at_checked(usize::from(*length))?;
    *rest = after;
    Some(Code::from(std::str::from_utf8(code).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_and_events_stand_in_the_order_of_their_sequences() {
        // The last head is the end of the log, and the one before a sequence is that of its batch.
        let numbers = [0, 1, 255, 256, 257, 65_535, 65_536, 1 << 40, u64::MAX];
        for kind in [Kind::Batch, Kind::Event] {
            let keys = numbers.map(|number| seq(kind, number));
            assert!(keys.is_sorted(), "{keys:?}");
            assert!(keys.iter().zip(numbers).all(|(key, number)| *key == seq_key(kind, number)));
            assert!(keys.iter().all(|key| kind.start() <= *key && *key < kind.end()));
        }
    }
}
