//! Each street at one lab, and what a change of one or two streets does to the labs concerned.

use super::net::Net;

/// No arc: a street without tubes that may send nowhere.
const NOWHERE: usize = usize::MAX;

/// Every street at one of its labs.
#[derive(Clone, Debug)]
pub(super) struct Place<'a> {
    net: &'a Net,
    /// Per street: the arc it uses.
    arc_of: Vec<usize>,
    /// Per lab: tubes.
    pub(super) load: Vec<u64>,
    /// Per lab: its streets with tubes, in the order in which they came.
    pub(super) members: Vec<Vec<usize>>,
}

impl<'a> Place<'a> {
    /// Every street on the arc given; streets with tubes must have one.
    pub(super) fn new(net: &'a Net, arc_of: &[Option<usize>]) -> Place<'a> {
        let mut place = Place {
            net,
            arc_of: arc_of.iter().map(|arc| arc.unwrap_or(NOWHERE)).collect(),
            load: vec![0; net.labs()],
            members: vec![Vec::new(); net.labs()],
        };
        for street in 0..net.streets() {
            if net.tubes[street] > 0 {
                let lab = net.lab_of[place.arc_of[street]];
                place.load[lab] += net.tubes[street];
                place.members[lab].push(street);
            }
        }
        place
    }

    /// The arc that a street uses.
    pub(super) fn arc(&self, street: usize) -> Option<usize> {
        Some(self.arc_of[street]).filter(|&arc| arc != NOWHERE)
    }

    /// The lab of a street that has tubes.
    pub(super) fn lab(&self, street: usize) -> usize {
        self.net.lab_of[self.arc_of[street]]
    }

    /// The arcs that all streets use.
    pub(super) fn arcs(&self) -> Vec<Option<usize>> {
        (0..self.net.streets()).map(|street| self.arc(street)).collect()
    }

    /// Lets a street with tubes use another of its arcs.
    pub(super) fn put(&mut self, street: usize, arc: usize) {
        let (from, to, tubes) = (self.lab(street), self.net.lab_of[arc], self.net.tubes[street]);
        self.members[from].retain(|&other| other != street);
        self.members[to].push(street);
        self.load[from] -= tubes;
        self.load[to] += tubes;
        self.arc_of[street] = arc;
    }

    /// The lab that ends last, ties to the lower index, and when.
    pub(super) fn last(&self) -> (usize, f64) {
        let mut last = (0, 0.0);
        for lab in 0..self.net.labs() {
            let hours = self.net.finish_h(lab, self.load[lab]);
            if hours > last.1 {
                last = (lab, hours);
            }
        }
        last
    }

    /// Sum of cost × tubes.
    pub(super) fn cost(&self, cost: &[i64]) -> i128 {
        let of = |street: usize| match self.arc(street) {
            Some(arc) => i128::from(cost[arc]) * i128::from(self.net.tubes[street]),
            None => 0,
        };
        (0..self.net.streets()).map(of).sum()
    }
}
