//! From the files of a backend to entries, which every backend restores: what a savepoint is made of.
//!
//! The files of an operator are read as its workers read them, the newest that knows a key has the word, and what is left is written
//! as entries. Namespaces that the operator had closed may be among them, as they may in the files; its heads say which it
//! keeps, and whoever restores leaves the others out.

use super::files::fetch;
use super::manifest::{DataName, Form, OperatorState};
use super::object::{ObjectWriter, check};
use super::scratch::Scratch;
use super::store::Store;
use crate::error::Fault;
use crate::state::files::each_entry;
use std::path::Path;

/// Writes what an operator keeps in files as entries, and names these instead. `next` names objects of the other store; files lie below
/// `scratch` meanwhile.
pub(super) fn to_entries(
    from: &dyn Store,
    operator: &mut OperatorState,
    to: &dyn Store,
    mut next: impl FnMut() -> DataName,
    scratch: &Path,
) -> Result<(), Fault> {
    if operator.objects.iter().all(|object| object.form == Form::Entries) {
        return Ok(());
    }
    let scratch = Scratch::below(scratch)?;
    let stored = fetch(from, &operator.objects, scratch.folder(), &(0..=u64::MAX), true, |_, _| ())?;
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
    each_entry(&stored, 0..=u64::MAX, |entry| {
        object.append(entry);
        if object.is_full() { close(&mut object) } else { Ok(()) }
    })?;
    close(&mut object)?;
    operator.objects.retain(|object| object.form != Form::Blob);
    operator.objects.extend(written);
    Ok(())
}
