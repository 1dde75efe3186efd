//! Two small jobs, one of windows and totals and one of `process`, on each backend, and the points that their runs come by: operations of
//! a store, or steps on a disk. Tests let something go wrong at each of them, one by one.
//!
//! How many points there are is found by runs in which nothing goes wrong. `--nocapture` shows what was tried where.

use crate::support::place::Place;
use crate::support::{self, Feed, Row, feed, roomy_pool, splits, within};
use pelton::checkpoint::faulty::At;
use pelton::checkpoint::store::Store;
use pelton::prelude::*;
use pelton::{Backend, Error, Restart};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

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
pub struct Job {
    pub name: String,
    run: Run,
    pub expected: Vec<String>,
    /// How many points of each kind undisturbed runs come by: at least, and at most.
    points: BTreeMap<String, (u64, u64)>,
}

/// The jobs. `trace` runs one undisturbed, and gives the points that it came by.
pub fn jobs<B: Backend>(trace: impl Fn(&Job) -> Vec<String>) -> [Job; 2] {
    let on = std::any::type_name::<B>().rsplit("::").next().unwrap();
    let sums: Run = |rows, out, config| Sums { rows, out }.run_on::<B>(config).map(drop);
    let steps: Run = |rows, out, config| Steps { rows, out }.run_on::<B>(config).map(drop);
    [
        Job::new(format!("windows and totals on {on}"), sums, &trace),
        Job::new(format!("a process on {on}"), steps, &trace),
    ]
}

impl Job {
    fn new(name: String, run: Run, trace: &impl Fn(&Job) -> Vec<String>) -> Job {
        let place = Place::new("points");
        run(splits(false), place.out(), Config::default().workers(1)).unwrap();
        let expected = place.lines().unwrap();
        let mut job = Job { name, run, expected, points: BTreeMap::new() };
        // Two runs are not the same to the last one.
        let runs: Vec<BTreeMap<String, u64>> = (0..5)
            .map(|_| {
                let mut counts = BTreeMap::new();
                trace(&job).iter().for_each(|point| *counts.entry(kind(point)).or_default() += 1);
                counts
            })
            .collect();
        for kind in runs.iter().flat_map(BTreeMap::keys) {
            let counts = || runs.iter().map(|run| run.get(kind).copied().unwrap_or_default());
            job.points.insert(kind.clone(), (counts().min().unwrap(), counts().max().unwrap()));
        }
        job
    }

    pub fn run(&self, store: Arc<dyn Store>, place: &Place, workers: usize, restart: Restart) -> Result<(), Error> {
        let config = Config::default()
            .workers(workers)
            .state_dir(support::in_memory())
            .checkpoint_store(Arc::new(store))
            .checkpoint_every(Duration::from_millis(2))
            .restart(restart);
        (self.run)(splits(true), place.out(), config)
    }

    /// What a reader sees of the result is all of it, or nothing.
    pub fn is_whole(&self, place: &Place, case: &str) {
        assert!(place.lines().is_none_or(|lines| lines == self.expected), "{case}: {:?}", place.lines());
    }

    /// The result is there, and nothing else.
    pub fn is_there(&self, place: &Place, case: &str) {
        assert_eq!(place.lines().as_ref(), Some(&self.expected), "{case}");
        let left: Vec<PathBuf> =
            place.files().into_iter().map(|(path, _)| path).filter(|path| *path != place.out()).collect();
        assert_eq!(left, [""; 0].map(PathBuf::from), "{case}: left behind");
    }

    /// Goes to each point of an undisturbed run that is of such a kind, some of them at once. `at` says whether the run came so far: else it
    /// is tried again.
    pub fn everywhere(&self, what: &str, kinds: impl Fn(&str) -> bool, at: impl Fn(At, &str) -> bool + Sync) {
        let kinds = self.points.iter().filter(|(kind, _)| kinds(kind));
        let all = kinds.flat_map(|(kind, (least, most))| (1..=*most).map(move |n| (kind, n, n <= *least)));
        // Of a file the pieces are read one by one, in the same way each. With a database, which is slow, the process is gone at all of them, and
        // of the rest that may go wrong every third is enough: all would take a minute more.
        let some = self.name.ends_with("RocksDb") && what != "crash, FailBefore";
        let stride = |kind: &str| if some && kind == "get_range data/" { 3 } else { 1 };
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
        println!("{}, {what}: {} of {} points, {tried:?}", self.name, tried.values().sum::<u64>(), points.len());
    }
}

/// Most of a run is waiting.
const AT_ONCE: usize = 8;

/// The kind of a point: `put_new log/` of `put_new log/00000000000000000001`.
fn kind(operation: &str) -> String {
    operation.split_inclusive('/').next().unwrap_or_default().to_owned()
}

/// With how many workers a run goes on: all widths take turns.
pub fn width() -> usize {
    static TURN: AtomicUsize = AtomicUsize::new(0);
    1 + TURN.fetch_add(1, Ordering::Relaxed) % 3
}

/// Fails instead of standing still.
pub fn watched(run: fn()) {
    roomy_pool();
    within(Duration::from_secs(600), run);
}
