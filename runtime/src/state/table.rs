//! The heap table: keyed values in pieces, in hash order.
//!
//! ```text
//! spread(hash) | piece: top `depth` bits, through a directory | place in the piece: the next bits, scaled to its capacity
//! Slot         { tag: u32 (0 = empty), stamp: u32 (epoch of the last change), key, value }
//! ```
//!
//! Open addressing with linear probing inside a piece, at most 3/4 full. A piece grows by half, and splits in two
//! where it would grow beyond [`PIECE_BYTES`]; the directory doubles when a piece has more bits than it. So no growth moves
//! more than one piece, small tables are one piece, and a walk over the pieces is a walk in hash order (about, inside a
//! piece), which is what a snapshot by key group needs. The tag comes from the low bits of the hash, the place from the top
//! ones: sharing bits makes misses slow. The stamp is for the snapshots to come: what it costs is paid from
//! the first day (measured: nothing beside the line that is loaded anyhow).
//!
//! `unsafe` is used here for two things: reading and dropping slots whose tag says that they are filled, and the prefetch
//! instruction, which cannot fault. A slot is filled exactly while its tag is not 0; only this file writes tags.
#![allow(unsafe_code)]

use crate::hash::KeyRange;
use crate::key::Key;
use std::mem::MaybeUninit;

/// A piece that would be larger splits instead.
const PIECE_BYTES: usize = 64 << 10;
/// The first slots of a piece.
const FIRST_SLOTS: usize = 8;

struct Slot<K, V> {
    tag: u32,
    stamp: u32,
    entry: MaybeUninit<(K, V)>,
}

impl<K, V> Slot<K, V> {
    const fn empty() -> Self {
        Slot { tag: 0, stamp: 0, entry: MaybeUninit::uninit() }
    }
}

/// A contiguous range of hashes.
struct Piece<K, V> {
    slots: Vec<Slot<K, V>>,
    len: u32,
    /// Entries it may hold before it must grow.
    room: u32,
    /// How many top bits of the spread hash all its entries share.
    depth: u32,
}

impl<K, V> Piece<K, V> {
    fn new(depth: u32, slots: usize) -> Self {
        Piece { slots: (0..slots).map(|_| Slot::empty()).collect(), len: 0, room: (slots - slots / 4) as u32, depth }
    }

    #[inline(always)]
    fn place(&self, spread: u64) -> usize {
        // A piece of depth 64 would be one hash; it cannot come to that, since 64 KiB of one hash is no hash.
        ((u128::from(spread.unbounded_shl(self.depth)) * self.slots.len() as u128) >> 64) as usize
    }

    #[inline(always)]
    fn next(&self, at: usize) -> usize {
        if at + 1 == self.slots.len() { 0 } else { at + 1 }
    }

    /// Puts an entry whose key is not there.
    fn insert(&mut self, spread: u64, tag: u32, stamp: u32, entry: (K, V)) -> usize {
        let mut at = self.place(spread);
        while self.slots[at].tag != 0 {
            at = self.next(at);
        }
        self.slots[at] = Slot { tag, stamp, entry: MaybeUninit::new(entry) };
        self.len += 1;
        at
    }

    /// Takes every entry out, in the order of the slots, and leaves the piece empty.
    fn drain(&mut self, mut each: impl FnMut(u32, u32, (K, V))) {
        self.len = 0;
        for slot in &mut self.slots {
            if slot.tag != 0 {
                let tag = std::mem::replace(&mut slot.tag, 0);
                // SAFETY: the tag said that the slot is filled, and says from now on that it is not.
                let entry = unsafe { slot.entry.assume_init_read() };
                each(tag, slot.stamp, entry);
            }
        }
    }
}

impl<K, V> Drop for Piece<K, V> {
    fn drop(&mut self) {
        if std::mem::needs_drop::<(K, V)>() {
            self.drain(|_, _, entry| drop(entry));
        }
    }
}

/// Where an entry is, until the next entry is put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    piece: u32,
    slot: u32,
}

impl Place {
    /// Packed in 48 bits.
    #[inline(always)]
    pub fn pack(self) -> u64 {
        u64::from(self.piece) << 20 | u64::from(self.slot)
    }
    /// The inverse of [`pack`](Place::pack).
    #[inline(always)]
    pub fn unpack(bits: u64) -> Self {
        Place { piece: (bits >> 20) as u32, slot: (bits & 0xF_FFFF) as u32 }
    }
}

/// Values by key.
pub struct Table<K: Key, V> {
    range: KeyRange,
    pieces: Vec<Piece<K, V>>,
    directory: Vec<u32>,
    /// The directory has `2^bits` entries.
    bits: u32,
    len: usize,
    /// Entries changed now get this stamp.
    epoch: u32,
}

impl<K: Key, V> Table<K, V> {
    /// An empty table for the keys of a range. Allocates nothing until the first entry.
    pub fn new(range: KeyRange) -> Self {
        Table { range, pieces: Vec::new(), directory: Vec::new(), bits: 0, len: 0, epoch: 1 }
    }

    /// How many entries.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Entries changed from now on belong to this epoch.
    pub fn stamp_with(&mut self, epoch: u64) {
        // Only equality with the current epoch is ever asked, so the low bits are enough.
        self.epoch = epoch as u32;
    }

    #[inline(always)]
    fn piece_of(&self, spread: u64) -> u32 {
        self.directory[spread.unbounded_shr(64 - self.bits) as usize]
    }

    /// Asks for the memory of a key ahead of its use.
    #[inline(always)]
    pub fn prefetch(&self, hash: u64) {
        #[cfg(target_arch = "x86_64")]
        if !self.directory.is_empty() {
            let spread = self.range.spread(hash);
            let piece = &self.pieces[self.piece_of(spread) as usize];
            let at = piece.slots.as_ptr().wrapping_add(piece.place(spread));
            // SAFETY: a prefetch never faults, whatever the address.
            unsafe { std::arch::x86_64::_mm_prefetch(at.cast(), std::arch::x86_64::_MM_HINT_T0) }
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = hash;
    }

    /// The entry of a key; `make` gives the value of a new one.
    #[inline(always)]
    pub fn entry(&mut self, hash: u64, key: K::Ref<'_>, make: impl FnOnce() -> V) -> Place {
        let spread = self.range.spread(hash);
        let tag = hash as u32 | 1;
        if !self.directory.is_empty() {
            let number = self.piece_of(spread);
            let piece = &mut self.pieces[number as usize];
            let mut at = piece.place(spread);
            loop {
                let slot = &mut piece.slots[at];
                if slot.tag == tag {
                    // SAFETY: its tag is not 0, so it is filled.
                    let entry = unsafe { slot.entry.assume_init_ref() };
                    if entry.0.same(key) {
                        slot.stamp = self.epoch;
                        return Place { piece: number, slot: at as u32 };
                    }
                }
                if slot.tag == 0 {
                    if piece.len == piece.room {
                        break;
                    }
                    *slot = Slot { tag, stamp: self.epoch, entry: MaybeUninit::new((K::own(key), make())) };
                    piece.len += 1;
                    self.len += 1;
                    return Place { piece: number, slot: at as u32 };
                }
                at = piece.next(at);
            }
        }
        self.insert_growing(spread, tag, (K::own(key), make()))
    }

    /// The value at a place that [`entry`](Table::entry) gave just before.
    #[inline(always)]
    pub fn at(&mut self, place: Place) -> &mut V {
        &mut self.pair(place).1
    }

    /// Key and value at a place that [`entry`](Table::entry) gave just before.
    #[inline(always)]
    pub fn pair(&mut self, place: Place) -> &mut (K, V) {
        let slot = &mut self.pieces[place.piece as usize].slots[place.slot as usize];
        assert!(slot.tag != 0, "a place outlived the change that moved its entry");
        // SAFETY: its tag is not 0, so it is filled.
        unsafe { slot.entry.assume_init_mut() }
    }

    #[cold]
    #[inline(never)]
    fn insert_growing(&mut self, spread: u64, tag: u32, entry: (K, V)) -> Place {
        if self.directory.is_empty() {
            self.directory.push(0);
            self.pieces.push(Piece::new(0, FIRST_SLOTS));
        }
        loop {
            let number = self.piece_of(spread);
            let piece = &self.pieces[number as usize];
            if piece.len < piece.room {
                self.len += 1;
                let stamp = self.epoch;
                let slot = self.pieces[number as usize].insert(spread, tag, stamp, entry) as u32;
                return Place { piece: number, slot };
            }
            self.grow(number as usize);
        }
    }

    /// Makes room in a piece: by half, or by a split in two.
    fn grow(&mut self, number: usize) {
        let slots = self.pieces[number].slots.len() * 3 / 2;
        let depth = self.pieces[number].depth;
        let split = slots * size_of::<Slot<K, V>>() > PIECE_BYTES && slots > 4 * FIRST_SLOTS && depth < 40;
        let range = self.range;
        let spread_of = |key: &K| range.spread(K::hash(key.view()));
        if !split {
            let mut grown = Piece::new(depth, slots);
            self.pieces[number].drain(|tag, stamp, entry| {
                grown.insert(spread_of(&entry.0), tag, stamp, entry);
            });
            self.pieces[number] = grown;
            return;
        }
        if depth == self.bits {
            self.directory = self.directory.iter().flat_map(|&piece| [piece, piece]).collect();
            self.bits += 1;
        }
        // Each half takes about half of the entries, with room to grow again; a skewed half grows when it must.
        let mut low = Piece::new(depth + 1, slots / 2 + FIRST_SLOTS);
        let mut high = Piece::new(depth + 1, slots / 2 + FIRST_SLOTS);
        self.pieces[number].drain(|tag, stamp, entry| {
            let spread = spread_of(&entry.0);
            let half = if spread.unbounded_shl(depth) >> 63 == 0 { &mut low } else { &mut high };
            if half.len == half.room {
                let mut grown = Piece::new(half.depth, half.slots.len() * 3 / 2);
                half.drain(|tag, stamp, entry| {
                    grown.insert(spread_of(&entry.0), tag, stamp, entry);
                });
                *half = grown;
            }
            half.insert(spread, tag, stamp, entry);
        });
        self.pieces[number] = low;
        self.pieces.push(high);
        let new = self.pieces.len() as u32 - 1;
        // The entries of the old piece are a run of the directory; its upper half goes to the new one.
        let run: Vec<usize> = (0..self.directory.len()).filter(|&i| self.directory[i] == number as u32).collect();
        for &at in &run[run.len() / 2..] {
            self.directory[at] = new;
        }
    }

    /// Pieces in hash order.
    fn order(&self) -> Vec<u32> {
        let mut order = self.directory.clone();
        order.dedup();
        order
    }

    /// Takes everything out, piece by piece in hash order.
    pub fn into_pieces(self) -> Drain<K, V> {
        let order = self.order();
        let mut pieces: Vec<Option<Piece<K, V>>> = self.pieces.into_iter().map(Some).collect();
        let pieces: Vec<Piece<K, V>> = order.iter().filter_map(|&number| pieces[number as usize].take()).collect();
        Drain { pieces: pieces.into_iter() }
    }

    /// Takes everything out at once and keeps the memory for the next entries.
    pub fn drain(&mut self, mut each: impl FnMut(K, u64, V)) {
        self.len = 0;
        for number in self.order() {
            self.pieces[number as usize].drain(|_, _, (key, value)| {
                let hash = K::hash(key.view());
                each(key, hash, value);
            });
        }
    }

    /// How many pieces there are, to walk over with [`each_in`](Table::each_in).
    pub fn pieces(&self) -> usize {
        self.pieces.len()
    }

    /// Looks at the entries of one piece, by its number; with [`pieces`](Table::pieces) a walk that may pause between two.
    pub fn each_in(&mut self, piece: usize, mut each: impl FnMut(&K, &mut V)) {
        let Some(piece) = self.pieces.get_mut(piece) else { return };
        for slot in piece.slots.iter_mut().filter(|slot| slot.tag != 0) {
            // SAFETY: its tag is not 0, so it is filled.
            let (key, value) = unsafe { slot.entry.assume_init_mut() };
            each(key, value);
        }
    }
}

/// A table on its way out, piece by piece.
pub struct Drain<K, V> {
    pieces: std::vec::IntoIter<Piece<K, V>>,
}

impl<K, V> Drain<K, V> {
    /// Gives out the next piece's entries; `false` if there was none.
    pub fn next_piece(&mut self, mut each: impl FnMut(K, V)) -> bool {
        let Some(mut piece) = self.pieces.next() else { return false };
        piece.drain(|_, _, (key, value)| each(key, value));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::rc::Rc;

    fn next(state: &mut u64) -> u64 {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *state >> 20
    }

    #[test]
    fn it_holds_what_a_map_holds_in_the_order_of_hashes() {
        let rows = if cfg!(miri) { 3_000 } else { 300_000 };
        for (range, keep) in [(KeyRange::ALL, None), (KeyRange::of(1, 3), Some((1, 3)))] {
            let (mut table, mut map, mut state) = (Table::<u64, u64>::new(range), BTreeMap::new(), 7);
            for _ in 0..rows {
                let key = next(&mut state) % (rows / 3);
                let hash = <u64 as Key>::hash(key);
                if keep.is_some_and(|(worker, workers)| crate::hash::owner(hash, workers) != worker) {
                    continue;
                }
                table.prefetch(hash);
                let place = table.entry(hash, key, || 0);
                assert_eq!(Place::unpack(place.pack()), place);
                *table.at(place) += key;
                *map.entry(key).or_insert(0) += key;
            }
            assert_eq!(table.len(), map.len());
            let mut seen = BTreeMap::new();
            (0..table.pieces()).for_each(|piece| {
                table.each_in(piece, |k, v| {
                    seen.insert(*k, *v);
                });
            });
            assert_eq!(seen, map);
            let (mut out, mut last) = (BTreeMap::new(), 0);
            let mut drain = table.into_pieces();
            loop {
                let mut most = last;
                let more = drain.next_piece(|k, v| {
                    let spread = range.spread(<u64 as Key>::hash(k));
                    assert!(spread >= last, "pieces are in hash order");
                    most = most.max(spread);
                    out.insert(k, v);
                });
                last = most;
                if !more {
                    break;
                }
            }
            assert_eq!(out, map);
        }
    }

    #[test]
    fn strings_are_looked_up_borrowed_and_dropped_once() {
        let counted = Rc::new(());
        let mut table = Table::<String, Rc<()>>::new(KeyRange::ALL);
        for round in 0..2 {
            for i in 0..1000 {
                let key = format!("key {i}");
                let place = table.entry(<String as Key>::hash(&key), &key, || counted.clone());
                assert_eq!(table.pair(place).0, key, "round {round}");
            }
        }
        assert_eq!((table.len(), Rc::strong_count(&counted)), (1000, 1001));
        let mut some = 0;
        table.drain(|_, _, _| some += 1);
        assert_eq!((some, table.len(), Rc::strong_count(&counted)), (1000, 0, 1));
        table.entry(1, "again", || counted.clone());
        drop(table);
        assert_eq!(Rc::strong_count(&counted), 1);
    }
}
