//! [`Top`]: the rows with the greatest values.

use super::ordered::by_bytes;
use super::{Aggregator, Comparable};
use crate::error::Fault;
use crate::record::Record;
use std::cmp::Ordering;

/// `top(3, by |r| r.x)`: the rows with the three greatest values, the greatest first. Of rows with one value, those come first whose
/// byte form is less, so that the result is the same in whatever order they arrive.
#[derive(Clone, Copy, Debug)]
pub struct Top {
    most: usize,
}

impl Top {
    /// Keeps the greatest alone.
    pub const ONE: Top = Top { most: 1 };

    /// Keeps so many.
    ///
    /// # Errors
    /// If that is none.
    pub fn new(most: usize) -> Result<Top, Fault> {
        match most {
            0 => Err(Fault::new("`top(0, ..)` keeps nothing").help("say how many rows are kept: `top(3, by |r| r.x)`")),
            _ => Ok(Top { most }),
        }
    }

    /// Takes a row in, if it is among the greatest.
    fn take<C: Comparable, T: Record>(&self, acc: &mut Vec<(C, T)>, row: &(C, T), own: impl FnOnce() -> (C, T)) {
        let before = |held: &(C, T)| {
            let by_value = held.0.compare(&row.0).reverse();
            by_value.then_with(|| by_bytes(&held.1, &row.1)) != Ordering::Greater
        };
        // Most rows are not among them.
        if acc.len() >= self.most && acc.last().is_none_or(before) {
            return;
        }
        let at = acc.partition_point(before);
        acc.insert(at, own());
        acc.truncate(self.most);
    }
}

impl<C: Comparable, T: Record + Clone> Aggregator<(C, T)> for Top {
    type Acc = Vec<(C, T)>;
    type Out = Vec<T>;
    fn add(&self, acc: &mut Vec<(C, T)>, row: &(C, T)) {
        self.take(acc, row, || row.clone());
    }
    fn merge(&self, acc: &mut Vec<(C, T)>, other: Vec<(C, T)>) {
        other.iter().for_each(|row| self.take(acc, row, || row.clone()));
    }
    fn finish(&self, acc: &Vec<(C, T)>) -> Vec<T> {
        acc.iter().map(|row| row.1.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::tests::every_way;

    #[test]
    fn the_greatest_come_first_whatever_the_order() {
        let rows: Vec<(f64, String)> =
            [(1.0, "a"), (3.0, "c"), (2.0, "b"), (3.0, "d"), (-1.0, "e")].map(|(v, x)| (v, x.to_owned())).to_vec();
        every_way(&Top::new(3).unwrap(), &rows, |found| assert_eq!(found, ["c", "d", "b"]));
        every_way(&Top::new(1).unwrap(), &rows, |found| assert_eq!(found, ["c"]));
        every_way(&Top::new(9).unwrap(), &rows, |found| assert_eq!(found, ["c", "d", "b", "a", "e"]));
        assert!(Top::new(0).is_err());
    }
}
