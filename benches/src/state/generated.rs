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
    time: Duration,
    /// What is not looked at.
    skip: Duration,
    begun: Instant,
    /// How many were read.
    count: Arc<AtomicU64>,
    /// When what is looked at begins and ends, and how many had been read.
    from: Arc<OnceLock<(Instant, u64)>>,
    to: Arc<OnceLock<(Instant, u64)>>,
}

/// At least so many numbers, for at least so long.
pub fn numbers(least: u64, time: Duration) -> Numbers {
    let count = Arc::default();
    if TRACE.load(Ordering::Relaxed) {
        print_rates(&count);
    }
    let (from, to, begun) = (Arc::default(), Arc::default(), Instant::now());
    Numbers { least, time, skip: Duration::ZERO, begun, count, from, to }
}

impl Numbers {
    /// Looks at nothing before this time, and goes on for as much longer.
    pub fn after(mut self, skip: Duration) -> Numbers {
        self.skip = skip;
        self
    }

    /// Million numbers per second, from then until there were no more: what a finished job writes at its end all wait for, and a job without an end
    /// never has.
    pub fn rate(&self) -> f64 {
        let (from, before) = self.from.get().copied().unwrap_or((self.begun, 0));
        let (to, count) =
            self.to.get().copied().unwrap_or_else(|| (Instant::now(), self.count.load(Ordering::Relaxed)));
        crate::jobs::rate(count - before, to - from)
    }

    /// Notes how many there are, when it is time. Says whether there are to be more than `given` of them.
    fn goes_on(&self, given: u64) -> bool {
        let now = || (Instant::now(), self.count.load(Ordering::Relaxed));
        let passed = self.begun.elapsed();
        if passed >= self.skip {
            self.from.get_or_init(now);
        }
        let more = given < self.least || passed < self.skip + self.time;
        if !more {
            self.to.get_or_init(now);
        }
        more
    }
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
        let (mut before, mut since, mut rates) = (0, Instant::now(), Vec::new());
        while let Some(count) = count.upgrade() {
            let (now, at) = (count.load(Ordering::Relaxed), Instant::now());
            rates.push(format!("{:.0}", crate::jobs::rate(now - before, at - since)));
            (before, since) = (now, at);
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
        Ok(NumbersReader { at: 0, end: 0, count: self.count.clone() })
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
        if !self.of.goes_on(id * EACH) {
            return Ok(Found::Finished);
        }
        self.next += 1;
        Ok(Found::Split(Split { id, detail: Vec::new(), bytes: None }))
    }
    fn state(&self) -> Vec<u8> {
        self.next.to_le_bytes().to_vec()
    }
}

pub struct NumbersReader {
    at: u64,
    end: u64,
    count: Arc<AtomicU64>,
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
        self.count.fetch_add(stop - self.at, Ordering::Relaxed);
        self.at = stop;
        Ok(if self.at < self.end { Polled::More } else { Polled::SplitDone })
    }
    fn place(&self) -> Place {
        Place { record: Some(self.at), ..Place::default() }
    }
}
