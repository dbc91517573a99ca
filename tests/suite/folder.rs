//! The folder's promises: what is acknowledged stays, once, and means the same after a restart.

use crate::common::{binary, code, collected, fact, open, seqs, small_round, submit};
use swabline::domain::counters::Counter;
use swabline::domain::discrepancy::Discrepancy;
use swabline::domain::fact::Body;
use swabline::domain::words::{Call, Status};
use swabline::engine::Outcome;
use swabline::store::{self, FolderKind, Options, Store, verify};

#[tokio::test(flavor = "multi_thread")]
async fn a_round_is_the_same_after_a_restart_and_verifies() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let first = submit(&engine, &small_round()).await;
    assert_eq!(seqs(&first), (1..=12).collect::<Vec<_>>());
    let look = |engine: &swabline::engine::Engine| {
        let handle = engine.handle();
        let tubes: Vec<_> = ["T1", "T2", "T3"]
            .map(|tube| handle.read().tube(tube).unwrap().unwrap().view())
            .to_vec();
        let people = handle.read().people_from(None, 100).unwrap();
        let seen: Vec<_> =
            (0..40).map(|n| handle.read().person_seqs(crate::common::person(n)).unwrap()).collect();
        (tubes, people, seen, handle.feed().figures().cells.clone(), handle.read().last_hash())
    };
    let before = look(&engine);
    assert_eq!(before.0[0].status, Status::Released);
    assert_eq!(before.0[0].call, Some(Call::Negative));
    assert_eq!(before.0[1].call, Some(Call::Positive));
    assert_eq!(before.0[2].status, Status::InTransit);
    assert!(before.0[2].discrepancies.has(Discrepancy::PoolOverfilled));
    assert!(before.0[2].discrepancies.has(Discrepancy::BoxTubeMissing));
    assert_eq!(before.1.len(), 10, "every member of the positive pool is recalled");
    let recalls: i64 = before.3.values().map(|cell| cell.get(Counter::RECALLS)).sum();
    assert_eq!(recalls, 10);
    engine.stop().unwrap();

    let report = verify(dir.path()).unwrap();
    assert_eq!((report.findings_total, report.sealed), (0, true), "{:?}", report.findings);
    assert_eq!(report.events, 12);

    let engine = open(dir.path());
    assert!(look(&engine) == before, "a restart changes nothing that anybody can see");
    engine.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_fact_has_the_same_outcome_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let round = small_round();
    let engine = open(dir.path());
    let mut twice = round.clone();
    twice.push(round[5].clone());
    let first = submit(&engine, &twice).await;
    let Outcome::Recorded { seq, found } = first.outcomes[5] else { panic!("{first:?}") };
    assert!(found.has(Discrepancy::PoolOverfilled));
    assert_eq!(first.outcomes[12], Outcome::Duplicate { seq, found }, "within one batch");
    let again = submit(&engine, &round).await;
    assert_eq!(again.outcomes[5], Outcome::Duplicate { seq, found }, "in a later batch");
    engine.stop().unwrap();

    let engine = open(dir.path());
    let again = submit(&engine, &round).await;
    assert_eq!(again.outcomes[5], Outcome::Duplicate { seq, found }, "after a restart");
    let mut other = round[5].clone();
    other.body = collected("T3", 20..30);
    let reused = submit(&engine, &[other, fact("desk-1", 13, collected("T4", 31..40))]).await;
    assert_eq!(reused.outcomes[0], Outcome::IdReused { seq });
    assert!(
        matches!(reused.outcomes[1], Outcome::Recorded { seq: 13, .. }),
        "the good one is recorded"
    );
    let members = engine.handle().read().tube("T3").unwrap().unwrap().view().members.len();
    assert_eq!(members, 11, "the other content changed nothing");
    engine.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_is_proven_to_stand_in_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    submit(&engine, &small_round()).await;
    submit(&engine, &[fact("desk-1", 13, collected("T4", 31..40))]).await;
    let handle = engine.handle();
    for seq in 1..=13 {
        let proof = handle.read().proof(seq).unwrap().unwrap();
        assert!(proof.holds(), "event {seq}");
        assert_eq!(proof.batch_first_seq, if seq == 13 { 13 } else { 1 });
    }
    assert_eq!(handle.read().proof(13).unwrap().unwrap().hash, handle.read().last_hash());
    assert_eq!(handle.read().proof(14).unwrap(), None);
    drop(handle);
    engine.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_after_the_close_is_recorded_and_flagged() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    submit(&engine, &small_round()).await;
    submit(&engine, &[fact("desk-1", 13, Body::RoundClosed {})]).await;
    let late = submit(&engine, &[fact("desk-1", 14, collected("T5", 31..35))]).await;
    let Outcome::Recorded { found, .. } = late.outcomes[0] else { panic!("{late:?}") };
    assert!(found.has(Discrepancy::AfterClose));
    let unknown = {
        let mut fact = fact("desk-9", 1, collected("T6", 35..36));
        fact.body = Body::TubeCollected {
            tube: code("T6"),
            pool: 10,
            desk: code("nowhere"),
            device: code(""),
            lot: code(""),
            members: vec![],
        };
        submit(&engine, &[fact]).await
    };
    let Outcome::Recorded { found, .. } = unknown.outcomes[0] else { panic!("{unknown:?}") };
    assert!(found.has(Discrepancy::UnknownDesk));
    engine.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_says_beforehand_what_would_be_odd_and_records_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    submit(&engine, &small_round()).await;
    let handle = engine.handle();
    let cases = [
        (collected("T9", 31..40), vec![]),
        (collected("T9", 31..42), vec![Discrepancy::PoolOverfilled]),
        (collected("T1", 31..32), vec![Discrepancy::TubeReused, Discrepancy::PoolOverfilled]),
        (collected("T9", 20..21), vec![Discrepancy::PersonInTwoTubes]),
        (collected("T9", 0..1), vec![]),
    ];
    for (body, expected) in cases {
        let found = handle.check(&fact("desk-1", 99, body.clone()), 0).unwrap();
        assert_eq!(found, expected.into_iter().collect(), "{body:?}");
    }
    assert_eq!(handle.read().last_seq(), 12);
    drop(handle);
    engine.stop().unwrap();
}

#[test]
fn a_second_process_on_the_same_folder_is_turned_away() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), None, &Options::default()).unwrap();
    let error = Store::open(dir.path(), None, &Options::default()).err().unwrap();
    assert!(matches!(error, store::Error::InUse(_)), "{error}");
    let verify = binary().arg("verify").arg(dir.path()).output().unwrap();
    assert_eq!(verify.status.code(), Some(1));
    let said = String::from_utf8_lossy(&verify.stderr).into_owned();
    assert!(said.contains("in use") && said.contains("正被另一进程使用"), "{said}");
    store.close().unwrap();
}

#[test]
fn folders_that_must_not_be_opened_say_why() {
    let dir = tempfile::tempdir().unwrap();
    Store::open(dir.path(), Some(FolderKind::Drill), &Options::default()).unwrap().close().unwrap();
    let error = Store::open(dir.path(), Some(FolderKind::Live), &Options::default()).err().unwrap();
    assert!(matches!(error, store::Error::OtherKind { found: "drill", .. }), "{error}");
    let description = dir.path().join("folder.toml");
    let text = std::fs::read_to_string(&description).unwrap();
    std::fs::write(&description, text.replace("format = 5", "format = 6\nshards = 4")).unwrap();
    let error = Store::open(dir.path(), None, &Options::default()).err().unwrap();
    assert!(matches!(error, store::Error::NewerFormat { found: 6, known: 5, .. }), "{error}");
    std::fs::write(&description, "format = 'one'").unwrap();
    let error = Store::open(dir.path(), None, &Options::default()).err().unwrap();
    assert!(matches!(error, store::Error::NotOurs { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_lost_acknowledged_facts_is_not_opened() {
    let (dir, early) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let engine = open(dir.path());
    submit(&engine, &small_round()[..6]).await;
    engine.stop().unwrap();
    // A copy of the databases from before, under the mark of after.
    let copy = std::process::Command::new("cp")
        .arg("-a")
        .arg(dir.path().join("state"))
        .arg(early.path())
        .status();
    assert!(copy.unwrap().success());
    let engine = open(dir.path());
    submit(&engine, &small_round()).await;
    engine.stop().unwrap();
    std::fs::remove_dir_all(dir.path().join("state")).unwrap();
    std::fs::rename(early.path().join("state"), dir.path().join("state")).unwrap();
    let error = Store::open(dir.path(), None, &Options::default()).err().unwrap();
    assert!(
        matches!(error, store::Error::AcknowledgedMissing { log_ends: 6, acknowledged: 12 }),
        "{error}"
    );
    let found = verify(dir.path()).unwrap().findings;
    assert!(found.iter().any(|finding| finding.what == "acknowledged mark"), "{found:?}");
    // Nor is it brought to a new format: what follows from the lost events stands in the old one.
    let description = dir.path().join("folder.toml");
    let old = std::fs::read_to_string(&description).unwrap().replace("format = 5", "format = 2");
    std::fs::write(&description, &old).unwrap();
    let error = Store::open(dir.path(), None, &Options::default()).err().unwrap();
    assert!(matches!(error, store::Error::AcknowledgedMissing { log_ends: 6, .. }), "{error}");
    assert!(dir.path().join("fold").exists());
    assert_eq!(std::fs::read_to_string(&description).unwrap(), old);
}
