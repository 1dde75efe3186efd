//! The heap table: keyed values in pieces, in hash order.
//!
//! ```text
//! spread(hash) | piece: top `depth` bits, through a directory | place in the piece: the next bits, scaled to its capacity
//! Slot         { tag: u32 (0 = empty), stamp: u32 (epoch of the last change), key, value }
//! ```
//!
//! Open addressing with linear probing inside a piece, at most half full in a small table and 3/4 in a large one. A piece
//! doubles or grows by an eighth to a quarter, and splits in two where it would grow beyond [`slots::PIECE_BYTES`]; the directory doubles when a
//! piece has more bits than it. So no growth moves more than one piece, small tables are one piece, and a walk over the
//! pieces is a walk in hash order (about, inside a piece), which is what a snapshot by key group needs. The tag comes from
//! the low bits of the hash, the place from the top ones: sharing bits makes misses slow. What the stamp is for stands in
//! [`snapshot`].
//!
//! A directory entry holds all that a lookup needs (where the slots are, how many, how many bits are used up), so that a
//! lookup is two dependent loads: entry, slot. Slots begin on a cache line, so that one of 32 bytes never lies on two. The slot
//! behind the last one of a piece sends a search back to the first, so that a search is a pointer and a tag ([`ahead`]).
//!
//! Tags in a field of their own, sixteen looked at at once (as in hashbrown), were tried: 0.9 of this on W2 to W4, for the slot
//! can then be asked for only when its tag has come.
//!
//! Entries should not be put in in hash order unless the table has room for all of them ([`Table::with_room`]): in a table
//! that is still small they would all meet at its front.
//!
//! `unsafe` is used for four things: slots without bounds checks, reading and dropping slots whose tag says that they
//! are filled, the prefetch instruction, which cannot fault, and to send tables of combiners. What it rests on, all of it kept in this folder: a slot
//! is filled exactly while its tag is not 0; a directory has `2^bits` entries; each entry describes the slots of the
//! piece it names, and is renewed whenever that piece's slots are ([`Table::refer`]). Measured: 1.3 times the checked form on W3.
#![allow(unsafe_code)]

mod ahead;
mod growth;
mod slots;
mod snapshot;

pub use ahead::{AHEAD, Ahead, Probe};
pub use snapshot::{Saving, Which};

use crate::hash::KeyRange;
use crate::key::{Kept, Key, KeyColumn};
use slots::{EMPTY, Piece, Slot, is_gone, place, stamp_of, tag_of};
use std::ptr::NonNull;

/// Slots between two pauses of a walk: what is made of their entries may take long.
const PART_SLOTS: usize = 256;

/// A directory entry.
struct View<K, V> {
    slots: NonNull<Slot<K, V>>,
    count: u32,
    depth: u32,
    piece: u32,
}

impl<K, V> Clone for View<K, V> {
    fn clone(&self) -> Self {
        View { slots: self.slots, count: self.count, depth: self.depth, piece: self.piece }
    }
}

/// Numbers layouts: no two of them, of this table or another, are the same.
static LAYOUTS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);

/// Where an entry is, until the next entry is put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Place {
    piece: u32,
    slot: u32,
}

/// Why a key has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// It is not in the table.
    Unknown,
    /// It was removed, and the table still knows.
    Removed,
}

/// Where a walk over a table goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Walk {
    piece: usize,
    slot: usize,
}

/// Values by key.
pub struct Table<K: Key, V> {
    range: KeyRange,
    pieces: Vec<Piece<K::Kept, V>>,
    directory: Vec<View<K::Kept, V>>,
    /// The directory has `2^bits` entries once there is a piece.
    bits: u32,
    len: usize,
    /// How many of them are of removed keys.
    gone: usize,
    /// The directory's number: a new one whenever it is renewed.
    layout: u64,
    /// Entries changed now get this stamp.
    epoch: u32,
    /// The snapshot under way.
    saving: Option<Box<Saving<K, V>>>,
}

// SAFETY: the directory points into the pieces, which the table owns. What a snapshot under way shares with other tables stays on its
// thread: only `KeyedState` begins one, which cannot be sent. Those that are sent are of combiners.
unsafe impl<K: Key, V: Send> Send for Table<K, V> {}

/// Asks for the memory of a slot ahead of its use: of a large one for two lines, which made a table larger than the cache twice as fast.
#[inline(always)]
fn ask_for<K, V>(slot: NonNull<Slot<K, V>>) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch never faults, whatever the address.
    unsafe {
        let first = slot.as_ptr().cast::<i8>();
        std::arch::x86_64::_mm_prefetch(first, std::arch::x86_64::_MM_HINT_T0);
        if size_of::<Slot<K, V>>() > 64 {
            std::arch::x86_64::_mm_prefetch(first.wrapping_add(64), std::arch::x86_64::_MM_HINT_T0);
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = slot;
}

impl<K: Key, V> Table<K, V> {
    /// An empty table for the keys of a range. Allocates nothing until the first entry.
    pub fn new(range: KeyRange) -> Self {
        Table {
            range,
            pieces: Vec::new(),
            directory: Vec::new(),
            bits: 0,
            len: 0,
            gone: 0,
            layout: 0,
            epoch: 0,
            saving: None,
        }
    }

    /// An empty table that so many entries fit into without growing.
    pub fn with_room(range: KeyRange, entries: usize) -> Self {
        let mut table = Table::new(range);
        table.make_room(entries);
        table
    }

    /// How many entries, also those of removed keys.
    pub fn len(&self) -> usize {
        self.len
    }

    /// How many entries are of removed keys.
    pub fn gone(&self) -> usize {
        self.gone
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Entries changed from now on belong to this epoch.
    pub fn stamp_with(&mut self, epoch: u64) {
        self.epoch = stamp_of(epoch);
    }

    /// The directory entry of a spread hash. There is a piece.
    #[inline(always)]
    fn view(&self, spread: u64) -> &View<K::Kept, V> {
        // In two steps, since a shift by 64 (no bits) is not defined.
        let at = (spread >> 1 >> (63 - self.bits)) as usize;
        debug_assert!(at < self.directory.len());
        // SAFETY: `at` has `bits` bits, and the directory `2^bits` entries.
        unsafe { self.directory.get_unchecked(at) }
    }

    /// The slot where the search for a spread hash begins. There is a piece.
    #[inline(always)]
    fn start(&self, spread: u64) -> NonNull<Slot<K::Kept, V>> {
        let view = self.view(spread);
        // SAFETY: the view describes a piece's slots, and `place` scales to their count.
        unsafe { view.slots.add(place(spread, view.depth, view.count as usize)) }
    }

    /// Asks for the memory of a key ahead of its use.
    #[inline(always)]
    pub fn prefetch(&self, hash: u64) {
        if !self.directory.is_empty() {
            ask_for(self.start(self.range.spread(hash)));
        }
    }

    /// The place of a key's entry, if it has one. It does not count as changed.
    #[inline(always)]
    pub fn place_of(&mut self, hash: u64, key: K::Ref<'_>) -> Option<Place> {
        let slot = self.find(hash, |kept| kept.same(key))?;
        Some(self.place(hash, slot))
    }

    /// Where a slot is that `find` gave for this hash.
    #[inline(always)]
    fn place(&self, hash: u64, slot: NonNull<Slot<K::Kept, V>>) -> Place {
        let view = self.view(self.range.spread(hash));
        // SAFETY: the slot is one of the piece's.
        Place { piece: view.piece, slot: unsafe { slot.offset_from(view.slots) } as u32 }
    }

    /// The slot of a key, if it is there.
    #[inline(always)]
    fn find(&mut self, hash: u64, same: impl Fn(&K::Kept) -> bool) -> Option<NonNull<Slot<K::Kept, V>>> {
        if self.directory.is_empty() {
            return None;
        }
        let spread = self.range.spread(hash);
        // SAFETY: this is where the search for it begins.
        unsafe { self.find_from(self.start(spread), tag_of(spread), same) }
    }

    /// The same, from where the search begins.
    ///
    /// # Safety
    /// It must be a slot of this table as it is now.
    #[inline(always)]
    unsafe fn find_from(
        &mut self,
        mut slot: NonNull<Slot<K::Kept, V>>,
        tag: u32,
        same: impl Fn(&K::Kept) -> bool,
    ) -> Option<NonNull<Slot<K::Kept, V>>> {
        if K::Column::ANY_ORDER {
            // Most entries are in the first slot or the second: which of them is then no branch.
            // SAFETY: a search begins at a slot that has one behind it.
            slot = unsafe { slot.add(usize::from(slot.as_ref().tag != tag)) };
        }
        loop {
            // SAFETY: a slot, or the one behind the last of a piece, behind which no search goes on; nothing else refers to
            // the slots while the table is borrowed. There is always an empty one, so the loop ends.
            let found = unsafe { slot.as_ref() };
            if found.tag == tag {
                // SAFETY: its tag is odd, so it is filled.
                let entry = unsafe { found.entry.assume_init_ref() };
                if same(&entry.0) {
                    return Some(slot);
                }
            }
            // SAFETY: there is one behind each but the last, which says how many lie in front of it.
            slot = unsafe {
                match found.stops() {
                    false => slot.add(1),
                    true => slot.sub(found.end()?),
                }
            };
        }
    }

    /// The value of a key; `make` gives that of a new one, or of one that was removed.
    #[inline(always)]
    pub fn value(&mut self, hash: u64, key: K::Ref<'_>, make: impl FnOnce(Absent) -> V) -> &mut V {
        self.value_of(hash, |kept| kept.same(key), || key, make)
    }

    /// The value of a frame's key.
    #[inline(always)]
    pub fn value_at(&mut self, keys: &K::Column, at: usize, make: impl FnOnce(Absent) -> V) -> &mut V {
        self.value_of(keys.hash(at), |kept| keys.same(at, kept), || keys.get(at), make)
    }

    /// The value of a frame's key that was looked up ahead.
    #[inline(always)]
    pub fn value_from(
        &mut self,
        probe: Probe<K, V>,
        keys: &K::Column,
        at: usize,
        make: impl FnOnce(Absent) -> V,
    ) -> &mut V {
        if probe.layout != self.layout {
            return self.value_at(keys, at, make);
        }
        // SAFETY: the layout's number says that the search begins in this table as it is now.
        let found = unsafe { self.find_from(probe.slot, probe.tag, |kept| keys.same(at, kept)) };
        self.value_in(found, || keys.hash(at), || keys.get(at), make)
    }

    /// Notes that an entry changes now, in a slot that `find` gave for this hash, and is there again if its key was removed, which is
    /// what it says. If it has not changed since the barrier of the snapshot under way, it is written to that as it is.
    #[inline(always)]
    fn touch(&mut self, slot: NonNull<Slot<K::Kept, V>>, hash: impl FnOnce() -> u64) -> bool {
        // SAFETY: a filled slot of this table, which is borrowed.
        if unsafe { slot.as_ref() }.stamp == self.epoch {
            return false;
        }
        let piece = self.view(self.range.spread(hash())).piece;
        self.touch_first(slot, piece)
    }

    /// The same, of an entry that has not changed in this epoch, or is gone; with the number of its piece.
    #[inline]
    fn touch_first(&mut self, mut slot: NonNull<Slot<K::Kept, V>>, piece: u32) -> bool {
        // SAFETY: a filled slot of this table, which is borrowed.
        let slot = unsafe { slot.as_mut() };
        let changed = slot.epoch() == self.epoch;
        let before = std::mem::replace(&mut slot.stamp, self.epoch);
        if let Some(saving) = &self.saving
            && !changed
            && !self.pieces[piece as usize].saved
        {
            // SAFETY: it is filled.
            let (key, value) = unsafe { slot.entry.assume_init_ref() };
            saving.write(before, key, value);
        }
        let removed = is_gone(before);
        self.gone -= usize::from(removed);
        removed
    }

    #[inline(always)]
    fn value_of<'k>(
        &mut self,
        hash: u64,
        same: impl Fn(&K::Kept) -> bool,
        key: impl FnOnce() -> K::Ref<'k>,
        make: impl FnOnce(Absent) -> V,
    ) -> &mut V {
        let found = self.find(hash, same);
        self.value_in(found, || hash, key, make)
    }

    /// The value in the slot that a search has found, or else that of a new entry.
    #[inline(always)]
    fn value_in<'k>(
        &mut self,
        found: Option<NonNull<Slot<K::Kept, V>>>,
        hash: impl Fn() -> u64,
        key: impl FnOnce() -> K::Ref<'k>,
        make: impl FnOnce(Absent) -> V,
    ) -> &mut V {
        let Some(mut slot) = found else {
            let place = self.insert(hash(), (K::Kept::keep(key()), make(Absent::Unknown)));
            return &mut self.pair(place).1;
        };
        let removed = self.touch(slot, hash);
        // SAFETY: a filled slot of this table, which stays borrowed as long as the value.
        let slot = unsafe { slot.as_mut() };
        // SAFETY: it is filled.
        let value = unsafe { &mut slot.entry.assume_init_mut().1 };
        if removed {
            *value = make(Absent::Removed);
        }
        value
    }

    /// The place of a key's entry; `make` gives the value of a new one, or of one that was removed.
    #[inline(always)]
    pub fn entry(&mut self, hash: u64, key: K::Ref<'_>, make: impl FnOnce(Absent) -> V) -> Place {
        if let Some(slot) = self.find(hash, |kept| kept.same(key)) {
            let place = self.place(hash, slot);
            if self.touch(slot, || hash) {
                *self.at(place) = make(Absent::Removed);
            }
            return place;
        }
        self.insert(hash, (K::Kept::keep(key), make(Absent::Unknown)))
    }

    /// The place of a key's entry. If it has a value the entry is taken to change.
    #[inline(always)]
    pub fn seek(&mut self, hash: u64, key: K::Ref<'_>) -> Result<Place, Absent> {
        let Some(slot) = self.find(hash, |kept| kept.same(key)) else { return Err(Absent::Unknown) };
        // SAFETY: `find` gives a filled slot of this table, which is borrowed.
        if unsafe { slot.as_ref() }.is_gone() {
            return Err(Absent::Removed);
        }
        self.touch(slot, || hash);
        Ok(self.place(hash, slot))
    }

    /// Notes that the key at a place that [`entry`](Table::entry) or [`seek`](Table::seek) gave just before is removed. Its entry stays:
    /// so a snapshot of changes has it, until [`drop_clean`](Table::drop_clean) takes it away.
    pub fn mark_removed(&mut self, place: Place) {
        let epoch = self.epoch;
        let slot = &mut self.pieces[place.piece as usize].slots.all()[place.slot as usize];
        if slot.is_there() {
            slot.set_gone(epoch);
            self.gone += 1;
        }
    }

    /// Puts in the mark of a removed key that is not there.
    pub fn insert_removed(&mut self, hash: u64, entry: (K::Kept, V)) {
        let place = self.insert(hash, entry);
        self.mark_removed(place);
    }

    /// Takes out the entry at a place that [`entry`](Table::entry) or [`seek`](Table::seek) gave just before. Entries behind it
    /// may move up; none moves to another piece.
    pub fn remove(&mut self, place: Place) -> Option<(K::Kept, V)> {
        let range = self.range;
        let piece = self.pieces.get_mut(place.piece as usize)?;
        let depth = piece.depth;
        let slots = piece.slots.all();
        let (count, mut hole) = (slots.len(), place.slot as usize);
        if std::mem::replace(&mut slots.get_mut(hole)?.tag, EMPTY) == EMPTY {
            return None;
        }
        // SAFETY: its tag said that it is filled, and says from now on that it is not.
        let gone = unsafe { slots[hole].entry.assume_init_read() };
        piece.len -= 1;
        self.len -= 1;
        // Whoever was put behind the hole because it was filled moves into it: a search ends at an empty slot.
        let mut at = hole;
        loop {
            at = if at + 1 == count { 0 } else { at + 1 };
            if slots[at].tag == EMPTY {
                return Some(gone);
            }
            // SAFETY: its tag is not 0, so it is filled.
            let key = unsafe { &slots[at].entry.assume_init_ref().0 };
            let home = self::place(range.spread(K::hash(key.view())), depth, count);
            if (at + count - home) % count >= (at + count - hole) % count {
                slots.swap(hole, at);
                hole = at;
            }
        }
    }

    /// The value at a place that [`entry`](Table::entry) gave just before.
    #[inline(always)]
    pub fn at(&mut self, place: Place) -> &mut V {
        &mut self.pair(place).1
    }

    /// Key and value at a place that [`entry`](Table::entry) gave just before.
    #[inline(always)]
    pub fn pair(&mut self, place: Place) -> &mut (K::Kept, V) {
        let slot = &mut self.pieces[place.piece as usize].slots.all()[place.slot as usize];
        assert!(slot.tag != EMPTY, "a place outlived the change that moved its entry");
        // SAFETY: its tag is not 0, so it is filled.
        unsafe { slot.entry.assume_init_mut() }
    }

    /// Pieces in hash order.
    fn order(&self) -> Vec<u32> {
        let mut order: Vec<u32> = self.directory.iter().map(|view| view.piece).collect();
        order.dedup();
        order
    }

    /// Takes everything out, piece by piece in hash order.
    pub fn into_pieces(mut self) -> Drain<K, V> {
        self.save_rest();
        let order = self.order();
        let mut pieces: Vec<Option<Piece<K::Kept, V>>> =
            std::mem::take(&mut self.pieces).into_iter().map(Some).collect();
        let pieces: Vec<Piece<K::Kept, V>> =
            order.iter().filter_map(|&number| pieces[number as usize].take()).collect();
        Drain { pieces: pieces.into_iter() }
    }

    /// Takes everything out at once and keeps the memory for the next entries.
    pub fn drain(&mut self, mut each: impl FnMut(K::Ref<'_>, u64, V)) {
        self.save_rest();
        (self.len, self.gone) = (0, 0);
        for number in self.order() {
            self.pieces[number as usize].drain(|_, stamp, (key, value)| {
                if !is_gone(stamp) {
                    let hash = K::hash(key.view());
                    each(key.view(), hash, value);
                }
            });
        }
    }
}

impl<K: Key, V> Table<K, V> {
    /// The range whose keys it holds.
    pub fn range(&self) -> KeyRange {
        self.range
    }

    /// Looks at every entry, also at those of removed keys.
    pub fn for_each(&self, mut each: impl FnMut(&K::Kept, &V)) {
        for piece in &self.pieces {
            // SAFETY: `count` slots are there, and nobody writes them while the table is borrowed.
            let slots = unsafe { std::slice::from_raw_parts(piece.slots.start.as_ptr(), piece.slots.count) };
            for slot in slots.iter().filter(|slot| slot.tag != EMPTY) {
                // SAFETY: its tag is not 0, so it is filled.
                let (key, value) = unsafe { slot.entry.assume_init_ref() };
                each(key, value);
            }
        }
    }

    /// Looks at the next few entries; `false` once there are no more. Between two calls the walk may pause. An entry that
    /// moves meanwhile, because others are put in, may be missed or met again. `each` says whether it has changed the value.
    pub fn walk(&mut self, at: &mut Walk, mut each: impl FnMut(&K::Kept, &mut V) -> bool) -> bool {
        self.save_piece(at.piece);
        let Some(piece) = self.pieces.get_mut(at.piece) else { return false };
        let slots = piece.slots.all();
        let end = slots.len().min(at.slot + PART_SLOTS);
        for slot in slots.get_mut(at.slot..end).unwrap_or_default().iter_mut().filter(|slot| slot.is_there()) {
            // SAFETY: its tag is not 0, so it is filled.
            let (key, value) = unsafe { slot.entry.assume_init_mut() };
            // What the snapshot under way wants of this piece has been written.
            if each(key, value) {
                slot.stamp = self.epoch;
            }
        }
        *at = if end == slots.len() { Walk { piece: at.piece + 1, slot: 0 } } else { Walk { slot: end, ..*at } };
        true
    }
}

impl<K: Key, V> Table<K, V> {
    /// Looks at the next few entries, and tidies the `stale` ones: one for which `tidy` then says that nothing is left of it is
    /// taken out, or `marks` of it stay ([`mark_removed`](Table::mark_removed)). `false` once there are no more. As with [`walk`](Table::walk), an entry that moves meanwhile may be missed.
    pub fn sweep(
        &mut self,
        at: &mut Walk,
        marks: bool,
        stale: impl Fn(&V) -> bool,
        mut tidy: impl FnMut(&mut V) -> bool,
    ) -> bool {
        let Some(count) = self.pieces.get(at.piece).map(|piece| piece.slots.count) else { return false };
        let end = count.min(at.slot + PART_SLOTS);
        while at.slot < end {
            let slot = &mut self.pieces[at.piece].slots.all()[at.slot];
            // SAFETY: its tag is not 0, so it is filled.
            if slot.is_there() && stale(unsafe { &slot.entry.assume_init_ref().1 }) {
                if slot.stamp != self.epoch {
                    let slot = NonNull::from(slot);
                    self.touch_first(slot, at.piece as u32);
                }
                let place = Place { piece: at.piece as u32, slot: at.slot as u32 };
                if tidy(&mut self.pair(place).1) {
                    if !marks {
                        // What moves into this slot has its turn now.
                        self.remove(place);
                        continue;
                    }
                    self.mark_removed(place);
                }
            }
            at.slot += 1;
        }
        if end == count {
            *at = Walk { piece: at.piece + 1, slot: 0 };
        }
        true
    }
}

/// A table on its way out, piece by piece.
pub struct Drain<K: Key, V> {
    pieces: std::vec::IntoIter<Piece<K::Kept, V>>,
}

impl<K: Key, V> Drain<K, V> {
    /// Gives out the next few entries; `false` if there was none. `at` is where in its piece the walk goes on: 0 first.
    pub fn next_part(&mut self, at: &mut usize, mut each: impl FnMut(K, V)) -> bool {
        let Some(piece) = self.pieces.as_mut_slice().first_mut() else { return false };
        let end = piece.slots.count.min(*at + PART_SLOTS);
        for slot in piece.slots.all().get_mut(*at..end).unwrap_or_default().iter_mut().filter(|slot| slot.tag != EMPTY)
        {
            let gone = slot.is_gone();
            slot.tag = EMPTY;
            // SAFETY: its tag said that it is filled, and says from now on that it is not.
            let (key, value) = unsafe { slot.entry.assume_init_read() };
            if !gone {
                each(key.owned(), value);
            }
        }
        *at = end;
        if end == piece.slots.count {
            *at = 0;
            self.pieces.next();
        }
        true
    }
}

#[cfg(test)]
mod tests;
