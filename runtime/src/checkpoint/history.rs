//! [`History`]: what the log of a store says, and which checkpoint a job goes on from.
//!
//! Reading is apart from deciding. The decision ([`History::newest`]) looks at nothing but what was read, so that every
//! case of damage can be tried without a store.
//!
//! Entries are looked at from the newest down:
//! - a checkpoint that can be read is the one, unless its objects were found to be damaged;
//! - `finished` says that the next run is a new one; `rewind` says where to look next;
//! - what is damaged or missing is passed over only if it cannot have been a checkpoint of which something was
//!   committed, nor have said that a newer one is abandoned. If it can, the job is refused: a result that is published twice is worse than
//!   one that waits for a person. Sinks that can take back what they published change that.
//!
//! Numbers below the *floor*, which each checkpoint says, are not looked at: what is there may be on its way out.

use super::entry::{Attempt, Entry, Kind, LOG, Unreadable, name_of, number_of};
use super::manifest::Manifest;
use super::store::Store;
use crate::error::Fault;
use crate::hash;
use std::collections::{BTreeMap, BTreeSet};

/// The entries of a log, by number.
#[derive(Clone, Debug, Default)]
pub struct History {
    pub(super) place: String,
    identity: Option<u64>,
    slots: BTreeMap<u64, Result<Entry, Unreadable>>,
    /// Objects beside the entries that are none.
    strays: Vec<String>,
}

/// Where a run begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    /// The checkpoint, with the number of its entry; `None` for the beginning of the inputs.
    pub from: Option<(u64, Manifest)>,
    /// Why there is none, or nothing.
    pub fresh: Option<Fresh>,
    /// What was passed over, newest first. If there is any, it must be told, taken back by the sinks, and written into the log
    /// ([`Log::rewind`](super::log::Log::rewind)) before anything else happens.
    pub passed: Vec<Passed>,
}

/// Why a run begins at the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fresh {
    /// There is no checkpoint yet.
    Nothing,
    /// The run before had ended.
    Finished,
    /// Somebody said so.
    Rewound,
}

/// A checkpoint, or what may have been one, that is not gone on from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// The number of its entry.
    pub number: u64,
    /// Its epoch, if it can be read.
    pub epoch: Option<u64>,
    /// Whether something of it may have been committed.
    pub committed: bool,
    /// What is wrong.
    pub why: String,
}

/// One step of the walk from the newest entry down.
pub(super) enum Step<'a> {
    Checkpoint(u64, &'a Manifest),
    Unreadable(u64, Option<Kind>, String),
    Other(u64, &'a str),
    Fresh(Fresh),
}

impl History {
    /// Reads the log.
    ///
    /// # Errors
    /// If the store cannot be read. Damage is no error here.
    pub fn read(store: &dyn Store) -> Result<Self, Fault> {
        let mut history = History { place: store.place(), ..History::default() };
        for listed in store.list(LOG)? {
            match number_of(&listed.name) {
                Some(number) => history.read_entry(store, number)?,
                None => history.strays.push(listed.name),
            }
        }
        // Not every list that is made while others put objects has all of them.
        let missing: Vec<u64> = history.missing().collect();
        for number in missing {
            history.read_entry(store, number)?;
        }
        Ok(history)
    }

    /// Reads one more entry, if it is there.
    pub(super) fn read_entry(&mut self, store: &dyn Store, number: u64) -> Result<(), Fault> {
        // Whoever swept may have deleted it since it was listed.
        if let Some(bytes) = store.get(&name_of(number))? {
            self.know(number, &bytes);
            self.slots.insert(number, Entry::open(&bytes, number));
        }
        Ok(())
    }

    /// What tells this log from all others: its first entry, which is never deleted and has a number in it that no other log has. `None` if
    /// it is not there.
    pub fn identity(&self) -> Option<u64> {
        self.identity
    }

    /// Notes the bytes of an entry.
    pub(super) fn know(&mut self, number: u64, bytes: &[u8]) {
        if number == 1 {
            self.identity = Some(hash::bytes(bytes));
        }
    }

    /// Adds an entry that is known to be there.
    pub(super) fn add(&mut self, number: u64, entry: Entry) {
        self.slots.insert(number, Ok(entry));
    }

    /// Forgets the others.
    pub(super) fn keep_slots(&mut self, mut keep: impl FnMut(u64, &Result<Entry, Unreadable>) -> bool) {
        self.slots.retain(|number, slot| keep(*number, slot));
    }

    /// A log of these entries; for trying decisions.
    #[cfg(test)]
    pub(super) fn of(slots: impl IntoIterator<Item = (u64, Result<Entry, Unreadable>)>) -> Self {
        History { place: "here".into(), slots: slots.into_iter().collect(), ..History::default() }
    }

    /// Entries by number, as far as they are there.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = (u64, &Result<Entry, Unreadable>)> {
        self.slots.iter().map(|(number, slot)| (*number, slot))
    }

    /// Names in the log's folder that are no entries.
    pub fn strays(&self) -> &[String] {
        &self.strays
    }

    /// The greatest number; 0 if the log is empty.
    pub fn end(&self) -> u64 {
        self.slots.last_key_value().map_or(0, |(number, _)| *number)
    }

    /// The checkpoints that can be read, newest first, abandoned ones too.
    pub fn checkpoints(&self) -> impl Iterator<Item = (u64, &Manifest)> {
        self.slots.iter().rev().filter_map(|(number, slot)| match slot {
            Ok(Entry::Checkpoint(manifest)) => Some((*number, &**manifest)),
            _ => None,
        })
    }

    /// The lowest number that is looked at.
    pub fn floor(&self) -> u64 {
        self.checkpoints().map(|(number, manifest)| manifest.floor.min(number)).max().unwrap_or(1).max(1)
    }

    /// Numbers from the floor on under which nothing is.
    pub fn missing(&self) -> impl Iterator<Item = u64> {
        let mut next = self.floor();
        self.slots.range(next..).flat_map(move |(number, _)| {
            let gap = next..*number;
            next = number + 1;
            gap
        })
    }

    /// The attempt under this number.
    pub fn attempt(&self, number: u64) -> Option<&Attempt> {
        match self.slots.get(&number) {
            Some(Ok(Entry::Attempt(attempt))) => Some(attempt),
            _ => None,
        }
    }

    /// The checkpoint under this number, for somebody who asked for it.
    ///
    /// # Errors
    /// If there is none, or none that can still be used; says which there are.
    pub fn checkpoint(&self, number: u64) -> Result<&Manifest, Fault> {
        let floor = self.floor();
        let usable = |(n, manifest): &(u64, &Manifest)| *n >= floor && manifest.in_flight.is_empty();
        if let Some((_, manifest)) = self.checkpoints().filter(usable).find(|(n, _)| *n == number) {
            return Ok(manifest);
        }
        let there: Vec<String> =
            self.checkpoints().filter(usable).map(|(n, manifest)| format!("{n} (epoch {})", manifest.epoch)).collect();
        let fault = Fault::new(format!("there is no checkpoint {number} in {}", self.place));
        Err(if there.is_empty() { fault } else { fault.help(format!("there are {}", there.join(", "))) })
    }

    /// Whether commits of the checkpoint under this number have begun, so far as the log can be read.
    pub fn is_committing(&self, checkpoint: u64) -> bool {
        self.commits().contains(&checkpoint)
    }

    /// Whether the log says that all commits of the checkpoint under this number have run.
    pub fn is_committed(&self, checkpoint: u64) -> bool {
        self.slots.values().any(|slot| matches!(slot, Ok(Entry::Committed(commit)) if commit.checkpoint == checkpoint))
    }

    fn commits(&self) -> BTreeSet<u64> {
        let commit = |slot: &Result<Entry, Unreadable>| match slot {
            Ok(Entry::Committing(commit) | Entry::Committed(commit)) => Some(commit.checkpoint),
            _ => None,
        };
        self.slots.values().filter_map(commit).collect()
    }

    /// The steps from the newest entry down, until one says that a new run begins, or past those that ended.
    pub(super) fn steps(&self, past_ends: bool) -> Vec<Step<'_>> {
        let floor = self.floor();
        let mut steps = Vec::new();
        let mut next = self.end();
        while next >= floor {
            let number = next;
            next -= 1;
            match self.slots.get(&number) {
                Some(Ok(Entry::Attempt(_) | Entry::Committing(_) | Entry::Committed(_))) => {}
                Some(Ok(Entry::Checkpoint(manifest))) => steps.push(Step::Checkpoint(number, manifest)),
                Some(Ok(Entry::Finished(_))) if past_ends => {}
                Some(Ok(Entry::Finished(_))) => {
                    steps.push(Step::Fresh(Fresh::Finished));
                    return steps;
                }
                Some(Ok(Entry::Rewind(rewind))) => match rewind.to {
                    // It can only say an older one; a number that is none would be walked to for ever.
                    Some(to) => next = next.min(to),
                    None => {
                        steps.push(Step::Fresh(Fresh::Rewound));
                        return steps;
                    }
                },
                Some(Err(Unreadable::Other(what))) => steps.push(Step::Other(number, what)),
                Some(Err(Unreadable::Damaged(kind, what))) => {
                    steps.push(Step::Unreadable(number, *kind, what.clone()));
                }
                None => steps.push(Step::Unreadable(number, None, "it is not there".into())),
            }
        }
        steps.push(Step::Fresh(Fresh::Nothing));
        steps
    }

    /// The checkpoints that a run may go on from or fall back to, newest first.
    pub fn chain(&self) -> Vec<u64> {
        checkpoints_of(self.steps(false))
    }

    /// The checkpoints that were not abandoned, newest first: those of runs that ended, too.
    pub fn valid(&self) -> Vec<u64> {
        checkpoints_of(self.steps(true))
    }

    /// Where the next run begins. `damaged` has the checkpoints of which objects were found to be damaged, with what is wrong;
    /// `take_back` says whether every sink can take back what it has published.
    ///
    /// # Errors
    /// If going on could lose results or publish them twice. It says what to do.
    pub fn newest(&self, damaged: &BTreeMap<u64, String>, take_back: bool) -> Result<Start, Fault> {
        let commits = self.commits();
        let mut passed: Vec<Passed> = Vec::new();
        // Whether an entry that cannot be read may say that the commits of an older checkpoint have begun.
        let mut hidden_commit = false;
        let pass = |passed: &mut Vec<Passed>, this: Passed| {
            if this.committed && !take_back {
                return Err(self.refuse_committed(&this));
            }
            passed.push(this);
            Ok(())
        };
        let steps = self.steps(false);
        let last = steps.iter().rposition(|step| matches!(step, Step::Checkpoint(..)));
        for (at, step) in steps.into_iter().enumerate() {
            match step {
                Step::Checkpoint(number, manifest) => {
                    if !manifest.in_flight.is_empty() {
                        let what = "it has frames in flight, which this version does not read";
                        return Err(self.refuse_version(number, what));
                    }
                    let Some(why) = damaged.get(&number) else {
                        let from = Some((number, manifest.clone()));
                        return Ok(Start { from, fresh: None, passed });
                    };
                    let committed = manifest.has_pending() && (commits.contains(&number) || hidden_commit);
                    pass(&mut passed, Passed { number, epoch: Some(manifest.epoch), committed, why: why.clone() })?;
                }
                Step::Unreadable(number, kind, why) => {
                    let may_be = |sought: Kind| kind.is_none_or(|kind| kind == sought);
                    if may_be(Kind::Rewind) && self.may_follow_attempt(number) {
                        // Where nothing is left to go on from, that is what is to be told.
                        let left = last.is_some_and(|last| at < last);
                        passed.push(Passed { number, epoch: None, committed: true, why: why.clone() });
                        return Err(if left { self.refuse_unknown(number, &why) } else { self.refuse_all(&passed) });
                    }
                    if may_be(Kind::Checkpoint) {
                        let committed = commits.contains(&number) || hidden_commit;
                        pass(&mut passed, Passed { number, epoch: None, committed, why })?;
                    }
                    hidden_commit |= may_be(Kind::Committing);
                }
                Step::Other(number, what) => return Err(self.refuse_version(number, what)),
                Step::Fresh(fresh) => {
                    // Without a checkpoint that can be read nobody can tell what is out already, nor can a sink take it back: it
                    // knows of what it has published by its state in one.
                    let hidden = fresh == Fresh::Nothing && hidden_commit;
                    if hidden || passed.iter().any(|passed| passed.committed) {
                        return Err(self.refuse_all(&passed));
                    }
                    return Ok(Start { from: None, fresh: Some(fresh), passed });
                }
            }
        }
        Ok(Start { from: None, fresh: Some(Fresh::Nothing), passed })
    }

    /// Whether the entry before this one is an attempt, or may be one: the only place where a `rewind` stands is behind it.
    fn may_follow_attempt(&self, number: u64) -> bool {
        match number.checked_sub(1).and_then(|before| self.slots.get(&before)) {
            Some(Ok(entry)) => entry.kind() == Kind::Attempt,
            Some(Err(Unreadable::Damaged(Some(kind), _))) => *kind == Kind::Attempt,
            // The first entry of a log follows nothing.
            _ => number > 1,
        }
    }

    fn refuse_committed(&self, passed: &Passed) -> Fault {
        let Passed { number, epoch, why, .. } = passed;
        let which = epoch.map_or(String::new(), |epoch| format!(" (epoch {epoch})"));
        Fault::new(format!(
            "the newest checkpoint, {number}{which} in {}, is damaged: {why}. Results of it may be published already, and \
             going on from an older one would publish them again",
            self.place
        ))
        .lasting()
        .help(WAYS)
    }

    fn refuse_unknown(&self, number: u64, why: &str) -> Fault {
        Fault::new(format!(
            "`{}` in {} cannot be read: {why}. It may say that an older checkpoint is the one to go on from",
            name_of(number),
            self.place
        ))
        .lasting()
        .help(WAYS)
    }

    fn refuse_version(&self, number: u64, what: &str) -> Fault {
        Fault::new(format!("`{}` in {} was written by another version of Pelton: {what}", name_of(number), self.place))
            .lasting()
            .help("run the job with the version that wrote it, or a newer one")
    }

    fn refuse_all(&self, passed: &[Passed]) -> Fault {
        let which: Vec<String> = passed.iter().map(|p| format!("{} ({})", p.number, p.why)).collect();
        Fault::new(format!(
            "no checkpoint in {} can be read, and results may be published already: {}",
            self.place,
            which.join(", ")
        ))
        .lasting()
        .help("restore the store from a copy, or begin again with `--fresh`")
    }
}

fn checkpoints_of(steps: Vec<Step<'_>>) -> Vec<u64> {
    let number = |step| if let Step::Checkpoint(number, _) = step { Some(number) } else { None };
    steps.into_iter().filter_map(number).collect()
}

const WAYS: &str = "restore the store from a copy; or choose an older checkpoint on purpose with `--from N --fork` (`state list` \
     shows them); or begin again with `--fresh`. Look at what is published first";

#[cfg(test)]
mod tests;
