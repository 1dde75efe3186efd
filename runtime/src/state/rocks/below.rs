//! [`RocksDb`], the backend: databases as what lies below an operator's tables.

use super::super::backend::{Backend, Below, Place, Which};
use super::super::entry::Entry;
use super::super::files::{Change, Listing, OnDisk, Stored, Write, common};
use super::super::filesystem::unreadable;
use super::database::{Budget, CACHE_PART, value_of};
use super::key::{Key, prefix};
use super::noted::Noted;
use super::shared::Shared;
use crate::codec::CodecError;
use crate::error::Fault;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

/// State in RocksDB, an embedded database, with what is in use in memory. More of it than memory can be kept, compressed. Needs the
/// feature `rocksdb`, which builds the database (C++) once: many minutes.
#[derive(Clone, Copy, Debug, Default)]
pub struct RocksDb;

impl Backend for RocksDb {
    const NAME: &'static str = "RocksDb";
    type Below = Databases;
    fn below(place: &Place<'_>, epoch: u64) -> Result<Databases, Fault> {
        let budget = place.shared.get_or_init(|| Arc::new(Budget::new(place.memory)));
        let budget = budget.downcast_ref::<Budget>().cloned().unwrap_or_else(|| Budget::new(place.memory));
        std::fs::create_dir_all(place.folder)
            .map_err(|e| Fault::new("cannot make a folder for state").in_file(place.folder).because(e))?;
        Ok(Databases(Rc::new(Inner {
            shared: Arc::new(Shared::new(place.folder, place.hashes.clone(), budget)),
            written: Cell::new((epoch as u32).wrapping_sub(1)),
            fault: RefCell::new(None),
            room: RefCell::new(Vec::new()),
            hashes: place.hashes.clone(),
        })))
    }
}

/// Entries looked at in one step of a tour.
const STEP: usize = 512;

/// The databases of one operator on one worker. Clones are the same thing.
#[derive(Clone)]
pub struct Databases(Rc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    written: Cell<u32>,
    fault: RefCell<Option<Fault>>,
    /// A key as databases have it.
    room: RefCell<Vec<u8>>,
    hashes: std::ops::RangeInclusive<u64>,
}

/// What changed, on its way to a database.
struct Changed {
    noted: Noted,
    shared: Arc<Shared>,
}

impl Change for Changed {
    fn note(&mut self, entry: &Entry<'_>) -> Result<(), Fault> {
        self.noted.note(entry)
    }

    fn bytes(&self) -> usize {
        self.noted.bytes()
    }

    fn cut(&mut self) -> Write {
        let (noted, shared) = (std::mem::take(&mut self.noted), self.shared.clone());
        Box::new(move || shared.write(noted))
    }

    fn listing(&mut self) -> Result<Listing, Fault> {
        self.shared.listing()
    }
    // What was written of a snapshot that was given up is written over by the next one, which has all of these keys.
}

impl OnDisk for Databases {
    fn folder(&self) -> &Path {
        self.0.shared.folder()
    }

    fn change(&self, _: u64) -> Box<dyn Change> {
        Box::new(Changed { noted: Noted::default(), shared: self.0.shared.clone() })
    }

    fn take_in(&self, epoch: u64) {
        self.0.written.set(epoch as u32);
    }

    fn restore(&self, oldest_first: &[Stored]) -> Result<bool, Fault> {
        let database = |stored: &Stored| match stored {
            Stored::Database(database) => Some(database.clone()),
            Stored::Segment(_) => None,
        };
        let Some(databases) = oldest_first.iter().map(database).collect() else { return Ok(false) };
        self.0.shared.restore(databases)?;
        Ok(true)
    }

    fn for_tables(&self, memory: u64) -> u64 {
        memory - memory / CACHE_PART
    }
}

impl Databases {
    fn keep<T>(&self, done: Result<T, Fault>) -> Option<T> {
        match done {
            Ok(done) => Some(done),
            Err(fault) => {
                self.0.fault.borrow_mut().get_or_insert(fault);
                None
            }
        }
    }

    /// See [`Below::some_of`].
    fn look(
        &self,
        which: Which,
        from: u64,
        mut each: impl FnMut(u64, &[u8], &[u8]) -> Result<(), CodecError>,
    ) -> Result<Option<u64>, Fault> {
        let wanted = common(&(from..=u64::MAX), &self.0.hashes);
        // What several databases say, by hash and key; of one alone nothing need be kept.
        let mut found: BTreeMap<(u64, Box<[u8]>), Option<Box<[u8]>>> = BTreeMap::new();
        let mut next: Option<u64> = None;
        self.0.shared.each(|database, hashes, alone| {
            let wanted = common(hashes, &wanted);
            let (mut seen, mut last) = (0, None);
            database.walk(&prefix(which, *wanted.start()), &wanted, |_, key, stored| {
                if key.which != which || next.is_some_and(|next| key.hash >= next) {
                    return Ok(ControlFlow::Break(()));
                }
                // Only between two hashes: all entries of one come in one step.
                if seen >= STEP && last != Some(key.hash) {
                    next = Some(key.hash);
                    return Ok(ControlFlow::Break(()));
                }
                (seen, last) = (seen + 1, Some(key.hash));
                let value = value_of(stored);
                if !alone {
                    found.insert((key.hash, key.key.into()), value.map(Into::into));
                } else if let Some(value) = value {
                    each(key.hash, key.key, value).map_err(|e| unreadable(e, database.folder()))?;
                }
                Ok(ControlFlow::Continue(()))
            })
        })?;
        for ((hash, key), value) in found {
            if let Some(value) = value.filter(|_| next.is_none_or(|next| hash < next)) {
                each(hash, &key, &value).map_err(|e| unreadable(e, self.0.shared.folder()))?;
            }
        }
        Ok(next)
    }
}

impl Below for Databases {
    const THERE: bool = true;

    fn written(&self) -> u32 {
        self.0.written.get()
    }

    fn is_empty(&self) -> bool {
        self.0.shared.is_empty()
    }

    fn read<V>(
        &self,
        which: Which,
        hash: u64,
        key: &[u8],
        decode: impl FnOnce(&[u8]) -> Result<V, CodecError>,
    ) -> Option<V> {
        let mut room = self.0.room.borrow_mut();
        room.clear();
        Key { which, hash, key }.write(&mut room);
        let read = self.0.shared.read(hash, &room, |value, folder| decode(value).map_err(|e| unreadable(e, folder)));
        self.keep(read.and_then(Option::transpose)).flatten()
    }

    /// Nothing: what a key's blocks are is only known by looking.
    #[inline(always)]
    fn prefetch(&self, _: Which, _: u64) {}

    fn some_of(
        &self,
        which: Which,
        from: u64,
        each: impl FnMut(u64, &[u8], &[u8]) -> Result<(), CodecError>,
    ) -> Option<u64> {
        self.keep(self.look(which, from, each)).flatten()
    }

    fn forget_below(&self, namespace: i64) {
        self.0.shared.forget_below(namespace);
    }

    fn on_disk(&self) -> Option<Rc<dyn OnDisk>> {
        Some(Rc::new(self.clone()))
    }

    fn take_fault(&self) -> Option<Fault> {
        self.0.fault.borrow_mut().take()
    }
}
