//! Tubes unaccounted for: nobody can say where they are, or whose they are.

use crate::domain::fact;
use crate::domain::gate;
use crate::domain::judge::CLOCK_AHEAD_MAX_MS;
use crate::domain::tube::TubeRecord;
use crate::domain::words::{Code, Status, Time, coded};
use crate::store::{Error, Read};

coded! {
    /// Why a tube is unaccounted for, gravest first: a tube is listed under the first that holds.
    Why {
        MissingFromBox = 1, "packed, not found in the box, not seen since", "箱内缺失，未再出现";
        AwaitingRegistration = 2, "at the laboratory, collection not known", "已到实验室，无登记信息";
        Silent = 3, "nothing heard of it for too long", "超时无动态";
    }
}

/// What is wanted and how far one call may go.
#[derive(Clone, Debug)]
pub struct Limits {
    /// A moving tube is silent when its last sign of life is older than this.
    pub older_than_ms: i64,
    /// Of this round only. Tubes that have no round yet are always listed.
    pub round: Option<Code>,
    /// Of this district only. Tubes that have no district yet are always listed.
    pub district: Option<Code>,
    /// Most rows in a page.
    pub rows_max: usize,
    /// Most tubes looked at in a call; at the limit the page ends early and names where to go on.
    pub scan_max: usize,
}

/// A tube unaccounted for.
#[derive(Clone, Debug, PartialEq)]
pub struct Unaccounted {
    /// The tube.
    pub tube: Code,
    /// Why it is listed.
    pub why: Why,
    /// Where it stands.
    pub status: Status,
    /// Its round, or empty.
    pub round: Code,
    /// Where it was collected.
    pub place: fact::Place,
    /// The laboratory that had it last, or empty.
    pub lab: Code,
    /// The box it was packed in last, or empty.
    pub container: Code,
    /// How many people are in it.
    pub members: usize,
    /// The last sign of life that can be believed.
    pub last_seen: Option<Time>,
}

/// A place in the list, behind a tube. First come the tubes of which nothing is known but that they were collected, in the
/// order of their collections; then all others, in the order of their codes. A tube that goes from the first to the
/// second while somebody turns pages may be told twice, and is never left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Behind the tube that this event collected; 0 = at the beginning.
    Collected(u64),
    /// Behind this tube among those of which more is known; `None` = before the first of them.
    Recorded(Option<Code>),
}

/// A page of the list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// In the order of the list.
    pub rows: Vec<Unaccounted>,
    /// Ask again from here; `None` at the end.
    pub next: Option<Place>,
}

/// A stretch of all tubes, from some place on.
struct Stretch {
    /// Each with the place behind it.
    tubes: Vec<(Place, Code, TubeRecord)>,
    /// How much was looked at for it.
    looked_at: usize,
    /// Behind the stretch; `None` at the end of all tubes.
    next: Option<Place>,
}

/// Tubes read from the store at a time.
const READ_COUNT: usize = 512;

/// The tubes unaccounted for at `as_of`, from a place on.
pub fn unaccounted(read: &Read, limits: &Limits, from: Place, as_of: Time) -> Result<Page, Error> {
    page(|from, count| stretch(read, from, count), limits, from, as_of)
}

fn stretch(read: &Read, from: &Place, count: usize) -> Result<Stretch, Error> {
    match from {
        Place::Collected(seq) => {
            let found = read.collected_after(*seq, count)?;
            let place = |(seq, code, tube)| (Place::Collected(seq), code, tube);
            let next = found.next.map_or(Place::Recorded(None), Place::Collected);
            Ok(Stretch {
                tubes: found.tubes.into_iter().map(place).collect(),
                looked_at: found.looked_at,
                next: Some(next),
            })
        }
        Place::Recorded(after) => {
            let found = read.tubes_from(after.as_deref(), count)?;
            let (looked_at, ended) = (found.len(), found.len() < count);
            let place = |(code, tube): (Code, TubeRecord)| {
                (Place::Recorded(Some(code.clone())), code, tube)
            };
            let tubes: Vec<_> = found.into_iter().map(place).collect();
            let next = tubes.last().map(|(place, ..)| place.clone()).filter(|_| !ended);
            Ok(Stretch { tubes, looked_at, next })
        }
    }
}

/// The same, over whatever hands out tubes.
fn page<E>(
    stretch: impl Fn(&Place, usize) -> Result<Stretch, E>,
    limits: &Limits,
    from: Place,
    as_of: Time,
) -> Result<Page, E> {
    let mut rows = Vec::new();
    let mut at = from;
    // Something at least is looked at, or asking again would never get anywhere.
    let mut left = limits.scan_max.max(1);
    while left > 0 {
        let Stretch { tubes, looked_at, next } = stretch(&at, left.min(READ_COUNT))?;
        left -= looked_at.min(left);
        let last = tubes.len().saturating_sub(1);
        for (nth, (place, code, record)) in tubes.into_iter().enumerate() {
            rows.extend(judge(&code, &record, limits, as_of));
            if rows.len() >= limits.rows_max {
                let next = if nth == last { next } else { Some(place) };
                return Ok(Page { rows, next });
            }
        }
        match next {
            Some(next) => at = next,
            None => return Ok(Page { rows, next: None }),
        }
    }
    Ok(Page { rows, next: Some(at) })
}

/// The row of a tube, if it belongs on the list.
fn judge(code: &Code, record: &TubeRecord, limits: &Limits, as_of: Time) -> Option<Unaccounted> {
    let view = record.view();
    let wants = |wanted: &Option<Code>, code: &Code| {
        code.is_empty() || wanted.as_ref().is_none_or(|wanted| wanted == code)
    };
    // Released, void, rejected, lost, used twice: each of them is an account.
    if !view.status.is_moving()
        || !wants(&limits.round, &view.round)
        || !wants(&limits.district, &view.place.district)
    {
        return None;
    }
    // A clock that is far ahead says nothing about when; it must not keep a tube off the list.
    let believed = as_of.plus_ms(CLOCK_AHEAD_MAX_MS);
    let last_seen = gate::evidence(record).filter(|at| *at <= believed).max();
    let missing = record.boxes.iter().any(|part| part.missing);
    let why = match view.status {
        Status::Open | Status::Sealed | Status::Packed | Status::InTransit if missing => {
            Why::MissingFromBox
        }
        Status::Awaiting => Why::AwaitingRegistration,
        _ if last_seen.is_none_or(|at| as_of.ms_since(at) > limits.older_than_ms) => Why::Silent,
        _ => return None,
    };
    let packed = record.boxes.iter().filter(|part| part.packed.is_some());
    let container = packed.max_by_key(|part| part.packed).map(|part| part.container.clone());
    Some(Unaccounted {
        tube: code.clone(),
        why,
        status: view.status,
        members: view.members.len(),
        round: view.round,
        place: view.place,
        lab: view.lab,
        container: container.unwrap_or_default(),
        last_seen,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::query::story::{Story, minutes};
    use std::convert::Infallible;

    fn limits(rows_max: usize, scan_max: usize) -> Limits {
        Limits { older_than_ms: 240 * 60_000, round: None, district: None, rows_max, scan_max }
    }

    fn one_page(story: &Story, limits: &Limits, from: Place, as_of: i64) -> Page {
        let stretch = |from: &Place, count: usize| -> Result<Stretch, Infallible> {
            let all = story.tubes().map(|(code, record)| (code.clone(), record.clone()));
            let (mut collected, recorded): (Vec<_>, Vec<_>) =
                all.partition(|(_, record)| record.is_only_collected());
            collected.sort_by_key(|(_, record)| record.marks[0].origin.seq);
            let place = |(code, record): (Code, TubeRecord)| match record.is_only_collected() {
                true => (Place::Collected(record.marks[0].origin.seq), code, record),
                false => (Place::Recorded(Some(code.clone())), code, record),
            };
            let later = |(place, ..): &(Place, Code, TubeRecord)| match (from, place) {
                (Place::Collected(from), Place::Collected(seq)) => seq > from,
                (Place::Recorded(from), Place::Recorded(code)) => code > from,
                _ => false,
            };
            let all = collected.into_iter().chain(recorded).map(place);
            let tubes: Vec<_> = all.filter(later).take(count).collect();
            let (looked_at, ended) = (tubes.len(), tubes.len() < count);
            let next = match (from, ended) {
                (Place::Collected(_), true) => Some(Place::Recorded(None)),
                (Place::Recorded(_), true) => None,
                (_, false) => tubes.last().map(|(place, ..)| place.clone()),
            };
            Ok(Stretch { tubes, looked_at, next })
        };
        let Ok(page) = page(stretch, limits, from, minutes(as_of));
        page
    }

    #[test]
    fn tube_is_listed_while_nobody_can_account_for_it() {
        let cases: &[(&str, Option<Why>)] = &[
            ("10 collect T1 10 a", Some(Why::Silent)),
            ("760 collect T1 10 a", None),
            ("759 collect T1 10 a", Some(Why::Silent)),
            ("10 collect T1 10 a\n20 pack B T1\n900 hand B L", None),
            ("10 collect T1 10 a\n20 pack B T1\n990 hand B L\n995 take B L", None),
            ("10 collect T1 10 a\n20 pack B T1\n990 take B L T9", Some(Why::MissingFromBox)),
            ("10 collect T1 10 a\n20 pack B T1\n990 take B L T9\n991 receive T1 L", None),
            ("10 collect T1 10 a\n20 pack B T1\n990 take B L T9\n991 lose T1", None),
            ("995 receive T1 L", Some(Why::AwaitingRegistration)),
            ("10 collect T1 10 a\n50 plate P L T1\n60 run P R -", Some(Why::Silent)),
            ("10 collect T1 10 a\n50 plate P L T1\n60 run P R -\n70 release T1", None),
            ("10 collect T1 10 a\n20 void T1 contaminated", None),
            ("10 collect T1 10 a\n20 reject T1 L", None),
            // A clock days ahead is no sign of life; one a little ahead is.
            ("10 collect T1 10 a\n9999 seal T1 1", Some(Why::Silent)),
            ("1005 collect T1 10 a", None),
        ];
        for (lines, why) in cases {
            let page = one_page(&Story::told(lines), &limits(10, 10), Place::Collected(0), 1_000);
            let found = page.rows.iter().find(|row| row.tube == "T1").map(|row| row.why);
            assert_eq!(found, *why, "{lines}");
        }
    }

    #[test]
    fn filter_keeps_tubes_that_belong_nowhere_yet() {
        let story =
            Story::told("1 collect T1 10 a D1/S/K\n2 collect T2 10 b D2/S/K\n3 receive T3 L");
        let wanted =
            Limits { district: Some("D2".into()), round: Some("A".into()), ..limits(9, 9) };
        let rows = one_page(&story, &wanted, Place::Collected(0), 1_000).rows;
        let tubes: Vec<_> = rows.iter().map(|row| row.tube.as_str()).collect();
        assert_eq!(tubes, ["T2", "T3"]);
    }

    #[test]
    fn pages_join_whatever_the_limits() {
        let story = Story::told(
            "1 collect T1 10 a\n2 collect T2 10 b\n3 void T2 misread\n4 collect T3 10 c\n\
             5 collect T4 10 d\n6 void T4 misread\n7 collect T0 10 e\n8 seal T0 1",
        );
        for (rows_max, scan_max) in [(1, 1), (1, 9), (2, 1), (2, 3), (9, 2), (9, 9), (0, 0)] {
            let (mut from, mut all) = (Some(Place::Collected(0)), Vec::new());
            while let Some(place) = from {
                let page = one_page(&story, &limits(rows_max, scan_max), place, 1_000);
                all.extend(page.rows.into_iter().map(|row| row.tube));
                from = page.next;
            }
            assert_eq!(all.join(" "), "T1 T3 T0", "{rows_max} rows, {scan_max} tubes");
        }
    }

    #[test]
    fn row_says_where_to_look() {
        let story = Story::told("10 collect T1 10 a,b D1/S1/K1\n20 pack B1 T1\n30 pack B2 T1");
        let page = one_page(&story, &limits(10, 10), Place::Collected(0), 1_000);
        let row = &page.rows[0];
        assert_eq!((row.container.as_str(), row.members), ("B2", 2));
        assert_eq!((row.place.site.as_str(), row.last_seen), ("S1", Some(minutes(30))));
    }
}
