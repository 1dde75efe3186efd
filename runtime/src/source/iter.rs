//! [`iter`]: rows from any iterator, which runs on a thread of its own.
//!
//! An iterator may block for as long as it likes (a socket, a timer); a worker must not. Between them is a bounded
//! queue, from which the reader takes whatever there is: many rows at a time when they come fast, each at once when they
//! come slowly.

use super::queued::{One, Queued};
use super::{Emit, Enumerator, Polled, Reader, RowType, Source, Split, Waker, number};
use crate::channel::{Receiver, bounded};
use crate::error::{Fault, Place};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Rows that wait for the reader; as many again may be in its hands.
const WAITING: usize = 2048;

/// The rows of the iterator that `make` gives, in its order.
///
/// The iterator is made and run on a thread of its own, on behalf of one worker. When it is 2,048 rows ahead of the
/// worker it waits. When the run ends before it, it is dropped as soon as it gives its next row. A panic in it ends the
/// run with the panic's message. A job that is restarted from a checkpoint makes it anew and passes over the rows that it
/// has had: so the iterator must give the same rows each time.
pub fn iter<F, I>(make: F) -> Iter<F>
where
    F: FnOnce() -> I + Send + 'static,
    I: IntoIterator,
    I::Item: Send + 'static,
{
    Iter { make: Some(make) }
}

/// What [`iter`] gives: a source of what the iterator gives.
pub struct Iter<F> {
    make: Option<F>,
}

impl<F, I, R> Source<R> for Iter<F>
where
    F: FnOnce() -> I + Send + 'static,
    I: IntoIterator,
    I::Item: Send + 'static,
    R: for<'a> RowType<Row<'a> = I::Item>,
{
    type Reader = IterReader<F, I::Item>;

    fn enumerator(&mut self, from: Option<&[u8]>) -> Result<Box<dyn Enumerator>, Fault> {
        Ok(Box::new(One::from(from)?))
    }

    fn reader(&mut self) -> Result<Self::Reader, Fault> {
        match self.make.take() {
            None => Err(Fault::new("an iterator can be read only once").lasting()),
            make => Ok(IterReader { make, from: None, queued: Queued::default() }),
        }
    }

    fn describe(&self) -> String {
        "iter".to_owned()
    }
}

/// Takes rows from an iterator's thread on one worker.
pub struct IterReader<F, T> {
    make: Option<F>,
    from: Option<Receiver<T>>,
    queued: Queued<T>,
}

impl<F, I, R> Reader<R> for IterReader<F, I::Item>
where
    F: FnOnce() -> I + Send + 'static,
    I: IntoIterator,
    I::Item: Send + 'static,
    R: for<'a> RowType<Row<'a> = I::Item>,
{
    fn open(&mut self, _: Split, from: Option<&[u8]>) -> Result<(), Fault> {
        // The iterator is made anew and gives the same rows, or it is none that a job can be restarted with.
        self.queued.given = from.map_or(Ok(0), number)?;
        let skip = usize::try_from(self.queued.given).unwrap_or(usize::MAX);
        let Some(make) = self.make.take() else {
            return Err(Fault::new("an iterator can be read only once").lasting());
        };
        let (sender, receiver) = bounded(WAITING);
        self.from = Some(receiver);
        let run = move || {
            let all = catch_unwind(AssertUnwindSafe(|| {
                for row in make().into_iter().skip(skip) {
                    if sender.send(row).is_err() {
                        break;
                    }
                }
            }));
            if let Err(panic) = all {
                sender.fail(panicked(panic.as_ref()));
            }
        };
        match std::thread::Builder::new().name("pelton-iter".to_owned()).spawn(run) {
            // The thread ends with the iterator or, once the reader is gone, at its next row: nobody waits for it.
            Ok(_) => Ok(()),
            Err(e) => Err(Fault::new("cannot start a thread for the iterator").because(e)),
        }
    }

    fn poll<E: Emit<R>>(&mut self, budget: usize, out: &mut E) -> Result<Polled, Fault> {
        match &self.from {
            None => Ok(Polled::SplitDone),
            Some(from) => self.queued.poll(from, budget, out),
        }
    }

    fn position(&self) -> Vec<u8> {
        self.queued.given.to_le_bytes().to_vec()
    }

    fn place(&self) -> Place {
        self.queued.place()
    }

    fn wake_with(&mut self, waker: Waker) {
        self.queued.waker = Some(waker);
    }
}

#[cold]
fn panicked(panic: &(dyn std::any::Any + Send)) -> Fault {
    let message = panic.downcast_ref::<&str>().copied();
    let message = message.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Fault::new(format!("the iterator panicked: {}", message.unwrap_or("(without a message)")))
}
