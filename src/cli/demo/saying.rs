//! What the sources of the drill have to say, kept small, and made into facts only when it is sent:
//! so it can be sent again without being stored.

use super::faults::Faults;
use super::labs::Plate;
use super::truth::{Person, Truth};
use crate::api::client::pb;
use pb::fact::Body;
use std::sync::Arc;

/// Code of the round.
pub const ROUND: &str = "2022-04-1";

/// Lot of the sampling tubes.
pub const TUBE_LOT: &str = "TUBE-202203";

/// Who reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// The scanner of a desk.
    Desk(u32),
    /// The supervisor's handheld of a site: mends what desks got wrong.
    Site(u32),
    /// The courier of a site.
    Courier(u32),
    /// The desk and courier of a district for people who come back.
    Retest(usize),
    /// The system of a laboratory.
    Lab(usize),
}

/// Tubes in a box on their way to a laboratory.
#[derive(Debug)]
pub struct Load {
    /// The box.
    pub code: String,
    /// Index of the laboratory.
    pub lab: usize,
    /// The tubes packed.
    pub tubes: Vec<u32>,
    /// Those of them that are in it at reception.
    pub arrive: Vec<u32>,
}

/// What is said.
#[derive(Clone, Debug)]
pub enum What {
    /// A slot's tube was filled and closed.
    Collected { desk: u32, slot: u32 },
    /// The person at a place of the desk's queue was swabbed into a slot's tube.
    Swabbed { desk: u32, slot: u32, place: u32 },
    /// A slot's tube was closed with so many swabs.
    Sealed { slot: u32, swabs: u32 },
    /// A barcode was misread.
    Voided { slot: u32 },
    /// The right barcode of a misread tube.
    Registered { desk: u32, slot: u32 },
    /// Somebody came back and was swabbed singly.
    Single { tube: u32, person: Person, district: usize },
    /// A box was packed, handed over, received.
    Packed(Arc<Load>),
    /// See `Packed`.
    HandedOver(Arc<Load>),
    /// See `Packed`.
    Received(Arc<Load>),
    /// A tube that was missing in its box turned up.
    Found { tube: u32, lab: usize },
    /// A tube leaks.
    Rejected { tube: u32, lab: usize },
    /// A tube cannot be found.
    Lost { tube: u32 },
    /// A plate was loaded, was run, and its results were given out.
    Loaded(Arc<Plate>),
    /// See `Loaded`.
    Ran { plate: Arc<Plate>, attempt: u32 },
    /// See `Loaded`.
    Released(Arc<Plate>),
}

/// One fact to come.
#[derive(Clone, Debug)]
pub struct Saying {
    /// Its number at its source.
    pub number: u64,
    /// When it happened.
    pub at: i64,
    /// What happened.
    pub what: What,
    /// It was sent before, and on purpose comes again.
    pub again: bool,
}

/// What facts are made with.
pub struct Script {
    /// Who, where, when.
    pub truth: Truth,
    /// What goes wrong.
    pub faults: Faults,
    /// Codes of the laboratories.
    pub labs: Vec<String>,
}

impl Script {
    /// Name of a source.
    pub fn source(&self, source: Source) -> String {
        match source {
            Source::Desk(desk) => format!("SC-{}", self.truth.desk_code(desk)),
            Source::Site(site) => format!("SV-{}", self.truth.site_code(site)),
            Source::Courier(site) => format!("CR-{}", self.truth.site_code(site)),
            Source::Retest(district) => format!("SC-{}", self.truth.retest_desk_code(district)),
            Source::Lab(lab) => format!("LIS-{}", self.labs[lab]),
        }
    }

    /// The fact.
    pub fn fact(&self, saying: &Saying) -> pb::Fact {
        let id = pb::FactId { source: String::new(), epoch: 0, number: saying.number };
        pb::Fact {
            id: Some(id),
            captured_at_ms: saying.at,
            round: ROUND.to_owned(),
            body: Some(self.body(&saying.what)),
        }
    }

    fn body(&self, what: &What) -> Body {
        let (truth, lab_code) = (&self.truth, |lab: usize| self.labs[lab].clone());
        let code = |tube: u32| truth.code(tube);
        let codes = |tubes: &[u32]| tubes.iter().map(|tube| code(*tube)).collect();
        match what {
            What::Collected { desk, slot } => {
                self.collected(*desk, *slot, self.faults.code_as_read(truth, *slot))
            }
            What::Registered { desk, slot } => self.collected(*desk, *slot, code(*slot)),
            What::Swabbed { desk, slot, place } => {
                let at = &truth.desks[*desk as usize];
                Body::PersonSwabbed(pb::PersonSwabbed {
                    tube: self.faults.code_as_read(truth, *slot),
                    pool: truth.districts[usize::from(at.district)].pool,
                    desk: truth.desk_code(*desk),
                    device: String::new(),
                    lot: TUBE_LOT.to_owned(),
                    person: Some(truth.identity(truth.person(at, *place))),
                })
            }
            What::Sealed { slot, swabs } => {
                let tube = self.faults.code_as_read(truth, *slot);
                Body::TubeSealed(pb::TubeSealed { tube, swabs: *swabs })
            }
            What::Voided { slot } => Body::TubeVoided(pb::TubeVoided {
                tube: self.faults.code_as_read(truth, *slot),
                reason: pb::VoidReason::Misread.into(),
                replaced_by: code(*slot),
            }),
            What::Single { tube, person, district } => Body::TubeCollected(pb::TubeCollected {
                tube: code(*tube),
                pool: 1,
                desk: truth.retest_desk_code(*district),
                device: String::new(),
                lot: TUBE_LOT.to_owned(),
                members: vec![truth.identity(*person)],
            }),
            What::Packed(load) => Body::TubesPacked(pb::TubesPacked {
                r#box: load.code.clone(),
                tubes: codes(&load.tubes),
            }),
            What::HandedOver(load) => Body::BoxHandedOver(pb::BoxHandedOver {
                r#box: load.code.clone(),
                carrier: String::new(),
                lab: lab_code(load.lab),
            }),
            What::Received(load) => Body::BoxReceived(pb::BoxReceived {
                r#box: load.code.clone(),
                lab: lab_code(load.lab),
                tubes: codes(&load.arrive),
            }),
            What::Found { tube, lab } => Body::TubeReceived(pb::TubeReceived {
                tube: code(*tube),
                lab: lab_code(*lab),
                condition: pb::Condition::Good.into(),
            }),
            What::Rejected { tube, lab } => Body::TubeRejected(pb::TubeRejected {
                tube: code(*tube),
                lab: lab_code(*lab),
                reason: pb::RejectReason::Leaking.into(),
            }),
            What::Lost { tube } => Body::TubeLost(pb::TubeLost { tube: code(*tube) }),
            What::Loaded(plate) => Body::PlateLoaded(plate.loaded(&self.labs[plate.lab], code)),
            What::Ran { plate, attempt } => {
                Body::RunReported(plate.ran(&self.labs[plate.lab], *attempt, truth.seed))
            }
            What::Released(plate) => Body::ResultReleased(pb::ResultReleased {
                lab: lab_code(plate.lab),
                tubes: plate.wells.iter().map(|(tube, _)| code(*tube)).collect(),
            }),
        }
    }

    fn collected(&self, desk: u32, slot: u32, tube: String) -> Body {
        let district = usize::from(self.truth.desks[desk as usize].district);
        let members = self.faults.members(&self.truth, slot);
        Body::TubeCollected(pb::TubeCollected {
            tube,
            pool: self.truth.districts[district].pool,
            desk: self.truth.desk_code(desk),
            device: String::new(),
            lot: TUBE_LOT.to_owned(),
            members: members.into_iter().map(|person| self.truth.identity(person)).collect(),
        })
    }

    /// Number of the fact by which a desk reported this slot's tube, or its first swab.
    pub fn first_number(&self, desk: u32, slot: u32) -> u64 {
        let at = &self.truth.desks[desk as usize];
        let nth = slot - at.first_slot;
        match at.swab_by_swab {
            false => u64::from(nth) + 1,
            // Each tube before it: its swabs, and its seal.
            true => u64::from(self.truth.queue(at, nth).0) + u64::from(nth) + 1,
        }
    }

    /// The person whom a desk's fact names at a position, the slot of the fact, and the place of the
    /// person in its tube.
    pub fn person_of(&self, desk: u32, number: u64, position: u32) -> Option<(Person, u32, u32)> {
        let at = self.truth.desks.get(desk as usize)?;
        let before = u32::try_from(number.checked_sub(1)?).ok()?;
        let pool = self.truth.districts[usize::from(at.district)].pool;
        let (nth, place) = match at.swab_by_swab {
            false => (before, position),
            true => (before / (pool + 1), before % (pool + 1)),
        };
        if nth >= at.slots {
            return None;
        }
        let slot = at.first_slot + nth;
        let person = *self.faults.members(&self.truth, slot).get(place as usize)?;
        Some((person, slot, place))
    }

    /// Everything that a desk says of a slot's tube, in the order in which it happened.
    pub fn of_slot(&self, desk: u32, slot: u32) -> Vec<Saying> {
        let at = &self.truth.desks[desk as usize];
        let nth = slot - at.first_slot;
        let closed = self.truth.closed_at(at, nth);
        let first = self.first_number(desk, slot);
        let say = |number, at, what| Saying { number, at, what, again: false };
        if !at.swab_by_swab {
            return vec![say(first, closed, What::Collected { desk, slot })];
        }
        let (from, to) = self.truth.queue(at, nth);
        let mut sayings: Vec<Saying> = (from..to)
            .zip(first..)
            .map(|(place, number)| {
                let swabbed = self.truth.swabbed_at(at, place);
                say(number, swabbed, What::Swabbed { desk, slot, place })
            })
            .collect();
        let swabs = to - from;
        sayings.push(say(first + u64::from(swabs), closed, What::Sealed { slot, swabs }));
        sayings
    }

    /// Number of facts that a desk sends in the round.
    pub fn facts_of(&self, desk: u32) -> u64 {
        let at = &self.truth.desks[desk as usize];
        u64::from(at.slots) + if at.swab_by_swab { u64::from(at.people) } else { 0 }
    }
}
