//! Made-up rounds, for measuring and for checking the layers against each other. None is a city.

use super::city::StageKind;
use super::model::{
    DAY, HOUR, Lab, MINUTE, Model, Ms, Recall, Rests, Stage, Street, Takes, staggered,
};
use super::round::Doubt;
use super::simulate::{Cause, Stream};

/// A stage with a whole working day, no failures and no spread.
fn stage(units: u32, minutes: f64) -> Stage {
    Stage {
        units,
        batch: 94,
        run: (minutes * f64::from(MINUTE)) as Ms,
        run_spread: 0.0,
        takes: Takes::Fill,
        hold: 0,
        rests: Rests::default(),
        failures_per_day: 0.0,
        repair: 2 * HOUR,
    }
}

/// What is doubted of made-up rounds.
pub const DOUBT: Doubt = Doubt {
    desk_rate: 0.2,
    desk_rate_city: 0.1,
    lab_pace: 0.07,
    lab_derate: 0.85,
    turnout: 0.04,
    turnout_city: 0.02,
    late_share: 0.4,
    late_mean: 0.3,
    travel: 0.15,
    prevalence: (1.0, 9999.0),
};

/// A lab with so many units by stage, the usual run times, and instruments that rest six hours a day.
pub fn lab(units: [u32; StageKind::COUNT]) -> Lab {
    let [receive, inactivate, decap, extract, setup, pcr, review] = units;
    let machine = |units, minutes, spread, failures| Stage {
        rests: staggered(units, 6 * HOUR, stage(1, minutes).run),
        run_spread: spread,
        failures_per_day: failures,
        ..stage(units, minutes)
    };
    let hands = |units, minutes, spread| Stage { run_spread: spread, ..stage(units, minutes) };
    Lab {
        stages: [
            Stage { takes: Takes::Box, ..hands(receive, 9.4, 0.1) },
            Stage { takes: Takes::Fill, hold: 30 * MINUTE, ..machine(inactivate, 35.0, 0.05, 0.0) },
            hands(decap, 45.0, 0.11),
            machine(extract, 33.7, 0.05, 0.04),
            hands(setup, 11.0, 0.1),
            machine(pcr, 96.7, 0.03, 0.02),
            hands(review, 5.0, 0.1),
        ],
    }
}

/// A street with the usual numbers: Xi'an's speed at the desk, a vehicle for each ten thousand people.
pub fn street(persons: u32, desks: u32, lab: usize) -> Street {
    Street {
        persons,
        pool: 10,
        desks,
        desk_rate: 118.7,
        desk_spread: 0.12,
        open: 0,
        hours: 16 * HOUR,
        ramp: HOUR,
        ramp_speed: 0.72,
        late_share: 0.1,
        late_mean: 4 * HOUR,
        box_tubes: 94,
        box_time: HOUR,
        vehicles: (persons / 10_000).max(1),
        vehicle_tubes: 2_000,
        trip_hold: 30 * MINUTE,
        handling: 10 * MINUTE,
        travel: 30 * MINUTE,
        travel_spread: 0.35,
        travel_max: 2 * HOUR,
        round_trip_min: 0,
        lab,
        part_of: None,
    }
}

/// One infected person in ten thousand, with households in one tube.
pub fn recall() -> Recall {
    Recall {
        prevalence: 1e-4,
        correlation: 0.1,
        cluster: 1.5,
        delay: 90 * MINUTE,
        delay_spread: 0.5,
        travel: 30 * MINUTE,
        hold: 15 * MINUTE,
    }
}

/// A city of `districts` times 250,000 people with a lab for each: 16 streets of 19 or 20 desks, each with its site.
/// With 100 of them it is the city of 25 million that speed is measured on: 31,200 desks, 2.5 million tubes.
pub fn city(districts: u32) -> Model {
    let mut streets = Vec::new();
    for lab in 0..districts as usize {
        for i in 0..16 {
            // 312 desks of 800 persons over 16 streets: eight of 19 and eight of 20.
            let desks = 19 + i % 2;
            streets.push(street(desks * 800, desks, lab));
        }
    }
    Model {
        midnight_offset: 6 * HOUR,
        target: DAY,
        streets,
        labs: (0..districts).map(|_| lab([6, 12, 20, 9, 5, 30, 5])).collect(),
        recall: recall(),
    }
}

/// A city by chance: one to six labs, two to forty streets, means from scarce to plenty. For holding the layers against
/// each other.
pub fn by_chance(seed: u64) -> Model {
    let dice = Stream::of(seed, 0, Cause::Example, 0);
    let mut k = 0;
    let mut even = |from: f64, to: f64| {
        k += 1;
        from + (to - from) * dice.unit(k)
    };
    let labs = even(1.0, 7.0) as usize;
    let mut model = Model {
        midnight_offset: even(4.0, 10.0) as Ms * HOUR,
        target: DAY,
        streets: Vec::new(),
        labs: Vec::new(),
        recall: Recall { prevalence: 10f64.powf(even(-5.0, -3.0)), ..recall() },
    };
    for number in 0..labs {
        let streets = even(2.0, 8.0) as u32;
        let mut tubes = 0.0;
        for _ in 0..streets {
            let persons = 10f64.powf(even(4.0, 5.0)) as u32;
            let desks = (f64::from(persons) / even(400.0, 1000.0)).ceil() as u32;
            let pool = if even(0.0, 1.0) < 0.8 { 10 } else { 20 };
            tubes += f64::from(persons / pool);
            model.streets.push(Street {
                pool,
                late_share: even(0.02, 0.2),
                desk_rate: even(90.0, 150.0),
                ..street(persons, desks, number)
            });
        }
        // Each stage would be done with its tubes in 8 to 30 hours of work.
        let mut own = lab([1; StageKind::COUNT]);
        for (stage, full) in own.stages.iter_mut().zip(lab([1000; StageKind::COUNT]).stages) {
            let hours = even(8.0, 30.0);
            let each = 94.0 * f64::from(HOUR) / f64::from(full.run);
            stage.units = (tubes / hours / each).ceil().max(1.0) as u32;
            if !full.rests.is_empty() {
                stage.rests = staggered(stage.units, 6 * HOUR, full.run);
            }
        }
        model.labs.push(own);
    }
    model
}

/// A city by chance whose desks close early and whose labs are staffed by shifts: 8 to 20 hours from six to nine o'clock on, and in
/// the rest of the day nobody, or a quarter or half of the units.
pub fn by_chance_in_shifts(seed: u64) -> Model {
    let mut model = by_chance(seed);
    let dice = Stream::of(seed, 1, Cause::Example, 0);
    let mut k = 0;
    let mut one_of = |n: u32| {
        k += 1;
        (dice.unit(k) * f64::from(n)) as u32
    };
    for street in &mut model.streets {
        street.hours = (8 + one_of(9)) * HOUR;
    }
    for lab in &mut model.labs {
        let (from, hours) = ((6 + one_of(4)) * HOUR, (8 + one_of(13)) * HOUR);
        let at_night = one_of(3);
        for kind in [StageKind::Receive, StageKind::Decap, StageKind::Setup, StageKind::Review] {
            let stage = &mut lab.stages[kind as usize];
            let staffed = (stage.units * at_night).div_ceil(4);
            let rests = |unit| match unit < staffed {
                true => Vec::new(),
                false => vec![((from + hours) % DAY, DAY - hours)],
            };
            stage.rests = (0..stage.units).map(rests).collect::<Vec<_>>().into();
        }
    }
    model
}
