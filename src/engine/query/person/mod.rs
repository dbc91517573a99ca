//! One person: samples, result, certificate, recalls, and the gate where the result is stuck.

mod gather;
#[cfg(test)]
mod tests;

use crate::domain::certificate::Certificate;
use crate::domain::fact::Place;
use crate::domain::gate::Gate;
use crate::domain::reference::Reference;
use crate::domain::tube::TubeRecord;
use crate::domain::words::{Call, Code, NeedReason, PersonKey, Status, Time};
use crate::store::{Error, Known, Read, RosterPart};
use std::sync::Arc;

/// Everything about a person.
#[derive(Clone, Debug, PartialEq)]
pub struct PersonAnswer {
    /// On a roster, or bound to a tube.
    pub registered: bool,
    /// The roster of the newest round that knows the person, if one names the person.
    pub on_roster: Option<OnRoster>,
    /// The gate in the newest round that knows the person.
    pub gate: Gate,
    /// Since when the person is at that gate.
    pub gate_since: Option<Time>,
    /// Each round that knows the person, newest first.
    pub rounds: Vec<InRound>,
    /// Every tube that the person is in, latest first.
    pub samples: Vec<Sample>,
    /// Tubes that the person was registered in and then taken out of, in code order.
    pub taken_out_of: Vec<Code>,
    /// The latest result that may be given.
    pub result: Option<PersonResult>,
    /// The certificate of that result: a negative one, and no recall open.
    pub certificate: Option<Certificate>,
    /// Every recall and recollection, open and closed, latest first.
    pub needs: Vec<NeedAnswer>,
}

/// A roster that names a person. Of several the one imported last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnRoster {
    /// The roster.
    pub roster: Code,
    /// The district that has to find the person.
    pub district: Code,
}

/// How a person stands in one round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InRound {
    /// The round.
    pub round: Code,
    /// The roster that names the person.
    pub on_roster: Option<OnRoster>,
    /// The gate.
    pub gate: Gate,
    /// Since when.
    pub since: Option<Time>,
}

/// One tube that a person is in.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The tube.
    pub tube: Code,
    /// Its round.
    pub round: Code,
    /// When this person was swabbed.
    pub sampled_at: Option<Time>,
    /// Where.
    pub place: Place,
    /// The laboratory that had it last, or empty.
    pub lab: Code,
    /// Where the tube stands.
    pub status: Status,
    /// How many swabs the tube is made for.
    pub pool: u16,
    /// The person's own tube: it closes recalls and is worked first.
    pub single: bool,
    /// What may be told: a released negative, or what the person's own tube shows. Never the call
    /// of an unclean pool, never a negative before its release.
    pub call: Option<Call>,
    /// The gate of this tube.
    pub gate: Gate,
    /// Since when.
    pub since: Option<Time>,
}

/// A person's result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonResult {
    /// Positive or negative.
    pub call: Call,
    /// The tube that gave it.
    pub tube: Code,
    /// When the person was swabbed.
    pub sampled_at: Time,
    /// When it was released; a positive may be told before.
    pub released_at: Option<Time>,
}

/// A recall or recollection of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeedAnswer {
    /// The tube that opened it.
    pub tube: Code,
    /// Its round.
    pub round: Code,
    /// Why.
    pub reason: NeedReason,
    /// When that tube was sampled.
    pub sampled_at: Time,
    /// When it was opened.
    pub opened_at: Option<Time>,
    /// The single tube that closed it.
    pub closed_by: Option<Code>,
}

/// What the log knows of a person under one round's key.
#[derive(Clone, Debug, Default)]
pub struct Traces {
    /// The key.
    pub key: PersonKey,
    /// The parts of rosters that name the person.
    pub rosters: Vec<Arc<RosterPart>>,
    /// The tubes that ever named the person.
    pub tubes: Vec<(Code, Arc<TubeRecord>)>,
}

/// A person by the keys that it has under every live key of a round. Keys that know nothing add
/// nothing; with no trace at all the answer says "not registered".
pub fn person(
    read: &Read,
    reference: &Reference,
    keys: &[PersonKey],
    as_of: Time,
) -> Result<PersonAnswer, Unanswered> {
    let one = |key: &PersonKey| {
        let seqs = read.person_seqs(*key)?;
        if seqs.len() > EVENTS_MAX {
            return Err(Unanswered::ManyPeople);
        }
        traces(*key, seqs, |seq| read.known(seq, *key)).map_err(Unanswered::from)
    };
    let traces = keys.iter().map(one).collect::<Result<Vec<_>, _>>()?;
    Ok(gather::answer(&traces, reference, as_of))
}

/// Events of a person that an answer is made of: five years of a test every day. A number that stands for everybody without
/// papers is in hundreds of thousands, and one answer about it would take the memory of all of them.
pub const EVENTS_MAX: usize = 2_000;

/// Why there is no answer about a person.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// The number stands in more than [`EVENTS_MAX`] events: it is not one person's.
    #[error("the number stands in more than {EVENTS_MAX} events: it is not one person's")]
    ManyPeople,
    /// A record could not be read.
    #[error(transparent)]
    Store(#[from] Error),
}

/// Events of a person that are looked at without a thread of their own: more than anybody has whose
/// number does not stand for many people.
const EVENTS_AT_ONCE_MAX: usize = 64;

/// The same from memory alone, so that whoever asks need not go to another thread; `None` = the disk must be
/// asked, or there is much to look at.
pub fn person_in_memory(
    read: &Read,
    reference: &Reference,
    keys: &[PersonKey],
    as_of: Time,
) -> Option<PersonAnswer> {
    let one = |key: &PersonKey| {
        let known = |seq| read.known_in_memory(seq, *key).ok_or(());
        let seqs = read.person_seqs_in_memory(*key)?;
        if seqs.len() > EVENTS_AT_ONCE_MAX {
            return None;
        }
        traces(*key, seqs, known).ok()
    };
    let traces = keys.iter().map(one).collect::<Option<Vec<_>>>()?;
    Some(gather::answer(&traces, reference, as_of))
}

/// What the events speak of that the index names for a person.
fn traces<E>(
    key: PersonKey,
    seqs: Vec<u64>,
    known: impl Fn(u64) -> Result<Known, E>,
) -> Result<Traces, E> {
    let mut found = Traces { key, ..Traces::default() };
    for seq in seqs {
        match known(seq)? {
            Known::Tube(code, record) => found.tubes.push((code, record)),
            Known::Roster(part) => found.rosters.push(part),
            Known::Nothing => {}
        }
    }
    // Several events may have put a person into one tube.
    found.tubes.sort_by(|(a, _), (b, _)| a.cmp(b));
    found.tubes.dedup_by(|(a, _), (b, _)| a == b);
    Ok(found)
}
