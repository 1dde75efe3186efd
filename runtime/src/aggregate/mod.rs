//! Aggregators: many rows to one value, a row at a time, with partial results that can be merged.

mod distinct;
mod named;
mod ordered;
mod own;
mod quantile;
mod top;
mod variance;
mod words;

pub use distinct::{ApproxCountDistinct, CountDistinct};
pub use named::{FieldNames, Named};
pub use ordered::{Collect, First, Last};
pub use own::{Fits, Own, own};
pub use quantile::{Quantile, Quantiles};
pub use top::Top;
pub use variance::Variance;
pub use words::{Comparable, Count, Max, MaxBy, Mean, Min, MinBy, Number, Sum, Summable};

use crate::record::Record;
use std::ops::Deref;
use std::rc::Rc;

/// Folds rows of type `T` into one value.
///
/// Partial results are merged where rows are combined in front of an exchange, so the order of rows must not matter.
///
/// ```
/// use pelton::Aggregator;
///
/// #[derive(Clone)]
/// struct Longest;
///
/// impl Aggregator<String> for Longest {
///     type Acc = u64;
///     type Out = u64;
///     fn add(&self, longest: &mut u64, row: &String) {
///         *longest = (*longest).max(row.len() as u64);
///     }
///     fn merge(&self, longest: &mut u64, other: u64) {
///         *longest = (*longest).max(other);
///     }
///     fn finish(&self, longest: &u64) -> u64 {
///         *longest
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not aggregate `{T}`",
    label = "no `Aggregator<{T}>`",
    note = "ready-made: `count()`, `sum(|r| r.x)`, `(count(), max(|r| r.x))`; your own: `impl Aggregator<{T}> for {Self}`"
)]
pub trait Aggregator<T>: 'static {
    /// A partial result; what is kept in state.
    type Acc: Record + Default;
    /// The result.
    type Out;
    /// Bytes that a partial result may well own on the heap: so many fewer are held in front of an exchange.
    #[doc(hidden)]
    const HEAP: usize = 0;
    /// Adds a row.
    fn add(&self, acc: &mut Self::Acc, row: &T);
    /// Adds a row of this event time, in ms.
    #[doc(hidden)]
    #[inline(always)]
    fn add_at(&self, acc: &mut Self::Acc, row: &T, _time: i64) {
        self.add(acc, row)
    }
    /// Adds another partial result.
    fn merge(&self, acc: &mut Self::Acc, other: Self::Acc);
    /// The result so far.
    fn finish(&self, acc: &Self::Acc) -> Self::Out;
}

/// An aggregator that both sides of an edge use.
pub struct Shared<A> {
    by: Rc<A>,
}

impl<A> Shared<A> {
    /// Shares one.
    pub fn new(aggregator: A) -> Self {
        Shared { by: Rc::new(aggregator) }
    }
}
impl<A> Clone for Shared<A> {
    fn clone(&self) -> Self {
        Shared { by: self.by.clone() }
    }
}
/// Its parts, which the gates in front of an edge ask for.
impl<A> Deref for Shared<A> {
    type Target = A;
    fn deref(&self) -> &A {
        &self.by
    }
}
impl<T, A: Aggregator<T>> Aggregator<T> for Shared<A> {
    type Acc = A::Acc;
    type Out = A::Out;
    const HEAP: usize = A::HEAP;
    #[inline(always)]
    fn add(&self, acc: &mut A::Acc, row: &T) {
        self.by.add(acc, row)
    }
    #[inline(always)]
    fn merge(&self, acc: &mut A::Acc, other: A::Acc) {
        self.by.merge(acc, other)
    }
    #[inline(always)]
    fn finish(&self, acc: &A::Acc) -> A::Out {
        self.by.finish(acc)
    }
}

/// Words over whole rows: what each word needs is taken from the row behind the edge. The closure sees the words too,
/// for its gates, and the row's event time, for those that go by it.
pub struct Over<A, F>(pub A, pub F);
impl<T: 'static, P, A: Aggregator<P>, F: Fn(&A, &T, i64) -> P + 'static> Aggregator<T> for Over<A, F> {
    type Acc = A::Acc;
    type Out = A::Out;
    const HEAP: usize = A::HEAP;
    #[inline(always)]
    fn add(&self, acc: &mut A::Acc, row: &T) {
        self.add_at(acc, row, i64::MIN)
    }
    #[inline(always)]
    fn add_at(&self, acc: &mut A::Acc, row: &T, time: i64) {
        self.0.add(acc, &(self.1)(&self.0, row, time))
    }
    #[inline(always)]
    fn merge(&self, acc: &mut A::Acc, other: A::Acc) {
        self.0.merge(acc, other)
    }
    #[inline(always)]
    fn finish(&self, acc: &A::Acc) -> A::Out {
        self.0.finish(acc)
    }
}

/// An aggregator whose results a closure makes something of.
pub struct Built<A, B>(pub A, pub B);
impl<T, O, A: Aggregator<T>, B: Fn(A::Out) -> O + 'static> Aggregator<T> for Built<A, B> {
    type Acc = A::Acc;
    type Out = O;
    const HEAP: usize = A::HEAP;
    fn add(&self, acc: &mut A::Acc, row: &T) {
        self.0.add(acc, row)
    }
    fn merge(&self, acc: &mut A::Acc, other: A::Acc) {
        self.0.merge(acc, other)
    }
    fn finish(&self, acc: &A::Acc) -> O {
        (self.1)(self.0.finish(acc))
    }
}

macro_rules! tuples {
    ($($($A:ident $T:ident $i:tt)+;)*) => { $(
        impl<$($T,)+ $($A: Aggregator<$T>),+> Aggregator<($($T,)+)> for ($($A,)+) {
            type Acc = ($($A::Acc,)+);
            type Out = ($($A::Out,)+);
            const HEAP: usize = 0 $(+ $A::HEAP)+;
            #[inline(always)]
            fn add(&self, acc: &mut Self::Acc, row: &($($T,)+)) { $(self.$i.add(&mut acc.$i, &row.$i);)+ }
            #[inline(always)]
            fn merge(&self, acc: &mut Self::Acc, other: Self::Acc) { $(self.$i.merge(&mut acc.$i, other.$i);)+ }
            #[inline(always)]
            fn finish(&self, acc: &Self::Acc) -> Self::Out { ($(self.$i.finish(&acc.$i),)+) }
        }
    )* };
}
tuples! {
    A T 0;
    A T 0 B U 1;
    A T 0 B U 1 C V 2;
    A T 0 B U 1 C V 2 D W 3;
    A T 0 B U 1 C V 2 D W 3 E X 4;
    A T 0 B U 1 C V 2 D W 3 E X 4 F Y 5;
    A T 0 B U 1 C V 2 D W 3 E X 4 F Y 5 G Z 6;
    A T 0 B U 1 C V 2 D W 3 E X 4 F Y 5 G Z 6 H S 7;
    A T 0 B U 1 C V 2 D W 3 E X 4 F Y 5 G Z 6 H S 7 I R 8;
    A T 0 B U 1 C V 2 D W 3 E X 4 F Y 5 G Z 6 H S 7 I R 8 J Q 9;
    A T 0 B U 1 C V 2 D W 3 E X 4 F Y 5 G Z 6 H S 7 I R 8 J Q 9 K P 10;
    A T 0 B U 1 C V 2 D W 3 E X 4 F Y 5 G Z 6 H S 7 I R 8 J Q 9 K P 10 L O 11;
}

#[cfg(test)]
mod tests {
    use super::Aggregator;
    use crate::record::{Record, whole};

    /// Damages a byte form in many ways: it is read as something or refused, and what is read can be worked with.
    pub(super) fn damaged<A: Record>(whole_form: &A, mut work: impl FnMut(A)) {
        let mut encoded = vec![];
        whole_form.encode(&mut encoded);
        let form = crate::codec::Reader::new(&encoded).bytes().unwrap().to_vec();
        let mut random = 7u64;
        let mut next = |below: usize| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) as usize % below.max(1)
        };
        for _ in 0..20_000 {
            let mut bytes = form.clone();
            for _ in 0..1 + next(4) {
                let at = next(bytes.len());
                match next(4) {
                    0 => bytes[at] = next(256) as u8,
                    1 => bytes[at] ^= 1 << next(8),
                    2 => bytes.truncate(at + 1),
                    _ => bytes[at..].iter_mut().take(8).for_each(|byte| *byte = 0xFF),
                }
            }
            // the length in front is right, or nothing behind it would be looked at
            let mut framed = vec![];
            crate::codec::put_bytes(&mut framed, &bytes);
            if let Ok(read) = whole::<A>(&framed) {
                work(read);
            }
        }
    }

    /// The result in several orders, and of partial results that are merged in several ways, each kept and read back in between.
    pub(super) fn every_way<T: Clone, A: Aggregator<T>>(how: &A, rows: &[T], mut check: impl FnMut(A::Out)) {
        let kept = |acc: A::Acc| {
            let mut bytes = vec![];
            acc.encode(&mut bytes);
            whole::<A::Acc>(&bytes).unwrap()
        };
        let of = |rows: &[T]| {
            let mut acc = A::Acc::default();
            for (n, row) in rows.iter().enumerate() {
                how.add(&mut acc, row);
                if n % 97 == 3 {
                    acc = kept(acc);
                }
            }
            acc
        };
        let backwards: Vec<T> = rows.iter().rev().cloned().collect();
        let (even, odd): (Vec<_>, Vec<_>) = rows.iter().cloned().enumerate().partition(|(n, _)| n % 2 == 0);
        let mixed: Vec<T> = odd.into_iter().chain(even).map(|(_, row)| row).collect();
        for rows in [rows, &backwards, &mixed] {
            check(how.finish(&of(rows)));
            for parts in [2, 3, rows.len().clamp(1, 50)] {
                let mut all = A::Acc::default();
                for part in rows.chunks(rows.len().div_ceil(parts)) {
                    how.merge(&mut all, kept(of(part)));
                }
                how.merge(&mut all, A::Acc::default());
                check(how.finish(&kept(all)));
            }
        }
    }
}
