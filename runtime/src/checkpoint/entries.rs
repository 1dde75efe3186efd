//! [`entries`]: the entries of an operator as its checkpoint means them, each once and in the order of hashes.

use super::files::fetch;
use super::manifest::{Form, OperatorState};
use super::object::{ALL_GROUPS, ObjectReader, group_of, hashes_of};
use super::scratch::Scratch;
use super::store::Store;
use crate::error::Fault;
use crate::state::entry::Entry;
use crate::state::files::each_entry;
use std::collections::BTreeMap;

/// About how much of the entries is held in memory at once.
const HELD_BYTES: u64 = 64 << 20;

/// An entry's place: hash, state, namespace, key.
type At = (u64, u16, i64, Box<[u8]>);

/// Gives the entries of an operator for which `wanted` is true, in the order of hash, state, namespace and key, so that the same state
/// always gives the same sequence. What a later object replaces or deletes is left out. Reads all objects, some of their key groups
/// at a time, and holds about 64 MiB of them. Files of a backend become temporary files.
///
/// Of an operator with windows, such files may still have entries of windows that have closed; its heads say which those are.
///
/// # Errors
/// If something is damaged or cannot be read, or what `each` says.
pub fn entries(
    store: &dyn Store,
    operator: &OperatorState,
    wanted: impl Fn(&Entry<'_>) -> bool,
    mut each: impl FnMut(Entry<'_>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let is_entries = |object: &&_| -> bool { matches!(object, super::manifest::ObjectRef { form: Form::Entries, .. }) };
    let readers = operator.objects.iter().filter(is_entries).map(|object| ObjectReader::open(store, object));
    let readers: Vec<ObjectReader<'_>> = readers.collect::<Result<_, _>>()?;
    let scratch = if readers.len() < operator.objects.len() { Some(Scratch::new()?) } else { None };
    let stored = match &scratch {
        Some(scratch) => fetch(store, &operator.objects, scratch.folder(), &(0..=u64::MAX), true, |_, _| ())?,
        None => Vec::new(),
    };
    let bytes: u64 = operator.objects.iter().map(|object| object.length).sum();
    let turns = (bytes.div_ceil(HELD_BYTES) as u32).clamp(1, ALL_GROUPS.end);
    let groups = ALL_GROUPS.end.div_ceil(turns);
    let mut held: BTreeMap<At, Box<[u8]>> = BTreeMap::new();
    for turn in 0..turns {
        let range = turn * groups..((turn + 1) * groups).min(ALL_GROUPS.end);
        let mut note = |entry: Entry<'_>| {
            debug_assert!(range.contains(&u32::from(group_of(entry.hash))));
            if wanted(&entry) {
                let at = (entry.hash, entry.state, entry.namespace, entry.key.into());
                match entry.value {
                    Some(value) => held.insert(at, value.into()),
                    None => held.remove(&at),
                };
            }
            Ok(())
        };
        for reader in &readers {
            reader.read(range.clone(), &mut note)?;
        }
        each_entry(&stored, hashes_of(range.start, range.end), &mut note)?;
        for ((hash, state, namespace, key), value) in std::mem::take(&mut held) {
            each(Entry { hash, state, namespace, key: &key, value: Some(&value) })?;
        }
    }
    Ok(())
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
