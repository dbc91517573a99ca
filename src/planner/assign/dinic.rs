//! The largest flow from streets to labs (Dinic 1970: shortest ways first, many at a time).
//!
//! Exact integers. The flow is kept while the labs' rooms grow, so a question asked again with more room costs only
//! what is new.

use std::collections::VecDeque;

use super::net::Net;

const UNSEEN: u32 = u32::MAX;

/// A flow that can be made larger.
#[derive(Clone, Debug)]
pub(super) struct Flow<'a> {
    net: &'a Net,
    /// Per arc: units sent.
    pub(super) sent: Vec<u64>,
    /// Per street: units not sent yet.
    pub(super) left: Vec<u64>,
    /// Per lab: units that it can still take.
    pub(super) free: Vec<u64>,
    street_level: Vec<u32>,
    lab_level: Vec<u32>,
    /// Next arc to try: per street among its arcs, per lab among the arcs into it.
    street_next: Vec<usize>,
    lab_next: Vec<usize>,
    queue: VecDeque<usize>,
    path: Vec<usize>,
}

/// The streets and labs on the near side of a minimum cut: the streets can send to no other labs, and those are full.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Near {
    pub(super) streets: Vec<usize>,
    pub(super) labs: Vec<usize>,
}

impl<'a> Flow<'a> {
    /// No flow yet: `units` to be sent per street, room `free` per lab.
    pub(super) fn new(net: &'a Net, units: Vec<u64>, free: Vec<u64>) -> Flow<'a> {
        Flow {
            net,
            sent: vec![0; net.arcs()],
            left: units,
            free,
            street_level: vec![UNSEEN; net.streets()],
            lab_level: vec![UNSEEN; net.labs()],
            street_next: vec![0; net.streets()],
            lab_next: vec![0; net.labs()],
            queue: VecDeque::new(),
            path: Vec::new(),
        }
    }

    /// Units not sent.
    pub(super) fn unsent(&self) -> u64 {
        self.left.iter().sum()
    }

    /// Sends as much as can be sent; what has been sent may be moved to other labs, but no lab loses any.
    pub(super) fn fill(&mut self) {
        while self.levels() {
            for street in 0..self.net.streets() {
                self.street_next[street] = self.net.arcs_of(street).start;
            }
            self.lab_next.fill(0);
            for street in 0..self.net.streets() {
                if self.street_level[street] == 0 {
                    while self.left[street] > 0 && self.send_one(street) {}
                }
            }
        }
    }

    /// The near side of the minimum cut. Only after `fill`.
    pub(super) fn near(&self) -> Near {
        let seen = |levels: &[u32]| (0..levels.len()).filter(|&i| levels[i] != UNSEEN).collect();
        Near { streets: seen(&self.street_level), labs: seen(&self.lab_level) }
    }

    /// Distance of everything from the streets that have units left. True when a lab with room is within reach.
    fn levels(&mut self) -> bool {
        self.street_level.fill(UNSEEN);
        self.lab_level.fill(UNSEEN);
        self.queue.clear();
        for street in 0..self.net.streets() {
            if self.left[street] > 0 {
                self.street_level[street] = 0;
                self.queue.push_back(street);
            }
        }
        // Labs further away than the nearest one with room are not looked at: ways to them are not shortest.
        let mut last = UNSEEN;
        while let Some(street) = self.queue.pop_front() {
            let level = self.street_level[street] + 1;
            if level > last {
                break;
            }
            for arc in self.net.arcs_of(street) {
                let lab = self.net.lab_of[arc];
                if self.lab_level[lab] != UNSEEN {
                    continue;
                }
                self.lab_level[lab] = level;
                if self.free[lab] > 0 {
                    last = level;
                    continue;
                }
                for &back in self.net.arcs_into(lab) {
                    let other = self.net.street_of[back];
                    if self.sent[back] > 0 && self.street_level[other] == UNSEEN {
                        self.street_level[other] = level + 1;
                        self.queue.push_back(other);
                    }
                }
            }
        }
        last != UNSEEN
    }

    /// Sends along one shortest way from a street. False when there is none left.
    fn send_one(&mut self, start: usize) -> bool {
        let net = self.net;
        // Arcs forth (even places) and back (odd places).
        self.path.clear();
        let mut street = start;
        loop {
            // Stand at a street: step forth to a lab one level on.
            let level = self.street_level[street] + 1;
            let end = net.arcs_of(street).end;
            let mut at = self.street_next[street];
            while at < end && self.lab_level[net.lab_of[at]] != level {
                at += 1;
            }
            self.street_next[street] = at;
            if at == end {
                // A dead end: back to the lab that led here, and on from there.
                let Some(back) = self.path.pop() else { return false };
                let lab = net.lab_of[back];
                self.lab_next[lab] += 1;
                match self.step_back(lab) {
                    Some(next) => street = next,
                    None => street = self.leave_lab(),
                }
                continue;
            }
            self.path.push(at);
            let lab = net.lab_of[at];
            if self.free[lab] > 0 {
                self.push_along(start, lab);
                return true;
            }
            match self.step_back(lab) {
                Some(next) => street = next,
                None => street = self.leave_lab(),
            }
        }
    }

    /// From a lab back to a street one level on, that could send elsewhere.
    fn step_back(&mut self, lab: usize) -> Option<usize> {
        let level = self.lab_level[lab] + 1;
        let into = self.net.arcs_into(lab);
        while let Some(&back) = into.get(self.lab_next[lab]) {
            let street = self.net.street_of[back];
            if self.sent[back] > 0 && self.street_level[street] == level {
                self.path.push(back);
                return Some(street);
            }
            self.lab_next[lab] += 1;
        }
        None
    }

    /// The lab at the end of the path leads nowhere: take the arc to it off, and stand at its street again.
    fn leave_lab(&mut self) -> usize {
        // The path ends with an arc forth here, always.
        let arc = self.path.pop().unwrap_or_default();
        let street = self.net.street_of[arc];
        self.street_next[street] = arc + 1;
        street
    }

    fn push_along(&mut self, start: usize, end: usize) {
        let back = self.path.iter().skip(1).step_by(2).map(|&arc| self.sent[arc]).min();
        let units = self.left[start].min(self.free[end]).min(back.unwrap_or(u64::MAX));
        for (place, &arc) in self.path.iter().enumerate() {
            if place % 2 == 0 {
                self.sent[arc] += units;
            } else {
                self.sent[arc] -= units;
            }
        }
        self.left[start] -= units;
        self.free[end] -= units;
    }
}
