//! What the parts cost by themselves, each without the others: `cargo bench --bench parts`, or one
//! group of them with `cargo bench --bench parts -- wire`.

mod wire;

use criterion::{criterion_group, criterion_main};

criterion_group!(benches, wire::group);
criterion_main!(benches);
