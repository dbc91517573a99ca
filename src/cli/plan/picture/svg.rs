//! A small writer of SVG: every number with one decimal and finite, every text escaped.

use std::fmt::Write;

/// Which end of a text stands at its place.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Anchor {
    fn key(self) -> &'static str {
        match self {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        }
    }
}

/// A picture that grows.
pub(super) struct Svg {
    out: String,
}

/// Text as it may stand in XML: markup escaped, control characters left out.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() && c != '\n' && c != '\t' => {}
            c => out.push(c),
        }
    }
    out
}

/// A number with one decimal; what is not a number is 0.
fn number(value: f64) -> String {
    let value = if value.is_finite() { value.clamp(-1e6, 1e6) } else { 0.0 };
    // No "-0.0".
    format!("{:.1}", (value * 10.0).round() / 10.0 + 0.0)
}

impl Svg {
    /// A picture of a size, with a name and a description for readers that see none.
    pub fn new((width, height): (f64, f64), title: &str, about: &str) -> Svg {
        let (w, h) = (number(width), number(height));
        let fonts = "'Noto Sans CJK SC','Source Han Sans SC','Microsoft YaHei','PingFang SC','WenQuanYi Zen Hei','Noto Sans',sans-serif";
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let _ = writeln!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" role=\"img\" aria-labelledby=\"title about\" font-family=\"{fonts}\">"
        );
        let _ = writeln!(out, "<title id=\"title\">{}</title>", escape(title));
        let _ = writeln!(out, "<desc id=\"about\">{}</desc>", escape(about));
        let _ = writeln!(out, "<rect width=\"{w}\" height=\"{h}\" fill=\"#ffffff\"/>");
        Svg { out }
    }

    /// A line; `dash` is a pattern of dashes or empty.
    pub fn line(&mut self, a: (f64, f64), b: (f64, f64), colour: &str, width: f64, dash: &str) {
        let [x1, y1, x2, y2] = [a.0, a.1, b.0, b.1].map(number);
        let dash = match dash {
            "" => String::new(),
            dash => format!(" stroke-dasharray=\"{dash}\""),
        };
        let width = number(width);
        let _ = writeln!(
            self.out,
            "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" stroke=\"{colour}\" stroke-width=\"{width}\"{dash}/>"
        );
    }

    /// A text.
    pub fn text(&mut self, at: (f64, f64), size: f64, anchor: Anchor, colour: &str, text: &str) {
        let [x, y, size] = [at.0, at.1, size].map(number);
        let (anchor, text) = (anchor.key(), escape(text));
        let _ = writeln!(
            self.out,
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" text-anchor=\"{anchor}\" fill=\"{colour}\">{text}</text>"
        );
    }

    /// A filled rectangle from one corner to the other.
    pub fn rect(&mut self, a: (f64, f64), b: (f64, f64), colour: &str) {
        let [x, y] = [a.0.min(b.0), a.1.min(b.1)].map(number);
        let [w, h] = [(a.0 - b.0).abs(), (a.1 - b.1).abs()].map(number);
        let _ = writeln!(
            self.out,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" fill=\"{colour}\"/>"
        );
    }

    /// A filled area, with a name that shows when it is pointed at.
    pub fn area(&mut self, points: &[(f64, f64)], colour: &str, name: &str) {
        let points = joined(points);
        let _ = writeln!(
            self.out,
            "<polygon points=\"{points}\" fill=\"{colour}\" stroke=\"#ffffff\" stroke-width=\"0.6\"><title>{}</title></polygon>",
            escape(name)
        );
    }

    /// A curve.
    pub fn curve(&mut self, points: &[(f64, f64)], colour: &str, width: f64) {
        let (points, width) = (joined(points), number(width));
        let _ = writeln!(
            self.out,
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\" stroke-linejoin=\"round\"/>"
        );
    }

    /// The finished picture.
    pub fn end(mut self) -> String {
        self.out.push_str("</svg>\n");
        self.out
    }
}

fn joined(points: &[(f64, f64)]) -> String {
    let point = |(x, y): &(f64, f64)| format!("{},{}", number(*x), number(*y));
    points.iter().map(point).collect::<Vec<_>>().join(" ")
}
