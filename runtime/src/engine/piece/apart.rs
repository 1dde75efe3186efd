//! A part behind a pointer: where flows stand in a row, or in one another.
//!
//! The type of a part has that of what follows it in it, several times: where it writes, and in each of its closures. So it grows by
//! that factor from flow to flow, and rustc would take minutes for the sixth. Where they pile up is therefore a pointer, and the type ends:
//! a call for each row, and no loop that goes through there.

use super::keyed::EnteringKeyed;
use super::{ByKey, Entered, EnteredKeyed, Entering, Parts, Piece};
use crate::engine::local::Local;
use crate::engine::port::{Listing, Live, live_through};
use crate::error::Error;
use crate::frame::writer::{Cx, KeyView, Ship};
use crate::key::Key;
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

/// A part that takes rows with their keys, behind a pointer.
pub struct ApartKeyed<K: Key, R>(Box<dyn EnteringKeyed<K, R>>);

impl<K: Key, R: RowType> Live for ApartKeyed<K, R> {
    live_through!(0);
    fn counted(&self, each: &mut dyn FnMut(u64)) {
        self.0.counted(each);
    }
}

impl<K: Key, R: RowType> EnteredKeyed<K, R> for ApartKeyed<K, R> {
    type Begun = ();

    #[inline(always)]
    fn key(&mut self, key: KeyView<'_, K>, row: &R::Row<'_>, time: i64, cx: &mut Cx) {
        self.0.begin(key, row, time, cx);
    }

    #[inline(always)]
    fn value(&mut self, (): (), row: R::Row<'_>, time: i64, cx: &mut Cx) {
        self.0.finish(row, time, cx);
    }
}

/// What stands behind that pointer: the part, and what it knows of a row between the two steps.
struct Steps<L, B>(L, Option<B>);

impl<L: Live, B: 'static> Live for Steps<L, B> {
    live_through!(0);
    fn counted(&self, each: &mut dyn FnMut(u64)) {
        self.0.counted(each);
    }
}

impl<K: Key, R: RowType, L: EnteredKeyed<K, R>> EnteringKeyed<K, R> for Steps<L, L::Begun>
where
    L::Begun: 'static,
{
    fn begin(&mut self, key: KeyView<'_, K>, row: &R::Row<'_>, time: i64, cx: &mut Cx) {
        self.1 = Some(self.0.key(key, row, time, cx));
    }
    fn finish(&mut self, row: R::Row<'_>, time: i64, cx: &mut Cx) {
        if let Some(begun) = self.1.take() {
            self.0.value(begun, row, time, cx);
        }
    }
}

impl<'g, K: Key, R: RowType, L: EnteredKeyed<K, R>> Parts<'g> for Within<'g, ByKey<K, R>, L> {
    type Live = ApartKeyed<K, R>;
    fn open(
        self: Box<Self>,
        chain: usize,
        builder: &mut OperatorBuilder<'g, u64>,
        local: &Rc<Local>,
    ) -> Result<ApartKeyed<K, R>, Error> {
        Ok(ApartKeyed(Box::new(Steps(self.0.open(chain, builder, local)?, None))))
    }
    fn note(&self, chain: &mut Listing, input: usize) {
        self.0.note(chain, input);
    }
}

/// Puts a piece that takes rows with their keys behind a pointer.
pub(super) fn apart_keyed<'g, K: Key, R: RowType, L: EnteredKeyed<K, R>>(
    piece: Piece<'g, ByKey<K, R>, L>,
) -> Piece<'g, ByKey<K, R>, ApartKeyed<K, R>> {
    let Piece { parts, input, row } = piece;
    Piece { parts: Box::new(Within(parts, row)), input, row }
}
