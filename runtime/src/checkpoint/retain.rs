//! Which checkpoints are kept, and the sweep that deletes the rest.
//!
//! Each checkpoint says the *floor*: the oldest entry that is kept after it. What is deleted is what lies below the floor
//! of the checkpoint *before* the newest one. So a reader who cannot read the newest checkpoint still finds all that
//! the one before it promises, whatever is being deleted just now, by whomever.
//!
//! Entries of attempts stay for ever (see [`log`](super::log)). An object goes if no checkpoint names it that stays, and if its name says that it was
//! written for an older checkpoint than the newest: what is newer may be named soon. Names that are none of ours are left alone.

use super::entry::{Entry, LOG, name_of, number_of};
use super::history::History;
use super::manifest::{DATA, DataName};
use super::store::{Listed, Store};
use crate::background::give_way;
use crate::error::Fault;
use std::collections::HashSet;

/// What a sweep has deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Entries of the log.
    pub entries: u64,
    /// Data objects.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Objects that no checkpoint needs, and the entries that have been deleted in front of them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Garbage {
    entries: u64,
    objects: Vec<Listed>,
}

impl Garbage {
    /// Whether there is nothing to delete.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// Deletes the objects. Takes as long as there are many; any thread may do it, and nobody has to.
    ///
    /// # Errors
    /// If one cannot be deleted. A later sweep finds what is left.
    pub fn delete(self, store: &dyn Store) -> Result<Swept, Fault> {
        let mut swept = Swept { entries: self.entries, ..Swept::default() };
        for listed in self.objects {
            store.delete(&listed.name)?;
            swept.objects += 1;
            swept.bytes += listed.bytes;
            give_way();
        }
        Ok(swept)
    }
}

/// The floor of a checkpoint with this number, if `keep` checkpoints are to be kept, itself among them. `chain` has
/// those before it, newest first.
pub fn floor(chain: &[u64], number: u64, keep: usize) -> u64 {
    match keep.max(1) - 1 {
        0 => number,
        older => chain.get(older - 1).or(chain.last()).copied().unwrap_or(number),
    }
}

/// Below which number entries may be deleted.
pub fn cut(history: &History) -> u64 {
    let chain = history.chain();
    let before = chain.get(1).and_then(|number| history.checkpoint(*number).ok());
    before.map_or(0, |manifest| manifest.floor)
}

/// Deletes entries below `cut`, and finds the objects that no checkpoint from there on names.
pub(super) fn sweep(store: &dyn Store, history: &History, attempt: u64, cut: u64) -> Result<Garbage, Fault> {
    let mut garbage = Garbage::default();
    // Entries first: an entry that is there names objects that are there.
    for listed in store.list(LOG)? {
        let Some(number) = number_of(&listed.name).filter(|number| *number < cut) else { continue };
        // What cannot be read may be an attempt.
        if history.may_be_deleted(number) {
            store.delete(&name_of(number))?;
            garbage.entries += 1;
        }
    }
    let kept: Vec<_> = history.checkpoints().filter(|(number, _)| *number >= cut).collect();
    let named: HashSet<&str> =
        kept.iter().flat_map(|(_, manifest)| manifest.objects()).map(|object| &*object.name).collect();
    let own = kept.iter().map(|(_, manifest)| manifest).filter(|manifest| manifest.attempt == attempt);
    let newest = own.map(|manifest| manifest.epoch).max().unwrap_or(0);
    for listed in store.list(DATA)? {
        let Some(name) = DataName::parse(&listed.name) else { continue };
        if (name.attempt, name.epoch) < (attempt, newest) && !named.contains(&*listed.name) {
            garbage.objects.push(listed);
        }
    }
    Ok(garbage)
}

impl History {
    /// Whether an entry below the cut may go.
    fn may_be_deleted(&self, number: u64) -> bool {
        self.entries().any(|(n, slot)| n == number && matches!(slot, Ok(entry) if !matches!(entry, Entry::Attempt(_))))
    }

    /// Forgets the entries that a sweep has deleted.
    pub(super) fn forget_below(&mut self, cut: u64) {
        self.keep_slots(|number, slot| {
            number >= cut || !matches!(slot, Ok(entry) if !matches!(entry, Entry::Attempt(_)))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_is_the_oldest_that_is_kept() {
        let chain = [9, 6, 3];
        for (keep, expected) in [(0, 12), (1, 12), (2, 9), (3, 6), (4, 3), (5, 3)] {
            assert_eq!(floor(&chain, 12, keep), expected, "keep {keep}");
        }
        assert_eq!(floor(&[], 12, 3), 12);
    }
}
