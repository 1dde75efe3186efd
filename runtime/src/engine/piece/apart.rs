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

/// Puts a piece behind a pointer.
pub(super) fn apart<'g, R: RowType, L: Entered<R>>(piece: Piece<'g, R, L>) -> Piece<'g, R, Apart<R>> {
    let Piece { parts, input, row } = piece;
    Piece { parts: Box::new(Within(parts, row)), input, row }
}
