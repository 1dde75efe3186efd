//! Round trips, ranges, and every damage to small objects.

use super::super::damage::Problem;
use super::super::manifest::{Form, ObjectRef};
use super::super::store::{MemoryStore, Store};
use super::*;
use crate::error::Fault;
use crate::hash;
use crate::state::entry::{Encoded, Entry};
use proptest::prelude::*;

type Owned = (u64, u16, i64, Vec<u8>, Option<Vec<u8>>);

fn write(entries: &[Owned]) -> (ObjectRef, Vec<u8>) {
    let mut writer = ObjectWriter::new();
    for (hash, state, namespace, key, value) in entries {
        writer.append(Entry { hash: *hash, state: *state, namespace: *namespace, key, value: value.as_deref() });
    }
    assert_eq!(writer.is_empty(), entries.is_empty());
    let (reference, bytes) = writer.finish("data/x");
    (reference, bytes.to_vec())
}

fn read(store: &dyn Store, object: &ObjectRef, groups: Range<u32>) -> Result<Vec<Owned>, Problem> {
    let mut found = Vec::new();
    ObjectReader::open(store, object)?.read(groups, |e| {
        found.push((e.hash, e.state, e.namespace, e.key.to_vec(), e.value.map(<[u8]>::to_vec)));
        Ok(())
    })?;
    Ok(found)
}

fn stored(bytes: &[u8]) -> std::sync::Arc<MemoryStore> {
    let store = MemoryStore::new();
    store.put("data/x", bytes).unwrap();
    store
}

/// Some entries in about the order of hashes.
fn many(count: u64, value: usize) -> Vec<Owned> {
    let step = u64::MAX / count;
    let jitter = |i: u64| hash::mix(i) % (step * 8);
    (0..count)
        .map(|i| {
            let value = (i % 7 != 0).then(|| vec![i as u8; value + i as usize % 5]);
            ((i * step).saturating_add(jitter(i)), (i % 3) as u16, i as i64 - 5, i.to_le_bytes().to_vec(), value)
        })
        .collect()
}

#[test]
fn batches_give_the_same_entries() {
    let entries = many(3000, 120);
    let mut writer = ObjectWriter::new();
    for (at, some) in entries.chunks(100).enumerate() {
        if at % 7 == 0 {
            writer.move_to(vec![9; 1000]);
        }
        let mut batch = Encoded::default();
        for (hash, state, namespace, key, value) in some {
            let value = value.as_ref().map(|value| |out: &mut Vec<u8>| out.extend_from_slice(value));
            batch.put((*hash, *state, *namespace), |out| out.extend_from_slice(key), value);
        }
        writer.append_all(&batch);
        writer.append_all(&Encoded::default());
    }
    let (object, bytes) = writer.finish("data/x");
    let store = stored(&bytes);
    ObjectReader::open(&*store, &object).unwrap().verify().unwrap();
    assert_eq!(read(&*store, &object, ALL_GROUPS).unwrap(), entries);
}

#[test]
fn each_worker_reads_its_own_groups_and_few_other_bytes() {
    let entries = many(20_000, 100);
    let (object, bytes) = write(&entries);
    let store = super::super::faulty::Faulty::new(stored(&bytes));
    for workers in [1, 2, 3, 7, 16] {
        let before = store.bytes_read();
        let mut all = Vec::new();
        for worker in 0..workers {
            let own = read(&*store, &object, groups_of(worker, workers)).unwrap();
            assert!(own.iter().all(|entry| hash::owner(entry.0, workers as u64) == worker));
            all.extend(own);
        }
        all.sort();
        let mut expected = entries.clone();
        expected.sort();
        assert_eq!(all, expected, "{workers} workers");
        let read = store.bytes_read() - before;
        // Beyond the object: a shared block at each border, and the end of the object for each.
        let most = object.length + workers as u64 * (64 << 10) * 3;
        assert!(read <= most, "{workers} workers read {read} of {} bytes", object.length);
    }
}

#[test]
fn groups_are_those_of_the_owner() {
    for workers in [1, 2, 3, 5, 7, 100, 40_000] {
        let mut next = 0;
        for worker in 0..workers {
            let groups = groups_of(worker, workers);
            assert_eq!(groups.start, next);
            next = groups.end;
            for group in groups {
                assert_eq!(hash::owner(u64::from(group) << 49, workers as u64), worker);
            }
        }
        assert_eq!(next, ALL_GROUPS.end);
    }
}

#[test]
fn an_object_without_entries_is_whole_too() {
    let (object, bytes) = write(&[]);
    assert_eq!(object.entries, 0);
    assert_eq!(read(&*stored(&bytes), &object, ALL_GROUPS).unwrap(), []);
    every_damage_is_found(&object, &bytes);
}

#[test]
fn every_damage_is_found_and_none_is_believed() {
    let (object, bytes) = write(&many(40, 3));
    every_damage_is_found(&object, &bytes);
}

#[track_caller]
fn every_damage_is_found(object: &ObjectRef, bytes: &[u8]) {
    let is_damaged = |bytes: &[u8], what: String| {
        let store = stored(bytes);
        let verified = ObjectReader::open(&*store, object).and_then(|reader| reader.verify());
        assert!(matches!(verified, Err(Problem::Damaged(_))), "{what}: {verified:?}");
        assert!(matches!(read(&*store, object, ALL_GROUPS), Err(Problem::Damaged(_))) || object.entries == 0, "{what}");
    };
    let mut copy = bytes.to_vec();
    for at in 0..bytes.len() {
        for flip in [1, 0x80, 0xff] {
            copy[at] ^= flip;
            is_damaged(&copy, format!("byte {at} ^ {flip}"));
            copy[at] ^= flip;
        }
        is_damaged(&bytes[..at], format!("{at} bytes"));
    }
    copy.push(0);
    is_damaged(&copy, "a byte more".into());
    let missing = ObjectReader::open(&*MemoryStore::new(), object).map(drop);
    assert!(matches!(missing, Err(Problem::Damaged(_))));
    let (other, _) = write(&many(41, 3));
    assert!(ObjectReader::open(&*stored(bytes), &other).is_err(), "another object");
}

#[test]
fn what_the_manifest_says_wrongly_is_found() {
    let (object, bytes) = write(&many(40, 3));
    let store = stored(&bytes);
    for wrong in [
        ObjectRef { length: u64::MAX, ..object.clone() },
        ObjectRef { length: object.length + 1, ..object.clone() },
        ObjectRef { length: 0, ..object.clone() },
        ObjectRef { entries: 41, ..object.clone() },
        ObjectRef { last_group: 3, ..object.clone() },
        ObjectRef { digest: object.digest ^ 1, ..object.clone() },
    ] {
        assert!(matches!(read(&*store, &wrong, ALL_GROUPS), Err(Problem::Damaged(_))), "{wrong:?}");
    }
}

#[test]
fn every_damage_to_a_blob_is_found() {
    for length in [0, 1, 300, PART_BYTES, PART_BYTES + 1] {
        let bytes: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
        let object = blob("data/x", &bytes);
        assert_eq!(blob_of("data/x", &bytes[..]).unwrap(), object);
        check(&*stored(&bytes), &object, true).unwrap();
        let damaged = |bytes: &[u8], whole| matches!(check(&*stored(bytes), &object, whole), Err(Problem::Damaged(_)));
        assert!(damaged(&[&bytes[..], &[0]].concat(), false), "longer than {length}");
        let mut copy = bytes.clone();
        for at in (0..length).step_by(if length < 1000 { 1 } else { 99_991 }) {
            copy[at] ^= 1;
            assert!(damaged(&copy, true) && damaged(&bytes[..at], false), "byte {at} of {length}");
            copy[at] ^= 1;
        }
        assert!(matches!(check(&*MemoryStore::new(), &object, false), Err(Problem::Damaged(_))));
        let Err(Problem::Failed(fault)) = ObjectReader::open(&*stored(&bytes), &object).map(drop) else { panic!() };
        assert!(fault.to_string().contains("take a savepoint"), "{fault}");
    }
}

#[test]
fn what_the_taker_says_is_no_damage() {
    let (object, bytes) = write(&many(40, 3));
    let store = stored(&bytes);
    let reader = ObjectReader::open(&*store, &object).unwrap();
    let failed = reader.read(ALL_GROUPS, |_| Err(Fault::new("no room")));
    assert!(matches!(failed, Err(Problem::Failed(fault)) if fault.what == "no room"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read(
        entries in proptest::collection::vec(
            (
                any::<u64>(),
                any::<u16>(),
                any::<i64>(),
                proptest::collection::vec(any::<u8>(), 0..200),
                proptest::option::of(prop_oneof![
                    proptest::collection::vec(any::<u8>(), 0..200),
                    (any::<u8>(), 0usize..100_000).prop_map(|(byte, length)| vec![byte; length]),
                ]),
            ),
            0..40,
        ),
        from in 0u32..33_000,
        to in 0u32..33_000,
    ) {
        let (object, bytes) = write(&entries);
        prop_assert_eq!(object.length, bytes.len() as u64);
        let store = stored(&bytes);
        prop_assert_eq!(&read(&*store, &object, ALL_GROUPS).unwrap(), &entries);
        let some: Vec<Owned> =
            entries.iter().filter(|entry| (from..to).contains(&u32::from(group_of(entry.0)))).cloned().collect();
        prop_assert_eq!(read(&*store, &object, from..to).unwrap(), some);
        ObjectReader::open(&*store, &object).unwrap().verify().unwrap();
    }

    #[test]
    fn random_bytes_are_no_object(bytes in proptest::collection::vec(any::<u8>(), 0..300), digest: u64, entries: u64) {
        let object = ObjectRef {
            name: "data/x".into(), form: Form::Entries, length: bytes.len() as u64, digest, first_group: 0, last_group: u16::MAX, entries,
        };
        prop_assert!(ObjectReader::open(&*stored(&bytes), &object).is_err());
    }
}
