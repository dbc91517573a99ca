//! Why not earlier: the minimum cut at T*, in numbers and in a sentence.
//!
//! A set of streets is tight when the labs it can reach need until T* for its tubes. Without relief at those labs
//! nothing ends earlier, wherever else a lab is added. Duals of a linear program say less: they are the same for every
//! lab of the set and silent about which streets hang on it.

use super::dinic::{Flow, Near};
use super::model::{Lab, Problem, Street};
use super::net::Net;
use crate::planner::city::Words;

/// Streets that can reach only these labs, and these labs need until T* for them.
#[derive(Clone, Debug, PartialEq)]
pub struct Cut {
    /// The streets, by index.
    pub streets: Vec<usize>,
    /// The labs that they can reach and that work before T*, by index.
    pub labs: Vec<usize>,
    /// Tubes of the streets.
    pub tubes: u64,
    /// Tubes per hour of the labs together.
    pub rate: f64,
    /// T*: Σ rate · (T* − head start) over the labs = tubes.
    pub hours: f64,
}

/// The bound and its reason.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// T*: no assignment ends earlier, even if streets may be divided. Hours from now; 0 without tubes.
    pub hours: f64,
    /// The smallest tight sets. One, as a rule. When several tie, relief at one of them does not help by itself.
    pub cuts: Vec<Cut>,
}

/// Streets, and labs, of a cut that are named one by one.
const NAMED_MAX: usize = 3;

impl Cut {
    /// The streets by name, those with most tubes first.
    fn named_streets(&self, problem: &Problem) -> Words {
        let mut streets: Vec<_> =
            self.streets.iter().filter_map(|&street| problem.streets.get(street)).collect();
        streets.sort_by_key(|street| std::cmp::Reverse(street.tubes));
        Words::listed(streets.into_iter().map(Street::called), NAMED_MAX, "处")
    }

    /// The labs by code and name, the fastest first.
    fn named_labs(&self, problem: &Problem) -> Words {
        let mut labs: Vec<_> = self.labs.iter().filter_map(|&lab| problem.labs.get(lab)).collect();
        labs.sort_by(|a, b| b.rate.total_cmp(&a.rate));
        Words::listed(labs.into_iter().map(Lab::called), NAMED_MAX, "家检测机构")
    }

    fn sentence(&self, problem: &Problem) -> Words {
        let (streets, labs) = (self.named_streets(problem), self.named_labs(problem));
        // Labs of other cities are another matter: a bound of the city's own says nothing of them.
        let others = problem.labs.iter().any(|lab| lab.outside)
            && !self.labs.iter().any(|lab| problem.labs[*lab].outside);
        let (own_zh, own_en) = if others { ("在本市内", " in the city") } else { ("", "") };
        Words::new(
            format!("{}{own_zh}只能送往{}。", streets.zh, labs.zh),
            format!("{} can reach only {}{own_en}.", streets.en, labs.en),
        )
    }
}

impl Bound {
    /// From the sets that need T*.
    pub(super) fn new(net: &Net, tubes: &[u64], hours: f64, sets: &[Near]) -> Bound {
        let cut = |set: &Near| {
            let works = |&lab: &usize| net.head_start[lab] < hours;
            let labs: Vec<usize> = set.labs.iter().copied().filter(works).collect();
            Cut {
                streets: set.streets.clone(),
                tubes: set.streets.iter().map(|&street| tubes[street]).sum(),
                rate: labs.iter().map(|&lab| net.rate[lab]).sum(),
                labs,
                hours,
            }
        };
        Bound { hours, cuts: sets.iter().map(cut).collect() }
    }

    /// The reason in a sentence per cut. What one more unit saves is not for a bound to say: the flows do
    /// (`planner::OneMore`).
    pub fn words(&self, problem: &Problem) -> Words {
        let mut parts: Vec<Words> = self.cuts.iter().map(|cut| cut.sentence(problem)).collect();
        if self.cuts.len() > 1 {
            let n = self.cuts.len();
            parts.push(Words::new(
                format!("这{n}处瓶颈同时存在，须一并缓解，下限才能提前。"),
                format!(
                    "These {n} bottlenecks tie: only relief at all of them makes the bound earlier."
                ),
            ));
        }
        let join = |part: fn(&Words) -> &str, with: &str| {
            parts.iter().map(part).collect::<Vec<_>>().join(with)
        };
        Words::new(join(|w| &w.zh, ""), join(|w| &w.en, " "))
    }
}

/// What binds behind the first bottleneck, in a sentence each, and how many more there are; `None` where nothing does.
pub(super) fn then(problem: &Problem, bounds: &[Bound]) -> Option<Words> {
    let cuts: Vec<_> = bounds.iter().flat_map(|b| b.cuts.iter().map(|c| (b.hours, c))).collect();
    let named =
        cuts.iter().zip([("其次", "Next"), ("再次", "Then")]).map(|((hours, cut), name)| {
            let why = cut.sentence(problem);
            Words::new(
                format!("{}，{hours:.1}小时：{}", name.0, why.zh),
                format!("{}, {hours:.1} h: {}", name.1, why.en),
            )
        });
    let mut parts: Vec<Words> = named.collect();
    let more = cuts.len().saturating_sub(parts.len());
    if more > 0 {
        parts.push(Words::new(
            format!("其后还有{more}处，见各实验室的小时数。"),
            format!("{more} more come behind these: see the hours of each lab."),
        ));
    }
    let join = |part: fn(&Words) -> &str, with: &str| {
        parts.iter().map(part).collect::<Vec<_>>().join(with)
    };
    (!parts.is_empty()).then(|| Words::new(join(|w| &w.zh, ""), join(|w| &w.en, " ")))
}

/// The smallest tight sets within a tight set, given a flow that is complete at T*.
///
/// Within it every lab is full, so a street can move tubes to any of its labs if that lab can pass some on. What is
/// closed under such moves is tight; the smallest closed sets are those whose members all reach each other.
pub(super) fn tight_sets(net: &Net, flow: &Flow, near: &Near, units: u64) -> Vec<Near> {
    let mut inside = vec![false; net.streets()];
    near.streets.iter().for_each(|&street| inside[street] = true);
    // Less than a thousandth of a tube is the rounding of the rooms, not a flow.
    let sent = |arc: usize| flow.sent[arc] * 1000 > units && inside[net.street_of[arc]];
    // Forth: from a lab to its streets' other labs. Back: to the labs whose streets could send here.
    let reach = |lab: usize, forth: bool| -> Near {
        let mut seen = (vec![false; net.streets()], vec![false; net.labs()]);
        let mut todo = vec![lab];
        seen.1[lab] = true;
        while let Some(lab) = todo.pop() {
            for &arc in net.arcs_into(lab) {
                let street = net.street_of[arc];
                if !inside[street] || seen.0[street] || (forth && !sent(arc)) {
                    continue;
                }
                seen.0[street] = true;
                for other in net.arcs_of(street).filter(|&other| forth || sent(other)) {
                    let next = net.lab_of[other];
                    if !std::mem::replace(&mut seen.1[next], true) {
                        todo.push(next);
                    }
                }
            }
        }
        let all = |seen: &[bool]| (0..seen.len()).filter(|&i| seen[i]).collect();
        Near { streets: all(&seen.0), labs: all(&seen.1) }
    };
    let busy = |lab: &usize| net.arcs_into(*lab).iter().any(|&arc| sent(arc));
    let labs: Vec<usize> = near.labs.iter().copied().filter(busy).collect();
    let Some(&first) = labs.first() else { return Vec::new() };
    // As a rule everything reaches everything, and two walks show it.
    let all = reach(first, true);
    let covers = |seen: &[usize]| labs.iter().all(|lab| seen.binary_search(lab).is_ok());
    if covers(&all.labs) && covers(&reach(first, false).labs) {
        return vec![all];
    }
    let sets: Vec<Near> = labs.iter().map(|&lab| reach(lab, true)).collect();
    let size = |lab: &usize| labs.binary_search(lab).map(|place| sets[place].streets.len()).ok();
    let mut smallest: Vec<Near> = Vec::new();
    for set in &sets {
        // A set that a member can leave no more is larger than that member's own.
        let closed = set.labs.iter().filter_map(size).all(|other| other == set.streets.len());
        if closed && !smallest.contains(set) {
            smallest.push(set.clone());
        }
    }
    smallest
}
