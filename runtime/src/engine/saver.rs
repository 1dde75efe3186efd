//! A worker's way to the store: what operators save becomes objects here, and a thread of its own brings them there.
//!
//! The worker only appends entries to a buffer; checksums are found and bytes are written beside it. Everything that is told
//! about a snapshot goes to the coordinator as a message, behind the objects that it speaks of.

use super::control::{SavedPart, ToCoordinator};
use crate::checkpoint::manifest::{DataName, ObjectRef, OperatorState};
use crate::checkpoint::object::{ObjectWriter, blob_of, check, group_of};
use crate::checkpoint::store::Store;
use crate::error::Fault;
use crate::state::filesystem::{Delta, note};
use crate::state::save::{Entries, Entry, SaveTo};
use crate::state::segment::{Batch, Folder, Part as Listed, Segment};
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

/// What a snapshot is called, and who takes its objects.
#[derive(Clone)]
pub struct Saver {
    to: Sender<Job>,
    /// The attempt, which no other run has: names of objects begin with it.
    attempt: u64,
    /// Numbers the objects of the attempt.
    objects: Arc<AtomicU32>,
}

enum Job {
    /// Bring an object to the store.
    Put { ticket: Ticket, object: ObjectWriter, name: DataName },
    /// Write a segment of some of what changed.
    Some { ticket: Ticket, folder: Folder, batch: Batch },
    /// Write a segment of the rest, and bring all that are listed to the store.
    Delta { ticket: Ticket, state: OperatorState, change: Box<Change>, listed: Vec<Listed> },
    /// A file that is in the store already, under this name.
    Known { file: PathBuf, object: ObjectRef },
    /// All of a part is said.
    End { ticket: Ticket, state: OperatorState },
    /// The part will not come.
    GiveUp { ticket: Ticket },
}

/// One operator's part of one snapshot on one worker.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Ticket {
    epoch: u64,
    worker: usize,
    chain: usize,
}

impl Saver {
    /// Starts the thread. It ends when all savers of the attempt are gone.
    pub fn start(store: Arc<dyn Store>, attempt: u64, tell: Sender<ToCoordinator>) -> Result<Saver, Fault> {
        let (to, from) = channel();
        let saver = Saver { to, attempt, objects: Arc::default() };
        let numbers = (attempt, saver.objects.clone());
        let run = move || upload(&*store, &from, &tell, &numbers);
        match std::thread::Builder::new().name("pelton-store".to_owned()).spawn(run) {
            Ok(_) => Ok(saver),
            Err(e) => Err(Fault::new("cannot start the thread that writes checkpoints").because(e)),
        }
    }

    /// Where the entries of an operator go. `state` is what is known of it already; its objects are added.
    pub fn save(&self, epoch: u64, worker: usize, chain: usize, state: OperatorState) -> SaveTo {
        let ticket = Ticket { epoch, worker, chain };
        let spool = Spool { saver: self.clone(), ticket, state: Some(state), object: ObjectWriter::new() };
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
    /// The segments, oldest first.
    pub segments: Result<Vec<Arc<Segment>>, Fault>,
}

/// A batch of this size is written as a segment of its own, so that memory does not hold all changes at once.
const BATCH_BYTES: usize = 64 << 20;

/// Where the changes of an operator go that keeps its state in segments. With a saver its thread writes them and brings them to
/// the store; without one whoever ends the snapshot writes them. `state` is what is known of the operator already.
pub fn save_changes(
    saver: Option<&Saver>,
    (epoch, worker, chain): (u64, usize, usize),
    state: OperatorState,
    delta: Delta,
    back: Sender<Delivered>,
) -> SaveTo {
    let Delta { folder, parts, hashes } = delta;
    let change = Change { epoch, batch: Batch::new(), written: Vec::new(), folder, hashes, back, wrong: None };
    let ticket = Ticket { epoch, worker, chain };
    SaveTo::new(Changes {
        saver: saver.cloned(),
        ticket,
        left: Some((state, Box::new(change), parts)),
        room: Vec::new(),
    })
}

/// Changes to be written.
struct Change {
    epoch: u64,
    batch: Batch,
    /// What is written already.
    written: Vec<Arc<Segment>>,
    folder: Folder,
    hashes: std::ops::RangeInclusive<u64>,
    back: Sender<Delivered>,
    /// An entry that cannot be in a segment.
    wrong: Option<Fault>,
}

/// Writes a segment of a batch, unless there is nothing in it.
fn write(folder: &Folder, batch: &mut Batch) -> Result<Option<Arc<Segment>>, Fault> {
    match folder.write(batch.sorted())? {
        Some(written) => Segment::open(&written.path).map(|segment| Some(Arc::new(segment))),
        None => Ok(None),
    }
}

impl Change {
    /// Writes what is not written yet, and gives all of it to the worker.
    fn write(mut self) -> Result<Vec<Listed>, Fault> {
        let last = match self.wrong.take() {
            Some(fault) => Err(fault),
            None => write(&self.folder, &mut self.batch),
        };
        let mut all = self.written;
        let (said, segments) = match last {
            Ok(last) => {
                all.extend(last);
                (Ok(all.iter().map(|s| Listed::new(s.clone(), self.hashes.clone())).collect()), Ok(all))
            }
            // Both are told: the worker, which keeps the changes, and whoever waits for the checkpoint.
            Err(fault) => {
                (Err(Fault::new("changes of state cannot be written").because(fault.to_string())), Err(fault))
            }
        };
        // A worker that has gone does not need them.
        let _ = self.back.send(Delivered { epoch: self.epoch, segments });
        said
    }
}

/// Takes the changes of one operator on one worker.
struct Changes {
    saver: Option<Saver>,
    ticket: Ticket,
    left: Option<(OperatorState, Box<Change>, Vec<Listed>)>,
    room: Vec<u8>,
}

impl Entries for Changes {
    fn put(&mut self, entry: Entry<'_>) {
        if let Some((_, change, _)) = &mut self.left
            && let Err(fault) = note(&mut change.batch, &mut self.room, &entry)
        {
            change.wrong.get_or_insert(fault);
        }
        if let Some((_, change, _)) = &mut self.left
            && change.batch.bytes() >= BATCH_BYTES
        {
            let (batch, folder) = (std::mem::take(&mut change.batch), change.folder.clone());
            match &self.saver {
                Some(saver) => drop(saver.to.send(Job::Some { ticket: self.ticket, folder, batch })),
                None => match write(&folder, &mut { batch }) {
                    Ok(segment) => change.written.extend(segment),
                    Err(fault) => drop(change.wrong.get_or_insert(fault)),
                },
            }
        }
    }
    fn end(&mut self) {
        let Some((state, change, listed)) = self.left.take() else { return };
        match &self.saver {
            Some(saver) => drop(saver.to.send(Job::Delta { ticket: self.ticket, state, change, listed })),
            // What goes wrong is told with the segment.
            None => drop(change.write()),
        }
    }
    fn give_up(&mut self) {
        if self.left.take().is_some()
            && let Some(saver) = &self.saver
        {
            let _ = saver.to.send(Job::GiveUp { ticket: self.ticket });
        }
    }
}

/// Takes the entries of one operator on one worker.
struct Spool {
    saver: Saver,
    ticket: Ticket,
    state: Option<OperatorState>,
    object: ObjectWriter,
}

impl Spool {
    fn close(&mut self) {
        if self.object.is_empty() {
            return;
        }
        let name = self.saver.name(self.ticket.epoch, self.ticket.worker);
        let object = std::mem::replace(&mut self.object, ObjectWriter::new());
        self.send(Job::Put { ticket: self.ticket, object, name });
    }

    fn send(&self, job: Job) {
        // Without the thread the attempt is over, and so is the snapshot.
        let _ = self.saver.to.send(job);
    }
}

impl Entries for Spool {
    fn put(&mut self, entry: Entry<'_>) {
        self.object.append(entry);
        if self.object.is_full() {
            self.close();
        }
    }
    fn end(&mut self) {
        self.close();
        if let Some(state) = self.state.take() {
            self.send(Job::End { ticket: self.ticket, state });
        }
    }
    fn give_up(&mut self) {
        if self.state.take().is_some() {
            self.send(Job::GiveUp { ticket: self.ticket });
        }
    }
}

/// What has been brought to the store of a part.
#[derive(Default)]
struct Part {
    objects: Vec<ObjectRef>,
    /// Segments of changes.
    written: Vec<Arc<Segment>>,
    failed: Option<Fault>,
}

/// Puts an object and reads it back: a checkpoint is believed only when what is there is what was written.
fn put(store: &dyn Store, object: &ObjectRef, bytes: &[u8]) -> Result<(), Fault> {
    store.put(&object.name, bytes)?;
    match store.get(&object.name)? {
        Some(there) if there == bytes => Ok(()),
        _ => Err(Fault::new(format!("`{}` in {} is not what was written", object.name, store.place()))),
    }
}

/// Brings the segments of an operator to the store, those that are not there; gives what a manifest says of them, oldest first.
fn bring(
    store: &dyn Store,
    listed: &[Listed],
    known: &mut HashMap<PathBuf, ObjectRef>,
    name: impl Fn() -> DataName,
) -> Result<Vec<ObjectRef>, Fault> {
    let mut objects = Vec::new();
    for part in listed {
        let path = part.segment().path();
        if !known.contains_key(path) {
            let name = name().to_string();
            store.put_file(&name, path)?;
            let cannot = |e| Fault::new("cannot read a segment of state").in_file(path).because(e);
            let object = blob_of(name, File::open(path).map_err(cannot)?).map_err(cannot)?;
            check(store, &object, true).map_err(Fault::from)?;
            known.insert(path.to_owned(), object);
        }
        if let Some(object) = known.get(path) {
            let (from, to) = part.hashes().into_inner();
            let (first_group, last_group) = (group_of(from), group_of(to));
            objects.push(ObjectRef { first_group, last_group, entries: part.segment().entries(), ..object.clone() });
        }
    }
    Ok(objects)
}

fn upload(store: &dyn Store, from: &Receiver<Job>, tell: &Sender<ToCoordinator>, numbers: &(u64, Arc<AtomicU32>)) {
    let mut parts: BTreeMap<Ticket, Part> = BTreeMap::new();
    // Files that are in the store.
    let mut known: HashMap<PathBuf, ObjectRef> = HashMap::new();
    while let Ok(job) = from.recv() {
        let said = match job {
            Job::Put { ticket, object, name } => {
                let part = parts.entry(ticket).or_default();
                if part.failed.is_none() {
                    let (object, bytes) = object.finish(name.to_string());
                    match put(store, &object, &bytes) {
                        Ok(()) => part.objects.push(object),
                        Err(fault) => part.failed = Some(fault),
                    }
                }
                continue;
            }
            Job::End { ticket, mut state } => {
                let part = parts.remove(&ticket).unwrap_or_default();
                state.objects = part.objects;
                match part.failed {
                    None => (ticket, Ok(SavedPart::Operator(state))),
                    Some(fault) => (ticket, Err(fault)),
                }
            }
            Job::Known { file, object } => {
                known.insert(file, object);
                continue;
            }
            Job::Some { ticket, folder, mut batch } => {
                let part = parts.entry(ticket).or_default();
                match write(&folder, &mut batch) {
                    Ok(segment) => part.written.extend(segment),
                    Err(fault) => drop(part.failed.get_or_insert(fault)),
                }
                continue;
            }
            Job::Delta { ticket, mut state, mut change, mut listed } => {
                let part = parts.remove(&ticket).unwrap_or_default();
                change.written = part.written;
                change.wrong = change.wrong.take().or(part.failed);
                let Ticket { epoch, worker, .. } = ticket;
                let name = || {
                    let number = numbers.1.fetch_add(1, Ordering::Relaxed);
                    DataName { attempt: numbers.0, epoch, worker: worker as u32, number }
                };
                let brought = change.write().and_then(|new| {
                    listed.extend(new);
                    bring(store, &listed, &mut known, name)
                });
                (
                    ticket,
                    brought.map(|objects| {
                        state.objects = objects;
                        SavedPart::Operator(state)
                    }),
                )
            }
            Job::GiveUp { ticket } => {
                for segment in parts.remove(&ticket).unwrap_or_default().written {
                    // Nobody will list it. What cannot be removed now goes with the attempt's folder.
                    let _ = std::fs::remove_file(segment.path());
                }
                (ticket, Err(Fault::new("the checkpoint has been given up")))
            }
        };
        let (Ticket { epoch, worker, chain }, part) = said;
        if tell.send(ToCoordinator::Saved { worker, chain, epoch, part }).is_err() {
            return;
        }
    }
}
