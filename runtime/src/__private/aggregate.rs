//! Aggregates that take something at the start of a run, and the gates of their values.

use super::gates::{No, Nothing, Yes};
use crate::aggregate::{Named, Number, Quantile, Quantiles, Top};
use crate::engine::Graph;
use crate::error::{Error, Fault};
use crate::key::{Key, KeyLike};
use crate::window::Windowed;
use std::marker::PhantomData;

/// What was made, or a stand-in and an attempt that ends before it begins.
fn made<A>(g: &mut Graph<'_>, made: Result<A, Fault>, otherwise: A) -> A {
    made.unwrap_or_else(|fault| {
        g.fail(Error::Setup(fault));
        otherwise
    })
}

/// `top(n, by ..)`.
pub fn top(g: &mut Graph<'_>, most: usize) -> Top {
    made(g, Top::new(most), Top::ONE)
}

/// `quantile(share, ..)`.
pub fn quantile(g: &mut Graph<'_>, share: f64) -> Quantile {
    made(g, Quantile::new(share), Quantile::MEDIAN)
}

/// `quantiles([share, ..], ..)`.
pub fn quantiles<const N: usize>(g: &mut Graph<'_>, shares: [f64; N]) -> Quantiles<N> {
    made(g, Quantiles::new(shares), Quantiles::MEDIANS)
}

/// Words whose results are fields.
pub fn named<N, A>(names: PhantomData<N>, words: A) -> Named<N, A> {
    Named::new(names, words)
}

/// A result of an aggregate: something with a value.
pub trait Valued {
    /// The value.
    type Value;
    /// The same with another one.
    type With<O>;
    /// Puts another value in its place.
    fn valued<O>(self, f: impl FnOnce(Self::Value) -> O) -> Self::With<O>;
}
impl<K, V> Valued for (K, V) {
    type Value = V;
    type With<O> = (K, O);
    #[inline(always)]
    fn valued<O>(self, f: impl FnOnce(V) -> O) -> (K, O) {
        (self.0, f(self.1))
    }
}
impl<K, V> Valued for Windowed<K, V> {
    type Value = V;
    type With<O> = Windowed<K, O>;
    #[inline(always)]
    fn valued<O>(self, f: impl FnOnce(V) -> O) -> Windowed<K, O> {
        let Windowed { key, start, end, value, firing } = self;
        Windowed { key, start, end, value: f(value), firing }
    }
}
/// Puts a result's parts into a struct.
#[inline(always)]
pub fn valued<X: Valued, O>(result: X, f: impl FnOnce(X::Value) -> O) -> X::With<O> {
    result.valued(f)
}

/// What `variance` and `quantile` take.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a number",
    label = "this is a `{Self}`",
    note = "`variance`, `quantile` and `quantiles` take integers and floats; give a missing value a number with `unwrap_or(0.0)`"
)]
pub trait CanMeasure<Mark>: Sized {
    /// Itself.
    type Checked;
    /// Gives itself back.
    fn checked(self) -> Self::Checked;
}
#[diagnostic::do_not_recommend]
impl<T: Number> CanMeasure<Yes> for T {
    type Checked = T;
    #[inline(always)]
    fn checked(self) -> T {
        self
    }
}
#[diagnostic::do_not_recommend]
impl<T: Nothing> CanMeasure<No> for T {
    type Checked = T;
    fn checked(self) -> T {
        self
    }
}

/// What `count_distinct` takes.
#[diagnostic::on_unimplemented(
    message = "different values of `{Self}` cannot be told apart",
    label = "this is a `{Self}`",
    note = "`count_distinct` takes integers, strings, `Timestamp`, tuples of them, or a type with `#[derive(Key, PartialOrd, Ord)]`",
    note = "of a float, count its bits or a rounded integer; of an `Option`, what `unwrap_or_default()` gives"
)]
pub trait CanTell<Mark>: Sized {
    /// Itself, owned.
    type Checked;
    /// Gives it.
    fn checked(self) -> Self::Checked;
}
#[diagnostic::do_not_recommend]
impl<T: KeyLike<Owned: Ord>> CanTell<Yes> for T {
    type Checked = T::Owned;
    #[inline(always)]
    fn checked(self) -> T::Owned {
        T::Owned::own(self.view())
    }
}
#[diagnostic::do_not_recommend]
impl<T: Nothing> CanTell<No> for T {
    type Checked = T;
    fn checked(self) -> T {
        self
    }
}

/// What `approx_count_distinct` takes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no stable hash",
    label = "this is a `{Self}`",
    note = "`approx_count_distinct` takes integers, strings, `Timestamp`, tuples of them, or a type with `#[derive(Key)]`",
    note = "of a float, count its bits or a rounded integer; of an `Option`, what `unwrap_or_default()` gives"
)]
pub trait CanHash<Mark>: Sized {
    /// The hash.
    type Checked;
    /// Gives it.
    fn checked(self) -> Self::Checked;
}
#[diagnostic::do_not_recommend]
impl<T: KeyLike> CanHash<Yes> for T {
    type Checked = u64;
    #[inline(always)]
    fn checked(self) -> u64 {
        <T::Owned as Key>::hash(self.view())
    }
}
#[diagnostic::do_not_recommend]
impl<T: Nothing> CanHash<No> for T {
    type Checked = u64;
    fn checked(self) -> u64 {
        0
    }
}
