//! Where boxes and arrows go: layers from top to bottom, labels in rows of their own between them, so that nothing
//! covers anything. Geometry alone: it does not know what stands in a box.
//!
//! The method is Sugiyama's: ranks, dummy items where an arrow passes a rank (`graph`), few crossings by barycenters and
//! exchanges of neighbours (`order`), then places as close to the neighbours' as order and gaps allow (`place`).

mod graph;
mod order;
mod place;

use graph::Graph;

/// Width and height.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Size {
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// A point, x to the right and y down.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

/// An arrow to be placed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrow {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) label: Size,
}

/// Which way the layers follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Down,
    Right,
}

/// The way of an arrow: it goes along the direction at each of its points, and bends between them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Route {
    /// From the sender to the receiver; empty for an arrow that cannot be drawn (onto its own box).
    pub(crate) points: Vec<Point>,
    /// The upper left corner of the label.
    pub(crate) label: Point,
}

/// What was found.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) direction: Direction,
    pub(crate) size: Size,
    /// The upper left corner of each box.
    pub(crate) boxes: Vec<Point>,
    /// The way of each arrow.
    pub(crate) routes: Vec<Route>,
    /// How often two arrows cross.
    #[cfg(test)]
    pub(crate) crossings: usize,
}

/// Places the boxes and arrows. Arrows that name no box are left out.
pub(crate) fn layout(boxes: &[Size], arrows: &[Arrow], direction: Direction) -> Layout {
    // To the right is down with all sizes and places turned.
    let turned = |size: &Size| match direction {
        Direction::Down => *size,
        Direction::Right => Size { width: size.height, height: size.width },
    };
    let sizes: Vec<Size> = boxes.iter().map(turned).collect();
    let turned_arrows: Vec<Arrow> = arrows.iter().map(|a| Arrow { label: turned(&a.label), ..*a }).collect();
    let mut graph = Graph::new(&sizes, &turned_arrows);
    let _crossings = order::order(&mut graph);
    let mut found = place::place(&mut graph, sizes.len());
    #[cfg(test)]
    (found.crossings = _crossings);
    if direction == Direction::Right {
        let back = |p: &mut Point| std::mem::swap(&mut p.x, &mut p.y);
        found.boxes.iter_mut().for_each(back);
        for route in &mut found.routes {
            route.points.iter_mut().for_each(back);
            back(&mut route.label);
        }
        found.size = Size { width: found.size.height, height: found.size.width };
    }
    found.direction = direction;
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOX: Size = Size { width: 120.0, height: 60.0 };
    const LABEL: Size = Size { width: 80.0, height: 30.0 };

    fn arrows(pairs: &[(usize, usize)]) -> Vec<Arrow> {
        pairs.iter().map(|&(from, to)| Arrow { from, to, label: LABEL }).collect()
    }

    #[test]
    fn a_line_of_boxes_is_straight() {
        let line = arrows(&[(0, 1), (1, 2), (2, 3)]);
        let down = layout(&[BOX; 4], &line, Direction::Down);
        assert!(down.boxes.iter().all(|b| b.x == down.boxes[0].x), "{:?}", down.boxes);
        let right = layout(&[BOX; 4], &line, Direction::Right);
        assert!(right.boxes.iter().all(|b| b.y == right.boxes[0].y), "{:?}", right.boxes);
        assert!(right.boxes.windows(2).all(|w| w[0].x + BOX.width < w[1].x), "{:?}", right.boxes);
    }

    #[test]
    fn receivers_are_behind_their_senders() {
        let arrows = arrows(&[(0, 3), (1, 3), (3, 4), (3, 5), (4, 6), (5, 6), (2, 7), (6, 7), (0, 7), (1, 6)]);
        let down = layout(&[BOX; 8], &arrows, Direction::Down);
        let right = layout(&[BOX; 8], &arrows, Direction::Right);
        for arrow in &arrows {
            assert!(down.boxes[arrow.from].y + BOX.height < down.boxes[arrow.to].y, "{arrow:?}");
            assert!(right.boxes[arrow.from].x + BOX.width < right.boxes[arrow.to].x, "{arrow:?}");
        }
    }

    #[test]
    fn crossings_that_can_be_avoided_are() {
        // As numbered the two arrows cross.
        let found = layout(&[BOX; 4], &arrows(&[(0, 3), (1, 2)]), Direction::Down);
        let order = |a: usize, b: usize| found.boxes[a].x < found.boxes[b].x;
        assert_eq!((order(0, 1), found.crossings), (order(3, 2), 0));
    }

    #[test]
    fn a_source_stands_in_front_of_what_takes_its_rows() {
        // 3 is needed only by the last of a long line.
        let found = layout(&[BOX; 5], &arrows(&[(0, 1), (1, 2), (2, 4), (3, 4)]), Direction::Down);
        assert_eq!(found.boxes[3].y, found.boxes[2].y);
    }

    #[test]
    fn strange_arrows_do_no_harm() {
        let found = layout(&[BOX; 2], &arrows(&[(0, 0), (1, 0), (7, 1), (0, 1)]), Direction::Down);
        assert!(found.routes[0].points.is_empty() && found.routes[2].points.is_empty());
        let up = &found.routes[1].points;
        assert!(up[0].y > up[up.len() - 1].y, "an arrow against the order goes up");
        assert!(layout(&[], &[], Direction::Down).boxes.is_empty());
    }
}
