//! One segment: written, opened, read.

use super::*;

fn check(segment: &Segment, model: &Model) {
    segment.audit().unwrap();
    let all: Model = segment.range(0..=u64::MAX).unwrap().map(|entry| owned(entry.unwrap())).collect();
    assert!(all == *model, "{segment:?}");
    for ((hash, namespace, key), value) in model {
        segment.prefetch(*hash);
        segment.prefetch_entry(*hash, *namespace);
        let found = segment.get(*hash, *namespace, key).unwrap().unwrap();
        assert_eq!(found, says(value));
        assert!(
            !matches!(found, Found::Value(value) if !(value.as_ptr() as usize).is_multiple_of(8)),
            "values are aligned"
        );
        for (hash, namespace, key) in [
            (hash ^ 1, *namespace, &key[..]),
            (hash ^ 1 << 60, *namespace, key),
            (*hash, namespace + 100, key),
            (*hash, *namespace, b"none of the keys"),
        ] {
            if !model.contains_key(&(hash, namespace, key.to_vec())) {
                assert_eq!(segment.get(hash, namespace, key).unwrap(), None);
            }
        }
    }
}

#[test]
fn a_segment_says_what_was_written() {
    let (place, sizes) = (Place::new(), [0, 1, 2, 3, 100, 5000]);
    for (filter, entries) in [false, true].into_iter().flat_map(|filter| sizes.map(|n| (filter, n))) {
        let model = model(entries, 1);
        check(&write(&place.folder("s"), &model, filter), &model);
    }
}

#[test]
fn ranges_give_what_lies_in_them() {
    let (place, model) = (Place::new(), model(3000, 2));
    let segment = write(&place.folder("s"), &model, true);
    let hashes: Vec<u64> = model.keys().map(|id| id.0).collect();
    for i in 0..400u64 {
        let pick = |at: u64| match i % 3 {
            0 => hashes[at as usize % hashes.len()],
            1 => hashes[at as usize % hashes.len()].wrapping_add(1),
            _ => mix(at),
        };
        let (from, to) = (pick(mix(i)), pick(mix(i + 1000)));
        let found: Vec<_> = segment.range(from..=to).unwrap().map(|entry| owned(entry.unwrap()).0).collect();
        let expected: Vec<_> = model.keys().filter(|id| (from..=to).contains(&id.0)).cloned().collect();
        assert_eq!(found, expected, "{from:x}..={to:x}");
    }
}

/// State of a few keys with very many windows each, and what lies beside them, must not be searched one by one.
#[test]
fn many_namespaces_of_one_key_are_found_quickly() {
    let (place, many) = (Place::new(), 20_000);
    let mut model = model(1000, 3);
    let (first, second) = (mix(77), mix(77) + 1);
    for i in 0..many {
        model.insert((first, i * 10, b"busy".to_vec()), Some(i.to_le_bytes().to_vec()));
    }
    // Its home is taken by the ones above.
    model.insert((second, 0, b"near".to_vec()), Some(vec![1]));
    model.insert((first + (1 << 45), 0, b"behind".to_vec()), Some(vec![2]));
    let segment = write(&place.folder("s"), &model, false);
    // Quadratic, this would be some 10^8 steps.
    check(&segment, &model);
    for i in 0..many {
        assert_eq!(segment.get(first, i * 10 + 5, b"busy").unwrap(), None);
        assert_eq!(segment.get(second, 0, b"near").unwrap(), Some(Found::Value(&[1])));
        assert_eq!(segment.get(second, i, b"far").unwrap(), None);
    }
}

#[test]
fn segments_of_a_narrow_range_use_their_index() {
    let place = Place::new();
    for width in [1u64, 10, 1 << 20, 1 << 50] {
        let model: Model =
            (0..2000u64).map(|i| (((1 << 63) + mix(i) % width, i as i64, b"k".to_vec()), Some(vec![7]))).collect();
        check(&write(&place.folder("s"), &model, true), &model);
    }
}

#[test]
fn entries_larger_than_a_block_or_a_buffer_are_kept() {
    let (place, mut model) = (Place::new(), model(20, 4));
    for (i, size) in [4096, 5000, 300_000, 1 << 20].into_iter().enumerate() {
        model.insert((mix(i as u64), 0, vec![i as u8; size / 2]), Some(vec![i as u8 + 1; size]));
    }
    check(&write(&place.folder("s"), &model, true), &model);
}

/// Enough entries for the notes to go to disk.
#[test]
fn large_segments_leave_nothing_but_themselves() {
    let (place, entries) = (Place::new(), 300_000u64);
    let mut hashes: Vec<u64> = (0..entries).map(mix).collect();
    hashes.sort_unstable();
    let mut writer = place.folder("s").create(true).unwrap();
    for (i, hash) in hashes.iter().enumerate() {
        writer.push(&Entry { hash: *hash, namespace: 0, key: b"", value: Some(&[i as u8]) }).unwrap();
    }
    assert_eq!(place.names(), [".s-00000001.segment.part", ".s-00000001.segment.spool"]);
    let segment = Segment::open(&writer.finish().unwrap().path).unwrap();
    assert_eq!(place.names(), ["s-00000001.segment"]);
    segment.audit().unwrap();
    let passed = (0..entries).filter(|i| segment.get(mix(i + entries), 0, b"").unwrap().is_some()).count();
    assert_eq!(passed, 0);
    // What the format says about its size.
    assert!(segment.bytes() < entries * (16 + 8 + 12 + 2), "{segment:?}");
}

#[test]
fn the_filter_lets_few_through() {
    let (place, model) = (Place::new(), model(20_000, 5));
    let segment = write(&place.folder("s"), &model, true);
    let through = (0..100_000).filter(|i| segment.filter_passes(mix(mix(*i)), (i % 4) as i64)).count();
    assert!(through < 6_000, "{through} of 100000");
    assert!(model.keys().all(|id| segment.filter_passes(id.0, id.1)));
}

#[test]
fn entries_out_of_order_and_names_that_are_taken_are_refused() {
    let place = Place::new();
    let folder = place.folder("s");
    let entry = |hash, namespace, key| Entry { hash, namespace, key, value: None };
    for (first, second) in [
        (entry(2, 0, b""), entry(1, 0, b"")),
        (entry(2, 1, b""), entry(2, 0, b"")),
        (entry(2, 1, b"b"), entry(2, 1, b"a")),
        (entry(2, 1, b"b"), entry(2, 1, b"b")),
    ] {
        let mut writer = folder.create(true).unwrap();
        writer.push(&first).unwrap();
        assert!(writer.push(&second).unwrap_err().what.contains("out of order"));
    }
    assert_eq!(place.names(), [""; 0], "writers that were dropped take their files along");
    let path = place.0.join("x.segment");
    std::fs::write(&path, b"x").unwrap();
    assert!(Writer::create(&(Arc::new(OsDisk) as _), &path, true).is_err());
}

/// What version 1 looks like does not change: old files are read for ever.
#[test]
fn version_1_is_written_and_read_as_ever() {
    let kept = include_bytes!("version_1.segment");
    let place = Place::new();
    let model = model(40, 6);
    let segment = write(&place.folder("s"), &model, true);
    if std::env::var_os("PELTON_WRITE_FIXTURES").is_some() {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/state/segment/tests/version_1.segment");
        std::fs::copy(segment.path(), sources).unwrap();
    }
    assert!(std::fs::read(segment.path()).unwrap() == kept, "the bytes of a segment changed");
    let path = place.0.join("old.segment");
    std::fs::write(&path, kept).unwrap();
    check(&Segment::open(&path).unwrap(), &model);
}
