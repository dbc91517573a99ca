//! On the way: boxes, reception, and the outcomes that end a tube's way.

use super::table::check;
use crate::domain::discrepancy::Discrepancies;
use crate::domain::fact::{Body, Event, Fact, FactId, Stamps};
use crate::domain::world::World;
use crate::domain::{Code, Time};

#[test]
fn the_stage_is_the_furthest_one_witnessed() {
    check(
        "09:00 desk D1 swab T1 P1
         T1 -> open
         seal T1 1
         T1 -> sealed
         pack B1 T1
         T1 -> packed
         hand B1 L1
         T1 -> intransit
         B1 -> lab L1
         box B1 L1 T1
         T1 -> received lab L1
         load PL1 L1 A1=T1
         T1 -> plated lab L1
         run PL1 R1 A1=neg
         T1 -> resulted negative
         10:00 release L1 T1
         T1 -> released negative released-at 10:00 lab L1
         figures -> tubes=1 tubes.released=1 call.negative=1 boxes=1 plates=1 runs=1
         figures lab L1 -> tubes=1 boxes=1 plates=1
         figures lab - -> tubes=0",
    );
    // Facts that were never told leave no hole: what is witnessed later speaks for what came before.
    check(
        "desk D1 collect T1 pool 10 members P1
         receive T1 L1
         pack B1 T1
         hand B1 L1
         T1 -> received lab L1",
    );
}

#[test]
fn a_tube_that_a_laboratory_has_first_awaits_its_registration() {
    check(
        "receive T1 L1
         T1 -> awaiting lab L1 members nobody
         figures -> tubes=1 tubes.awaiting=1
         desk D1 collect T1 pool 10 members P1..P2
         T1 -> received lab L1 members P1..P2
         figures -> tubes=1 tubes.awaiting=0 tubes.received=1 swabs=2",
    );
    check(
        "10:00 load PL1 L1 A1=T1
         10:30 run PL1 R1 A1=pos
         10:40 release L1 T1
         T1 -> awaiting positive need PoolPositive
         P1 -> nothing
         09:00 desk D1 collect T1 pool 10 members P1..P2
         T1 -> released positive need PoolPositive
         P1 -> recall open PoolPositive T1
         figures desk D1 -> recalls=2",
    );
}

#[test]
fn boxes_are_counted_by_how_far_they_have_come() {
    check(
        "desk D1 collect T1 pool 10 members P1
         pack B1 T1
         figures lab - -> boxes=1 boxes-packed=1 boxes-on-their-way=0 boxes-received=0
         hand B1 L1
         figures lab - -> boxes=0 boxes-packed=0
         figures lab L1 -> boxes=1 boxes-packed=0 boxes-on-their-way=1 boxes-received=0
         box B1 L2 T1
         figures lab L1 -> boxes=0 boxes-on-their-way=0
         figures lab L2 -> boxes=1 boxes-on-their-way=0 boxes-received=1",
    );
    // A second hand that does not say where to; one that says it first; another laboratory.
    for (hands, lab) in [
        ("hand B1 L1\n10:00 hand B1 -", "L1"),
        ("hand B1 -\n10:00 hand B1 L1", "L1"),
        ("hand B1 -", "-"),
        ("hand B1 L1\n10:00 hand B1 L2\n11:00 hand B1 -", "L2"),
    ] {
        check(&format!(
            "09:00 pack B1 T1\n{hands}\nfigures lab {lab} -> boxes=1 boxes-on-their-way=1"
        ));
    }
    // Nobody told of the packing, or nobody packed what was handed over: it has come as far as anybody says.
    check("hand B1 L1\nfigures lab L1 -> boxes=1 boxes-on-their-way=1");
    check("box B1 L1 T1\nfigures lab L1 -> boxes=1 boxes-received=1");
}

#[test]
fn tubes_for_one_person_are_counted_apart_by_how_far_they_have_come() {
    check(
        "09:00 desk D1 collect T1 pool 10 members P1..P2
         figures desk D1 -> tubes.sealed=1 singles.sealed=0
         10:00 desk D1 collect T2 pool 1 members P1
         figures desk D1 -> tubes.sealed=2 singles.sealed=1
         pack B1 T1 T2
         figures desk D1 -> tubes.packed=2 singles.packed=1 singles.sealed=0
         hand B1 L1
         figures desk D1 lab - -> tubes.intransit=2 singles.intransit=1
         box B1 L1 T1 T2
         figures desk D1 lab L1 -> tubes.received=2 singles.received=1
         load PL1 L1 A1=T2
         figures desk D1 lab L1 -> tubes.plated=1 singles.plated=1 singles.received=0
         run PL1 R1 A1=neg
         figures desk D1 lab L1 -> tubes.resulted=1 singles.resulted=1 tubes.received=1",
    );
    // What it is made for decides, not who is in it: a pool with one person is a pool.
    check(
        "desk D1 collect T1 pool 10 members P1
         desk D1 collect T2 pool 1 members P1,P2
         figures -> tubes.sealed=2 singles.sealed=1
         void T2 damaged
         figures -> singles.sealed=0 singles.void=1",
    );
}

#[test]
fn boxes_and_plates_may_list_tubes_before_they_are_known() {
    check(
        "pack B1 T1 T2
         hand B1 L1
         T1 -> awaiting
         desk D1 collect T1 pool 10 members P1
         T1 -> intransit members P1
         T2 -> awaiting members nobody
         figures -> tubes=2 tubes.awaiting=1 tubes.intransit=1",
    );
    check(
        "load PL1 L1 A1=T1
         T1 -> awaiting lab L1
         desk D1 collect T1 pool 10 members P1
         T1 -> plated lab L1",
    );
    // The hand-over comes before the list: the tubes listed later take it over.
    check(
        "10:05 hand B1 L1
         10:00 pack B1 T1
         09:00 desk D1 collect T1 pool 10 members P1
         T1 -> intransit",
    );
}

#[test]
fn what_was_packed_and_what_was_scanned_at_reception() {
    check(
        "desk D1 collect T1 pool 10 members P1
         desk D1 collect T2 pool 10 members P2
         desk D1 collect T3 pool 10 members P3
         pack B1 T1 T2
         hand B1 L1
         box B1 L1 T1 T3
         answer -> BoxTubeMissing,BoxTubeExtra
         T1 -> received lab L1
         T2 -> intransit odd BoxTubeMissing
         T3 -> received lab L1 odd BoxTubeExtra
         B1 -> lab L1
         figures -> odd.BoxTubeMissing=1 odd.BoxTubeExtra=1
         box B1 L1 T2      # found at the bottom
         answer -> BoxTubeExtra
         T2 -> received lab L1",
    );
    // Taken unopened: the laboratory answers for all of it.
    check(
        "desk D1 collect T1 pool 10 members P1
         pack B1 T1
         box B1 L1
         answer -> none
         T1 -> received lab L1",
    );
    // Nobody said what was packed: nothing is missing, nothing is extra.
    check(
        "desk D1 collect T1 pool 10 members P1
         hand B1 L1
         box B1 L1 T1
         T1 -> received lab L1",
    );
    // Taken unopened first, opened later: then only what was scanned is there.
    check(
        "desk D1 collect T1 pool 10 members P1
         pack B1 T1 T2
         box B1 L1
         box B1 L1 T1
         T1 -> received lab L1
         T2 -> awaiting odd BoxTubeMissing",
    );
    // Boxes that go on to another laboratory: the latest has the tubes.
    check(
        "desk D1 collect T1 pool 10 members P1
         pack B1 T1
         box B1 L1 T1
         box B1 L2 T1
         B1 -> lab L2
         T1 -> received lab L2
         figures lab L1 -> tubes=0 boxes=0",
    );
}

#[test]
fn packed_in_two_boxes() {
    check(
        "desk D1 collect T1 pool 10 members P1
         pack B1 T1
         T1 -> packed
         pack B2 T1
         T1 -> packed odd BoxesDiffer
         hand B2 L1
         T1 -> intransit odd BoxesDiffer",
    );
    check(
        "desk D1 collect T1 pool 10 members P1
         pack B1 T1
         pack B1 T1
         box B2 L1 T1
         T1 -> received lab L1",
    );
}

#[test]
fn the_latest_laboratory_has_the_tube() {
    check(
        "desk D1 collect T1 pool 10 members P1
         10:00 receive T1 L1
         11:00 receive T1 L2
         T1 -> received lab L2
         10:30 load PL1 L3 A1=T1
         T1 -> plated lab L2
         12:00 load PL2 L3 A1=T1
         T1 -> plated lab L3 odd PlatesDiffer",
    );
}

#[test]
fn a_rejected_tube_is_collected_anew() {
    check(
        "desk D1 collect T1 pool 10 members P1..P2
         reject T1 leaking by L1
         T1 -> rejected need TubeRejected lab L1
         P1 -> recollection open TubeRejected T1
         figures -> tubes.rejected=1 swabs.rejected=2 recollections=2 recalls=0",
    );
    check(
        "desk D1 collect T1 pool 10 members P1
         10:00 reject T1 overage by L1
         load PL1 L1 A1=T1
         run PL1 R1 A1=neg
         T1 -> rejected negative need TubeRejected
         11:00 release L1 T1
         T1 -> released negative odd ReleasedAfterRejected released-at 11:00
         P1 -> nothing",
    );
    // A release without a result releases nothing.
    check(
        "desk D1 collect T1 pool 10 members P1
         reject T1 noswab
         release L1 T1
         T1 -> rejected need TubeRejected odd ReleasedWithoutResult",
    );
}

#[test]
fn lost_ends_with_any_later_custody_fact() {
    let lost = "09:00 desk D1 collect T1 pool 10 members P1
                09:10 pack B1 T1
                10:00 lose T1
                T1 -> lost need TubeLost
                P1 -> recollection open TubeLost T1\n";
    check(lost);
    for (found, stands) in [
        ("11:00 receive T1 L1", "received"),
        ("11:00 box B1 L1 T1", "received"),
        ("11:00 box B1 L1", "received"),
        ("11:00 load PL1 L1 A1=T1", "plated"),
        ("11:00 pack B1 T1", "packed"),
    ] {
        check(&format!("{lost}{found}\nT1 -> {stands} odd LostThenFound\nP1 -> nothing"));
    }
    check(&format!(
        "{lost}11:00 pack B2 T1\nT1 -> packed odd LostThenFound,BoxesDiffer\nP1 -> nothing"
    ));
    // Seen before it was lost, told afterwards.
    for seen in ["09:30 receive T1 L1", "09:30 hand B1 L1", "10:00 receive T1 L1"] {
        check(&format!("{lost}{seen}\nT1 -> lost need TubeLost"));
    }
    check(&format!("{lost}11:00 receive T1 L1\n12:00 lose T1\nT1 -> lost need TubeLost"));
    check(&format!("{lost}10:30 seal T1 1\nT1 -> lost need TubeLost"));
}

#[test]
fn void_wins_over_everything() {
    check(
        "09:00 desk D1 collect T1 pool 10 members P1..P2
         10:00 receive T1 L1
         11:00 void T1 contaminated
         T1 -> void need TubeVoid members P1..P2
         P1 -> recollection open TubeVoid T1
         figures -> tubes.void=1 swabs.void=2 recollections=2
         12:00 load PL1 L1 A1=T1
         answer -> none
         run PL1 R1 A1=neg
         release L1 T1
         reject T1 leaking
         lose T1
         T1 -> void negative need TubeVoid odd UsedAfterVoid",
    );
    // The barcode was misread: the swabs are in another tube, and nobody is swabbed again.
    check(
        "desk D1 collect T1 pool 10 members P1..P2
         void T1 misread T9
         T1 -> void
         P1 -> nothing",
    );
    check(
        "09:00 desk D1 collect T1 pool 10 members P1
         09:10 desk D1 collect T1 pool 10 members P2
         T1 -> reused need TubeReused odd TubeReused
         09:20 void T1 damaged
         T1 -> void need TubeVoid odd TubeReused",
    );
    check(
        "10:00 void T1 other
         T1 -> void need TubeVoid
         10:00 receive T1 L1
         T1 -> void need TubeVoid",
    );
}

#[test]
fn the_outcomes_in_their_order() {
    check(
        "desk D1 collect T1 pool 10 members P1
         lose T1
         reject T1 leaking
         T1 -> rejected need TubeRejected odd LostThenFound",
    );
    check(
        "09:00 desk D1 collect T1 pool 10 members P1
         reject T1 leaking
         lose T1
         T1 -> rejected need TubeRejected
         08:00 desk D1 swab T1 P2
         T1 -> rejected need TubeRejected
         10:00 desk D1 swab T1 P3
         T1 -> reused need TubeReused odd TubeReused",
    );
}

/// A scanner that sends one code for every box must not make each fact as dear as all of them together.
#[test]
fn a_fact_about_a_box_touches_only_the_tubes_of_which_it_says_something_new() {
    let tube = |n: usize| Code::from(format!("T{n}"));
    let (container, lab): (Code, Code) = ("0".into(), "L1".into());
    let packed = |tubes: Vec<Code>| Body::TubesPacked { container: container.clone(), tubes };
    let handed = Body::BoxHandedOver {
        container: container.clone(),
        carrier: Code::default(),
        lab: lab.clone(),
    };
    let received =
        |tubes| Body::BoxReceived { container: container.clone(), lab: lab.clone(), tubes };
    // What happens, tubes that must be loaded for it besides those it names, and tubes that it changes.
    let cases = [
        (packed((0..1_000).map(tube).collect()), 0, 1_000),
        (packed(vec![tube(1_000)]), 0, 1),
        (packed(vec![tube(3), tube(1_001)]), 0, 2),
        (handed.clone(), 1_003, 1_002),
        (handed, 1_003, 0),
        (packed(vec![tube(1_002)]), 0, 1),
        (received(vec![]), 1_004, 1_003),
        (received(vec![tube(7)]), 1_004, 1_003),
        (packed(vec![tube(1_003)]), 1_005, 1_004),
    ];
    let mut world = World::default();
    world.load_box(container.clone(), None);
    for (number, (body, besides, changed)) in (1..).zip(cases) {
        let what = format!("{number}: {body:?}");
        let wanted: Vec<Code> = world.wants_listed(&body).cloned().collect();
        assert_eq!(wanted.len(), besides, "{what}");
        let named: Vec<Code> = body.tubes().cloned().collect();
        named.into_iter().for_each(|tube| world.load_tube(tube, None));
        let id = FactId { source: "S1".into(), epoch: 1, number };
        let captured_at = Time(1_000 * i64::try_from(number).expect("few"));
        let fact = Fact { id, captured_at, round: Code::default(), body };
        let (stamps, found) = (Stamps::default(), Discrepancies::NONE);
        world.apply(&mut Event { seq: number, fact, stamps, found });
        assert_eq!(world.changed_tubes().count(), changed, "{what}");
        let all = world.container(&container).expect("it was told of").parts(&container);
        for (tube, part) in all {
            let known = &world.tube(&tube).expect("listed").boxes;
            assert_eq!(*known, [part], "{what}: {tube}");
        }
        world.accept(usize::MAX);
    }
}
