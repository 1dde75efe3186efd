//! A source of numbers that are made as they are read: so a run may be as long as it takes.

use pelton::error::{Fault, Place};
use pelton::source::{Emit, Enumerator, Found, Polled, Reader, RowType, Source, Split};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

/// Numbers in a split.
pub const EACH: u64 = 1 << 20;

/// `0..least` and on, until the time is over.
#[derive(Clone)]
pub struct Numbers {
    least: u64,
    until: Instant,
    /// How many were handed out.
    pub count: Arc<AtomicU64>,
    /// When there were no more.
    pub ended: Arc<OnceLock<Instant>>,
}

/// At least so many numbers, for at least so long.
pub fn numbers(least: u64, time: Duration) -> Numbers {
    let count = Arc::default();
    if TRACE.load(Ordering::Relaxed) {
        print_rates(&count);
    }
    Numbers { least, until: Instant::now() + time, count, ended: Arc::default() }
}

static TRACE: AtomicBool = AtomicBool::new(false);

/// From now on each run prints how many million numbers it took in each half second.
pub fn trace() {
    TRACE.store(true, Ordering::Relaxed);
}

/// As long as somebody counts.
fn print_rates(count: &Arc<AtomicU64>) {
    const EVERY: Duration = Duration::from_millis(500);
    let count = Arc::downgrade(count);
    thread::spawn(move || {
        let (mut before, mut rates) = (0, Vec::new());
        while let Some(count) = count.upgrade() {
            let now = count.load(Ordering::Relaxed);
            rates.push(format!("{:.0}", (now - before) as f64 / EVERY.as_secs_f64() / 1e6));
            before = now;
            drop(count);
            thread::sleep(EVERY);
        }
        eprintln!("    {}", rates.join(" "));
    });
}

impl<R: RowType> Source<R> for Numbers
where
    for<'a> R: RowType<Row<'a> = u64>,
{
    type Reader = NumbersReader;
    fn enumerator(&mut self, from: Option<&[u8]>) -> Result<Box<dyn Enumerator>, Fault> {
        let next = from.and_then(|from| from.try_into().ok()).map_or(0, u64::from_le_bytes);
        Ok(Box::new(Splits { next, of: self.clone() }))
    }
    fn reader(&mut self) -> Result<NumbersReader, Fault> {
        Ok(NumbersReader { at: 0, end: 0 })
    }
    fn describe(&self) -> String {
        "numbers".to_owned()
    }
}

struct Splits {
    next: u64,
    of: Numbers,
}

impl Enumerator for Splits {
    fn next(&mut self) -> Result<Found, Fault> {
        let id = self.next;
        if id * EACH >= self.of.least && Instant::now() >= self.of.until {
            self.of.ended.get_or_init(Instant::now);
            return Ok(Found::Finished);
        }
        self.next += 1;
        self.of.count.store(self.next * EACH, Ordering::Relaxed);
        Ok(Found::Split(Split { id, detail: Vec::new(), bytes: None }))
    }
    fn state(&self) -> Vec<u8> {
        self.next.to_le_bytes().to_vec()
    }
}

pub struct NumbersReader {
    at: u64,
    end: u64,
}

impl<R> Reader<R> for NumbersReader
where
    for<'a> R: RowType<Row<'a> = u64>,
{
    fn open(&mut self, split: Split, from: Option<&[u8]>) -> Result<(), Fault> {
        self.end = (split.id + 1) * EACH;
        self.at = from.and_then(|from| from.try_into().ok()).map_or(split.id * EACH, u64::from_le_bytes);
        Ok(())
    }
    fn position(&self) -> Vec<u8> {
        self.at.to_le_bytes().to_vec()
    }
    fn poll<E: Emit<R>>(&mut self, budget: usize, out: &mut E) -> Result<Polled, Fault> {
        let stop = self.end.min(self.at + budget.max(1) as u64);
        out.rows(self.at..stop);
        self.at = stop;
        Ok(if self.at < self.end { Polled::More } else { Polled::SplitDone })
    }
    fn place(&self) -> Place {
        Place { record: Some(self.at), ..Place::default() }
    }
}
