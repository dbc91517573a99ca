//! A number together with where it comes from and how far it can be trusted.
//!
//! Norms differ by year and place and lab figures are seldom published, so no number may travel without this.

use super::words::Words;

/// How far a number can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Text of a notice or guide.
    Norm,
    /// Measured in a real round or a real lab.
    Measured,
    /// A published figure with a named source.
    Sourced,
    /// A copy, an abstract or a quotation at second hand.
    Secondary,
    /// Calculated from other numbers.
    Calculated,
    /// Nobody published it: chosen to be plausible, to be replaced by the user's own figure.
    Assumed,
}

impl Status {
    /// Every status, in order of trust.
    pub const ALL: [Status; 6] = [
        Status::Norm,
        Status::Measured,
        Status::Sourced,
        Status::Secondary,
        Status::Calculated,
        Status::Assumed,
    ];

    /// The word used in files and reports.
    pub fn word(self) -> &'static str {
        match self {
            Status::Norm => "norm",
            Status::Measured => "measured",
            Status::Sourced => "sourced",
            Status::Secondary => "secondary",
            Status::Calculated => "calculated",
            Status::Assumed => "assumed",
        }
    }

    /// The same word in Chinese.
    pub fn word_zh(self) -> &'static str {
        match self {
            Status::Norm => "规范",
            Status::Measured => "实测",
            Status::Sourced => "公布",
            Status::Secondary => "转引",
            Status::Calculated => "计算",
            Status::Assumed => "假定",
        }
    }

    /// The status that `word` names.
    pub fn parse(word: &str) -> Option<Status> {
        Status::ALL.into_iter().find(|status| status.word() == word)
    }
}

/// Source and status of a group of numbers that come from one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Where the numbers come from, in words; both alike where the file has no English.
    pub source: Words,
    /// How far they can be trusted.
    pub status: Status,
}

impl Origin {
    /// An origin from its two parts.
    pub fn new(source: impl Into<Words>, status: Status) -> Origin {
        Origin { source: source.into(), status }
    }
}

/// One number with its origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The number; its unit is named by the field that holds it.
    pub value: T,
    /// Where it comes from.
    pub origin: Origin,
}

impl<T> Sourced<T> {
    /// A number from its parts.
    pub fn new(value: T, source: impl Into<Words>, status: Status) -> Sourced<T> {
        Sourced { value, origin: Origin::new(source, status) }
    }
}
