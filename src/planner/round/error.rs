//! Why a city gives no round, in Chinese and English.

use super::Round;
use crate::planner::assign;
use crate::planner::city::Words;
use crate::planner::lacking::{Lack, lines};
use crate::planner::model::{HORIZON_DAYS, Unworkable, WORK_DAYS_MAX};
use crate::planner::reach::{self, CutOff};

/// Why a city gives no round.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// Something is not there at all; not both are empty.
    #[error("{}", self.words().en)]
    Lacking {
        /// What streets and labs have none of.
        lacks: Vec<Lack>,
        /// Streets that reach no lab that works, but for those of which what their labs lack says it all.
        cut_off: Vec<CutOff>,
    },
    /// The assignment is not possible.
    #[error(transparent)]
    Assign(#[from] assign::Error),
    /// The model cannot be reckoned.
    #[error("{}", .0.en)]
    Unworkable(Words),
}

impl Error {
    /// The same in both languages; of what is lacking, a line for each, and one for the streets that are cut off.
    pub fn words(&self) -> Words {
        match self {
            Error::Lacking { lacks, cut_off } => {
                lines(lacks.iter().map(Lack::words).chain(reach::words(cut_off)))
            }
            Error::Assign(error) => error.words(),
            Error::Unworkable(words) => words.clone(),
        }
    }
}

impl Round {
    /// Why a model cannot be reckoned, with the names of this round.
    pub fn say(&self, why: &Unworkable) -> Words {
        let street = |i: &usize| self.streets.get(*i).map_or(Words::default(), |s| s.name.clone());
        let lab = |i: &usize| self.labs.get(*i).map_or(Words::default(), |l| l.1.clone());
        match why {
            Unworkable::NoDesk { street: i } => {
                let name = street(i);
                Words::new(
                    format!("{}有居民而没有开放的采样台：请增设采样台和采样人员", name.zh),
                    format!(
                        "{} has people and no desk with a sampler: add desks and samplers",
                        name.en
                    ),
                )
            }
            Unworkable::NoVehicle { street: i } => {
                let name = street(i);
                Words::new(
                    format!("{}没有转运车辆：请配备车辆", name.zh),
                    format!("{} has no vehicle for its boxes: give it one", name.en),
                )
            }
            Unworkable::NoLab { street: i } => {
                let name = street(i);
                Words::new(
                    format!("{}没有承检实验室", name.zh),
                    format!("{} reaches no lab", name.en),
                )
            }
            Unworkable::NoUnit { lab: i, stage } => {
                let (name, stage) = (lab(i), stage.name());
                Words::new(
                    format!("{}的{}环节没有可用设备或人员，样本无法完成", name.zh, stage.zh),
                    format!(
                        "{} has no unit with staff for {}: its tubes would never end",
                        name.en, stage.en
                    ),
                )
            }
            Unworkable::BeyondHorizon { days } => Words::new(
                format!(
                    "按现有能力，即使毫不等待也需 {days} 天，超过可安排的 {WORK_DAYS_MAX} 天（推算至多 {HORIZON_DAYS} 天，须留等待时间）：请先按缺口清单补足"
                ),
                format!(
                    "with what is there it takes {days} days even without any waiting, over the {WORK_DAYS_MAX} that can be planned (no more than \
                     {HORIZON_DAYS} are reckoned, and waiting needs its part): fill the shortages first"
                ),
            ),
            Unworkable::BadNumber { field, at } => {
                let (whose, zh, en) = match *field {
                    "desk_rate" => (street(at), "采样台速度", "the speed of its desks"),
                    "ramp_speed" => (street(at), "起步速度", "the speed of its desks at first"),
                    "spread" => (street(at), "离散程度", "a spread"),
                    "late_share" => (street(at), "晚到者占比", "the share of people who come late"),
                    "box" => (street(at), "标本箱或每管人数", "a box or the persons per tube"),
                    "run_spread" => {
                        (lab(at), "运行时间离散或故障率", "a spread of runs or breakdowns")
                    }
                    _ => (Words::new("全市", "the city"), "追阳复采参数", "a number of recalls"),
                };
                Words::new(
                    format!("{}的{zh}超出范围：请核对城市文件", whose.zh),
                    format!("{}: {en} is out of bounds: check the city file", whose.en),
                )
            }
        }
    }
}
