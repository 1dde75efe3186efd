//! How runs end: with nothing to read, with fewer rows or splits than workers, with one input that ends long before the
//! other. Sinks see every epoch once, the last one too, and finish once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::too_many_arguments)] // helpers of tests

mod support;

use pelton::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use support::{Diary, Event, Feed, Row, Step, Trouble, feed, probe, sorted, within_a_minute};

pelton::stream! {
    job Ends<Memory> {
        param left: Feed<Row>;
        param right: Feed<Row>;
        param near: Diary;
        param far: Diary;

        source a: Row = feed(left), event_time |r| Timestamp::from_millis(r.at), late_by 10ms;
        source b: Row = feed(right), event_time |r| Timestamp::from_millis(r.at), late_by 10ms;
        let both = union(a, b);
        let values = both.map(|r| r.value);
        let per_window: (u64, i64, u64) =
            both.key_by(|r| r.key).window(tumbling 100ms).aggregate(count()).map(|w| (w.key, w.start.millis(), w.value));
        let totals: (u64, u64) = both.key_by(|r| r.key).aggregate(count(), emit at_end, unbounded("few keys"));
        let counted = totals.map(|t| t.1);
        sink sums(values) = probe(near, Trouble::default());
        sink counts(counted) = probe(far, Trouble::default());
        sink windows(per_window) = collect();
        sink keys(totals) = collect();
        drop per_window.late;
    }
}

fn rows(n: u64) -> Vec<Row> {
    (0..n).map(|i| Row { key: i % 11, at: i as i64 * 3, value: i }).collect()
}

fn ends(left: &Feed<Row>, right: &Feed<Row>, workers: usize, epoch: Duration) {
    let mut all: Vec<Row> = Vec::new();
    for feed in [left, right] {
        all.extend(feed.splits.iter().flatten().filter_map(|s| if let Step::Row(row) = s { Some(*row) } else { None }));
    }
    let (near, far) = (Diary::default(), Diary::default());
    let job = Ends { left: left.clone(), right: right.clone(), near: near.clone(), far: far.clone() };
    let got = within_a_minute(move || job.run(Config::default().workers(workers).epoch(epoch)).unwrap());
    near.ended_well();
    far.ended_well();
    assert_eq!(near.committed(), (all.len() as u64, all.iter().map(|r| r.value).sum()), "{workers} workers");
    let (mut keys, mut windows) = (BTreeMap::new(), BTreeMap::new());
    for row in &all {
        *keys.entry(row.key).or_insert(0) += 1;
        *windows.entry((row.key, row.at.div_euclid(100) * 100)).or_insert(0) += 1;
    }
    assert_eq!(sorted(got.keys), keys.into_iter().collect::<Vec<_>>(), "{workers} workers");
    let windows: Vec<(u64, i64, u64)> = windows.into_iter().map(|((k, s), n)| (k, s, n)).collect();
    assert_eq!(sorted(got.windows), windows, "{workers} workers");
    assert_eq!((got.summary.late, got.summary.records_in), (0, all.len() as u64));
}

#[test]
fn inputs_of_every_odd_size() {
    let none = Feed::new(vec![]);
    let empty = Feed::rows(&[vec![], vec![], vec![]]);
    let one = Feed::rows(&[rows(1)]);
    let few = Feed::rows(&[rows(3), vec![], rows(2)]);
    let many = Feed::rows(&(0..20).map(|n| rows(n * 7)).collect::<Vec<_>>());
    for workers in [1, 2, 3, 7] {
        for epoch in [Duration::from_millis(1), Duration::from_secs(60)] {
            for (left, right) in
                [(&none, &none), (&empty, &none), (&one, &none), (&few, &empty), (&many, &one), (&few, &many)]
            {
                ends(left, right, workers, epoch);
            }
        }
    }
}

#[test]
fn splits_that_are_found_later() {
    for workers in [1, 3] {
        let left = Feed::rows(&[rows(5), rows(6), rows(7)]).later(2);
        let right = Feed::rows(&[rows(50)]).later(1);
        ends(&left, &right, workers, Duration::from_millis(5));
    }
}

#[test]
fn later_means_later_and_not_at_once() {
    for workers in [1, 3] {
        let go = Arc::new(AtomicBool::new(false));
        let left = Feed { later_until: Some(go.clone()), ..Feed::rows(&[rows(5), rows(6)]) };
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(200));
            go.store(true, Ordering::SeqCst);
        });
        ends(&left, &Feed::rows(&[rows(3)]), workers, Duration::from_millis(5));
        // Every worker asks every 10 ms.
        let asked = left.asked.load(Ordering::Relaxed);
        assert!((3..40 * workers).contains(&asked), "{asked} questions of {workers} workers in 200 ms");
    }
}

#[test]
fn one_input_ends_long_before_the_other() {
    for workers in [1, 2, 3] {
        let go = Arc::new(AtomicBool::new(false));
        let mut steps: Vec<Step<Row>> = rows(300).into_iter().map(Step::Row).collect();
        steps.insert(100, Step::Until(go.clone()));
        let (left, right) = (Feed::rows(&[rows(200)]), Feed::new(vec![steps]));
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            go.store(true, Ordering::SeqCst);
        });
        ends(&left, &right, workers, Duration::from_millis(5));
    }
}

#[test]
fn the_last_epoch_holds_what_came_after_the_last_barrier() {
    // No barrier comes before the end, so all is in the first epoch, which is the last.
    for workers in [1, 2, 3] {
        let diary = Diary::default();
        let job = Ends {
            left: Feed::rows(&[rows(10)]),
            right: Feed::new(vec![]),
            near: diary.clone(),
            far: Diary::default(),
        };
        within_a_minute(move || job.run(Config::default().workers(workers).epoch(Duration::from_secs(60))).unwrap());
        assert_eq!(diary.events(), [Event::Commit { epoch: 0, writers: 1 }, Event::Finish]);
    }
}

pelton::stream! {
    job Shared<Memory> {
        param rows: Feed<Row>;
        source all: Row = feed(rows);
        let who: String = all.map(|_| std::thread::current().name().unwrap_or_default().to_owned());
        sink out(who) = collect();
    }
}

#[test]
fn no_worker_idles_while_another_one_has_a_split_in_reserve() {
    for workers in [2, 3] {
        let split = vec![Step::Busy(Duration::from_millis(100)), Step::Row(Row { key: 0, at: 0, value: 0 })];
        let job = Shared { rows: Feed::new(vec![split; workers]) };
        let mut who = within_a_minute(move || job.run(Config::default().workers(workers)).unwrap().out);
        who.sort();
        who.dedup();
        assert_eq!(who.len(), workers, "so many splits for so many workers: {who:?}");
    }
}
