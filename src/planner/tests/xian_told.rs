//! Xi'an's two rounds of December 2021 forecast at every moment at which something was published of them, from what had been
//! published by then and nothing else, and held against what was published later.
//!
//! `xian_rounds.csv` is the published record. What is not in it is the same for both rounds and none of it was taken from
//! them: the residents of the census as those who come, nobody late, no slow start, one person a minute and desk (the
//! round's own counts say better at once), and labs that do what they declare. Their 1.6 million tubes a day were published on
//! 27 December: a city knows its own labs before, so that one number stands in the forecast of the 25th too. As soon as a
//! number of results has been published, in this round or the one before, the labs are taken at the rate that gives it.

use super::xian::{TO_THE_DOOR, city, replayed};
use crate::planner::example;
use crate::planner::fluid;
use crate::planner::forecast::{LabCount, Reading, Situation, StreetCount, of_model};
use crate::planner::model::{DAY, HOUR, Model, Ms};
use crate::planner::round::Doubt;

const RECORD: &str = include_str!("xian_rounds.csv");
/// The census of 2020.
const RESIDENTS: f64 = 12_950_000.0;
/// Tubes a day that the labs declare.
const NAMEPLATE: f64 = 1.6e6;
/// Persons of a tube, as everywhere in these rounds.
const POOL: f64 = 10.0;
/// Persons per desk and hour before any are counted.
const DESK_RATE: f64 = 60.0;
/// From a swab to its result when nothing waits: not published, so each is tried.
const LAGS: [Ms; 3] = [3 * HOUR, 4 * HOUR, 5 * HOUR];
const DRAWS: usize = 100;

/// One published reading.
#[derive(Clone, Debug, PartialEq)]
struct Fact {
    /// Day of December on which the round began, at noon.
    round: u32,
    /// Since its beginning.
    at: Ms,
    /// Persons.
    sampled: f64,
    /// Persons; nothing was published of the first hours.
    resulted: Option<f64>,
    desks: u32,
}

impl Fact {
    /// Time since the beginning of the first of the two rounds.
    fn when(&self) -> Ms {
        (self.round - 25) * DAY + self.at
    }
}

/// The record, in order of time.
fn record() -> Vec<Fact> {
    let fact = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |at: usize| cells[at].parse::<f64>().ok();
        Fact {
            round: cells[1]["2021-12-".len()..][..2].parse().expect("a day"),
            at: number(3).expect("hours") as Ms * HOUR,
            sampled: number(4).expect("persons"),
            resulted: number(6),
            desks: number(8).expect("desks") as u32,
        }
    };
    let facts: Vec<Fact> = RECORD.lines().skip(1).map(fact).collect();
    assert!(facts.is_sorted_by_key(Fact::when), "{facts:?}");
    facts
}

/// People sampled at a time, from what was published of the round: between two readings people came as fast as until the first of
/// them, up to the number of the second.
fn sampled(of_round: &[Fact], at: Ms) -> f64 {
    let (mut since, mut had, mut pace) = (0, 0.0, f64::INFINITY);
    for fact in of_round {
        let whole = f64::from(fact.at);
        if since == 0 {
            pace = fact.sampled / whole;
        }
        if at <= fact.at {
            return fact.sampled.min(had + pace * f64::from(at - since));
        }
        (since, had, pace) = (fact.at, fact.sampled, fact.sampled / whole);
    }
    had
}

/// The labs' rate with which the newest published number of results comes out, tubes a day; what they declare where none has
/// been published.
fn lab_rate(known: &[Fact], lag: Ms) -> f64 {
    let Some((last, resulted)) = known.iter().rev().find_map(|f| f.resulted.map(|n| (f, n))) else {
        return NAMEPLATE;
    };
    let of_round: Vec<Fact> = known.iter().filter(|f| f.round == last.round).cloned().collect();
    let grid = (1..=48).map(|k| last.at / 48 * k);
    let curve: Vec<(Ms, f64)> =
        std::iter::once(0).chain(grid).map(|at| (at, sampled(&of_round, at))).collect();
    let (mut low, mut high) = (0.2 * NAMEPLATE, NAMEPLATE);
    for _ in 0..20 {
        let rate = (low + high) / 2.0;
        let model = city(last.sampled as u32, last.desks, 0, lag, rate);
        match replayed(&model, &curve, last.at) * POOL < resulted {
            true => low = rate,
            false => high = rate,
        }
    }
    (low + high) / 2.0
}

/// The round as planned for by somebody who knows these facts.
fn plan(known: &[Fact], lag: Ms) -> Model {
    let now = known.last().expect("a fact");
    let mut plan = city(RESIDENTS as u32, now.desks, 0, lag, lab_rate(known, lag));
    for street in &mut plan.streets {
        (street.late_share, street.desk_rate) = (0.0, DESK_RATE);
    }
    plan
}

/// The readings of a round until its newest fact, every half hour. Nothing was published of boxes and labs while a round went on:
/// tubes leave and come to the door after the mean times on the way, and the labs do what the plan has them do.
fn readings(plan: &Model, of_round: &[Fact]) -> Situation {
    let now = of_round.last().expect("a fact").at;
    let tubes = |at: Ms| sampled(of_round, at) / POOL;
    let times: Vec<Ms> = (1..=now / (HOUR / 2)).map(|k| k * HOUR / 2).collect();
    let came: Vec<(Ms, f64)> =
        times.iter().map(|at| (*at, tubes(at.saturating_sub(TO_THE_DOOR)))).collect();
    let done = fluid::replay(plan, &plan.labs[0], &came, &times).done;
    let streets = plan.streets.len();
    let reading = |(at, done): (&Ms, &[f64; 2])| {
        let each = |later: Ms| (tubes(at.saturating_sub(later)) / streets as f64) as u64;
        let (collected, sent, delivered) = (each(0), each(TO_THE_DOOR / 2), each(TO_THE_DOOR));
        let street = StreetCount { collected, sent, delivered, ..StreetCount::default() };
        let received = street.delivered * streets as u64;
        let plated = (done[0] as u64).min(received);
        let resulted = (done[1] as u64).min(plated);
        let lab = LabCount { received, plated, resulted, ..LabCount::default() };
        Reading { at: *at, streets: vec![street; streets], labs: vec![lab] }
    };
    Situation { readings: times.iter().zip(&done).map(reading).collect() }
}

/// What was told at a moment.
#[derive(Clone, Debug, PartialEq)]
struct Told {
    /// Tubes a day with which the labs were reckoned.
    rate: f64,
    /// Persons sampled by the 24th hour, the middle.
    sampled: f64,
    /// Persons resulted by the 24th hour: 5, 50 and 95 %.
    resulted: [f64; 3],
    /// Hours until everything is resulted, the middle.
    finish: f64,
}

/// The forecast at the moment `now`; of the record it sees what was published by then.
fn told(record: &[Fact], now: Ms, lag: Ms) -> Told {
    let known: Vec<Fact> = record.iter().filter(|fact| fact.when() <= now).cloned().collect();
    let newest = known.last().expect("something was published").round;
    let of_round: Vec<Fact> = known.iter().filter(|fact| fact.round == newest).cloned().collect();
    let plan = plan(&known, lag);
    // No lab does more than it declares.
    let rate = lab_rate(&known, lag);
    let doubt = Doubt { prevalence: (0.0, 0.0), lab_derate: rate / NAMEPLATE, ..example::DOUBT };
    let situation = readings(&plan, &of_round);
    let forecast = of_model(&plan, &doubt, &situation, 1, DRAWS).expect("a forecast");
    let to_come: u64 = forecast.to_come.iter().sum();
    let [low, _, _, middle, _, _, high] = forecast.by_target.map(|tubes| tubes as f64 * POOL);
    Told {
        rate,
        sampled: of_round.last().expect("a fact").sampled + to_come as f64 * POOL,
        resulted: [low, middle, high],
        finish: f64::from(forecast.finish.p50) / f64::from(HOUR),
    }
}

/// What is written down in `benches/README.md`: round, hour, and by lag the millions of tubes a day that the labs were reckoned at.
/// Then the errors of what was told for the 24th hour in percent, sampled and by lag resulted; where nothing was published
/// later, by lag the hours after which all would be resulted.
type Written = (u32, Ms, [f64; 3], Option<f64>, [f64; 3]);
const WRITTEN: [Written; 4] = [
    (25, 2, [1.6; 3], Some(11.9), [29.3, 29.3, 26.0]),
    (25, 24, [1.14, 1.19, 1.26], None, [27.3, 27.2, 27.0]),
    (27, 8, [1.14, 1.19, 1.26], Some(5.3), [-11.6, -11.7, -11.5]),
    (27, 24, [1.29, 1.35, 1.42], None, [25.8, 25.7, 25.6]),
];

/// The 90 % interval of results at the 24th hour as it is written there, by lag, millions of people; and what was published.
type Between = (u32, Ms, [[f64; 2]; 3], f64);
const BETWEEN: [Between; 2] = [
    (25, 2, [[10.5, 13.4], [9.8, 13.3], [9.2, 13.1]], 10.0),
    (27, 8, [[9.7, 10.3], [9.8, 10.2], [9.8, 10.3]], 11.3),
];

/// Both rounds at every moment, against what is written down. The bounds are wide: they say that a forecast is one, and that
/// the page does not tell of another program. None says that a forecast is good.
#[test]
fn both_rounds_are_forecast_at_every_moment_from_what_was_published_by_then() {
    let record = record();
    assert_eq!(record.len(), WRITTEN.len());
    for (fact, (round, hour, rates, sampled, then)) in record.iter().zip(WRITTEN) {
        assert_eq!((fact.round, fact.at), (round, hour * HOUR));
        let later = record.iter().find(|f| f.round == fact.round && f.at > fact.at);
        assert_eq!(later.is_some(), sampled.is_some());
        for (at, lag) in LAGS.into_iter().enumerate() {
            let told = told(&record, fact.when(), lag);
            let head = format!("{round} December, hour {hour}, lag {} h: {told:?}", lag / HOUR);
            let near = |is: f64, written: f64, most: f64| {
                assert!((is - written).abs() < most, "{is} is written as {written}; {head}");
            };
            near(told.rate / 1e6, rates[at], 0.05);
            let [low, middle, high] = told.resulted;
            assert!(low <= middle && middle <= high && high <= RESIDENTS * 1.1, "{head}");
            match later {
                Some(truth) => {
                    let off = |is: f64, truth: f64| 100.0 * (is / truth - 1.0);
                    near(off(told.sampled, truth.sampled), sampled.unwrap_or_default(), 5.0);
                    let resulted = truth.resulted.expect("results after 24 hours");
                    near(off(middle, resulted), then[at], 5.0);
                    let between = BETWEEN.iter().find(|b| (b.0, b.1) == (round, hour));
                    let (_, _, between, published) = between.expect("an interval");
                    near(resulted / 1e6, *published, 0.05);
                    near(low / 1e6, between[at][0], 0.5);
                    near(high / 1e6, between[at][1], 0.5);
                }
                None => near(told.finish, then[at], 3.0),
            }
        }
    }
}

fn yes(held: bool) -> &'static str {
    if held { "yes" } else { "no" }
}

/// The page has these numbers in its rows.
#[test]
fn the_errors_are_written_down() {
    let page = include_str!("../../../benches/README.md");
    for (round, hour, _, sampled, then) in WRITTEN {
        let head = format!("| {round} December, hour {hour} |");
        let row = page.lines().find(|line| line.starts_with(&head)).expect(&head);
        let told = |numbers: &[f64]| match sampled {
            Some(_) => numbers.iter().map(|n| format!("{n:+.1}")).collect::<Vec<_>>(),
            None => numbers.iter().map(|n| format!("{n:.1}")).collect(),
        };
        for numbers in [sampled.map(|n| told(&[n])), Some(told(&then))].into_iter().flatten() {
            let numbers = numbers.join(", ").replace('-', "−");
            assert!(row.contains(&format!(" {numbers} ")), "{numbers} in {row}");
        }
    }
    for (round, hour, between, published) in BETWEEN {
        let head = format!("| {round} December, hour {hour} |");
        let row = page.lines().find(|line| line.starts_with(&head)).expect(&head);
        let held = between.map(|[low, high]| (low..=high).contains(&published));
        let held = match held {
            [a, b, c] if a == b && b == c => yes(a).to_owned(),
            held => held.map(yes).join(", "),
        };
        let between = between.map(|[low, high]| format!("{low:.1} to {high:.1}")).join(", ");
        let told = format!(" {held}: {between} M for {published:.1} ");
        assert!(row.contains(&told), "{told} in {row}");
    }
}

/// What is published later changes nothing of what was told: not later counts, not the desks of a later round.
#[test]
fn what_is_published_later_is_in_no_forecast() {
    let record = record();
    for (known, fact) in record.iter().enumerate() {
        let mut other = record.clone();
        for later in &mut other[known + 1..] {
            later.sampled *= 0.7;
            later.resulted = later.resulted.map(|n| n * 0.5);
            later.desks /= 2;
        }
        let [as_it_was, otherwise] = [&record, &other].map(|r| told(r, fact.when(), LAGS[0]));
        assert_eq!(as_it_was, otherwise, "{fact:?}");
        // And what is known by then is in it.
        other[known].sampled *= 0.8;
        assert_ne!(told(&other, fact.when(), LAGS[0]), as_it_was, "{fact:?}");
    }
}
