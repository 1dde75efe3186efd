//! [`First`], [`Last`], [`Collect`]: words that go by order. Each value travels with its event time and, if the block says so, with what
//! decides between equal times; where that is equal too, the bytes of the values do. So the result is one of the rows alone,
//! in whatever order they arrive. Without event time the order is that of arrival.

use super::words::taken;
use super::{Aggregator, Comparable};
use crate::record::Record;
use std::cell::RefCell;
use std::cmp::Ordering;

/// The event time of rows that have none.
const NO_TIME: i64 = i64::MIN;

/// A value with its event time in ms, and what decides between equal times.
pub type At<C, T> = (i64, C, T);

/// Which of two values comes first. Of two without event time, the one that arrived first, which is `a`.
fn order<C: Comparable, T: Record>(a: &At<C, T>, b: &At<C, T>) -> Ordering {
    let by_arrival = || if a.0 == NO_TIME { Ordering::Less } else { by_bytes(&a.2, &b.2) };
    a.0.cmp(&b.0).then_with(|| a.1.compare(&b.1)).then_with(by_arrival)
}

/// The order of the byte forms: no sense in it, but the same on every machine.
pub(super) fn by_bytes<T: Record>(a: &T, b: &T) -> Ordering {
    thread_local! { static FORMS: RefCell<[Vec<u8>; 2]> = RefCell::default(); }
    FORMS.with_borrow_mut(|[left, right]| {
        left.clear();
        right.clear();
        a.encode(left);
        b.encode(right);
        left.cmp(&right)
    })
}

macro_rules! ends {
    ($($(#[$doc:meta])* $name:ident if $wins:pat => wins;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default)]
        pub struct $name;
        impl<C: Comparable, T: Record + Clone> Aggregator<At<C, T>> for $name {
            type Acc = Option<At<C, T>>;
            type Out = T;
            fn add(&self, acc: &mut Self::Acc, row: &At<C, T>) {
                if acc.as_ref().is_none_or(|held| matches!(order(held, row), $wins)) {
                    *acc = Some(row.clone());
                }
            }
            fn merge(&self, acc: &mut Self::Acc, other: Self::Acc) {
                if let Some(row) = other
                    && acc.as_ref().is_none_or(|held| matches!(order(held, &row), $wins))
                {
                    *acc = Some(row);
                }
            }
            fn finish(&self, acc: &Self::Acc) -> T {
                taken(acc).2
            }
        }
    )* };
}
ends! {
    /// `first(|r| r.x)`: what the earliest row gives.
    First if Ordering::Greater => wins;
    /// `last(|r| r.x)`: what the latest row gives.
    Last if Ordering::Less | Ordering::Equal => wins;
}

/// `collect(|r| r.x)`: what all rows give, in order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Collect;
impl<C: Comparable, T: Record + Clone> Aggregator<At<C, T>> for Collect {
    type Acc = Vec<At<C, T>>;
    type Out = Vec<T>;
    fn add(&self, acc: &mut Vec<At<C, T>>, row: &At<C, T>) {
        // Most rows come in order.
        let at = match acc.last() {
            Some(last) if order(last, row) == Ordering::Greater => {
                acc.partition_point(|held| order(held, row) != Ordering::Greater)
            }
            _ => acc.len(),
        };
        acc.insert(at, row.clone());
    }
    fn merge(&self, acc: &mut Vec<At<C, T>>, other: Vec<At<C, T>>) {
        other.iter().for_each(|row| self.add(acc, row));
    }
    fn finish(&self, acc: &Vec<At<C, T>>) -> Vec<T> {
        acc.iter().map(|row| row.2.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::tests::every_way;

    type Row = At<(), String>;

    fn rows() -> Vec<Row> {
        [(5, "e"), (1, "b"), (1, "a"), (9, "z"), (9, "y"), (5, "e")].map(|(at, x)| (at, (), x.to_owned())).to_vec()
    }

    #[test]
    fn the_order_of_arrival_does_not_matter_where_there_is_time() {
        every_way(&First, &rows(), |found| assert_eq!(found, "a"));
        every_way(&Last, &rows(), |found| assert_eq!(found, "z"));
        every_way(&Collect, &rows(), |found| assert_eq!(found.concat(), "abeeyz"));
    }

    #[test]
    fn a_tie_break_comes_before_the_bytes() {
        let rows: Vec<At<u32, String>> = vec![(1, 7, "a".into()), (1, 3, "b".into()), (1, 5, "c".into())];
        every_way(&First, &rows, |found| assert_eq!(found, "b"));
        every_way(&Last, &rows, |found| assert_eq!(found, "a"));
        every_way(&Collect, &rows, |found| assert_eq!(found.concat(), "bca"));
    }

    #[test]
    fn without_time_they_go_by_arrival() {
        let rows: Vec<Row> = ["m", "a", "z"].map(|x| (NO_TIME, (), x.to_owned())).to_vec();
        let of = |how: &dyn Fn(&[Row]) -> String| how(&rows);
        assert_eq!(of(&|rows| folded(&First, rows)), "m");
        assert_eq!(of(&|rows| folded(&Last, rows)), "z");
        assert_eq!(of(&|rows| folded(&Collect, rows).concat()), "maz");
    }

    fn folded<T, A: Aggregator<T>>(how: &A, rows: &[T]) -> A::Out {
        let mut acc = A::Acc::default();
        rows.iter().for_each(|row| how.add(&mut acc, row));
        how.finish(&acc)
    }
}
