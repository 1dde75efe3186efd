//! [`Backend`]: where keyed state lives, chosen at compile time; and [`Below`]: what may lie under the table in memory.
//!
//! ```text
//! KeyedState   the calls that operators make
//!   Table    values in use, on the heap: the same for all backends
//!   Below    nothing (Memory) | segments on disk (FileSystem)
//! ```

use super::filesystem::Segments;
use super::table::Table;
use crate::codec::CodecError;
use crate::error::Fault;
use crate::key::Key;
use crate::record::Record;
use std::ops::RangeInclusive;
use std::path::Path;

/// A state backend, named in `job Name<...>` and fixed at compile time.
pub trait Backend: 'static {
    /// Its name in the block.
    const NAME: &'static str;
    /// A value as the table holds it.
    type Held<V: Record>: Held<V>;
    /// What lies below the tables of one operator.
    type Below: Below;
    /// The below of an operator that has not kept anything yet; `epoch` is the one that begins.
    ///
    /// # Errors
    /// If its folder cannot be made.
    fn below(place: &Place<'_>, epoch: u64) -> Result<Self::Below, Fault>;
    /// Makes a table of plain values one of this backend's, if that is no work; else gives it back.
    #[allow(clippy::result_large_err, reason = "it is the same table, and moves once per window")]
    fn adopt<K: Key, V: Record>(table: Table<K, V>) -> Result<Table<K, Self::Held<V>>, Table<K, V>> {
        Err(table)
    }
}

/// Where an operator on one worker may put files.
pub struct Place<'a> {
    /// A folder that nobody else uses, and no attempt before this one.
    pub folder: &'a Path,
    /// The hashes that the worker owns.
    pub hashes: RangeInclusive<u64>,
    /// Gives the thread that merges segments, one for all of the attempt.
    pub merger: &'a dyn Fn() -> Result<super::segment::Merger, Fault>,
}

/// A value as a table holds it: itself, or the mark that there is none, whatever lies below.
pub trait Held<V>: 'static {
    /// A value.
    fn of(value: V) -> Self;
    /// Nothing, if it can be said; else `None`.
    fn nothing() -> Option<Self>
    where
        Self: Sized;
    /// The value.
    fn peek(&self) -> Option<&V>;
    /// The value, to be changed.
    fn peek_mut(&mut self) -> Option<&mut V>;
    /// The value; made if there is none.
    fn or_make(&mut self, make: impl FnOnce() -> V) -> &mut V;
    /// The value itself.
    fn into_value(self) -> Option<V>;
}

impl<V: 'static> Held<V> for V {
    #[inline(always)]
    fn of(value: V) -> V {
        value
    }
    #[inline(always)]
    fn nothing() -> Option<V> {
        None
    }
    #[inline(always)]
    fn peek(&self) -> Option<&V> {
        Some(self)
    }
    #[inline(always)]
    fn peek_mut(&mut self) -> Option<&mut V> {
        Some(self)
    }
    #[inline(always)]
    fn or_make(&mut self, _: impl FnOnce() -> V) -> &mut V {
        self
    }
    #[inline(always)]
    fn into_value(self) -> Option<V> {
        Some(self)
    }
}

/// A value, or the mark that the key has none any more.
#[derive(Clone, Debug)]
pub struct Maybe<V>(Option<V>);

impl<V: 'static> Held<V> for Maybe<V> {
    #[inline(always)]
    fn of(value: V) -> Self {
        Maybe(Some(value))
    }
    #[inline(always)]
    fn nothing() -> Option<Self> {
        Some(Maybe(None))
    }
    #[inline(always)]
    fn peek(&self) -> Option<&V> {
        self.0.as_ref()
    }
    #[inline(always)]
    fn peek_mut(&mut self) -> Option<&mut V> {
        self.0.as_mut()
    }
    #[inline(always)]
    fn or_make(&mut self, make: impl FnOnce() -> V) -> &mut V {
        self.0.get_or_insert_with(make)
    }
    #[inline(always)]
    fn into_value(self) -> Option<V> {
        self.0
    }
}

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
    /// The segments, if that is what lies below.
    fn segments(&self) -> Option<&Segments> {
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
    type Held<V: Record> = V;
    type Below = ();
    fn below(_: &Place<'_>, _: u64) -> Result<(), Fault> {
        Ok(())
    }
    #[inline(always)]
    fn adopt<K: Key, V: Record>(table: Table<K, V>) -> Result<Table<K, V>, Table<K, V>> {
        Ok(table)
    }
}
