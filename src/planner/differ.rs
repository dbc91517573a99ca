//! Where the flows and the simulation stand on different sides of the target: two layers that are compared, and one answer.

use super::city::Words;
use super::model::Ms;
use super::times::span;

/// Why the flows say otherwise where they are earlier.
pub(super) const NO_CHANCE: (&str, &str) = (
    "它按均值计，没有偶然；模拟中由最慢的街道和实验室决定",
    "they go by means and know no chance, and in the simulation the slowest street and lab decide",
);

/// What is said beside the answer of the simulation where the flows say otherwise, with the reason; `None` where both agree.
pub fn flows_differ(flows: Ms, simulated: Ms, target: Ms) -> Option<Words> {
    if (flows <= target) == (simulated <= target) {
        return None;
    }
    let at = span(flows);
    let (zh, en) = match flows > target {
        true => (
            "它让最后的样本坐较晚的一趟车、又空等一板装满，模拟中未必都如此",
            "there the last tubes take a late trip and wait in vain for a full plate, and in the simulation not all do",
        ),
        false => NO_CHANCE,
    };
    Some(Words::new(
        format!("对照：流体层为 {}（{zh}），结论以模拟为准。", at.zh),
        format!("For comparison, the flows have {}: {en}; the answer is the simulation's.", at.en),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::model::{HOUR, MINUTE};

    #[test]
    fn a_difference_is_told_only_where_it_turns_the_answer() {
        let target = 48 * HOUR;
        for (flows, simulated, told) in [
            (target - MINUTE, target, None),
            (target + 9 * HOUR, target + MINUTE, None),
            (target + 4 * MINUTE, target - 19 * MINUTE, Some("48 h 04 min: there the last tubes")),
            (target, target + MINUTE, Some("48 h: they go by means")),
        ] {
            let said = flows_differ(flows, simulated, target);
            assert_eq!(said.is_some(), told.is_some(), "{flows} {simulated}");
            if let (Some(said), Some(told)) = (said, told) {
                assert!(said.en.contains(told), "{}", said.en);
            }
        }
    }
}
