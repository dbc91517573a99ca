//! Which version of the plan a city file is, and who stands for it.

use super::words::Words;

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

impl PlanHead {
    /// What is odd about an approval of a day that has not come by `today`, `YYYY-MM-DD`. Whoever asks has the clock.
    pub fn approved_after(&self, today: &str) -> Option<Words> {
        // Years have four digits, so that days sort as texts do.
        let on = self.approved_on.as_deref().filter(|on| *on > today)?;
        Some(Words::new(
            format!("批准日期 {on} 晚于今天（{today}）：请核对 approved_on 和本机时钟"),
            format!(
                "approved on {on}, which is after today ({today}): check `approved_on` and this machine's clock"
            ),
        ))
    }
}
