//! [`Layered`]: the heap table over segments on disk, with the calls that operators make of the table.
//!
//! ```text
//! value(key) -> the table has it? -> else the segments have it? decode, put into the table -> else make it
//! ```
//!
//! A key is read from disk once and lives in the table until it is dropped there. What changed is noted with the value,
//! so that a delta holds only that. A key that was removed stays in the table as such until it has been written: the
//! segments still know it. Several tables (the panes of a window) share one list of segments, told apart by a namespace.
//!
//! It knows nothing of frames, checkpoints and who calls. It writes on the calling thread, all of what changed at once; what
//! the table must give so that this becomes piecemeal stands at [`Layered::changes`] and [`Layered::relieve`].

use super::segment::{Batch, Entry, Levels};
use super::table::{Table, Walk};
use crate::codec::{CodecError, Reader};
use crate::error::Fault;
use crate::hash::KeyRange;
use crate::key::{Kept, Key, KeyColumn};
use crate::record::Record;
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

/// Memory for changes until they are written as a delta of their own.
const BATCH_BYTES: usize = 64 << 20;

/// Lookups between the two halves of looking ahead in the segments.
const HALF: usize = 8;
/// A key that was not in memory makes so many of the next ones be looked up ahead in the segments too.
const AFTER_MISS: u32 = 64;
/// As far as that adds up.
const MOST_AFTER_MISS: u32 = 1024;

/// What the table holds of a key, and whether the segments say something else.
enum Held<V> {
    Value(V, Changed),
    /// None: there never was one, or it was removed.
    Nothing(Changed),
}

/// Whether something is to be written.
type Changed = bool;

/// Values by key: those in use in memory, the others on disk.
pub struct Layered<K: Key, V> {
    table: Table<K, Held<V>>,
    below: Below,
    batch: Batch,
    ahead: Ahead,
}

/// Keys that will be asked for. Asking the segments for memory is worth it only while keys are often not in the table.
#[derive(Default)]
struct Ahead {
    next: [u64; HALF],
    at: usize,
    /// How long it goes on unless there is another miss.
    left: u32,
}

impl<K: Key, V: Record> Layered<K, V> {
    /// The values of one namespace (0, or a window's start) for the keys of a range, over segments that may be shared.
    /// Reads nothing.
    pub fn new(range: KeyRange, namespace: i64, levels: Rc<RefCell<Levels>>) -> Self {
        let below = Below { levels, namespace, bytes: Vec::new() };
        Layered { table: Table::new(range), below, batch: Batch::new(), ahead: Ahead::default() }
    }

    /// How many keys are in memory.
    pub fn held(&self) -> usize {
        self.table.len()
    }

    /// Asks for the memory of a key some rows ahead of its use, in the order of use: at best 16 rows.
    #[inline(always)]
    pub fn prefetch(&mut self, hash: u64) {
        self.table.prefetch(hash);
        if self.ahead.left > 0 {
            self.prefetch_segments(hash);
        }
    }

    #[inline(never)]
    fn prefetch_segments(&mut self, hash: u64) {
        let Ahead { next, at, left } = &mut self.ahead;
        let levels = self.below.levels.borrow();
        levels.prefetch(hash);
        *at = (*at + 1) % HALF;
        if let Some(slot) = next.get_mut(*at) {
            levels.prefetch_entry(std::mem::replace(slot, hash), self.below.namespace);
        }
        *left -= 1;
    }

    /// The value of a key; `make` gives that of a new one. Counts as changed.
    ///
    /// Cost: that of the table while the key is in memory, else a lookup in the segments besides.
    ///
    /// # Errors
    /// If a segment is damaged or holds another type. The attempt has failed then: the key's value is not known.
    #[inline(always)]
    pub fn value(&mut self, hash: u64, key: K::Ref<'_>, make: impl FnOnce() -> V) -> Result<&mut V, Fault> {
        let mut below = self.below.with(&mut self.ahead.left);
        let held = self.table.value(hash, key, || below.read::<K, V>(hash, key));
        give(held, below.fault, make)
    }

    /// The value of a frame's key.
    ///
    /// # Errors
    /// As for [`value`](Layered::value).
    #[inline(always)]
    pub fn value_at(&mut self, keys: &K::Column, at: usize, make: impl FnOnce() -> V) -> Result<&mut V, Fault> {
        let mut below = self.below.with(&mut self.ahead.left);
        let held = self.table.value_at(keys, at, || below.read::<K, V>(keys.hash(at), keys.get(at)));
        give(held, below.fault, make)
    }

    /// The value of a key, if it has one. Does not count as changed.
    ///
    /// # Errors
    /// As for [`value`](Layered::value).
    pub fn get(&mut self, hash: u64, key: K::Ref<'_>) -> Result<Option<&V>, Fault> {
        Ok(match self.held_of(hash, key)? {
            Held::Value(value, _) => Some(value),
            Held::Nothing(_) => None,
        })
    }

    /// Takes the value of a key away, and gives it.
    ///
    /// # Errors
    /// As for [`value`](Layered::value).
    pub fn remove(&mut self, hash: u64, key: K::Ref<'_>) -> Result<Option<V>, Fault> {
        let held = self.held_of(hash, key)?;
        Ok(match std::mem::replace(held, Held::Nothing(true)) {
            Held::Value(value, _) => Some(value),
            nothing => {
                *held = nothing;
                None
            }
        })
    }

    fn held_of(&mut self, hash: u64, key: K::Ref<'_>) -> Result<&mut Held<V>, Fault> {
        let mut below = self.below.with(&mut self.ahead.left);
        let held = self.table.value(hash, key, || below.read::<K, V>(hash, key));
        below.fault.map_or(Ok(held), Err)
    }

    /// Notes everything that changed since it was last noted, in a batch that goes to the segments before anything is
    /// dropped from memory.
    ///
    /// Walks over the whole table. To do it piece by piece while rows go on, the table must give the entries with this
    /// epoch's stamp, and encode one that a row is about to change before it does.
    ///
    /// # Errors
    /// If a key or value is too long for a segment, or the batch is full and cannot be written.
    pub fn changes(&mut self, batch: &mut Batch) -> Result<(), Fault> {
        let (mut walk, namespace, mut failed) = (Walk::default(), self.below.namespace, None);
        let (mut key_bytes, mut value_bytes) = (Vec::new(), Vec::new());
        loop {
            let more = self.table.walk(&mut walk, |kept, held| {
                let (Held::Value(_, changed) | Held::Nothing(changed)) = &*held;
                if !changed || failed.is_some() {
                    return;
                }
                key_bytes.clear();
                value_bytes.clear();
                let hash = K::hash(kept.view());
                K::own(kept.view()).encode(&mut key_bytes);
                let (value, changed) = match held {
                    Held::Value(value, changed) => {
                        value.encode(&mut value_bytes);
                        (Some(&*value_bytes), changed)
                    }
                    Held::Nothing(changed) => (None, changed),
                };
                match batch.put(&Entry { hash, namespace, key: &key_bytes, value }) {
                    Ok(()) => *changed = false,
                    Err(fault) => failed = Some(fault),
                }
            });
            if let Some(fault) = failed.take() {
                return Err(fault);
            }
            if batch.bytes() >= BATCH_BYTES {
                self.below.levels.borrow_mut().add(batch)?;
            }
            if !more {
                return Ok(());
            }
        }
    }

    /// Writes everything that changed as a delta. Waits for the disk.
    ///
    /// # Errors
    /// If it cannot be written. Nothing is lost: the next flush tries again.
    pub fn flush(&mut self) -> Result<(), Fault> {
        let mut batch = std::mem::take(&mut self.batch);
        let done = self.changes(&mut batch).and_then(|()| self.below.levels.borrow_mut().add(&mut batch));
        self.batch = batch;
        done
    }

    /// Bounds memory: if more than `most` keys are held, writes what changed and drops them all. To be called between
    /// two frames.
    ///
    /// To drop some keys and keep those in use, the table must give up its entries that have not changed lately,
    /// piece by piece.
    ///
    /// # Errors
    /// If what changed cannot be written. Then everything stays in memory.
    pub fn relieve(&mut self, most: usize) -> Result<(), Fault> {
        if self.table.len() > most {
            self.flush()?;
            self.table.drain(|_, _, _| {});
        }
        Ok(())
    }

    /// Looks at every key and its value, in the order of hashes. Writes what changed first.
    ///
    /// # Errors
    /// If it cannot be written, or a segment is damaged or holds another type.
    pub fn for_each(&mut self, mut each: impl FnMut(K, V)) -> Result<(), Fault> {
        self.flush()?;
        let levels = self.below.levels.borrow();
        for entry in levels.range(0..=u64::MAX)? {
            let entry = entry?;
            if let (Some(value), true) = (entry.value, entry.namespace == self.below.namespace) {
                let whole = |e| unreadable(e, levels.folder().path());
                each(decode(entry.key).map_err(whole)?, decode(value).map_err(whole)?);
            }
        }
        Ok(())
    }
}

/// The value in its place, made if there is none; marked as changed.
#[inline(always)]
fn give<V>(held: &mut Held<V>, fault: Option<Fault>, make: impl FnOnce() -> V) -> Result<&mut V, Fault> {
    if let Some(fault) = fault {
        return Err(fault);
    }
    if let Held::Nothing(_) = held {
        *held = Held::Value(make(), true);
    }
    match held {
        Held::Value(value, changed) => {
            *changed = true;
            Ok(value)
        }
        Held::Nothing(_) => Err(Fault::new("a value that was put into the table is not there")),
    }
}

/// What is needed to look into the segments: apart from the table, which is borrowed meanwhile.
struct Below {
    levels: Rc<RefCell<Levels>>,
    namespace: i64,
    /// A key's byte form.
    bytes: Vec<u8>,
}

/// One lookup, which mostly turns out not to be needed.
struct Lookup<'a> {
    below: &'a mut Below,
    ahead: &'a mut u32,
    fault: Option<Fault>,
}

impl Below {
    #[inline(always)]
    fn with<'a>(&'a mut self, ahead: &'a mut u32) -> Lookup<'a> {
        Lookup { below: self, ahead, fault: None }
    }
}

impl Lookup<'_> {
    /// What the segments say of a key that is not in the table.
    #[cold]
    #[inline(never)]
    fn read<K: Key, V: Record>(&mut self, hash: u64, key: K::Ref<'_>) -> Held<V> {
        let Below { levels, namespace, bytes } = &mut *self.below;
        let levels = levels.borrow();
        if levels.is_empty() {
            return Held::Nothing(false);
        }
        *self.ahead = (*self.ahead + AFTER_MISS).min(MOST_AFTER_MISS);
        bytes.clear();
        K::own(key).encode(bytes);
        let value = levels.newest(hash, *namespace, bytes).and_then(|found| match found {
            Some((value, segment)) => decode(value).map(Some).map_err(|e| unreadable(e, segment.path())),
            None => Ok(None),
        });
        match value {
            Ok(Some(value)) => Held::Value(value, false),
            Ok(None) => Held::Nothing(false),
            Err(fault) => {
                self.fault = Some(fault);
                Held::Nothing(false)
            }
        }
    }
}

fn decode<T: Record>(bytes: &[u8]) -> Result<T, CodecError> {
    let mut reader = Reader::new(bytes);
    let value = T::decode(&mut reader)?;
    reader.end().map(|()| value)
}

#[cold]
fn unreadable(error: CodecError, path: &Path) -> Fault {
    Fault::new("state on disk cannot be read as what the job keeps")
        .in_file(path)
        .because(error)
        .help("it was written with other types; restore it with the program that wrote it, or begin with --fresh")
}

#[cfg(test)]
mod tests {
    use super::super::segment::{Folder, Merger, OsDisk, Part, Segment};
    use super::*;
    use crate::hash::mix;
    use std::collections::{BTreeMap, HashMap};
    use std::path::PathBuf;
    use std::sync::Arc;

    struct Place(PathBuf);
    impl Place {
        fn new(name: &str) -> Place {
            let path = std::env::temp_dir().join(format!("pelton-layered-{name}-{}", std::process::id()));
            let _ = std::fs::remove_dir_all(&path);
            Place(path)
        }
        fn open(&self, stem: &str, parts: Vec<Part>, merger: &Merger) -> Rc<RefCell<Levels>> {
            let folder = Folder::open(Arc::new(OsDisk), &self.0, stem).unwrap();
            Rc::new(RefCell::new(Levels::open(folder, 0..=u64::MAX, parts, merger).unwrap()))
        }
    }
    impl Drop for Place {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn hash(key: &str) -> u64 {
        <String as Key>::hash(key)
    }

    /// The parts that a manifest would have noted, opened again.
    fn again(levels: &Rc<RefCell<Levels>>) -> Vec<Part> {
        let levels = levels.borrow();
        let open = |part: &Part| Arc::new(Segment::open(part.segment().path()).unwrap());
        levels.parts().iter().map(|part| Part::new(open(part), part.hashes())).collect()
    }

    #[test]
    fn it_holds_more_than_memory_may() {
        let (place, merger) = (Place::new("more"), Merger::start().unwrap());
        let mut levels = place.open("0", Vec::new(), &merger);
        let mut layered = Layered::<String, (u64, String)>::new(KeyRange::ALL, 0, levels.clone());
        let mut map: BTreeMap<String, (u64, String)> = BTreeMap::new();
        let (keys, most, rounds) = (20_000, 1_000, 60_000);
        for round in 0..rounds {
            let key = format!("key number {}", mix(round) % keys);
            if round % 7 == 3 {
                assert_eq!(layered.remove(hash(&key), &key).unwrap(), map.remove(&key));
            } else if round % 7 == 5 {
                assert_eq!(layered.get(hash(&key), &key).unwrap(), map.get(&key));
            } else {
                let value = layered.value(hash(&key), &key, || (7, key.clone())).unwrap();
                value.0 += round;
                let expected = map.entry(key.clone()).or_insert_with(|| (7, key.clone()));
                expected.0 += round;
                assert_eq!(value, expected);
            }
            if round % 100 == 0 {
                layered.relieve(most).unwrap();
                assert!(layered.held() <= most);
                levels.borrow_mut().settle().unwrap();
            }
            if round % 20_000 == 10_000 {
                // A restart: what was flushed is all there is.
                layered.flush().unwrap();
                drop(layered);
                let parts = again(&levels);
                levels = place.open(&format!("{round}"), parts, &merger);
                layered = Layered::new(KeyRange::ALL, 0, levels.clone());
                assert_eq!(layered.held(), 0);
            }
        }
        assert!(map.len() > 5 * most, "{} keys", map.len());
        let mut all = BTreeMap::new();
        let mut last = 0;
        layered
            .for_each(|key, value| {
                assert!(hash(&key) >= last);
                last = hash(&key);
                assert_eq!(all.insert(key, value), None);
            })
            .unwrap();
        assert_eq!(all, map);
    }

    #[test]
    fn a_delta_holds_what_changed_and_no_more() {
        let (place, merger) = (Place::new("delta"), Merger::start().unwrap());
        let levels = place.open("s", Vec::new(), &merger);
        let mut layered = Layered::<u64, u64>::new(KeyRange::ALL, 0, levels.clone());
        let at = <u64 as Key>::hash;
        for key in 0..1000 {
            *layered.value(at(key), key, || 0).unwrap() = key;
        }
        layered.flush().unwrap();
        layered.flush().unwrap();
        for key in 0..10 {
            *layered.value(at(key), key, || 0).unwrap() += 1;
            assert_eq!(layered.get(at(key + 500), key + 500).unwrap(), Some(&(key + 500)), "reading changes nothing");
        }
        assert_eq!(layered.remove(at(999), 999).unwrap(), Some(999));
        assert_eq!(layered.remove(at(5000), 5000).unwrap(), None, "and neither does removing what is not there");
        layered.flush().unwrap();
        let counts: Vec<_> =
            levels.borrow().parts().iter().map(|p| (p.segment().entries(), p.segment().deletions())).collect();
        assert_eq!(counts, [(1000, 0), (11, 1)]);
        assert_eq!(*layered.value(at(999), 999, || 77).unwrap(), 77, "a key that was removed is new again");
    }

    /// Keys of a frame, and windows as namespaces over one list.
    #[test]
    fn namespaces_are_told_apart() {
        let (place, merger) = (Place::new("panes"), Merger::start().unwrap());
        let levels = place.open("s", Vec::new(), &merger);
        let keys: Vec<u64> = (0..300).map(|i| i * i).collect();
        let mut panes: HashMap<i64, Layered<u64, i64>> = HashMap::new();
        for round in 0..4i64 {
            let mut batch = Batch::new();
            for window in round..round + 3 {
                let pane =
                    panes.entry(window).or_insert_with(|| Layered::new(KeyRange::ALL, window * 100, levels.clone()));
                for at in 0..keys.len() {
                    *pane.value_at(&keys, at, || window).unwrap() += 10;
                }
                pane.changes(&mut batch).unwrap();
                // Nothing is held from round to round: all is read again.
                if round % 2 == 1 {
                    panes.remove(&window);
                }
            }
            levels.borrow_mut().add(&mut batch).unwrap();
        }
        let mut last = Layered::<u64, i64>::new(KeyRange::ALL, 300, levels.clone());
        for at in 0..keys.len() {
            last.prefetch(keys.hash(at));
            assert_eq!(*last.value_at(&keys, at, || -1).unwrap(), 3 + 30);
        }
    }

    #[test]
    fn other_types_and_damage_are_errors() {
        let (place, merger) = (Place::new("types"), Merger::start().unwrap());
        let levels = place.open("s", Vec::new(), &merger);
        let at = <u64 as Key>::hash;
        let mut layered = Layered::<u64, u64>::new(KeyRange::ALL, 0, levels.clone());
        *layered.value(at(1), 1, || 0).unwrap() = 300;
        layered.flush().unwrap();
        for fault in [
            Layered::<u64, u32>::new(KeyRange::ALL, 0, levels.clone()).value(at(1), 1, || 0).unwrap_err(),
            Layered::<u64, String>::new(KeyRange::ALL, 0, levels.clone()).get(at(1), 1).unwrap_err(),
            Layered::<u64, (u64, u8)>::new(KeyRange::ALL, 0, levels.clone()).remove(at(1), 1).unwrap_err(),
        ] {
            assert!(fault.to_string().contains("s-00000001.segment"), "{fault}");
        }
        let path = levels.borrow().parts()[0].segment().path().to_owned();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[150] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let levels = place.open("t", again(&levels), &merger);
        let fault = Layered::<u64, u64>::new(KeyRange::ALL, 0, levels).value(at(1), 1, || 0).unwrap_err();
        assert!(fault.to_string().contains("checksum"), "{fault}");
    }
}
