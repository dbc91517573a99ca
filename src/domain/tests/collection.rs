//! At the desk: members, the seal, and what can be odd about a tube before it leaves.

use super::table::check;

#[test]
fn members_are_the_union_of_all_collections() {
    check(
        "09:00 desk D1 swab T1 P1
         T1 -> open members P1 pool 10 desk D1 round R1 sampled 09:00
         09:01 desk D1 swab T1 P2
         09:02 desk D1 swab T1 P3
         09:03 seal T1 3
         T1 -> sealed members P1..P3 sampled 09:00
         answer -> none
         figures -> tubes=1 tubes.sealed=1 tubes.open=0 swabs=3 swabs.sealed=3
         figures district X1 -> swabs=3
         figures site S1 -> swabs=3
         figures desk D2 -> swabs=0",
    );
    check(
        "09:00 desk D1 collect T1 pool 5 members P1..P5
         T1 -> sealed members P1..P5 pool 5 sampled 09:00",
    );
    // Swabbed one by one, then closed with more people at once.
    check(
        "desk D1 swab T1 P1
         desk D1 collect T1 pool 10 members P2..P4
         T1 -> sealed members P1..P4",
    );
    check(
        "desk D1 collect T1 pool 10 members nobody
         T1 -> sealed members nobody",
    );
}

#[test]
fn a_registration_can_be_taken_back() {
    check(
        "desk D1 collect T1 pool 10 members P1..P10
         withdraw T1 P3
         T1 -> sealed members P1,P2,P4..P10
         figures -> swabs=9",
    );
    check(
        "desk D1 collect T1 pool 10 members P1..P3
         withdraw T1 P4
         answer -> WithdrawnUnknown
         T1 -> sealed members P1..P3 odd WithdrawnUnknown",
    );
    // Taken back before the collection is known: nothing is odd about it yet, nor afterwards.
    check(
        "09:00 withdraw T1 P2
         T1 -> awaiting members nobody
         08:59 desk D1 collect T1 pool 10 members P1..P2
         T1 -> sealed members P1",
    );
}

#[test]
fn a_registration_can_be_corrected() {
    check(
        "desk D1 collect T1 pool 10 members P1..P3
         correct T1 P3 P99
         T1 -> sealed members P1,P2,P99
         figures -> swabs=3",
    );
    check(
        "desk D1 collect T1 pool 10 members P1..P3
         correct T1 P8 P99
         T1 -> sealed members P1..P3,P99 odd WithdrawnUnknown",
    );
    check(
        "desk D1 collect T1 pool 10 members P1..P3
         correct T1 P3 P4
         correct T1 P4 P5
         T1 -> sealed members P1,P2,P5",
    );
    // Corrected back: the first person is in the tube again. Nobody vanishes.
    check(
        "desk D1 collect T1 pool 10 members P1..P3
         correct T1 P3 P4
         correct T1 P4 P3
         T1 -> sealed members P1..P3",
    );
    check(
        "desk D1 collect T1 pool 10 members P1..P2
         correct T1 P2 P2
         T1 -> sealed members P1..P2",
    );
    // P2's own registration was wrong; the swab registered as P1 was P2's.
    check(
        "desk D1 collect T1 pool 10 members P1..P2
         withdraw T1 P2
         correct T1 P1 P2
         T1 -> sealed members P2",
    );
}

#[test]
fn an_eleventh_swab_is_in_the_tube() {
    check(
        "desk D1 collect T1 pool 10 members P1..P10
         T1 -> sealed members P1..P10
         desk D1 collect T2 pool 10 members P11..P21
         answer -> PoolOverfilled
         T2 -> sealed members P11..P21 odd PoolOverfilled
         figures -> odd.PoolOverfilled=1 swabs=21",
    );
    check(
        "desk D1 swab T1 P1 pool 1
         desk D1 swab T1 P2 pool 1
         answer -> PoolOverfilled
         withdraw T1 P1
         T1 -> open members P2",
    );
}

#[test]
fn the_same_person_twice_in_one_tube() {
    check(
        "desk D1 swab T1 P1
         desk D1 swab T1 P1
         T1 -> open members P1 odd MemberRepeated",
    );
    check(
        "desk D1 collect T1 pool 10 members P1,P2,P1
         T1 -> sealed members P1..P2 odd MemberRepeated",
    );
    check(
        "desk D1 swab T1 P1
         desk D1 swab T1 P2
         T1 -> open members P1..P2",
    );
    // The same people told again under a new fact id, by a desk that was not sure.
    check(
        "desk D1 collect T1 pool 10 members P1..P2
         desk D1 collect T1 pool 10 members P1..P2
         T1 -> sealed members P1..P2",
    );
}

#[test]
fn the_count_at_the_seal() {
    check(
        "desk D1 swab T1 P1
         seal T1 2
         answer -> SealCountDiffers
         T1 -> sealed members P1 odd SealCountDiffers",
    );
    check(
        "09:00 desk D1 swab T1 P1
         09:02 seal T1 2
         09:01 desk D1 swab T1 P2      # delivered late: the difference resolves itself
         T1 -> sealed members P1..P2",
    );
    check(
        "seal T1 2
         T1 -> awaiting members nobody",
    );
}

#[test]
fn collected_again_after_the_seal() {
    check(
        "09:00 desk D1 collect T1 pool 10 members P1..P10
         11:00 desk D1 collect T1 pool 10 members P11..P12
         T1 -> reused need TubeReused odd TubeReused,PoolOverfilled members P1..P12
         P1 -> recollection open TubeReused T1
         P12 -> recollection open TubeReused T1
         figures -> recollections=12 recalls=0 tubes.reused=1",
    );
    check(
        "09:00 desk D1 swab T1 P1
         09:10 seal T1 1
         09:20 desk D1 swab T1 P2
         T1 -> reused need TubeReused odd TubeReused,SealCountDiffers",
    );
    // Before the seal it is no second use, whatever arrives first.
    check(
        "09:10 seal T1 2
         09:00 desk D1 swab T1 P1
         09:05 desk D1 swab T1 P2
         T1 -> sealed members P1..P2",
    );
    // Its results are released to nobody.
    check(
        "09:00 desk D1 collect T1 pool 10 members P1..P3
         10:00 load PL1 L1 A1=T1
         10:30 run PL1 R1 A1=neg
         10:40 release L1 T1
         T1 -> released negative released-at 10:40
         10:35 desk D1 collect T1 pool 10 members P4
         T1 -> reused negative need TubeReused odd TubeReused members P1..P4
         P4 -> recollection open TubeReused T1",
    );
}

#[test]
fn ties_are_decided_by_the_fact_id() {
    // At one moment: the seal of S1/1 comes before the swab of S1/2, whichever arrives first.
    check(
        "09:00 desk D1 swab T1 P1 as S1/1
         09:05 seal T1 1 as S1/2
         09:05 desk D1 swab T1 P2 as S1/3
         T1 -> reused need TubeReused odd TubeReused,SealCountDiffers",
    );
    check(
        "09:00 desk D1 swab T1 P1 as S1/1
         09:05 seal T1 2 as S1/3
         09:05 desk D1 swab T1 P2 as S1/2
         T1 -> sealed members P1..P2",
    );
    check(
        "09:00 desk D2 swab T1 P2 as S2/1
         09:00 desk D1 swab T1 P1 as S1/9
         T1 -> open desk D2 odd DesksDiffer members P1..P2",
    );
}

#[test]
fn two_desks_for_one_tube() {
    check(
        "09:00 desk D1 swab T1 P1 pool 10
         09:10 desk D2 swab T1 P2 pool 5 round R2
         T1 -> open desk D2 pool 5 round R2 odd DesksDiffer members P1..P2 sampled 09:00
         figures desk D1 -> tubes=0 swabs=0
         figures desk D2 -> tubes=1 swabs=2 odd.DesksDiffer=1
         figures round R1 -> tubes=0",
    );
    check(
        "desk D1 swab T1 P1
         desk D1 swab T1 P2
         T1 -> open desk D1 members P1..P2",
    );
}

#[test]
fn what_was_stamped_on_a_fact_stands_on_its_records() {
    check(
        "desk D1 collect T1 pool 10 members P1 !LotExpired,IdentityCheckDigit
         answer -> LotExpired,IdentityCheckDigit
         T1 -> sealed odd LotExpired,IdentityCheckDigit
         desk D1 collect T2 pool 10 members P2
         T2 -> sealed
         pack B1 T1 T2 !ClockSkewed
         answer -> ClockSkewed
         B1 -> odd ClockSkewed
         T2 -> packed
         T1 -> packed odd LotExpired,IdentityCheckDigit
         load PL1 L1 A1=T2 !KitExpired
         PL1 -> lab L1 odd KitExpired
         T2 -> plated
         figures -> odd.LotExpired=1 odd.ClockSkewed=1 odd.KitExpired=1",
    );
}
