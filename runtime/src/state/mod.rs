//! Keyed state. [`keyed`] is what operators call; [`table`] is the heap table in hash order that every backend shares; what
//! lies below it differs ([`backend`]): nothing, [`segment`]s on disk ([`filesystem`]), or a database ([`rocks`]); [`files`] is what
//! the two of these have in common. [`save`] is how state gets into a
//! snapshot and out of one, [`entry`] by [`entry`].

pub mod backend;
pub mod entry;
pub mod files;
pub mod filesystem;
pub mod keyed;
pub mod rocks;
pub mod room;
pub mod save;
pub mod segment;
pub mod sweep;
pub mod table;
pub mod ttl;

pub use backend::{Backend, Memory};
pub use filesystem::FileSystem;
pub use rocks::RocksDb;
