//! The checkpoints of a job on each backend, damaged one byte, one cut, one object at a time: `verify` finds all of it, and a run of the job
//! gives the exact answer or is refused. (A job without an engine, over every byte: `checkpoint_damage.rs`.)
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod support;

#[cfg(feature = "rocksdb")]
use pelton::RocksDb;
use pelton::checkpoint::history::History;
use pelton::checkpoint::store::{MemoryStore, Store};
use pelton::checkpoint::verify::verify;
use pelton::prelude::*;
use pelton::{Backend, Error, FileSystem, Restart};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use support::place::{Place, blobs};
use support::{Feed, Row, Step, feed};

#[derive(Record, Serialize, Clone, Debug)]
struct Line {
    key: u64,
    start: i64,
    count: u64,
    sum: u64,
}

pelton::stream! {
    job Sums<Memory> {
        param rows: Feed<Row>;
        param out: PathBuf;
        param end: u64;
        source read: Row = feed(rows), event_time |r| Timestamp::from_millis(r.at), late_by 0s, ordered_splits;
        let all = read.inspect(|r| assert!(r.value < end, "this is where it ends"));
        let by = all.key_by(|r| r.key);
        let sums = by.aggregate((count(), sum(|r| r.value)), emit at_end, unbounded("few keys"));
        let hours = by.window(tumbling 1h).aggregate((count(), sum(|r| r.value)));
        let totals = sums.map(|(key, (count, sum))| Line { key, start: -1, count, sum });
        let windows = hours.map(|w| Line { key: w.key, start: w.start.millis(), count: w.value.0, sum: w.value.1 });
        sink file(totals, windows) = csv(out);
        drop hours.late;
    }
}

/// The first run ends at the first row of the last split.
const SPLITS: u64 = 6;
const ROWS: u64 = 8;

fn run<B: Backend>(place: &Place, store: &Arc<dyn Store>, end: u64, pause: Duration) -> Result<(), Error> {
    run_with::<B>(place, config(place, store), end, pause)
}

fn run_with<B: Backend>(place: &Place, config: Config, end: u64, pause: Duration) -> Result<(), Error> {
    let split = |s: u64| {
        let row = |i: u64| Step::Row(Row { key: i % 5, at: 0, value: s * ROWS + i });
        std::iter::once(Step::Dry(pause)).chain((0..ROWS).map(row)).collect()
    };
    let rows = Feed::new((0..SPLITS).map(split).collect());
    Sums { rows, out: place.out(), end }.run_on::<B>(config).map(drop)
}

fn config(place: &Place, store: &Arc<dyn Store>) -> Config {
    Config::default()
        .workers(1)
        .checkpoint_store(Arc::new(store.clone()))
        .checkpoint_every(Duration::from_millis(5))
        .state_dir(place.0.join("state"))
        .state_memory(0)
        .restart(Restart::Never)
}

/// A store of at least two checkpoints with state, the newest of which was not the last.
fn crashed<B: Backend>(place: &Place) -> Arc<MemoryStore> {
    place.crashed(|store, pause| run::<B>(place, store, (SPLITS - 1) * ROWS, pause))
}

/// Whether a run over something damaged goes on; it gives the exact answer, or is refused and publishes nothing.
fn goes_on(place: &Place, expected: &[String], run: impl FnOnce() -> Result<(), Error>, what: &str) -> bool {
    match run() {
        Ok(()) => {
            assert_eq!(place.lines().unwrap(), expected, "{what}");
            true
        }
        Err(error) => {
            assert!(!matches!(error, Error::Panic { .. }), "{what}: {error}");
            assert!(error.to_string().contains("help: "), "{what}: {error}");
            assert_eq!(place.lines(), None, "{what}: nothing is published");
            false
        }
    }
}

fn damaged(store: &dyn Store) -> Vec<String> {
    verify(store).unwrap().damage.into_iter().map(|(damage, _)| damage.object).collect()
}

fn each_damage_is_found_and_none_gives_a_wrong_answer<B: Backend>() {
    let place = Place::new("damage");
    let whole: Arc<dyn Store> = MemoryStore::new();
    run::<B>(&place, &whole, u64::MAX, Duration::ZERO).unwrap();
    let expected = place.lines().unwrap();
    let store = crashed::<B>(&place);
    let files = place.files();
    assert!(verify(&*store).unwrap().is_good());
    let history = History::read(&*store).unwrap();
    let floor = history.floor();
    let kept: Vec<u64> = history.checkpoints().map(|(number, _)| number).filter(|number| *number >= floor).collect();
    let names: BTreeSet<String> = kept
        .iter()
        .flat_map(|number| history.checkpoint(*number).unwrap().objects())
        .map(|object| object.name.clone())
        .chain(
            history
                .entries()
                .map(|(number, _)| number)
                .filter(|number| *number >= floor)
                .map(pelton::checkpoint::entry::name_of),
        )
        .collect();
    let of = |number: u64| history.checkpoint(number).unwrap().objects().map(|object| object.name.clone());
    let head = history.head().unwrap();
    let newest: BTreeSet<String> = of(head).collect();
    let shared: BTreeSet<String> =
        kept.iter().filter(|number| **number != head).flat_map(|number| of(*number)).collect();
    let run_over = |trial: &MemoryStore| {
        place.put_back(&files);
        let store: Arc<dyn Store> = trial.fork();
        // Behind a checkpoint of its own an attempt that meets damage is a failure as any other.
        let restart = Restart::Fixed { pause: Duration::ZERO, at_most: 5 };
        run_with::<B>(&place, config(&place, &store).restart(restart), u64::MAX, Duration::ZERO)
    };
    let (mut went_on, mut refused, mut flipped) = (0, 0, 0);
    let mut try_over = |trial: &MemoryStore, name: &String, how: &str| {
        let what = format!("{name}: {how}");
        let goes_on = goes_on(&place, &expected, || run_over(trial), &what);
        // What the sink has of the damaged one it takes back, so that the run falls back where there is one without the object.
        assert!(goes_on || !newest.contains(name) || shared.contains(name), "{what}: refused");
        if goes_on { went_on += 1 } else { refused += 1 }
    };
    let last = names.iter().filter(|name| name.starts_with("log/")).max().unwrap().clone();
    for name in &names {
        let bytes = store.get(name).unwrap().unwrap();
        // In place, and whole again behind it: a copy of all for each byte would take its time.
        let trial = store.fork();
        // Each byte, of the 20 KB of a database's tables and catalogs too: that takes a few seconds.
        for at in 0..bytes.len() {
            let mut copy = bytes.clone();
            copy[at] ^= 1 << (at % 8);
            trial.put(name, &copy).unwrap();
            assert!(damaged(&*trial).contains(name), "{name}: byte {at}");
            flipped += 1;
            // Whole runs for some: of each place in a small object, of the beginning, the end and here and there in a large one.
            let step = bytes.len().div_ceil(12);
            if newest.contains(name) && (at.is_multiple_of(step) || at + 1 == bytes.len()) {
                try_over(&trial, name, &format!("byte {at}"));
            }
        }
        for length in [0, 1, bytes.len() / 2, bytes.len() - 1] {
            trial.put(name, &bytes[..length]).unwrap();
            assert!(damaged(&*trial).contains(name), "{name}: cut to {length}");
            try_over(&trial, name, &format!("cut to {length}"));
        }
        trial.put(name, &[&bytes[..], &[0]].concat()).unwrap();
        assert!(damaged(&*trial).contains(name), "{name}: longer");
        try_over(&trial, name, "longer");
        trial.delete(name).unwrap();
        // What was the newest entry is not missed by anybody.
        assert!(*name == last || damaged(&*trial).contains(name), "{name}: removed");
        try_over(&trial, name, "removed");
    }
    println!("{}: {flipped} bytes, {went_on} runs went on, {refused} were refused", std::any::type_name::<B>());
    assert!(went_on > 40 && flipped > 1_000, "{went_on} went on, {flipped} bytes");

    // A byte in the middle of each object that the newest has for itself: it falls back, unless somebody has named that one.
    let trial = store.fork();
    let flip = |name: &String| {
        let mut bytes = store.get(name).unwrap().unwrap();
        let at = bytes.len() / 2;
        bytes[at] ^= 1;
        trial.put(name, &bytes).unwrap();
    };
    newest.difference(&shared).for_each(flip);
    assert!(goes_on(&place, &expected, || run_over(&trial), "all of the newest"));
    let named = || {
        place.put_back(&files);
        let store: Arc<dyn Store> = trial.fork();
        run_with::<B>(&place, config(&place, &store).from(head.to_string()), u64::MAX, Duration::ZERO)
    };
    assert!(!goes_on(&place, &expected, named, "the newest, by its number"));
    // Of each that there is: nothing was published yet, so that it begins anew.
    kept.iter().flat_map(|number| of(*number)).collect::<BTreeSet<_>>().iter().for_each(flip);
    assert!(goes_on(&place, &expected, || run_over(&trial), "all of them"));

    // The store itself has been left alone.
    assert!(verify(&*store).unwrap().is_good());
    let store: Arc<dyn Store> = store;
    place.put_back(&files);
    run::<B>(&place, &store, u64::MAX, Duration::ZERO).unwrap();
    assert_eq!(place.lines().unwrap(), expected);
}

#[test]
fn each_damage_to_entries_is_found_and_none_gives_a_wrong_answer() {
    each_damage_is_found_and_none_gives_a_wrong_answer::<Memory>();
}

#[test]
fn each_damage_to_segments_is_found_and_none_gives_a_wrong_answer() {
    each_damage_is_found_and_none_gives_a_wrong_answer::<FileSystem>();
}

#[cfg(feature = "rocksdb")]
#[test]
fn each_damage_to_tables_is_found_and_none_gives_a_wrong_answer() {
    each_damage_is_found_and_none_gives_a_wrong_answer::<RocksDb>();
}

#[test]
fn segments_that_changed_places_are_found() {
    let place = Place::new("places");
    let store = crashed::<FileSystem>(&place);
    let history = History::read(&*store).unwrap();
    let mut names = blobs(&history, history.head().unwrap());
    names.sort();
    let [first, second, ..] = &names[..] else { panic!("{names:?}") };
    let (one, two) = (store.get(first).unwrap().unwrap(), store.get(second).unwrap().unwrap());
    store.put(first, &two).unwrap();
    store.put(second, &one).unwrap();
    assert_eq!(damaged(&*store), [first.clone(), second.clone()]);
}
