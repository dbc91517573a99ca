//! Which lab takes whose tubes: the largest flow from districts to the labs that serve them.
//!
//! Exact, so that a lab which only one district may use is not lent to the others on paper. Shortest augmenting paths:
//! a city has some dozens of districts and labs, and the answer must not depend on anything but the input.

use std::collections::VecDeque;

/// The largest allotment of tubes to labs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Allotment {
    /// Per district: (lab index, tubes), labs in order, zero left out.
    pub(super) sent: Vec<Vec<(usize, u64)>>,
    /// Per district: tubes that no lab can take.
    pub(super) unmet: Vec<u64>,
    /// Per lab: tubes taken.
    pub(super) load: Vec<u64>,
}

impl Allotment {
    /// Whether every tube has a lab.
    pub(super) fn complete(&self) -> bool {
        self.unmet.iter().all(|&tubes| tubes == 0)
    }
}

/// Deals the tubes of each district to its labs within their capacities, as many as possible.
pub(super) fn allot(tubes: &[u64], capacity: &[u64], labs_of: &[Vec<usize>]) -> Allotment {
    allot_in_turn(tubes, &[capacity], labs_of)
}

/// The same with capacities that are opened one after the other and add up: as many tubes as possible within the first,
/// then what is left within the first and second, and so on. What a lab has taken it keeps, whoever's tubes they are.
pub(super) fn allot_in_turn(
    tubes: &[u64],
    capacities: &[&[u64]],
    labs_of: &[Vec<usize>],
) -> Allotment {
    let labs = capacities.iter().map(|c| c.len()).max().unwrap_or(0);
    let mut flow: Vec<Vec<u64>> = labs_of.iter().map(|labs| vec![0; labs.len()]).collect();
    let mut districts_of: Vec<Vec<(usize, usize)>> = vec![Vec::new(); labs];
    for (district, labs) in labs_of.iter().enumerate() {
        for (slot, &lab) in labs.iter().enumerate() {
            districts_of[lab].push((district, slot));
        }
    }
    let mut unmet = tubes.to_vec();
    let (mut free, mut load) = (vec![0u64; labs], vec![0u64; labs]);
    for capacity in capacities {
        free.iter_mut().zip(*capacity).for_each(|(free, more)| *free = free.saturating_add(*more));
        while let Some(path) = shortest_path(&unmet, &free, &flow, labs_of, &districts_of) {
            let amount = path.back.iter().map(|&(d, slot)| flow[d][slot]).min().unwrap_or(u64::MAX);
            let amount = amount.min(unmet[path.start]).min(free[path.end]);
            for &(district, slot) in &path.forth {
                flow[district][slot] += amount;
            }
            for &(district, slot) in &path.back {
                flow[district][slot] -= amount;
            }
            unmet[path.start] -= amount;
            free[path.end] -= amount;
            load[path.end] += amount;
        }
    }
    let sent = flow
        .iter()
        .zip(labs_of)
        .map(|(row, labs)| {
            labs.iter().copied().zip(row.iter().copied()).filter(|&(_, n)| n > 0).collect()
        })
        .collect();
    Allotment { sent, unmet, load }
}

/// A way to place more tubes: from district `start` to lab `end`, adding on `forth` and taking back on `back`.
struct Path {
    start: usize,
    end: usize,
    forth: Vec<(usize, usize)>,
    back: Vec<(usize, usize)>,
}

fn shortest_path(
    unmet: &[u64],
    free: &[u64],
    flow: &[Vec<u64>],
    labs_of: &[Vec<usize>],
    districts_of: &[Vec<(usize, usize)>],
) -> Option<Path> {
    // How each district and lab was reached: a lab by an edge forth, a district by an edge back.
    let mut lab_from: Vec<Option<(usize, usize)>> = vec![None; free.len()];
    let mut district_from: Vec<Option<(usize, usize)>> = vec![None; unmet.len()];
    let mut seen: Vec<bool> = unmet.iter().map(|&n| n > 0).collect();
    let mut queue: VecDeque<usize> = (0..unmet.len()).filter(|&d| seen[d]).collect();
    while let Some(district) = queue.pop_front() {
        for (slot, &lab) in labs_of[district].iter().enumerate() {
            if lab_from[lab].is_some() {
                continue;
            }
            lab_from[lab] = Some((district, slot));
            if free[lab] > 0 {
                return Some(trace(lab, &lab_from, &district_from, labs_of));
            }
            for &(other, other_slot) in &districts_of[lab] {
                if !seen[other] && flow[other][other_slot] > 0 {
                    seen[other] = true;
                    district_from[other] = Some((other, other_slot));
                    queue.push_back(other);
                }
            }
        }
    }
    None
}

fn trace(
    end: usize,
    lab_from: &[Option<(usize, usize)>],
    district_from: &[Option<(usize, usize)>],
    labs_of: &[Vec<usize>],
) -> Path {
    let mut path = Path { start: 0, end, forth: Vec::new(), back: Vec::new() };
    let mut lab = end;
    while let Some((district, slot)) = lab_from[lab] {
        path.forth.push((district, slot));
        path.start = district;
        let Some((other, other_slot)) = district_from[district] else {
            break;
        };
        path.back.push((other, other_slot));
        lab = labs_of[other][other_slot];
    }
    path
}

#[cfg(test)]
mod tests {
    use super::{allot, allot_in_turn};

    #[test]
    fn a_lab_kept_for_one_district_is_not_lent_to_another() {
        let a = allot(&[100, 0], &[10, 1000], &[vec![0], vec![0, 1]]);
        assert_eq!((a.unmet, a.load), (vec![90, 0], vec![10, 0]));
    }

    #[test]
    fn tubes_are_moved_on_when_a_shared_lab_is_needed_elsewhere() {
        // The first district takes lab 0 first; the second can use nothing else, so the first must give way.
        let a = allot(&[10, 10], &[10, 10], &[vec![0, 1], vec![0]]);
        assert!(a.complete());
        assert_eq!(a.sent, vec![vec![(1, 10)], vec![(0, 10)]]);
    }

    #[test]
    fn what_is_opened_later_takes_only_what_is_left() {
        // Lab 1 could take everything, and is opened after lab 0, which two districts share.
        let labs_of = [vec![1, 0], vec![0]];
        let a = allot_in_turn(&[10, 10], &[&[12, 0], &[0, 100]], &labs_of);
        assert!(a.complete());
        assert_eq!(a.load, vec![12, 8]);
        assert_eq!(a.sent, vec![vec![(1, 8), (0, 2)], vec![(0, 10)]]);
    }

    #[test]
    fn a_district_without_a_lab_stays_unmet() {
        assert_eq!(allot(&[5], &[], &[vec![]]).unmet, vec![5]);
    }
}
