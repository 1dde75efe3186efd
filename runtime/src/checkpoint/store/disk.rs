//! [`Disk`]: the steps of which a [`LocalStore`](super::LocalStore) is made, one function for each, and [`Watch`], through which all of
//! them go if a test wants it. Nothing else in the store changes a file system, or reads more of it than what kind of file something is.

use crate::background::give_way;
use std::fs::{self, File, OpenOptions, ReadDir};
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

/// A step on a file system.
#[derive(Clone, Copy, Debug)]
pub enum Step<'a> {
    /// Makes a directory.
    Make(&'a Path),
    /// Makes a file with nothing in it.
    Create(&'a Path),
    /// Writes so many bytes behind the others of a new file.
    Write(&'a Path, usize),
    /// Gives a file its length: it has too many bytes, which mean nothing.
    Cut(&'a Path),
    /// Makes what is in a file durable.
    Sync(&'a Path),
    /// Gives a file another name, if nothing is called so. The name that it had comes first.
    Link(&'a Path, &'a Path),
    /// Gives a file another name in place of this one, and takes it from whatever is called so.
    Rename(&'a Path, &'a Path),
    /// Removes a name, and the file with its last one.
    Remove(&'a Path),
    /// Gives back what a file takes, which then is zeroes.
    Hollow(&'a Path),
    /// Makes the names in a directory durable.
    SyncNames(&'a Path),
    /// Opens a file to read it.
    Read(&'a Path),
    /// Asks for the names in a directory.
    List(&'a Path),
}

/// Who stands before each step of a disk.
pub trait Watch: Send + Sync {
    /// A step is to be done: `act` does it, or only so many bytes of it if it writes some. Without it nothing is done. What is given
    /// back is what the step's end is taken for.
    ///
    /// # Errors
    /// What the system says of it, or whatever else is to be believed.
    fn step(&self, step: Step<'_>, act: &mut dyn FnMut(usize) -> io::Result<()>) -> io::Result<()>;
}

/// The file system that a store is kept in.
#[derive(Default)]
pub(super) struct Disk {
    watch: Option<Arc<dyn Watch>>,
}

impl Disk {
    pub(super) fn watched(watch: Arc<dyn Watch>) -> Disk {
        Disk { watch: Some(watch) }
    }

    /// All steps go through here.
    fn step(&self, step: Step<'_>, act: impl FnOnce(usize) -> io::Result<()>) -> io::Result<()> {
        let Some(watch) = &self.watch else { return act(usize::MAX) };
        let mut act = Some(act);
        watch.step(step, &mut |bytes| act.take().map_or(Ok(()), |act| act(bytes)))
    }

    /// One that gives something.
    fn take<T>(&self, step: Step<'_>, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let mut taken = None;
        self.step(step, |_| act().map(|it| taken = Some(it)))?;
        taken.ok_or_else(|| io::Error::other("it was not done"))
    }

    pub(super) fn make(&self, directory: &Path) -> io::Result<()> {
        self.step(Step::Make(directory), |_| fs::create_dir(directory))
    }

    /// Makes a file, if nothing is called so.
    pub(super) fn create<'a>(&'a self, path: &'a Path) -> io::Result<NewFile<'a>> {
        self.create_with(path, &mut OpenOptions::new())
    }

    /// As [`create`](Self::create), with more that it is opened for.
    pub(super) fn create_with<'a>(&'a self, path: &'a Path, options: &mut OpenOptions) -> io::Result<NewFile<'a>> {
        let file = self.take(Step::Create(path), || options.write(true).create_new(true).open(path))?;
        Ok(NewFile { disk: self, path, file })
    }

    pub(super) fn sync(&self, path: &Path) -> io::Result<()> {
        self.step(Step::Sync(path), |_| File::open(path)?.sync_all())
    }

    pub(super) fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(Step::Link(from, to), |_| fs::hard_link(from, to))
    }

    /// Makes another file of this content, if nothing is called so.
    pub(super) fn copy(&self, from: &Path, to: &Path) -> io::Result<()> {
        let from = File::open(from)?;
        let bytes = usize::try_from(from.metadata()?.len()).map_err(io::Error::other)?;
        let mut file = self.create(to)?;
        let copy = |some: usize| io::copy(&mut from.take(some.min(bytes) as u64), &mut file.file).map(drop);
        self.step(Step::Write(to, bytes), copy)
    }

    pub(super) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(Step::Rename(from, to), |_| fs::rename(from, to))
    }

    pub(super) fn remove(&self, path: &Path) -> io::Result<()> {
        self.step(Step::Remove(path), |_| fs::remove_file(path))
    }

    /// Removes a file. What a large one without other names takes on the disk is given back by steps first: all at once the system
    /// would keep the core for long. Until it is gone it is called `aside`, so that nobody meets a part of it; whoever has it mapped
    /// finds zeroes.
    pub(super) fn remove_by_steps(&self, path: &Path, aside: &Path) -> io::Result<()> {
        if !is_large_and_alone(path) {
            return self.remove(path);
        }
        self.rename(path, aside)?;
        // Somebody may have given it another name just before.
        if is_large_and_alone(aside) {
            // Where that cannot be done it goes at once.
            let _ = self.step(Step::Hollow(aside), |_| hollow_out(aside));
        }
        self.remove(aside)
    }

    pub(super) fn sync_names(&self, directory: &Path) -> io::Result<()> {
        // Elsewhere a directory cannot be opened, and names are durable as they are.
        self.step(Step::SyncNames(directory), |_| if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) })
    }

    /// Opens a file to read it.
    pub(super) fn open(&self, path: &Path) -> io::Result<File> {
        self.open_with(path, &mut OpenOptions::new())
    }

    /// As [`open`](Self::open), with more that it is opened for.
    pub(super) fn open_with(&self, path: &Path, options: &mut OpenOptions) -> io::Result<File> {
        self.take(Step::Read(path), || options.read(true).open(path))
    }

    pub(super) fn list(&self, directory: &Path) -> io::Result<ReadDir> {
        self.take(Step::List(directory), || fs::read_dir(directory))
    }
}

/// A file that is being written.
pub(super) struct NewFile<'a> {
    disk: &'a Disk,
    path: &'a Path,
    file: File,
}

impl NewFile<'_> {
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let write = |some: usize| self.file.write_all(bytes.get(..some).unwrap_or(bytes));
        self.disk.step(Step::Write(self.path, bytes.len()), write)
    }

    pub(super) fn cut(&self, length: u64) -> io::Result<()> {
        self.disk.step(Step::Cut(self.path), |_| self.file.set_len(length))
    }

    /// Makes what is in it so far durable.
    pub(super) fn sync_data(&self) -> io::Result<()> {
        self.disk.step(Step::Sync(self.path), |_| self.file.sync_data())
    }

    /// Makes it durable.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.disk.step(Step::Sync(self.path), |_| self.file.sync_all())
    }
}

/// Bytes of a file that goes that are given back in a step.
#[cfg(target_os = "linux")]
const HOLE_BYTES: u64 = 1 << 20;

#[cfg(target_os = "linux")]
fn is_large_and_alone(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::symlink_metadata(path).is_ok_and(|file| file.is_file() && file.nlink() == 1 && file.len() > HOLE_BYTES)
}

#[cfg(target_os = "linux")]
fn hollow_out(path: &Path) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    let file = OpenOptions::new().write(true).open(path)?;
    for at in (0..file.metadata()?.len()).step_by(HOLE_BYTES as usize) {
        fallocate(&file, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, at, HOLE_BYTES)?;
        give_way();
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn is_large_and_alone(_: &Path) -> bool {
    false
}

#[cfg(not(target_os = "linux"))]
fn hollow_out(_: &Path) -> io::Result<()> {
    give_way();
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_large_file_is_removed_and_its_other_names_are_left_alone() {
        let folder = std::env::temp_dir().join(format!("pelton-disk-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let [one, other, aside] = ["one", "other", "aside"].map(|name| folder.join(name));
        let content: Vec<u8> = (0..3 * HOLE_BYTES + 17).map(|at| at as u8 | 1).collect();
        fs::write(&one, &content).unwrap();
        fs::hard_link(&one, &other).unwrap();
        let disk = Disk::default();
        disk.remove_by_steps(&one, &aside).unwrap();
        assert!(!one.exists() && fs::read(&other).unwrap() == content);
        let open = File::open(&other).unwrap();
        disk.remove_by_steps(&other, &aside).unwrap();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        assert_eq!(disk.remove_by_steps(&other, &aside).unwrap_err().kind(), io::ErrorKind::NotFound);
        // For who still has it open, it is as long as before.
        let mut left = Vec::new();
        Read::read_to_end(&mut &open, &mut left).unwrap();
        assert_eq!(left.len(), content.len());
        fs::remove_dir_all(&folder).unwrap();
    }
}
