//! [`Resume`]: what an attempt goes on from: nothing, or a checkpoint.
//!
//! Sources, operators and sinks find their part by their names in the block, never by their place in it: so other operators may
//! be put in, taken out or moved between them. An operator reads the entries of its own worker's key groups, whoever wrote
//! them: so a checkpoint of any number of workers can be gone on from.

use super::files::owned;
use super::local::Local;
use crate::checkpoint::files::fetch;
use crate::checkpoint::manifest::{Form, Manifest, ObjectRef, OperatorState, SinkState, SourceState, StateInfo};
use crate::checkpoint::object::{ObjectReader, group_of, groups_of};
use crate::checkpoint::store::Store;
use crate::codec::{CodecError, Reader};
use crate::error::{Error, Fault};
use crate::hash;
use crate::key::Key;
use crate::keyed::Operator;
use crate::record::{Migration, Record};
use crate::state::entry::Entry;
use crate::state::files::each_entry;
use crate::state::save::StateMeta;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// What an attempt goes on from. Clones share it.
#[derive(Clone, Default)]
pub struct Resume(Option<Arc<From>>);

struct From {
    manifest: Manifest,
    store: Arc<dyn Store>,
    published: bool,
}

impl Resume {
    /// From a checkpoint; `published` if it is the last one of a run, and the log says that all of it is.
    pub fn from(manifest: Manifest, store: Arc<dyn Store>, published: bool) -> Self {
        Resume(Some(Arc::new(From { manifest, store, published })))
    }

    /// Whether the run that is gone on from has published all that it was to give.
    pub fn published(&self) -> bool {
        self.0.as_ref().is_some_and(|from| from.published)
    }

    /// The checkpoint.
    pub fn manifest(&self) -> Option<&Manifest> {
        self.0.as_ref().map(|from| &from.manifest)
    }

    /// The first epoch.
    pub fn epoch(&self) -> u64 {
        self.manifest().map_or(0, |manifest| manifest.epoch + 1)
    }

    /// A source's part.
    pub fn source(&self, name: &str) -> Option<&SourceState> {
        self.manifest()?.sources.iter().find(|source| source.id == name)
    }

    /// A watermark that no part of a source had promised more than, and that no row of it will be judged below. As long as
    /// somebody might still have been given older rows than any, a split that nobody has begun is kept with the least of all.
    pub fn promised(&self, name: &str) -> i64 {
        let Some(source) = self.source(name) else { return i64::MIN };
        source.splits.iter().map(|split| split.watermark).min().unwrap_or(source.reached)
    }

    /// The greatest watermark of a source's splits that have been read to their end.
    pub fn reached(&self, name: &str) -> i64 {
        self.source(name).map_or(i64::MIN, |source| source.reached)
    }

    /// What a source's enumerator goes on from.
    pub fn enumerator(&self, name: &str) -> Option<&[u8]> {
        self.source(name).map(|source| &*source.enumerator)
    }

    /// What a sink's committer goes on from.
    pub fn sink(&self, name: &str) -> Option<&[u8]> {
        self.sink_state(name).map(|sink| &*sink.state)
    }

    /// A sink's part.
    pub fn sink_state(&self, name: &str) -> Option<&SinkState> {
        self.manifest()?.sinks.iter().find(|sink| sink.id == name)
    }

    /// Fills an operator's tables with the entries of this worker's keys.
    pub fn operator<K, V, A, T, O>(&self, name: &str, local: &Local, op: &mut O) -> Result<(), Error>
    where
        K: Key,
        A: Record,
        T: crate::frame::Time,
        O: Operator<K, V, A, T>,
    {
        let Some(from) = &self.0 else { return Ok(()) };
        let Some(state) = from.manifest.operators.iter().find(|operator| operator.id == name) else { return Ok(()) };
        fill(&*from.store, state, local, op).map_err(|fault| Error::State { operator: name.to_owned(), fault })
    }
}

/// What a worker tells of an operator's state, before its objects are known.
pub fn saved_operator(name: &str, states: &[StateMeta], head: Vec<u8>) -> OperatorState {
    OperatorState {
        id: name.to_owned(),
        states: states.iter().map(StateInfo::of).collect(),
        heads: vec![head],
        objects: Vec::new(),
    }
}

fn fill<K, V, A, T, O>(store: &dyn Store, state: &OperatorState, local: &Local, op: &mut O) -> Result<(), Fault>
where
    K: Key,
    A: Record,
    T: crate::frame::Time,
    O: Operator<K, V, A, T>,
{
    // The number that each state has now, by the one it had then.
    let now = O::states();
    let mut numbers = BTreeMap::new();
    for (then, known) in state.states.iter().enumerate() {
        let Some(number) = now.iter().position(|state| state.name == known.name) else {
            return Err(Fault::new(format!(
                "the checkpoint has a state `{}` that this operator does not have",
                known.name
            ))
            .help("keep the state, or begin anew with `--fresh`"));
        };
        let meta = &now[number];
        let of_state = |fault: Fault| Fault { what: format!("state `{}`: {}", known.name, fault.what), ..fault };
        let key = Migration::between_keys(&known.key, meta.key).map_err(of_state)?;
        let value = Migration::between(&known.value, meta.value).map_err(of_state)?;
        numbers.insert(then as u16, (number as u16, key, value));
    }
    let (worker, workers) = (local.worker, local.workers as u64);
    let groups = groups_of(worker, local.workers);
    let blobs: Vec<&ObjectRef> = state.objects.iter().filter(|object| object.form == Form::Blob).collect();
    let heads = |op: &mut O| -> Result<(), Fault> {
        let wrong = |e: CodecError| Fault::new("what was kept besides the entries cannot be read").because(e);
        state.heads.iter().try_for_each(|head| op.restore_head(head).map_err(wrong))
    };
    // Entries that come from files of a backend, in a savepoint of it, may be of windows that had closed.
    let listed = state.heads.iter().any(|head| op.lists(head));
    if listed {
        heads(op)?;
    }
    let entries = || state.objects.iter().filter(|object| object.form == Form::Entries);
    let room = expected(store, entries(), &groups, &numbers, op)?;
    let mut last = None;
    let (mut key_room, mut value_room) = (Vec::new(), Vec::new());
    let mut load = |op: &mut O, entry: Entry<'_>, name: &str| {
        if hash::owner(entry.hash, workers) != worker {
            return Ok(());
        }
        let wrong = |what: &str| Fault::new(format!("an entry {what}")).in_file(name);
        let known = numbers.get(&entry.state);
        let (number, key, value) = known.ok_or_else(|| wrong("of a state that the checkpoint does not name"))?;
        let Some(bytes) = entry.value else { return Err(wrong("without a value")) };
        if listed && !op.keeps(*number, entry.namespace) {
            return Ok(());
        }
        let table = op.table_of(*number, entry.namespace);
        let table = table.ok_or_else(|| wrong("of a state that the operator does not keep"))?;
        if last.replace((*number, entry.namespace)) != Some((*number, entry.namespace)) {
            table.expect(room.get(&(*number, entry.namespace)).copied().unwrap_or_default());
        }
        let read = today(key, entry.key, &mut key_room)
            .and_then(|key| today(value, bytes, &mut value_room).and_then(|value| table.load(key, value)));
        read.map_err(|e| wrong("that is not of its types").because(e))
    };
    for object in entries() {
        ObjectReader::open(store, object)?.read_batches(groups.clone(), |entries| {
            ask_ahead(op, entries, &numbers, listed);
            entries.iter().try_for_each(|entry| load(op, *entry, &object.name))
        })?;
    }
    if !listed {
        heads(op)?;
    }
    if blobs.is_empty() {
        return Ok(());
    }
    let as_it_is =
        numbers.iter().all(|(then, (now, key, value))| then == now && key.is_identity() && value.is_identity());
    let below = op.on_disk();
    let folder = below.as_ref().map_or_else(|| local.files.scratch(worker), |below| below.folder().to_owned());
    let mine = owned(worker, local.workers);
    let stored = fetch(store, blobs, &folder, &mine, false, |file, object| {
        if let Some(saver) = &local.saver {
            saver.knows(file, object.clone());
        }
    })?;
    if as_it_is
        && let Some(below) = below
        && below.restore(&stored)?
    {
        op.tables(&mut |_, _, table| table.restored());
        return Ok(());
    }
    // Another backend, or other types than they were written with: everything is read.
    each_entry(&stored, mine, |entry| {
        let Some(number) = numbers.get(&entry.state).map(|known| known.0) else { return Ok(()) };
        // Windows that have closed may still be there.
        if op.keeps(number, entry.namespace) { load(op, entry, "a file of state") } else { Ok(()) }
    })
}

/// Asks for the memory of entries that are loaded next: they come in the order in which they changed. `listed`: the operator knows
/// which of its tables it keeps; to ask for another one would make it.
fn ask_ahead<K, V, A, T, O>(
    op: &mut O,
    entries: &[Entry<'_>],
    numbers: &BTreeMap<u16, (u16, Migration, Migration)>,
    listed: bool,
) where
    K: Key,
    A: Record,
    T: crate::frame::Time,
    O: Operator<K, V, A, T>,
{
    for same in entries.chunk_by(|a, b| (a.state, a.namespace) == (b.state, b.namespace)) {
        if let [first, ..] = same
            && let Some(known) = numbers.get(&first.state)
            && (!listed || op.keeps(known.0, first.namespace))
            && let Some(table) = op.table_of(known.0, first.namespace)
        {
            same.iter().for_each(|entry| table.look_ahead(entry.hash));
        }
    }
}

/// How many entries each of an operator's tables will have, about: by their number and namespace.
fn expected<'o, K, V, A, T, O>(
    store: &dyn Store,
    objects: impl Iterator<Item = &'o ObjectRef>,
    groups: &Range<u32>,
    numbers: &BTreeMap<u16, (u16, Migration, Migration)>,
    op: &mut O,
) -> Result<BTreeMap<(u16, i64), usize>, Fault>
where
    K: Key,
    A: Record,
    T: crate::frame::Time,
    O: Operator<K, V, A, T>,
{
    let mut tables = Vec::new();
    op.tables(&mut |number, namespace, _| tables.push((number, namespace)));
    let mut room = BTreeMap::new();
    if let [table] = tables[..] {
        // The manifest tells, if the keys are spread evenly.
        let of = |object: &ObjectRef| {
            let (first, last) = (u64::from(object.first_group), u64::from(object.last_group));
            let from = first.max(groups.start.into());
            let mine = (last + 1).min(groups.end.into()).saturating_sub(from);
            object.entries * mine / (last + 1).saturating_sub(first).max(1)
        };
        room.insert(table, objects.map(of).sum::<u64>() as usize);
        return Ok(room);
    }
    for object in objects {
        ObjectReader::open(store, object)?.read(groups.clone(), |entry| {
            if groups.contains(&group_of(entry.hash).into())
                && let Some(known) = numbers.get(&entry.state)
            {
                *room.entry((known.0, entry.namespace)).or_default() += 1;
            }
            Ok(())
        })?;
    }
    Ok(room)
}

/// Bytes of a former version as today's code writes them.
fn today<'b>(migration: &Migration, bytes: &'b [u8], room: &'b mut Vec<u8>) -> Result<&'b [u8], CodecError> {
    if migration.is_identity() {
        return Ok(bytes);
    }
    room.clear();
    let mut from = Reader::new(bytes);
    migration.convert(&mut from, room)?;
    from.end()?;
    Ok(room)
}
