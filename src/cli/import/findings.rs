//! What is wrong with a file (problems: nothing is imported) and what is odd about it (warnings: it
//! is imported all the same), each with its line, in Chinese and English.

use crate::cli::city_file::{Error, Problem};

/// Problems and warnings that are kept of one file; the rest is counted.
const KEPT_MAX: usize = 1_000;

/// Warnings of one file that are shown; the rest is counted. Problems are all shown.
const WARNINGS_SHOWN_MAX: usize = 20;

/// A text in Chinese and in English.
pub(super) type Both = [String; 2];

/// A text in Chinese and in English.
pub(super) fn both(zh: impl Into<String>, en: impl Into<String>) -> Both {
    [zh.into(), en.into()]
}

/// What was found in one file.
#[derive(Debug, Default)]
pub(super) struct Findings {
    problems: Vec<Problem>,
    problems_more: usize,
    warnings: Vec<Problem>,
    warnings_more: usize,
}

impl Findings {
    /// Notes what is wrong, and what would be right.
    pub(super) fn problem(&mut self, line: usize, what: Both, expected: Both) {
        note(&mut self.problems, &mut self.problems_more, line, what, expected);
    }

    /// Notes what is odd, and what to look at.
    pub(super) fn warn(&mut self, line: usize, what: Both, expected: Both) {
        note(&mut self.warnings, &mut self.warnings_more, line, what, expected);
    }

    /// True when the file may be imported.
    pub(super) fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }

    /// Every problem, by line: first in Chinese, then in English; empty when there is none.
    pub(super) fn problems_text(&self, file: &str) -> String {
        if self.is_sound() {
            return String::new();
        }
        let mut problems = self.problems.clone();
        problems.sort_by_key(|problem| problem.line);
        let error = Error::Bad { file: file.to_owned(), problems };
        format!("{error}\n{}", more(file, self.problems_more))
    }

    /// The first warnings, by line; empty when there is none.
    pub(super) fn warnings_text(&self, file: &str) -> String {
        let mut warnings: Vec<_> = self.warnings.iter().collect();
        warnings.sort_by_key(|warning| warning.line);
        let shown = &warnings[..warnings.len().min(WARNINGS_SHOWN_MAX)];
        let mut text = String::new();
        for w in shown {
            text.push_str(&format!("提示 {file}:{}：{}；{}\n", w.line, w.zh, w.expected_zh));
        }
        for w in shown {
            text.push_str(&format!("warning {file}:{}: {}; {}\n", w.line, w.en, w.expected_en));
        }
        text + &more(file, self.warnings_more + warnings.len() - shown.len())
    }

    /// The lines of problems and of warnings, for tests.
    #[cfg(test)]
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.problems.len() + self.problems_more, self.warnings.len() + self.warnings_more)
    }
}

fn note(
    list: &mut Vec<Problem>,
    more: &mut usize,
    line: usize,
    [zh, en]: Both,
    [expected_zh, expected_en]: Both,
) {
    if list.len() < KEPT_MAX {
        list.push(Problem { line, zh, expected_zh, en, expected_en });
    } else {
        *more += 1;
    }
}

fn more(file: &str, count: usize) -> String {
    match count {
        0 => String::new(),
        count => format!("{file}：另有 {count} 处未列出\n{file}: {count} more not listed\n"),
    }
}
