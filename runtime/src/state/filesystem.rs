//! [`FileSystem`]: state in segments on disk, mapped and read in place, under a table of what is in use or has changed.
//!
//! What changed in an epoch becomes one more segment when a snapshot is taken; a thread writes it, and the worker lists it
//! between two frames. From then on these entries may be dropped from memory.

use super::backend::{Backend, Below, Place, Which};
use super::entry;
use super::files::{Change, Listing, OnDisk, StateFile, Stored, Write};
use super::segment::{Batch, Entry, Folder, Levels, Merger, OsDisk, Part, Segment};
use crate::codec::CodecError;
use crate::error::Fault;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

/// State on disk, with what is in use in memory. More of it than memory can be kept.
#[derive(Clone, Copy, Debug, Default)]
pub struct FileSystem;

impl Backend for FileSystem {
    const NAME: &'static str = "FileSystem";
    type Below = Segments;
    fn below(place: &Place<'_>, epoch: u64) -> Result<Segments, Fault> {
        let (folder, merger) = (Folder::open(Arc::new(OsDisk), place.folder, "s")?, (place.merger)()?);
        let levels = Levels::open(folder.clone(), place.hashes.clone(), [], &merger)?;
        Ok(Segments(Rc::new(Inner {
            levels: RefCell::new(levels),
            folder,
            hashes: place.hashes.clone(),
            merger,
            fault: RefCell::new(None),
            written: Cell::new((epoch as u32).wrapping_sub(1)),
            under_way: RefCell::default(),
            room: RefCell::new(Vec::new()),
            ahead: RefCell::default(),
            spare: Spare::default(),
        })))
    }
}

/// Entries looked at in one step of a tour.
const STEP: usize = 512;

/// Lookups between the two halves of looking ahead in the segments.
const HALF: usize = 16;
/// A key that was not in memory makes so many of the next ones be looked up ahead in the segments too.
const AFTER_MISS: u32 = 64;
/// As far as that adds up.
const MOST_AFTER_MISS: u32 = 1024;

/// Keys that will be asked for. Asking the segments for memory is worth it only while keys are often not in the table.
#[derive(Clone, Copy, Default)]
struct Ahead {
    next: [u64; HALF],
    at: usize,
    /// How long it goes on unless there is another miss.
    left: u32,
}

/// The segments of one operator on one worker. Clones are the same thing.
#[derive(Clone)]
pub struct Segments(Rc<Inner>);

struct Inner {
    levels: RefCell<Levels>,
    folder: Folder,
    hashes: RangeInclusive<u64>,
    merger: Merger,
    fault: RefCell<Option<Fault>>,
    written: Cell<u32>,
    /// Changes that are being written, each with its epoch.
    under_way: RefCell<VecDeque<(u64, Written)>>,
    /// A key with the number of its state in front.
    room: RefCell<Vec<u8>>,
    ahead: RefCell<Ahead>,
    spare: Spare,
}

/// Memory of batches that have been written, for later ones: memory that is new costs a worker more than the entries that it notes.
type Spare = Arc<Mutex<Vec<Batch>>>;
/// How many of them stay.
const SPARE: usize = 4;

/// A key as segments have it: the number of the state in front.
fn keyed(room: &mut Vec<u8>, state: u16, key: &[u8]) {
    room.clear();
    room.extend_from_slice(&state.to_le_bytes());
    room.extend_from_slice(key);
}

/// The inverse of [`keyed`].
pub fn split_key(key: &[u8]) -> Option<(u16, &[u8])> {
    key.split_first_chunk::<2>().map(|(state, key)| (u16::from_le_bytes(*state), key))
}

/// Segments that have been written of a change, oldest first.
type Written = Arc<Mutex<Vec<Arc<Segment>>>>;

/// What changed, on its way to segments.
struct Noted {
    batch: Batch,
    room: Vec<u8>,
    folder: Folder,
    /// What is listed already, oldest first.
    parts: Vec<Part>,
    /// The hashes that count in new ones.
    hashes: RangeInclusive<u64>,
    written: Written,
    spare: Spare,
}

fn take(spare: &Spare) -> Batch {
    spare.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
}

impl Noted {
    fn written(&self) -> Vec<Arc<Segment>> {
        std::mem::take(&mut self.written.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Change for Noted {
    fn note(&mut self, entry: &entry::Entry<'_>) -> Result<(), Fault> {
        keyed(&mut self.room, entry.state, entry.key);
        let entry::Entry { hash, namespace, value, .. } = *entry;
        self.batch.put(&Entry { hash, namespace, key: &self.room, value })
    }

    fn bytes(&self) -> usize {
        self.batch.bytes()
    }

    fn cut(&mut self) -> Write {
        let next = take(&self.spare);
        let (mut batch, spare) = (std::mem::replace(&mut self.batch, next), self.spare.clone());
        let (folder, written) = (self.folder.clone(), self.written.clone());
        Box::new(move || {
            let new = folder.write(batch.sorted())?;
            batch.clear();
            let mut spare = spare.lock().unwrap_or_else(PoisonError::into_inner);
            if spare.len() < SPARE {
                spare.push(batch);
            }
            drop(spare);
            if let Some(new) = new {
                let segment = Arc::new(Segment::open(&new.path)?);
                written.lock().unwrap_or_else(PoisonError::into_inner).push(segment);
            }
            Ok(())
        })
    }

    fn listing(&mut self) -> Result<Listing, Fault> {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let new = written.iter().map(|segment| Part::new(segment.clone(), self.hashes.clone()));
        let file = |part: Part| StateFile {
            path: part.segment().path().to_owned(),
            bytes: part.segment().path().to_owned(),
            hashes: part.hashes(),
            entries: part.segment().entries(),
        };
        Ok(Listing { files: self.parts.iter().cloned().chain(new).map(file).collect(), scratch: None })
    }

    fn give_up(&mut self) {
        for segment in self.written() {
            // Nobody will list it. What cannot be removed now goes with the attempt's folder.
            let _ = std::fs::remove_file(segment.path());
        }
    }
}

impl OnDisk for Segments {
    fn folder(&self) -> &Path {
        self.0.folder.path()
    }

    fn change(&self, epoch: u64) -> Box<dyn Change> {
        let Inner { levels, folder, hashes, under_way, spare, .. } = &*self.0;
        let written = Written::default();
        under_way.borrow_mut().push_back((epoch, written.clone()));
        Box::new(Noted {
            batch: take(spare),
            room: Vec::new(),
            folder: folder.clone(),
            parts: levels.borrow().parts().to_vec(),
            hashes: hashes.clone(),
            written,
            spare: spare.clone(),
        })
    }

    fn take_in(&self, epoch: u64) {
        self.0.written.set(epoch as u32);
        let mut under_way = self.0.under_way.borrow_mut();
        // Those before it, if any, could not be written.
        while let Some((at, written)) = under_way.pop_front_if(|(at, _)| *at <= epoch) {
            let written = written.lock().unwrap_or_else(PoisonError::into_inner);
            for segment in written.iter().filter(|_| at == epoch) {
                self.keep(self.0.levels.borrow_mut().push(segment.clone()));
            }
        }
    }

    fn settle(&self, idle: bool) {
        let mut levels = self.0.levels.borrow_mut();
        let merged = levels.settle();
        let again = matches!(merged, Ok(true));
        self.keep(merged);
        if idle && again {
            self.keep(levels.sweep(|_| false));
        }
    }

    fn restore(&self, oldest_first: &[Stored]) -> Result<bool, Fault> {
        let part = |stored: &Stored| match stored {
            Stored::Segment(part) => Some(part.clone()),
            Stored::Database(_) => None,
        };
        let Some(parts) = oldest_first.iter().map(part).collect::<Option<Vec<Part>>>() else { return Ok(false) };
        let Inner { levels, folder, hashes, merger, .. } = &*self.0;
        let restored = Levels::open(folder.clone(), hashes.clone(), parts, merger)?;
        restored.scrub();
        *levels.borrow_mut() = restored;
        Ok(true)
    }
}

impl Segments {
    fn keep<T>(&self, done: Result<T, Fault>) {
        if let Err(fault) = done {
            self.0.fault.borrow_mut().get_or_insert(fault);
        }
    }
}

#[cold]
pub(super) fn unreadable(error: CodecError, path: &Path) -> Fault {
    Fault::new("state on disk cannot be read as what the job keeps")
        .in_file(path)
        .because(error)
        .help("it was written with other types; restore it with the program that wrote it, or begin with --fresh")
}

impl Below for Segments {
    const THERE: bool = true;

    fn written(&self) -> u32 {
        self.0.written.get()
    }

    fn is_empty(&self) -> bool {
        self.0.levels.borrow().is_empty()
    }

    fn read<V>(
        &self,
        which: Which,
        hash: u64,
        key: &[u8],
        decode: impl FnOnce(&[u8]) -> Result<V, CodecError>,
    ) -> Option<V> {
        let (levels, mut room) = (self.0.levels.borrow(), self.0.room.borrow_mut());
        keyed(&mut room, which.state, key);
        let left = &mut self.0.ahead.borrow_mut().left;
        *left = (*left + AFTER_MISS).min(MOST_AFTER_MISS);
        let found = levels.newest(hash, which.namespace, &room).and_then(|found| match found {
            Some((value, segment)) => decode(value).map(Some).map_err(|e| unreadable(e, segment.path())),
            None => Ok(None),
        });
        found.unwrap_or_else(|fault| {
            self.0.fault.borrow_mut().get_or_insert(fault);
            None
        })
    }

    #[inline]
    fn prefetch(&self, which: Which, hash: u64) {
        let Ahead { next, at, left } = &mut *self.0.ahead.borrow_mut();
        if *left == 0 {
            return;
        }
        let levels = self.0.levels.borrow();
        levels.prefetch(hash);
        *at = (*at + 1) % HALF;
        if let Some(slot) = next.get_mut(*at) {
            levels.prefetch_entry(std::mem::replace(slot, hash), which.namespace);
        }
        *left -= 1;
    }

    fn some_of(
        &self,
        which: Which,
        from: u64,
        mut each: impl FnMut(u64, &[u8], &[u8]) -> Result<(), CodecError>,
    ) -> Option<u64> {
        let levels = self.0.levels.borrow();
        let mut look = || -> Result<Option<u64>, Fault> {
            let mut last = None;
            for (seen, entry) in levels.range(from..=u64::MAX)?.enumerate() {
                let entry = entry?;
                // Only between two hashes: all entries of one come in one step.
                if seen >= STEP && last != Some(entry.hash) {
                    return Ok(Some(entry.hash));
                }
                last = Some(entry.hash);
                if let (Some(value), Some((state, key))) = (entry.value, split_key(entry.key))
                    && (state, entry.namespace) == (which.state, which.namespace)
                {
                    each(entry.hash, key, value).map_err(|e| unreadable(e, self.0.folder.path()))?;
                }
            }
            Ok(None)
        };
        let next = look();
        match next {
            Ok(next) => next,
            Err(fault) => {
                self.0.fault.borrow_mut().get_or_insert(fault);
                None
            }
        }
    }

    fn forget_below(&self, namespace: i64) {
        self.0.levels.borrow_mut().forget_below(namespace);
    }

    fn on_disk(&self) -> Option<Rc<dyn OnDisk>> {
        Some(Rc::new(self.clone()))
    }

    fn take_fault(&self) -> Option<Fault> {
        self.0.fault.borrow_mut().take()
    }
}
