//! Boxes and arrows as items in rows: each arrow has an item in every row that it passes, and its label is one of them.

use super::{Arrow, Point, Size};

/// A box, a label, or a point that an arrow passes on its way.
#[derive(Clone, Debug, Default)]
pub(super) struct Item {
    pub(super) size: Size,
    pub(super) rank: usize,
    pub(super) above: Vec<usize>,
    pub(super) below: Vec<usize>,
    /// For a label or a point of an arrow: which arrow.
    pub(super) arrow: Option<usize>,
    /// The middle of its upper side.
    pub(super) at: Point,
}

/// Items `0..boxes` are the boxes.
pub(super) struct Graph {
    pub(super) items: Vec<Item>,
    /// Items by rank, from left to right.
    pub(super) rows: Vec<Vec<usize>>,
    /// Per arrow its items from the upper box to the lower one, and whether it goes up.
    pub(super) paths: Vec<(Vec<usize>, bool)>,
}

impl Graph {
    pub(super) fn new(boxes: &[Size], arrows: &[Arrow]) -> Graph {
        let ranks = ranks(boxes.len(), arrows);
        let items = boxes.iter().zip(ranks).map(|(&size, rank)| Item { size, rank, ..Item::default() }).collect();
        let mut graph = Graph { items, rows: Vec::new(), paths: Vec::new() };
        for arrow in arrows {
            let path = graph.add_arrow(boxes.len(), arrow);
            graph.paths.push(path);
        }
        let ranks = graph.items.iter().map(|i| i.rank + 1).max().unwrap_or_default();
        graph.rows = vec![Vec::new(); ranks];
        for (index, item) in graph.items.iter().enumerate() {
            graph.rows[item.rank].push(index);
        }
        graph
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
}

/// The rank of each box, even numbers: two more than its highest sender's, and further down where that makes more arrows
/// shorter than longer. Boxes come in data order, so one pass each way does; an arrow against that order (a loop) does
/// not push anything.
fn ranks(boxes: usize, arrows: &[Arrow]) -> Vec<usize> {
    let forward = || arrows.iter().filter(|a| a.from < a.to && a.to < boxes);
    let mut ranks = vec![0; boxes];
    for to in 0..boxes {
        ranks[to] = forward().filter(|a| a.to == to).map(|a| ranks[a.from] + 2).max().unwrap_or_default();
    }
    for from in (0..boxes).rev() {
        let arriving = forward().filter(|a| a.to == from).count();
        let leaving = forward().filter(|a| a.from == from).count();
        if leaving > arriving {
            let first = forward().filter(|a| a.from == from).map(|a| ranks[a.to]).min();
            ranks[from] = first.map_or(ranks[from], |first| first - 2);
        }
    }
    ranks
}
