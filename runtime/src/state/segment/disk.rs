//! [`Disk`]: the few operations that put a segment on disk, injected so that a test can stop at each of them. Reading is
//! not among them: a segment is mapped.
//!
//! It knows nothing of what is written.

use crate::background::{SYNC_BYTES, give_way};
use crate::error::Fault;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Where files are written, named and removed.
pub trait Disk: Send + Sync {
    /// Creates a file that is not there yet.
    ///
    /// # Errors
    /// What the system says.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Gives a file its other name, in the same folder; one that has the name already is replaced.
    ///
    /// # Errors
    /// What the system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Returns once the names in a folder would survive a loss of power.
    ///
    /// # Errors
    /// What the system says.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
    /// Removes a file.
    ///
    /// # Errors
    /// What the system says.
    fn remove(&self, path: &Path) -> io::Result<()>;
}

/// A file that is being written.
pub trait DiskFile: Send {
    /// Writes all of the bytes at a distance from the start.
    ///
    /// # Errors
    /// What the system says.
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()>;
    /// Returns once content and length would survive a loss of power.
    ///
    /// # Errors
    /// What the system says.
    fn sync(&mut self) -> io::Result<()>;
}

/// The machine's own file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsDisk;

impl Disk for OsDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(OsFile { file: OpenOptions::new().write(true).create_new(true).open(path)?, at: 0, unsynced: 0 }))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }
    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        // Elsewhere folders cannot be opened, and a rename is on disk when it returns.
        if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }
}

struct OsFile {
    file: File,
    at: u64,
    unsynced: usize,
}

impl DiskFile for OsFile {
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        use std::io::{Seek, SeekFrom, Write};
        if at != self.at {
            self.file.seek(SeekFrom::Start(at))?;
        }
        self.file.write_all(bytes)?;
        self.at = at + bytes.len() as u64;
        self.unsynced += bytes.len();
        if self.unsynced >= SYNC_BYTES {
            self.unsynced = 0;
            self.file.sync_data()?;
        }
        give_way();
        Ok(())
    }
    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_all()
    }
}

/// What the system says, with the file it is about.
pub(super) fn failed(what: &str, path: &Path, error: io::Error) -> Fault {
    let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    let fault = Fault::new(what).in_file(path).because(error);
    if full { fault.help("make room on this disk, or give the job another folder for its state") } else { fault }
}
