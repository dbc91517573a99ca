//! One bottleneck behind another: when each lab need be done, at the earliest.
//!
//! The bound T* is that of one set of streets and the labs that only they keep busy. The other streets need not wait as
//! long: without that set they have a bound of their own, with a set of its own, and so on. Each set is a level; a lab is
//! due at the hours of its level. That is the lexicographically least assignment (Megiddo, *Optimal flows in networks with
//! multiple sources and sinks*, 1974): the last lab as early as can be, then the one before it, and so on. Were only the
//! last one looked at, every other lab would be given tubes until then for the sake of a shorter way, with larger labs idle.
//!
//! No street of a level reaches a lab of a later one, so each level is a problem by itself. A floor ends it: as long as
//! tubes come, no lab holds the round up, and there the shorter way counts for more.

use super::explain::Bound;
use super::net::Net;
use super::overflow::{self, Aim};

/// No level yet.
const OPEN: usize = usize::MAX;

/// Which streets and labs belong together, and when they are due.
#[derive(Clone, Debug)]
pub(super) struct Levels {
    /// By level, the latest first: hours at which its labs are due, and why not earlier. What the floor ends is without a
    /// reason.
    pub(super) bounds: Vec<Bound>,
    /// Per street: its level.
    pub(super) of_street: Vec<usize>,
    /// Per lab: its level.
    pub(super) of_lab: Vec<usize>,
}

impl Levels {
    /// The levels of a checked problem, with all its ways: those that end after `floor_h`, and one for all that is left.
    pub(super) fn new(net: &Net, aim: &Aim, target_h: Option<f64>, floor_h: f64) -> Levels {
        let mut levels = Levels {
            bounds: Vec::new(),
            of_street: vec![OPEN; net.streets()],
            of_lab: vec![OPEN; net.labs()],
        };
        if aim.all.is_none() {
            levels.down(net, Some(aim.inside.clone()), floor_h);
            levels.rest();
            return levels;
        }
        match target_h.filter(|target| aim.inside.hours > *target) {
            // As little as possible goes outside: the labs inside work until the target, if they can be done by then.
            Some(target) => {
                levels.down(net, None, floor_h.max(target));
                levels.rest();
                if let Some(last) = levels.bounds.last_mut() {
                    last.hours = last.hours.max(target).min(aim.hours);
                }
            }
            // What is not needed outside stays inside.
            None => {
                let inside = |street| net.arcs_of(street).any(|arc| !net.outside[net.lab_of[arc]]);
                let own = net.part(|street, lab| !net.outside[lab] || !inside(street));
                levels.down(&own, None, floor_h);
                levels.rest();
            }
        }
        levels
    }

    /// Hours at which a lab is due.
    pub(super) fn due_h(&self, lab: usize) -> f64 {
        self.bounds[self.of_lab[lab]].hours
    }

    /// The ways of streets to labs of their own level.
    pub(super) fn own(&self, net: &Net) -> Net {
        net.part(|street, lab| self.of_street[street] == self.of_lab[lab])
    }

    /// Takes one level after another from what is left, until one that is due by `floor_h`; that one stays open. `first` is the
    /// bound of all, where it is known.
    fn down(&mut self, net: &Net, first: Option<Bound>, floor_h: f64) {
        let mut before_h = f64::INFINITY;
        let mut known = first;
        for level in 0..net.labs() {
            let left = self.left(net);
            let mut bound = known.take().unwrap_or_else(|| overflow::bound(&left));
            // Later only by the error of floating point.
            bound.hours = bound.hours.min(before_h);
            before_h = bound.hours;
            if bound.cuts.is_empty() || bound.hours <= floor_h {
                let last = Bound { hours: bound.hours, cuts: Vec::new() };
                self.bounds.push(last);
                return;
            }
            for cut in &bound.cuts {
                cut.streets.iter().for_each(|&street| self.of_street[street] = level);
                cut.labs.iter().for_each(|&lab| self.of_lab[lab] = level);
            }
            // Whoever reaches no other lab than these belongs to them.
            for street in 0..net.streets() {
                let closed = |arc: usize| self.of_lab[net.lab_of[arc]] != OPEN;
                if self.of_street[street] == OPEN && net.arcs_of(street).all(closed) {
                    self.of_street[street] = level;
                }
            }
            self.bounds.push(bound);
        }
    }

    /// All that is open belongs to the last level.
    fn rest(&mut self) {
        let last = self.bounds.len().saturating_sub(1);
        let all = self.of_street.iter_mut().chain(&mut self.of_lab);
        all.filter(|of| **of == OPEN).for_each(|of| *of = last);
    }

    /// What no level has yet.
    fn left(&self, net: &Net) -> Net {
        net.part(|street, lab| self.of_street[street] == OPEN && self.of_lab[lab] == OPEN)
    }
}
