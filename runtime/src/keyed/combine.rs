//! Combining in front of an exchange: partial results per key, so that many rows become few. Those per window are in
//! `window`.
//!
//! Allowed only where no row-wise result is promised. A combiner holds at most [`LIMIT`] partial results. Keys that
//! hardly repeat are not worth it: where a full table held fewer than two rows per result, rows travel raw for a while.

use super::partials::Partials;
use crate::aggregate::Aggregator;
use crate::frame::writer::{Combine, Cx};
use crate::key::Key;
use std::marker::PhantomData;

/// Partial results held at most: measured on words, a table that holds the vocabulary is what pays.
pub const LIMIT: usize = 1 << 16;
/// Bytes of the heap that they may well own in all.
const HEAP: usize = 16 << 20;
/// Partial results held at most of an aggregator: fewer if they own much of the heap.
pub const fn limit(heap: usize) -> usize {
    let fits = HEAP / if heap == 0 { 1 } else { heap };
    if fits > LIMIT { LIMIT } else { fits }
}
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
    /// Whether this row travels raw.
    #[inline(always)]
    pub(crate) fn passes(&mut self) -> bool {
        let passes = self.pass > 0;
        if passes {
            self.pass -= 1;
        }
        passes
    }
    /// So many rows were combined.
    pub(crate) fn combined(&mut self, rows: usize) {
        self.rows += rows as u64;
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
    partials: Partials<K, A::Acc>,
    /// Rows that were added since they were last counted.
    rows: usize,
    worth: Worth,
    adds: PhantomData<V>,
}

impl<K: Key, V: 'static, A: Aggregator<V>> CombineTotals<K, V, A> {
    /// With the aggregator of the edge's other side.
    pub fn new(how: A) -> Self {
        CombineTotals { how, partials: Partials::new(), rows: 0, worth: Worth::new(), adds: PhantomData }
    }
}

impl<K: Key, V: 'static, A: Aggregator<V>> Combine<K, V> for CombineTotals<K, V, A> {
    fn held(&self) -> usize {
        self.partials.len()
    }
    type Acc = A::Acc;
    const ACTIVE: bool = true;
    #[inline(always)]
    fn takes(&mut self, _: i64, _: &mut Cx) -> bool {
        !self.worth.passes()
    }
    #[inline(always)]
    fn row(&mut self, key: K::Ref<'_>, value: V, _: &Cx) {
        self.rows += 1;
        self.how.add(self.partials.of(key), &value);
    }
    #[inline(always)]
    fn key(&mut self, key: K::Ref<'_>, _: &Cx) {
        self.rows += 1;
        self.partials.seek(key);
    }
    #[inline(always)]
    fn value(&mut self, value: V, _: &Cx) {
        if let Some(acc) = self.partials.sought() {
            self.how.add(acc, &value);
        }
    }
    fn settle(&mut self, _: &mut Cx) {
        self.worth.combined(std::mem::take(&mut self.rows));
    }
    fn drain(&mut self, all: bool, _: i64, mut each: impl FnMut(K::Ref<'_>, u64, A::Acc, i64)) {
        let full = self.held() >= limit(A::HEAP);
        if full {
            self.worth.full(self.held());
        }
        if all || full {
            self.partials.drain(|key, hash, acc| each(key, hash, acc, i64::MIN));
        }
    }
    fn bound_bytes(&self) -> usize {
        Partials::<K, A::Acc>::bound_bytes(limit(A::HEAP)) + limit(A::HEAP) * A::HEAP
    }
}
