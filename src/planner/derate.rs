//! How much less than its nameplate a lab does.
//!
//! The derate of a lab is taken as a beta with a heavy lower tail: most labs lie close around the mean of the norm pack
//! (Xi'an's labs did 0.81 to 0.90 of what they had reported, by the lag that is assumed), none does more than it can, and a
//! few are overloaded and do much less. That few, and how much less, are assumed: a tenth of the labs, a fifth slower on
//! average, with twice the spread. What is known of it: the rate that Xi'an's labs had on 27 December 2021 is 12 to 14 %
//! too much for the round two days before (`tests/xian.rs`), which is nothing rare here and was two standard deviations
//! under a lognormal of the same spread.

use super::simulate::Stream;

/// Share of the labs that are overloaded.
const OVERLOADED: f64 = 0.1;
/// Their mean over that of the others.
const OVERLOADED_PACE: f64 = 0.8;
/// Their spread over that of the others.
const OVERLOADED_SPREAD: f64 = 2.0;
/// Spread of the labs that this is taken from (the norm packs': 0.06 of 0.85). Of labs that are known better the overloaded are
/// overloaded by as much less: of those of a drill, which keep their pace, none does a fifth less.
const USUAL_SPREAD: f64 = 0.07;
/// A lab that does all that its numbers say, as those of a drill do, still has some doubt below it.
const MEAN_MAX: f64 = 0.995;
/// A beta is never so wide that it piles up at its ends.
const SHAPE_MIN: f64 = 1.1;
/// Points by which densities are added up.
const FINE: usize = 4_000;

/// The derate of labs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Derate {
    mean: f64,
    /// Share, a and b of the two betas.
    parts: [(f64, f64, f64); 2],
}

impl Derate {
    /// From its mean and the spread of most labs, a standard deviation over the mean.
    pub fn new(mean: f64, spread: f64) -> Derate {
        let mean = mean.clamp(0.05, MEAN_MAX);
        let usual = (mean / (1.0 - OVERLOADED * (1.0 - OVERLOADED_PACE))).min(MEAN_MAX);
        let sd = spread.max(1e-4) * mean;
        let (a, b) = shape(usual, sd);
        let slower = (1.0 - OVERLOADED_PACE) * (spread / USUAL_SPREAD).min(1.0);
        let (c, d) = shape(usual * (1.0 - slower), sd * OVERLOADED_SPREAD);
        Derate { mean, parts: [(1.0 - OVERLOADED, a, b), (OVERLOADED, c, d)] }
    }

    /// The pace of a lab over the one that the plan reckons with. Mean 1.
    pub fn draw(&self, dice: Stream) -> f64 {
        let [usual, overloaded] = self.parts;
        let (_, a, b) = if dice.unit(0) < usual.0 { usual } else { overloaded };
        (dice.below(1).beta(a, b) / self.mean).max(0.05)
    }

    /// How probable each of some paces is, given as rising logarithms: all that lies nearest to it. Sums to 1.
    pub fn weights(&self, paces: &[f64]) -> Vec<f64> {
        let mut weights = vec![0.0; paces.len()];
        for (share, a, b) in self.parts {
            let density = |x: f64| (a - 1.0) * x.ln() + (b - 1.0) * (1.0 - x).ln();
            let points = (0..FINE).map(|i| (i as f64 + 0.5) / FINE as f64);
            let all: Vec<(f64, f64)> = points.map(|x| (x, density(x))).collect();
            let most = all.iter().map(|p| p.1).fold(f64::MIN, f64::max);
            let sum: f64 = all.iter().map(|p| (p.1 - most).exp()).sum();
            for (x, ln) in all {
                if let Some(at) = nearest(paces, (x / self.mean).ln()) {
                    weights[at] += share * (ln - most).exp() / sum;
                }
            }
        }
        weights
    }
}

/// a and b of a beta with this mean and standard deviation.
fn shape(mean: f64, sd: f64) -> (f64, f64) {
    let both = (mean * (1.0 - mean) / (sd * sd) - 1.0).max(SHAPE_MIN / mean.min(1.0 - mean));
    (mean * both, (1.0 - mean) * both)
}

/// The nearest of some rising numbers.
fn nearest(numbers: &[f64], x: f64) -> Option<usize> {
    let after = numbers.partition_point(|n| *n < x);
    let near = |i: &usize| numbers.get(*i).map_or(f64::MAX, |n| (n - x).abs());
    [after.saturating_sub(1), after]
        .into_iter()
        .min_by(|a, b| near(a).total_cmp(&near(b)))
        .filter(|i| *i < numbers.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::simulate::Cause;

    #[test]
    fn most_labs_do_about_the_mean_and_a_few_do_much_less() {
        let derate = Derate::new(0.85, 0.07);
        let dice = Stream::of(1, 0, Cause::Parameter, 0);
        let mut paces: Vec<f64> = (0..20_000).map(|k| derate.draw(dice.below(k))).collect();
        paces.sort_by(f64::total_cmp);
        let n = paces.len();
        let mean = paces.iter().sum::<f64>() / n as f64;
        assert!((mean - 1.0).abs() < 0.003, "{mean}");
        // Never above its nameplate.
        assert!(paces[n - 1] <= 1.0 / 0.85 + 1e-9, "{}", paces[n - 1]);
        // Further below the middle than above it, and seldom very far.
        let [low, middle, high] = [0.02, 0.5, 0.98].map(|p| paces[(p * n as f64) as usize]);
        assert!(middle - low > 2.0 * (high - middle), "{low} {middle} {high}");
        assert!((0.6..0.8).contains(&low), "{low}");
        // 13 % below: what Xi'an's labs differed by between two rounds.
        let below = paces.partition_point(|pace| *pace < 0.87) as f64 / n as f64;
        assert!((0.07..0.16).contains(&below), "{below}");
    }

    #[test]
    fn weights_are_those_of_the_draws() {
        for (mean, spread) in [(0.85, 0.07), (0.7, 0.2), (0.95, 0.01), (1.2, 0.5)] {
            let derate = Derate::new(mean, spread);
            let paces: Vec<f64> = (-9..=4).map(|z| f64::from(z) * 0.05).collect();
            let weights = derate.weights(&paces);
            assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            let dice = Stream::of(2, 0, Cause::Parameter, 0);
            let mut drawn = vec![0.0; paces.len()];
            for k in 0..10_000 {
                drawn[nearest(&paces, derate.draw(dice.below(k)).ln()).expect("a pace")] += 1e-4;
            }
            for (weight, drawn) in weights.iter().zip(&drawn) {
                assert!((weight - drawn).abs() < 0.02, "{mean} {spread}: {weights:?} {drawn:?}");
            }
        }
    }
}
