//! [`Spare`]: the memory of objects that are through, which stays for those to come.
//!
//! Memory that is new costs a worker more than the entries that it puts there; memory that checkpoints do not need is given back, half of it with each:
//! the next one may need a little more than the one before.

use super::OBJECTS_AHEAD;
use crate::checkpoint::object::OBJECT_BYTES;
use crate::pages;

/// Objects whose memory stays for later ones, when they are through: 2 GiB of them.
const SPARES: usize = 4 * OBJECTS_AHEAD;

/// Room for a full object: its last entry and its index come behind the size at which it is.
const OBJECT_ROOM: usize = OBJECT_BYTES + (1 << 20);

/// An object that becomes larger gets that room: an operator that has little state is not to have so much.
pub(super) const SMALL_OBJECT: usize = 1 << 20;

/// Memory of objects that are through, for those to come: as much as checkpoints need at once.
#[derive(Default)]
pub(super) struct Spare {
    memory: Vec<Vec<u8>>,
    /// What it is for.
    epoch: u64,
    /// So many were not needed since that began.
    idle: usize,
}

impl Spare {
    /// A checkpoint begins: gives half of what the one before did not need.
    pub fn begin(&mut self, epoch: u64) -> Vec<Vec<u8>> {
        if self.epoch >= epoch {
            return Vec::new();
        }
        let idle = self.memory.split_off(self.memory.len().saturating_sub(self.idle.div_ceil(2)));
        (self.epoch, self.idle) = (epoch, self.memory.len());
        idle
    }
    /// Memory for a full object that nobody has had.
    pub fn fresh() -> Vec<u8> {
        pages::with_room(OBJECT_ROOM)
    }
    /// Memory for a full object that was kept, if there is any.
    pub fn take(&mut self) -> Option<Vec<u8>> {
        let memory = self.memory.pop();
        self.idle = self.idle.min(self.memory.len());
        memory
    }
    /// Takes memory back that nobody needs now.
    pub fn put(&mut self, memory: Vec<u8>) {
        let is_room = (OBJECT_BYTES..=OBJECT_ROOM + SMALL_OBJECT).contains(&memory.capacity());
        if is_room && self.memory.len() < SPARES {
            self.memory.push(memory);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object() -> Vec<u8> {
        Vec::with_capacity(OBJECT_BYTES)
    }

    #[test]
    fn memory_stays_as_much_of_it_as_checkpoints_need() {
        let mut spare = Spare::default();
        assert!(spare.begin(1).is_empty());
        assert!(spare.take().is_none());
        (0..8).for_each(|_| spare.put(object()));
        spare.put(Vec::with_capacity(100));
        spare.put(Vec::with_capacity(2 * OBJECT_ROOM));
        assert_eq!(spare.memory.len(), 8, "and little and large ones do not");

        // The next one needs three at once, and two more when those are through.
        assert!(spare.begin(2).is_empty());
        let taken: Vec<_> = (0..3).filter_map(|_| spare.take()).collect();
        taken.into_iter().for_each(|memory| spare.put(memory));
        (0..2).filter_map(|_| spare.take()).collect::<Vec<_>>().into_iter().for_each(|memory| spare.put(memory));
        assert!(spare.begin(2).is_empty(), "another operator of the same one");
        assert_eq!((spare.begin(3).len(), spare.memory.len()), (3, 5));
        assert_eq!((spare.begin(4).len(), spare.memory.len()), (3, 2), "it needed none");
        assert_eq!((spare.begin(5).len(), spare.memory.len()), (1, 1));
        assert_eq!((spare.begin(6).len(), spare.memory.len()), (1, 0));

        (0..2 * SPARES).for_each(|_| spare.put(object()));
        assert_eq!(spare.memory.len(), SPARES);
    }
}
