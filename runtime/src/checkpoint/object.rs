//! Data objects: entries of keyed state as they lie in the store. All backends write and read them, so that a
//! checkpoint of one is restored by another, at any number of workers.
//!
//! ```text
//! object   blocks | index | tail
//! block    entries, about 64 KiB of them; the first one begins with magic "PELTONo\0", version u16, 6 zero bytes
//! entry    as in `state/entry.rs`
//! index    for each block: length u64, entries u64, digest u64, least key group u16, greatest u16
//! tail     entries u64 | length of the index u64 | version u16, 2 zero bytes | digest u64 of index and tail before it
//! ```
//!
//! The digest of the index stands in the manifest too, and the index has the digests of the blocks: so whoever reads a
//! few blocks only knows that they are those which the manifest means. Entries come about in the order of hashes and not exactly;
//! a block says which key groups are in it, and who wants a range of groups reads the blocks that have some of it.

mod blob;
mod bytes;
mod reader;
mod writer;

pub use crate::state::entry::Entry;
pub use blob::{PART_BYTES, blob, blob_of};
pub use bytes::ObjectBytes;
pub use reader::ObjectReader;
pub use writer::ObjectWriter;

use super::damage::Problem;
use super::manifest::{Form, ObjectRef};
use super::store::Store;
use crate::hash::KEY_GROUPS;
use std::ops::{Range, RangeInclusive};

/// The first bytes of an object.
pub const MAGIC: [u8; 8] = *b"PELTONo\0";

/// The layout that this version writes, and the only one it reads.
pub const VERSION: u16 = 1;

/// A block ends with the entries, handed on together, that make it larger than this.
pub const BLOCK_BYTES: usize = 64 << 10;

/// An object of this size should be finished: small enough to be held in memory some times over, large enough that a store
/// takes it in one go.
pub const OBJECT_BYTES: usize = 16 << 20;

const HEADER: usize = 16;
const INDEX_ENTRY: usize = 28;
const TAIL: usize = 28;

/// Reads an object of either form to its end and checks it; if not `whole`, only that it is there, has its length and, of
/// entries, the right index.
///
/// # Errors
/// What is damaged, or that the store cannot be read.
pub fn check(store: &dyn Store, object: &ObjectRef, whole: bool) -> Result<(), Problem> {
    match object.form {
        Form::Blob => blob::verify(store, object, whole),
        Form::Entries => {
            let reader = ObjectReader::open(store, object)?;
            if whole { reader.verify() } else { Ok(()) }
        }
    }
}

/// The key group of a hash.
pub fn group_of(hash: u64) -> u16 {
    (hash >> (64 - KEY_GROUPS.trailing_zeros())) as u16
}

/// The key groups that one worker owns: the inverse of [`hash::owner`](crate::hash::owner).
pub fn groups_of(worker: usize, workers: usize) -> Range<u32> {
    let workers = (workers as u64).max(1);
    let first = |worker: u64| (worker * KEY_GROUPS).div_ceil(workers).min(KEY_GROUPS) as u32;
    first(worker as u64)..first(worker as u64 + 1)
}

/// The hashes of key groups, without the last.
pub fn hashes_of(from: u32, to: u32) -> RangeInclusive<u64> {
    let bits = 64 - KEY_GROUPS.trailing_zeros();
    let before = |group: u32| u64::from(group).checked_shl(bits).unwrap_or(0);
    let end = if u64::from(to) >= KEY_GROUPS { u64::MAX } else { before(to).wrapping_sub(1) };
    // None at all is a range that ends before it begins.
    if from >= to { RangeInclusive::new(1, 0) } else { before(from)..=end }
}

/// All key groups.
pub const ALL_GROUPS: Range<u32> = 0..KEY_GROUPS as u32;

/// A block, as the index has it.
#[derive(Clone, Copy, Debug)]
struct Block {
    length: u64,
    entries: u64,
    digest: u64,
    least: u16,
    greatest: u16,
}

#[cfg(test)]
mod tests;
