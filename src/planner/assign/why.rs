//! What is wrong with a problem, in Chinese and English.

use super::model::{Error, LABS_MAX, TUBES_MAX};
use crate::planner::city::Words;

impl Error {
    /// The error in both languages; in English as it is displayed.
    pub fn words(&self) -> Words {
        let zh = match self {
            Error::NoLabs => "没有实验室".to_owned(),
            Error::TooManyLabs { labs } => format!("实验室 {labs} 家，超过 {LABS_MAX} 家"),
            Error::TooManyTubes => format!("各街道合计超过 {TUBES_MAX} 管"),
            Error::BadLab { code, what, value, low, high, .. } => {
                let what = number(what);
                format!("实验室 {code} 的{what}为 {value}，应在 {low} 至 {high} 之间")
            }
            Error::BadWay { code, lab, what, value, high, .. } => {
                let (what, lab) = (number(what), lab + 1);
                format!("{code} 到第 {lab} 家实验室的{what}为 {value}，应在 0 至 {high} 之间")
            }
            Error::UnknownLab { code, lab, labs, .. } => {
                let lab = lab + 1;
                format!("{code} 指向第 {lab} 家实验室，而实验室只有 {labs} 家")
            }
            Error::TwoWays { code, lab, .. } => {
                let lab = lab + 1;
                format!("{code} 重复列出第 {lab} 家实验室")
            }
            Error::NoWay { code, tubes, .. } => format!("{code} 有 {tubes} 管而没有可送的实验室"),
            Error::OnlyIdleLabs { code, tubes, codes, .. } => {
                let labs = codes.join("、");
                format!("{code} 有 {tubes} 管，而可送的实验室都有环节没有设备或人员：{labs}")
            }
            Error::BadOption { what, value, low, high } => {
                let what = number(what);
                format!("{what}为 {value}，应在 {low} 至 {high} 之间")
            }
            Error::Length { what, has, expected } => {
                let what = number(what);
                format!("{what}有 {has} 项，应为 {expected} 项")
            }
        };
        Words::new(zh, self.to_string())
    }
}

/// The name of a number or a list in Chinese.
fn number(what: &str) -> &str {
    match what {
        "rate per hour" => "每小时管数",
        "head start in hours" => "起步小时数",
        "km" => "公里数",
        "travel minutes" => "在途分钟数",
        "slack" => "余量",
        "target in hours" => "时限小时数",
        "penalty in minutes" => "调整代价分钟数",
        "previous labs" => "原定实验室",
        "backlog" => "积压",
        "current labs" => "现有实验室",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_is_said_in_chinese_without_english() {
        let code = || "410".to_owned();
        let (street, lab, tubes, value) = (0, 1, 7, 2.5);
        let (low, high) = (0.0, 1.0);
        let whats = [
            "rate per hour",
            "head start in hours",
            "km",
            "travel minutes",
            "slack",
            "target in hours",
            "penalty in minutes",
            "previous labs",
            "backlog",
            "current labs",
        ];
        let mut all = vec![
            Error::NoLabs,
            Error::TooManyLabs { labs: 9 },
            Error::TooManyTubes,
            Error::UnknownLab { street, code: code(), lab, labs: 1 },
            Error::TwoWays { street, code: code(), lab },
            Error::NoWay { street, code: code(), tubes },
            Error::OnlyIdleLabs { street, code: code(), tubes, labs: vec![0], codes: vec![code()] },
        ];
        for what in whats {
            all.push(Error::BadLab { lab, code: code(), what, value, low, high });
            all.push(Error::BadWay { street, code: code(), lab, what, value, high });
            all.push(Error::BadOption { what, value, low, high });
            all.push(Error::Length { what, has: 1, expected: 2 });
        }
        for error in all {
            let Words { zh, en } = error.words();
            assert!(!zh.is_empty() && !zh.contains(|c: char| c.is_ascii_alphabetic()), "{zh}");
            assert_eq!(en, error.to_string());
        }
    }
}
