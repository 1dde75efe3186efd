//! The part of a chain that a flow has behind a keyed stream.
//!
//! A row comes in two steps, as into an edge, since its key may borrow from it: the [`key`](EnteredKeyed::key) with a look at the
//! row, then the row itself, if somebody takes it.

use super::depth::Depth;
use super::outputs::{No, Nothing, Yes};
use super::part::Shape;
use super::{Entry, Piece, PiecePort, Stream, Unkeyed};
use crate::engine::graph::Graph;
use crate::engine::local::Local;
use crate::engine::meta::OperatorMeta;
use crate::engine::port::{Listing, Live, Outs};
use crate::engine::source::Counters;
use crate::error::Error;
use crate::frame::writer::{Cx, KeyView};
use crate::key::{Key, KeyLike};
use crate::source::RowType;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::rc::Rc;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;

/// A keyed stream as an argument of a flow: its type alone. `K` is its key.
pub type Keyed<K, R, M> = Stream<R, M, By<K>>;

/// The flow takes rows with a key of this type.
pub struct By<K>(PhantomData<fn() -> K>);

/// What a flow may say of an argument that has this key; that it takes rows is said behind the call, once.
pub trait KeyedBy<K> {}
impl<K> KeyedBy<K> for By<K> {}
impl<K> KeyedBy<K> for Unkeyed {}

/// What such a part does with a row: what it does with the key, and what with the row then.
pub struct InSteps<F, G>(F, G);

impl<L, F: 'static, G: 'static> Shape<L> for InSteps<F, G> {
    #[inline(always)]
    fn filters() -> bool {
        false
    }
}

/// The part of a chain that a flow has from one of its keyed inputs on.
pub fn entry_keyed<'g, K, R, N, O, B, F, G>(
    g: &Graph<'g>,
    operators: &'static [OperatorMeta],
    counters: N,
    outs: O,
    key: F,
    value: G,
) -> Piece<'g, ByKey<K, R>, PiecePort<R, N, O::Live, InSteps<F, G>>>
where
    K: Key,
    R: RowType,
    N: Counters,
    O: Outs<'g>,
    F: for<'a, 'b, 'c> FnMut(KeyView<'b, K>, &'c R::Row<'a>, i64, &mut Cx, &mut O::Live) -> B + 'static,
    G: for<'a> FnMut(B, R::Row<'a>, i64, &mut Cx, &mut O::Live) + 'static,
{
    let Piece { parts, input, .. } = super::begin(g, operators, counters, outs, InSteps(key, value));
    Piece { parts, input, row: PhantomData }
}

/// The rows of a piece that a [`KeyedLink`] can be bound to.
#[diagnostic::on_unimplemented(
    message = "this flow takes rows, and this stream is keyed",
    label = "a keyed stream",
    note = "give it the stream in front of `key_by`"
)]
pub trait EnterKeyed<K: Key, R: RowType>: Sized {
    /// The piece itself; an error type where the flow takes rows, so that one mistake is one message.
    type Fits<'g, L>;
    /// Gives it back.
    fn fits<'g, L>(piece: Piece<'g, Self, L>) -> Self::Fits<'g, L>;
}
#[diagnostic::do_not_recommend]
impl<K: Key, R: RowType> EnterKeyed<K, R> for ByKey<K, R> {
    type Fits<'g, L> = Piece<'g, ByKey<K, R>, L>;
    fn fits<'g, L>(piece: Piece<'g, ByKey<K, R>, L>) -> Piece<'g, ByKey<K, R>, L> {
        piece
    }
}

/// The same of whatever type: what is known between the two steps is kept by the part.
pub trait EnteringKeyed<K: Key, R: RowType>: Live {
    /// First step.
    fn begin(&mut self, key: KeyView<'_, K>, row: &R::Row<'_>, time: i64, cx: &mut Cx);
    /// Second step, if somebody takes the row.
    fn finish(&mut self, row: R::Row<'_>, time: i64, cx: &mut Cx);
}

/// A part that takes rows with their keys.
pub trait EnteredKeyed<K: Key, R: RowType>: Live {
    /// What is known of a row between the two steps.
    type Begun;
    /// First step: the key, and a look at the row.
    fn key(&mut self, key: KeyView<'_, K>, row: &R::Row<'_>, time: i64, cx: &mut Cx) -> Self::Begun;
    /// Second step: the row.
    fn value(&mut self, begun: Self::Begun, row: R::Row<'_>, time: i64, cx: &mut Cx);
}
impl<K, R, N, L, B, F, G> EnteredKeyed<K, R> for PiecePort<R, N, L, InSteps<F, G>>
where
    K: Key,
    R: RowType,
    N: Counters,
    L: Live,
    F: for<'a, 'b, 'c> FnMut(KeyView<'b, K>, &'c R::Row<'a>, i64, &mut Cx, &mut L) -> B + 'static,
    G: for<'a> FnMut(B, R::Row<'a>, i64, &mut Cx, &mut L) + 'static,
{
    type Begun = B;

    #[inline(always)]
    fn key(&mut self, key: KeyView<'_, K>, row: &R::Row<'_>, time: i64, cx: &mut Cx) -> B {
        let before = std::mem::replace(&mut cx.base, self.first);
        let begun = (self.part.0)(key, row, time, cx, &mut self.live);
        cx.base = before;
        begun
    }

    #[inline(always)]
    fn value(&mut self, begun: B, row: R::Row<'_>, time: i64, cx: &mut Cx) {
        let before = std::mem::replace(&mut cx.base, self.first);
        (self.part.1)(begun, row, time, cx, &mut self.live);
        cx.base = before;
    }
}

/// The place of such a part, which is not known yet.
pub struct KeyedLink<'g, K, R, L>(Rc<RefCell<Option<Piece<'g, ByKey<K, R>, L>>>>);

/// A place for the part of a flow behind one of its keyed inputs.
pub fn keyed_link<'g, K, R, L>() -> KeyedLink<'g, K, R, L> {
    KeyedLink(Rc::default())
}

impl<'g, K, R, L> KeyedLink<'g, K, R, L> {
    /// As an argument of the flow.
    pub fn stream<M, Y: KeyedBy<K>>(&self) -> Stream<R, M, Y> {
        Stream(PhantomData)
    }
    /// Whether the flow takes it with its key.
    pub fn fits<Q: EnterKeyed<K, R>, X>(&self, piece: Piece<'g, Q, X>) -> Q::Fits<'g, X>
    where
        K: Key,
        R: RowType,
    {
        Q::fits(piece)
    }
    /// As an output of the chain in front, behind this operator of it.
    pub fn after(&self, input: usize) -> KeyedLinked<'g, K, R, L> {
        KeyedLinked { place: self.0.clone(), input }
    }
    /// Puts the part there that the flow has given, whose depth is `D`.
    pub fn bind<X, D: Depth<Keyed<K, R, X> = L>>(self, piece: Piece<'g, ByKey<K, R>, X>, _: PhantomData<D>)
    where
        K: Key,
        R: RowType,
        X: EnteredKeyed<K, R>,
    {
        *self.0.borrow_mut() = Some(D::put_keyed(piece));
    }
}

/// The same as an output.
pub struct KeyedLinked<'g, K, R, L> {
    place: Rc<RefCell<Option<Piece<'g, ByKey<K, R>, L>>>>,
    input: usize,
}

impl<'g, K: Key, R: RowType, L: EnteredKeyed<K, R>> Outs<'g> for KeyedLinked<'g, K, R, L> {
    type Live = Entry<ByKey<K, R>, L>;
    fn open(
        self,
        chain: usize,
        builder: &mut OperatorBuilder<'g, u64>,
        local: &Rc<Local>,
    ) -> Result<Self::Live, Error> {
        super::open(&self.place, chain, builder, local)
    }
    fn note(&self, chain: &mut Listing) {
        super::note(&self.place, chain, self.input);
    }
}

/// A key that a flow takes. A gate with two impls, as [`Taken`](super::Taken) is.
#[diagnostic::on_unimplemented(
    message = "the key of this stream is not the one that the flow takes",
    label = "the flow takes a key `{K}`, and this one is `{Self}`",
    note = "key the stream by that: `let keyed = rows.key_by(|r| ..);`, or give the flow the key as a type parameter: `flow name<K: Key>(rows: Keyed<K, T>)`"
)]
pub trait KeyFor<K: Key, Mark> {
    /// As it travels.
    fn viewed(&self) -> K::Ref<'_>;
}

#[diagnostic::do_not_recommend]
impl<K: Key, Q: KeyLike<Owned = K>> KeyFor<K, Yes> for Q {
    #[inline(always)]
    fn viewed(&self) -> K::Ref<'_> {
        self.view()
    }
}
#[diagnostic::do_not_recommend]
impl<K: Key, Q: Nothing + KeyLike<Owned = K>> KeyFor<K, No> for Q {
    #[inline(always)]
    fn viewed(&self) -> K::Ref<'_> {
        self.view()
    }
}

/// Rows with their keys.
pub struct ByKey<K, R>(PhantomData<fn() -> (K, R)>);

impl<K: Key, R: RowType, L: EnteredKeyed<K, R>> Entry<ByKey<K, R>, L> {
    /// First step of giving it a row: its key.
    #[inline(always)]
    pub fn key<Q: KeyFor<K, M>, M>(&mut self, key: Q, row: &R::Row<'_>, time: i64, cx: &mut Cx) -> L::Begun {
        self.0.key(KeyView(key.viewed()), row, time, cx)
    }
    /// The same of a row that has come into a flow with its key.
    #[inline(always)]
    pub fn viewed_key(&mut self, key: KeyView<'_, K>, row: &R::Row<'_>, time: i64, cx: &mut Cx) -> L::Begun {
        self.0.key(key, row, time, cx)
    }
    /// Second step: the row.
    #[inline(always)]
    pub fn value(&mut self, begun: L::Begun, row: R::Row<'_>, time: i64, cx: &mut Cx) {
        self.0.value(begun, row, time, cx);
    }
}
