//! Rows of one key that wait until the watermark has passed them: `in_order`. They are part of the key's row, and so of
//! every snapshot.

use super::row::{Fields, Kept};
use crate::codec::{CodecError, Reader};
use crate::record::Record;
use crate::schema::{Field, Schema};
use std::collections::VecDeque;

/// What happens to rows before a handler sees them.
pub trait Waits<V>: Record + Kept + Default {
    /// Whether they wait.
    const IN_ORDER: bool;
    /// Puts a row behind those of its time and of earlier ones.
    fn put(&mut self, time: i64, row: V);
    /// The time of the first.
    fn first(&self) -> Option<i64>;
    /// Takes the first.
    fn take(&mut self) -> Option<(i64, V)>;
}

impl Kept for () {
    const FIELDS: Fields = Fields::NONE;
    fn any(&self) -> bool {
        false
    }
}
impl<V: Record> Kept for Waiting<V> {
    const FIELDS: Fields = Fields::NONE
        .with(Field { name: "in_order", schema: Self::SCHEMA, was: &[] }, |out| Self::default().encode(out));
    fn any(&self) -> bool {
        Waits::<V>::first(self).is_some()
    }
}

/// As they arrive.
impl<V> Waits<V> for () {
    const IN_ORDER: bool = false;
    #[inline(always)]
    fn put(&mut self, _: i64, _: V) {}
    #[inline(always)]
    fn first(&self) -> Option<i64> {
        None
    }
    #[inline(always)]
    fn take(&mut self) -> Option<(i64, V)> {
        None
    }
}

/// In the order of their times; those of one time as they arrive.
pub struct Waiting<V>(VecDeque<(i64, V)>);

impl<V> Default for Waiting<V> {
    #[inline(always)]
    fn default() -> Self {
        Waiting(VecDeque::new())
    }
}

impl<V: Record> Waits<V> for Waiting<V> {
    const IN_ORDER: bool = true;
    #[inline(always)]
    fn put(&mut self, time: i64, row: V) {
        // Most rows come in order.
        if self.0.back().is_none_or(|(last, _)| *last <= time) {
            return self.0.push_back((time, row));
        }
        let at = self.0.partition_point(|(before, _)| *before <= time);
        self.0.insert(at, (time, row));
    }
    #[inline(always)]
    fn first(&self) -> Option<i64> {
        self.0.front().map(|(time, _)| *time)
    }
    #[inline(always)]
    fn take(&mut self) -> Option<(i64, V)> {
        let first = self.0.pop_front();
        if self.0.is_empty() {
            // Most keys have no rows that wait, and need no memory for them.
            self.0 = VecDeque::new();
        }
        first
    }
}

impl<V: Record> Record for Waiting<V> {
    const SCHEMA: &'static Schema = <VecDeque<(i64, V)>>::SCHEMA;
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
    fn decode(from: &mut Reader<'_>) -> Result<Self, CodecError> {
        let rows = VecDeque::<(i64, V)>::decode(from)?;
        if rows.iter().zip(rows.iter().skip(1)).any(|(a, b)| a.0 > b.0) {
            return Err(from.invalid("rows that wait for their time, in its order"));
        }
        Ok(Waiting(rows))
    }
}
