//! Copying a checkpoint from one store into another: a savepoint, or a fork of somebody else's.

use super::damage::Damage;
use super::manifest::{DataName, Form, Manifest, ObjectRef};
use super::object;
use super::portable::to_entries;
use super::store::Store;
use crate::error::Fault;
use std::collections::BTreeMap;
use std::path::Path;

/// Copies the objects that a manifest names, under names of an attempt in the other store, and puts these into the manifest.
/// Each is verified as it was read, so that damage is not carried on. With `scratch`, files of a backend become entries.
pub(super) fn copy_objects(
    from: &dyn Store,
    manifest: &mut Manifest,
    to: &dyn Store,
    attempt: u64,
    scratch: Option<&Path>,
) -> Result<(), Fault> {
    let epoch = manifest.epoch;
    let mut number = 0;
    let mut next = || {
        number += 1;
        DataName { attempt, epoch, worker: 0, number: number - 1 }
    };
    // A file may be named several times, each for some of its keys.
    let mut copied: BTreeMap<String, String> = BTreeMap::new();
    for operator in &mut manifest.operators {
        for object in &mut operator.objects {
            if let (Form::Blob, Some(_)) = (object.form, scratch) {
                continue;
            }
            if let Some(name) = copied.get(&object.name) {
                object.name.clone_from(name);
                continue;
            }
            let name = next().to_string();
            let bytes = from.get(&object.name)?.ok_or_else(|| gone(from, object))?;
            to.put(&name, &bytes)?;
            copied.insert(std::mem::replace(&mut object.name, name.clone()), name);
            check(from, to, object)?;
        }
        if let Some(scratch) = scratch {
            to_entries(from, operator, to, &mut next, scratch)?;
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
}
