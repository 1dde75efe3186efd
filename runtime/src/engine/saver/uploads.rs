//! [`Uploads`]: the thread that brings to the store what workers have saved, and tells the coordinator when all of a part is there.

use super::super::control::{SavedPart, ToCoordinator};
use super::{Job, Noted, Queue, Ticket, locked};
use crate::checkpoint::manifest::{DataName, ObjectRef, OperatorState};
use crate::checkpoint::object::{ObjectWriter, blob_of, check, group_of};
use crate::checkpoint::store::Store;
use crate::error::Fault;
use crate::state::files::{Listing, StateFile};
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex};

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
pub(super) struct Uploads {
    pub store: Arc<dyn Store>,
    pub pool: rayon::ThreadPool,
    pub tell: Sender<ToCoordinator>,
    /// The attempt, and how many objects it has named.
    pub numbers: (u64, Arc<AtomicU32>),
    pub queue: Arc<Queue>,
}

impl Uploads {
    /// Until all savers of the attempt are gone.
    pub fn run(&self, from: &Receiver<Job>) {
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
                        queue.give_back(bytes.into_memory());
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
            Err(e) => {
                let cannot = Fault::new("changes of state cannot be written").because(e.to_string());
                Err(Fault { damaged: e.is_damage(), ..cannot })
            }
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
