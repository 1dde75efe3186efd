//! `union`: rows of several streams go on as one. No state.

use super::{Batch, Follow, Operator, Out};
use crate::frame::Time;
use std::marker::PhantomData;

/// Hands rows on.
pub struct Relay<V>(PhantomData<V>);

impl<V> Relay<V> {
    /// A relay.
    pub fn new() -> Self {
        Relay(PhantomData)
    }
}
impl<V> Default for Relay<V> {
    fn default() -> Self {
        Self::new()
    }
}
impl<V> Out for Relay<V> {
    type Row<'a> = V;
}
impl<V: 'static, T: Time> Operator<(), V, (), T> for Relay<V> {
    fn rows<F: Follow<Self, V>>(&mut self, batch: Batch<'_, (), V, T>, next: &mut F) {
        for (at, value) in batch.values.enumerate() {
            next.main(value, batch.times[at].ms());
        }
    }
}
