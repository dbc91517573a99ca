//! The units of a stage, the one that is free first at the head.
//!
//! Runs of a stage take nearly the same time, so units become free nearly in the order in which they were taken: a sorted
//! row, to which one is put back near its end, is quicker than a heap. Units that rest or are being repaired come back hours
//! later, and in the order in which they left, so they have a row of their own. Which unit is first does not depend on
//! where it is kept.

use crate::planner::model::Ms;

/// Units by the time from which on each is free; of those that are free at the same time, the lower number first.
#[derive(Debug, Default)]
pub(super) struct Units {
    working: Row,
    away: Row,
}

/// A unit and the time from which on it is free, as one number: the earlier is the smaller.
fn packed(free: Ms, unit: u32) -> u64 {
    u64::from(free) << 32 | u64::from(unit)
}

impl Units {
    /// None.
    pub fn clear(&mut self) {
        self.working.clear();
        self.away.clear();
    }

    /// Adds a unit, or puts back the one that was taken. `away`: it is not at work until then.
    #[inline]
    pub fn put(&mut self, free: Ms, unit: u32, away: bool) {
        let row = if away { &mut self.away } else { &mut self.working };
        row.put(packed(free, unit));
    }

    /// The unit that is free first, and from when on.
    #[inline]
    pub fn first(&self) -> Option<(Ms, u32)> {
        let first = self.working.first().min(self.away.first());
        (first != NONE).then_some(((first >> 32) as Ms, first as u32))
    }

    /// Takes it away.
    #[inline]
    pub fn take_first(&mut self) {
        let row = if self.working.first() < self.away.first() {
            &mut self.working
        } else {
            &mut self.away
        };
        row.head += 1;
    }
}

/// No unit.
const NONE: u64 = u64::MAX;

/// Numbers in rising order from `head` on.
#[derive(Debug, Default)]
struct Row {
    all: Vec<u64>,
    head: usize,
}

/// Places before the head of a row that are kept until they are given back.
const SPENT_MAX: usize = 256;

impl Row {
    fn clear(&mut self) {
        self.all.clear();
        self.head = 0;
    }

    #[inline]
    fn first(&self) -> u64 {
        self.all.get(self.head).copied().unwrap_or(NONE)
    }

    #[inline]
    fn put(&mut self, number: u64) {
        if self.all.last().is_some_and(|last| *last > number) {
            self.put_between(number);
        } else {
            self.all.push(number);
        }
        if self.head >= SPENT_MAX && 2 * self.head >= self.all.len() {
            self.all.drain(..self.head);
            self.head = 0;
        }
    }

    /// The same where it is not the last.
    fn put_between(&mut self, number: u64) {
        self.all.push(number);
        let row = &mut self.all[self.head..];
        let mut at = row.len() - 1;
        while at > 0 && row[at - 1] > number {
            row[at] = row[at - 1];
            at -= 1;
        }
        row[at] = number;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::simulate::random::{Cause, Stream};
    use std::collections::BTreeSet;

    #[test]
    fn the_first_is_the_first_whichever_row_it_is_in() {
        let dice = Stream::of(1, 0, Cause::Run, 0);
        let (mut units, mut model) = (Units::default(), BTreeSet::new());
        for unit in 0..40 {
            units.put(0, unit, false);
            model.insert((0, unit));
        }
        for k in 0..20_000 {
            let (free, unit) = model.pop_first().expect("a unit");
            assert_eq!(units.first(), Some((free, unit)));
            units.take_first();
            let away = dice.unit(2 * k) < 0.1;
            let time = if away { 50_000 } else { 10_000 };
            let at = free + (f64::from(time) * (0.5 + dice.unit(2 * k + 1))) as Ms;
            units.put(at, unit, away);
            model.insert((at, unit));
        }
        units.clear();
        assert_eq!(units.first(), None);
    }
}
