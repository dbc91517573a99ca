//! Words in the users' two languages.

use super::norm::StageKind;

/// The same words in the users' two languages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Words {
    /// Words from their two parts.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Words {
        Words { zh: zh.into(), en: en.into() }
    }

    /// So many, in English: 1 tube, 2 tubes.
    pub fn many(n: u64, one: &str) -> String {
        format!("{n} {one}{}", if n == 1 { "" } else { "s" })
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
