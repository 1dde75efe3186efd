//! A worker's way to the store: what operators save becomes objects here, and threads of their own bring them there.
//!
//! ```text
//! worker: entries -> object | change -> Job -> pelton-store -> a pool for objects and files, one thread for each core without a worker
//!                                                           -> Saved, to the coordinator, when all of a part is there
//! ```
//!
//! The worker only appends entries to a buffer; checksums are found, bytes are written and read back beside it. Everything that
//! is told about a snapshot goes to the coordinator as a message, behind the objects that it speaks of.

mod spare;
mod uploads;

use super::control::ToCoordinator;
use crate::background::{self, Wish};
use crate::checkpoint::manifest::{DataName, ObjectRef, OperatorState};
use crate::checkpoint::object::ObjectWriter;
use crate::checkpoint::store::Store;
use crate::error::Fault;
use crate::state::entry::Encoded;
use crate::state::files::{Change, Write};
use crate::state::room::BATCH_BYTES;
use crate::state::save::{Entries, SaveTo};
use spare::{SMALL_OBJECT, Spare};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use uploads::Uploads;

/// What a snapshot is called, and who takes its objects.
#[derive(Clone)]
pub struct Saver {
    to: Sender<Job>,
    /// What tells the log from others.
    log: Option<u64>,
    /// The attempt, which no other run on this log has: names of objects begin with it.
    attempt: u64,
    /// Numbers the objects of the attempt.
    objects: Arc<AtomicU32>,
    queue: Arc<Queue>,
}

/// Objects that may wait for the thread before workers save only what they must: half a GiB of them. What they must save costs more than
/// what they save in a row.
const OBJECTS_AHEAD: usize = 32;

/// The same for parts of changes, each of [`BATCH_BYTES`].
const WRITES_AHEAD: usize = 2;

/// Objects or files that are brought to the store at once.
const UPLOADS: usize = 16;

/// What is between the workers and the thread.
#[derive(Default)]
struct Queue {
    /// Objects that are not written yet.
    waiting: AtomicUsize,
    /// Parts of changes that are not.
    writes: AtomicUsize,
    /// Memory of objects that are through.
    spare: Mutex<Spare>,
    /// The attempt is: nobody waits for what is not there yet.
    over: AtomicBool,
}

impl Queue {
    /// Memory for a full object.
    fn take(&self) -> Vec<u8> {
        // New memory takes its time, which nobody else is to wait for.
        let kept = locked(&self.spare).take();
        kept.unwrap_or_else(Spare::fresh)
    }
    /// Takes memory back that nobody needs now.
    fn give_back(&self, memory: Vec<u8>) {
        locked(&self.spare).put(memory);
    }
    /// Why nothing is written any more, if the attempt is over.
    fn open(&self) -> Result<(), Fault> {
        match self.over.load(Ordering::Relaxed) {
            true => Err(Fault::new("the attempt is over")),
            false => Ok(()),
        }
    }
    fn is_behind(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) >= OBJECTS_AHEAD || self.writes.load(Ordering::Relaxed) >= WRITES_AHEAD
    }
}

/// The thread of an attempt's savers, for whoever runs the attempt.
pub struct Saving {
    queue: Arc<Queue>,
    /// Closed when the thread has ended.
    end: Receiver<()>,
}

/// How long a store that does not answer is waited for.
const LAST_WORD: Duration = Duration::from_secs(5);

impl Saving {
    /// The attempt is over: what is not written yet need not be.
    pub fn stop(&self) {
        self.queue.over.store(true, Ordering::Relaxed);
    }

    /// Whether the thread has ended.
    pub fn has_ended(&self) -> bool {
        matches!(self.end.try_recv(), Err(TryRecvError::Disconnected))
    }

    /// Waits until files and databases of the attempt are closed: a process that ends while one is open may crash.
    pub fn wait(self) {
        let _ = self.end.recv_timeout(LAST_WORD);
    }
}

enum Job {
    /// Bring an object to the store.
    Put { ticket: Ticket, object: ObjectWriter, name: DataName },
    /// Write some of what changed.
    Write { ticket: Ticket, write: Write },
    /// Write the rest, and bring all files of the operator to the store.
    Changed { ticket: Ticket, state: OperatorState, noted: Noted },
    /// A file that is in the store already, under this name.
    Known { file: PathBuf, object: ObjectRef },
    /// All of a part is said.
    End { ticket: Ticket, state: OperatorState },
    /// Memory that nobody needs any more: to give it back takes time, which a worker does not have.
    Free(Vec<Vec<u8>>),
    /// The part will not come.
    GiveUp { ticket: Ticket, change: Option<Box<dyn Change>> },
}

/// One operator's part of one snapshot on one worker.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Ticket {
    epoch: u64,
    worker: usize,
    chain: usize,
}

impl Saver {
    /// Starts the threads for an attempt of a log, beside so many workers. They end when all savers of the attempt are gone, which whoever runs it waits for.
    pub fn start(
        store: Arc<dyn Store>,
        (log, attempt): (Option<u64>, u64),
        workers: usize,
        tell: Sender<ToCoordinator>,
    ) -> Result<(Saver, Saving), Fault> {
        let (to, from) = channel();
        let (ended, end) = channel();
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(cores.saturating_sub(workers).clamp(1, UPLOADS))
            .thread_name(|number| format!("pelton-put-{number}"))
            .start_handler(|_| background::stand_back(Wish::Checkpoint))
            .build()
            .map_err(|e| Fault::new("cannot start the threads that write checkpoints").because(e))?;
        let saver = Saver { to, log, attempt, objects: Arc::default(), queue: Arc::default() };
        let numbers = (attempt, saver.objects.clone());
        let uploads = Uploads { store, pool, tell, numbers, queue: saver.queue.clone() };
        let run = move || {
            uploads.run(&from);
            drop(ended);
        };
        let saving = Saving { queue: saver.queue.clone(), end };
        match background::start("pelton-store", Wish::Checkpoint, run) {
            Ok(_) => Ok((saver, saving)),
            Err(e) => Err(Fault::new("cannot start the thread that writes checkpoints").because(e)),
        }
    }

    /// What tells the log of checkpoints from others.
    pub fn log(&self) -> Option<u64> {
        self.log
    }

    /// Where the entries of an operator go. `state` is what is known of it already; its objects are added.
    pub fn save(&self, epoch: u64, worker: usize, chain: usize, state: OperatorState) -> SaveTo {
        let ticket = Ticket { epoch, worker, chain };
        let idle = locked(&self.queue.spare).begin(epoch);
        if !idle.is_empty() {
            let _ = self.to.send(Job::Free(idle));
        }
        let spool =
            Spool { saver: self.clone(), ticket, state: Some(state), object: ObjectWriter::new(), large: false };
        SaveTo::new(spool)
    }

    /// Notes that a file is in the store already.
    pub fn knows(&self, file: PathBuf, object: ObjectRef) {
        let _ = self.to.send(Job::Known { file, object });
    }

    fn name(&self, epoch: u64, worker: usize) -> DataName {
        let number = self.objects.fetch_add(1, Ordering::Relaxed);
        DataName { attempt: self.attempt, epoch, worker: worker as u32, number }
    }
}

/// What became of the changes that were to be written.
pub struct Delivered {
    /// The epoch up to which they are all there.
    pub epoch: u64,
    /// Whether they are.
    pub written: Result<(), Fault>,
}

/// Where the changes of an operator go that keeps its state in files. With a saver its thread writes them and brings them to
/// the store; without one whoever ends the snapshot writes them. `state` is what is known of the operator already.
pub fn save_changes(
    saver: Option<&Saver>,
    (epoch, worker, chain): (u64, usize, usize),
    state: OperatorState,
    change: Box<dyn Change>,
    back: Sender<Delivered>,
) -> SaveTo {
    let ticket = Ticket { epoch, worker, chain };
    let noted = Noted { change, back, wrong: None };
    SaveTo::new(Changes { saver: saver.cloned(), ticket, left: Some((state, noted)) })
}

/// Changes to be written, and who is told of it.
struct Noted {
    change: Box<dyn Change>,
    back: Sender<Delivered>,
    /// What went wrong already.
    wrong: Option<Fault>,
}

impl Noted {
    /// Writes what is not written yet.
    fn write(&mut self) -> Result<(), Fault> {
        let written = match self.wrong.take() {
            Some(fault) => Err(fault),
            None => self.change.cut()(),
        };
        if written.is_err() {
            self.change.give_up();
        }
        written
    }

    /// Tells the worker, once nobody else reads the files. One that has gone does not need them.
    fn tell(&self, epoch: u64, written: Result<(), Fault>) {
        let _ = self.back.send(Delivered { epoch, written });
    }
}

/// Takes the changes of one operator on one worker.
struct Changes {
    saver: Option<Saver>,
    ticket: Ticket,
    left: Option<(OperatorState, Noted)>,
}

impl Entries for Changes {
    fn put(&mut self, some: &Encoded) {
        let Some((_, Noted { change, wrong, .. })) = &mut self.left else { return };
        let noted = some.each(|entry| {
            if let Err(fault) = change.note(&entry) {
                wrong.get_or_insert(fault);
            }
        });
        if let Err(e) = noted {
            wrong.get_or_insert(Fault::new("an entry of state cannot be read back").because(e));
        }
        if change.bytes() >= BATCH_BYTES {
            let write = change.cut();
            match &self.saver {
                Some(saver) => {
                    saver.queue.writes.fetch_add(1, Ordering::Relaxed);
                    let _ = saver.to.send(Job::Write { ticket: self.ticket, write });
                }
                None => drop(write().map_err(|fault| wrong.get_or_insert(fault))),
            }
        }
    }
    fn is_behind(&self) -> bool {
        self.saver.as_ref().is_some_and(|saver| saver.queue.is_behind())
    }
    fn end(&mut self) {
        let Some((state, mut noted)) = self.left.take() else { return };
        match &self.saver {
            Some(saver) => drop(saver.to.send(Job::Changed { ticket: self.ticket, state, noted })),
            None => {
                let written = noted.write();
                noted.tell(self.ticket.epoch, written);
            }
        }
    }
    fn give_up(&mut self) {
        if let (Some((_, noted)), Some(saver)) = (self.left.take(), &self.saver) {
            let _ = saver.to.send(Job::GiveUp { ticket: self.ticket, change: Some(noted.change) });
        }
    }
}

/// Takes the entries of one operator on one worker.
struct Spool {
    saver: Saver,
    ticket: Ticket,
    state: Option<OperatorState>,
    object: ObjectWriter,
    /// It has room for a full one.
    large: bool,
}

impl Spool {
    /// The object grows: it gets room for all of it.
    #[cold]
    fn make_room(&mut self) {
        self.large = true;
        self.object.move_to(self.saver.queue.take());
    }

    fn close(&mut self) {
        if self.object.is_empty() {
            return;
        }
        let name = self.saver.name(self.ticket.epoch, self.ticket.worker);
        let object = std::mem::take(&mut self.object);
        self.large = false;
        self.saver.queue.waiting.fetch_add(1, Ordering::Relaxed);
        self.send(Job::Put { ticket: self.ticket, object, name });
    }

    fn send(&self, job: Job) {
        // Without the thread the attempt is over, and so is the snapshot.
        let _ = self.saver.to.send(job);
    }
}

impl Entries for Spool {
    fn put(&mut self, some: &Encoded) {
        self.object.append_all(some);
        if self.object.len() >= SMALL_OBJECT && !self.large {
            self.make_room();
        }
        if self.object.is_full() {
            self.close();
            // Behind one that was full comes another.
            self.make_room();
        }
    }
    fn is_behind(&self) -> bool {
        self.saver.queue.is_behind()
    }
    fn end(&mut self) {
        self.close();
        if let Some(state) = self.state.take() {
            self.send(Job::End { ticket: self.ticket, state });
        }
    }
    fn give_up(&mut self) {
        if self.state.take().is_some() {
            self.send(Job::GiveUp { ticket: self.ticket, change: None });
        }
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        self.saver.queue.give_back(std::mem::take(&mut self.object).into_memory());
    }
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
