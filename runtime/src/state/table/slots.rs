//! Where entries lie: slots on the heap, and the piece of the table that a run of them makes.
//!
//! `unsafe` is used for the memory of the slots, and to read and drop those whose tag says that they are filled.
#![allow(unsafe_code)]

use crate::pages::blocks::{self, Block};
use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr::NonNull;

/// A piece that would be larger splits instead.
pub(super) const PIECE_BYTES: usize = 256 << 10;
/// Pieces with fewer bits used up than this, 8 MiB in all, are half full at most and not three quarters.
pub(super) const SMALL_DEPTH: u32 = 5;
/// The least that the system gives memory in.
const PAGE: usize = 4 << 10;
/// Slots that take as much lie in large pages.
const BLOCK_BYTES: usize = 32 << 10;
/// The first slots of a piece.
pub(super) const FIRST_SLOTS: usize = 8;

/// The bit of a stamp that says that the key was removed: its last value is still there, and nobody is shown it.
const GONE: u32 = 1 << 31;

/// The part of an epoch that a stamp has.
pub(super) fn stamp_of(epoch: u64) -> u32 {
    epoch as u32 & !GONE
}

/// The tag of a slot that is empty.
pub(super) const EMPTY: u32 = 0;
/// That of the slot behind the last one of a piece: a search goes on at the first one.
const END: u32 = 2;

/// The tag of a spread hash: odd, as those of filled slots are.
#[inline(always)]
pub(super) fn tag_of(spread: u64) -> u32 {
    spread as u32 | 1
}

/// Its tag is in front: a search looks at it first, and it is in the first line that is asked for.
#[repr(C)]
pub(super) struct Slot<K, V> {
    pub(super) tag: u32,
    pub(super) stamp: u32,
    pub(super) entry: MaybeUninit<(K, V)>,
}

impl<K, V> Slot<K, V> {
    /// Whether an entry is here that is shown.
    #[inline(always)]
    pub(super) fn is_there(&self) -> bool {
        self.tag != EMPTY && !self.is_gone()
    }
    /// Whether no search that has come this far goes on: it is empty, or behind the last one.
    #[inline(always)]
    pub(super) fn stops(&self) -> bool {
        self.tag & 1 == 0
    }
    /// How many slots lie in front of the one behind the last; nothing for others.
    #[inline(always)]
    pub(super) fn end(&self) -> Option<usize> {
        (self.tag == END).then_some(self.stamp as usize)
    }
    /// Whether its key was removed.
    #[inline(always)]
    pub(super) fn is_gone(&self) -> bool {
        is_gone(self.stamp)
    }
    /// Its key is removed in this epoch.
    pub(super) fn set_gone(&mut self, epoch: u32) {
        self.stamp = epoch | GONE;
    }
    /// The epoch of its last change.
    #[inline(always)]
    pub(super) fn epoch(&self) -> u32 {
        self.stamp & !GONE
    }
}

/// Whether a stamp is that of a removed key.
#[inline(always)]
pub(super) fn is_gone(stamp: u32) -> bool {
    stamp & GONE != 0
}

/// Slots on the heap, from the start of a cache line, with one more behind them that says so, and how many there are.
pub(super) struct Slots<K, V> {
    pub(super) start: NonNull<Slot<K, V>>,
    pub(super) count: usize,
    /// What was allocated.
    memory: NonNull<u8>,
    /// The lot that it is a block of, in large pages.
    lot: Option<u8>,
    owns: PhantomData<Slot<K, V>>,
}

// SAFETY: the slots are owned, like those of a `Vec`.
unsafe impl<K: Send, V: Send> Send for Slots<K, V> {}

impl<K, V> Slots<K, V> {
    /// What slots begin at a multiple of: a cache line.
    const LINE: usize = if align_of::<Slot<K, V>>() > 64 { align_of::<Slot<K, V>>() } else { 64 };

    /// With room to begin at a cache line. Asking the allocator for that would cost a pass over the memory: it has zeroed
    /// pages for usual alignments only.
    fn layout(count: usize) -> Layout {
        let slots = Layout::array::<Slot<K, V>>(count + 1);
        match slots
            .and_then(|slots| Layout::from_size_align(slots.size().saturating_add(Self::LINE), align_of::<u64>()))
        {
            Ok(layout) => layout,
            Err(_) => handle_alloc_error(Layout::new::<Slot<K, V>>()),
        }
    }

    /// Empty slots; at least one.
    pub(super) fn new(count: usize) -> Self {
        let count = count.max(1);
        let layout = Self::layout(count);
        let block = if layout.size() >= BLOCK_BYTES { blocks::take(layout.size()) } else { None };
        let lot = block.as_ref().map(|block| block.lot);
        let memory = block.map_or_else(|| Self::allocate(layout), |block| block.memory);
        // SAFETY: what was allocated is longer than the slots by as much as this can skip.
        let start: NonNull<Slot<K, V>> = unsafe { memory.add(memory.align_offset(Self::LINE)) }.cast();
        // Zeroed slots are empty ones: nothing else of them is looked at.
        let end = Slot { tag: END, stamp: count as u32, entry: MaybeUninit::uninit() };
        // SAFETY: there is one more than `count`.
        unsafe { start.add(count).write(end) };
        Slots { start, count, memory, lot, owns: PhantomData }
    }

    fn allocate(layout: Layout) -> NonNull<u8> {
        // SAFETY: a slot is at least its two words, so the layout is not of size 0.
        let memory = unsafe { alloc_zeroed(layout) };
        let Some(memory) = NonNull::new(memory) else { handle_alloc_error(layout) };
        // A new page that is read first is the system's page of zeroes, and has to be put in its place in all cores, interrupting
        // them, when it is written: that cost a sixth of the run while a table grew or was saved. So each is written first.
        for page in (0..layout.size()).step_by(PAGE) {
            // SAFETY: it lies in what was allocated.
            unsafe { memory.add(page).write_volatile(0) }
        }
        memory
    }

    pub(super) fn all(&mut self) -> &mut [Slot<K, V>] {
        // SAFETY: `count` slots are there, and tag, stamp and a `MaybeUninit` are valid from zeroes on.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.count) }
    }
}

impl<K, V> Drop for Slots<K, V> {
    fn drop(&mut self) {
        if std::mem::needs_drop::<(K, V)>() {
            for slot in self.all() {
                if slot.tag != EMPTY {
                    // SAFETY: the tag says that the slot is filled; it is not looked at again.
                    unsafe { slot.entry.assume_init_drop() }
                }
            }
        }
        let layout = Self::layout(self.count);
        // SAFETY: it was taken, or allocated, with this layout.
        unsafe {
            match self.lot {
                Some(lot) => blocks::give_back(Block { memory: self.memory, lot }, layout.size()),
                None => dealloc(self.memory.as_ptr(), layout),
            }
        }
    }
}

/// A contiguous range of hashes.
pub(super) struct Piece<K, V> {
    pub(super) slots: Slots<K, V>,
    pub(super) len: usize,
    /// Entries it may hold before it must grow.
    pub(super) room: usize,
    /// How many top bits of the spread hash all its entries share.
    pub(super) depth: u32,
    /// Of the snapshot under way all of its entries are written.
    pub(super) saved: bool,
}

/// Where the probing of a hash begins among so many slots, when `depth` bits are used up.
#[inline(always)]
pub(super) fn place(spread: u64, depth: u32, slots: usize) -> usize {
    ((u128::from(spread << (depth & 63)) * slots as u128) >> 64) as usize
}

impl<K, V> Piece<K, V> {
    pub(super) fn new(depth: u32, slots: usize) -> Self {
        // While a table is small its slots are half empty: a search then seldom looks at a second one.
        let idle = if depth < SMALL_DEPTH { slots.div_ceil(2) } else { slots.div_ceil(4) };
        Piece { slots: Slots::new(slots), len: 0, room: slots - idle, depth, saved: false }
    }

    /// Room for so many entries.
    pub(super) fn with_room(depth: u32, entries: usize) -> Self {
        let slots = if depth < SMALL_DEPTH { 2 * entries } else { entries + entries / 2 };
        Piece::new(depth, slots + FIRST_SLOTS)
    }

    /// Puts an entry whose key is not there; there is room.
    pub(super) fn insert(&mut self, spread: u64, tag: u32, stamp: u32, entry: (K, V)) -> usize {
        let mut at = place(spread, self.depth, self.slots.count);
        let slots = self.slots.all();
        while slots[at].tag != EMPTY {
            at = if at + 1 == slots.len() { 0 } else { at + 1 };
        }
        slots[at] = Slot { tag, stamp, entry: MaybeUninit::new(entry) };
        self.len += 1;
        at
    }

    /// Takes every entry out, in the order of the slots, and leaves the piece empty.
    pub(super) fn drain(&mut self, mut each: impl FnMut(u32, u32, (K, V))) {
        self.len = 0;
        for slot in self.slots.all() {
            if slot.tag != EMPTY {
                let tag = std::mem::replace(&mut slot.tag, EMPTY);
                // SAFETY: the tag said that the slot is filled, and says from now on that it is not.
                let entry = unsafe { slot.entry.assume_init_read() };
                each(tag, slot.stamp, entry);
            }
        }
    }
}
