//! The query room: answers that are put together from the store when somebody asks.
//!
//! Blocking, read only, and without a clock: whatever depends on *now* is handed an `as_of` and is
//! never stored. What can be said without the store is a plain function of events and records, so
//! that it can be tested by telling a story.
//!
//! - `tube`: one tube with its full history and the log's proofs;
//! - `person`: one person: samples, result, certificate, recalls, the gate where it is stuck;
//! - `people`: figures of distinct people, the missing, the sampled twice;
//! - `recalls`: the list of recalls and recollections;
//! - `odd`: the list of records with a discrepancy;
//! - `unaccounted`: tubes that nobody can say anything of;
//! - `capacity`: what each laboratory declared and what it has in hand.

pub mod capacity;
pub mod odd;
pub mod people;
pub mod person;
pub mod recalls;
#[cfg(test)]
mod story;
#[cfg(test)]
mod tests;
pub mod tube;
pub mod unaccounted;
