//! Jobs inside of a program: channels in and out, with back-pressure both ways; functions that are called with each row.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use pelton::channel::{Receiver, Sender, bounded};
use pelton::prelude::*;
use pelton::source::{Emit, Found, Polled, Reader, RowType, Source};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::TrySendError;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

stream! {
    job Through<Memory> {
        param numbers: Receiver<u64>;
        param results: Sender<(u64, u64)>;
        source all: u64 = channel(numbers);
        let counted: (u64, u64) = all.key_by(|n| n % 5).aggregate(count(), unbounded("five")).map(|(k, n)| (k, n));
        sink out(counted) = channel(results);
    }
    job Out<Memory> {
        param rows_out: Sender<u64>;
        param seen: Arc<AtomicU64>;
        source numbers: u64 = generate(|n| n).limit(100_000);
        let counted: u64 = numbers.inspect(|_| { seen.fetch_add(1, Ordering::Relaxed); });
        sink out(counted) = channel(rows_out);
    }
    /// As it is, from a flow.
    flow as_it_is(rows: Stream<u64>) -> u64 {
        let out = rows.map(|n| n);
        return out;
    }
    job OutOfFlow<Memory> {
        param rows_out: Sender<u64>;
        param seen: Arc<AtomicU64>;
        source numbers: u64 = generate(|n| n).limit(100_000);
        let counted = numbers.inspect(|_| { seen.fetch_add(1, Ordering::Relaxed); });
        let passed: u64 = as_it_is(counted);
        sink out(passed) = channel(rows_out);
    }
    job Seen<Memory> {
        param all: Arc<Mutex<Vec<u64>>>;
        param worst: u64;
        source numbers: u64 = generate(|n| n).limit(5000);
        sink out(numbers) = for_each(move |n: u64| {
            all.lock().unwrap().push(n);
            if n == worst { Err(format!("not {n}")) } else { Ok(()) }
        });
        sink gone(numbers) = null();
    }
}

fn config(workers: usize) -> Config {
    Config::default().workers(workers)
}

#[test]
fn rows_go_in_and_out_while_the_job_runs() {
    for workers in [1, 2, 3] {
        let (to_job, numbers) = bounded(8);
        let (results, from_job) = bounded(8);
        let job = std::thread::spawn(move || Through { numbers, results }.run(config(workers)));
        // It is at work before its input has ended.
        to_job.send(0).unwrap();
        assert_eq!(from_job.recv(), Ok((0, 1)));
        let feed = std::thread::spawn(move || (1..2000).for_each(|n| to_job.send(n).unwrap()));
        let mut got: Vec<(u64, u64)> = from_job.iter().collect();
        feed.join().unwrap();
        let summary = job.join().unwrap().unwrap().summary;
        got.push((0, 1));
        got.sort();
        let expected: Vec<(u64, u64)> = (0..5).flat_map(|k| (1..=400).map(move |n| (k, n))).collect();
        assert_eq!(got, expected, "{workers} workers");
        assert_eq!((summary.records_in, summary.records_out), (2000, 2000));
    }
}

#[test]
fn a_program_that_does_not_receive_holds_the_job_and_the_job_holds_who_sends() {
    for (workers, flow) in [(1, false), (2, false), (3, false), (1, true), (2, true)] {
        let (rows_out, from_job) = bounded(10);
        let seen: Arc<AtomicU64> = Arc::default();
        let job = {
            let seen = seen.clone();
            let config = config(workers).epoch(Duration::from_millis(20));
            std::thread::spawn(move || match flow {
                false => Out { rows_out, seen }.run(config).map(|_| ()),
                true => OutOfFlow { rows_out, seen }.run(config).map(|_| ()),
            })
        };
        // It reads on until something is committed, and then no further.
        let mut last = (0, Instant::now());
        while last.1.elapsed() < Duration::from_millis(400) {
            let now = seen.load(Ordering::Relaxed);
            if now != last.0 || now == 0 {
                last = (now, Instant::now());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let mut got: Vec<u64> = from_job.iter().collect();
        job.join().unwrap().unwrap();
        got.sort();
        assert!(got == (0..100_000).collect::<Vec<_>>(), "{workers} workers: {} rows", got.len());
    }
    let (to_job, numbers) = bounded(4);
    let (results, from_job) = bounded(4);
    let job = std::thread::spawn(move || Through { numbers, results }.run(config(2)));
    let mut sent = 0u64;
    let mut full_since = None;
    // The results are not received: so in the end there is no room for more.
    loop {
        match to_job.try_send(sent) {
            Ok(()) => (sent, full_since) = (sent + 1, None),
            Err(TrySendError::Full(_)) => {
                if full_since.get_or_insert_with(Instant::now).elapsed() > Duration::from_millis(2500) {
                    break;
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            Err(TrySendError::Disconnected(_)) => panic!("the job is gone"),
        }
        assert!(sent < 50_000_000, "nobody holds the sender");
    }
    drop(to_job);
    assert_eq!(from_job.iter().count() as u64, sent);
    job.join().unwrap().unwrap();
}

#[test]
fn rows_go_nowhere_when_nobody_receives() {
    let (rows_out, from_job) = bounded(1);
    drop(from_job);
    let summary = Out { rows_out, seen: Arc::default() }.run(config(2)).unwrap().summary;
    assert_eq!(summary.records_out, 100_000);
}

#[test]
fn functions_see_each_row_and_may_fail() {
    for workers in [1, 2, 3] {
        let all: Arc<Mutex<Vec<u64>>> = Arc::default();
        Seen { all: all.clone(), worst: 9999 }.run(config(workers)).unwrap();
        let mut seen = std::mem::take(&mut *all.lock().unwrap());
        seen.sort();
        assert_eq!(seen, (0..5000).collect::<Vec<_>>());
        let fault = Seen { all, worst: 77 }.run(config(workers)).unwrap_err().to_string();
        assert!(fault.contains("sink `out`: the function of `for_each` failed: not 77"), "{fault}");
    }
}

struct Number;
impl RowType for Number {
    type Row<'a> = u64;
}
struct Kept(Vec<u64>);
impl Emit<Number> for Kept {
    fn row(&mut self, row: u64) {
        self.0.push(row);
    }
    fn bad(&mut self, _: &[u8], fault: pelton::error::Fault) -> Result<(), pelton::error::Fault> {
        Err(fault)
    }
}

#[test]
fn a_run_that_goes_on_is_told_what_it_cannot_have_again() {
    let (sender, receiver) = bounded(100);
    (0..20).for_each(|n| sender.send(n).unwrap());
    let reader = |may_lose: bool| {
        let mut source = if may_lose { channel(receiver.clone()).may_lose() } else { channel(receiver.clone()) };
        let mut enumerator = Source::<Number>::enumerator(&mut source, None).unwrap();
        let Found::Split(split) = enumerator.next().unwrap() else { panic!("there is no split") };
        (Source::<Number>::reader(&mut source).unwrap(), split)
    };
    let mut kept = Kept(vec![]);
    let (mut first, split) = reader(false);
    Reader::<Number>::open(&mut first, split, None).unwrap();
    assert_eq!(Reader::<Number>::poll(&mut first, 7, &mut kept).unwrap(), Polled::More);
    let at_7 = Reader::<Number>::position(&first);
    drop(first);
    // Nothing was taken since: all is there.
    let (mut second, split) = reader(false);
    Reader::<Number>::open(&mut second, split, Some(&at_7)).unwrap();
    Reader::<Number>::poll(&mut second, 3, &mut kept).unwrap();
    assert_eq!(kept.0, (0..10).collect::<Vec<_>>());
    drop(second);
    // Three rows were.
    let (mut third, split) = reader(false);
    let fault = Reader::<Number>::open(&mut third, split, Some(&at_7)).unwrap_err();
    assert!(
        fault.lasting && fault.to_string().contains("cannot be read again") && fault.to_string().contains("may_lose"),
        "{fault}"
    );
    let (mut fourth, split) = reader(true);
    Reader::<Number>::open(&mut fourth, split, Some(&at_7)).unwrap();
    Reader::<Number>::poll(&mut fourth, 1, &mut kept).unwrap();
    assert_eq!(kept.0.last(), Some(&10));
}
