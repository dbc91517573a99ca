//! The planner: from a city to a verdict, a list of shortages, an assignment and a forecast.
//!
//! PURE: plain data in, plain data out. No async, no clock, no logging, no files, no wire formats, and no randomness
//! but what a seed that is handed in decides. The same question always has the same answer. The planner only proposes.
//!
//! In reading order:
//! - `city`: the problem: districts, what they have, labs by stage, stock, the constants of a norm pack, each with its
//!   source and status;
//! - `rules`: the guide's arithmetic: verdict, shortages, filling them;
//! - `assign`: which street sends to which lab, and why it cannot be earlier;
//! - `pooling`: how many swabs per tube, against the recalls that follow;
//! - `reach`: which labs a street can send to, and the streets that can send to none; `far`: the streets whose lab is farther than the norm allows;
//! - `lacking`: what a city has none of, so that no round of it ever ends;
//! - `model`, `round`: the problem as plain numbers, and how it comes from a city; `units`: more or fewer of a stage; `sending`: who else it could send to;
//! - `derate`: how much less than its nameplate a lab does;
//! - `fluid`: the round as flows, in milliseconds, with the stage that binds; `one_more`: what one more unit saves by them,
//!   and whether it is a unit or its people; `field_more`: what one more desk, sampler or vehicle
//!   saves at the street that a lab waits for; `what_if`: any other change that a question names;
//! - `filing`: which number to file of an item, and what the other layers say of it;
//! - `filled`: whether the list of shortages is enough, by the flows or the simulation; `times`: times in words;
//! - `simulate`, `study`: boxes, trips and plates one by one, many times, and in pairs; `late`: what late comers do to its end; `chance`: what is
//!   said of one replication and of pairs;
//! - `apart`: why the layers lie apart: from the arithmetic to the flows step by step, from there to the simulation one effect at a time;
//! - `forecast`: from the tubes that are in the system to the time at which they will be done;
//! - `example`: made-up rounds to measure and to check with.

pub mod apart;
pub mod assign;
pub mod chance;
mod city;
mod derate;
mod differ;
pub mod example;
mod far;
mod field_more;
pub mod filing;
mod filled;
pub mod fluid;
pub mod forecast;
mod lacking;
mod late;
pub mod model;
mod one_more;
pub mod pooling;
pub mod reach;
pub mod round;
mod rules;
pub mod sending;
mod shortages;
pub mod simulate;
pub mod study;
#[cfg(test)]
mod tests;
pub mod times;
mod units;
pub mod what_if;

pub use city::{
    Article, Change, ChangeKind, City, Clock, Constant, DerateNorm, District, FieldNorm, Fleet,
    Given, Have, Holding, InstrumentDay, Lab, LabStage, LargeCity, Ledger, Norm, Origin, Owner,
    Place, PlanHead, PrevalenceNorm, RecallNorm, Sampling, Shift, Sourced, StageKind, StageNorm,
    Status, Stock, Street, TargetFrom, TransportNorm, Words, Written, ZoneNorm, approval_doubt,
    by_the_pack, diff, grouped, time_of_day, version_doubt,
};
pub use differ::flows_differ;
pub use far::{Far, far, far_words};
pub use field_more::{FieldItem, FieldMore, field_more, field_words};
pub use filled::{Binding, Found, ListFilled};
pub(crate) use lacking::lines;
pub use lacking::{Lack, Missing};
pub use late::late_words;
pub use one_more::{AtTheLast, OneMore, assigned_anew, at_the_last, best, earlier, one_more};
pub use rules::{
    Basis, ChainStage, CityCeilings, Claim, CrewItem, CrewLine, DAYS_MAX, DesksTake, DistrictPlan,
    Explanation, Item, ItemTotal, LabCapacity, LabPlan, Plan, Range, Sent, Shortage, Side,
    StageCapacity, StageTime, TARGET_HOURS_MAX, Totals, UNITS_CHANGE_MAX, Verdict, crew_constants,
    explain, fill, fill_sent, lab_capacity, may_change, more_desks_take, more_takes, no_deadline,
    one_more_takes, solve, solve_sent, units_in_range, whole_runs, with_units,
};
pub use shortages::{Shelf, shelf_mend, shelf_words};
