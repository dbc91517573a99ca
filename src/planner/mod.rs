//! The planner: from a city to a verdict, a list of shortages, an assignment and a forecast.
//!
//! PURE: plain data in, plain data out. No async, no clock, no logging, no files, no wire formats, and no randomness
//! but what a seed that is handed in decides. The same question always has the same answer. The planner only proposes.
//!
//! In reading order:
//! - `city`: the problem: districts, what they have, labs by stage, stock, the constants of a norm pack, each with its
//!   source and status;
//! - `rules`: the guide's arithmetic: verdict, shortages, filling them;
//! - `pooling`: how many swabs per tube, against the recalls that follow.

mod city;
pub mod pooling;
mod rules;
#[cfg(test)]
mod tests;

pub use city::{
    City, Clock, District, Have, Lab, LabStage, Ledger, Norm, Origin, Sourced, StageKind,
    StageNorm, Status, Stock, Words,
};
pub use rules::{
    Basis, ChainStage, CityCeilings, Claim, DistrictPlan, Explanation, Item, ItemTotal,
    LabCapacity, LabPlan, Plan, Range, Shortage, Side, StageCapacity, StageTime, Totals, Verdict,
    explain, fill, lab_capacity, solve, whole_runs,
};
