//! [`generate`]: rows made of their numbers.
//!
//! A row follows from its number alone, so that it can be made anew by any worker: splits are stretches of numbers.

use super::{Emit, Enumerator, Found, Polled, Reader, RowType, Source, Split, number};
use crate::error::{Fault, Place};

/// Rows of one split: so few that workers which read at a low rate do not get far apart.
const STRETCH: u64 = 4096;

/// The rows `f(0)`, `f(1)`, `f(2)`, .. without end, or `limit` of them. In a block `rate 10k/s` says how fast.
///
/// All workers make them, 4,096 at a time. `f` must give the same row for the same number each time: then a job that goes on from a checkpoint gets those
/// behind it, each once. Stretches are in the order of their numbers: where event time grows with the number, write `ordered_splits`, with
/// a `late_by` that covers some stretches.
///
/// ```
/// use pelton::prelude::*;
///
/// stream! {
///     job Sums<Memory> {
///         source numbers: u64 = generate(|n| n * n).limit(10_000), rate 1M/s;
///         let sums: (u64, u64) = numbers.key_by(|n| n % 2).aggregate(sum(|n| *n), emit at_end, unbounded("two")).map(|(k, n)| (k, n));
///         sink out(sums) = collect();
///     }
/// }
/// let mut out = Sums {}.run(Config::default().workers(2))?.out;
/// out.sort();
/// assert_eq!(out[0], (0, (0..10_000u64).filter(|n| n % 2 == 0).map(|n| n * n).sum()));
/// # Ok::<(), pelton::Error>(())
/// ```
pub fn generate<T, F: FnMut(u64) -> T>(f: F) -> Generate<F> {
    Generate { f, limit: None }
}

/// What [`generate`] gives: a source of what the function gives.
#[derive(Clone, Copy)]
pub struct Generate<F> {
    f: F,
    limit: Option<u64>,
}

impl<F> Generate<F> {
    /// Ends behind so many rows.
    pub fn limit(mut self, rows: u64) -> Self {
        self.limit = Some(rows);
        self
    }
}

impl<T, F, R> Source<R> for Generate<F>
where
    T: 'static,
    F: FnMut(u64) -> T + Clone + 'static,
    R: for<'a> RowType<Row<'a> = T>,
{
    type Reader = GenerateReader<F>;

    fn enumerator(&mut self, from: Option<&[u8]>) -> Result<Box<dyn Enumerator>, Fault> {
        Ok(Box::new(Stretches { next: from.map_or(Ok(0), number)?, limit: self.limit.unwrap_or(u64::MAX) }))
    }

    fn reader(&mut self) -> Result<GenerateReader<F>, Fault> {
        Ok(GenerateReader { f: self.f.clone(), limit: self.limit.unwrap_or(u64::MAX), next: 0, end: 0 })
    }

    fn describe(&self) -> String {
        match self.limit {
            None => "generate".to_owned(),
            Some(limit) => format!("generate {limit}"),
        }
    }
}

struct Stretches {
    /// The number of the next split.
    next: u64,
    limit: u64,
}

impl Enumerator for Stretches {
    fn next(&mut self) -> Result<Found, Fault> {
        match self.next.checked_mul(STRETCH) {
            Some(start) if start < self.limit => {}
            _ => return Ok(Found::Finished),
        }
        self.next += 1;
        // Which numbers these are follows from that of the split.
        Ok(Found::Split(Split { id: self.next - 1, detail: Vec::new(), bytes: None }))
    }

    fn state(&self) -> Vec<u8> {
        self.next.to_le_bytes().to_vec()
    }
}

/// Makes rows on one worker.
pub struct GenerateReader<F> {
    f: F,
    limit: u64,
    next: u64,
    end: u64,
}

impl<T, F, R> Reader<R> for GenerateReader<F>
where
    T: 'static,
    F: FnMut(u64) -> T + 'static,
    R: for<'a> RowType<Row<'a> = T>,
{
    fn open(&mut self, split: Split, from: Option<&[u8]>) -> Result<(), Fault> {
        let start = split.id.checked_mul(STRETCH).filter(|start| *start < self.limit);
        let other = || Fault::new("these are other rows than those that were generated so far").lasting();
        let start = start.ok_or_else(other)?;
        self.end = start.saturating_add(STRETCH).min(self.limit);
        self.next = from.map_or(Ok(start), number)?;
        if (start..=self.end).contains(&self.next) { Ok(()) } else { Err(other()) }
    }

    fn position(&self) -> Vec<u8> {
        self.next.to_le_bytes().to_vec()
    }

    fn poll<E: Emit<R>>(&mut self, budget: usize, out: &mut E) -> Result<Polled, Fault> {
        let stop = self.end.min(self.next.saturating_add(budget.max(1) as u64));
        let GenerateReader { f, next, .. } = self;
        out.rows((*next..stop).map(|n| {
            *next = n + 1;
            f(n)
        }));
        self.next = stop;
        Ok(if self.next < self.end { Polled::More } else { Polled::SplitDone })
    }

    fn place(&self) -> Place {
        Place { record: (self.next > 0).then_some(self.next), ..Place::default() }
    }
}
