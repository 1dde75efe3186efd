//! Puts the rows in an order with few crossings: each item to the mean of its neighbours' places, row by row down and up
//! again, then neighbours exchanged where that helps; from several orders to begin with, since the method finds what is
//! near to where it begins.

use super::graph::Graph;

/// How often the rows are put in order, from each beginning.
const SWEEPS: usize = 12;

/// Orders the rows, and gives the number of crossings that are left.
pub(super) fn order(graph: &mut Graph) -> usize {
    let mut best: Option<(usize, Vec<Vec<usize>>)> = None;
    let walks = [walk(graph, false), walk(graph, true), (0..graph.items.len()).collect()];
    for place in walks {
        graph.rows.iter_mut().for_each(|row| row.sort_by_key(|&i| place[i]));
        for sweep in 0..=SWEEPS {
            if sweep > 0 {
                by_neighbours(graph, sweep % 2 == 1);
            }
            exchange(graph);
            let found = crossings(graph);
            if best.as_ref().is_none_or(|(least, _)| found < *least) {
                best = Some((found, graph.rows.clone()));
            }
            if found == 0 {
                break;
            }
        }
        if best.as_ref().is_some_and(|(least, _)| *least == 0) {
            break;
        }
    }
    let (least, rows) = best.unwrap_or_default();
    graph.rows = rows;
    least
}

/// When each item is met on a walk along the arrows, from the first box on: what hangs together stays together.
fn walk(graph: &Graph, last_first: bool) -> Vec<usize> {
    let mut met = vec![usize::MAX; graph.items.len()];
    let mut count = 0;
    for start in 0..graph.items.len() {
        let mut open = vec![start];
        while let Some(item) = open.pop() {
            if met[item] != usize::MAX {
                continue;
            }
            met[item] = count;
            count += 1;
            // What is pushed last is met first: what is below, before the other senders of it.
            let next = graph.items[item].above.iter().chain(&graph.items[item].below);
            if last_first { open.extend(next) } else { open.extend(next.rev()) }
        }
    }
    met
}

/// Puts each item at the mean of its neighbours' places, in one sweep down or up.
fn by_neighbours(graph: &mut Graph, down: bool) {
    let count = graph.rows.len();
    for step in 0..count {
        let rank = if down { step } else { count - 1 - step };
        let place = places(graph);
        let mut row: Vec<(f64, usize)> = graph.rows[rank]
            .iter()
            .map(|&i| {
                let next = if down { &graph.items[i].above } else { &graph.items[i].below };
                let sum: f64 = next.iter().map(|&n| place[n]).sum();
                (if next.is_empty() { place[i] } else { sum / next.len() as f64 }, i)
            })
            .collect();
        row.sort_by(|a, b| a.0.total_cmp(&b.0));
        graph.rows[rank] = row.into_iter().map(|(_, i)| i).collect();
    }
}

/// Where in its row each item is, as a fraction, so that rows of different lengths compare.
fn places(graph: &Graph) -> Vec<f64> {
    let mut places = vec![0.0; graph.items.len()];
    for row in &graph.rows {
        for (place, &item) in row.iter().enumerate() {
            places[item] = (place as f64 + 0.5) / row.len() as f64;
        }
    }
    places
}

/// Exchanges two that stand side by side wherever fewer arrows cross then, until nothing helps any more.
fn exchange(graph: &mut Graph) {
    let mut place = places(graph);
    // Each exchange makes the number of crossings less, so it ends; the bound is for the time it may take.
    for _ in 0..SWEEPS {
        let mut helped = false;
        for rank in 0..graph.rows.len() {
            for left in 0..graph.rows[rank].len().saturating_sub(1) {
                let (a, b) = (graph.rows[rank][left], graph.rows[rank][left + 1]);
                if between(graph, &place, b, a) < between(graph, &place, a, b) {
                    graph.rows[rank].swap(left, left + 1);
                    place.swap(a, b);
                    helped = true;
                }
            }
        }
        if !helped {
            break;
        }
    }
}

/// How many arrows of the two cross if the one stands left of the other.
fn between(graph: &Graph, place: &[f64], left: usize, right: usize) -> usize {
    let (left, right) = (&graph.items[left], &graph.items[right]);
    let count = |left: &[usize], right: &[usize]| -> usize {
        left.iter().map(|&l| right.iter().filter(|&&r| place[l] > place[r]).count()).sum()
    };
    count(&left.above, &right.above) + count(&left.below, &right.below)
}

/// How often two arrows cross.
fn crossings(graph: &Graph) -> usize {
    let place = places(graph);
    let mut crossings = 0;
    for row in &graph.rows {
        for (n, &left) in row.iter().enumerate() {
            for &right in &row[n + 1..] {
                let (left, right) = (&graph.items[left].below, &graph.items[right].below);
                crossings +=
                    left.iter().map(|&l| right.iter().filter(|&&r| place[l] > place[r]).count()).sum::<usize>();
            }
        }
    }
    crossings
}
