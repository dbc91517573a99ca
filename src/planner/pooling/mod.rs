//! How many swabs to put into one tube (混采规格), and what the choice costs.
//!
//! Chinese pooling puts the swabs of all members into one tube at the desk. It is not the mixing of liquids in the
//! lab: there is almost no dilution, and a tube that is not negative cannot be run again member by member. Its members
//! are called back (召回复采) and swabbed singly, one tube each, on a second trip and in the priority lane of the lab.
//! Few swabs per tube need many tubes; many swabs per tube need many recalls. The prevalence decides, and nobody knows
//! it beforehand: it is held as a belief, and corrected by the tubes that come out of the lab.
//!
//! In reading order:
//! - `formulas`: closed forms of two-stage (Dorfman) and array testing, with imperfect assays and clustered positives;
//! - `belief`: what is held about the prevalence, and Bayes on the share of unclean tubes;
//! - `advice`: per zone, each allowed size with its load, and the size that costs least;
//! - `words`: the same in sentences.
//!
//! "Unclean" (阳性、灰区或单靶) is every tube that is not negative: positive, grey zone and single target are handled
//! alike. Everything here is deterministic: quadrature on a grid, no random numbers.

mod advice;
mod belief;
mod formulas;
#[cfg(test)]
mod tests;
mod words;

pub use advice::{Advice, Choice, Flip, PRICE_MAX, Review, Zone, ZoneKind, advise, review};
pub use belief::{Belief, Prior, Seen, Tails};
pub use formulas::{
    Dorfman, INDIVIDUAL_FROM, Load, Minimax, POOLING_BELOW, Price, all_negative, array_a2, dorfman,
    minimax_size, optimal_size, retest_load, tube_unclean,
};

/// Largest pool that is computed. Far above any real one (20); it bounds the work of one call.
pub const POOL_MAX: u32 = 10_000;

/// A question that has no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// A number outside the range in which the formulas mean something.
    #[error("{name} is {value}; it must lie in {range}")]
    OutOfRange {
        /// Which argument.
        name: &'static str,
        /// What was given.
        value: f64,
        /// What is accepted.
        range: &'static str,
    },
    /// An assay that says nothing: sensitivity and specificity together must exceed 1.
    #[error(
        "sensitivity {se} and specificity {sp} together do not exceed 1: the assay says nothing"
    )]
    Uninformative {
        /// Sensitivity.
        se: f64,
        /// Specificity.
        sp: f64,
    },
    /// More unclean tubes than tubes.
    #[error("{unclean} unclean of {tubes} tubes")]
    MoreUncleanThanSeen {
        /// Tubes seen.
        tubes: u64,
        /// Unclean ones.
        unclean: u64,
    },
    /// A zone without any allowed pool size.
    #[error("the zone allows no pool size")]
    NoSizes,
}

/// `value`, if it is a share from 0 to 1.
fn share(name: &'static str, value: f64) -> Result<f64, Error> {
    match (0.0..=1.0).contains(&value) {
        true => Ok(value),
        false => Err(Error::OutOfRange { name, value, range: "[0, 1]" }),
    }
}

/// `n`, if it is a pool size.
fn size(n: u32) -> Result<u32, Error> {
    match (1..=POOL_MAX).contains(&n) {
        true => Ok(n),
        false => {
            Err(Error::OutOfRange { name: "pool", value: f64::from(n), range: "1 to 10000 swabs" })
        }
    }
}

/// How a tube answers: sensitivity, specificity, and how much the positives of one tube cluster. Always valid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Model {
    se: f64,
    sp: f64,
    rho: f64,
}

impl Model {
    /// A test without error, and positives that do not cluster.
    pub const PERFECT: Model = Model { se: 1.0, sp: 1.0, rho: 0.0 };

    /// Sensitivity and specificity of one tube (the same for every size: swabs in one tube are hardly diluted), and
    /// the correlation `rho` between two members of a tube (households and neighbours in the queue share a tube).
    ///
    /// Errors: a share outside [0, 1], `rho` outside [0, 1), `se + sp` not above 1.
    pub fn new(se: f64, sp: f64, rho: f64) -> Result<Model, Error> {
        let (se, sp) = (share("sensitivity", se)?, share("specificity", sp)?);
        if !(0.0..1.0).contains(&rho) {
            return Err(Error::OutOfRange { name: "rho", value: rho, range: "[0, 1)" });
        }
        if se + sp <= 1.0 {
            return Err(Error::Uninformative { se, sp });
        }
        Ok(Model { se, sp, rho })
    }

    /// Share of tubes with a positive member that read unclean.
    pub fn sensitivity(&self) -> f64 {
        self.se
    }

    /// Share of tubes without a positive member that read negative.
    pub fn specificity(&self) -> f64 {
        self.sp
    }

    /// Correlation between two members of one tube.
    pub fn rho(&self) -> f64 {
        self.rho
    }
}
