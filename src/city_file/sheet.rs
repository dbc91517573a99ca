//! A TOML text read key by key. Every problem is noted with its line, in both languages, and reading goes on, so that
//! one run names all that is wrong. A key that nobody asked for is a problem too.

use std::cell::{Cell, RefCell};
use std::ops::{Range, RangeInclusive};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{Error, Problem, steers};
use crate::domain::identity::{could_be_identity, without_identities};
use crate::planner::{Origin, Sourced, Status, Words};

/// Most problems that one run lists.
const PROBLEMS_MAX: usize = 50;

/// A file that is being read.
pub(super) struct Sheet<'a> {
    text: &'a str,
    problems: RefCell<Vec<Problem>>,
    elsewhere: RefCell<Option<Error>>,
}

impl<'a> Sheet<'a> {
    /// A sheet over `text`, which must be the text that the tables were parsed from.
    pub(super) fn new(text: &'a str) -> Sheet<'a> {
        Sheet { text, problems: RefCell::default(), elsewhere: RefCell::default() }
    }

    /// Notes a problem at a place in the text.
    pub(super) fn problem(&self, at: &Range<usize>, what: [&str; 2], expected: [&str; 2]) {
        let mut problems = self.problems.borrow_mut();
        if problems.len() < PROBLEMS_MAX {
            problems.push(Problem::new(line_of(self.text, at.start), what, expected));
        }
    }

    /// Notes a source that the table of sources does not list.
    fn unlisted(&self, at: &Range<usize>, name: &str) {
        let what = [format!("来源“{name}”未列出"), format!("source \"{name}\" is not listed")];
        let expected = ["[sources] 表中的一个名称", "a name from the [sources] table"];
        self.problem(at, [&what[0], &what[1]], expected);
    }

    /// Notes that a file which this one names cannot be used. The first is told, and it instead of what is wrong here.
    pub(super) fn elsewhere(&self, error: Error) {
        self.elsewhere.borrow_mut().get_or_insert(error);
    }

    /// The line at which a place in the text begins, counted from 1.
    pub(super) fn line(&self, at: &Range<usize>) -> usize {
        line_of(self.text, at.start)
    }

    /// The last line with anything on it: behind it more can be added.
    pub(super) fn end(&self) -> Range<usize> {
        let end = self.text.trim_end().len();
        end..end
    }

    /// All problems, in order of lines.
    ///
    /// # Errors
    /// What is wrong with another file that this one names.
    pub(super) fn into_problems(self) -> Result<Vec<Problem>, Error> {
        if let Some(error) = self.elsewhere.into_inner() {
            return Err(error);
        }
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| problem.line);
        Ok(problems)
    }
}

/// Line of a byte in the text, counted from 1.
pub(super) fn line_of(text: &str, byte: usize) -> usize {
    let end = byte.min(text.len());
    1 + text.as_bytes()[..end].iter().filter(|&&b| b == b'\n').count()
}

/// One table of the sheet, with the keys that have been asked for.
pub(super) struct Block<'s> {
    pub(super) sheet: &'s Sheet<'s>,
    pub(super) at: Range<usize>,
    table: &'s DeTable<'s>,
    asked: RefCell<Vec<&'static str>>,
    /// Keys that stand here and belong elsewhere, which is noted.
    misplaced: RefCell<Vec<&'static str>>,
    any_key: Cell<bool>,
}

impl<'s> Block<'s> {
    /// A block over a table that begins at `at`.
    pub(super) fn new(sheet: &'s Sheet<'s>, table: &'s DeTable<'s>, at: Range<usize>) -> Block<'s> {
        let (asked, misplaced) = (RefCell::default(), RefCell::default());
        Block { sheet, at, table, asked, misplaced, any_key: Cell::new(false) }
    }

    fn find(&self, key: &'static str) -> Option<&'s Spanned<DeValue<'s>>> {
        self.asked.borrow_mut().push(key);
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }

    pub(super) fn need(
        &self,
        key: &'static str,
        expected: [&str; 2],
    ) -> Option<&'s Spanned<DeValue<'s>>> {
        let found = self.find(key);
        if found.is_none() {
            let what = [format!("缺少“{key}”"), format!("`{key}` is missing")];
            self.sheet.problem(&self.at, [&what[0], &what[1]], expected);
        }
        found
    }

    pub(super) fn wrong(&self, key: &str, value: &Spanned<DeValue<'_>>, expected: [&str; 2]) {
        let shown = long_number(value.get_ref()).unwrap_or_else(|| {
            let shown = shown(value.get_ref());
            [shown.clone(), shown]
        });
        // What is no single value is named by its kind: a table, an array.
        let (zh, en) = match value.get_ref() {
            DeValue::Table(_) => ("一个表", "a table"),
            DeValue::Array(_) => ("一个数组", "an array"),
            DeValue::Datetime(_) => ("一个日期或时间", "a date or time"),
            _ => (&*shown[0], &*shown[1]),
        };
        let what = [format!("“{key}”为 {zh}"), format!("`{key}` is {en}")];
        self.sheet.problem(&value.span(), [&what[0], &what[1]], expected);
    }

    /// Where the value of `key` stands; the block itself when it is missing.
    pub(super) fn spot(&self, key: &str) -> Range<usize> {
        let found = self.table.iter().find(|(name, _)| name.get_ref() == key);
        found.map_or_else(|| self.at.clone(), |(_, value)| value.span())
    }

    /// Whether the key is there. It counts as asked for.
    pub(super) fn has(&self, key: &'static str) -> bool {
        self.find(key).is_some()
    }

    /// Notes a key that belongs elsewhere, where it stands here. It is not asked for, and so never offered.
    pub(super) fn misplaced(&self, key: &'static str, what: [&str; 2], expected: [&str; 2]) {
        if self.table.iter().any(|(name, _)| name.get_ref() == key) {
            self.misplaced.borrow_mut().push(key);
            self.sheet.problem(&self.spot(key), what, expected);
        }
    }

    /// A whole number within bounds.
    pub(super) fn number(&self, key: &'static str, bounds: RangeInclusive<u64>) -> Option<u64> {
        self.decimal(key, 1, bounds)
    }

    /// A number times `scale`, rounded to a whole number; `bounds` are in the file's own unit.
    pub(super) fn decimal(
        &self,
        key: &'static str,
        scale: u64,
        bounds: RangeInclusive<u64>,
    ) -> Option<u64> {
        let expected = number_wanted(scale, &bounds);
        let value = self.need(key, [&expected[0], &expected[1]])?;
        let read = scaled(value.get_ref(), scale).filter(|n| {
            (bounds.start().saturating_mul(scale)..=bounds.end().saturating_mul(scale)).contains(n)
        });
        if read.is_none() {
            self.wrong(key, value, [&expected[0], &expected[1]]);
        }
        read
    }

    /// A text of 1 to 2000 characters.
    pub(super) fn text(&self, key: &'static str) -> Option<String> {
        let value = self.need(key, TEXT_WANTED)?;
        let text = text_of(value.get_ref());
        if text.is_none() {
            self.wrong(key, value, TEXT_WANTED);
        }
        text
    }

    /// A text that may be left out.
    pub(super) fn text_maybe(&self, key: &'static str) -> Option<String> {
        self.find(key).and_then(|_| self.text(key))
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, key: &'static str) -> Option<bool> {
        let expected = ["true 或 false", "true or false"];
        let value = self.need(key, expected)?;
        let read = value.get_ref().as_bool();
        if read.is_none() {
            self.wrong(key, value, expected);
        }
        read
    }

    /// A table inside this one.
    pub(super) fn block(&self, key: &'static str) -> Option<Block<'s>> {
        let expected = ["一个表", "a table"];
        let value = self.need(key, expected)?;
        let Some(table) = value.get_ref().as_table() else {
            self.wrong(key, value, expected);
            return None;
        };
        Some(Block::new(self.sheet, table, value.span()))
    }

    /// A table inside this one that may be left out.
    pub(super) fn block_maybe(&self, key: &'static str) -> Option<Block<'s>> {
        self.find(key).and_then(|_| self.block(key))
    }

    /// A list of tables; missing counts as empty.
    pub(super) fn blocks(&self, key: &'static str) -> Vec<Block<'s>> {
        let expected = ["一组 [[表]]", "a list of [[tables]]"];
        let Some(value) = self.find(key) else {
            return Vec::new();
        };
        let Some(list) = value.get_ref().as_array() else {
            self.wrong(key, value, expected);
            return Vec::new();
        };
        let mut blocks = Vec::new();
        for item in list.iter() {
            match item.get_ref().as_table() {
                Some(table) => blocks.push(Block::new(self.sheet, table, item.span())),
                None => self.wrong(key, item, expected),
            }
        }
        blocks
    }

    /// A list of texts with the place of each.
    pub(super) fn texts(&self, key: &'static str) -> Vec<(String, Range<usize>)> {
        let expected = [
            "一组文字，不含控制字符和改变文字方向的字符",
            "a list of texts without control characters and marks that turn the direction of writing",
        ];
        let Some(value) = self.need(key, expected) else {
            return Vec::new();
        };
        let Some(list) = value.get_ref().as_array() else {
            self.wrong(key, value, expected);
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in list.iter() {
            match item.get_ref().as_str().filter(|text| !text.chars().any(steers)) {
                Some(text) => texts.push((text.to_owned(), item.span())),
                None => self.wrong(key, item, expected),
            }
        }
        texts
    }

    /// Every key with its text, which may not be empty: for a table of names that the file chooses itself.
    pub(super) fn names(&self) -> Vec<(String, String)> {
        self.any_key.set(true);
        let mut names = Vec::new();
        for (key, value) in self.table.iter() {
            let text = text_of(value.get_ref());
            if text.is_none() {
                self.wrong(key.get_ref(), value, TEXT_WANTED);
            }
            // A name whose text is wrong is listed all the same: whoever uses it has made no other mistake.
            names.push((key.get_ref().to_string(), text.unwrap_or_default()));
        }
        names
    }

    /// The names that `source` may use, each with its text: the table `[sources]`, with `[sources_en]` where that has the
    /// same name in English.
    pub(super) fn sources(&self) -> Vec<(String, Words)> {
        let sources = self.block("sources").map(|block| block.names()).unwrap_or_default();
        let Some(block) = self.block_maybe("sources_en") else {
            return sources.into_iter().map(|(name, text)| (name, text.as_str().into())).collect();
        };
        let english = block.names();
        for (name, _) in &english {
            if !sources.iter().any(|(listed, _)| listed == name) {
                self.sheet.unlisted(&block.spot(name), name);
            }
        }
        let of = |(name, zh): (String, String)| {
            let en = english.iter().find(|(of, _)| *of == name).map_or(&zh, |(_, en)| en).clone();
            (name, Words::new(zh, en))
        };
        sources.into_iter().map(of).collect()
    }

    /// `status` and `source` of the numbers in this block; `sources` are the names that `source` may use.
    pub(super) fn origin(&self, sources: &[(String, Words)]) -> Option<Origin> {
        let words = Status::ALL.map(Status::word).join(", ");
        let expected_zh = format!("以下之一：{words}");
        let expected_en = format!("one of {words}");
        let word = self.need("status", [&expected_zh, &expected_en]);
        let status = word.and_then(|value| {
            let status = value.get_ref().as_str().and_then(Status::parse);
            if status.is_none() {
                self.wrong("status", value, [&expected_zh, &expected_en]);
            }
            status
        });
        let name = self.text("source")?;
        let Some((_, source)) = sources.iter().find(|(key, _)| *key == name) else {
            self.sheet.unlisted(&self.spot("source"), &name);
            return None;
        };
        Some(Origin { source: source.clone(), status: status? })
    }

    /// `key = { value = …, status = …, source = … }`, the value times `scale`.
    pub(super) fn sourced(
        &self,
        key: &'static str,
        scale: u64,
        bounds: RangeInclusive<u64>,
        sources: &[(String, Words)],
    ) -> Option<Sourced<u64>> {
        let [zh, en] = number_wanted(scale, &bounds);
        let expected = [
            format!("{{ value = {zh}, status = …, source = … }}"),
            format!("{{ value = {en}, status = …, source = … }}"),
        ];
        let value = self.need(key, [&expected[0], &expected[1]])?;
        let Some(table) = value.get_ref().as_table() else {
            self.wrong(key, value, [&expected[0], &expected[1]]);
            return None;
        };
        let block = Block::new(self.sheet, table, value.span());
        let number = block.decimal("value", scale, bounds);
        let origin = block.origin(sources);
        block.close();
        Some(Sourced { value: number?, origin: origin? })
    }

    /// A number that may stand by itself or as `{ value = …, status = …, source = … }`, times `scale`.
    pub(super) fn plain_or_sourced(
        &self,
        key: &'static str,
        scale: u64,
        bounds: RangeInclusive<u64>,
        sources: &[(String, Words)],
    ) -> Option<(u64, Option<Origin>)> {
        match self.find(key).map(|value| value.get_ref().as_table().is_some()) {
            Some(true) => {
                let Sourced { value, origin } = self.sourced(key, scale, bounds, sources)?;
                Some((value, Some(origin)))
            }
            _ => Some((self.decimal(key, scale, bounds)?, None)),
        }
    }

    /// The same, or `kept` where it is left out, or where it is wrong and that is noted; without `kept` it is missing.
    pub(super) fn sourced_or(
        &self,
        key: &'static str,
        scale: u64,
        bounds: RangeInclusive<u64>,
        sources: &[(String, Words)],
        kept: Option<&Sourced<u64>>,
    ) -> Option<Sourced<u64>> {
        match (self.find(key), kept) {
            (None, Some(kept)) => Some(kept.clone()),
            _ => self.sourced(key, scale, bounds, sources).or_else(|| kept.cloned()),
        }
    }

    /// Notes every key that nobody asked for. Call it last.
    pub(super) fn close(self) {
        if self.any_key.get() {
            return;
        }
        let (mut asked, misplaced) = (self.asked.into_inner(), self.misplaced.into_inner());
        asked.sort_unstable();
        asked.dedup();
        for (key, _) in self.table.iter() {
            let name: &str = key.get_ref();
            if !asked.contains(&name) && !misplaced.contains(&name) {
                let what = [format!("不认识的键“{name}”"), format!("unknown key `{name}`")];
                let known = asked.join(", ");
                let expected = [format!("以下键：{known}"), format!("one of: {known}")];
                self.sheet.problem(&key.span(), [&what[0], &what[1]], [&expected[0], &expected[1]]);
            }
        }
    }
}

/// What a text must be.
const TEXT_WANTED: [&str; 2] = [
    "1 到 2000 字的文字，写在一行，不含控制字符和改变文字方向的字符",
    "a text of 1 to 2000 characters on one line, without control characters and marks that turn the direction of writing",
];

/// A text of 1 to 2000 characters, without the spaces around it, that shows as it stands.
fn text_of(value: &DeValue<'_>) -> Option<String> {
    let text = value.as_str()?.trim();
    let fits = (1..=2000).contains(&text.chars().count()) && !text.chars().any(steers);
    fits.then(|| text.to_owned())
}

fn number_wanted(scale: u64, bounds: &RangeInclusive<u64>) -> [String; 2] {
    let (from, to) = (bounds.start(), bounds.end());
    if from == to {
        return [format!("{from}"), format!("{from}")];
    }
    if scale == 1 {
        [format!("{from} 到 {to} 的整数"), format!("a whole number from {from} to {to}")]
    } else {
        [format!("{from} 到 {to} 的数"), format!("a number from {from} to {to}")]
    }
}

/// A number times `scale`; `None` when it is no number, negative, too large, or not whole where it must be.
///
/// Decimals are read from their digits, so that 118.7 becomes 1187 and not 1186.
fn scaled(value: &DeValue<'_>, scale: u64) -> Option<u64> {
    match value {
        DeValue::Integer(n) => {
            let n = u64::from_str_radix(n.as_str(), n.radix()).ok()?;
            n.checked_mul(scale)
        }
        DeValue::Float(f) if scale > 1 => {
            let text = f.as_str().strip_prefix('+').unwrap_or(f.as_str());
            let (whole, part) = text.split_once('.')?;
            let whole: u64 = whole.parse().ok()?;
            if part.is_empty() || part.len() > 9 || !part.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            let ten = 10u64.pow(u32::try_from(part.len()).ok()?);
            let part = part.parse::<u64>().ok()?.checked_mul(scale)?;
            whole.checked_mul(scale)?.checked_add((part + ten / 2) / ten)
        }
        _ => None,
    }
}

/// A number so long that it could hold an identity number, by the count of its digits: it is not said back.
fn long_number(value: &DeValue<'_>) -> Option<[String; 2]> {
    let DeValue::Integer(number) = value else { return None };
    let text = number.as_str();
    let digits = text.chars().filter(char::is_ascii_alphanumeric).count();
    could_be_identity(text)
        .then(|| [format!("一个 {digits} 位的数"), format!("a number of {digits} digits")])
}

/// A value as the message shows it, cut to a readable length.
fn shown(value: &DeValue<'_>) -> String {
    let text = match value {
        DeValue::Integer(n) => n.as_str().to_owned(),
        DeValue::Float(f) => f.as_str().to_owned(),
        DeValue::Boolean(b) => b.to_string(),
        DeValue::String(s) => format!("\"{}\"", s.escape_debug()),
        other => other.type_str().to_owned(),
    };
    // Before it is cut: a part of an identity number is still too much.
    let text = without_identities(&text);
    if text.chars().count() <= 40 {
        return text;
    }
    text.chars().take(39).chain(['…']).collect()
}
