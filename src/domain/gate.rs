//! "Where is my result?" answered with the exact gate at which it is held up, and since when.
//!
//! Everything here is a function of records. The officials of a large city once published a list
//! of seven gates at which results get stuck; each of them is one of these or a discrepancy.

use super::certificate;
use super::tube::{TubeRecord, TubeView, What};
use super::words::{Call, Status, Time, coded};

coded! {
    /// The gate at which a result waits, in the order of the way.
    Gate {
        NotSampled = 1, "not sampled, or the scan was not bound to a tube", "未采样或扫码未绑定";
        AwaitingRegistration = 2, "the laboratory has the tube, its registration has not arrived", "样本已到，登记信息未到";
        AtSite = 3, "at the sampling site, not packed", "在采样点，未装箱";
        AwaitingCourier = 4, "packed, waiting for the courier", "已装箱，待转运";
        InTransit = 5, "in transit", "转运中";
        AtReception = 6, "received, not yet on a plate", "已接收，待上板";
        InLab = 7, "on a plate, no result yet", "检测中";
        AwaitingRelease = 8, "resulted, waiting for release", "已出结果，待发布";
        Held = 9, "held: runs disagree, a review must decide", "多次结果不一致，待复核";
        RecallOpen = 10, "recall: must be swabbed singly", "待复采";
        RecollectionOpen = 11, "recollection: must be swabbed again", "待重采";
        Done = 12, "the result is given", "结果已出";
    }
}

impl Gate {
    /// True while a tube is on its way and will still say something.
    pub const fn is_moving(self) -> bool {
        (self as u8) >= Gate::AwaitingRegistration as u8 && (self as u8) <= Gate::Held as u8
    }
}

/// One tube as it stands for one of its members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The gate.
    pub gate: Gate,
    /// Since when.
    pub since: Option<Time>,
    /// When the tube was sampled.
    pub sampled_at: Time,
    /// The tube holds this person alone.
    pub single: bool,
    /// The tube gives the person a result.
    pub given: bool,
}

/// How a tube stands for its members. `need_open`: it made them come back and nobody has closed
/// that for the person asked about.
pub fn of_tube(record: &TubeRecord, view: &TubeView, need_open: bool) -> Standing {
    let given = certificate::given(view).is_some();
    let gate = match (view.status, view.need) {
        (_, Some(reason)) if need_open && reason.is_recall() => Gate::RecallOpen,
        // Before a new swab comes the review: it may settle the matter without one.
        (Status::Resulted, _) if view.held && need_open => Gate::Held,
        (_, Some(_)) if need_open => Gate::RecollectionOpen,
        (_, Some(_)) => Gate::Done,
        _ if given => Gate::Done,
        (Status::Awaiting, None) => Gate::AwaitingRegistration,
        (Status::Open | Status::Sealed, None) => Gate::AtSite,
        (Status::Packed, None) => Gate::AwaitingCourier,
        (Status::InTransit, None) => Gate::InTransit,
        (Status::Received, None) => Gate::AtReception,
        (Status::Plated, None) => Gate::InLab,
        (Status::Resulted, None) if view.held => Gate::Held,
        (Status::Resulted | Status::Released, None) => Gate::AwaitingRelease,
        // Void because the barcode was misread: the swabs are in another tube, and this one binds
        // nobody. The other outcomes always have a need and were answered above.
        (Status::Void | Status::Rejected | Status::Lost | Status::Reused, None) => Gate::NotSampled,
    };
    let since = match gate {
        Gate::RecallOpen | Gate::RecollectionOpen => need_since(record, view),
        _ => reached(record, view),
    };
    let sampled_at = view.sampled_at.unwrap_or_default();
    Standing { gate, since, sampled_at, single: view.is_single(), given }
}

/// The gate of a person, from all tubes of one round that hold the person.
///
/// A recall stands over everything; a recollection over everything but a result from a later swab.
/// Where the single tube that will close it is already on its way, that tube's gate is the answer.
/// Otherwise a given result ends the way, and without one the tube that has come furthest decides.
pub fn of_person(tubes: &[Standing]) -> (Gate, Option<Time>) {
    let later = |than: &Standing, one: &Standing| one.sampled_at > than.sampled_at;
    let mut waiting: Option<(Gate, Option<Time>)> = None;
    let mut followed: Option<(Gate, Option<Time>)> = None;
    for open in tubes {
        match open.gate {
            Gate::RecallOpen => {}
            Gate::RecollectionOpen if !tubes.iter().any(|t| t.given && later(open, t)) => {}
            _ => continue,
        }
        let follow_up = tubes
            .iter()
            .filter(|tube| tube.single && tube.gate.is_moving() && later(open, tube))
            .max_by_key(|tube| tube.gate);
        match follow_up {
            Some(tube) => followed = followed.max(Some((tube.gate, tube.since))),
            None => {
                let this = (open.gate, open.since);
                waiting = Some(waiting.map_or(this, |other| other.min(this)));
            }
        }
    }
    let result = tubes.iter().filter(|tube| tube.given).max_by_key(|tube| tube.sampled_at);
    let moving = tubes.iter().filter(|tube| tube.gate.is_moving()).max_by_key(|tube| tube.gate);
    waiting
        .or(followed)
        .or(result.map(|tube| (Gate::Done, tube.since)))
        .or(moving.map(|tube| (tube.gate, tube.since)))
        .unwrap_or((Gate::NotSampled, None))
}

/// When a tube reached the status it has, by the first fact that shows it.
pub fn reached(record: &TubeRecord, view: &TubeView) -> Option<Time> {
    let first = |wanted: fn(&What) -> bool| {
        record.marks.iter().find(|mark| wanted(&mark.what)).map(|mark| mark.origin.at)
    };
    match view.status {
        Status::Awaiting => evidence(record).min(),
        Status::Open => view.sampled_at,
        Status::Sealed => {
            first(|what| matches!(what, What::Sealed(_) | What::Collected { whole: true, .. }))
        }
        Status::Packed => record.boxes.iter().filter_map(|part| part.packed).min(),
        Status::InTransit => {
            record.boxes.iter().filter_map(|part| part.packed.and(part.handed)).min()
        }
        Status::Received => {
            let by_box = record.boxes.iter().filter_map(|part| part.received.as_ref());
            let by_box = by_box.map(|(at, _)| *at).min();
            let by_hand = first(|what| matches!(what, What::Received { .. }));
            by_box.into_iter().chain(by_hand).min()
        }
        Status::Plated => record.plates.iter().map(|part| part.loaded).min(),
        Status::Resulted => called_at(record, view.call),
        Status::Released => view.released_at,
        Status::Void => first(|what| matches!(what, What::Voided { .. })),
        Status::Rejected => first(|what| matches!(what, What::Rejected { .. })),
        Status::Lost => last(record, |what| matches!(what, What::Lost)),
        Status::Reused => last(record, |what| matches!(what, What::Collected { .. })),
    }
}

/// When a tube's members had to come back.
pub fn need_since(record: &TubeRecord, view: &TubeView) -> Option<Time> {
    match view.status {
        Status::Void | Status::Rejected | Status::Lost | Status::Reused => reached(record, view),
        _ => called_at(record, view.call),
    }
}

/// Every time at which something was seen or done to the tube, in no order.
pub fn evidence(record: &TubeRecord) -> impl Iterator<Item = Time> + '_ {
    let marks = record.marks.iter().map(|mark| mark.origin.at);
    let boxes = record.boxes.iter().flat_map(|part| {
        let received = part.received.as_ref().map(|(at, _)| *at);
        // A hand-over of a box is a hand-over of what was packed in it.
        [part.packed, part.packed.and(part.handed), received].into_iter().flatten()
    });
    let plates = record
        .plates
        .iter()
        .flat_map(|part| std::iter::once(part.loaded).chain(part.runs.iter().map(|run| run.at)));
    marks.chain(boxes).chain(plates)
}

fn last(record: &TubeRecord, wanted: fn(&What) -> bool) -> Option<Time> {
    record.marks.iter().rev().find(|mark| wanted(&mark.what)).map(|mark| mark.origin.at)
}

/// When the call that stands came about: the last decision of a person, else the first run that
/// says so.
fn called_at(record: &TubeRecord, call: Option<Call>) -> Option<Time> {
    let decided = last(record, |what| matches!(what, What::Reviewed { .. } | What::Amended(_)));
    decided.or_else(|| {
        let runs = record.plates.iter().flat_map(|plate| &plate.runs);
        runs.filter(|run| run.controls_held && run.call == call).map(|run| run.at).min()
    })
}
