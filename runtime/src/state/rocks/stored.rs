//! [`Stored`]: a database of a checkpoint, to be read; and what several of them say together.

use super::super::entry::Entry;
use super::catalog::Files;
use super::database::{Budget, Database, value_of};
use crate::error::Fault;
use std::ops::{ControlFlow, RangeInclusive};
use std::sync::{Arc, OnceLock};

/// A database of a checkpoint, in a folder, and the hashes that count in it. Clones are the same thing.
#[derive(Clone)]
pub struct Stored {
    files: Arc<Files>,
    hashes: RangeInclusive<u64>,
    opened: Arc<OnceLock<Database>>,
}

impl Stored {
    /// A database that lies in a folder. It is opened when it is read first.
    ///
    /// # Errors
    /// None.
    pub fn new(files: Arc<Files>, hashes: RangeInclusive<u64>) -> Result<Stored, Fault> {
        Ok(Stored { files, hashes, opened: Arc::default() })
    }

    pub(super) fn files(&self) -> &Arc<Files> {
        &self.files
    }

    pub(super) fn hashes(&self) -> &RangeInclusive<u64> {
        &self.hashes
    }

    /// The database.
    pub(super) fn database(&self, budget: Option<&Budget>) -> Result<&Database, Fault> {
        match self.opened.get() {
            Some(database) => Ok(database),
            None => {
                let database = Database::read_only(&self.files.folder, budget)?;
                Ok(self.opened.get_or_init(|| database))
            }
        }
    }
}

/// Whether databases can be read here.
///
/// # Errors
/// None.
pub fn can_be_read() -> Result<(), Fault> {
    Ok(())
}

/// Gives the entries of a range of hashes, of each key the newest word, and no deletions.
///
/// # Errors
/// If something cannot be read, or what `each` says.
pub fn each_entry(
    oldest_first: &[&Stored],
    hashes: RangeInclusive<u64>,
    each: &mut dyn FnMut(Entry<'_>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    for (at, stored) in oldest_first.iter().enumerate() {
        let newer = oldest_first.get(at + 1..).unwrap_or_default();
        let hashes = super::super::files::common(&stored.hashes, &hashes);
        stored.database(None)?.walk(&[], &hashes, |bytes, key, value| {
            let Some(value) = value_of(value) else { return Ok(ControlFlow::Continue(())) };
            for other in newer.iter().filter(|other| other.hashes.contains(&key.hash)) {
                if other.database(None)?.get(bytes)?.is_some() {
                    return Ok(ControlFlow::Continue(()));
                }
            }
            let (state, namespace) = (key.which.state, key.which.namespace);
            each(Entry { hash: key.hash, state, namespace, key: key.key, value: Some(value) })?;
            Ok(ControlFlow::Continue(()))
        })?;
    }
    Ok(())
}
