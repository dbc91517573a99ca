//! More or fewer units of a stage, which work like those that are there.

use super::model::{DAY, Ms, Stage};

impl Stage {
    /// One more unit that works like the others.
    pub fn add_unit(&mut self) {
        self.set_units(self.units.saturating_add(1));
    }

    /// So many units. Rests that are spread over the day are spread anew, so that the share of units at work stays nearly
    /// the same at all times; else a new unit works like the last one, and the last ones go first.
    pub fn set_units(&mut self, units: u32) {
        if units == self.units {
            return;
        }
        let before = std::mem::replace(&mut self.units, units);
        self.rests.truncate(before as usize);
        if let Some(first) = self.spread(before) {
            // Over the part of the day that they were spread over.
            let part = DAY / (first.len().max(1) as Ms);
            let shift =
                |unit: u32| (u64::from(unit) * u64::from(part) / u64::from(units.max(1))) as Ms;
            let moved = |unit: u32| {
                first.iter().map(|&(at, length)| ((at + shift(unit)) % DAY, length)).collect()
            };
            self.rests = (0..units).map(moved).collect::<Vec<_>>().into();
        } else if let Some(last) = self.rests.get((before as usize).wrapping_sub(1)).cloned() {
            self.rests.resize(units as usize, last);
        } else {
            // The last unit never rests.
            self.rests.truncate(units as usize);
        }
    }

    /// The rests of the first unit, when those of the `units` units are the same at other times of the day.
    fn spread(&self, units: u32) -> Option<Vec<(Ms, Ms)>> {
        let first = self.rests.first()?;
        let lengths = |windows: &[(Ms, Ms)]| -> Vec<Ms> { windows.iter().map(|w| w.1).collect() };
        let own = lengths(first);
        let spread = self.rests.len() == units as usize
            && self.rests.iter().all(|windows| lengths(windows) == own)
            && (units == 1 || self.rests.iter().any(|windows| windows != first));
        spread.then(|| first.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::model::{HOUR, MINUTE, Rests, Takes, staggered};
    use super::*;

    fn stage(units: u32, rests: impl Into<Rests>) -> Stage {
        Stage {
            units,
            batch: 94,
            run: 90 * MINUTE,
            run_spread: 0.0,
            takes: Takes::Fill,
            hold: 0,
            rests: rests.into(),
            failures_per_day: 0.0,
            repair: 0,
        }
    }

    #[test]
    fn rests_that_are_spread_are_spread_anew_at_once() {
        let of = |units| stage(units, staggered(units, 6 * HOUR, 0));
        for (from, to) in [(4, 7), (7, 4), (1, 3), (3, 1), (2, 20_000)] {
            let mut changed = of(from);
            changed.set_units(to);
            assert_eq!(changed, of(to), "{from} to {to}");
            let mut one_by_one = of(from);
            (from..to.min(50)).for_each(|_| one_by_one.add_unit());
            assert_eq!(one_by_one, of(to.min(50).max(from)));
        }
        let mut none = of(3);
        none.set_units(0);
        assert_eq!((none.units, none.rests.len()), (0, 0));
    }

    #[test]
    fn other_rests_stay_and_new_units_work_like_the_last() {
        let rests = vec![vec![], vec![], vec![(0, 8 * HOUR)]];
        let mut changed = stage(3, rests.clone());
        changed.set_units(5);
        assert_eq!((changed.units, changed.rests.len()), (5, 5));
        assert_eq!(changed.rests[4], rests[2]);
        changed.set_units(2);
        assert_eq!(changed.rests[..], rests[..2]);
        let mut tireless = stage(3, Rests::default());
        tireless.set_units(1_000_000);
        assert!(tireless.rests.is_empty());
    }
}
