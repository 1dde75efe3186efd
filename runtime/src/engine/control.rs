//! What the coordinator and the workers say to each other. Neither decides anything by memory that the other one writes.
//!
//! Were workers processes of their own, [`ToWorker`] would be bytes as it is, and [`ToCoordinator`] but for four messages. The enumerator of
//! `Source` and the committer of `Sink` the coordinator would make itself, of the job, as the first worker does now. The causes of an
//! error in `Failed` and of a fault in `Saved` are values of whoever made them, and would go as their texts. `Asked`, with its way back, comes from
//! the coordinator's own process in any case. Besides, workers are handed what does not change while an attempt runs (settings, the
//! checkpoint that it goes on from, which sources meet), what the workers of one process share to keep state (a way to the store, folders, a
//! database; numbers in names of objects would be counted per worker), and counters, which are read for reports alone.

use super::coordinator::Wish;
use super::requests::Answer;
use crate::checkpoint::manifest::{OperatorState, SplitState};
use crate::error::{Error, Fault};
use crate::sink::{Committer, Prepared};
use crate::source::{Enumerator, Found};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::Thread;

/// A split to read on with after a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resumed {
    /// Where: what [`Reader::position`](crate::source::Reader::position) said; nothing for a split that nobody had begun.
    pub position: Vec<u8>,
    /// Its watermark there, in ms.
    pub watermark: i64,
    /// Records in front of it.
    pub rows: u64,
}

/// What a source has left behind what has been handed out. It only goes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Left {
    /// Splits that are there, or may be: nobody has asked yet.
    Some,
    /// None just now; there may be more later, which are new.
    Later,
    /// None.
    None,
}

/// Where a worker's part of a source stands in event time (ms). It is told where there may be more splits later, or where another source
/// comes to the same operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    /// It reads, and will give no row that is judged under an earlier watermark.
    Reads(i64),
    /// The same, and it ends by itself: there is no need for its other parts to know.
    Passes(i64),
    /// It has nothing to read, or nothing has come for long. The greatest watermark of its splits so far.
    Rests(i64),
    /// The same, and it has been so for so long that other sources are not to wait for it.
    Idle(i64),
}

/// A part of a snapshot.
pub enum SavedPart {
    /// What a source has open on one worker.
    Source {
        /// The source.
        source: usize,
        /// The splits that are not read to their end.
        splits: Vec<SplitState>,
        /// The greatest watermark of the splits that it has read to their end.
        reached: i64,
        /// No row is judged under an earlier watermark any more.
        promised: i64,
    },
    /// An operator's state on one worker.
    Operator(OperatorState),
}

/// To a worker.
pub enum ToWorker {
    /// The answer to [`ToCoordinator::Ask`]; or, from an endless source, what was found meanwhile.
    Found {
        /// The source.
        source: usize,
        /// What was found.
        found: Found,
        /// How to read on with it, if it has been begun before.
        resumed: Option<Resumed>,
        /// The watermark (ms) that it begins with: in an ordered source what the splits before it have reached, as far as
        /// known; else what the source had reached when it was found.
        watermark: i64,
        /// What is left behind it. Said with the split itself, so that its first row is judged already by what this worker
        /// knows of its splits.
        left: Left,
    },
    /// Every split of the source that is known has been handed out.
    AllAssigned {
        /// The source.
        source: usize,
        /// Whether there may be more later.
        left: Left,
    },
    /// What the workers that read have come to, for one that rests.
    Reached {
        /// The source.
        source: usize,
        /// The watermark, in ms.
        watermark: i64,
    },
    /// Sources end the epoch.
    Barrier {
        /// Its number.
        epoch: u64,
    },
    /// Sources end the epoch, and it is the last one.
    Last {
        /// Its number.
        epoch: u64,
    },
    /// Sources read no more, as if their inputs had ended.
    Drain,
    /// What of an epoch's snapshot is not saved yet need not be.
    GiveUp {
        /// Its number.
        epoch: u64,
    },
    /// Stop at once, drop everything.
    Stop,
}

/// To the coordinator.
pub enum ToCoordinator {
    /// A source's enumerator, from the first worker.
    Source {
        /// The source.
        source: usize,
        /// Its name.
        name: &'static str,
        /// Whether its splits are ordered in time.
        ordered: bool,
        /// Whether its splits do not end: they are handed out as they are found, and nobody asks.
        endless: bool,
        /// Finds its splits.
        enumerator: Box<dyn Enumerator>,
    },
    /// A sink's committer, from the first worker.
    Sink {
        /// The sink.
        sink: usize,
        /// Its name.
        name: &'static str,
        /// Publishes.
        committer: Box<dyn Committer>,
    },
    /// A worker has built its dataflow.
    Built {
        /// The worker.
        worker: usize,
        /// How many sources it has.
        sources: usize,
        /// How many parts its snapshots have.
        parts: usize,
    },
    /// A worker wants a split.
    Ask {
        /// The worker.
        worker: usize,
        /// The source.
        source: usize,
        /// The watermark (ms) that its last split ended with.
        ended: Option<i64>,
    },
    /// A split of an endless source has ended all the same.
    Closed {
        /// The worker.
        worker: usize,
        /// The source.
        source: usize,
        /// The watermark (ms) that it ended with.
        ended: i64,
    },
    /// Where a worker's part of a source stands.
    Stands {
        /// The worker.
        worker: usize,
        /// The source.
        source: usize,
        /// Where.
        stand: Stand,
    },
    /// A source has nothing more on this worker.
    Exhausted {
        /// The worker.
        worker: usize,
        /// The source.
        source: usize,
    },
    /// A writer has made an epoch's rows durable.
    Prepared {
        /// The worker.
        worker: usize,
        /// The sink.
        sink: usize,
        /// Which of its writers on this worker.
        part: usize,
        /// The epoch.
        epoch: u64,
        /// What to commit.
        prepared: Prepared,
    },
    /// A part of an epoch's snapshot is in the store, or will never be.
    Saved {
        /// The worker.
        worker: usize,
        /// Its chain.
        chain: usize,
        /// The epoch that ended there.
        epoch: u64,
        /// The part.
        part: Result<SavedPart, Fault>,
    },
    /// All chains of a worker have passed a barrier.
    Passed {
        /// The worker.
        worker: usize,
        /// The epoch that ended there.
        epoch: u64,
        /// How many times [`Prepared`](Self::Prepared) was said of it there: without all of them it is not whole.
        prepared: usize,
    },
    /// A worker has failed.
    Failed {
        /// Why.
        error: Error,
    },
    /// A worker's thread is about to end.
    Ended {
        /// The worker.
        worker: usize,
    },
    /// The user wants to stop.
    Interrupt,
    /// Somebody outside wants something.
    Asked {
        /// What.
        wish: Wish,
        /// Where the answers go. Gone without one, the attempt has ended before it could give it.
        answers: Sender<Answer>,
    },
    /// The savepoint that was given to a request is written, or could not be.
    Written {
        /// The request.
        request: u64,
        /// Whether it is.
        well: bool,
    },
}

/// How to reach a worker.
pub struct WorkerHandle {
    sender: Sender<ToWorker>,
    thread: Thread,
}

impl WorkerHandle {
    /// A way to reach the worker that runs on `thread`, and its end of it.
    pub fn new(thread: Thread) -> (Self, Receiver<ToWorker>) {
        let (sender, receiver) = channel();
        (WorkerHandle { sender, thread }, receiver)
    }
    /// Sends a message and wakes the worker. One that has ended does not hear it.
    pub fn send(&self, message: ToWorker) {
        let _ = self.sender.send(message);
        self.thread.unpark();
    }
}
