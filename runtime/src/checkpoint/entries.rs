//! [`entries`]: the entries of an operator as its checkpoint means them, each once and in the order of hashes.

use super::manifest::{Form, ObjectRef, OperatorState};
use super::object::{self, ALL_GROUPS, ObjectReader, group_of, hashes_of};
use super::scratch::Scratch;
use super::store::Store;
use crate::error::Fault;
use crate::state::filesystem::split_key;
use crate::state::save::Entry;
use crate::state::segment::Segment;
use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

/// About how much of the entries is held in memory at once.
const HELD_BYTES: u64 = 64 << 20;

/// An entry's place: hash, state, namespace, key.
type At = (u64, u16, i64, Box<[u8]>);

/// Gives the entries of an operator for which `wanted` is true, in the order of hash, state, namespace and key, so that the same state
/// always gives the same sequence. What a later object replaces or deletes is left out. Reads all objects, some of their key groups
/// at a time, and holds about 64 MiB of them. Segments of `FileSystem` become temporary files.
///
/// Of an operator with windows, segments may still have entries of windows that have closed; its heads say which those are.
///
/// # Errors
/// If something is damaged or cannot be read, or what `each` says.
pub fn entries(
    store: &dyn Store,
    operator: &OperatorState,
    wanted: impl Fn(&Entry<'_>) -> bool,
    mut each: impl FnMut(Entry<'_>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut files = Files { store, scratch: None, segments: BTreeMap::new() };
    let readers: Vec<From<'_>> = operator.objects.iter().map(|object| files.open(object)).collect::<Result<_, _>>()?;
    let bytes: u64 = operator.objects.iter().map(|object| object.length).sum();
    let turns = (bytes.div_ceil(HELD_BYTES) as u32).clamp(1, ALL_GROUPS.end);
    let groups = ALL_GROUPS.end.div_ceil(turns);
    let mut held: BTreeMap<At, Box<[u8]>> = BTreeMap::new();
    for turn in 0..turns {
        let range = turn * groups..((turn + 1) * groups).min(ALL_GROUPS.end);
        for reader in &readers {
            reader.read(range.clone(), &mut |entry| {
                debug_assert!(range.contains(&u32::from(group_of(entry.hash))));
                if wanted(&entry) {
                    let at = (entry.hash, entry.state, entry.namespace, entry.key.into());
                    match entry.value {
                        Some(value) => held.insert(at, value.into()),
                        None => held.remove(&at),
                    };
                }
                Ok(())
            })?;
        }
        for ((hash, state, namespace, key), value) in std::mem::take(&mut held) {
            each(Entry { hash, state, namespace, key: &key, value: Some(&value) })?;
        }
    }
    Ok(())
}

/// Where entries are read from.
enum From<'a> {
    Object(ObjectReader<'a>),
    /// A segment, and of which hashes it is to be believed.
    Segment(Arc<Segment>, RangeInclusive<u64>),
}

impl From<'_> {
    fn read(&self, groups: Range<u32>, each: &mut dyn FnMut(Entry<'_>) -> Result<(), Fault>) -> Result<(), Fault> {
        match self {
            From::Object(reader) => Ok(reader.read(groups, each)?),
            From::Segment(segment, hashes) => {
                let wanted = hashes_of(groups.start, groups.end);
                let range = *hashes.start().max(wanted.start())..=*hashes.end().min(wanted.end());
                for entry in segment.range(range)? {
                    let entry = entry?;
                    let split = split_key(entry.key);
                    let (state, key) = split.ok_or_else(|| Fault::new("an entry of a segment has no state"))?;
                    let (hash, namespace, value) = (entry.hash, entry.namespace, entry.value);
                    each(Entry { hash, state, namespace, key, value })?;
                }
                Ok(())
            }
        }
    }
}

/// Opens objects. A segment that stands there several times is opened once.
struct Files<'a> {
    store: &'a dyn Store,
    scratch: Option<Scratch>,
    segments: BTreeMap<&'a str, Arc<Segment>>,
}

impl<'a> Files<'a> {
    fn open(&mut self, object: &'a ObjectRef) -> Result<From<'a>, Fault> {
        if object.form == Form::Entries {
            return Ok(From::Object(ObjectReader::open(self.store, object)?));
        }
        let segment = match self.segments.get(&*object.name) {
            Some(segment) => segment.clone(),
            None => {
                object::check(self.store, object, true)?;
                let scratch = match &mut self.scratch {
                    Some(scratch) => scratch,
                    none => none.insert(Scratch::new()?),
                };
                let segment = Arc::new(Segment::open(&scratch.fetch(self.store, &object.name)?)?);
                self.segments.insert(&object.name, segment.clone());
                segment
            }
        };
        let hashes = hashes_of(u32::from(object.first_group), u32::from(object.last_group) + 1);
        Ok(From::Segment(segment, hashes))
    }
}

#[cfg(test)]
mod tests {
    use super::super::manifest::{ObjectRef, StateInfo};
    use super::super::object::ObjectWriter;
    use super::super::store::MemoryStore;
    use super::*;
    use crate::schema::OwnedSchema;
    use proptest::prelude::*;

    type Written = (u64, u16, i64, u8, Option<u8>);

    fn object(store: &dyn Store, name: &str, written: &[Written]) -> ObjectRef {
        let mut writer = ObjectWriter::new();
        for (hash, state, namespace, key, value) in written {
            let (key, value) = ([*key], value.map(|value| [value]));
            let value = value.as_ref().map(|value| &value[..]);
            writer.append(Entry { hash: *hash, state: *state, namespace: *namespace, key: &key, value });
        }
        let (object, bytes) = writer.finish(name);
        store.put(name, &bytes).unwrap();
        object
    }

    proptest! {
        /// A map that takes the objects one after the other says the same.
        #[test]
        fn later_objects_replace_and_delete(objects in proptest::collection::vec(
            proptest::collection::vec((0u64..4, 0u16..2, -1i64..2, 0u8..3, proptest::option::of(any::<u8>())), 0..20), 0..4
        )) {
            let store = MemoryStore::new();
            let mut model = BTreeMap::new();
            let mut operator = OperatorState {
                id: "op".into(),
                states: vec![StateInfo::new("value", "keyed", OwnedSchema::U8, OwnedSchema::U8)],
                heads: Vec::new(),
                objects: Vec::new(),
            };
            for (i, written) in objects.iter().enumerate() {
                let spread: Vec<Written> = written.iter().map(|w| (w.0 << 62 | u64::from(w.3), w.1, w.2, w.3, w.4)).collect();
                operator.objects.push(object(&*store, &format!("data/a1-e1-w0-{i}"), &spread));
                for (hash, state, namespace, key, value) in spread {
                    match value {
                        Some(value) => model.insert((hash, state, namespace, key), value),
                        None => model.remove(&(hash, state, namespace, key)),
                    };
                }
            }
            let mut found = Vec::new();
            entries(&*store, &operator, |_| true, |entry| {
                found.push(((entry.hash, entry.state, entry.namespace, entry.key[0]), entry.value.unwrap()[0]));
                Ok(())
            }).unwrap();
            prop_assert_eq!(found, model.into_iter().collect::<Vec<_>>());
        }
    }
}
