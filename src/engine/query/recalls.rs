//! The list of recalls (复采) and recollections (重采): who has to come back, why, and who has.

use crate::domain::person::PersonRecord;
use crate::domain::words::{Call, Code, NeedReason, PersonKey, Time};
use crate::store::{Error, Read};

/// Which of the two kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// After an unclean pool.
    Recall,
    /// After a tube that can give no clean result.
    Recollection,
}

/// What is wanted; an absent part wants everything.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Without those that a single tube has closed.
    pub open_only: bool,
    /// Of this kind.
    pub kind: Option<Kind>,
    /// Of this round.
    pub round: Option<Code>,
    /// Of this district: that of the tube that opened it.
    pub district: Option<Code>,
}

/// One recall or recollection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recall {
    /// Who.
    pub person: PersonKey,
    /// The tube that opened it.
    pub tube: Code,
    /// Why.
    pub reason: NeedReason,
    /// Round of that tube.
    pub round: Code,
    /// District.
    pub district: Code,
    /// Site.
    pub site: Code,
    /// Desk.
    pub desk: Code,
    /// Laboratory.
    pub lab: Code,
    /// When that tube was sampled.
    pub sampled_at: Time,
    /// From there to `as_of`. The people's records do not keep when the need was opened; a
    /// person's own answer does.
    pub age_ms: i64,
    /// The single tube that closed it, with its call.
    pub closed_by: Option<(Code, Call)>,
}

/// A page of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// In the order of people, then tubes.
    pub rows: Vec<Recall>,
    /// Ask again after this person; `None` at the end. There may be a next page even when this one
    /// is not full or empty: a call looks at `scan_max` people at most.
    pub next: Option<PersonKey>,
}

/// People read from the store at a time.
const READ_COUNT: usize = 512;

/// The recalls and recollections of people after `after`. A person's rows are never split between
/// pages, so a page may be longer than `limit` by what one person has.
pub fn recalls(
    read: &Read,
    filter: &Filter,
    after: Option<PersonKey>,
    limit: usize,
    scan_max: usize,
    as_of: Time,
) -> Result<Page, Error> {
    page(|after, count| read.people_from(after, count), filter, after, limit, scan_max, as_of)
}

/// The same, over whatever hands out people in key order.
fn page<E>(
    people: impl Fn(Option<PersonKey>, usize) -> Result<Vec<(PersonKey, PersonRecord)>, E>,
    filter: &Filter,
    mut after: Option<PersonKey>,
    limit: usize,
    scan_max: usize,
    as_of: Time,
) -> Result<Page, E> {
    let mut rows = Vec::new();
    // One person at least, or asking again would never get anywhere.
    let mut left = scan_max.max(1);
    while left > 0 {
        let count = left.min(READ_COUNT);
        let found = people(after, count)?;
        let ended = found.len() < count;
        left -= found.len().min(left);
        for (person, record) in &found {
            rows.extend(of_person(*person, record, filter, as_of));
            after = Some(*person);
            if rows.len() >= limit {
                let was_last = ended && found.last().is_some_and(|(last, _)| last == person);
                return Ok(Page { rows, next: after.filter(|_| !was_last) });
            }
        }
        if ended {
            return Ok(Page { rows, next: None });
        }
    }
    Ok(Page { rows, next: after })
}

fn of_person<'a>(
    person: PersonKey,
    record: &'a PersonRecord,
    filter: &'a Filter,
    as_of: Time,
) -> impl Iterator<Item = Recall> + 'a {
    let wants = |wanted: &Option<Code>, code: &Code| wanted.as_ref().is_none_or(|w| w == code);
    record
        .needs()
        .filter(move |need| {
            let kind = if need.reason.is_recall() { Kind::Recall } else { Kind::Recollection };
            (!filter.open_only || need.closed_by.is_none())
                && filter.kind.is_none_or(|wanted| wanted == kind)
                && wants(&filter.round, &need.cell.round)
                && wants(&filter.district, &need.cell.district)
        })
        .map(move |need| Recall {
            person,
            tube: need.tube.clone(),
            reason: need.reason,
            round: need.cell.round.clone(),
            district: need.cell.district.clone(),
            site: need.cell.site.clone(),
            desk: need.cell.desk.clone(),
            lab: need.cell.lab.clone(),
            sampled_at: need.sampled_at,
            age_ms: as_of.ms_since(need.sampled_at),
            closed_by: need.closed_by.map(|(tube, call)| (tube.clone(), call)),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::person::follow_up;
    use crate::engine::query::story::{Story, minutes};
    use std::collections::BTreeMap;
    use std::convert::Infallible;

    const STORY: &str = "5 collect T1 10 a,b D1/S1/K1\n6 collect T2 10 c D2/S2/K2\n\
                         7 plate P1 L T1\n8 run P1 R1 +\n9 lose T2\n10 collect S1 1 a D1/S1/K1\n\
                         11 plate P2 L S1\n12 run P2 R2 -\n13 collect T3 10 d D1/S1/K1";

    fn people() -> BTreeMap<PersonKey, PersonRecord> {
        let mut people: BTreeMap<PersonKey, PersonRecord> = BTreeMap::new();
        for (code, record) in Story::told(STORY).tubes() {
            let view = record.view();
            for member in &view.members {
                people.entry(*member).or_default().set(code, follow_up(&view));
            }
        }
        people
    }

    fn one_page(filter: &Filter, after: Option<PersonKey>, limit: usize, scan: usize) -> Page {
        let people = people();
        let from = |after: Option<PersonKey>, count: usize| -> Result<_, Infallible> {
            let later = people.iter().filter(|(key, _)| Some(**key) > after);
            Ok(later.take(count).map(|(key, record)| (*key, record.clone())).collect())
        };
        let Ok(page) = page(from, filter, after, limit, scan, minutes(65));
        page
    }

    fn names(page: &Page) -> String {
        let name = |row: &Recall| format!("{}:{}", char::from(row.person.0[0]), row.tube);
        page.rows.iter().map(name).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn filter_leaves_what_is_wanted() {
        let all = Filter::default;
        let cases = [
            (all(), "a:T1 b:T1 c:T2"),
            (Filter { open_only: true, ..all() }, "b:T1 c:T2"),
            (Filter { kind: Some(Kind::Recall), ..all() }, "a:T1 b:T1"),
            (Filter { kind: Some(Kind::Recollection), ..all() }, "c:T2"),
            (Filter { district: Some("D2".into()), ..all() }, "c:T2"),
            (Filter { district: Some("D9".into()), ..all() }, ""),
            (Filter { round: Some("A".into()), ..all() }, "a:T1 b:T1 c:T2"),
            (Filter { round: Some("B".into()), ..all() }, ""),
        ];
        for (filter, expected) in cases {
            assert_eq!(names(&one_page(&filter, None, 10, 100)), expected, "{filter:?}");
        }
    }

    #[test]
    fn row_says_who_closed_it_and_how_old_it_is() {
        let rows = one_page(&Filter::default(), None, 10, 100).rows;
        assert_eq!(rows[0].closed_by, Some(("S1".into(), Call::Negative)));
        assert_eq!((rows[1].closed_by.as_ref(), rows[1].age_ms), (None, 60 * 60_000));
        assert_eq!((rows[2].district.as_str(), rows[2].site.as_str()), ("D2", "S2"));
    }

    #[test]
    fn pages_join_whatever_the_limits() {
        for (limit, scan) in [(1, 1), (1, 9), (2, 1), (2, 3), (9, 2), (9, 9), (0, 0)] {
            let (mut after, mut all) = (None, Vec::new());
            loop {
                let page = one_page(&Filter::default(), after, limit, scan);
                all.extend(page.rows.iter().map(|row| row.tube.clone()));
                match page.next {
                    Some(next) => after = Some(next),
                    None => break,
                }
            }
            assert_eq!(all.join(" "), "T1 T1 T2", "limit {limit}, scan {scan}");
        }
    }
}
