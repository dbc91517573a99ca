//! What each laboratory has, what it promised, what it manages, and when it will be through.

use super::pb;
use crate::domain::reference::Reference;
use crate::domain::words::{Code, HOUR_MS, Status, Time};
use crate::engine::FiguresAt;
use crate::engine::query::capacity::{self, LabLoad, Room};

/// The answer, without `as_of`.
pub fn answer(
    at: &FiguresAt,
    reference: &Reference,
    round: Option<&Code>,
    now: Time,
) -> pb::CheckCapacityReply {
    let found = capacity::capacity(at, reference, round);
    // The time in which the releases came about: known only when one round is meant.
    let opened = round.or(reference.open_round()).and_then(|code| reference.rounds.get(code));
    let worked_ms = opened.map_or(0, |round| now.ms_since(round.opened_at).max(0));
    pb::CheckCapacityReply {
        as_of: None,
        labs: found.labs.iter().map(|(code, load)| lab(code, load, worked_ms)).collect(),
        at_site: count(found.coming.get(Status::Open) + found.coming.get(Status::Sealed)),
        packed: count(found.coming.get(Status::Packed)),
        in_transit: count(found.coming.get(Status::InTransit)),
    }
}

fn lab(code: &Code, load: &LabLoad, worked_ms: i64) -> pb::LabCapacity {
    let in_hand = load.tubes.in_hand();
    let released = load.tubes.get(Status::Released);
    let measured = match worked_ms {
        0 => 0.0,
        ms => float(released) / (ms as f64 / HOUR_MS as f64),
    };
    pb::LabCapacity {
        lab: code.to_string(),
        name: load.name.to_string(),
        declared_tubes_per_day: u32::try_from(load.declared_per_day).unwrap_or(u32::MAX),
        in_hand: count(in_hand),
        received: count(load.tubes.get(Status::Received)),
        plated: count(load.tubes.get(Status::Plated)),
        awaiting: count(load.tubes.get(Status::Awaiting)),
        resulted: count(load.tubes.get(Status::Resulted)),
        released: count(released),
        measured_tubes_per_hour: measured,
        measured_over_ms: if measured > 0.0 { worked_ms } else { 0 },
        hours_by_declared: hours(in_hand, float(load.declared_per_day) / 24.0),
        hours_by_measured: hours(in_hand, measured),
        room_tubes: match load.room() {
            Room::Unknown => 0,
            Room::Tubes(room) => count(room),
            Room::Over(over) => -count(over),
        },
    }
}

/// Hours for so many tubes; -1 when nobody can say.
fn hours(tubes: u64, per_hour: f64) -> f64 {
    match tubes {
        0 => 0.0,
        _ if per_hour <= 0.0 => -1.0,
        tubes => float(tubes) / per_hour,
    }
}

fn count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Exact up to 2^53 tubes.
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::counters::{CellKey, Counter};
    use crate::domain::reference::Round;

    #[test]
    fn a_lab_is_told_by_what_it_has_and_what_it_managed() {
        let mut at = FiguresAt::default();
        let mut add = |lab: &str, status: Status, tubes: i64| {
            let cell = CellKey { round: "r".into(), lab: lab.into(), ..CellKey::default() };
            at.cells.entry(cell).or_default().count(Counter::tubes(status), tubes);
        };
        add("l1", Status::Released, 200);
        add("l1", Status::Received, 30);
        add("l1", Status::Plated, 20);
        add("l2", Status::Received, 10);
        add("", Status::InTransit, 4);
        let mut reference = Reference::default();
        reference.labs.insert("l1".into(), ("Lab 1".into(), 2_400));
        let round = Round {
            name: "r".into(),
            key_id: "r".into(),
            pool: 10,
            opened_at: Time(0),
            closed_at: None,
        };
        reference.rounds.insert("r".into(), round);
        let told = answer(&at, &reference, None, Time(2 * HOUR_MS));
        let [l1, l2] = &told.labs[..] else { panic!("two labs: {:?}", told.labs) };
        assert_eq!((l1.in_hand, l1.released, l1.measured_tubes_per_hour), (50, 200, 100.0));
        assert_eq!((l1.hours_by_declared, l1.hours_by_measured), (0.5, 0.5));
        assert_eq!((l1.room_tubes, told.in_transit), (2_350, 4));
        // It promised nothing and has released nothing: nothing can be said.
        assert_eq!((l2.in_hand, l2.hours_by_declared, l2.hours_by_measured), (10, -1.0, -1.0));
    }
}
