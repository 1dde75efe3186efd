//! Keyed operators: what stands behind an exchange. The engine hands them the rows of a frame, watermarks and ticks;
//! they know of state and time, and of nothing that moves data.

pub mod aggregate;
pub mod combine;
pub mod fold;
pub mod life;
mod partials;
pub mod relay;

use crate::codec::CodecError;
use crate::error::Fault;
use crate::frame::{Mark, Rows, Time};
use crate::key::Key;
use crate::record::Record;
use crate::state::files::OnDisk;
use crate::state::save::{Saved, StateMeta};
use crate::state::table::Table;
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

/// Rows of a frame, with their marks turned into this operator's watermark before each marked row.
pub struct Batch<'f, K: Key, V, T> {
    /// The keys, in place.
    pub keys: &'f K::Column,
    /// The values, given away one by one.
    pub values: Values<'f, V>,
    /// The event times.
    pub times: &'f [T],
    /// The watermark before a row, for rows that may be late.
    pub marks: &'f [Mark],
    /// The watermark before the first row.
    pub watermark: i64,
}

impl<'f, K: Key, V, T: Time> Batch<'f, K, V, T> {
    /// The rows of a frame. `left` is told how many values were not taken, also if a panic was in the way.
    pub fn of(rows: &'f mut Rows<K, V, T>, watermark: i64, left: &'f Cell<usize>) -> Self {
        let values = Values { all: rows.values.drain(..), left };
        Batch { keys: &rows.keys, values, times: &rows.times, marks: &rows.marks, watermark }
    }
}

/// Values of a frame.
pub struct Values<'f, V> {
    all: std::vec::Drain<'f, V>,
    left: &'f Cell<usize>,
}

impl<V> Iterator for Values<'_, V> {
    type Item = V;
    #[inline(always)]
    fn next(&mut self) -> Option<V> {
        self.all.next()
    }
    #[inline(always)]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.all.size_hint()
    }
}

impl<V> ExactSizeIterator for Values<'_, V> {}

impl<V> Drop for Values<'_, V> {
    #[inline]
    fn drop(&mut self) {
        self.left.set(self.all.len());
    }
}

/// What follows an operator.
pub trait Follow<O: ?Sized + Out, V> {
    /// A result, with its event time in ms.
    fn main(&mut self, row: O::Row<'_>, time: i64);
    /// A row that came too late.
    fn late(&mut self, row: V, time: i64);
    /// The next rows are judged under this watermark: that of a mark, handed on by who does not judge himself.
    fn judged_by(&mut self, _watermark: i64) {}
    /// Sends what is full and says whether there is room for more; an operator that emits much at once asks between two
    /// pieces, and pauses when there is none.
    fn room(&mut self) -> bool;
}

/// The rows that an operator emits, which may borrow from its state.
pub trait Out {
    /// A row.
    type Row<'a>;
}

/// What an operator keeps per key, which is what a snapshot holds of it. The lock checks these types in `cargo check`.
pub trait Keeps {
    /// What it is kept by.
    type Key: Key;
    /// What is kept: without flags and times that are the operator's own.
    type Value: Record;
}

/// A keyed operator. One per worker; it owns the state of its worker's key groups.
pub trait Operator<K: Key, V, A, T: Time>: Out + 'static {
    /// Rows that were sent as they are.
    fn rows<F: Follow<Self, V>>(&mut self, batch: Batch<'_, K, V, T>, next: &mut F);
    /// Partial results that the sender combined.
    fn partials<F: Follow<Self, V>>(&mut self, _batch: Batch<'_, K, A, T>, _next: &mut F) {}
    /// Partial results of the only worker, as the table in which they were combined.
    fn table<F: Follow<Self, V>>(&mut self, _start: i64, _table: Table<K, A>, _next: &mut F) {}
    /// All rows before `watermark` are there. Says whether it is done; if not (no room), it is called again.
    fn advance<F: Follow<Self, V>>(&mut self, _watermark: i64, _next: &mut F) -> bool {
        true
    }
    /// When it wants to be called by the clock next, if at all.
    fn next_tick(&self) -> Option<Duration> {
        None
    }
    /// The clock has reached [`next_tick`](Operator::next_tick).
    fn tick<F: Follow<Self, V>>(&mut self, _now: Duration, _next: &mut F) {}
    /// What lies below its tables, if that is files.
    fn on_disk(&self) -> Option<Rc<dyn OnDisk>> {
        None
    }
    /// A barrier: everything up to `epoch` has been applied, nothing after it.
    fn barrier(&mut self, _epoch: u64) {}
    /// Its states, by number. The names are part of every snapshot.
    fn states() -> Vec<StateMeta> {
        Vec::new()
    }
    /// Shows its tables, each with the number of its state and its namespace in it.
    fn tables(&mut self, _each: &mut dyn FnMut(u16, i64, &mut dyn Saved)) {}
    /// The table into which entries of a state and a namespace are restored; made if it is not there.
    fn table_of(&mut self, _state: u16, _namespace: i64) -> Option<&mut dyn Saved> {
        None
    }
    /// Whether it still keeps this namespace of a state. Asked after its heads have been restored.
    fn keeps(&self, _state: u16, _namespace: i64) -> bool {
        true
    }
    /// What else must survive besides the tables' entries, in a byte form of its own: little, and the same on all workers or
    /// such that several can be put together.
    fn head(&self) -> Vec<u8> {
        Vec::new()
    }
    /// Whether a head says which namespaces are kept, and not only their entries do. Then all heads are put back before the entries,
    /// and entries of other namespaces are left out.
    fn lists(&self, _head: &[u8]) -> bool {
        false
    }
    /// Puts a head back, after the entries unless it [`lists`](Operator::lists). Called once for the head of each worker that saved one.
    ///
    /// # Errors
    /// If it is no head of this operator's.
    fn restore_head(&mut self, _head: &[u8]) -> Result<(), CodecError> {
        Ok(())
    }
    /// All inputs have ended. Says whether it is done; if not (no room), it is called again.
    fn end<F: Follow<Self, V>>(&mut self, _next: &mut F) -> bool {
        true
    }
    /// What ended the last call before its time, if anything did: an error that user code gave. Asked after each call; the
    /// attempt ends with it.
    fn failure(&mut self) -> Option<Fault> {
        None
    }
    /// How far its results lie behind the watermark, in ms.
    fn lag(&self) -> i64 {
        0
    }
    /// Rows that came too late, so far.
    fn late_rows(&self) -> u64 {
        0
    }
}

pub(crate) use crate::state::table::AHEAD;

/// When an aggregate without a window speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speak {
    /// After each row.
    Each,
    /// Every so often, for the keys that changed.
    Every(Duration),
    /// Once, when the inputs have ended.
    AtEnd,
}

#[cfg(test)]
mod tests {
    use super::aggregate::AggregateTotal;
    use super::fold::{Fold, FoldingWith};
    use super::life::Lifetime;
    use super::*;
    use crate::aggregate::Count;
    use crate::clock::MachineClock;
    use crate::frame::Untimed;
    use crate::hash::KeyRange;
    use crate::state::Memory;
    use crate::state::ttl::Forever;
    use std::collections::BTreeMap;

    /// Keeps the last result of each key; has room so many times.
    struct Kept {
        last: BTreeMap<u64, u64>,
        room: usize,
    }
    impl<O: for<'a> Out<Row<'a> = (u64, u64)>, V> Follow<O, V> for Kept {
        fn main(&mut self, (key, count): (u64, u64), _: i64) {
            self.last.insert(key, count);
        }
        fn late(&mut self, _: V, _: i64) {}
        fn room(&mut self) -> bool {
            self.room = self.room.saturating_sub(1);
            self.room > 0
        }
    }

    /// A walk that is under way when rows come, and then the end.
    fn speaks_for_all<A, O>(mut op: O)
    where
        O: Operator<u64, (), A, Untimed> + for<'a> Out<Row<'a> = (u64, u64)>,
    {
        let left = Cell::new(0);
        let add = |op: &mut O| {
            let mut rows = Rows::<u64, (), Untimed>::default();
            for key in 0..50_000 {
                rows.keys.push(key);
                rows.values.push(());
                rows.times.push(Untimed);
            }
            op.rows(Batch::of(&mut rows, i64::MIN, &left), &mut Kept { last: BTreeMap::new(), room: 0 });
        };
        add(&mut op);
        let mut next = Kept { last: BTreeMap::new(), room: 20 };
        op.tick(Duration::from_secs(1), &mut next);
        assert!(!next.last.is_empty() && next.last.len() < 50_000, "the walk has paused: {}", next.last.len());
        add(&mut op);
        while !op.end(&mut next) {
            next.room = 10;
        }
        assert_eq!(next.last.len(), 50_000);
        assert!(next.last.values().all(|count| *count == 2), "the last result of each key holds all its rows");
    }

    #[test]
    fn totals_are_whole_at_the_end_though_a_walk_was_under_way() {
        let every = Speak::Every(Duration::from_millis(1));
        let life = || Lifetime::<Forever>::new(i64::MAX, MachineClock::start());
        let total =
            AggregateTotal::<u64, (), Count, _, Memory>::new(Count, life(), KeyRange::ALL, (), every, Duration::ZERO);
        speaks_for_all(total);
        let count = FoldingWith(|| 0u64, |n: &mut u64, ()| *n += 1);
        let fold = Fold::<u64, (), _, _, Memory>::new(count, life(), KeyRange::ALL, (), every, Duration::ZERO);
        speaks_for_all(fold);
    }
}
