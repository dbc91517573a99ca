//! The answer: shares of streets, whole streets, what goes outside, and the load of every lab.

use super::explain::Bound;
use super::net::Net;
use crate::planner::city::Words;

/// What to aim at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// The target, in hours from now. Labs outside are used only to meet it, or by streets that reach no other.
    pub target_h: Option<f64>,
    /// By how much later than T* the city may end for the sake of shorter ways: 0.001 is 0.1 %. 0 to 10.
    pub slack: f64,
    /// Hours up to which no lab holds the round up, because tubes come as long: down to these each lab is done as early as can
    /// be, one bottleneck behind another; of the labs that are done by then only the last one counts. Infinite: only the last
    /// of all counts. 0 or more.
    pub floor_h: f64,
}

impl Default for Options {
    fn default() -> Options {
        Options { target_h: None, slack: 0.001, floor_h: f64::INFINITY }
    }
}

/// Who sends what to whom, and why not earlier.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// The bound with the city's own labs, and its reason. Streets that reach none of them are left out.
    pub bound: Bound,
    /// The bound with labs outside too; None when there are none.
    pub bound_with_outside: Option<Bound>,
    /// What binds behind that: bottlenecks that end later than the floor were the earlier ones relieved, the latest first. With
    /// overflow of all labs, else of those that the assignment uses.
    pub then: Vec<Bound>,
    /// What the assignment aims at, in hours: `bound`, or with overflow the target, or `bound_with_outside`.
    pub aim_h: f64,
    /// Streets divided among labs: least tube-kilometres within the aim and the slack.
    pub shares: Shares,
    /// Each street at one lab.
    pub whole: Whole,
    /// What goes to other cities when streets may be divided.
    pub overflow: Overflow,
    /// The reason of the bound, the one-to-one finish and the overflow, in sentences.
    pub words: Words,
}

/// Tubes of one street to one lab.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// Index of the street.
    pub street: usize,
    /// Index of the lab.
    pub lab: usize,
    /// Tubes, at least 1.
    pub tubes: u64,
    /// Travel, in minutes.
    pub minutes: f64,
    /// Distance, in km.
    pub km: f64,
}

/// Streets divided among labs.
#[derive(Clone, Debug, PartialEq)]
pub struct Shares {
    /// The time within which every lab is done, in hours; a lab may go over it by the time of its last tube. Labs that can be
    /// done sooner than the last are (`Options::floor_h`).
    pub within_h: f64,
    /// Who sends what, by street, then in the order of its ways.
    pub sent: Vec<Share>,
    /// Sum of tubes × km.
    pub tube_km: f64,
    /// Per lab.
    pub labs: Vec<LabLoad>,
}

/// Each street at one lab.
#[derive(Clone, Debug, PartialEq)]
pub struct Whole {
    /// Per street: its lab. None for a street without tubes that may send nowhere.
    pub lab_of: Vec<Option<usize>>,
    /// When the last lab is done, in hours.
    pub finish_h: f64,
    /// No assignment ends earlier, even of divided streets: the bound of the city's own labs; where other cities' help, the
    /// bound with all of theirs. Hours.
    pub bound_h: f64,
    /// finish / bound − 1. Never negative.
    pub gap: f64,
    /// No one-to-one assignment ends earlier: the bound, or the largest street at its fastest lab. Hours.
    pub least_h: f64,
    /// Sum of tubes × km.
    pub tube_km: f64,
    /// Per lab.
    pub labs: Vec<LabLoad>,
}

/// What a lab has to do.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LabLoad {
    /// Streets that send to it.
    pub streets: usize,
    /// Tubes.
    pub tubes: u64,
    /// When it is done, in hours; 0 without tubes.
    pub finish_h: f64,
}

/// Tubes for other cities.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overflow {
    /// How many, the least possible.
    pub tubes: u64,
    /// From which streets to which labs.
    pub sent: Vec<Share>,
}

/// The loads of the labs for tubes per arc.
pub(super) fn loads(net: &Net, sent: &[u64]) -> Vec<LabLoad> {
    let mut labs = vec![LabLoad::default(); net.labs()];
    for (arc, &tubes) in sent.iter().enumerate().filter(|(_, tubes)| **tubes > 0) {
        labs[net.lab_of[arc]].streets += 1;
        labs[net.lab_of[arc]].tubes += tubes;
    }
    for (lab, load) in labs.iter_mut().enumerate() {
        load.finish_h = net.finish_h(lab, load.tubes);
    }
    labs
}

/// Tubes × km of tubes per arc.
pub(super) fn tube_km(net: &Net, sent: &[u64]) -> f64 {
    let metres = |(tubes, metres): (&u64, &u64)| u128::from(*tubes) * u128::from(*metres);
    sent.iter().zip(&net.metres).map(metres).sum::<u128>() as f64 / 1000.0
}

impl Shares {
    /// From tubes per arc.
    pub(super) fn new(net: &Net, sent: &[u64], within_h: f64) -> Shares {
        let share = |(arc, &tubes): (usize, &u64)| Share {
            street: net.street_of[arc],
            lab: net.lab_of[arc],
            tubes,
            minutes: net.minutes[arc],
            km: net.metres[arc] as f64 / 1000.0,
        };
        let list = sent.iter().enumerate().filter(|(_, tubes)| **tubes > 0).map(share).collect();
        Shares { within_h, sent: list, tube_km: tube_km(net, sent), labs: loads(net, sent) }
    }
}

impl Whole {
    /// From an arc per street.
    pub(super) fn new(net: &Net, arcs: &[Option<usize>], bound_h: f64, least_h: f64) -> Whole {
        let mut sent = vec![0; net.arcs()];
        for (street, arc) in arcs.iter().enumerate() {
            if let Some(arc) = *arc {
                sent[arc] = net.tubes[street];
            }
        }
        let labs = loads(net, &sent);
        let finish_h = labs.iter().map(|lab| lab.finish_h).fold(0.0, f64::max);
        Whole {
            lab_of: arcs.iter().map(|arc| arc.map(|arc| net.lab_of[arc])).collect(),
            finish_h,
            bound_h,
            gap: gap(finish_h, bound_h),
            least_h,
            tube_km: tube_km(net, &sent),
            labs,
        }
    }
}

/// By how much a finish is later than what it is measured by; 0 when there is nothing to do, and where only the last digits
/// of the floating point differ.
pub(super) fn gap(finish_h: f64, of_h: f64) -> f64 {
    let gap = if of_h > 0.0 { finish_h / of_h - 1.0 } else { 0.0 };
    if gap.abs() < 1e-12 { 0.0 } else { gap }
}
