//! The trade: its words, its facts, and the fold that makes tubes, boxes, plates, people and
//! figures of them.
//!
//! Pure. This room knows no clock, no randomness, no disk, no network and no wire format: it is
//! handed events and hands back records.

pub mod boxes;
pub mod calling;
pub mod certificate;
pub mod counters;
pub mod discrepancy;
pub mod fact;
pub mod gate;
pub mod identity;
pub mod judge;
pub mod person;
pub mod plate;
pub mod reference;
pub mod source;
pub mod tube;
pub mod words;
pub mod world;

pub use words::{Code, PersonKey, Time};

#[cfg(test)]
mod tests;
