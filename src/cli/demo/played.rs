//! The city as the drill plays it, for the forecast: held against the real city's numbers, every forecast of a drill would be
//! hours late. Each number here is one of the player's (`truth`, `field`, `labs`, `faults`), none is fitted to a city.

use super::faults::INFECTED_IN_TEN_THOUSAND;
use super::labs::plate_ms;
use super::truth::OPENING_MS;
use crate::planner::{City, InstrumentDay, Plan, StageKind};

/// Units of the stages that nothing waits for in a drill, over those that the city has.
const PLENTY: u64 = 3;

/// The city as the drill plays it: desks open one by one and work at full speed from then on, nobody comes long after the
/// others, boxes are two hours on the road on average, and laboratories load plates at the pace of their slowest stage, round
/// the clock, without rests, shifts, breakdowns or a derate; what is loaded waits for nothing.
pub fn as_played(city: &City, plan: &Plan) -> City {
    let mut played = city.clone();
    let norm = &mut played.norm;
    // Half of the desks are open, on average, until the last one is.
    norm.field.ramp_s.value = u64::try_from(OPENING_MS / 1_000).unwrap_or_default();
    norm.field.ramp_percent.value = 50;
    norm.field.straggler_permille.value = 0;
    // What the norm allows at most is what the drill takes on average (`field`), give or take 40 %.
    norm.transport.travel_s.value = norm.transport_s.value;
    norm.transport.travel_spread_permille.value = 230;
    norm.transport_s.value = norm.transport_s.value * 14 / 10;
    norm.prevalence.alpha_milli.value = u64::from(INFECTED_IN_TEN_THOUSAND) * 1_000;
    norm.prevalence.beta_milli.value = u64::from(10_000 - INFECTED_IN_TEN_THOUSAND) * 1_000;
    // A share below one, or there would be no doubt to draw.
    norm.derate.mean_permille.value = 990;
    norm.derate.spread_permille.value = 10;
    for (lab, planned) in played.labs.iter_mut().zip(&plan.labs) {
        let plate_s = (u64::try_from(plate_ms(lab, planned)).unwrap_or_default() / 1_000).max(1);
        lab.shifts.clear();
        lab.instrument_day = Some(InstrumentDay::Staggered { hours: 24 });
        lab.derate = Some(norm.derate.mean_permille.clone());
        let decap_s = lab.stage(StageKind::Decap).cycle_s();
        for stage in &mut lab.stages {
            (stage.spread_permille, stage.breakdowns_permille_day, stage.crew) = (0, 0, 0);
            stage.units *= PLENTY;
            match stage.kind {
                // What waits for a plate is ready for it: its time comes before.
                StageKind::Inactivate => stage.run_s += decap_s,
                StageKind::Decap => (stage.units, stage.run_s, stage.load_s) = (1, plate_s, 0),
                _ => {}
            }
        }
    }
    played
}
