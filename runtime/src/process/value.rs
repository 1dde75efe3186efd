//! `Value<T>`: one value per key, or none. What `Reducing` and `Aggregating` keep is one too.

use super::state::{Keeps, Slot, State};
use crate::codec::{CodecError, Reader};
use crate::record::Record;
use crate::schema::{Field, Past, Schema};
use crate::state::ttl::Age;
use std::marker::PhantomData;

/// One value per key, or none: `state last: Value<Payment>, ttl 24h;`.
///
/// It is lent in place, never copied. With a `ttl` it is gone that long after it was last written: by [`set`](Value::set),
/// [`update`](Value::update), or by asking for it with [`get_mut`](Value::get_mut). To read it does not make it live longer.
pub struct Value<'a, T, A> {
    slot: &'a mut Held<T, A>,
    now: i64,
}

impl<T, A: Age> Value<'_, T, A> {
    /// The value.
    #[inline(always)]
    pub fn get(&self) -> Option<&T> {
        self.slot.value.as_ref()
    }

    /// The value, to be changed in place. It counts as written.
    #[inline(always)]
    pub fn get_mut(&mut self) -> Option<&mut T> {
        let value = self.slot.value.as_mut();
        if value.is_some() {
            self.slot.since.write(self.now);
        }
        value
    }

    /// The value, to be changed in place; `make` gives it if there is none. It counts as written.
    #[inline(always)]
    pub fn get_or_insert_with(&mut self, make: impl FnOnce() -> T) -> &mut T {
        self.slot.since.write(self.now);
        self.slot.value.get_or_insert_with(make)
    }

    /// Puts a value in the place of what was there.
    #[inline(always)]
    pub fn set(&mut self, value: T) {
        self.slot.put(value, self.now);
    }

    /// Replaces the value by what `f` makes of it; where there is none, of the default.
    #[inline(always)]
    pub fn update(&mut self, f: impl FnOnce(T) -> T)
    where
        T: Default,
    {
        self.slot.change(self.now, |value| f(value.unwrap_or_default()));
    }

    /// Takes the value out.
    #[inline(always)]
    pub fn take(&mut self) -> Option<T> {
        self.slot.take()
    }

    /// Forgets the value.
    #[inline(always)]
    pub fn clear(&mut self) {
        self.slot.take();
    }
}

/// What a row holds of a value.
pub struct Held<T, A> {
    value: Option<T>,
    since: A,
}

impl<T, A: Age> Held<T, A> {
    #[inline(always)]
    pub(super) fn put(&mut self, value: T, now: i64) {
        self.value = Some(value);
        self.since.write(now);
    }
    /// Puts a value in the place of what was there, which goes into it.
    #[inline(always)]
    pub(super) fn change(&mut self, now: i64, f: impl FnOnce(Option<T>) -> T) {
        self.value = Some(f(self.value.take()));
        self.since.write(now);
    }
    #[inline(always)]
    pub(super) fn take(&mut self) -> Option<T> {
        self.since = A::default();
        self.value.take()
    }
    #[inline(always)]
    pub(super) fn get(&self) -> Option<&T> {
        self.value.as_ref()
    }
    /// The value, to be changed; `make` gives it if there is none.
    #[inline(always)]
    pub(super) fn write(&mut self, now: i64, make: impl FnOnce() -> T) -> &mut T {
        self.since.write(now);
        self.value.get_or_insert_with(make)
    }
    #[inline(always)]
    pub(super) fn stale(&self, ttl: i64, now: i64) -> bool {
        self.since.over(ttl, now)
    }
    #[inline(always)]
    pub(super) fn tidy(&mut self, ttl: i64, now: i64) {
        if A::ENDS && self.since.over(ttl, now) {
            self.take();
        }
    }
}

impl<T, A: Default> Default for Held<T, A> {
    #[inline(always)]
    fn default() -> Self {
        Held { value: None, since: A::default() }
    }
}

impl<T: Record, A: Age> Slot for Held<T, A> {
    #[inline(always)]
    fn is_empty(&self) -> bool {
        self.value.is_none()
    }
}

impl<T: Record, A: Age> Record for Held<T, A> {
    const SCHEMA: &'static Schema = &Schema::Evolved(
        &Schema::Struct {
            name: "Value",
            fields: &[
                Field { name: "value", schema: <Option<T>>::SCHEMA, was: &[] },
                Field { name: "since", schema: A::SCHEMA, was: &[] },
            ],
        },
        Past::OURS,
    );
    fn encode(&self, out: &mut Vec<u8>) {
        self.value.encode(out);
        self.since.encode(out);
    }
    fn decode(from: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Held { value: Option::decode(from)?, since: A::decode(from)? })
    }
}

/// The declaration of a `Value`, with the proof that it can be kept.
pub struct ValueState<T, P, A> {
    ttl: i64,
    what: PhantomData<(T, P, A)>,
}

impl<T, P, A> ValueState<T, P, A> {
    /// Lives so many ms, if its age matters.
    pub fn new(ttl: i64) -> Self {
        ValueState { ttl, what: PhantomData }
    }
}

impl<T: 'static, P: Keeps<T>, A: Age> State for ValueState<T, P, A> {
    type Slot = Held<P::Kept, A>;
    type Handle<'a> = Value<'a, P::Kept, A>;
    #[inline(always)]
    fn open<'a>(&'a mut self, slot: &'a mut Self::Slot, now: i64) -> Self::Handle<'a> {
        slot.tidy(self.ttl, now);
        Value { slot, now }
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
