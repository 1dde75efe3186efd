//! Gives every item its place: x as near to its neighbours' as order and gaps allow, which is an isotonic regression and
//! solved exactly for a row; y by rows.

use super::graph::{Graph, Item};
use super::{Direction, Layout, Point, Route, Size};

/// Between two neighbours in a row.
const GAP: f64 = 30.0;
/// Between two rows, at least.
const ROW_GAP: f64 = 32.0;
/// Between two rows, at most.
const WIDEST_ROW_GAP: f64 = 72.0;
/// Between two arrows at the same side of a box, and between an arrow and the box's corner.
const PORT_GAP: f64 = 22.0;
/// How often the places are evened out.
const EVENINGS: usize = 60;
/// How much more a long arrow pulls at itself than at the boxes at its ends: it should be straight.
const STRAIGHT: f64 = 40.0;

/// Places items whose rows are in order.
pub(super) fn place(graph: &mut Graph, boxes: usize) -> Layout {
    columns(graph);
    let (leaving, arriving) = (ports(graph, boxes, true), ports(graph, boxes, false));
    rows(graph, &leaving, &arriving);
    routes(graph, boxes, &leaving, &arriving)
}

/// Gives each item its x.
fn columns(graph: &mut Graph) {
    for rank in 0..graph.rows.len() {
        row(graph, rank, |_, _| 0.0);
    }
    let count = graph.rows.len();
    for evening in 0..EVENINGS {
        for step in 0..count {
            row(graph, if evening % 2 == 0 { step } else { count - 1 - step }, wish);
        }
    }
    let left = |item: &Item| item.at.x - item.size.width / 2.0;
    let margin = graph.items.iter().map(left).fold(f64::INFINITY, f64::min);
    for item in &mut graph.items {
        item.at.x -= margin;
    }
}

/// Where an item would like to be: amid its neighbours, and in one line with the rest of its arrow.
fn wish(graph: &Graph, index: usize) -> f64 {
    let item = &graph.items[index];
    let near = item.above.iter().chain(&item.below).map(|&n| (graph.items[n].at.x, 1.0));
    let path = item.arrow.and_then(|arrow| graph.paths.get(arrow)).map_or(&[][..], |(path, _)| path);
    let inner = path.get(1..path.len().saturating_sub(1)).unwrap_or_default();
    let line = if inner.len() > 1 { inner } else { &[] };
    let line = line.iter().map(|&n| (graph.items[n].at.x, STRAIGHT));
    let (sum, weight) = near.chain(line).fold((0.0, 0.0), |(s, w), (x, weight)| (s + x * weight, w + weight));
    if weight > 0.0 { sum / weight } else { item.at.x }
}

fn row(graph: &mut Graph, rank: usize, wish: impl Fn(&Graph, usize) -> f64) {
    let row = graph.rows[rank].clone();
    let wishes: Vec<f64> = row.iter().map(|&i| wish(graph, i)).collect();
    let widths: Vec<f64> = row.iter().map(|&i| graph.items[i].size.width).collect();
    let gaps: Vec<f64> = widths.windows(2).map(|w| w.iter().sum::<f64>() / 2.0 + GAP).collect();
    let weights: Vec<f64> = row.iter().map(|&i| weight(&graph.items[i])).collect();
    for (x, i) in spread(&wishes, &weights, &gaps).into_iter().zip(row) {
        graph.items[i].at.x = x;
    }
}

/// How much an item insists on its place against others of its row.
fn weight(item: &Item) -> f64 {
    // A point of a long arrow has no width to speak of: others can stand beside it.
    if item.arrow.is_some() && item.size.height == 0.0 { STRAIGHT } else { 1.0 }
}

/// Gives each row its y: the further an arrow goes aside between two rows, the further apart they are.
fn rows(graph: &mut Graph, leaving: &[f64], arriving: &[f64]) {
    let mut aside = vec![0.0_f64; graph.rows.len()];
    for (arrow, (path, _)) in graph.paths.iter().enumerate() {
        for (place, pair) in path.windows(2).enumerate() {
            let &[a, b] = pair else { continue };
            let from = if place == 0 { leaving[arrow] } else { graph.items[a].at.x };
            let to = if place + 2 == path.len() { arriving[arrow] } else { graph.items[b].at.x };
            let rank = graph.items[a].rank;
            aside[rank] = aside[rank].max((from - to).abs());
        }
    }
    let mut y = 0.0;
    for (row, aside) in graph.rows.iter().zip(aside) {
        let height = row.iter().map(|&i| graph.items[i].size.height).fold(0.0, f64::max);
        for &i in row {
            graph.items[i].at.y = y;
        }
        y += height + (aside * 0.16).clamp(ROW_GAP, WIDEST_ROW_GAP);
    }
}

fn routes(graph: &Graph, boxes: usize, leaving: &[f64], arriving: &[f64]) -> Layout {
    let right = |i: &Item| i.at.x + i.size.width / 2.0;
    let bottom = |i: &Item| i.at.y + i.size.height;
    let corner = |i: &Item| Point { x: i.at.x - i.size.width / 2.0, y: i.at.y };
    // Straight through the whole row, whatever its height: boxes stand left and right.
    let row_end = |i: &Item| graph.rows[i.rank].iter().map(|&n| bottom(&graph.items[n])).fold(i.at.y, f64::max);
    let mut routes = Vec::with_capacity(graph.paths.len());
    for (arrow, (path, goes_up)) in graph.paths.iter().enumerate() {
        let mut route = Route::default();
        for (place, &i) in path.iter().enumerate() {
            let item = &graph.items[i];
            let (x, from) = match place {
                0 => (leaving[arrow], bottom(item)),
                _ if place + 1 == path.len() => {
                    route.points.push(Point { x: arriving[arrow], y: item.at.y });
                    break;
                }
                _ => (item.at.x, item.at.y),
            };
            route.points.extend([Point { x, y: from }, Point { x, y: row_end(item) }]);
            if place == 1 {
                route.label = corner(item);
            }
        }
        route.points.dedup();
        if *goes_up {
            route.points.reverse();
        }
        routes.push(route);
    }
    let size = Size {
        width: graph.items.iter().map(right).fold(0.0, f64::max),
        height: graph.items.iter().map(bottom).fold(0.0, f64::max),
    };
    let boxes = graph.items.iter().take(boxes).map(corner).collect();
    Layout {
        direction: Direction::Down,
        size,
        boxes,
        routes,
        #[cfg(test)]
        crossings: 0,
    }
}

/// The x at which each arrow leaves its upper box (or arrives at its lower one): in front of where it goes next.
fn ports(graph: &Graph, boxes: usize, leaving: bool) -> Vec<f64> {
    let mut ports = vec![0.0; graph.paths.len()];
    for (index, item) in graph.items.iter().enumerate().take(boxes) {
        let mut here: Vec<(usize, f64)> = Vec::new();
        for (arrow, (path, _)) in graph.paths.iter().enumerate() {
            let (end, next) = match path[..] {
                [first, second, ..] if leaving => (first, second),
                [.., second, last] if !leaving => (last, second),
                _ => continue,
            };
            if end == index {
                here.push((arrow, graph.items[next].at.x));
            }
        }
        here.sort_by(|a, b| a.1.total_cmp(&b.1));
        let gap = PORT_GAP.min(item.size.width / (here.len() + 1) as f64);
        let reach = item.size.width / 2.0 - gap;
        let wishes: Vec<f64> = here.iter().map(|p| p.1.clamp(item.at.x - reach, item.at.x + reach)).collect();
        let gaps = vec![gap; here.len().saturating_sub(1)];
        let mut xs = spread(&wishes, &vec![1.0; here.len()], &gaps);
        // Evening out may have pushed some over a corner: each has so much room to both sides as those beyond it need.
        let last = here.len().saturating_sub(1);
        for (n, x) in xs.iter_mut().enumerate() {
            let (before, behind) = (n as f64 * gap, (last - n) as f64 * gap);
            *x = x.clamp(item.at.x - reach + before, (item.at.x + reach - behind).max(item.at.x - reach + before));
        }
        for ((arrow, _), x) in here.into_iter().zip(xs) {
            ports[arrow] = x;
        }
    }
    ports
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

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn spread_keeps_gaps_and_stays_near() {
        assert_eq!(spread(&[0.0, 100.0], &[1.0, 1.0], &[10.0]), [0.0, 100.0]);
        assert_eq!(spread(&[0.0, 0.0], &[1.0, 1.0], &[10.0]), [-5.0, 5.0]);
        assert_eq!(spread(&[0.0, 0.0], &[3.0, 1.0], &[8.0]), [-2.0, 6.0]);
    }
}
