//! Segments against a map in memory, damaged at every byte, and crashed at every operation of the disk.

mod crash;
mod damage;
mod levels;
mod reader;

use super::*;
use crate::hash::mix;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A folder that goes with the test.
struct Place(PathBuf);

impl Place {
    fn new() -> Place {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("pelton-segment-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Place(path)
    }
    fn folder(&self, stem: &str) -> Folder {
        Folder::open(Arc::new(OsDisk), &self.0, stem).unwrap()
    }
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.0.read_dir().unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Hash, namespace, key.
type Id = (u64, i64, Vec<u8>);
/// A value, or that there is none any more.
type Model = BTreeMap<Id, Option<Vec<u8>>>;

fn write(folder: &Folder, model: &Model, filter: bool) -> Segment {
    let mut writer = folder.create(filter).unwrap();
    for ((hash, namespace, key), value) in model {
        writer.push(&Entry { hash: *hash, namespace: *namespace, key, value: value.as_deref() }).unwrap();
    }
    let written = writer.finish().unwrap();
    let segment = Segment::open(&written.path).unwrap();
    assert_eq!(written.bytes, std::fs::metadata(&written.path).unwrap().len());
    assert_eq!((segment.bytes(), segment.identity()), (written.bytes, written.identity));
    assert_eq!((segment.entries(), segment.deletions()), (written.entries, written.deletions));
    segment
}

/// Keys of all lengths, every tenth deleted, several namespaces.
fn model(entries: u64, seed: u64) -> Model {
    (0..entries)
        .map(|i| {
            let random = mix(i ^ seed << 40);
            let key = random.to_le_bytes().repeat(2)[..(random % 16) as usize].to_vec();
            let value = (i % 10 != 0).then(|| vec![i as u8; (random >> 8) as usize % 70]);
            ((mix(random), (i % 4) as i64 - 1, key), value)
        })
        .collect()
}

/// What a model says once deletions are left out.
fn alive(model: &Model) -> Vec<(Id, Vec<u8>)> {
    model.iter().filter_map(|(id, value)| Some((id.clone(), value.clone()?))).collect()
}

fn says(value: &Option<Vec<u8>>) -> Found<'_> {
    value.as_ref().map_or(Found::Deleted, |value| Found::Value(value))
}

fn owned(entry: Entry<'_>) -> (Id, Option<Vec<u8>>) {
    ((entry.hash, entry.namespace, entry.key.to_vec()), entry.value.map(<[u8]>::to_vec))
}
