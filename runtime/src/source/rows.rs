//! [`rows`]: rows that are in memory already.
//!
//! They are emitted as an iterator over a slice, so that a chain that can be vectorized is. It knows nothing of files.

use super::{Emit, Enumerator, Found, Polled, Reader, RowType, Source, Split, number};
use crate::error::{Fault, Place};
use std::sync::Arc;

/// Rows of one split: at least so many that handing it out costs nothing beside reading it, and so few that the workers
/// end together.
fn split_rows(rows: usize) -> usize {
    (rows / 128).max(64 << 10)
}

/// The rows of a `Vec`, an array or an `Arc<[T]>`, in order; lent if the source's type is `&T`, else cloned.
///
/// Workers share them in at most 128 parts of at least 65,536. Each worker makes the source anew: an `Arc<[T]>` is shared, a `Vec` is copied.
pub fn rows<T>(data: impl Into<Arc<[T]>>) -> Rows<T> {
    Rows { data: data.into() }
}

/// What [`rows`] gives: a source of `T` or `&T`.
#[derive(Debug)]
pub struct Rows<T> {
    data: Arc<[T]>,
}

impl<T> Clone for Rows<T> {
    fn clone(&self) -> Self {
        Rows { data: Arc::clone(&self.data) }
    }
}

/// How a row is given out of memory that stays: as a reference, or as a value of its own.
pub trait Lend<'a, T> {
    /// Gives it.
    fn lend(from: &'a T) -> Self;
}

impl<'a, T: Clone> Lend<'a, T> for T {
    #[inline(always)]
    fn lend(from: &'a T) -> T {
        from.clone()
    }
}

impl<'a, T> Lend<'a, T> for &'a T {
    #[inline(always)]
    fn lend(from: &'a T) -> &'a T {
        from
    }
}

impl<T, R: RowType> Source<R> for Rows<T>
where
    T: Send + Sync + 'static,
    for<'a> R::Row<'a>: Lend<'a, T>,
{
    type Reader = RowsReader<T>;

    fn enumerator(&mut self, from: Option<&[u8]>) -> Result<Box<dyn Enumerator>, Fault> {
        let next = from.map_or(Ok(0), number)?;
        Ok(Box::new(Stretches { next, rows: self.data.len() }))
    }

    fn reader(&mut self) -> Result<RowsReader<T>, Fault> {
        Ok(RowsReader { data: Arc::clone(&self.data), at: 0, end: 0, last: None })
    }

    fn describe(&self) -> String {
        format!("rows ({} in memory)", self.data.len())
    }
}

struct Stretches {
    next: u64,
    rows: usize,
}

impl Enumerator for Stretches {
    fn next(&mut self) -> Result<Found, Fault> {
        let id = self.next;
        if id.saturating_mul(split_rows(self.rows) as u64) >= self.rows as u64 {
            return Ok(Found::Finished);
        }
        self.next += 1;
        // Which rows these are follows from the number.
        Ok(Found::Split(Split { id, detail: Vec::new(), bytes: None }))
    }

    fn state(&self) -> Vec<u8> {
        self.next.to_le_bytes().to_vec()
    }
}

/// Gives rows out of memory on one worker.
pub struct RowsReader<T> {
    data: Arc<[T]>,
    at: usize,
    end: usize,
    /// Which row was given last.
    last: Option<usize>,
}

impl<T, R: RowType> Reader<R> for RowsReader<T>
where
    T: Send + Sync + 'static,
    for<'a> R::Row<'a>: Lend<'a, T>,
{
    fn open(&mut self, split: Split, from: Option<&[u8]>) -> Result<(), Fault> {
        let each = split_rows(self.data.len());
        let start = usize::try_from(split.id).ok().and_then(|id| id.checked_mul(each));
        let Some(start) = start.filter(|start| *start < self.data.len()) else {
            return Err(Fault::new(format!("there is no split {} of {} rows", split.id, self.data.len())).lasting());
        };
        self.end = self.data.len().min(start + each);
        self.at = match from {
            None => start,
            Some(from) => usize::try_from(number(from)?).unwrap_or(usize::MAX),
        };
        if !(start..=self.end).contains(&self.at) {
            return Err(
                Fault::new(format!("row {} is not in split {}: these are other rows", self.at, split.id)).lasting()
            );
        }
        Ok(())
    }

    fn position(&self) -> Vec<u8> {
        (self.at as u64).to_le_bytes().to_vec()
    }

    #[inline]
    fn poll<E: Emit<R>>(&mut self, budget: usize, out: &mut E) -> Result<Polled, Fault> {
        let stop = self.end.min(self.at + budget.max(1));
        if self.at < stop {
            let rows = self.data.get(self.at..stop).unwrap_or_default();
            out.rows(Lent { rows: rows.iter(), stop, last: &mut self.last }.map(Lend::lend));
            self.at = stop;
        }
        Ok(if self.at < self.end { Polled::More } else { Polled::SplitDone })
    }

    fn place(&self) -> Place {
        Place { record: self.last.map(|row| row as u64 + 1), ..Place::default() }
    }
}

/// A slice's iterator that tells how far it came when it is dropped: at its end, or when what is done with a row panics,
/// so that the loop over it holds nothing but the loop.
struct Lent<'a, 'l, T> {
    rows: std::slice::Iter<'a, T>,
    stop: usize,
    last: &'l mut Option<usize>,
}

impl<'a, T> Iterator for Lent<'a, '_, T> {
    type Item = &'a T;

    #[inline(always)]
    fn next(&mut self) -> Option<&'a T> {
        self.rows.next()
    }

    #[inline(always)]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rows.size_hint()
    }

    #[inline(always)]
    fn fold<B, F: FnMut(B, &'a T) -> B>(mut self, init: B, mut f: F) -> B {
        let mut folded = init;
        for row in self.rows.by_ref() {
            folded = f(folded, row);
        }
        folded
    }
}

impl<T> ExactSizeIterator for Lent<'_, '_, T> {}

impl<T> Drop for Lent<'_, '_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        *self.last = (self.stop - self.rows.len()).checked_sub(1);
    }
}
