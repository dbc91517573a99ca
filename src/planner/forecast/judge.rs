//! What every forecaster is judged by.
//!
//! - Coverage: the share of intervals that held the end, at 50, 80 and 95 %.
//! - PIT: the share of the draws that were earlier than the end, in ten bins (Dawid 1984; Gneiting, Balabdaoui and Raftery
//!   2007). Even = the spread is right; full at both ends = too narrow; full at one end = too early or too late.
//! - CRPS: the mean distance of the draws from the end less half their distance from each other (Gneiting and Raftery 2007).
//!   One number for spread and place.

use crate::planner::model::Ms;

/// Bins of a PIT histogram.
pub const BINS: usize = 10;

/// Draws that stand for quantiles.
const STAND_FOR: usize = 200;

/// The value of sorted draws at a share of them: type 7 of Hyndman and Fan (1996), as `study::Quantiles` has it.
pub fn quantile(sorted: &[Ms], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let place = share.clamp(0.0, 1.0) * last as f64;
    let (i, part) = (place as usize, place.fract());
    let (a, b) = (f64::from(sorted[i]), f64::from(sorted[(i + 1).min(last)]));
    a + (b - a) * part
}

/// Share of sorted draws that were earlier than `truth`; half of those at the same time.
pub fn pit(sorted: &[Ms], truth: Ms) -> f64 {
    let before = sorted.partition_point(|at| *at < truth);
    let upto = sorted.partition_point(|at| *at <= truth);
    (before + upto) as f64 / 2.0 / sorted.len().max(1) as f64
}

/// CRPS of sorted draws, ms.
pub fn crps(sorted: &[Ms], truth: Ms) -> f64 {
    let n = sorted.len().max(1) as f64;
    let truth = f64::from(truth);
    let from_truth = sorted.iter().map(|at| (f64::from(*at) - truth).abs()).sum::<f64>() / n;
    // The sum over all pairs of sorted numbers: the i-th is taken away so often and added so often.
    let pairs = sorted.iter().enumerate();
    let between = pairs.map(|(i, at)| (2.0 * i as f64 + 1.0 - n) * f64::from(*at)).sum::<f64>();
    from_truth - between / (n * n)
}

/// The bin of a PIT.
pub fn bin(pit: f64) -> usize {
    ((pit * BINS as f64) as usize).min(BINS - 1)
}

/// Sorted draws that stand for quantiles, (share, time), both rising: straight between them, and nothing beyond the first
/// and the last.
pub fn of_quantiles(quantiles: &[(f64, Ms)]) -> Vec<Ms> {
    let at = |share: f64| {
        let after = quantiles.partition_point(|q| q.0 < share);
        let b = quantiles.get(after).or(quantiles.last())?;
        let a = after.checked_sub(1).and_then(|before| quantiles.get(before)).unwrap_or(b);
        let part = if b.0 > a.0 { (share - a.0) / (b.0 - a.0) } else { 0.0 };
        Some((f64::from(a.1) + part.clamp(0.0, 1.0) * (f64::from(b.1) - f64::from(a.1))) as Ms)
    };
    (0..STAND_FOR).filter_map(|i| at((i as f64 + 0.5) / STAND_FOR as f64)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crps_is_what_it_is_for_draws_that_can_be_reckoned_by_hand() {
        // One draw: the distance. Two at 0 and 10, the end at 4: (4 + 6)/2 − 10/4.
        assert!((crps(&[7], 4) - 3.0).abs() < 1e-12);
        assert!((crps(&[0, 10], 4) - 2.5).abs() < 1e-12);
        // 0, 10 and 20, the end at 30: 20 less half the mean distance of all nine pairs, 80/9.
        assert!((crps(&[0, 10, 20], 30) - (20.0 - 40.0 / 9.0)).abs() < 1e-12);
        // A forecast that is surer and right is better; surer and wrong is worse.
        let (wide, narrow): (Vec<Ms>, Vec<Ms>) = ((0..100).collect(), (45..55).collect());
        assert!(crps(&narrow, 50) < crps(&wide, 50) && crps(&narrow, 5) > crps(&wide, 5));
    }

    #[test]
    fn the_share_of_earlier_draws_is_put_in_its_bin() {
        let draws: Vec<Ms> = (1..=10).map(|k| k * 10).collect();
        for (truth, expected) in [(5, 0.0), (10, 0.05), (55, 0.5), (100, 0.95), (101, 1.0)] {
            assert!((pit(&draws, truth) - expected).abs() < 1e-12, "{truth}");
        }
        assert_eq!([0.0, 0.0999, 0.1, 0.95, 1.0].map(bin), [0, 0, 1, 9, 9]);
        assert!((quantile(&draws, 0.5) - 55.0).abs() < 1e-12);
    }

    #[test]
    fn quantiles_are_stood_for_by_draws_that_have_them() {
        let quantiles = [(0.05, 100), (0.25, 200), (0.5, 260), (0.9, 500), (0.95, 700)];
        let draws = of_quantiles(&quantiles);
        assert_eq!(draws.len(), STAND_FOR);
        assert!(draws.is_sorted());
        for (share, at) in quantiles {
            assert!((quantile(&draws, share) - f64::from(at)).abs() < 10.0, "{share}");
        }
        assert_eq!((draws[0], draws[STAND_FOR - 1]), (100, 700));
        assert!(of_quantiles(&[]).is_empty());
    }
}
