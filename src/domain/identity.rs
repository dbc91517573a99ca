//! What could be an identity number, and so is never said back.

/// Digits in a row that may be an identity number. Codes of streets have twelve at most.
const IDENTITY_DIGITS: usize = 15;

/// The text with `…` in the place of each word that could hold an identity number: of fifteen digits or more, in whatever
/// digits, and also where spaces, hyphens or underscores stand between them.
pub fn without_identities(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut hidden = String::new();
    let mut at = 0;
    while let Some(&first) = chars.get(at) {
        let (end, digits) = digits_from(&chars, at);
        match digits {
            0 => hidden.push(first),
            1..IDENTITY_DIGITS => hidden.extend(&chars[at..end]),
            _ => {
                // The letters on either side may be of it.
                hidden.truncate(hidden.trim_end_matches(char::is_alphanumeric).len());
                hidden.push('…');
                let letters = chars[end..].iter().take_while(|c| c.is_alphanumeric());
                at = end + letters.count();
                continue;
            }
        }
        at = end.max(at + 1);
    }
    hidden
}

/// Whether a text could hold an identity number.
pub fn could_be_identity(text: &str) -> bool {
    without_identities(text) != text
}

/// Where digits that begin here end, and how many there are; what may stand between them is no end.
fn digits_from(chars: &[char], from: usize) -> (usize, usize) {
    let between = |c: char| c.is_whitespace() || matches!(c, '-' | '_' | '－');
    let (mut end, mut digits) = (from, 0);
    for (at, &c) in chars.iter().enumerate().skip(from) {
        if c.is_numeric() {
            (end, digits) = (at + 1, digits + 1);
        } else if digits == 0 || !between(c) {
            break;
        }
    }
    (end, digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_an_identity_number_is_left_out_of_a_text_and_nothing_else() {
        for (text, without) in [
            ("", ""),
            ("the district 990001/990001001002 has 4035967 people", ""),
            ("2022-04-30 06:00, 25.5", ""),
            ("12345678901234", ""),
            ("123456789012345", "…"),
            ("code \"110105194912310021\" is used twice", "code \"…\" is used twice"),
            ("“x11010519491231002X”为 1", "“…”为 1"),
            ("110105 19491231 002X and 12", "… and 12"),
            ("110105-19491231-002X", "…"),
            ("110105_194912_310021, 3", "…, 3"),
            ("１１０１０５１９４９１２３１００２Ｘ", "…"),
            ("张三110105194912310021", "…"),
        ] {
            let expected = if without.is_empty() { text } else { without };
            assert_eq!(without_identities(text), expected);
            assert_eq!(could_be_identity(text), expected != text, "{text}");
        }
    }
}
