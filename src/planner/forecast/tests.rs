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
            for seed in 1_000_000..1_000_400u64 {
                let trial = trial::Trial::new(seed, surprising);
                let now = (u64::from(trial.finish) * percent / 100) as Ms;
                let sit = trial.situation(now);
                let f = of_model(&trial.model, &trial.doubt, &sit, seed, 200).unwrap();
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
