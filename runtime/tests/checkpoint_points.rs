//! Two small jobs, one of windows and totals and one of `process`, on each backend, over a store in which something goes wrong at each of its
//! operations, one by one: the process crashes there, the operation fails, is late, half done, or acknowledged and lost in a later
//! crash, or it is frozen while another run of the job takes over. What is published in the end is the exact answer, once.
//!
//! How many operations there are is found by a run in which nothing goes wrong. `--nocapture` shows what was tried where.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests

mod support;

use pelton::checkpoint::entry::Kind;
use pelton::checkpoint::faulty::{At, Faulty, Mischief};
use pelton::checkpoint::history::History;
use pelton::checkpoint::store::{MemoryStore, Store};
use pelton::prelude::*;
use pelton::{Backend, Error, Restart};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::place::Place;
use support::{Feed, Row, feed, roomy_pool, splits, within};

/// A line of the result.
#[derive(Record, Serialize, Clone, Debug)]
struct Line {
    key: u64,
    /// The start of the window; -1 for a total.
    from: i64,
    count: u64,
    sum: u64,
}

pelton::stream! {
    job Sums<Memory> {
        param rows: Feed<Row>;
        param out: PathBuf;
        source all: Row = feed(rows), event_time |r| Timestamp::from_millis(r.at), late_by 0s;
        let windows = all.key_by(|r| r.key).window(tumbling 10ms).aggregate((count(), sum(|r| r.value)));
        let of_windows = windows.map(|w| Line { key: w.key, from: w.start.millis(), count: w.value.0, sum: w.value.1 });
        let totals = all.key_by(|r| r.key).aggregate((count(), sum(|r| r.value)), emit at_end, unbounded("few keys"));
        let of_totals = totals.map(|(key, (count, sum))| Line { key, from: -1, count, sum });
        sink file(of_windows, of_totals) = csv(out);
        drop windows.late;
    }
}

/// A line of a key's life.
#[derive(Record, Serialize, Clone, Debug)]
struct Told {
    key: u64,
    at: i64,
    text: String,
}

pelton::stream! {
    job Steps<Memory> {
        param rows: Feed<Row>;
        param out: PathBuf;
        source all: Row = feed(rows), event_time |r| Timestamp::from_millis(r.at), late_by 0s;
        let steps: Told = all.key_by(|r| r.key).process {
            in_order;
            state sum: Value<u64>, unbounded("few keys");
            state values: List<u64>, unbounded("emptied at five");
            state thirds: Map<u64, u64>, unbounded("three");
            state lately: Reducing<u64> = |a, b| a + b, ttl 9ms;
            timer gap: event_time;
            on event(r, cx) {
                sum.update(|sum| sum + r.value);
                values.push(r.value);
                thirds.update(&(r.value % 3), |n| n + 1);
                lately.add(r.value);
                if values.len() == 5 {
                    let all: Vec<u64> = values.iter().copied().collect();
                    cx.emit(Told { key: r.key, at: r.at, text: format!("{all:?} {:?}", lately.get()) });
                    values.clear();
                }
                cx.set(gap, cx.time() + 4ms);
            }
            on timer gap(at, cx) {
                cx.emit(Told { key: cx.key(), at: at.millis(), text: format!("quiet, {:?}", sum.get()) });
            }
            on end(cx) {
                let thirds: Vec<(u64, u64)> = thirds.iter().map(|(third, n)| (*third, *n)).collect();
                cx.emit(Told { key: cx.key(), at: -1, text: format!("{:?} {thirds:?}", sum.get()) });
            }
        };
        sink file(steps) = csv(out);
        drop steps.late;
    }
}

type Run = fn(Feed<Row>, PathBuf, Config) -> Result<(), Error>;

/// A job on a backend.
struct Job {
    name: String,
    run: Run,
    expected: Vec<String>,
    /// How many operations of each kind undisturbed runs ask of their stores: at least, and at most.
    operations: BTreeMap<String, (u64, u64)>,
}

fn jobs<B: Backend>() -> [Job; 2] {
    let on = std::any::type_name::<B>().rsplit("::").next().unwrap();
    let sums: Run = |rows, out, config| Sums { rows, out }.run_on::<B>(config).map(drop);
    let steps: Run = |rows, out, config| Steps { rows, out }.run_on::<B>(config).map(drop);
    [Job::new(format!("windows and totals on {on}"), sums), Job::new(format!("a process on {on}"), steps)]
}

impl Job {
    fn new(name: String, run: Run) -> Job {
        let place = Place::new("points");
        run(splits(false), place.out(), Config::default().workers(1)).unwrap();
        let expected = place.lines().unwrap();
        let mut job = Job { name, run, expected, operations: BTreeMap::new() };
        // Two runs are not the same to the last operation.
        let runs: Vec<BTreeMap<String, u64>> = (0..5).map(|_| job.undisturbed()).collect();
        for kind in runs.iter().flat_map(BTreeMap::keys) {
            let counts = || runs.iter().map(|run| run.get(kind).copied().unwrap_or_default());
            job.operations.insert(kind.clone(), (counts().min().unwrap(), counts().max().unwrap()));
        }
        job
    }

    /// The operations of a run, by their kind.
    fn undisturbed(&self) -> BTreeMap<String, u64> {
        let (store, place) = (Faulty::new(MemoryStore::new()), Place::new("points"));
        self.run(store.clone(), &place, 2, Restart::Never).unwrap();
        self.is_there(&place, &self.name);
        let mut counts = BTreeMap::new();
        for operation in store.trace() {
            *counts.entry(kind(&operation)).or_default() += 1;
        }
        assert!(counts.get("put_new log/").is_some_and(|entries| *entries > 8), "no checkpoints in {counts:?}");
        counts
    }

    fn run(&self, store: Arc<dyn Store>, place: &Place, workers: usize, restart: Restart) -> Result<(), Error> {
        let config = Config::default()
            .workers(workers)
            .state_dir(support::in_memory())
            .checkpoint_store(Arc::new(store))
            .checkpoint_every(Duration::from_millis(2))
            .restart(restart);
        (self.run)(splits(true), place.out(), config)
    }

    /// What a reader sees of the result is all of it, or nothing.
    fn is_whole(&self, place: &Place, case: &str) {
        assert!(place.lines().is_none_or(|lines| lines == self.expected), "{case}: {:?}", place.lines());
    }

    /// The result is there, and nothing else.
    fn is_there(&self, place: &Place, case: &str) {
        assert_eq!(place.lines().as_ref(), Some(&self.expected), "{case}");
        let left: Vec<PathBuf> =
            place.files().into_iter().map(|(path, _)| path).filter(|path| *path != place.out()).collect();
        assert_eq!(left, [""; 0].map(PathBuf::from), "{case}: left behind");
    }

    /// Goes to each operation of an undisturbed run, some of them at once. `at` says whether the run came so far: else it is tried again.
    fn everywhere(&self, what: &str, at: impl Fn(At, &str) -> bool + Sync) {
        let all =
            self.operations.iter().flat_map(|(kind, (least, most))| (1..=*most).map(move |n| (kind, n, n <= *least)));
        // Of a file the pieces are read one by one, in the same way each: of a database, which is slow, every third is enough.
        let stride = |kind: &str| if self.name.ends_with("RocksDb") && kind == "get_range data/" { 3 } else { 1 };
        let points: Vec<(&String, u64, bool)> = all.filter(|(kind, n, _)| n % stride(kind) == 0).collect();
        let (next, tried) = (AtomicUsize::new(0), Mutex::new(BTreeMap::<&String, u64>::new()));
        let go = || {
            while let Some((kind, n, always)) = points.get(next.fetch_add(1, Ordering::Relaxed)) {
                let case = format!("{}, {what}, `{kind}` {n}", self.name);
                let tries = if *always { 30 } else { 3 };
                let reached = (0..tries).any(|_| at(At::Nth((*kind).clone(), *n), &case));
                assert!(reached || !always, "{case}: no run came so far");
                *tried.lock().unwrap().entry(*kind).or_default() += u64::from(reached);
            }
        };
        std::thread::scope(|scope| (0..AT_ONCE).for_each(|_| drop(scope.spawn(go))));
        let tried = tried.into_inner().unwrap();
        println!("{}, {what}: {} of {} operations, {tried:?}", self.name, tried.values().sum::<u64>(), points.len());
    }
}

/// Most of a run is waiting.
const AT_ONCE: usize = 8;

/// `put_new log/` of `put_new log/00000000000000000001`.
fn kind(operation: &str) -> String {
    operation.split_inclusive('/').next().unwrap_or_default().to_owned()
}

/// With how many workers a run goes on: all widths take turns.
fn width() -> usize {
    static TURN: AtomicUsize = AtomicUsize::new(0);
    1 + TURN.fetch_add(1, Ordering::Relaxed) % 3
}

/// The process is gone at each operation, and a run with some other number of workers goes on.
fn crashes<B: Backend>() {
    for job in jobs::<B>() {
        for mischief in [Mischief::FailBefore, Mischief::FailAfter, Mischief::Short] {
            job.everywhere(&format!("crash, {mischief:?}"), |at, case| {
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
            });
        }
    }
}

/// An operation fails or is late, and the run goes on by itself.
fn faults<B: Backend>() {
    let late = Mischief::Delay(Duration::from_millis(20));
    for job in jobs::<B>() {
        for mischief in [Mischief::FailBefore, Mischief::FailAfter, Mischief::Short, late] {
            job.everywhere(&format!("fault, {mischief:?}"), |at, case| {
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
                        job.run(store.clone(), &place, 2, restart).unwrap_or_else(|error| panic!("{case}: {error}"));
                    }
                    Err(error) => panic!("{case}: {error}\n{:?}", store.trace()),
                }
                job.is_there(&place, case);
                true
            });
        }
    }
}

/// What was acknowledged is lost in a crash that comes later. Such a store breaks its promise: a run may be refused then, and says
/// what to do; it publishes nothing that is wrong.
fn lost<B: Backend>() {
    // A database is slow.
    let databases = std::any::type_name::<B>().ends_with("RocksDb");
    let behind: &[u64] = if databases { &[1, 5, u64::MAX] } else { &[1, 2, 3, 5, 9, u64::MAX] };
    for job in jobs::<B>() {
        for mischief in [Mischief::Forget, Mischief::ForgetHalf] {
            let (went_on, refused) = (AtomicU64::new(0), AtomicU64::new(0));
            job.everywhere(&format!("lost, {mischief:?}"), |at, case| {
                for later in behind.iter().copied() {
                    let (store, place) = (Faulty::new(MemoryStore::new()), Place::new("points"));
                    store.crash_behind(at.clone(), mischief, later);
                    let first = job.run(store.clone(), &place, 2, Restart::Never);
                    match store.struck() {
                        None => return false,
                        // There is nothing to lose.
                        Some(operation) if !operation.starts_with("put") => return true,
                        Some(_) => {}
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
            assert!(went_on > refused);
        }
    }
}

/// A run hangs in an operation; another one takes over and ends; then the first one goes on. It publishes nothing more.
fn frozen<B: Backend>() {
    for job in jobs::<B>() {
        for mischief in [Mischief::FreezeBefore, Mischief::FreezeAfter] {
            let superseded = AtomicU64::new(0);
            job.everywhere(&format!("frozen, {mischief:?}"), |at, case| {
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
            });
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

/// Fails instead of standing still.
fn watched(run: fn()) {
    roomy_pool();
    within(Duration::from_secs(600), run);
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
