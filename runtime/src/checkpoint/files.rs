//! [`fetch`]: the blobs of an operator as files in a folder, whichever backend wrote them.
//!
//! A blob is a segment of `FileSystem`, or it begins like a catalog of `RocksDb` (`state::rocks::catalog`): then the blobs
//! right behind it are its tables.

use super::damage::{Damage, WAYS};
use super::manifest::{Form, ObjectRef};
use super::object::{self, blob, hashes_of};
use super::store::Store;
use crate::error::Fault;
use crate::state::files::{Stored, common};
use crate::state::rocks::{self, catalog::Catalog};
use crate::state::segment::{Part, Segment};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Makes files of those blobs of an operator that have some hashes of a range, and gives them, oldest first. One that stands there several
/// times becomes one file. With `whole`, their digests are compared; otherwise only their lengths are, and damage is found when it
/// is read. `known` is told of each file.
///
/// # Errors
/// If something is damaged or cannot be read, or was written by a backend that this program is built without.
pub fn fetch<'o>(
    store: &dyn Store,
    objects: impl IntoIterator<Item = &'o ObjectRef>,
    folder: &Path,
    wanted: &RangeInclusive<u64>,
    whole: bool,
    known: impl FnMut(PathBuf, &ObjectRef),
) -> Result<Vec<Stored>, Fault> {
    std::fs::create_dir_all(folder)
        .map_err(|e| Fault::new("cannot make a folder for state").in_file(folder).because(e))?;
    let mut fetching = Fetching { store, folder, whole, known, segments: BTreeMap::new(), databases: BTreeMap::new() };
    let (mut found, mut objects) = (Vec::new(), objects.into_iter().filter(|object| object.form == Form::Blob));
    while let Some(object) = objects.next() {
        let head = store.get_range(&object.name, 0..rocks::catalog::MAGIC.len() as u64)?;
        let is_catalog = head.ok_or_else(|| fetching.damaged(object, "it is not there"))? == rocks::catalog::MAGIC;
        let hashes = hashes_of(u32::from(object.first_group), u32::from(object.last_group) + 1);
        let hashes = common(&hashes, wanted);
        if !is_catalog {
            if !hashes.is_empty() {
                found.push(Stored::Segment(Part::new(fetching.segment(object)?, hashes)));
            }
            continue;
        }
        rocks::can_be_read()?;
        let catalog = fetching.catalog(object)?;
        let tables: Vec<&ObjectRef> = objects.by_ref().take(catalog.tables.len()).collect();
        if tables.len() < catalog.tables.len() {
            return Err(fetching.damaged(object, "the checkpoint has fewer tables than it says"));
        }
        if !hashes.is_empty() {
            let folder = fetching.database(object, &catalog, &tables)?;
            found.push(Stored::Database(rocks::Stored::new(folder, hashes)?));
        }
    }
    Ok(found)
}

struct Fetching<'a, F> {
    store: &'a dyn Store,
    folder: &'a Path,
    whole: bool,
    known: F,
    segments: BTreeMap<String, Arc<Segment>>,
    databases: BTreeMap<String, Arc<rocks::Files>>,
}

impl<F: FnMut(PathBuf, &ObjectRef)> Fetching<'_, F> {
    fn damaged(&self, object: &ObjectRef, why: &str) -> Fault {
        Fault::new(format!("the checkpoint in {} is damaged", self.store.place()))
            .because(Damage::new(&object.name, why))
            .help(WAYS)
            .damaged()
    }

    /// Makes a file of a blob.
    fn file(&mut self, object: &ObjectRef, file: &Path) -> Result<(), Fault> {
        if self.whole {
            object::check(self.store, object, true)?;
        }
        if !self.store.get_file(&object.name, file)? {
            return Err(self.damaged(object, "it is not there"));
        }
        let found = file.metadata().map_err(|e| Fault::new("cannot read a file of state").in_file(file).because(e))?;
        if found.len() != object.length {
            return Err(self.damaged(object, "it has not the length that the checkpoint names"));
        }
        (self.known)(file.to_owned(), object);
        Ok(())
    }

    fn segment(&mut self, object: &ObjectRef) -> Result<Arc<Segment>, Fault> {
        if let Some(segment) = self.segments.get(&object.name) {
            return Ok(segment.clone());
        }
        let file = self.folder.join(format!("restored-{}.segment", self.segments.len()));
        self.file(object, &file)?;
        let segment = Arc::new(Segment::open(&file)?);
        self.segments.insert(object.name.clone(), segment.clone());
        Ok(segment)
    }

    /// Reads a catalog, which is small, and believes it only if it is the one that is meant.
    fn catalog(&self, object: &ObjectRef) -> Result<Catalog, Fault> {
        let bytes = self.store.get(&object.name)?.ok_or_else(|| self.damaged(object, "it is not there"))?;
        if blob("", &bytes).digest != object.digest {
            return Err(self.damaged(object, "its digest is not that of what was written"));
        }
        Catalog::decode(&bytes).map_err(|e| {
            let other = Fault::new(format!("`{}` in {} cannot be read", object.name, self.store.place())).because(e);
            other.help("read it with the version of pelton that wrote it")
        })
    }

    fn database(
        &mut self,
        object: &ObjectRef,
        catalog: &Catalog,
        tables: &[&ObjectRef],
    ) -> Result<Arc<rocks::Files>, Fault> {
        if let Some(files) = self.databases.get(&object.name) {
            return Ok(files.clone());
        }
        let folder = self.folder.join(format!("restored-{}", self.databases.len()));
        let files = catalog.lay_out(&folder, tables.iter().map(|table| table.entries).collect())?;
        (self.known)(files.catalog(), object);
        for (path, table) in files.tables().zip(tables) {
            self.file(table, &path)?;
        }
        let files = Arc::new(files);
        self.databases.insert(object.name.clone(), files.clone());
        Ok(files)
    }
}
