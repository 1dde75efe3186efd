//! [`Files`]: where the operators of one attempt keep files, for backends that have some, and when those go.
//!
//! Nothing there is needed once the attempt has ended: what a checkpoint names is in its store. A run that is killed takes nothing away; the
//! next one that keeps files there does, as soon as nobody holds the lock in the folder.

use crate::checkpoint::object::{groups_of, hashes_of};
use crate::config::Config;
use crate::error::Fault;
use crate::state::Backend;
use crate::state::backend::{Place, Shared};
use crate::state::segment::Merger;
use std::fs::File;
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// What the names of folders begin with.
const FOLDERS: &str = "pelton-state-";
/// In each of them: held as long as it is needed.
const LOCK: &str = "lock";

/// The files of an attempt. Nothing is made before an operator asks.
pub struct Files {
    /// A folder of this attempt's alone.
    folder: PathBuf,
    /// Its lock; none on a file system that has no locks.
    held: OnceLock<Option<File>>,
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
        let folder = root.join(format!("{FOLDERS}{process}-{run}-a{number}"));
        let (next, merger, shared) = (AtomicU32::new(0), Mutex::new(None), Shared::new());
        let held = OnceLock::new();
        Arc::new(Files { folder, held, next, merger, memory: config.state_memory, shared })
    }

    /// A folder that nobody else uses.
    pub fn scratch(&self, worker: usize) -> PathBuf {
        self.held.get_or_init(|| {
            self.folder.parent().into_iter().for_each(sweep);
            hold(&self.folder).ok()
        });
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

/// Makes a folder that is held.
fn hold(folder: &Path) -> io::Result<File> {
    std::fs::create_dir_all(folder)?;
    // Under its name it is held already: else somebody who sweeps could come between.
    let new = folder.join(".lock");
    let lock = File::create_new(&new)?;
    lock.try_lock()?;
    std::fs::rename(new, folder.join(LOCK))?;
    Ok(lock)
}

/// Removes the folders that nobody holds: of runs that were killed.
fn sweep(root: &Path) {
    for entry in root.read_dir().into_iter().flatten().flatten() {
        let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(FOLDERS));
        let lock = ours.then(|| File::open(entry.path().join(LOCK)));
        if let Some(Ok(lock)) = lock
            && lock.try_lock().is_ok()
        {
            // What cannot be removed is left to the next run.
            let _ = std::fs::remove_dir_all(entry.path());
        }
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
    fn what_a_killed_run_has_left_goes_and_what_others_use_stays() {
        let root = std::env::temp_dir().join(format!("pelton-files-{}", std::process::id()));
        let config = Config::default().state_dir(&root);
        let running = Files::new(&config, 1);
        let kept = running.scratch(0);
        std::fs::create_dir_all(&kept).unwrap();
        // Nobody holds the lock of this one any more; and two that are nobody's.
        let left = root.join("pelton-state-1-0-a1");
        let others = [root.join("pelton-state-2-0-a1"), root.join("other")];
        others.iter().chain([&left]).for_each(|folder| std::fs::create_dir_all(folder.join("w0-0")).unwrap());
        std::fs::write(left.join("lock"), b"").unwrap();
        std::fs::write(others[1].join("lock"), b"").unwrap();
        let next = Files::new(&config, 2);
        next.scratch(0);
        assert!(!left.exists(), "it is of a run that was killed");
        assert!(kept.exists() && others.iter().all(|folder| folder.exists()));
        drop((running, next));
        assert_eq!(std::fs::read_dir(&root).unwrap().count(), 2, "a run that ends takes its own away");
        std::fs::remove_dir_all(&root).unwrap();
    }

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
