//! What the parts cost by themselves, each without the others: `cargo bench --bench parts`, or one
//! group of them with `cargo bench --bench parts -- wire`. In the order of the way of a fact; the planner comes last.

mod answers;
mod fold;
mod index;
mod log;
mod planner;
mod tubes;
mod wire;

use criterion::{criterion_group, criterion_main};

/// The allocator of the service.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

criterion_group!(
    benches,
    wire::group,
    fold::group,
    log::group,
    index::group,
    answers::group,
    planner::group
);
criterion_main!(benches);
