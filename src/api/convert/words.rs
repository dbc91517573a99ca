//! Closed lists, texts, codes and times. A field's name is spelt out only when it is wrong. The numbers on the wire are those of the domain; a test
//! holds them together in both directions.

use super::super::errors::Error;
use super::super::limits::CODE_BYTES_MAX;
use super::super::pb;
use crate::domain::discrepancy::{Discrepancies, Discrepancy};
use crate::domain::words::{Call, Code, NeedReason, Status, Time};
use crate::store::FolderKind;
use std::fmt::Display;

/// A text in both languages.
pub fn text(zh: &str, en: &str) -> pb::Text {
    pb::Text { zh: zh.to_owned(), en: en.to_owned() }
}

/// A code as it was read. May be empty.
pub fn code(field: impl Display, value: &str) -> Result<Code, Error> {
    if value.len() > CODE_BYTES_MAX {
        let unit = ("字节", "bytes");
        return Err(Error::TooLarge { field: field.to_string(), limit: CODE_BYTES_MAX, unit });
    }
    Ok(Code::from(value))
}

/// A barcode of a tube, box or plate as it was read. There must be one; what it looks like is not
/// judged here.
pub fn barcode(field: impl Display, value: &str) -> Result<Code, Error> {
    if value.trim().is_empty() {
        return Err(Error::NoBarcode { field: field.to_string() });
    }
    code(field, value)
}

/// A code without which nothing can be done.
pub fn required(field: impl Display, value: &str) -> Result<Code, Error> {
    if value.trim().is_empty() {
        return Err(Error::invalid(
            field.to_string(),
            "必填，请填写后重发",
            "is required: fill it in and send it again",
        ));
    }
    code(field, value)
}

/// A list that is not longer than its limit.
pub fn at_most<'a, T>(
    field: impl Display,
    list: &'a [T],
    limit: usize,
    unit: (&'static str, &'static str),
) -> Result<&'a [T], Error> {
    match list.len() <= limit {
        true => Ok(list),
        false => Err(Error::TooLarge { field: field.to_string(), limit, unit }),
    }
}

/// A member of a closed list by its number. A number that this version does not know does not
/// decode.
pub fn word<T>(
    field: impl Display,
    number: i32,
    known: impl Fn(u8) -> Option<T>,
) -> Result<T, Error> {
    u8::try_from(number).ok().and_then(known).ok_or_else(|| {
        Error::invalid(
            field.to_string(),
            "未填写，或本版本不认识该值：请按 proto 填写",
            "is missing, or this version does not know the value: fill it in as the proto says",
        )
    })
}

/// A number that has to fit.
pub fn number<T: TryFrom<u32>>(field: impl Display, value: u32) -> Result<T, Error> {
    let too_large =
        || Error::invalid(field.to_string(), "数值过大，请核对", "is too large a number: check it");
    T::try_from(value).map_err(|_| too_large())
}

/// A size or count by whatever the desk says: what is out of all reason is recorded as the largest
/// number, and its discrepancy tells the rest.
pub fn size(value: u32) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}

/// A time for the wire; 0 = none.
pub fn time(at: Option<Time>) -> i64 {
    at.map_or(0, |at| at.0)
}

/// Live or drill.
pub fn folder_kind(kind: FolderKind) -> pb::FolderKind {
    match kind {
        FolderKind::Live => pb::FolderKind::Live,
        FolderKind::Drill => pb::FolderKind::Drill,
    }
}

/// A discrepancy in both languages.
pub fn finding(one: Discrepancy) -> pb::Finding {
    pb::Finding { code: i32::from(one.number()), text: Some(text(one.zh(), one.en())) }
}

/// Everything odd.
pub fn findings(all: Discrepancies) -> Vec<pb::Finding> {
    all.iter().map(finding).collect()
}

/// The number and text of a status.
pub fn status(status: Status) -> (i32, Option<pb::Text>) {
    (i32::from(status.number()), Some(text(status.zh(), status.en())))
}

/// The number and text of a call; none = unspecified.
pub fn call(call: Option<Call>) -> (i32, Option<pb::Text>) {
    (call.map_or(0, |c| i32::from(c.number())), call.map(|c| text(c.zh(), c.en())))
}

/// The number and text of a reason to come back; none = unspecified.
pub fn need(need: Option<NeedReason>) -> (i32, Option<pb::Text>) {
    (need.map_or(0, |n| i32::from(n.number())), need.map(|n| text(n.zh(), n.en())))
}

/// Whether a reason makes a recall or a recollection.
pub fn recall_kind(reason: NeedReason) -> i32 {
    match reason.is_recall() {
        true => pb::RecallKind::Recall.into(),
        false => pb::RecallKind::Recollection.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::gate::Gate;
    use crate::domain::words::{Condition, Control, Level, LotKind, RejectReason, VoidReason};
    use crate::engine::query::unaccounted::Why;
    use crate::keyring::DocumentType;

    fn screaming(name: &str) -> String {
        let mut out = String::new();
        for letter in name.chars() {
            if letter.is_uppercase() && !out.is_empty() {
                out.push('_');
            }
            out.extend(letter.to_uppercase());
        }
        out
    }

    /// Every number either has the same name on both sides, or is on neither.
    macro_rules! mirrors {
        ($($name:ident => $wire:ident),+ $(,)?) => {$(
            for number in 1..=u8::MAX {
                let ours = $name::from_number(number).map(|one| one.name());
                let prefix = format!("{}_", screaming(stringify!($wire)));
                let theirs = pb::$wire::try_from(i32::from(number)).ok();
                assert_eq!(
                    ours.map(|name| format!("{prefix}{}", screaming(name))),
                    theirs.map(|one| one.as_str_name().to_owned()),
                    concat!(stringify!($wire), " {}"), number
                );
            }
            assert!(pb::$wire::try_from(0).unwrap().as_str_name().ends_with("_UNSPECIFIED"));
        )+};
    }

    #[test]
    fn numbers_and_names_on_the_wire_are_those_of_the_domain() {
        mirrors!(
            Status => Status, Call => Call, Control => Control, Condition => Condition,
            RejectReason => RejectReason, VoidReason => VoidReason, NeedReason => NeedReason,
            Level => Level, LotKind => LotKind, Discrepancy => Discrepancy, Gate => Gate,
            Why => UnaccountedWhy, DocumentType => DocumentType,
        );
    }

    #[test]
    fn a_finding_says_it_in_both_languages() {
        let found =
            findings([Discrepancy::TubeReused, Discrepancy::PoolOverfilled].into_iter().collect());
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].code(), pb::Discrepancy::PoolOverfilled);
        let text = found[1].text.clone().unwrap();
        assert_eq!(
            (text.zh.as_str(), text.en.as_str()),
            ("封管后再次使用", "collected again after the seal")
        );
    }
}
