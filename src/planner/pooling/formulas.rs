//! Closed forms of pooled testing. Shares are fractions of 1, sizes are swabs per tube.
//!
//! Clustered positives are beta-binomial with mean `p` and intra-tube correlation `rho`. The chance that all of `n`
//! are negative is B(a, b+n)/B(a, b) with a = p(1−ρ)/ρ and b = (1−p)(1−ρ)/ρ. Written as a product of n factors
//! (b+i)/(a+b+i) and multiplied through by ρ it needs no gamma function, cannot overflow, and at ρ = 0 is (1−p)^n.

use super::{Error, Model, POOL_MAX, share, size};

/// Individual testing is best from this prevalence on: (3−√5)/2 (Ungar 1960; Fischer, Klasner, Wegener 1999).
pub const INDIVIDUAL_FROM: f64 = 0.381_966_011_250_105_1;

/// Two-stage pooling saves tests below this prevalence: 1−3^(−1/3) (Armendáriz et al. 2020). Pools of 3 last longest.
pub const POOLING_BELOW: f64 = 0.306_638_725_649_365_2;

/// Logarithm of the chance that members `from..to` are negative, given that those before them are. Unchecked.
fn ln_negative(p: f64, rho: f64, from: u32, to: u32) -> f64 {
    if from >= to {
        return 0.0;
    }
    if rho == 0.0 {
        return f64::from(to - from) * (-p).ln_1p();
    }
    (from..to).map(|i| (-p * (1.0 - rho) / (1.0 - rho + f64::from(i) * rho)).ln_1p()).sum()
}

/// Chances that a tube reads unclean and that it reads negative, each without cancellation. Unchecked.
pub(super) fn unclean_and_clean(p: f64, n: u32, model: &Model) -> (f64, f64) {
    let ln_q = ln_negative(p, model.rho, 0, n);
    let (some, none) = (-ln_q.exp_m1(), ln_q.exp());
    (model.se * some + (1.0 - model.sp) * none, (1.0 - model.se) * some + model.sp * none)
}

/// Chance that all `n` members of a tube are negative.
///
/// Errors: `p` outside [0, 1], `n` outside 1 to [`POOL_MAX`], `rho` outside [0, 1).
pub fn all_negative(p: f64, n: u32, rho: f64) -> Result<f64, Error> {
    let model = Model::new(1.0, 1.0, rho)?;
    Ok(ln_negative(share("prevalence", p)?, model.rho, 0, size(n)?).exp())
}

/// Chance that a tube reads unclean: Se(1−q) + (1−Sp)q, where q is the chance that all members are negative.
///
/// Errors: `p` outside [0, 1], `n` outside 1 to [`POOL_MAX`].
pub fn tube_unclean(p: f64, n: u32, model: &Model) -> Result<f64, Error> {
    Ok(unclean_and_clean(share("prevalence", p)?, size(n)?, model).0)
}

/// Two-stage testing of one pool: the tube, then each member singly if the tube is unclean (Dorfman 1943). One swab is
/// one test and no second stage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dorfman {
    /// Chance that the tube reads unclean.
    pub tube_unclean: f64,
    /// Expected tests per pool: 1 + n·P(unclean).
    pub tests_per_pool: f64,
    /// Expected tests per person.
    pub tests_per_person: f64,
    /// PSe: chance that a positive person is found, Se².
    pub sensitivity: f64,
    /// PSp: chance that a negative person is cleared.
    pub specificity: f64,
    /// PPPV: share of those reported positive who are; nothing if nobody can be reported positive.
    pub ppv: Option<f64>,
    /// PNPV: share of those cleared who are negative; nothing if nobody can be cleared.
    pub npv: Option<f64>,
}

impl Dorfman {
    /// Share of the tests of individual testing that are saved; negative when pooling costs more.
    pub fn saved(&self) -> f64 {
        1.0 - self.tests_per_person
    }

    /// By which share the same number of tests covers more persons: n/E − 1.
    pub fn capacity_gain(&self) -> f64 {
        1.0 / self.tests_per_person - 1.0
    }
}

/// Two-stage testing in pools of `n`. Formulas as in binGroup2 (two-stage hierarchical), with the beta-binomial in
/// the place of (1−p)^n:
/// PSe = Se², PSp = 1 − (1−Sp)·[Se(1−r) + (1−Sp)r], r = chance that the n−1 others are negative, given that one is.
///
/// Errors: `p` outside [0, 1], `n` outside 1 to [`POOL_MAX`].
pub fn dorfman(p: f64, n: u32, model: &Model) -> Result<Dorfman, Error> {
    let (p, n) = (share("prevalence", p)?, size(n)?);
    let Model { se, sp, rho } = *model;
    let (tube_unclean, _) = unclean_and_clean(p, n, model);
    let (tests_per_pool, sensitivity, specificity) = if n == 1 {
        (1.0, se, sp)
    } else {
        let others = ln_negative(p, rho, 1, n);
        let called_in_vain = se * -others.exp_m1() + (1.0 - sp) * others.exp();
        (1.0 + f64::from(n) * tube_unclean, se * se, 1.0 - (1.0 - sp) * called_in_vain)
    };
    let of = |part: f64, rest: f64| (part + rest > 0.0).then(|| part / (part + rest));
    Ok(Dorfman {
        tube_unclean,
        tests_per_pool,
        tests_per_person: tests_per_pool / f64::from(n),
        sensitivity,
        specificity,
        ppv: of(p * sensitivity, (1.0 - p) * (1.0 - specificity)),
        npv: of((1.0 - p) * specificity, p * (1.0 - sensitivity)),
    })
}

/// The pool size from 1 to `n_max` with the fewest expected tests per person, and that number; the smaller of equals.
///
/// Errors: `p` outside [0, 1], `n_max` outside 1 to [`POOL_MAX`].
pub fn optimal_size(p: f64, n_max: u32, model: &Model) -> Result<(u32, f64), Error> {
    let (p, n_max) = (share("prevalence", p)?, size(n_max)?);
    let mut best = (1, 1.0);
    let mut ln_q = ln_negative(p, model.rho, 0, 1);
    for n in 2..=n_max {
        ln_q += ln_negative(p, model.rho, n - 1, n);
        let unclean = model.se * -ln_q.exp_m1() + (1.0 - model.sp) * ln_q.exp();
        let tests = 1.0 / f64::from(n) + unclean;
        if tests < best.1 {
            best = (n, tests);
        }
    }
    Ok(best)
}

/// Expected tests per person of a square n × n array without master pool and with a perfect test (A2):
/// 2/n + p + (1−p)(1−(1−p)^(n−1))². For lab-side pooling only: a swab can be in one tube, not in two.
///
/// Errors: `p` outside [0, 1], `n` outside 2 to [`POOL_MAX`].
pub fn array_a2(p: f64, n: u32) -> Result<f64, Error> {
    let (p, n) = (share("prevalence", p)?, size(n)?);
    if n < 2 {
        return Err(Error::OutOfRange { name: "array", value: f64::from(n), range: "2 to 10000" });
    }
    let hit = -ln_negative(p, 0.0, 1, n).exp_m1();
    Ok(2.0 / f64::from(n) + p + (1.0 - p) * hit * hit)
}

/// The pool size for those who know nothing about the prevalence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Minimax {
    /// Swabs per tube.
    pub pool: u32,
    /// Largest regret: tests per person above those of the best size, at the worst prevalence.
    pub regret: f64,
    /// The prevalence at which it is reached; 0 stands for the limit.
    pub at: f64,
}

/// The size from 1 to `n_max` whose largest regret over all prevalences is least, perfect test (Malinovsky and Albert,
/// Am. Stat. 2015). The best size at known `p` is 1, ⌊p^(−1/2)⌋+1 or ⌊p^(−1/2)⌋+2 (Samuels 1978).
///
/// Errors: `n_max` outside 1 to [`POOL_MAX`].
pub fn minimax_size(n_max: u32) -> Result<Minimax, Error> {
    const STEPS: u32 = 4000;
    let tests = |p: f64, n: u32| match n {
        1 => 1.0,
        n => 1.0 / f64::from(n) - ln_negative(p, 0.0, 0, n).exp_m1(),
    };
    let n_max = size(n_max)?;
    // Six decades of prevalence; below them the regret of n is 1/n within a thousandth, its limit at 0.
    let grid: Vec<(f64, f64)> = (0..=STEPS)
        .map(|step| {
            let p = 10f64.powf(6.0 * (f64::from(step) / f64::from(STEPS) - 1.0));
            let root = p.powf(-0.5) as u32;
            (p, tests(p, 1).min(tests(p, root + 1)).min(tests(p, root + 2)))
        })
        .collect();
    let worst = |n: u32| {
        let at_zero = Minimax { pool: n, regret: 1.0 / f64::from(n), at: 0.0 };
        grid.iter().fold(at_zero, |worst, &(at, best)| {
            let regret = tests(at, n) - best;
            if regret > worst.regret { Minimax { pool: n, regret, at } } else { worst }
        })
    };
    let first = worst(1);
    Ok((2..=n_max).map(worst).fold(first, |a, b| if b.regret < a.regret { b } else { a }))
}

/// What the second stage costs, a tube of the round being 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    /// One recall, whatever the size of the tube: the visit of a team and the trip. Hardly decides between sizes, since
    /// at low prevalence each positive person makes one unclean tube in any of them.
    pub recall_tubes: f64,
    /// One person called back: 1 is the single tube alone; more, if waiting in isolation or the priority lane counts.
    pub single_tubes: f64,
}

/// What a round costs at one pool size and prevalence. Expected numbers, of the two stages separately.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Load {
    /// Tubes of the round itself; the last one may hold fewer swabs.
    pub tubes: u64,
    /// Tubes that read unclean.
    pub unclean: f64,
    /// Recalls: tubes of two or more swabs that read unclean, each one visit of a team and one trip.
    pub recalls: f64,
    /// Persons called back, each swabbed into one single tube in the priority lane.
    pub recalled: f64,
    /// Positive persons whom the round does not find (in the tube, or in the single retest).
    pub missed: f64,
}

impl Load {
    /// Single tubes on top of the round's own: one per person called back.
    pub fn singles(&self) -> f64 {
        self.recalled
    }

    /// Those single tubes in per cent of the round's own.
    pub fn extra_percent(&self) -> f64 {
        if self.tubes == 0 { 0.0 } else { 100.0 * self.recalled / self.tubes as f64 }
    }

    /// Everything in tubes at `price`.
    pub fn cost_tubes(&self, price: &Price) -> f64 {
        self.tubes as f64 + self.recalled * price.single_tubes + self.recalls * price.recall_tubes
    }
}

/// Load of a round of `persons` at prevalence `p` in tubes of `n`. An unclean single tube names its person: no recall.
///
/// Errors: `p` outside [0, 1], `n` outside 1 to [`POOL_MAX`].
pub fn retest_load(persons: u64, p: f64, n: u32, model: &Model) -> Result<Load, Error> {
    Ok(load(persons, share("prevalence", p)?, size(n)?, model))
}

/// [`retest_load`], unchecked.
pub(super) fn load(persons: u64, p: f64, n: u32, model: &Model) -> Load {
    debug_assert!((1..=POOL_MAX).contains(&n));
    let (full, rest) = (persons / u64::from(n), (persons % u64::from(n)) as u32);
    let mut load = Load { tubes: full + u64::from(rest > 0), ..Load::default() };
    for (tubes, members) in [(full as f64, n), (1.0, rest)] {
        if members == 0 {
            continue;
        }
        let (unclean, _) = unclean_and_clean(p, members, model);
        let found = if members == 1 { model.se } else { model.se * model.se };
        load.unclean += tubes * unclean;
        load.missed += tubes * f64::from(members) * p * (1.0 - found);
        if members > 1 {
            load.recalls += tubes * unclean;
            load.recalled += tubes * unclean * f64::from(members);
        }
    }
    load
}
