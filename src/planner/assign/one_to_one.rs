//! Each street whole to one lab, level by level: a level's labs are those that its streets are to go to.

use super::answer::Whole;
use super::levels::Levels;
use super::net::Net;
use super::overflow::Aim;
use super::place::Place;
use super::{distance, whole};

/// Looks at an exchange when levels that were solved one by one are held together; about 10 ns each.
const LOOKS: u64 = 2_000_000;

/// An arc per street.
type Arcs = Vec<Option<usize>>;

/// Whole streets; labs outside only for the streets whose shares go there. `sent`: the shares, tubes per arc. `previous` is
/// kept unless another is better.
pub(super) fn solve(
    all: &Net,
    sent: &[u64],
    aim: &Aim,
    levels: &Levels,
    previous: Option<&[Option<usize>]>,
) -> Whole {
    let share = |street: usize, lab: usize| all.arc(street, lab).map_or(0, |arc| sent[arc]);
    let net = &all.part(|street, lab| !all.outside[lab] || share(street, lab) > 0);
    let cost = &distance::costs(net);
    let enough_h = &enough(net, levels);
    let mut arcs = whole::rounded(net, cost, &shares_of(net, &share));
    for (level, enough_h) in enough_h.iter().enumerate() {
        let own = |street: usize, lab: usize| {
            levels.of_street[street] == level && levels.of_lab[lab] == level
        };
        let own = net.part(own);
        let own_cost: Vec<i64> = (0..own.arcs())
            .map(|arc| net.arc(own.street_of[arc], own.lab_of[arc]).map_or(0, |arc| cost[arc]))
            .collect();
        let start = whole::rounded(&own, &own_cost, &shares_of(&own, &share));
        let found = whole::improve(&own, &own_cost, &start, *enough_h);
        for (street, arc) in found.into_iter().enumerate().filter(|(i, _)| own.tubes[*i] > 0) {
            arcs[street] = arc.and_then(|arc| net.arc(street, own.lab_of[arc]));
        }
    }
    let last_h = enough_h.iter().copied().fold(aim.hours, f64::max);
    if enough_h.len() > 1 {
        // Whole streets may overfill a later level so far that it ends last of all.
        let mut place = Place::new(net, &arcs);
        whole::earlier(net, cost, &mut place, last_h * whole::NEAR_ENOUGH, LOOKS);
        arcs = place.arcs();
    }
    if let Some(before) = previous.and_then(|labs| arcs_to(net, labs)) {
        let value = |arcs: &Arcs| {
            let place = Place::new(net, arcs);
            let finish_h = |lab: usize| net.finish_h(lab, place.load[lab]);
            let last = |(level, enough_h): (usize, &f64)| {
                let labs = (0..net.labs()).filter(|&lab| levels.of_lab[lab] == level);
                labs.map(finish_h).fold(*enough_h, f64::max)
            };
            let ends: Vec<f64> = enough_h.iter().enumerate().map(last).collect();
            (place.last().1.max(last_h), ends, place.cost(cost))
        };
        if value(&before) <= value(&arcs) {
            arcs = before;
        }
    }
    let bound_h = aim.bound_h(net);
    let alone_h = (0..net.streets()).map(|street| alone_h(net, street)).fold(0.0, f64::max);
    Whole::new(net, &arcs, bound_h, bound_h.max(alone_h))
}

/// Per arc: tubes of the shares.
fn shares_of(net: &Net, share: &impl Fn(usize, usize) -> u64) -> Vec<u64> {
    (0..net.arcs()).map(|arc| share(net.street_of[arc], net.lab_of[arc])).collect()
}

/// When a street is done, were it the only one; 0 without tubes.
fn alone_h(net: &Net, street: usize) -> f64 {
    let alone = |arc: usize| net.finish_h(net.lab_of[arc], net.tubes[street]);
    match net.tubes[street] {
        0 => 0.0,
        _ => net.arcs_of(street).map(alone).fold(f64::INFINITY, f64::min),
    }
}

/// Per level: hours before which none of its whole streets together can be done.
fn enough(net: &Net, levels: &Levels) -> Vec<f64> {
    let mut enough_h: Vec<f64> = levels.bounds.iter().map(|bound| bound.hours).collect();
    for (street, level) in levels.of_street.iter().enumerate() {
        enough_h[*level] = enough_h[*level].max(alone_h(net, street));
    }
    enough_h
}

/// The arcs to these labs; None when a street with tubes has none or may not use it.
fn arcs_to(net: &Net, labs: &[Option<usize>]) -> Option<Arcs> {
    let arc = |(street, lab): (usize, &Option<usize>)| {
        let arc = lab.and_then(|lab| net.arc(street, lab));
        (arc.is_some() || net.tubes[street] == 0).then_some(arc)
    };
    labs.iter().enumerate().map(arc).collect()
}
