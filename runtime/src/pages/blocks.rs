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
//! The first free run that is long enough is taken. A region of which nothing is used goes back to the system, if there is another one.
//!
//! `unsafe` is used to write to what was allocated and is not initialized.
#![allow(unsafe_code)]

use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Blocks are multiples of it, and begin at one.
const UNIT: usize = 4 << 10;
/// Large pages begin at multiples of it, where the system has some.
const LARGE: usize = 2 << 20;
const REGION: usize = 32 << 20;
const UNITS: usize = REGION / UNIT;
/// A larger block would not leave room for others.
const MOST: usize = REGION / 8;

static REGIONS: Mutex<Vec<Region>> = Mutex::new(Vec::new());

fn regions() -> MutexGuard<'static, Vec<Region>> {
    REGIONS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Zeroed memory, from the start of a small page. `None` for more than a few MiB, which had better be allocated.
pub(crate) fn take(bytes: usize) -> Option<NonNull<u8>> {
    let units = bytes.div_ceil(UNIT);
    if bytes > MOST || units == 0 {
        return None;
    }
    let block = take_from(&mut regions(), units)?;
    // SAFETY: the block has so many units, and nobody else knows it.
    unsafe { block.write_bytes(0, bytes) };
    Some(block)
}

fn take_from(regions: &mut Vec<Region>, units: usize) -> Option<NonNull<u8>> {
    if let Some(block) = regions.iter_mut().find_map(|region| region.take(units)) {
        return Some(block);
    }
    let mut region = Region::new()?;
    let block = region.take(units);
    regions.push(region);
    block
}

/// Gives a block back.
///
/// # Safety
/// It must be one that [`take`] gave for so many bytes, and nobody may use it from now on.
pub(crate) unsafe fn give_back(block: NonNull<u8>, bytes: usize) {
    give_back_to(&mut regions(), block, bytes.div_ceil(UNIT));
}

fn give_back_to(regions: &mut Vec<Region>, block: NonNull<u8>, units: usize) {
    let Some(of) = regions.iter().position(|region| region.has(block)) else { return };
    regions[of].give_back(block, units);
    let empty = |region: &Region| region.free == UNITS;
    if empty(&regions[of]) && regions.iter().filter(|region| empty(region)).count() > 1 {
        regions.swap_remove(of);
    }
}

struct Region {
    /// Never initialized as such; with room for a start at a large page.
    memory: Vec<u8>,
    start: NonNull<u8>,
    /// A bit for each unit that is used.
    used: [u64; UNITS / 64],
    /// Units that are not.
    free: usize,
    /// No run of free units is longer.
    longest: usize,
}

// SAFETY: the memory is owned, like that of the `Vec`.
unsafe impl Send for Region {}

impl Region {
    fn new() -> Option<Region> {
        let mut memory = super::with_room(REGION + LARGE);
        let first = memory.as_ptr().align_offset(LARGE);
        // SAFETY: less than a large page is skipped, for which there is room.
        let start = NonNull::new(unsafe { memory.as_mut_ptr().add(first.min(LARGE)) })?;
        Some(Region { memory, start, used: [0; UNITS / 64], free: UNITS, longest: UNITS })
    }

    fn has(&self, block: NonNull<u8>) -> bool {
        debug_assert!(self.memory.is_empty());
        (block.addr().get().wrapping_sub(self.start.addr().get())) < REGION
    }

    fn take(&mut self, units: usize) -> Option<NonNull<u8>> {
        if units > self.longest.min(self.free) {
            return None;
        }
        let mut at = 0;
        while at < UNITS {
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
        self.longest = units - 1;
        None
    }

    fn give_back(&mut self, block: NonNull<u8>, units: usize) {
        let at = (block.addr().get() - self.start.addr().get()) / UNIT;
        self.set(at, units, false);
        self.free += units;
        self.longest = UNITS;
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
        for at in from..from + units {
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

    /// Blocks of all sizes, taken and given back in an order without rule: none lies on another, each is zeroed, and in the end no region is left but one.
    #[test]
    fn blocks_are_apart_and_go_back() {
        let mut regions = Vec::new();
        let mut held: Vec<(NonNull<u8>, usize)> = Vec::new();
        let mut state = 7u64;
        let mut next = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as usize % below
        };
        for round in 0..4000 {
            if next(3) > 0 || held.is_empty() {
                let units = 1 + next(if round % 50 == 0 { MOST / UNIT } else { 64 });
                let block = take_from(&mut regions, units).unwrap();
                assert_eq!(block.addr().get() % UNIT, 0);
                let from = block.addr().get();
                let apart = |(other, its): &(NonNull<u8>, usize)| {
                    let other = other.addr().get();
                    other + its * UNIT <= from || from + units * UNIT <= other
                };
                assert!(held.iter().all(apart));
                assert!(regions.iter().any(|region| region.has(block)));
                held.push((block, units));
            } else {
                let (block, units) = held.swap_remove(next(held.len()));
                give_back_to(&mut regions, block, units);
            }
        }
        let used: usize = held.iter().map(|(_, units)| units).sum();
        assert_eq!(regions.iter().map(|region| UNITS - region.free).sum::<usize>(), used);
        assert!(used * 5 > regions.len() * UNITS * 2, "{} regions for {used} units", regions.len());
        held.into_iter().for_each(|(block, units)| give_back_to(&mut regions, block, units));
        assert_eq!(regions.len(), 1);
        assert_eq!(regions[0].run(0, false), UNITS);
    }

    #[test]
    fn a_block_is_zeroed_and_may_be_written() {
        let bytes = 100_000;
        for _ in 0..3 {
            let block = take(bytes).unwrap();
            // SAFETY: it has so many bytes, and is given back behind this.
            let all = unsafe { std::slice::from_raw_parts_mut(block.as_ptr(), bytes) };
            assert!(all.iter().all(|byte| *byte == 0));
            all.fill(9);
            // SAFETY: it was taken with this size.
            unsafe { give_back(block, bytes) };
        }
        assert!(take(MOST + 1).is_none() && take(0).is_none());
    }
}
