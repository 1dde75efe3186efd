//! [`LocalStore`]: objects as files below a directory.
//!
//! ```text
//! ROOT/log/00000000000000000001      an object; the parts of its name are directories
//! ROOT/log/.PID-TOKEN-N.part         one that is being written: hidden, and not there for anybody
//! ```
//!
//! A file is written under a hidden name and synced; then it gets its real name by a hard link, which fails if there is
//! one (or by a rename, which replaces it), and the directory is synced. So a name never stands for half an object,
//! whenever the machine stops, and of two processes one gets it. The hidden ones of a process that died are removed by
//! [`tidy`](Store::tidy).

use super::disk::{Disk, Watch};
use super::{Listed, Put, Store, check_name, direct};
use crate::background::{STEP_BYTES, SYNC_BYTES, give_way};
use crate::error::Fault;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A directory of objects.
pub struct LocalStore {
    root: PathBuf,
    /// Tells the hidden files of this store from those of others, on other machines too.
    token: u64,
    parts: AtomicU64,
    disk: Disk,
    /// Directories that this store knows to be durable. That one is there says nothing: whoever made it may have died, or failed, before
    /// its name was synced.
    durable: Mutex<BTreeSet<PathBuf>>,
}

impl LocalStore {
    /// The store in this directory, which is made if it is not there.
    ///
    /// # Errors
    /// If there is something else, or it cannot be made or written.
    pub fn make(root: &Path) -> Result<Self, Fault> {
        Self::make_on(Disk::default(), root)
    }

    /// As [`make`](Self::make), for tests: whatever the store does to the disk goes by way of `watch`.
    ///
    /// # Errors
    /// If there is something else, or it cannot be made or written.
    pub fn watched(root: &Path, watch: Arc<dyn Watch>) -> Result<Self, Fault> {
        Self::make_on(Disk::watched(watch), root)
    }

    fn make_on(disk: Disk, root: &Path) -> Result<Self, Fault> {
        make_directory(&disk, root).map_err(|e| match e.kind() {
            ErrorKind::NotFound => {
                cannot("make the directory", root, e).help("nothing can be made there: choose another place")
            }
            _ => cannot("make the directory", root, e),
        })?;
        let store = Self::open_on(disk, root)?;
        // Whether it can be written is better known now than at the first checkpoint.
        let part = store.part_name(root);
        store.disk.create(&part).map_err(|e| cannot("write", &part, e))?;
        store.disk.remove(&part).map_err(|e| cannot("remove a file", &part, e))?;
        Ok(store)
    }

    /// The store in this directory.
    ///
    /// # Errors
    /// If it is not there, or no directory.
    pub fn open(root: &Path) -> Result<Self, Fault> {
        Self::open_on(Disk::default(), root)
    }

    fn open_on(disk: Disk, root: &Path) -> Result<Self, Fault> {
        let about = fs::metadata(root).map_err(|e| match e.kind() {
            ErrorKind::NotFound => Fault::new("there is no such directory")
                .in_file(root)
                .help("name the directory that a run was given for its checkpoints"),
            _ => cannot("look at the directory", root, e),
        })?;
        if !about.is_dir() {
            return Err(no_directory(root));
        }
        let root = root.canonicalize().map_err(|e| cannot("look at the directory", root, e))?;
        let token = RandomState::new().build_hasher().finish();
        Ok(LocalStore { root, token, parts: AtomicU64::new(0), disk, durable: Mutex::default() })
    }

    fn path(&self, name: &str) -> Result<PathBuf, Fault> {
        check_name(name)?;
        Ok(self.root.join(name))
    }

    /// What a new hidden file in a directory is called.
    fn part_name(&self, directory: &Path) -> PathBuf {
        let number = self.parts.fetch_add(1, Ordering::Relaxed);
        directory.join(format!(".{}-{:016x}-{number}{PART}", std::process::id(), self.token))
    }

    /// Makes a hidden file, which `fill` makes durable, and lets `publish` give it its name.
    fn write<T>(
        &self,
        name: &str,
        fill: impl FnOnce(&Path) -> io::Result<()>,
        publish: impl FnOnce(&Path, &Path) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let path = self.path(name)?;
        let directory = path.parent().unwrap_or(&self.root);
        self.make_durable(directory).map_err(|e| cannot("make the directory", directory, e))?;
        let part = self.part_name(directory);
        let done = fill(&part).map_err(|e| cannot("write", &path, e)).and_then(|()| publish(&part, &path));
        // A rename has taken it away already. What stays is hidden, and removed by `tidy`.
        let _ = self.disk.remove(&part);
        let done = done?;
        self.disk.sync_names(directory).map_err(|e| cannot("sync the directory", directory, e))?;
        Ok(done)
    }

    /// Makes a directory, if it is not there, and sees to it that a crash does not take it away.
    fn make_durable(&self, directory: &Path) -> io::Result<()> {
        let known = || self.durable.lock().unwrap_or_else(PoisonError::into_inner);
        if !known().contains(directory) || !directory.is_dir() {
            make_directory(&self.disk, directory)?;
            known().insert(directory.to_owned());
        }
        Ok(())
    }

    /// Fills a hidden file with bytes.
    fn written(&self, bytes: &[u8]) -> impl FnOnce(&Path) -> io::Result<()> {
        move |part| {
            if bytes.len() >= direct::LEAST {
                match direct::write(&self.disk, part, bytes)? {
                    Some(file) => return file.sync(),
                    // There may be a part of it.
                    None => self.remove(part)?,
                }
            }
            let mut file = self.disk.create(part)?;
            for (at, some) in bytes.chunks(SYNC_BYTES).enumerate() {
                if at > 0 {
                    file.sync_data()?;
                }
                for step in some.chunks(STEP_BYTES) {
                    file.write(step)?;
                    give_way();
                }
            }
            file.sync()
        }
    }

    /// Gives a hidden file its name, in place of one that has it.
    fn rename(&self) -> impl FnOnce(&Path, &Path) -> Result<(), Fault> {
        |part, path| self.disk.rename(part, path).map_err(|e| cannot("write", path, e))
    }

    /// Removes a file, if it is there.
    fn remove(&self, path: &Path) -> io::Result<()> {
        match self.disk.remove(path) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }

    /// Gives a file a second name, or copies it to another file system. Fails if there is a file of this name.
    fn link_or_copy(&self, from: &Path, to: &Path) -> io::Result<()> {
        match self.disk.link(from, to) {
            Err(e)
                if matches!(
                    e.kind(),
                    ErrorKind::CrossesDevices | ErrorKind::Unsupported | ErrorKind::PermissionDenied
                ) =>
            {
                self.disk.copy(from, to)
            }
            linked => linked,
        }
    }

    /// Every file below a directory, with what it is called behind it.
    fn walk(&self, directory: &Path, name: &str, each: &mut dyn FnMut(String, &Path, u64)) -> io::Result<()> {
        let entries = match self.disk.list(directory) {
            Ok(entries) => entries,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(e),
        };
        for entry in entries {
            let entry = entry?;
            // A name that is not UTF-8 is not ours.
            let Ok(file) = entry.file_name().into_string() else { continue };
            let about = match entry.metadata() {
                Ok(about) => about,
                // Somebody deleted it just now.
                Err(e) if e.kind() == ErrorKind::NotFound => continue,
                Err(e) => return Err(e),
            };
            let name = if name.is_empty() { file } else { format!("{name}/{file}") };
            if about.is_dir() {
                self.walk(&entry.path(), &name, each)?;
            } else {
                each(name, &entry.path(), about.len());
            }
        }
        Ok(())
    }
}

const PART: &str = ".part";
/// A directory with this one in it is a store.
const LOG: &str = "log";

impl Store for LocalStore {
    fn place(&self) -> String {
        self.root.display().to_string()
    }

    fn put_new(&self, name: &str, bytes: &[u8]) -> Result<Put, Fault> {
        self.write(name, self.written(bytes), |part, path| match self.disk.link(part, path) {
            Ok(()) => Ok(Put::Created),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(Put::Exists),
            Err(e) if matches!(e.kind(), ErrorKind::Unsupported | ErrorKind::PermissionDenied) => {
                Err(cannot("link", path, e)
                    .help("checkpoints need a file system with hard links: choose another directory"))
            }
            Err(e) => Err(cannot("write", path, e)),
        })
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Fault> {
        self.write(name, self.written(bytes), self.rename())
    }

    fn put_file(&self, name: &str, file: &Path) -> Result<(), Fault> {
        let fill = |part: &Path| {
            self.link_or_copy(file, part)?;
            // The link is to the file itself, so that is what is synced.
            self.disk.sync(part)
        };
        self.write(name, fill, self.rename())
    }

    fn get_file(&self, name: &str, file: &Path) -> Result<bool, Fault> {
        let path = self.path(name)?;
        if !path.is_file() {
            return Ok(false);
        }
        match self.link_or_copy(&path, file) {
            Ok(()) => Ok(true),
            Err(e) => Err(cannot("write", file, e)),
        }
    }

    fn get(&self, name: &str) -> Result<Option<Vec<u8>>, Fault> {
        let path = self.path(name)?;
        let read = || -> io::Result<Vec<u8>> {
            let mut file = self.disk.open(&path)?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        match read() {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(cannot("read", &path, e)),
        }
    }

    fn get_range(&self, name: &str, range: Range<u64>) -> Result<Option<Vec<u8>>, Fault> {
        let path = self.path(name)?;
        let read = || -> io::Result<Vec<u8>> {
            let mut file = self.disk.open(&path)?;
            let end = range.end.min(file.metadata()?.len());
            let wanted = end.saturating_sub(range.start);
            read_ahead(&file, range.start, 2 * wanted);
            file.seek(SeekFrom::Start(range.start.min(end)))?;
            let mut bytes = Vec::with_capacity(usize::try_from(wanted).map_err(io::Error::other)?);
            file.take(wanted).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        match read() {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(cannot("read", &path, e)),
        }
    }

    fn holds(&self, name: &str, bytes: &[u8]) -> Result<bool, Fault> {
        let path = self.path(name)?;
        let compare = || -> io::Result<bool> {
            if bytes.len() >= direct::LEAST
                && let Some(same) = direct::holds(&self.disk, &path, bytes)?
            {
                return Ok(same);
            }
            let mut file = self.disk.open(&path)?;
            let mut there = vec![0; STEP_BYTES.min(bytes.len())];
            if file.metadata()?.len() != bytes.len() as u64 {
                return Ok(false);
            }
            for some in bytes.chunks(STEP_BYTES) {
                let (there, _) = there.split_at_mut(some.len());
                file.read_exact(there)?;
                if there != some {
                    return Ok(false);
                }
                give_way();
            }
            Ok(true)
        };
        match compare() {
            Ok(same) => Ok(same),
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::UnexpectedEof) => Ok(false),
            Err(e) => Err(cannot("read", &path, e)),
        }
    }

    fn list(&self, prefix: &str) -> Result<Vec<Listed>, Fault> {
        let below = prefix.rsplit_once('/').map_or("", |(below, _)| below);
        if !below.is_empty() {
            check_name(below)?;
        }
        let mut found = Vec::new();
        let directory = self.root.join(below);
        let walked = self.walk(&directory, below, &mut |name, _, bytes| {
            // What may not be asked for is not there: hidden files, and files of others.
            if name.starts_with(prefix) && check_name(&name).is_ok() {
                found.push(Listed { name, bytes });
            }
        });
        walked.map_err(|e| cannot("list the directory", &directory, e))?;
        found.sort();
        Ok(found)
    }

    fn delete(&self, name: &str) -> Result<(), Fault> {
        let path = self.path(name)?;
        // Not synced: a file that comes back after a crash is deleted again by the next sweep.
        let aside = self.part_name(path.parent().unwrap_or(&self.root));
        match self.disk.remove_by_steps(&path, &aside) {
            Ok(()) => Ok(()),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
            Err(e) => Err(cannot("remove", &path, e)),
        }
    }

    fn tidy(&self) -> Result<(), Fault> {
        let mut parts = Vec::new();
        let own = format!("-{:016x}-", self.token);
        let walked = self.walk(&self.root, "", &mut |_, path, _| {
            let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
            // Other threads may be writing into this very store, or into one below it: a savepoint.
            let inside = || path.ancestors().skip(1).take_while(|at| *at != self.root).any(|at| at.join(LOG).is_dir());
            if name.starts_with('.') && name.ends_with(PART) && !name.contains(&own) && !inside() {
                parts.push(path.to_owned());
            }
        });
        walked.map_err(|e| cannot("list the directory", &self.root, e))?;
        parts.iter().try_for_each(|part| self.remove(part).map_err(|e| cannot("remove", part, e)))
    }
}

/// Has the system read a part of a file while something else is done: whoever reads a range goes on behind it.
fn read_ahead(file: &File, from: u64, bytes: u64) {
    // Where that cannot be asked for, it is read when it is wanted.
    #[cfg(target_os = "linux")]
    let _ = rustix::fs::fadvise(file, from, std::num::NonZeroU64::new(bytes), rustix::fs::Advice::WillNeed);
    #[cfg(not(target_os = "linux"))]
    let _ = (file, from, bytes);
}

/// Makes a directory and those above it, each of them durable before there is anything in it. So of those that are there only the last
/// one may not be.
fn make_directory(disk: &Disk, path: &Path) -> io::Result<()> {
    let above = match path.parent() {
        Some(above) if above.as_os_str().is_empty() => Path::new("."),
        Some(above) => above,
        None => path,
    };
    if path.is_dir() {
        // Where this may not or cannot be done, others have made what is there.
        let not_ours = [
            ErrorKind::PermissionDenied,
            ErrorKind::InvalidInput,
            ErrorKind::Unsupported,
            ErrorKind::ReadOnlyFilesystem,
        ];
        return match disk.sync_names(above) {
            Err(e) if not_ours.contains(&e.kind()) => Ok(()),
            synced => synced,
        };
    }
    if above != path {
        make_directory(disk, above)?;
    }
    match disk.make(path) {
        // Another thread was faster, or it is something else.
        Err(e) if e.kind() == ErrorKind::AlreadyExists && path.is_dir() => {}
        Err(e) if e.kind() == ErrorKind::AlreadyExists => return Err(ErrorKind::NotADirectory.into()),
        made => made?,
    }
    disk.sync_names(above)
}

fn no_directory(path: &Path) -> Fault {
    Fault::new("not a directory: checkpoints are kept in one")
        .in_file(path)
        .help("name a directory, which is made if it is not there")
}

fn cannot(what: &str, path: &Path, error: io::Error) -> Fault {
    let help = match error.kind() {
        ErrorKind::NotADirectory => return no_directory(path),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "the disk is full: make room, keep fewer checkpoints, or choose another place"
        }
        ErrorKind::PermissionDenied => "let this user read and write the directory, or choose another one",
        ErrorKind::ReadOnlyFilesystem => "the file system cannot be written: choose another place",
        _ => "",
    };
    let fault = Fault::new(format!("cannot {what}")).in_file(path).because(error);
    if help.is_empty() { fault } else { fault.help(help) }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// What is said of an error of the file system.
    pub fn told(error: io::Error) -> String {
        cannot("write", Path::new("x"), error).to_string()
    }
}
