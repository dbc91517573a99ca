//! A tube: the set of its facts, and everything that is said of it as a function of that set.
//!
//! Marks are kept in canonical order (corrected captured time, then fact id), so the order of
//! arrival cannot be seen in a record, let alone in an answer.

use super::discrepancy::{Discrepancies, Discrepancy};
use super::fact::{FactId, Place};
use super::words::{
    Call, Code, Condition, NeedReason, PersonKey, RejectReason, Status, Time, VoidReason,
};
use super::{boxes::BoxPart, calling, plate::PlatePart};

/// Facts about itself that one tube takes in. A tube has a dozen; a scanner that is stuck on one code may send thousands, and
/// each one changes what follows from all before it. Later ones stand in the log alone (`CodeOverused`).
pub const MARKS_MAX: usize = 500;

/// Swabs that the facts about one tube may tell of, all together, those told twice as well. No tube is made for more than 20.
pub const SWABS_TOLD_MAX: usize = 2_000;

/// Boxes, and plates, that one tube takes in. A control that a laboratory loads under one code on every plate is on
/// hundreds.
pub const PARTS_MAX: usize = 100;

/// Where a mark comes from: which event, and what was odd about the fact by itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Origin {
    /// Position of the event in the log. Not part of the meaning: it depends on arrival.
    pub seq: u64,
    /// The fact.
    pub id: FactId,
    /// Corrected captured time.
    pub at: Time,
    /// Discrepancies stamped on the fact.
    pub flags: Discrepancies,
}

impl Origin {
    /// Canonical order: captured time decides, the fact id breaks ties.
    pub fn order(&self) -> (Time, &FactId) {
        (self.at, &self.id)
    }
}

/// What one fact says about one tube.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// Where it comes from.
    pub origin: Origin,
    /// What it says.
    pub what: What,
}

/// The things that can be said about a tube by itself.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// People were swabbed into it. `whole`: the tube was closed with exactly these.
    Collected { whole: bool, pool: u16, round: Code, place: Place, members: Vec<PersonKey> },
    /// A registration was taken back.
    Withdrawn(PersonKey),
    /// A registration was corrected from the first to the second person.
    Corrected(PersonKey, PersonKey),
    /// Closed, with so many swabs by the desk's own count.
    Sealed(u16),
    /// Taken by a laboratory.
    Received { lab: Code, condition: Condition },
    /// Refused by a laboratory.
    Rejected { lab: Code, reason: RejectReason },
    /// Lost.
    Lost,
    /// Made void.
    Voided { reason: VoidReason, replaced_by: Code },
    /// Decided by a second person from the named runs.
    Reviewed { runs: Vec<Code>, call: Option<Call> },
    /// Result corrected.
    Amended(Call),
    /// Result given out.
    Released { lab: Code },
}

impl What {
    /// True when only who they are tells whether the tube holds one person: a tube for one, in which several stand. It may
    /// be the same one several times.
    pub fn may_be_one_person(&self) -> bool {
        matches!(self, What::Collected { pool: 1, members, .. } if members.len() > 1)
    }
}

/// A tube as stored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TubeRecord {
    /// In canonical order.
    pub marks: Vec<Mark>,
    /// What each box that lists the tube says about it, by box code.
    pub boxes: Vec<BoxPart>,
    /// What each plate that holds the tube says about it, by plate code.
    pub plates: Vec<PlatePart>,
}

/// A tube as seen: every attribute that follows from its record.
#[derive(Clone, Debug, PartialEq)]
pub struct TubeView {
    /// The one status.
    pub status: Status,
    /// Round of the effective collection.
    pub round: Code,
    /// Place of the effective collection: the latest one.
    pub place: Place,
    /// The laboratory that had it last, or empty.
    pub lab: Code,
    /// How many swabs the tube is made for, by the effective collection.
    pub pool: u16,
    /// Everybody in the tube, in key order.
    pub members: Vec<PersonKey>,
    /// When the first swab was taken.
    pub sampled_at: Option<Time>,
    /// When it was released, if the release counts.
    pub released_at: Option<Time>,
    /// The result that stands.
    pub call: Option<Call>,
    /// Runs disagree, or the tube was pooled again in the laboratory, and nobody has decided.
    pub held: bool,
    /// Why its members have to come back, if they have to.
    pub need: Option<NeedReason>,
    /// Everything odd.
    pub discrepancies: Discrepancies,
}

impl TubeView {
    /// True for a tube that holds exactly one person by design: only such a tube closes a recall
    /// or a recollection.
    pub fn is_single(&self) -> bool {
        self.pool == 1 && self.members.len() == 1
    }

    /// True when its members count as sampled.
    pub fn is_live(&self) -> bool {
        self.status != Status::Void && self.status != Status::Awaiting
    }
}

fn insert_part<T>(parts: &mut Vec<T>, part: T, code: impl Fn(&T) -> &Code) {
    match parts.binary_search_by(|other| code(other).cmp(code(&part))) {
        Ok(at) => parts[at] = part,
        Err(at) if parts.len() < PARTS_MAX => parts.insert(at, part),
        // It says so of itself (`TubeRecord::view`).
        Err(_) => {}
    }
}

impl TubeRecord {
    /// True when nothing is known of it but that it was collected, closed, once: then all of the record follows from
    /// that one event ([`collected`](super::world::collected)).
    pub fn is_only_collected(&self) -> bool {
        matches!(&*self.marks, [Mark { what: What::Collected { whole: true, .. }, .. }])
            && self.boxes.is_empty()
            && self.plates.is_empty()
    }

    /// True when it takes in no more facts about itself.
    pub fn is_full(&self) -> bool {
        let told = |mark: &Mark| match &mark.what {
            What::Collected { members, .. } => members.len(),
            _ => 0,
        };
        self.marks.len() >= MARKS_MAX
            || self.marks.iter().map(told).sum::<usize>() >= SWABS_TOLD_MAX
    }

    /// Adds what a fact says, unless it is full.
    pub fn insert(&mut self, mark: Mark) {
        if self.is_full() {
            return;
        }
        let at = self.marks.partition_point(|m| m.origin.order() < mark.origin.order());
        let at = if crate::breaks::on("order_of_arrival") { self.marks.len() } else { at };
        // Most tubes have one or two marks all day, and there are millions of them.
        self.marks.reserve_exact(1);
        self.marks.insert(at, mark);
    }

    /// Takes over what a box says, in place of what it said before.
    pub fn set_box(&mut self, part: BoxPart) {
        insert_part(&mut self.boxes, part, |p| &p.container);
    }

    /// Takes over what a plate says, in place of what it said before.
    pub fn set_plate(&mut self, part: PlatePart) {
        insert_part(&mut self.plates, part, |p| &p.plate);
    }

    /// Everything that follows from the record.
    pub fn view(&self) -> TubeView {
        let mut odd = self.own_flags();
        let collected = self.collection(&mut odd);
        let custody = self.custody(&mut odd);
        let result = self.result(&mut odd);
        let (mut void, mut lost, mut rejected) = (None, None, false);
        for mark in &self.marks {
            match &mark.what {
                What::Voided { reason, .. } => void = void.or(Some((mark.origin.at, *reason))),
                What::Lost => lost = Some(mark.origin.at),
                What::Rejected { .. } => rejected = true,
                _ => {}
            }
        }
        let released_at = self.release(&result, &mut odd);
        let found_again = lost.is_some_and(|at| custody.last.is_some_and(|last| last > at));
        odd.add_if(found_again, Discrepancy::LostThenFound);
        odd.add_if(
            void.is_some_and(|(at, _)| custody.last.is_some_and(|last| last > at)),
            Discrepancy::UsedAfterVoid,
        );
        let stage = match () {
            () if released_at.is_some() => Status::Released,
            () if result.call.is_some() => Status::Resulted,
            () if !self.plates.is_empty() => Status::Plated,
            () => custody.stage.max(collected.stage),
        };
        let reused = odd.has(Discrepancy::TubeReused);
        let status = match () {
            () if void.is_some() => Status::Void,
            () if reused => Status::Reused,
            () if rejected && released_at.is_none() => Status::Rejected,
            // A result that stands is worth more than the word that its tube is gone.
            () if lost.is_some() && !found_again && result.call.is_none() => Status::Lost,
            () if !collected.known => Status::Awaiting,
            () => stage,
        };
        odd.add_if(rejected && status == Status::Released, Discrepancy::ReleasedAfterRejected);
        let parts = self.boxes.len().max(self.plates.len());
        odd.add_if(self.is_full() || parts >= PARTS_MAX, Discrepancy::CodeOverused);
        let mut view = TubeView {
            status,
            round: collected.round,
            place: collected.place,
            lab: custody.lab,
            pool: collected.pool,
            members: collected.members,
            sampled_at: collected.sampled_at,
            released_at: released_at.filter(|_| status == Status::Released),
            call: result.call,
            held: result.held,
            need: None,
            discrepancies: odd,
        };
        view.need = need(&view, reused, void.map(|(_, reason)| reason));
        view
    }

    fn own_flags(&self) -> Discrepancies {
        self.marks.iter().fold(Discrepancies::NONE, |all, mark| all.with(mark.origin.flags))
    }

    fn collection(&self, odd: &mut Discrepancies) -> Collection {
        let mut found = Collection {
            known: false,
            stage: Status::Open,
            pool: 0,
            round: Code::default(),
            place: Place::default(),
            members: Vec::new(),
            sampled_at: None,
        };
        let mut members: Vec<PersonKey> = Vec::new();
        let mut gone = Vec::new();
        let mut counts = Vec::new();
        let mut sealed = false;
        for mark in &self.marks {
            match &mark.what {
                What::Collected { whole, pool, round, place, members: new } => {
                    let before = members.len();
                    add_members(&mut members, new);
                    let added = members.len() - before;
                    odd.add_if(sealed && added > 0, Discrepancy::TubeReused);
                    // The same people sent again under a new fact id are no second swab.
                    odd.add_if(
                        added < new.len() && !(*whole && sealed && added == 0),
                        Discrepancy::MemberRepeated,
                    );
                    odd.add_if(
                        found.known && found.place.desk != place.desk,
                        Discrepancy::DesksDiffer,
                    );
                    sealed |= whole;
                    found.known = true;
                    found.sampled_at = found.sampled_at.or(Some(mark.origin.at));
                    (found.pool, found.round, found.place) = (*pool, round.clone(), place.clone());
                }
                What::Withdrawn(person) => gone.push((*person, None)),
                What::Corrected(old, new) => gone.push((*old, Some(*new))),
                What::Sealed(swabs) => {
                    sealed = true;
                    counts.push(usize::from(*swabs));
                }
                _ => {}
            }
        }
        // Union of all collections first, then what was taken back, in order: a correction that was
        // itself corrected back leaves the first person, not nobody.
        for (old, new) in gone {
            let was_in = remove_member(&mut members, &old);
            odd.add_if(!was_in && found.known, Discrepancy::WithdrawnUnknown);
            new.into_iter().for_each(|person| insert_member(&mut members, person));
        }
        odd.add_if(
            found.known && counts.iter().any(|count| *count != members.len()),
            Discrepancy::SealCountDiffers,
        );
        odd.add_if(
            found.known && members.len() > usize::from(found.pool),
            Discrepancy::PoolOverfilled,
        );
        found.members = members;
        if sealed {
            found.stage = Status::Sealed;
        }
        found
    }

    fn custody(&self, odd: &mut Discrepancies) -> Custody {
        let mut found = Custody { stage: Status::Open, last: None, lab: Code::default() };
        let mut lab_at = Time(i64::MIN);
        let mut see = |stage: Status, at: Time, lab: Option<&Code>| {
            found.stage = found.stage.max(stage);
            found.last = found.last.max(Some(at));
            if let Some(lab) = lab
                && !lab.is_empty()
                && (at, lab) > (lab_at, &found.lab)
            {
                (lab_at, found.lab) = (at, lab.clone());
            }
        };
        for part in &self.boxes {
            if let Some(at) = part.packed {
                see(Status::Packed, at, None);
                if let Some(at) = part.handed {
                    see(Status::InTransit, at, None);
                }
            }
            if let Some((at, lab)) = &part.received {
                see(Status::Received, *at, Some(lab));
            }
            odd.add_if(part.missing, Discrepancy::BoxTubeMissing);
            odd.add_if(part.extra, Discrepancy::BoxTubeExtra);
        }
        for part in &self.plates {
            see(Status::Plated, part.loaded, Some(&part.lab));
            odd.add_if(part.mixed, Discrepancy::PoolOfPools);
        }
        for mark in &self.marks {
            match &mark.what {
                What::Received { lab, .. } | What::Rejected { lab, .. } => {
                    see(Status::Received, mark.origin.at, Some(lab));
                }
                _ => {}
            }
        }
        let packed = self.boxes.iter().filter(|part| part.packed.is_some()).count();
        odd.add_if(packed > 1, Discrepancy::BoxesDiffer);
        odd.add_if(self.plates.len() > 1, Discrepancy::PlatesDiffer);
        found
    }

    fn result(&self, odd: &mut Discrepancies) -> TubeResult {
        let result = self.result_until(Time(i64::MAX));
        odd.add_if(result.disagree, Discrepancy::RunsDisagree);
        odd.add_if(result.unknown_run, Discrepancy::ReviewNamesUnknownRun);
        result
    }

    /// The result as it follows from what was captured up to `until`.
    fn result_until(&self, until: Time) -> TubeResult {
        let runs = || {
            self.plates
                .iter()
                .flat_map(|plate| &plate.runs)
                .filter(|run| run.controls_held && run.at <= until)
                .filter_map(|run| run.call.map(|call| (run, call)))
        };
        let worst = calling::worst(runs().map(|(_, call)| call));
        let disagree = runs().any(|(_, call)| Some(call) != worst);
        // A pool of pools is not validated: what it says is held until somebody decides.
        let mixed =
            self.plates.iter().any(|plate| plate.mixed && plate.runs.iter().any(|r| r.at <= until));
        let mut result =
            TubeResult { call: worst, disagree, held: disagree || mixed, unknown_run: false };
        // The latest review or amendment decides; the marks are in order.
        for mark in self.marks.iter().filter(|mark| mark.origin.at <= until) {
            let (named, decided) = match &mark.what {
                What::Reviewed { runs: named, call } => {
                    result.unknown_run =
                        named.iter().any(|name| !runs().any(|(run, _)| run.run == *name));
                    let of_named = runs().filter(|(run, _)| named.contains(&run.run));
                    (named.as_slice(), call.or(calling::worst(of_named.map(|(_, call)| call))))
                }
                What::Amended(call) => (&[][..], Some(*call)),
                _ => continue,
            };
            let Some(decided) = decided else { continue };
            // It decides nothing that it cannot have seen: a later run that it does not name.
            let unseen = || {
                let later = runs().filter(|(run, _)| run.at > mark.origin.at);
                later.filter(|(run, _)| !named.contains(&run.run)).map(|(_, call)| call)
            };
            result.disagree = unseen().any(|call| call != decided);
            result.held = result.disagree;
            result.call = calling::worst(unseen().chain([decided]));
        }
        result
    }

    /// When the result that stands was given out. A release gives out what was known at its time:
    /// it does not count for a better result that came later, nor while the result is held.
    fn release(&self, result: &TubeResult, odd: &mut Discrepancies) -> Option<Time> {
        let mut counts = None;
        for mark in self.marks.iter().filter(|m| matches!(m.what, What::Released { .. })) {
            let given = self.result_until(mark.origin.at).call;
            odd.add_if(given.is_none(), Discrepancy::ReleasedWithoutResult);
            odd.add_if(result.held && given == result.call, Discrepancy::ReleaseHeld);
            let Some((given, now)) = given.zip(result.call) else { continue };
            odd.add_if(now.is_worse_than(given), Discrepancy::ReleasedThenChanged);
            if !result.held && !given.is_worse_than(now) {
                counts = counts.or(Some(mark.origin.at));
            }
        }
        counts
    }
}

fn need(view: &TubeView, reused: bool, void: Option<VoidReason>) -> Option<NeedReason> {
    match view.status {
        Status::Void if void == Some(VoidReason::Misread) && reused => Some(NeedReason::TubeReused),
        Status::Void if void == Some(VoidReason::Misread) => None,
        Status::Void => Some(NeedReason::TubeVoid),
        Status::Reused => Some(NeedReason::TubeReused),
        Status::Rejected => Some(NeedReason::TubeRejected),
        Status::Lost => Some(NeedReason::TubeLost),
        _ => match view.call? {
            Call::Negative => None,
            Call::Invalid => Some(NeedReason::ResultInvalid),
            // A single positive is the person's result; nobody else is in the tube.
            Call::Positive if view.is_single() => None,
            _ if view.is_single() => Some(NeedReason::SingleUnclear),
            Call::Positive => Some(NeedReason::PoolPositive),
            Call::SingleTarget => Some(NeedReason::PoolSingleTarget),
            Call::Grey => Some(NeedReason::PoolGrey),
        },
    }
}

fn add_members(members: &mut Vec<PersonKey>, new: &[PersonKey]) {
    members.reserve_exact(new.len());
    if let [person] = new {
        insert_member(members, *person);
    } else {
        members.extend_from_slice(new);
        // The same order as that of the bytes, and a comparison is one of numbers.
        members.sort_unstable_by_key(|person| u128::from_be_bytes(person.0));
        members.dedup();
    }
}

/// Members are few and kept in key order; a tree would cost more than it saves.
fn insert_member(members: &mut Vec<PersonKey>, person: PersonKey) {
    if let Err(at) = members.binary_search(&person) {
        members.insert(at, person);
    }
}

fn remove_member(members: &mut Vec<PersonKey>, person: &PersonKey) -> bool {
    members.binary_search(person).map(|at| members.remove(at)).is_ok()
}

struct Collection {
    known: bool,
    stage: Status,
    pool: u16,
    round: Code,
    place: Place,
    members: Vec<PersonKey>,
    sampled_at: Option<Time>,
}

struct Custody {
    stage: Status,
    last: Option<Time>,
    lab: Code,
}

struct TubeResult {
    call: Option<Call>,
    disagree: bool,
    held: bool,
    unknown_run: bool,
}
