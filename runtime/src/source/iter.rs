//! [`iter`]: rows from any iterator, which runs on a thread of its own.
//!
//! An iterator may block for as long as it likes (a socket, a timer); a worker must not. Between them is a bounded
//! queue, from which the reader takes whatever there is: many rows at a time when they come fast, each at once when they
//! come slowly.

use super::{Emit, Enumerator, Found, Polled, Reader, RowType, Source, Split, Waker, number};
use crate::error::{Fault, Place};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

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
        Ok(Box::new(One { given: from.map_or(Ok(0), number)? > 0 }))
    }

    fn reader(&mut self) -> Result<Self::Reader, Fault> {
        match self.make.take() {
            None => Err(Fault::new("an iterator can be read only once").lasting()),
            make => {
                Ok(IterReader { make, queue: Arc::new(Queue::default()), rows: VecDeque::new(), given: 0, waker: None })
            }
        }
    }

    fn describe(&self) -> String {
        "iter".to_owned()
    }
}

struct One {
    given: bool,
}

impl Enumerator for One {
    fn next(&mut self) -> Result<Found, Fault> {
        Ok(match std::mem::replace(&mut self.given, true) {
            true => Found::Finished,
            false => Found::Split(Split { id: 0, detail: Vec::new(), bytes: None }),
        })
    }

    fn state(&self) -> Vec<u8> {
        u64::from(self.given).to_le_bytes().to_vec()
    }
}

/// What the iterator's thread and the reader share.
struct Queue<T> {
    state: Mutex<State<T>>,
    /// Told when the reader has taken rows, or is gone.
    taken: Condvar,
}

struct State<T> {
    rows: VecDeque<T>,
    /// The reader has found nothing, and is to be woken.
    idle: bool,
    /// The reader is gone.
    closed: bool,
    /// The iterator's thread is waiting for room.
    full: bool,
    ended: Option<Result<(), Fault>>,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        let state = State { rows: VecDeque::new(), idle: false, closed: false, full: false, ended: None };
        Queue { state: Mutex::new(state), taken: Condvar::new() }
    }
}

impl<T> Queue<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // No code of a user runs under the lock, so what it guards is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a row in, and waits first if there is no room. `false` if nobody wants it.
    fn put(&self, row: T, waker: Option<&Waker>) -> bool {
        let mut state = self.lock();
        while state.rows.len() >= WAITING && !state.closed {
            state.full = true;
            state = self.taken.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.closed {
            return false;
        }
        state.rows.push_back(row);
        self.wake(state, waker);
        true
    }

    fn end(&self, how: Result<(), Fault>, waker: Option<&Waker>) {
        let mut state = self.lock();
        state.ended = Some(how);
        self.wake(state, waker);
    }

    fn wake(&self, mut state: MutexGuard<'_, State<T>>, waker: Option<&Waker>) {
        let idle = std::mem::take(&mut state.idle);
        drop(state);
        if let (true, Some(waker)) = (idle, waker) {
            waker();
        }
    }
}

/// Takes rows from an iterator's thread on one worker.
pub struct IterReader<F, T> {
    make: Option<F>,
    queue: Arc<Queue<T>>,
    rows: VecDeque<T>,
    /// How many rows were given.
    given: u64,
    waker: Option<Waker>,
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
        self.given = from.map_or(Ok(0), number)?;
        let skip = usize::try_from(self.given).unwrap_or(usize::MAX);
        let Some(make) = self.make.take() else {
            return Err(Fault::new("an iterator can be read only once").lasting());
        };
        let (queue, waker) = (Arc::clone(&self.queue), self.waker.clone());
        let run = move || {
            let all = catch_unwind(AssertUnwindSafe(|| {
                for row in make().into_iter().skip(skip) {
                    if !queue.put(row, waker.as_ref()) {
                        break;
                    }
                }
            }));
            queue.end(all.map_err(|panic| panicked(panic.as_ref())), waker.as_ref());
        };
        match std::thread::Builder::new().name("pelton-iter".to_owned()).spawn(run) {
            // The thread ends with the iterator or, once the reader is gone, at its next row: nobody waits for it.
            Ok(_) => Ok(()),
            Err(e) => Err(Fault::new("cannot start a thread for the iterator").because(e)),
        }
    }

    fn poll<E: Emit<R>>(&mut self, budget: usize, out: &mut E) -> Result<Polled, Fault> {
        if self.rows.is_empty() {
            let mut state = self.queue.lock();
            if state.rows.is_empty() {
                return match state.ended.take() {
                    None => {
                        state.idle = true;
                        Ok(Polled::Dry)
                    }
                    Some(Ok(())) => Ok(Polled::SplitDone),
                    Some(Err(fault)) => Err(fault),
                };
            }
            // The emptied one goes back with its room.
            std::mem::swap(&mut state.rows, &mut self.rows);
            let full = std::mem::take(&mut state.full);
            drop(state);
            if full {
                self.queue.taken.notify_one();
            }
        }
        let now = self.rows.len().min(budget.max(1));
        let given = &mut self.given;
        out.rows(self.rows.drain(..now).inspect(|_| *given += 1));
        Ok(Polled::More)
    }

    fn position(&self) -> Vec<u8> {
        self.given.to_le_bytes().to_vec()
    }

    fn place(&self) -> Place {
        Place { record: (self.given > 0).then_some(self.given), ..Place::default() }
    }

    fn wake_with(&mut self, waker: Waker) {
        self.waker = Some(waker);
    }
}

impl<F, T> Drop for IterReader<F, T> {
    fn drop(&mut self) {
        self.queue.lock().closed = true;
        self.queue.taken.notify_one();
    }
}

#[cold]
fn panicked(panic: &(dyn std::any::Any + Send)) -> Fault {
    let message = panic.downcast_ref::<&str>().copied();
    let message = message.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Fault::new(format!("the iterator panicked: {}", message.unwrap_or("(without a message)")))
}
