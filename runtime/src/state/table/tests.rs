use super::*;
use crate::record::{self, Record};
use crate::state::entry::{Encoded, Entry};
use crate::state::save::{Entries, SaveTo, Target};
use std::collections::BTreeMap;
use std::rc::Rc;

fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 20
}

#[test]
fn it_holds_what_a_map_holds_in_the_order_of_hashes() {
    let rows = if cfg!(miri) { 600 } else { 300_000 };
    for (range, keep) in [(KeyRange::ALL, None), (KeyRange::of(1, 3), Some((1, 3)))] {
        let (mut table, mut map, mut state) = (Table::<u64, u64>::new(range), BTreeMap::new(), 7);
        for _ in 0..rows {
            let key = next(&mut state) % (rows / 3);
            let hash = <u64 as Key>::hash(key);
            if keep.is_some_and(|(worker, workers)| crate::hash::owner(hash, workers) != worker) {
                continue;
            }
            table.prefetch(hash);
            let place = table.entry(hash, key, |_| 0);
            *table.at(place) += key;
            *map.entry(key).or_insert(0) += key;
        }
        assert_eq!(table.len(), map.len());
        let mut seen = BTreeMap::new();
        let mut walk = Walk::default();
        while table.walk(&mut walk, |k, v| {
            assert_eq!(seen.insert(*k, *v), None);
            false
        }) {}
        assert_eq!(seen, map);
        let (mut out, mut last) = (BTreeMap::new(), 0);
        let (mut drain, mut at) = (table.into_pieces(), 0);
        loop {
            let (mut most, inside) = (last, at > 0);
            let more = drain.next_part(&mut at, |k, v| {
                let spread = range.spread(<u64 as Key>::hash(k));
                assert!(spread >= last || inside, "pieces are in hash order");
                most = most.max(spread);
                out.insert(k, v);
            });
            last = most;
            if !more {
                break;
            }
        }
        assert_eq!(out, map);
    }
}

/// Keys whose bits have a pattern must spread as well as any: pieces that split in vain would double the directory.
#[test]
fn keys_with_a_pattern_spread() {
    let rows = if cfg!(miri) { 300 } else { 200_000u64 };
    let patterns: [(&str, &dyn Fn(u64) -> u64); 6] = [
        ("in a row", &|i| i),
        ("backwards from the top", &|i| u64::MAX - i),
        ("low bits empty", &|i| i << 20),
        ("high bits alone", &|i| i << 46),
        ("floats", &|i| (i as f64).to_bits()),
        ("two halves", &|i| i << 32 | i),
    ];
    for (name, key) in patterns {
        for range in [KeyRange::ALL, KeyRange::of(1, 3)] {
            let mut table = Table::<u64, u64>::new(range);
            for i in 0..rows {
                let hash = <u64 as Key>::hash(key(i));
                if range == KeyRange::ALL || crate::hash::owner(hash, 3) == 1 {
                    table.value(hash, key(i), |_| i);
                }
            }
            let (pieces, entries) = (table.pieces.len(), table.directory.len());
            assert!(entries <= 8 * pieces, "{name}: {entries} entries for {pieces} pieces");
            let slots: usize = table.pieces.iter().map(|piece| piece.slots.count).sum();
            assert!(slots <= 4 * table.len().max(16), "{name}: {slots} slots for {} keys", table.len());
            let share = table.len() as u64;
            assert!(range == KeyRange::ALL || (rows / 4..rows / 2).contains(&share), "{name}: a third is {share}");
        }
    }
}

/// Entries that go, one by one and by a sweep, while others come; and a snapshot that holds them all the same.
#[test]
fn what_is_taken_out_is_gone_and_nothing_else() {
    let rows: u64 = if cfg!(miri) { 300 } else { 100_000 };
    for keys in [16, rows / 8, rows] {
        let (mut table, mut map, mut state) = (Table::<u64, String>::new(KeyRange::ALL), BTreeMap::new(), keys);
        let mut sweep = Walk::default();
        for row in 0..rows {
            let key = next(&mut state) % keys;
            let hash = <u64 as Key>::hash(key);
            if next(&mut state).is_multiple_of(3) {
                let gone = table.seek(hash, key).ok().and_then(|place| table.remove(place));
                assert_eq!(gone, map.remove(&key).map(|value| (key, value)));
            } else {
                *table.value(hash, key, |_| String::new()) = row.to_string();
                map.insert(key, row.to_string());
            }
            if row % 1000 == 0 {
                let stale = |value: &String| value.ends_with('3') || value.ends_with('4');
                // Those that end in 3 go, those that end in 4 are changed.
                while table.sweep(&mut sweep, false, stale, |value| {
                    let go = value.ends_with('3');
                    value.push('x');
                    go
                }) {}
                sweep = Walk::default();
                map.retain(|_, value| !value.ends_with('3'));
                map.values_mut().filter(|value| value.ends_with('4')).for_each(|value| value.push('x'));
            }
            assert_eq!(table.len(), map.len());
        }
        let mut found = BTreeMap::new();
        table.for_each(|key, value| assert_eq!(found.insert(*key, value.clone()), None));
        assert_eq!(found, map);
        let (put, at_barrier) = (Put::default(), map.keys().copied().collect::<Vec<_>>());
        table.stamp_with(2);
        let mut saved = Table::<u64, u64>::new(KeyRange::ALL);
        map.keys().for_each(|key| *saved.value(<u64 as Key>::hash(*key), *key, |_| 0) = *key);
        saved.stamp_with(2);
        saved.begin_save(&SaveTo::new(put.clone()), (3, -7), Which::All, PUT);
        for key in at_barrier.iter().step_by(2) {
            let place = saved.seek(<u64 as Key>::hash(*key), *key).unwrap();
            saved.remove(place);
        }
        while !saved.save_some(&mut (1 << 10)) {}
        let put = std::mem::take(&mut *put.0.lock().unwrap());
        assert_eq!(put.keys().copied().collect::<Vec<_>>(), at_barrier);
    }
}

/// A row behind the last one of a frame, and a table that grows while its lookups are under way: each finds its own entry or none.
#[test]
fn lookups_under_way_are_good_until_the_table_grows() {
    let mut table = Table::<u64, u64>::new(KeyRange::ALL);
    let mut keys = <u64 as Key>::Column::default();
    let rows = 3 * AHEAD as u64;
    (0..rows).for_each(|key| KeyColumn::<u64>::push(&mut keys, key, <u64 as Key>::hash(key)));
    for round in 1..3 {
        let mut ahead = Ahead::of(&table, &keys);
        for at in 0..rows as usize {
            let probe = ahead.next(&table, &keys, at);
            *table.value_from(probe, &keys, at, |_| 0) += 1;
        }
        let (mut seen, mut walk) = (0, Walk::default());
        while table.walk(&mut walk, |_, times| {
            assert_eq!(*times, round);
            seen += 1;
            false
        }) {}
        assert_eq!(seen, rows);
    }
    let mut few = <u64 as Key>::Column::default();
    KeyColumn::<u64>::push(&mut few, 7, <u64 as Key>::hash(7));
    let mut ahead = Ahead::of(&table, &few);
    for at in [0, 1, AHEAD - 1] {
        let probe = ahead.next(&table, &few, at);
        assert!(probe.layout == table.layout && probe.slot != NonNull::dangling(), "row {at}");
    }
}

#[test]
fn strings_are_looked_up_borrowed_and_dropped_once() {
    let counted = Rc::new(());
    let mut table = Table::<String, Rc<()>>::new(KeyRange::ALL);
    for round in 0..2 {
        for i in 0..1000 {
            let key = format!("key {i}");
            let place = table.entry(<String as Key>::hash(&key), &key, |_| counted.clone());
            assert_eq!(table.pair(place).0.view(), key, "round {round}");
        }
    }
    assert_eq!((table.len(), Rc::strong_count(&counted)), (1000, 1001));
    let mut some = 0;
    table.drain(|_, _, _| some += 1);
    assert_eq!((some, table.len(), Rc::strong_count(&counted)), (1000, 0, 1));
    table.entry(1, "again", |_| counted.clone());
    drop(table);
    assert_eq!(Rc::strong_count(&counted), 1);
}

/// Writes an entry as it is.
const PUT: snapshot::Put<u64, u64> = |saving: &Saving<u64, u64>, to: &mut Target, key: &u64, value: Option<&u64>| {
    let (hash, &Saving { state, namespace, .. }) = (<u64 as Key>::hash(*key), saving);
    let value = value.map(|value| |out: &mut Vec<u8>| value.encode(out));
    to.put((hash, state, namespace), |out| key.encode(out), value);
};

/// What was put, by key; each key once.
#[derive(Clone, Default)]
struct Put(std::sync::Arc<std::sync::Mutex<BTreeMap<u64, Vec<u8>>>>);
impl Entries for Put {
    fn put(&mut self, some: &Encoded) {
        some.each(|Entry { hash, state, namespace, key, value }| {
            let key = record::whole::<u64>(key).unwrap();
            assert_eq!((hash, state, namespace), (<u64 as Key>::hash(key), 3, -7));
            let known = self.0.lock().unwrap().insert(key, value.unwrap().to_vec());
            assert_eq!(known, None, "key {key} is written once");
        })
        .unwrap();
    }
}

/// Changes, new keys, growth and a walk while a snapshot is under way: it holds what was there at its barrier.
#[test]
fn a_snapshot_holds_what_was_there_at_the_barrier() {
    let rows: u64 = if cfg!(miri) { 80 } else { 200_000 };
    for steps in [1u64, 7, 1000] {
        let (mut table, mut state) = (Table::<u64, u64>::new(KeyRange::ALL), steps);
        let mut model = BTreeMap::new();
        for epoch in 0..4u64 {
            let change = |table: &mut Table<u64, u64>, model: &mut BTreeMap<u64, u64>, state: &mut u64| {
                let key = next(state) % rows;
                *table.value(<u64 as Key>::hash(key), key, |_| 0) += key + 1;
                *model.entry(key).or_insert(0) += key + 1;
            };
            (0..rows / 8).for_each(|_| change(&mut table, &mut model, &mut state));
            let (put, at_barrier) = (Put::default(), model.clone());
            table.stamp_with(epoch + 2);
            table.begin_save(&SaveTo::new(put.clone()), (3, -7), Which::All, PUT);
            let mut walk = Walk::default();
            loop {
                (0..rows / 8 / steps).for_each(|_| change(&mut table, &mut model, &mut state));
                table.walk(&mut walk, |key, value| {
                    *value += 1;
                    *model.entry(*key).or_insert(0) += 1;
                    true
                });
                if table.save_some(&mut (1 << 14)) {
                    break;
                }
            }
            let saved = std::mem::take(&mut *put.0.lock().unwrap());
            let restored: BTreeMap<u64, u64> =
                saved.iter().map(|(key, value)| (*key, record::whole(value).unwrap())).collect();
            let mut now = BTreeMap::new();
            table.for_each(|key, value| assert_eq!(now.insert(*key, *value), None));
            assert_eq!((restored == at_barrier, now == model), (true, true), "epoch {epoch}, {steps} steps");
        }
    }
}

/// Entries that are on disk already are looked through in steps, too: a table of which little changed does not hold up its worker.
#[test]
fn what_has_not_changed_uses_up_the_budget_of_a_step_too() {
    let keys: u64 = if cfg!(miri) { 600 } else { 200_000 };
    let mut table = Table::<u64, u64>::new(KeyRange::ALL);
    let add = |table: &mut Table<u64, u64>, keys: std::ops::Range<u64>| {
        keys.for_each(|key| *table.value(<u64 as Key>::hash(key), key, |_| 0) += 1);
    };
    table.stamp_with(5);
    add(&mut table, 0..keys);
    table.stamp_with(6);
    add(&mut table, 7..8);
    table.stamp_with(7);
    let put = Put::default();
    table.begin_save(&SaveTo::new(put.clone()), (3, -7), Which::Since(5), PUT);
    let bytes = table.bytes();
    let mut steps = 1;
    while !table.save_some(&mut 1) {
        steps += 1;
    }
    assert_eq!(put.0.lock().unwrap().keys().copied().collect::<Vec<_>>(), [7]);
    assert!(steps > bytes / slots::PIECE_BYTES, "{steps} steps for {bytes} bytes");
    // With room for all of it, it is one step.
    table.begin_save(&SaveTo::new(Put::default()), (3, -7), Which::Since(5), PUT);
    assert!(table.save_some(&mut bytes.clone()));
}
