//! Blobs: files of a backend that are kept as they are (a segment, a table of RocksDB), so that what has not changed is linked and not
//! written again. Nothing is known of what is in them but the length and a digest.

use super::super::damage::{Damage, Problem};
use super::super::digest::digest;
use super::super::manifest::{Form, ObjectRef};
use super::super::store::Store;
use crate::background::give_way;
use crate::error::Fault;
use std::io::Read;

/// The digest of a blob is that of the digests of its parts of this size, so that it can be taken while reading.
pub const PART_BYTES: usize = 1 << 20;

/// What a manifest says of a blob with these bytes, under this name.
pub fn blob(name: impl Into<String>, bytes: &[u8]) -> ObjectRef {
    let mut sum = Sum::default();
    for part in bytes.chunks(PART_BYTES) {
        sum.add(part);
    }
    sum.object(name.into())
}

/// What a manifest says of a blob that is read from somewhere, a part at a time.
///
/// # Errors
/// If it cannot be read.
pub fn blob_of(name: impl Into<String>, mut from: impl Read) -> std::io::Result<ObjectRef> {
    let (mut sum, mut part) = (Sum::default(), Vec::with_capacity(PART_BYTES));
    loop {
        part.clear();
        from.by_ref().take(PART_BYTES as u64).read_to_end(&mut part)?;
        if part.is_empty() {
            return Ok(sum.object(name.into()));
        }
        sum.add(&part);
    }
}

#[derive(Default)]
struct Sum {
    length: u64,
    digests: Vec<u8>,
}

impl Sum {
    fn add(&mut self, part: &[u8]) {
        self.length += part.len() as u64;
        self.digests.extend_from_slice(&digest(part).to_le_bytes());
        give_way();
    }

    fn object(self, name: String) -> ObjectRef {
        let digest = digest(&self.digests);
        let (first_group, last_group) = (u16::MAX, 0);
        ObjectRef { name, form: Form::Blob, length: self.length, digest, first_group, last_group, entries: 0 }
    }
}

/// Reads a blob and compares it; only its length if not `whole`.
pub(super) fn verify(store: &dyn Store, object: &ObjectRef, whole: bool) -> Result<(), Problem> {
    let damaged = |what: String| Problem::from(Damage::new(&object.name, what));
    let read = |range: std::ops::Range<u64>| match store.get_range(&object.name, range) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(damaged("it is not there".into())),
        Err(fault) => Err(Problem::Failed(fault)),
    };
    let end = read(object.length.saturating_sub(1)..object.length.saturating_add(1))?;
    if end.len() as u64 != object.length.min(1) {
        return Err(damaged(format!("it has not the {} bytes that were written", object.length)));
    }
    if !whole {
        return Ok(());
    }
    let mut sum = Sum::default();
    while sum.length < object.length {
        let part = read(sum.length..object.length.min(sum.length + PART_BYTES as u64))?;
        if part.is_empty() {
            return Err(damaged("it has become shorter".into()));
        }
        sum.add(&part);
    }
    if sum.object(String::new()).digest != object.digest {
        return Err(damaged("it is not as it was written: the digest differs".into()));
    }
    Ok(())
}

/// What is said to somebody who reads a blob as if it were entries.
pub(super) fn not_entries(object: &ObjectRef) -> Fault {
    Fault::new(format!(
        "`{}` is a file of the backend that wrote the checkpoint, not entries that every backend reads",
        object.name
    ))
    .help("restore under that backend and take a savepoint")
}
