//! `resource`: made once by each worker and attempt, seen by closures, connectors and handlers.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod support;

use pelton::checkpoint::store::{MemoryStore, Store};
use pelton::prelude::*;
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use support::{Feed, Row, Step, feed};

/// Something that cannot be shared by threads, and that counts how often it is made.
struct Client {
    asked: Cell<u64>,
    factor: u64,
}

impl Client {
    fn new(factor: u64, made: &AtomicU64) -> Client {
        made.fetch_add(1, Ordering::SeqCst);
        Client { asked: Cell::new(0), factor }
    }
    fn ask(&self, n: u64) -> u64 {
        self.asked.set(self.asked.get() + 1);
        n * self.factor
    }
}

fn ask(client: &Client, n: u64) -> u64 {
    client.ask(n)
}

pelton::stream! {
    job Asks<Memory> {
        param data: Arc<[u64]>;
        param made: Arc<AtomicU64>;
        param factor: u64 = 3;

        resource client: Client = Client::new(factor, &made);
        resource offset: u64 = client.factor + 1;

        source numbers: u64 = rows(data);
        let asked: u64 = numbers.filter(|n| client.ask(*n) != 6).map(|n| ask(&client, n) + *offset);
        let sums: (u64, u64) = numbers.key_by(|n| n % 2).reduce(|a, b| client.ask(a + b) / client.factor, emit at_end, unbounded("two"));
        let folds: (u64, u64) = numbers.key_by(|n| n % 2).fold(*offset, |sum, n| *sum += ask(&client, n), emit at_end, unbounded("two"));
        let words: (u64, u64) = numbers.key_by(|n| n % 2).aggregate(sum(|n| client.ask(*n)), emit at_end, unbounded("two"));
        let handled: u64 = numbers.key_by(|n| n % 2).process { on event(n, cx) { cx.emit(client.ask(n)) } };
        let kind = numbers.split { low: |n| *n < client.factor; rest: _; };
        let low: u64 = kind.low;
        sink a(asked) = collect();
        sink b(sums) = collect();
        sink c(folds) = collect();
        sink d(words) = collect();
        sink e(handled) = collect();
        sink f(low) = collect();
        drop kind.rest;
    }
}

fn sorted<T: Ord>(mut all: Vec<T>) -> Vec<T> {
    all.sort();
    all
}

#[test]
fn each_worker_makes_one_and_all_closures_see_it() {
    for workers in 1..=3 {
        for wire in [false, true] {
            let made = Arc::new(AtomicU64::new(0));
            let job = Asks { data: (0..10).collect(), made: made.clone(), factor: 3 };
            let results = job.run(Config::default().workers(workers).wire(wire)).unwrap();
            assert_eq!(made.load(Ordering::SeqCst), workers as u64);
            assert_eq!(sorted(results.a), (0..10).filter(|n| *n != 2).map(|n| n * 3 + 4).collect::<Vec<_>>());
            assert_eq!(sorted(results.b), [(0, 20), (1, 25)]);
            assert_eq!(sorted(results.c), [(0, 64), (1, 79)]);
            assert_eq!(sorted(results.d), [(0, 60), (1, 75)]);
            assert_eq!(sorted(results.e), (0..10).map(|n| n * 3).collect::<Vec<_>>());
            assert_eq!(sorted(results.f), [0, 1, 2]);
        }
    }
    // to draw a plan none is made
    let made = Arc::new(AtomicU64::new(0));
    Asks { data: Arc::new([]), made: made.clone(), factor: 3 }.plan(&Config::default().workers(2)).unwrap();
    assert_eq!(made.load(Ordering::SeqCst), 0);
}

pelton::stream! {
    job Fails<Memory> {
        param port: String;

        resource number: u16 = port.parse::<u16>()?;

        source numbers: u64 = iter(|| 0..3u64);
        let all: u64 = numbers.map(|n| n + u64::from(*number));
        sink a(all) = collect();
    }
}

#[test]
fn an_error_names_the_resource_and_ends_the_run() {
    let run = |port: &str| Fails { port: port.to_owned() }.run(Config::default().workers(2));
    assert_eq!(sorted(run("7").unwrap().a), [7, 8, 9]);
    let error = run("many").unwrap_err().to_string();
    assert_eq!(error, "resource `number`: it could not be made: invalid digit found in string");
}

pelton::stream! {
    job Panics<Memory> {
        param port: u16;

        resource number: u16 = { assert!(port > 0, "no port {port}"); port };

        source numbers: u64 = iter(|| 0..3u64);
        let all: u64 = numbers.map(|n| n + u64::from(*number));
        sink a(all) = collect();
    }
}

#[test]
fn a_panic_names_the_resource_and_ends_the_run() {
    let run = |port| Panics { port }.run(Config::default().workers(2));
    assert_eq!(sorted(run(7).unwrap().a), [7, 8, 9]);
    let error = run(0).unwrap_err().to_string();
    let (said, place) = error.split_once('\n').unwrap();
    assert_eq!(said, "resource `number`: its expression panicked: no port 0");
    let line = 1 + include_str!("stream_resource.rs").lines().position(|line| line.contains("no port {port}")).unwrap();
    let at = format!("  at {}, line {line}, column 34\n  help: what can fail there is better given with `?`", file!());
    assert!(place.starts_with(&at), "{place}");
}

pelton::stream! {
    job Returns<Memory> {
        param rows: Feed<Row>;
        param made: Arc<AtomicU64>;
        param panics: Arc<AtomicU64>;

        resource number: u64 = { let n = made.fetch_add(1, Ordering::SeqCst); if n == 1 { Err("no answer")? } else { n } };

        source all: Row = feed(rows);
        let sums: (u64, u64) = all
            .inspect(|r| assert!(r.value != 50 || panics.fetch_sub(1, Ordering::Relaxed) == 0, "row 50"))
            .map(|r| (r.key, r.value + *number - *number))
            .key_by(|r| r.0).aggregate(sum(|r| r.1), emit at_end, unbounded("few"));
        sink out(sums) = collect();
    }
}

#[test]
fn each_attempt_makes_them_anew_and_one_that_fails_is_tried_again() {
    let split = |s: u64| {
        let row = |n: u64| Step::Row(Row { key: n % 3, at: 0, value: n });
        std::iter::once(Step::Busy(Duration::from_millis(4))).chain((s * 10..s * 10 + 10).map(row)).collect()
    };
    let store: Arc<dyn Store> = MemoryStore::new();
    let config = Config::default()
        .workers(1)
        .checkpoint_store(Arc::new(store))
        .restart(pelton::Restart::Fixed { pause: Duration::from_millis(1), at_most: 5 });
    let made = Arc::new(AtomicU64::new(0));
    let job = Returns {
        rows: Feed::new((0..10).map(split).collect()),
        made: made.clone(),
        panics: Arc::new(AtomicU64::new(1)),
    };
    let out = job.run(config).unwrap().out;
    assert_eq!(out.iter().map(|row| row.1).sum::<u64>(), (0..100).sum::<u64>());
    assert_eq!(made.load(Ordering::SeqCst), 3, "one panicked, one had no answer");
}
