//! What follows the outputs of a flow, put together one output after the other: a list with a place for each, `(a, (b, ()))`.
//!
//! A use names an output as a field of the struct that the flow has for them, whose type is its place. So rustc says which outputs there
//! are where one is not there, and the flow says itself which one is forgotten.

use super::depth::Fuses;
use super::part::Whole;
use super::{Behind, Next, PiecePort, When, closed};
use crate::engine::port::Outs;
use crate::engine::source::Counters;
use crate::frame::writer::Cx;
use crate::source::RowType;
use std::marker::PhantomData;

/// The first place of a list.
pub struct Here(());

/// A place in the rest of a list.
pub struct There<I>(PhantomData<I>);

/// An output of a flow, by its place.
pub struct Output<I>(PhantomData<fn() -> I>);

impl<I> Output<I> {
    /// The output at this place.
    #[must_use]
    pub const fn new() -> Output<I> {
        Output(PhantomData)
    }
}

impl<I> Clone for Output<I> {
    fn clone(&self) -> Output<I> {
        *self
    }
}
impl<I> Copy for Output<I> {}

impl<I> Default for Output<I> {
    fn default() -> Output<I> {
        Output::new()
    }
}

/// The place of an output with rows `R` that nothing follows yet.
pub struct Open<R>(PhantomData<fn() -> R>);

impl<R> Open<R> {
    /// A place with nothing in it.
    #[must_use]
    pub const fn new() -> Open<R> {
        Open(PhantomData)
    }
}

impl<R> Default for Open<R> {
    fn default() -> Open<R> {
        Open::new()
    }
}

/// A list whose place `I` is open.
pub trait Place<I> {
    /// The rows of the output.
    type Row: RowType;
    /// The list with something there.
    type Filled<X>;
    /// Puts it there.
    fn fill<X>(self, it: X) -> Self::Filled<X>;
}

impl<R: RowType, Rest> Place<Here> for (Open<R>, Rest) {
    type Row = R;
    type Filled<X> = (X, Rest);
    fn fill<X>(self, it: X) -> (X, Rest) {
        (it, self.1)
    }
}

impl<First, Rest: Place<I>, I> Place<There<I>> for (First, Rest) {
    type Row = Rest::Row;
    type Filled<X> = (First, Rest::Filled<X>);
    fn fill<X>(self, it: X) -> Self::Filled<X> {
        (self.0, self.1.fill(it))
    }
}

/// A [`Next`] behind an output of a flow of depth `D`, with `B` behind that.
type BehindOf<'g, D, B, R, M, N, O, F> =
    Behind<'g, R, M, <D as Fuses<B>>::Live<R, PiecePort<R, N, <O as Outs<'g>>::Live, Whole<F>>>>;

/// The list with what follows an output of a flow of depth `D`. A literal of [`Next`] as the last argument gives the types to its closure.
pub fn followed<'g, L, I, M, N, O, F, D, B>(
    list: L,
    _: Output<I>,
    _: (PhantomData<D>, B),
    next: Next<'g, L::Row, M, N, O, F>,
) -> L::Filled<BehindOf<'g, D, B, L::Row, M, N, O, F>>
where
    L: Place<I>,
    M: When,
    N: Counters,
    O: Outs<'g>,
    F: for<'a> FnMut(<L::Row as RowType>::Row<'a>, i64, &mut Cx, &mut N, &mut O::Live) + 'static,
    D: Fuses<B>,
{
    let Next { operators, within, counters, outs, then, .. } = next;
    list.fill(Behind(D::put(closed(operators, within, counters, outs, Whole(then))), PhantomData))
}

/// What follows the output `Of` of a flow. A gate, as in `__private/gates.rs`: of two impls rustc asks, and it says once that neither holds.
#[diagnostic::on_unimplemented(
    message = "nothing uses an output of this flow",
    label = "an output is forgotten: `{Of}`",
    note = "write `sink out(name.output) = ..;`, or say that it goes: `drop name.output;`, with the name of the `let`"
)]
pub trait Taken<Of, Mark> {
    /// Itself.
    type Next;
    /// Gives itself back.
    fn next(self) -> Self::Next;
}

/// The mark of what follows an output.
pub enum Yes {}
/// The mark of what nothing is.
pub enum No {}
/// What nothing is.
pub trait Nothing {}
/// What follows an output.
pub trait Follows {}

impl<R, M, L> Follows for Behind<'_, R, M, L> {}

#[diagnostic::do_not_recommend]
impl<Of, X: Follows> Taken<Of, Yes> for X {
    type Next = X;
    fn next(self) -> X {
        self
    }
}
#[diagnostic::do_not_recommend]
impl<Of, X: Nothing> Taken<Of, No> for X {
    type Next = X;
    fn next(self) -> X {
        self
    }
}
