//! People who have to come back, what closes that, and where it is counted.

use super::table::check;

const POSITIVE: &str = "09:00 desk D1 collect T1 pool 10 members P1..P3
                        10:00 load PL1 L1 A1=T1
                        10:30 run PL1 R1 A1=pos
                        P1 -> recall open PoolPositive T1\n";

fn positive(lines: &str) -> String {
    format!("{POSITIVE}{lines}")
}

#[test]
fn every_reason_opens_and_closes() {
    for (kind, reason, how) in [
        ("recall", "PoolPositive", "load PL1 L1 A1=T1\nrun PL1 R1 A1=pos"),
        ("recall", "PoolSingleTarget", "load PL1 L1 A1=T1\nrun PL1 R1 A1=one"),
        ("recall", "PoolGrey", "load PL1 L1 A1=T1\nrun PL1 R1 A1=grey"),
        ("recollection", "ResultInvalid", "load PL1 L1 A1=T1\nrun PL1 R1 A1=inv"),
        ("recollection", "TubeRejected", "reject T1 littlevolume"),
        ("recollection", "TubeLost", "lose T1"),
        ("recollection", "TubeVoid", "void T1 damaged"),
        ("recollection", "TubeReused", "desk D1 swab T1 P2"),
    ] {
        check(&format!(
            "09:00 desk D1 collect T1 pool 10 members P1
             P1 -> nothing
             {how}
             P1 -> {kind} open {reason} T1
             12:00 desk D2 collect T2 pool 1 members P1
             P1 -> {kind} open {reason} T1
             load PL2 L1 A1=T2
             run PL2 R2 A1=neg
             P1 -> {kind} closed {reason} T1 by T2 negative
             figures desk D1 -> {kind}s-closed=1
             figures desk D2 -> recalls=0 recollections=0"
        ));
    }
    // A single tube that is unclear: its person comes back once more.
    for unclear in ["grey", "one"] {
        let call = if unclear == "one" { "single-target" } else { "grey" };
        check(&format!(
            "09:00 desk D1 collect T1 pool 1 members P1
             load PL1 L1 A1=T1
             run PL1 R1 A1={unclear}
             T1 -> resulted {call} need SingleUnclear
             P1 -> recollection open SingleUnclear T1
             desk D1 collect T2 pool 1 members P1
             load PL2 L1 A1=T2
             run PL2 R1 A1=pos
             T2 -> resulted positive
             P1 -> recollection closed SingleUnclear T1 by T2 positive"
        ));
    }
}

#[test]
fn a_recall_closes_only_with_a_single_tube_sampled_later() {
    let single = "12:00 load PL2 L1 A1=T2\n12:30 run PL2 R2 A1=neg\n";
    check(&positive(&format!(
        "11:00 desk D2 collect T2 pool 1 members P1
         {single}P1 -> recall closed PoolPositive T1 by T2 negative
         P2 -> recall open PoolPositive T1
         figures -> recalls=3 recalls-closed=1"
    )));
    // Sampled earlier, or at the same time.
    for at in ["08:30", "09:00"] {
        check(&positive(&format!(
            "{at} desk D2 collect T2 pool 1 members P1\n{single}P1 -> recall open PoolPositive T1"
        )));
    }
    // A pool closes nothing, not even one with a single person in it.
    check(&positive(&format!(
        "11:00 desk D2 collect T2 pool 10 members P1\n{single}P1 -> recall open PoolPositive T1"
    )));
    // Nor a single tube that holds two.
    check(&positive(&format!(
        "11:00 desk D2 collect T2 pool 1 members P1,P2\n{single}P1 -> recall open PoolPositive T1"
    )));
    // Nor one that cannot be used any more; the person comes back for that too.
    check(&positive(&format!(
        "11:00 desk D2 collect T2 pool 1 members P1
         {single}13:00 void T2 contaminated
         P1 -> recall open PoolPositive T1; recollection open TubeVoid T2"
    )));
    // Nor somebody else's.
    check(&positive(&format!(
        "11:00 desk D2 collect T2 pool 1 members P9
         {single}P1 -> recall open PoolPositive T1
         12:40 correct T2 P9 P1
         P1 -> recall closed PoolPositive T1 by T2 negative
         P9 -> nothing"
    )));
}

#[test]
fn nobody_vanishes_when_the_single_tube_fails() {
    check(&positive(
        "11:00 desk D2 collect T2 pool 1 members P1
         load PL2 L1 A1=T2
         run PL2 R1 A1=inv
         P1 -> recall closed PoolPositive T1 by T2 invalid; recollection open ResultInvalid T2
         13:00 desk D2 collect T3 pool 1 members P1
         load PL3 L1 A1=T3
         run PL3 R1 A1=neg
         P1 -> recall closed PoolPositive T1 by T2 invalid; recollection closed ResultInvalid T2 by T3 negative",
    ));
    // A positive single tube is the person's result.
    check(&positive(
        "11:00 desk D2 collect T2 pool 1 members P1
         load PL2 L1 A1=T2
         run PL2 R1 A1=pos
         T2 -> resulted positive
         P1 -> recall closed PoolPositive T1 by T2 positive",
    ));
    // The first single tube closes it.
    check(&positive(
        "12:00 desk D2 collect T3 pool 1 members P1
         11:00 desk D2 collect T4 pool 1 members P1
         13:00 load PL2 L1 A1=T3 A2=T4
         13:30 run PL2 R1 A1=neg A2=pos
         P1 -> recall closed PoolPositive T1 by T4 positive",
    ));
}

#[test]
fn who_leaves_a_tube_leaves_its_recall() {
    check(&positive("11:00 withdraw T1 P2\nP2 -> nothing\nP1 -> recall open PoolPositive T1"));
    check(&positive(
        "11:00 correct T1 P2 P9
         P2 -> nothing
         P9 -> recall open PoolPositive T1
         figures -> recalls=3",
    ));
    check(&positive("10:40 desk D1 swab T1 P4\nP4 -> recollection open TubeReused T1"));
    check(&positive("11:00 amend T1 negative\nP1 -> nothing\nfigures -> recalls=0"));
    check(&positive(
        "11:00 void T1 misread T9\nT1 -> void positive\nP1 -> nothing\nfigures -> recollections=0",
    ));
}

#[test]
fn a_recall_is_counted_where_its_tube_is() {
    check(&positive(
        "figures desk D1 -> recalls=3
         figures lab L1 -> recalls=3
         09:30 desk D2 collect T1 pool 10 members P1..P3
         T1 -> resulted positive need PoolPositive odd DesksDiffer
         figures desk D1 -> recalls=0 tubes=0
         figures desk D2 round R1 district X2 -> recalls=3 tubes=1
         figures -> recalls=3",
    ));
    check(&positive(
        "11:00 receive T1 L2
         figures lab L1 -> recalls=0
         figures lab L2 -> recalls=3",
    ));
}

#[test]
fn one_person_in_two_unclean_tubes() {
    check(&positive(
        "09:30 desk D2 collect T2 pool 10 members P1,P7
         09:40 lose T2
         P1 -> recall open PoolPositive T1; recollection open TubeLost T2
         figures -> recalls=3 recollections=2
         11:00 desk D2 collect T3 pool 1 members P1
         load PL3 L1 A1=T3
         run PL3 R1 A1=neg
         P1 -> recall closed PoolPositive T1 by T3 negative; recollection closed TubeLost T2 by T3 negative
         figures -> recalls=3 recalls-closed=1 recollections=2 recollections-closed=1",
    ));
}
