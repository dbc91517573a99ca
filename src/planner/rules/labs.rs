//! What a lab can do: whole runs per unit, stage by stage, and the stage that binds.
//!
//! A stage works only while it has tubes, and its last run must leave time for the stages after it. So its window is
//! the shorter of (a) the time in which it is manned and (b) the target less the wait for the first box and less one run
//! of every other stage. The time in which an instrument does not count may thus be spent on waiting.
//!
//! (a) is, per 24 h of the target, the norm's 18 h for instruments (or the lab's own staggered hours) and 24 h for staffed
//! stages. A lab with shifts (its own, or those of a norm whose staffed day is shorter than 24 h), or with a window for its
//! instruments, is taken by its calendar from the start of the round on. A shift is manned by one team: its roll is counted shift by shift, and where a shift has only a part of the units,
//! the first units are manned and the rest are not.
//!
//! Staffed stages do the lab's derate of what their numbers say, as in the other layers; the instruments' rest is part of
//! it already.

use super::nearer::Nearer;
use crate::planner::city::{
    City, Clock, District, InstrumentDay, Lab, LabStage, Norm, Shift, StageKind, manned, mul_div,
};
use crate::planner::reach;

/// What one stage of a lab can do in a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageCapacity {
    /// Which stage.
    pub kind: StageKind,
    /// Units there are.
    pub units: u64,
    /// Units that the staff on the roll can run.
    pub units_working: u64,
    /// Seconds in which the first unit can start and finish runs; with shifts, others have less.
    pub window_s: u64,
    /// Whole runs of the first unit in that window.
    pub runs_per_unit: u64,
    /// Whole runs of all working units: fewer than units times runs where a shift does not man them all.
    pub runs: u64,
    /// Tubes per run.
    pub tubes_per_run: u64,
    /// What the stage does of what its numbers say, permille: the derate where it is staffed, 1000 where it is not.
    pub derate_permille: u64,
    /// Tubes in the window, over all working units.
    pub tubes: u64,
}

/// What a lab can do in a campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabCapacity {
    /// Its stages, in order.
    pub stages: [StageCapacity; StageKind::COUNT],
    /// The stage with the least tubes; the earliest of equals.
    pub binding: StageKind,
    /// Tubes in the window: those of the binding stage.
    pub tubes: u64,
}

/// Whole runs of `cycle_s` seconds in `window_s` seconds; a cycle of 0 counts as 1 s.
pub fn whole_runs(window_s: u64, cycle_s: u64) -> u64 {
    window_s / cycle_s.max(1)
}

/// Seconds until the first box reaches a lab: the norm's limit of transport behind its box interval, or the way from the nearest
/// street where all are farther.
pub(in crate::planner) fn head_s(city: &City, lab: &Lab) -> u64 {
    let serves = |district: &&District| lab.serves.contains(&district.code);
    let places = city.districts.iter().filter(serves).flat_map(reach::places);
    let ways = places.map(|place| reach::way_s(city, place, lab));
    city.norm.box_s.value.saturating_add(reach::reckoned_s(city, ways))
}

/// Teams that so many units take over all shifts of a day: the lab's own shifts with the part that each mans, else the
/// norm's number of shifts with all.
fn teams(lab: &Lab, norm: &Norm, units: u64) -> u64 {
    if lab.shifts.is_empty() {
        return units.saturating_mul(norm.shifts.value);
    }
    lab.shifts.iter().fold(0, |sum: u64, shift| sum.saturating_add(manned(shift.percent, units)))
}

/// Persons that the roll of a stage needs for so many units.
pub(super) fn roll(lab: &Lab, stage: &LabStage, norm: &Norm, units: u64) -> u64 {
    teams(lab, norm, units).saturating_mul(stage.crew)
}

/// Units that the staff on the roll can run through all shifts.
pub(in crate::planner) fn units_working(lab: &Lab, stage: &LabStage, norm: &Norm) -> u64 {
    let mans = |units| roll(lab, stage, norm, units) <= stage.staff;
    largest(stage.units, mans)
}

/// The largest number up to `max` for which `holds`, which holds for 0 and stays false once it is.
fn largest(max: u64, holds: impl Fn(u64) -> bool) -> u64 {
    if holds(max) {
        return max;
    }
    let (mut low, mut high) = (0, max);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if holds(middle) { low = middle } else { high = middle }
    }
    low
}

const DAY_S: u64 = 86_400;

/// Seconds of a daily window that lie in the `target_s` seconds from the second of the day `start_s` on.
fn within_s((from_s, length_s): (u64, u64), start_s: u64, target_s: u64) -> u64 {
    // Of the first so many seconds of days, counted from midnight.
    let upto = |second: u64| {
        let rest = second % DAY_S;
        let (from, end) = (from_s % DAY_S, from_s % DAY_S + length_s.min(DAY_S));
        let today = rest.min(end).saturating_sub(from);
        let over_midnight = rest.min(end.saturating_sub(DAY_S));
        let days = second / DAY_S;
        days.saturating_mul(length_s.min(DAY_S)).saturating_add(today).saturating_add(over_midnight)
    };
    let start = start_s % DAY_S;
    upto(start.saturating_add(target_s)).saturating_sub(upto(start))
}

/// Groups of units that are manned alike: units of the group, and seconds within the target, longest first.
fn groups(city: &City, lab: &Lab, clock: Clock, units: u64, target_s: u64) -> Vec<(u64, u64)> {
    let shifts = city.shifts_of(lab);
    match (clock, lab.instrument_day(&city.norm)) {
        (Clock::Staffed, _) if shifts.is_empty() => vec![(units, target_s)],
        (Clock::Staffed, _) => {
            let length = |s: &Shift| within_s((s.from_s, s.length_s()), city.start_s, target_s);
            let mut edges: Vec<u64> = shifts.iter().map(|s| manned(s.percent, units)).collect();
            edges.sort_unstable();
            edges.dedup();
            let mut below = 0;
            let mut groups = Vec::with_capacity(edges.len());
            for edge in edges {
                let on = shifts.iter().filter(|s| manned(s.percent, units) >= edge);
                let seconds = on.fold(0, |sum: u64, s| sum.saturating_add(length(s)));
                groups.push((edge - below, seconds));
                below = edge;
            }
            groups
        }
        (Clock::Instrument, InstrumentDay::Staggered { hours }) => {
            vec![(units, mul_div(target_s, hours.min(24), 24))]
        }
        (Clock::Instrument, day @ InstrumentDay::Window { from_s, .. }) => {
            vec![(units, within_s((from_s, day.length_s()), city.start_s, target_s))]
        }
    }
}

/// What a stage does of what its numbers say, permille: the derate of its lab where it is staffed.
fn derate_permille(city: &City, lab: &Lab, stage: &LabStage) -> u64 {
    match stage.clock {
        Clock::Staffed => lab.derate_permille(&city.norm).min(1000),
        Clock::Instrument => 1000,
    }
}

/// What so many working units of a stage can do within the target, the first box being there after `head_s`.
fn stage_capacity(
    city: &City,
    lab: &Lab,
    stage: &LabStage,
    units: u64,
    (head_s, target_s): (u64, u64),
) -> StageCapacity {
    let elsewhere_s = head_s.saturating_add(lab.pipeline_s() - stage.cycle_s());
    let most_s = target_s.saturating_sub(elsewhere_s);
    let derate_permille = derate_permille(city, lab, stage);
    let mut capacity = StageCapacity {
        kind: stage.kind,
        units: stage.units,
        units_working: units,
        window_s: 0,
        runs_per_unit: 0,
        runs: 0,
        tubes_per_run: stage.usable,
        derate_permille,
        tubes: 0,
    };
    let groups = groups(city, lab, stage.clock, units.max(1), target_s);
    for (i, (units_alike, seconds)) in groups.into_iter().enumerate() {
        let window_s = seconds.min(most_s);
        let runs = whole_runs(window_s, stage.cycle_s());
        if i == 0 {
            (capacity.window_s, capacity.runs_per_unit) = (window_s, runs);
        }
        let units_alike = if units == 0 { 0 } else { units_alike };
        capacity.runs = capacity.runs.saturating_add(units_alike.saturating_mul(runs));
    }
    let tubes = capacity.runs.saturating_mul(stage.usable);
    capacity.tubes = mul_div(tubes, derate_permille, 1000);
    capacity
}

/// Tubes that so many working units of a stage of lab number `lab` can do, as `nearer` has it.
pub(super) fn tubes_nearer(
    city: &City,
    lab: usize,
    stage: &LabStage,
    units: u64,
    target_s: u64,
    nearer: &Nearer,
) -> u64 {
    let (pace, passing) = (nearer.pace[lab][stage.kind.index()], &nearer.passing_s[lab]);
    let own = passing[stage.kind.index()];
    let elsewhere_s = passing.iter().sum::<u64>().saturating_sub(own);
    let lab = &city.labs[lab];
    let most_s = target_s.saturating_sub(head_s(city, lab).saturating_add(elsewhere_s));
    // With rests in the work, too, of each day the share that is manned, wherever in it the shifts lie.
    let rests = nearer.rests_in_work;
    let of_s = if rests { DAY_S } else { target_s };
    let runs_in = |seconds: u64| {
        let window_s = match rests {
            true => mul_div(seconds.min(DAY_S), most_s, DAY_S),
            false => seconds.min(most_s),
        };
        whole_runs((window_s as f64 * pace) as u64, stage.cycle_s())
    };
    let groups = groups(city, lab, stage.clock, units, of_s).into_iter();
    let runs = groups.map(|(alike, s)| alike.saturating_mul(runs_in(s)));
    let tubes = runs.fold(0, u64::saturating_add).saturating_mul(stage.usable);
    mul_div(tubes, derate_permille(city, lab, stage), 1000)
}

/// Units that a stage needs for so many tubes; 0 when no run fits the target, for then no number of units helps.
pub(super) fn units_for(
    city: &City,
    lab: &Lab,
    stage: &LabStage,
    tubes: u64,
    target_s: u64,
) -> u64 {
    let within = (head_s(city, lab), target_s);
    let does = |units: u64| stage_capacity(city, lab, stage, units, within).tubes >= tubes;
    let one = stage_capacity(city, lab, stage, 1, within);
    if one.runs == 0 || one.tubes_per_run == 0 || one.derate_permille == 0 {
        return 0;
    }
    // Doubling ends: every unit of the first shift's part does at least one run.
    let mut high = 1u64;
    while !does(high) && high < u64::MAX / 2 {
        high *= 2;
    }
    largest(high, |units| !does(units)).saturating_add(1).min(high)
}

/// What a lab can do when the whole city is to be done within `target_s` seconds.
pub fn lab_capacity(city: &City, lab: &Lab, target_s: u64) -> LabCapacity {
    let within = (head_s(city, lab), target_s);
    let stages = lab.stages.map(|stage| {
        let units = units_working(lab, &stage, &city.norm);
        stage_capacity(city, lab, &stage, units, within)
    });
    let binding = stages.iter().min_by_key(|stage| stage.tubes).map_or(StageKind::Pcr, |s| s.kind);
    LabCapacity { tubes: stages[binding.index()].tubes, binding, stages }
}
