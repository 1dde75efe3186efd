//! `Reducing<T>` and `Aggregating<T>`: one value per key that takes in others.

use super::state::{Keeps, State};
use super::value::Held;
use crate::aggregate::Aggregator;
use crate::state::ttl::Age;
use std::marker::PhantomData;

/// One value per key that takes in others with a closure: `state total: Reducing<u64> = |a, b| a + b, ttl 1d;`.
///
/// With a `ttl` it is gone that long after something was last added.
pub struct Reducing<'a, T, A, F> {
    slot: &'a mut Held<T, A>,
    how: &'a mut F,
    now: i64,
}

impl<T, A: Age, F: FnMut(T, T) -> T> Reducing<'_, T, A, F> {
    /// Adds a value: the first is taken as it is, each other goes through the closure, with what was there in front.
    #[inline(always)]
    pub fn add(&mut self, value: T) {
        let how = &mut *self.how;
        self.slot.change(self.now, |before| match before {
            Some(before) => how(before, value),
            None => value,
        });
    }

    /// What has come of it so far.
    #[inline(always)]
    pub fn get(&self) -> Option<&T> {
        self.slot.get()
    }

    /// Takes it out, to begin anew.
    #[inline(always)]
    pub fn take(&mut self) -> Option<T> {
        self.slot.take()
    }

    /// Begins anew.
    #[inline(always)]
    pub fn clear(&mut self) {
        self.slot.take();
    }
}

/// The declaration of a `Reducing`.
pub struct ReducingState<T, P, A, F> {
    ttl: i64,
    how: F,
    what: PhantomData<(T, P, A)>,
}

impl<T, P, A, F> ReducingState<T, P, A, F> {
    /// With its closure; lives so many ms, if its age matters.
    pub fn new(how: F, ttl: i64) -> Self {
        ReducingState { ttl, how, what: PhantomData }
    }
}

impl<T, P, A, F> State for ReducingState<T, P, A, F>
where
    T: 'static,
    P: Keeps<T>,
    A: Age,
    F: FnMut(P::Kept, P::Kept) -> P::Kept + 'static,
{
    type Slot = Held<P::Kept, A>;
    type Handle<'a> = Reducing<'a, P::Kept, A, F>;
    #[inline(always)]
    fn open<'a>(&'a mut self, slot: &'a mut Self::Slot, now: i64) -> Self::Handle<'a> {
        slot.tidy(self.ttl, now);
        Reducing { slot, how: &mut self.how, now }
    }
    #[inline(always)]
    fn stale(&self, slot: &Self::Slot, now: i64) -> bool {
        slot.stale(self.ttl, now)
    }
    #[inline(always)]
    fn tidy(&self, slot: &mut Self::Slot, now: i64) {
        slot.tidy(self.ttl, now);
    }
    fn ttl(&self) -> Option<i64> {
        A::ENDS.then_some(self.ttl)
    }
}

/// An aggregate per key: `state stats: Aggregating<Payment> = (count(), sum(|p| p.amount)), ttl 1d;`. The type is that of
/// what is added.
///
/// With a `ttl` it is gone that long after something was last added.
pub struct Aggregating<'a, T, A, G: Aggregator<T>> {
    slot: &'a mut Held<G::Acc, A>,
    how: &'a G,
    now: i64,
}

impl<T, A: Age, G: Aggregator<T>> Aggregating<'_, T, A, G> {
    /// Adds a row.
    #[inline(always)]
    pub fn add(&mut self, row: &T) {
        self.how.add(self.slot.write(self.now, G::Acc::default), row);
    }

    /// The result so far; `None` if nothing was added.
    #[inline(always)]
    pub fn get(&self) -> Option<G::Out> {
        self.slot.get().map(|acc| self.how.finish(acc))
    }

    /// The result so far, to begin anew.
    #[inline(always)]
    pub fn take(&mut self) -> Option<G::Out> {
        self.slot.take().map(|acc| self.how.finish(&acc))
    }

    /// Begins anew.
    #[inline(always)]
    pub fn clear(&mut self) {
        self.slot.take();
    }
}

/// The declaration of an `Aggregating`.
pub struct AggregatingState<T, A, G> {
    ttl: i64,
    how: G,
    what: PhantomData<(T, A)>,
}

impl<T, A, G> AggregatingState<T, A, G> {
    /// With its aggregator; lives so many ms, if its age matters.
    pub fn new(how: G, ttl: i64) -> Self {
        AggregatingState { ttl, how, what: PhantomData }
    }
}

impl<T: 'static, A: Age, G: Aggregator<T>> State for AggregatingState<T, A, G> {
    type Slot = Held<G::Acc, A>;
    type Handle<'a> = Aggregating<'a, T, A, G>;
    #[inline(always)]
    fn open<'a>(&'a mut self, slot: &'a mut Held<G::Acc, A>, now: i64) -> Aggregating<'a, T, A, G> {
        slot.tidy(self.ttl, now);
        Aggregating { slot, how: &self.how, now }
    }
    #[inline(always)]
    fn stale(&self, slot: &Held<G::Acc, A>, now: i64) -> bool {
        slot.stale(self.ttl, now)
    }
    #[inline(always)]
    fn tidy(&self, slot: &mut Held<G::Acc, A>, now: i64) {
        slot.tidy(self.ttl, now);
    }
    fn ttl(&self) -> Option<i64> {
        A::ENDS.then_some(self.ttl)
    }
}
