//! How the program ends: one table of exit codes, for whoever starts it from a script.

use std::fmt;
use std::process::ExitCode;

/// Nothing came of it, and not because of an argument.
const FAILED: u8 = 1;
/// The figures are not those of the load that was asked for.
const BROKEN: u8 = 2;
/// Something acknowledged is missing.
const MISSING: u8 = 3;
/// What was acknowledged could not be read back.
const UNREAD: u8 = 4;
/// An argument cannot be used; the same code as that of the service itself.
const WRONG: u8 = 64;

/// The codes and what they say, as `--help` and README.md have them. Of several that hold, [`Verdict`] takes the worst.
const TABLE: [(u8, &str); 6] = [
    (0, "done as asked"),
    (
        FAILED,
        "nothing came of it (no connection, too little disk), or a figure could not be measured",
    ),
    (
        BROKEN,
        "streams or calls broke, nothing was acknowledged, or more than a twentieth of what was due was \
         never sent or answered: not the load that was asked for",
    ),
    (MISSING, "something acknowledged is missing"),
    (
        UNREAD,
        "what was acknowledged could not be read back: whether something is missing is not known",
    ),
    (WRONG, "a wrong argument; nothing was sent"),
];

/// The table for `--help`.
pub fn table() -> String {
    let lines = TABLE.iter().map(|(code, says)| format!("\n  {code:>2}  {says}"));
    format!("Exit codes:{}", lines.collect::<String>())
}

/// What became of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Something acknowledged is missing.
    pub is_missing: bool,
    /// What was acknowledged could not be read back, or not all of it.
    pub is_unread: bool,
    /// It was not the load that was asked for.
    pub is_broken: bool,
}

impl Verdict {
    /// The number that the program ends with: the worst that holds.
    pub fn number(self) -> u8 {
        match self {
            Verdict { is_missing: true, .. } => MISSING,
            Verdict { is_unread: true, .. } => UNREAD,
            Verdict { is_broken: true, .. } => BROKEN,
            Verdict { .. } => 0,
        }
    }
}

impl From<Verdict> for ExitCode {
    fn from(verdict: Verdict) -> ExitCode {
        ExitCode::from(verdict.number())
    }
}

/// An argument that cannot be used, in words.
#[derive(Debug)]
pub struct Wrong(pub String);

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Wrong {}

/// Says that the argument is to blame.
pub fn wrong(error: anyhow::Error) -> anyhow::Error {
    Wrong(format!("{error:#}")).into()
}

/// The number that the program ends with when this is why.
pub fn number_of(error: &anyhow::Error) -> u8 {
    if error.is::<Wrong>() { WRONG } else { FAILED }
}

/// The same for what the command line's own reading says: help and version are no failure.
pub fn number_of_words(error: &clap::Error) -> u8 {
    if error.use_stderr() { WRONG } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::{Context, anyhow};

    #[test]
    fn the_worst_is_told() {
        for (is_missing, is_unread, is_broken, wanted) in [
            (false, false, false, 0),
            (false, false, true, 2),
            (false, true, false, 4),
            (false, true, true, 4),
            (true, false, true, 3),
            (true, true, true, 3),
        ] {
            let verdict = Verdict { is_missing, is_unread, is_broken };
            assert_eq!(verdict.number(), wanted, "{verdict:?}");
        }
    }

    #[test]
    fn who_is_to_blame_is_told() {
        assert_eq!(number_of(&anyhow!("no connection")), 1);
        assert_eq!(number_of(&Wrong("--rate".into()).into()), 64);
        assert_eq!(number_of(&wrong(anyhow!("a")).context("b")), 64);
        let chain = Err::<(), _>(anyhow!("no such file")).context("reading x").unwrap_err();
        assert_eq!(wrong(chain).to_string(), "reading x: no such file");
    }

    #[test]
    fn the_readme_has_the_same_table() {
        let readme = include_str!("../README.md");
        for (code, says) in TABLE {
            assert!(readme.contains(&format!("| {code} | {says} |")), "{code}: {says}");
        }
        assert!(table().lines().count() == TABLE.len() + 1);
    }
}
