//! What is wrong with a city file or norm pack, in Chinese and English, with file and line.

use std::fmt;
use std::path::{Path, PathBuf};

/// One thing that is wrong, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Line, counted from 1.
    pub line: usize,
    /// What is wrong, in Chinese.
    pub zh: String,
    /// What is expected, in Chinese.
    pub expected_zh: String,
    /// What is wrong, in English.
    pub en: String,
    /// What is expected, in English.
    pub expected_en: String,
}

/// A city file or norm pack that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read at all.
    #[error("{}", both(self))]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// There is neither such a file nor such a built-in name.
    #[error("{}", both(self))]
    Missing {
        /// What was asked for.
        path: PathBuf,
        /// The built-in names there are.
        known: String,
    },
    /// The file is longer than any city needs.
    #[error("{}", both(self))]
    TooLong {
        /// The file.
        path: PathBuf,
        /// Its limit in bytes.
        bytes_max: u64,
    },
    /// No city or norm pack of that name is built in.
    #[error("{}", both(self))]
    Unknown {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// The file was read, and these things are wrong with it; never empty.
    #[error("{}", both(self))]
    Bad {
        /// The file, as given.
        file: String,
        /// In order of lines.
        problems: Vec<Problem>,
    },
}

impl Error {
    pub(super) fn missing(path: &Path, known: &[&str]) -> Error {
        Error::Missing { path: path.to_owned(), known: known.join(", ") }
    }

    /// The message in Chinese: one line per problem, `file:line: what; expected`.
    pub fn zh(&self) -> String {
        match self {
            Error::File { path, source } => format!("{}：无法读取：{source}", path.display()),
            Error::Missing { path, known } => {
                format!("{}：无法读取：没有此文件，也没有此内置名称；内置：{known}", path.display())
            }
            Error::TooLong { path, bytes_max } => {
                format!("{}：文件过大；应不超过 {bytes_max} 字节", path.display())
            }
            Error::Unknown { name, known } => format!("没有内置的“{name}”；可用：{known}"),
            Error::Bad { file, problems } => {
                lines(problems, |p| format!("{file}:{}：{}；应为：{}", p.line, p.zh, p.expected_zh))
            }
        }
    }

    /// The message in English, in the same shape.
    pub fn en(&self) -> String {
        match self {
            Error::File { path, source } => format!("{}: cannot be read: {source}", path.display()),
            Error::Missing { path, known } => format!(
                "{}: cannot be read: no such file, and nothing of that name is built in; built in: {known}",
                path.display()
            ),
            Error::TooLong { path, bytes_max } => {
                format!("{}: too long; expected at most {bytes_max} bytes", path.display())
            }
            Error::Unknown { name, known } => {
                format!("nothing called \"{name}\" is built in; there is: {known}")
            }
            Error::Bad { file, problems } => lines(problems, |p| {
                format!("{file}:{}: {}; expected: {}", p.line, p.en, p.expected_en)
            }),
        }
    }
}

fn both(error: &Error) -> String {
    format!("{}\n{}", error.zh(), error.en())
}

fn lines(problems: &[Problem], line: impl Fn(&Problem) -> String) -> String {
    problems.iter().map(line).collect::<Vec<_>>().join("\n")
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.line, self.en, self.expected_en)
    }
}
