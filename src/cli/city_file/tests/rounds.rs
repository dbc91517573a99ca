//! The built-in cities, whole, through every layer.

use crate::cli::city_file;
use crate::planner::round::Round;
use crate::planner::simulate::{Scratch, Simulation, Start};
use crate::planner::{fill, fluid, solve};

/// As they are and with their shortages filled. The layers agree within 5 % on every one of them (the worst was 3 %).
#[test]
fn every_built_in_city_is_reckoned_by_all_layers_and_they_agree() {
    for (name, _) in city_file::BUILTIN {
        let city = city_file::builtin(name).expect("built in");
        let filled = fill(&city, &solve(&city, city.target_h));
        for (what, city) in [("as it is", &city), ("filled", &filled)] {
            let round = Round::of(city).unwrap_or_else(|error| panic!("{name}, {what}: {error}"));
            let flow = fluid::city(&round.model);
            let start = Start::whole(&round.model);
            let simulation = Simulation::new(&round.model, &start);
            let mut scratch = Scratch::default();
            let runs: Vec<_> =
                (0..4).map(|number| simulation.run(1, number, &mut scratch)).collect();
            let mean = runs.iter().map(|run| f64::from(run.finish)).sum::<f64>() / 4.0;
            let off = f64::from(flow.finish) / mean - 1.0;
            assert!(off.abs() < 0.05, "{name}, {what}: {off:+.3}");
            assert!(runs.iter().all(|run| {
                let tubes: u64 = run.streets.iter().map(|street| street.tubes).sum();
                tubes == round.model.tubes()
                    && run.sampled < run.delivered
                    && run.finish <= run.closed
            }));
        }
    }
}
