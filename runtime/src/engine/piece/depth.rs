//! How deep a flow is, and what of its surroundings is one loop with it for that: what a flow is at a place, said by types, since a use
//! knows a flow of another module by its types alone.

use super::apart::{Apart, ApartKeyed, apart, apart_keyed};
use super::{ByKey, Entered, EnteredKeyed, Piece};
use crate::key::Key;
use crate::source::RowType;

/// How many flows stand in one another in a flow, as far as that matters to what it is fused with.
pub trait Depth: Fuses<Front> {
    /// The greater one.
    type Or<B: Depth>: Depth;
    /// The greater one of this and [`Nested`].
    type OrNested: Depth;
    /// That of a flow which uses one of this depth.
    type Around: Depth;
    /// What runs in front of it of a part that takes rows with their keys.
    type Keyed<K: Key, R: RowType, L: EnteredKeyed<K, R>>: EnteredKeyed<K, R>;
    /// Puts it there.
    fn put_keyed<'g, K: Key, R: RowType, L: EnteredKeyed<K, R>>(
        piece: Piece<'g, ByKey<K, R>, L>,
    ) -> Piece<'g, ByKey<K, R>, Self::Keyed<K, R, L>>;
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
    type Keyed<K: Key, R: RowType, L: EnteredKeyed<K, R>> = L;
    fn put_keyed<'g, K: Key, R: RowType, L: EnteredKeyed<K, R>>(
        piece: Piece<'g, ByKey<K, R>, L>,
    ) -> Piece<'g, ByKey<K, R>, L> {
        piece
    }
}
impl Depth for Nested {
    type Or<B: Depth> = B::OrNested;
    type OrNested = Nested;
    type Around = Deep;
    type Keyed<K: Key, R: RowType, L: EnteredKeyed<K, R>> = L;
    fn put_keyed<'g, K: Key, R: RowType, L: EnteredKeyed<K, R>>(
        piece: Piece<'g, ByKey<K, R>, L>,
    ) -> Piece<'g, ByKey<K, R>, L> {
        piece
    }
}
impl Depth for Deep {
    type Or<B: Depth> = Deep;
    type OrNested = Deep;
    type Around = Deep;
    type Keyed<K: Key, R: RowType, L: EnteredKeyed<K, R>> = ApartKeyed<K, R>;
    fn put_keyed<'g, K: Key, R: RowType, L: EnteredKeyed<K, R>>(
        piece: Piece<'g, ByKey<K, R>, L>,
    ) -> Piece<'g, ByKey<K, R>, ApartKeyed<K, R>> {
        apart_keyed(piece)
    }
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
                apart(piece)
            }
        }
    )+)+};
}

// So at most three are in one type: two plain ones in a row, or a plain one and behind it one that has another in it.
fuses! {
    Plain: Front ThenNone ThenOne;
    Nested: Front ThenNone;
}
parts! {
    Plain: ThenMore;
    Nested: ThenOne ThenMore;
    Deep: Front ThenNone ThenOne ThenMore;
}
