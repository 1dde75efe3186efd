//! [`ObjectBytes`]: an object in memory, from the start of a page, so that a store can have it written from where it lies.

use crate::pages::{PAGE, past};
use std::ops::Deref;

/// The bytes of an object. They begin where a page does if they have not outgrown the memory that they were given.
#[derive(Debug, Default)]
pub struct ObjectBytes {
    memory: Vec<u8>,
    /// So many bytes of it are none of the object.
    skipped: usize,
}

impl ObjectBytes {
    /// Moves to other memory, of which nothing is kept.
    pub(super) fn move_to(&mut self, mut memory: Vec<u8>) {
        let skipped = memory.as_ptr().align_offset(PAGE);
        memory.clear();
        let fits = skipped.saturating_add(self.len()) <= memory.capacity();
        let skipped = if fits { skipped } else { 0 };
        memory.resize(skipped, 0);
        memory.extend_from_slice(self);
        *self = ObjectBytes { memory, skipped };
    }

    /// Appends the first of these bytes, as many as go well [past the processor's cache](past), and gives how many.
    pub(super) fn append_past(&mut self, bytes: &[u8]) -> usize {
        past::append(&mut self.memory, bytes)
    }

    pub(super) fn append(&mut self, bytes: &[u8]) {
        self.memory.extend_from_slice(bytes);
    }

    /// The memory; the object is not needed any more.
    pub fn into_memory(self) -> Vec<u8> {
        self.memory
    }
}

impl Deref for ObjectBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.memory[self.skipped..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_begin_at_a_page_where_there_is_room() {
        let mut bytes = ObjectBytes::default();
        bytes.append(b"first");
        for (room, is_at_page) in [(3, false), (PAGE + 5, true), (0, false), (5 * PAGE, true)] {
            let mut memory = Vec::with_capacity(room);
            memory.resize(room.min(9), 7);
            bytes.move_to(memory);
            assert_eq!(&*bytes, b"first");
            assert!(!is_at_page || bytes.as_ptr().align_offset(PAGE) == 0, "room for {room}");
        }
        bytes.append(b", second");
        assert_eq!(bytes.as_ptr().align_offset(PAGE), 0);
        let more = [8; 6 * PAGE];
        let taken = bytes.append_past(&more);
        bytes.append(&more[taken..]);
        assert!(bytes.starts_with(b"first, second") && bytes[13..] == more, "they move when there are too many");
    }
}
