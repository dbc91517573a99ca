//! The simulation, held against what is known.

use super::*;
use crate::planner::example;

#[test]
fn a_city_of_25_million_is_done() {
    let model = example::city(100);
    assert_eq!(model.check(), Ok(()));
    let start = Start::whole(&model);
    let sim = Simulation::new(&model, &start);
    let mut scratch = Scratch::default();
    let t = std::time::Instant::now();
    let n = 10;
    for r in 0..n {
        let out = sim.run(1, r, &mut scratch);
        if r < 3 {
            eprintln!(
                "sampled {:.2} delivered {:.2} finish {:.3} closed {:.3} recalled {}",
                out.sampled as f64 / 3.6e6,
                out.delivered as f64 / 3.6e6,
                out.finish as f64 / 3.6e6,
                out.closed as f64 / 3.6e6,
                out.labs.iter().map(|l| l.recalled).sum::<u64>()
            );
            eprintln!("{:?}", out.labs[0].stages.map(|s| (s.runs, s.waited / 3_600_000)));
        }
        let tubes: u64 = out.streets.iter().map(|s| s.tubes).sum();
        assert_eq!(tubes, model.tubes());
    }
    eprintln!("{} ms each", t.elapsed().as_secs_f64() * 1000.0 / n as f64);
}
