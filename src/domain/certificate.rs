//! What a person may be told: the result that a tube gives its members, and the certificate
//! (核酸检测阴性证明) that follows from a negative one.
//!
//! A person's result never comes from an unclean pool: such a pool says that somebody in it may be
//! positive, not who.

use super::tube::{TubeRecord, TubeView, What};
use super::words::{Call, Code, HOUR_MS, PersonKey, Status, Time};

/// The validity windows in use, in hours: 24 h, 48 h, 72 h, 7 days. Counted from the sampling.
pub const WINDOWS_H: [u32; 4] = [24, 48, 72, 168];

/// A negative result that can be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The tube that gave it.
    pub tube: Code,
    /// When the person was swabbed: every window counts from here.
    pub sampled_at: Time,
    /// When the result was released.
    pub released_at: Time,
    /// One entry for each of [`WINDOWS_H`], in that order.
    pub windows: [Window; 4],
}

/// One validity window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Length.
    pub hours: u32,
    /// The first moment at which it no longer counts.
    pub valid_until: Time,
    /// Whether it counts at the moment that was asked about.
    pub valid: bool,
}

impl Certificate {
    /// The certificate of a negative result as it stands at `as_of`. Nothing counts before the
    /// release; a sampling time in the future (a clock was wrong) makes nothing valid.
    pub fn new(tube: Code, sampled_at: Time, released_at: Time, as_of: Time) -> Certificate {
        let from = sampled_at.max(released_at);
        let windows = WINDOWS_H.map(|hours| {
            let valid_until = sampled_at.plus_ms(i64::from(hours) * HOUR_MS);
            Window { hours, valid_until, valid: from <= as_of && as_of < valid_until }
        });
        Certificate { tube, sampled_at, released_at, windows }
    }
}

/// The result that a tube gives each of its members; `None` while it gives none.
///
/// Negative: only when released, from a pool or a single tube. Positive: only from a single tube,
/// and at once, because isolation does not wait for a signature; but not while runs disagree.
pub fn given(view: &TubeView) -> Option<Call> {
    match (view.status, view.call?) {
        (Status::Released, Call::Negative) => Some(Call::Negative),
        (Status::Resulted | Status::Released, Call::Positive) if view.is_single() && !view.held => {
            Some(Call::Positive)
        }
        _ => None,
    }
}

/// When this person's swab went in. A corrected registration keeps the time of the swab it
/// corrects: the correction was typed later, nobody was swabbed again, and a later time would make
/// the certificate last too long.
pub fn swabbed_at(record: &TubeRecord, person: PersonKey) -> Option<Time> {
    let mut who = person;
    let mut corrected_at = None;
    // A chain of corrections can at most visit every mark; a circle of them stops here too.
    for _ in 0..=record.marks.len() {
        let collected = record.marks.iter().find_map(|mark| match &mark.what {
            What::Collected { members, .. } if members.contains(&who) => Some(mark.origin.at),
            _ => None,
        });
        if collected.is_some() {
            return collected;
        }
        let corrected = record.marks.iter().find_map(|mark| match &mark.what {
            What::Corrected(old, new) if *new == who => Some((*old, mark.origin.at)),
            _ => None,
        });
        let Some((old, at)) = corrected else { break };
        corrected_at = corrected_at.or(Some(at));
        who = old;
    }
    corrected_at
}
