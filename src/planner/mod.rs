//! The rules layer of the planner: from a city to a verdict and a list of shortages, by the guide's arithmetic.
//!
//! PURE: plain data in, plain data out. No async, no clock, no randomness, no logging, no files, no wire formats. The
//! same city and the same target always give the same plan. The planner only proposes.
//!
//! In reading order:
//! - `sourced`: a number with its source and its status;
//! - `norm`: the constants of a notice or guide (a norm pack);
//! - `city`: the problem: districts, what they have, labs by stage, stock;
//! - `labs`: whole runs, the window of each stage, the stage that binds a lab;
//! - `flow`: which lab takes whose tubes (maximal flow);
//! - `chain`: every stage from the swab to the result, and which one binds;
//! - `plan`, `rules`: the answer, and `solve` that gives it;
//! - `lines`, `shortage`: need, have, short, how to mend, support asked;
//! - `fill`: the city with its shortages filled;
//! - `claim`: a declared capacity explained from run times (the Guandu letter).
//!
//! What this layer leaves out, on purpose: queues, ramp-up of the first hour, vehicles, breakdowns, recalls. It says
//! whether the means are enough, not how the day will go; the fluid and simulation layers do that. Its "yes" is
//! therefore necessary, not sufficient.

mod chain;
mod city;
mod claim;
mod fill;
mod flow;
mod labs;
mod lines;
mod norm;
mod plan;
mod rules;
mod shortage;
mod sourced;
#[cfg(test)]
mod tests;

pub use city::{City, District, Have, Lab, LabStage, Ledger, Stock};
pub use claim::{Claim, Explanation, Side, explain};
pub use fill::fill;
pub use labs::{LabCapacity, StageCapacity, lab_capacity, whole_runs};
pub use norm::{Clock, Norm, StageKind, StageNorm};
pub use plan::{
    ChainStage, CityCeilings, DistrictPlan, LabPlan, Plan, Range, StageTime, Totals, Verdict,
};
pub use rules::solve;
pub use shortage::{Basis, Item, ItemTotal, Shortage, Words};
pub use sourced::{Origin, Sourced, Status};
