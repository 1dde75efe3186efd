//! Sources whose splits do not end: all are read at once, however few workers there are; they are spread over the workers; and
//! a split in which nothing comes, one that is found later, or a worker that has none, does not stop the clock of the others.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::too_many_arguments)] // helpers of tests

mod support;

use pelton::prelude::*;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use support::{Feed, Row, Step, feed, sorted, within_a_minute};

fn row(key: u64, at: i64) -> Step<Row> {
    Step::Row(Row { key, at, value: at.unsigned_abs() })
}

/// What a job has said so far.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<(u64, i64, String)>>>);

impl Heard {
    fn note(&self, key: u64, at: i64) {
        let thread = std::thread::current().name().unwrap_or_default().to_owned();
        self.0.lock().unwrap().push((key, at, thread));
    }
    fn all(&self) -> Vec<(u64, i64)> {
        sorted(self.0.lock().unwrap().iter().map(|(key, at, _)| (*key, *at)))
    }
    /// Waits until it has heard this, in any order.
    #[track_caller]
    fn hears(&self, expected: &[(u64, i64)]) {
        let begun = Instant::now();
        while self.all() != expected {
            assert!(begun.elapsed() < Duration::from_secs(30), "heard {:?} instead of {expected:?}", self.all());
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    /// How many of each worker's keys.
    fn by_worker(&self) -> BTreeMap<String, usize> {
        let mut found = BTreeMap::new();
        for (_, _, thread) in self.0.lock().unwrap().iter() {
            *found.entry(thread.clone()).or_default() += 1;
        }
        found
    }
}

fn flag() -> Arc<AtomicBool> {
    Arc::default()
}

fn set(flag: &AtomicBool) {
    flag.store(true, Ordering::SeqCst);
}

pelton::stream! {
    job Read<Memory> {
        param rows: Feed<Row>;
        param heard: Heard;
        source all: Row = feed(rows);
        let keys: u64 = all.inspect(|r| heard.note(r.key, r.at)).map(|r| r.key);
        sink out(keys) = collect();
    }
}

pelton::stream! {
    job Timed<Memory> {
        param rows: Feed<Row>;
        param heard: Heard;
        source all: Row = feed(rows), event_time |r| Timestamp::from_millis(r.at), late_by 0s, idle_after 50ms;
        let windows = all.key_by(|r| r.key).window(tumbling 10ms).aggregate(count());
        let keys: u64 = windows.inspect(|w| heard.note(w.key, w.start.millis())).map(|w| w.key);
        let late: (u64, i64) = windows.late.map(|r| (r.key, r.at));
        sink out(keys) = collect();
        sink too_late(late) = collect();
    }
}

pelton::stream! {
    job Patient<Memory> {
        param rows: Feed<Row>;
        param heard: Heard;
        source all: Row = feed(rows), event_time |r| Timestamp::from_millis(r.at), late_by 0s, never_idle;
        let windows = all.key_by(|r| r.key).window(tumbling 10ms).aggregate(count());
        let keys: u64 = windows.inspect(|w| heard.note(w.key, w.start.millis())).map(|w| w.key);
        sink out(keys) = collect();
        drop windows.late;
    }
}

pelton::stream! {
    job Both<Memory> {
        param orders: Feed<Row>;
        param trades: Feed<Row>;
        param heard: Heard;
        source bought: Row = feed(orders), event_time |r| Timestamp::from_millis(r.at), late_by 0s, idle_after 50ms;
        source sold: Row = feed(trades), event_time |r| Timestamp::from_millis(r.at), late_by 0s, idle_after 50ms;
        let all = union(bought, sold);
        let windows = all.key_by(|r| r.key).window(tumbling 10ms).aggregate(count());
        let keys: u64 = windows.inspect(|w| heard.note(w.key, w.start.millis())).map(|w| w.key);
        let late: (u64, i64) = windows.late.map(|r| (r.key, r.at));
        sink out(keys) = collect();
        sink too_late(late) = collect();
    }
}

pelton::stream! {
    job Apart<Memory> {
        param orders: Feed<Row>;
        param trades: Feed<Row>;
        param heard: Heard;
        source bought: Row = feed(orders), event_time |r| Timestamp::from_millis(r.at), late_by 0s, idle_after 50ms;
        source sold: Row = feed(trades), event_time |r| Timestamp::from_millis(r.at), late_by 0s, idle_after 50ms;
        let alone = bought.key_by(|r| r.key).window(tumbling 10ms).aggregate(count());
        let windows = union(bought, sold).key_by(|r| r.key).window(tumbling 10ms).aggregate(count());
        let keys: u64 = alone.inspect(|w| heard.note(w.key, w.start.millis())).map(|w| w.key);
        let more: u64 = windows.map(|w| w.key);
        sink out(keys) = collect();
        sink others(more) = collect();
        drop alone.late, windows.late;
    }
}

fn config(workers: usize) -> Config {
    Config::default().workers(workers).epoch(Duration::from_millis(20))
}

#[test]
fn all_splits_are_read_at_once_and_spread_over_the_workers_and_so_are_those_found_later() {
    for workers in [1, 2, 3] {
        let (found, go) = (flag(), flag());
        // Each gives a row and then has nothing for as long as the test looks.
        let splits = (0..7).map(|key| vec![row(key, 0), Step::Until(go.clone()), row(key, 1)]);
        let rows = Feed { later_until: Some(found.clone()), later_from: 4, ..Feed::new(splits.collect()).endless() };
        let heard = Heard::default();
        let job = Read { rows, heard: heard.clone() };
        let run = std::thread::spawn(move || job.run(config(workers)).unwrap());
        heard.hears(&[(0, 0), (1, 0), (2, 0), (3, 0)]);
        set(&found);
        heard.hears(&(0..7).map(|key| (key, 0)).collect::<Vec<_>>());
        let spread = heard.by_worker();
        assert_eq!(spread.len(), workers);
        let (most, least) = (spread.values().max().unwrap(), spread.values().min().unwrap());
        assert!(most - least <= 1, "{spread:?}");
        set(&go);
        let got = within_a_minute(move || run.join().unwrap());
        assert_eq!(sorted(got.out), sorted((0..7).chain(0..7)), "{workers} workers");
    }
}

#[test]
fn a_dry_split_does_not_delay_the_others_and_is_read_when_it_wakes() {
    for workers in [1, 2] {
        let (first, go) = (flag(), flag());
        let mut busy: Vec<_> = (0..50).flat_map(|at| [row(1, at), Step::Dry(Duration::from_millis(1))]).collect();
        busy.push(Step::Until(go.clone()));
        let splits = vec![
            vec![Step::Until(first.clone()), row(0, 0), Step::Until(go.clone())],
            busy,
            vec![Step::Until(go.clone()), row(2, 0)],
        ];
        let heard = Heard::default();
        let job = Read { rows: Feed::new(splits).endless(), heard: heard.clone() };
        let run = std::thread::spawn(move || job.run(config(workers)).unwrap());
        let fifty: Vec<_> = (0..50).map(|at| (1, at)).collect();
        heard.hears(&fifty);
        set(&first);
        heard.hears(&[vec![(0, 0)], fifty.clone()].concat());
        set(&go);
        assert_eq!(within_a_minute(move || run.join().unwrap()).out.len(), 52, "{workers} workers");
    }
}

#[test]
fn windows_close_though_a_split_is_idle_and_what_it_gives_then_is_late() {
    for workers in [1, 2, 3] {
        let (wake, go) = (flag(), flag());
        let quiet =
            |key| vec![row(key, 5), Step::Until(wake.clone()), row(key, 7), row(key, 35), Step::Until(go.clone())];
        let splits = vec![
            quiet(0),
            vec![row(1, 5), row(1, 42), Step::Until(go.clone())],
            // Nothing at all.
            vec![Step::Until(go.clone())],
            vec![row(3, 5), row(3, 31), row(0, 31), Step::Until(go.clone())],
        ];
        let heard = Heard::default();
        let job = Timed { rows: Feed::new(splits).endless(), heard: heard.clone() };
        let run = std::thread::spawn(move || job.run(config(workers)).unwrap());
        // In the end all are idle, and time is where the latest has been: at 42.
        heard.hears(&[(0, 0), (0, 30), (1, 0), (3, 0), (3, 30)]);
        set(&wake);
        set(&go);
        let got = within_a_minute(move || run.join().unwrap());
        assert_eq!(sorted(got.out), [0, 0, 1, 1, 3, 3], "{workers} workers");
        assert_eq!(sorted(got.too_late), [(0, 7), (0, 35)], "{workers} workers");
    }
}

#[test]
fn windows_behind_a_union_close_though_nothing_comes_from_one_of_its_sources() {
    for (workers, endless) in [(1, true), (2, true), (3, false)] {
        let (wake, more, go) = (flag(), flag(), flag());
        // One has a row at first, and another when the clock has passed it.
        let quiet = vec![row(0, 5), Step::Until(wake.clone()), row(0, 7), row(0, 65), Step::Until(go.clone())];
        // The other may be one that ends by itself: a file that somebody writes.
        let busy = vec![row(1, 5), row(1, 42), Step::Until(more.clone()), row(1, 61), Step::Until(go.clone())];
        let trades = Feed { endless, ..Feed::new(vec![busy]) };
        let heard = Heard::default();
        let job = Both { orders: Feed::new(vec![quiet]).endless(), trades, heard: heard.clone() };
        let run = std::thread::spawn(move || job.run(config(workers)).unwrap());
        heard.hears(&[(0, 0), (1, 0)]);
        set(&more);
        heard.hears(&[(0, 0), (1, 0), (1, 40)]);
        set(&wake);
        set(&go);
        let got = within_a_minute(move || run.join().unwrap());
        assert_eq!(sorted(got.out), [0, 0, 1, 1, 1], "{workers} workers, endless: {endless}");
        assert_eq!(sorted(got.too_late), [(0, 7)], "{workers} workers, endless: {endless}");
    }
}

#[test]
fn a_window_of_one_source_alone_does_not_go_by_the_time_of_another() {
    let (wake, go) = (flag(), flag());
    let orders = vec![row(0, 5), Step::Until(wake.clone()), row(0, 7), row(0, 35), Step::Until(go.clone())];
    let trades =
        (0..100).flat_map(|at| [row(1, at), Step::Dry(Duration::from_millis(2))]).chain([Step::Until(go.clone())]);
    let heard = Heard::default();
    let trades = Feed::new(vec![trades.collect()]).endless();
    let (given, job) =
        (trades.given.clone(), Apart { orders: Feed::new(vec![orders]).endless(), trades, heard: heard.clone() });
    let run = std::thread::spawn(move || job.run(config(2)).unwrap());
    while given.load(Ordering::Relaxed) < 100 {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(heard.all(), [], "its window is still open");
    set(&wake);
    set(&go);
    let got = within_a_minute(move || run.join().unwrap());
    assert_eq!((sorted(got.out), heard.all()), (vec![0, 0], vec![(0, 0), (0, 30)]));
}

#[test]
fn a_split_that_may_never_be_idle_holds_the_others_back() {
    for workers in [1, 3] {
        let go = flag();
        let splits = vec![
            vec![row(0, 5), row(0, 100), Step::Until(go.clone())],
            vec![row(1, 5), Step::Until(go.clone()), row(1, 6), row(1, 200)],
        ];
        let heard = Heard::default();
        let job = Patient { rows: Feed::new(splits).endless(), heard: heard.clone() };
        let run = std::thread::spawn(move || job.run(config(workers)).unwrap());
        std::thread::sleep(Duration::from_millis(150));
        assert_eq!(heard.all(), []);
        set(&go);
        let got = within_a_minute(move || run.join().unwrap());
        assert_eq!((sorted(got.out), got.summary.late), (vec![0, 0, 1, 1], 0));
    }
}

#[test]
fn what_is_found_later_begins_at_the_watermark_that_was_reached() {
    for endless in [true, false] {
        for workers in [1, 2, 3] {
            let (found, go) = (flag(), flag());
            let splits = vec![
                vec![row(0, 5), row(1, 45), row(0, 55), Step::Until(go.clone())],
                vec![row(1, 8), row(1, 49), row(1, 50), row(1, 58)],
            ];
            let rows = Feed { later_until: Some(found.clone()), later_from: 1, endless, ..Feed::new(splits) };
            let heard = Heard::default();
            let job = Timed { rows, heard: heard.clone() };
            let run = std::thread::spawn(move || job.run(config(workers)).unwrap());
            // One split, however many workers, and an enumerator that may find more: those too who have nothing to read move on.
            heard.hears(&[(0, 0), (1, 40)]);
            set(&found);
            set(&go);
            let got = within_a_minute(move || run.join().unwrap());
            assert_eq!(sorted(got.too_late), [(1, 8), (1, 49)], "{workers} workers, endless: {endless}");
            assert_eq!(sorted(got.out), [0, 0, 1, 1], "{workers} workers, endless: {endless}");
        }
    }
}

#[test]
fn files_that_come_later_go_to_those_who_have_nothing_to_read() {
    let (found, go) = (flag(), flag());
    // One reads a long file; four more come.
    let mut splits = vec![vec![row(0, 0), Step::Until(go.clone())]];
    splits.extend((1..5).map(|key| vec![row(key, 0)]));
    let rows = Feed { later_until: Some(found.clone()), later_from: 1, ..Feed::new(splits) };
    let heard = Heard::default();
    let job = Read { rows, heard: heard.clone() };
    let run = std::thread::spawn(move || job.run(config(2)).unwrap());
    heard.hears(&[(0, 0)]);
    set(&found);
    heard.hears(&(0..5).map(|key| (key, 0)).collect::<Vec<_>>());
    set(&go);
    assert_eq!(within_a_minute(move || run.join().unwrap()).out.len(), 5);
}
