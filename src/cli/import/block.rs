//! A table of a TOML file, read key by key. What is wrong is noted with its line and reading goes
//! on, so that one run names everything; a key that nobody asked for is wrong too.

use super::findings::{Both, Findings, both};
use super::form::Form;
use std::cell::RefCell;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A file that is being read.
pub(super) struct Sheet {
    /// Where each line ends: every item asks for its line, and a city has tens of thousands.
    ends: Vec<usize>,
    findings: RefCell<Findings>,
}

impl Sheet {
    /// A sheet over the text that its tables were parsed from.
    pub(super) fn new(text: &str) -> Sheet {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at);
        Sheet { ends: ends.collect(), findings: RefCell::default() }
    }

    /// The line of a place in the text, counted from 1.
    pub(super) fn line(&self, at: &Range<usize>) -> usize {
        1 + self.ends.partition_point(|end| *end < at.start)
    }

    /// Notes what is wrong at a place, and what would be right.
    pub(super) fn problem(&self, at: &Range<usize>, what: Both, expected: Both) {
        self.findings.borrow_mut().problem(self.line(at), what, expected);
    }

    /// Everything that was noted.
    pub(super) fn into_findings(self) -> Findings {
        self.findings.into_inner()
    }
}

/// One table of the sheet, with the keys that have been asked for.
pub(super) struct Block<'s> {
    pub(super) sheet: &'s Sheet,
    /// Where it begins.
    pub(super) at: Range<usize>,
    table: &'s DeTable<'s>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'s> Block<'s> {
    /// A block over a table that begins at `at`.
    pub(super) fn new(sheet: &'s Sheet, table: &'s DeTable<'s>, at: Range<usize>) -> Block<'s> {
        Block { sheet, at, table, asked: RefCell::default() }
    }

    fn find(&self, key: &'static str) -> Option<&'s Spanned<DeValue<'s>>> {
        self.asked.borrow_mut().push(key);
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }

    fn read<T>(&self, key: &str, value: &Spanned<DeValue<'_>>, form: Form<T>) -> Option<T> {
        let read = (form.read)(value.get_ref());
        if read.is_none() {
            let shown = shown(value.get_ref());
            let what = both(format!("“{key}”为 {shown}"), format!("`{key}` is {shown}"));
            self.sheet.problem(&value.span(), what, form.expected);
        }
        read
    }

    /// The value of a key that must be there.
    pub(super) fn need<T>(&self, key: &'static str, form: Form<T>) -> Option<T> {
        let Some(value) = self.find(key) else {
            let what = both(format!("缺少“{key}”"), format!("`{key}` is missing"));
            self.sheet.problem(&self.at, what, form.expected);
            return None;
        };
        self.read(key, value, form)
    }

    /// The value of a key that may be left out, or `other`; `None` when it is there and wrong.
    pub(super) fn or<T>(&self, key: &'static str, other: T, form: Form<T>) -> Option<T> {
        match self.find(key) {
            Some(value) => self.read(key, value, form),
            None => Some(other),
        }
    }

    /// Where the value of a key stands; the block itself when it is missing.
    pub(super) fn spot(&self, key: &str) -> Range<usize> {
        let found = self.table.iter().find(|(name, _)| name.get_ref() == key);
        found.map_or_else(|| self.at.clone(), |(_, value)| value.span())
    }

    /// A table inside this one, if it is there.
    pub(super) fn block(&self, key: &'static str) -> Option<Block<'s>> {
        let value = self.find(key)?;
        match value.get_ref().as_table() {
            Some(table) => Some(Block::new(self.sheet, table, value.span())),
            None => self.no_table(key, value, both("一个表", "a table")),
        }
    }

    /// A list of tables; missing counts as empty.
    pub(super) fn blocks(&self, key: &'static str) -> Vec<Block<'s>> {
        let expected = || both("一组 [[表]]", "a list of [[tables]]");
        let Some(value) = self.find(key) else { return Vec::new() };
        let Some(list) = value.get_ref().as_array() else {
            self.no_table::<()>(key, value, expected());
            return Vec::new();
        };
        let block = |item: &'s Spanned<DeValue<'s>>| match item.get_ref().as_table() {
            Some(table) => Some(Block::new(self.sheet, table, item.span())),
            None => self.no_table(key, item, expected()),
        };
        list.iter().filter_map(block).collect()
    }

    fn no_table<T>(&self, key: &str, value: &Spanned<DeValue<'_>>, expected: Both) -> Option<T> {
        self.read(key, value, Form { expected, read: Box::new(|_| None) })
    }

    /// Notes every key that nobody asked for. Call it last.
    pub(super) fn close(self) {
        let mut asked = self.asked.into_inner();
        asked.sort_unstable();
        asked.dedup();
        for (key, _) in self.table.iter() {
            let name: &str = key.get_ref();
            if !asked.contains(&name) {
                let known = asked.join(", ");
                let name: String = name.chars().take(SHOWN_CHARS_MAX).collect();
                let what = both(format!("不认识的键“{name}”"), format!("unknown key `{name}`"));
                let expected = both(format!("以下键：{known}"), format!("one of: {known}"));
                self.sheet.problem(&key.span(), what, expected);
            }
        }
    }
}

/// Longest part of a value that a message shows.
const SHOWN_CHARS_MAX: usize = 40;

/// A value as the message shows it, cut to a readable length.
fn shown(value: &DeValue<'_>) -> String {
    let text = match value {
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(at) => at.to_string(),
        DeValue::String(text) => format!("\"{}\"", text.escape_debug()),
        other => other.type_str().to_owned(),
    };
    if text.chars().count() <= SHOWN_CHARS_MAX {
        return text;
    }
    text.chars().take(SHOWN_CHARS_MAX - 1).chain(['…']).collect()
}
