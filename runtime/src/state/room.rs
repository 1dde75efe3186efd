//! Room for what workers note of changes, made without their waiting for it.
//!
//! A vector that doubles copies all that it has into memory that is new, which the system has yet to give page by page: at some ten MB
//! a frame waited for that for 30 ms and more.

/// What is noted of this size is written by itself, so that memory does not hold all changes at once.
pub const BATCH_BYTES: usize = 64 << 20;

/// Up to here a vector grows as vectors do.
const SMALL_BYTES: usize = 512 << 10;

/// Makes room for `more` items of a batch. One that is no longer small gets room for a whole batch at once: pages that
/// nothing is written to take no memory.
#[inline(always)]
pub fn make_room<T>(items: &mut Vec<T>, more: usize) {
    if items.capacity() - items.len() < more {
        grow(items, more);
    }
}

#[cold]
#[inline(never)]
fn grow<T>(items: &mut Vec<T>, more: usize) {
    let small = SMALL_BYTES / size_of::<T>().max(1);
    let whole = BATCH_BYTES / size_of::<T>().max(1);
    if items.len() < small || items.len() >= whole {
        items.reserve(more);
    } else {
        // One entry may lie across the end.
        items.reserve_exact((whole + small - items.len()).max(more));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_moved_a_few_times_only_and_only_while_it_is_small() {
        let mut items: Vec<u64> = Vec::new();
        let mut copied = 0;
        let all = BATCH_BYTES / size_of::<u64>();
        for item in 0..all as u64 {
            let before = items.capacity();
            make_room(&mut items, 1);
            copied += if items.capacity() == before { 0 } else { items.len() };
            items.push(item);
        }
        assert!(copied * size_of::<u64>() <= 2 * SMALL_BYTES, "{copied} items were copied");
        // What is larger than a batch grows as usual.
        make_room(&mut items, 3 * all);
        assert!(items.capacity() >= 4 * all && items.len() == all);
    }
}
