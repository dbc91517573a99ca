//! Levelling: every tube done as early as can be, with a penalty for every tube whose street leaves its lab.
//!
//! What is made small, in tube-hours: Σ s·L + L²/(2r) over the labs with load L, which is the sum of the hours after
//! which each tube is done; plus, for every tube, the hour at which the last one is done, because a round is over for
//! all at once; plus the penalty. For divisible streets the first sum alone also gives the earliest finish (the
//! lexicographically optimal base, Fujishige 1980), and unlike the finish it feels every single move.
//!
//! Single moves and exchanges until none gains. Then the search for an earlier finish (see `whole`) makes a proposal,
//! which is taken if it is worth its penalty, and so on until a proposal is not.
//!
//! Solving again changes nothing: a move or proposal that was no gain when the answer was found costs the penalty at
//! least as often when counted from the answer (the triangle inequality), and proposals depend on nothing but the
//! placement that they are to better.

use super::net::Net;
use super::place::Place;
use super::whole;

/// Rounds over all streets, at most; a handful are used.
const ROUNDS: usize = 200;
/// Proposals, at most; two or three are used.
const PROPOSALS: usize = 20;
/// Looks at an exchange per proposal; about 10 ns each.
const LOOKS: u64 = 2_000_000;

/// A search from where the streets are.
#[derive(Clone)]
pub(super) struct Level<'a> {
    pub(super) net: &'a Net,
    pub(super) place: Place<'a>,
    /// Per street: the arc it may stay on.
    pub(super) stay: Vec<Option<usize>>,
    penalty_h: f64,
    /// How many tubes wait for the last one.
    waiting: f64,
    /// The round is not over before this, whoever moves.
    floor_h: f64,
    /// No move may let a lab end after this: as if nobody changed.
    ceiling_h: f64,
}

impl<'a> Level<'a> {
    /// Streets stay where they may; the others go where they would be done first. The penalty is in hours per tube;
    /// the round is not over before `floor_h`.
    pub(super) fn new(
        net: &'a Net,
        stay: Vec<Option<usize>>,
        penalty_h: f64,
        floor_h: f64,
    ) -> Level<'a> {
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
        let waiting = net.tubes.iter().sum::<u64>() as f64;
        Level { net, place, stay, penalty_h, waiting, floor_h, ceiling_h }
    }

    /// From a placement, without a penalty for leaving it and for each tube's own sake only.
    pub(super) fn free(place: Place<'a>, net: &'a Net) -> Level<'a> {
        let ceiling_h = place.last().1;
        let stay = vec![None; net.streets()];
        Level { net, place, stay, penalty_h: 0.0, waiting: 0.0, floor_h: 0.0, ceiling_h }
    }

    /// Moves, exchanges and proposals until none gains. False when cut off. The finish is good enough at `goal_h`.
    pub(super) fn search(&mut self, cost: &[i64], goal_h: f64) -> bool {
        for _ in 0..PROPOSALS {
            if !self.settle() {
                return false;
            }
            if self.place.last().1 <= goal_h {
                return true;
            }
            let proposal = self.proposal(cost, goal_h);
            let now = self.value(&self.place);
            if self.value(&proposal) >= now - 1e-9 * now.abs() - 1e-6 {
                return true;
            }
            self.place = proposal;
        }
        false
    }

    /// An earlier finish, and from there back to where the streets are now as far as that is not worth the penalty.
    fn proposal(&self, cost: &[i64], goal_h: f64) -> Place<'a> {
        let stay = self.place.arcs();
        let mut place = Place::new(self.net, &stay);
        let ceiling_h = place.last().1;
        whole::earlier(self.net, cost, &mut place, goal_h, LOOKS);
        let place = Place::new(self.net, &place.arcs());
        let mut level = Level { place, stay, ceiling_h, ..self.clone() };
        level.settle();
        level.place
    }

    /// What is made small, in tube-hours.
    fn value(&self, place: &Place) -> f64 {
        let net = self.net;
        let own = |lab: usize| {
            let load = place.load[lab] as f64;
            if load == 0.0 {
                0.0
            } else {
                load * (net.head_start[lab] + load / (2.0 * net.rate[lab]))
            }
        };
        let left = |&street: &usize| {
            net.tubes[street] > 0
                && self.stay[street].is_some_and(|arc| place.arc(street) != Some(arc))
        };
        let moved: u64 = (0..net.streets()).filter(left).map(|street| net.tubes[street]).sum();
        (0..net.labs()).map(own).sum::<f64>()
            + self.waiting * place.last().1.max(self.floor_h)
            + self.penalty_h * moved as f64
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
        let last = self.last_three();
        // Gains below the error of floating point are none.
        let mut best = (1e-6 + 1e-9 * self.ceiling_h * tubes as f64, None);
        for arc in net.arcs_of(street) {
            let to = net.lab_of[arc];
            if to == from {
                continue;
            }
            let penalty = self.penalty(street, arc);
            if let Some(gain) = self.gain(&last, from, to, tubes, 0)
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
                let Some(gain) = self.gain(&last, from, to, tubes, back) else { continue };
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

    /// The three labs that end last: of any change of two, the last of the others is among them.
    fn last_three(&self) -> [(f64, usize); 3] {
        let mut last = [(0.0, usize::MAX); 3];
        for lab in 0..self.net.labs() {
            let hours = self.net.finish_h(lab, self.place.load[lab]);
            if let Some(rank) = last.iter().position(|other| hours > other.0) {
                last[rank..].rotate_right(1);
                last[rank] = (hours, lab);
            }
        }
        last
    }

    /// Tube-hours gained when `out` tubes go from one lab to another and `back` return; None if one would end too late.
    fn gain(
        &self,
        last: &[(f64, usize); 3],
        from: usize,
        to: usize,
        out: u64,
        back: u64,
    ) -> Option<f64> {
        let (later_h, gain) = self.change(last, from, to, out, back);
        (later_h <= self.ceiling_h * (1.0 + 1e-12)).then_some(gain)
    }

    /// When the later of two labs ends after such a change, and the tube-hours gained.
    fn change(
        &self,
        last: &[(f64, usize); 3],
        from: usize,
        to: usize,
        out: u64,
        back: u64,
    ) -> (f64, f64) {
        let (net, load) = (self.net, &self.place.load);
        let (here, there) = (load[from] - out + back, load[to] - back + out);
        let later = net.finish_h(from, here).max(net.finish_h(to, there));
        let others = last.iter().find(|other| other.1 != from && other.1 != to);
        let after = later.max(others.map_or(0.0, |other| other.0)).max(self.floor_h);
        let sooner = last[0].0.max(self.floor_h) - after;
        // The difference itself, not of two large sums: s·ΔL + ΔL·(L + L')/(2r).
        let own = |lab: usize, before: u64, after: u64| {
            let more = after as f64 - before as f64;
            more * (net.head_start[lab] + (before as f64 + after as f64) / (2.0 * net.rate[lab]))
        };
        let lost = own(from, load[from], here) + own(to, load[to], there);
        (later, self.waiting * sooner - lost)
    }

    /// What it would cost if this street went back alone to where it may stay, in hours per tube of it, without the
    /// penalty. None if it may not, or stays.
    pub(super) fn cost_of_return(&self, street: usize) -> Option<f64> {
        let (to, from) = (self.net.lab_of[self.stay[street]?], self.place.lab(street));
        if to == from {
            return None;
        }
        let tubes = self.net.tubes[street];
        Some(-self.change(&self.last_three(), from, to, tubes, 0).1 / tubes as f64)
    }
}
