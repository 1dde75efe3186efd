//! Rows that wait in front of a combiner's table, so that many are looked up together: their hashes are found at once and
//! the memory of each is asked for while others are added. Measured on words: 1.15 times a table that is asked row by row.
//! Keys of fixed size do not wait: the processor overlaps their lookups by itself, and on W3 waiting takes a fifth longer.

use crate::aggregate::Aggregator;
use crate::frame::writer::Cx;
use crate::key::{Key, KeyColumn};
use crate::state::table::{Ahead, Place, Table};

/// Rows added at once: keys and values stay in the nearest cache.
const AT_ONCE: usize = 256;

/// Keys, values, and where each row came from.
pub(super) struct Waiting<K: Key, V> {
    keys: K::Column,
    values: Vec<V>,
    /// The low bits of each row's number at the source.
    rows: Vec<u32>,
    operator: u32,
    /// Where the key that was taken last has its partial result, if keys do not wait.
    place: Place,
    /// Rows added without waiting since they were last counted.
    at_once: usize,
}

impl<K: Key, V> Waiting<K, V> {
    pub(super) fn new() -> Self {
        Waiting {
            keys: K::Column::default(),
            values: Vec::new(),
            rows: Vec::new(),
            operator: 0,
            place: Place::default(),
            at_once: 0,
        }
    }

    /// Bytes that they take at most, without what they own on the heap.
    pub(super) fn bound_bytes() -> usize {
        2 * AT_ONCE * (K::Column::ROW_BYTES + size_of::<V>() + 4)
    }

    /// Whether rows must be added before others may come.
    #[inline(always)]
    pub(super) fn full(&self) -> bool {
        K::Column::TOGETHER && self.values.len() >= AT_ONCE
    }

    /// Takes a row.
    #[inline(always)]
    pub(super) fn row<A: Aggregator<V>>(
        &mut self,
        key: K::Ref<'_>,
        value: V,
        table: &mut Table<K, A::Acc>,
        how: &A,
        cx: &Cx,
    ) {
        if K::Column::TOGETHER {
            self.key::<A>(key, table, cx);
            self.value(value, table, how, cx);
        } else {
            self.at_once += 1;
            how.add(table.value(K::hash(key), key, |_| A::Acc::default()), &value);
        }
    }

    /// Takes a row's key.
    #[inline(always)]
    pub(super) fn key<A: Aggregator<V>>(&mut self, key: K::Ref<'_>, table: &mut Table<K, A::Acc>, cx: &Cx) {
        if K::Column::TOGETHER {
            self.keys.push_later(key);
            self.rows.push(cx.row as u32);
        } else {
            self.place = table.entry(K::hash(key), key, |_| A::Acc::default());
            self.at_once += 1;
        }
    }

    /// Takes its value. The table is that of the key.
    #[inline(always)]
    pub(super) fn value<A: Aggregator<V>>(&mut self, value: V, table: &mut Table<K, A::Acc>, how: &A, cx: &Cx) {
        if K::Column::TOGETHER {
            self.values.push(value);
            self.operator = cx.operator;
        } else {
            how.add(table.at(self.place), &value);
        }
    }

    /// How many rows have come since this was last asked. Those that wait are added now.
    #[inline(always)]
    pub(super) fn settle<A: Aggregator<V>>(&mut self, table: &mut Table<K, A::Acc>, how: &A, cx: &mut Cx) -> usize {
        if K::Column::TOGETHER {
            let rows = self.values.len();
            self.add_to(table, how, cx);
            rows
        } else {
            std::mem::take(&mut self.at_once)
        }
    }

    /// Adds them to a table.
    #[inline(never)]
    fn add_to<A: Aggregator<V>>(&mut self, table: &mut Table<K, A::Acc>, how: &A, cx: &mut Cx) {
        let Waiting { keys, values, rows, operator, .. } = self;
        keys.settle();
        let mut blame = Blame { cx, rows, operator: *operator, at: 0 };
        let mut ahead = Ahead::of(table, keys);
        for value in values.drain(..) {
            let at = blame.at;
            let probe = ahead.next(table, keys, at);
            how.add(table.value_from(probe, keys, at, |_| A::Acc::default()), &value);
            blame.at += 1;
        }
        drop(blame);
        keys.clear();
        rows.clear();
    }
}

/// Says whose row it was, if adding it panics.
struct Blame<'x> {
    cx: &'x mut Cx,
    rows: &'x [u32],
    operator: u32,
    at: usize,
}

impl Drop for Blame<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let row = self.rows.get(self.at).copied().unwrap_or_default();
            let since = (self.cx.row as u32).wrapping_sub(row);
            self.cx.operator = self.operator;
            self.cx.row = self.cx.row.saturating_sub(u64::from(since));
            self.cx.ahead += since;
        }
    }
}
