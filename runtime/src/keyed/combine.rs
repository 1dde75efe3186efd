//! Combining in front of an exchange: partial results per key, so that many rows become few. Those per window are in
//! `window`.
//!
//! Allowed only where no row-wise result is promised. A combiner holds at most [`LIMIT`] partial results. Keys that
//! hardly repeat are not worth it: where a full table held fewer than two rows per result, rows travel raw for a while.

use crate::aggregate::Aggregator;
use crate::frame::writer::Combine;
use crate::hash::KeyRange;
use crate::key::Key;
use crate::state::table::{Place, Table};
use std::marker::PhantomData;

/// Partial results held at most: measured on words, a table that holds the vocabulary is what pays.
pub const LIMIT: usize = 1 << 16;
/// Rows that travel raw after a table that did not pay.
const PASS_ROWS: u64 = 16 * LIMIT as u64;

/// Whether combining pays, by what it did so far.
pub(crate) struct Worth {
    rows: u64,
    pass: u64,
}

impl Worth {
    pub(crate) fn new() -> Self {
        Worth { rows: 0, pass: 0 }
    }
    /// Whether this row is combined.
    #[inline(always)]
    pub(crate) fn enter(&mut self) -> bool {
        if self.pass > 0 {
            self.pass -= 1;
            return false;
        }
        self.rows += 1;
        true
    }
    /// A full table goes out with so many results.
    pub(crate) fn full(&mut self, results: usize) {
        if self.rows < 2 * results as u64 {
            self.pass = PASS_ROWS;
        }
        self.rows = 0;
    }
}

/// Partial results per key, for `emit every` and `emit at_end`.
pub struct CombineTotals<K: Key, V, A: Aggregator<V>> {
    how: A,
    table: Table<K, A::Acc>,
    worth: Worth,
    rows: PhantomData<V>,
}

impl<K: Key, V: 'static, A: Aggregator<V>> CombineTotals<K, V, A> {
    /// With the aggregator of the edge's other side.
    pub fn new(how: A) -> Self {
        CombineTotals { how, table: Table::new(KeyRange::SCATTERED), worth: Worth::new(), rows: PhantomData }
    }
}

impl<K: Key, V: 'static, A: Aggregator<V>> Combine<K, V> for CombineTotals<K, V, A> {
    fn held(&self) -> usize {
        self.table.len()
    }
    type Acc = A::Acc;
    const ACTIVE: bool = true;
    #[inline(always)]
    fn add(&mut self, key: K::Ref<'_>, hash: u64, _: i64, _: i64, value: &V) -> bool {
        if !self.worth.enter() {
            return false;
        }
        self.how.add(self.table.value(hash, key, A::Acc::default), value);
        true
    }
    #[inline(always)]
    fn enter(&mut self, key: K::Ref<'_>, hash: u64, _: i64, _: i64) -> Option<u64> {
        if !self.worth.enter() {
            return None;
        }
        Some(self.table.entry(hash, key, A::Acc::default).pack())
    }
    #[inline(always)]
    fn add_at(&mut self, place: u64, value: &V) {
        self.how.add(self.table.at(Place::unpack(place)), value);
    }
    fn drain(&mut self, all: bool, _: i64, mut each: impl FnMut(K::Ref<'_>, u64, A::Acc, i64)) {
        let full = self.table.len() >= LIMIT;
        if full {
            self.worth.full(self.table.len());
        }
        if all || full {
            self.table.drain(|key, hash, acc| each(key, hash, acc, i64::MIN));
        }
    }
    fn bound_bytes(&self) -> usize {
        2 * LIMIT * (size_of::<K>() + size_of::<A::Acc>() + 8)
    }
}
