//! When the units of a stage rest, and more or fewer units that work as so many would.
//!
//! One rule makes units into calendars, and [`Rests`] keeps it: a stage of a city file and the same stage after its number of units
//! was changed are the same, whichever of the two was written down.

use std::sync::Arc;

use super::city::manned;
use super::model::{DAY, Ms, Stage};

/// A part of every day with people for some of the units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartOfDay {
    /// Its start, ms since midnight.
    pub from: Ms,
    /// Its length, ms.
    pub length: Ms,
    /// Units at work, in percent of all, rounded up: the first ones are.
    pub percent: u64,
}

/// When each unit rests, every day: by unit, windows of (start, length), ms since midnight; with the rule that they were made by.
/// A copy shares them until one is changed: models of large cities are copied hundreds of times to try something at one lab, and
/// rests are most of a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rests {
    by_unit: Arc<Vec<Vec<(Ms, Ms)>>>,
    rule: Rule,
}

/// What makes a number of units into rests.
#[derive(Clone, Debug, Default, PartialEq)]
enum Rule {
    /// They were given unit by unit: one more works like the last.
    #[default]
    Given,
    /// [`staggered`]: the length of the one rest of a unit.
    Staggered(Ms),
    /// [`Rests::manned`]: the parts of the day.
    Manned(Arc<[PartOfDay]>),
}

impl From<Vec<Vec<(Ms, Ms)>>> for Rests {
    fn from(rests: Vec<Vec<(Ms, Ms)>>) -> Rests {
        Rests { by_unit: Arc::new(rests), rule: Rule::Given }
    }
}

impl std::ops::Deref for Rests {
    type Target = Vec<Vec<(Ms, Ms)>>;

    fn deref(&self) -> &Self::Target {
        &self.by_unit
    }
}

impl std::ops::DerefMut for Rests {
    /// What is changed by hand is given unit by unit from then on.
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.rule = Rule::Given;
        Arc::make_mut(&mut self.by_unit)
    }
}

impl Rests {
    /// Rests of `units` units in parts of the day that have people for some of them; parts do not overlap.
    pub fn manned(units: u32, parts: &[PartOfDay]) -> Rests {
        Rests::of(units, Rule::Manned(parts.into()))
    }

    fn of(units: u32, rule: Rule) -> Rests {
        let by_unit = match &rule {
            Rule::Given => Vec::new(),
            Rule::Staggered(length) => {
                let shift = |unit: u32| u64::from(unit) * u64::from(DAY) / u64::from(units.max(1));
                (0..units).map(|unit| vec![(shift(unit) as Ms, *length)]).collect()
            }
            Rule::Manned(parts) => {
                let at_work = |part: &PartOfDay| manned(part.percent, units.into());
                let parts: Vec<_> = parts.iter().map(|part| (part, at_work(part))).collect();
                let without = |unit: u32| {
                    let rests = parts.iter().filter(|(_, at_work)| u64::from(unit) >= *at_work);
                    rests.map(|(part, _)| (part.from, part.length)).collect()
                };
                (0..units).map(without).collect()
            }
        };
        Rests { by_unit: Arc::new(by_unit), rule }
    }

    /// The same with `units` units in place of `before`.
    fn with_units(&self, before: u32, units: u32) -> Rests {
        if self.rule != Rule::Given {
            return Rests::of(units, self.rule.clone());
        }
        let mut rests = self.clone();
        match self.get((before as usize).wrapping_sub(1)).cloned() {
            Some(last) => rests.resize(units as usize, last),
            // The last unit never rests.
            None => rests.truncate(units as usize),
        }
        rests
    }
}

/// Rests of `units` units that are out for `rest` each day, one unit after the other through the day, so that the share of
/// units at work is always nearly the same. A rest is half a `run` longer, because a run that is going on when it begins goes
/// on to its end.
pub fn staggered(units: u32, rest: Ms, run: Ms) -> Rests {
    if rest == 0 {
        return Rests::default();
    }
    // A unit works at least a tenth of the time, however long its runs.
    Rests::of(units, Rule::Staggered((rest + run / 2).min(DAY - DAY / 10)))
}

impl Stage {
    /// One more unit that works like the others.
    pub fn add_unit(&mut self) {
        self.set_units(self.units.saturating_add(1));
    }

    /// So many units, with the calendars that so many have by the rule of the stage: spread over the day anew, or manned shift by
    /// shift anew.
    pub fn set_units(&mut self, units: u32) {
        if units != self.units {
            self.rests = self.rests.with_units(self.units, units);
            self.units = units;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::model::{HOUR, MINUTE, Takes};
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
    fn units_are_manned_shift_by_shift_anew() {
        let night = |percent| PartOfDay { from: 18 * HOUR, length: 12 * HOUR, percent };
        let at_night = |stage: &Stage| stage.rests.iter().filter(|rests| rests.is_empty()).count();
        for (percent, from, to, manned) in [
            (50, 10, 14, 7),
            (50, 14, 10, 5),
            (50, 1, 2, 1),
            (33, 3, 4, 2),
            (0, 3, 8, 0),
            (100, 3, 8, 8),
            (50, 6, 0, 0),
        ] {
            let of = |units| stage(units, Rests::manned(units, &[night(percent)]));
            let mut changed = of(from);
            changed.set_units(to);
            assert_eq!(changed, of(to), "{from} to {to}");
            assert_eq!(at_night(&changed), manned, "{percent} % of {to}");
            // From none, too.
            changed.set_units(0);
            changed.set_units(from);
            assert_eq!(changed, of(from));
        }
        let mut by_hand = stage(2, Rests::manned(2, &[night(50)]));
        by_hand.rests[0] = vec![(0, HOUR)];
        by_hand.set_units(3);
        assert_eq!(by_hand.rests[0], [(0, HOUR)], "what is changed by hand stays");
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
