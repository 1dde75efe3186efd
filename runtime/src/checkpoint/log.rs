//! [`Log`]: the one log of a store, as the attempt that owns it writes it.
//!
//! ```text
//! log/00000000000000000001    attempt                    numbered objects, each put only if there is none
//! log/00000000000000000002    checkpoint, epoch 1
//! log/00000000000000000003    committing 2
//! log/00000000000000000004    committed 2
//! log/00000000000000000005    attempt                    of a restart: it owns the log from here on
//! ```
//!
//! An attempt begins by putting its entry behind the last one, under the number that whoever ran the job before would need for its
//! next entry. So of two that believe they run the job, the older one learns at its next entry that it must stop, and no
//! checkpoint of it can become complete any more. For the same reason the entries of attempts are never deleted: however long
//! somebody was frozen, the number that he needs is taken.
//!
//! Only after its first entry may an attempt remove, abort or finish anything that another one began.

use super::copy::copy_objects;
use super::damage::Problem;
use super::entry::{Attempt, Commit, Entry, Finished, LOG, Rewind, name_of, number_of};
use super::history::History;
use super::manifest::Manifest;
use super::retain::{self, Garbage};
use super::store::{Put, Store};
use super::verify::{Depth, check_objects};
use crate::error::Fault;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::sync::Arc;

/// How often an attempt tries to become the last one in the log.
const TRIES: usize = 1000;

/// The log of a store, owned by one attempt.
pub struct Log {
    store: Arc<dyn Store>,
    history: History,
    attempt: u64,
    token: u64,
    /// Set by the first entry that could not be appended.
    stopped: bool,
}

/// Why an entry was not appended. The attempt must stop: nothing more can be appended by it.
#[derive(Debug)]
pub enum NotAppended {
    /// Another attempt owns the log.
    Taken {
        /// The number that was needed.
        number: u64,
        /// Who has it, if that can be read.
        by: Option<Attempt>,
        /// Where.
        place: String,
    },
    /// Nobody knows whether the entry is there. The next attempt will see.
    Failed(Fault),
}

impl fmt::Display for NotAppended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotAppended::Taken { number, by, place } => {
                write!(f, "another run of this job has taken over the checkpoints in {place} (`{}`", name_of(*number))?;
                if let Some(by) = by {
                    write!(f, ": job `{}` with {} workers", by.job, by.width)?;
                }
                f.write_str("), so this one stops and publishes nothing more")
            }
            NotAppended::Failed(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for NotAppended {}

impl From<Fault> for NotAppended {
    fn from(fault: Fault) -> Self {
        NotAppended::Failed(fault)
    }
}

impl From<NotAppended> for Fault {
    fn from(not: NotAppended) -> Fault {
        match not {
            NotAppended::Failed(fault) => fault,
            taken => Fault::new(taken.to_string()).help(
                "if both were started on purpose, give each its own `--checkpoints`; if not, the newer one goes on",
            ),
        }
    }
}

impl Log {
    /// Reads the log and takes it over. Whoever had it before can append nothing from then on; what he put
    /// until then is in the history.
    ///
    /// # Errors
    /// If the store cannot be read or written. Damage is no error here: see [`History::newest`].
    pub fn begin(store: Arc<dyn Store>, attempt: Attempt) -> Result<Self, Fault> {
        let token = RandomState::new().hash_one((std::process::id(), attempt.time));
        let entry = Entry::Attempt(attempt);
        let mut log = Log { store, history: History::default(), attempt: 0, token, stopped: false };
        // Whoever is still running may be faster than this; then all is read again.
        for _ in 0..TRIES {
            log.history = History::read(&*log.store)?;
            let number = log.history.end() + 1;
            // If this took long, the log may have gone on and the number may be one that was swept: then it is free, and means
            // nothing.
            if log.put(number, &entry)? && !log.goes_on_behind(number)? {
                log.attempt = number;
                log.history.know(number, &entry.seal(number, token));
                log.history.add(number, entry);
                log.store.tidy()?;
                return Ok(log);
            }
        }
        Err(Fault::new(format!("others take over the checkpoints in {} again and again", log.store.place()))
            .help("stop the other runs of this job"))
    }

    fn goes_on_behind(&self, number: u64) -> Result<bool, Fault> {
        Ok(self.store.list(LOG)?.iter().filter_map(|listed| number_of(&listed.name)).any(|other| other > number))
    }

    /// The number of this attempt's entry, which is its name.
    pub fn attempt(&self) -> u64 {
        self.attempt
    }

    /// All entries, with those that this attempt has appended.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Puts an entry under a number. `true` if it is there, also if the answer got lost at first; `false` if another one is.
    fn put(&self, number: u64, entry: &Entry) -> Result<bool, Fault> {
        let name = name_of(number);
        let bytes = entry.seal(number, self.token);
        let unknown = match self.store.put_new(&name, &bytes) {
            Ok(Put::Created) => return Ok(true),
            Ok(Put::Exists) => None,
            Err(fault) => Some(fault),
        };
        match (self.store.get(&name), unknown) {
            // The token in it tells it from the same entry of anybody else.
            (Ok(Some(there)), None) if there == bytes => Ok(true),
            // That it is seen does not say that a crash leaves it. Asked once more, the store sees to that.
            (Ok(Some(there)), Some(fault)) if there == bytes => {
                self.store.put_new(&name, &bytes).map(|_| true).map_err(|_| fault)
            }
            (Ok(Some(_)), None) => Ok(false),
            // Half of it may be ours. Who can read it decides.
            (_, Some(fault)) => Err(fault),
            (Ok(None), None) => Err(Fault::new(format!("`{name}` in {} was there and is gone", self.store.place()))),
            (Err(fault), None) => Err(fault),
        }
    }

    fn append(&mut self, entry: Entry) -> Result<u64, NotAppended> {
        if self.stopped {
            return Err(Fault::new("this attempt has lost its log and can write nothing more into it").into());
        }
        self.stopped = true;
        let number = self.history.end() + 1;
        if !self.put(number, &entry)? {
            let mut there = History::default();
            let read = there.read_entry(&*self.store, number);
            let by = read.ok().and_then(|()| there.attempt(number).cloned());
            return Err(NotAppended::Taken { number, by, place: self.store.place() });
        }
        self.history.add(number, entry);
        self.stopped = false;
        Ok(number)
    }

    /// Makes a checkpoint complete: all that it names is durable. `keep` is how many checkpoints are to be kept, this one among them.
    /// Gives the number of its entry. `attempt` and `floor` of the manifest are filled in.
    ///
    /// A manifest may name objects of this attempt, and those that the newest complete checkpoint names; others may be
    /// deleted already.
    ///
    /// # Errors
    /// If it was not appended; then the attempt must stop.
    pub fn complete(&mut self, mut manifest: Manifest, keep: usize) -> Result<u64, NotAppended> {
        let number = self.history.end() + 1;
        manifest.attempt = self.attempt;
        manifest.floor = retain::floor(&self.history.chain(), number, keep);
        self.append(Entry::Checkpoint(Box::new(manifest)))
    }

    /// Copies a checkpoint of another store into this one, and makes it complete here. Gives the number of its entry. With `scratch`,
    /// a folder for temporary files, what is in files of a backend becomes entries, which every backend restores.
    ///
    /// # Errors
    /// [`NotAppended::Failed`] too if something of it is damaged or cannot be copied.
    pub fn import(
        &mut self,
        from: &dyn Store,
        manifest: &Manifest,
        keep: usize,
        scratch: Option<&Path>,
    ) -> Result<u64, NotAppended> {
        let mut manifest = manifest.clone();
        copy_objects(from, &mut manifest, &*self.store, self.attempt, &mut 0, scratch)?;
        self.complete(manifest, keep)
    }

    /// Reads a checkpoint of this attempt back: its entry and, as deep as is asked for, its objects. Before its commits run.
    ///
    /// # Errors
    /// What is damaged, or that the store cannot be read.
    pub fn read_back(&self, checkpoint: u64, depth: Depth) -> Result<(), Problem> {
        let mut there = History::default();
        there.read_entry(&*self.store, checkpoint).map_err(Problem::Failed)?;
        let appended = self.history.checkpoint(checkpoint).map_err(Problem::Failed)?;
        let name = name_of(checkpoint);
        match there.entries().next() {
            Some((_, Ok(Entry::Checkpoint(read)))) if **read == *appended => {}
            Some((_, Err(why))) => return Err(super::damage::Damage::new(name, why.to_string()).into()),
            Some(_) => return Err(super::damage::Damage::new(name, "it is not what was written").into()),
            None => return Err(super::damage::Damage::new(name, "it is not there").into()),
        }
        match check_objects(&*self.store, appended, depth).map_err(Problem::Failed)?.into_iter().next() {
            Some(damage) => Err(damage.into()),
            None => Ok(()),
        }
    }

    /// Says that the commits of a checkpoint begin. Before the first of them; not needed if it has none.
    ///
    /// # Errors
    /// If it was not appended; then nothing may be committed.
    pub fn committing(&mut self, checkpoint: u64) -> Result<(), NotAppended> {
        let commit = self.commit_of(checkpoint)?;
        self.append(Entry::Committing(commit)).map(drop)
    }

    /// Says that the commits of a checkpoint have run.
    ///
    /// # Errors
    /// If it was not appended. The commits have run nevertheless.
    pub fn committed(&mut self, checkpoint: u64) -> Result<(), NotAppended> {
        let commit = self.commit_of(checkpoint)?;
        self.append(Entry::Committed(commit)).map(drop)
    }

    fn commit_of(&self, checkpoint: u64) -> Result<Commit, Fault> {
        Ok(Commit { checkpoint, epoch: self.history.checkpoint(checkpoint)?.epoch })
    }

    /// Says that the job goes on from an older checkpoint, or from the start. The first entry of an attempt that does not go on
    /// from the newest checkpoint of the log, and before anything is taken back.
    ///
    /// # Errors
    /// If there is no such checkpoint, if this attempt has appended something already, or if it was not appended.
    pub fn rewind(&mut self, to: Option<u64>, why: impl Into<String>) -> Result<(), NotAppended> {
        if let Some(number) = to {
            self.history.checkpoint(number)?;
        }
        if self.history.end() != self.attempt {
            return Err(Fault::new("an attempt can choose where it begins only before its first checkpoint").into());
        }
        self.append(Entry::Rewind(Rewind { to, why: why.into() })).map(drop)
    }

    /// Says that the job has ended: its inputs are read to the end and all is committed. The next run is a new one.
    ///
    /// # Errors
    /// If it was not appended.
    pub fn finished(&mut self, time: i64) -> Result<(), NotAppended> {
        self.append(Entry::Finished(Finished { time })).map(drop)
    }

    /// Deletes entries that no checkpoint needs that is still kept, and gives the objects that are to be deleted, which takes longer. It may
    /// be interrupted anywhere, and a later call goes on. Objects of a checkpoint that is being taken are left alone, and so is the checkpoint `spared` with all that are newer:
    /// somebody is reading it.
    ///
    /// # Errors
    /// If the store cannot be listed or something cannot be deleted. Nothing that is needed is gone then.
    pub fn retain(&mut self, spared: Option<u64>) -> Result<Garbage, Fault> {
        let cut = retain::cut(&self.history).min(spared.unwrap_or(u64::MAX));
        let garbage = retain::sweep(&*self.store, &self.history, self.attempt, cut)?;
        self.history.forget_below(cut);
        Ok(garbage)
    }
}

#[cfg(test)]
mod tests;
