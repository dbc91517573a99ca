//! The parts of a norm pack that describe the way of people and tubes. Times are seconds; a spread in permille is 1000 times
//! the sigma of a lognormal unless the field says otherwise.

use super::sourced::Sourced;
use super::words::Words;

/// Desks, boxes and people who come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldNorm {
    /// Seconds after opening in which desks are slower.
    pub ramp_s: Sourced<u64>,
    /// Speed in that time, in percent of the later speed.
    pub ramp_percent: Sourced<u64>,
    /// Spread of speed between desks, permille.
    pub desk_spread_permille: Sourced<u64>,
    /// Spread of speed between sites, permille: uncertainty of a forecast, not noise of a day.
    pub site_spread_permille: Sourced<u64>,
    /// Tubes in a full box. A box leaves when it is full or after `Norm::box_s`.
    pub box_tubes: Sourced<u64>,
    /// People who come late, in permille of all who come.
    pub straggler_permille: Sourced<u64>,
    /// Mean seconds by which they come later.
    pub straggler_tail_s: Sourced<u64>,
    /// Residents who come at all, permille.
    pub coverage_permille: Sourced<u64>,
}

/// Trips from the sites to the labs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportNorm {
    /// Tubes that one trip carries at most.
    pub vehicle_tubes: Sourced<u64>,
    /// Seconds to load and hand over, per trip.
    pub handling_s: Sourced<u64>,
    /// Median seconds on the way where no coordinates say otherwise.
    pub travel_s: Sourced<u64>,
    /// Spread of the time on the way, permille.
    pub travel_spread_permille: Sourced<u64>,
    /// Seconds that a closed box waits at most for its trip.
    pub hold_s: Sourced<u64>,
    /// Speed along the straight line, in tenths of a km/h (400 = 40 km/h).
    pub speed_kmh_tenths: Sourced<u64>,
    /// Residents per vehicle where a district states no fleet.
    pub persons_per_vehicle: Sourced<u64>,
}

/// People of a positive tube: called back, sampled singly, tested first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecallNorm {
    /// Median seconds from the positive tube to the single sample.
    pub delay_s: Sourced<u64>,
    /// Spread of that time, permille.
    pub delay_spread_permille: Sourced<u64>,
    /// Seconds of a single sample on its way to the lab.
    pub travel_s: Sourced<u64>,
    /// Seconds that a priority plate waits at most to become full.
    pub hold_s: Sourced<u64>,
}

/// How many are positive, and how they cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrevalenceNorm {
    /// Beta prior of the share of positive people: alpha, times 1000; at least 1.
    pub alpha_milli: Sourced<u64>,
    /// The same prior: beta, times 1000; at least 1.
    pub beta_milli: Sourced<u64>,
    /// Correlation of the members of one tube (intra-class), permille; below 1000.
    pub rho_permille: Sourced<u64>,
    /// Mean number of positive tubes that lie next to each other, in tenths (15 = 1.5).
    pub cluster_tubes_tenths: Sourced<u64>,
}

/// What labs really do of what they declare: a beta distribution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DerateNorm {
    /// Its mean, permille.
    pub mean_permille: Sourced<u64>,
    /// Its standard deviation, permille; squared below mean · (1000 − mean).
    pub spread_permille: Sourced<u64>,
}

/// Persons per tube in one kind of zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneNorm {
    /// Key used in city files.
    pub key: String,
    /// What it is called.
    pub title: Words,
    /// Persons per tube.
    pub pool: Sourced<u64>,
}

/// The target of a city that is larger than the ordinary target is meant for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LargeCity {
    /// Persons above which a city is large.
    pub above_persons: Sourced<u64>,
    /// Hours in which it is to be done.
    pub target_h: Sourced<u64>,
}
