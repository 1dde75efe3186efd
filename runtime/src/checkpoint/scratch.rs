//! [`Scratch`]: a folder for temporary files, which goes when it is dropped.

use super::store::Store;
use crate::error::Fault;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};

/// A folder of its own, below the system's folder for temporary files if nobody says otherwise.
pub(super) struct Scratch {
    folder: PathBuf,
    next: u32,
}

impl Scratch {
    pub(super) fn new() -> Result<Self, Fault> {
        Self::below(&std::env::temp_dir())
    }

    /// Below another folder, which is made if it is not there.
    pub(super) fn below(root: &Path) -> Result<Self, Fault> {
        let random = RandomState::new().build_hasher().finish();
        let folder = root.join(format!("pelton-look-{}-{random:016x}", std::process::id()));
        let cannot = |e| Fault::new("cannot make a folder for temporary files").in_file(&folder).because(e);
        std::fs::create_dir_all(&folder).map_err(cannot)?;
        Ok(Scratch { folder, next: 0 })
    }

    /// The folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes a file of an object.
    pub(super) fn fetch(&mut self, store: &dyn Store, name: &str) -> Result<PathBuf, Fault> {
        let file = self.folder.join(self.next.to_string());
        self.next += 1;
        if store.get_file(name, &file)? {
            return Ok(file);
        }
        Err(Fault::new(format!("`{name}` in {} was there and is gone", store.place())))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is among temporary files.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
