//! What a flow says of itself to those that use it, by a type that has its name: of which of its streams it asks event time, and how deep
//! it is. A flow that hands its rows on to one of another module asks what that one asks: the macro does not know it, rustc does.

use super::depth::{Depth, Nested};
use super::{BothTimed, Here, Stream, There, When};
use crate::frame::{Timed, Untimed};
use std::marker::PhantomData;

/// A flow, as a type.
pub trait Asks {
    /// A list with a place for each of its parameters: [`Timed`] where it asks for event time, else [`Untimed`].
    type Parameters;
    /// How many flows stand in one another in it.
    type Depth: Depth;
}

/// What calling a flow gives.
#[diagnostic::on_unimplemented(
    message = "this function is no flow",
    label = "called with a stream",
    note = "`let name = path(stream, ..)` uses a flow: write `flow` in front of its name, in a `stream!`; a function of rows goes behind the stream: `stream.map(|row| path(row))`"
)]
pub trait IsFlow: Sized {
    /// What a use of it asks.
    type Use;
    /// What is asked of a function that gives it.
    fn used() -> Self::Use;
}

/// The use of a flow, where that is one: of a function that is none its name is told, and nothing of its arguments or its outputs.
pub struct Used<F>(PhantomData<fn() -> F>);

impl<F> Used<F> {
    /// For what gives it itself.
    pub fn found() -> Used<F> {
        Used(PhantomData)
    }
    /// An argument of its call.
    pub fn stream<R, M, Y>(&self, stream: Stream<R, M, Y>) -> Stream<R, M, Y> {
        stream
    }
    /// What its call has given.
    pub fn flow(&self, flow: F) -> F {
        flow
    }
}

/// What a call gives, which is written once more and never run, for its types alone.
pub fn used<P, F: IsFlow>(_: impl FnOnce(P) -> F) -> F::Use {
    F::used()
}

/// What a list says at place `I`, and that nothing is asked where it has no such place.
pub trait At<I> {
    /// Whether event time is asked for.
    type Time: When;
}

impl<M: When, Rest> At<Here> for (M, Rest) {
    type Time = M;
}

impl<M, Rest: At<I>, I> At<There<I>> for (M, Rest) {
    type Time = Rest::Time;
}

impl<I> At<I> for () {
    type Time = Untimed;
}

/// Whether the flow `F` asks for event time at parameter `I`.
pub type Asked<F, I> = <<F as Asks>::Parameters as At<I>>::Time;

/// What a flow's name means as a type where it has no such meaning: nothing is asked.
pub enum NoFlow {}

impl Asks for NoFlow {
    type Parameters = ();
    type Depth = Nested;
}

/// A stream for a flow that hands it on, and asks `M` of it.
#[diagnostic::on_unimplemented(
    message = "this flow goes by event time, and the stream has none",
    label = "rows without event time",
    note = "write `event_time |r| r.at, late_by 1min` on the sources of this stream"
)]
pub trait Brings<M>: When {}

#[diagnostic::do_not_recommend]
impl Brings<Timed> for Timed {}
#[diagnostic::do_not_recommend]
impl<A: Brings<Timed>, B: Brings<Timed>> Brings<Timed> for BothTimed<A, B> {}
#[diagnostic::do_not_recommend]
impl<M: When> Brings<Untimed> for M {}
