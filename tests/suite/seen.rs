//! What was acknowledged is seen by every question asked after it: while it stands in memory, while it
//! moves to a file, and while files are merged. All limits are set so low that every answer crosses
//! these lines many times.

use crate::common::{collected, fact, person, submit};
use std::collections::HashSet;
use swabline::domain::fact::{Body, Fact};
use swabline::domain::words::{Condition, Status};
use swabline::engine::{Engine, Options, Outcome};
use swabline::store::{FolderKind, Options as StoreOptions, Store, verify};

const BATCHES: u64 = 150;
const TUBES: u64 = 20;

fn tiny() -> StoreOptions {
    StoreOptions {
        index_run_entries: 700,
        index_pending_max: 20_000,
        records_run: 70,
        records_pending_max: 2_000,
        ..StoreOptions::default()
    }
}

fn tube(number: u64) -> String {
    format!("T{number:05}")
}

fn batch(number: u64) -> Vec<Fact> {
    let tubes = number * TUBES..(number + 1) * TUBES;
    let one = |n: u64| {
        let source = format!("desk-{}", number % 7);
        fact(&source, n + 1, collected(&tube(n), n * 10..n * 10 + 10))
    };
    tubes.map(one).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_question_sees_what_was_acknowledged_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), Some(FolderKind::Live), &tiny()).unwrap();
    let engine = Engine::start(store, &Options::default()).unwrap();
    let handle = engine.handle();
    let read = handle.read();
    for number in 0..BATCHES {
        let receipt = submit(&engine, &batch(number)).await;
        assert_eq!(receipt.outcomes.len() as u64, TUBES);
        // The newest batch, and one from long ago.
        for asked in [number, number / 2, number * 7_919 % (number + 1)] {
            let n = asked * TUBES + number % TUBES;
            let record = read.tube(&tube(n)).unwrap().expect("a tube that was acknowledged");
            assert_eq!(record.view().members.len(), 10);
            let member = person(n * 10 + number % 10);
            assert!(record.view().members.contains(&member), "its own people, not stand-ins");
            let seqs = read.person_seqs(member).unwrap();
            assert_eq!(seqs.len(), 1, "person {} after batch {number}", n * 10);
            let event = read.event(seqs[0]).unwrap().unwrap();
            assert_eq!(event.fact.body.tube().unwrap().as_str(), tube(n));
        }
        // What comes of a tube later comes to the record that there is, wherever it stands by now.
        let old = number * 7_907 % (number + 1) * TUBES + number % TUBES;
        let lab = Body::TubeReceived {
            tube: tube(old).into(),
            lab: "L1".into(),
            condition: Condition::Good,
        };
        submit(&engine, &[fact("lab-1", number + 1, lab)]).await;
        let view = read.tube(&tube(old)).unwrap().unwrap().view();
        assert_eq!((view.status, view.members.len()), (Status::Received, 10), "{}", tube(old));
        // Sent again it is known, wherever it stands by now.
        let again = submit(&engine, &batch(number * 31 % (number + 1))).await;
        let known = |outcome: &Outcome| matches!(outcome, Outcome::Duplicate { .. });
        assert!(again.outcomes.iter().all(known), "{:?}", again.outcomes);
        if number % 25 == 0 {
            let view = read.view();
            let (mut tubes, mut people) = (HashSet::new(), 0);
            let mut note = |code, _| assert!(tubes.insert(code), "a tube is told once");
            view.for_each_tube(&mut note).unwrap();
            view.for_each_person_entry(&mut |_, _| people += 1).unwrap();
            let all = (number + 1) * TUBES;
            assert_eq!((tubes.len() as u64, people), (all, all * 10), "a look at everything");
        }
    }
    let gauges: std::collections::HashMap<_, _> = read.gauges().into_iter().collect();
    assert!(gauges["index_runs_people"] > 0, "runs were written meanwhile: {gauges:?}");
    assert!(read.records_to().unwrap() > 0, "and files of records");
    drop(handle);
    engine.stop().unwrap();
    assert_eq!(verify(dir.path()).unwrap().findings_total, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tube_that_was_only_collected_is_known_after_a_restart_however_its_folder_was_left() {
    let dir = tempfile::tempdir().unwrap();
    let mut at = 0;
    for crashed in [false, true, false] {
        let store = Store::open(dir.path(), Some(FolderKind::Live), &tiny()).unwrap();
        let engine = Engine::start(store, &Options::default()).unwrap();
        // Until all tubes are noted, what is not noted is asked of the files; after that it is new.
        std::thread::sleep(std::time::Duration::from_millis(300));
        for old in (0..at).step_by(13) {
            let lab = Body::TubeReceived {
                tube: tube(old).into(),
                lab: "L1".into(),
                condition: Condition::Good,
            };
            submit(&engine, &[fact("lab-1", at * 10_000 + old, lab)]).await;
            let view = engine.handle().read().tube(&tube(old)).unwrap().unwrap().view();
            assert_eq!((view.status, view.members.len()), (Status::Received, 10), "{}", tube(old));
        }
        for number in 0..20 {
            submit(&engine, &batch(at / TUBES + number)).await;
        }
        at += 20 * TUBES;
        if crashed {
            // The folder as it lies on the disk when nothing moves, without a stop in order.
            std::thread::sleep(std::time::Duration::from_secs(2));
            let copy = tempfile::tempdir().unwrap();
            let status = std::process::Command::new("cp")
                .args(["-a", "--"])
                .arg(dir.path())
                .arg(copy.path().join("folder"))
                .status();
            assert!(status.unwrap().success());
            engine.stop().unwrap();
            std::fs::remove_dir_all(dir.path()).unwrap();
            std::fs::rename(copy.path().join("folder"), dir.path()).unwrap();
        } else {
            engine.stop().unwrap();
            assert_eq!(verify(dir.path()).unwrap().findings_total, 0);
        }
    }
}
