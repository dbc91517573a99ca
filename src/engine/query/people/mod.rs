//! Figures of distinct people: a pass over all tubes, then a sorted merge over the person index.
//!
//! What spans people is never counted at commit, so it is counted here, all at once, at one
//! sequence that the answer names. No table of people is kept in memory: 25 million people cost
//! what their tubes cost.

mod index;
mod merge;
#[cfg(test)]
mod tests;

use crate::domain::words::{Code, PersonKey};
use crate::store::{Error, View};
use index::{Index, Rosters};
use merge::{Merge, Person};
use std::collections::BTreeMap;

/// The people of a round.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeopleFigures {
    /// Every fact up to this sequence is in the figures, and no later fact about a tube or a
    /// roster. A plate's run that was committed while the look was taken may already count.
    pub people_complete_to: u64,
    /// The sum of `districts`.
    pub total: Row,
    /// By district; an empty code stands for "unknown".
    pub districts: BTreeMap<Code, Row>,
}

/// The people of a district. A person on a roster is counted in the roster's district (of several
/// rosters: the one imported last), everybody else in the district of the latest tube.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// On a roster = `resulted` + `sampled_unresulted` + `missing`.
    pub roster: u64,
    /// On a roster, and a tube has given a result.
    pub resulted: u64,
    /// On a roster and in a tube that is not void, without a result.
    pub sampled_unresulted: u64,
    /// On a roster and in no tube, or only in void ones.
    pub missing: u64,
    /// Bound to a tube and on no roster = the next three.
    pub outside_roster: u64,
    /// On no roster, with a result.
    pub outside_resulted: u64,
    /// On no roster, sampled, without a result.
    pub outside_unresulted: u64,
    /// On no roster, and only in void tubes.
    pub outside_unsampled: u64,
    /// Sampled twice, by the rule of [`sampled_twice`]; on a roster or not.
    pub in_two_tubes: u64,
}

/// Which missing people are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// Those of this district only.
    pub district: Option<&'a Code>,
    /// Those that this roster names only.
    pub roster: Option<&'a Code>,
}

/// A page of a list of people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<R> {
    /// The list is complete up to this sequence, as in [`PeopleFigures::people_complete_to`].
    pub people_complete_to: u64,
    /// In key order.
    pub rows: Vec<R>,
    /// Ask again after this person; `None` at the end.
    pub next: Option<PersonKey>,
}

/// Somebody on a roster and in no live tube.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The person.
    pub person: PersonKey,
    /// The roster that was imported last.
    pub roster: Code,
    /// Its district.
    pub district: Code,
}

/// Somebody sampled twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Twice {
    /// The person.
    pub person: PersonKey,
    /// The tubes, earliest first; of many the last [`TUBES_TOLD_MAX`].
    pub tubes: Vec<Code>,
    /// How many there are.
    pub tubes_total: usize,
}

/// Tubes that are told of one person. A number that stands for everybody without papers would fill the page.
pub const TUBES_TOLD_MAX: usize = 100;

impl Row {
    /// Adds another row.
    pub fn add(&mut self, other: &Row) {
        self.roster += other.roster;
        self.resulted += other.resulted;
        self.sampled_unresulted += other.sampled_unresulted;
        self.missing += other.missing;
        self.outside_roster += other.outside_roster;
        self.outside_resulted += other.outside_resulted;
        self.outside_unresulted += other.outside_unresulted;
        self.outside_unsampled += other.outside_unsampled;
        self.in_two_tubes += other.in_two_tubes;
    }

    /// True when the parts are the totals.
    pub fn adds_up(&self) -> bool {
        self.roster == self.resulted + self.sampled_unresulted + self.missing
            && self.outside_roster
                == self.outside_resulted + self.outside_unresulted + self.outside_unsampled
    }
}

/// The figures of a round's people.
pub fn figures(view: &View<'_>, round: &Code) -> Result<PeopleFigures, Error> {
    let index = index(view, round, false)?;
    let mut count = Count::default();
    each_person(view, &index, &mut |person| count.take(&index, person))?;
    Ok(count.figures(&index, view.seq()))
}

/// The missing of a round: on a roster, and in no tube that is not void. At most `limit` of them,
/// after the person `after`.
///
/// Every page is a pass over the whole round; whoever wants them all takes [`for_each_missing`].
pub fn missing(
    view: &View<'_>,
    round: &Code,
    wanted: Wanted<'_>,
    after: Option<PersonKey>,
    limit: usize,
) -> Result<Page<Missing>, Error> {
    let mut page = Paging::new(after, limit);
    for_each_missing(view, round, wanted, &mut |row| page.take(row.person, || row))?;
    Ok(page.done(view.seq()))
}

/// Every missing person of a round, in key order.
pub fn for_each_missing(
    view: &View<'_>,
    round: &Code,
    wanted: Wanted<'_>,
    f: &mut dyn FnMut(Missing),
) -> Result<(), Error> {
    let index = index(view, round, false)?;
    each_person(view, &index, &mut |person| {
        if let Some(row) = missing_row(&index, person, wanted) {
            f(row);
        }
    })
}

/// The people of a round who were sampled twice. At most `limit` of them, after `after`.
///
/// Sampled twice is who is in two or more live tubes of the round that opened no need, follow-ups
/// aside. A follow-up is a single tube sampled after a tube of the same person that opened a need:
/// it is what the person was called back for. While a pool is still in the laboratory it has opened
/// no need, so somebody may be listed and leave the list when the pool turns out unclean.
pub fn sampled_twice(
    view: &View<'_>,
    round: &Code,
    after: Option<PersonKey>,
    limit: usize,
) -> Result<Page<Twice>, Error> {
    let index = index(view, round, true)?;
    let mut page = Paging::new(after, limit);
    each_person(view, &index, &mut |person| {
        let tubes = index.independent(person.tubes);
        if tubes.len() > 1 {
            page.take(person.key, || {
                let last = tubes.len().saturating_sub(TUBES_TOLD_MAX);
                let told = index.codes(&tubes[last..]);
                Twice { person: person.key, tubes: told, tubes_total: tubes.len() }
            });
        }
    })?;
    Ok(page.done(view.seq()))
}

fn index(view: &View<'_>, round: &Code, with_codes: bool) -> Result<Index, Error> {
    let mut index = Index::new(round.clone(), with_codes);
    view.for_each_tube(&mut |code, mut record| {
        // The records may be a moment ahead of the person index; the index decides.
        record.marks.retain(|mark| mark.origin.seq <= view.seq());
        index.add_tube(&code, &record);
    })?;
    let mut rosters = Rosters::default();
    for seq in view.roster_events()? {
        if let Some(event) = view.event(seq)? {
            rosters.add(&event, round);
        }
    }
    index.set_rosters(rosters);
    Ok(index)
}

fn each_person(
    view: &View<'_>,
    index: &Index,
    f: &mut dyn FnMut(&Person<'_>),
) -> Result<(), Error> {
    let mut merge = Merge::new(index);
    view.for_each_person_entry(&mut |person, seq| merge.entry(person, seq, f))?;
    merge.finish(f);
    Ok(())
}

fn missing_row(index: &Index, person: &Person<'_>, wanted: Wanted<'_>) -> Option<Missing> {
    let last = person.last_roster().filter(|_| person.tubes.is_empty())?;
    let (roster, district) = index.roster(last);
    let fits = wanted.district.is_none_or(|code| code == district)
        && wanted
            .roster
            .is_none_or(|code| person.rosters.iter().any(|rank| index.roster(*rank).0 == code));
    fits.then(|| Missing { person: person.key, roster: roster.clone(), district: district.clone() })
}

/// The figures while they are being counted, by district number.
#[derive(Default)]
struct Count(Vec<Row>);

impl Count {
    fn take(&mut self, index: &Index, person: &Person<'_>) {
        let Some(district) = index.district_of(person) else { return };
        if self.0.len() <= district {
            self.0.resize(district + 1, Row::default());
        }
        let row = &mut self.0[district];
        let sampled = !person.tubes.is_empty();
        let resulted = index.is_resulted(person.tubes);
        if person.rosters.is_empty() {
            row.outside_roster += 1;
            match (sampled, resulted) {
                (false, _) => row.outside_unsampled += 1,
                (true, false) => row.outside_unresulted += 1,
                (true, true) => row.outside_resulted += 1,
            }
        } else {
            row.roster += 1;
            match (sampled, resulted) {
                (false, _) => row.missing += 1,
                (true, false) => row.sampled_unresulted += 1,
                (true, true) => row.resulted += 1,
            }
        }
        // Most people are in one tube; only the others are worth a closer look.
        if person.tubes.len() > 1 && index.independent(person.tubes).len() > 1 {
            row.in_two_tubes += 1;
        }
    }

    fn figures(self, index: &Index, people_complete_to: u64) -> PeopleFigures {
        let mut found = PeopleFigures { people_complete_to, ..PeopleFigures::default() };
        for (number, row) in self.0.into_iter().enumerate() {
            if row != Row::default() {
                found.total.add(&row);
                found.districts.insert(index.district(number).clone(), row);
            }
        }
        found
    }
}

/// Gathers one page and notices whether there is more.
struct Paging<R> {
    after: Option<PersonKey>,
    limit: usize,
    rows: Vec<R>,
    last: Option<PersonKey>,
    more: bool,
}

impl<R> Paging<R> {
    fn new(after: Option<PersonKey>, limit: usize) -> Self {
        // A page of nothing would never come to an end.
        Paging { after, limit: limit.max(1), rows: Vec::new(), last: None, more: false }
    }

    fn take(&mut self, person: PersonKey, row: impl FnOnce() -> R) {
        if self.after.is_some_and(|after| person <= after) {
            return;
        }
        if self.rows.len() < self.limit {
            self.rows.push(row());
            self.last = Some(person);
        } else {
            self.more = true;
        }
    }

    fn done(self, people_complete_to: u64) -> Page<R> {
        Page { people_complete_to, rows: self.rows, next: self.last.filter(|_| self.more) }
    }
}
