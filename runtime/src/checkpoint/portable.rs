//! From the files of a backend to entries, which every backend restores: what a savepoint is made of.
//!
//! The files of an operator are read as its workers read them, the newest that knows a key has the word, and what is left is written
//! as entries. Namespaces that the operator had closed may be among them, as they may in the files; its heads say which it
//! keeps, and whoever restores leaves the others out.

use super::damage::Damage;
use super::manifest::{DataName, Form, ObjectRef, OperatorState};
use super::object::{ObjectWriter, blob_of, check, hashes_of};
use super::store::Store;
use crate::error::Fault;
use crate::state::filesystem::split_key;
use crate::state::save::Entry;
use crate::state::segment::{Merged, Segment};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// A folder for files while they are read, which goes away with it.
struct Scratch(PathBuf);

impl Scratch {
    fn make(root: &Path) -> Result<Scratch, Fault> {
        let name =
            format!("pelton-savepoint-{}-{:016x}", std::process::id(), RandomState::new().build_hasher().finish());
        let folder = root.join(name);
        fs::create_dir_all(&folder)
            .map_err(|e| Fault::new("cannot make a folder for files of state").in_file(&folder).because(e))?;
        Ok(Scratch(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is in a folder of temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Writes what an operator keeps in files as entries, and names these instead. `next` names objects of the other store; files lie below
/// `scratch` meanwhile.
pub(super) fn to_entries(
    from: &dyn Store,
    operator: &mut OperatorState,
    to: &dyn Store,
    mut next: impl FnMut() -> DataName,
    scratch: &Path,
) -> Result<(), Fault> {
    let blobs: Vec<&ObjectRef> = operator.objects.iter().filter(|object| object.form == Form::Blob).collect();
    if blobs.is_empty() {
        return Ok(());
    }
    let scratch = Scratch::make(scratch)?;
    let mut segments = BTreeMap::new();
    for object in &blobs {
        if !segments.contains_key(&*object.name) {
            let file = scratch.0.join(format!("{}.segment", segments.len()));
            segments.insert(&*object.name, fetch(from, object, &file)?);
        }
    }
    let part = |object: &&ObjectRef| -> Option<(&Segment, RangeInclusive<u64>)> {
        let hashes = hashes_of(u32::from(object.first_group), u32::from(object.last_group) + 1);
        segments.get(&*object.name).map(|segment| (segment, hashes))
    };
    let mut written = Vec::new();
    let mut object = ObjectWriter::new();
    let mut close = |object: &mut ObjectWriter| -> Result<(), Fault> {
        if !object.is_empty() {
            let (object, bytes) = std::mem::take(object).finish(next().to_string());
            to.put(&object.name, &bytes)?;
            check(to, &object, true).map_err(Fault::from)?;
            written.push(object);
        }
        Ok(())
    };
    for entry in Merged::new(blobs.iter().rev().filter_map(part), false, i64::MIN)? {
        let entry = entry?;
        let Some((state, key)) = split_key(entry.key) else {
            return Err(Fault::new(format!("an entry in the files of `{}` has no state", operator.id)));
        };
        if entry.value.is_some() {
            object.append(Entry { hash: entry.hash, state, namespace: entry.namespace, key, value: entry.value });
        }
        if object.is_full() {
            close(&mut object)?;
        }
    }
    close(&mut object)?;
    operator.objects.retain(|object| object.form != Form::Blob);
    operator.objects.extend(written);
    Ok(())
}

/// Makes a file of a blob, and opens it when it is sure that it is the one that is meant.
fn fetch(from: &dyn Store, object: &ObjectRef, file: &Path) -> Result<Segment, Fault> {
    let damaged = |why: &str| {
        Fault::new(format!("the checkpoint in {} is damaged", from.place())).because(Damage::new(&object.name, why))
    };
    if !from.get_file(&object.name, file)? {
        return Err(damaged("it is not there"));
    }
    let found = File::open(file).and_then(|bytes| blob_of(&*object.name, bytes));
    let found = found.map_err(|e| Fault::new("cannot read a file of state").in_file(file).because(e))?;
    if (found.length, found.digest) != (object.length, object.digest) {
        return Err(damaged("its digest is not that of what was written"));
    }
    Segment::open(file)
}
