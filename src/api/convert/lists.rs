//! Rows of lists, page tokens, and who a listed person is.

use super::super::errors::Error;
use super::super::limits::{PAGE_ROWS, PAGE_ROWS_MAX};
use super::super::pb;
use super::tube::fact_id;
use super::words::{call, finding, need, recall_kind, status, text, time};
use crate::domain::PersonKey;
use crate::domain::fact::{Body, Event};
use crate::domain::words::Code;
use crate::domain::world::RecordKind;
use crate::engine::query::odd::Odd;
use crate::engine::query::people::{Missing, Twice};
use crate::engine::query::person::EVENTS_MAX;
use crate::engine::query::recalls::Recall;
use crate::engine::query::unaccounted::{Place, Unaccounted};
use crate::store::{self, Read};

/// Rows wanted and the token to go on from.
pub fn page(wire: Option<&pb::PageRequest>) -> (usize, &str) {
    let Some(wire) = wire else { return (PAGE_ROWS, "") };
    let size = match wire.size {
        0 => PAGE_ROWS,
        size => usize::try_from(size).unwrap_or(PAGE_ROWS_MAX).min(PAGE_ROWS_MAX),
    };
    (size, &wire.token)
}

fn bad_token() -> Error {
    Error::invalid(
        "page.token",
        "翻页标记无效：请用上一页返回的 next_token",
        "is no token of this list: use `next_token` of the page before",
    )
}

/// A token that stands for a person.
pub fn person_token(key: Option<PersonKey>) -> String {
    key.map(|key| key.0.iter().map(|byte| format!("{byte:02x}")).collect()).unwrap_or_default()
}

/// The person that a token stands for.
pub fn person_of(token: &str) -> Result<Option<PersonKey>, Error> {
    if token.is_empty() {
        return Ok(None);
    }
    let mut key = PersonKey::default();
    if token.len() != 2 * key.0.len() || !token.is_ascii() {
        return Err(bad_token());
    }
    for (at, byte) in key.0.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&token[2 * at..2 * at + 2], 16).map_err(|_| bad_token())?;
    }
    Ok(Some(key))
}

/// A token that stands for a record.
pub fn record_token(record: Option<&(RecordKind, Code)>) -> String {
    record.map(|(kind, code)| format!("{}{code}", letter(*kind))).unwrap_or_default()
}

/// The record that a token stands for.
pub fn record_of(token: &str) -> Result<Option<(RecordKind, &str)>, Error> {
    if token.is_empty() {
        return Ok(None);
    }
    let kinds = [RecordKind::Tube, RecordKind::Container, RecordKind::Plate];
    kinds
        .into_iter()
        .find_map(|kind| token.strip_prefix(letter(kind)).map(|code| Some((kind, code))))
        .ok_or_else(bad_token)
}

/// A token that stands for a place among the tubes unaccounted for.
pub fn unaccounted_token(place: Option<&Place>) -> String {
    match place {
        None => String::new(),
        Some(Place::Collected(seq)) => format!("c{seq}"),
        Some(Place::Recorded(code)) => format!("t{}", code.as_deref().unwrap_or_default()),
    }
}

/// The place that a token stands for.
pub fn unaccounted_from(token: &str) -> Result<Place, Error> {
    if token.is_empty() {
        return Ok(Place::Collected(0));
    }
    let seq = token.strip_prefix('c').and_then(|seq| seq.parse().ok());
    let code =
        || Some(token.strip_prefix('t')?).map(|code| (!code.is_empty()).then(|| code.into()));
    seq.map(Place::Collected).or_else(|| code().map(Place::Recorded)).ok_or_else(bad_token)
}

const fn letter(kind: RecordKind) -> char {
    match kind {
        RecordKind::Tube => 't',
        RecordKind::Container => 'b',
        RecordKind::Plate => 'p',
    }
}

/// Who a person is: the place in the fact that named the person, which only its source can turn
/// into an identity. `names` says which facts will do.
pub fn person_ref(
    read: &Read,
    key: PersonKey,
    names: impl Fn(&Event) -> bool,
) -> Result<pb::PersonRef, store::Error> {
    let mut found = pb::PersonRef { key: key.0.to_vec(), fact: None, position: 0 };
    // The newest that will do. A number that stands for many people would have every event of it read for each of them.
    for seq in read.person_seqs(key)?.into_iter().rev().take(EVENTS_MAX) {
        let Some(event) = read.event(seq)?.filter(&names) else { continue };
        if let Some(position) = position(&event, key) {
            found.fact = Some(fact_id(&event.fact.id));
            found.position = position;
            break;
        }
    }
    Ok(found)
}

/// Which identity of a fact a person is, counted as the fact was sent.
fn position(event: &Event, key: PersonKey) -> Option<u32> {
    let at = event.fact.body.people().position(|person| person == key)?;
    // In a correction the old identity comes first.
    let before = usize::from(matches!(event.fact.body, Body::MemberCorrected { .. }));
    u32::try_from(at + before).ok()
}

/// A missing person, named by the roster.
pub fn missing(read: &Read, found: &Missing) -> Result<pb::MissingPerson, store::Error> {
    let of_roster = |event: &Event| matches!(&event.fact.body, Body::RosterImported { roster, .. } if *roster == found.roster);
    Ok(pb::MissingPerson {
        person: Some(person_ref(read, found.person, of_roster)?),
        roster: found.roster.to_string(),
        district: found.district.to_string(),
    })
}

/// Somebody sampled twice, named by the last tube.
pub fn twice(read: &Read, found: &Twice) -> Result<pb::SampledTwice, store::Error> {
    let of_last = |event: &Event| event.fact.body.tube() == found.tubes.last();
    Ok(pb::SampledTwice {
        person: Some(person_ref(read, found.person, of_last)?),
        tubes: found.tubes.iter().map(ToString::to_string).collect(),
        tubes_total: u32::try_from(found.tubes_total).unwrap_or(u32::MAX),
    })
}

/// A recall, named by the tube that opened it.
pub fn recall(read: &Read, found: &Recall) -> Result<pb::Recall, store::Error> {
    let of_tube = |event: &Event| event.fact.body.tube() == Some(&found.tube);
    let (reason, reason_text) = need(Some(found.reason));
    let closed = found.closed_by.as_ref();
    Ok(pb::Recall {
        person: Some(person_ref(read, found.person, of_tube)?),
        kind: recall_kind(found.reason),
        reason,
        reason_text,
        tube: found.tube.to_string(),
        round: found.round.to_string(),
        district: found.district.to_string(),
        site: found.site.to_string(),
        desk: found.desk.to_string(),
        lab: found.lab.to_string(),
        sampled_at_ms: found.sampled_at.0,
        age_ms: found.age_ms,
        closed_by: closed.map(|(tube, _)| tube.to_string()).unwrap_or_default(),
        closed_call: call(closed.map(|(_, call)| *call)).0,
    })
}

/// A record with a discrepancy.
pub fn odd(found: &Odd) -> pb::OddRecord {
    let (status, status_text) = match found.status {
        Some(known) => status(known),
        None => (0, None),
    };
    let kind = match found.kind {
        RecordKind::Tube => pb::RecordKind::Tube,
        RecordKind::Container => pb::RecordKind::Box,
        RecordKind::Plate => pb::RecordKind::Plate,
    };
    pb::OddRecord {
        kind: kind.into(),
        code: found.code.to_string(),
        finding: Some(finding(found.discrepancy)),
        round: found.round.to_string(),
        district: found.place.district.to_string(),
        site: found.place.site.to_string(),
        desk: found.place.desk.to_string(),
        status,
        status_text,
        lab: found.lab.to_string(),
    }
}

/// A tube unaccounted for.
pub fn unaccounted(found: &Unaccounted) -> pb::UnaccountedTube {
    let (status, status_text) = status(found.status);
    pb::UnaccountedTube {
        tube: found.tube.to_string(),
        why: found.why.number().into(),
        why_text: Some(text(found.why.zh(), found.why.en())),
        status,
        status_text,
        round: found.round.to_string(),
        district: found.place.district.to_string(),
        site: found.place.site.to_string(),
        desk: found.place.desk.to_string(),
        lab: found.lab.to_string(),
        r#box: found.container.to_string(),
        swabs: u32::try_from(found.members).unwrap_or(u32::MAX),
        last_seen_ms: time(found.last_seen),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leads_back_to_where_its_page_ended() {
        let key = PersonKey([0xa5; 16]);
        assert_eq!(person_of(&person_token(Some(key))).unwrap(), Some(key));
        assert_eq!(person_of("").unwrap(), None);
        let record = (RecordKind::Container, Code::from("p箱 1"));
        let token = record_token(Some(&record));
        assert_eq!(record_of(&token).unwrap(), Some((RecordKind::Container, "p箱 1")));
        assert_eq!(record_of("").unwrap(), None);
        for wrong in ["x", "zz", "采样管采样管采样管采样", &"é".repeat(16)] {
            assert!(person_of(wrong).is_err(), "{wrong}");
        }
        assert!(record_of("x1").is_err());
    }

    #[test]
    fn a_page_has_a_size_whatever_is_asked() {
        let ask = |size| page(Some(&pb::PageRequest { size, token: String::new() })).0;
        assert_eq!((ask(0), ask(7), ask(u32::MAX)), (PAGE_ROWS, 7, PAGE_ROWS_MAX));
        assert_eq!(page(None), (PAGE_ROWS, ""));
    }
}
