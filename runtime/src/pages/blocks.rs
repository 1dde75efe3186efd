//! Blocks of memory, each much smaller than a large page, that share large pages.
//!
//! ```text
//! region   32 MiB from the start of a large page: | block | block | free | block | free ..
//! ```
//!
//! A table of some GB in small pages is met at a page that the processor does not know the place of, row for row; the allocator has none of its
//! blocks in large pages, since each is asked for alone. Measured with 14 M keys of 64 bytes on a machine that is a guest: 38 M rows a second, and
//! 22 in small pages.
//!
//! The first free run that is long enough is taken, so that what is free gathers at the end. A region of which nothing is used goes back to the
//! system, if there is another such one; and so does each large page of which nothing is used, while more than a quarter of the regions is free.
//!
//! Threads share a few lots of regions: each takes from its own, and whoever has a block last gives it back to where it came from. Costs a lock, and
//! a look at one number for each region of the lot.
//!
//! `unsafe` is used to write to what was allocated and is not initialized, and to give pages back.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Blocks are multiples of it, and begin at one.
const UNIT: usize = 4 << 10;
/// Large pages begin at multiples of it, where the system has some.
const LARGE: usize = 2 << 20;
const REGION: usize = 32 << 20;
const UNITS: usize = REGION / UNIT;
/// Units of a large page, and words of their bits.
const OF_LARGE: usize = LARGE / UNIT;
const WORDS_OF_LARGE: usize = OF_LARGE / 64;
/// A larger block would not leave room for others.
const MOST: usize = REGION / 8;
/// What may be free in any case: 64 MiB.
const SLACK: usize = 2 * UNITS;

/// Lots of regions.
const LOTS: usize = 16;
static REGIONS: [Mutex<Regions>; LOTS] = [const { Mutex::new(Regions::NONE) }; LOTS];

fn regions(lot: usize) -> MutexGuard<'static, Regions> {
    REGIONS[lot % LOTS].lock().unwrap_or_else(PoisonError::into_inner)
}

/// The lot that this thread takes from: one after the other, so that few threads have one each.
fn lot() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static LOT: Cell<Option<usize>> = const { Cell::new(None) });
    LOT.with(|lot| {
        let own = lot.get().unwrap_or_else(|| NEXT.fetch_add(1, Ordering::Relaxed) % LOTS);
        lot.set(Some(own));
        own
    })
}

/// A block, and where it comes from.
pub(crate) struct Block {
    pub(crate) memory: NonNull<u8>,
    pub(crate) lot: u8,
}

/// Zeroed memory, from the start of a small page. `None` for more than a few MiB, which had better be allocated, and where the system has no
/// region to give.
pub(crate) fn take(bytes: usize) -> Option<Block> {
    let units = bytes.div_ceil(UNIT);
    if bytes > MOST || units == 0 {
        return None;
    }
    let lot = lot();
    let memory = regions(lot).take(units)?;
    // SAFETY: the block has so many units, and nobody else knows it.
    unsafe { memory.write_bytes(0, bytes) };
    Some(Block { memory, lot: lot as u8 })
}

/// Gives a block back.
///
/// # Safety
/// It must be one that [`take`] gave for so many bytes, and nobody may use it from now on.
pub(crate) unsafe fn give_back(block: Block, bytes: usize) {
    let empty = regions(block.lot.into()).give_back(block.memory, bytes.div_ceil(UNIT));
    drop(empty);
}

/// Those of a lot, in the order of their addresses.
struct Regions {
    all: Vec<Region>,
    /// For each of them: no run of free units is longer.
    longest: Vec<u32>,
    /// Units of all of them that are free.
    free: usize,
}

impl Regions {
    const NONE: Regions = Regions { all: Vec::new(), longest: Vec::new(), free: 0 };

    fn take(&mut self, units: usize) -> Option<NonNull<u8>> {
        let mut from = 0;
        while let Some(next) = self.longest.iter().skip(from).position(|longest| *longest as usize >= units) {
            let at = from + next;
            if let Some(block) = self.all[at].take(units) {
                self.free -= units;
                return Some(block);
            }
            self.longest[at] = units as u32 - 1;
            from = at + 1;
        }
        let mut region = Region::new()?;
        let block = region.take(units);
        let at = self.all.partition_point(|other| other.start < region.start);
        self.all.insert(at, region);
        self.longest.insert(at, UNITS as u32);
        self.free += UNITS - units;
        block
    }

    /// Gives the region that goes back to the system, if one does: that takes time, and nobody else should wait for it.
    fn give_back(&mut self, block: NonNull<u8>, units: usize) -> Option<Region> {
        let behind = self.all.partition_point(|region| region.start <= block);
        let at = behind.checked_sub(1)?;
        let region = &mut self.all[at];
        let first = region.give_back(block, units);
        self.longest[at] = UNITS as u32;
        self.free += units;
        let many = self.free > SLACK.max(self.all.len() * UNITS / 4);
        let region = &mut self.all[at];
        if many {
            region.let_go(first, units);
        }
        let is_empty = |region: &Region| region.free == UNITS;
        if is_empty(region) && self.all.iter().filter(|region| is_empty(region)).count() > 1 {
            self.free -= UNITS;
            self.longest.remove(at);
            return Some(self.all.remove(at));
        }
        None
    }
}

struct Region {
    start: NonNull<u8>,
    /// Units that are free.
    free: usize,
    /// A bit for each unit that is used.
    used: Box<[u64; UNITS / 64]>,
    /// Never initialized as such; with room for a start at a large page.
    _memory: Vec<u8>,
}

// SAFETY: the memory is owned, like that of the `Vec`.
unsafe impl Send for Region {}

impl Region {
    fn new() -> Option<Region> {
        let mut memory = super::try_with_room(REGION + LARGE)?;
        let first = memory.as_ptr().align_offset(LARGE);
        // SAFETY: less than a large page is skipped, for which there is room.
        let start = NonNull::new(unsafe { memory.as_mut_ptr().add(first.min(LARGE)) })?;
        Some(Region { start, free: UNITS, used: Box::new([0; UNITS / 64]), _memory: memory })
    }

    fn take(&mut self, units: usize) -> Option<NonNull<u8>> {
        let mut at = 0;
        while at < UNITS && self.free >= units {
            at += self.run(at, true);
            let free = self.run(at, false);
            if free >= units {
                self.set(at, units, true);
                self.free -= units;
                // SAFETY: the unit is one of the region.
                return Some(unsafe { self.start.add(at * UNIT) });
            }
            at += free;
        }
        None
    }

    /// Gives the number of its first unit.
    fn give_back(&mut self, block: NonNull<u8>, units: usize) -> usize {
        let at = (block.addr().get() - self.start.addr().get()) / UNIT;
        debug_assert!(at + units <= UNITS, "a block of another region");
        self.set(at, units, false);
        self.free += units;
        at
    }

    /// Gives the large pages back to the system that have some of these units, which nobody uses, and of which nothing else is used.
    fn let_go(&mut self, from: usize, units: usize) {
        for page in from / OF_LARGE..(from + units).div_ceil(OF_LARGE).min(UNITS / OF_LARGE) {
            let words = page * WORDS_OF_LARGE..(page + 1) * WORDS_OF_LARGE;
            if self.used[words].iter().all(|word| *word == 0) {
                // SAFETY: the page is one of the region, which owns it, and nobody uses anything in it.
                unsafe { super::let_go(self.start.add(page * LARGE), LARGE) };
            }
        }
    }

    /// How many units from this one on are all used, or all free.
    fn run(&self, from: usize, used: bool) -> usize {
        let mut at = from;
        while at < UNITS {
            let word = self.used[at / 64] >> (at % 64);
            let same = if used { word.trailing_ones() } else { word.trailing_zeros() } as usize;
            let left = 64 - at % 64;
            at += same.min(left);
            if same < left {
                break;
            }
        }
        at - from
    }

    fn set(&mut self, from: usize, units: usize, used: bool) {
        for at in from..(from + units).min(UNITS) {
            let bit = 1 << (at % 64);
            match used {
                true => self.used[at / 64] |= bit,
                false => self.used[at / 64] &= !bit,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Blocks of all sizes, taken and given back in an order without rule: none lies on another, what is written stays, and in the end no region is
    /// left but one.
    #[test]
    fn blocks_are_apart_and_go_back() {
        let mut regions = Regions::NONE;
        let mut held: Vec<(NonNull<u8>, usize)> = Vec::new();
        let mut state = 7u64;
        let mut next = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as usize % below
        };
        let ends = |block: NonNull<u8>, units: usize| [block, unsafe { block.add(units * UNIT - 1) }];
        for round in 0..6000 {
            // At first they become more, then fewer.
            if next(10) > if round < 3000 { 3 } else { 4 } || held.is_empty() {
                let units = 1 + next(if round % 50 == 0 { MOST / UNIT } else { 64 });
                let block = regions.take(units).unwrap();
                assert_eq!(block.addr().get() % UNIT, 0);
                let from = block.addr().get();
                let apart = |(other, its): &(NonNull<u8>, usize)| {
                    let other = other.addr().get();
                    other + its * UNIT <= from || from + units * UNIT <= other
                };
                assert!(held.iter().all(apart));
                // SAFETY: first and last byte of the block.
                ends(block, units).into_iter().for_each(|end| unsafe { end.write(units as u8) });
                held.push((block, units));
            } else {
                let (block, units) = held.swap_remove(next(held.len()));
                // SAFETY: they were written.
                assert!(ends(block, units).into_iter().all(|end| unsafe { end.read() } == units as u8));
                regions.give_back(block, units);
            }
            let used: usize = held.iter().map(|(_, units)| units).sum();
            assert_eq!(regions.all.len() * UNITS - regions.free, used);
            assert!(regions.all.is_sorted_by_key(|region| region.start));
            assert_eq!(regions.all.len(), regions.longest.len());
        }
        assert!(!held.is_empty());
        held.into_iter().for_each(|(block, units)| drop(regions.give_back(block, units)));
        assert_eq!((regions.all.len(), regions.free), (1, UNITS));
        assert_eq!(regions.all[0].run(0, false), UNITS);
    }

    #[test]
    fn a_block_is_zeroed_and_may_be_written() {
        let bytes = 100_000;
        for _ in 0..3 {
            let block = take(bytes).unwrap();
            // SAFETY: it has so many bytes, and is given back behind this.
            let all = unsafe { std::slice::from_raw_parts_mut(block.memory.as_ptr(), bytes) };
            assert!(all.iter().all(|byte| *byte == 0));
            all.fill(9);
            // SAFETY: it was taken with this size.
            unsafe { give_back(block, bytes) };
        }
        assert!(take(MOST + 1).is_none() && take(0).is_none());
    }

    #[test]
    fn a_block_goes_back_from_another_thread() {
        let blocks: Vec<(usize, u8)> = (0..40)
            .map(|_| {
                let block = take(MOST).unwrap();
                (block.memory.expose_provenance().get(), block.lot)
            })
            .collect();
        std::thread::spawn(move || {
            for (at, lot) in blocks {
                let memory = NonNull::new(std::ptr::with_exposed_provenance_mut(at)).unwrap();
                // SAFETY: it was taken with this size, and nobody uses it.
                unsafe { give_back(Block { memory, lot }, MOST) };
            }
        })
        .join()
        .unwrap();
    }
}
