//! The built-in cities, whole, through every layer of the planner.

use super::super::{BUILTIN, builtin};
use crate::planner::forecast::trial::Trial;
use crate::planner::forecast::{Error, Regime, Situation, forecast};
use crate::planner::model::{DAY, HOUR, Ms};
use crate::planner::round::Round;
use crate::planner::simulate::{Scratch, Simulation, Start};
use crate::planner::{
    StageKind, at_the_last, fill, fluid, lab_capacity, one_more, one_more_takes, solve,
};

#[test]
fn every_built_in_city_is_reckoned_alike_by_all_layers_as_it_is_and_with_its_shortages_filled() {
    for (name, _) in BUILTIN {
        let city = builtin(name).expect("built in");
        let plan = solve(&city, city.target_h);
        let filled = fill(&city, &plan);
        for city in [&city, &filled] {
            let round = Round::of(city).expect("a round");
            let flow = fluid::city(&round.model);
            let start = Start::whole(&round.model);
            let run = Simulation::new(&round.model, &start).run(1, 0, &mut Scratch::default());
            let [flows, simulated] = [flow.finish, run.finish].map(f64::from);
            // Where desks need days, a queue that chance makes a little longer waits for the next morning.
            let night = if flow.sampled > DAY { f64::from(16 * HOUR) } else { 0.0 };
            let apart = (flows - simulated).abs();
            assert!(apart < (0.06 * simulated).max(night), "{name}: {flows} and {simulated}");
            let tubes: u64 = run.streets.iter().map(|street| street.tubes).sum();
            assert_eq!(tubes, round.model.tubes(), "{name}");
            // The arithmetic leaves out ramp-up, late comers, staff's pace and recalls: it is never later than the flows.
            let rules = solve(city, city.target_h).verdict.minutes.expect("an end") * 60_000;
            assert!(rules <= u64::from(flow.finish) + u64::from(HOUR), "{name}: {rules}");
            assert!(round.assignment.bound.hours * f64::from(HOUR) <= flows * 1.01, "{name}");
        }
    }
}

/// A real city with its shortages filled, half-way through a round of its own simulation.
fn half_way_through_chifeng() -> (Round, Situation) {
    let city = builtin("chifeng").expect("built in");
    let city = fill(&city, &solve(&city, 24));
    let round = Round::of(&city).expect("a round");
    let trial = Trial::of(round.model.clone(), round.doubt, 1);
    let situation = trial.situation((u64::from(trial.finish) / 2) as Ms);
    (round, situation)
}

#[test]
fn a_city_is_told_its_bottleneck_and_measures_that_help_best_first() {
    let (round, situation) = half_way_through_chifeng();
    let told = forecast(&round, &situation, 1, &|| true).expect("a forecast");
    assert_eq!(told.regime, Regime::Backlog);
    let bottleneck = told.bottleneck.expect("a bottleneck");
    let lab = bottleneck.lab.expect("a lab");
    assert_eq!(told.labs[lab].p50, told.labs.iter().map(|l| l.p50).max().expect("labs"));
    assert!(bottleneck.words.en.contains(&round.labs[lab].1.en), "{}", bottleneck.words.en);
    assert!(bottleneck.from <= told.at);
    assert!(!told.measures.is_empty() && told.measures.len() <= 3);
    assert!(told.measures.windows(2).all(|m| m[0].saves >= m[1].saves), "{:?}", told.measures);
    assert!(
        told.measures.iter().all(|m| !m.words.zh.is_empty() && m.in_time >= told.in_time - 0.1)
    );
}

#[test]
fn a_measure_that_saves_time_makes_no_target_less_probable() {
    let (mut round, situation) = half_way_through_chifeng();
    let mut draws = forecast(&round, &situation, 1, &|| true).expect("a forecast").finishes;
    draws.sort_unstable();
    let mut told = 0;
    for share in [1, 3, 5, 7, 9] {
        // A target that so many tenths of the draws meet.
        round.model.target = draws[draws.len() * share / 10];
        let with = forecast(&round, &situation, 1, &|| true).expect("a forecast");
        for measure in &with.measures {
            assert!(measure.in_time >= with.in_time, "{share}: {} {measure:?}", with.in_time);
            assert!(measure.in_time <= 1.0, "{share}: {measure:?}");
            told += 1;
        }
    }
    assert!(told >= 5, "{told}");
}

#[test]
fn a_forecast_that_nobody_waits_for_stops_at_its_next_draw() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let (round, situation) = half_way_through_chifeng();
    // At once; among the draws of the rest; among those of a measure.
    for allowed in [0, 30, 230] {
        let asked = AtomicUsize::new(0);
        let go_on = || asked.fetch_add(1, Ordering::Relaxed) < allowed;
        assert_eq!(forecast(&round, &situation, 1, &go_on), Err(Error::Stopped));
        // Each thread asks once more at most.
        let asked = asked.load(Ordering::Relaxed);
        assert!(asked > allowed && asked <= allowed + 64, "{asked} of {allowed}");
    }
}

#[test]
fn a_lab_that_stands_still_is_named_with_how_long_nobody_knows() {
    let (round, mut situation) = half_way_through_chifeng();
    let from = situation.readings.len() - 9;
    let lab = forecast(&round, &situation, 1, &|| true).expect("a forecast").bottleneck;
    let lab = lab.and_then(|bottleneck| bottleneck.lab).expect("a lab");
    let stood = situation.readings[from].labs[lab];
    for reading in &mut situation.readings[from..] {
        let count = &mut reading.labs[lab];
        *count = crate::planner::forecast::LabCount { received: count.received, ..stood };
    }
    let told = forecast(&round, &situation, 1, &|| true).expect("a forecast");
    let still = told.standing.first().expect("a lab that stands still");
    assert_eq!((told.standing.len(), still.lab), (1, lab));
    assert!(still.since < situation.readings[from].at + 1 && still.tubes > 0);
    assert!(told.at < still.again[0] && still.again[0] < still.again[1]);
    assert!(still.again[1] < still.again[2]);
    let words = told.bottleneck.expect("a bottleneck").words;
    let name = &round.labs[lab].1;
    assert!(words.en.contains("stood still") && words.en.contains(&name.en), "{}", words.en);
    assert!(words.zh.contains("停摆") && words.zh.contains(&name.zh), "{}", words.zh);
}

#[test]
fn a_plan_that_would_never_end_gives_no_forecast_but_a_reason() {
    let (mut round, situation) = half_way_through_chifeng();
    round.model.labs[0].stages[3].units = 0;
    let why = forecast(&round, &situation, 1, &|| true).expect_err("no extractor");
    assert!(matches!(&why, Error::Unworkable(words) if words.en.contains("extraction")), "{why}");
}

/// In the built-in cities: what it takes makes one more unit work, and not a person less would.
#[test]
fn what_one_more_takes_makes_one_more_work() {
    for (name, _) in BUILTIN {
        let city = builtin(name).expect("built in");
        for (number, lab) in city.labs.iter().enumerate() {
            for kind in StageKind::ALL {
                let working = |units: u64, people: u64| {
                    let mut city = city.clone();
                    let stage = &mut city.labs[number].stages[kind.index()];
                    stage.units += units;
                    stage.staff += people;
                    let lab = &city.labs[number];
                    lab_capacity(&city, lab, 86_400).stages[kind.index()].units_working
                };
                let (units, people) = one_more_takes(&city, lab, kind);
                assert_eq!(working(units, people), working(0, 0) + 1, "{name} {number} {kind:?}");
                assert!(people == 0 || working(units, people - 1) == working(0, 0));
                assert!(units == 0 || working(0, people) == working(0, 0));
            }
        }
    }
}

/// Fumin waits for its last tubes and has a cabinet without people: nothing that is added there saves the city anything,
/// and what is told is people. Jinning has the usual number of desks here, so that Fumin is last.
#[test]
fn kunmings_last_lab_is_not_told_to_buy_what_saves_nothing() {
    let mut city = builtin("kunming").expect("built in");
    city.one_to_one = true;
    let round = Round::of(&city).expect("a round");
    let flow = fluid::city(&round.model);
    let last = at_the_last(&city, &flow, &one_more(&city, &round, &flow)).expect("tubes");
    assert_eq!(city.labs[last.one.lab].code, "L08");
    assert_eq!((last.one.stage, last.one.units, last.one.people), (StageKind::Decap, 0, 6));
    assert_eq!(last.one.saves, fluid::Saved::default());
    let words = last.words(&city);
    let begins = "By the flows L08 Fumin testing lab (assumed) is last. 6 people more for decapping (one biosafety \
                  cabinet stands idle for want of people) there brings the whole city, with every street at its lab: \
                  no change; with streets assigned anew: ";
    assert!(words.en.starts_with(begins), "{}", words.en);
    let begins = "按流体层，L08 富民县承检实验室（假定）最后完成。在该处开盖加样环节增加 6 名人员（现有生物安全柜因缺人闲置）：\
                  各街道送样不变时，全市不变；重新分派街道时，全市";
    assert!(words.zh.starts_with(begins), "{}", words.zh);
}
