//! Combining in front of an exchange: partial results per key (and window), so that many rows become few.
//!
//! Allowed only where no row-wise result is promised. A combiner holds at most [`LIMIT`] partial results. Keys that
//! hardly repeat are not worth it: where a full table held fewer than two rows per result, rows travel raw for a while.

use crate::aggregate::Aggregator;
use crate::frame::writer::Combine;
use crate::hash::KeyRange;
use crate::key::Key;
use crate::state::table::{Place, Table};
use crate::window::Tumbling;
use std::collections::VecDeque;
use std::marker::PhantomData;

/// Partial results held at most: measured on words, a table that holds the vocabulary is what pays.
pub const LIMIT: usize = 1 << 16;
/// Rows that travel raw after a table that did not pay.
const PASS_ROWS: u64 = 16 * LIMIT as u64;

/// Whether combining pays, by what it did so far.
struct Worth {
    rows: u64,
    pass: u64,
}

impl Worth {
    fn new() -> Self {
        Worth { rows: 0, pass: 0 }
    }
    /// Whether this row is combined.
    #[inline(always)]
    fn enter(&mut self) -> bool {
        if self.pass > 0 {
            self.pass -= 1;
            return false;
        }
        self.rows += 1;
        true
    }
    /// A full table goes out with so many results.
    fn full(&mut self, results: usize) {
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
        CombineTotals { how, table: Table::new(KeyRange::ALL), worth: Worth::new(), rows: PhantomData }
    }
}

impl<K: Key, V: 'static, A: Aggregator<V>> Combine<K, V> for CombineTotals<K, V, A> {
    type Acc = A::Acc;
    const ACTIVE: bool = true;
    #[inline(always)]
    fn enter(&mut self, key: K::Ref<'_>, hash: u64, _: i64, _: i64) -> Option<u64> {
        if !self.worth.enter() {
            return None;
        }
        Some(self.table.entry(hash, key, A::Acc::default).pack())
    }
    #[inline(always)]
    fn add(&mut self, place: u64, value: &V) {
        self.how.add(self.table.at(Place::unpack(place)), value);
    }
    fn drain(&mut self, all: bool, _: i64, mut each: impl FnMut(K, u64, A::Acc, i64)) {
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

/// Partial results per key and window.
pub struct CombineWindows<K: Key, V, A: Aggregator<V>> {
    window: Tumbling,
    how: A,
    /// Open windows by their start, in order.
    open: VecDeque<(i64, Table<K, A::Acc>)>,
    /// The one that the last row fell into, and where it begins.
    current: usize,
    start: i64,
    held: usize,
    worth: Worth,
    rows: PhantomData<V>,
}

impl<K: Key, V: 'static, A: Aggregator<V>> CombineWindows<K, V, A> {
    /// With the window and the aggregator of the edge's other side.
    pub fn new(window: Tumbling, how: A) -> Self {
        let worth = Worth::new();
        CombineWindows { window, how, open: VecDeque::new(), current: usize::MAX, start: 0, held: 0, worth, rows: PhantomData }
    }

    #[cold]
    #[inline(never)]
    fn find(&mut self, time: i64) {
        self.start = self.window.start_of(time);
        let at = self.open.partition_point(|open| open.0 < self.start);
        if self.open.get(at).is_none_or(|open| open.0 != self.start) {
            self.open.insert(at, (self.start, Table::new(KeyRange::ALL)));
        }
        self.current = at;
    }
}

impl<K: Key, V: 'static, A: Aggregator<V>> Combine<K, V> for CombineWindows<K, V, A> {
    type Acc = A::Acc;
    const ACTIVE: bool = true;
    #[inline(always)]
    fn enter(&mut self, key: K::Ref<'_>, hash: u64, time: i64, before: i64) -> Option<u64> {
        // A row behind its own sender's watermark travels raw: only the receiver can say whether it is late.
        if time < before || !self.worth.enter() {
            return None;
        }
        if self.current == usize::MAX || time.wrapping_sub(self.start) as u64 >= self.window.size_ms() as u64 {
            self.find(time);
        }
        let (_, table) = self.open.get_mut(self.current)?;
        let place = table.entry(hash, key, A::Acc::default);
        Some((self.current as u64) << 48 | place.pack())
    }
    #[inline(always)]
    fn add(&mut self, place: u64, value: &V) {
        if let Some((_, table)) = self.open.get_mut((place >> 48) as usize) {
            self.how.add(table.at(Place::unpack(place & ((1 << 48) - 1))), value);
        }
    }
    fn drain(&mut self, all: bool, watermark: i64, mut each: impl FnMut(K, u64, A::Acc, i64)) {
        self.held = self.open.iter().map(|open| open.1.len()).sum();
        let full = self.held >= LIMIT || self.open.len() >= 1 << 14;
        if full {
            self.worth.full(self.held);
        }
        while let Some((start, _)) = self.open.front()
            && (all || full || self.window.end_of(*start) <= watermark)
        {
            let Some((start, mut table)) = self.open.pop_front() else { break };
            table.drain(|key, hash, acc| each(key, hash, acc, start));
            self.current = usize::MAX;
        }
    }
    fn bound_bytes(&self) -> usize {
        2 * LIMIT * (size_of::<K>() + size_of::<A::Acc>() + 8)
    }
}
