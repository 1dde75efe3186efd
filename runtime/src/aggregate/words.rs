//! The ready-made words: `count`, `sum`, `min`, `max`, `mean`, `min_by`, `max_by`. Each works on the part of a row
//! that the block's closure took out, so that only that part travels.

use super::Aggregator;
use crate::record::Record;
use crate::time::{TimeSpan, Timestamp};
use std::cmp::Ordering;

/// `count()`: how many rows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Count;
impl Aggregator<()> for Count {
    type Acc = u64;
    type Out = u64;
    #[inline(always)]
    fn add(&self, acc: &mut u64, _: &()) {
        *acc += 1;
    }
    #[inline(always)]
    fn merge(&self, acc: &mut u64, other: u64) {
        *acc += other;
    }
    #[inline(always)]
    fn finish(&self, acc: &u64) -> u64 {
        *acc
    }
}

/// What can be summed: integers in 64 bits (128 for 128), floats in double precision, spans of time.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be summed",
    label = "no sum of `{Self}`",
    note = "`sum` and `mean` take integers, floats and `TimeSpan`; give a missing value a number with `unwrap_or(0)`"
)]
pub trait Summable: Copy + Send + 'static {
    /// The sum's type.
    type Sum: Record + Default + Copy;
    /// Adds one value.
    fn add_to(self, sum: &mut Self::Sum);
    /// Adds another sum.
    fn merge(sum: &mut Self::Sum, other: Self::Sum);
}

#[cold]
#[inline(never)]
#[expect(clippy::panic, reason = "an overflow ends the attempt with the operator's name, as it does in user code")]
fn overflow() -> ! {
    panic!("a sum does not fit its type; sum a wider type or a float")
}

macro_rules! summable_integers {
    ($($t:ty => $sum:ty),*) => { $(
        impl Summable for $t {
            type Sum = $sum;
            #[inline(always)]
            fn add_to(self, sum: &mut $sum) {
                match sum.checked_add(<$sum>::from(self)) { Some(more) => *sum = more, None => overflow() }
            }
            #[inline(always)]
            fn merge(sum: &mut $sum, other: $sum) {
                match sum.checked_add(other) { Some(more) => *sum = more, None => overflow() }
            }
        }
    )* };
}
summable_integers!(u8 => u64, u16 => u64, u32 => u64, u64 => u64, i8 => i64, i16 => i64, i32 => i64, i64 => i64, u128 => u128, i128 => i128);

macro_rules! summable_floats {
    ($($t:ty),*) => { $(
        impl Summable for $t {
            type Sum = f64;
            #[inline(always)]
            fn add_to(self, sum: &mut f64) { *sum += f64::from(self) }
            #[inline(always)]
            fn merge(sum: &mut f64, other: f64) { *sum += other }
        }
    )* };
}
summable_floats!(f32, f64);

impl Summable for TimeSpan {
    type Sum = TimeSpan;
    #[inline(always)]
    fn add_to(self, sum: &mut TimeSpan) {
        match sum.micros().checked_add(self.micros()) {
            Some(more) => *sum = TimeSpan::from_micros(more),
            None => overflow(),
        }
    }
    #[inline(always)]
    fn merge(sum: &mut TimeSpan, other: TimeSpan) {
        other.add_to(sum)
    }
}

/// `sum(|r| r.x)`: the sum. One that does not fit its type ends the run with an error.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum;
impl<N: Summable> Aggregator<N> for Sum {
    type Acc = N::Sum;
    type Out = N::Sum;
    #[inline(always)]
    fn add(&self, acc: &mut N::Sum, value: &N) {
        value.add_to(acc)
    }
    #[inline(always)]
    fn merge(&self, acc: &mut N::Sum, other: N::Sum) {
        N::merge(acc, other)
    }
    #[inline(always)]
    fn finish(&self, acc: &N::Sum) -> N::Sum {
        *acc
    }
}

/// A number that has a mean.
pub trait Number: Copy + Send + 'static {
    /// As a double.
    fn double(self) -> f64;
}
macro_rules! numbers { ($($t:ty),*) => { $(impl Number for $t { #[inline(always)] fn double(self) -> f64 { self as f64 } })* } }
numbers!(u8, u16, u32, u64, i8, i16, i32, i64, f32, f64);

/// `mean(|r| r.x)`: the arithmetic mean as a double.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mean;
impl<N: Number> Aggregator<N> for Mean {
    type Acc = (f64, u64);
    type Out = f64;
    #[inline(always)]
    fn add(&self, acc: &mut (f64, u64), value: &N) {
        acc.0 += value.double();
        acc.1 += 1;
    }
    #[inline(always)]
    fn merge(&self, acc: &mut (f64, u64), other: (f64, u64)) {
        acc.0 += other.0;
        acc.1 += other.1;
    }
    #[inline(always)]
    fn finish(&self, acc: &(f64, u64)) -> f64 {
        acc.0 / acc.1 as f64
    }
}

/// What has a least and a greatest: integers, floats (by `total_cmp`), times, strings, Options and tuples of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no least and no greatest",
    label = "cannot be compared",
    note = "`min` and `max` take integers, floats, `Timestamp`, `TimeSpan`, strings, and tuples or `Option`s of them"
)]
pub trait Comparable: Record + Clone + Default {
    /// How they compare.
    fn compare(&self, other: &Self) -> Ordering;
}
macro_rules! comparable {
    ($($t:ty),*) => { $(
        impl Comparable for $t {
            #[inline(always)]
            fn compare(&self, other: &Self) -> Ordering { Ord::cmp(self, other) }
        }
    )* };
}
comparable!(bool, char, u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, String, Timestamp, TimeSpan);
impl Comparable for f32 {
    #[inline(always)]
    fn compare(&self, other: &Self) -> Ordering {
        self.total_cmp(other)
    }
}
impl Comparable for f64 {
    #[inline(always)]
    fn compare(&self, other: &Self) -> Ordering {
        self.total_cmp(other)
    }
}
impl<T: Comparable> Comparable for Option<T> {
    #[inline(always)]
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => a.compare(b),
        }
    }
}
impl<A: Comparable, B: Comparable> Comparable for (A, B) {
    fn compare(&self, other: &Self) -> Ordering {
        self.0.compare(&other.0).then_with(|| self.1.compare(&other.1))
    }
}
impl<A: Comparable, B: Comparable, C: Comparable> Comparable for (A, B, C) {
    fn compare(&self, other: &Self) -> Ordering {
        self.0.compare(&other.0).then_with(|| self.1.compare(&other.1)).then_with(|| self.2.compare(&other.2))
    }
}

macro_rules! extremes {
    ($(#[$doc:meta])* $name:ident, $(#[$by_doc:meta])* $by:ident, $wins:pat) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default)]
        pub struct $name;
        impl<N: Comparable> Aggregator<N> for $name {
            type Acc = Option<N>;
            type Out = N;
            #[inline(always)]
            fn add(&self, acc: &mut Option<N>, value: &N) {
                match acc {
                    Some(best) if !matches!(value.compare(best), $wins) => {}
                    _ => *acc = Some(value.clone()),
                }
            }
            #[inline(always)]
            fn merge(&self, acc: &mut Option<N>, other: Option<N>) {
                if let Some(other) = &other {
                    self.add(acc, other);
                }
            }
            #[inline(always)]
            fn finish(&self, acc: &Option<N>) -> N {
                // There is no accumulator without a row.
                acc.clone().unwrap_or_default()
            }
        }
        $(#[$by_doc])*
        #[derive(Clone, Copy, Debug, Default)]
        pub struct $by;
        impl<N: Comparable, T: Record + Clone> Aggregator<(N, T)> for $by {
            type Acc = Option<(N, T)>;
            type Out = Option<T>;
            fn add(&self, acc: &mut Option<(N, T)>, row: &(N, T)) {
                match acc {
                    Some(best) if !matches!(row.0.compare(&best.0), $wins) => {}
                    _ => *acc = Some(row.clone()),
                }
            }
            fn merge(&self, acc: &mut Option<(N, T)>, other: Option<(N, T)>) {
                if let Some(other) = other {
                    self.add(acc, &other);
                }
            }
            fn finish(&self, acc: &Option<(N, T)>) -> Option<T> {
                acc.as_ref().map(|best| best.1.clone())
            }
        }
    };
}
extremes!(
    /// `min(|r| r.x)`: the least value.
    Min,
    /// `min_by(|r| r.x)`: the row with the least value; of several, one of them.
    MinBy,
    Ordering::Less
);
extremes!(
    /// `max(|r| r.x)`: the greatest value.
    Max,
    /// `max_by(|r| r.x)`: the row with the greatest value; of several, one of them.
    MaxBy,
    Ordering::Greater
);
