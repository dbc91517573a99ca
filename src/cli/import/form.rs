//! Forms that a value may have: what is expected, in both languages, and how it is read.

use super::CODE_BYTES_MAX;
use super::findings::{Both, both};
use super::moment;
use crate::domain::words::{Level, LotKind};
use crate::planner::Status;
use std::ops::RangeInclusive;
use toml::de::DeValue;

/// Highest Ct that a rule may name, in cycles: no kit runs longer.
const CYCLES_MAX: u32 = 45;

/// Reads a value; `None` when it is not what it must be.
type Read<T> = Box<dyn Fn(&DeValue<'_>) -> Option<T>>;

/// What a value must be.
pub(super) struct Form<T> {
    pub(super) expected: Both,
    pub(super) read: Read<T>,
}

impl<T> Form<T> {
    fn new(
        zh: impl Into<String>,
        en: impl Into<String>,
        read: impl Fn(&DeValue<'_>) -> Option<T> + 'static,
    ) -> Form<T> {
        Form { expected: both(zh, en), read: Box::new(read) }
    }
}

/// True for what may be a code or name: it is kept exactly as it stands, so that a blank at its end
/// would be another code for ever.
pub(super) fn is_code(text: &str) -> bool {
    (1..=CODE_BYTES_MAX).contains(&text.len())
        && text.trim() == text
        && !text.chars().any(char::is_control)
}

/// A code or a name.
pub(super) fn code() -> Form<String> {
    Form::new(
        format!("加引号的文字，1 到 {CODE_BYTES_MAX} 字节（约 21 个汉字），首尾无空格"),
        format!("a text in quotes, 1 to {CODE_BYTES_MAX} bytes, no blanks at its ends"),
        |value| value.as_str().filter(|text| is_code(text)).map(str::to_owned),
    )
}

/// Where a number comes from, in words.
pub(super) fn source() -> Form<()> {
    Form::new(
        "数值出处，1 到 2000 字",
        "where the numbers come from, 1 to 2000 characters",
        |value| {
            let text = value.as_str()?.trim();
            (1..=2000).contains(&text.chars().count()).then_some(())
        },
    )
}

/// A whole number within bounds.
pub(super) fn whole(bounds: RangeInclusive<u32>) -> Form<u32> {
    let (from, to) = (bounds.start(), bounds.end());
    let (zh, en) = match from == to {
        true => (from.to_string(), from.to_string()),
        false => (format!("{from} 到 {to} 的整数"), format!("a whole number from {from} to {to}")),
    };
    Form::new(zh, en, move |value| {
        let number = value.as_integer()?;
        let number = u32::from_str_radix(number.as_str(), number.radix()).ok()?;
        bounds.contains(&number).then_some(number)
    })
}

/// A Ct in cycles, as hundredths; read from its digits, so that 37.99 is 3799 and not 3798.
pub(super) fn cycles() -> Form<u32> {
    Form::new(
        format!("0 到 {CYCLES_MAX} 的循环数，最多两位小数"),
        format!("cycles from 0 to {CYCLES_MAX}, with at most two decimals"),
        |value| {
            let digits = match value {
                DeValue::Integer(number) if number.radix() == 10 => number.as_str(),
                DeValue::Float(number) => number.as_str(),
                _ => return None,
            };
            let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
            let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            if part.len() > 2 || !all_digits(whole) || !all_digits(part) {
                return None;
            }
            let hundredths = whole.parse::<u32>().ok()?.checked_mul(100)?
                + format!("{part:0<2}").parse::<u32>().ok()?;
            (hundredths <= CYCLES_MAX * 100).then_some(hundredths)
        },
    )
}

/// `true` or `false`.
pub(super) fn flag() -> Form<bool> {
    Form::new("true 或 false", "true or false", |value| value.as_bool())
}

/// The last moment of use, in milliseconds.
pub(super) fn expiry() -> Form<i64> {
    Form::new(
        format!("不加引号的日期，如 2026-11-30，或{}", moment::MOMENT[0]),
        format!("a date without quotes, such as 2026-11-30, or {}", moment::MOMENT[1]),
        |value| match value {
            DeValue::Datetime(at) => moment::last(at),
            _ => None,
        },
    )
}

/// A word of a closed list; each may be said in several ways.
fn word<T: Copy + 'static>(words: Vec<(T, Vec<String>)>) -> Form<T> {
    let all: Vec<_> = words.iter().flat_map(|(_, ways)| ways.clone()).collect();
    let all = all.join(", ");
    Form::new(format!("以下之一：{all}"), format!("one of {all}"), move |value| {
        let said = value.as_str()?;
        words.iter().find(|(_, ways)| ways.iter().any(|way| way == said)).map(|(one, _)| *one)
    })
}

/// The level of a jurisdiction.
pub(super) fn level() -> Form<Level> {
    let ways = |level: &Level| (*level, vec![level.en().to_owned(), level.zh().to_owned()]);
    word(Level::ALL.iter().map(ways).collect())
}

/// What a lot number belongs to.
pub(super) fn lot_kind() -> Form<LotKind> {
    let ways = |kind: &LotKind| (*kind, vec![kind.name().to_lowercase(), kind.zh().to_owned()]);
    word(LotKind::ALL.iter().map(ways).collect())
}

/// How far a number can be trusted.
pub(super) fn status() -> Form<Status> {
    word(Status::ALL.iter().map(|status| (*status, vec![status.word().to_owned()])).collect())
}
