//! What can be wrong with a question: a file, an argument, a place to write to. Each in Chinese and English.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::cli::city_file;
use crate::planner::Words;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A city file or norm pack.
    #[error(transparent)]
    File(#[from] city_file::Error),
    /// An argument that says nothing about this city.
    #[error("{}", Both(.0))]
    Argument(Words),
    /// A file cannot be written.
    #[error("{}\n{}", self.zh(), self.en())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
}

/// Words in both languages, one line each.
struct Both<'w>(&'w Words);

impl fmt::Display for Both<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.0.zh, self.0.en)
    }
}

impl Error {
    /// A workbook that could not be put together.
    pub(super) fn book(path: &Path, why: &rust_xlsxwriter::XlsxError) -> Error {
        Error::Write { path: path.to_owned(), source: std::io::Error::other(why.to_string()) }
    }

    /// The message in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Error::File(error) => error.zh(),
            Error::Argument(words) => words.zh.clone(),
            Error::Write { path, source } => {
                let why = city_file::reason_zh(source);
                format!("{}：无法写入：{why}（{source}）", path.display())
            }
        }
    }

    /// The message in English.
    pub fn en(&self) -> String {
        match self {
            Error::File(error) => error.en(),
            Error::Argument(words) => words.en.clone(),
            Error::Write { path, source } => {
                format!("{}: cannot be written: {source}", path.display())
            }
        }
    }
}
