//! How a table takes in entries, and how its pieces and its directory grow.

use super::slots::{FIRST_SLOTS, PIECE_BYTES, Piece, SMALL_DEPTH, Slot, tag_of};
use super::{LAYOUTS, Place, Table, View};
use crate::key::{Kept, Key};
use std::sync::atomic::Ordering;

impl<K: Key, V> Table<K, V> {
    /// Makes room for so many entries, if it has none and never had.
    pub fn make_room(&mut self, entries: usize) {
        if entries <= FIRST_SLOTS || !self.pieces.is_empty() {
            return;
        }
        let bits_of = |slots: usize| {
            (slots * size_of::<Slot<K::Kept, V>>()).div_ceil(PIECE_BYTES).next_power_of_two().trailing_zeros()
        };
        let dense = entries + entries / 2;
        let slots = if bits_of(dense) < SMALL_DEPTH { 2 * entries + entries / 4 } else { dense };
        let bits = bits_of(slots);
        let each = (slots >> bits) + FIRST_SLOTS;
        self.pieces = (0..1usize << bits).map(|_| Piece::new(bits, each)).collect();
        self.bits = bits;
        self.refer((0..1u32 << bits).collect());
    }

    /// Puts in an entry whose key is not there; it changes now.
    #[inline(always)]
    pub fn insert(&mut self, hash: u64, entry: (K::Kept, V)) -> Place {
        self.insert_as_of(hash, self.epoch, entry)
    }

    /// Puts in an entry whose key is not there, and which changed last in some epoch.
    #[cold]
    #[inline(never)]
    pub fn insert_as_of(&mut self, hash: u64, epoch: u32, entry: (K::Kept, V)) -> Place {
        if self.pieces.is_empty() {
            self.pieces.push(Piece::new(0, FIRST_SLOTS));
            self.refer(vec![0]);
        }
        let spread = self.range.spread(hash);
        loop {
            let number = self.view(spread).piece;
            let piece = &mut self.pieces[number as usize];
            if piece.len < piece.room {
                self.len += 1;
                let slot = piece.insert(spread, tag_of(spread), epoch, entry) as u32;
                return Place { piece: number, slot };
            }
            self.grow(number as usize, spread);
        }
    }

    /// Renews the directory: slots of a piece have moved.
    pub(super) fn renew(&mut self) {
        self.refer(self.directory.iter().map(|view| view.piece).collect());
    }

    /// Renews the directory from the number of the piece that each entry belongs to.
    fn refer(&mut self, pieces: Vec<u32>) {
        self.layout = LAYOUTS.fetch_add(1, Ordering::Relaxed);
        self.directory = pieces
            .into_iter()
            .map(|number| {
                let piece = &self.pieces[number as usize];
                let (slots, count) = (piece.slots.start, piece.slots.count as u32);
                View { slots, count, depth: piece.depth, piece: number }
            })
            .collect();
    }

    /// Makes room in the piece that a spread hash belongs to: it grows, or it splits in two.
    fn grow(&mut self, number: usize, spread: u64) {
        let Piece { depth, saved, .. } = self.pieces[number];
        let slots = self.pieces[number].slots.count;
        let bytes = slots * size_of::<Slot<K::Kept, V>>();
        // Small pieces double, so that few entries move; large ones grow by an eighth to a quarter, so that little memory is
        // idle, and each by another part, so that they do not all grow at once.
        let grown = if bytes < PIECE_BYTES / 4 { slots * 2 } else { slots * (36 + number % 5) / 32 };
        let split = grown * size_of::<Slot<K::Kept, V>>() > PIECE_BYTES && slots > 4 * FIRST_SLOTS && depth < 40;
        let range = self.range;
        let spread_of = |key: &K::Kept| range.spread(K::hash(key.view()));
        if !split {
            let mut grown = Piece { saved, ..Piece::new(depth, grown) };
            self.pieces[number].drain(|tag, stamp, entry| {
                grown.insert(spread_of(&entry.0), tag, stamp, entry);
            });
            self.pieces[number] = grown;
            return self.point(number, spread);
        }
        if depth == self.bits {
            self.directory = self.directory.iter().flat_map(|view| [view.clone(), view.clone()]).collect();
            self.bits += 1;
        }
        // Each half takes about half of the entries, and is nearly as full as the piece was; a skewed one grows when it must.
        let mut low = Piece { saved, ..Piece::new(depth + 1, slots * (19 + number % 3) / 32) };
        let mut high = Piece { saved, ..Piece::new(depth + 1, slots * 20 / 32) };
        let upper = |spread: u64| (spread << (depth & 63)) >> 63 == 1;
        self.pieces[number].drain(|tag, stamp, entry| {
            let spread = spread_of(&entry.0);
            let half = if upper(spread) { &mut high } else { &mut low };
            if half.len == half.room {
                let mut grown = Piece { saved, ..Piece::new(half.depth, half.slots.count * 3 / 2) };
                half.drain(|tag, stamp, entry| {
                    grown.insert(spread_of(&entry.0), tag, stamp, entry);
                });
                *half = grown;
            }
            half.insert(spread, tag, stamp, entry);
        });
        self.pieces[number] = low;
        self.pieces.push(high);
        let half = 1u64 << (63 - depth);
        self.point(number, spread & !half);
        self.point(self.pieces.len() - 1, spread | half);
    }

    /// Makes the directory say where the slots of a piece are, and which hashes are its own: those that share as many top bits
    /// with a spread hash as the piece has used up.
    fn point(&mut self, number: usize, spread: u64) {
        self.layout = LAYOUTS.fetch_add(1, Ordering::Relaxed);
        let Piece { slots, depth, .. } = &self.pieces[number];
        let view = View { slots: slots.start, count: slots.count as u32, depth: *depth, piece: number as u32 };
        let run = 1usize << (self.bits - depth);
        let at = if self.bits == 0 { 0 } else { (spread >> (64 - self.bits)) as usize };
        let first = at & !(run - 1);
        self.directory[first..first + run].fill(view);
    }
}
