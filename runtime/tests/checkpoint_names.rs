//! What is stored finds its operator by its name: with others put in, taken out and moved around it, under another name, with other
//! states in it; and what it cannot find is refused, never lost. From a savepoint and from a checkpoint, on every backend, at any width.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod support;

#[cfg(feature = "rocksdb")]
use pelton::RocksDb;
use pelton::checkpoint::history::History;
use pelton::checkpoint::savepoint;
use pelton::checkpoint::store::{MemoryStore, Store};
use pelton::prelude::*;
use pelton::{Error, FileSystem, Restart};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use support::place::Place;
use support::{Feed, Row, Step, feed};

#[derive(Record, Serialize, Clone, Debug)]
struct Line {
    what: String,
    key: u64,
    a: i64,
    b: u64,
}

fn line(what: &str, key: u64, a: i64, b: u64) -> Line {
    Line { what: what.to_owned(), key, a, b }
}

/// A job of the name `Board` in a module of its own, with what is said of it, which streams it writes, and what stands between.
macro_rules! board {
    ($name:ident, [$($said:tt)*], ($($written:ident),*), $($statements:tt)*) => {
        #[allow(dead_code, reason = "not each of them uses all of a job")]
        mod $name {
            use super::*;
            pelton::stream! {
                $($said)*
                pub job Board<Memory> {
                    param rows: Feed<Row>;
                    param out: PathBuf;
                    param end: u64;
                    source read: Row = feed(rows), event_time |r| Timestamp::from_millis(r.at), late_by 0s, ordered_splits;
                    let all = read.inspect(|r| assert!(r.value < end, "this is where it ends"));
                    $($statements)*
                    sink file($($written),*) = csv(out);
                }
            }
        }
    };
}

// As it was: totals, a window, a process, and the newest row of each key.
board! { before, [], (a, b, c, d),
    let seen = all.inspect(|_| ());
    let totals = seen.key_by(|r| r.key).aggregate((count(), sum(|r| r.value)), emit at_end, unbounded("few"));
    let hours = seen.key_by(|r| r.key % 3).window(tumbling 40ms).aggregate(sum(|r| r.value));
    let steps: (u64, u64, u64) = seen.key_by(|r| r.key % 2).process {
        state sum: Value<u32>, unbounded("few");
        state last: Value<u64>, unbounded("few");
        on event(r, cx) {
            sum.update(|n| n + r.value as u32);
            last.set(r.value);
            if r.value == u64::MAX { cx.emit((0, 0, 0)) }
        }
        on end(cx) { cx.emit((cx.key(), u64::from(sum.get().copied().unwrap_or(0)), 0)) }
    };
    let newest = seen.key_by(|r| r.key).reduce(|a, b| if a.value < b.value { b } else { a }, emit at_end, unbounded("few"));
    let a = totals.map(|(key, (count, sum))| line("total", key, count as i64, sum));
    let b = hours.map(|w| line("hour", w.key, w.start.millis(), w.value));
    let c = steps.map(|(key, sum, _)| line("steps", key, 0, sum));
    let d = newest.map(|(key, r)| line("newest", key, r.at, r.value));
    drop hours.late;
}

// One operator is put in, in front of all.
board! { one, [], (a, b, c, d),
    let some = all.inspect(|_| ());
    let seen = some.filter(|r| r.value < u64::MAX);
    let totals = seen.key_by(|r| r.key).aggregate((count(), sum(|r| r.value)), emit at_end, unbounded("few"));
    let hours = seen.key_by(|r| r.key % 3).window(tumbling 40ms).aggregate(sum(|r| r.value));
    let steps: (u64, u64, u64) = seen.key_by(|r| r.key % 2).process {
        state sum: Value<u32>, unbounded("few");
        state last: Value<u64>, unbounded("few");
        on event(r, cx) {
            sum.update(|n| n + r.value as u32);
            last.set(r.value);
            if r.value == u64::MAX { cx.emit((0, 0, 0)) }
        }
        on end(cx) { cx.emit((cx.key(), u64::from(sum.get().copied().unwrap_or(0)), 0)) }
    };
    let newest = seen.key_by(|r| r.key).reduce(|a, b| if a.value < b.value { b } else { a }, emit at_end, unbounded("few"));
    let a = totals.map(|(key, (count, sum))| line("total", key, count as i64, sum));
    let b = hours.map(|w| line("hour", w.key, w.start.millis(), w.value));
    let c = steps.map(|(key, sum, _)| line("steps", key, 0, sum));
    let d = newest.map(|(key, r)| line("newest", key, r.at, r.value));
    drop hours.late;
}

// Two are put in, in front of all and behind the window.
board! { two, [], (a, b, c, d),
    let some = all.inspect(|_| ());
    let seen = some.filter(|r| r.value < u64::MAX);
    let totals = seen.key_by(|r| r.key).aggregate((count(), sum(|r| r.value)), emit at_end, unbounded("few"));
    let hours = seen.key_by(|r| r.key % 3).window(tumbling 40ms).aggregate(sum(|r| r.value));
    let steps: (u64, u64, u64) = seen.key_by(|r| r.key % 2).process {
        state sum: Value<u32>, unbounded("few");
        state last: Value<u64>, unbounded("few");
        on event(r, cx) {
            sum.update(|n| n + r.value as u32);
            last.set(r.value);
            if r.value == u64::MAX { cx.emit((0, 0, 0)) }
        }
        on end(cx) { cx.emit((cx.key(), u64::from(sum.get().copied().unwrap_or(0)), 0)) }
    };
    let newest = seen.key_by(|r| r.key).reduce(|a, b| if a.value < b.value { b } else { a }, emit at_end, unbounded("few"));
    let a = totals.map(|(key, (count, sum))| line("total", key, count as i64, sum));
    let some_hours = hours.filter(|w| w.key < 3);
    let b = some_hours.map(|w| line("hour", w.key, w.start.millis(), w.value));
    let c = steps.map(|(key, sum, _)| line("steps", key, 0, sum));
    let d = newest.map(|(key, r)| line("newest", key, r.at, r.value));
    drop hours.late;
}

// Three are put in, one of them with state of its own, and the others stand in another order. The totals have another name; the process
// has one state of a wider type and another name, one that is new and one less.
board! { three, [#[dropped(steps.last)]], (b, e, c, a, d),
    let some = all.inspect(|_| ());
    let seen = some.filter(|r| r.value < u64::MAX);
    let steps: (u64, u64, u64) = seen.key_by(|r| r.key % 2).process {
        state more: Map<u64, u64>, unbounded("few");
        #[was(sum)]
        state total: Value<u64>, unbounded("few");
        on event(r, cx) {
            more.insert(r.value % 3, 1);
            total.update(|n| n + r.value);
            if r.value == u64::MAX { cx.emit((0, 0, 0)) }
        }
        on end(cx) { cx.emit((cx.key(), total.get().copied().unwrap_or(0), more.len() as u64)) }
    };
    let oldest = seen.key_by(|r| r.key).reduce(|a, b| if b.value < a.value { b } else { a }, emit at_end, unbounded("few"));
    let e = oldest.filter(|(_, r)| r.value == u64::MAX).map(|(key, _)| line("oldest", key, 0, 0));
    let newest = seen.key_by(|r| r.key).reduce(|a, b| if a.value < b.value { b } else { a }, emit at_end, unbounded("few"));
    let d = newest.map(|(key, r)| line("newest", key, r.at, r.value));
    let c = steps.map(|(key, sum, _)| line("steps", key, 0, sum));
    let hours = seen.key_by(|r| r.key % 3).window(tumbling 40ms).aggregate(sum(|r| r.value));
    let b = hours.filter(|w| w.key < 3).map(|w| line("hour", w.key, w.start.millis(), w.value));
    #[was(totals)]
    let sums = seen.key_by(|r| r.key).aggregate((count(), sum(|r| r.value)), emit at_end, unbounded("few"));
    let a = sums.map(|(key, (count, sum))| line("total", key, count as i64, sum));
    drop hours.late;
}

// All stand in another order, and nothing else is different.
board! { reordered, [], (d, b, a, c),
    let seen = all.inspect(|_| ());
    let newest = seen.key_by(|r| r.key).reduce(|a, b| if a.value < b.value { b } else { a }, emit at_end, unbounded("few"));
    let d = newest.map(|(key, r)| line("newest", key, r.at, r.value));
    let steps: (u64, u64, u64) = seen.key_by(|r| r.key % 2).process {
        state sum: Value<u32>, unbounded("few");
        state last: Value<u64>, unbounded("few");
        on event(r, cx) {
            sum.update(|n| n + r.value as u32);
            last.set(r.value);
            if r.value == u64::MAX { cx.emit((0, 0, 0)) }
        }
        on end(cx) { cx.emit((cx.key(), u64::from(sum.get().copied().unwrap_or(0)), 0)) }
    };
    let hours = seen.key_by(|r| r.key % 3).window(tumbling 40ms).aggregate(sum(|r| r.value));
    let c = steps.map(|(key, sum, _)| line("steps", key, 0, sum));
    let totals = seen.key_by(|r| r.key).aggregate((count(), sum(|r| r.value)), emit at_end, unbounded("few"));
    let a = totals.map(|(key, (count, sum))| line("total", key, count as i64, sum));
    let b = hours.map(|w| line("hour", w.key, w.start.millis(), w.value));
    drop hours.late;
}

// The process is taken out, as the job says, and what stood in front of all.
board! { less_one, [#[dropped(steps)]], (a, b, d),
    let totals = all.key_by(|r| r.key).aggregate((count(), sum(|r| r.value)), emit at_end, unbounded("few"));
    let hours = all.key_by(|r| r.key % 3).window(tumbling 40ms).aggregate(sum(|r| r.value));
    let newest = all.key_by(|r| r.key).reduce(|a, b| if a.value < b.value { b } else { a }, emit at_end, unbounded("few"));
    let a = totals.map(|(key, (count, sum))| line("total", key, count as i64, sum));
    let b = hours.map(|w| line("hour", w.key, w.start.millis(), w.value));
    let d = newest.map(|(key, r)| line("newest", key, r.at, r.value));
    drop hours.late;
}

// Two are taken out: the totals, too.
board! { less_two, [#[dropped(totals, steps)]], (b, d),
    let hours = all.key_by(|r| r.key % 3).window(tumbling 40ms).aggregate(sum(|r| r.value));
    let newest = all.key_by(|r| r.key).reduce(|a, b| if a.value < b.value { b } else { a }, emit at_end, unbounded("few"));
    let b = hours.map(|w| line("hour", w.key, w.start.millis(), w.value));
    let d = newest.map(|(key, r)| line("newest", key, r.at, r.value));
    drop hours.late;
}

// And three: only the window is left.
board! { less_three, [#[dropped(totals, steps, newest)]], (b),
    let hours = all.key_by(|r| r.key % 3).window(tumbling 40ms).aggregate(sum(|r| r.value));
    let b = hours.map(|w| line("hour", w.key, w.start.millis(), w.value));
    drop hours.late;
}

/// The same without a word; and its windows are shorter.
mod careless {
    use super::*;
    pelton::stream! {
        pub job Board<Memory> {
            param rows: Feed<Row>;
            param out: PathBuf;
            param end: u64;
            source read: Row = feed(rows), event_time |r| Timestamp::from_millis(r.at), late_by 0s, ordered_splits;
            let seen = read.inspect(|r| assert!(r.value < end, "this is where it ends"));
            let all = seen.key_by(|r| r.key).aggregate((count(), sum(|r| r.value)), emit at_end, unbounded("few"));
            let a = all.map(|(key, (count, sum))| line("total", key, count as i64, sum));
            sink file(a) = csv(out);
        }
    }
}
mod shorter {
    use super::*;
    pelton::stream! {
        #[dropped(totals, steps, newest)]
        pub job Board<Memory> {
            param rows: Feed<Row>;
            param out: PathBuf;
            param end: u64;
            source read: Row = feed(rows), event_time |r| Timestamp::from_millis(r.at), late_by 0s, ordered_splits;
            let seen = read.inspect(|r| assert!(r.value < end, "this is where it ends"));
            let hours = seen.key_by(|r| r.key % 3).window(tumbling 20ms offset 5ms).aggregate(sum(|r| r.value));
            let b = hours.map(|w| line("hour", w.key, w.start.millis(), w.value));
            sink file(b) = csv(out);
            drop hours.late;
        }
    }
}

/// A name is given on: what was `sums` is called `totals` now, and the totals from before are no more.
mod given_on {
    use super::*;
    pelton::stream! {
        pub job Board<Memory> {
            param rows: Feed<Row>;
            param out: PathBuf;
            param end: u64;
            source read: Row = feed(rows), event_time |r| Timestamp::from_millis(r.at), late_by 0s, ordered_splits;
            let seen = read.inspect(|r| assert!(r.value < end, "this is where it ends"));
            let totals = seen.key_by(|r| r.key).aggregate(count(), emit at_end, unbounded("few"));
            let sums = seen.key_by(|r| r.key).aggregate(sum(|r| r.value), emit at_end, unbounded("few"));
            let a = totals.map(|(key, count)| line("count", key, 0, count));
            let b = sums.map(|(key, sum)| line("sum", key, 0, sum));
            sink file(a, b) = csv(out);
        }
    }
    pub mod now {
        use super::*;
        pelton::stream! {
            #[lock("fixtures/given_on.lock")]
            #[dropped(totals)]
            pub job Board<Memory> {
                param rows: Feed<Row>;
                param out: PathBuf;
                param end: u64;
                source read: Row = feed(rows), event_time |r| Timestamp::from_millis(r.at), late_by 0s, ordered_splits;
                let seen = read.inspect(|r| assert!(r.value < end, "this is where it ends"));
                #[was(sums)]
                let totals = seen.key_by(|r| r.key).aggregate(sum(|r| r.value), emit at_end, unbounded("few"));
                let b = totals.map(|(key, sum)| line("sum", key, 0, sum));
                sink file(b) = csv(out);
            }
        }
    }
    pub mod unsaid {
        use super::*;
        pelton::stream! {
            pub job Board<Memory> {
                param rows: Feed<Row>;
                param out: PathBuf;
                param end: u64;
                source read: Row = feed(rows), event_time |r| Timestamp::from_millis(r.at), late_by 0s, ordered_splits;
                let seen = read.inspect(|r| assert!(r.value < end, "this is where it ends"));
                #[was(sums)]
                let totals = seen.key_by(|r| r.key).aggregate(sum(|r| r.value), emit at_end, unbounded("few"));
                let b = totals.map(|(key, sum)| line("sum", key, 0, sum));
                sink file(b) = csv(out);
            }
        }
    }
}

/// The greatest and the least, of narrow integers; then of wider ones, of floats, and the one in place of the other.
#[allow(dead_code, reason = "not each of them uses all of a job")]
mod ends {
    use super::*;
    macro_rules! job {
        ($name:ident, $word:ident, $most:ty, $least:ty) => {
            pub mod $name {
                use super::*;
                pelton::stream! {
                    pub job Board<Memory> {
                        param rows: Feed<Row>;
                        param out: PathBuf;
                        param end: u64;
                        source read: Row = feed(rows), event_time |r| Timestamp::from_millis(r.at), late_by 0s, ordered_splits;
                        let seen = read.inspect(|r| assert!(r.value < end, "this is where it ends"));
                        let ends = seen.key_by(|r| r.key)
                            .aggregate(($word(|r| 40 as $most - r.value as $most), min(|r| r.value as $least)), emit at_end, unbounded("few"));
                        let a = ends.map(|(key, (most, least))| line("end", key, most as i64, least as u64));
                        sink file(a) = csv(out);
                    }
                }
            }
        };
    }
    job!(narrow, max, i32, u32);
    job!(wide, max, i64, u64);
    job!(floats, max, f32, u32);
    job!(least, min, i32, u32);
}

const SPLITS: u64 = 6;
const ROWS: u64 = 12;

fn rows(pause: Duration) -> Feed<Row> {
    let split = |s: u64| {
        let row = |i: u64| s * ROWS + i;
        let rows = (0..ROWS).map(row).map(|n| Step::Row(Row { key: n % 7, at: n as i64, value: n }));
        std::iter::once(Step::Dry(pause)).chain(rows).collect()
    };
    Feed::new((0..SPLITS).map(split).collect())
}

fn config(store: &Arc<dyn Store>, workers: usize) -> Config {
    Config::default()
        .workers(workers)
        .checkpoint_store(Arc::new(store.clone()))
        .checkpoint_every(Duration::from_millis(5))
        .state_memory(0)
        .restart(Restart::Never)
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum On {
    Memory,
    FileSystem,
    #[cfg(feature = "rocksdb")]
    RocksDb,
}

impl On {
    const ALL: &[On] = &[
        On::Memory,
        On::FileSystem,
        #[cfg(feature = "rocksdb")]
        On::RocksDb,
    ];
}

/// A job, on one of the backends.
macro_rules! run_on {
    ($on:expr, $job:expr, $config:expr) => {
        match $on {
            On::Memory => $job.run_on::<Memory>($config).map(drop),
            On::FileSystem => $job.run_on::<FileSystem>($config).map(drop),
            #[cfg(feature = "rocksdb")]
            On::RocksDb => $job.run_on::<RocksDb>($config).map(drop),
        }
    };
}

/// One of the jobs, to its end.
macro_rules! run {
    ($job:ident, $place:expr, $on:expr, $config:expr) => {
        run_on!($on, $job::Board { rows: rows(Duration::ZERO), out: $place.out(), end: u64::MAX }, $config)
    };
}

/// A store of the first job, on a backend, behind which it has failed.
fn crashed(place: &Place, on: On) -> Arc<MemoryStore> {
    place.crashed(|store, pause| {
        let job = before::Board { rows: rows(pause), out: place.out(), end: (SPLITS - 1) * ROWS };
        run_on!(on, job, config(store, 2))
    })
}

/// A savepoint of a store's newest checkpoint.
fn savepoint_of(store: &dyn Store) -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let place = format!("memory://names-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let history = History::read(store).unwrap();
    let manifest = history.checkpoint(history.head().unwrap()).unwrap();
    let attempt = history.attempt(manifest.attempt).unwrap().clone();
    savepoint::write(store, manifest, attempt, savepoint::open(&place).unwrap(), &std::env::temp_dir()).unwrap();
    place
}

/// The kinds of lines that the first job has.
const ALL: [&str; 4] = ["total", "hour", "steps", "newest"];

fn only(lines: &[String], what: &str) -> Vec<String> {
    kinds(lines, &[what])
}

/// The lines of these kinds, in their order, and the header.
fn kinds(lines: &[String], kinds: &[&str]) -> Vec<String> {
    let is = |line: &&String| line.starts_with("what,") || kinds.iter().any(|kind| line.starts_with(kind));
    lines.iter().filter(is).cloned().collect()
}

#[test]
fn operators_are_put_in_taken_out_moved_and_renamed_around_what_is_stored() {
    let place = Place::new("names");
    run!(before, place, On::Memory, Config::default().workers(1)).unwrap();
    let expected = place.lines().unwrap();
    assert!(ALL.iter().all(|what| only(&expected, what).len() > 2));
    for from in On::ALL.iter().copied() {
        let store = crashed(&place, from);
        let (files, savepoint) = (place.files(), savepoint_of(&*store));
        for (workers, to) in [1, 2, 3, 7].into_iter().flat_map(|workers| On::ALL.iter().map(move |to| (workers, *to))) {
            // From the checkpoint itself, and from its savepoint into a new place.
            for saved in [false, true] {
                let config = || match saved {
                    false => config(&(store.fork() as Arc<dyn Store>), workers),
                    true => config(&(MemoryStore::new() as Arc<dyn Store>), workers).from(&savepoint),
                };
                let what = format!("{from:?} to {to:?}, {workers} workers, savepoint: {saved}");
                let lines = |run: Result<(), Error>| {
                    run.unwrap_or_else(|error| panic!("{what}: {error}"));
                    place.lines().unwrap()
                };
                macro_rules! restored {
                    ($($job:ident: $left:expr;)*) => {$(
                        place.put_back(&files);
                        let (found, left) = (lines(run!($job, place, to, config())), kinds(&expected, $left));
                        assert_eq!(found, left, "{}, {what}", stringify!($job));
                    )*};
                }
                restored! {
                    before: &ALL;
                    one: &ALL;
                    two: &ALL;
                    three: &ALL;
                    reordered: &ALL;
                    less_one: &["total", "hour", "newest"];
                    less_two: &["hour", "newest"];
                    less_three: &["hour"];
                }
            }
        }
    }
}

#[test]
fn what_would_be_lost_or_misread_is_refused_with_what_to_write() {
    let place = Place::new("lost");
    for on in On::ALL.iter().copied() {
        let store = crashed(&place, on);
        let (files, savepoint) = (place.files(), savepoint_of(&*store));
        for saved in [false, true] {
            let config = || match saved {
                false => config(&(store.fork() as Arc<dyn Store>), 2),
                true => config(&(MemoryStore::new() as Arc<dyn Store>), 2).from(&savepoint),
            };
            let error = run!(careless, place, on, config()).unwrap_err().to_string();
            // Which of them is said first is in the order of what is stored.
            assert!(error.contains("the job has no operator of this name") && error.contains("#[dropped("), "{error}");
            place.put_back(&files);
            let error = run!(shorter, place, on, config()).unwrap_err().to_string();
            let windows = "its windows were `tumbling 40ms` and are `tumbling 20ms offset 5ms`";
            assert!(error.contains("`hours`") && error.contains(windows), "{error}");
            assert_eq!(place.lines(), None);
            place.put_back(&files);
        }
    }
}

#[test]
fn a_name_that_is_given_on_has_what_is_said_and_never_what_had_it_before() {
    let place = Place::new("given-on");
    use given_on::{now, unsaid};
    run!(given_on, place, On::Memory, Config::default().workers(1)).unwrap();
    let expected = only(&place.lines().unwrap(), "sum");
    for on in On::ALL.iter().copied() {
        let store = place.crashed(|store, pause| {
            let job = given_on::Board { rows: rows(pause), out: place.out(), end: (SPLITS - 1) * ROWS };
            run_on!(on, job, config(store, 2))
        });
        let (files, savepoint) = (place.files(), savepoint_of(&*store));
        for saved in [false, true] {
            let config = || match saved {
                false => config(&(store.fork() as Arc<dyn Store>), 2),
                true => config(&(MemoryStore::new() as Arc<dyn Store>), 2).from(&savepoint),
            };
            let error = run!(unsaid, place, on, config()).unwrap_err().to_string();
            let says = ["has state of `totals` and of `sums`", "`#[dropped(totals)]`"];
            assert!(says.iter().all(|says| error.contains(says)), "{error}");
            place.put_back(&files);
            run!(now, place, on, config()).unwrap();
            assert_eq!(only(&place.lines().unwrap(), "sum"), expected);
            place.put_back(&files);
        }
    }
}

#[test]
fn the_greatest_and_the_least_of_narrow_integers_are_those_of_wide_ones_and_of_nothing_else() {
    let place = Place::new("ends");
    use ends::{floats, least, narrow, wide};
    run!(narrow, place, On::Memory, Config::default().workers(1)).unwrap();
    let expected = place.lines().unwrap();
    for on in On::ALL.iter().copied() {
        let store = place.crashed(|store, pause| {
            let job = narrow::Board { rows: rows(pause), out: place.out(), end: (SPLITS - 1) * ROWS };
            run_on!(on, job, config(store, 2))
        });
        let files = place.files();
        let config = || config(&(store.fork() as Arc<dyn Store>), 2);
        run!(wide, place, on, config()).unwrap();
        assert_eq!(place.lines().unwrap(), expected);
        place.put_back(&files);
        let error = run!(floats, place, on, config()).unwrap_err().to_string();
        assert!(error.contains("`i32`") && error.contains("`f32`"), "{error}");
        place.put_back(&files);
        let error = run!(least, place, on, config()).unwrap_err().to_string();
        assert!(error.contains("`Max`") && error.contains("`Min`"), "{error}");
        place.put_back(&files);
    }
}
