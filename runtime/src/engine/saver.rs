//! A worker's way to the store: what operators save becomes objects here, and a thread of its own brings them there.
//!
//! The worker only appends entries to a buffer; checksums are found and bytes are written beside it. Everything that is told
//! about a snapshot goes to the coordinator as a message, behind the objects that it speaks of.

use super::control::{SavedPart, ToCoordinator};
use crate::checkpoint::manifest::{DataName, ObjectRef, OperatorState};
use crate::checkpoint::object::ObjectWriter;
use crate::checkpoint::store::Store;
use crate::error::Fault;
use crate::state::save::{Entries, Entry, SaveTo};
use std::collections::BTreeMap;
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
        let run = move || upload(&*store, &from, &tell);
        match std::thread::Builder::new().name("pelton-store".to_owned()).spawn(run) {
            Ok(_) => Ok(Saver { to, attempt, objects: Arc::default() }),
            Err(e) => Err(Fault::new("cannot start the thread that writes checkpoints").because(e)),
        }
    }

    /// Where the entries of an operator go. `state` is what is known of it already; its objects are added.
    pub fn save(&self, epoch: u64, worker: usize, chain: usize, state: OperatorState) -> SaveTo {
        let ticket = Ticket { epoch, worker, chain };
        let spool = Spool { saver: self.clone(), ticket, state: Some(state), object: ObjectWriter::new() };
        SaveTo::new(spool)
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
        let Ticket { epoch, worker, .. } = self.ticket;
        let number = self.saver.objects.fetch_add(1, Ordering::Relaxed);
        let name = DataName { attempt: self.saver.attempt, epoch, worker: worker as u32, number };
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

fn upload(store: &dyn Store, from: &Receiver<Job>, tell: &Sender<ToCoordinator>) {
    let mut parts: BTreeMap<Ticket, Part> = BTreeMap::new();
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
            Job::GiveUp { ticket } => {
                parts.remove(&ticket);
                (ticket, Err(Fault::new("the checkpoint has been given up")))
            }
        };
        let (Ticket { epoch, worker, chain }, part) = said;
        if tell.send(ToCoordinator::Saved { worker, chain, epoch, part }).is_err() {
            return;
        }
    }
}
