//! The labs of a city as the model has them: paces, and when each unit rests.

use super::units::{count, ms, permille};
use crate::planner::city::{
    City, Clock, InstrumentDay, Lab as CityLab, LabStage, Shift, StageKind,
};
use crate::planner::model::{DAY, HOUR, Lab, Ms, PartOfDay, Rests, Stage, Takes, staggered};
use crate::planner::rules;

/// Tubes an hour of a lab: those of its slowest stage, calendars and repairs taken off.
pub fn lab_rate(lab: &Lab) -> (f64, StageKind) {
    let rate = |kind: &StageKind| {
        let stage = &lab.stages[kind.index()];
        stage.tubes_per_hour() * stage.working_share() * stage.sound_share()
    };
    let slowest = StageKind::ALL.into_iter().min_by(|a, b| rate(a).total_cmp(&rate(b)));
    let slowest = slowest.unwrap_or(StageKind::Pcr);
    (rate(&slowest), slowest)
}

pub(super) fn lab_of(city: &City, lab: &CityLab) -> Lab {
    let mut batch_before = 0;
    let derate = permille(lab.derate_permille(&city.norm)).clamp(0.05, 2.0);
    let stages = lab.stages.map(|stage| {
        let made = stage_of(city, lab, &stage, derate, batch_before);
        batch_before = made.batch;
        made
    });
    Lab { stages }
}

fn stage_of(city: &City, lab: &CityLab, stage: &LabStage, derate: f64, batch_before: u32) -> Stage {
    let units = count(rules::units_working(lab, stage, &city.norm)).min(100_000);
    let staffed = stage.clock == Clock::Staffed;
    // The file's time is the shortest and likeliest, and its spread says how much longer the longest is: the mean of that
    // triangle, and its standard deviation over the mean.
    let longest = permille(stage.spread_permille);
    let mean = 1.0 + longest / 3.0;
    let run_spread = longest / 18f64.sqrt() / mean;
    let run = f64::from(ms(stage.cycle_s())) * mean / if staffed { derate } else { 1.0 };
    let run = run.clamp(1000.0, f64::from(7 * DAY)) as Ms;
    let batch = count(stage.usable.max(1));
    let takes = match stage.kind {
        StageKind::Receive => Takes::Box,
        _ => Takes::Fill,
    };
    // Plates are filled once, and again where larger ones are; other stages have nothing to wait for.
    let waits =
        takes == Takes::Fill && (batch > batch_before || stage.kind == StageKind::Inactivate);
    Stage {
        units,
        batch,
        run,
        run_spread,
        takes,
        hold: if waits { ms(stage.hold_s) } else { 0 },
        rests: if staffed {
            staff_rests(&city.shifts_of(lab), units)
        } else {
            instrument_rests(city, lab, units, run)
        },
        failures_per_day: permille(stage.breakdowns_permille_day),
        repair: ms(stage.repair_s),
    }
}

fn instrument_rests(city: &City, lab: &CityLab, units: u32, run: Ms) -> Rests {
    match lab.instrument_day(&city.norm) {
        InstrumentDay::Staggered { hours } if hours >= 24 => Rests::default(),
        InstrumentDay::Staggered { hours } => {
            let rest = DAY - count(hours) * HOUR;
            staggered(units, rest, run)
        }
        InstrumentDay::Window { to_s, .. } => {
            let rest =
                u64::from(DAY / 1000).saturating_sub(lab.instrument_day(&city.norm).length_s());
            let rest = PartOfDay { from: ms(to_s) % DAY, length: ms(rest), percent: 0 };
            Rests::manned(units, &[rest])
        }
    }
}

/// When each unit is without staff: with so many percent of the units staffed, the first ones are.
fn staff_rests(shifts: &[Shift], units: u32) -> Rests {
    if shifts.is_empty() {
        return Rests::default();
    }
    let mut edges: Vec<u64> =
        shifts.iter().flat_map(|s| [s.from_s % 86_400, s.to_s % 86_400]).collect();
    edges.sort_unstable();
    edges.dedup();
    let part = |(i, &from): (usize, &u64)| {
        let to = edges.get(i + 1).copied().unwrap_or(edges[0] + 86_400);
        PartOfDay {
            from: ms(from),
            length: ms(to - from),
            percent: Shift::percent_at(shifts, from),
        }
    };
    Rests::manned(units, &edges.iter().enumerate().map(part).collect::<Vec<_>>())
}
