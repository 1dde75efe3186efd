//! One model for all backends: whatever lies below, a key has the value that was written last.

use super::*;
use crate::hash::mix;
use crate::state::backend::Place as Files;
use crate::state::backend::Shared;
use crate::state::entry::{Encoded, Entry};
use crate::state::files::{Listing, Stored, common};
use crate::state::rocks::{self, catalog::Catalog};
use crate::state::save::Entries;
use crate::state::segment::{Merger, Part, Segment};
use crate::state::{Backend, FileSystem, Memory};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

struct Folder(PathBuf);
impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("pelton-keyed-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Folder(path)
    }
    fn below<B: Backend>(&self, name: &str, epoch: u64) -> B::Below {
        self.of::<B>(name, epoch, 0..=u64::MAX)
    }
    fn of<B: Backend>(&self, name: &str, epoch: u64, hashes: RangeInclusive<u64>) -> B::Below {
        let (memory, shared) = (64 << 20, Shared::new());
        let place = Files { folder: &self.0.join(name), hashes, merger: &Merger::start, memory, shared: &shared };
        B::below(&place, epoch).unwrap()
    }
}
impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Takes a snapshot's entries.
#[derive(Clone, Default)]
struct Taken(Arc<Mutex<Vec<Noted>>>);
type Noted = (u64, u16, i64, Vec<u8>, Option<Vec<u8>>);
impl Entries for Taken {
    fn put(&mut self, some: &Encoded) {
        some.each(|Entry { hash, state, namespace, key, value }| {
            self.0.lock().unwrap().push((hash, state, namespace, key.to_vec(), value.map(<[u8]>::to_vec)));
        })
        .unwrap();
    }
}

const ALL: RangeInclusive<u64> = 0..=u64::MAX;

/// Files of a checkpoint that was brought to a store and back into a folder, as far as some hashes are concerned.
fn stored(listing: &Listing, folder: &Path, wanted: RangeInclusive<u64>) -> Vec<Stored> {
    std::fs::create_dir_all(folder).unwrap();
    let mut found = Vec::new();
    let mut files = listing.files.iter();
    while let Some(file) = files.next() {
        let hashes = common(&file.hashes, &wanted);
        let Ok(catalog) = Catalog::decode(&std::fs::read(&file.bytes).unwrap()) else {
            let segment = Arc::new(Segment::open(&file.bytes).unwrap());
            found.push(Stored::Segment(Part::new(segment, hashes)));
            continue;
        };
        let tables: Vec<_> = files.by_ref().take(catalog.tables.len()).collect();
        let counts = tables.iter().map(|table| table.entries).collect();
        let laid = catalog.lay_out(&folder.join(format!("r{}", found.len())), counts).unwrap();
        laid.tables().zip(tables).for_each(|(to, table)| std::fs::hard_link(&table.bytes, to).unwrap());
        if !hashes.is_empty() {
            found.push(rocks::Stored::new(Arc::new(laid), hashes).map(Stored::Database).unwrap());
        }
    }
    found
}

/// Saves some states, a piece at a time with `between` between two; gives how many entries there were.
fn save<K: Key, V: Record, B: Backend>(
    states: &mut [&mut KeyedState<K, V, B>],
    epoch: u64,
    mut between: impl FnMut(&mut KeyedState<K, V, B>),
) -> usize {
    let taken = Taken::default();
    let to = SaveTo::new(taken.clone());
    for state in states.iter_mut() {
        state.stamp_with(epoch + 1);
        let which = state.which;
        state.begin_save(&to, which.state, which.namespace);
    }
    for state in states.iter_mut() {
        while !state.save_some(&mut 1) {
            between(state);
        }
    }
    let entries = std::mem::take(&mut *taken.0.lock().unwrap());
    if let Some(files) = states.first().and_then(|state| state.on_disk()) {
        let mut change = files.change(epoch);
        for (at, (hash, state, namespace, key, value)) in entries.iter().enumerate() {
            let (hash, state, namespace) = (*hash, *state, *namespace);
            change.note(&Entry { hash, state, namespace, key, value: value.as_deref() }).unwrap();
            if at == entries.len() / 2 && entries.len() > 100 {
                change.cut()().unwrap();
            }
        }
        change.cut()().unwrap();
        files.take_in(epoch);
        files.settle(true);
    }
    entries.len()
}

fn relieve<V: Record, B: Backend>(state: &mut KeyedState<String, V, B>) {
    while state.relieve(true) {}
}

fn all<V: Record, B: Backend>(state: &mut KeyedState<String, V, B>) -> BTreeMap<String, V> {
    let (mut tour, mut all) = (Tour::default(), BTreeMap::new());
    while state.tour(&mut tour, |key, value| {
        let mut bytes = Vec::new();
        value.encode(&mut bytes);
        assert!(all.insert(key.view().to_owned(), record::whole(&bytes).unwrap()).is_none(), "{}", key.view());
        false
    }) {}
    all
}

type Value = (u64, String);

/// Writes, removals, sweeps, snapshots, memory given up and restarts in any order.
fn says_what_a_map_says<B: Backend>(name: &str) {
    let folder = Folder::new(name);
    let at = |key: &str| <String as Key>::hash(key);
    let below = folder.below::<B>("0", 0);
    let mut state = KeyedState::<String, Value, B>::new(KeyRange::ALL, below, Which { state: 3, namespace: -7 });
    let mut map: BTreeMap<String, Value> = BTreeMap::new();
    let (keys, mut epoch) = (3_000, 0);
    for round in 0..60_000u64 {
        let key = format!("key number {}", mix(round) % keys);
        match mix(round ^ 77) % 8 {
            0 => {
                let place = state.seek(at(&key), &key);
                assert_eq!(place.map(|place| state.pair(place).1.clone()), map.remove(&key));
                place.into_iter().for_each(|place| state.remove(place));
            }
            1 => {
                let found = state.seek(at(&key), &key).map(|place| state.pair(place).1.clone());
                assert_eq!(found.as_ref(), map.get(&key));
            }
            _ => {
                let value = state.value(at(&key), &key, || (7, key.clone()));
                value.0 += round;
                let expected = map.entry(key.clone()).or_insert_with(|| (7, key.clone()));
                expected.0 += round;
                assert_eq!(value, expected);
            }
        }
        if round % 1_000 == 500 {
            let mut n = round;
            save(&mut [&mut state], epoch, |state| {
                n += 1;
                let key = format!("key number {}", mix(n) % keys);
                state.value(at(&key), &key, || (7, key.clone())).0 += 1;
                map.entry(key.clone()).or_insert_with(|| (7, key.clone())).0 += 1;
            });
            epoch += 1;
        }
        if round % 3_000 == 2_000 {
            relieve(&mut state);
            assert!(!B::Below::THERE || state.held() < map.len(), "{} of {} in memory", state.held(), map.len());
        }
        if round % 10_000 == 9_000 {
            let (stale, mut tour) = (|value: &Value| value.0.is_multiple_of(5), Tour::default());
            while state.sweep(&mut tour, stale, |value| {
                value.0 += 1;
                value.0 % 2 == 0
            }) {}
            map.retain(|_, value| !(stale(value) && (value.0 + 1) % 2 == 0));
            map.values_mut().filter(|value| stale(value)).for_each(|value| value.0 += 1);
            assert_eq!(all(&mut state), map);
        }
        if round % 20_000 == 15_000 {
            save(&mut [&mut state], epoch, |_| ());
            epoch += 1;
            if let Some(files) = state.on_disk() {
                // A restart: what was written is all there is.
                let again = folder.below::<B>(&round.to_string(), epoch);
                let to = again.on_disk().unwrap();
                assert!(to.restore(&stored(&files.change(epoch).listing().unwrap(), to.folder(), ALL)).unwrap());
                let which = state.which;
                state = KeyedState::new(KeyRange::ALL, again, which);
                state.restored();
                assert_eq!(state.held(), 0);
            }
        }
    }
    assert!(map.len() > 1_000, "{} keys", map.len());
    assert_eq!(all(&mut state), map);
    assert!(state.take_fault().is_none());
    let (mut parts, mut out) = (state.into_parts(), BTreeMap::new());
    while parts.next_part(|key, value| assert_eq!(out.insert(key, value), None)) {}
    assert_eq!(out, map);
}

#[test]
fn memory_says_what_a_map_says() {
    says_what_a_map_says::<Memory>("memory");
}

#[test]
fn segments_say_what_a_map_says() {
    says_what_a_map_says::<FileSystem>("segments");
}

#[test]
fn a_snapshot_over_segments_holds_what_changed_and_no_more() {
    let folder = Folder::new("delta");
    let below = folder.below::<FileSystem>("0", 5);
    let at = <u64 as Key>::hash;
    let mut state = KeyedState::<u64, u64, FileSystem>::new(KeyRange::ALL, below, Which::FIRST);
    (0..1000).for_each(|key| *state.value(at(key), key, || 0) = key);
    assert_eq!(save(&mut [&mut state], 5, |_| ()), 1000);
    assert_eq!(save(&mut [&mut state], 6, |_| ()), 0);
    (0..10).for_each(|key| *state.value(at(key), key, || 0) += 1);
    let place = state.seek(at(999), 999).unwrap();
    state.remove(place);
    assert_eq!(state.seek(at(5000), 5000), None);
    assert_eq!(save(&mut [&mut state], 7, |_| ()), 11);
    assert_eq!(*state.value(at(999), 999, || 77), 77, "a key that was removed is new again");
    let listing = state.on_disk().unwrap().change(8).listing().unwrap();
    let counts: Vec<_> = stored(&listing, &folder.0, ALL)
        .iter()
        .map(|stored| match stored {
            Stored::Segment(part) => (part.segment().entries(), part.segment().deletions()),
            Stored::Database(_) => panic!("a database"),
        })
        .collect();
    assert_eq!(counts.iter().map(|count| count.0).sum::<u64>(), 1011);
    assert_eq!(counts.last().unwrap(), &(11, 1));
}

#[test]
fn a_tour_brings_into_memory_what_it_changes_and_nothing_else() {
    let folder = Folder::new("tour");
    let below = folder.below::<FileSystem>("0", 5);
    let mut state = KeyedState::<String, u64, FileSystem>::new(KeyRange::ALL, below, Which::FIRST);
    for number in 0..1000u64 {
        let key = number.to_string();
        *state.value(<String as Key>::hash(&key), &key, || 0) = number;
    }
    assert_eq!(save(&mut [&mut state], 5, |_| ()), 1000);
    relieve(&mut state);
    let (mut tour, mut met) = (Tour::default(), 0);
    while state.tour(&mut tour, |_, value| {
        met += 1;
        *value += u64::from(*value % 100 == 7);
        true
    }) {}
    assert_eq!((met, state.table.len()), (1000, 10));
    assert_eq!(save(&mut [&mut state], 6, |_| ()), 10);
}

#[test]
fn a_tour_that_pauses_meets_each_value_once_whatever_is_given_up_meanwhile() {
    let folder = Folder::new("once");
    let below = folder.below::<FileSystem>("0", 5);
    let mut state = KeyedState::<u64, u64, FileSystem>::new(KeyRange::ALL, below, Which::FIRST);
    let at = <u64 as Key>::hash;
    // Half of them lie below alone.
    (0..5_000).for_each(|key| *state.value(at(key), key, || 0) = key);
    save(&mut [&mut state], 5, |_| ());
    while state.relieve(true) {}
    (5_000..10_000).for_each(|key| *state.value(at(key), key, || 0) = key);
    save(&mut [&mut state], 6, |_| ());
    let (mut tour, mut met, mut pauses) = (Tour::once(), vec![0; 10_000], 0);
    while state.tour(&mut tour, |_, value| {
        met[*value as usize] += 1;
        false
    }) {
        pauses += 1;
        while state.relieve(true) {}
    }
    assert!(pauses > 10, "{pauses} pauses");
    assert!(met.iter().all(|times| *times == 1), "{} not once", met.iter().filter(|times| **times != 1).count());
    while state.relieve(true) {}
    assert_eq!(state.held(), 0, "behind it memory is given up");
}

#[test]
fn tables_are_told_apart_over_segments() {
    tables_are_told_apart::<FileSystem>("panes");
}

/// Windows: tables of one operator over the same files.
fn tables_are_told_apart<B: Backend>(name: &str) {
    let folder = Folder::new(name);
    let below = folder.below::<B>("0", 0);
    let at = <u64 as Key>::hash;
    let mut panes: Vec<_> = (0..3i64)
        .map(|n| {
            KeyedState::<u64, i64, B>::new(
                KeyRange::ALL,
                below.clone(),
                Which { state: (n / 2) as u16, namespace: n % 2 },
            )
        })
        .collect();
    for epoch in 0..4u64 {
        for (n, pane) in panes.iter_mut().enumerate() {
            for key in 0..300 {
                *pane.value(at(key), key, || 0) += n as i64 + 1;
            }
        }
        save::<u64, i64, B>(&mut panes.iter_mut().collect::<Vec<_>>(), epoch, |_| ());
        panes.iter_mut().for_each(|pane| while pane.relieve(true) {});
        assert!(panes.iter().all(|pane| pane.held() == 0));
    }
    for (n, pane) in panes.iter_mut().enumerate() {
        assert!((0..300).all(|key| *pane.value(at(key), key, || 0) == 4 * (n as i64 + 1)));
    }
    // The windows at 0 have closed; those at 1 are as they were.
    below.forget_below(1);
    save::<u64, i64, B>(&mut panes.iter_mut().collect::<Vec<_>>(), 4, |_| ());
    panes.iter_mut().for_each(|pane| while pane.relieve(true) {});
    let pane = &mut panes[1];
    assert!((0..300).all(|key| *pane.value(at(key), key, || 0) == 8));
}

#[test]
fn other_types_and_damage_are_errors() {
    let folder = Folder::new("types");
    let below = folder.below::<FileSystem>("0", 0);
    let at = <u64 as Key>::hash;
    let mut state = KeyedState::<u64, u64, FileSystem>::new(KeyRange::ALL, below.clone(), Which::FIRST);
    *state.value(at(1), 1, || 0) = 300;
    save(&mut [&mut state], 0, |_| ());
    let mut other = KeyedState::<u64, u32, FileSystem>::new(KeyRange::ALL, below.clone(), Which::FIRST);
    other.restored();
    assert_eq!(*other.value(at(1), 1, || 5), 5);
    let fault = other.take_fault().expect("a value of another type");
    assert!(fault.to_string().contains("s-00000001.segment"), "{fault}");
    assert!(other.take_fault().is_none(), "it is told once");
    let path = state.on_disk().unwrap().change(1).listing().unwrap().files[0].path.clone();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[150] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let again = folder.below::<FileSystem>("1", 1);
    let part = Part::new(Arc::new(Segment::open(&path).unwrap()), ALL);
    assert!(again.on_disk().unwrap().restore(&[Stored::Segment(part)]).unwrap());
    let mut state = KeyedState::<u64, u64, FileSystem>::new(KeyRange::ALL, again, Which::FIRST);
    state.restored();
    state.seek(at(1), 1);
    let fault = state.take_fault().expect("a damaged segment");
    assert!(fault.to_string().contains("checksum"), "{fault}");
}

#[cfg(feature = "rocksdb")]
mod databases;
