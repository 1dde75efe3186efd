//! A part behind a pointer: where flows stand in a row, or in one another.
//!
//! The type of a part has that of what follows it in it, several times: where it writes, and in each of its closures. So it grows by
//! that factor from flow to flow, and rustc would take minutes for the sixth. Behind the second is therefore a pointer, and the type ends:
//! a call for each row, and no loop that goes through there.

use super::{Entered, Entering, Parts, Piece};
use crate::engine::local::Local;
use crate::engine::port::{Listing, Live, live_through};
use crate::error::Error;
use crate::frame::writer::{Cx, Ship};
use crate::source::RowType;
use std::marker::PhantomData;
use std::rc::Rc;
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;

/// A part that runs, behind a pointer.
pub struct Apart<R>(Box<dyn Entering<R>>);

impl<R: RowType> Live for Apart<R> {
    live_through!(0);
    fn counted(&self, each: &mut dyn FnMut(u64)) {
        self.0.counted(each);
    }
}

impl<R: RowType> Entering<R> for Apart<R> {
    #[inline(always)]
    fn enter(&mut self, row: R::Row<'_>, time: i64, cx: &mut Cx) {
        self.0.enter(row, time, cx);
    }
}

impl<R: RowType> Entered<R> for Apart<R> {
    type Passed<'a> = R::Row<'a>;

    #[inline(always)]
    fn test<'a>(&mut self, row: R::Row<'a>, _: i64, _: &mut Cx) -> (bool, R::Row<'a>) {
        (true, row)
    }

    #[inline(always)]
    fn pass(&mut self, row: R::Row<'_>, time: i64, cx: &mut Cx) {
        self.0.enter(row, time, cx);
    }
}

/// The same before it is open.
struct Within<'g, R, L>(Box<dyn Parts<'g, Live = L> + 'g>, PhantomData<fn() -> R>);

impl<'g, R: RowType, L: Entered<R>> Parts<'g> for Within<'g, R, L> {
    type Live = Apart<R>;
    fn open(
        self: Box<Self>,
        chain: usize,
        builder: &mut OperatorBuilder<'g, u64>,
        local: &Rc<Local>,
    ) -> Result<Apart<R>, Error> {
        Ok(Apart(Box::new(self.0.open(chain, builder, local)?)))
    }
    fn note(&self, chain: &mut Listing, input: usize) {
        self.0.note(chain, input);
    }
}

/// How many flows stand in one another in a flow, as far as that matters to what it is fused with.
pub trait Depth: Fuses<Front> {
    /// The greater one.
    type Or<B: Depth>: Depth;
    /// The greater one of this and [`Nested`].
    type OrNested: Depth;
    /// That of a flow which uses one of this depth.
    type Around: Depth;
}
/// No flow stands in it.
pub enum Plain {}
/// Flows stand in it in which there are none.
pub enum Nested {}
/// Such flows stand in it, or deeper ones.
pub enum Deep {}

impl Depth for Plain {
    type Or<B: Depth> = B;
    type OrNested = Nested;
    type Around = Nested;
}
impl Depth for Nested {
    type Or<B: Depth> = B::OrNested;
    type OrNested = Nested;
    type Around = Deep;
}
impl Depth for Deep {
    type Or<B: Depth> = Deep;
    type OrNested = Deep;
    type Around = Deep;
}

/// The place in front of a flow.
pub enum Front {}
/// The place behind an output on which no flow follows.
pub struct ThenNone;
/// The place behind one on which one follows.
pub struct ThenOne;
/// The place behind one on which more follow.
pub struct ThenMore;

/// How a part at this place of a flow of this depth runs: as a part of one loop, or behind a pointer.
pub trait Fuses<At> {
    /// What runs.
    type Live<R: RowType, L: Entered<R>>: Entered<R>;
    /// Puts it there.
    fn put<'g, R: RowType, L: Entered<R>>(piece: Piece<'g, R, L>) -> Piece<'g, R, Self::Live<R, L>>;
}

macro_rules! fuses {
    ($($depth:ident: $($place:ident)+;)+) => {$($(
        impl Fuses<$place> for $depth {
            type Live<R: RowType, L: Entered<R>> = L;
            fn put<'g, R: RowType, L: Entered<R>>(piece: Piece<'g, R, L>) -> Piece<'g, R, L> {
                piece
            }
        }
    )+)+};
}
macro_rules! parts {
    ($($depth:ident: $($place:ident)+;)+) => {$($(
        impl Fuses<$place> for $depth {
            type Live<R: RowType, L: Entered<R>> = Apart<R>;
            fn put<'g, R: RowType, L: Entered<R>>(piece: Piece<'g, R, L>) -> Piece<'g, R, Apart<R>> {
                let Piece { parts, input, row } = piece;
                Piece { parts: Box::new(Within(parts, row)), input, row }
            }
        }
    )+)+};
}

// At most three of them are in one type: two plain ones in a row, or a plain one and one that it follows on with another in it.
fuses! {
    Plain: Front ThenNone ThenOne;
    Nested: Front ThenNone;
}
parts! {
    Plain: ThenMore;
    Nested: ThenOne ThenMore;
    Deep: Front ThenNone ThenOne ThenMore;
}
