//! What an older version wrote is read: a store of version 1, as it was committed.
//!
//! `PELTON_WRITE_FIXTURES=1 cargo test --test checkpoint_format` writes the store of the present version where there is none.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod checkpoint_kit;

use checkpoint_kit::{Job, World, expected};
use pelton::checkpoint::describe::describe;
use pelton::checkpoint::entry::Entry;
use pelton::checkpoint::history::History;
use pelton::checkpoint::object::{ALL_GROUPS, ObjectReader};
use pelton::checkpoint::store::{LocalStore, MemoryStore, Store};
use pelton::checkpoint::verify::verify;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Once};

const JOB: Job = Job { epochs: 3, keep: 3, finishes: false };

fn fixture() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/checkpoint-v1")
}

/// Two runs, a rewind, every kind of entry.
fn write() {
    use pelton::checkpoint::log::Log;
    let store: Arc<dyn Store> = Arc::new(LocalStore::make(&fixture()).unwrap());
    JOB.run(&store, &World::default()).unwrap();
    let attempt = History::read(&*store).unwrap().attempt(1).unwrap().clone();
    let mut log = Log::begin(Arc::clone(&store), attempt).unwrap();
    log.rewind(Some(2), "to have one in the fixture").unwrap();
    let mut manifest = log.history().checkpoint(2).unwrap().clone();
    manifest.epoch = 2;
    manifest.sources.push(source());
    let number = log.complete(manifest, 3).unwrap();
    log.committing(number).unwrap();
    log.committed(number).unwrap();
    log.finished(9).unwrap();
}

fn source() -> pelton::checkpoint::manifest::SourceState {
    use pelton::checkpoint::manifest::{SourceState, SplitState};
    let split = SplitState {
        id: 4,
        detail: b"a.csv".to_vec(),
        bytes: Some(1000),
        position: vec![1, 2],
        watermark: -5,
        rows: 77,
    };
    SourceState { id: "numbers".into(), enumerator: vec![9], splits: vec![split], reached: 12 }
}

/// The fixture, in memory, so that nothing writes into it.
fn stored() -> Arc<dyn Store> {
    static WRITTEN: Once = Once::new();
    WRITTEN.call_once(|| {
        if std::env::var_os("PELTON_WRITE_FIXTURES").is_some() && !fixture().exists() {
            write();
        }
    });
    let (from, to) = (LocalStore::open(&fixture()).unwrap(), MemoryStore::new());
    for listed in from.list("").unwrap() {
        to.put(&listed.name, &from.get(&listed.name).unwrap().unwrap()).unwrap();
    }
    to
}

#[test]
fn version_1_is_whole_and_says_what_it_said() {
    let store = stored();
    let report = verify(&*store).unwrap();
    assert!(report.is_good() && report.strays.is_empty(), "{report}");
    assert_eq!((report.entries, report.checkpoints, report.objects), (16, 4, 3));
    let kinds: BTreeSet<String> = History::read(&*store)
        .unwrap()
        .entries()
        .map(|(_, entry)| entry.as_ref().unwrap().kind().to_string())
        .collect();
    assert_eq!(kinds.len(), 6, "each kind of entry is in it: {kinds:?}");
    let text = describe(&*store).unwrap().to_string();
    let (_, text) = text.split_once(": ").unwrap();
    assert_eq!(
        text,
        "job `Counting`, 2 runs, the last one 11 with 1 workers, ended
  13: epoch 2, committed, run 11 with 1 workers, 93 bytes (0 of its own)
     `sums`: 1 entries in 1 objects, 93 bytes
       Value sum: u8 -> u64
  8: epoch 3, abandoned, run 1 with 1 workers, 279 bytes (93 of its own)
     `sums`: 3 entries in 3 objects, 279 bytes
       Value sum: u8 -> u64
  5: epoch 2, abandoned, run 1 with 1 workers, 186 bytes (93 of its own)
     `sums`: 2 entries in 2 objects, 186 bytes
       Value sum: u8 -> u64
  2: epoch 1, committed, run 1 with 1 workers, 93 bytes (93 of its own)
     `sums`: 1 entries in 1 objects, 93 bytes
       Value sum: u8 -> u64"
    );
}

#[test]
fn the_parts_of_version_1_are_read_as_they_were_written() {
    let store = stored();
    let history = History::read(&*store).unwrap();
    assert_eq!(history.checkpoint(13).unwrap().sources, [source()]);
    let Some((_, Ok(Entry::Attempt(attempt)))) = history.entries().next() else { panic!("the first is an attempt") };
    assert_eq!((&*attempt.job, attempt.width, attempt.plan, attempt.time), ("Counting", 1, 7, 1));
    assert_eq!(attempt.params, [("input".to_owned(), "numbers".to_owned())]);
    let manifest = history.checkpoint(8).unwrap();
    let mut entries = Vec::new();
    for object in manifest.objects() {
        let reader = ObjectReader::open(&*store, object).unwrap();
        let read = reader.read(ALL_GROUPS, |e| {
            entries.push((e.state, e.namespace, e.key.to_vec(), e.value.map(<[u8]>::to_vec)));
            Ok(())
        });
        read.unwrap();
    }
    let value = |epoch: u64| Some((epoch * 1000 + 1).to_le_bytes().to_vec());
    let expected: Vec<_> = (1..=3).map(|epoch| (0, 0, vec![epoch as u8], value(epoch))).collect();
    assert_eq!(entries, expected);
}

#[test]
fn a_job_goes_on_from_version_1() {
    let store = stored();
    // As if the last run had not come.
    for number in 11..=16 {
        store.delete(&format!("log/{number:020}")).unwrap();
    }
    let job = Job { epochs: 5, ..JOB };
    let world = World::default();
    job.run(&store, &world).unwrap();
    // The third epoch is committed once more, and the others were published before.
    assert_eq!(world.rows(), expected(job)[2..]);
}
