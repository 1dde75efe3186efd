//! What the operators of one worker share with its thread: messages in, messages out, and the first failure.

use super::control::{Left, Resumed, ToCoordinator};
use super::files::Files;
use super::meets::Meets;
use super::resume::Resume;
use super::saver::Saver;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::{Error, Fault};
use crate::metrics::Metrics;
use crate::sink::Prepared;
use crate::source::{Found, Waker};
use crate::state::Backend;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;
use timely::scheduling::Activator;

/// A message for one source of this worker.
pub enum ToSource {
    /// A split, or that there is none; how to read on with it; the watermark to start from; and what is left behind it.
    Found(Found, Option<Resumed>, i64, Left),
    /// Every split that is known has been handed out.
    AllAssigned(Left),
    /// What other workers have come to.
    Reached(i64),
    /// It is to read no more.
    Drain,
    /// The epoch ends.
    Barrier(u64),
    /// The last epoch ends.
    Last(u64),
}

/// Messages for a source, and what wakes it.
pub struct Mailbox {
    /// The messages, oldest first.
    pub messages: RefCell<VecDeque<ToSource>>,
    activator: RefCell<Option<Activator>>,
}

impl Mailbox {
    /// Names what wakes the source.
    pub fn wake_with(&self, activator: Activator) {
        *self.activator.borrow_mut() = Some(activator);
    }
    /// Adds a message and wakes the source.
    pub fn put(&self, message: Option<ToSource>) {
        self.messages.borrow_mut().extend(message);
        if let Some(activator) = &*self.activator.borrow() {
            activator.activate();
        }
    }
}

/// How far a worker is with a barrier.
#[derive(Default)]
struct Passing {
    /// Chains that have passed it.
    chains: usize,
    /// Writers that have prepared something.
    prepared: usize,
}

/// One worker's shared part.
pub struct Local {
    /// Its index.
    pub worker: usize,
    /// How many there are.
    pub workers: usize,
    /// Which attempt this is, from 1.
    pub attempt: u64,
    /// The settings.
    pub config: Arc<Config>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where counters are published.
    pub metrics: Arc<Metrics>,
    /// Wakes this worker's thread.
    pub waker: Waker,
    /// What the attempt goes on from.
    pub resume: Resume,
    /// Where snapshots go, if epochs are kept.
    pub saver: Option<Saver>,
    /// Where operators keep files.
    pub files: Arc<Files>,
    /// Which sources come together.
    pub meets: Arc<Meets>,
    parts: Cell<usize>,
    given_up: Cell<Option<u64>>,
    takes_back: Cell<bool>,
    to: Sender<ToCoordinator>,
    sources: RefCell<Vec<Rc<Mailbox>>>,
    chains: Cell<usize>,
    ended: Cell<usize>,
    sinks: Cell<usize>,
    passing: RefCell<BTreeMap<u64, Passing>>,
    failure: RefCell<Option<Error>>,
    failed: Cell<bool>,
}

impl Local {
    /// For a worker.
    #[expect(clippy::too_many_arguments, reason = "called once, where the worker's thread begins")]
    pub fn new(
        worker: usize,
        workers: usize,
        attempt: u64,
        config: Arc<Config>,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
        waker: Waker,
        resume: Resume,
        saver: Option<Saver>,
        files: Arc<Files>,
        meets: Arc<Meets>,
        to: Sender<ToCoordinator>,
    ) -> Self {
        Local {
            worker,
            workers,
            attempt,
            config,
            clock,
            metrics,
            waker,
            resume,
            saver,
            files,
            meets,
            parts: Cell::new(0),
            given_up: Cell::new(None),
            takes_back: Cell::new(true),
            to,
            sources: RefCell::default(),
            chains: Cell::new(0),
            ended: Cell::new(0),
            sinks: Cell::new(0),
            passing: RefCell::default(),
            failure: RefCell::default(),
            failed: Cell::new(false),
        }
    }

    /// What lies below the tables of an operator of this worker.
    ///
    /// # Errors
    /// If its folder cannot be made.
    pub fn below<B: Backend>(&self) -> Result<B::Below, Fault> {
        self.files.below::<B>(self.worker, self.workers, self.resume.epoch())
    }

    /// Tells the coordinator. One that has gone does not hear it.
    pub fn tell(&self, message: ToCoordinator) {
        let _ = self.to.send(message);
    }

    /// The time.
    pub fn now(&self) -> Duration {
        self.clock.now()
    }

    /// Adds a source; gives its number and its mailbox.
    pub fn add_source(&self) -> (usize, Rc<Mailbox>) {
        let mailbox = Rc::new(Mailbox { messages: RefCell::default(), activator: RefCell::default() });
        let mut sources = self.sources.borrow_mut();
        sources.push(mailbox.clone());
        (sources.len() - 1, mailbox)
    }

    /// The mailboxes of all sources.
    pub fn sources(&self) -> Vec<Rc<Mailbox>> {
        self.sources.borrow().clone()
    }

    /// Adds a chain; gives its number.
    pub fn add_chain(&self) -> usize {
        self.chains.replace(self.chains.get() + 1)
    }

    /// Adds a part to each of this worker's snapshots.
    pub fn add_part(&self) {
        self.parts.set(self.parts.get() + 1);
    }

    /// How many parts each of its snapshots has.
    pub fn parts(&self) -> usize {
        self.parts.get()
    }

    /// Notes whether a sink can take back what it has published.
    pub fn note_sink(&self, takes_back: bool) {
        self.takes_back.set(self.takes_back.get() & takes_back);
    }

    /// Whether all sinks can.
    pub fn takes_back(&self) -> bool {
        self.takes_back.get()
    }

    /// An epoch's snapshot will not be kept.
    pub fn give_up(&self, epoch: u64) {
        self.given_up.set(Some(epoch));
    }

    /// Whether an epoch's snapshot will not be kept.
    pub fn given_up(&self, epoch: u64) -> bool {
        self.given_up.get() == Some(epoch)
    }

    /// Adds a sink; gives its number.
    pub fn add_sink(&self) -> usize {
        self.sinks.replace(self.sinks.get() + 1)
    }

    /// A writer has made an epoch's rows durable.
    pub fn prepared(&self, (sink, part): (usize, usize), epoch: u64, prepared: Prepared) {
        self.passing.borrow_mut().entry(epoch).or_default().prepared += 1;
        self.tell(ToCoordinator::Prepared { worker: self.worker, sink, part, epoch, prepared });
    }

    /// A chain has passed a barrier; tells the coordinator when all have.
    pub fn passed(&self, epoch: u64) {
        let mut passing = self.passing.borrow_mut();
        let of_epoch = passing.entry(epoch).or_default();
        of_epoch.chains += 1;
        if of_epoch.chains == self.chains.get() {
            let prepared = of_epoch.prepared;
            passing.remove(&epoch);
            self.tell(ToCoordinator::Passed { worker: self.worker, epoch, prepared });
        }
    }

    /// A chain has ended.
    pub fn ended(&self) {
        self.ended.set(self.ended.get() + 1);
    }

    /// Whether all have.
    pub fn all_ended(&self) -> bool {
        self.ended.get() == self.chains.get()
    }

    /// Keeps the first failure; the thread stops at it before the next step.
    pub fn fail(&self, error: Error) {
        self.failed.set(true);
        self.failure.borrow_mut().get_or_insert(error);
    }

    /// Whether something has failed.
    pub fn failed(&self) -> bool {
        self.failed.get()
    }

    /// What failed.
    pub fn take_failure(&self) -> Option<Error> {
        self.failure.borrow_mut().take()
    }
}
