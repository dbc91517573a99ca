//! The people of a tube stand in the log, in the event that collected them, and not a second time in
//! the tube's record: there they are counted only. Sixteen bytes for each of hundreds of millions.
//! Whoever reads a record from a file has them filled in from the log.

use super::codec::{Input, Malformed, Wire};
use super::error::Error;
use super::keys::{self, Kind};
use super::read::Shared;
use super::records::decode_event;
use crate::domain::PersonKey;
use crate::domain::tube::{TubeRecord, What};

/// Most people of one collection that a record can count. The edges take far fewer.
const COUNT_MAX: u64 = 1 << 16;

/// How the members of a collection are written: their number.
pub struct Swabs;

impl Swabs {
    pub fn put(members: &[PersonKey], out: &mut Vec<u8>) {
        (members.len() as u64).put(out);
    }

    /// Reads stand-ins: as many different keys as there are people.
    pub fn get(input: &mut Input<'_>) -> Result<Vec<PersonKey>, Malformed> {
        let count = u64::get(input)?;
        if count > COUNT_MAX {
            return Err(Malformed);
        }
        Ok((0..count).map(|nth| PersonKey(u128::from(nth).to_be_bytes())).collect())
    }
}

/// True when everything but who they are, and discrepancies, follows from stand-ins: one collection,
/// nobody taken out or put right, and no doubt whether it is one person.
pub fn stand_ins_will_do(tube: &TubeRecord) -> bool {
    let spoken_of = tube.marks.iter().filter(|mark| {
        let what = &mark.what;
        matches!(what, What::Collected { .. } | What::Withdrawn(_) | What::Corrected(..))
    });
    spoken_of.count() <= 1 && !tube.marks.iter().any(|mark| mark.what.may_be_one_person())
}

/// The people of an event, who must be as many as the record says.
fn people_of(seq: u64, bytes: Option<&[u8]>, count: usize) -> Result<Vec<PersonKey>, Error> {
    let missing = || Error::Damaged { what: format!("event {seq}") };
    let event = decode_event(seq, bytes.ok_or_else(missing)?)?;
    let people: Vec<PersonKey> = event.fact.body.people().collect();
    if people.len() == count { Ok(people) } else { Err(missing()) }
}

impl Shared {
    /// Puts the people of tubes in the place of their stand-ins.
    pub(super) fn fill<'a>(
        &self,
        tubes: impl Iterator<Item = &'a mut TubeRecord>,
    ) -> Result<(), Error> {
        let marks = tubes.flat_map(|tube| tube.marks.iter_mut());
        let mut wanted: Vec<(u64, &mut Vec<PersonKey>)> = marks
            .filter_map(|mark| match &mut mark.what {
                What::Collected { members, .. } if !members.is_empty() => {
                    Some((mark.origin.seq, members))
                }
                _ => None,
            })
            .collect();
        // Mostly one; asking for many at once has its price.
        if let [(seq, members)] = wanted.as_mut_slice() {
            let bytes = self.state.get_pinned_cf(self.log(), keys::seq_key(Kind::Event, *seq))?;
            **members = people_of(*seq, bytes.as_deref(), members.len())?;
            return Ok(());
        }
        let keys: Vec<_> = wanted.iter().map(|(seq, _)| keys::seq_key(Kind::Event, *seq)).collect();
        let found = self.state.batched_multi_get_cf(self.log(), &keys, false);
        for ((seq, members), bytes) in wanted.iter_mut().zip(found) {
            **members = people_of(*seq, bytes?.as_deref(), members.len())?;
        }
        Ok(())
    }

    /// The same, but only where it makes a difference to anything but who they are.
    pub(super) fn fill_where_it_matters(&self, tube: &mut TubeRecord) -> Result<(), Error> {
        if stand_ins_will_do(tube) { Ok(()) } else { self.fill(std::iter::once(tube)) }
    }
}
