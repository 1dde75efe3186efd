//! [`RocksDb`]: state in a database of RocksDB, under a table of what is in use or has changed. Built with the feature `rocksdb`.
//!
//! ```text
//! Databases   what operators see: a backend's Below and OnDisk                    below.rs
//!   Shared    the databases of one operator on one worker, and who writes them     shared.rs
//!     own     tables of changes are put in whole; nothing is written per record
//!     former  of a checkpoint of another width: read only, each for some hashes; brought over little by little
//!   Key       state, namespace, hash, key: in the order of bytes                   key.rs
//! Catalog     what a checkpoint has of a database besides its tables               catalog.rs
//! ```
//!
//! Without the feature only catalogs are known, so that it can be said what is missing.

pub mod catalog;

#[cfg(feature = "rocksdb")]
mod below;
#[cfg(feature = "rocksdb")]
mod database;
#[cfg(feature = "rocksdb")]
mod key;
#[cfg(feature = "rocksdb")]
mod noted;
#[cfg(feature = "rocksdb")]
mod shared;
#[cfg(feature = "rocksdb")]
mod stored;
#[cfg(feature = "rocksdb")]
pub use {below::RocksDb, stored::*};

#[cfg(not(feature = "rocksdb"))]
mod absent;
#[cfg(not(feature = "rocksdb"))]
pub use absent::*;

pub use catalog::Files;
