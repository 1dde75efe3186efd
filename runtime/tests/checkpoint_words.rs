//! What the block says of checkpoints and restarts is what runs do, unless they are told otherwise.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod support;

use pelton::Restart;
use pelton::checkpoint::history::History;
use pelton::checkpoint::store::{MemoryStore, Store};
use pelton::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use support::{Feed, Row, Step, feed};

pelton::stream! {
    job Patient<Memory> {
        param rows: Feed<Row>;
        param panics: Arc<AtomicU64>;

        checkpoint every 3ms, keep 5, timeout 1min, pause 1ms, tolerate 0;
        restart fixed 1ms, at_most 3;

        source all: Row = feed(rows);
        let passed = all.inspect(|r| assert!(r.value != 150 || panics.fetch_sub(1, Ordering::Relaxed) == 0, "row 150"));
        let sums: (u64, u64) = passed.key_by(|r| r.key).aggregate(sum(|r| r.value), emit at_end, unbounded("few"));
        sink out(sums) = collect();
    }
    job Hasty<Memory> {
        param rows: Feed<Row>;

        restart none;

        source all: Row = feed(rows);
        let sums: (u64, u64) = all
            .inspect(|r| assert!(r.value != 150, "row 150"))
            .key_by(|r| r.key).aggregate(sum(|r| r.value), emit at_end, unbounded("few"));
        sink out(sums) = collect();
    }
}

/// Splits of some rows with a pause in each.
fn rows() -> Feed<Row> {
    let row = |n: u64| Step::Row(Row { key: n % 3, at: 0, value: n });
    let split =
        |s: u64| std::iter::once(Step::Busy(Duration::from_millis(4))).chain((s * 10..s * 10 + 10).map(row)).collect();
    Feed::new((0..20).map(split).collect())
}

fn config(store: &Arc<dyn Store>) -> Config {
    Config::default().workers(1).checkpoint_store(Arc::new(store.clone()))
}

/// Runs with so many failures ahead; gives how many are left, and how many checkpoints are kept.
fn run(panics: u64, change: impl Fn(Config) -> Config) -> (bool, u64, usize) {
    let store: Arc<dyn Store> = MemoryStore::new();
    let left = Arc::new(AtomicU64::new(panics));
    let ended = Patient { rows: rows(), panics: left.clone() }.run(change(config(&store)));
    // One that has ended well is not gone on from; those of its run are still there.
    let kept = History::read(&*store).unwrap().valid().len();
    let left = left.load(Ordering::Relaxed);
    (ended.is_ok(), if left == u64::MAX { 0 } else { left }, kept)
}

#[test]
fn a_run_restarts_as_often_as_the_block_says() {
    assert!(run(3, |config| config).0);
    let (well, left, _) = run(5, |config| config);
    assert_eq!((well, left), (false, 1), "it has failed four times and gone on three times");
    let (well, left, _) = run(5, |config| config.restart(Restart::Never));
    assert_eq!((well, left), (false, 4), "the settings of a run come first");
    let store: Arc<dyn Store> = MemoryStore::new();
    assert!(Hasty { rows: rows() }.run(config(&store)).is_err(), "or it would fail for ever");
}

#[test]
fn as_many_checkpoints_are_kept_as_the_block_says_and_as_often() {
    // Without its words there would be one each second, and none in a run as short as this.
    let (well, _, kept) = run(0, |config| config);
    assert!(well && kept > 2, "{kept} are kept");
    let (well, _, kept) = run(0, |config| config.keep_checkpoints(1));
    // And those that the last sweep has left.
    assert!(well && kept <= 3, "{kept} are kept");
    let (well, _, kept) = run(0, |config| config.checkpoint_every(Duration::from_secs(3600)));
    assert!(well && kept <= 1, "{kept} are kept");
}
