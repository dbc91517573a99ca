//! The engine alone, on a real folder: whole tubes of ten people in batches, each durable when the
//! call returns. `cargo bench --bench engine`.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use swabline::domain::fact::{Body, Fact, FactId, Member};
use swabline::domain::{Code, PersonKey, Time};
use swabline::engine::{Engine, Options, Submission};
use swabline::store::{FolderKind, Options as StoreOptions, Store};

/// Tubes in one batch.
const BATCH: u64 = 1_000;

fn person(number: u64) -> PersonKey {
    let mut key = [0; 16];
    key.copy_from_slice(&blake3::hash(&number.to_be_bytes()).as_bytes()[..16]);
    PersonKey(key)
}

fn tube(number: u64) -> Submission {
    let member = |at| Member { person: person(number * 10 + at), id_check_failed: false };
    let body = Body::TubeCollected {
        tube: Code::from(format!("TB{number:010}")),
        pool: 10,
        desk: Code::from(format!("D{:04}", number % 2_000)),
        device: Code::default(),
        lot: Code::default(),
        members: (0..10).map(member).collect(),
    };
    let source = Code::from(format!("desk-{:04}", number % 2_000));
    let id = FactId { source, epoch: 1, number: number / 2_000 + 1 };
    Submission {
        fact: Fact { id, captured_at: Time(1_000), round: Code::from("R1"), body },
        clock_offset_ms: 0,
    }
}

fn commit(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let dir = tempfile::tempdir().expect("a folder");
    let store = Store::open(dir.path(), Some(FolderKind::Drill), &StoreOptions::default())
        .expect("a store");
    let engine = Engine::start(store, &Options::default()).expect("an engine");
    let handle = engine.handle();
    let mut next = 0;
    let mut group = criterion.benchmark_group("engine");
    group.throughput(Throughput::Elements(BATCH)).sample_size(20);
    group.bench_function("tubes_in_batches_of_1000", |bencher| {
        bencher.iter_batched(
            || {
                next += BATCH;
                (next - BATCH..next).map(tube).collect::<Vec<_>>()
            },
            |batch| runtime.block_on(handle.submit(batch)).expect("recorded"),
            criterion::BatchSize::PerIteration,
        );
    });
    group.finish();
    drop(handle);
    engine.stop().expect("closed in order");
}

criterion_group!(benches, commit);
criterion_main!(benches);
