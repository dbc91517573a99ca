//! The forecast, held against rounds whose end is known.

use super::*;
use crate::planner::model::Ms;

#[test]
fn look() {
    for (surprising, name) in [(false, "modelled"), (true, "unmodelled")] {
        for percent in [25u64, 50, 75] {
            let (mut bias, mut abs, mut width, mut cover, mut early, mut n) =
                (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
            let mut bad = vec![];
            for seed in 0..150u64 {
                let trial = trial::Trial::new(seed, surprising);
                let now = (u64::from(trial.finish) * percent / 100) as Ms;
                let sit = trial.situation(now);
                let f = of_model(&trial.model, &trial.doubt, &sit, seed, 100).unwrap();
                let e = f64::from(f.finish.p50) / f64::from(trial.finish) - 1.0;
                let w = f64::from(f.finish.p90 - f.finish.p10) / f64::from(trial.finish);
                bias += e;
                abs += e.abs();
                width += w;
                n += 1.0;
                if (f.finish.p10..=f.finish.p90).contains(&trial.finish) {
                    cover += 1.0
                } else if trial.finish < f.finish.p10 {
                    early += 1.0
                }
                let belief = Belief::learn(&trial.model, &trial.doubt, &sit);
                let pace: Vec<f64> =
                    belief.pace.iter().map(|g| g.iter().map(|p| p.log * p.weight).sum()).collect();
                let psd: Vec<f64> = belief
                    .pace
                    .iter()
                    .map(|g| {
                        let m: f64 = g.iter().map(|p| p.log * p.weight).sum();
                        g.iter().map(|p| (p.log - m).powi(2) * p.weight).sum::<f64>().sqrt()
                    })
                    .collect();
                bad.push((e, format!("{seed} e {e:.3} w {w:.3} finish {:.2} p50 {:.2} pace {:.3?} sd {:.3?} truth {:.3?} late {:.3} truth {:.3} regime {:?}", trial.finish as f64/3.6e6, f.finish.p50 as f64/3.6e6, pace, psd, trial.truth_pace(), belief.late.iter().map(|g| g.0*g.2).sum::<f64>(), trial.truth_late(), f.regime)));
            }
            eprintln!(
                "{name} {percent}: bias {:.3} abs {:.3} width {:.3} cover {:.2} early {:.2}",
                bias / n,
                abs / n,
                width / n,
                cover / n,
                early / n
            );
            if !surprising {
                bad.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()));
                for b in bad.iter().take(8) {
                    eprintln!("   {}", b.1);
                }
            }
        }
    }
}

#[test]
fn one() {
    for seed in [36u64, 39, 14] {
        let trial = trial::Trial::new(seed, false);
        let now = (u64::from(trial.finish) * 75 / 100) as Ms;
        let sit = trial.situation(now);
        let last = sit.readings.last().unwrap();
        eprintln!(
            "{seed} now {:.2} finish {:.2} {:?}",
            now as f64 / 3.6e6,
            trial.finish as f64 / 3.6e6,
            last.labs
        );
        eprintln!(
            "  tubes {:?} {:?}",
            trial.model.streets.iter().map(|s| s.tubes()).collect::<Vec<_>>(),
            last.streets
        );
        let end = trial.situation(trial.finish + 1);
        eprintln!(
            "  end {:?} {:?}",
            end.readings.last().unwrap().streets,
            end.readings.last().unwrap().labs
        );
        for s in &trial.model.labs {
            eprintln!("  {:?}", s.stages.clone().map(|s| (s.units, s.run / 60000)));
        }
        let belief = Belief::learn(&trial.model, &trial.doubt, &sit);
        let (drawn, start) = particle(&belief, &trial.model, &trial.doubt, &sit, 1, 1);
        for l in &start.labs {
            eprintln!("  waiting {:?}\n  running {:?}", l.waiting, l.running);
        }
        let k = Kept::of(&drawn, &start, 1, 1, now, &mut Scratch::default());
        eprintln!(
            "  {:.2} {:.2} {:.2}",
            k.sampled as f64 / 3.6e6,
            k.delivered as f64 / 3.6e6,
            k.finish as f64 / 3.6e6
        );
    }
}

#[test]
fn start_only() {
    for percent in [0u64, 8, 15, 25, 50, 75] {
        let (mut bias, mut abs, mut n, mut pb, mut pn) = (0.0, 0.0, 0.0, 0.0, 0.0);
        let mut lb = 0.0;
        for seed in 0..150u64 {
            let trial = trial::Trial::new(seed, false);
            let now = (u64::from(trial.finish) * percent / 100) as Ms;
            let sit = trial.situation(now);
            let belief =
                Belief::learn(&trial.truth, &Doubt { lab_pace: 1e-6, ..trial.doubt }, &sit);
            let drawn = Drawn {
                model: trial.truth.clone(),
                late: trial.truth.streets.iter().map(|s| s.late_share).collect(),
                inside: belief.pace.iter().map(|g| &g[6].replay).collect(),
            };
            let mut scratch = Scratch::default();
            let mut sum = 0.0;
            for k in 0..20 {
                let start = if percent == 0 {
                    Start::whole(&drawn.model)
                } else {
                    begin::start(&drawn, &sit, Stream::of(seed, k, Cause::Parameter, 1).below(1))
                };
                sum +=
                    f64::from(Kept::of(&drawn, &start, seed, k, now, &mut scratch).finish) / 20.0;
            }
            let e = sum / f64::from(trial.finish) - 1.0;
            bias += e;
            abs += e.abs();
            n += 1.0;
            let belief = Belief::learn(&trial.model, &trial.doubt, &sit);
            for (g, t) in belief.pace.iter().zip(trial.truth_pace()) {
                pb += g.iter().map(|p| p.log * p.weight).sum::<f64>() - t;
                pn += 1.0;
            }
            lb += belief.late.iter().map(|g| g.0 * g.2).sum::<f64>() - trial.truth_late();
        }
        eprintln!(
            "truth known {percent}: bias {:.4} abs {:.4}; pace learned less truth {:.4}; late {:.3}",
            bias / n,
            abs / n,
            pb / pn,
            lb / n
        );
    }
}

#[test]
fn through() {
    let mut sums = vec![[0.0f64; 6]; 8];
    for seed in 0..100u64 {
        let trial = trial::Trial::new(seed, false);
        let now = (u64::from(trial.finish) * 25 / 100) as Ms;
        let sit = trial.situation(now);
        let belief = Belief::learn(&trial.truth, &Doubt { lab_pace: 1e-6, ..trial.doubt }, &sit);
        let drawn = Drawn {
            model: trial.truth.clone(),
            late: trial.truth.streets.iter().map(|s| s.late_share).collect(),
            inside: belief.pace.iter().map(|g| &g[6].replay).collect(),
        };
        let mut scratch = Scratch::default();
        let start = begin::start(&drawn, &sit, Stream::of(seed, 1, Cause::Parameter, 1).below(1));
        let mut streets = vec![Default::default(); drawn.model.streets.len()];
        let sim = Simulation::new(&drawn.model, &start);
        let l0 = sit.readings.last().unwrap().labs[0];
        let mut outs: Vec<(usize, Ms, u32)> = vec![];
        for (i, r) in start.labs[0].running.iter().enumerate() {
            for x in r {
                outs.push((i, x.1, x.2));
            }
        }
        sim.lab(0, seed, 1, &mut scratch, &mut streets, &mut |k, lot| {
            outs.push((k.index(), lot.ready, lot.tubes))
        });
        let boxes: Vec<_> = sim.boxes(&scratch).collect();
        for h in 0..8u32 {
            let t = now + h * 3_600_000;
            let truth = trial.situation(t).readings.last().unwrap().labs[0];
            let cum = |k: usize| {
                outs.iter().filter(|o| o.0 == k && o.1 <= t).map(|o| u64::from(o.2)).sum::<u64>()
            };
            sums[h as usize][0] += truth.received as f64;
            sums[h as usize][1] += (l0.received
                + boxes.iter().filter(|b| b.at <= t).map(|b| u64::from(b.tubes)).sum::<u64>())
                as f64;
            sums[h as usize][2] += truth.plated as f64;
            sums[h as usize][3] += (l0.plated + cum(2)) as f64;
            sums[h as usize][4] += truth.resulted as f64;
            sums[h as usize][5] += (l0.resulted + cum(6)) as f64;
        }
    }
    for s in sums {
        eprintln!("{:?}", s.map(|x| (x / 100.0).round()));
    }
}
