//! One line of story for each fact about the people pass.

use super::index::Says;
use super::*;
use crate::engine::query::story::{Story, key};

/// A story's people pass, without the store.
fn passed(lines: &str, round: &str, mut f: impl FnMut(&Index, &Person<'_>)) -> Index {
    let story = Story::told(lines);
    let round = Code::from(round);
    let mut index = Index::new(round.clone(), true);
    story.tubes().for_each(|(code, record)| index.add_tube(code, record));
    let mut rosters = Rosters::default();
    story.rosters().iter().for_each(|event| rosters.add(event, &round));
    index.set_rosters(rosters);
    let mut merge = Merge::new(&index);
    let mut sink = |person: &Person<'_>| f(&index, person);
    for (person, seq) in story.entries() {
        merge.entry(person, seq, &mut sink);
    }
    merge.finish(&mut sink);
    index
}

fn figures_of(lines: &str, round: &str) -> PeopleFigures {
    let mut count = Count::default();
    let index = passed(lines, round, |index, person| count.take(index, person));
    count.figures(&index, 0)
}

fn missing_of(lines: &str, wanted: Wanted<'_>) -> String {
    let mut found = String::new();
    passed(lines, "A", |index, person| {
        if let Some(row) = missing_row(index, person, wanted) {
            found.push(char::from(row.person.0[0]));
        }
    });
    found
}

/// Roster: resulted, unresulted, missing; outside: resulted, unresulted, unsampled; twice.
fn parts(row: &Row) -> [u64; 7] {
    assert!(row.adds_up(), "{row:?}");
    [
        row.resulted,
        row.sampled_unresulted,
        row.missing,
        row.outside_resulted,
        row.outside_unresulted,
        row.outside_unsampled,
        row.in_two_tubes,
    ]
}

#[test]
fn everybody_is_counted_once() {
    let roster = "1 roster R D1 a,b,c\n";
    let cases: &[(&str, [u64; 7])] = &[
        ("", [0, 0, 3, 0, 0, 0, 0]),
        ("2 roster R D1 c,d", [0, 0, 4, 0, 0, 0, 0]),
        ("5 collect T1 10 a,b", [0, 2, 1, 0, 0, 0, 0]),
        ("5 swab T1 10 a\n6 swab T1 10 b\n7 swab T1 10 a", [0, 2, 1, 0, 0, 0, 0]),
        ("5 collect T1 10 a,x", [0, 1, 2, 0, 1, 0, 0]),
        ("5 collect T1 10 a,x\n6 withdraw T1 x", [0, 1, 2, 0, 0, 0, 0]),
        ("5 collect T1 10 a,x\n6 withdraw T1 a", [0, 0, 3, 0, 1, 0, 0]),
        ("5 collect T1 10 x\n6 correct T1 x a", [0, 1, 2, 0, 0, 0, 0]),
        ("5 collect T1 10 a\n6 correct T1 a x", [0, 0, 3, 0, 1, 0, 0]),
        ("5 collect T1 10 a,x\n6 void T1 contaminated", [0, 0, 3, 0, 0, 1, 0]),
        ("5 collect T1 10 a,x\n6 void T1 misread\n7 collect T2 10 a,x", [0, 1, 2, 0, 1, 0, 0]),
        ("5 collect T1 10 a,x\n6 lose T1", [0, 1, 2, 0, 1, 0, 0]),
        ("5 collect T1 10 a,x\n6 plate P L T1\n7 run P R -", [0, 1, 2, 0, 1, 0, 0]),
        ("5 collect T1 10 a,x\n6 plate P L T1\n7 run P R -\n8 release T1", [1, 0, 2, 1, 0, 0, 0]),
        ("5 collect T1 10 a,x\n6 plate P L T1\n7 run P R +\n8 release T1", [0, 1, 2, 0, 1, 0, 0]),
        ("5 collect T1 1 a\n6 plate P L T1\n7 run P R +", [1, 0, 2, 0, 0, 0, 0]),
        ("5 collect T1 1 a\n6 plate P L T1\n7 run P R -", [0, 1, 2, 0, 0, 0, 0]),
        // Received before its collection is known: nobody is in it yet.
        ("5 receive T1 L", [0, 0, 3, 0, 0, 0, 0]),
        // Another round's tube and roster.
        ("5 open B\n6 collect T1 10 a,x\n7 roster Q D1 z", [0, 0, 3, 0, 0, 0, 0]),
    ];
    for (lines, expected) in cases {
        assert_eq!(
            parts(&figures_of(&format!("{roster}{lines}"), "A").total),
            *expected,
            "{lines}"
        );
    }
}

#[test]
fn sampled_twice_leaves_follow_ups_out() {
    let unclean = "5 collect T1 10 a,b\n6 plate P L T1\n7 run P R +\n";
    let cases: &[(&str, &str, u64)] = &[
        ("", "5 collect T1 10 a\n6 collect T2 10 a", 1),
        ("", "5 collect T1 10 a\n6 collect T2 1 a", 1),
        ("", "5 collect T1 10 a\n6 collect T2 10 a\n7 collect T3 10 a,b", 1),
        ("", "5 swab T1 10 a\n6 swab T1 10 a", 0),
        ("", "5 collect T1 10 a\n6 collect T2 10 a\n7 void T1 contaminated", 0),
        ("", "5 collect T1 10 a\n6 collect T2 10 a\n7 withdraw T2 a", 0),
        (unclean, "9 collect S1 1 a", 0),
        (unclean, "9 collect T2 10 a", 0),
        (unclean, "9 collect S1 1 a\n10 collect T2 10 a", 0),
        (unclean, "9 collect T2 10 a\n10 collect T3 10 a", 1),
        (unclean, "4 collect S1 1 a", 0),
        (unclean, "4 collect S1 1 a\n9 collect T2 10 a", 1),
    ];
    for (before, lines, twice) in cases {
        let found = figures_of(&format!("{before}{lines}"), "A").total.in_two_tubes;
        assert_eq!(found, *twice, "{before}{lines}");
    }
}

#[test]
fn list_of_the_sampled_twice_names_their_tubes() {
    let mut found = Vec::new();
    let lines = "9 collect T1 10 a,b\n6 collect T2 10 a\n7 collect T3 10 b,c";
    passed(lines, "A", |index, person| {
        let tubes = index.independent(person.tubes);
        if tubes.len() > 1 {
            found.push((person.key, index.codes(&tubes).join(" ")));
        }
    });
    assert_eq!(found, [(key('a'), "T2 T1".into()), (key('b'), "T3 T1".into())]);
}

#[test]
fn districts_add_up_to_the_total() {
    let lines = "1 roster R D1 a,b\n2 roster R D2 c,d,b\n5 collect T1 10 a,b,c,x D3/S/K\n\
                 6 collect T2 10 y D2/S/K\n7 collect T3 10 y D4/S/K\n8 collect T4 10 z /S/K\n\
                 9 collect T5 10 w D9/S/K\n10 void T5 contaminated";
    let found = figures_of(lines, "A");
    let rows: Vec<_> =
        found.districts.iter().map(|(code, row)| (code.as_str(), parts(row))).collect();
    assert_eq!(
        rows,
        [
            ("", [0, 0, 0, 0, 1, 0, 0]),
            ("D1", [0, 1, 0, 0, 0, 0, 0]),
            ("D2", [0, 2, 1, 0, 0, 0, 0]),
            ("D3", [0, 0, 0, 0, 1, 0, 0]),
            ("D4", [0, 0, 0, 0, 1, 0, 1]),
            ("D9", [0, 0, 0, 0, 0, 1, 0]),
        ]
    );
    assert_eq!(parts(&found.total), [0, 3, 1, 0, 3, 1, 1]);
    assert_eq!((found.total.roster, found.total.outside_roster), (4, 4));
}

#[test]
fn last_roster_decides_the_district_whatever_the_order_of_arrival() {
    let earlier = "1 roster R D1 a";
    let later = "2 roster Q D2 a";
    for lines in [format!("{earlier}\n{later}"), format!("{later}\n{earlier}")] {
        assert_eq!(figures_of(&lines, "A").districts.keys().next().map(Code::as_str), Some("D2"));
    }
}

#[test]
fn missing_are_the_roster_less_members_of_live_tubes() {
    let lines = "1 roster R D1 a,b,c\n2 roster Q D2 c,d,e\n5 collect T1 10 a,e,x\n\
                 6 collect T2 10 d\n7 void T2 contaminated";
    let (d1, d2, r) = (Code::from("D1"), Code::from("D2"), Code::from("R"));
    let cases = [
        (Wanted::default(), "bcd"),
        (Wanted { district: Some(&d1), roster: None }, "b"),
        (Wanted { district: Some(&d2), roster: None }, "cd"),
        // Named by R, though counted in the district of Q.
        (Wanted { district: None, roster: Some(&r) }, "bc"),
        (Wanted { district: Some(&d2), roster: Some(&r) }, "c"),
    ];
    for (wanted, expected) in cases {
        assert_eq!(missing_of(lines, wanted), expected, "{wanted:?}");
    }
}

#[test]
fn pages_join_without_a_gap() {
    for limit in [1, 2, 3, 4, 9] {
        let (mut after, mut all) = (None, String::new());
        loop {
            let mut page = Paging::new(after, limit);
            "abcd".chars().for_each(|letter| page.take(key(letter), || letter));
            let page = page.done(7);
            all.extend(page.rows);
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        assert_eq!(all, "abcd", "limit {limit}");
    }
}

#[test]
fn events_far_apart_cost_only_their_pages() {
    let mut story = Story::told("1 roster R D1 a,b\n5 collect T1 10 a");
    let mut index = Index::new("A".into(), false);
    let mut record = story.tube("T1").clone();
    record.marks[0].origin.seq = 3_000_000_000;
    index.add_tube(&"T1".into(), &record);
    story.events[0].seq = 2;
    let mut rosters = Rosters::default();
    rosters.add(&story.events[0], &"A".into());
    index.set_rosters(rosters);
    assert_eq!(index.says(key('a'), 3_000_000_000), Says::InTube(0));
    assert_eq!(index.says(key('a'), 2), Says::OnRoster(0));
    assert_eq!(index.says(key('a'), 3), Says::Nothing);
    assert_eq!(index.says(key('a'), 2_999_999_999), Says::Nothing);
    assert_eq!(index.says(key('a'), 9_000_000_000), Says::Nothing);
}
