//! What a flow says of itself to those that use it, by a type that has its name: of which of its streams it asks event time, and how deep
//! it is. A flow that hands its rows on to one of another module asks what that one asks: the macro does not know it, rustc does.

use super::depth::{Depth, Nested};
use super::{BothTimed, Here, There, When};
use crate::frame::{Timed, Untimed};

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
pub trait IsFlow {
    /// Itself.
    type Flow;
    /// Gives it back.
    fn flow(self) -> Self::Flow;
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
