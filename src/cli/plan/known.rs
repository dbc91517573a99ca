//! What a search found out about units, desks and vehicles: that they are enough, that they are not, or neither, where its limit came first.

use super::layers::Layers;
use super::remedy::Remedy;
use super::words::span;
use crate::planner::Words;
use crate::planner::model::Ms;

/// Whether more units, desks and vehicles alone bring a round within its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// Some that were found do.
    Enough,
    /// The most that is tried does not, or the first result alone takes longer.
    NotEnough,
    /// The search was at its limit before either was seen.
    Unknown,
}

impl Known {
    /// The word that stands for it in JSON.
    pub fn key(self) -> &'static str {
        match self {
            Known::Enough => "enough",
            Known::NotEnough => "not_enough",
            Known::Unknown => "unknown",
        }
    }

    /// What the search for the remedies of a round found out.
    pub fn of(layers: &Layers, remedy: &Remedy) -> Known {
        let limited = remedy.searched.left_out > 0;
        match &remedy.more {
            Some(more) if more.outcome.finish() <= layers.round.model.target => Known::Enough,
            _ if remedy.beyond.is_some() || first_too_late(layers).is_some() => Known::NotEnough,
            Some(_) if !limited => Known::NotEnough,
            _ => Known::Unknown,
        }
    }
}

/// The latest first result of a lab, where that alone is over the target: no number of anything changes it.
fn first_too_late(layers: &Layers) -> Option<Ms> {
    let firsts = layers.flow.labs.iter().map(|lab| lab.soonest);
    firsts.max().filter(|first| *first > layers.round.model.target)
}

/// Said where no units, desks and vehicles were found that do it: why no number does, or that it is not known.
pub(super) fn no_units(layers: &Layers, remedy: &Remedy) -> Words {
    let target = layers.round.model.target;
    let Some(first) = first_too_late(layers) else {
        let (zh, en) = match Known::of(layers, remedy) {
            Known::Unknown => UNKNOWN,
            Known::Enough | Known::NotEnough => NO_UNITS,
        };
        return Words::new(zh, en);
    };
    let (first, target) = (span(first), span(target));
    Words::new(
        format!(
            "增加设备、采样台或车辆不能使其按时完成：首个结果（封箱、转运、各环节各一次）就要 {}，超过时限 {}，须放宽时限或缩短流程",
            first.zh, target.zh
        ),
        format!(
            "no number of units, desks or vehicles brings it within the target: the first result alone (box, transport, one run of \
             each stage) takes {}, over the target of {}; allow more time or shorten the way",
            first.en, target.en
        ),
    )
}

/// The limit is that of `grow`.
const NO_UNITS: (&str, &str) = (
    "增加设备（每环节试至“现有台数加 1”的 8 倍，至多为样本装板数的 2 倍）、采样台或车辆不能使其按时完成",
    "units (tried up to eight times one more than there are at a stage, and no more than two for each plate of its tubes), desks and vehicles \
     do not bring it within the target",
);

/// The search ended before either was seen.
const UNKNOWN: (&str, &str) = (
    "寻找措施到达模拟量上限，未能搜索到底：更多设备、采样台和车辆是否足够，尚不清楚；将自成一片的区县及其实验室单列一个城市文件，可搜索得更远",
    "the search met its limit of simulated tubes before it was seen whether more units, desks and vehicles are enough: that is not known; \
     districts with labs of their own are searched further in a city file of their own",
);
