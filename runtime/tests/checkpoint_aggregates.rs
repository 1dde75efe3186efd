//! Every ready-made word on state that was kept: a run that fails and goes on gives what an undisturbed one gives, on every
//! backend, also with another number of workers.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod support;

use pelton::checkpoint::store::{MemoryStore, Store};
use pelton::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use support::{Feed, Row, Step, feed};

#[derive(Record, Clone, Debug, PartialEq)]
struct Ends {
    to: u64,
    from: u64,
    best: Vec<Row>,
    all: Vec<u64>,
}

type Numbers = (u64, u64, f64, [f64; 2]);

pelton::stream! {
    job Words<Memory> {
        param rows: Feed<Row>;
        param panics: Arc<AtomicU64>;

        source all: Row = feed(rows), event_time |r| Timestamp::from_millis(r.at), late_by 1min, ordered_splits;
        let passed = all.rebalance().inspect(|r| assert!(r.value != 150 || panics.fetch_sub(1, Ordering::Relaxed) == 0, "row 150"));
        let keyed = passed.key_by(|r| r.key);
        let ends: (u64, Ends) = keyed.aggregate(
            Ends {
                from: first(|r| r.value, tie |r| r.value),
                to: last(|r| r.value, tie |r| r.value),
                best: top(3, by |r| r.value % 50),
                all: collect(|r| r.value, tie |r| r.value),
            },
            emit at_end, unbounded("few"),
        );
        let numbers: (u64, Numbers) = keyed.aggregate(
            (count_distinct(|r| r.value / 2), approx_count_distinct(|r| r.value / 2), variance(|r| r.value), quantiles([0.1, 0.9], |r| r.value)),
            emit at_end, unbounded("few"),
        );
        let windows: (u64, i64, Ends) = keyed.window(tumbling 1min)
            .aggregate(Ends { to: last(|r| r.value), from: first(|r| r.value), best: top(1, by |r| r.value), all: collect(|r| r.value) })
            .map(|w| (w.key, w.start.millis(), w.value));
        sink a(ends) = collect();
        sink b(numbers) = collect();
        sink c(windows) = collect();
        drop windows.late;
    }
}

/// Splits of some rows with a pause in each.
fn rows() -> Feed<Row> {
    let row = |n: u64| Step::Row(Row { key: n % 3, at: (n / 4 * 3000) as i64, value: n });
    let split =
        |s: u64| std::iter::once(Step::Busy(Duration::from_millis(4))).chain((s * 10..s * 10 + 10).map(row)).collect();
    Feed::new((0..20).map(split).collect())
}

fn run<B: pelton::Backend>(panics: u64, workers: usize) -> WordsResults {
    let store: Arc<dyn Store> = MemoryStore::new();
    let config = Config::default().workers(workers).checkpoint_store(Arc::new(store));
    let config = config
        .checkpoint_every(Duration::from_millis(3))
        .restart(pelton::Restart::Fixed { pause: Duration::from_millis(1), at_most: 5 });
    let left = Arc::new(AtomicU64::new(panics));
    let mut results = Words { rows: rows(), panics: left.clone() }.run_on::<B>(config).unwrap();
    assert_eq!(left.load(Ordering::Relaxed), u64::MAX, "it has failed as often as it should");
    results.a.sort_by_key(|r| r.0);
    results.b.sort_by_key(|r| r.0);
    results.c.sort_by_key(|r| (r.0, r.1));
    results
}

#[track_caller]
fn same(found: &WordsResults, expected: &WordsResults) {
    assert_eq!((&found.a, &found.c), (&expected.a, &expected.c));
    for ((key, found), (same, expected)) in found.b.iter().zip(&expected.b) {
        assert_eq!((key, found.0, found.1, found.3), (same, expected.0, expected.1, expected.3));
        assert!((found.2 - expected.2).abs() < 1e-9 * expected.2);
    }
}

#[test]
fn what_was_kept_is_what_it_was() {
    let expected = run::<Memory>(0, 1);
    assert_eq!((expected.a.len(), expected.b.len()), (3, 3));
    for workers in 1..=3 {
        same(&run::<Memory>(3, workers), &expected);
        same(&run::<FileSystem>(3, workers), &expected);
    }
}
