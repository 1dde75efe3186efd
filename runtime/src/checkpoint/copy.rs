//! A checkpoint of one store as the first of another: a copy of it ([`copy`]), or one that is made up of entries from anywhere
//! ([`Draft`]).
//!
//! The other store is empty at first, and is empty again if it could not be done. What is put there is read back and compared before
//! the log names it.

use super::damage::{Damage, WAYS};
use super::entry::{Attempt, Entry as LogEntry, Unreadable};
use super::history::History;
use super::log::Log;
use super::manifest::{DataName, Form, Manifest, ObjectRef, OperatorState, StateInfo};
use super::object::{self, ObjectWriter};
use super::portable::to_entries;
use super::scratch::Scratch;
use super::store::Store;
use super::verify::Depth;
use crate::error::Fault;
use crate::state::entry::Entry;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// A checkpoint that was put into another store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// The number of its entry there.
    pub number: u64,
    /// Its epoch.
    pub epoch: u64,
    /// Its objects.
    pub objects: usize,
    /// Their bytes.
    pub bytes: u64,
}

/// Copies a checkpoint into an empty store, with all that it names and with what the log says of its commits. A run there goes on from it as
/// one here would.
///
/// # Errors
/// If it is not there or damaged, or the other store is not empty or cannot be written.
pub fn copy(from: &dyn Store, history: &History, checkpoint: u64, to: Arc<dyn Store>) -> Result<Copied, Fault> {
    let manifest = history.checkpoint(checkpoint)?;
    let attempt = attempt_of(history, manifest)?;
    fill(to, attempt, |log| {
        let mut manifest = manifest.clone();
        copy_objects(from, &mut manifest, &**log.store(), log.attempt(), &mut 0, None)?;
        let copied = complete(log, manifest)?;
        if history.is_committed(checkpoint) {
            log.committing(copied.number)?;
            log.committed(copied.number)?;
        }
        // Of a job that has ended: the next run there is a new one, as it is here.
        if manifest_is_last(history, checkpoint)
            && let Some(time) = history.entries().filter(|(number, _)| *number > checkpoint).find_map(finished)
        {
            log.finished(time)?;
        }
        Ok(copied)
    })
}

fn manifest_is_last(history: &History, checkpoint: u64) -> bool {
    history.checkpoint(checkpoint).is_ok_and(|manifest| manifest.last) && !history.chain().contains(&checkpoint)
}

fn finished((_, slot): (u64, &Result<LogEntry, Unreadable>)) -> Option<i64> {
    match slot {
        Ok(LogEntry::Finished(finished)) => Some(finished.time),
        _ => None,
    }
}

/// Who took a checkpoint, and with which params.
///
/// # Errors
/// If that cannot be read.
pub fn attempt_of(history: &History, manifest: &Manifest) -> Result<Attempt, Fault> {
    let attempt = history.attempt(manifest.attempt).cloned();
    attempt.ok_or_else(|| Fault::new(format!("the run {} that took the checkpoint cannot be read", manifest.attempt)))
}

/// Takes an empty store over, lets `write` put a checkpoint there, and empties it if that fails.
fn fill<T>(to: Arc<dyn Store>, attempt: Attempt, write: impl FnOnce(&mut Log) -> Result<T, Fault>) -> Result<T, Fault> {
    let full = |to: &dyn Store| {
        Fault::new(format!("{} is not empty", to.place())).help("give a place that is empty, or not there yet")
    };
    if !to.list("")?.is_empty() {
        return Err(full(&*to));
    }
    let mut log = Log::begin(to.clone(), attempt)?;
    // Somebody else was faster.
    if log.attempt() != 1 {
        return Err(full(&*to));
    }
    let written = write(&mut log);
    if written.is_err() {
        for listed in to.list("")? {
            to.delete(&listed.name)?;
        }
    }
    written
}

fn complete(log: &mut Log, manifest: Manifest) -> Result<Copied, Fault> {
    let (epoch, objects, bytes) = (manifest.epoch, manifest.objects().count(), manifest.bytes());
    let number = log.complete(manifest, 1)?;
    log.read_back(number, Depth::All)?;
    Ok(Copied { number, epoch, objects, bytes })
}

/// Copies the objects that a manifest names, under names of an attempt in the other store, and puts these into the manifest. One that
/// stands there several times is copied once. Each is verified as it was read, so that damage is not carried on. `next` numbers them. With
/// `portable`, a folder for what is only used meanwhile, files of a backend become entries.
pub(super) fn copy_objects(
    from: &dyn Store,
    manifest: &mut Manifest,
    to: &dyn Store,
    attempt: u64,
    next: &mut u32,
    portable: Option<&Path>,
) -> Result<(), Fault> {
    let epoch = manifest.epoch;
    let mut next = || {
        *next += 1;
        DataName { attempt, epoch, worker: 0, number: *next - 1 }
    };
    let (mut copied, mut scratch) = (BTreeMap::<String, String>::new(), None);
    for operator in &mut manifest.operators {
        for object in &mut operator.objects {
            if object.form == Form::Blob && portable.is_some() {
                continue;
            }
            if let Some(name) = copied.get(&object.name) {
                object.name.clone_from(name);
                continue;
            }
            let name = next().to_string();
            match object.form {
                Form::Entries => {
                    let bytes = from.get(&object.name)?.ok_or_else(|| gone(from, object))?;
                    to.put(&name, &bytes)?;
                }
                // As large as the state, perhaps.
                Form::Blob => {
                    object::check(from, object, false)?;
                    let scratch = match &mut scratch {
                        Some(scratch) => scratch,
                        none => none.insert(Scratch::new()?),
                    };
                    to.put_file(&name, &scratch.fetch(from, &object.name)?)?;
                }
            }
            copied.insert(std::mem::replace(&mut object.name, name.clone()), name);
            check(from, to, object)?;
        }
        if let Some(folder) = portable {
            to_entries(from, operator, to, &mut next, folder)?;
        }
    }
    Ok(())
}

/// What was written is what is believed from now on; so that is what is read.
fn check(from: &dyn Store, to: &dyn Store, object: &ObjectRef) -> Result<(), Fault> {
    object::check(to, object, true).map_err(|problem| {
        let fault: Fault = problem.into();
        fault.help(format!("the checkpoint in {} cannot be copied as it is; choose another one", from.place()))
    })
}

fn gone(from: &dyn Store, object: &ObjectRef) -> Fault {
    Fault::new(format!("the checkpoint in {} is damaged", from.place()))
        .because(Damage::new(&object.name, "it is not there"))
        .help(WAYS)
        .damaged()
}

/// What a draft is a change of: another checkpoint, in its store.
pub struct Base<'a> {
    /// Where it is.
    pub store: &'a dyn Store,
    /// What it consists of.
    pub manifest: &'a Manifest,
    /// The log says that its commits have run.
    pub committed: bool,
}

/// A checkpoint that is made up of entries from anywhere. Operators of which there are entries consist of these alone; the others,
/// and the places in sources and sinks, are those of the [`Base`], or there are none.
pub struct Draft<'a> {
    log: &'a mut Log,
    manifest: Manifest,
    base: Option<Base<'a>>,
    parts: Vec<Part>,
    held: usize,
    next: u32,
}

/// The entries of one operator.
struct Part {
    operator: OperatorState,
    entries: Vec<Held>,
}

/// Hash, state, namespace, key, value.
type Held = (u64, u16, i64, Box<[u8]>, Box<[u8]>);

/// Bytes of keys and values that are held before they are put into objects. Each has some bytes more.
const HELD_BYTES: usize = 64 << 20;

/// Makes up a checkpoint in an empty store: `write` puts the entries.
///
/// # Errors
/// If the store is not empty or cannot be written, the base is damaged, or what `write` says; then the store is empty again.
pub fn draft(
    to: Arc<dyn Store>,
    attempt: Attempt,
    base: Option<Base<'_>>,
    write: impl FnOnce(&mut Draft<'_>) -> Result<(), Fault>,
) -> Result<Copied, Fault> {
    let manifest = match &base {
        Some(base) => base.manifest.clone(),
        None => Manifest { time: attempt.time, ..Manifest::new(&*attempt.job, attempt.width, 0) },
    };
    let committed = base.as_ref().is_some_and(|base| base.committed);
    fill(to, attempt, |log| {
        let mut draft = Draft { log, manifest, base, parts: Vec::new(), held: 0, next: 0 };
        write(&mut draft)?;
        draft.flush()?;
        let Draft { log, mut manifest, base, parts, mut next, .. } = draft;
        manifest.operators.retain(|operator| parts.iter().all(|part| part.operator.id != operator.id));
        if let Some(base) = &base {
            copy_objects(base.store, &mut manifest, &**log.store(), log.attempt(), &mut next, None)?;
        }
        manifest.operators.extend(parts.into_iter().map(|part| part.operator));
        manifest.operators.sort_by(|a, b| a.id.cmp(&b.id));
        let copied = complete(log, manifest)?;
        if committed {
            log.committing(copied.number)?;
            log.committed(copied.number)?;
        }
        Ok(copied)
    })
}

impl Draft<'_> {
    /// Puts an entry of an operator, whose states are given each time. One that was put before with the same state, namespace and key is
    /// replaced.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub fn put(
        &mut self,
        operator: &str,
        states: impl FnOnce() -> Vec<StateInfo>,
        entry: Entry<'_>,
    ) -> Result<(), Fault> {
        let at = match self.parts.iter().position(|part| part.operator.id == operator) {
            Some(at) => at,
            None => {
                let before = self.manifest.operators.iter().find(|before| before.id == operator);
                let heads = before.map_or_else(Vec::new, |before| before.heads.clone());
                let operator = OperatorState { id: operator.to_owned(), states: states(), heads, objects: Vec::new() };
                self.parts.push(Part { operator, entries: Vec::new() });
                self.parts.len() - 1
            }
        };
        let Some(part) = self.parts.get_mut(at) else { return Ok(()) };
        let value = entry.value.unwrap_or_default();
        self.held += entry.key.len() + value.len();
        part.entries.push((entry.hash, entry.state, entry.namespace, entry.key.into(), value.into()));
        if self.held >= HELD_BYTES { self.flush() } else { Ok(()) }
    }

    /// Brings what is held to the store.
    fn flush(&mut self) -> Result<(), Fault> {
        self.held = 0;
        let (attempt, epoch) = (self.log.attempt(), self.manifest.epoch);
        let store = self.log.store().clone();
        let mut put = |writer: ObjectWriter, operator: &mut OperatorState| -> Result<(), Fault> {
            let name = DataName { attempt, epoch, worker: 0, number: self.next }.to_string();
            self.next += 1;
            let (object, bytes) = writer.finish(name);
            store.put(&object.name, &bytes)?;
            object::check(&*store, &object, true)?;
            operator.objects.push(object);
            Ok(())
        };
        for Part { operator, entries } in &mut self.parts {
            let mut entries = std::mem::take(entries);
            // In the order of hashes, as every reader likes them; of the same place the last one stays.
            entries.reverse();
            entries.sort_by(|a, b| (a.0, a.1, a.2, &a.3).cmp(&(b.0, b.1, b.2, &b.3)));
            entries.dedup_by(|a, b| (a.0, a.1, a.2, &a.3) == (b.0, b.1, b.2, &b.3));
            let mut writer = ObjectWriter::new();
            for (hash, state, namespace, key, value) in &entries {
                let (state, namespace) = (*state, *namespace);
                writer.append(Entry { hash: *hash, state, namespace, key, value: Some(value) });
                if writer.is_full() {
                    put(std::mem::take(&mut writer), operator)?;
                }
            }
            if !writer.is_empty() {
                put(writer, operator)?;
            }
        }
        Ok(())
    }
}
