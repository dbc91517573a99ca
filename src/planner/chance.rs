//! What an answer says of its chance: that one replication or one pair has no spread, and what the ± of pairs leaves out.

use super::city::Words;
use super::study::Paired;

/// Of a study of one replication: no range and no probability can be told.
pub fn once() -> Words {
    Words::new(
        "只模拟了一次，没有离散范围和按时概率",
        "one replication alone, which has no range and no probability",
    )
}

/// Of one pair: no interval can be told.
pub fn one_pair() -> Words {
    Words::new("只有一对，没有置信区间", "one pair alone, which has no interval")
}

/// What pairs leave out: what is in doubt is drawn for a study, and not for pairs.
pub fn planned_values(paired: &Paired) -> Words {
    match paired.half_width {
        Some(_) => Words::new(
            "成对模拟中其余各数均取计划值：±只反映一轮之内的偶然，不含各数本身的不确定。",
            "The pairs hold everything else at its planned value: ± is the chance of the round alone, not the doubt in the numbers.",
        ),
        None => Words::new(
            "这一对模拟中其余各数均取计划值，不含各数本身的不确定。",
            "The pair holds everything else at its planned value: the doubt in the numbers is left out.",
        ),
    }
}
