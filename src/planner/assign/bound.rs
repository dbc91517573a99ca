//! The bound: the least T at which the labs can take every tube, streets being divisible.
//!
//! A parametric maximum flow. Lab j has room r_j · max(T − s_j, 0) by T. By the theorem of maximum flow and minimum
//! cut, T is long enough if and only if no set of streets has more tubes than the labs they can reach have room. So
//! T* = max over sets S of streets of the T at which the labs of S can do the tubes of S: Σ r_j · max(T − s_j, 0) =
//! Σ tubes. Discrete Newton: begin with the set of all streets; while the flow at T leaves tubes, take the T of the set
//! that the minimum cut shows. T only grows, every set comes at most once, and the flow is kept from step to step.

use super::dinic::{Flow, Near};
use super::net::Net;

/// The least finish, and the set of streets that is the reason.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Least {
    /// T*, in hours; 0 when there is nothing to send.
    pub(super) hours: f64,
    /// Sets of streets that need T*, smallest first; see [`tight_sets`].
    pub(super) sets: Vec<Near>,
}

/// One tube is this many units of flow at least: small enough that rounding a room up cannot be seen in T*.
fn units_per_tube(tubes: u64) -> u64 {
    let mut units = 1;
    while units < 1 << 30 && tubes.saturating_mul(units) < 1 << 50 {
        units *= 2;
    }
    units
}

/// The bound for these tubes per street. Every street with tubes must have an arc.
pub(super) fn least(net: &Net, tubes: &[u64]) -> Least {
    let total: u64 = tubes.iter().sum();
    if total == 0 {
        return Least { hours: 0.0, sets: Vec::new() };
    }
    let units = units_per_tube(total);
    let mut near = everyone(net, tubes);
    let mut hours = closed_form(net, tubes, &near);
    let rooms = |hours: f64| -> Vec<u64> {
        let room = |lab: usize| net.rate[lab] * (hours - net.head_start[lab]).max(0.0);
        let unit = |lab| (room(lab) * units as f64).ceil().min((total * units) as f64) as u64;
        (0..net.labs()).map(unit).collect()
    };
    let mut room = rooms(hours);
    let mut flow = Flow::new(net, tubes.iter().map(|n| n * units).collect(), room.clone());
    loop {
        flow.fill();
        // A set that lacks less than a millionth of a tube is short by the error of floating point only.
        if flow.unsent() <= units >> 20 {
            break;
        }
        let cut = flow.near();
        let next = closed_form(net, tubes, &cut);
        if next <= hours {
            break;
        }
        (hours, near) = (next, cut);
        for (lab, wide) in rooms(hours).into_iter().enumerate() {
            flow.free[lab] += wide - room[lab];
            room[lab] = wide;
        }
    }
    Least { hours, sets: super::explain::tight_sets(net, &flow, &near, units) }
}

/// The T at which the labs of a set can do its tubes.
pub(super) fn closed_form(net: &Net, tubes: &[u64], set: &Near) -> f64 {
    let need = set.streets.iter().map(|&street| tubes[street] as f64).sum();
    time_of(need, set.labs.iter().map(|&lab| (net.head_start[lab], net.rate[lab])))
}

/// The T at which labs of these (head start, rate) can do so many tubes: Σ r_j · max(T − s_j, 0) = tubes, solved lab by lab
/// in the order of their head starts.
fn time_of(tubes: f64, labs: impl Iterator<Item = (f64, f64)>) -> f64 {
    let mut labs: Vec<(f64, f64)> = labs.collect();
    labs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut rate, mut rate_start, mut hours) = (0.0, 0.0, f64::INFINITY);
    for (head_start, of_lab) in labs {
        if head_start >= hours {
            break;
        }
        rate += of_lab;
        rate_start += of_lab * head_start;
        hours = (tubes + rate_start) / rate;
    }
    hours
}

fn everyone(net: &Net, tubes: &[u64]) -> Near {
    let streets: Vec<usize> = (0..net.streets()).filter(|&street| tubes[street] > 0).collect();
    let mut reached = vec![false; net.labs()];
    for arc in streets.iter().flat_map(|&street| net.arcs_of(street)) {
        reached[net.lab_of[arc]] = true;
    }
    Near { streets, labs: (0..net.labs()).filter(|&lab| reached[lab]).collect() }
}
