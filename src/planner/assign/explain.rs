//! Why not earlier: the minimum cut at T*, in numbers and in a sentence.
//!
//! A set of streets is tight when the labs it can reach need until T* for its tubes. Without relief at those labs
//! nothing ends earlier, wherever else a lab is added. Duals of a linear program say less: they are the same for every
//! lab of the set and silent about which streets hang on it.

use super::bound::time_of;
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

    /// Minutes by which the whole city ends earlier when `lab` gains `more` tubes per hour: the T of the cut with it, by
    /// Σ r · max(T − s, 0) = tubes. It ends where another set of streets becomes the reason, so it is the most that is
    /// saved. For a small gain it is 60·Δr·(T−s) / Σ r. None for a lab outside of the cut.
    pub fn minutes_saved(&self, problem: &Problem, lab: usize, more: f64) -> Option<f64> {
        if !self.labs.contains(&lab) {
            return None;
        }
        let with = |more: f64| {
            let rate = |l: usize| problem.labs[l].rate + if l == lab { more } else { 0.0 };
            let labs = self.labs.iter().filter(|&&l| l < problem.labs.len());
            time_of(self.tubes as f64, labs.map(|&l| (problem.labs[l].head_start_h, rate(l))))
        };
        Some(60.0 * (with(0.0) - with(more)).max(0.0))
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

    /// Minutes by which the whole city ends earlier when `lab` gains `more` tubes per hour; 0 when it is not the
    /// reason, or not the only one. See [`Cut::minutes_saved`].
    pub fn minutes_saved(&self, problem: &Problem, lab: usize, more: f64) -> f64 {
        match self.cuts.as_slice() {
            [cut] => cut.minutes_saved(problem, lab, more).unwrap_or(0.0),
            _ => 0.0,
        }
    }

    /// The reason in a sentence per cut, with what one more unit saves where the problem says what a unit adds.
    pub fn words(&self, problem: &Problem) -> Words {
        let mut parts: Vec<Words> =
            self.cuts.iter().map(|cut| self.sentence(problem, cut)).collect();
        if self.cuts.len() > 1 {
            let n = self.cuts.len();
            parts.push(Words::new(
                format!("这{n}处瓶颈同时存在，须一并缓解，全市才能提前完成。"),
                format!("These {n} bottlenecks tie: only relief at all of them ends the city's round earlier."),
            ));
        }
        let join = |part: fn(&Words) -> &str, with: &str| {
            parts.iter().map(part).collect::<Vec<_>>().join(with)
        };
        Words::new(join(|w| &w.zh, ""), join(|w| &w.en, " "))
    }

    fn sentence(&self, problem: &Problem, cut: &Cut) -> Words {
        let (streets, labs) = (cut.named_streets(problem), cut.named_labs(problem));
        // Labs of other cities are another matter: a bound of the city's own says nothing of them.
        let others = problem.labs.iter().any(|lab| lab.outside)
            && !cut.labs.iter().any(|lab| problem.labs[*lab].outside);
        let (own_zh, own_en) = if others { ("在本市内", " in the city") } else { ("", "") };
        let mut zh = format!("{}{own_zh}只能送往{}", streets.zh, labs.zh);
        let mut en = format!("{} can reach only {}{own_en}", streets.en, labs.en);
        let saved = |&lab: &usize| {
            let more = problem.labs.get(lab)?.more.as_ref()?;
            Some((self.minutes_saved(problem, lab, more.rate), lab, more))
        };
        let best = cut.labs.iter().filter_map(saved).max_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((minutes, lab, more)) = best.filter(|best| best.0 > 0.0) {
            let at = match cut.labs.len() {
                1 => Words::new("该处", "there"),
                _ => problem.labs[lab].called(),
            };
            let at_en = if cut.labs.len() == 1 { at.en } else { format!("at {}", at.en) };
            zh += &format!("；在{}增加{}，全市最多可提前{minutes:.1}分钟完成", at.zh, more.what.zh);
            en += &format!(
                "; {} {at_en} saves at most {minutes:.1} min for the whole city",
                more.what.en
            );
        }
        Words::new(zh + "。", en + ".")
    }
}

/// One more unit at one lab.
#[derive(Clone, Debug, PartialEq)]
pub struct Gain {
    /// Index of the lab.
    pub lab: usize,
    /// Minutes by which the whole city ends earlier, at most; 0 for a lab that is not the reason. Never more than the lab's
    /// own: what is beyond that, only streets that are dealt anew would bring.
    pub city_minutes: f64,
    /// Minutes by which this lab ends earlier with the tubes it has: 60·load/r − 60·load/(r + Δr). As a rule far more than
    /// the city's, which is shared by all labs of the cut.
    pub lab_minutes: f64,
}

/// What one more unit brings at each lab that says what a unit adds and has `load` tubes to do.
pub(super) fn gains(problem: &Problem, bound: &Bound, load: &[u64]) -> Vec<Gain> {
    let gain = |(lab, &load): (usize, &u64)| {
        let it = &problem.labs[lab];
        let more = it.more.as_ref()?.rate;
        if load == 0 {
            return None;
        }
        let lab_minutes = 60.0 * load as f64 * (1.0 / it.rate - 1.0 / (it.rate + more));
        let city_minutes = bound.minutes_saved(problem, lab, more).min(lab_minutes);
        Some(Gain { lab, city_minutes, lab_minutes })
    };
    load.iter().enumerate().filter_map(gain).collect()
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
