//! How watermarks move: whose lateness is judged when, who holds them back and who does not, and how soon a window that
//! has closed is heard of.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::too_many_arguments)] // helpers of tests

mod support;

use pelton::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use support::{Feed, Row, Step, alone, feed, within_a_minute};

fn row(key: u64, at: i64) -> Step<Row> {
    Step::Row(Row { key, at, value: at.unsigned_abs() })
}

pelton::stream! {
    job Unordered<Memory> {
        param rows: Feed<Row>;
        source all: Row = feed(rows), event_time |r| Timestamp::from_millis(r.at), late_by 0s;
        let windows = all.key_by(|r| r.key).window(tumbling 10ms).aggregate(count());
        let counts: (u64, i64, u64) = windows.map(|w| (w.key, w.start.millis(), w.value));
        let late: Row = windows.late;
        sink out(counts) = collect();
        sink too_late(late) = collect();
    }
}

#[test]
fn one_split_of_an_unordered_source_is_judged_by_its_own_rows() {
    // Nothing else will come, so its watermark counts from its first row on, however soon it is read.
    let split: Vec<_> = (0..200).map(|i| row(i % 3, if i % 5 == 4 { i as i64 - 30 } else { i as i64 })).collect();
    let mut expected = Vec::new();
    let mut latest = i64::MIN;
    for step in &split {
        let Step::Row(row) = step else { continue };
        if row.at.div_euclid(10) * 10 + 10 <= latest {
            expected.push(*row);
        }
        latest = latest.max(row.at);
    }
    assert!(expected.len() > 20);
    for setup in alone() {
        for _ in 0..20 {
            let job = Unordered { rows: Feed::new(vec![split.clone()]) };
            let got = within_a_minute(move || job.run(setup.config()).unwrap());
            assert_eq!(got.too_late, expected, "{setup:?}");
        }
    }
}

#[test]
fn the_last_split_of_an_unordered_source_is_judged_and_those_before_are_not() {
    // While a split has not been opened, no row can be late: the split may hold rows as old as any.
    // The next one may be known long before this one has ended; that changes nothing.
    let pause = Step::Dry(Duration::from_millis(3));
    let disordered =
        |from: i64| vec![row(0, from + 50), pause.clone(), row(0, from), row(0, from + 60), row(1, from + 5)];
    let splits = vec![disordered(0), disordered(1000), disordered(0)];
    for setup in alone() {
        for _ in 0..5 {
            let job = Unordered { rows: Feed::new(splits.clone()) };
            let got = within_a_minute(move || job.run(setup.config()).unwrap());
            let late: Vec<(u64, i64)> = got.too_late.iter().map(|r| (r.key, r.at)).collect();
            assert_eq!(late, [(0, 0), (1, 5)], "{setup:?}");
        }
    }
}

/// Where a job says what it gives, as soon as it does.
#[derive(Clone)]
struct Heard(Arc<Mutex<Vec<(u64, i64, Instant)>>>);

fn hears(heard: &Heard, key: u64, start: i64) {
    heard.0.lock().unwrap().push((key, start, Instant::now()));
}

pelton::stream! {
    job Live<Memory> {
        param rows: Feed<Row>;
        param heard: Heard;
        param lenient: Heard;
        param second: Heard;

        source all: Row = feed(rows), event_time |r| Timestamp::from_millis(r.at), late_by 0s, ordered_splits;
        // Few rows pass, but each of those that do not moves the watermark.
        let few = all.filter(|r| r.key < 100);
        let windows = few.key_by(|r| r.key).window(tumbling 10ms).aggregate(count());
        let told = windows.inspect(|w| hears(&heard, w.key, w.start.millis())).map(|w| w.key);
        let kept = few.key_by(|r| r.key).window(tumbling 10ms, allow_late 20ms, no_refire).aggregate(count());
        let told_later = kept.inspect(|w| hears(&lenient, w.key, w.start.millis())).map(|w| w.key);
        // A window over the results of a window: the watermark must cross two exchanges on which hardly a row travels.
        let again = windows.key_by(|w| w.key % 2).window(tumbling 20ms).aggregate(count());
        let told_again = again.inspect(|w| hears(&second, w.key, w.start.millis())).map(|w| w.key);
        let a: u64 = told;
        let b: u64 = told_later;
        let c: u64 = told_again;
        sink out(a, b, c) = collect();
        drop windows.late, kept.late, again.late;
    }
}

/// Rows of keys 0..4 at 5 ms, then nothing but rows that are filtered out, whose times go on. The source is never dry, and
/// no barrier comes: what is heard is heard because the watermark travels by itself.
fn rows_that_only_move_time(stop: &Arc<AtomicBool>) -> Feed<Row> {
    let mut steps: Vec<Step<Row>> = (0..4).map(|key| row(key, 5)).collect();
    for i in 0..50 {
        steps.push(row(100, 20 + i));
        steps.push(Step::Busy(Duration::from_millis(1)));
    }
    steps.push(Step::Spin(stop.clone()));
    Feed::new(vec![steps])
}

#[test]
fn a_watermark_travels_without_rows() {
    for workers in [1, 2, 3] {
        let stop = Arc::new(AtomicBool::new(false));
        let rows = rows_that_only_move_time(&stop);
        let [heard, lenient, second] = std::array::from_fn(|_| Heard(Arc::default()));
        let job = Live { rows, heard: heard.clone(), lenient: lenient.clone(), second: second.clone() };
        let begun = Instant::now();
        let run =
            std::thread::spawn(move || job.run(Config::default().workers(workers).epoch(Duration::from_secs(60))));
        let soon = begun + Duration::from_secs(5);
        let all = |heard: &Heard, n: usize| heard.0.lock().unwrap().len() == n;
        while !(all(&heard, 4) && all(&lenient, 4) && all(&second, 2)) && Instant::now() < soon {
            std::thread::sleep(Duration::from_millis(1));
        }
        let told = [&heard, &lenient, &second].map(|h| h.0.lock().unwrap().len());
        stop.store(true, Ordering::SeqCst);
        run.join().unwrap().unwrap();
        assert_eq!(told, [4, 4, 2], "results heard of before the end, {workers} workers");
    }
}

#[test]
fn an_ended_split_does_not_hold_the_others_back() {
    // Worker by worker: one has an empty split, one a short one, one goes on.
    for workers in [2, 3] {
        let stop = Arc::new(AtomicBool::new(false));
        let Feed { splits, .. } = rows_that_only_move_time(&stop);
        let splits = vec![vec![], vec![row(7, 3)], splits[0].clone()];
        let [heard, lenient, second] = std::array::from_fn(|_| Heard(Arc::default()));
        let job = Live { rows: Feed::new(splits), heard: heard.clone(), lenient, second };
        let run =
            std::thread::spawn(move || job.run(Config::default().workers(workers).epoch(Duration::from_secs(60))));
        let soon = Instant::now() + Duration::from_secs(5);
        while heard.0.lock().unwrap().len() < 5 && Instant::now() < soon {
            std::thread::sleep(Duration::from_millis(1));
        }
        let told = heard.0.lock().unwrap().len();
        stop.store(true, Ordering::SeqCst);
        run.join().unwrap().unwrap();
        assert_eq!(told, 5, "{workers} workers");
    }
}

pelton::stream! {
    job Every<Memory> {
        param rows: Feed<Row>;
        param heard: Heard;
        source all: Row = feed(rows);
        let counts: (u64, u64) = all
            .key_by(|r| r.key)
            .aggregate(count(), emit every 10ms, unbounded("few keys"))
            .inspect(|c| hears(&heard, c.0, c.1 as i64));
        sink out(counts) = collect();
    }
}

#[test]
fn an_aggregate_that_speaks_by_the_clock_does_not_wait_for_a_barrier() {
    for workers in [1, 2, 3] {
        for pause in [Step::Until, Step::Spin] {
            let stop = Arc::new(AtomicBool::new(false));
            let mut steps: Vec<Step<Row>> = (0..10).chain(0..10).map(|key| row(key, 0)).collect();
            steps.push(pause(stop.clone()));
            let heard = Heard(Arc::default());
            let job = Every { rows: Feed::new(vec![steps]), heard: heard.clone() };
            let config = Config::default().workers(workers).epoch(Duration::from_secs(60));
            let run = std::thread::spawn(move || job.run(config));
            let soon = Instant::now() + Duration::from_secs(5);
            let told = || heard.0.lock().unwrap().iter().filter(|(_, count, _)| *count == 2).count();
            while told() < 10 && Instant::now() < soon {
                std::thread::sleep(Duration::from_millis(1));
            }
            let before_the_end = told();
            stop.store(true, Ordering::SeqCst);
            run.join().unwrap().unwrap();
            assert_eq!(before_the_end, 10, "{workers} workers");
        }
    }
}
