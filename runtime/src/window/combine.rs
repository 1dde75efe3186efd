//! Combining in front of a window's exchange: partial results per key and window.
//!
//! Rows behind their own sender's watermark travel raw, since only the receiver can say whether they are late; the partial
//! results of a window leave before the watermark that closes it does.

use super::Tumbling;
use super::waiting::Waiting;
use crate::aggregate::Aggregator;
use crate::frame::writer::{Combine, Cx};
use crate::hash::KeyRange;
use crate::key::Key;
use crate::keyed::combine::{LIMIT, Worth, limit};
use crate::state::table::Table;
use std::collections::VecDeque;

/// Partial results per key and window.
pub struct CombineWindows<K: Key, V, A: Aggregator<V>> {
    window: Tumbling,
    how: A,
    /// The window that the last row fell into: its start, or none.
    start: Option<i64>,
    /// Rows of that window that are not added yet.
    waiting: Waiting<K, V>,
    /// The partial results of that window.
    current: Table<K, A::Acc>,
    /// The other open windows by their start, in order.
    others: VecDeque<(i64, Table<K, A::Acc>)>,
    worth: Worth,
    /// The order of the tables: that of hashes if whole tables go out.
    range: KeyRange,
    /// Too much is held, so everything goes out.
    flushing: bool,
    /// Entries of the last window that went out: room for the next one.
    last: usize,
}

impl<K: Key, V: 'static, A: Aggregator<V>> CombineWindows<K, V, A> {
    /// With the window and the aggregator of the edge's other side.
    pub fn new(window: Tumbling, how: A) -> Self {
        let range = KeyRange::SCATTERED;
        let (current, others, worth) = (Table::new(range), VecDeque::new(), Worth::new());
        CombineWindows {
            window,
            how,
            start: None,
            waiting: Waiting::new(),
            current,
            others,
            worth,
            range,
            flushing: false,
            last: 0,
        }
    }

    /// Makes the window of this time the current one.
    #[cold]
    #[inline(never)]
    fn turn_to(&mut self, time: i64) {
        self.put_aside();
        let start = self.window.start_of(time);
        let at = self.others.partition_point(|other| other.0 < start);
        let known =
            if self.others.get(at).is_some_and(|other| other.0 == start) { self.others.remove(at) } else { None };
        self.current = known.map_or_else(|| Table::with_room(self.range, self.last), |(_, table)| table);
        self.start = Some(start);
    }

    /// The current window becomes one of the others.
    fn put_aside(&mut self) {
        if let Some(start) = self.start.take() {
            let at = self.others.partition_point(|other| other.0 < start);
            let table = std::mem::replace(&mut self.current, Table::new(self.range));
            self.others.insert(at, (start, table));
        }
    }

    /// The next table that must go: all, or those whose windows the watermark closes, or all if too much is held.
    fn next_out(&mut self, all: bool, watermark: i64) -> Option<(i64, Table<K, A::Acc>)> {
        let held = self.current.len() + self.others.iter().map(|other| other.1.len()).sum::<usize>();
        if held >= limit(A::HEAP) || self.others.len() >= LIMIT / 16 {
            self.worth.full(held);
            self.flushing = true;
        }
        let all = all || self.flushing;
        if all || self.start.is_some_and(|start| self.window.end_of(start) <= watermark) {
            self.put_aside();
        }
        let out = self.others.pop_front_if(|other| all || self.window.end_of(other.0) <= watermark);
        self.flushing &= !self.others.is_empty();
        self.last = out.as_ref().map_or(self.last, |(_, table)| table.len());
        out
    }
}

impl<K: Key, V: 'static, A: Aggregator<V>> Combine<K, V> for CombineWindows<K, V, A> {
    fn held(&self) -> usize {
        self.current.len() + self.others.iter().map(|other| other.1.len()).sum::<usize>()
    }
    type Acc = A::Acc;
    const ACTIVE: bool = true;
    #[inline(always)]
    fn takes(&mut self, time: i64, cx: &mut Cx) -> bool {
        // A row behind its own sender's watermark travels raw: only the receiver can say whether it is late.
        if time < cx.before || self.worth.passes() {
            return false;
        }
        let turns = self.start.is_none_or(|start| time.wrapping_sub(start) as u64 >= self.window.size_ms() as u64);
        if turns || self.waiting.full() {
            self.settle(cx);
        }
        if turns {
            self.turn_to(time);
        }
        true
    }
    #[inline(always)]
    fn row(&mut self, key: K::Ref<'_>, value: V, cx: &Cx) {
        self.waiting.row(key, value, &mut self.current, &self.how, cx);
    }
    #[inline(always)]
    fn key(&mut self, key: K::Ref<'_>, cx: &Cx) {
        self.waiting.key::<A>(key, &mut self.current, cx);
    }
    #[inline(always)]
    fn value(&mut self, value: V, cx: &Cx) {
        self.waiting.value(value, &mut self.current, &self.how, cx);
    }
    fn settle(&mut self, cx: &mut Cx) {
        self.worth.combined(self.waiting.settle(&mut self.current, &self.how, cx));
    }
    fn begin(&mut self, alone: bool) {
        if alone {
            self.range = KeyRange::ALL;
            self.current = Table::new(self.range);
        }
    }
    fn take_table(&mut self, all: bool, watermark: i64) -> Option<(i64, Table<K, A::Acc>)> {
        if self.range == KeyRange::ALL { self.next_out(all, watermark) } else { None }
    }
    fn drain(&mut self, all: bool, watermark: i64, mut each: impl FnMut(K::Ref<'_>, u64, A::Acc, i64)) {
        while let Some((start, mut table)) = self.next_out(all, watermark) {
            table.drain(|key, hash, acc| each(key, hash, acc, start));
        }
    }
    fn bound_bytes(&self) -> usize {
        let result = 2 * (size_of::<K>() + size_of::<A::Acc>() + 8) + A::HEAP;
        limit(A::HEAP) * result + Waiting::<K, V>::bound_bytes()
    }
}
