//! The fluid, held against what is known.

use super::*;
use crate::planner::example;
use crate::planner::simulate::{Scratch as S, Simulation, Start};

#[test]
fn metropolis() {
    let model = example::city(100);
    let t = std::time::Instant::now();
    let flow = city(&model);
    eprintln!(
        "{:?} finish {:.2} closed {:.2} delivered {:.2}",
        t.elapsed(),
        flow.finish as f64 / 3.6e6,
        flow.closed as f64 / 3.6e6,
        flow.delivered as f64 / 3.6e6
    );
    let l = &flow.labs[0];
    eprintln!(
        "{:?} {:?} {:?} {:?} {:?}",
        l.finish,
        l.binding,
        l.one_more_saves.map(|s| s / 60000),
        l.units_needed,
        l.alone.map(|s| s as f64 / 3.6e6)
    );
}

#[test]
fn against_simulation() {
    let mut scratch = S::default();
    let mut worst = vec![];
    for seed in 0..200 {
        let model = example::by_chance(seed);
        if model.check().is_err() {
            eprintln!("{seed} {:?}", model.check());
            continue;
        }
        let flow = city(&model);
        let start = Start::whole(&model);
        let sim = Simulation::new(&model, &start);
        let n = 20;
        let mut sum = 0.0;
        for r in 0..n {
            sum += f64::from(sim.run(seed, r, &mut scratch).finish);
        }
        let mean = sum / n as f64;
        let err = f64::from(flow.finish) / mean - 1.0;
        let lab = flow.last_lab().unwrap();
        worst.push((
            err,
            seed,
            mean / 3.6e6,
            f64::from(flow.finish) / 3.6e6,
            flow.labs[lab].binding,
            flow.delivered as f64 / 3.6e6,
            flow.labs[lab].backlog(),
        ));
    }
    worst.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()));
    for w in worst.iter().take(25) {
        eprintln!("{w:?}");
    }
    let abs: f64 = worst.iter().map(|w| w.0.abs()).sum::<f64>() / worst.len() as f64;
    let mean: f64 = worst.iter().map(|w| w.0).sum::<f64>() / worst.len() as f64;
    eprintln!(
        "mean abs {abs} bias {mean} within3 {} within5 {}",
        worst.iter().filter(|w| w.0.abs() < 0.03).count(),
        worst.iter().filter(|w| w.0.abs() < 0.05).count()
    );
}

#[test]
fn look() {
    let mut scratch = S::default();
    for none in [true, false] {
        let (mut e1, mut e2, mut n) = (0.0, 0.0, 0.0);
        let mut list = vec![];
        for seed in 0..60u64 {
            let mut model = example::by_chance(seed);
            if none {
                model.recall.prevalence = 0.0;
            }
            let flow = city(&model);
            let start = Start::whole(&model);
            let sim = Simulation::new(&model, &start);
            let mut fin = vec![0.0; model.labs.len()];
            let mut runs = vec![[0u64; 7]; model.labs.len()];
            let mut rec = vec![0; model.labs.len()];
            for r in 0..10 {
                let o = sim.run(seed, r, &mut scratch);
                for (l, run) in o.labs.iter().enumerate() {
                    fin[l] += run.finish as f64 / 10.0 / 3.6e6;
                    rec[l] += run.recalled;
                    for k in 0..7 {
                        runs[l][k] += run.stages[k].runs;
                    }
                }
            }
            for l in 0..model.labs.len() {
                let f = &flow.labs[l];
                let err = f.finish as f64 / 3.6e6 / fin[l] - 1.0;
                e1 += err;
                e2 += err.abs();
                n += 1.0;
                list.push((err, format!("{seed}/{l} {err:.3} sim {:.2} fluid {:.2} units {:?} tubes {} plates {:.1} runs {:?} recalled {:.0} {:.0} {:?}", fin[l], f.finish as f64/3.6e6, model.labs[l].stages.clone().map(|s| s.units), f.tubes, f.tubes as f64/94.0, runs[l].map(|r| r/10), f.recalled, rec[l] as f64/10.0, f.binding)));
            }
        }
        list.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()));
        eprintln!("none {none} bias {} abs {} n {n}", e1 / n, e2 / n);
        for l in list.iter().take(14) {
            eprintln!("{}", l.1);
        }
    }
}
