//! The shortest ways within the labs' rooms: a flow of least cost in whole tubes.
//!
//! Successive shortest ways with potentials (Ahuja, Magnanti, Orlin, *Network Flows*, 1993, section 9.7): street by
//! street, each time along the way that costs least, moving earlier tubes where that is cheaper. Costs are metres, as
//! integers, so the result is exact. A tube sent to another city costs more than any detour inside can.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::net::Net;

const FAR: i64 = i64::MAX;

/// A flow of whole tubes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    /// Per arc: tubes.
    pub(super) tubes: Vec<u64>,
    /// Tubes for which there was no room.
    pub(super) unsent: u64,
}

/// Cost of a tube per arc, in metres; to a lab outside so much more that one tube less outside outweighs every detour.
pub(super) fn costs(net: &Net) -> Vec<i64> {
    let longest = net.metres.iter().copied().max().unwrap_or(0) as i64;
    // A chain of moves passes each lab once, forth and back.
    let outside = (longest + 1) * 2 * (net.labs() as i64 + 1);
    let cost = |arc: usize| {
        let more = if net.outside[net.lab_of[arc]] { outside } else { 0 };
        net.metres[arc] as i64 + more
    };
    (0..net.arcs()).map(cost).collect()
}

/// The cheapest way to send all tubes into these rooms.
pub(super) fn cheapest(net: &Net, cost: &[i64], room: Vec<u64>) -> Sent {
    let mut search = Search {
        net,
        cost,
        sent: vec![0; net.arcs()],
        room,
        street_price: vec![0; net.streets()],
        lab_price: vec![0; net.labs()],
        street_far: vec![FAR; net.streets()],
        lab_far: vec![FAR; net.labs()],
        lab_from: vec![usize::MAX; net.labs()],
        street_from: vec![usize::MAX; net.streets()],
        touched_streets: Vec::new(),
        touched_labs: Vec::new(),
        heap: BinaryHeap::new(),
        full: vec![Vec::new(); net.labs()],
    };
    let mut unsent = 0;
    for street in 0..net.streets() {
        let mut left = net.tubes[street];
        while left > 0 {
            let Some(lab) = search.walk(street) else { break };
            left -= search.push(street, lab, left);
        }
        unsent += left;
    }
    Sent { tubes: search.sent, unsent }
}

struct Search<'a> {
    net: &'a Net,
    cost: &'a [i64],
    sent: Vec<u64>,
    room: Vec<u64>,
    // Prices keep every cost that is left, cost + price of the near end − price of the far end, at 0 or more. The end of
    // all ways, behind the labs, has price 0.
    street_price: Vec<i64>,
    lab_price: Vec<i64>,
    street_far: Vec<i64>,
    lab_far: Vec<i64>,
    /// The arc by which a lab was reached; the arc back by which a street was reached.
    lab_from: Vec<usize>,
    street_from: Vec<usize>,
    touched_streets: Vec<usize>,
    touched_labs: Vec<usize>,
    heap: BinaryHeap<Reverse<(i64, usize)>>,
    /// Per lab: the arcs into it that carry tubes, rising. A lab has few of the streets of a large city, and each way looks back
    /// along all of them.
    full: Vec<Vec<usize>>,
}

impl Search<'_> {
    /// The lab with room that is cheapest to reach from a street, ties to the lower index (Dijkstra over the labs).
    fn walk(&mut self, start: usize) -> Option<usize> {
        for street in self.touched_streets.drain(..) {
            self.street_far[street] = FAR;
        }
        for lab in self.touched_labs.drain(..) {
            self.lab_far[lab] = FAR;
        }
        self.heap.clear();
        self.reach_street(start, 0, usize::MAX);
        let (mut end_far, mut end) = (FAR, None);
        while let Some(Reverse((far, lab))) = self.heap.pop() {
            if far > self.lab_far[lab] {
                continue;
            }
            if far >= end_far {
                break;
            }
            if self.room[lab] > 0 {
                let total = far + self.lab_price[lab];
                if total < end_far {
                    (end_far, end) = (total, Some(lab));
                }
            }
            let backs = std::mem::take(&mut self.full[lab]);
            for &back in &backs {
                let street = self.net.street_of[back];
                if self.street_far[street] == FAR {
                    let step = self.lab_price[lab] - self.cost[back] - self.street_price[street];
                    self.reach_street(street, far + step, back);
                }
            }
            self.full[lab] = backs;
        }
        if end.is_some() {
            for &street in &self.touched_streets {
                self.street_price[street] += self.street_far[street].min(end_far) - end_far;
            }
            for &lab in &self.touched_labs {
                self.lab_price[lab] += self.lab_far[lab].min(end_far) - end_far;
            }
        }
        end
    }

    fn reach_street(&mut self, street: usize, far: i64, from: usize) {
        self.street_far[street] = far;
        self.street_from[street] = from;
        self.touched_streets.push(street);
        for arc in self.net.arcs_of(street) {
            let lab = self.net.lab_of[arc];
            let next = far + self.cost[arc] + self.street_price[street] - self.lab_price[lab];
            if next < self.lab_far[lab] {
                if self.lab_far[lab] == FAR {
                    self.touched_labs.push(lab);
                }
                self.lab_far[lab] = next;
                self.lab_from[lab] = arc;
                self.heap.push(Reverse((next, lab)));
            }
        }
    }

    /// Sends along the way that was found; gives the tubes sent.
    fn push(&mut self, start: usize, end: usize, left: u64) -> u64 {
        let mut tubes = left.min(self.room[end]);
        self.along(start, end, |search, arc, back| {
            if back {
                tubes = tubes.min(search.sent[arc]);
            }
        });
        self.along(start, end, |search, arc, back| search.put(arc, back, tubes));
        self.room[end] -= tubes;
        tubes
    }

    /// Puts so many tubes more on an arc, or takes them back.
    fn put(&mut self, arc: usize, back: bool, tubes: u64) {
        let sent = &mut self.sent[arc];
        let carried = *sent > 0;
        *sent = if back { *sent - tubes } else { *sent + tubes };
        let carries = *sent > 0;
        let full = &mut self.full[self.net.lab_of[arc]];
        match full.binary_search(&arc) {
            Ok(at) if carried && !carries => drop(full.remove(at)),
            Err(at) if !carried && carries => full.insert(at, arc),
            _ => {}
        }
    }

    fn along(&mut self, start: usize, end: usize, mut act: impl FnMut(&mut Self, usize, bool)) {
        let mut lab = end;
        loop {
            let arc = self.lab_from[lab];
            act(self, arc, false);
            let street = self.net.street_of[arc];
            if street == start {
                return;
            }
            let back = self.street_from[street];
            act(self, back, true);
            lab = self.net.lab_of[back];
        }
    }
}
