//! [`Folder`]: where the segments of one operator on one worker are made, how they are named, and what is swept away
//! when it is opened.
//!
//! It knows nothing of what is in them.

use super::disk::{Disk, failed};
use super::format::Entry;
use super::writer::{PART, SPOOL, Writer, Written};
use crate::error::Fault;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const SEGMENT: &str = ".segment";

/// A folder that new segments go to. Cheap to clone; all clones count on together.
#[derive(Clone)]
pub struct Folder {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    stem: String,
    next: Arc<AtomicU64>,
}

impl Folder {
    /// Opens a folder, makes it if it is not there, and removes the hidden files that were being written when a process
    /// ended. New segments will be called `stem-00000001.segment` and so on.
    ///
    /// Nobody else may write there at the same time, and no earlier attempt of the job may have used the same stem: one that
    /// is not dead yet may still be writing.
    ///
    /// # Errors
    /// If the folder cannot be made or read.
    pub fn open(disk: Arc<dyn Disk>, path: &Path, stem: &str) -> Result<Folder, Fault> {
        let say = |e| failed("cannot open the folder for segments of state", path, e);
        std::fs::create_dir_all(path).map_err(say)?;
        let mut most = 0;
        for found in path.read_dir().map_err(say)? {
            let found = found.map_err(say)?;
            let name = found.file_name();
            let name = name.to_string_lossy();
            if name.starts_with('.') && (name.ends_with(PART) || name.ends_with(SPOOL)) {
                remove(&*disk, &found.path(), "cannot remove a file that was left half written")?;
            } else if let Some(number) = name.strip_prefix(stem).and_then(number_of) {
                most = most.max(number);
            }
        }
        Ok(Folder { disk, path: path.to_owned(), stem: stem.to_owned(), next: Arc::new(AtomicU64::new(most + 1)) })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Begins the next segment. May be called on any thread.
    ///
    /// # Errors
    /// If the file cannot be made.
    pub fn create(&self, filter: bool) -> Result<Writer, Fault> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        Writer::create(&self.disk, &self.path.join(format!("{}-{number:08}{SEGMENT}", self.stem)), filter)
    }

    /// Writes entries that are in order as a delta: a segment with a filter. May be called on any thread. `None` if there
    /// are none.
    ///
    /// # Errors
    /// If they are not in order, or the disk fails.
    pub fn write<'e>(&self, entries: impl IntoIterator<Item = Entry<'e>>) -> Result<Option<Written>, Fault> {
        let mut entries = entries.into_iter().peekable();
        if entries.peek().is_none() {
            return Ok(None);
        }
        let mut writer = self.create(true)?;
        entries.try_for_each(|entry| writer.push(&entry))?;
        writer.finish().map(Some)
    }

    /// The segments that lie there, whoever made them.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn segments(&self) -> Result<Vec<PathBuf>, Fault> {
        let say = |e| failed("cannot read the folder for segments of state", &self.path, e);
        let mut found = Vec::new();
        for file in self.path.read_dir().map_err(say)? {
            let path = file.map_err(say)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.ends_with(SEGMENT) && !name.starts_with('.') {
                found.push(path);
            }
        }
        found.sort();
        Ok(found)
    }

    /// Removes a file, if it is there.
    pub(super) fn remove(&self, path: &Path) -> Result<(), Fault> {
        remove(&*self.disk, path, "cannot remove a segment of state that nobody needs any more")
    }
}

/// A file that is not there is as good as removed: a merge that was given up may just have tidied up after itself.
fn remove(disk: &dyn Disk, path: &Path, what: &str) -> Result<(), Fault> {
    match disk.remove(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(failed(what, path, e)),
        _ => Ok(()),
    }
}

/// `12` of `-00000012.segment`.
fn number_of(rest: &str) -> Option<u64> {
    rest.strip_prefix('-')?.strip_suffix(SEGMENT)?.parse().ok()
}
