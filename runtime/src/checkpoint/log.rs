//! TEMPORARY.
#![allow(missing_docs)]
use super::entry::{Attempt, Entry, Finished, LOG, name_of, number_of};
use super::manifest::Manifest;
use super::store::{Put, Store};
use crate::error::Fault;
use std::sync::Arc;
pub type AttemptEntry = Attempt;
pub enum Appended {
    Kept,
    Taken(Fault),
}
pub struct Log {
    store: Arc<dyn Store>,
    next: u64,
    attempt: u64,
}
impl Log {
    pub fn open(store: Arc<dyn Store>) -> Result<Self, Fault> {
        Ok(Log { store, next: 1, attempt: 0 })
    }
    pub fn attempt(&self) -> u64 {
        self.attempt
    }
    pub fn begin(&mut self, entry: &Attempt, fresh: bool) -> Result<(u64, Option<Manifest>), Fault> {
        let mut newest = None;
        self.next = 1;
        for listed in self.store.list(LOG)? {
            let Some(number) = number_of(&listed.name) else { continue };
            self.next = self.next.max(number + 1);
            let bytes = self.store.get(&listed.name)?.unwrap_or_default();
            match Entry::open(&bytes, number) {
                Ok(Entry::Checkpoint(m)) => newest = Some(*m),
                Ok(Entry::Finished(_)) => newest = None,
                Ok(_) => {}
                Err(e) => return Err(Fault::new(e.to_string())),
            }
        }
        match self.put(Entry::Attempt(entry.clone()))? {
            Appended::Kept => {}
            Appended::Taken(f) => return Err(f),
        }
        self.attempt = self.next - 1;
        Ok((self.attempt, newest.filter(|_| !fresh)))
    }
    fn put(&mut self, entry: Entry) -> Result<Appended, Fault> {
        let number = self.next;
        match self.store.put_new(&name_of(number), &entry.seal(number, 0))? {
            Put::Created => {
                self.next += 1;
                Ok(Appended::Kept)
            }
            Put::Exists => Ok(Appended::Taken(Fault::new("another run of the job has taken over"))),
        }
    }
    pub fn append(&mut self, manifest: Manifest) -> Result<Appended, Fault> {
        self.put(Entry::Checkpoint(Box::new(manifest)))
    }
    pub fn committed(&mut self, _: u64, _: usize) -> Result<(), Fault> {
        Ok(())
    }
    pub fn finished(&mut self) -> Result<(), Fault> {
        self.put(Entry::Finished(Finished { time: 0 })).map(|_| ())
    }
}
