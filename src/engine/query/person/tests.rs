//! One line of story for each fact about a person's answer.

use super::gather::answer;
use super::*;
use crate::engine::query::story::{Story, key, minutes};

/// The answer about person `a` after a story, at minute 2000.
fn answer_after(lines: &str) -> PersonAnswer {
    answer_at(lines, 2_000)
}

fn answer_at(lines: &str, as_of: i64) -> PersonAnswer {
    let story = Story::told(lines);
    answer(&[story.traces('a')], &story.reference(), minutes(as_of))
}

const PLATED: &str = "10 collect T1 10 a,b\n20 pack B1 T1\n30 hand B1 L\n40 take B1 L T1\n\
                      50 plate P1 L T1\n";

#[test]
fn gate_is_where_the_result_waits() {
    let cases: &[(&str, Gate, Option<i64>)] = &[
        ("", Gate::NotSampled, None),
        ("1 roster R D1 a,b", Gate::NotSampled, None),
        ("10 swab T1 10 a", Gate::AtSite, Some(10)),
        ("10 swab T1 10 a\n12 seal T1 1", Gate::AtSite, Some(12)),
        ("10 collect T1 10 a,b\n20 pack B1 T1", Gate::AwaitingCourier, Some(20)),
        ("10 collect T1 10 a\n20 pack B1 T1\n30 hand B1 L", Gate::InTransit, Some(30)),
        ("10 collect T1 10 a\n20 pack B1 T1\n40 take B1 L", Gate::AtReception, Some(40)),
        ("10 collect T1 10 a\n45 receive T1 L", Gate::AtReception, Some(45)),
        (PLATED, Gate::InLab, Some(50)),
        ("5 correct T1 b a\n9 receive T1 L", Gate::AwaitingRegistration, Some(5)),
        ("10 collect T1 10 a\n50 plate P1 L T1\n60 run P1 R1 -", Gate::AwaitingRelease, Some(60)),
        (
            "10 collect T1 10 a\n50 plate P1 L T1\n60 run P1 R1 -\n70 release T1",
            Gate::Done,
            Some(70),
        ),
        ("10 collect T1 1 a\n50 plate P1 L T1\n60 run P1 R1 +", Gate::Done, Some(60)),
        (
            "10 collect T1 1 a\n50 plate P1 L T1\n60 run P1 R1 +\n61 run P1 R2 -",
            Gate::Held,
            Some(60),
        ),
        (
            "10 collect T1 10 a\n50 plate P1 L T1\n60 run P1 R1 !\n61 run P1 R2 -",
            Gate::Held,
            Some(60),
        ),
        ("10 collect T1 10 a,b\n50 plate P1 L T1\n60 run P1 R1 +", Gate::RecallOpen, Some(60)),
        ("10 collect T1 10 a,b\n50 plate P1 L T1\n60 run P1 R1 1", Gate::RecallOpen, Some(60)),
        (
            "10 collect T1 10 a,b\n50 plate P1 L T1\n60 run P1 R1 +\n80 collect S1 1 a",
            Gate::AtSite,
            Some(80),
        ),
        (
            "10 collect T1 10 a,b\n50 plate P1 L T1\n60 run P1 R1 +\n80 collect S1 1 a\n\
             90 plate P2 L S1\n95 run P2 R2 -",
            Gate::AwaitingRelease,
            Some(95),
        ),
        (
            "10 collect T1 10 a,b\n50 plate P1 L T1\n60 run P1 R1 +\n80 collect S1 1 a\n\
             90 plate P2 L S1\n95 run P2 R2 ?",
            Gate::RecollectionOpen,
            Some(95),
        ),
        // Another pool is no answer to a recall.
        (
            "10 collect T1 10 a,b\n50 plate P1 L T1\n60 run P1 R1 +\n80 collect T2 10 a,c",
            Gate::RecallOpen,
            Some(60),
        ),
        ("10 collect T1 10 a\n15 reject T1 L", Gate::RecollectionOpen, Some(15)),
        ("10 collect T1 10 a\n15 lose T1", Gate::RecollectionOpen, Some(15)),
        ("10 collect T1 10 a\n15 void T1 contaminated", Gate::RecollectionOpen, Some(15)),
        ("10 collect T1 10 a\n15 void T1 misread", Gate::NotSampled, None),
        ("10 collect T1 10 a\n15 void T1 misread\n16 collect T2 10 a,b", Gate::AtSite, Some(16)),
        // Lost, and swabbed into a pool later: the result of the later swab ends the way.
        (
            "10 collect T1 10 a\n15 lose T1\n20 collect T2 10 a,b\n30 plate P1 L T2\n\
             40 run P1 R1 -\n50 release T2",
            Gate::Done,
            Some(50),
        ),
        ("10 collect T1 10 a,b\n11 withdraw T1 a", Gate::NotSampled, None),
    ];
    for (lines, gate, since) in cases {
        let found = answer_after(lines);
        assert_eq!((found.gate, found.gate_since), (*gate, since.map(minutes)), "{lines}");
    }
}

#[test]
fn call_of_a_pool_is_told_only_when_negative_and_released() {
    let pool = "10 collect T1 10 a,b\n50 plate P1 L T1\n";
    let single = "10 collect T1 1 a\n50 plate P1 L T1\n";
    let cases = [
        (pool, "60 run P1 R1 -", None, None),
        (pool, "60 run P1 R1 -\n70 release T1", Some(Call::Negative), Some(Call::Negative)),
        (pool, "60 run P1 R1 +\n70 release T1", None, None),
        (pool, "60 run P1 R1 -\n70 release T1\n80 amend T1 +", None, None),
        (single, "60 run P1 R1 -", None, None),
        (single, "60 run P1 R1 -\n70 release T1", Some(Call::Negative), Some(Call::Negative)),
        (single, "60 run P1 R1 +", Some(Call::Positive), Some(Call::Positive)),
        (single, "60 run P1 R1 ?", Some(Call::Grey), None),
        (single, "60 run P1 R1 !", Some(Call::Invalid), None),
        (single, "60 run P1 R1 -\n70 release T1\n71 void T1 contaminated", None, None),
    ];
    for (tube, lines, told, result) in cases {
        let found = answer_after(&format!("{tube}{lines}"));
        assert_eq!(found.samples[0].call, told, "{tube}{lines}");
        assert_eq!(found.result.map(|result| result.call), result, "{tube}{lines}");
    }
}

#[test]
fn result_is_that_of_the_latest_swab() {
    let lines = "10 collect T1 10 a,b\n20 collect T2 10 a,c\n30 plate P1 L T1,T2\n\
                 40 run P1 R1 --\n50 release T2,T1";
    let result = answer_after(lines).result.expect("both are released");
    assert_eq!((result.tube.as_str(), result.sampled_at), ("T2", minutes(20)));
    assert_eq!(result.released_at, Some(minutes(50)));
}

#[test]
fn certificate_needs_a_negative_and_no_open_recall() {
    let negative = "10 collect T1 10 a,b\n20 plate P1 L T1\n30 run P1 R1 -\n40 release T1\n";
    let recall = "50 collect T2 10 a,c\n60 plate P2 L T2\n70 run P2 R2 +\n";
    let single = "80 collect S1 1 a\n90 plate P3 L S1\n100 run P3 R3 -\n110 release S1";
    let tube = |lines: String| answer_after(&lines).certificate.map(|paper| paper.tube);
    assert_eq!(tube(negative.to_owned()).as_deref(), Some("T1"));
    assert_eq!(tube(format!("{negative}{recall}")), None);
    assert_eq!(tube(format!("{negative}{recall}{single}")).as_deref(), Some("S1"));
    let lost = "50 collect T2 10 a,c\n60 lose T2";
    assert_eq!(tube(format!("{negative}{lost}")).as_deref(), Some("T1"));
    let positive = single.replace("R3 -", "R3 +");
    assert_eq!(tube(format!("{negative}{recall}{positive}")), None);
}

#[test]
fn windows_count_from_the_swab_and_end_on_the_minute() {
    let negative = "10 collect T1 10 a,b\n20 plate P1 L T1\n30 run P1 R1 -\n40 release T1";
    let valid = |as_of: i64| {
        let paper = answer_at(negative, as_of).certificate.expect("a released negative");
        paper.windows.map(|window| (window.hours, window.valid))
    };
    let day = 24 * 60;
    let all = |valid: [bool; 4]| [(24, valid[0]), (48, valid[1]), (72, valid[2]), (168, valid[3])];
    assert_eq!(valid(39), all([false; 4]));
    assert_eq!(valid(40), all([true; 4]));
    assert_eq!(valid(10 + day - 1), all([true; 4]));
    assert_eq!(valid(10 + day), all([false, true, true, true]));
    assert_eq!(valid(10 + 3 * day), all([false, false, false, true]));
    assert_eq!(valid(10 + 7 * day), all([false; 4]));
}

#[test]
fn corrected_registration_keeps_the_time_of_the_swab() {
    let lines = "10 collect T1 10 x,b\n300 correct T1 x y\n400 correct T1 y a";
    assert_eq!(answer_after(lines).samples[0].sampled_at, Some(minutes(10)));
    let circle = "10 collect T1 10 b\n20 correct T1 x a\n30 correct T1 a x";
    assert_eq!(answer_after(circle).samples, []);
    let unknown = "10 collect T1 10 b\n20 correct T1 x a";
    assert_eq!(answer_after(unknown).samples[0].sampled_at, Some(minutes(20)));
}

#[test]
fn person_taken_out_of_a_tube_is_not_in_it() {
    let found = answer_after("10 collect T1 10 a,b\n11 withdraw T1 a");
    assert!(!found.registered && found.samples.is_empty());
    assert_eq!(found.taken_out_of, ["T1"]);
}

#[test]
fn recall_names_what_opened_and_what_closed_it() {
    let lines = "10 collect T1 10 a,b\n50 plate P1 L T1\n60 run P1 R1 +\n80 collect S1 1 a\n\
                 90 plate P2 L S1\n95 run P2 R2 -";
    let found = answer_after(lines);
    let [need] = found.needs.as_slice() else { panic!("one recall, not {:?}", found.needs) };
    assert_eq!((need.tube.as_str(), need.reason), ("T1", NeedReason::PoolPositive));
    assert_eq!((need.sampled_at, need.opened_at), (minutes(10), Some(minutes(60))));
    assert_eq!(need.closed_by.as_deref(), Some("S1"));
}

#[test]
fn newest_round_leads_the_answer() {
    let lines = "0 open A\n1 roster R D1 a\n10 collect T1 10 a,b\n20 plate P1 L T1\n\
                 30 run P1 R1 -\n40 release T1\n500 open B\n501 roster Q D2 a";
    let found = answer_after(lines);
    let rounds: Vec<_> = found.rounds.iter().map(|r| (r.round.as_str(), r.gate)).collect();
    assert_eq!(rounds, [("B", Gate::NotSampled), ("A", Gate::Done)]);
    assert_eq!(found.gate, Gate::NotSampled);
    assert_eq!(found.on_roster.map(|on| (on.roster, on.district)), Some(("Q".into(), "D2".into())));
    assert_eq!(found.result.map(|result| result.tube).as_deref(), Some("T1"));
}

#[test]
fn keys_of_several_rounds_make_one_answer() {
    let story = Story::told("10 collect T1 10 a,b\n20 collect T2 10 c,d\n30 lose T2");
    let traces = [story.traces('a'), story.traces('c'), story.traces('z')];
    let found = answer(&traces, &story.reference(), minutes(100));
    let tubes: Vec<_> = found.samples.iter().map(|sample| sample.tube.as_str()).collect();
    assert_eq!(tubes, ["T2", "T1"]);
    assert_eq!(found.needs.len(), 1);
    assert_ne!(key('a'), key('c'));
}
