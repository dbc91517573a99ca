//! Pictures of a plan as SVG: tubes at each stage over time, and the simulated finishes.
//!
//! Written by hand: text is escaped, numbers are finite, colours are those of Okabe and Ito (2008), which colour-blind
//! people can tell apart. Times stand on the axis as hours since the start and as time of day.

mod backlog;
mod finish;
mod svg;

use super::Report;
use super::layers::Layers;
use super::words::clock_time;
use crate::planner::model::{HOUR, Ms};
use crate::planner::{City, Words, study};
#[cfg(test)]
pub(in crate::cli::plan) use svg::text_width;
use svg::{Anchor, Svg};

/// Width and height of a picture, in its own units.
const SIZE: (f64, f64) = (1120.0, 640.0);
/// Where the curves are: left, top, right, bottom.
const FRAME: [f64; 4] = [92.0, 128.0, 1096.0, 520.0];

fn layers(report: &Report) -> Result<&Layers, Words> {
    report.layers.as_ref().map_err(Words::clone)
}

/// Tubes on the way and at each stage over time, of one simulated round.
pub(super) fn backlog(report: &Report) -> Result<String, Words> {
    let layers = layers(report)?;
    let backlog = study::backlog(&layers.round.model, report.dice.seed);
    Ok(backlog::draw(&report.city, layers, &backlog))
}

/// How the simulated finishes are spread, with the target.
pub(super) fn finish(report: &Report) -> Result<String, Words> {
    let layers = layers(report)?;
    match &layers.study {
        Some(study) if !study.finishes.is_empty() => Ok(finish::draw(&report.city, layers, study)),
        _ => Err(Words::new(
            "完成时间图需要模拟：--replications 至少为 1",
            "the picture of finishes needs a simulation: --replications of at least 1",
        )),
    }
}

/// A scale from values to places.
#[derive(Clone, Copy)]
struct Scale {
    from: (f64, f64),
    to: (f64, f64),
}

impl Scale {
    fn at(&self, value: f64) -> f64 {
        let part = (value - self.from.0) / (self.from.1 - self.from.0).max(1e-9);
        self.to.0 + part * (self.to.1 - self.to.0)
    }
}

/// The step of an axis: 1, 2 or 5 times a power of ten, for at most `most` steps.
fn step(range: f64, most: f64) -> f64 {
    let least = (range / most).max(1e-9);
    let power = 10f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|n| n * power).into_iter().find(|s| *s >= least).unwrap_or(power)
}

/// The axis of time: ticks in hours, the time of day below, and a line on either side of the frame.
fn time_axis(svg: &mut Svg, city: &City, hours: (f64, f64), x: Scale) {
    let [_, top, _, bottom] = FRAME;
    let (left, right) = x.to;
    let range = hours.1 - hours.0;
    let steps = [0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 12.0, 24.0, 48.0, 96.0, 240.0];
    let by = steps.into_iter().find(|by| range / by <= 13.0).unwrap_or(480.0);
    let mut tick = (hours.0 / by).ceil() * by;
    while tick <= hours.1 + 1e-9 {
        let at = x.at(tick);
        svg.line((at, top), (at, bottom), "#e3e3e3", 1.0, "");
        svg.line((at, bottom), (at, bottom + 6.0), "#333333", 1.0, "");
        let label = format!("{} h", (tick * 100.0).round() / 100.0);
        svg.text((at, bottom + 21.0), 13.0, Anchor::Middle, "#222222", &label);
        let clock = clock_time(city, (tick * f64::from(HOUR)) as Ms);
        svg.text((at, bottom + 36.0), 11.0, Anchor::Middle, "#666666", &clock.zh);
        if clock.en != clock.zh {
            svg.text((at, bottom + 49.0), 11.0, Anchor::Middle, "#666666", &clock.en);
        }
        tick += by;
    }
    svg.line((left, bottom), (right, bottom), "#333333", 1.2, "");
    svg.text(
        ((left + right) / 2.0, bottom + 67.0),
        13.0,
        Anchor::Middle,
        "#222222",
        "开始后小时数和时刻 / hours since the start, and time of day",
    );
}

/// The axis of counts, with a line across for each tick.
fn count_axis(svg: &mut Svg, most: f64, y: Scale, right: f64, title: &str) {
    let [left, top, _, bottom] = FRAME;
    let by = step(most, 6.0).max(1.0);
    let mut tick = 0.0;
    while tick <= most + 1e-9 {
        let at = y.at(tick);
        svg.line((left, at), (right, at), "#e3e3e3", 1.0, "");
        let label = super::words::grouped(tick as u64);
        svg.text((left - 8.0, at + 4.5), 13.0, Anchor::End, "#222222", &label);
        tick += by;
    }
    svg.line((left, top), (left, bottom), "#333333", 1.2, "");
    svg.text((left - 76.0, top - 30.0), 13.0, Anchor::Start, "#222222", title);
}

/// The line of the target.
fn target(svg: &mut Svg, hours: f64, x: Scale) {
    let [_, top, right, bottom] = FRAME;
    let at = x.at(hours);
    svg.line((at, top - 6.0), (at, bottom), "#000000", 2.0, "7 4");
    let label = format!("时限 {hours:.0} h / target");
    let (place, anchor) =
        if at > right - 130.0 { (at - 6.0, Anchor::End) } else { (at + 6.0, Anchor::Start) };
    svg.text((place, top + 14.0), 13.0, anchor, "#000000", &label);
}

/// Title and what is under it.
fn title(svg: &mut Svg, title: &Words, under: &str) {
    let text = format!("{}  {}", title.zh, title.en);
    svg.text((16.0, 30.0), 19.0, Anchor::Start, "#111111", &text);
    svg.text((16.0, 54.0), 13.0, Anchor::Start, "#444444", under);
}
