//! What stands on disk, field by field. The numbers of the choices are for ever; a structure that
//! needs another field becomes a new number with its own reader.

use super::codec::{Input, Malformed, Wire, decode, encode, wire_coded, wire_enum, wire_struct};
use super::swabs::Swabs;
use crate::domain::boxes::{BoxMark, BoxPart, BoxRecord, BoxWhat};
use crate::domain::calling::{CallingRule, TargetRule};
use crate::domain::counters::{COUNTERS, CellKey, Counter, Figures};
use crate::domain::fact::{
    Body, Event, Fact, FactId, Member, Place, Reading, Stamps, Well, WellContent,
};
use crate::domain::person::{FollowUp, PersonRecord};
use crate::domain::plate::{PlateMark, PlatePart, PlateRecord, PlateWhat, RunPart};
use crate::domain::reference::{BarcodePattern, ReferenceItem};
use crate::domain::source::SourceState;
use crate::domain::tube::{Mark, Origin, TubeRecord, What};
use crate::domain::words::{
    Call, Condition, Control, Level, LotKind, NeedReason, RejectReason, VoidReason,
};

wire_coded!(Call, Condition, Control, Level, LotKind, NeedReason, RejectReason, VoidReason);

wire_struct!(FactId { source, epoch, number });
wire_struct!(Member { person, id_check_failed });
wire_struct!(Place { district, site, desk });
wire_struct!(Reading { position, cts });
wire_struct!(Well { position, content });
wire_enum!(WellContent { 1 => Tube(code); 2 => Control(kind); });
wire_struct!(TargetRule { name, is_internal_control, cut_off, grey_to });
wire_struct!(CallingRule { kit, version, targets, positive_controls_min, negative_controls_min });
wire_struct!(BarcodePattern { prefix, length, luhn });
wire_enum!(ReferenceItem {
    1 => Jurisdiction { code, parent, level, name };
    2 => Site { code, jurisdiction, name };
    3 => Desk { code, site };
    4 => Device { code, desk };
    5 => Lab { code, name, tubes_per_day_max };
    6 => Instrument { code, lab, model };
    7 => Kit { name, rule };
    8 => Lot { code, kind, product, expires_at };
    9 => Barcodes(pattern);
});
wire_enum!(Body {
    1 => PersonSwabbed { tube, pool, desk, device, lot, member };
    2 => TubeCollected { tube, pool, desk, device, lot, members };
    3 => MemberWithdrawn { tube, person };
    4 => MemberCorrected { tube, old, new };
    5 => TubeSealed { tube, swabs };
    10 => TubesPacked { container, tubes };
    11 => BoxHandedOver { container, carrier, lab };
    12 => BoxReceived { container, lab, tubes };
    13 => TubeReceived { tube, lab, condition };
    14 => TubeRejected { tube, lab, reason };
    15 => TubeLost { tube };
    16 => TubeVoided { tube, reason, replaced_by };
    20 => PlateLoaded { plate, lab, kit, kit_lot, wells };
    21 => RunReported { plate, run, lab, instrument, targets, readings };
    22 => CallReviewed { tube, runs, call, reviewer };
    23 => ResultAmended { tube, call, reason };
    24 => ResultReleased { lab, tubes };
    25 => PlateReassessed { plate };
    30 => ReferenceImported { file, items };
    31 => RosterImported { roster, district, persons };
    32 => RoundOpened { name, key_id, pool };
    33 => RoundClosed {};
    34 => RuleSwitched { kit, version, from };
    35 => ClockTicked { now };
});
wire_struct!(Fact { id, captured_at, round, body });
wire_struct!(Stamps { recorded_at, clock_offset_ms, round, place, rule, flags });

wire_struct!(Origin { seq, id, at, flags });
wire_struct!(Mark { origin, what });
// 1 was a collection with its members. They stand in the event, and are read there.
wire_enum!(What {
    12 => Collected { whole, pool, round, place, members as Swabs };
    2 => Withdrawn(person);
    3 => Corrected(old, new);
    4 => Sealed(swabs);
    5 => Received { lab, condition };
    6 => Rejected { lab, reason };
    7 => Lost;
    8 => Voided { reason, replaced_by };
    9 => Reviewed { runs, call };
    10 => Amended(call);
    11 => Released { lab };
});
wire_struct!(TubeRecord { marks, boxes, plates });
wire_struct!(BoxPart { container, packed, handed, received, missing, extra });
wire_struct!(PlatePart { plate, lab, loaded, mixed, runs });
wire_struct!(RunPart { run, at, call, controls_held });
wire_struct!(BoxRecord { marks });
wire_struct!(BoxMark { origin, what });
wire_enum!(BoxWhat {
    1 => Packed(tubes);
    2 => HandedOver { lab };
    3 => Received { lab, tubes };
});
wire_struct!(PlateRecord { marks });
wire_struct!(PlateMark { origin, what });
wire_enum!(PlateWhat {
    1 => Loaded { lab, kit, rule, wells };
    2 => Run { run, targets, readings };
    3 => Reassessed { rule };
});
wire_struct!(CellKey { round, district, site, desk, lab });
wire_struct!(FollowUp { cell, sampled_at, need, single });
wire_struct!(PersonRecord { parts });
wire_struct!(SourceState { ranges, joined_to });

/// Figures: only those that are not nought.
impl Wire for Figures {
    fn put(&self, out: &mut Vec<u8>) {
        for (counter, figure) in self.iter() {
            out.push(counter.0);
            figure.put(out);
        }
    }
    fn get(input: &mut Input<'_>) -> Result<Self, Malformed> {
        let mut figures = Figures::default();
        while !input.0.is_empty() {
            let counter = input.take(1)?[0];
            if usize::from(counter) >= COUNTERS {
                return Err(Malformed);
            }
            figures.count(Counter(counter), i64::get(input)?);
        }
        Ok(figures)
    }
}

struct StoredEvent {
    fact: Fact,
    stamps: Stamps,
    found: crate::domain::discrepancy::Discrepancies,
}
wire_struct!(StoredEvent { fact, stamps, found });

/// The bytes of an event as they stand in the log; the sequence is in the key.
pub fn encode_event(event: &Event) -> Vec<u8> {
    let mut out = Vec::with_capacity(320);
    encode_event_into(event, &mut out);
    out
}

/// The same, appended to a buffer that is used again.
pub fn encode_event_into(event: &Event, out: &mut Vec<u8>) {
    out.push(super::codec::VALUE_VERSION);
    event.fact.put(out);
    event.stamps.put(out);
    event.found.put(out);
}

/// Reads an event back.
pub fn decode_event(seq: u64, bytes: &[u8]) -> Result<Event, super::Error> {
    let stored: StoredEvent =
        decode(bytes).map_err(|_| super::Error::Damaged { what: format!("event {seq}") })?;
    Ok(Event { seq, fact: stored.fact, stamps: stored.stamps, found: stored.found })
}

/// Reads a record; `what` names it when it is damaged.
pub(super) fn decode_as<T: Wire>(
    bytes: &[u8],
    what: impl FnOnce() -> String,
) -> Result<T, super::Error> {
    decode(bytes).map_err(|_| super::Error::Damaged { what: what() })
}

pub(super) fn encode_record<T: Wire>(record: &T) -> Vec<u8> {
    encode(record)
}

const _: () = assert!(COUNTERS <= 256, "a counter's number is one byte on disk");
