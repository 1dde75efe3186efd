//! [`Batch`]: what changed, noted in any order, given out in the order of a segment.
//!
//! It knows nothing of files, and of who notes.

use super::super::room::make_room;
use super::format::Entry;
use crate::background;
use crate::error::Fault;

/// Entries in the byte form of a segment, and the order that they will have.
#[derive(Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    /// Hash and offset.
    order: Vec<(u64, usize)>,
}

impl Batch {
    /// An empty one.
    #[cfg(test)]
    pub fn new() -> Batch {
        Batch::default()
    }

    /// Notes an entry. If its key is noted twice the later one counts.
    ///
    /// # Errors
    /// If key or value are too long for a segment.
    pub fn put(&mut self, entry: &Entry<'_>) -> Result<(), Fault> {
        let at = self.bytes.len();
        make_room(&mut self.bytes, entry.bytes());
        entry.put(&mut self.bytes)?;
        make_room(&mut self.order, 1);
        self.order.push((entry.hash, at));
        Ok(())
    }

    /// Whether there are none.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Bytes of memory that they take: who notes very many writes them out when they are enough.
    pub fn bytes(&self) -> usize {
        self.bytes.len() + self.order.len() * size_of::<(u64, usize)>()
    }

    /// Sorts them and gives them out, each key once. Cheap if they were noted about in the order of hashes.
    pub fn sorted(&mut self) -> impl Iterator<Item = Entry<'_>> {
        let bytes = &self.bytes;
        let entry = |at: usize| bytes.get(at..).and_then(Entry::read).map(|(entry, _)| entry);
        // Equal keys by offset, so that the last one of a run is the newest.
        let by = |a: &(u64, usize), b: &(u64, usize)| {
            a.0.cmp(&b.0).then_with(|| {
                let parts = |at| entry(at).map(|e| (e.namespace, e.key));
                parts(a.1).cmp(&parts(b.1)).then(a.1.cmp(&b.1))
            })
        };
        background::sort(&mut self.order, |noted| noted.0, by);
        let order = &self.order;
        order.iter().enumerate().filter_map(move |(i, &(hash, at))| {
            let this = entry(at)?;
            // Only equal hashes need a look at the next entry.
            let next = order.get(i + 1).filter(|next| next.0 == hash).and_then(|next| entry(next.1));
            next.is_none_or(|next| next.order() != this.order()).then_some(this)
        })
    }

    /// Forgets them and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.order.clear();
    }
}
