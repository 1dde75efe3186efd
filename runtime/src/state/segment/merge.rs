//! [`Merged`]: several segments, or parts of them, as one sequence in hash order in which the newest word on a key counts.
//!
//! It reads, and knows nothing of what is done with what it gives.

use super::format::Entry;
use super::reader::{Entries, Segment};
use crate::error::Fault;
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::ops::RangeInclusive;

/// The next entry of one segment. The greatest of them is that which comes first, and the newest of equals.
struct Head<'a> {
    entry: Entry<'a>,
    age: usize,
    rest: Entries<'a>,
}

impl Ord for Head<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_hash = other.entry.hash.cmp(&self.entry.hash);
        by_hash.then_with(|| other.entry.order().cmp(&self.entry.order())).then(other.age.cmp(&self.age))
    }
}
impl PartialOrd for Head<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Head<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Head<'_> {}

/// Entries of several segments in the order of (hash, namespace, key), each key once: an iterator.
pub struct Merged<'a> {
    heads: BinaryHeap<Head<'a>>,
    deletions: bool,
    horizon: i64,
    fault: Option<Fault>,
}

impl<'a> Merged<'a> {
    /// Merges segments, newest first, each as far as its hashes are in its range. `deletions` says whether keys that were
    /// deleted are given too, or left out; namespaces below `horizon` are left out.
    ///
    /// # Errors
    /// If a segment cannot be read; later the iterator gives an error likewise, and ends with it.
    pub fn new(
        newest_first: impl IntoIterator<Item = (&'a Segment, RangeInclusive<u64>)>,
        deletions: bool,
        horizon: i64,
    ) -> Result<Merged<'a>, Fault> {
        let mut heads = BinaryHeap::new();
        for (age, (segment, hashes)) in newest_first.into_iter().enumerate() {
            let mut rest = segment.range(hashes)?;
            if let Some(entry) = rest.next().transpose()? {
                heads.push(Head { entry, age, rest });
            }
        }
        Ok(Merged { heads, deletions, horizon, fault: None })
    }

    /// The first entry of all, and the next one of its segment in its place.
    fn pop(&mut self) -> Option<Entry<'a>> {
        let mut head = self.heads.peek_mut()?;
        let entry = head.entry;
        match head.rest.next() {
            Some(Ok(next)) => head.entry = next,
            end => {
                PeekMut::pop(head);
                if let Some(Err(fault)) = end {
                    self.fault = Some(fault);
                }
            }
        }
        Some(entry)
    }
}

impl<'a> Iterator for Merged<'a> {
    type Item = Result<Entry<'a>, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let entry = self.pop();
            // Older words on the same key come right behind it.
            while entry.is_some_and(|entry| self.heads.peek().is_some_and(|next| next.entry.order() == entry.order())) {
                self.pop();
            }
            // A segment that cannot be read on would let older ones speak for it.
            if let Some(fault) = self.fault.take() {
                self.heads.clear();
                return Some(Err(fault));
            }
            let entry = entry?;
            if entry.namespace >= self.horizon && (self.deletions || entry.value.is_some()) {
                return Some(Ok(entry));
            }
        }
    }
}
