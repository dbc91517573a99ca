//! How the simulated finishes are spread: a histogram, the share that is done by then, and the target.

use super::super::layers::Layers;
use super::super::layers_text::percent;
use super::super::words::{in_hours, never, span};
use super::svg::{Anchor, Svg};
use super::{FRAME, SIZE, Scale, count_axis, target, time_axis, title};
use crate::planner::model::HOUR;
use crate::planner::study::Study;
use crate::planner::{City, Words, chance};

/// Bars, the curve of shares, and the quantiles (Okabe and Ito).
const BARS: &str = "#56B4E9";
const CURVE: &str = "#D55E00";
const QUANTILE: &str = "#0072B2";

/// The picture. There is at least one finish.
pub(super) fn draw(city: &City, layers: &Layers, study: &Study) -> String {
    let mut hours: Vec<f64> =
        study.finishes.iter().map(|at| f64::from(*at) / f64::from(HOUR)).collect();
    hours.sort_by(f64::total_cmp);
    let target_h = in_hours(layers.round.model.target);
    let (first, last) = (hours[0], hours[hours.len() - 1]);
    // The target belongs on the picture, unless everything would shrink to a line beside it.
    let wide = (last - first).max(0.5);
    let near = target_h > first - 12.0 * wide && target_h < last + 12.0 * wide;
    let (from, to) = if near { (first.min(target_h), last.max(target_h)) } else { (first, last) };
    let margin = ((to - from) * 0.06).max(0.1);
    let (from, to) = ((from - margin).max(0.0), to + margin);
    // About the square root of their number, over the spread of the finishes; fine bars where that is a small part.
    let bins = ((hours.len() as f64).sqrt().ceil() * 1.2).clamp(5.0, 60.0);
    let width = wide / bins;
    let bins = ((last - first) / width).floor() as usize + 1;
    let mut counts = vec![0u64; bins];
    for hour in &hours {
        let bin = ((hour - first) / width) as usize;
        counts[bin.min(bins - 1)] += 1;
    }
    let most = counts.iter().copied().max().unwrap_or(1) as f64;
    let most = (most * 1.15).max(2.0).ceil();

    let [left, top, right, bottom] = FRAME;
    let right = right - 56.0;
    let x = Scale { from: (from, to), to: (left, right) };
    let y = Scale { from: (0.0, most), to: (bottom, top) };
    let share = Scale { from: (0.0, 1.0), to: (bottom, top) };
    let name = Words::new(
        format!("{}：模拟的完成时间", city.name.zh),
        format!("{}: simulated finishes", city.name.en),
    );
    let (median, n) = (span(study.finish.p50), study.replications);
    let about = match study.probability().map(percent) {
        Some(p) => format!(
            "{n} 次模拟，中位数 {}，按时概率 {p} / {n} replications, median {}, in time with {p}",
            median.zh, median.en
        ),
        None => {
            let Words { zh, en } = chance::once();
            format!("{zh}：{} / {en}: {}", median.zh, median.en)
        }
    };
    let mut svg = Svg::new(SIZE, &format!("{} / {}", name.zh, name.en), &about);
    title(&mut svg, &name, &about);
    time_axis(&mut svg, city, (from, to), x);
    count_axis(&mut svg, most, y, right, "次数 / replications");
    for (i, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let (a, b) = (first + i as f64 * width, first + (i + 1) as f64 * width);
        let gap = ((x.at(b) - x.at(a)) * 0.08).min(1.0);
        svg.rect((x.at(a) + gap, y.at(*count as f64)), (x.at(b) - gap, bottom), BARS);
    }
    let mut points = vec![(x.at(from), bottom)];
    for (i, hour) in hours.iter().enumerate() {
        let n = hours.len() as f64;
        points.push((x.at(*hour), share.at(i as f64 / n)));
        points.push((x.at(*hour), share.at((i + 1) as f64 / n)));
    }
    points.push((x.at(to), top));
    svg.curve(&points, CURVE, 2.2);
    for part in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let label = format!("{:.0}%", part * 100.0);
        svg.text((right + 8.0, share.at(part) + 4.5), 13.0, Anchor::Start, CURVE, &label);
    }
    svg.text((right + 56.0, top - 44.0), 13.0, Anchor::End, CURVE, "已完成的比例 / share done");
    let q = &study.finish;
    // The middle one stands higher: however near they are, no label covers another.
    let all = [
        (q.p10, "P10", Anchor::End, 8.0),
        (q.p50, "P50", Anchor::Middle, 25.0),
        (q.p90, "P90", Anchor::Start, 8.0),
    ];
    // One finish has no quantiles.
    for (at, label, anchor, up) in all.into_iter().filter(|_| study.spreads()) {
        let hour = f64::from(at) / f64::from(HOUR);
        let place = x.at(hour);
        svg.line((place, top - up + 2.0), (place, bottom), QUANTILE, 1.6, "2 3");
        let side = match anchor {
            Anchor::Start => 3.0,
            Anchor::Middle => 0.0,
            Anchor::End => -3.0,
        };
        let said = match never(at) {
            true => format!("{label} >{hour:.0} h"),
            false => format!("{label} {hour:.2} h"),
        };
        svg.text((place + side, top - up), 13.0, anchor, QUANTILE, &said);
    }
    match near {
        true => target(&mut svg, target_h, x),
        false => {
            let side = if target_h < from { "←" } else { "→" };
            let label = format!("时限 {target_h:.0} h 在图外 / target is off the picture {side}");
            svg.text((left + 8.0, top + 14.0), 13.0, Anchor::Start, "#000000", &label);
        }
    }
    let legend = [
        (BARS, "次数 / replications"),
        (CURVE, "已完成的比例 / share done"),
        (QUANTILE, "分位数 P10 P50 P90 / quantiles"),
    ];
    let drawn = if study.spreads() { legend.len() } else { legend.len() - 1 };
    for (i, (colour, label)) in legend.into_iter().take(drawn).enumerate() {
        let place = (left + i as f64 * 300.0, bottom + 88.0);
        svg.rect((place.0, place.1 - 12.0), (place.0 + 16.0, place.1 + 2.0), colour);
        svg.text((place.0 + 24.0, place.1), 14.0, Anchor::Start, "#222222", label);
    }
    svg.end()
}
