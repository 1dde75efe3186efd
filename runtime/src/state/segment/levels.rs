//! [`Levels`]: the segments of one operator on one worker, and what they say together.
//!
//! ```text
//! oldest  base | base' | delta | delta | ..  newest     each with the hashes that count in it
//! ```
//!
//! The newest segment that knows a key has the word; a deletion hides what older ones say. New deltas come at the end. When
//! there are many, some neighbours become one segment on the merging thread, and take their place between two lookups
//! ([`Levels::settle`]).
//!
//! A segment may hold more than counts here: after a restore at another width several workers name the same file, each for
//! the hashes it owns. So a segment is listed with a range of hashes ([`Part`]), and whoever lists parts of several former
//! workers need only keep the order among parts whose ranges overlap.
//!
//! No file is removed before [`Levels::sweep`] is told which ones are named elsewhere, by checkpoints. This file knows
//! nothing of checkpoints, nor of keys and values but that they are bytes.

#[cfg(test)]
use super::batch::Batch;
use super::folder::Folder;
#[cfg(test)]
use super::format::Entry;
use super::merge::Merged;
use super::merger::{Merger, Order, Outcome};
use super::reader::{Found, Segment};
use crate::error::Fault;
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};

/// So many segments without a filter-less base are merged.
const MANY: usize = 8;
/// A merge takes at least so many.
const SOME: usize = 4;
/// A merge goes on to the next older segment while that is at most so many times as large as those before it together.
const RATIO: u64 = 2;
/// Where a merge begins another segment: positions in one reach to 32 GiB.
const SEGMENT_BYTES: u64 = 8 << 30;

/// A segment, and the hashes that count in it.
#[derive(Clone, Debug)]
pub struct Part {
    segment: Arc<Segment>,
    from: u64,
    to: u64,
}

impl Part {
    /// A segment as far as its hashes lie in a range.
    pub fn new(segment: Arc<Segment>, hashes: RangeInclusive<u64>) -> Part {
        Part { segment, from: *hashes.start(), to: *hashes.end() }
    }

    /// The segment.
    pub fn segment(&self) -> &Arc<Segment> {
        &self.segment
    }

    /// The hashes that count.
    pub fn hashes(&self) -> RangeInclusive<u64> {
        self.from..=self.to
    }

    fn overlaps(&self, other: &Part) -> bool {
        self.from <= other.to && other.from <= self.to
    }
}

/// A merge under way.
struct Merging {
    /// The parts that it will replace.
    parts: Range<usize>,
    outcome: Receiver<Outcome>,
    cancelled: Arc<AtomicBool>,
}

/// The segments of one operator on one worker.
pub struct Levels {
    pub(super) folder: Folder,
    owned: RangeInclusive<u64>,
    /// Oldest first.
    parts: Vec<Part>,
    merger: Merger,
    merging: Option<Merging>,
    /// What verifying finds, in the background.
    damage: (Sender<Fault>, Receiver<Fault>),
    /// Files that lie here and are not listed any more.
    retired: Vec<PathBuf>,
    /// Namespaces below have been forgotten.
    horizon: i64,
    segment_bytes: u64,
}

impl Levels {
    /// Lists the segments that a checkpoint named, oldest first, for a worker that owns `owned`; the rest of them does not
    /// count. New segments go to `folder`; what already lies there and is not listed is swept away with the next
    /// [`sweep`](Levels::sweep). Reads nothing of them.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn open(
        folder: Folder,
        owned: RangeInclusive<u64>,
        oldest_first: impl IntoIterator<Item = Part>,
        merger: &Merger,
    ) -> Result<Levels, Fault> {
        let (low, high) = (*owned.start(), *owned.end());
        let cut = |part: Part| Part { from: part.from.max(low), to: part.to.min(high), ..part };
        let parts: Vec<Part> = oldest_first.into_iter().map(cut).filter(|part| part.from <= part.to).collect();
        let listed = |path: &PathBuf| parts.iter().any(|part| part.segment.path() == path);
        let retired = folder.segments()?.into_iter().filter(|path| !listed(path)).collect();
        let (merger, damage, segment_bytes) = (merger.clone(), channel(), SEGMENT_BYTES);
        Ok(Levels { folder, owned, parts, merger, merging: None, damage, retired, horizon: i64::MIN, segment_bytes })
    }

    /// Lets merges begin another segment after so many bytes.
    #[cfg(test)]
    pub(super) fn split_at(&mut self, segment_bytes: u64) {
        self.segment_bytes = segment_bytes;
    }

    /// What is listed, oldest first: what a manifest notes, each part with path, length, identity and hashes.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Whether nothing is listed, so that no key is known.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The value of a key, borrowed from the newest segment that knows it.
    ///
    /// Cost: one word per delta, and a lookup in one segment; see [`Segment::get`].
    ///
    /// # Errors
    /// If a segment is damaged: names the file and the byte.
    #[inline]
    #[cfg(test)]
    pub fn get(&self, hash: u64, namespace: i64, key: &[u8]) -> Result<Option<&[u8]>, Fault> {
        Ok(self.newest(hash, namespace, key)?.map(|(value, _)| value))
    }

    /// The value of a key, and the segment that has it.
    #[inline]
    pub(in crate::state) fn newest(
        &self,
        hash: u64,
        namespace: i64,
        key: &[u8],
    ) -> Result<Option<(&[u8], &Segment)>, Fault> {
        for part in self.parts.iter().rev().filter(|part| part.from <= hash && hash <= part.to) {
            match part.segment.get(hash, namespace, key)? {
                None => {}
                Some(Found::Value(value)) => return Ok(Some((value, &part.segment))),
                Some(Found::Deleted) => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Asks for the memory that a lookup of this hash begins with, in every segment.
    #[inline]
    pub fn prefetch(&self, hash: u64) {
        for part in &self.parts {
            part.segment.prefetch(hash);
        }
    }

    /// Asks for the memory of the entries that a lookup will probably read, some lookups after
    /// [`prefetch`](Levels::prefetch).
    #[inline]
    pub fn prefetch_entry(&self, hash: u64, namespace: i64) {
        for part in &self.parts {
            part.segment.prefetch_entry(hash, namespace);
        }
    }

    /// All that is known of the hashes in a range, in order, each key with its newest value. All namespaces of one key are
    /// found at its hash.
    ///
    /// # Errors
    /// If a segment is damaged; the iterator gives an error likewise, and ends with it.
    pub fn range(&self, hashes: RangeInclusive<u64>) -> Result<Merged<'_>, Fault> {
        let (from, to) = (*hashes.start(), *hashes.end());
        let inputs = self.parts.iter().rev().map(|part| (&*part.segment, part.from.max(from)..=part.to.min(to)));
        Merged::new(inputs, false, self.horizon)
    }

    /// Writes what a batch has noted as a delta and lists it. Waits for the disk; [`Folder::write`] does the first half on
    /// another thread.
    ///
    /// # Errors
    /// If the disk fails; then the list is as before, and the batch too.
    #[cfg(test)]
    pub fn add(&mut self, batch: &mut Batch) -> Result<(), Fault> {
        self.add_delta(batch.sorted())?;
        batch.clear();
        Ok(())
    }

    /// Writes entries that are in the order of (hash, namespace, key) as a delta and lists it.
    ///
    /// # Errors
    /// If they are not in order, or the disk fails; then the list is as before.
    #[cfg(test)]
    pub fn add_delta<'e>(&mut self, entries: impl IntoIterator<Item = Entry<'e>>) -> Result<(), Fault> {
        if let Some(written) = self.folder.write(entries)? {
            self.push(Arc::new(Segment::open(&written.path)?))?;
        }
        Ok(())
    }

    /// Lists a segment as the newest; begins a merge if there are many now.
    ///
    /// # Errors
    /// If a merge that has just ended failed. The segment is listed even so.
    pub fn push(&mut self, segment: Arc<Segment>) -> Result<(), Fault> {
        // Just written, so that reading it costs nothing; lookups in it are faster then.
        self.merger.scrub(&segment, &self.damage.0);
        self.parts.push(Part::new(segment, self.owned.clone()));
        self.settle()?;
        if self.merging.is_none()
            && let Some(from) = self.worth_merging()
        {
            self.merge(from..self.parts.len());
        }
        Ok(())
    }

    /// The oldest part that a merge of the newest ones should take, if there are many.
    fn worth_merging(&self) -> Option<usize> {
        let filtered = |part: &&Part| part.segment.has_filter();
        if self.parts.iter().rev().take_while(filtered).count() < MANY {
            return None;
        }
        // Segments of about a size together: so each entry is written again a few times only until it is in the base.
        let (mut from, mut bytes) = (self.parts.len(), 0);
        for (at, part) in self.parts.iter().enumerate().rev() {
            if self.parts.len() - at > SOME && part.segment.bytes() > RATIO * bytes {
                break;
            }
            from = at;
            bytes += part.segment.bytes();
        }
        Some(from)
    }

    /// Begins to verify all that is listed, on the merging thread; [`settle`](Levels::settle) tells of damage. Meant for
    /// after a restore: nothing waits for it, and lookups are faster when it is done. Reads all of the files.
    pub fn scrub(&self) {
        for part in &self.parts {
            self.merger.scrub(&part.segment, &self.damage.0);
        }
    }

    /// Begins to merge everything into a base, if no merge is under way.
    #[cfg(test)]
    pub fn merge_all(&mut self) {
        if self.merging.is_none() && !self.parts.is_empty() {
            self.merge(0..self.parts.len());
        }
    }

    /// Begins a merge of some neighbours.
    fn merge(&mut self, parts: Range<usize>) {
        let (older, rest) = self.parts.split_at(parts.start);
        let merged = rest.get(..parts.len()).unwrap_or_default();
        let order = Order {
            newest_first: merged.iter().rev().map(|p| (p.segment.path().to_owned(), p.hashes())).collect(),
            is_base: !merged.iter().any(|part| older.iter().any(|older| older.overlaps(part))),
            horizon: self.horizon,
            segment_bytes: self.segment_bytes,
            folder: self.folder.clone(),
            cancelled: Arc::new(AtomicBool::new(false)),
        };
        let cancelled = order.cancelled.clone();
        self.merging = Some(Merging { parts, outcome: self.merger.order(order), cancelled });
    }

    /// Takes in the outcome of a merge, if there is one: the list is another one after that, and says the same. `false` if
    /// there is none. Cheap; meant to be called between two frames.
    ///
    /// # Errors
    /// If the merge failed; the list is as before, and the next delta begins another merge. If a segment was found to be
    /// damaged.
    pub fn settle(&mut self) -> Result<bool, Fault> {
        if let Ok(fault) = self.damage.1.try_recv() {
            return Err(fault);
        }
        let Some(merging) = &self.merging else { return Ok(false) };
        match merging.outcome.try_recv() {
            Err(TryRecvError::Empty) => Ok(false),
            Err(TryRecvError::Disconnected) => self.replace(Err(ended())),
            Ok(outcome) => self.replace(outcome),
        }
    }

    /// Waits for the merge that is under way, and takes its outcome in; `false` if there is none.
    ///
    /// # Errors
    /// If the merge failed; see [`settle`](Levels::settle).
    #[cfg(test)]
    pub fn wait(&mut self) -> Result<bool, Fault> {
        let Some(merging) = &self.merging else { return Ok(false) };
        let outcome = merging.outcome.recv().unwrap_or_else(|_| Err(ended()));
        self.replace(outcome)
    }

    /// Says that no namespace below this one is asked for again: windows that have closed. Their entries are gone from
    /// [`range`](Levels::range) at once, and from the disk with the next merge or, where a segment has no others, with
    /// the next sweep; nobody need delete them one by one.
    pub fn forget_below(&mut self, namespace: i64) {
        self.horizon = self.horizon.max(namespace);
        // A merge under way counts on its places in the list.
        if self.merging.is_none() {
            let horizon = self.horizon;
            let old = self.parts.extract_if(.., |part| part.segment.greatest_namespace() < horizon).collect();
            self.retire(old);
        }
    }

    fn replace(&mut self, outcome: Outcome) -> Result<bool, Fault> {
        let Some(merging) = self.merging.take() else { return Ok(false) };
        let made = outcome?.take();
        for segment in &made {
            self.merger.scrub(segment, &self.damage.0);
        }
        let new = made.into_iter().map(|segment| Part::new(segment, self.owned.clone()));
        let old: Vec<Part> = self.parts.splice(merging.parts, new).collect();
        self.retire(old);
        Ok(true)
    }

    /// Notes the files of parts that are not listed any more.
    fn retire(&mut self, old: Vec<Part>) {
        for part in old {
            let path = part.segment.path();
            let listed = self.parts.iter().any(|part| part.segment.path() == path);
            if !listed && path.parent() == Some(self.folder.path()) {
                self.retired.push(path.to_owned());
            }
        }
    }

    /// Removes the files of this folder that are neither listed here nor, as far as `named` says, anywhere else; gives
    /// how many. Who takes checkpoints calls it when one has been completed or dropped, and names what all that remain
    /// need. Files of other folders are left alone.
    ///
    /// # Errors
    /// If a file cannot be removed; it will be tried again.
    pub fn sweep(&mut self, named: impl Fn(&Path) -> bool) -> Result<usize, Fault> {
        let (mut removed, mut failed) = (0, None);
        let folder = &self.folder;
        self.retired.retain(|path| {
            if named(path) {
                return true;
            }
            match folder.remove(path) {
                Ok(()) => removed += 1,
                Err(fault) => failed = Some(fault),
            }
            failed.is_some()
        });
        failed.map_or(Ok(removed), Err)
    }
}

impl Drop for Levels {
    fn drop(&mut self) {
        if let Some(merging) = &self.merging {
            merging.cancelled.store(true, Ordering::Relaxed);
        }
    }
}

#[cold]
fn ended() -> Fault {
    Fault::new("the thread that merges segments of state has ended").help("this is a bug in Pelton; please report it")
}
