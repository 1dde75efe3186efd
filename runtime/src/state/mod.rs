//! Keyed state. [`table`] is the heap table in hash order that every backend shares; what lies below it differs. [`save`] is how
//! it gets into a snapshot and out of one.

pub mod save;
pub mod sweep;
pub mod table;
pub mod ttl;

/// A state backend, named in `job Name<...>` and fixed at compile time.
pub trait Backend: 'static {
    /// Its name in the block.
    const NAME: &'static str;
}

/// State on the heap of the worker that owns its keys.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory;

impl Backend for Memory {
    const NAME: &'static str = "Memory";
}
