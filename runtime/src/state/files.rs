//! What a backend keeps in files, as snapshots, restores and checkpoints see it: the same for all backends that have some.
//!
//! ```text
//! snapshot   OnDisk::change -> the worker notes, another thread writes (Change) -> OnDisk::take_in
//! checkpoint Change::listing: all files of the operator, of which most are in the store already
//! restore    Stored: files of a checkpoint in a folder again -> OnDisk::restore, or each_entry for another backend
//! ```

use super::entry::Entry;
use super::filesystem::split_key;
use super::rocks;
use super::segment::{Merged, Part};
use crate::error::Fault;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// What lies below the tables of one operator on one worker, in files. Called on the worker, between two frames.
pub trait OnDisk {
    /// Where files of a checkpoint may be put for [`restore`](OnDisk::restore).
    fn folder(&self) -> &Path;
    /// Begins to take what changed up to an epoch.
    fn change(&self, epoch: u64) -> Box<dyn Change>;
    /// All that changed up to an epoch has been written: it is read from now on.
    fn take_in(&self, epoch: u64);
    /// Takes in what is done in the background. `idle`: no thread reads files that are no longer listed.
    fn settle(&self, _idle: bool) {}
    /// Goes on from files of a checkpoint, oldest first; `false` if some are not of this backend's form.
    ///
    /// # Errors
    /// If they cannot be read.
    fn restore(&self, oldest_first: &[Stored]) -> Result<bool, Fault>;
    /// How much of so many bytes of memory is left for the tables.
    fn for_tables(&self, memory: u64) -> u64 {
        memory
    }
}

/// Writes what was noted; on whichever thread.
pub type Write = Box<dyn FnOnce() -> Result<(), Fault> + Send>;

/// What changed in one operator's tables in an epoch. The worker notes it in memory; another thread writes it.
pub trait Change: Send {
    /// Notes an entry.
    ///
    /// # Errors
    /// If key or value are too long.
    fn note(&mut self, entry: &Entry<'_>) -> Result<(), Fault>;
    /// Bytes of memory of what is noted.
    fn bytes(&self) -> usize;
    /// Takes out what is noted so far, for somebody else to write.
    fn cut(&mut self) -> Write;
    /// All files of the operator on this worker, once everything was written.
    ///
    /// # Errors
    /// If they cannot be told.
    fn listing(&mut self) -> Result<Listing, Fault>;
    /// What was written of it is of no use.
    fn give_up(&mut self) {}
}

/// Files that a checkpoint names, oldest first.
#[derive(Default)]
pub struct Listing {
    /// The files.
    pub files: Vec<StateFile>,
    /// A folder that is only needed until they are in the store.
    pub scratch: Option<PathBuf>,
}

impl Drop for Listing {
    fn drop(&mut self) {
        // What cannot be removed is in a folder of temporary files.
        let _ = self.scratch.take().map(std::fs::remove_dir_all);
    }
}

/// One file of a checkpoint. Once named it never changes.
pub struct StateFile {
    /// What it is known by: no other file of the attempt has had this path.
    pub path: PathBuf,
    /// Where its bytes are.
    pub bytes: PathBuf,
    /// The hashes that count in it.
    pub hashes: RangeInclusive<u64>,
    /// How many entries it has.
    pub entries: u64,
}

/// Files of a checkpoint that lie in a folder again: one thing that can be read by itself.
pub enum Stored {
    /// A segment of `FileSystem`.
    Segment(Part),
    /// A database of `RocksDb`.
    Database(rocks::Stored),
}

/// Gives the entries of a range of hashes, of each key the newest word, and no deletions. Segments come in the order of hashes. There may
/// be entries of windows that have closed.
///
/// # Errors
/// If something cannot be read, or what `each` says.
pub fn each_entry(
    oldest_first: &[Stored],
    hashes: RangeInclusive<u64>,
    mut each: impl FnMut(Entry<'_>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let (mut segments, mut databases) = (Vec::new(), Vec::new());
    for stored in oldest_first {
        match stored {
            Stored::Segment(part) => segments.push((&**part.segment(), common(&part.hashes(), &hashes))),
            Stored::Database(database) => databases.push(database),
        }
    }
    for entry in Merged::new(segments.into_iter().rev(), false, i64::MIN)? {
        let entry = entry?;
        let split = split_key(entry.key);
        let (state, key) = split.ok_or_else(|| Fault::new("an entry of a segment has no state"))?;
        each(Entry { hash: entry.hash, state, namespace: entry.namespace, key, value: entry.value })?;
    }
    rocks::each_entry(&databases, hashes, &mut each)
}

/// The hashes that two ranges have in common.
pub fn common(a: &RangeInclusive<u64>, b: &RangeInclusive<u64>) -> RangeInclusive<u64> {
    *a.start().max(b.start())..=*a.end().min(b.end())
}
