//! [`Ahead`]: the lookups of a frame's keys, of which some are under way while others are answered.
//!
//! What is known of one that is under way is two words: a ring of them lies in the first level of the cache, and is written and
//! read for each row.

use super::slots::{Slot, tag_of};
use super::{Table, ask_for};
use crate::key::{Key, KeyColumn};
use std::ptr::NonNull;

/// How many lookups are under way: enough that memory is there when its row comes.
pub const AHEAD: usize = 32;

/// Where the search for a hash begins, with the memory on its way; good until the table grows.
pub struct Probe<K: Key, V> {
    pub(super) slot: NonNull<Slot<K::Kept, V>>,
    pub(super) tag: u32,
    pub(super) layout: u64,
}

/// The number of no layout.
const NONE: u64 = u64::MAX;

/// See the module.
pub struct Ahead<K: Key, V> {
    ring: [(NonNull<Slot<K::Kept, V>>, u32); AHEAD],
    /// The layout of the table that they are of.
    layout: u64,
}

impl<K: Key, V> Ahead<K, V> {
    /// Begins with the first keys of a frame.
    #[inline(always)]
    pub fn of(table: &Table<K, V>, keys: &K::Column) -> Self {
        let mut ahead = Ahead { ring: [(NonNull::dangling(), 0); AHEAD], layout: NONE };
        ahead.begin(table, keys, 0);
        ahead
    }

    /// Where the search for the key of a row begins; another one is under way then. Rows are asked for one after the other.
    #[inline(always)]
    pub fn next(&mut self, table: &Table<K, V>, keys: &K::Column, at: usize) -> Probe<K, V> {
        if self.layout != table.layout {
            self.begin(table, keys, at);
        }
        let (slot, tag) = self.ring[at % AHEAD];
        if at + AHEAD < keys.len() && self.layout != NONE {
            self.ring[at % AHEAD] = sent(table, keys.hash(at + AHEAD));
        }
        Probe { slot, tag, layout: self.layout }
    }

    /// Begins anew, with this row: the table has grown.
    #[inline(never)]
    fn begin(&mut self, table: &Table<K, V>, keys: &K::Column, at: usize) {
        if table.directory.is_empty() {
            self.layout = NONE;
            return;
        }
        self.layout = table.layout;
        // Behind the last key, too, each is a slot of the table: so a probe of this layout is one, whatever row is asked for.
        self.ring = [(table.start(0), tag_of(0)); AHEAD];
        for at in at..keys.len().min(at + AHEAD) {
            self.ring[at % AHEAD] = sent(table, keys.hash(at));
        }
    }
}

#[inline(always)]
fn sent<K: Key, V>(table: &Table<K, V>, hash: u64) -> (NonNull<Slot<K::Kept, V>>, u32) {
    let spread = table.range.spread(hash);
    let slot = table.start(spread);
    ask_for(slot);
    (slot, tag_of(spread))
}
