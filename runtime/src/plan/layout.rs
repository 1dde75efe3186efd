//! Where boxes and arrows of a picture of the plan go: layers from top to bottom by longest path, labels in rows of
//! their own between them, so that nothing covers anything. Geometry alone: it does not know what stands in a box.
//!
//! The method is Sugiyama's: ranks, dummy items where an arrow passes a rank, few crossings by barycenters, then
//! places as close to the neighbours' as order and gaps allow, which is an isotonic regression and solved exactly.

/// Width and height.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Size {
    pub(super) width: f64,
    pub(super) height: f64,
}

/// A point, x to the right and y down.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// An arrow to be placed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrow {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) label: Size,
}

/// The way of an arrow: it goes straight down at each of its points, and bends between them.
#[derive(Clone, Debug, Default)]
pub(super) struct Route {
    /// From the sender to the receiver; empty for an arrow that cannot be drawn (onto its own box).
    pub(super) points: Vec<Point>,
    /// The upper left corner of the label.
    pub(super) label: Point,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub(super) size: Size,
    /// The upper left corner of each box.
    pub(super) boxes: Vec<Point>,
    /// The way of each arrow.
    pub(super) routes: Vec<Route>,
}

/// Between two neighbours in a row.
const GAP: f64 = 36.0;
/// Between a box and the row of labels above or below.
const ROW_GAP: f64 = 36.0;
/// Between two arrows at the same side of a box, and between an arrow and the box's corner.
const PORT_GAP: f64 = 22.0;
/// How often the rows are put in order.
const SWEEPS: usize = 12;
/// How often the places are evened out.
const EVENINGS: usize = 100;
/// How much more a long arrow pulls at itself than at the boxes at its ends: it should be straight.
const STRAIGHT: f64 = 40.0;

/// Places the boxes and arrows. Arrows that name no box are left out.
pub(super) fn layout(boxes: &[Size], arrows: &[Arrow]) -> Layout {
    let mut drawing = Drawing::new(boxes, arrows);
    drawing.order_rows();
    drawing.place_columns();
    drawing.place_rows();
    drawing.finish(boxes, arrows)
}

/// A box, a label, or a point that an arrow passes on its way.
#[derive(Clone, Debug, Default)]
struct Item {
    size: Size,
    rank: usize,
    above: Vec<usize>,
    below: Vec<usize>,
    /// For a label or a point of an arrow: which arrow.
    arrow: Option<usize>,
    /// The middle of its upper side.
    at: Point,
}

/// Items `0..boxes` are the boxes.
struct Drawing {
    items: Vec<Item>,
    /// Items by rank, from left to right.
    rows: Vec<Vec<usize>>,
    /// Per arrow its items from the upper box to the lower one, and whether it goes up.
    paths: Vec<(Vec<usize>, bool)>,
}

impl Drawing {
    fn new(boxes: &[Size], arrows: &[Arrow]) -> Drawing {
        let mut items: Vec<Item> = boxes.iter().map(|&size| Item { size, ..Item::default() }).collect();
        for (index, rank) in ranks(boxes.len(), arrows).into_iter().enumerate() {
            items[index].rank = rank;
        }
        let mut drawing = Drawing { items, rows: Vec::new(), paths: Vec::new() };
        for arrow in arrows {
            let path = drawing.add_arrow(boxes.len(), arrow);
            drawing.paths.push(path);
        }
        let ranks = drawing.items.iter().map(|i| i.rank + 1).max().unwrap_or_default();
        drawing.rows = vec![Vec::new(); ranks];
        for (index, item) in drawing.items.iter().enumerate() {
            drawing.rows[item.rank].push(index);
        }
        drawing
    }

    /// Adds an item for the label and one for each further rank that the arrow passes.
    fn add_arrow(&mut self, boxes: usize, arrow: &Arrow) -> (Vec<usize>, bool) {
        let &Arrow { from, to, label } = arrow;
        if from >= boxes || to >= boxes || self.items[from].rank == self.items[to].rank {
            return (Vec::new(), false);
        }
        let goes_up = self.items[from].rank > self.items[to].rank;
        let (upper, lower) = if goes_up { (to, from) } else { (from, to) };
        let mut path = vec![upper];
        for rank in self.items[upper].rank + 1..self.items[lower].rank {
            let is_label = path.len() == 1;
            let size = if is_label { label } else { Size { width: 8.0, height: 0.0 } };
            self.items.push(Item { size, rank, arrow: Some(self.paths.len()), ..Item::default() });
            path.push(self.items.len() - 1);
        }
        path.push(lower);
        for pair in path.windows(2) {
            if let &[a, b] = pair {
                self.items[a].below.push(b);
                self.items[b].above.push(a);
            }
        }
        (path, goes_up)
    }

    /// Puts the rows in an order with few crossings.
    fn order_rows(&mut self) {
        let mut best = (self.crossings(), self.rows.clone());
        for sweep in 0..SWEEPS {
            let down = sweep % 2 == 0;
            let count = self.rows.len();
            for step in 0..count {
                let rank = if down { step } else { count - 1 - step };
                let place = self.places();
                let mut row: Vec<(f64, usize)> = self.rows[rank]
                    .iter()
                    .map(|&i| {
                        let next = if down { &self.items[i].above } else { &self.items[i].below };
                        (mean(next.iter().map(|&n| place[n])).unwrap_or(place[i]), i)
                    })
                    .collect();
                row.sort_by(|a, b| a.0.total_cmp(&b.0));
                self.rows[rank] = row.into_iter().map(|(_, i)| i).collect();
            }
            let crossings = self.crossings();
            if crossings < best.0 {
                best = (crossings, self.rows.clone());
            }
        }
        self.rows = best.1;
    }

    /// Where in its row each item is, as a fraction, so that rows of different lengths compare.
    fn places(&self) -> Vec<f64> {
        let mut places = vec![0.0; self.items.len()];
        for row in &self.rows {
            for (place, &item) in row.iter().enumerate() {
                places[item] = (place as f64 + 0.5) / row.len() as f64;
            }
        }
        places
    }

    fn crossings(&self) -> usize {
        let place = self.places();
        let mut crossings = 0;
        for row in &self.rows {
            let lines: Vec<(f64, f64)> = row
                .iter()
                .flat_map(|&i| self.items[i].below.iter().map(move |&b| (i, b)))
                .map(|(a, b)| (place[a], place[b]))
                .collect();
            for (n, a) in lines.iter().enumerate() {
                crossings += lines[n + 1..].iter().filter(|b| (a.0 - b.0) * (a.1 - b.1) < 0.0).count();
            }
        }
        crossings
    }

    /// Gives each item its x: as near to its neighbours' as order and gaps allow.
    fn place_columns(&mut self) {
        for rank in 0..self.rows.len() {
            self.place_row(rank, |_, _| 0.0);
        }
        for evening in 0..EVENINGS {
            let count = self.rows.len();
            for step in 0..count {
                let rank = if evening % 2 == 0 { step } else { count - 1 - step };
                self.place_row(rank, Drawing::wish);
            }
        }
        let left = |item: &Item| item.at.x - item.size.width / 2.0;
        let margin = self.items.iter().map(left).fold(f64::INFINITY, f64::min);
        for item in &mut self.items {
            item.at.x -= margin;
        }
    }

    /// Where an item would like to be: amid its neighbours, and in one line with the rest of its arrow.
    fn wish(&self, index: usize) -> f64 {
        let item = &self.items[index];
        let near = item.above.iter().chain(&item.below).map(|&n| (self.items[n].at.x, 1.0));
        let path = item.arrow.and_then(|arrow| self.paths.get(arrow)).map_or(&[][..], |(path, _)| path);
        let inner = path.get(1..path.len().saturating_sub(1)).unwrap_or_default();
        let line = if inner.len() > 1 { inner } else { &[] };
        weighted_mean(near.chain(line.iter().map(|&n| (self.items[n].at.x, STRAIGHT)))).unwrap_or(item.at.x)
    }

    fn place_row(&mut self, rank: usize, wish: impl Fn(&Drawing, usize) -> f64) {
        let row = self.rows[rank].clone();
        let wishes: Vec<f64> = row.iter().map(|&i| wish(self, i)).collect();
        let widths: Vec<f64> = row.iter().map(|&i| self.items[i].size.width).collect();
        let gaps: Vec<f64> = widths.windows(2).map(|w| w.iter().sum::<f64>() / 2.0 + GAP).collect();
        let weights: Vec<f64> = row.iter().map(|&i| self.weight(i)).collect();
        for (x, i) in spread(&wishes, &weights, &gaps).into_iter().zip(row) {
            self.items[i].at.x = x;
        }
    }

    /// How much an item insists on its place against others of its row.
    fn weight(&self, index: usize) -> f64 {
        let item = &self.items[index];
        // A point of a long arrow has no width to speak of: others can stand beside it.
        if item.arrow.is_some() && item.size.height == 0.0 { STRAIGHT } else { 1.0 }
    }

    /// Gives each row its y.
    fn place_rows(&mut self) {
        let mut y = 0.0;
        for row in &self.rows {
            let height = row.iter().map(|&i| self.items[i].size.height).fold(0.0, f64::max);
            for &i in row {
                self.items[i].at.y = y;
            }
            y += height + ROW_GAP;
        }
    }

    fn finish(&self, boxes: &[Size], arrows: &[Arrow]) -> Layout {
        let right = |i: &Item| i.at.x + i.size.width / 2.0;
        let bottom = |i: &Item| i.at.y + i.size.height;
        let corner = |i: &Item| Point { x: i.at.x - i.size.width / 2.0, y: i.at.y };
        let (leaving, arriving) = (self.ports(boxes.len(), true), self.ports(boxes.len(), false));
        let mut routes = Vec::with_capacity(arrows.len());
        for (arrow, (path, goes_up)) in self.paths.iter().enumerate() {
            let mut route = Route::default();
            for (place, &i) in path.iter().enumerate() {
                let item = &self.items[i];
                if place == 0 {
                    route.points.push(Point { x: leaving[arrow], y: bottom(item) });
                } else if place + 1 == path.len() {
                    route.points.push(Point { x: arriving[arrow], y: item.at.y });
                } else {
                    // Straight down through the whole row, whatever its height: boxes stand left and right.
                    let row = self.rows[item.rank].iter().map(|&i| bottom(&self.items[i])).fold(item.at.y, f64::max);
                    route.points.extend([item.at, Point { x: item.at.x, y: row }]);
                }
                if place == 1 {
                    route.label = corner(item);
                }
            }
            if *goes_up {
                route.points.reverse();
            }
            routes.push(route);
        }
        Layout {
            size: Size {
                width: self.items.iter().map(right).fold(0.0, f64::max),
                height: self.items.iter().map(bottom).fold(0.0, f64::max),
            },
            boxes: self.items.iter().take(boxes.len()).map(corner).collect(),
            routes,
        }
    }

    /// The x at which each arrow leaves its upper box (or arrives at its lower one): in front of where it goes next.
    fn ports(&self, boxes: usize, leaving: bool) -> Vec<f64> {
        let mut ports = vec![0.0; self.paths.len()];
        for (index, item) in self.items.iter().enumerate().take(boxes) {
            let mut here: Vec<(usize, f64)> = Vec::new();
            for (arrow, (path, _)) in self.paths.iter().enumerate() {
                let (end, next) = match path[..] {
                    [first, second, ..] if leaving => (first, second),
                    [.., second, last] if !leaving => (last, second),
                    _ => continue,
                };
                if end == index {
                    here.push((arrow, self.items[next].at.x));
                }
            }
            here.sort_by(|a, b| a.1.total_cmp(&b.1));
            let gap = PORT_GAP.min(item.size.width / (here.len() + 1) as f64);
            let reach = item.size.width / 2.0 - gap;
            let wishes: Vec<f64> = here.iter().map(|p| p.1.clamp(item.at.x - reach, item.at.x + reach)).collect();
            let gaps = vec![gap; here.len().saturating_sub(1)];
            let mut xs = spread(&wishes, &vec![1.0; here.len()], &gaps);
            // Evening out may have pushed the outermost over the corner.
            let over = xs.last().map_or(0.0, |x| (x - item.at.x - reach).max(0.0));
            let under = xs.first().map_or(0.0, |x| (item.at.x - reach - x).max(0.0));
            xs.iter_mut().for_each(|x| *x += under - over);
            for ((arrow, _), x) in here.into_iter().zip(xs) {
                ports[arrow] = x;
            }
        }
        ports
    }
}

/// The rank of each box, even numbers: two more than its highest sender's. Boxes come in data order, so one pass does;
/// an arrow against that order (a loop) does not push anything down.
fn ranks(boxes: usize, arrows: &[Arrow]) -> Vec<usize> {
    let mut ranks = vec![0; boxes];
    for to in 0..boxes {
        let senders = arrows.iter().filter(|a| a.to == to && a.from < to).map(|a| ranks[a.from] + 2);
        ranks[to] = senders.max().unwrap_or_default();
    }
    ranks
}

/// The places nearest to the wishes (weighted least squares) that keep the order and the gaps: pool adjacent violators.
fn spread(wishes: &[f64], weights: &[f64], gaps: &[f64]) -> Vec<f64> {
    let mut offsets = vec![0.0; wishes.len()];
    for i in 1..wishes.len() {
        offsets[i] = offsets[i - 1] + gaps[i - 1];
    }
    let mut pools: Vec<(f64, f64, usize)> = Vec::new(); // mean, weight, length
    for ((wish, weight), offset) in wishes.iter().zip(weights).zip(&offsets) {
        let mut pool = (wish - offset, *weight, 1);
        while let Some(&(mean, weight, length)) = pools.last() {
            if mean <= pool.0 {
                break;
            }
            let sum = weight + pool.1;
            pool = ((mean * weight + pool.0 * pool.1) / sum, sum, length + pool.2);
            pools.pop();
        }
        pools.push(pool);
    }
    let places = pools.into_iter().flat_map(|(mean, _, length)| std::iter::repeat_n(mean, length));
    places.zip(offsets).map(|(mean, offset)| mean + offset).collect()
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    weighted_mean(values.map(|v| (v, 1.0)))
}

fn weighted_mean(values: impl Iterator<Item = (f64, f64)>) -> Option<f64> {
    let (sum, weight) = values.fold((0.0, 0.0), |(s, w), (value, weight)| (s + value * weight, w + weight));
    (weight > 0.0).then(|| sum / weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOX: Size = Size { width: 120.0, height: 60.0 };
    const LABEL: Size = Size { width: 80.0, height: 30.0 };

    fn arrows(pairs: &[(usize, usize)]) -> Vec<Arrow> {
        pairs.iter().map(|&(from, to)| Arrow { from, to, label: LABEL }).collect()
    }

    /// Ten chains: joins, a diamond, an edge that skips three layers.
    fn ten() -> Vec<Arrow> {
        let near = [(0, 3), (1, 3), (3, 4), (3, 5), (4, 6), (5, 6), (2, 7), (6, 7), (7, 8), (7, 9)];
        let far = [(0, 9), (1, 8)];
        arrows(&[near.as_slice(), &far].concat())
    }

    fn overlap(a: (Point, Size), b: (Point, Size)) -> bool {
        let apart = |p: f64, s: f64, q: f64, t: f64| p + s <= q || q + t <= p;
        !apart(a.0.x, a.1.width, b.0.x, b.1.width) && !apart(a.0.y, a.1.height, b.0.y, b.1.height)
    }

    #[test]
    fn receivers_are_below_their_senders() {
        let arrows = ten();
        let found = layout(&[BOX; 10], &arrows);
        for arrow in &arrows {
            assert!(found.boxes[arrow.from].y + BOX.height < found.boxes[arrow.to].y, "{arrow:?}");
        }
    }

    #[test]
    fn nothing_covers_anything() {
        let arrows = ten();
        let found = layout(&[BOX; 10], &arrows);
        let boxes = found.boxes.iter().map(|&p| (p, BOX));
        let all: Vec<_> = boxes.chain(found.routes.iter().map(|r| (r.label, LABEL))).collect();
        for (i, a) in all.iter().enumerate() {
            assert!(a.0.x >= 0.0 && a.0.x + a.1.width <= found.size.width, "{i} is outside");
            for (j, b) in all.iter().enumerate().skip(i + 1) {
                assert!(!overlap(*a, *b), "{i} covers {j}: {a:?} {b:?}");
            }
        }
    }

    #[test]
    fn arrows_pass_beside_boxes_and_end_at_their_own() {
        let arrows = ten();
        let found = layout(&[BOX; 10], &arrows);
        for (arrow, route) in arrows.iter().zip(&found.routes) {
            let (first, last) = (route.points[0], route.points[route.points.len() - 1]);
            let (from, to) = (found.boxes[arrow.from], found.boxes[arrow.to]);
            assert_eq!((first.y, last.y), (from.y + BOX.height, to.y));
            assert!(first.x > from.x && first.x < from.x + BOX.width, "{arrow:?} leaves at {first:?}");
            assert!(last.x > to.x && last.x < to.x + BOX.width, "{arrow:?} arrives at {last:?}");
            for pair in route.points.windows(2).filter(|pair| pair[0].x == pair[1].x) {
                let size = Size { width: 0.0, height: pair[1].y - pair[0].y };
                let covered = found.boxes.iter().position(|&b| overlap((pair[0], size), (b, BOX)));
                assert_eq!(covered, None, "{arrow:?} crosses a box at {pair:?}");
            }
        }
    }

    #[test]
    fn a_line_of_boxes_is_straight() {
        let found = layout(&[BOX; 4], &arrows(&[(0, 1), (1, 2), (2, 3)]));
        assert!(found.boxes.iter().all(|b| b.x == found.boxes[0].x), "{:?}", found.boxes);
    }

    #[test]
    fn crossings_that_can_be_avoided_are() {
        // As numbered the two arrows cross.
        let found = layout(&[BOX; 4], &arrows(&[(0, 3), (1, 2)]));
        let order = |a: usize, b: usize| found.boxes[a].x < found.boxes[b].x;
        assert_eq!(order(0, 1), order(3, 2));
    }

    #[test]
    fn spread_keeps_gaps_and_stays_near() {
        assert_eq!(spread(&[0.0, 100.0], &[1.0, 1.0], &[10.0]), [0.0, 100.0]);
        assert_eq!(spread(&[0.0, 0.0], &[1.0, 1.0], &[10.0]), [-5.0, 5.0]);
        assert_eq!(spread(&[0.0, 0.0], &[3.0, 1.0], &[8.0]), [-2.0, 6.0]);
    }

    #[test]
    fn strange_arrows_do_no_harm() {
        let found = layout(&[BOX; 2], &arrows(&[(0, 0), (1, 0), (7, 1), (0, 1)]));
        assert!(found.routes[0].points.is_empty() && found.routes[2].points.is_empty());
        let up = &found.routes[1].points;
        assert!(up[0].y > up[up.len() - 1].y, "an arrow against the order goes up");
        assert!(layout(&[], &[]).boxes.is_empty());
    }
}
