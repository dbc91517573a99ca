//! Which version of the plan a city file is, and who stands for it.

/// Version and approval of a plan. A file without them is version 0, not approved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanHead {
    /// Version, counted up by whoever changes the file.
    pub version: u64,
    /// Who wrote it.
    pub author: Option<String>,
    /// Who approved it; only with an author.
    pub approved_by: Option<String>,
    /// On which day, `YYYY-MM-DD`; only with `approved_by`.
    pub approved_on: Option<String>,
    /// What changed, or why.
    pub note: Option<String>,
}
