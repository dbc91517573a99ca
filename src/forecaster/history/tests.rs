//! Readings: from codes to the model's streets and laboratories, and in order.

use super::*;
use crate::forecaster::tally::{Sent, Tested};

fn reading(at: u32, collected: u64, sent: u64, resulted: u64) -> Reading {
    Reading {
        at,
        streets: vec![StreetCount { collected, sent, delivered: sent, ..StreetCount::default() }],
        labs: vec![LabCount { received: sent, plated: sent, resulted, ..LabCount::default() }],
    }
}

#[test]
fn parts_add_up_to_the_whole() {
    for tubes in 0..40 {
        for parts in [vec![(0, 3), (4, 5), (7, 2)], vec![(1, 0), (2, 0), (3, 0)], vec![(9, 7)]] {
            let dealt = deal(tubes, &parts);
            assert_eq!(dealt.iter().sum::<u64>(), tubes, "{tubes} among {parts:?}");
        }
    }
    assert_eq!(deal(10, &[(0, 3), (4, 5), (7, 2)]), [3, 5, 2]);
    let most = u64::from(u32::MAX);
    assert_eq!(deal(u64::MAX, &[(0, most), (1, most)])[0], u64::MAX / 2);
}

#[test]
fn codes_find_their_streets_and_what_finds_none_is_counted_apart() {
    let part = |people| vec![(people, 10_u64)];
    let whose = Whose {
        streets: HashMap::from([
            ("01/0101".to_owned(), part(0)),
            ("01/0102".to_owned(), vec![(1, 30), (2, 10)]),
        ]),
        districts: HashMap::from([("01".to_owned(), vec![(0, 10), (1, 30), (2, 10)])]),
        labs: HashMap::from([("L".to_owned(), 0)]),
        counts: (3, 1),
    };
    let sent = |tubes| Sent {
        collected: tubes,
        sent: tubes / 2,
        delivered: tubes / 2,
        resulted: tubes / 4,
        singles_sent: tubes,
        ..Sent::default()
    };
    let lab = |received| Tested {
        received,
        plated: 1,
        recalls_open: 3,
        recalls_closed: 2,
        singles_waiting: 4,
        singles_plated: 5,
        boxes_sent: 6,
        ..Tested::default()
    };
    let tally = Tally {
        at: 7,
        places: [("01/0101", 4), ("01/0102", 8), ("01", 10), ("01/gone", 5), ("02", 3), ("", 1)]
            .map(|(key, tubes)| (key.to_owned(), sent(tubes)))
            .into(),
        labs: [("L", 9), ("M", 2)].map(|(key, tubes)| (key.to_owned(), lab(tubes))).into(),
        ..Tally::default()
    };
    let (reading, unknown) = whose.reading(&tally);
    // 4 and a fifth of 10 and of 5; 6 of 8 and three fifths; 2 of 8 and a fifth.
    let collected: Vec<u64> = reading.streets.iter().map(|one| one.collected).collect();
    assert_eq!(collected, [4 + 2 + 1, 6 + 6 + 3, 2 + 2 + 1]);
    assert_eq!(reading.streets.iter().map(|one| one.sent).sum::<u64>(), 2 + 4 + 5 + 2);
    assert_eq!(reading.streets.iter().map(|one| one.resulted).sum::<u64>(), 1 + 2 + 2 + 1);
    let expected = LabCount {
        received: 9,
        plated: 1,
        recalls_open: 3,
        recalls_closed: 2,
        singles_waiting: 4,
        singles_plated: 5,
        boxes_sent: 6,
        ..LabCount::default()
    };
    assert_eq!((reading.at, reading.labs[0]), (7, expected));
    // Single tubes as the others: 4 + 2 + 1 and so on, and 4 more of the unknown places.
    let singles: Vec<u64> = reading.streets.iter().map(|one| one.singles_sent).collect();
    assert_eq!(singles, collected);
    assert_eq!(unknown, Unknown { collected: 8, received: 2 });
}

#[test]
fn a_reading_that_comes_late_is_dropped_and_nothing_is_further_than_what_comes_before_it() {
    let mut history = History::new(100);
    assert_eq!(history.take(reading(10, 5, 4, 2)), Taken::Newest);
    assert_eq!(history.take(reading(10, 9, 9, 9)), Taken::Late);
    assert_eq!(history.take(reading(9, 9, 9, 9)), Taken::Late);
    // More sent than collected cannot be.
    assert_eq!(history.take(reading(30, 5, 8, 9)), Taken::Newest);
    let newest = history.newest().unwrap();
    assert_eq!((newest.streets[0].sent, newest.labs[0].resulted), (5, 8));
}

/// A count over the readings.
fn curve<T>(history: &History, of: impl Fn(&Reading) -> T) -> Vec<T> {
    history.situation().readings.iter().map(of).collect()
}

#[test]
fn tubes_that_were_none_go_from_the_readings_before() {
    let mut history = History::new(100);
    // Collected, sent, resulted. At 40 two that were sent turn out to be void, at 50 one that was not.
    for (at, [collected, sent, resulted]) in
        [(10, [3, 2, 0]), (20, [6, 4, 2]), (30, [9, 9, 3]), (40, [7, 7, 3]), (50, [6, 6, 6])]
    {
        assert_eq!(history.take(reading(at, collected, sent, resulted)), Taken::Newest);
    }
    assert_eq!(curve(&history, |r| r.streets[0].collected), [3, 6, 6, 6, 6]);
    assert_eq!(curve(&history, |r| r.streets[0].sent), [2, 4, 6, 6, 6]);
    assert_eq!(curve(&history, |r| r.streets[0].delivered), [2, 4, 6, 6, 6]);
    assert_eq!(curve(&history, |r| (r.labs[0].received, r.labs[0].resulted))[2], (6, 3));
}

#[test]
fn plates_that_are_not_told_any_more_are_forgotten() {
    let mut history = History::new(100);
    let with = |at: u32, plates: u64, plates_done: u64| {
        let mut reading = reading(at, 900, 900, 90);
        (reading.labs[0].plates, reading.labs[0].plates_done) = (plates, plates_done);
        reading
    };
    // What is told; another round was opened, and closed; a plate less; more.
    for (at, (plates, done)) in [(1, (9, 3)), (2, (0, 0)), (3, (8, 2)), (4, (12, 5))] {
        history.take(with(at, plates, done));
        let lab = history.newest().unwrap().labs[0];
        assert_eq!((lab.plates, lab.plates_done), (plates, done), "reading {at}");
    }
    let plates = curve(&history, |r| (r.labs[0].plates, r.labs[0].plates_done));
    assert_eq!(plates, [(8, 2), (0, 0), (8, 2), (12, 5)]);
}

#[test]
fn at_its_limit_the_older_half_gets_thinner_and_the_newest_stay() {
    let mut history = History::new(10);
    for at in 1..=1_000 {
        assert_eq!(history.take(reading(at, 0, 0, 0)), Taken::Newest);
        assert!(history.situation().readings.len() <= 10);
    }
    let times: Vec<u32> = history.situation().readings.iter().map(|one| one.at).collect();
    assert_eq!(times[times.len() - 3..], [998, 999, 1_000]);
    assert!(times.windows(2).all(|two| two[0] < two[1]));
}
