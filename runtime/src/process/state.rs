//! What a `state` of a `process` is to the operator: a [`State`] says how long it lives and how it is added to, its [`Slot`] is
//! what a key's row holds of it, its handle is what a handler sees. All states of one operator lie side by side in that row, as
//! a list of pairs, so one lookup brings them all, and handlers borrow them apart.

use super::row::Fields;
use crate::key::Key;
use crate::record::Record;
use crate::schema::{Dropped, Field};
use std::marker::PhantomData;

/// A declared state.
pub trait State: 'static {
    /// What a row holds of it.
    type Slot: Slot;
    /// What a handler sees, while the row is lent to it.
    type Handle<'a>;
    /// Lends it. What is over by `now` is not there any more.
    fn open<'a>(&'a mut self, slot: &'a mut Self::Slot, now: i64) -> Self::Handle<'a>;
    /// Whether something of it may be over by `now`.
    fn stale(&self, slot: &Self::Slot, now: i64) -> bool;
    /// Forgets what is over.
    fn tidy(&self, slot: &mut Self::Slot, now: i64);
    /// How long it lives, in ms; `None` if it does until it is cleared.
    fn ttl(&self) -> Option<i64>;
}

/// The proof that a type can be kept. What a state is made of is asked of the proof: as long as that is not known, rustc waits
/// instead of complaining, so a type that cannot be kept is one message.
pub trait Keeps<T>: 'static {
    /// `T`.
    type Kept: Record;
}
/// The proof that a type can be the key of a map.
pub trait KeepsKey<T>: 'static {
    /// `T`.
    type Kept: Key + Ord;
}
/// The only proof there is.
pub enum Proof {}
impl<T: Record> Keeps<T> for Proof {
    type Kept = T;
}
impl<T: Key + Ord> KeepsKey<T> for Proof {
    type Kept = T;
}

/// What a row holds of a state.
pub trait Slot: Record + Default {
    /// Whether there is nothing in it: it is as if it had never been.
    fn is_empty(&self) -> bool;
}

/// What a state or a timer is called: its name in every snapshot.
pub trait Named: Send + 'static {
    /// The name.
    const NAME: &'static str;
    /// Names that it had before.
    const WAS: &'static [&'static str];
}

/// A state with its name.
pub struct Declared<N, S> {
    state: S,
    name: PhantomData<N>,
}

impl<N, S> Declared<N, S> {
    /// Gives it a name.
    pub fn new(_: N, state: S) -> Self {
        Declared { state, name: PhantomData }
    }
}

/// States and timers that an operator has no more: `#[dropped(operator.name)]` in front of the job.
pub trait GoneNames: 'static {
    /// Their names.
    const NAMES: &'static [Dropped];
}

/// Stands at the end of an operator's states, for those that it has no more.
pub struct Gone<N>(PhantomData<N>);

impl<N> Gone<N> {
    /// For these.
    pub fn new(_: N) -> Self {
        Gone(PhantomData)
    }
}

/// The states of an operator: `(a, (b, (c, ())))`.
pub trait States: 'static {
    /// What was stored of states that are gone is not restored.
    const DROPPED: &'static [Dropped];
    /// Their names, and what is kept of them.
    const FIELDS: Fields;
    /// Their slots, as a list of pairs too.
    type Slots: Slot;
    /// Their handles, likewise.
    type Handles<'a>;
    /// Lends them.
    fn open<'a>(&'a mut self, slots: &'a mut Self::Slots, now: i64) -> Self::Handles<'a>;
    /// Whether something of them may be over.
    fn stale(&self, slots: &Self::Slots, now: i64) -> bool;
    /// Forgets what is over.
    fn tidy(&self, slots: &mut Self::Slots, now: i64);
    /// The shortest ttl, if there is one.
    fn shortest(&self) -> Option<i64>;
}

impl Slot for () {
    #[inline(always)]
    fn is_empty(&self) -> bool {
        true
    }
}
impl<A: Slot, B: Slot> Slot for (A, B) {
    #[inline(always)]
    fn is_empty(&self) -> bool {
        self.0.is_empty() && self.1.is_empty()
    }
}

impl<N: GoneNames> States for Gone<N> {
    const DROPPED: &'static [Dropped] = N::NAMES;
    const FIELDS: Fields = Fields::NONE;
    type Slots = ();
    type Handles<'a> = ();
    #[inline(always)]
    fn open<'a>(&'a mut self, (): &'a mut (), _: i64) {}
    #[inline(always)]
    fn stale(&self, (): &(), _: i64) -> bool {
        false
    }
    #[inline(always)]
    fn tidy(&self, (): &mut (), _: i64) {}
    fn shortest(&self) -> Option<i64> {
        None
    }
}
impl States for () {
    const DROPPED: &'static [Dropped] = &[];
    const FIELDS: Fields = Fields::NONE;
    type Slots = ();
    type Handles<'a> = ();
    #[inline(always)]
    fn open<'a>(&'a mut self, (): &'a mut (), _: i64) {}
    #[inline(always)]
    fn stale(&self, (): &(), _: i64) -> bool {
        false
    }
    #[inline(always)]
    fn tidy(&self, (): &mut (), _: i64) {}
    fn shortest(&self) -> Option<i64> {
        None
    }
}
impl<N: Named, A: State, B: States> States for (Declared<N, A>, B) {
    const DROPPED: &'static [Dropped] = B::DROPPED;
    const FIELDS: Fields = Fields::NONE
        .with(Field { name: N::NAME, schema: A::Slot::SCHEMA, was: N::WAS }, |out| A::Slot::default().encode(out))
        .and(B::FIELDS);
    type Slots = (A::Slot, B::Slots);
    type Handles<'a> = (A::Handle<'a>, B::Handles<'a>);
    #[inline(always)]
    fn open<'a>(&'a mut self, slots: &'a mut Self::Slots, now: i64) -> Self::Handles<'a> {
        (self.0.state.open(&mut slots.0, now), self.1.open(&mut slots.1, now))
    }
    #[inline(always)]
    fn stale(&self, slots: &Self::Slots, now: i64) -> bool {
        self.0.state.stale(&slots.0, now) || self.1.stale(&slots.1, now)
    }
    #[inline(always)]
    fn tidy(&self, slots: &mut Self::Slots, now: i64) {
        self.0.state.tidy(&mut slots.0, now);
        self.1.tidy(&mut slots.1, now);
    }
    fn shortest(&self) -> Option<i64> {
        match (self.0.state.ttl(), self.1.shortest()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }
}
