//! Rows of several streams, or of several workers, go on as one: `union`, `rebalance` and the like. No state; each row is judged by
//! the watermark that it was judged by in front of it.

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
        let mut marks = batch.marks.iter().peekable();
        for (at, value) in batch.values.enumerate() {
            while let Some(mark) = marks.next_if(|mark| mark.row as usize <= at) {
                next.judged_by(mark.watermark);
            }
            next.main(value, batch.times[at].ms());
        }
    }
}
