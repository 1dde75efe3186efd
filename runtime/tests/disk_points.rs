//! The small jobs of `points_kit`, with their checkpoints in a directory, over a disk in which something goes wrong at each of its steps,
//! one by one: the power is gone there, the step fails, is late or half done, and the power is gone some steps later or not at all, or
//! what is synced is not. What is published in the end is the exact answer, once.
//!
//! What a loss of power leaves takes turns from point to point: see [`Loss`].
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests

mod points_kit;
mod support;

use pelton::checkpoint::entry::Kind;
use pelton::checkpoint::faulty::{FaultyDisk, Loss, Mischief};
use pelton::checkpoint::history::History;
use pelton::checkpoint::store::{LocalStore, Store};
use pelton::checkpoint::verify::verify;
use pelton::prelude::*;
use pelton::{Backend, Error, Restart};
use points_kit::{Job, watched, width};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use support::place::Place;

/// A disk for checkpoints, and a folder for what is published, whose power nobody takes.
struct Machine {
    disk: Arc<FaultyDisk>,
    place: Place,
    folder: PathBuf,
}

impl Machine {
    fn new(loss: Loss) -> Machine {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        // On the file system of the state, so that files of it are linked.
        let folder = support::in_memory().join(format!("pelton-disk-points-{}-{number}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        Machine { disk: FaultyDisk::new(&folder, loss).unwrap(), place: Place::new("disk-points"), folder }
    }

    fn store(&self) -> Result<Arc<dyn Store>, Error> {
        match LocalStore::watched(self.disk.root(), self.disk.clone()) {
            Ok(store) => Ok(Arc::new(store)),
            Err(fault) => Err(Error::Setup(fault)),
        }
    }

    /// A process.
    fn run(&self, job: &Job, workers: usize, restart: Restart) -> Result<(), Error> {
        job.run(self.store()?, &self.place, workers, restart)
    }

    /// What was done last.
    fn tail(&self) -> Vec<String> {
        let trace = self.disk.trace();
        trace.split_at(trace.len().saturating_sub(60)).1.to_vec()
    }

    /// The power is gone, and is there again.
    fn lose(&self) {
        self.disk.crash().unwrap();
        self.disk.revive();
    }

    /// A run with some other number of workers goes on to the end.
    fn goes_on(&self, job: &Job, case: &str, first: &Result<(), Error>) {
        job.is_whole(&self.place, case);
        self.run(job, width(), Restart::Never)
            .unwrap_or_else(|error| panic!("{case}: {error}\nafter {first:?}\n{:?}", self.tail()));
        self.is_done(job, case);
    }

    /// What was published is all there, and a loss of power takes nothing from that: the run has said its last word.
    fn is_done(&self, job: &Job, case: &str) {
        job.is_there(&self.place, case);
        self.lose();
        let store = self.store().unwrap();
        let history = History::read(&*store).unwrap();
        let last = history.entries().next_back().map(|(_, last)| last.as_ref().unwrap().kind());
        assert_eq!(last, Some(Kind::Finished), "{case}: {:?}", self.tail());
        let report = verify(&*store).unwrap();
        assert!(report.is_good(), "{case}: {report}");
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn jobs<B: Backend>() -> [Job; 2] {
    points_kit::jobs::<B>(|job| {
        let machine = Machine::new(Loss::Everything);
        machine.run(job, 2, Restart::Never).unwrap();
        let trace = machine.disk.trace();
        machine.is_done(job, &job.name);
        assert!(trace.iter().filter(|step| step.starts_with("link log/")).count() > 8, "no checkpoints in {trace:?}");
        // What only reads changes nothing.
        trace.into_iter().filter(|step| !step.starts_with("read ") && !step.starts_with("list ")).collect()
    })
}

/// A run with a database takes 0.1 s: there fewer things go wrong, at each step all the same.
fn is_slow<B: Backend>() -> bool {
    std::any::type_name::<B>().ends_with("RocksDb")
}

/// The next turn of what takes turns from point to point.
fn turn() -> u64 {
    static TURN: AtomicU64 = AtomicU64::new(0);
    TURN.fetch_add(1, Ordering::Relaxed)
}

/// What the next loss of power leaves: each other time as little as may be.
fn loss() -> Loss {
    match turn() {
        turn if turn % 2 == 0 => Loss::Everything,
        turn if turn % 8 == 1 => Loss::Bytes,
        turn if turn % 8 == 3 => Loss::Half,
        turn => Loss::Some(turn),
    }
}

/// The kinds of steps that a mischief does something else to than to fail.
fn struck_by(mischief: Mischief) -> impl Fn(&str) -> bool {
    move |step| match mischief {
        Mischief::Short => step.starts_with("write "),
        Mischief::Forget | Mischief::ForgetHalf => step.starts_with("sync ") || step.starts_with("names "),
        _ => true,
    }
}

/// The power is gone at each step, and a run with some other number of workers goes on.
fn crashes<B: Backend>() {
    for job in jobs::<B>() {
        for mischief in [Mischief::FailBefore, Mischief::Short] {
            job.everywhere(&format!("no power, {mischief:?}"), struck_by(mischief), |at, case| {
                let loss = loss();
                let machine = Machine::new(loss);
                machine.disk.crash_at(at, mischief);
                let first = machine.run(&job, 2, Restart::Never);
                if machine.disk.struck().is_none() {
                    return false;
                }
                machine.disk.revive();
                machine.goes_on(&job, &format!("{case}, {loss:?}"), &first);
                true
            });
        }
    }
}

/// A step fails or is late, and the run goes on by itself, to its end or until the power is gone, there or some steps later.
fn faults<B: Backend>() {
    let late = Mischief::Delay(Duration::from_millis(20));
    let restart = Restart::Fixed { pause: Duration::from_millis(1), at_most: 3 };
    let all = [Mischief::FailAfter, Mischief::Short, Mischief::FailBefore, late];
    for job in jobs::<B>() {
        for mischief in all.into_iter().take(if is_slow::<B>() { 2 } else { 4 }) {
            job.everywhere(&format!("fault, {mischief:?}"), struck_by(mischief), |at, case| {
                let loss = loss();
                let machine = Machine::new(loss);
                let later =
                    [None, Some(0), Some(2), Some(30)][turn() as usize % 4].filter(|_| mischief == Mischief::FailAfter);
                match later {
                    Some(later) => machine.disk.crash_behind(at, mischief, later),
                    None => machine.disk.plan(at, mischief),
                }
                let first = machine.run(&job, 2, restart);
                if machine.disk.struck().is_none() {
                    return false;
                }
                let case = format!("{case}, no power {later:?} steps later, {loss:?}");
                match &first {
                    Ok(()) => machine.is_done(&job, &case),
                    Err(_) if later.is_some() => {
                        machine.lose();
                        machine.goes_on(&job, &case, &first);
                    }
                    // To begin with, it is told at once.
                    Err(Error::Setup(_)) if mischief != late && machine.disk.operations() < 40 => {
                        assert!(!machine.place.out().exists(), "{case}: {first:?}");
                        machine.goes_on(&job, &case, &first);
                    }
                    Err(error) => panic!("{case}: {error}\n{:?}", machine.tail()),
                }
                true
            });
        }
    }
}

/// A sync is acknowledged and not done, and the power is gone later. Such a disk breaks its promise: a run may be refused then, and says
/// what to do; it publishes nothing that is wrong.
fn lost<B: Backend>() {
    for job in jobs::<B>() {
        for mischief in [Mischief::Forget, Mischief::ForgetHalf].into_iter().take(if is_slow::<B>() { 1 } else { 2 }) {
            let (went_on, refused) = (AtomicU64::new(0), AtomicU64::new(0));
            job.everywhere(&format!("lost, {mischief:?}"), struck_by(mischief), |at, case| {
                let behind = [3, 25, u64::MAX];
                let all = mischief == Mischief::Forget && !is_slow::<B>();
                let behind = if all { &behind[..] } else { &behind[turn() as usize % 3..][..1] };
                for later in behind.iter().copied() {
                    let loss = loss();
                    let machine = Machine::new(loss);
                    machine.disk.crash_behind(at.clone(), mischief, later);
                    let first = machine.run(&job, 2, Restart::Never);
                    if machine.disk.struck().is_none() {
                        return false;
                    }
                    machine.lose();
                    job.is_whole(&machine.place, case);
                    match machine.run(&job, width(), Restart::Never) {
                        Ok(()) => {
                            went_on.fetch_add(1, Ordering::Relaxed);
                            job.is_there(&machine.place, case);
                        }
                        Err(Error::Setup(fault) | Error::Sink { fault, .. }) => {
                            refused.fetch_add(1, Ordering::Relaxed);
                            assert!(fault.help.is_some(), "{case}: {fault}");
                            job.is_whole(&machine.place, case);
                        }
                        Err(error) => {
                            panic!("{case}, {later} later, {loss:?}: {error}\nafter {first:?}\n{:?}", machine.tail())
                        }
                    }
                }
                true
            });
            let (went_on, refused) = (went_on.into_inner(), refused.into_inner());
            println!("{}, lost, {mischief:?}: {went_on} runs went on, {refused} were refused", job.name);
            assert!(went_on > refused);
        }
    }
}

mod memory {
    use super::*;

    #[test]
    fn a_loss_of_power_anywhere_loses_nothing() {
        watched(crashes::<Memory>);
    }

    #[test]
    fn a_fault_anywhere_is_overcome() {
        watched(faults::<Memory>);
    }

    #[test]
    fn what_a_disk_does_not_sync_makes_nothing_wrong() {
        watched(lost::<Memory>);
    }
}

mod file_system {
    use super::*;

    #[test]
    fn a_loss_of_power_anywhere_loses_nothing() {
        watched(crashes::<FileSystem>);
    }

    #[test]
    fn a_fault_anywhere_is_overcome() {
        watched(faults::<FileSystem>);
    }

    #[test]
    fn what_a_disk_does_not_sync_makes_nothing_wrong() {
        watched(lost::<FileSystem>);
    }
}

#[cfg(feature = "rocksdb")]
mod rocks_db {
    use super::*;

    #[test]
    fn a_loss_of_power_anywhere_loses_nothing() {
        watched(crashes::<RocksDb>);
    }

    #[test]
    fn a_fault_anywhere_is_overcome() {
        watched(faults::<RocksDb>);
    }

    #[test]
    fn what_a_disk_does_not_sync_makes_nothing_wrong() {
        watched(lost::<RocksDb>);
    }
}
