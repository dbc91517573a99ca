//! What has arrived from a source, against a plain set of numbers.

use crate::domain::source::{GAPS_MAX, SourceState};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn noted(numbers: impl IntoIterator<Item = u64>) -> SourceState {
    let mut state = SourceState::default();
    numbers.into_iter().for_each(|number| {
        state.note(number);
    });
    state
}

/// The highest number up to which everything has arrived.
fn watermark(arrived: &BTreeSet<u64>) -> u64 {
    (1..).take_while(|number| arrived.contains(number)).last().unwrap_or(0)
}

fn within(ranges: &[(u64, u64)], number: u64) -> bool {
    ranges.iter().any(|(start, end)| (*start..=*end).contains(&number))
}

#[test]
fn numbers_grow_into_ranges() {
    let state = noted([1, 2, 5, 4, 9]);
    assert_eq!(state.ranges, [(1, 2), (4, 5), (9, 9)]);
    assert_eq!((state.watermark(), state.highest()), (2, 9));
    assert_eq!(state.gaps(), [(3, 3), (6, 8)]);
    let state = noted([5, 3]);
    assert_eq!((state.watermark(), state.highest()), (0, 5));
    assert_eq!(state.gaps(), [(1, 2), (4, 4)]);
    let nothing = SourceState::default();
    assert_eq!((nothing.watermark(), nothing.highest(), nothing.gaps()), (0, 0, vec![]));
}

#[test]
fn the_number_nought_is_always_looked_up() {
    assert!(SourceState::default().may_have(0));
    assert_eq!(noted([0, 1]).watermark(), 1);
}

#[test]
fn a_number_is_taken_once() {
    let mut state = noted([1, 2, 4]);
    assert!(!state.note(1) && !state.note(2) && !state.note(4));
    assert!(state.note(3));
    assert_eq!(state.ranges, [(1, 4)]);
    assert!(!state.may_have(5));
}

#[test]
fn the_ends_of_the_numbers() {
    let mut state = noted([u64::MAX, u64::MAX - 1, 0]);
    assert_eq!(state.ranges, [(0, 0), (u64::MAX - 1, u64::MAX)]);
    assert!(!state.note(u64::MAX) && !state.note(0));
    assert_eq!(state.watermark(), 0);
    assert!(state.note(1));
    assert_eq!(state.watermark(), 1);
}

#[test]
fn at_the_limit_the_watermark_tells_no_lie() {
    // Every second number, so that each is a range of its own.
    let ranges = GAPS_MAX as u64;
    let mut state = noted((0..ranges).map(|n| 1 + 2 * n));
    assert_eq!((state.ranges.len(), state.joined_to), (GAPS_MAX, 0));
    assert!(!state.may_have(2) && !state.may_have(4));
    state.note(1 + 2 * ranges);
    assert_eq!((state.ranges.len(), state.joined_to), (GAPS_MAX, 5));
    assert!(state.may_have(4), "may hide: the index knows");
    assert!(!state.may_have(6));
    assert_eq!(state.watermark(), 1);
    // The hole below the joined ranges closes, and 4 has still not arrived.
    assert!(state.note(2));
    assert_eq!(state.watermark(), 2, "a device may forget what the watermark covers");
    assert_eq!(state.gaps()[0], (6, 6));
    assert!(state.ranges.len() <= GAPS_MAX);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn below_the_limit_everything_is_exact(numbers in prop::collection::vec(1_u64..60, 0..80)) {
        let mut state = SourceState::default();
        let mut arrived = BTreeSet::new();
        for number in numbers {
            prop_assert_eq!(state.may_have(number), arrived.contains(&number));
            prop_assert_eq!(state.note(number), arrived.insert(number));
            prop_assert_eq!(state.watermark(), watermark(&arrived));
            prop_assert_eq!(state.highest(), arrived.last().copied().unwrap_or(0));
            let holes = state.gaps();
            for number in 1..=state.highest() {
                prop_assert_eq!(within(&holes, number), !arrived.contains(&number));
                prop_assert_eq!(state.may_have(number), arrived.contains(&number));
            }
            let apart = state.ranges.windows(2).all(|two| two[0].1 + 1 < two[1].0);
            prop_assert!(apart && holes.windows(2).all(|two| two[0].1 < two[1].0));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn beyond_the_limit_nothing_is_lost_or_promised_too_much(
        first in 1_u64..40,
        step in 2_u64..5,
        numbers in prop::collection::vec(prop_oneof![1_u64..120, 1_u64..30_000], 0..400),
    ) {
        let mut state = SourceState::default();
        let mut arrived = BTreeSet::new();
        let scattered = (0..GAPS_MAX as u64).map(|n| first + n * step);
        for number in scattered.chain(numbers) {
            let may = state.may_have(number);
            prop_assert!(may || !arrived.contains(&number), "{} was forgotten", number);
            let is_new = state.note(number);
            prop_assert!(!is_new || !arrived.contains(&number), "{} was taken twice", number);
            prop_assert!(is_new || may, "{} was refused and not looked up", number);
            arrived.insert(number);
            prop_assert!(state.ranges.len() <= GAPS_MAX);
        }
        prop_assert!(state.watermark() <= watermark(&arrived), "the watermark lies");
        prop_assert_eq!(state.highest(), arrived.last().copied().unwrap_or(0));
        prop_assert!(arrived.iter().all(|number| state.may_have(*number)));
        for (start, end) in state.gaps() {
            prop_assert!(start <= end && arrived.range(start..=end).next().is_none());
        }
        if state.joined_to == 0 {
            prop_assert_eq!(state.watermark(), watermark(&arrived));
        }
    }
}
