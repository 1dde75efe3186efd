//! [`Scratch`]: a folder for temporary files, which goes when it is dropped.

use super::store::Store;
use crate::error::Fault;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder of its own, below the system's folder for temporary files.
pub(super) struct Scratch {
    folder: PathBuf,
    next: u32,
}

impl Scratch {
    pub(super) fn new() -> Result<Self, Fault> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("pelton-look-{}-{number}", std::process::id()));
        let cannot = |e| Fault::new("cannot make a folder for temporary files").in_file(&folder).because(e);
        std::fs::create_dir(&folder).map_err(cannot)?;
        Ok(Scratch { folder, next: 0 })
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
