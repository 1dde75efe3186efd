//! Copying a checkpoint from one store into another: a savepoint, or a fork of somebody else's.

use super::damage::Damage;
use super::manifest::{DataName, Manifest, ObjectRef};
use super::object;
use super::store::Store;
use crate::error::Fault;

/// Copies the objects that a manifest names, under names of an attempt in the other store, and puts these into the manifest.
/// Each is verified as it was read, so that damage is not carried on.
pub(super) fn copy_objects(
    from: &dyn Store,
    manifest: &mut Manifest,
    to: &dyn Store,
    attempt: u64,
) -> Result<(), Fault> {
    let epoch = manifest.epoch;
    let objects = manifest.operators.iter_mut().flat_map(|operator| &mut operator.objects);
    for (number, object) in (0..).zip(objects) {
        let name = DataName { attempt, epoch, worker: 0, number }.to_string();
        let bytes = from.get(&object.name)?.ok_or_else(|| gone(from, object))?;
        to.put(&name, &bytes)?;
        object.name = name;
        // What was written is what is believed from now on; so that is what is read.
        object::check(to, object, true).map_err(|problem| {
            let fault: Fault = problem.into();
            fault.help(format!("the checkpoint in {} cannot be copied as it is; choose another one", from.place()))
        })?;
    }
    Ok(())
}

fn gone(from: &dyn Store, object: &ObjectRef) -> Fault {
    Fault::new(format!("the checkpoint in {} is damaged", from.place()))
        .because(Damage::new(&object.name, "it is not there"))
}
