//! What stands in a box: a line for each operator, names in a column of their own, and where rows go several ways, a
//! tree. Long texts are broken, not cut.

use crate::layout::{Point, Size};
use crate::text::{mono, wrap};
use crate::{Chain, Mark, Operator};

/// Inside a box, left and right.
pub(crate) const PAD: f64 = 18.0;
/// Inside a box, above and below.
const PAD_Y: f64 = 12.0;
/// Per operator.
const LINE: f64 = 21.0;
/// Per further line of an operator.
const MORE: f64 = 16.0;
/// From the top of a line to where its letters stand.
const BASE: f64 = 15.0;
/// Between names and operators.
const COLUMN_GAP: f64 = 16.0;
/// Per branch that an operator is inside of.
const INDENT: f64 = 18.0;
/// Longer operators are broken.
const WHAT: f64 = 300.0;
/// Longer names are broken.
const NAME: f64 = 200.0;
/// More lines of an operator end in an ellipsis.
const LINES: usize = 4;
/// Room for a mark.
pub(crate) const MARK: f64 = 18.0;

/// A chain, measured; places are within the box.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines {
    pub(crate) size: Size,
    pub(crate) names: Vec<Text>,
    pub(crate) whats: Vec<Text>,
    pub(crate) marks: Vec<(Mark, Point)>,
    /// From an operator down and aside to one that takes its rows, where several do.
    pub(crate) branches: Vec<[Point; 3]>,
}

/// A piece of text, its left end on the line that letters stand on.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub(crate) at: Point,
    pub(crate) shown: String,
    /// The whole, if not all of it is shown.
    pub(crate) whole: Option<String>,
}

impl Lines {
    pub(crate) fn of(chain: &Chain) -> Lines {
        let mut lines = Lines::default();
        let order = tree(chain);
        let broken: Vec<(Vec<String>, Vec<String>)> =
            chain.operators.iter().map(|o| (wrap(&o.name, NAME, 2, mono), wrap(&o.what, WHAT, LINES, mono))).collect();
        let widest = |texts: &Vec<String>| texts.iter().map(|t| mono(t)).fold(0.0, f64::max);
        let names = broken.iter().map(|(name, _)| widest(name)).fold(0.0, f64::max);
        let column = PAD + if names > 0.0 { names + COLUMN_GAP } else { 0.0 };
        let whats = order.iter().map(|&(o, depth)| depth as f64 * INDENT + widest(&broken[o].1)).fold(0.0, f64::max);
        let marks = chain.operators.iter().map(|o| o.marks().count()).max().unwrap_or_default();
        let marks_at = column + whats + 12.0;
        let end = if marks > 0 { marks_at + marks as f64 * MARK - 4.0 } else { column + whats };
        let mut places = vec![Point::default(); chain.operators.len()];
        let mut y = PAD_Y;
        for &(index, depth) in &order {
            let operator = &chain.operators[index];
            let x = column + depth as f64 * INDENT;
            let (name, what) = &broken[index];
            let below = |lines: &[String]| lines.len().saturating_sub(1) as f64 * MORE;
            // A branch begins below all that is said of an operator.
            places[index] = Point { x, y: y + BASE + below(what) };
            if parent(chain, index).is_some_and(|from| is_branch(chain, from)) {
                let from = parent(chain, index).map_or(Point::default(), |from| places[from]);
                let (left, level) = (x - INDENT + 5.0, y + BASE - 4.5);
                let start = Point { x: left, y: from.y + 5.0 };
                lines.branches.push([start, Point { x: left, y: level }, Point { x: x - 4.0, y: level }]);
            }
            lines.names.extend(texts(&operator.name, name, PAD, y));
            lines.whats.extend(texts(&operator.what, what, x, y));
            for (n, mark) in operator.marks().enumerate() {
                lines.marks.push((mark, Point { x: marks_at + n as f64 * MARK, y: y + BASE }));
            }
            y += LINE + below(name).max(below(what));
        }
        lines.size = Size { width: end + PAD, height: y + PAD_Y };
        lines
    }
}

fn texts<'a>(whole: &'a str, lines: &'a [String], x: f64, y: f64) -> impl Iterator<Item = Text> + 'a {
    let cut = lines.last().is_some_and(|last| last.ends_with('…') && !whole.ends_with('…'));
    lines.iter().enumerate().map(move |(n, shown)| Text {
        at: Point { x, y: y + BASE + n as f64 * MORE },
        shown: shown.clone(),
        whole: cut.then(|| whole.to_owned()),
    })
}

/// The operator whose rows one takes.
fn parent(chain: &Chain, index: usize) -> Option<usize> {
    let Operator { input, .. } = chain.operators.get(index)?;
    (index > 0).then_some(if *input < index { *input } else { 0 })
}

/// Whether several take an operator's rows.
fn is_branch(chain: &Chain, of: usize) -> bool {
    (0..chain.operators.len()).filter(|&index| parent(chain, index) == Some(of)).count() > 1
}

/// The operators so that each stands below the one whose rows it takes, and how many branches it is inside of.
fn tree(chain: &Chain) -> Vec<(usize, usize)> {
    let mut order = Vec::with_capacity(chain.operators.len());
    let mut open = if chain.operators.is_empty() { vec![] } else { vec![(0, 0)] };
    while let Some((index, depth)) = open.pop() {
        order.push((index, depth));
        let depth = depth + usize::from(is_branch(chain, index));
        let next = (0..chain.operators.len()).rev().filter(|&n| parent(chain, n) == Some(index));
        open.extend(next.map(|n| (n, depth)));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(inputs: &[usize]) -> Chain {
        let one = |&input| Operator { what: "map".into(), input, ..Operator::default() };
        Chain { operators: inputs.iter().map(one).collect() }
    }

    #[test]
    fn operators_stand_below_those_whose_rows_they_take() {
        assert_eq!(tree(&chain(&[0, 0, 1])), [(0, 0), (1, 0), (2, 0)]);
        // a split: 1 and 3 take of 0, 2 of 1, 4 of 3
        assert_eq!(tree(&chain(&[0, 0, 1, 0, 3])), [(0, 0), (1, 1), (2, 1), (3, 1), (4, 1)]);
        // told in another order
        assert_eq!(tree(&chain(&[0, 0, 0, 1])), [(0, 0), (1, 1), (3, 1), (2, 1)]);
    }

    #[test]
    fn late_rows_and_strange_inputs_are_of_the_first() {
        assert_eq!(tree(&chain(&[0, 7, usize::MAX])), [(0, 0), (1, 1), (2, 1)]);
        assert!(tree(&chain(&[])).is_empty());
    }
}
