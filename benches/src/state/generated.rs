//! A source of numbers that are made as they are read: so a run may be as long as it takes.

use pelton::error::{Fault, Place};
use pelton::source::{Emit, Enumerator, Found, Polled, Reader, RowType, Source, Split};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Numbers in a split.
pub const EACH: u64 = 1 << 20;

/// `0..least` and on, until the time is over.
#[derive(Clone)]
pub struct Numbers {
    least: u64,
    time: Duration,
    begun: Instant,
    /// How many were read.
    count: Arc<AtomicU64>,
    /// When there were to be no more, and how many had been read.
    end: Arc<OnceLock<(Instant, u64)>>,
    /// How many had been read, again and again.
    samples: Samples,
}

type Samples = Arc<Mutex<Vec<Sample>>>;

#[derive(Clone, Copy)]
struct Sample {
    at: Instant,
    /// How many had been read.
    count: u64,
    /// What the host of a virtual machine had kept of its cores' time.
    stolen: Duration,
}

impl Sample {
    fn now(count: &AtomicU64) -> Sample {
        Sample { at: Instant::now(), count: count.load(Ordering::Relaxed), stolen: stolen().unwrap_or_default() }
    }
}

/// Since the machine was started, of all cores, in hundredths of a second, where the system says so.
fn stolen() -> Option<Duration> {
    let said = std::fs::read_to_string("/proc/stat").ok()?;
    let ticks: u64 = said.lines().next()?.split_whitespace().nth(8)?.parse().ok()?;
    Some(Duration::from_millis(10 * ticks))
}

/// What was done in a part of a run.
pub struct Part {
    /// Million numbers per second.
    pub rate: f64,
    /// Of the time of one core, how much the host kept.
    pub stolen: f64,
}

impl Part {
    /// Adds another part to a sum.
    pub fn add(&mut self, other: &Part) {
        self.rate += other.rate;
        self.stolen += other.stolen;
    }
}

/// At least so many numbers, for at least so long.
pub fn numbers(least: u64, time: Duration) -> Numbers {
    let (count, samples) = (Arc::default(), Samples::default());
    sample(&count, samples.clone());
    Numbers { least, time, begun: Instant::now(), count, end: Arc::default(), samples }
}

impl Numbers {
    /// Million numbers per second, until there were no more: what a finished job writes at its end all wait for, and a job without an end
    /// never has.
    pub fn rate(&self) -> f64 {
        let now = || (Instant::now(), self.count.load(Ordering::Relaxed));
        let (end, count) = self.end.get().copied().unwrap_or_else(now);
        crate::jobs::rate(count, end - self.begun)
    }

    /// The same of a part of the run.
    pub fn between(&self, from: Duration, to: Duration) -> Part {
        let samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        let at = |time: Duration| samples.iter().find(|s| s.at >= self.begun + time).or(samples.last()).copied();
        let (Some(from), Some(to)) = (at(from), at(to)) else { return Part { rate: 0.0, stolen: 0.0 } };
        let time = to.at - from.at;
        let stolen = (to.stolen - from.stolen).as_secs_f64() / time.as_secs_f64();
        Part { rate: crate::jobs::rate(to.count - from.count, time), stolen }
    }

    /// Notes how many there are, when there are to be no more than `given` of them.
    fn goes_on(&self, given: u64) -> bool {
        let more = given < self.least || self.begun.elapsed() < self.time;
        if !more {
            self.end.get_or_init(|| (Instant::now(), self.count.load(Ordering::Relaxed)));
        }
        more
    }
}

static TRACE: AtomicBool = AtomicBool::new(false);

/// From now on each run prints how many million numbers it took in each half second.
pub fn trace() {
    TRACE.store(true, Ordering::Relaxed);
}

/// Looks as long as somebody counts.
fn sample(count: &Arc<AtomicU64>, samples: Samples) {
    const EVERY: Duration = Duration::from_millis(50);
    let count = Arc::downgrade(count);
    thread::spawn(move || {
        while let Some(count) = count.upgrade() {
            let now = Sample::now(&count);
            samples.lock().unwrap_or_else(PoisonError::into_inner).push(now);
            drop(count);
            thread::sleep(EVERY);
        }
        if TRACE.load(Ordering::Relaxed) {
            let samples = samples.lock().unwrap_or_else(PoisonError::into_inner);
            let rates = samples.iter().zip(samples.iter().skip(10)).step_by(10);
            let rates: Vec<_> =
                rates.map(|(a, b)| format!("{:.0}", crate::jobs::rate(b.count - a.count, b.at - a.at))).collect();
            eprintln!("    {}", rates.join(" "));
        }
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
