//! [`Queued`]: rows out of a channel, for one worker: those of [`iter`](super::iter) and of [`channel`](crate::channel::channel).

use super::{Emit, Enumerator, Found, Guarantee, Polled, Reader, RowType, Source, Split, Waker, number};
use crate::channel::{Channel, Receiver, Taken};
use crate::error::{Fault, Place};
use std::collections::VecDeque;

/// The enumerator of what one worker reads as one split.
pub(super) struct One {
    given: bool,
}

impl One {
    /// Goes on from a state.
    pub(super) fn from(state: Option<&[u8]>) -> Result<One, Fault> {
        Ok(One { given: state.map_or(Ok(0), number)? > 0 })
    }
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

/// Takes rows out of a channel: many at a time when they come fast, each at once when they come slowly.
pub(super) struct Queued<T> {
    pub(super) rows: VecDeque<T>,
    /// How many rows were given.
    pub(super) given: u64,
    pub(super) waker: Option<Waker>,
}

impl<T> Default for Queued<T> {
    fn default() -> Self {
        Queued { rows: VecDeque::new(), given: 0, waker: None }
    }
}

impl<T> Queued<T> {
    pub(super) fn poll<R, E>(&mut self, from: &Receiver<T>, budget: usize, out: &mut E) -> Result<Polled, Fault>
    where
        R: for<'a> RowType<Row<'a> = T>,
        E: Emit<R>,
    {
        if self.rows.is_empty() {
            match from.take(&mut self.rows, self.waker.as_ref())? {
                Taken::Some => {}
                Taken::Nothing => return Ok(Polled::Dry),
                Taken::Ended => return Ok(Polled::SplitDone),
            }
        }
        let now = self.rows.len().min(budget.max(1));
        let given = &mut self.given;
        out.rows(self.rows.drain(..now).inspect(|_| *given += 1));
        Ok(Polled::More)
    }

    pub(super) fn place(&self) -> Place {
        Place { record: (self.given > 0).then_some(self.given), ..Place::default() }
    }
}

/// Says that what was read since a checkpoint cannot be read again.
#[cold]
pub(super) fn cannot_replay(what: &str) -> Fault {
    Fault::new(format!("what was read from {what} since the checkpoint cannot be read again")).lasting().help(
        "begin anew with `--fresh`, or write `.may_lose()` behind the connector if a run that goes on may lose it",
    )
}

impl<T, R> Source<R> for Channel<Receiver<T>>
where
    T: Send + 'static,
    R: for<'a> RowType<Row<'a> = T>,
{
    type Reader = ChannelReader<T>;
    const GUARANTEE: Guarantee = Guarantee::Nothing("what was taken from a channel cannot be taken again");

    fn enumerator(&mut self, from: Option<&[u8]>) -> Result<Box<dyn Enumerator>, Fault> {
        Ok(Box::new(One::from(from)?))
    }

    fn reader(&mut self) -> Result<ChannelReader<T>, Fault> {
        Ok(ChannelReader { from: self.end.clone(), may_lose: self.may_lose, queued: Queued::default() })
    }

    fn describe(&self) -> String {
        "channel".to_owned()
    }

    /// When nothing comes for long, others are not to wait for it.
    fn endless(&self) -> bool {
        true
    }
}

/// Takes rows from a channel on one worker.
pub struct ChannelReader<T> {
    from: Receiver<T>,
    may_lose: bool,
    queued: Queued<T>,
}

impl<T, R> Reader<R> for ChannelReader<T>
where
    T: Send + 'static,
    R: for<'a> RowType<Row<'a> = T>,
{
    fn open(&mut self, _: Split, from: Option<&[u8]>) -> Result<(), Fault> {
        self.queued.given = from.map_or(Ok(0), number)?;
        // In this process all may still be there that came behind the position; another one begins with other rows.
        let all_there = self.from.taken() == self.queued.given;
        match from.is_none() || all_there || self.may_lose {
            true => Ok(()),
            false => Err(cannot_replay("the channel")),
        }
    }

    fn position(&self) -> Vec<u8> {
        self.queued.given.to_le_bytes().to_vec()
    }

    fn poll<E: Emit<R>>(&mut self, budget: usize, out: &mut E) -> Result<Polled, Fault> {
        self.queued.poll(&self.from, budget, out)
    }

    fn place(&self) -> Place {
        self.queued.place()
    }

    fn wake_with(&mut self, waker: Waker) {
        self.queued.waker = Some(waker);
    }
}

impl<T> Drop for ChannelReader<T> {
    fn drop(&mut self) {
        self.from.put_back(&mut self.queued.rows);
    }
}
