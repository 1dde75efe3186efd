//! What the tests of the engine share: a source that does what it is told ([`feed`]), a sink that keeps a diary
//! ([`probe`]), and a watch over runs that hang ([`watch`]).
//!
//! Every test binary uses a part of it.
#![allow(dead_code, unused_imports)]

pub mod feed;
pub mod place;
pub mod probe;
pub mod trap;
pub mod watch;

pub use feed::{Feed, Step, feed};
pub use probe::{Diary, Event, Probe, Trouble, probe};
pub use trap::Trap;
pub use watch::{within, within_a_minute};

use pelton::{Config, Record};
use std::time::Duration;

/// The row of most tests. `value` is unlike that of any other row, so that sums tell rows apart.
#[derive(Record, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    pub key: u64,
    /// Event time in ms.
    pub at: i64,
    pub value: u64,
}

/// How an engine can be set up that should make no difference to results.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    pub workers: usize,
    pub frame_rows: Option<usize>,
    pub wire: bool,
}

impl Setup {
    pub fn config(self) -> Config {
        let config = Config::default().workers(self.workers).wire(self.wire).stop_timeout(Duration::from_secs(5));
        match self.frame_rows {
            Some(rows) => config.frame_rows(rows),
            None => config,
        }
    }
}

/// Every setup that a result has to be the same under.
pub fn setups() -> Vec<Setup> {
    let mut all = Vec::new();
    for workers in [1, 2, 3] {
        for frame_rows in [Some(1), Some(7), Some(64), Some(4096), None] {
            for wire in [false, true] {
                // One worker has no exchange to cross.
                if !(wire && workers == 1) {
                    all.push(Setup { workers, frame_rows, wire });
                }
            }
        }
    }
    all
}

/// Setups of one worker.
pub fn alone() -> Vec<Setup> {
    [Some(1), Some(7), Some(64), Some(4096), None]
        .map(|frame_rows| Setup { workers: 1, frame_rows, wire: false })
        .to_vec()
}

/// Sorted.
pub fn sorted<T: Ord>(rows: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut rows: Vec<T> = rows.into_iter().collect();
    rows.sort();
    rows
}

/// Objects are checked by a pool that all runs of the process share: one that hangs in it, because a test has frozen it, must leave some
/// of it to the others. To be called before anything else is.
pub fn roomy_pool() {
    // Another test has made it.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(64).build_global();
}

/// Three splits with rows of seven keys. If they wait, it is for a barrier of a checkpoint, twice in each: so there are some checkpoints,
/// however slow or busy the machine is.
pub fn splits(wait: bool) -> Feed<Row> {
    let split = |s: u64| {
        let row = |i: u64| Step::Row(Row { key: (s * 40 + i) % 7, at: i as i64, value: s * 40 + i });
        let mut steps: Vec<Step<Row>> = (0..40).map(row).collect();
        if wait {
            [25, 12].iter().for_each(|i| steps.insert(*i, Step::Barrier));
        }
        steps
    };
    Feed::new((0..3).map(split).collect())
}

/// A folder for files of state, which nobody needs after a crash: in memory, where the machine has such a place.
pub fn in_memory() -> std::path::PathBuf {
    let memory = std::path::Path::new("/dev/shm");
    if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() }
}
