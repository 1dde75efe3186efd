//! What stands for the backend in a program that is built without it.

use super::catalog::Files;
use crate::error::Fault;
use crate::state::entry::Entry;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// State in RocksDB. This program is built without the feature `rocksdb`, so no job can name it.
#[derive(Clone, Copy, Debug, Default)]
pub struct RocksDb;

/// A database of a checkpoint: of which there is none that could be read.
pub enum Stored {}

impl Stored {
    /// A database that lies in a folder.
    ///
    /// # Errors
    /// Always: it cannot be read.
    pub fn new(_: Arc<Files>, _: RangeInclusive<u64>) -> Result<Stored, Fault> {
        Err(missing())
    }
}

/// Whether databases can be read here.
///
/// # Errors
/// Always.
pub fn can_be_read() -> Result<(), Fault> {
    Err(missing())
}

fn missing() -> Fault {
    Fault::new("the checkpoint was written by the backend `RocksDb`, which this program is built without")
        .help("build it with pelton's feature `rocksdb`: `cargo add pelton --features rocksdb`")
}

/// The entries of no database.
///
/// # Errors
/// None.
pub fn each_entry(
    _: &[&Stored],
    _: RangeInclusive<u64>,
    _: &mut dyn FnMut(Entry<'_>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    Ok(())
}
