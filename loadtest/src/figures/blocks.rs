//! Blocks of one side of a comparison. A machine that others share is now and then disturbed for some seconds: the middle
//! block stands for a side, and a side whose blocks are far apart says so.

use serde_json::{Value, json};

/// So many times the least block the most may be, until a side counts as disturbed.
const APART_MAX: f64 = 1.5;

/// The middle value; of two in the middle their mean.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    match (sorted.len() % 2, sorted.get(half.saturating_sub(1)), sorted.get(half)) {
        (0, Some(below), Some(above)) => (below + above) / 2.0,
        (_, _, middle) => middle.copied().unwrap_or(0.0),
    }
}

/// Which of the sides were disturbed, in words; null when none was.
pub fn disturbed(sides: &[(&str, &[f64])]) -> Value {
    let all: Vec<_> = sides.iter().filter_map(|(name, blocks)| apart(name, blocks)).collect();
    if all.is_empty() { Value::Null } else { json!(all.join("; ")) }
}

fn apart(name: &str, blocks: &[f64]) -> Option<String> {
    let least = blocks.iter().copied().fold(f64::INFINITY, f64::min);
    let most = blocks.iter().copied().fold(0.0, f64::max);
    (blocks.len() > 1 && most > APART_MAX * least)
        .then(|| format!("{name}: the most is {:.2} times the least", most / least))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_block_stands_for_a_side() {
        for (blocks, middle) in [
            (&[][..], 0.0),
            (&[7.0], 7.0),
            (&[9.0, 1.0], 5.0),
            (&[900.0, 100.0, 110.0], 110.0),
            (&[4.0, 900.0, 1.0, 2.0], 3.0),
        ] {
            assert_eq!(median(blocks), middle, "{blocks:?}");
        }
    }

    #[test]
    fn blocks_that_are_far_apart_are_told() {
        let one = |blocks: &[f64]| disturbed(&[("raw", blocks)]);
        for calm in [&[][..], &[3.0], &[3.0, 2.0], &[2.0, 3.0, 2.5]] {
            assert_eq!(one(calm), Value::Null, "{calm:?}");
        }
        assert_eq!(one(&[3.1, 2.0]), "raw: the most is 1.55 times the least");
        let both = disturbed(&[("raw", &[1.0, 2.0]), ("calm", &[1.0, 1.0]), ("own", &[4.0, 1.0])]);
        let wanted = "raw: the most is 2.00 times the least; own: the most is 4.00 times the least";
        assert_eq!(both, wanted);
    }
}
