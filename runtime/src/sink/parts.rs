//! [`Target`]: one file that several writers make together, and that appears under its name only when it is whole.
//!
//! ```text
//! DIR/.NAME.pelton-RUN-ATTEMPT-WORKER-PART   what one writer wrote; its first LEN bytes are committed
//! DIR/.NAME.pelton-RUN-ATTEMPT-all           all of them joined; renamed to DIR/NAME at the end
//! ```
//!
//! RUN tells processes apart. Who joins holds a lock on `all` as long as it lives, so that a later run knows what a
//! crashed one left behind from what another one is writing. This file knows nothing of rows.

use super::{Prepared, SinkContext};
use crate::error::Fault;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

/// The file that is to be there in the end.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// With links followed, so that a link stays one.
    path: PathBuf,
    folder: PathBuf,
    name: String,
    attempt: u64,
}

impl Target {
    /// Looks at what is under the name now.
    pub(super) fn new(path: &Path, attempt: u64) -> Result<Target, Fault> {
        if path.as_os_str().as_encoded_bytes().ends_with(b"/") {
            let fault = Fault::new("a folder of files cannot be written yet").in_file(path);
            return Err(fault.help("name one file, without a `/` at the end"));
        }
        let path = match path.symlink_metadata() {
            Ok(about) if about.is_symlink() => {
                path.canonicalize().map_err(|e| failed("cannot follow the link", path, e))?
            }
            _ => path.to_owned(),
        };
        match path.metadata() {
            Ok(about) if about.is_dir() => {
                return Err(Fault::new("a directory where a file is to be written")
                    .in_file(path)
                    .help("name a file in it"));
            }
            Ok(about) if !about.is_file() => {
                return Err(Fault::new("neither a file nor a directory: it cannot be replaced by a finished file")
                    .in_file(path)
                    .help("name a file, or write to the terminal with `stdout()`"));
            }
            _ => {}
        }
        let Some(name) = path.file_name().map(|name| name.to_string_lossy().into_owned()) else {
            return Err(Fault::new("the path names no file").in_file(path));
        };
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        if !folder.is_dir() {
            let help = format!("create the directory {} first", folder.display());
            return Err(Fault::new("the directory of the file to write is not there").in_file(path).help(help));
        }
        Ok(Target { path, folder, name, attempt })
    }

    fn hidden(&self, part: &str) -> PathBuf {
        self.folder.join(format!("{}{:x}-{}-{part}", self.prefix(), run(), self.attempt))
    }

    /// What writer number `part` of a worker writes.
    fn part(&self, worker: usize, part: u64) -> PathBuf {
        self.hidden(&format!("{worker}-{part}"))
    }

    fn prefix(&self) -> String {
        format!(".{}.pelton-", self.name)
    }

    /// Hidden files of this target: their run, attempt, whether they are what is joined, and path.
    fn hidden_files(&self) -> io::Result<Vec<(u64, u64, bool, PathBuf)>> {
        let mut found = Vec::new();
        for entry in self.folder.read_dir()? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(rest) = name.to_str().and_then(|name| name.strip_prefix(&self.prefix())) else { continue };
            let mut parts = rest.splitn(3, '-');
            let (Some(run), Some(attempt), Some(part)) = (parts.next(), parts.next(), parts.next()) else { continue };
            if let (Ok(run), Ok(attempt)) = (u64::from_str_radix(run, 16), attempt.parse()) {
                found.push((run, attempt, part == "all", entry.path()));
            }
        }
        Ok(found)
    }

    /// Removes what earlier runs and attempts left behind; fails if another process is writing the same file now.
    fn clean(&self) -> Result<(), Fault> {
        let found = self.hidden_files().map_err(|e| failed("cannot look into the directory", &self.folder, e))?;
        let ours = |of: u64| of == run();
        for (of, _, all, path) in &found {
            if *all && !ours(*of) && is_locked(path) {
                return Err(Fault::new("another run is writing this file now")
                    .in_file(&self.path)
                    .help("wait until it has ended, or write to another file"));
            }
        }
        for (of, attempt, _, path) in found {
            if !ours(of) || attempt < self.attempt {
                // What cannot be removed takes room and does no harm else.
                let _ = std::fs::remove_file(path);
            }
        }
        Ok(())
    }

    fn create(&self, path: &Path) -> Result<File, Fault> {
        OpenOptions::new().write(true).create_new(true).open(path).map_err(|e| self.unwritable(path, e))
    }

    /// A write that failed, told for the file that was to be.
    pub(super) fn unwritable(&self, hidden: &Path, error: io::Error) -> Fault {
        use io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
        let help = match error.kind() {
            StorageFull | QuotaExceeded => format!(
                "free some room where {} is: while the file is finished it is there twice; or write it elsewhere",
                self.folder.display()
            ),
            PermissionDenied | ReadOnlyFilesystem => {
                format!("let the user who runs the job create files in {}", self.folder.display())
            }
            _ => format!("until the file is whole it is written to {}", hidden.display()),
        };
        Fault::new("cannot write the file").in_file(&self.path).because(error).help(help)
    }
}

fn is_locked(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

fn failed(what: &str, path: &Path, error: io::Error) -> Fault {
    Fault::new(what).in_file(path).because(error)
}

/// A number that no other process has had.
fn run() -> u64 {
    static RUN: OnceLock<u64> = OnceLock::new();
    *RUN.get_or_init(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos() as u64);
        since.rotate_left(16) ^ u64::from(std::process::id())
    })
}

/// What one writer writes.
pub(super) struct Part {
    target: Target,
    path: PathBuf,
    part: u64,
    file: File,
    len: u64,
    /// How much of it is durable.
    synced: Cell<u64>,
}

impl Part {
    /// Creates the file.
    pub(super) fn create(target: &Target, context: &SinkContext) -> Result<Part, Fault> {
        let part = context.part as u64;
        let path = target.part(context.worker, part);
        let file = target.create(&path)?;
        Ok(Part { target: target.clone(), path, part, file, len: 0, synced: Cell::new(0) })
    }

    /// Makes everything durable, and tells what there is; `None` if nothing came since the last time. `header` goes in
    /// front of all parts, once.
    pub(super) fn prepare(&self, header: &[u8]) -> Result<Option<Prepared>, Fault> {
        if self.len == self.synced.get() {
            return Ok(None);
        }
        self.file.sync_data().map_err(|e| self.fault(e))?;
        self.synced.set(self.len);
        Ok(Some(Committed { part: self.part, len: self.len, header: header.to_vec() }.encode()))
    }

    pub(super) fn fault(&self, error: io::Error) -> Fault {
        self.target.unwritable(&self.path, error)
    }
}

impl Write for Part {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.len += written as u64;
        Ok(written)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is committed of one part.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Committed {
    part: u64,
    len: u64,
    header: Vec<u8>,
}

impl Committed {
    /// Which part and how much of it, little-endian, then the header.
    fn encode(self) -> Prepared {
        Prepared([&self.part.to_le_bytes()[..], &self.len.to_le_bytes(), &self.header].concat())
    }

    fn decode(Prepared(bytes): &Prepared) -> Option<Committed> {
        let (part, rest) = bytes.split_first_chunk()?;
        let (len, header) = rest.split_first_chunk()?;
        let (part, len) = (u64::from_le_bytes(*part), u64::from_le_bytes(*len));
        Some(Committed { part, len, header: header.to_vec() })
    }
}

/// Joins the parts. Dropped before it has done so, it removes them.
pub(super) struct Joiner {
    target: Target,
    all: PathBuf,
    file: File,
    /// By worker and part.
    committed: BTreeMap<(usize, u64), Committed>,
    done: bool,
}

impl Joiner {
    /// Cleans up behind earlier runs, and makes sure that the file can be written.
    pub(super) fn new(target: Target) -> Result<Joiner, Fault> {
        target.clean()?;
        let all = target.hidden("all");
        let file = match target.create(&all) {
            Ok(file) => file,
            Err(fault) if all.exists() => {
                return Err(fault.help("give each sink of the job a file of its own"));
            }
            Err(fault) => return Err(fault),
        };
        // On a file system without locks two runs at once are not noticed; each still ends with a whole file.
        let _ = file.try_lock();
        Ok(Joiner { target, all, file, committed: BTreeMap::new(), done: false })
    }

    /// Notes how far each part is committed.
    pub(super) fn commit(&mut self, prepared: &[(usize, Prepared)]) -> Result<(), Fault> {
        for (worker, prepared) in prepared {
            let Some(committed) = Committed::decode(prepared) else {
                return Err(Fault::new("a commit that no writer of this file has prepared").in_file(&self.target.path));
            };
            self.committed.insert((*worker, committed.part), committed);
        }
        Ok(())
    }

    /// Joins what is committed, and lets it appear under its name.
    pub(super) fn finish(&mut self) -> Result<(), Fault> {
        let fault = |e| self.target.unwritable(&self.all, e);
        if let Some(first) = self.committed.values().next() {
            self.file.write_all(&first.header).map_err(fault)?;
        }
        for ((worker, part), Committed { len, .. }) in &self.committed {
            let path = self.target.part(*worker, *part);
            let part = File::open(&path).map_err(|e| failed("cannot read back a part of the file", &path, e))?;
            let copied = io::copy(&mut part.take(*len), &mut self.file).map_err(fault)?;
            if copied != *len {
                let what = format!("a part of the file has {copied} bytes of the {len} that were written");
                return Err(Fault::new(what).in_file(&path).help("let nobody else change hidden files of a run"));
            }
        }
        self.file.sync_all().map_err(fault)?;
        std::fs::rename(&self.all, &self.target.path).map_err(fault)?;
        self.done = true;
        #[cfg(unix)]
        File::open(&self.target.folder).and_then(|folder| folder.sync_all()).map_err(fault)?;
        self.remove();
        Ok(())
    }

    /// Removes everything of this attempt.
    pub(super) fn abort(&mut self) {
        self.done = true;
        self.remove();
    }

    /// What cannot be removed is left to the next run.
    fn remove(&self) {
        for (of, attempt, _, path) in self.target.hidden_files().unwrap_or_default() {
            if of == run() && attempt == self.target.attempt {
                let _ = std::fs::remove_file(path);
            }
        }
    }
}

impl Drop for Joiner {
    fn drop(&mut self) {
        if !self.done {
            self.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_and_a_closed_directory_are_told_with_what_to_do() {
        let target = Target::new(&std::env::temp_dir().join("board.csv"), 1).unwrap();
        let told = |kind: io::ErrorKind| target.unwritable(Path::new("part"), kind.into()).to_string();
        let full = told(io::ErrorKind::StorageFull);
        assert!(full.contains("board.csv") && full.contains("free some room where"), "{full}");
        assert!(told(io::ErrorKind::PermissionDenied).contains("create files in"));
        assert!(told(io::ErrorKind::Other).contains("it is written to part"));
    }

    #[test]
    fn what_is_committed_reads_back_and_other_bytes_do_not() {
        let committed = Committed { part: 7, len: 1 << 40, header: b"a,b\n".to_vec() };
        assert_eq!(Committed::decode(&committed.clone().encode()), Some(committed));
        assert_eq!(Committed::decode(&Prepared(vec![0; 15])), None);
    }
}
