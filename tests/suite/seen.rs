//! What was acknowledged is seen by every question asked after it: while it stands in memory, while it
//! moves to a file, and while files are merged. All limits are set so low that every answer crosses
//! these lines many times.

use crate::common::{code, collected, fact, person, submit};
use std::collections::HashSet;
use std::sync::Arc;
use swabline::domain::Time;
use swabline::domain::fact::{Body, Fact};
use swabline::domain::reference::Reference;
use swabline::domain::words::Code;
use swabline::engine::query::person::{PersonAnswer, person as answer, person_in_memory};
use swabline::engine::{Engine, Handle, Options, Outcome};
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

/// What is told of a person, which must be the same from memory and from the disk.
fn told(handle: &Handle, reference: &Reference, number: u64) -> (PersonAnswer, bool) {
    let (read, keys) = (handle.read(), [person(number)]);
    let told = answer(read, reference, &keys, Time(0)).unwrap();
    let in_memory = person_in_memory(read, reference, &keys, Time(0));
    assert!(in_memory.as_ref().is_none_or(|found| *found == told), "{in_memory:?} and {told:?}");
    (told, in_memory.is_some())
}

fn tube(number: u64) -> String {
    format!("T{number:05}")
}

fn sealed(tube: &str, swabs: u16) -> Body {
    Body::TubeSealed { tube: code(tube), swabs }
}

fn withdrawn(tube: &str, number: u64) -> Body {
    Body::MemberWithdrawn { tube: code(tube), person: person(number) }
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

/// Answers about people come from memory where they can, and are those of the files all the same: while
/// tubes move to a file, are changed there, leave memory because it is small, and come back to it after a
/// restart.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_from_memory_is_the_answer_of_the_files() {
    for (memory, expected) in [(1_usize << 20, true), (20_000, true), (0, false)] {
        let options =
            StoreOptions { tubes_memory_bytes: memory, index_memory_bytes: memory, ..tiny() };
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), Some(FolderKind::Live), &options).unwrap();
        let engine = Engine::start(store, &Options::default()).unwrap();
        let handle = engine.handle();
        let reference: Arc<Reference> = handle.feed().reference();
        for number in 0..40 {
            submit(&engine, &batch(number)).await;
            // Every seventh tube is told of again, and one person of it is taken out.
            let of_batch = (number * TUBES..(number + 1) * TUBES).filter(|n| n % 7 == 0);
            let later: Vec<Fact> = of_batch
                .flat_map(|n| {
                    let sealed = fact("office", 1_000 + n, sealed(&tube(n), 9));
                    [sealed, fact("office", 5_000 + n, withdrawn(&tube(n), n * 10))]
                })
                .collect();
            submit(&engine, &later).await;
            for n in (0..(number + 1) * TUBES).step_by(11) {
                let (found, _) = told(&handle, &reference, n * 10 + 3);
                assert_eq!(found.samples.len(), 1, "tube {n}");
                assert_eq!(found.samples[0].tube, Code::from(tube(n)));
                let (found, _) = told(&handle, &reference, n * 10);
                assert_eq!(found.samples.len(), usize::from(n % 7 != 0), "tube {n}");
                assert_eq!(found.taken_out_of.len(), usize::from(n % 7 == 0), "tube {n}");
            }
        }
        drop(handle);
        engine.stop().unwrap();
        let store = Store::open(dir.path(), None, &options).unwrap();
        let engine = Engine::start(store, &Options::default()).unwrap();
        let handle = engine.handle();
        let mut from_memory = 0;
        for _ in 0..100 {
            from_memory = 0;
            for n in 0..40 * TUBES {
                let (found, in_memory) = told(&handle, &handle.feed().reference(), n * 10 + 3);
                assert_eq!(found.samples.len(), 1);
                from_memory += u64::from(in_memory);
            }
            if from_memory > 0 || !expected {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        assert_eq!(from_memory > 0, expected, "with {memory} bytes");
        drop(handle);
        engine.stop().unwrap();
    }
}
