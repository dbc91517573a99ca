//! A box (转运箱): what was packed, handed over and received, and what that says of each tube.
//! A box code names one trip; a box that goes again gets a new label.

use super::discrepancy::{Discrepancies, Discrepancy};
use super::tube::Origin;
use super::words::{Code, Time};
use std::collections::BTreeMap;

/// Facts that one box takes in. A box that is packed and scanned tube by tube has some hundreds; a code that stands for every
/// box of a laboratory has more, and a fact about a box may change what is known of all that lies in it. Of later ones the tubes
/// that a laboratory scanned count one by one, as if they had come without a box (`CodeOverused`).
pub const MARKS_MAX: usize = 1_000;

/// Tubes that the facts about one box may name, all together: twice what one fact may.
pub const TUBES_TOLD_MAX: usize = 10_000;

/// A box as stored: the set of its facts in canonical order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BoxRecord {
    /// In canonical order.
    pub marks: Vec<BoxMark>,
}

/// What one fact says about a box.
#[derive(Clone, Debug, PartialEq)]
pub struct BoxMark {
    /// Where it comes from.
    pub origin: Origin,
    /// What it says.
    pub what: BoxWhat,
}

/// The things that can be said about a box.
#[derive(Clone, Debug, PartialEq)]
pub enum BoxWhat {
    /// These tubes were put in.
    Packed(Vec<Code>),
    /// It went to the next hand, bound for a laboratory.
    HandedOver { lab: Code },
    /// A laboratory took it and scanned these tubes; none = it was taken unopened.
    Received { lab: Code, tubes: Vec<Code> },
}

/// How far a box has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum BoxStage {
    /// Packed, and nobody has taken it over yet.
    #[default]
    Packed,
    /// With whoever took it over, on its way.
    InTransit,
    /// A laboratory took it.
    Received,
}

/// What a box says about one tube.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BoxPart {
    /// The box.
    pub container: Code,
    /// When the tube was packed in it, by the latest fact that says so.
    pub packed: Option<Time>,
    /// When the box was handed over.
    pub handed: Option<Time>,
    /// When a laboratory took the tube with the box, and which; the latest that did.
    pub received: Option<(Time, Code)>,
    /// Packed, and not among the tubes scanned at reception.
    pub missing: bool,
    /// Scanned at reception, and not packed.
    pub extra: bool,
}

/// What a box says of all its tubes alike. As long as it stays the same, and nobody has looked into the box, a fact changes
/// what is known of the tubes that it names and of no other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfAll {
    handed: Option<Time>,
    taken: Option<(Time, Code)>,
    /// Some laboratory has scanned what was in it.
    pub opened: bool,
}

impl OfAll {
    /// What is known of a tube in a box that nobody has opened: the laboratory that took it answers for everything that was
    /// packed.
    pub fn unopened(&self, container: &Code, packed: Option<Time>) -> BoxPart {
        let (container, handed, received) = (container.clone(), self.handed, self.taken.clone());
        BoxPart { container, packed, handed, received, ..BoxPart::default() }
    }
}

impl BoxRecord {
    /// True when it takes in no more facts.
    pub fn is_full(&self) -> bool {
        let named = |mark: &BoxMark| match &mark.what {
            BoxWhat::Packed(tubes) | BoxWhat::Received { tubes, .. } => tubes.len(),
            BoxWhat::HandedOver { .. } => 0,
        };
        self.marks.len() >= MARKS_MAX
            || self.marks.iter().map(named).sum::<usize>() >= TUBES_TOLD_MAX
    }

    /// Adds what a fact says. Not to be called when it is full.
    pub fn insert(&mut self, mark: BoxMark) {
        let at = self.marks.partition_point(|m| m.origin.order() < mark.origin.order());
        self.marks.insert(at, mark);
    }

    /// Every tube that the box lists, in order.
    pub fn tubes(&self) -> impl Iterator<Item = &Code> {
        self.marks.iter().flat_map(|mark| match &mark.what {
            BoxWhat::Packed(tubes) | BoxWhat::Received { tubes, .. } => tubes.as_slice(),
            BoxWhat::HandedOver { .. } => &[],
        })
    }

    /// What the box says of all its tubes alike.
    pub fn of_all(&self) -> OfAll {
        let mut all = OfAll::default();
        for mark in &self.marks {
            match &mark.what {
                BoxWhat::Packed(_) => {}
                BoxWhat::HandedOver { .. } => all.handed = all.handed.or(Some(mark.origin.at)),
                BoxWhat::Received { lab, tubes } => {
                    all.taken = Some((mark.origin.at, lab.clone()));
                    all.opened |= !tubes.is_empty();
                }
            }
        }
        all
    }

    /// What the box says about each tube it lists, by tube code.
    pub fn parts(&self, container: &Code) -> Vec<(Code, BoxPart)> {
        let mut parts: BTreeMap<&Code, BoxPart> = BTreeMap::new();
        for mark in &self.marks {
            let at = mark.origin.at;
            match &mark.what {
                BoxWhat::Packed(tubes) => {
                    for tube in tubes {
                        let part = parts.entry(tube).or_default();
                        part.packed = Some(at);
                    }
                }
                BoxWhat::HandedOver { .. } => {}
                BoxWhat::Received { lab, tubes } => {
                    for tube in tubes {
                        parts.entry(tube).or_default().received = Some((at, lab.clone()));
                    }
                }
            }
        }
        let all = self.of_all();
        let packing_known = self.marks.iter().any(|m| matches!(m.what, BoxWhat::Packed(_)));
        parts
            .into_iter()
            .map(|(tube, part)| {
                if !all.opened {
                    return (tube.clone(), all.unopened(container, part.packed));
                }
                let missing = part.packed.is_some() && part.received.is_none();
                let extra = packing_known && part.packed.is_none();
                let (container, handed) = (container.clone(), all.handed);
                (tube.clone(), BoxPart { container, handed, missing, extra, ..part })
            })
            .collect()
    }

    /// The furthest that the box is known to have come, and the laboratory that took it or that it is bound for, or empty.
    pub fn whereabouts(&self) -> (BoxStage, Code) {
        let seen = |mark: &BoxMark| match &mark.what {
            BoxWhat::Received { lab, .. } => (BoxStage::Received, lab.clone()),
            BoxWhat::HandedOver { lab } => (BoxStage::InTransit, lab.clone()),
            BoxWhat::Packed(_) => (BoxStage::Packed, Code::default()),
        };
        // Of several that say as much, the last that names a laboratory: it was bound elsewhere, or sent on. A second hand
        // that does not say where to takes it no other way.
        let furthest = |(stage, lab): &(BoxStage, Code)| (*stage, !lab.is_empty());
        self.marks.iter().map(seen).max_by_key(furthest).unwrap_or_default()
    }

    /// The laboratory that took the box, or the one it is bound for, or empty.
    pub fn lab(&self) -> Code {
        self.whereabouts().1
    }

    /// Everything odd about the box itself; what is odd about its tubes stands on the tubes.
    pub fn discrepancies(&self) -> Discrepancies {
        let mut odd =
            self.marks.iter().fold(Discrepancies::NONE, |all, mark| all.with(mark.origin.flags));
        odd.add_if(self.is_full(), Discrepancy::CodeOverused);
        odd
    }
}
