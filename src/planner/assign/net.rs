//! The ways as flat arrays, seen from both ends. Ways to labs that cannot work are left out: nothing is sent there.

use super::model::{Lab, Problem};

/// A checked problem made flat. An arc is a way to a lab that works.
#[derive(Clone, Debug, Default)]
pub(super) struct Net {
    /// Tubes per street.
    pub(super) tubes: Vec<u64>,
    /// Per street, where its arcs begin; one more at the end.
    first: Vec<usize>,
    /// The arcs of each street by lab, where a street may have many.
    sorted: Vec<usize>,
    /// Per arc: its lab.
    pub(super) lab_of: Vec<usize>,
    /// Per arc: its street.
    pub(super) street_of: Vec<usize>,
    /// Per arc: metres.
    pub(super) metres: Vec<u64>,
    /// Per arc: minutes.
    pub(super) minutes: Vec<f64>,
    /// Per lab, where its arcs begin in `arcs_by_lab`; one more at the end.
    first_back: Vec<usize>,
    arcs_by_lab: Vec<usize>,
    /// Per lab: tubes per hour.
    pub(super) rate: Vec<f64>,
    /// Per lab: hours before its first tube.
    pub(super) head_start: Vec<f64>,
    /// Per lab: of another city.
    pub(super) outside: Vec<bool>,
}

impl Net {
    /// The ways that pass `keep(street, lab)` of a problem that has been checked.
    pub(super) fn new(problem: &Problem, keep: impl Fn(usize, usize) -> bool) -> Net {
        let of_lab = |lab: fn(&Lab) -> f64| problem.labs.iter().map(lab).collect();
        let mut net = Net {
            tubes: problem.streets.iter().map(|street| street.tubes).collect(),
            rate: of_lab(|lab| lab.rate),
            head_start: of_lab(|lab| lab.head_start_h),
            outside: problem.labs.iter().map(|lab| lab.outside).collect(),
            ..Net::default()
        };
        for (street, it) in problem.streets.iter().enumerate() {
            net.first.push(net.arcs());
            for way in &it.ways {
                if net.rate[way.lab] > 0.0 && keep(street, way.lab) {
                    // Checked to be finite and short: the metres fit.
                    net.push(street, way.lab, (way.km * 1000.0).round() as u64, way.minutes);
                }
            }
        }
        net.indexed()
    }

    /// The ways of these that pass `keep(street, lab)`, and the tubes of the streets that have one.
    pub(super) fn part(&self, keep: impl Fn(usize, usize) -> bool) -> Net {
        let mut net = Net {
            tubes: vec![0; self.streets()],
            rate: self.rate.clone(),
            head_start: self.head_start.clone(),
            outside: self.outside.clone(),
            ..Net::default()
        };
        for street in 0..self.streets() {
            net.first.push(net.arcs());
            for arc in self.arcs_of(street).filter(|&arc| keep(street, self.lab_of[arc])) {
                net.push(street, self.lab_of[arc], self.metres[arc], self.minutes[arc]);
                net.tubes[street] = self.tubes[street];
            }
        }
        net.indexed()
    }

    fn push(&mut self, street: usize, lab: usize, metres: u64, minutes: f64) {
        self.lab_of.push(lab);
        self.street_of.push(street);
        self.metres.push(metres);
        self.minutes.push(minutes);
    }

    /// With the arcs of each street and lab in their order, once all are there.
    fn indexed(mut self) -> Net {
        self.first.push(self.arcs());
        self.sorted = (0..self.arcs()).collect();
        for ends in self.first.windows(2) {
            self.sorted[ends[0]..ends[1]].sort_unstable_by_key(|&arc| self.lab_of[arc]);
        }
        self.first_back = vec![0; self.labs() + 1];
        for &lab in &self.lab_of {
            self.first_back[lab + 1] += 1;
        }
        for lab in 0..self.labs() {
            self.first_back[lab + 1] += self.first_back[lab];
        }
        let mut next = self.first_back.clone();
        self.arcs_by_lab = vec![0; self.arcs()];
        for (arc, &lab) in self.lab_of.iter().enumerate() {
            self.arcs_by_lab[next[lab]] = arc;
            next[lab] += 1;
        }
        self
    }

    /// Number of streets.
    pub(super) fn streets(&self) -> usize {
        self.tubes.len()
    }

    /// Number of labs.
    pub(super) fn labs(&self) -> usize {
        self.rate.len()
    }

    /// Number of arcs.
    pub(super) fn arcs(&self) -> usize {
        self.lab_of.len()
    }

    /// Arcs of a street, in the order of its ways.
    pub(super) fn arcs_of(&self, street: usize) -> std::ops::Range<usize> {
        self.first[street]..self.first[street + 1]
    }

    /// Arcs into a lab, by street.
    pub(super) fn arcs_into(&self, lab: usize) -> &[usize] {
        &self.arcs_by_lab[self.first_back[lab]..self.first_back[lab + 1]]
    }

    /// The arc from this street to this lab.
    pub(super) fn arc(&self, street: usize, lab: usize) -> Option<usize> {
        let own = &self.sorted[self.arcs_of(street)];
        own.binary_search_by_key(&lab, |&arc| self.lab_of[arc]).ok().map(|place| own[place])
    }

    /// When a lab with this load is done, in hours; a lab without load is never waited for.
    pub(super) fn finish_h(&self, lab: usize, load: u64) -> f64 {
        if load == 0 { 0.0 } else { self.head_start[lab] + load as f64 / self.rate[lab] }
    }

    /// Whole tubes that a lab can do in so many hours, the last one begun counted whole.
    ///
    /// Rounded up, because whole tubes fit whenever parts of tubes do (flows in whole capacities are whole). What
    /// exceeds a whole number by the error of floating point only is not rounded up.
    pub(super) fn room(&self, lab: usize, hours: f64) -> u64 {
        let tubes = self.rate[lab] * (hours - self.head_start[lab]).max(0.0);
        (tubes - 1e-4).ceil().clamp(0.0, super::model::TUBES_MAX as f64) as u64
    }

    /// The same of each lab, by the hours that it has.
    pub(super) fn rooms(&self, hours: impl Fn(usize) -> f64) -> Vec<u64> {
        (0..self.labs()).map(|lab| self.room(lab, hours(lab))).collect()
    }
}
