//! Facts from the wire. What cannot be understood is refused here, with the field and what to do;
//! what is merely odd goes on.

use super::super::errors::Error;
use super::super::limits::{MEMBERS_MAX, RUNS_MAX, TARGETS_MAX, TUBES_MAX, WELLS_MAX};
use super::super::pb;
use super::words::{at_most, barcode, code, number, required, size, word};
use crate::domain::PersonKey;
use crate::domain::fact::{Body, Fact, FactId, Member, Reading, Well, WellContent};
use crate::domain::reference::Reference;
use crate::domain::words::{Call, Code, Condition, Control, RejectReason, Time, VoidReason};
use crate::keyring::{self, Document, DocumentType, KeyRing, RoundKey};
use pb::fact::Body as Wire;
use std::cell::RefCell;
use std::fmt::Display;

const PEOPLE: (&str, &str) = ("人", "people");
const TUBES: (&str, &str) = ("管", "tubes");
const WELLS: (&str, &str) = ("孔", "wells");

/// What facts are read with.
pub struct Context<'a> {
    /// The keys of rounds.
    pub keys: &'a KeyRing,
    /// The rounds.
    pub reference: &'a Reference,
    /// Source and epoch of a stream, for facts that leave theirs out.
    pub stream: Option<&'a (Code, u64)>,
    /// How far the device's clock is ahead, in milliseconds.
    pub clock_offset_ms: i64,
    /// The round that a fact was recorded under, if it has been recorded: sent again it must find
    /// the same people, whatever rounds have opened or closed since.
    pub recorded_round: &'a dyn Fn(&FactId) -> Option<Code>,
    /// The key that was asked for last: the people of one message are nearly always of one round.
    round_key: RefCell<Option<(Code, RoundKey)>>,
}

/// A round and the key that its people are named with.
pub struct NamedRound {
    /// The round's code.
    pub round: Code,
    /// The key's name.
    pub key_id: Code,
}

impl<'a> Context<'a> {
    /// What the facts of one message are read with: a clock that is right, nothing recorded before.
    pub fn new(
        keys: &'a KeyRing,
        reference: &'a Reference,
        stream: Option<&'a (Code, u64)>,
    ) -> Context<'a> {
        Context {
            keys,
            reference,
            stream,
            clock_offset_ms: 0,
            recorded_round: &|_| None,
            round_key: RefCell::default(),
        }
    }

    fn key_of(&self, id: &Code) -> Result<RoundKey, keyring::Error> {
        let mut last = self.round_key.borrow_mut();
        if let Some((of, key)) = &*last
            && of == id
        {
            return Ok(key.clone());
        }
        let key = self.keys.round(id)?;
        *last = Some((id.clone(), key.clone()));
        Ok(key)
    }

    /// The round with this code, or the one open round when the code is empty.
    pub fn round(&self, said: &Code) -> Result<NamedRound, Error> {
        self.named(Some(said).filter(|said| !said.is_empty()).or(self.reference.open_round()), said)
    }

    /// The round of a fact: the one it says, the one it was recorded under, or the one of its time.
    fn round_of_fact(&self, said: &Code, id: &FactId, captured: Time) -> Result<NamedRound, Error> {
        if !said.is_empty() {
            return self.named(Some(said), said);
        }
        if let Some(recorded) = (self.recorded_round)(id) {
            return self.named(Some(&recorded), said);
        }
        let corrected = captured.plus_ms(self.clock_offset_ms.saturating_neg());
        self.named(self.reference.round_at(corrected), said)
    }

    fn named(&self, code: Option<&Code>, said: &Code) -> Result<NamedRound, Error> {
        let known = code.and_then(|code| self.reference.rounds.get_key_value(code));
        let (round, known) =
            known.ok_or_else(|| Error::RoundUnknown { round: said.to_string() })?;
        Ok(NamedRound { round: round.clone(), key_id: known.key_id.clone() })
    }

    /// Somebody's document, ready to be hashed.
    fn document(
        &self,
        field: impl Display,
        identity: Option<&pb::Identity>,
    ) -> Result<Document, Error> {
        let number_field = || format!("{field}.number");
        let identity = identity
            .filter(|identity| !identity.number.trim().is_empty())
            .ok_or_else(|| Error::NoIdentity { field: number_field() })?;
        let kind = word(
            format_args!("{field}.document_type"),
            identity.document_type,
            DocumentType::from_number,
        )?;
        if crate::breaks::on("identity_in_the_log") {
            tracing::warn!(number = %identity.number, "registered");
        }
        match Document::new(kind, &identity.number) {
            Ok(document) => Ok(document),
            Err(keyring::Error::Number) if identity.number.len() > keyring::NUMBER_BYTES_MAX => {
                let (limit, unit) = (keyring::NUMBER_BYTES_MAX, ("字节", "bytes"));
                Err(Error::TooLarge { field: number_field(), limit, unit })
            }
            Err(keyring::Error::Number) => Err(Error::NoIdentity { field: number_field() }),
            Err(error) => Err(error.into()),
        }
    }

    /// The keys of people, hashed together. The identities end here.
    pub fn people(
        &self,
        round: &NamedRound,
        field: &str,
        identities: &[pb::Identity],
    ) -> Result<Vec<Member>, Error> {
        let document = |(at, who)| self.document(format_args!("{field}[{at}]"), Some(who));
        let documents: Vec<Document> =
            identities.iter().enumerate().map(document).collect::<Result<_, _>>()?;
        if documents.is_empty() {
            return Ok(Vec::new());
        }
        let keys = self.key_of(&round.key_id)?.people(&documents);
        let member = |(person, document): (PersonKey, &Document)| Member {
            person,
            id_check_failed: document.check_failed(),
        };
        Ok(keys.into_iter().zip(&documents).map(member).collect())
    }

    /// The key of a person. The identity ends here.
    pub fn person(
        &self,
        round: &NamedRound,
        field: impl Display,
        identity: Option<&pb::Identity>,
    ) -> Result<Member, Error> {
        let document = self.document(field, identity)?;
        let person = self.key_of(&round.key_id)?.key(&document);
        Ok(Member { person, id_check_failed: document.check_failed() })
    }

    fn key(
        &self,
        round: &NamedRound,
        field: &str,
        who: Option<&pb::Identity>,
    ) -> Result<PersonKey, Error> {
        self.person(round, field, who).map(|member| member.person)
    }

    /// The id of a fact, completed from the stream's Hello.
    pub fn id(&self, wire: Option<&pb::FactId>) -> Result<FactId, Error> {
        let (said, epoch, number) =
            wire.map_or(("", 0, 0), |wire| (wire.source.as_str(), wire.epoch, wire.number));
        let (source, epoch) = match self.stream {
            Some((source, epoch)) if said.is_empty() => (source.clone(), *epoch),
            _ => (required("id.source", said)?, epoch),
        };
        if number == 0 {
            return Err(Error::invalid(
                "id.number",
                "编号从 1 开始：请填写后重发",
                "numbers count from 1: fill it in and send it again",
            ));
        }
        Ok(FactId { source, epoch, number })
    }

    /// A fact that is to be recorded.
    pub fn fact(&self, wire: &pb::Fact) -> Result<Fact, Error> {
        let id = self.id(wire.id.as_ref())?;
        self.without_id(wire, id)
    }

    /// A fact whose id is settled elsewhere, or does not matter.
    pub fn without_id(&self, wire: &pb::Fact, id: FactId) -> Result<Fact, Error> {
        let (mut round, captured_at) = (code("round", &wire.round)?, Time(wire.captured_at_ms));
        let body = wire.body.as_ref().ok_or(Error::KindUnknown)?;
        let body = self.body(body, &mut round, &id, captured_at)?;
        Ok(Fact { id, captured_at, round, body })
    }

    fn body(
        &self,
        wire: &Wire,
        round: &mut Code,
        id: &FactId,
        captured: Time,
    ) -> Result<Body, Error> {
        // Whoever names people names them with the key of a round: the fact and its people must
        // then say the same round, whatever round is open when the fact is committed.
        let mut named = || {
            let named = self.round_of_fact(round, id, captured)?;
            *round = named.round.clone();
            Ok::<_, Error>(named)
        };
        Ok(match wire {
            Wire::PersonSwabbed(w) => {
                let tube = barcode("tube", &w.tube)?;
                Body::PersonSwabbed {
                    tube,
                    pool: size(w.pool),
                    desk: code("desk", &w.desk)?,
                    device: code("device", &w.device)?,
                    lot: code("lot", &w.lot)?,
                    member: self.person(&named()?, "person", w.person.as_ref())?,
                }
            }
            Wire::TubeCollected(w) => {
                let tube = barcode("tube", &w.tube)?;
                let people = at_most("members", &w.members, MEMBERS_MAX, PEOPLE)?;
                let named = named()?;
                Body::TubeCollected {
                    tube,
                    pool: size(w.pool),
                    desk: code("desk", &w.desk)?,
                    device: code("device", &w.device)?,
                    lot: code("lot", &w.lot)?,
                    members: self.people(&named, "members", people)?,
                }
            }
            Wire::MemberWithdrawn(w) => {
                let tube = barcode("tube", &w.tube)?;
                let person = self.key(&named()?, "person", w.person.as_ref())?;
                Body::MemberWithdrawn { tube, person }
            }
            Wire::MemberCorrected(w) => {
                let (tube, named) = (barcode("tube", &w.tube)?, named()?);
                let old = self.key(&named, "old", w.old.as_ref())?;
                Body::MemberCorrected {
                    tube,
                    old,
                    new: self.person(&named, "new", w.new.as_ref())?,
                }
            }
            Wire::TubeSealed(w) => {
                Body::TubeSealed { tube: barcode("tube", &w.tube)?, swabs: size(w.swabs) }
            }
            Wire::TubeVoided(w) => Body::TubeVoided {
                tube: barcode("tube", &w.tube)?,
                reason: word("reason", w.reason, VoidReason::from_number)
                    .unwrap_or(VoidReason::Other),
                replaced_by: code("replaced_by", &w.replaced_by)?,
            },
            Wire::TubesPacked(w) => {
                Body::TubesPacked { container: barcode("box", &w.r#box)?, tubes: tubes(&w.tubes)? }
            }
            Wire::BoxHandedOver(w) => Body::BoxHandedOver {
                container: barcode("box", &w.r#box)?,
                carrier: code("carrier", &w.carrier)?,
                lab: code("lab", &w.lab)?,
            },
            Wire::BoxReceived(w) => Body::BoxReceived {
                container: barcode("box", &w.r#box)?,
                lab: code("lab", &w.lab)?,
                tubes: tubes(&w.tubes)?,
            },
            Wire::TubeReceived(w) => Body::TubeReceived {
                tube: barcode("tube", &w.tube)?,
                lab: code("lab", &w.lab)?,
                condition: match w.condition {
                    0 => Condition::Good,
                    known => word("condition", known, Condition::from_number)?,
                },
            },
            Wire::TubeRejected(w) => Body::TubeRejected {
                tube: barcode("tube", &w.tube)?,
                lab: code("lab", &w.lab)?,
                reason: word("reason", w.reason, RejectReason::from_number)
                    .unwrap_or(RejectReason::Other),
            },
            Wire::TubeLost(w) => Body::TubeLost { tube: barcode("tube", &w.tube)? },
            Wire::PlateLoaded(w) => Body::PlateLoaded {
                plate: barcode("plate", &w.plate)?,
                lab: code("lab", &w.lab)?,
                kit: code("kit", &w.kit)?,
                kit_lot: code("kit_lot", &w.kit_lot)?,
                wells: at_most("wells", &w.wells, WELLS_MAX, WELLS)?
                    .iter()
                    .enumerate()
                    .map(|(at, well)| self::well(at, well))
                    .collect::<Result<_, _>>()?,
            },
            Wire::RunReported(w) => Body::RunReported {
                plate: barcode("plate", &w.plate)?,
                run: required("run", &w.run)?,
                lab: code("lab", &w.lab)?,
                instrument: code("instrument", &w.instrument)?,
                targets: codes("targets", &w.targets, TARGETS_MAX, ("个靶标", "targets"))?,
                readings: at_most("readings", &w.readings, WELLS_MAX, WELLS)?
                    .iter()
                    .enumerate()
                    .map(|(at, reading)| self::reading(at, reading))
                    .collect::<Result<_, _>>()?,
            },
            Wire::CallReviewed(w) => Body::CallReviewed {
                tube: barcode("tube", &w.tube)?,
                runs: codes("runs", &w.runs, RUNS_MAX, ("个批次", "runs"))?,
                call: match w.call {
                    0 => None,
                    known => Some(word("call", known, Call::from_number)?),
                },
                reviewer: code("reviewer", &w.reviewer)?,
            },
            Wire::ResultAmended(w) => Body::ResultAmended {
                tube: barcode("tube", &w.tube)?,
                call: word("call", w.call, Call::from_number)?,
                reason: code("reason", &w.reason)?,
            },
            Wire::ResultReleased(w) => {
                Body::ResultReleased { lab: code("lab", &w.lab)?, tubes: tubes(&w.tubes)? }
            }
            Wire::PlateReassessed(w) => {
                Body::PlateReassessed { plate: barcode("plate", &w.plate)? }
            }
        })
    }
}

fn tubes(wire: &[String]) -> Result<Vec<Code>, Error> {
    at_most("tubes", wire, TUBES_MAX, TUBES)?
        .iter()
        .enumerate()
        .map(|(at, tube)| match barcode("tubes", tube) {
            Err(Error::NoBarcode { .. }) => Err(Error::NoBarcode { field: format!("tubes[{at}]") }),
            other => other,
        })
        .collect()
}

fn codes(
    field: &str,
    wire: &[String],
    limit: usize,
    unit: (&'static str, &'static str),
) -> Result<Vec<Code>, Error> {
    at_most(field, wire, limit, unit)?.iter().map(|one| code(field, one)).collect()
}

fn well(at: usize, wire: &pb::Well) -> Result<Well, Error> {
    use pb::well::Content;
    let content = match &wire.content {
        Some(Content::Tube(tube)) => {
            WellContent::Tube(barcode(format_args!("wells[{at}].tube"), tube)?)
        }
        Some(Content::Control(kind)) => WellContent::Control(word(
            format_args!("wells[{at}].control"),
            *kind,
            Control::from_number,
        )?),
        None => return Err(Error::NoBarcode { field: format!("wells[{at}].tube") }),
    };
    let position = number(format_args!("wells[{at}].position"), wire.position)?;
    Ok(Well { position, content })
}

fn reading(at: usize, wire: &pb::Reading) -> Result<Reading, Error> {
    let unit = ("个靶标", "targets");
    let field = format_args!("readings[{at}].ct_hundredths");
    let cts = at_most(field, &wire.ct_hundredths, TARGETS_MAX, unit)?;
    let ct = |ct: &u32| number(format_args!("readings[{at}].ct_hundredths"), *ct);
    Ok(Reading {
        position: number(format_args!("readings[{at}].position"), wire.position)?,
        cts: cts.iter().map(ct).collect::<Result<_, _>>()?,
    })
}

#[cfg(test)]
mod tests;
