//! Keyed state. [`keyed`] is what operators call; [`table`] is the heap table in hash order that every backend shares; what
//! lies below it differs ([`backend`]): nothing, or [`segment`]s on disk ([`filesystem`]). [`save`] is how state gets into a
//! snapshot and out of one.

pub mod backend;
pub mod filesystem;
pub mod keyed;
pub mod save;
pub mod segment;
pub mod sweep;
pub mod table;
pub mod ttl;

pub use backend::{Backend, Memory};
pub use filesystem::FileSystem;
