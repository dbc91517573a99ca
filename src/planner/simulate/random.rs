//! Random numbers by counting: the k-th number of a stream is a function of (seed, stream, k), and of nothing else.
//!
//! So two runs that differ in one resource see the same chance everywhere else (common random numbers), replications
//! can be made in any order on any number of threads, and a lab can be run alone. Streams are by cause.

use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;
use rand_distr::{Beta, Distribution};

/// What a stream of numbers is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::planner) enum Cause {
    /// Speed and phase of desks.
    Desk = 1,
    /// People per box.
    Box = 2,
    /// Time on the road.
    Road = 3,
    /// Unclean pools.
    Unclean = 4,
    /// Run times.
    Run = 5,
    /// Failures and repairs.
    Failure = 6,
    /// Time until the members of a pool are swabbed again.
    Recall = 7,
    /// Parameters that are not known for sure.
    Parameter = 8,
    /// Made-up rounds to be forecast.
    Example = 9,
}

/// A stream.
#[derive(Clone, Copy, Debug)]
pub(in crate::planner) struct Stream(u64);

/// Finaliser of SplitMix64 (Steele, Lea, Flood 2014).
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Stream {
    /// The stream of a cause, for one replication of a seed and one place (street, lab, unit).
    pub fn of(seed: u64, replication: u64, cause: Cause, place: u64) -> Stream {
        let a = mix(seed.wrapping_add(STEP));
        let b = mix(a ^ replication.wrapping_mul(STEP).wrapping_add(cause as u64));
        Stream(mix(b ^ place.wrapping_mul(STEP).wrapping_add(0x51)))
    }

    /// A stream below this one.
    pub fn below(self, place: u64) -> Stream {
        Stream(mix(self.0 ^ place.wrapping_add(1).wrapping_mul(STEP)))
    }

    /// The k-th number: 64 random bits.
    pub fn bits(self, k: u64) -> u64 {
        mix(self.0.wrapping_add(k.wrapping_mul(STEP)))
    }

    /// Evenly between 0 (not included) and 1.
    pub fn unit(self, k: u64) -> f64 {
        ((self.bits(k) >> 11) as f64 + 0.5) * (1.0 / (1u64 << 53) as f64)
    }

    /// Mean 0, standard deviation 1, between −3.46 and 3.46: the sum of four even numbers of 16 bits. Quick, near enough
    /// to a normal for noise, and without the far tail that would make a run end before it began.
    pub fn noise(self, k: u64) -> f64 {
        let bits = self.bits(k);
        let sum = (bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48);
        // Mean 2·65535, variance 4·(65536² − 1)/12.
        (sum as f64 - 131_070.0) * (1.0 / 37_837.227)
    }

    /// Normal, by Box and Muller. Takes numbers 2k and 2k + 1.
    pub fn normal(self, k: u64) -> f64 {
        let (u, v) = (self.unit(2 * k), self.unit(2 * k + 1));
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }

    /// Exponential with mean 1.
    pub fn exponential(self, k: u64) -> f64 {
        -self.unit(k).ln()
    }

    /// A draw from Beta(a, b), by a generator of its own that begins at number 0.
    pub fn beta(self, a: f64, b: f64) -> f64 {
        let mut dice = Xoshiro256PlusPlus::seed_from_u64(self.bits(0));
        Beta::new(a, b).map_or(a / (a + b), |beta| beta.sample(&mut dice))
    }
}
