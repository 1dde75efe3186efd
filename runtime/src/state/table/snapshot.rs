//! How a table gets into a snapshot while it is used, and how it gives up entries that are on disk.
//!
//! An entry's stamp is the epoch of its last change. Of a table whose entries all go into each snapshot those are written that
//! have not changed since the barrier; where what did not change is on disk already, those with a stamp after the epoch that was
//! written there last.
//!
//! `unsafe` is used to read entries whose slots' tags say that they are filled.
#![allow(unsafe_code)]

use super::slots::{EMPTY, Piece, Slot, is_gone};
use super::{Table, Walk};
use crate::key::{Kept, Key};
use crate::state::save::{SaveTo, Target};

/// Writes an entry's byte form into a snapshot; without a value the key was removed.
pub type Put<K, V> = fn(&Saving<K, V>, &mut Target, &<K as Key>::Kept, Option<&V>);

/// How many bytes of a table are looked through in the time in which one is written.
const LOOK: usize = 4;

/// Which entries a snapshot takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// All.
    All,
    /// Those that changed after this epoch.
    Since(u32),
}

impl Which {
    #[inline(always)]
    fn takes(self, stamp: u32) -> bool {
        match self {
            Which::All => true,
            Which::Since(epoch) => is_after(stamp, epoch),
        }
    }
}

/// Whether an epoch comes after another; both by their low 31 bits, whatever the top one is.
#[inline(always)]
fn is_after(epoch: u32, other: u32) -> bool {
    ((epoch << 1).wrapping_sub(other << 1) as i32) > 0
}

/// A snapshot of a table under way.
pub struct Saving<K: Key, V> {
    to: SaveTo,
    /// The number of the state.
    pub state: u16,
    /// Which of the state's tables it is.
    pub namespace: i64,
    which: Which,
    /// Pieces before this one are written; those that come into being meanwhile stand behind it.
    next: usize,
    /// Writes an entry. Here, so that only tables that are saved need values with a byte form.
    put: Put<K, V>,
}

impl<K: Key, V> Saving<K, V> {
    /// Writes an entry that is about to change, as it is.
    #[cold]
    #[inline(never)]
    pub(super) fn write(&self, stamp: u32, key: &K::Kept, value: &V) {
        if self.which.takes(stamp) {
            (self.put)(self, &mut self.to.lend(), key, (!is_gone(stamp)).then_some(value));
        }
    }
}

impl<K: Key, V> Table<K, V> {
    /// Begins to save what it holds now. Changes from now on belong to the epoch that [`stamp_with`](Table::stamp_with) named before.
    pub fn begin_save(&mut self, to: &SaveTo, (state, namespace): (u16, i64), which: Which, put: Put<K, V>) {
        self.pieces.iter_mut().for_each(|piece| piece.saved = false);
        self.saving = Some(Box::new(Saving { to: to.clone(), state, namespace, which, next: 0, put }));
    }

    /// Writes entries until the `budget` of bytes is used up, which those that need not be written take from, too; says whether it
    /// is done.
    pub fn save_some(&mut self, budget: &mut usize) -> bool {
        while let Some(saving) = &mut self.saving {
            let number = saving.next;
            let Some(piece) = self.pieces.get(number) else {
                saving.to.lend().hand_on();
                self.saving = None;
                break;
            };
            if *budget == 0 {
                return false;
            }
            saving.next += 1;
            if !piece.saved {
                let looked_at = piece.slots.count * size_of::<Slot<K::Kept, V>>() / LOOK;
                let before = saving.to.lend().written();
                self.save_piece(number);
                let after = self.saving.as_ref().map_or(before, |saving| saving.to.lend().written());
                *budget = budget.saturating_sub(looked_at + after - before);
            }
        }
        true
    }

    /// Forgets that it is saving: the snapshot has been given up.
    pub fn give_up(&mut self) {
        self.saving = None;
    }

    pub(super) fn save_rest(&mut self) {
        let mut budget = usize::MAX;
        self.save_some(&mut budget);
    }

    /// Writes what is left of a piece to the snapshot under way, if there is one.
    pub(super) fn save_piece(&mut self, number: usize) {
        let (Some(saving), Some(piece)) = (&self.saving, self.pieces.get_mut(number)) else { return };
        if std::mem::replace(&mut piece.saved, true) {
            return;
        }
        let epoch = self.epoch;
        let to = &mut *saving.to.lend();
        let wanted =
            |slot: &&mut Slot<K::Kept, V>| slot.tag != EMPTY && slot.epoch() != epoch && saving.which.takes(slot.stamp);
        for slot in piece.slots.all().iter_mut().filter(wanted) {
            // SAFETY: its tag is not 0, so it is filled.
            let (key, value) = unsafe { slot.entry.assume_init_ref() };
            (saving.put)(saving, to, key, (!is_gone(slot.stamp)).then_some(value));
        }
    }

    /// Gives up the entries of the next piece that have not changed after `written` and whose key was removed or whose value
    /// `may_go`: they are on disk. `false` once there is no further piece. No snapshot is under way.
    pub fn drop_clean(&mut self, at: &mut Walk, written: u32, may_go: impl Fn(&V) -> bool) -> bool {
        let Some(piece) = self.pieces.get_mut(at.piece) else { return false };
        let range = self.range;
        let before = piece.len;
        let goes = |stamp: u32, value: &V| !is_after(stamp, written) && (is_gone(stamp) || may_go(value));
        let filled = piece.slots.all().iter().filter(|slot| slot.tag != EMPTY);
        // SAFETY: their tags are not 0, so they are filled.
        let stays = filled.filter(|slot| !goes(slot.stamp, unsafe { &slot.entry.assume_init_ref().1 })).count();
        if stays < before {
            // Slots of their own size: so memory is given back, too.
            let mut gone = 0;
            let mut kept = Piece { saved: piece.saved, ..Piece::with_room(piece.depth, stays) };
            piece.drain(|tag, stamp, entry| {
                if goes(stamp, &entry.1) {
                    gone += usize::from(is_gone(stamp));
                } else {
                    kept.insert(range.spread(K::hash(entry.0.view())), tag, stamp, entry);
                }
            });
            self.len -= before - kept.len;
            self.gone -= gone;
            *piece = kept;
            self.renew();
        }
        *at = Walk { piece: at.piece + 1, slot: 0 };
        true
    }

    /// All of its entries change now. No snapshot is under way.
    pub fn stamp_all(&mut self) {
        let epoch = self.epoch;
        for piece in &mut self.pieces {
            piece.slots.all().iter_mut().filter(|slot| slot.is_there()).for_each(|slot| slot.stamp = epoch);
        }
    }

    /// Bytes of its slots, filled or not; what keys and values own on the heap is not counted.
    pub fn bytes(&self) -> usize {
        self.pieces.iter().map(|piece| piece.slots.count).sum::<usize>() * size_of::<Slot<K::Kept, V>>()
    }
}
