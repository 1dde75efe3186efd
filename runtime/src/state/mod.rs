//! Keyed state. [`table`] is the heap table in hash order that every backend shares; what lies below it differs:
//! [`segment`]s on disk, read through by [`layered`]. [`save`] is how state gets into a snapshot and out of one.

#[allow(dead_code, reason = "the engine's operators take their state from it once the backend `FileSystem` is there")]
pub mod layered;
pub mod save;
#[allow(dead_code, unused_imports, reason = "see `layered`")]
pub mod segment;
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
