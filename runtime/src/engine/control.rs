//! What the coordinator and the workers say to each other. They share nothing else.

use crate::error::Error;
use crate::sink::{Committer, Prepared};
use crate::source::{Enumerator, Found};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::Thread;

/// To a worker.
pub enum ToWorker {
    /// The answer to [`ToCoordinator::Ask`]. The split starts from this watermark (ms), if its source is ordered.
    Found {
        /// The source.
        source: usize,
        /// What was found.
        found: Found,
        /// The watermark that the splits before it have reached, as far as known.
        watermark: i64,
        /// Whether no split is left behind it. Said with the split itself, so that its first row is judged already by
        /// what this worker knows of its splits.
        last: bool,
    },
    /// Every split of the source has been handed out.
    AllAssigned {
        /// The source.
        source: usize,
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
        /// How many chains it has.
        chains: usize,
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
        /// The epoch.
        epoch: u64,
        /// What to commit.
        prepared: Prepared,
    },
    /// All chains of a worker have passed a barrier.
    Passed {
        /// The worker.
        worker: usize,
        /// The epoch that ended there.
        epoch: u64,
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
