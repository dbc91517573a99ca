//! Levelling: the fewest tube-hours, with a penalty for every tube whose street leaves its lab.
//!
//! What is made small: tube-hours, Σ s·L + L²/(2r) over the labs with load L, the sum of the hours after which each
//! tube is done; plus the penalty, in minutes for every tube of a street that leaves its lab. For divisible streets
//! the least tube-hours also give the earliest finish (the lexicographically optimal base, Fujishige 1980), and unlike
//! the finish they feel every single move. So a tube moves from a lab that ends at f to one that ends at g when f − g
//! is more than the penalty.
//!
//! Solving again changes nothing: moves away from the answer were no gain when it was found, and from the answer they
//! cost the penalty at least as often (the penalty obeys the triangle inequality).

use super::net::Net;
use super::place::Place;

/// Rounds over all streets, at most; a handful are used.
const ROUNDS: usize = 200;

/// A search for the fewest tube-hours, from where the streets are.
pub(super) struct Level<'a> {
    pub(super) net: &'a Net,
    pub(super) place: Place<'a>,
    /// Per street: the arc it may stay on.
    pub(super) stay: Vec<Option<usize>>,
    penalty_h: f64,
    /// No move may let a lab end after this: as if nobody changed.
    ceiling_h: f64,
}

impl<'a> Level<'a> {
    /// Streets stay where they may; the others go where they would be done first. The penalty is in hours per tube.
    pub(super) fn new(net: &'a Net, stay: Vec<Option<usize>>, penalty_h: f64) -> Level<'a> {
        // Streets that cannot stay go first where they would be done first, the largest of them first.
        let mut load = vec![0; net.labs()];
        let mut arcs = stay.clone();
        for (street, arc) in stay.iter().enumerate() {
            if let Some(arc) = *arc {
                load[net.lab_of[arc]] += net.tubes[street];
            }
        }
        let mut homeless: Vec<usize> = (0..net.streets()).filter(|&i| stay[i].is_none()).collect();
        homeless.sort_by_key(|&street| std::cmp::Reverse(net.tubes[street]));
        for street in homeless {
            let done = |arc: usize| {
                let lab = net.lab_of[arc];
                net.finish_h(lab, load[lab] + net.tubes[street])
            };
            let soonest = net.arcs_of(street).min_by(|&a, &b| done(a).total_cmp(&done(b)));
            if let Some(arc) = soonest {
                load[net.lab_of[arc]] += net.tubes[street];
            }
            arcs[street] = soonest;
        }
        let place = Place::new(net, &arcs);
        let ceiling_h = place.last().1;
        Level { net, place, stay, penalty_h, ceiling_h }
    }

    /// From a placement, without a penalty for leaving it.
    pub(super) fn free(place: Place<'a>, net: &'a Net) -> Level<'a> {
        let ceiling_h = place.last().1;
        Level { net, place, stay: vec![None; net.streets()], penalty_h: 0.0, ceiling_h }
    }

    /// Moves and exchanges until none gains. False when cut off.
    pub(super) fn settle(&mut self) -> bool {
        for _ in 0..ROUNDS {
            let mut changed = false;
            for street in (0..self.net.streets()).filter(|&street| self.net.tubes[street] > 0) {
                if let Some((arc, exchange)) = self.best(street) {
                    self.place.put(street, arc);
                    if let Some((other, into)) = exchange {
                        self.place.put(other, into);
                    }
                    changed = true;
                }
            }
            if !changed {
                return true;
            }
        }
        false
    }

    /// The change of this street, alone or in exchange for another, that gains most, if any gains.
    fn best(&self, street: usize) -> Option<(usize, Option<(usize, usize)>)> {
        let net = self.net;
        let (from, tubes) = (self.place.lab(street), net.tubes[street]);
        // Gains below the error of floating point are none.
        let mut best = (1e-6 + 1e-9 * self.ceiling_h * tubes as f64, None);
        for arc in net.arcs_of(street) {
            let to = net.lab_of[arc];
            if to == from {
                continue;
            }
            let penalty = self.penalty(street, arc);
            if let Some(gain) = self.gain(from, to, tubes, 0)
                && gain - penalty > best.0
            {
                best = (gain - penalty, Some((arc, None)));
            }
            for &other in &self.place.members[to] {
                let back = net.tubes[other];
                // The larger of the two asks: an exchange of equals gains nothing.
                if back >= tubes {
                    continue;
                }
                let Some(gain) = self.gain(from, to, tubes, back) else { continue };
                if gain - penalty <= best.0 {
                    continue;
                }
                if let Some(into) = net.arc(other, from) {
                    let gain = gain - penalty - self.penalty(other, into);
                    if gain > best.0 {
                        best = (gain, Some((arc, Some((other, into)))));
                    }
                }
            }
        }
        best.1
    }

    /// Tube-hours of penalty that a street pays more if it takes this arc; less than 0 if it returns.
    fn penalty(&self, street: usize, arc: usize) -> f64 {
        let Some(stay) = self.stay[street] else { return 0.0 };
        let away = |at: usize| if at == stay { 0.0 } else { 1.0 };
        let now = self.place.arc(street).map_or(0.0, away);
        (away(arc) - now) * self.penalty_h * self.net.tubes[street] as f64
    }

    /// Tube-hours gained when `out` tubes go from one lab to another and `back` return; None if one would end too late.
    fn gain(&self, from: usize, to: usize, out: u64, back: u64) -> Option<f64> {
        let (net, load) = (self.net, &self.place.load);
        let (here, there) = (load[from] - out + back, load[to] - back + out);
        let ceiling = self.ceiling_h * (1.0 + 1e-12);
        if net.finish_h(from, here) > ceiling || net.finish_h(to, there) > ceiling {
            return None;
        }
        // The difference itself, not of two large sums: s·ΔL + ΔL·(L + L')/(2r).
        let change = |lab: usize, before: u64, after: u64| {
            let more = after as f64 - before as f64;
            more * (net.head_start[lab] + (before as f64 + after as f64) / (2.0 * net.rate[lab]))
        };
        Some(-change(from, load[from], here) - change(to, load[to], there))
    }
}
