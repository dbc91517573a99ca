//! Xi'an's rounds of December 2021 given back: what was sampled is given, and the layers say what was resulted after 24
//! hours. The labs' rate is taken from the round of 27 December itself; forecasts that know nothing but what had been
//! published by their moment are in `xian_told`. Figures and sources: `xian_rounds.csv`; ten persons to a tube are assumed.

use crate::planner::city::StageKind;
use crate::planner::example;
use crate::planner::fluid;
use crate::planner::forecast::{LabCount, Reading, Situation, StreetCount, of_model};
use crate::planner::model::{DAY, HOUR, Lab, MINUTE, Model, Ms, Stage, Street, Takes};
use crate::planner::round::Doubt;
use crate::planner::simulate::{Scratch, Simulation, Start};

/// (lag, lab rate in tubes a day): the fits to 27–28 December. The lag is the mean time from a swab to a result when
/// nothing has to be waited for.
const FITS: [(Ms, f64); 3] = [(3 * HOUR, 1.30e6), (4 * HOUR, 1.36e6), (5 * HOUR, 1.43e6)];

/// From the swab to the door on average: half a box, half the hold of a trip, handling, road.
pub(super) const TO_THE_DOOR: Ms = (30 + 15 + 10 + 30) * MINUTE;

/// Share of the people who were sampled after the first eight hours, on 27–28 December: (12,317,000 − 11,080,800) /
/// 12,317,000.
const LATE: f64 = 0.100_365;

/// A city of one lab whose slowest stage, extraction, has this rate, with the rest of the lag in the stages around it.
pub(super) fn city(persons: u32, desks: u32, ramp: Ms, lag: Ms, tubes_by_day: f64) -> Model {
    const STREETS: u32 = 100;
    let mut model = example::city(1);
    model.recall.prevalence = 0.0;
    model.streets = (0..STREETS)
        .map(|i| Street {
            desk_spread: 0.0,
            hours: DAY,
            ramp,
            late_share: LATE,
            // Evenly over the rest of the day.
            late_mean: 40 * DAY,
            travel_spread: 0.0,
            ..example::street(
                persons / STREETS,
                desks / STREETS + u32::from(i < desks % STREETS),
                0,
            )
        })
        .collect();
    let hours = f64::from(HOUR);
    let units = (tubes_by_day / 24.0 / 94.0 / 2.0).round();
    let extract = (units * 94.0 * 24.0 / tubes_by_day * hours) as Ms;
    let plenty = |run: Ms, takes| Stage {
        units: 3000,
        batch: 94,
        run,
        run_spread: 0.0,
        takes,
        hold: 0,
        rests: Default::default(),
        failures_per_day: 0.0,
        repair: 0,
    };
    let rest = lag - TO_THE_DOOR - extract - 4 * MINUTE;
    let plate = |run| plenty(run, Takes::Fill);
    model.labs = vec![Lab {
        stages: [
            plenty(MINUTE, Takes::Box),
            Stage { hold: 10 * MINUTE, ..plenty(MINUTE, Takes::Fill) },
            plate(MINUTE),
            Stage { units: units as u32, ..plate(extract) },
            plate(MINUTE),
            plate(rest),
            plate(MINUTE),
        ],
    }];
    assert_eq!(model.check(), Ok(()));
    model
}

/// Tubes resulted after 24 hours in the simulation.
fn simulated(model: &Model) -> f64 {
    let start = Start::whole(model);
    let run = Simulation::new(model, &start).run(1, 0, &mut Scratch::default());
    let results = &run.labs[0].results;
    let by = results.partition_point(|(at, _)| *at <= DAY);
    results[by - 1].1 as f64
}

/// Tubes resulted at a time in the fluid, of a curve of what was sampled, (time, persons).
pub(super) fn replayed(model: &Model, sampled: &[(Ms, f64)], at: Ms) -> f64 {
    let door: Vec<(Ms, f64)> =
        sampled.iter().map(|(at, persons)| (at + TO_THE_DOOR, persons / 10.0)).collect();
    let replay = fluid::replay(model, &model.labs[0], &door, &[at]);
    replay.done[0][1]
}

/// 27 December 12:00 to 28 December 12:00: 5,077 sites, 11,669 desks, 118.7 persons by desk and hour; 11.081 million people
/// sampled in eight hours and 12.317 million in 24; 11.348 million resulted. Both layers give it back within 2 %.
#[test]
fn the_round_of_27_december_is_given_back() {
    let resulted = 1_134_780.0;
    for (lag, rate) in FITS {
        let model = city(12_317_000, 11_669, 0, lag, rate);
        let flow = fluid::city(&model);
        assert_eq!(flow.labs[0].binding, StageKind::Extract);
        let sampled = [(0, 0.0), (8 * HOUR, 11_080_800.0), (DAY, 12_317_000.0)];
        for (layer, tubes) in
            [("simulated", simulated(&model)), ("fluid", replayed(&model, &sampled, DAY))]
        {
            let off: f64 = tubes / resulted - 1.0;
            assert!(off.abs() < 0.02, "{layer}, lag {} h: {tubes}, {off:+.4}", lag / HOUR);
        }
        // Of the reported 1.6 million a day.
        let share = rate / 1.6e6;
        assert!((0.81..0.90).contains(&share), "{share}");
        // The desks do what was seen: 11.081 million in eight hours.
        let street = &model.streets[0];
        let eight = f64::from(street.desks) * street.desk_rate * 8.0 * 100.0;
        assert!((eight / 11_080_800.0 - 1.0).abs() < 0.005, "{eight}");
    }
}

/// The round two days before, 25–26 December, foretold with the lab rate of 27–28 December and nothing tuned: 11,808 desks at
/// 72 % in the first two hours (2.019 million people), 11.583 million sampled in 24 hours. 10.001 million were resulted;
/// both layers say **12 to 14 % too many**: 13.7, 13.0 and 12.2 % in the simulation and 13.6, 12.9 and 12.2 % in the fluid,
/// by the lags of 3, 4 and 5 hours. The labs of the 25th did not yet do what they did on the 27th: whoever takes a lab's
/// rate from one round to another must reckon with an error of this size, twice the standard deviation that `Doubt` has for
/// the pace of a lab, and of the same sign for all labs.
#[test]
fn the_round_of_25_december_is_foretold_too_fast_by_what_labs_differ_between_rounds() {
    for (lag, rate) in FITS {
        let model = city(11_582_600, 11_808, 2 * HOUR, lag, rate);
        let street = &model.streets[0];
        let two = 11_808.0 * street.desk_rate * street.ramp_speed * 2.0;
        assert!((two / 2_019_100.0 - 1.0).abs() < 0.005, "{two}");
        let main = 11_582_600.0 * (1.0 - LATE);
        let until = 2.0 + (main - two) / (11_808.0 * street.desk_rate);
        let until = (until * f64::from(HOUR)) as Ms;
        let sampled = [(0, 0.0), (2 * HOUR, two), (until, main), (DAY, 11_582_600.0)];
        for (layer, tubes) in
            [("simulated", simulated(&model)), ("fluid", replayed(&model, &sampled, DAY))]
        {
            let off = tubes / 1_000_130.0 - 1.0;
            assert!(
                (0.11..0.15).contains(&off),
                "{layer}, lag {} h: {tubes}, {off:+.4}",
                lag / HOUR
            );
        }
    }
}

/// What a planner in Xi'an could have doubted: the spreads that are assumed everywhere, and the derate of the norm pack with
/// what Xi'an's labs differed by between two rounds.
const DOUBT: Doubt = Doubt { prevalence: (0.0, 0.0), ..example::DOUBT };

/// The readings of the first eight hours, every half hour. Published is what was sampled after eight hours, and nothing of
/// boxes and labs before the 24th hour; so the rest is made: tubes are filled evenly over the eight hours and equally in
/// all streets, they leave and come to the door after the mean times on the way, and the lab does what the fluid makes of
/// them at the `rate` that fits the 24th hour (its labs' true state at eight hours is not known).
fn eight_hours(truth: &Model, persons: f64) -> Situation {
    let tubes = |at: Ms| persons / 10.0 * f64::from(at.min(8 * HOUR)) / f64::from(8 * HOUR);
    let (leave, door) = (45 * MINUTE, TO_THE_DOOR);
    let times: Vec<Ms> = (1..=16).map(|k| k * HOUR / 2).collect();
    let came: Vec<(Ms, f64)> =
        times.iter().map(|at| (*at, tubes(at.saturating_sub(door)))).collect();
    let done = fluid::replay(truth, &truth.labs[0], &came, &times).done;
    let streets = truth.streets.len();
    let of = |(at, done): (&Ms, &[f64; 2])| {
        let each = |later: Ms| (tubes(at.saturating_sub(later)) / streets as f64) as u64;
        let (collected, sent, delivered) = (each(0), each(leave), each(door));
        let street = StreetCount { collected, sent, delivered, ..StreetCount::default() };
        let received = street.delivered * streets as u64;
        let plated = (done[0] as u64).min(received);
        let resulted = (done[1] as u64).min(plated);
        let lab = LabCount { received, plated, resulted, ..LabCount::default() };
        Reading { at: *at, streets: vec![street; streets], labs: vec![lab] }
    };
    Situation { readings: times.iter().zip(&done).map(of).collect() }
}

/// The round of 27 December, forecast after eight hours by somebody who had planned with all 12.95 million residents of the
/// census and with labs at 0.85 of their nameplate of 1.6 million tubes a day in every stage, and who knew neither that 12.317 million
/// would come nor what the labs would do. Held against what is known of the 24th hour: 1,134,780 tubes resulted (ten people
/// a tube) lie within the 90 % interval for each lag, and the median is off by +1.5, +0.9 and −0.2 %; the plan alone, simulated,
/// by +6.7, +1.5 and −3.8 %.
#[test]
fn the_round_of_27_december_is_forecast_after_eight_hours() {
    const RESIDENTS: u32 = 12_950_000;
    let resulted = 1_134_780.0;
    for (lag, rate) in FITS {
        let truth = city(12_317_000, 11_669, 0, lag, rate);
        let situation = eight_hours(&truth, 11_080_800.0);
        let mut plan = city(RESIDENTS, 11_669, 0, lag, rate);
        for stage in &mut plan.labs[0].stages {
            stage.run = (f64::from(stage.run) * rate / (0.85 * 1.6e6)) as Ms;
        }
        assert_eq!(plan.target, DAY);
        let told = of_model(&plan, &DOUBT, &situation, 1, 100).expect("a forecast");
        let [low, _, _, middle, _, _, high] = told.by_target.map(|tubes| tubes as f64);
        let off = middle / resulted - 1.0;
        assert!((low..=high).contains(&resulted), "{low} to {high}");
        assert!(off.abs() < 0.02, "{off:+.4}");
    }
}
