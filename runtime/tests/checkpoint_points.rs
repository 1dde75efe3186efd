//! The small jobs of `points_kit` on each backend, over a store in which something goes wrong at each of its operations, one by one: the
//! process crashes there, the operation fails, is late, half done, or acknowledged and lost in a later crash, or it is frozen while another
//! run of the job takes over. What is published in the end is the exact answer, once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests

mod points_kit;
mod support;

use pelton::checkpoint::entry::Kind;
use pelton::checkpoint::faulty::{Faulty, Mischief};
use pelton::checkpoint::history::History;
use pelton::checkpoint::store::{MemoryStore, Store};
use pelton::prelude::*;
use pelton::{Backend, Error, Restart};
use points_kit::{Job, watched, width};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use support::place::Place;

fn jobs<B: Backend>() -> [Job; 2] {
    points_kit::jobs::<B>(|job| {
        let (store, place) = (Faulty::new(MemoryStore::new()), Place::new("points"));
        job.run(store.clone(), &place, 2, Restart::Never).unwrap();
        job.is_there(&place, &job.name);
        let entries = store.trace().iter().filter(|operation| operation.starts_with("put_new log/")).count();
        assert!(entries > 8, "no checkpoints in {:?}", store.trace());
        store.trace()
    })
}

/// The process is gone at each operation, and a run with some other number of workers goes on.
fn crashes<B: Backend>() {
    for job in jobs::<B>() {
        for mischief in [Mischief::FailBefore, Mischief::FailAfter, Mischief::Short] {
            job.everywhere(
                &format!("crash, {mischief:?}"),
                |_| true,
                |at, case| {
                    let (store, place) = (Faulty::new(MemoryStore::new()), Place::new("points"));
                    store.crash_at(at, mischief);
                    let first = job.run(store.clone(), &place, 2, Restart::Never);
                    if store.struck().is_none() {
                        return false;
                    }
                    job.is_whole(&place, case);
                    store.revive();
                    job.run(store.clone(), &place, width(), Restart::Never)
                        .unwrap_or_else(|error| panic!("{case}: {error}\nafter {first:?}\n{:?}", store.trace()));
                    job.is_there(&place, case);
                    true
                },
            );
        }
    }
}

/// An operation fails or is late, and the run goes on by itself.
fn faults<B: Backend>() {
    let late = Mischief::Delay(Duration::from_millis(20));
    for job in jobs::<B>() {
        for mischief in [Mischief::FailBefore, Mischief::FailAfter, Mischief::Short, late] {
            job.everywhere(
                &format!("fault, {mischief:?}"),
                |_| true,
                |at, case| {
                    let (store, place) = (Faulty::new(MemoryStore::new()), Place::new("points"));
                    store.plan(at, mischief);
                    let restart = Restart::Fixed { pause: Duration::from_millis(1), at_most: 3 };
                    let ended = job.run(store.clone(), &place, 2, restart);
                    if store.struck().is_none() {
                        return false;
                    }
                    match ended {
                        Ok(()) => {}
                        // To begin with, it is told at once.
                        Err(Error::Setup(fault)) if store.operations() < 12 && mischief != late => {
                            assert!(!place.out().exists(), "{case}: {fault}");
                            job.run(store.clone(), &place, 2, restart)
                                .unwrap_or_else(|error| panic!("{case}: {error}"));
                        }
                        Err(error) => panic!("{case}: {error}\n{:?}", store.trace()),
                    }
                    job.is_there(&place, case);
                    true
                },
            );
        }
    }
}

/// What was acknowledged is lost in a crash that comes later. Such a store breaks its promise: now and then a run is refused, where the last
/// checkpoint is lost and the file that it had was published and has no parts any more. It says what to do, and publishes nothing that is wrong.
fn lost<B: Backend>() {
    // A database is slow.
    let databases = std::any::type_name::<B>().ends_with("RocksDb");
    let behind: &[u64] = if databases { &[1, 5, u64::MAX] } else { &[1, 2, 3, 5, 9, u64::MAX] };
    for job in jobs::<B>() {
        for mischief in [Mischief::Forget, Mischief::ForgetHalf] {
            let (went_on, refused) = (AtomicU64::new(0), AtomicU64::new(0));
            // There is nothing else to lose.
            let puts = |operation: &str| operation.starts_with("put");
            job.everywhere(&format!("lost, {mischief:?}"), puts, |at, case| {
                for later in behind.iter().copied() {
                    let (store, place) = (Faulty::new(MemoryStore::new()), Place::new("points"));
                    store.crash_behind(at.clone(), mischief, later);
                    let first = job.run(store.clone(), &place, 2, Restart::Never);
                    if store.struck().is_none() {
                        return false;
                    }
                    store.crash().unwrap();
                    job.is_whole(&place, case);
                    store.revive();
                    match job.run(store.clone(), &place, width(), Restart::Never) {
                        Ok(()) => {
                            went_on.fetch_add(1, Ordering::Relaxed);
                            job.is_there(&place, case);
                        }
                        Err(Error::Setup(fault) | Error::Sink { fault, .. }) => {
                            refused.fetch_add(1, Ordering::Relaxed);
                            assert!(fault.help.is_some(), "{case}: {fault}");
                            job.is_whole(&place, case);
                        }
                        Err(error) => panic!("{case}, {later} later: {error}\nafter {first:?}\n{:?}", store.trace()),
                    }
                }
                true
            });
            let (went_on, refused) = (went_on.into_inner(), refused.into_inner());
            println!("{}, lost, {mischief:?}: {went_on} runs went on, {refused} were refused", job.name);
            assert!(refused * 20 <= went_on, "{refused} of {went_on}");
        }
    }
}

/// A run hangs in an operation; another one takes over and ends; then the first one goes on. It publishes nothing more.
fn frozen<B: Backend>() {
    for job in jobs::<B>() {
        for mischief in [Mischief::FreezeBefore, Mischief::FreezeAfter] {
            let superseded = AtomicU64::new(0);
            job.everywhere(
                &format!("frozen, {mischief:?}"),
                |_| true,
                |at, case| {
                    let (inner, place) = (MemoryStore::new(), Place::new("points"));
                    let store = Faulty::new(inner.clone());
                    store.plan(at, mischief);
                    let first = std::thread::scope(|scope| {
                        let first = scope.spawn(|| job.run(store.clone(), &place, 2, Restart::Never));
                        while !store.wait_until_frozen(Duration::from_millis(5)) {
                            if first.is_finished() && !store.wait_until_frozen(Duration::ZERO) {
                                return None;
                            }
                        }
                        if has_ended(&*inner) {
                            // Whoever is killed behind its last word leaves nothing.
                            job.is_there(&place, case);
                        }
                        let second = job.run(inner.clone(), &place, width(), Restart::Never);
                        let published = version(&place.out());
                        let end = last(&*inner);
                        store.wake();
                        let first = first.join().unwrap();
                        second.unwrap_or_else(|error| panic!("{case}: {error}\n{:?}", store.trace()));
                        // Frozen before it had begun, it is a run of its own behind the end of the other one.
                        let runs = first.is_ok() && attempts_behind(&*inner, end) > 0;
                        let touched = version(&place.out()) != published;
                        assert!(!touched || runs, "{case}: published twice; {first:?}\n{:?}", store.trace());
                        Some(first)
                    });
                    let Some(first) = first else { return false };
                    superseded.fetch_add(matches!(first, Err(Error::Superseded { .. })).into(), Ordering::Relaxed);
                    // What it wrote before it was told stays hidden, for it does not know what of it the other one needs.
                    assert_eq!(place.lines().as_ref(), Some(&job.expected), "{case}");
                    true
                },
            );
            let superseded = superseded.into_inner();
            println!("{}, frozen, {mischief:?}: {superseded} runs were told that another one has taken over", job.name);
            assert!(superseded > 3);
        }
    }
}

/// Which file it is, and when it was last written.
fn version(path: &Path) -> (u64, std::time::SystemTime) {
    let about = path.metadata().unwrap();
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::ino(&about);
    #[cfg(not(unix))]
    let number = 0;
    (number, about.modified().unwrap())
}

fn has_ended(store: &dyn Store) -> bool {
    let history = History::read(store).unwrap();
    history.entries().next_back().is_some_and(|(_, last)| last.as_ref().is_ok_and(|e| e.kind() == Kind::Finished))
}

/// The number of the last entry.
fn last(store: &dyn Store) -> u64 {
    History::read(store).unwrap().entries().next_back().map_or(0, |(number, _)| number)
}

fn attempts_behind(store: &dyn Store, end: u64) -> usize {
    let history = History::read(store).unwrap();
    let behind = history.entries().filter(|(number, _)| *number > end);
    behind.filter(|(_, entry)| entry.as_ref().is_ok_and(|entry| entry.kind() == Kind::Attempt)).count()
}

mod memory {
    use super::*;

    #[test]
    fn a_crash_anywhere_loses_nothing() {
        watched(crashes::<Memory>);
    }

    #[test]
    fn a_fault_anywhere_is_overcome() {
        watched(faults::<Memory>);
    }

    #[test]
    fn what_is_lost_behind_its_acknowledgement_makes_nothing_wrong() {
        watched(lost::<Memory>);
    }

    #[test]
    fn a_run_that_was_frozen_anywhere_publishes_nothing_behind_another() {
        watched(frozen::<Memory>);
    }
}

mod file_system {
    use super::*;

    #[test]
    fn a_crash_anywhere_loses_nothing() {
        watched(crashes::<FileSystem>);
    }

    #[test]
    fn a_fault_anywhere_is_overcome() {
        watched(faults::<FileSystem>);
    }

    #[test]
    fn what_is_lost_behind_its_acknowledgement_makes_nothing_wrong() {
        watched(lost::<FileSystem>);
    }

    #[test]
    fn a_run_that_was_frozen_anywhere_publishes_nothing_behind_another() {
        watched(frozen::<FileSystem>);
    }
}

#[cfg(feature = "rocksdb")]
mod rocks_db {
    use super::*;

    #[test]
    fn a_crash_anywhere_loses_nothing() {
        watched(crashes::<RocksDb>);
    }

    #[test]
    fn a_fault_anywhere_is_overcome() {
        watched(faults::<RocksDb>);
    }

    #[test]
    fn what_is_lost_behind_its_acknowledgement_makes_nothing_wrong() {
        watched(lost::<RocksDb>);
    }

    #[test]
    fn a_run_that_was_frozen_anywhere_publishes_nothing_behind_another() {
        watched(frozen::<RocksDb>);
    }
}
