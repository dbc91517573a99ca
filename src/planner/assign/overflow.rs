//! What the city aims at, and what other cities' labs must take: as little as possible, and nothing without need.
//!
//! T_in is the bound with the city's labs alone, of the streets that reach one; T_all the bound with every lab. The
//! aim is max(T_all, min(T_in, target)): the city's own time if that meets the target or no target is set, else the
//! target, else the earliest that is possible at all. What the city's labs cannot do by then goes outside.

use super::bound::least;
use super::explain::Bound;
use super::model::Problem;
use super::net::Net;

/// What to aim at.
#[derive(Clone, Debug)]
pub(super) struct Aim {
    /// The city's labs alone; streets that reach none of them are left out.
    pub(super) inside: Bound,
    /// All labs; None when they are all the city's.
    pub(super) all: Option<Bound>,
    /// The finish to aim at, in hours.
    pub(super) hours: f64,
}

/// The aim for a checked problem.
pub(super) fn aim(problem: &Problem, net: &Net, target_h: Option<f64>) -> Aim {
    if !net.outside.contains(&true) {
        let inside = bound(net);
        let hours = inside.hours;
        return Aim { inside, all: None, hours };
    }
    let all = bound(net);
    let own = Net::new(problem, |_, lab| !problem.labs[lab].outside);
    let inside = bound(&own);
    let hours = all.hours.max(inside.hours.min(target_h.unwrap_or(f64::INFINITY)));
    Aim { inside, all: Some(all), hours }
}

impl Aim {
    /// No assignment along these ways ends earlier, even of divided streets, in hours: the aim; or the bound with every lab,
    /// where a street that reaches a lab of the city may send to another city's.
    pub(super) fn bound_h(&self, ways: &Net) -> f64 {
        let both = |street: usize| {
            let outside = |arc: usize| ways.outside[ways.lab_of[arc]];
            let mut arcs = ways.arcs_of(street);
            ways.tubes[street] > 0 && arcs.clone().any(outside) && arcs.any(|arc| !outside(arc))
        };
        match &self.all {
            Some(all) if (0..ways.streets()).any(both) => all.hours,
            _ => self.hours,
        }
    }
}

/// The bound of these ways; streets that have none are left out.
pub(super) fn bound(net: &Net) -> Bound {
    let reached = |street: usize| match net.arcs_of(street).is_empty() {
        true => 0,
        false => net.tubes[street],
    };
    let tubes: Vec<u64> = (0..net.streets()).map(reached).collect();
    let found = least(net, &tubes);
    Bound::new(net, &tubes, found.hours, &found.sets)
}

/// Time within which ways may be chosen: `slack` more than the aim, but never past a target that the aim meets.
pub(super) fn within(aim_h: f64, target_h: Option<f64>, slack: f64) -> f64 {
    let wide = aim_h * (1.0 + slack);
    match target_h {
        Some(target) if aim_h <= target => wide.min(target),
        _ => wide,
    }
}
