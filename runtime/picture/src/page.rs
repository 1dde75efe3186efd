//! A picture with everything in its place on a page. Which way it goes, down or to the right, depends on which is larger
//! on a screen.

use crate::layout::{self, Direction, Layout, Point, Size};
use crate::lines::{Lines, MARK};
use crate::text::{sans, wrap};
use crate::{Mark, Picture};

/// Around everything.
pub(crate) const MARGIN: f64 = 32.0;
/// From the top of the page to the first box.
const HEAD: f64 = 94.0;
/// Per note.
const NOTE: f64 = 21.0;
/// Per line of a label.
pub(crate) const LABEL_LINE: f64 = 16.0;
/// Longer lines of a label are broken.
const LABEL: f64 = 230.0;
/// Longer notes are broken, unless the picture is wider.
const NOTES: f64 = 560.0;
/// How much larger a picture to the right must be than one downwards.
const BETTER: f64 = 1.2;
/// What it is shown on.
const SCREEN: Size = Size { width: 16.0, height: 9.0 };

/// Where everything stands, and what is written.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) size: Size,
    /// From the layout's corner to the page's.
    pub(crate) shift: Point,
    pub(crate) layout: Layout,
    pub(crate) chains: Vec<Lines>,
    pub(crate) labels: Vec<Label>,
    /// Below the title.
    pub(crate) subtitle: Vec<(Point, String)>,
    /// At the foot: a mark, if the note explains one, and a line.
    pub(crate) notes: Vec<(Option<Mark>, Point, String)>,
}

/// A label, measured.
#[derive(Clone, Debug)]
pub(crate) struct Label {
    pub(crate) size: Size,
    pub(crate) lines: Vec<LabelLine>,
}

#[derive(Clone, Debug)]
pub(crate) struct LabelLine {
    pub(crate) text: String,
    /// Whether it stands out.
    pub(crate) first: bool,
}

/// A corner and a size.
#[derive(Clone, Copy, Debug)]
#[cfg(test)]
pub(crate) struct Rect {
    pub(crate) at: Point,
    pub(crate) size: Size,
}

impl Page {
    pub(crate) fn of(picture: &Picture) -> Page {
        let chains: Vec<Lines> = picture.chains.iter().map(Lines::of).collect();
        let labels: Vec<Label> = picture.arrows.iter().map(|arrow| Label::of(&arrow.label)).collect();
        let sizes: Vec<Size> = chains.iter().map(|chain| chain.size).collect();
        let arrow = |(arrow, label): (&crate::Arrow, &Label)| layout::Arrow {
            from: arrow.from,
            to: arrow.to,
            label: label.size,
        };
        let arrows: Vec<layout::Arrow> = picture.arrows.iter().zip(&labels).map(arrow).collect();
        let down = layout::layout(&sizes, &arrows, Direction::Down);
        let right = layout::layout(&sizes, &arrows, Direction::Right);
        let layout = if scale(right.size) > scale(down.size) * BETTER { right } else { down };

        let width = layout.size.width.max(NOTES).max(picture.title.chars().count() as f64 * 16.0);
        let broken = |text: &str| wrap(text, width, usize::MAX, |t| sans(t, 13.0, false));
        let subtitle = broken(&picture.subtitle).into_iter().enumerate();
        let subtitle: Vec<_> =
            subtitle.map(|(n, line)| (Point { x: MARGIN, y: 65.0 + n as f64 * NOTE }, line)).collect();
        let head = HEAD + subtitle.len().saturating_sub(1) as f64 * NOTE;
        let mut y = head + layout.size.height + 36.0;
        let mut notes = Vec::new();
        for mark in picture.marks() {
            notes.push((Some(mark), Point { x: MARGIN, y }, mark.means().to_owned()));
            y += NOTE;
        }
        for line in picture.notes.iter().flat_map(|note| broken(note)) {
            notes.push((None, Point { x: MARGIN, y }, line));
            y += NOTE;
        }
        let bottom = if notes.is_empty() { head + layout.size.height } else { y - NOTE };
        let texts =
            notes.iter().map(|(mark, _, note)| sans(note, 13.0, false) + if mark.is_some() { MARK } else { 0.0 });
        let texts = texts.chain(subtitle.iter().map(|(_, line)| sans(line, 13.0, false)));
        let widest = texts.chain([sans(&picture.title, 21.0, true)]).fold(layout.size.width, f64::max);
        let size = Size { width: (widest + 2.0 * MARGIN).ceil(), height: (bottom + MARGIN).ceil() };
        let shift = Point { x: (size.width - layout.size.width) / 2.0, y: head };
        Page { size, shift, layout, chains, labels, subtitle, notes }
    }
}

impl Label {
    fn of(lines: &[String]) -> Label {
        let mut all = Vec::new();
        for (n, line) in lines.iter().enumerate() {
            let first = n == 0;
            let broken = wrap(line, LABEL, 3, |t| sans(t, 12.0, first));
            all.extend(broken.into_iter().map(|text| LabelLine { text, first }));
        }
        let widest = all.iter().map(|line| sans(&line.text, 12.0, line.first)).fold(0.0, f64::max);
        Label { size: Size { width: widest + 20.0, height: all.len() as f64 * LABEL_LINE + 12.0 }, lines: all }
    }
}

/// How large it is shown on a screen.
fn scale(size: Size) -> f64 {
    let (width, height) = (size.width.max(NOTES) + 2.0 * MARGIN, size.height + HEAD + 2.0 * MARGIN);
    (SCREEN.width / width).min(SCREEN.height / height)
}

impl Point {
    pub(crate) fn plus(self, shift: Point) -> Point {
        Point { x: self.x + shift.x, y: self.y + shift.y }
    }
}

#[cfg(test)]
#[path = "page/tests.rs"]
mod tests;
