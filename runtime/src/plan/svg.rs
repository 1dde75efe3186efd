//! The plan as a picture: one self-contained SVG with chains as boxes and edges as arrows from top to bottom, to look
//! at in a browser or to put in a talk. Where things go is `layout`'s; what they say and look like is here.
//!
//! Colours are readable on the picture's own panel, which is light or, where the viewer asks for it, dark: the
//! background around it does not matter. Text widths are estimates from above, since nothing here knows fonts.

use std::fmt::{self, Write as _};

use super::layout::{Arrow, Layout, Point, Size, layout};
use super::{Chain, Edge, EdgeKind, Plan};

/// Around everything.
const MARGIN: f64 = 32.0;
/// From the top of the picture to the first row.
const HEAD: f64 = 92.0;
/// Per operator.
const LINE: f64 = 21.0;
/// Inside a box, left and right.
const PAD: f64 = 18.0;
/// Inside a box, above and below.
const PAD_Y: f64 = 13.0;
/// Width of a letter in an operator, at its font size.
const MONO: f64 = 7.9;
/// Width of a letter in a label, at its font size.
const SANS: f64 = 6.6;
/// Per line of a label.
const LABEL_LINE: f64 = 16.0;
/// Room for the marks behind an operator.
const MARKS: f64 = 40.0;
/// Longer texts end in an ellipsis; the whole is in the tooltip.
const LONGEST: usize = 52;

const STYLE: &str = "
  .panel { fill: #fbfcfe; stroke: #d5dde8 }
  .title { font: 600 21px system-ui, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #16202c }
  .note { font: 13px system-ui, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #51607a }
  .box { fill: #ffffff; stroke: #9db2cc; stroke-width: 1.4 }
  .source { fill: #eefaf6; stroke: #2a9d7f }
  .stateful { fill: #fff8ea; stroke: #d1972a }
  .badge { fill: #51607a }
  .badge.source { fill: #1f8a6d }
  .badge.stateful { fill: #b57b12 }
  .number { font: 700 12px system-ui, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #ffffff; text-anchor: middle }
  .what, .name { font: 13px ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: #3a4759 }
  .name { font-weight: 700; fill: #16202c }
  .state { fill: #d1972a }
  .arrival { font: 700 17px 'DejaVu Sans', Helvetica, Arial, sans-serif; fill: #c2412d }
  .edge { fill: none; stroke: #5b7290; stroke-width: 2 }
  .local { stroke-dasharray: 6 5 }
  .head { fill: #5b7290 }
  .label { fill: #eef2f8; stroke: #c9d4e3 }
  .how, .rows { font: 12px system-ui, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #3a4759; text-anchor: middle }
  .how { font-weight: 600; fill: #16202c }
  @media (prefers-color-scheme: dark) {
    .panel { fill: #151b24; stroke: #2c3646 }
    .title, .name, .how { fill: #eef2f8 }
    .note { fill: #9aabc2 }
    .box { fill: #1e2734; stroke: #5d7391 }
    .source { fill: #14302a; stroke: #35b292 }
    .stateful { fill: #34290f; stroke: #d9a43f }
    .what, .rows { fill: #c3cfdf }
    .edge { stroke: #8aa2c1 }
    .head { fill: #8aa2c1 }
    .label { fill: #222c3a; stroke: #3b495d }
    .arrival { fill: #ff8a73 }
  }
";

impl Plan {
    /// The plan as an SVG document that needs nothing else: no scripts, no fonts, no links.
    pub fn to_svg(&self) -> String {
        let mut out = String::new();
        // Writing into a String does not fail.
        let _ = Picture::of(self).write(&mut out);
        out
    }
}

/// A plan, and where its parts go.
struct Picture<'a> {
    plan: &'a Plan,
    sizes: Vec<Size>,
    labels: Vec<Vec<String>>,
    layout: Layout,
}

impl<'a> Picture<'a> {
    fn of(plan: &'a Plan) -> Picture<'a> {
        let sizes: Vec<Size> = plan.chains.iter().map(size_of).collect();
        let labels: Vec<Vec<String>> = plan.edges.iter().map(Edge::label).collect();
        let arrows: Vec<Arrow> = plan
            .edges
            .iter()
            .zip(&labels)
            .map(|(edge, lines)| Arrow { from: edge.from, to: edge.to, label: label_size(lines) })
            .collect();
        let layout = layout(&sizes, &arrows);
        Picture { plan, sizes, labels, layout }
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        let notes = self.notes();
        let subtitle = format!("State in {}. {}.", self.plan.backend, self.plan.bound_text());
        let texts = notes.iter().map(|(_, note)| note).chain([&subtitle]);
        let widest = texts.map(|t| t.chars().count() as f64 * SANS + 24.0).fold(0.0, f64::max);
        let title = self.plan.job.chars().count() as f64 * 13.0;
        let width = self.layout.size.width.max(widest).max(title) + 2.0 * MARGIN;
        let foot = if notes.is_empty() { 0.0 } else { notes.len() as f64 * LINE + 18.0 };
        let height = HEAD + self.layout.size.height + foot + MARGIN;
        let shift = Point { x: (width - self.layout.size.width) / 2.0, y: HEAD };

        writeln!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-label=\"{}\">",
            escaped(&format!("Plan of {}", self.plan.job))
        )?;
        writeln!(out, "<title>{}</title>", escaped(&format!("Plan of {}", self.plan.job)))?;
        writeln!(out, "<style>{STYLE}</style>")?;
        writeln!(
            out,
            "<rect class=\"panel\" x=\"1\" y=\"1\" width=\"{:.0}\" height=\"{:.0}\" rx=\"14\"/>",
            width - 2.0,
            height - 2.0
        )?;
        text(out, "title", MARGIN, 42.0, &self.plan.job)?;
        text(out, "note", MARGIN, 65.0, &subtitle)?;
        for (edge, route) in self.plan.edges.iter().zip(&self.layout.routes) {
            arrow(out, edge, &route.points, shift)?;
        }
        for (index, chain) in self.plan.chains.iter().enumerate() {
            if let (Some(corner), Some(&size)) = (self.layout.boxes.get(index), self.sizes.get(index)) {
                self.chain(out, index, chain, corner.plus(shift), size)?;
            }
        }
        for ((edge, lines), route) in self.plan.edges.iter().zip(&self.labels).zip(&self.layout.routes) {
            if !route.points.is_empty() {
                label(out, edge, lines, route.label.plus(shift))?;
            }
        }
        for (line, (mark, note)) in notes.iter().enumerate() {
            let y = HEAD + self.layout.size.height + 36.0 + line as f64 * LINE;
            marks(out, *mark == Mark::State, *mark == Mark::Arrival, MARGIN, y)?;
            text(out, "note", MARGIN + if *mark == Mark::None { 0.0 } else { 24.0 }, y, note)?;
        }
        out.push_str("</svg>\n");
        Ok(())
    }

    /// What stands below the picture.
    fn notes(&self) -> Vec<(Mark, String)> {
        let mark = |mark| if mark == super::text::STATEFUL { Mark::State } else { Mark::Arrival };
        let mut notes: Vec<_> = self.plan.legend().map(|(m, meaning)| (mark(m), meaning.to_owned())).collect();
        if !self.plan.dropped.is_empty() {
            notes.push((Mark::None, format!("dropped: {}", self.plan.dropped.join(", "))));
        }
        notes
    }

    fn chain(&self, out: &mut String, index: usize, chain: &Chain, at: Point, size: Size) -> fmt::Result {
        let class = if !self.plan.edges.iter().any(|e| e.to == index) {
            " source"
        } else if chain.operators.iter().any(|o| o.stateful) {
            " stateful"
        } else {
            ""
        };
        let Point { x, y } = at;
        writeln!(out, "<g>")?;
        writeln!(
            out,
            "<rect class=\"box{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"10\"/>",
            size.width, size.height
        )?;
        writeln!(out, "<circle class=\"badge{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"12\"/>")?;
        text(out, "number", x, y + 4.2, &(index + 1).to_string())?;
        let names = name_width(chain);
        for (line, operator) in chain.operators.iter().enumerate() {
            let base = y + PAD_Y + line as f64 * LINE + 14.5;
            text(out, "name", x + PAD, base, &operator.name)?;
            text(out, "what", x + PAD + names, base, &operator.what)?;
            marks(out, operator.stateful, operator.arrival_ordered, x + size.width - PAD - MARKS + 10.0, base)?;
        }
        writeln!(out, "</g>")
    }
}

impl Point {
    fn plus(self, shift: Point) -> Point {
        Point { x: self.x + shift.x, y: self.y + shift.y }
    }
}

/// What a note explains.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    State,
    Arrival,
    None,
}

fn size_of(chain: &Chain) -> Size {
    let what = chain.operators.iter().map(|o| letters(&o.what)).fold(0.0, f64::max);
    let marked = chain.operators.iter().any(|o| o.stateful || o.arrival_ordered);
    Size {
        width: name_width(chain) + what * MONO + 2.0 * PAD + if marked { MARKS } else { 0.0 },
        height: chain.operators.len() as f64 * LINE + 2.0 * PAD_Y,
    }
}

/// The column of names, with the gap behind it.
fn name_width(chain: &Chain) -> f64 {
    let name = chain.operators.iter().map(|o| letters(&o.name)).fold(0.0, f64::max);
    if name > 0.0 { name * MONO + 16.0 } else { 0.0 }
}

fn label_size(lines: &[String]) -> Size {
    let longest = lines.iter().map(|line| letters(line)).fold(0.0, f64::max);
    Size { width: longest * SANS + 20.0, height: lines.len() as f64 * LABEL_LINE + 12.0 }
}

/// How many letters of a text are shown.
fn letters(text: &str) -> f64 {
    text.chars().count().min(LONGEST) as f64
}

fn arrow(out: &mut String, edge: &Edge, points: &[Point], shift: Point) -> fmt::Result {
    let (Some(first), [.., before, last]) = (points.first(), points) else { return Ok(()) };
    // The line ends at the back of the head, and the head is drawn upright: arrows arrive straight.
    let down = if last.y > before.y { 1.0 } else { -1.0 };
    let tip = last.plus(shift);
    let end = Point { x: last.x, y: last.y - 9.0 * down };
    let mut from = first.plus(shift);
    let mut path = format!("M{:.1} {:.1}", from.x, from.y);
    let inner = points.iter().skip(1).take(points.len() - 2);
    for to in inner.chain([&end]).map(|p| p.plus(shift)) {
        if from.x == to.x {
            write!(path, " L{:.1} {:.1}", to.x, to.y)?;
        } else {
            let middle = (from.y + to.y) / 2.0;
            write!(path, " C{:.1} {middle:.1} {:.1} {middle:.1} {:.1} {:.1}", from.x, to.x, to.x, to.y)?;
        }
        from = to;
    }
    let local = if edge.kind == EdgeKind::Local { " local" } else { "" };
    writeln!(out, "<path class=\"edge{local}\" d=\"{path}\"/>")?;
    let Point { x, y } = tip;
    let back = y - 11.0 * down;
    writeln!(out, "<path class=\"head\" d=\"M{x:.1} {y:.1} L{:.1} {back:.1} L{:.1} {back:.1} Z\"/>", x - 5.5, x + 5.5)
}

fn label(out: &mut String, edge: &Edge, lines: &[String], at: Point) -> fmt::Result {
    let size = label_size(lines);
    writeln!(out, "<g><title>{}</title>", escaped(&format!("{}; cut here because of {}", edge.how(), edge.because)))?;
    writeln!(
        out,
        "<rect class=\"label\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"8\"/>",
        at.x, at.y, size.width, size.height
    )?;
    for (line, what) in lines.iter().enumerate() {
        let class = if line == 0 { "how" } else { "rows" };
        text(out, class, at.x + size.width / 2.0, at.y + 18.0 + line as f64 * LABEL_LINE, what)?;
    }
    writeln!(out, "</g>")
}

/// The marks of an operator: shapes of our own where a font may have none.
fn marks(out: &mut String, stateful: bool, arrival: bool, x: f64, base: f64) -> fmt::Result {
    if stateful {
        writeln!(
            out,
            "<rect class=\"state\" x=\"{x:.1}\" y=\"{:.1}\" width=\"11\" height=\"11\" rx=\"2\"/>",
            base - 10.0
        )?;
    }
    if arrival {
        let x = if stateful { x + 18.0 } else { x };
        text(out, "arrival", x, base + 1.0, super::text::ARRIVAL)?;
    }
    Ok(())
}

/// A line of text, shortened if it is too long for its box.
fn text(out: &mut String, class: &str, x: f64, y: f64, what: &str) -> fmt::Result {
    if what.is_empty() {
        return Ok(());
    }
    let shown = if what.chars().count() > LONGEST && matches!(class, "name" | "what" | "how" | "rows") {
        let start: String = what.chars().take(LONGEST - 1).collect();
        format!("<title>{}</title>{}…", escaped(what), escaped(&start))
    } else {
        escaped(what)
    };
    writeln!(out, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" xml:space=\"preserve\">{shown}</text>")
}

/// Text as XML has it. Control characters, which XML cannot hold at all, become a replacement character.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
