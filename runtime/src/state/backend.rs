//! [`Backend`]: where keyed state lives, chosen at compile time; and [`Below`]: what may lie under the table in memory.
//!
//! ```text
//! KeyedState   the calls that operators make
//!   Table    values in use, on the heap: the same for all backends
//!   Below    nothing (Memory) | segments on disk (FileSystem) | a database (RocksDb)
//! ```

use super::files::OnDisk;
use crate::codec::CodecError;
use crate::error::Fault;
use std::any::Any;
use std::ops::RangeInclusive;
use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

/// A state backend, named in `job Name<...>` and fixed at compile time.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no state backend here",
    label = "not a state backend",
    note = "`Memory` and `FileSystem` always are; `RocksDb` is one with pelton's feature `rocksdb`: \
            `cargo add pelton --features rocksdb`"
)]
pub trait Backend: 'static {
    /// Its name in the block.
    const NAME: &'static str;
    /// What lies below the tables of one operator.
    type Below: Below;
    /// The below of an operator that has not kept anything yet; `epoch` is the one that begins.
    ///
    /// # Errors
    /// If its folder cannot be made.
    fn below(place: &Place<'_>, epoch: u64) -> Result<Self::Below, Fault>;
}

/// Where an operator on one worker may put files.
pub struct Place<'a> {
    /// A folder that nobody else uses, and no attempt before this one.
    pub folder: &'a Path,
    /// The hashes that the worker owns.
    pub hashes: RangeInclusive<u64>,
    /// Gives the thread that merges segments, one for all of the attempt.
    pub merger: &'a dyn Fn() -> Result<super::segment::Merger, Fault>,
    /// About how many bytes of memory all operators of the attempt have together.
    pub memory: u64,
    /// What all of them share, as the backend makes it.
    pub shared: &'a Shared,
}

/// Something of the backend's that there is once in an attempt.
pub type Shared = OnceLock<Arc<dyn Any + Send + Sync>>;

/// Which of an operator's tables: the number of its state, and the namespace in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Which {
    /// The number of the state.
    pub state: u16,
    /// The start of a window, say, in ms; 0 where there is one table only.
    pub namespace: i64,
}

impl Which {
    /// An operator's first state, where that has one table.
    pub const FIRST: Which = Which { state: 0, namespace: 0 };
}

/// What lies below the tables of one operator on one worker. Clones are the same thing. What goes wrong is kept until it is
/// asked for ([`take_fault`](Below::take_fault)); whoever reads meanwhile is told that there is nothing, and nothing of
/// that epoch is ever published.
pub trait Below: Clone + 'static {
    /// Whether there can be anything.
    const THERE: bool;
    /// The epoch up to which all changes are below, by its low bits.
    fn written(&self) -> u32;
    /// Whether nothing has ever been written, so that no key is known.
    fn is_empty(&self) -> bool;
    /// The value of a key.
    fn read<V>(
        &self,
        which: Which,
        hash: u64,
        key: &[u8],
        decode: impl FnOnce(&[u8]) -> Result<V, CodecError>,
    ) -> Option<V>;
    /// Asks for the memory of a key that will be read soon.
    fn prefetch(&self, which: Which, hash: u64);
    /// Looks at some entries of a table, in the order of hashes, from this hash on, as `(hash, key, value)`. Gives the hash to go on
    /// from; `None` if there are no more.
    fn some_of(
        &self,
        which: Which,
        from: u64,
        each: impl FnMut(u64, &[u8], &[u8]) -> Result<(), CodecError>,
    ) -> Option<u64>;
    /// No namespace below this one is asked for again.
    fn forget_below(&self, namespace: i64);
    /// What snapshots write to and restores go on from, if it is in files.
    fn on_disk(&self) -> Option<Rc<dyn OnDisk>> {
        None
    }
    /// What went wrong, if anything did since it was last asked.
    fn take_fault(&self) -> Option<Fault>;
}

/// Nothing lies below.
impl Below for () {
    const THERE: bool = false;
    fn written(&self) -> u32 {
        // Before the first epoch.
        u32::MAX
    }
    fn is_empty(&self) -> bool {
        true
    }
    fn read<V>(&self, _: Which, _: u64, _: &[u8], _: impl FnOnce(&[u8]) -> Result<V, CodecError>) -> Option<V> {
        None
    }
    #[inline(always)]
    fn prefetch(&self, _: Which, _: u64) {}
    fn some_of(&self, _: Which, _: u64, _: impl FnMut(u64, &[u8], &[u8]) -> Result<(), CodecError>) -> Option<u64> {
        None
    }
    fn forget_below(&self, _: i64) {}
    fn take_fault(&self) -> Option<Fault> {
        None
    }
}

/// State on the heap of the worker that owns its keys.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory;

impl Backend for Memory {
    const NAME: &'static str = "Memory";
    type Below = ();
    fn below(_: &Place<'_>, _: u64) -> Result<(), Fault> {
        Ok(())
    }
}
