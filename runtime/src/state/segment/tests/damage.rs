//! Bytes that are not those that were written: an error, or the right answer from what is intact; never a panic, never a
//! wrong answer.

use super::super::format::{BLOCK_BYTES, HEADER_BYTES, Header};
use super::*;
use std::fs::OpenOptions;
use std::io::{Seek, SeekFrom, Write};

/// Every lookup gives the truth or an error.
fn ask(path: &Path, model: &Model) {
    let Ok(segment) = Segment::open(path) else { return };
    for ((hash, namespace, key), value) in model {
        if let Ok(found) = segment.get(*hash, *namespace, key) {
            assert_eq!(found, Some(says(value)), "{hash:x}");
        }
        if let Ok(found) = segment.get(hash ^ 2, *namespace, key) {
            assert_eq!(found, None);
        }
    }
    if let Ok(range) = segment.range(0..=u64::MAX) {
        let whole: Result<Vec<_>, _> = range.map(|entry| entry.map(owned)).collect();
        assert!(whole.is_err() || whole.unwrap().into_iter().eq(model.clone()));
    }
}

#[test]
fn every_flipped_byte_is_found() {
    let place = Place::new();
    for filter in [false, true] {
        let model = model(70, 7);
        let segment = write(&place.folder("s"), &model, filter);
        let good = std::fs::read(segment.path()).unwrap();
        assert!(good.len() > BLOCK_BYTES + 500);
        let path = place.0.join("flipped.segment");
        std::fs::write(&path, &good).unwrap();
        // In place, since a disk takes its time for thousands of files.
        let mut file = OpenOptions::new().write(true).open(&path).unwrap();
        let mut put = |at: usize, byte: u8| {
            file.seek(SeekFrom::Start(at as u64)).unwrap();
            file.write_all(&[byte]).unwrap();
        };
        for (at, byte) in good.iter().enumerate() {
            put(at, byte ^ 1 << (at % 8));
            let found = Segment::open(&path).and_then(|segment| segment.scrub());
            let fault = found.unwrap_err().to_string();
            assert!(fault.contains("flipped.segment"), "{fault}");
            ask(&path, &model);
            put(at, *byte);
        }
        Segment::open(&path).unwrap().audit().unwrap();
    }
}

#[test]
fn every_cut_is_found_at_once() {
    let (place, model) = (Place::new(), model(70, 8));
    let good = std::fs::read(write(&place.folder("s"), &model, true).path()).unwrap();
    let path = place.0.join("cut.segment");
    std::fs::write(&path, [&good[..], &[0]].concat()).unwrap();
    assert!(Segment::open(&path).is_err());
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(good.len() as u64).unwrap();
    Segment::open(&path).unwrap().audit().unwrap();
    for length in (0..good.len()).rev() {
        file.set_len(length as u64).unwrap();
        let fault = Segment::open(&path).unwrap_err().to_string();
        assert!(fault.contains("cut.segment") && fault.contains("byte"), "{fault}");
    }
    std::fs::remove_file(&path).unwrap();
    assert!(Segment::open(&path).unwrap_err().to_string().contains("cut.segment"));
}

#[test]
fn one_damaged_block_leaves_the_others_readable() {
    let (place, model) = (Place::new(), model(2000, 9));
    let segment = write(&place.folder("s"), &model, false);
    let path = segment.path().to_owned();
    drop(segment);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[3 * BLOCK_BYTES + 17] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let segment = Segment::open(&path).unwrap();
    let get = |id: &Id| segment.get(id.0, id.1, &id.2);
    let damaged = model.keys().filter(|id| get(id).is_err()).count();
    assert!((1..200).contains(&damaged), "{damaged} of {}", model.len());
    let fault = model.keys().find_map(|id| get(id).err()).unwrap().to_string();
    assert!(fault.contains(&format!("byte {}", 3 * BLOCK_BYTES)) && fault.contains("checkpoint"), "{fault}");
}

/// Nonsense under good checksums, as a faulty program would write it.
#[test]
fn nonsense_with_good_checksums_neither_panics_nor_hangs() {
    let (place, model) = (Place::new(), model(60, 10));
    let segment = write(&place.folder("s"), &model, true);
    let good = std::fs::read(segment.path()).unwrap();
    let (header, _) = Header::read(&good, segment.path()).unwrap();
    let layout = header.layout().unwrap();
    let path = place.0.join("nonsense.segment");
    let (rounds, mut found) = (3000u64, 0);
    for round in 0..rounds {
        let (mut bytes, mut header) = (good.clone(), header);
        for i in 0..1 + round % 3 {
            let random = mix(round * 4 + i);
            let content = HEADER_BYTES as u64..layout.checksums;
            let at = (content.start + (random >> 16) % (content.end - content.start)) & !7;
            let word = match random % 4 {
                0 => 0,
                1 => u64::MAX,
                2 => mix(random),
                _ => 1 << (random >> 8 & 63),
            };
            bytes[at as usize..at as usize + 8].copy_from_slice(&word.to_le_bytes());
        }
        let mut checksums = Vec::new();
        for (i, block) in bytes[..layout.checksums as usize].chunks(BLOCK_BYTES).enumerate() {
            let skip = if i == 0 { HEADER_BYTES } else { 0 };
            checksums.extend(crc32fast::hash(&block[skip..]).to_le_bytes());
        }
        header.checksum_of_checksums = crc32fast::hash(&checksums);
        bytes[layout.checksums as usize..].copy_from_slice(&checksums);
        bytes[..HEADER_BYTES].copy_from_slice(&header.write().0);
        std::fs::write(&path, &bytes).unwrap();
        let segment = Segment::open(&path).unwrap();
        segment.scrub().unwrap();
        found += usize::from(segment.audit().is_err());
        for (hash, namespace, key) in model.keys() {
            let _ = segment.get(*hash, *namespace, key);
            let _ = segment.get(hash.wrapping_add(1), *namespace, key);
            let _ = segment.range(*hash..=u64::MAX).map(|mut range| range.next().is_some());
        }
    }
    assert!(found > 1000, "the audit sees most of it: {found} of {rounds}");
}

#[test]
fn bytes_at_random_are_no_segment() {
    let place = Place::new();
    let path = place.0.join("random.segment");
    for length in [0, 1, 127, 128, 129, 200, 5000] {
        let bytes: Vec<u8> = (0..length).map(|i| mix(i ^ length) as u8).collect();
        std::fs::write(&path, bytes).unwrap();
        assert!(Segment::open(&path).is_err());
    }
}
