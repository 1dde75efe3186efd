//! Memory stays within the bound that the plan prints, whatever is slow: resident memory, from the first record on, grows
//! by no more than that, the state, and the queue in front of an `iter`.
//!
//! Each case runs in a process of its own, so that what another one has freed does not hide anything.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::too_many_arguments)] // helpers of tests
#![cfg(target_os = "linux")]

use pelton::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A row of 256 bytes, so that what waits is large against what a process needs anyhow.
#[derive(Record, Clone, Copy, Debug)]
struct Wide {
    key: u64,
    rest: [u64; 31],
}

fn wide(key: u64) -> Wide {
    Wide { key, rest: [key; 31] }
}

/// Bytes of the rows that may wait in front of an `iter`, and in its reader's hands.
const QUEUE: u64 = 2 * 2048 * 256;
/// What the allocator, stacks and tables of that many keys may take besides.
const SLACK: u64 = 4 << 20;

/// Works for so long.
fn work(long: Duration) {
    let until = Instant::now() + long;
    while Instant::now() < until {
        std::hint::spin_loop();
    }
}

fn on_worker(index: usize) -> bool {
    std::thread::current().name() == Some(&format!("pelton-{index}"))
}

/// Watches the memory of the process from [`Watch::begin`] on.
#[derive(Clone, Default)]
struct Watch {
    begun: Arc<AtomicBool>,
    ended: Arc<AtomicBool>,
    growth: Arc<AtomicU64>,
}

impl Watch {
    fn resident() -> u64 {
        // Without pages of files: code that runs for the first time is not what is bounded.
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    }
    /// Called with each record; the first one counts.
    fn begin(&self) {
        if self.begun.load(Ordering::Relaxed) || self.begun.swap(true, Ordering::SeqCst) {
            return;
        }
        let (watch, base) = (self.clone(), Watch::resident());
        std::thread::spawn(move || {
            while !watch.ended.load(Ordering::Relaxed) {
                watch.growth.fetch_max(Watch::resident().saturating_sub(base), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(2));
            }
        });
    }
}

pelton::stream! {
    job SlowWorker<Memory> {
        param rows: u64;
        param keys: u64;
        param slow_on: Option<usize>;
        param watch: Watch;
        param slow: Duration;
        source all: Wide = iter(move || (0..rows).map(move |i| wide(i % keys)));
        let seen = all.inspect(|_| watch.begin());
        let counted = seen.key_by(|r| r.key).fold(0u64, |n, r| { *n += r.rest[0] & 1; if slow_on.is_none_or(on_worker) { work(slow) } }, emit each, unbounded("few keys"));
        let odd: (u64, u64) = counted.filter(|p| p.1 == u64::MAX);
        sink out(odd) = collect();
    }
}

pelton::stream! {
    job Trickle<Memory> {
        param rows: u64;
        param watch: Watch;
        // Each row comes by itself, so that it leaves in a frame of its own.
        source all: u64 = iter(move || (0..rows).inspect(|_| work(Duration::from_micros(20))));
        let seen = all.inspect(|_| watch.begin());
        let counted = seen.key_by(|r| *r % 1000).fold(0u64, |n, _| { *n += 1; if on_worker(1) { work(Duration::from_micros(100)) } }, emit each, unbounded("few keys"));
        let odd: (u64, u64) = counted.filter(|p| p.1 == u64::MAX);
        sink out(odd) = collect();
    }
}

pelton::stream! {
    job FanOut<Memory> {
        param rows: u64;
        param watch: Watch;
        source all: u64 = iter(move || 0..rows);
        let many = all.inspect(|_| watch.begin()).flat_map(|x| (0..10_000).map(move |i| wide(x * 10_000 + i)));
        let first = many.key_by(|r| r.key % 100).fold(0u64, |n, _| *n += 1, emit each, unbounded("few keys"));
        let odd: (u64, u64) = first.filter(|p| p.1 == u64::MAX);
        sink out(odd) = collect();
    }
}

pelton::stream! {
    job FanOutBehind<Memory> {
        param rows: u64;
        param watch: Watch;
        source all: u64 = iter(move || 0..rows);
        let counted = all.inspect(|_| watch.begin()).key_by(|x| x % 100).fold(0u64, |last, x| *last = x, emit each, unbounded("few keys"));
        let many = counted.flat_map(|(_, x)| (0..10_000).map(move |i| wide(x * 10_000 + i)));
        let second = many.key_by(|r| r.key % 100).fold(0u64, |n, _| *n += 1, emit each, unbounded("few keys"));
        let odd: (u64, u64) = second.filter(|p| p.1 == u64::MAX);
        sink out(odd) = collect();
    }
}

pelton::stream! {
    job Combiner<Memory> {
        param rows: u64;
        param watch: Watch;
        // Nothing but new keys, many for each row: the combiner must not hold them all.
        source all: u64 = iter(move || 0..rows);
        let many = all.inspect(|_| watch.begin()).flat_map(|x| (0..10_000).map(move |i| x * 10_000 + i));
        let first = many.key_by(|k| k % 65_536).aggregate(count(), emit at_end, unbounded("few keys"));
        let odd: (u64, u64) = first.filter(|p| p.1 == u64::MAX);
        sink out(odd) = collect();
    }
}

pelton::stream! {
    job Fires<Memory> {
        param keys: u64;
        param watch: Watch;
        source all: u64 = iter(move || 0..keys), event_time |_| Timestamp::from_millis(0), late_by 0s;
        let windows = all.key_by(|k| *k).window(tumbling 1s).aggregate(count());
        let fired = windows.inspect(|_| watch.begin()).map(|w| wide(w.key));
        let slowly = fired.key_by(|r| r.key % 100).fold(0u64, |n, _| { *n += 1; work(Duration::from_micros(10)) }, emit each, unbounded("few keys"));
        let odd: (u64, u64) = slowly.filter(|p| p.1 == u64::MAX);
        sink out(odd) = collect();
        drop windows.late;
    }
}

/// More rows where they cost less.
fn rows(debug: u64, release: u64) -> u64 {
    if cfg!(debug_assertions) { debug } else { release }
}

macro_rules! growth_of {
    ($watch:expr, $more:expr, $job:expr) => {{
        let (watch, job): (Watch, _) = ($watch, $job);
        let config = Config::default().workers(2);
        let bound = job.plan(&config).unwrap().bound_bytes();
        let summary = job.run(config).unwrap().summary;
        watch.ended.store(true, Ordering::Relaxed);
        assert!(summary.records_in > 0 && watch.begun.load(Ordering::Relaxed));
        (watch.growth.load(Ordering::Relaxed), bound, $more)
    }};
}

/// The growth, the plan's bound, and what is allowed besides.
fn run(case: &str) -> (u64, u64, u64) {
    let watch = Watch::default();
    let w = watch.clone();
    let slow = Duration::from_micros(rows(50, 2));
    match case {
        "slow worker" => {
            growth_of!(
                w,
                QUEUE,
                SlowWorker { rows: rows(300_000, 10_000_000), keys: 1000, slow_on: Some(1), watch, slow }
            )
        }
        "hot key" => {
            growth_of!(w, QUEUE, SlowWorker { rows: rows(100_000, 5_000_000), keys: 1, slow_on: None, watch, slow })
        }
        "trickle" => growth_of!(w, 0, Trickle { rows: rows(100_000, 200_000), watch }),
        "fan-out" => growth_of!(w, 0, FanOut { rows: rows(200, 2000), watch }),
        "fan-out behind an exchange" => growth_of!(w, 0, FanOutBehind { rows: rows(200, 2000), watch }),
        "combiner" => growth_of!(w, 65_536 * 100, Combiner { rows: rows(500, 5000), watch }),
        "window" => growth_of!(w, 0, Fires { keys: rows(200_000, 1_000_000), watch }),
        other => panic!("no case `{other}`"),
    }
}

const CASE: &str = "PELTON_MEMORY_CASE";

#[test]
fn child() {
    if let Ok(case) = std::env::var(CASE) {
        let (growth, bound, more) = run(&case);
        println!("\n{growth} {bound} {more}");
    }
}

#[track_caller]
fn stays_within_its_bound(case: &str) {
    let begun = Instant::now();
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env(CASE, case)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{said}{}", String::from_utf8_lossy(&child.stderr));
    let numbers = said.lines().find_map(|line| {
        line.split(' ').map(str::parse::<u64>).collect::<Result<Vec<_>, _>>().ok().filter(|n| n.len() == 3)
    });
    let [growth, bound, more] = numbers.expect("three numbers")[..] else { unreachable!() };
    println!(
        "{case}: grew by {} KiB; bound {} KiB + {} KiB; {:?}",
        growth >> 10,
        bound >> 10,
        more >> 10,
        begun.elapsed()
    );
    assert!(growth <= bound + more + SLACK, "{case}: {growth} bytes, the plan's bound is {bound}, and {more} besides");
}

#[test]
fn one_worker_is_slow() {
    stays_within_its_bound("slow worker");
}
#[test]
fn one_key_is_hot() {
    stays_within_its_bound("hot key");
}
#[test]
fn rows_that_come_one_by_one_for_a_slow_worker() {
    stays_within_its_bound("trickle");
}
#[test]
fn one_row_becomes_ten_thousand() {
    stays_within_its_bound("fan-out");
}
#[test]
fn one_row_becomes_ten_thousand_behind_an_exchange() {
    stays_within_its_bound("fan-out behind an exchange");
}
#[test]
fn a_combiner_is_flooded_with_new_keys() {
    stays_within_its_bound("combiner");
}
#[test]
fn a_window_of_many_keys_fires_into_something_slow() {
    stays_within_its_bound("window");
}
