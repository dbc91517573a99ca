//! A city with more or fewer units at a stage of a lab, with the people that run them.

use super::labs::{roll, units_working};
use crate::planner::city::{City, Lab, StageKind};

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
    stage.staff = stage.staff.saturating_sub(before).saturating_add(after);
    stage.units = stage.units.saturating_add_signed(more);
    changed
}

/// What it takes that one unit more works at a stage of a lab: units, and people on the roll over all shifts. No unit, where one
/// stands idle for want of people.
pub fn one_more_takes(city: &City, lab: &Lab, kind: StageKind) -> (u64, u64) {
    let stage = lab.stage(kind);
    let then = units_working(lab, stage, &city.norm).saturating_add(1);
    let people = roll(lab, stage, &city.norm, then);
    (then.saturating_sub(stage.units), people.saturating_sub(stage.staff))
}
