//! Rows in memory, and rows from an iterator on its own thread.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

#[allow(dead_code, unreachable_pub, reason = "not every test needs all of it")]
mod source_kit;

use pelton::error::Fault;
use pelton::source::{Emit, Polled, Reader, RowType, Source, Split, iter, rows};
use source_kit::{How, Kept, read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

struct Numbers;
impl RowType for Numbers {
    type Row<'a> = u64;
}
struct Texts;
impl RowType for Texts {
    type Row<'a> = &'a String;
}

#[test]
fn rows_come_in_order_whatever_the_budget_and_the_readers() {
    let data: Arc<[u64]> = (0..150_000).collect();
    for (readers, budget) in [(1, 1000), (2, 7), (3, 65_536), (3, 100_000)] {
        let got = read::<Numbers, _, _>(|| rows(Arc::clone(&data)), How { readers, budget }, |row| row).unwrap();
        assert_eq!((got.rows.as_slice(), got.splits), (&*data, 3));
    }
}

#[test]
fn rows_are_lent_where_the_type_is_a_reference() {
    let data: Arc<[String]> = ["a", "b"].map(String::from).into();
    let got = read::<Texts, _, _>(|| rows(Arc::clone(&data)), How::default(), std::ptr::from_ref).unwrap();
    assert_eq!(got.rows, [std::ptr::from_ref(&data[0]), std::ptr::from_ref(&data[1])]);
}

#[test]
fn no_rows_are_no_splits() {
    let got = read::<Numbers, _, _>(|| rows(Vec::<u64>::new()), How::default(), |row| row).unwrap();
    assert_eq!((got.rows.len(), got.splits), (0, 0));
}

/// Panics at one row, as a user's closure may.
struct PanicsAt(u64);
impl Emit<Numbers> for PanicsAt {
    fn row(&mut self, row: u64) {
        assert!(row != self.0, "row {row}");
    }
    fn bad(&mut self, _: &[u8], fault: Fault) -> Result<(), Fault> {
        Err(fault)
    }
}

#[test]
fn the_place_is_that_of_the_row_that_panicked() {
    let mut reader = Source::<Numbers>::reader(&mut rows((100..200).collect::<Vec<u64>>())).unwrap();
    Reader::<Numbers>::open(&mut reader, Split { id: 0, detail: vec![], bytes: None }, None).unwrap();
    assert_eq!(Reader::<Numbers>::place(&reader).record, None);
    Reader::<Numbers>::poll(&mut reader, 10, &mut PanicsAt(0)).unwrap();
    assert_eq!(Reader::<Numbers>::place(&reader).record, Some(10));
    let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _ = Reader::<Numbers>::poll(&mut reader, 50, &mut PanicsAt(120));
    }));
    assert!(polled.is_err());
    assert_eq!(Reader::<Numbers>::place(&reader).record, Some(21));
}

/// A reader of an iterator that has been started, with a waker that counts.
fn started<F, I>(make: F) -> (impl Reader<Numbers>, Arc<AtomicUsize>)
where
    F: FnOnce() -> I + Send + 'static,
    I: IntoIterator<Item = u64>,
{
    let mut reader = Source::<Numbers>::reader(&mut iter(make)).unwrap();
    let woken = Arc::new(AtomicUsize::new(0));
    let (counter, thread) = (Arc::clone(&woken), std::thread::current());
    let waker: Arc<dyn Fn() + Send + Sync> = Arc::new(move || {
        counter.fetch_add(1, Ordering::SeqCst);
        thread.unpark();
    });
    Reader::<Numbers>::wake_with(&mut reader, waker);
    Reader::<Numbers>::open(&mut reader, Split { id: 0, detail: vec![], bytes: None }, None).unwrap();
    (reader, woken)
}

/// Polls until the end; waits only when the reader says that it will wake.
fn drain(reader: &mut impl Reader<Numbers>) -> Result<Vec<u64>, Fault> {
    let mut kept = Kept::<Numbers, _, _>::new(|row| row);
    loop {
        match reader.poll(300, &mut kept)? {
            Polled::More => {}
            Polled::Dry => std::thread::park_timeout(Duration::from_secs(20)),
            Polled::SplitDone => return Ok(kept.rows),
        }
    }
}

#[test]
fn an_iterator_gives_all_its_rows_in_order() {
    let (mut reader, _) = started(|| 0..100_000);
    assert_eq!(drain(&mut reader).unwrap(), (0..100_000).collect::<Vec<_>>());
    let mut empty = started(|| 0..0).0;
    assert_eq!(drain(&mut empty).unwrap(), [0u64; 0]);
}

#[test]
fn a_row_does_not_wait_for_the_next_one() {
    let (next, rows) = std::sync::mpsc::channel::<u64>();
    let (mut reader, woken) = started(move || rows);
    let mut kept = Kept::<Numbers, _, _>::new(|row| row);
    for n in 0..50u64 {
        // The reader may be idle, or may not have seen yet that there is nothing.
        if n % 2 == 0 {
            while reader.poll(10, &mut kept).unwrap() != Polled::Dry {}
        }
        let before = woken.load(Ordering::SeqCst);
        next.send(n).unwrap();
        let sent = Instant::now();
        if n % 2 == 0 {
            while woken.load(Ordering::SeqCst) == before {
                std::thread::park_timeout(Duration::from_millis(1));
                assert!(sent.elapsed() < Duration::from_secs(10), "nobody woke the reader");
            }
        }
        while kept.rows.len() <= n as usize {
            let _ = reader.poll(10, &mut kept).unwrap();
            assert!(sent.elapsed() < Duration::from_secs(10), "row {n} waits though the reader is idle");
        }
    }
    drop(next);
    assert_eq!(drain(&mut reader).unwrap(), [0u64; 0]);
    assert_eq!(kept.rows, (0..50).collect::<Vec<_>>());
}

#[test]
fn an_iterator_that_is_too_fast_waits() {
    let made = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&made);
    let (mut reader, _) = started(move || (0..1_000_000).inspect(move |_| _ = counter.fetch_add(1, Ordering::SeqCst)));
    std::thread::sleep(Duration::from_millis(200));
    assert!(made.load(Ordering::SeqCst) <= 2049, "{made:?} rows were made ahead");
    let mut kept = Kept::<Numbers, _, _>::new(|row| row);
    while kept.rows.is_empty() {
        reader.poll(1, &mut kept).unwrap();
    }
    std::thread::sleep(Duration::from_millis(200));
    assert!(made.load(Ordering::SeqCst) <= 4098, "{made:?} rows were made ahead");
}

#[test]
fn a_panic_of_the_iterator_comes_out_behind_the_rows_before_it() {
    let (mut reader, _) = started(|| (0..10u64).inspect(|n| assert!(*n < 5, "no more than five")));
    let mut kept = Kept::<Numbers, _, _>::new(|row| row);
    let fault = loop {
        match reader.poll(3, &mut kept) {
            Ok(Polled::Dry) => std::thread::park_timeout(Duration::from_secs(20)),
            Ok(Polled::More) => {}
            Ok(Polled::SplitDone) => panic!("the panic was lost"),
            Err(fault) => break fault,
        }
    };
    assert_eq!(kept.rows, [0, 1, 2, 3, 4]);
    assert!(fault.what.contains("no more than five"), "{fault}");
}

#[test]
fn the_iterator_is_dropped_when_the_reader_is() {
    struct Tells(Arc<AtomicUsize>);
    impl Drop for Tells {
        fn drop(&mut self) {
            self.0.store(1, Ordering::SeqCst);
        }
    }
    let dropped = Arc::new(AtomicUsize::new(0));
    let tells = Tells(Arc::clone(&dropped));
    let (reader, _) = started(move || {
        let tells = tells;
        (0..).inspect(move |_| _ = tells.0.load(Ordering::SeqCst))
    });
    drop(reader);
    let since = Instant::now();
    while dropped.load(Ordering::SeqCst) == 0 {
        assert!(since.elapsed() < Duration::from_secs(10), "the iterator still runs");
        std::thread::yield_now();
    }
}
