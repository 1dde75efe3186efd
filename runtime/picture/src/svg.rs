//! A page as SVG.

use std::fmt::{self, Write as _};

use crate::layout::{Direction, Point};
use crate::lines::{MARK, Text};
use crate::page::{LABEL_LINE, Label, MARGIN, Page};
use crate::style::{self, Ground};
use crate::text::escaped;
use crate::{ARRIVAL, Arrow, Chain, EdgeKind, Mark, Picture};

/// From the point of an arrow's head to the end of its line.
const HEAD: f64 = 9.0;

pub(crate) fn document(picture: &Picture) -> String {
    written(picture, Ground::Viewer)
}

pub(crate) fn in_rustdoc(picture: &Picture) -> String {
    written(picture, Ground::Rustdoc)
}

fn written(picture: &Picture, ground: Ground) -> String {
    let mut out = String::new();
    // Writing into a String does not fail.
    let _ = write(picture, ground, &mut out);
    out
}

fn write(picture: &Picture, ground: Ground, out: &mut String) -> fmt::Result {
    let page = Page::of(picture);
    let (width, height) = (page.size.width, page.size.height);
    let title = escaped(&format!("Plan of {}", picture.title));
    // A page scales what is wider than it; a document is as large as it is.
    let fits = if ground == Ground::Rustdoc { " style=\"max-width:100%;height:auto\"" } else { "" };
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"pelton-plan\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-label=\"{title}\"{fits}>"
    )?;
    writeln!(out, "<title>{title}</title>")?;
    writeln!(out, "<style>{}</style>", style::rules(ground))?;
    let (w, h) = (width - 2.0, height - 2.0);
    writeln!(out, "<rect class=\"pelton-panel\" x=\"1\" y=\"1\" width=\"{w:.0}\" height=\"{h:.0}\" rx=\"14\"/>")?;
    text(out, "title", Point { x: MARGIN, y: 42.0 }, &picture.title, None)?;
    for (at, line) in &page.subtitle {
        text(out, "note", *at, line, None)?;
    }
    for (arrow, route) in picture.arrows.iter().zip(&page.layout.routes) {
        edge(out, arrow, &route.points, &page)?;
    }
    for (index, chain) in picture.chains.iter().enumerate() {
        box_of(out, picture, index, chain, &page)?;
    }
    for ((arrow, label), route) in picture.arrows.iter().zip(&page.labels).zip(&page.layout.routes) {
        if !route.points.is_empty() {
            label_of(out, arrow, label, route.label.plus(page.shift))?;
        }
    }
    for (explained, at, note) in &page.notes {
        if let Some(explained) = explained {
            mark(out, *explained, *at)?;
        }
        let aside = if explained.is_some() { MARK } else { 0.0 };
        text(out, "note", Point { x: at.x + aside, y: at.y }, note, None)?;
    }
    out.push_str("</svg>\n");
    Ok(())
}

fn box_of(out: &mut String, picture: &Picture, index: usize, chain: &Chain, page: &Page) -> fmt::Result {
    let (Some(corner), Some(lines)) = (page.layout.boxes.get(index), page.chains.get(index)) else { return Ok(()) };
    let class = if !picture.arrows.iter().any(|e| e.to == index) {
        " pelton-source"
    } else if chain.operators.iter().any(|o| o.stateful) {
        " pelton-stateful"
    } else {
        ""
    };
    let at = corner.plus(page.shift);
    let Point { x, y } = at;
    let (width, height) = (lines.size.width, lines.size.height);
    writeln!(out, "<g>")?;
    writeln!(
        out,
        "<rect class=\"pelton-box{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"10\"/>"
    )?;
    writeln!(out, "<circle class=\"pelton-badge{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"12\"/>")?;
    text(out, "number", Point { x, y: y + 4.2 }, &(index + 1).to_string(), None)?;
    for branch in &lines.branches {
        let [a, b, c] = branch.map(|p| p.plus(at));
        writeln!(out, "<path class=\"pelton-branch\" d=\"M{:.1} {:.1} V{:.1} H{:.1}\"/>", a.x, a.y, b.y, c.x)?;
    }
    for (class, texts) in [("name", &lines.names), ("what", &lines.whats)] {
        for Text { at: within, shown, whole } in texts {
            text(out, class, within.plus(at), shown, whole.as_deref())?;
        }
    }
    for (which, within) in &lines.marks {
        mark(out, *which, within.plus(at))?;
    }
    writeln!(out, "</g>")
}

fn edge(out: &mut String, arrow: &Arrow, points: &[Point], page: &Page) -> fmt::Result {
    let (Some(first), [.., before, last]) = (points.first(), points) else { return Ok(()) };
    // The line ends at the back of the head: arrows arrive straight.
    let down = page.layout.direction == Direction::Down;
    let forward = if down { last.y > before.y } else { last.x > before.x };
    let back = if forward { -1.0 } else { 1.0 };
    let aside = |p: Point, by: f64| if down { Point { y: p.y + by, ..p } } else { Point { x: p.x + by, ..p } };
    let end = aside(*last, HEAD * back);
    let mut from = first.plus(page.shift);
    let mut path = format!("M{:.1} {:.1}", from.x, from.y);
    let inner = points.iter().skip(1).take(points.len() - 2);
    for to in inner.chain([&end]).map(|p| p.plus(page.shift)) {
        bend(&mut path, from, to, down)?;
        from = to;
    }
    let kind = if arrow.kind == EdgeKind::Local { " pelton-local" } else { "" };
    writeln!(out, "<path class=\"pelton-edge{kind}\" d=\"{path}\"/>")?;
    let tip = last.plus(page.shift);
    let base = aside(tip, (HEAD + 2.0) * back);
    let (left, right) = match down {
        true => (Point { x: base.x - 5.5, ..base }, Point { x: base.x + 5.5, ..base }),
        false => (Point { y: base.y - 5.5, ..base }, Point { y: base.y + 5.5, ..base }),
    };
    writeln!(
        out,
        "<path class=\"pelton-head\" d=\"M{:.1} {:.1} L{:.1} {:.1} L{:.1} {:.1} Z\"/>",
        tip.x, tip.y, left.x, left.y, right.x, right.y
    )
}

/// Straight on, or from one line into another.
fn bend(path: &mut String, from: Point, to: Point, down: bool) -> fmt::Result {
    if down && (from.x - to.x).abs() < 0.05 || !down && (from.y - to.y).abs() < 0.05 {
        return write!(path, " L{:.1} {:.1}", to.x, to.y);
    }
    let middle = if down { (from.y + to.y) / 2.0 } else { (from.x + to.x) / 2.0 };
    match down {
        true => write!(path, " C{:.1} {middle:.1} {:.1} {middle:.1} {:.1} {:.1}", from.x, to.x, to.x, to.y),
        false => write!(path, " C{middle:.1} {:.1} {middle:.1} {:.1} {:.1} {:.1}", from.y, to.y, to.x, to.y),
    }
}

fn label_of(out: &mut String, arrow: &Arrow, label: &Label, at: Point) -> fmt::Result {
    let (width, height) = (label.size.width, label.size.height);
    writeln!(out, "<g>")?;
    if !arrow.about.is_empty() {
        writeln!(out, "<title>{}</title>", escaped(&arrow.about))?;
    }
    writeln!(
        out,
        "<rect class=\"pelton-label\" x=\"{:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"8\"/>",
        at.x, at.y
    )?;
    for (n, line) in label.lines.iter().enumerate() {
        let class = if line.first { "how" } else { "rows" };
        let middle = Point { x: at.x + width / 2.0, y: at.y + 18.0 + n as f64 * LABEL_LINE };
        text(out, class, middle, &line.text, None)?;
    }
    writeln!(out, "</g>")
}

/// A mark: a shape of our own where a font may have none.
fn mark(out: &mut String, mark: Mark, at: Point) -> fmt::Result {
    let Point { x, y } = at;
    match mark {
        Mark::State => writeln!(
            out,
            "<rect class=\"pelton-state\" x=\"{x:.1}\" y=\"{:.1}\" width=\"11\" height=\"11\" rx=\"2\"/>",
            y - 10.0
        ),
        Mark::Arrival => text(out, "arrival", Point { x, y: y + 1.0 }, ARRIVAL, None),
        Mark::Sink => {
            writeln!(out, "<path class=\"pelton-sink\" d=\"M{x:.1} {:.1} h5 v-4 l7 5.5 l-7 5.5 v-4 h-5 Z\"/>", y - 6.5)
        }
    }
}

/// A line of text, and the whole of it for the pointer if it is cut.
fn text(out: &mut String, class: &str, at: Point, shown: &str, whole: Option<&str>) -> fmt::Result {
    let whole = whole.map_or(String::new(), |whole| format!("<title>{}</title>", escaped(whole)));
    writeln!(
        out,
        "<text class=\"pelton-{class}\" x=\"{:.1}\" y=\"{:.1}\" xml:space=\"preserve\">{whole}{}</text>",
        at.x,
        at.y,
        escaped(shown)
    )
}
