//! What is left of a round to send, and what the laboratories have in hand: the problem of a re-dispatch.

use super::places::place_key;
use crate::planner::assign::Problem;
use crate::planner::forecast::Reading;
use crate::planner::round::Round;
use std::collections::HashMap;

/// Where a round stands, for `planner::assign::redispatch`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LeftOver {
    /// The problem, with what each street has not sent yet.
    pub left: Problem,
    /// By laboratory: tubes inside or on their way to it.
    pub backlog: Vec<u64>,
    /// By street: the laboratory it sends most to.
    pub current: Vec<Option<usize>>,
}

/// What is left of a round at a reading.
pub fn left_over(round: &Round, reading: &Reading) -> LeftOver {
    let mut left = round.problem.clone();
    let mut backlog = vec![0_u64; left.labs.len()];
    // The problem's streets are whole, the model's may be parts of them.
    let mut place_of: HashMap<&str, usize> = HashMap::new();
    for (i, street) in round.problem.streets.iter().enumerate() {
        place_of.insert(&street.code, i);
    }
    let mut sent = vec![0_u64; left.streets.len()];
    let mut lead = vec![(0_u64, None); left.streets.len()];
    for (i, (of, street)) in round.streets.iter().zip(&round.model.streets).enumerate() {
        let count = reading.streets.get(i).copied().unwrap_or_default();
        if let Some(lab) = backlog.get_mut(street.lab) {
            *lab += count.sent.saturating_sub(count.delivered) + count.singles_sent;
        }
        let key = place_key(&of.district, &of.code);
        let Some(&place) = place_of.get(key.as_str()) else { continue };
        sent[place] += count.sent;
        if lead[place].1.is_none() || street.tubes() > lead[place].0 {
            lead[place] = (street.tubes(), Some(street.lab));
        }
    }
    for (street, sent) in left.streets.iter_mut().zip(sent) {
        street.tubes = street.tubes.saturating_sub(sent);
    }
    for (lab, count) in backlog.iter_mut().zip(&reading.labs) {
        *lab += count.received.saturating_sub(count.resulted);
    }
    LeftOver { left, backlog, current: lead.into_iter().map(|lead| lead.1).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::city_file;
    use crate::planner::forecast::{LabCount, StreetCount};

    #[test]
    fn what_was_sent_is_work_of_its_laboratory_and_not_of_its_street() {
        let city = city_file::builtin("chifeng").unwrap();
        let round = Round::of(&city).unwrap();
        let tubes = round.problem.tubes();
        let (streets, labs) = (round.model.streets.len(), round.model.labs.len());
        let one = StreetCount {
            collected: 9,
            sent: 7,
            delivered: 4,
            resulted: 1,
            singles_waiting: 6,
            singles_sent: 2,
        };
        let lab = LabCount { received: 4, plated: 2, resulted: 1, ..LabCount::default() };
        let reading = Reading { at: 1, streets: vec![one; streets], labs: vec![lab; labs] };
        let found = left_over(&round, &reading);
        assert_eq!(found.left.tubes(), tubes - 7 * streets as u64);
        assert_eq!(found.backlog.iter().sum::<u64>(), (5 * streets + 3 * labs) as u64);
        assert!(found.current.iter().all(Option::is_some));
        let none = left_over(&round, &Reading::default());
        assert_eq!((none.left, none.backlog), (round.problem.clone(), vec![0; labs]));
    }
}
