//! People who have to come back: recalls (复采) after an unclean pool, recollections (重采) after a
//! tube that can give no clean result. Only unclean and single tubes are noted here.

use super::counters::CellKey;
use super::tube::TubeView;
use super::words::{Call, Code, NeedReason, Status, Time};

/// What one tube says about one person.
#[derive(Clone, Debug, PartialEq)]
pub struct FollowUp {
    /// Where the tube is counted.
    pub cell: CellKey,
    /// When the tube was sampled.
    pub sampled_at: Time,
    /// Why the person has to come back.
    pub need: Option<NeedReason>,
    /// For a single tube that can close a need: its call.
    pub single: Option<Call>,
}

/// A person as stored, by tube code.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PersonRecord {
    /// What each tube says.
    pub parts: Vec<(Code, FollowUp)>,
}

/// One recall or recollection.
#[derive(Clone, Debug, PartialEq)]
pub struct Need<'a> {
    /// The tube that opened it.
    pub tube: &'a Code,
    /// Where it is counted.
    pub cell: &'a CellKey,
    /// Why.
    pub reason: NeedReason,
    /// When the tube that opened it was sampled.
    pub sampled_at: Time,
    /// The single tube that closed it, with its call.
    pub closed_by: Option<(&'a Code, Call)>,
}

/// What a tube says about each of its members, if it says anything.
pub fn follow_up(view: &TubeView) -> Option<FollowUp> {
    let usable = !matches!(
        view.status,
        Status::Void | Status::Rejected | Status::Lost | Status::Reused | Status::Awaiting
    );
    let single = view.call.filter(|_| usable && view.is_single());
    (view.need.is_some() || single.is_some()).then(|| FollowUp {
        cell: CellKey::of_tube(view),
        sampled_at: view.sampled_at.unwrap_or_default(),
        need: view.need,
        single,
    })
}

impl PersonRecord {
    /// Takes over what a tube says now; `None` when it says nothing any more.
    pub fn set(&mut self, tube: &Code, part: Option<FollowUp>) {
        match (self.parts.binary_search_by(|(code, _)| code.cmp(tube)), part) {
            (Ok(at), Some(part)) => self.parts[at].1 = part,
            (Ok(at), None) => drop(self.parts.remove(at)),
            (Err(at), Some(part)) => self.parts.insert(at, (tube.clone(), part)),
            (Err(_), None) => {}
        }
    }

    /// Every recall and recollection, open and closed, by tube code. A need closes with the call of a single
    /// tube sampled later.
    pub fn needs(&self) -> impl Iterator<Item = Need<'_>> {
        // Sorted once: an identity that stands for everybody without papers has thousands of tubes.
        let mut singles: Vec<(Time, &Code, Call)> = self.parts.iter().filter_map(single).collect();
        singles.sort_unstable_by_key(|(at, tube, _)| (*at, *tube));
        self.parts.iter().filter_map(move |(tube, part)| {
            let reason = part.need?;
            let later = singles.partition_point(|(at, ..)| *at <= part.sampled_at);
            let closed_by = singles.get(later).map(|(_, tube, call)| (*tube, *call));
            Some(Need { tube, cell: &part.cell, reason, sampled_at: part.sampled_at, closed_by })
        })
    }
}

fn single((tube, part): &(Code, FollowUp)) -> Option<(Time, &Code, Call)> {
    Some((part.sampled_at, tube, part.single?))
}
