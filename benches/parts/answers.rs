//! Answers: everything about a person, from a folder of twenty thousand tubes, half of them in files
//! and half still in memory.

use super::tubes;
use criterion::{Criterion, Throughput};
use std::hint::black_box;
use swabline::domain::Time;
use swabline::domain::reference::Reference;
use swabline::engine::query::person::person;
use swabline::store::{FolderKind, Options, Store};

/// Tubes in files, and as many in memory.
const TUBES: u64 = 10_000;

/// Asking.
pub fn group(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a folder");
    let open =
        || Store::open(dir.path(), Some(FolderKind::Drill), &Options::default()).expect("a store");
    let fill = |store: &mut Store, first: u64| {
        for from in (first..first + TUBES).step_by(1_000) {
            store.commit(&tubes::commit(from, 1_000)).expect("a disk that works");
        }
    };
    let mut store = open();
    fill(&mut store, 1);
    store.close().expect("closed in order");
    let mut store = open();
    fill(&mut store, TUBES + 1);

    let (read, reference) = (store.read(), Reference::default());
    let mut group = criterion.benchmark_group("answers");
    group.throughput(Throughput::Elements(1));
    for (name, first) in [("person_in_files", 1), ("person_in_memory", TUBES + 1)] {
        let mut at = 0;
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                at = (at + 7_919) % (TUBES * tubes::PEOPLE);
                let key = tubes::person(first * tubes::PEOPLE + at);
                let answer = person(&read, &reference, &[black_box(key)], Time(0));
                assert_eq!(answer.expect("an answer").samples.len(), 1);
            });
        });
    }
    group.finish();
}
