//! Where a city is written down.

use std::collections::BTreeMap;

/// The file that a city was read from, so that whoever keeps it finds what an answer speaks of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Its name, as messages have it.
    pub file: String,
    /// By code of a district or street: the line at which its table begins, counted from 1.
    pub lines: BTreeMap<String, usize>,
}

impl Written {
    /// `file:line` of a district or street; `None` for one that the file does not name.
    pub fn place(&self, code: &str) -> Option<String> {
        self.lines.get(code).map(|line| format!("{}:{line}", self.file))
    }
}
