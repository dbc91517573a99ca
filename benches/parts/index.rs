//! The index of people: a hundred thousand entries are sorted and become a run, and one person is
//! looked for in eight runs. Elements are entries, and look-ups.

use super::tubes;
use criterion::{Criterion, Throughput};
use std::hint::black_box;
use swabline::domain::PersonKey;
use swabline::store::BareIndex;

/// Entries of a run.
const ENTRIES: u64 = 100_000;
/// Runs that are looked through.
const RUNS: u64 = 8;

/// Building and looking.
pub fn group(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("index");
    let people: Vec<PersonKey> = (0..ENTRIES).map(tubes::person).collect();
    let dir = tempfile::tempdir().expect("a folder");
    let mut index = BareIndex::open(dir.path()).expect("an index");
    group.throughput(Throughput::Elements(ENTRIES)).sample_size(10);
    group.bench_function("run_of_100000_entries", |bencher| {
        bencher.iter(|| index.add(&people).expect("a disk that works"));
    });
    drop(index);

    let dir = tempfile::tempdir().expect("a folder");
    let mut index = BareIndex::open(dir.path()).expect("an index");
    for run in 0..RUNS {
        let people: Vec<PersonKey> =
            (run * ENTRIES..(run + 1) * ENTRIES).map(tubes::person).collect();
        index.add(&people).expect("a disk that works");
    }
    let mut number = 0;
    group.throughput(Throughput::Elements(1)).sample_size(50);
    group.bench_function("find_one_person_in_8_runs", |bencher| {
        bencher.iter(|| {
            // Any odd step visits people all over.
            number = (number + 7_919) % (RUNS * ENTRIES);
            let found = index.find(black_box(tubes::person(number))).expect("an index");
            assert_eq!(found.len(), 1);
        });
    });
    group.finish();
}
