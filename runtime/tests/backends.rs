//! Windows and aggregates on every backend: what fails and goes on, at any width and on another backend, gives what an
//! undisturbed run on the heap gives. (Processes: `process_checkpoints.rs`; every operation of the store: `checkpoint_jobs.rs`.)
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod support;

use pelton::checkpoint::store::{MemoryStore, Store};
use pelton::prelude::*;
use pelton::{Backend, Restart};
use std::sync::Arc;
use std::time::Duration;
use support::place::crashed;
use support::{Feed, Row, Step, Trap, feed, sorted};

type Board = (u64, i64, u64, u64, u32);

pelton::stream! {
    job Mixed<Memory> {
        param rows: Feed<Row>;
        param trap: Trap;

        source all: Row = feed(rows), event_time |r| Timestamp::from_millis(r.at), late_by 50ms, ordered_splits;
        let passed = all.inspect(|_| trap.pass());
        let once = passed.key_by(|r| r.key).window(tumbling 100ms).aggregate((count(), sum(|r| r.value)));
        let again = passed.key_by(|r| r.key % 50).window(tumbling 200ms, allow_late 300ms, refire).aggregate((count(), max(|r| r.value)));
        let words = passed.key_by(|r| format!("key {}", r.key)).aggregate((count(), sum(|r| r.value)), emit at_end, unbounded("few keys"));
        let last = passed.key_by(|r| r.key).reduce(|a, b| if a.value < b.value { b } else { a }, emit at_end, ttl 10min);
        let folded = passed.key_by(|r| r.key % 7).fold(Vec::new(), |all: &mut Vec<u64>, r| if r.value % 40 == 0 { all.push(r.value) }, emit at_end, unbounded("few keys"));
        let boards: Board = once.map(|w| (w.key, w.start.millis(), w.value.0, w.value.1, w.firing));
        let refired: Board = again.map(|w| (w.key, w.start.millis(), w.value.0, w.value.1, w.firing));
        let counts: (String, (u64, u64)) = words.map(|(word, n)| (word.to_owned(), n));
        let latest: (u64, u64) = last.map(|(k, r)| (k, r.value));
        let lists: (u64, Vec<u64>) = folded.map(|(k, all)| (k, { let mut all = all; all.sort(); all }));
        sink a(boards) = collect();
        sink b(refired) = collect();
        sink c(counts) = collect();
        sink d(latest) = collect();
        sink e(lists) = collect();
        drop once.late, again.late;
    }
}

/// Rows in the order of time, but for a few that lie behind by less than is waited for.
fn script(splits: u64, rows: u64) -> Feed<Row> {
    paced(splits, rows, Step::Busy(Duration::from_millis(3)))
}

/// Does this between 250 rows of a split and the next 250.
fn paced(splits: u64, rows: u64, between: Step<Row>) -> Feed<Row> {
    let split = |s: u64| {
        let row = |i: u64| {
            let n = s * rows + i;
            let late = if n.is_multiple_of(17) { 40 } else { 0 };
            Step::Row(Row { key: n * 7919 % 499, at: (n / 4) as i64 - late, value: n })
        };
        let mut steps: Vec<Step<Row>> = (0..rows).map(row).collect();
        (1..rows / 250).rev().for_each(|i| steps.insert((i * 250) as usize, between.clone()));
        steps
    };
    Feed::new((0..splits).map(split).collect())
}

#[derive(Debug, PartialEq)]
struct Results {
    boards: Vec<Board>,
    refired: Vec<Board>,
    counts: Vec<(String, (u64, u64))>,
    latest: Vec<(u64, u64)>,
    lists: Vec<(u64, Vec<u64>)>,
}

fn run<B: Backend>(rows: Feed<Row>, trap: Trap, config: Config) -> Results {
    let results = Mixed { rows, trap }.run_on::<B>(config).unwrap();
    assert_eq!(results.summary.late, 0);
    // How often a window is told again depends on how rows of several senders come together; its last word does not.
    let mut last = std::collections::BTreeMap::new();
    for row in sorted(results.b) {
        let known = last.entry((row.0, row.1)).or_insert((row.2, row.3));
        *known = (known.0.max(row.2), known.1.max(row.3));
    }
    Results {
        boards: sorted(results.a),
        refired: last.into_iter().map(|((key, start), (count, most))| (key, start, count, most, 0)).collect(),
        counts: sorted(results.c),
        latest: sorted(results.d),
        lists: sorted(results.e),
    }
}

fn config(workers: usize, store: &Arc<dyn Store>) -> Config {
    Config::default()
        .workers(workers)
        .checkpoint_store(Arc::new(store.clone()))
        .checkpoint_every(Duration::from_millis(10))
        // Where there is something below, nothing stays in memory that need not.
        .state_memory(0)
        .restart(Restart::Fixed { pause: Duration::ZERO, at_most: 1000 })
}

fn same(found: &Results, expected: &Results, what: &str) {
    let other = found.boards.iter().zip(&expected.boards).find(|(a, b)| a != b);
    assert_eq!((other, found.boards.len()), (None, expected.boards.len()), "{what}");
    let other = found.refired.iter().zip(&expected.refired).find(|(a, b)| a != b);
    assert_eq!((other, found.refired.len()), (None, expected.refired.len()), "{what}");
    assert!(
        found.counts == expected.counts && found.latest == expected.latest && found.lists == expected.lists,
        "{what}"
    );
}

fn fails_again_and_again<B: Backend>() {
    let rows = script(6, 4_000);
    let undisturbed = run::<Memory>(rows.clone(), Trap::new(1, 0), Config::default().workers(1));
    assert!(undisturbed.boards.len() > 10_000, "{}", undisturbed.boards.len());
    for workers in 1..=3 {
        let plain = run::<B>(rows.clone(), Trap::new(1, 0), Config::default().workers(workers));
        same(&plain, &undisturbed, &format!("{}, undisturbed, {workers} workers", B::NAME));
        let trap = Trap::new(3_000, 6);
        let found = run::<B>(rows.clone(), trap, config(workers, &(MemoryStore::new() as Arc<dyn Store>)));
        same(&found, &undisturbed, &format!("{}, {workers} workers", B::NAME));
    }
}

#[test]
fn memory_gives_what_an_undisturbed_run_gives() {
    fails_again_and_again::<Memory>();
}

#[test]
fn so_do_segments() {
    fails_again_and_again::<FileSystem>();
}

#[cfg(feature = "rocksdb")]
#[test]
fn so_does_a_database() {
    fails_again_and_again::<RocksDb>();
}

/// What the first run gave out before its last checkpoint is not told again, so the totals at the end are what is compared.
fn goes_on<A: Backend, B: Backend>() {
    let rows = script(6, 4_000);
    let undisturbed = run::<Memory>(rows.clone(), Trap::new(1, 0), Config::default().workers(1));
    for (first, second) in [(1, 3), (3, 2), (2, 7), (7, 1)] {
        let store = crashed(|store, pause| {
            let job = Mixed { rows: paced(6, 4_000, Step::Dry(pause)), trap: Trap::new(17_000, 1) };
            job.run_on::<A>(config(first, store).restart(Restart::Never)).map(drop)
        });
        let seen = Trap::new(1, 0);
        let found = run::<B>(rows.clone(), seen.clone(), config(second, &(store as Arc<dyn Store>)));
        let what = format!("from {first} workers on {} to {second} on {}", A::NAME, B::NAME);
        assert!(found.counts == undisturbed.counts, "{what}: counts");
        assert!(found.latest == undisturbed.latest && found.lists == undisturbed.lists, "{what}");
        let other = found.boards.iter().find(|row| undisturbed.boards.binary_search(row).is_err());
        let near: Vec<_> =
            other.iter().flat_map(|o| undisturbed.boards.iter().filter(|b| (b.0, b.1) == (o.0, o.1))).collect();
        assert_eq!(other, None, "{what}: {near:?}");
        assert!(seen.seen() < 24_000, "{what}: it began anew");
        let ends = |boards: &[Board]| boards.iter().filter(|row| row.1 >= 5_000).copied().collect::<Vec<_>>();
        assert!(ends(&found.boards) == ends(&undisturbed.boards), "{what}: the last windows");
    }
}

#[test]
fn what_one_backend_kept_another_goes_on_from() {
    goes_on::<Memory, Memory>();
    goes_on::<FileSystem, FileSystem>();
    goes_on::<Memory, FileSystem>();
    goes_on::<FileSystem, Memory>();
}

#[cfg(feature = "rocksdb")]
#[test]
fn nor_does_it_matter_where_one_of_them_is_a_database() {
    goes_on::<RocksDb, RocksDb>();
    goes_on::<FileSystem, RocksDb>();
    goes_on::<RocksDb, Memory>();
}
