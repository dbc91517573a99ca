//! The log: a decided batch of a thousand tubes is written, chained, synced and made visible. Elements
//! are tubes. Beside it the bytes alone, in a log without anything else.

use super::tubes;
use criterion::{BatchSize, Criterion, Throughput};
use swabline::store::{BareLog, FolderKind, Options, Store, encode_event};

/// Tubes in a batch.
const TUBES: u64 = 1_000;

/// Committing.
pub fn group(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("log");
    group.throughput(Throughput::Elements(TUBES)).sample_size(20);

    let dir = tempfile::tempdir().expect("a folder");
    let mut store =
        Store::open(dir.path(), Some(FolderKind::Drill), &Options::default()).expect("a store");
    let mut next = 1;
    group.bench_function("commit_1000_tubes", |bencher| {
        bencher.iter_batched(
            || {
                next += TUBES;
                tubes::commit(next - TUBES, TUBES)
            },
            |commit| store.commit(&commit).expect("a disk that works"),
            BatchSize::PerIteration,
        );
    });
    drop(store);

    let dir = tempfile::tempdir().expect("a folder");
    let mut log = BareLog::open(dir.path()).expect("a log");
    let mut next = 1;
    group.bench_function("the_same_bytes_in_a_bare_log", |bencher| {
        bencher.iter_batched(
            || {
                next += TUBES;
                let made = (next - TUBES..next).map(|seq| encode_event(&tubes::event(seq)));
                (next - TUBES, made.collect::<Vec<_>>())
            },
            |(first, events)| log.append(first, &events).expect("a disk that works"),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}
