//! Words in the users' two languages.

use super::norm::StageKind;

/// A number with its thousands set apart.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The same words in the users' two languages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

/// A text that is the same in both languages, such as what a file has in one alone.
impl From<&str> for Words {
    fn from(text: &str) -> Words {
        Words::new(text, text)
    }
}

impl Words {
    /// Words from their two parts.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Words {
        Words { zh: zh.into(), en: en.into() }
    }

    /// Both in one line, where one text has to do for both languages.
    pub fn in_one(&self) -> String {
        match self.zh == self.en {
            true => self.zh.clone(),
            false => format!("{} / {}", self.zh, self.en),
        }
    }

    /// So many, in English: 1 tube, 2,000 tubes.
    pub fn many(n: u64, one: &str) -> String {
        format!("{} {one}{}", grouped(n), if n == 1 { "" } else { "s" })
    }

    /// A list of names, at most `most` of them: A, B and 7 more; 甲、乙等9处. `counted`: what they are counted by in Chinese.
    pub fn listed(
        names: impl ExactSizeIterator<Item = Words>,
        most: usize,
        counted: &str,
    ) -> Words {
        let all = names.len();
        // One more than the most is named, too: "and 1 more" says less and is no shorter.
        let told = if all <= most + 1 { all } else { most };
        let (zh, mut en): (Vec<String>, Vec<String>) =
            names.take(told).map(|name| (name.zh, name.en)).unzip();
        let rest = all - told;
        let last = match rest {
            0 => en.pop(),
            rest => Some(format!("{rest} more")),
        };
        let last = last.unwrap_or_default();
        let en = if en.is_empty() { last } else { format!("{} and {last}", en.join(", ")) };
        let zh = zh.join("、");
        let zh = if rest == 0 { zh } else { format!("{zh}等{all}{counted}") };
        Words::new(zh, en)
    }

    /// Chinese text without the spaces that names and times of day leave between its characters: those before and after letters
    /// and digits stay.
    pub fn closed(zh: &str) -> String {
        let wide = |c: char| matches!(c, '\u{3000}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ffef}');
        let mut out = String::with_capacity(zh.len());
        let mut letters = zh.chars().peekable();
        while let Some(c) = letters.next() {
            let stray =
                c == ' ' && out.ends_with(wide) && letters.peek().is_some_and(|next| wide(*next));
            if !stray {
                out.push(c);
            }
        }
        out
    }

    /// English text with its first letter large, to begin a sentence.
    pub fn capital(text: &str) -> String {
        let mut letters = text.chars();
        letters
            .next()
            .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    }

    /// What so many tubes are called in English: one tube, two tubes.
    pub fn tube_or_tubes(n: u64) -> &'static str {
        if n == 1 { "tube" } else { "tubes" }
    }
}

impl StageKind {
    /// Name of the stage.
    pub fn name(self) -> Words {
        let (zh, en) = match self {
            StageKind::Receive => ("接收", "reception"),
            StageKind::Inactivate => ("灭活", "inactivation"),
            StageKind::Decap => ("开盖加样", "decapping"),
            StageKind::Extract => ("核酸提取", "extraction"),
            StageKind::Setup => ("体系配制", "PCR set-up"),
            StageKind::Pcr => ("PCR 扩增", "PCR"),
            StageKind::Review => ("判读审核", "review"),
        };
        Words::new(zh, en)
    }
}

/// Minutes since some midnight as a time of day: `14:05`. Which day it is, is said beside it.
pub fn time_of_day(minutes: u64) -> String {
    format!("{:02}:{:02}", minutes / 60 % 24, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::Words;

    #[test]
    fn spaces_stand_beside_letters_and_digits_alone() {
        for (text, closed) in [
            ("L1 东所 最后完成", "L1 东所最后完成"),
            ("东所（假定） 最后一管 第 5 天 10:09 才到", "东所（假定）最后一管第 5 天 10:09 才到"),
            ("届时 L01 东所，在 10:09 起", "届时 L01 东所，在 10:09 起"),
            ("甲 / A lab at 东区", "甲 / A lab at 东区"),
        ] {
            assert_eq!(Words::closed(text), closed);
        }
    }

    #[test]
    fn a_long_list_is_cut_short_and_counted() {
        for (n, zh, en) in [
            (0, "", ""),
            (1, "甲1", "A1"),
            (2, "甲1、甲2", "A1 and A2"),
            (3, "甲1、甲2、甲3", "A1, A2 and A3"),
            (4, "甲1、甲2等4家", "A1, A2 and 2 more"),
        ] {
            let names: Vec<Words> =
                (1..=n).map(|i| Words::new(format!("甲{i}"), format!("A{i}"))).collect();
            assert_eq!(Words::listed(names.into_iter(), 2, "家"), Words::new(zh, en));
        }
    }
}
