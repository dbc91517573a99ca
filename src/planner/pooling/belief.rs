//! What is held about the prevalence: a fixed figure or a Beta prior, and the tubes seen since.
//!
//! A belief is the prior together with its evidence, laid out as weighted points: an even grid in log-odds that is
//! narrowed until it covers just the mass, so that a million tubes seen are resolved as well as none. There is one
//! posterior for one body of evidence, in whatever order it came.

use super::formulas::unclean_and_clean;
use super::{Error, Model, share, size};

/// Points of the grid. In log-odds the densities are smooth and vanish at both ends: the error is far below 1e-6.
const POINTS: u32 = 2001;
/// Points of each narrowing step.
const COARSE: u32 = 257;
/// Weights below e^−45 of the largest are left out.
const TAIL: f64 = 45.0;
/// Log-odds at which the search begins: e^−700 is close to the smallest number there is.
const EDGE: f64 = 700.0;
/// Most tubes of one observation; it bounds the work of [`Belief::tails`].
const SEEN_MAX: u64 = 100_000_000;

/// What is held before any tube is seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Prior {
    /// The prevalence is known. No observation can change it.
    Fixed(f64),
    /// Beta(alpha, beta): mean alpha/(alpha+beta), worth about alpha+beta persons of evidence.
    Beta {
        /// As if this many positive persons had been seen.
        alpha: f64,
        /// As if this many negative persons had been seen.
        beta: f64,
    },
}

/// Tubes out of the lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Tubes with a result.
    pub tubes: u64,
    /// Those that are not negative.
    pub unclean: u64,
    /// Swabs per tube.
    pub pool: u32,
}

/// How surprising an observation is under a belief.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tails {
    /// Chance of seeing as many unclean tubes, or more.
    pub upper: f64,
    /// Chance of seeing as many unclean tubes, or fewer.
    pub lower: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Point {
    /// ln(p/(1−p)).
    log_odds: f64,
    p: f64,
    weight: f64,
}

/// What is held about the prevalence.
#[derive(Clone, Debug, PartialEq)]
pub struct Belief {
    prior: Prior,
    evidence: Vec<(Seen, Model)>,
    points: Vec<Point>,
}

impl Belief {
    /// A belief from a prior alone.
    ///
    /// Errors: a fixed prevalence outside [0, 1]; `alpha` or `beta` outside 0.05 to 1e9.
    pub fn new(prior: Prior) -> Result<Belief, Error> {
        match prior {
            Prior::Fixed(p) => {
                share("prevalence", p)?;
            }
            Prior::Beta { alpha, beta } => {
                for (name, value) in [("alpha", alpha), ("beta", beta)] {
                    if !(0.05..=1e9).contains(&value) {
                        return Err(Error::OutOfRange { name, value, range: "[0.05, 1e9]" });
                    }
                }
            }
        }
        Ok(Belief::laid_out(prior, Vec::new()))
    }

    /// The belief after `seen`, for tubes that answer as `model` says (Bayes). The likelihood is binomial in tubes,
    /// with P(unclean) of that pool size, correlation and assay. A fixed prevalence stays as it is.
    ///
    /// Errors: more unclean tubes than tubes, more than 1e8 tubes, a pool size out of range.
    pub fn update(&self, seen: Seen, model: &Model) -> Result<Belief, Error> {
        let seen = checked(seen)?;
        let mut evidence = self.evidence.clone();
        match evidence.iter_mut().find(|(old, how)| old.pool == seen.pool && how == model) {
            Some((old, _)) => {
                old.tubes = old.tubes.saturating_add(seen.tubes);
                old.unclean = old.unclean.saturating_add(seen.unclean);
            }
            None => evidence.push((seen, *model)),
        }
        Ok(Belief::laid_out(self.prior, evidence))
    }

    /// The prior it began with.
    pub fn prior(&self) -> Prior {
        self.prior
    }

    /// Whether no observation can change it.
    pub fn is_fixed(&self) -> bool {
        matches!(self.prior, Prior::Fixed(_))
    }

    /// Mean prevalence.
    pub fn mean(&self) -> f64 {
        self.expect(|p| p)
    }

    /// Mean of `f` over the prevalence.
    pub fn expect(&self, f: impl Fn(f64) -> f64) -> f64 {
        self.weighted().map(|(weight, p)| weight * f(p)).sum()
    }

    /// Weights, which add up to 1, with their prevalences, lowest first.
    pub(super) fn weighted(&self) -> impl Iterator<Item = (f64, f64)> {
        self.points.iter().map(|point| (point.weight, point.p))
    }

    /// The prevalence that is not exceeded with probability `level`.
    ///
    /// Errors: `level` outside [0, 1].
    pub fn quantile(&self, level: f64) -> Result<f64, Error> {
        let level = share("level", level)?;
        let mut below = 0.0;
        let mut last: Option<(f64, f64)> = None;
        for point in &self.points {
            // The mass up to a point of an even grid is that of all before it and half of its own.
            let reached = below + point.weight / 2.0;
            if reached >= level {
                return Ok(match last {
                    Some((x, mass)) if reached > mass => {
                        let part = (level - mass) / (reached - mass);
                        odds_to_p(x + part * (point.log_odds - x))
                    }
                    _ => point.p,
                });
            }
            below += point.weight;
            last = Some((point.log_odds, reached));
        }
        Ok(self.points.last().map_or(0.0, |point| point.p))
    }

    /// How surprising `seen` is before it is believed: tails of the predictive distribution.
    ///
    /// Errors: as [`Belief::update`].
    pub fn tails(&self, seen: Seen, model: &Model) -> Result<Tails, Error> {
        let seen = checked(seen)?;
        let mut sum = Tails { upper: 0.0, lower: 0.0 };
        for point in self.points.iter().filter(|point| point.weight > 1e-12) {
            let (unclean, _) = unclean_and_clean(point.p, seen.pool, model);
            let (upper, lower) = binomial_tails(seen.tubes, unclean, seen.unclean);
            sum.upper += point.weight * upper;
            sum.lower += point.weight * lower;
        }
        Ok(Tails { upper: sum.upper.min(1.0), lower: sum.lower.min(1.0) })
    }

    fn laid_out(prior: Prior, evidence: Vec<(Seen, Model)>) -> Belief {
        let points = match prior {
            Prior::Fixed(p) => {
                vec![Point { log_odds: p.ln() - (-p).ln_1p(), p, weight: 1.0 }]
            }
            Prior::Beta { alpha, beta } => {
                grid(|log_odds| ln_density(alpha, beta, &evidence, log_odds))
            }
        };
        Belief { prior, evidence, points }
    }
}

fn checked(seen: Seen) -> Result<Seen, Error> {
    size(seen.pool)?;
    if seen.unclean > seen.tubes {
        return Err(Error::MoreUncleanThanSeen { tubes: seen.tubes, unclean: seen.unclean });
    }
    if seen.tubes > SEEN_MAX {
        let value = seen.tubes as f64;
        return Err(Error::OutOfRange { name: "tubes seen", value, range: "[0, 1e8]" });
    }
    Ok(seen)
}

fn odds_to_p(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

/// Logarithm of the density in log-odds, but for a constant: p^α(1−p)^β times the likelihood of each observation.
fn ln_density(alpha: f64, beta: f64, evidence: &[(Seen, Model)], log_odds: f64) -> f64 {
    // ln p = −ln(1+e^−x) and ln(1−p) = −ln(1+e^x), without overflow.
    let softplus = |x: f64| x.max(0.0) + (-x.abs()).exp().ln_1p();
    let p = odds_to_p(log_odds);
    let counted = |count: u64, chance: f64| match count {
        0 => 0.0,
        count => count as f64 * chance.ln(),
    };
    let seen: f64 = evidence
        .iter()
        .map(|(seen, model)| {
            let (unclean, clean) = unclean_and_clean(p, seen.pool, model);
            counted(seen.unclean, unclean) + counted(seen.tubes - seen.unclean, clean)
        })
        .sum();
    seen - alpha * softplus(-log_odds) - beta * softplus(log_odds)
}

/// Weighted points over the mass of a density with one peak. Each round keeps what lies around the peak.
fn grid(ln_density: impl Fn(f64) -> f64) -> Vec<Point> {
    let laid = |low: f64, high: f64, count: u32| -> Vec<(f64, f64)> {
        let step = (high - low) / f64::from(count - 1);
        (0..count)
            .map(|i| low + step * f64::from(i))
            .map(|log_odds| (log_odds, ln_density(log_odds)))
            .collect()
    };
    let highest = |points: &[(f64, f64)]| {
        points.iter().enumerate().fold((0, f64::NEG_INFINITY), |best, (i, &(_, value))| {
            if value > best.1 { (i, value) } else { best }
        })
    };
    let (mut low, mut high) = (-EDGE, EDGE);
    // Each round narrows to at most half; 16 rounds from 1400 are more than any peak needs.
    for _ in 0..16 {
        let points = laid(low, high, COARSE);
        let (peak, top) = highest(&points);
        let outside = |&(_, value): &(f64, f64)| value < top - TAIL;
        let left = points[..peak].iter().rposition(outside).unwrap_or(0);
        let right = points[peak..].iter().position(outside).map_or(points.len() - 1, |i| peak + i);
        let (new_low, new_high) = (points[left].0, points[right].0);
        let wide_enough = new_high - new_low > 0.5 * (high - low);
        (low, high) = (new_low, new_high);
        if wide_enough {
            break;
        }
    }
    let points = laid(low, high, POINTS);
    let (_, top) = highest(&points);
    let total: f64 = points.iter().map(|&(_, value)| (value - top).exp()).sum();
    points
        .iter()
        .map(|&(log_odds, value)| Point {
            log_odds,
            p: odds_to_p(log_odds),
            weight: (value - top).exp() / total,
        })
        .collect()
}

/// P(X ≥ k) and P(X ≤ k) of a binomial: the side away from the mean is summed from k outward, so neither cancels.
fn binomial_tails(n: u64, chance: f64, k: u64) -> (f64, f64) {
    if chance <= 0.0 {
        return (f64::from(u8::from(k == 0)), 1.0);
    }
    if chance >= 1.0 {
        return (1.0, f64::from(u8::from(k == n)));
    }
    let (trials, hits) = (n as f64, k as f64);
    let ln_here = ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)
        + hits * chance.ln()
        + (trials - hits) * (-chance).ln_1p();
    let here = ln_here.exp();
    let odds = chance / (1.0 - chance);
    let up = hits > trials * chance;
    let (mut sum, mut term, mut at) = (1.0, 1.0, hits);
    while if up { at < trials } else { at > 0.0 } {
        if up {
            term *= (trials - at) / (at + 1.0) * odds;
            at += 1.0;
        } else {
            term *= at / ((trials - at + 1.0) * odds);
            at -= 1.0;
        }
        sum += term;
        if term < 1e-16 * sum {
            break;
        }
    }
    let near = (here * sum).min(1.0);
    let far = (1.0 - near + here).clamp(0.0, 1.0);
    if up { (near, far) } else { (far, near) }
}

/// ln n!, by products up to 20 and by Stirling's series beyond (error below 1e-14 relative).
fn ln_factorial(n: u64) -> f64 {
    if n <= 20 {
        return ((1..=n).product::<u64>() as f64).ln();
    }
    let x = n as f64;
    let series = 1.0 / (12.0 * x) - 1.0 / (360.0 * x.powi(3)) + 1.0 / (1260.0 * x.powi(5));
    x * x.ln() - x + 0.5 * (std::f64::consts::TAU * x).ln() + series
}
