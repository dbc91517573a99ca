//! The fold: a thousand events are applied, settled, and become a layer. No disk. Elements are tubes.

use super::tubes;
use criterion::{BatchSize, Criterion, Throughput};
use swabline::domain::fact::Event;
use swabline::domain::world::World;

/// Tubes in a batch.
const TUBES: u64 = 1_000;

/// Applying and settling.
pub fn group(criterion: &mut Criterion) {
    let mut world = World::default();
    let mut group = criterion.benchmark_group("fold");
    group.throughput(Throughput::Elements(TUBES));
    group.bench_function("apply_and_settle_1000_tubes", |bencher| {
        let made = || (1..=TUBES).map(tubes::event).collect::<Vec<Event>>();
        bencher.iter_batched(
            made,
            |mut events| (tubes::fold(&mut world, &mut events), events),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}
