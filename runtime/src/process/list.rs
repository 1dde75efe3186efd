//! `List<T>`: values per key in the order in which they were added.

use super::state::{Keeps, Slot, State};
use crate::codec::{CodecError, Reader};
use crate::record::Record;
use crate::schema::{Field, Past, Schema};
use crate::state::ttl::Age;
use std::collections::VecDeque;
use std::marker::PhantomData;

/// Values per key, in the order in which they were added: `state rows: List<Reading>, ttl 1h;`.
///
/// With a `ttl` each value is gone that long after it was added, but never before one that was added before it.
pub struct List<'a, T, A> {
    slot: &'a mut Items<T, A>,
    now: i64,
}

impl<T, A: Age> List<'_, T, A> {
    /// Adds a value behind the others.
    #[inline(always)]
    pub fn push(&mut self, value: T) {
        // As old as the one before it at most, so that those that are over are always in front.
        let mut since = self.slot.0.back().map_or_else(A::default, |(_, since)| *since);
        since.write(self.now);
        self.slot.0.push_back((value, since));
    }

    /// The values, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> + ExactSizeIterator {
        self.slot.0.iter().map(|(value, _)| value)
    }

    /// The values, oldest first, to be changed in place. This does not make them live longer.
    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut T> + ExactSizeIterator {
        self.slot.0.iter_mut().map(|(value, _)| value)
    }

    /// The value at a place, counted from 0.
    pub fn get(&self, at: usize) -> Option<&T> {
        self.slot.0.get(at).map(|(value, _)| value)
    }

    /// The oldest value.
    pub fn first(&self) -> Option<&T> {
        self.slot.0.front().map(|(value, _)| value)
    }

    /// The newest value.
    pub fn last(&self) -> Option<&T> {
        self.slot.0.back().map(|(value, _)| value)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.slot.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.slot.0.is_empty()
    }

    /// Takes the oldest value out.
    pub fn pop_front(&mut self) -> Option<T> {
        self.slot.0.pop_front().map(|(value, _)| value)
    }

    /// Keeps the values for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        self.slot.0.retain(|(value, _)| keep(value));
    }

    /// Takes all values out, oldest first.
    pub fn take(&mut self) -> Vec<T> {
        std::mem::take(&mut self.slot.0).into_iter().map(|(value, _)| value).collect()
    }

    /// Forgets all values.
    pub fn clear(&mut self) {
        self.slot.0 = VecDeque::new();
    }
}

/// What a row holds of a list.
pub struct Items<T, A>(VecDeque<(T, A)>);

impl<T, A> Default for Items<T, A> {
    #[inline(always)]
    fn default() -> Self {
        Items(VecDeque::new())
    }
}

impl<T: Record, A: Age> Slot for Items<T, A> {
    #[inline(always)]
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Record, A: Age> Record for Items<T, A> {
    const SCHEMA: &'static Schema = &Schema::Evolved(
        &Schema::Struct {
            name: "List",
            fields: &[Field { name: "items", schema: <VecDeque<(T, A)>>::SCHEMA, was: &[] }],
        },
        Past::OURS,
    );
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
    fn decode(from: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Items(VecDeque::decode(from)?))
    }
}

/// The declaration of a `List`.
pub struct ListState<T, P, A> {
    ttl: i64,
    what: PhantomData<(T, P, A)>,
}

impl<T, P, A> ListState<T, P, A> {
    /// Its values live so many ms, if their age matters.
    pub fn new(ttl: i64) -> Self {
        ListState { ttl, what: PhantomData }
    }
}

impl<T: 'static, P: Keeps<T>, A: Age> State for ListState<T, P, A> {
    type Slot = Items<P::Kept, A>;
    type Handle<'a> = List<'a, P::Kept, A>;
    #[inline(always)]
    fn open<'a>(&'a mut self, slot: &'a mut Self::Slot, now: i64) -> Self::Handle<'a> {
        self.tidy(slot, now);
        List { slot, now }
    }
    #[inline(always)]
    fn stale(&self, slot: &Self::Slot, now: i64) -> bool {
        slot.0.front().is_some_and(|(_, since)| since.over(self.ttl, now))
    }
    #[inline(always)]
    fn tidy(&self, slot: &mut Self::Slot, now: i64) {
        if A::ENDS {
            while slot.0.pop_front_if(|(_, since)| since.over(self.ttl, now)).is_some() {}
        }
    }
    fn ttl(&self) -> Option<i64> {
        A::ENDS.then_some(self.ttl)
    }
}
