//! Stacked areas: tubes on the way to a lab, and waiting or worked on at each stage.

use super::super::layers::Layers;
use super::super::words::{grouped, in_hours};
use super::svg::{Anchor, Svg, wrapped};
use super::{FRAME, SIZE, Scale, count_axis, step, target, time_axis, title};
use crate::planner::model::{HORIZON_DAYS, HORIZON_MS, HOUR};
use crate::planner::study::Backlog;
use crate::planner::{City, StageKind, Words};

/// On the way, then the stages in their order: the eight colours of Okabe and Ito, black made grey.
const COLOURS: [&str; StageKind::COUNT + 1] =
    ["#999999", "#F0E442", "#CC79A7", "#56B4E9", "#D55E00", "#009E73", "#0072B2", "#E69F00"];

/// Size of what is said below the picture, and its lines' height.
const SAID: f64 = 13.0;
const LINE: f64 = 18.0;

/// The picture.
pub(super) fn draw(city: &City, layers: &Layers, backlog: &Backlog) -> String {
    let mut names = vec![Words::new("在途", "on the way")];
    names.extend(StageKind::ALL.map(StageKind::name));
    let mut rows: Vec<&[u64]> = vec![&backlog.on_the_way];
    rows.extend(backlog.stages.iter().map(Vec::as_slice));

    let steps = rows.iter().map(|row| row.len()).max().unwrap_or(0);
    let at = |row: &[u64], i: usize| row.get(i).copied().unwrap_or(0);
    let sum = |i: usize| rows.iter().map(|row| at(row, i)).sum::<u64>();
    // The tail of the last recalls is long and thin: until what was there for the last time, and the target.
    let last = (0..steps).rev().find(|&i| sum(i) > 0).unwrap_or(0) + 2;
    let hour = |i: usize| i as f64 * f64::from(backlog.step) / f64::from(HOUR);
    let target_h = in_hours(layers.round.model.target);
    let end = hour(last).max(target_h * 1.04).max(1.0);
    let (peak_at, peak) =
        (0..steps).map(|i| (i, sum(i))).max_by_key(|(_, n)| *n).unwrap_or_default();
    let most = (peak as f64).max(1.0);
    let most = (most / step(most, 6.0)).ceil() * step(most, 6.0);

    let [left, top, right, bottom] = FRAME;
    let x = Scale { from: (0.0, end), to: (left, right) };
    let y = Scale { from: (0.0, most), to: (bottom, top) };
    let name = Words::new(
        format!("{}：各环节在途与积压的采样管", city.name.zh),
        format!("{}: tubes on the way and at each stage", city.name.en),
    );
    let done = hour(last.saturating_sub(1));
    let done = match done * f64::from(HOUR) >= f64::from(HORIZON_MS) {
        true => format!("{HORIZON_DAYS} 天以上 / over {HORIZON_DAYS} days"),
        false => format!("{done:.1} h"),
    };
    let about = format!(
        "最多时 {} 管 / at most {} tubes, {:.1} h; 完成 / done {done} (一次模拟 / one simulated round)",
        grouped(peak),
        grouped(peak),
        hour(peak_at),
    );
    // What binds stands below the picture, each language in lines of its own.
    let binding = layers.binds(city);
    let mut said = wrapped(&binding.zh, SAID, SIZE.0 - 32.0);
    said.extend(wrapped(&binding.en, SAID, SIZE.0 - 32.0));
    let size = (SIZE.0, SIZE.1 + LINE * (said.len() as f64 + 0.5));
    let mut svg = Svg::new(size, &format!("{} / {}", name.zh, name.en), &about);
    title(&mut svg, &name, &about);
    time_axis(&mut svg, city, (0.0, end), x);
    count_axis(&mut svg, most, y, right, "采样管 / tubes");
    let mut floor = vec![0u64; last];
    for ((row, colour), name) in rows.iter().zip(COLOURS).zip(&names) {
        let roof: Vec<u64> = (0..last).map(|i| floor[i] + at(row, i)).collect();
        if roof != floor {
            let point = |line: &[u64], i: usize| (x.at(hour(i)), y.at(line[i] as f64));
            let mut points: Vec<(f64, f64)> = (0..last).map(|i| point(&roof, i)).collect();
            points.extend((0..last).rev().map(|i| point(&floor, i)));
            svg.area(&points, colour, &format!("{} {}", name.zh, name.en));
        }
        floor = roof;
    }
    target(&mut svg, target_h, x);
    for (i, (name, colour)) in names.iter().zip(COLOURS).enumerate() {
        let place = (left + (i % 4) as f64 * 252.0, bottom + 88.0 + (i / 4) as f64 * 22.0);
        svg.rect((place.0, place.1 - 12.0), (place.0 + 16.0, place.1 + 2.0), colour);
        let label = format!("{} {}", name.zh, name.en);
        svg.text((place.0 + 24.0, place.1), 14.0, Anchor::Start, "#222222", &label);
    }
    for (i, line) in said.iter().enumerate() {
        let y = SIZE.1 + LINE * (i as f64 + 0.5);
        svg.text((16.0, y), SAID, Anchor::Start, "#444444", line);
    }
    svg.end()
}
