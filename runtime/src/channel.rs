//! [`bounded`]: a channel between a job and the program that it is a part of. What a job reads from it, or writes to it, is said with
//! `channel(..)` in the block.
//!
//! One kind of channel serves both ways, and what runs on a thread of its own for a source (an iterator, standard input, a socket). It knows nothing of
//! sources and sinks.

use crate::error::Fault;
use crate::staged::Staged;
use std::collections::VecDeque;
use std::sync::mpsc::{RecvError, SendError, TryRecvError, TrySendError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// A channel that holds at most `capacity` rows, at least one: whoever sends more waits until there is room.
///
/// One end is a param of the job, the other one stays with the program:
///
/// ```
/// use pelton::channel::{Receiver, Sender, bounded};
/// use pelton::prelude::*;
///
/// stream! {
///     job Doubled<Memory> {
///         param numbers: Receiver<u64>;
///         param doubled: Sender<u64>;
///         source all: u64 = channel(numbers);
///         let twice: u64 = all.map(|n| n * 2);
///         sink out(twice) = channel(doubled);
///     }
/// }
///
/// let (to_job, numbers) = bounded(100);
/// let (doubled, from_job) = bounded(100);
/// let job = std::thread::spawn(|| Doubled { numbers, doubled }.run(Config::default().workers(1)));
/// for n in 0..1000 {
///     to_job.send(n).unwrap();            // waits while the job is busy
/// #   if n == 0 { std::thread::sleep(std::time::Duration::from_millis(1)) }
/// }
/// drop(to_job);                           // the input ends here
/// let mut got: Vec<u64> = from_job.iter().collect();
/// got.sort();
/// assert_eq!(got, (0..1000).map(|n| n * 2).collect::<Vec<u64>>());
/// job.join().unwrap()?;
/// # Ok::<(), pelton::Error>(())
/// ```
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let state = State {
        rows: VecDeque::new(),
        taken: 0,
        senders: 1,
        receivers: 1,
        waiting: 0,
        waker: None,
        failed: None,
        staged: Staged::default(),
    };
    let shared = Arc::new(Shared {
        capacity: capacity.max(1),
        state: Mutex::new(state),
        room: Condvar::new(),
        more: Condvar::new(),
    });
    (Sender { shared: shared.clone() }, Receiver { shared })
}

/// What `channel(..)` gives: a source of what comes out of a [`Receiver`], or a sink into a [`Sender`].
#[derive(Clone, Debug)]
pub struct Channel<E> {
    pub(crate) end: E,
    pub(crate) may_lose: bool,
}

/// A channel as a source or as a sink.
///
/// `source name: T = channel(receiver)`: rows in the order in which they were sent, taken by one worker. It ends when all senders are gone. While the
/// job is busy, senders wait. **What has come out of a channel cannot be had again**: a run that is to go on from a checkpoint is
/// refused if it has taken rows since, unless [`may_lose`](Channel::may_lose) says that these may be lost.
///
/// `sink name(rows) = channel(sender)`: rows come out when their epoch is committed, once, also if an attempt fails and the next one goes on; that is
/// every second, or as often as there are checkpoints. While `capacity` committed rows wait to be received, the job reads on no further: so
/// the program should go on receiving until the channel ends, which it does with the run. If it drops its [`Receiver`], rows go nowhere. What was
/// committed and not received is lost with the process.
pub fn channel<E>(end: E) -> Channel<E> {
    Channel { end, may_lose: false }
}

impl<T> Channel<Receiver<T>> {
    /// A run that goes on from a checkpoint may lose the rows that were taken from the channel since.
    pub fn may_lose(mut self) -> Self {
        self.may_lose = true;
        self
    }
}

/// What wakes who waits, from any thread.
pub(crate) type Wake = Arc<dyn Fn() + Send + Sync>;

struct Shared<T> {
    capacity: usize,
    state: Mutex<State<T>>,
    /// Told when there is room, or nobody receives any more.
    room: Condvar,
    /// Told when there are rows, or nobody sends any more.
    more: Condvar,
}

struct State<T> {
    rows: VecDeque<T>,
    /// Rows that were ever taken.
    taken: u64,
    senders: usize,
    receivers: usize,
    /// Senders that wait for room.
    waiting: usize,
    /// Called, once, when there are rows or nobody sends any more.
    waker: Option<Wake>,
    failed: Option<Fault>,
    staged: Staged<T>,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // No code of a user runs under the lock, so what it guards is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that there are rows, or that there will be none.
    fn tell(&self, mut state: MutexGuard<'_, State<T>>) {
        let waker = state.waker.take();
        drop(state);
        self.more.notify_all();
        if let Some(waker) = waker {
            waker();
        }
    }
}

/// The end of a channel that rows go into. Clones share it.
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

impl<T> Sender<T> {
    /// Sends a row, and waits while there is no room.
    ///
    /// # Errors
    /// If nobody receives any more: the run has ended. The row is in it.
    pub fn send(&self, row: T) -> Result<(), SendError<T>> {
        let mut state = self.shared.lock();
        while state.rows.len() >= self.shared.capacity && state.receivers > 0 {
            state.waiting += 1;
            state = self.shared.room.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
        }
        if state.receivers == 0 {
            return Err(SendError(row));
        }
        state.rows.push_back(row);
        self.shared.tell(state);
        Ok(())
    }

    /// Sends a row, if there is room.
    ///
    /// # Errors
    /// If there is none, or nobody receives any more. The row is in it.
    pub fn try_send(&self, row: T) -> Result<(), TrySendError<T>> {
        let mut state = self.shared.lock();
        if state.receivers == 0 {
            return Err(TrySendError::Disconnected(row));
        }
        if state.rows.len() >= self.shared.capacity {
            return Err(TrySendError::Full(row));
        }
        state.rows.push_back(row);
        self.shared.tell(state);
        Ok(())
    }

    /// What comes out of it ends with this, once all rows are taken.
    pub(crate) fn fail(&self, fault: Fault) {
        let mut state = self.shared.lock();
        state.failed = Some(fault);
        self.shared.tell(state);
    }

    /// Whether anybody receives.
    pub(crate) fn is_wanted(&self) -> bool {
        self.shared.lock().receivers > 0
    }

    /// Whether it takes rows without getting fuller than it may be.
    pub(crate) fn has_room(&self) -> bool {
        let state = self.shared.lock();
        state.rows.len() < self.shared.capacity || state.receivers == 0
    }

    /// Sends rows, room or not.
    pub(crate) fn force(&self, rows: Vec<T>) {
        let mut state = self.shared.lock();
        if state.receivers > 0 {
            state.rows.extend(rows);
        }
        self.shared.tell(state);
    }

    /// Does something to what is prepared and not committed.
    pub(crate) fn staged<R>(&self, f: impl FnOnce(&mut Staged<T>) -> R) -> R {
        f(&mut self.shared.lock().staged)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared.lock().senders += 1;
        Sender { shared: self.shared.clone() }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.senders -= 1;
        if state.senders == 0 {
            self.shared.tell(state);
        }
    }
}

impl<T> std::fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sender").field("waiting", &self.shared.lock().rows.len()).finish()
    }
}

/// The end of a channel that rows come out of. Clones share it: each row comes out once.
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
}

/// What a look at a channel has brought.
pub(crate) enum Taken {
    Some,
    /// Nothing just now: the waker will be called.
    Nothing,
    /// There will be no more.
    Ended,
}

impl<T> Receiver<T> {
    /// The next row; waits until there is one.
    ///
    /// # Errors
    /// If all are out and nobody sends any more.
    pub fn recv(&self) -> Result<T, RecvError> {
        let mut state = self.shared.lock();
        loop {
            if let Some(row) = self.pop(&mut state) {
                return Ok(row);
            }
            if state.senders == 0 {
                return Err(RecvError);
            }
            state = self.shared.more.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The next row, if there is one.
    ///
    /// # Errors
    /// If there is none just now, or if there will be none.
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        let mut state = self.shared.lock();
        match self.pop(&mut state) {
            Some(row) => Ok(row),
            None if state.senders == 0 => Err(TryRecvError::Disconnected),
            None => Err(TryRecvError::Empty),
        }
    }

    /// The rows until nobody sends any more, each when it comes.
    pub fn iter(&self) -> impl Iterator<Item = T> + '_ {
        std::iter::from_fn(|| self.recv().ok())
    }

    fn pop(&self, state: &mut State<T>) -> Option<T> {
        let row = state.rows.pop_front()?;
        state.taken += 1;
        if state.waiting > 0 {
            self.shared.room.notify_one();
        }
        Some(row)
    }

    /// Takes all rows that are there into a queue that is empty. If there are none, `waker` is called when there are some, or will be none.
    pub(crate) fn take(&self, into: &mut VecDeque<T>, waker: Option<&Wake>) -> Result<Taken, Fault> {
        let mut state = self.shared.lock();
        if state.rows.is_empty() {
            if let Some(fault) = state.failed.take() {
                return Err(fault);
            }
            if state.senders == 0 {
                return Ok(Taken::Ended);
            }
            state.waker = waker.cloned();
            return Ok(Taken::Nothing);
        }
        // The emptied one goes back with its room.
        std::mem::swap(&mut state.rows, into);
        state.taken += into.len() as u64;
        let waiting = state.waiting > 0;
        drop(state);
        if waiting {
            self.shared.room.notify_all();
        }
        Ok(Taken::Some)
    }

    /// Puts rows back that were taken and not used.
    pub(crate) fn put_back(&self, rows: &mut VecDeque<T>) {
        let mut state = self.shared.lock();
        state.taken -= rows.len() as u64;
        while let Some(row) = rows.pop_back() {
            state.rows.push_front(row);
        }
    }

    /// Rows that were ever taken.
    pub(crate) fn taken(&self) -> u64 {
        self.shared.lock().taken
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.shared.lock().receivers += 1;
        Receiver { shared: self.shared.clone() }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.receivers -= 1;
        if state.receivers == 0 {
            drop(state);
            self.shared.room.notify_all();
        }
    }
}

impl<T> std::fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receiver").field("waiting", &self.shared.lock().rows.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senders_wait_for_room_and_are_told_when_nobody_receives() {
        let (sender, receiver) = bounded(2);
        assert!(sender.try_send(1).is_ok() && sender.try_send(2).is_ok());
        assert_eq!(sender.try_send(3), Err(TrySendError::Full(3)));
        let other = sender.clone();
        let waits = std::thread::spawn(move || (other.send(3), other.send(4)));
        assert_eq!((0..3).map(|_| receiver.recv().unwrap()).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(receiver.recv(), Ok(4));
        assert_eq!(waits.join().unwrap(), (Ok(()), Ok(())));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        drop(receiver);
        assert_eq!(sender.send(5), Err(SendError(5)));
    }

    #[test]
    fn a_receiver_is_told_when_nobody_sends() {
        let (sender, receiver) = bounded(9);
        sender.send("last").unwrap();
        drop(sender.clone());
        drop(sender);
        assert_eq!((receiver.recv(), receiver.recv()), (Ok("last"), Err(RecvError)));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
    }

    #[test]
    fn what_was_taken_and_not_used_goes_back_in_its_order() {
        let (sender, receiver) = bounded(9);
        (0..4).for_each(|n| sender.send(n).unwrap());
        let mut rows = VecDeque::new();
        assert!(matches!(receiver.take(&mut rows, None), Ok(Taken::Some)));
        sender.send(4).unwrap();
        assert_eq!((rows.pop_front(), receiver.taken()), (Some(0), 4));
        receiver.put_back(&mut rows);
        assert_eq!(receiver.taken(), 1);
        drop(sender);
        assert_eq!(receiver.iter().collect::<Vec<_>>(), [1, 2, 3, 4]);
    }
}
