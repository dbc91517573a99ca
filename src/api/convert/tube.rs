//! A tube, its history and its proofs, for the wire.

use super::super::pb;
use super::history::{kind, say};
use super::words::{call, findings, need, status, time};
use crate::domain::fact::{Event, FactId};
use crate::domain::tube::TubeView;
use crate::engine::query::tube::TubeAnswer;
use crate::store::LogProof;

/// The answer about a tube.
pub fn answer(found: TubeAnswer, as_of: pb::AsOf) -> pb::GetTubeReply {
    let mut proofs = found.proofs.into_iter().peekable();
    let history = found.history.iter().map(|event| {
        // A proof may be missing in the middle; each belongs to the event of its sequence.
        let proof = proofs.next_if(|proof| proof.seq == event.seq);
        entry(event, proof.map(log_proof))
    });
    let history = history.collect();
    pb::GetTubeReply { tube: Some(tube(&found.code, &found.view)), history, as_of: Some(as_of) }
}

/// A tube as it stands.
pub fn tube(code: &str, view: &TubeView) -> pb::Tube {
    let (status, status_text) = status(view.status);
    let (call, call_text) = call(view.call);
    let (need, need_text) = need(view.need);
    pb::Tube {
        code: code.to_owned(),
        status,
        status_text,
        round: view.round.to_string(),
        district: view.place.district.to_string(),
        site: view.place.site.to_string(),
        desk: view.place.desk.to_string(),
        lab: view.lab.to_string(),
        pool: view.pool.into(),
        swabs: u32::try_from(view.members.len()).unwrap_or(u32::MAX),
        sampled_at_ms: time(view.sampled_at),
        released_at_ms: time(view.released_at),
        call,
        call_text,
        held: view.held,
        need,
        need_text,
        findings: findings(view.discrepancies),
    }
}

fn entry(event: &Event, proof: Option<pb::LogProof>) -> pb::HistoryEntry {
    let body = &event.fact.body;
    let by_way_of = body.container().or(body.plate());
    pb::HistoryEntry {
        seq: event.seq,
        fact: Some(fact_id(&event.fact.id)),
        kind: kind(body).into(),
        captured_at_ms: event.captured().0,
        recorded_at_ms: event.stamps.recorded_at.0,
        text: Some(say(body)),
        findings: findings(event.stamps.flags),
        by_way_of: by_way_of.map(ToString::to_string).unwrap_or_default(),
        proof,
    }
}

/// A fact's id.
pub fn fact_id(id: &FactId) -> pb::FactId {
    pb::FactId { source: id.source.to_string(), epoch: id.epoch, number: id.number }
}

fn log_proof(proof: LogProof) -> pb::LogProof {
    let step =
        |(sibling, left): ([u8; 32], bool)| pb::ProofStep { sibling: sibling.to_vec(), left };
    pb::LogProof {
        seq: proof.seq,
        event: proof.event_bytes,
        leaf: proof.leaf.to_vec(),
        path: proof.path.into_iter().map(step).collect(),
        batch_first_seq: proof.batch_first_seq,
        batch_count: proof.batch_count,
        root: proof.root.to_vec(),
        previous: proof.previous.to_vec(),
        hash: proof.hash.to_vec(),
    }
}
