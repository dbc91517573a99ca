//! Forecasts of streets and laboratories against what really happened to each: whether the 80 % interval held its last first
//! result, and by how much the median was wrong.

use super::held::{all_but_few, when};
use super::record::{Done, Parts};
use super::tally::Tally;
use crate::planner::model::Ms;
use std::collections::BTreeMap;

/// A street or a laboratory of a round.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartHeld {
    /// Its key in the readings: `district/street`, or the code of a laboratory.
    pub code: String,
    /// When its last first test had its result, ms since the opening, between two readings; `None` = not known, as with the
    /// round's.
    pub finish: Option<Ms>,
    /// Forecasts that were made before.
    pub forecasts: usize,
    /// Of these, those whose 80 % interval held it.
    pub held: usize,
    /// Of these, median less real finish, ms: positive = it said too late.
    pub errors: Vec<i64>,
}

/// Several streets or laboratories together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartsHeld {
    /// How many have a finish that is known and forecasts that were made before it.
    pub judged: usize,
    /// Their forecasts.
    pub forecasts: usize,
    /// Of these, those whose 80 % interval held.
    pub held: usize,
    /// Median of their errors, ms: positive = too late. `None` = there are none.
    pub error: Option<i64>,
    /// Median of their errors without the sign, ms.
    pub off: Option<i64>,
}

impl PartsHeld {
    /// Of some, or of all rounds' together.
    pub fn of<'p>(parts: impl IntoIterator<Item = &'p PartHeld>) -> PartsHeld {
        let (mut all, mut errors) = (PartsHeld::default(), Vec::new());
        for part in parts {
            all.judged += usize::from(part.forecasts > 0);
            all.forecasts += part.forecasts;
            all.held += part.held;
            errors.extend_from_slice(&part.errors);
        }
        all.error = median(&mut errors);
        errors.iter_mut().for_each(|error| *error = error.saturating_abs());
        all.off = median(&mut errors);
        all
    }
}

/// The middle one; of an even number the earlier of the two.
pub fn median(of: &mut [i64]) -> Option<i64> {
    of.sort_unstable();
    of.get(of.len().saturating_sub(1) / 2).copied()
}

/// What a reading says of a part: first tests that have come to it, and those with a result.
type Count = (u64, u64);

/// The streets of a round that is over. `tallies` and `told` by time; what `done` says needs no readings.
pub fn streets(tallies: &[Tally], told: &[Parts], done: &Done) -> Vec<PartHeld> {
    let count = |tally: &Tally, code: &str| {
        tally.places.get(code).map_or((0, 0), |place| (place.collected, place.resulted))
    };
    against(tallies, told, |parts| &parts.streets, &done.streets, count)
}

/// Its laboratories.
pub fn labs(tallies: &[Tally], told: &[Parts], done: &Done) -> Vec<PartHeld> {
    let count = |tally: &Tally, code: &str| {
        tally.labs.get(code).map_or((0, 0), |lab| (lab.first_received(), lab.first_results()))
    };
    against(tallies, told, |parts| &parts.labs, &done.labs, count)
}

fn against(
    tallies: &[Tally],
    told: &[Parts],
    of: impl Fn(&Parts) -> &BTreeMap<String, [u32; 3]>,
    done: &BTreeMap<String, Ms>,
    count: impl Fn(&Tally, &str) -> Count,
) -> Vec<PartHeld> {
    let mut held: BTreeMap<&str, PartHeld> = BTreeMap::new();
    for parts in told {
        for (code, told) in of(parts) {
            let part = held.entry(code).or_insert_with(|| PartHeld {
                code: code.clone(),
                finish: (done.get(code).copied())
                    .or_else(|| finish(tallies, |tally| count(tally, code))),
                ..PartHeld::default()
            });
            let Some(finish) = part.finish.filter(|finish| parts.at < *finish) else { continue };
            // A finish is known to the reading; a forecast is told in seconds.
            let [p10, p50, p90] = told.map(|at| at.saturating_mul(1_000));
            part.forecasts += 1;
            part.held += usize::from((p10..=p90.saturating_add(999)).contains(&finish));
            part.errors.push(i64::from(p50) - i64::from(finish));
        }
    }
    held.into_values().collect()
}

/// Between the first reading with as many results as the last one and the one before it, when all but a few have theirs at the last one and an earlier
/// reading is left.
fn finish(tallies: &[Tally], count: impl Fn(&Tally) -> Count) -> Option<Ms> {
    let (come, all) = tallies.last().map(&count)?;
    let reached = tallies.iter().position(|tally| count(tally).1 >= all)?;
    when(tallies, reached).filter(|_| all > 0 && all_but_few(all, come.saturating_sub(all)))
}

#[cfg(test)]
mod tests {
    use super::super::tally::{Sent, Tested};
    use super::*;

    fn tally(at: Ms, street: [u64; 2], lab: [u64; 4]) -> Tally {
        let [collected, resulted] = street;
        let [received, done, singles_waiting, recalls_closed] = lab;
        let place =
            Sent { collected, sent: collected, delivered: collected, resulted, ..Sent::default() };
        let tested = Tested {
            received,
            plated: done,
            resulted: done,
            singles_waiting,
            recalls_closed,
            ..Tested::default()
        };
        Tally {
            at,
            places: BTreeMap::from([("01/1".to_owned(), place)]),
            labs: BTreeMap::from([("L".to_owned(), tested)]),
            ..Tally::default()
        }
    }

    fn told(at: Ms, of: [u32; 3]) -> Parts {
        let street = BTreeMap::from([("01/1".to_owned(), of), ("01/2".to_owned(), of)]);
        Parts { at, streets: street, labs: BTreeMap::from([("L".to_owned(), of)]) }
    }

    #[test]
    fn streets_and_labs_are_held_against_their_own_finish() {
        let none = Done::default();
        let tallies = [
            tally(10_000, [4, 0], [4, 0, 0, 0]),
            tally(20_000, [9, 4], [12, 4, 0, 0]),
            // The street is done; the lab has three of another street, and a single tube of a recall in work.
            tally(45_000, [9, 9], [13, 9, 1, 0]),
            tally(60_000, [9, 9], [13, 12, 1, 0]),
            tally(70_000, [9, 9], [14, 13, 1, 1]),
        ];
        let told = [
            told(10_000, [30, 50, 60]),
            told(20_000, [20, 25, 30]),
            told(50_000, [55, 58, 60]),
            // After everything: no forecast.
            told(65_000, [1, 1, 1]),
        ];
        let [first, second] = &streets(&tallies, &told, &none)[..] else { panic!("two streets") };
        let expected = PartHeld {
            code: "01/1".into(),
            finish: Some(32_500),
            forecasts: 2,
            held: 1,
            errors: vec![17_500, -7_500],
        };
        assert_eq!(*first, expected);
        // Nothing was counted of it.
        assert_eq!((second.finish, second.forecasts), (None, 0));
        let [lab] = &labs(&tallies, &told, &none)[..] else { panic!("one lab") };
        assert_eq!((lab.finish, lab.forecasts, lab.held), (Some(52_500), 3, 1));
        assert_eq!(lab.errors, [-2_500, -27_500, 5_500]);
        let both = PartsHeld::of(streets(&tallies, &told, &none).iter().chain([lab]));
        assert_eq!((both.judged, both.forecasts, both.held), (2, 5, 2));
        assert_eq!((both.error, both.off), (Some(-2_500), Some(7_500)));
        assert_eq!(PartsHeld::of(&[]), PartsHeld::default());
    }

    #[test]
    fn a_tube_that_never_ends_leaves_its_street_and_lab_to_be_judged() {
        let (told, none) = ([told(10_000, [40, 50, 60])], Done::default());
        for (left, finish) in [(0, Some(27_500)), (1, Some(27_500)), (2, None)] {
            let done = 1_500 - left;
            let tallies =
                [0, done, done].into_iter().zip([10_000, 45_000, 60_000]).map(|(done, at)| {
                    // In the lab it awaits its registration.
                    tally(at, [1_500, done], [1_500, done, 0, 0])
                });
            let tallies: Vec<Tally> = tallies.collect();
            for part in [&streets(&tallies, &told, &none)[0], &labs(&tallies, &told, &none)[0]] {
                assert_eq!(part.finish, finish, "{left} left: {part:?}");
            }
        }
    }

    #[test]
    fn a_finish_that_readings_do_not_tell_is_not_known() {
        let (told, none) = ([told(10_000, [40, 50, 60])], Done::default());
        for (what, tallies) in [
            ("no reading", vec![]),
            (
                "one is in work",
                vec![tally(1, [9, 0], [9, 0, 0, 0]), tally(2, [9, 8], [9, 8, 0, 0])],
            ),
            ("the first reading that is left has them all", vec![tally(1, [9, 9], [9, 9, 0, 0])]),
            ("results by street are not told", vec![tally(1, [9, 0], [9, 0, 0, 0])]),
        ] {
            let all = [streets(&tallies, &told, &none), labs(&tallies, &told, &none)].concat();
            assert!(all.iter().all(|part| part.finish.is_none() && part.forecasts == 0), "{what}");
        }
    }
}
