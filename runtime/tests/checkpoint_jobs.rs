//! A small job over a store in which things go wrong: crashed at every operation, and frozen at every one while another
//! run of it takes over. What it publishes in the end is always the exact answer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests

mod support;

use pelton::checkpoint::entry::{Entry, Kind};
use pelton::checkpoint::faulty::{Faulty, Mischief};
use pelton::checkpoint::history::History;
use pelton::checkpoint::store::{MemoryStore, Store};
use pelton::prelude::*;
use pelton::{Backend, Restart};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use support::{Feed, Row, Step, feed};

/// A line of the result.
#[derive(Record, Serialize, Clone, Debug)]
struct Line {
    key: u64,
    count: u64,
    sum: u64,
}

pelton::stream! {
    job Sums<Memory> {
        param rows: Feed<Row>;
        param out: PathBuf;
        source all: Row = feed(rows), event_time |r| Timestamp::from_millis(r.at), late_by 0s, ordered_splits;
        let sums = all.key_by(|r| r.key).aggregate((count(), sum(|r| r.value)), emit at_end, unbounded("few keys"));
        let lines = sums.map(|(key, (count, sum))| Line { key, count, sum });
        sink file(lines) = csv(out);
    }
}

/// Rows with pauses: long enough for some checkpoints.
fn rows() -> Feed<Row> {
    let split = |s: u64| {
        let row = |i: u64| Step::Row(Row { key: (s * 40 + i) % 7, at: i as i64, value: s * 40 + i });
        let mut steps: Vec<Step<Row>> = (0..40).map(row).collect();
        (1..5).rev().for_each(|i| steps.insert(i * 8, Step::Busy(Duration::from_millis(3))));
        steps
    };
    Feed::new((0..3).map(split).collect())
}

fn config(store: Arc<dyn Store>, workers: usize) -> Config {
    Config::default()
        .workers(workers)
        .checkpoint_store(Arc::new(store))
        .checkpoint_every(Duration::from_millis(5))
        .restart(Restart::Never)
}

fn sorted(path: &Path) -> Vec<String> {
    let mut lines: Vec<String> = std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn folder() -> PathBuf {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("pelton-crash-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&path).unwrap();
    path
}

fn expected() -> Vec<String> {
    let folder = folder();
    let out = folder.join("out.csv");
    Sums { rows: rows(), out: out.clone() }.run(Config::default().workers(1)).unwrap();
    let lines = sorted(&out);
    std::fs::remove_dir_all(&folder).unwrap();
    lines
}

#[test]
fn a_crash_at_any_operation_of_the_store_loses_nothing() {
    crash_everywhere::<Memory, Memory>();
}

#[test]
fn nor_with_segments() {
    crash_everywhere::<FileSystem, FileSystem>();
}

#[test]
fn nor_where_another_backend_goes_on() {
    crash_everywhere::<Memory, FileSystem>();
    crash_everywhere::<FileSystem, Memory>();
}

/// Crashed on the one backend, gone on from on the other.
fn crash_everywhere<A: Backend, B: Backend>() {
    let expected = expected();
    for mischief in [Mischief::FailBefore, Mischief::FailAfter, Mischief::Short] {
        for at in 1.. {
            let folder = folder();
            let out = folder.join("out.csv");
            let faulty = Faulty::new(MemoryStore::new());
            faulty.crash_at(at, mischief);
            let first = Sums { rows: rows(), out: out.clone() }.run_on::<A>(config(faulty.clone(), 2));
            // What is published is whole, or not there.
            assert!(!out.exists() || sorted(&out) == expected, "{mischief:?} at {at}");
            if first.is_ok() && faulty.operations() < at {
                assert!(at > 12, "the store is asked {at} times: no checkpoint was kept");
                std::fs::remove_dir_all(&folder).unwrap();
                break;
            }
            faulty.revive();
            let workers = 1 + (at % 3) as usize;
            Sums { rows: rows(), out: out.clone() }
                .run_on::<B>(config(faulty.clone(), workers))
                .unwrap_or_else(|error| panic!("{mischief:?} at {at}: {error}\n{:?}", faulty.trace()));
            assert_eq!(sorted(&out), expected, "{mischief:?} at {at}");
            assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "nothing else is left behind");
            std::fs::remove_dir_all(&folder).unwrap();
        }
    }
}

/// The first run hangs at an operation of its store; another one takes over and ends; then the first goes on. It must
/// see that it has nothing to say any more, or have said all before.
#[test]
fn a_run_that_was_frozen_publishes_nothing_after_another_has_taken_over() {
    let expected = expected();
    let mut superseded = 0;
    for at in 1..=24 {
        let folder = folder();
        let out = folder.join("out.csv");
        let store: Arc<dyn Store> = MemoryStore::new();
        let faulty = Faulty::new(store.clone());
        faulty.plan(at, Mischief::FreezeBefore);
        let first = {
            let (out, config) = (out.clone(), config(faulty.clone(), 2));
            std::thread::spawn(move || Sums { rows: rows(), out }.run(config).map(|_| ()))
        };
        let frozen = faulty.wait_until_frozen(Duration::from_secs(2));
        let second = Sums { rows: rows(), out: out.clone() }.run(config(store.clone(), 1));
        if frozen {
            second.unwrap_or_else(|error| panic!("the second run, the first frozen at {at}: {error}"));
            assert_eq!(sorted(&out), expected, "frozen at {at}");
            let published = out.metadata().unwrap().modified().unwrap();
            faulty.wake();
            let first = first.join().unwrap();
            let touched = out.metadata().unwrap().modified().unwrap() != published;
            // Frozen before it had begun, it is a run of its own behind the end of the other one.
            let history = History::read(&*store).unwrap();
            let kinds = history.entries().filter_map(|(_, entry)| entry.as_ref().ok().map(Entry::kind));
            let a_run_behind = kinds.skip_while(|kind| *kind != Kind::Finished).any(|kind| kind == Kind::Attempt);
            assert!(!touched || a_run_behind, "frozen at {at}: published twice; {first:?}\n{:?}", faulty.trace());
            superseded += u32::from(matches!(first, Err(pelton::Error::Superseded { .. })));
        } else {
            let _ = first.join();
        }
        assert_eq!(sorted(&out), expected, "frozen at {at}");
        std::fs::remove_dir_all(&folder).unwrap();
    }
    assert!(superseded > 3, "{superseded} runs were told that another one has taken over");
}
