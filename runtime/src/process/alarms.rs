//! Timers of one key, and the order in which those of all keys are due.
//!
//! When a timer is set for stands in its key's row, and so in every snapshot; the order is an index that can be made of the
//! rows again. A row has one entry in it at most that is good, which says when to look at the row next: moving a
//! timer to a later time leaves it alone, and costs one write. Entries that a move to an earlier time has left behind are
//! passed over.

use super::row::Fields;
use super::state::Named;
use crate::codec::{CodecError, Reader};
use crate::key::{Kept, Key};
use crate::record::Record;
use crate::schema::{Field, Schema};
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::marker::PhantomData;

/// No time at all.
pub const NONE: i64 = i64::MAX;

/// Which clock a timer goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// That of the events.
    Events = 0,
    /// That of the machine.
    Clock = 1,
}

/// The timers of a key.
pub trait Alarms: Record + Default {
    /// Whether there can be any, or anything else that is due at some time.
    const ANY: bool;
    /// Their names, and what is kept of them.
    const FIELDS: Fields;
    /// What each is set for, or [`NONE`].
    fn at(&self) -> &[i64];
    /// The same, to be changed.
    fn at_mut(&mut self) -> &mut [i64];
    /// When the order has this row, by either clock.
    fn listed(&mut self) -> Option<&mut [i64; 2]>;
}

/// No timers, and no rows that wait.
impl Alarms for () {
    const ANY: bool = false;
    const FIELDS: Fields = Fields::NONE;
    #[inline(always)]
    fn at(&self) -> &[i64] {
        &[]
    }
    #[inline(always)]
    fn at_mut(&mut self) -> &mut [i64] {
        &mut []
    }
    #[inline(always)]
    fn listed(&mut self) -> Option<&mut [i64; 2]> {
        None
    }
}

/// The names of timers: `(a, (b, ()))`.
pub trait Names: Send + 'static {
    /// As fields.
    const FIELDS: Fields;
}
impl Names for () {
    const FIELDS: Fields = Fields::NONE;
}
impl<N: Named, B: Names> Names for (N, B) {
    const FIELDS: Fields = Fields::NONE
        .with(Field { name: N::NAME, schema: &Schema::I64, was: N::WAS }, |out| NONE.encode(out))
        .and(B::FIELDS);
}

/// So many timers, with their names.
pub struct Timers<L, const N: usize> {
    at: [i64; N],
    listed: [i64; 2],
    names: PhantomData<L>,
}

impl<L, const N: usize> Timers<L, N> {
    #[inline(always)]
    fn of(at: [i64; N]) -> Self {
        Timers { at, listed: [NONE; 2], names: PhantomData }
    }
}

impl<L, const N: usize> Default for Timers<L, N> {
    #[inline(always)]
    fn default() -> Self {
        Timers::of([NONE; N])
    }
}

impl<L: Names, const N: usize> Alarms for Timers<L, N> {
    const ANY: bool = true;
    const FIELDS: Fields = L::FIELDS;
    #[inline(always)]
    fn at(&self) -> &[i64] {
        &self.at
    }
    #[inline(always)]
    fn at_mut(&mut self) -> &mut [i64] {
        &mut self.at
    }
    #[inline(always)]
    fn listed(&mut self) -> Option<&mut [i64; 2]> {
        Some(&mut self.listed)
    }
}

/// What the timers are set for. What is in the order is not kept: it is made anew.
impl<L: Names, const N: usize> Record for Timers<L, N> {
    const SCHEMA: &'static Schema = <[i64; N]>::SCHEMA;
    fn encode(&self, out: &mut Vec<u8>) {
        self.at.encode(out);
    }
    fn decode(from: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Timers::of(<[i64; N]>::decode(from)?))
    }
}

/// The earliest of the timers that go by a clock, with its number.
#[inline(always)]
pub fn earliest(at: &[i64], kinds: &[By], by: By) -> (i64, usize) {
    let mut found = (NONE, 0);
    for (number, (at, kind)) in at.iter().zip(kinds).enumerate() {
        if *kind == by && *at < found.0 {
            found = (*at, number);
        }
    }
    found
}

/// An entry of the order: at this time, look at this row.
pub struct Entry<K: Key> {
    pub at: i64,
    pub hash: u64,
    pub key: K::Kept,
}

impl<K: Key> PartialEq for Entry<K> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl<K: Key> Eq for Entry<K> {}
impl<K: Key> PartialOrd for Entry<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
/// The earliest is the greatest; of one time, that with the least hash: the order in which the table lies in memory, and
/// the same whenever the order is made anew.
impl<K: Key> Ord for Entry<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.hash).cmp(&(self.at, self.hash))
    }
}

/// When to look at which row, by one clock.
pub struct Due<K: Key>(BinaryHeap<Entry<K>>);

/// Entries that are no good are not worth a look while there are fewer.
const FEW: usize = 1024;

impl<K: Key> Due<K> {
    /// Nothing is due.
    pub fn new() -> Self {
        Due(BinaryHeap::new())
    }

    /// When the next row is due; [`NONE`] if none is.
    #[inline(always)]
    pub fn next(&self) -> i64 {
        self.0.peek().map_or(NONE, |entry| entry.at)
    }

    /// Takes the next entry, if it is due.
    pub fn pop(&mut self, by: i64) -> Option<Entry<K>> {
        if self.next() > by {
            return None;
        }
        self.0.pop()
    }

    /// Adds an entry.
    pub fn push(&mut self, at: i64, hash: u64, key: K::Ref<'_>) {
        self.0.push(Entry { at, hash, key: K::Kept::keep(key) });
    }

    /// Whether most of the entries are no good, when there are so many rows.
    pub fn is_littered(&self, rows: usize) -> bool {
        self.0.len() > 2 * rows + FEW
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Forgets all entries.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_in_the_order_of_time_and_then_of_hash() {
        let mut due = Due::<u64>::new();
        for (at, hash) in [(5, 2), (3, 9), (5, 1), (4, 0), (NONE - 1, 3)] {
            due.push(at, hash, hash);
        }
        let mut seen = Vec::new();
        while let Some(entry) = due.pop(5) {
            seen.push((entry.at, entry.key));
        }
        assert_eq!((seen, due.next()), (vec![(3, 9), (4, 0), (5, 1), (5, 2)], NONE - 1));
    }

    #[test]
    fn the_earliest_is_that_of_its_clock() {
        let kinds = [By::Events, By::Clock, By::Events];
        assert_eq!(earliest(&[7, 3, 7], &kinds, By::Events), (7, 0));
        assert_eq!(earliest(&[7, 3, 5], &kinds, By::Events), (5, 2));
        assert_eq!(earliest(&[7, 3, 5], &kinds, By::Clock), (3, 1));
        assert_eq!(earliest(&[NONE, 3, NONE], &kinds, By::Events).0, NONE);
    }

    #[test]
    fn what_is_kept_of_timers_is_when_they_are_due() {
        let timers = Timers::<(), 2> { listed: [4, NONE], ..Timers::of([5, NONE]) };
        let mut bytes = Vec::new();
        timers.encode(&mut bytes);
        let again = Timers::<(), 2>::decode(&mut Reader::new(&bytes)).unwrap();
        assert_eq!((again.at, again.listed), ([5, NONE], [NONE; 2]));
    }
}
