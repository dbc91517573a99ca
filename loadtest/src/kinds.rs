//! What went wrong, by its text: how often each.

use serde_json::Value;

/// Texts that are counted each by itself. Those that name a message could be as many as there are messages.
const KEPT_MAX: usize = 100;
/// Texts that are told.
const TOLD_MAX: usize = 5;

/// Failures, by their text.
#[derive(Clone, Debug, Default)]
pub struct Kinds {
    counts: Vec<(String, u64)>,
    /// Of texts beyond those that are kept.
    others: u64,
}

impl Kinds {
    /// Notes one.
    pub fn note(&mut self, text: String) {
        self.count(text, 1);
    }

    fn count(&mut self, text: String, times: u64) {
        if let Some((_, count)) = self.counts.iter_mut().find(|(known, _)| *known == text) {
            *count += times;
        } else if self.counts.len() < KEPT_MAX {
            self.counts.push((text, times));
        } else {
            self.others += times;
        }
    }

    /// Adds what another noted.
    pub fn add(&mut self, other: Kinds) {
        other.counts.into_iter().for_each(|(text, times)| self.count(text, times));
        self.others += other.others;
    }

    /// All together.
    pub fn total(&self) -> u64 {
        self.counts.iter().map(|(_, count)| count).sum::<u64>() + self.others
    }

    /// The most frequent ones first, and how many are not among them.
    fn told(&self) -> (Vec<(&str, u64)>, u64) {
        let mut all: Vec<_> = self.counts.iter().map(|(text, n)| (text.as_str(), *n)).collect();
        all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        all.truncate(TOLD_MAX);
        let told: u64 = all.iter().map(|(_, count)| count).sum();
        (all, self.total() - told)
    }

    /// A line for each kind, with how many there are.
    pub fn lines(&self) -> Vec<String> {
        let (told, others) = self.told();
        let lines = told.into_iter().map(|(text, count)| format!("{count} × {text}"));
        lines.chain((others > 0).then(|| format!("{others} of other kinds"))).collect()
    }

    /// How many there are of each, by their text, for programs.
    pub fn json(&self) -> Value {
        let (told, others) = self.told();
        let others = (others > 0).then_some(("others", others));
        told.into_iter().chain(others).map(|(text, n)| (text.to_owned(), Value::from(n))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_failure_is_in_a_line() {
        let mut kinds = Kinds::default();
        kinds.note("rare".into());
        for _ in 0..60 {
            kinds.note("broken pipe".into());
        }
        let mut more = Kinds::default();
        more.note("broken pipe".into());
        kinds.add(more);
        assert_eq!(kinds.total(), 62);
        assert_eq!(kinds.lines(), ["61 × broken pipe", "1 × rare"]);
        assert_eq!(kinds.json(), json!({ "broken pipe": 61, "rare": 1 }));
        for number in 0..500 {
            kinds.note(format!("message {number}"));
        }
        assert_eq!((kinds.total(), kinds.counts.len()), (562, KEPT_MAX));
        assert_eq!(kinds.lines().len(), TOLD_MAX + 1);
        assert_eq!(kinds.lines().last().unwrap(), "497 of other kinds");
        assert_eq!(kinds.json()["others"], 497);
    }
}
