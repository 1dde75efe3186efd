//! A worker's way to the store: what operators save becomes objects here, and threads of their own bring them there.
//!
//! ```text
//! worker: entries -> object | change -> Job -> pelton-store -> a pool for objects and files, one thread for each core without a worker
//!                                                           -> Saved, to the coordinator, when all of a part is there
//! ```
//!
//! The worker only appends entries to a buffer; checksums are found, bytes are written and read back beside it. Everything that
//! is told about a snapshot goes to the coordinator as a message, behind the objects that it speaks of.

use super::control::{SavedPart, ToCoordinator};
use crate::checkpoint::manifest::{DataName, ObjectRef, OperatorState};
use crate::checkpoint::object::{OBJECT_BYTES, ObjectWriter, blob_of, check, group_of};
use crate::checkpoint::store::Store;
use crate::error::Fault;
use crate::pages;
use crate::state::files::{Change, Listing, StateFile, Write};
use crate::state::room::BATCH_BYTES;
use crate::state::save::{Entries, SaveTo, Unwritten};
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

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

/// Objects whose memory stays for later ones, when they are through: 2 GiB of them. Memory that is new costs a worker more than the entries
/// that it puts there.
const SPARES: usize = 4 * OBJECTS_AHEAD;

/// Room for a full object: its last entry and its index come behind the size at which it is.
const OBJECT_ROOM: usize = OBJECT_BYTES + (1 << 20);

/// An object that becomes larger gets that room: an operator that has little state is not to have so much.
const SMALL_OBJECT: usize = 1 << 20;

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

/// Memory of objects that are through, for those to come: as much as the checkpoint before needed at once.
#[derive(Default)]
struct Spare {
    memory: Vec<Vec<u8>>,
    /// What it is for.
    epoch: u64,
    /// So many were not needed since that began.
    idle: usize,
}

impl Spare {
    /// A checkpoint begins: gives what the one before did not need.
    fn begin(&mut self, epoch: u64) -> Vec<Vec<u8>> {
        if self.epoch >= epoch {
            return Vec::new();
        }
        let idle = self.memory.split_off(self.memory.len().saturating_sub(self.idle));
        (self.epoch, self.idle) = (epoch, self.memory.len());
        idle
    }
    fn take(&mut self) -> Option<Vec<u8>> {
        let memory = self.memory.pop();
        self.idle = self.idle.min(self.memory.len());
        memory
    }
    fn put(&mut self, memory: Vec<u8>) {
        let is_room = (OBJECT_BYTES..=OBJECT_ROOM + SMALL_OBJECT).contains(&memory.capacity());
        if is_room && self.memory.len() < SPARES {
            self.memory.push(memory);
        }
    }
}

impl Queue {
    /// Memory for a full object.
    fn take(&self) -> Vec<u8> {
        let spare = locked(&self.spare).take();
        spare.unwrap_or_else(|| pages::with_room(OBJECT_ROOM))
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
        match std::thread::Builder::new().name("pelton-store".to_owned()).spawn(run) {
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
    SaveTo::new(Changes { saver: saver.cloned(), ticket, left: Some((state, noted)), bytes: Vec::new() })
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
    /// Those of an entry.
    bytes: Vec<u8>,
}

impl Entries for Changes {
    fn put(&mut self, entry: Unwritten<'_>) -> usize {
        let Some((_, Noted { change, wrong, .. })) = &mut self.left else { return 0 };
        let entry = entry.written(&mut self.bytes);
        if let Err(fault) = change.note(&entry) {
            wrong.get_or_insert(fault);
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
        self.bytes.len()
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
    fn put(&mut self, Unwritten { hash, state, namespace, key, value }: Unwritten<'_>) -> usize {
        let before = self.object.len();
        match value {
            Some(value) => self.object.append_with(hash, state, namespace, key, value),
            None => self.object.append_deleted(hash, state, namespace, key),
        }
        let bytes = self.object.len() - before;
        if self.object.len() >= SMALL_OBJECT && !self.large {
            self.make_room();
        }
        if self.object.is_full() {
            self.close();
            // Behind one that was full comes another.
            self.make_room();
        }
        bytes
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

/// What has been brought to the store of a part.
#[derive(Default)]
struct Part {
    objects: Vec<(u32, ObjectRef)>,
    /// Objects that are on their way.
    under_way: usize,
    failed: Option<Fault>,
    /// All of it has been handed over: what is known of it besides.
    ended: Option<OperatorState>,
}

impl Part {
    /// What is to be told of it, once all of it is there.
    fn said(&mut self) -> Option<Result<SavedPart, Fault>> {
        let mut state = self.ended.take_if(|_| self.under_way == 0)?;
        if let Some(fault) = self.failed.take() {
            return Some(Err(fault));
        }
        self.objects.sort_by_key(|(number, _)| *number);
        state.objects = self.objects.drain(..).map(|(_, object)| object).collect();
        Some(Ok(SavedPart::Operator(state)))
    }
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Puts an object and reads it back: a checkpoint is believed only when what is there is what was written.
fn put(store: &dyn Store, object: &ObjectRef, bytes: &[u8]) -> Result<(), Fault> {
    store.put(&object.name, bytes)?;
    match store.holds(&object.name, bytes)? {
        true => Ok(()),
        false => Err(Fault::new(format!("`{}` in {} is not what was written", object.name, store.place()))),
    }
}

/// Brings a file to the store and reads it back.
fn bring(store: &dyn Store, name: String, file: &Path) -> Result<ObjectRef, Fault> {
    store.put_file(&name, file)?;
    let cannot = |e| Fault::new("cannot read a file of state").in_file(file).because(e);
    let object = blob_of(name, File::open(file).map_err(cannot)?).map_err(cannot)?;
    check(store, &object, true).map_err(Fault::from)?;
    Ok(object)
}

/// Brings what workers save to the store.
struct Uploads {
    store: Arc<dyn Store>,
    pool: rayon::ThreadPool,
    tell: Sender<ToCoordinator>,
    /// The attempt, and how many objects it has named.
    numbers: (u64, Arc<AtomicU32>),
    queue: Arc<Queue>,
}

impl Uploads {
    fn run(&self, from: &Receiver<Job>) {
        let mut parts: BTreeMap<Ticket, Arc<Mutex<Part>>> = BTreeMap::new();
        // Files that are in the store.
        let mut known: HashMap<PathBuf, ObjectRef> = HashMap::new();
        while let Ok(job) = from.recv() {
            match job {
                Job::Put { ticket, object, name } => {
                    let part = parts.entry(ticket).or_default().clone();
                    self.put(ticket, object, &name, part);
                }
                Job::End { ticket, state } => {
                    let part = parts.remove(&ticket).unwrap_or_default();
                    let mut part = locked(&part);
                    part.ended = Some(state);
                    if let Some(said) = part.said() {
                        say(&self.tell, ticket, said);
                    }
                }
                Job::Known { file, object } => {
                    known.insert(file, object);
                }
                Job::Write { ticket, write } => {
                    let mut part = locked(parts.entry(ticket).or_default());
                    if part.failed.is_none() {
                        part.failed = self.queue.open().and_then(|()| write()).err();
                    }
                    self.queue.writes.fetch_sub(1, Ordering::Relaxed);
                }
                Job::Changed { ticket, state, mut noted } => {
                    let failed = parts.remove(&ticket).and_then(|part| locked(&part).failed.take());
                    noted.wrong = noted.wrong.take().or(failed).or(self.queue.open().err());
                    let said = self.bring_changes(ticket, state, noted, &mut known);
                    say(&self.tell, ticket, said);
                }
                Job::Free(memory) => drop(memory),
                Job::GiveUp { ticket, change } => {
                    parts.remove(&ticket);
                    change.into_iter().for_each(|mut change| change.give_up());
                    say(&self.tell, ticket, Err(Fault::new("the checkpoint has been given up")));
                }
            }
        }
    }

    /// Has an object brought to the store.
    fn put(&self, ticket: Ticket, object: ObjectWriter, name: &DataName, part: Arc<Mutex<Part>>) {
        locked(&part).under_way += 1;
        let (store, tell, queue) = (self.store.clone(), self.tell.clone(), self.queue.clone());
        let (number, name) = (name.number, name.to_string());
        self.pool.spawn_fifo(move || {
            let mut done = None;
            if locked(&part).failed.is_some() {
                queue.give_back(object.into_memory());
            } else {
                let put = || {
                    let (object, bytes) = object.finish(name);
                    (queue.open().and_then(|()| put(&*store, &object, &bytes)).map(|()| object), bytes)
                };
                // A store that panics must not end the process.
                done = Some(match catch_unwind(AssertUnwindSafe(put)) {
                    Ok((object, bytes)) => {
                        queue.give_back(bytes);
                        object
                    }
                    Err(_) => Err(Fault::new(format!("writing to {} panicked", store.place()))),
                });
            }
            queue.waiting.fetch_sub(1, Ordering::Relaxed);
            let mut part = locked(&part);
            part.under_way -= 1;
            match done {
                Some(Ok(object)) => part.objects.push((number, object)),
                Some(Err(fault)) => part.failed = part.failed.take().or(Some(fault)),
                None => {}
            }
            if let Some(said) = part.said() {
                say(&tell, ticket, said);
            }
        });
    }

    /// Writes the rest of an operator's changes, and brings all of its files to the store that are not there.
    fn bring_changes(
        &self,
        ticket: Ticket,
        mut state: OperatorState,
        mut noted: Noted,
        known: &mut HashMap<PathBuf, ObjectRef>,
    ) -> Result<SavedPart, Fault> {
        let written = noted.write();
        // Both are told: the worker, which keeps the changes, and whoever waits for the checkpoint.
        let listing = match &written {
            Ok(()) => noted.change.listing(),
            Err(e) => Err(Fault::new("changes of state cannot be written").because(e.to_string())),
        };
        let brought = listing.and_then(|listing| self.bring_all(ticket, &listing, known));
        noted.tell(ticket.epoch, written);
        state.objects = brought?;
        Ok(SavedPart::Operator(state))
    }

    /// Gives what a manifest says of the files of an operator, oldest first, when all of them are in the store.
    fn bring_all(
        &self,
        Ticket { epoch, worker, .. }: Ticket,
        listing: &Listing,
        known: &mut HashMap<PathBuf, ObjectRef>,
    ) -> Result<Vec<ObjectRef>, Fault> {
        let mut new: BTreeMap<&Path, (String, &Path)> = BTreeMap::new();
        for StateFile { path, bytes, .. } in listing.files.iter().filter(|file| !known.contains_key(&file.path)) {
            new.entry(path).or_insert_with(|| {
                let (attempt, number) = (self.numbers.0, self.numbers.1.fetch_add(1, Ordering::Relaxed));
                (DataName { attempt, epoch, worker: worker as u32, number }.to_string(), bytes)
            });
        }
        let bring = |(path, (name, file)): (&Path, (String, &Path))| {
            (path.to_owned(), self.queue.open().and_then(|()| bring(&*self.store, name, file)))
        };
        let brought: Vec<_> = self.pool.install(|| new.into_par_iter().map(bring).collect());
        let mut failed = None;
        for (path, object) in brought {
            match object {
                Ok(object) => drop(known.insert(path, object)),
                Err(fault) => failed = failed.or(Some(fault)),
            }
        }
        if let Some(fault) = failed {
            return Err(fault);
        }
        let named = |StateFile { path, hashes, entries, .. }: &StateFile| {
            let (first_group, last_group) = (group_of(*hashes.start()), group_of(*hashes.end()));
            known.get(path).map(|object| ObjectRef { first_group, last_group, entries: *entries, ..object.clone() })
        };
        Ok(listing.files.iter().filter_map(named).collect())
    }
}

/// Tells the coordinator. One that has gone does not need it.
fn say(tell: &Sender<ToCoordinator>, Ticket { epoch, worker, chain }: Ticket, part: Result<SavedPart, Fault>) {
    let _ = tell.send(ToCoordinator::Saved { worker, chain, epoch, part });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object() -> Vec<u8> {
        Vec::with_capacity(OBJECT_BYTES)
    }

    #[test]
    fn memory_stays_as_much_of_it_as_a_checkpoint_needed() {
        let mut spare = Spare::default();
        assert!(spare.begin(1).is_empty());
        assert!(spare.take().is_none());
        (0..8).for_each(|_| spare.put(object()));
        spare.put(Vec::with_capacity(100));
        spare.put(Vec::with_capacity(2 * OBJECT_ROOM));
        assert_eq!(spare.memory.len(), 8, "and little and large ones do not");

        // The next one needs three at once, and two more when those are through.
        assert!(spare.begin(2).is_empty());
        let taken: Vec<_> = (0..3).filter_map(|_| spare.take()).collect();
        taken.into_iter().for_each(|memory| spare.put(memory));
        (0..2).filter_map(|_| spare.take()).collect::<Vec<_>>().into_iter().for_each(|memory| spare.put(memory));
        assert!(spare.begin(2).is_empty(), "another operator of the same one");
        assert_eq!((spare.begin(3).len(), spare.memory.len()), (5, 3));
        assert_eq!((spare.begin(4).len(), spare.memory.len()), (3, 0), "it needed none");

        (0..2 * SPARES).for_each(|_| spare.put(object()));
        assert_eq!(spare.memory.len(), SPARES);
    }
}
