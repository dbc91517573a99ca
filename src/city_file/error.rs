//! What is wrong with a city file or norm pack, in Chinese and English, with file and line.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::domain::identity::without_identities;

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
            Error::File { path, source } => {
                format!("{}：无法读取：{}（{source}）", path.display(), reason_zh(source))
            }
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

/// The system's reason in Chinese. Its own words are English: put them behind, in brackets.
pub fn reason_zh(error: &std::io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::NotFound => "没有此文件或文件夹",
        ErrorKind::PermissionDenied => "没有权限",
        ErrorKind::IsADirectory => "这是文件夹，不是文件",
        ErrorKind::NotADirectory => "路径中有一段不是文件夹",
        ErrorKind::AlreadyExists => "已有同名文件",
        ErrorKind::ReadOnlyFilesystem => "文件系统只读",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "磁盘空间不足",
        _ => "系统报错",
    }
}

/// What is expected where a text is no TOML, by a part of what the library says of it. The first that is found.
const SLIPS: [(&[&str], [&str; 2]); 8] = [
    (&["duplicate key"], ["同一个表中每个键只写一次", "each key once in a table"]),
    (
        &["unquoted key"],
        [
            "键由字母、数字、“-”和“_”组成，此外的须加引号",
            "a key of letters, digits, - and _; any other in quotes",
        ],
    ),
    (&["no value"], ["每行一个：键 = 值", "one on each line: `key = value`"]),
    (
        &["must be quoted"],
        [
            "等号右边有一个值，文字写在一对英文双引号之内",
            "a value behind the equals sign, a text between two double quotes",
        ],
    ),
    (
        &["comma", "array", "inline table", "unclosed"],
        [
            "成对的括号，各项之间用英文逗号隔开",
            "brackets in pairs, with commas between what they hold",
        ],
    ),
    (&["date", "time"], ["日历上有的日期和时刻", "a day and time that the calendar has"]),
    (&["string", "quote"], ["文字写在一对英文双引号之内", "a text between two double quotes"]),
    (&["digit", "number", "leading zero"], ["数字，如 12 或 3.5", "a number such as 12 or 3.5"]),
];

impl Problem {
    /// A problem, in Chinese and English each. The file's own words are said back but for what could be an identity number:
    /// whoever pasted a list into the wrong place has one there.
    pub(super) fn new(line: usize, what: [&str; 2], expected: [&str; 2]) -> Problem {
        let told = |text: &str| shown_as_it_stands(&without_identities(text));
        let [zh, en] = what.map(told);
        let [expected_zh, expected_en] = expected.map(told);
        Problem { line, zh, expected_zh, en, expected_en }
    }

    /// What is wrong with a text that is no TOML: where, what is expected, and in brackets what the library says.
    pub fn not_toml(text: &str, error: &toml::de::Error) -> Problem {
        let mut at = error.span().map_or(0, |span| span.start).min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let before = &text[..at];
        let column = 1 + before.chars().rev().take_while(|c| *c != '\n').count();
        let says = error.message().lines().map(str::trim).collect::<Vec<_>>().join(", ");
        let slip = SLIPS.iter().find(|(parts, _)| parts.iter().any(|part| says.contains(part)));
        let [zh, en] = match slip {
            Some((_, [zh, en])) => [format!("合法的 TOML：{zh}"), format!("valid TOML: {en}")],
            None => ["合法的 TOML".to_owned(), "valid TOML".to_owned()],
        };
        let what =
            [format!("TOML 语法错误，位于第 {column} 列"), format!("not TOML at column {column}")];
        let expected =
            [format!("{zh}（程序库原文：{says}）"), format!("{en} (the library says: {says})")];
        let line = super::sheet::line_of(text, at);
        Problem::new(line, [&what[0], &what[1]], [&expected[0], &expected[1]])
    }
}

/// Whether a character steers what shows a text instead of being shown: controls (line breaks and the escapes of terminals among
/// them), and the marks that turn the direction of writing, by which a text seems to say something else.
pub(super) fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text with the escape of each such character in its place.
fn shown_as_it_stands(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars() {
        match steers(c) {
            true => shown.extend(c.escape_unicode()),
            false => shown.push(c),
        }
    }
    shown
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
