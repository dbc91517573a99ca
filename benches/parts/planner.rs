//! The planner: a part of a city as flows, one lab plate by plate, the bound of an assignment, and one forecast half-way. All
//! made up and always the same.

use criterion::Criterion;
use std::hint::black_box;
use swabline::planner::forecast::trial::Trial;
use swabline::planner::simulate::{Scratch, Simulation, Start};
use swabline::planner::{assign, example, fluid, forecast};

/// Lab districts of the city that is reckoned as flows.
const DISTRICTS: u32 = 25;
/// Streets and labs of the assignment.
const STREETS: usize = 1_500;
const LABS: usize = 120;
/// Draws of the forecast.
const PARTICLES: usize = 50;
/// Seed of everything.
const SEED: u64 = 7;

/// Reckoning.
pub fn group(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("planner");
    group.sample_size(20);

    let city = example::city(DISTRICTS);
    group.bench_function("fluid_of_25_lab_districts", |bencher| {
        bencher.iter(|| fluid::city(black_box(&city)));
    });

    let district = example::city(1);
    let start = Start::whole(&district);
    let simulation = Simulation::new(&district, &start);
    let (mut scratch, mut number) = (Scratch::default(), 0);
    group.bench_function("replication_of_one_lab_district", |bencher| {
        bencher.iter(|| {
            number += 1;
            simulation.run(SEED, black_box(number), &mut scratch)
        });
    });

    let problem = assign::example(STREETS, LABS, SEED);
    group.bench_function("bound_of_1500_streets_120_labs", |bencher| {
        bencher.iter(|| assign::bound(black_box(&problem)).expect("a city that can be assigned"));
    });

    let trial = Trial::new(SEED, false);
    let situation = trial.situation(trial.finish / 2);
    group.bench_function("forecast_of_a_small_round", |bencher| {
        bencher.iter(|| {
            let told = forecast::of_model(
                black_box(&trial.model),
                &trial.doubt,
                &situation,
                SEED,
                PARTICLES,
            );
            told.expect("a round under way")
        });
    });
    group.finish();
}
