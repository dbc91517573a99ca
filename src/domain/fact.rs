//! What the world reports, and what the writer makes of it: facts, stamps, events.

use super::calling::CallingRule;
use super::discrepancy::Discrepancies;
use super::reference::ReferenceItem;
use super::words::{Call, Code, Condition, Control, PersonKey, RejectReason, Time, VoidReason};
use std::sync::Arc;

/// Who said it and which of its sayings it is. The same id always has the same content.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FactId {
    /// The device, laboratory system or office that reports.
    pub source: Code,
    /// Grows when the source starts to count again (a scanner was reinstalled).
    pub epoch: u64,
    /// Counts from 1 within the epoch.
    pub number: u64,
}

/// A person as registered at the desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Member {
    /// The person's key in the round.
    pub person: PersonKey,
    /// True when the number's own check digit was wrong; the person is registered all the same.
    pub id_check_failed: bool,
}

/// What the world reports, once.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// Identity, for ever.
    pub id: FactId,
    /// The reporting device's clock when it happened.
    pub captured_at: Time,
    /// The round it belongs to; empty when the source does not know: the writer then takes the
    /// one open round.
    pub round: Code,
    /// What happened.
    pub body: Body,
}

/// What stands in one well of a plate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Well {
    /// Position, row by row from A1 = 0 to H12 = 95.
    pub position: u16,
    /// What was put there.
    pub content: WellContent,
}

/// A tube's liquid or a control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WellContent {
    /// Liquid of this tube.
    Tube(Code),
    /// A control.
    Control(Control),
}

/// What an instrument read in one well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Position as in [`Well`].
    pub position: u16,
    /// Per target of the run, in the run's order: Ct in hundredths of a cycle; 0 = no curve.
    pub cts: Vec<u16>,
}

/// The kinds of facts. The numbers on disk are given in `store::codec` and are for ever.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// One person's swab went into a tube.
    PersonSwabbed { tube: Code, pool: u16, desk: Code, device: Code, lot: Code, member: Member },
    /// A tube was filled and closed with all its members.
    TubeCollected {
        tube: Code,
        pool: u16,
        desk: Code,
        device: Code,
        lot: Code,
        members: Vec<Member>,
    },
    /// A person's registration in a tube was taken back.
    MemberWithdrawn { tube: Code, person: PersonKey },
    /// A person's registration in a tube was corrected: `old` was wrong, `new` is right.
    MemberCorrected { tube: Code, old: PersonKey, new: Member },
    /// A tube was closed with this many swabs by the desk's own count.
    TubeSealed { tube: Code, swabs: u16 },
    /// Tubes were put in a box.
    TubesPacked { container: Code, tubes: Vec<Code> },
    /// A box went from one hand to the next.
    BoxHandedOver { container: Code, carrier: Code, lab: Code },
    /// A laboratory took a box and scanned these tubes in it; no tubes = the box was not opened.
    BoxReceived { container: Code, lab: Code, tubes: Vec<Code> },
    /// A laboratory took a tube.
    TubeReceived { tube: Code, lab: Code, condition: Condition },
    /// A laboratory refused a tube.
    TubeRejected { tube: Code, lab: Code, reason: RejectReason },
    /// A tube is lost.
    TubeLost { tube: Code },
    /// A tube was made void. `replaced_by` names the tube that holds the swabs, or is empty.
    TubeVoided { tube: Code, reason: VoidReason, replaced_by: Code },
    /// A plate was loaded.
    PlateLoaded { plate: Code, lab: Code, kit: Code, kit_lot: Code, wells: Vec<Well> },
    /// An instrument reported a run of a plate.
    RunReported {
        plate: Code,
        run: Code,
        lab: Code,
        instrument: Code,
        targets: Vec<Code>,
        readings: Vec<Reading>,
    },
    /// A second person looked at a tube's runs and decided: the worst of the named runs, or `call`.
    CallReviewed { tube: Code, runs: Vec<Code>, call: Option<Call>, reviewer: Code },
    /// The laboratory corrected a result.
    ResultAmended { tube: Code, call: Call, reason: Code },
    /// The laboratory gave out the results of these tubes.
    ResultReleased { lab: Code, tubes: Vec<Code> },
    /// A plate is to be judged again by the rule now in force (its kit was unknown when it came).
    PlateReassessed { plate: Code },
    /// Reference data came from a file.
    ReferenceImported { file: Code, items: Vec<ReferenceItem> },
    /// A part of a roster came from a file.
    RosterImported { roster: Code, district: Code, persons: Vec<PersonKey> },
    /// A round began. `key_id` names the key that person keys are made with.
    RoundOpened { name: Code, key_id: Code, pool: u16 },
    /// A round ended; what comes later is recorded and flagged.
    RoundClosed {},
    /// From `from` on plates of this kit are judged by this version of its rule.
    RuleSwitched { kit: Code, version: u32, from: Time },
    /// A drill's player moved the clock.
    ClockTicked { now: Time },
}

/// Where something was collected. Codes are empty when unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// District code.
    pub district: Code,
    /// Site code.
    pub site: Code,
    /// Desk code, as the fact said it.
    pub desk: Code,
}

/// What the writer puts on a fact, once and for ever; the fold never looks anything up.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stamps {
    /// The server's clock at commit.
    pub recorded_at: Time,
    /// How far the device's clock was ahead of the server's, in milliseconds.
    pub clock_offset_ms: i64,
    /// The round, as said or as found.
    pub round: Code,
    /// Where it was collected, for collection facts.
    pub place: Option<Place>,
    /// The rule that a plate is judged by, for plate facts.
    pub rule: Option<Arc<CallingRule>>,
    /// What is odd about the fact by itself, judged by the reference data of that moment.
    pub flags: Discrepancies,
}

/// A fact as committed.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Position in the log, from 1 without holes.
    pub seq: u64,
    /// What was reported.
    pub fact: Fact,
    /// What the writer added.
    pub stamps: Stamps,
    /// All that was odd about the fact's own record after it was committed: the answer to the
    /// source, repeated to whoever sends the fact again.
    pub found: Discrepancies,
}

impl Event {
    /// When it happened, by the server's clock: the device's time less the device's offset.
    pub fn captured(&self) -> Time {
        self.fact.captured_at.plus_ms(self.stamps.clock_offset_ms.saturating_neg())
    }
}

impl Body {
    /// The one tube that a fact is about, if it is about one.
    pub fn tube(&self) -> Option<&Code> {
        use Body::*;
        match self {
            PersonSwabbed { tube, .. }
            | TubeCollected { tube, .. }
            | MemberWithdrawn { tube, .. }
            | MemberCorrected { tube, .. }
            | TubeSealed { tube, .. }
            | TubeReceived { tube, .. }
            | TubeRejected { tube, .. }
            | TubeLost { tube }
            | TubeVoided { tube, .. }
            | CallReviewed { tube, .. }
            | ResultAmended { tube, .. } => Some(tube),
            _ => None,
        }
    }

    /// The box that a fact is about, if any.
    pub fn container(&self) -> Option<&Code> {
        match self {
            Body::TubesPacked { container, .. }
            | Body::BoxHandedOver { container, .. }
            | Body::BoxReceived { container, .. } => Some(container),
            _ => None,
        }
    }

    /// The plate that a fact is about, if any.
    pub fn plate(&self) -> Option<&Code> {
        match self {
            Body::PlateLoaded { plate, .. }
            | Body::RunReported { plate, .. }
            | Body::PlateReassessed { plate } => Some(plate),
            _ => None,
        }
    }

    /// The laboratory that a fact names, if it names one.
    pub fn lab(&self) -> Option<&Code> {
        use Body::*;
        match self {
            BoxHandedOver { lab, .. }
            | BoxReceived { lab, .. }
            | TubeReceived { lab, .. }
            | TubeRejected { lab, .. }
            | PlateLoaded { lab, .. }
            | RunReported { lab, .. }
            | ResultReleased { lab, .. } => Some(lab).filter(|lab| !lab.is_empty()),
            _ => None,
        }
    }

    /// Every tube that a fact names.
    pub fn tubes(&self) -> impl Iterator<Item = &Code> {
        let (listed, wells): (&[Code], &[Well]) = match self {
            Body::TubesPacked { tubes, .. }
            | Body::BoxReceived { tubes, .. }
            | Body::ResultReleased { tubes, .. } => (tubes, &[]),
            Body::PlateLoaded { wells, .. } => (&[], wells),
            _ => (&[], &[]),
        };
        let in_wells = wells.iter().filter_map(|well| match &well.content {
            WellContent::Tube(tube) => Some(tube),
            WellContent::Control(_) => None,
        });
        self.tube().into_iter().chain(listed).chain(in_wells)
    }

    /// True for the facts that change what later facts are judged by.
    pub fn is_reference(&self) -> bool {
        matches!(
            self,
            Body::ReferenceImported { .. }
                | Body::RoundOpened { .. }
                | Body::RoundClosed { .. }
                | Body::RuleSwitched { .. }
        )
    }

    /// The people that a fact binds to its tube or puts on a roster: what the person index holds.
    pub fn people(&self) -> impl Iterator<Item = PersonKey> + '_ {
        let (one, members, persons): (_, &[Member], &[PersonKey]) = match self {
            Body::PersonSwabbed { member, .. } => (Some(member.person), &[], &[]),
            Body::TubeCollected { members, .. } => (None, members, &[]),
            Body::MemberCorrected { new, .. } => (Some(new.person), &[], &[]),
            Body::RosterImported { persons, .. } => (None, &[], persons),
            _ => (None, &[], &[]),
        };
        let members = members.iter().map(|member| member.person);
        one.into_iter().chain(members).chain(persons.iter().copied())
    }
}
