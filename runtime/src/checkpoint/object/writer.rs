//! [`ObjectWriter`]: puts entries one behind the other into one buffer. On a worker's path: entries come in a few KB that are in the
//! processor's cache, and go on from there past it; digests are taken when the object is finished, which others do.

use super::super::digest::digest;
use super::super::manifest::{Form, ObjectRef};
use super::{BLOCK_BYTES, Block, HEADER, MAGIC, OBJECT_BYTES, ObjectBytes, VERSION, group_of};
use crate::background::give_way;
use crate::state::entry::{Encoded, Entry};

/// Builds one object in memory.
pub struct ObjectWriter {
    bytes: ObjectBytes,
    /// What comes behind them.
    near: Vec<u8>,
    /// Where the open block begins.
    start: usize,
    open: Block,
    blocks: Vec<Block>,
    entries: u64,
}

const EMPTY: Block = Block { length: 0, entries: 0, digest: 0, least: u16::MAX, greatest: 0 };

impl Default for ObjectWriter {
    fn default() -> Self {
        Self::new()
    }
}

impl ObjectWriter {
    /// An object without entries.
    pub fn new() -> Self {
        let mut near = Vec::new();
        near.extend_from_slice(&MAGIC);
        near.extend_from_slice(&VERSION.to_le_bytes());
        near.resize(HEADER, 0);
        ObjectWriter { bytes: ObjectBytes::default(), near, start: 0, open: EMPTY, blocks: Vec::new(), entries: 0 }
    }

    /// What there is of it goes into other memory, which had something else.
    pub fn move_to(&mut self, memory: Vec<u8>) {
        self.bytes.move_to(memory);
    }

    /// Its memory; the object is not needed any more.
    pub fn into_memory(self) -> Vec<u8> {
        self.bytes.into_memory()
    }

    /// Appends entries, in their byte form.
    pub fn append_all(&mut self, some: &Encoded) {
        let Some((least, greatest)) = some.hashes() else { return };
        self.near.extend_from_slice(some.bytes());
        self.appended(some.entries(), group_of(least), group_of(greatest));
    }

    /// Appends an entry.
    pub fn append(&mut self, entry: Entry<'_>) {
        entry.write(&mut self.near);
        let group = group_of(entry.hash);
        self.appended(1, group, group);
    }

    fn appended(&mut self, entries: u64, least: u16, greatest: u16) {
        self.open.entries += entries;
        self.open.least = self.open.least.min(least);
        self.open.greatest = self.open.greatest.max(greatest);
        if self.near.len() >= Encoded::TOGETHER {
            let taken = self.bytes.append_past(&self.near);
            self.near.drain(..taken);
        }
        if self.len() - self.start >= BLOCK_BYTES {
            self.close();
        }
    }

    fn close(&mut self) {
        self.open.length = (self.len() - self.start) as u64;
        self.entries += self.open.entries;
        self.blocks.push(std::mem::replace(&mut self.open, EMPTY));
        self.start = self.len();
    }

    /// Bytes so far.
    pub fn len(&self) -> usize {
        self.bytes.len() + self.near.len()
    }

    /// Whether nothing was appended.
    pub fn is_empty(&self) -> bool {
        self.entries == 0 && self.open.entries == 0
    }

    /// Whether it has reached the size at which it should be finished.
    pub fn is_full(&self) -> bool {
        self.len() >= OBJECT_BYTES
    }

    /// Ends the object: what a manifest says of it, and its bytes, which are to be put under this name.
    pub fn finish(mut self, name: impl Into<String>) -> (ObjectRef, ObjectBytes) {
        // The first block has the header, so that there is nothing of which no digest is taken.
        if self.start < self.len() {
            self.close();
        }
        self.bytes.append(&self.near);
        let mut rest = &*self.bytes;
        for block in &mut self.blocks {
            let (bytes, behind) = rest.split_at(block.length as usize);
            block.digest = digest(bytes);
            rest = behind;
            give_way();
        }
        let (mut least, mut greatest) = (EMPTY.least, EMPTY.greatest);
        let mut end = self.near;
        end.clear();
        for block in &self.blocks {
            end.extend_from_slice(&block.length.to_le_bytes());
            end.extend_from_slice(&block.entries.to_le_bytes());
            end.extend_from_slice(&block.digest.to_le_bytes());
            end.extend_from_slice(&block.least.to_le_bytes());
            end.extend_from_slice(&block.greatest.to_le_bytes());
            (least, greatest) = (least.min(block.least), greatest.max(block.greatest));
        }
        let length = end.len() as u64;
        end.extend_from_slice(&self.entries.to_le_bytes());
        end.extend_from_slice(&length.to_le_bytes());
        end.extend_from_slice(&VERSION.to_le_bytes());
        end.extend_from_slice(&[0; 2]);
        let digest = digest(&end);
        end.extend_from_slice(&digest.to_le_bytes());
        self.bytes.append(&end);
        let reference = ObjectRef {
            name: name.into(),
            form: Form::Entries,
            length: self.bytes.len() as u64,
            digest,
            first_group: least,
            last_group: greatest,
            entries: self.entries,
        };
        (reference, self.bytes)
    }
}
