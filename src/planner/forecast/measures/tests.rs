//! What is sent to another lab when one is last: which tubes, how many, and what that changes of the rest of the round.

use super::super::learn::Belief;
use super::super::past::Past;
use super::super::{LabCount, Reading, Situation, StreetCount};
use super::*;
use crate::planner::assign;
use crate::planner::example;
use crate::planner::model::Street;
use crate::planner::round::StreetOf;

/// When the newest reading was.
const NOW: Ms = 6 * HOUR;

/// Two labs alike. Streets 0 and 1 send to the first and could to the second, street 2 can send to the first alone, and
/// street 3 sends to the second: 100, 40, 100 and 100 tubes.
fn round() -> Round {
    let lab = example::lab([1, 1, 1, 1, 1, 1, 1]);
    let street = |persons, lab| Street { travel_max: HOUR, ..example::street(persons, 1, lab) };
    let streets = vec![street(1_000, 0), street(400, 0), street(1_000, 0), street(1_000, 1)];
    let model = Model { streets, labs: vec![lab.clone(), lab], ..example::city(1) };
    // To the first lab a quarter of an hour; to the second twenty minutes from street 0, and further than allowed from 1.
    let way = |lab, minutes| assign::Way { lab, minutes, km: 0.0 };
    let ways = [
        vec![way(0, 15.0), way(1, 20.0)],
        vec![way(0, 15.0), way(1, 90.0)],
        vec![way(0, 15.0)],
        vec![way(1, 15.0)],
    ];
    let problem = assign::Problem {
        streets: model
            .streets
            .iter()
            .zip(ways)
            .map(|(street, ways)| assign::Street {
                code: String::new(),
                tubes: street.tubes(),
                ways,
            })
            .collect(),
        labs: vec![assign::Lab { rate: 50.0, ..assign::Lab::default() }; 2],
    };
    let name = |zh: &str, en: &str| (en.to_owned(), Words::new(zh, en));
    let of = StreetOf { district: String::new(), code: String::new(), name: Words::default() };
    Round {
        streets: vec![of; 4],
        source: vec![0, 1, 2, 3],
        labs: vec![name("甲", "A"), name("乙", "B")],
        assignment: assign::solve(&problem, &assign::Options::default(), None).expect("solved"),
        problem,
        model,
        doubt: example::DOUBT,
    }
}

/// The words, the streets that then send to the second lab with their minutes on the road, and what waits before the first
/// stages of both labs.
type Suggested = (String, Vec<(usize, Ms)>, [Vec<(Ms, u32)>; 2]);

/// What is suggested when the labs end at these hours, with so many tubes of each street delivered and so many unopened
/// in the first lab.
fn suggested(ends_h: [Ms; 2], delivered: [u64; 4], unopened: u32) -> Option<Suggested> {
    let round = round();
    let street = |delivered| StreetCount {
        collected: 100,
        sent: delivered,
        delivered,
        ..StreetCount::default()
    };
    let reading = Reading {
        at: NOW,
        streets: delivered.map(street).to_vec(),
        labs: vec![
            LabCount { received: unopened.into(), ..LabCount::default() },
            LabCount::default(),
        ],
    };
    let situation = Situation { readings: vec![reading] };
    let belief = Belief::learn(&round.model, &round.doubt, &situation);
    let past = Past::of(&round.model, &situation);
    let (model, doubt) = (&round.model, &round.doubt);
    let of = Of { model, doubt, situation: &situation, belief: &belief, past: &past, seed: 1 };
    let asked = Asked { round: &round, of, kept: &[], go_on: &|| true };
    let at = |hour: Ms| Quantiles::of(&mut [hour * HOUR]);
    let forecast = Forecast {
        at: NOW,
        target: 24 * HOUR,
        sampled: at(8),
        finish: at(ends_h[0].max(ends_h[1])),
        in_time: 0.5,
        by_target: [0; 7],
        streets: vec![at(8); 4],
        labs: ends_h.map(at).to_vec(),
        regime: Regime::Backlog,
        bottleneck: None,
        standing: Vec::new(),
        measures: Vec::new(),
        particles: 1,
        finishes: Vec::new(),
    };
    let (words, change) = elsewhere(&asked, &forecast, 0)?;
    let (mut changed, mut start) = (round.model.clone(), Start::whole(&round.model));
    // The newest boxes stand last.
    start.labs[0].waiting[0] = vec![(0, unopened / 2), (1, unopened - unopened / 2)];
    change(&mut changed, &mut start);
    let moved = |i: &usize| changed.streets[*i].lab != round.model.streets[*i].lab;
    let moved = (0..4).filter(moved).map(|i| (i, changed.streets[i].travel / MINUTE)).collect();
    let first = |lab: usize| start.labs[lab].waiting[0].clone();
    Some((words.en, moved, [first(0), first(1)]))
}

/// Tubes that the first lab does in an hour.
fn rate() -> f64 {
    lab_rate(&round().model.labs[0]).0
}

#[test]
fn nothing_goes_to_a_lab_that_is_no_earlier_and_nothing_that_is_done() {
    for ends_h in [[20, 20], [20, 21]] {
        assert_eq!(suggested(ends_h, [0; 4], 500), None, "{ends_h:?}");
    }
    // Everything has been delivered and opened: there is nothing to send.
    assert_eq!(suggested([20, 10], [100, 40, 100, 100], 0), None);
}

#[test]
fn both_labs_then_end_together_and_streets_go_whole_before_what_waits_unopened() {
    // Half of what the first does in the time between them. All of streets 0 and 1 and more: what is left waits unopened.
    let hours = 12;
    let tubes = (rate() * f64::from(hours) / 2.0) as u64;
    assert!(tubes > 200, "{tubes}");
    let (words, moved, waiting) = suggested([8 + hours, 8], [0; 4], 60).expect("a measure");
    // The way is as long as it is, and no longer than a box may be on the road.
    assert_eq!(moved, [(0, 20), (1, 60)]);
    assert_eq!(words, "200 tubes of A to B");
    // What waited is at the other door an hour from now.
    assert_eq!(waiting, [vec![], vec![(NOW + HOUR, 30), (NOW + HOUR, 30)]]);
}

#[test]
fn a_street_goes_whole_or_not_at_all_and_only_what_has_not_been_delivered() {
    // For so many tubes: street 0 has 100 to come and is too large, street 1 has 40.
    let gap = |tubes: f64| (tubes * 2.0 / rate()).ceil() as Ms;
    let hours = gap(60.0);
    let tubes = (rate() * f64::from(hours) / 2.0) as u64;
    assert!((60..100).contains(&tubes), "{tubes}");
    let (words, moved, waiting) = suggested([8 + hours, 8], [0; 4], 10).expect("a measure");
    assert_eq!(moved, [(1, 60)]);
    assert_eq!((words.as_str(), waiting[0].len()), ("50 tubes of A to B", 0));
    // One tube is not told as several.
    let (words, moved, _) = suggested([8 + hours, 8], [99, 40, 0, 0], 0).expect("a measure");
    assert_eq!((words.as_str(), moved), ("1 tube of A to B", vec![(0, 20)]));
    // With 70 delivered, street 0 has 30 to come and fits; street 1 has nothing left, so it stays where it is.
    let (words, moved, _) = suggested([8 + hours, 8], [70, 40, 0, 0], 0).expect("a measure");
    assert_eq!((words.as_str(), moved), ("30 tubes of A to B", vec![(0, 20)]));
}

#[test]
fn of_what_waits_unopened_no_more_goes_than_there_is_room_for_and_the_newest_goes_first() {
    let hours = (100.0 / rate()).ceil() as Ms;
    let tubes = (rate() * f64::from(hours) / 2.0) as u32;
    // All is delivered. Two heaps of 40: the newer one fits, the older one does not.
    assert!((40..80).contains(&tubes), "{tubes}");
    let (_, moved, waiting) =
        suggested([8 + hours, 8], [100, 40, 100, 100], 80).expect("a measure");
    assert_eq!(moved, []);
    assert_eq!(waiting, [vec![(0, 40)], vec![(NOW + HOUR, 40)]]);
}
