//! In the laboratory: plates, runs, reviews, releases.

use super::table::check;

const PLATED: &str = "09:00 desk D1 collect T1 pool 10 members P1..P3
                      10:00 load PL1 L1 A1=T1\n";

fn plated(lines: &str) -> String {
    format!("{PLATED}{lines}")
}

#[test]
fn plate_before_run_and_run_before_plate() {
    check(&plated("10:30 run PL1 R1 A1=neg\nT1 -> resulted negative\nPL1 -> lab L1 runs 1"));
    check(
        "10:30 run PL1 R1 A1=neg
         answer -> RunWithoutPlate
         PL1 -> runs 1 odd RunWithoutPlate
         09:00 desk D1 collect T1 pool 10 members P1
         T1 -> sealed
         10:00 load PL1 L1 A1=T1
         answer -> none
         PL1 -> lab L1 runs 1
         T1 -> resulted negative lab L1
         figures -> odd.RunWithoutPlate=0 runs=1",
    );
}

#[test]
fn each_call_and_what_it_asks_for() {
    for (reading, call, need) in [
        ("pos", "positive", "PoolPositive"),
        ("one", "single-target", "PoolSingleTarget"),
        ("grey", "grey", "PoolGrey"),
        ("inv", "invalid", "ResultInvalid"),
        ("neg", "negative", "none"),
    ] {
        check(&plated(&format!("run PL1 R1 A1={reading}\nT1 -> resulted {call} need {need}")));
    }
    // The other kit has no grey zone, a later cut-off and no internal control.
    for (reading, call, need) in [
        ("pos", "positive", "PoolPositive"),
        ("grey", "single-target", "PoolSingleTarget"),
        ("inv", "negative", "none"),
    ] {
        check(&format!(
            "desk D1 collect T1 pool 10 members P1
             load PL1 L1 kit K2 A1=T1
             run PL1 R1 kit K2 A1={reading}
             T1 -> resulted {call} need {need}"
        ));
    }
}

#[test]
fn of_several_runs_the_worst_stands_and_the_release_is_held() {
    let order = ["pos", "one", "grey", "inv", "neg"];
    let calls = ["positive", "single-target", "grey", "invalid", "negative"];
    let needs = ["PoolPositive", "PoolSingleTarget", "PoolGrey", "ResultInvalid", "none"];
    for worse in 0..order.len() {
        for better in worse..order.len() {
            let held = if worse == better { "" } else { "held odd RunsDisagree" };
            check(&plated(&format!(
                "run PL1 R1 A1={}\nrun PL1 R2 A1={}\nT1 -> resulted {} need {} {held}",
                order[better], order[worse], calls[worse], needs[worse]
            )));
        }
    }
    check(&plated(
        "run PL1 R1 A1=neg
         run PL1 R2 A1=pos
         release L1 T1
         answer -> RunsDisagree,ReleaseHeld
         T1 -> resulted positive held need PoolPositive odd RunsDisagree,ReleaseHeld",
    ));
}

#[test]
fn runs_whose_controls_failed_do_not_count() {
    check(&plated(
        "run PL1 R1 A1=pos controls failed
         answer -> ControlsFailed
         PL1 -> lab L1 runs 1 odd ControlsFailed
         T1 -> plated
         run PL1 R2 A1=neg
         T1 -> resulted negative
         PL1 -> lab L1 runs 2 odd ControlsFailed",
    ));
    // A plate without controls proves nothing.
    check(
        "desk D1 collect T1 pool 10 members P1
         load PL1 L1 A1=T1 bare
         run PL1 R1 A1=neg
         PL1 -> lab L1 runs 1 odd ControlsFailed
         T1 -> plated",
    );
    check(
        "desk D1 collect T1 pool 10 members P1
         load PL1 L1 A1=T1 bare pos blank
         run PL1 R1 A1=neg
         T1 -> resulted negative",
    );
}

#[test]
fn a_run_that_lacks_a_target_calls_nothing_negative() {
    check(&plated(
        "run PL1 R1 A1=neg targets ORF1ab,N
         answer -> TargetMissing
         PL1 -> lab L1 runs 1 odd TargetMissing
         T1 -> resulted invalid need ResultInvalid",
    ));
    // Without the second target the positive control is not detected in all of them.
    check(&plated(
        "run PL1 R1 A1=2500/2800 targets ORF1ab,IC
         PL1 -> lab L1 runs 1 odd TargetMissing,ControlsFailed
         T1 -> plated",
    ));
}

#[test]
fn a_run_without_a_reading_of_the_tube_says_nothing_of_it() {
    check(&plated("run PL1 R1 A2=pos\nT1 -> plated\nrun PL1 R2 A1=neg\nT1 -> resulted negative"));
}

#[test]
fn a_run_told_twice_counts_as_it_was_told_last() {
    check(&plated(
        "10:30 run PL1 R1 A1=neg
         10:40 run PL1 R1 A1=one
         PL1 -> lab L1 runs 1
         T1 -> resulted single-target need PoolSingleTarget",
    ));
}

#[test]
fn a_review_that_names_its_runs_decides() {
    let disagree = "10:30 run PL1 R1 A1=neg\n10:40 run PL1 R2 A1=pos\n10:50 run PL1 R3 A1=neg\n";
    check(&plated(&format!(
        "{disagree}
         T1 -> resulted positive held need PoolPositive odd RunsDisagree
         P1 -> recall open PoolPositive T1
         11:00 review T1 R1,R3
         T1 -> resulted negative
         P1 -> nothing"
    )));
    check(&plated(&format!(
        "{disagree}11:00 review T1 R1,R2\nT1 -> resulted positive need PoolPositive"
    )));
    check(&plated(&format!(
        "{disagree}11:00 review T1 R1,R2 grey\nT1 -> resulted grey need PoolGrey"
    )));
    check(&plated(&format!("{disagree}11:00 review T1 - negative\nT1 -> resulted negative")));
    check(&plated(&format!(
        "{disagree}11:00 review T1 R1,R9
         T1 -> resulted negative odd ReviewNamesUnknownRun"
    )));
    // It names no run that counts and gives no call: nothing is decided.
    check(&plated(&format!(
        "{disagree}11:00 review T1 R9
         T1 -> resulted positive held need PoolPositive odd RunsDisagree,ReviewNamesUnknownRun"
    )));
    // The latest review decides, whichever arrives first.
    check(&plated(&format!(
        "{disagree}11:10 review T1 R1\n11:00 review T1 R2\nT1 -> resulted negative"
    )));
    check(&plated(
        "10:30 run PL1 R1 A1=pos controls failed
         11:00 review T1 R1
         T1 -> plated odd ReviewNamesUnknownRun",
    ));
}

#[test]
fn a_review_decides_nothing_that_it_cannot_have_seen() {
    let reviewed = "10:30 run PL1 R1 A1=neg\n10:40 run PL1 R2 A1=pos\n11:00 review T1 R1\n";
    check(&plated(&format!(
        "{reviewed}T1 -> resulted negative
         11:30 run PL1 R3 A1=neg
         T1 -> resulted negative
         11:40 run PL1 R4 A1=one
         T1 -> resulted single-target held need PoolSingleTarget odd RunsDisagree
         12:00 review T1 R4
         T1 -> resulted single-target need PoolSingleTarget"
    )));
    check(&plated(&format!(
        "{reviewed}11:10 release L1 T1
         T1 -> released negative
         11:40 run PL1 R4 A1=pos
         T1 -> resulted positive held need PoolPositive odd RunsDisagree,ReleasedThenChanged
         P1 -> recall open PoolPositive T1"
    )));
    // Clocks of a laboratory differ by seconds: a run that the review names, it has seen.
    check(&plated(
        "10:30 run PL1 R1 A1=neg
         11:00 review T1 R1,R2 negative
         11:00:05 run PL1 R2 A1=grey
         T1 -> resulted negative",
    ));
}

#[test]
fn an_amended_result() {
    check(&plated(
        "10:30 run PL1 R1 A1=pos
         11:00 amend T1 negative
         T1 -> resulted negative
         11:10 amend T1 grey
         T1 -> resulted grey need PoolGrey
         11:20 review T1 R1
         T1 -> resulted positive need PoolPositive",
    ));
    check("desk D1 collect T1 pool 10 members P1\namend T1 negative\nT1 -> resulted negative");
    check(&plated(
        "10:30 amend T1 negative
         11:00 run PL1 R1 A1=pos
         T1 -> resulted positive held need PoolPositive odd RunsDisagree",
    ));
}

#[test]
fn released() {
    check(&plated(
        "10:30 run PL1 R1 A1=neg
         11:00 release L1 T1
         T1 -> released negative released-at 11:00
         12:00 release L1 T1
         T1 -> released negative released-at 11:00",
    ));
    check(&plated(
        "11:00 release L1 T1
         answer -> ReleasedWithoutResult
         T1 -> plated odd ReleasedWithoutResult
         10:30 run PL1 R1 A1=neg
         T1 -> released negative released-at 11:00",
    ));
    // Held when it was released; what the review decided is better and has to be released itself.
    check(&plated(
        "10:30 run PL1 R1 A1=neg
         10:40 run PL1 R2 A1=grey
         11:00 release L1 T1
         T1 -> resulted grey held need PoolGrey odd RunsDisagree,ReleaseHeld
         11:30 review T1 R1
         T1 -> resulted negative
         11:40 release L1 T1
         T1 -> released negative released-at 11:40",
    ));
}

#[test]
fn a_worse_result_after_release() {
    check(&plated(
        "10:30 run PL1 R1 A1=neg
         11:00 release L1 T1
         P1 -> nothing
         12:00 run PL1 R2 A1=pos
         T1 -> resulted positive held need PoolPositive odd RunsDisagree,ReleasedThenChanged
         P1 -> recall open PoolPositive T1
         P3 -> recall open PoolPositive T1
         figures -> recalls=3 tubes.released=0 odd.ReleasedThenChanged=1",
    ));
    check(&plated(
        "10:30 run PL1 R1 A1=neg
         11:00 release L1 T1
         12:00 amend T1 positive
         T1 -> released positive need PoolPositive odd ReleasedThenChanged
         P1 -> recall open PoolPositive T1",
    ));
    // A better result is given out by a release of its own; a run whose controls failed is none.
    check(&plated(
        "10:30 run PL1 R1 A1=pos
         11:00 release L1 T1
         12:00 amend T1 negative
         T1 -> resulted negative
         12:10 release L1 T1
         T1 -> released negative released-at 12:10",
    ));
    // A release before there was anything to release gives nothing out.
    check(&plated(
        "10:20 release L1 T1
         10:30 run PL1 R1 A1=neg
         T1 -> resulted negative odd ReleasedWithoutResult",
    ));
    check(&plated(
        "10:30 run PL1 R1 A1=neg
         11:00 release L1 T1
         12:00 run PL1 R2 A1=pos controls failed
         T1 -> released negative",
    ));
}

#[test]
fn a_tube_on_two_plates() {
    check(&plated(
        "10:30 run PL1 R1 A1=neg
         11:00 load PL2 L2 kit K2 B7=T1
         T1 -> resulted negative lab L2 odd PlatesDiffer
         run PL2 R2 kit K2 B7=neg
         T1 -> resulted negative lab L2 odd PlatesDiffer
         run PL2 R3 kit K2 B7=pos
         T1 -> resulted positive held need PoolPositive odd PlatesDiffer,RunsDisagree
         figures -> plates=2 runs=3",
    ));
}

#[test]
fn one_plate_loaded_twice() {
    check(
        "desk D1 collect T1 pool 10 members P1
         desk D1 collect T2 pool 10 members P2
         load PL1 L1 A1=T1
         load PL1 L2 A2=T1 A3=T2
         answer -> PlateReloaded
         PL1 -> lab L2 odd PlateReloaded
         run PL1 R1 A1=pos A2=neg A3=neg
         T1 -> resulted negative lab L2      # the latest loading says where it stands
         T2 -> resulted negative",
    );
}

#[test]
fn several_tubes_in_one_well() {
    check(
        "desk D1 collect T1 pool 10 members P1
         desk D1 collect T2 pool 10 members P2
         desk D1 collect T3 pool 10 members P3
         load PL1 L1 A1=T1 A1=T2 A2=T3
         answer -> PoolOfPools
         PL1 -> lab L1 odd PoolOfPools
         T1 -> plated odd PoolOfPools
         T3 -> plated
         run PL1 R1 A1=pos A2=neg
         T2 -> resulted positive held need PoolPositive odd PoolOfPools
         release L1 T2
         answer -> PoolOfPools,ReleaseHeld
         T2 -> resulted positive held need PoolPositive odd PoolOfPools,ReleaseHeld
         review T2 R1
         T2 -> released positive need PoolPositive odd PoolOfPools",
    );
    // One tube listed twice in one well is not mixed with another.
    check(&plated("load PL2 L1 A1=T4 A1=T4\nPL2 -> lab L1\nT4 -> awaiting"));
}

#[test]
fn one_tube_in_several_wells_has_the_worst_of_them() {
    for wells in ["A1=neg A2=pos", "A1=pos A2=neg"] {
        check(&format!(
            "desk D1 collect T1 pool 10 members P1
             load PL1 L1 A1=T1 A2=T1
             run PL1 R1 {wells}
             T1 -> resulted positive need PoolPositive"
        ));
    }
}

#[test]
fn a_kit_that_was_unknown_is_judged_again() {
    let unknown = "09:00 desk D1 collect T1 pool 10 members P1
                   10:00 load PL1 L1 kit K3 A1=T1 !KitUnknown
                   10:30 run PL1 R1 A1=neg
                   PL1 -> lab L1 runs 1 odd KitUnknown
                   T1 -> plated\n";
    check(unknown);
    // A rule of another kit is not this plate's.
    check(&format!("{unknown}11:00 reassess PL1 K1\nT1 -> plated"));
    let known = "09:00 desk D1 collect T1 pool 10 members P1
                 10:00 load PL1 L1 kit K2 A1=T1
                 10:30 run PL1 R1 targets E,RdRp A1=pos
                 T1 -> resulted positive need PoolPositive
                 11:00 reassess PL1 K2
                 T1 -> resulted positive need PoolPositive\n";
    check(known);
    // Another kit on the same plate later keeps its own rule.
    check(&format!(
        "{known}12:00 load PL1 L1 kit K1 A1=T1
         12:30 run PL1 R2 A1=grey
         T1 -> resulted grey need PoolGrey"
    ));
    // So does a later loading with the same kit; the earlier one was judged again.
    let again = "09:00 desk D1 collect T1 pool 10 members P1
                 09:00 desk D1 collect T2 pool 10 members P2
                 10:00 load PL1 L1 A1=T1
                 10:30 run PL1 R1 A1=grey
                 T1 -> resulted grey need PoolGrey
                 11:00 reassess PL1 K1/2
                 T1 -> resulted single-target need PoolSingleTarget\n";
    check(again);
    check(&format!("{again}12:00 load PL1 L1 A1=T2\nT2 -> resulted grey need PoolGrey"));
    check("reassess PL1 K1\nPL1 -> odd RunWithoutPlate");
}
