//! What is sent to another lab when one is last: which tubes, how many, and what that changes of the rest of the round. Since
//! when a lab or the desks set the pace, and the words in which that and the measures are told.

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
                tubes: street.tubes(),
                ways,
                ..assign::Street::default()
            })
            .collect(),
        labs: vec![assign::Lab { rate: 50.0, ..assign::Lab::default() }; 2],
    };
    let name = |zh: &str, en: &str| (en.to_owned(), Words::new(zh, en));
    let first = Words::new("一街", "First Street");
    let of = StreetOf { district: String::new(), code: String::new(), name: first };
    Round {
        streets: vec![of; 4],
        source: vec![0, 1, 2, 3],
        labs: vec![name("甲", "A"), name("乙", "B")],
        assignment: assign::solve(&problem, &assign::Options::default(), None).expect("solved"),
        problem,
        model,
        whole: Vec::new(),
        doubt: example::DOUBT,
    }
}

/// What is asked of a round after these readings and draws.
fn with<T>(
    round: &Round,
    readings: Vec<Reading>,
    kept: &[Kept],
    ask: impl FnOnce(&Asked<'_>) -> T,
) -> T {
    let situation = Situation { readings };
    let belief = Belief::learn(&round.model, &round.doubt, &situation);
    let past = Past::of(&round.model, &situation);
    let (model, doubt) = (&round.model, &round.doubt);
    let of = Of { model, doubt, situation: &situation, belief: &belief, past: &past, seed: 1 };
    ask(&Asked { round, of, kept, go_on: &|| true })
}

/// A forecast by which the labs end at these hours.
fn forecast(ends_h: [Ms; 2]) -> Forecast {
    let at = |hour: Ms| Quantiles::of(&mut [hour * HOUR]);
    Forecast {
        at: NOW,
        target: 24 * HOUR,
        sampled: at(8),
        finish: at(ends_h[0].max(ends_h[1])),
        in_time: 0.5,
        by_target: [0; 7],
        streets: vec![at(8); 4],
        labs: ends_h.map(at).to_vec(),
        to_come: vec![0; 4],
        regime: Regime::Backlog,
        bottleneck: None,
        standing: Vec::new(),
        measures: Vec::new(),
        particles: 1,
        finishes: Vec::new(),
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
    let (words, change) =
        with(&round, vec![reading], &[], |asked| elsewhere(asked, &forecast(ends_h), 0))?;
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
    // The way is as long as it is, though a box may be on the road for an hour only.
    assert_eq!(moved, [(0, 20), (1, 90)]);
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
    assert_eq!(moved, [(1, 90)]);
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

/// A reading at an hour: so many tubes collected in the first street, and so many that wait in the first lab.
fn reading(hour: Ms, collected: u64, waiting: u64) -> Reading {
    let mut streets = vec![StreetCount::default(); 4];
    streets[0].collected = collected;
    let lab = LabCount { received: waiting, ..LabCount::default() };
    Reading { at: hour * HOUR, streets, labs: vec![lab, LabCount::default()] }
}

/// A draw with so many tubes of people who queue.
fn draw(queue: f64) -> Kept {
    let labs = vec![(20 * HOUR, StageKind::Extract), (21 * HOUR, StageKind::Pcr)];
    let (sampled, delivered, finish, by_target) = (8 * HOUR, 9 * HOUR, 21 * HOUR, 0);
    let (streets, to_come) = (vec![20 * HOUR; 4], vec![0; 4]);
    Kept { sampled, delivered, finish, by_target, streets, labs, queue, to_come }
}

#[test]
fn a_lab_binds_since_the_first_reading_of_the_backlog_that_it_still_has() {
    // The round starts at six. What passes through a lab without waiting is no backlog.
    let model = &round().model;
    let passing = (rate() * f64::from(pipeline(&model.labs[0])) / f64::from(HOUR)) as u64;
    let (calm, late) = (passing - 1, passing + 95);
    for (waiting, hour, clock) in [
        ([late, calm, late, late], 4, "10:00"),
        ([late, late, late, late], 2, "08:00"),
        ([calm, calm, calm, late], 5, "11:00"),
    ] {
        let readings = waiting.into_iter().zip(2..).map(|(n, hour)| reading(hour, 0, n)).collect();
        let bound = with(&round(), readings, &[], |asked| in_the_lab(asked, 0, StageKind::Extract));
        assert_eq!((bound.from, bound.lab), (hour * HOUR, Some(0)), "{waiting:?}");
        let zh = format!("甲的核酸提取自 {clock} 起为瓶颈");
        assert_eq!(bound.words, Words::new(zh, format!("extraction at A binds since {clock}")));
    }
}

#[test]
fn desks_set_the_pace_since_they_opened_and_stragglers_since_the_queue_was_gone() {
    // 340 tubes of people who queue: with 330 of them they still do, with 335 nearly nobody is left.
    for (collected, regime, hour) in [
        ([10, 100, 330], Regime::Collecting, 0),
        ([10, 335, 338], Regime::Stragglers, 3),
        ([334, 335, 338], Regime::Stragglers, 2),
    ] {
        let readings =
            collected.into_iter().zip(2..).map(|(n, hour)| reading(hour, n, 0)).collect();
        let of = Forecast { regime, ..forecast([9, 9]) };
        let bound =
            with(&round(), readings, &[draw(340.0)], |asked| at_the_desks(asked, &of, None));
        assert_eq!(bound.from, hour * HOUR, "{collected:?}");
        assert!(bound.lab.is_none() && bound.street.is_some());
    }
    // A lab's backlog in between: the desks set the pace since it was gone.
    let readings = vec![reading(2, 10, 0), reading(3, 50, 100_000), reading(4, 90, 0)];
    let of = Forecast { regime: Regime::Collecting, ..forecast([9, 9]) };
    let bound = with(&round(), readings, &[draw(340.0)], |asked| at_the_desks(asked, &of, None));
    assert_eq!(bound.from, 4 * HOUR);
}

#[test]
fn what_sets_the_pace_is_told_in_these_words() {
    let end = Some((1, StageKind::Pcr));
    for (regime, end, zh, en) in [
        (
            Regime::Collecting,
            None,
            "采样为当前瓶颈，一街最晚",
            "collection binds now; First Street is last",
        ),
        (
            Regime::Stragglers,
            None,
            "只剩扫尾：零星采样和最后几箱，一街最晚",
            "only stragglers are left: late comers and last boxes; First Street is last",
        ),
        (
            Regime::Collecting,
            end,
            "采样为当前瓶颈，一街最晚；各实验室尚无积压，但完成时间将取决于乙的PCR 扩增",
            "collection binds now; First Street is last; no lab has a backlog yet, but the end will hang on PCR at B",
        ),
    ] {
        let of = Forecast { regime, ..forecast([9, 9]) };
        let tell = |asked: &Asked<'_>| at_the_desks(asked, &of, end).words;
        let words = with(&round(), vec![reading(2, 10, 0)], &[draw(340.0)], tell);
        assert_eq!(words, Words::new(zh, en));
    }
    for (tubes, waiting) in [(1, "1 tube waits"), (870, "870 tubes wait")] {
        let again = [7, 8, 20].map(|hour| hour * HOUR);
        let still = Standstill { lab: 1, since: 5 * HOUR, tubes, again };
        let bound = with(&round(), Vec::new(), &[], |asked| standing(asked, &still));
        assert_eq!((bound.lab, bound.from), (Some(1), 5 * HOUR));
        let zh = format!(
            "乙自 11:00 起停摆：{tubes} 管待检而无上机、无结果；何时恢复未知，估计 14:00 前后（13:00 至 +1 02:00），请立即联系核实"
        );
        let en = format!(
            "B has stood still since 11:00: {waiting}, none is plated or resulted; nobody knows when it starts again, perhaps about 14:00 (13:00 to +1 02:00): call it now"
        );
        assert_eq!(bound.words, Words::new(zh, en));
    }
}

#[test]
fn measures_are_told_in_these_words_and_change_what_they_say() {
    let units = |more| {
        with(&round(), Vec::new(), &[], |asked| more_units(asked, 0, StageKind::Extract, more))
    };
    let each = |ends_h, more| {
        with(&round(), Vec::new(), &[draw(0.0)], |asked| in_each(asked, &forecast(ends_h), more))
            .map(|candidate| (candidate.words, candidate.change))
    };
    let desks = |now| {
        let mut round = round();
        round.model.streets[3].desks = now;
        with(&round, Vec::new(), &[], |asked| more_desks(asked, &forecast([9, 9])).expect("desks"))
    };
    for ((words, change), zh, en, more) in [
        (units(1), "甲增加 1 台（个）核酸提取仪", "1 more extractor at A", [1, 0, 0]),
        (units(3), "甲增加 3 台（个）核酸提取仪", "3 more extractors at A", [3, 0, 0]),
        (desks(1), "一街增设 1 个采样台", "1 more desk in First Street", [0, 0, 1]),
        (desks(26), "一街增设 6 个采样台", "6 more desks in First Street", [0, 0, 6]),
        (
            each([30, 31], 3).expect("both are late"),
            "2 家实验室（甲、乙）各在其瓶颈环节增加 3 台（个）",
            "3 more at the binding stage of each of 2 labs (A, B)",
            [3, 3, 0],
        ),
    ] {
        assert_eq!(words, Words::new(zh, en));
        let before = round().model;
        let (mut model, mut start) = (before.clone(), Start::whole(&before));
        change(&mut model, &mut start);
        let unit =
            |model: &Model, lab: usize, kind: StageKind| model.labs[lab].stages[kind.index()].units;
        let added = |lab, kind| unit(&model, lab, kind) - unit(&before, lab, kind);
        let desks = model.streets[3].desks - before.streets[3].desks;
        assert_eq!([added(0, StageKind::Extract), added(1, StageKind::Pcr), desks], more, "{en}");
    }
    // One lab alone that is late is no matter of each.
    assert!(each([30, 9], 3).is_none());
}
