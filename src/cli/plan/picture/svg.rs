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
    /// Its width, in its own units.
    width: f64,
}

/// Nothing is written nearer to the edge than this.
const EDGE: f64 = 4.0;

/// About how wide a text is: a Chinese character as wide as its size, a Latin one a little more than half of it.
pub(in crate::cli::plan) fn text_width(text: &str, size: f64) -> f64 {
    let of = |c: char| if c >= '\u{2e80}' { size } else { 0.55 * size };
    text.chars().map(of).sum()
}

/// A text in lines that are no wider than `width`: broken at blanks, and between Chinese characters, none of which begins a line
/// with a mark that ends something.
pub(super) fn wrapped(text: &str, size: f64, width: f64) -> Vec<String> {
    const ENDS: &str = "，。；：、）”？！";
    let (mut lines, mut line) = (Vec::new(), String::new());
    // Where the line may be broken: bytes of it.
    let mut at = 0;
    for c in text.chars() {
        if c == ' ' || c >= '\u{2e80}' && !ENDS.contains(c) {
            at = line.len();
        }
        line.push(c);
        if text_width(&line, size) > width {
            // A word that is longer than a line is broken where the line ends.
            let rest = line.split_off(if at == 0 { line.len() - c.len_utf8() } else { at });
            lines.push(line.trim_end().to_owned());
            (line, at) = (rest.trim_start().to_owned(), 0);
        }
    }
    lines.extend((!line.is_empty()).then_some(line));
    lines
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
        Svg { out, width }
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

    /// A text, kept on the picture: smaller where it is wider than that, and moved in where it would run over its edge.
    pub fn text(&mut self, at: (f64, f64), size: f64, anchor: Anchor, colour: &str, text: &str) {
        let room = self.width - 2.0 * EDGE;
        // Rounded down to the decimal that is written.
        let size = size.min((size * room / text_width(text, size).max(1e-9) * 10.0).floor() / 10.0);
        let wide = text_width(text, size);
        let before = match anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => wide / 2.0,
            Anchor::End => wide,
        };
        let x = at.0.min(self.width - EDGE - wide + before).max(EDGE + before);
        let [x, y, size] = [x, at.1, size].map(number);
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
