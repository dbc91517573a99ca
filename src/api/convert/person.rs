//! A person's answer for the wire. No key and no identity is in it.

use super::super::pb;
use super::words::{call, need, recall_kind, status, text, time};
use crate::domain::certificate::Certificate;
use crate::domain::gate::Gate;
use crate::engine::query::person::{InRound, NeedAnswer, PersonAnswer, PersonResult, Sample};

/// The answer about a person.
pub fn answer(found: &PersonAnswer, as_of: Option<pb::AsOf>) -> pb::GetPersonReply {
    let (gate, gate_text) = gate(found.gate);
    pb::GetPersonReply {
        registered: found.registered,
        gate,
        gate_text,
        gate_since_ms: time(found.gate_since),
        rounds: found.rounds.iter().map(round).collect(),
        samples: found.samples.iter().map(sample).collect(),
        taken_out_of: found.taken_out_of.iter().map(ToString::to_string).collect(),
        result: found.result.as_ref().map(result),
        certificate: found.certificate.as_ref().map(certificate),
        recalls: found.needs.iter().map(recall).collect(),
        as_of,
    }
}

fn gate(gate: Gate) -> (i32, Option<pb::Text>) {
    (gate.number().into(), Some(text(gate.zh(), gate.en())))
}

fn round(found: &InRound) -> pb::PersonInRound {
    let (gate, gate_text) = gate(found.gate);
    let roster = found.on_roster.as_ref();
    pb::PersonInRound {
        round: found.round.to_string(),
        roster: roster.map(|on| on.roster.to_string()).unwrap_or_default(),
        roster_district: roster.map(|on| on.district.to_string()).unwrap_or_default(),
        gate,
        gate_text,
        since_ms: time(found.since),
    }
}

fn sample(found: &Sample) -> pb::Sample {
    let (status, status_text) = status(found.status);
    let (call, call_text) = call(found.call);
    let (gate, gate_text) = gate(found.gate);
    pb::Sample {
        tube: found.tube.to_string(),
        round: found.round.to_string(),
        sampled_at_ms: time(found.sampled_at),
        district: found.place.district.to_string(),
        site: found.place.site.to_string(),
        desk: found.place.desk.to_string(),
        lab: found.lab.to_string(),
        status,
        status_text,
        pool: found.pool.into(),
        single: found.single,
        call,
        call_text,
        gate,
        gate_text,
        since_ms: time(found.since),
    }
}

fn result(found: &PersonResult) -> pb::PersonResult {
    let (call, text) = call(Some(found.call));
    pb::PersonResult {
        call,
        text,
        tube: found.tube.to_string(),
        sampled_at_ms: found.sampled_at.0,
        released_at_ms: time(found.released_at),
    }
}

fn certificate(found: &Certificate) -> pb::Certificate {
    let validities = found.windows.iter().map(|window| pb::Validity {
        hours: window.hours,
        valid_until_ms: window.valid_until.0,
        valid: window.valid,
    });
    pb::Certificate {
        tube: found.tube.to_string(),
        sampled_at_ms: found.sampled_at.0,
        released_at_ms: found.released_at.0,
        validities: validities.collect(),
    }
}

fn recall(found: &NeedAnswer) -> pb::PersonRecall {
    let (reason, reason_text) = need(Some(found.reason));
    pb::PersonRecall {
        kind: recall_kind(found.reason),
        reason,
        reason_text,
        tube: found.tube.to_string(),
        round: found.round.to_string(),
        sampled_at_ms: found.sampled_at.0,
        opened_at_ms: time(found.opened_at),
        closed_by: found.closed_by.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}
