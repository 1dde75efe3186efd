//! [`Files`]: where the operators of one attempt keep files, for backends that have some, and when those go.
//!
//! Nothing there is needed once the attempt has ended: what a checkpoint names is in its store.

use crate::checkpoint::object::{groups_of, hashes_of};
use crate::config::Config;
use crate::error::Fault;
use crate::state::Backend;
use crate::state::backend::{Place, Shared};
use crate::state::segment::Merger;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The files of an attempt. Nothing is made before an operator asks.
pub struct Files {
    /// A folder of this attempt's alone.
    folder: PathBuf,
    next: AtomicU32,
    merger: Mutex<Option<Merger>>,
    /// Memory for state, in bytes.
    memory: u64,
    shared: Shared,
}

impl Files {
    /// For an attempt; `number` is no other's that may still run over the same folder.
    pub fn new(config: &Config, number: u64) -> Arc<Files> {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        let root = config.state_dir.clone().unwrap_or_else(std::env::temp_dir);
        let (process, run) = (std::process::id(), RUNS.fetch_add(1, Ordering::Relaxed));
        let folder = root.join(format!("pelton-state-{process}-{run}-a{number}"));
        let (next, merger, shared) = (AtomicU32::new(0), Mutex::new(None), Shared::new());
        Arc::new(Files { folder, next, merger, memory: config.state_memory, shared })
    }

    /// A folder that nobody else uses.
    pub fn scratch(&self, worker: usize) -> PathBuf {
        self.folder.join(format!("w{worker}-{}", self.next.fetch_add(1, Ordering::Relaxed)))
    }

    /// The thread that merges segments.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn merger(&self) -> Result<Merger, Fault> {
        let mut merger = self.merger.lock().unwrap_or_else(PoisonError::into_inner);
        match &*merger {
            Some(merger) => Ok(merger.clone()),
            None => Ok(merger.insert(Merger::start()?).clone()),
        }
    }

    /// What lies below the tables of an operator on a worker.
    ///
    /// # Errors
    /// If its folder cannot be made.
    pub fn below<B: Backend>(&self, worker: usize, workers: usize, epoch: u64) -> Result<B::Below, Fault> {
        let folder = self.scratch(worker);
        let (hashes, merger) = (owned(worker, workers), &|| self.merger());
        B::below(&Place { folder: &folder, hashes, merger, memory: self.memory, shared: &self.shared }, epoch)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // What cannot be removed is in a folder of temporary files.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The hashes that a worker owns.
pub fn owned(worker: usize, workers: usize) -> RangeInclusive<u64> {
    let groups = groups_of(worker, workers);
    hashes_of(groups.start, groups.end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::owner;

    #[test]
    fn the_hashes_of_workers_are_theirs_and_meet() {
        for workers in [1, 2, 3, 7, 64] {
            let mut next = Some(0u64);
            for worker in 0..workers {
                let hashes = owned(worker, workers);
                assert_eq!(Some(*hashes.start()), next);
                for hash in [*hashes.start(), *hashes.end()] {
                    assert_eq!(owner(hash, workers as u64), worker);
                }
                next = hashes.end().checked_add(1);
            }
            assert_eq!(next, None);
        }
        assert!(hashes_of(5, 5).is_empty());
    }
}
