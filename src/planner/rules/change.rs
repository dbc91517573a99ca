//! A city with more or fewer units at a stage of a lab, with the people that run them.

use super::labs::{roll, units_working};
use crate::planner::city::{City, Lab, Norm, StageKind, Words, mul_div_ceil};

/// The city with `more` units (negative: fewer, down to none) at a stage of its lab number `lab`. The roll grows and shrinks by
/// what these units need over all shifts, so that they work, or stop working. A lab that is not there changes nothing.
pub fn with_units(city: &City, lab: usize, kind: StageKind, more: i64) -> City {
    let mut changed = city.clone();
    let (Some(there), Some(lab)) = (city.labs.get(lab), changed.labs.get_mut(lab)) else {
        return changed;
    };
    let stage = &mut lab.stages[kind.index()];
    let working = units_working(there, stage, &city.norm);
    let then = working.saturating_add_signed(more);
    let persons = |units| roll(there, there.stage(kind), &city.norm, units);
    let (before, after) = (persons(working), persons(then));
    let mut idle = stage.staff.saturating_sub(before);
    stage.units = stage.units.saturating_add_signed(more);
    if stage.units > then {
        // Those that stand idle stay idle: of shifts that man a part, the next unit may take fewer people than the last, or none.
        match persons(then.saturating_add(1)).saturating_sub(after) {
            0 => stage.units = then,
            one_more => idle = idle.min(one_more - 1),
        }
    }
    stage.staff = after.saturating_add(idle);
    changed
}

/// What it takes that one unit more works at a stage of a lab: units, and people on the roll over all shifts. No unit, where one
/// stands idle for want of people.
pub fn one_more_takes(city: &City, lab: &Lab, kind: StageKind) -> (u64, u64) {
    more_takes(city, lab, kind, 1)
}

/// What it takes that so many units more work at a stage of a lab: units, less those that stand idle for want of people, and
/// people on the roll over all shifts.
pub fn more_takes(city: &City, lab: &Lab, kind: StageKind, more: u64) -> (u64, u64) {
    let stage = lab.stage(kind);
    let then = units_working(lab, stage, &city.norm).saturating_add(more);
    let people = roll(lab, stage, &city.norm, then);
    (then.saturating_sub(stage.units), people.saturating_sub(stage.staff))
}

/// What it takes that more desks work in a street, each as fast as those that do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DesksTake {
    /// Desks, less those that stand there without a sampler.
    pub desks: u64,
    /// Samplers, so that the desks keep their speed through the day.
    pub samplers: u64,
    /// Registrars, the norm's at each desk: of these desks, not those that the others lack.
    pub registrars: u64,
}

impl DesksTake {
    /// What it takes beyond that of fewer desks of the same place.
    pub fn beyond(&self, fewer: &DesksTake) -> DesksTake {
        DesksTake {
            desks: self.desks.saturating_sub(fewer.desks),
            samplers: self.samplers.saturating_sub(fewer.samplers),
            registrars: self.registrars.saturating_sub(fewer.registrars),
        }
    }
}

/// What it takes that so many desks more work, so many hours a day, where there are these desks, samplers and registrars.
pub fn more_desks_take(norm: &Norm, hours: u64, have: [u64; 3], more: u64) -> DesksTake {
    let [desks, samplers_there, registrars_there] = have;
    let working = desks.min(samplers_there);
    let then = working.saturating_add(more);
    // As many as a desk of the norm's speed takes in its day, or, where there are fewer, as those have that work.
    let day_tenths = hours.saturating_mul(norm.desk_rate_tenths.value);
    let sampler_tenths = norm.persons_per_sampler_day.value.saturating_mul(10).max(1);
    let at_full_speed = mul_div_ceil(then, day_tenths, sampler_tenths);
    let samplers = match working {
        0 => at_full_speed,
        working => at_full_speed.min(mul_div_ceil(then, samplers_there, working)),
    };
    let registrars = |desks: u64| desks.saturating_mul(norm.registrars_per_desk.value);
    DesksTake {
        desks: then.saturating_sub(desks),
        samplers: samplers.max(then).saturating_sub(samplers_there),
        registrars: registrars(then).saturating_sub(registrars_there.max(registrars(working))),
    }
}

/// Most units by which a question may change a stage of a lab.
pub const UNITS_CHANGE_MAX: u32 = 10_000;

/// Whether a stage of lab number `lab` may be asked about with so many units more (negative: fewer): the one rule for every form
/// of the question. A lab that is not there is another's to refuse.
///
/// # Errors
/// A change by none, by more than [`UNITS_CHANGE_MAX`], or by more fewer than the city has there; which stage has how many, and
/// what can be asked.
pub fn may_change(city: &City, lab: usize, kind: StageKind, more: i64) -> Result<(), Words> {
    units_in_range(more)?;
    let Some(lab) = city.labs.get(lab) else { return Ok(()) };
    let (have, fewer) = (lab.stage(kind).units, more.unsigned_abs());
    if more > 0 || fewer <= have {
        return Ok(());
    }
    let (code, stage) = (&lab.code, kind.name());
    Err(Words::new(
        format!(
            "{code} 的{}只有 {have} 台（组），不能减少 {fewer}：请填写不小于 -{have} 的数",
            stage.zh
        ),
        format!(
            "{} at {code} has {} and cannot have {fewer} fewer: take away {have} at most",
            stage.en,
            Words::many(have, "unit")
        ),
    ))
}

/// Whether a question may name such a change at all.
///
/// # Errors
/// None, or more than [`UNITS_CHANGE_MAX`].
pub fn units_in_range(more: i64) -> Result<(), Words> {
    if more == 0 || more.unsigned_abs() > u64::from(UNITS_CHANGE_MAX) {
        return Err(Words::new(
            format!(
                "{more} 不可用：请填写 -{UNITS_CHANGE_MAX} 至 {UNITS_CHANGE_MAX} 之间且不为 0 的数，即增加或减少的数量"
            ),
            format!(
                "{more} is not possible: say how many more or fewer, -{UNITS_CHANGE_MAX} to {UNITS_CHANGE_MAX} and not 0"
            ),
        ));
    }
    Ok(())
}
