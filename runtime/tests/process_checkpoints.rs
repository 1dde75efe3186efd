//! A `process` that fails and goes on from checkpoints, at any width, gives what an undisturbed one gives: its states, its
//! timers and the rows that wait for the watermark are all in them.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod support;

use pelton::checkpoint::store::{MemoryStore, Store};
use pelton::prelude::*;
use pelton::{Backend, Restart};
use std::sync::Arc;
use std::time::Duration;
use support::place::crashed;
use support::{Feed, Row, Step, Trap, feed};

pelton::stream! {
    job Sessions<Memory> {
        param rows: Feed<Row>;
        param trap: Trap;

        source all: Row = feed(rows), event_time |r| Timestamp::from_millis(r.at), late_by 200ms, ordered_splits;
        let passed = all.inspect(|_| trap.pass());
        let keyed = passed.key_by(|r| r.key);
        let sessions: (u64, i64, String) = keyed.process {
            in_order;
            state count: Value<u64>, unbounded("few keys");
            state recent: List<u64>, ttl 40ms;
            state by_last: Map<u64, u64>, ttl 300ms;
            state stats: Aggregating<Row> = (sum(|r| r.value), max(|r| r.at)), ttl 1s;
            timer gap: event_time;
            timer tick: event_time;

            on event(r, cx) {
                count.update(|n| n + 1);
                recent.push(r.value);
                by_last.update(&(r.value % 10), |n| n + 1);
                stats.add(&r);
                cx.set(gap, cx.time() + 60ms);
                if cx.due(tick).is_none() {
                    cx.set(tick, cx.time() + 500ms);
                }
                if r.value % 50 == 0 {
                    let recent: Vec<u64> = recent.iter().copied().collect();
                    cx.emit((r.key, r.at, format!("{recent:?}")));
                }
            }
            on timer gap(at, cx) {
                let (count, by) = (count.take().unwrap_or(0), by_last.iter().map(|(k, n)| (*k, *n)).collect::<Vec<_>>());
                cx.emit((cx.key(), at.millis(), format!("{count} rows, {by:?}")));
            }
            on timer tick(at, cx) {
                cx.emit((cx.key(), at.millis(), format!("{:?}", stats.take())));
            }
            on end(cx) {
                cx.emit((cx.key(), -1, format!("{:?} {}", count.get(), recent.len())));
            }
        };
        let totals: (u64, u64) = keyed.aggregate(count(), emit at_end, unbounded("few keys"));
        sink out(sessions) = collect();
        sink counts(totals) = collect();
        drop sessions.late;
    }
}

/// Rows of several splits, out of order by less than is waited for; keys come in bursts.
fn script(splits: u64, rows: u64) -> Feed<Row> {
    paced(splits, rows, Step::Busy(Duration::from_millis(2)))
}

/// Does this between 200 rows of a split and the next 200.
fn paced(splits: u64, rows: u64, between: Step<Row>) -> Feed<Row> {
    let split = |s: u64| {
        let row = |i: u64| {
            let n = s * rows + i;
            let at = (n / 4) as i64;
            Step::Row(Row { key: n * 7919 % 13 + n / 500 % 7 * 13, at: at - (n * 31 % 150) as i64, value: n % 1000 })
        };
        let mut steps: Vec<Step<Row>> = (0..rows).map(row).collect();
        (1..rows / 200).rev().for_each(|i| steps.insert((i * 200) as usize, between.clone()));
        steps
    };
    Feed::new((0..splits).map(split).collect())
}

type Results = (Vec<(u64, i64, String)>, Vec<(u64, u64)>);

fn run<B: Backend>(rows: Feed<Row>, trap: Trap, config: Config) -> Results {
    let mut results = Sessions { rows, trap }.run_on::<B>(config).unwrap();
    assert_eq!(results.summary.late, 0);
    results.out.sort();
    results.counts.sort();
    (results.out, results.counts)
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

#[track_caller]
fn same(found: Results, expected: &Results, what: &str) {
    let other = found.0.iter().zip(&expected.0).find(|(a, b)| a != b);
    assert_eq!((other, found.0.len()), (None, expected.0.len()), "{what}");
    assert_eq!(found.1, expected.1, "{what}");
}

#[test]
fn a_process_that_fails_again_and_again_gives_what_an_undisturbed_one_gives() {
    fails_again_and_again::<Memory>();
}

#[test]
fn it_does_so_over_segments() {
    fails_again_and_again::<FileSystem>();
}

#[cfg(feature = "rocksdb")]
#[test]
fn it_does_so_over_a_database() {
    fails_again_and_again::<RocksDb>();
    goes_on_at_another_width::<RocksDb, RocksDb>();
    goes_on_at_another_width::<FileSystem, RocksDb>();
    goes_on_at_another_width::<RocksDb, Memory>();
}

fn fails_again_and_again<B: Backend>() {
    let rows = script(6, 4_000);
    let undisturbed = run::<Memory>(rows.clone(), Trap::new(1, 0), Config::default().workers(1));
    assert!(undisturbed.0.len() > 1000, "{}", undisturbed.0.len());
    for workers in 1..=3 {
        let plain = run::<B>(rows.clone(), Trap::new(1, 0), Config::default().workers(workers).wire(true));
        same(plain, &undisturbed, &format!("undisturbed, {workers} workers"));
        let trap = Trap::new(2_000, 8);
        let store = MemoryStore::new() as Arc<dyn Store>;
        let results = run::<B>(rows.clone(), trap.clone(), config(workers, &store));
        assert_eq!(trap.left(), 0, "it has failed as often as it was to");
        same(results, &undisturbed, &format!("{workers} workers"));
    }
}

#[test]
fn a_process_goes_on_at_another_width() {
    goes_on_at_another_width::<Memory, Memory>();
}

#[test]
fn it_does_so_on_another_backend() {
    goes_on_at_another_width::<FileSystem, FileSystem>();
    goes_on_at_another_width::<Memory, FileSystem>();
    goes_on_at_another_width::<FileSystem, Memory>();
}

fn goes_on_at_another_width<A: Backend, B: Backend>() {
    let rows = script(6, 4_000);
    let undisturbed = run::<Memory>(rows.clone(), Trap::new(1, 0), Config::default().workers(1));
    for (first, second) in [(1, 3), (3, 1), (2, 5)] {
        let store = crashed(|store, pause| {
            let job = Sessions { rows: paced(6, 4_000, Step::Dry(pause)), trap: Trap::new(12_000, 1) };
            job.run_on::<A>(config(first, store).restart(Restart::Never)).map(drop)
        });
        let seen = Trap::new(1, 0);
        let found = run::<B>(rows.clone(), seen.clone(), config(second, &(store as Arc<dyn Store>)));
        // What was given out before the last checkpoint was the first run's to keep.
        let what = format!("from {first} workers on {} to {second} on {}", A::NAME, B::NAME);
        let other = found.0.iter().find(|row| undisturbed.0.binary_search(row).is_err());
        assert_eq!(other, None, "{what}");
        let tail = |rows: &[(u64, i64, String)]| -> Vec<(u64, i64, String)> {
            rows.iter().filter(|row| row.1 == -1 || row.1 > 4_000).cloned().collect()
        };
        let (found_rows, all, behind) = (found.0.len(), undisturbed.0.len(), tail(&undisturbed.0).len());
        assert!(seen.seen() < 24_000, "{what}: it began anew");
        assert!(found_rows <= all && behind > 200, "{found_rows} of {all} rows, {behind} of them at the end");
        same((tail(&found.0), found.1), &(tail(&undisturbed.0), undisturbed.1.clone()), &what);
    }
}
