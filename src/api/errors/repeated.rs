//! What of a caller's own words is said back: codes of plans, which name no person, and nothing that could be an identity.

use super::Error;
use crate::domain::identity::could_be_identity;

/// Codes that a message names: of five hundred streets nobody reads each.
const CODES_TOLD: usize = 20;

/// Longest code that is repeated, in characters.
const REPEATED_MAX: usize = 64;

/// A code as a text may repeat it: what is too long is cut, and nothing is left of what could be an identity number.
fn repeated(sent: &str) -> String {
    if could_be_identity(sent) {
        return "…".to_owned();
    }
    let mut shown: String = sent.chars().filter(|c| !c.is_control()).take(REPEATED_MAX).collect();
    if sent.chars().count() > REPEATED_MAX {
        shown.push('…');
    }
    shown
}

impl Error {
    /// A code that the city does not have, with those that it has: twenty, then how many there are and where. One that is
    /// not filled in is invalid.
    pub fn not_in_city(field: &'static str, sent: &str, codes: &[&str]) -> Error {
        let (mut zh, mut en) = (codes.join("、"), codes.join(", "));
        if codes.len() > CODES_TOLD {
            let (told, n) = (&codes[..CODES_TOLD], codes.len());
            zh = format!("{} 等 {n} 个，全部见城市文件和 Assign 的答复", told.join("、"));
            en = format!(
                "{} and more, {n} in all; the city file and the reply of Assign have every one",
                told.join(", ")
            );
        }
        match sent.trim() {
            "" => Error::invalid(
                field,
                format!("必填，请填写后重发；现有：{zh}"),
                format!("is required: fill it in and send it again; there are: {en}"),
            ),
            sent => Error::NotInCity { field, sent: repeated(sent), known: (zh, en) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_the_city_does_not_have_is_repeated_unless_it_could_be_an_identity() {
        let many: Vec<String> = (1..=23).map(|n| format!("L{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for (sent, codes, zh, en) in [
            (
                "L?",
                &["L1", "L2"][..],
                "没有 lab“L?”：请核对；现有：L1、L2",
                "no `lab` \"L?\": check it; there are: L1, L2",
            ),
            (" 990001/990001001002 ", &["L1"], "“990001/990001001002”", "\"990001/990001001002\""),
            ("110105194912310", &["L1"], "“…”", "\"…\""),
            ("x11010519491231002X", &["L1"], "“…”", "\"…\""),
            ("110105 19491231 002X", &["L1"], "“…”", "\"…\""),
            ("L\n1\u{7}", &["L1"], "“L1”", "\"L1\""),
            (
                "L?",
                &many,
                "L20 等 23 个，全部见城市文件和 Assign 的答复",
                "L20 and more, 23 in all; the city file and",
            ),
            (
                "",
                &["L1", "L2"],
                "必填，请填写后重发；现有：L1、L2",
                "send it again; there are: L1, L2",
            ),
        ] {
            let texts = Error::not_in_city("lab", sent, codes).texts();
            assert!(texts.0.contains(zh) && texts.1.contains(en), "{sent}: {texts:?}");
        }
        let long = Error::not_in_city("lab", &"a".repeat(200), &["L1"]).texts();
        assert!(long.1.contains(&format!("\"{}…\"", "a".repeat(64))), "{}", long.1);
    }
}
