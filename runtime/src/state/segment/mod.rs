//! Keyed state on disk: immutable segments in hash order, memory-mapped and read in place.
//!
//! ```text
//! Levels   the segments of one operator on one worker: base, then deltas; the newest that knows a key has the word
//!   Segment   one file, opened: lookup by (hash, namespace, key), ranges of hashes, checksums     layout: format.rs
//!   Writer    entries in order -> one file, whole or not at all      Batch  entries in any order -> in order
//!   Merged    several segments as one sequence                      Merger a thread that makes few segments of many
//!   Folder    where new segments go, and how they are named         Disk   the operations on files, for tests to stop at
//! ```
//!
//! Here keys and values are bytes. What they mean, which of them changed and what is held in memory is the business of
//! [`layered`](super::layered); which segments a checkpoint names, and so which may be removed, that of who takes it.

mod batch;
mod disk;
mod folder;
mod format;
mod levels;
mod merge;
mod merger;
mod reader;
mod writer;

#[cfg(test)]
mod tests;

pub use batch::Batch;
pub use disk::OsDisk;
pub use folder::Folder;
pub use format::Entry;
pub use levels::{Levels, Part};
pub use merge::Merged;
pub use merger::Merger;
pub use reader::Segment;

use writer::Writer;
#[cfg(test)]
use {disk::Disk, disk::DiskFile, reader::Found};
